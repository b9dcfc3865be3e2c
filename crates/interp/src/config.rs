//! What the command line or the embedding program decided before the interpreter started.

use std::sync::OnceLock;

/// The process-wide settings.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// 0 to 2, as `-O` and `-OO`.
    pub optimize: u8,
}

static CONFIG: OnceLock<Config> = OnceLock::new();

/// Sets the configuration; the first call counts.
pub fn set(config: Config) {
    let _ = CONFIG.set(config);
}

pub fn get() -> &'static Config {
    CONFIG.get_or_init(Config::default)
}
