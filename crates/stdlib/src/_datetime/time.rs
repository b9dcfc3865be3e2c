//! `datetime.time`: a time of day, packed so that times compare as numbers, and a time zone.

pub mod methods;

use super::calendar::Hms;
use super::timedelta::{self, Delta};
use super::{iso, pickle, tzinfo};
use crate::payload::{class_of, signature};
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};
use taipan_object::builtins::str::StrBuilder;
use taipan_object::hash::hash_bytes;
use taipan_object::header::Header;
use taipan_object::heap::Kind;
use taipan_object::native::GetSetDef;
use taipan_object::object::{Payload, Visitor};
use taipan_object::types::slots::{CompareOp, Slots};
use taipan_object::types::{Type, TypeSpec, type_flags};
use taipan_object::{Ref, Result, Value, Vm};

/// A valid time of day: `hour << 40 | minute << 32 | second << 24 | microsecond`, with the fold above at bit 48.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct PackedTime(u64);

const FOLD: u64 = 1 << 48;

impl PackedTime {
    /// Packs a time that is in range.
    #[inline]
    pub fn new(time: Hms, fold: bool) -> PackedTime {
        let packed = (time.hour as u64) << 40
            | (time.minute as u64) << 32
            | (time.second as u64) << 24
            | time.microsecond as u64;
        PackedTime(packed | if fold { FOLD } else { 0 })
    }
    #[inline]
    pub fn from_bytes(b: [u8; 6], fold: bool) -> PackedTime {
        let packed = u64::from_be_bytes([0, 0, b[0], b[1], b[2], b[3], b[4], b[5]]);
        PackedTime(packed | if fold { FOLD } else { 0 })
    }
    /// Without the fold.
    #[inline]
    pub fn bytes(self) -> [u8; 6] {
        let [_, _, hour, minute, second, us2, us1, us0] = self.0.to_be_bytes();
        [hour, minute, second, us2, us1, us0]
    }
    #[inline]
    pub fn hms(self) -> Hms {
        let byte = |at: u32| (self.0 >> at & 0xff) as i32;
        Hms { hour: byte(40), minute: byte(32), second: byte(24), microsecond: (self.0 & 0xff_ffff) as i32 }
    }
    #[inline]
    pub fn fold(self) -> bool {
        self.0 & FOLD != 0
    }
    #[inline]
    pub fn with_fold(self, fold: bool) -> PackedTime {
        PackedTime(self.0 & !FOLD | if fold { FOLD } else { 0 })
    }
}

/// The time that an object holds; only its fold changes, while the object is made.
pub struct TimeCell(AtomicU64);

impl TimeCell {
    pub fn new(time: PackedTime) -> TimeCell {
        TimeCell(AtomicU64::new(time.0))
    }
    #[inline]
    pub fn get(&self) -> PackedTime {
        PackedTime(self.0.load(Relaxed))
    }
}

#[repr(C)]
pub struct Time {
    pub header: Header,
    /// −1: not computed.
    hash: AtomicI64,
    time: TimeCell,
    pub tzinfo: Value,
}

// SAFETY: repr(C), header first, visits the reference.
unsafe impl Payload for Time {
    const KIND: Kind = Kind::Leaf;
    fn static_type() -> &'static Type {
        TIME.ty()
    }
    fn traverse(&self, visit: Visitor) {
        visit(&self.tzinfo);
    }
}

pub static TIME: TypeSpec = TypeSpec::new::<Time>("datetime.time")
    .doc(
        "time([hour[, minute[, second[, microsecond[, tzinfo]]]]]) --> a time object\n\n\
         A time of day.  The fields are integers, 0 by default; tzinfo is the\n\
         time zone, an instance of a subclass of tzinfo, or None.",
    )
    .flags(type_flags::BASETYPE)
    .slots(slots)
    .methods(methods::METHODS)
    .getset(GETSET)
    .populate(|ty| {
        let fixed = |time: Hms| new(PackedTime::new(time, false), Value::NONE);
        ty.set_raw("min", fixed(Hms::default()));
        ty.set_raw("max", fixed(Hms::new(23, 59, 59, 999_999)));
        ty.set_raw("resolution", timedelta::new(Delta { microseconds: 1, ..Delta::ZERO }));
    });

