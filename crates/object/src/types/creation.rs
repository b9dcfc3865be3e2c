//! `type.__new__`: making classes; keeping slots in step with dunder methods.

use crate::attributes;
use crate::builtins::dict::Dict;
use crate::builtins::staticmethod;
use crate::builtins::str::{Str, intern};
use crate::builtins::tuple::Tuple;
use crate::hash::Spread;
use crate::header::Header;
use crate::heap;
use crate::native::descriptors::SlotWrapper;
use crate::native::function::{BuiltinFunction, Definition};
use crate::native::member;
use crate::object::{Ref, Result, to_value};
use crate::types::slots::{SLOT_ROWS, SlotFn, SlotRow, Slots, is_sequence_alias};
use crate::types::{OBJECT, TYPE, Type, lookup, mro, slot_dispatch, type_flags};
use crate::value::Value;
use crate::vm::{Vm, names};
use std::collections::HashMap;
use std::hash::BuildHasherDefault;
use std::ptr::NonNull;
use std::sync::LazyLock;

/// `type.__new__(metatype, name, bases, namespace, **kwargs)`.
pub fn new(vm: &Vm, meta: &Value, args: &[Value], kwnames: Option<&Value>) -> Result {
    let positional = args.len() - kwnames.map_or(0, |names| vm.tuple_len(names));
    if positional != 3 {
        return Err(vm.type_error(format!("type.__new__() takes exactly 3 arguments ({positional} given)")));
    }
    let name = vm.expect_str_argument(&args[0], |got| format!("type.__new__() argument 1 must be str, not {got}"))?;
    let Some(bases) = args[1].downcast_ref::<Tuple>() else {
        return Err(
            vm.type_error(format!("type.__new__() argument 2 must be tuple, not {}", vm.argument_type(&args[1])))
        );
    };
    let Some(namespace) = args[2].downcast::<Dict>() else {
        return Err(
            vm.type_error(format!("type.__new__() argument 3 must be dict, not {}", vm.argument_type(&args[2])))
        );
    };
    let bases = if bases.as_slice().is_empty() { Tuple::from_array([OBJECT.value()]) } else { bases };
    for base in bases.as_slice() {
        if base.downcast::<Type>().is_none() && vm.get_attr_opt(base, &names().__mro_entries__)?.is_some() {
            return Err(vm.type_error("type() doesn't support MRO entry resolution; use types.new_class()".to_string()));
        }
    }
    let winner = calculate_metaclass(vm, meta, bases.as_slice())?;
    if !winner.is(meta)
        && let Some(new_of_winner) = winner.downcast::<Type>().and_then(|ty| ty.slots().new)
        && !std::ptr::fn_addr_eq(new_of_winner, new as crate::types::slots::Call)
    {
        return new_of_winner(vm, &winner, args, kwnames);
    }
    build(vm, &winner, name, bases, namespace, &args[3..], kwnames)
}

/// The most derived metaclass of `meta` and those of the bases.
pub fn calculate_metaclass(vm: &Vm, meta: &Value, bases: &[Value]) -> Result {
    let mut winner = meta.clone();
    for base in bases {
        let candidate = base.ty();
        let current = winner.downcast::<Type>().expect("metaclasses are types");
        if current.is_subtype(candidate) {
            continue;
        }
        if candidate.is_subtype(current) {
            winner = candidate.to_value();
            continue;
        }
        return Err(vm.type_error(
            "metaclass conflict: the metaclass of a derived class must be a (non-strict) subclass of the metaclasses of \
             all its bases",
        ));
    }
    Ok(winner)
}

/// The nearest base whose instances have a layout of their own.
fn solid_base(ty: &Type) -> &Type {
    match ty.base() {
        Some(base) => {
            let own_layout = ty.basicsize.get() != base.basicsize.get() || ty.itemsize.get() != base.itemsize.get();
            // The attributes of an exception class are fields of a C struct of its own in CPython.
            let own_fields =
                ty.has_flags(type_flags::BASE_EXC_SUBCLASS) && ty.spec.is_some_and(|spec| !spec.members.is_empty());
            if own_layout || own_fields { ty } else { solid_base(base) }
        }
        None => ty,
    }
}

/// The base whose layout the new class extends.
fn best_base<'a>(vm: &Vm, bases: &'a [Value]) -> Result<&'a Type> {
    let mut winner: Option<(&Type, &Type)> = None;
    for base in bases {
        let Some(base) = base.downcast::<Type>() else { return Err(vm.type_error("bases must be types")) };
        if !base.has_flags(type_flags::BASETYPE) {
            return Err(vm.type_error(format!("type '{}' is not an acceptable base type", base.full_name())));
        }
        let candidate = solid_base(base);
        match winner {
            None => winner = Some((base, candidate)),
            Some((_, solid)) if solid.is_subtype(candidate) => {}
            Some((_, solid)) if candidate.is_subtype(solid) => winner = Some((base, candidate)),
            Some(_) => return Err(vm.type_error("multiple bases have instance lay-out conflict")),
        }
    }
    Ok(winner.expect("there is at least one base").0)
}

