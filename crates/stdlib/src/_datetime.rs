//! `_datetime`: dates, times, durations and time zones. Counterpart of CPython's `Modules/_datetimemodule.c`.
//!
//! Objects hold their fields packed, and exact types are made without a call of the class; instances of subclasses are
//! made by calling it, as CPython does.

pub mod calendar;
mod date;
pub mod datetime;
mod iso;
mod isocalendar;
mod local;
mod pickle;
mod strftime;
mod time;
pub mod timedelta;
mod timezone;
pub mod tzinfo;

use taipan_object::Value;
use taipan_object::native::module::ModuleDef;

pub static MODULE: ModuleDef = ModuleDef {
    name: "_datetime",
    doc: "The classes of the datetime module.",
    functions: &[],
    exec: |_, module| {
        for spec in
            [&date::DATE, &datetime::DATETIME, &time::TIME, &timedelta::TIMEDELTA, &tzinfo::TZINFO, &timezone::TIMEZONE]
        {
            module.add_type(spec);
        }
        module.set("MINYEAR", Value::from(calendar::MINYEAR));
        module.set("MAXYEAR", Value::from(calendar::MAXYEAR));
        module.set("UTC", timezone::utc());
        Ok(())
    },
};
