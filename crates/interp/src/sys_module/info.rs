//! What `sys` says of the build and the start: versions, flags, limits, paths.

use super::stdlib_names::STDLIB_MODULE_NAMES;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use taipan_object::builtins::set;

use taipan_object::builtins::dict::Dict;
use taipan_object::builtins::list::List;
use taipan_object::builtins::namespace;
use taipan_object::builtins::str::Str;
use taipan_object::builtins::structseq::StructSeq;
use taipan_object::builtins::tuple::Tuple;
use taipan_object::native::module::Module;
use taipan_object::{Result, Value, Vm};

use crate::config::{self, Config};
use crate::getpath;

/// The version of the language and library that this is.
pub const VERSION: (i64, i64, i64) = (3, 14, 0);
pub const HEXVERSION: i64 = VERSION.0 << 24 | VERSION.1 << 16 | VERSION.2 << 8 | 0xF0;
const CACHE_TAG: &str = "taipan-314";
const MULTIARCH: &str = if cfg!(target_arch = "x86_64") { "x86_64-linux-gnu" } else { "aarch64-linux-gnu" };

static VERSION_INFO: StructSeq = StructSeq::new(
    "sys.version_info",
    "sys.version_info\n\nThe version of the language, as a named tuple.",
    &[Some("major"), Some("minor"), Some("micro"), Some("releaselevel"), Some("serial")],
    5,
)
.sealed();

static FLAGS: StructSeq = StructSeq::new(
    "sys.flags",
    "sys.flags\n\nWhat the options of the command line, or their environment variables, set.",
    &[
        Some("debug"),
        Some("inspect"),
        Some("interactive"),
        Some("optimize"),
        Some("dont_write_bytecode"),
        Some("no_user_site"),
        Some("no_site"),
        Some("ignore_environment"),
        Some("verbose"),
        Some("bytes_warning"),
        Some("quiet"),
        Some("hash_randomization"),
        Some("isolated"),
        Some("dev_mode"),
        Some("utf8_mode"),
        Some("warn_default_encoding"),
        Some("safe_path"),
        Some("int_max_str_digits"),
        Some("gil"),
        Some("thread_inherit_context"),
        Some("context_aware_warnings"),
    ],
    18,
)
.sealed();

static FLOAT_INFO: StructSeq = StructSeq::new(
    "sys.float_info",
    "sys.float_info\n\n\
     Limits and precision of floats, as a named tuple.  The names are those\n\
     of the constants of C's float.h, in lower case and without DBL_.",
    &[
        Some("max"),
        Some("max_exp"),
        Some("max_10_exp"),
        Some("min"),
        Some("min_exp"),
        Some("min_10_exp"),
        Some("dig"),
        Some("mant_dig"),
        Some("epsilon"),
        Some("radix"),
        Some("rounds"),
    ],
    11,
);

static INT_INFO: StructSeq = StructSeq::new(
    "sys.int_info",
    "sys.int_info\n\n\
     How integers are stored, and what limits their conversion from and to\n\
     strings, as a named tuple.",
    &[Some("bits_per_digit"), Some("sizeof_digit"), Some("default_max_str_digits"), Some("str_digits_check_threshold")],
    4,
);

static HASH_INFO: StructSeq = StructSeq::new(
    "sys.hash_info",
    "hash_info\n\nHow hashes of numbers and strings are computed, as a named tuple.",
    &[
        Some("width"),
        Some("modulus"),
        Some("inf"),
        Some("nan"),
        Some("imag"),
        Some("algorithm"),
        Some("hash_bits"),
        Some("seed_bits"),
        Some("cutoff"),
    ],
    9,
);

static THREAD_INFO: StructSeq = StructSeq::new(
    "sys.thread_info",
    "sys.thread_info\n\nHow threads and their locks are implemented, as a named tuple.",
    &[Some("name"), Some("lock"), Some("version")],
    3,
);

/// Text from the system as a str.
fn text(item: impl AsRef<OsStr>) -> Value {
    Str::from_fs_bytes(item.as_ref().as_bytes()).into_value()
}

fn strings<T: AsRef<OsStr>>(items: &[T]) -> Value {
    List::from_vec(items.iter().map(text).collect()).into_value()
}

/// `sys.version`
pub fn version() -> String {
    let (major, minor, micro) = VERSION;
    format!("{major}.{minor}.{micro} (Taipan {}) [Rust]", env!("CARGO_PKG_VERSION"))
}

