//! Declaring the payload of a native type whose state is one cell of plain fields.
//!
//! ```ignore
//! payload! {
//!     /// `itertools.cycle`
//!     pub struct Cycle(CycleState): CYCLE { iterator: Option<Value>, saved: Vec<Value>, at: usize }
//! }
//! ```
//! makes `Cycle` (header and cell), its [`Payload`](taipan_object::object::Payload) implementation (every field is
//! visited, `clear` empties the fields that hold references), `Cycle::make`, `Cycle::of` and `Cycle::with`.
//!
//! Fields that never change stand outside the cell, in brackets: `…: COMPRESS [data: Value, selectors: Value] {}`. They are
//! plain fields of `Compress` and arguments of `Compress::make`.
//!
//! `…: BYTES_IO finalized if of_subclass {…}` names a function of the header that says whether an object that is about to be
//! deallocated has to be finalized; without it all are.

use taipan_object::builtins::tuple::ReusedPair;
use taipan_object::object::Visitor;
use taipan_object::{Ref, Value};

/// A field of a payload's state.
pub trait Field {
    /// Visits the references owned.
    fn visit(&self, visit: Visitor);
    /// Gives up the references owned; plain data stays.
    fn take(&mut self) -> Self;
}

impl Field for Value {
    fn visit(&self, visit: Visitor) {
        visit(self);
    }
    fn take(&mut self) -> Self {
        std::mem::replace(self, Value::NONE)
    }
}
/// For fields outside the cell, which live as long as the object.
impl<T: taipan_object::object::Payload> Field for Ref<T> {
    fn visit(&self, visit: Visitor) {
        visit(self.as_value());
    }
    fn take(&mut self) -> Self {
        self.clone()
    }
}
impl<T: taipan_object::object::Payload> Field for Option<Ref<T>> {
    fn visit(&self, visit: Visitor) {
        if let Some(object) = self {
            visit(object.as_value());
        }
    }
    fn take(&mut self) -> Self {
        Option::take(self)
    }
}
impl Field for ReusedPair {
    fn visit(&self, visit: Visitor) {
        self.traverse(visit);
    }
    fn take(&mut self) -> Self {
        std::mem::replace(self, ReusedPair::new())
    }
}
impl Field for Option<Value> {
    fn visit(&self, visit: Visitor) {
        if let Some(value) = self {
            visit(value);
        }
    }
    fn take(&mut self) -> Self {
        Option::take(self)
    }
}
impl<T: Field> Field for Vec<T> {
    fn visit(&self, visit: Visitor) {
        self.iter().for_each(|item| item.visit(visit));
    }
    fn take(&mut self) -> Self {
        std::mem::take(self)
    }
}
impl<T: Field> Field for std::collections::VecDeque<T> {
    fn visit(&self, visit: Visitor) {
        self.iter().for_each(|item| item.visit(visit));
    }
    fn take(&mut self) -> Self {
        std::mem::take(self)
    }
}
impl<A: Field, B: Field> Field for (A, B) {
    fn visit(&self, visit: Visitor) {
        self.0.visit(visit);
        self.1.visit(visit);
    }
    fn take(&mut self) -> Self {
        (self.0.take(), self.1.take())
    }
}

impl Field for Box<[usize]> {
    fn visit(&self, _: Visitor) {}
    fn take(&mut self) -> Self {
        Box::default()
    }
}

macro_rules! plain_fields {
    ($($ty:ty),*) => { $(
        impl Field for $ty {
            fn visit(&self, _: Visitor) {}
            fn take(&mut self) -> Self {
                self.clone()
            }
        }
    )* };
}
plain_fields!(
    bool,
    u8,
    u16,
    u32,
    u64,
    i32,
    i64,
    usize,
    isize,
    f64,
    char,
    String,
    Option<usize>,
    Option<i64>,
    Option<u32>,
    Option<bool>
);

macro_rules! payload {
    ($(#[$meta:meta])* $vis:vis struct $name:ident($state:ident): $spec:ident $(finalized if $finalized:ident)?
        $([ $($fixed:ident: $fixed_ty:ty),* $(,)? ])? { $($(#[$field_meta:meta])* $field:ident: $ty:ty),* $(,)? }) => {
        $(#[$meta])*
        #[repr(C)]
        $vis struct $name {
            pub header: taipan_object::header::Header,
            $($( $vis $fixed: $fixed_ty, )*)?
            state: taipan_object::cell::ObjectCell<$state>,
        }

        $vis struct $state { $($(#[$field_meta])* $field: $ty),* }

        // SAFETY: repr(C), header first, every field of the state is visited.
        unsafe impl taipan_object::object::Payload for $name {
            const KIND: taipan_object::heap::Kind = taipan_object::heap::Kind::Container;
            fn static_type() -> &'static taipan_object::types::Type {
                $spec.ty()
            }
            #[allow(unused_variables)]
            fn traverse(&self, visit: taipan_object::object::Visitor) {
                $($( $crate::payload::Field::visit(&self.$fixed, visit); )*)?
                // SAFETY: the collector has stopped the world.
                let state = unsafe { &*self.state.as_ptr() };
                $( $crate::payload::Field::visit(&state.$field, visit); )*
            }
            $(
                fn has_to_be_finalized(&self) -> bool {
                    $finalized(&self.header)
                }
            )?
            #[allow(unused_variables, dropping_copy_types)]
            fn clear(&self) {
                let old = self.with(|state| ($( $crate::payload::Field::take(&mut state.$field), )*));
                drop(old);
            }
        }

        #[allow(dead_code)]
        impl $name {
            /// A new instance of `class`, this type or a subclass.
            $vis fn make(
                class: &taipan_object::types::Type, $($( $fixed: $fixed_ty, )*)? state: $state
            ) -> taipan_object::Value {
                let header = taipan_object::header::Header::new(class);
                let payload = $name { header, $($( $fixed, )*)? state: taipan_object::cell::ObjectCell::new(state) };
                taipan_object::Ref::new_with_type(class, payload).into_value()
            }
            /// The payload of a method's own instance.
            #[inline(always)]
            $vis fn of(value: &taipan_object::Value) -> &$name {
                value.downcast::<$name>().expect("methods are called with instances of their type")
            }
            /// Runs `f` with the state borrowed: `f` must not run Python code nor drop values.
            #[inline(always)]
            $vis fn with<R>(&self, f: impl FnOnce(&mut $state) -> R) -> R {
                f(&mut self.state.borrow(&self.header))
            }
        }
    };
}
pub(crate) use payload;

/// The class that a `tp_new` slot is asked to instantiate.
#[inline(always)]
pub fn class_of(class: &Value) -> &taipan_object::types::Type {
    class.downcast::<taipan_object::types::Type>().expect("`tp_new` gets a type")
}

/// A signature parsed on first use, for slots and raw functions.
macro_rules! signature {
    ($name:ident = $text:literal) => {
        static $name: std::sync::LazyLock<taipan_object::native::signature::Signature> =
            std::sync::LazyLock::new(|| taipan_object::native::signature::Signature::parse($text));
    };
}
pub(crate) use signature;
