//! Interned strings: of each text one immortal str, found by its hash.

use super::{STR, Str};
use crate::hash::hash_bytes;
use crate::object::Ref;
use crate::value::Value;
use std::sync::Mutex;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};

/// Open addressing with linear probing; nothing is ever removed.
struct Table {
    /// Words of interned strs, 0 where there is none. The length is a power of two, or 0 before the first insertion.
    places: Vec<u64>,
    used: usize,
}

static TABLE: Mutex<Table> = Mutex::new(Table { places: Vec::new(), used: 0 });

/// What a start of the interpreter interns fits without growing.
const FIRST_PLACES: usize = 8192;

impl Table {
    /// The string with this hash that `is_it`, or else the place for it.
    fn find(&self, hash: i64, is_it: impl Fn(&Str) -> bool) -> Result<Value, usize> {
        let mask = self.places.len() - 1;
        let mut at = hash as usize & mask;
        loop {
            let word = &self.places[at];
            if *word == 0 {
                return Err(at);
            }
            // SAFETY: the table holds words of immortal strings.
            let known = unsafe { Value::borrow_word(word) };
            if known.downcast_exact::<Str>().is_some_and(|known| known.hash.load(Relaxed) == hash && is_it(known)) {
                return Ok(known.clone());
            }
            at = (at + 1) & mask;
        }
    }

    /// Makes room for one more.
    fn reserve(&mut self) {
        if self.used * 4 < self.places.len() * 3 {
            return;
        }
        let length = (self.places.len() * 2).max(FIRST_PLACES);
        for word in std::mem::replace(&mut self.places, vec![0; length]) {
            if word != 0 {
                // SAFETY: as in `find`.
                let known = unsafe { Value::borrow_word(&word) };
                let hash = known.downcast_exact::<Str>().map_or(0, |known| known.hash.load(Relaxed));
                if let Err(at) = self.find(hash, |_| false) {
                    self.places[at] = word;
                }
            }
        }
    }

    /// Puts an exact str, whose hash is known, in its place.
    fn insert(&mut self, at: usize, value: &Value, text: &Str) {
        text.interned.store(1, Relaxed);
        text.header.make_immortal();
        self.places[at] = value.word();
        self.used += 1;
    }
}

/// Words of interned strings that were asked for as bytes, at places given by where these lie: native code and code
/// objects of the library ask for the same constants again and again.
static RECENT: [AtomicU64; 2048] = [const { AtomicU64::new(0) }; 2048];

/// The interned string with this text.
#[inline]
pub fn intern(text: &str) -> Ref<Str> {
    let value = intern_wtf8(text.as_bytes());
    // SAFETY: interned strings are exact strs.
    unsafe { Ref::from_value_unchecked(value) }
}

/// The interned string with this text in generalised UTF-8.
pub fn intern_wtf8(text: &[u8]) -> Value {
    let address = text.as_ptr() as usize;
    let place = &RECENT[(address ^ address >> 11 ^ text.len() << 6) % RECENT.len()];
    let word = place.load(Acquire);
    if word != 0 {
        // SAFETY: the table holds words of interned strings, which are immortal.
        let recent = unsafe { Value::borrow_word(&word) };
        if recent.downcast_exact::<Str>().is_some_and(|recent| recent.is_ascii() && recent.raw_bytes() == text) {
            return recent.clone();
        }
    }
    let value = if text.len() > 1 && text.is_ascii() {
        intern_ascii(text)
    } else {
        intern_value(Str::from_wtf8(text).into_value())
    };
    place.store(value.word(), Release);
    value
}

fn intern_ascii(text: &[u8]) -> Value {
    let hash = hash_bytes(text);
    // Made before the lock is taken: types intern their names.
    let ty = STR.ty();
    let mut table = TABLE.lock().expect("the intern table is never poisoned");
    table.reserve();
    match table.find(hash, |known| known.is_ascii() && known.raw_bytes() == text) {
        Ok(known) => known,
        Err(at) => {
            let fresh = Str::allocate(ty, text.len(), 1, true);
            fresh.fill(text);
            fresh.hash.store(hash, Relaxed);
            table.insert(at, fresh.as_value(), &fresh);
            fresh.into_value()
        }
    }
}

/// Interns an exact str.
pub fn intern_value(value: Value) -> Value {
    let Some(text) = value.downcast_exact::<Str>() else { return value };
    if text.is_interned() {
        return value;
    }
    let hash = text.hash();
    let mut table = TABLE.lock().expect("the intern table is never poisoned");
    table.reserve();
    match table.find(hash, |known| known.kind == text.kind && known.raw_bytes() == text.raw_bytes()) {
        Ok(known) => known,
        Err(at) => {
            table.insert(at, &value, text);
            value
        }
    }
}
