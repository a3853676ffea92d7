//! Tokens: the pieces of a source, trivia included. Joined, their texts are the source.

use crate::span::Span;

/// A piece of source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token {
    /// Which.
    pub kind: TokenKind,
    /// Where; neighbours touch, and only a string that is never closed ends in an empty token.
    pub span: Span,
}

macro_rules! kinds {
    (
        plain { $($(#[doc = $pdoc:literal])+ $plain:ident,)+ }
        contextual { $($ctx:ident = $ctext:literal,)+ }
        reserved { $($res:ident = $rtext:literal,)+ }
        symbols { $($sym:ident = $stext:literal,)+ }
    ) => {
        /// The kinds of tokens.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum TokenKind {
            $($(#[doc = $pdoc])+ $plain,)+
            $(#[doc = concat!("`", $ctext, "`, a keyword only where its construct stands.")] $ctx,)+
            $(#[doc = concat!("`", $rtext, "`.")] $res,)+
            $(#[doc = concat!("`", $stext, "`.")] $sym,)+
        }

        impl TokenKind {
            /// The text of a keyword or symbol; empty for kinds whose text varies.
            pub fn text(self) -> &'static str {
                match self {
                    $(TokenKind::$plain => "",)+
                    $(TokenKind::$ctx => $ctext,)+
                    $(TokenKind::$res => $rtext,)+
                    $(TokenKind::$sym => $stext,)+
                }
            }

            /// The kind of a word.
            pub(crate) fn of_word(word: &str) -> TokenKind {
                match word {
                    $($ctext => TokenKind::$ctx,)+
                    $($rtext => TokenKind::$res,)+
                    _ => TokenKind::Ident,
                }
            }

            /// Whether it may name something: an identifier, or a word that is a keyword only elsewhere.
            pub fn is_name(self) -> bool {
                matches!(self, TokenKind::Ident $(| TokenKind::$ctx)+)
            }

            /// Whether it is a word that nothing may be named.
            pub fn is_reserved(self) -> bool {
                matches!(self, $(TokenKind::$res)|+)
            }
        }
    };
}

kinds! {
    plain {
        /// Blanks, tabs and carriage returns.
        Whitespace,
        /// A line break.
        Newline,
        /// `// …`, and comment forms that wf does not have.
        Comment,
        /// `/// …`.
        DocComment,
        /// `//! …`.
        ModuleDoc,
        /// A name.
        Ident,
        /// `42`.
        Int,
        /// `1.5`.
        Float,
        /// `1h30m`.
        Duration,
        /// A number that is written wrongly; its diagnostic is made.
        BadNumber,
        /// A string without inserted expressions, with its quotes.
        Str,
        /// A raw string, with its quotes.
        RawStr,
        /// A string up to and with its first `${`.
        StrOpen,
        /// From a `}` to the next `${` of the same string.
        StrMiddle,
        /// From the last `}` to the end of the string.
        StrClose,
        /// A string in other quotes; its diagnostic is made.
        BadStr,
        /// A character that wf does not have; its diagnostic is made.
        Unknown,
        /// A declaration that is nested too deeply; only the grammar sees it.
        TooDeep,
    }
    contextual {
        Agent = "agent", Workflow = "workflow", Step = "step", State = "state", Import = "import", From = "from",
        Test = "test", Mock = "mock", Answer = "answer", Crash = "crash", After = "after", During = "during",
        Assert = "assert", Throws = "throws", Observe = "observe", Each = "each", Limit = "limit",
        Settle = "settle", First = "first", Mut = "mut",
    }
    reserved {
        As = "as", Break = "break", Catch = "catch", Continue = "continue", Do = "do", Else = "else",
        False = "false", Finally = "finally", Fn = "fn", For = "for", Gather = "gather", If = "if", In = "in",
        Let = "let", Match = "match", Null = "null", Race = "race", Return = "return", Throw = "throw",
        True = "true", Try = "try", Type = "type", While = "while",
    }
    symbols {
        LeftBrace = "{", RightBrace = "}", LeftParen = "(", RightParen = ")", LeftBracket = "[", RightBracket = "]",
        Comma = ",", Semicolon = ";", Colon = ":", Question = "?", At = "@", Dot = ".", QuestionDot = "?.",
        DotDot = "..", DotDotEq = "..=", Ellipsis = "...", Eq = "=", EqEq = "==", NotEq = "!=", Less = "<",
        LessEq = "<=", Greater = ">", GreaterEq = ">=", Plus = "+", Minus = "-", Star = "*", Slash = "/",
        Percent = "%", PlusEq = "+=", MinusEq = "-=", StarEq = "*=", SlashEq = "/=", PercentEq = "%=", Not = "!",
        And = "&&", Or = "||", Bar = "|", Pipe = "|>", Coalesce = "??", Arrow = "->", FatArrow = "=>",
    }
}

impl TokenKind {
    /// Whether the grammar never sees it.
    pub fn is_trivia(self) -> bool {
        self <= TokenKind::ModuleDoc
    }

    /// Whether it is a word: a name or a reserved word. Any word may be a field, a key or a named argument.
    pub fn is_word(self) -> bool {
        self.is_name() || self.is_reserved()
    }

    /// The kind of the bracket that closes this one; `None` for what opens nothing.
    pub fn closer(self) -> Option<TokenKind> {
        match self {
            TokenKind::LeftBrace => Some(TokenKind::RightBrace),
            TokenKind::LeftParen => Some(TokenKind::RightParen),
            TokenKind::LeftBracket => Some(TokenKind::RightBracket),
            TokenKind::StrOpen => Some(TokenKind::StrClose),
            _ => None,
        }
    }

    /// The kind of the bracket that this one closes; `None` for what closes no bracket.
    pub(crate) fn opener(self) -> Option<TokenKind> {
        match self {
            TokenKind::RightBrace => Some(TokenKind::LeftBrace),
            TokenKind::RightParen => Some(TokenKind::LeftParen),
            TokenKind::RightBracket => Some(TokenKind::LeftBracket),
            _ => None,
        }
    }

    /// Whether it closes a bracket or a string with inserted expressions.
    pub fn is_closer(self) -> bool {
        use TokenKind::{RightBrace, RightBracket, RightParen, StrClose};
        matches!(self, RightBrace | RightParen | RightBracket | StrClose)
    }
}
