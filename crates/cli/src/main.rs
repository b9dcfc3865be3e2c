//! The `taipan` command. `options.rs` reads the command line, `usage.rs` has the help texts.

mod options;
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
    let run = || std::process::exit(run());
    let main = std::thread::Builder::new().name("main".to_string()).stack_size(STACK_SIZE).spawn(run);
    // Signals are to interrupt the thread that runs Python, not this one.
    taipan::block_signals();
    match main.map(|thread| thread.join()) {
        Ok(Ok(code)) => code,
        _ => ExitCode::from(1),
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
    let interpreter = match Interpreter::new(STACK_SIZE) {
        Ok(interpreter) => interpreter,
        Err(code) => return code,
    };
    let code = interpreter.run(&program);
    interpreter.finish(code)
}
