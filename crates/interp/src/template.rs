//! `string.templatelib.Template` and `Interpolation`: what t-strings make.

use taipan_object::builtins::generic_alias::CLASS_GETITEM;
use taipan_object::builtins::str::{Str, StrBuilder, empty};
use taipan_object::builtins::tuple::Tuple;
use taipan_object::cell::ObjectCell;
use taipan_object::header::Header;
use taipan_object::heap::Kind;
use taipan_object::native::{GetSetDef, MemberDef, MethodDef};
use taipan_object::object::{Payload, Visitor};
use taipan_object::types::{Type, TypeSpec, type_flags};
use taipan_object::{Ref, Result, Value, Vm};

/// A template: one string more than interpolations.
#[repr(C)]
pub struct Template {
    header: Header,
    strings: Value,
    interpolations: Value,
}

// SAFETY: repr(C), header first, visits both tuples.
unsafe impl Payload for Template {
    const KIND: Kind = Kind::Container;
    fn static_type() -> &'static Type {
        TEMPLATE.ty()
    }
    fn traverse(&self, visit: Visitor) {
        visit(&self.strings);
        visit(&self.interpolations);
    }
}

/// The parts still to come, the next one last.
#[repr(C)]
struct TemplateIter {
    header: Header,
    items: ObjectCell<Vec<Value>>,
}

// SAFETY: repr(C), header first; visits each part.
unsafe impl Payload for TemplateIter {
    const KIND: Kind = Kind::Container;
    fn static_type() -> &'static Type {
        TEMPLATE_ITER.ty()
    }
    fn traverse(&self, visit: Visitor) {
        // SAFETY: the collector has stopped the world.
        unsafe { &*self.items.as_ptr() }.iter().for_each(visit);
    }
}

static TEMPLATE_ITER: TypeSpec = TypeSpec::new::<TemplateIter>("string.templatelib.TemplateIter")
    .doc("Template iterator object")
    .flags(type_flags::DISALLOW_INSTANTIATION)
    .slots(|s| {
        s.iter = Some(|_, this| Ok(this.clone()));
        s.iternext = Some(|_, this| {
            let iterator = this.downcast::<TemplateIter>().expect("called through its own slot");
            Ok(iterator.items.borrow(&iterator.header).pop())
        });
    });

pub static TEMPLATE: TypeSpec = TypeSpec::new::<Template>("string.templatelib.Template")
    .doc("Template object")
    .slots(|s| {
        s.new = Some(|vm, _, args, kwnames| {
            if kwnames.is_some_and(|names| vm.tuple_len(names) > 0) {
                return Err(vm.type_error("Template.__new__ only accepts *args arguments"));
            }
            from_parts(vm, args)
        });
        s.repr = Some(|vm, this| {
            let template = own(this);
            let (strings, interpolations) =
                (vm.repr_string(&template.strings)?, vm.repr_string(&template.interpolations)?);
            Ok(Value::from(format!("Template(strings={strings}, interpolations={interpolations})")))
        });
        s.iter = Some(|_, this| {
            let parts = parts(own(this)).into_iter().filter(|part| part.downcast::<Str>().is_none_or(|s| s.len() > 0));
            let mut items: Vec<Value> = parts.collect();
            items.reverse();
            let header = Header::new(TEMPLATE_ITER.ty());
            Ok(Ref::new(TemplateIter { header, items: ObjectCell::new(items) }).into_value())
        });
        s.concat = Some(|vm, left, right| {
            let (Some(a), Some(b)) = (left.downcast::<Template>(), right.downcast::<Template>()) else {
                let (left, right) = (left.ty().full_name(), right.ty().full_name());
                return Err(vm.type_error(format!("can only concatenate {left} (not \"{right}\") to {left}")));
            };
            let mut all = parts(a);
            all.extend(parts(b));
            from_parts(vm, &all)
        });
    })
    .methods(METHODS)
    .members(&[
        MemberDef::new("strings", "Strings", |_, this| Ok(own(this).strings.clone())),
        MemberDef::new("interpolations", "Interpolations", |_, this| Ok(own(this).interpolations.clone())),
    ])
    .getset(&[GetSetDef::new("values", "Values of interpolations", |_, this| {
        let values = items(&own(this).interpolations)
            .iter()
            .filter_map(|item| item.downcast::<Interpolation>().map(|item| item.value.clone()));
        Ok(Tuple::from_vec(values.collect()).into_value())
    })]);

