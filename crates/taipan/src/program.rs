//! Running programs: a command, a module, a file, standard input; and the interactive session. Counterpart of CPython's
//! `Modules/main.c`.

use std::ffi::{OsStr, OsString};
use std::io::IsTerminal;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use taipan_bytecode::pyc;
use taipan_interp::compile::Origin;
use taipan_interp::{config, console, eval, getpath, import, marshal_module, repl, runtime, sys_module};
use taipan_object::builtins::dict::Dict;
use taipan_object::builtins::list::List;
use taipan_object::builtins::str::{Str, intern};
use taipan_object::exceptions;
use taipan_object::native::module::Module;
use taipan_object::vm::names;
use taipan_object::{Ref, Result, Value};
use taipan_stdlib::posix;

use crate::Interpreter;

/// What to run.
pub enum Program {
    /// `-c`
    Command(OsString),
    /// `-m`
    Module(OsString),
    /// A file, a directory or a zip archive.
    File(OsString),
    /// `-`, or nothing.
    StandardInput,
}

impl Interpreter {
    /// Runs a program in `__main__`, and then the interactive session if it was asked for; the process's exit code. An
    /// exception that is not handled is printed.
    pub fn run(&self, program: &Program) -> i32 {
        let wanted = config::get().inspect > 0;
        runtime::set_inspect(wanted);
        let code = self.guarded(|| self.run_program(program));
        let inspect = wanted || is_set_in_environment("PYTHONINSPECT");
        if !inspect || !stdin_is_interactive() || matches!(program, Program::StandardInput) {
            return code;
        }
        // The session that follows ends as any does.
        runtime::set_inspect(false);
        self.guarded(|| self.interact(false))
    }

    /// Runs `f`; an exception gives an exit code and is printed.
    fn guarded(&self, f: impl FnOnce() -> Result<i32>) -> i32 {
        f().unwrap_or_else(|raised| runtime::exit_code(&self.vm, &self.vm.take(raised)))
    }

    fn run_program(&self, program: &Program) -> Result<i32> {
        let vm = self.vm();
        if config::get().verbose > 0 || matches!(program, Program::StandardInput) && stdin_is_interactive() {
            self.show_header();
        }
        match program {
            Program::File(path) => return self.run_file(path),
            Program::Module(_) => {
                let directory = std::env::current_dir().unwrap_or_default();
                self.prepend_path(directory.as_os_str())?;
            }
            Program::Command(_) | Program::StandardInput => self.prepend_path(OsStr::new(""))?,
        }
        match program {
            Program::Command(source) => {
                self.import_readline(false);
                self.run_command(source)
            }
            Program::Module(name) => {
                self.import_readline(false);
                vm.audit("cpython.run_module", &[text(name)])?;
                self.run_module(&text(name), true)
            }
            _ => self.run_stdin(),
        }
    }

    /// `-m`, and what `__main__` an archive or directory has.
    fn run_module(&self, name: &Value, alter_argv: bool) -> Result<i32> {
        let vm = self.vm();
        let run = vm.import_from("runpy", "_run_module_as_main")?;
        vm.call(&run, &[name.clone(), Value::bool(alter_argv)], None)?;
        Ok(0)
    }

    fn run_command(&self, source: &OsStr) -> Result<i32> {
        let vm = self.vm();
        if let Err(raised) = taipan_object::codecs::to_utf8(vm, &text(source)) {
            eprintln!("Unable to decode the command from the command line:");
            return Err(raised);
        }
        vm.audit("cpython.run_command", &[text(source)])?;
        let name = intern("<string>").into_value();
        let source = dedent(&[source.as_bytes(), b"\n"].concat());
        let code = import::compile_module(vm, &source, &name, Origin::Text)?;
        repl::register_source(vm, &code, &source, "<string>")?;
        eval::eval_code(vm, &code, &self.main_globals()?, None, None)?;
        Ok(0)
    }

