//! What the environment and the `-X` options say, as CPython reads them (`Python/initconfig.c`, `Python/preconfig.c`).

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

use taipan::Config;

use crate::options::Failure;

/// Adds them to what the command line's letters said; `warnoptions` are those of `-W`, `random_hashes` is `-R`.
pub fn apply(config: &mut Config, warnoptions: Vec<OsString>, random_hashes: bool) -> Result<(), Failure> {
    let environment = Environment { ignored: config.ignore_environment };
    preconfigure(config, &environment)?;
    environment.flag("PYTHONDEBUG", &mut config.debug);
    environment.flag("PYTHONVERBOSE", &mut config.verbose);
    let mut optimize = i64::from(config.optimize);
    environment.flag("PYTHONOPTIMIZE", &mut optimize);
    config.optimize = u8::try_from(optimize).unwrap_or(u8::MAX);
    if environment.get("PYTHONINSPECT").is_some() {
        config.inspect = config.inspect.max(1);
    }
    config.dont_write_bytecode |= environment.is_on("PYTHONDONTWRITEBYTECODE");
    config.no_user_site |= environment.is_on("PYTHONNOUSERSITE");
    config.unbuffered |= environment.is_on("PYTHONUNBUFFERED");
    config.safe_path |= environment.get("PYTHONSAFEPATH").is_some();
    if let Some(path) = environment.get("PYTHONPATH") {
        let parts = path.as_bytes().split(|byte| *byte == b':');
        config.python_path = parts.map(|part| OsStr::from_bytes(part).to_os_string()).collect();
    }
    config.python_home = environment.get("PYTHONHOME");
    if let Some(directory) = environment.get("PYTHONPLATLIBDIR") {
        config.platlibdir = directory;
    }
    if !random_hashes {
        read_hash_seed(config, &environment)?;
    }
    read_int_max_str_digits(config, &environment)?;
    read_numbers(config, &environment)?;
    config.faulthandler =
        config.dev_mode || xoption(config, "faulthandler").is_some() || environment.get("PYTHONFAULTHANDLER").is_some();
    config.code_debug_ranges =
        xoption(config, "no_debug_ranges").is_none() && environment.get("PYTHONNODEBUGRANGES").is_none();
    config.warn_default_encoding =
        xoption(config, "warn_default_encoding").is_some() || environment.get("PYTHONWARNDEFAULTENCODING").is_some();
    config.pycache_prefix = match xoption(config, "pycache_prefix") {
        Some(value) => value.filter(|value| !value.is_empty()),
        None => environment.get("PYTHONPYCACHEPREFIX"),
    };
    collect_warnoptions(config, &environment, warnoptions);
    Ok(())
}

struct Environment {
    ignored: bool,
}

impl Environment {
    /// The value of a variable that is set to something.
    fn get(&self, name: &str) -> Option<OsString> {
        if self.ignored { None } else { std::env::var_os(name).filter(|value| !value.is_empty()) }
    }

    /// Raises a flag to a variable's number; what is no number, or negative, is 1.
    fn flag(&self, name: &str, flag: &mut i64) {
        if let Some(value) = self.get(name) {
            let number = value.to_str().and_then(|text| text.parse::<i32>().ok()).filter(|n| *n >= 0).unwrap_or(1);
            *flag = (*flag).max(i64::from(number));
        }
    }

    fn is_on(&self, name: &str) -> bool {
        let mut flag = 0;
        self.flag(name, &mut flag);
        flag > 0
    }
}

/// An `-X` option, the last of that name: `Some(None)` if it has no value.
fn xoption(config: &Config, name: &str) -> Option<Option<OsString>> {
    config.xoptions.iter().rev().find(|(own, _)| own == name).map(|(_, value)| value.clone())
}

/// A start that failed.
fn fatal(function: &str, message: &str, state: &str) -> Failure {
    let function = if function.is_empty() { String::new() } else { format!("{function}: ") };
    Failure { message: format!("Fatal Python error: {function}{message}\nPython runtime state: {state}\n\n"), code: 1 }
}

fn invalid(function: &str, message: &str) -> Failure {
    fatal(function, message, "preinitialized")
}