signature!(NEW = "(hour=0, minute=0, second=0, microsecond=0, tzinfo=None, *, fold=0)");

/// Checks the ranges of a time and its fold.
#[inline]
pub fn check(vm: &Vm, time: Hms, fold: i32) -> Result<()> {
    let fields = [
        ("hour", time.hour, 23),
        ("minute", time.minute, 59),
        ("second", time.second, 59),
        ("microsecond", time.microsecond, 999_999),
    ];
    for (name, value, last) in fields {
        if !(0..=last).contains(&value) {
            return Err(vm.value_error(format!("{name} must be in 0..{last}, not {value}")));
        }
    }
    if !(0..=1).contains(&fold) {
        return Err(vm.value_error(format!("fold must be either 0 or 1, not {fold}")));
    }
    Ok(())
}

impl Time {
    fn of(value: &Value) -> &Time {
        value.downcast::<Time>().expect("methods are called with instances of their type")
    }
    pub fn packed(&self) -> PackedTime {
        self.time.get()
    }
    fn with_type(ty: &Type, time: PackedTime, tzinfo: Value) -> Time {
        Time { header: Header::new(ty), hash: AtomicI64::new(-1), time: TimeCell::new(time), tzinfo }
    }
}

/// An exact time, which is in range.
pub fn new(time: PackedTime, tzinfo: Value) -> Value {
    Ref::new(Time::with_type(TIME.ty(), time, tzinfo)).into_value()
}

/// What calling `class`, time or a subclass, gives; the values are checked by the class.
pub fn make(vm: &Vm, class: &Type, time: Hms, tzinfo: Value, fold: i32) -> Result {
    if class.is(&TIME) {
        check(vm, time, fold)?;
        tzinfo::check(vm, &tzinfo)?;
        return Ok(new(PackedTime::new(time, fold == 1), tzinfo));
    }
    let [hour, minute, second, microsecond] = [time.hour, time.minute, time.second, time.microsecond].map(Value::from);
    let args = [hour, minute, second, microsecond, tzinfo];
    match fold {
        0 => vm.instantiate(class, &args),
        fold => vm.call_keywords(&class.to_value(), &args, &[("fold", Value::from(fold))]),
    }
}

fn construct(vm: &Vm, class: &Value, args: &[Value], kwnames: Option<&Value>) -> Result {
    let class = class_of(class);
    let positional = args.len() - kwnames.map_or(0, |names| vm.tuple_len(names));
    if (1..=2).contains(&positional)
        && let Some(bytes) = pickle::state::<6>(vm, &args[0], "time", |bytes| bytes[0] & 0x7f < 24)?
    {
        let tzinfo = if positional == 2 { args[1].clone() } else { Value::NONE };
        if !tzinfo.is_none() && !tzinfo::is_tzinfo(&tzinfo) {
            return Err(vm.type_error("bad tzinfo state arg"));
        }
        let [hour, rest @ ..] = bytes;
        let [minute, second, us2, us1, us0] = rest;
        let time = PackedTime::from_bytes([hour & 0x7f, minute, second, us2, us1, us0], hour & 0x80 != 0);
        return Ok(Ref::new_with_type(class, Time::with_type(class, time, tzinfo)).into_value());
    }
    let bound = NEW.bind(vm, args, kwnames)?;
    let time = Hms::new(
        vm.index_i32(&bound[0])?,
        vm.index_i32(&bound[1])?,
        vm.index_i32(&bound[2])?,
        vm.index_i32(&bound[3])?,
    );
    let fold = vm.index_i32(&bound[5])?;
    check(vm, time, fold)?;
    tzinfo::check(vm, &bound[4])?;
    let time = PackedTime::new(time, fold == 1);
    Ok(Ref::new_with_type(class, Time::with_type(class, time, bound[4].clone())).into_value())
}

/// `, tzinfo=…` and `, fold=1` of a `repr` that has no closing parenthesis yet; the order differs between classes.
pub fn push_zone_repr(vm: &Vm, text: &mut StrBuilder, tzinfo: &Value) -> Result<()> {
    if !tzinfo.is_none() {
        text.push_str(", tzinfo=");
        text.push_repr(vm, tzinfo)?;
    }
    Ok(())
}