    fn run_file(&self, path: &OsStr) -> Result<i32> {
        let (vm, config) = (self.vm(), config::get());
        let file = Path::new(path);
        let in_archive = || !file.exists() && file.ancestors().skip(1).any(is_archive);
        if file.is_dir() || is_archive(file) || in_archive() {
            let sys_path = vm.import_from("sys", "path")?;
            if let Some(list) = sys_path.downcast::<List>() {
                list.items.borrow(&list.header).insert(0, text(path));
            }
            self.import_readline(false);
            return self.run_module(&Value::from("__main__"), false);
        }
        // A program of the library that is in the binary, if there is no such file on the disk.
        let library = || posix::library::source(absolute(file).as_os_str());
        let real = std::fs::canonicalize(file).unwrap_or_else(|_| file.to_path_buf());
        self.prepend_path(real.parent().unwrap_or(Path::new("")).as_os_str())?;
        self.import_readline(false);
        vm.audit("cpython.run_file", &[text(path)])?;
        let name = absolute(file);
        let mut source = match std::fs::read(file).or_else(|error| library().ok_or(error)) {
            Ok(source) => source,
            Err(error) => {
                let errno = error.raw_os_error().unwrap_or(0);
                let message = exceptions::os_error::strerror(errno);
                let (program, shown) = (getpath::get().executable.display(), vm.repr_string(&text(&name))?);
                runtime::write_stderr(vm, &format!("{program}: can't open file {shown}: [Errno {errno}] {message}\n"));
                return Ok(2);
            }
        };
        let globals = self.main_globals()?;
        let filename = text(&name);
        globals.set_str(&names().__file__, filename.clone());
        globals.set_str(intern("__cached__").as_value(), Value::NONE);
        let compiled = file.extension() == Some(OsStr::new("pyc")) || source.starts_with(&pyc::magic()[..2]);
        self.set_loader(&globals, if compiled { "SourcelessFileLoader" } else { "SourceFileLoader" }, &filename)?;
        let code = if compiled {
            if source.len() >= 4 && !source.starts_with(&pyc::magic()) {
                return Err(vm.runtime_error("Bad magic number in .pyc file"));
            }
            if source.len() < pyc::HEADER_SIZE {
                return Err(vm.raise_new(exceptions::EOF_ERROR.ty(), "EOF read where not expected".to_owned()));
            }
            match source.get(pyc::HEADER_SIZE..).and_then(marshal_module::load_code) {
                Some(data) => taipan_interp::code::Code::new(data).into_value(),
                None => return Err(vm.runtime_error("Bad code object in .pyc file")),
            }
        } else {
            if config.skip_source_first_line {
                let end = source.iter().position(|byte| *byte == b'\n').unwrap_or(source.len());
                source.drain(..end);
            }
            import::compile_file(vm, &source, &filename)?.into_value()
        };
        let code = code.downcast_ref::<taipan_interp::code::Code>().expect("code was made just now");
        eval::eval_code(vm, &code, &globals, None, None)?;
        Ok(0)
    }

    /// Sets `__loader__` of the main module.
    fn set_loader(&self, globals: &Ref<Dict>, class: &str, filename: &Value) -> Result<()> {
        let vm = self.vm();
        if let Ok(class) = vm.import_from("_frozen_importlib_external", class).map_err(|raised| vm.discard(raised)) {
            let loader = vm.call(&class, &[Value::from("__main__"), filename.clone()], None)?;
            globals.set_str(&names().__loader__, loader);
        }
        Ok(())
    }

    fn run_stdin(&self) -> Result<i32> {
        let vm = self.vm();
        if stdin_is_interactive() {
            runtime::set_inspect(false);
            self.import_readline(true);
            return self.interact(true);
        }
        vm.audit("cpython.run_stdin", &[])?;
        let mut source = Vec::new();
        while let Some(line) = console::read_line(vm, b"")? {
            source.extend_from_slice(&line);
        }
        if config::get().skip_source_first_line {
            let end = source.iter().position(|byte| *byte == b'\n').unwrap_or(source.len());
            source.drain(..end);
        }
        let name = intern("<stdin>").into_value();
        let globals = self.main_globals()?;
        globals.set_str(&names().__file__, name.clone());
        globals.set_str(intern("__cached__").as_value(), Value::NONE);
        let code = import::compile_file(vm, &source, &name)?;
        eval::eval_code(vm, &code, &globals, None, None)?;
        Ok(0)
    }

    /// The interactive session: `_pyrepl` on a terminal, else the basic one. `from_start`: there was no program before.
    fn interact(&self, from_start: bool) -> Result<i32> {
        let vm = self.vm();
        if from_start {
            self.run_startup()?;
            self.run_interactive_hook()?;
        }
        vm.audit("cpython.run_stdin", &[])?;
        let basic = is_set_in_environment("PYTHON_BASIC_REPL");
        if !std::io::stdin().is_terminal() || basic {
            return repl::run(vm, &self.main_globals()?);
        }
        let console = vm.import_from("_pyrepl.main", "interactive_console")?;
        vm.call_keywords(&console, &[], &[("quiet", Value::TRUE)])?;
        Ok(0)
    }

    /// `PYTHONSTARTUP`
    fn run_startup(&self) -> Result<()> {
        let vm = self.vm();
        if config::get().ignore_environment {
            return Ok(());
        }
        let Some(path) = std::env::var_os("PYTHONSTARTUP").filter(|path| !path.is_empty()) else { return Ok(()) };
        vm.audit("cpython.run_startup", &[text(&path)])?;
        let source = match std::fs::read(&path) {
            Ok(source) => source,
            Err(error) => {
                runtime::write_stderr(vm, "Could not open PYTHONSTARTUP\n");
                let errno = error.raw_os_error().unwrap_or(0);
                let raised = vm.os_error(errno, Some(&text(&path)), None);
                runtime::report(vm, &vm.take(raised));
                return Ok(());
            }
        };
        let globals = self.main_globals()?;
        let code = import::compile_file(vm, &source, &text(&path));
        let done = code.and_then(|code| eval::eval_code(vm, &code, &globals, None, None));
        match done {
            Ok(_) => Ok(()),
            Err(raised) => {
                let exception = vm.take(raised);
                if exception.ty().is_subtype(exceptions::SYSTEM_EXIT.ty()) {
                    return Err(vm.set_exception(exception));
                }
                runtime::report(vm, &exception);
                Ok(())
            }
        }
    }

