//! Register code as the build stores it with the library's code, to be run without being lowered first.
//!
//! Numbers are little-endian, of 32 bits unless said otherwise. After a [`Head`] come the sites, each of four numbers of 16
//! bits (`pc`, unit, handler, map); the handlers, each of three numbers; the maps, each with its length and two numbers for
//! each slot; the small ints, of a byte; and the words, without those for caches. Words are read at once, the tables when
//! they are needed.

use taipan_bytecode::CodeData;

use crate::instruction::{Extra, Op};
use crate::lower::{HandlerEntry, Lowered, Site, Slot, Tables, lower};
use crate::verify::NO_HANDLER;

const NUMBER: usize = 4;
const WORD: usize = 8;
/// Bytes of a site.
const SITE: usize = 8;
/// Bytes of a handler.
const HANDLER: usize = 3 * NUMBER;
/// In place of the handler of a site that has none.
const WITHOUT: u16 = u16::MAX;

/// What the bytes begin with.
struct Head {
    nlocalsplus: u32,
    registers: u32,
    assigned: u32,
    words: u32,
    sites: u32,
    handlers: u32,
    /// Bytes of the maps.
    maps: u32,
    small_ints: u32,
}

impl Head {
    const SIZE: usize = 8 * NUMBER;

    fn numbers(&self) -> [u32; 8] {
        let Head { nlocalsplus, registers, assigned, words, sites, handlers, maps, small_ints } = *self;
        [nlocalsplus, registers, assigned, words, sites, handlers, maps, small_ints]
    }

    fn read(stored: &[u8]) -> Head {
        let [nlocalsplus, registers, assigned, words, sites, handlers, maps, small_ints] =
            std::array::from_fn(|index| number(stored, index * NUMBER));
        Head { nlocalsplus, registers, assigned, words, sites, handlers, maps, small_ints }
    }
}

fn number(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + NUMBER].try_into().expect("a slice of four bytes"))
}

/// `code`, lowered for speed and stored; `None` if it cannot be verified, or is too long for this.
pub fn store(code: &CodeData) -> Option<Vec<u8>> {
    let lowered = lower(code).ok()?;
    let short = |value: u32| u16::try_from(value).ok().filter(|value| *value != WITHOUT);
    let mut sites = Vec::new();
    for site in &lowered.sites {
        let handler = if site.handler == NO_HANDLER { WITHOUT } else { short(site.handler)? };
        let parts = [short(site.pc)?, short(site.unit)?, handler, short(site.map)?];
        sites.extend(parts.into_iter().flat_map(u16::to_le_bytes));
    }
    let handlers = lowered.handlers.iter().flat_map(|entry| [entry.pc, entry.depth, entry.push_lasti.into()]);
    let mut maps = Vec::new();
    for map in &lowered.maps {
        maps.extend((map.len() as u32).to_le_bytes());
        maps.extend(map.iter().flat_map(|slot| encode(*slot)).flat_map(u32::to_le_bytes));
    }
    let head = Head {
        nlocalsplus: lowered.nlocalsplus,
        registers: lowered.registers,
        assigned: lowered.assigned,
        words: lowered.words.len() as u32,
        sites: lowered.sites.len() as u32,
        handlers: lowered.handlers.len() as u32,
        maps: maps.len() as u32,
        small_ints: lowered.small_ints.len() as u32,
    };
    let mut stored: Vec<u8> = head.numbers().into_iter().flat_map(u32::to_le_bytes).collect();
    stored.extend(sites);
    stored.extend(handlers.flat_map(u32::to_le_bytes));
    stored.extend(maps);
    stored.extend(&lowered.small_ints);
    let mut at = 0;
    while at < lowered.words.len() {
        let op = Op::from_u8(lowered.words[at] as u8)?;
        stored.extend(lowered.words[at].to_le_bytes());
        let extras = op.extras().iter().zip(&lowered.words[at + 1..]);
        extras.filter(|(extra, _)| **extra != Extra::cache).for_each(|(_, word)| stored.extend(word.to_le_bytes()));
        at += op.len();
    }
    Some(stored)
}

/// For each op its words, and how many of these are caches: they come before all others.
const SHAPES: [(u8, u8); Op::ALL.len()] = {
    let mut shapes = [(0, 0); Op::ALL.len()];
    let mut at = 0;
    while at < shapes.len() {
        let extras = Op::ALL[at].extras();
        let mut caches = 0;
        while caches < extras.len() && matches!(extras[caches], Extra::cache) {
            caches += 1;
        }
        shapes[at] = (Op::ALL[at].len() as u8, caches as u8);
        at += 1;
    }
    shapes
};

