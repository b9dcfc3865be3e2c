//! `CField`: the descriptor of a field of a structure or union.

use std::cell::Cell;

use taipan_object::builtins::int;
use taipan_object::builtins::str::Str;
use taipan_object::header::Header;
use taipan_object::heap::Kind as HeapKind;
use taipan_object::native::{GetSetDef, MemberDef};
use taipan_object::object::{Payload, Ref, Visitor};
use taipan_object::types::{Type, TypeSpec, type_flags};
use taipan_object::{Result, Value, Vm};

use super::cdata::{self, Access, CData};
use super::codes::Bits;
use super::ctype::{self, CType, Kind};
use crate::payload::signature;

#[repr(C)]
pub struct Field {
    header: Header,
    pub name: Value,
    /// The field's type.
    pub class: Value,
    pub offset: isize,
    pub size: usize,
    /// Its place among what the structure keeps alive.
    pub index: usize,
    access: Access,
    pub anonymous: Cell<bool>,
}

// SAFETY: repr(C), header first, visits its references.
unsafe impl Payload for Field {
    const KIND: HeapKind = HeapKind::Container;
    fn static_type() -> &'static Type {
        FIELD.ty()
    }
    fn traverse(&self, visit: Visitor) {
        visit(&self.name);
        visit(&self.class);
    }
}

pub static FIELD: TypeSpec = TypeSpec::new::<Field>("ctypes.CField")
    .doc("A field of a structure or union.")
    .flags(type_flags::SHOWN_AS_HEAPTYPE)
    .slots(|s| {
        s.new = Some(new);
        s.repr = Some(repr);
        s.descr_get = Some(|vm, this, instance, _| match instance {
            Some(instance) => get(vm, this, instance),
            None => Ok(this.clone()),
        });
        s.descr_set = Some(set);
    })
    .members(&[
        MemberDef::new("name", "name of this field", |_, this| Ok(Field::of(this).name.clone())),
        MemberDef::new("type", "type of this field", |_, this| Ok(Field::of(this).class.clone())),
        MemberDef::new("offset", "as byte_offset", |_, this| Ok(Value::from(Field::of(this).offset as i64))),
        MemberDef::new("byte_offset", "offset in bytes; that of the bits is not in it", |_, this| {
            Ok(Value::from(Field::of(this).offset as i64))
        }),
        MemberDef::new("byte_size", "size in bytes", |_, this| Ok(Value::from(Field::of(this).size))),
        MemberDef::new("bit_offset", "offset in bits from byte_offset; zero unless it is a bit field", |_, this| {
            Ok(Value::from(Field::of(this).bits().map_or(0, |bits| bits.offset)))
        }),
    ])
    .getset(&[
        GetSetDef::new("size", "size in bytes; of a bit field its bits and their offset, packed", |_, this| {
            let own = Field::of(this);
            Ok(match own.bits() {
                Some(bits) => Value::from((bits.count as i64) << 16 | bits.offset as i64),
                None => Value::from(own.size),
            })
        }),
        GetSetDef::new("bit_size", "size in bits", |_, this| {
            let own = Field::of(this);
            Ok(own.bits().map_or(int::from_i128(own.size as i128 * 8), |bits| Value::from(bits.count)))
        }),
        GetSetDef::new("is_bitfield", "whether it is a bit field", |_, this| {
            Ok(Value::bool(Field::of(this).bits().is_some()))
        }),
        GetSetDef::new("is_anonymous", "whether its fields are those of the structure", |_, this| {
            Ok(Value::bool(Field::of(this).anonymous.get()))
        }),
    ]);

impl Field {
    pub fn of(this: &Value) -> &Field {
        this.downcast::<Field>().expect("methods are called with instances of their type")
    }

    pub fn bits(&self) -> Option<Bits> {
        match self.access {
            Access::Bits(bits) => Some(bits),
            _ => None,
        }
    }

    /// The same field as one of a structure that contains this one's.
    pub fn moved(&self, index: usize, offset: isize) -> Value {
        Ref::new(Field {
            header: Header::new(FIELD.ty()),
            name: self.name.clone(),
            class: self.class.clone(),
            offset: self.offset + offset,
            size: self.size,
            index: self.index + index,
            access: self.access,
            anonymous: Cell::new(self.anonymous.get()),
        })
        .into_value()
    }

