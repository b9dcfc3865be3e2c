//! Native standard-library modules, one file or folder per module.

use taipan_object::native::module::ModuleDef;

pub mod _abc;
pub mod _codecs;
pub mod _sre;

/// What the import system looks native modules up in.
pub static MODULES: &[&ModuleDef] = &[&_abc::MODULE, &_codecs::MODULE];
