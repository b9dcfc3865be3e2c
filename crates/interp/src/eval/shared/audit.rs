//! Which native functions may be called, and which built-in types be used, while other threads run.
//!
//! A function is on the list if what it does to its operands goes through their cells (`cell.rs`), it keeps no state besides,
//! and what Python code it may run, it runs in a loop of its own, which decides for itself.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use taipan_object::Value;
use taipan_object::builtins::{
    bool::BOOL, bytes, cell, complex, dict, enumerate, float::FLOAT, int::INT, iterator, list, map_filter, method,
    range, reversed, set, singletons, slice, str, tuple, zip,
};
use taipan_object::count;
use taipan_object::header::{Header, sharing_flags};
use taipan_object::heap;
use taipan_object::native::descriptors::{METHOD_DESCRIPTOR, MethodDescriptor};
use taipan_object::native::function::BuiltinFunction;
use taipan_object::native::{Audited, MethodDef, descriptors, function, module};
use taipan_object::types::{TYPE, Type, TypeSpec, beside, type_flags};

use super::super::{Machine, view};
use super::{
    Access, Alone, Go, Verdict, access, are_constant, go_if, header, is_constant, is_constant_type, is_container,
    is_key, is_known, is_mine,
};
use crate::builtins_module;
use crate::code::{CODE, Code};
use crate::frame::is_pointer;
use crate::function::{FUNCTION, Function};
use crate::generator::GENERATOR;

/// Iterators whose next item is had without anything but the iterator and what it iterates over.
static ITERATORS: [&TypeSpec; 19] = [
    &list::iterator::LIST_ITERATOR,
    &list::iterator::LIST_REVERSE_ITERATOR,
    &tuple::iterator::TUPLE_ITERATOR,
    &range::iterator::RANGE_ITERATOR,
    &str::iterator::STR_ITERATOR,
    &str::iterator::STR_ASCII_ITERATOR,
    &bytes::iterator::BYTES_ITERATOR,
    &set::iterator::SET_ITERATOR,
    &dict::iterator::DICT_KEY_ITERATOR,
    &dict::iterator::DICT_VALUE_ITERATOR,
    &dict::iterator::DICT_ITEM_ITERATOR,
    &dict::iterator::DICT_REVERSE_KEY_ITERATOR,
    &dict::iterator::DICT_REVERSE_VALUE_ITERATOR,
    &dict::iterator::DICT_REVERSE_ITEM_ITERATOR,
    &enumerate::ENUMERATE,
    &zip::ZIP,
    &reversed::REVERSED,
    &map_filter::MAP,
    &map_filter::FILTER,
];

static VIEWS: [&TypeSpec; 3] = [&dict::views::DICT_KEYS, &dict::views::DICT_VALUES, &dict::views::DICT_ITEMS];

/// Other types whose protocols touch nothing but the object, in its cell.
static VALUES: [&TypeSpec; 18] = [
    &INT,
    &FLOAT,
    &complex::COMPLEX,
    &str::STR,
    &bytes::BYTES,
    &tuple::TUPLE,
    &list::LIST,
    &dict::DICT,
    &set::SET,
    &set::FROZENSET,
    &range::RANGE,
    &slice::SLICE,
    &cell::CELL,
    &method::METHOD,
    &iterator::SEQUENCE_ITERATOR,
    &iterator::CALLABLE_ITERATOR,
    &range::iterator::LONG_RANGE_ITERATOR,
    &FUNCTION,
];

/// Types whose instances may be destroyed, but not used, while other threads run.
static QUIET: [&TypeSpec; 2] = [&function::BUILTIN_FUNCTION, &descriptors::METHOD_WRAPPER];

/// Types whose instances are never destroyed.
static IMMEDIATE: [&TypeSpec; 5] =
    [&BOOL, &singletons::NONE_TYPE, &singletons::ELLIPSIS_TYPE, &singletons::NOT_IMPLEMENTED_TYPE, &TYPE];

