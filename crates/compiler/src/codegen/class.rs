//! Classes.

use taipan_bytecode::oparg::Intrinsic1;

use super::function::first_line;
use super::unit::ArgumentCounts;
use super::*;

impl<'a> Compiler<'a, '_> {
    pub(super) fn class_def(&mut self, stmt: &'a Stmt<'a>) -> Result {
        let StmtKind::ClassDef { name, bases, keywords, body, decorator_list, type_params } = stmt.kind else {
            return Ok(());
        };
        let location: Location = stmt.span.into();
        self.exprs(decorator_list)?;
        let firstlineno = first_line(stmt, decorator_list);
        let is_generic = !type_params.is_empty();
        if is_generic {
            self.enter_type_params(name, type_params, firstlineno, Some(name), ArgumentCounts::default())?;
            self.type_params(type_params)?;
            self.store_name(location, ".type_params")?;
        }
        self.class_body(stmt, name, body, firstlineno, is_generic)?;
        self.validate_keywords(keywords)?;
        if is_generic {
            self.load_name(location, ".type_params")?;
            self.addop_i(location, Opcode::CALL_INTRINSIC_1, Intrinsic1::SubscriptGeneric as usize);
            self.store_name(location, ".generic_base")?;
            self.call_helper(location, 2, bases, Some(".generic_base"), keywords)?;
            let code = self.optimize_and_assemble(false)?;
            self.make_closure(location, code, 0)?;
            self.addop(location, Opcode::PUSH_NULL);
            self.addop_i(location, Opcode::CALL, 0);
        } else {
            self.call_helper(location, 2, bases, None, keywords)?;
        }
        self.apply_decorators(decorator_list);
        self.store_name(location, name)
    }

    /// Pushes `__build_class__`, the function of the class body and the name.
    fn class_body(
        &mut self,
        stmt: &'a Stmt<'a>,
        name: &'a str,
        body: &'a [Stmt<'a>],
        firstlineno: i32,
        is_generic: bool,
    ) -> Result {
        let key = BlockKey::body(stmt);
        self.enter_scope(name, ScopeType::Class, key, firstlineno, Some(name), ArgumentCounts::default())?;
        let start = Location::new(firstlineno, firstlineno, 0, 0);
        self.load_name(start, "__name__")?;
        self.store_name(start, "__module__")?;
        let qualname = self.unit().qualname.clone();
        self.load_str(start, &qualname);
        self.store_name(start, "__qualname__")?;
        self.load_const(start, Constant::int(firstlineno.into()));
        self.store_name(start, "__firstlineno__")?;
        if is_generic {
            self.load_name(start, ".type_params")?;
            self.store_name(start, "__type_params__")?;
        }
        let needs_classdict = self.block().needs_classdict;
        let needs_class_closure = self.block().needs_class_closure;
        if needs_classdict {
            self.addop(start, Opcode::LOAD_LOCALS);
            let cell = self.cell_index("__classdict__");
            self.addop_i(start, Opcode::STORE_DEREF, cell);
        }
        if self.block().has_conditional_annotations {
            self.addop_i(start, Opcode::BUILD_SET, 0);
            let cell = self.cell_index("__conditional_annotations__");
            self.addop_i(start, Opcode::STORE_DEREF, cell);
        }
        self.body(start, body, false)?;
        let attributes = self.unit().static_attributes.iter().map(|name| Constant::str(name)).collect();
        self.load_const(Location::NONE, Constant::tuple(attributes));
        self.store_name(Location::NONE, "__static_attributes__")?;
        if needs_classdict {
            let cell = self.cell_index("__classdict__");
            self.addop_i(Location::NONE, Opcode::LOAD_CLOSURE, cell);
            self.store_name(Location::NONE, "__classdictcell__")?;
        }
        if needs_class_closure {
            let cell = self.cell_index("__class__");
            self.addop_i(Location::NONE, Opcode::LOAD_CLOSURE, cell);
            self.addop_i(Location::NONE, Opcode::COPY, 1);
            self.store_name(Location::NONE, "__classcell__")?;
        } else {
            self.load_none(Location::NONE);
        }
        self.addop(Location::NONE, Opcode::RETURN_VALUE);
        let code = self.optimize_and_assemble(true)?;
        let location = stmt.span.into();
        self.addop(location, Opcode::LOAD_BUILD_CLASS);
        self.addop(location, Opcode::PUSH_NULL);
        self.make_closure(location, code, 0)?;
        self.load_str(location, name);
        Ok(())
    }
}