fn build(
    vm: &Vm,
    meta: &Value,
    name: &Str,
    bases_tuple: Ref<Tuple>,
    namespace: &Dict,
    keywords: &[Value],
    kwnames: Option<&Value>,
) -> Result {
    let bases = bases_tuple.as_slice().to_vec();
    let base = best_base(vm, &bases)?;
    let meta_type = meta.downcast::<Type>().expect("metaclasses are types");
    reserve_link(vm, &bases)?;
    let dict = namespace.copy();
    let name_text = crate::codecs::to_utf8(vm, &to_value(name))?;
    if name_text.contains('\0') {
        return Err(vm.value_error("type name must not contain null characters"));
    }
    let class = Type::new_heap(meta_type, &name_text, base, bases_tuple, dict.clone());
    let class_value = class.as_value().clone();
    set_special_entries(vm, &class, &dict, &name_text)?;
    take_slots(vm, &class, &dict, &bases, base)?;
    set_classcell(vm, &class, &dict)?;
    if set_mro(vm, &class, meta_type, &bases)? {
        note_odd_names(vm, &class, &dict)?;
        inherit_collection_flag(&class, &bases);
    }
    let all_bases = class.bases().map(|bases| bases.as_slice().to_vec()).unwrap_or_default();
    link(&class, &all_bases);
    add_slot_descriptors(&class, &dict);
    dict.set_default_str(&names().__doc__, Value::NONE);
    // Who defines equality anew inherits no hash.
    if dict.get_str(&names().__eq__).is_some() {
        dict.set_default_str(&names().__hash__, Value::NONE);
    }
    inherit_slots(&class);
    set_names(vm, &class)?;
    init_subclass(vm, &class_value, keywords, kwnames)?;
    Ok(class_value)
}

/// Enters a class among the subclasses of its bases, unless it is there.
fn link(class: &Type, bases: &[Value]) {
    for base in bases.iter().filter_map(|base| base.downcast::<Type>()) {
        let mut subclasses = base.subclasses.borrow(&base.header);
        if !subclasses.contains(&NonNull::from(class)) {
            subclasses.push(NonNull::from(class));
        }
    }
}

/// Makes room for a further class among the subclasses of the bases.
fn reserve_link(vm: &Vm, bases: &[Value]) -> Result<()> {
    let mut bases = bases.iter().filter_map(|base| base.downcast::<Type>());
    let has_room = bases.all(|base| {
        let mut subclasses = base.subclasses.borrow(&base.header);
        heap::fallible(|| subclasses.try_reserve(1)).is_ok()
    });
    if has_room { Ok(()) } else { Err(vm.memory_error()) }
}

fn unlink(class: &Type, bases: &[Value]) {
    for base in bases.iter().filter_map(|base| base.downcast::<Type>()) {
        base.subclasses.borrow(&base.header).retain(|sub| *sub != NonNull::from(class));
    }
}

/// Warns of a namespace with keys that are no strings; the class, or one with such a class in its MRO, is marked.
fn note_odd_names(vm: &Vm, class: &Type, dict: &Dict) -> Result<()> {
    let inherited = class.mro().is_some_and(|mro| {
        mro.as_slice().iter().filter_map(|ty| ty.downcast::<Type>()).any(|ty| ty.has_flags(type_flags::ODD_NAMES))
    });
    let own = !dict.has_str_keys_only();
    if inherited || own {
        class.set_flags(type_flags::ODD_NAMES);
    }
    if own {
        let message = format!("non-string key in the __dict__ of class {}", class.name());
        vm.warn(&crate::exceptions::RUNTIME_WARNING.value(), &message, 1)?;
    }
    Ok(())
}

/// `__module__`, `__qualname__`, `__doc__`, and the functions that are implicitly static or class methods.
fn set_special_entries(vm: &Vm, class: &Type, dict: &Dict, _name: &str) -> Result<()> {
    if dict.get_str(&names().__module__).is_none()
        && let Some(globals) = vm.current_globals()
        && let Some(globals) = globals.downcast::<Dict>()
        && let Some(module) = globals.get_str(&names().__name__)
    {
        dict.set_str(&names().__module__, module);
    }
    if let Some(doc) = dict.get_str(&names().__doc__).filter(|doc| doc.downcast::<Str>().is_some()) {
        crate::codecs::to_utf8(vm, &doc)?;
    }
    if let Some(qualname) = dict.get_str(&names().__qualname__) {
        vm.expect_str(&qualname, |got| format!("type __qualname__ must be a str, not {got}"))?;
        drop(dict.remove_str(&names().__qualname__));
        *class.qualname.borrow(&class.header) = Some(qualname);
    } else {
        *class.qualname.borrow(&class.header) = Some(Value::from(class.name()));
    }
    let is_function = |value: &Value| crate::vm::hooks::HOOKS.get().is_some_and(|hooks| (hooks.is_function)(value));
    if let Some(new) = dict.get_str(&names().__new__)
        && is_function(&new)
    {
        dict.set_str(&names().__new__, staticmethod::new(new));
    }
    for name in [&names().__init_subclass__, &names().__class_getitem__] {
        if let Some(method) = dict.get_str(name)
            && is_function(&method)
        {
            dict.set_str(name, staticmethod::new_classmethod(method));
        }
    }
    Ok(())
}

