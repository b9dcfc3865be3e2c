//! The slot functions of classes written in Python: each looks its dunder method up on the type and calls it.

use crate::builtins::staticmethod;
use crate::object::Result;
use crate::types::slots::{Binary, CompareOp, Slots};
use crate::types::{Type, lookup};
use crate::value::Value;
use crate::vm::with_joined;
use crate::vm::{Vm, names};

/// Calls the special method `name` of `this`; `None` if the type has none.
fn special(vm: &Vm, this: &Value, name: &Value, args: &[&Value]) -> Option<Result> {
    vm.call_special(this, name, args)
}

fn required(vm: &Vm, this: &Value, name: &Value, args: &[&Value]) -> Result {
    match special(vm, this, name, args) {
        Some(result) => result,
        None => Err(vm.attribute_error_name(name)),
    }
}

/// `__op__` of the left operand and `__rop__` of the right one, with the priority of a proper subclass that
/// overrides the reflected method.
fn binary(
    vm: &Vm,
    left: &Value,
    right: &Value,
    name: &Value,
    reflected: &Value,
    is_this: impl Fn(&Slots) -> bool,
) -> Result {
    let do_other = !std::ptr::eq(left.ty(), right.ty()) && is_this(right.ty().slots());
    let mut other_done = false;
    if is_this(left.ty().slots()) {
        if do_other && right.ty().is_subtype(left.ty()) {
            let own = lookup::find(right.ty(), reflected);
            let inherited = lookup::find(left.ty(), reflected);
            let overridden = match (&own, &inherited) {
                (Some(own), Some(inherited)) => !own.is(inherited),
                (Some(_), None) => true,
                _ => false,
            };
            if overridden {
                if let Some(result) = special(vm, right, reflected, &[left]) {
                    let result = result?;
                    if !result.is_not_implemented() {
                        return Ok(result);
                    }
                }
                other_done = true;
            }
        }
        if let Some(result) = special(vm, left, name, &[right]) {
            let result = result?;
            if !result.is_not_implemented() {
                return Ok(result);
            }
        }
    }
    if do_other && !other_done {
        return special(vm, right, reflected, &[left]).unwrap_or(Ok(Value::NOT_IMPLEMENTED));
    }
    Ok(Value::NOT_IMPLEMENTED)
}

macro_rules! binary_slots {
    ($($slot:ident $name:ident $reflected:ident)*) => { $(
        pub fn $slot(vm: &Vm, left: &Value, right: &Value) -> Result {
            binary(vm, left, right, &names().$name, &names().$reflected, |slots| {
                slots.$slot.is_some_and(|f| std::ptr::fn_addr_eq(f, $slot as crate::types::slots::Binary))
            })
        }
    )* };
}
binary_slots! {
    add __add__ __radd__
    subtract __sub__ __rsub__
    multiply __mul__ __rmul__
    remainder __mod__ __rmod__
    divmod __divmod__ __rdivmod__
    lshift __lshift__ __rlshift__
    rshift __rshift__ __rrshift__
    and __and__ __rand__
    xor __xor__ __rxor__
    or __or__ __ror__
    floor_divide __floordiv__ __rfloordiv__
    true_divide __truediv__ __rtruediv__
    matrix_multiply __matmul__ __rmatmul__
}

/// A binary operator as a class written in Python has it: what the eval loop has to know to run the left operand's method
/// in a frame of its own instead of calling the slot.
pub struct Dunder {
    slot: fn(&Slots) -> Option<Binary>,
    /// What the slot is, if the method is.
    function: Binary,
    has_inplace: fn(&Slots) -> bool,
    name: fn() -> &'static Value,
    reflected: fn() -> &'static Value,
    symbol: &'static str,
    inplace_symbol: &'static str,
}

