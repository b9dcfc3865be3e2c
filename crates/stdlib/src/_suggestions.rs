//! `_suggestions`: the name that was perhaps meant.
//!
//! Counterpart of CPython's `Modules/_suggestions.c` and `Python/suggestions.c`, whose edit distance works on UTF-8 bytes.

use taipan_object::builtins::list::List;
use taipan_object::builtins::str::Str;
use taipan_object::native::MethodDef;
use taipan_object::native::module::ModuleDef;
use taipan_object::{Result, Value, Vm, codecs, method_table};

pub static MODULE: ModuleDef = ModuleDef { name: "_suggestions", doc: "", functions: FUNCTIONS, exec: |_, _| Ok(()) };

method_table! { static FUNCTIONS = [
    MethodDef::new("_generate_suggestions($module, candidates, item, /)",
        "The candidate most like *item*, or None.",
        |vm, _, args| generate_suggestions(vm, &args[0], &args[1])),
]; }

const MAX_CANDIDATE_ITEMS: usize = 750;
const MAX_STRING_SIZE: usize = 40;
const MOVE_COST: usize = 2;
const CASE_COST: usize = 1;

fn generate_suggestions(vm: &Vm, candidates: &Value, item: &Value) -> Result {
    vm.expect_str(item, |got| format!("_generate_suggestions() argument 2 must be str, not {got}"))?;
    let item = codecs::to_utf8(vm, item)?;
    let Some(list) = candidates.downcast::<List>() else { return Err(vm.type_error("candidates must be a list")) };
    let candidates = list.to_vec();
    if candidates.iter().any(|candidate| candidate.downcast::<Str>().is_none()) {
        return Err(vm.type_error("all elements in 'candidates' must be strings"));
    }
    if candidates.len() >= MAX_CANDIDATE_ITEMS {
        return Ok(Value::NONE);
    }
    let mut best: Option<(usize, &Value)> = None;
    for candidate in &candidates {
        let text = codecs::to_utf8(vm, candidate)?;
        if text == item {
            continue;
        }
        // At most a third of the characters may change, and only what is better than the best so far counts.
        let mut limit = (item.len() + text.len() + 3) * MOVE_COST / 6;
        if let Some((distance, _)) = best {
            limit = limit.min(distance - 1);
        }
        if let Some(distance) = levenshtein_distance(item.as_bytes(), text.as_bytes(), limit) {
            best = Some((distance, candidate));
        }
    }
    Ok(best.map_or(Value::NONE, |(_, candidate)| candidate.clone()))
}

/// The distance of two strings that differ, unless it is above the limit.
fn levenshtein_distance(a: &[u8], b: &[u8], limit: usize) -> Option<usize> {
    let prefix = a.iter().zip(b).take_while(|(x, y)| x == y).count();
    let (a, b) = (&a[prefix..], &b[prefix..]);
    let suffix = a.iter().rev().zip(b.iter().rev()).take_while(|(x, y)| x == y).count();
    let (a, b) = (&a[..a.len() - suffix], &b[..b.len() - suffix]);
    if a.is_empty() || b.is_empty() {
        return Some((a.len() + b.len()) * MOVE_COST).filter(|&distance| distance <= limit);
    }
    if a.len() > MAX_STRING_SIZE || b.len() > MAX_STRING_SIZE {
        return None;
    }
    let (short, long) = if b.len() < a.len() { (b, a) } else { (a, b) };
    if (long.len() - short.len()) * MOVE_COST > limit {
        return None;
    }
    // Distances between what has been seen of the long string and the beginnings of the short one.
    let mut row: Vec<usize> = (1..=short.len()).map(|length| length * MOVE_COST).collect();
    let mut result = 0;
    for (index, &byte) in long.iter().enumerate() {
        let mut distance = index * MOVE_COST;
        result = distance;
        let mut minimum = usize::MAX;
        for (cell, &other) in row.iter_mut().zip(short) {
            let substitute = distance + substitution_cost(byte, other);
            distance = *cell;
            result = substitute.min(result.min(distance) + MOVE_COST);
            *cell = result;
            minimum = minimum.min(result);
        }
        if minimum > limit {
            return None;
        }
    }
    (result <= limit).then_some(result)
}

fn substitution_cost(a: u8, b: u8) -> usize {
    match a {
        _ if a == b => 0,
        _ if a.eq_ignore_ascii_case(&b) => CASE_COST,
        _ => MOVE_COST,
    }
}
