//! Methods of `object`.

use crate::attributes::{self, memory};
use crate::builtins::bytes::Bytes;
use crate::builtins::dict::Dict;
use crate::builtins::list::List;
use crate::builtins::str::intern;
use crate::builtins::tuple::Tuple;
use crate::heap;
use crate::native::{GetSetDef, MethodDef};
use crate::object::Result;
use crate::types::{Type, lookup, type_flags};
use crate::value::Value;
use crate::vm::{Vm, names};

crate::method_table! {
    pub static METHODS = [
        MethodDef::new("__reduce_ex__($self, protocol, /)", "Helper for pickle.", |vm, this, args| {
            let protocol = i64::from(vm.index_i32(&args[0])?);
            // An overridden `__reduce__` wins.
            if let Some(reduce) = lookup::find(this.ty(), &names().__reduce__)
                && let Some(plain) = lookup::find(crate::types::OBJECT.ty(), &names().__reduce__)
                && !reduce.is(&plain)
            {
                return vm.call_method_name(this, &names().__reduce__, &[]);
            }
            reduce(vm, this, protocol)
        }),
        MethodDef::new("__reduce__($self, /)", "Helper for pickle.", |vm, this, _| reduce(vm, this, 0)),
        MethodDef::new("__getstate__($self, /)", "Helper for pickle.", |vm, this, _| get_state(vm, this, false)),
        MethodDef::raw("__init_subclass__($type, /)", "Called with each new subclass.\n\n\
            A class can override it, to examine or complete its subclasses; it does\n\
            nothing by default.", |vm, this, args, kwnames| {
            let name = this.downcast::<Type>().map(Type::name).unwrap_or_default();
            if kwnames.is_some_and(|names| vm.tuple_len(names) > 0) {
                return Err(vm.type_error(format!("{name}.__init_subclass__() takes no keyword arguments")));
            }
            if !args.is_empty() {
                return Err(vm.type_error(format!("{name}.__init_subclass__() takes no arguments ({} given)", args.len())));
            }
            Ok(Value::NONE)
        }).class(),
        MethodDef::raw("__subclasshook__($type, object, /)", "\
            Decide whether a class counts as a subclass of this one.\n\n\
            Abstract classes can override this; their issubclass() asks it first.\n\
            True or False is the answer, and is remembered; NotImplemented leaves\n\
            the decision to the registered and the real \
            subclasses.", |_, _, _, _| Ok(Value::NOT_IMPLEMENTED)).class(),
        MethodDef::new("__format__($self, format_spec, /)", "Return str(self); this is the fallback of format().\n\n\
            TypeError is raised if format_spec is not empty.", |vm, this, args| {
            let spec = vm.expect_str_argument(&args[0], |name| format!("__format__() argument must be str, not {name}"))?;
            if spec.len() > 0 {
                let name = this.ty().name();
                return Err(vm.type_error(format!("unsupported format string passed to {name}.__format__")));
            }
            vm.str(this)
        }),
        MethodDef::new("__sizeof__($self, /)", "\
            Give the number of bytes of memory that the object takes.", |_, this, _| {
            // Of these the size follows from the length alone.
            if let Some(tuple) = this.downcast_exact::<Tuple>() {
                return Ok(Value::from(heap::prefix() + size_of::<Tuple>() + 8 * tuple.len()));
            }
            if let Some(bytes) = this.downcast_exact::<Bytes>() {
                return Ok(Value::from(heap::prefix() + size_of::<Bytes>() + bytes.as_slice().len() + 1));
            }
            Ok(Value::from(memory(this)))
        }),
        MethodDef::new("__dir__($self, /)", "\
            List the names of the attributes, for dir().", |vm, this, _| dir(vm, this)),
    ];
}

/// `__sizeof__` for the types that have one of their own in CPython.
pub const fn size_of_method(doc: &'static str) -> MethodDef {
    MethodDef::new("__sizeof__($self, /)", doc, |_, this, _| Ok(Value::from(memory(this))))
}

