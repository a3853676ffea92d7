//! Every store passes one suite; each test gets a fresh store of either kind.

use std::{collections::BTreeMap, sync::Arc};

use wf_runtime::store::{
    Delta, Epoch, EventBatch, FiberRow, MemoryStore, NewRun, Owner, RequestRow, RunId, RunStatus, SqliteStore, Store,
    StoreError,
};

mod files;
mod group;
mod hands;
mod history;
mod model;
mod remove;
mod requests;
mod rows;

/// Runs each test over both stores.
macro_rules! over_both_stores {
    ($($test:ident),+ $(,)?) => {
        mod memory {
            $(#[test] fn $test() { super::$test(&*crate::store::MemoryStore::new()); })+
        }
        mod sqlite {
            $(#[test] fn $test() {
                let folder = tempfile::tempdir().unwrap();
                super::$test(&*crate::store::sqlite(folder.path()));
            })+
        }
    };
}
pub(crate) use over_both_stores;

fn sqlite(folder: &std::path::Path) -> Arc<SqliteStore> {
    SqliteStore::open(&folder.join("wf.db")).unwrap()
}

fn id(name: &str) -> RunId {
    name.into()
}

/// An owner of which nobody here can tell whether it is alive.
fn elsewhere(pid: u32) -> Owner {
    Owner { host: "elsewhere".into(), pid, started: 1 }
}

fn new_run(name: &str) -> NewRun {
    NewRun {
        id: id(name),
        workflow: "greet".into(),
        script: "greet.wf".into(),
        code_hash: [7; 32],
        code: b"code".as_slice().into(),
        input: r#"{"name":"Ada"}"#.into(),
        settings: "{}".into(),
        created_at: 1_000,
        owner: elsewhere(1),
    }
}

fn begin(store: &dyn Store, name: &str) -> (RunId, Epoch) {
    (id(name), store.begin(new_run(name)).unwrap())
}

/// A delta that writes nothing but its header and keeps all that was before.
fn delta(n: u64) -> Delta {
    Delta {
        n,
        time: 1_000 + i64::try_from(n).unwrap(),
        header: format!("header {n}").into_bytes(),
        pinned: false,
        pins: Vec::new(),
        fibers: Vec::new(),
        closed: Vec::new(),
        chunks: Vec::new(),
        dead: Vec::new(),
        reset: false,
        floor: 0,
        events: None,
        opened: Vec::new(),
        settled: Vec::new(),
        status: RunStatus::Running,
        wake_at: None,
        result: None,
        moved: None,
    }
}

fn fiber(fiber: u32, segment: i32, data: &str) -> FiberRow {
    FiberRow { fiber, segment, data: data.into() }
}

fn request(id: &str, asked_at: i64) -> RequestRow {
    RequestRow { id: id.into(), json: format!(r#"{{"id":"{id}"}}"#), asked_at }
}

fn events(first_seq: u64, count: u64) -> Option<EventBatch> {
    let lines = (first_seq..first_seq + count).map(|seq| format!("{{\"seq\":{seq}}}\n")).collect();
    Some(EventBatch { first_seq, count, lines })
}

fn commit(store: &dyn Store, run: &RunId, epoch: Epoch, delta: Delta) -> Result<(), StoreError> {
    wait(store.commit(run, epoch, delta))
}

fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

/// A checkpoint as it is loaded, with what it finds of the chunks below 100.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Whole {
    n: u64,
    header: Vec<u8>,
    fibers: BTreeMap<(u32, i32), Vec<u8>>,
    chunks: BTreeMap<u64, Vec<u8>>,
}

impl Whole {
    /// The fibers, as text.
    fn text(&self) -> Vec<String> {
        let text = |((fiber, segment), data): (&(u32, i32), &Vec<u8>)| {
            format!("{fiber}.{segment} {}", String::from_utf8_lossy(data))
        };
        self.fibers.iter().map(text).collect()
    }

    fn chunk_ids(&self) -> Vec<u64> {
        self.chunks.keys().copied().collect()
    }
}

fn load(store: &dyn Store, run: &RunId, at: Option<u64>) -> Result<Option<Whole>, StoreError> {
    let mut whole = None;
    let visited = store.load(run, at, &mut |saved, chunks| {
        let keys: Vec<_> = saved.fibers.iter().map(|row| (row.fiber, row.segment)).collect();
        assert!(keys.is_sorted(), "by fiber and segment");
        let mut found = BTreeMap::new();
        for id in 0..100 {
            if let Some(data) = chunks.chunk(id)? {
                found.insert(id, data);
            }
        }
        let fibers = saved.fibers.iter().map(|row| ((row.fiber, row.segment), row.data.clone())).collect();
        whole = Some(Whole { n: saved.n, header: saved.header.clone(), fibers, chunks: found });
        Ok(())
    })?;
    assert_eq!(visited, whole.is_some());
    Ok(whole)
}

fn at(store: &dyn Store, run: &RunId, n: u64) -> Whole {
    load(store, run, Some(n)).unwrap().unwrap()
}
