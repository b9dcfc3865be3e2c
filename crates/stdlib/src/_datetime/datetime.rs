//! `datetime.datetime`: a date with a time of day and a time zone.

mod arithmetic;
mod construct;
mod methods;
mod now;

use super::calendar::{Hms, MAXYEAR, MINYEAR, Ymd};
use super::date::{self, DATE, Date, PackedDate};
use super::time::{self, PackedTime, TimeCell};
use super::timedelta::{self, Delta};
use super::tzinfo;
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};
use taipan_object::builtins::str::{Str, StrBuilder};
use taipan_object::hash::hash_bytes;
use taipan_object::header::Header;
use taipan_object::heap::Kind;
use taipan_object::native::GetSetDef;
use taipan_object::object::{Payload, Visitor};
use taipan_object::types::slots::Slots;
use taipan_object::types::{Type, TypeSpec, type_flags};
use taipan_object::{Ref, Result, Value, Vm};

pub use arithmetic::add;

#[repr(C)]
pub struct DateTime {
    /// A datetime is a date: its layout begins with one's.
    pub base: Date,
    time: TimeCell,
    pub tzinfo: Value,
}

// SAFETY: repr(C), the first field begins with the header, visits the reference.
unsafe impl Payload for DateTime {
    const KIND: Kind = Kind::Leaf;
    fn static_type() -> &'static Type {
        DATETIME.ty()
    }
    fn traverse(&self, visit: Visitor) {
        visit(&self.tzinfo);
    }
}

pub static DATETIME: TypeSpec = TypeSpec::new::<DateTime>("datetime.datetime")
    .doc(
        "datetime(year, month, day[, hour[, minute[, second[, microsecond[,tzinfo]]]]])\n\n\
         A date and a time of day.  The fields are integers, those of the time 0\n\
         by default; tzinfo is the time zone, an instance of a subclass of\n\
         tzinfo, or None.",
    )
    .base(&DATE)
    .flags(type_flags::BASETYPE)
    .slots(slots)
    .methods(methods::METHODS)
    .getset(GETSET)
    .populate(|ty| {
        let fixed = |date: Ymd, time: Hms| new(PackedDate::new(date), PackedTime::new(time, false), Value::NONE);
        ty.set_raw("min", fixed(Ymd::new(MINYEAR, 1, 1), Hms::default()));
        ty.set_raw("max", fixed(Ymd::new(MAXYEAR, 12, 31), Hms::new(23, 59, 59, 999_999)));
        ty.set_raw("resolution", timedelta::new(Delta { microseconds: 1, ..Delta::ZERO }));
    });

impl DateTime {
    fn of(value: &Value) -> &DateTime {
        value.downcast::<DateTime>().expect("methods are called with instances of their type")
    }
    fn with_type(ty: &Type, date: PackedDate, time: PackedTime, tzinfo: Value) -> DateTime {
        let header = Header::new(ty);
        let base = Date { header, hash: AtomicI64::new(-1), date };
        DateTime { base, time: TimeCell::new(time), tzinfo }
    }
    #[inline]
    pub fn date(&self) -> PackedDate {
        self.base.date
    }
    #[inline]
    pub fn packed(&self) -> PackedTime {
        self.time.get()
    }
    /// Microseconds since the beginning of the year 0, as ordinals count.
    fn microseconds(&self) -> i64 {
        self.date().ymd().ordinal() * super::calendar::US_PER_DAY + self.packed().hms().microseconds()
    }
    /// Date and time without the fold, in an order that is theirs.
    fn key(&self) -> (PackedDate, PackedTime) {
        (self.date(), self.packed().with_fold(false))
    }
    fn state(&self) -> [u8; 10] {
        let ([a, b, c, d], [e, f, g, h, i, j]) = (self.date().bytes(), self.packed().bytes());
        [a, b, c, d, e, f, g, h, i, j]
    }
}

/// An exact datetime, which is in range.
#[inline]
pub fn new(date: PackedDate, time: PackedTime, tzinfo: Value) -> Value {
    Ref::new(DateTime::with_type(DATETIME.ty(), date, time, tzinfo)).into_value()
}

