//! Calls of Python functions whose arguments have to be brought to their places.

use std::mem::MaybeUninit;

use taipan_bytecode::code::{CO_NEWLOCALS, CO_VARARGS, CO_VARKEYWORDS};
use taipan_object::Value;
use taipan_object::builtins::dict::Dict;
use taipan_object::builtins::str::Str;
use taipan_object::builtins::tuple::{self, TUPLE, Tuple};
use taipan_object::cell::is_parallel;

use super::super::{Flow, Machine};
use super::{LENDABLE, Operands, has_room, push_frame};
use crate::code::Code;
use crate::frame::{clear_words, copy_words, retain_live};
use crate::function::Function;

/// Functions with more parameters by keyword only are entered in the general way.
const FEW_NAMES: usize = 8;

impl Machine<'_> {
    /// Enters a function that has only positional parameters, if defaults are there for those that are missing; otherwise
    /// nothing has happened.
    #[inline(always)]
    pub(super) unsafe fn call_defaulted(&mut self, operands: &Operands, words: u16) -> Option<Flow> {
        // SAFETY: live operands, which pass to the frame.
        unsafe {
            let function = &*(operands.callable as *const Function);
            let (code, given) = (function.code(), operands.count);
            let defaults = function.defaults_slice();
            let argcount = usize::try_from(code.simple_args).ok()?;
            let required = argcount.checked_sub(defaults.len())?;
            if given >= argcount || given < required || argcount > LENDABLE || code.entry.get().is_null() {
                return None;
            }
            self.enter_defaulted(operands, code, &defaults[given - required..], words)
        }
    }

    /// Enters a function whose arguments stay where they are, with `defaults` behind them.
    #[inline(always)]
    pub(super) unsafe fn enter_defaulted(
        &mut self,
        operands: &Operands,
        code: &Code,
        defaults: &[Value],
        words: u16,
    ) -> Option<Flow> {
        // SAFETY: live operands, which pass to the frame.
        unsafe {
            let given = operands.count;
            let regs = self.window(operands.first);
            if !has_room(self.vm, self.interp, regs, code.registers.get()) {
                operands.release_all();
                return Some(self.unwind());
            }
            if regs != operands.first {
                copy_words(operands.first, regs, given);
            }
            for (at, default) in defaults.iter().enumerate() {
                *regs.add(given + at) = retain_live(default.word());
            }
            let lent = operands.borrowed & ((1u64 << given) - 1) as u32;
            Some(self.enter_bound(operands, code, regs, given + defaults.len(), lent, words))
        }
    }

    /// Enters a function if all that is given has a place and nothing is missing; otherwise nothing has happened.
    #[inline(never)]
    pub(super) unsafe fn call_bound(&mut self, operands: &Operands, kwnames: &[Value], words: u16) -> Option<Flow> {
        // SAFETY: live operands, which pass to the frame.
        unsafe {
            let function = &*(operands.callable as *const Function);
            let code = function.code();
            let argcount = code.data.argcount as usize;
            let given = operands.count - kwnames.len();
            if code.total_args() > LENDABLE
                || !code.has_flag(CO_NEWLOCALS)
                || given > argcount && !code.has_flag(CO_VARARGS)
                || code.entry.get().is_null() && !self.lowered(code)
            {
                return None;
            }
            let entered = match kwnames {
                [] => self.call_variadic(operands, words),
                _ => self.call_in_order(operands, kwnames, words),
            };
            if entered.is_some() {
                return entered;
            }
            let defaults = function.defaults_slice();
            let required = argcount.checked_sub(defaults.len())?;
            if !kwnames.is_empty() || code.total_args() != argcount || given < required {
                return self.call_sorted(operands, kwnames, words);
            }
            self.enter_defaulted(operands, code, &defaults[given - required..], words)
        }
    }

    /// Enters a function that takes any number of arguments or some by keyword only, if it is called with positional ones and has
    /// what is missing; otherwise nothing has happened.
    #[inline(always)]
    pub(super) unsafe fn call_variadic(&mut self, operands: &Operands, words: u16) -> Option<Flow> {
        // SAFETY: live operands, which pass to the frame; there are at most LENDABLE parameters and operands.
        unsafe {
            let function = &*(operands.callable as *const Function);
            let code = function.code();
            let (argcount, given) = (code.data.argcount as usize, operands.count);
            let named = argcount + code.data.kwonlyargcount as usize;
            if named == argcount && !code.has_flag(CO_VARARGS | CO_VARKEYWORDS)
                || !code.has_flag(CO_NEWLOCALS)
                || given > argcount && !code.has_flag(CO_VARARGS)
                || given.max(code.total_args()) > LENDABLE
                || code.entry.get().is_null()
            {
                return None;
            }
            let defaults = function.defaults_slice();
            let positional = given.min(argcount);
            let defaults = defaults.get((positional + defaults.len()).checked_sub(argcount)?..)?;
            let names = &code.localsplusnames()[argcount..named];
            let mut kwdefaults = [0; FEW_NAMES];
            for (default, name) in kwdefaults.get_mut(..names.len())?.iter_mut().zip(names) {
                *default = function.kwdefault(name)?;
            }
            let regs = self.window(operands.first);
            if !has_room(self.vm, self.interp, regs, code.registers.get()) {
                operands.release_all();
                return Some(self.unwind());
            }
            // What is given for `*args` leaves the registers before anything else comes into them.
            let rest = match code.has_flag(CO_VARARGS) {
                false => 0,
                true if positional == given => tuple::empty().into_value().into_word(),
                true => Tuple::new_with_type(TUPLE.ty(), (positional..given).map(|at| operands.take_argument(at)))
                    .into_value()
                    .into_word(),
            };
            if regs != operands.first {
                copy_words(operands.first, regs, positional);
            }
            let mut total = positional;
            for default in defaults {
                *regs.add(total) = retain_live(default.word());
                total += 1;
            }
            for default in &kwdefaults[..names.len()] {
                *regs.add(total) = retain_live(*default);
                total += 1;
            }
            if rest != 0 {
                *regs.add(total) = rest;
                total += 1;
            }
            if code.has_flag(CO_VARKEYWORDS) {
                *regs.add(total) = Dict::with_capacity(0).into_value().into_word();
                total += 1;
            }
            let lent = operands.borrowed & ((1u64 << positional) - 1) as u32;
            Some(self.enter_bound(operands, code, regs, total, lent, words))
        }
    }

    /// As [`Machine::call_bound`], if the keyword arguments come in the order of the parameters behind the positional ones: then
    /// all are where they should be.
    #[inline(always)]
    pub(super) unsafe fn call_in_order(&mut self, operands: &Operands, kwnames: &[Value], words: u16) -> Option<Flow> {
        // SAFETY: live operands, which pass to the frame; there are at most LENDABLE parameters and operands.
        unsafe {
            let function = &*(operands.callable as *const Function);
            let code = function.code();
            let argcount = code.data.argcount as usize;
            let total = argcount + code.data.kwonlyargcount as usize;
            let given = operands.count - kwnames.len();
            if code.has_flag(CO_VARARGS | CO_VARKEYWORDS)
                || operands.count > total
                || given > argcount
                || given < code.data.posonlyargcount as usize
            {
                return None;
            }
            let names = code.localsplusnames();
            if names[given..operands.count].iter().zip(kwnames).any(|(name, keyword)| name.word() != keyword.word()) {
                return None;
            }
            let regs = self.window(operands.first);
            if regs.add(code.registers.get() as usize) > self.interp.stacks.registers_end.get() {
                return None;
            }
            // A default that is missing makes it an error, which is found out again where the message is made. What lies
            // behind the arguments is free.
            let defaults = function.defaults_slice();
            for (place, name) in names.iter().enumerate().take(total).skip(operands.count) {
                let default = if place >= argcount {
                    function.kwdefault(name)?
                } else {
                    defaults.get((place + defaults.len()).checked_sub(argcount)?)?.word()
                };
                *regs.add(place) = default;
            }
            if !has_room(self.vm, self.interp, regs, code.registers.get()) {
                operands.release_all();
                return Some(self.unwind());
            }
            for place in operands.count..total {
                retain_live(*regs.add(place));
            }
            if regs != operands.first {
                copy_words(operands.first, regs, operands.count);
            }
            let lent = operands.borrowed & ((1u64 << operands.count) - 1) as u32;
            Some(self.enter_bound(operands, code, regs, total, lent, words))
        }
    }

    /// The general case of [`Machine::call_bound`]: bits say which parameters are filled, borrowed, defaulted.
    #[inline(never)]
    pub(super) unsafe fn call_sorted(&mut self, operands: &Operands, kwnames: &[Value], words: u16) -> Option<Flow> {
        // SAFETY: live operands, which pass to the frame; there are at most LENDABLE parameters and operands.
        unsafe {
            let function = &*(operands.callable as *const Function);
            let code = function.code();
            let argcount = code.data.argcount as usize;
            let posonly = code.data.posonlyargcount as usize;
            let named = argcount + code.data.kwonlyargcount as usize;
            let given = operands.count - kwnames.len();
            let positional = given.min(argcount);
            let names = code.localsplusnames().as_ptr();
            // What comes behind the positional arguments: keyword arguments' words, defaults, the rest.
            let mut space = [const { MaybeUninit::<u64>::uninit() }; LENDABLE];
            let space = space.as_mut_ptr().cast::<u64>();
            let mut filled = ((1u64 << positional) - 1) as u32;
            let mut lent = operands.borrowed & filled;
            // Bit i: keyword i is none of a parameter.
            let mut extra_keywords = 0u32;
            for (at, keyword) in kwnames.iter().enumerate() {
                // Mostly they come in the order of the parameters.
                let mut place = positional.max(posonly) + at;
                if place >= named || (*names.add(place)).word() != keyword.word() {
                    match (posonly..named).find(|place| (*names.add(*place)).word() == keyword.word()) {
                        Some(found) => place = found,
                        None if code.has_flag(CO_VARKEYWORDS)
                            && keyword.downcast_exact::<Str>().is_some_and(Str::is_interned) =>
                        {
                            extra_keywords |= 1 << at;
                            continue;
                        }
                        None => return None,
                    }
                }
                if filled >> place & 1 != 0 {
                    return None;
                }
                filled |= 1 << place;
                *space.add(place) = *operands.first.add(given + at);
                lent |= u32::from(operands.is_borrowed(given + at)) << place;
            }
            let missing = ((1u64 << named) - 1) as u32 & !filled;
            let mut left = missing;
            let defaults = function.defaults_slice();
            while left != 0 {
                let place = left.trailing_zeros() as usize;
                left &= left - 1;
                *space.add(place) = if place >= argcount {
                    function.kwdefault(&*names.add(place))?
                } else {
                    defaults.get((place + defaults.len()).checked_sub(argcount)?)?.word()
                };
            }
            let regs = self.window(operands.first);
            if !has_room(self.vm, self.interp, regs, code.registers.get()) {
                operands.release_all();
                return Some(self.unwind());
            }
            let mut total = named;
            if code.has_flag(CO_VARARGS) {
                let rest = if positional == given {
                    tuple::empty()
                } else {
                    Tuple::new_with_type(TUPLE.ty(), (positional..given).map(|at| operands.take_argument(at)))
                };
                *space.add(total) = rest.into_value().into_word();
                total += 1;
            }
            if code.has_flag(CO_VARKEYWORDS) {
                let dict = Dict::with_capacity(extra_keywords.count_ones() as usize);
                while extra_keywords != 0 {
                    let at = extra_keywords.trailing_zeros() as usize;
                    extra_keywords &= extra_keywords - 1;
                    dict.set_str(&kwnames[at], operands.take_argument(given + at));
                }
                *space.add(total) = dict.into_value().into_word();
                total += 1;
            }
            if regs != operands.first {
                copy_words(operands.first, regs, positional);
            }
            for place in positional..total {
                let word = *space.add(place);
                *regs.add(place) =
                    if missing >> (place & 31) & 1 != 0 && place < named { retain_live(word) } else { word };
            }
            Some(self.enter_bound(operands, code, regs, total, lent, words))
        }
    }

    /// Enters a function whose first `bound` locals are in `regs`.
    #[inline(always)]
    pub(super) unsafe fn enter_bound(
        &mut self,
        operands: &Operands,
        code: &Code,
        regs: *mut u64,
        bound: usize,
        lent: u32,
        words: u16,
    ) -> Flow {
        // SAFETY: there is room for the frame; the operands pass to it.
        unsafe {
            let callee = operands.take_callable();
            clear_words(regs.add(bound), code.nlocalsplus() - bound);
            let frame = push_frame(self.interp, code, callee, regs, lent, 0, self.pc.add(words as usize));
            self.enter(frame, regs, code);
            Flow::NEXT
        }
    }
}