/// Adds the attributes that do not change.
pub fn add(vm: &Vm, module: &Module) -> Result<()> {
    let config = config::get();
    let version_info = VERSION_INFO.instance(
        vm,
        vec![
            Value::from(VERSION.0),
            Value::from(VERSION.1),
            Value::from(VERSION.2),
            Value::from("final"),
            Value::from(0),
        ],
    )?;
    module.set("version_info", version_info.clone());
    module.set("hexversion", Value::from(HEXVERSION));
    module.set("api_version", Value::from(1013));
    module.set("version", Value::from(version()));
    module.set("copyright", Value::from("Copyright (c) the Taipan developers"));
    module.set("_git", Tuple::from_vec(["Taipan", "", ""].map(Value::from).to_vec()).into_value());
    module.set("_framework", Value::from(""));
    module.set("abiflags", Value::from(""));
    module.set("platform", Value::from(std::env::consts::OS));
    module.set("platlibdir", text(&config.platlibdir));
    module.set("byteorder", Value::from(if cfg!(target_endian = "little") { "little" } else { "big" }));
    module.set("maxsize", Value::from(i64::MAX));
    module.set("maxunicode", Value::from(0x10FFFF));
    module.set("float_repr_style", Value::from("short"));
    module.set(
        "implementation",
        namespace::new(vec![
            ("name", Value::from("taipan")),
            ("cache_tag", Value::from(CACHE_TAG)),
            ("version", version_info),
            ("hexversion", Value::from(HEXVERSION)),
            ("_multiarch", Value::from(MULTIARCH)),
            ("supports_isolated_interpreters", Value::FALSE),
        ]),
    );
    module.set("flags", flags(vm, config)?);
    add_numeric_info(vm, module)?;
    add_paths(module, config);
    let names = crate::import::native_names();
    let library: Vec<Value> =
        STDLIB_MODULE_NAMES.iter().map(|name| taipan_object::builtins::str::intern(name).into_value()).collect();
    module.set("stdlib_module_names", set::frozen_from_keys(vm, &library)?);
    module.set("builtin_module_names", Tuple::from_vec(names.into_iter().map(Value::from).collect()).into_value());
    Ok(())
}

fn add_numeric_info(vm: &Vm, module: &Module) -> Result<()> {
    let float = FLOAT_INFO.instance(
        vm,
        vec![
            Value::from(f64::MAX),
            Value::from(f64::MAX_EXP),
            Value::from(f64::MAX_10_EXP),
            Value::from(f64::MIN_POSITIVE),
            Value::from(f64::MIN_EXP),
            Value::from(f64::MIN_10_EXP),
            Value::from(f64::DIGITS),
            Value::from(f64::MANTISSA_DIGITS),
            Value::from(f64::EPSILON),
            Value::from(f64::RADIX),
            Value::from(1),
        ],
    )?;
    module.set("float_info", float);
    module.set("int_info", INT_INFO.instance(vm, [30, 4, 4300, 640].map(Value::from).to_vec())?);
    let hash = HASH_INFO.instance(
        vm,
        vec![
            Value::from(64),
            Value::from(taipan_object::hash::MODULUS),
            Value::from(314159),
            Value::from(0),
            Value::from(1000003),
            Value::from("siphash13"),
            Value::from(64),
            Value::from(128),
            Value::from(0),
        ],
    )?;
    module.set("hash_info", hash);
    let thread = [Value::from("pthread"), Value::from("semaphore"), thread_library()].to_vec();
    module.set("thread_info", THREAD_INFO.instance(vm, thread)?);
    Ok(())
}

/// The name and version of the C library's threads.
fn thread_library() -> Value {
    const CS_GNU_LIBPTHREAD_VERSION: i32 = 3;
    let mut buffer = [0u8; 64];
    // SAFETY: the buffer has the given length; the result is a C string.
    let length = unsafe { libc::confstr(CS_GNU_LIBPTHREAD_VERSION, buffer.as_mut_ptr().cast(), buffer.len()) };
    match length.checked_sub(1).and_then(|end| buffer.get(..end)) {
        Some(version) => Value::from(String::from_utf8_lossy(version).into_owned()),
        None => Value::NONE,
    }
}

fn flags(vm: &Vm, config: &Config) -> Result {
    let int = |on: bool| Value::from(i32::from(on));
    FLAGS.instance(
        vm,
        vec![
            int(config.debug > 0),
            int(config.inspect > 0),
            int(config.interactive > 0),
            Value::from(i32::from(config.optimize)),
            int(config.dont_write_bytecode),
            int(config.no_user_site),
            int(config.no_site),
            int(config.ignore_environment),
            Value::from(config.verbose),
            Value::from(config.bytes_warning),
            int(config.quiet > 0),
            int(config.hash_randomization),
            int(config.isolated),
            Value::bool(config.dev_mode),
            int(config.utf8_mode.unwrap_or(false)),
            int(config.warn_default_encoding),
            Value::bool(config.safe_path),
            Value::from(config.int_max_str_digits),
            int(config.gil),
            int(config.thread_inherit_context),
            int(config.context_aware_warnings),
        ],
    )
}

fn add_paths(module: &Module, config: &Config) {
    let paths = getpath::get();
    module.set("prefix", text(&paths.prefix));
    module.set("exec_prefix", text(&paths.exec_prefix));
    module.set("base_prefix", text(&paths.base_prefix));
    module.set("base_exec_prefix", text(&paths.base_exec_prefix));
    module.set("executable", text(&paths.executable));
    module.set("_base_executable", text(&paths.base_executable));
    module.set("_stdlib_dir", text(&paths.stdlib_dir));
    module.set("pycache_prefix", config.pycache_prefix.as_ref().map_or(Value::NONE, text));
    module.set("dont_write_bytecode", Value::bool(config.dont_write_bytecode));
    module.set("argv", strings(&config.argv));
    module.set("orig_argv", strings(&config.orig_argv));
    module.set("warnoptions", strings(&config.warnoptions));
    let xoptions = Dict::new();
    for (name, value) in &config.xoptions {
        let value = value.as_ref().map_or(Value::TRUE, text);
        let name = taipan_object::builtins::str::intern_value(text(name));
        xoptions.set_str(&name, value);
    }
    module.set("_xoptions", xoptions.into_value());
    module.set("path", strings(&paths.path));
    for name in ["path_hooks", "meta_path"] {
        module.set(name, List::from_vec(Vec::new()).into_value());
    }
    module.set("path_importer_cache", Dict::new().into_value());
}
