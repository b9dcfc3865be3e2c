//! The descriptors of built-in types: `method_descriptor`, `classmethod_descriptor`, `wrapper_descriptor`,
//! `method-wrapper`, `getset_descriptor`. `member.rs` has `member_descriptor`.

use super::arguments;
use super::function::BuiltinFunction;
use super::member::MemberDescriptor;
use super::{Binding, GetSetDef, MemberDef, MethodDef};
use crate::builtins::memoryview;
use crate::builtins::str::intern;
use crate::builtins::tuple::Tuple;
use crate::header::Header;
use crate::heap::Kind;
use crate::object::{Payload, Ref, Result, Visitor, to_ref, to_value};
use crate::types::slots::{SlotFn, SlotRow, Slots, Wrap};
use crate::types::{Called, Type, TypeSpec, type_flags};
use crate::value::Value;
use crate::vm::{Raised, Vm};

macro_rules! descriptor {
    ($(#[$doc:meta])* $name:ident, $spec:ident, $python:literal, $flags:expr, $slots:ident, $getset:expr, $members:expr, $methods:expr, $called:ident,
     { $($field:ident : $ty:ty),* }) => {
        $(#[$doc])*
        #[repr(C)]
        pub struct $name {
            pub header: Header,
            /// `__objclass__`
            pub owner: Ref<Type>,
            $(pub $field: $ty,)*
        }
        // SAFETY: repr(C), header first, visits the owner (the other fields are not Python references).
        unsafe impl Payload for $name {
            const KIND: Kind = Kind::Container;
            fn static_type() -> &'static Type { $spec.ty() }
            fn traverse(&self, visit: Visitor) { visit(self.owner.as_value()) }
        }
        pub static $spec: TypeSpec = TypeSpec::new::<$name>($python)
            .flags(type_flags::DISALLOW_INSTANTIATION | $flags).called(Called::$called).slots($slots).getset($getset).members($members).methods($methods);
        impl $name {
            fn of(value: &Value) -> &$name {
                value.downcast::<$name>().expect("called through its own type's slot")
            }
        }
    };
}

descriptor! {
    /// An unbound native method (`list.append`).
    MethodDescriptor, METHOD_DESCRIPTOR, "method_descriptor", type_flags::METHOD_DESCRIPTOR | type_flags::HAVE_VECTORCALL, method_slots, METHOD_GETSET, METHOD_MEMBERS, METHOD_METHODS, MethodDescriptor,
    { def: &'static MethodDef }
}
descriptor! {
    /// A native class method (`dict.fromkeys` in `dict.__dict__`).
    ClassMethodDescriptor, CLASSMETHOD_DESCRIPTOR, "classmethod_descriptor", 0, classmethod_slots, CLASSMETHOD_GETSET, CLASSMETHOD_MEMBERS, &[], Otherwise,
    { def: &'static MethodDef }
}
descriptor! {
    /// A slot seen as a method (`int.__add__`).
    SlotWrapper, SLOT_WRAPPER, "wrapper_descriptor", type_flags::METHOD_DESCRIPTOR, wrapper_slots, WRAPPER_GETSET, WRAPPER_MEMBERS, WRAPPER_METHODS, Otherwise,
    { row: &'static SlotRow, function: SlotFn }
}
descriptor! {
    /// A computed attribute of a built-in type.
    GetSetDescriptor, GETSET_DESCRIPTOR, "getset_descriptor", 0, getset_slots, GETSET_GETSET, GETSET_MEMBERS, &[], Otherwise,
    { def: &'static GetSetDef }
}
pub(crate) fn method(ty: &Type, def: &'static MethodDef) -> Value {
    match def.binding {
        Binding::Instance => {
            let header = Header::new(METHOD_DESCRIPTOR.ty());
            let descriptor = Ref::new(MethodDescriptor { header, owner: to_ref(ty), def });
            // It lasts as long as its type, and all threads call methods: nobody is to count references to it.
            #[cfg(feature = "free-threading")]
            if crate::vm::world::is_free_threaded() {
                descriptor.header.make_immortal();
            }
            descriptor.into_value()
        }
        Binding::Class => {
            let header = Header::new(CLASSMETHOD_DESCRIPTOR.ty());
            Ref::new(ClassMethodDescriptor { header, owner: to_ref(ty), def }).into_value()
        }
        Binding::Static => {
            let function = BuiltinFunction::new(def, to_value(ty), Value::NONE).into_value();
            crate::builtins::staticmethod::new(function)
        }
    }
}
pub(crate) fn slot_wrapper(ty: &Type, row: &'static SlotRow, function: SlotFn) -> Value {
    let header = Header::new(SLOT_WRAPPER.ty());
    Ref::new(SlotWrapper { header, owner: to_ref(ty), row, function }).into_value()
}
/// `__buffer__` and `__release_buffer__` of the built-in types that export their memory. The slot behind them has no
/// Python signature; what they call is in `memoryview.rs`.
static BUFFER_ROWS: [SlotRow; 2] = [
    SlotRow {
        name: "__buffer__",
        wrap: Wrap::Buffer,
        doc: "Return a memoryview of the object's memory.",
        get: |_| None,
        set: |_, _| {},
        generic: SlotFn::Binary(memoryview::buffer_method),
        field: u16::MAX,
    },
    SlotRow {
        name: "__release_buffer__",
        wrap: Wrap::Buffer,
        doc: "Give back a memoryview that __buffer__() has returned.",
        get: |_| None,
        set: |_, _| {},
        generic: SlotFn::Binary(memoryview::release_buffer_method),
        field: u16::MAX,
    },
];

/// The buffer protocol's methods for a type that has the slot; `release` if views must be given back.
pub(crate) fn buffer_methods(ty: &Type, release: bool) -> Vec<(&'static str, Value)> {
    let rows = BUFFER_ROWS.iter().take(if release { 2 } else { 1 });
    rows.map(|row| (row.name, slot_wrapper(ty, row, row.generic))).collect()
}

/// The slot wrapper of `ty`'s own slot for the dunder method `name`.
pub(crate) fn slot_wrapper_of(ty: &Type, name: &str) -> Value {
    let row = crate::types::slots::SLOT_ROWS.iter().find(|row| row.name == name).expect("a dunder method");
    let function = (row.get)(ty.slots()).expect("the slot is set");
    slot_wrapper(ty, row, function)
}
pub fn getset(ty: &Type, def: &'static GetSetDef) -> Value {
    let header = Header::new(GETSET_DESCRIPTOR.ty());
    Ref::new(GetSetDescriptor { header, owner: to_ref(ty), def }).into_value()
}
/// The error of `descriptor.__get__(x)` for an `x` that is not an instance of the owner.
pub(crate) fn check_instance(vm: &Vm, owner: &Type, name: &str, this: &Value) -> Result<()> {
    if this.ty().is_subtype(owner) {
        return Ok(());
    }
    Err(vm.type_error(format!(
        "descriptor '{name}' for '{}' objects doesn't apply to a '{}' object",
        owner.name(),
        this.ty().name()
    )))
}

/// `descriptor.__get__(object, class)` for a descriptor of a built-in type that has once given something for an object of the
/// same type: it need not be asked again whether it is one for such objects.
#[inline]
pub fn get_again(vm: &Vm, descriptor: &Value, object: Option<&Value>, class: &Value) -> Result {
    let ty = descriptor.ty();
    if let Some(object) = object {
        if ty.is(&GETSET_DESCRIPTOR) {
            return (GetSetDescriptor::of(descriptor).def.get)(vm, object);
        }
        if let Some(member) = descriptor.downcast_exact::<MemberDescriptor>() {
            return member.get(vm, object);
        }
    }
    // What the descriptor does may end it, and the class.
    let (descriptor, class) = (descriptor.clone(), class.clone());
    let get = ty.slots().descr_get.expect("caches hold descriptors whose types cannot change");
    get(vm, &descriptor, object, Some(&class))
}

fn qualified(owner: &Type, name: &str) -> String {
    format!("{}.{name}", owner.short_name())
}

/// Splits off `self` from the arguments of a call through the class.
#[inline(always)]
fn split_self<'a>(
    vm: &Vm,
    owner: &Type,
    name: impl FnOnce() -> &'static str,
    args: &'a [Value],
    positional: usize,
) -> Result<&'a Value> {
    if positional > 0 && args[0].ty().is_subtype(owner) {
        return Ok(&args[0]);
    }
    Err(no_self(vm, owner, name(), args.first().filter(|_| positional > 0)))
}

#[cold]
fn no_self(vm: &Vm, owner: &Type, name: &str, this: Option<&Value>) -> Raised {
    let Some(this) = this else {
        return vm.type_error(format!("unbound method {}() needs an argument", qualified(owner, name)));
    };
    let (owner, given) = (owner.name(), this.ty().name());
    vm.type_error(format!("descriptor '{name}' for '{owner}' objects doesn't apply to a '{given}' object"))
}

/// Calls `this`, a `method_descriptor`.
fn call_method_descriptor(vm: &Vm, this: &Value, args: &[Value], kwnames: Option<&Value>) -> Result {
    let d = MethodDescriptor::of(this);
    let this = split_self(vm, &d.owner, || d.def.name(), args, positional_count(vm, args, kwnames))?;
    vm.check_stack(" while calling a Python object")?;
    d.def.call(vm, this, &args[1..], kwnames)
}

fn positional_count(vm: &Vm, args: &[Value], kwnames: Option<&Value>) -> usize {
    args.len() - kwnames.map_or(0, |names| vm.tuple_len(names))
}

fn method_slots(s: &mut Slots) {
    s.repr = Some(|_, this| {
        let d = MethodDescriptor::of(this);
        Ok(Value::from(format!("<method '{}' of '{}' objects>", d.def.name(), d.owner.name())))
    });
    s.call = Some(call_method_descriptor);
    s.descr_get = Some(|vm, this, object, _| {
        let Some(object) = object else { return Ok(this.clone()) };
        let d = MethodDescriptor::of(this);
        check_instance(vm, &d.owner, d.def.name(), object)?;
        Ok(BuiltinFunction::new(d.def, object.clone(), Value::NONE).into_value())
    });
}

fn classmethod_slots(s: &mut Slots) {
    s.repr = Some(|_, this| {
        let d = ClassMethodDescriptor::of(this);
        Ok(Value::from(format!("<method '{}' of '{}' objects>", d.def.name(), d.owner.name())))
    });
    s.descr_get = Some(|vm, this, object, ty| {
        let d = ClassMethodDescriptor::of(this);
        let class = match (ty, object) {
            (Some(ty), _) => ty.clone(),
            (None, Some(object)) => object.ty().to_value(),
            (None, None) => {
                return Err(vm.type_error(format!(
                    "descriptor '{}' for type '{}' needs either an object or a type",
                    d.def.name(),
                    d.owner.name()
                )));
            }
        };
        check_class(vm, &d.owner, d.def.name(), &class)?;
        Ok(BuiltinFunction::new(d.def, class, Value::NONE).into_value())
    });
    s.call = Some(|vm, this, args, kwnames| {
        let d = ClassMethodDescriptor::of(this);
        if positional_count(vm, args, kwnames) == 0 {
            let (name, owner) = (d.def.name(), d.owner.name());
            return Err(vm.type_error(format!("descriptor '{name}' of '{owner}' object needs an argument")));
        }
        check_class(vm, &d.owner, d.def.name(), &args[0])?;
        d.def.call(vm, &args[0], &args[1..], kwnames)
    });
}

fn check_class(vm: &Vm, owner: &Type, name: &str, class: &Value) -> Result<()> {
    let Some(ty) = class.downcast::<Type>() else {
        return Err(vm.type_error(format!(
            "descriptor '{name}' for type '{}' needs a type, not a '{}' as arg 2",
            owner.name(),
            class.ty().name()
        )));
    };
    if !ty.is_subtype(owner) {
        return Err(vm.type_error(format!(
            "descriptor '{name}' requires a subtype of '{}' but received '{}'",
            owner.name(),
            ty.name()
        )));
    }
    Ok(())
}

fn wrapper_slots(s: &mut Slots) {
    s.repr = Some(|_, this| {
        let d = SlotWrapper::of(this);
        Ok(Value::from(format!("<slot wrapper '{}' of '{}' objects>", d.row.name, d.owner.name())))
    });
    s.call = Some(|vm, this, args, kwnames| {
        let d = SlotWrapper::of(this);
        let positional = positional_count(vm, args, kwnames);
        if positional == 0 {
            return Err(vm.type_error(format!(
                "descriptor '{}' of '{}' object needs an argument",
                d.row.name,
                d.owner.name()
            )));
        }
        if !args[0].ty().is_subtype(&d.owner) {
            return Err(vm.type_error(format!(
                "descriptor '{}' requires a '{}' object but received a '{}'",
                d.row.name,
                d.owner.name(),
                args[0].ty().name()
            )));
        }
        call_slot(vm, d, &args[0], &args[1..], kwnames)
    });
    s.descr_get = Some(|vm, this, object, _| {
        let Some(object) = object else { return Ok(this.clone()) };
        let d = SlotWrapper::of(this);
        check_instance(vm, &d.owner, d.row.name, object)?;
        let header = Header::new(METHOD_WRAPPER.ty());
        Ok(Ref::new(MethodWrapper { header, wrapper: to_ref(d), this: object.clone() }).into_value())
    });
}

/// A slot wrapper bound to an object (`(1).__add__`).
#[repr(C)]
pub struct MethodWrapper {
    pub header: Header,
    pub wrapper: Ref<SlotWrapper>,
    pub this: Value,
}
// SAFETY: repr(C), header first, visits both references.
unsafe impl Payload for MethodWrapper {
    const KIND: Kind = Kind::Container;
    fn static_type() -> &'static Type {
        METHOD_WRAPPER.ty()
    }
    fn traverse(&self, visit: Visitor) {
        visit(self.wrapper.as_value());
        visit(&self.this);
    }
}
pub static METHOD_WRAPPER: TypeSpec = TypeSpec::new::<MethodWrapper>("method-wrapper")
    .flags(type_flags::DISALLOW_INSTANTIATION)
    .slots(|s| {
        s.call = Some(|vm, this, args, kwnames| {
            let m = bound_wrapper(this);
            call_slot(vm, &m.wrapper, &m.this, args, kwnames)
        });
        s.repr = Some(|_, this| {
            let m = bound_wrapper(this);
            let (name, ty) = (m.wrapper.row.name, m.this.ty().name());
            Ok(Value::from(format!("<method-wrapper '{name}' of {ty} object at {:#x}>", m.this.id())))
        });
        s.hash = Some(|_, this| {
            let m = bound_wrapper(this);
            Ok((m.this.id() >> 4) as i64 ^ (m.wrapper.as_value().id() >> 4) as i64)
        });
        s.richcompare = Some(|_, this, other, op| {
            use crate::types::slots::CompareOp::*;
            let (Some(a), Some(b)) = (this.downcast::<MethodWrapper>(), other.downcast::<MethodWrapper>()) else {
                return Ok(Value::NOT_IMPLEMENTED);
            };
            let equal = a.wrapper.as_value().is(b.wrapper.as_value()) && a.this.is(&b.this);
            match op {
                Eq => Ok(Value::bool(equal)),
                Ne => Ok(Value::bool(!equal)),
                _ => Ok(Value::NOT_IMPLEMENTED),
            }
        });
    })
    .getset(&[
        GetSetDef::new("__objclass__", "", |_, this| Ok(bound_wrapper(this).wrapper.owner.as_value().clone())),
        GetSetDef::new("__name__", "", |_, this| Ok(intern(bound_wrapper(this).wrapper.row.name).into_value())),
        GetSetDef::new("__qualname__", "", |_, this| {
            let wrapper = &bound_wrapper(this).wrapper;
            Ok(Value::from(qualified(&wrapper.owner, wrapper.row.name)))
        }),
        GetSetDef::new("__doc__", "", |_, this| Ok(Value::from(bound_wrapper(this).wrapper.row.doc))),
        GetSetDef::new("__text_signature__", "", |_, this| {
            Ok(Value::from(slot_text_signature(bound_wrapper(this).wrapper.row)))
        }),
    ])
    .members(&[MemberDef::new("__self__", "", |_, this| Ok(bound_wrapper(this).this.clone()))])
    .methods(METHOD_WRAPPER_METHODS);

fn bound_wrapper(value: &Value) -> &MethodWrapper {
    value.downcast::<MethodWrapper>().expect("called through its own slot")
}

/// Calls a slot with Python arguments.
fn call_slot(vm: &Vm, d: &SlotWrapper, this: &Value, args: &[Value], kwnames: Option<&Value>) -> Result {
    let keywords = kwnames.map_or(0, |names| vm.tuple_len(names));
    if keywords > 0 && !matches!(d.row.wrap, Wrap::Call | Wrap::Init) {
        return Err(vm.type_error(format!("wrapper {}() takes no keyword arguments", d.row.name)));
    }
    let expect = |n: usize| -> Result<()> {
        if args.len() == n {
            return Ok(());
        }
        let plural = if n == 1 { "" } else { "s" };
        Err(vm.type_error(format!("expected {n} argument{plural}, got {}", args.len())))
    };
    let one_or_two = || -> Result<()> {
        if (1..=2).contains(&args.len()) {
            return Ok(());
        }
        Err(vm.type_error(format!("expected 1 or 2 arguments, got {}", args.len())))
    };
    let named = |n: usize| -> Result<()> { arguments::check_positional(vm, d.row.name, args.len(), n, n) };
    match (d.row.wrap, d.function) {
        (Wrap::Unary, SlotFn::Unary(f)) => expect(0).and_then(|()| f(vm, this)),
        (Wrap::BinaryL, SlotFn::Binary(f)) => expect(1).and_then(|()| f(vm, this, &args[0])),
        (Wrap::GetAttribute, SlotFn::Binary(f)) => {
            expect(1)?;
            f(vm, this, &vm.attribute_name(&args[0])?)
        }
        (Wrap::BinaryR, SlotFn::Binary(f)) => expect(1).and_then(|()| f(vm, &args[0], this)),
        (Wrap::TernaryL, SlotFn::Ternary(f)) => {
            one_or_two()?;
            f(vm, this, &args[0], args.get(1).unwrap_or(&Value::NONE))
        }
        (Wrap::TernaryR, SlotFn::Ternary(f)) => {
            one_or_two()?;
            f(vm, &args[0], this, args.get(1).unwrap_or(&Value::NONE))
        }
        (Wrap::Inquiry, SlotFn::Inquiry(f)) => {
            expect(0)?;
            f(vm, this).map(Value::bool)
        }
        (Wrap::Length, SlotFn::Length(f)) => {
            expect(0)?;
            f(vm, this).map(Value::from)
        }
        (Wrap::Hash, SlotFn::Hash(f)) => {
            expect(0)?;
            f(vm, this).map(Value::from)
        }
        (Wrap::Compare(op), SlotFn::RichCompare(f)) => {
            expect(1)?;
            f(vm, this, &args[0], op)
        }
        (Wrap::SetAttr | Wrap::DelAttr, SlotFn::SetAttr(f)) => {
            let deleting = d.row.wrap == Wrap::DelAttr;
            if deleting {
                expect(1)?
            } else {
                named(2)?
            }
            check_hackish_setattr(vm, d, this)?;
            let name = vm.attribute_name(&args[0])?;
            f(vm, this, &name, if deleting { None } else { Some(&args[1]) }).map(Value::from)
        }
        (Wrap::SetItem | Wrap::DescrSet, SlotFn::SetAttr(f)) => {
            named(2)?;
            f(vm, this, &args[0], Some(&args[1])).map(Value::from)
        }
        (Wrap::DelItem | Wrap::DescrDelete, SlotFn::SetAttr(f)) => {
            expect(1)?;
            f(vm, this, &args[0], None).map(Value::from)
        }
        (Wrap::Item, SlotFn::Item(f)) => {
            expect(1)?;
            let index = vm.index_i64(&args[0])?;
            f(vm, this, vm.wrap_index(this, index)?)
        }
        (Wrap::Repeat, SlotFn::Repeat(f)) => {
            expect(1)?;
            f(vm, this, vm.index_i64(&args[0])?)
        }
        (Wrap::Contains, SlotFn::Contains(f)) => {
            expect(1)?;
            f(vm, this, &args[0]).map(Value::bool)
        }
        (Wrap::Next, SlotFn::IterNext(f)) => {
            expect(0)?;
            match f(vm, this)? {
                Some(value) => Ok(value),
                None => Err(vm.stop_iteration(None)),
            }
        }
        (Wrap::Buffer, SlotFn::Binary(f)) => {
            named(1)?;
            f(vm, this, &args[0])
        }
        (Wrap::DescrGet, SlotFn::DescrGet(f)) => {
            arguments::check_positional(vm, d.row.name, args.len(), 1, 2)?;
            let object = args[0].given();
            let ty = args.get(1).and_then(Value::given);
            if object.is_none() && ty.is_none() {
                return Err(vm.type_error("__get__(None, None) is invalid".to_string()));
            }
            f(vm, this, object, ty)
        }
        (Wrap::Call, SlotFn::Call(f)) => f(vm, this, args, kwnames),
        (Wrap::Init, SlotFn::Init(f)) => f(vm, this, args, kwnames).map(Value::from),
        (Wrap::Del, SlotFn::Finalize(f)) => {
            expect(0)?;
            f(vm, this);
            Ok(Value::NONE)
        }
        (wrap, _) => Err(vm.system_error(format!("slot wrapper {} has the wrong kind {wrap:?}", d.row.name))),
    }
}

/// Refuses `object.__setattr__(some_type, …)`: a metatype's own `__setattr__` may not be bypassed.
fn check_hackish_setattr(vm: &Vm, d: &SlotWrapper, this: &Value) -> Result<()> {
    let mut ty = this.ty();
    while ty.is_heap_type() {
        ty = ty.base().expect("only `object` has no base");
    }
    if let (Some(native), SlotFn::SetAttr(f)) = (ty.slots().setattro, d.function)
        && !std::ptr::fn_addr_eq(native, f)
    {
        return Err(vm.type_error(format!("can't apply this {} to {} object", d.row.name, this.ty().name())));
    }
    Ok(())
}

fn getset_slots(s: &mut Slots) {
    s.repr = Some(|_, this| {
        let d = GetSetDescriptor::of(this);
        Ok(Value::from(format!("<attribute '{}' of '{}' objects>", d.def.name, d.owner.name())))
    });
    s.descr_get = Some(|vm, this, object, _| {
        let Some(object) = object else { return Ok(this.clone()) };
        let d = GetSetDescriptor::of(this);
        check_instance(vm, &d.owner, d.def.name, object)?;
        (d.def.get)(vm, object)
    });
    s.descr_set = Some(|vm, this, object, value| {
        let d = GetSetDescriptor::of(this);
        check_instance(vm, &d.owner, d.def.name, object)?;
        match d.def.set {
            Some(set) => set(vm, object, value),
            None => Err(vm.attribute_error(format!(
                "attribute '{}' of '{}' objects is not writable",
                d.def.name,
                d.owner.name()
            ))),
        }
    });
}

fn slot_text_signature(row: &SlotRow) -> &'static str {
    match row.wrap {
        Wrap::BinaryL if row.name == "__getitem__" => "($self, key, /)",
        Wrap::Unary | Wrap::Inquiry | Wrap::Length | Wrap::Hash | Wrap::Next | Wrap::Del => "($self, /)",
        Wrap::BinaryL | Wrap::BinaryR | Wrap::Compare(_) | Wrap::Repeat => "($self, value, /)",
        Wrap::TernaryL | Wrap::TernaryR => "($self, value, mod=None, /)",
        Wrap::GetAttribute | Wrap::DelAttr => "($self, name, /)",
        Wrap::SetAttr => "($self, name, value, /)",
        Wrap::SetItem => "($self, key, value, /)",
        Wrap::Buffer if row.name == "__buffer__" => "($self, flags, /)",
        Wrap::Buffer => "($self, buffer, /)",
        Wrap::DelItem | Wrap::Item | Wrap::Contains => "($self, key, /)",
        Wrap::DescrGet => "($self, instance, owner=None, /)",
        Wrap::DescrSet => "($self, instance, value, /)",
        Wrap::DescrDelete => "($self, instance, /)",
        Wrap::Call | Wrap::Init => "($self, /, *args, **kwargs)",
        Wrap::None => "",
    }
}

macro_rules! common_members {
    ($descriptor:ident, $name:expr) => {
        &[
            MemberDef::new("__objclass__", "", |_, this| Ok($descriptor::of(this).owner.as_value().clone())),
            MemberDef::new("__name__", "", |_, this| {
                let name: fn(&$descriptor) -> &'static str = $name;
                Ok(intern(name($descriptor::of(this))).into_value())
            }),
        ]
    };
}

macro_rules! common_getset {
    ($descriptor:ident, $name:expr, $doc:expr $(, $signature:expr)?) => {
        &[
            GetSetDef::new("__qualname__", "", |_, this| {
                let name: fn(&$descriptor) -> &'static str = $name;
                let d = $descriptor::of(this);
                Ok(Value::from(qualified(&d.owner, name(d))))
            }),
            GetSetDef::new("__doc__", "", |_, this| {
                let doc: fn(&$descriptor) -> &'static str = $doc;
                let doc = doc($descriptor::of(this));
                Ok(if doc.is_empty() { Value::NONE } else { Value::from(doc) })
            }),
            $(GetSetDef::new("__text_signature__", "", |_, this| {
                let signature: fn(&$descriptor) -> Option<&'static str> = $signature;
                Ok(signature($descriptor::of(this)).map_or(Value::NONE, Value::from))
            }),)?
        ]
    };
}
static METHOD_GETSET: &[GetSetDef] =
    common_getset!(MethodDescriptor, |d| d.def.name(), |d| d.def.doc, |d| d.def.text_signature());
static CLASSMETHOD_GETSET: &[GetSetDef] =
    common_getset!(ClassMethodDescriptor, |d| d.def.name(), |d| d.def.doc, |d| d.def.text_signature());
static WRAPPER_GETSET: &[GetSetDef] =
    common_getset!(SlotWrapper, |d| d.row.name, |d| d.row.doc, |d| Some(slot_text_signature(d.row)));
static GETSET_GETSET: &[GetSetDef] = common_getset!(GetSetDescriptor, |d| d.def.name, |d| d.def.doc);

static METHOD_MEMBERS: &[MemberDef] = common_members!(MethodDescriptor, |d| d.def.name());
static CLASSMETHOD_MEMBERS: &[MemberDef] = common_members!(ClassMethodDescriptor, |d| d.def.name());
static WRAPPER_MEMBERS: &[MemberDef] = common_members!(SlotWrapper, |d| d.row.name);
static GETSET_MEMBERS: &[MemberDef] = common_members!(GetSetDescriptor, |d| d.def.name);

/// `(getattr, (object, name))`: what pickle needs to find an attribute again.
pub(crate) fn reduce_to_getattr(vm: &Vm, object: &Value, name: &str) -> Result {
    let getattr = vm.import_from("builtins", "getattr")?;
    let arguments = Tuple::from_array([object.clone(), intern(name).into_value()]).into_value();
    Ok(Tuple::from_array([getattr, arguments]).into_value())
}

crate::method_table! {
    static METHOD_METHODS = [MethodDef::new("__reduce__($self, /)", "", |vm, this, _| {
        let d = MethodDescriptor::of(this);
        reduce_to_getattr(vm, d.owner.as_value(), d.def.name())
    })];
}
crate::method_table! {
    static WRAPPER_METHODS = [MethodDef::new("__reduce__($self, /)", "", |vm, this, _| {
        let d = SlotWrapper::of(this);
        reduce_to_getattr(vm, d.owner.as_value(), d.row.name)
    })];
}
crate::method_table! {
    static METHOD_WRAPPER_METHODS = [MethodDef::new("__reduce__($self, /)", "", |vm, this, _| {
        let m = bound_wrapper(this);
        reduce_to_getattr(vm, &m.this, m.wrapper.row.name)
    })];
}
