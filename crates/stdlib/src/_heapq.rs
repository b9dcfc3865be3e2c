//! `_heapq`: lists as priority queues, smallest or (`_max`) largest item first.
//!
//! An item goes down to a leaf first and then up to its place, which compares least. A comparison may run Python code that
//! changes the list: its length is checked after each one, and items are swapped, never held.

use crate::arguments::bad_argument;
use taipan_object::builtins::list::List;
use taipan_object::native::MethodDef;
use taipan_object::native::module::ModuleDef;
use taipan_object::types::slots::CompareOp;
use taipan_object::vm::quick_compare::quick_less;
use taipan_object::{Raised, Result, Value, Vm, method_table};

pub static MODULE: ModuleDef = ModuleDef {
    name: "_heapq",
    doc: "Heap queue algorithm (a.k.a. priority queue).\n\nA heap is a list in which a[k] <= a[2*k+1] and a[k] <= a[2*k+2] \
          for all k\n(or >= in a max heap), as far as these items exist. So a[0] is the smallest item.",
    functions: FUNCTIONS,
    exec: |_, module| {
        let about = "A heap is a tree in a list: below the item at k are those at 2*k+1 and 2*k+2. An item is\n\
                     put in or taken out along one path of the tree, that is, with a number of steps that\n\
                     grows with the logarithm of the length.";
        module.set("__about__", Value::from(about));
        Ok(())
    },
};

method_table! { static FUNCTIONS = [
    MethodDef::new("heappush($module, heap, item, /)", "Add an item to a heap.", |vm, _, args| {
        push(vm, Heap::argument(vm, "heappush", " 1", args, Order::Min)?, &args[1])
    }),
    MethodDef::new("heappushpop($module, heap, item, /)",
        "Add an item to a heap, then remove the least one and return it.\n\n\
        It is faster than the two steps by themselves, and the length stays the\n\
        same.",
        |vm, _, args| push_pop(vm, Heap::argument(vm, "heappushpop", " 1", args, Order::Min)?, &args[1])),
    MethodDef::new("heappop($module, heap, /)", "Remove the least item of a heap, and return it.", |vm, _, args| {
        pop(vm, Heap::argument(vm, "heappop", "", args, Order::Min)?)
    }),
    MethodDef::new("heapreplace($module, heap, item, /)",
        "Remove the least item of a heap, add another, and return the first.\n\n\
        It is faster than the two steps by themselves, and the length stays the\n\
        same.  The new item may be less than the one that is returned.",
        |vm, _, args| replace(vm, Heap::argument(vm, "heapreplace", " 1", args, Order::Min)?, &args[1])),
    MethodDef::new("heapify($module, heap, /)", "\
        Arrange a list as a heap, in place and in linear time.", |vm, _, args| {
        heapify(vm, Heap::argument(vm, "heapify", "", args, Order::Min)?)
    }),
    MethodDef::new("heappush_max($module, heap, item, /)", "Add an item to a max-heap.", |vm, _, args| {
        push(vm, Heap::argument(vm, "heappush_max", " 1", args, Order::Max)?, &args[1])
    }),
    MethodDef::new("heappushpop_max($module, heap, item, /)", "Maxheap variant of heappushpop.", |vm, _, args| {
        push_pop(vm, Heap::argument(vm, "heappushpop_max", " 1", args, Order::Max)?, &args[1])
    }),
    MethodDef::new("heappop_max($module, heap, /)", "\
        Remove the greatest item of a max-heap, and return it.", |vm, _, args| {
        pop(vm, Heap::argument(vm, "heappop_max", "", args, Order::Max)?)
    }),
    MethodDef::new("heapreplace_max($module, heap, item, /)", "\
        Remove the greatest item of a max-heap, add another, and return the first.", |vm, _, args| {
        replace(vm, Heap::argument(vm, "heapreplace_max", " 1", args, Order::Max)?, &args[1])
    }),
    MethodDef::new("heapify_max($module, heap, /)", "\
        Arrange a list as a heap with its greatest item first.", |vm, _, args| {
        heapify(vm, Heap::argument(vm, "heapify_max", "", args, Order::Max)?)
    }),
]; }

#[derive(Clone, Copy, PartialEq, Eq)]
enum Order {
    Min,
    Max,
}

/// A list, and which items come first in it.
#[derive(Clone, Copy)]
struct Heap<'a> {
    list: &'a List,
    order: Order,
}

