//! `readline`: a line editor with history and completion, which understands the settings of GNU readline.
//!
//! `editor.rs` has the loop that reads keys, `commands.rs` what they do, `bindings.rs` which key does what, `display.rs`
//! the screen, `history.rs` the history, `completion.rs` completion. All share [`State`], which is never locked while
//! Python code runs.
//!
//! There are emacs key bindings only.

mod bindings;
mod commands;
mod completion;
mod display;
mod editor;
mod history;

use std::sync::{Mutex, MutexGuard};

use taipan_object::builtins::str::Str;
use taipan_object::native::MethodDef;
use taipan_object::native::module::ModuleDef;
use taipan_object::vm::hooks::READLINE;
use taipan_object::{Result, Value, Vm};

use crate::arguments::{bad_argument, c_int};
use bindings::Bindings;
use history::History;

pub static MODULE: ModuleDef = ModuleDef {
    name: "readline",
    doc: "Editing of input lines, and their history.",
    functions: FUNCTIONS,
    exec: |vm, module| {
        // Settings are those of this version of GNU readline.
        int_constants!(module; _READLINE_VERSION = 0x0803, _READLINE_RUNTIME_VERSION = 0x0803);
        module.set("_READLINE_LIBRARY_VERSION", Value::from("8.3"));
        module.set("backend", Value::from("readline"));
        let _ = READLINE.set(editor::read_line);
        if let Err(raised) = read_init_file(vm, None) {
            vm.discard(raised);
        }
        Ok(())
    },
};

/// The characters at which words end for completion, as GNU readline and CPython have them.
const DEFAULT_DELIMITERS: &str = " \t\n`~!@#$%^&*()-=+[{]}\\|;:'\",<>/?";

/// Everything but Python's own objects being called.
struct State {
    history: History,
    bindings: Bindings,
    /// The line being edited, in code points, and the place of the cursor.
    line: Vec<u32>,
    point: usize,
    delimiters: Vec<u32>,
    completer: Value,
    startup_hook: Value,
    pre_input_hook: Value,
    display_matches_hook: Value,
    auto_history: bool,
    /// As `rl_completion_type`: `\t`, `?` or `!`; 0 before the first completion.
    completion_type: i32,
    /// The bounds of the word being completed.
    begin: usize,
    end: usize,
}

static STATE: Mutex<Option<Box<State>>> = Mutex::new(None);

