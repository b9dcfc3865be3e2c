//! `_operator`: the operators as functions, and `attrgetter`, `itemgetter`, `methodcaller`.

pub mod getters;

use taipan_object::builtins::int;
use taipan_object::builtins::str::Str;
use taipan_object::native::MethodDef;
use taipan_object::native::module::ModuleDef;
use taipan_object::types::slots::CompareOp;
use taipan_object::{Result, Value, Vm, method_table};

pub static MODULE: ModuleDef = ModuleDef {
    name: "_operator",
    doc: "The operators as functions.\n\noperator.add(x, y), for example, is x + y.",
    functions: FUNCTIONS,
    exec: |_, module| {
        module.add_type(&getters::ATTRGETTER);
        module.add_type(&getters::ITEMGETTER);
        module.add_type(&getters::METHODCALLER);
        Ok(())
    },
};

macro_rules! binary {
    ($name:literal, $doc:literal, $method:ident) => {
        MethodDef::new(concat!($name, "($module, a, b, /)"), $doc, |vm, _, args| vm.$method(&args[0], &args[1]))
    };
}
macro_rules! unary {
    ($name:literal, $doc:literal, $method:ident) => {
        MethodDef::new(concat!($name, "($module, a, /)"), $doc, |vm, _, args| vm.$method(&args[0]))
    };
}
macro_rules! comparison {
    ($name:literal, $doc:literal, $op:ident) => {
        MethodDef::new(concat!($name, "($module, a, b, /)"), $doc, |vm, _, args| {
            vm.rich_compare(&args[0], &args[1], CompareOp::$op)
        })
    };
}

method_table! { static FUNCTIONS = [
    MethodDef::new("truth($module, a, /)", "Return the truth value of a, as bool(a) does.", |vm, _, args| {
        vm.is_true(&args[0]).map(Value::bool)
    }),
    MethodDef::new("contains($module, a, b, /)", "Return b in a; the container comes first.", |vm, _, args| {
        vm.contains(&args[0], &args[1]).map(Value::bool)
    }),
    MethodDef::new("indexOf($module, a, b, /)", "\
        Return the position of the first item of a that equals b, else raise ValueError.", |vm, _, args| {
        index_of(vm, &args[0], &args[1])
    }),
    MethodDef::new("countOf($module, a, b, /)", "Count the items of a that equal b.", |vm, _, args| {
        let iterator = iterate(vm, &args[0])?;
        let mut count = 0usize;
        while let Some(item) = vm.next(&iterator)? {
            count += usize::from(vm.equal_or_identical(&item, &args[1])?);
        }
        Ok(Value::from(count))
    }),
    MethodDef::new("is_($module, a, b, /)", "Same as a is b.", |_, _, args| Ok(Value::bool(args[0].is(&args[1])))),
    MethodDef::new("is_not($module, a, b, /)", "Same as a is not b.", |_, _, args| Ok(Value::bool(!args[0].is(&args[1])))),
    MethodDef::new("is_none($module, a, /)", "Same as a is None.", |_, _, args| Ok(Value::bool(args[0].is_none()))),
    MethodDef::new("is_not_none($module, a, /)", "\
        Return a is not None.", |_, _, args| Ok(Value::bool(!args[0].is_none()))),
    unary!("index", "Return the int that a stands for, as in indexing", index),
    binary!("add", "Same as a + b.", add),
    binary!("sub", "Same as a - b.", subtract),
    binary!("mul", "Same as a * b.", multiply),
    binary!("matmul", "Same as a @ b.", matrix_multiply),
    binary!("floordiv", "Same as a // b.", floor_divide),
    binary!("truediv", "Same as a / b.", true_divide),
    binary!("mod", "Same as a % b.", remainder),
    unary!("neg", "Same as -a.", negative),
    unary!("pos", "Same as +a.", positive),
    unary!("abs", "Same as abs(a).", absolute),
    unary!("inv", "Same as ~a.", invert),
    unary!("invert", "Same as ~a.", invert),
    binary!("lshift", "Same as a << b.", lshift),
    binary!("rshift", "Same as a >> b.", rshift),
    MethodDef::new("not_($module, a, /)", "Same as not a.", |vm, _, args| vm.is_true(&args[0]).map(|t| Value::bool(!t))),
    binary!("and_", "Same as a & b.", and),
    binary!("xor", "Same as a ^ b.", xor),
    binary!("or_", "Same as a | b.", or),
    binary!("iadd", "Same as a += b.", inplace_add),
    binary!("isub", "Same as a -= b.", inplace_subtract),
    binary!("imul", "Same as a *= b.", inplace_multiply),
    binary!("imatmul", "Same as a @= b.", inplace_matrix_multiply),
    binary!("ifloordiv", "Same as a //= b.", inplace_floor_divide),
    binary!("itruediv", "Same as a /= b.", inplace_true_divide),
    binary!("imod", "Same as a %= b.", inplace_remainder),
    binary!("ilshift", "Same as a <<= b.", inplace_lshift),
    binary!("irshift", "Same as a >>= b.", inplace_rshift),
    binary!("iand", "Same as a &= b.", inplace_and),
    binary!("ixor", "Same as a ^= b.", inplace_xor),
    binary!("ior", "Same as a |= b.", inplace_or),
    MethodDef::new("concat($module, a, b, /)", "Return a + b, where both must be sequences.", |vm, _, args| {
        concat(vm, &args[0], &args[1], false)
    }),
    MethodDef::new("iconcat($module, a, b, /)", "\
        Return a after a += b, where both must be sequences.", |vm, _, args| {
        concat(vm, &args[0], &args[1], true)
    }),
    binary!("getitem", "Same as a[b].", get_item),
    MethodDef::new("setitem($module, a, b, c, /)", "Same as a[b] = c.", |vm, _, args| {
        vm.set_item(&args[0], &args[1], &args[2]).map(Value::from)
    }),
    MethodDef::new("delitem($module, a, b, /)", "Same as del a[b].", |vm, _, args| {
        vm.delete_item(&args[0], &args[1]).map(Value::from)
    }),
    MethodDef::new("pow($module, a, b, /)", "Same as a ** b.", |vm, _, args| vm.power(&args[0], &args[1], &Value::NONE)),
    binary!("ipow", "Same as a **= b.", inplace_power),
    comparison!("eq", "Same as a == b.", Eq),
    comparison!("ne", "Same as a != b.", Ne),
    comparison!("lt", "Same as a < b.", Lt),
    comparison!("le", "Same as a <= b.", Le),
    comparison!("gt", "Same as a > b.", Gt),
    comparison!("ge", "Same as a >= b.", Ge),
    MethodDef::new("_compare_digest($module, a, b, /)",
        "Return 'a == b'.\n\nThe comparison takes the same time wherever the arguments differ. a and b must\nboth be of the same type: either str (ASCII only), or any bytes-like object.",
        |vm, _, args| compare_digest(vm, &args[0], &args[1]).map(Value::bool)),
    MethodDef::new("length_hint($module, obj, default=0, /)", "\
        Estimate how many items an iterable has, or return the default.", |vm, _, args| {
        if !int::is_int(&args[1]) {
            let name = args[1].ty().name();
            return Err(vm.type_error(format!("'{name}' object cannot be interpreted as an integer")));
        }
        let default = vm.index_i64(&args[1])?;
        match vm.length_hint(&args[0], usize::MAX)? {
            usize::MAX => Ok(Value::from(default)),
            hint => Ok(Value::from(hint)),
        }
    }),
    MethodDef::raw("call($module, obj, /, *args, **kwargs)", "\
        Call obj with the given arguments: obj(*args, **kwargs).", |vm, _, args, kwnames| {
        let keywords = kwnames.map_or(0, |names| vm.tuple_len(names));
        if args.len() == keywords {
            return Err(vm.type_error("call expected at least 1 argument, got 0"));
        }
        vm.call(&args[0], &args[1..], kwnames)
    }),
]; }

