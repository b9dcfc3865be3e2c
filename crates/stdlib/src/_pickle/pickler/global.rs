//! Writing of objects by name: where they are found, and how each protocol says it.

use super::super::opcode::*;
use super::super::{attribute_at, dotted_path, import, raise_over, sys_modules};
use super::pickling_error;
use super::save::Saver;
use taipan_object::builtins::dict::Dict;
use taipan_object::builtins::int;
use taipan_object::builtins::str::Str;
use taipan_object::builtins::tuple::Tuple;
use taipan_object::text::codecs::Codec;
use taipan_object::vm::names;
use taipan_object::{Raised, Result, Value, codecs, exceptions};

impl Saver<'_> {
    /// Writes `object` as a global with this name, or with its own.
    pub fn global(&mut self, object: &Value, name: Option<&Value>) -> Result<()> {
        let name = match name {
            Some(name) => name.clone(),
            None => self.global_name(object)?,
        };
        let Some(text) = name.downcast::<Str>() else {
            let got = name.ty().name();
            return Err(self.vm.type_error(format!("attribute name must be string, not '{got}'")));
        };
        let path = dotted_path(text, &name);
        let module = self.which_module(object, text, &path)?;
        if self.protocol >= 2 && self.extension(&module, &name)? {
            return Ok(());
        }
        if self.protocol >= 4 {
            self.save(&module)?;
            self.save(&name)?;
            self.output.byte(STACK_GLOBAL);
        } else {
            // Names with dots are attributes of attributes.
            for _ in &path[1..] {
                let getattr = self.globals.getattr.clone();
                self.save(&getattr)?;
                if self.protocol < 2 {
                    self.output.byte(MARK);
                }
            }
            self.toplevel(module, path[0].clone())?;
            for attribute in &path[1..] {
                self.save(attribute)?;
                self.output.byte(if self.protocol < 2 { TUPLE } else { TUPLE2 });
                self.output.byte(REDUCE);
            }
        }
        self.memoize(object)
    }

    /// Writes the code of a name in the extension registry; false if it has none.
    fn extension(&mut self, module: &Value, name: &Value) -> Result<bool> {
        let vm = self.vm;
        let registry = &self.globals.extension_registry;
        if registry.len() == 0 {
            return Ok(false);
        }
        let key = Tuple::from_array([module.clone(), name.clone()]).into_value();
        let Some(code) = registry.get(vm, &key)? else { return Ok(false) };
        let code = vm.index(&code)?;
        let Some(code) = int::to_i64(&code) else {
            return Err(vm.overflow_error("Python int too large to convert to C long"));
        };
        match code {
            1..=0xff => self.output.code(EXT1, [code as u8]),
            0x100..=0xffff => self.output.code(EXT2, (code as u16).to_le_bytes()),
            0x1_0000..=0x7fff_ffff => self.output.code(EXT4, (code as u32).to_le_bytes()),
            _ => return Err(vm.runtime_error(format!("extension code {code} is out of range"))),
        }
        Ok(true)
    }

    /// Writes a global that is directly in its module.
    fn toplevel(&mut self, mut module: Value, mut name: Value) -> Result<()> {
        let vm = self.vm;
        if self.fix_imports {
            let key = Tuple::from_array([module.clone(), name.clone()]).into_value();
            if let Some(old) = self.globals.reverse_name_mapping.get(vm, &key)? {
                match old.downcast::<Tuple>().map(Tuple::as_slice) {
                    Some([old_module, old_name]) => (module, name) = (old_module.clone(), old_name.clone()),
                    _ => {
                        let got = old.ty().name();
                        return Err(vm.runtime_error(format!(
                            "_compat_pickle.REVERSE_NAME_MAPPING values should be 2-tuples, not {got}"
                        )));
                    }
                }
            } else if let Some(old) = self.globals.reverse_import_mapping.get(vm, &module)? {
                module = old;
            }
        }
        let module = self.identifier(&module, "module")?;
        let name = self.identifier(&name, "global")?;
        self.output.byte(GLOBAL);
        self.output.bytes(&module);
        self.output.byte(b'\n');
        self.output.bytes(&name);
        self.output.byte(b'\n');
        Ok(())
    }

    /// An identifier as the protocol writes it: ASCII, or UTF-8 from protocol 3 on.
    fn identifier(&self, name: &Value, kind: &str) -> Result<Vec<u8>> {
        let vm = self.vm;
        let codec = if self.protocol >= 3 { Codec::Utf8 } else { Codec::Ascii };
        codecs::encode_native(vm, codec, name, None).map_err(|raised| {
            if !vm.pending_matches(&raised, exceptions::UNICODE_ENCODE_ERROR.ty()) {
                return raised;
            }
            raise_over(vm, raised, |_| match vm.repr_string(name) {
                Ok(name) => {
                    let protocol = self.protocol;
                    pickling_error(
                        vm,
                        format!("can't pickle {kind} identifier {name} using pickle protocol {protocol}"),
                    )
                }
                Err(raised) => raised,
            })
        })
    }

    fn cannot(&self, object: &Value, why: &str) -> Raised {
        match self.vm.repr_string(object) {
            Ok(shown) => pickling_error(self.vm, format!("Can't pickle {shown}: {why}")),
            Err(raised) => raised,
        }
    }

    /// The name of the module where the object is found at `path`; an error if another object is there.
    fn which_module(&self, object: &Value, name: &Str, path: &[Value]) -> Result {
        let vm = self.vm;
        let own = vm.get_attr_opt(object, &names().__module__)?.filter(|module| !module.is_none());
        if path.iter().any(|part| part.downcast::<Str>().is_some_and(|part| part.is_str("<locals>"))) {
            return Err(match vm.repr_string(object) {
                Ok(shown) => pickling_error(vm, format!("Can't pickle local object {shown}")),
                Err(raised) => raised,
            });
        }
        let module_name = match own {
            Some(module) => module,
            None => match self.search(object, path)? {
                Some(module) => return Ok(module),
                None => names().__main__.clone(),
            },
        };
        let module = self.imported(&module_name).map_err(|raised| {
            let expected = [exceptions::IMPORT_ERROR.ty(), exceptions::VALUE_ERROR.ty(), exceptions::KEY_ERROR.ty()];
            if !expected.iter().any(|class| vm.pending_matches(&raised, class)) {
                return raised;
            }
            raise_over(vm, raised, |error| match vm.str_string(error) {
                Ok(why) => self.cannot(object, &why),
                Err(raised) => raised,
            })
        })?;
        let full_name = || format!("{}.{}", vm.display_name(&module_name), name.to_string_lossy());
        let found = attribute_at(vm, &module, path).map_err(|raised| {
            if !vm.pending_matches(&raised, exceptions::ATTRIBUTE_ERROR.ty()) {
                return raised;
            }
            raise_over(vm, raised, |_| self.cannot(object, &format!("it's not found as {}", full_name())))
        })?;
        if !found.is(object) {
            return Err(self.cannot(object, &format!("it's not the same object as {}", full_name())));
        }
        Ok(module_name)
    }

    fn imported(&self, name: &Value) -> Result {
        match name.downcast::<Str>() {
            Some(name) => import(self.vm, name),
            None => Err(self.vm.type_error("module name must be a string")),
        }
    }

    /// The name of the first module in `sys.modules` that has the object at `path`.
    fn search(&self, object: &Value, path: &[Value]) -> Result<Option<Value>> {
        let vm = self.vm;
        let modules = sys_modules(vm)?;
        let items = match modules.downcast::<Dict>() {
            Some(modules) => modules.items(),
            None => {
                let copy = vm.call_method_name(&modules, &names().items, &[])?;
                let pairs = vm.collect(&copy)?;
                let pair = |pair: &Value| match pair.downcast::<Tuple>().map(Tuple::as_slice) {
                    Some([name, module]) => Some((name.clone(), module.clone())),
                    _ => None,
                };
                pairs.iter().filter_map(pair).collect()
            }
        };
        for (name, module) in items {
            let skipped =
                name.downcast::<Str>().is_none_or(|name| name.is_str("__main__") || name.is_str("__mp_main__"));
            if skipped || module.is_none() {
                continue;
            }
            match attribute_at(vm, &module, path) {
                Ok(found) if found.is(object) => return Ok(Some(name)),
                Ok(_) => {}
                Err(raised) => drop(vm.catch(raised, exceptions::ATTRIBUTE_ERROR.ty())?),
            }
        }
        Ok(None)
    }
}
