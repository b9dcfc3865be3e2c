//! What `localcontext` returns: it sets a context for a `with` block.

use super::{Context, argument, current, set_current};
use crate::payload::{payload, signature};
use taipan_object::native::MethodDef;
use taipan_object::types::{TypeSpec, type_flags};
use taipan_object::{Result, Value, Vm, method_table};

payload! {
    pub struct ContextManager(ContextManagerState): CONTEXT_MANAGER { local: Value, outer: Value }
}

pub static CONTEXT_MANAGER: TypeSpec = TypeSpec::new::<ContextManager>("decimal.ContextManager")
    .flags(type_flags::DISALLOW_INSTANTIATION)
    .methods(METHODS)
    .populate(|ty| ty.set_raw("__module__", Value::from("decimal")));

signature!(
    LOCALCONTEXT = "(ctx=None, *, prec=None, rounding=None, Emin=None, Emax=None, capitals=None, clamp=None, flags=None, traps=None)"
);

/// `localcontext(ctx=None, **changes)`
pub fn localcontext(vm: &Vm, _: &Value, args: &[Value], kwnames: Option<&Value>) -> Result {
    let bound = LOCALCONTEXT.bind(vm, args, kwnames)?;
    let outer = current();
    let local = argument(vm, &bound[0])?.copy();
    type Setter = fn(&Context, &Vm, &Value) -> Result<()>;
    let setters: [Setter; 6] = [
        Context::set_prec,
        Context::set_rounding,
        Context::set_emin,
        Context::set_emax,
        Context::set_capitals,
        Context::set_clamp,
    ];
    for (value, set) in bound[1..].iter().zip(setters) {
        if !value.is_none() {
            set(&local, vm, value)?;
        }
    }
    if !bound[7].is_none() {
        local.set_flags(super::signal_dict::conditions_of_list(vm, &bound[7])?);
    }
    if !bound[8].is_none() {
        local.set_traps(super::signal_dict::conditions_of_list(vm, &bound[8])?);
    }
    let state = ContextManagerState { local: local.into_value(), outer: outer.into_value() };
    Ok(ContextManager::make(CONTEXT_MANAGER.ty(), state))
}

method_table! { static METHODS = [
    MethodDef::new("__enter__($self, /)", "", |vm, this, _| {
        let local = ContextManager::of(this).with(|state| state.local.clone());
        set_current(vm, &local)?;
        Ok(local)
    }),
    MethodDef::raw("__exit__", "", |vm, this, _, _| {
        let outer = ContextManager::of(this).with(|state| state.outer.clone());
        set_current(vm, &outer)?;
        Ok(Value::NONE)
    }),
]; }
