//! `itertools.zip_longest`

use super::iterator_slots;
use crate::payload::{class_of, payload};
use smallvec::SmallVec;
use taipan_object::builtins::str::Str;
use taipan_object::builtins::tuple::{ReusedPair, Tuple};
use taipan_object::types::{TypeSpec, type_flags};
use taipan_object::{Result, Value, Vm};

payload! {
    /// `None` stands for an exhausted iterator; `active` counts the others.
    pub struct ZipLongest(ZipLongestState): ZIP_LONGEST [fillvalue: Value, reused: ReusedPair] {
        iterators: Vec<Option<Value>>, active: usize
    }
}

pub static ZIP_LONGEST: TypeSpec = TypeSpec::new::<ZipLongest>("itertools.zip_longest")
    .doc(
        "zip_longest(*iterables, fillvalue=None)\n\
         --\n\n\
         Yield tuples of one item from each iterable, side by side.\n\n\
         The iteration ends with the longest iterable; fillvalue, None by default,\n\
         stands for the missing items of the others.",
    )
    .flags(type_flags::BASETYPE)
    .slots(|s| {
        s.new = Some(new);
        iterator_slots(s, next);
    });

fn new(vm: &Vm, class: &Value, args: &[Value], kwnames: Option<&Value>) -> Result {
    let keywords: &[Value] = kwnames.and_then(|names| names.downcast::<Tuple>()).map_or(&[], Tuple::as_slice);
    let (iterables, values) = args.split_at(args.len() - keywords.len());
    let fillvalue = match (keywords, values) {
        ([], _) => Value::NONE,
        ([name], [value]) if name.downcast::<Str>().is_some_and(|name| name.is_str("fillvalue")) => value.clone(),
        _ => return Err(vm.type_error("zip_longest() got an unexpected keyword argument")),
    };
    let iterators = iterables.iter().map(|iterable| vm.iter(iterable).map(Some)).collect::<Result<Vec<_>>>()?;
    let active = iterators.len();
    Ok(ZipLongest::make(class_of(class), fillvalue, ReusedPair::new(), ZipLongestState { iterators, active }))
}

fn next(vm: &Vm, this: &Value) -> Result<Option<Value>> {
    let zip = ZipLongest::of(this);
    let (count, active) = zip.with(|state| (state.iterators.len(), state.active));
    if active == 0 || count == 0 {
        return Ok(None);
    }
    let mut items: SmallVec<[Value; 8]> = SmallVec::with_capacity(count);
    for at in 0..count {
        let iterator = zip.with(|state| state.iterators.get(at).and_then(Clone::clone));
        let item = match iterator {
            None => None,
            Some(iterator) => match vm.next_of_any(&iterator) {
                Ok(Some(item)) => Some(item),
                Ok(None) => {
                    if zip.end(at) {
                        return Ok(None);
                    }
                    None
                }
                Err(raised) => {
                    zip.with(|state| state.active = 0);
                    return Err(raised);
                }
            },
        };
        items.push(item.unwrap_or_else(|| zip.fillvalue.clone()));
    }
    Ok(Some(zip.reused.make_of(items.into_iter())))
}

impl ZipLongest {
    /// Lets go of an exhausted iterator; whether it was the last one.
    fn end(&self, at: usize) -> bool {
        let (ended, last) = self.with(|state| {
            let ended = state.iterators.get_mut(at).and_then(Option::take);
            if ended.is_some() {
                state.active = state.active.saturating_sub(1);
            }
            (ended, state.active == 0)
        });
        drop(ended);
        last
    }
}
