//! What an editor is told of a document.

use std::sync::Arc;

use serde_json::{Value, json};
use wf_lang::load::{Library, Main, Texts, load_with};

use crate::client::{Client, range};

const TEXT: &str = "fn main() {\r\n  let größe = \"日本🎉\"; nowhere\r\n}\r\n";

#[tokio::test]
async fn ranges_are_exact_in_every_encoding() {
    for (encoding, start) in [("utf-8", 30), ("utf-16", 22), ("utf-32", 21)] {
        let mut client = Client::counting(encoding).await;
        client.open("file:///a.wf", 4, TEXT).await;
        let found = client.notification().await;
        let expected = json!({
            "uri": "file:///a.wf",
            "version": 4,
            "diagnostics": [{
                "range": range(1, start, start + 7),
                "severity": 1,
                "code": "WF0201",
                "source": "wf",
                "message": "there is no `nowhere` here",
            }],
        });
        assert_eq!(found, expected, "{encoding}");
    }
}

#[tokio::test]
async fn the_encoding_is_agreed_on() {
    let offers = [
        (json!(["utf-16", "utf-8"]), "utf-8"),
        (json!(["utf-32", "utf-16"]), "utf-16"),
        (json!(["utf-32"]), "utf-32"),
        (json!(["utf-7"]), "utf-16"),
        (Value::Null, "utf-16"),
    ];
    for (offer, chosen) in offers {
        let (_client, answer) = Client::with(json!({ "general": { "positionEncodings": offer } })).await;
        assert_eq!(answer["capabilities"]["positionEncoding"], chosen);
        assert_eq!(answer["capabilities"]["textDocumentSync"], json!({ "openClose": true, "change": 2 }));
    }
}

#[tokio::test]
async fn a_mark_at_the_start_is_counted() {
    let mut client = Client::counting("utf-8").await;
    client.open("file:///a.wf", 1, "\u{feff}fn main() { nowhere }").await;
    assert_eq!(client.notification().await["diagnostics"][0]["range"], range(0, 15, 22));
}

#[tokio::test]
async fn further_places_are_related_or_told() {
    let text = "fn f() { 1 }\nfn f() { 2 }\n";
    let related = json!({ "textDocument": { "publishDiagnostics": { "relatedInformation": true } } });
    let (mut client, _) = Client::with(related).await;
    client.open("untitled:Untitled-1", 1, text).await;
    let found = client.notification().await["diagnostics"][0].clone();
    let place = json!({
        "location": { "uri": "untitled:Untitled-1", "range": range(0, 3, 4) },
        "message": "declared here",
    });
    assert_eq!(found["relatedInformation"], json!([place]));
    assert_eq!(found["message"], "`f` is declared twice\nhelp: give one of them another name");

    let mut client = Client::counting("utf-16").await;
    client.open("untitled:Untitled-1", 1, text).await;
    let found = client.notification().await["diagnostics"][0].clone();
    let told = "`f` is declared twice\nline 1: declared here\nhelp: give one of them another name";
    assert_eq!((&found["message"], &found["relatedInformation"]), (&json!(told), &Value::Null));
}

#[tokio::test]
async fn a_closed_document_has_no_diagnostics() {
    let mut client = Client::counting("utf-16").await;
    client.open("file:///a.wf", 9, TEXT).await;
    assert_eq!(client.notification().await["diagnostics"].as_array().map(Vec::len), Some(1));
    client.close("file:///a.wf").await;
    assert_eq!(client.notification().await, json!({ "uri": "file:///a.wf", "diagnostics": [] }));
    client.open("file:///a.wf", 1, TEXT).await;
    assert_eq!(client.notification().await["version"], 1);
}

#[tokio::test]
async fn closing_and_opening_at_once_ends_with_the_newest() {
    let mut client = Client::counting("utf-16").await;
    for version in 1..=20 {
        client.open("file:///a.wf", version, TEXT).await;
        client.close("file:///a.wf").await;
    }
    client.open("file:///a.wf", 21, "fn main() { 1 }").await;
    let mut last = client.notification().await;
    while last["version"] != 21 {
        last = client.notification().await;
    }
    assert_eq!(last["diagnostics"], json!([]));
}

#[tokio::test]
async fn a_check_that_panics_is_survived() {
    let library = Library::default();
    let check = Arc::new(move |main: Main<'_>, texts: &dyn Texts| {
        assert!(!main.text.contains("boom"), "as the text asks");
        load_with(&library, main, texts)
    });
    let mut client = Client::checking(check);
    client.initialize(json!({})).await;
    client.open("file:///a.wf", 1, "boom").await;
    let found = client.notification().await;
    assert!(found["diagnostics"][0]["message"].as_str().is_some_and(|message| message.contains("mistake in wf")));
    client.change("file:///a.wf", 2, json!([{ "text": "fn main() { 1 }" }])).await;
    assert_eq!(client.notification().await, json!({ "uri": "file:///a.wf", "version": 2, "diagnostics": [] }));
}
