//! The instructions of a code unit in the order of emission: what the code generator writes, what the flow graph is
//! built from, and what the assembler reads.
//!
//! Jumps name labels. A label means the place where [`InstructionSequence::use_label`] was called, that is, the next
//! instruction added. [`InstructionSequence::apply_label_map`] turns labels into instruction indices.

use taipan_bytecode::{Constant, Opcode, Text};

use std::hash::{Hash, Hasher};

use crate::hash_index::{FastHasher, HashIndex};

/// A range of source text: lines from 1, columns in bytes of UTF-8 from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Location {
    pub lineno: i32,
    pub end_lineno: i32,
    pub col_offset: i32,
    pub end_col_offset: i32,
}

impl Location {
    /// For instructions that stem from no source text.
    pub const NONE: Location = Location { lineno: -1, end_lineno: -1, col_offset: -1, end_col_offset: -1 };
    /// Takes the place of the next instruction's location.
    pub const NEXT: Location = Location { lineno: -2, end_lineno: -2, col_offset: -2, end_col_offset: -2 };

    pub const fn new(lineno: i32, end_lineno: i32, col_offset: i32, end_col_offset: i32) -> Location {
        Location { lineno, end_lineno, col_offset, end_col_offset }
    }
}

/// A place to jump to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Label(pub u32);

/// What the exception table says of an instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExceptHandlerInfo {
    /// The handler: a label, or after [`InstructionSequence::apply_label_map`] an instruction's index.
    pub label: Label,
    /// The depth of the stack that the handler's values are pushed on.
    pub start_depth: u32,
    pub preserve_lasti: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Instruction {
    pub opcode: Opcode,
    /// A [`Label`]'s number for instructions with a target.
    pub oparg: u32,
    pub location: Location,
    pub except_handler: Option<ExceptHandlerInfo>,
}

#[derive(Clone, Debug, Default)]
pub struct InstructionSequence {
    instructions: Vec<Instruction>,
    /// The instruction index of each label; `usize::MAX` until it is used.
    label_map: Vec<usize>,
    /// Whether `oparg`s of jumps are indices already.
    labels_applied: bool,
    annotations_code: Option<Box<InstructionSequence>>,
    nested: Vec<InstructionSequence>,
}

const UNUSED: usize = usize::MAX;

impl InstructionSequence {
    pub fn new() -> InstructionSequence {
        InstructionSequence::default()
    }

    /// An empty sequence that writes to memory already there.
    pub(crate) fn in_place_of(mut instructions: Vec<Instruction>) -> InstructionSequence {
        instructions.clear();
        InstructionSequence { instructions, ..InstructionSequence::default() }
    }

    pub(crate) fn into_instructions(self) -> Vec<Instruction> {
        self.instructions
    }

    /// A sequence whose targets and handlers are instruction indices.
    pub(crate) fn from_resolved(instructions: Vec<Instruction>) -> InstructionSequence {
        InstructionSequence { instructions, labels_applied: true, ..InstructionSequence::default() }
    }

    pub fn new_label(&mut self) -> Label {
        self.label_map.push(UNUSED);
        Label((self.label_map.len() - 1) as u32)
    }

    /// Lets `label` mean the next instruction that is added.
    pub fn use_label(&mut self, label: Label) {
        self.label_map[label.0 as usize] = self.instructions.len();
    }

    /// Adds an instruction that is no jump; `oparg` is 0 for those without argument.
    pub fn addop(&mut self, opcode: Opcode, oparg: u32, location: Location) {
        debug_assert!(opcode.has_arg() || oparg == 0, "{}", opcode.name());
        self.instructions.push(Instruction { opcode, oparg, location, except_handler: None });
    }

    /// Adds a jump or a SETUP pseudo-instruction.
    pub fn addop_jump(&mut self, opcode: Opcode, target: Label, location: Location) {
        debug_assert!(opcode.has_target() && !opcode.is_assembler(), "{}", opcode.name());
        self.instructions.push(Instruction { opcode, oparg: target.0, location, except_handler: None });
    }

    /// Adds LOAD_CONST of a constant that is entered into the unit's table.
    pub fn addop_load_const(&mut self, consts: &mut ConstTable, constant: Constant, location: Location) {
        let index = consts.add(constant);
        self.addop(Opcode::LOAD_CONST, index, location);
    }

    /// Puts an instruction (no jump) before that with the given index; labels of later places move along.
    pub fn insert(&mut self, index: usize, opcode: Opcode, oparg: u32, location: Location) {
        self.instructions.insert(index, Instruction { opcode, oparg, location, except_handler: None });
        for place in &mut self.label_map {
            if *place != UNUSED && *place >= index {
                *place += 1;
            }
        }
    }

