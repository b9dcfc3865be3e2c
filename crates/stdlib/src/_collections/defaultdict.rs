//! `collections.defaultdict`

use crate::payload::class_of;
use taipan_object::builtins::dict::{self, DICT, Dict};
use taipan_object::builtins::generic_alias::CLASS_GETITEM;
use taipan_object::builtins::tuple::{self, Tuple};
use taipan_object::cell::ObjectCell;
use taipan_object::header::Header;
use taipan_object::heap::Kind;
use taipan_object::native::{MemberDef, MethodDef};
use taipan_object::object::{Payload, Visitor};
use taipan_object::types::{Type, TypeSpec, type_flags};
use taipan_object::vm::names;
use taipan_object::{Ref, Result, Value, Vm, method_table};

/// A dict and the factory of its missing values.
#[repr(C)]
pub struct DefaultDict {
    dict: Dict,
    factory: ObjectCell<Option<Value>>,
}

// SAFETY: repr(C), begins with a dict's layout, visits what the dict owns and the factory.
unsafe impl Payload for DefaultDict {
    const KIND: Kind = Kind::Container;
    fn static_type() -> &'static Type {
        DEFAULTDICT.ty()
    }
    fn traverse(&self, visit: Visitor) {
        self.dict.traverse(visit);
        // SAFETY: the collector has stopped the world.
        if let Some(factory) = unsafe { &*self.factory.as_ptr() } {
            visit(factory);
        }
    }
    fn clear(&self) {
        self.set_factory(None);
        self.dict.clear();
    }
}

impl DefaultDict {
    fn of(value: &Value) -> &DefaultDict {
        value.downcast::<DefaultDict>().expect("methods are called with instances of their type")
    }
    fn factory(&self) -> Option<Value> {
        self.factory.borrow(&self.dict.header).clone()
    }
    fn set_factory(&self, factory: Option<Value>) {
        let old = std::mem::replace(&mut *self.factory.borrow(&self.dict.header), factory);
        drop(old);
    }
}

pub static DEFAULTDICT: TypeSpec = TypeSpec::new::<DefaultDict>("collections.defaultdict")
    .doc(
        "defaultdict(default_factory=None, /, [...]) --> dict with default factory\n\n\
        A dictionary that makes the values of missing keys.  d[key] calls the\n\
        factory without arguments if the key is not there, and stores what it\n\
        returns; get() and ``in`` do not.\n\
        The other arguments are those of dict, and comparisons are those of\n\
        dictionaries too.",
    )
    .base(&DICT)
    .flags(type_flags::BASETYPE | type_flags::HAS_WEAKREF)
    .slots(|s| {
        s.new = Some(|_, class, _, _| {
            let ty = class_of(class);
            let payload = DefaultDict { dict: Dict::payload(ty), factory: ObjectCell::new(None) };
            debug_assert!(std::ptr::eq(payload.dict.header.ty(), Header::new(ty).ty()));
            Ok(Ref::new_with_type(ty, payload).into_value())
        });
        s.init = Some(init);
        s.repr = Some(repr);
        s.or = Some(|vm, left, right| {
            let (this, other) = if left.downcast::<DefaultDict>().is_some() { (left, right) } else { (right, left) };
            if other.downcast::<Dict>().is_none() {
                return Ok(Value::NOT_IMPLEMENTED);
            }
            let union = copy_with(vm, this, left)?;
            let union_dict = union.downcast::<Dict>().ok_or(()).or_else(|()| Err(vm.type_error("expected a dict")))?;
            dict::update(vm, union_dict, right)?;
            Ok(union)
        });
    })
    .members(MEMBERS)
    .methods(METHODS);

fn init(vm: &Vm, this: &Value, args: &[Value], kwnames: Option<&Value>) -> Result<()> {
    let positional = args.len() - kwnames.map_or(0, |names| vm.tuple_len(names));
    let (factory, rest) = match args.split_first() {
        Some((factory, rest)) if positional > 0 => {
            if !factory.is_none() && factory.ty().slots().call.is_none() {
                return Err(vm.type_error("first argument must be callable or None"));
            }
            (factory.given().cloned(), rest)
        }
        _ => (None, args),
    };
    DefaultDict::of(this).set_factory(factory);
    let init = DICT.ty().slots().init.expect("dict has an `__init__`");
    init(vm, this, rest, kwnames)
}

/// `type(this)(factory, contents)`
fn copy_with(vm: &Vm, this: &Value, contents: &Value) -> Result {
    let factory = DefaultDict::of(this).factory().unwrap_or(Value::NONE);
    vm.call_args(&this.ty().to_value(), &[factory, contents.clone()])
}

fn repr(vm: &Vm, this: &Value) -> Result {
    let dict_repr = DICT.ty().slots().repr.expect("dict has a repr");
    let base = vm.display_name(&dict_repr(vm, this)?);
    let factory = match DefaultDict::of(this).factory() {
        None => "None".to_string(),
        // Another guard than the one of dict's repr, which has ended: the repr of the factory may lead here again.
        Some(factory) => match vm.enter_repr(this) {
            true => {
                let text = vm.repr_string(&factory);
                vm.leave_repr(this);
                text?
            }
            false => "...".to_string(),
        },
    };
    Ok(Value::from(format!("{}({factory}, {base})", this.ty().short_name())))
}

static MEMBERS: &[MemberDef] =
    &[MemberDef::new("default_factory", "What makes the values of missing keys, or None.", |_, this| {
        Ok(DefaultDict::of(this).factory().unwrap_or(Value::NONE))
    })
    .setter(|_, this, value| {
        DefaultDict::of(this).set_factory(value.and_then(Value::given).cloned());
        Ok(())
    })];

method_table! { static METHODS = [
    MethodDef::new("__missing__($self, key, /)", "__missing__(key) # Make the value of a key that is not there.\n\
        The default factory is called without arguments; its result is stored\n\
        under the key and returned.  KeyError is raised if there is no factory.", |vm, this, args| {
        let Some(factory) = DefaultDict::of(this).factory() else { return Err(vm.key_error(&args[0])) };
        let value = vm.call_args(&factory, &[])?;
        // The factory may have set the key itself.
        this.downcast::<Dict>().expect("a defaultdict is a dict").set_default(vm, &args[0], &value)
    }),
    MethodDef::new("copy($self, /)", "\
        D.copy() -> a defaultdict with the same items and factory.", |vm, this, _| copy_with(vm, this, this)),
    MethodDef::new("__copy__($self, /)", "\
        D.copy() -> a defaultdict with the same items and factory.", |vm, this, _| copy_with(vm, this, this)),
    MethodDef::new("__reduce__($self, /)", "Give what pickle needs to rebuild the object.", |vm, this, _| {
        let arguments = match DefaultDict::of(this).factory() {
            Some(factory) => Tuple::from_array([factory]),
            None => tuple::empty(),
        };
        let items = vm.call_method_name(this, &names().items, &[])?;
        let iterator = vm.iter(&items)?;
        let parts = [this.ty().to_value(), arguments.into_value(), Value::NONE, Value::NONE, iterator];
        Ok(Tuple::from_array(parts).into_value())
    }),
    CLASS_GETITEM,
]; }
