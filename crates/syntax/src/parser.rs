//! The parser: tokens to AST, by recursive descent.
//!
//! It follows the grammar of Python 3.14 and builds nodes in the caller's arena. It does not explain errors: at the
//! first token that cannot be, it gives up, and the `diagnosis` module works out what CPython says about the source.
//! So correct programs pay nothing for error messages.
//!
//! Native stack use is bounded: every recursive path counts in [`Parser::enter`].

mod arguments;
mod atom;
mod compound;
mod expression;
mod pattern;
mod statement;
mod string;
mod target;

use bumpalo::Bump;
use unicode_normalization::UnicodeNormalization;

use crate::ast::*;
use crate::error::Warning;
use crate::options::{Mode, ParseOptions};
use crate::token::{Token, TokenKind, TokenKind as T};
use crate::tokenizer::{self, Tokenizer};

pub(crate) use string::{StringParts, invalid_escape_warning};

/// The source is not a program; [`crate::diagnosis`] knows more.
#[derive(Debug)]
pub(crate) struct Failure;

pub(crate) type Parsed<T> = Result<T, Failure>;

/// How deep CPython's parser nests: that many grammar rules. The costs given to [`Parser::enter`] are the rules that one
/// level of a construct takes there.
const MAX_DEPTH: u32 = 6000;

/// A place to come back to.
#[derive(Clone, Copy)]
struct Mark {
    pos: usize,
    previous_end: (u32, u32),
    warnings: usize,
    exprs: usize,
    depth: u32,
}

pub(crate) struct Parser<'a, 'o> {
    arena: &'a Bump,
    source: &'a str,
    options: &'o ParseOptions<'o>,
    tokenizer: Tokenizer<'a>,
    /// Tokens since the start of the statement; all before `pos` are consumed, the one at `pos` is `current`.
    tokens: Vec<Token>,
    pos: usize,
    current: Token,
    /// Line and column where the last token of substance ended.
    previous_end: (u32, u32),
    depth: u32,
    parsing_started: bool,
    barry_as_flufl: bool,
    warnings: Vec<Warning>,
    type_ignores: Vec<TypeIgnore<'a>>,
    // Lists under construction, used as stacks.
    exprs: Vec<Expr<'a>>,
    optional_exprs: Vec<Option<Expr<'a>>>,
    stmts: Vec<Stmt<'a>>,
    patterns: Vec<Pattern<'a>>,
    args: Vec<Arg<'a>>,
    keywords: Vec<Keyword<'a>>,
}

/// Parses `source`, which has been decoded, normalised in its line ends and, for whole files, completed by a newline.
/// On failure gives the position up to which the tokeniser got.
pub(crate) fn parse<'a>(
    arena: &'a Bump,
    source: &'a str,
    options: &ParseOptions,
    warnings: &mut Vec<Warning>,
) -> Result<Mod<'a>, usize> {
    let mut parser = Parser::new(arena, source, options);
    let tree = parser.parse().map_err(|Failure| parser.tokenizer.pos());
    warnings.append(&mut parser.tokenizer.take_warnings());
    warnings.append(&mut parser.warnings);
    warnings.sort_by_key(|warning| (warning.lineno, warning.error.offset));
    tree
}

impl<'a, 'o> Parser<'a, 'o> {
    fn new(arena: &'a Bump, source: &'a str, options: &'o ParseOptions<'o>) -> Self {
        let tokenizer_options = tokenizer::Options { type_comments: options.type_comments, extra_tokens: false };
        let start = Token {
            kind: T::ErrorToken,
            level: 0,
            start: 0,
            end: 0,
            lineno: 0,
            end_lineno: 0,
            col_offset: 0,
            end_col_offset: 0,
        };
        let mut tokenizer = Tokenizer::new(source, tokenizer_options);
        tokenizer.set_barry_as_flufl(options.barry_as_flufl);
        let mut parser = Parser {
            arena,
            source,
            options,
            tokenizer,
            tokens: Vec::with_capacity(64),
            pos: 0,
            current: start,
            previous_end: (1, 0),
            depth: if options.mode == Mode::Exec { 32 } else { 26 },
            parsing_started: false,
            barry_as_flufl: options.barry_as_flufl,
            warnings: Vec::new(),
            type_ignores: Vec::new(),
            exprs: Vec::new(),
            optional_exprs: Vec::new(),
            stmts: Vec::new(),
            patterns: Vec::new(),
            args: Vec::new(),
            keywords: Vec::new(),
        };
        parser.current = parser.fetch();
        parser
    }

