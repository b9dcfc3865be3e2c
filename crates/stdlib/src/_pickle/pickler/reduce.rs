//! Writing of objects by what their reduction says: `__reduce_ex__`, the dispatch tables, `reducer_override`.

use super::super::opcode::*;
use super::pickling_error;
use super::save::Saver;
use crate::arguments::fully_qualified_name;
use taipan_object::builtins::dict::Dict;
use taipan_object::builtins::str::{Str, intern};
use taipan_object::builtins::tuple::{self, Tuple};
use taipan_object::types::{TYPE, Type, lookup};
use taipan_object::vm::names;
use taipan_object::{Raised, Result, Value, exceptions};

impl Saver<'_> {
    pub fn by_reduction(&mut self, object: &Value) -> Result<()> {
        let reduction = match self.overridden(object)? {
            Some(reduction) => reduction,
            None => {
                let ty = object.ty();
                if ty.is(&TYPE) {
                    return self.class(object);
                }
                if ty.to_value().is(&self.globals.function_type) {
                    return self.global(object, None);
                }
                match self.dispatched(object)? {
                    Some(reduction) => reduction,
                    None if ty.is_subtype(TYPE.ty()) => return self.global(object, None),
                    None => self.reduced_by_itself(object)?,
                }
            }
        };
        if reduction.downcast::<Str>().is_some() {
            return self.global(object, Some(&reduction));
        }
        let result = match reduction.downcast::<Tuple>() {
            Some(reduction) => self.reduction(reduction, Some(object)),
            None => {
                let got = fully_qualified_name(self.vm, &reduction);
                Err(pickling_error(self.vm, format!("__reduce__ must return a string or tuple, not {got}")))
            }
        };
        result.map_err(|raised| self.note(raised, object, "object"))
    }

    /// What the pickler's `reducer_override` makes of the object.
    fn overridden(&mut self, object: &Value) -> Result<Option<Value>> {
        let Some(function) = self.reducer_override.clone() else { return Ok(None) };
        let reduction = self.vm.call_args(&function, std::slice::from_ref(object))?;
        Ok((!reduction.is_not_implemented()).then_some(reduction))
    }

    /// What a function of the dispatch table makes of the object.
    fn dispatched(&mut self, object: &Value) -> Result<Option<Value>> {
        let vm = self.vm;
        let class = object.ty().to_value();
        let function = match &self.dispatch_table {
            None => self.globals.dispatch_table.get(vm, &class)?,
            Some(table) => match vm.get_item(table, &class) {
                Ok(function) => Some(function),
                Err(raised) => {
                    vm.catch(raised, exceptions::KEY_ERROR.ty())?;
                    None
                }
            },
        };
        function.map(|function| vm.call_args(&function, std::slice::from_ref(object))).transpose()
    }

    fn reduced_by_itself(&mut self, object: &Value) -> Result {
        let vm = self.vm;
        let protocol = [Value::small_int(self.protocol.into())];
        if object.ty().slots().getattro.is_some_and(lookup::is_generic_getattr) {
            return vm.call_method_name(object, &names().__reduce_ex__, &protocol);
        }
        if let Some(method) = vm.get_attr_opt(object, &names().__reduce_ex__)? {
            return vm.call_args(&method, &protocol);
        }
        match vm.get_attr_opt(object, &names().__reduce__)? {
            Some(method) => vm.call_args(&method, &[]),
            None => {
                let (class, shown) = (object.ty().name(), vm.repr_string(object)?);
                Err(pickling_error(vm, format!("can't pickle '{class}' object: {shown}")))
            }
        }
    }

    fn refused(&self, what: &str, wanted: &str, got: &Value) -> Raised {
        let got = fully_qualified_name(self.vm, got);
        pickling_error(self.vm, format!("{what} must be {wanted}, not {got}"))
    }

    /// Checks an optional item of the tuple that `__reduce__` returned.
    fn optional<'t>(
        &self,
        items: &'t [Value],
        at: usize,
        ordinal: &str,
        wanted: &str,
        test: impl Fn(&Value) -> bool,
    ) -> Result<Option<&'t Value>> {
        match items.get(at).filter(|item| !item.is_none()) {
            Some(item) if !test(item) => {
                Err(self.refused(&format!("{ordinal} item of the tuple returned by __reduce__"), wanted, item))
            }
            item => Ok(item),
        }
    }

    /// Writes the reduction of `object`, which is memoized unless there is none.
    pub fn reduction(&mut self, reduction: &Tuple, object: Option<&Value>) -> Result<()> {
        let vm = self.vm;
        let items = reduction.as_slice();
        if !(2..=6).contains(&items.len()) {
            let message = "tuple returned by __reduce__ must contain 2 through 6 elements";
            return Err(pickling_error(vm, message));
        }
        let is_callable = |value: &Value| value.ty().slots().call.is_some();
        let is_iterator = |value: &Value| value.ty().slots().iternext.is_some();
        let (function, args) = (&items[0], &items[1]);
        if !is_callable(function) {
            return Err(self.refused("first item of the tuple returned by __reduce__", "callable", function));
        }
        let Some(arguments) = args.downcast::<Tuple>() else {
            return Err(self.refused("second item of the tuple returned by __reduce__", "a tuple", args));
        };
        let state = items.get(2).filter(|state| !state.is_none());
        let list_items = self.optional(items, 3, "fourth", "an iterator", is_iterator)?;
        let dict_items = self.optional(items, 4, "fifth", "an iterator", is_iterator)?;
        let state_setter = self.optional(items, 5, "sixth", "callable", is_callable)?;
        // The object in notes: the one whose reduction it is.
        let noted = object.unwrap_or(function);

        let name = match self.protocol {
            0 | 1 => None,
            _ => vm.get_attr_opt(function, &names().__name__)?,
        };
        match name.as_ref().and_then(|name| name.downcast::<Str>()) {
            Some(name) if name.is_str("__newobj_ex__") => self.newobj_ex(arguments, noted)?,
            Some(name) if name.is_str("__newobj__") => self.newobj(arguments, object, noted)?,
            _ => {
                self.part(function, noted, "reconstructor")?;
                self.part(args, noted, "reconstructor arguments")?;
                self.output.byte(REDUCE);
            }
        }
        if let Some(object) = object {
            // An object that is reached from its own reduction has been written meanwhile.
            match self.memoized(object) {
                Some(number) => {
                    self.output.byte(POP);
                    self.get(number);
                }
                None => self.memoize(object)?,
            }
        }
        if let Some(iterator) = list_items {
            self.appends(iterator, noted)?;
        }
        if let Some(iterator) = dict_items {
            self.set_items(iterator, noted)?;
        }
        let Some(state) = state else { return Ok(()) };
        match (state_setter, object) {
            (Some(setter), Some(object)) => {
                self.part(setter, noted, "state setter")?;
                self.save(object)?;
                self.part(state, noted, "state")?;
                self.output.bytes(&[TUPLE2, REDUCE, POP]);
            }
            _ => {
                self.part(state, noted, "state")?;
                self.output.byte(BUILD);
            }
        }
        Ok(())
    }

    fn part(&mut self, value: &Value, object: &Value, name: &str) -> Result<()> {
        self.save(value).map_err(|raised| self.note(raised, object, name))
    }

    /// `copyreg.__newobj__(cls, *args)`
    fn newobj(&mut self, arguments: &Tuple, object: Option<&Value>, noted: &Value) -> Result<()> {
        let vm = self.vm;
        let Some((class, args)) = arguments.as_slice().split_first() else {
            return Err(pickling_error(vm, "__newobj__ expected at least 1 argument, got 0"));
        };
        if class.downcast::<Type>().is_none() {
            return Err(self.refused("first argument to __newobj__()", "a class", class));
        }
        if let Some(object) = object {
            let own = vm.get_attr(object, &names().__class__)?;
            if !own.is(class) {
                let (own, class) = (vm.repr_string(&own)?, vm.repr_string(class)?);
                let message = format!("first argument to __newobj__() must be {own}, not {class}");
                return Err(pickling_error(vm, message));
            }
        }
        self.part(class, noted, "class")?;
        let args = if args.is_empty() { tuple::empty() } else { Tuple::from_slice(args) };
        self.part(args.as_value(), noted, "__new__ arguments")?;
        self.output.byte(NEWOBJ);
        Ok(())
    }

    /// `copyreg.__newobj_ex__(cls, args, kwargs)`
    fn newobj_ex(&mut self, arguments: &Tuple, noted: &Value) -> Result<()> {
        let vm = self.vm;
        let [class, args, keywords] = arguments.as_slice() else {
            let given = arguments.len();
            return Err(pickling_error(vm, format!("__newobj_ex__ expected 3 arguments, got {given}")));
        };
        if class.downcast::<Type>().is_none() {
            return Err(self.refused("first argument to __newobj_ex__()", "a class", class));
        }
        let Some(positional) = args.downcast::<Tuple>() else {
            return Err(self.refused("second argument to __newobj_ex__()", "a tuple", args));
        };
        let Some(named) = keywords.downcast::<Dict>() else {
            return Err(self.refused("third argument to __newobj_ex__()", "a dict", keywords));
        };
        if self.protocol >= 4 {
            self.part(class, noted, "class")?;
            self.part(args, noted, "__new__ arguments")?;
            self.part(keywords, noted, "__new__ arguments")?;
            self.output.byte(NEWOBJ_EX);
            return Ok(());
        }
        // Older protocols call a `functools.partial` without arguments.
        let mut all = vec![vm.get_attr(class, &names().__new__)?, class.clone()];
        all.extend_from_slice(positional.as_slice());
        let named = named.items();
        all.extend(named.iter().map(|(_, value)| value.clone()));
        let kwnames = Tuple::from_vec(named.into_iter().map(|(name, _)| name).collect());
        let kwnames = (kwnames.len() > 0).then(|| kwnames.into_value());
        let partial = vm.call(&self.globals.partial, &all, kwnames.as_ref())?;
        self.part(&partial, noted, "reconstructor")?;
        self.save(tuple::empty().as_value())?;
        self.output.byte(REDUCE);
        Ok(())
    }

    /// Writes a class: by name, unless it has none.
    fn class(&mut self, object: &Value) -> Result<()> {
        let singletons = [Value::NONE, Value::NOT_IMPLEMENTED, Value::ELLIPSIS];
        match singletons.into_iter().find(|singleton| singleton.ty().to_value().is(object)) {
            Some(singleton) => self.reduce_with(object, &TYPE.value(), singleton),
            None => self.global(object, None),
        }
    }

    /// The name under which an object is found: `__qualname__` or `__name__`.
    pub fn global_name(&self, object: &Value) -> Result {
        match self.vm.get_attr_opt(object, &names().__qualname__)? {
            Some(name) => Ok(name),
            None => self.vm.get_attr(object, intern("__name__").as_value()),
        }
    }
}
