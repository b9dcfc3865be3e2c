//! `itertools.repeat`

use super::iterator_slots;
use crate::arguments::ssize;
use crate::payload::{class_of, payload, signature};
use taipan_object::native::MethodDef;
use taipan_object::types::{TypeSpec, type_flags};
use taipan_object::{Result, Value, Vm, method_table};

payload! {
    /// `left`: how often it still comes, negative for ever.
    pub struct Repeat(RepeatState): REPEAT [object: Value] { left: isize }
}

pub static REPEAT: TypeSpec = TypeSpec::new::<Repeat>("itertools.repeat")
    .doc(
        "repeat(object [,times]) -> an iterator that gives the object so many\n\
         times, or without end if times is left out.",
    )
    .flags(type_flags::BASETYPE)
    .slots(|s| {
        s.new = Some(|vm, class, args, kwnames| {
            let bound = NEW.bind(vm, args, kwnames)?;
            let left = match bound[1].bound() {
                Some(times) => ssize(vm, times)?.max(0),
                None => -1,
            };
            Ok(Repeat::make(class_of(class), bound[0].clone(), RepeatState { left }))
        });
        s.repr = Some(repr);
        iterator_slots(s, |_, this| {
            let repeat = Repeat::of(this);
            let more = repeat.with(|state| {
                let more = state.left != 0;
                if state.left > 0 {
                    state.left -= 1;
                }
                more
            });
            Ok(more.then(|| repeat.object.clone()))
        });
    })
    .methods(METHODS);

signature!(NEW = "repeat(object, times=<unrepresentable>)");

method_table! { static METHODS = [
    MethodDef::new("__length_hint__($self, /)", "Estimate how many items are left.", |vm, this, _| {
        match Repeat::of(this).with(|state| state.left) {
            left if left < 0 => Err(vm.type_error("len() of unsized object")),
            left => Ok(Value::from(left as usize)),
        }
    }),
]; }

fn repr(vm: &Vm, this: &Value) -> Result {
    let repeat = Repeat::of(this);
    let name = this.ty().short_name();
    let object = vm.repr_string(&repeat.object)?;
    Ok(Value::from(match repeat.with(|state| state.left) {
        left if left < 0 => format!("{name}({object})"),
        left => format!("{name}({object}, {left})"),
    }))
}
