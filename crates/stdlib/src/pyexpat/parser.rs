//! `pyexpat.xmlparser`: representation, attributes, methods that do not parse.

use taipan_object::builtins::bytes;
use taipan_object::builtins::dict::Dict;
use taipan_object::builtins::int;
use taipan_object::builtins::str::Str;
use taipan_object::cell::{Borrow, ObjectCell};
use taipan_object::header::Header;
use taipan_object::heap::Kind as HeapKind;
use taipan_object::native::{GetSetDef, MemberDef, MethodDef};
use taipan_object::object::{Payload, Visitor};
use taipan_object::types::{Type, TypeSpec, type_flags};
use taipan_object::{Ref, Result, Value, Vm, method_table};

use super::driver;
use super::engine::{Accounting, Code, Encoding, Engine, Handlers};
use super::handlers::{DEFAULT, DEFAULT_EXPAND, HANDLERS};
use super::optional_text;
use crate::hashing::unsigned;

#[repr(C)]
pub struct Parser {
    pub header: Header,
    state: ObjectCell<State>,
}

pub struct State {
    pub engine: Box<Engine>,
    /// By the order of [`HANDLERS`].
    pub handlers: [Value; HANDLERS.len()],
    /// Which of the two default handlers was set last.
    pub default: usize,
    pub expand: bool,
    pub intern: Option<Ref<Dict>>,
    /// The parser whose external entity this one parses.
    pub parent: Value,
    /// An encoding that only Python knows, to be looked up when parsing begins.
    pub encoding: Option<String>,
    pub ordered_attributes: bool,
    pub specified_attributes: bool,
    pub buffer_text: bool,
    pub buffer: String,
    pub buffer_size: usize,
    pub in_callback: bool,
}

// SAFETY: repr(C), header first, visits every reference.
unsafe impl Payload for Parser {
    const KIND: HeapKind = HeapKind::Container;
    fn static_type() -> &'static Type {
        XML_PARSER.ty()
    }
    fn traverse(&self, visit: Visitor) {
        // SAFETY: the collector has stopped the world.
        let state = unsafe { &*self.state.as_ptr() };
        state.handlers.iter().for_each(&mut *visit);
        if let Some(intern) = &state.intern {
            visit(intern.as_value());
        }
        visit(&state.parent);
    }
    fn clear(&self) {
        self.clear_handlers();
        let mut state = self.state();
        let old = (state.intern.take(), std::mem::replace(&mut state.parent, Value::NONE));
        drop(state);
        drop(old);
    }
}

pub static XML_PARSER: TypeSpec = TypeSpec::new::<Parser>("pyexpat.xmlparser")
    .doc("XML parser")
    .flags(type_flags::DISALLOW_INSTANTIATION)
    .methods(METHODS)
    .members(MEMBERS)
    .getset(GETSET)
    .populate(super::handlers::add_attributes);

const NO_HANDLER: Value = Value::NONE;

pub fn create(encoding: Option<String>, namespaces: Option<Option<char>>, intern: Option<Ref<Dict>>) -> Value {
    let known = encoding.as_deref().and_then(Encoding::by_name);
    let encoding = if known.is_some() { None } else { encoding };
    make(State {
        engine: Box::new(Engine::new(known, namespaces)),
        handlers: [NO_HANDLER; HANDLERS.len()],
        default: DEFAULT,
        expand: true,
        intern,
        parent: Value::NONE,
        encoding,
        ordered_attributes: false,
        specified_attributes: false,
        buffer_text: false,
        buffer: String::new(),
        buffer_size: 8192,
        in_callback: false,
    })
}

fn make(state: State) -> Value {
    Ref::new(Parser { header: Header::new(XML_PARSER.ty()), state: ObjectCell::new(state) }).into_value()
}

impl Parser {
    pub fn of(value: &Value) -> &Parser {
        value.downcast::<Parser>().expect("methods are called with instances of their type")
    }

