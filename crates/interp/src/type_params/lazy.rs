//! Values computed on demand: bounds, constraints, defaults and values of aliases.

use taipan_object::builtins::tuple::Tuple;
use taipan_object::cell::ObjectCell;
use taipan_object::header::Header;
use taipan_object::heap::Kind;
use taipan_object::native::signature::Signature;
use taipan_object::object::{Payload, Visitor};
use taipan_object::types::{Type, TypeSpec, type_flags};
use taipan_object::{Ref, Result, Value, Vm};

use std::sync::LazyLock;

/// A value, or the function (of a format, as `__annotate__`) that computes it.
pub struct Lazy {
    state: ObjectCell<State>,
}

struct State {
    value: Option<Value>,
    evaluate: Option<Value>,
}

const FORMAT_VALUE: i64 = 1;
const FORMAT_STRING: i64 = 4;

impl Lazy {
    fn new(value: Option<Value>, evaluate: Option<Value>) -> Lazy {
        Lazy { state: ObjectCell::new(State { value, evaluate }) }
    }

    pub fn absent() -> Lazy {
        Lazy::new(None, None)
    }

    pub fn computed(value: Value) -> Lazy {
        Lazy::new(Some(value), None)
    }

    pub fn deferred(evaluate: Value) -> Lazy {
        Lazy::new(None, Some(evaluate))
    }

    pub fn defer(&self, owner: &Header, evaluate: Value) {
        let old = std::mem::replace(&mut *self.state.borrow(owner), State { value: None, evaluate: Some(evaluate) });
        drop(old);
    }

    pub fn traverse(&self, visit: Visitor) {
        // SAFETY: the collector has stopped the world.
        let state = unsafe { &*self.state.as_ptr() };
        state.value.iter().chain(&state.evaluate).for_each(visit);
    }

    pub fn clear(&self, owner: &Header) {
        let old = std::mem::replace(&mut *self.state.borrow(owner), State { value: None, evaluate: None });
        drop(old);
    }

    pub fn is_given(&self, owner: &Header) -> bool {
        let state = self.state.borrow(owner);
        state.value.is_some() || state.evaluate.is_some()
    }

    /// The value, computed if it has not been before; `None` if there is none.
    pub fn get(&self, vm: &Vm, owner: &Header) -> Result<Option<Value>> {
        let (value, evaluate) = {
            let state = self.state.borrow(owner);
            (state.value.clone(), state.evaluate.clone())
        };
        let Some(evaluate) = evaluate.filter(|_| value.is_none()) else { return Ok(value) };
        let value = vm.call(&evaluate, &[Value::small_int(FORMAT_VALUE)], None)?;
        let old = self.state.borrow(owner).value.replace(value.clone());
        drop(old);
        Ok(Some(value))
    }

    /// What computes the value; `None` if there is none.
    pub fn evaluator(&self, owner: &Header) -> Value {
        let state = self.state.borrow(owner);
        match (&state.evaluate, &state.value) {
            (Some(evaluate), _) => evaluate.clone(),
            (None, Some(value)) => const_evaluator(value.clone()),
            (None, None) => Value::NONE,
        }
    }
}

/// An evaluation function for a value that is known.
#[repr(C)]
struct ConstEvaluator {
    header: Header,
    value: Value,
}

// SAFETY: repr(C), header first, visits the value.
unsafe impl Payload for ConstEvaluator {
    const KIND: Kind = Kind::Container;
    fn static_type() -> &'static Type {
        CONST_EVALUATOR.ty()
    }
    fn traverse(&self, visit: Visitor) {
        visit(&self.value);
    }
}

static CONST_EVALUATOR: TypeSpec =
    TypeSpec::new::<ConstEvaluator>("_typing._ConstEvaluator").flags(type_flags::DISALLOW_INSTANTIATION).slots(|s| {
        s.repr = Some(|vm, this| Ok(Value::from(format!("<constevaluator {}>", vm.repr_string(&own(this).value)?))));
        s.call = Some(|vm, this, args, kwnames| {
            static SIGNATURE: LazyLock<Signature> =
                LazyLock::new(|| Signature::parse("constevaluator.__call__(format, /)"));
            let format = SIGNATURE.bind(vm, args, kwnames)?;
            let value = &own(this).value;
            if vm.index_i64(&format[0])? != FORMAT_STRING {
                return Ok(value.clone());
            }
            let shown = match value.downcast::<Tuple>() {
                Some(items) => {
                    let shown: Result<Vec<String>> = items.as_slice().iter().map(|item| type_repr(vm, item)).collect();
                    format!("({})", shown?.join(", "))
                }
                None => type_repr(vm, value)?,
            };
            Ok(Value::from(shown))
        });
    });

fn own(this: &Value) -> &ConstEvaluator {
    this.downcast::<ConstEvaluator>().expect("called through its own slot")
}

fn type_repr(vm: &Vm, value: &Value) -> Result<String> {
    taipan_object::builtins::generic_alias::repr_item(vm, value)
}

pub fn const_evaluator(value: Value) -> Value {
    Ref::new(ConstEvaluator { header: Header::new(CONST_EVALUATOR.ty()), value }).into_value()
}
