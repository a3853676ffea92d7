//! Programs as people write them, of any length: always the same for the same number of lines.

use std::fmt::Write;

/// A program of at least so many lines, without errors.
pub(crate) fn program(lines: usize) -> String {
    let mut writer = Writer { text: String::with_capacity(lines * 40), random: 7, lines: 0 };
    writer.lines("//! Tickets, as they come in.\n\nstate {\n    spent: float = 0.0,\n    seen: map<int> = {},\n}\n");
    let mut unit = 0;
    while writer.lines < lines {
        writer.unit(unit);
        unit += 1;
    }
    writer.text
}

struct Writer {
    text: String,
    random: u64,
    lines: usize,
}

const WORDS: [&str; 12] = [
    "draft", "review", "ticket", "customer", "answer", "urgent", "summary", "budget", "deadline", "product", "owner",
    "cloud",
];

impl Writer {
    fn below(&mut self, end: usize) -> usize {
        self.random = self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.random >> 33).unwrap_or(0) % end
    }

    fn word(&mut self) -> &'static str {
        WORDS[self.below(WORDS.len())]
    }

    fn lines(&mut self, text: &str) {
        self.text.push_str(text);
        self.lines += text.matches('\n').count();
    }

    /// Types, an agent, steps, functions and a workflow that belong together.
    fn unit(&mut self, n: usize) {
        let (word, other) = (self.word(), self.word());
        self.types(n, word);
        self.steps(n, word, other);
        for part in 0..=self.below(3) {
            self.function(n, part);
        }
        self.workflow(n, word);
    }

    fn types(&mut self, n: usize, word: &str) {
        let mut text = format!(
            "
/// What is known of a {word} of kind {n}.
type Item{n} = {{
    /// Its number, from 1.
    id: int,
    title: string,
    /// Free words, in no order.
    tags: [string],
    severity: \"low\" | \"high\" | \"urgent\",
    score: float,
"
        );
        for field in 0..self.below(4) {
            let _ = writeln!(text, "    extra_{field}?: string,");
        }
        let _ = write!(
            text,
            "}}

/// How reading one ended.
type Outcome{n} =
    | {{ kind: \"ok\", value: float }}
    | {{ kind: \"error\", message: string, code: int }}
"
        );
        self.lines(&text);
    }

    fn steps(&mut self, n: usize, word: &str, other: &str) {
        let (number, limit) = (self.below(900) + 100, self.below(8) + 2);
        self.lines(&format!(
            "
agent writer{n} {{
    instructions: \"Write about the {word}. Mention the {other}.\",
}}

/// Reads one {word}, a few times if it must.
@retry(attempts: 3, backoff: 1s)
step read{n}(id: int, title: string) -> Item{n} {{
    let tags = [\"{word}\", \"no-${{id}}\", \"{other}\"]
    // The score is set later.
    {{ id, title: \"{word} ${{id}}: ${{title}}\", tags, severity: \"low\", score: {number}.5 }}
}}

step write{n}(item: Item{n}, tone: string = \"calm\") -> string {{
    let text = writer{n}(\"Write about ${{item.title}}, ${{tone}}, at most ${{item.id * {limit}}} words\")
    if text == \"\" {{
        throw {{ kind: \"empty\", message: \"nothing was written for ${{item.title}}\" }}
    }}
    ctx.state.spent += {limit}.25
    text
}}
"
        ));
    }

    fn function(&mut self, n: usize, part: usize) {
        let (a, b) = (self.below(90) + 10, self.below(9) + 1);
        let text = match self.below(3) {
            0 => format!(
                "
/// Adds up what the tags weigh.
fn weigh{n}_{part}(item: Item{n}, weights: map<float>) -> float {{
    let total = 0.0
    for i, tag in item.tags {{
        if tag.len() > {a} {{
            continue
        }}
        total += (weights[tag] ?? {b}.0) * i
    }}
    if item.severity == \"urgent\" && total < {a}.0 {{
        total = total * 2.5 + {b}
    }} else if item.severity == \"high\" || total == 0.0 {{
        total += 3.0
    }}
    total
}}
"
            ),
            1 => format!(
                "
fn titles{n}_{part}(items: [Item{n}]) -> [string] {{
    items
        .filter(item => item.score > {a}.0 && !item.tags.is_empty())
        .map(item => {{
            let first = item.tags[0]
            \"${{first}}: ${{item.title}} (${{item.score + {b}}})\"
        }})
}}
"
            ),
            _ => format!(
                "
/// A message about what happened.
fn message{n}_{part}(outcome: Outcome{n}, name: string?) -> string {{
    let who = name ?? \"nobody\"
    let text = match outcome {{
        {{ kind: \"ok\", value }} => \"done: ${{value}} for ${{who}}\"
        {{ kind: \"error\", message, code: c }} => \"failed (${{c}}): ${{message}}\"
    }}
    \"\"\"
        Dear ${{who}},
          ${{text}}
        {a} of {b} are left.
        \"\"\"
}}
"
            ),
        };
        self.lines(&text);
    }

    fn workflow(&mut self, n: usize, word: &str) {
        let (limit, count) = (self.below(8) + 1, self.below(20) + 5);
        let before = n.saturating_sub(1);
        self.lines(&format!(
            "
/// Reads every {word}, and writes about the good ones.
@name(\"{word} no. {n}\")
workflow main{n}(count: int = {count}, title: string = \"{word}\") -> {{ done: [string], failed: int }} {{
    let items = gather limit {limit} for i in 1..=count {{ read{n}(i, title) }}
    let failed = 0
    let done = []
    for item in items {{
        let text = try {{
            write{n}(item, tone: \"kind\")
        }} catch e {{
            failed += 1
            print(\"skipped ${{item.title}}: ${{e.message}}\")
            continue
        }}
        done.push(text)
        ctx.state.seen[item.title] = item.id
    }}
    let {{ first, second }} = gather {{
        first: read{n}(1, \"first\"),
        second: read{before}(2, \"second\"),
    }}
    let rounds = 0
    while rounds < {limit} && failed > 0 {{
        rounds += 1
        if first.id + second.id + rounds >= {count} {{ break }}
    }}
    {{ done: [...done, \"${{rounds}} rounds\"], failed }}
}}
"
        ));
    }
}