    pub fn push(&mut self, instruction: Instruction) {
        self.instructions.push(instruction);
    }

    /// The code that takes the place of ANNOTATIONS_PLACEHOLDER; it must hold no jumps.
    pub fn set_annotations_code(&mut self, annotations: InstructionSequence) {
        self.annotations_code = Some(Box::new(annotations));
    }

    pub(crate) fn take_annotations_code(&mut self) -> Option<InstructionSequence> {
        self.annotations_code.take().map(|code| *code)
    }

    /// Keeps the sequence of a nested code unit for those who look at the code generator's work.
    pub fn add_nested(&mut self, nested: InstructionSequence) {
        self.nested.push(nested);
    }

    pub fn nested(&self) -> &[InstructionSequence] {
        &self.nested
    }

    pub fn instructions(&self) -> &[Instruction] {
        &self.instructions
    }

    pub(crate) fn instructions_mut(&mut self) -> &mut [Instruction] {
        &mut self.instructions
    }

    pub fn len(&self) -> usize {
        self.instructions.len()
    }

    pub fn is_empty(&self) -> bool {
        self.instructions.is_empty()
    }

    /// Replaces labels in jumps by the indices of the instructions they mean, and shows each instruction to `see`. Handlers
    /// stay as they are.
    pub(crate) fn apply_labels_to<E>(&mut self, mut see: impl FnMut(&Instruction) -> Result<(), E>) -> Result<(), E> {
        for instruction in &mut self.instructions {
            if instruction.opcode.has_target()
                && !self.labels_applied
                && let Some(&index) = self.label_map.get(instruction.oparg as usize)
            {
                instruction.oparg = index as u32;
            }
            see(instruction)?;
        }
        self.label_map.clear();
        self.labels_applied = true;
        Ok(())
    }

    /// Replaces labels, in jumps and handlers, by the indices of the instructions they mean.
    pub fn apply_label_map(&mut self) {
        if self.labels_applied {
            return;
        }
        let map = |label: u32| self.label_map.get(label as usize).map_or(label, |&index| index as u32);
        for instruction in &mut self.instructions {
            if instruction.opcode.has_target() {
                instruction.oparg = map(instruction.oparg);
            }
            if let Some(handler) = &mut instruction.except_handler {
                handler.label = Label(map(handler.label.0));
            }
        }
        self.label_map.clear();
        self.labels_applied = true;
    }
}

/// The constants of a code unit, equal ones shared, numbered in the order of their first use.
#[derive(Clone, Debug, Default)]
pub struct ConstTable {
    constants: Vec<Constant>,
    index: HashIndex,
}

fn hash_of_constant(constant: &Constant) -> u32 {
    let mut hasher = FastHasher::default();
    constant.hash(&mut hasher);
    hasher.finish() as u32
}

impl ConstTable {
    pub fn new() -> ConstTable {
        ConstTable::default()
    }

    /// The index of the constant, which is entered unless an equal one is there.
    pub fn add(&mut self, constant: Constant) -> u32 {
        let hash = hash_of_constant(&constant);
        let found = self.index.find(hash, |at| self.constants[at] == constant);
        let index = found.unwrap_or_else(|| {
            self.index.push(hash);
            self.constants.push(constant);
            self.constants.len() - 1
        });
        index as u32
    }

    /// Keeps the constants that are marked; the others' indices are taken by those behind.
    pub(crate) fn retain(&mut self, keep: &[bool]) {
        let mut keep = keep.iter().copied().chain(std::iter::repeat(true));
        self.constants.retain(|_| keep.next().unwrap_or(true));
        self.index = HashIndex::default();
        for constant in &self.constants {
            self.index.push(hash_of_constant(constant));
        }
    }

    pub fn constants(&self) -> &[Constant] {
        &self.constants
    }

    pub fn into_constants(self) -> Vec<Constant> {
        self.constants
    }
}

/// What a code object holds besides its instructions.
#[derive(Clone, Debug)]
pub struct CodeUnitMetadata {
    pub name: Text,
    pub qualname: Text,
    pub consts: ConstTable,
    pub names: Vec<Text>,
    /// Locals; arguments first, in the order posonly, pos-or-kw, kwonly, `*args`, `**kwargs`.
    pub varnames: Vec<Text>,
    pub cellvars: Vec<Text>,
    pub freevars: Vec<Text>,
    /// Locals of inlined comprehensions in a class or module.
    pub fasthidden: Vec<Text>,
    /// Positional arguments, positional-only ones included.
    pub argcount: u32,
    pub posonlyargcount: u32,
    pub kwonlyargcount: u32,
    pub firstlineno: i32,
}
