//! Subscription, length and containment.

use crate::object::Result;
use crate::types::{Type, lookup};
use crate::value::Value;
use crate::vm::{Vm, names};

impl Vm {
    /// `len(object)`.
    pub fn len(&self, object: &Value) -> Result<usize> {
        match object.ty().slots().length {
            Some(length) => self.check_stack("").and_then(|()| length(self, object)),
            None => Err(self.type_error(format!("object of type '{}' has no len()", object.ty().name()))),
        }
    }

    /// `object[key]`.
    pub fn get_item(&self, object: &Value, key: &Value) -> Result {
        self.check_stack("")?;
        if let Some(subscript) = object.ty().slots().subscript {
            return subscript(self, object, key);
        }
        if let Some(item) = object.ty().slots().item {
            let index = self.index_i64(key)?;
            return item(self, object, self.wrap_index(object, index)?);
        }
        if let Some(class) = object.downcast::<Type>() {
            if class.is(&crate::types::TYPE) {
                return Ok(crate::builtins::generic_alias::new(self, object, key));
            }
            if let Some(method) = self.get_attr_opt(object, &names().__class_getitem__)?
                && !method.is_none()
            {
                return self.call(&method, std::slice::from_ref(key), None);
            }
            return Err(self.type_error(format!("type '{}' is not subscriptable", class.name())));
        }
        Err(self.type_error(format!("'{}' object is not subscriptable", object.ty().name())))
    }

    /// `object[key] = value`.
    pub fn set_item(&self, object: &Value, key: &Value, value: &Value) -> Result<()> {
        match object.ty().slots().ass_subscript {
            Some(assign) => self.check_stack("").and_then(|()| assign(self, object, key, Some(value))),
            None => {
                let name = object.ty().name();
                Err(self.type_error(format!("'{name}' object does not support item assignment")))
            }
        }
    }

    /// `del object[key]`.
    pub fn delete_item(&self, object: &Value, key: &Value) -> Result<()> {
        match object.ty().slots().ass_subscript {
            Some(assign) => self.check_stack("").and_then(|()| assign(self, object, key, None)),
            None => {
                let name = object.ty().name();
                Err(self.type_error(format!("'{name}' object doesn't support item deletion")))
            }
        }
    }

    /// `item in container`.
    pub fn contains(&self, container: &Value, item: &Value) -> Result<bool> {
        match container.ty().slots().contains {
            Some(contains) => self.check_stack("").and_then(|()| contains(self, container, item)),
            None => self.iter_contains(container, item),
        }
    }

    /// A negative index counted from the end, if the object has a length.
    pub fn wrap_index(&self, object: &Value, index: i64) -> Result<i64> {
        if index < 0
            && let Some(length) = object.ty().slots().length
        {
            return Ok(index + length(self, object)? as i64);
        }
        Ok(index)
    }

    /// An index that is an int: out of 64 bits it is an `IndexError`.
    #[inline]
    pub fn index_or_index_error(&self, key: &Value) -> Result<i64> {
        if let Some(n) = key.as_small_int() {
            return Ok(n);
        }
        let index = self.index(key)?;
        crate::builtins::int::to_i64(&index).ok_or_else(|| {
            let name = key.ty().name();
            self.index_error(format!("cannot fit '{name}' into an index-sized integer"))
        })
    }

    /// Whether `object` supports `object[int]` (`PySequence_Check`).
    pub fn is_sequence(&self, object: &Value) -> bool {
        object.downcast::<crate::builtins::dict::Dict>().is_none()
            && (object.ty().slots().item.is_some() || lookup::find(object.ty(), &names().__getitem__).is_some())
    }
}
