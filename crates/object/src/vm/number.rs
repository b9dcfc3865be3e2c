//! The number protocol: binary, in-place and unary operators.

use crate::builtins::int;
use crate::object::Result;
use crate::types::slots::{Binary, Slots, Ternary};
use crate::value::Value;
use crate::vm::Vm;

/// Calls a binary slot of both operands in CPython's order (`binary_op1`).
#[inline]
fn dispatch(vm: &Vm, left: &Value, right: &Value, slot: fn(&Slots) -> Option<Binary>) -> Result {
    #[cfg(feature = "free-threading")]
    let _alone = vm.alone_for([left, right]);
    let (left_type, right_type) = (left.ty(), right.ty());
    let left_slot = slot(left_type.slots());
    let mut right_slot = if std::ptr::eq(left_type, right_type) { None } else { slot(right_type.slots()) };
    if let (Some(l), Some(r)) = (left_slot, right_slot)
        && std::ptr::fn_addr_eq(l, r)
    {
        right_slot = None;
    }
    if let Some(l) = left_slot {
        if let Some(r) = right_slot
            && right_type.is_subtype(left_type)
        {
            let result = r(vm, left, right)?;
            if !result.is_not_implemented() {
                return Ok(result);
            }
            right_slot = None;
        }
        let result = l(vm, left, right)?;
        if !result.is_not_implemented() {
            return Ok(result);
        }
    }
    if let Some(r) = right_slot {
        return r(vm, left, right);
    }
    Ok(Value::NOT_IMPLEMENTED)
}

macro_rules! binary_operators {
    ($($name:ident $inplace:ident $inplace_slot:ident $symbol:literal $inplace_symbol:literal;)*) => {
        impl Vm { $(
            #[doc = concat!("`left ", $symbol, " right`.")]
            pub fn $name(&self, left: &Value, right: &Value) -> Result {
                let result = dispatch(self, left, right, |s| s.$name)?;
                if result.is_not_implemented() { Err(self.unsupported_operands($symbol, left, right)) } else { Ok(result) }
            }
            #[doc = concat!("`left ", $inplace_symbol, " right`.")]
            pub fn $inplace(&self, left: &Value, right: &Value) -> Result {
                if let Some(slot) = left.ty().slots().$inplace_slot {
                    let result = slot(self, left, right)?;
                    if !result.is_not_implemented() { return Ok(result); }
                }
                let result = dispatch(self, left, right, |s| s.$name)?;
                if result.is_not_implemented() { Err(self.unsupported_operands($inplace_symbol, left, right)) } else { Ok(result) }
            }
        )* }
    };
}
binary_operators! {
    subtract inplace_subtract inplace_subtract "-" "-=";
    remainder inplace_remainder inplace_remainder "%" "%=";
    lshift inplace_lshift inplace_lshift "<<" "<<=";
    rshift inplace_rshift inplace_rshift ">>" ">>=";
    and inplace_and inplace_and "&" "&=";
    xor inplace_xor inplace_xor "^" "^=";
    or inplace_or inplace_or "|" "|=";
    floor_divide inplace_floor_divide inplace_floor_divide "//" "//=";
    true_divide inplace_true_divide inplace_true_divide "/" "/=";
    matrix_multiply inplace_matrix_multiply inplace_matrix_multiply "@" "@=";
}

impl Vm {
    /// `left + right`: numbers, then concatenation.
    pub fn add(&self, left: &Value, right: &Value) -> Result {
        if left.is_small_int() && right.is_small_int() {
            return int::add(self, left, right);
        }
        let result = dispatch(self, left, right, |s| s.add)?;
        if !result.is_not_implemented() {
            return Ok(result);
        }
        if let Some(concat) = left.ty().slots().concat {
            let result = concat(self, left, right)?;
            if !result.is_not_implemented() {
                return Ok(result);
            }
        }
        Err(self.unsupported_operands("+", left, right))
    }

    /// `left += right`.
    pub fn inplace_add(&self, left: &Value, right: &Value) -> Result {
        let slots = left.ty().slots();
        if let Some(slot) = slots.inplace_add {
            let result = slot(self, left, right)?;
            if !result.is_not_implemented() {
                return Ok(result);
            }
        }
        let result = dispatch(self, left, right, |s| s.add)?;
        if !result.is_not_implemented() {
            return Ok(result);
        }
        if let Some(concat) = slots.inplace_concat.or(slots.concat) {
            let result = concat(self, left, right)?;
            if !result.is_not_implemented() {
                return Ok(result);
            }
        }
        Err(self.unsupported_operands("+=", left, right))
    }

