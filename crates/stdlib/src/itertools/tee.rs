//! `itertools.tee`
//!
//! What the source yielded is kept in a chain of blocks, each of which points to the next. An iterator holds the block that
//! it reads, so that blocks die when the last iterator has left them.

use super::iterator_slots;
use crate::arguments::ssize;
use crate::payload::payload;
use taipan_object::builtins::list::{self, List};
use taipan_object::builtins::tuple::Tuple;
use taipan_object::native::{MethodDef, arguments};
use taipan_object::types::{TypeSpec, type_flags};
use taipan_object::{Ref, Result, Value, Vm, method_table};

/// The number of values in a block.
const BLOCK: usize = 57;

payload! {
    /// A block; only the last one of a chain may have less than `BLOCK` values. `running`: the source is being asked.
    pub struct TeeDataObject(TeeDataState): TEE_DATAOBJECT [iterator: Value] {
        values: Vec<Value>, next: Option<Ref<TeeDataObject>>, running: bool
    }
}

payload! {
    /// `at` is the place in the block of what comes next.
    pub struct Tee(TeeState): TEE { data: Option<Ref<TeeDataObject>>, at: usize }
}

pub static TEE_DATAOBJECT: TypeSpec = TypeSpec::new::<TeeDataObject>("itertools._tee_dataobject")
    .doc("teedataobject(iterable, values, next, /)\n--\n\nA piece of what the iterators of a tee share.")
    .slots(|s| s.new = Some(new_data_object));

pub static TEE: TypeSpec = TypeSpec::new::<Tee>("itertools._tee")
    .doc("_tee(iterable, /)\n--\n\nAn iterator that can be copied: the copies give the same items.")
    .flags(type_flags::HAS_WEAKREF)
    .slots(|s| {
        s.new = Some(|vm, _, args, kwnames| {
            arguments::no_keywords(vm, "_tee", kwnames)?;
            arguments::check_positional(vm, "_tee", args.len(), 1, 1)?;
            from_iterable(vm, &args[0])
        });
        iterator_slots(s, next);
    })
    .methods(METHODS);

method_table! { static METHODS = [
    MethodDef::new("__copy__($self, /)", "\
        Return an iterator over the same items that moves by itself.", |_, this, _| Ok(Tee::of(this).copy())),
]; }

method_table! { pub static FUNCTIONS = [
    MethodDef::new("tee($module, iterable, n=2, /)", "\
        Return n iterators over the same items, each with a position of its own.", |vm, _, args| {
        let count = match ssize(vm, &args[1])? {
            0 => return Ok(Tuple::from_vec(Vec::new()).into_value()),
            count if count < 0 => return Err(vm.value_error("n must be >= 0")),
            count => count as usize,
        };
        let mut tees = list::with_room(vm, count)?;
        let first = from_iterable(vm, &args[0])?;
        for _ in 1..count {
            vm.check_memory()?;
            tees.push(Tee::of(&first).copy());
        }
        tees.insert(0, first);
        Ok(Tuple::try_from_vec(vm, tees)?.into_value())
    }),
]; }

fn from_iterable(vm: &Vm, iterable: &Value) -> Result {
    let iterator = vm.iter(iterable)?;
    if iterator.downcast_exact::<Tee>().is_some() {
        return Ok(Tee::of(&iterator).copy());
    }
    let data = TeeDataObject::new(iterator, Vec::new(), None);
    Ok(Tee::make(TEE.ty(), TeeState { data: Some(data), at: 0 }))
}

impl Tee {
    fn copy(&self) -> Value {
        let (data, at) = self.with(|state| (state.data.clone(), state.at));
        Tee::make(TEE.ty(), TeeState { data, at })
    }
}

fn next(vm: &Vm, this: &Value) -> Result<Option<Value>> {
    let tee = Tee::of(this);
    if tee.with(|state| state.at >= BLOCK) {
        let Some(data) = tee.with(|state| state.data.clone()) else { return Ok(None) };
        let following = data.following();
        let old = tee.with(|state| {
            state.at = 0;
            state.data.replace(following)
        });
        drop((data, old));
    }
    let (data, at) = tee.with(|state| (state.data.clone(), state.at));
    let Some(data) = data else { return Ok(None) };
    let item = data.item(vm, at)?;
    if item.is_some() {
        tee.with(|state| state.at = at + 1);
    }
    Ok(item)
}

impl TeeDataObject {
    fn new(iterator: Value, values: Vec<Value>, next: Option<Ref<TeeDataObject>>) -> Ref<TeeDataObject> {
        let state = TeeDataState { values, next, running: false };
        let data = Self::make(TEE_DATAOBJECT.ty(), iterator, state);
        // SAFETY: just made with this type.
        unsafe { Ref::from_value_unchecked(data) }
    }

    /// The block after this one, which is full.
    fn following(&self) -> Ref<TeeDataObject> {
        if let Some(next) = self.with(|state| state.next.clone()) {
            return next;
        }
        let fresh = Self::new(self.iterator.clone(), Vec::new(), None);
        self.with(|state| state.next = Some(fresh.clone()));
        fresh
    }

    /// The value at a place of this block, from the source if nobody read it yet.
    fn item(&self, vm: &Vm, at: usize) -> Result<Option<Value>> {
        let (value, running) = self.with(|state| (state.values.get(at).cloned(), state.running));
        if value.is_some() {
            return Ok(value);
        }
        if running {
            return Err(vm.runtime_error("cannot re-enter the tee iterator"));
        }
        self.with(|state| state.running = true);
        let item = vm.next_of_any(&self.iterator);
        self.with(|state| {
            state.running = false;
            if let Ok(Some(item)) = &item {
                state.values.push(item.clone());
            }
        });
        item
    }
}

fn new_data_object(vm: &Vm, _: &Value, args: &[Value], kwnames: Option<&Value>) -> Result {
    arguments::no_keywords(vm, "teedataobject", kwnames)?;
    arguments::check_positional(vm, "teedataobject", args.len(), 3, 3)?;
    let Some(values) = args[1].downcast::<List>() else {
        let got = args[1].ty().name();
        return Err(vm.type_error(format!("teedataobject() argument 2 must be list, not {got}")));
    };
    let values = values.to_vec();
    let next = args[2].downcast_ref::<TeeDataObject>();
    let fits = match values.len() {
        BLOCK => next.is_some() || args[2].is_none(),
        count => count < BLOCK && args[2].is_none(),
    };
    if !fits {
        return Err(vm.value_error("Invalid arguments"));
    }
    let iterator = args[0].clone();
    Ok(TeeDataObject::new(iterator, values, next).into_value())
}