/// There are, or were, several threads without the GIL.
static BEGUN: AtomicBool = AtomicBool::new(false);

/// Before the first thread is started, by the thread that does so, which is alone: what all threads use becomes immortal, so
/// that nobody counts references to it, and what built-in types make when it is first asked for is made.
pub fn prepare() {
    if BEGUN.swap(true, Relaxed) {
        return;
    }
    for spec in &ITERATORS {
        spec.ty().set_flags(type_flags::DIES_QUIETLY);
        spec.ty().allow_beside(beside::USE_KNOWN);
    }
    for spec in VIEWS.iter().chain(&VALUES) {
        spec.ty().set_flags(type_flags::DIES_QUIETLY);
        spec.ty().allow_beside(beside::USE);
    }
    for spec in QUIET {
        spec.ty().set_flags(type_flags::DIES_QUIETLY);
    }
    for spec in IMMEDIATE {
        spec.ty().allow_beside(beside::USE);
    }
    GENERATOR.ty().allow_beside(beside::USE_OWN);
    let mut types = Vec::new();
    heap::for_each_object(&mut |object| {
        // SAFETY: a live object; nothing else runs.
        let object = unsafe { object.cast::<Header>().as_ref() };
        if object.ty().is(&FUNCTION) && count::refcount(object) > 0 {
            // SAFETY: a function that is whole.
            let function = unsafe { &*std::ptr::from_ref(object).cast::<Function>() };
            for namespace in [&function.globals, &function.builtins] {
                namespace.header.set_sharing(sharing_flags::SHARED, sharing_flags::SHARED);
            }
        }
        if object.ty().is_subtype(TYPE.ty()) {
            types.push(std::ptr::from_ref(object));
        }
        if is_common(object.ty()) && count::refcount(object) > 0 {
            if object.ty().is(&CODE) {
                // SAFETY: a code object.
                unsafe { (*std::ptr::from_ref(object).cast::<Code>()).make_immortal() };
            } else {
                object.make_immortal();
            }
        }
    });
    for ty in types {
        // SAFETY: a type, immortal now.
        let ty = unsafe { &*ty.cast::<Type>() };
        if !ty.is_heap_type() {
            ty.dict();
        }
    }
}

/// Whether all threads use objects of a type: functions, classes and the like.
fn is_common(ty: &Type) -> bool {
    ty.is(&FUNCTION)
        || ty.is(&CODE)
        || ty.is(&module::MODULE)
        || ty.is(&function::BUILTIN_FUNCTION)
        || ty.is(&descriptors::METHOD_DESCRIPTOR)
        || ty.is(&taipan_object::builtins::staticmethod::STATICMETHOD)
        || ty.is(&taipan_object::builtins::staticmethod::CLASSMETHOD)
        || ty.is(&taipan_object::builtins::property::PROPERTY)
        || ty.is_subtype(TYPE.ty())
        || ty.has_flags(type_flags::FOR_ALL_THREADS)
}

