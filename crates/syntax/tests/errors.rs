//! Snippets and what CPython 3.14 says about them: class, message, and `line:offset-line:offset`.

use bumpalo::Bump;
use taipan_syntax::{Mode, ParseOptions, parse};

/// Options (mode, minor version, flags: `i` incomplete input, `d` do not imply dedents, `b` barry_as_FLUFL), source,
/// outcome.
#[rustfmt::skip]
const CASES: &[(&str, &str, &str)] = &[
    ("eval 14 b", "1 <> 2", "ok"),
    ("eval 14 b", "1 != 2", "SyntaxError: with Barry as BDFL, use '<>' instead of '!=' @ 1:3-1:5"),
    ("exec 14", "from __future__ import barry_as_FLUFL\n1 <> 2", "ok"),
    ("exec 14", "from __future__ import barry_as_FLUFL\n1 != 2", "SyntaxError: with Barry as BDFL, use '<>' instead of '!=' @ 2:3-2:5"),
    ("single 14", "", "SyntaxError: invalid syntax @ 0:0-0:0"),
    ("single 14", "\n", "SyntaxError: invalid syntax @ 1:0-1:0"),
    ("single 14", "x=1\ny=2", "SyntaxError: multiple statements found while compiling a single statement @ 1:4-1:5"),
    ("single 14", "if x:\n  y", "ok"),
    ("single 14", "if x:\n  y\n", "ok"),
    ("single 14 d", "if x:\n  y\n", "ok"),
    ("single 14 i", "if x:", "_IncompleteInputError: incomplete input @ 1:5-1:-1"),
    ("exec 14 i", "(", "_IncompleteInputError: incomplete input @ 1:2-1:-1"),
    ("exec 14 i", "\"\"\"a", "_IncompleteInputError: incomplete input @ 1:1-1:-1"),
    ("exec 14 i", "a b", "SyntaxError: invalid syntax @ 1:3-1:4"),
    ("exec 14", "a = 1 + \\\n b c", "SyntaxError: invalid syntax @ 2:4-2:5"),
    ("exec 14", "x = \"\"\"a\nb\"\"\" c", "SyntaxError: invalid syntax @ 2:6-2:7"),
    ("exec 14", "x = (1 +\n 2 3)", "SyntaxError: invalid syntax. Perhaps you forgot a comma? @ 1:6-2:5"),
    ("exec 14", "x = 1 \\\n  + é é", "SyntaxError: invalid syntax @ 2:7-2:8"),
    ("exec 14", "x = 1\\ 2", "SyntaxError: unexpected character after line continuation character @ 1:7-1:0"),
    ("exec 14", "g and \\\ng and \\f\"{x\"\n", "SyntaxError: unexpected character after line continuation character @ 2:14-2:0"),
    ("exec 14", "x=1\\", "SyntaxError: unexpected EOF while parsing @ 1:5-1:-1"),
    ("exec 14", "x \\\n", "SyntaxError: unexpected EOF while parsing @ 1:4-1:-1"),
    ("exec 14", "f\"\"\"a\nb{x y}\"\"\"", "SyntaxError: invalid syntax. Perhaps you forgot a comma? @ 2:3-2:6"),
    ("exec 14", "f'''{\nx y}'''", "SyntaxError: invalid syntax. Perhaps you forgot a comma? @ 2:1-2:4"),
    ("exec 14", "for x in range(10)\n  pass", "SyntaxError: expected ':' @ 1:19-1:20"),
    ("exec 14", "def f(:\n pass", "SyntaxError: invalid syntax @ 1:7-1:8"),
    ("exec 14", "if True:\n\tx\n        y", "TabError: inconsistent use of tabs and spaces in indentation @ 3:1-3:0"),
    ("exec 14", "if 1:\n        x\n\ty", "TabError: inconsistent use of tabs and spaces in indentation @ 3:1-3:0"),
    ("exec 14", "if 1:\n  x\n y", "IndentationError: unindent does not match any outer indentation level @ 3:3-3:-1"),
    ("exec 14", "x = )", "SyntaxError: unmatched ')' @ 1:5-1:5"),
    ("exec 14", "(]", "SyntaxError: closing parenthesis ']' does not match opening parenthesis '(' @ 1:2-1:2"),
    ("exec 14", "(\n]", "SyntaxError: closing parenthesis ']' does not match opening parenthesis '(' on line 1 @ 2:1-2:1"),
    ("exec 14", "f\"{)}\"", "SyntaxError: f-string: unmatched ')' @ 1:4-1:4"),
    ("exec 14", "f\"{a!x}\"", "SyntaxError: f-string: invalid conversion character 'x': expected 's', 'r', or 'a' @ 1:6-1:7"),
    ("exec 14", "f\"{a! r}\"", "SyntaxError: f-string: conversion type must come right after the exclamation mark @ 1:5-1:8"),
    ("exec 14", "f\"}\"", "SyntaxError: f-string: single '}' is not allowed @ 1:3-1:3"),
    ("exec 14", "f'{a:{b:{c:{d}}}}'", "SyntaxError: f-string: expressions nested too deeply @ 1:11-1:11"),
    ("exec 14", "\u{a0}x", "SyntaxError: invalid non-printable character U+00A0 @ 1:1-1:1"),
    ("exec 14", "x = 5\u{2009}+ 3", "SyntaxError: invalid non-printable character U+2009 @ 1:6-1:6"),
    ("exec 14", "a €", "SyntaxError: invalid character '€' (U+20AC) @ 1:3-1:3"),
    ("exec 14", "ſ = 1", "ok"),
    ("exec 14", "x = \"\\", "SyntaxError: unterminated string literal (detected at line 1) @ 1:5-1:5"),
    ("exec 14", "pass\n  x", "IndentationError: unexpected indent @ 2:2-2:-1"),
    ("exec 14", "  x", "IndentationError: unexpected indent @ 1:2-1:-1"),
    ("exec 14", "class A:\n  def f(self):\n", "IndentationError: expected an indented block after function definition on line 2 @ 2:15-2:-1"),
    ("exec 14", "class A:", "IndentationError: expected an indented block after class definition on line 1 @ 1:9-1:-1"),
    ("exec 14", "while 1", "SyntaxError: expected ':' @ 1:8-1:9"),
    ("exec 14", "a = yield = 1", "SyntaxError: assignment to yield expression not possible @ 1:5-1:10"),
    ("exec 14", "None = 1", "SyntaxError: cannot assign to None @ 1:1-1:5"),
    ("exec 14", "f() = 1", "SyntaxError: cannot assign to function call here. Maybe you meant '==' instead of '='? @ 1:1-1:4"),
    ("exec 14", "a, b += 1", "SyntaxError: 'tuple' is an illegal expression for augmented assignment @ 1:1-1:5"),
    ("exec 14", "(a, b): int", "SyntaxError: only single target (not tuple) can be annotated @ 1:1-1:7"),
    ("exec 14", "del f()", "SyntaxError: cannot delete function call @ 1:5-1:8"),
    ("exec 14", "a if b", "SyntaxError: expected 'else' after 'if' expression @ 1:1-1:7"),
    ("exec 14", "{1:2, 3}", "SyntaxError: ':' expected after dictionary key @ 1:7-1:0"),
    ("exec 14", "{1:}", "SyntaxError: expression expected after dictionary key and ':' @ 1:3-1:4"),
    ("exec 14", "{**a for b in c}", "SyntaxError: dict unpacking cannot be used in dict comprehension @ 1:2-1:4"),
    ("exec 14", "print 1", "SyntaxError: Missing parentheses in call to 'print'. Did you mean print(...)? @ 1:1-1:8"),
    ("exec 14", "x = print \"a\"", "SyntaxError: Missing parentheses in call to 'print'. Did you mean print(...)? @ 1:5-1:14"),
    ("exec 14", "lambda *: 1", "SyntaxError: named arguments must follow bare * @ 1:9-1:10"),
    ("exec 14", "def f(a=1, b): pass", "SyntaxError: parameter without a default follows parameter with a default @ 1:12-1:13"),
    ("exec 14", "import a.b as c.d", "SyntaxError: cannot use attribute as import target @ 1:15-1:18"),
    ("exec 14", "from x import (a, b", "SyntaxError: '(' was never closed @ 1:15-1:0"),
    ("exec 14", "from x import a,", "SyntaxError: trailing comma not allowed without surrounding parentheses @ 1:17-1:18"),
    ("exec 14", "try: pass\n", "SyntaxError: expected 'except' or 'finally' block @ 1:10-1:-1"),
    ("exec 14", "else: pass", "SyntaxError: invalid syntax @ 1:1-1:5"),
    ("exec 14", "f(a for b in c, d)", "SyntaxError: Generator expression must be parenthesized @ 1:3-1:15"),
    ("exec 14", "f(**a, *b)", "SyntaxError: iterable argument unpacking follows keyword argument unpacking @ 1:6-1:10"),
    ("exec 14", "f(a=1, b)", "SyntaxError: positional argument follows keyword argument @ 1:9-1:10"),
    ("exec 14", "f(True=1)", "SyntaxError: cannot assign to True @ 1:3-1:8"),
    ("exec 14", "f(a.b=1)", "SyntaxError: expression cannot contain assignment, perhaps you meant \"==\"? @ 1:3-1:7"),
    ("exec 14", "x = 0xg", "SyntaxError: invalid hexadecimal literal @ 1:6-1:6"),
    ("exec 14", "1_", "SyntaxError: invalid decimal literal @ 1:2-1:2"),
    ("exec 14", "0b2", "SyntaxError: invalid digit '2' in binary literal @ 1:3-1:3"),
    ("exec 14", "0o8", "SyntaxError: invalid digit '8' in octal literal @ 1:3-1:3"),
    ("exec 14", "1e", "SyntaxError: invalid decimal literal @ 1:1-1:1"),
    ("exec 14", "0777", "SyntaxError: leading zeros in decimal integer literals are not permitted; use an 0o prefix for octal integers @ 1:1-1:2"),
    ("exec 14", "1.2.3", "SyntaxError: invalid syntax @ 1:4-1:6"),
    ("exec 14", "12abc", "SyntaxError: invalid decimal literal @ 1:2-1:2"),
    ("exec 14", "a = 'b\nc'", "SyntaxError: unterminated string literal (detected at line 1) @ 1:5-1:5"),
    ("exec 14", "a = \"\"\"b\nc", "SyntaxError: unterminated triple-quoted string literal (detected at line 2) @ 1:5-1:5"),
    ("exec 14", "'a' b'c'", "SyntaxError: cannot mix bytes and nonbytes literals @ 1:9-1:10"),
    ("exec 14", "t'a' 'b'", "SyntaxError: cannot mix t-string literals with string or bytes literals @ 1:1-1:9"),
    ("exec 14", "'a' t'b'", "SyntaxError: cannot mix t-string literals with string or bytes literals @ 1:1-1:9"),
    ("exec 14", "\"a\" x \"b\"", "SyntaxError: invalid syntax. Is this intended to be part of the string? @ 1:5-1:6"),
    ("exec 14", "match x:\n case 1+2: pass", "SyntaxError: imaginary number required in complex literal @ 2:9-2:10"),
    ("exec 14", "match x:\n case a.b(c=1, d): pass", "SyntaxError: positional patterns follow keyword patterns @ 2:16-2:17"),
    ("exec 14", "match x\n", "SyntaxError: expected ':' @ 1:8-1:9"),
    ("exec 14", "async x", "SyntaxError: invalid syntax @ 1:7-1:8"),
    ("exec 14", "x: int: int", "SyntaxError: invalid syntax @ 1:7-1:8"),
    ("exec 14", "a = b c", "SyntaxError: invalid syntax @ 1:7-1:8"),
    ("exec 14", "a.b.c = = 3", "SyntaxError: invalid syntax @ 1:9-1:10"),
    ("exec 14", "@", "SyntaxError: invalid syntax @ 1:2-1:3"),
    ("exec 14", "return", "ok"),
    ("exec 14", "with a as f(): pass", "SyntaxError: cannot assign to function call @ 1:11-1:14"),
    ("exec 14", "with open(\"x\") as 1: pass", "SyntaxError: cannot assign to literal @ 1:19-1:20"),
    ("exec 14", "assert (x, y) = 1", "SyntaxError: invalid syntax @ 1:15-1:16"),
    ("exec 14", "raise x from", "SyntaxError: invalid syntax @ 1:13-1:14"),
    ("exec 14", "global x.y", "SyntaxError: invalid syntax @ 1:9-1:10"),
    ("exec 14", "a := 1", "SyntaxError: invalid syntax @ 1:3-1:5"),
    ("exec 14", "(a.b := 1)", "SyntaxError: cannot use assignment expressions with attribute @ 1:2-1:5"),
    ("exec 14", "if x = 1: pass", "SyntaxError: invalid syntax. Maybe you meant '==' or ':=' instead of '='? @ 1:4-1:9"),
    ("exec 14", "f(x = 1 for a in b)", "SyntaxError: invalid syntax. Maybe you meant '==' or ':=' instead of '='? @ 1:3-1:6"),
    ("exec 14", "(*a)", "SyntaxError: cannot use starred expression here @ 1:2-1:4"),
    ("exec 14", "x = *a for", "SyntaxError: invalid syntax @ 1:8-1:11"),
    ("exec 14", "[*a for b in c]", "SyntaxError: iterable unpacking cannot be used in comprehension @ 1:2-1:4"),
    ("exec 14", "(x for x in *a)", "SyntaxError: invalid syntax @ 1:13-1:14"),
    ("exec 14", "class A(x for x in y): pass", "SyntaxError: invalid syntax @ 1:11-1:14"),
    ("exec 14", "type X[] = int", "SyntaxError: Type parameter list cannot be empty @ 1:8-1:10"),
    ("exec 14", "type X[*T: int] = int", "SyntaxError: cannot use bound with TypeVarTuple @ 1:10-1:15"),
    ("exec 14", "def f[T = int, U]() : pass", "ok"),
    ("exec 14", "except: pass", "SyntaxError: invalid syntax @ 1:1-1:7"),
    ("exec 14", "try: pass\nexcept a, b as c: pass", "SyntaxError: multiple exception types must be parenthesized when using 'as' @ 2:8-2:17"),
    ("exec 14", "try: pass\nexcept* : pass", "SyntaxError: expected one or more exception types @ 2:9-2:10"),
    ("exec 14", "try: pass\nexcept a: pass\nexcept* b: pass", "SyntaxError: cannot have both 'except' and 'except*' on the same 'try' @ 3:1-3:8"),
    ("exec 14", "x = [\n1,\n1,\n1,\n1,\n1,\n2 3]", "SyntaxError: invalid syntax. Perhaps you forgot a comma? @ 7:1-7:4"),
    ("exec 5", "x: int = 1", "SyntaxError: Variable annotation syntax is only supported in Python 3.6 and greater @ 1:11-1:12"),
    ("exec 4", "async def f(): pass", "SyntaxError: Async functions are only supported in Python 3.5 and greater @ 1:20-1:21"),
    ("exec 5", "1_0", "SyntaxError: Underscores in numeric literals are only supported in Python 3.6 and greater @ 1:1-1:4"),
    ("exec 5", "f\"{x}\"", "ok"),
    ("exec 7", "(x:=1)", "SyntaxError: Assignment expressions are only supported in Python 3.8 and greater @ 1:6-1:7"),
    ("exec 7", "def f(a,/): pass", "SyntaxError: Positional-only parameters are only supported in Python 3.8 and greater @ 1:10-1:11"),
    ("exec 9", "match x:\n case 1: pass", "SyntaxError: Pattern matching is only supported in Python 3.10 and greater @ 2:14-2:-1"),
    ("exec 4", "a @ b", "SyntaxError: The '@' operator is only supported in Python 3.5 and greater @ 1:6-1:7"),
    ("exec 7", "with (a as b): pass", "ok"),
    ("exec 7", "except_=1", "ok"),
    ("exec 11", "type X = int", "SyntaxError: Type statement is only supported in Python 3.12 and greater @ 1:13-1:14"),
    ("exec 11", "def f[T](): pass", "SyntaxError: Type parameter lists are only supported in Python 3.12 and greater @ 1:8-1:9"),
    ("exec 10", "try: pass\nexcept* a: pass", "SyntaxError: Exception groups are only supported in Python 3.11 and greater @ 2:16-2:-1"),
    ("exec 13", "t'a'", "SyntaxError: t-strings are only supported in Python 3.14 and greater @ 1:4-1:5"),
    ("exec 13", "try: pass\nexcept a, b: pass", "SyntaxError: except expressions without parentheses are only supported in Python 3.14 and greater @ 2:18-2:19"),
    ("exec 5", "async = 1", "SyntaxError: invalid syntax @ 1:7-1:8"),
    ("exec 4", "await x", "SyntaxError: Await expressions are only supported in Python 3.5 and greater @ 1:8-1:9"),
    ("exec 4", "f(*a, *b)", "ok"),
    ("exec 5", "[x async for x in y]", "SyntaxError: Async comprehensions are only supported in Python 3.6 and greater @ 1:20-1:21"),
    ("exec 10", "def f(*a: *b): pass", "ok"),
    ("exec 10", "a[*b]", "ok"),
];

