//! `_abc`: the registry and the caches behind `abc.ABCMeta`.
//!
//! A class's data is an `_abc._abc_data` object under `_abc_impl` in the class. Registries and caches hold weak
//! references only, so that a class can die although some abstract class has met it.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use taipan_object::builtins::list::List;
use taipan_object::builtins::object;
use taipan_object::builtins::set::{self, AnySet, Set};
use taipan_object::builtins::str::intern;
use taipan_object::builtins::tuple::Tuple;
use taipan_object::builtins::type_object::has_plain_class;
use taipan_object::cell::ObjectCell;
use taipan_object::header::Header;
use taipan_object::heap::Kind;
use taipan_object::native::MethodDef;
use taipan_object::native::module::{Module, ModuleDef};
use taipan_object::object::{Payload, Visitor};
use taipan_object::types::{Type, TypeSpec, type_flags};
use taipan_object::vm::names;
use taipan_object::{Ref, Result, Value, Vm, method_table, weakref};

pub static MODULE: ModuleDef =
    ModuleDef { name: "_abc", doc: "Native code for abc.ABCMeta", functions: FUNCTIONS, exec: |_, _: &Module| Ok(()) };

/// Counts registrations: a negative cache is valid only as long as nothing was registered anywhere.
static INVALIDATION_COUNTER: AtomicU64 = AtomicU64::new(0);

/// `_abc._abc_data`
#[repr(C)]
struct AbcData {
    header: Header,
    state: ObjectCell<State>,
}

#[derive(Default)]
struct State {
    registry: Option<Value>,
    cache: Option<Value>,
    negative_cache: Option<Value>,
    negative_cache_version: u64,
}

// SAFETY: repr(C), header first, visits the three sets.
unsafe impl Payload for AbcData {
    const KIND: Kind = Kind::Container;
    fn static_type() -> &'static Type {
        ABC_DATA.ty()
    }
    fn traverse(&self, visit: Visitor) {
        // SAFETY: the collector has stopped the world.
        let state = unsafe { &*self.state.as_ptr() };
        state.registry.iter().chain(&state.cache).chain(&state.negative_cache).for_each(visit);
    }
    fn clear(&self) {
        let old = std::mem::take(&mut *self.state.borrow(&self.header));
        drop(old);
    }
}

static ABC_DATA: TypeSpec =
    TypeSpec::new::<AbcData>("_abc._abc_data").doc("Internal state held by ABC machinery.").slots(|s| {
        s.new = Some(|_, class, _, _| {
            let ty = class.downcast::<Type>().expect("`tp_new` gets a type");
            let state = ObjectCell::new(State {
                negative_cache_version: INVALIDATION_COUNTER.load(Relaxed),
                ..State::default()
            });
            Ok(Ref::new_with_type(ty, AbcData { header: Header::new(ty), state }).into_value())
        });
    });

/// Which of the three sets.
#[derive(Clone, Copy)]
enum Which {
    Registry,
    Cache,
    NegativeCache,
}

impl State {
    fn slot(&mut self, which: Which) -> &mut Option<Value> {
        match which {
            Which::Registry => &mut self.registry,
            Which::Cache => &mut self.cache,
            Which::NegativeCache => &mut self.negative_cache,
        }
    }
}

impl AbcData {
    fn set(&self, which: Which) -> Option<Value> {
        self.state.borrow(&self.header).slot(which).clone()
    }

    fn replace(&self, which: Which, with: Option<Value>) {
        let old = std::mem::replace(self.state.borrow(&self.header).slot(which), with);
        drop(old);
    }

    fn version(&self) -> u64 {
        self.state.borrow(&self.header).negative_cache_version
    }

    /// Whether `class` is in a set of weak references.
    fn contains(&self, vm: &Vm, which: Which, class: &Value) -> Result<bool> {
        let Some(references) = self.set(which) else { return Ok(false) };
        let set = AnySet::of(&references).expect("caches are sets");
        // What nobody refers to weakly is in no cache.
        if set.len() == 0 || weakref::supports(class.ty()) && !weakref::is_referenced(class) {
            return Ok(false);
        }
        if class.downcast::<Type>().is_some() && compares_by_identity(class.ty()) {
            let hash = vm.hash(class)?;
            return Ok(set.has(hash, |reference| weakref::is_to(reference, class)));
        }
        let reference = match weakref::create(vm, weakref::REFERENCE.ty(), class, None) {
            Ok(reference) => reference,
            Err(raised) => {
                vm.catch(raised, taipan_object::exceptions::type_error())?;
                return Ok(false);
            }
        };
        set::contains(vm, set, &reference)
    }

