//! Struct sequences: tuples with named fields (`os.stat_result`, `sys.flags`). Counterpart of CPython's
//! `Objects/structseq.c`.
//!
//! An instance is a tuple of the visible fields; fields beyond them are kept as instance attributes.

use crate::attributes::{self, Filled};
use crate::builtins::dict::Dict;
use crate::builtins::str::{Str, intern};
use crate::builtins::tuple::{TUPLE, Tuple};
use crate::native::MethodDef;
use crate::native::member::{self, Place};
use crate::native::signature::Signature;
use crate::object::{Ref, Result};
use crate::types::{Type, creation, lookup, type_flags};
use crate::value::Value;
use crate::vm::{Vm, names};
use std::sync::{LazyLock, Mutex, OnceLock};

/// The declaration of a struct sequence.
pub struct StructSeq {
    /// Dotted name.
    pub name: &'static str,
    pub doc: &'static str,
    /// Field names; `None` for one without a name.
    pub fields: &'static [Option<&'static str>],
    /// How many of them the tuple shows.
    pub visible: usize,
    /// Whether Python code may make instances.
    pub constructible: bool,
    pub cell: OnceLock<Ref<Type>>,
    /// The names of the fields that the tuple does not show, and the shape of instances.
    hidden: OnceLock<Box<[Value]>>,
    filled: Filled,
}

impl StructSeq {
    pub const fn new(
        name: &'static str,
        doc: &'static str,
        fields: &'static [Option<&'static str>],
        visible: usize,
    ) -> StructSeq {
        StructSeq {
            name,
            doc,
            fields,
            visible,
            constructible: true,
            cell: OnceLock::new(),
            hidden: OnceLock::new(),
            filled: Filled::new(),
        }
    }

    /// Python code cannot make instances (`sys.flags`).
    pub const fn sealed(mut self) -> StructSeq {
        self.constructible = false;
        self
    }

    /// The type, made on first use.
    pub fn ty(&'static self, vm: &Vm) -> Result<&'static Type> {
        if let Some(ty) = self.cell.get() {
            return Ok(ty);
        }
        let made = self.create(vm)?;
        Ok(self.cell.get_or_init(|| made))
    }

    fn create(&'static self, vm: &Vm) -> Result<Ref<Type>> {
        let (module, name) = self.name.rsplit_once('.').unwrap_or(("builtins", self.name));
        let dict = Dict::new();
        let set = |name: &str, value: Value| dict.set_str(intern(name).as_value(), value);
        set("__module__", Value::from(module));
        set("__qualname__", Value::from(name));
        set("__doc__", Value::from(self.doc));
        set("n_sequence_fields", Value::from(self.visible));
        set("n_fields", Value::from(self.fields.len()));
        set("n_unnamed_fields", Value::from(self.fields.iter().filter(|f| f.is_none()).count()));
        let shown: Vec<Value> = self.fields[..self.visible].iter().flatten().map(|f| intern(f).into_value()).collect();
        set("__match_args__", Tuple::from_vec(shown).into_value());
        let bases = Tuple::from_vec(vec![TUPLE.value()]).into_value();
        let args = [Value::from(name), bases, dict.clone().into_value()];
        let class = creation::new(vm, &crate::types::TYPE.value(), &args, None)?;
        let ty = class.downcast_ref::<Type>().expect("`type.__new__` makes types");
        drop(ty.dict().remove_str(&names().__dict__));
        for (at, field) in self.fields.iter().enumerate() {
            if let Some(field) = field {
                let place = Place::Field((at < self.visible).then_some(at));
                ty.set_raw(field, member::new(&ty, intern(field).into_value(), place));
            }
        }
        for def in METHODS {
            ty.set_raw(def.name(), crate::native::descriptors::method(&ty, def));
        }
        let mut slots = *ty.slots();
        slots.repr = Some(repr);
        slots.new = Some(if self.constructible { new } else { refuse });
        slots.setattro = Some(setattro);
        // SAFETY: nobody else has the type yet.
        unsafe { ty.set_slots(slots) };
        ty.set_raw("__repr__", crate::native::descriptors::slot_wrapper_of(&ty, "__repr__"));
        if self.constructible {
            ty.set_raw("__new__", crate::native::function::new_wrapper(&ty));
        }
        ty.modified();
        ty.clear_flags(type_flags::BASETYPE | type_flags::HAS_WEAKREF);
        ty.set_flags(type_flags::IMMUTABLETYPE);
        if !self.constructible {
            ty.set_flags(type_flags::DISALLOW_INSTANTIATION);
        }
        DECLARATIONS
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
            .push((std::ptr::from_ref(&*ty) as usize, self));
        Ok(ty)
    }

    /// An instance with a value for every field.
    pub fn instance(&'static self, vm: &Vm, values: Vec<Value>) -> Result {
        let ty = self.ty(vm)?;
        Ok(build(ty, self, values))
    }
}

