//! `itertools.groupby` and the iterators over its groups.

use super::iterator_slots;
use crate::payload::{class_of, payload, signature};
use taipan_object::builtins::tuple::Tuple;
use taipan_object::native::arguments;
use taipan_object::types::{TypeSpec, type_flags};
use taipan_object::{Ref, Result, Value, Vm};

payload! {
    /// `target` is the key of the group last given out, whose number is `group`; `key` and `value` are of the item that was
    /// read last. The value is taken by the group's iterator.
    pub struct GroupBy(GroupByState): GROUPBY [iterator: Value, function: Option<Value>] {
        target: Option<Value>, key: Option<Value>, value: Option<Value>, group: u64
    }
}

payload! {
    /// The iterator over one group.
    pub struct Grouper(GrouperState): GROUPER [parent: Ref<GroupBy>, target: Value, group: u64] {}
}

pub static GROUPBY: TypeSpec = TypeSpec::new::<GroupBy>("itertools.groupby")
    .doc(
        "groupby(iterable, key=None)\n\
         --\n\n\
         Yield pairs of a key and an iterator over consecutive items that have it.\n\n  \
         iterable\n    \
         what to take the items from\n  \
         key\n    \
         a function that gives the key of an item; by default an item is\n    \
         its own key\n\n\
         Items must be sorted by the key to have one group for each key.  A group\n\
         shares its items with the groupby object, and ends when that advances.",
    )
    .flags(type_flags::BASETYPE)
    .slots(|s| {
        s.new = Some(|vm, class, args, kwnames| {
            let bound = NEW.bind(vm, args, kwnames)?;
            let iterator = vm.iter(&bound[0])?;
            let state = GroupByState { target: None, key: None, value: None, group: 0 };
            Ok(GroupBy::make(class_of(class), iterator, bound[1].given().cloned(), state))
        });
        iterator_slots(s, next_group);
    });

pub static GROUPER: TypeSpec = TypeSpec::new::<Grouper>("itertools._grouper").slots(|s| {
    s.new = Some(|vm, _, args, kwnames| {
        arguments::no_keywords(vm, "_grouper", kwnames)?;
        arguments::check_positional(vm, "_grouper", args.len(), 2, 2)?;
        let Some(parent) = args[0].downcast_ref::<GroupBy>() else {
            let got = args[0].ty().name();
            return Err(vm.type_error(format!("_grouper() argument 1 must be itertools.groupby, not {got}")));
        };
        Ok(parent.new_group(&args[1]))
    });
    iterator_slots(s, next_of_group);
});

signature!(NEW = "groupby(iterable, key=None)");

impl GroupBy {
    /// A new group, which makes the former one end.
    fn new_group(&self, target: &Value) -> Value {
        let group = self.with(|state| {
            state.group += 1;
            state.group
        });
        let parent = taipan_object::object::to_ref(self);
        Grouper::make(GROUPER.ty(), parent, target.clone(), group, GrouperState {})
    }

    /// Reads the next item; false at the end.
    fn step(&self, vm: &Vm) -> Result<bool> {
        let Some(value) = vm.next_of_any(&self.iterator)? else { return Ok(false) };
        let key = match &self.function {
            None => value.clone(),
            Some(function) => vm.call_args(function, std::slice::from_ref(&value))?,
        };
        let old = self.with(|state| (state.value.replace(value), state.key.replace(key)));
        drop(old);
        Ok(true)
    }
}

fn next_group(vm: &Vm, this: &Value) -> Result<Option<Value>> {
    let groupby = GroupBy::of(this);
    // The former group ends here.
    groupby.with(|state| state.group += 1);
    let key = loop {
        match groupby.with(|state| (state.target.clone(), state.key.clone())) {
            (_, None) => {}
            (None, Some(key)) => break key,
            (Some(target), Some(key)) => {
                if !vm.equal_or_identical(&target, &key)? {
                    break key;
                }
            }
        }
        if !groupby.step(vm)? {
            return Ok(None);
        }
    };
    let old = groupby.with(|state| state.target.replace(key.clone()));
    drop(old);
    let group = groupby.new_group(&key);
    Ok(Some(Tuple::from_array([key, group]).into_value()))
}

fn next_of_group(vm: &Vm, this: &Value) -> Result<Option<Value>> {
    let grouper = Grouper::of(this);
    let parent = &*grouper.parent;
    let (group, waiting) = parent.with(|state| (state.group, state.value.is_some()));
    if group != grouper.group || !waiting && !parent.step(vm)? {
        return Ok(None);
    }
    let Some(key) = parent.with(|state| state.key.clone()) else { return Ok(None) };
    if !vm.equal_or_identical(&grouper.target, &key)? {
        return Ok(None);
    }
    Ok(parent.with(|state| state.value.take()))
}
