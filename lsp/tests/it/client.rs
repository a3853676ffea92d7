//! An editor, as small as one can be.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex},
    time::Duration,
};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, DuplexStream},
    task::JoinHandle,
};
use wf_lang::load::{Texts, Unreadable};
use wf_lsp::{Check, End};

/// What nothing in these tests takes.
const LONG: Duration = Duration::from_secs(60);

/// The files that are there, by their path.
#[derive(Clone, Default)]
pub(crate) struct Disk(Arc<Mutex<BTreeMap<String, String>>>);

impl Disk {
    /// Writes a file.
    pub(crate) fn write(&self, path: &str, text: &str) {
        self.0.lock().expect("no panic meanwhile").insert(path.to_owned(), text.to_owned());
    }
}

impl Texts for Disk {
    fn read(&self, path: &str, shown: &str) -> Result<String, Unreadable> {
        let found = self.0.lock().expect("no panic meanwhile").get(path).cloned();
        found.ok_or_else(|| Unreadable::new(format!("there is no file `{shown}`")))
    }
}

/// One end of the protocol; the server runs as a task.
pub(crate) struct Client {
    writer: DuplexStream,
    reader: BufReader<DuplexStream>,
    server: JoinHandle<End>,
    last_id: i64,
    notifications: VecDeque<Value>,
}

impl Client {
    /// A server to which nothing was said.
    pub(crate) fn silent() -> Self {
        Self::beside(Disk::default())
    }

    /// The same beside files.
    pub(crate) fn beside(disk: Disk) -> Self {
        Self::before(|input, output| tokio::spawn(wf_lsp::serve(input, output, Arc::new(disk))))
    }

    /// The same with another way to check.
    pub(crate) fn checking(check: Check) -> Self {
        let disk = Arc::new(Disk::default());
        Self::before(|input, output| tokio::spawn(wf_lsp::serve_with(input, output, disk, check)))
    }

    fn before(serve: impl FnOnce(DuplexStream, DuplexStream) -> JoinHandle<End>) -> Self {
        let (writer, input) = tokio::io::duplex(1 << 16);
        let (output, reader) = tokio::io::duplex(1 << 16);
        let server = serve(input, output);
        Self { writer, reader: BufReader::new(reader), server, last_id: 0, notifications: VecDeque::new() }
    }

    /// A server that was initialized by an editor of these capabilities, with what it answered.
    pub(crate) async fn with(capabilities: Value) -> (Self, Value) {
        let mut client = Self::silent();
        let answer = client.initialize(capabilities).await;
        (client, answer)
    }

    /// A server that was initialized by an editor that counts in one encoding.
    pub(crate) async fn counting(encoding: &str) -> Self {
        Self::with(json!({ "general": { "positionEncodings": [encoding] } })).await.0
    }

    pub(crate) async fn initialize(&mut self, capabilities: Value) -> Value {
        let answer =
            self.ask("initialize", json!({ "processId": null, "rootUri": null, "capabilities": capabilities }));
        let answer = answer.await;
        self.tell("initialized", json!({})).await;
        answer["result"].clone()
    }

    /// Sends bytes as they are.
    pub(crate) async fn send_raw(&mut self, bytes: &[u8]) {
        self.writer.write_all(bytes).await.expect("the server listens");
    }

    /// Sends a body in its frame.
    pub(crate) async fn send(&mut self, body: &str) {
        self.send_raw(format!("Content-Length: {}\r\n\r\n{body}", body.len()).as_bytes()).await;
    }

    pub(crate) async fn tell(&mut self, method: &str, params: Value) {
        self.send(&json!({ "jsonrpc": "2.0", "method": method, "params": params }).to_string()).await;
    }

    /// Asks and waits for the answer; notifications are kept for [`Client::notification`].
    pub(crate) async fn ask(&mut self, method: &str, params: Value) -> Value {
        self.last_id += 1;
        let id = self.last_id;
        let mut request = json!({ "jsonrpc": "2.0", "id": id, "method": method });
        if !params.is_null() {
            request["params"] = params;
        }
        self.send(&request.to_string()).await;
        let answer = self.answer().await;
        assert_eq!(answer["id"], id, "{answer}");
        answer
    }

    /// The next answer.
    pub(crate) async fn answer(&mut self) -> Value {
        loop {
            let message = self.message().await.expect("an answer");
            if message.get("method").is_none() {
                return message;
            }
            self.notifications.push_back(message);
        }
    }

    /// The parameters of the next notification.
    pub(crate) async fn notification(&mut self) -> Value {
        let message = match self.notifications.pop_front() {
            Some(message) => message,
            None => self.message().await.expect("a notification"),
        };
        assert_eq!(message["method"], "textDocument/publishDiagnostics", "{message}");
        message["params"].clone()
    }

    /// The next message; `None` when the server has closed its end.
    pub(crate) async fn message(&mut self) -> Option<Value> {
        tokio::time::timeout(LONG, self.read()).await.expect("a message in time")
    }

    async fn read(&mut self) -> Option<Value> {
        let mut length = None;
        loop {
            let mut line = String::new();
            if self.reader.read_line(&mut line).await.ok()? == 0 {
                return None;
            }
            if let Some(given) = line.strip_prefix("Content-Length: ") {
                length = given.trim().parse().ok();
            } else if line == "\r\n" {
                break;
            }
        }
        let mut body = vec![0; length.expect("a length")];
        self.reader.read_exact(&mut body).await.ok()?;
        Some(serde_json::from_slice(&body).expect("JSON"))
    }

    pub(crate) async fn open(&mut self, uri: &str, version: i32, text: &str) {
        let document = json!({ "uri": uri, "languageId": "wf", "version": version, "text": text });
        self.tell("textDocument/didOpen", json!({ "textDocument": document })).await;
    }

    pub(crate) async fn change(&mut self, uri: &str, version: i32, changes: Value) {
        let document = json!({ "uri": uri, "version": version });
        self.tell("textDocument/didChange", json!({ "textDocument": document, "contentChanges": changes })).await;
    }

    pub(crate) async fn close(&mut self, uri: &str) {
        self.tell("textDocument/didClose", json!({ "textDocument": { "uri": uri } })).await;
    }

    /// How the server ended; the editor's end of the input stays open.
    pub(crate) async fn end(self, within: Duration) -> End {
        tokio::time::timeout(within, self.server).await.expect("it ends in time").expect("it does not panic")
    }

    /// Closes the editor's end.
    pub(crate) async fn hang_up(mut self, within: Duration) -> End {
        self.writer.shutdown().await.expect("closed");
        drop(self.writer);
        tokio::time::timeout(within, self.server).await.expect("it ends in time").expect("it does not panic")
    }
}

/// A range of one line, as the protocol writes it.
pub(crate) fn range(line: u32, start: u32, end: u32) -> Value {
    json!({ "start": { "line": line, "character": start }, "end": { "line": line, "character": end } })
}
