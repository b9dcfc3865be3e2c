//! The grammar of the tree as data: classes, fields and their types, as `Parser/Python.asdl` has them.

use super::*;
use std::sync::LazyLock;

/// How many values a field holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Quantifier {
    One,
    Optional,
    Many,
    /// A list whose items may be absent.
    ManyOptional,
}

/// A field of a class.
#[derive(Clone, Copy, Debug)]
pub struct FieldSchema {
    pub name: &'static str,
    /// The ASDL type, e.g. `expr` or `identifier`.
    pub ty: &'static str,
    pub quantifier: Quantifier,
}

/// A class of nodes.
#[derive(Debug)]
pub struct ClassSchema {
    pub name: &'static str,
    pub fields: Vec<FieldSchema>,
}

/// A sum or product type.
#[derive(Debug)]
pub struct TypeSchema {
    pub name: &'static str,
    pub kind: TypeKind,
    /// Whether nodes have a position.
    pub located: bool,
}

#[derive(Debug)]
pub enum TypeKind {
    Product(ClassSchema),
    /// The constructors.
    Sum(Vec<ClassSchema>),
}

impl ClassSchema {
    /// As ASDL writes it, e.g. `Module(stmt* body, type_ignore* type_ignores)`.
    pub fn signature(&self) -> String {
        let fields: Vec<String> = self.fields.iter().map(FieldSchema::declaration).collect();
        if fields.is_empty() { self.name.to_string() } else { format!("{}({})", self.name, fields.join(", ")) }
    }
}

impl FieldSchema {
    fn declaration(&self) -> String {
        let quantifier = match self.quantifier {
            Quantifier::One => "",
            Quantifier::Optional => "?",
            Quantifier::Many => "*",
            Quantifier::ManyOptional => "?*",
        };
        format!("{}{quantifier} {}", self.ty, self.name)
    }
}

impl TypeSchema {
    /// As ASDL writes it: a constructor per line, those without fields on one.
    pub fn doc(&self) -> String {
        match &self.kind {
            TypeKind::Product(class) => class.signature(),
            TypeKind::Sum(classes) => {
                let signatures: Vec<String> = classes.iter().map(ClassSchema::signature).collect();
                let separator = match classes.iter().all(|class| class.fields.is_empty()) {
                    true => " | ".to_owned(),
                    false => format!("\n{:width$} | ", "", width = self.name.len()),
                };
                format!("{} = {}", self.name, signatures.join(&separator))
            }
        }
    }
}

/// All types, in ASDL's order.
pub fn types() -> &'static [TypeSchema] {
    static TYPES: LazyLock<Vec<TypeSchema>> = LazyLock::new(|| {
        let mut types = all_types();
        types.sort_by_key(|ty| ORDER.iter().position(|name| *name == ty.name));
        types
    });
    &TYPES
}

const ORDER: [&str; 19] = [
    "mod",
    "stmt",
    "expr",
    "expr_context",
    "boolop",
    "operator",
    "unaryop",
    "cmpop",
    "comprehension",
    "excepthandler",
    "arguments",
    "arg",
    "keyword",
    "alias",
    "withitem",
    "match_case",
    "pattern",
    "type_ignore",
    "type_param",
];

/// The ASDL type of a Rust type that can be a single value.
trait AsdlType {
    const TYPE: &'static str;
}

/// The ASDL type and quantifier of a field's Rust type.
trait FieldType {
    const NAME: &'static str;
    const QUANTIFIER: Quantifier;
}