impl Dunder {
    /// The method of `left`'s class with which `left op right` begins; None if something else comes first, or if more
    /// than the reflected method could come after it.
    pub fn left_method(&self, left: &Value, right: &Value, inplace: bool) -> Option<Value> {
        let (left_type, right_type) = (left.ty(), right.ty());
        let slots = left_type.slots();
        let own = (self.slot)(slots).is_some_and(|slot| std::ptr::fn_addr_eq(slot, self.function));
        if !own
            || inplace
                && ((self.has_inplace)(slots) || slots.inplace_concat.is_some() || slots.inplace_repeat.is_some())
            || slots.concat.is_some()
            || slots.repeat.is_some()
            || !std::ptr::eq(left_type, right_type)
                && (right_type.slots().repeat.is_some() || right_type.is_subtype(left_type))
        {
            return None;
        }
        lookup::find(left_type, (self.name)())
    }

    /// Goes on when the method of `left` returned `NotImplemented`.
    #[cold]
    pub fn declined(&self, vm: &Vm, left: &Value, right: &Value, inplace: bool) -> Result {
        if !std::ptr::eq(left.ty(), right.ty())
            && let Some(slot) = (self.slot)(right.ty().slots())
        {
            let result = if std::ptr::fn_addr_eq(slot, self.function) {
                special(vm, right, (self.reflected)(), &[left]).unwrap_or(Ok(Value::NOT_IMPLEMENTED))?
            } else {
                slot(vm, left, right)?
            };
            if !result.is_not_implemented() {
                return Ok(result);
            }
        }
        Err(vm.unsupported_operands(if inplace { self.inplace_symbol } else { self.symbol }, left, right))
    }
}

macro_rules! dunders {
    ($($slot:ident $inplace:ident $name:ident $reflected:ident $symbol:literal;)*) => {
        [$( Dunder {
            slot: |slots| slots.$slot,
            function: $slot,
            has_inplace: |slots| slots.$inplace.is_some(),
            name: || &names().$name,
            reflected: || &names().$reflected,
            symbol: $symbol,
            inplace_symbol: concat!($symbol, "="),
        }, )*]
    };
}

/// The operators with two operands but `**`.
pub static DUNDERS: [Dunder; 12] = dunders! {
    add inplace_add __add__ __radd__ "+";
    and inplace_and __and__ __rand__ "&";
    floor_divide inplace_floor_divide __floordiv__ __rfloordiv__ "//";
    lshift inplace_lshift __lshift__ __rlshift__ "<<";
    matrix_multiply inplace_matrix_multiply __matmul__ __rmatmul__ "@";
    multiply inplace_multiply __mul__ __rmul__ "*";
    remainder inplace_remainder __mod__ __rmod__ "%";
    or inplace_or __or__ __ror__ "|";
    rshift inplace_rshift __rshift__ __rrshift__ ">>";
    subtract inplace_subtract __sub__ __rsub__ "-";
    true_divide inplace_true_divide __truediv__ __rtruediv__ "/";
    xor inplace_xor __xor__ __rxor__ "^";
};

fn two_argument_power(vm: &Vm, left: &Value, right: &Value) -> Result {
    binary(vm, left, right, &names().__pow__, &names().__rpow__, |slots| {
        slots.power.is_some_and(|f| std::ptr::fn_addr_eq(f, power as crate::types::slots::Ternary))
    })
}

pub fn power(vm: &Vm, left: &Value, right: &Value, modulus: &Value) -> Result {
    if modulus.is_none() {
        return two_argument_power(vm, left, right);
    }
    let is_this = |value: &Value| {
        let slot = value.ty().slots().power;
        slot.is_some_and(|f| std::ptr::fn_addr_eq(f, power as crate::types::slots::Ternary))
    };
    if is_this(left) {
        if let Some(result) = special(vm, left, &names().__pow__, &[right, modulus]) {
            let result = result?;
            if !result.is_not_implemented() {
                return Ok(result);
            }
        }
    }
    if is_this(right) {
        if let Some(result) = special(vm, right, &names().__rpow__, &[left, modulus]) {
            let result = result?;
            if !result.is_not_implemented() {
                return Ok(result);
            }
        }
    }
    Ok(Value::NOT_IMPLEMENTED)
}

