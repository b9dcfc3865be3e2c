//! The classes of nodes, made once from the tree's schema.

use std::collections::HashMap;
use std::sync::OnceLock;

use taipan_object::attributes::Filled;
use taipan_object::builtins::dict::Dict;
use taipan_object::builtins::str::intern;
use taipan_object::builtins::tuple::Tuple;
use taipan_object::builtins::{generic_alias, int, list, object, str, type_object, union};
use taipan_object::types::Type;
use taipan_object::{Ref, Result, Value, Vm};
use taipan_syntax::ast::ClassId;
use taipan_syntax::ast::schema::{self, ClassSchema, FieldSchema, Quantifier, TypeKind, TypeSchema};

use super::node;

/// A class of nodes.
pub struct Class {
    pub name: &'static str,
    pub ty: Value,
    /// The names of the fields, interned, in order, and of the position, if nodes have one.
    pub attributes: Vec<Value>,
    /// The shape of nodes with all of them.
    pub filled: Filled,
    /// The only instance that the parser uses, for classes without fields: operators and contexts.
    pub singleton: Option<Value>,
}

impl Class {
    pub fn as_type(&self) -> &Type {
        self.ty.downcast::<Type>().expect("node classes are types")
    }
}

/// All classes but `AST`, sum types before their constructors.
pub struct Classes {
    pub list: Vec<Class>,
    by_name: HashMap<&'static str, usize>,
    /// Where in the list the classes of the parser's nodes are.
    by_id: Vec<usize>,
    /// `lineno`, `col_offset`, `end_lineno`, `end_col_offset`.
    attributes: [Value; 4],
}

impl Classes {
    /// The class of a node that the parser made.
    pub fn of(&self, id: ClassId) -> &Class {
        &self.list[self.by_id[id as usize]]
    }

    /// A class of the schema.
    pub fn get(&self, name: &str) -> &Class {
        &self.list[self.by_name[name]]
    }

    fn add(&mut self, class: Class) {
        self.by_name.insert(class.name, self.list.len());
        self.list.push(class);
    }
}

/// The classes, made on first use.
pub fn all(vm: &Vm) -> Result<&'static Classes> {
    static CLASSES: OnceLock<Classes> = OnceLock::new();
    if let Some(classes) = CLASSES.get() {
        return Ok(classes);
    }
    let made = make_all(vm)?;
    Ok(CLASSES.get_or_init(|| made))
}

fn names(names: impl IntoIterator<Item = &'static str>) -> Vec<Value> {
    names.into_iter().map(|name| intern(name).into_value()).collect()
}

/// The names of what nodes of a class hold: fields, then the position.
fn attributes_of(classes: &Classes, fields: &[FieldSchema], located: bool) -> Vec<Value> {
    let mut attributes = names(fields.iter().map(|field| field.name));
    if located {
        attributes.extend_from_slice(&classes.attributes);
    }
    attributes
}

const ATTRIBUTES: [&str; 4] = ["lineno", "col_offset", "end_lineno", "end_col_offset"];

fn make_all(vm: &Vm) -> Result<Classes> {
    let attributes = ATTRIBUTES.map(|name| intern(name).into_value());
    let mut classes = Classes { list: Vec::new(), by_name: HashMap::new(), by_id: Vec::new(), attributes };
    let base = node::AST.value();
    for schema in schema::types() {
        match &schema.kind {
            TypeKind::Product(class) => {
                let ty = make_class(vm, class.name, &base, &class.fields, &schema.doc())?;
                set_attributes(&classes, &ty, schema, &class.fields);
                let attributes = attributes_of(&classes, &class.fields, schema.located);
                classes.add(Class { name: class.name, ty, attributes, filled: Filled::new(), singleton: None });
            }
            TypeKind::Sum(constructors) => {
                let sum = make_class(vm, schema.name, &base, &[], &schema.doc())?;
                set_attributes(&classes, &sum, schema, &[]);
                let (name, ty, filled) = (schema.name, sum.clone(), Filled::new());
                classes.add(Class { name, ty, attributes: Vec::new(), filled, singleton: None });
                for class in constructors {
                    add_constructor(vm, &mut classes, class, &sum, schema.located)?;
                }
            }
        }
    }
    classes.by_id = ClassId::ALL.iter().map(|id| classes.by_name[id.name()]).collect();
    for schema in schema::types() {
        let constructors = match &schema.kind {
            TypeKind::Product(class) => std::slice::from_ref(class),
            TypeKind::Sum(constructors) => constructors,
        };
        for class in constructors {
            add_field_types(vm, &classes, class)?;
        }
    }
    Ok(classes)
}

