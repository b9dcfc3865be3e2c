//! The interpreter beside others: what a thread does while other threads run Python code too.
//!
//! The loop is the same as ever. Before each instruction [`admit`] decides whether what it is going to do is sound in the
//! shared state (`vm/world.rs`); if it is not, the thread becomes alone, executes it, and goes on alone for a while: longer
//! when it has had to do so again and again.
//!
//! What other threads may do to an object at the same time is told by its owner and two flags ([`Access`]):
//!
//! * *Mine*: made by this thread and touched by no other so far. It is used as with the GIL.
//! * *Read*: of nobody, or touched by several threads. Everybody reads it without a lock; who writes to it is alone.
//! * *Locked*: of several threads that write to it. Whoever reads or writes it holds its lock (`cell.rs`).
//! * *Foreign*: another thread's that no other has touched so far. Whoever touches it first is alone then, and says so.
//!
//! From one of these to another an object goes only where no other thread runs. Objects that do not change (numbers, strings,
//! tuples, code, functions, classes: whoever changes a class is alone) may be used by all. All other types are touched only
//! by threads that are alone, unless the object is mine. `audit.rs` says which native functions may be called.
//!
//! Instructions are written by threads that are alone, but for the opcode: quick forms are written beside others, too
//! (`write_op`). So a handler may meet any form of its instruction, and those of quick forms test what they are for. Where it
//! is something else, the thread goes on by [`Machine::step_beside`] or [`Machine::again_alone`].
//!
//! An instruction lends (`LENDS`) from what is mine or read: nobody writes to that before the thread is at a safepoint or
//! becomes alone. If it has to become alone between the two instructions, it takes a reference first ([`Lent`]). One that
//! finds an object that is locked takes the references it needs from then on.

mod attribute;
mod audit;
mod class;

use std::arch::x86_64::_rdtsc;
use std::sync::atomic::{
    AtomicU64,
    Ordering::{Acquire, Release},
};

use taipan_object::builtins::cell::{CELL, Cell};
use taipan_object::builtins::dict::{DICT, Dict, Probe};
use taipan_object::builtins::float::FLOAT;
use taipan_object::builtins::int::{INT, hash_i64};
use taipan_object::builtins::iterator::CALLABLE_ITERATOR;
use taipan_object::builtins::list::{LIST, List};
use taipan_object::builtins::method::{BoundMethod, METHOD};
use taipan_object::builtins::object::{OBJECT, is_object_new};
use taipan_object::builtins::tuple::{TUPLE, Tuple};
use taipan_object::builtins::{bytes::BYTES, range::RANGE, set::FROZENSET, set::SET, slice::SLICE, str::STR, str::Str};
use taipan_object::count;
use taipan_object::header::{Header, sharing_flags};
use taipan_object::native::descriptors::{METHOD_DESCRIPTOR, MethodDescriptor};
use taipan_object::native::function::{BUILTIN_FUNCTION, BuiltinFunction, Definition};
use taipan_object::types::{TYPE, Type, beside, type_flags};
use taipan_object::vm::world;
use taipan_object::{Value, Vm};

use super::{Flow, Machine, WAYS_OUT, run_shared, variant, view};
use crate::frame::{FRAME_SWITCH, Frame, Interp, is_pointer, release, retain};
use crate::function::{FUNCTION, Function};
use crate::generator::{GENERATOR, Generator};
use crate::instruction::{A_LOCAL, B_OWNED, C_OWNED, Fetched, LENDS, LENT, Op};

pub use audit::{prepare, runs_beside};
pub(super) use class::{Class, class};

/// What becomes of an instruction.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Verdict {
    /// It is executed as ever.
    Go,
    /// The thread has to be alone.
    Alone,
    /// It has been executed.
    Done,
    /// It must not lend any more, and is then looked at again.
    Own,
}

use Verdict::{Alone, Done, Go, Own};

/// What the loop does next.
pub(super) enum Next {
    Execute,
    /// The next instruction lies so many words ahead.
    Skip(usize),
    /// There are no other threads any more: it goes on in the other loop.
    Leave,
}

/// Who may do what to an object at the moment.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Access {
    Mine,
    Read,
    Locked,
    Foreign,
}

/// How a thread alternates between being alone and not.
#[derive(Default)]
pub struct Alternation {
    /// How many instructions it is still to be alone; those that touch nothing do not count.
    left: std::cell::Cell<u32>,
    /// How many it was to be the last time.
    stretch: std::cell::Cell<u32>,
    /// The processor's clock when it was alone last.
    since: std::cell::Cell<u64>,
    /// An object that the instruction touches for which the thread has to be alone, and whether it writes to it.
    touched: std::cell::Cell<(u64, bool)>,
    /// The last reference to an operand that was lent when the thread became alone, for as long as it is; 0 if there is none.
    kept: std::cell::Cell<u64>,
    /// The loop is left, for the frame that runs to go on in the other one.
    pub(super) switching: std::cell::Cell<bool>,
}

/// A stretch of being alone is at most this long, in instructions.
const LONGEST_STRETCH: u32 = 1 << 15;
/// Who has not been alone for this long, in ticks of the processor's clock, needs it rarely.
const RARELY: u64 = 100_000;

/// Runs `entry` beside other threads. In the end the thread is alone if it is now, and not if it is not: native code that may
/// run beside others is to do so, however long the code that it calls has to be alone.
///
/// # Safety
/// As of `run`.
#[inline(never)]
pub(super) unsafe fn run_beside(vm: &Vm, interp: &Interp, entry: *mut Frame) -> u64 {
    let was_alone = !count::is_shared();
    // SAFETY: by contract.
    let result = unsafe { run_shared(vm, interp, entry) };
    match (was_alone, count::is_shared()) {
        (true, false) => interp.alternation.release_kept(),
        (true, true) => {
            interp.alternation.had_to_be_alone();
            vm.become_alone();
        }
        (false, true) => {}
        (false, false) => {
            interp.alternation.release_kept();
            if world::is_parallel() {
                interp.alternation.share(vm);
            }
        }
    }
    result
}

impl Alternation {
    /// Decides how long the thread is to be alone now.
    fn had_to_be_alone(&self) {
        // SAFETY: every x86-64 processor has the instruction.
        let ran = unsafe { _rdtsc() }.wrapping_sub(self.since.get());
        let stretch = self.stretch.get();
        let stretch = if ran < RARELY { (stretch * 2).clamp(1, LONGEST_STRETCH) } else { stretch / 16 };
        self.stretch.set(stretch);
        // The instruction for which it has to be alone is looked at once more.
        self.left.set(stretch + 1);
    }

