//! Annotations: the functions that evaluate them when asked for (PEP 649), and their text under the future import.

use taipan_bytecode::oparg::{CommonConstant, CompareOp, function_attribute};

use super::unit::{ArgumentCounts, DeferredAnnotation};
use super::*;
use crate::symtable::{BlockRole, BlockType};

/// The highest format that the compiler's functions know.
const VALUE_WITH_FAKE_GLOBALS: i64 = 2;

impl<'a> Compiler<'a, '_> {
    /// Starts a function of one argument, the format, which must be one it knows.
    pub(super) fn enter_annotations_scope(&mut self, location: Location, block: BlockId, name: &'a str) -> Result {
        let counts = ArgumentCounts { posonlyargs: 1, ..ArgumentCounts::default() };
        self.enter_block_scope(name, ScopeType::Annotations, block, location.lineno, None, counts)?;
        self.addop_i(location, Opcode::LOAD_FAST, 0);
        self.load_const(location, Constant::int(VALUE_WITH_FAKE_GLOBALS));
        self.addop_i(location, Opcode::COMPARE_OP, CompareOp::Gt.oparg() as usize);
        let body = self.new_label();
        self.addop_jump(location, Opcode::POP_JUMP_IF_FALSE, body);
        self.addop_i(location, Opcode::LOAD_COMMON_CONSTANT, CommonConstant::NotImplementedError as usize);
        self.addop_i(location, Opcode::RAISE_VARARGS, 1);
        self.use_label(body);
        Ok(())
    }

    /// Ends `__annotate__`, whose result is on the stack.
    fn leave_annotations_scope(&mut self, location: Location) -> Result {
        self.addop(location, Opcode::RETURN_VALUE);
        let mut code = self.optimize_and_assemble(true)?;
        // The signature shows `format`; in the block it could clash with a name in an annotation.
        if let Some(name) = code.localsplusnames.first_mut() {
            *name = Text::new("format");
        }
        self.make_closure(location, code, 0)
    }

    /// Makes `__annotate__` of a module or class.
    pub(super) fn process_deferred_annotations(&mut self, location: Location) -> Result {
        let deferred = std::mem::take(&mut self.unit_mut().deferred_annotations);
        if deferred.is_empty() {
            return Ok(());
        }
        let block = self.block();
        let name = if block.ty == BlockType::Class { "__annotate_func__" } else { "__annotate__" };
        let annotation_block = block.annotation_block.ok_or_else(|| CompileError::internal("unknown scope"))?;
        let in_module = self.unit().scope_type == ScopeType::Module;
        // A module's annotations are there before its code runs.
        if in_module {
            let unit = self.unit_mut();
            let sequence = std::mem::replace(&mut unit.sequence, InstructionSequence::new());
            unit.stashed_sequence = Some(sequence);
        }
        self.enter_annotations_scope(location, annotation_block, "__annotate__")?;
        self.deferred_annotations_body(location, deferred, in_module)?;
        self.leave_annotations_scope(location)?;
        self.store_name(location, name)?;
        if in_module {
            let unit = self.unit_mut();
            if let Some(sequence) = unit.stashed_sequence.take() {
                let annotations = std::mem::replace(&mut unit.sequence, sequence);
                unit.sequence.set_annotations_code(annotations);
            }
        }
        Ok(())
    }

    fn deferred_annotations_body(
        &mut self,
        location: Location,
        deferred: Vec<DeferredAnnotation<'a>>,
        in_module: bool,
    ) -> Result {
        self.addop_i(location, Opcode::BUILD_MAP, 0);
        for DeferredAnnotation { location: at, name, annotation, conditional_index } in deferred {
            let not_set = self.new_label();
            if let Some(index) = conditional_index {
                self.load_const(at, Constant::int(index as i64));
                if in_module {
                    let name = self.name_index("__conditional_annotations__");
                    self.addop_i(at, Opcode::LOAD_GLOBAL, name << 1);
                } else {
                    let free = self.free_index("__conditional_annotations__");
                    self.addop_i(at, Opcode::LOAD_DEREF, free);
                }
                self.addop_i(at, Opcode::CONTAINS_OP, 0);
                self.addop_jump(at, Opcode::POP_JUMP_IF_FALSE, not_set);
            }
            self.expr(annotation)?;
            self.addop_i(at, Opcode::COPY, 2);
            self.load_str(at, name);
            self.addop(location, Opcode::STORE_SUBSCR);
            self.use_label(not_set);
        }
        Ok(())
    }

    /// Pushes the `__annotate__` of a function that has annotations; returns the flag that says so.
    pub(super) fn function_annotations(
        &mut self,
        location: Location,
        args: &'a Arguments<'a>,
        returns: Option<&'a Expr<'a>>,
    ) -> Result<u32> {
        let block = self.lookup_block(BlockKey::new(args, BlockRole::Annotations))?;
        if !self.table.block(block).annotations_used {
            return Ok(0);
        }
        self.enter_annotations_scope(location, block, "__annotate__")?;
        let mut count = 0;
        let args = args.args.iter().chain(args.posonlyargs).chain(args.vararg).chain(args.kwonlyargs).chain(args.kwarg);
        let annotated = args.map(|arg| (arg.arg, arg.annotation)).chain([("return", returns)]);
        for (name, annotation) in annotated {
            let Some(annotation) = annotation else { continue };
            let name = self.mangle(name);
            self.load_str(location, name);
            if self.future.annotations() {
                self.annotation_as_string(annotation);
            } else if let ExprKind::Starred { value, .. } = annotation.kind {
                // `*args: *Ts`
                self.expr(value)?;
                self.addop_i(location, Opcode::UNPACK_SEQUENCE, 1);
            } else {
                self.expr(annotation)?;
            }
            count += 1;
        }
        self.addop_i(location, Opcode::BUILD_MAP, count);
        self.leave_annotations_scope(location)?;
        Ok(function_attribute::ANNOTATE)
    }

    pub(super) fn annotation_as_string(&mut self, annotation: &'a Expr<'a>) {
        let text = taipan_syntax::unparse(annotation);
        self.load_const(annotation.span.into(), Constant::Str(Text::from(text)));
    }
}
