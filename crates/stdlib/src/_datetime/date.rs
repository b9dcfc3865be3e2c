//! `datetime.date`: year, month and day packed so that dates compare as numbers.

pub mod methods;

use super::calendar::{MAX_ORDINAL, MAXYEAR, MINYEAR, Ymd, days_in_month};
use super::datetime::DateTime;
use super::pickle;
use super::timedelta::{self, Delta};
use crate::payload::{class_of, signature};
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};
use taipan_object::hash::hash_bytes;
use taipan_object::header::Header;
use taipan_object::heap::Kind;
use taipan_object::native::GetSetDef;
use taipan_object::object::Payload;
use taipan_object::types::slots::{CompareOp, Slots};
use taipan_object::types::{Type, TypeSpec, type_flags};
use taipan_object::{Ref, Result, Value, Vm};

/// A valid date: `year << 16 | month << 8 | day`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct PackedDate(u32);

impl PackedDate {
    /// Packs a date that is in range.
    #[inline]
    pub fn new(date: Ymd) -> PackedDate {
        PackedDate((date.year as u32) << 16 | (date.month as u32) << 8 | date.day as u32)
    }
    #[inline]
    pub fn from_bytes(bytes: [u8; 4]) -> PackedDate {
        PackedDate(u32::from_be_bytes(bytes))
    }
    #[inline]
    pub fn bytes(self) -> [u8; 4] {
        self.0.to_be_bytes()
    }
    #[inline]
    pub fn year(self) -> i32 {
        (self.0 >> 16) as i32
    }
    #[inline]
    pub fn month(self) -> i32 {
        (self.0 >> 8 & 0xff) as i32
    }
    #[inline]
    pub fn day(self) -> i32 {
        (self.0 & 0xff) as i32
    }
    #[inline]
    pub fn ymd(self) -> Ymd {
        Ymd { year: self.year(), month: self.month(), day: self.day() }
    }
}

#[repr(C)]
pub struct Date {
    pub header: Header,
    /// −1: not computed.
    pub hash: AtomicI64,
    pub date: PackedDate,
}

// SAFETY: repr(C), header first, no references.
unsafe impl Payload for Date {
    const KIND: Kind = Kind::Leaf;
    fn static_type() -> &'static Type {
        DATE.ty()
    }
}

pub static DATE: TypeSpec = TypeSpec::new::<Date>("datetime.date")
    .doc("date(year, month, day) --> date object")
    .flags(type_flags::BASETYPE)
    .slots(slots)
    .methods(methods::METHODS)
    .getset(GETSET)
    .populate(|ty| {
        ty.set_raw("min", new(Ymd::new(MINYEAR, 1, 1)));
        ty.set_raw("max", new(Ymd::new(MAXYEAR, 12, 31)));
        ty.set_raw("resolution", timedelta::new(Delta { days: 1, ..Delta::ZERO }));
    });

signature!(NEW = "(year, month, day)");

/// Checks the ranges of year, month and day.
#[inline]
pub fn check(vm: &Vm, date: Ymd) -> Result<()> {
    let Ymd { year, month, day } = date;
    if (MINYEAR..=MAXYEAR).contains(&year)
        && (1..=12).contains(&month)
        && day >= 1
        && (day <= 28 || day <= days_in_month(year, month))
    {
        return Ok(());
    }
    Err(if !(MINYEAR..=MAXYEAR).contains(&year) {
        vm.value_error(format!("year must be in {MINYEAR}..{MAXYEAR}, not {year}"))
    } else if !(1..=12).contains(&month) {
        vm.value_error(format!("month must be in 1..12, not {month}"))
    } else {
        let last = days_in_month(year, month);
        vm.value_error(format!("day {day} must be in range 1..{last} for month {month} in year {year}"))
    })
}

impl Date {
    pub fn with_type(ty: &Type, date: PackedDate) -> Date {
        Date { header: Header::new(ty), hash: AtomicI64::new(-1), date }
    }
    pub fn of(value: &Value) -> &Date {
        value.downcast::<Date>().expect("methods are called with instances of their type")
    }
    pub fn ymd(&self) -> Ymd {
        self.date.ymd()
    }
}

/// An exact date, which is in range.
pub fn new(date: Ymd) -> Value {
    Ref::new(Date::with_type(DATE.ty(), PackedDate::new(date))).into_value()
}

/// What calling `class`, date or a subclass, with a date gives: the date is checked, by the class.
pub fn make(vm: &Vm, class: &Type, date: Ymd) -> Result {
    if class.is(&DATE) {
        check(vm, date)?;
        return Ok(new(date));
    }
    vm.instantiate(class, &[date.year, date.month, date.day].map(Value::from))
}

/// Of too few arguments those given are converted, before one is found missing.
pub fn check_given(vm: &Vm, args: &[Value], kwnames: Option<&Value>) -> Result<()> {
    let positional = args.len() - kwnames.map_or(0, |names| vm.tuple_len(names));
    if args.len() < 3 {
        for argument in &args[..positional] {
            vm.index_i32(argument)?;
        }
    }
    Ok(())
}

