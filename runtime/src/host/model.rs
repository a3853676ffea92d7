//! The one model effect: an OpenAI-compatible chat API, or `offline/echo`, which needs no network.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use serde_json::{Map as JsonMap, Value as Json, json};
use wf_lang::program::{Literal, TypeId, TypeKind, Types};

use crate::{
    effect::Effect,
    fault::{Fault, Kind},
    json,
    machine::{Image, Outcome},
    schema::{closed_schema, is_wrapped},
    value::Value,
};

/// How often a call is made that meets a rate limit or an outage.
const ATTEMPTS: u32 = 4;
/// The longest wait between two of them.
const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// How long an answer may take.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(600);
/// How much of a server's refusal an error shows.
const SHOWN_BODY: usize = 500;

/// Where models are found.
#[derive(Clone, Debug, Default)]
pub struct ModelSettings {
    /// The model of agents that name none: `provider/name`.
    pub default_model: Option<String>,
    /// The base URL of the OpenAI-compatible API; `https://api.openai.com/v1` if none is given.
    pub base_url: Option<String>,
    /// The key that is sent to it.
    pub api_key: Option<String>,
}

/// What speaks HTTPS, for the whole process.
pub(super) fn client() -> Result<&'static reqwest::Client, String> {
    static CLIENT: OnceLock<Result<reqwest::Client, String>> = OnceLock::new();
    // Built on first use; with roots of our own beside the system's, so that a machine without any works too.
    let build = || {
        let roots = webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter();
        let roots = roots.filter_map(|der| reqwest::Certificate::from_der(der).ok());
        let client = reqwest::Client::builder().tls_certs_merge(roots).connect_timeout(Duration::from_secs(20)).build();
        client.map_err(|error| format!("cannot set up HTTPS: {error}"))
    };
    CLIENT.get_or_init(build).as_ref().map_err(Clone::clone)
}

pub(super) struct Models {
    image: Arc<Image>,
    settings: ModelSettings,
}

impl Models {
    pub(super) fn new(image: Arc<Image>, settings: ModelSettings) -> Self {
        Self { image, settings }
    }

    /// `_model(request)`: gives `{ text, usage }`.
    pub(super) async fn ask(&self, effect: &Effect) -> Outcome {
        let nothing = Value::Null;
        let request = effect.args.first().unwrap_or(&nothing);
        let agent = request.get("name").and_then(Value::as_str).unwrap_or("agent");
        let model = request.get("model").and_then(Value::as_str).or(self.settings.default_model.as_deref());
        let Some(model) = model else {
            return Err(Fault::new(
                Kind::Error,
                format!(
                    "agent `{agent}` has no model; give it a field `model`, or run with `--model openai/NAME` or \
                     `--model offline/echo`"
                ),
            ));
        };
        let output = match request.get("output") {
            Some(Value::Type(ty)) => Some(*ty),
            _ => None,
        };
        match model.split_once('/') {
            Some(("offline", "echo")) => self.echo(request, output),
            Some(("openai", name)) => self.chat(request, name, output).await,
            _ => Err(Fault::new(
                Kind::Error,
                format!("no provider for model `{model}` is known; models are `openai/NAME` and `offline/echo`"),
            )),
        }
    }

    /// The last prompt, or the first value of the output type.
    fn echo(&self, request: &Value, output: Option<TypeId>) -> Outcome {
        let types = &self.image.program.types;
        let text = match output {
            Some(ty) if !matches!(types.get(ty), TypeKind::String) => first_value(types, ty).to_string(),
            _ => last_prompt(request),
        };
        let words = |text: &str| i64::try_from(text.split_whitespace().count()).unwrap_or(i64::MAX);
        let (input, output) = (words(&last_prompt(request)), words(&text));
        answer(text, input, output)
    }

    async fn chat(&self, request: &Value, model: &str, output: Option<TypeId>) -> Outcome {
        let body = self.body(request, model, output)?;
        let base = self.settings.base_url.as_deref().unwrap_or("https://api.openai.com/v1");
        let url = format!("{}/chat/completions", base.trim_end_matches('/'));
        let mut wait = Duration::from_millis(500);
        let mut attempt = 1;
        loop {
            let failed = match self.send(&url, &body).await {
                Ok(reply) => return read_reply(&reply),
                Err(failed) => failed,
            };
            if !failed.passing || attempt == ATTEMPTS {
                return Err(failed.fault);
            }
            tokio::time::sleep(failed.retry_after.unwrap_or(wait).min(LONGEST_WAIT)).await;
            wait *= 2;
            attempt += 1;
        }
    }

