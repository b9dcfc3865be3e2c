//! The `taipan` command. `options.rs` reads the command line, `usage.rs` has the help texts, `stack.rs` makes room
//! for deep recursion.

mod options;
mod stack;
mod usage;

use std::io::Read;
use std::process::ExitCode;

use options::{Action, Parsed};
use taipan::{Interpreter, Program, config};

/// Python code nests natively in places (parser, repr, comparison): the main thread gets a large stack, of which only
/// what is used takes memory.
const STACK_SIZE: usize = 256 << 20;

#[global_allocator]
static ALLOCATOR: taipan::taipan_object::heap::Buffers = taipan::taipan_object::heap::Buffers;

fn main() -> ExitCode {
    match stack::call_with_stack(STACK_SIZE, run_and_exit) {
        Ok(()) => ExitCode::from(1),
        Err(error) => {
            eprintln!("no memory for the stack: {error}");
            ExitCode::from(1)
        }
    }
}

/// Runs the program and ends the process; returns if there was a panic.
extern "C" fn run_and_exit() {
    if let Ok(code) = std::panic::catch_unwind(run) {
        std::process::exit(code);
    }
}

fn run() -> i32 {
    let arguments: Vec<String> = std::env::args_os().map(|arg| arg.to_string_lossy().into_owned()).collect();
    let parsed = match options::parse(&arguments) {
        Ok(parsed) => parsed,
        Err(message) => {
            eprint!("{message}");
            return 2;
        }
    };
    let Parsed { config, action } = parsed;
    let program = match action {
        Action::Print(text) => {
            print!("{text}");
            return 0;
        }
        Action::Command(source) => Program::Command(source),
        Action::Module(name) => Program::Module(name),
        Action::File(path) => Program::File(path),
        Action::StandardInput => {
            let mut source = Vec::new();
            if let Err(error) = std::io::stdin().read_to_end(&mut source) {
                eprintln!("{}: can't read standard input: {error}", config.program);
                return 2;
            }
            Program::Source(source, "<stdin>".to_string())
        }
        Action::Interactive => Program::Module("code".to_string()),
    };
    config::set(config);
    let interpreter = match Interpreter::new(STACK_SIZE - 64 * 1024) {
        Ok(interpreter) => interpreter,
        Err(code) => return code,
    };
    let code = interpreter.run(&program);
    interpreter.finish(code)
}
