//! `_zoneinfo`: time zones of the IANA database.
//!
//! `cache.rs` has the zones already loaded, `zone.rs` what a zone consists of and how it answers, `rule.rs` the rules by
//! which a zone goes on for ever (POSIX `TZ` strings). Files are found and unpacked by the library's `zoneinfo._tzpath` and
//! `zoneinfo._common`.

mod cache;
mod rule;
mod zone;

use crate::_datetime::datetime::{self, DateTime};
use crate::_datetime::tzinfo::TZINFO;
use crate::payload::{Field, class_of, payload, signature};
use taipan_object::builtins::int;
use taipan_object::builtins::str::{Str, StrBuilder, intern};
use taipan_object::builtins::tuple::Tuple;
use taipan_object::native::module::ModuleDef;
use taipan_object::native::{MemberDef, MethodDef};
use taipan_object::object::Visitor;
use taipan_object::types::{Type, TypeSpec, type_flags};
use taipan_object::vm::names;
use taipan_object::{Result, Value, Vm, method_table};
use zone::{Info, Zone};

pub static MODULE: ModuleDef = ModuleDef {
    name: "_zoneinfo",
    doc: "Time zones of the IANA database, natively.",
    functions: &[],
    exec: |vm, module| {
        // Zones work with the native datetimes only: without them the library takes its own module.
        vm.import("_datetime")?;
        cache::prepare(vm)?;
        module.add_type(&ZONE_INFO);
        Ok(())
    },
};

/// Where a zone comes from.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Source {
    NoCache,
    Cache,
    File,
}

payload! {
    /// `zoneinfo.ZoneInfo`; `file_repr` describes the file of a zone that was made from one.
    pub struct ZoneInfo(ZoneInfoState): ZONE_INFO [key: Value, file_repr: Value, zone: Zone] { source: Source }
}

impl Field for Source {
    fn visit(&self, _: Visitor) {}
    fn take(&mut self) -> Self {
        *self
    }
}

impl Field for Zone {
    fn visit(&self, visit: Visitor) {
        self.for_each_value(visit);
    }
    fn take(&mut self) -> Self {
        unreachable!("a zone stands outside the cell")
    }
}

signature!(NEW = "ZoneInfo(key)");

pub static ZONE_INFO: TypeSpec = TypeSpec::new::<ZoneInfo>("zoneinfo.ZoneInfo")
    .base(&TZINFO)
    .flags(type_flags::BASETYPE | type_flags::HAS_WEAKREF)
    .slots(|s| {
        s.new = Some(|vm, class, args, kwnames| {
            let positional = args.len() - kwnames.map_or(0, |names| vm.tuple_len(names));
            if positional > 1 {
                return Err(vm.type_error(format!("ZoneInfo() takes at most 1 argument ({positional} given)")));
            }
            let bound = NEW.bind(vm, args, kwnames)?;
            cache::get(vm, class, &bound[0])
        });
        s.repr = Some(|vm, this| {
            let info = ZoneInfo::of(this);
            let mut text = StrBuilder::new();
            text.push_str(&this.ty().name());
            if info.key.is_none() {
                text.push_str(".from_file(");
                text.push_str(&vm.str_string(&info.file_repr)?);
            } else {
                text.push_str("(key=");
                text.push_repr(vm, &info.key)?;
            }
            text.push_str(")");
            Ok(text.finish().into_value())
        });
        s.str = Some(|vm, this| match &ZoneInfo::of(this).key {
            key if key.is_none() => vm.repr(this),
            key => vm.str(key),
        });
    })
    .methods(METHODS)
    .members(MEMBERS);

static MEMBERS: &[MemberDef] = &[MemberDef::new("key", "", |_, this| Ok(ZoneInfo::of(this).key.clone()))];

/// A zone read from the database.
fn load(vm: &Vm, class: &Type, key: &Value, source: Source) -> Result {
    let paths = vm.import("zoneinfo._tzpath")?;
    let path = vm.call_method(&paths, "find_tzfile", std::slice::from_ref(key))?;
    let file = match path.is_none() {
        true => vm.call_method(&vm.import("zoneinfo._common")?, "load_tzdata", std::slice::from_ref(key))?,
        false => vm.call_args(&vm.import_from("io", "open")?, &[path, Value::from("rb")])?,
    };
    let zone = Zone::load(vm, &file);
    let closed = match zone {
        Ok(_) => vm.call_method_name(&file, &names().close, &[]).map(drop),
        Err(_) => vm.preserving_exception(|vm| {
            if let Err(raised) = vm.call_method_name(&file, &names().close, &[]) {
                vm.discard(raised);
            }
            Ok(())
        }),
    };
    let zone = zone?;
    closed?;
    Ok(ZoneInfo::make(class, key.clone(), Value::NONE, zone, ZoneInfoState { source }))
}

