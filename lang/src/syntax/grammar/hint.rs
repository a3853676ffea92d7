//! What helps where something else was expected: mostly what those write who come from other languages.

use super::{
    failure::{Failure, Label},
    input::State,
    literal,
};
use crate::syntax::{layout::Tok, lines, token::TokenKind};

/// The place of a failure, seen from around.
struct Place<'s, 't> {
    state: &'s State<'t>,
    failure: Failure,
    at: usize,
    found: Tok,
    /// The text of the token found, and of those around it; empty where there is none on the line.
    word: &'t str,
    before: &'t str,
    before_that: &'t str,
    after: &'t str,
}

/// What may help.
pub(super) fn hint(failure: Failure, state: &State<'_>) -> Option<String> {
    let at = failure.at as usize;
    let toks = &state.layout.toks;
    let text = |index: Option<usize>| {
        let tok = index.and_then(|index| toks.get(index));
        tok.map_or("", |tok| if tok.inserted { "" } else { state.text(state.span(*tok)) })
    };
    let found = toks.get(at).copied()?;
    let place = Place {
        state,
        failure,
        at,
        found,
        word: text(Some(at)),
        before: text(at.checked_sub(1)),
        before_that: text(at.checked_sub(2)),
        after: text(Some(at + 1)),
    };
    let rules = [declaration, misplaced, statement, header, written_type, value, sign, pattern, name];
    rules.iter().find_map(|rule| rule(&place)).map(|help| match help {
        Help::Text(text) => text.to_owned(),
        Help::Made(text) => text,
    })
}

enum Help {
    Text(&'static str),
    Made(String),
}

fn say(text: &'static str) -> Option<Help> {
    Some(Help::Text(text))
}

impl Place<'_, '_> {
    fn has(&self, label: Label) -> bool {
        self.failure.has(label)
    }

    fn tok(&self, index: Option<usize>) -> Option<Tok> {
        index.and_then(|index| self.state.layout.toks.get(index)).copied()
    }

    fn kind_before(&self) -> Option<TokenKind> {
        self.tok(self.at.checked_sub(1)).map(|tok| tok.kind)
    }

    /// The first token of the line.
    fn first(&self) -> Option<Tok> {
        let toks = self.state.layout.toks.get(..=self.at).unwrap_or_default();
        toks.iter().rev().take(64).find(|tok| tok.begins_line).copied()
    }

    /// Whether the token before the place is a name, and the first of its line.
    fn begins_with_before(&self) -> bool {
        self.tok(self.at.checked_sub(1)).is_some_and(|tok| tok.begins_line && tok.kind.is_name())
    }

    /// Whether the braces around the place hold branches.
    fn is_branch(&self) -> bool {
        use TokenKind::{Gather, Race, Settle};
        matches!(self.before_bracket(), Some(Gather | Race | Settle))
    }

    /// The kind of the token before the bracket around the place.
    fn before_bracket(&self) -> Option<TokenKind> {
        let toks = &self.state.layout.toks;
        let mut at = self.at.checked_sub(1)?;
        for _ in 0..64 {
            let tok = toks.get(at)?;
            if tok.kind.closer().is_some() {
                return toks.get(at.checked_sub(1)?).map(|tok| tok.kind);
            }
            at = if tok.kind.is_closer() { tok.pair as usize } else { at }.checked_sub(1)?;
        }
        None
    }

