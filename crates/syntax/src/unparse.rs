//! Expressions back to source text, for annotations kept as strings.
//!
//! Counterpart of CPython's `Python/ast_unparse.c`, whose spacing and parentheses it keeps. `ast.unparse` is another
//! thing: it is written in Python and does statements too.

use crate::ast::*;
use crate::literal::push_code_point;
use crate::repr::{write_constant, write_str};

/// How tightly an expression binds; a looser one needs parentheses where a tighter one is wanted.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Precedence(u8);

impl Precedence {
    const TUPLE: Precedence = Precedence(0);
    const TEST: Precedence = Precedence(1);
    const OR: Precedence = Precedence(2);
    const AND: Precedence = Precedence(3);
    const NOT: Precedence = Precedence(4);
    const CMP: Precedence = Precedence(5);
    const BOR: Precedence = Precedence(6);
    const EXPR: Precedence = Precedence::BOR;
    const BXOR: Precedence = Precedence(7);
    const BAND: Precedence = Precedence(8);
    const SHIFT: Precedence = Precedence(9);
    const ARITH: Precedence = Precedence(10);
    const TERM: Precedence = Precedence(11);
    const FACTOR: Precedence = Precedence(12);
    const POWER: Precedence = Precedence(13);
    const AWAIT: Precedence = Precedence(14);
    const ATOM: Precedence = Precedence(15);

    fn next(self) -> Precedence {
        Precedence(self.0 + 1)
    }
}

/// The source text of an expression.
pub fn unparse(expr: &Expr) -> String {
    let mut writer = Writer { out: String::new() };
    writer.expr(expr, Precedence::TEST);
    writer.out
}

struct Writer {
    out: String,
}

fn binary_operator(op: Operator) -> (&'static str, Precedence) {
    match op {
        Operator::Add => (" + ", Precedence::ARITH),
        Operator::Sub => (" - ", Precedence::ARITH),
        Operator::Mult => (" * ", Precedence::TERM),
        Operator::MatMult => (" @ ", Precedence::TERM),
        Operator::Div => (" / ", Precedence::TERM),
        Operator::Mod => (" % ", Precedence::TERM),
        Operator::Pow => (" ** ", Precedence::POWER),
        Operator::LShift => (" << ", Precedence::SHIFT),
        Operator::RShift => (" >> ", Precedence::SHIFT),
        Operator::BitOr => (" | ", Precedence::BOR),
        Operator::BitXor => (" ^ ", Precedence::BXOR),
        Operator::BitAnd => (" & ", Precedence::BAND),
        Operator::FloorDiv => (" // ", Precedence::TERM),
    }
}

fn comparison_operator(op: CmpOp) -> &'static str {
    match op {
        CmpOp::Eq => " == ",
        CmpOp::NotEq => " != ",
        CmpOp::Lt => " < ",
        CmpOp::LtE => " <= ",
        CmpOp::Gt => " > ",
        CmpOp::GtE => " >= ",
        CmpOp::Is => " is ",
        CmpOp::IsNot => " is not ",
        CmpOp::In => " in ",
        CmpOp::NotIn => " not in ",
    }
}

impl Writer {
    fn text(&mut self, text: &str) {
        self.out.push_str(text);
    }

    /// Writes `body` in parentheses if it binds more loosely than `level` wants.
    fn grouped(&mut self, level: Precedence, own: Precedence, body: impl FnOnce(&mut Self)) {
        if level > own {
            self.text("(");
            body(self);
            self.text(")");
        } else {
            body(self);
        }
    }

    fn list(&mut self, exprs: &[Expr]) {
        for (index, expr) in exprs.iter().enumerate() {
            if index > 0 {
                self.text(", ");
            }
            self.expr(expr, Precedence::TEST);
        }
    }

