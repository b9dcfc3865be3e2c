//! `match` statements.
//!
//! While a case is tried, the subject is on the stack, above it what the pattern has captured so far, above that the
//! values that subpatterns still need. A failing pattern jumps to the label that pops as many values as there are.

use taipan_bytecode::oparg::BinaryOp;

use super::*;

struct PatternContext<'a> {
    /// The names captured, in the order of their values on the stack.
    stores: Vec<&'a str>,
    allow_irrefutable: bool,
    /// The labels to jump to on failure, by the number of values to pop.
    fail_pop: Vec<Label>,
    /// How many values lie above the captures.
    on_top: usize,
}

fn is_wildcard(pattern: &Pattern<'_>) -> bool {
    matches!(pattern.kind, PatternKind::MatchAs { name: None, .. })
}

impl<'a> Compiler<'a, '_> {
    pub(super) fn match_stmt(&mut self, subject: &'a Expr<'a>, cases: &'a [MatchCase<'a>]) -> Result {
        self.conditionally(|this| this.match_cases(subject, cases))
    }

    fn match_cases(&mut self, subject: &'a Expr<'a>, cases: &'a [MatchCase<'a>]) -> Result {
        self.expr(subject)?;
        let end = self.new_label();
        let Some((last, before)) = cases.split_last() else {
            return Err(CompileError::Value("empty cases on Match".to_owned()));
        };
        // A final `case _` needs no matching.
        let default = (is_wildcard(last.pattern) && !before.is_empty()).then_some(last);
        let tried = if default.is_some() { before } else { cases };
        for (index, case) in tried.iter().enumerate() {
            let location: Location = case.pattern.span.into();
            let last_tried = index + 1 == tried.len();
            if !last_tried {
                self.addop_i(location, Opcode::COPY, 1);
            }
            let mut context = PatternContext {
                stores: Vec::new(),
                allow_irrefutable: case.guard.is_some() || index + 1 == cases.len(),
                fail_pop: Vec::new(),
                on_top: 0,
            };
            self.pattern(case.pattern, &mut context)?;
            for name in &context.stores {
                self.store_name(location, name)?;
            }
            if let Some(guard) = case.guard {
                let fail = self.fail_label(&mut context, 0);
                self.jump_if(guard, fail, false)?;
            }
            if !last_tried {
                // Belongs to the body, for the sake of branch events.
                self.addop(Location::NEXT, Opcode::POP_TOP);
            }
            self.stmts(case.body)?;
            self.addop_jump(Location::NONE, Opcode::JUMP, end);
            self.emit_fail_pop(location, &mut context);
        }
        if let Some(case) = default {
            let location = case.pattern.span.into();
            // Keeps the line of the `case`.
            self.addop(location, Opcode::NOP);
            if let Some(guard) = case.guard {
                self.jump_if(guard, end, false)?;
            }
            self.stmts(case.body)?;
        }
        self.use_label(end);
        Ok(())
    }

    /// The label that pops `count` values and fails.
    fn fail_label(&mut self, context: &mut PatternContext<'a>, count: usize) -> Label {
        while context.fail_pop.len() <= count {
            let label = self.new_label();
            context.fail_pop.push(label);
        }
        context.fail_pop[count]
    }

    fn jump_to_fail_pop(&mut self, location: Location, context: &mut PatternContext<'a>, opcode: Opcode) {
        let label = self.fail_label(context, context.on_top + context.stores.len());
        self.addop_jump(location, opcode, label);
    }

    fn emit_fail_pop(&mut self, location: Location, context: &mut PatternContext<'a>) {
        let labels = std::mem::take(&mut context.fail_pop);
        for (count, label) in labels.into_iter().enumerate().rev() {
            self.use_label(label);
            if count > 0 {
                self.addop(location, Opcode::POP_TOP);
            }
        }
    }

    /// Moves the topmost value below the `count - 1` values under it.
    fn rotate(&mut self, location: Location, count: usize) {
        for depth in (2..=count).rev() {
            self.addop_i(location, Opcode::SWAP, depth);
        }
    }

    fn store_capture(&mut self, location: Location, name: Option<&'a str>, context: &mut PatternContext<'a>) -> Result {
        let Some(name) = name else {
            self.addop(location, Opcode::POP_TOP);
            return Ok(());
        };
        self.check_capture(location, name, context)?;
        self.rotate(location, context.on_top + context.stores.len() + 1);
        context.stores.push(name);
        Ok(())
    }

    fn check_capture(&self, location: Location, name: &str, context: &PatternContext<'a>) -> Result {
        if context.stores.contains(&name) {
            return Err(self.error(location, format!("multiple assignments to name '{name}' in pattern")));
        }
        Ok(())
    }

    /// Matches the topmost value, which is consumed.
    fn pattern(&mut self, pattern: &'a Pattern<'a>, context: &mut PatternContext<'a>) -> Result {
        self.depth.enter()?;
        let location: Location = pattern.span.into();
        match pattern.kind {
            PatternKind::MatchValue { value } => self.pattern_value(location, value, context)?,
            PatternKind::MatchSingleton { value } => {
                self.load_const(location, constant::constant(&value));
                self.addop_compare(location, CmpOp::Is);
                self.jump_to_fail_pop(location, context, Opcode::POP_JUMP_IF_FALSE);
            }
            PatternKind::MatchSequence { patterns } => self.pattern_sequence(location, patterns, context)?,
            PatternKind::MatchMapping { keys, patterns, rest } => {
                self.pattern_mapping(location, keys, patterns, rest, context)?;
            }
            PatternKind::MatchClass { cls, patterns, kwd_attrs, kwd_patterns } => {
                self.pattern_class(location, cls, patterns, kwd_attrs, kwd_patterns, context)?;
            }
            PatternKind::MatchStar { name } => self.store_capture(location, name, context)?,
            PatternKind::MatchAs { pattern, name } => self.pattern_as(location, pattern, name, context)?,
            PatternKind::MatchOr { patterns } => self.pattern_or(location, patterns, context)?,
        }
        self.depth.leave();
        Ok(())
    }

    fn subpattern(&mut self, pattern: &'a Pattern<'a>, context: &mut PatternContext<'a>) -> Result {
        let before = std::mem::replace(&mut context.allow_irrefutable, true);
        self.pattern(pattern, context)?;
        context.allow_irrefutable = before;
        Ok(())
    }

    fn pattern_value(&mut self, location: Location, value: &'a Expr<'a>, context: &mut PatternContext<'a>) -> Result {
        if !matches!(value.kind, ExprKind::Constant { .. } | ExprKind::Attribute { .. }) {
            return Err(self.error(location, "patterns may only match literals and attribute lookups"));
        }
        self.expr(value)?;
        self.addop_compare(location, CmpOp::Eq);
        self.addop(location, Opcode::TO_BOOL);
        self.jump_to_fail_pop(location, context, Opcode::POP_JUMP_IF_FALSE);
        Ok(())
    }

    fn pattern_as(
        &mut self,
        location: Location,
        pattern: Option<&'a Pattern<'a>>,
        name: Option<&'a str>,
        context: &mut PatternContext<'a>,
    ) -> Result {
        let Some(pattern) = pattern else {
            if !context.allow_irrefutable {
                let message = match name {
                    Some(name) => format!("name capture '{name}' makes remaining patterns unreachable"),
                    None => "wildcard makes remaining patterns unreachable".to_owned(),
                };
                return Err(self.error(location, message));
            }
            return self.store_capture(location, name, context);
        };
        context.on_top += 1;
        self.addop_i(location, Opcode::COPY, 1);
        self.pattern(pattern, context)?;
        context.on_top -= 1;
        self.store_capture(location, name, context)
    }

    fn pattern_sequence(
        &mut self,
        location: Location,
        patterns: &'a [Pattern<'a>],
        context: &mut PatternContext<'a>,
    ) -> Result {
        let mut star = None;
        let mut only_wildcards = true;
        let mut star_wildcard = false;
        for (index, pattern) in patterns.iter().enumerate() {
            if let PatternKind::MatchStar { name } = pattern.kind {
                if star.is_some() {
                    return Err(self.error(location, "multiple starred names in sequence pattern"));
                }
                star = Some(index);
                star_wildcard = name.is_none();
                only_wildcards &= star_wildcard;
            } else {
                only_wildcards &= is_wildcard(pattern);
            }
        }
        context.on_top += 1;
        self.addop(location, Opcode::MATCH_SEQUENCE);
        self.jump_to_fail_pop(location, context, Opcode::POP_JUMP_IF_FALSE);
        let length = match star {
            None => Some((patterns.len(), CmpOp::Eq)),
            Some(_) if patterns.len() > 1 => Some((patterns.len() - 1, CmpOp::GtE)),
            Some(_) => None,
        };
        if let Some((length, op)) = length {
            self.check_length(location, length, op, context);
        }
        context.on_top -= 1;
        match star {
            _ if only_wildcards => {
                self.addop(location, Opcode::POP_TOP);
                Ok(())
            }
            Some(star) if star_wildcard => self.sequence_by_subscripts(location, patterns, star, context),
            _ => self.sequence_by_unpacking(location, patterns, context),
        }
    }

    fn check_length(&mut self, location: Location, length: usize, op: CmpOp, context: &mut PatternContext<'a>) {
        self.addop(location, Opcode::GET_LEN);
        self.load_const(location, Constant::int(length as i64));
        self.addop_compare(location, op);
        self.jump_to_fail_pop(location, context, Opcode::POP_JUMP_IF_FALSE);
    }

    fn sequence_by_unpacking(
        &mut self,
        location: Location,
        patterns: &'a [Pattern<'a>],
        context: &mut PatternContext<'a>,
    ) -> Result {
        let star = patterns.iter().position(|pattern| matches!(pattern.kind, PatternKind::MatchStar { .. }));
        match star {
            Some(index) => {
                let after = patterns.len() - index - 1;
                if index >= 1 << 8 || after >= (i32::MAX >> 8) as usize {
                    return Err(self.error(location, "too many expressions in star-unpacking sequence pattern"));
                }
                self.addop_i(location, Opcode::UNPACK_EX, index + (after << 8));
            }
            None => self.addop_i(location, Opcode::UNPACK_SEQUENCE, patterns.len()),
        }
        context.on_top += patterns.len();
        for pattern in patterns {
            context.on_top -= 1;
            self.subpattern(pattern, context)?;
        }
        Ok(())
    }

    /// For `[first, *_, last]` and the like, which need not build a list for the star.
    fn sequence_by_subscripts(
        &mut self,
        location: Location,
        patterns: &'a [Pattern<'a>],
        star: usize,
        context: &mut PatternContext<'a>,
    ) -> Result {
        context.on_top += 1;
        for (index, pattern) in patterns.iter().enumerate() {
            if index == star || is_wildcard(pattern) {
                continue;
            }
            self.addop_i(location, Opcode::COPY, 1);
            if index < star {
                self.load_const(location, Constant::int(index as i64));
            } else {
                // The subject may not support negative indices.
                self.addop(location, Opcode::GET_LEN);
                self.load_const(location, Constant::int((patterns.len() - index) as i64));
                self.addop_i(location, Opcode::BINARY_OP, BinaryOp::Subtract as usize);
            }
            self.addop_i(location, Opcode::BINARY_OP, BinaryOp::Subscr as usize);
            self.subpattern(pattern, context)?;
        }
        context.on_top -= 1;
        self.addop(location, Opcode::POP_TOP);
        Ok(())
    }

    /// Goes on if the topmost value is not None.
    fn check_not_none(&mut self, location: Location, context: &mut PatternContext<'a>) {
        self.addop_i(location, Opcode::COPY, 1);
        self.load_none(location);
        self.addop_i(location, Opcode::IS_OP, 1);
        self.jump_to_fail_pop(location, context, Opcode::POP_JUMP_IF_FALSE);
    }

    fn pattern_class(
        &mut self,
        location: Location,
        cls: &'a Expr<'a>,
        patterns: &'a [Pattern<'a>],
        kwd_attrs: &'a [&'a str],
        kwd_patterns: &'a [Pattern<'a>],
        context: &mut PatternContext<'a>,
    ) -> Result {
        if kwd_attrs.len() != kwd_patterns.len() {
            let message = format!(
                "kwd_attrs ({}) / kwd_patterns ({}) length mismatch in class pattern",
                kwd_attrs.len(),
                kwd_patterns.len()
            );
            return Err(self.error(location, message));
        }
        for (index, attr) in kwd_attrs.iter().enumerate() {
            if let Some(other) = kwd_attrs[index + 1..].iter().position(|other| other == attr) {
                // Attribute names have no location of their own.
                let at = kwd_patterns[index + 1 + other].span.into();
                return Err(self.error(at, format!("attribute name repeated in class pattern: {attr}")));
            }
        }
        self.expr(cls)?;
        let names = kwd_attrs.iter().map(|attr| Constant::str(attr)).collect();
        self.load_const(location, Constant::tuple(names));
        self.addop_i(location, Opcode::MATCH_CLASS, patterns.len());
        context.on_top += 1;
        self.check_not_none(location, context);
        let count = patterns.len() + kwd_patterns.len();
        self.addop_i(location, Opcode::UNPACK_SEQUENCE, count);
        context.on_top += count;
        context.on_top -= 1;
        for pattern in patterns.iter().chain(kwd_patterns) {
            context.on_top -= 1;
            if is_wildcard(pattern) {
                self.addop(location, Opcode::POP_TOP);
            } else {
                self.subpattern(pattern, context)?;
            }
        }
        Ok(())
    }

    fn pattern_mapping(
        &mut self,
        location: Location,
        keys: &'a [Expr<'a>],
        patterns: &'a [Pattern<'a>],
        rest: Option<&'a str>,
        context: &mut PatternContext<'a>,
    ) -> Result {
        if keys.len() != patterns.len() {
            let message =
                format!("keys ({}) / patterns ({}) length mismatch in mapping pattern", keys.len(), patterns.len());
            return Err(self.error(location, message));
        }
        context.on_top += 1;
        self.addop(location, Opcode::MATCH_MAPPING);
        self.jump_to_fail_pop(location, context, Opcode::POP_JUMP_IF_FALSE);
        if keys.is_empty() && rest.is_none() {
            context.on_top -= 1;
            self.addop(location, Opcode::POP_TOP);
            return Ok(());
        }
        if !keys.is_empty() {
            self.check_length(location, keys.len(), CmpOp::GtE, context);
        }
        self.mapping_keys(location, keys)?;
        self.addop_i(location, Opcode::BUILD_TUPLE, keys.len());
        self.addop(location, Opcode::MATCH_KEYS);
        // A tuple of keys and one of values are now above the subject.
        context.on_top += 2;
        self.check_not_none(location, context);
        self.addop_i(location, Opcode::UNPACK_SEQUENCE, keys.len());
        context.on_top += keys.len();
        context.on_top -= 1;
        for pattern in patterns {
            context.on_top -= 1;
            self.subpattern(pattern, context)?;
        }
        context.on_top -= 2;
        let Some(rest) = rest else {
            self.addop(location, Opcode::POP_TOP);
            self.addop(location, Opcode::POP_TOP);
            return Ok(());
        };
        // A copy of the subject without the keys.
        self.addop_i(location, Opcode::BUILD_MAP, 0);
        self.addop_i(location, Opcode::SWAP, 3);
        self.addop_i(location, Opcode::DICT_UPDATE, 2);
        self.addop_i(location, Opcode::UNPACK_SEQUENCE, keys.len());
        for left in (1..=keys.len()).rev() {
            self.addop_i(location, Opcode::COPY, 1 + left);
            self.addop_i(location, Opcode::SWAP, 2);
            self.addop(location, Opcode::DELETE_SUBSCR);
        }
        self.store_capture(location, Some(rest), context)
    }

    // Keys are constants of a literal: never code, which is what could change.
    #[allow(clippy::mutable_key_type)]
    fn mapping_keys(&mut self, location: Location, keys: &'a [Expr<'a>]) -> Result {
        let mut seen = std::collections::HashSet::new();
        for key in keys {
            match key.kind {
                ExprKind::Constant { value, .. } => {
                    let value = constant::constant(&value);
                    if !seen.insert(key_identity(&value)) {
                        let message = format!("mapping pattern checks duplicate key ({})", taipan_syntax::unparse(key));
                        return Err(self.error(location, message));
                    }
                }
                ExprKind::Attribute { .. } => {}
                _ => {
                    let message = "mapping pattern keys may only match literals and attribute lookups";
                    return Err(self.error(location, message));
                }
            }
            self.expr(key)?;
        }
        Ok(())
    }

    fn pattern_or(
        &mut self,
        location: Location,
        patterns: &'a [Pattern<'a>],
        context: &mut PatternContext<'a>,
    ) -> Result {
        let end = self.new_label();
        let mut control: Vec<&'a str> = Vec::new();
        for (index, alternative) in patterns.iter().enumerate() {
            let at: Location = alternative.span.into();
            let mut inner = PatternContext {
                stores: Vec::new(),
                allow_irrefutable: index + 1 == patterns.len() && context.allow_irrefutable,
                fail_pop: Vec::new(),
                on_top: 0,
            };
            self.addop_i(at, Opcode::COPY, 1);
            self.pattern(alternative, &mut inner)?;
            if index == 0 {
                control = inner.stores.clone();
            } else {
                self.reorder_captures(location, at, &control, &mut inner)?;
            }
            self.addop_jump(at, Opcode::JUMP, end);
            self.emit_fail_pop(at, &mut inner);
        }
        // No alternative matched.
        self.addop(location, Opcode::POP_TOP);
        self.jump_to_fail_pop(location, context, Opcode::JUMP);
        self.use_label(end);
        // The captures go below the subject's copy and whatever else is above the captures from before.
        let rotations = control.len() + 1 + context.on_top + context.stores.len();
        for name in control {
            self.rotate(location, rotations);
            self.check_capture(location, name, context)?;
            context.stores.push(name);
        }
        self.addop(location, Opcode::POP_TOP);
        Ok(())
    }

    /// Brings an alternative's captures into the order of the first alternative's.
    fn reorder_captures(
        &mut self,
        location: Location,
        at: Location,
        control: &[&'a str],
        context: &mut PatternContext<'a>,
    ) -> Result {
        let stores = &mut context.stores;
        let different = || self.error(location, "alternative patterns bind different names");
        if stores.len() != control.len() {
            return Err(different());
        }
        for wanted in (0..control.len()).rev() {
            let Some(found) = stores.iter().position(|name| *name == control[wanted]) else {
                return Err(self.error(location, "alternative patterns bind different names"));
            };
            if found != wanted {
                // What is at the bottom up to the name moves so that the name gets to its place.
                let rotated: Vec<&'a str> = stores.drain(..=found).collect();
                let to = wanted - found;
                stores.splice(to..to, rotated);
                for _ in 0..=found {
                    self.rotate(at, wanted + 1);
                }
            }
        }
        Ok(())
    }
}

/// Equal for keys that are equal in Python.
fn key_identity(value: &Constant) -> Constant {
    match value {
        Constant::True => Constant::int(1),
        Constant::False => Constant::int(0),
        Constant::Complex(real, imag) if *imag == 0.0 => key_identity(&Constant::Float(*real)),
        Constant::Complex(real, imag) => Constant::Complex(real + 0.0, imag + 0.0),
        Constant::Float(number) => match dashu_int::IBig::try_from(*number) {
            Ok(integer) => Constant::Int(integer),
            Err(_) => value.clone(),
        },
        _ => value.clone(),
    }
}
