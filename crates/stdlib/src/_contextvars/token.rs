//! `contextvars.Token`: what `ContextVar.set` returns, for `reset`.

use std::sync::OnceLock;

use taipan_object::builtins::generic_alias::CLASS_GETITEM;
use taipan_object::header::Header;
use taipan_object::heap::Kind;
use taipan_object::native::{GetSetDef, MethodDef};
use taipan_object::object::Payload;
use taipan_object::types::slots::Slots;
use taipan_object::types::{Type, TypeSpec, type_flags};
use taipan_object::{Ref, Value, method_table};

use super::context::Context;
use super::context_var::ContextVar;
use crate::payload::payload;

payload! {
    pub struct Token(TokenState): TOKEN {
        context: Option<Ref<Context>>, var: Option<Ref<ContextVar>>, old: Option<Value>, used: bool,
    }
}

pub static TOKEN: TypeSpec = TypeSpec::new::<Token>("_contextvars.Token")
    .slots(slots)
    .methods(METHODS)
    .getset(GETSET)
    .populate(|ty| ty.set_raw("MISSING", missing()));

/// The type of `Token.MISSING`.
#[repr(C)]
struct Missing {
    header: Header,
}

// SAFETY: repr(C), header first, no references.
unsafe impl Payload for Missing {
    const KIND: Kind = Kind::Leaf;
    fn static_type() -> &'static Type {
        MISSING_TYPE.ty()
    }
}

static MISSING_TYPE: TypeSpec =
    TypeSpec::new::<Missing>("Token.MISSING").flags(type_flags::DISALLOW_INSTANTIATION).slots(|s| {
        s.repr = Some(|_, _| Ok(Value::from("<Token.MISSING>")));
    });

/// `Token.MISSING`
pub fn missing() -> Value {
    static MISSING: OnceLock<Value> = OnceLock::new();
    MISSING.get_or_init(|| Ref::new(Missing { header: Header::new(MISSING_TYPE.ty()) }).into_value()).clone()
}

pub(super) fn new(context: Ref<Context>, var: Ref<ContextVar>, old: Option<Value>) -> Ref<Token> {
    let state = TokenState { context: Some(context), var: Some(var), old, used: false };
    let token = Token::make(TOKEN.ty(), state);
    // SAFETY: just made with this layout.
    unsafe { Ref::from_value_unchecked(token) }
}

/// Where a token comes from.
pub(super) struct Origin {
    pub used: bool,
    pub var: Ref<ContextVar>,
    pub context: Ref<Context>,
    pub old: Option<Value>,
}

const WHOLE: &str = "a token that Python code can reach has not been cleared";

impl Token {
    pub(super) fn origin(&self) -> Origin {
        self.with(|state| Origin {
            used: state.used,
            var: state.var.clone().expect(WHOLE),
            context: state.context.clone().expect(WHOLE),
            old: state.old.clone(),
        })
    }

    pub(super) fn use_up(&self) {
        self.with(|state| state.used = true);
    }
}

fn slots(s: &mut Slots) {
    s.new = Some(|vm, _, _, _| Err(vm.runtime_error("Tokens can only be created by ContextVars")));
    s.hash = Some(taipan_object::types::slots::hash_not_implemented);
    s.repr = Some(|vm, this| {
        let origin = Token::of(this).origin();
        let used = if origin.used { " used" } else { "" };
        let var = vm.repr_string(origin.var.as_value())?;
        Ok(Value::from(format!("<Token{used} var={var} at {:#x}>", this.id())))
    });
}

static GETSET: &[GetSetDef] = &[
    GetSetDef::new("var", "", |_, this| Ok(Token::of(this).origin().var.into_value())),
    GetSetDef::new("old_value", "", |_, this| Ok(Token::of(this).origin().old.unwrap_or_else(missing))),
];

method_table! { static METHODS = [
    CLASS_GETITEM,
    MethodDef::new("__enter__($self, /)", "\
        Return the token; when the block ends, the variable is reset.", |_, this, _| Ok(this.clone())),
    MethodDef::new("__exit__($self, type, val, tb, /)", "Restore the variable's former value.", |vm, this, _| {
        let token = Token::of(this);
        token.origin().var.reset(vm, token)?;
        Ok(Value::NONE)
    }),
]; }
