//! Frozen modules: those that are imported from the binary under the name alone. Counterpart of the tables in CPython's
//! `Python/frozen.c`.
//!
//! Their code is that of the embedded library's files. `imp.rs` has the functions that `FrozenImporter` calls.

use std::sync::atomic::{AtomicI64, Ordering::Relaxed};

use taipan_object::{Ref, Result, Value, Vm};

use super::embedded;
use crate::code::Code;

/// A module in the binary.
pub struct Frozen {
    pub name: &'static str,
    pub is_package: bool,
    /// The module of the library that this is; `<package` for a package's `__init__` under that name; none for one that
    /// the library does not have.
    pub origname: Option<&'static str>,
}

const fn module(name: &'static str) -> Frozen {
    Frozen { name, is_package: false, origname: Some(name) }
}

const fn package(name: &'static str) -> Frozen {
    Frozen { name, is_package: true, origname: Some(name) }
}

const fn alias(name: &'static str, origname: &'static str) -> Frozen {
    Frozen { name, is_package: false, origname: Some(origname) }
}

/// The import system, which is frozen whatever `-X frozen_modules` says.
static BOOTSTRAP: &[Frozen] = &[
    alias("_frozen_importlib", "importlib._bootstrap"),
    alias("_frozen_importlib_external", "importlib._bootstrap_external"),
    module("zipimport"),
];

/// What CPython has frozen to start faster, and the modules for tests of frozen modules.
static LIBRARY: &[Frozen] = &[
    module("abc"),
    module("codecs"),
    module("io"),
    module("_collections_abc"),
    module("_sitebuiltins"),
    module("genericpath"),
    module("ntpath"),
    module("posixpath"),
    module("os"),
    module("site"),
    module("stat"),
    module("importlib.util"),
    module("importlib.machinery"),
    module("runpy"),
    module("__hello__"),
    alias("__hello_alias__", "__hello__"),
    Frozen { name: "__phello_alias__", is_package: true, origname: Some("__hello__") },
    alias("__phello_alias__.spam", "__hello__"),
    package("__phello__"),
    alias("__phello__.__init__", "<__phello__"),
    package("__phello__.ham"),
    alias("__phello__.ham.__init__", "<__phello__.ham"),
    module("__phello__.ham.eggs"),
    module("__phello__.spam"),
    Frozen { name: "__hello_only__", is_package: false, origname: None },
];

/// Where the library has the files of modules that no path leads to.
const ONLY_FROZEN: &str = "frozen-only";

/// Greater than 0: the library's frozen modules are used; less: they are not; 0: as the interpreter was started.
static OVERRIDE: AtomicI64 = AtomicI64::new(0);

/// `_imp._override_frozen_modules_for_tests(override)`
pub fn override_for_tests(with: i64) {
    OVERRIDE.store(with, Relaxed);
}

/// A library on the disk takes the place of the one in the binary, unless `-X frozen_modules=on` wants that.
fn is_library_frozen() -> bool {
    match OVERRIDE.load(Relaxed) {
        0 => crate::config::get().frozen_modules.unwrap_or_else(|| !embedded::is_on_disk()),
        with => with > 0,
    }
}

/// The frozen modules that can be imported.
pub fn all() -> impl Iterator<Item = &'static Frozen> {
    let library = if is_library_frozen() { LIBRARY } else { &[] };
    BOOTSTRAP.iter().chain(library)
}

/// The frozen module of this name.
pub fn find(name: &str) -> Option<&'static Frozen> {
    all().find(|frozen| frozen.name == name)
}

impl Frozen {
    /// The name in the code's `co_filename`.
    fn code_name(&self) -> &'static str {
        match self.origname {
            Some(name) => name.trim_start_matches('<'),
            None => "frozen_only",
        }
    }

    /// The module's code; an `ImportError` if the library lacks the file.
    pub fn code(&self, vm: &Vm) -> Result<Ref<Code>> {
        let path = match self.origname {
            Some(name) => name.trim_start_matches('<').replace('.', "/"),
            None => format!("{ONLY_FROZEN}/{}", self.name),
        };
        let is_package =
            self.origname.is_some_and(|name| name.starts_with('<') || self.is_package && name == self.name);
        let path = if is_package { path + "/__init__.py" } else { path + ".py" };
        let filename = Value::from(format!("<frozen {}>", self.code_name()));
        match embedded::code_of(vm, &path, &filename)? {
            Some(code) => Ok(code),
            None => Err(vm.import_error(format!("the embedded library lacks {path}"))),
        }
    }
}
