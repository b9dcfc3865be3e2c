//! The iteration protocol.

use crate::builtins::iterator;
use crate::builtins::list::iterator::ListIterator;
use crate::builtins::range::iterator::RangeIterator;
use crate::builtins::tuple::iterator::TupleIterator;
use crate::exceptions;
use crate::object::Result;
use crate::types::lookup;
use crate::value::Value;
use crate::vm::{Raised, Vm, names};

impl Vm {
    /// `iter(object)`.
    pub fn iter(&self, object: &Value) -> Result {
        self.check_stack("")?;
        #[cfg(feature = "free-threading")]
        let _alone = self.alone_for([object]);
        let slots = object.ty().slots();
        if let Some(iter) = slots.iter {
            let iterator = iter(self, object)?;
            if iterator.ty().slots().iternext.is_none() {
                let name = iterator.ty().name();
                return Err(self.type_error(format!("iter() returned non-iterator of type '{name}'")));
            }
            return Ok(iterator);
        }
        if slots.item.is_some()
            || lookup::find(object.ty(), &names().__getitem__).is_some() && slots.subscript.is_some()
        {
            if object.downcast::<crate::builtins::dict::Dict>().is_none() && slots.item.is_some() {
                return self.sequence_iterator(object);
            }
        }
        Err(self.type_error(format!("'{}' object is not iterable", object.ty().name())))
    }

    /// An iterator over `object[0]`, `object[1]`, ….
    pub fn sequence_iterator(&self, object: &Value) -> Result {
        Ok(iterator::sequence_iterator(object))
    }

    /// The next item; `None` when exhausted.
    #[inline]
    pub fn next(&self, iterator: &Value) -> Result<Option<Value>> {
        self.check_stack("")?;
        #[cfg(feature = "free-threading")]
        let _alone = self.alone_for([iterator]);
        match iterator.ty().slots().iternext {
            Some(next) => match next(self, iterator) {
                Err(raised) => self.stop_iteration_to_none(raised),
                next => next,
            },
            None => Err(self.type_error(format!("'{}' object is not an iterator", iterator.ty().name()))),
        }
    }

    /// As [`Vm::next`], faster for the iterators of lists, tuples and ranges.
    #[inline(always)]
    pub fn next_of_any(&self, iterator: &Value) -> Result<Option<Value>> {
        #[cfg(feature = "free-threading")]
        if crate::count::is_shared() {
            return self.next_beside(iterator);
        }
        self.next_of_built_in(iterator)
    }

    /// As [`Vm::next_of_any`], beside other threads.
    #[cfg(feature = "free-threading")]
    #[inline(never)]
    fn next_beside(&self, iterator: &Value) -> Result<Option<Value>> {
        let _alone = self.alone_for([iterator]);
        self.next_of_built_in(iterator)
    }

    #[inline(always)]
    fn next_of_built_in(&self, iterator: &Value) -> Result<Option<Value>> {
        if let Some(list) = iterator.downcast_exact::<ListIterator>() {
            return Ok(list.step());
        }
        if let Some(range) = iterator.downcast_exact::<RangeIterator>() {
            return Ok(range.next());
        }
        if let Some(tuple) = iterator.downcast_exact::<TupleIterator>() {
            return Ok(tuple.step());
        }
        self.next(iterator)
    }

    /// `next(iterator)`: the exhausted iterator's own `StopIteration`, which may carry a value.
    pub fn next_or_stop(&self, iterator: &Value) -> Result {
        self.check_stack("")?;
        #[cfg(feature = "free-threading")]
        let _alone = self.alone_for([iterator]);
        match iterator.ty().slots().iternext {
            Some(next) => match next(self, iterator)? {
                Some(item) => Ok(item),
                None => Err(self.stop_iteration(None)),
            },
            None => Err(self.type_error(format!("'{}' object is not an iterator", iterator.ty().name()))),
        }
    }

    /// Turns a `StopIteration` in flight into `None`.
    pub fn stop_iteration_to_none(&self, raised: Raised) -> Result<Option<Value>> {
        self.catch(raised, exceptions::stop_iteration()).map(|_| None)
    }

    /// Calls `f` for each item until it errs.
    pub fn for_each(&self, iterable: &Value, mut f: impl FnMut(Value) -> Result<()>) -> Result<()> {
        let iterator = self.iter(iterable)?;
        while let Some(item) = self.next(&iterator)? {
            f(item)?;
        }
        Ok(())
    }

    /// All items of an iterable.
    pub fn collect(&self, iterable: &Value) -> Result<Vec<Value>> {
        crate::builtins::list::methods::collect(self, iterable)
    }

    /// `operator.length_hint`.
    pub fn length_hint(&self, object: &Value, default: usize) -> Result<usize> {
        self.check_stack("")?;
        if let Some(length) = object.ty().slots().length {
            match length(self, object) {
                Ok(n) => return Ok(n),
                Err(raised) => {
                    self.catch(raised, exceptions::type_error())?;
                }
            }
        }
        match self.call_special(object, &names().__length_hint__, &[]) {
            None => Ok(default),
            Some(Ok(hint)) if hint.is_not_implemented() => Ok(default),
            Some(Ok(hint)) => match crate::builtins::int::to_i64(&hint) {
                Some(n) if n >= 0 => Ok(n as usize),
                Some(_) => Err(self.value_error("__length_hint__() should return >= 0".to_string())),
                None => Err(self.type_error(format!("__length_hint__ must be an integer, not {}", hint.ty().name()))),
            },
            Some(Err(raised)) => {
                self.catch(raised, exceptions::type_error())?;
                Ok(default)
            }
        }
    }

    /// `item in iterable` by iteration.
    pub fn iter_contains(&self, iterable: &Value, item: &Value) -> Result<bool> {
        let iterator = match self.iter(iterable) {
            Ok(iterator) => iterator,
            Err(raised) => {
                let exception = self.catch(raised, exceptions::type_error())?;
                drop(exception);
                let name = iterable.ty().name();
                return Err(self.type_error(format!("argument of type '{name}' is not a container or iterable")));
            }
        };
        while let Some(candidate) = self.next(&iterator)? {
            if self.equal_or_identical(&candidate, item)? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
