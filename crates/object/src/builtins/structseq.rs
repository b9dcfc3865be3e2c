//! Struct sequences: tuples with named fields (`os.stat_result`, `sys.flags`). Counterpart of CPython's
//! `Objects/structseq.c`.
//!
//! An instance is a tuple of the visible fields; fields beyond them are kept as instance attributes.

use crate::builtins::dict::Dict;
use crate::builtins::str::{Str, intern};
use crate::builtins::tuple::{TUPLE, Tuple};
use crate::object::{Ref, Result};
use crate::types::{Type, TypeSpec, creation, type_flags};
use crate::value::Value;
use crate::vm::{Vm, names};

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
    pub cell: std::sync::OnceLock<Ref<Type>>,
}

impl StructSeq {
    pub const fn new(
        name: &'static str,
        doc: &'static str,
        fields: &'static [Option<&'static str>],
        visible: usize,
    ) -> StructSeq {
        StructSeq { name, doc, fields, visible, constructible: true, cell: std::sync::OnceLock::new() }
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
        let hidden: Vec<Value> = self.fields[self.visible..].iter().flatten().map(|f| intern(f).into_value()).collect();
        set("_hidden_fields", Tuple::from_vec(hidden).into_value());
        let shown: Vec<Value> = self.fields[..self.visible].iter().flatten().map(|f| intern(f).into_value()).collect();
        set("__match_args__", Tuple::from_vec(shown).into_value());
        let bases = Tuple::from_vec(vec![TUPLE.value()]).into_value();
        let args = [Value::from(name), bases, dict.clone().into_value()];
        let class = creation::new(vm, &crate::types::TYPE.value(), &args, None)?;
        let ty = class.downcast_ref::<Type>().expect("`type.__new__` makes types");
        for (at, field) in self.fields.iter().enumerate() {
            if let Some(field) = field.filter(|_| at < self.visible) {
                ty.set_raw(field, field_descriptor(&ty, at, field));
            }
        }
        for def in METHODS {
            ty.set_raw(def.name(), crate::native::descriptors::method(&ty, def));
        }
        let mut slots = *ty.slots();
        slots.repr = Some(repr);
        slots.new = Some(if self.constructible { new } else { refuse });
        // SAFETY: nobody else has the type yet.
        unsafe { ty.set_slots(slots) };
        ty.set_raw("__repr__", crate::native::descriptors::slot_wrapper_of(&ty, "__repr__"));
        ty.set_raw("__new__", crate::native::function::new_wrapper(&ty));
        ty.modified();
        ty.clear_flags(type_flags::BASETYPE | type_flags::HAS_WEAKREF);
        ty.set_flags(type_flags::IMMUTABLETYPE);
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
    let shown: Vec<Value> = values.by_ref().take(declaration.visible).collect();
    let instance = Tuple::new_with_type(ty, shown.into_iter()).into_value();
    for (field, value) in declaration.fields[declaration.visible..].iter().zip(values) {
        if let (Some(field), Some(header)) = (field, instance.as_object()) {
            crate::attributes::set(header, intern(field).as_value(), value);
        }
    }
    instance
}

/// All declarations that have a type, to find that of an instance.
fn declaration(ty: &Type) -> Option<(usize, usize)> {
    let dict = ty.dict();
    let count = |name: &str| {
        dict.get_str(intern(name).as_value()).and_then(|n| n.as_small_int()).and_then(|n| usize::try_from(n).ok())
    };
    Some((count("n_fields")?, count("n_sequence_fields")?))
}

/// The attribute of one visible field.
#[repr(C)]
pub struct Field {
    pub header: crate::header::Header,
    owner: Ref<Type>,
    name: Value,
    index: usize,
}

// SAFETY: repr(C), header first, visits both references.
unsafe impl crate::object::Payload for Field {
    const KIND: crate::heap::Kind = crate::heap::Kind::Container;
    fn static_type() -> &'static Type {
        FIELD.ty()
    }
    fn traverse(&self, visit: crate::object::Visitor) {
        visit(self.owner.as_value());
        visit(&self.name);
    }
}

static FIELD: TypeSpec =
    TypeSpec::new::<Field>("member_descriptor").flags(type_flags::DISALLOW_INSTANTIATION).slots(|s| {
        s.descr_get = Some(|vm, this, object, _| {
            let Some(object) = object else { return Ok(this.clone()) };
            let field = this.downcast::<Field>().expect("own slot");
            match object.downcast::<Tuple>().filter(|_| object.ty().is_subtype(&field.owner)) {
                Some(tuple) => Ok(tuple.as_slice()[field.index].clone()),
                None => Err(vm.type_error(format!(
                    "descriptor '{}' for '{}' objects doesn't apply to a '{}' object",
                    vm.display_name(&field.name),
                    field.owner.name(),
                    object.ty().name()
                ))),
            }
        });
        s.descr_set = Some(|vm, _, _, _| Err(vm.attribute_error("readonly attribute")));
        s.repr = Some(|vm, this| {
            let field = this.downcast::<Field>().expect("own slot");
            let name = vm.display_name(&field.name);
            Ok(Value::from(format!("<member '{name}' of '{}' objects>", field.owner.full_name())))
        });
    });