fn add_constructor(vm: &Vm, classes: &mut Classes, class: &ClassSchema, sum: &Value, located: bool) -> Result<()> {
    let ty = make_class(vm, class.name, sum, &class.fields, &class.signature())?;
    set_optional_fields(&ty, &class.fields);
    let singleton = (class.fields.is_empty() && !located)
        .then(|| node::new_node(ty.downcast::<Type>().expect("a class was made")).into_value());
    let attributes = attributes_of(classes, &class.fields, located);
    classes.add(Class { name: class.name, ty, attributes, filled: Filled::new(), singleton });
    Ok(())
}

fn make_class(vm: &Vm, name: &'static str, base: &Value, fields: &[FieldSchema], doc: &str) -> Result {
    let namespace = Dict::new();
    let set = |name: &str, value: Value| namespace.set_str(intern(name).as_value(), value);
    let field_names = Tuple::from_vec(names(fields.iter().map(|field| field.name))).into_value();
    set("_fields", field_names.clone());
    set("__match_args__", field_names);
    set("__module__", Value::from("ast"));
    set("__doc__", Value::from(doc));
    let bases = Tuple::from_slice(std::slice::from_ref(base)).into_value();
    vm.call(&type_object::TYPE.value(), &[intern(name).into_value(), bases, namespace.into_value()], None)
}

/// Optional fields read as `None` from the class.
fn set_optional_fields(class: &Value, fields: &[FieldSchema]) {
    let Some(ty) = class.downcast::<Type>() else { return };
    for field in fields.iter().filter(|field| field.quantifier == Quantifier::Optional) {
        ty.set_raw(field.name, Value::NONE);
    }
}

/// `_attributes` of a sum or product type. The end of a position is optional, except where every node must have it.
fn set_attributes(classes: &Classes, class: &Value, schema: &TypeSchema, fields: &[FieldSchema]) {
    let Some(ty) = class.downcast::<Type>() else { return };
    let attributes: &[Value] = if schema.located { &classes.attributes } else { &[] };
    ty.set_raw("_attributes", Tuple::from_slice(attributes).into_value());
    set_optional_fields(class, fields);
    if schema.located && !END_IS_REQUIRED.contains(&schema.name) {
        ty.set_raw("end_lineno", Value::NONE);
        ty.set_raw("end_col_offset", Value::NONE);
    }
}

/// The types whose nodes must have an end position.
pub const END_IS_REQUIRED: [&str; 2] = ["pattern", "type_param"];

/// `_field_types`, which `typing.get_type_hints` sees as annotations.
fn add_field_types(vm: &Vm, classes: &Classes, class: &ClassSchema) -> Result<()> {
    let types = Dict::new();
    for field in &class.fields {
        let item = match field.ty {
            "identifier" | "string" => str::STR.value(),
            "int" => int::INT.value(),
            "constant" => object::OBJECT.value(),
            name => classes.get(name).ty.clone(),
        };
        let ty = match field.quantifier {
            Quantifier::One => item,
            Quantifier::Optional => union::or(vm, &item, &Value::NONE)?,
            Quantifier::Many | Quantifier::ManyOptional => generic_alias::new(vm, &list::LIST.value(), &item),
        };
        types.set_str(intern(field.name).as_value(), ty);
    }
    let types: Ref<Dict> = types;
    let ty = classes.get(class.name).as_type();
    ty.set_raw("_field_types", types.as_value().clone());
    ty.set_raw("__annotations_cache__", types.into_value());
    Ok(())
}