fn preconfigure(config: &mut Config, environment: &Environment) -> Result<(), Failure> {
    config.dev_mode = xoption(config, "dev").is_some() || environment.is_on("PYTHONDEVMODE");
    let function = "preconfig_init_utf8_mode";
    config.utf8_mode = match xoption(config, "utf8") {
        Some(value) => match value.as_deref().map(OsStr::as_bytes) {
            None | Some(b"1") => Some(true),
            Some(b"0") => Some(false),
            Some(_) => return Err(fatal(function, "invalid -X utf8 option value", "preinitializing")),
        },
        None => match environment.get("PYTHONUTF8").as_deref().map(OsStr::as_bytes) {
            Some(b"1") => Some(true),
            Some(b"0") => Some(false),
            Some(_) => {
                return Err(fatal(function, "invalid PYTHONUTF8 environment variable value", "preinitializing"));
            }
            None => None,
        },
    };
    Ok(())
}

fn read_hash_seed(config: &mut Config, environment: &Environment) -> Result<(), Failure> {
    let Some(value) = environment.get("PYTHONHASHSEED").filter(|value| value != "random") else { return Ok(()) };
    let Some(seed) = value.to_str().and_then(|text| text.parse::<u32>().ok()) else {
        let message = "PYTHONHASHSEED must be \"random\" or an integer in range [0; 4294967295]";
        return Err(invalid("config_init_hash_seed", message));
    };
    config.hash_seed = Some(seed);
    config.hash_randomization = seed != 0;
    Ok(())
}

fn read_int_max_str_digits(config: &mut Config, environment: &Environment) -> Result<(), Failure> {
    let digits = |value: Option<OsString>| {
        let number = value.as_deref().and_then(OsStr::to_str).and_then(|text| text.parse::<i32>().ok());
        number.and_then(|n| usize::try_from(n).ok()).filter(|n| *n == 0 || *n >= 640)
    };
    let function = "config_init_int_max_str_digits";
    let limit = "invalid limit; must be >= 640 or 0 for unlimited.";
    if let Some(value) = environment.get("PYTHONINTMAXSTRDIGITS") {
        config.int_max_str_digits =
            digits(Some(value)).ok_or_else(|| invalid(function, &format!("PYTHONINTMAXSTRDIGITS: {limit}")))?;
    }
    if let Some(value) = xoption(config, "int_max_str_digits") {
        config.int_max_str_digits =
            digits(value).ok_or_else(|| invalid(function, &format!("-X int_max_str_digits: {limit}")))?;
    }
    Ok(())
}

fn as_number(value: Option<&OsStr>) -> Option<i32> {
    value.and_then(OsStr::to_str).and_then(|text| text.parse::<i32>().ok())
}

