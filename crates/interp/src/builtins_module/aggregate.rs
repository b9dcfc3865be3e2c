//! Built-in functions over iterables: `all`, `any`, `min`, `max`, `sum`.

use taipan_object::builtins::complex::{self, Complex};
use taipan_object::builtins::int;
use taipan_object::builtins::str::Str;
use taipan_object::builtins::tuple::Tuple;
use taipan_object::builtins::{bytes, float};
use taipan_object::native::signature::unexpected_keyword;
use taipan_object::types::slots::CompareOp;
use taipan_object::vm::quick_compare::quick_less;
use taipan_object::{Result, Value, Vm};

pub fn all(vm: &Vm, iterable: &Value) -> Result {
    let iterator = vm.iter(iterable)?;
    while let Some(item) = vm.next_of_any(&iterator)? {
        if !vm.is_true(&item)? {
            return Ok(Value::FALSE);
        }
    }
    Ok(Value::TRUE)
}

pub fn any(vm: &Vm, iterable: &Value) -> Result {
    let iterator = vm.iter(iterable)?;
    while let Some(item) = vm.next_of_any(&iterator)? {
        if vm.is_true(&item)? {
            return Ok(Value::TRUE);
        }
    }
    Ok(Value::FALSE)
}

pub fn min_max(vm: &Vm, function: &str, args: &[Value], kwnames: Option<&Value>) -> Result {
    let names: &[Value] = kwnames.and_then(|names| names.downcast::<Tuple>()).map_or(&[], Tuple::as_slice);
    let (positional, keywords) = args.split_at(args.len() - names.len());
    if positional.is_empty() {
        return Err(vm.type_error(format!("{function} expected at least 1 argument, got 0")));
    }
    if names.len() > 2 {
        let given = names.len();
        return Err(vm.type_error(format!("{function}() takes at most 2 keyword arguments ({given} given)")));
    }
    let (mut key, mut default) = (None, None);
    for (name, value) in names.iter().zip(keywords) {
        match name.downcast::<Str>().and_then(Str::as_ascii) {
            Some("key") => key = value.given(),
            Some("default") => default = Some(value),
            _ => {
                let known = vec!["key".to_string(), "default".to_string()];
                return Err(unexpected_keyword(vm, function, name, known));
            }
        }
    }
    if positional.len() > 1 && default.is_some() {
        return Err(
            vm.type_error(format!("Cannot specify a default for {function}() with multiple positional arguments"))
        );
    }
    let op = if function == "max" { CompareOp::Gt } else { CompareOp::Lt };
    // The best item, and its key if there is a key function.
    let mut best: Option<(Value, Option<Value>)> = None;
    let mut consider = |item: Value| -> Result<()> {
        let sort_key = match key {
            Some(key) => Some(vm.call(key, std::slice::from_ref(&item), None)?),
            None => None,
        };
        let better = match &best {
            Some((best_item, best_key)) => {
                let (new, old) = (sort_key.as_ref().unwrap_or(&item), best_key.as_ref().unwrap_or(best_item));
                let quick = if op == CompareOp::Gt { quick_less(old, new) } else { quick_less(new, old) };
                match quick {
                    Some(better) => better,
                    None => vm.compare(new, old, op)?,
                }
            }
            None => true,
        };
        if better {
            let old = best.replace((item, sort_key));
            drop(old);
        }
        Ok(())
    };
    if let [iterable] = positional {
        let iterator = vm.iter(iterable)?;
        while let Some(item) = vm.next_of_any(&iterator)? {
            consider(item)?;
        }
    } else {
        for item in positional {
            consider(item.clone())?;
        }
    }
    match (best, default) {
        (Some((item, _)), _) => Ok(item),
        (None, Some(default)) => Ok(default.clone()),
        (None, None) => Err(vm.value_error(format!("{function}() iterable argument is empty"))),
    }
}

/// A sum of floats with the compensation of Neumaier (1974), as CPython's since 3.12.
struct Compensated {
    high: f64,
    low: f64,
}

impl Compensated {
    fn add(&mut self, x: f64) {
        let sum = self.high + x;
        if self.high.abs() >= x.abs() {
            self.low += (self.high - sum) + x;
        } else {
            self.low += (x - sum) + self.high;
        }
        self.high = sum;
    }
    fn total(&self) -> f64 {
        // A compensation that is not finite would spoil an infinite sum.
        if self.low != 0.0 && self.low.is_finite() { self.high + self.low } else { self.high }
    }
}

/// A small int, or a bool as the number that it is.
#[inline(always)]
fn small_number(item: &Value) -> Option<i64> {
    if item.is(&Value::TRUE) || item.is(&Value::FALSE) {
        return Some(i64::from(item.is(&Value::TRUE)));
    }
    item.as_small_int()
}

pub fn sum(vm: &Vm, iterable: &Value, start: &Value) -> Result {
    let iterator = vm.iter(iterable)?;
    if start.downcast::<Str>().is_some() {
        return Err(vm.type_error("sum() can't sum strings [use ''.join(seq) instead]"));
    }
    if bytes::is_bytes(start) {
        return Err(vm.type_error("sum() can't sum bytes [use b''.join(seq) instead]"));
    }
    if bytes::is_bytearray(start) {
        return Err(vm.type_error("sum() can't sum bytearray [use b''.join(seq) instead]"));
    }
    let mut total = start.clone();
    // Small ints first, then floats, then whatever comes.
    if let Some(mut small) = total.as_small_int() {
        loop {
            let Some(item) = vm.next_of_any(&iterator)? else { return Ok(Value::from(small)) };
            match small_number(&item).and_then(|n| small.checked_add(n)) {
                Some(next) => small = next,
                None => {
                    total = vm.add(&Value::from(small), &item)?;
                    break;
                }
            }
        }
    }
    if let Some(first) = float::to_f64(&total).filter(|_| !int::is_int(&total)) {
        let mut sum = Compensated { high: first, low: 0.0 };
        loop {
            let Some(item) = vm.next_of_any(&iterator)? else { return Ok(Value::from(sum.total())) };
            if let Some(f) =
                item.as_immediate_float().or_else(|| item.downcast_exact::<float::Float>().map(|f| f.value))
            {
                sum.add(f);
            } else if let Some(n) = item.as_small_int() {
                sum.add(n as f64);
            } else {
                total = vm.add(&Value::from(sum.total()), &item)?;
                break;
            }
        }
    }
    if let Some(first) = total.downcast_exact::<Complex>() {
        let mut real = Compensated { high: first.real, low: 0.0 };
        let mut imag = Compensated { high: first.imag, low: 0.0 };
        loop {
            let sum = |real: &Compensated, imag: &Compensated| complex::from_parts((real.total(), imag.total()));
            let Some(item) = vm.next_of_any(&iterator)? else { return Ok(sum(&real, &imag)) };
            if let Some(z) = item.downcast_exact::<Complex>() {
                real.add(z.real);
                imag.add(z.imag);
            } else if let Some(f) = float::to_f64(&item).filter(|_| float::is_exact(&item) || item.is_small_int()) {
                real.add(f);
            } else {
                total = vm.add(&sum(&real, &imag), &item)?;
                break;
            }
        }
    }
    while let Some(item) = vm.next_of_any(&iterator)? {
        total = vm.add(&total, &item)?;
    }
    Ok(total)
}