    /// Lets other threads run beside this one.
    fn share(&self, vm: &Vm) {
        vm.become_shared();
        // SAFETY: every x86-64 processor has the instruction.
        self.since.set(unsafe { _rdtsc() });
    }

    /// Ends the reference that was kept for the instruction at which the thread became alone: that one is over.
    fn release_kept(&self) {
        // SAFETY: the reference is taken out.
        unsafe { release(self.kept.take()) };
    }

    /// The thread gives way to others soon.
    pub fn end_soon(&self) {
        self.left.set(0);
    }
}

/// Before each instruction of class `CLASS`, which is a [`Class`].
///
/// # Safety
/// The machine is at the instruction `w`.
#[inline(always)]
pub(super) unsafe fn before<const CLASS: u8>(m: &Machine, w: Fetched) -> Next {
    // SAFETY: by contract.
    unsafe {
        if has_no_objects::<CLASS>(m, w) {
            return Next::Execute;
        }
        if count::is_shared() {
            if matches!(Class::ALL[CLASS as usize], Class::Attribute | Class::Slot) {
                m.claim_what_changes(w);
            }
            if is_simple::<CLASS>(m, w) { Next::Execute } else { look_at(*m, w) }
        } else {
            let left = &m.interp.alternation.left;
            match left.get() {
                0 => become_shared(*m),
                instructions => {
                    if takes_long::<CLASS>(m, w) && instructions <= m.interp.alternation.stretch.get() {
                        return become_shared(*m);
                    }
                    left.set(instructions - 1);
                    Next::Execute
                }
            }
        }
    }
}

/// Whether an instruction, which the thread could execute alone, calls native code that runs long and may do so beside others. An
/// instruction for which it has just become alone is executed whatever it is.
///
/// # Safety
/// As of [`before`].
#[inline(always)]
unsafe fn takes_long<const CLASS: u8>(m: &Machine, w: Fetched) -> bool {
    // SAFETY: operands are live.
    unsafe {
        let with_self = match Class::ALL[CLASS as usize] {
            Class::Call => !variant(w),
            Class::NativeCall => false,
            _ => return false,
        };
        let callable = m.get(w.b());
        is_pointer(callable)
            && !header(callable).ty().is(&FUNCTION)
            && audit::is_long_call(m, m.regs.add(w.b() as usize), w.c() as usize, with_self)
    }
}

#[inline(never)]
unsafe fn look_at(m: Machine, w: Fetched) -> Next {
    // SAFETY: as of [`before`]; register code holds only opcodes that lowering wrote.
    unsafe {
        match admit(m, w) {
            Go => Next::Execute,
            // Nobody writes instructions meanwhile.
            Done => Next::Skip(std::mem::transmute::<u8, Op>(w.op()).len()),
            Alone => {
                become_alone(m);
                // Others have run, and may have written another instruction in this one's place.
                Next::Skip(0)
            }
            Own => {
                let mut m = m;
                m.stop_lending();
                Next::Skip(0)
            }
        }
    }
}

/// Whether an instruction touches nothing that any other thread could.
///
/// # Safety
/// As of [`before`].
#[inline(always)]
unsafe fn has_no_objects<const CLASS: u8>(m: &Machine, w: Fetched) -> bool {
    // SAFETY: operands are live.
    unsafe {
        match Class::ALL[CLASS as usize] {
            Class::Harmless => true,
            Class::Binary => !is_pointer(m.get(w.b())) && !is_pointer(m.get(w.c())),
            Class::BinaryK => !is_pointer(m.get(w.b())) && !is_pointer(m.constant(w.c() as u32)),
            Class::Truth => !is_pointer(m.get(w.b())),
            Class::Bound => m.get(w.b()) != 0,
            _ => false,
        }
    }
}

/// Whether it is seen at once that an instruction is sound: what [`admit`] would say of the commonest ones, and no more.
///
/// # Safety
/// As of [`before`].
#[inline(always)]
unsafe fn is_simple<const CLASS: u8>(m: &Machine, w: Fetched) -> bool {
    // SAFETY: operands are live; caches are those of their instruction.
    unsafe {
        match Class::ALL[CLASS as usize] {
            Class::Safepoint => is_undisturbed(m),
            Class::Return => !crate::monitoring::watching() && (*m.frame).flags & FRAME_SWITCH == 0,
            Class::Call => {
                let callable = m.get(w.b());
                is_pointer(callable) && is_undisturbed(m) && {
                    if header(callable).ty().is(&FUNCTION) {
                        Machine::is_lowered(callable)
                    } else {
                        audit::is_plain_call(m.regs.add(w.b() as usize), w.c() as usize, !variant(w))
                    }
                }
            }
            Class::NativeCall => {
                is_pointer(m.get(w.b()))
                    && is_undisturbed(m)
                    && audit::is_plain_call(m.regs.add(w.b() as usize), w.c() as usize, false)
            }
            Class::StoreItem => is_plain_store(m.get(w.b()), m.get(w.c())),
            Class::StoreItemK => is_plain_store(m.get(w.b()), m.constant(w.c() as u32)),
            Class::Contains => contains_plainly(m.get(w.b()), m.get(w.c())),
            Class::ContainsK => contains_plainly(m.get(w.b()), m.constant(w.c() as u32)),
            Class::Global => {
                let function = (*m.frame).function();
                let (globals, builtins) = (&function.globals.header, &function.builtins.header);
                is_read_freely(globals)
                    && is_read_freely(builtins)
                    && super::names::cached_global(function, m.extra(1), m.extra(2)).is_some()
            }
            Class::ExactCall => !world::is_stopped(),
            Class::Length => {
                let object = m.get(w.b() + 2);
                !is_pointer(object) || is_constant_type(header(object).ty()) || is_known(header(object))
            }
            Class::AppendCall => {
                let list = m.get(w.b() + 1);
                is_pointer(list) && matches!(access(header(list)), Access::Mine | Access::Locked)
            }
            Class::ModuleGlobal => is_read_freely(&(*m.frame).function().globals.header),
            Class::Builtin => {
                let function = (*m.frame).function();
                is_read_freely(&function.globals.header) && is_read_freely(&function.builtins.header)
            }
            Class::Attribute | Class::Method => m.has_plain_attribute(w),
            Class::Slot => is_pointer(m.get(w.b())) && is_read_freely(header(m.get(w.b()))),
            Class::Namespace => m.has_plain_entry(w),
            Class::StoreSlot => is_pointer(m.get(w.b())) && is_mine(header(m.get(w.b()))),
            Class::Store => m.stores_plainly(w),
            Class::Item => is_plain_item(m.get(w.b()), m.get(w.c())),
            Class::ItemK => is_plain_item(m.get(w.b()), m.constant(w.c() as u32)),
            Class::Unpack => is_pointer(m.get(w.b())) && header(m.get(w.b())).ty().is(&TUPLE),
            Class::Append => is_pointer(m.get(peeked(w))) && is_mine(header(m.get(peeked(w)))),
            Class::NextKnown => is_pointer(m.get(w.b())) && is_known(header(m.get(w.b()))),
            Class::NextOwn => is_pointer(m.get(w.b())) && is_mine(header(m.get(w.b()))),
            Class::Binary => are_plain(m.get(w.b()), m.get(w.c())),
            Class::BinaryK => are_plain(m.get(w.b()), m.constant(w.c() as u32)),
            Class::Truth => {
                let ty = header(m.get(w.b())).ty();
                is_constant_type(ty) || is_container(ty) && is_known(header(m.get(w.b())))
            }
            Class::Text => !is_pointer(m.get(w.b())) || is_constant_type(header(m.get(w.b())).ty()),
            Class::Next => {
                let iterator = m.get(w.b());
                is_pointer(iterator) && !crate::monitoring::watching() && {
                    let object = header(iterator);
                    is_usable(object) || object.ty().is(&GENERATOR) && is_mine(object) && can_resume(iterator)
                }
            }
            Class::Deref => {
                let cell = &(*(m.get(w.b()) as *const Cell)).header;
                cell.ty().is(&CELL) && is_read_freely(cell) && m.cell_content(w.b()) != 0
            }
            Class::StoreDeref => {
                let cell = &(*(m.get(w.c()) as *const Cell)).header;
                cell.ty().is(&CELL) && is_mine(cell)
            }
            Class::Special => m.has_special(w),
            _ => false,
        }
    }
}

