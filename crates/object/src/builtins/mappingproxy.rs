//! `types.MappingProxyType`: a read-only view of a mapping.

use crate::header::Header;
use crate::heap::Kind;
use crate::object::{Payload, Ref, Visitor};
use crate::types::{Type, TypeSpec, type_flags};
use crate::value::Value;

#[repr(C)]
pub struct MappingProxy {
    pub header: Header,
    pub mapping: Value,
}

// SAFETY: repr(C), header first, visits the mapping.
unsafe impl Payload for MappingProxy {
    const KIND: Kind = Kind::Container;
    fn static_type() -> &'static Type {
        MAPPING_PROXY.ty()
    }
    fn traverse(&self, visit: Visitor) {
        visit(&self.mapping);
    }
}

pub static MAPPING_PROXY: TypeSpec = TypeSpec::new::<MappingProxy>("mappingproxy")
    .doc("Read-only proxy of a mapping.")
    .flags(type_flags::MAPPING)
    .slots(|s| {
        s.length = Some(|vm, this| vm.len(&own(this).mapping));
        s.subscript = Some(|vm, this, key| vm.get_item(&own(this).mapping, key));
        s.contains = Some(|vm, this, key| vm.contains(&own(this).mapping, key));
        s.iter = Some(|vm, this| vm.iter(&own(this).mapping));
        s.str = Some(|vm, this| vm.str(&own(this).mapping));
        s.repr = Some(|vm, this| Ok(Value::from(format!("mappingproxy({})", vm.repr_string(&own(this).mapping)?))));
        s.richcompare = Some(|vm, this, other, op| vm.rich_compare(&own(this).mapping, other, op));
    });

fn own(value: &Value) -> &MappingProxy {
    value.downcast::<MappingProxy>().expect("called through its own slot")
}

pub fn new(mapping: Value) -> Value {
    Ref::new(MappingProxy { header: Header::new(MAPPING_PROXY.ty()), mapping }).into_value()
}