/// Reads `__slots__`: decides on `__dict__` and `__weakref__`, and gives the members their places.
fn take_slots(vm: &Vm, class: &Type, dict: &Dict, bases: &[Value], base: &Type) -> Result<()> {
    // The namespace of a class is its own: metaclasses add no other.
    let is_metaclass = base.has_flags(type_flags::TYPE_SUBCLASS);
    let may_add_dict = !base.has_dict() && base.own_dict.get().is_none() && !is_metaclass;
    let may_add_weak = !base.has_flags(type_flags::HAS_WEAKREF);
    let Some(slots) = dict.get_str(&names().__slots__) else {
        if may_add_dict {
            class.set_flags(type_flags::HAS_DICT);
        }
        if may_add_weak && base.itemsize.get() == 0 {
            class.set_flags(type_flags::HAS_WEAKREF);
        }
        return Ok(());
    };
    let listed = if slots.downcast::<Str>().is_some() { vec![slots] } else { vm.collect(&slots)? };
    if !listed.is_empty() && (base.itemsize.get() != 0 || base.has_flags(type_flags::LONG_SUBCLASS)) {
        let only_special =
            listed.iter().all(|s| s.downcast::<Str>().is_some_and(|s| s.is_str("__dict__") || s.is_str("__weakref__")));
        if !only_special {
            return Err(vm.type_error(format!("nonempty __slots__ not supported for subtype of '{}'", base.name())));
        }
    }
    // A docstring of None is what every class without one gets, no variable of its own.
    let has_entry = |name: &Value| match dict.get_str(name) {
        Some(value) => !(value.is_none() && name.is(&names().__doc__)),
        None => false,
    };
    let mut members = Vec::new();
    for slot in listed {
        let text = vm.expect_str(&slot, |got| format!("__slots__ items must be strings, not '{got}'"))?;
        let name = text.to_string_lossy();
        if !crate::text::unicode::case::is_identifier(&text.to_code_points()) {
            return Err(vm.type_error("__slots__ must be identifiers"));
        }
        if name == "__dict__" {
            if !may_add_dict || class.has_flags(type_flags::HAS_DICT) {
                return Err(vm.type_error("__dict__ slot disallowed: we already got one"));
            }
            class.set_flags(type_flags::HAS_DICT);
            continue;
        }
        if name == "__weakref__" {
            if !may_add_weak || class.has_flags(type_flags::HAS_WEAKREF) {
                return Err(vm.type_error("__weakref__ slot disallowed: we already got one"));
            }
            class.set_flags(type_flags::HAS_WEAKREF);
            continue;
        }
        let mangled = intern(&mangle(&class.name(), &name)).into_value();
        if has_entry(&mangled) && name != "__qualname__" && name != "__classcell__" && name != "__classdictcell__" {
            return Err(
                vm.value_error(format!("'{}' in __slots__ conflicts with class variable", vm.display_name(&mangled)))
            );
        }
        members.push(mangled);
    }
    for other in bases {
        let other = other.downcast::<Type>().expect("checked");
        if std::ptr::eq(other, base) {
            continue;
        }
        if other.has_dict() && may_add_dict {
            class.set_flags(type_flags::HAS_DICT);
        }
        if other.has_flags(type_flags::HAS_WEAKREF) && may_add_weak {
            class.set_flags(type_flags::HAS_WEAKREF);
        }
    }
    members.sort_by_key(|name| name.downcast::<Str>().map(Str::to_code_points));
    if class.has_flags(type_flags::UNICODE_SUBCLASS) {
        // The members of a str are at the end of its block, before the attributes word.
        let first = class.tail_members();
        for (at, name) in members.iter().enumerate() {
            let offset = FROM_END | (16 + 8 * (first + at as u32));
            class.slot_members.borrow(&class.header).push((name.clone(), offset));
        }
        return Ok(());
    }
    let mut offset = class.basicsize.get().next_multiple_of(8);
    for name in &members {
        class.slot_members.borrow(&class.header).push((name.clone(), offset));
        offset += 8;
    }
    class.basicsize.set(offset);
    Ok(())
}

/// Of the offset of a `__slots__` member: it counts from the end of the object's block.
pub const FROM_END: u32 = 1 << 31;

/// Private-name mangling.
pub fn mangle(class: &str, name: &str) -> String {
    let class = class.trim_start_matches('_');
    if !name.starts_with("__") || name.ends_with("__") || name.contains('.') || class.is_empty() {
        return name.to_string();
    }
    format!("_{class}{name}")
}

