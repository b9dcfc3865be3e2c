//! The embedding API: what a Rust host depends on.
//!
//! [`Interpreter::new`] starts Python on the current thread, [`Interpreter::run`] runs a program in `__main__`,
//! [`Interpreter::finish`] ends it.

mod program;

use std::sync::Once;

use taipan_interp::frame::Interp;
use taipan_interp::{function, generator, import, runtime, sys_module, threads, traceback, warnings_module};
use taipan_object::Vm;
use taipan_object::vm::hooks::{HOOKS, Hooks};
use taipan_stdlib::posix;

pub use program::Program;
pub use taipan_interp::config::{self, Config};
pub use taipan_interp::locale;
pub use taipan_interp::runtime::was_interrupted;
#[cfg(feature = "stats")]
pub use taipan_interp::stats::report as statistics;
pub use taipan_interp::sys_module::version;
pub use taipan_object;
pub use taipan_stdlib::_signal::end_by_interrupt;

/// Python on the current thread.
pub struct Interpreter {
    vm: Box<Vm>,
}

fn start_process() {
    static STARTED: Once = Once::new();
    STARTED.call_once(|| {
        let _ = HOOKS.set(Hooks {
            import_module: import::import_module,
            write_unraisable: sys_module::write_unraisable,
            warn: warnings_module::warn,
            current_globals: |vm| {
                Interp::of(vm).current_frame().map(|frame| frame.function().globals.as_value().clone())
            },
            check_signals: taipan_stdlib::_signal::check_signals,
            audit: sys_module::audit,
            super_arguments: sys_module::super_arguments,
            is_function: function::is_function,
            thread_starts: threads::starts,
            #[cfg(feature = "free-threading")]
            before_thread: threads::prepare,
            #[cfg(feature = "free-threading")]
            runs_beside: threads::runs_beside,
            thread_ends: threads::ends,
            run_exitfuncs: taipan_stdlib::atexit::run_exitfuncs,
            finish_signals: taipan_stdlib::_signal::finish,
            dump_traceback: traceback::dump::dump_traceback,
            dump_extension_modules: traceback::dump::dump_extension_modules,
            send: generator::send,
            generator_kind: generator::kind,
            is_thread: threads::is_running,
            before_fork: threads::before_fork,
            after_fork: threads::after_fork,
        });
        import::register(taipan_stdlib::MODULES);
        import::embedded::set_library(import::embedded::Library {
            source: |path| taipan_pylib::lookup(path).map(|entry| entry.source()),
            code: |path| taipan_pylib::lookup(path).and_then(|entry| entry.code()),
            is_file: |path| taipan_pylib::lookup(path).is_some(),
            is_dir: taipan_pylib::is_dir,
            list_dir: |path| taipan_pylib::list_dir(path).map(|entry| entry.name).collect(),
        });
        if !import::embedded::is_on_disk() {
            posix::library::set_library(posix::library::Library {
                directory: taipan_interp::getpath::get().stdlib_dir.clone(),
                source: |path| taipan_pylib::lookup(path).map(|entry| entry.source()),
                size: |path| taipan_pylib::lookup(path).map(|entry| entry.size()),
                is_dir: taipan_pylib::is_dir,
                list_dir: |path| taipan_pylib::list_dir(path).map(|entry| (entry.name, entry.is_dir)).collect(),
            });
        }
    });
}

impl Interpreter {
    /// Starts Python on the current thread, of whose native stack `stack_size` bytes are left. An error is the process's
    /// exit code; what was wrong has been printed.
    pub fn new(stack_size: usize) -> std::result::Result<Interpreter, i32> {
        start_process();
        #[cfg(feature = "free-threading")]
        if !config::get().gil {
            taipan_object::vm::world::disable_gil();
        }
        let vm = Vm::new(stack_size);
        vm.attach();
        Interp::attach(&vm);
        if let Err(raised) = runtime::start(&vm) {
            let exception = vm.take(raised);
            return Err(runtime::exit_code(&vm, &exception));
        }
        Ok(Interpreter { vm })
    }

    pub fn vm(&self) -> &Vm {
        &self.vm
    }

    /// Ends the interpreter: waits for threads, runs `atexit` functions, flushes, destroys what is left. The exit code:
    /// `code`, unless something failed.
    pub fn finish(self, code: i32) -> i32 {
        let status = runtime::finish(&self.vm, false);
        if status != 0 { status } else { code }
    }

    /// As [`finish`](Self::finish), for when the process ends next: objects whose destruction nobody would notice are not
    /// destroyed.
    pub fn finish_process(self, code: i32) -> i32 {
        let status = runtime::finish(&self.vm, true);
        std::mem::forget(self.vm);
        if status != 0 { status } else { code }
    }
}