    /// Adds a weak reference to `class` that removes itself when the class dies.
    fn add(&self, vm: &Vm, which: Which, class: &Value) -> Result<()> {
        let references = match self.set(which) {
            Some(references) => references,
            None => {
                let references = Set::new().into_value();
                self.replace(which, Some(references.clone()));
                references
            }
        };
        let weak_set = weakref::create(vm, weakref::REFERENCE.ty(), &references, None)?;
        let remover = taipan_object::native::function::BuiltinFunction::new(&DESTROY, weak_set, Value::NONE);
        let reference = weakref::create(vm, weakref::REFERENCE.ty(), class, Some(remover.into_value()))?;
        set::add(vm, AnySet::of(&references).expect("caches are sets"), &reference)
    }
}

static DESTROY: MethodDef = MethodDef::new("_destroy($self, object, /)", "", |vm, weak_set, args| {
    if let Some(references) = weakref::target(weak_set)
        && let Some(set) = AnySet::of(&references)
    {
        let hash = vm.hash(&args[0])?;
        set.discard_hashed(vm, &args[0], hash)?;
    }
    Ok(Value::NONE)
});

/// Whether objects of the type are equal to themselves alone.
fn compares_by_identity(ty: &Type) -> bool {
    let of_object = object::richcompare as taipan_object::types::slots::RichCompare;
    ty.slots().richcompare.is_none_or(|f| std::ptr::fn_addr_eq(f, of_object))
}

fn data_of(vm: &Vm, class: &Value) -> Result<Ref<AbcData>> {
    let data = vm.get_attr(class, &names()._abc_impl)?;
    match data.downcast_exact::<AbcData>() {
        Some(_) => Ok(data.downcast_ref::<AbcData>().expect("just checked")),
        None => Err(vm.type_error("_abc_impl is set to a wrong type")),
    }
}

method_table! { static FUNCTIONS = [
    MethodDef::new("get_cache_token($module, /)",
        "Return an object that changes whenever a class is registered.\n\n\
        A register() call on any ABC counts.  As long as the token equals an\n\
        older one, results of isinstance() and issubclass() that were remembered\n\
        are still right.",
        |_, _, _| Ok(Value::from(INVALIDATION_COUNTER.load(Relaxed)))),
    MethodDef::new("_abc_init($module, self, /)",
        "Prepare a new class; for the abc module only.",
        |vm, _, args| init(vm, &args[0])),
    MethodDef::new("_reset_registry($module, self, /)",
        "Remove all registered subclasses of a class.\n\nThis is for tests only",
        |vm, _, args| {
            let data = data_of(vm, &args[0])?;
            clear_set(data.set(Which::Registry));
            Ok(Value::NONE)
        }),
    MethodDef::new("_reset_caches($module, self, /)",
        "Empty both caches of a class.\n\nThis is for tests only",
        |vm, _, args| {
            let data = data_of(vm, &args[0])?;
            clear_set(data.set(Which::Cache));
            clear_set(data.set(Which::NegativeCache));
            Ok(Value::NONE)
        }),
    MethodDef::new("_get_dump($module, self, /)",
        "Return what is known about a class, for debugging.\n\n\
        It is a tuple of copies of the registry, the positive and the negative\n\
        cache, and the version of the latter.  ABC._dump_registry() prints the\n\
        same more legibly.",
        |vm, _, args| {
            let data = data_of(vm, &args[0])?;
            let copy = |which| -> Result {
                let keys = data.set(which).map_or(Vec::new(), |set| AnySet::of(&set).map_or(Vec::new(), AnySet::keys));
                set::from_keys(vm, &keys)
            };
            let (registry, cache, negative) = (copy(Which::Registry)?, copy(Which::Cache)?, copy(Which::NegativeCache)?);
            Ok(Tuple::from_array([registry, cache, negative, Value::from(data.version())]).into_value())
        }),
    MethodDef::new("_abc_register($module, self, subclass, /)",
        "Register a virtual subclass; for the abc module only.",
        |vm, _, args| register(vm, &args[0], &args[1])),
    MethodDef::new("_abc_instancecheck($module, self, instance, /)",
        "Do the work of isinstance(); for the abc module only.",
        |vm, _, args| instance_check(vm, &args[0], &args[1])),
    MethodDef::new("_abc_subclasscheck($module, self, subclass, /)",
        "Do the work of issubclass(); for the abc module only.",
        |vm, _, args| subclass_check(vm, &args[0], &args[1]).map(Value::bool)),
]; }