    /// `sys.__interactivehook__`
    fn run_interactive_hook(&self) -> Result<()> {
        let vm = self.vm();
        let Some(hook) = sys_module::get(vm, "__interactivehook__") else { return Ok(()) };
        vm.audit("cpython.run_interactivehook", std::slice::from_ref(&hook))?;
        if let Err(raised) = vm.call_args(&hook, &[]) {
            runtime::write_stderr(vm, "Failed calling sys.__interactivehook__\n");
            runtime::report(vm, &vm.take(raised));
        }
        Ok(())
    }

    /// Loads line editing for the session to come.
    fn import_readline(&self, session: bool) {
        let (vm, config) = (self.vm(), config::get());
        if config.isolated || !session && config.inspect == 0 || !stdin_is_interactive() {
            return;
        }
        for module in ["readline", "rlcompleter"] {
            if let Err(raised) = vm.import(module) {
                vm.discard(raised);
            }
        }
    }

    fn show_header(&self) {
        let config = config::get();
        if config.quiet > 0 {
            return;
        }
        eprintln!("Python {} on {}", sys_module::version(), std::env::consts::OS);
        if !config.no_site {
            eprintln!("Type \"help\", \"copyright\", \"credits\" or \"license\" for more information.");
        }
    }

    fn main_globals(&self) -> Result<Ref<Dict>> {
        let main = self.vm().import("__main__")?;
        match main.downcast::<Module>() {
            Some(module) => Ok(module.dict.clone()),
            None => Err(self.vm().runtime_error("lost __main__")),
        }
    }

    /// Puts the program's directory first on `sys.path`, unless that is not wanted.
    fn prepend_path(&self, directory: &OsStr) -> Result<()> {
        if config::get().safe_path {
            return Ok(());
        }
        let path = self.vm().import_from("sys", "path")?;
        if let Some(list) = path.downcast::<List>() {
            list.items.borrow(&list.header).insert(0, text(directory));
        }
        taipan_object::builtins::module::set_program_folder(&directory.to_string_lossy());
        Ok(())
    }
}

fn text(value: impl AsRef<OsStr>) -> Value {
    Str::from_fs_bytes(value.as_ref().as_bytes()).into_value()
}

/// Whether statements come from a person, or are to be treated as such.
fn stdin_is_interactive() -> bool {
    std::io::stdin().is_terminal() || config::get().interactive > 0
}

/// Whether the program, or who started it, has set the variable to something.
fn is_set_in_environment(name: &str) -> bool {
    !config::get().ignore_environment && std::env::var_os(name).is_some_and(|value| !value.is_empty())
}

/// Whether the file ends as zip archives do.
fn is_archive(file: &Path) -> bool {
    use std::io::{Read, Seek, SeekFrom};
    let Ok(mut file) = std::fs::File::open(file) else { return false };
    let Ok(data) = file.metadata() else { return false };
    if !data.is_file() {
        return false;
    }
    // The end record is followed by a comment of up to 64 KiB; most archives have none.
    for reach in [22, 22 + 65535] {
        let mut tail = Vec::new();
        let start = data.len().saturating_sub(reach);
        let read = file.seek(SeekFrom::Start(start)).and_then(|_| file.read_to_end(&mut tail));
        if read.is_ok() && tail.windows(4).any(|window| window == b"PK\x05\x06") {
            return true;
        }
        if start == 0 {
            return false;
        }
    }
    false
}

/// The path as `__file__` shows it.
fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf())
}

/// The source of `-c` without the indentation that all of its lines share (as `textwrap.dedent`).
fn dedent(source: &[u8]) -> Vec<u8> {
    let lines = || source.split(|byte| *byte == b'\n');
    let is_blank = |line: &[u8]| line.iter().all(|byte| matches!(byte, b' ' | b'\t'));
    let indent = |line: &[u8]| line.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    let mut common: Option<&[u8]> = None;
    for line in lines().filter(|line| !is_blank(line)) {
        let own = &line[..indent(line)];
        common = Some(match common {
            None => own,
            Some(common) => {
                let shared = common.iter().zip(own).take_while(|(a, b)| a == b).count();
                &common[..shared]
            }
        });
    }
    let cut = common.map_or(0, <[u8]>::len);
    if cut == 0 {
        return source.to_vec();
    }
    let parts: Vec<&[u8]> = lines().map(|line| if is_blank(line) { &[][..] } else { &line[cut..] }).collect();
    parts.join(&b'\n')
}
