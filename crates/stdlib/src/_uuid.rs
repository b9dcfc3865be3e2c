//! `_uuid`: time-based UUIDs, as the system's `libuuid` makes them.

use std::sync::Mutex;
use std::time::{SystemTime, UNIX_EPOCH};

use taipan_object::builtins::bytes;
use taipan_object::builtins::tuple::Tuple;
use taipan_object::native::MethodDef;
use taipan_object::native::module::ModuleDef;
use taipan_object::vm::hooks::blocking;
use taipan_object::{Value, method_table};

use crate::posix::random;

pub static MODULE: ModuleDef = ModuleDef {
    name: "_uuid",
    doc: "",
    functions: FUNCTIONS,
    exec: |_, module| {
        module.set("has_uuid_generate_time_safe", Value::from(1));
        module.set("has_stable_extractable_node", Value::from(0));
        Ok(())
    },
};

/// From the start of the Gregorian calendar to that of Unix time, in units of 100 ns.
const GREGORIAN_OFFSET: u64 = 0x01b2_1dd2_1381_4000;

/// What makes the UUIDs of this process differ.
struct Clock {
    node: [u8; 6],
    sequence: u16,
    last: u64,
}

static CLOCK: Mutex<Option<Clock>> = Mutex::new(None);

/// The address of the first network interface that has one.
fn hardware_address() -> Option<[u8; 6]> {
    let mut names: Vec<_> = std::fs::read_dir("/sys/class/net").ok()?.flatten().map(|entry| entry.path()).collect();
    names.sort();
    names.iter().find_map(|path| {
        let text = std::fs::read_to_string(path.join("address")).ok()?;
        let bytes: Vec<u8> = text.trim().split(':').filter_map(|byte| u8::from_str_radix(byte, 16).ok()).collect();
        <[u8; 6]>::try_from(bytes).ok().filter(|address| address != &[0; 6])
    })
}

impl Clock {
    fn new(seed: [u8; 8]) -> Clock {
        // Without an address, a random one with the bit of group addresses, which no interface has.
        let node = hardware_address().unwrap_or([seed[0] | 1, seed[1], seed[2], seed[3], seed[4], seed[5]]);
        Clock { node, sequence: u16::from_le_bytes([seed[6], seed[7]]) & 0x3fff, last: 0 }
    }

    /// The next UUID: time, version 1, clock sequence, node.
    fn next(&mut self) -> [u8; 16] {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| (time.as_nanos() / 100) as u64);
        let mut time = now.wrapping_add(GREGORIAN_OFFSET);
        if time <= self.last {
            if self.last - time > 10_000_000 {
                // The clock was put back.
                self.sequence = (self.sequence + 1) & 0x3fff;
            } else {
                time = self.last + 1;
            }
        }
        self.last = time;
        let mut uuid = [0; 16];
        uuid[..4].copy_from_slice(&(time as u32).to_be_bytes());
        uuid[4..6].copy_from_slice(&((time >> 32) as u16).to_be_bytes());
        uuid[6..8].copy_from_slice(&((time >> 48) as u16 & 0x0fff | 0x1000).to_be_bytes());
        uuid[8..10].copy_from_slice(&(self.sequence | 0x8000).to_be_bytes());
        uuid[10..].copy_from_slice(&self.node);
        uuid
    }
}

method_table! { static FUNCTIONS = [
    MethodDef::new("generate_time_safe($self, /)", "", |vm, _, _| {
        let mut seed = [0u8; 8];
        random(vm, &mut seed)?;
        let uuid = blocking(|| {
            let mut clock = CLOCK.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
            clock.get_or_insert_with(|| Clock::new(seed)).next()
        });
        // Nothing keeps other processes from the same sequence and time, which is what -1 says.
        Ok(Tuple::from_array([bytes::from_slice(vm, &uuid)?, Value::from(-1)]).into_value())
    }),
]; }
