//! Token kinds and tokens, after `Grammar/Tokens`.

/// What a token is. Keywords and operators have a kind each; the soft keywords follow [`TokenKind::Name`] so that
/// [`TokenKind::is_name`] is a range check.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u8)]
pub enum TokenKind {
    EndMarker,
    Name,
    Match,
    Case,
    Type,
    Underscore,
    Number,
    String,
    FStringStart,
    FStringMiddle,
    FStringEnd,
    TStringStart,
    TStringMiddle,
    TStringEnd,
    Newline,
    Indent,
    Dedent,
    TypeComment,
    TypeIgnore,
    /// Only in `extra_tokens` mode.
    Comment,
    /// Only in `extra_tokens` mode.
    Nl,
    ErrorToken,
    /// A character that no operator begins with, such as `$` or `?`.
    Op,

    LeftParen,
    RightParen,
    LeftBracket,
    RightBracket,
    LeftBrace,
    RightBrace,
    Colon,
    Comma,
    Semicolon,
    Plus,
    Minus,
    Star,
    Slash,
    VerticalBar,
    Ampersand,
    Less,
    Greater,
    Equal,
    Dot,
    Percent,
    EqEqual,
    NotEqual,
    LessEqual,
    GreaterEqual,
    Tilde,
    Circumflex,
    LeftShift,
    RightShift,
    DoubleStar,
    PlusEqual,
    MinusEqual,
    StarEqual,
    SlashEqual,
    PercentEqual,
    AmpersandEqual,
    VerticalBarEqual,
    CircumflexEqual,
    LeftShiftEqual,
    RightShiftEqual,
    DoubleStarEqual,
    DoubleSlash,
    DoubleSlashEqual,
    At,
    AtEqual,
    RightArrow,
    Ellipsis,
    ColonEqual,
    Exclamation,

    False,
    None,
    True,
    And,
    As,
    Assert,
    Async,
    Await,
    Break,
    Class,
    Continue,
    Def,
    Del,
    Elif,
    Else,
    Except,
    Finally,
    For,
    From,
    Global,
    If,
    Import,
    In,
    Is,
    Lambda,
    Nonlocal,
    Not,
    Or,
    Pass,
    Raise,
    Return,
    Try,
    While,
    With,
    Yield,
}

use TokenKind as T;

impl TokenKind {
    /// Whether this is `NAME` to the grammar: an identifier or a soft keyword.
    pub fn is_name(self) -> bool {
        (T::Name as u8..=T::Underscore as u8).contains(&(self as u8))
    }

    pub fn is_keyword(self) -> bool {
        self as u8 >= T::False as u8
    }

    /// `match`, `case`, `type` or `_`.
    pub fn is_soft_keyword(self) -> bool {
        (T::Match as u8..=T::Underscore as u8).contains(&(self as u8))
    }

    /// Whether `tokenize` calls it `OP`.
    pub fn is_operator(self) -> bool {
        (T::Op as u8..=T::Exclamation as u8).contains(&(self as u8))
    }

    /// The kind of an ASCII identifier.
    pub fn of_name(name: &[u8]) -> TokenKind {
        match name {
            b"if" => T::If,
            b"in" => T::In,
            b"is" => T::Is,
            b"as" => T::As,
            b"or" => T::Or,
            b"_" => T::Underscore,
            b"def" => T::Def,
            b"for" => T::For,
            b"not" => T::Not,
            b"and" => T::And,
            b"try" => T::Try,
            b"del" => T::Del,
            b"None" => T::None,
            b"True" => T::True,
            b"else" => T::Else,
            b"elif" => T::Elif,
            b"from" => T::From,
            b"with" => T::With,
            b"pass" => T::Pass,
            b"case" => T::Case,
            b"type" => T::Type,
            b"False" => T::False,
            b"class" => T::Class,
            b"raise" => T::Raise,
            b"while" => T::While,
            b"yield" => T::Yield,
            b"break" => T::Break,
            b"await" => T::Await,
            b"async" => T::Async,
            b"match" => T::Match,
            b"return" => T::Return,
            b"import" => T::Import,
            b"except" => T::Except,
            b"assert" => T::Assert,
            b"global" => T::Global,
            b"lambda" => T::Lambda,
            b"finally" => T::Finally,
            b"continue" => T::Continue,
            b"nonlocal" => T::Nonlocal,
            _ => T::Name,
        }
    }

    /// The operator of one character; `Op` if there is none.
    pub fn of_one_char(c: u8) -> TokenKind {
        match c {
            b'(' => T::LeftParen,
            b')' => T::RightParen,
            b'[' => T::LeftBracket,
            b']' => T::RightBracket,
            b'{' => T::LeftBrace,
            b'}' => T::RightBrace,
            b':' => T::Colon,
            b',' => T::Comma,
            b';' => T::Semicolon,
            b'+' => T::Plus,
            b'-' => T::Minus,
            b'*' => T::Star,
            b'/' => T::Slash,
            b'|' => T::VerticalBar,
            b'&' => T::Ampersand,
            b'<' => T::Less,
            b'>' => T::Greater,
            b'=' => T::Equal,
            b'.' => T::Dot,
            b'%' => T::Percent,
            b'~' => T::Tilde,
            b'^' => T::Circumflex,
            b'@' => T::At,
            b'!' => T::Exclamation,
            _ => T::Op,
        }
    }

