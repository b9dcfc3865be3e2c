//! `functools._lru_cache_wrapper`: a function with a cache of its results.
//!
//! The cache is a dict from keys to indices into a table of entries, which a doubly linked list keeps in order of use:
//! entry 0 is its root, whose successor is the least recently used. Keys are compared by Python code, which may use the
//! cache itself; every step below therefore asks the table anew.

use crate::payload::{Field, class_of, payload, signature};
use std::sync::OnceLock;
use taipan_object::builtins::dict::Dict;
use taipan_object::builtins::int;
use taipan_object::builtins::method;
use taipan_object::builtins::object::allocate_instance;
use taipan_object::builtins::str::Str;
use taipan_object::builtins::tuple::Tuple;
use taipan_object::native::{GetSetDef, MethodDef};
use taipan_object::object::Visitor;
use taipan_object::types::{OBJECT, TypeSpec, creation, type_flags};
use taipan_object::{Ref, Result, Value, Vm, method_table};

struct Entry {
    hash: i64,
    /// `None` for the root and free entries.
    item: Option<(Value, Value)>,
    previous: usize,
    next: usize,
}

impl Field for Entry {
    fn visit(&self, visit: Visitor) {
        if let Some((key, result)) = &self.item {
            visit(key);
            visit(result);
        }
    }
    fn take(&mut self) -> Self {
        Entry { hash: self.hash, item: self.item.take(), previous: self.previous, next: self.next }
    }
}

payload! {
    pub struct LruCacheWrapper(LruCacheState): LRU_CACHE_WRAPPER {
        function: Value,
        cache_info_type: Value,
        cache: Option<Ref<Dict>>,
        entries: Vec<Entry>,
        free: Vec<usize>,
        typed: bool,
        // `None`: unbounded.
        maxsize: Option<i64>,
        hits: i64,
        misses: i64,
    }
}

const ROOT: usize = 0;

fn root() -> Vec<Entry> {
    vec![Entry { hash: 0, item: None, previous: ROOT, next: ROOT }]
}

impl LruCacheState {
    fn unlink(&mut self, at: usize) {
        let (previous, next) = (self.entries[at].previous, self.entries[at].next);
        self.entries[previous].next = next;
        self.entries[next].previous = previous;
    }

    /// Puts an entry at the end: most recently used.
    fn append(&mut self, at: usize) {
        let last = self.entries[ROOT].previous;
        self.entries[at].previous = last;
        self.entries[at].next = ROOT;
        self.entries[last].next = at;
        self.entries[ROOT].previous = at;
    }

    fn add(&mut self, key: Value, hash: i64, result: Value) -> usize {
        let entry = Entry { hash, item: Some((key, result)), previous: ROOT, next: ROOT };
        let at = match self.free.pop() {
            Some(at) => {
                // A free entry holds no references.
                self.entries[at] = entry;
                at
            }
            None => {
                self.entries.push(entry);
                self.entries.len() - 1
            }
        };
        self.append(at);
        at
    }
}

signature!(NEW = "lru_cache(user_function, maxsize, typed, cache_info_type)");

pub static LRU_CACHE_WRAPPER: TypeSpec = TypeSpec::new::<LruCacheWrapper>("functools._lru_cache_wrapper")
    .doc(
        "A callable that remembers the results of a function.\n\n\
        user_function:      the function\n\n\
        maxsize:  0         remembers nothing\n          \
        None      remembers everything\n          \
        n         remembers the n results used last\n\n\
        typed:    whether equal arguments of different types, such as 1 and\n          \
        1.0, have results of their own\n\n\
        cache_info_type:    makes the result of cache_info() from hits,\n                    \
        misses, maxsize and currsize",
    )
    .flags(type_flags::BASETYPE | type_flags::HAS_DICT | type_flags::HAS_WEAKREF | type_flags::METHOD_DESCRIPTOR)
    .slots(|s| {
        s.new = Some(new);
        s.call = Some(call);
        s.descr_get = Some(|_, this, object, _| {
            Ok(match object {
                Some(object) if !object.is_none() => method::new(this.clone(), object.clone()),
                _ => this.clone(),
            })
        });
    })
    .getset(&[GetSetDef::new("__dict__", "", creation::get_dict).setter(creation::set_dict)])
    .methods(METHODS);

fn new(vm: &Vm, class: &Value, args: &[Value], kwnames: Option<&Value>) -> Result {
    let bound = NEW.bind(vm, args, kwnames)?;
    let typed = vm.is_true(&bound[2])?;
    if bound[0].ty().slots().call.is_none() {
        return Err(vm.type_error("the first argument must be callable"));
    }
    let maxsize = if bound[1].is_none() {
        None
    } else if bound[1].ty().slots().index.is_some() {
        Some(vm.index_i64(&bound[1])?.max(0))
    } else {
        return Err(vm.type_error("maxsize should be integer or None"));
    };
    let state = LruCacheState {
        function: bound[0].clone(),
        cache_info_type: bound[3].clone(),
        cache: Some(Dict::new()),
        entries: root(),
        free: Vec::new(),
        typed,
        maxsize,
        hits: 0,
        misses: 0,
    };
    Ok(LruCacheWrapper::make(class_of(class), state))
}

/// Separates positional from keyword arguments in keys.
fn keyword_mark() -> Value {
    static MARK: OnceLock<Value> = OnceLock::new();
    MARK.get_or_init(|| allocate_instance(OBJECT.ty())).clone()
}