    /// The state, borrowed: no Python code may run and no value may be dropped meanwhile.
    pub fn state(&self) -> Borrow<'_, State> {
        self.state.borrow(&self.header)
    }

    pub fn handler(&self, at: usize) -> Option<Value> {
        Some(self.state().handlers[at].clone()).filter(|handler| !handler.is_none())
    }

    pub fn clear_handlers(&self) {
        let old = std::mem::replace(&mut self.state().handlers, [NO_HANDLER; HANDLERS.len()]);
        drop(old);
    }

    /// What the engine is to report.
    pub fn wanted(&self) -> Handlers {
        let state = self.state();
        let mut handlers = Handlers { bits: 0, expand: state.expand };
        for (at, handler) in state.handlers.iter().enumerate() {
            if !handler.is_none() && (!matches!(at, DEFAULT | DEFAULT_EXPAND) || at == state.default) {
                handlers.bits |= 1 << HANDLERS[at].1 as u8;
            }
        }
        handlers
    }
}

fn external_entity_parser_create(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    let context = optional_text(vm, &args[0], "ExternalEntityParserCreate() argument 1")?;
    let encoding = match args[1].bound() {
        Some(encoding) if encoding.downcast::<Str>().is_none() => {
            let got = encoding.ty().name();
            return Err(vm.type_error(format!("ExternalEntityParserCreate() argument 2 must be str, not {got}")));
        }
        Some(encoding) => Some(taipan_object::codecs::to_utf8(vm, encoding)?),
        None => None,
    };
    let known = encoding.as_deref().and_then(Encoding::by_name);
    let encoding = if known.is_some() { None } else { encoding };
    let parent = Parser::of(this).state();
    let state = State {
        engine: Box::new(parent.engine.for_external_entity(context.as_deref(), known)),
        handlers: parent.handlers.clone(),
        default: parent.default,
        expand: parent.expand,
        intern: parent.intern.clone(),
        parent: this.clone(),
        encoding,
        ordered_attributes: parent.ordered_attributes,
        specified_attributes: parent.specified_attributes,
        buffer_text: parent.buffer_text,
        buffer: String::new(),
        buffer_size: parent.buffer_size,
        in_callback: false,
    };
    drop(parent);
    Ok(make(state))
}

/// Changes the limits of a root parser.
fn set_limit(vm: &Vm, this: &Value, set: impl FnOnce(&Accounting)) -> Result {
    let parser = Parser::of(this);
    if !parser.state().engine.is_root() {
        return Err(driver::invalid_argument(vm, this, "parser must be a root parser"));
    }
    set(parser.state().engine.accounting());
    Ok(Value::NONE)
}

fn set_factor(vm: &Vm, this: &Value, factor: &Value, set: impl FnOnce(&Accounting, f32)) -> Result {
    let factor = vm.float(factor)? as f32;
    if !Parser::of(this).state().engine.is_root() {
        return Err(driver::invalid_argument(vm, this, "parser must be a root parser"));
    }
    if factor.is_nan() || factor < 1.0 {
        return Err(driver::invalid_argument(vm, this, "'max_factor' must be at least 1.0"));
    }
    set_limit(vm, this, |accounting| set(accounting, factor))
}

fn threshold(vm: &Vm, value: &Value) -> Result<u64> {
    unsigned(vm, value, "unsigned long long")
}

