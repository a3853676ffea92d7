//! How fast the machine is: `cargo bench --bench speed`, with `-- --quick` a short run that only shows that it still works,
//! and with names (`-- recursion sort`) only those programs.
//!
//! Each program in `programs/` is written in wf, Python and Lua: the same algorithm with the same result, as one would write
//! it there. All run as whole processes, in turns, for some rounds; what counts is the processor time, less that of a
//! program that does nothing. The machine may be busy with other things, so the figures to look at are the ratios.

use std::process::ExitCode;

mod languages;
mod measure;
mod table;

use languages::{Language, languages};
use measure::{Run, measure};

/// A program and how much it has to do: its argument, and that of a quick run.
pub(crate) struct Program {
    pub(crate) name: &'static str,
    pub(crate) size: u32,
    pub(crate) quick: u32,
}

const fn program(name: &'static str, size: u32, quick: u32) -> Program {
    Program { name, size, quick }
}

/// Each takes CPython some tenths of a second.
const PROGRAMS: [Program; 12] = [
    program("recursion", 32, 10),
    program("loops", 1_000, 20),
    program("strings", 300_000, 500),
    program("lists", 1_000_000, 500),
    program("maps", 200, 1),
    program("records", 2_000, 5),
    program("closures", 10_000, 10),
    program("sort", 100_000, 500),
    program("documents", 600, 2),
    program("mandelbrot", 350, 10),
    program("trees", 500, 1),
    program("words", 400, 1),
];

/// The program that does nothing.
const EMPTY: Program = program("empty", 1, 1);

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    let quick = args.iter().any(|arg| arg == "--quick");
    let named: Vec<&String> = args.iter().filter(|arg| !arg.starts_with("--")).collect();
    if let Some(unknown) = named.iter().find(|name| !PROGRAMS.iter().any(|program| program.name == name.as_str())) {
        println!("there is no program `{unknown}`");
        return ExitCode::FAILURE;
    }
    let chosen = |program: &&Program| named.is_empty() || named.iter().any(|name| *name == program.name);
    let programs: Vec<&Program> = PROGRAMS.iter().filter(chosen).collect();
    let rounds = if quick { 1 } else { 7 };
    let store = tempfile::tempdir().expect("a folder");
    let languages = languages(store.path());
    println!("speed{}", if quick { ", in short: the figures mean nothing" } else { "" });
    languages.iter().for_each(Language::introduce);
    match rounds_of(&languages, &programs, rounds, quick) {
        Ok(runs) => {
            table::print(&languages, &programs, &runs);
            ExitCode::SUCCESS
        }
        Err(reason) => {
            println!("{reason}");
            ExitCode::FAILURE
        }
    }
}

/// Runs every program in every language, in turns, so that what slows the machine down meanwhile slows all of them down.
fn rounds_of(languages: &[Language], programs: &[&Program], rounds: usize, quick: bool) -> Result<Vec<Run>, String> {
    let mut runs = Vec::new();
    for round in 0..rounds {
        for program in [&EMPTY].iter().chain(programs) {
            let mut outputs: Vec<(&str, String)> = Vec::new();
            for language in languages.iter().filter(|language| language.runs(program.name)) {
                let size = if quick { program.quick } else { program.size };
                let (cpu, output) = measure(language, program.name, size)?;
                runs.push(Run { round, language: language.name, program: program.name, cpu });
                outputs.push((language.name, output));
            }
            if let Some(((first, one), (other, two))) =
                outputs.first().zip(outputs.iter().find(|(_, output)| *output != outputs[0].1))
            {
                return Err(format!("{}: {first} gives {one}, {other} gives {two}", program.name));
            }
        }
    }
    Ok(runs)
}