macro_rules! inplace_slots {
    ($($slot:ident $name:ident)*) => { $(
        pub fn $slot(vm: &Vm, left: &Value, right: &Value) -> Result {
            required(vm, left, &names().$name, &[right])
        }
    )* };
}
inplace_slots! {
    inplace_add __iadd__
    inplace_subtract __isub__
    inplace_multiply __imul__
    inplace_remainder __imod__
    inplace_lshift __ilshift__
    inplace_rshift __irshift__
    inplace_and __iand__
    inplace_xor __ixor__
    inplace_or __ior__
    inplace_floor_divide __ifloordiv__
    inplace_true_divide __itruediv__
    inplace_matrix_multiply __imatmul__
    subscript __getitem__
}

pub fn inplace_power(vm: &Vm, left: &Value, right: &Value, _modulus: &Value) -> Result {
    required(vm, left, &names().__ipow__, &[right])
}

macro_rules! unary_slots {
    ($($slot:ident $name:ident)*) => { $(
        pub fn $slot(vm: &Vm, this: &Value) -> Result {
            required(vm, this, &names().$name, &[])
        }
    )* };
}
unary_slots! {
    negative __neg__
    positive __pos__
    absolute __abs__
    invert __invert__
    int __int__
    float __float__
    index __index__
}

pub fn repr(vm: &Vm, this: &Value) -> Result {
    match special(vm, this, &names().__repr__, &[]) {
        Some(result) => result,
        None => Ok(Value::from(format!("<{} object at {:#x}>", this.ty().name(), this.id()))),
    }
}

pub fn str(vm: &Vm, this: &Value) -> Result {
    match special(vm, this, &names().__str__, &[]) {
        Some(result) => result,
        None => vm.repr(this),
    }
}

pub fn hash(vm: &Vm, this: &Value) -> Result<i64> {
    match lookup::find(this.ty(), &names().__hash__) {
        Some(method) if !method.is_none() => {
            let result = required(vm, this, &names().__hash__, &[])?;
            match crate::builtins::int::hash_result(&result) {
                Some(hash) => Ok(hash),
                None => Err(vm.type_error("__hash__ method should return an integer".to_string())),
            }
        }
        _ => crate::types::slots::hash_not_implemented(vm, this),
    }
}

pub fn bool(vm: &Vm, this: &Value) -> Result<bool> {
    if lookup::find(this.ty(), &names().__bool__).is_some_and(|method| method.is_none()) {
        return Err(vm.type_error(format!("'{}' cannot be interpreted as a boolean", this.ty().name())));
    }
    let result = match special(vm, this, &names().__bool__, &[]) {
        Some(result) => result?,
        None => match special(vm, this, &names().__len__, &[]) {
            Some(result) => return Ok(length_from(vm, &result?)? != 0),
            None => return Ok(true),
        },
    };
    if result.is_bool() {
        Ok(result.is_true())
    } else {
        Err(vm.type_error(format!("__bool__ should return bool, returned {}", result.ty().name())))
    }
}

fn length_from(vm: &Vm, result: &Value) -> Result<usize> {
    let index = vm.index(result)?;
    match crate::builtins::int::to_i64(&index) {
        Some(n) if n >= 0 => Ok(n as usize),
        _ if crate::builtins::int::is_negative(&index) => {
            Err(vm.value_error("__len__() should return >= 0".to_string()))
        }
        _ => Err(vm.overflow_error("cannot fit 'int' into an index-sized integer".to_string())),
    }
}

pub fn length(vm: &Vm, this: &Value) -> Result<usize> {
    let result = required(vm, this, &names().__len__, &[])?;
    length_from(vm, &result)
}

