//! `_tokenize`: the parser's tokeniser, for `tokenize`.
//!
//! Counterpart of CPython's `Python/Python-tokenize.c`. Lines are asked for when a token needs them.

use crate::compile;
use taipan_object::builtins::bytes::{self, Bytes};
use taipan_object::builtins::str::Str;
use taipan_object::builtins::tuple::{ReusedPair, Tuple};
use taipan_object::cell::ObjectCell;
use taipan_object::exceptions;
use taipan_object::header::Header;
use taipan_object::heap::Kind;
use taipan_object::native::module::ModuleDef;
use taipan_object::native::signature::Signature;
use taipan_object::object::{Payload, Visitor};
use taipan_object::types::{Type, TypeSpec};
use taipan_object::{Raised, Ref, Result, Value, Vm, codecs};
use taipan_syntax::Warning;
use taipan_syntax::tokenize::{LineTokenizer, Place, Step, TextRange, TokenizeError};

pub static MODULE: ModuleDef = ModuleDef {
    name: "_tokenize",
    doc: "",
    functions: &[],
    exec: |_, module| {
        module.add_type(&TOKENIZER_ITER);
        Ok(())
    },
};

/// `_tokenize.TokenizerIter`
#[repr(C)]
struct TokenizerIter {
    header: Header,
    readline: Value,
    /// The name of the encoding of lines; without one lines are text.
    encoding: Option<String>,
    state: ObjectCell<State>,
}

struct State {
    tokenizer: LineTokenizer,
    /// How many lines the current token has already asked for.
    asked: usize,
    /// What `readline` raised when more lines were fetched than one.
    failure: Option<Value>,
    /// The line of the last token and where in the source it is: tokens on one line share it.
    line: Option<(TextRange, Value)>,
    /// Where the last token ended, where the next often starts.
    end: Option<((u32, i32), Value)>,
    texts: Texts,
    /// The last tuple and the one before it: who iterates has taken what is in the latter, and often still has the former.
    made: (ReusedPair, ReusedPair),
}

/// The strings of short texts that tokens had, at places given by their texts: most tokens occur again and again.
struct Texts(Box<[Option<Value>]>);

impl Texts {
    const PLACES: usize = 512;
    const LONGEST: usize = 32;

    fn new() -> Texts {
        Texts(vec![None; Self::PLACES].into())
    }

    #[inline]
    fn place(text: &[u8]) -> usize {
        let word = match (text.first_chunk::<4>(), text.last_chunk::<4>()) {
            (Some(first), Some(last)) => {
                u64::from(u32::from_le_bytes(*first)) | u64::from(u32::from_le_bytes(*last)) << 32
            }
            _ => text.iter().fold(0, |word, &byte| word << 8 | u64::from(byte)),
        };
        let hash = (word ^ text.len() as u64).wrapping_mul(0x517c_c1b7_2722_0a95);
        (hash >> 48) as usize % Self::PLACES
    }

    #[inline]
    fn get(&mut self, text: &str) -> Value {
        if text.len() < 2 || text.len() > Self::LONGEST {
            return Str::new(text).into_value();
        }
        let place = &mut self.0[Self::place(text.as_bytes())];
        if let Some(known) = place
            && known.downcast_exact::<Str>().is_some_and(|known| known.as_ascii() == Some(text))
        {
            return known.clone();
        }
        let made = Str::new(text).into_value();
        // No code runs when a str ends.
        *place = Some(made.clone());
        made
    }
}

// SAFETY: repr(C), header first; every value owned is visited but for strings, which refer to nothing.
unsafe impl Payload for TokenizerIter {
    const KIND: Kind = Kind::Container;
    fn static_type() -> &'static Type {
        TOKENIZER_ITER.ty()
    }
    fn traverse(&self, visit: Visitor) {
        visit(&self.readline);
        // SAFETY: the collector has stopped the world.
        let state = unsafe { &*self.state.as_ptr() };
        let (line, end) = (state.line.as_ref().map(|(_, line)| line), state.end.as_ref().map(|(_, end)| end));
        state.failure.iter().chain(line).chain(end).for_each(&mut *visit);
        state.made.0.traverse(visit);
        state.made.1.traverse(visit);
    }
}

