//! `math.floor`, `ceil` and `trunc`: to ints.

use taipan_object::builtins::float::{self, rounding::integer};
use taipan_object::builtins::int;
use taipan_object::native::MethodDef;
use taipan_object::vm::names;
use taipan_object::{Result, Value, Vm, method_table};

method_table! { pub static FUNCTIONS = [
    MethodDef::new("ceil($module, x, /)", "Round x up to an integer.\n\n\
        An object's __ceil__() is used if it has one.", |vm, _, args| {
        round(vm, &args[0], &names().__ceil__, f64::ceil)
    }),
    MethodDef::new("floor($module, x, /)", "Round x down to an integer.\n\n\
        An object's __floor__() is used if it has one.", |vm, _, args| {
        round(vm, &args[0], &names().__floor__, f64::floor)
    }),
    MethodDef::new("trunc($module, x, /)", "Drop the fraction of x.\n\n\
        The result is that of x.__trunc__(), usually an int.", |vm, _, args| {
        let x = &args[0];
        if float::is_exact(x) {
            return integer(vm, float::to_f64(x).unwrap_or(0.0).trunc());
        }
        match vm.call_special(x, &names().__trunc__, &[]) {
            Some(result) => result,
            None => Err(vm.type_error(format!("type {} doesn't define __trunc__ method", x.ty().name()))),
        }
    }),
]; }

/// The special method if there is one, else the rounded float.
fn round(vm: &Vm, x: &Value, method: &Value, round: fn(f64) -> f64) -> Result {
    if int::is_exact(x) {
        return Ok(x.clone());
    }
    if !float::is_exact(x)
        && let Some(result) = vm.call_special(x, method, &[])
    {
        return result;
    }
    integer(vm, round(vm.float(x)?))
}
