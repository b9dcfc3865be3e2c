//! Writing the location table (PEP 626, PEP 657) and the exception table.

use taipan_bytecode::Bytes;
use taipan_bytecode::exceptiontable::{self, Handler};
use taipan_bytecode::linetable;

use crate::instruction_sequence::{Instruction, Location};

/// The table is written to `buffer` and copied, so that it has the size it needs.
pub(super) fn location_table(
    instructions: &[Instruction],
    offsets: &[u32],
    firstlineno: i32,
    buffer: &mut Vec<u8>,
) -> Bytes {
    buffer.clear();
    let mut writer = linetable::Writer::over(firstlineno, std::mem::take(buffer));
    let mut run = Location::NONE;
    let mut start = 0;
    for (index, &offset) in offsets[..instructions.len()].iter().enumerate() {
        let location = effective_location(instructions, index);
        if location != run {
            writer.add(offset - start, position(run));
            (run, start) = (location, offset);
        }
    }
    writer.add(offsets[instructions.len()] - start, position(run));
    *buffer = writer.finish();
    buffer.to_vec().into()
}

/// An instruction's location; [`Location::NEXT`] is that of the next instruction, unless control never gets there.
fn effective_location(instructions: &[Instruction], index: usize) -> Location {
    for instruction in &instructions[index..] {
        if instruction.location.lineno != Location::NEXT.lineno || instruction.location != Location::NEXT {
            return instruction.location;
        }
        if instruction.opcode.is_terminator() {
            break;
        }
    }
    Location::NONE
}

fn position(location: Location) -> linetable::Position {
    let Location { lineno, end_lineno, col_offset, end_col_offset } = location;
    linetable::Position { lineno, end_lineno, col_offset, end_col_offset }
}

pub(super) fn exception_table(instructions: &[Instruction], offsets: &[u32]) -> Bytes {
    let mut table = Vec::new();
    let mut start = 0;
    let mut current = None;
    let ends = instructions.iter().map(|instruction| instruction.except_handler).chain([None]);
    for (handler, &offset) in ends.zip(offsets) {
        if handler.map(|info| info.label)
            == current.map(|info: crate::instruction_sequence::ExceptHandlerInfo| info.label)
        {
            continue;
        }
        if let Some(info) = current {
            let lasti = u32::from(info.preserve_lasti);
            exceptiontable::write_entry(
                &mut table,
                Handler {
                    start,
                    end: offset,
                    target: offsets[info.label.0 as usize],
                    // The handler's block starts with the exception, and the position if wanted, pushed.
                    depth: info.start_depth.saturating_sub(1 + lasti),
                    lasti: info.preserve_lasti,
                },
            );
        }
        start = offset;
        current = handler;
    }
    table.into()
}
