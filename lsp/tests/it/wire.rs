//! The protocol itself: what is not understood, and how it ends.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use wf_lsp::End;

use crate::client::Client;

const SECOND: Duration = Duration::from_secs(1);

async fn works(client: &mut Client) {
    client.open("file:///works.wf", 1, "fn main() { nowhere }").await;
    assert_eq!(client.notification().await["diagnostics"].as_array().map(Vec::len), Some(1));
    client.close("file:///works.wf").await;
    assert_eq!(client.notification().await["diagnostics"], json!([]));
}

#[tokio::test]
async fn what_is_not_understood_is_answered_and_survived() {
    let mut client = Client::counting("utf-8").await;
    for (body, code) in [("{", -32700), ("nonsense", -32700), ("[1, 2]", -32600), ("{}", -32600), ("\"\"", -32600)] {
        client.send(body).await;
        let answer = client.answer().await;
        assert_eq!((&answer["id"], &answer["error"]["code"]), (&Value::Null, &json!(code)), "{body}");
    }
    assert_eq!(client.ask("wf/unknown", json!({})).await["error"]["code"], -32601);
    assert_eq!(client.ask("textDocument/hover", json!({ "nothing": 1 })).await["error"]["code"], -32602);
    client.tell("wf/unknown", json!({})).await;
    client.tell("textDocument/didOpen", json!({ "textDocument": 1 })).await;
    client.tell("$/setTrace", json!({ "value": "off" })).await;
    client.tell("textDocument/didSave", json!({ "textDocument": { "uri": "file:///a.wf" } })).await;
    client.send_raw(b"X-Noise: 1\r\n\r\nContent-Length: 4\r\n\r\n\xff\xfe\xfd\xfc").await;
    assert_eq!(client.answer().await["error"]["code"], -32700);
    works(&mut client).await;
}

#[tokio::test]
async fn questions_before_the_start_are_refused() {
    let mut client = Client::silent();
    assert_eq!(client.ask("textDocument/hover", json!({})).await["error"]["code"], -32002);
    client.initialize(json!({})).await;
    works(&mut client).await;
}

#[tokio::test]
async fn an_editor_need_not_wait_for_answers() {
    let mut client = Client::silent();
    let initialize = json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": { "capabilities": {} } });
    client.send(&initialize.to_string()).await;
    client.tell("initialized", json!({})).await;
    client.open("file:///a.wf", 1, "fn main() { nowhere }").await;
    assert_eq!(client.answer().await["id"], 1);
    assert_eq!(client.notification().await["version"], 1);
}

#[tokio::test]
async fn shutdown_and_exit_end_it_at_once() {
    let mut client = Client::counting("utf-8").await;
    client.open("file:///a.wf", 1, "fn main() { nowhere }").await;
    assert_eq!(client.ask("shutdown", Value::Null).await["result"], Value::Null);
    let start = Instant::now();
    client.tell("exit", Value::Null).await;
    assert_eq!(client.end(SECOND).await, End::Orderly);
    assert!(start.elapsed() < SECOND);
}

#[tokio::test]
async fn exit_right_after_shutdown_loses_no_answer() {
    let mut client = Client::counting("utf-8").await;
    client.send(&json!({ "jsonrpc": "2.0", "id": 7, "method": "shutdown" }).to_string()).await;
    client.tell("exit", Value::Null).await;
    let answer = client.answer().await;
    assert_eq!((&answer["id"], answer.get("error")), (&json!(7), None), "{answer}");
    assert!(client.message().await.is_none());
    assert_eq!(client.end(SECOND).await, End::Orderly);
}

#[tokio::test]
async fn an_editor_that_is_gone_ends_it() {
    let mut client = Client::counting("utf-8").await;
    client.tell("exit", Value::Null).await;
    assert_eq!(client.end(SECOND).await, End::Abrupt);
    let client = Client::counting("utf-8").await;
    assert_eq!(client.hang_up(SECOND).await, End::Abrupt);
    assert_eq!(Client::silent().hang_up(SECOND).await, End::Abrupt);
}

#[tokio::test]
async fn an_editor_that_does_not_read_does_not_hold_it() {
    let mut client = Client::counting("utf-8").await;
    let text = "fn main() { nowhere }\n".repeat(2000);
    for version in 0..20 {
        client.open(&format!("file:///{version}.wf"), version, &text).await;
    }
    client.tell("exit", Value::Null).await;
    assert_eq!(client.end(10 * SECOND).await, End::Abrupt);
}
