//! What the command line and the environment ask for. Counterpart of CPython's `PyConfig`.

use std::sync::OnceLock;

/// How the interpreter was started.
#[derive(Clone, Debug)]
pub struct Config {
    /// The program as it was called, and its absolute path.
    pub program: String,
    pub executable: String,
    /// `sys.argv`
    pub argv: Vec<String>,
    /// `sys.orig_argv`
    pub orig_argv: Vec<String>,
    /// `-X` options: name and value.
    pub xoptions: Vec<(String, Option<String>)>,
    /// `-W` options, in order.
    pub warnoptions: Vec<String>,
    /// `PYTHONPATH`, split.
    pub python_path: Vec<String>,
    pub python_home: Option<String>,
    pub optimize: u8,
    pub verbose: i64,
    pub debug: i64,
    pub inspect: bool,
    pub interactive: bool,
    pub quiet: bool,
    pub isolated: bool,
    pub ignore_environment: bool,
    pub no_site: bool,
    pub no_user_site: bool,
    pub dont_write_bytecode: bool,
    pub bytes_warning: i64,
    pub unbuffered: bool,
    pub safe_path: bool,
    pub utf8_mode: bool,
    pub dev_mode: bool,
    pub warn_default_encoding: bool,
    pub hash_randomization: bool,
    /// `PYTHONHASHSEED`; `None`: random.
    pub hash_seed: Option<u32>,
    pub int_max_str_digits: usize,
    pub pycache_prefix: Option<String>,
    pub import_time: bool,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            program: "taipan".to_string(),
            executable: String::new(),
            argv: vec![String::new()],
            orig_argv: Vec::new(),
            xoptions: Vec::new(),
            warnoptions: Vec::new(),
            python_path: Vec::new(),
            python_home: None,
            optimize: 0,
            verbose: 0,
            debug: 0,
            inspect: false,
            interactive: false,
            quiet: false,
            isolated: false,
            ignore_environment: false,
            no_site: false,
            no_user_site: false,
            dont_write_bytecode: false,
            bytes_warning: 0,
            unbuffered: false,
            safe_path: false,
            utf8_mode: false,
            dev_mode: false,
            warn_default_encoding: false,
            hash_randomization: true,
            hash_seed: None,
            int_max_str_digits: 4300,
            pycache_prefix: None,
            import_time: false,
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

impl Config {
    /// `sys.prefix`: two levels above the executable's directory, or `PYTHONHOME`.
    pub fn prefix(&self) -> String {
        if let Some(home) = &self.python_home {
            return home.split(':').next().unwrap_or_default().to_string();
        }
        let path = std::path::Path::new(&self.executable);
        match path.parent().and_then(std::path::Path::parent) {
            Some(prefix) if !prefix.as_os_str().is_empty() => prefix.to_string_lossy().into_owned(),
            _ => "/usr/local".to_string(),
        }
    }

    /// Where the library is, or would be if it were not embedded.
    pub fn library(&self) -> String {
        format!("{}/lib/python3.14", self.prefix().trim_end_matches('/'))
    }
}