/// Checks all that a datetime is made of.
#[inline]
fn check(vm: &Vm, date: Ymd, time: Hms, fold: i32) -> Result<()> {
    date::check(vm, date)?;
    time::check(vm, time, fold)
}

/// What calling `class`, datetime or a subclass, gives; the values are checked by the class.
pub fn make(vm: &Vm, class: &Type, date: Ymd, time: Hms, tzinfo: Value, fold: i32) -> Result {
    if class.is(&DATETIME) {
        check(vm, date, time, fold)?;
        tzinfo::check(vm, &tzinfo)?;
        return Ok(new(PackedDate::new(date), PackedTime::new(time, fold == 1), tzinfo));
    }
    let [year, month, day] = [date.year, date.month, date.day].map(Value::from);
    let [hour, minute, second, microsecond] = [time.hour, time.minute, time.second, time.microsecond].map(Value::from);
    let args = [year, month, day, hour, minute, second, microsecond, tzinfo];
    match fold {
        0 => vm.instantiate(class, &args),
        fold => vm.call_keywords(&class.to_value(), &args, &[("fold", Value::from(fold))]),
    }
}

fn slots(s: &mut Slots) {
    s.new = Some(construct::construct);
    s.repr = Some(|vm, this| {
        let datetime = DateTime::of(this);
        let Ymd { year, month, day } = datetime.date().ymd();
        let Hms { hour, minute, second, microsecond } = datetime.packed().hms();
        let mut text = StrBuilder::with_capacity(64);
        text.push_str(&format!("{}({year}, {month}, {day}, {hour}, {minute}", this.ty().name()));
        if microsecond != 0 {
            text.push_str(&format!(", {second}, {microsecond}"));
        } else if second != 0 {
            text.push_str(&format!(", {second}"));
        }
        if datetime.packed().fold() {
            text.push_str(", fold=1");
        }
        time::push_zone_repr(vm, &mut text, &datetime.tzinfo)?;
        text.push_str(")");
        Ok(text.finish().into_value())
    });
    s.str = Some(|vm, this| vm.call_method(this, "isoformat", &[Str::from_code_point(b' '.into()).into_value()]));
    s.hash = Some(hash);
    arithmetic::slots(s);
}

/// The zone's offset from UTC at this time.
#[inline]
fn utcoffset(vm: &Vm, this: &Value) -> Result<Option<Delta>> {
    tzinfo::utcoffset(vm, &DateTime::of(this).tzinfo, this)
}

/// The zone's offset at this time with another fold.
fn utcoffset_with_fold(vm: &Vm, this: &Value, fold: bool) -> Result<Option<Delta>> {
    let datetime = DateTime::of(this);
    if datetime.tzinfo.is_none() || datetime.packed().fold() == fold {
        return utcoffset(vm, this);
    }
    utcoffset(vm, &new(datetime.date(), datetime.packed().with_fold(fold), datetime.tzinfo.clone()))
}

fn hash(vm: &Vm, this: &Value) -> Result<i64> {
    let datetime = DateTime::of(this);
    let hash = datetime.base.hash.load(Relaxed);
    if hash != -1 {
        return Ok(hash);
    }
    let hash = match utcoffset_with_fold(vm, this, false)? {
        None => hash_bytes(&datetime.state()),
        Some(offset) => {
            let us = i128::from(datetime.microseconds()) - offset.total_microseconds();
            Delta::from_microseconds(vm, us)?.hash()
        }
    };
    datetime.base.hash.store(hash, Relaxed);
    Ok(hash)
}

static GETSET: &[GetSetDef] = &[
    GetSetDef::new("hour", "", |_, this| Ok(Value::from(DateTime::of(this).packed().hms().hour))),
    GetSetDef::new("minute", "", |_, this| Ok(Value::from(DateTime::of(this).packed().hms().minute))),
    GetSetDef::new("second", "", |_, this| Ok(Value::from(DateTime::of(this).packed().hms().second))),
    GetSetDef::new("microsecond", "", |_, this| Ok(Value::from(DateTime::of(this).packed().hms().microsecond))),
    GetSetDef::new("tzinfo", "", |_, this| Ok(DateTime::of(this).tzinfo.clone())),
    GetSetDef::new("fold", "", |_, this| Ok(Value::from(i32::from(DateTime::of(this).packed().fold())))),
];