/// The iterator of `PySequence_Index` and its like.
fn iterate(vm: &Vm, iterable: &Value) -> Result {
    vm.iter(iterable).or_else(|raised| {
        vm.catch(raised, taipan_object::exceptions::type_error())?;
        let name = iterable.ty().name();
        Err(vm.type_error(format!("argument of type '{name}' is not iterable")))
    })
}

fn index_of(vm: &Vm, sequence: &Value, item: &Value) -> Result {
    let iterator = iterate(vm, sequence)?;
    let mut index = 0usize;
    while let Some(candidate) = vm.next(&iterator)? {
        if vm.equal_or_identical(&candidate, item)? {
            return Ok(Value::from(index));
        }
        index += 1;
    }
    Err(vm.value_error("sequence.index(x): x not in sequence"))
}

fn concat(vm: &Vm, a: &Value, b: &Value, in_place: bool) -> Result {
    let slots = a.ty().slots();
    let is_sequence = slots.concat.is_some() || in_place && slots.inplace_concat.is_some();
    if !is_sequence && !(vm.is_sequence(a) && vm.is_sequence(b)) {
        return Err(vm.type_error(format!("'{}' object can't be concatenated", a.ty().name())));
    }
    if in_place { vm.inplace_add(a, b) } else { vm.add(a, b) }
}

/// Equality whose time depends only on the length of `b`.
pub fn compare_digest(vm: &Vm, a: &Value, b: &Value) -> Result<bool> {
    if let (Some(a), Some(b)) = (a.downcast::<Str>(), b.downcast::<Str>()) {
        let (Some(a), Some(b)) = (a.as_ascii(), b.as_ascii()) else {
            return Err(vm.type_error("comparing strings with non-ASCII characters is not supported"));
        };
        return Ok(equal_in_constant_time(a.as_bytes(), b.as_bytes()));
    }
    if !vm.has_buffer(a) && !vm.has_buffer(b) {
        return Err(vm.type_error(format!(
            "unsupported operand types(s) or combination of types: '{}' and '{}'",
            a.ty().name(),
            b.ty().name()
        )));
    }
    let (a, b) = (vm.bytes_like(a)?, vm.bytes_like(b)?);
    Ok(equal_in_constant_time(&a, &b))
}

fn equal_in_constant_time(a: &[u8], b: &[u8]) -> bool {
    // With different lengths `b` is compared with itself, to take the same time.
    let (left, mut difference) = if a.len() == b.len() { (a, 0) } else { (b, 1) };
    for (x, y) in left.iter().zip(b) {
        difference = std::hint::black_box(difference | (x ^ y));
    }
    difference == 0
}
