//! `CArgObject`: an argument of a foreign function, converted.

use std::sync::{Arc, LazyLock};

use smallvec::{SmallVec, smallvec};
use taipan_object::header::Header;
use taipan_object::heap::Kind;
use taipan_object::native::MemberDef;
use taipan_object::object::{Payload, Ref, Visitor};
use taipan_object::types::{Type, TypeSpec, type_flags};
use taipan_object::{Result, Value, Vm};

use super::abi::Shape;
use super::cdata::CData;
use super::ctype::Kind as CKind;

/// An argument: its bytes, how they are passed, and what keeps alive what they point to.
#[repr(C)]
pub struct Argument {
    header: Header,
    /// A type code; `V` for a structure.
    pub tag: u8,
    object: Option<Value>,
    pub shape: Arc<Shape>,
    data: SmallVec<[u64; 4]>,
}

// SAFETY: repr(C), header first, visits its reference.
unsafe impl Payload for Argument {
    const KIND: Kind = Kind::Container;
    fn static_type() -> &'static Type {
        ARGUMENT.ty()
    }
    fn traverse(&self, visit: Visitor) {
        self.object.iter().for_each(visit);
    }
}

pub static ARGUMENT: TypeSpec = TypeSpec::new::<Argument>("_ctypes.CArgObject")
    .flags(type_flags::DISALLOW_INSTANTIATION)
    .slots(|s| s.repr = Some(repr))
    .members(&[MemberDef::new("_obj", "the wrapped object", |_, this| {
        Ok(Argument::of(this).object.clone().unwrap_or(Value::NONE))
    })]);

fn pointer_shape() -> Arc<Shape> {
    static SHAPE: LazyLock<Arc<Shape>> = LazyLock::new(|| Arc::new(Shape::pointer()));
    SHAPE.clone()
}

impl Argument {
    fn of(this: &Value) -> &Argument {
        this.downcast::<Argument>().expect("methods are called with instances of their type")
    }

    /// An argument with the bytes at `from`, or as many zeros.
    ///
    /// # Safety
    /// `shape.size` bytes are readable at `from`, or it is null.
    pub unsafe fn new(tag: u8, object: Option<Value>, shape: Arc<Shape>, from: *const u8) -> Ref<Argument> {
        let mut data: SmallVec<[u64; 4]> = smallvec![0u64; shape.size.div_ceil(8).max(1)];
        if !from.is_null() {
            // SAFETY: by contract; the copy has room for them.
            unsafe { std::ptr::copy_nonoverlapping(from, data.as_mut_ptr().cast::<u8>(), shape.size) };
        }
        Ref::new(Argument { header: Header::new(ARGUMENT.ty()), tag, object, shape, data })
    }

    /// A pointer as an argument.
    pub fn pointer(tag: u8, target: usize, object: Option<Value>) -> Value {
        // SAFETY: the local variable has the pointer's eight bytes.
        unsafe { Self::new(tag, object, pointer_shape(), (&raw const target).cast()) }.into_value()
    }

    /// An instance as an argument: by value, or as the address of its memory.
    pub fn of_instance(value: &Value, own: &CData) -> Ref<Argument> {
        let info = own.info();
        let object = Some(value.clone());
        match info.kind {
            CKind::Array => {
                let address = own.pointer() as usize;
                // SAFETY: the local variable has the pointer's eight bytes.
                unsafe { Self::new(b'P', object, pointer_shape(), (&raw const address).cast()) }
            }
            kind => {
                let tag = match kind {
                    CKind::Simple => info.code.map_or(b'P', |code| code.letter),
                    CKind::Structure | CKind::Union => b'V',
                    _ => b'P',
                };
                // SAFETY: instances have the size of their type.
                unsafe { Self::new(tag, object, info.passing.clone(), own.pointer()) }
            }
        }
    }

    /// What keeps alive what the argument points to.
    pub fn object(&self) -> Option<Value> {
        self.object.clone()
    }

    /// The address of the bytes.
    pub fn address(&self) -> *const u8 {
        self.data.as_ptr().cast()
    }

    /// The first eight bytes.
    fn word(&self) -> u64 {
        self.data[0]
    }
}

fn repr(_: &Vm, this: &Value) -> Result {
    let own = Argument::of(this);
    let (tag, word) = (own.tag as char, own.word());
    Ok(Value::from(match own.tag {
        b'b' | b'B' => format!("<cparam '{tag}' ({})>", word as i8),
        b'h' | b'H' => format!("<cparam '{tag}' ({})>", word as i16),
        b'i' | b'I' => format!("<cparam '{tag}' ({})>", word as i32),
        b'l' | b'L' | b'q' | b'Q' => format!("<cparam '{tag}' ({})>", word as i64),
        b'd' | b'f' => {
            let number = if own.tag == b'd' { f64::from_bits(word) } else { f32::from_bits(word as u32) as f64 };
            let shown = taipan_object::text::float_repr::repr(number);
            format!("<cparam '{tag}' ({shown})>")
        }
        b'c' => match word as u8 {
            byte @ b' '..=b'~' if byte != b'\\' && byte != b'\'' => format!("<cparam 'c' ('{}')>", byte as char),
            byte => format!("<cparam 'c' ('\\x{byte:02x}')>"),
        },
        b'z' | b'Z' | b'P' if word == 0 => format!("<cparam '{tag}' (0x(nil))>"),
        b'z' | b'Z' | b'P' => format!("<cparam '{tag}' (0x{word:x})>"),
        _ => format!("<cparam '{tag}' at 0x{:x}>", this.id()),
    }))
}
