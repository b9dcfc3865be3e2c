//! `python -m taipan explain` on `program.py`: the text it prints is in `program.txt`, which `TAIPAN_UPDATE=1` writes anew.

use std::process::Command;
use std::{env, fs};

const TAIPAN: &str = env!("CARGO_BIN_EXE_taipan");
const HOME: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/explain");

fn explain(arguments: &[&str]) -> String {
    let mut command = Command::new(TAIPAN);
    command.args(["-m", "taipan", "explain"]).args(arguments).current_dir(HOME).env_remove("FORCE_COLOR");
    let output = command.output().expect("taipan starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8")
}

#[test]
fn text() {
    let text = explain(&["program.py", "--width", "150"]);
    // The second line names the version, and the lines after it are the explanation.
    let (printed, rest) = text.split_once('\n').expect("lines");
    assert_eq!(printed, "(4932.0, 'ü', 100)");
    let explanation = rest.split_once('\n').expect("lines").1;
    let path = format!("{HOME}/program.txt");
    if env::var_os("TAIPAN_UPDATE").is_some() {
        fs::write(&path, explanation).expect("the expectation can be written");
    }
    let expected = fs::read_to_string(&path).expect("the expectation is readable");
    for (at, (line, expected)) in explanation.lines().zip(expected.lines()).enumerate() {
        assert_eq!(line, expected, "line {} of program.txt", at + 1);
    }
    assert_eq!(explanation.len(), expected.len());
}

#[test]
fn one_function_without_a_run() {
    let text = explain(&["program.py", "--function", "Point.double", "--no-run", "--width", "150"]);
    assert!(text.contains("not run") && text.contains("LoadAttr s0 <- self x"), "{text}");
    assert!(!text.contains("executed") && !text.contains("total") && !text.contains("4932"), "{text}");
}

#[test]
fn page() {
    let out = env::temp_dir().join(format!("taipan-explain-{}.html", std::process::id()));
    explain(&["program.py", "--html", out.to_str().expect("UTF-8")]);
    let page = fs::read_to_string(&out).expect("the page is there");
    fs::remove_file(&out).expect("the page can be removed");
    assert!(page.starts_with("<!DOCTYPE html>") && page.trim_end().ends_with("</html>"));
    assert!(!page.contains("src=") && !page.contains("<link"), "the page needs other files");
    for wanted in ["result -= 0.5", "property of Point", "data-line=\"20\"", "LOAD_GLOBAL", "LoadGlobal"] {
        assert!(page.contains(wanted), "no {wanted}");
    }
}