/// Whether nothing has to be looked after at a safepoint.
#[inline(always)]
fn is_undisturbed(m: &Machine) -> bool {
    !world::is_stopped() && !m.interp.eval_breaker() && !crate::monitoring::watching()
}

/// Whether the protocols of an object of a built-in type can be used.
#[inline(always)]
fn is_usable(object: &Header) -> bool {
    let ty = object.ty();
    ty.is_allowed_beside(beside::USE) || ty.is_allowed_beside(beside::USE_KNOWN) && access(object) != Access::Foreign
}

/// Whether an object is to be read without a lock.
#[inline(always)]
fn is_read_freely(object: &Header) -> bool {
    let sharing = object.sharing();
    if sharing & (sharing_flags::SHARED | sharing_flags::LOCKED) == 0 {
        object.is_owned_by(count::current_owner()) || !world::is_live(object.owner())
    } else {
        sharing & sharing_flags::LOCKED == 0
    }
}

/// Whether an object is not another thread's that no other has touched so far.
#[inline(always)]
fn is_known(object: &Header) -> bool {
    object.sharing() & (sharing_flags::SHARED | sharing_flags::LOCKED) != 0
        || object.is_owned_by(count::current_owner())
        || !world::is_live(object.owner())
}

#[cold]
#[inline(never)]
unsafe fn become_alone(m: Machine) {
    // SAFETY: the frame is current; finalisers use registers above it.
    let lent = unsafe {
        m.save();
        Lent::of(&m)
    };
    let alternation = &m.interp.alternation;
    let (object, writes) = alternation.touched.replace((0, false));
    alternation.had_to_be_alone();
    m.vm.become_alone();
    if object != 0 {
        // SAFETY: an operand of the instruction, or what keeps one alive.
        note(unsafe { &*(object as *const Header) }, writes);
    }
    if count::has_waiting() {
        count::settle();
    }
    if let Some(lent) = lent {
        // SAFETY: the machine is still there, and no other thread runs.
        unsafe { lent.give_back(&m) };
    }
}

/// An operand that the instruction before has lent, when the thread becomes alone: until then others may end it, so there is a
/// reference to it.
struct Lent {
    operand: u64,
    /// Where the instruction is.
    at: *const u64,
}

impl Lent {
    /// Takes a reference to the operand of the machine's instruction, if it is lent and has to be kept.
    ///
    /// # Safety
    /// The machine is between two instructions.
    unsafe fn of(m: &Machine) -> Option<Lent> {
        // SAFETY: by contract; operands are live.
        unsafe {
            let at = lent_to(m)?;
            let operand = m.get(Fetched::at(at).b());
            if !is_pointer(operand) {
                return None;
            }
            Some(Lent { operand: retain(operand), at })
        }
    }

    /// Ends that reference, now that the thread is alone, unless the instruction has come to own its operand meanwhile. The last
    /// one is kept until others run again.
    ///
    /// # Safety
    /// The machine is the one it was made for.
    unsafe fn give_back(self, m: &Machine) {
        // SAFETY: the reference is there.
        unsafe {
            let alternation = &m.interp.alternation;
            alternation.release_kept();
            if Fetched::at(self.at).flags() & LENT == 0 {
                return;
            }
            if count::refcount(header(self.operand)) > 1 {
                release(self.operand);
            } else {
                alternation.kept.set(self.operand);
            }
        }
    }
}

/// The instruction that the machine is at, if the one before has lent it its operand.
///
/// # Safety
/// The machine is between two instructions, not on a way out.
unsafe fn lent_to(m: &Machine) -> Option<*const u64> {
    use Op::*;
    // SAFETY: by contract; register code holds only opcodes that lowering wrote, and something follows a `Count`.
    unsafe {
        let counts = Fetched::at(m.pc).op() == Count as u8;
        let at = m.pc.add(usize::from(counts));
        let w = Fetched::at(at);
        let op = std::mem::transmute::<u8, Op>(w.op()).unquickened();
        let may_be = matches!(
            op,
            LoadAttr | LoadMethod | StoreAttr | StoreAttrK | Subscr | SubscrK | StoreSubscr | StoreSubscrK
        );
        (may_be && w.flags() & LENT != 0).then_some(at)
    }
}

