//! Cases with CPython's answers, from `tools/sre_cases.py`, for every width of text that can hold them.

use super::opcode::*;
use super::*;
use taipan_object::text::Unit;

fn numbers(text: &str) -> Vec<u32> {
    text.split(',')
        .filter(|word| !word.is_empty())
        .map(|word| u32::from_str_radix(word, 16).expect("a number"))
        .collect()
}

fn spans<U: Unit>(state: &State<U>, groups: usize) -> String {
    let span = |group| state.group(group).map_or("-1:-1".to_string(), |(start, end)| format!("{start}:{end}"));
    let spans: Vec<String> = (0..=groups).map(span).collect();
    format!("{} {}", spans.join(" "), state.lastindex())
}

fn outcome<U: Unit>(program: &Program, text: &[u32], method: &str) -> String {
    let text: Vec<U> = text.iter().map(|&code| U::from_code(code).expect("it fits")).collect();
    // A pattern whose matching explodes would hang the tests; the cases take far fewer steps.
    let mut asked = 0;
    let mut interrupt = || {
        asked += 1;
        asked > 10_000
    };
    let mut state = State::new(program, &text, 0, text.len(), &Locale::C, &mut interrupt, Scratch::default());
    let matched = match method {
        "match" => state.match_here(false),
        "fullmatch" => state.match_here(true),
        "search" => state.search(),
        _ => {
            let mut found = Vec::new();
            loop {
                match state.search() {
                    Ok(true) => found.push(format!("{}:{}", state.start(), state.end())),
                    Ok(false) => return found.join(" "),
                    Err(error) => return format!("{error:?}"),
                }
                state.advance();
            }
        }
    };
    match matched {
        Ok(true) => spans(&state, program.groups()),
        Ok(false) => "-".into(),
        Err(error) => format!("{error:?}"),
    }
}

#[test]
fn as_cpython() {
    let cases = match std::env::var("SRE_CASES") {
        Ok(path) => std::fs::read_to_string(path).expect("a file of cases"),
        Err(_) => include_str!("cases.tsv").to_string(),
    };
    let mut wrong = Vec::new();
    let mut last: Option<(&str, Program)> = None;
    for line in cases.lines() {
        let fields: Vec<&str> = line.split('\t').collect();
        let [pattern, code, groups, text, method, expected] = fields[..] else { panic!("six fields in {line}") };
        if last.as_ref().is_none_or(|(previous, _)| *previous != code) {
            match Program::new(&numbers(code), groups.parse().expect("a number")) {
                Ok(program) => last = Some((code, program)),
                Err(_) => {
                    wrong.push(format!("{pattern} is said to be invalid"));
                    continue;
                }
            }
        }
        let Some((_, program)) = &last else { continue };
        let text = numbers(text);
        let widest = text.iter().copied().max().unwrap_or(0);
        let mut outcomes = vec![outcome::<u32>(program, &text, method)];
        if widest <= 0xffff {
            outcomes.push(outcome::<u16>(program, &text, method));
        }
        if widest <= 0xff {
            outcomes.push(outcome::<u8>(program, &text, method));
        }
        if let Some(actual) = outcomes.iter().find(|actual| *actual != expected) {
            let text: String = text.iter().filter_map(|&code| char::from_u32(code)).collect();
            wrong.push(format!("{pattern}.{method}({text:?}): {actual} instead of {expected}"));
        }
    }
    assert!(wrong.is_empty(), "{} cases:\n{}", wrong.len(), wrong[..wrong.len().min(40)].join("\n"));
}

#[test]
fn invalid_code() {
    let invalid: [&[u32]; 18] = [
        &[],
        &[LITERAL, 97],
        &[LITERAL, SUCCESS],
        &[MARK, 0, SUCCESS],
        &[GROUPREF, 0, SUCCESS],
        &[AT, 12, SUCCESS],
        &[CATEGORY, 18, SUCCESS],
        &[IN, 2, LITERAL, 97, FAILURE, SUCCESS],
        &[IN, 9, LITERAL, 97, FAILURE, SUCCESS],
        &[IN, 3, JUMP, FAILURE, SUCCESS],
        &[BRANCH, 4, LITERAL, 97, JUMP, 9, FAILURE, SUCCESS],
        &[REPEAT_ONE, 6, 0, 1, MARK, 0, SUCCESS, SUCCESS],
        &[REPEAT_ONE, 6, 2, 1, LITERAL, 97, SUCCESS, SUCCESS],
        &[REPEAT, 5, 0, 1, LITERAL, 97, SUCCESS, SUCCESS],
        &[ASSERT, 0, 0, SUCCESS],
        &[MAX_UNTIL, SUCCESS],
        &[JUMP, 1, SUCCESS],
        &[999, SUCCESS],
    ];
    for code in invalid {
        assert!(Program::new(code, 0).is_err(), "{code:?}");
    }
    assert!(Program::new(&[REPEAT, 5, 0, 1, LITERAL, 97, MAX_UNTIL, SUCCESS], 0).is_ok());
    // Whatever the words are, nothing panics.
    let mut seed = 12345_u32;
    for _ in 0..20_000 {
        let mut next = |limit: u32| {
            seed = seed.wrapping_mul(1664525).wrapping_add(1013904223);
            (seed >> 8) % limit
        };
        let mut code: Vec<u32> = (0..next(24)).map(|_| next(45)).collect();
        code.push(SUCCESS);
        if let Ok(program) = Program::new(&code, 2) {
            let mut asked = 0;
            let mut interrupt = || {
                asked += 1;
                asked > 3
            };
            let mut state =
                State::new(&program, b"\x01\x02\x00\x11ab", 0, 6, &Locale::C, &mut interrupt, Scratch::default());
            let _ = state.search();
        }
    }
}

#[test]
fn deep_nesting_needs_no_native_stack() {
    let depth = 200_000;
    let mut code = Vec::new();
    for level in 0..depth {
        // An assertion around everything inside.
        code.extend([ASSERT, (depth - level) * 4 - 1, 0]);
    }
    code.extend(std::iter::repeat_n(SUCCESS, depth as usize + 1));
    let mut code_ends = code;
    // The skips count from their own word to behind the closing SUCCESS.
    let total = code_ends.len();
    for level in 0..depth as usize {
        code_ends[3 * level + 1] = (total - 1 - level - (3 * level + 1)) as u32;
    }
    let program = Program::new(&code_ends, 0).expect("valid code");
    let mut never = || false;
    let mut state = State::new(&program, b"abc", 0, 3, &Locale::C, &mut never, Scratch::default());
    assert_eq!(state.match_here(false), Ok(true));
}