/// What the first base that is a sequence or mapping to `match` is, the class is too.
fn inherit_collection_flag(class: &Type, bases: &[Value]) {
    const COLLECTION: u64 = type_flags::SEQUENCE | type_flags::MAPPING;
    class.clear_flags(COLLECTION);
    let of_base = |base: &Value| base.downcast::<Type>().map_or(0, |base| base.flags() & COLLECTION);
    class.set_flags(bases.iter().map(of_base).find(|flags| *flags != 0).unwrap_or(0));
}

/// Computes the MRO anew; false, and nothing done, if code of a metaclass's `mro()` already has.
fn set_mro(vm: &Vm, class: &Ref<Type>, meta: &Type, bases: &[Value]) -> Result<bool> {
    let value = class.as_value();
    let old = class.mro();
    let custom = lookup::find(meta, intern("mro").as_value());
    let plain = lookup::find(TYPE.ty(), intern("mro").as_value());
    let mut is_custom = false;
    let order = match (custom, plain) {
        (Some(custom), Some(plain)) if !custom.is(&plain) => {
            is_custom = true;
            let result = vm.call_special(value, intern("mro").as_value(), &[]).expect("just found")?;
            let order = vm.collect(&result)?;
            if order.is_empty() {
                return Err(vm.type_error("type MRO must not be empty"));
            }
            check_mro(vm, class, &order)?;
            order
        }
        _ => mro::linearize(vm, value, bases)?,
    };
    let current = class.mro();
    let replaced = match (&old, &current) {
        (Some(old), Some(current)) => !old.as_value().is(current.as_value()),
        (None, None) => false,
        _ => true,
    };
    if replaced {
        return Ok(false);
    }
    // Of a change in one of its own bases' bases a type is told; of others it is not.
    let is_told = |ancestor: &Type| descends_from(class, ancestor);
    let foreign = is_custom && !order.iter().filter_map(|ty| ty.downcast::<Type>()).all(is_told);
    let inherited = || bases_of(class).any(|base| base.has_flags(type_flags::UNVERSIONED));
    class.modified();
    if foreign || inherited() {
        class.set_flags(type_flags::UNVERSIONED);
    } else {
        class.clear_flags(type_flags::UNVERSIONED);
    }
    let old = class.mro.borrow(&class.header).replace(Tuple::from_vec(order));
    drop(old);
    Ok(true)
}

/// Refuses what a metaclass's `mro()` may not return.
fn check_mro(vm: &Vm, class: &Type, order: &[Value]) -> Result<()> {
    let solid = solid_base(class);
    for entry in order {
        let Some(base) = entry.downcast::<Type>() else {
            return Err(vm.type_error(format!("mro() returned a non-class ('{}')", entry.ty().name())));
        };
        if !solid.is_subtype(solid_base(base)) {
            let name = base.name();
            return Err(vm.type_error(format!("mro() returned base with unsuitable layout ('{name}')")));
        }
    }
    Ok(())
}

fn bases_of(class: &Type) -> impl Iterator<Item = Ref<Type>> {
    let bases = class.bases().map(|bases| bases.as_slice().to_vec()).unwrap_or_default();
    bases.into_iter().filter_map(|base| base.downcast_ref::<Type>())
}

/// Whether `ancestor` is `class` or reached from it through bases, whatever the MROs say.
fn descends_from(class: &Type, ancestor: &Type) -> bool {
    std::ptr::eq(class, ancestor) || bases_of(class).any(|base| descends_from(&base, ancestor))
}

/// An MRO that was replaced while `__bases__` was assigned: the class, the new one, the old one.
type Replaced = (Ref<Type>, Option<Ref<Tuple>>, Option<Ref<Tuple>>);

/// Recomputes the MROs of a class and its subclasses; what was replaced goes to `replaced`.
fn refresh(vm: &Vm, class: &Ref<Type>, replaced: &mut Vec<Replaced>) -> Result<()> {
    vm.check_stack(" in the hierarchy of classes")?;
    let bases = class.bases().map(|bases| bases.as_slice().to_vec()).unwrap_or_default();
    let old = class.mro();
    let meta = class.as_value().ty().to_value();
    if !set_mro(vm, class, meta.downcast::<Type>().expect("a metaclass"), &bases)? {
        return Ok(());
    }
    replaced.push((class.clone(), class.mro(), old));
    for sub in class.direct_subclasses() {
        if sub.mro().is_some() {
            refresh(vm, &sub, replaced)?;
        }
    }
    Ok(())
}

/// Recomputes the slots of a class and its subclasses.
fn refresh_slots(class: &Type) {
    inherit_slots(class);
    class.modified();
    for sub in class.direct_subclasses() {
        refresh_slots(&sub);
    }
}

