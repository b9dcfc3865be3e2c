//! `operator.attrgetter`, `itemgetter` and `methodcaller`.

use crate::payload::{class_of, payload};
use taipan_object::builtins::str::{Str, StrBuilder};
use taipan_object::builtins::tuple::Tuple;
use taipan_object::native::{GetSetDef, MethodDef};
use taipan_object::types::{TypeSpec, type_flags};
use taipan_object::{Result, Value, Vm, method_table};

payload! {
    /// `operator.attrgetter`: for each attribute its dotted path, as a tuple of names.
    pub struct AttrGetter(AttrGetterState): ATTRGETTER { attrs: Value, paths: Vec<Vec<Value>> }
}
payload! {
    /// `operator.itemgetter`
    pub struct ItemGetter(ItemGetterState): ITEMGETTER { items: Value }
}
payload! {
    /// `operator.methodcaller`: the name, positional arguments and keyword arguments with their names.
    pub struct MethodCaller(MethodCallerState): METHODCALLER {
        name: Value, arguments: Value, keywords: Option<Value>
    }
}

fn positional(vm: &Vm, name: &str, args: &[Value], kwnames: Option<&Value>) -> Result<()> {
    if kwnames.is_some_and(|names| vm.tuple_len(names) > 0) {
        return Err(vm.type_error(format!("{name}() takes no keyword arguments")));
    }
    if args.is_empty() {
        return Err(vm.type_error(format!("{name} expected 1 argument, got 0")));
    }
    Ok(())
}

/// The one argument of a call of a getter.
fn operand<'a>(vm: &Vm, name: &str, args: &'a [Value], kwnames: Option<&Value>) -> Result<&'a Value> {
    if kwnames.is_some_and(|names| vm.tuple_len(names) > 0) {
        return Err(vm.type_error(format!("{name}() takes no keyword arguments")));
    }
    match args {
        [object] => Ok(object),
        _ => Err(vm.type_error(format!("{name} expected 1 argument, got {}", args.len()))),
    }
}

pub static ATTRGETTER: TypeSpec = TypeSpec::new::<AttrGetter>("operator.attrgetter")
    .doc(
        "attrgetter(attr, /, *attrs)\n\
        --\n\n\
        A callable that gets attributes of its argument.\n\
        attrgetter('x')(obj) is obj.x; with several names the result is a\n\
        tuple, so that attrgetter('x', 'y')(obj) is (obj.x, obj.y).\n\
        A name may have dots: attrgetter('x.y')(obj) is obj.x.y.",
    )
    .flags(type_flags::BASETYPE)
    .slots(|s| {
        s.new = Some(|vm, class, args, kwnames| {
            positional(vm, "attrgetter", args, kwnames)?;
            let mut paths = Vec::new();
            for attribute in args {
                let name = vm.expect_str(attribute, |_| "attribute name must be a string".to_string())?;
                paths.push(split_path(name));
            }
            let attrs = Tuple::from_slice(args).into_value();
            Ok(AttrGetter::make(class_of(class), AttrGetterState { attrs, paths }))
        });
        s.call = Some(|vm, this, args, kwnames| {
            let object = operand(vm, "attrgetter", args, kwnames)?;
            let getter = AttrGetter::of(this);
            let count = getter.with(|state| state.paths.len());
            let single = getter.with(|state| match &state.paths[..] {
                [path] if path.len() == 1 => Some(path[0].clone()),
                _ => None,
            });
            if let Some(name) = single {
                return vm.get_attr(object, &name);
            }
            let mut found = Vec::with_capacity(count);
            for at in 0..count {
                let path = getter.with(|state| state.paths.get(at).cloned()).unwrap_or_default();
                let mut value = object.clone();
                for name in &path {
                    value = vm.get_attr(&value, name)?;
                }
                found.push(value);
            }
            Ok(match count {
                1 => found.remove(0),
                _ => Tuple::from_vec(found).into_value(),
            })
        });
        s.repr = Some(|vm, this| {
            let attrs = AttrGetter::of(this).with(|state| state.attrs.clone());
            repr_call(vm, this, "operator.attrgetter", &[attrs], None)
        });
    })
    .methods(ATTRGETTER_METHODS)
    .getset(TEXT_SIGNATURE);

