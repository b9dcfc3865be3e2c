//! Native standard-library modules, one file or folder per module.

pub mod _sre;
