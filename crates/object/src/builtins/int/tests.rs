//! Operators of ints and floats through the number protocol, results by their repr.

use crate::builtins::{complex, float, int};
use crate::types::slots::CompareOp;
use crate::{Value, Vm};

fn number(vm: &Vm, text: &str) -> Value {
    let text = Value::from(text);
    let class = if text.downcast::<crate::builtins::str::Str>().is_some_and(|t| t.to_string_lossy().contains('j')) {
        complex::COMPLEX.value()
    } else {
        let is_float = vm.str_string(&text).expect("a str").contains(['.', 'e', 'n']);
        if is_float { float::FLOAT.value() } else { int::INT.value() }
    };
    vm.call_args(&class, &[text]).expect("a number")
}

fn evaluate(vm: &Vm, expression: &str) -> String {
    let mut parts = expression.split(' ');
    let mut next = || parts.next().expect("operand, operator, operand");
    let (a, operator, b) = (next(), next(), next());
    let (a, b) = (number(vm, a), number(vm, b));
    let result = match operator {
        "+" => vm.add(&a, &b),
        "-" => vm.subtract(&a, &b),
        "*" => vm.multiply(&a, &b),
        "//" => vm.floor_divide(&a, &b),
        "%" => vm.remainder(&a, &b),
        "/" => vm.true_divide(&a, &b),
        "**" => vm.power(&a, &b, &Value::NONE),
        "<<" => vm.lshift(&a, &b),
        ">>" => vm.rshift(&a, &b),
        "&" => vm.and(&a, &b),
        "|" => vm.or(&a, &b),
        "^" => vm.xor(&a, &b),
        "divmod" => vm.divmod(&a, &b).map(|pair| {
            let items = vm.collect(&pair).expect("a tuple");
            let shown: Vec<String> = items.iter().map(|item| vm.repr_string(item).expect("repr")).collect();
            Value::from(shown.join(" "))
        }),
        "<" => vm.rich_compare(&a, &b, CompareOp::Lt),
        "==" => vm.rich_compare(&a, &b, CompareOp::Eq),
        other => panic!("no operator {other}"),
    };
    match result {
        Ok(value) => vm.str_string(&value).expect("str"),
        Err(raised) => {
            let exception = vm.take(raised);
            format!("{}: {}", exception.ty().name(), vm.str_string(&exception).expect("str"))
        }
    }
}

#[test]
fn operators() {
    let vm = Vm::new(1 << 20);
    let cases = [
        ("4611686018427387903 + 1", "4611686018427387904"),
        ("-4611686018427387904 - 1", "-4611686018427387905"),
        ("4611686018427387904 - 1", "4611686018427387903"),
        ("3037000500 * 3037000500", "9223372037000250000"),
        ("100000000000000000000 * -3", "-300000000000000000000"),
        ("-7 // 2", "-4"),
        ("7 // -2", "-4"),
        ("-7 % 2", "1"),
        ("7 % -2", "-1"),
        ("-100000000000000000001 // 10", "-10000000000000000001"),
        ("-100000000000000000001 % 10", "9"),
        ("100000000000000000001 % -10", "-9"),
        ("-4611686018427387904 // -1", "4611686018427387904"),
        ("-7 divmod 2", "-4 1"),
        ("100000000000000000001 divmod -10", "-10000000000000000001 -9"),
        ("1 // 0", "ZeroDivisionError: division by zero"),
        ("1 / 3", "0.3333333333333333"),
        ("100000000000000000000001 / 3", "3.333333333333333e+22"),
        ("9007199254740993 / 1", "9007199254740992.0"),
        ("2 ** 100", "1267650600228229401496703205376"),
        ("-3 ** 41", "-36472996377170786403"),
        ("2 ** -2", "0.25"),
        ("0 ** -1", "ZeroDivisionError: zero to a negative power"),
        ("1 << 100", "1267650600228229401496703205376"),
        ("-1 << 62", "-4611686018427387904"),
        ("1 << -1", "ValueError: negative shift count"),
        ("-5 >> 100", "-1"),
        ("1267650600228229401496703205376 >> 99", "2"),
        ("-1267650600228229401496703205377 >> 99", "-3"),
        ("-1267650600228229401496703205376 & 255", "0"),
        ("-1 & 1267650600228229401496703205376", "1267650600228229401496703205376"),
        ("-2 ^ 1267650600228229401496703205376", "-1267650600228229401496703205378"),
        ("9007199254740993 == 9007199254740992.0", "False"),
        ("9007199254740993 < 9007199254740992.0", "False"),
        ("1 < 1.5", "True"),
        ("1e300 < 100000000000000000000", "False"),
        ("1.5 + 1", "2.5"),
        ("5.0 % -3.0", "-1.0"),
        ("-1e-300 divmod 1e300", "-1.0 1e+300"),
        ("-8.0 ** 2.0", "64.0"),
        ("-8.0 ** 0.5", "(1.7319121124709868e-16+2.8284271247461903j)"),
        ("1+2j ** 3", "(-11-2j)"),
        ("1j / 0", "ZeroDivisionError: division by zero"),
        ("infj * 1j", "(-inf+nanj)"),
        ("2 / 1j", "-2j"),
        ("1 == 1+0j", "True"),
        ("1 < 1j", "TypeError: '<' not supported between instances of 'int' and 'complex'"),
        ("1 & 1.5", "TypeError: unsupported operand type(s) for &: 'int' and 'float'"),
    ];
    for (expression, expected) in cases {
        assert_eq!(evaluate(&vm, expression), expected, "{expression}");
    }
}
