//! Expressions and what `from __future__ import annotations` makes of them in CPython 3.14.

use bumpalo::Bump;
use taipan_syntax::ast::Mod;
use taipan_syntax::{Mode, ParseOptions, parse, unparse};

#[rustfmt::skip]
const CASES: &[(&str, &str)] = &[
    ("execvpe(file, args[:-1], env)", "execvpe(file, args[:-1], env)"),
    ("'isdir'", "'isdir'"),
    ("self.lang", "self.lang"),
    ("1 .real", "1 .real"),
    ("1e400", "1e309"),
    ("1e400j", "1e309j"),
    ("-1", "-1"),
    ("lambda: 1", "lambda: 1"),
    ("lambda a,/,b=1,*c,d,e=2,**f: a", "lambda a, /, b=1, *c, d, e=2, **f: a"),
    ("lambda *,a: 1", "lambda*, a: 1"),
    ("f\"{ {1:2} }\"", "f'{ {1: 2}}'"),
    ("f\"{(lambda: 1)}\"", "f'{(lambda: 1)}'"),
    ("f\"{{}}{a!r:>{b}}\"", "f'{{}}{a!r:>{b}}'"),
    ("t\"{a}b{c!r:x}\"", "t'{a}b{c!r:x}'"),
    ("a[1,2]", "a[1, 2]"),
    ("a[1:2,::3]", "a[1:2, ::3]"),
    ("a[*b]", "a[*b,]"),
    ("(a,)", "(a,)"),
    ("()", "()"),
    ("f(x for x in y)", "f(x for x in y)"),
    ("f((x for x in y),1)", "f((x for x in y), 1)"),
    ("not (not a)", "not not a"),
    ("-(-a)", "--a"),
    ("a**-b", "a ** (-b)"),
    ("(a**b)**c", "(a ** b) ** c"),
    ("(-a)**b", "(-a) ** b"),
    ("a if b else (c if d else e)", "a if b else c if d else e"),
    ("(a if b else c) if d else e", "(a if b else c) if d else e"),
    ("u'a'", "u'a'"),
    ("b'\\xff\\'\"'", "b'\\xff\\'\"'"),
    ("1e16", "1e+16"),
    ("1e15", "1000000000000000.0"),
    ("1.5e-5", "1.5e-05"),
    ("0.0001", "0.0001"),
    ("1e-4", "0.0001"),
    ("123456789012345678901234567890", "123456789012345678901234567890"),
    ("\"\\ud800\\xa0é\\u200b\"", "'\\ud800\\xa0é\\u200b'"),
    ("{**a, b:c}", "{**a, b: c}"),
    ("{*a, b}", "{*a, b}"),
    ("await_", "await_"),
    ("a.b.c(d)(e)[f]", "a.b.c(d)(e)[f]"),
    ("(a, b)[0]", "(a, b)[0]"),
    ("x[(a,b)]", "x[a, b]"),
    ("[*a,*b]", "[*a, *b]"),
    ("\"a\" \"b\"", "'ab'"),
    ("...", "..."),
    ("a<b<c", "a < b < c"),
    ("(a<b)<c", "(a < b) < c"),
    ("a and (b or c)", "a and (b or c)"),
    ("(a and b) or c", "a and b or c"),
    ("a@b", "a @ b"),
    ("{x:y for x,y in z if a if b}", "{x: y for x, y in z if a if b}"),
    ("f(*a,**b,c=d)", "f(*a, **b, c=d)"),
    ("(lambda:1)()", "(lambda: 1)()"),
    ("~a", "~a"),
    ("1_000", "1000"),
    ("0x10", "16"),
    ("1j", "1j"),
    ("1.0j", "1j"),
    ("-1j", "-1j"),
    ("f\"{a:{b:{c}}}\"", "f'{a:{b:{c}}}'"),
    ("f'{a=}'", "f'a={a!r}'"),
];

#[test]
fn expressions_are_written_as_in_cpython() {
    for (source, expected) in CASES {
        let arena = Bump::new();
        let options = ParseOptions { mode: Mode::Eval, ..ParseOptions::default() };
        let parsed = parse(&arena, source.as_bytes(), &options).expect("the expression parses");
        let Mod::Expression { body } = parsed.tree else { panic!("an expression was asked for") };
        assert_eq!(unparse(body), *expected, "{source}");
    }
}