fn own(this: &Value) -> &Template {
    this.downcast::<Template>().expect("called through its own slot")
}

fn items(tuple: &Value) -> &[Value] {
    tuple.downcast::<Tuple>().map_or(&[], Tuple::as_slice)
}

/// Strings and interpolations in turn.
fn parts(template: &Template) -> Vec<Value> {
    let (strings, interpolations) = (items(&template.strings), items(&template.interpolations));
    let mut parts = Vec::new();
    for (at, string) in strings.iter().enumerate() {
        parts.push(string.clone());
        parts.extend(interpolations.get(at).cloned());
    }
    parts
}

/// A template of strings and interpolations in any order: neighbouring strings are joined.
fn from_parts(vm: &Vm, parts: &[Value]) -> Result {
    let (mut strings, mut interpolations) = (Vec::new(), Vec::new());
    let mut text = StrBuilder::new();
    for part in parts {
        if let Some(string) = part.downcast::<Str>() {
            text.push_text(string);
        } else if part.downcast::<Interpolation>().is_some() {
            strings.push(std::mem::replace(&mut text, StrBuilder::new()).finish().into_value());
            interpolations.push(part.clone());
        } else {
            let got = part.ty().full_name();
            return Err(
                vm.type_error(format!("Template.__new__ *args need to be of type 'str' or 'Interpolation', got {got}"))
            );
        }
    }
    strings.push(text.finish().into_value());
    template(vm, Tuple::from_vec(strings).into_value(), Tuple::from_vec(interpolations).into_value())
}

pub fn template(vm: &Vm, strings: Value, interpolations: Value) -> Result {
    if strings.downcast::<Tuple>().is_none() || interpolations.downcast::<Tuple>().is_none() {
        return Err(vm.system_error("bytecode expects tuples"));
    }
    Ok(Ref::new(Template { header: Header::new(TEMPLATE.ty()), strings, interpolations }).into_value())
}

/// An interpolation of a template.
#[repr(C)]
pub struct Interpolation {
    header: Header,
    value: Value,
    expression: Value,
    conversion: Value,
    format_spec: Value,
}

// SAFETY: repr(C), header first, visits each value.
unsafe impl Payload for Interpolation {
    const KIND: Kind = Kind::Container;
    fn static_type() -> &'static Type {
        INTERPOLATION.ty()
    }
    fn traverse(&self, visit: Visitor) {
        [&self.value, &self.expression, &self.conversion, &self.format_spec].into_iter().for_each(visit);
    }
}

pub static INTERPOLATION: TypeSpec = TypeSpec::new::<Interpolation>("string.templatelib.Interpolation")
    .doc("Interpolation object")
    .slots(|s| {
        s.new = Some(new_interpolation);
        s.repr = Some(|vm, this| {
            let own = own_interpolation(this);
            let texts: Vec<String> = [&own.value, &own.expression, &own.conversion, &own.format_spec]
                .into_iter()
                .map(|value| vm.repr_string(value))
                .collect::<Result<_>>()?;
            Ok(Value::from(format!("Interpolation({})", texts.join(", "))))
        });
    })
    .methods(METHODS_1)
    .members(&[
        MemberDef::new("value", "Value", |_, this| Ok(own_interpolation(this).value.clone())),
        MemberDef::new("expression", "Expression", |_, this| Ok(own_interpolation(this).expression.clone())),
        MemberDef::new("conversion", "Conversion", |_, this| Ok(own_interpolation(this).conversion.clone())),
        MemberDef::new("format_spec", "Format specifier", |_, this| Ok(own_interpolation(this).format_spec.clone())),
    ])
    .populate(|ty| {
        let names = ["value", "expression", "conversion", "format_spec"].map(crate::function::name);
        ty.set_raw("__match_args__", Tuple::from_slice(&names).into_value());
    });

