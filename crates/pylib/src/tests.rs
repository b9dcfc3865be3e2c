use super::*;

fn text(path: &str) -> String {
    let entry = lookup(path).unwrap_or_else(|| panic!("no {path}"));
    String::from_utf8(entry.source().into_owned()).expect("UTF-8")
}

#[test]
fn finds_files_by_path() {
    assert!(text("os.py").contains("def makedirs("));
    assert!(text("encodings/utf_8.py").contains("def getregentry("));
    assert_eq!(lookup("encodings"), None);
    assert_eq!(lookup("no_such_module.py"), None);
    assert_eq!(lookup(""), None);
    assert!(lookup("asyncio/__init__.py").unwrap().is_package());
    assert!(!lookup("os.py").unwrap().is_package());
}

#[test]
fn every_file_reads_back() {
    let mut previous = "";
    for entry in entries() {
        assert!(previous < entry.path());
        previous = entry.path();
        assert_eq!(lookup(entry.path()), Some(entry));
        assert_eq!(entry.source().len(), entry.size(), "{}", entry.path());
    }
}

#[test]
fn start_up_decompresses_nothing() {
    for path in ["importlib/_bootstrap.py", "abc.py", "codecs.py", "encodings/__init__.py", "io.py", "os.py", "site.py"]
    {
        let entry = lookup(path).unwrap();
        let data = DATA.as_ptr_range();
        assert!(entry.code().is_some_and(|code| data.contains(&code.as_ptr())), "{path}");
    }
}

#[test]
fn lists_directories() {
    let names = |path| list_dir(path).map(|entry| entry.name).collect::<Vec<_>>();
    assert_eq!(names("json"), ["__init__.py", "__main__.py", "decoder.py", "encoder.py", "scanner.py", "tool.py"]);
    assert!(names("").contains(&"os.py"));
    assert!(list_dir("").any(|entry| entry == DirEntry { name: "asyncio", is_dir: true }));
    // `string.py` and `string/` would both begin with the directory's name.
    assert_eq!(names("string"), ["__init__.py", "templatelib.py"]);
    assert_eq!(names("no_such_directory"), [""; 0]);
    assert_eq!(names("os.py"), [""; 0]);
    assert!(is_dir("") && is_dir("email") && is_dir("email/mime"));
    assert!(!is_dir("os.py") && !is_dir("emai") && !is_dir("zzz"));

    fn count(path: &str) -> usize {
        list_dir(path)
            .map(|entry| match (entry.is_dir, path) {
                (false, _) => 1,
                (true, "") => count(entry.name),
                (true, _) => count(&format!("{path}/{}", entry.name)),
            })
            .sum()
    }
    assert_eq!(count(""), entries().len());
}

#[test]
fn only_what_belongs_to_the_library() {
    assert!(!is_dir("test") && !is_dir("idlelib") && !is_dir("turtledemo"));
    assert_eq!(lookup("_dummy_os.py"), None);
    assert!(text("LICENSE.txt").contains("PYTHON SOFTWARE FOUNDATION LICENSE"));
    assert!(list_dir("ensurepip/_bundled").any(|entry| entry.name.starts_with("pip-")));
}

#[test]
fn carries_no_other_interpreters_changes() {
    for entry in entries().filter(|entry| entry.path().ends_with(".py") && entry.path() != "_opcode_metadata.py") {
        let source = String::from_utf8_lossy(&entry.source()).to_lowercase();
        assert!(!source.contains("rustpython"), "{}", entry.path());
    }
}
