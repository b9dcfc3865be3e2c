//! `functools.KeyWrapper`: what `cmp_to_key` returns, and the keys that it makes.

use crate::payload::{payload, signature};
use taipan_object::Value;
use taipan_object::native::{GetSetDef, MemberDef};
use taipan_object::types::{TypeSpec, type_flags};

payload! {
    /// The comparison function and, for a key, the object compared.
    pub struct KeyWrapper(KeyWrapperState): KEY_WRAPPER { compare: Value, object: Option<Value> }
}

pub fn new(compare: &Value, object: Option<&Value>) -> Value {
    KeyWrapper::make(KEY_WRAPPER.ty(), KeyWrapperState { compare: compare.clone(), object: object.cloned() })
}

signature!(CALL = "K(obj)");

pub static KEY_WRAPPER: TypeSpec = TypeSpec::new::<KeyWrapper>("functools.KeyWrapper")
    .flags(type_flags::DISALLOW_INSTANTIATION)
    .slots(|s| {
        s.call = Some(|vm, this, args, kwnames| {
            let bound = CALL.bind(vm, args, kwnames)?;
            let compare = KeyWrapper::of(this).with(|state| state.compare.clone());
            Ok(new(&compare, Some(&bound[0])))
        });
        s.richcompare = Some(|vm, this, other, op| {
            let Some(other) = other.downcast_exact::<KeyWrapper>() else {
                return Err(vm.type_error("other argument must be K instance"));
            };
            let (compare, left) = KeyWrapper::of(this).with(|state| (state.compare.clone(), state.object.clone()));
            let right = other.with(|state| state.object.clone());
            let (Some(left), Some(right)) = (left, right) else { return Err(vm.attribute_error("object")) };
            let order = vm.call_args(&compare, &[left, right])?;
            vm.rich_compare(&order, &Value::small_int(0), op)
        });
    })
    .members(MEMBERS)
    .getset(GETSET);

static MEMBERS: &[MemberDef] = &[MemberDef::new("obj", "Value wrapped by a key function.", |_, this| {
    Ok(KeyWrapper::of(this).with(|state| state.object.clone()).unwrap_or(Value::NONE))
})
.setter(|vm, this, value| {
    let Some(value) = value else { return Err(vm.type_error("can't delete obj")) };
    let old = KeyWrapper::of(this).with(|state| state.object.replace(value.clone()));
    drop(old);
    Ok(())
})];

static GETSET: &[GetSetDef] = &[GetSetDef::new("__text_signature__", "", |_, _| Ok(Value::from("(obj)")))];
