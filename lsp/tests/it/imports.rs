//! Documents that import others.

use serde_json::{Value, json};

use crate::client::{Client, Disk, range};

const MAIN: &str = "import { f } from \"./lib/a.wf\"\nfn main() -> string { f(1) }\n";

/// An editor beside files that has opened nothing yet.
async fn beside(disk: &Disk) -> Client {
    let mut client = Client::beside(disk.clone());
    client.initialize(json!({})).await;
    client
}

/// The end of the next notification's URI, and its messages.
async fn next(client: &mut Client) -> (String, Vec<String>) {
    let told = client.notification().await;
    let uri = told["uri"].as_str().unwrap_or_default();
    let messages = told["diagnostics"].as_array().into_iter().flatten();
    let messages = messages.map(|found| found["message"].as_str().unwrap_or_default().to_owned());
    (uri.trim_start_matches("file:///p/").to_owned(), messages.collect())
}

fn said(uri: &str, messages: &[&str]) -> (String, Vec<String>) {
    (uri.to_owned(), messages.iter().map(ToString::to_string).collect())
}

const MISMATCH: &str = "expected `string`, found `int`\nhelp: put it into text: `\"${…}\"`";

#[tokio::test]
async fn an_open_document_is_read_before_the_disk() {
    let disk = Disk::default();
    disk.write("/p/lib/a.wf", "fn f(n: int) -> string { \"x\" }\n");
    let mut client = beside(&disk).await;
    client.open("file:///p/main.wf", 1, MAIN).await;
    assert_eq!(next(&mut client).await, said("main.wf", &[]));
    client.open("file:///p/lib/a.wf", 1, "fn f(n: int) -> int { 1 }\n").await;
    let mut told = [next(&mut client).await, next(&mut client).await];
    told.sort();
    assert_eq!(told, [said("lib/a.wf", &[]), said("main.wf", &[MISMATCH])]);
    // A change checks those again who import it, and a document that is closed is read from the disk again.
    client.change("file:///p/lib/a.wf", 2, json!([{ "text": "fn f(n: int) -> string { \"y\" }\n" }])).await;
    let mut told = [next(&mut client).await, next(&mut client).await];
    told.sort();
    assert_eq!(told, [said("lib/a.wf", &[]), said("main.wf", &[])]);
    disk.write("/p/lib/a.wf", "fn f(n: int) -> int { 1 }\n");
    client.close("file:///p/lib/a.wf").await;
    let mut told = [next(&mut client).await, next(&mut client).await];
    told.sort();
    assert_eq!(told, [said("lib/a.wf", &[]), said("main.wf", &[MISMATCH])]);
}

#[tokio::test]
async fn what_is_wrong_with_a_file_that_is_not_open_is_told_of_that_file() {
    let disk = Disk::default();
    disk.write("/p/lib/a.wf", "fn f(n: int) -> string { nowhere }\n");
    disk.write("/p/other.wf", "fn g() { 1 }\n");
    let mut client = beside(&disk).await;
    client.open("file:///p/main.wf", 1, MAIN).await;
    assert_eq!(next(&mut client).await, said("main.wf", &[]));
    let told = client.notification().await;
    assert_eq!((&told["uri"], &told["version"]), (&json!("file:///p/lib/a.wf"), &Value::Null));
    assert_eq!(told["diagnostics"][0]["range"], range(0, 25, 32));
    // A second document that imports it changes nothing.
    client.open("file:///p/second.wf", 1, "import \"./lib/a.wf\" as a\nfn main() -> string { a.f(1) }\n").await;
    assert_eq!(next(&mut client).await, said("second.wf", &[]));
    assert_eq!(next(&mut client).await, said("lib/a.wf", &["there is no `nowhere` here"]));
    // One is closed, the other still imports it.
    client.close("file:///p/main.wf").await;
    assert_eq!(next(&mut client).await, said("lib/a.wf", &["there is no `nowhere` here"]));
    assert_eq!(next(&mut client).await, said("main.wf", &[]));
    client
        .change("file:///p/second.wf", 2, json!([{ "text": "import \"./other.wf\" as o\nfn f() { o.g() }\n" }]))
        .await;
    assert_eq!(next(&mut client).await, said("second.wf", &[]));
    assert_eq!(next(&mut client).await, said("lib/a.wf", &[]));
}