    /// `left * right`: numbers, then repetition of either operand.
    pub fn multiply(&self, left: &Value, right: &Value) -> Result {
        let result = dispatch(self, left, right, |s| s.multiply)?;
        if !result.is_not_implemented() {
            return Ok(result);
        }
        if let Some(repeat) = left.ty().slots().repeat {
            return self.repeat(left, right, repeat);
        }
        if let Some(repeat) = right.ty().slots().repeat {
            return self.repeat(right, left, repeat);
        }
        Err(self.unsupported_operands("*", left, right))
    }

    /// `left *= right`.
    pub fn inplace_multiply(&self, left: &Value, right: &Value) -> Result {
        let slots = left.ty().slots();
        if let Some(slot) = slots.inplace_multiply {
            let result = slot(self, left, right)?;
            if !result.is_not_implemented() {
                return Ok(result);
            }
        }
        let result = dispatch(self, left, right, |s| s.multiply)?;
        if !result.is_not_implemented() {
            return Ok(result);
        }
        if let Some(repeat) = slots.inplace_repeat.or(slots.repeat) {
            return self.repeat(left, right, repeat);
        }
        if let Some(repeat) = right.ty().slots().repeat {
            return self.repeat(right, left, repeat);
        }
        Err(self.unsupported_operands("*=", left, right))
    }

    fn repeat(&self, sequence: &Value, count: &Value, repeat: crate::types::slots::Repeat) -> Result {
        if !int::is_int(count) && count.ty().slots().index.is_none() {
            let name = count.ty().name();
            return Err(self.type_error(format!("can't multiply sequence by non-int of type '{name}'")));
        }
        repeat(self, sequence, self.index_i64(count)?)
    }

    /// `divmod(left, right)`.
    pub fn divmod(&self, left: &Value, right: &Value) -> Result {
        let result = dispatch(self, left, right, |s| s.divmod)?;
        if result.is_not_implemented() { Err(self.unsupported_operands("divmod()", left, right)) } else { Ok(result) }
    }

    /// `pow(base, exponent, modulus)`; `modulus` may be `None`.
    pub fn power(&self, base: &Value, exponent: &Value, modulus: &Value) -> Result {
        let symbol = if modulus.is_none() { "** or pow()" } else { "** or pow()" };
        self.power_as(base, exponent, modulus, symbol)
    }

    /// `base **= exponent`.
    pub fn inplace_power(&self, base: &Value, exponent: &Value) -> Result {
        if let Some(slot) = base.ty().slots().inplace_power {
            let result = slot(self, base, exponent, &Value::NONE)?;
            if !result.is_not_implemented() {
                return Ok(result);
            }
        }
        self.power_as(base, exponent, &Value::NONE, "**=")
    }

    fn power_as(&self, base: &Value, exponent: &Value, modulus: &Value, symbol: &str) -> Result {
        let (left_type, right_type) = (base.ty(), exponent.ty());
        let left_slot = left_type.slots().power;
        let mut right_slot = if std::ptr::eq(left_type, right_type) { None } else { right_type.slots().power };
        let same =
            |a: Option<Ternary>, b: Option<Ternary>| matches!((a, b), (Some(a), Some(b)) if std::ptr::fn_addr_eq(a, b));
        if same(left_slot, right_slot) {
            right_slot = None;
        }
        let mut attempts: [Option<Ternary>; 3] = [left_slot, right_slot, None];
        if left_slot.is_some() && right_slot.is_some() && right_type.is_subtype(left_type) {
            attempts.swap(0, 1);
        }
        if let Some(slot) = modulus.ty().slots().power
            && !same(Some(slot), left_slot)
            && !same(Some(slot), right_slot)
        {
            attempts[2] = Some(slot);
        }
        for slot in attempts.into_iter().flatten() {
            let result = slot(self, base, exponent, modulus)?;
            if !result.is_not_implemented() {
                return Ok(result);
            }
        }
        if modulus.is_none() {
            return Err(self.unsupported_operands(symbol, base, exponent));
        }
        Err(self.type_error(format!(
            "unsupported operand type(s) for {symbol}: '{}', '{}', '{}'",
            left_type.name(),
            right_type.name(),
            modulus.ty().name()
        )))
    }
}

macro_rules! unary_operators {
    ($($name:ident $symbol:literal;)*) => {
        impl Vm { $(
            #[doc = concat!("Unary `", $symbol, "`.")]
            pub fn $name(&self, value: &Value) -> Result {
                match value.ty().slots().$name {
                    Some(slot) => slot(self, value),
                    None => Err(self.type_error(format!("bad operand type for {}: '{}'", $symbol, value.ty().name()))),
                }
            }
        )* }
    };
}
unary_operators! {
    negative "unary -";
    positive "unary +";
    invert "unary ~";
    absolute "abs()";
}