fn construct(vm: &Vm, class: &Value, args: &[Value], kwnames: Option<&Value>) -> Result {
    let class = class_of(class);
    if let [state] = args
        && let Some(bytes) = pickle::state::<4>(vm, state, "date", |bytes| (1..=12).contains(&bytes[2]))?
    {
        return Ok(Ref::new_with_type(class, Date::with_type(class, PackedDate::from_bytes(bytes))).into_value());
    }
    let date = match (args, kwnames) {
        ([year, month, day], None) => Ymd::new(vm.index_i32(year)?, vm.index_i32(month)?, vm.index_i32(day)?),
        _ => {
            check_given(vm, args, kwnames)?;
            let bound = NEW.bind(vm, args, kwnames)?;
            Ymd::new(vm.index_i32(&bound[0])?, vm.index_i32(&bound[1])?, vm.index_i32(&bound[2])?)
        }
    };
    check(vm, date)?;
    Ok(Ref::new_with_type(class, Date::with_type(class, PackedDate::new(date))).into_value())
}

fn slots(s: &mut Slots) {
    s.new = Some(construct);
    s.repr = Some(|_, this| {
        let Ymd { year, month, day } = Date::of(this).ymd();
        Ok(Value::from(format!("{}({year}, {month}, {day})", this.ty().name())))
    });
    s.str = Some(|vm, this| match this.ty().is(&DATE) {
        true => Ok(isoformat(Date::of(this).ymd())),
        false => vm.call_method(this, "isoformat", &[]),
    });
    s.hash = Some(|_, this| {
        let date = Date::of(this);
        let hash = date.hash.load(Relaxed);
        if hash != -1 {
            return Ok(hash);
        }
        let hash = hash_bytes(&date.date.bytes());
        date.hash.store(hash, Relaxed);
        Ok(hash)
    });
    s.richcompare = Some(richcompare);
    s.add = Some(|vm, a, b| {
        // A datetime has its own slot, which comes first if it is on the left.
        if is_datetime(a) || is_datetime(b) {
            return Ok(Value::NOT_IMPLEMENTED);
        }
        match (a.downcast::<Date>(), timedelta::value(b), timedelta::value(a), b.downcast::<Date>()) {
            (Some(_), Some(delta), ..) => shift(vm, a, delta, 1),
            (_, _, Some(delta), Some(_)) => shift(vm, b, delta, 1),
            _ => Ok(Value::NOT_IMPLEMENTED),
        }
    });
    s.subtract = Some(|vm, a, b| {
        if is_datetime(a) || is_datetime(b) {
            return Ok(Value::NOT_IMPLEMENTED);
        }
        let Some(date) = a.downcast::<Date>() else { return Ok(Value::NOT_IMPLEMENTED) };
        if let Some(other) = b.downcast::<Date>() {
            let days = date.ymd().ordinal() - other.ymd().ordinal();
            return Ok(timedelta::new(Delta { days: days as i32, ..Delta::ZERO }));
        }
        match timedelta::value(b) {
            Some(delta) => shift(vm, a, delta, -1),
            None => Ok(Value::NOT_IMPLEMENTED),
        }
    });
}

fn is_datetime(value: &Value) -> bool {
    value.downcast::<DateTime>().is_some()
}

/// The date `this` moved by the days of `delta`, of the same class.
fn shift(vm: &Vm, this: &Value, delta: Delta, sign: i64) -> Result {
    let ordinal = Date::of(this).ymd().ordinal() + sign * i64::from(delta.days);
    if !(1..=MAX_ORDINAL).contains(&ordinal) {
        return Err(vm.overflow_error("date value out of range"));
    }
    make(vm, this.ty(), Ymd::from_ordinal(ordinal))
}

fn richcompare(_: &Vm, this: &Value, other: &Value, op: CompareOp) -> Result {
    // A datetime is no mere date; comparing is left to it.
    match other.downcast::<Date>() {
        Some(other) if other.header.ty().is(&DATE) || !other.header.ty().is_subtype(DateTime::static_type()) => {
            Ok(Value::bool(op.holds(Date::of(this).date.cmp(&other.date))))
        }
        _ => Ok(Value::NOT_IMPLEMENTED),
    }
}

/// `YYYY-MM-DD`
pub fn iso_text(date: Ymd) -> [u8; 10] {
    let digit = |n: i32| b'0' + (n % 10) as u8;
    let Ymd { year, month, day } = date;
    let year = [digit(year / 1000), digit(year / 100), digit(year / 10), digit(year)];
    let (m, d) = ([digit(month / 10), digit(month)], [digit(day / 10), digit(day)]);
    [year[0], year[1], year[2], year[3], b'-', m[0], m[1], b'-', d[0], d[1]]
}

fn isoformat(date: Ymd) -> Value {
    taipan_object::builtins::str::Str::from_ascii(&iso_text(date)).into_value()
}

static GETSET: &[GetSetDef] = &[
    GetSetDef::new("year", "", |_, this| Ok(Value::from(Date::of(this).date.year()))),
    GetSetDef::new("month", "", |_, this| Ok(Value::from(Date::of(this).date.month()))),
    GetSetDef::new("day", "", |_, this| Ok(Value::from(Date::of(this).date.day()))),
];
