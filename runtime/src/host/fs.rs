//! Files.

use std::path::Path;

use tokio::io::AsyncWriteExt;

use super::{permission::resolve, text};
use crate::{
    effect::Effect,
    fault::{Fault, Kind},
    machine::Outcome,
    value::Value,
};

/// `fs.append(path, text)`: the text is in the file, and on the disk, when it gives null.
pub(super) async fn append(effect: &Effect, folder: &Path) -> Outcome {
    let path = resolve(folder, text(effect, 0)?)?;
    let text = text(effect, 1)?;
    let failed =
        |error: std::io::Error| Fault::new(Kind::File, format!("cannot append to `{}`: {error}", path.display()));
    let mut file = tokio::fs::OpenOptions::new().append(true).create(true).open(&path).await.map_err(failed)?;
    file.write_all(text.as_bytes()).await.map_err(failed)?;
    file.flush().await.map_err(failed)?;
    file.sync_data().await.map_err(failed)?;
    Ok(Value::Null)
}