/// Options that are numbers, or 0 or 1.
fn read_numbers(config: &mut Config, environment: &Environment) -> Result<(), Failure> {
    if let Some(value) = environment.get("PYTHONPROFILEIMPORTTIME") {
        config.import_time = if as_number(Some(&value)) == Some(2) { 2 } else { 1 };
    }
    if let Some(value) = xoption(config, "importtime") {
        config.import_time = match as_number(value.as_deref()) {
            Some(n @ 1..=2) => n as u8,
            None => 1,
            Some(_) => {
                let message = "-X importtime: values other than 1 and 2 are reserved for future use.";
                return Err(invalid("config_init_import_time", message));
            }
        };
    }
    let tracemalloc = environment.get("PYTHONTRACEMALLOC");
    if let Some(value) = tracemalloc {
        config.tracemalloc = as_number(Some(&value))
            .filter(|n| *n >= 0)
            .map(i64::from)
            .ok_or_else(|| invalid("config_init_tracemalloc", "PYTHONTRACEMALLOC: invalid number of frames"))?;
    }
    if let Some(value) = xoption(config, "tracemalloc") {
        config.tracemalloc = match (&value, as_number(value.as_deref())) {
            (None, _) => 1,
            (_, Some(n)) if n >= 0 => i64::from(n),
            _ => {
                let message = "-X tracemalloc=NFRAME: invalid number of frames";
                return Err(invalid("config_init_tracemalloc", message));
            }
        };
    }
    read_cpu_count(config, environment)?;
    read_gil(config, environment)?;
    for (option, variable) in [
        ("thread_inherit_context", "PYTHON_THREAD_INHERIT_CONTEXT"),
        ("context_aware_warnings", "PYTHON_CONTEXT_AWARE_WARNINGS"),
    ] {
        let function = format!("config_init_{option}");
        let mut on = !config.gil;
        if let Some(value) = environment.get(variable) {
            on = match as_number(Some(&value)) {
                Some(n @ 0..=1) => n == 1,
                _ => return Err(invalid(&function, &format!("{variable}=N: N is missing or invalid"))),
            };
        }
        if let Some(value) = xoption(config, option) {
            on = match as_number(value.as_deref()) {
                Some(n @ 0..=1) => n == 1,
                _ => return Err(invalid(&function, &format!("-X {option}=n: n is missing or invalid"))),
            };
        }
        match option {
            "thread_inherit_context" => config.thread_inherit_context = on,
            _ => config.context_aware_warnings = on,
        }
    }
    let parse = |value: &[u8], option: &str| match value {
        b"on" => Ok(true),
        b"off" => Ok(false),
        _ => Err(invalid("", &format!("bad value for {option} (expected \"on\" or \"off\")"))),
    };
    if let Some(value) = environment.get("PYTHON_FROZEN_MODULES") {
        config.frozen_modules = Some(parse(value.as_bytes(), "PYTHON_FROZEN_MODULES")?);
    }
    if let Some(value) = xoption(config, "frozen_modules") {
        config.frozen_modules = match value.as_deref().map(OsStr::as_bytes) {
            None | Some(b"") => Some(true),
            Some(value) => Some(parse(value, "option -X frozen_modules")?),
        };
    }
    Ok(())
}

fn read_cpu_count(config: &mut Config, environment: &Environment) -> Result<(), Failure> {
    let message = "-X cpu_count=n option: n is missing or an invalid number, n must be greater than 0";
    let parse = |value: Option<&OsStr>| match as_number(value) {
        _ if value.is_some_and(|value| value == "default") => Ok(None),
        Some(n) if n >= 1 => Ok(Some(n)),
        _ => Err(invalid("config_init_cpu_count", message)),
    };
    if let Some(value) = environment.get("PYTHON_CPU_COUNT") {
        config.cpu_count = parse(Some(&value))?;
    }
    if let Some(value) = xoption(config, "cpu_count") {
        config.cpu_count = parse(value.as_deref())?;
    }
    Ok(())
}

fn read_gil(config: &mut Config, environment: &Environment) -> Result<(), Failure> {
    let wanted = xoption(config, "gil").or_else(|| environment.get("PYTHON_GIL").map(Some));
    let Some(value) = wanted else { return Ok(()) };
    match value.as_deref().map(OsStr::as_bytes) {
        Some(b"1") => Ok(()),
        Some(b"0") if cfg!(feature = "free-threading") => {
            config.gil = false;
            Ok(())
        }
        Some(b"0") => Err(invalid("config_read_gil", "Disabling the GIL is not supported by this build")),
        _ => Err(invalid("config_read_gil", "PYTHON_GIL / -X gil must be \"0\" or \"1\"")),
    }
}

/// `sys.warnoptions`: of the development mode, the environment, the command line and `-b`, each once.
fn collect_warnoptions(config: &mut Config, environment: &Environment, command_line: Vec<OsString>) {
    let mut options: Vec<OsString> = Vec::new();
    let mut add = |option: OsString| {
        if !options.contains(&option) {
            options.push(option);
        }
    };
    if config.dev_mode {
        add("default".into());
    }
    if let Some(value) = environment.get("PYTHONWARNINGS") {
        let parts = value.as_bytes().split(|byte| *byte == b',').filter(|part| !part.is_empty());
        parts.for_each(|part| add(OsStr::from_bytes(part).to_os_string()));
    }
    command_line.into_iter().for_each(&mut add);
    match config.bytes_warning {
        0 => {}
        1 => add("default::BytesWarning".into()),
        _ => add("error::BytesWarning".into()),
    }
    config.warnoptions = options;
}
