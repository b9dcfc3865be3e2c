//! `f_locals`: the namespace of module and class code, or a view of a function's locals that writes through (PEP 667).

use taipan_object::builtins::dict::Dict;
use taipan_object::builtins::list::List;
use taipan_object::builtins::str::Str;
use taipan_object::builtins::tuple::Tuple;
use taipan_object::header::Header;
use taipan_object::heap::Kind;
use taipan_object::native::MethodDef;
use taipan_object::object::{Payload, Visitor};
use taipan_object::types::slots::{CompareOp, hash_not_implemented};
use taipan_object::types::{Type, TypeSpec, type_flags};
use taipan_object::{Ref, Result, Value, Vm};

use super::FrameObject;

/// `FrameLocalsProxy`.
#[repr(C)]
pub struct FrameLocalsProxy {
    header: Header,
    frame: Value,
}

// SAFETY: repr(C), header first, visits the frame.
unsafe impl Payload for FrameLocalsProxy {
    const KIND: Kind = Kind::Container;
    fn static_type() -> &'static Type {
        FRAME_LOCALS_PROXY.ty()
    }
    fn traverse(&self, visit: Visitor) {
        visit(&self.frame);
    }
}

const CANNOT_REMOVE: &str = "cannot remove local variables from FrameLocalsProxy";

pub static FRAME_LOCALS_PROXY: TypeSpec = TypeSpec::new::<FrameLocalsProxy>("FrameLocalsProxy")
    .flags(type_flags::MAPPING)
    .slots(|s| {
        s.new = Some(|vm, _, args, kwnames| {
            let keywords = kwnames.map_or(0, |names| vm.tuple_len(names));
            match &args[..args.len() - keywords] {
                [_] if keywords > 0 => Err(vm.type_error("FrameLocalsProxy takes no keyword arguments")),
                [frame] if frame.downcast::<FrameObject>().is_some() => Ok(new(frame)),
                [other] => Err(vm.type_error(format!("expect frame, not {}", other.ty().name()))),
                given => Err(vm.type_error(format!("FrameLocalsProxy expected 1 argument, got {}", given.len()))),
            }
        });
        s.repr = Some(|vm, this| {
            if !vm.enter_repr(this) {
                return Ok(Value::from("{...}"));
            }
            let text = copy(vm, this).and_then(|dict| vm.repr(&dict));
            vm.leave_repr(this);
            text
        });
        s.hash = Some(hash_not_implemented);
        s.richcompare = Some(|vm, this, other, op| {
            if !matches!(op, CompareOp::Eq | CompareOp::Ne) {
                return Ok(Value::NOT_IMPLEMENTED);
            }
            if other.downcast::<FrameLocalsProxy>().is_some() {
                let same = frame_of(this).header.ty().is(&super::FRAME) && own(this).frame.is(&own(other).frame);
                return Ok(Value::bool(same == (op == CompareOp::Eq)));
            }
            if other.downcast::<Dict>().is_some() {
                return vm.rich_compare(&copy(vm, this)?, other, op);
            }
            Ok(Value::NOT_IMPLEMENTED)
        });
        s.iter = Some(|vm, this| vm.iter(&list(keys(this))));
        s.length = Some(|_, this| Ok(keys(this).len()));
        s.subscript = Some(|vm, this, key| match get(vm, this, key)? {
            Some(value) => Ok(value),
            None => {
                let message = format!("local variable '{}' is not defined", vm.repr_string(key)?);
                Err(vm.raise_new(taipan_object::exceptions::KEY_ERROR.ty(), message))
            }
        });
        s.ass_subscript = Some(|vm, this, key, value| match value {
            Some(value) => set(vm, this, key, value),
            None if index_of(vm, frame_of(this), key)?.is_some() => Err(vm.value_error(CANNOT_REMOVE)),
            None => match frame_of(this).extra() {
                Some(extra) if extra.remove(vm, key)?.is_some() => Ok(()),
                _ => Err(vm.key_error(key)),
            },
        });
        s.contains = Some(|vm, this, key| Ok(get(vm, this, key)?.is_some()));
        s.or = Some(or);
        s.inplace_or = Some(|vm, this, other| {
            if !is_mapping(other) {
                return Ok(Value::NOT_IMPLEMENTED);
            }
            update(vm, this, other)?;
            Ok(this.clone())
        });
    })
    .methods(METHODS);

taipan_object::method_table! {
    static METHODS = [
        MethodDef::new("update($self, object, /)", "", |vm, this, args| {
            update(vm, this, &args[0])?;
            Ok(Value::NONE)
        }),
        MethodDef::new("__reversed__($self, /)", "", |_, this, _| {
            let mut keys = keys(this);
            keys.reverse();
            Ok(list(keys))
        }),
        MethodDef::new("copy($self, /)", "", |vm, this, _| copy(vm, this)),
        MethodDef::new("keys($self, /)", "", |_, this, _| Ok(list(keys(this)))),
        MethodDef::new("values($self, /)", "", |vm, this, _| Ok(list(pairs(vm, this)?.into_iter().map(|p| p.1).collect()))),
        MethodDef::new("items($self, /)", "", |vm, this, _| {
            let pairs = pairs(vm, this)?.into_iter();
            Ok(list(pairs.map(|(key, value)| Tuple::from_vec(vec![key, value]).into_value()).collect()))
        }),
        MethodDef::raw("get", "", |vm, this, args, _| match args {
            [key] | [key, _] => Ok(get(vm, this, key)?.or_else(|| args.get(1).cloned()).unwrap_or(Value::NONE)),
            _ => Err(vm.type_error("get expected 1 or 2 arguments")),
        }),
        MethodDef::raw("pop", "", |vm, this, args, _| {
            let Some(key) = args.first() else {
                return Err(vm.type_error("pop expected at least 1 argument, got 0"));
            };
            if args.len() > 2 {
                return Err(vm.type_error(format!("pop expected at most 2 arguments, got {}", args.len())));
            }
            if index_of(vm, frame_of(this), key)?.is_some() {
                return Err(vm.value_error(CANNOT_REMOVE));
            }
            let found = match frame_of(this).extra() {
                Some(extra) => extra.remove(vm, key)?,
                None => None,
            };
            match (found, args.get(1)) {
                (Some(value), _) => Ok(value),
                (None, Some(default)) => Ok(default.clone()),
                (None, None) => Err(vm.key_error(key)),
            }
        }),
        MethodDef::new("setdefault($self, key, default=None, /)", "", |vm, this, args| match get(vm, this, &args[0])? {
            Some(value) => Ok(value),
            None => {
                set(vm, this, &args[0], &args[1])?;
                Ok(args[1].clone())
            }
        }),
    ];
}

