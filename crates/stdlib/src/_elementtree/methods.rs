//! The methods of elements.

use taipan_object::attributes::memory;
use taipan_object::builtins::dict::Dict;
use taipan_object::builtins::list::List;
use taipan_object::builtins::str::{Str, intern};
use taipan_object::builtins::tuple::Tuple;
use taipan_object::native::MethodDef;
use taipan_object::{Ref, Result, Value, Vm, method_table};

use super::element::{Element, expect_element};
use super::iterator;

const ELEMENT_NAME: &str = "xml.etree.ElementTree.Element";

/// Whether `path` has to be looked up by the path language; a mere tag need not.
fn is_path(path: &Value, namespaces: &Value) -> bool {
    let Some(path) = path.downcast::<Str>().filter(|_| namespaces.is_none()) else { return true };
    let text: Vec<u32> = path.code_points().collect();
    let starts = |wanted: &str| wanted.chars().zip(&text).filter(|(a, b)| *a as u32 == **b).count() == wanted.len();
    if starts("{}") || starts("{*}") {
        return true;
    }
    let mut outside = true;
    for point in text {
        match char::from_u32(point) {
            Some('{') => outside = false,
            Some('}') => outside = true,
            Some('/' | '*' | '[' | '@' | '.') if outside => return true,
            _ => {}
        }
    }
    false
}

fn by_path(vm: &Vm, function: &str, args: &[Value]) -> Result {
    let function = vm.import_from("xml.etree.ElementPath", function)?;
    vm.call_args(&function, args)
}

/// The children with a tag, from one on.
fn next_with_tag(vm: &Vm, this: &Value, tag: &Value, from: &mut usize) -> Result<Option<Value>> {
    while let Some(child) = Element::of(this).child(*from) {
        *from += 1;
        if vm.equal_or_identical(&Element::of(&child).tag(), tag)? {
            return Ok(Some(child));
        }
    }
    Ok(None)
}

fn find(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    if is_path(&args[0], &args[1]) {
        return by_path(vm, "find", &[this.clone(), args[0].clone(), args[1].clone()]);
    }
    Ok(next_with_tag(vm, this, &args[0], &mut 0)?.unwrap_or(Value::NONE))
}

fn findtext(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    if is_path(&args[0], &args[2]) {
        return by_path(vm, "findtext", &[this.clone(), args[0].clone(), args[1].clone(), args[2].clone()]);
    }
    let Some(child) = next_with_tag(vm, this, &args[0], &mut 0)? else { return Ok(args[1].clone()) };
    let text = Element::of(&child).text();
    Ok(if text.is_none() { Value::from("") } else { text })
}

fn findall(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    if is_path(&args[0], &args[1]) {
        return by_path(vm, "findall", &[this.clone(), args[0].clone(), args[1].clone()]);
    }
    let (mut found, mut from) = (Vec::new(), 0);
    while let Some(child) = next_with_tag(vm, this, &args[0], &mut from)? {
        found.push(child);
    }
    Ok(List::from_vec(found).into_value())
}

fn remove(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    let element = Element::of(this);
    if args[0].downcast::<Element>().is_none() {
        let got = args[0].ty().name();
        return Err(vm.type_error(format!("remove() argument must be {ELEMENT_NAME}, not {got}")));
    }
    let identical = element.children().iter().position(|child| child.is(&args[0]));
    let mut at = identical.unwrap_or(0);
    if identical.is_none() {
        loop {
            let Some(child) = element.child(at) else {
                return Err(vm.value_error("Element.remove(x): element not found"));
            };
            if vm.equal(&child, &args[0])? {
                break;
            }
            at += 1;
        }
    }
    drop(element.take_child(at));
    Ok(Value::NONE)
}

fn argument_element(vm: &Vm, value: &Value, function: &str, at: usize) -> Result<()> {
    match value.downcast::<Element>() {
        Some(_) => Ok(()),
        None => {
            let got = value.ty().name();
            Err(vm.type_error(format!("{function}() argument {at} must be {ELEMENT_NAME}, not {got}")))
        }
    }
}

