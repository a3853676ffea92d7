//! A run changes hands: leases, dead owners, zombies.

use wf_runtime::store::{Epoch, LEASE_MS, Owner, Store, StoreError};

use super::*;

over_both_stores! {
    a_living_owner_keeps_its_run, a_dead_owner_does_not, a_zombie_writes_nothing, a_released_run_is_free,
    a_lease_is_renewed, due_runs_are_found
}

fn due_runs_are_found(store: &dyn Store) {
    // What each run waits for, and who has it: nobody, someone whose lease has ended, someone dead, someone alive.
    let runs = [
        ("later", Some(9_000), RunStatus::Paused, None),
        ("second", Some(5_000), RunStatus::Paused, None),
        ("first", Some(3_000), RunStatus::Paused, Some((elsewhere(1), -20_000))),
        ("dead", Some(4_000), RunStatus::Running, Some((ended(), 0))),
        ("held", Some(2_000), RunStatus::Running, Some((elsewhere(1), 0))),
        ("over", Some(1_000), RunStatus::Failed, None),
        ("asks", None, RunStatus::Paused, None),
    ];
    for (name, wake_at, status, holder) in runs {
        let (run, epoch) = begin(store, name);
        commit(store, &run, epoch, Delta { wake_at, status, ..delta(1) }).unwrap();
        match holder {
            Some((owner, ago)) => drop(store.acquire(&run, owner, true, 5_000 + ago).unwrap()),
            None => store.release(&run, epoch).unwrap(),
        }
    }
    let due =
        |now, limit| store.due(now, false, limit).unwrap().iter().map(|run| run.id.to_string()).collect::<Vec<_>>();
    assert_eq!(due(5_000, 9), ["first", "dead", "second"], "held by the living: `held`");
    assert_eq!(due(5_000, 2), ["first", "dead"]);
    assert_eq!(due(2_999, 9), [""; 0]);
    assert_eq!(due(100_000, 9), ["held", "first", "dead", "second", "later"], "no lease is left");
    assert_eq!(due(100_000, 0), [""; 0]);
}

/// A process of this host that has ended.
fn ended() -> Owner {
    let current = Owner::current();
    Owner { started: current.started.wrapping_add(1), ..current }
}

fn a_living_owner_keeps_its_run(store: &dyn Store) {
    let (run, epoch) = begin(store, "a");
    let refused = store.acquire(&run, elsewhere(2), false, 4_000);
    let owned = StoreError::Owned { owner: "process 1 on elsewhere".into(), expires_in: 7_000 };
    assert_eq!(refused, Err(owned));
    commit(store, &run, epoch, delta(1)).unwrap();
    // The very same process may; so may anyone when the lease has expired, or by force.
    assert_eq!(store.acquire(&run, elsewhere(1), false, 4_000), Ok(Epoch(2)));
    assert_eq!(store.acquire(&run, elsewhere(2), false, 4_000 + LEASE_MS), Ok(Epoch(3)));
    assert_eq!(store.acquire(&run, elsewhere(3), true, 4_000 + LEASE_MS), Ok(Epoch(4)));
    let record = store.run(&run).unwrap();
    assert_eq!((record.owner, record.lease_until), (Some(elsewhere(3)), 4_000 + 2 * LEASE_MS));
}

fn a_dead_owner_does_not(store: &dyn Store) {
    let run = id("a");
    store.begin(NewRun { owner: ended(), ..new_run("a") }).unwrap();
    assert_eq!(store.acquire(&run, Owner::current(), false, 1_001), Ok(Epoch(2)));
    assert!(matches!(store.acquire(&run, elsewhere(2), false, 1_002), Err(StoreError::Owned { .. })));
}

fn a_zombie_writes_nothing(store: &dyn Store) {
    let (run, old) = begin(store, "a");
    commit(store, &run, old, delta(1)).unwrap();
    let new = store.acquire(&run, elsewhere(2), true, 2_000).unwrap();
    assert_eq!(commit(store, &run, old, delta(2)), Err(StoreError::Stale));
    commit(store, &run, new, delta(2)).unwrap();
    assert_eq!(commit(store, &run, old, delta(3)), Err(StoreError::Stale));
    commit(store, &run, new, delta(3)).unwrap();
    assert_eq!(store.renew(&run, old, 3_000), Err(StoreError::Stale));
    // It has nothing to give up, and must not give up what is another's.
    assert_eq!(store.release(&run, old), Ok(()));
    assert_eq!(store.run(&run).unwrap().owner, Some(elsewhere(2)));
    assert_eq!(store.checkpoints(&run).unwrap(), [3, 2, 1]);
}

fn a_released_run_is_free(store: &dyn Store) {
    let (run, epoch) = begin(store, "a");
    store.release(&run, epoch).unwrap();
    assert_eq!(store.run(&run).unwrap().owner, None);
    assert_eq!(store.acquire(&run, elsewhere(2), false, 1_001), Ok(Epoch(2)));
}

fn a_lease_is_renewed(store: &dyn Store) {
    let (run, epoch) = begin(store, "a");
    store.renew(&run, epoch, 9_000).unwrap();
    assert!(store.acquire(&run, elsewhere(2), false, 12_000).is_err());
    assert_eq!(store.run(&run).unwrap().lease_until, 9_000 + LEASE_MS);
}

#[test]
#[cfg(target_os = "linux")]
fn a_process_is_dead_when_it_has_ended() {
    let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", child.id())).unwrap();
    let started = stat.rsplit_once(')').unwrap().1.split_ascii_whitespace().nth(19).unwrap().parse().unwrap();
    let owner = Owner { pid: child.id(), started, ..Owner::current() };
    assert_eq!(owner.is_dead(), Some(false));
    child.kill().unwrap();
    // It is dead though its parent has not asked for its exit code yet.
    while owner.is_dead() == Some(false) {
        std::thread::yield_now();
    }
    child.wait().unwrap();
    assert_eq!(owner.is_dead(), Some(true));
    assert_eq!(Owner { host: "elsewhere".into(), ..owner }.is_dead(), None);
}