fn is_one_of(ty: &Type, specs: &[&'static TypeSpec]) -> bool {
    specs.iter().any(|spec| ty.is(spec))
}

/// Whether it is one of the iterators of built-in types.
pub(super) fn is_iterator(ty: &Type) -> bool {
    is_one_of(ty, &ITERATORS)
}

pub(super) fn is_view(ty: &Type) -> bool {
    is_one_of(ty, &VIEWS)
}

/// The functions that may be called, by the type or module they belong to.
const FUNCTIONS: &[(&str, Audited, &str)] = &[
    (
        "str",
        Audited::Constant,
        "capitalize casefold center count endswith expandtabs find index isalnum isalpha isascii isdecimal isdigit \
         isidentifier islower isnumeric isprintable isspace istitle isupper ljust lower lstrip partition removeprefix \
         removesuffix replace rfind rindex rjust rpartition rsplit rstrip split splitlines startswith strip swapcase title \
         upper zfill format",
    ),
    ("str", Audited::Items, "join"),
    ("bytes", Audited::Constant, "count endswith find hex index lower replace rfind split startswith strip upper"),
    ("int", Audited::Constant, "bit_length bit_count to_bytes conjugate is_integer"),
    ("float", Audited::Constant, "is_integer hex as_integer_ratio conjugate"),
    ("tuple", Audited::Constant, "count index"),
    ("list", Audited::Writes, "append pop clear reverse insert"),
    ("list", Audited::Reads, "copy count index"),
    ("list", Audited::Sorts, "sort"),
    ("list", Audited::Takes, "extend"),
    ("dict", Audited::Reads, "get keys values items copy"),
    ("dict", Audited::WritesKey, "setdefault pop popitem clear"),
    ("set", Audited::WritesKey, "add discard remove pop clear"),
    ("set", Audited::Reads, "copy"),
    ("deque", Audited::Free, "append appendleft pop popleft clear"),
    ("builtins", Audited::Constant, "abs chr divmod hash hex oct bin ord pow round format"),
    ("builtins", Audited::Free, "isinstance id callable"),
    ("builtins", Audited::Sized, "len"),
    ("builtins", Audited::Items, "sum sorted any all min max"),
    ("builtins", Audited::Next, "next"),
    (
        "math",
        Audited::Constant,
        "acos asin atan atan2 ceil comb copysign cos degrees dist erf exp fabs factorial floor fmod frexp gamma gcd hypot \
         isclose isfinite isinf isnan isqrt lcm ldexp log log10 log1p log2 modf perm pow radians sin sinh sqrt tan tanh trunc",
    ),
    ("time", Audited::Constant, "perf_counter perf_counter_ns monotonic monotonic_ns time time_ns"),
    ("_thread", Audited::Free, "get_ident"),
    ("lock", Audited::Free, "acquire release locked __enter__ __exit__"),
    ("RLock", Audited::Free, "acquire release __enter__ __exit__"),
    ("SimpleQueue", Audited::Free, "put put_nowait get get_nowait empty qsize"),
    ("Random", Audited::Free, "random getrandbits"),
    ("Pattern", Audited::Long, "match search fullmatch findall finditer split"),
    ("SRE_Scanner", Audited::Free, "match search"),
    ("Match", Audited::Constant, "group groups start end span groupdict"),
];

/// Whether native code may call something beside other threads.
pub fn runs_beside(callable: &Value) -> bool {
    if callable.downcast_exact::<Function>().is_some() {
        return true;
    }
    match callable.downcast_exact::<BuiltinFunction>().map(|function| function.def) {
        Some(function::Definition::Method(def)) => audited(def) == Audited::Free,
        _ => false,
    }
}

/// What a function may do to its operands.
fn audited(def: &MethodDef) -> Audited {
    match def.audited() {
        Audited::Unknown => {
            let name = def.name();
            let owner = match &def.signature().owner {
                Some(owner) => owner,
                // Messages do not name the module of these.
                None if builtins_module::MODULE.functions.as_ptr_range().contains(&std::ptr::from_ref(def)) => {
                    "builtins"
                }
                None => "",
            };
            let rows =
                FUNCTIONS.iter().filter(|(of, _, names)| *of == owner && names.split(' ').any(|listed| listed == name));
            let answer = rows.map(|(_, audited, _)| *audited).next().unwrap_or(Audited::No);
            def.set_audited(answer);
            answer
        }
        known => known,
    }
}

/// Whether to look at an object's items runs no Python code and nobody changes them meanwhile, and whether they are constant.
unsafe fn has_constant_items(word: u64) -> bool {
    // SAFETY: a live object.
    unsafe {
        if is_constant(word) {
            return true;
        }
        let object = header(word);
        let ty = object.ty();
        if ty.is(&tuple::TUPLE) {
            return are_constant(word);
        }
        if ty.is(&list::LIST) {
            return matches!(access(object), Access::Mine | Access::Read) && are_constant(word);
        }
        (ty.is(&dict::views::DICT_KEYS) || ty.is(&dict::views::DICT_VALUES) || ty.is(&GENERATOR)) && is_mine(object)
            || ty.is(&dict::DICT) && is_mine(object)
            || ty.is(&set::SET) && is_mine(object)
    }
}

/// Whether a native function or method is called that may be, as [`Machine::calls_native`] says; of those calls what is seen at
/// once. The callable is at `base`, an object; a `self` may be behind it if `with_self`, and `count` arguments follow.
///
/// # Safety
/// Live operands.
#[inline(never)]
pub(super) unsafe fn is_plain_call(base: *const u64, count: usize, with_self: bool) -> bool {
    // SAFETY: by contract.
    unsafe {
        let has_self = with_self && *base.add(1) != 0;
        let args = std::slice::from_raw_parts(base.add(2 - has_self as usize), count + has_self as usize);
        let callable = header(*base);
        let (def, this, args) = if callable.ty().is(&METHOD_DESCRIPTOR) {
            let descriptor = &*(*base as *const MethodDescriptor);
            match args.split_first() {
                Some((this, args)) if is_called_on(descriptor, *this) => (descriptor.def, *this, args),
                _ => return false,
            }
        } else if callable.ty().is(&function::BUILTIN_FUNCTION) {
            let function = &*(*base as *const BuiltinFunction);
            match function.def {
                function::Definition::Method(def) => (def, function.this.word(), args),
                _ => return false,
            }
        } else {
            return false;
        };
        let are_plain = || args.iter().all(|arg| !is_pointer(*arg) || is_constant_type(header(*arg).ty()));
        match def.audited() {
            Audited::Free => true,
            Audited::Constant | Audited::Long => are_plain(),
            Audited::Reads => is_known(header(this)) && are_plain(),
            Audited::Writes => is_mine(header(this)),
            Audited::WritesKey => is_mine(header(this)) && are_plain(),
            _ => false,
        }
    }
}

/// Whether a method's object is an instance of the type that has it, or one of a class derived from that if the method is one
/// that may be called with whatever there is.
pub(super) unsafe fn is_called_on(descriptor: &MethodDescriptor, this: u64) -> bool {
    // SAFETY: a live operand.
    let ty = unsafe { view(&this).ty() };
    std::ptr::eq(ty, &*descriptor.owner) || audited(descriptor.def) == Audited::Free && ty.is_subtype(&descriptor.owner)
}

/// Whether a call is one of native code that may take long, or may run Python code again and again, and may do so beside other
/// threads. The operands are those of [`is_plain_call`].
///
/// # Safety
/// Live operands. The thread is alone.
#[inline(never)]
pub(super) unsafe fn is_long_call(m: &Machine, base: *const u64, count: usize, with_self: bool) -> bool {
    // SAFETY: by contract.
    unsafe {
        let has_self = with_self && *base.add(1) != 0;
        let args = std::slice::from_raw_parts(base.add(2 - has_self as usize), count + has_self as usize);
        let callable = header(*base);
        let ty = callable.ty();
        let def = if ty.is(&METHOD_DESCRIPTOR) {
            Some((*(*base as *const MethodDescriptor)).def)
        } else if ty.is(&function::BUILTIN_FUNCTION) {
            match (*(*base as *const BuiltinFunction)).def {
                function::Definition::Method(def) => Some(def),
                _ => return false,
            }
        } else {
            None
        };
        let is_long = match def {
            Some(def) => {
                matches!(audited(def), Audited::Items | Audited::Long | Audited::Sorts | Audited::Takes)
            }
            None if ty.is(&TYPE) => !args.is_empty() && makes_container(&*(*base as *const Type)),
            None => ty.has_flags(type_flags::CALLED_BESIDE),
        };
        is_long && m.would_call(*base, args)
    }
}

impl Machine<'_> {
    pub(super) unsafe fn calls_native(&self, def: &'static MethodDef, this: u64, args: &[u64]) -> Verdict {
        // SAFETY: live operands.
        unsafe {
            let all_constant = || args.iter().all(|arg| is_constant(*arg));
            match audited(def) {
                Audited::Free => Go,
                Audited::Sized => match args {
                    [object] => self.truth_beside(*object),
                    _ => Alone,
                },
                Audited::Constant | Audited::Long => go_if(all_constant()),
                Audited::Items => {
                    let [items, others @ ..] = args else { return Alone };
                    if is_pointer(*items)
                        && is_container(header(*items).ty())
                        && access(header(*items)) == Access::Foreign
                    {
                        return self.touches(header(*items), false);
                    }
                    go_if(has_constant_items(*items) && others.iter().all(|arg| is_constant(*arg)))
                }
                Audited::Reads => go_if(args.iter().all(|arg| is_key(*arg))).and(|| self.reads(header(this))),
                Audited::Writes => self.writes(header(this)),
                Audited::WritesKey => {
                    if args.first().is_some_and(|key| !is_key(*key)) {
                        return Alone;
                    }
                    if header(this).ty().is(&dict::DICT) {
                        return self.writes_dict(&*(this as *const dict::Dict));
                    }
                    self.writes(header(this))
                }
                Audited::Takes => match args {
                    [items] if is_pointer(*items) => {
                        let source = header(*items);
                        let ty = source.ty();
                        let is_plain = ty.is(&tuple::TUPLE) || ty.is(&range::RANGE) || ty.is(&str::STR);
                        go_if(is_plain || ty.is(&list::LIST) && is_mine(source)).and(|| self.writes(header(this)))
                    }
                    _ => Alone,
                },
                Audited::Sorts => go_if(args.is_empty() && is_mine(header(this)) && are_constant(this)),
                Audited::Next => match args {
                    [iterator] if is_pointer(*iterator) => {
                        let object = header(*iterator);
                        if is_iterator(object.ty()) {
                            return self.reads(object);
                        }
                        go_if(object.ty().is(&GENERATOR) && is_mine(object))
                    }
                    _ => Alone,
                },
                Audited::No | Audited::Unknown => Alone,
            }
        }
    }
}

