//! The table: seconds of each language, and how wf compares.

use crate::{
    EMPTY, Program,
    languages::Language,
    measure::{Run, Spread, geometric_mean, spread},
};

/// Less than this is too little to compare, in seconds.
const LEAST: f64 = 0.001;

/// Prints a line for each program, and the geometric means of the ratios.
pub(crate) fn print(languages: &[Language], programs: &[&Program], runs: &[Run]) {
    let others: Vec<&Language> = languages.iter().filter(|language| language.name != "wf").collect();
    println!("\nseconds on a processor, without starting and ending (median and range); wf as a part of the others'");
    print!("{:<11}", "");
    languages.iter().for_each(|language| print!(" {:>19}", language.name));
    others.iter().for_each(|other| print!(" {:>10}", format!("/ {}", other.name)));
    println!();
    let mut ratios: Vec<Vec<f64>> = vec![Vec::new(); others.len()];
    for program in programs {
        print!("{:<11}", program.name);
        for language in languages {
            match seconds(runs, language, program) {
                Some(Spread { low, middle, high }) => {
                    print!(" {:>19}", format!("{middle:.3} ({low:.3}–{high:.3})"));
                }
                None => print!(" {:>19}", "–"),
            }
        }
        for (other, all) in others.iter().zip(&mut ratios) {
            match ratio(runs, &languages[0], other, program) {
                Some(ratio) => {
                    all.push(ratio);
                    print!(" {ratio:>10.2}");
                }
                None => print!(" {:>10}", "–"),
            }
        }
        println!();
    }
    print!("{:<11}{:width$}", "geometric mean", "", width = languages.len() * 20 - 3);
    for all in &ratios {
        match geometric_mean(all) {
            Some(mean) => print!(" {mean:>10.2}"),
            None => print!(" {:>10}", "–"),
        }
    }
    println!();
    for language in languages {
        if let Some(Spread { low, middle, high }) = spread(of(runs, language, &EMPTY).map(|(_, cpu)| cpu)) {
            println!("starting and ending {:<7} {middle:.3} ({low:.3}–{high:.3})", language.name);
        }
    }
}

/// The figures of a program in a language, by round.
fn of<'r>(runs: &'r [Run], language: &Language, program: &Program) -> impl Iterator<Item = (usize, f64)> + 'r {
    let (language, program) = (language.name, program.name);
    let wanted = move |run: &&Run| run.language == language && run.program == program;
    runs.iter().filter(wanted).map(|run| (run.round, run.cpu))
}

/// What a program took, less the median of what a process takes that does nothing.
fn net<'r>(runs: &'r [Run], language: &Language, program: &Program) -> impl Iterator<Item = (usize, f64)> + 'r {
    let empty = spread(of(runs, language, &EMPTY).map(|(_, cpu)| cpu)).map_or(0.0, |empty| empty.middle);
    of(runs, language, program).map(move |(round, cpu)| (round, (cpu - empty).max(LEAST)))
}

fn seconds(runs: &[Run], language: &Language, program: &Program) -> Option<Spread> {
    spread(net(runs, language, program).map(|(_, cpu)| cpu))
}

/// The median over the rounds of one language's time as a part of another's.
fn ratio(runs: &[Run], one: &Language, other: &Language, program: &Program) -> Option<f64> {
    let pairs = net(runs, one, program).zip(net(runs, other, program));
    spread(pairs.map(|((_, one), (_, other))| one / other)).map(|ratio| ratio.middle)
}
