//! `wf test`: the tests of scripts, each a run in memory, several at a time, told in order.

use std::{
    io,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
        mpsc,
    },
    time::{Duration, SystemTime},
};

use wf_lang::load::Loaded;
use wf_runtime::{
    json::parse_duration,
    machine::Image,
    testing::{self, Everywhere, Settings, Verdict},
};

use crate::{
    find,
    load::load_file,
    out::{self, Exit, Reader},
    place, report,
};

mod progress;
mod show;

use progress::Progress;

const EXAMPLES: &str = "\
Examples:
  wf test                              the tests of all scripts of this project
  wf test headline.wf --filter polish  those of one script whose names have `polish` in them
  wf test flows --json | jq .failed    for a machine
  wf test --crash-everywhere           each test again and again, with a crash at each of its writes to the store
  wf test a.wf --filter pays --crash-at 7   with a crash at the seventh write only

A test mocks what would leave the process: `mock drafter => \"Clouds\"`. It answers what is asked: `answer { headline: _ } =>
\"reject\"`. It crashes: `crash after draft`. And it asserts: `assert calls(polish) == []`.

Exit codes: 0 all passed, 1 a test failed, 2 a script is wrong, or there is nothing to test";

/// The arguments of `wf test`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Test {
    /// Scripts, and folders with scripts (default: the folder of the nearest wf.toml, or this one)
    #[arg(value_name = "FILE | FOLDER")]
    paths: Vec<PathBuf>,
    /// Only tests whose names have this text in them
    #[arg(long, value_name = "TEXT")]
    filter: Option<String>,
    /// Show what passing tests print, too
    #[arg(long)]
    show_output: bool,
    /// Run each test again with a crash at every write to the store: the outcome has to be the same
    #[arg(long)]
    crash_everywhere: bool,
    /// The same, with a crash at this write only
    #[arg(long, value_name = "WRITE")]
    crash_at: Option<u64>,
    /// What the sample of writes is drawn by, for tests that make more than 200 (default: another each time)
    #[arg(long, value_name = "NUMBER", requires = "crash_everywhere")]
    seed: Option<u64>,
    /// How long a test may take, in real time; with crashes, each run of it
    #[arg(long, value_name = "DURATION", default_value = "60s")]
    timeout: String,
    /// The model of agents that name none; only offline/echo answers in a test
    #[arg(long, env = "WF_MODEL")]
    model: Option<String>,
    /// Print one JSON object: `tests`, and how many have `passed` and `failed`
    #[arg(long)]
    json: bool,
}

/// A script whose tests are run.
pub(crate) struct Suite {
    /// Its path, as it is shown.
    path: PathBuf,
    loaded: Loaded,
    image: Arc<Image>,
    settings: Settings,
    /// Which of its tests are run, by number.
    chosen: Vec<usize>,
}

/// How tests are crashed.
pub(crate) struct Crashing {
    seed: u64,
    only: Option<u64>,
    /// How many crashes there were so far.
    done: AtomicU64,
}

/// What was found out about the scripts.
#[derive(Default)]
struct Found {
    suites: Vec<Suite>,
    /// Scripts that do not check.
    wrong: Vec<Loaded>,
    /// Why others cannot be tested.
    unusable: bool,
    /// How many tests there are, also those that are not chosen.
    tests: usize,
}

impl Test {
    pub(crate) fn run(self) -> io::Result<Exit> {
        let timeout = parse_duration(&self.timeout).and_then(|millis| u64::try_from(millis).ok());
        let Some(timeout) = timeout.filter(|millis| *millis > 0).map(Duration::from_millis) else {
            out::complain(&format!("`--timeout {}`: write a duration, such as 30s", self.timeout), None);
            return Ok(Exit::Wrong);
        };
        let found = self.load(&find::scripts(&self.paths), timeout);
        let crashes = self.crashes();
        let verdicts = self.play(&found.suites, crashes.as_ref())?;
        self.finish(&found, &verdicts, crashes.as_ref())
    }

    /// The crashes that are asked for.
    fn crashes(&self) -> Option<Crashing> {
        let by_time = || SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().subsec_nanos();
        let seed = self.seed.unwrap_or_else(|| u64::from(by_time()));
        (self.crash_everywhere || self.crash_at.is_some()).then(|| Crashing {
            seed,
            only: self.crash_at,
            done: AtomicU64::new(0),
        })
    }

    /// Loads the scripts that have tests.
    fn load(&self, files: &[find::Script], timeout: Duration) -> Found {
        let mut found = Found::default();
        for file in files {
            let loaded = match load_file(&file.path) {
                Ok(loaded) => loaded,
                Err(unreadable) => {
                    out::complain_of(&unreadable);
                    found.unusable = true;
                    continue;
                }
            };
            if !file.named && !show::may_have_tests(&loaded) {
                continue;
            }
            if loaded.has_errors() {
                found.wrong.push(loaded);
                continue;
            }
            match self.suite(&file.path, loaded, timeout) {
                Ok(suite) => {
                    found.tests += suite.image.program.tests.len();
                    found.suites.push(suite);
                }
                Err(message) => {
                    out::complain(&message, None);
                    found.unusable = true;
                }
            }
        }
        found
    }