struct Locked(MutexGuard<'static, Option<Box<State>>>);

impl std::ops::Deref for Locked {
    type Target = State;
    fn deref(&self) -> &State {
        self.0.as_ref().expect("made when it was locked")
    }
}
impl std::ops::DerefMut for Locked {
    fn deref_mut(&mut self) -> &mut State {
        self.0.as_mut().expect("made when it was locked")
    }
}

/// Locks the state. No Python code may run meanwhile, and no value be dropped.
fn state() -> Locked {
    let mut guard = STATE.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    guard.get_or_insert_with(|| {
        Box::new(State {
            history: History::default(),
            bindings: Bindings::default(),
            line: Vec::new(),
            point: 0,
            delimiters: DEFAULT_DELIMITERS.chars().map(u32::from).collect(),
            completer: Value::NONE,
            startup_hook: Value::NONE,
            pre_input_hook: Value::NONE,
            display_matches_hook: Value::NONE,
            auto_history: true,
            completion_type: 0,
            begin: 0,
            end: 0,
        })
    });
    Locked(guard)
}

/// Text from Python in code points.
fn code_points(vm: &Vm, value: &Value) -> Result<Vec<u32>> {
    match value.downcast::<Str>() {
        Some(text) => Ok(text.to_code_points()),
        None => Err(vm.type_error("bad argument type for built-in operation")),
    }
}

fn text(points: &[u32]) -> Value {
    Str::from_code_points(points).into_value()
}

/// The bytes of code points for the terminal or a file; lone surrogates are the bytes they escape.
fn encode(points: &[u32]) -> Vec<u8> {
    Str::from_code_points(points).to_fs_bytes()
}

fn decode(bytes: &[u8]) -> Vec<u32> {
    Str::from_fs_bytes(bytes).to_code_points()
}

/// Sets one of the functions that Python gives.
fn set_function(vm: &Vm, name: &str, value: &Value, slot: fn(&mut State) -> &mut Value) -> Result {
    if !value.is_none() && value.ty().slots().call.is_none() {
        return Err(vm.type_error(format!("set_{name}(func): argument not callable")));
    }
    let old = std::mem::replace(slot(&mut state()), value.clone());
    drop(old);
    Ok(Value::NONE)
}

/// Reads the settings of a file; without a name those of `INPUTRC` or `~/.inputrc`.
fn read_init_file(vm: &Vm, name: Option<&Value>) -> Result<()> {
    let audited = name.cloned().unwrap_or_else(|| Value::from("<readline_init_file>"));
    vm.audit("open", &[audited, Value::from("r"), Value::from(0)])?;
    let path = match name {
        Some(name) => {
            let path = crate::arguments::fs_converter(vm, name)?;
            std::path::PathBuf::from(std::ffi::OsStr::new(&*path.to_string_lossy()))
        }
        None => match std::env::var_os("INPUTRC").filter(|path| !path.is_empty()) {
            Some(path) => path.into(),
            None => history::home().join(".inputrc"),
        },
    };
    match std::fs::read(path) {
        Ok(text) => {
            state().read_settings(&text);
            Ok(())
        }
        Err(error) => Err(vm.os_error(error.raw_os_error().unwrap_or(0), None, None)),
    }
}

impl State {
    fn read_settings(&mut self, text: &[u8]) {
        for line in text.split(|byte| *byte == b'\n') {
            self.bindings.parse_and_bind(line);
        }
        if let Some(size) = self.bindings.history_size {
            self.history.set_limit(usize::try_from(size).ok());
        }
    }
}

fn index(vm: &Vm, value: &Value) -> Result<usize> {
    usize::try_from(c_int(vm, value)?).map_err(|_| vm.value_error("History index cannot be negative"))
}

taipan_object::method_table! {
    static FUNCTIONS = [
        MethodDef::new("parse_and_bind($module, string, /)", "Execute a line as in a settings file (inputrc).", |vm, _, args| {
            let line = encode(&code_points(vm, &args[0])?);
            state().read_settings(&line);
            Ok(Value::NONE)
        }),
        MethodDef::new("read_init_file($module, filename=None, /)", "Read the settings of a file; by default INPUTRC or ~/.inputrc.", |vm, _, args| {
            read_init_file(vm, args[0].given()).map(Value::from)
        }),
        MethodDef::new("read_history_file($module, filename=None, /)", "Add the lines of a file, by default ~/.history, to the history.", |vm, _, args| {
            history::read_file(vm, args[0].given()).map(Value::from)
        }),
        MethodDef::new("write_history_file($module, filename=None, /)", "Write the history to a file, by default ~/.history.", |vm, _, args| {
            history::write_file(vm, args[0].given(), None).map(Value::from)
        }),
        MethodDef::new("append_history_file($module, nelements, filename=None, /)", "Append the last lines of the history to a file, by default ~/.history.", |vm, _, args| {
            let Ok(count) = usize::try_from(c_int(vm, &args[0])?) else {
                return Err(vm.value_error("nelements must be non-negative"));
            };
            history::write_file(vm, args[1].given(), Some(count)).map(Value::from)
        }),
        MethodDef::new("set_history_length($module, length, /)", "Set how many lines a history file keeps; negative for all.", |vm, _, args| {
            let length = c_int(vm, &args[0])?;
            state().history.file_length = length;
            Ok(Value::NONE)
        }),
        MethodDef::new("get_history_length($module, /)", "How many lines a history file keeps.", |_, _, _| {
            Ok(Value::from(state().history.file_length))
        }),
        MethodDef::new("get_current_history_length($module, /)", "The number of lines in the history.", |_, _, _| {
            Ok(Value::from(state().history.len()))
        }),
        MethodDef::new("get_history_item($module, index, /)", "The line of the history with this number, from 1.", |vm, _, args| {
            let index = c_int(vm, &args[0])?;
            let item = usize::try_from(index - 1).ok().and_then(|at| state().history.get(at));
            Ok(item.map_or(Value::NONE, |item| text(&item)))
        }),
        MethodDef::new("remove_history_item($module, pos, /)", "Remove a line of the history by its position, from 0.", |vm, _, args| {
            let at = index(vm, &args[0])?;
            if state().history.remove(at) { Ok(Value::NONE) } else { Err(vm.value_error(format!("No history item at position {at}"))) }
        }),
        MethodDef::new("replace_history_item($module, pos, line, /)", "Replace a line of the history by its position, from 0.", |vm, _, args| {
            let at = c_int(vm, &args[0])?;
            if args[1].downcast::<Str>().is_none() {
                return Err(bad_argument(vm, "replace_history_item", "argument 2", "str", &args[1]));
            }
            let Ok(at) = usize::try_from(at) else { return Err(vm.value_error("History index cannot be negative")) };
            let line = code_points(vm, &args[1])?;
            if state().history.replace(at, line) { Ok(Value::NONE) } else { Err(vm.value_error(format!("No history item at position {at}"))) }
        }),
        MethodDef::new("add_history($module, string, /)", "Add a line to the history.", |vm, _, args| {
            let line = code_points(vm, &args[0])?;
            if line.contains(&0) {
                return Err(vm.value_error("embedded null character"));
            }
            state().history.add(line);
            Ok(Value::NONE)
        }),
        MethodDef::new("clear_history($module, /)", "Empty the history.", |_, _, _| {
            state().history.clear();
            Ok(Value::NONE)
        }),
        MethodDef::new("set_auto_history($module, enabled, /)", "Set whether the lines read are added to the history.", |vm, _, args| {
            let enabled = vm.is_true(&args[0])?;
            state().auto_history = enabled;
            Ok(Value::NONE)
        }),
        MethodDef::new("set_completer($module, function=None, /)", "Set the function that completes words: function(text, state) for state 0, 1, 2, … until it returns None.", |vm, _, args| {
            set_function(vm, "completer", &args[0], |state| &mut state.completer)
        }),
        MethodDef::new("get_completer($module, /)", "The function that completes words.", |_, _, _| Ok(state().completer.clone())),
        MethodDef::new("set_completer_delims($module, string, /)", "Set the characters at which words end for completion.", |vm, _, args| {
            let delimiters = code_points(vm, &args[0])?;
            state().delimiters = delimiters;
            Ok(Value::NONE)
        }),
        MethodDef::new("get_completer_delims($module, /)", "The characters at which words end for completion.", |_, _, _| {
            let delimiters = state().delimiters.clone();
            Ok(text(&delimiters))
        }),
        MethodDef::new("get_completion_type($module, /)", "The type of the completion that is attempted.", |_, _, _| Ok(Value::from(state().completion_type))),
        MethodDef::new("get_begidx($module, /)", "Where the word that is being completed begins.", |_, _, _| Ok(Value::from(state().begin))),
        MethodDef::new("get_endidx($module, /)", "Where the word that is being completed ends.", |_, _, _| Ok(Value::from(state().end))),
        MethodDef::new("set_startup_hook($module, function=None, /)", "Set the function that is called before the prompt is shown.", |vm, _, args| {
            set_function(vm, "startup_hook", &args[0], |state| &mut state.startup_hook)
        }),
        MethodDef::new("set_pre_input_hook($module, function=None, /)", "Set the function that is called after the prompt was shown.", |vm, _, args| {
            set_function(vm, "pre_input_hook", &args[0], |state| &mut state.pre_input_hook)
        }),
        MethodDef::new("set_completion_display_matches_hook($module, function=None, /)", "Set the function that shows completions: function(substitution, matches, longest_match_length).", |vm, _, args| {
            set_function(vm, "completion_display_matches_hook", &args[0], |state| &mut state.display_matches_hook)
        }),
        MethodDef::new("get_line_buffer($module, /)", "The line being edited.", |_, _, _| {
            let line = state().line.clone();
            Ok(text(&line))
        }),
        MethodDef::new("insert_text($module, string, /)", "Insert text at the cursor.", |vm, _, args| {
            let new = code_points(vm, &args[0])?;
            state().insert(&new);
            Ok(Value::NONE)
        }),
        MethodDef::new("redisplay($module, /)", "Show the line being edited as it is now.", |_, _, _| {
            editor::redisplay();
            Ok(Value::NONE)
        }),
    ];
}
