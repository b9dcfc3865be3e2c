//! The six iterators over dicts: keys, values and items, forwards and backwards.

use super::Dict;
use crate::builtins::iterator::builtin_iter;
use crate::builtins::list::List;
use crate::builtins::tuple::{ReusedPair, Tuple};
use crate::cell::{ObjectCell, is_parallel};
use crate::header::Header;
use crate::heap::Kind;
use crate::native::MethodDef;
use crate::object::{Payload, Ref, Result, Visitor};
use crate::types::{Type, TypeSpec, type_flags};
use crate::value::Value;
use crate::vm::Vm;
use std::marker::PhantomData;

/// What an iterator yields, and from which end.
pub trait Direction: 'static {
    const REVERSED: bool;
    fn spec() -> &'static TypeSpec;
    fn item(pair: &ReusedPair, key: &Value, value: &Value) -> Value;
}

/// An iterator over a dict (or an instance of a subclass).
#[repr(C)]
pub struct DictIterator<D: Direction> {
    pub header: Header,
    state: ObjectCell<State>,
    pair: ReusedPair,
    direction: PhantomData<D>,
}

#[derive(Clone)]
struct State {
    /// `None` when exhausted.
    dict: Option<Ref<Dict>>,
    /// The number of items when iteration began; none once it has been found changed.
    used: Option<usize>,
    /// The next entry to look at; backwards: one more than it.
    position: usize,
    /// Items not yet yielded.
    left: usize,
}

// SAFETY: repr(C), header first, visits the dict.
unsafe impl<D: Direction> Payload for DictIterator<D> {
    const KIND: Kind = Kind::Container;
    fn static_type() -> &'static Type {
        D::spec().ty()
    }
    fn traverse(&self, visit: Visitor) {
        // SAFETY: the collector has stopped the world.
        if let Some(dict) = unsafe { &(*self.state.as_ptr()).dict } {
            visit(dict.as_value());
        }
        self.pair.traverse(visit);
    }
    fn clear(&self) {
        self.pair.clear();
    }
}

enum Step {
    /// The key and the value of an item.
    Item(Value, Value),
    End,
    SizeChanged,
    KeysChanged,
}

impl<D: Direction> DictIterator<D> {
    /// `dict` is an instance of dict.
    pub fn new(dict: &Value) -> Value {
        let dict = dict.downcast_ref::<Dict>();
        let (used, position) = match &dict {
            Some(dict) => {
                let table = dict.state.borrow(&dict.header);
                (table.used(), if D::REVERSED { table.entries.len() } else { 0 })
            }
            None => (0, 0),
        };
        Self::with_state(State { dict, used: Some(used), position, left: used }).into_value()
    }

    fn with_state(state: State) -> Ref<DictIterator<D>> {
        let (state, pair) = (ObjectCell::new(state), ReusedPair::new());
        Ref::new(DictIterator::<D> { header: Header::new(D::spec().ty()), state, pair, direction: PhantomData })
    }

    #[inline(always)]
    pub fn next(&self, vm: &Vm) -> Result<Option<Value>> {
        match self.next_plainly() {
            Some(item) => Ok(Some(item)),
            None => self.next_generally(vm),
        }
    }

    /// The next item forwards, if it stands where it is looked for.
    #[inline(always)]
    fn next_plainly(&self) -> Option<Value> {
        self.next_entry().map(|(key, value)| D::item(&self.pair, key, value))
    }

    /// The key and value that [`DictIterator::next_plainly`] finds.
    #[inline(always)]
    fn next_entry(&self) -> Option<(&Value, &Value)> {
        if D::REVERSED || cfg!(debug_assertions) || is_parallel() {
            return None;
        }
        // SAFETY: no other thread runs, and neither state is borrowed or used any more when an item is made.
        let (state, table) = unsafe {
            let state = &mut *self.state.as_ptr();
            let table = &*state.dict.as_ref()?.state.as_ptr();
            (state, table)
        };
        if state.used != Some(table.used()) || state.left == 0 {
            return None;
        }
        let entry = table.entries.get(state.position)?;
        let key = entry.key.as_ref()?;
        state.position += 1;
        state.left -= 1;
        Some((key, &entry.value))
    }

    #[inline(never)]
    fn next_generally(&self, vm: &Vm) -> Result<Option<Value>> {
        let (step, ended) = {
            let mut state = self.state.borrow(&self.header);
            let step = state.step(D::REVERSED);
            let ended = if matches!(step, Step::End | Step::KeysChanged) { state.dict.take() } else { None };
            (step, ended)
        };
        match step {
            Step::Item(key, value) => Ok(Some(D::item(&self.pair, &key, &value))),
            Step::End => {
                drop(ended);
                Ok(None)
            }
            Step::SizeChanged => Err(vm.runtime_error("dictionary changed size during iteration")),
            Step::KeysChanged => {
                drop(ended);
                Err(vm.runtime_error("dictionary keys changed during iteration"))
            }
        }
    }