/// `cls.__bases__ = bases`.
///
/// A metaclass's `mro()` may itself assign `__bases__`: what it has replaced meanwhile stays.
pub fn set_bases(vm: &Vm, this: &Value, value: Option<&Value>) -> Result<()> {
    let class = this.downcast_ref::<Type>().expect("own setter");
    let name = class.name();
    if !class.is_heap_type() {
        return Err(
            vm.type_error(format!("cannot set '__bases__' attribute of immutable type '{}'", class.full_name()))
        );
    }
    let Some(value) = value else {
        return Err(vm.type_error(format!("cannot delete '__bases__' attribute of immutable type '{name}'")));
    };
    vm.audit("object.__setattr__", &[this.clone(), Value::from("__bases__"), value.clone()])?;
    let Some(tuple) = value.downcast_ref::<Tuple>() else {
        return Err(vm.type_error(format!("can only assign tuple to {name}.__bases__, not {}", value.ty().name())));
    };
    if tuple.as_slice().is_empty() {
        return Err(vm.type_error(format!("can only assign non-empty tuple to {name}.__bases__, not ()")));
    }
    for base in tuple.as_slice() {
        let Some(base) = base.downcast::<Type>() else {
            return Err(vm.type_error(format!("{name}.__bases__ must be tuple of classes, not '{}'", base.ty().name())));
        };
        // While an assignment is under way MROs may be older than the bases.
        let through_base = std::iter::successors(Some(base), |ty| ty.base()).any(|ty| std::ptr::eq(ty, &*class));
        if base.is_subtype(&class) || through_base {
            return Err(vm.type_error("a __bases__ item causes an inheritance cycle"));
        }
    }
    let new_base = best_base(vm, tuple.as_slice())?;
    let old_base = class.base().expect("a heap type has a base");
    if !std::ptr::eq(solid_base(new_base), solid_base(old_base)) || new_base.has_dict() && !class.has_dict() {
        return Err(vm.type_error(format!(
            "__bases__ assignment: '{}' object layout differs from '{}'",
            new_base.name(),
            old_base.name()
        )));
    }
    reserve_link(vm, tuple.as_slice())?;
    let previous_bases = class.bases.borrow(&class.header).replace(tuple.clone());
    let previous_base = class.base.borrow(&class.header).replace(crate::object::to_ref(new_base));
    let mut replaced = Vec::new();
    let outcome = refresh(vm, &class, &mut replaced);
    let still_ours = class.bases().is_some_and(|bases| bases.as_value().is(tuple.as_value()));
    let old_slice = previous_bases.as_ref().map(|bases| bases.as_slice().to_vec()).unwrap_or_default();
    match outcome {
        Ok(()) if still_ours => {
            unlink(&class, &old_slice);
            link(&class, tuple.as_slice());
            refresh_slots(&class);
        }
        Ok(()) => {}
        Err(_) => {
            for (changed, new, old) in replaced.into_iter().rev() {
                let current = changed.mro();
                if current.as_ref().map(|mro| mro.as_value().word()) == new.as_ref().map(|mro| mro.as_value().word()) {
                    changed.modified();
                    let dropped = std::mem::replace(&mut *changed.mro.borrow(&changed.header), old);
                    drop(dropped);
                }
            }
            if still_ours {
                let bases = std::mem::replace(&mut *class.bases.borrow(&class.header), previous_bases);
                let base = std::mem::replace(&mut *class.base.borrow(&class.header), previous_base);
                drop((bases, base));
            }
            class.modified();
        }
    }
    outcome
}

/// The rows of one slot, which stand for the dunder methods that provide it, with their interned names.
type Field = Vec<(&'static SlotRow, Value)>;

/// All slots that dunder methods provide, but for the sequence slots that are other slots' aliases.
fn fields() -> &'static [Field] {
    static FIELDS: LazyLock<Vec<Field>> = LazyLock::new(|| {
        let mut fields: Vec<Field> = Vec::new();
        for row in SLOT_ROWS.iter().filter(|row| !is_sequence_alias(row)) {
            if fields.iter().all(|field| field[0].0.field != row.field) {
                let rows = SLOT_ROWS.iter().filter(|other| other.field == row.field);
                fields.push(rows.map(|row| (row, intern(row.name).into_value())).collect());
            }
        }
        fields
    });
    &FIELDS
}

/// For the word of each dunder method's name the set of [`fields`], by their places, that it provides.
fn fields_by_name() -> &'static HashMap<u64, u128, BuildHasherDefault<Spread>> {
    static BY_NAME: LazyLock<HashMap<u64, u128, BuildHasherDefault<Spread>>> = LazyLock::new(|| {
        let mut by_name: HashMap<u64, u128, _> = HashMap::default();
        for (at, field) in fields().iter().enumerate() {
            for (_, name) in field {
                *by_name.entry(name.word()).or_default() |= 1 << at;
            }
        }
        by_name
    });
    &BY_NAME
}

/// The [`fields`] that the names in the classes' namespaces provide.
fn provided_fields(classes: &[Ref<Type>]) -> impl Iterator<Item = &'static Field> {
    let mut provided = 0u128;
    for name in classes.iter().flat_map(|class| class.dict().keys()) {
        let Some(text) = name.downcast::<Str>() else { continue };
        let interned = match text.as_ascii() {
            Some(ascii) if ascii.starts_with("__") && ascii.ends_with("__") => text.interned(&name),
            _ => continue,
        };
        provided |= fields_by_name().get(&interned.word()).copied().unwrap_or(0);
    }
    fields().iter().enumerate().filter(move |(at, _)| provided >> at & 1 != 0).map(|(_, field)| field)
}

