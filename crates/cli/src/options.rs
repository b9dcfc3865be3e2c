//! The command line and the environment, as CPython reads them.

use std::io::IsTerminal;

use taipan::Config;

use crate::usage;

/// What the command line asks for.
pub enum Action {
    Command(String),
    Module(String),
    File(String),
    StandardInput,
    Interactive,
    /// Help or version.
    Print(String),
}

pub struct Parsed {
    pub config: Config,
    pub action: Action,
}

/// Reads the arguments; an error is the text to print.
pub fn parse(arguments: &[String]) -> Result<Parsed, String> {
    let program = arguments.first().cloned().unwrap_or_else(|| "taipan".to_string());
    let executable = std::env::current_exe().map_or(String::new(), |path| path.to_string_lossy().into_owned());
    let mut config =
        Config { program: program.clone(), executable, orig_argv: arguments.to_vec(), ..Config::default() };
    let mut at = 1;
    let mut action = None;
    let mut versions = 0;
    'arguments: while let Some(argument) = arguments.get(at) {
        if let Some(long) = argument.strip_prefix("--") {
            if long.is_empty() {
                at += 1;
                break;
            }
            match long {
                "help" => action = Some(Action::Print(usage::usage(&program))),
                "help-env" => action = Some(Action::Print(usage::ENVIRONMENT.to_string())),
                "help-xoptions" => action = Some(Action::Print(usage::XOPTIONS.to_string())),
                "help-all" => {
                    action = Some(Action::Print(format!(
                        "{}\n{}\n{}",
                        usage::usage(&program),
                        usage::ENVIRONMENT,
                        usage::XOPTIONS
                    )));
                }
                "version" => versions += 1,
                "check-hash-based-pycs" => at += 1,
                _ => return Err(unknown(&program, &format!("--{long}"))),
            }
            at += 1;
            if action.is_some() {
                break;
            }
            continue;
        }
        let Some(letters) = argument.strip_prefix('-').filter(|letters| !letters.is_empty()) else { break };
        at += 1;
        for (position, letter) in letters.char_indices() {
            let rest = &letters[position + letter.len_utf8()..];
            let value = |at: &mut usize| -> Result<String, String> {
                if !rest.is_empty() {
                    return Ok(rest.to_string());
                }
                let next = arguments.get(*at).cloned();
                *at += 1;
                next.ok_or_else(|| format!("Argument expected for the -{letter} option\n{}", usage::short(&program)))
            };
            match letter {
                'c' => {
                    let source = value(&mut at)?;
                    action = Some(Action::Command(source + "\n"));
                    config.argv = vec!["-c".to_string()];
                    break 'arguments;
                }
                'm' => {
                    action = Some(Action::Module(value(&mut at)?));
                    config.argv = vec!["-m".to_string()];
                    break 'arguments;
                }
                'W' => {
                    config.warnoptions.push(value(&mut at)?);
                    break;
                }
                'X' => {
                    let option = value(&mut at)?;
                    let (name, value) = match option.split_once('=') {
                        Some((name, value)) => (name.to_string(), Some(value.to_string())),
                        None => (option, None),
                    };
                    config.xoptions.push((name, value));
                    break;
                }
                'b' => config.bytes_warning += 1,
                'B' => config.dont_write_bytecode = true,
                'd' => config.debug += 1,
                'E' => config.ignore_environment = true,
                'h' | '?' => action = Some(Action::Print(usage::usage(&program))),
                'i' => {
                    config.inspect = true;
                    config.interactive = true;
                }
                'I' => {
                    config.isolated = true;
                    config.ignore_environment = true;
                    config.no_user_site = true;
                    config.safe_path = true;
                }
                'O' => config.optimize = (config.optimize + 1).min(2),
                'P' => config.safe_path = true,
                'q' => config.quiet = true,
                'R' => config.hash_randomization = true,
                's' => config.no_user_site = true,
                'S' => config.no_site = true,
                't' => {}
                'u' => config.unbuffered = true,
                'v' => config.verbose += 1,
                'V' => versions += 1,
                'x' => {}
                _ => return Err(unknown(&program, &format!("-{letter}"))),
            }
        }
    }
    if versions > 0 && action.is_none() {
        action = Some(Action::Print(usage::version(versions > 1)));
    }
    read_environment(&mut config);
    apply_xoptions(&program, &mut config)?;
    let rest = arguments.get(at..).unwrap_or_default();
    let action = match action {
        Some(action) => {
            config.argv.truncate(1);
            config.argv.extend(rest.iter().cloned());
            action
        }
        None => match rest.first().map(String::as_str) {
            Some("-") => {
                config.argv = rest.to_vec();
                Action::StandardInput
            }
            Some(file) => {
                config.argv = rest.to_vec();
                Action::File(file.to_string())
            }
            None => {
                config.argv = vec![String::new()];
                let terminal = std::io::stdin().is_terminal() || config.interactive;
                if terminal { Action::Interactive } else { Action::StandardInput }
            }
        },
    };
    Ok(Parsed { config, action })
}

