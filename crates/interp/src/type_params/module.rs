//! The module `_typing`.

use taipan_object::builtins::union::UNION;
use taipan_object::native::MethodDef;
use taipan_object::native::module::ModuleDef;

use super::generic::{GENERIC, no_default};
use super::param_spec::{PARAM_SPEC, PARAM_SPEC_ARGS, PARAM_SPEC_KWARGS};
use super::type_alias::TYPE_ALIAS_TYPE;
use super::type_var::TYPE_VAR;
use super::type_var_tuple::TYPE_VAR_TUPLE;

pub static TYPING: ModuleDef = ModuleDef {
    name: "_typing",
    doc: "Native code for the typing module.",
    functions: FUNCTIONS,
    exec: |_, module| {
        for spec in [
            &TYPE_VAR,
            &TYPE_VAR_TUPLE,
            &PARAM_SPEC,
            &PARAM_SPEC_ARGS,
            &PARAM_SPEC_KWARGS,
            &GENERIC,
            &TYPE_ALIAS_TYPE,
            &UNION,
        ] {
            module.add_type(spec);
        }
        module.set("NoDefault", no_default());
        Ok(())
    },
};

taipan_object::method_table! {
    static FUNCTIONS = [MethodDef::new("_idfunc($module, x, /)", "", |_, _, args| Ok(args[0].clone()))];
}