    fn length_hint(&self) -> usize {
        let state = self.state.borrow(&self.header);
        match &state.dict {
            Some(dict) if state.used == Some(dict.len()) => state.left,
            _ => 0,
        }
    }

    /// `(iter, (list of what is left,))`; the iterator itself stays where it is.
    fn reduce(&self, vm: &Vm) -> Result {
        let iter = builtin_iter(vm)?;
        let state = self.state.borrow(&self.header).clone();
        let copy = Self::with_state(state);
        let mut left = Vec::new();
        while let Some(item) = copy.next(vm)? {
            left.push(item);
        }
        let arguments = Tuple::from_array([List::from_vec(left).into_value()]).into_value();
        Ok(Tuple::from_array([iter, arguments]).into_value())
    }
}

impl State {
    fn step(&mut self, reversed: bool) -> Step {
        let Some(dict) = &self.dict else { return Step::End };
        let table = dict.state.borrow(&dict.header);
        if self.used != Some(table.used()) {
            self.used = None;
            return Step::SizeChanged;
        }
        let found = if reversed {
            // Beyond the end: the dict was cleared and filled again.
            let entries = table.entries.get(..self.position);
            entries.and_then(|entries| entries.iter().rposition(|entry| entry.key.is_some()))
        } else {
            let mut at = self.position;
            while table.entries.get(at).is_some_and(|entry| entry.key.is_none()) {
                at += 1;
            }
            (at < table.entries.len()).then_some(at)
        };
        let Some(at) = found else { return Step::End };
        // An item where there should be none left: a key went and another came.
        if self.left == 0 {
            return Step::KeysChanged;
        }
        let entry = &table.entries[at];
        let Some(key) = &entry.key else { return Step::End };
        self.position = if reversed { at } else { at + 1 };
        self.left -= 1;
        Step::Item(key.clone(), entry.value.clone())
    }
}

/// The key and value of the next item of a `dict_itemiterator`, if it stands where it is looked for.
#[inline(always)]
pub(in crate::builtins) fn next_item(iterator: &Value) -> Option<(Value, Value)> {
    let iterator = own::<Items>(iterator);
    iterator.next_entry().map(|(key, value)| iterator.pair.keep(key.clone(), value.clone()))
}

/// The next item of a `dict_keyiterator`, for the eval loop.
#[inline]
pub fn dict_iter_next(vm: &Vm, iterator: &Value) -> Result<Option<Value>> {
    own::<Keys>(iterator).next(vm)
}

#[inline(always)]
fn own<D: Direction>(value: &Value) -> &DictIterator<D> {
    value.downcast_exact::<DictIterator<D>>().expect("called on an iterator of its type")
}

macro_rules! directions {
    ($($name:ident $spec:ident $type_name:literal $reversed:literal $methods:ident |$pair:ident, $key:ident, $value:ident| $item:expr;)*) => { $(
        #[doc = concat!("`", $type_name, "`")]
        pub enum $name {}

        impl Direction for $name {
            const REVERSED: bool = $reversed;
            fn spec() -> &'static TypeSpec {
                &$spec
            }
            #[inline(always)]
            fn item($pair: &ReusedPair, $key: &Value, $value: &Value) -> Value {
                $item
            }
        }

        pub static $spec: TypeSpec = TypeSpec::new::<DictIterator<$name>>($type_name)
            .flags(type_flags::DISALLOW_INSTANTIATION)
            .slots(|s| {
                s.iter = Some(|_, this| Ok(this.clone()));
                s.iternext = Some(|vm, this| own::<$name>(this).next(vm));
            })
            .methods($methods);

        crate::method_table! { static $methods = [
            MethodDef::new("__length_hint__($self, /)", "Estimate how many items are left.", |_, this, _| {
                Ok(Value::from(own::<$name>(this).length_hint()))
            }),
            MethodDef::new("__reduce__($self, /)", "Give what pickle needs to rebuild the object.", |vm, this, _| {
                own::<$name>(this).reduce(vm)
            }),
        ]; }
    )* };
}

directions! {
    Keys DICT_KEY_ITERATOR "dict_keyiterator" false KEY_METHODS |_pair, key, _value| key.clone();
    Values DICT_VALUE_ITERATOR "dict_valueiterator" false VALUE_METHODS |_pair, _key, value| value.clone();
    Items DICT_ITEM_ITERATOR "dict_itemiterator" false ITEM_METHODS |pair, key, value| pair.make(key.clone(), value.clone());
    ReverseKeys DICT_REVERSE_KEY_ITERATOR "dict_reversekeyiterator" true REVERSE_KEY_METHODS |_pair, key, _value| key.clone();
    ReverseValues DICT_REVERSE_VALUE_ITERATOR "dict_reversevalueiterator" true REVERSE_VALUE_METHODS |_pair, _key, value| value.clone();
    ReverseItems DICT_REVERSE_ITEM_ITERATOR "dict_reverseitemiterator" true REVERSE_ITEM_METHODS |pair, key, value| pair.make(key.clone(), value.clone());
}
