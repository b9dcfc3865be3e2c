//! The embedding API: what a Rust host depends on.
//!
//! [`Interpreter::new`] starts Python on the current thread, [`Interpreter::run`] runs a program in `__main__`,
//! [`Interpreter::finish`] ends it.

use std::sync::Once;

use taipan_interp::frame::Interp;
use taipan_interp::{eval, function, import, runtime, sys_module, threads};
use taipan_object::builtins::dict::Dict;
use taipan_object::builtins::list::List;
use taipan_object::builtins::str::{Str, intern};
use taipan_object::vm::hooks::{HOOKS, Hooks};
use taipan_object::vm::names;
use taipan_object::{Ref, Result, Value, Vm};

pub use taipan_interp::config::{self, Config};
pub use taipan_object;

/// Python on the current thread.
pub struct Interpreter {
    vm: Box<Vm>,
}

/// What to run.
pub enum Program {
    /// `-c`
    Command(String),
    /// `-m`
    Module(String),
    /// A file, a directory or a zip archive.
    File(String),
    /// Source text with the name to show for it.
    Source(Vec<u8>, String),
}

fn start_process() {
    static STARTED: Once = Once::new();
    STARTED.call_once(|| {
        let _ = HOOKS.set(Hooks {
            import_module: import::import_module,
            write_unraisable: sys_module::write_unraisable,
            warn,
            current_globals: |vm| {
                Interp::of(vm).current_frame().map(|frame| frame.function().globals.as_value().clone())
            },
            check_signals: taipan_stdlib::_signal::check_signals,
            audit: sys_module::audit,
            super_arguments: sys_module::super_arguments,
            is_function: function::is_function,
            thread_starts: threads::starts,
            thread_ends: threads::ends,
            after_fork_in_child: threads::after_fork_in_child,
        });
        import::register(taipan_stdlib::MODULES);
        import::embedded::set_library(import::embedded::Library {
            source: |path| taipan_pylib::lookup(path).map(|entry| entry.source()),
            code: |path| taipan_pylib::lookup(path).and_then(|entry| entry.code()),
            is_dir: taipan_pylib::is_dir,
            list_dir: |path| taipan_pylib::list_dir(path).map(|entry| entry.name).collect(),
        });
    });
}

fn warn(vm: &Vm, category: &Value, message: &str, stacklevel: usize) -> Result<()> {
    let warn = vm.import_from("warnings", "warn")?;
    vm.call(&warn, &[Value::from(message), category.clone(), Value::from(stacklevel)], None).map(drop)
}

impl Interpreter {
    /// Starts Python on the current thread, of whose native stack `stack_size` bytes are left. An error is the process's
    /// exit code; what was wrong has been printed.
    pub fn new(stack_size: usize) -> std::result::Result<Interpreter, i32> {
        start_process();
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

    /// Runs a program in `__main__`; the process's exit code. An exception that it does not handle is printed.
    pub fn run(&self, program: &Program) -> i32 {
        match self.run_program(program) {
            Ok(()) => 0,
            Err(raised) => {
                let exception = self.vm.take(raised);
                runtime::exit_code(&self.vm, &exception)
            }
        }
    }

    fn run_program(&self, program: &Program) -> Result<()> {
        let vm = self.vm();
        let globals = sys_module::main_module(vm)?;
        match program {
            Program::Command(source) => {
                self.prepend_path("")?;
                self.execute(source.as_bytes(), "<string>", &globals)
            }
            Program::Source(source, name) => {
                self.prepend_path("")?;
                self.execute(source, name, &globals)
            }
            Program::Module(name) => {
                let directory = std::env::current_dir().map_or(String::new(), |dir| dir.to_string_lossy().into_owned());
                self.prepend_path(&directory)?;
                let run = vm.import_from("runpy", "_run_module_as_main")?;
                vm.call(&run, &[Value::from(name.as_str()), Value::TRUE], None).map(drop)
            }
            Program::File(path) => self.run_file(path, &globals),
        }
    }

    fn execute(&self, source: &[u8], name: &str, globals: &Ref<Dict>) -> Result<()> {
        let code = import::compile_file(self.vm(), source, name)?;
        eval::eval_code(self.vm(), &code, globals, None, None).map(drop)
    }

    fn run_file(&self, path: &str, globals: &Ref<Dict>) -> Result<()> {
        let vm = self.vm();
        let file = std::path::Path::new(path);
        let is_archive =
            || std::fs::read(file).is_ok_and(|data| data.windows(4).rev().take(70_000).any(|w| w == b"PK\x05\x06"));
        if file.is_dir() || is_archive() {
            let sys_path = vm.import_from("sys", "path")?;
            if let Some(list) = sys_path.downcast::<List>() {
                list.items.borrow(&list.header).insert(0, Value::from(path));
            }
            let run = vm.import_from("runpy", "_run_module_as_main")?;
            return vm.call(&run, &[Value::from("__main__"), Value::FALSE], None).map(drop);
        }
        let source = match std::fs::read(file) {
            Ok(source) => source,
            Err(error) => {
                let config = config::get();
                let errno = error.raw_os_error().unwrap_or(0);
                let text = taipan_object::exceptions::os_error::strerror(errno);
                eprintln!("{}: can't open file '{}': [Errno {errno}] {text}", config.executable, absolute(path));
                return Err(vm.raise_args(taipan_object::exceptions::SYSTEM_EXIT.ty(), vec![Value::from(2)]));
            }
        };
        let real = std::fs::canonicalize(file).unwrap_or_else(|_| file.to_path_buf());
        let directory = real.parent().map_or(String::new(), |dir| dir.to_string_lossy().into_owned());
        self.prepend_path(&directory)?;
        let name = absolute(path);
        globals.set_str(&names().__file__, Str::from_fs_bytes(name.as_bytes()).into_value());
        globals.set_str(intern("__cached__").as_value(), Value::NONE);
        if let Ok(loader) =
            vm.import_from("_frozen_importlib_external", "SourceFileLoader").map_err(|raised| vm.discard(raised))
        {
            let loader = vm.call(&loader, &[Value::from("__main__"), Value::from(name.as_str())], None)?;
            globals.set_str(&names().__loader__, loader);
        }
        self.execute(&source, &name, globals)
    }

    /// Puts the program's directory first on `sys.path`, unless that is not wanted.
    fn prepend_path(&self, directory: &str) -> Result<()> {
        if config::get().safe_path {
            return Ok(());
        }
        let path = self.vm().import_from("sys", "path")?;
        if let Some(list) = path.downcast::<List>() {
            list.items.borrow(&list.header).insert(0, Value::from(directory));
        }
        Ok(())
    }

    /// Ends the interpreter: waits for threads, runs `atexit` functions, flushes. The exit code, 0 if `code` stands.
    pub fn finish(self, code: i32) -> i32 {
        let status = runtime::finish(&self.vm);
        if status != 0 { status } else { code }
    }
}

/// The path as `__file__` shows it.
fn absolute(path: &str) -> String {
    std::path::absolute(path).map_or_else(|_| path.to_string(), |path| path.to_string_lossy().into_owned())
}