/// Fills the slots of a heap type: inherited ones, then those for its dunder methods.
pub fn inherit_slots(class: &Type) {
    let mut slots = Slots::default();
    let mro = class.mro();
    let bases = || mro.iter().flat_map(|mro| mro.as_slice()[1..].iter().filter_map(|base| base.downcast::<Type>()));
    for base in bases() {
        if base.has_flags(type_flags::NEEDS_FINALIZE) {
            class.set_flags(type_flags::NEEDS_FINALIZE);
        }
    }
    match plain_base(class) {
        Some((base, others)) => {
            slots = Slots { send: None, ..*base.slots() };
            for field in provided_fields(&others) {
                update_field(class, &mut slots, field);
            }
        }
        None => {
            for base in bases() {
                inherit_plain(&mut slots, base.slots());
            }
            for field in fields() {
                update_field(class, &mut slots, field);
            }
        }
    }
    update_sequence_slots(class, &mut slots);
    update_new(class, &mut slots);
    if slots.finalize.is_some() {
        class.set_flags(type_flags::NEEDS_FINALIZE);
    }
    // SAFETY: the class is new, or its bases changed with the world stopped.
    unsafe { class.set_slots(slots) };
}

/// The base whose slots the class has but for what the others in its MRO, given as well, define: those are the class
/// itself and classes written in Python, and the MRO without them is the base's.
fn plain_base(class: &Type) -> Option<(&Type, Vec<Ref<Type>>)> {
    let base = class.base()?;
    let (own, inherited) = (class.mro()?, base.mro()?);
    let mut inherited = inherited.as_slice().iter().peekable();
    let mut others = Vec::new();
    for entry in own.as_slice() {
        if inherited.next_if(|next| next.is(entry)).is_none() {
            let other = entry.downcast_ref::<Type>().filter(|other| other.is_heap_type())?;
            others.push(other);
        }
    }
    inherited.peek().is_none().then_some((base, others))
}

/// Slots without dunder rows of their own, and sequence slots.
fn inherit_plain(slots: &mut Slots, base: &Slots) {
    if slots.new.is_none() {
        slots.new = base.new;
    }
    if slots.buffer.is_none() {
        slots.buffer = base.buffer;
    }
    for row in SLOT_ROWS {
        if is_sequence_alias(row) && (row.get)(slots).is_none() {
            (row.set)(slots, (row.get)(base));
        }
    }
}

/// Empties the inherited sequence slots whose method a class in the MRO has replaced: nothing stands for such a method but
/// the number slot.
fn update_sequence_slots(class: &Type, slots: &mut Slots) {
    for row in SLOT_ROWS.iter().filter(|row| is_sequence_alias(row)) {
        if (row.get)(slots).is_some() {
            let method = lookup::find(class, intern(row.name).as_value());
            if method.is_some_and(|method| method.downcast_exact::<SlotWrapper>().is_none()) {
                (row.set)(slots, None);
            }
        }
    }
}

/// Sets one slot from the dunder methods in the MRO.
fn update_field(class: &Type, slots: &mut Slots, field: &Field) {
    let mut native: Option<SlotFn> = None;
    let mut generic = false;
    let mut any = false;
    for (other, name) in field {
        let Some(method) = lookup::find(class, name) else { continue };
        any = true;
        let wrapped = method
            .downcast_exact::<SlotWrapper>()
            .filter(|wrapper| wrapper.row.field == other.field && class.is_subtype(&wrapper.owner));
        match (wrapped, native) {
            (Some(wrapper), None) => native = Some(wrapper.function),
            (Some(wrapper), Some(f)) if f.same(wrapper.function) => {}
            (None, _) if method.is_none() && other.name == "__hash__" => {
                native = Some(SlotFn::Hash(crate::types::slots::hash_not_implemented));
            }
            _ => generic = true,
        }
    }
    let row = field[0].0;
    let is_item = row.name == "__getitem__" && matches!(row.generic, SlotFn::Item(_));
    let f = if !any {
        None
    } else if generic {
        Some(row.generic)
    } else {
        native
    };
    if is_item && !generic {
        // The wrapper of `__getitem__` belongs to the mapping slot; the sequence slot is inherited.
        let inherited = class.base().and_then(|base| base.slots().item);
        slots.item = inherited;
        return;
    }
    (row.set)(slots, f);
}

fn update_new(class: &Type, slots: &mut Slots) {
    let Some(found) = lookup::find(class, &names().__new__) else { return };
    match found.downcast_exact::<BuiltinFunction>() {
        Some(function) if matches!(function.def, Definition::New) => {
            // As in CPython the base's way of making instances stays, whichever type the `__new__` is of.
            slots.new = class.base().and_then(|base| base.slots().new);
        }
        _ => slots.new = Some(slot_dispatch::new),
    }
}

