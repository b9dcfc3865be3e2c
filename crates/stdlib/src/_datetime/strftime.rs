//! `strftime` of the three classes: what the C library's function does not know is filled in, the rest is
//! `time.strftime`'s.

use super::calendar::Hms;
use super::datetime::DateTime;
use super::time::Time;
use super::tzinfo;
use crate::time::calendar;
use taipan_object::builtins::int;
use taipan_object::builtins::str::{Str, StrBuilder};
use taipan_object::builtins::tuple::Tuple;
use taipan_object::{Result, Value, Vm};

/// What directives are replaced from.
struct Source<'a> {
    tzinfo: &'a Value,
    /// What the zone is asked about.
    moment: &'a Value,
    microsecond: i32,
    tuple: Value,
}

/// `strftime` of a date or datetime.
pub fn date(vm: &Vm, this: &Value, format: &Str) -> Result {
    let tuple = vm.call_method(this, "timetuple", &[])?;
    let none = Value::NONE;
    let (tzinfo, microsecond) = match this.downcast::<DateTime>() {
        Some(datetime) => (&datetime.tzinfo, datetime.packed().hms().microsecond),
        None => (&none, 0),
    };
    wrap(vm, format, Source { tzinfo, moment: this, microsecond, tuple })
}

/// `strftime` of a time, which counts as one on the first of January 1900.
pub fn time(vm: &Vm, time: &Time, format: &Str) -> Result {
    let Hms { hour, minute, second, microsecond } = time.packed().hms();
    let fields = [1900, 1, 1, hour, minute, second, 0, 1, -1];
    let tuple = Tuple::from_array(fields.map(Value::from)).into_value();
    wrap(vm, format, Source { tzinfo: &time.tzinfo, moment: &Value::NONE, microsecond, tuple })
}

impl Source<'_> {
    fn push_offset(&self, vm: &Vm, out: &mut StrBuilder, separator: &str) -> Result<()> {
        if let Some(offset) = tzinfo::utcoffset(vm, self.tzinfo, self.moment)? {
            tzinfo::push_offset(out, offset, separator);
        }
        Ok(())
    }

    fn push_name(&self, vm: &Vm, out: &mut StrBuilder) -> Result<()> {
        let name = tzinfo::tzname(vm, self.tzinfo, self.moment)?;
        if name.is_none() {
            return Ok(());
        }
        // The name is text, not format.
        let escaped = vm.call_method(&name, "replace", &[Value::from("%"), Value::from("%%")])?;
        match escaped.downcast::<Str>() {
            Some(text) => out.push_text(text),
            None => return Err(vm.type_error("tzname.replace() did not return a string")),
        }
        Ok(())
    }

    /// Years, which the C library does not pad to four digits; false if that is not needed.
    fn push_year(&self, vm: &Vm, out: &mut StrBuilder, directive: u8) -> Result<bool> {
        let first = self.tuple.downcast::<Tuple>().and_then(|tuple| tuple.as_slice().first()).cloned();
        let year = first.as_ref().and_then(int::to_i64).unwrap_or(1000);
        if year >= 1000 {
            return Ok(false);
        }
        let text = match directive {
            b'G' => {
                let year = calendar::format_tuple(vm, &Str::new("%G"), &self.tuple)?;
                let year = int::construct::from_value(vm, &year)?;
                format!("{:04}", int::to_i64(&year).unwrap_or_default())
            }
            b'C' => format!("{:02}", year / 100),
            b'F' => format!("{year:04}-%m-%d"),
            _ => format!("{year:04}"),
        };
        out.push_str(&text);
        Ok(true)
    }
}

fn wrap(vm: &Vm, format: &Str, source: Source) -> Result {
    let percent = u32::from(b'%');
    let points = format.to_code_points();
    let mut out = StrBuilder::with_capacity(points.len() + 16);
    let mut at = 0;
    while let Some(&point) = points.get(at) {
        at += 1;
        let directive = points.get(at).and_then(|point| u8::try_from(*point).ok());
        let (true, Some(directive)) = (point == percent, directive) else {
            out.push(point);
            // What follows a percent sign is its directive, whatever it is.
            if point == percent && at < points.len() {
                out.push(points[at]);
                at += 1;
            }
            continue;
        };
        at += 1;
        match directive {
            b'z' => source.push_offset(vm, &mut out, "")?,
            b':' if points.get(at) == Some(&u32::from(b'z')) => {
                at += 1;
                source.push_offset(vm, &mut out, ":")?;
            }
            b'Z' => source.push_name(vm, &mut out)?,
            b'f' => out.push_str(&format!("{:06}", source.microsecond)),
            b'Y' | b'G' | b'C' | b'F' if source.push_year(vm, &mut out, directive)? => {}
            other => {
                out.push(percent);
                out.push(other.into());
            }
        }
    }
    calendar::format_tuple(vm, &out.finish(), &source.tuple)
}
