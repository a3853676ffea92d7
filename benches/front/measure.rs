//! The stages of reading, and what they cost.

use std::fmt;

use rustix::time::{ClockId, clock_gettime};
use wf_lang::{
    Code, Diagnostic, Source,
    check::{ModuleInput, check},
    span::SourceId,
    syntax::lex,
};

/// What each stage took, in milliseconds of processor time.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Stages {
    pub(crate) lex: f64,
    /// Reading, with the lexer.
    pub(crate) parse: f64,
    /// Checking, with what the library costs every time.
    pub(crate) check: f64,
}

impl Stages {
    /// From text to a checked program.
    pub(crate) fn all(&self) -> f64 {
        self.parse + self.check
    }
}

impl fmt::Display for Stages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:>8.2} {:>9.2} {:>8.2} {:>8.2}", self.lex, self.parse, self.check, self.all())
    }
}

/// What reads scripts: the library, read once.
pub(crate) struct Reader {
    library: Vec<ModuleInput>,
}

impl Reader {
    pub(crate) fn new() -> Self {
        let module = |(id, (name, text)): (u16, &(&str, &str))| {
            let source = Source::new(SourceId(id), format!("std/{name}"), text);
            ModuleInput::read(name, true, source).0
        };
        Self { library: (0..).zip(wf_stdlib::MODULES).map(module).collect() }
    }

    /// Reads a right program once.
    pub(crate) fn read(&self, text: &str) -> Stages {
        let (stages, diagnostics) = self.any(text);
        // What is not built yet is read and checked all the same.
        let error = diagnostics.iter().find(|diagnostic| diagnostic.is_error() && diagnostic.code != Code::NotBuilt);
        assert!(error.is_none(), "{error:?}");
        stages
    }

    /// Reads any text once; what is wrong with it is given as well.
    pub(crate) fn any(&self, text: &str) -> (Stages, Vec<Diagnostic>) {
        let id = SourceId(u16::try_from(self.library.len()).unwrap_or(u16::MAX));
        let source = Source::new(id, "bench.wf", text);
        let (lex, _) = measure(|| lex(&source));
        let (parse, (main, mut diagnostics)) = measure(|| ModuleInput::read("bench.wf", false, source));
        let modules = self.library.iter().cloned().chain([main]).collect();
        let (check, checked) = measure(|| check(modules));
        diagnostics.extend(checked.diagnostics);
        (Stages { lex, parse, check }, diagnostics)
    }

    /// The median of each stage.
    pub(crate) fn median(&self, text: &str, rounds: usize) -> Stages {
        median((0..rounds).map(|_| self.read(text)).collect())
    }
}

/// The median of each stage.
pub(crate) fn median(rounds: Vec<Stages>) -> Stages {
    let middle = |what: fn(&Stages) -> f64| {
        let mut numbers: Vec<f64> = rounds.iter().map(what).collect();
        numbers.sort_by(f64::total_cmp);
        numbers[numbers.len() / 2]
    };
    Stages { lex: middle(|s| s.lex), parse: middle(|s| s.parse), check: middle(|s| s.check) }
}

/// How steeply the second number grows with the first, on logarithms: 1 is linear, 2 quadratic.
pub(crate) fn slope(points: &[(f64, f64)]) -> f64 {
    let logs: Vec<(f64, f64)> = points.iter().map(|(x, y)| (x.ln(), y.ln())).collect();
    let count = logs.len() as f64;
    let (x, y) = (logs.iter().map(|p| p.0).sum::<f64>() / count, logs.iter().map(|p| p.1).sum::<f64>() / count);
    let along: f64 = logs.iter().map(|p| (p.0 - x) * (p.1 - y)).sum();
    along / logs.iter().map(|p| (p.0 - x).powi(2)).sum::<f64>()
}

/// The processor time of `work` on this thread, in milliseconds.
fn measure<T>(work: impl FnOnce() -> T) -> (f64, T) {
    let start = now();
    let value = work();
    (now() - start, value)
}

fn now() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as f64 * 1e3 + time.tv_nsec as f64 / 1e6
}
