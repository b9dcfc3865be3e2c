//! The `taipan` command. `options.rs` reads the command line, `environment.rs` the
//! environment, `usage.rs` has the help texts, `stack.rs` makes room
//! for deep recursion.

#![no_main]

mod environment;
mod options;
mod stack;
mod usage;

use std::ffi::{OsString, c_char};

use options::Action;
use taipan::{Interpreter, config, locale};

/// Python code nests natively in places (parser, repr, comparison): the main thread gets a large stack, of which only
/// what is used takes memory.
const STACK_SIZE: usize = if cfg!(debug_assertions) { 64 << 20 } else { 16 << 20 };

#[global_allocator]
static ALLOCATOR: taipan::taipan_object::heap::Buffers = taipan::taipan_object::heap::Buffers;

/// The process's entry point. That of Rust's own runtime would open the standard descriptors that are closed.
///
/// # Safety
/// The C library's start code calls it, once.
#[unsafe(no_mangle)]
unsafe extern "C" fn main(_argc: i32, _argv: *const *const c_char) -> i32 {
    // SAFETY: writing to a closed pipe, or beyond the limit of a file's size, shall be an error, as in CPython; no other
    // thread runs yet.
    unsafe {
        libc::signal(libc::SIGPIPE, libc::SIG_IGN);
        libc::signal(libc::SIGXFSZ, libc::SIG_IGN);
    }
    taipan::taipan_object::heap::Buffers::configure();
    if let Err(error) = stack::call_with_stack(STACK_SIZE, run_and_exit) {
        eprintln!("no memory for the stack: {error}");
    }
    1
}

/// Runs the program and ends the process; returns if there was a panic.
extern "C" fn run_and_exit() {
    if let Ok(code) = std::panic::catch_unwind(run) {
        std::process::exit(code);
    }
}

fn run() -> i32 {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let (config, program) = match options::parse(&arguments) {
        Ok((mut config, Action::Run(program))) => {
            locale::prepare(&mut config);
            (config, program)
        }
        Ok((_, Action::Print(text))) => {
            print!("{text}");
            return 0;
        }
        Err(failure) => {
            eprint!("{}", failure.message);
            return failure.code;
        }
    };
    let has_statistics = config.xoptions.iter().any(|(name, _)| name == "stats");
    #[cfg(not(feature = "stats"))]
    if has_statistics {
        warn("-X stats: this build has no counters; they take the Cargo feature `stats`");
    }
    #[cfg(feature = "jit")]
    let jit = std::env::var_os("TAIPAN_JIT");
    #[cfg(feature = "jit")]
    if let Err(message) = taipan_jit::start(jit.as_deref()) {
        warn(&message);
    }
    config::set(config);
    let interpreter = match Interpreter::new(STACK_SIZE - 64 * 1024) {
        Ok(interpreter) => interpreter,
        Err(code) => return code,
    };
    let code = interpreter.run(&program);
    let code = interpreter.finish_process(code);
    #[cfg(feature = "jit")]
    if let Some(report) = taipan_jit::report(jit.as_deref()) {
        warn(&report);
    }
    #[cfg(feature = "stats")]
    if has_statistics {
        warn(&format!("statistics of this run\n{}", taipan::statistics()));
    }
    if taipan::was_interrupted() {
        taipan::end_by_interrupt();
    }
    code
}

/// Says something that is no part of the program's own output. That nobody can read it is no reason to fail.
fn warn(message: &str) {
    use std::io::Write;
    let _ = writeln!(std::io::stderr(), "taipan: {message}");
}