/// The register code that [`store`] stored.
pub(crate) fn read(stored: &'static [u8]) -> Lowered {
    let head = Head::read(stored);
    let tables = StoredTables { stored };
    let small_ints = Head::SIZE + tables.sites().len() + tables.handlers().len() + head.maps as usize;
    let (small_ints, rest) = stored[small_ints..].split_at(head.small_ints as usize);
    let mut words = Vec::with_capacity(head.words as usize);
    let mut rest = rest.chunks_exact(WORD).map(|bytes| u64::from_le_bytes(bytes.try_into().expect("eight bytes")));
    while let Some(word) = rest.next() {
        let (length, caches) = SHAPES[usize::from(word as u8)];
        words.push(word);
        words.extend((0..caches).map(|_| 0));
        words.extend(rest.by_ref().take(usize::from(length - 1 - caches)));
    }
    Lowered::from_stored(words, [head.nlocalsplus, head.registers, head.assigned], small_ints.to_vec(), tables)
}

/// Where tables are stored.
#[derive(Debug)]
pub(crate) struct StoredTables {
    stored: &'static [u8],
}

impl StoredTables {
    fn sites(&self) -> &'static [u8] {
        &self.stored[Head::SIZE..][..Head::read(self.stored).sites as usize * SITE]
    }

    fn handlers(&self) -> &'static [u8] {
        &self.stored[Head::SIZE + self.sites().len()..][..Head::read(self.stored).handlers as usize * HANDLER]
    }

    fn maps(&self) -> &'static [u8] {
        let start = Head::SIZE + self.sites().len() + self.handlers().len();
        &self.stored[start..][..Head::read(self.stored).maps as usize]
    }

    /// As [`Lowered::unit_at`].
    pub fn unit_at(&self, pc: u32) -> u32 {
        let (sites, _) = self.sites().as_chunks::<SITE>();
        let index = sites.partition_point(|site| read_site(site).pc < pc);
        sites.get(index).or(sites.last()).map_or(0, |site| read_site(site).unit)
    }

    pub fn read(&self) -> Tables {
        let (sites, _) = self.sites().as_chunks::<SITE>();
        let handlers = self.handlers().chunks_exact(HANDLER).map(|entry| HandlerEntry {
            pc: number(entry, 0),
            depth: number(entry, NUMBER),
            push_lasti: number(entry, 2 * NUMBER) != 0,
        });
        let mut maps = Vec::new();
        let stored = self.maps();
        let mut at = 0;
        while at < stored.len() {
            let length = number(stored, at) as usize;
            let slots = stored[at + NUMBER..][..length * 2 * NUMBER].chunks_exact(2 * NUMBER);
            maps.push(slots.map(|slot| decode([number(slot, 0), number(slot, NUMBER)])).collect());
            at += NUMBER + length * 2 * NUMBER;
        }
        Tables { sites: sites.iter().map(read_site).collect(), handlers: handlers.collect(), maps }
    }
}

fn read_site(site: &[u8; SITE]) -> Site {
    let part = |index: usize| u16::from_le_bytes([site[2 * index], site[2 * index + 1]]);
    let handler = if part(2) == WITHOUT { NO_HANDLER } else { part(2).into() };
    Site { pc: part(0).into(), unit: part(1).into(), handler, map: part(3).into() }
}

/// Which kind of slot it is, and what belongs to it.
fn encode(slot: Slot) -> [u32; 2] {
    match slot {
        Slot::Own => [0, 0],
        Slot::Null => [1, 0],
        Slot::Local { local, copy: false } => [2, local.into()],
        Slot::Local { local, copy: true } => [3, local.into()],
        Slot::Const(index) => [4, index],
        Slot::Borrowed(None) => [5, 0],
        Slot::Borrowed(Some(local)) => [6, local.into()],
        Slot::Alias(slot) => [7, slot.into()],
    }
}

fn decode([kind, number]: [u32; 2]) -> Slot {
    match kind {
        0 => Slot::Own,
        1 => Slot::Null,
        2 | 3 => Slot::Local { local: number as u16, copy: kind == 3 },
        4 => Slot::Const(number),
        5 => Slot::Borrowed(None),
        6 => Slot::Borrowed(Some(number as u16)),
        7 => Slot::Alias(number as u16),
        _ => panic!("register code has no slots of kind {kind}"),
    }
}
