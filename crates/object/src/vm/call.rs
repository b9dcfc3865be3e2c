//! Calls and attribute access.

use crate::builtins::str::{Str, intern};
use crate::builtins::tuple::Tuple;
use crate::builtins::{module, type_object};
use crate::object::Result;
use crate::types::{Type, lookup, type_flags};
use crate::value::Value;
use crate::vm::{Vm, names};
use smallvec::SmallVec;
use std::mem::{ManuallyDrop, MaybeUninit};

/// A special method found on a type, ready to be called.
pub enum Method<'a> {
    /// An unbound function: `self` goes first.
    Unbound(Value, &'a Value),
    Bound(Value),
}

/// Calls `f` with a slice of values that are only lent: they outlive the call, so that no references are counted.
#[inline(always)]
pub(crate) fn with_lent<'a, R>(values: impl Iterator<Item = &'a Value>, f: impl FnOnce(&[Value]) -> R) -> R {
    let mut all: SmallVec<[ManuallyDrop<Value>; 8]> = SmallVec::new();
    for value in values {
        // SAFETY: a second word for the reference, which is not dropped. Volatile, as words that have just been written one
        // by one should not be read in larger pieces.
        all.push(unsafe { std::ptr::read_volatile(std::ptr::from_ref(value).cast::<ManuallyDrop<Value>>()) });
    }
    // SAFETY: `ManuallyDrop` has the layout of what it holds.
    f(unsafe { std::slice::from_raw_parts(all.as_ptr().cast::<Value>(), all.len()) })
}

/// Calls `f` with the values of two slices one behind the other, which are only lent, as by [`with_lent`].
#[inline]
pub fn with_joined<R>(first: &[Value], second: &[Value], f: impl FnOnce(&[Value]) -> R) -> R {
    const FEW: usize = 8;
    let total = first.len() + second.len();
    let mut few = [const { MaybeUninit::<u64>::uninit() }; FEW];
    let mut many = Vec::new();
    let words = if total <= FEW {
        few.as_mut_ptr()
    } else {
        many.reserve_exact(total);
        many.as_mut_ptr()
    };
    // SAFETY: there is room for as many words; a value is one word. Volatile, as in `with_lent`. The slice only lends the
    // values, which outlive the call: nothing is dropped.
    unsafe {
        for (at, value) in first.iter().chain(second).enumerate() {
            (*words.add(at)).write(std::ptr::from_ref(value).cast::<u64>().read_volatile());
        }
        f(std::slice::from_raw_parts(words.cast::<Value>(), total))
    }
}

impl Method<'_> {
    pub fn call(&self, vm: &Vm, args: &[Value], kwnames: Option<&Value>) -> Result {
        match self {
            Method::Bound(callable) => vm.call(callable, args, kwnames),
            Method::Unbound(function, this) => {
                with_joined(std::slice::from_ref(*this), args, |all| vm.call(function, all, kwnames))
            }
        }
    }
}

impl Vm {
    /// Calls `callable`: positional arguments, then values for the names in `kwnames`.
    #[inline]
    pub fn call(&self, callable: &Value, args: &[Value], kwnames: Option<&Value>) -> Result {
        self.check_stack(" while calling a Python object")?;
        #[cfg(feature = "free-threading")]
        let _alone = self.alone_for_call(callable);
        match callable.ty().slots().call {
            Some(call) => call(self, callable, args, kwnames),
            None => Err(self.type_error(format!("'{}' object is not callable", callable.ty().name()))),
        }
    }

    /// Calls with positional arguments.
    #[inline]
    pub fn call_args(&self, callable: &Value, args: &[Value]) -> Result {
        self.call(callable, args, None)
    }

    /// Calls with keyword arguments.
    pub fn call_keywords(&self, callable: &Value, args: &[Value], keywords: &[(&str, Value)]) -> Result {
        let mut all = args.to_vec();
        all.extend(keywords.iter().map(|(_, value)| value.clone()));
        let kwnames = Tuple::from_vec(keywords.iter().map(|(name, _)| intern(name).into_value()).collect());
        self.call(callable, &all, if keywords.is_empty() { None } else { Some(kwnames.as_value()) })
    }

