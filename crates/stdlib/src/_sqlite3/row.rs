//! `sqlite3.Row`: a tuple whose items have names too.

use taipan_object::builtins::int;
use taipan_object::builtins::list::List;
use taipan_object::builtins::slice::Slice;
use taipan_object::builtins::str::Str;
use taipan_object::builtins::tuple::Tuple;
use taipan_object::header::Header;
use taipan_object::heap::Kind;
use taipan_object::native::{MethodDef, arguments};
use taipan_object::object::{Payload, Visitor};
use taipan_object::types::slots::CompareOp;
use taipan_object::types::{Type, TypeSpec, type_flags};
use taipan_object::{Ref, Result, Value, Vm, method_table};

use super::cursor::Cursor;
use crate::payload::class_of;

#[repr(C)]
pub struct Row {
    header: Header,
    data: Ref<Tuple>,
    /// The cursor's `description`.
    description: Value,
}

// SAFETY: repr(C), header first, visits both values.
unsafe impl Payload for Row {
    const KIND: Kind = Kind::Container;
    fn static_type() -> &'static Type {
        ROW.ty()
    }
    fn traverse(&self, visit: Visitor) {
        visit(self.data.as_value());
        visit(&self.description);
    }
}

pub static ROW: TypeSpec = TypeSpec::new::<Row>("sqlite3.Row")
    .doc("Row(cursor, data, /)\n--\n\nA row whose items can be had by position and by name.")
    .flags(type_flags::BASETYPE)
    .slots(|s| {
        s.new = Some(new);
        s.hash = Some(|vm, this| {
            let row = Row::of(this);
            let hash = vm.hash(&row.description)? ^ vm.hash(row.data.as_value())?;
            Ok(if hash == -1 { -2 } else { hash })
        });
        s.richcompare = Some(compare);
        s.iter = Some(|vm, this| vm.iter(Row::of(this).data.as_value()));
        s.length = Some(|_, this| Ok(Row::of(this).data.len()));
        s.item = Some(|vm, this, index| item(vm, Row::of(this), index));
        s.subscript = Some(subscript);
    })
    .methods(METHODS);

impl Row {
    fn of(value: &Value) -> &Row {
        value.downcast::<Row>().expect("methods are called with instances of their type")
    }

    /// The names of the columns.
    fn names(&self) -> impl Iterator<Item = Value> {
        let columns = self.description.downcast::<Tuple>().map_or(&[][..], Tuple::as_slice);
        columns.iter().filter_map(|column| column.downcast::<Tuple>()?.as_slice().first().cloned())
    }
}

fn new(vm: &Vm, class: &Value, args: &[Value], kwnames: Option<&Value>) -> Result {
    let class = class_of(class);
    arguments::no_keywords(vm, "Row", kwnames)?;
    arguments::check_positional(vm, "Row", args.len(), 2, 2)?;
    let Some(cursor) = args[0].downcast::<Cursor>() else {
        return Err(vm.type_error(format!("Row() argument 1 must be sqlite3.Cursor, not {}", args[0].ty().name())));
    };
    let Some(data) = args[1].downcast_ref::<Tuple>() else {
        return Err(vm.type_error(format!("Row() argument 2 must be tuple, not {}", args[1].ty().name())));
    };
    let description = cursor.state().description.clone();
    Ok(Ref::new_with_type(class, Row { header: Header::new(class), data, description }).into_value())
}

fn compare(vm: &Vm, this: &Value, other: &Value, op: CompareOp) -> Result {
    let (Some(a), Some(b)) = (this.downcast::<Row>(), other.downcast::<Row>()) else {
        return Ok(Value::NOT_IMPLEMENTED);
    };
    if !matches!(op, CompareOp::Eq | CompareOp::Ne) {
        return Ok(Value::NOT_IMPLEMENTED);
    }
    let equal = vm.equal(&a.description, &b.description)? && vm.equal(a.data.as_value(), b.data.as_value())?;
    Ok(Value::bool(equal == (op == CompareOp::Eq)))
}

fn item(vm: &Vm, row: &Row, index: i64) -> Result {
    let item = usize::try_from(index).ok().and_then(|index| row.data.as_slice().get(index));
    item.cloned().ok_or_else(|| vm.index_error("tuple index out of range"))
}

fn subscript(vm: &Vm, this: &Value, key: &Value) -> Result {
    let row = Row::of(this);
    if int::is_int(key) {
        let index = vm.index_or_index_error(key)?;
        return item(vm, row, if index < 0 { index + row.data.len() as i64 } else { index });
    }
    if let Some(name) = key.downcast::<Str>() {
        for (at, column) in row.names().enumerate() {
            let Some(column) = column.downcast::<Str>() else { continue };
            if column.equals(name) || same_ignoring_case(column, name) {
                return item(vm, row, at as i64);
            }
        }
        return Err(vm.index_error("No item with that key"));
    }
    if key.downcast::<Slice>().is_some() {
        return vm.get_item(row.data.as_value(), key);
    }
    Err(vm.index_error("Index must be int or string"))
}

/// Names in ASCII are the same whatever their case.
fn same_ignoring_case(a: &Str, b: &Str) -> bool {
    matches!((a.as_ascii(), b.as_ascii()), (Some(a), Some(b)) if a.eq_ignore_ascii_case(b))
}

method_table! { static METHODS = [
    MethodDef::new("keys($self, /)", "Return a list of the columns' names.", |_, this, _| {
        Ok(List::from_vec(Row::of(this).names().collect()).into_value())
    }),
]; }