fn unknown(program: &str, option: &str) -> String {
    format!("unknown option {option}\n{}", usage::short(program))
}

fn read_environment(config: &mut Config) {
    if config.ignore_environment {
        return;
    }
    let get = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let number = |name: &str| get(name).map(|value| value.parse::<i64>().unwrap_or(1).max(1));
    if let Some(path) = get("PYTHONPATH") {
        config.python_path = path.split(':').map(str::to_string).collect();
    }
    config.python_home = get("PYTHONHOME");
    config.pycache_prefix = get("PYTHONPYCACHEPREFIX");
    if let Some(level) = number("PYTHONOPTIMIZE") {
        config.optimize = config.optimize.max(level.min(2) as u8);
    }
    config.verbose = config.verbose.max(number("PYTHONVERBOSE").unwrap_or(0));
    config.debug = config.debug.max(number("PYTHONDEBUG").unwrap_or(0));
    config.inspect |= get("PYTHONINSPECT").is_some();
    config.unbuffered |= get("PYTHONUNBUFFERED").is_some();
    config.no_user_site |= get("PYTHONNOUSERSITE").is_some();
    config.dont_write_bytecode |= get("PYTHONDONTWRITEBYTECODE").is_some();
    config.safe_path |= get("PYTHONSAFEPATH").is_some();
    config.dev_mode |= get("PYTHONDEVMODE").is_some();
    config.warn_default_encoding |= get("PYTHONWARNDEFAULTENCODING").is_some();
    config.utf8_mode |= get("PYTHONUTF8").is_some_and(|value| value == "1");
    if let Some(digits) = get("PYTHONINTMAXSTRDIGITS").and_then(|value| value.parse().ok()) {
        config.int_max_str_digits = digits;
    }
    if let Some(warnings) = get("PYTHONWARNINGS") {
        let mut all: Vec<String> = warnings.split(',').map(str::to_string).collect();
        all.append(&mut config.warnoptions);
        config.warnoptions = all;
    }
    if let Some(seed) = get("PYTHONHASHSEED") {
        config.hash_randomization = seed == "random";
        if let Ok(seed) = seed.parse::<u32>() {
            config.hash_seed = Some(seed);
        }
    }
}

fn apply_xoptions(program: &str, config: &mut Config) -> Result<(), String> {
    for (name, value) in config.xoptions.clone() {
        match name.as_str() {
            "dev" => config.dev_mode = true,
            "utf8" => config.utf8_mode = value.as_deref() != Some("0"),
            "importtime" => config.import_time = true,
            "warn_default_encoding" => config.warn_default_encoding = true,
            "pycache_prefix" => config.pycache_prefix = value,
            "int_max_str_digits" => match value.as_deref().unwrap_or_default().parse::<usize>() {
                Ok(digits) if digits == 0 || digits >= 640 => config.int_max_str_digits = digits,
                _ => {
                    return Err("Fatal Python error: config_init_int_max_str_digits: -X int_max_str_digits: invalid limit; must be >= \
                         640 or 0 for unlimited.\n".to_string());
                }
            },
            "gil" if value.as_deref() == Some("0") => {
                return Err(format!("{program}: running without the GIL (-X gil=0) is not implemented yet\n"));
            }
            _ => {}
        }
    }
    Ok(())
}