fn own_interpolation(this: &Value) -> &Interpolation {
    this.downcast::<Interpolation>().expect("called through its own slot")
}

pub fn interpolation(value: Value, expression: Value, conversion: Value, format_spec: Value) -> Value {
    let header = Header::new(INTERPOLATION.ty());
    Ref::new(Interpolation { header, value, expression, conversion, format_spec }).into_value()
}

/// `Interpolation(value, expression='', conversion=None, format_spec='')`.
fn new_interpolation(vm: &Vm, _: &Value, args: &[Value], kwnames: Option<&Value>) -> Result {
    const NAMES: [&str; 4] = ["value", "expression", "conversion", "format_spec"];
    let names: Vec<Value> = kwnames.map_or(Ok(Vec::new()), |names| vm.collect(names))?;
    let positional = args.len() - names.len();
    if args.len() > 4 {
        return Err(vm.type_error(format!("Interpolation() takes at most 4 arguments ({} given)", args.len())));
    }
    let mut given: [Option<Value>; 4] = [None, None, None, None];
    for (slot, value) in given.iter_mut().zip(&args[..positional]) {
        *slot = Some(value.clone());
    }
    for (name, value) in names.iter().zip(&args[positional..]) {
        let text = vm.display_name(name);
        match NAMES.iter().position(|known| *known == text) {
            Some(at) if at >= positional => given[at] = Some(value.clone()),
            _ => return Err(vm.type_error(format!("Interpolation() got an unexpected keyword argument '{text}'"))),
        }
    }
    let [Some(value), expression, conversion, format_spec] = given else {
        return Err(vm.type_error("Interpolation() missing required argument 'value' (pos 1)"));
    };
    let text = |value: Option<Value>, name: &str| match value {
        None => Ok(empty()),
        Some(value) if value.downcast::<Str>().is_some() => Ok(value),
        Some(value) => {
            let got = vm.argument_type(&value);
            Err(vm.type_error(format!("Interpolation() argument '{name}' must be str, not {got}")))
        }
    };
    let expression = text(expression, "expression")?;
    let conversion = conversion.unwrap_or(Value::NONE);
    if !conversion.is_none() {
        let valid = conversion.downcast::<Str>().is_some_and(|text| ["s", "r", "a"].iter().any(|c| text.is_str(c)));
        if conversion.downcast::<Str>().is_none() {
            let got = vm.argument_type(&conversion);
            return Err(vm.type_error(format!("Interpolation() argument 'conversion' must be str, not {got}")));
        }
        if !valid {
            return Err(vm.value_error("Interpolation() argument 'conversion' must be one of 's', 'a' or 'r'"));
        }
    }
    Ok(interpolation(value, expression, conversion, text(format_spec, "format_spec")?))
}

taipan_object::method_table! {
    static METHODS = [MethodDef::new("__reduce__($self, /)", "", |vm, this, _| {
        let unpickle = vm.import_from("string.templatelib", "_template_unpickle")?;
        let template = own(this);
        let args = Tuple::from_vec(vec![template.strings.clone(), template.interpolations.clone()]).into_value();
        Ok(Tuple::from_vec(vec![unpickle, args]).into_value())
    }), CLASS_GETITEM];
}

taipan_object::method_table! {
    static METHODS_1 = [
        MethodDef::new("__reduce__($self, /)", "", |_, this, _| {
            let own = own_interpolation(this);
            let args = [&own.value, &own.expression, &own.conversion, &own.format_spec].map(Value::clone);
            let args = Tuple::from_slice(&args).into_value();
            Ok(Tuple::from_vec(vec![INTERPOLATION.value(), args]).into_value())
        }),
        CLASS_GETITEM,
    ];
}
