//! The types of `None`, `Ellipsis` and `NotImplemented`.

use crate::builtins::int::Int;
use crate::builtins::str::intern;
use crate::native::MethodDef;
use crate::object::Result;
use crate::types::TypeSpec;
use crate::types::slots::Call;
use crate::value::Value;
use crate::vm::Vm;

fn no_arguments(vm: &Vm, args: &[Value], name: &str, value: Value) -> Result {
    if args.is_empty() { Ok(value) } else { Err(vm.type_error(format!("{name} takes no arguments"))) }
}

const NEW_NONE: Call = |vm, _, args, _| no_arguments(vm, args, "NoneType", Value::NONE);
const NEW_ELLIPSIS: Call = |vm, _, args, _| no_arguments(vm, args, "EllipsisType", Value::ELLIPSIS);
const NEW_NOT_IMPLEMENTED: Call = |vm, _, args, _| no_arguments(vm, args, "NotImplementedType", Value::NOT_IMPLEMENTED);

pub static NONE_TYPE: TypeSpec =
    TypeSpec::new::<Int>("NoneType").doc("NoneType()\n--\n\nThe type of None.").slots(|s| {
        s.repr = Some(|_, _| Ok(intern("None").into_value()));
        s.bool = Some(|_, _| Ok(false));
        s.hash = Some(|_, _| Ok(0xFCA86420));
        s.new = Some(NEW_NONE);
        s.richcompare = Some(crate::builtins::object::richcompare);
    });

pub static ELLIPSIS_TYPE: TypeSpec = TypeSpec::new::<Int>("ellipsis")
    .doc("EllipsisType()\n--\n\nThe type of Ellipsis, which is written ... as well.")
    .slots(|s| {
        s.repr = Some(|_, _| Ok(intern("Ellipsis").into_value()));
        s.new = Some(NEW_ELLIPSIS);
    })
    .methods(ELLIPSIS_METHODS);

crate::method_table! {
    static ELLIPSIS_METHODS =
        [MethodDef::new("__reduce__($self, /)", "", |_, _, _| Ok(intern("Ellipsis").into_value()))];
}

pub static NOT_IMPLEMENTED_TYPE: TypeSpec = TypeSpec::new::<Int>("NotImplementedType")
    .doc("NotImplementedType()\n--\n\nThe type of NotImplemented.")
    .slots(|s| {
        s.repr = Some(|_, _| Ok(intern("NotImplemented").into_value()));
        s.new = Some(NEW_NOT_IMPLEMENTED);
        s.bool = Some(|vm, _| Err(vm.type_error("NotImplemented should not be used in a boolean context")));
    })
    .methods(NOT_IMPLEMENTED_METHODS);

crate::method_table! {
    static NOT_IMPLEMENTED_METHODS =
        [MethodDef::new("__reduce__($self, /)", "", |_, _, _| Ok(intern("NotImplemented").into_value()))];
}
