//! Lines from the terminal or whatever standard input is, for `input()` and the interactive session. Counterpart of
//! CPython's `Parser/myreadline.c`.

use std::io::Write;
use std::sync::Mutex;

use taipan_object::vm::hooks::{READLINE, blocking};
use taipan_object::{Result, Vm};

/// What has been read from descriptor 0 and not asked for yet.
static PENDING: Mutex<Vec<u8>> = Mutex::new(Vec::new());

/// Whether descriptors 0 and 1 are a terminal.
pub fn is_terminal() -> bool {
    // SAFETY: takes a number.
    unsafe { libc::isatty(0) == 1 && libc::isatty(1) == 1 }
}

/// The next line with its line feed; `None` at the end of input. On a terminal there is line editing if the module
/// `readline` is loaded.
pub fn read_line(vm: &Vm, prompt: &[u8]) -> Result<Option<Vec<u8>>> {
    if is_terminal()
        && let Some(readline) = READLINE.get()
    {
        return readline(vm, prompt);
    }
    let mut stderr = std::io::stderr();
    // There is nobody to tell that the prompt cannot be shown.
    let _ = stderr.write_all(prompt).and_then(|()| stderr.flush());
    read_plain_line(vm)
}

/// The next line of descriptor 0, which signals may interrupt.
fn read_plain_line(vm: &Vm) -> Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    loop {
        {
            let mut pending = PENDING.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
            let end = pending.iter().position(|byte| *byte == b'\n').map_or(pending.len(), |at| at + 1);
            line.extend(pending.drain(..end));
        }
        if line.last() == Some(&b'\n') {
            return Ok(Some(line));
        }
        let mut buffer = [0u8; 4096];
        let (count, error) = blocking(|| {
            // SAFETY: room for so many bytes.
            let count = unsafe { libc::read(0, buffer.as_mut_ptr().cast(), buffer.len()) };
            (count, std::io::Error::last_os_error().raw_os_error().unwrap_or(0))
        });
        match usize::try_from(count) {
            Ok(0) => return Ok(if line.is_empty() { None } else { Some(line) }),
            Ok(count) => {
                PENDING.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).extend_from_slice(&buffer[..count]);
            }
            Err(_) if error == libc::EINTR => vm.check_signals()?,
            Err(_) => return Ok(if line.is_empty() { None } else { Some(line) }),
        }
    }
}