fn extend(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    if vm.iter(&args[0]).map_err(|raised| vm.discard(raised)).is_err() {
        return Err(vm.type_error("'elements' must be an iterable"));
    }
    for child in vm.collect(&args[0])? {
        expect_element(vm, &child)?;
        Element::of(this).push(child);
    }
    Ok(Value::NONE)
}

fn copy(_: &Vm, this: &Value, _: &[Value]) -> Result {
    let element = Element::of(this);
    let copy = Element::create(element.tag(), element.existing_attributes());
    let twin = Element::of(&copy);
    twin.set_text(element.text());
    twin.set_tail(element.tail());
    twin.replace_children(element.children());
    Ok(copy)
}

/// `copy.deepcopy(value, memo)`, without going through Python for what is simple.
fn deep(vm: &Vm, value: &Value, memo: &Value) -> Result {
    if value.is_none() || value.downcast_exact::<Str>().is_some() {
        return Ok(value.clone());
    }
    if let Some(dict) = value.downcast_exact::<Dict>() {
        let plain = |value: &Value| value.downcast_exact::<Str>().is_some();
        if dict.items().iter().all(|(key, value)| plain(key) && plain(value)) {
            return Ok(dict.copy().into_value());
        }
    }
    if value.downcast_exact::<Element>().is_some() {
        return deepcopy(vm, value, std::slice::from_ref(memo));
    }
    let function = vm.import_from("copy", "deepcopy")?;
    vm.call_args(&function, &[value.clone(), memo.clone()])
}

fn deepcopy(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    vm.check_stack(" in __deepcopy__")?;
    let memo = &args[0];
    let Some(table) = memo.downcast::<Dict>() else {
        return Err(vm.type_error(format!("__deepcopy__() argument must be dict, not {}", memo.ty().name())));
    };
    let element = Element::of(this);
    let tag = deep(vm, &element.tag(), memo)?;
    let attributes = match element.existing_attributes() {
        Some(attributes) => deep(vm, attributes.as_value(), memo)?.downcast_ref::<Dict>(),
        None => None,
    };
    let copy = Element::create(tag, attributes);
    let twin = Element::of(&copy);
    twin.set_text(deep(vm, &element.text(), memo)?);
    twin.set_tail(deep(vm, &element.tail(), memo)?);
    let mut at = 0;
    while let Some(child) = element.child(at) {
        let child = deep(vm, &child, memo)?;
        expect_element(vm, &child)?;
        twin.push(child);
        at += 1;
    }
    table.set(vm, &Value::from(this.id()), copy.clone())?;
    Ok(copy)
}

const STATE: [&str; 5] = ["tag", "_children", "attrib", "text", "tail"];

fn getstate(_: &Vm, this: &Value, _: &[Value]) -> Result {
    let element = Element::of(this);
    let attributes = element.existing_attributes().unwrap_or_else(Dict::new);
    let values = [
        element.tag(),
        List::from_vec(element.children()).into_value(),
        attributes.into_value(),
        element.text(),
        element.tail(),
    ];
    let state = Dict::new();
    for (name, value) in STATE.iter().zip(values) {
        state.set_str(intern(name).as_value(), value);
    }
    Ok(state.into_value())
}

fn setstate(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    let Some(state) = args[0].downcast_exact::<Dict>() else {
        let shown = vm.repr_string(&args[0])?;
        return Err(vm.type_error(format!("Don't know how to unpickle \"{shown}\" as an Element")));
    };
    let [tag, children, attributes, text, tail] = STATE.map(|name| state.get_str(intern(name).as_value()));
    let Some(tag) = tag else { return Err(vm.type_error("tag may not be NULL")) };
    let children = match children {
        None => Vec::new(),
        Some(children) => match children.downcast::<List>() {
            Some(list) => list.to_vec(),
            None => return Err(vm.type_error("'_children' is not a list")),
        },
    };
    for child in &children {
        expect_element(vm, child)?;
    }
    let attributes = match attributes {
        None => None,
        Some(attributes) if attributes.is_none() => None,
        Some(attributes) => match attributes.downcast_ref::<Dict>() {
            Some(dict) => Some(dict),
            None => return Err(vm.type_error(format!("attrib must be dict, not {}", attributes.ty().name()))),
        },
    };
    let element = Element::of(this);
    element.set_tag(tag);
    element.set_text(text.unwrap_or(Value::NONE));
    element.set_tail(tail.unwrap_or(Value::NONE));
    element.set_attributes(attributes);
    element.replace_children(children);
    Ok(Value::NONE)
}