impl<'a> Heap<'a> {
    fn argument(vm: &Vm, function: &str, number: &str, args: &'a [Value], order: Order) -> Result<Heap<'a>> {
        match args[0].downcast::<List>() {
            Some(list) => Ok(Heap { list, order }),
            None => Err(bad_argument(vm, function, &format!("argument{number}"), "list", &args[0])),
        }
    }

    fn with<R>(&self, f: impl FnOnce(&mut Vec<Value>) -> R) -> R {
        f(&mut self.list.items.borrow(&self.list.header))
    }

    fn len(&self) -> usize {
        self.with(|items| items.len())
    }

    /// Whether the item at `a` goes above the one at `b`, in a list of `length` items, which it must keep.
    #[inline]
    fn precedes(&self, vm: &Vm, a: usize, b: usize, length: usize) -> Result<bool> {
        let (a, b) = if self.order == Order::Min { (a, b) } else { (b, a) };
        let pair = {
            let items = self.list.items.borrow(&self.list.header);
            if let Some(less) = quick_less(&items[a], &items[b]) {
                return Ok(less);
            }
            (items[a].clone(), items[b].clone())
        };
        let less = vm.compare(&pair.0, &pair.1, CompareOp::Lt)?;
        drop(pair);
        if self.len() != length {
            return Err(vm.runtime_error("list changed size during iteration"));
        }
        Ok(less)
    }

    /// Moves the item at `at` up to its place, not above `start`.
    fn sift_down(&self, vm: &Vm, start: usize, mut at: usize) -> Result<()> {
        let length = self.len();
        if at >= length {
            return Err(out_of_range(vm));
        }
        while at > start {
            let parent = (at - 1) / 2;
            if !self.precedes(vm, at, parent, length)? {
                break;
            }
            self.with(|items| items.swap(at, parent));
            at = parent;
        }
        Ok(())
    }

    /// Moves the item at `start` down to a leaf, then up to its place.
    fn sift_up(&self, vm: &Vm, start: usize) -> Result<()> {
        let length = self.len();
        if start >= length {
            return Err(out_of_range(vm));
        }
        let mut at = start;
        while at < length / 2 {
            let mut child = 2 * at + 1;
            if child + 1 < length && !self.precedes(vm, child, child + 1, length)? {
                child += 1;
            }
            self.with(|items| items.swap(child, at));
            at = child;
        }
        self.sift_down(vm, start, at)
    }

    /// Puts `item` at the top; what was there.
    fn replace_top(&self, vm: &Vm, item: Value) -> Result {
        let top = self.with(|items| items.first_mut().map(|top| std::mem::replace(top, item)));
        let Some(top) = top else { return Err(out_of_range(vm)) };
        self.sift_up(vm, 0)?;
        Ok(top)
    }
}

#[cold]
fn out_of_range(vm: &Vm) -> Raised {
    vm.index_error("index out of range")
}

fn push(vm: &Vm, heap: Heap, item: &Value) -> Result {
    heap.list.append(vm, item.clone())?;
    heap.sift_down(vm, 0, heap.len().saturating_sub(1))?;
    Ok(Value::NONE)
}

fn pop(vm: &Vm, heap: Heap) -> Result {
    let (last, empty) = heap.with(|items| (items.pop(), items.is_empty()));
    match last {
        None => Err(out_of_range(vm)),
        Some(last) if empty => Ok(last),
        Some(last) => heap.replace_top(vm, last),
    }
}

fn replace(vm: &Vm, heap: Heap, item: &Value) -> Result {
    if heap.len() == 0 {
        return Err(out_of_range(vm));
    }
    heap.replace_top(vm, item.clone())
}

fn push_pop(vm: &Vm, heap: Heap, item: &Value) -> Result {
    let Some(top) = heap.list.get(0) else { return Ok(item.clone()) };
    let (first, second) = if heap.order == Order::Min { (&top, item) } else { (item, &top) };
    let replaces = match quick_less(first, second) {
        Some(less) => less,
        None => vm.compare(first, second, CompareOp::Lt)?,
    };
    if !replaces {
        return Ok(item.clone());
    }
    heap.replace_top(vm, item.clone())
}

fn heapify(vm: &Vm, heap: Heap) -> Result {
    for at in (0..heap.len() / 2).rev() {
        heap.sift_up(vm, at)?;
    }
    Ok(Value::NONE)
}