    /// Where the field is in an instance.
    fn place(&self, vm: &Vm, instance: &Value) -> Result<*mut u8> {
        let Some(own) = instance.downcast::<CData>() else { return Err(vm.type_error("not a ctype instance")) };
        let end = usize::try_from(self.offset).ok().and_then(|offset| offset.checked_add(self.size));
        if end.is_none_or(|end| end > own.size()) {
            return Err(vm.value_error("the field is not within the instance"));
        }
        Ok(own.pointer().wrapping_offset(self.offset))
    }
}

signature! { SIGNATURE = "CField(*, name, type, byte_size, byte_offset, index, _internal_use, bit_size=None, bit_offset=None)" }

fn new(vm: &Vm, _: &Value, args: &[Value], kwnames: Option<&Value>) -> Result {
    let bound = SIGNATURE.bind(vm, args, kwnames)?;
    let [name, class, byte_size, byte_offset, index, _, bit_size, bit_offset] = &bound[..] else {
        unreachable!("the signature has eight parameters")
    };
    vm.expect_str(name, |got| format!("CField() argument 'name' must be str, not {got}"))?;
    let size = vm.index_ssize(byte_size)?;
    let offset = vm.index_ssize(byte_offset)? as isize;
    let index = vm.index_ssize(index)?;
    let shown = vm.repr_string(name)?;
    let info = ctype::info_of_class(class);
    let Some(info) = info else { return Err(vm.type_error(format!("type of field {shown} must be a C type"))) };
    if size != info.size as i64 {
        let wanted = info.size;
        return Err(vm.value_error(format!("byte size of field {shown} ({size}) does not match type size ({wanted})")));
    }
    let Ok(index) = usize::try_from(index) else { return Err(vm.value_error("the index of a field is not negative")) };
    let item = info.proto.as_ref().and_then(ctype::info_of_class).and_then(|item| item.code);
    let mut access = match item {
        Some(code) if info.kind == Kind::Array && code.is_char() => Access::Chars,
        Some(code) if info.kind == Kind::Array && code.is_wide_char() => Access::WideChars,
        _ => Access::Plain,
    };
    if let Some(count) = bit_size.given() {
        let Some(offset) = bit_offset.given() else { return Err(vm.type_error("an integer is required")) };
        let (count, offset) = (vm.index_ssize(count)?, vm.index_ssize(offset)?);
        if !info.code.is_some_and(|code| code.can_be_bits()) {
            let class = CType::of(class).class().name();
            return Err(vm.type_error(format!("bit fields not allowed for type {class}")));
        }
        if count <= 0 || count > 255 {
            return Err(vm.value_error(format!("bit size of field {shown} out of range, got {count}")));
        }
        if !(0..=255).contains(&offset) {
            return Err(vm.value_error(format!("bit offset of field {shown} out of range, got {offset}")));
        }
        let width = size.saturating_mul(8);
        if offset + count > width {
            return Err(vm.value_error(format!("bit field {shown} overflows its type ({offset} + {count} > {width})")));
        }
        access = Access::Bits(Bits { count: count as u32, offset: offset as u32 });
    }
    Ok(Ref::new(Field {
        header: Header::new(FIELD.ty()),
        name: name.downcast_ref::<Str>().map_or(Value::NONE, |text| text.interned(name)),
        class: class.clone(),
        offset,
        size: info.size,
        index,
        access,
        anonymous: Cell::new(false),
    })
    .into_value())
}

fn repr(vm: &Vm, this: &Value) -> Result {
    let own = Field::of(this);
    let (name, class) = (vm.repr_string(&own.name)?, CType::of(&own.class).class().name());
    let offset = own.offset;
    Ok(Value::from(match own.bits() {
        Some(Bits { count, offset: at }) => {
            format!("<ctypes.CField {name} type={class}, ofs={offset}, bit_size={count}, bit_offset={at}>")
        }
        None => format!("<ctypes.CField {name} type={class}, ofs={offset}, size={}>", own.size),
    }))
}

fn get(vm: &Vm, this: &Value, instance: &Value) -> Result {
    let own = Field::of(this);
    let pointer = own.place(vm, instance)?;
    cdata::read(vm, &own.class, own.access, instance, own.index, own.size, pointer)
}

fn set(vm: &Vm, this: &Value, instance: &Value, value: Option<&Value>) -> Result<()> {
    let own = Field::of(this);
    let pointer = own.place(vm, instance)?;
    let Some(value) = value else { return Err(vm.type_error("can't delete attribute")) };
    cdata::write(vm, &own.class, own.access, instance, value, own.index, own.size, pointer)
}