    fn body(&self, request: &Value, model: &str, output: Option<TypeId>) -> Result<Json, Fault> {
        let mut messages = Vec::new();
        if let Some(instructions) = request.get("instructions").and_then(Value::as_str) {
            messages.push(json!({ "role": "system", "content": instructions }));
        }
        for message in request.get("messages").and_then(Value::as_list).into_iter().flatten() {
            messages.push(message_json(message)?);
        }
        let mut body = json!({ "model": model, "messages": messages });
        for setting in ["temperature", "max_tokens"] {
            if let Some(value) = request.get(setting).filter(|value| !value.is_null()) {
                body[setting] = json::to_json(value)?;
            }
        }
        if let Some(ty) = output.filter(|ty| !matches!(self.image.program.types.get(*ty), TypeKind::String)) {
            let schema = closed_schema(&self.image.program.types, ty);
            body["response_format"] = json!({
                "type": "json_schema",
                "json_schema": { "name": "output", "strict": true, "schema": schema },
            });
        }
        if let Some(options @ Value::Map(_)) = request.get("options")
            && let Json::Object(options) = json::to_json(options)?
        {
            for (name, value) in options {
                body[name] = value;
            }
        }
        Ok(body)
    }

    async fn send(&self, url: &str, body: &Json) -> Result<Json, Failed> {
        let client = client().map_err(|error| Fault::new(Kind::Network, error))?;
        let mut call = client.post(url).json(body).timeout(ANSWER_TIMEOUT);
        if let Some(key) = &self.settings.api_key {
            call = call.bearer_auth(key);
        }
        let network = |error: reqwest::Error| {
            // The error's own text may hold the URL; the deepest cause says what is wrong.
            let mut cause: &dyn std::error::Error = &error;
            while let Some(deeper) = cause.source() {
                cause = deeper;
            }
            let kind = if error.is_timeout() { Kind::Timeout } else { Kind::Network };
            Failed { fault: Fault::new(kind, format!("cannot reach the model at {url}: {cause}")), ..Failed::passing() }
        };
        let reply = call.send().await.map_err(network)?;
        let status = reply.status();
        let retry_after = reply
            .headers()
            .get(reqwest::header::RETRY_AFTER)
            .and_then(|value| value.to_str().ok()?.trim().parse().ok())
            .map(Duration::from_secs);
        let text = reply.text().await.map_err(network)?;
        if status.is_success() {
            let parsed = serde_json::from_str(&text);
            return parsed.map_err(|error| {
                Fault::new(Kind::Json, format!("the model at {url} did not answer with JSON: {error}")).into()
            });
        }
        let shown = &text[..text.floor_char_boundary(SHOWN_BODY)];
        let hint = match status.as_u16() {
            401 if self.settings.api_key.is_none() => "; set OPENAI_API_KEY",
            _ => "",
        };
        let mut fault =
            Fault::new(Kind::Http, format!("the model at {url} answered {}: {shown}{hint}", status.as_u16()));
        let passing = matches!(status.as_u16(), 408 | 425 | 429 | 500..=599);
        fault.retryable = passing;
        Err(Failed { fault, passing, retry_after })
    }
}

/// Why a call gave no answer.
struct Failed {
    fault: Fault,
    /// Whether it may pass by itself.
    passing: bool,
    retry_after: Option<Duration>,
}

impl Failed {
    fn passing() -> Self {
        Self { fault: Fault::new(Kind::Network, ""), passing: true, retry_after: None }
    }
}

impl From<Fault> for Failed {
    fn from(fault: Fault) -> Self {
        Self { fault, passing: false, retry_after: None }
    }
}

fn answer(text: String, input: i64, output: i64) -> Outcome {
    let usage = Value::record([("input_tokens", Value::Int(input)), ("output_tokens", Value::Int(output))])?;
    let usage = self::usage(Some(&usage))?;
    Value::record([("text", Value::str(text)), ("usage", usage)])
}

/// Tokens as an agent gives them, with what is missing filled in.
pub(crate) fn usage(part: Option<&Value>) -> Outcome {
    let tokens = |name: &str| part.and_then(|part| part.get(name)).and_then(Value::as_int);
    let (input, output) = (tokens("input_tokens").unwrap_or_default(), tokens("output_tokens").unwrap_or_default());
    let total = tokens("total_tokens").unwrap_or_else(|| input.saturating_add(output));
    Value::record([
        ("input_tokens", Value::Int(input)),
        ("output_tokens", Value::Int(output)),
        ("total_tokens", Value::Int(total)),
    ])
}

