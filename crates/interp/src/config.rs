//! What the command line and the environment ask for. Counterpart of CPython's `PyConfig`.

use std::ffi::OsString;
use std::sync::OnceLock;

/// How the interpreter was started.
#[derive(Clone, Debug)]
pub struct Config {
    /// The program as it was called.
    pub program: OsString,
    /// `sys.argv`
    pub argv: Vec<OsString>,
    /// `sys.orig_argv`
    pub orig_argv: Vec<OsString>,
    /// `-X` options: name and value.
    pub xoptions: Vec<(OsString, Option<OsString>)>,
    /// `sys.warnoptions`
    pub warnoptions: Vec<OsString>,
    /// `PYTHONPATH`, split.
    pub python_path: Vec<OsString>,
    pub python_home: Option<OsString>,
    pub platlibdir: OsString,
    pub optimize: u8,
    pub verbose: i64,
    pub debug: i64,
    pub inspect: i64,
    pub interactive: i64,
    pub quiet: i64,
    pub isolated: bool,
    pub ignore_environment: bool,
    pub no_site: bool,
    pub no_user_site: bool,
    pub dont_write_bytecode: bool,
    pub bytes_warning: i64,
    pub unbuffered: bool,
    pub safe_path: bool,
    /// `None`: by the locale.
    pub utf8_mode: Option<bool>,
    pub dev_mode: bool,
    pub warn_default_encoding: bool,
    pub hash_randomization: bool,
    /// `PYTHONHASHSEED`; `None`: random.
    pub hash_seed: Option<u32>,
    pub int_max_str_digits: usize,
    pub pycache_prefix: Option<OsString>,
    /// `-X frozen_modules`; `None`: unless there is a library on the disk.
    pub frozen_modules: Option<bool>,
    /// `-X importtime`: 0, 1 or 2.
    pub import_time: u8,
    /// `-X no_debug_ranges` turns it off.
    pub code_debug_ranges: bool,
    /// `-X cpu_count`
    pub cpu_count: Option<i32>,
    /// Whether threads have to hold the GIL; `-X gil=0` lets them run at the same time.
    pub gil: bool,
    pub thread_inherit_context: bool,
    pub context_aware_warnings: bool,
    pub faulthandler: bool,
    /// `-X tracemalloc`: the number of frames kept; 0 for off.
    pub tracemalloc: i64,
    /// `--check-hash-based-pycs`
    pub check_hash_based_pycs: &'static str,
    /// `-x`: the first line of the program is not Python.
    pub skip_source_first_line: bool,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            program: "taipan".into(),
            argv: vec![OsString::new()],
            orig_argv: Vec::new(),
            xoptions: Vec::new(),
            warnoptions: Vec::new(),
            python_path: Vec::new(),
            python_home: None,
            platlibdir: "lib".into(),
            optimize: 0,
            verbose: 0,
            debug: 0,
            inspect: 0,
            interactive: 0,
            quiet: 0,
            isolated: false,
            ignore_environment: false,
            no_site: false,
            no_user_site: false,
            dont_write_bytecode: false,
            bytes_warning: 0,
            unbuffered: false,
            safe_path: false,
            utf8_mode: None,
            dev_mode: false,
            warn_default_encoding: false,
            hash_randomization: true,
            hash_seed: None,
            int_max_str_digits: 4300,
            pycache_prefix: None,
            frozen_modules: None,
            import_time: 0,
            code_debug_ranges: true,
            cpu_count: None,
            gil: true,
            thread_inherit_context: false,
            context_aware_warnings: false,
            faulthandler: false,
            tracemalloc: 0,
            check_hash_based_pycs: "default",
            skip_source_first_line: false,
        }
    }
}

static CONFIG: OnceLock<Config> = OnceLock::new();

/// Sets the configuration, once, before the interpreter starts.
pub fn set(config: Config) {
    let _ = CONFIG.set(config);
}

/// The configuration.
pub fn get() -> &'static Config {
    CONFIG.get_or_init(Config::default)
}