macro_rules! asdl_names {
    ($($ty:ty => $name:literal)*) => { $( impl AsdlType for $ty { const TYPE: &'static str = $name; } )* };
}
asdl_names! {
    Mod<'_> => "mod" Stmt<'_> => "stmt" Expr<'_> => "expr" Pattern<'_> => "pattern" TypeParam<'_> => "type_param"
    ExprContext => "expr_context" BoolOperator => "boolop" Operator => "operator" UnaryOperator => "unaryop"
    CmpOp => "cmpop" Comprehension<'_> => "comprehension" ExceptHandler<'_> => "excepthandler"
    Arguments<'_> => "arguments" Arg<'_> => "arg" Keyword<'_> => "keyword" Alias<'_> => "alias"
    WithItem<'_> => "withitem" MatchCase<'_> => "match_case" TypeIgnore<'_> => "type_ignore"
    Identifier<'_> => "identifier" Constant<'_> => "constant"
}

macro_rules! single_fields {
    ($($ty:ty => $name:expr;)*) => { $(
        impl FieldType for $ty {
            const NAME: &'static str = $name;
            const QUANTIFIER: Quantifier = Quantifier::One;
        }
    )* };
}
single_fields! {
    bool => "int";
    i32 => "int";
    u32 => "int";
    Identifier<'_> => "identifier";
    PyStr<'_> => "string";
    Constant<'_> => "constant";
    ExprContext => ExprContext::TYPE;
    BoolOperator => BoolOperator::TYPE;
    Operator => Operator::TYPE;
    UnaryOperator => UnaryOperator::TYPE;
}
impl<T: AsdlType> FieldType for &T {
    const NAME: &'static str = T::TYPE;
    const QUANTIFIER: Quantifier = Quantifier::One;
}
impl<T: FieldType> FieldType for Option<T> {
    const NAME: &'static str = T::NAME;
    const QUANTIFIER: Quantifier = Quantifier::Optional;
}
impl<T: AsdlType> FieldType for &[T] {
    const NAME: &'static str = T::TYPE;
    const QUANTIFIER: Quantifier = Quantifier::Many;
}
impl FieldType for &[Option<Expr<'_>>] {
    const NAME: &'static str = "expr";
    const QUANTIFIER: Quantifier = Quantifier::ManyOptional;
}

fn field<T: FieldType>(name: &'static str) -> FieldSchema {
    // `None` reads as 0 there, so the tree need not keep it.
    let quantifier = if name == "level" { Quantifier::Optional } else { T::QUANTIFIER };
    FieldSchema { name: field_name(name), ty: T::NAME, quantifier }
}

/// The ASDL names of sum types whose constructors are variants of an enum.
fn sum_name(kind: &'static str) -> &'static str {
    match kind {
        "Mod" => Mod::TYPE,
        "StmtKind" => Stmt::TYPE,
        "ExprKind" => Expr::TYPE,
        "PatternKind" => Pattern::TYPE,
        "TypeParamKind" => TypeParam::TYPE,
        _ => unreachable!("no other sums are in the table"),
    }
}

/// A struct of the table: a product type, or a sum type with a single constructor.
fn product(name: &'static str, ty: &'static str, fields: Vec<FieldSchema>, located: bool) -> TypeSchema {
    let class = ClassSchema { name, fields };
    let kind = if name == ty { TypeKind::Product(class) } else { TypeKind::Sum(vec![class]) };
    TypeSchema { name: ty, kind, located }
}

macro_rules! define_schema {
    (
        sums { $( $(#[$sum_doc:meta])* $sum:ident {
            $( $(#[$variant_doc:meta])* $variant:ident { $( $field:ident : $ty:ty ),* } )*
        } )* }
        located { $( $node:ident : $kind:ident )* }
        products { $( $(#[$product_doc:meta])* $product:ident $product_name:literal {
            $( $product_field:ident : $product_ty:ty ),*
        } )* }
        located_products { $( $(#[$located_doc:meta])* $located:ident $located_name:literal {
            $( $located_field:ident : $located_ty:ty ),*
        } )* }
        enums { $( $enum:ident { $( $case:ident )* } )* }
    ) => {
        // The types of fields name the arena's lifetime.
        #[allow(clippy::extra_unused_lifetimes)]
        fn all_types<'a>() -> Vec<TypeSchema> {
            let located_kinds = [$( stringify!($kind) ),*];
            vec![
                $( TypeSchema {
                    name: sum_name(stringify!($sum)),
                    kind: TypeKind::Sum(vec![ $( ClassSchema {
                        name: stringify!($variant),
                        fields: vec![ $( field::<$ty>(stringify!($field)) ),* ],
                    } ),* ]),
                    located: located_kinds.contains(&stringify!($sum)),
                }, )*
                $( product(
                    $product_name,
                    $product::TYPE,
                    vec![ $( field::<$product_ty>(stringify!($product_field)) ),* ],
                    false,
                ), )*
                $( product(
                    $located_name,
                    $located::TYPE,
                    vec![ $( field::<$located_ty>(stringify!($located_field)) ),* ],
                    true,
                ), )*
                $( TypeSchema {
                    name: $enum::TYPE,
                    kind: TypeKind::Sum(vec![
                        $( ClassSchema { name: stringify!($case), fields: Vec::new() } ),*
                    ]),
                    located: false,
                } ),*
            ]
        }
    };
}
crate::ast_table!(define_schema);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures() {
        assert_eq!(types().len(), ORDER.len());
        let doc = |name: &str| types().iter().find(|ty| ty.name == name).map(TypeSchema::doc).unwrap_or_default();
        let arguments = "arguments(arg* posonlyargs, arg* args, arg? vararg, arg* kwonlyargs, expr?* kw_defaults, \
                         arg? kwarg, expr* defaults)";
        assert_eq!(doc("arguments"), arguments);
        assert_eq!(doc("type_ignore"), "type_ignore = TypeIgnore(int lineno, string tag)");
        assert_eq!(doc("boolop"), "boolop = And | Or");
        assert!(doc("stmt").contains("\n     | ImportFrom(identifier? module, alias* names, int? level)\n"));
        assert!(doc("expr").contains("Interpolation(expr value, constant str, int conversion, expr? format_spec)"));
    }
}