fn split_path(name: &Str) -> Vec<Value> {
    let points = name.to_code_points();
    let parts = points.split(|point| *point == '.' as u32);
    parts.map(|part| taipan_object::builtins::str::intern_value(Str::from_code_points(part).into_value())).collect()
}

method_table! { static ATTRGETTER_METHODS = [
    MethodDef::new("__reduce__($self, /)", "Give what pickle needs to rebuild the object", |_, this, _| {
        let attrs = AttrGetter::of(this).with(|state| state.attrs.clone());
        Ok(Tuple::from_array([this.ty().to_value(), attrs]).into_value())
    }),
]; }

pub static ITEMGETTER: TypeSpec = TypeSpec::new::<ItemGetter>("operator.itemgetter")
    .doc(
        "itemgetter(item, /, *items)\n\
        --\n\n\
        A callable that gets items of its argument.\n\
        itemgetter(0)(obj) is obj[0]; with several keys the result is a tuple,\n\
        so that itemgetter(0, 'k')(obj) is (obj[0], obj['k'])",
    )
    .flags(type_flags::BASETYPE)
    .slots(|s| {
        s.new = Some(|vm, class, args, kwnames| {
            positional(vm, "itemgetter", args, kwnames)?;
            let items = Tuple::from_slice(args).into_value();
            Ok(ItemGetter::make(class_of(class), ItemGetterState { items }))
        });
        s.call = Some(|vm, this, args, kwnames| {
            let object = operand(vm, "itemgetter", args, kwnames)?;
            let items = ItemGetter::of(this).with(|state| state.items.clone());
            let items = items.downcast::<Tuple>().map_or(&[][..], Tuple::as_slice);
            if let [item] = items {
                return vm.get_item(object, item);
            }
            let mut found = Vec::with_capacity(items.len());
            for item in items {
                found.push(vm.get_item(object, item)?);
            }
            Ok(Tuple::from_vec(found).into_value())
        });
        s.repr = Some(|vm, this| {
            let items = ItemGetter::of(this).with(|state| state.items.clone());
            repr_call(vm, this, "operator.itemgetter", &[items], None)
        });
    })
    .methods(ITEMGETTER_METHODS)
    .getset(TEXT_SIGNATURE);

method_table! { static ITEMGETTER_METHODS = [
    MethodDef::new("__reduce__($self, /)", "Give what pickle needs to rebuild the object", |_, this, _| {
        let items = ItemGetter::of(this).with(|state| state.items.clone());
        Ok(Tuple::from_array([this.ty().to_value(), items]).into_value())
    }),
]; }

pub static METHODCALLER: TypeSpec = TypeSpec::new::<MethodCaller>("operator.methodcaller")
    .doc(
        "methodcaller(name, /, *args, **kwargs)\n\
        --\n\n\
        A callable that calls a method of its argument.\n\
        methodcaller('m')(obj) is obj.m(); further arguments are passed on, so\n\
        that methodcaller('m', 1, k=2)(obj) is obj.m(1, k=2).",
    )
    .flags(type_flags::BASETYPE)
    .slots(|s| {
        s.new = Some(|vm, class, args, kwnames| {
            let keywords = kwnames.map_or(0, |names| vm.tuple_len(names));
            if args.len() == keywords {
                return Err(vm.type_error("methodcaller needs at least one argument, the method name"));
            }
            vm.expect_str(&args[0], |_| "method name must be a string".to_string())?;
            let name = vm.attribute_name(&args[0])?;
            let arguments = Tuple::from_slice(&args[1..]).into_value();
            let keywords = kwnames.filter(|_| keywords > 0).cloned();
            Ok(MethodCaller::make(class_of(class), MethodCallerState { name, arguments, keywords }))
        });
        s.call = Some(|vm, this, args, kwnames| {
            let object = operand(vm, "methodcaller", args, kwnames)?;
            let (name, arguments, keywords) = MethodCaller::of(this)
                .with(|state| (state.name.clone(), state.arguments.clone(), state.keywords.clone()));
            let arguments = arguments.downcast::<Tuple>().map_or(&[][..], Tuple::as_slice);
            if keywords.is_none() {
                return vm.call_method_name(object, &name, arguments);
            }
            let method = vm.get_attr(object, &name)?;
            vm.call(&method, arguments, keywords.as_ref())
        });
        s.repr = Some(|vm, this| {
            let (name, arguments, keywords) = MethodCaller::of(this)
                .with(|state| (state.name.clone(), state.arguments.clone(), state.keywords.clone()));
            let name = Tuple::from_array([name]).into_value();
            repr_call(vm, this, "operator.methodcaller", &[name, arguments], keywords.as_ref())
        });
    })
    .methods(METHODCALLER_METHODS)
    .getset(TEXT_SIGNATURE);

