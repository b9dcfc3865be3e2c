//! f-strings and t-strings.

use taipan_bytecode::oparg::Conversion;

use super::*;

fn conversion_oparg(conversion: i32) -> Result<Option<Conversion>> {
    match u8::try_from(conversion) {
        Ok(b's') => Ok(Some(Conversion::Str)),
        Ok(b'r') => Ok(Some(Conversion::Repr)),
        Ok(b'a') => Ok(Some(Conversion::Ascii)),
        _ if conversion == -1 => Ok(None),
        _ => Err(CompileError::internal(format!("Unrecognized conversion character {conversion}"))),
    }
}

impl<'a> Compiler<'a, '_> {
    pub(super) fn joined_str(&mut self, location: Location, values: &'a [Expr<'a>]) -> Result {
        if values.len() > STACK_USE_GUIDELINE {
            self.load_str(location, "");
            self.load_attr(location, "join", true);
            self.addop_i(location, Opcode::BUILD_LIST, 0);
            for value in values {
                self.expr(value)?;
                self.addop_i(location, Opcode::LIST_APPEND, 1);
            }
            self.addop_i(location, Opcode::CALL, 1);
            return Ok(());
        }
        self.exprs(values)?;
        match values.len() {
            0 => self.load_str(location, ""),
            1 => {}
            count => self.addop_i(location, Opcode::BUILD_STRING, count),
        }
        Ok(())
    }

    pub(super) fn formatted_value(
        &mut self,
        location: Location,
        value: &'a Expr<'a>,
        conversion: i32,
        format_spec: Option<&'a Expr<'a>>,
    ) -> Result {
        self.expr(value)?;
        if let Some(conversion) = conversion_oparg(conversion)? {
            self.addop_i(location, Opcode::CONVERT_VALUE, conversion as usize);
        }
        match format_spec {
            Some(spec) => {
                self.expr(spec)?;
                self.addop(location, Opcode::FORMAT_WITH_SPEC);
            }
            None => self.addop(location, Opcode::FORMAT_SIMPLE),
        }
        Ok(())
    }

    /// The strings around the interpolations come first, then the interpolations.
    pub(super) fn template_str(&mut self, location: Location, values: &'a [Expr<'a>]) -> Result {
        let is_interpolation = |value: &Expr<'_>| matches!(value.kind, ExprKind::Interpolation { .. });
        let mut strings = 0;
        let mut after_interpolation = true;
        for value in values {
            let interpolation = is_interpolation(value);
            if !interpolation {
                self.expr(value)?;
                strings += 1;
            } else if after_interpolation {
                self.load_str(location, "");
                strings += 1;
            }
            after_interpolation = interpolation;
        }
        if after_interpolation {
            self.load_str(location, "");
            strings += 1;
        }
        self.addop_i(location, Opcode::BUILD_TUPLE, strings);
        let mut interpolations = 0;
        for value in values.iter().filter(|value| is_interpolation(value)) {
            self.expr(value)?;
            interpolations += 1;
        }
        self.addop_i(location, Opcode::BUILD_TUPLE, interpolations);
        self.addop(location, Opcode::BUILD_TEMPLATE);
        Ok(())
    }

    pub(super) fn interpolation(
        &mut self,
        location: Location,
        value: &'a Expr<'a>,
        source: &taipan_syntax::ast::Constant<'a>,
        conversion: i32,
        format_spec: Option<&'a Expr<'a>>,
    ) -> Result {
        self.expr(value)?;
        self.load_const(location, constant::constant(source));
        // Bit 1 is always set.
        let mut oparg = 2;
        if let Some(spec) = format_spec {
            self.expr(spec)?;
            oparg |= 1;
        }
        if let Some(conversion) = conversion_oparg(conversion)? {
            oparg |= (conversion as usize) << 2;
        }
        self.addop_i(location, Opcode::BUILD_INTERPOLATION, oparg);
        Ok(())
    }
}
