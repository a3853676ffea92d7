//! Which tokens let a line go on.

use crate::syntax::token::TokenKind::{self, *};

/// Whether a line that ends in `last` goes on; `closes_type` tells of a `>`.
pub(super) fn ends_open(before: Option<TokenKind>, last: TokenKind, closes_type: bool) -> bool {
    if matches!(before, Some(Dot | QuestionDot)) && last.is_word() {
        return false;
    }
    match last {
        Greater => !closes_type,
        Eq | FatArrow | Arrow | Colon | Comma | PlusEq | MinusEq | StarEq | SlashEq | PercentEq => true,
        // `x--` is a mistake of its own line.
        Minus => before != Some(Minus),
        As => true,
        _ => is_infix(last),
    }
}

/// Whether a line that begins with `kind` goes on with the one before.
pub(super) fn begins_open(kind: TokenKind, next: Option<TokenKind>) -> bool {
    match kind {
        Else | Catch | Finally | In | As => !matches!(next, Some(Colon | Question)),
        // `->` begins nothing, so it goes on as well.
        Dot | QuestionDot | Bar | Arrow => true,
        _ => is_infix(kind),
    }
}

/// Whether a line that begins with `kind` goes on behind the `}` of a block, which stands before it.
pub(super) fn continues_block(kind: TokenKind) -> bool {
    matches!(kind, Else | Catch | Finally)
}

/// Whether a function is declared behind this word.
pub(super) fn begins_function(kind: TokenKind) -> bool {
    matches!(kind, Fn | Workflow | Step)
}

/// Whether a statement begins with this word, and no value.
pub(super) fn begins_statement(kind: TokenKind) -> bool {
    matches!(kind, Let | For | While | Return | Throw)
}

/// Whether a line among parameters goes on with them; otherwise a statement begins there.
pub(super) fn begins_parameter(kind: TokenKind, next: Option<TokenKind>) -> bool {
    kind.is_name()
        && next.is_none_or(|next| matches!(next, Colon | Comma | Eq | Question | RightParen) || next.is_name())
        || kind.is_closer()
        || matches!(kind, Comma | Arrow | LeftBrace | Bar | Eq | Colon)
}

/// Whether a block follows somewhere behind this word.
pub(super) fn begins_header(kind: TokenKind) -> bool {
    matches!(kind, If | For | While | Match | Gather | Race)
}

/// Whether a value or type may end in this token.
pub(super) fn ends_operand(kind: TokenKind) -> bool {
    kind.is_name()
        || kind.is_closer()
        || matches!(
            kind,
            Int | Float | Duration | BadNumber | Str | RawStr | BadStr | True | False | Null | Question | Greater
        )
}

/// Whether an operand must stand before this operator.
pub(super) fn needs_left(kind: TokenKind) -> bool {
    is_infix(kind) && !matches!(kind, Bar | DotDot | DotDotEq)
}

/// The infix operators that may begin a line.
fn is_infix(kind: TokenKind) -> bool {
    matches!(
        kind,
        Pipe | Bar
            | Coalesce
            | Or
            | And
            | EqEq
            | NotEq
            | Less
            | LessEq
            | Greater
            | GreaterEq
            | In
            | DotDot
            | DotDotEq
            | Plus
            | Star
            | Slash
            | Percent
    )
}

/// Whether the first two tokens of a line at the top of a file begin a declaration.
pub(super) fn begins_declaration(kind: TokenKind, next: Option<TokenKind>) -> bool {
    match kind {
        Let => true,
        Fn => next != Some(LeftParen),
        Type => next.is_some_and(TokenKind::is_name),
        Import => next.is_some_and(|next| next.is_name() || matches!(next, LeftBrace | Str | RawStr | StrOpen)),
        Workflow | Step | Agent => next.is_some_and(|next| next.is_word() && !matches!(next, In | As)),
        State => next == Some(LeftBrace),
        Test => next.is_some_and(|next| next.is_name() || matches!(next, Str | StrOpen | RawStr | LeftBrace)),
        _ => false,
    }
}

/// Whether a declaration of another language begins with this word.
pub(super) fn declares_elsewhere(word: &str) -> bool {
    matches!(
        word,
        "def"
            | "function"
            | "func"
            | "fun"
            | "async"
            | "const"
            | "var"
            | "val"
            | "class"
            | "interface"
            | "struct"
            | "enum"
            | "export"
            | "pub"
            | "public"
            | "from"
    )
}

/// Whether a token may stand between the angle brackets of a type.
pub(super) fn may_be_in_type(kind: TokenKind) -> bool {
    kind.is_name()
        || matches!(
            kind,
            Dot | Comma
                | Bar
                | Question
                | LeftBrace
                | RightBrace
                | LeftParen
                | RightParen
                | LeftBracket
                | RightBracket
                | Str
                | Int
                | Float
                | Minus
                | Null
                | True
                | False
                | Fn
                | Arrow
                | Type
                | Less
                | Greater
        )
}
