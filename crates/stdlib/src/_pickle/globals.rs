//! What pickling shares with the library's modules: `copyreg`'s tables, the names that Python 2 had, a few functions.

use std::sync::OnceLock;
use taipan_object::builtins::dict::Dict;
use taipan_object::{Ref, Result, Value, Vm};

pub struct Globals {
    /// `copyreg.dispatch_table`
    pub dispatch_table: Ref<Dict>,
    /// `copyreg._extension_registry`
    pub extension_registry: Ref<Dict>,
    /// `copyreg._inverted_registry`
    pub inverted_registry: Ref<Dict>,
    /// `copyreg._extension_cache`
    pub extension_cache: Ref<Dict>,
    pub name_mapping: Ref<Dict>,
    pub import_mapping: Ref<Dict>,
    pub reverse_name_mapping: Ref<Dict>,
    pub reverse_import_mapping: Ref<Dict>,
    /// `codecs.encode`, by which old protocols write bytes.
    pub codecs_encode: Value,
    /// `functools.partial`
    pub partial: Value,
    /// `builtins.getattr`
    pub getattr: Value,
    /// `types.FunctionType`
    pub function_type: Value,
}

pub fn globals(vm: &Vm) -> Result<&'static Globals> {
    static GLOBALS: OnceLock<Globals> = OnceLock::new();
    if let Some(globals) = GLOBALS.get() {
        return Ok(globals);
    }
    let dict = |module: &str, name: &str| {
        let value = vm.import_from(module, name)?;
        match value.downcast_ref::<Dict>() {
            Some(dict) => Ok(dict),
            None => {
                let got = value.ty().name();
                Err(vm.runtime_error(format!("{module}.{name} should be a dict, not {got}")))
            }
        }
    };
    let globals = Globals {
        dispatch_table: dict("copyreg", "dispatch_table")?,
        extension_registry: dict("copyreg", "_extension_registry")?,
        inverted_registry: dict("copyreg", "_inverted_registry")?,
        extension_cache: dict("copyreg", "_extension_cache")?,
        name_mapping: dict("_compat_pickle", "NAME_MAPPING")?,
        import_mapping: dict("_compat_pickle", "IMPORT_MAPPING")?,
        reverse_name_mapping: dict("_compat_pickle", "REVERSE_NAME_MAPPING")?,
        reverse_import_mapping: dict("_compat_pickle", "REVERSE_IMPORT_MAPPING")?,
        codecs_encode: vm.import_from("codecs", "encode")?,
        partial: vm.import_from("functools", "partial")?,
        getattr: vm.import_from("builtins", "getattr")?,
        function_type: vm.import_from("types", "FunctionType")?,
    };
    Ok(GLOBALS.get_or_init(|| globals))
}
