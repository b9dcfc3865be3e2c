//! Signatures of native functions: parsing the declaration, binding arguments, the errors of wrong calls.
//!
//! Messages follow CPython's Argument Clinic (`_PyArg_UnpackKeywords`, `_PyArg_CheckPositional`).

use crate::builtins::dict::Dict;
use crate::builtins::str::{Str, intern};
use crate::builtins::tuple::Tuple;
use crate::object::Result;
use crate::types::Type;
use crate::value::Value;
use crate::vm::{Raised, Vm, names};
use smallvec::SmallVec;
use std::mem::MaybeUninit;

/// Calls with at most so many parameters are bound without counting references.
const BORROWED: usize = 12;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    PositionalOnly,
    PositionalOrKeyword,
    VarPositional,
    KeywordOnly,
    VarKeyword,
}

/// One parameter.
pub struct Parameter {
    pub name: &'static str,
    name_value: Value,
    pub kind: Kind,
    pub required: bool,
    /// A constant default, or `UNBOUND`.
    pub default: Value,
}

/// A parsed declaration.
pub struct Signature {
    /// The name; empty for a function that messages call "function".
    pub function: &'static str,
    /// The type or module that the function belongs to, for the messages that name it.
    pub owner: Option<String>,
    pub parameters: Vec<Parameter>,
    /// Parameters that can be given positionally.
    positional: usize,
    positional_only: usize,
    required_positional: usize,
    /// How many arguments are required, if none of them is keyword-only; else `usize::MAX`.
    required: usize,
    var_positional: Option<usize>,
    var_keyword: Option<usize>,
    /// All parameters are positional-only and required: the arguments are passed as they are.
    simple: bool,
    /// The default of each parameter, if there are at most [`BORROWED`] and none is variadic; else nothing.
    defaults: Box<[Value]>,
}

