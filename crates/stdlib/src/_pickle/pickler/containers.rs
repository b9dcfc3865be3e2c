//! Writing of tuples, lists, dicts and sets.

use super::super::opcode::*;
use super::save::Saver;
use crate::arguments::fully_qualified_name;
use taipan_object::builtins::dict::Dict;
use taipan_object::builtins::list::List;
use taipan_object::builtins::set::{self, AnySet};
use taipan_object::builtins::tuple::Tuple;
use taipan_object::vm::names;
use taipan_object::{Raised, Result, Value, Vm};

/// How many items one code adds at most.
const BATCH_SIZE: usize = 1000;

impl Saver<'_> {
    /// Says in a note on the exception in flight which part of `object` could not be written.
    #[cold]
    pub fn note(&self, raised: Raised, object: &Value, part: &str) -> Raised {
        let name = self.vm.preserving_exception(|vm| fully_qualified_name(vm, object));
        self.vm.with_note(raised, format!("when serializing {name} {part}"))
    }

    /// Writes item `at` of `object`.
    #[inline]
    fn item(&mut self, item: &Value, object: &Value, at: usize) -> Result<()> {
        match self.save(item) {
            Ok(()) => Ok(()),
            Err(raised) => Err(self.note(raised, object, &format!("item {at}"))),
        }
    }

    pub fn tuple(&mut self, object: &Value, tuple: &Tuple) -> Result<()> {
        let items = tuple.as_slice();
        if items.is_empty() {
            match self.bin {
                true => self.output.byte(EMPTY_TUPLE),
                false => self.output.bytes(&[MARK, TUPLE]),
            }
            return Ok(());
        }
        self.enter(object)?;
        let result = self.tuple_items(object, items);
        self.leave(object);
        result
    }

    fn tuple_items(&mut self, object: &Value, items: &[Value]) -> Result<()> {
        let short = items.len() <= 3 && self.protocol >= 2;
        if !short {
            self.output.byte(MARK);
        }
        for (at, item) in items.iter().enumerate() {
            self.item(item, object, at)?;
        }
        // A tuple that contains itself has been written meanwhile: what is on the reader's stack is thrown away.
        if let Some(number) = self.memoized(object) {
            if self.bin && !short {
                self.output.byte(POP_MARK);
            } else {
                let count = items.len() + usize::from(!short);
                self.output.bytes(&vec![POP; count]);
            }
            self.get(number);
            return Ok(());
        }
        match (short, items.len()) {
            (true, 1) => self.output.byte(TUPLE1),
            (true, 2) => self.output.byte(TUPLE2),
            (true, _) => self.output.byte(TUPLE3),
            (false, _) => self.output.byte(TUPLE),
        }
        self.memoize(object)
    }

    pub fn list(&mut self, object: &Value, list: &List) -> Result<()> {
        self.enter(object)?;
        let result = self.list_contents(object, list);
        self.leave(object);
        result
    }

    fn list_contents(&mut self, object: &Value, list: &List) -> Result<()> {
        match self.bin {
            true => self.output.byte(EMPTY_LIST),
            false => self.output.bytes(&[MARK, LIST]),
        }
        self.memoize(object)?;
        let mut at = 0;
        if !self.bin {
            while let Some(item) = list.get(at) {
                self.item(&item, object, at)?;
                self.output.byte(APPEND);
                at += 1;
            }
            return Ok(());
        }
        if list.len() == 1
            && let Some(item) = list.get(0)
        {
            self.item(&item, object, 0)?;
            self.output.byte(APPEND);
            return Ok(());
        }
        while at < list.len() {
            self.output.byte(MARK);
            let end = at + BATCH_SIZE;
            while at < end
                && let Some(item) = list.get(at)
            {
                self.item(&item, object, at)?;
                at += 1;
            }
            self.output.byte(APPENDS);
        }
        Ok(())
    }

    /// Writes what an iterator yields as items to be appended to `object`.
    pub fn appends(&mut self, iterator: &Value, object: &Value) -> Result<()> {
        let vm = self.vm;
        let mut at = 0;
        if !self.bin {
            while let Some(item) = vm.next(iterator)? {
                self.item(&item, object, at)?;
                self.output.byte(APPEND);
                at += 1;
            }
            return Ok(());
        }
        let mut first = vm.next(iterator)?;
        while let Some(item) = first.take() {
            let Some(second) = vm.next(iterator)? else {
                self.item(&item, object, at)?;
                self.output.byte(APPEND);
                return Ok(());
            };
            self.output.byte(MARK);
            self.item(&item, object, at)?;
            let (mut next, end) = (Some(second), at + BATCH_SIZE);
            at += 1;
            while let Some(item) = next {
                self.item(&item, object, at)?;
                at += 1;
                if at == end {
                    first = vm.next(iterator)?;
                    break;
                }
                next = vm.next(iterator)?;
            }
            self.output.byte(APPENDS);
        }
        Ok(())
    }

    pub fn dict(&mut self, object: &Value, dict: &Dict) -> Result<()> {
        self.enter(object)?;
        let result = self.dict_contents(object, dict);
        self.leave(object);
        result
    }

    fn dict_contents(&mut self, object: &Value, dict: &Dict) -> Result<()> {
        match self.bin {
            true => self.output.byte(EMPTY_DICT),
            false => self.output.bytes(&[MARK, DICT]),
        }
        self.memoize(object)?;
        let length = dict.len();
        if length == 0 {
            return Ok(());
        }
        if !self.bin {
            let items = self.vm.call_method_name(object, &names().items, &[])?;
            let items = self.vm.iter(&items)?;
            return self.set_items(&items, object);
        }
        let mut position = 0;
        if length == 1
            && let Some((_, key, value)) = dict.next_item(0)
        {
            self.member(&key, &value, object)?;
            self.output.byte(SETITEM);
            return self.unchanged(dict, length);
        }
        loop {
            let mut count = 0;
            self.output.byte(MARK);
            while count < BATCH_SIZE
                && let Some((next, key, value)) = dict.next_item(position)
            {
                position = next;
                self.member(&key, &value, object)?;
                self.unchanged(dict, length)?;
                count += 1;
            }
            self.output.byte(SETITEMS);
            if count < BATCH_SIZE || dict.next_item(position).is_none() {
                return Ok(());
            }
        }
    }

    #[inline]
    fn unchanged(&self, dict: &Dict, length: usize) -> Result<()> {
        match dict.len() == length {
            true => Ok(()),
            false => Err(self.vm.runtime_error("dictionary changed size during iteration")),
        }
    }

    #[inline]
    fn member(&mut self, key: &Value, value: &Value, object: &Value) -> Result<()> {
        self.save(key)?;
        self.save(value).map_err(|raised| match self.vm.preserving_exception(|vm| vm.repr_string(key)) {
            Ok(key) => self.note(raised, object, &format!("item {key}")),
            // The key cannot be shown: the first error stays as it is.
            Err(_) => raised,
        })
    }

    /// Writes the pairs that an iterator yields as items to be set in `object`.
    pub fn set_items(&mut self, iterator: &Value, object: &Value) -> Result<()> {
        let vm = self.vm;
        let mut first = next_pair(vm, iterator)?;
        if !self.bin {
            while let Some((key, value)) = first {
                self.member(&key, &value, object)?;
                self.output.byte(SETITEM);
                first = next_pair(vm, iterator)?;
            }
            return Ok(());
        }
        while let Some((key, value)) = first.take() {
            let Some(second) = next_pair(vm, iterator)? else {
                self.member(&key, &value, object)?;
                self.output.byte(SETITEM);
                return Ok(());
            };
            self.output.byte(MARK);
            self.member(&key, &value, object)?;
            let (mut next, mut count) = (Some(second), 1);
            while let Some((key, value)) = next {
                self.member(&key, &value, object)?;
                count += 1;
                if count == BATCH_SIZE {
                    first = next_pair(vm, iterator)?;
                    break;
                }
                next = next_pair(vm, iterator)?;
            }
            self.output.byte(SETITEMS);
        }
        Ok(())
    }

    pub fn set(&mut self, object: &Value) -> Result<()> {
        let Some(elements) = AnySet::of(object) else { return Ok(()) };
        if self.protocol < 4 {
            return self.reduce_with(object, &set::SET.value(), List::from_vec(elements.keys()).into_value());
        }
        self.output.byte(EMPTY_SET);
        self.memoize(object)?;
        let length = elements.len();
        if length == 0 {
            return Ok(());
        }
        self.enter(object)?;
        let result = self.set_elements(object, elements, length);
        self.leave(object);
        result
    }

    fn set_elements(&mut self, object: &Value, elements: AnySet, length: usize) -> Result<()> {
        let mut position = 0;
        loop {
            let mut count = 0;
            self.output.byte(MARK);
            while count < BATCH_SIZE
                && let Some((next, _, key)) = set::next_entry(elements, position)
            {
                position = next;
                self.element(&key, object)?;
                if elements.len() != length {
                    return Err(self.vm.runtime_error("set changed size during iteration"));
                }
                count += 1;
            }
            self.output.byte(ADDITEMS);
            if count < BATCH_SIZE {
                return Ok(());
            }
        }
    }

    fn element(&mut self, key: &Value, object: &Value) -> Result<()> {
        self.save(key).map_err(|raised| self.note(raised, object, "element"))
    }

    pub fn frozenset(&mut self, object: &Value) -> Result<()> {
        let Some(elements) = AnySet::of(object) else { return Ok(()) };
        if self.protocol < 4 {
            return self.reduce_with(object, &set::FROZENSET.value(), List::from_vec(elements.keys()).into_value());
        }
        self.enter(object)?;
        let result = self.frozenset_elements(object, elements);
        self.leave(object);
        result
    }

    fn frozenset_elements(&mut self, object: &Value, elements: AnySet) -> Result<()> {
        self.output.byte(MARK);
        let mut position = 0;
        while let Some((next, _, key)) = set::next_entry(elements, position) {
            position = next;
            self.element(&key, object)?;
        }
        // As for tuples.
        if let Some(number) = self.memoized(object) {
            self.output.byte(POP_MARK);
            self.get(number);
            return Ok(());
        }
        self.output.byte(FROZENSET);
        self.memoize(object)
    }
}

fn next_pair(vm: &Vm, iterator: &Value) -> Result<Option<(Value, Value)>> {
    let Some(item) = vm.next(iterator)? else { return Ok(None) };
    match item.downcast::<Tuple>().map(Tuple::as_slice) {
        Some([key, value]) => Ok(Some((key.clone(), value.clone()))),
        _ => Err(vm.type_error("dict items iterator must return 2-tuples")),
    }
}