#[cold]
#[inline(never)]
unsafe fn become_shared(m: Machine) -> Next {
    // SAFETY: as above.
    unsafe {
        // Where the frame was, is needed by what comes now. What is lent could end.
        if !m.goes_on() || lent_to(&m).is_some() {
            return Next::Execute;
        }
        m.save();
    }
    let alternation = &m.interp.alternation;
    alternation.release_kept();
    if count::has_waiting() {
        count::settle();
    }
    if !world::is_parallel() {
        return Next::Leave;
    }
    alternation.share(m.vm);
    Next::Skip(0)
}

/// After so many writes by threads that were alone for each, an object is locked instead.
const WRITES: u16 = 4;
/// Notes that a second thread touches an object. The thread is alone.
fn note(object: &Header, writes: bool) {
    let sharing = object.sharing();
    let writes = ((sharing & sharing_flags::WRITES) >> sharing_flags::WRITES_SHIFT) + u16::from(writes);
    let locked = if writes > WRITES { sharing_flags::LOCKED } else { 0 };
    let writes = writes.min(WRITES) << sharing_flags::WRITES_SHIFT;
    object.set_sharing(sharing_flags::WRITES, sharing_flags::SHARED | locked | writes);
}

#[inline(always)]
unsafe fn header<'a>(word: u64) -> &'a Header {
    // SAFETY: a live object's word.
    unsafe { &*(word as *const Header) }
}

/// Who may do what to a live object.
#[inline(always)]
fn access(object: &Header) -> Access {
    let sharing = object.sharing();
    if sharing & (sharing_flags::SHARED | sharing_flags::LOCKED) == 0 {
        if object.is_owned_by(count::current_owner()) {
            Access::Mine
        } else if world::is_live(object.owner()) {
            Access::Foreign
        } else {
            Access::Read
        }
    } else if sharing & sharing_flags::LOCKED != 0 {
        Access::Locked
    } else {
        Access::Read
    }
}

#[inline(always)]
fn is_mine(object: &Header) -> bool {
    world::is_mine(object)
}

/// Whether no other thread uses an object meanwhile.
pub(super) fn is_ours(object: &Header) -> bool {
    !count::is_shared() || is_mine(object)
}

/// The word at a place that others may write to at any time, if it needs no count: of no object, or of an immortal one.
///
/// # Safety
/// The place holds a value's word and does not go away meanwhile.
#[inline(always)]
unsafe fn read_uncounted(place: *const u64) -> Option<u64> {
    // SAFETY: by contract. An object that has just been freed is still a block of the heap, whose header can be read: pages
    // are given back only where no other thread runs. If the place has the same word afterwards, the object was alive.
    unsafe {
        let place = &*place.cast::<AtomicU64>();
        let word = place.load(Acquire);
        if !is_pointer(word) || header(word).is_immortal() && place.load(Acquire) == word { Some(word) } else { None }
    }
}

/// Writes a word to a place that others may be reading without its lock ([`read_uncounted`]); what was there before.
///
/// # Safety
/// The place holds a value's word, and nobody else writes to it.
#[inline(always)]
unsafe fn replace_word(place: *mut u64, word: u64) -> u64 {
    // SAFETY: by contract.
    unsafe {
        let old = *place;
        (*place.cast::<AtomicU64>()).store(word, Release);
        old
    }
}

/// Whether instances of a class have nothing but attributes.
#[inline]
fn is_plain(ty: &Type) -> bool {
    ty.is_heap_type() && std::ptr::fn_addr_eq(ty.dealloc, OBJECT.ty().dealloc)
}

/// Whether objects of a type never change, nor have any parts that could.
#[inline(always)]
fn is_constant_type(ty: &Type) -> bool {
    ty.is(&STR) || ty.is(&INT) || ty.is(&FLOAT)
}

/// Whether the operands of an operator or a comparison are numbers or strings.
#[inline(never)]
unsafe fn are_plain(b: u64, c: u64) -> bool {
    // SAFETY: live operands.
    unsafe {
        (!is_pointer(b) || is_constant_type(header(b).ty())) && (!is_pointer(c) || is_constant_type(header(c).ty()))
    }
}

/// Whether an item of a dict that is mine is written to, by a key that is a number or a string.
#[inline(never)]
unsafe fn is_plain_store(container: u64, key: u64) -> bool {
    // SAFETY: live operands.
    unsafe {
        is_pointer(container)
            && header(container).ty().is(&DICT)
            && is_mine(header(container))
            && (!is_pointer(key) || is_constant_type(header(key).ty()))
    }
}

/// Whether a number or a string is looked for in a built-in container.
#[inline(never)]
unsafe fn contains_plainly(item: u64, container: u64) -> bool {
    // SAFETY: live operands.
    unsafe {
        is_pointer(container) && (!is_pointer(item) || is_constant_type(header(item).ty())) && {
            let ty = header(container).ty();
            ty.is(&STR) || is_container(ty) && is_known(header(container))
        }
    }
}

/// Whether an item of a tuple is asked for by its index, or of a list that is read without a lock.
#[inline(always)]
unsafe fn is_plain_item(container: u64, key: u64) -> bool {
    // SAFETY: live operands.
    unsafe {
        is_pointer(container) && key & 1 != 0 && {
            let ty = header(container).ty();
            ty.is(&LIST) && is_read_freely(header(container)) || ty.is(&TUPLE)
        }
    }
}

/// So many items of a tuple, and of those in it, are looked at.
const FEW_ITEMS: u32 = 64;

/// Whether a value never changes, and neither does what it consists of.
#[inline]
unsafe fn is_constant(word: u64) -> bool {
    // SAFETY: a live value.
    unsafe { is_constant_within(word, &mut 0) }
}

unsafe fn is_constant_within(word: u64, seen: &mut u32) -> bool {
    // SAFETY: a live value.
    unsafe {
        if !is_pointer(word) {
            return true;
        }
        let ty = header(word).ty();
        if ty.is(&STR) || ty.is(&INT) || ty.is(&FLOAT) || ty.is(&BYTES) {
            return true;
        }
        if ty.is(&TUPLE) {
            return (*(word as *const Tuple)).as_slice().iter().all(|item| {
                *seen += 1;
                *seen <= FEW_ITEMS && is_constant_within(item.word(), seen)
            });
        }
        ty.is(&RANGE) || ty.is(&TYPE)
    }
}

