//! The next moment of a day, and moments as text, where clocks change.

use wf_lang::program::Program;
use wf_runtime::{
    Value,
    json::{parse_time, time_text},
    native::{NativeContext, native},
};

use crate::random::Random;

fn call<const N: usize>(name: &str, mut args: [Value; N]) -> Value {
    let context = NativeContext { program: &Program::default() };
    native(name).expect("there is such a native")(&context, &mut args).unwrap_or_else(|fault| panic!("{name}: {fault}"))
}

/// The next moment after `now` at which the clocks of a zone show `at`.
fn next(now: &str, at: &str, zone: &str) -> String {
    let now = Value::Time(parse_time(now).expect("a time"));
    time_text(call("time._next", [now, Value::str(at), Value::str(zone)]).as_time().expect("a time"))
}

fn shown(millis: i64, pattern: &str, zone: &str) -> String {
    let text = call("time.format", [Value::Time(millis), Value::str(pattern), Value::str(zone)]);
    text.as_str().expect("text").to_owned()
}

#[test]
fn clocks_that_are_put_forward() {
    // 2030-03-31 in Berlin: 02:00 becomes 03:00, at 01:00 UTC.
    let berlin = |now| next(now, "02:30", "Europe/Berlin");
    assert_eq!(berlin("2030-03-30T12:00:00Z"), "2030-03-31T01:30:00Z");
    assert_eq!(shown(parse_time(&berlin("2030-03-30T12:00:00Z")).unwrap(), "%H:%M %Z", "Europe/Berlin"), "03:30 CEST");
    assert_eq!(berlin("2030-03-31T01:30:00Z"), "2030-04-01T00:30:00Z");
    assert_eq!(next("2030-03-31T00:59:59Z", "03:00", "Europe/Berlin"), "2030-03-31T01:00:00Z");
}

#[test]
fn clocks_that_are_put_back() {
    // 2030-10-27 in Berlin: 03:00 becomes 02:00, at 01:00 UTC, so 02:30 comes twice; the first time counts.
    let berlin = |now| next(now, "02:30", "Europe/Berlin");
    assert_eq!(berlin("2030-10-26T12:00:00Z"), "2030-10-27T00:30:00Z");
    assert_eq!(berlin("2030-10-27T00:30:00Z"), "2030-10-28T01:30:00Z");
    assert_eq!(berlin("2030-10-27T01:00:00Z"), "2030-10-28T01:30:00Z");
}

#[test]
fn days_that_there_are_not() {
    // Samoa went over the date line: its 2011-12-30 never was.
    assert_eq!(next("2011-12-30T09:59:00Z", "12:00", "Pacific/Apia"), "2011-12-30T22:00:00Z");
    // Clocks of Lord Howe change by half an hour; 02:15 of 2030-10-06 is not on them.
    assert_eq!(next("2030-10-05T15:00:00Z", "02:15", "Australia/Lord_Howe"), "2030-10-05T15:45:00Z");
}

#[test]
fn the_next_moment_is_the_next_one() {
    let zones =
        ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe", "Pacific/Chatham"];
    let mut random = Random(1);
    for _ in 0..3000 {
        let zone = zones[random.below(zones.len())];
        let (hour, minute) = (random.below(24), random.below(60));
        let at = format!("{hour:02}:{minute:02}");
        let now = 1_800_000_000_000 + (random.next() >> 26) as i64;
        let found = call("time._next", [Value::Time(now), Value::str(at.as_str()), Value::str(zone)]);
        let found = found.as_time().expect("a time");
        // No day has more than 25 hours, and no moment is put off by more than one.
        assert!(found > now && found - now <= 26 * 3_600_000, "{at} {zone} after {now}: {found}");
        let clock = shown(found, "%H:%M", zone);
        let hour_later = format!("{:02}:{minute:02}", (hour + 1) % 24);
        assert!(clock == at || clock == hour_later || zone == "Australia/Lord_Howe", "{clock} for {at} in {zone}");
        assert_eq!(shown(found, "%S%3f", zone), "00000");
    }
}