fn outcome(options: &str, source: &str) -> String {
    let mut words = options.split(' ');
    let mode = match words.next() {
        Some("eval") => Mode::Eval,
        Some("single") => Mode::Single,
        _ => Mode::Exec,
    };
    let feature_version = words.next().and_then(|minor| minor.parse().ok()).unwrap_or(14);
    let flags = words.next().unwrap_or("");
    let options = ParseOptions {
        mode,
        feature_version,
        allow_incomplete_input: flags.contains('i'),
        dont_imply_dedent: flags.contains('d'),
        barry_as_flufl: flags.contains('b'),
        ..ParseOptions::default()
    };
    match parse(&Bump::new(), source.as_bytes(), &options) {
        Ok(_) => "ok".to_owned(),
        Err(error) => {
            let place = format!("{}:{}-{}:{}", error.lineno, error.offset, error.end_lineno, error.end_offset);
            format!("{}: {} @ {place}", error.kind.class_name(), error.message)
        }
    }
}

#[test]
fn errors_are_worded_and_placed_as_in_cpython() {
    let wrong: Vec<String> = CASES
        .iter()
        .filter(|(options, source, expected)| outcome(options, source) != *expected)
        .map(|(options, source, expected)| {
            format!("{source:?}\n  expected {expected}\n  got      {}", outcome(options, source))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
