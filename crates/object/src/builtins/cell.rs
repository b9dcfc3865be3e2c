//! `cell`: a variable shared by closures.

use crate::cell::ObjectCell;
use crate::header::Header;
use crate::heap::Kind;
use crate::object::{Payload, Ref, Visitor};
use crate::types::slots::CompareOp;
use crate::types::{Type, TypeSpec};
use crate::value::Value;

#[repr(C)]
pub struct Cell {
    pub header: Header,
    pub contents: ObjectCell<Option<Value>>,
}

// SAFETY: repr(C), header first, visits the contents.
unsafe impl Payload for Cell {
    const KIND: Kind = Kind::Container;
    fn static_type() -> &'static Type {
        CELL.ty()
    }
    fn traverse(&self, visit: Visitor) {
        // SAFETY: the collector has stopped the world.
        if let Some(value) = unsafe { &*self.contents.as_ptr() } {
            visit(value);
        }
    }
    fn clear(&self) {
        self.set(None);
    }
}

pub static CELL: TypeSpec = TypeSpec::new::<Cell>("cell")
    .doc(
        "cell([contents])\n\
        --\n\n\
        A cell: it holds a variable that functions share.\n\n  \
        contents\n    \
        The value.  A cell made without one is empty; reading its\n    \
        cell_contents raises ValueError.",
    )
    .slots(|s| {
        s.new = Some(|vm, _, args, kwnames| {
            if kwnames.is_some_and(|names| vm.tuple_len(names) > 0) {
                return Err(vm.type_error("cell() takes no keyword arguments"));
            }
            if args.len() > 1 {
                return Err(vm.type_error(format!("cell expected at most 1 argument, got {}", args.len())));
            }
            Ok(Cell::new(args.first().cloned()).into_value())
        });
        s.repr = Some(|_, this| {
            let at = this.id();
            Ok(Value::from(match this.downcast::<Cell>().and_then(Cell::get) {
                Some(value) => format!("<cell at {at:#x}: {} object at {:#x}>", value.ty().name(), value.id()),
                None => format!("<cell at {at:#x}: empty>"),
            }))
        });
        s.richcompare = Some(|vm, this, other, op| {
            let (Some(a), Some(b)) = (this.downcast::<Cell>(), other.downcast::<Cell>()) else {
                return Ok(Value::NOT_IMPLEMENTED);
            };
            match (a.get(), b.get()) {
                (Some(a), Some(b)) => vm.rich_compare(&a, &b, op),
                (a, b) => Ok(Value::bool(CompareOp::holds(op, a.is_some().cmp(&b.is_some())))),
            }
        });
    })
    .getset(&[crate::native::GetSetDef::new("cell_contents", "", |vm, this| {
        match this.downcast::<Cell>().and_then(Cell::get) {
            Some(value) => Ok(value),
            None => Err(vm.value_error("Cell is empty")),
        }
    })
    .setter(|_, this, value| {
        if let Some(cell) = this.downcast::<Cell>() {
            cell.set(value.cloned());
        }
        Ok(())
    })]);

impl Cell {
    pub fn new(contents: Option<Value>) -> Ref<Cell> {
        Ref::new(Cell { header: Header::new(CELL.ty()), contents: ObjectCell::new(contents) })
    }
    #[inline]
    pub fn get(&self) -> Option<Value> {
        self.contents.borrow(&self.header).clone()
    }
    #[inline]
    pub fn set(&self, contents: Option<Value>) {
        let old = std::mem::replace(&mut *self.contents.borrow(&self.header), contents);
        drop(old);
    }
}
