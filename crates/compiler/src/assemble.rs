//! From optimised instructions to a code object: code bytes, location table, exception table, local kinds.

use taipan_bytecode::{CodeData, Text};

use crate::instruction_sequence::{CodeUnitMetadata, InstructionSequence};

/// A flaw of the compiler itself; Python sees SystemError with this text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InternalError(pub &'static str);

/// Optimises the instructions of a code unit and makes its code object; `flags` are `co_flags`.
pub fn optimize_and_assemble(
    unit: CodeUnitMetadata,
    sequence: InstructionSequence,
    flags: u32,
    filename: Text,
) -> Result<CodeData, InternalError> {
    let _ = (unit, sequence, flags, filename);
    Err(InternalError("the assembler is not there yet"))
}