/// Whether a call of a type takes the items of what it is called with.
fn makes_container(class: &Type) -> bool {
    class.is(&list::LIST) || class.is(&tuple::TUPLE) || class.is(&set::SET) || class.is(&set::FROZENSET)
}

/// A call of a built-in type.
pub(super) unsafe fn constructs(m: &Machine, class: &Type, args: &[u64]) -> Verdict {
    // SAFETY: live operands.
    unsafe {
        if class.is(&INT) || class.is(&FLOAT) || class.is(&BOOL) || class.is(&range::RANGE) {
            return go_if(args.iter().all(|arg| is_constant(*arg)));
        }
        if class.is(&str::STR) {
            // With more arguments it decodes, which may import.
            return go_if(args.len() <= 1 && args.iter().all(|arg| is_constant(*arg)));
        }
        let makes_iterator = class.is(&enumerate::ENUMERATE) || class.is(&zip::ZIP) || class.is(&reversed::REVERSED);
        if class.is(&dict::DICT) {
            return go_if(args.is_empty());
        }
        if !makes_container(class) && !makes_iterator {
            return Alone;
        }
        for arg in args {
            if !is_pointer(*arg) {
                continue;
            }
            let object = header(*arg);
            let ty = object.ty();
            if is_container(ty) || is_view(ty) {
                if access(object) == Access::Foreign {
                    return m.touches(object, false);
                }
                let hashes = class.is(&set::SET) || class.is(&set::FROZENSET);
                if hashes && !has_constant_items(*arg) {
                    return Alone;
                }
            } else if !(is_constant(*arg) || (is_iterator(ty) || ty.is(&GENERATOR)) && is_mine(object)) {
                return Alone;
            }
        }
        Go
    }
}
