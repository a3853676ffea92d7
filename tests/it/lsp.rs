//! `wf lsp`.

use std::{
    io::{BufRead, BufReader, Write},
    process::{Child, Stdio},
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::wf::Folder;

fn server(folder: &Folder) -> Child {
    let mut command = folder.command(&["lsp", "--stdio"]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it runs")
}

fn send(child: &mut Child, message: &Value) {
    let body = message.to_string();
    let stdin = child.stdin.as_mut().expect("its input");
    write!(stdin, "Content-Length: {}\r\n\r\n{body}", body.len()).and_then(|()| stdin.flush()).expect("it listens");
}

fn receive(from: &mut impl BufRead) -> Value {
    let mut header = String::new();
    from.read_line(&mut header).expect("a header");
    let length = header.strip_prefix("Content-Length: ").expect("nothing else on standard output");
    from.read_line(&mut String::new()).expect("an empty line");
    let mut body = vec![0; length.trim().parse().expect("a number")];
    from.read_exact(&mut body).expect("a body");
    serde_json::from_slice(&body).expect("JSON")
}

#[test]
fn an_editor_is_served_over_standard_input_and_output() {
    let folder = Folder::with(&[]);
    let mut child = server(&folder);
    let mut output = BufReader::new(child.stdout.take().expect("its output"));
    send(&mut child, &json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": { "capabilities": {} } }));
    assert_eq!(receive(&mut output)["result"]["serverInfo"]["name"], "wf");
    send(&mut child, &json!({ "jsonrpc": "2.0", "method": "initialized", "params": {} }));
    let document = json!({ "uri": "file:///a.wf", "languageId": "wf", "version": 3, "text": "fn main() { nowhere }" });
    let params = json!({ "textDocument": document });
    send(&mut child, &json!({ "jsonrpc": "2.0", "method": "textDocument/didOpen", "params": params }));
    let found = receive(&mut output);
    assert_eq!(
        (&found["params"]["version"], &found["params"]["diagnostics"][0]["code"]),
        (&json!(3), &json!("WF0201"))
    );
    send(&mut child, &json!({ "jsonrpc": "2.0", "id": 2, "method": "shutdown" }));
    assert_eq!(receive(&mut output)["id"], 2);
    let start = Instant::now();
    send(&mut child, &json!({ "jsonrpc": "2.0", "method": "exit" }));
    // Its input stays open, as with editors that wait for the process.
    let input = child.stdin.take();
    let ended = child.wait_with_output().expect("it ends");
    assert!(start.elapsed() < Duration::from_secs(5));
    assert_eq!((ended.status.code(), String::from_utf8_lossy(&ended.stderr).as_ref()), (Some(0), ""));
    drop(input);
}

#[test]
fn imported_files_are_read_from_the_disk() {
    let folder = Folder::with(&[("größe.wf", b"fn f() -> int { nowhere }\n")]);
    let mut child = server(&folder);
    let mut output = BufReader::new(child.stdout.take().expect("its output"));
    send(&mut child, &json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": { "capabilities": {} } }));
    receive(&mut output);
    send(&mut child, &json!({ "jsonrpc": "2.0", "method": "initialized", "params": {} }));
    let text = "import { f, g } from \"./größe.wf\"\nfn main() { f() }\n";
    let uri = format!("file://{}", folder.path().join("main.wf").display());
    let document = json!({ "uri": uri, "languageId": "wf", "version": 1, "text": text });
    let params = json!({ "textDocument": document });
    send(&mut child, &json!({ "jsonrpc": "2.0", "method": "textDocument/didOpen", "params": params }));
    let own = receive(&mut output)["params"].clone();
    let said = "`größe.wf` declares no `g`\nhelp: did you mean `f`?";
    assert_eq!((&own["uri"], &own["diagnostics"][0]["message"]), (&json!(uri), &json!(said)));
    let imported = receive(&mut output)["params"].clone();
    assert!(imported["uri"].as_str().is_some_and(|uri| uri.ends_with("/gr%C3%B6%C3%9Fe.wf")), "{imported}");
    assert_eq!(imported["diagnostics"][0]["message"], "there is no `nowhere` here");
    drop(child.stdin.take());
    child.wait().expect("it ends");
}

#[test]
fn an_editor_that_is_gone_ends_it() {
    let folder = Folder::with(&[]);
    let mut child = server(&folder);
    drop(child.stdin.take());
    assert_eq!(child.wait().expect("it ends").code(), Some(1));
}
