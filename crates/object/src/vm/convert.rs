//! Truth, comparison, hashing, text and index conversions.

use crate::builtins::str::Str;
use crate::builtins::tuple::TUPLE;
use crate::builtins::{float, int, str};
use crate::object::{Ref, Result};
use crate::types::slots::CompareOp;
use crate::value::Value;
use crate::vm::{Vm, names};

impl Vm {
    /// `bool(value)`.
    #[inline]
    pub fn is_true(&self, value: &Value) -> Result<bool> {
        if value.is_true() {
            return Ok(true);
        }
        if value.is_false() || value.is_none() {
            return Ok(false);
        }
        if let Some(n) = value.as_small_int() {
            return Ok(n != 0);
        }
        let slots = value.ty().slots();
        self.check_stack("")?;
        if let Some(bool) = slots.bool {
            return bool(self, value);
        }
        if let Some(length) = slots.length {
            return Ok(length(self, value)? != 0);
        }
        Ok(true)
    }

    /// `repr(value)`.
    pub fn repr(&self, value: &Value) -> Result {
        self.check_stack(" while getting the repr of an object")?;
        let Some(repr) = value.ty().slots().repr else {
            return Ok(Value::from(format!("<{} object at {:#x}>", value.ty().full_name(), value.id())));
        };
        let text = repr(self, value)?;
        // What there was no memory for is not taken for the text.
        self.check_memory()?;
        if text.downcast::<Str>().is_none() {
            let name = text.ty().name();
            return Err(self.type_error(format!("__repr__ returned non-string (type {name})")));
        }
        Ok(text)
    }

    /// `str(value)`.
    pub fn str(&self, value: &Value) -> Result {
        if value.downcast_exact::<Str>().is_some() {
            return Ok(value.clone());
        }
        let Some(str) = value.ty().slots().str else { return self.repr(value) };
        self.check_stack(" while getting the str of an object")?;
        let text = str(self, value)?;
        self.check_memory()?;
        if text.downcast::<Str>().is_none() {
            let name = text.ty().name();
            return Err(self.type_error(format!("__str__ returned non-string (type {name})")));
        }
        Ok(text)
    }

    /// `repr(value)` as a Rust string (lone surrogates escaped).
    pub fn repr_string(&self, value: &Value) -> Result<String> {
        Ok(self.display_name(&self.repr(value)?))
    }
    /// `str(value)` as a Rust string (lone surrogates replaced).
    pub fn str_string(&self, value: &Value) -> Result<String> {
        Ok(self.display_name(&self.str(value)?))
    }

    /// The text of a str for messages; anything else by its type name.
    pub fn display_name(&self, name: &Value) -> String {
        match name.downcast::<Str>() {
            Some(text) => text.to_string_lossy(),
            None => format!("<{}>", name.ty().name()),
        }
    }