    /// Whether the token found touches the one before it.
    fn touches(&self) -> bool {
        self.tok(self.at.checked_sub(1)).is_some_and(|before| before.end == self.found.start)
    }
}

/// Where a declaration is expected.
fn declaration(place: &Place<'_, '_>) -> Option<Help> {
    if !place.has(Label::Declaration) {
        return None;
    }
    match place.word {
        "def" | "function" | "func" | "fun" | "proc" | "sub" => say("functions begin with `fn`"),
        "async" => say("wf has no `async`: every call may wait"),
        "const" | "var" | "val" | "final" => say("constants begin with `let`"),
        "class" | "interface" | "struct" | "enum" | "record" => say("types are declared as `type Name = …`"),
        "export" | "pub" | "public" | "private" | "static" => {
            say("leave it out: everything can be imported whose name does not begin with `_`")
        }
        "from" | "use" | "include" | "require" => say("write `import { name } from \"./file.wf\"`"),
        "flow" | "pipeline" | "task" | "job" | "main" => {
            say("workflows begin with `workflow`, their steps with `step`")
        }
        _ => match place.found.kind {
            kind if kind.is_name() && matches!(place.after, "(" | "." | "=" | "[" | "+=") => {
                say("statements stand in a `workflow`, a `step`, a `fn` or a `test`")
            }
            TokenKind::If
            | TokenKind::For
            | TokenKind::While
            | TokenKind::Match
            | TokenKind::Try
            | TokenKind::Return
            | TokenKind::Throw
            | TokenKind::Gather => say("statements stand in a `workflow`, a `step`, a `fn` or a `test`"),
            _ => None,
        },
    }
}

/// What stands elsewhere: statements of tests, and declarations within a block.
fn misplaced(place: &Place<'_, '_>) -> Option<Help> {
    let named = place.found.kind.is_name();
    match place.before {
        "assert" | "mock" | "answer" | "crash" | "observe" if !place.state.test && place.has(Label::End) => {
            say("this stands only in a `test`")
        }
        "step" | "workflow" | "agent" if named && place.has(Label::End) => {
            say("declarations stand at the top of a file; is a `}` missing above?")
        }
        "test" if place.found.kind == TokenKind::Str && place.has(Label::End) => {
            say("tests stand at the top of a file; is a `}` missing above?")
        }
        _ if place.found.kind == TokenKind::Fn && place.has(Label::Expression) => match place.after {
            "(" => say("functions without a name are written `x => …` or `(a, b) => …`"),
            _ => say("functions are declared at the top of a file; here write `let name = x => …`"),
        },
        "gather" if named && place.has(Label::Branches) => Some(Help::Made(format!(
            "write `gather [{}(…), …]`, `gather {{ name: … }}` or `gather for x in xs {{ … }}`",
            place.word
        ))),
        "import" if place.word == "*" => say("write `import \"./file.wf\" as name`"),
        "import" if named => Some(Help::Made(format!("write `import {{ {} }} from \"./file.wf\"`", place.word))),
        _ => None,
    }
}

/// Words that begin statements elsewhere.
fn statement(place: &Place<'_, '_>) -> Option<Help> {
    if place.before == "throw" && place.word == "new" || place.before == "new" {
        return match place.before_that {
            "throw" | "raise" => say("write `throw \"message\"` or `throw { kind: \"…\", message: \"…\" }`"),
            _ => say("wf has no `new`: values are written as records, `{ name: … }`"),
        };
    }
    match place.before {
        "def" | "function" | "func" => say("functions begin with `fn`, at the top of a file"),
        "async" | "await" => say("wf has no `async` and no `await`: every call may wait"),
        "const" | "var" | "val" => say("variables begin with `let`"),
        "mut" if place.before_that == "let" => say("every `let` can be assigned: leave `mut` out"),
        "not" => say("“not” is written `!`"),
        "lambda" => say("functions without a name are written `x => …`"),
        "typeof" if place.found.kind.is_name() => say("write `match x { n: int => … }`"),
        "raise" => say("errors are thrown with `throw`"),
        "elif" | "elsif" | "elseif" => say("write `else if`"),
        "except" | "rescue" => say("write `catch e { … }`"),
        "switch" | "case" | "when" | "default" => say("write `match x { 1 => …, _ => … }`"),
        "foreach" => say("write `for x in xs { … }`"),
        "until" | "loop" | "unless" | "repeat" => say("loops are `for x in xs { … }` and `while condition { … }`"),
        "print" | "echo" | "puts" if place.has(Label::End) => say("calls have parentheses: `print(…)`"),
        "int" | "float" | "string" | "bool" | "auto" if place.found.kind.is_name() && place.has(Label::End) => {
            Some(Help::Made(format!("write `let {}: {} = …`", place.word, place.before)))
        }
        _ => match place.word {
            "while" if place.has(Label::End) => say("loops are `for x in xs { … }` and `while condition { … }`"),
            "{" if place.has(Label::End) => block(place),
            "elif" | "elsif" | "elseif" => say("write `else if`"),
            "except" | "rescue" => say("write `catch e { … }`"),
            "and" => say("“and” is written `&&`"),
            "or" => say("“or” is written `||`"),
            "is" if place.has(Label::End) || place.has(Label::Block) => say("equality is `==`"),
            "not" if place.after == "in" => say("write `!(x in xs)`"),
            "instanceof" | "typeof" => say("write `match x { n: int => … }`"),
            "of" if place.has(Label::In) => say("write `for x in xs`"),
            "then" if place.has(Label::Block) => say("write the block in braces: `if condition { … }`"),
            _ => None,
        },
    }
}

/// A block behind something that has none.
fn block(place: &Place<'_, '_>) -> Option<Help> {
    match place.first().map(|tok| place.state.text(place.state.span(tok)))? {
        "switch" | "case" | "when" => say("write `match x { 1 => …, _ => … }`"),
        "foreach" => say("write `for x in xs { … }`"),
        "until" | "loop" | "unless" | "repeat" => say("loops are `for x in xs { … }` and `while condition { … }`"),
        "function" | "func" | "def" => say("functions without a name are written `x => …` or `(a, b) => …`"),
        _ => None,
    }
}

/// Headers, signatures, and the blocks that follow them.
fn header(place: &Place<'_, '_>) -> Option<Help> {
    use TokenKind::{Colon, Eq, FatArrow, LeftBrace, LeftParen};
    let signature = place.has(Label::Arrow);
    match (place.found.kind, place.before) {
        (LeftParen, "catch") => say("write `catch e { … }`"),
        (LeftParen, "for") => say("write `for x in xs { … }`"),
        (Colon, _) if signature => say("the type of the result stands behind `->`"),
        (FatArrow, _) if signature => say("the body stands in braces: `fn name() { … }`"),
        (Colon, _) if place.has(Label::Block) => say("blocks stand in braces: `if condition { … }`"),
        (FatArrow, _) if place.has(Label::Block) => say("in a header, put a function into parentheses"),
        (Eq, _) if place.has(Label::Block) => say("equality is `==`"),
        (LeftBrace, _) if place.has(Label::Expression) => {
            say("here `{` opens the block; put a record into parentheses")
        }
        (TokenKind::Newline, _) if place.has(Label::Block) && place.after == "{" => {
            say("the `{` stands on the line of what it follows")
        }
        (kind, _) if place.has(Label::Block) && !signature && !place.has(Label::Branches) && begins_value(kind) => {
            say("blocks stand in braces, also those of one line")
        }
        _ => None,
    }
}

fn begins_value(kind: TokenKind) -> bool {
    use TokenKind::{Break, Continue, Return, Throw};
    matches!(kind, Return | Throw | Break | Continue)
}

/// Types.
fn written_type(place: &Place<'_, '_>) -> Option<Help> {
    use TokenKind::{Arrow, Colon, Comma, Ellipsis, Fn, LeftBracket, Less, Question, Step, Type, Workflow};
    let before = place.before_bracket();
    let is_type = place.first().is_some_and(|tok| tok.kind == Type);
    let is_signature = place.first().is_some_and(|tok| matches!(tok.kind, Fn | Step | Workflow));
    match place.found.kind {
        LeftBracket
            if (place.has(Label::End) || place.has(Label::Eq)) && place.kind_before() != Some(TokenKind::Int) =>
        {
            say("lists are written `[int]`")
        }
        LeftBracket if place.has(Label::Name) => say("records with any keys are written `map<int>`"),
        Colon if before == Some(Fn) => say("the parameters of a type have no names: `fn(int) -> int`"),
        Arrow if is_type && place.has(Label::End) => say("the types of functions are written `fn(int) -> int`"),
        Comma
            if place.has(Label::RightBracket)
                && !place.has(Label::Comma)
                && !before.is_some_and(lines::ends_operand) =>
        {
            say("the elements of a list have one type: `[int | string]`")
        }
        Comma if is_type && place.has(Label::RightParen) => {
            say("wf has no tuples: write a record, `{ a: int, b: string }`")
        }
        Less if is_type && place.has(Label::Eq) => {
            say("types have no parameters: write out what it holds, `type Name = { value: int }`")
        }
        Ellipsis if place.has(Label::Name) && is_signature => {
            say("wf has no rest parameters: take a list, `xs: [int]`")
        }
        Question if place.has(Label::Eq) && place.has(Label::Comma) => {
            Some(Help::Made(format!("parameters may have defaults: `{}: int? = null`", place.before)))
        }
        _ => None,
    }
}

/// Values and their parts.
fn value(place: &Place<'_, '_>) -> Option<Help> {
    use TokenKind::{Colon, Comma, Dot, Eq, For, If, Int, LeftParen, Newline, RightBrace, Semicolon, Str, StrOpen};
    let within = place.has(Label::RightParen) || place.has(Label::RightBracket);
    let parts = within || place.has(Label::Separator);
    match place.found.kind {
        For if parts => say("write `xs.map(x => …)`, and `xs.filter(x => …)` for the condition"),
        If if place.has(Label::End) || parts => say("write `if condition { … } else { … }`"),
        Eq if place.kind_before().is_some_and(TokenKind::is_word)
            && (parts || place.has(Label::Colon) && !place.has(Label::Eq)) =>
        {
            Some(Help::Made(format!("write `{}: …`", place.before)))
        }
        Semicolon if parts => say("separate the parts with `,`"),
        Comma if place.has(Label::RightParen) && !place.has(Label::Comma) => {
            say("wf has no tuples: write a list, `[a, b]`, or a record, `{ a, b }`")
        }
        Comma if place.has(Label::RightBracket) && !place.has(Label::Comma) => say("write `xs[a][b]`"),
        Dot if place.has(Label::Expression) && place.after.starts_with(|c: char| c.is_ascii_digit()) => {
            Some(Help::Made(format!("write `0.{}`", place.after)))
        }
        Colon if place.has(Label::RightBracket) => say("slices are written `xs[1..3]`"),
        _ if place.has(Label::Function) => say("write the name of a function, and what else it takes: `a |> f(b)`"),
        Comma if place.has(Label::Eq) && place.before_that == "let" => {
            Some(Help::Made(format!("write `let [{}, …] = …`, or `{{ … }}` for a record", place.before)))
        }
        LeftParen if place.has(Label::Pattern) && place.before == "let" => {
            say("write `let [a, b] = …`, or `{ a, b }` for a record")
        }
        Dot if place.has(Label::Eq) && place.before_that == "let" => say("what exists is assigned without `let`"),
        Newline if place.has(Label::Eq) => say("every variable has a value from the start: `let x: int? = null`"),
        Str | StrOpen if place.touches() && place.kind_before() == Some(TokenKind::Ident) => {
            say("strings have no prefix but `r`; every string inserts values with `${…}`")
        }
        StrOpen if place.has(Label::Name) => say("a key that is computed stands in brackets: `[\"…${x}\"]: …`"),
        StrOpen if place.has(Label::Text) => say("nothing can be inserted here"),
        Int if place.has(Label::Name) && place.after == ":" => {
            Some(Help::Made(format!("keys are text: write `\"{}\": …`", place.word)))
        }
        Colon if place.has(Label::End) && place.after == "=" => {
            Some(Help::Made(format!("write `let {} = …`", place.before)))
        }
        Colon if place.has(Label::End) && place.after != ":" && place.begins_with_before() => {
            Some(Help::Made(format!("write `let {}: {} = …`", place.before, place.after)))
        }
        Colon if place.has(Label::End) && place.after == ":" => say("what a module declares follows a `.`"),
        Comma | RightBrace if place.has(Label::Colon) && place.is_branch() => {
            Some(Help::Made(format!("branches have a name and a value: `{}: …`", place.before)))
        }
        kind if (kind.is_name() || literal::is_literal(kind))
            && (place.has(Label::Colon) && !place.has(Label::FatArrow) || place.has(Label::Separator))
            && place.kind_before().is_some_and(TokenKind::is_name) =>
        {
            Some(Help::Made(match place.after {
                ":" => format!("leave `{}` out", place.before),
                _ => format!("write `{}: {}`", place.before, place.word),
            }))
        }
        _ => None,
    }
}

/// Signs that other languages have.
fn sign(place: &Place<'_, '_>) -> Option<Help> {
    use TokenKind::{Arrow, Bar, Eq, EqEq, Greater, Minus, Newline, Not, Plus, Question, Star};
    let touches = place.touches();
    match (place.found.kind, place.before) {
        (EqEq, _) if place.has(Label::Eq) => say("a value is given with one `=`"),
        (EqEq, "=") => say("equality is `==`"),
        (Plus, "+") if touches => say("write `+= 1`"),
        (Minus, "-") if touches => say("write `-= 1`"),
        (Star, "*") if touches => say("write `math.pow(a, b)`"),
        (Greater, "<") if touches => say("write `!=`"),
        (Eq, "??" | "||" | "&&") if touches => Some(Help::Made(format!("write `x = x {} …`", place.before))),
        (Question, _) if place.has(Label::End) || place.has(Label::Comma) || place.has(Label::Separator) => {
            say("write `if condition { … } else { … }`")
        }
        (Arrow, _) if place.has(Label::FatArrow) => say("arms are written `pattern => value`"),
        (Arrow, _) if place.has(Label::End) && touches => say("fields are read with `.`"),
        (Not, _) if place.has(Label::End) && touches => {
            say("what may be null is compared, `if x != null { … }`, or gets a default, `x ?? …`")
        }
        (Newline, "-") if place.before_that == "-" => say("write `-= 1`"),
        (Arrow, _) if place.has(Label::End) || place.has(Label::Comma) => say("functions are written `x => …`"),
        (Bar, _) if place.has(Label::End) || place.has(Label::RightParen) => {
            say("“or” is written `||`; a type with `|` stands in parentheses here")
        }
        _ => None,
    }
}

/// The arms of a `match`, and other patterns.
fn pattern(place: &Place<'_, '_>) -> Option<Help> {
    use TokenKind::{Colon, Comma, Dot, DotDot, DotDotEq, Else, Eq, LeftParen, StrOpen};
    match place.found.kind {
        Else if place.has(Label::Pattern) => say("`_ => …` takes the rest"),
        StrOpen if place.has(Label::Pattern) => {
            say("nothing can be inserted into a pattern: compare with `x if x == …`")
        }
        DotDot | DotDotEq if place.has(Label::FatArrow) => say("write `n if n in 1..5 => …`"),
        Comma if place.has(Label::FatArrow) => say("alternatives are separated by `|`"),
        Eq if place.first().is_some_and(|tok| tok.kind == TokenKind::Mock) => say("write `mock name => value`"),
        Colon | Eq if place.has(Label::FatArrow) => say("arms are written `pattern => value`"),
        _ if matches!(place.word, "when" | "where") && place.has(Label::FatArrow) => say("write `n if n > 1 => …`"),
        LeftParen if place.has(Label::FatArrow) => say("patterns are literals, names, lists and records"),
        Dot if place.has(Label::FatArrow) => {
            say("patterns are literals, names, lists and records; compare with `x if x == …`")
        }
        _ => None,
    }
}

/// Words that cannot be names.
fn name(place: &Place<'_, '_>) -> Option<Help> {
    let shorthand = place.kind_before().is_some_and(TokenKind::is_reserved) && place.has(Label::Colon);
    let named = place.has(Label::Name) || place.has(Label::Pattern);
    if place.found.kind.is_reserved() && named || shorthand && !place.has(Label::Eq) {
        return say("keywords cannot be names; add an underscore or choose another word");
    }
    None
}