fn make_key(args: &[Value], kwnames: Option<&Value>, typed: bool) -> Value {
    let names = kwnames.and_then(|names| names.downcast::<Tuple>()).map_or(&[][..], Tuple::as_slice);
    if names.is_empty() && !typed {
        if let [key] = args
            && (key.is_small_int() || key.downcast_exact::<Str>().is_some() || int::is_exact(key))
        {
            return key.clone();
        }
        return Tuple::from_slice(args).into_value();
    }
    let (positional, values) = args.split_at(args.len() - names.len());
    let mut key = positional.to_vec();
    if !names.is_empty() {
        key.push(keyword_mark());
        for (name, value) in names.iter().zip(values) {
            key.push(name.clone());
            key.push(value.clone());
        }
    }
    if typed {
        key.extend(args.iter().map(|value| value.ty().to_value()));
    }
    Tuple::from_vec(key).into_value()
}

fn call(vm: &Vm, this: &Value, args: &[Value], kwnames: Option<&Value>) -> Result {
    let wrapper = LruCacheWrapper::of(this);
    let (function, cache, typed, maxsize) =
        wrapper.with(|state| (state.function.clone(), state.cache.clone(), state.typed, state.maxsize));
    let cache = match cache {
        Some(cache) if maxsize != Some(0) => cache,
        _ => {
            wrapper.with(|state| state.misses += 1);
            return vm.call(&function, args, kwnames);
        }
    };
    let key = make_key(args, kwnames, typed);
    let hash = vm.hash(&key)?;
    let Some(maxsize) = maxsize else {
        if let Some(result) = cache.get_hashed(vm, &key, hash)? {
            wrapper.with(|state| state.hits += 1);
            return Ok(result);
        }
        wrapper.with(|state| state.misses += 1);
        let result = vm.call(&function, args, kwnames)?;
        cache.set_hashed(vm, &key, hash, result.clone())?;
        return Ok(result);
    };
    if let Some(at) = cache.get_hashed(vm, &key, hash)? {
        let at = int::to_i64(&at).unwrap_or(0) as usize;
        let result = wrapper.with(|state| {
            let (_, result) = state.entries.get(at)?.item.as_ref()?;
            let result = result.clone();
            state.unlink(at);
            state.append(at);
            state.hits += 1;
            Some(result)
        });
        if let Some(result) = result {
            return Ok(result);
        }
    }
    wrapper.with(|state| state.misses += 1);
    let result = vm.call(&function, args, kwnames)?;
    remember(vm, wrapper, &cache, key, hash, &result, maxsize)?;
    Ok(result)
}

/// Stores a result computed, pushing out the least recently used one of a full cache.
fn remember(
    vm: &Vm,
    wrapper: &LruCacheWrapper,
    cache: &Dict,
    key: Value,
    hash: i64,
    result: &Value,
    maxsize: i64,
) -> Result<()> {
    // The call may have stored the same key.
    if cache.get_hashed(vm, &key, hash)?.is_some() {
        return Ok(());
    }
    if (cache.len() as i64) >= maxsize {
        let oldest = wrapper.with(|state| {
            let at = state.entries.first()?.next;
            if at == ROOT {
                return None;
            }
            state.unlink(at);
            let hash = state.entries[at].hash;
            let (key, result) = state.entries[at].item.take()?;
            Some((at, hash, key, result))
        });
        if let Some((at, old_hash, old_key, old_result)) = oldest {
            let removed = cache.remove_hashed(vm, &old_key, old_hash);
            wrapper.with(|state| {
                if at < state.entries.len() {
                    state.free.push(at);
                }
            });
            removed?;
            drop((old_key, old_result));
        }
    }
    let at = wrapper.with(|state| match state.entries.is_empty() {
        true => None,
        false => Some(state.add(key.clone(), hash, result.clone())),
    });
    let Some(at) = at else { return Ok(()) };
    if let Err(raised) = cache.set_hashed(vm, &key, hash, Value::from(at)) {
        let dropped = wrapper.with(|state| {
            state.unlink(at);
            state.free.push(at);
            state.entries[at].item.take()
        });
        drop(dropped);
        return Err(raised);
    }
    Ok(())
}

method_table! { static METHODS = [
    MethodDef::new("cache_info($self, /)", "\
        Return how often results were found, and how many are stored", |vm, this, _| {
        let (info, hits, misses, maxsize, cache) = LruCacheWrapper::of(this).with(|state| {
            (state.cache_info_type.clone(), state.hits, state.misses, state.maxsize, state.cache.clone())
        });
        let size = cache.map_or(0, |cache| cache.len());
        vm.call_args(&info, &[Value::from(hits), Value::from(misses), maxsize.map_or(Value::NONE, Value::from), Value::from(size)])
    }),
    MethodDef::new("cache_clear($self, /)", "Forget all results, and start counting anew", |_, this, _| {
        let old = LruCacheWrapper::of(this).with(|state| {
            (state.hits, state.misses) = (0, 0);
            state.free.clear();
            (state.cache.replace(Dict::new()), std::mem::replace(&mut state.entries, root()))
        });
        drop(old);
        Ok(Value::NONE)
    }),
    MethodDef::new("__reduce__($self, /)", "", |vm, this, _| vm.get_attr_str(this, "__qualname__")),
    MethodDef::new("__copy__($self, /)", "", |_, this, _| Ok(this.clone())),
    MethodDef::new("__deepcopy__($self, memo, /)", "", |_, this, _| Ok(this.clone())),
]; }