pub fn ass_subscript(vm: &Vm, this: &Value, key: &Value, value: Option<&Value>) -> Result<()> {
    match value {
        Some(value) => required(vm, this, &names().__setitem__, &[key, value])?,
        None => required(vm, this, &names().__delitem__, &[key])?,
    };
    Ok(())
}

pub fn contains(vm: &Vm, this: &Value, item: &Value) -> Result<bool> {
    if let Some(method) = lookup::find(this.ty(), &names().__contains__) {
        if method.is_none() {
            return Err(vm.type_error(format!("'{}' object is not a container", this.ty().name())));
        }
        let result = required(vm, this, &names().__contains__, &[item])?;
        return vm.is_true(&result);
    }
    vm.iter_contains(this, item)
}

pub fn item(vm: &Vm, this: &Value, index: i64) -> Result {
    required(vm, this, &names().__getitem__, &[&Value::from(index)])
}

pub fn repeat(vm: &Vm, this: &Value, count: i64) -> Result {
    required(vm, this, &names().__mul__, &[&Value::from(count)])
}

pub fn inplace_repeat(vm: &Vm, this: &Value, count: i64) -> Result {
    required(vm, this, &names().__imul__, &[&Value::from(count)])
}

pub fn richcompare(vm: &Vm, this: &Value, other: &Value, op: CompareOp) -> Result {
    let name = &names().compare[op as usize];
    match vm.lookup_special(this, name) {
        Some(Ok(method)) => method.call(vm, std::slice::from_ref(other), None),
        // As in CPython a descriptor that raises `AttributeError` counts as none.
        Some(Err(raised)) => vm.catch(raised, crate::exceptions::attribute_error()).map(|_| Value::NOT_IMPLEMENTED),
        None => Ok(Value::NOT_IMPLEMENTED),
    }
}

pub fn iter(vm: &Vm, this: &Value) -> Result {
    match lookup::find(this.ty(), &names().__iter__) {
        Some(method) if method.is_none() => {
            Err(vm.type_error(format!("'{}' object is not iterable", this.ty().name())))
        }
        Some(_) => required(vm, this, &names().__iter__, &[]),
        None if lookup::find(this.ty(), &names().__getitem__).is_some() => vm.sequence_iterator(this),
        None => Err(vm.type_error(format!("'{}' object is not iterable", this.ty().name()))),
    }
}

pub fn iternext(vm: &Vm, this: &Value) -> Result<Option<Value>> {
    required(vm, this, &names().__next__, &[]).map(Some)
}

macro_rules! async_slots {
    ($($slot:ident $name:ident)*) => { $(
        pub fn $slot(vm: &Vm, this: &Value) -> Result {
            match special(vm, this, &names().$name, &[]) {
                Some(result) => result,
                None => Err(vm.attribute_error_name(&names().$name)),
            }
        }
    )* };
}
async_slots! {
    await_ __await__
    aiter __aiter__
    anext __anext__
}

pub fn call(vm: &Vm, this: &Value, args: &[Value], kwnames: Option<&Value>) -> Result {
    match vm.lookup_special(this, &names().__call__) {
        Some(method) => method?.call(vm, args, kwnames),
        None => Err(vm.type_error(format!("'{}' object is not callable", this.ty().name()))),
    }
}

/// Whether a slot is what classes with a `__getitem__` of their own get.
pub fn is_dunder_getitem(f: crate::types::slots::Binary) -> bool {
    std::ptr::fn_addr_eq(f, subscript as crate::types::slots::Binary)
}

/// Whether a `tp_init` calls a class's `__init__`.
pub fn is_dunder_init(f: crate::types::slots::Init) -> bool {
    std::ptr::fn_addr_eq(f, init as crate::types::slots::Init)
}

