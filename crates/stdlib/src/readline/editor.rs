//! The loop that reads keys and edits a line.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use taipan_object::vm::hooks::blocking;
use taipan_object::{Result, Value, Vm};

use super::bindings::{Binding, code_point};
use super::commands::Command;
use super::completion;
use super::display::{self, Display};
use super::{decode, encode, state};
use crate::arguments::errno;

/// Held while a line is edited.
static EDITING: Mutex<()> = Mutex::new(());
/// The thread that edits a line, by its number; 0 for none.
static EDITOR: AtomicU64 = AtomicU64::new(0);
/// The screen while a line is edited.
static DISPLAY: Mutex<Option<Display>> = Mutex::new(None);
/// What was killed, the latest last.
static KILL_RING: Mutex<Vec<Vec<u32>>> = Mutex::new(Vec::new());

/// How long an escape may be the beginning of a sequence, in milliseconds.
const SEQUENCE_TIMEOUT: i32 = 500;

fn with_display<R>(f: impl FnOnce(&mut Display) -> R) -> Option<R> {
    DISPLAY.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).as_mut().map(f)
}

/// The line and the place of the cursor.
fn current() -> (Vec<u32>, usize) {
    let state = state();
    (state.line.clone(), state.point)
}

/// Shows the line as it is now.
pub fn redisplay() {
    let (line, point) = current();
    with_display(|display| display.refresh(&line, point));
}

/// A terminal whose keys arrive one by one; the old modes come back at the end.
struct RawMode(libc::termios);

impl RawMode {
    fn enter() -> Option<RawMode> {
        // SAFETY: zeros are a valid termios, which the call fills.
        unsafe {
            let mut modes: libc::termios = std::mem::zeroed();
            if libc::tcgetattr(0, &mut modes) != 0 {
                return None;
            }
            let old = modes;
            modes.c_lflag &= !(libc::ICANON | libc::ECHO);
            modes.c_iflag &= !(libc::ICRNL | libc::INLCR | libc::ISTRIP | libc::IXON);
            modes.c_cc[libc::VMIN] = 1;
            modes.c_cc[libc::VTIME] = 0;
            // Ctrl-V and the like are keys.
            modes.c_lflag &= !libc::IEXTEN;
            libc::tcsetattr(0, libc::TCSADRAIN, &modes);
            Some(RawMode(old))
        }
    }
}

impl Drop for RawMode {
    fn drop(&mut self) {
        // SAFETY: valid modes.
        unsafe { libc::tcsetattr(0, libc::TCSADRAIN, &self.0) };
    }
}

/// A number for the calling thread that no other has.
fn thread_number() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    thread_local!(static OWN: u64 = NEXT.fetch_add(1, Relaxed));
    OWN.with(|own| *own)
}

/// Reads a line from the terminal, with its line feed; `None` at the end of input.
pub fn read_line(vm: &Vm, prompt: &[u8]) -> Result<Option<Vec<u8>>> {
    if EDITOR.load(Relaxed) == thread_number() {
        return Err(vm.runtime_error("can't re-enter readline"));
    }
    let _editing = blocking(|| EDITING.lock().unwrap_or_else(|poisoned| poisoned.into_inner()));
    EDITOR.store(thread_number(), Relaxed);
    let result = edit(vm, prompt);
    *DISPLAY.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) = None;
    EDITOR.store(0, Relaxed);
    let Some(line) = result? else { return Ok(None) };
    let mut state = state();
    let is_repeated = state.history.len().checked_sub(1).and_then(|last| state.history.line(last)) == Some(&line[..]);
    if state.auto_history && !line.is_empty() && !is_repeated {
        state.history.add(line.clone());
    }
    let mut bytes = encode(&line);
    bytes.push(b'\n');
    Ok(Some(bytes))
}

