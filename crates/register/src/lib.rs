//! Register code: what the interpreter runs, and how it is made from bytecode. Knows nothing of objects.

pub mod instruction;
pub mod lower;
pub mod stored;

use taipan_bytecode::verify;