#[tokio::test]
async fn an_open_document_is_told_of_by_itself_only() {
    let disk = Disk::default();
    disk.write("/p/lib/a.wf", "fn f(n: int) -> string { nowhere }\n");
    let mut client = beside(&disk).await;
    client.open("file:///p/lib/a.wf", 7, "\n\nfn f(n: int) -> string { here }\n").await;
    assert_eq!(next(&mut client).await, said("lib/a.wf", &["there is no `here` here"]));
    client.open("file:///p/main.wf", 1, MAIN).await;
    assert_eq!(next(&mut client).await, said("main.wf", &[]));
    // When it is closed, what importers find in the file is told again.
    client.close("file:///p/lib/a.wf").await;
    let mut last = next(&mut client).await;
    while last != said("lib/a.wf", &["there is no `nowhere` here"]) {
        last = next(&mut client).await;
    }
}

#[tokio::test]
async fn a_file_that_comes_or_changes_on_the_disk() {
    let disk = Disk::default();
    let mut client = Client::beside(disk.clone());
    let watches = json!({ "workspace": { "didChangeWatchedFiles": { "dynamicRegistration": true } } });
    client.initialize(watches).await;
    let asked = client.message().await.expect("a request");
    assert_eq!(asked["method"], "client/registerCapability");
    assert_eq!(asked["params"]["registrations"][0]["registerOptions"]["watchers"][0]["globPattern"], "**/*.wf");
    client.send(&json!({ "jsonrpc": "2.0", "id": asked["id"], "result": null }).to_string()).await;
    client.open("file:///p/main.wf", 1, MAIN).await;
    assert_eq!(next(&mut client).await, said("main.wf", &["there is no file `lib/a.wf`"]));
    disk.write("/p/lib/a.wf", "fn f(n: int) -> string { \"x\" }\n");
    let changed =
        json!({ "changes": [{ "uri": "file:///p/lib/a.wf", "type": 1 }, { "uri": "file:///p/b.wf", "type": 2 }] });
    client.tell("workspace/didChangeWatchedFiles", changed).await;
    assert_eq!(next(&mut client).await, said("main.wf", &[]));
}

#[tokio::test]
async fn names_of_files_are_those_of_the_editor() {
    let disk = Disk::default();
    let mut client = beside(&disk).await;
    client.open("file:///p/gr%C3%B6%C3%9Fe%20a.wf", 1, "fn f(n: int) -> string { \"x\" }\n").await;
    assert_eq!(next(&mut client).await, said("gr%C3%B6%C3%9Fe%20a.wf", &[]));
    let text = "import { f } from \"./x/../größe a.wf\"\nfn main() -> int { f(1) }\n";
    client.open("file:///p/main.wf", 1, text).await;
    let told = "expected `int`, found `string`";
    assert_eq!(next(&mut client).await, said("main.wf", &[told]));
    client.open("untitled:Untitled-1", 1, "import { f } from \"./a.wf\"\n").await;
    let told = "where `a.wf` is cannot be known: this document is no file yet\nhelp: save it first";
    assert_eq!(next(&mut client).await, said("untitled:Untitled-1", &[told]));
}

#[tokio::test]
async fn a_circle_is_told_of_in_each_open_document() {
    let disk = Disk::default();
    disk.write("/p/b.wf", "import { a } from \"./a.wf\"\nfn b() -> int { a() }\n");
    let mut client = Client::beside(disk.clone());
    client.initialize(json!({ "textDocument": { "publishDiagnostics": { "relatedInformation": true } } })).await;
    client.open("file:///p/a.wf", 1, "import { b } from \"./b.wf\"\nfn a() -> int { b() }\n").await;
    let found = client.notification().await["diagnostics"][0].clone();
    assert_eq!(found["range"], range(0, 18, 26));
    let place = json!({
        "location": { "uri": "file:///p/b.wf", "range": range(0, 18, 26) },
        "message": "`b.wf` imports `a.wf`",
    });
    assert_eq!(found["relatedInformation"], json!([place]));
    client.open("file:///p/b.wf", 1, "import { a } from \"./a.wf\"\nfn b() -> int { a() }\n").await;
    let mut last = next(&mut client).await;
    while last.0 != "b.wf" {
        last = next(&mut client).await;
    }
    assert!(last.1[0].starts_with("these imports form a circle: `a.wf` → `b.wf` → `a.wf`"), "{last:?}");
}
