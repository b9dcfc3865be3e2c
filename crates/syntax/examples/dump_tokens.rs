//! Prints the tokens of a file as `_tokenize.TokenizerIter` gives them, for comparison with CPython.
//!
//! `dump_tokens FILE` prints them; `dump_tokens --crc LIST` prints, for each file in a list, their number and the
//! CRC-32 of all of them.

use taipan_syntax::tokenize::{TokenInfo, TokenizerIter};

fn crc32(crc: u32, bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!crc, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg()))
    })
}

fn line(token: &TokenInfo) -> String {
    let TokenInfo { kind, text, start, end, .. } = token;
    format!("{kind} {} {} {} {} {text}", start.0, start.1, end.0, end.1)
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let names = match &arguments[..] {
        [flag, list] if flag == "--crc" => {
            let list = std::fs::read_to_string(list).expect("the list of files is readable");
            list.lines().map(str::to_owned).collect()
        }
        _ => arguments.clone(),
    };
    for name in &names {
        println!("# {}", name.trim_start_matches("/opt/sid"));
        let source = std::fs::read(name).expect("every file is readable");
        let Ok(mut source) = String::from_utf8(source) else { continue };
        let implicit_newline = !source.is_empty() && !source.ends_with('\n');
        if implicit_newline {
            source.push('\n');
        }
        let (mut count, mut crc) = (0, 0);
        let mut failed = false;
        for token in TokenizerIter::new(&source, true, implicit_newline) {
            match token {
                Ok(token) => {
                    count += 1;
                    let line = line(&token);
                    crc = crc32(crc, line.as_bytes());
                    if arguments.len() == 1 {
                        let hex = |text: &str| text.bytes().map(|byte| format!("{byte:02x}")).collect::<String>();
                        let TokenInfo { kind, text, start, end, line } = token;
                        println!("{kind} {} {} {} {} {} {}", start.0, start.1, end.0, end.1, hex(text), hex(line));
                    }
                }
                Err(error) => {
                    failed = true;
                    println!("{count} {} {}", error.error.kind.class_name(), error.error.message);
                }
            }
        }
        if !failed {
            println!("{count} {crc:08x}");
        }
    }
}
