//! Native standard-library modules, one file or folder per module.

use taipan_object::native::module::ModuleDef;

mod payload;

pub mod _abc;
pub mod _codecs;
pub mod _operator;
pub mod _sre;
pub mod _weakref;

/// What the import system looks native modules up in.
#[rustfmt::skip]
pub static MODULES: &[&ModuleDef] = &[
    &_abc::MODULE,
    &_codecs::MODULE,
    &_operator::MODULE,
    &_weakref::MODULE,
];
