//! `**` and `pow` of ints.

use super::arithmetic::modulo_ibig;
use super::{Operand, check_room, from_i64, from_ibig};
use crate::builtins::float;
use crate::object::Result;
use crate::value::Value;
use crate::vm::Vm;
use Operand::{Big, Small};
use dashu_int::ops::{BitTest, ExtendedGcd};
use dashu_int::{IBig, Sign, UBig, fast_div::ConstDivisor};

/// `pow(base, exponent, modulus)`; the modulus may be `None`.
pub fn power(vm: &Vm, base: &Value, exponent: &Value, modulus: &Value) -> Result {
    let (Some(x), Some(e)) = (Operand::of(base), Operand::of(exponent)) else { return Ok(Value::NOT_IMPLEMENTED) };
    if modulus.is_none() {
        return plain_power(vm, x, e);
    }
    let Some(m) = Operand::of(modulus) else { return Ok(Value::NOT_IMPLEMENTED) };
    if m.is_zero() {
        return Err(vm.value_error("pow() 3rd argument cannot be 0"));
    }
    modular_power(vm, &x.to_ibig(), &e.to_ibig(), &m.to_ibig())
}

fn plain_power(vm: &Vm, x: Operand, e: Operand) -> Result {
    if e.is_negative() {
        if x.is_zero() {
            return Err(vm.zero_division_error("zero to a negative power"));
        }
        let too_large = || vm.overflow_error("int too large to convert to float");
        let (x, e) = (x.to_f64().ok_or_else(too_large)?, e.to_f64().ok_or_else(too_large)?);
        return Ok(float::from_f64(float::arithmetic::power_f64(vm, x, e)?));
    }
    match (x, e) {
        (_, Small(0)) | (Small(1), _) => return Ok(Value::small_int(1)),
        (Small(0), _) => return Ok(Value::small_int(0)),
        (Small(-1), Small(e)) => return Ok(from_i64(if e & 1 == 1 { -1 } else { 1 })),
        (Small(-1), Big(e)) => return Ok(from_i64(if (e & IBig::from(1)).is_zero() { 1 } else { -1 })),
        (Small(x), Small(e)) if e < 64 => {
            if let Some(power) = x.checked_pow(e as u32) {
                return Ok(from_i64(power));
            }
        }
        _ => {}
    }
    let Small(e) = e else { return Err(vm.memory_error()) };
    let base = x.to_ibig();
    let twos = base.trailing_zeros().unwrap_or(0);
    let odd = base >> twos;
    let e = e as usize;
    let odd_bits = super::magnitude_bits(&odd);
    let result_bits = if odd_bits == 1 { 1 } else { odd_bits.saturating_mul(e) };
    let shift = twos.checked_mul(e).filter(|shift| *shift < 1 << 60).ok_or_else(|| vm.memory_error())?;
    check_room(vm, result_bits.saturating_add(shift))?;
    let mut result = odd.clone();
    for bit in (0..e.ilog2()).rev() {
        result = IBig::from(result.sqr());
        if e >> bit & 1 == 1 {
            result *= &odd;
        }
        if result_bits > 1 << 20 {
            vm.check_signals()?;
        }
    }
    Ok(from_ibig(result << shift))
}

fn modular_power(vm: &Vm, base: &IBig, exponent: &IBig, modulus: &IBig) -> Result {
    let (modulus_sign, magnitude) = modulus.clone().into_parts();
    if magnitude.is_one() {
        return Ok(Value::small_int(0));
    }
    let positive = IBig::from(magnitude.clone());
    let mut reduced = as_magnitude(modulo_ibig(base, &positive));
    if exponent.sign() == Sign::Negative {
        reduced = match inverse(&reduced, &magnitude) {
            Some(inverse) => inverse,
            None => return Err(vm.value_error("base is not invertible for the given modulus")),
        };
    }
    let (_, exponent) = exponent.clone().into_parts();
    let ring = ConstDivisor::new(magnitude);
    let element = ring.reduce(reduced);
    let result = IBig::from(if exponent.bit_len() * positive.bit_len() < 1 << 24 {
        element.pow(&exponent).residue()
    } else {
        // Long enough for Ctrl-C to matter.
        let mut power = ring.reduce(UBig::ONE);
        for bit in (0..exponent.bit_len()).rev() {
            power = power.sqr();
            if exponent.bit(bit) {
                power *= &element;
            }
            vm.check_signals()?;
        }
        power.residue()
    });
    // The result has the sign of the modulus.
    Ok(from_ibig(if modulus_sign == Sign::Negative && !result.is_zero() { result - positive } else { result }))
}

fn as_magnitude(n: IBig) -> UBig {
    n.into_parts().1
}

/// The inverse of `n` modulo `modulus`, which is above 1.
fn inverse(n: &UBig, modulus: &UBig) -> Option<UBig> {
    if n.is_zero() {
        return None;
    }
    let (gcd, factor, _) = n.gcd_ext(modulus);
    if !gcd.is_one() {
        return None;
    }
    Some(as_magnitude(modulo_ibig(&factor, &IBig::from(modulus.clone()))))
}
