//! Augmented and annotated assignment, unpacking.

use taipan_bytecode::oparg::BinaryOp;
use taipan_syntax::ast::schema;

use super::unit::DeferredAnnotation;
use super::*;

/// The location of an attribute access, or of a call of it, that spans lines: it starts at the attribute's name.
pub(super) fn start_at_attribute(mut location: Location, attribute: &Expr<'_>) -> Location {
    let ExprKind::Attribute { attr, .. } = attribute.kind else { return location };
    let end: Location = attribute.span.into();
    if location.lineno != end.end_lineno {
        location.lineno = end.end_lineno;
        let len = attr.chars().count() as i32;
        if len <= end.end_col_offset {
            location.col_offset = end.end_col_offset - len;
        } else {
            // A tree made by hand may say anything.
            location.col_offset = -1;
            location.end_col_offset = -1;
        }
        if location.end_lineno <= location.lineno {
            location.end_lineno = location.lineno;
            location.end_col_offset = location.end_col_offset.max(location.col_offset);
        }
    }
    location
}

/// For trees made by hand; the number is that of the constructor.
fn invalid_target(target: &Expr<'_>, assignment: &str) -> CompileError {
    let constructors = schema::types().iter().find_map(|ty| match &ty.kind {
        schema::TypeKind::Sum(classes) if ty.name == "expr" => Some(classes),
        _ => None,
    });
    let name = target.kind.class_name();
    let number = constructors.and_then(|classes| classes.iter().position(|class| class.name == name));
    let number = number.map_or(0, |at| at + 1);
    CompileError::internal(format!("invalid node type ({number}) for {assignment} assignment"))
}

