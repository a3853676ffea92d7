//! The registry of diagnostics: each is declared here once, with its code, severity and title.

use crate::diagnostic::Severity;

macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $name:ident = $code:literal, $severity:ident;)+) => {
        /// A registered diagnostic. A code is never used again for something else.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Code { $($(#[doc = $doc])+ $name,)+ }

        impl Code {
            /// Every registered diagnostic, in order of code.
            pub const ALL: &[Code] = &[$(Code::$name,)+];

            /// The stable code, such as `WF0103`.
            pub fn id(self) -> &'static str {
                match self { $(Code::$name => $code,)+ }
            }

            /// The severity that it has unless told otherwise.
            pub fn severity(self) -> Severity {
                match self { $(Code::$name => Severity::$severity,)+ }
            }

            /// What the diagnostic is about, in a line.
            pub fn title(self) -> &'static str {
                match self { $(Code::$name => concat!($($doc, " "),+).trim_ascii(),)+ }
            }
        }
    };
}

codes! {
    // Words and lines.
    /// a character that no wf source has here
    UnknownCharacter = "WF0001", Error;
    /// a string that is never closed
    UnclosedString = "WF0002", Error;
    /// an escape that strings do not have
    BadEscape = "WF0003", Error;
    /// a number or duration that is written wrongly or does not fit
    BadNumber = "WF0004", Error;
    /// a comment form that wf does not have
    BadComment = "WF0005", Error;
    /// the lines of a multi-line string are indented less than its closing quotes
    BadIndent = "WF0006", Error;

    // Grammar.
    /// something else was expected here
    Syntax = "WF0101", Error;
    /// a bracket that is never closed
    Unclosed = "WF0102", Error;
    /// a closing bracket without its opening one
    Unopened = "WF0103", Error;
    /// source that is nested too deeply or an expression that is too long
    TooDeep = "WF0104", Error;
    /// operators that need parentheses to say what is meant
    NeedsParentheses = "WF0105", Error;
    /// a source that is too large
    TooLarge = "WF0106", Error;
    /// something that this place of a program cannot hold
    Misplaced = "WF0107", Error;

    // Names.
    /// a name that is not known
    UnknownName = "WF0201", Error;
    /// a name that is declared twice
    DeclaredTwice = "WF0202", Error;
    /// a field, method or option that does not exist
    UnknownField = "WF0203", Error;
    /// a place that cannot be assigned
    NotAssignable = "WF0204", Error;
    /// a name that may not be given here
    ReservedName = "WF0205", Error;
    /// an import that cannot be read or has no such name
    BadImport = "WF0206", Error;

    // Types.
    /// a value of another type is expected
    Mismatch = "WF0301", Error;
    /// an operator that these values do not have
    BadOperator = "WF0302", Error;
    /// arguments that do not fit the parameters
    BadArguments = "WF0303", Error;
    /// something that cannot be called
    NotCallable = "WF0304", Error;
    /// a workflow or step whose parameters and result need types
    NeedsType = "WF0305", Error;
    /// a value that may be null where null is of no use
    MaybeNull = "WF0306", Error;
    /// something that is not data where data is needed
    NotData = "WF0307", Error;
    /// a match that misses a case
    MissingCase = "WF0308", Error;

    // What is not wrong, but not meant either.
    /// a variable that is never read
    UnusedVariable = "WF0401", Warning;
    /// an import that is never used
    UnusedImport = "WF0402", Warning;
    /// a private declaration that is never used
    UnusedDeclaration = "WF0403", Warning;
    /// a value that nothing is done with
    UnusedValue = "WF0404", Warning;
    /// code that is never reached
    Unreachable = "WF0405", Warning;
    /// a variable that hides another of the same function
    Shadowed = "WF0406", Warning;
    /// a name that is not written the way such names are
    Naming = "WF0407", Warning;
    /// state that is written from what was read before a call that may wait
    StaleState = "WF0408", Warning;
    /// a request to a person at a place that is run again or is being cancelled
    LostRequest = "WF0409", Warning;
    /// an `any` that nobody wrote, under `--strict`
    ImplicitAny = "WF0410", Warning;

    // Tests.
    /// a declaration that hides a name which only tests know
    HidesTestName = "WF0501", Warning;

    // What is not built.
    /// a part of the language that this version does not run yet
    NotBuilt = "WF0901", Error;
}
