//! Optimises instruction sequences: reads from standard input a marshalled tuple of units (instructions, constants,
//! number of locals), where an instruction is (opcode, oparg, lineno, end_lineno, col_offset, end_col_offset) and a jump's
//! oparg an instruction index; writes the units optimised. `tests/compiler/compare_cfg.py` compares with CPython's.

use std::io::{Read, Write};

use taipan_bytecode::marshal::code::{dump_constant, load_constant};
use taipan_bytecode::{Constant, Opcode};
use taipan_compiler::flowgraph::optimize_cfg;
use taipan_compiler::instruction_sequence::{ConstTable, InstructionSequence, Label, Location};

fn items(value: &Constant) -> &[Constant] {
    match value {
        Constant::Tuple(items) => items,
        _ => panic!("a tuple is wanted"),
    }
}

fn int(value: &Constant) -> i64 {
    match value {
        Constant::Int(value) => i64::try_from(value).expect("a small int"),
        _ => panic!("an int is wanted"),
    }
}

fn unit(input: &Constant) -> Constant {
    let [instructions, constants, nlocals] = items(input) else { panic!("three parts are wanted") };
    let mut sequence = InstructionSequence::new();
    let count = items(instructions).len();
    let labels: Vec<Label> = (0..count).map(|_| sequence.new_label()).collect();
    for (index, instruction) in items(instructions).iter().enumerate() {
        let numbers: Vec<i64> = items(instruction).iter().map(int).collect();
        let opcode = Opcode::from_u16(numbers[0] as u16).expect("an opcode");
        let location = Location::new(numbers[2] as i32, numbers[3] as i32, numbers[4] as i32, numbers[5] as i32);
        sequence.use_label(labels[index]);
        if opcode.has_target() {
            sequence.addop_jump(opcode, labels[numbers[1] as usize], location);
        } else {
            sequence.addop(opcode, numbers[1] as u32, location);
        }
    }
    let mut consts = ConstTable::new();
    for constant in items(constants) {
        consts.add(constant.clone());
    }
    match optimize_cfg(sequence, &mut consts, int(nlocals) as usize) {
        Err(error) => Constant::str(error.0),
        Ok(optimized) => {
            let instructions = optimized.instructions().iter().map(|instruction| {
                let location = instruction.location;
                let numbers = [
                    instruction.opcode as i64,
                    i64::from(instruction.oparg),
                    i64::from(location.lineno),
                    i64::from(location.end_lineno),
                    i64::from(location.col_offset),
                    i64::from(location.end_col_offset),
                ];
                Constant::tuple(numbers.into_iter().map(Constant::int).collect())
            });
            Constant::tuple(vec![Constant::tuple(instructions.collect()), Constant::tuple(consts.into_constants())])
        }
    }
}

fn main() {
    let mut input = Vec::new();
    std::io::stdin().read_to_end(&mut input).expect("standard input");
    let units = load_constant(&input).expect("marshalled units");
    let results = items(&units).iter().map(unit).collect();
    let output = dump_constant(&Constant::tuple(results)).expect("small results");
    std::io::stdout().write_all(&output).expect("standard output");
}