    /// The longest operator that starts with these characters, two or three of them, and its length.
    pub fn of_chars(c1: u8, c2: u8, c3: u8) -> Option<(TokenKind, usize)> {
        let two = match (c1, c2) {
            (b'=', b'=') => T::EqEqual,
            (b'!', b'=') => T::NotEqual,
            (b'<', b'=') => T::LessEqual,
            (b'>', b'=') => T::GreaterEqual,
            (b'+', b'=') => T::PlusEqual,
            (b'-', b'=') => T::MinusEqual,
            (b'-', b'>') => T::RightArrow,
            (b'*', b'=') => T::StarEqual,
            (b'%', b'=') => T::PercentEqual,
            (b'&', b'=') => T::AmpersandEqual,
            (b'|', b'=') => T::VerticalBarEqual,
            (b'^', b'=') => T::CircumflexEqual,
            (b'@', b'=') => T::AtEqual,
            (b':', b'=') => T::ColonEqual,
            (b'*', b'*') if c3 == b'=' => return Some((T::DoubleStarEqual, 3)),
            (b'*', b'*') => T::DoubleStar,
            (b'/', b'/') if c3 == b'=' => return Some((T::DoubleSlashEqual, 3)),
            (b'/', b'/') => T::DoubleSlash,
            (b'/', b'=') => T::SlashEqual,
            (b'<', b'<') if c3 == b'=' => return Some((T::LeftShiftEqual, 3)),
            (b'<', b'<') => T::LeftShift,
            (b'>', b'>') if c3 == b'=' => return Some((T::RightShiftEqual, 3)),
            (b'>', b'>') => T::RightShift,
            _ => return None,
        };
        Some((two, 2))
    }

    /// The number in the `token` module.
    pub fn number(self) -> u32 {
        match self {
            T::EndMarker => 0,
            T::Number => 2,
            T::String => 3,
            T::Newline => 4,
            T::Indent => 5,
            T::Dedent => 6,
            T::LeftParen => 7,
            T::RightParen => 8,
            T::LeftBracket => 9,
            T::RightBracket => 10,
            T::Colon => 11,
            T::Comma => 12,
            T::Semicolon => 13,
            T::Plus => 14,
            T::Minus => 15,
            T::Star => 16,
            T::Slash => 17,
            T::VerticalBar => 18,
            T::Ampersand => 19,
            T::Less => 20,
            T::Greater => 21,
            T::Equal => 22,
            T::Dot => 23,
            T::Percent => 24,
            T::LeftBrace => 25,
            T::RightBrace => 26,
            T::EqEqual => 27,
            T::NotEqual => 28,
            T::LessEqual => 29,
            T::GreaterEqual => 30,
            T::Tilde => 31,
            T::Circumflex => 32,
            T::LeftShift => 33,
            T::RightShift => 34,
            T::DoubleStar => 35,
            T::PlusEqual => 36,
            T::MinusEqual => 37,
            T::StarEqual => 38,
            T::SlashEqual => 39,
            T::PercentEqual => 40,
            T::AmpersandEqual => 41,
            T::VerticalBarEqual => 42,
            T::CircumflexEqual => 43,
            T::LeftShiftEqual => 44,
            T::RightShiftEqual => 45,
            T::DoubleStarEqual => 46,
            T::DoubleSlash => 47,
            T::DoubleSlashEqual => 48,
            T::At => 49,
            T::AtEqual => 50,
            T::RightArrow => 51,
            T::Ellipsis => 52,
            T::ColonEqual => 53,
            T::Exclamation => 54,
            T::Op => 55,
            T::TypeIgnore => 56,
            T::TypeComment => 57,
            T::FStringStart => 59,
            T::FStringMiddle => 60,
            T::FStringEnd => 61,
            T::TStringStart => 62,
            T::TStringMiddle => 63,
            T::TStringEnd => 64,
            T::Comment => 65,
            T::Nl => 66,
            T::ErrorToken => 67,
            _ => 1,
        }
    }
}

/// A token: its kind and where it stands.
#[derive(Clone, Copy, Debug)]
pub struct Token {
    pub kind: TokenKind,
    /// Depth of brackets after the token.
    pub level: u16,
    /// Byte offsets in the tokeniser's source.
    pub start: u32,
    pub end: u32,
    pub lineno: u32,
    pub end_lineno: u32,
    /// Bytes from the start of the line; -1 where CPython has no position (`INDENT`, `DEDENT`, `ENDMARKER`).
    pub col_offset: i32,
    pub end_col_offset: i32,
}