    fn expr(&mut self, expr: &Expr, level: Precedence) {
        match expr.kind {
            ExprKind::BoolOp { op, values } => {
                let (text, own) = match op {
                    BoolOperator::And => (" and ", Precedence::AND),
                    BoolOperator::Or => (" or ", Precedence::OR),
                };
                self.grouped(level, own, |writer| {
                    for (index, value) in values.iter().enumerate() {
                        if index > 0 {
                            writer.text(text);
                        }
                        writer.expr(value, own.next());
                    }
                });
            }
            ExprKind::BinOp { left, op, right } => {
                let (text, own) = binary_operator(op);
                let (of_left, of_right) = if op == Operator::Pow { (own.next(), own) } else { (own, own.next()) };
                self.grouped(level, own, |writer| {
                    writer.expr(left, of_left);
                    writer.text(text);
                    writer.expr(right, of_right);
                });
            }
            ExprKind::UnaryOp { op, operand } => {
                let (text, own) = match op {
                    UnaryOperator::Invert => ("~", Precedence::FACTOR),
                    UnaryOperator::Not => ("not ", Precedence::NOT),
                    UnaryOperator::UAdd => ("+", Precedence::FACTOR),
                    UnaryOperator::USub => ("-", Precedence::FACTOR),
                };
                self.grouped(level, own, |writer| {
                    writer.text(text);
                    writer.expr(operand, own);
                });
            }
            ExprKind::Lambda { args, body } => self.grouped(level, Precedence::TEST, |writer| {
                writer.text("lambda");
                // CPython leaves the blank out in front of a star.
                if !args.posonlyargs.is_empty() || !args.args.is_empty() {
                    writer.text(" ");
                }
                writer.arguments(args);
                writer.text(": ");
                writer.expr(body, Precedence::TEST);
            }),
            ExprKind::IfExp { test, body, orelse } => self.grouped(level, Precedence::TEST, |writer| {
                writer.expr(body, Precedence::TEST.next());
                writer.text(" if ");
                writer.expr(test, Precedence::TEST.next());
                writer.text(" else ");
                writer.expr(orelse, Precedence::TEST);
            }),
            ExprKind::NamedExpr { target, value } => self.grouped(level, Precedence::TUPLE, |writer| {
                writer.expr(target, Precedence::ATOM);
                writer.text(" := ");
                writer.expr(value, Precedence::ATOM);
            }),
            ExprKind::Dict { keys, values } => {
                self.text("{");
                for (index, (key, value)) in keys.iter().zip(values).enumerate() {
                    if index > 0 {
                        self.text(", ");
                    }
                    match key {
                        Some(key) => {
                            self.expr(key, Precedence::TEST);
                            self.text(": ");
                            self.expr(value, Precedence::TEST);
                        }
                        None => {
                            self.text("**");
                            self.expr(value, Precedence::EXPR);
                        }
                    }
                }
                self.text("}");
            }
            ExprKind::Set { elts } => {
                self.text("{");
                self.list(elts);
                self.text("}");
            }
            ExprKind::GeneratorExp { elt, generators } => self.comprehension("(", elt, None, generators, ")"),
            ExprKind::ListComp { elt, generators } => self.comprehension("[", elt, None, generators, "]"),
            ExprKind::SetComp { elt, generators } => self.comprehension("{", elt, None, generators, "}"),
            ExprKind::DictComp { key, value, generators } => self.comprehension("{", key, Some(value), generators, "}"),
            ExprKind::Await { value } => self.grouped(level, Precedence::AWAIT, |writer| {
                writer.text("await ");
                writer.expr(value, Precedence::ATOM);
            }),
            ExprKind::Yield { value: None } => self.text("(yield)"),
            ExprKind::Yield { value: Some(value) } => {
                self.text("(yield ");
                self.expr(value, Precedence::TEST);
                self.text(")");
            }
            ExprKind::YieldFrom { value } => {
                self.text("(yield from ");
                self.expr(value, Precedence::TEST);
                self.text(")");
            }
            ExprKind::Compare { left, ops, comparators } => self.grouped(level, Precedence::CMP, |writer| {
                writer.expr(left, Precedence::CMP.next());
                for (&op, comparator) in ops.iter().zip(comparators) {
                    writer.text(comparison_operator(op));
                    writer.expr(comparator, Precedence::CMP.next());
                }
            }),
            ExprKind::Call { func, args, keywords } => self.call(func, args, keywords),
            ExprKind::FormattedValue { .. } | ExprKind::Interpolation { .. } => {
                let mut body = Vec::new();
                replacement_field(&mut body, expr);
                self.text(&String::from_utf8_lossy(&body));
            }
            ExprKind::JoinedStr { values } => self.formatted_string('f', values),
            ExprKind::TemplateStr { values } => self.formatted_string('t', values),
            ExprKind::Constant { value, kind } => self.constant(&value, kind),
            ExprKind::Attribute { value, attr, .. } => {
                self.expr(value, Precedence::ATOM);
                let is_integer =
                    matches!(value.kind, ExprKind::Constant { value: Constant::Int(_) | Constant::BigInt(_), .. });
                self.text(if is_integer { " ." } else { "." });
                self.text(attr);
            }
            ExprKind::Subscript { value, slice, .. } => {
                self.expr(value, Precedence::ATOM);
                self.text("[");
                self.expr(slice, Precedence::TUPLE);
                self.text("]");
            }
            ExprKind::Starred { value, .. } => {
                self.text("*");
                self.expr(value, Precedence::EXPR);
            }
            ExprKind::Name { id, .. } => self.text(id),
            ExprKind::List { elts, .. } => {
                self.text("[");
                self.list(elts);
                self.text("]");
            }
            ExprKind::Tuple { elts: [], .. } => self.text("()"),
            ExprKind::Tuple { elts, .. } => self.grouped(level, Precedence::TUPLE, |writer| {
                writer.list(elts);
                if elts.len() == 1 {
                    writer.text(",");
                }
            }),
            ExprKind::Slice { lower, upper, step } => {
                if let Some(lower) = lower {
                    self.expr(lower, Precedence::TEST);
                }
                self.text(":");
                if let Some(upper) = upper {
                    self.expr(upper, Precedence::TEST);
                }
                if let Some(step) = step {
                    self.text(":");
                    self.expr(step, Precedence::TEST);
                }
            }
        }
    }