/// Whether a value can be compared and hashed: it is constant, or an instance of a class, whose methods do it.
#[inline]
unsafe fn is_key(word: u64) -> bool {
    // SAFETY: a live value.
    unsafe {
        is_constant(word) || {
            let ty = header(word).ty();
            is_plain(ty) || ty.is(&FUNCTION)
        }
    }
}

/// Whether an object is a built-in container.
#[inline]
fn is_container(ty: &Type) -> bool {
    ty.is(&LIST) || ty.is(&DICT) || ty.is(&TUPLE) || ty.is(&SET) || ty.is(&FROZENSET)
}

impl Machine<'_> {
    /// The current frame goes on, at its `pc`, in the loop for threads beside others.
    #[cold]
    #[inline(never)]
    pub(super) fn switch_loops(&mut self) -> Flow {
        self.interp.alternation.switching.set(true);
        self.pc = &raw const WAYS_OUT[2];
        Flow::NEXT
    }

    /// Beside others, a quick form has met something that it is not for: the instruction is executed here, or again by the thread
    /// alone.
    #[cold]
    #[inline(never)]
    pub(super) unsafe fn step_beside(&mut self, w: Fetched) -> Flow {
        // SAFETY: the machine is at the instruction `w`, of which nothing has been done.
        unsafe {
            match look_at(*self, w) {
                Next::Skip(words) => self.advance(words),
                _ => self.again_alone(),
            }
        }
    }

    /// The thread becomes alone, and looks at the instruction again.
    #[cold]
    #[inline(never)]
    pub(super) unsafe fn again_alone(&mut self) -> Flow {
        // SAFETY: the machine is at an instruction of which nothing has been done.
        unsafe { become_alone(*self) };
        Flow::NEXT
    }

    /// The thread has to be alone to touch an object for the first time, or to write to one that others read.
    #[inline(never)]
    fn touches(&self, object: &Header, writes: bool) -> Verdict {
        self.interp.alternation.touched.set((object as *const Header as u64, writes));
        Alone
    }

    /// Whether an object may be read without a lock, or if its lock is held meanwhile.
    #[inline(always)]
    fn reads(&self, object: &Header) -> Verdict {
        if access(object) == Access::Foreign { self.touches(object, false) } else { Go }
    }

    /// Whether an object may be written to, by a function that holds its lock meanwhile.
    #[inline(always)]
    fn writes(&self, object: &Header) -> Verdict {
        match access(object) {
            Access::Mine | Access::Locked => Go,
            Access::Read | Access::Foreign => self.touches(object, true),
        }
    }

    /// Whether a dict may be written to by a function that holds its lock. Those with names that are cached by where they
    /// are do not get new ones while others look.
    #[inline(always)]
    unsafe fn writes_dict(&self, dict: &Dict) -> Verdict {
        // SAFETY: the version is one word.
        let is_cached = unsafe { (*dict.state.as_ptr()).current_keys_version() } != 0;
        if is_cached && !is_mine(&dict.header) { Alone } else { self.writes(&dict.header) }
    }

    #[inline(always)]
    unsafe fn b(&self, w: Fetched) -> u64 {
        // SAFETY: live operand.
        unsafe { self.get(w.b()) }
    }
}

/// Whether the thread is to look after others at this safepoint; it waits if another is alone.
#[inline(always)]
fn is_asked(m: &Machine) -> bool {
    if world::is_stopped() {
        // SAFETY: the frame is current. Who is alone may look where it is.
        unsafe { m.save() };
        m.vm.pause();
    }
    m.interp.eval_breaker() || crate::monitoring::watching()
}

fn go_if(condition: bool) -> Verdict {
    if condition { Go } else { Alone }
}

/// Decides about the instruction `w`, which is not among the harmless ones.
#[inline(never)]
unsafe fn admit(m: Machine, w: Fetched) -> Verdict {
    use Op::*;
    // SAFETY (whole function): operands are live, and register code holds only opcodes that lowering wrote.
    unsafe {
        // Another thread may have written another form of the instruction meanwhile; all do the same.
        let op = std::mem::transmute::<u8, Op>(w.op()).unquickened();
        match op {
            CheckBound => go_if(m.b(w) != 0),
            JumpBackward => go_if(!is_asked(&m)),
            Return | ReturnConst => go_if(!is_asked(&m) && (*m.frame).flags & FRAME_SWITCH == 0),

            Add | Subtract | Multiply | And | Or | Xor | FloorDivide | Remainder | Lshift | Rshift | TrueDivide
            | Power => arithmetic(m.b(w), m.get(w.c())),
            AddK | SubtractK | MultiplyK | AndK | OrK | XorK | FloorDivideK | RemainderK | LshiftK | RshiftK
            | TrueDivideK | PowerK => arithmetic(m.b(w), m.constant(w.c() as u32)),
            Negative | Positive | Invert => go_if(is_constant(m.b(w))),
            CompareLt | CompareLe | CompareEq | CompareNe | CompareGt | CompareGe | JumpIfLt | JumpIfLe | JumpIfEq
            | JumpIfNe | JumpIfGt | JumpIfGe => arithmetic(m.b(w), m.get(w.c())),
            CompareLtK | CompareLeK | CompareEqK | CompareNeK | CompareGtK | CompareGeK | JumpIfLtK | JumpIfLeK
            | JumpIfEqK | JumpIfNeK | JumpIfGtK | JumpIfGeK => arithmetic(m.b(w), m.constant(w.c() as u32)),
            Not | ToBool | JumpIf => m.truth_beside(m.b(w)),
            Contains | JumpIfContains => m.contains_in(m.b(w), m.get(w.c())),
            ContainsK | JumpIfContainsK => m.contains_in(m.b(w), m.constant(w.c() as u32)),

            LoadDeref => m.load_deref_beside(w),
            StoreDeref => m.store_deref_beside(w),
            LoadGlobal => m.load_global_beside(w),
            StoreGlobal => m.store_global_beside(w),
            LoadAttr => m.load_attr_beside(w),
            LoadMethod => m.load_method_beside(w),
            StoreAttr => m.store_attr_beside::<false>(w),
            StoreAttrK => m.store_attr_beside::<true>(w),

            Subscr => m.subscr_beside(w, m.get(w.c())),
            SubscrK => m.subscr_beside(w, m.constant(w.c() as u32)),
            StoreSubscr => m.store_subscr_beside(w, m.get(w.c())),
            StoreSubscrK => m.store_subscr_beside(w, m.constant(w.c() as u32)),
            DeleteSubscr => m.changes_item(m.b(w), m.get(w.c())),
            BinarySlice => {
                let container = header(m.b(w));
                go_if_all([
                    is_pointer(m.b(w)) && is_sequence(container.ty()),
                    is_constant(m.get(w.b() + 1)),
                    is_constant(m.get(w.b() + 2)),
                ])
                .and(|| m.reads(container))
            }

            BuildString => Go,
            BuildMap | BuildSet => {
                let step = if op == BuildMap { 2 } else { 1 };
                go_if((0..w.c()).all(|at| is_key(m.get(w.b() + at * step))))
            }
            FormatSimple | FormatWithSpec => go_if(is_number_or_text(m.b(w))),
            ConvertValue => go_if(is_number_or_text(m.b(w))),
            ListAppend => go_if(is_mine(header(m.get(peeked(w))))),
            SetAdd => go_if(is_mine(header(m.get(peeked(w)))) && is_key(m.get(w.c()))),
            MapAdd => go_if(is_mine(header(m.get(w.a()))) && is_key(m.b(w))),
            ListExtend | SetUpdate => {
                let source = m.get(w.c());
                go_if(
                    is_mine(header(m.get(peeked(w))))
                        && is_pointer(source)
                        && is_iterated_plainly(source, op == SetUpdate),
                )
                .and(|| m.reads(header(source)))
            }
            UnpackSequence | UnpackToLocals | UnpackToMany => {
                let source = m.b(w);
                if !is_pointer(source) {
                    return Alone;
                }
                let ty = header(source).ty();
                if ty.is(&TUPLE) { Go } else { go_if(ty.is(&LIST)).and(|| m.reads(header(source))) }
            }
            MakeFunction => Go,
            SetFunctionAttribute => Go,

            GetIter => m.iterates(m.b(w)),
            ForIter => m.for_iter_beside(w),
            GetLen => m.truth_beside(m.b(w)),
            Send => {
                let receiver = m.b(w);
                go_if(
                    is_pointer(receiver)
                        && header(receiver).ty().is(&GENERATOR)
                        && is_mine(header(receiver))
                        && can_resume(receiver),
                )
            }

            Call => m.call_beside(w),
            CallKw => m.call_kw_beside(w),
            LoadSpecial => {
                // The cache is written, and so is the class's list of what caches have, by who is alone.
                let object = m.b(w);
                go_if(
                    is_pointer(object)
                        && m.extra(1) != 0
                        && (!header(object).ty().is_heap_type() || is_plain(header(object).ty())),
                )
            }
            LoadSuperAttr => {
                go_if(is_pointer(m.get(w.b() + 2)) && is_plain(header(m.get(w.b() + 2)).ty()) && variant(w))
            }
            _ => Alone,
        }
    }
}