method_table! { static METHODS = [
    MethodDef::new("Parse($self, data, isfinal=False, /)", "Parse XML data; isfinal is true at the end of input.", driver::parse),
    MethodDef::new("ParseFile($self, file, /)", "Parse XML data from file-like object.", driver::parse_file),
    MethodDef::new("SetBase($self, base, /)", "Set the URL to which relative URLs refer.", |vm, this, args| {
        if args[0].downcast::<Str>().is_none() {
            return Err(vm.type_error(format!("SetBase() argument must be str, not {}", args[0].ty().name())));
        }
        let base = taipan_object::codecs::to_utf8(vm, &args[0])?;
        Parser::of(this).state().engine.base = Some(base);
        Ok(Value::NONE)
    }),
    MethodDef::new("GetBase($self, /)", "Return the URL that SetBase() has set.", |_, this, _| {
        Ok(Parser::of(this).state().engine.base.as_deref().map_or(Value::NONE, Value::from))
    }),
    MethodDef::new(
        "GetInputContext($self, /)",
        "Return the untranslated text of the input that caused the current event, from its start on.",
        |vm, this, _| {
            let context = {
                let state = Parser::of(this).state();
                if state.in_callback { state.engine.input_context().map(<[u8]>::to_vec) } else { None }
            };
            context.map_or(Ok(Value::NONE), |context| bytes::from_slice(vm, &context))
        },
    ),
    MethodDef::new(
        "ExternalEntityParserCreate($self, context, encoding=<unrepresentable>,\n                           /)",
        "Make a parser for an external entity, in the context that its handler was given.",
        external_entity_parser_create,
    ),
    MethodDef::new("SetParamEntityParsing($self, flag, /)", "\
        Set whether parameter entities, and with them an external DTD, are parsed.", |vm, this, args| {
        let flag = crate::arguments::c_int(vm, &args[0])?;
        let mut state = Parser::of(this).state();
        if state.engine.has_started() {
            return Ok(Value::from(0));
        }
        state.engine.param_entity_parsing = flag.clamp(0, 2) as u8;
        Ok(Value::from(1))
    }),
    MethodDef::new("UseForeignDTD($self, flag=True, /)", "\
        Call the handler of external entities even for a document without a DTD.", |vm, this, args| {
        let flag = vm.is_true(&args[0])?;
        if Parser::of(this).state().engine.has_started() {
            return Err(driver::error(vm, this, Code::CantChangeFeatureOnceParsing));
        }
        Parser::of(this).state().engine.use_foreign_dtd = flag;
        Ok(Value::NONE)
    }),
    MethodDef::new("SetBillionLaughsAttackProtectionActivationThreshold($self, threshold, /)", "The number of output bytes from which on the amplification of input is limited.", |vm, this, args| {
        let threshold = threshold(vm, &args[0])?;
        set_limit(vm, this, |accounting| accounting.expansion.threshold.set(threshold))
    }),
    MethodDef::new("SetBillionLaughsAttackProtectionMaximumAmplification($self, max_factor,\n                                                     /)", "How much input may be amplified by entities.", |vm, this, args| {
        set_factor(vm, this, &args[0], |accounting, factor| accounting.expansion.set_factor(factor))
    }),
    MethodDef::new("SetAllocTrackerActivationThreshold($self, threshold, /)", "The number of allocated bytes from which on allocation is limited.", |vm, this, args| {
        let threshold = threshold(vm, &args[0])?;
        set_limit(vm, this, |accounting| accounting.allocation.threshold.set(threshold))
    }),
    MethodDef::new("SetAllocTrackerMaximumAmplification($self, max_factor, /)", "How much more than the input may be allocated.", |vm, this, args| {
        set_factor(vm, this, &args[0], |accounting, factor| accounting.allocation.set_factor(factor))
    }),
    MethodDef::new("SetReparseDeferralEnabled($self, enabled, /)", "\
        Set whether incomplete tokens wait for more data before they are parsed anew.", |vm, this, args| {
        let enabled = vm.is_true(&args[0])?;
        Parser::of(this).state().engine.defer_reparse = enabled;
        Ok(Value::NONE)
    }),
    MethodDef::new("GetReparseDeferralEnabled($self, /)", "\
        Tell whether incomplete tokens wait for more data.", |_, this, _| {
        Ok(Value::from(Parser::of(this).state().engine.defer_reparse))
    }),
]; }

