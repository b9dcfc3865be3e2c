//! Completion: the word before the cursor, its possible ends, and how they are shown.

use taipan_object::builtins::list::List;
use taipan_object::builtins::str::Str;
use taipan_object::{Value, Vm};

use super::display::{self, in_columns};
use super::{decode, encode, state, text};

/// What a completion did.
pub struct Completion {
    /// The possible ends, sorted.
    pub matches: Vec<Vec<u32>>,
    /// What they have in common.
    pub common: Vec<u32>,
}

/// Finds the completions of the word before the cursor, whose bounds are set in the state.
pub fn find(vm: &Vm, kind: i32) -> Completion {
    let (word, completer) = {
        let mut state = state();
        let end = state.point;
        let start = state.line[..end].iter().rposition(|point| state.delimiters.contains(point));
        let begin = start.map_or(0, |at| at + 1);
        (state.begin, state.end, state.completion_type) = (begin, end, kind);
        (state.line[begin..end].to_vec(), state.completer.clone())
    };
    let mut matches = match completer.is_none() {
        true => file_names(&word),
        false => ask(vm, &completer, &word),
    };
    matches.sort();
    matches.dedup();
    let common = common_prefix(&matches, state().bindings.completion_ignore_case);
    Completion { matches, common }
}

/// Asks the function that Python gave. What it raises ends the list.
fn ask(vm: &Vm, completer: &Value, word: &[u32]) -> Vec<Vec<u32>> {
    let mut matches = Vec::new();
    for number in 0.. {
        match vm.call_args(completer, &[text(word), Value::from(number)]) {
            Ok(result) => match result.downcast::<Str>() {
                Some(text) => matches.push(text.to_code_points()),
                None => break,
            },
            Err(raised) => {
                vm.discard(raised);
                break;
            }
        }
    }
    matches
}

/// Names of files that begin with the word.
fn file_names(word: &[u32]) -> Vec<Vec<u32>> {
    use std::os::unix::ffi::OsStrExt;
    let word = encode(word);
    let cut = word.iter().rposition(|byte| *byte == b'/').map_or(0, |at| at + 1);
    let (directory, prefix) = word.split_at(cut);
    let path = if directory.is_empty() { b"." } else { directory };
    let Ok(entries) = std::fs::read_dir(std::ffi::OsStr::from_bytes(path)) else { return Vec::new() };
    let names = entries.flatten().map(|entry| entry.file_name().as_bytes().to_vec());
    names
        .filter(|name| name.starts_with(prefix) && (prefix.starts_with(b".") || !name.starts_with(b".")))
        .map(|name| decode(&[directory, &name].concat()))
        .collect()
}

fn common_prefix(matches: &[Vec<u32>], ignore_case: bool) -> Vec<u32> {
    let fold = |point: u32| match char::from_u32(point).filter(|_| ignore_case) {
        Some(c) => c.to_lowercase().next().map_or(point, u32::from),
        None => point,
    };
    let Some((first, rest)) = matches.split_first() else { return Vec::new() };
    let mut length = first.len();
    for other in rest {
        let shared = first.iter().zip(other).take_while(|(a, b)| fold(**a) == fold(**b)).count();
        length = length.min(shared);
    }
    first[..length].to_vec()
}

/// Replaces the word by text.
pub fn replace_word(new: &[u32]) {
    let mut state = state();
    let (begin, end) = (state.begin.min(state.line.len()), state.end.min(state.line.len()));
    state.line.splice(begin..end, new.iter().copied());
    state.point = begin + new.len();
    state.end = state.point;
}

/// Shows the completions: by the function that Python gave, or in columns. `confirm` asks whether to show very many.
pub fn show(vm: &Vm, completion: &Completion, confirm: impl FnOnce() -> bool) {
    let (hook, limit) = {
        let state = state();
        (state.display_matches_hook.clone(), state.bindings.completion_query_items)
    };
    if !hook.is_none() {
        let longest = completion.matches.iter().map(Vec::len).max().unwrap_or(0);
        let list = List::from_vec(completion.matches.iter().map(|item| text(item)).collect()).into_value();
        if let Err(raised) = vm.call_args(&hook, &[text(&completion.common), list, Value::from(longest)]) {
            vm.discard(raised);
        }
        flush(vm);
        return;
    }
    display::write(b"\n");
    let count = completion.matches.len();
    if limit > 0 && count >= limit {
        display::write(format!("Display all {count} possibilities? (y or n)").as_bytes());
        let confirmed = confirm();
        display::write(b"\n");
        if !confirmed {
            return;
        }
    }
    display::write(&in_columns(&completion.matches));
}

/// Flushes what Python has written to `sys.stdout`.
pub fn flush(vm: &Vm) {
    let flushed = vm.import_from("sys", "stdout").and_then(|stdout| vm.call_method(&stdout, "flush", &[]));
    if let Err(raised) = flushed {
        vm.discard(raised);
    }
}