fn build(ty: &Type, declaration: &StructSeq, values: Vec<Value>) -> Value {
    debug_assert_eq!(values.len(), declaration.fields.len());
    let mut values = values.into_iter();
    let instance = Tuple::new_with_type(ty, values.by_ref().take(declaration.visible)).into_value();
    let hidden = &declaration.fields[declaration.visible..];
    if let Some(header) = instance.as_object()
        && !hidden.is_empty()
    {
        let names = || hidden.iter().flatten().map(|field| intern(field).into_value()).collect();
        let names = declaration.hidden.get_or_init(names);
        let values = hidden.iter().zip(values).filter(|(field, _)| field.is_some()).map(|(_, value)| value);
        attributes::fill(header, names, values, &declaration.filled);
    }
    instance
}

/// The types made so far, by address, with their declarations. The types live for ever.
static DECLARATIONS: Mutex<Vec<(usize, &'static StructSeq)>> = Mutex::new(Vec::new());

fn declaration(ty: &Type) -> &'static StructSeq {
    let all = DECLARATIONS.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let address = std::ptr::from_ref(ty) as usize;
    all.iter().find(|(at, _)| *at == address).expect("a struct sequence type").1
}

/// The fields can't be set, and instances have no other attributes.
fn setattro(vm: &Vm, this: &Value, name: &Value, value: Option<&Value>) -> Result<()> {
    if let Some(descriptor) = lookup::find(this.ty(), name)
        && let Some(set) = descriptor.ty().slots().descr_set
    {
        return set(vm, &descriptor, this, value);
    }
    let (ty, text) = (this.ty().name(), vm.display_name(name));
    let message = if lookup::find(this.ty(), name).is_some() {
        format!("'{ty}' object attribute '{text}' is read-only")
    } else {
        format!("'{ty}' object has no attribute '{text}' and no __dict__ for setting new attributes")
    };
    Err(vm.attribute_error_for(message, this, name))
}

/// A field that the tuple does not show.
pub(crate) fn hidden(instance: &Value, name: &Value) -> Value {
    instance.as_object().and_then(|header| attributes::get(header, name)).unwrap_or(Value::NONE)
}

fn refuse(vm: &Vm, class: &Value, _: &[Value], _: Option<&Value>) -> Result {
    let name = class.downcast::<Type>().map(dotted).unwrap_or_default();
    Err(vm.type_error(format!("cannot create '{name}' instances")))
}

/// The name with its module.
pub(crate) fn dotted(ty: &Type) -> String {
    let module = ty.dict().get_str(&names().__module__);
    match module.as_ref().and_then(|m| m.downcast::<Str>()).map(Str::to_string_lossy) {
        Some(module) if module != "builtins" => format!("{module}.{}", ty.short_name()),
        _ => ty.short_name(),
    }
}

fn new(vm: &Vm, class: &Value, args: &[Value], kwnames: Option<&Value>) -> Result {
    static SIGNATURE: LazyLock<Signature> = LazyLock::new(|| Signature::parse("structseq(sequence, dict=?)"));
    let bound = SIGNATURE.bind(vm, args, kwnames)?;
    make(vm, class.downcast::<Type>().expect("`tp_new` gets a type"), &bound[0], &bound[1])
}