/// `frame.f_locals`.
pub(super) fn f_locals(frame: &Value) -> Value {
    let object = super::own(frame);
    let live = object.frame();
    if super::shows_namespace(live) {
        // SAFETY: the frame owns its namespace.
        return unsafe { Value::borrow_word(&live.namespace) }.clone();
    }
    new(frame)
}

fn new(frame: &Value) -> Value {
    Ref::new(FrameLocalsProxy { header: Header::new(FRAME_LOCALS_PROXY.ty()), frame: frame.clone() }).into_value()
}

fn own(this: &Value) -> &FrameLocalsProxy {
    this.downcast::<FrameLocalsProxy>().expect("called through its own slot")
}

fn frame_of(this: &Value) -> &FrameObject {
    own(this).frame.downcast::<FrameObject>().expect("a proxy refers to a frame")
}

fn list(items: Vec<Value>) -> Value {
    List::from_vec(items).into_value()
}

impl FrameObject {
    fn extra(&self) -> Option<Ref<Dict>> {
        self.extra_locals.borrow(&self.header).clone()
    }
}

/// The local that a key names: a string, or what is equal to one.
fn index_of(vm: &Vm, frame: &FrameObject, key: &Value) -> Result<Option<usize>> {
    let hash = vm.hash(key)?;
    let code = frame.code();
    let names = || code.localsplusnames().iter().enumerate();
    if let Some(text) = key.downcast_exact::<Str>() {
        let is = |name: &Value| name.downcast::<Str>().is_some_and(|name| name.equals(text));
        return Ok(names().position(|(_, name)| is(name)));
    }
    for (index, name) in names() {
        if vm.hash(name)? == hash && vm.equal_or_identical(name, key)? {
            return Ok(Some(index));
        }
    }
    Ok(None)
}

fn get(vm: &Vm, this: &Value, key: &Value) -> Result<Option<Value>> {
    let frame = frame_of(this);
    if let Some(index) = index_of(vm, frame, key)?
        && let Some(value) = frame.local(index)
    {
        return Ok(Some(value));
    }
    match frame.extra() {
        Some(extra) => extra.get(vm, key),
        None => Ok(None),
    }
}

fn set(vm: &Vm, this: &Value, key: &Value, value: &Value) -> Result<()> {
    let frame = frame_of(this);
    if let Some(index) = index_of(vm, frame, key)? {
        frame.set_local(index, value.clone());
        return Ok(());
    }
    let extra = frame.extra().unwrap_or_else(|| {
        let dict = Dict::new();
        frame.extra_locals.borrow(&frame.header).get_or_insert(dict).clone()
    });
    extra.set(vm, key, value.clone())
}

fn keys(this: &Value) -> Vec<Value> {
    let frame = frame_of(this);
    let code = frame.code();
    let visible = |index: &usize| frame.local(*index).is_some();
    let mut keys: Vec<Value> =
        (0..code.nlocalsplus()).filter(visible).map(|index| code.localsplusnames()[index].clone()).collect();
    if let Some(extra) = frame.extra() {
        keys.extend(extra.keys());
    }
    keys
}

fn pairs(vm: &Vm, this: &Value) -> Result<Vec<(Value, Value)>> {
    let mut pairs = Vec::new();
    for key in keys(this) {
        if let Some(value) = get(vm, this, &key)? {
            pairs.push((key, value));
        }
    }
    Ok(pairs)
}

fn copy(vm: &Vm, this: &Value) -> Result {
    let dict = Dict::new();
    for (key, value) in pairs(vm, this)? {
        dict.set(vm, &key, value)?;
    }
    Ok(dict.into_value())
}

fn update(vm: &Vm, this: &Value, other: &Value) -> Result<()> {
    let pairs = if other.downcast::<FrameLocalsProxy>().is_some() {
        pairs(vm, other)?
    } else if let Some(dict) = other.downcast::<Dict>() {
        dict.items()
    } else {
        return Err(vm.type_error("update() argument must be dict or another FrameLocalsProxy"));
    };
    pairs.iter().try_for_each(|(key, value)| set(vm, this, key, value))
}

fn is_mapping(value: &Value) -> bool {
    value.downcast::<Dict>().is_some() || value.downcast::<FrameLocalsProxy>().is_some()
}

fn or(vm: &Vm, left: &Value, right: &Value) -> Result {
    if !is_mapping(left) || !is_mapping(right) {
        return Ok(Value::NOT_IMPLEMENTED);
    }
    let result = Dict::new();
    for side in [left, right] {
        let pairs = match side.downcast::<Dict>() {
            Some(dict) => dict.items(),
            None => pairs(vm, side)?,
        };
        for (key, value) in pairs {
            result.set(vm, &key, value)?;
        }
    }
    Ok(result.into_value())
}
