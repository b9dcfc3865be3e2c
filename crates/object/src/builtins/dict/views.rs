//! `dict_keys`, `dict_values` and `dict_items`.

use super::iterator::{DictIterator, Items, Keys, ReverseItems, ReverseKeys, ReverseValues, Values};
use super::{Dict, methods};
use crate::builtins::mappingproxy;
use crate::builtins::set::{self, AnySet, Set};
use crate::builtins::tuple::{TUPLE, Tuple};
use crate::header::Header;
use crate::heap::Kind;
use crate::native::{GetSetDef, MethodDef};
use crate::object::{Payload, Ref, Result, Visitor};
use crate::types::slots::{CompareOp, Slots};
use crate::types::{Type, TypeSpec, type_flags};
use crate::value::Value;
use crate::vm::Vm;

macro_rules! views {
    ($($name:ident $spec:ident $type_name:literal $iterator:ident $reverse:ident, $slots:expr, $methods:ident;)*) => { $(
        #[doc = concat!("`", $type_name, "`: a view that follows the dict.")]
        #[repr(C)]
        pub struct $name {
            pub header: Header,
            pub dict: Ref<Dict>,
        }

        // SAFETY: repr(C), header first, visits the dict.
        unsafe impl Payload for $name {
            const KIND: Kind = Kind::Container;
            fn static_type() -> &'static Type {
                $spec.ty()
            }
            fn traverse(&self, visit: Visitor) {
                visit(self.dict.as_value());
            }
        }

        pub static $spec: TypeSpec = TypeSpec::new::<$name>($type_name)
            .flags(type_flags::DISALLOW_INSTANTIATION)
            .slots(|s| {
                s.repr = Some(repr);
                s.iter = Some(|_, this| Ok(DictIterator::<$iterator>::new(dict_of(this).as_value())));
                s.length = Some(|_, this| Ok(dict_of(this).len()));
                $slots(s);
            })
            .methods($methods)
            .getset(&[GetSetDef::new("mapping", "dictionary that this view refers to", |_, this| {
                Ok(mappingproxy::new(dict_of(this).clone().into_value()))
            })]);

        impl $name {
            /// `dict` is an instance of dict.
            pub fn new(dict: &Value) -> Value {
                let dict = dict.downcast_ref::<Dict>().expect("a view is made of a dict");
                Ref::new($name { header: Header::new($spec.ty()), dict }).into_value()
            }
        }
    )* };
}

views! {
    DictKeys DICT_KEYS "dict_keys" Keys ReverseKeys, set_slots, KEYS_METHODS;
    DictValues DICT_VALUES "dict_values" Values ReverseValues, |_: &mut Slots| {}, VALUES_METHODS;
    DictItems DICT_ITEMS "dict_items" Items ReverseItems, set_slots, ITEMS_METHODS;
}

crate::method_table! { static KEYS_METHODS = [
    MethodDef::new("isdisjoint($self, object, /)", "Return True if the view and the given iterable have a null intersection.", is_disjoint),
    MethodDef::new("__reversed__($self, /)", "Return an iterator over the keys, the last one first.", |_, this, _| {
        Ok(DictIterator::<ReverseKeys>::new(dict_of(this).as_value()))
    }),
]; }
crate::method_table! { static VALUES_METHODS = [
    MethodDef::new("__reversed__($self, /)", "Return an iterator over the values, the last one first.", |_, this, _| {
        Ok(DictIterator::<ReverseValues>::new(dict_of(this).as_value()))
    }),
]; }
crate::method_table! { static ITEMS_METHODS = [
    MethodDef::new("isdisjoint($self, object, /)", "Return True if the view and the given iterable have a null intersection.", is_disjoint),
    MethodDef::new("__reversed__($self, /)", "Return an iterator over the items, the last one first.", |_, this, _| {
        Ok(DictIterator::<ReverseItems>::new(dict_of(this).as_value()))
    }),
]; }

/// The values or items that an iterable of exactly these types has, if their dict is exactly one and there is memory for them.
pub(crate) fn contents(iterable: &Value) -> Option<Vec<Value>> {
    let (dict, pairs) = match iterable.downcast_exact::<DictValues>() {
        Some(view) => (&view.dict, false),
        None => (&iterable.downcast_exact::<DictItems>()?.dict, true),
    };
    let dict = dict.as_value().downcast_exact::<Dict>()?;
    let mut contents = Vec::new();
    crate::heap::optional(|| contents.try_reserve_exact(dict.len())).ok()?;
    let table = dict.table();
    for entry in table.entries.iter() {
        let Some(key) = &entry.key else { continue };
        contents.push(match pairs {
            true => {
                let pair = [key.clone(), entry.value.clone()].into_iter();
                Tuple::try_new_with_type(TUPLE.ty(), pair)?.into_value()
            }
            false => entry.value.clone(),
        });
    }
    Some(contents)
}

/// The dict of a view of any kind.
fn dict_of(view: &Value) -> &Ref<Dict> {
    if let Some(view) = view.downcast::<DictKeys>() {
        &view.dict
    } else if let Some(view) = view.downcast::<DictItems>() {
        &view.dict
    } else {
        &view.downcast::<DictValues>().expect("called on a view").dict
    }
}

/// Whether a value is a view that is like a set.
fn is_set_view(value: &Value) -> bool {
    value.downcast::<DictKeys>().is_some() || value.downcast::<DictItems>().is_some()
}