/// Brings the arguments of a call from native code, which are only lent, to their places in the window `regs`, and clears the
/// other locals: the mask of those that are lent. None if something has no place or is missing, or has to be found in the
/// general way; then nothing has happened.
///
/// # Safety
/// There is room at `regs` for the function's frame, and what is there is free.
#[inline(never)]
pub(super) unsafe fn bind_lent(
    function: &Function,
    args: &[Value],
    kwnames: Option<&Value>,
    regs: *mut u64,
) -> Option<u32> {
    let code = function.code();
    let kwnames = match kwnames {
        None => &[][..],
        Some(names) => names.downcast_exact::<Tuple>()?.as_slice(),
    };
    let argcount = code.data.argcount as usize;
    let named = argcount + code.data.kwonlyargcount as usize;
    let given = args.len().checked_sub(kwnames.len())?;
    if code.total_args() > LENDABLE
        || kwnames.len() > LENDABLE
        || !code.has_flag(CO_NEWLOCALS)
        || given > argcount && !code.has_flag(CO_VARARGS)
        || is_parallel()
    {
        return None;
    }
    let positional = given.min(argcount);
    let names = code.localsplusnames();
    let mut lent = ((1u64 << positional) - 1) as u32;
    // Bit i: keyword i is none of a parameter.
    let mut extra_keywords = 0u32;
    // SAFETY: there is room; defaults are read before anything else can run, and get references of their own.
    unsafe {
        copy_words(args.as_ptr().cast::<u64>(), regs, positional);
        for (at, keyword) in kwnames.iter().enumerate() {
            let posonly = code.data.posonlyargcount as usize;
            let Some(place) = (posonly..named).find(|place| names[*place].word() == keyword.word()) else {
                if !code.has_flag(CO_VARKEYWORDS) || !keyword.downcast_exact::<Str>().is_some_and(Str::is_interned) {
                    return None;
                }
                extra_keywords |= 1 << at;
                continue;
            };
            if lent >> place & 1 != 0 {
                return None;
            }
            lent |= 1 << place;
            *regs.add(place) = args[given + at].word();
        }
        let missing = ((1u64 << named) - 1) as u32 & !lent;
        let defaults = function.defaults_slice();
        let mut left = missing;
        while left != 0 {
            let place = left.trailing_zeros() as usize;
            left &= left - 1;
            *regs.add(place) = if place >= argcount {
                function.kwdefault(&names[place])?
            } else {
                defaults.get((place + defaults.len()).checked_sub(argcount)?)?.word()
            };
        }
        let mut left = missing;
        while left != 0 {
            retain_live(*regs.add(left.trailing_zeros() as usize));
            left &= left - 1;
        }
        let mut total = named;
        if code.has_flag(CO_VARARGS) {
            *regs.add(total) = Tuple::from_slice(&args[positional..given]).into_value().into_word();
            total += 1;
        }
        if code.has_flag(CO_VARKEYWORDS) {
            let dict = Dict::with_capacity(extra_keywords.count_ones() as usize);
            while extra_keywords != 0 {
                let at = extra_keywords.trailing_zeros() as usize;
                extra_keywords &= extra_keywords - 1;
                dict.set_str(&kwnames[at], args[given + at].clone());
            }
            *regs.add(total) = dict.into_value().into_word();
            total += 1;
        }
        clear_words(regs.add(total), code.nlocalsplus() - total);
    }
    Some(lent)
}