/// What a call comes to for which this came back: text, any of `{ text, usage }`, or other data as its JSON.
pub(super) fn received(value: &Value) -> Result<Outcome, String> {
    let parts = value.as_map().filter(|map| map.keys().all(|key| ["text", "usage"].contains(&key.as_str())));
    let (text, used) = match (value, parts) {
        (Value::Str(text), _) => (text.as_str().to_owned(), None),
        (_, Some(parts)) if !parts.is_empty() => {
            let text = parts.get("text").and_then(Value::as_str).unwrap_or_default();
            (text.to_owned(), parts.get("usage"))
        }
        (other, _) => (json::to_json(other).map_err(|fault| fault.message.as_str().to_owned())?.to_string(), None),
    };
    Ok(usage(used).and_then(|usage| Value::record([("text", Value::str(text)), ("usage", usage)])))
}

/// Reads what servers really send: whatever is missing counts as empty.
fn read_reply(reply: &Json) -> Outcome {
    let message = &reply["choices"][0]["message"];
    if let Some(refusal) = message["refusal"].as_str().filter(|refusal| !refusal.is_empty()) {
        return Err(Fault::new(Kind::Refused, format!("the model refused: {refusal}")));
    }
    let Some(text) = message["content"].as_str() else {
        return Err(Fault::new(Kind::Output, "the model's answer has no text"));
    };
    let tokens = |name: &str| reply["usage"][name].as_i64().unwrap_or_default();
    answer(text.to_owned(), tokens("prompt_tokens"), tokens("completion_tokens"))
}

fn message_json(message: &Value) -> Result<Json, Fault> {
    let content = match message.get("content") {
        Some(Value::List(parts)) => parts.iter().map(part_json).collect::<Result<Vec<_>, _>>()?.into(),
        Some(content) => json::to_json(content)?,
        None => Json::Null,
    };
    let role = message.get("role").and_then(Value::as_str).unwrap_or("user");
    Ok(json!({ "role": role, "content": content }))
}

fn part_json(part: &Value) -> Result<Json, Fault> {
    match (part.get("text").and_then(Value::as_str), part.get("image").and_then(Value::as_str)) {
        (Some(text), _) => Ok(json!({ "type": "text", "text": text })),
        (None, Some(image)) => Ok(json!({ "type": "image_url", "image_url": { "url": image } })),
        (None, None) => Err(Fault::new(Kind::Type, "a part of a prompt has a field `text` or `image`")),
    }
}

fn last_prompt(request: &Value) -> String {
    let messages = request.get("messages").and_then(Value::as_list);
    match messages.and_then(|messages| messages.iter().last()).and_then(|message| message.get("content")) {
        Some(Value::Str(text)) => text.as_str().to_owned(),
        Some(Value::List(parts)) => {
            let texts = parts.iter().filter_map(|part| part.get("text").and_then(Value::as_str));
            texts.collect::<Vec<_>>().join("\n")
        }
        _ => String::new(),
    }
}

/// The first value of a type in a fixed order, as JSON for a model's answer: first literal, empty text, 0, one element.
fn first_value(types: &Types, ty: TypeId) -> Json {
    let inner = first_of(types, ty);
    if is_wrapped(types, ty) { json!({ "value": inner }) } else { inner }
}

/// The first value of a type in a fixed order.
pub(crate) fn first_of(types: &Types, ty: TypeId) -> Json {
    fn value(types: &Types, ty: TypeId, depth: usize) -> Json {
        if depth > 20 {
            return Json::Null;
        }
        match types.get(ty) {
            TypeKind::Bool => json!(false),
            TypeKind::Int => json!(0),
            TypeKind::Float => json!(0.0),
            TypeKind::String => json!(""),
            TypeKind::Duration => json!("0s"),
            TypeKind::Time => json!("1970-01-01T00:00:00Z"),
            TypeKind::Bytes => json!(""),
            TypeKind::Literal(literal) => match literal {
                Literal::String(text) => json!(text.as_str()),
                Literal::Int(number) => json!(number),
                Literal::Float(number) => json!(number),
                Literal::Bool(value) => json!(value),
                Literal::Duration(millis) => json!(json::duration_text(*millis)),
            },
            TypeKind::List(item) => json!([value(types, *item, depth + 1)]),
            TypeKind::Record(fields) => {
                let mut object = JsonMap::new();
                for field in fields {
                    let inner = if field.optional { Json::Null } else { value(types, field.ty, depth + 1) };
                    object.insert(field.name.to_string(), inner);
                }
                Json::Object(object)
            }
            TypeKind::Map(_) => json!({}),
            TypeKind::Union(members) => members.first().map_or(Json::Null, |first| value(types, *first, depth + 1)),
            _ => Json::Null,
        }
    }
    value(types, ty, 0)
}
