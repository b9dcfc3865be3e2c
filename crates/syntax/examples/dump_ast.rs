//! Prints syntax trees as `ast.dump(tree, include_attributes=True)` does, for comparison with CPython.
//!
//! `dump_ast FILE` prints the tree. `dump_ast --crc LIST` reads file names from a file and prints, for each, one line
//! per top-level statement: its line, the length and the CRC-32 of its dump. `dump_ast --cases FILE` takes snippets. Constants other than small integers are
//! written as hexadecimal digits of their bytes, which is easy to reproduce with the reference.

use std::fmt::Write as _;

use bumpalo::Bump;
use taipan_syntax::ast::*;
use taipan_syntax::{Mode, ParseOptions, parse};

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn constant(value: &Constant, out: &mut String) {
    match value {
        Constant::None => out.push_str("None"),
        Constant::True => out.push_str("True"),
        Constant::False => out.push_str("False"),
        Constant::Ellipsis => out.push_str("Ellipsis"),
        Constant::Int(value) => out.push_str(&value.to_string()),
        Constant::BigInt(value) => {
            let bytes: Vec<u8> = value.limbs.iter().flat_map(|limb| limb.to_le_bytes()).collect();
            let end = bytes.iter().rposition(|&byte| byte != 0).map_or(0, |at| at + 1);
            let _ = write!(out, "int:{}", hex(&bytes[..end]));
        }
        Constant::Float(value) => {
            let _ = write!(out, "float:{}", hex(&value.to_le_bytes()));
        }
        Constant::Complex { real, imag } => {
            let _ = write!(out, "complex:{}{}", hex(&real.to_le_bytes()), hex(&imag.to_le_bytes()));
        }
        Constant::Str(text) => {
            let _ = write!(out, "str:{}", hex(text.as_bytes()));
        }
        Constant::Bytes(bytes) => {
            let _ = write!(out, "bytes:{}", hex(bytes));
        }
        Constant::Tuple(_) | Constant::FrozenSet(_) => out.push_str("<folded>"),
    }
}

fn list(count: usize, mut item: impl FnMut(usize, &mut String), out: &mut String) {
    out.push('[');
    for index in 0..count {
        if index > 0 {
            out.push_str(", ");
        }
        item(index, out);
    }
    out.push(']');
}

fn dump(node: &dyn Node, out: &mut String) {
    out.push_str(node.class_name());
    out.push('(');
    let mut first = true;
    node.fields(&mut |name, field| {
        let absent = match field {
            Field::Identifier(None) | Field::Str(None) | Field::Node(None) => true,
            Field::Identifiers(names) => names.is_empty(),
            Field::Nodes(nodes) => nodes.len() == 0,
            Field::CmpOps(ops) => ops.is_empty(),
            _ => false,
        };
        if absent {
            return;
        }
        if !std::mem::take(&mut first) {
            out.push_str(", ");
        }
        out.push_str(name);
        out.push('=');
        match field {
            Field::Singleton(name) => {
                let _ = write!(out, "{name}()");
            }
            Field::Int(value) => out.push_str(&value.to_string()),
            Field::Identifier(name) => constant(&Constant::Str(name.unwrap_or_default().into()), out),
            Field::Identifiers(names) => {
                list(names.len(), |index, out| constant(&Constant::Str(names[index].into()), out), out)
            }
            Field::Str(text) => constant(&Constant::Str(text.unwrap_or_default()), out),
            Field::Constant(value) => constant(&value, out),
            Field::Node(node) => {
                if let Some(node) = node {
                    dump(node, out);
                }
            }
            Field::Nodes(nodes) => {
                let item = |index, out: &mut String| match nodes.get(index) {
                    Some(node) => dump(node, out),
                    None => out.push_str("None"),
                };
                list(nodes.len(), item, out);
            }
            Field::CmpOps(ops) => list(
                ops.len(),
                |index, out| {
                    let _ = write!(out, "{}()", ops[index].class_name());
                },
                out,
            ),
        }
    });
    if let Some(span) = node.span() {
        let comma = if first { "" } else { ", " };
        let _ = write!(
            out,
            "{comma}lineno={}, col_offset={}, end_lineno={}, end_col_offset={}",
            span.lineno, span.col_offset, span.end_lineno, span.end_col_offset
        );
    }
    out.push(')');
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg()))
    })
}

/// Dumps the trees of snippets with type comments. They are separated by NUL; the first line is the mode.
fn dump_cases(name: &str) {
    let cases = std::fs::read_to_string(name).expect("the file is readable");
    for case in cases.split('\0') {
        let (mode, source) = case.split_once('\n').expect("a case begins with its mode");
        let mode = match mode {
            "eval" => Mode::Eval,
            "single" => Mode::Single,
            "func_type" => Mode::FuncType,
            _ => Mode::Exec,
        };
        let options = ParseOptions { mode, type_comments: true, ..ParseOptions::default() };
        let arena = Bump::new();
        match parse(&arena, source.as_bytes(), &options) {
            Ok(parsed) => {
                let mut text = String::new();
                dump(&parsed.tree, &mut text);
                println!("{text}");
            }
            Err(error) => println!("{error:?}"),
        }
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [flag, names] = &arguments[..]
        && flag == "--crc"
    {
        let names = std::fs::read_to_string(names).expect("the list of files is readable");
        for name in names.lines() {
            println!("# {name}");
            let source = std::fs::read(name).expect("every file in the list is readable");
            let arena = Bump::new();
            match parse(&arena, &source, &ParseOptions::default()) {
                Ok(parsed) => {
                    if let Mod::Module { body, .. } = parsed.tree {
                        for stmt in body {
                            let mut text = String::new();
                            dump(stmt, &mut text);
                            println!("{} {} {:08x}", stmt.span.lineno, text.len(), crc32(text.as_bytes()));
                        }
                    }
                }
                Err(error) => println!("{} {:?}", error.kind.class_name(), error.message),
            }
        }
        return;
    }
    if let [flag, names] = &arguments[..]
        && flag == "--cases"
    {
        return dump_cases(names);
    }
    let Some(name) = arguments.first() else {
        eprintln!("usage: dump_ast FILE | --crc LIST | --cases FILE");
        std::process::exit(2);
    };
    let source = std::fs::read(name).expect("the file is readable");
    let arena = Bump::new();
    match parse(&arena, &source, &ParseOptions::default()) {
        Ok(parsed) => {
            if let Mod::Module { body, .. } = parsed.tree {
                for stmt in body {
                    let mut text = String::new();
                    dump(stmt, &mut text);
                    println!("{text}");
                }
            }
        }
        Err(error) => println!("{error:?}"),
    }
}
