//! Questions on a terminal: one line for each open request, checked by the run, asked again when it does not fit.

use std::{
    collections::VecDeque,
    io::{BufRead, Write},
    sync::{Arc, Condvar, Mutex},
};

use serde_json::Value as Json;
use tokio::sync::{mpsc, oneshot};
use wf_runtime::drive::Command;

use crate::value;

/// Asks on a thread of its own, because reading a line cannot be interrupted.
pub(crate) struct Asker {
    open: Arc<(Mutex<VecDeque<Json>>, Condvar)>,
}

impl Asker {
    pub(crate) fn start(commands: mpsc::UnboundedSender<Command>) -> Self {
        let open = Arc::new((Mutex::new(VecDeque::new()), Condvar::new()));
        let shared = Arc::clone(&open);
        std::thread::spawn(move || ask(&shared, &commands));
        Self { open }
    }

    /// A request was opened, or is no longer open.
    pub(crate) fn event(&self, event: &Json) {
        let (queue, changed) = &*self.open;
        let Ok(mut queue) = queue.lock() else { return };
        queue.retain(|request| request["id"] != event["id"]);
        if event["type"] == "request_info" {
            queue.push_back(event.clone());
        }
        changed.notify_one();
    }
}

fn ask(open: &(Mutex<VecDeque<Json>>, Condvar), commands: &mpsc::UnboundedSender<Command>) {
    let (queue, changed) = open;
    let mut shown = Json::Null;
    loop {
        let Ok(mut waiting) = queue.lock() else { return };
        let request = loop {
            match waiting.front() {
                Some(request) => break request.clone(),
                None => match changed.wait(waiting) {
                    Ok(again) => waiting = again,
                    Err(_) => return,
                },
            }
        };
        drop(waiting);
        let mut terminal = anstream::stderr();
        if shown != request["id"] {
            shown = request["id"].clone();
            let _ = writeln!(terminal, "\n? {}", value::question(&request));
        }
        let _ = write!(terminal, "  {} > ", value::hint(&request["schema"]));
        let _ = terminal.flush();
        let mut line = String::new();
        if !matches!(std::io::stdin().lock().read_line(&mut line), Ok(1..)) {
            // The end of the input: the question stays open, and the run pauses.
            let _ = writeln!(terminal);
            let _ = commands.send(Command::Pause);
            return;
        }
        let refused = match value::read(line.trim(), &request["schema"]) {
            Ok(value) => give(commands, &request, value),
            Err(reason) => Some(reason),
        };
        match refused {
            None => {
                if let Ok(mut waiting) = queue.lock() {
                    waiting.retain(|open| open["id"] != request["id"]);
                }
            }
            Some(reason) => {
                let _ = writeln!(terminal, "  that does not fit: {reason}");
            }
        }
    }
}

/// Gives an answer to the run; what it says when it refuses.
fn give(commands: &mpsc::UnboundedSender<Command>, request: &Json, value: Json) -> Option<String> {
    let (reply, received) = oneshot::channel();
    let request = request["id"].as_str().unwrap_or_default().to_owned();
    if commands.send(Command::Answer { request, value, reply }).is_err() {
        return None;
    }
    received.blocking_recv().ok()?.err()
}
