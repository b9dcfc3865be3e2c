//! `datetime(…)` and the class methods that make datetimes from parts.

use super::{DateTime, check, make};
use crate::_datetime::calendar::{Hms, Ymd};
use crate::_datetime::date::{Date, PackedDate, check_given};
use crate::_datetime::time::{PackedTime, Time};
use crate::_datetime::timezone::type_display;
use crate::_datetime::{pickle, tzinfo};
use crate::payload::{class_of, signature};
use taipan_object::{Ref, Result, Value, Vm};

signature!(NEW = "(year, month, day, hour=0, minute=0, second=0, microsecond=0, tzinfo=None, *, fold=0)");
signature!(COMBINE = "combine(date, time, tzinfo=<unrepresentable>)");

pub fn construct(vm: &Vm, class: &Value, args: &[Value], kwnames: Option<&Value>) -> Result {
    let class = class_of(class);
    let positional = args.len() - kwnames.map_or(0, |names| vm.tuple_len(names));
    if (1..=2).contains(&positional)
        && let Some(bytes) =
            pickle::state::<10>(vm, &args[0], "datetime", |bytes| (1..=12).contains(&(bytes[2] & 0x7f)))?
    {
        let tzinfo = if positional == 2 { args[1].clone() } else { Value::NONE };
        if !tzinfo.is_none() && !tzinfo::is_tzinfo(&tzinfo) {
            return Err(vm.type_error("bad tzinfo state arg"));
        }
        let [a, b, month, day, time @ ..] = bytes;
        let date = PackedDate::from_bytes([a, b, month & 0x7f, day]);
        let time = PackedTime::from_bytes(time, month & 0x80 != 0);
        return Ok(Ref::new_with_type(class, DateTime::with_type(class, date, time, tzinfo)).into_value());
    }
    check_given(vm, args, kwnames)?;
    let bound = NEW.bind(vm, args, kwnames)?;
    let date = Ymd::new(vm.index_i32(&bound[0])?, vm.index_i32(&bound[1])?, vm.index_i32(&bound[2])?);
    let time = Hms::new(
        vm.index_i32(&bound[3])?,
        vm.index_i32(&bound[4])?,
        vm.index_i32(&bound[5])?,
        vm.index_i32(&bound[6])?,
    );
    let fold = vm.index_i32(&bound[8])?;
    check(vm, date, time, fold)?;
    tzinfo::check(vm, &bound[7])?;
    let (date, time) = (PackedDate::new(date), PackedTime::new(time, fold == 1));
    Ok(Ref::new_with_type(class, DateTime::with_type(class, date, time, bound[7].clone())).into_value())
}

pub fn combine(vm: &Vm, this: &Value, args: &[Value], kwnames: Option<&Value>) -> Result {
    let bound = COMBINE.bind(vm, args, kwnames)?;
    let Some(date) = bound[0].downcast::<Date>() else {
        let got = type_display(&bound[0]);
        return Err(vm.type_error(format!("combine() argument 1 must be datetime.date, not {got}")));
    };
    let Some(time) = bound[1].downcast::<Time>() else {
        let got = type_display(&bound[1]);
        return Err(vm.type_error(format!("combine() argument 2 must be datetime.time, not {got}")));
    };
    let zone = bound[2].bound().unwrap_or(&time.tzinfo).clone();
    make(vm, class_of(this), date.ymd(), time.packed().hms(), zone, time.packed().fold().into())
}
