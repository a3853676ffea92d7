//! What a file may be: ours and whole, ours and torn, another's, none.

use std::{fs, path::Path};

use wf_runtime::store::{SqliteStore, Store, StoreError};

use super::*;

/// A store with something in every table; gives its bytes.
fn written(folder: &Path) -> Vec<u8> {
    let store = sqlite(folder);
    for name in ["a", "b"] {
        let (run, epoch) = begin(&*store, name);
        for n in 1..=6 {
            let mut next = delta(n);
            next.fibers = vec![fiber(0, -1, "head"), fiber(0, 0, &"frame ".repeat(100))];
            next.chunks = vec![(n, vec![7; 300])];
            next.dead = vec![n - 1];
            next.events = events(n, 1);
            next.opened = vec![request(&format!("q{n}"), 5)];
            next.result = Some("{}".into());
            commit(&*store, &run, epoch, next).unwrap();
        }
    }
    drop(store);
    fs::read(folder.join("wf.db")).unwrap()
}

/// Asks everything there is to ask. The answers may be anything; that they come is the test.
fn ask_everything(store: &dyn Store) -> Result<(), StoreError> {
    let runs = store.runs(10)?;
    store.ids_like("a", 10)?;
    store.requests(None)?;
    store.code(&[7; 32])?;
    for run in runs {
        store.events(&run.id, 0)?;
        store.kept(&run.id)?;
        for n in store.checkpoints(&run.id)? {
            store.load(&run.id, Some(n), &mut |_, chunks| (0..8).try_for_each(|id| chunks.chunk(id).map(drop)))?;
        }
    }
    Ok(())
}

fn write_something(store: &dyn Store) -> Result<(), StoreError> {
    let run = id("a");
    let epoch = store.acquire(&run, elsewhere(1), true, 0)?;
    let mut next = delta(store.run(&run)?.last_checkpoint + 1);
    next.reset = true;
    next.floor = next.n;
    next.fibers = vec![fiber(0, 0, "main")];
    commit(store, &run, epoch, next)?;
    store.answer(&run, "q1", "1", 0).map(drop)
}

/// Opens `bytes` as a store; any error must say something.
fn open_bytes(folder: &Path, bytes: &[u8]) -> Result<Arc<SqliteStore>, StoreError> {
    let path = folder.join("copy.db");
    for end in ["-wal", "-shm"] {
        let _ = fs::remove_file(folder.join(format!("copy.db{end}")));
    }
    fs::write(&path, bytes).unwrap();
    let opened = SqliteStore::open(&path);
    if let Err(error) = &opened {
        assert!(error.to_string().len() > 20, "{error}");
    }
    opened
}

#[test]
fn a_store_opens_again() {
    let folder = tempfile::tempdir().unwrap();
    written(folder.path());
    let store = SqliteStore::open_existing(&folder.path().join("wf.db")).unwrap();
    assert_eq!(store.runs(9).unwrap().len(), 2);
    assert_eq!(at(&*store, &id("a"), 6).text()[0], "0.-1 head");
    assert_eq!(store.events(&id("b"), 0).unwrap().len(), 6);
    assert_eq!(store.requests(None).unwrap().len(), 12);
    ask_everything(&*store).unwrap();
    write_something(&*store).unwrap();
}

#[test]
fn a_folder_is_made_and_none_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("deep/er/wf.db");
    let missing = SqliteStore::open_existing(&path).unwrap_err();
    assert!(missing.to_string().contains("there is no store at"), "{missing}");
    assert!(!path.exists());
    SqliteStore::open(&path).unwrap();
    SqliteStore::open_existing(&path).unwrap();
    let is_folder = SqliteStore::open(folder.path()).unwrap_err();
    assert!(is_folder.to_string().contains("is a folder"), "{is_folder}");
    let under_file = SqliteStore::open(&path.join("below.db")).unwrap_err();
    assert!(matches!(under_file, StoreError::Unusable(_)), "{under_file}");
}

#[test]
fn odd_paths_are_paths() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["file:x?mode=memory", "a b%20c", ":memory:", "é#1.db"] {
        let path = folder.path().join(name);
        begin(&*SqliteStore::open(&path).unwrap(), "a");
        assert!(path.is_file(), "{name}");
        assert_eq!(SqliteStore::open(&path).unwrap().runs(9).unwrap().len(), 1);
    }
}

#[test]
fn an_empty_file_becomes_a_store() {
    let folder = tempfile::tempdir().unwrap();
    let store = open_bytes(folder.path(), b"").unwrap();
    begin(&*store, "a");
}

