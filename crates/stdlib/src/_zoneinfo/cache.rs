//! The zones already loaded: all that are in use, and the last few that were asked for.

use super::{Source, ZONE_INFO, ZoneInfo, load, shown_key};
use crate::payload::class_of;
use std::sync::{Mutex, OnceLock};
use taipan_object::builtins::str::intern;
use taipan_object::types::Type;
use taipan_object::{Result, Value, Vm};

/// How many zones are kept though nobody uses them. Only `ZoneInfo` itself does that, not its subclasses.
const STRONG_CACHE_SIZE: usize = 8;

/// Keys and zones, the latest used first.
static STRONG_CACHE: Mutex<Vec<(Value, Value)>> = Mutex::new(Vec::new());

/// The weak cache of `ZoneInfo` itself; subclasses have theirs as an attribute.
static WEAK_CACHE: OnceLock<Value> = OnceLock::new();

/// A `WeakValueDictionary`.
pub fn new_weak_cache(vm: &Vm) -> Result {
    vm.call_args(&vm.import_from("weakref", "WeakValueDictionary")?, &[])
}

/// Makes the cache before it is needed.
pub fn prepare(vm: &Vm) -> Result<()> {
    if WEAK_CACHE.get().is_none() {
        let cache = new_weak_cache(vm)?;
        WEAK_CACHE.get_or_init(|| cache);
    }
    Ok(())
}

fn weak_cache(vm: &Vm, class: &Value) -> Result {
    match WEAK_CACHE.get() {
        Some(cache) if class_of(class).is(&ZONE_INFO) => Ok(cache.clone()),
        _ => vm.get_attr(class, intern("_weak_cache").as_value()),
    }
}

fn strong_entries() -> Vec<(Value, Value)> {
    STRONG_CACHE.lock().map(|entries| entries.clone()).unwrap_or_default()
}

fn replace_strong_entries(entries: Vec<(Value, Value)>) {
    let old = STRONG_CACHE.lock().map(|mut cache| std::mem::replace(&mut *cache, entries));
    drop(old);
}

/// Where the strong cache has the key.
fn find(vm: &Vm, entries: &[(Value, Value)], key: &Value) -> Result<Option<usize>> {
    for (at, (known, _)) in entries.iter().enumerate() {
        if vm.equal_or_identical(known, key)? {
            return Ok(Some(at));
        }
    }
    Ok(None)
}

/// Puts an entry of the strong cache, or a new one, first.
fn use_strongly(mut entries: Vec<(Value, Value)>, at: Option<usize>, key: &Value, zone: &Value) {
    let entry = match at {
        Some(at) => entries.remove(at),
        None => (key.clone(), zone.clone()),
    };
    entries.insert(0, entry);
    let surplus = entries.split_off(entries.len().min(STRONG_CACHE_SIZE));
    replace_strong_entries(entries);
    drop(surplus);
}

/// `class(key)`
pub fn get(vm: &Vm, class: &Value, key: &Value) -> Result {
    let ty = class_of(class);
    let strongly = ty.is(&ZONE_INFO);
    let entries = if strongly { strong_entries() } else { Vec::new() };
    if let Some(at) = find(vm, &entries, key)? {
        let zone = entries[at].1.clone();
        use_strongly(entries, Some(at), key, &zone);
        return Ok(zone);
    }
    let weak_cache = weak_cache(vm, class)?;
    let mut zone = vm.call_method(&weak_cache, "get", &[key.clone(), Value::NONE])?;
    if zone.is_none() {
        let new = load(vm, ty, key, Source::Cache)?;
        zone = vm.call_method(&weak_cache, "setdefault", &[key.clone(), new])?;
    }
    check(vm, ty, key, &zone)?;
    ZoneInfo::of(&zone).with(|state| state.source = Source::Cache);
    if strongly {
        // Whatever ran meanwhile may have changed the cache.
        let entries = strong_entries();
        let at = find(vm, &entries, key)?;
        use_strongly(entries, at, key, &zone);
    }
    Ok(zone)
}

/// What a weak cache gave must be an instance of the class.
fn check(vm: &Vm, class: &Type, key: &Value, zone: &Value) -> Result<()> {
    if zone.ty().is_subtype(class) {
        return Ok(());
    }
    let (got, class, key) = (zone.ty().name(), class.short_name(), shown_key(vm, key)?);
    Err(vm.runtime_error(format!("Unexpected instance of {got} in {class} weak cache for key {key}")))
}

/// `class.clear_cache(only_keys=only_keys)`
pub fn clear(vm: &Vm, class: &Value, only_keys: &Value) -> Result<()> {
    let weak_cache = weak_cache(vm, class)?;
    let strongly = class_of(class).is(&ZONE_INFO);
    if only_keys.is_none() {
        vm.call_method(&weak_cache, "clear", &[])?;
        if strongly {
            replace_strong_entries(Vec::new());
        }
        return Ok(());
    }
    let keys = vm.iter(only_keys)?;
    while let Some(key) = vm.next(&keys)? {
        if strongly {
            let mut entries = strong_entries();
            if let Some(at) = find(vm, &entries, &key)? {
                let entry = entries.remove(at);
                replace_strong_entries(entries);
                drop(entry);
            }
        }
        vm.call_method(&weak_cache, "pop", &[key, Value::NONE])?;
    }
    Ok(())
}
