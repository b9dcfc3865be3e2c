//! Writes tracebacks from signal handlers: without allocation, locks or Python code.
//!
//! Counterpart of `_Py_DumpTraceback` and `_Py_DumpTracebackThreads` in CPython's `Python/traceback.c`. The frames may be
//! those of a thread that runs: what is shown of it can be out of date.

use taipan_bytecode::text::Text;
use taipan_object::builtins::dict::Dict;
use taipan_object::builtins::set::AnySet;
use taipan_object::builtins::str::Str;
use taipan_object::native::module::Module;
use taipan_object::vm::hooks::Dumped;
use taipan_object::{Value, Vm};

use crate::frame::{Frame, Interp};
use crate::threads;

const MAX_TEXT: usize = 500;
const MAX_FRAMES: usize = 100;
const MAX_THREADS: usize = 100;

/// Writes to a descriptor, by way of a small buffer.
struct Output {
    fd: i32,
    buffer: [u8; 256],
    length: usize,
}

impl Output {
    fn new(fd: i32) -> Output {
        Output { fd, buffer: [0; 256], length: 0 }
    }

    fn byte(&mut self, byte: u8) {
        if self.length == self.buffer.len() {
            self.flush();
        }
        self.buffer[self.length] = byte;
        self.length += 1;
    }

    fn text(&mut self, text: &str) {
        text.bytes().for_each(|byte| self.byte(byte));
    }

    fn decimal(&mut self, number: u64) {
        if number >= 10 {
            self.decimal(number / 10);
        }
        self.byte(b'0' + (number % 10) as u8);
    }

    fn hexadecimal(&mut self, number: u64, digits: u32) {
        for at in (0..digits).rev() {
            self.byte(b"0123456789abcdef"[(number >> (at * 4) & 15) as usize]);
        }
    }

    /// A name: printable ASCII as it is, the rest in escapes.
    fn name(&mut self, name: &Text) {
        for (count, code_point) in name.code_points().enumerate() {
            if count == MAX_TEXT {
                return self.text("...");
            }
            let (letter, digits) = match code_point {
                0x20..0x7F => {
                    self.byte(code_point as u8);
                    continue;
                }
                0..0x100 => ("\\x", 2),
                0x100..0x10000 => ("\\u", 4),
                _ => ("\\U", 8),
            };
            self.text(letter);
            self.hexadecimal(u64::from(code_point), digits);
        }
    }

    fn flush(&mut self) {
        let mut written = 0;
        while written < self.length {
            // SAFETY: the buffer has that many bytes.
            let count = unsafe { libc::write(self.fd, self.buffer[written..].as_ptr().cast(), self.length - written) };
            if count <= 0 {
                break;
            }
            written += count as usize;
        }
        self.length = 0;
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        self.flush();
    }
}

fn dump_frame(out: &mut Output, frame: &Frame) {
    let code = frame.code();
    out.text("  File \"");
    out.name(&code.data.filename);
    out.text("\", line ");
    match code.lineno_of_pc(frame.pc) {
        Some(line) => out.decimal(line.max(0) as u64),
        None => out.text("???"),
    }
    out.text(" in ");
    out.name(&code.data.name);
    out.byte(b'\n');
}

fn dump_frames(out: &mut Output, vm: &Vm) {
    let interp = vm.interpreter.get().cast::<Interp>();
    // SAFETY: the state is there as long as the thread is registered.
    let mut frame = unsafe { interp.as_ref() }.map_or(std::ptr::null_mut(), |interp| interp.frame.get());
    if frame.is_null() {
        return out.text("  <no Python frame>\n");
    }
    // SAFETY: frames on the chain are alive, or at least their memory is; one without a function is being left.
    for _ in 0..MAX_FRAMES {
        let Some(current) = (unsafe { frame.as_ref() }) else { return };
        if current.function != 0 {
            dump_frame(out, current);
        }
        frame = current.previous;
    }
}

