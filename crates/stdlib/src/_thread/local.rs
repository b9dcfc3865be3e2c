//! `_thread._local`: an object whose attributes every thread sees its own values of.
//!
//! Every thread has a namespace per instance, made when the thread first touches the instance; then a subclass's
//! `__init__` runs again, with the arguments of the constructor. The namespaces go when the instance dies or, one at a
//! time, when their thread ends.

use std::cell::RefCell;
use std::sync::{Arc, Mutex, Weak};

use taipan_object::builtins::dict::Dict;
use taipan_object::builtins::tuple::Tuple;
use taipan_object::header::Header;
use taipan_object::heap::Kind;
use taipan_object::object::{Payload, Visitor};
use taipan_object::types::slots::Slots;
use taipan_object::types::{Type, TypeSpec, lookup, type_flags};
use taipan_object::vm::names;
use taipan_object::{Ref, Result, Value, Vm};

use super::get_ident;
use crate::payload::class_of;

/// The namespaces of one instance by thread; locked for short, Python-free stretches.
type Namespaces = Mutex<Vec<(u64, Ref<Dict>)>>;

#[repr(C)]
pub struct Local {
    pub header: Header,
    namespaces: Arc<Namespaces>,
    /// The constructor's arguments, for `__init__` in other threads: all values, and the names of the last ones.
    args: Ref<Tuple>,
    kwnames: Option<Value>,
}

// SAFETY: repr(C), header first, every reference is visited.
unsafe impl Payload for Local {
    const KIND: Kind = Kind::Container;
    fn static_type() -> &'static Type {
        LOCAL.ty()
    }
    fn traverse(&self, visit: Visitor) {
        visit(self.args.as_value());
        if let Some(names) = &self.kwnames {
            visit(names);
        }
        lock(&self.namespaces).iter().for_each(|(_, dict)| visit(dict.as_value()));
    }
    fn clear(&self) {
        let dicts = std::mem::take(&mut *lock(&self.namespaces));
        drop(dicts);
    }
}

fn lock(namespaces: &Namespaces) -> std::sync::MutexGuard<'_, Vec<(u64, Ref<Dict>)>> {
    namespaces.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

pub static LOCAL: TypeSpec = TypeSpec::new::<Local>("_thread._local")
    .doc("_local()\n--\n\nThread-local data")
    .flags(type_flags::BASETYPE | type_flags::HAS_WEAKREF)
    .own_dict(|header, _| {
        // SAFETY: the type says that the object is a `Local`.
        unsafe { &*(header as *const Header as *const Local) }.existing()
    })
    .slots(slots);

thread_local! {
    /// The instances in which this thread has a namespace.
    static TOUCHED: RefCell<Vec<Weak<Namespaces>>> = const { RefCell::new(Vec::new()) };
}

/// Drops the calling thread's namespaces: it is about to end.
pub fn thread_ends() {
    let this = get_ident();
    for namespaces in TOUCHED.take() {
        let Some(namespaces) = namespaces.upgrade() else { continue };
        let dropped = {
            let mut namespaces = lock(&namespaces);
            namespaces.iter().position(|(thread, _)| *thread == this).map(|at| namespaces.swap_remove(at))
        };
        drop(dropped);
    }
}

impl Local {
    fn existing(&self) -> Option<Ref<Dict>> {
        let this = get_ident();
        lock(&self.namespaces).iter().find(|(thread, _)| *thread == this).map(|(_, dict)| dict.clone())
    }

    fn create(&self) -> Ref<Dict> {
        let dict = Dict::new();
        lock(&self.namespaces).push((get_ident(), dict.clone()));
        TOUCHED.with_borrow_mut(|touched| {
            if touched.len() == touched.capacity() {
                touched.retain(|namespaces| namespaces.strong_count() > 0);
            }
            touched.push(Arc::downgrade(&self.namespaces));
        });
        dict
    }

    /// The calling thread's namespace.
    fn namespace(&self, vm: &Vm, this: &Value) -> Result<Ref<Dict>> {
        if let Some(dict) = self.existing() {
            return Ok(dict);
        }
        let dict = self.create();
        let init = this.ty().slots().init.filter(|_| has_init(this.ty()));
        if let Some(init) = init
            && let Err(raised) = init(vm, this, self.args.as_slice(), self.kwnames.as_ref())
        {
            // The thread gets another chance at its next access.
            let ident = get_ident();
            let dropped = {
                let mut namespaces = lock(&self.namespaces);
                namespaces.iter().position(|(thread, _)| *thread == ident).map(|at| namespaces.swap_remove(at))
            };
            vm.preserving_exception(|_| drop(dropped));
            return Err(raised);
        }
        Ok(dict)
    }
}

/// Whether the class has an `__init__` of its own.
fn has_init(ty: &Type) -> bool {
    let own = ty.slots().init.map(|init| init as usize);
    own != LOCAL.ty().slots().init.map(|init| init as usize)
}

fn of(this: &Value) -> &Local {
    this.downcast::<Local>().expect("slots are called with instances of their type")
}

fn setattr(vm: &Vm, this: &Value, name: &Value, value: Option<&Value>) -> Result<()> {
    of(this).namespace(vm, this)?;
    if name.is(&names().__dict__) {
        let class = this.ty().name();
        let message = format!("'{class}' object attribute '__dict__' is read-only");
        return Err(vm.attribute_error_for(message, this, name));
    }
    lookup::generic_setattr(vm, this, name, value)
}

fn slots(s: &mut Slots) {
    s.new = Some(|vm, class, args, kwnames| {
        let ty = class_of(class);
        if !args.is_empty() && !has_init(ty) {
            return Err(vm.type_error("Initialization arguments are not supported"));
        }
        let local = Local {
            header: Header::new(ty),
            namespaces: Arc::default(),
            args: Tuple::from_slice(args),
            kwnames: kwnames.cloned(),
        };
        let local = Ref::new_with_type(ty, local);
        // The constructor's own call of `__init__` is the one for this thread.
        local.create();
        Ok(local.into_value())
    });
    s.getattro = Some(|vm, this, name| {
        let dict = of(this).namespace(vm, this)?;
        if name.is(&names().__dict__) {
            return Ok(dict.into_value());
        }
        lookup::generic_getattr(vm, this, name)
    });
    s.setattro = Some(setattr);
}