fn field_descriptor(owner: &Ref<Type>, index: usize, name: &str) -> Value {
    let header = crate::header::Header::new(FIELD.ty());
    Ref::new(Field { header, owner: owner.clone(), name: intern(name).into_value(), index }).into_value()
}

fn refuse(vm: &Vm, class: &Value, _: &[Value], _: Option<&Value>) -> Result {
    let name = class.downcast::<Type>().map(dotted).unwrap_or_default();
    Err(vm.type_error(format!("cannot create '{name}' instances")))
}

fn dotted(ty: &Type) -> String {
    let module = ty.dict().get_str(&names().__module__);
    match module.as_ref().and_then(|m| m.downcast::<Str>()).map(Str::to_string_lossy) {
        Some(module) if module != "builtins" => format!("{module}.{}", ty.short_name()),
        _ => ty.short_name(),
    }
}

fn new(vm: &Vm, class: &Value, args: &[Value], kwnames: Option<&Value>) -> Result {
    let ty = class.downcast::<Type>().expect("`tp_new` gets a type");
    let keywords = kwnames.map_or(0, |names| vm.tuple_len(names));
    let positional = &args[..args.len() - keywords];
    let Some(sequence) = positional.first() else {
        return Err(vm.type_error(format!("{}() missing required argument 'sequence' (pos 1)", ty.name())));
    };
    let extra = args.get(1).and_then(|dict| dict.downcast_ref::<Dict>());
    let name = dotted(ty);
    let Some((fields, visible)) = declaration(ty) else {
        return Err(vm.system_error("a struct sequence without fields"));
    };
    let items = match vm.collect(sequence) {
        Ok(items) => items,
        Err(raised) => {
            vm.catch(raised, crate::exceptions::type_error())?;
            return Err(vm.type_error("constructor requires a sequence"));
        }
    };
    if items.len() < visible || items.len() > fields {
        let bound = match (visible == fields, items.len() < visible) {
            (true, _) => format!("a {visible}-sequence"),
            (false, true) => format!("an at least {visible}-sequence"),
            (false, false) => format!("an at most {fields}-sequence"),
        };
        return Err(vm.type_error(format!("{name}() takes {bound} ({}-sequence given)", items.len())));
    }
    let hidden: Vec<Value> = items[visible..].to_vec();
    let instance = Tuple::new_with_type(ty, items[..visible].iter().cloned()).into_value();
    let header = instance.as_object().expect("tuples are objects");
    if let Some(names) = ty.dict().get_str(intern("_hidden_fields").as_value())
        && let Some(names) = names.downcast::<Tuple>()
    {
        for (at, name) in names.as_slice().iter().enumerate() {
            let value = match (hidden.get(at), &extra) {
                (Some(value), _) => value.clone(),
                (None, Some(extra)) => extra.get_str(name).unwrap_or(Value::NONE),
                (None, None) => Value::NONE,
            };
            crate::attributes::set(header, name, value);
        }
    }
    Ok(instance)
}

fn repr(vm: &Vm, this: &Value) -> Result {
    let ty = this.ty();
    let Some(tuple) = this.downcast::<Tuple>() else { return crate::builtins::object::repr(vm, this) };
    // The n-th item is shown under the n-th name there is, as in CPython: unnamed fields borrow those of hidden ones.
    let dict = ty.dict();
    let names = |key: &str| {
        let names = dict.get_str(intern(key).as_value());
        names.and_then(|names| names.downcast::<Tuple>().map(|names| names.as_slice().to_vec())).unwrap_or_default()
    };
    let fields = [names("__match_args__"), names("_hidden_fields")].concat();
    let mut parts = Vec::new();
    for (at, value) in tuple.as_slice().iter().enumerate() {
        let text = vm.repr_string(value)?;
        parts.push(match fields.get(at) {
            Some(name) => format!("{}={text}", vm.display_name(name)),
            None => text,
        });
    }
    Ok(Value::from(format!("{}({})", dotted(ty), parts.join(", "))))
}

crate::method_table! {
    static METHODS = [crate::native::MethodDef::new("__reduce__($self, /)", "", |_, this, _| {
        let items = this.downcast::<Tuple>().map(|t| t.as_slice().to_vec()).unwrap_or_default();
        let hidden = match this.as_object() {
            Some(header) if this.ty().has_dict() => crate::attributes::dictionary(header).copy(),
            _ => Dict::new(),
        };
        let args = Tuple::from_vec(vec![Tuple::from_vec(items).into_value(), hidden.into_value()]).into_value();
        Ok(Tuple::from_vec(vec![this.ty().to_value(), args]).into_value())
    })];
}
