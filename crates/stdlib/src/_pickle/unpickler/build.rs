//! Making of objects by their classes and reducers, and filling of containers.

use super::super::unpickling_error;
use super::load::Loader;
use smallvec::SmallVec;
use taipan_object::attributes;
use taipan_object::builtins::dict::Dict;
use taipan_object::builtins::list::List;
use taipan_object::builtins::set::{self, AnySet, Set};
use taipan_object::builtins::str::{Str, intern_value};
use taipan_object::builtins::tuple::Tuple;
use taipan_object::text::codecs::Codec;
use taipan_object::types::{Type, lookup, type_flags};
use taipan_object::vm::names;
use taipan_object::{Raised, Result, Value};

impl Loader<'_> {
    /// The object below `at`, to which what follows is added; `None` if nothing follows.
    fn receiver(&self, at: usize) -> Result<Option<Value>> {
        match at.checked_sub(1).filter(|below| *below >= self.fence()) {
            Some(_) if at == self.stack.len() => Ok(None),
            Some(below) => Ok(Some(self.stack[below].clone())),
            None => Err(self.underflow()),
        }
    }

    /// `APPENDS`
    pub fn append_from(&mut self, at: usize) -> Result<()> {
        let vm = self.vm;
        let Some(receiver) = self.receiver(at)? else { return Ok(()) };
        if let Some(list) = receiver.downcast_exact::<List>() {
            return list.append_all(vm, self.stack.drain(at..));
        }
        let items = self.stack.split_off(at);
        if let Some(extend) = vm.get_attr_str_opt(&receiver, "extend")? {
            vm.call_args(&extend, &[List::from_vec(items).into_value()])?;
            return Ok(());
        }
        let append = vm.get_attr_str(&receiver, "append")?;
        for item in items {
            vm.call_args(&append, &[item])?;
        }
        Ok(())
    }

    /// `SETITEMS`
    pub fn set_items_from(&mut self, at: usize) -> Result<()> {
        let vm = self.vm;
        let Some(receiver) = self.receiver(at)? else { return Ok(()) };
        if (self.stack.len() - at) % 2 != 0 {
            return Err(unpickling_error(vm, "odd number of items for SETITEMS"));
        }
        let dict = receiver.downcast_exact::<Dict>();
        // Comparing keys may run Python code, which does not see the stack.
        let items: SmallVec<[Value; 8]> = self.stack.drain(at..).collect();
        let mut items = items.into_iter();
        while let (Some(key), Some(value)) = (items.next(), items.next()) {
            match dict {
                Some(dict) => dict.set(vm, &key, value)?,
                None => vm.set_item(&receiver, &key, &value)?,
            }
        }
        Ok(())
    }

    /// `ADDITEMS`
    pub fn add_items(&mut self) -> Result<()> {
        let vm = self.vm;
        let at = self.mark()?;
        let Some(receiver) = self.receiver(at)? else { return Ok(()) };
        let items = self.stack.split_off(at);
        if receiver.downcast::<Set>().is_some()
            && let Some(set) = AnySet::of(&receiver)
        {
            for item in &items {
                set::add(vm, set, item)?;
            }
            return Ok(());
        }
        let add = vm.get_attr_str(&receiver, "add")?;
        for item in items {
            vm.call_args(&add, &[item])?;
        }
        Ok(())
    }

    /// `REDUCE`: calls a function.
    pub fn reduce(&mut self) -> Result<()> {
        self.need(2)?;
        let (args, function) = (self.pop()?, self.pop()?);
        let Some(arguments) = args.downcast::<Tuple>() else {
            return Err(self.vm.type_error("argument list must be a tuple"));
        };
        let object = self.vm.call_args(&function, arguments.as_slice())?;
        self.push(object);
        Ok(())
    }

    #[cold]
    fn wrong(&self, code: &str, what: &str, wanted: &str, got: &Value) -> Raised {
        let got = got.ty().name();
        unpickling_error(self.vm, format!("{code} {what} argument must be a {wanted}, not {got}"))
    }

    /// `NEWOBJ`: `cls.__new__(cls, *args)`
    pub fn newobj(&mut self) -> Result<()> {
        self.need(2)?;
        let (args, class) = (self.pop()?, self.pop()?);
        let Some(arguments) = args.downcast::<Tuple>() else {
            return Err(self.wrong("NEWOBJ", "args", "tuple", &args));
        };
        self.instantiate("NEWOBJ", &class, arguments.as_slice(), None)
    }

    /// `NEWOBJ_EX`: `cls.__new__(cls, *args, **kwargs)`
    pub fn newobj_ex(&mut self) -> Result<()> {
        self.need(3)?;
        let (keywords, args, class) = (self.pop()?, self.pop()?, self.pop()?);
        let Some(arguments) = args.downcast::<Tuple>() else {
            return Err(self.wrong("NEWOBJ_EX", "args", "tuple", &args));
        };
        let Some(named) = keywords.downcast::<Dict>() else {
            return Err(self.wrong("NEWOBJ_EX", "kwargs", "dict", &keywords));
        };
        let (mut all, mut kwnames) = (arguments.as_slice().to_vec(), Vec::new());
        for (name, value) in named.items() {
            if name.downcast::<Str>().is_none() {
                return Err(self.vm.type_error("keywords must be strings"));
            }
            kwnames.push(name);
            all.push(value);
        }
        let kwnames = (!kwnames.is_empty()).then(|| Tuple::from_vec(kwnames).into_value());
        self.instantiate("NEWOBJ_EX", &class, &all, kwnames.as_ref())
    }

    fn instantiate(&mut self, code: &str, class: &Value, args: &[Value], kwnames: Option<&Value>) -> Result<()> {
        let vm = self.vm;
        let Some(ty) = class.downcast::<Type>() else { return Err(self.wrong(code, "class", "type", class)) };
        let object = match ty.slots().new {
            Some(new) if !ty.has_flags(type_flags::DISALLOW_INSTANTIATION) => new(vm, class, args, kwnames)?,
            _ => {
                let name = ty.name();
                return Err(unpickling_error(vm, format!("{code} class argument '{name}' doesn't have __new__")));
            }
        };
        self.push(object);
        Ok(())
    }

    /// `INST`: an instance of a class that is named, with what follows the mark as arguments.
    pub fn inst(&mut self) -> Result<()> {
        let at = self.mark()?;
        let (module, name) = self.two_lines(Codec::Ascii)?;
        let class = self.find_class(&module, &name)?;
        let args = self.stack.split_off(at);
        self.old_instance(&class, &args)
    }

    /// `OBJ`: as `INST`, the class standing before the arguments.
    pub fn obj(&mut self) -> Result<()> {
        let items = self.pop_to_mark()?;
        match items.split_first() {
            Some((class, args)) => self.old_instance(class, args),
            None => Err(self.underflow()),
        }
    }

    /// What the protocols of Python 1 call an instance: made without `__init__` if there is nothing to say to it.
    fn old_instance(&mut self, class: &Value, args: &[Value]) -> Result<()> {
        let vm = self.vm;
        let is_class = class.downcast::<Type>().is_some();
        let called = !args.is_empty() || !is_class || vm.get_attr_str_opt(class, "__getinitargs__")?.is_some();
        let object = match called {
            true => vm.call_args(class, args)?,
            false => vm.call_method_name(class, &names().__new__, std::slice::from_ref(class))?,
        };
        self.push(object);
        Ok(())
    }

    /// `BUILD`: gives an object its state.
    pub fn build(&mut self) -> Result<()> {
        let vm = self.vm;
        let at = self.need(2)?;
        let state = self.pop()?;
        let object = self.stack[at].clone();
        if let Some(set_state) = vm.get_attr_opt(&object, &names().__setstate__)? {
            vm.call_args(&set_state, &[state])?;
            return Ok(());
        }
        // A pair is the attributes and the values of `__slots__`.
        let (attributes, slots) = match state.downcast::<Tuple>().map(Tuple::as_slice) {
            Some([attributes, slots]) => (attributes.clone(), slots.clone()),
            _ => (state, Value::NONE),
        };
        if !attributes.is_none() {
            let Some(attributes) = attributes.downcast::<Dict>() else {
                return Err(unpickling_error(vm, "state is not a dictionary"));
            };
            self.set_attributes(&object, attributes)?;
        }
        if !slots.is_none() {
            let Some(slots) = slots.downcast::<Dict>() else {
                return Err(unpickling_error(vm, "slot state is not a dictionary"));
            };
            let mut position = 0;
            while let Some((next, name, value)) = slots.next_item(position) {
                position = next;
                if name.downcast::<Str>().is_none() {
                    let got = name.ty().name();
                    return Err(vm.type_error(format!("attribute name must be string, not '{got}'")));
                }
                vm.set_attr(&object, &name, &value)?;
            }
        }
        Ok(())
    }

    /// Sets attributes directly, as items of `__dict__`, which need not be made for it.
    fn set_attributes(&self, object: &Value, values: &Dict) -> Result<()> {
        let vm = self.vm;
        let ty = object.ty();
        let plain = ty.is_heap_type()
            && ty.has_dict()
            && !ty.has_own_dict()
            && ty.slots().getattro.is_some_and(lookup::is_generic_getattr)
            && values.keys().iter().all(|key| key.downcast_exact::<Str>().is_some())
            && lookup::find(ty, &names().__dict__)
                .is_some_and(|found| found.ty().is(&taipan_object::native::descriptors::GETSET_DESCRIPTOR));
        if plain && let Some(header) = object.as_object() {
            let mut position = 0;
            while let Some((next, name, value)) = values.next_item(position) {
                position = next;
                attributes::set(header, &intern_value(name), value);
            }
            return Ok(());
        }
        let namespace = vm.get_attr(object, &names().__dict__)?;
        let mut position = 0;
        while let Some((next, name, value)) = values.next_item(position) {
            position = next;
            vm.set_item(&namespace, &intern_value(name), &value)?;
        }
        Ok(())
    }
}