/// Brings the slots of a class and its subclasses in step after the attribute `name` changed.
pub fn update_slot(class: &Type, name: &Value) {
    let Some(text) = name.downcast::<Str>() else { return };
    let is_dunder = text.as_ascii().is_some_and(|t| t.starts_with("__") && t.ends_with("__"));
    if !is_dunder || !(SLOT_ROWS.iter().any(|row| text.is_str(row.name)) || text.is_str("__new__")) {
        return;
    }
    inherit_slots(class);
    let subclasses = class.subclasses.borrow(&class.header).clone();
    for sub in subclasses {
        // SAFETY: subclasses remove themselves from the list before they die.
        let sub = unsafe { sub.as_ref() };
        if sub.is_heap_type() {
            update_slot(sub, name);
        }
    }
}

fn add_slot_descriptors(class: &Ref<Type>, dict: &Dict) {
    let members = class.slot_members.borrow(&class.header).clone();
    for (name, offset) in members {
        let member = member::new(class, name.clone(), member::Place::Slot(offset));
        dict.set_str(&name, member);
    }
    let base = class.base().expect("a heap type has a base");
    if class.has_dict() && !base.has_dict() {
        dict.set_default_str(&names().__dict__, crate::native::descriptors::getset(class, &DICT_GETSET));
    }
    if class.has_flags(type_flags::HAS_WEAKREF) && !base.has_flags(type_flags::HAS_WEAKREF) {
        dict.set_default_str(&names().__weakref__, crate::native::descriptors::getset(class, &WEAKREF_GETSET));
    }
}

static DICT_GETSET: crate::native::GetSetDef =
    crate::native::GetSetDef::new("__dict__", "dictionary for instance variables", get_instance_dict)
        .setter(set_instance_dict);

/// The getter of classes written in Python. Where a built-in base has a `__dict__` of its own, that one decides.
fn get_instance_dict(vm: &Vm, this: &Value) -> Result {
    let native = crate::exceptions::nearest_builtin(this.ty());
    if let Some(descriptor) = lookup::find(native, &names().__dict__)
        && let Some(get) = descriptor.ty().slots().descr_get
    {
        return get(vm, &descriptor, Some(this), Some(&this.ty().to_value()));
    }
    get_dict(vm, this)
}

/// The setter of classes written in Python: deletion leaves an empty dictionary. Where a built-in base has a `__dict__` of its
/// own, that one decides.
fn set_instance_dict(vm: &Vm, this: &Value, value: Option<&Value>) -> Result<()> {
    let native = crate::exceptions::nearest_builtin(this.ty());
    if let Some(descriptor) = lookup::find(native, &names().__dict__) {
        return match descriptor.ty().slots().descr_set {
            Some(set) => set(vm, &descriptor, this, value),
            None => Err(vm.attribute_error("attribute '__dict__' is not writable")),
        };
    }
    if !this.ty().has_dict() {
        return Err(vm.attribute_error("This object has no __dict__"));
    }
    let empty = Dict::new().into_value();
    set_dict(vm, this, Some(value.unwrap_or(&empty)))
}

/// The getter of `__dict__` for types whose instances have attributes.
pub fn get_dict(vm: &Vm, this: &Value) -> Result {
    match this.as_object() {
        Some(header) if this.ty().has_dict() => Ok(attributes::dictionary(header).into_value()),
        _ => Err(vm.attribute_error(format!("'{}' object has no attribute '__dict__'", this.ty().name()))),
    }
}

/// The setter of `__dict__` for types whose instances have attributes.
pub fn set_dict(vm: &Vm, this: &Value, value: Option<&Value>) -> Result<()> {
    let Some(value) = value else { return Err(vm.type_error("cannot delete __dict__")) };
    let Some(dict) = value.downcast_ref::<Dict>() else {
        return Err(vm.type_error(format!("__dict__ must be set to a dictionary, not a '{}'", value.ty().name())));
    };
    match this.as_object() {
        Some(header) if this.ty().has_dict() => {
            attributes::set_dictionary(header, dict);
            Ok(())
        }
        _ => Err(vm.attribute_error("This object has no __dict__")),
    }
}

pub(crate) static WEAKREF_GETSET: crate::native::GetSetDef =
    crate::native::GetSetDef::new("__weakref__", "list of weak references to the object", |_, this| {
        Ok(crate::weakref::first_reference(this).unwrap_or(Value::NONE))
    });

fn set_classcell(vm: &Vm, class: &Ref<Type>, dict: &Dict) -> Result<()> {
    for name in [&names().__classcell__, &names().__classdictcell__] {
        let Some(cell) = dict.remove_str(name) else { continue };
        let Some(cell) = cell.downcast::<crate::builtins::cell::Cell>() else {
            let name = vm.display_name(name);
            return Err(vm.type_error(format!("{name} must be a nonlocal cell, not <class '{}'>", cell.ty().name())));
        };
        let contents = if name.is(&names().__classcell__) { class.as_value().clone() } else { to_value(dict) };
        cell.set(Some(contents));
    }
    Ok(())
}