    fn constant(&mut self, value: &Constant, kind: Option<PyStr>) {
        if matches!(value, Constant::Ellipsis) {
            return self.text("...");
        }
        self.text(&kind.unwrap_or_default().to_string_lossy());
        let mut text = String::new();
        write_constant(&mut text, value);
        // Infinity has no literal but an overflowing one.
        if matches!(value, Constant::Float(_) | Constant::Complex { .. }) {
            text = text.replace("inf", "1e309");
        }
        self.text(&text);
    }

    fn comprehension(
        &mut self,
        open: &str,
        elt: &Expr,
        value: Option<&Expr>,
        generators: &[Comprehension],
        close: &str,
    ) {
        self.text(open);
        self.expr(elt, Precedence::TEST);
        if let Some(value) = value {
            self.text(": ");
            self.expr(value, Precedence::TEST);
        }
        for clause in generators {
            self.text(if clause.is_async { " async for " } else { " for " });
            self.expr(clause.target, Precedence::TUPLE);
            self.text(" in ");
            self.expr(clause.iter, Precedence::TEST.next());
            for condition in clause.ifs {
                self.text(" if ");
                self.expr(condition, Precedence::TEST.next());
            }
        }
        self.text(close);
    }

    fn call(&mut self, func: &Expr, args: &[Expr], keywords: &[Keyword]) {
        self.expr(func, Precedence::ATOM);
        if let ([Expr { kind: ExprKind::GeneratorExp { .. }, .. }], []) = (args, keywords) {
            return self.expr(&args[0], Precedence::ATOM);
        }
        self.text("(");
        self.list(args);
        for (index, keyword) in keywords.iter().enumerate() {
            if index > 0 || !args.is_empty() {
                self.text(", ");
            }
            match keyword.arg {
                Some(name) => {
                    self.text(name);
                    self.text("=");
                }
                None => self.text("**"),
            }
            self.expr(keyword.value, Precedence::TEST);
        }
        self.text(")");
    }