fn call_hook(vm: &Vm, hook: &Value) {
    if !hook.is_none() {
        // As in CPython, what a hook raises or returns is of no interest.
        if let Err(raised) = vm.call_args(hook, &[]) {
            vm.discard(raised);
        }
        completion::flush(vm);
    }
}

fn edit(vm: &Vm, prompt: &[u8]) -> Result<Option<Vec<u32>>> {
    let (startup, pre_input, history_at) = {
        let mut state = state();
        state.line.clear();
        state.point = 0;
        (state.startup_hook.clone(), state.pre_input_hook.clone(), state.history.len())
    };
    let _raw = RawMode::enter();
    *DISPLAY.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) = Some(Display::new(&decode(prompt)));
    call_hook(vm, &startup);
    let (line, point) = current();
    with_display(|display| display.start(&line, point));
    call_hook(vm, &pre_input);
    let mut session = Session {
        vm,
        pending: Vec::new(),
        undo: Vec::new(),
        history_at,
        original: Vec::new(),
        last: None,
        yanked: 0,
        argument_at: 0,
    };
    let result = session.run();
    match result {
        Ok(Outcome::Line) => {
            let line = state().line.clone();
            with_display(|display| display.leave(&line));
            Ok(Some(line))
        }
        Ok(Outcome::EndOfInput) => {
            display::write(b"\n");
            Ok(None)
        }
        Err(raised) => Err(raised),
    }
}

enum Outcome {
    Line,
    EndOfInput,
}

/// Keys, or the end of input.
enum Key {
    Bytes(Vec<u8>),
    EndOfInput,
}

/// The editing of one line.
struct Session<'a> {
    vm: &'a Vm,
    /// Keys to be read before those of the terminal: of macros, the first last.
    pending: Vec<u8>,
    /// Earlier lines with the place of the cursor.
    undo: Vec<(Vec<u32>, usize)>,
    /// The line of the history that is shown; its length for the line being written.
    history_at: usize,
    /// What was being written when the history was entered.
    original: Vec<u32>,
    last: Option<Command>,
    /// The length of the text that `yank` inserted.
    yanked: usize,
    /// How far back `yank-last-arg` has gone.
    argument_at: usize,
}

