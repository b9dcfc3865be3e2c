//! The object layer on its own: types come into being, classes are made, attributes are found, objects die.

use crate::builtins::dict::Dict;
use crate::builtins::str::{Str, intern};
use crate::builtins::tuple::Tuple;
use crate::types::{TYPE, Type};
use crate::{Value, Vm};

fn class(vm: &Vm, name: &str, bases: &[Value], namespace: &Dict) -> Value {
    let args = [Value::from(name), Tuple::from_slice(bases).into_value(), crate::object::to_value(namespace)];
    match vm.call(&TYPE.value(), &args, None) {
        Ok(class) => class,
        Err(raised) => panic!("{}", vm.display_name(&vm.repr(&vm.take(raised)).expect("an exception has a repr"))),
    }
}

#[test]
fn immediates_round_trip() {
    for n in [0, 1, -1, 1 << 40, Value::SMALL_INT_MAX, Value::SMALL_INT_MIN] {
        assert_eq!(Value::small_int(n).as_small_int(), Some(n));
    }
    for f in [1.0, -2.5, 1e70, -1e-70, std::f64::consts::PI] {
        assert_eq!(Value::immediate_float(f).and_then(|v| v.as_immediate_float()), Some(f));
    }
    for f in [0.0, -0.0, f64::INFINITY, f64::NAN, 1e300, 1e-300] {
        assert!(Value::immediate_float(f).is_none());
    }
}

#[test]
fn classes_attributes_and_lifetimes() {
    let vm = Vm::new(1 << 20);
    let namespace = Dict::new();
    namespace.set_str(intern("x").as_value(), Value::small_int(7));
    let base = class(&vm, "Base", &[], &namespace);
    let derived = class(&vm, "Derived", std::slice::from_ref(&base), &Dict::new());
    let object = vm.call(&derived, &[], None).expect("instantiation");
    let x = intern("x");
    assert_eq!(vm.get_attr(&object, x.as_value()).expect("class attribute").as_small_int(), Some(7));
    for i in 0..20 {
        let name = intern(&format!("a{i}"));
        vm.set_attr(&object, name.as_value(), &Value::small_int(i)).expect("set");
    }
    vm.set_attr(&object, x.as_value(), &Value::small_int(8)).expect("shadow");
    assert_eq!(vm.get_attr(&object, x.as_value()).expect("instance").as_small_int(), Some(8));
    vm.delete_attr(&object, x.as_value()).expect("delete");
    assert_eq!(vm.get_attr(&object, x.as_value()).expect("class again").as_small_int(), Some(7));
    vm.set_attr(&base, x.as_value(), &Value::small_int(9)).expect("class set");
    assert_eq!(vm.get_attr(&object, x.as_value()).expect("invalidated").as_small_int(), Some(9));
    assert_eq!(vm.get_attr(&object, intern("a19").as_value()).expect("slot").as_small_int(), Some(19));
    let error = vm.get_attr(&object, intern("missing").as_value()).expect_err("absent");
    let text = vm.str_string(&vm.take(error)).expect("text");
    assert_eq!(text, "'Derived' object has no attribute 'missing'");
    let header = object.as_object().expect("an object");
    assert_eq!(crate::count::refcount(header), 1);
    assert!(derived.downcast::<Type>().expect("a type").is_subtype(base.downcast::<Type>().expect("a type")));
}

#[test]
fn dict_keeps_order_and_finds() {
    let vm = Vm::new(1 << 20);
    let dict = Dict::new();
    for i in 0..1000i64 {
        dict.set(&vm, &Value::from(i), Value::from(i * i)).expect("set");
        dict.set(&vm, &Value::from(format!("k{i}")), Value::from(i)).expect("set");
    }
    for i in (0..1000i64).step_by(3) {
        dict.remove(&vm, &Value::from(i)).expect("remove");
    }
    assert_eq!(dict.len(), 2000 - 334);
    assert_eq!(dict.get(&vm, &Value::from("k999")).expect("get").and_then(|v| v.as_small_int()), Some(999));
    assert!(dict.get(&vm, &Value::from(999i64)).expect("get").is_none());
    assert_eq!(dict.keys()[0].downcast::<Str>().expect("str").to_string_lossy(), "k0");
}