    fn arguments(&mut self, arguments: &Arguments) {
        let mut first = true;
        let mut separate = |writer: &mut Self| {
            if !std::mem::take(&mut first) {
                writer.text(", ");
            }
        };
        let (posonly, positional) = (arguments.posonlyargs.len(), arguments.posonlyargs.len() + arguments.args.len());
        let without_default = positional - arguments.defaults.len().min(positional);
        for (index, arg) in arguments.posonlyargs.iter().chain(arguments.args).enumerate() {
            separate(self);
            self.argument(arg);
            if index >= without_default {
                self.text("=");
                self.expr(&arguments.defaults[index - without_default], Precedence::TEST);
            }
            if index + 1 == posonly {
                self.text(", /");
            }
        }
        if arguments.vararg.is_some() || !arguments.kwonlyargs.is_empty() {
            separate(self);
            self.text("*");
            if let Some(vararg) = arguments.vararg {
                self.argument(vararg);
            }
        }
        for (arg, default) in arguments.kwonlyargs.iter().zip(arguments.kw_defaults) {
            separate(self);
            self.argument(arg);
            if let Some(default) = default {
                self.text("=");
                self.expr(default, Precedence::TEST);
            }
        }
        if let Some(kwarg) = arguments.kwarg {
            separate(self);
            self.text("**");
            self.argument(kwarg);
        }
    }

    fn argument(&mut self, arg: &Arg) {
        self.text(arg.arg);
        if let Some(annotation) = arg.annotation {
            self.text(": ");
            self.expr(annotation, Precedence::TEST);
        }
    }

    /// An f- or t-string is written as the `repr()` of what it contains.
    fn formatted_string(&mut self, prefix: char, values: &[Expr]) {
        let mut body = Vec::new();
        string_body(&mut body, values);
        self.out.push(prefix);
        write_str(&mut self.out, PyStr::from_bytes(&body));
    }
}

/// The contents of an f- or t-string, in generalised UTF-8.
fn string_body(out: &mut Vec<u8>, values: &[Expr]) {
    for value in values {
        match value.kind {
            ExprKind::Constant { value: Constant::Str(text), .. } => {
                for code in text.code_points() {
                    push_code_point(out, code);
                    if code == u32::from('{') || code == u32::from('}') {
                        push_code_point(out, code);
                    }
                }
            }
            ExprKind::JoinedStr { values } | ExprKind::TemplateStr { values } => string_body(out, values),
            _ => replacement_field(out, value),
        }
    }
}

fn replacement_field(out: &mut Vec<u8>, field: &Expr) {
    let (source, conversion, format_spec) = match field.kind {
        ExprKind::FormattedValue { value, conversion, format_spec } => {
            let mut writer = Writer { out: String::new() };
            // A lambda's colon must not begin the format specification.
            writer.expr(value, Precedence::TEST.next());
            (writer.out.into_bytes(), conversion, format_spec)
        }
        // The expression as it was written, blanks and all.
        ExprKind::Interpolation { str, conversion, format_spec, .. } => {
            let Constant::Str(source) = str else { return };
            (source.as_bytes().to_vec(), conversion, format_spec)
        }
        _ => return,
    };
    out.extend_from_slice(if source.starts_with(b"{") { b"{ " } else { b"{" });
    out.extend_from_slice(&source);
    if let Ok(conversion @ (b'a' | b'r' | b's')) = u8::try_from(conversion) {
        out.extend_from_slice(&[b'!', conversion]);
    }
    if let Some(spec) = format_spec {
        out.push(b':');
        string_body(out, std::slice::from_ref(spec));
    }
    out.push(b'}');
}
