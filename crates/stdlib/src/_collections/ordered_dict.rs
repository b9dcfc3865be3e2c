//! `collections.OrderedDict`: a dict, which is ordered already, with order-sensitive equality and moves to either end.

mod views;

use crate::payload::class_of;
use taipan_object::attributes::memory;
use taipan_object::builtins::dict::{DICT, Dict};
use taipan_object::builtins::str::{Str, StrBuilder};
use taipan_object::builtins::tuple::{self, Tuple};
use taipan_object::heap::Kind;
use taipan_object::native::{GetSetDef, MethodDef};
use taipan_object::object::{Payload, Visitor};
use taipan_object::types::slots::{CompareOp, Slots};
use taipan_object::types::{Type, TypeSpec, creation, type_flags};
use taipan_object::vm::names;
use taipan_object::{Ref, Result, Value, Vm, method_table};

/// The layout is a dict's.
#[repr(C)]
pub struct OrderedDict {
    dict: Dict,
}

// SAFETY: repr(C), has a dict's layout, visits what the dict owns.
unsafe impl Payload for OrderedDict {
    const KIND: Kind = Kind::Container;
    fn static_type() -> &'static Type {
        ORDERED_DICT.ty()
    }
    fn traverse(&self, visit: Visitor) {
        self.dict.traverse(visit);
    }
    fn clear(&self) {
        self.dict.clear();
    }
}

impl OrderedDict {
    fn make(ty: &Type) -> Value {
        Ref::new_with_type(ty, OrderedDict { dict: Dict::payload(ty) }).into_value()
    }
}

pub static ORDERED_DICT: TypeSpec = TypeSpec::new::<OrderedDict>("collections.OrderedDict")
    .doc("A dictionary whose items can be rearranged and whose order counts in comparisons")
    .base(&DICT)
    .flags(type_flags::BASETYPE | type_flags::HAS_DICT | type_flags::HAS_WEAKREF)
    .slots(slots)
    .methods(METHODS)
    .getset(&[GetSetDef::new("__dict__", "", creation::get_dict).setter(creation::set_dict)]);

fn own(value: &Value) -> &Dict {
    value.downcast::<Dict>().expect("methods are called with instances of their type")
}

fn is_exact(value: &Value) -> bool {
    value.ty().is(&ORDERED_DICT)
}

fn slots(s: &mut Slots) {
    s.new = Some(|_, class, _, _| Ok(OrderedDict::make(class_of(class))));
    s.init = Some(update);
    s.repr = Some(repr);
    s.richcompare = Some(richcompare);
    s.iter = Some(|_, this| Ok(views::iterator(this, views::KEYS, false)));
    s.or = Some(|vm, left, right| {
        let class = if left.downcast::<OrderedDict>().is_some() { left.ty() } else { right.ty() };
        if left.downcast::<Dict>().is_none() || right.downcast::<Dict>().is_none() {
            return Ok(Value::NOT_IMPLEMENTED);
        }
        let union = vm.call_args(&class.to_value(), std::slice::from_ref(left))?;
        update(vm, &union, std::slice::from_ref(right), None)?;
        Ok(union)
    });
    s.inplace_or = Some(|vm, this, other| {
        update(vm, this, std::slice::from_ref(other), None)?;
        Ok(this.clone())
    });
    s.ass_subscript = Some(|vm, this, key, value| match value {
        Some(value) => own(this).set(vm, key, value.clone()),
        None => match own(this).remove(vm, key)? {
            Some(_) => Ok(()),
            None => Err(vm.key_error(key)),
        },
    });
}

/// `MutableMapping.update`: items are set through `__setitem__`.
fn update(vm: &Vm, this: &Value, args: &[Value], kwnames: Option<&Value>) -> Result<()> {
    let keywords = kwnames.and_then(|names| names.downcast::<Tuple>()).map_or(&[][..], Tuple::as_slice);
    let (positional, values) = args.split_at(args.len() - keywords.len());
    if positional.len() > 1 {
        return Err(vm.type_error(format!("expected at most 1 argument, got {}", positional.len())));
    }
    if let Some(source) = positional.first() {
        update_from(vm, this, source)?;
    }
    for (key, value) in keywords.iter().zip(values) {
        vm.set_item(this, key, value)?;
    }
    Ok(())
}