    fn parse(&mut self) -> Parsed<Mod<'a>> {
        match self.options.mode {
            Mode::Exec => {
                let body = self.statements(T::EndMarker)?;
                Ok(Mod::Module { body, type_ignores: self.arena.alloc_slice_copy(&self.type_ignores) })
            }
            Mode::Single => {
                let body = self.interactive_statement()?;
                if self.more_source_follows() {
                    return Err(Failure);
                }
                Ok(Mod::Interactive { body })
            }
            Mode::Eval => {
                let body = self.expressions()?;
                let body = self.alloc(body);
                while self.eat(T::Newline) {}
                self.expect(T::EndMarker)?;
                Ok(Mod::Expression { body })
            }
            Mode::FuncType => {
                self.expect(T::LeftParen)?;
                let argtypes = self.type_expressions()?;
                self.expect(T::RightParen)?;
                self.expect(T::RightArrow)?;
                let returns = self.expression()?;
                let returns = self.alloc(returns);
                while self.eat(T::Newline) {}
                self.expect(T::EndMarker)?;
                Ok(Mod::FunctionType { argtypes, returns })
            }
        }
    }

    /// The argument types of a function type comment, where stars are allowed and ignored.
    fn type_expressions(&mut self) -> Parsed<&'a [Expr<'a>]> {
        let base = self.exprs.len();
        let mut stars = 0;
        while !self.at(T::RightParen) {
            let this = match self.kind() {
                T::Star => 1,
                T::DoubleStar => 2,
                _ => 0,
            };
            if stars > 0 && this <= stars {
                return Err(Failure);
            }
            stars = this;
            if this > 0 {
                self.advance();
            }
            let expr = self.expression()?;
            self.exprs.push(expr);
            if self.at(T::RightParen) {
                break;
            }
            self.expect(T::Comma)?;
            if self.at(T::RightParen) {
                return Err(Failure);
            }
        }
        Ok(self.take_exprs(base))
    }

    /// Whether anything but blanks and comments stands behind a single interactive statement.
    fn more_source_follows(&self) -> bool {
        crate::source::has_code(&self.source.as_bytes()[self.consumed_source()..])
    }

    fn consumed_source(&self) -> usize {
        self.tokens[..self.pos].last().map_or(0, |token| token.end as usize)
    }

    // Tokens

    fn kind(&self) -> TokenKind {
        self.current.kind
    }

    fn at(&self, kind: TokenKind) -> bool {
        self.current.kind == kind
    }

    /// Reads one more token into the buffer.
    fn fetch(&mut self) -> Token {
        let mut token = self.tokenizer.next_token();
        while token.kind == T::TypeIgnore {
            let tag = PyStr::from_str(&self.source[token.start as usize..token.end as usize]);
            self.type_ignores.push(TypeIgnore { lineno: token.lineno, tag });
            token = self.tokenizer.next_token();
        }
        if self.options.mode == Mode::Single && token.kind == T::EndMarker && self.parsing_started {
            // The end of interactive input ends the statement, too.
            token.kind = T::Newline;
            self.parsing_started = false;
            if self.tokenizer.indent_depth() > 0 && !self.options.dont_imply_dedent {
                self.tokenizer.close_blocks();
            }
        } else {
            self.parsing_started = true;
        }
        self.tokens.push(token);
        token
    }

    fn advance(&mut self) {
        if !matches!(self.current.kind, T::Newline | T::Indent | T::Dedent) {
            self.previous_end = (self.current.end_lineno, self.current.end_col_offset as u32);
        }
        self.pos += 1;
        self.current = match self.tokens.get(self.pos) {
            Some(token) => *token,
            None => self.fetch(),
        };
    }

    fn eat(&mut self, kind: TokenKind) -> bool {
        let found = self.at(kind);
        if found {
            self.advance();
        }
        found
    }

    fn expect(&mut self, kind: TokenKind) -> Parsed<()> {
        if self.eat(kind) { Ok(()) } else { Err(Failure) }
    }

    /// The kind of the token `ahead` of the current one.
    fn peek(&mut self, ahead: usize) -> TokenKind {
        while self.pos + ahead >= self.tokens.len() {
            self.fetch();
        }
        self.tokens[self.pos + ahead].kind
    }

    /// Forgets the tokens before the current one. Only between statements, where nobody holds a mark.
    fn forget_tokens(&mut self) {
        if self.pos + 1 == self.tokens.len() {
            self.tokens.clear();
            self.tokens.push(self.current);
            self.pos = 0;
        }
    }

    fn mark(&self) -> Mark {
        Mark {
            pos: self.pos,
            previous_end: self.previous_end,
            warnings: self.warnings.len(),
            exprs: self.exprs.len(),
            depth: self.depth,
        }
    }

    fn reset(&mut self, mark: Mark) {
        self.pos = mark.pos;
        self.current = self.tokens[mark.pos];
        self.previous_end = mark.previous_end;
        self.warnings.truncate(mark.warnings);
        self.exprs.truncate(mark.exprs);
        self.depth = mark.depth;
    }

    // Recursion

    fn enter(&mut self, cost: u32) -> Parsed<()> {
        self.depth += cost;
        if self.depth > MAX_DEPTH { Err(Failure) } else { Ok(()) }
    }

    fn leave(&mut self, cost: u32) {
        self.depth -= cost;
    }

    /// Fails if the source may only use features of an older version.
    fn require_version(&self, minor: u8) -> Parsed<()> {
        if self.options.feature_version < minor { Err(Failure) } else { Ok(()) }
    }

    // Nodes

    /// A span that starts at the current token and will be closed by [`Parser::span_from`].
    fn start(&self) -> (u32, u32) {
        (self.current.lineno, self.current.col_offset as u32)
    }

    fn span_from(&self, (lineno, col_offset): (u32, u32)) -> Span {
        let (end_lineno, end_col_offset) = self.previous_end;
        Span { lineno, col_offset, end_lineno, end_col_offset }
    }

    fn token_span(token: &Token) -> Span {
        Span {
            lineno: token.lineno,
            col_offset: token.col_offset as u32,
            end_lineno: token.end_lineno,
            end_col_offset: token.end_col_offset as u32,
        }
    }

    fn expr_from(&self, start: (u32, u32), kind: ExprKind<'a>) -> Expr<'a> {
        Expr { kind, span: self.span_from(start) }
    }

    fn stmt_from(&self, start: (u32, u32), kind: StmtKind<'a>) -> Stmt<'a> {
        Stmt { kind, span: self.span_from(start) }
    }

    fn alloc<T: Copy>(&self, node: T) -> &'a T {
        self.arena.alloc(node)
    }

    fn take_exprs(&mut self, base: usize) -> &'a [Expr<'a>] {
        let list = self.arena.alloc_slice_copy(&self.exprs[base..]);
        self.exprs.truncate(base);
        list
    }

    fn text(&self, token: &Token) -> &'a str {
        &self.source[token.start as usize..token.end as usize]
    }

    fn constant(&self, span: Span, value: Constant<'a>) -> Expr<'a> {
        Expr { kind: ExprKind::Constant { value, kind: None }, span }
    }

    /// Consumes a name and gives its identifier.
    fn identifier(&mut self) -> Parsed<Identifier<'a>> {
        if !self.kind().is_name() {
            return Err(Failure);
        }
        let name = normalize_identifier(self.arena, self.text(&self.current))?;
        self.advance();
        Ok(name)
    }
}

/// The identifier that a name in source text stands for.
pub(crate) fn normalize_identifier<'a>(arena: &'a Bump, name: &'a str) -> Parsed<Identifier<'a>> {
    if name.is_ascii() {
        return Ok(name);
    }
    if constant_of_name(name).is_some() {
        return Err(Failure);
    }
    let normalized: String = name.nfkc().collect();
    Ok(if normalized == name { name } else { arena.alloc_str(&normalized) })
}

/// The keyword that a name in compatibility characters stands for, if it is a constant's.
pub(crate) fn constant_of_name(name: &str) -> Option<&'static str> {
    let normalized: String = if name.is_ascii() { return None } else { name.nfkc().collect() };
    ["None", "True", "False"].into_iter().find(|&constant| constant == normalized)
}