pub fn init(vm: &Vm, this: &Value, args: &[Value], kwnames: Option<&Value>) -> Result<()> {
    match vm.lookup_special(this, &names().__init__) {
        Some(method) => {
            let result = method?.call(vm, args, kwnames)?;
            if result.is_none() {
                Ok(())
            } else {
                Err(vm.type_error(format!("__init__() should return None, not '{}'", result.ty().name())))
            }
        }
        None => Err(vm.attribute_error_name(&names().__init__)),
    }
}

/// `tp_new` of classes that define `__new__`.
pub fn new(vm: &Vm, class: &Value, args: &[Value], kwnames: Option<&Value>) -> Result {
    let function = match plain_new(class) {
        Some(function) => function,
        None => vm.get_attr(class, &names().__new__)?,
    };
    with_joined(std::slice::from_ref(class), args, |all| vm.call(&function, all, kwnames))
}

/// `class.__new__`, if that is the function of a staticmethod and the metaclass has no say in it.
fn plain_new(class: &Value) -> Option<Value> {
    if !class.ty().is(&crate::types::TYPE) {
        return None;
    }
    let found = lookup::find(class.downcast::<Type>()?, &names().__new__)?;
    if found.ty().is(&staticmethod::STATICMETHOD) { Some(staticmethod::function(&found)) } else { None }
}

pub fn finalize(vm: &Vm, this: &Value) {
    if let Some(Err(raised)) = special(vm, this, &names().__del__, &[]) {
        let method = lookup::find(this.ty(), &names().__del__).unwrap_or(Value::NONE);
        vm.write_unraisable(raised, "Exception ignored while calling deallocator", &method);
    }
}

/// Whether a `tp_getattro` calls a class's `__getattribute__` and `__getattr__`.
pub fn is_dunder_getattr(f: crate::types::slots::Binary) -> bool {
    std::ptr::fn_addr_eq(f, getattro as crate::types::slots::Binary)
}

pub fn getattro(vm: &Vm, this: &Value, name: &Value) -> Result {
    let ty: &Type = this.ty();
    let result = match lookup::find(ty, &names().__getattribute__) {
        Some(method) if !lookup::is_object_getattribute(&method) => {
            required(vm, this, &names().__getattribute__, &[name])
        }
        _ => match lookup::generic_getattr_opt(vm, this, name) {
            Ok(Some(value)) => return Ok(value),
            Ok(None) => {
                // No exception is made that `__getattr__` would only let vanish.
                return match vm.lookup_special(this, &names().__getattr__) {
                    Some(method) => method?.call(vm, std::slice::from_ref(name), None),
                    None => lookup::generic_getattr(vm, this, name),
                };
            }
            Err(raised) => Err(raised),
        },
    };
    match result {
        Err(raised) if vm.pending_matches(&raised, crate::exceptions::attribute_error()) => {
            match vm.lookup_special(this, &names().__getattr__) {
                Some(method) => {
                    vm.discard(raised);
                    method?.call(vm, std::slice::from_ref(name), None)
                }
                None => Err(raised),
            }
        }
        other => other,
    }
}

pub fn setattro(vm: &Vm, this: &Value, name: &Value, value: Option<&Value>) -> Result<()> {
    match value {
        Some(value) => required(vm, this, &names().__setattr__, &[name, value])?,
        None => required(vm, this, &names().__delattr__, &[name])?,
    };
    Ok(())
}

pub fn descr_get(vm: &Vm, this: &Value, object: Option<&Value>, ty: Option<&Value>) -> Result {
    let none = Value::NONE;
    match special(vm, this, &names().__get__, &[object.unwrap_or(&none), ty.unwrap_or(&none)]) {
        Some(result) => result,
        None => Ok(this.clone()),
    }
}

pub fn descr_set(vm: &Vm, this: &Value, object: &Value, value: Option<&Value>) -> Result<()> {
    match value {
        Some(value) => required(vm, this, &names().__set__, &[object, value])?,
        None => required(vm, this, &names().__delete__, &[object])?,
    };
    Ok(())
}