fn repr(vm: &Vm, this: &Value) -> Result {
    if !vm.enter_repr(this) {
        return Ok(Value::from("..."));
    }
    let iterated = vm.collect(this).map(|items| crate::builtins::list::List::from_vec(items).into_value());
    let text = iterated.and_then(|items| vm.repr(&items));
    vm.leave_repr(this);
    let text = text?;
    let mut whole = crate::builtins::str::StrBuilder::new();
    whole.push_str(&this.ty().short_name());
    whole.push_str("(");
    if let Some(text) = text.downcast::<crate::builtins::str::Str>() {
        whole.push_text(text);
    }
    whole.push_str(")");
    Ok(whole.finish().into_value())
}

fn set_slots(s: &mut Slots) {
    s.contains = Some(contains);
    s.richcompare = Some(richcompare);
    s.subtract = Some(|vm, left, right| {
        let result = to_set(vm, left)?;
        set::difference_update(vm, result.as_set(), right)?;
        Ok(result.into_value())
    });
    s.and = Some(intersection);
    s.xor = Some(symmetric_difference);
    s.or = Some(|vm, left, right| {
        let result = to_set(vm, left)?;
        set::update(vm, result.as_set(), right)?;
        Ok(result.into_value())
    });
}

fn contains(vm: &Vm, this: &Value, item: &Value) -> Result<bool> {
    let dict = dict_of(this);
    if this.downcast::<DictKeys>().is_some() {
        return dict.contains(vm, item);
    }
    let Some(pair) = item.downcast::<Tuple>() else { return Ok(false) };
    let [key, value] = pair.as_slice() else { return Ok(false) };
    match dict.get(vm, key)? {
        Some(found) => vm.equal_or_identical(&found, value),
        None => Ok(false),
    }
}

/// Whether every item of `some` is in `all`.
fn all_contained(vm: &Vm, some: &Value, all: &Value) -> Result<bool> {
    let iterator = vm.iter(some)?;
    while let Some(item) = vm.next(&iterator)? {
        if !vm.contains(all, &item)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn richcompare(vm: &Vm, this: &Value, other: &Value, op: CompareOp) -> Result {
    if AnySet::of(other).is_none() && !is_set_view(other) {
        return Ok(Value::NOT_IMPLEMENTED);
    }
    let (own, others) = (vm.len(this)?, vm.len(other)?);
    let holds = match op {
        CompareOp::Eq | CompareOp::Ne => {
            let equal = own == others && all_contained(vm, this, other)?;
            equal == (op == CompareOp::Eq)
        }
        CompareOp::Lt => own < others && all_contained(vm, this, other)?,
        CompareOp::Le => own <= others && all_contained(vm, this, other)?,
        CompareOp::Gt => own > others && all_contained(vm, other, this)?,
        CompareOp::Ge => own >= others && all_contained(vm, other, this)?,
    };
    Ok(Value::bool(holds))
}

/// A new set of the items of the left operand.
fn to_set(vm: &Vm, left: &Value) -> Result<Ref<Set>> {
    let result = Set::new();
    let plain_keys = left.downcast::<DictKeys>().filter(|keys| methods::iterates_plainly(keys.dict.as_value().ty()));
    match plain_keys {
        Some(keys) => set::update(vm, result.as_set(), keys.dict.as_value())?,
        None => set::update(vm, result.as_set(), left)?,
    }
    Ok(result)
}

fn intersection(vm: &Vm, left: &Value, right: &Value) -> Result {
    // The view may be the right operand.
    let (mut view, mut other) = if is_set_view(left) { (left, right) } else { (right, left) };
    if other.downcast_exact::<Set>().is_some() && vm.len(view)? <= vm.len(other)? {
        return vm.call_method(other, "intersection", std::slice::from_ref(view));
    }
    if is_set_view(other) && vm.len(other)? > vm.len(view)? {
        (view, other) = (other, view);
    }
    let result = Set::new();
    let iterator = vm.iter(other)?;
    while let Some(item) = vm.next(&iterator)? {
        if contains(vm, view, &item)? {
            set::add(vm, result.as_set(), &item)?;
        }
    }
    Ok(result.into_value())
}

fn symmetric_difference(vm: &Vm, left: &Value, right: &Value) -> Result {
    if let (Some(a), Some(b)) = (left.downcast::<DictItems>(), right.downcast::<DictItems>()) {
        return items_symmetric_difference(vm, &a.dict, &b.dict);
    }
    let result = to_set(vm, left)?;
    set::symmetric_difference_update(vm, result.as_set(), right)?;
    Ok(result.into_value())
}

/// The pairs that are in one of two dicts, without hashing the values of pairs in both.
fn items_symmetric_difference(vm: &Vm, a: &Dict, b: &Dict) -> Result {
    let rest = a.try_copy(vm)?;
    let result = Set::new();
    let mut position = 0;
    while let Some((next, hash, key, value)) = b.next_entry(position) {
        position = next;
        let same = match rest.get_hashed(vm, &key, hash)? {
            Some(other) => vm.equal_or_identical(&other, &value)?,
            None => false,
        };
        if same {
            rest.remove_hashed(vm, &key, hash)?;
        } else {
            set::add(vm, result.as_set(), Tuple::from_array([key, value]).as_value())?;
        }
    }
    set::update(vm, result.as_set(), &DictItems::new(rest.as_value()))?;
    Ok(result.into_value())
}

fn is_disjoint(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    let other = &args[0];
    if this.is(other) {
        return Ok(Value::bool(vm.len(this)? == 0));
    }
    let (mut asked, mut iterated) = (this, other);
    if (AnySet::exact(other).is_some() || is_set_view(other)) && vm.len(other)? > vm.len(this)? {
        (asked, iterated) = (other, this);
    }
    let iterator = vm.iter(iterated)?;
    while let Some(item) = vm.next(&iterator)? {
        if vm.contains(asked, &item)? {
            return Ok(Value::FALSE);
        }
    }
    Ok(Value::TRUE)
}
