//! The C3 linearisation.

use crate::object::{Result, to_value};
use crate::types::Type;
use crate::value::Value;
use crate::vm::Vm;

/// The MRO of a class with these bases, itself first.
pub fn linearize(vm: &Vm, class: &Value, bases: &[Value]) -> Result<Vec<Value>> {
    let mut sequences: Vec<Vec<Value>> = Vec::with_capacity(bases.len() + 1);
    for (i, base) in bases.iter().enumerate() {
        if bases[..i].iter().any(|earlier| earlier.is(base)) {
            let name = base.downcast::<Type>().map(Type::name).unwrap_or_default();
            return Err(vm.type_error(format!("duplicate base class {name}")));
        }
        let base = base.downcast::<Type>().expect("bases are types");
        let Some(mro) = base.mro() else {
            return Err(vm.type_error(format!("Cannot extend an incomplete type '{}'", base.name())));
        };
        sequences.push(mro.as_slice().to_vec());
    }
    sequences.push(bases.to_vec());
    let mut heads = vec![0usize; sequences.len()];
    let mut result = vec![class.clone()];
    loop {
        let mut remaining = false;
        let mut chosen: Option<Value> = None;
        'candidates: for (i, sequence) in sequences.iter().enumerate() {
            let Some(candidate) = sequence.get(heads[i]) else { continue };
            remaining = true;
            for (j, other) in sequences.iter().enumerate() {
                if other.iter().skip(heads[j] + 1).any(|ty| ty.is(candidate)) {
                    continue 'candidates;
                }
            }
            chosen = Some(candidate.clone());
            break;
        }
        match chosen {
            Some(next) => {
                for (sequence, head) in sequences.iter().zip(heads.iter_mut()) {
                    if sequence.get(*head).is_some_and(|ty| ty.is(&next)) {
                        *head += 1;
                    }
                }
                result.push(next);
            }
            None if !remaining => return Ok(result),
            None => {
                let mut names: Vec<String> = Vec::new();
                for (sequence, head) in sequences.iter().zip(&heads) {
                    if let Some(ty) = sequence.get(*head).and_then(|v| v.downcast::<Type>()) {
                        let name = ty.short_name();
                        if !names.contains(&name) {
                            names.push(name);
                        }
                    }
                }
                return Err(vm.type_error(format!(
                    "Cannot create a consistent method resolution order (MRO) for bases {}",
                    names.join(", ")
                )));
            }
        }
    }
}

/// The MRO along single bases, for types that need no merge.
pub fn chain(ty: &Type) -> Vec<Value> {
    let mut result = vec![to_value(ty)];
    let mut next = ty.base();
    while let Some(base) = next {
        result.push(to_value(base));
        next = base.base();
    }
    result
}
