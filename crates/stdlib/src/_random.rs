//! `_random`: the Mersenne Twister MT19937 of Matsumoto and Nishimura.

mod twister;

use crate::payload::{class_of, payload};
use taipan_object::builtins::int::{self, Operand};
use taipan_object::builtins::tuple::Tuple;
use taipan_object::native::module::ModuleDef;
use taipan_object::native::{MethodDef, arguments};
use taipan_object::types::{TypeSpec, type_flags};
use taipan_object::{Result, Value, Vm, method_table};
use twister::{LENGTH, Twister};

pub static MODULE: ModuleDef = ModuleDef {
    name: "_random",
    doc: "The generator of the random module, a Mersenne Twister.",
    functions: &[],
    exec: |_, module| {
        module.add_type(&RANDOM);
        Ok(())
    },
};

payload! {
    pub struct Random(RandomState): RANDOM { twister: Box<Twister> }
}

impl crate::payload::Field for Box<Twister> {
    fn visit(&self, _: taipan_object::object::Visitor) {}
    fn take(&mut self) -> Self {
        Box::new(Twister::new(0))
    }
}

pub static RANDOM: TypeSpec = TypeSpec::new::<Random>("_random.Random")
    .doc("Random() -> a generator of random numbers that shares no state with others.")
    .flags(type_flags::BASETYPE)
    .slots(|s| {
        s.new = Some(|_, class, _, _| {
            Ok(Random::make(class_of(class), RandomState { twister: Box::new(Twister::new(0)) }))
        });
        s.init = Some(|vm, this, args, kwnames| {
            arguments::no_keywords(vm, "Random", kwnames)?;
            arguments::check_positional(vm, "Random", args.len(), 0, 1)?;
            Random::of(this).seed(vm, args.first().unwrap_or(&Value::NONE))
        });
    })
    .methods(METHODS);

method_table! { static METHODS = [
    MethodDef::new("random($self, /)", "random() -> a float, at least 0.0 and less than 1.0.", |_, this, _| {
        Ok(Value::from(Random::of(this).with(|state| state.twister.next_double())))
    }),
    MethodDef::new("seed($self, n=None, /)",
        "seed([n]) -> None.\n\n\
        Start a sequence of numbers that n determines; without n, the operating\n\
        system's randomness or, failing that, the time does.",
        |vm, this, args| Random::of(this).seed(vm, &args[0]).map(Value::from)),
    MethodDef::new("getstate($self, /)", "\
        getstate() -> a tuple of integers, from which setstate() can go on.", |_, this, _| {
        let (words, index) = Random::of(this).with(|state| state.twister.state());
        let mut items: Vec<Value> = words.iter().map(|word| Value::from(*word)).collect();
        items.push(Value::from(index));
        Ok(Tuple::from_vec(items).into_value())
    }),
    MethodDef::new("setstate($self, state, /)", "\
        setstate(state) -> None.  Go on from a state that getstate() gave.", |vm, this, args| {
        set_state(vm, Random::of(this), &args[0])
    }),
    MethodDef::new("getrandbits($self, k, /)", "\
        getrandbits(k) -> x.  Give a random integer in range(2**k).", |vm, this, args| {
        get_random_bits(vm, Random::of(this), &args[0])
    }),
]; }

impl Random {
    fn seed(&self, vm: &Vm, seed: &Value) -> Result<()> {
        let key = match seed {
            none if none.is_none() => random_key(vm)?,
            _ if int::is_int(seed) => words(seed),
            _ => words(&Value::from(vm.hash(seed)? as u64)),
        };
        self.with(|state| state.twister.seed_by_words(&key));
        Ok(())
    }
}

/// The magnitude of an int as words, the lowest first; at least one.
fn words(n: &Value) -> Vec<u32> {
    let mut words = match Operand::of(n) {
        Some(Operand::Small(n)) => {
            let n = n.unsigned_abs();
            vec![n as u32, (n >> 32) as u32]
        }
        Some(Operand::Big(n)) => {
            let (_, words) = n.as_sign_words();
            words.iter().flat_map(|word| [*word as u32, (*word >> 32) as u32]).collect()
        }
        None => vec![0],
    };
    while words.len() > 1 && words.last() == Some(&0) {
        words.pop();
    }
    words
}

/// Words from the system's source of randomness.
fn random_key(vm: &Vm) -> Result<Vec<u32>> {
    let mut bytes = [0u8; LENGTH * 4];
    // The system fills up to 256 bytes at once without being interrupted.
    for chunk in bytes.chunks_mut(256) {
        // SAFETY: the chunk has room for as many bytes.
        let filled = unsafe { libc::getrandom(chunk.as_mut_ptr().cast(), chunk.len(), 0) };
        if filled != chunk.len() as isize {
            return Err(vm.last_os_error(None));
        }
    }
    Ok(bytes.chunks_exact(4).map(|word| u32::from_ne_bytes([word[0], word[1], word[2], word[3]])).collect())
}

fn set_state(vm: &Vm, random: &Random, state: &Value) -> Result {
    let Some(state) = state.downcast::<Tuple>() else { return Err(vm.type_error("state vector must be a tuple")) };
    let Some((index, words)) = state.as_slice().split_last().filter(|(_, words)| words.len() == LENGTH) else {
        return Err(vm.value_error("state vector is the wrong size"));
    };
    let mut new = [0u32; LENGTH];
    for (word, value) in new.iter_mut().zip(words) {
        if !int::is_int(value) {
            return Err(vm.type_error("an integer is required"));
        }
        if int::is_negative(value) {
            return Err(vm.overflow_error("can't convert negative value to unsigned int"));
        }
        let Some(n) = int::to_u64(value) else {
            return Err(vm.overflow_error("Python int too large to convert to C unsigned long"));
        };
        *word = n as u32;
    }
    if !int::is_int(index) {
        return Err(vm.type_error("an integer is required"));
    }
    let Some(index) = int::to_i64(index) else {
        return Err(vm.overflow_error("Python int too large to convert to C long"));
    };
    match usize::try_from(index) {
        Ok(index) if index <= LENGTH => random.with(|state| state.twister.set_state(&new, index)),
        _ => return Err(vm.value_error("invalid state")),
    }
    Ok(Value::NONE)
}

fn get_random_bits(vm: &Vm, random: &Random, count: &Value) -> Result {
    let count = vm.index(count)?;
    if int::is_negative(&count) {
        return Err(vm.value_error("Cannot convert negative int"));
    }
    let Some(count) = int::to_u64(&count) else {
        return Err(vm.overflow_error("Python int too large for C uint64_t"));
    };
    match count {
        0 => return Ok(Value::small_int(0)),
        1..=32 => return Ok(Value::from(random.with(|state| state.twister.next_word()) >> (32 - count))),
        _ => {}
    }
    int::check_room(vm, usize::try_from(count).unwrap_or(usize::MAX))?;
    let bytes = (count as usize).div_ceil(32) * 4;
    let mut number = Vec::new();
    if number.try_reserve_exact(bytes).is_err() {
        return Err(vm.memory_error());
    }
    random.with(|state| {
        let mut left = count;
        while left > 0 {
            let word = state.twister.next_word();
            let word = if left < 32 { word >> (32 - left) } else { word };
            number.extend_from_slice(&word.to_le_bytes());
            left = left.saturating_sub(32);
        }
    });
    Ok(int::from_ibig(dashu_int::UBig::from_le_bytes(&number).into()))
}