impl<'a> Compiler<'a, '_> {
    pub(super) fn aug_assign(
        &mut self,
        location: Location,
        target: &'a Expr<'a>,
        op: Operator,
        value: &'a Expr<'a>,
    ) -> Result {
        let target_location: Location = target.span.into();
        let in_place = expr::binary_op(op, true);
        match target.kind {
            ExprKind::Attribute { value: owner, attr, .. } => {
                self.expr(owner)?;
                self.addop_i(target_location, Opcode::COPY, 1);
                let at = start_at_attribute(target_location, target);
                self.load_attr(at, attr, false);
                self.expr(value)?;
                self.addop_i(location, Opcode::BINARY_OP, in_place);
                self.addop_i(at, Opcode::SWAP, 2);
                self.addop_name(at, Opcode::STORE_ATTR, attr);
            }
            ExprKind::Subscript { value: container, slice, .. } => {
                self.expr(container)?;
                if let Some((lower, upper)) = subscript::two_element_slice(slice) {
                    self.slice_parts(slice.span.into(), lower, upper)?;
                    for _ in 0..3 {
                        self.addop_i(target_location, Opcode::COPY, 3);
                    }
                    self.addop(target_location, Opcode::BINARY_SLICE);
                    self.expr(value)?;
                    self.addop_i(location, Opcode::BINARY_OP, in_place);
                    for depth in [4, 3, 2] {
                        self.addop_i(target_location, Opcode::SWAP, depth);
                    }
                    self.addop(target_location, Opcode::STORE_SLICE);
                } else {
                    self.expr(slice)?;
                    self.addop_i(target_location, Opcode::COPY, 2);
                    self.addop_i(target_location, Opcode::COPY, 2);
                    self.addop_i(target_location, Opcode::BINARY_OP, BinaryOp::Subscr as usize);
                    self.expr(value)?;
                    self.addop_i(location, Opcode::BINARY_OP, in_place);
                    self.addop_i(target_location, Opcode::SWAP, 3);
                    self.addop_i(target_location, Opcode::SWAP, 2);
                    self.addop(target_location, Opcode::STORE_SUBSCR);
                }
            }
            ExprKind::Name { id, .. } => {
                self.load_name(target_location, id)?;
                self.expr(value)?;
                self.addop_i(location, Opcode::BINARY_OP, in_place);
                self.store_name(target_location, id)?;
            }
            _ => return Err(invalid_target(target, "augmented")),
        }
        Ok(())
    }

    pub(super) fn ann_assign(
        &mut self,
        location: Location,
        target: &'a Expr<'a>,
        annotation: &'a Expr<'a>,
        value: Option<&'a Expr<'a>>,
        simple: bool,
    ) -> Result {
        if let Some(value) = value {
            self.expr(value)?;
            self.expr(target)?;
        }
        match target.kind {
            ExprKind::Name { id, .. } => {
                if simple && matches!(self.unit().scope_type, ScopeType::Module | ScopeType::Class) {
                    self.annotate_name(location, id, annotation)?;
                }
            }
            ExprKind::Attribute { value: owner, .. } => {
                if value.is_none() {
                    self.check_expr(owner)?;
                }
            }
            ExprKind::Subscript { value: container, slice, .. } => {
                if value.is_none() {
                    self.check_expr(container)?;
                    self.check_subscript(slice)?;
                }
            }
            _ => return Err(invalid_target(target, "annotated")),
        }
        Ok(())
    }

    fn annotate_name(&mut self, location: Location, name: &'a str, annotation: &'a Expr<'a>) -> Result {
        let mangled = self.mangle(name);
        if self.future.annotations() {
            self.annotation_as_string(annotation);
            self.addop_name(location, Opcode::LOAD_NAME, "__annotations__");
            self.load_str(location, mangled);
            self.addop(location, Opcode::STORE_SUBSCR);
            return Ok(());
        }
        let scope_type = self.unit().scope_type;
        let unit = self.unit_mut();
        let conditional = scope_type == ScopeType::Module || unit.in_conditional_block;
        let conditional_index = conditional.then_some(unit.next_conditional_annotation_index);
        unit.next_conditional_annotation_index += usize::from(conditional);
        unit.deferred_annotations.push(DeferredAnnotation { location, name: mangled, annotation, conditional_index });
        if let Some(index) = conditional_index {
            // Says that the statement ran.
            if scope_type == ScopeType::Class {
                let cell = self.cell_index("__conditional_annotations__");
                self.addop_i(location, Opcode::LOAD_DEREF, cell);
            } else {
                self.addop_name(location, Opcode::LOAD_NAME, "__conditional_annotations__");
            }
            self.load_const(location, Constant::int(index as i64));
            self.addop_i(location, Opcode::SET_ADD, 1);
            self.addop(location, Opcode::POP_TOP);
        }
        Ok(())
    }

    /// Evaluates a part of a target that is not assigned to.
    fn check_expr(&mut self, expr: &'a Expr<'a>) -> Result {
        self.expr(expr)?;
        self.addop(expr.span.into(), Opcode::POP_TOP);
        Ok(())
    }

    fn check_subscript(&mut self, expr: &'a Expr<'a>) -> Result {
        match expr.kind {
            ExprKind::Slice { lower, upper, step } => {
                [lower, upper, step].into_iter().flatten().try_for_each(|part| self.check_expr(part))
            }
            ExprKind::Tuple { elts, .. } => {
                self.depth.enter()?;
                elts.iter().try_for_each(|elt| self.check_subscript(elt))?;
                self.depth.leave();
                Ok(())
            }
            _ => self.check_expr(expr),
        }
    }

    /// Assigns the items of the topmost value to targets.
    pub(super) fn unpack_to(&mut self, location: Location, elts: &'a [Expr<'a>]) -> Result {
        let mut seen_star = false;
        for (index, elt) in elts.iter().enumerate() {
            let ExprKind::Starred { .. } = elt.kind else { continue };
            if seen_star {
                return Err(self.error(location, "multiple starred expressions in assignment"));
            }
            let after = elts.len() - index - 1;
            if index >= 1 << 8 || after >= (i32::MAX >> 8) as usize {
                return Err(self.error(location, "too many expressions in star-unpacking assignment"));
            }
            self.addop_i(location, Opcode::UNPACK_EX, index + (after << 8));
            seen_star = true;
        }
        if !seen_star {
            self.addop_i(location, Opcode::UNPACK_SEQUENCE, elts.len());
        }
        for elt in elts {
            match elt.kind {
                ExprKind::Starred { value, .. } => self.expr(value)?,
                _ => self.expr(elt)?,
            }
        }
        Ok(())
    }
}