/// Calls `__set_name__` of the attributes.
fn set_names(vm: &Vm, class: &Type) -> Result<()> {
    let class_value = class.to_value();
    for (name, value) in class.dict().items() {
        if let Some(result) = vm.call_special(&value, &names().__set_name__, &[&class_value, &name])
            && let Err(raised) = result
        {
            let note = format!(
                "Error calling __set_name__ on '{}' instance {} in '{}'",
                value.ty().name(),
                vm.preserving_exception(|vm| vm.repr_string(&name).unwrap_or_else(|again| {
                    vm.discard(again);
                    String::from("?")
                })),
                class.name()
            );
            crate::exceptions::add_note(&vm.pending(&raised), &note);
            return Err(raised);
        }
    }
    Ok(())
}

fn init_subclass(vm: &Vm, class: &Value, keywords: &[Value], kwnames: Option<&Value>) -> Result<()> {
    let mro = class.downcast::<Type>().and_then(Type::mro).expect("a new class has an MRO");
    let Some(own) = mro.as_slice().iter().position(|ty| ty.is(class)) else {
        let name = class.downcast::<Type>().map(Type::name).unwrap_or_default();
        return Err(vm.type_error(format!(
            "super(type, obj): obj (type {name}) is not an instance or subtype of type ({name})."
        )));
    };
    for base in mro.as_slice().iter().skip(own + 1).filter_map(|b| b.downcast::<Type>()) {
        let Some(method) = base.dict().get_str(&names().__init_subclass__) else { continue };
        let bound = match method.ty().slots().descr_get {
            Some(get) => get(vm, &method, None, Some(class))?,
            None => method,
        };
        vm.call(&bound, keywords, kwnames)?;
        return Ok(());
    }
    Ok(())
}

/// The nearest class, `ty` or one it descends from, that adds something to the layout of its base.
fn layout_base(ty: &Type) -> &Type {
    const KINDS: u64 = type_flags::HAS_DICT | type_flags::HAS_WEAKREF;
    match ty.base().filter(|_| ty.is_heap_type()) {
        Some(base)
            if base.basicsize.get() == ty.basicsize.get()
                && base.tail_members() == ty.tail_members()
                && (base.flags() ^ ty.flags()) & KINDS == 0 =>
        {
            layout_base(base)
        }
        _ => ty,
    }
}

/// Whether two classes add the same to the layout of the same base.
fn adds_the_same(a: &Type, b: &Type) -> bool {
    const KINDS: u64 = type_flags::HAS_DICT | type_flags::HAS_WEAKREF;
    let bases = (a.base().map(|ty| ty as *const Type), b.base().map(|ty| ty as *const Type));
    let (own, wanted) = (a.slot_members.borrow(&a.header).clone(), b.slot_members.borrow(&b.header).clone());
    bases.0 == bases.1
        && own.len() == wanted.len()
        && own.iter().zip(&wanted).all(|((a, _), (b, _))| a.is(b))
        && std::ptr::fn_addr_eq(a.dealloc, b.dealloc)
        && a.basicsize.get() == b.basicsize.get()
        && (a.flags() ^ b.flags()) & KINDS == 0
}

/// `object.__class__ = new`.
pub fn set_class(vm: &Vm, this: &Value, new: &Type) -> Result<()> {
    vm.audit("object.__setattr__", &[this.clone(), Value::from("__class__"), new.to_value()])?;
    let old = this.ty();
    if std::ptr::eq(old, new) {
        return Ok(());
    }
    let module_classes =
        old.is_subtype(crate::native::module::MODULE.ty()) && new.is_subtype(crate::native::module::MODULE.ty());
    if !module_classes && (new.has_flags(type_flags::IMMUTABLETYPE) || old.has_flags(type_flags::IMMUTABLETYPE)) {
        return Err(vm.type_error("__class__ assignment only supported for mutable types or ModuleType subclasses"));
    }
    let (own, wanted) = (layout_base(old), layout_base(new));
    let compatible = std::ptr::eq(own, wanted) || adds_the_same(own, wanted);
    if !compatible {
        return Err(vm.type_error(format!(
            "__class__ assignment: '{}' object layout differs from '{}'",
            new.name(),
            old.name()
        )));
    }
    let header = this.as_object().expect("immediates have immutable types");
    if old.has_dict() && new.has_dict() {
        // Slots belong to the old type's shapes: go through a dictionary.
        attributes::dictionary(header);
        header.set_shape_id(new.dict_mode_shape());
    } else {
        header.set_shape_id(new.root_shape());
    }
    let old_value = old.to_value();
    if new.is_heap_type() {
        // The object owns a reference to its class; it is given up with the object.
        std::mem::forget(new.to_value());
    }
    header.set_type_pointer(new);
    if old.is_heap_type() {
        // SAFETY: the reference that the object had to its old class.
        unsafe { crate::count::decref(old_value.word() as *mut Header) };
    }
    drop(old_value);
    Ok(())
}