/// What the attributes' dict has under `method`, as a list.
fn from_attributes(this: &Value, select: fn(&Dict) -> Vec<Value>) -> Result {
    let attributes: Option<Ref<Dict>> = Element::of(this).existing_attributes();
    Ok(List::from_vec(attributes.map_or(Vec::new(), |dict| select(&dict))).into_value())
}

method_table! { pub static METHODS = [
    MethodDef::new("clear($self, /)", "", |_, this, _| {
        let element = Element::of(this);
        element.set_attributes(None);
        element.replace_children(Vec::new());
        element.set_text(Value::NONE);
        element.set_tail(Value::NONE);
        Ok(Value::NONE)
    }),
    MethodDef::new("get($self, /, key, default=None)", "", |vm, this, args| {
        match Element::of(this).existing_attributes() {
            Some(attributes) => Ok(attributes.get(vm, &args[0])?.unwrap_or_else(|| args[1].clone())),
            None => Ok(args[1].clone()),
        }
    }),
    MethodDef::new("set($self, key, value, /)", "", |vm, this, args| {
        Element::of(this).attributes().set(vm, &args[0], args[1].clone())?;
        Ok(Value::NONE)
    }),
    MethodDef::new("find($self, /, path, namespaces=None)", "", find),
    MethodDef::new("findtext($self, /, path, default=None, namespaces=None)", "", findtext),
    MethodDef::new("findall($self, /, path, namespaces=None)", "", findall),
    MethodDef::new("append($self, subelement, /)", "", |vm, this, args| {
        argument_element(vm, &args[0], "append", 1)?;
        Element::of(this).push(args[0].clone());
        Ok(Value::NONE)
    }),
    MethodDef::new("extend($self, elements, /)", "", extend),
    MethodDef::new("insert($self, index, subelement, /)", "", |vm, this, args| {
        let index = vm.index_i64(&args[0])?;
        argument_element(vm, &args[1], "insert", 2)?;
        let element = Element::of(this);
        let length = element.len() as i64;
        let at = if index < 0 { (index + length).max(0) } else { index.min(length) };
        element.insert(at as usize, args[1].clone());
        Ok(Value::NONE)
    }),
    MethodDef::new("remove($self, subelement, /)", "", remove),
    MethodDef::new("iter($self, /, tag=None)", "", |_, this, args| {
        let every = args[0].downcast::<Str>().is_some_and(|tag| tag.is_str("*"));
        Ok(iterator::elements(this, if every { Value::NONE } else { args[0].clone() }))
    }),
    MethodDef::new("itertext($self, /)", "", |_, this, _| Ok(iterator::texts(this))),
    MethodDef::new("iterfind($self, /, path, namespaces=None)", "", |vm, this, args| {
        by_path(vm, "iterfind", &[this.clone(), args[0].clone(), args[1].clone()])
    }),
    MethodDef::new("items($self, /)", "", |_, this, _| {
        from_attributes(this, |dict| {
            dict.items().into_iter().map(|(key, value)| Tuple::from_array([key, value]).into_value()).collect()
        })
    }),
    MethodDef::new("keys($self, /)", "", |_, this, _| from_attributes(this, Dict::keys)),
    MethodDef::new("makeelement($self, tag, attrib, /)", "", |vm, _, args| {
        let Some(attributes) = args[1].downcast::<Dict>() else {
            return Err(vm.type_error(format!("makeelement() argument 2 must be dict, not {}", args[1].ty().name())));
        };
        Ok(Element::create(args[0].clone(), Some(attributes.copy())))
    }),
    MethodDef::new("__copy__($self, /)", "", copy),
    MethodDef::new("__deepcopy__($self, memo, /)", "", deepcopy),
    MethodDef::new("__sizeof__($self, /)", "", |_, this, _| {
        let children = Element::of(this).len();
        Ok(Value::from(memory(this) + children * size_of::<Value>()))
    }),
    MethodDef::new("__getstate__($self, /)", "", getstate),
    MethodDef::new("__setstate__($self, state, /)", "", setstate),
]; }