/// Names of the instance, its class and the bases.
fn dir(vm: &Vm, this: &Value) -> Result {
    let names_of = Dict::new();
    if let Some(dict) = vm.get_attr_opt(this, &names().__dict__)?
        && let Some(dict) = dict.downcast::<Dict>()
    {
        dict.keys().iter().try_for_each(|name| names_of.set(vm, name, Value::NONE))?;
    }
    if let Some(class) = vm.get_attr_opt(this, &names().__class__)? {
        merge_class_names(vm, &class, &names_of)?;
    }
    Ok(List::from_vec(names_of.keys()).into_value())
}

/// Adds the names in the namespaces of a class and its bases.
pub fn merge_class_names(vm: &Vm, class: &Value, names_of: &Dict) -> Result<()> {
    vm.check_stack("")?;
    if let Some(dict) = vm.get_attr_opt(class, &names().__dict__)? {
        let keys = vm.collect(&dict)?;
        keys.iter().try_for_each(|name| names_of.set(vm, name, Value::NONE))?;
    }
    if let Some(bases) = vm.get_attr_opt(class, &names().__bases__)?
        && bases.downcast::<Tuple>().is_some()
    {
        for base in vm.collect(&bases)? {
            merge_class_names(vm, &base, names_of)?;
        }
    }
    Ok(())
}

/// The state for pickling: the instance dict, with the slots' values if there are any.
fn get_state(vm: &Vm, this: &Value, required: bool) -> Result {
    let ty = this.ty();
    if required && ty.itemsize.get() != 0 {
        return Err(vm.type_error(format!("cannot pickle '{}' object", ty.name())));
    }
    let state = match this.as_object() {
        Some(header) if ty.has_dict() => {
            if attributes::has_any(header) {
                attributes::dictionary(header).into_value()
            } else {
                Value::NONE
            }
        }
        _ => vm.get_attr_opt(this, &names().__dict__)?.unwrap_or(Value::NONE),
    };
    let slot_names = slot_names(vm, ty)?;
    if required && has_hidden_state(ty) {
        return Err(vm.type_error(format!("cannot pickle '{}' object", ty.name())));
    }
    let slots = Dict::new();
    if let Some(list) = slot_names.downcast::<List>() {
        let count = list.len();
        let mut at = 0;
        // `__getattr__` may change the list.
        while let Some(name) = list.get(at) {
            if let Some(value) = vm.get_attr_opt(this, &vm.attribute_name(&name)?)? {
                slots.set(vm, &name, value)?;
            }
            if list.len() != count {
                return Err(vm.runtime_error("__slotnames__ changed size during iteration"));
            }
            at += 1;
        }
    }
    if slots.len() > 0 {
        return Ok(Tuple::from_vec(vec![state, slots.into_value()]).into_value());
    }
    Ok(state)
}

/// The list of the names of the slots of a class, which `copyreg` finds out and keeps in the class; or None.
fn slot_names(vm: &Vm, ty: &Type) -> Result {
    let wrong = |message: String| Err(vm.type_error(message));
    if let Some(known) = ty.dict().get_str(intern("__slotnames__").as_value()) {
        if !known.is_none() && known.downcast::<List>().is_none() {
            let (class, got) = (ty.name(), known.ty().name());
            return wrong(format!("{class}.__slotnames__ should be a list or None, not {got}"));
        }
        return Ok(known);
    }
    if !ty.is_heap_type() {
        return Ok(Value::NONE);
    }
    let find = vm.import_from("copyreg", "_slotnames")?;
    let found = vm.call_args(&find, &[ty.to_value()])?;
    if !found.is_none() && found.downcast::<List>().is_none() {
        return wrong("copyreg._slotnames didn't return a list or None".to_string());
    }
    Ok(found)
}

/// Whether instances hold something that neither dict nor slots show.
fn has_hidden_state(ty: &Type) -> bool {
    let native = crate::exceptions::nearest_builtin(ty);
    !native.is(&crate::types::OBJECT)
        && !native.has_flags(type_flags::LIST_SUBCLASS)
        && !native.has_flags(type_flags::DICT_SUBCLASS)
        && native.basicsize.get() > crate::types::OBJECT.ty().basicsize.get()
}

