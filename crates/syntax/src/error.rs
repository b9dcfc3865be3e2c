//! What the parser reports: errors and warnings, with CPython's texts and positions.

/// The exception class of a [`SyntaxError`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ErrorKind {
    SyntaxError,
    IndentationError,
    TabError,
    /// `_IncompleteInputError`, only under `PyCF_ALLOW_INCOMPLETE_INPUT`.
    IncompleteInputError,
    /// A bare `UnicodeDecodeError` of the encoding unicodeescape: `text` is what could not be decoded, `message` the
    /// reason, `offset` and `end_offset` count from 0.
    UnicodeDecodeError,
    /// A bare `ValueError`, without position.
    ValueError,
    /// A bare `MemoryError`, without position: the source nests too deeply.
    MemoryError,
}

impl ErrorKind {
    /// Whether the Python class is `SyntaxError` or one of its subclasses.
    pub fn is_syntax_error(self) -> bool {
        !matches!(self, ErrorKind::UnicodeDecodeError | ErrorKind::ValueError | ErrorKind::MemoryError)
    }

    /// The name of the Python class.
    pub fn class_name(self) -> &'static str {
        match self {
            ErrorKind::SyntaxError => "SyntaxError",
            ErrorKind::IndentationError => "IndentationError",
            ErrorKind::TabError => "TabError",
            ErrorKind::IncompleteInputError => "_IncompleteInputError",
            ErrorKind::UnicodeDecodeError => "UnicodeDecodeError",
            ErrorKind::ValueError => "ValueError",
            ErrorKind::MemoryError => "MemoryError",
        }
    }
}

/// An error in source text. The fields are the attributes of the Python exception; `offset` and `end_offset` count
/// characters from 1 and may be 0 or -1 where CPython's are.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SyntaxError {
    pub kind: ErrorKind,
    pub message: String,
    pub lineno: i64,
    pub offset: i64,
    pub text: Option<String>,
    pub end_lineno: i64,
    pub end_offset: i64,
    /// Whether the exception names the file: CPython finds some errors before it knows the name.
    pub filename_known: bool,
    /// Whether the error has a position at all: CPython raises a few before it has a file name and line.
    pub located: bool,
    pub metadata: Option<Box<Metadata>>,
}

/// What tells `traceback` where to look for a misspelt keyword.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Metadata {
    /// Where the last compound statement before the error begins; 0 without one.
    pub lineno: u32,
    pub col_offset: u32,
    /// The whole source, unless it is a file's.
    pub source: Option<String>,
}

impl SyntaxError {
    /// An error without position.
    pub fn bare(kind: ErrorKind, message: impl Into<String>) -> Self {
        SyntaxError {
            kind,
            message: message.into(),
            lineno: 0,
            offset: 0,
            text: None,
            end_lineno: 0,
            end_offset: 0,
            filename_known: true,
            located: false,
            metadata: None,
        }
    }
}

/// The category of a [`Warning`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WarningKind {
    SyntaxWarning,
    DeprecationWarning,
}

/// A warning about source text that parses.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Warning {
    pub kind: WarningKind,
    pub message: String,
    pub lineno: u32,
    /// What to raise when the warnings filter makes an error of the warning.
    pub error: SyntaxError,
}
