//! The `taipan` command.

use std::process::ExitCode;

use taipan::Interpreter;

const STACK_SIZE: usize = 64 << 20;

fn main() -> ExitCode {
    let main = std::thread::Builder::new().name("main".to_string()).stack_size(STACK_SIZE).spawn(run);
    match main.map(|thread| thread.join()) {
        Ok(Ok(code)) => ExitCode::from(code as u8),
        _ => ExitCode::from(1),
    }
}

/// `taipan file [arguments]`, `taipan -c code [arguments]`.
fn run() -> i32 {
    let mut args: Vec<String> = std::env::args().skip(1).collect();
    if args.is_empty() {
        eprintln!("usage: taipan [-c code | file] [arguments]");
        return 2;
    }
    let first = args.remove(0);
    let (source, filename, directory) = if first == "-c" {
        if args.is_empty() {
            eprintln!("Argument expected for the -c option");
            return 2;
        }
        let source = args.remove(0);
        args.insert(0, "-c".to_string());
        (source.into_bytes(), "<string>".to_string(), String::new())
    } else {
        match std::fs::read(&first) {
            Ok(source) => {
                args.insert(0, first.clone());
                let directory =
                    std::path::Path::new(&first).parent().map_or(String::new(), |p| p.display().to_string());
                (source, first, directory)
            }
            Err(error) => {
                eprintln!("taipan: can't open file '{first}': {error}");
                return 2;
            }
        }
    };
    let interpreter = Interpreter::new(STACK_SIZE - (1 << 20));
    if let Err(raised) = interpreter.set_arguments(&args, &[directory]) {
        interpreter.vm().discard(raised);
        return 1;
    }
    interpreter.run_source(&source, &filename)
}