impl Session<'_> {
    fn run(&mut self) -> Result<Outcome> {
        loop {
            let keys = match self.read_keys()? {
                Key::Bytes(keys) => keys,
                Key::EndOfInput if state().line.is_empty() => return Ok(Outcome::EndOfInput),
                Key::EndOfInput => return Ok(Outcome::Line),
            };
            let binding = state().bindings.get(&keys).cloned();
            let command = match binding {
                Some(Binding::Macro(keys)) => {
                    self.pending.extend(keys.iter().rev());
                    continue;
                }
                Some(Binding::Command(Command::SelfInsert)) | None => {
                    self.insert_keys(&keys);
                    self.last = Some(Command::SelfInsert);
                    continue;
                }
                Some(Binding::Command(command)) => command,
            };
            if let Some(outcome) = self.execute(command)? {
                return Ok(outcome);
            }
            self.last = Some(command);
        }
    }

    /// One byte from the terminal; `None` at the end of input.
    fn read_byte(&mut self) -> Result<Option<u8>> {
        if let Some(byte) = self.pending.pop() {
            return Ok(Some(byte));
        }
        loop {
            let mut byte = 0u8;
            let (count, error) = blocking(|| {
                // SAFETY: room for one byte.
                let count = unsafe { libc::read(0, (&raw mut byte).cast(), 1) };
                (count, errno())
            });
            match count {
                1 => return Ok(Some(byte)),
                0 => return Ok(None),
                _ if error == libc::EINTR => {
                    self.vm.check_signals()?;
                    // The window may have another size now.
                    redisplay();
                }
                _ => return Ok(None),
            }
        }
    }

    /// Whether a byte comes soon.
    fn byte_is_near(&self) -> bool {
        if !self.pending.is_empty() {
            return true;
        }
        let mut entry = libc::pollfd { fd: 0, events: libc::POLLIN, revents: 0 };
        // SAFETY: one entry.
        blocking(|| unsafe { libc::poll(&mut entry, 1, SEQUENCE_TIMEOUT) }) > 0
    }

    /// The keys of one command or character.
    fn read_keys(&mut self) -> Result<Key> {
        let mut keys = Vec::new();
        loop {
            let Some(byte) = self.read_byte()? else {
                return Ok(if keys.is_empty() { Key::EndOfInput } else { Key::Bytes(keys) });
            };
            keys.push(byte);
            let (is_bound, is_prefix) = {
                let state = state();
                (state.bindings.get(&keys).is_some(), state.bindings.is_prefix(&keys))
            };
            if is_prefix && (!is_bound || self.byte_is_near()) {
                continue;
            }
            if !is_bound && keys[0] >= 0x80 && code_point(&keys).is_none() {
                continue;
            }
            return Ok(Key::Bytes(keys));
        }
    }

    fn insert_keys(&mut self, keys: &[u8]) {
        // Sequences that nothing is bound to are not text.
        if keys.len() > 1 && keys[0] < 0x80 || keys == b"\x1b" {
            return display::write(b"\x07");
        }
        self.remember();
        state().insert(&decode(keys));
        redisplay();
    }

    /// Keeps the line for `undo`.
    fn remember(&mut self) {
        let state = state();
        if self.undo.last().is_none_or(|(line, _)| *line != state.line) {
            self.undo.push((state.line.clone(), state.point));
        }
    }

    fn execute(&mut self, command: Command) -> Result<Option<Outcome>> {
        match command {
            Command::AcceptLine => return Ok(Some(Outcome::Line)),
            Command::DeleteChar if state().line.is_empty() => return Ok(Some(Outcome::EndOfInput)),
            Command::PreviousHistory => self.go_to(self.history_at.checked_sub(1)),
            Command::NextHistory => self.go_to(self.history_at.checked_add(1)),
            Command::BeginningOfHistory => self.go_to(Some(0)),
            Command::EndOfHistory => {
                let end = state().history.len();
                self.go_to(Some(end));
            }
            Command::HistorySearchBackward => self.search_prefix(true),
            Command::HistorySearchForward => self.search_prefix(false),
            Command::ReverseSearchHistory => return self.search(true),
            Command::ForwardSearchHistory => return self.search(false),
            Command::ClearScreen => {
                with_display(Display::clear_screen);
            }
            Command::Abort => display::write(b"\x07"),
            Command::RedrawCurrentLine => {}
            Command::Undo => {
                let undone = self.undo.pop();
                self.restore(undone);
            }
            Command::RevertLine => {
                let first = self.undo.drain(..).next();
                self.restore(first);
            }
            Command::QuotedInsert => {
                if let Some(byte) = self.read_byte()? {
                    self.remember();
                    state().insert(&[u32::from(byte)]);
                }
            }
            Command::Complete | Command::MenuComplete if state().bindings.disable_completion => {
                self.remember();
                state().insert(&[u32::from(b'\t')]);
            }
            Command::Complete | Command::MenuComplete => self.complete()?,
            Command::PossibleCompletions => {
                let found = completion::find(self.vm, i32::from(b'?'));
                self.show(&found)?;
            }
            Command::InsertCompletions => {
                let found = completion::find(self.vm, i32::from(b'*'));
                self.remember();
                let all: Vec<u32> = found.matches.join(&u32::from(b' '));
                if !all.is_empty() {
                    completion::replace_word(&all);
                }
            }
            Command::Yank => self.yank(),
            Command::YankPop => self.yank_pop(),
            Command::YankLastArg => self.yank_last_argument(),
            command if command.kills() => self.kill(command),
            command => {
                self.remember();
                if !state().edit(command) {
                    display::write(b"\x07");
                }
            }
        }
        redisplay();
        Ok(None)
    }

    fn restore(&mut self, saved: Option<(Vec<u32>, usize)>) {
        match saved {
            Some((line, point)) => {
                let mut state = state();
                (state.line, state.point) = (line, point);
            }
            None => display::write(b"\x07"),
        }
    }

    /// Shows a line of the history, or the one being written.
    fn go_to(&mut self, target: Option<usize>) {
        let mut state = state();
        let length = state.history.len();
        let Some(target) = target.filter(|target| *target <= length && *target != self.history_at) else {
            return display::write(b"\x07");
        };
        if self.history_at == length {
            self.original = state.line.clone();
        }
        self.history_at = target;
        let line = if target == length { self.original.clone() } else { state.history.get(target).unwrap_or_default() };
        state.set_line(line);
        self.undo.clear();
    }

    /// Shows the next line of the history that begins as the line does before the cursor.
    fn search_prefix(&mut self, back: bool) {
        let found = {
            let state = state();
            let prefix = &state.line[..state.point];
            let fits = |at: &usize| state.history.line(*at).is_some_and(|line| line.starts_with(prefix));
            let found = if back {
                (0..self.history_at).rev().find(fits)
            } else {
                (self.history_at + 1..state.history.len()).find(fits)
            };
            found.map(|at| (at, state.point))
        };
        match found {
            Some((at, point)) => {
                self.go_to(Some(at));
                state().point = point;
            }
            None => display::write(b"\x07"),
        }
    }

    /// Incremental search.
    fn search(&mut self, back: bool) -> Result<Option<Outcome>> {
        let mut back = back;
        let mut wanted: Vec<u32> = Vec::new();
        let (line, point) = current();
        let start = (self.history_at, line, point);
        let mut failed = false;
        loop {
            let (line, point) = current();
            let label = match (failed, back) {
                (false, true) => "(reverse-i-search)`",
                (false, false) => "(i-search)`",
                (true, true) => "(failed reverse-i-search)`",
                (true, false) => "(failed i-search)`",
            };
            let prompt = [&decode(label.as_bytes())[..], &wanted, &decode(b"': ")].concat();
            with_display(|display| display.refresh_with(&prompt, &line, point));
            let Key::Bytes(keys) = self.read_keys()? else { return Ok(Some(Outcome::Line)) };
            let binding = state().bindings.get(&keys).cloned();
            let mut from = self.history_at;
            match binding {
                Some(Binding::Command(command @ (Command::ReverseSearchHistory | Command::ForwardSearchHistory))) => {
                    back = command == Command::ReverseSearchHistory;
                    from = if back { from.saturating_sub(1) } else { from + 1 };
                }
                Some(Binding::Command(Command::BackwardDeleteChar)) => {
                    wanted.pop();
                }
                Some(Binding::Command(Command::Abort)) => {
                    let mut state = state();
                    (self.history_at, state.line, state.point) = start;
                    drop(state);
                    redisplay();
                    return Ok(None);
                }
                None if keys[0] >= 0x20 => wanted.extend(decode(&keys)),
                _ => {
                    // Any other key ends the search and does its work.
                    redisplay();
                    self.pending.extend(keys.iter().rev());
                    return Ok(None);
                }
            }
            let found = {
                let state = state();
                let place = |at: usize| {
                    let line = state.history.line(at)?;
                    line.windows(wanted.len().max(1)).position(|window| window == wanted).map(|place| (at, place))
                };
                let length = state.history.len();
                match (wanted.is_empty(), back) {
                    (true, _) => None,
                    (_, true) => (0..(from + 1).min(length)).rev().find_map(place),
                    (_, false) => (from..length).find_map(place),
                }
            };
            failed = found.is_none() && !wanted.is_empty();
            if let Some((at, place)) = found {
                if at != self.history_at {
                    self.go_to(Some(at));
                }
                state().point = place;
            }
        }
    }

    fn complete(&mut self) -> Result<()> {
        let (always, unmodified) = {
            let state = state();
            (state.bindings.show_all_if_ambiguous, state.bindings.show_all_if_unmodified)
        };
        let again = self.last == Some(Command::Complete);
        let kind = match (again, always || unmodified) {
            (true, _) => b'?',
            (_, true) => b'!',
            _ => b'\t',
        };
        let found = completion::find(self.vm, i32::from(kind));
        if found.matches.is_empty() {
            display::write(b"\x07");
            return Ok(());
        }
        let grows = {
            let state = state();
            found.common.len() > state.end.saturating_sub(state.begin)
        };
        // An empty completion is for functions that have changed the line themselves.
        if !found.common.is_empty() && (grows || found.matches.len() == 1) {
            self.remember();
            completion::replace_word(&found.common);
        }
        if found.matches.len() == 1 {
            return Ok(());
        }
        if kind == b'?' || always || unmodified && !grows {
            return self.show(&found);
        }
        if !grows {
            display::write(b"\x07");
        }
        Ok(())
    }

    /// Shows completions below the line, and the line again below them.
    fn show(&mut self, found: &completion::Completion) -> Result<()> {
        if found.matches.is_empty() {
            display::write(b"\x07");
            return Ok(());
        }
        let vm = self.vm;
        let mut interrupted = None;
        let hooked = !state().display_matches_hook.is_none();
        if hooked {
            display::write(b"\n");
        }
        completion::show(vm, found, || match self.read_byte() {
            Ok(byte) => byte.is_some_and(|byte| matches!(byte, b'y' | b'Y' | b' ')),
            Err(raised) => {
                interrupted = Some(raised);
                false
            }
        });
        if let Some(raised) = interrupted {
            return Err(raised);
        }
        let (line, point) = current();
        with_display(|display| display.start(&line, point));
        Ok(())
    }

    fn kill(&mut self, command: Command) {
        self.remember();
        let (killed, backward) = state().kill(command);
        if killed.is_empty() {
            return;
        }
        let mut ring = KILL_RING.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        match ring.last_mut().filter(|_| self.last.is_some_and(Command::kills)) {
            Some(last) if backward => *last = [&killed[..], last].concat(),
            Some(last) => last.extend(killed),
            None => ring.push(killed),
        }
        let surplus = ring.len().saturating_sub(32);
        ring.drain(..surplus);
    }

    fn yank(&mut self) {
        let text = KILL_RING.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).last().cloned();
        match text {
            Some(text) => {
                self.remember();
                self.yanked = text.len();
                state().insert(&text);
            }
            None => display::write(b"\x07"),
        }
    }

    fn yank_pop(&mut self) {
        if !matches!(self.last, Some(Command::Yank | Command::YankPop)) {
            return display::write(b"\x07");
        }
        let text = {
            let mut ring = KILL_RING.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
            ring.rotate_right(1);
            ring.last().cloned().unwrap_or_default()
        };
        let mut state = state();
        let start = state.point.saturating_sub(self.yanked);
        let end = state.point;
        state.line.drain(start..end);
        state.point = start;
        state.insert(&text);
        self.yanked = text.len();
    }

    fn yank_last_argument(&mut self) {
        let again = self.last == Some(Command::YankLastArg);
        self.argument_at = if again { self.argument_at + 1 } else { 1 };
        let mut state = state();
        let line = state.history.len().checked_sub(self.argument_at).and_then(|at| state.history.get(at));
        let Some(line) = line else { return display::write(b"\x07") };
        let is_space = |point: &u32| *point == u32::from(b' ');
        let word = line.split(is_space).rfind(|word| !word.is_empty()).unwrap_or_default().to_vec();
        if again {
            let start = state.point.saturating_sub(self.yanked);
            let end = state.point;
            state.line.drain(start..end);
            state.point = start;
        }
        state.insert(&word);
        self.yanked = word.len();
    }
}
