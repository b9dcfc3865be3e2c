//! `_decimal`: decimal arithmetic. Counterpart of CPython's `Modules/_decimal/_decimal.c`; the arithmetic itself, which
//! libmpdec does there, is in `mpd/`.

mod context;
mod decimal;
mod mpd;
mod signal_dict;
mod signals;

use std::sync::OnceLock;
use taipan_object::builtins::str::intern;
use taipan_object::native::MethodDef;
use taipan_object::native::module::{Module, ModuleDef};
use taipan_object::{Result, Value, Vm};

pub static MODULE: ModuleDef =
    ModuleDef { name: "_decimal", doc: "Decimal arithmetic, implemented natively", functions: FUNCTIONS, exec };

static DECIMAL_TUPLE: OnceLock<Value> = OnceLock::new();

/// The class of what `as_tuple` returns.
fn decimal_tuple() -> Value {
    DECIMAL_TUPLE.get().cloned().unwrap_or(Value::NONE)
}

fn exec(vm: &Vm, module: &Module) -> Result<()> {
    let number = vm.import_from("numbers", "Number")?;
    vm.call_method(&number, "register", &[decimal::DECIMAL.value()])?;
    decimal::operators::set_rational(vm.import_from("numbers", "Rational")?);
    signals::add_classes(vm, module)?;
    signal_dict::create_class(vm)?;
    if DECIMAL_TUPLE.get().is_none() {
        let namedtuple = vm.import_from("collections", "namedtuple")?;
        let args = ["DecimalTuple", "sign digits exponent"].map(Value::from);
        let class = vm.call_args(&namedtuple, &args)?;
        vm.set_attr(&class, intern("__module__").as_value(), &Value::from("decimal"))?;
        let _ = DECIMAL_TUPLE.set(class);
    }
    module.add_type(&decimal::DECIMAL);
    module.add_type(&context::CONTEXT);
    module.set("DecimalTuple", decimal_tuple());
    for (name, _) in context::attributes::ROUNDINGS {
        module.set(name, intern(name).into_value());
    }
    for (name, context) in ["DefaultContext", "BasicContext", "ExtendedContext"].into_iter().zip(context::templates()) {
        module.set(name, context.as_value().clone());
    }
    int_constants!(module;
        MAX_PREC = mpd::context::MAX_PREC,
        MAX_EMAX = mpd::context::MAX_EMAX,
        MIN_EMIN = mpd::context::MIN_EMIN,
        MIN_ETINY = mpd::context::MIN_ETINY,
        IEEE_CONTEXT_MAX_BITS = context::IEEE_MAX_BITS);
    module.set("HAVE_THREADS", Value::TRUE);
    module.set("HAVE_CONTEXTVAR", Value::TRUE);
    module.set("__version__", Value::from("1.70"));
    // The version of libmpdec whose results these are.
    module.set("__libmpdec_version__", Value::from("2.5.1"));
    Ok(())
}

taipan_object::method_table! { static FUNCTIONS = [
    MethodDef::new("getcontext($module, /)", "The current context.", |_, _, _| Ok(context::current().into_value())),
    MethodDef::new("setcontext($module, context, /)", "Set the current context.", |vm, _, args| {
        context::set_current(vm, &args[0])?;
        Ok(Value::NONE)
    }),
    MethodDef::raw("localcontext($module, /, ctx=None, **kwargs)", "A manager that sets a copy of a context, with changes, for a with block.", context::localcontext),
    MethodDef::new("IEEEContext($module, bits, /)", "The context of one of the IEEE interchange formats.", |vm, _, args| {
        context::ieee(vm, context::attributes::integer(vm, &args[0])?)
    }),
]; }
