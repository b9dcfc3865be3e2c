//! Raising and handling.

use taipan_object::builtins::list::List;
use taipan_object::builtins::tuple::Tuple;
use taipan_object::exceptions::{self, BASE_EXCEPTION, BASE_EXCEPTION_GROUP, BaseException};
use taipan_object::types::{Type, type_flags};
use taipan_object::{Result, Value, Vm};

use super::iteration::reraise_value;
use super::{Flow, Machine, release_operands, view, word_of};
use crate::frame::{release, retain};
use crate::instruction::{B_OWNED, C_OWNED, Fetched};

const NOT_CATCHABLE: &str = "catching classes that do not inherit from BaseException is not allowed";

/// Whether `exception` (an exception or a class) is caught by `kind`, a class or tuple of classes.
pub(crate) fn matches(exception: &Value, kind: &Value) -> bool {
    if let Some(kinds) = kind.downcast::<Tuple>() {
        return kinds.as_slice().iter().any(|kind| matches(exception, kind));
    }
    let Some(kind) = kind.downcast::<Type>() else { return false };
    match exception.downcast::<Type>() {
        Some(class) => class.is_subtype(kind),
        None => exception.ty().is_subtype(kind),
    }
}

fn is_exception_class(value: &Value) -> bool {
    value.downcast::<Type>().is_some_and(|class| class.is_subtype(BASE_EXCEPTION.ty()))
}

fn check_catchable(vm: &Vm, kind: &Value) -> Result<()> {
    let fine = match kind.downcast::<Tuple>() {
        Some(kinds) => kinds.as_slice().iter().all(is_exception_class),
        None => is_exception_class(kind),
    };
    if fine { Ok(()) } else { Err(vm.type_error(NOT_CATCHABLE)) }
}

/// `except kind:`; 0: raised, 1: no, 2: yes.
unsafe fn exc_match(vm: &Vm, exception: u64, kind: u64, flags: u8) -> u64 {
    // SAFETY: live operands; the type is released if owned.
    unsafe {
        if let Some(class) = view(&kind).downcast_exact::<Type>()
            && class.has_flags(type_flags::BASE_EXC_SUBCLASS)
            && view(&exception).downcast::<Type>().is_none()
        {
            let truth = 1 + view(&exception).ty().is_subtype(class) as u64;
            release_operands(flags & C_OWNED, 1, kind);
            return truth;
        }
        let truth = match check_catchable(vm, view(&kind)) {
            Ok(()) => 1 + matches(view(&exception), view(&kind)) as u64,
            Err(_) => 0,
        };
        release_operands(flags & C_OWNED, 1, kind);
        truth
    }
}

fn raise_from(vm: &Vm, exception: &Value, cause: Option<&Value>) {
    let Ok(exception) = exceptions::normalize(vm, exception) else { return };
    if let Some(cause) = cause {
        let cause = if cause.is_none() {
            None
        } else if is_exception_class(cause) {
            match exceptions::normalize(vm, cause) {
                Ok(cause) => Some(cause),
                Err(_) => return,
            }
        } else if cause.downcast::<BaseException>().is_some() {
            Some(cause.clone())
        } else {
            let _ = vm.type_error("exception causes must derive from BaseException");
            return;
        };
        exceptions::set_cause(&exception, cause);
    }
    let _ = vm.raise(exception);
}

