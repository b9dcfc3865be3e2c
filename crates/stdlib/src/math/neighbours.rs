//! `math.nextafter` and `math.ulp`: floats next to each other.

use taipan_object::builtins::int;
use taipan_object::native::MethodDef;
use taipan_object::{Result, Value, Vm, method_table};

method_table! { pub static FUNCTIONS = [
    MethodDef::new("nextafter($module, x, y, /, *, steps=None)",
        "Return the float that follows x in the direction of y.\n\n\
        With steps, go that many floats further; the result never passes y.\n\n\
        The steps must be an integer, else TypeError is raised, and must not be\n\
        negative, else ValueError is raised.",
        |vm, _, args| {
            let (x, y) = (vm.float(&args[0])?, vm.float(&args[1])?);
            let steps = match args[2].given() {
                None => 1,
                Some(steps) => count(vm, steps)?,
            };
            let reached = next_after(x, y, steps);
            // Only without a number of steps does zero get the sign of where one comes from in any case.
            let keeps_sign = args[2].is_none() && reached == 0.0 && x != y;
            Ok(Value::from(if keeps_sign { reached.copysign(x) } else { reached }))
        }),
    MethodDef::new("ulp($module, x, /)", "Return the distance from abs(x) to the next greater float.", |vm, _, args| {
        let x = vm.float(&args[0])?.abs();
        Ok(Value::from(match x {
            _ if x.is_nan() || x.is_infinite() => x,
            f64::MAX => x - x.next_down(),
            _ => x.next_up() - x,
        }))
    }),
]; }

/// A number of steps; beyond 64 bits it makes no difference.
fn count(vm: &Vm, steps: &Value) -> Result<u64> {
    let steps = vm.index(steps)?;
    if int::is_negative(&steps) {
        return Err(vm.value_error("steps must be a non-negative integer"));
    }
    Ok(int::to_u64(&steps).unwrap_or(u64::MAX))
}

fn next_after(x: f64, y: f64, steps: u64) -> f64 {
    if steps == 0 || x.is_nan() {
        return x;
    }
    if y.is_nan() {
        return y;
    }
    if x == y {
        return y;
    }
    // Floats in order, as integers in order around zero.
    let place = |f: f64| {
        let magnitude = f.abs().to_bits() as i128;
        if f.is_sign_negative() { -magnitude } else { magnitude }
    };
    let (from, to) = (place(x), place(y));
    let steps = steps as i128;
    if (to - from).abs() <= steps {
        return y;
    }
    let reached = if to > from { from + steps } else { from - steps };
    let magnitude = f64::from_bits(reached.unsigned_abs() as u64);
    // Zero is reached with the sign of where one comes from.
    let negative = reached < 0 || reached == 0 && x.is_sign_negative();
    if negative { -magnitude } else { magnitude }
}
