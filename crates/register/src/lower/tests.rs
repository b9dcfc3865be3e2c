//! Real code objects lowered and checked, and mutated ones refused or lowered without a panic.
//!
//! `testdata/code.txt` was made by CPython 3.14 from `testdata/code.py` (see `testdata/dump.py`), a code object a line.

use taipan_bytecode::{CodeData, Constant, Text};

use super::{Lowered, check::check, lower, lower_for_counting, lower_for_debugging};
use crate::instruction::disassemble_all;
use crate::verify::Checked;

fn hex(text: &str) -> Vec<u8> {
    match text {
        "-" => Vec::new(),
        _ => (0..text.len() / 2).map(|i| u8::from_str_radix(&text[2 * i..2 * i + 2], 16).expect("hex")).collect(),
    }
}

fn parse(line: &str) -> (&str, CodeData) {
    let fields: Vec<&str> = line.split(' ').collect();
    let number = |index: usize| fields[index].parse::<u32>().expect("number");
    let localspluskinds = hex(fields[8]);
    let text = Text::new("x");
    let code = CodeData {
        argcount: number(1),
        posonlyargcount: number(2),
        kwonlyargcount: number(3),
        stacksize: number(4),
        flags: number(5),
        consts: vec![Constant::None; number(6) as usize].into(),
        names: vec![text.clone(); number(7) as usize].into(),
        localsplusnames: vec![text.clone(); localspluskinds.len()].into(),
        localspluskinds: localspluskinds.into(),
        code: hex(fields[9]).into(),
        exceptiontable: hex(fields[10]).into(),
        filename: text.clone(),
        name: text.clone(),
        qualname: text,
        firstlineno: 1,
        linetable: Vec::new().into(),
    };
    (fields[0], code)
}

fn corpus() -> String {
    match std::env::var("TAIPAN_CODE_CORPUS") {
        Ok(path) => std::fs::read_to_string(path).expect("corpus"),
        Err(_) => include_str!("testdata/code.txt").to_string(),
    }
}

#[test]
fn real_code_is_accepted_and_lowered_soundly() {
    for line in corpus().lines() {
        let (name, code) = parse(line);
        for debug in [false, true] {
            let lowered = lower_either(&code, debug).unwrap_or_else(|error| panic!("{name}: {error}"));
            if let Err(message) = check(&lowered) {
                panic!("{name} (debug: {debug}): {message}\n{}", disassemble_all(&lowered.words));
            }
        }
        let counting = lower_for_counting(&code).expect("sound");
        if let Err(message) = check(&counting) {
            panic!("{name} (counting): {message}\n{}", disassemble_all(&counting.words));
        }
    }
}

#[test]
fn mutated_code_never_panics_and_lowers_soundly() {
    let mut seed = 0x9E37_79B9_7F4A_7C15u64;
    let mut random = |below: usize| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        (seed >> 11) as usize % below
    };
    let (mut accepted, mut refused) = (0, 0);
    for line in corpus().lines() {
        let (name, code) = parse(line);
        for _ in 0..200 {
            let mut mutant = code.clone();
            for _ in 0..1 + random(3) {
                let at = random(mutant.code.len());
                match random(5) {
                    0 => mutant.code.to_mut()[at] = random(256) as u8,
                    1 => mutant.code.to_mut()[at & !1] = random(121) as u8,
                    2 => mutant.code.to_mut()[at | 1] = random(12) as u8,
                    3 => mutant.stacksize = random(12) as u32,
                    _ if !mutant.exceptiontable.is_empty() => {
                        let at = random(mutant.exceptiontable.len());
                        mutant.exceptiontable.to_mut()[at] ^= 1 << random(8);
                    }
                    _ => {}
                }
            }
            for debug in [false, true] {
                match lower_either(&mutant, debug) {
                    Err(_) => refused += 1,
                    Ok(lowered) => {
                        accepted += 1;
                        if let Err(message) = check(&lowered) {
                            panic!("{name} mutated (debug: {debug}): {message}\n{}", disassemble_all(&lowered.words));
                        }
                    }
                }
            }
        }
    }
    assert!(accepted > 100 && refused > 100);
}

#[test]
fn stored_code_is_what_was_lowered() {
    for line in corpus().lines() {
        let (name, code) = parse(line);
        let lowered = lower(&code).expect("sound");
        let stored: &'static [u8] = crate::stored::store(&code).expect("short enough").leak();
        let read = crate::stored::read(stored);
        let rest = |code: &Lowered| (code.nlocalsplus, code.registers, code.assigned, code.small_ints.clone());
        assert_eq!((&read.words, rest(&read)), (&lowered.words, rest(&lowered)), "{name}");
        // First without the tables, then with them.
        for _ in 0..2 {
            for pc in 0..=lowered.words.len() as u32 {
                assert_eq!(read.unit_at(pc), lowered.unit_at(pc), "{name} at {pc}");
            }
            assert_eq!(format!("{:?}", read.sites), format!("{:?}", lowered.sites), "{name}");
        }
        assert_eq!(format!("{:?}", read.handlers), format!("{:?}", lowered.handlers), "{name}");
        assert_eq!(read.maps, lowered.maps, "{name}");
    }
}

#[test]
fn folding() {
    let (_, code) = parse(corpus_line("code.py:fib:"));
    expect(
        &code,
        &[
            "JumpIfLtK r0 k1 -> 3",
            "Return r0",
            "LoadGlobal r1 <- name0",
            "SubtractK r3 <- r0 k2",
            "Call r1 <- r1.. #1 +v",
            "LoadGlobal r2 <- name0",
            "SubtractK r4 <- r0 k1",
            "Call r2 <- r2.. #1 +v",
            "Add r1 <- r1* r2*",
            "Return r1*",
        ],
    );
}

fn corpus_line(prefix: &str) -> &'static str {
    include_str!("testdata/code.txt").lines().find(|line| line.starts_with(prefix)).expect("a line of the corpus")
}

fn expect(code: &CodeData, expected: &[&str]) {
    let lowered = lower(code).expect("sound");
    let text = disassemble_all(&lowered.words);
    let lines: Vec<&str> = text.lines().map(|line| line.trim_start().split_once(' ').expect("index").1).collect();
    assert_eq!(lines, expected);
}

fn lower_either(code: &CodeData, debug: bool) -> Checked<Lowered> {
    if debug { lower_for_debugging(code, &[]) } else { lower(code) }
}

#[test]
fn counting_code_is_the_fast_code_with_counts_between() {
    for line in corpus().lines() {
        let (name, code) = parse(line);
        let fast = instructions(&lower(&code).expect("sound"));
        let counting = instructions(&lower_for_counting(&code).expect("sound"));
        let numbers = counting.iter().step_by(2);
        assert!(numbers.enumerate().all(|(number, text)| *text == format!("Count #{number}")), "{name}");
        // Where jumps lead differs.
        let without_target = |text: &String| text.split(" -> ").next().unwrap_or_default().to_owned();
        let fast: Vec<String> = fast.iter().map(without_target).collect();
        let rest: Vec<String> = counting.iter().skip(1).step_by(2).map(without_target).collect();
        assert_eq!(fast, rest, "{name}");
    }
}

fn instructions(lowered: &Lowered) -> Vec<String> {
    let text = disassemble_all(&lowered.words);
    text.lines().map(|line| line.trim_start().split_once(' ').expect("index").1.to_owned()).collect()
}
