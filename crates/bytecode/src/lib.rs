//! The 3.14 instruction set, code-object data, line and exception tables, and marshal. Knows nothing of objects.
#![forbid(unsafe_code)]

pub mod code;
pub mod constant;
pub mod exceptiontable;
pub mod linetable;
pub mod marshal;
pub mod oparg;
pub mod opcode;
pub mod packed;
pub mod pyc;
pub mod text;
pub mod verify;

pub use code::{Bytes, CodeData, SharedCode};
pub use constant::Constant;
pub use opcode::Opcode;
pub use text::Text;
