//! Processor time of processes, and what to make of many figures.

use std::process::{Command, Stdio};

use crate::languages::Language;

/// One run of a program.
pub(crate) struct Run {
    pub(crate) round: usize,
    pub(crate) language: &'static str,
    pub(crate) program: &'static str,
    /// Seconds on a processor, user and system, of all its threads.
    pub(crate) cpu: f64,
}

/// Runs a program; gives its processor time in seconds, and what it printed.
///
/// It is started by bash, whose `time` knows the time of its children by the millisecond.
pub(crate) fn measure(language: &Language, program: &str, size: u32) -> Result<(f64, String), String> {
    let output = Command::new("bash")
        .args(["-c", "TIMEFORMAT='%3U %3S'; time \"$@\" 2>/dev/null", "bash"])
        .args(language.command(program, size))
        .env("WF_STORE", &language.store)
        .env("LC_ALL", "C")
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("bash, which measures, does not run: {error}"))?;
    if !output.status.success() {
        return Err(format!("{program} in {} ended with {}", language.name, output.status));
    }
    let times = String::from_utf8_lossy(&output.stderr).into_owned();
    let cpu = times.split_ascii_whitespace().filter_map(|time| time.parse::<f64>().ok()).sum();
    Ok((cpu, String::from_utf8_lossy(&output.stdout).trim_end().to_owned()))
}

/// The middle of some numbers, with the lowest and the highest.
#[derive(Clone, Copy)]
pub(crate) struct Spread {
    pub(crate) low: f64,
    pub(crate) middle: f64,
    pub(crate) high: f64,
}

/// The spread of some numbers; `None` of none.
pub(crate) fn spread(numbers: impl IntoIterator<Item = f64>) -> Option<Spread> {
    let mut numbers: Vec<f64> = numbers.into_iter().collect();
    numbers.sort_by(f64::total_cmp);
    Some(Spread { low: *numbers.first()?, middle: *numbers.get(numbers.len() / 2)?, high: *numbers.last()? })
}

/// The geometric mean of some numbers; `None` of none.
pub(crate) fn geometric_mean(numbers: &[f64]) -> Option<f64> {
    let sum: f64 = numbers.iter().map(|number| number.ln()).sum();
    (!numbers.is_empty()).then(|| (sum / numbers.len() as f64).exp())
}
