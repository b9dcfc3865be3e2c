//! `datetime.timedelta`: days, seconds and microseconds, normalised so that only the days are negative.
//!
//! Arithmetic goes through the total of microseconds, which needs 77 bits.

mod arithmetic;
mod construct;

pub use arithmetic::combine;

use super::calendar::{SECONDS_PER_DAY, US_PER_DAY, US_PER_SECOND};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};
use taipan_object::builtins::int;
use taipan_object::builtins::tuple::{ItemHash, Tuple};
use taipan_object::header::Header;
use taipan_object::heap::Kind;
use taipan_object::native::{MemberDef, MethodDef};
use taipan_object::object::Payload;
use taipan_object::types::slots::{CompareOp, Slots};
use taipan_object::types::{Type, TypeSpec, type_flags};
use taipan_object::{Ref, Result, Value, Vm, method_table};

/// The value of a timedelta.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct Delta {
    pub days: i32,
    pub seconds: i32,
    pub microseconds: i32,
}

pub const MAX_DAYS: i32 = 999_999_999;

#[repr(C)]
pub struct TimeDelta {
    pub header: Header,
    /// −1: not computed.
    hash: AtomicI64,
    pub value: Delta,
}

// SAFETY: repr(C), header first, no references.
unsafe impl Payload for TimeDelta {
    const KIND: Kind = Kind::Leaf;
    fn static_type() -> &'static Type {
        TIMEDELTA.ty()
    }
}

pub static TIMEDELTA: TypeSpec = TypeSpec::new::<TimeDelta>("datetime.timedelta")
    .doc(
        "A length of time, exact to the microsecond.\n\n\
         timedelta(days=0, seconds=0, microseconds=0, milliseconds=0, minutes=0, hours=0, weeks=0)\n\n\
         The arguments are added up.  Each may be an int or a float, and\n\
         negative.",
    )
    .flags(type_flags::BASETYPE)
    .slots(slots)
    .methods(METHODS)
    .members(MEMBERS)
    .populate(|ty| {
        ty.set_raw("resolution", new(Delta { microseconds: 1, ..Delta::default() }));
        ty.set_raw("min", new(Delta { days: -MAX_DAYS, ..Delta::default() }));
        let last =
            Delta { days: MAX_DAYS, seconds: SECONDS_PER_DAY as i32 - 1, microseconds: US_PER_SECOND as i32 - 1 };
        ty.set_raw("max", new(last));
    });

impl Delta {
    pub const ZERO: Delta = Delta { days: 0, seconds: 0, microseconds: 0 };

    /// A duration of less than a day, whatever its sign.
    pub fn from_seconds(seconds: i64, microseconds: i64) -> Delta {
        let us = seconds * US_PER_SECOND + microseconds;
        let (days, rest) = (us.div_euclid(US_PER_DAY), us.rem_euclid(US_PER_DAY));
        Delta { days: days as i32, seconds: (rest / US_PER_SECOND) as i32, microseconds: (rest % US_PER_SECOND) as i32 }
    }

    /// The duration of so many microseconds; `None` (no number of days that fits) or the days if they are too many.
    fn split(us: i128) -> std::result::Result<Delta, Option<i32>> {
        // Most durations need but 64 bits.
        let (days, rest) = match i64::try_from(us) {
            Ok(us) => (us.div_euclid(US_PER_DAY), us.rem_euclid(US_PER_DAY)),
            Err(_) => {
                let days = us.div_euclid(US_PER_DAY.into());
                (i64::try_from(days).map_err(|_| None)?, us.rem_euclid(US_PER_DAY.into()) as i64)
            }
        };
        let days = i32::try_from(days).map_err(|_| None)?;
        if !(-MAX_DAYS..=MAX_DAYS).contains(&days) {
            return Err(Some(days));
        }
        Ok(Delta { days, seconds: (rest / US_PER_SECOND) as i32, microseconds: (rest % US_PER_SECOND) as i32 })
    }

    pub fn from_microseconds(vm: &Vm, us: i128) -> Result<Delta> {
        Delta::split(us).map_err(|days| match days {
            Some(days) => vm.overflow_error(format!("days={days}; must have magnitude <= {MAX_DAYS}")),
            None => vm.overflow_error("Python int too large to convert to C int"),
        })
    }

    pub fn total_microseconds(self) -> i128 {
        let seconds = i64::from(self.days) * SECONDS_PER_DAY + i64::from(self.seconds);
        i128::from(seconds) * i128::from(US_PER_SECOND) + i128::from(self.microseconds)
    }