fn slots(s: &mut Slots) {
    s.new = Some(construct);
    s.repr = Some(|vm, this| {
        let time = Time::of(this);
        let Hms { hour, minute, second, microsecond } = time.packed().hms();
        let mut text = StrBuilder::with_capacity(48);
        text.push_str(&format!("{}({hour}, {minute}", this.ty().name()));
        if microsecond != 0 {
            text.push_str(&format!(", {second}, {microsecond}"));
        } else if second != 0 {
            text.push_str(&format!(", {second}"));
        }
        push_zone_repr(vm, &mut text, &time.tzinfo)?;
        text.push_str(if time.packed().fold() { ", fold=1)" } else { ")" });
        Ok(text.finish().into_value())
    });
    s.str = Some(|vm, this| vm.call_method(this, "isoformat", &[]));
    s.hash = Some(hash);
    s.richcompare = Some(richcompare);
}

/// The offset of the time's zone, which is asked with `None`.
fn utcoffset(vm: &Vm, time: &Time) -> Result<Option<Delta>> {
    tzinfo::utcoffset(vm, &time.tzinfo, &Value::NONE)
}

fn hash(vm: &Vm, this: &Value) -> Result<i64> {
    let time = Time::of(this);
    let hash = time.hash.load(Relaxed);
    if hash != -1 {
        return Ok(hash);
    }
    let hash = match utcoffset(vm, time)? {
        None => hash_bytes(&time.packed().bytes()),
        Some(offset) => {
            let us = time.packed().hms().microseconds() - offset.total_microseconds() as i64;
            Delta::from_seconds(us.div_euclid(1_000_000), us.rem_euclid(1_000_000)).hash()
        }
    };
    time.hash.store(hash, Relaxed);
    Ok(hash)
}

fn richcompare(vm: &Vm, this: &Value, other: &Value, op: CompareOp) -> Result {
    let Some(b) = other.downcast::<Time>() else { return Ok(Value::NOT_IMPLEMENTED) };
    let a = Time::of(this);
    let (left, right) = (a.packed().with_fold(false), b.packed().with_fold(false));
    if a.tzinfo.is(&b.tzinfo) {
        return Ok(Value::bool(op.holds(left.cmp(&right))));
    }
    match (utcoffset(vm, a)?, utcoffset(vm, b)?) {
        (x, y) if x == y => Ok(Value::bool(op.holds(left.cmp(&right)))),
        (Some(x), Some(y)) => {
            let utc =
                |time: PackedTime, offset: Delta| i128::from(time.hms().microseconds()) - offset.total_microseconds();
            Ok(Value::bool(op.holds(utc(left, x).cmp(&utc(right, y)))))
        }
        _ => match op {
            CompareOp::Eq => Ok(Value::FALSE),
            CompareOp::Ne => Ok(Value::TRUE),
            _ => Err(vm.type_error("can't compare offset-naive and offset-aware times")),
        },
    }
}

/// ISO format of the time of day and the offset.
fn isoformat(vm: &Vm, time: &Time, precision: iso::Precision) -> Result {
    let mut text = StrBuilder::with_capacity(24);
    iso::push_time(&mut text, time.packed().hms(), precision);
    if let Some(offset) = utcoffset(vm, time)? {
        tzinfo::push_offset(&mut text, offset, ":");
    }
    Ok(text.finish().into_value())
}

static GETSET: &[GetSetDef] = &[
    GetSetDef::new("hour", "", |_, this| Ok(Value::from(Time::of(this).packed().hms().hour))),
    GetSetDef::new("minute", "", |_, this| Ok(Value::from(Time::of(this).packed().hms().minute))),
    GetSetDef::new("second", "", |_, this| Ok(Value::from(Time::of(this).packed().hms().second))),
    GetSetDef::new("microsecond", "", |_, this| Ok(Value::from(Time::of(this).packed().hms().microsecond))),
    GetSetDef::new("tzinfo", "", |_, this| Ok(Time::of(this).tzinfo.clone())),
    GetSetDef::new("fold", "", |_, this| Ok(Value::from(i32::from(Time::of(this).packed().fold())))),
];