fn clear_set(set: Option<Value>) {
    if let Some(set) = set
        && let Some(set) = AnySet::of(&set)
    {
        set.clear();
    }
}

/// Computes `__abstractmethods__` and gives the class its data; `Sequence` and `Mapping` mark their subclasses.
fn init(vm: &Vm, class: &Value) -> Result {
    compute_abstract_methods(vm, class)?;
    let data = vm.instantiate(ABC_DATA.ty(), &[])?;
    vm.set_attr_str(class, "_abc_impl", &data)?;
    let Some(ty) = class.downcast::<Type>() else { return Ok(Value::NONE) };
    let name = intern("__abc_tpflags__");
    if let Some(flags) = ty.dict().get_str(name.as_value()) {
        const COLLECTION: u64 = type_flags::SEQUENCE | type_flags::MAPPING;
        if taipan_object::builtins::int::is_exact(&flags) {
            let bits = taipan_object::builtins::int::to_i64(&flags).unwrap_or(0) as u64;
            if bits & COLLECTION == COLLECTION {
                return Err(vm.type_error("__abc_tpflags__ cannot be both Py_TPFLAGS_SEQUENCE and Py_TPFLAGS_MAPPING"));
            }
            ty.set_flags(bits & COLLECTION);
            let old = ty.dict().remove_str(name.as_value());
            ty.modified();
            drop(old);
        }
    }
    Ok(Value::NONE)
}

fn is_abstract(vm: &Vm, object: &Value) -> Result<bool> {
    taipan_object::builtins::property::is_abstract(vm, object)
}

fn compute_abstract_methods(vm: &Vm, class: &Value) -> Result<()> {
    let namespace = vm.get_attr(class, &names().__dict__)?;
    let items = vm.call_method_name(&namespace, &names().items, &[])?;
    let mut found = Vec::new();
    for pair in vm.collect(&items)? {
        let Some(pair) = pair.downcast::<Tuple>() else {
            return Err(vm.type_error("Iteration over __dict__.items() must yield tuples of length 2"));
        };
        if let [key, value] = pair.as_slice()
            && is_abstract(vm, value)?
        {
            found.push(key.clone());
        }
    }
    let bases = vm.get_attr(class, &names().__bases__)?;
    let Some(bases) = bases.downcast::<Tuple>() else { return Err(vm.type_error("__bases__ is not tuple")) };
    for base in bases.as_slice() {
        let Some(inherited) = vm.get_attr_opt(base, &names().__abstractmethods__)? else { continue };
        for key in vm.collect(&inherited)? {
            let key = vm.attribute_name(&key)?;
            if let Some(value) = vm.get_attr_opt(class, &key)?
                && is_abstract(vm, &value)?
            {
                found.push(key);
            }
        }
    }
    let set = set::frozen_from_keys(vm, &found)?;
    vm.set_attr(class, &names().__abstractmethods__, &set)
}

/// `ABCMeta.register`
fn register(vm: &Vm, class: &Value, subclass: &Value) -> Result {
    let Some(sub) = subclass.downcast::<Type>() else { return Err(vm.type_error("Can only register classes")) };
    if vm.is_subclass(subclass, class)? {
        return Ok(subclass.clone());
    }
    if vm.is_subclass(class, subclass)? {
        return Err(vm.runtime_error("Refusing to create an inheritance cycle"));
    }
    data_of(vm, class)?.add(vm, Which::Registry, subclass)?;
    INVALIDATION_COUNTER.fetch_add(1, Relaxed);
    if let Some(class) = class.downcast::<Type>() {
        let collection = class.flags() & (type_flags::SEQUENCE | type_flags::MAPPING);
        if collection != 0 {
            set_collection_flag(sub, collection);
        }
    }
    Ok(subclass.clone())
}

