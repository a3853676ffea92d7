//! What reading a script costs: `cargo bench --bench front`, with `-- --extremes` for texts that nobody writes, and with
//! `-- --quick` a short run of both that only shows that they still work. `-- --once 2000` reads one file of 2000 lines
//! once, for a profiler.
//!
//! The library is read once, outside. Everything is processor time of this thread, so a busy machine changes little, and
//! the median of several rounds. Two things matter: what a file of 2000 lines costs, and that a line of a file of a
//! hundred thousand costs no more than one of a small file.

use std::process::ExitCode;

mod extremes;
mod generate;
mod measure;

use measure::{Reader, Stages, slope};

/// What reading a file of 2000 lines may cost, in milliseconds.
const BAR: f64 = 15.0;
const SIZES: [usize; 7] = [1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000];

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let reader = Reader::new();
    if let [flag, lines, ..] = args.as_slice()
        && flag == "--once"
    {
        println!("{}", reader.read(&generate::program(lines.parse().unwrap_or(2_000))));
        return ExitCode::SUCCESS;
    }
    let has = |flag: &str| args.iter().any(|arg| arg == flag);
    let (quick, extremes) = (has("--quick"), has("--extremes"));
    println!("front{}", if quick { ", in short: the figures mean nothing" } else { "" });
    if quick || !extremes {
        let (sizes, rounds) = if quick { (&SIZES[..2], 1) } else { (&SIZES[..], 9) };
        programs(&reader, sizes, rounds);
    }
    if quick || extremes {
        let size = args.iter().find_map(|arg| arg.parse().ok()).unwrap_or(if quick { 1 << 12 } else { 1 << 20 });
        extremes::report(&reader, size, if quick { 1 } else { 3 });
    }
    ExitCode::SUCCESS
}

/// Programs as people write them, from small to large.
fn programs(reader: &Reader, sizes: &[usize], rounds: usize) {
    println!("\nprograms: milliseconds of processor time, median of {rounds}");
    println!(
        "{:>8} {:>8} {:>8} {:>9} {:>8} {:>8} {:>7} {:>10} {:>8}",
        "lines", "kB", "lex", "lex+parse", "check", "all", "MB/s", "lines/s", "µs/line"
    );
    println!("{:>8} {:>8} {}", 0, 0, reader.median("", rounds));
    let mut all: Vec<(f64, Stages)> = Vec::new();
    for lines in sizes {
        let text = generate::program(*lines);
        let stages = reader.median(&text, rounds);
        let (lines, bytes, seconds) = (text.lines().count() as f64, text.len() as f64, stages.all() / 1e3);
        println!(
            "{lines:>8} {:>8.0} {stages} {:>7.1} {:>10.0} {:>8.2}",
            bytes / 1e3,
            bytes / 1e6 / seconds,
            lines / seconds,
            seconds * 1e6 / lines,
        );
        all.push((lines, stages));
    }
    for (name, cost) in [("lex+parse", parse as fn(&Stages) -> f64), ("check", check), ("all", Stages::all)] {
        let points: Vec<(f64, f64)> = all.iter().map(|(lines, stages)| (*lines, cost(stages))).collect();
        let (small, large) = (points[0], points[points.len() - 1]);
        println!(
            "{name:>9}: slope {:.3} on logarithms; a line of the largest costs {:.2} times one of the smallest",
            slope(&points),
            large.1 / large.0 / (small.1 / small.0),
        );
    }
    if let Some((lines, stages)) = all.iter().find(|(lines, _)| *lines >= 2_000.0) {
        let ended = if stages.all() <= BAR { "kept" } else { "missed" };
        println!("{lines} lines take {:.2} ms: the bar of {BAR} ms is {ended}", stages.all());
    }
}

fn parse(stages: &Stages) -> f64 {
    stages.parse
}

fn check(stages: &Stages) -> f64 {
    stages.check
}