impl Signature {
    /// Parses `name($self, a, b=None, /, c=1, *, d)`.
    pub fn parse(declaration: &'static str) -> Signature {
        let (function, rest) = declaration.split_once('(').unwrap_or((declaration, ")"));
        let inner = rest.rsplit_once(')').map_or(rest, |(inner, _)| inner);
        let mut parameters: Vec<Parameter> = Vec::new();
        let mut keyword_only = false;
        // `sub[, start[, end]]` is `sub, start, end` with the latter two optional.
        let brackets = inner.find("[,").or_else(|| inner.find(", ["));
        let parts: Vec<&'static str> = match brackets {
            Some(_) => inner.split([',', '[', ']']).collect(),
            None => split_parameters(inner),
        };
        let optional_from = brackets.unwrap_or(usize::MAX);
        for part in parts {
            let in_brackets = part.as_ptr() as usize - inner.as_ptr() as usize > optional_from;
            let part = part.trim();
            if part.is_empty() || part.starts_with('$') {
                continue;
            }
            if part == "/" {
                parameters.iter_mut().for_each(|p| p.kind = Kind::PositionalOnly);
                continue;
            }
            if part == "*" {
                keyword_only = true;
                continue;
            }
            let (name, kind) = if let Some(name) = part.strip_prefix("**") {
                (name, Kind::VarKeyword)
            } else if let Some(name) = part.strip_prefix('*') {
                keyword_only = true;
                (name, Kind::VarPositional)
            } else {
                (part, if keyword_only { Kind::KeywordOnly } else { Kind::PositionalOrKeyword })
            };
            let (name, default) = match name.split_once('=') {
                Some((name, default)) => (name, Some(default)),
                None => (name, None),
            };
            let variadic = matches!(kind, Kind::VarKeyword | Kind::VarPositional);
            parameters.push(Parameter {
                name,
                name_value: intern(name).into_value(),
                kind,
                required: default.is_none() && !variadic && !in_brackets,
                default: default.map_or(Value::UNBOUND, constant),
            });
        }
        if brackets.is_some() {
            parameters.iter_mut().for_each(|p| p.kind = Kind::PositionalOnly);
        }
        let is_positional = |p: &&Parameter| matches!(p.kind, Kind::PositionalOnly | Kind::PositionalOrKeyword);
        let positional = parameters.iter().filter(is_positional).count();
        let positional_only = parameters.iter().filter(|p| p.kind == Kind::PositionalOnly).count();
        let required_positional = parameters.iter().filter(is_positional).filter(|p| p.required).count();
        let simple = parameters.iter().all(|p| p.kind == Kind::PositionalOnly && p.required);
        let variadic = parameters.iter().any(|p| matches!(p.kind, Kind::VarPositional | Kind::VarKeyword));
        let defaults = match variadic || parameters.len() > BORROWED {
            true => Box::default(),
            false => parameters.iter().map(|p| p.default.clone()).collect(),
        };
        Signature {
            defaults,
            function,
            owner: None,
            positional,
            positional_only,
            required_positional,
            required: match parameters.iter().any(|p| p.kind == Kind::KeywordOnly && p.required) {
                true => usize::MAX,
                false => required_positional,
            },
            var_positional: parameters.iter().position(|p| p.kind == Kind::VarPositional),
            var_keyword: parameters.iter().position(|p| p.kind == Kind::VarKeyword),
            parameters,
            simple,
        }
    }

    /// Binds the arguments of a vectorcall and calls `f` with one value per parameter. Messages name the type of
    /// `bound_to`, the object of a bound method, as the owner.
    #[inline]
    pub fn bind_and_call(
        &self,
        vm: &Vm,
        this: &Value,
        args: &[Value],
        kwnames: Option<&Value>,
        bound_to: Option<&Value>,
        f: fn(&Vm, &Value, &[Value]) -> Result,
    ) -> Result {
        if kwnames.is_none()
            && let Some(result) = self.call_with_defaults(vm, this, args, f)
        {
            return result;
        }
        if let Some(names) = kwnames.and_then(|names| names.downcast::<Tuple>())
            && let Some(result) = self.call_with_names(vm, this, args, names.as_slice(), f)
        {
            return result;
        }
        let bound = self.bind_for(vm, args, kwnames, bound_to)?;
        f(vm, this, &bound)
    }

    /// As [`Signature::call_with_defaults`], with keyword arguments whose names are the very objects that the parameters have.
    fn call_with_names(
        &self,
        vm: &Vm,
        this: &Value,
        args: &[Value],
        names: &[Value],
        f: fn(&Vm, &Value, &[Value]) -> Result,
    ) -> Option<Result> {
        let (given, total) = (args.len() - names.len(), self.defaults.len());
        if given > self.positional || total != self.parameters.len() || total > BORROWED {
            return None;
        }
        // No value is 0.
        let mut words = [0; BORROWED];
        for (word, value) in words.iter_mut().zip(&args[..given]) {
            *word = value.word();
        }
        for (name, value) in names.iter().zip(&args[given..]) {
            let at = self.parameters.iter().position(|parameter| parameter.name_value.is(name))?;
            if words[at] != 0 || self.parameters[at].kind == Kind::PositionalOnly {
                return None;
            }
            words[at] = value.word();
        }
        for (at, parameter) in self.parameters.iter().enumerate() {
            if words[at] == 0 {
                if parameter.required {
                    return None;
                }
                words[at] = self.defaults[at].word();
            }
        }
        // SAFETY: a value is one word, and these are words of values that outlive the call. The slice only lends them: nothing
        // is dropped.
        Some(f(vm, this, unsafe { std::slice::from_raw_parts(words.as_ptr().cast::<Value>(), total) }))
    }

    /// Calls `f` with positional arguments and defaults, borrowing all of them; `None` if they do not fit the signature,
    /// or it is one whose arguments have to be bound in the general way.
    #[inline]
    pub fn call_with_defaults(
        &self,
        vm: &Vm,
        this: &Value,
        args: &[Value],
        f: fn(&Vm, &Value, &[Value]) -> Result,
    ) -> Option<Result> {
        let (given, total) = (args.len(), self.defaults.len());
        if given > self.positional || given < self.required || total != self.parameters.len() {
            return None;
        }
        if given == total {
            return Some(f(vm, this, args));
        }
        let mut words = [const { MaybeUninit::<u64>::uninit() }; BORROWED];
        let mut lend = |at: usize, value: *const Value| {
            // SAFETY: a reference can be read. Volatile, since words that have just been written one by one should not be read
            // in larger pieces.
            words[at].write(unsafe { value.cast::<u64>().read_volatile() });
        };
        for (at, value) in args.iter().enumerate() {
            lend(at, value);
        }
        for (at, value) in self.defaults.iter().enumerate().skip(given) {
            lend(at, value);
        }
        // SAFETY: a value is one word, and so many have been written; the arguments outlive the call, and so do the
        // defaults of the signature. The slice only lends them: nothing is dropped.
        Some(f(vm, this, unsafe { std::slice::from_raw_parts(words.as_ptr().cast::<Value>(), total) }))
    }

    /// How many arguments are passed as they are, if the function takes just so many.
    pub fn exact_positional(&self) -> Option<usize> {
        let total = self.parameters.len();
        let all_positional = self.positional == total && self.defaults.len() == total;
        (self.simple || all_positional).then_some(self.positional)
    }

    /// How many arguments are required, of a function that is always given positional ones.
    pub fn least_positional(&self) -> usize {
        self.required_positional
    }

    /// One value per parameter.
    #[inline]
    pub fn bind(&self, vm: &Vm, args: &[Value], kwnames: Option<&Value>) -> Result<SmallVec<[Value; 8]>> {
        let (given, total) = (args.len(), self.defaults.len());
        if kwnames.is_none()
            && (self.required..=self.positional).contains(&given)
            && total == self.parameters.len()
            && total <= 8
        {
            let mut bound = SmallVec::new();
            for value in args {
                bound.push(value.clone());
            }
            for value in &self.defaults[given..] {
                bound.push(value.clone());
            }
            return Ok(bound);
        }
        self.bind_for(vm, args, kwnames, None)
    }

    /// Says to which type the function belongs, for messages.
    pub fn owned_by(mut self, owner: &str) -> Signature {
        self.owner = Some(owner.to_string());
        self
    }

    /// `"list."`, or nothing.
    #[cold]
    fn owner_prefix(&self, vm: &Vm, bound_to: Option<&Value>) -> String {
        let owner = match bound_to {
            Some(class) if class.downcast::<Type>().is_some() => vm.get_attr_opt(class, &names().__qualname__),
            Some(object) => vm.get_attr_opt(&object.ty().to_value(), &names().__qualname__),
            None => Ok(None),
        };
        match (owner, &self.owner) {
            (Ok(Some(owner)), Some(_)) => format!("{}.", vm.display_name(&owner)),
            (_, Some(owner)) => format!("{owner}."),
            (_, None) => String::new(),
        }
    }

    fn bind_for(
        &self,
        vm: &Vm,
        args: &[Value],
        kwnames: Option<&Value>,
        bound_to: Option<&Value>,
    ) -> Result<SmallVec<[Value; 8]>> {
        let kwnames: &[Value] = kwnames.and_then(|names| names.downcast::<Tuple>()).map_or(&[], Tuple::as_slice);
        let given = args.len() - kwnames.len();
        if !kwnames.is_empty() && self.no_keywords_at_all() && self.var_keyword.is_none() {
            let owner = self.owner_prefix(vm, bound_to);
            return Err(vm.type_error(format!("{owner}{}() takes no keyword arguments", self.function)));
        }
        if args.len() > self.parameters.len() && self.var_positional.is_none() && self.var_keyword.is_none() {
            return Err(self.too_many(vm, given, kwnames.len(), bound_to));
        }
        let (positional, keyword_values) = args.split_at(given);
        let mut bound: SmallVec<[Value; 8]> = self.parameters.iter().map(|_| Value::UNBOUND).collect();
        for (slot, value) in bound.iter_mut().zip(&positional[..given.min(self.positional)]) {
            *slot = value.clone();
        }
        if given > self.positional {
            match self.var_positional {
                Some(at) => bound[at] = Tuple::from_slice(&positional[self.positional..]).into_value(),
                None => return Err(self.too_many(vm, given, kwnames.len(), bound_to)),
            }
        } else if let Some(at) = self.var_positional {
            bound[at] = Tuple::from_slice(&[]).into_value();
        }
        if given < self.positional_only {
            let required = self.parameters[..self.positional_only].iter().filter(|p| p.required).count();
            if given < required {
                return Err(self.too_few(vm, given, bound_to));
            }
        }
        self.bind_keywords(vm, &mut bound, kwnames, keyword_values, given)?;
        Ok(bound)
    }

    /// Binds the keyword arguments and the defaults. As in CPython a missing argument is found before one that is
    /// unknown or given twice.
    fn bind_keywords(
        &self,
        vm: &Vm,
        bound: &mut [Value],
        names: &[Value],
        values: &[Value],
        given: usize,
    ) -> Result<()> {
        let mut used = 0;
        for (at, parameter) in self.parameters.iter().enumerate() {
            if !bound[at].is_unbound() || parameter.kind == Kind::VarKeyword {
                continue;
            }
            let named = match parameter.kind {
                Kind::PositionalOrKeyword | Kind::KeywordOnly if used < names.len() => {
                    names.iter().position(|name| Str::same(&parameter.name_value, name))
                }
                _ => None,
            };
            bound[at] = match named {
                Some(named) => {
                    used += 1;
                    values[named].clone()
                }
                None if parameter.required => return Err(self.missing(vm, at, given)),
                None => parameter.default.clone(),
            };
        }
        if let Some(at) = self.var_keyword {
            let extra = Dict::new();
            for (name, value) in names.iter().zip(values) {
                match self.named(name) {
                    Some(position) if position < given => return Err(self.given_twice(vm, position)),
                    Some(_) => {}
                    None => extra.set_str(name, value.clone()),
                }
            }
            bound[at] = extra.into_value();
            return Ok(());
        }
        if used < names.len() { Err(self.unusable_keyword(vm, names, given)) } else { Ok(()) }
    }

    /// The parameter that the keyword `name` stands for.
    fn named(&self, name: &Value) -> Option<usize> {
        self.parameters.iter().position(|p| {
            matches!(p.kind, Kind::PositionalOrKeyword | Kind::KeywordOnly) && Str::same(&p.name_value, name)
        })
    }

    /// The function in messages.
    fn label(&self) -> String {
        if self.function.is_empty() { "function".to_string() } else { format!("{}()", self.function) }
    }

    #[cold]
    fn given_twice(&self, vm: &Vm, at: usize) -> Raised {
        let (function, name) = (self.label(), self.parameters[at].name);
        vm.type_error(format!("argument for {function} given by name ('{name}') and position ({})", at + 1))
    }

    /// A keyword argument that is given by position too, or that no parameter has.
    #[cold]
    fn unusable_keyword(&self, vm: &Vm, names: &[Value], given: usize) -> Raised {
        let twice = names.iter().filter_map(|name| self.named(name)).filter(|at| *at < given).min();
        if let Some(at) = twice {
            return self.given_twice(vm, at);
        }
        let function = self.function;
        let Some(unknown) = names.iter().find(|name| self.named(name).is_none()) else {
            return vm.type_error(format!("invalid keyword argument for {function}()"));
        };
        let known = self
            .parameters
            .iter()
            .filter(|p| !p.name.is_empty() && matches!(p.kind, Kind::PositionalOrKeyword | Kind::KeywordOnly));
        let known: Vec<String> = known.map(|p| p.name.to_string()).collect();
        unexpected_keyword(vm, function, unknown, known)
    }

    fn no_keywords_at_all(&self) -> bool {
        self.positional == self.positional_only && self.parameters.iter().all(|p| p.kind != Kind::KeywordOnly)
    }

    #[cold]
    fn too_many(&self, vm: &Vm, given: usize, keywords: usize, bound_to: Option<&Value>) -> Raised {
        let name = self.label();
        if self.no_keywords_at_all() {
            return self.wrong_count(vm, given, bound_to);
        }
        let max = self.positional;
        let total = self.parameters.len();
        if given + keywords > total {
            let plural = if total == 1 { "" } else { "s" };
            let kind = if given == 0 { "keyword " } else { "" };
            let given = given + keywords;
            return vm.type_error(format!("{name} takes at most {total} {kind}argument{plural} ({given} given)"));
        }
        let bound = if self.required_positional == max { "exactly" } else { "at most" };
        if max == 0 {
            return vm.type_error(format!("{name} takes no positional arguments"));
        }
        let plural = if max == 1 { "" } else { "s" };
        vm.type_error(format!("{name} takes {bound} {max} positional argument{plural} ({given} given)"))
    }

    /// `_PyArg_CheckPositional` and the METH_NOARGS/METH_O messages.
    #[cold]
    fn wrong_count(&self, vm: &Vm, given: usize, bound_to: Option<&Value>) -> Raised {
        let name = self.function;
        let (min, max) = (self.required_positional, self.positional);
        let owner = self.owner_prefix(vm, bound_to);
        if max == 0 {
            return vm.type_error(format!("{owner}{name}() takes no arguments ({given} given)"));
        }
        if min == 1 && max == 1 {
            return vm.type_error(format!("{owner}{name}() takes exactly one argument ({given} given)"));
        }
        let (bound, limit) = if min == max {
            ("", min)
        } else if given < min {
            ("at least ", min)
        } else {
            ("at most ", max)
        };
        let plural = if limit == 1 { "" } else { "s" };
        vm.type_error(format!("{name} expected {bound}{limit} argument{plural}, got {given}"))
    }

    #[cold]
    fn too_few(&self, vm: &Vm, given: usize, bound_to: Option<&Value>) -> Raised {
        if self.no_keywords_at_all() && self.var_positional.is_none() {
            return self.wrong_count(vm, given, bound_to);
        }
        let min = self.parameters[..self.positional_only].iter().filter(|p| p.required).count();
        let bound = if self.required_positional == self.positional { "exactly" } else { "at least" };
        let plural = if min == 1 { "" } else { "s" };
        vm.type_error(format!("{} takes {bound} {min} positional argument{plural} ({given} given)", self.label()))
    }

    #[cold]
    fn missing(&self, vm: &Vm, at: usize, given: usize) -> Raised {
        let parameter = &self.parameters[at];
        if parameter.kind == Kind::PositionalOnly {
            return self.too_few(vm, given, None);
        }
        vm.type_error(format!("{} missing required argument '{}' (pos {})", self.label(), parameter.name, at + 1))
    }
}

