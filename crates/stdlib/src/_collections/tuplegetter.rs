//! `_tuplegetter`: the descriptor of a `namedtuple` field.

use crate::payload::{class_of, payload, signature};
use taipan_object::builtins::tuple::Tuple;
use taipan_object::native::{MemberDef, MethodDef};
use taipan_object::types::TypeSpec;
use taipan_object::{Value, method_table};

payload! {
    pub struct TupleGetter(TupleGetterState): TUPLEGETTER { index: i64, doc: Value }
}

signature!(NEW = "_tuplegetter(index, doc, /)");

pub static TUPLEGETTER: TypeSpec = TypeSpec::new::<TupleGetter>("collections._tuplegetter")
    .slots(|s| {
        s.new = Some(|vm, class, args, kwnames| {
            let bound = NEW.bind(vm, args, kwnames)?;
            let index = vm.index_i64(&bound[0])?;
            Ok(TupleGetter::make(class_of(class), TupleGetterState { index, doc: bound[1].clone() }))
        });
        s.repr = Some(|vm, this| {
            let (index, doc) = TupleGetter::of(this).with(|state| (state.index, state.doc.clone()));
            let doc = vm.repr_string(&doc)?;
            Ok(Value::from(format!("{}({index}, {doc})", this.ty().short_name())))
        });
        s.descr_get = Some(|vm, this, object, owner| {
            let index = TupleGetter::of(this).with(|state| state.index);
            let Some(object) = object else { return Ok(this.clone()) };
            let Some(tuple) = object.downcast::<Tuple>() else {
                if object.is_none() && owner.is_some_and(|owner| !owner.is_none()) {
                    return Ok(this.clone());
                }
                return Err(vm.type_error(format!(
                    "descriptor for index '{index}' for tuple subclasses doesn't apply to '{}' object",
                    object.ty().name()
                )));
            };
            match usize::try_from(index).ok().and_then(|index| tuple.as_slice().get(index)) {
                Some(item) => Ok(item.clone()),
                None => Err(vm.index_error("tuple index out of range")),
            }
        });
        s.descr_set = Some(|vm, _, _, value| {
            Err(vm.attribute_error(if value.is_some() { "can't set attribute" } else { "can't delete attribute" }))
        });
    })
    .members(&[MemberDef::new("__doc__", "", |_, this| Ok(TupleGetter::of(this).with(|state| state.doc.clone())))
        .setter(|_, this, value| {
            let value = value.cloned().unwrap_or(Value::NONE);
            let old = TupleGetter::of(this).with(|state| std::mem::replace(&mut state.doc, value));
            drop(old);
            Ok(())
        })])
    .methods(METHODS);

method_table! { static METHODS = [
    MethodDef::new("__reduce__($self, /)", "", |_, this, _| {
        let (index, doc) = TupleGetter::of(this).with(|state| (state.index, state.doc.clone()));
        let arguments = Tuple::from_array([Value::from(index), doc]).into_value();
        Ok(Tuple::from_array([this.ty().to_value(), arguments]).into_value())
    }),
]; }