fn make(vm: &Vm, ty: &Type, sequence: &Value, extra: &Value) -> Result {
    let declaration = declaration(ty);
    let (name, fields, visible) = (dotted(ty), declaration.fields.len(), declaration.visible);
    let items = match vm.collect(sequence) {
        Ok(items) => items,
        Err(raised) => {
            vm.catch(raised, crate::exceptions::type_error())?;
            return Err(vm.type_error("constructor requires a sequence"));
        }
    };
    let extra = extra.bound().map(|extra| extra.downcast_ref::<Dict>().ok_or(()));
    let Ok(extra) = extra.transpose() else {
        return Err(vm.type_error(format!("{name}() takes a dict as second arg, if any")));
    };
    if items.len() < visible || items.len() > fields {
        let bound = match (visible == fields, items.len() < visible) {
            (true, _) => format!("a {visible}-sequence"),
            (false, true) => format!("an at least {visible}-sequence"),
            (false, false) => format!("an at most {fields}-sequence"),
        };
        return Err(vm.type_error(format!("{name}() takes {bound} ({}-sequence given)", items.len())));
    }
    let instance = Tuple::new_with_type(ty, items[..visible].iter().cloned()).into_value();
    let header = instance.as_object().expect("tuples are objects");
    let mut used = 0;
    for (at, field) in declaration.fields.iter().enumerate().skip(visible) {
        let Some(field) = field else { continue };
        let field = intern(field).into_value();
        let value = match items.get(at) {
            Some(value) => value.clone(),
            None => match extra.as_ref().and_then(|extra| extra.get_str(&field)) {
                Some(value) => {
                    used += 1;
                    value
                }
                None => Value::NONE,
            },
        };
        attributes::set(header, &field, value);
    }
    if extra.is_some_and(|extra| extra.len() > used) {
        return Err(vm.type_error(format!("{name}() got duplicate or unexpected field name(s)")));
    }
    Ok(instance)
}

fn repr(vm: &Vm, this: &Value) -> Result {
    let ty = this.ty();
    let Some(tuple) = this.downcast::<Tuple>() else { return crate::builtins::object::repr(vm, this) };
    // The n-th item is shown under the n-th name there is, as in CPython: unnamed fields borrow those of hidden ones.
    let mut names = declaration(ty).fields.iter().flatten();
    let mut parts = Vec::new();
    for value in tuple.as_slice() {
        let text = vm.repr_string(value)?;
        parts.push(match names.next() {
            Some(name) => format!("{name}={text}"),
            None => text,
        });
    }
    Ok(Value::from(format!("{}({})", dotted(ty), parts.join(", "))))
}

/// The values of the fields that the tuple does not show.
fn hidden_dict(this: &Value) -> Ref<Dict> {
    let declaration = declaration(this.ty());
    let dict = Dict::new();
    for field in declaration.fields[declaration.visible..].iter().flatten() {
        let field = intern(field).into_value();
        let value = hidden(this, &field);
        dict.set_str(&field, value);
    }
    dict
}

crate::method_table! { static METHODS = [
    MethodDef::new("__reduce__($self, /)", "", |_, this, _| {
        let items = this.downcast::<Tuple>().map(|t| t.as_slice().to_vec()).unwrap_or_default();
        let args = Tuple::from_vec(vec![Tuple::from_vec(items).into_value(), hidden_dict(this).into_value()]).into_value();
        Ok(Tuple::from_vec(vec![this.ty().to_value(), args]).into_value())
    }),
    MethodDef::raw("__replace__($self, /, **changes)", "\
        Return a copy in which the given fields have other values.", replace),
]; }

fn replace(vm: &Vm, this: &Value, args: &[Value], kwnames: Option<&Value>) -> Result {
    let names: &[Value] = kwnames.and_then(|names| names.downcast::<Tuple>()).map_or(&[], Tuple::as_slice);
    if args.len() > names.len() {
        return Err(vm.type_error("__replace__() takes no positional arguments"));
    }
    let declaration = declaration(this.ty());
    if declaration.fields.iter().any(Option::is_none) {
        let name = dotted(this.ty());
        return Err(vm.type_error(format!("__replace__() is not supported for {name} because it has unnamed field(s)")));
    }
    let changes = Dict::new();
    names.iter().zip(args).for_each(|(name, value)| changes.set_str(name, value.clone()));
    let mut items = this.downcast::<Tuple>().map(|t| t.as_slice().to_vec()).unwrap_or_default();
    let extra = hidden_dict(this);
    for (at, field) in declaration.fields.iter().flatten().enumerate() {
        let field = intern(field).into_value();
        let Some(value) = changes.remove_str(&field) else { continue };
        match items.get_mut(at) {
            Some(item) => *item = value,
            None => extra.set_str(&field, value),
        }
    }
    if changes.len() > 0 {
        let unknown = vm.repr_string(&crate::builtins::list::List::from_vec(changes.keys()).into_value())?;
        return Err(vm.type_error(format!("Got unexpected field name(s): {unknown}")));
    }
    make(vm, this.ty(), &Tuple::from_vec(items).into_value(), &extra.into_value())
}