    fn suite(&self, path: &Path, loaded: Loaded, timeout: Duration) -> Result<Suite, String> {
        let program = wf_lang::compile::compile_tests(&loaded.checked)
            .map_err(|diagnostic| format!("{}: {}", path.display(), diagnostic.message))?;
        let (_, project) = place::project(&place::folder_of(path))?;
        let settings = Settings { kill: None, model: self.model.clone().or(project.model), timeout };
        let chosen = |name: &str| self.filter.as_ref().is_none_or(|filter| name.contains(filter.as_str()));
        let chosen = (0..program.tests.len()).filter(|number| chosen(&program.tests[*number].name)).collect();
        let image = Image::new(program, loaded.sources.clone())?;
        Ok(Suite { path: path.to_owned(), loaded, image, settings, chosen })
    }

    /// Runs all tests, as many at a time as there are processors, and tells of each in order.
    fn play(&self, suites: &[Suite], crashes: Option<&Crashing>) -> io::Result<Vec<Vec<Verdict>>> {
        let all: Vec<(usize, usize)> = suites
            .iter()
            .enumerate()
            .flat_map(|(suite, found)| found.chosen.iter().map(move |number| (suite, *number)))
            .collect();
        let next = AtomicUsize::new(0);
        let (sender, receiver) = mpsc::channel();
        let workers = std::thread::available_parallelism().map_or(1, usize::from).min(all.len());
        std::thread::scope(|scope| {
            for _ in 0..workers {
                let (sender, all, next) = (sender.clone(), &all, &next);
                scope.spawn(move || worker(suites, all, next, crashes, &sender));
            }
            drop(sender);
            self.tell(suites, &all, &receiver, Progress::of(crashes, all.len()))
        })
    }

    /// Tells of each verdict as soon as those before it are told.
    fn tell(
        &self,
        suites: &[Suite],
        all: &[(usize, usize)],
        receiver: &mpsc::Receiver<(usize, Verdict)>,
        mut progress: Progress<'_>,
    ) -> io::Result<Vec<Vec<Verdict>>> {
        let mut waiting: Vec<Option<Verdict>> = all.iter().map(|_| None).collect();
        let mut verdicts: Vec<Vec<Verdict>> = suites.iter().map(|_| Vec::new()).collect();
        let mut told = 0;
        let mut reader = Reader::Listens;
        while let Some((index, verdict)) = progress.next(receiver) {
            waiting[index] = Some(verdict);
            while let Some(verdict) = waiting.get_mut(told).and_then(Option::take) {
                let (suite, number) = all[told];
                if !self.json && reader == Reader::Listens {
                    let first = verdicts[suite].is_empty();
                    reader = out::print(&show::line(&suites[suite], number, &verdict, first, self.show_output))?;
                }
                verdicts[suite].push(verdict);
                told += 1;
            }
        }
        Ok(verdicts)
    }

    fn finish(&self, found: &Found, verdicts: &[Vec<Verdict>], crashes: Option<&Crashing>) -> io::Result<Exit> {
        let failed = verdicts.iter().flatten().any(|verdict| verdict.failure.is_some());
        let ran = verdicts.iter().flatten().count();
        if self.json {
            let json = show::json(&found.suites, verdicts, &found.wrong, crashes);
            out::print(&format!("{json:#}\n"))?.ignore();
        } else {
            let mut text = show::failures(&found.suites, verdicts, out::colour());
            if ran > 0 {
                text.push_str(&show::summary(verdicts, found.wrong.len(), crashes));
            }
            out::print(&text)?.ignore();
            if !found.wrong.is_empty() {
                out::tell(&report::text(&found.wrong, out::colour()));
            }
        }
        if !found.wrong.is_empty() || found.unusable {
            return Ok(Exit::Wrong);
        }
        if ran == 0 {
            self.complain_of_nothing(found);
            return Ok(Exit::Wrong);
        }
        Ok(if failed { Exit::Failed } else { Exit::Done })
    }

    /// Nothing was tested.
    fn complain_of_nothing(&self, found: &Found) {
        if let (Some(filter), 1..) = (&self.filter, found.tests) {
            let help = "the filter is a part of a test's name, with the same capitals";
            return out::complain(&format!("no test has `{filter}` in its name"), Some(help));
        }
        let message = match found.suites.as_slice() {
            [one] => format!("`{}` has no tests", one.path.display()),
            _ => "there are no tests here".to_owned(),
        };
        out::complain(&message, Some("a test is a declaration: test \"what it shows\" { assert … }"));
    }
}

/// Runs tests one after the other until none is left.
fn worker(
    suites: &[Suite],
    all: &[(usize, usize)],
    next: &AtomicUsize,
    crashes: Option<&Crashing>,
    sender: &mpsc::Sender<(usize, Verdict)>,
) {
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
    while let Some((index, (suite, number))) = {
        let index = next.fetch_add(1, Ordering::Relaxed);
        all.get(index).map(|test| (index, *test))
    } {
        let suite = &suites[suite];
        let test = &suite.image.program.tests[number];
        let verdict = match crashes {
            None => runtime.block_on(testing::run(&suite.image, test, &suite.settings)),
            Some(crashing) => {
                let (seed, only, progress) = (crashing.seed, crashing.only, &crashing.done);
                let how = Everywhere { seed, most: testing::MOST_WRITES, only, progress };
                runtime.block_on(testing::run_everywhere(&suite.image, test, &suite.settings, &how))
            }
        };
        if sender.send((index, verdict)).is_err() {
            return;
        }
    }
}