/// The register of the operand that stays, of an instruction without a destination.
#[inline(always)]
fn peeked(w: Fetched) -> u16 {
    w.b()
}

fn go_if_all<const N: usize>(conditions: [bool; N]) -> Verdict {
    go_if(conditions.into_iter().all(|condition| condition))
}

impl Verdict {
    /// The second one, unless the first one is another than to go.
    #[inline(always)]
    fn and(self, then: impl FnOnce() -> Verdict) -> Verdict {
        if self == Go { then() } else { self }
    }
}

/// Operators and comparisons: of constants, or by methods of classes.
#[inline(always)]
unsafe fn arithmetic(b: u64, c: u64) -> Verdict {
    // SAFETY: live operands.
    unsafe { go_if(!is_pointer(b) && !is_pointer(c) || is_operand(b) && is_operand(c)) }
}

#[inline]
unsafe fn is_operand(word: u64) -> bool {
    // SAFETY: a live operand.
    unsafe { is_constant(word) || is_plain(header(word).ty()) }
}

unsafe fn is_number_or_text(word: u64) -> bool {
    // SAFETY: a live operand.
    unsafe {
        !is_pointer(word) || {
            let ty = header(word).ty();
            ty.is(&STR) || ty.is(&INT) || ty.is(&FLOAT)
        }
    }
}

fn is_sequence(ty: &Type) -> bool {
    ty.is(&LIST) || ty.is(&TUPLE) || ty.is(&STR) || ty.is(&BYTES)
}

/// Whether to iterate over an object runs no Python code. `hashing`: nor does hashing its items.
unsafe fn is_iterated_plainly(word: u64, hashing: bool) -> bool {
    // SAFETY: a live object.
    unsafe {
        let ty = header(word).ty();
        if ty.is(&STR) || ty.is(&RANGE) || ty.is(&BYTES) {
            return true;
        }
        if hashing {
            return ty.is(&TUPLE) && is_constant(word) || ty.is(&LIST) && is_mine(header(word)) && are_constant(word);
        }
        ty.is(&LIST) || ty.is(&TUPLE) || ty.is(&DICT)
    }
}

/// Whether all items of a list, which is mine or only read, or of a tuple are constant.
unsafe fn are_constant(word: u64) -> bool {
    // SAFETY: a live object; nobody writes to it meanwhile.
    unsafe {
        let items = if header(word).ty().is(&LIST) {
            (*(*(word as *const List)).items.as_ptr()).as_slice()
        } else {
            (*(word as *const Tuple)).as_slice()
        };
        items.iter().all(|item| is_constant(item.word()))
    }
}

unsafe fn can_resume(word: u64) -> bool {
    // SAFETY: a live generator of this thread.
    unsafe { (*(word as *const Generator)).can_resume() }
}