static TOKENIZER_ITER: TypeSpec = TypeSpec::new::<TokenizerIter>("_tokenize.TokenizerIter").slots(|s| {
    s.new = Some(new);
    s.iter = Some(|_, this| Ok(this.clone()));
    s.iternext = Some(next);
});

static SIGNATURE: std::sync::LazyLock<Signature> = std::sync::LazyLock::new(|| {
    Signature::parse("tokenizeriter($type, readline, /, *, extra_tokens, encoding=<unrepresentable>)")
});

fn new(vm: &Vm, class: &Value, args: &[Value], kwnames: Option<&Value>) -> Result {
    let class = class.downcast::<Type>().expect("`tp_new` gets a type");
    let bound = SIGNATURE.bind(vm, args, kwnames)?;
    let [readline, extra_tokens, encoding] = &bound[..] else { unreachable!("bound to the signature") };
    let extra_tokens = vm.is_true(extra_tokens)?;
    let encoding = match encoding.bound() {
        Some(name) => {
            let name =
                vm.expect_str(name, |got| format!("tokenizeriter() argument 'encoding' must be str, not {got}"))?;
            Some(name.to_string_lossy())
        }
        None => None,
    };
    let state = State {
        tokenizer: LineTokenizer::new(extra_tokens),
        asked: 0,
        failure: None,
        line: None,
        end: None,
        texts: Texts::new(),
        made: (ReusedPair::new(), ReusedPair::new()),
    };
    let readline = readline.clone();
    let object = TokenizerIter { header: Header::new(class), readline, encoding, state: ObjectCell::new(state) };
    Ok(Ref::new_with_type(class, object).into_value())
}

/// A step of the tokeniser, with the token's parts as values.
enum Outcome {
    Token(Value),
    /// A token about which there is something to say.
    Warned(Value, Vec<Warning>),
    NeedsLine,
    Error(Box<TokenizeError>),
    End,
}

impl TokenizerIter {
    fn step(&self) -> Outcome {
        let mut state = self.state.borrow(&self.header);
        let State { tokenizer, asked, line, end, texts, made, .. } = &mut *state;
        let (outcome, old) = match tokenizer.step() {
            Step::NeedsLine => return Outcome::NeedsLine,
            Step::Error(error) => (Outcome::Error(Box::new(error)), (None, None)),
            Step::End => (Outcome::End, (None, None)),
            Step::Token(token) => {
                let (shared, old_line) = match line {
                    Some((place, line)) if *place == token.line_place => (line.clone(), None),
                    _ => {
                        let new = Str::new(token.line).into_value();
                        (new.clone(), line.replace((token.line_place, new)))
                    }
                };
                let (start, old_end) = match end.take() {
                    Some((place, position)) if place == token.start => (position, None),
                    old => (position(token.start), old),
                };
                let end_position = if token.end == token.start { start.clone() } else { position(token.end) };
                *end = Some((token.end, end_position.clone()));
                let text = texts.get(token.text);
                let parts = [Value::from(token.kind), text, start, end_position, shared];
                std::mem::swap(&mut made.0, &mut made.1);
                // No code runs when what a token consists of ends.
                let token = made.0.make_of(parts.into_iter());
                let warnings = tokenizer.take_warnings();
                let outcome =
                    if warnings.is_empty() { Outcome::Token(token) } else { Outcome::Warned(token, warnings) };
                (outcome, (old_line, old_end))
            }
        };
        *asked = 0;
        drop(state);
        drop(old);
        outcome
    }

