//! The embedding API: what a Rust host depends on.
//!
//! [`Interpreter::new`] starts Python on the current thread; [`Interpreter::run_source`] runs a program in `__main__`.

use std::sync::{Arc, Once};

use taipan_bytecode::CodeData;
use taipan_interp::frame::Interp;
use taipan_interp::{builtins_module, eval, function, import, marshal_module, sys_module};
use taipan_object::builtins::list::List;
use taipan_object::builtins::str::Str;
use taipan_object::vm::hooks::{HOOKS, Hooks};
use taipan_object::{Result, Value, Vm, exceptions};

pub use taipan_object;

/// Python on the current thread.
pub struct Interpreter {
    vm: Box<Vm>,
}

fn start_process() {
    static STARTED: Once = Once::new();
    STARTED.call_once(|| {
        let _ = HOOKS.set(Hooks {
            import_module: import::import_module,
            write_unraisable,
            warn,
            current_globals: |vm| {
                Interp::of(vm).current_frame().map(|frame| frame.function().globals.as_value().clone())
            },
            check_signals: |_| Ok(()),
            audit: |_, _, _| Ok(()),
            super_arguments: sys_module::super_arguments,
            is_function: function::is_function,
        });
        import::register(&[&builtins_module::MODULE, &sys_module::SYS, &marshal_module::MODULE]);
        import::register(taipan_stdlib::MODULES);
        import::set_library(library);
    });
}

fn write_unraisable(vm: &Vm, exception: Value, message: &str, object: &Value) {
    let describe = |value: &Value| {
        vm.repr_string(value).unwrap_or_else(|raised| {
            vm.discard(raised);
            "<unprintable>".to_string()
        })
    };
    let what = if message.is_empty() { "Exception ignored in" } else { message };
    eprintln!("{what}: {}", describe(object));
    eprint!("{}", format_exception(vm, &exception));
}

fn warn(vm: &Vm, category: &Value, message: &str, stacklevel: usize) -> Result<()> {
    let warn = vm.import_from("warnings", "warn")?;
    vm.call(&warn, &[Value::from(message), category.clone(), Value::from(stacklevel)], None).map(drop)
}

/// A module of the embedded library.
fn library(name: &str) -> Option<(Arc<CodeData>, bool)> {
    let path = name.replace('.', "/");
    let entry =
        taipan_pylib::lookup(&format!("{path}/__init__.py")).or_else(|| taipan_pylib::lookup(&format!("{path}.py")))?;
    let data = marshal_module::load_code(&entry.code()?)?;
    let directory = "/usr/lib/python3.14/";
    Some((marshal_module::relocate(&data, directory), entry.is_package()))
}

/// A traceback as text: frames, then the exception.
fn format_exception(vm: &Vm, exception: &Value) -> String {
    use taipan_interp::frame_object::FrameObject;
    use taipan_interp::traceback::Traceback;
    let mut text = String::new();
    if let Some(context) = exceptions::cause(exception) {
        text.push_str(&format_exception(vm, &context));
        text.push_str("\nThe above exception was the direct cause of the following exception:\n\n");
    } else if let Some(context) = exceptions::context(exception) {
        text.push_str(&format_exception(vm, &context));
        text.push_str("\nDuring handling of the above exception, another exception occurred:\n\n");
    }
    let mut at = exceptions::traceback(exception);
    if !at.is_none() {
        text.push_str("Traceback (most recent call last):\n");
    }
    while let Some(traceback) = at.downcast_ref::<Traceback>() {
        if let Some(frame) = traceback.frame.downcast::<FrameObject>() {
            let data = &frame.code().data;
            let (file, name) = (data.filename.to_str_lossy(), data.name.to_str_lossy());
            let line = traceback.lineno().map_or("?".to_string(), |line| line.to_string());
            text.push_str(&format!("  File \"{file}\", line {line}, in {name}\n"));
        }
        at = traceback.next();
    }
    let message = vm.str_string(exception).unwrap_or_else(|raised| {
        vm.discard(raised);
        "<exception str() failed>".to_string()
    });
    let name = exception.ty().name();
    text.push_str(&if message.is_empty() { format!("{name}\n") } else { format!("{name}: {message}\n") });
    text
}

impl Interpreter {
    /// Starts Python on the current thread, of whose native stack `stack_size` bytes are left.
    pub fn new(stack_size: usize) -> Interpreter {
        start_process();
        let vm = Vm::new(stack_size);
        Interp::attach(&vm);
        Interpreter { vm }
    }

    pub fn vm(&self) -> &Vm {
        &self.vm
    }

    /// Sets `sys.argv` and `sys.path`.
    pub fn set_arguments(&self, argv: &[String], path: &[String]) -> Result<()> {
        let sys = self.vm.import("sys")?;
        for (name, items) in [("argv", argv), ("path", path)] {
            let list = List::from_vec(items.iter().map(|item| Str::new(item).into_value()).collect());
            self.vm.set_attr_str(&sys, name, list.as_value())?;
        }
        Ok(())
    }

    /// Runs a program in `__main__`. An exception that it does not handle is printed; the process's exit code.
    pub fn run_source(&self, source: &[u8], filename: &str) -> i32 {
        let vm = self.vm();
        let result = sys_module::main_module(vm).and_then(|globals| {
            globals.set_str(taipan_object::builtins::str::intern("__file__").as_value(), Value::from(filename));
            let code = import::compile_file(vm, source, filename)?;
            eval::eval_code(vm, &code, &globals, None, None)
        });
        match result {
            Ok(_) => 0,
            Err(raised) => {
                let exception = vm.take(raised);
                if exception.ty().is_subtype(exceptions::SYSTEM_EXIT.ty()) {
                    let code = exceptions::args(&exception).first().cloned().unwrap_or(Value::NONE);
                    return match vm.index_i32(&code) {
                        Ok(code) => code,
                        Err(raised) => {
                            vm.discard(raised);
                            i32::from(!code.is_none())
                        }
                    };
                }
                eprint!("{}", format_exception(vm, &exception));
                1
            }
        }
    }
}
