//! Regular expressions: those of the `regex` crate, which find a match in time that is linear in the text.
//!
//! Finding all of them is not: each may be known only after a look at all the text behind it. So that is watched.

use std::{
    cell::RefCell,
    time::{Duration, Instant},
};

use ::regex::{Captures, Regex, RegexBuilder};

use super::{
    NativeContext,
    args::{Text, misfit, text},
};
use crate::{
    fault::{Fault, Kind},
    ops::quote,
    value::{List, Map, Str, Value},
};

/// How many compiled expressions a thread keeps.
const KEPT: usize = 32;
/// Longer expressions are not kept.
const LONGEST: usize = 4096;
/// How large a compiled expression may be, in bytes, and what matching may remember beside it.
const COMPILED: usize = 4 << 20;

/// How long looking for all matches may take.
const LONG: Duration = Duration::from_secs(10);
/// How many matches are found between two looks at the clock.
const BETWEEN: usize = 64;

/// Ends a search that would keep the run from ever being stopped.
struct Watch {
    began: Instant,
    found: usize,
}

impl Watch {
    fn new() -> Self {
        Self { began: Instant::now(), found: 0 }
    }

    /// Counts a match.
    fn found(&mut self, regex: &Regex) -> Result<(), Fault> {
        self.found += 1;
        if !self.found.is_multiple_of(BETWEEN) || self.began.elapsed() < LONG {
            return Ok(());
        }
        let message = format!(
            "the expression {} looks at all the text for each match, and there are too many; make it match less",
            quote(regex.as_str())
        );
        Err(Fault::new(Kind::Limit, message))
    }
}

thread_local! {
    /// The expressions that were used last, the latest one at the end.
    static CACHE: RefCell<Vec<(Str, Regex)>> = const { RefCell::new(Vec::new()) };
}

/// The expression that a text is.
fn compiled(pattern: &Str) -> Result<Regex, Fault> {
    let kept = CACHE.with_borrow_mut(|cache| {
        let at = cache.iter().position(|(known, _)| known == pattern)?;
        let entry = cache.remove(at);
        let regex = entry.1.clone();
        cache.push(entry);
        Some(regex)
    });
    if let Some(regex) = kept {
        return Ok(regex);
    }
    let built = RegexBuilder::new(pattern).size_limit(COMPILED).dfa_size_limit(COMPILED).build();
    let regex = built.map_err(|_| bad_expression(pattern))?;
    if pattern.byte_len() <= LONGEST {
        CACHE.with_borrow_mut(|cache| {
            if cache.len() == KEPT {
                cache.remove(0);
            }
            cache.push((pattern.clone(), regex.clone()));
        });
    }
    Ok(regex)
}

/// What is wrong with an expression, and where.
fn bad_expression(pattern: &Str) -> Fault {
    let (what, at) = match regex_syntax::parse(pattern) {
        Err(regex_syntax::Error::Parse(error)) => (error.kind().to_string(), error.span().start.offset),
        Err(regex_syntax::Error::Translate(error)) => (error.kind().to_string(), error.span().start.offset),
        _ => {
            let message = format!("the expression {} takes too much memory; make its counts smaller", quote(pattern));
            return Fault::new(Kind::Limit, message);
        }
    };
    let before = pattern.get(..at).unwrap_or(pattern);
    let place = before.chars().count();
    let rest = pattern.get(at..).unwrap_or_default();
    let found = if rest.is_empty() { "its end".to_owned() } else { quote(rest) };
    misfit(format!("{} is no regular expression: {what}, at character {place}: {found}", quote(pattern)))
}

pub(super) fn matches(_: &NativeContext<'_>, args: &mut [Value]) -> Result<Value, Fault> {
    Ok(Value::Bool(compiled(text(args, 1)?)?.is_match(text(args, 0)?)))
}

pub(super) fn find_all(_: &NativeContext<'_>, args: &mut [Value]) -> Result<Value, Fault> {
    let regex = compiled(text(args, 1)?)?;
    let (mut out, mut watch) = (List::new(), Watch::new());
    for found in regex.find_iter(text(args, 0)?) {
        watch.found(&regex)?;
        out.push(Value::str(found.as_str()))?;
    }
    Ok(Value::List(out))
}

