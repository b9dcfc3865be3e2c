//! `"..." % (a, b)` with nothing but `%s`, `%r` and `%a` becomes an f-string.

use bumpalo::Bump;
use taipan_syntax::ast::*;

/// Fields with more digits than this are left to run time.
const MAX_DIGITS: usize = 2;

/// The location of what stands nowhere in the source.
const NOWHERE: Span = Span { lineno: u32::MAX, col_offset: u32::MAX, end_lineno: u32::MAX, end_col_offset: u32::MAX };

pub(super) fn interpolate<'a>(
    left: &'a Expr<'a>,
    op: Operator,
    right: &'a Expr<'a>,
    arena: &'a Bump,
) -> Option<ExprKind<'a>> {
    let (Operator::Mod, ExprKind::Tuple { elts, .. }) = (op, right.kind) else { return None };
    let ExprKind::Constant { value: Constant::Str(format), .. } = left.kind else { return None };
    if elts.iter().any(|elt| matches!(elt.kind, ExprKind::Starred { .. })) {
        return None;
    }
    let mut rest = format.as_bytes();
    let mut items = elts.iter();
    let mut values = Vec::new();
    while !rest.is_empty() {
        if let Some(literal) = take_literal(&mut rest) {
            let value = Constant::Str(PyStr::from_bytes(arena.alloc_slice_copy(&literal)));
            values.push(Expr { kind: ExprKind::Constant { value, kind: None }, span: NOWHERE });
        }
        if rest.is_empty() {
            break;
        }
        // More fields than items are for run time to report.
        let item = items.next()?;
        let field = take_field(&mut rest)?;
        let format_spec = field.spec().map(|spec| {
            let value = Constant::Str(PyStr::from_str(arena.alloc_str(&spec)));
            &*arena.alloc(Expr { kind: ExprKind::Constant { value, kind: None }, span: NOWHERE })
        });
        let kind = ExprKind::FormattedValue { value: item, conversion: field.conversion.into(), format_spec };
        values.push(Expr { kind, span: item.span });
    }
    if items.next().is_some() {
        return None;
    }
    Some(ExprKind::JoinedStr { values: arena.alloc_slice_copy(&values) })
}

/// The text up to the next field.
fn take_literal(rest: &mut &[u8]) -> Option<Vec<u8>> {
    let mut literal = Vec::new();
    while let Some((&byte, after)) = rest.split_first() {
        if byte != b'%' {
            literal.push(byte);
            *rest = after;
        } else if let [b'%', after @ ..] = after {
            literal.push(b'%');
            *rest = after;
        } else {
            break;
        }
    }
    (!literal.is_empty()).then_some(literal)
}

struct Field {
    conversion: u8,
    left: bool,
    width: Option<u32>,
    precision: Option<u32>,
}

impl Field {
    fn spec(&self) -> Option<String> {
        let mut spec = String::new();
        if let Some(width) = self.width {
            // Strings are right-justified by `%` and left-justified by `format`.
            if !self.left && width > 0 {
                spec.push('>');
            }
            spec.push_str(&width.to_string());
        }
        if let Some(precision) = self.precision {
            spec.push('.');
            spec.push_str(&precision.to_string());
        }
        (!spec.is_empty()).then_some(spec)
    }
}

fn take_field(rest: &mut &[u8]) -> Option<Field> {
    take_byte(rest)?;
    let mut byte = take_byte(rest)?;
    let mut left = false;
    while matches!(byte, b'-' | b'+' | b' ' | b'#' | b'0') {
        left |= byte == b'-';
        byte = take_byte(rest)?;
    }
    let width = if byte.is_ascii_digit() { Some(take_number(rest, &mut byte)?) } else { None };
    let mut precision = None;
    if byte == b'.' {
        byte = take_byte(rest)?;
        precision = Some(take_number(rest, &mut byte)?);
    }
    matches!(byte, b's' | b'r' | b'a').then_some(Field { conversion: byte, left, width, precision })
}

fn take_byte(rest: &mut &[u8]) -> Option<u8> {
    let (&byte, after) = rest.split_first()?;
    *rest = after;
    Some(byte)
}

/// The number that starts with `byte`, 0 if there is none; `byte` becomes the one after it.
fn take_number(rest: &mut &[u8], byte: &mut u8) -> Option<u32> {
    let mut number = 0;
    let mut digits = 0;
    while byte.is_ascii_digit() {
        number = number * 10 + u32::from(*byte - b'0');
        *byte = take_byte(rest)?;
        digits += 1;
        if digits > MAX_DIGITS {
            return None;
        }
    }
    Some(number)
}