    /// Fetches what the current token needs: one line, then, if that was not enough, ever more at once, so that a token
    /// of many lines is not scanned from its start for each of them.
    fn fetch(&self, vm: &Vm) -> Result<()> {
        let (asked, failure) = {
            let mut state = self.state.borrow(&self.header);
            (state.asked, state.failure.take())
        };
        if let Some(failure) = failure {
            return Err(vm.set_exception(failure));
        }
        for at in 0..asked.max(1) {
            match self.read_line(vm) {
                Ok(true) => {}
                Ok(false) => break,
                Err(raised) if at == 0 => return Err(raised),
                Err(raised) => {
                    let failure = vm.take(raised);
                    let old = self.state.borrow(&self.header).failure.replace(failure);
                    drop(old);
                    break;
                }
            }
        }
        Ok(())
    }

    /// Asks for the next line and adds it to the source; tells whether there was one.
    fn read_line(&self, vm: &Vm) -> Result<bool> {
        let line = match vm.call_args(&self.readline, &[]) {
            Ok(line) => line,
            Err(raised) => {
                vm.catch(raised, exceptions::stop_iteration())?;
                return Ok(self.push_line(""));
            }
        };
        let text = match &self.encoding {
            None if line.downcast::<Str>().is_some() => line,
            None => return Err(vm.type_error("readline() returned a non-string object")),
            Some(encoding) => match line.downcast::<Bytes>() {
                Some(data) if bytes::is_bytes(&line) => {
                    codecs::decode(vm, data.as_slice(), Some(encoding), Some("replace"))?
                }
                _ => return Err(vm.type_error("readline() returned a non-bytes object")),
            },
        };
        match text.downcast::<Str>().and_then(Str::as_ascii) {
            Some(ascii) => Ok(self.push_line(ascii)),
            None => Ok(self.push_line(&codecs::to_utf8(vm, &text)?)),
        }
    }

    fn push_line(&self, line: &str) -> bool {
        let mut state = self.state.borrow(&self.header);
        state.tokenizer.push_line(line);
        state.asked += 1;
        !line.is_empty()
    }
}

fn position((line, column): (u32, i32)) -> Value {
    Tuple::from_array([Value::from(line), Value::from(column)]).into_value()
}

fn next(vm: &Vm, this: &Value) -> Result<Option<Value>> {
    let iterator = this.downcast::<TokenizerIter>().expect("called through its own slot");
    loop {
        match iterator.step() {
            Outcome::Token(token) => return Ok(Some(token)),
            Outcome::Warned(token, warnings) => {
                compile::issue_warnings(vm, &warnings, &Value::from("<string>"))?;
                return Ok(Some(token));
            }
            Outcome::NeedsLine => iterator.fetch(vm)?,
            Outcome::Error(error) => return Err(raise(vm, *error)),
            Outcome::End => return Err(vm.stop_iteration(Some(Value::from("EOF")))),
        }
    }
}

fn raise(vm: &Vm, TokenizeError { error, place }: TokenizeError) -> Raised {
    let filename = Value::from("<string>");
    match place {
        Place::Whole => compile::raise_syntax_error(vm, error, &filename),
        Place::Start => {
            let text = error.text.as_deref().map_or(Value::NONE, Value::from);
            let start =
                [filename, Value::from(error.lineno), Value::from(error.offset), text, Value::NONE, Value::NONE];
            let class = compile::syntax_error_class(error.kind);
            vm.raise_args(class, vec![Value::from(error.message), Tuple::from_array(start).into_value()])
        }
        Place::Attributes => {
            let class = compile::syntax_error_class(error.kind);
            let raised = vm.raise_args(class, vec![Value::from(error.message)]);
            let attributes = [
                ("filename", filename),
                ("lineno", Value::from(error.lineno)),
                ("offset", Value::from(error.offset)),
                ("end_lineno", Value::from(error.lineno)),
            ];
            compile::with_attributes(vm, raised, &attributes)
        }
    }
}
