//! What the caller of the parser can choose.

/// The start symbol, as `compile()` names it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Mode {
    #[default]
    Exec,
    Eval,
    Single,
    FuncType,
}

/// Turns bytes in an encoding into text, or says why it cannot.
pub type Decoder<'o> = &'o dyn Fn(&str, &[u8]) -> Result<String, String>;

#[derive(Clone, Copy)]
pub struct ParseOptions<'o> {
    pub mode: Mode,
    /// The minor version of Python whose syntax is accepted.
    pub feature_version: u8,
    /// `PyCF_TYPE_COMMENTS`
    pub type_comments: bool,
    /// `PyCF_DONT_IMPLY_DEDENT`
    pub dont_imply_dedent: bool,
    /// `PyCF_ALLOW_INCOMPLETE_INPUT`
    pub allow_incomplete_input: bool,
    /// `from __future__ import barry_as_FLUFL` is in force.
    pub barry_as_flufl: bool,
    /// `PyCF_IGNORE_COOKIE`: the source is UTF-8 whatever it declares.
    pub ignore_cookie: bool,
    /// `sys.get_int_max_str_digits()`; 0 lifts the limit.
    pub int_max_str_digits: usize,
    pub decoder: Option<Decoder<'o>>,
    /// The name of the file the source was read from, for messages about its encoding; `None` for `compile()`.
    pub file: Option<&'o str>,
}

impl Default for ParseOptions<'_> {
    fn default() -> Self {
        ParseOptions {
            mode: Mode::Exec,
            feature_version: 14,
            type_comments: false,
            dont_imply_dedent: false,
            allow_incomplete_input: false,
            barry_as_flufl: false,
            ignore_cookie: false,
            int_max_str_digits: 4300,
            decoder: None,
            file: None,
        }
    }
}
