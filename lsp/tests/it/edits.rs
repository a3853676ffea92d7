//! Documents that change.

use std::{sync::Arc, time::Duration};

use serde_json::{Value, json};
use wf_lang::load::{Library, Main, Texts, load_with};

use crate::client::{Client, range};

const URI: &str = "file:///a.wf";

/// Numbers that look random and are the same each time.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).expect("31 bits") % end
    }
}

/// The position of a character, counted in the plainest way.
fn position(text: &[char], at: usize, encoding: &str) -> Value {
    let before = &text[..at];
    let line = before.iter().filter(|next| **next == '\n').count();
    let column = before.iter().rev().take_while(|next| **next != '\n');
    let column: usize = match encoding {
        "utf-8" => column.map(|next| next.len_utf8()).sum(),
        "utf-16" => column.map(|next| next.len_utf16()).sum(),
        _ => column.count(),
    };
    json!({ "line": line, "character": column })
}

/// A server whose checks take longer or shorter.
async fn unsteady(encoding: &str) -> Client {
    let library = Library::new(wf_stdlib::MODULES.iter().copied());
    let check = Arc::new(move |main: Main<'_>, texts: &dyn Texts| {
        std::thread::sleep(Duration::from_millis(main.text.len() as u64 % 4));
        load_with(&library, main, texts)
    });
    let mut client = Client::checking(check);
    client.initialize(json!({ "general": { "positionEncodings": [encoding] } })).await;
    client
}

#[tokio::test]
async fn many_edits_end_where_a_fresh_document_is() {
    for encoding in ["utf-8", "utf-16", "utf-32"] {
        let mut client = unsteady(encoding).await;
        let mut numbers = Numbers(7);
        let mut text: Vec<char> = "fn main() {\n  let größe = \"日本🎉\"\n  nowhere\n}\n".chars().collect();
        client.open(URI, 1, &text.iter().collect::<String>()).await;
        let mut version = 1;
        for _ in 0..200 {
            version += 1 + i32::try_from(numbers.below(3)).expect("small");
            let mut changes = Vec::new();
            for _ in 0..=numbers.below(2) {
                let start = numbers.below(text.len() + 1);
                let end = start + numbers.below(4).min(text.len() - start);
                let new = ["é", "🎉", "\n", "nowhere ", "", "fn g() { 1 }\n", "\"", "}", "日"][numbers.below(9)];
                let range = json!({ "start": position(&text, start, encoding), "end": position(&text, end, encoding) });
                changes.push(json!({ "range": range, "text": new }));
                text.splice(start..end, new.chars());
            }
            client.change(URI, version, json!(changes)).await;
        }
        let mut last = 0;
        let found = loop {
            let found = client.notification().await;
            let published = found["version"].as_i64().expect("a version");
            assert!(published > last, "{published} after {last}");
            last = published;
            if published == i64::from(version) {
                break found;
            }
        };
        client.open("file:///fresh.wf", 1, &text.iter().collect::<String>()).await;
        let fresh = client.notification().await;
        assert_eq!(fresh["uri"], "file:///fresh.wf", "nothing comes after the newest version");
        assert_eq!(found["diagnostics"], fresh["diagnostics"], "{encoding}");
        assert!(fresh["diagnostics"].as_array().is_some_and(|found| !found.is_empty()));
    }
}

#[tokio::test]
async fn changes_of_one_message_follow_each_other() {
    let mut client = Client::counting("utf-16").await;
    client.open(URI, 1, "fn main() { 1 }").await;
    client.notification().await;
    let changes = json!([
        { "text": "fn main() {\n}" },
        { "range": range(1, 0, 0), "text": "  🎉" },
        { "range": range(1, 2, 4), "text": "  nowhere\n" },
    ]);
    client.change(URI, 2, changes).await;
    let found = client.notification().await;
    assert_eq!((&found["version"], &found["diagnostics"][0]["range"]), (&json!(2), &range(1, 4, 11)));
}

#[tokio::test]
async fn strange_changes_are_taken() {
    let mut client = Client::counting("utf-16").await;
    client.change("file:///unknown.wf", 3, json!([{ "text": "x" }])).await;
    client.close("file:///unknown.wf").await;
    client.open(URI, 1, "fn main() { 1 }").await;
    client.notification().await;
    let far = json!({ "line": 4_000_000_000_u32, "character": 4_000_000_000_u32 });
    let inverted = json!({ "start": far, "end": { "line": 0, "character": 12 } });
    client.change(URI, 900, json!([{ "range": inverted, "text": "nowhere }" }])).await;
    let found = client.notification().await;
    assert_eq!((&found["version"], &found["diagnostics"][0]["range"]), (&json!(900), &range(0, 12, 19)));
}