    pub fn is_zero(self) -> bool {
        self == Delta::ZERO
    }

    pub fn hash(self) -> i64 {
        let mut hash = ItemHash::new();
        for part in [self.days, self.seconds, self.microseconds] {
            hash.add(int::hash_i64(part.into()));
        }
        hash.finish(3)
    }

    fn text(self) -> String {
        let (minutes, seconds) = (self.seconds / 60, self.seconds % 60);
        let clock = format!("{}:{:02}:{seconds:02}", minutes / 60, minutes % 60);
        let fraction = if self.microseconds != 0 { format!(".{:06}", self.microseconds) } else { String::new() };
        match self.days {
            0 => format!("{clock}{fraction}"),
            days => format!("{days} day{}, {clock}{fraction}", if days.abs() == 1 { "" } else { "s" }),
        }
    }
}

/// An exact timedelta.
#[inline]
pub fn new(value: Delta) -> Value {
    Ref::new(TimeDelta { header: Header::new(TIMEDELTA.ty()), hash: AtomicI64::new(-1), value }).into_value()
}

/// An instance of `ty`, timedelta or a subclass.
fn new_with_type(ty: &Type, value: Delta) -> Value {
    let delta = TimeDelta { header: Header::new(ty), hash: AtomicI64::new(-1), value };
    Ref::new_with_type(ty, delta).into_value()
}

/// `timedelta(0)`
pub fn zero() -> Value {
    static ZERO: LazyLock<Value> = LazyLock::new(|| new(Delta::ZERO));
    ZERO.clone()
}

/// The value of a timedelta or subclass instance.
#[inline]
pub fn value(value: &Value) -> Option<Delta> {
    value.downcast::<TimeDelta>().map(|delta| delta.value)
}

/// The value of a method's own instance.
#[inline]
fn own(this: &Value) -> Delta {
    value(this).expect("methods are called with instances of their type")
}

fn slots(s: &mut Slots) {
    s.new = Some(construct::construct);
    s.repr = Some(|_, this| {
        let value = own(this);
        let parts = [("days", value.days), ("seconds", value.seconds), ("microseconds", value.microseconds)];
        let mut text: Vec<String> = Vec::with_capacity(3);
        text.extend(parts.iter().filter(|(_, n)| *n != 0).map(|(name, n)| format!("{name}={n}")));
        let arguments = if text.is_empty() { "0".to_string() } else { text.join(", ") };
        Ok(Value::from(format!("{}({arguments})", this.ty().name())))
    });
    s.str = Some(|_, this| Ok(Value::from(own(this).text())));
    s.hash = Some(|_, this| {
        let delta = this.downcast::<TimeDelta>().expect("own slot");
        let hash = delta.hash.load(Relaxed);
        if hash != -1 {
            return Ok(hash);
        }
        let hash = delta.value.hash();
        delta.hash.store(hash, Relaxed);
        Ok(hash)
    });
    s.richcompare = Some(richcompare);
    arithmetic::slots(s);
}

fn richcompare(_: &Vm, this: &Value, other: &Value, op: CompareOp) -> Result {
    match (value(this), value(other)) {
        (Some(a), Some(b)) => Ok(Value::bool(op.holds(a.cmp(&b)))),
        _ => Ok(Value::NOT_IMPLEMENTED),
    }
}

static MEMBERS: &[MemberDef] = &[
    MemberDef::new("days", "Number of days.", |_, this| Ok(Value::from(own(this).days))),
    MemberDef::new("seconds", "The seconds beyond whole days, from 0 to 86399.", |_, this| {
        Ok(Value::from(own(this).seconds))
    }),
    MemberDef::new("microseconds", "The microseconds beyond whole seconds, from 0 to 999999.", |_, this| {
        Ok(Value::from(own(this).microseconds))
    }),
];

method_table! { static METHODS = [
    MethodDef::new("total_seconds($self, /)", "The whole duration in seconds.", |vm, this, _| {
        let us = own(this).total_microseconds();
        // Up to 2^53 both operands are exact.
        if us.unsigned_abs() < 1 << 53 {
            return Ok(Value::from(us as f64 / US_PER_SECOND as f64));
        }
        int::true_divide(vm, &int::from_i128(us), &Value::from(US_PER_SECOND))
    }),
    MethodDef::new("__reduce__($self, /)", "__reduce__() -> (cls, state)", |_, this, _| {
        let value = own(this);
        let state = [value.days, value.seconds, value.microseconds].map(Value::from);
        Ok(Tuple::from_array([this.ty().to_value(), Tuple::from_array(state).into_value()]).into_value())
    }),
]; }