fn update_from(vm: &Vm, this: &Value, source: &Value) -> Result<()> {
    if let Some(dict) = source.downcast_exact::<Dict>() {
        for (key, value) in dict.items() {
            vm.set_item(this, &key, &value)?;
        }
        return Ok(());
    }
    if let Some(keys) = vm.get_attr_opt(source, &names().keys)? {
        let keys = vm.call_args(&keys, &[])?;
        return vm.for_each(&keys, |key| {
            let value = vm.get_item(source, &key)?;
            vm.set_item(this, &key, &value)
        });
    }
    let pairs = match vm.get_attr_opt(source, &names().items)? {
        Some(items) => vm.call_args(&items, &[])?,
        None => source.clone(),
    };
    vm.for_each(&pairs, |pair| {
        let iterator = vm.iter(&pair)?;
        let Some(key) = vm.next(&iterator)? else { return Err(vm.value_error("need more than 0 values to unpack")) };
        let Some(value) = vm.next(&iterator)? else { return Err(vm.value_error("need more than 1 value to unpack")) };
        if vm.next(&iterator)?.is_some() {
            return Err(vm.value_error("too many values to unpack (expected 2)"));
        }
        vm.set_item(this, &key, &value)
    })
}

fn repr(vm: &Vm, this: &Value) -> Result {
    let name = this.ty().short_name();
    if own(this).len() == 0 {
        return Ok(Value::from(format!("{name}()")));
    }
    if !vm.enter_repr(this) {
        return Ok(Value::from("..."));
    }
    let items = shown_items(vm, this).and_then(|copy| vm.repr(copy.as_value()));
    vm.leave_repr(this);
    let mut text = StrBuilder::new();
    text.push_str(&name);
    text.push_str("(");
    if let Some(items) = items?.downcast::<Str>() {
        text.push_text(items);
    }
    text.push_str(")");
    Ok(text.finish().into_value())
}

/// A dict of the items, as a subclass's `items` gives them.
fn shown_items(vm: &Vm, this: &Value) -> Result<Ref<Dict>> {
    let copy = Dict::new();
    if is_exact(this) {
        for_each_item(vm, own(this), |key, value| {
            let value = value_of(vm, own(this), key, value)?;
            copy.set(vm, key, value)
        })?;
    } else {
        let items = vm.call_method_name(this, &names().items, &[])?;
        taipan_object::builtins::dict::update(vm, &copy, &items)?;
    }
    Ok(copy)
}

fn richcompare(vm: &Vm, this: &Value, other: &Value, op: CompareOp) -> Result {
    if !matches!(op, CompareOp::Eq | CompareOp::Ne) || other.downcast::<Dict>().is_none() {
        return Ok(Value::NOT_IMPLEMENTED);
    }
    let compare = DICT.ty().slots().richcompare.expect("dicts compare");
    let mut equal = compare(vm, this, other, CompareOp::Eq)?.is_true();
    if equal && other.downcast::<OrderedDict>().is_some() {
        equal = same_order(vm, own(this), own(other))?;
    }
    Ok(Value::bool(equal == (op == CompareOp::Eq)))
}

fn same_order(vm: &Vm, a: &Dict, b: &Dict) -> Result<bool> {
    let mutations = |dict: &Dict| dict.state.borrow(&dict.header).mutations;
    let before = (mutations(a), mutations(b));
    let (mut at, mut bt) = (0, 0);
    loop {
        match (a.next_item(at), b.next_item(bt)) {
            (Some((next, x, _)), Some((next_b, y, _))) => {
                (at, bt) = (next, next_b);
                let equal = vm.equal_or_identical(&x, &y)?;
                if (mutations(a), mutations(b)) != before {
                    return Err(vm.runtime_error("OrderedDict mutated during iteration"));
                }
                if !equal {
                    return Ok(false);
                }
            }
            (None, None) => return Ok(true),
            _ => return Ok(false),
        }
    }
}

/// The value of a key that iteration gave, looked up: a key whose hash has changed is not found.
fn value_of(vm: &Vm, dict: &Dict, key: &Value, value: Value) -> Result {
    if key.downcast_exact::<Str>().is_some() || key.is_small_int() {
        return Ok(value);
    }
    match dict.get(vm, key)? {
        Some(value) => Ok(value),
        None => Err(vm.key_error(key)),
    }
}

/// Calls `f` for each item; an error if that changes the keys.
fn for_each_item(vm: &Vm, dict: &Dict, mut f: impl FnMut(&Value, Value) -> Result<()>) -> Result<()> {
    let mutations = || dict.state.borrow(&dict.header).mutations;
    let (before, mut position) = (mutations(), 0);
    while let Some((next, key, value)) = dict.next_item(position) {
        position = next;
        f(&key, value)?;
        if mutations() != before {
            return Err(vm.runtime_error("OrderedDict mutated during iteration"));
        }
    }
    Ok(())
}

