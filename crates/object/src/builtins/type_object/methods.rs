//! Methods and attributes of `type`.

use crate::attributes::memory;
use crate::builtins::dict::Dict;
use crate::builtins::list::List;
use crate::builtins::str::Str;
use crate::builtins::tuple::Tuple;
use crate::builtins::type_object::annotations;
use crate::native::{GetSetDef, MemberDef, MethodDef};
use crate::object::Result;
use crate::types::{Type, mro, type_flags};
use crate::value::Value;
use crate::vm::{Vm, names};

fn own(value: &Value) -> &Type {
    value.downcast::<Type>().expect("called on a type")
}

pub fn repr(vm: &Vm, this: &Value) -> Result {
    let class = own(this);
    let module = vm.get_attr_opt(this, &names().__module__)?;
    let qualname = vm.get_attr(this, &names().__qualname__)?;
    let qualname = vm.display_name(&qualname);
    Ok(Value::from(match module {
        Some(module) if module.downcast::<Str>().is_some_and(|m| !m.is_str("builtins")) => {
            format!("<class '{}.{qualname}'>", vm.display_name(&module))
        }
        Some(_) => format!("<class '{qualname}'>"),
        None => format!("<class '{}'>", class.name()),
    }))
}

pub use crate::builtins::union::or as union;

crate::method_table! { pub static METHODS = [
    MethodDef::new("mro($self, /)", "\
        Work out the order in which this class and its bases are searched.", |vm, this, _| {
        let class = own(this);
        let bases = class.bases().map(|bases| bases.as_slice().to_vec()).unwrap_or_default();
        Ok(List::from_vec(mro::linearize(vm, this, &bases)?).into_value())
    }),
    MethodDef::new("__subclasses__($self, /)", "\
        List the classes that are derived directly from this one.", |_, this, _| {
        let class = own(this);
        Ok(List::from_vec(class.direct_subclasses().into_iter().map(Value::from).collect()).into_value())
    }),
    MethodDef::new("__instancecheck__($self, instance, /)", "\
        Tell whether the object is an instance, for isinstance().", |vm, this, args| {
        super::plain_is_instance(vm, &args[0], this).map(Value::bool)
    }),
    MethodDef::new("__subclasscheck__($self, subclass, /)", "\
        Tell whether the class is a subclass, for issubclass().", |vm, this, args| {
        super::plain_is_subclass(vm, &args[0], this).map(Value::bool)
    }),
    MethodDef::new("__dir__($self, /)", "List the names of the attributes of a class and its bases.", |vm, this, _| {
        let names_of = Dict::new();
        crate::builtins::object::methods::merge_class_names(vm, this, &names_of)?;
        Ok(List::from_vec(names_of.keys()).into_value())
    }),
    MethodDef::new("__sizeof__($self, /)", "Give the number of bytes of memory that the class takes.", |_, this, _| {
        let slots = own(this).slot_members.borrow(&own(this).header).len();
        Ok(Value::from(memory(this) + 16 * slots))
    }),
    MethodDef::raw("__prepare__($cls, name, bases, /, **kwds)", "\
        Make the namespace in which a class body is executed", |_, _, _, _| {
        Ok(Dict::new().into_value())
    })
    .class(),
]; }

/// The value for a special attribute of `class`, if that may be set.
fn checked_special<'a>(vm: &Vm, class: &Type, value: Option<&'a Value>, name: &str) -> Result<&'a Value> {
    if !class.is_heap_type() {
        let class = class.full_name();
        return Err(vm.type_error(format!("cannot set '{name}' attribute of immutable type '{class}'")));
    }
    match value {
        Some(value) => {
            vm.audit("object.__setattr__", &[class.to_value(), Value::from(name), value.clone()])?;
            Ok(value)
        }
        None => {
            let class = class.name();
            Err(vm.type_error(format!("cannot delete '{name}' attribute of immutable type '{class}'")))
        }
    }
}

/// `__name__`, the same object whenever it is asked for.
fn name_object(class: &Type) -> Value {
    let qualname = class.qualname.borrow(&class.header).clone();
    class.with_short_name(|name| {
        match qualname.filter(|qualname| qualname.downcast_exact::<Str>().is_some_and(|text| text.is_str(name))) {
            Some(qualname) => qualname,
            None => crate::builtins::str::intern(name).into_value(),
        }
    })
}

pub static MEMBERS: &[MemberDef] = &[
    MemberDef::new("__basicsize__", "", |_, this| Ok(Value::from(own(this).basicsize.get()))),
    MemberDef::new("__itemsize__", "", |_, this| Ok(Value::from(own(this).itemsize.get()))),
    MemberDef::new("__flags__", "", |_, this| Ok(Value::from(own(this).shown_flags()))),
    MemberDef::new("__weakrefoffset__", "", |_, this| {
        Ok(Value::from(if own(this).has_flags(type_flags::HAS_WEAKREF) { -1 } else { 0 }))
    }),
    MemberDef::new("__base__", "", |_, this| Ok(own(this).base().map_or(Value::NONE, Type::to_value))),
    MemberDef::new("__dictoffset__", "", |_, this| {
        let class = own(this);
        let has_dict = class.has_dict() || class.own_dict.get().is_some() || class.has_flags(type_flags::TYPE_SUBCLASS);
        Ok(Value::from(if has_dict { -1 } else { 0 }))
    }),
];