    /// `value` as a str, or the given `TypeError`.
    pub fn expect_str<'a>(&self, value: &'a Value, message: impl FnOnce(String) -> String) -> Result<&'a Str> {
        match value.downcast::<Str>() {
            Some(text) => Ok(text),
            None => Err(self.type_error(message(value.ty().name()))),
        }
    }

    /// As [`Vm::expect_str`], for messages about an argument, which call `None` by its name.
    pub fn expect_str_argument<'a>(&self, value: &'a Value, message: impl FnOnce(String) -> String) -> Result<&'a Str> {
        match value.downcast::<Str>() {
            Some(text) => Ok(text),
            None => Err(self.type_error(message(self.argument_type(value)))),
        }
    }

    /// The type of a wrong argument, as messages show it.
    pub fn argument_type(&self, value: &Value) -> String {
        if value.is_none() { "None".to_string() } else { value.ty().name() }
    }

    /// `hash(value)`.
    #[inline]
    pub fn hash(&self, value: &Value) -> Result<i64> {
        if let Some(text) = value.downcast_exact::<Str>() {
            return Ok(text.hash());
        }
        if let Some(n) = value.as_small_int() {
            return Ok(int::hash_i64(n));
        }
        // Tuples look themselves, and say what they are about.
        if !value.ty().is(&TUPLE) {
            self.check_stack("")?;
        }
        #[cfg(feature = "free-threading")]
        let _alone = self.alone_for([value]);
        match value.ty().slots().hash {
            Some(hash) => hash(self, value),
            None => Err(self.type_error(format!("unhashable type: '{}'", value.ty().name()))),
        }
    }

    /// `left op right`, the result as an object.
    pub fn rich_compare(&self, left: &Value, right: &Value, op: CompareOp) -> Result {
        if let (Some(a), Some(b)) = (left.as_small_int(), right.as_small_int()) {
            return Ok(Value::bool(op.holds(a.cmp(&b))));
        }
        self.check_stack(" in comparison")?;
        #[cfg(feature = "free-threading")]
        let _alone = self.alone_for([left, right]);
        let (left_type, right_type) = (left.ty(), right.ty());
        let mut tried_right = false;
        if !std::ptr::eq(left_type, right_type)
            && right_type.is_subtype(left_type)
            && let Some(compare) = right_type.slots().richcompare
        {
            tried_right = true;
            let result = compare(self, right, left, op.swapped())?;
            if !result.is_not_implemented() {
                return Ok(result);
            }
        }
        if let Some(compare) = left_type.slots().richcompare {
            let result = compare(self, left, right, op)?;
            if !result.is_not_implemented() {
                return Ok(result);
            }
        }
        if !tried_right && let Some(compare) = right.ty().slots().richcompare {
            let result = compare(self, right, left, op.swapped())?;
            if !result.is_not_implemented() {
                return Ok(result);
            }
        }
        match op {
            CompareOp::Eq => Ok(Value::bool(left.is(right))),
            CompareOp::Ne => Ok(Value::bool(!left.is(right))),
            _ => Err(self.type_error(format!(
                "'{}' not supported between instances of '{}' and '{}'",
                op.symbol(),
                left.ty().name(),
                right.ty().name()
            ))),
        }
    }

    /// `bool(left op right)`, without the identity shortcut.
    pub fn compare(&self, left: &Value, right: &Value, op: CompareOp) -> Result<bool> {
        let result = self.rich_compare(left, right, op)?;
        self.is_true(&result)
    }

    /// `left == right` as a truth value.
    pub fn equal(&self, left: &Value, right: &Value) -> Result<bool> {
        self.compare(left, right, CompareOp::Eq)
    }

    /// `left is right or left == right`, as containers compare their items.
    #[inline]
    pub fn equal_or_identical(&self, left: &Value, right: &Value) -> Result<bool> {
        if left.is(right) {
            return Ok(true);
        }
        if left.is_small_int() && right.is_small_int() {
            return Ok(false);
        }
        if let (Some(a), Some(b)) = (left.downcast_exact::<Str>(), right.downcast_exact::<Str>()) {
            return Ok(a.equals(b));
        }
        self.equal(left, right)
    }

    /// `operator.index(value)`: an exact int.
    pub fn index(&self, value: &Value) -> Result {
        if int::is_exact(value) {
            return Ok(value.clone());
        }
        if int::is_int(value) {
            return Ok(int::to_exact(value));
        }
        let Some(index) = value.ty().slots().index else {
            let name = value.ty().name();
            return Err(self.type_error(format!("'{name}' object cannot be interpreted as an integer")));
        };
        self.check_stack("")?;
        let result = index(self, value)?;
        if int::is_exact(&result) {
            return Ok(result);
        }
        if int::is_int(&result) {
            let name = result.ty().name();
            self.warn(
                &crate::exceptions::DEPRECATION_WARNING.value(),
                &format!(
                    "__index__ returned non-int (type {name}).  The ability to return an instance of a strict subclass of \
                     int is deprecated, and may not be supported in a future version of Python."
                ),
                1,
            )?;
            return Ok(int::to_exact(&result));
        }
        Err(self.type_error(format!("__index__ returned non-int (type {})", result.ty().name())))
    }

    /// `operator.index(value)` clipped to i64 range is an `OverflowError` ("cannot fit 'X' into an index-sized integer").
    pub fn index_i64(&self, value: &Value) -> Result<i64> {
        if let Some(n) = value.as_small_int() {
            return Ok(n);
        }
        let index = self.index(value)?;
        int::to_i64(&index).ok_or_else(|| {
            let name = value.ty().name();
            self.overflow_error(format!("cannot fit '{name}' into an index-sized integer"))
        })
    }

    /// An argument that is a C `ssize_t`.
    pub fn index_ssize(&self, value: &Value) -> Result<i64> {
        if let Some(n) = value.as_small_int() {
            return Ok(n);
        }
        let index = self.index(value)?;
        int::to_i64(&index).ok_or_else(|| self.overflow_error("Python int too large to convert to C ssize_t"))
    }

    /// As [`Vm::index_i64`], clipped instead of raising (slices, `PyNumber_AsSsize_t(v, NULL)`).
    pub fn index_clipped(&self, value: &Value) -> Result<i64> {
        let index = self.index(value)?;
        Ok(int::to_i64(&index).unwrap_or(if int::is_negative(&index) { i64::MIN } else { i64::MAX }))
    }

    /// The argument as a C `int`.
    pub fn index_i32(&self, value: &Value) -> Result<i32> {
        let index = self.index(value)?;
        match int::to_i64(&index) {
            Some(n) if i32::try_from(n).is_ok() => Ok(n as i32),
            Some(n) => Err(self.overflow_error(format!(
                "signed integer is {} than {}",
                if n < 0 { "less" } else { "greater" },
                if n < 0 { "minimum" } else { "maximum" }
            ))),
            None => Err(self.overflow_error("Python int too large to convert to C long".to_string())),
        }
    }

    /// `float(value)` for numeric arguments (`__float__`, `__index__`).
    pub fn float(&self, value: &Value) -> Result<f64> {
        crate::builtins::float::as_f64(self, value)
    }

    /// `format(value, spec)`.
    pub fn format(&self, value: &Value, spec: &Value) -> Result {
        if spec.downcast::<Str>().is_some_and(|s| s.len() == 0)
            && (value.downcast_exact::<Str>().is_some() || int::is_exact(value))
        {
            return self.str(value);
        }
        let arguments = std::slice::from_ref(spec);
        if value.downcast_exact::<Str>().is_some() {
            return str::format::format_self(self, value, arguments);
        }
        if value.is_small_int() {
            return int::format::format(self, value, arguments);
        }
        if value.is_immediate_float() {
            return float::methods::format(self, value, arguments);
        }
        match self.call_special(value, &names().__format__, &[spec]) {
            Some(result) => {
                let result = result?;
                if result.downcast::<Str>().is_none() {
                    let name = result.ty().name();
                    return Err(self.type_error(format!("__format__ must return a str, not {name}")));
                }
                Ok(result)
            }
            None => Err(self.type_error(format!("Type {} doesn't define __format__", value.ty().name()))),
        }
    }

    /// A new str.
    pub fn new_str(&self, text: &str) -> Ref<Str> {
        Str::new(text)
    }
}
