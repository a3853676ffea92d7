//! Programs: JSON in, output back, no shell.

use std::{path::Path, process::Stdio, time::Duration};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWriteExt},
    process::Command,
};

use crate::{
    effect::Effect,
    fault::{Fault, Kind},
    json,
    machine::Outcome,
    ops::describe,
    value::Value,
};

/// The most that a program may write to either stream.
const MAX_OUTPUT: u64 = 16 << 20;
/// How much of the standard error an error shows.
const SHOWN_STDERR: usize = 2000;

/// `exec(argv, input, env, cwd, timeout, check)`. The key of the call stands in `WF_IDEMPOTENCY_KEY`.
pub(super) async fn exec(effect: &Effect, folder: &Path, key: &str) -> Outcome {
    let [argv, input, env, cwd, timeout, _] = effect.args.as_slice() else {
        return Err(Fault::new(Kind::Type, "`exec` takes a program with its arguments, and options"));
    };
    let argv = argv.as_list().ok_or_else(|| wrong("argv", "a list of strings", argv))?;
    let words = argv.iter().map(|word| word.as_str().ok_or_else(|| wrong("argv", "a list of strings", word)));
    let words: Vec<&str> = words.collect::<Result<_, _>>()?;
    let Some((program, args)) = words.split_first() else {
        return Err(Fault::new(Kind::Type, "`exec` needs a program to run, found an empty list"));
    };
    let failed = |error: std::io::Error| Fault::new(Kind::Exec, format!("cannot run `{program}`: {error}"));
    let mut command = Command::new(program);
    command.args(args).current_dir(folder).env("WF_IDEMPOTENCY_KEY", key);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    // A group of its own, so that a Ctrl-C meant for the run does not end it halfway.
    #[cfg(unix)]
    command.process_group(0);
    if let Some(dir) = cwd.as_str() {
        command.current_dir(folder.join(dir));
    }
    for (name, value) in env.as_map().into_iter().flat_map(|env| env.iter()) {
        command.env(name.as_str(), value.as_str().ok_or_else(|| wrong("env", "text", value))?);
    }
    let mut child = command.spawn().map_err(failed)?;
    let stdin = child.stdin.take();
    let input = match input {
        Value::Null => Vec::new(),
        Value::Str(text) => text.as_str().as_bytes().to_vec(),
        value => json::to_json(value)?.to_string().into_bytes(),
    };
    let feed = async move {
        if let Some(mut stdin) = stdin {
            // A program may end without reading all that it is given.
            let _ = stdin.write_all(&input).await;
            let _ = stdin.shutdown().await;
        }
    };
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let running = async {
        let ((), stdout, stderr) = tokio::join!(feed, read(stdout), read(stderr));
        let status = child.wait().await.map_err(failed)?;
        Ok::<_, Fault>((stdout.map_err(failed)?, stderr.map_err(failed)?, status))
    };
    let (stdout, stderr, status) = match timeout.as_duration() {
        None => running.await?,
        Some(millis) => {
            let limit = Duration::from_millis(u64::try_from(millis).unwrap_or_default());
            let late =
                || Fault::new(Kind::Timeout, format!("`{program}` did not end in {}", json::duration_text(millis)));
            tokio::time::timeout(limit, running).await.map_err(|_| late())??
        }
    };
    ended(effect, &stdout, &stderr, status.code())
}

/// What a call comes to for which any of `{ stdout, stderr, code }` came back.
pub(super) fn received(effect: &Effect, value: &Value) -> Result<Outcome, String> {
    let Some(output) = value.as_map() else {
        return Err(format!("expected any of `{{ stdout, stderr, code }}`, found {}", describe(value)));
    };
    let text = |name: &str| match output.get(name) {
        None | Some(Value::Null) => Ok(String::new()),
        Some(Value::Str(text)) => Ok(text.as_str().to_owned()),
        Some(other) => Err(format!("expected `string` at .{name}, found {}", describe(other))),
    };
    let code = match output.get("code") {
        None | Some(Value::Null) => 0,
        Some(Value::Int(code)) => i32::try_from(*code).map_err(|_| format!("expected an exit code, found {code}"))?,
        Some(other) => return Err(format!("expected `int` at .code, found {}", describe(other))),
    };
    Ok(ended(effect, &text("stdout")?, &text("stderr")?, Some(code)))
}

/// What a call comes to when its program has ended so; no code is the end by a signal.
fn ended(effect: &Effect, stdout: &str, stderr: &str, code: Option<i32>) -> Outcome {
    let [argv, _, _, _, _, check] = effect.args.as_slice() else {
        return Err(Fault::new(Kind::Type, "`exec` takes a program with its arguments, and options"));
    };
    let output = output(stdout, stderr, code.map_or(-1, i64::from))?;
    if check.as_bool() == Some(false) || code == Some(0) {
        return Ok(output);
    }
    let program = argv.as_list().and_then(|words| words.iter().next()).and_then(Value::as_str).unwrap_or_default();
    let ended = match code {
        Some(code) => format!("ended with code {code}"),
        None => "was ended by a signal".to_owned(),
    };
    let shown = stderr.trim_end();
    let from = shown.ceil_char_boundary(shown.len().saturating_sub(SHOWN_STDERR));
    let message = match &shown[from..] {
        "" => format!("`{program}` {ended}"),
        end => format!("`{program}` {ended}: {end}"),
    };
    Err(Fault::new(Kind::Exec, message).with_data(output))
}

fn output(stdout: &str, stderr: &str, code: i64) -> Outcome {
    Value::record([("stdout", Value::str(stdout)), ("stderr", Value::str(stderr)), ("code", Value::Int(code))])
}

/// All that a program writes to a stream, as text; what is no UTF-8 is replaced.
async fn read(stream: Option<impl AsyncRead + Unpin>) -> std::io::Result<String> {
    let mut bytes = Vec::new();
    if let Some(stream) = stream {
        stream.take(MAX_OUTPUT + 1).read_to_end(&mut bytes).await?;
    }
    if bytes.len() as u64 > MAX_OUTPUT {
        return Err(std::io::Error::other("it wrote more than 16 MiB"));
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn wrong(option: &str, wanted: &str, found: &Value) -> Fault {
    Fault::new(Kind::Type, format!("`{option}` of `exec` takes {wanted}, found {}", describe(found)))
}