fn reduce(vm: &Vm, this: &Value, protocol: i64) -> Result {
    if protocol < 2 {
        let reduce = vm.import_from("copyreg", "_reduce_ex")?;
        return vm.call(&reduce, &[this.clone(), Value::from(protocol)], None);
    }
    let copyreg = vm.import("copyreg")?;
    let class = vm.class_of(this)?;
    if this.ty().slots().new.is_none() {
        return Err(vm.type_error(format!("cannot pickle '{}' object", this.ty().name())));
    }
    let (args, kwargs) = new_arguments(vm, this)?;
    let has_args = args.is_some();
    let (function, arguments) = match (args, kwargs) {
        (args, Some(kwargs)) if kwargs.downcast::<Dict>().is_some_and(|d| d.len() > 0) => {
            let args = args.unwrap_or_else(|| Tuple::from_slice(&[]).into_value());
            (vm.get_attr_str(&copyreg, "__newobj_ex__")?, Tuple::from_vec(vec![class, args, kwargs]).into_value())
        }
        (args, _) => {
            let mut all = vec![class];
            if let Some(args) = args {
                all.extend(vm.collect(&args)?);
            }
            (vm.get_attr_str(&copyreg, "__newobj__")?, Tuple::from_vec(all).into_value())
        }
    };
    let is_container = this.downcast::<List>().is_some() || this.downcast::<Dict>().is_some();
    let state = match lookup::find(this.ty(), &names().__getstate__) {
        Some(method) if method.is(&plain_getstate()) => get_state(vm, this, !has_args && !is_container)?,
        _ => vm.call_method_name(this, &names().__getstate__, &[])?,
    };
    let list_items = if this.downcast::<List>().is_some() { vm.iter(this)? } else { Value::NONE };
    let dict_items = if this.downcast::<Dict>().is_some() {
        let items = vm.call_method_name(this, &names().items, &[])?;
        vm.iter(&items)?
    } else {
        Value::NONE
    };
    Ok(Tuple::from_vec(vec![function, arguments, state, list_items, dict_items]).into_value())
}

fn plain_getstate() -> Value {
    lookup::find(crate::types::OBJECT.ty(), &names().__getstate__).expect("object has __getstate__")
}

/// `__getnewargs_ex__()` or `__getnewargs__()`.
fn new_arguments(vm: &Vm, this: &Value) -> Result<(Option<Value>, Option<Value>)> {
    if let Some(result) = vm.call_special(this, &names().__getnewargs_ex__, &[]) {
        let result = result?;
        let Some(pair) = result.downcast::<Tuple>() else {
            let got = result.ty().name();
            return Err(vm.type_error(format!("__getnewargs_ex__ should return a tuple, not '{got}'")));
        };
        let [args, kwargs] = pair.as_slice() else {
            return Err(
                vm.value_error(format!("__getnewargs_ex__ should return a tuple of length 2, not {}", pair.len()))
            );
        };
        if args.downcast::<Tuple>().is_none() {
            return Err(vm.type_error(format!(
                "first item of the tuple returned by __getnewargs_ex__ must be a tuple, not '{}'",
                args.ty().name()
            )));
        }
        if kwargs.downcast::<Dict>().is_none() {
            return Err(vm.type_error(format!(
                "second item of the tuple returned by __getnewargs_ex__ must be a dict, not '{}'",
                kwargs.ty().name()
            )));
        }
        return Ok((Some(args.clone()), Some(kwargs.clone())));
    }
    if let Some(result) = vm.call_special(this, &names().__getnewargs__, &[]) {
        let result = result?;
        if result.downcast::<Tuple>().is_none() {
            return Err(vm.type_error(format!("__getnewargs__ should return a tuple, not '{}'", result.ty().name())));
        }
        return Ok((Some(result), None));
    }
    Ok((None, None))
}

pub static GETSET: &[GetSetDef] =
    &[GetSetDef::new("__class__", "the object's class", |_, this| Ok(this.ty().to_value())).setter(
        |vm, this, value| {
            let Some(value) = value else { return Err(vm.type_error("can't delete __class__ attribute")) };
            let Some(new) = value.downcast::<Type>() else {
                return Err(
                    vm.type_error(format!("__class__ must be set to a class, not '{}' object", value.ty().name()))
                );
            };
            crate::types::creation::set_class(vm, this, new)
        },
    )];