#[test]
fn foreign_files_are_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("other.db");
    rusqlite::Connection::open(&path).unwrap().execute_batch("CREATE TABLE run (id)").unwrap();
    let before = fs::read(&path).unwrap();
    let error = SqliteStore::open(&path).unwrap_err();
    assert!(matches!(&error, StoreError::Foreign(reason) if reason.contains("another program")), "{error}");
    assert_eq!(fs::read(&path).unwrap(), before);
    let text = open_bytes(folder.path(), "a text\n".repeat(99).as_bytes()).unwrap_err();
    assert!(matches!(&text, StoreError::Foreign(reason) if reason.contains("not a database")), "{text}");
    let mut dice = 1_u64;
    let mut noise = || {
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        dice.to_le_bytes()[7]
    };
    for length in [1, 15, 16, 99, 100, 512, 4096, 10_000] {
        let bytes: Vec<_> = (0..length).map(|_| noise()).collect();
        assert!(matches!(open_bytes(folder.path(), &bytes), Err(StoreError::Foreign(_))), "{length} random bytes");
    }
}

#[test]
fn a_newer_store_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("wf.db");
    written(folder.path());
    rusqlite::Connection::open(&path).unwrap().pragma_update(None, "user_version", 99).unwrap();
    assert_eq!(SqliteStore::open(&path).unwrap_err(), StoreError::Newer { found: 99, known: 2 });
    rusqlite::Connection::open(&path).unwrap().pragma_update(None, "user_version", 0).unwrap();
    assert!(matches!(SqliteStore::open(&path), Err(StoreError::Foreign(_))));
}

#[test]
fn torn_files_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let bytes = written(folder.path());
    let mut failed = 0;
    for length in (1..bytes.len()).step_by(bytes.len() / 64) {
        let result = open_bytes(folder.path(), &bytes[..length]);
        let result = result.and_then(|store| ask_everything(&*store).and_then(|()| write_something(&*store)));
        failed += u32::from(result.is_err());
    }
    assert!(failed > 60, "{failed} of 64");
}

#[test]
fn flipped_bytes_do_no_harm() {
    let folder = tempfile::tempdir().unwrap();
    let bytes = written(folder.path());
    let readable: usize = std::thread::scope(|scope| {
        let parts = [0, 64].map(|first| {
            scope.spawn({
                let bytes = &bytes;
                move || flip(bytes, first)
            })
        });
        parts.into_iter().map(|part| part.join().unwrap()).sum()
    });
    assert!(readable > 0);
    let every = bytes.iter().enumerate().map(|(index, byte)| if index % 64 == 63 { !byte } else { *byte });
    let every: Vec<_> = every.collect();
    if let Ok(store) = open_bytes(folder.path(), &every) {
        let _ = ask_everything(&*store);
        let _ = write_something(&*store);
    }
}

/// Flips each 128th byte from `first` on, one in each copy; gives how many copies could be read whole.
fn flip(bytes: &[u8], first: usize) -> usize {
    let folder = tempfile::tempdir().unwrap();
    let mut readable = 0;
    for place in (first..bytes.len()).step_by(128) {
        let mut copy = bytes.to_vec();
        copy[place] ^= 0xff;
        let Ok(store) = open_bytes(folder.path(), &copy) else { continue };
        readable += usize::from(ask_everything(&*store).is_ok());
        if place % 512 == 0 {
            let _ = write_something(&*store);
        }
    }
    readable
}

#[test]
fn tables_that_are_not_there_are_told() {
    let folder = tempfile::tempdir().unwrap();
    written(folder.path());
    let path = folder.path().join("wf.db");
    rusqlite::Connection::open(&path).unwrap().execute_batch("DROP TABLE fiber; DELETE FROM standing").unwrap();
    let store = SqliteStore::open(&path).unwrap();
    assert!(matches!(load(&*store, &id("a"), None), Err(StoreError::Damaged { .. })));
    assert!(write_something(&*store).is_err());
}

#[test]
#[cfg(unix)]
fn a_read_only_folder_is_told() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let inner = folder.path().join("locked");
    fs::create_dir(&inner).unwrap();
    written(&inner);
    fs::set_permissions(&inner, fs::Permissions::from_mode(0o555)).unwrap();
    // The administrator may write anywhere; there is nothing to see then.
    if fs::write(inner.join("probe"), "").is_err() {
        let error = SqliteStore::open(&inner.join("new.db")).unwrap_err();
        assert!(matches!(error, StoreError::Unusable(_)), "{error}");
        let error = SqliteStore::open(&inner.join("wf.db")).map(|store| begin(&*store, "new")).unwrap_err();
        assert!(matches!(error, StoreError::Unusable(_)), "{error}");
    }
    fs::set_permissions(&inner, fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn space_is_given_back() {
    let folder = tempfile::tempdir().unwrap();
    let store = sqlite(folder.path());
    let (run, epoch) = begin(&*store, "a");
    let big = (0..40).map(|id| (id, vec![1; 400_000])).collect();
    commit(&*store, &run, epoch, Delta { chunks: big, ..delta(1) }).unwrap();
    commit(&*store, &run, epoch, Delta { dead: (0..40).collect(), floor: 2, ..delta(2) }).unwrap();
    // The store looks at its free pages now and then, and gives back a part of them each time.
    for n in 3..=1_500 {
        commit(&*store, &run, epoch, Delta { floor: n, ..delta(n) }).unwrap();
    }
    drop(store);
    let size = fs::metadata(folder.path().join("wf.db")).unwrap().len();
    assert!(size < 6_000_000, "{size} of 16 million bytes are left");
}
