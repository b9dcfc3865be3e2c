//! `math.log`, `log2` and `log10`, which take ints beyond the floats too.

use super::{expected, libm};
use dashu_int::IBig;
use taipan_object::builtins::int::{self, Operand, float_conversion};
use taipan_object::native::{MethodDef, arguments};
use taipan_object::{Result, Value, Vm, method_table};

method_table! { pub static FUNCTIONS = [
    MethodDef::raw("log",
        "log(x, [base=math.e])\n\
        Return the exponent to which the base must be raised to give x.\n\n\
        The default is the natural logarithm.  ValueError is raised unless x > 0.",
        |vm, _, args, kwnames| {
            if kwnames.is_some_and(|names| vm.tuple_len(names) > 0) {
                return Err(vm.type_error("math.log() takes no keyword arguments"));
            }
            arguments::check_positional(vm, "log", args.len(), 1, 2)?;
            let logarithm_of_x = logarithm(vm, &args[0], libm::log)?;
            let Some(base) = args.get(1) else { return Ok(Value::from(logarithm_of_x)) };
            let divisor = logarithm(vm, base, libm::log)?;
            if divisor == 0.0 {
                return Err(vm.zero_division_error("division by zero"));
            }
            Ok(Value::from(logarithm_of_x / divisor))
        }),
    MethodDef::new("log2($module, x, /)", "Return the logarithm of x to base 2.", |vm, _, args| {
        logarithm(vm, &args[0], libm::log2).map(Value::from)
    }),
    MethodDef::new("log10($module, x, /)", "Return the logarithm of x to base 10.", |vm, _, args| {
        logarithm(vm, &args[0], libm::log10).map(Value::from)
    }),
]; }

fn logarithm(vm: &Vm, x: &Value, log: fn(f64) -> f64) -> Result<f64> {
    if int::is_int(x) {
        return logarithm_of_int(vm, x, log);
    }
    let x = vm.float(x)?;
    if x.is_nan() || x == f64::INFINITY {
        return Ok(x);
    }
    if x > 0.0 { Ok(log(x)) } else { Err(expected(vm, "a positive input", x)) }
}

fn logarithm_of_int(vm: &Vm, x: &Value, log: fn(f64) -> f64) -> Result<f64> {
    let n = Operand::of(x).unwrap_or(Operand::Small(0));
    if n.is_negative() || n.is_zero() {
        return Err(vm.value_error("expected a positive input"));
    }
    if let Some(f) = n.to_f64() {
        return Ok(log(f));
    }
    // log(m · 2^e) = log(m) + e · log(2), with m in 0.5 … 1.
    let exponent = n.bit_length();
    let Operand::Big(big) = n else { return Ok(f64::INFINITY) };
    let mantissa = mantissa(big, exponent);
    Ok(log(mantissa) + log(2.0) * exponent as f64)
}

/// `n / 2^exponent` rounded to a float, for a positive `n` of so many bits.
fn mantissa(n: &IBig, exponent: usize) -> f64 {
    // 64 bits, of which the last says whether anything was cut off, round as the whole does.
    let shift = exponent - 64;
    let top: IBig = n >> shift;
    let sticky = (&top << shift) != *n;
    let top = if sticky { top | IBig::from(1) } else { top };
    libm::ldexp(float_conversion::ibig_to_f64(&top).unwrap_or(0.0), -64)
}
