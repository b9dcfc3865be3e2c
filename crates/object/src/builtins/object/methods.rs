//! Methods of `object`.

use crate::native::{GetSetDef, MethodDef};
use crate::value::Value;

crate::method_table! { pub static METHODS = [
    MethodDef::new("__format__($self, format_spec, /)", "Default object formatter.\n\nReturn str(self) if format_spec is empty. Raise TypeError otherwise.", |vm, this, args| {
        let spec = vm.expect_str(&args[0], |name| format!("__format__() argument must be str, not {name}"))?;
        if spec.len() > 0 {
            let name = this.ty().name();
            return Err(vm.type_error(format!("unsupported format string passed to {name}.__format__")));
        }
        vm.str(this)
    }),
    MethodDef::raw("__init_subclass__", "This method is called when a class is subclassed.\n\nThe default implementation does nothing. It may be\noverridden to extend subclasses.", |vm, this, args, kwnames| {
        if kwnames.is_some_and(|names| vm.tuple_len(names) > 0) {
            let name = this.downcast::<crate::types::Type>().map(|ty| ty.name()).unwrap_or_default();
            return Err(vm.type_error(format!("{name}.__init_subclass__() takes no keyword arguments")));
        }
        if !args.is_empty() {
            return Err(vm.type_error(format!("object.__init_subclass__() takes no arguments ({} given)", args.len())));
        }
        Ok(Value::NONE)
    }).class(),
    MethodDef::raw("__subclasshook__", "Abstract classes can override this to customize issubclass().\n\nThis is invoked early on by abc.ABCMeta.__subclasscheck__().\nIt should return True, False or NotImplemented.  If it returns\nNotImplemented, the normal algorithm is used.  Otherwise, it\noverrides the normal algorithm (and the outcome is cached).", |_, _, _, _| Ok(Value::NOT_IMPLEMENTED)).class(),
]; }

pub static GETSET: &[GetSetDef] =
    &[GetSetDef::new("__class__", "the object's class", |_, this| Ok(this.ty().to_value()))];
