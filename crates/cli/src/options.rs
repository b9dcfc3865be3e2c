//! The command line, as CPython reads it (`Python/initconfig.c`, `Python/getopt.c`). What the environment says is added
//! in `environment.rs`.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use taipan::{Config, Program};

use crate::environment;
use crate::usage;

/// What the command line asks for.
pub enum Action {
    Run(Program),
    /// Help or version.
    Print(String),
}

/// The process ends: a text for standard error, and the exit code.
pub struct Failure {
    pub message: String,
    pub code: i32,
}

/// Reads the arguments and the environment.
pub fn parse(arguments: &[OsString]) -> Result<(Config, Action), Failure> {
    let program = arguments.first().cloned().unwrap_or_default();
    let config = Config { program, orig_argv: arguments.to_vec(), ..Config::default() };
    let mut parser =
        Parser { arguments, at: 1, config, help: None, versions: 0, warnoptions: Vec::new(), random_hashes: false };
    let program = parser.parse()?;
    let Parser { at, mut config, help, versions, warnoptions, random_hashes, .. } = parser;
    if let Some(text) = help {
        return Ok((config, Action::Print(text)));
    }
    if versions > 0 {
        return Ok((config, Action::Print(usage::version(versions > 1))));
    }
    environment::apply(&mut config, warnoptions, random_hashes)?;
    let rest = arguments.get(at..).unwrap_or_default();
    let program = match program {
        Some(program) => {
            config.argv.truncate(1);
            config.argv.extend_from_slice(rest);
            program
        }
        None => {
            config.argv = if rest.is_empty() { vec![OsString::new()] } else { rest.to_vec() };
            match rest.first() {
                Some(file) if file != "-" => Program::File(file.clone()),
                _ => Program::StandardInput,
            }
        }
    };
    Ok((config, Action::Run(program)))
}

struct Parser<'a> {
    arguments: &'a [OsString],
    at: usize,
    config: Config,
    help: Option<String>,
    versions: u32,
    warnoptions: Vec<OsString>,
    /// `-R`
    random_hashes: bool,
}

impl Parser<'_> {
    /// Reads the options; what to run if they say it.
    fn parse(&mut self) -> Result<Option<Program>, Failure> {
        while let Some(argument) = self.arguments.get(self.at) {
            let bytes = argument.as_bytes();
            if bytes == b"--" {
                self.at += 1;
                return Ok(None);
            }
            if bytes.len() < 2 || bytes[0] != b'-' {
                return Ok(None);
            }
            self.at += 1;
            if bytes[1] == b'-' {
                self.long_option(&argument.to_string_lossy())?;
            } else if let Some(program) = self.letters(&bytes[1..])? {
                return Ok(Some(program));
            }
        }
        Ok(None)
    }

    fn wrong(&self, complaint: &str) -> Failure {
        let program = self.config.program.to_string_lossy();
        Failure { message: format!("{complaint}\n{}", usage::short(&program)), code: 2 }
    }

    fn long_option(&mut self, option: &str) -> Result<(), Failure> {
        let program = self.config.program.to_string_lossy();
        match option {
            "--help" => self.help = Some(usage::usage(&program)),
            "--help-env" => self.help = Some(usage::environment()),
            "--help-xoptions" => self.help = Some(usage::xoptions()),
            "--help-all" => {
                let parts = [usage::usage(&program), usage::environment(), usage::xoptions()];
                self.help = Some(parts.join("\n"));
            }
            "--version" => self.versions += 1,
            "--check-hash-based-pycs" => {
                let Some(value) = self.arguments.get(self.at) else {
                    return Err(self.wrong("Argument expected for the --check-hash-based-pycs options"));
                };
                self.at += 1;
                self.config.check_hash_based_pycs =
                    match ["default", "always", "never"].into_iter().find(|known| value == known) {
                        Some(known) => known,
                        None => {
                            let complaint = "--check-hash-based-pycs must be one of 'default', 'always', or 'never'";
                            return Err(self.wrong(complaint));
                        }
                    };
            }
            _ => return Err(self.wrong(&format!("Unknown option: {option}"))),
        }
        Ok(())
    }

    /// Options of one letter, several of which may share a hyphen.
    fn letters(&mut self, letters: &[u8]) -> Result<Option<Program>, Failure> {
        for (position, letter) in letters.iter().enumerate() {
            let rest = &letters[position + 1..];
            let config = &mut self.config;
            match letter {
                b'c' => {
                    let source = self.value(*letter, rest)?;
                    self.config.argv = vec!["-c".into()];
                    return Ok(Some(Program::Command(source)));
                }
                b'm' => {
                    let name = self.value(*letter, rest)?;
                    self.config.argv = vec!["-m".into()];
                    return Ok(Some(Program::Module(name)));
                }
                b'W' => {
                    let option = self.value(*letter, rest)?;
                    self.warnoptions.push(option);
                    return Ok(None);
                }
                b'X' => {
                    let option = self.value(*letter, rest)?.into_vec();
                    let mut parts = option.splitn(2, |byte| *byte == b'=').map(OsStr::from_bytes);
                    let name = parts.next().unwrap_or_default().to_os_string();
                    self.config.xoptions.push((name, parts.next().map(OsStr::to_os_string)));
                    return Ok(None);
                }
                b'b' => config.bytes_warning += 1,
                b'B' => config.dont_write_bytecode = true,
                b'd' => config.debug += 1,
                b'E' => config.ignore_environment = true,
                b'h' | b'?' => self.help = Some(usage::usage(&config.program.to_string_lossy())),
                b'i' => {
                    config.inspect += 1;
                    config.interactive += 1;
                }
                b'I' => {
                    config.isolated = true;
                    config.ignore_environment = true;
                    config.no_user_site = true;
                    config.safe_path = true;
                }
                b'O' => config.optimize = config.optimize.saturating_add(1),
                b'P' => config.safe_path = true,
                b'q' => config.quiet += 1,
                b'R' => self.random_hashes = true,
                b's' => config.no_user_site = true,
                b'S' => config.no_site = true,
                b't' => {}
                b'u' => config.unbuffered = true,
                b'v' => config.verbose += 1,
                b'V' => self.versions += 1,
                b'x' => config.skip_source_first_line = true,
                _ => return Err(self.wrong(&format!("Unknown option: -{}", char::from(*letter)))),
            }
        }
        Ok(None)
    }

    /// The value of an option: the rest of its argument, or the next one.
    fn value(&mut self, letter: u8, rest: &[u8]) -> Result<OsString, Failure> {
        if !rest.is_empty() {
            return Ok(OsString::from_vec(rest.to_vec()));
        }
        let next = self.arguments.get(self.at).cloned();
        self.at += 1;
        next.ok_or_else(|| self.wrong(&format!("Argument expected for the -{} option", char::from(letter))))
    }
}