method_table! { static METHODS = [
    MethodDef::new("fromkeys($type, /, iterable, value=None)", "\
        Create an ordered dictionary that maps every item of the iterable to value.", |vm, class, args| {
        let made = vm.call_args(class, &[])?;
        vm.for_each(&args[0], |key| vm.set_item(&made, &key, &args[1]))?;
        Ok(made)
    })
    .class(),
    MethodDef::new("__sizeof__($self, /)", "", |_, this, _| {
        Ok(Value::from(memory(this) + own(this).state.borrow(&own(this).header).memory()))
    }),
    MethodDef::new("__reduce__($self, /)", "Give what pickle needs to rebuild the object", |vm, this, _| {
        let state = vm.call_method(this, "__getstate__", &[])?;
        let items = vm.call_method_name(this, &names().items, &[])?;
        let iterator = vm.iter(&items)?;
        let parts = [this.ty().to_value(), tuple::empty().into_value(), state, Value::NONE, iterator];
        Ok(Tuple::from_array(parts).into_value())
    }),
    MethodDef::new("setdefault($self, /, key, default=None)", "\
        Return the value stored under key, storing default there if it is new.\n\n\
        The default is None unless given.", |vm, this, args| {
        if is_exact(this) {
            return own(this).set_default(vm, &args[0], &args[1]);
        }
        if vm.contains(this, &args[0])? {
            return vm.get_item(this, &args[0]);
        }
        vm.set_item(this, &args[0], &args[1])?;
        Ok(args[1].clone())
    }),
    MethodDef::new("pop($self, /, key, default=<unrepresentable>)", "\
        od.pop(key[,default]) -> v, the value of the item with that key, which is removed.\n\n\
        Without such an item, default is returned; KeyError is raised if there\n\
        is no default.", |vm, this, args| {
        match own(this).remove(vm, &args[0])?.or_else(|| args[1].bound().cloned()) {
            Some(value) => Ok(value),
            None => Err(vm.key_error(&args[0])),
        }
    }),
    MethodDef::new("popitem($self, /, last=True)", "\
        Remove the item at the end, and return it as a (key, value) pair.\n\n\
        If last is false, the item at the start is taken.", |vm, this, args| {
        let last = vm.is_true(&args[0])?;
        match if last { own(this).pop_item() } else { own(this).pop_first() } {
            Some((key, value)) => Ok(Tuple::from_array([key, value]).into_value()),
            None => Err(vm.key_error(&Value::from("dictionary is empty"))),
        }
    }),
    MethodDef::new("keys($self, /)", "", |_, this, _| Ok(views::keys(this))),
    MethodDef::new("values($self, /)", "", |_, this, _| Ok(views::values(this))),
    MethodDef::new("items($self, /)", "", |_, this, _| Ok(views::items(this))),
    MethodDef::raw("update", "", |vm, this, args, kwnames| {
        update(vm, this, args, kwnames)?;
        Ok(Value::NONE)
    }),
    MethodDef::new("clear($self, /)", "Make the dictionary empty.", |_, this, _| {
        own(this).clear_items();
        Ok(Value::NONE)
    }),
    MethodDef::new("copy($self, /)", "\
        Return a new ordered dictionary with the same items.", |vm, this, _| copy(vm, this)),
    MethodDef::new("__reversed__($self, /)", "\
        od.__reversed__() is an iterator over the keys, the last one first", |_, this, _| {
        Ok(views::iterator(this, views::KEYS, true))
    }),
    MethodDef::new("move_to_end($self, /, key, last=True)", "\
        Move an item to the end, or to the start if last is false.\n\n\
        KeyError is raised if there is no item with this key.", |vm, this, args| {
        let last = vm.is_true(&args[1])?;
        match own(this).move_key(vm, &args[0], last)? {
            true => Ok(Value::NONE),
            false => Err(vm.key_error(&args[0])),
        }
    }),
]; }

fn copy(vm: &Vm, this: &Value) -> Result {
    if is_exact(this) {
        let copy = OrderedDict::make(ORDERED_DICT.ty());
        for_each_item(vm, own(this), |key, value| {
            let value = value_of(vm, own(this), key, value)?;
            own(&copy).set(vm, key, value)
        })?;
        return Ok(copy);
    }
    let copy = vm.call_args(&this.ty().to_value(), &[])?;
    for_each_item(vm, own(this), |key, _| {
        let value = vm.get_item(this, key)?;
        vm.set_item(&copy, key, &value)
    })?;
    Ok(copy)
}