/// Marks a class and its subclasses as sequences or mappings for `match`.
fn set_collection_flag(class: &Type, flag: u64) {
    if class.flags() & flag == flag || !class.is_heap_type() {
        return;
    }
    class.clear_flags(type_flags::SEQUENCE | type_flags::MAPPING);
    class.set_flags(flag);
    class.modified();
    for sub in class.direct_subclasses() {
        set_collection_flag(&sub, flag);
    }
}

fn instance_check(vm: &Vm, class: &Value, instance: &Value) -> Result {
    let data = data_of(vm, class)?;
    let subclass = match has_plain_class(instance.ty()) {
        true => instance.ty().to_value(),
        false => vm.get_attr_opt(instance, &names().__class__)?.unwrap_or_else(|| instance.ty().to_value()),
    };
    if data.contains(vm, Which::Cache, &subclass)? {
        return Ok(Value::TRUE);
    }
    let subtype = instance.ty().to_value();
    if subtype.is(&subclass) {
        if data.version() == INVALIDATION_COUNTER.load(Relaxed) && data.contains(vm, Which::NegativeCache, &subclass)? {
            return Ok(Value::FALSE);
        }
        return vm.call_method_name(class, &names().__subclasscheck__, &[subclass]);
    }
    let result = vm.call_method_name(class, &names().__subclasscheck__, &[subclass])?;
    if vm.is_true(&result)? {
        return Ok(result);
    }
    vm.call_method_name(class, &names().__subclasscheck__, &[subtype])
}

fn subclass_check(vm: &Vm, class: &Value, subclass: &Value) -> Result<bool> {
    if subclass.downcast::<Type>().is_none() {
        return Err(vm.type_error("issubclass() arg 1 must be a class"));
    }
    vm.check_stack(" in __subclasscheck__")?;
    let data = data_of(vm, class)?;
    if data.contains(vm, Which::Cache, subclass)? {
        return Ok(true);
    }
    let counter = INVALIDATION_COUNTER.load(Relaxed);
    if data.version() < counter {
        clear_set(data.set(Which::NegativeCache));
        data.state.borrow(&data.header).negative_cache_version = counter;
    } else if data.contains(vm, Which::NegativeCache, subclass)? {
        return Ok(false);
    }
    let answer = vm.call_method_name(class, &names().__subclasshook__, std::slice::from_ref(subclass))?;
    if answer.is_true() {
        data.add(vm, Which::Cache, subclass)?;
        return Ok(true);
    }
    if answer.is_false() {
        data.add(vm, Which::NegativeCache, subclass)?;
        return Ok(false);
    }
    if !answer.is_not_implemented() {
        return Err(vm.assertion_error("__subclasshook__ must return either False, True, or NotImplemented"));
    }
    if let (Some(sub), Some(ty)) = (subclass.downcast::<Type>(), class.downcast::<Type>())
        && sub.is_subtype(ty)
    {
        data.add(vm, Which::Cache, subclass)?;
        return Ok(true);
    }
    let registered =
        data.set(Which::Registry).map_or(Vec::new(), |set| AnySet::of(&set).map_or(Vec::new(), AnySet::keys));
    for reference in registered {
        let Some(candidate) = weakref::target(&reference) else { continue };
        if vm.is_subclass(subclass, &candidate)? {
            data.add(vm, Which::Cache, subclass)?;
            return Ok(true);
        }
    }
    let subclasses = vm.call_method(class, "__subclasses__", &[])?;
    let Some(list) = subclasses.downcast::<List>() else {
        return Err(vm.type_error("__subclasses__() must return a list"));
    };
    for candidate in list.to_vec() {
        if vm.is_subclass(subclass, &candidate)? {
            data.add(vm, Which::Cache, subclass)?;
            return Ok(true);
        }
    }
    data.add(vm, Which::NegativeCache, subclass)?;
    Ok(false)
}