fn dump_thread(out: &mut Output, ident: u64, vm: &Vm, is_current: bool) {
    out.text(if is_current { "Current thread 0x" } else { "Thread 0x" });
    out.hexadecimal(ident, 16);
    if is_current {
        let mut name = [0u8; 16];
        // SAFETY: the buffer has the given length; the name ends with NUL.
        unsafe { libc::pthread_getname_np(libc::pthread_self(), name.as_mut_ptr().cast(), name.len()) };
        if name[0] != 0 {
            out.text(" [");
            for byte in name.into_iter().take_while(|byte| *byte != 0) {
                out.byte(if (0x20..0x7F).contains(&byte) { byte } else { b'?' });
            }
            out.text("]");
        }
    }
    out.text(" (most recent call first):\n");
    if is_current && taipan_object::collector::is_collecting() {
        out.text("  Garbage-collecting\n");
    }
    dump_frames(out, vm);
}

/// The items of a dict, for signal handlers.
fn items(dict: &Dict) -> impl Iterator<Item = (Value, Value)> {
    let mut position = 0;
    std::iter::from_fn(move || {
        let (next, key, value) = dict.next_item(position)?;
        position = next;
        Some((key, value))
    })
}

/// Writes the names of the native modules that are imported and, as `sys.stdlib_module_names` has it, no part of the
/// standard library.
pub fn dump_extension_modules(fd: i32) {
    let Some(vm) = Vm::try_current() else { return };
    // SAFETY: the state is there as long as the thread runs Python code.
    let Some(interp) = (unsafe { vm.interpreter.get().cast::<Interp>().as_ref() }) else { return };
    let Some(modules) = interp.modules.take() else { return };
    interp.modules.set(Some(modules.clone()));
    let is_named = |key: &Value, name: &str| key.downcast::<Str>().is_some_and(|key| key.is_str(name));
    let sys = items(&modules).find(|(key, _)| is_named(key, "sys")).map(|(_, module)| module);
    let sys = sys.as_ref().and_then(Value::downcast::<Module>);
    let library = sys.and_then(|sys| items(&sys.dict).find(|(key, _)| is_named(key, "stdlib_module_names")));
    let library = library.as_ref().and_then(|(_, names)| AnySet::of(names));
    let is_foreign = |name: &Str, key: &Value| {
        let known = library.map_or(Ok(false), |library| library.contains_hashed(vm, key, name.hash()));
        known.map(|known| !known).unwrap_or_else(|raised| {
            vm.discard(raised);
            false
        })
    };
    let mut out = Output::new(fd);
    let mut count = 0;
    for (key, module) in items(&modules) {
        let Some(name) = key.downcast::<Str>() else { continue };
        let is_native = module.downcast::<Module>().is_some_and(|module| module.def.is_some());
        if is_native && is_foreign(name, &key) {
            out.text(if count == 0 { "\nExtension modules: " } else { ", " });
            for code_point in name.code_points().take(MAX_TEXT) {
                out.byte(if (0x20..0x7F).contains(&code_point) { code_point as u8 } else { b'?' });
            }
            count += 1;
        }
    }
    if count > 0 {
        out.text(" (total: ");
        out.decimal(count);
        out.text(")\n");
    }
}

/// Writes the traceback of the calling thread or of all threads.
pub fn dump_traceback(fd: i32, what: Dumped) {
    let mut out = Output::new(fd);
    let current = Vm::try_current();
    match what {
        Dumped::Current => {
            out.text("Stack (most recent call first):\n");
            match current {
                Some(vm) => dump_frames(&mut out, vm),
                None => out.text("  <no Python frame>\n"),
            }
        }
        Dumped::All => {
            let mut count = 0;
            let known = threads::try_for_each(|ident, vm| {
                if count > 0 && count <= MAX_THREADS {
                    out.byte(b'\n');
                }
                if count == MAX_THREADS {
                    out.text("...\n");
                }
                if count < MAX_THREADS {
                    dump_thread(&mut out, ident, vm, current.is_some_and(|current| std::ptr::eq(current, vm)));
                }
                count += 1;
            });
            if let Some(vm) = current.filter(|_| !known) {
                dump_thread(&mut out, threads::current_ident(), vm, true);
            }
        }
    }
}