    /// Finds the special method `name` (interned) on the type of `this`; `None` if there is none.
    pub fn lookup_special<'a>(&self, this: &'a Value, name: &Value) -> Option<Result<Method<'a>>> {
        let method = lookup::find(this.ty(), name)?;
        if method.ty().has_flags(type_flags::METHOD_DESCRIPTOR) {
            return Some(Ok(Method::Unbound(method, this)));
        }
        match method.ty().slots().descr_get {
            Some(get) => {
                let bound =
                    self.check_stack("").and_then(|()| get(self, &method, Some(this), Some(&this.ty().to_value())));
                Some(bound.map(Method::Bound))
            }
            None => Some(Ok(Method::Bound(method))),
        }
    }

    /// Calls the special method `name` (interned) of `this`; `None` if its type has none.
    pub fn call_special(&self, this: &Value, name: &Value, args: &[&Value]) -> Option<Result> {
        let method = lookup::find(this.ty(), name)?;
        if method.ty().has_flags(type_flags::METHOD_DESCRIPTOR) {
            let all = std::iter::once(this).chain(args.iter().copied());
            return Some(with_lent(all, |all| self.call(&method, all, None)));
        }
        let bound = match method.ty().slots().descr_get {
            Some(get) => {
                let bound =
                    self.check_stack("").and_then(|()| get(self, &method, Some(this), Some(&this.ty().to_value())));
                match bound {
                    Ok(bound) => bound,
                    Err(raised) => return Some(Err(raised)),
                }
            }
            None => method,
        };
        Some(with_lent(args.iter().copied(), |all| self.call(&bound, all, None)))
    }

    /// `object.name(*args)` by attribute lookup.
    pub fn call_method(&self, object: &Value, name: &str, args: &[Value]) -> Result {
        self.call_method_name(object, intern(name).as_value(), args)
    }

    /// As [`Vm::call_method`], with an interned name.
    pub fn call_method_name(&self, object: &Value, name: &Value, args: &[Value]) -> Result {
        self.call_method_keywords(object, name, args, None)
    }

    /// As [`Vm::call_method_name`], with keyword arguments: positional ones, then values for the names in `kwnames`.
    pub fn call_method_keywords(
        &self,
        object: &Value,
        name: &Value,
        args: &[Value],
        kwnames: Option<&Value>,
    ) -> Result {
        // Bound methods of plain instances need not be made.
        if lookup::looks_up_generically(object.ty())
            && let Some(method) = lookup::find(object.ty(), name)
            && method.ty().has_flags(type_flags::METHOD_DESCRIPTOR)
            && object.as_object().is_none_or(|header| !self.has_instance_attribute(header, name))
        {
            return Method::Unbound(method, object).call(self, args, kwnames);
        }
        let method = self.get_attr(object, name)?;
        self.call(&method, args, kwnames)
    }

    fn has_instance_attribute(&self, header: &crate::header::Header, name: &Value) -> bool {
        match crate::native::own_dict(header.ty(), header) {
            Some(dict) => dict.get_str(name).is_some(),
            None => crate::attributes::get(header, name).is_some(),
        }
    }

    /// `getattr(object, name)`; `name` is a str (interned names are found fastest).
    #[inline]
    pub fn get_attr(&self, object: &Value, name: &Value) -> Result {
        self.check_stack("")?;
        match object.ty().slots().getattro {
            Some(getattro) => getattro(self, object, name).map_err(|raised| self.with_attribute(raised, object, name)),
            None => Err(self.no_attribute(object, name)),
        }
    }

    /// An `AttributeError` that does not say so learns which attribute of what was missing, for suggestions.
    #[cold]
    pub fn with_attribute(&self, raised: crate::Raised, object: &Value, name: &Value) -> crate::Raised {
        use crate::exceptions::{attribute_error, field, set_field};
        if self.pending_matches(&raised, attribute_error()) {
            let exception = self.pending(&raised);
            if field(&exception, &names().name).is_none() && field(&exception, &names().obj).is_none() {
                set_field(&exception, &names().name, name.clone());
                set_field(&exception, &names().obj, object.clone());
            }
        }
        raised
    }
    pub fn get_attr_str(&self, object: &Value, name: &str) -> Result {
        self.get_attr(object, intern(name).as_value())
    }

    /// `getattr(object, name, None)` that tells absence from `None`.
    pub fn get_attr_opt(&self, object: &Value, name: &Value) -> Result<Option<Value>> {
        self.check_stack("")?;
        let getattro = object.ty().slots().getattro;
        let found = if getattro.is_some_and(lookup::is_generic_getattr) {
            lookup::generic_getattr_opt(self, object, name)
        } else if getattro.is_some_and(type_object::is_getattro) {
            type_object::getattro_opt(self, object, name)
        } else if getattro.is_some_and(module::is_getattro) {
            module::getattro_opt(self, object, name)
        } else {
            self.get_attr(object, name).map(Some)
        };
        // A descriptor may find nothing either.
        found.or_else(|raised| self.catch(raised, crate::exceptions::attribute_error()).map(|_| None))
    }
    pub fn get_attr_str_opt(&self, object: &Value, name: &str) -> Result<Option<Value>> {
        self.get_attr_opt(object, intern(name).as_value())
    }

    pub fn set_attr(&self, object: &Value, name: &Value, value: &Value) -> Result<()> {
        self.set_or_delete_attr(object, name, Some(value))
    }
    pub fn set_attr_str(&self, object: &Value, name: &str, value: &Value) -> Result<()> {
        self.set_attr(object, intern(name).as_value(), value)
    }
    pub fn delete_attr(&self, object: &Value, name: &Value) -> Result<()> {
        self.set_or_delete_attr(object, name, None)
    }

    fn set_or_delete_attr(&self, object: &Value, name: &Value, value: Option<&Value>) -> Result<()> {
        match object.ty().slots().setattro {
            Some(setattro) => self.check_stack("").and_then(|()| setattro(self, object, name, value)),
            None => {
                let verb = if value.is_some() { "assign to" } else { "del" };
                let has = if object.ty().slots().getattro.is_some() { "has only read-only" } else { "has no" };
                let (ty, name) = (object.ty().name(), self.display_name(name));
                Err(self.type_error(format!("'{ty}' object {has} attributes ({verb} .{name})")))
            }
        }
    }

    /// An attribute name given by Python code: a str, interned.
    pub fn attribute_name(&self, name: &Value) -> Result {
        match name.downcast::<Str>() {
            Some(text) => Ok(text.interned(name)),
            None => Err(self.type_error(format!("attribute name must be string, not '{}'", name.ty().name()))),
        }
    }

    /// The number of items of a tuple (a `kwnames`).
    pub fn tuple_len(&self, tuple: &Value) -> usize {
        tuple.downcast::<Tuple>().map_or(0, |t| t.as_slice().len())
    }

    /// `isinstance(object, class)` honouring `__instancecheck__`; `class` may be a tuple or union.
    pub fn is_instance(&self, object: &Value, class: &Value) -> Result<bool> {
        crate::builtins::type_object::is_instance(self, object, class)
    }
    /// `issubclass(sub, class)` honouring `__subclasscheck__`.
    pub fn is_subclass(&self, sub: &Value, class: &Value) -> Result<bool> {
        crate::builtins::type_object::is_subclass(self, sub, class)
    }

    /// Makes an instance: `class(*args)` for a type.
    pub fn instantiate(&self, class: &Type, args: &[Value]) -> Result {
        self.call(&class.to_value(), args, None)
    }

    /// `object.__class__`.
    pub fn class_of(&self, object: &Value) -> Result {
        self.get_attr(object, &names().__class__)
    }
}