/// What a zone says of a time; `None` if it knows nothing without a date.
fn info_at<'z>(vm: &Vm, this: &'z Value, time: &Value) -> Result<Option<&'z Info>> {
    let zone = &ZoneInfo::of(this).zone;
    if time.is_none() {
        return Ok(zone.fixed());
    }
    let (timestamp, year, fold) = match time.downcast::<DateTime>() {
        Some(datetime) => {
            let fold = datetime.packed().fold();
            (zone::local_timestamp(datetime), i64::from(datetime.date().year()), fold)
        }
        None => {
            let ordinal = vm.call_method(time, "toordinal", &[])?;
            let number = |name: &str| vm.index_i64(&vm.get_attr_str(time, name)?);
            let seconds = number("hour")? * 3600 + number("minute")? * 60 + number("second")?;
            let days = vm.index_i64(&ordinal)? - zone::EPOCH_ORDINAL;
            (days * 86_400 + seconds, number("year")?, number("fold")? != 0)
        }
    };
    Ok(Some(zone.at_local(timestamp, year, fold)))
}

fn fromutc(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    let argument = &args[0];
    let Some(datetime) = argument.downcast::<DateTime>() else {
        return Err(vm.type_error("fromutc: argument must be a datetime"));
    };
    if !datetime.tzinfo.is(this) {
        return Err(vm.value_error("fromutc: dt.tzinfo is not self"));
    }
    let zone = &ZoneInfo::of(this).zone;
    let (info, fold) = zone.at_utc(zone::local_timestamp(datetime), i64::from(datetime.date().year()));
    let local = vm.add(argument, &info.utcoff)?;
    if !fold {
        return Ok(local);
    }
    match local.downcast_exact::<DateTime>() {
        Some(exact) => Ok(datetime::new(exact.date(), exact.packed().with_fold(true), exact.tzinfo.clone())),
        None => {
            let replace = vm.get_attr(&local, &names().replace)?;
            vm.call_keywords(&replace, &[], &[("fold", Value::from(1))])
        }
    }
}

fn reduce(vm: &Vm, this: &Value, _: &[Value]) -> Result {
    let info = ZoneInfo::of(this);
    let source = info.with(|state| state.source);
    if source == Source::File {
        let error = vm.import_from("pickle", "PicklingError")?;
        let message = Value::from("Cannot pickle a ZoneInfo file from a file stream.");
        return Err(vm.raise(vm.call_args(&error, &[message])?));
    }
    let constructor = vm.get_attr_str(&this.ty().to_value(), "_unpickle")?;
    let from_cache = Value::from(i64::from(source == Source::Cache));
    let arguments = Tuple::from_array([info.key.clone(), from_cache]).into_value();
    Ok(Tuple::from_array([constructor, arguments]).into_value())
}

method_table! { static METHODS = [
    MethodDef::new("clear_cache($type, /, *, only_keys=None)", "\
        Forget the time zones that were made.", |vm, class, args| {
        cache::clear(vm, class, &args[0]).map(|()| Value::NONE)
    }).class(),
    MethodDef::new("no_cache($type, /, key)", "A new object for the zone, even if there is one already.", |vm, class, args| {
        load(vm, class_of(class), &args[0], Source::NoCache)
    }).class(),
    MethodDef::new("from_file($type, file_obj, /, key=None)", "A zone from an open file in the TZif format (RFC 8536).", |vm, class, args| {
        let (file, key) = (&args[0], &args[1]);
        let file_repr = vm.repr(file)?;
        let zone = Zone::load(vm, file)?;
        let state = ZoneInfoState { source: Source::File };
        Ok(ZoneInfo::make(class_of(class), key.clone(), file_repr, zone, state))
    }).class(),
    MethodDef::new("utcoffset($self, dt, /)", "How far the zone's clocks are ahead of UTC then.",
        |vm, this, args| Ok(info_at(vm, this, &args[0])?.map_or(Value::NONE, |info| info.utcoff.clone()))),
    MethodDef::new("dst($self, dt, /)", "How far daylight saving time shifts the zone's clocks then.",
        |vm, this, args| Ok(info_at(vm, this, &args[0])?.map_or(Value::NONE, |info| info.dstoff.clone()))),
    MethodDef::new("tzname($self, dt, /)", "The zone's abbreviation then.",
        |vm, this, args| Ok(info_at(vm, this, &args[0])?.map_or(Value::NONE, |info| info.tzname.clone()))),
    MethodDef::new("fromutc($self, object, /)", "The zone's time for one in UTC.", fromutc),
    MethodDef::new("__reduce__($self, /)", "How the zone is pickled: by its key.", reduce),
    MethodDef::new("_unpickle($type, key, from_cache, /)", "The zone that a pickle stands for.", |vm, class, args| {
        if !int::is_int(&args[1]) {
            let got = args[1].ty().name();
            return Err(vm.type_error(format!("'{got}' object cannot be interpreted as an integer")));
        }
        match vm.is_true(&args[1])? {
            true => vm.call_args(class, std::slice::from_ref(&args[0])),
            false => vm.call_method(class, "no_cache", std::slice::from_ref(&args[0])),
        }
    }).class(),
    MethodDef::raw("__init_subclass__", "Called with each new subclass, which it can modify.", |vm, class, _, _| {
        let cache = cache::new_weak_cache(vm)?;
        vm.set_attr(class, intern("_weak_cache").as_value(), &cache)?;
        Ok(Value::NONE)
    }).class(),
]; }

/// The name of a zone in messages.
fn shown_key(vm: &Vm, key: &Value) -> Result<String> {
    match key.downcast::<Str>() {
        Some(_) => vm.repr_string(key),
        None => vm.str_string(key),
    }
}