pub static GETSET: &[GetSetDef] = &[
    annotations::ANNOTATE,
    annotations::ANNOTATIONS,
    annotations::TYPE_PARAMS,
    GetSetDef::new("__name__", "", |_, this| Ok(name_object(own(this)))).setter(|vm, this, value| {
        let class = own(this);
        let value = checked_special(vm, class, value, "__name__")?;
        let text =
            vm.expect_str(value, |got| format!("can only assign string to {}.__name__, not '{got}'", class.name()))?;
        let name = crate::codecs::to_utf8(vm, &crate::object::to_value(text))?;
        if name.contains('\0') {
            return Err(vm.value_error("type name must not contain null characters"));
        }
        class.set_name(&name);
        Ok(())
    }),
    GetSetDef::new("__qualname__", "", |_, this| {
        let class = own(this);
        let stored = class.qualname.borrow(&class.header).clone();
        Ok(stored.unwrap_or_else(|| Value::from(class.short_name())))
    })
    .setter(|vm, this, value| {
        let class = own(this);
        let value = checked_special(vm, class, value, "__qualname__")?;
        vm.expect_str(value, |got| format!("can only assign string to {}.__qualname__, not '{got}'", class.name()))?;
        let old = class.qualname.borrow(&class.header).replace(value.clone());
        drop(old);
        Ok(())
    }),
    GetSetDef::new("__module__", "", |vm, this| {
        let class = own(this);
        if class.is_heap_type() {
            return match class.dict().get_str(&names().__module__) {
                Some(module) => Ok(module),
                None => Err(vm.attribute_error("__module__")),
            };
        }
        let full = class.full_name();
        Ok(Value::from(full.rsplit_once('.').map_or("builtins", |(module, _)| module)))
    })
    .setter(|vm, this, value| {
        let class = own(this);
        let value = checked_special(vm, class, value, "__module__")?;
        class.dict().set_str(&names().__module__, value.clone());
        drop(class.dict().remove_str(crate::builtins::str::intern("__firstlineno__").as_value()));
        class.modified();
        Ok(())
    }),
    GetSetDef::new("__bases__", "", |_, this| {
        Ok(own(this).bases().unwrap_or_else(|| Tuple::from_slice(&[])).into_value())
    })
    .setter(crate::types::creation::set_bases),
    GetSetDef::new("__mro__", "", |_, this| Ok(own(this).mro().map_or(Value::NONE, |mro| mro.into_value()))),
    GetSetDef::new("__dict__", "", |_, this| Ok(crate::builtins::mappingproxy::new(own(this).dict().into_value()))),
    GetSetDef::new("__doc__", "", |vm, this| {
        let class = own(this);
        if let Some(spec) = class.spec.filter(|spec| !spec.doc.is_empty()) {
            return Ok(Value::from(spec.docstring()));
        }
        match class.dict().get_str(&names().__doc__) {
            Some(doc) => match doc.ty().slots().descr_get {
                Some(get) => get(vm, &doc, None, Some(this)),
                None => Ok(doc),
            },
            None => Ok(Value::NONE),
        }
    })
    .setter(|vm, this, value| {
        let class = own(this);
        let value = checked_special(vm, class, value, "__doc__")?;
        class.dict().set_str(&names().__doc__, value.clone());
        class.modified();
        Ok(())
    }),
    GetSetDef::new("__text_signature__", "", |_, this| {
        let class = own(this);
        if let Some(spec) = class.spec {
            return Ok(spec.text_signature().map_or(Value::NONE, Value::from));
        }
        let doc = class.dict().get_str(&names().__doc__);
        let doc = doc.as_ref().and_then(|doc| doc.downcast::<Str>()).map(Str::to_string_lossy).unwrap_or_default();
        let signature = doc.split_once("\n--\n\n").and_then(|(first, _)| first.strip_prefix(&class.name()));
        let signature = signature.filter(|text| text.starts_with('(') && text.ends_with(')') && !text.contains("\n\n"));
        Ok(signature.map_or(Value::NONE, Value::from))
    }),
    GetSetDef::new("__abstractmethods__", "", |vm, this| {
        let stored = own(this).dict().get_str(&names().__abstractmethods__);
        match stored.filter(|_| !own(this).is(&crate::types::TYPE)) {
            Some(methods) => Ok(methods),
            None => Err(vm.attribute_error("__abstractmethods__")),
        }
    })
    .setter(|vm, this, value| {
        let class = own(this);
        match value {
            Some(value) => {
                let is_abstract = vm.is_true(value)?;
                class.dict().set_str(&names().__abstractmethods__, value.clone());
                if is_abstract {
                    class.set_flags(type_flags::IS_ABSTRACT);
                } else {
                    class.clear_flags(type_flags::IS_ABSTRACT);
                }
            }
            None => {
                if class.dict().remove_str(&names().__abstractmethods__).is_none() {
                    return Err(vm.attribute_error("__abstractmethods__"));
                }
                class.clear_flags(type_flags::IS_ABSTRACT);
            }
        }
        class.modified();
        Ok(())
    }),
];