impl Machine<'_> {
    #[inline(never)]
    pub unsafe fn raise(&mut self, w: Fetched) -> Flow {
        // SAFETY: live operands, released if owned.
        unsafe {
            self.save();
            let (exception, cause) = (self.get(w.b()), self.get(w.c()));
            raise_from(self.vm, view(&exception), Some(view(&cause)));
            release_operands(w.flags(), exception, cause);
            self.unwind()
        }
    }

    #[inline(never)]
    pub unsafe fn raise_one(&mut self, w: Fetched) -> Flow {
        // SAFETY: live operand, released if owned.
        unsafe {
            self.save();
            let exception = self.get(w.b());
            if w.flags() & B_OWNED != 0 && view(&exception).downcast::<BaseException>().is_some() {
                let _ = self.vm.raise(Value::from_word(exception));
            } else {
                raise_from(self.vm, view(&exception), None);
                release_operands(w.flags(), exception, 1);
            }
            self.unwind()
        }
    }

    #[inline(never)]
    pub unsafe fn raise_again(&mut self) -> Flow {
        // SAFETY: the frame is alive.
        unsafe { self.save() };
        match self.interp.topmost_handled() {
            Some(exception) => {
                let _ = self.vm.set_exception(exception);
                self.unwind_again()
            }
            None => {
                let _ = self.vm.runtime_error("No active exception to reraise");
                self.unwind()
            }
        }
    }

    #[inline(never)]
    pub unsafe fn reraise(&mut self, w: Fetched) -> Flow {
        // SAFETY: live operand, consumed.
        unsafe {
            self.save();
            reraise_value(self.vm, Value::from_word(self.take_b(w)));
            self.unwind_again()
        }
    }

    #[inline(never)]
    pub unsafe fn push_exc_info(&mut self, w: Fetched) -> Flow {
        // SAFETY: `a` owns an exception, or what forged code has there; the item owns what it holds.
        unsafe {
            let exception = self.get(w.a());
            let item = &*self.interp.handled.get();
            self.put(w.a() + 1, exception);
            if view(&exception).downcast::<BaseException>().is_some() {
                let before = item.exception.replace(retain(exception));
                self.put(w.a(), if before == 0 { Value::NONE.into_word() } else { before });
                self.vm.set_handled(exception);
            } else {
                let before = item.exception.get();
                self.put(w.a(), if before == 0 { Value::NONE.into_word() } else { retain(before) });
            }
            self.advance(1)
        }
    }

    #[inline(never)]
    pub unsafe fn pop_except(&mut self, w: Fetched) -> Flow {
        // SAFETY: live operand, which passes to the item.
        unsafe {
            self.save();
            let word = self.take_b(w);
            let is_exception = view(&word).downcast::<BaseException>().is_some();
            let item = &*self.interp.handled.get();
            let old = item.exception.replace(if is_exception { word } else { 0 });
            if is_exception {
                self.vm.set_handled(word);
            } else {
                release(word);
                self.interp.publish_handled(self.vm);
            }
            release(old);
            self.advance(1)
        }
    }

    #[inline(never)]
    pub unsafe fn check_exc_match(&mut self, w: Fetched) -> Flow {
        // SAFETY: live operands.
        unsafe {
            self.save();
            match exc_match(self.vm, self.get(w.b()), self.get(w.c()), w.flags()) {
                0 => self.unwind(),
                truth => {
                    self.set(w, Value::bool(truth == 2).into_word());
                    self.advance(1)
                }
            }
        }
    }

    #[inline(never)]
    pub unsafe fn jump_if_exc_match(&mut self, w: Fetched) -> Flow {
        // SAFETY: live operands.
        unsafe {
            self.save();
            match exc_match(self.vm, self.get(w.b()), self.get(w.c()), w.flags()) {
                0 => self.unwind(),
                truth => self.branch(w, truth == 2),
            }
        }
    }

    #[inline(never)]
    pub unsafe fn check_eg_match(&mut self, w: Fetched) -> Flow {
        // SAFETY: two owned words.
        unsafe {
            self.save();
            let [exception, kind]: [Value; 2] = self.take(w.b());
            let result = group_match(self.vm, &exception, &kind, self.frame);
            drop((exception, kind));
            let Ok((rest, matched)) = result else { return self.unwind() };
            // What the `split` of a subclass gave back may be anything.
            if matched.downcast::<BaseException>().is_some() {
                let item = &*self.interp.handled.get();
                let old = item.exception.replace(matched.clone().into_word());
                self.vm.set_handled(matched.word());
                release(old);
            }
            self.put(w.a(), rest.into_word());
            self.put(w.a() + 1, matched.into_word());
            self.advance(1)
        }
    }

    /// Calls `exit(type, exception, traceback)`.
    #[inline(never)]
    pub unsafe fn with_except_start(&mut self, w: Fetched) -> Flow {
        // SAFETY: five live words, which stay.
        unsafe {
            self.save();
            let (exit, this, exception) = (self.get(w.b()), self.get(w.b() + 1), self.get(w.b() + 4));
            let exception = view(&exception).clone();
            if exception.downcast::<BaseException>().is_none() {
                let _ = self.vm.system_error("bytecode expects an exception");
                return self.unwind();
            }
            let traceback = exceptions::traceback(&exception);
            let class = exception.ty().to_value();
            let has_self = this != 0;
            let this = if has_self { view(&this).clone() } else { Value::NONE };
            let args = [this, class, exception, traceback];
            let result = self.vm.call(view(&exit), &args[usize::from(!has_self)..], None);
            drop(args);
            self.finish(w, word_of(result), 1)
        }
    }
}

/// Splits an exception by the types of an `except*` clause: (rest, match).
unsafe fn group_match(
    vm: &Vm,
    exception: &Value,
    kind: &Value,
    frame: *mut crate::frame::Frame,
) -> Result<(Value, Value)> {
    check_catchable(vm, kind)?;
    let kinds: Vec<Value> = match kind.downcast::<Tuple>() {
        Some(kinds) => kinds.as_slice().to_vec(),
        None => vec![kind.clone()],
    };
    let is_group =
        |kind: &Value| kind.downcast::<Type>().is_some_and(|class| class.is_subtype(BASE_EXCEPTION_GROUP.ty()));
    if kinds.iter().any(is_group) {
        return Err(vm.type_error("catching ExceptionGroup with except* is not allowed. Use except instead."));
    }
    if exception.is_none() {
        return Ok((Value::NONE, Value::NONE));
    }
    if matches(exception, kind) {
        if exception.ty().is_subtype(BASE_EXCEPTION_GROUP.ty()) {
            return Ok((Value::NONE, exception.clone()));
        }
        // BaseExceptionGroup makes an ExceptionGroup of exceptions that allow it.
        let list = List::from_vec(vec![exception.clone()]).into_value();
        let wrapped = vm.instantiate(BASE_EXCEPTION_GROUP.ty(), &[Value::from(""), list])?;
        // SAFETY: the frame is current.
        let traceback = unsafe { crate::traceback::new_here(vm, frame, Value::NONE) };
        exceptions::set_traceback(&wrapped, traceback);
        return Ok((Value::NONE, wrapped));
    }
    if exception.ty().is_subtype(BASE_EXCEPTION_GROUP.ty()) {
        let pair = vm.call_method(exception, "split", std::slice::from_ref(kind))?;
        let class = exception.ty().name();
        let Some(parts) = pair.downcast::<Tuple>().map(Tuple::as_slice) else {
            let got = pair.ty().name();
            return Err(vm.type_error(format!("{class}.split must return a tuple, not {got}")));
        };
        let [matched, rest, ..] = parts else {
            let size = parts.len();
            return Err(vm.type_error(format!("{class}.split must return a 2-tuple, got tuple of size {size}")));
        };
        return Ok((rest.clone(), matched.clone()));
    }
    Ok((exception.clone(), Value::NONE))
}
