//! `datetime.IsoCalendarDate`: what `date.isocalendar` returns.

use crate::payload::{class_of, signature};
use taipan_object::builtins::tuple::{TUPLE, Tuple};
use taipan_object::native::{GetSetDef, MethodDef};
use taipan_object::types::{Type, TypeSpec};
use taipan_object::{Result, Value, Vm, method_table};

pub static ISO_CALENDAR_DATE: TypeSpec = TypeSpec::new::<Tuple>("datetime.IsoCalendarDate")
    .doc("The result of date.isocalendar() or datetime.isocalendar()\n\nThis object may be accessed either as a tuple of\n  ((year, week, weekday))\nor via the object attributes as named in the above tuple.")
    .base(&TUPLE)
    .itemsize(8)
    .slots(|s| {
        s.new = Some(|vm, class, args, kwnames| {
            let bound = NEW.bind(vm, args, kwnames)?;
            let mut parts = [0; 3];
            for (part, argument) in parts.iter_mut().zip(&bound) {
                *part = vm.index_i32(argument)?;
            }
            Ok(with_type(class_of(class), parts))
        });
        s.repr = Some(|vm, this| {
            let part = |at: usize| vm.repr_string(&item(this, at));
            let name = this.ty().name();
            Ok(Value::from(format!("{name}(year={}, week={}, weekday={})", part(0)?, part(1)?, part(2)?)))
        });
    })
    .methods(METHODS)
    .getset(GETSET)
    .populate(|ty| ty.set_raw("__module__", Value::from("datetime")));

signature!(NEW = "IsoCalendarDate(year, week, weekday)");

fn with_type(ty: &Type, parts: [i32; 3]) -> Value {
    Tuple::new_with_type(ty, parts.map(Value::from).into_iter()).into_value()
}

pub fn new((year, week, weekday): (i32, i32, i32)) -> Value {
    with_type(ISO_CALENDAR_DATE.ty(), [year, week, weekday])
}

fn item(this: &Value, at: usize) -> Value {
    this.downcast::<Tuple>().and_then(|tuple| tuple.as_slice().get(at)).cloned().unwrap_or(Value::NONE)
}

static GETSET: &[GetSetDef] = &[
    GetSetDef::new("year", "", |_, this| Ok(item(this, 0))),
    GetSetDef::new("week", "", |_, this| Ok(item(this, 1))),
    GetSetDef::new("weekday", "", |_, this| Ok(item(this, 2))),
];

method_table! { static METHODS = [
    MethodDef::new("__reduce__()", "", reduce),
]; }

/// A pickle holds a plain tuple.
fn reduce(_: &Vm, this: &Value, _: &[Value]) -> Result {
    let parts = Tuple::from_array([item(this, 0), item(this, 1), item(this, 2)]).into_value();
    Ok(Tuple::from_array([TUPLE.value(), Tuple::from_array([parts]).into_value()]).into_value())
}
