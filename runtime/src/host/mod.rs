//! The host touches the world: it performs effects, and asks for permission in one place before it does.

use std::{future::Future, path::PathBuf, pin::Pin, sync::Arc, time::Duration};

use crate::{
    effect::Effect,
    fault::{Fault, Kind},
    machine::{Image, Machine, Outcome},
    request::Request,
    value::Value,
};

mod clock;
mod fs;
mod model;
mod notify;
mod permission;
mod process;

pub use model::ModelSettings;
pub(crate) use model::{first_of, usage};
pub use notify::Notify;
pub use permission::{Allow, Permissions};

/// What an effect comes to, when it is known.
pub type Performing = Pin<Box<dyn Future<Output = Outcome> + Send>>;

/// What answers the machine's questions, but for those to people and to the clock's alarm.
pub trait Host: Send + Sync + 'static {
    /// Answers at once: clock and randomness.
    fn instant(&self, effect: &Effect) -> Outcome;

    /// Performs a call that leaves the process. `key` is the same whenever the same call is made again. Dropping the
    /// future ends the call as far as that is possible.
    fn perform(&self, effect: Effect, key: String) -> Performing;

    /// Milliseconds since 1970-01-01T00:00:00Z.
    fn now(&self) -> i64;

    /// Waits for a moment, or for ever when there is none. `idle` says that nothing else moves the run on.
    fn wait(&self, moment: Option<i64>, _idle: bool) -> Waiting {
        let wait = moment.map(|moment| moment.saturating_sub(self.now()));
        Box::pin(async move {
            match wait {
                Some(wait) => tokio::time::sleep(Duration::from_millis(u64::try_from(wait).unwrap_or_default())).await,
                None => std::future::pending().await,
            }
            Woken::Moment
        })
    }

    /// A request is open: a new one, or one that is asked again after a crash.
    fn asked(&self, _effect: &Effect, _request: &Request, _machine: &Machine) {}

    /// An answer that [`Host::wait`] has brought was refused.
    fn refused(&self, _request: &str, _reason: &str) {}

    /// Answers a hook of a test, and says whether what is true then has to be saved.
    fn hook(&self, effect: &Effect) -> (Outcome, bool) {
        let message = format!("this engine has no library function `{}`", effect.name.as_str());
        (Err(Fault::new(Kind::Error, message)), false)
    }

    /// Tells people of a request that is open: `about` is `{ run_id, workflow, request }`, and `key` is the same whenever
    /// the same is told again. `None` when nobody wants to be told.
    fn notify(&self, _about: serde_json::Value, _key: String) -> Option<Telling> {
        None
    }

    /// Whether the run is not to go on: the test that it is has failed.
    fn stopped(&self, _machine: &Machine) -> bool {
        false
    }
}

/// What [`Host::wait`] comes to.
pub type Waiting = Pin<Box<dyn Future<Output = Woken> + Send>>;

/// What telling people comes to: why it was in vain.
pub type Telling = Pin<Box<dyn Future<Output = Result<(), String>> + Send>>;

/// What is added to what people are told.
type Complete = Box<dyn Fn(&mut serde_json::Value) + Send + Sync>;

/// Why a run that waited goes on.
#[derive(Clone, Debug, PartialEq)]
pub enum Woken {
    /// The moment has come.
    Moment,
    /// Somebody answers a request.
    Answer {
        /// The request's id.
        request: String,
        /// The answer.
        value: serde_json::Value,
    },
    /// Nothing will ever come.
    Stuck,
}

/// The real world.
pub struct System {
    inner: Arc<Inner>,
    hook: Option<Arc<Hook>>,
}

struct Inner {
    permissions: Permissions,
    /// Where relative paths begin: the folder of the script.
    folder: PathBuf,
    model: model::Models,
}

/// Who is told of requests, and what is added to what they are told.
struct Hook {
    notify: Notify,
    complete: Complete,
}

impl System {
    /// The world as a program whose script lies in `folder` may touch it.
    pub fn new(image: Arc<Image>, permissions: Permissions, folder: PathBuf, model: ModelSettings) -> Self {
        Self { inner: Arc::new(Inner { permissions, folder, model: model::Models::new(image, model) }), hook: None }
    }

    /// The same, with a hook that tells people of requests; `complete` adds to what they are told.
    #[must_use]
    pub fn telling(
        mut self,
        notify: Notify,
        complete: impl Fn(&mut serde_json::Value) + Send + Sync + 'static,
    ) -> Self {
        self.hook = Some(Arc::new(Hook { notify, complete: Box::new(complete) }));
        self
    }
}

impl Host for System {
    fn instant(&self, effect: &Effect) -> Outcome {
        clock::instant(effect)
    }

    fn perform(&self, effect: Effect, key: String) -> Performing {
        let inner = Arc::clone(&self.inner);
        Box::pin(async move {
            inner.permissions.check(&effect, &inner.folder)?;
            match effect.name.as_str() {
                "exec" => process::exec(&effect, &inner.folder, &key).await,
                "fs.append" => fs::append(&effect, &inner.folder).await,
                "agent._model" => inner.model.ask(&effect).await,
                other => Err(Fault::new(Kind::Error, format!("this engine has no library function `{other}`"))),
            }
        })
    }

    fn now(&self) -> i64 {
        clock::now()
    }

    fn notify(&self, mut about: serde_json::Value, key: String) -> Option<Telling> {
        let hook = Arc::clone(self.hook.as_ref()?);
        Some(Box::pin(async move {
            (hook.complete)(&mut about);
            hook.notify.tell(&about, &key).await
        }))
    }
}

/// What a call comes to when this came back for it on the wire, with what is missing filled in; none for calls that hand
/// on what comes back as it is.
///
/// # Errors
/// What came back is nothing that can come back.
pub(crate) fn received(effect: &Effect, value: &Value) -> Option<Result<Outcome, String>> {
    match effect.name.as_str() {
        "exec" => Some(process::received(effect, value)),
        "agent._model" => Some(model::received(value)),
        _ => None,
    }
}

/// The text argument of an effect.
fn text(effect: &Effect, index: usize) -> Result<&str, Fault> {
    effect.args.get(index).and_then(Value::as_str).ok_or_else(|| {
        Fault::new(Kind::Type, format!("argument {} of `{}` must be text", index + 1, effect.name.as_str()))
    })
}
