//! The next pair of an iterator over pairs, taken apart: for loops that do so at once.

use crate::builtins::dict::iterator::{DICT_ITEM_ITERATOR, next_item};
use crate::builtins::enumerate::{self, ENUMERATE};
use crate::builtins::zip::{self, ZIP};
use crate::object::Result;
use crate::types::Type;
use crate::value::Value;
use crate::vm::Vm;

/// Whether [`next_pair`] knows iterators of exactly this type.
#[inline(always)]
pub fn yields_pairs(ty: &Type) -> bool {
    ty.is(&DICT_ITEM_ITERATOR) || ty.is(&ENUMERATE) || ty.is(&ZIP)
}

/// What [`next_pair`] gives: two owned words, or 0 and one of the other constants.
pub struct PairWords(pub u64, pub u64);

impl PairWords {
    /// The iterator yields something else, or has yet to be asked: nothing has happened.
    pub const UNKNOWN: u64 = 0;
    /// The iterator is exhausted.
    pub const END: u64 = 1;
    /// An exception is in flight.
    pub const RAISED: u64 = 2;
}

impl From<Result<Option<(Value, Value)>>> for PairWords {
    #[inline(always)]
    fn from(next: Result<Option<(Value, Value)>>) -> PairWords {
        match next {
            Ok(Some((first, second))) => PairWords(first.into_word(), second.into_word()),
            Ok(None) => PairWords(0, PairWords::END),
            Err(_) => PairWords(0, PairWords::RAISED),
        }
    }
}

/// The next pair of an iterator of one of the types of [`yields_pairs`].
#[inline]
pub fn next_pair(vm: &Vm, iterator: &Value) -> PairWords {
    let ty = iterator.ty();
    if ty.is(&DICT_ITEM_ITERATOR) {
        return match next_item(iterator) {
            Some((key, value)) => PairWords(key.into_word(), value.into_word()),
            None => PairWords(0, PairWords::UNKNOWN),
        };
    }
    // What these iterate over may be anything.
    if vm.check_stack("").is_err() {
        return PairWords(0, PairWords::RAISED);
    }
    if ty.is(&ENUMERATE) {
        return enumerate::next_apart(vm, iterator).into();
    }
    match zip::next_apart(vm, iterator) {
        Some(next) => next.into(),
        None => PairWords(0, PairWords::UNKNOWN),
    }
}
