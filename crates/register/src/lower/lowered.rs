//! What lowering makes: register code, and what there is to know of it beyond what it takes to run it.

use std::cell::Cell;
use std::ops::Deref;
use std::sync::OnceLock;

use crate::stored::StoredTables;

/// Where the value of a stack slot is, at a [`Site`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Slot {
    /// In its register, which owns it. It may be null.
    Own,
    /// Nowhere: it is null.
    Null,
    /// In this local; nothing is in the register. An argument made from it owns its value if `copy` (LOAD_FAST) and
    /// borrows it otherwise (LOAD_FAST_BORROW): `sys.getrefcount` shows the difference.
    Local { local: u16, copy: bool },
    /// A constant (an index into the constants, see [`Lowered::small_ints`]); nothing is in the register.
    Const(u32),
    /// In its register, but the local with this number (or, for None, the code object) owns it. It may be null.
    Borrowed(Option<u16>),
    /// In the register of this stack slot, which owns it.
    Alias(u16),
}

impl Slot {
    /// A number that slots which differ may share.
    pub(super) fn bits(self) -> u32 {
        match self {
            Slot::Own => 1,
            Slot::Null => 2,
            Slot::Local { local, copy } => (u32::from(local) << 4) + 3 + u32::from(copy),
            Slot::Const(index) => (index << 4) + 5,
            Slot::Borrowed(local) => (u32::from(local.unwrap_or(u16::MAX)) << 4) + 6,
            Slot::Alias(slot) => (u32::from(slot) << 4) + 7,
        }
    }
}

/// What there is to know about an instruction that may call, raise or collect.
#[derive(Clone, Copy, Debug)]
pub struct Site {
    /// The index of its first word.
    pub pc: u32,
    /// `f_lasti / 2`.
    pub unit: u32,
    /// Index into [`Lowered::handlers`], or [`NO_HANDLER`].
    pub handler: u32,
    /// Index into [`Lowered::maps`]: the stack without what the instruction consumes.
    pub map: u32,
}

/// An exception handler.
#[derive(Clone, Copy, Debug)]
pub struct HandlerEntry {
    pub pc: u32,
    pub depth: u32,
    pub push_lasti: bool,
}

/// Register code.
#[derive(Debug)]
pub struct Lowered {
    pub words: Vec<u64>,
    pub nlocalsplus: u32,
    /// Size of the frame window.
    pub registers: u32,
    /// Bit i: local i, one of the first 32, is assigned or deleted.
    pub assigned: u32,
    /// Constants beyond `co_consts`, in order: the operands of LOAD_SMALL_INT.
    pub small_ints: Vec<u8>,
    /// In the debug lowering, for each unit of the bytecode that starts a reachable instruction, the index of the first
    /// word made from it or from its successors (or [`NO_PC`])
    pub pc_of_unit: Vec<u32>,
    pub(super) tables: OnceLock<Tables>,
    /// What the tables are read from when they are first needed, if they were made by the build.
    pub(super) stored: Option<StoredTables>,
}

impl Lowered {
    /// Register code whose tables have yet to be read.
    pub(crate) fn from_stored(
        words: Vec<u64>,
        [nlocalsplus, registers, assigned]: [u32; 3],
        small_ints: Vec<u8>,
        tables: StoredTables,
    ) -> Lowered {
        let (pc_of_unit, stored) = (Vec::new(), Some(tables));
        Lowered { words, nlocalsplus, registers, assigned, small_ints, pc_of_unit, tables: OnceLock::new(), stored }
    }
}

/// What there is to know of register code beyond what it takes to run it.
#[derive(Debug)]
pub struct Tables {
    /// By ascending `pc`.
    pub sites: Vec<Site>,
    pub handlers: Vec<HandlerEntry>,
    pub maps: Vec<Box<[Slot]>>,
}

impl Deref for Lowered {
    type Target = Tables;

    fn deref(&self) -> &Tables {
        let read = || self.stored.as_ref().expect("what has no tables was stored").read();
        self.tables.get_or_init(read)
    }
}

pub const NO_PC: u32 = u32::MAX;

const GUESSES: usize = 64;

thread_local! {
    /// The index at which a site was last found, by the address of its instruction: a program that raises in a loop
    /// looks for few. Whether a guess is right, the site tells.
    static SITE_GUESSES: [Cell<u32>; GUESSES] = const { [const { Cell::new(0) }; GUESSES] };
}

impl Lowered {
    pub fn site(&self, pc: u32) -> Option<&Site> {
        let address = self.words.as_ptr() as usize / size_of::<u64>() + pc as usize;
        SITE_GUESSES.with(|guesses| {
            let guess = &guesses[address % GUESSES];
            if let Some(site) = self.sites.get(guess.get() as usize)
                && site.pc == pc
            {
                return Some(site);
            }
            let index = self.sites.partition_point(|site| site.pc < pc);
            guess.set(index as u32);
            self.sites.get(index).filter(|site| site.pc == pc)
        })
    }

    /// `f_lasti / 2` at the instruction at `pc`, or else at the next one that has a site, or at the last. Neither allocates
    /// nor panics.
    pub fn unit_at(&self, pc: u32) -> u32 {
        if let (None, Some(stored)) = (self.tables.get(), &self.stored) {
            return stored.unit_at(pc);
        }
        if let Some(site) = self.site(pc) {
            return site.unit;
        }
        let index = self.sites.partition_point(|site| site.pc < pc);
        self.sites.get(index).or(self.sites.last()).map_or(0, |site| site.unit)
    }
}