static MEMBERS: &[MemberDef] = &[MemberDef::new("intern", "", |_, this| {
    Ok(Parser::of(this).state().intern.clone().map_or(Value::NONE, Ref::into_value))
})];

macro_rules! position {
    ($name:literal, $field:ident) => {
        GetSetDef::new($name, "", |_, this| {
            let (position, _) = Parser::of(this).state().engine.position();
            Ok(Value::from(position.$field))
        })
    };
}

fn byte_index(_: &Vm, this: &Value) -> Result {
    let (position, started) = Parser::of(this).state().engine.position();
    Ok(if started { Value::from(position.byte) } else { Value::from(-1) })
}

macro_rules! flag {
    ($name:literal, $get:expr, $set:expr) => {
        GetSetDef::new($name, "", |_, this| {
            let get: fn(&State) -> bool = $get;
            Ok(Value::from(get(&Parser::of(this).state())))
        })
        .setter(|vm, this, value| {
            let Some(value) = value else { return Err(vm.runtime_error("Cannot delete attribute")) };
            let value = vm.is_true(value)?;
            let set: fn(&mut State, bool) = $set;
            set(&mut Parser::of(this).state(), value);
            Ok(())
        })
    };
}

static GETSET: &[GetSetDef] = &[
    GetSetDef::new("ErrorCode", "", |_, this| {
        Ok(Value::from(Parser::of(this).state().engine.error().map_or(0, |code| code as i32)))
    }),
    position!("ErrorLineNumber", line),
    position!("ErrorColumnNumber", column),
    GetSetDef::new("ErrorByteIndex", "", byte_index),
    position!("CurrentLineNumber", line),
    position!("CurrentColumnNumber", column),
    GetSetDef::new("CurrentByteIndex", "", byte_index),
    GetSetDef::new("buffer_size", "", |_, this| Ok(Value::from(Parser::of(this).state().buffer_size)))
        .setter(set_buffer_size),
    GetSetDef::new("buffer_text", "", |_, this| Ok(Value::from(Parser::of(this).state().buffer_text))).setter(
        |vm, this, value| {
            let Some(value) = value else { return Err(vm.runtime_error("Cannot delete attribute")) };
            let enable = vm.is_true(value)?;
            if !enable && Parser::of(this).state().buffer_text {
                super::handlers::flush(vm, this)?;
            }
            Parser::of(this).state().buffer_text = enable;
            Ok(())
        },
    ),
    GetSetDef::new("buffer_used", "", |_, this| Ok(Value::from(Parser::of(this).state().buffer.len()))),
    flag!("namespace_prefixes", |state| state.engine.namespace_prefixes, |state, value| {
        state.engine.namespace_prefixes = value;
    }),
    flag!("ordered_attributes", |state| state.ordered_attributes, |state, value| state.ordered_attributes = value),
    flag!("specified_attributes", |state| state.specified_attributes, |state, value| {
        state.specified_attributes = value;
    }),
];

fn set_buffer_size(vm: &Vm, this: &Value, value: Option<&Value>) -> Result<()> {
    let Some(value) = value else { return Err(vm.runtime_error("Cannot delete attribute")) };
    if !int::is_int(value) {
        return Err(vm.type_error("buffer_size must be an integer"));
    }
    let size = int::to_i64(value);
    let size = size.ok_or_else(|| vm.overflow_error("Python int too large to convert to C long"))?;
    if size <= 0 {
        return Err(vm.value_error("buffer_size must be greater than zero"));
    }
    if size > i64::from(i32::MAX) {
        return Err(vm.value_error(format!("buffer_size must not be greater than {}", i32::MAX)));
    }
    let parser = Parser::of(this);
    let flush = {
        let state = parser.state();
        state.buffer_text && state.buffer_size != size as usize
    };
    if flush {
        super::handlers::flush(vm, this)?;
    }
    parser.state().buffer_size = size as usize;
    Ok(())
}
