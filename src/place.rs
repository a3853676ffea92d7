//! Where things are: the store of a script, its settings, and the runs in it.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use wf_runtime::store::{RunId, SqliteStore, Store, StoreError};

/// Settings of a project, from the nearest `wf.toml` upwards.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Project {
    /// The model of agents that name none.
    pub(crate) model: Option<String>,
    /// What scripts may do, as `--allow` says it.
    #[serde(default)]
    pub(crate) allow: Vec<String>,
    /// Settings of the store.
    #[serde(default)]
    pub(crate) store: StoreSettings,
    /// Who is told of requests.
    pub(crate) notify: Option<NotifySettings>,
}

/// `[notify]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NotifySettings {
    /// A program with its arguments.
    #[serde(default)]
    pub(crate) command: Vec<String>,
    /// Where it is posted to.
    pub(crate) url: Option<String>,
    /// How long one try may take, such as 10s.
    pub(crate) timeout: Option<String>,
}

/// `[store]`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct StoreSettings {
    /// How many checkpoints are kept beside the pinned ones: a number, or "all".
    pub(crate) keep: Option<KeepSetting>,
}

/// A number or "all".
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum KeepSetting {
    /// So many.
    Number(u64),
    /// "all".
    Word(String),
}

/// The nearest `wf.toml` from `folder` upwards, read.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn project(folder: &Path) -> Result<(Option<PathBuf>, Project), String> {
    let Some(path) = upwards(folder).map(|dir| dir.join("wf.toml")).find(|path| path.is_file()) else {
        return Ok((None, Project::default()));
    };
    let text = std::fs::read_to_string(&path).map_err(|error| format!("cannot read `{}`: {error}", path.display()))?;
    let project = toml::from_str(&text).map_err(|error| format!("`{}`: {}", path.display(), error.message()))?;
    Ok((path.parent().map(Path::to_owned), project))
}

fn upwards(folder: &Path) -> impl Iterator<Item = PathBuf> {
    let start = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
    start.ancestors().map(Path::to_owned).collect::<Vec<_>>().into_iter()
}

/// The store of a script: what was named, else `.wf/runs.db` beside the nearest `wf.toml`, else beside the script.
pub(crate) fn store_for_script(named: Option<&Path>, script: &Path) -> Result<PathBuf, String> {
    if let Some(named) = named {
        return Ok(named.to_owned());
    }
    let folder = folder_of(script);
    let (project, _) = project(&folder)?;
    Ok(project.unwrap_or(folder).join(".wf").join("runs.db"))
}

/// The folder of a script, absolute.
pub(crate) fn folder_of(script: &Path) -> PathBuf {
    let path = std::path::absolute(script).unwrap_or_else(|_| script.to_owned());
    path.parent().map_or_else(|| PathBuf::from("."), Path::to_owned)
}

/// The store without a script: what was named, else that of the nearest `wf.toml` or `.wf` from here upwards.
pub(crate) fn store_here(named: Option<&Path>) -> Option<PathBuf> {
    if let Some(named) = named {
        return Some(named.to_owned());
    }
    let here = std::env::current_dir().ok()?;
    let found = upwards(&here).find(|dir| dir.join("wf.toml").is_file() || dir.join(".wf").is_dir())?;
    Some(found.join(".wf").join("runs.db"))
}

/// Opens a store that must exist.
///
/// # Errors
/// What is wrong with it, and what to do.
pub(crate) fn open_here(named: Option<&Path>) -> Result<(std::sync::Arc<SqliteStore>, PathBuf), String> {
    let Some(path) = store_here(named) else {
        return Err("there is no store here: no `.wf` folder and no `wf.toml` from here upwards; go to the script's \
                    folder, or name the store with `--store FILE`"
            .into());
    };
    if !path.exists() {
        return Err(format!(
            "there is no store at `{}`; `wf run` makes one, and `--store FILE` names another",
            path.display()
        ));
    }
    let store = SqliteStore::open_existing(&path).map_err(|error| unusable(&path, &error))?;
    Ok((store, path))
}

/// What is wrong with the store at a path.
pub(crate) fn unusable(path: &Path, error: &StoreError) -> String {
    let (path, error) = (path.display().to_string(), error.to_string());
    // Errors of its opening name the path themselves.
    match error.split_once(&format!("`{path}`")) {
        Some((before, after)) => format!("the store `{path}`: {}{}", before, after.trim_start_matches([':', ' '])),
        None => format!("the store `{path}`: {error}"),
    }
}

/// The run that someone means: an id, an unambiguous beginning or ending of one, or `last`.
///
/// # Errors
/// When there is none, or more than one.
pub(crate) fn find_run(store: &dyn Store, meant: &str) -> Result<RunId, String> {
    let failed = |error: StoreError| error.to_string();
    if meant == "last" {
        let newest = store.runs(1).map_err(failed)?;
        return newest.into_iter().next().map(|run| run.id).ok_or_else(|| "the store has no runs yet".to_owned());
    }
    if let Ok(run) = store.run(meant) {
        return Ok(run.id);
    }
    let found = store.ids_like(meant, 4).map_err(failed)?;
    match found.as_slice() {
        [] => Err(format!("there is no run `{meant}` in this store; `wf list` shows what there is")),
        [one] => Ok(one.clone()),
        many => {
            let many: Vec<&str> = many.iter().map(|id| &**id).collect();
            Err(format!("`{meant}` may be any of {}; give more of the id", many.join(", ")))
        }
    }
}

/// The shortest unambiguous ending of a run's id, of at least six characters; a name that a person chose stays whole.
pub(crate) fn short(store: &dyn Store, id: &str) -> String {
    let named = uuid::Uuid::try_parse(id).is_err();
    for length in if named { id.len() } else { 6 }..id.len() {
        let Some(ending) = id.get(id.len() - length..) else { continue };
        match store.ids_like(ending, 2) {
            Ok(found) if found.len() == 1 => return ending.to_owned(),
            Ok(_) => {}
            Err(_) => break,
        }
    }
    id.to_owned()
}

/// ` --store FILE` when a command given here would not find the store by itself.
pub(crate) fn store_flag(path: &Path) -> String {
    let absolute = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    match store_here(None) {
        Some(found) if absolute(&found) == absolute(path) => String::new(),
        _ => format!(" --store {}", quoted(&path.display().to_string())),
    }
}

/// A word as a shell takes it.
pub(crate) fn quoted(word: &str) -> String {
    let plain = !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric() || "-_./=:@%+,".contains(c));
    if plain { word.to_owned() } else { format!("'{}'", word.replace('\'', r"'\''")) }
}

/// The folder of the nearest `wf.toml` from here upwards, else this one.
pub(crate) fn nearest_project() -> PathBuf {
    let here = std::env::current_dir().unwrap_or_else(|_| PathBuf::from("."));
    let found = upwards(&here).find(|dir| dir.join("wf.toml").is_file());
    found.unwrap_or(here)
}

/// A path as it is shown: from this folder, where it lies below it.
pub(crate) fn shown_path(path: &Path) -> PathBuf {
    let Ok(here) = std::env::current_dir() else { return path.to_owned() };
    match path.strip_prefix(&here) {
        Ok(below) if !below.as_os_str().is_empty() => below.to_owned(),
        _ => path.strip_prefix(".").map_or_else(|_| path.to_owned(), Path::to_owned),
    }
}
