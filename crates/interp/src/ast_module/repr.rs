//! `repr()` of nodes: three levels deep, lists abbreviated to their ends.

use taipan_object::builtins::list::List;
use taipan_object::builtins::str::{Str, StrBuilder};
use taipan_object::builtins::tuple::Tuple;
use taipan_object::{Result, Value, Vm};

use super::{is_node, node};

const DEPTH: u32 = 3;

pub fn repr(vm: &Vm, this: &Value) -> Result {
    let mut out = StrBuilder::new();
    push_node(vm, &mut out, this, DEPTH)?;
    Ok(out.finish().into_value())
}

fn push_node(vm: &Vm, out: &mut StrBuilder, this: &Value, depth: u32) -> Result<()> {
    vm.check_stack(" while getting the repr of an object")?;
    let class_name = this.ty().name();
    if depth == 0 || !vm.enter_repr(this) {
        out.push_str(&format!("{class_name}(...)"));
        return Ok(());
    }
    let result = push_fields(vm, out, this, &class_name, depth);
    vm.leave_repr(this);
    result
}

fn push_fields(vm: &Vm, out: &mut StrBuilder, this: &Value, class_name: &str, depth: u32) -> Result<()> {
    out.push_str(class_name);
    out.push_str("(");
    for (at, name) in node::field_names(vm, this)?.iter().enumerate() {
        let value = vm.get_attr(this, &vm.attribute_name(name)?)?;
        out.push_str(if at > 0 { ", " } else { "" });
        if let Some(name) = name.downcast::<Str>() {
            out.push_text(name);
        }
        out.push_str("=");
        if value.downcast::<List>().is_some() || value.downcast::<Tuple>().is_some() {
            push_list(vm, out, &value, depth - 1)?;
        } else {
            push_item(vm, out, &value, depth - 1)?;
        }
    }
    out.push_str(")");
    Ok(())
}

fn push_item(vm: &Vm, out: &mut StrBuilder, value: &Value, depth: u32) -> Result<()> {
    if is_node(value) { push_node(vm, out, value, depth) } else { out.push_repr(vm, value) }
}

/// The first and the last item.
fn push_list(vm: &Vm, out: &mut StrBuilder, list: &Value, depth: u32) -> Result<()> {
    let (items, [open, close]) = match list.downcast::<List>() {
        Some(list) => (list.to_vec(), ["[", "]"]),
        None => (list.downcast::<Tuple>().map(|t| t.as_slice().to_vec()).unwrap_or_default(), ["(", ")"]),
    };
    out.push_str(open);
    if let Some(first) = items.first() {
        push_item(vm, out, first, depth)?;
    }
    if items.len() > 2 {
        out.push_str(", ...");
    }
    if let [_, .., last] = &items[..] {
        out.push_str(", ");
        push_item(vm, out, last, depth)?;
    }
    out.push_str(close);
    Ok(())
}