impl Machine<'_> {
    /// The truth value or length of an object.
    #[inline]
    unsafe fn truth_beside(&self, word: u64) -> Verdict {
        // SAFETY: a live operand.
        unsafe {
            if !is_pointer(word) {
                return Go;
            }
            let object = header(word);
            let ty = object.ty();
            if is_container(ty) {
                return self.reads(object);
            }
            go_if(is_constant(word) || is_plain(ty) || ty.is_allowed_beside(beside::USE))
        }
    }

    unsafe fn contains_in(&self, item: u64, container: u64) -> Verdict {
        // SAFETY: live operands.
        unsafe {
            if !is_pointer(container) || !is_key(item) {
                return Alone;
            }
            let object = header(container);
            let ty = object.ty();
            if is_container(ty) {
                return self.reads(object);
            }
            go_if(ty.is(&STR) || ty.is(&RANGE) || ty.is(&BYTES) || is_plain(ty))
        }
    }

    unsafe fn load_deref_beside(&self, w: Fetched) -> Verdict {
        // SAFETY: the local is a cell.
        unsafe {
            let cell = &*(self.b(w) as *const Cell);
            if !cell.header.ty().is(&CELL) {
                return Alone;
            }
            match access(&cell.header) {
                Access::Mine | Access::Read => go_if(self.cell_content(w.b()) != 0),
                Access::Foreign => self.touches(&cell.header, false),
                Access::Locked => match cell.get() {
                    Some(value) => self.put_result(w, value.into_word()),
                    None => Alone,
                },
            }
        }
    }

    unsafe fn store_deref_beside(&self, w: Fetched) -> Verdict {
        // SAFETY: the local is a cell.
        unsafe {
            let cell = &*(self.get(w.c()) as *const Cell);
            if !cell.header.ty().is(&CELL) {
                return Alone;
            }
            match access(&cell.header) {
                Access::Mine => Go,
                Access::Locked => {
                    self.save();
                    cell.set(Some(Value::from_word(self.take_b(w))));
                    Done
                }
                _ => self.touches(&cell.header, true),
            }
        }
    }

    /// Ends an instruction that is executed here: writes the owned word `result` to its destination.
    #[inline(always)]
    unsafe fn put_result(&self, w: Fetched, result: u64) -> Verdict {
        // SAFETY: as of `set`.
        unsafe {
            let mut copy = *self;
            copy.set(w, result);
        }
        Done
    }

    unsafe fn load_global_beside(&self, w: Fetched) -> Verdict {
        // SAFETY: the frame's function and its dicts are alive.
        unsafe {
            let function = (*self.frame).function();
            let (globals, builtins) = (&function.globals, &function.builtins);
            let (first, second) = (self.extra(1), self.extra(2));
            let (to_globals, to_builtins) = (access(&globals.header), access(&builtins.header));
            if to_globals == Access::Foreign {
                return self.touches(&globals.header, false);
            }
            if to_builtins == Access::Foreign {
                return self.touches(&builtins.header, false);
            }
            if super::names::cached_global(function, first, second).is_none() {
                return Alone;
            }
            if to_globals != Access::Locked && to_builtins != Access::Locked {
                return Go;
            }
            // Entries of such dicts stay where they are, but others may replace the value.
            let place = super::names::cached_place(second);
            let word = match read_uncounted(place) {
                Some(word) => word,
                None if w.flags() & LENDS != 0 => return Own,
                None => {
                    let dict = if super::names::is_in_globals(first) { globals } else { builtins };
                    let _table = dict.state.borrow(&dict.header);
                    retain(*place)
                }
            };
            self.put_result(w, word)
        }
    }

    unsafe fn store_global_beside(&self, w: Fetched) -> Verdict {
        // SAFETY: a live operand.
        unsafe {
            let globals = &(*self.frame).function().globals;
            if !globals.header.ty().is(&DICT) || access(&globals.header) != Access::Locked {
                return self.touches(&globals.header, true);
            }
            let name = (*(*self.frame).code).name_at(w.c() as usize);
            let mut table = globals.state.borrow(&globals.header);
            let Some(at) = table.find_str(name) else { return Alone };
            let old = table.entries[at].replace_value(Value::from_word(self.take_b(w)));
            drop(table);
            self.save();
            drop(old);
            Done
        }
    }

    unsafe fn subscr_beside(&self, w: Fetched, key: u64) -> Verdict {
        // SAFETY: live operands.
        unsafe {
            let container = self.b(w);
            if !is_pointer(container) {
                return Alone;
            }
            let object = header(container);
            let ty = object.ty();
            if ty.is(&LIST) {
                match access(object) {
                    Access::Mine | Access::Read => return go_if(is_constant(key) || is_slice(key)),
                    Access::Foreign => return self.touches(object, false),
                    Access::Locked if key & 1 == 0 => return go_if(is_slice(key)),
                    Access::Locked if w.flags() & LENDS != 0 => return Own,
                    Access::Locked => {}
                }
                let Some(item) = (*(container as *const List)).get_item_i64(key as i64 >> 1) else { return Alone };
                self.save();
                if w.flags() & B_OWNED != 0 {
                    release(container);
                }
                return self.put_result(w, item.into_word());
            }
            if ty.is(&DICT) {
                return match access(object) {
                    Access::Foreign => self.touches(object, false),
                    _ if w.flags() & LENDS != 0 => Own,
                    Access::Mine | Access::Read if let Some(value) = find_now(&*(container as *const Dict), key) => {
                        let value = retain(value);
                        self.save();
                        if op_takes_c(w) {
                            release(key);
                        }
                        if w.flags() & B_OWNED != 0 {
                            release(container);
                        }
                        self.put_result(w, value)
                    }
                    _ => go_if(is_key(key)),
                };
            }
            if is_plain(ty) {
                return Go;
            }
            go_if(
                (ty.is(&TUPLE) || ty.is(&STR) || ty.is(&BYTES) || ty.is(&RANGE)) && (is_constant(key) || is_slice(key)),
            )
        }
    }

    unsafe fn store_subscr_beside(&self, w: Fetched, key: u64) -> Verdict {
        // SAFETY: live operands.
        unsafe {
            let container = self.b(w);
            if is_pointer(container) && header(container).ty().is(&LIST) {
                let object = header(container);
                if key & 1 == 0 {
                    return Alone;
                }
                // One's own, too: native functions read lists under their locks only.
                if !matches!(access(object), Access::Mine | Access::Locked) {
                    return self.touches(object, true);
                }
                let value = self.get(w.a());
                let list = &*(container as *const List);
                self.save();
                if !list.set_item_i64(key as i64 >> 1, view(&value).clone()) {
                    return Alone;
                }
                if w.flags() & A_LOCAL != 0 {
                    release(value);
                }
                if w.flags() & B_OWNED != 0 {
                    release(container);
                }
                return Done;
            }
            self.changes_item(container, key)
        }
    }

    /// Assignment to an item of a dict or of an instance of a class, or its deletion.
    unsafe fn changes_item(&self, container: u64, key: u64) -> Verdict {
        // SAFETY: live operands.
        unsafe {
            if !is_pointer(container) {
                return Alone;
            }
            let object = header(container);
            if object.ty().is(&DICT) {
                return go_if(is_key(key)).and(|| self.writes_dict(&*(container as *const Dict)));
            }
            if object.ty().is(&LIST) && key & 1 != 0 {
                return self.writes(object);
            }
            go_if(is_plain(object.ty()))
        }
    }

    unsafe fn iterates(&self, word: u64) -> Verdict {
        // SAFETY: a live operand.
        unsafe {
            if !is_pointer(word) {
                return Alone;
            }
            let object = header(word);
            let ty = object.ty();
            if is_container(ty) || audit::is_view(ty) {
                return self.reads(object);
            }
            go_if(
                ty.is(&STR)
                    || ty.is(&RANGE)
                    || ty.is(&BYTES)
                    || ty.is(&GENERATOR)
                    || audit::is_iterator(ty)
                    || ty.is(&CALLABLE_ITERATOR)
                    || is_plain(ty),
            )
        }
    }

    unsafe fn for_iter_beside(&self, w: Fetched) -> Verdict {
        // SAFETY: a live operand.
        unsafe {
            let iterator = self.b(w);
            if !is_pointer(iterator) || crate::monitoring::watching() {
                return Alone;
            }
            let object = header(iterator);
            let ty = object.ty();
            if ty.is(&GENERATOR) {
                return go_if(is_mine(object) && can_resume(iterator));
            }
            if ty.is_allowed_beside(beside::USE_KNOWN) {
                return self.reads(object);
            }
            go_if(if ty.is_heap_type() { is_plain(ty) } else { ty.is_allowed_beside(beside::USE) })
        }
    }

    /// Whether a function's code can be entered.
    unsafe fn is_lowered(word: u64) -> bool {
        // SAFETY: a live function.
        let code = unsafe { (*(word as *const Function)).code() };
        !code.entry.get().is_null()
    }

    unsafe fn call_beside(&self, w: Fetched) -> Verdict {
        // SAFETY: the operands lie from `b` on.
        unsafe {
            if is_asked(self) {
                return Alone;
            }
            let base = self.regs.add(w.b() as usize);
            let has_self = !variant(w) && *base.add(1) != 0;
            let first = base.add(2 - has_self as usize);
            let args = std::slice::from_raw_parts(first, w.c() as usize + has_self as usize);
            self.calls(*base, args)
        }
    }

    unsafe fn calls(&self, callable: u64, args: &[u64]) -> Verdict {
        // SAFETY: live operands.
        unsafe {
            if !is_pointer(callable) {
                return Alone;
            }
            let ty = header(callable).ty();
            if ty.is(&FUNCTION) {
                return go_if(Self::is_lowered(callable));
            }
            if ty.is(&METHOD) {
                let function = (*(callable as *const BoundMethod)).function.word();
                return go_if(
                    is_pointer(function) && header(function).ty().is(&FUNCTION) && Self::is_lowered(function),
                );
            }
            if ty.is(&METHOD_DESCRIPTOR) {
                let descriptor = &*(callable as *const MethodDescriptor);
                return match args.split_first() {
                    Some((this, args)) if audit::is_called_on(descriptor, *this) => {
                        self.calls_native(descriptor.def, *this, args)
                    }
                    _ => Alone,
                };
            }
            if ty.is(&BUILTIN_FUNCTION) {
                let function = &*(callable as *const BuiltinFunction);
                return match function.def {
                    Definition::Method(def) => self.calls_native(def, function.this.word(), args),
                    Definition::New => Alone,
                };
            }
            if ty.is(&TYPE) {
                return self.instantiates(&*(callable as *const Type), args);
            }
            go_if(ty.has_flags(type_flags::CALLED_BESIDE) && args.iter().all(|arg| is_constant(*arg)))
        }
    }

    /// Whether a call would be executed beside others.
    unsafe fn would_call(&self, callable: u64, args: &[u64]) -> bool {
        // SAFETY: live operands.
        let verdict = unsafe { self.calls(callable, args) };
        // What the call would touch first is only asked for.
        self.interp.alternation.touched.set((0, false));
        verdict == Go && !self.interp.eval_breaker() && !crate::monitoring::watching()
    }

    unsafe fn instantiates(&self, class: &Type, args: &[u64]) -> Verdict {
        // SAFETY: live operands.
        unsafe {
            if !class.is_heap_type() {
                return audit::constructs(self, class, args);
            }
            if !is_plain(class) || class.is_settling() || !class.slots().new.is_some_and(is_object_new) {
                return Alone;
            }
            match super::call::python_constructor(class) {
                Some(init) => go_if(Self::is_lowered(init.word())),
                None => go_if(args.is_empty() && !class.has_flags(type_flags::IS_ABSTRACT)),
            }
        }
    }

    unsafe fn call_kw_beside(&self, w: Fetched) -> Verdict {
        // SAFETY: the operands lie from `b` on.
        unsafe {
            if is_asked(self) {
                return Alone;
            }
            let callable = self.b(w);
            if !is_pointer(callable) {
                return Alone;
            }
            let ty = header(callable).ty();
            if ty.is(&FUNCTION) {
                return go_if(Self::is_lowered(callable));
            }
            if ty.is(&METHOD) {
                return self.calls(callable, &[]);
            }
            if ty.is(&TYPE) && (*(callable as *const Type)).is_heap_type() {
                let class = &*(callable as *const Type);
                return match super::call::python_constructor(class) {
                    Some(init) if is_plain(class) && !class.is_settling() => go_if(Self::is_lowered(init.word())),
                    _ => Alone,
                };
            }
            Alone
        }
    }
}

/// Whether the key of a subscription is the instruction's to release.
fn op_takes_c(w: Fetched) -> bool {
    w.op() == Op::Subscr as u8 && w.flags() & C_OWNED != 0
}

/// The value of a str or small int in a dict that nobody writes to now, borrowed, if it is found without comparing keys.
#[inline]
unsafe fn find_now(dict: &Dict, key: u64) -> Option<u64> {
    // SAFETY: a live key; nobody writes to the table meanwhile.
    unsafe {
        let key = view(&key);
        let hash = match (key.as_small_int(), key.downcast_exact::<Str>()) {
            (Some(n), _) => hash_i64(n),
            (_, Some(text)) => text.hash(),
            _ => return None,
        };
        let table = &*dict.state.as_ptr();
        match table.lookup(key, hash) {
            Probe::Found(at) => Some(table.entries[at].value.word()),
            _ => None,
        }
    }
}

unsafe fn is_slice(word: u64) -> bool {
    // SAFETY: a live operand.
    unsafe { is_pointer(word) && header(word).ty().is(&SLICE) }
}