/// The groups of the first match that took part in it: by number, `"0"` for the whole, and by name.
pub(super) fn captures(_: &NativeContext<'_>, args: &mut [Value]) -> Result<Value, Fault> {
    let regex = compiled(text(args, 1)?)?;
    let Some(found) = regex.captures(text(args, 0)?) else { return Ok(Value::Null) };
    let mut groups = Map::new();
    for (number, group) in found.iter().enumerate() {
        if let Some(group) = group {
            groups.insert(number.to_string(), Value::str(group.as_str()))?;
        }
    }
    for name in regex.capture_names().flatten() {
        if let Some(group) = found.name(name) {
            groups.insert(name, Value::str(group.as_str()))?;
        }
    }
    Ok(Value::Map(groups))
}

pub(super) fn replace_re(_: &NativeContext<'_>, args: &mut [Value]) -> Result<Value, Fault> {
    let (whole, regex) = (text(args, 0)?, compiled(text(args, 1)?)?);
    let template = template(text(args, 2)?, &regex)?;
    let (mut out, mut watch) = (Text::default(), Watch::new());
    let mut done = 0;
    for found in regex.captures_iter(whole) {
        watch.found(&regex)?;
        let Some(all) = found.get(0) else { continue };
        out.push(whole.get(done..all.start()).unwrap_or_default())?;
        template.iter().try_for_each(|part| out.push(part.text(&found)))?;
        done = all.end();
    }
    out.push(whole.get(done..).unwrap_or_default())?;
    Ok(out.finish())
}

/// A part of what a match is replaced with.
enum Part<'t> {
    Text(&'t str),
    Group(usize),
}

impl<'t> Part<'t> {
    fn text<'a>(&'a self, found: &'a Captures<'t>) -> &'a str {
        match self {
            Part::Text(text) => text,
            Part::Group(number) => found.get(*number).map_or("", |group| group.as_str()),
        }
    }
}

/// Reads `$1`, `${name}`, `${1}`, and `$$` for a dollar. A number that no group has is text, as in other languages; a
/// name that none has is an error.
fn template<'t>(text: &'t str, regex: &Regex) -> Result<Vec<Part<'t>>, Fault> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('$') {
        parts.push(Part::Text(before));
        let (part, behind) = if let Some(behind) = after.strip_prefix('$') {
            (Part::Text("$"), behind)
        } else if let Some((name, behind)) = after.strip_prefix('{').and_then(|after| after.split_once('}')) {
            (Part::Group(named(name, regex)?), behind)
        } else if let Some((number, behind)) = numbered(after, regex) {
            (Part::Group(number), behind)
        } else {
            (Part::Text("$"), after)
        };
        parts.push(part);
        rest = behind;
    }
    parts.push(Part::Text(rest));
    Ok(parts)
}

fn named(name: &str, regex: &Regex) -> Result<usize, Fault> {
    let by_number = name.parse().ok().filter(|number| *number < regex.captures_len());
    by_number.or_else(|| regex.capture_names().position(|known| known == Some(name))).ok_or_else(|| {
        let known: Vec<&str> = regex.capture_names().flatten().collect();
        let groups = match known.as_slice() {
            [] => format!("its groups have no names, and numbers up to {}", regex.captures_len() - 1),
            known => format!("it has `{}`", known.join("`, `")),
        };
        misfit(format!("the expression {} has no group `{name}`; {groups}", quote(regex.as_str())))
    })
}

/// The longest number of a group that a text begins with, and what follows it.
fn numbered<'t>(text: &'t str, regex: &Regex) -> Option<(usize, &'t str)> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count().min(4);
    (1..=digits).rev().find_map(|len| {
        let (number, behind) = text.split_at_checked(len)?;
        let number = number.parse().ok().filter(|number| *number < regex.captures_len())?;
        Some((number, behind))
    })
}
