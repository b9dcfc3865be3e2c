//! The views of an `OrderedDict` and its iterator.

use crate::payload::payload;
use taipan_object::builtins::dict::Dict;
use taipan_object::builtins::dict::views::{DICT_ITEMS, DICT_KEYS, DICT_VALUES, DictItems, DictKeys, DictValues};
use taipan_object::builtins::iterator::builtin_iter;
use taipan_object::builtins::list::List;
use taipan_object::builtins::tuple::Tuple;
use taipan_object::header::Header;
use taipan_object::native::MethodDef;
use taipan_object::types::{TypeSpec, type_flags};
use taipan_object::{Ref, Result, Value, Vm, method_table};

pub const KEYS: u8 = 1;
pub const VALUES: u8 = 2;
const ITEMS: u8 = KEYS | VALUES;

payload! {
    /// `odict_iterator`: the next entry to look at (backwards: one more than it), and the dict's mutations and length
    /// when iteration began.
    pub struct OdictIterator(OdictIteratorState): ODICT_ITERATOR {
        dict: Option<Ref<Dict>>, kind: u8, reversed: bool, position: usize, mutations: u32, length: usize
    }
}

/// An iterator over the keys, values or items of an `OrderedDict`.
pub fn iterator(dict: &Value, kind: u8, reversed: bool) -> Value {
    let dict = dict.downcast_ref::<Dict>().expect("an OrderedDict is a dict");
    let (mutations, length, entries) = {
        let table = dict.state.borrow(&dict.header);
        (table.mutations, table.used(), table.entries.len())
    };
    let position = if reversed { entries } else { 0 };
    let state = OdictIteratorState { dict: Some(dict), kind, reversed, position, mutations, length };
    OdictIterator::make(ODICT_ITERATOR.ty(), state)
}

pub static ODICT_ITERATOR: TypeSpec = TypeSpec::new::<OdictIterator>("odict_iterator")
    .flags(type_flags::DISALLOW_INSTANTIATION)
    .slots(|s| {
        s.iter = Some(|_, this| Ok(this.clone()));
        s.iternext = Some(next);
    })
    .methods(METHODS);

fn next(vm: &Vm, this: &Value) -> Result<Option<Value>> {
    let iterator = OdictIterator::of(this);
    let (dict, kind, reversed, position, mutations, length) = iterator
        .with(|state| (state.dict.clone(), state.kind, state.reversed, state.position, state.mutations, state.length));
    let Some(dict) = dict else { return Ok(None) };
    let found = {
        let table = dict.state.borrow(&dict.header);
        if table.mutations != mutations {
            Err(table.used() != length)
        } else {
            let live = |at: &usize| table.entries.get(*at).is_some_and(|entry| entry.key.is_some());
            let at = match reversed {
                false => (position..table.entries.len()).find(live),
                true => (0..position).rfind(live),
            };
            Ok(at.and_then(|at| {
                let entry = &table.entries[at];
                Some((at, entry.key.clone()?, entry.value.clone()))
            }))
        }
    };
    match found {
        Ok(Some((at, key, value))) => {
            iterator.with(|state| state.position = if reversed { at } else { at + 1 });
            Ok(Some(match kind {
                KEYS => key,
                VALUES => super::value_of(vm, &dict, &key, value)?,
                _ => {
                    let value = super::value_of(vm, &dict, &key, value)?;
                    Tuple::from_array([key, value]).into_value()
                }
            }))
        }
        Ok(None) => {
            let ended = iterator.with(|state| state.dict.take());
            drop(ended);
            Ok(None)
        }
        Err(size_changed) => {
            let ended = iterator.with(|state| state.dict.take());
            drop(ended);
            let change = if size_changed { "changed size" } else { "mutated" };
            Err(vm.runtime_error(format!("OrderedDict {change} during iteration")))
        }
    }
}

method_table! { static METHODS = [
    MethodDef::new("__reduce__($self, /)", "Give what pickle needs to rebuild the object", |vm, this, _| {
        let iter = builtin_iter(vm)?;
        let copy = OdictIterator::of(this).with(|state| OdictIteratorState {
            dict: state.dict.clone(),
            kind: state.kind,
            reversed: state.reversed,
            position: state.position,
            mutations: state.mutations,
            length: state.length,
        });
        let left = vm.collect(&OdictIterator::make(ODICT_ITERATOR.ty(), copy))?;
        let arguments = Tuple::from_array([List::from_vec(left).into_value()]).into_value();
        Ok(Tuple::from_array([iter, arguments]).into_value())
    }),
]; }

macro_rules! view {
    ($function:ident $view:ident $spec:ident $type_name:literal $base:ident $methods:ident $kind:ident) => {
        static $spec: TypeSpec = TypeSpec::new::<$view>($type_name)
            .base(&$base)
            .flags(type_flags::DISALLOW_INSTANTIATION)
            .slots(|s| {
                s.iter = Some(|_, this| {
                    let view = this.downcast::<$view>().expect("a view's own slot");
                    Ok(iterator(view.dict.as_value(), $kind, false))
                });
            })
            .methods($methods);

        method_table! { static $methods = [
            MethodDef::new("__reversed__($self, /)", "", |_, this, _| {
                let view = this.downcast::<$view>().expect("a view's own method");
                Ok(iterator(view.dict.as_value(), $kind, true))
            }),
        ]; }

        pub fn $function(dict: &Value) -> Value {
            let dict = dict.downcast_ref::<Dict>().expect("an OrderedDict is a dict");
            Ref::new_with_type($spec.ty(), $view { header: Header::new($spec.ty()), dict }).into_value()
        }
    };
}

view!(keys DictKeys ODICT_KEYS "odict_keys" DICT_KEYS KEYS_METHODS KEYS);
view!(values DictValues ODICT_VALUES "odict_values" DICT_VALUES VALUES_METHODS VALUES);
view!(items DictItems ODICT_ITEMS "odict_items" DICT_ITEMS ITEMS_METHODS ITEMS);