method_table! { static METHODCALLER_METHODS = [
    MethodDef::new("__reduce__($self, /)", "Give what pickle needs to rebuild the object", |vm, this, _| {
        let (name, arguments, keywords) =
            MethodCaller::of(this).with(|state| (state.name.clone(), state.arguments.clone(), state.keywords.clone()));
        let arguments = arguments.downcast::<Tuple>().map_or(&[][..], Tuple::as_slice);
        let Some(keywords) = keywords else {
            let mut all = vec![name];
            all.extend(arguments.iter().cloned());
            return Ok(Tuple::from_array([this.ty().to_value(), Tuple::from_vec(all).into_value()]).into_value());
        };
        // The constructor with the keyword arguments bound, to be called with the positional ones.
        let names = keywords.downcast::<Tuple>().map_or(&[][..], Tuple::as_slice);
        let positional = arguments.len() - names.len();
        let mut all = vec![this.ty().to_value(), name];
        all.extend(arguments[positional..].iter().cloned());
        let partial = vm.import_from("functools", "partial")?;
        let constructor = vm.call(&partial, &all, Some(&keywords))?;
        Ok(Tuple::from_array([constructor, Tuple::from_slice(&arguments[..positional]).into_value()]).into_value())
    }),
]; }

/// `name(args, key=value)`; with `kwnames`, the last arguments are the values of keywords.
fn repr_call(vm: &Vm, this: &Value, name: &str, args: &[Value], kwnames: Option<&Value>) -> Result {
    if !vm.enter_repr(this) {
        return Ok(Value::from(format!("{name}(...)")));
    }
    let result = repr_arguments(vm, name, args, kwnames);
    vm.leave_repr(this);
    result
}

fn repr_arguments(vm: &Vm, name: &str, args: &[Value], kwnames: Option<&Value>) -> Result {
    let mut all = Vec::new();
    for part in args {
        all.extend_from_slice(part.downcast::<Tuple>().map_or(&[][..], Tuple::as_slice));
    }
    let names = kwnames.and_then(|names| names.downcast::<Tuple>()).map_or(&[][..], Tuple::as_slice);
    let positional = all.len() - names.len();
    let mut text = StrBuilder::new();
    text.push_str(name);
    text.push_str("(");
    for (at, value) in all.iter().enumerate() {
        if at > 0 {
            text.push_str(", ");
        }
        if let Some(name) = at.checked_sub(positional).and_then(|at| names.get(at)).and_then(|n| n.downcast::<Str>()) {
            text.push_text(name);
            text.push_str("=");
        }
        text.push_repr(vm, value)?;
    }
    text.push_str(")");
    Ok(text.finish().into_value())
}

/// What `inspect.signature` reads for the instances, which take one object.
static TEXT_SIGNATURE: &[GetSetDef] = &[GetSetDef::new("__text_signature__", "", |_, _| Ok(Value::from("(obj, /)")))];
