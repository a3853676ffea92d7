//! Moments and durations. The zones are those that come with the engine, so a run means the same everywhere.

use std::sync::LazyLock;

use jiff::{
    Timestamp, Zoned,
    civil::Time,
    fmt::strtime,
    tz::{TimeZone, TimeZoneDatabase},
};

use super::{
    NativeContext,
    args::{arg, misfit, out_of_range, sized, text, wrong},
};
use crate::{fault::Fault, json, ops::quote, value::Value};

static ZONES: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

fn millis_of(args: &[Value]) -> Result<i64, Fault> {
    arg(args, 0).as_duration().ok_or_else(|| wrong("a duration", arg(args, 0)))
}

pub(super) fn seconds(_: &NativeContext<'_>, args: &mut [Value]) -> Result<Value, Fault> {
    Ok(Value::Float(millis_of(args)? as f64 / 1000.0))
}

pub(super) fn millis(_: &NativeContext<'_>, args: &mut [Value]) -> Result<Value, Fault> {
    millis_of(args).map(Value::Int)
}

pub(super) fn parse(_: &NativeContext<'_>, args: &mut [Value]) -> Result<Value, Fault> {
    let text = text(args, 0)?;
    json::parse_time(text).map(Value::Time).ok_or_else(|| {
        misfit(format!("{} is no time; write it like `2030-01-07T09:00:00Z`, with `Z` or an offset", quote(text)))
    })
}

/// The zone of a name; UTC when it was left out.
fn zone(args: &[Value], at: usize) -> Result<TimeZone, Fault> {
    match arg(args, at) {
        Value::Null => Ok(TimeZone::UTC),
        Value::Str(name) => ZONES.get(name).map_err(|_| {
            misfit(format!("there is no time zone {}; write one like `Europe/Berlin` or `UTC`", quote(name)))
        }),
        other => Err(wrong("the name of a time zone", other)),
    }
}

/// A moment as its zone's clocks show it.
fn moment(args: &[Value], zone: TimeZone) -> Result<Zoned, Fault> {
    let millis = arg(args, 0).as_time().ok_or_else(|| wrong("a time", arg(args, 0)))?;
    let at = Timestamp::from_millisecond(millis).map_err(|_| out_of_range("this time is out of range"))?;
    Ok(at.to_zoned(zone))
}

/// `(time, pattern, zone)`.
pub(super) fn format(_: &NativeContext<'_>, args: &mut [Value]) -> Result<Value, Fault> {
    let pattern = text(args, 1)?;
    let at = moment(args, zone(args, 2)?)?;
    let written = strtime::format(pattern.as_bytes(), &at)
        .map_err(|error| misfit(format!("{} is no pattern for a time: {error}", quote(pattern))))?;
    sized(written)
}

/// `(now, at, zone)`: the next moment at which the zone's clocks show `at`.
pub(super) fn next(_: &NativeContext<'_>, args: &mut [Value]) -> Result<Value, Fault> {
    let zone = zone(args, 2)?;
    let wanted = text(args, 1)?;
    let clock = clock(wanted)
        .ok_or_else(|| misfit(format!("{} is no time of day; write it like `02:00` or `14:30:15`", quote(wanted))))?;
    let now = moment(args, zone.clone())?;
    let mut day = now.date();
    // Where clocks are put forward over it, the moment is as long after midnight as it would have been; where they are put
    // back, it is the first of the two. Either may have passed today.
    for _ in 0..3 {
        match zone.to_ambiguous_zoned(day.to_datetime(clock)).compatible() {
            Ok(at) if at > now => return Ok(Value::Time(at.timestamp().as_millisecond())),
            _ => {}
        }
        let Ok(tomorrow) = day.tomorrow() else { break };
        day = tomorrow;
    }
    Err(out_of_range("the next such moment is out of range"))
}

/// A time of day: hours and minutes, and seconds if there are any.
fn clock(text: &str) -> Option<Time> {
    let mut parts = text.trim().split(':').map(|part| {
        let digits = (1..=2).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
        part.parse::<i8>().ok().filter(|_| digits)
    });
    let (hour, minute) = (parts.next()??, parts.next()??);
    let second = parts.next().unwrap_or(Some(0))?;
    if parts.next().is_some() {
        return None;
    }
    Time::new(hour, minute, second, 0).ok()
}