/// "f() got an unexpected keyword argument 'x'", with the closest of the known ones if one is close.
#[cold]
pub fn unexpected_keyword(vm: &Vm, function: &str, name: &Value, known: Vec<String>) -> Raised {
    let name = vm.display_name(name);
    let hint = match crate::text::suggestions::closest(&name, known.into_iter()) {
        Some(suggestion) => format!(". Did you mean '{suggestion}'?"),
        None => String::new(),
    };
    let function = if function.is_empty() { "this function".to_string() } else { format!("{function}()") };
    vm.type_error(format!("{function} got an unexpected keyword argument '{name}'{hint}"))
}

/// Splits at commas outside quotes and brackets.
fn split_parameters(text: &'static str) -> Vec<&'static str> {
    let (mut parts, mut depth, mut quote, mut start) = (Vec::new(), 0, None, 0);
    for (at, c) in text.char_indices() {
        match (c, quote) {
            (c, Some(q)) if c == q => quote = None,
            (_, Some(_)) => {}
            ('\'' | '"', None) => quote = Some(c),
            ('(' | '[' | '{', None) => depth += 1,
            (')' | ']' | '}', None) => depth -= 1,
            (',', None) if depth == 0 => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}

/// A default written as a constant; `UNBOUND` for anything else.
fn constant(text: &'static str) -> Value {
    match text {
        "None" => return Value::NONE,
        "True" => return Value::TRUE,
        "False" => return Value::FALSE,
        "()" => return Tuple::from_slice(&[]).into_value(),
        _ => {}
    }
    if let Ok(n) = text.parse::<i64>() {
        return Value::from(n);
    }
    if let Ok(f) = text.parse::<f64>() {
        if text.starts_with(|c: char| c.is_ascii_digit() || c == '-') {
            return Value::from(f);
        }
    }
    let unquoted = text.strip_prefix('\'').and_then(|t| t.strip_suffix('\''));
    match unquoted {
        Some(inner) if !inner.contains('\\') => intern(inner).into_value(),
        Some("\\n") => Value::from("\n"),
        _ => Value::UNBOUND,
    }
}
