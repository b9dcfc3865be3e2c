//! The abstract syntax tree of Python 3.14, after `Parser/Python.asdl`, whose names and field order it keeps.
//!
//! Nodes live in a `bumpalo` arena, are `Copy` and own nothing. One table lists every node; from it come the types
//! and [`Node::fields`], with which generic code (`ast.dump`, the `_ast` module) walks a tree without naming nodes.

pub mod schema;

pub use crate::constant::{BigInt, CodePoints, Constant, PyStr};

/// Where a node stands in the source. Lines count from 1, columns from 0 in bytes of UTF-8.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Span {
    pub lineno: u32,
    pub col_offset: u32,
    pub end_lineno: u32,
    pub end_col_offset: u32,
}

impl Span {
    /// From the start of `self` to the end of `end`.
    pub fn to(self, end: Span) -> Span {
        Span { end_lineno: end.end_lineno, end_col_offset: end.end_col_offset, ..self }
    }
}

/// An NFKC-normalised name.
pub type Identifier<'a> = &'a str;

/// Any node, by reference, for code that walks trees generically.
pub trait Node<'a> {
    /// Which Python class it is of, e.g. `FunctionDef`.
    fn class(&self) -> ClassId;
    /// Calls `visit` with each field's name and value, in the order of `_fields`.
    fn fields(&self, visit: &mut dyn FnMut(&'static str, Field<'a>));
    /// The position, for nodes that have the attributes.
    fn span(&self) -> Option<Span>;
}

/// The table of all nodes; `ast_table!(with)` hands it to the macro `with`.
#[macro_export]
macro_rules! ast_table {
    ($with:ident) => {
        $with! {
            sums {
                /// The root of a tree.
                Mod {
                    Module { body: &'a [Stmt<'a>], type_ignores: &'a [TypeIgnore<'a>] }
                    Interactive { body: &'a [Stmt<'a>] }
                    Expression { body: &'a Expr<'a> }
                    FunctionType { argtypes: &'a [Expr<'a>], returns: &'a Expr<'a> }
                }
                StmtKind {
                    FunctionDef {
                        name: Identifier<'a>, args: &'a Arguments<'a>, body: &'a [Stmt<'a>],
                        decorator_list: &'a [Expr<'a>], returns: Option<&'a Expr<'a>>,
                        type_comment: Option<PyStr<'a>>, type_params: &'a [TypeParam<'a>]
                    }
                    AsyncFunctionDef {
                        name: Identifier<'a>, args: &'a Arguments<'a>, body: &'a [Stmt<'a>],
                        decorator_list: &'a [Expr<'a>], returns: Option<&'a Expr<'a>>,
                        type_comment: Option<PyStr<'a>>, type_params: &'a [TypeParam<'a>]
                    }
                    ClassDef {
                        name: Identifier<'a>, bases: &'a [Expr<'a>], keywords: &'a [Keyword<'a>],
                        body: &'a [Stmt<'a>], decorator_list: &'a [Expr<'a>], type_params: &'a [TypeParam<'a>]
                    }
                    Return { value: Option<&'a Expr<'a>> }
                    Delete { targets: &'a [Expr<'a>] }
                    Assign { targets: &'a [Expr<'a>], value: &'a Expr<'a>, type_comment: Option<PyStr<'a>> }
                    TypeAlias { name: &'a Expr<'a>, type_params: &'a [TypeParam<'a>], value: &'a Expr<'a> }
                    AugAssign { target: &'a Expr<'a>, op: Operator, value: &'a Expr<'a> }
                    AnnAssign {
                        target: &'a Expr<'a>, annotation: &'a Expr<'a>, value: Option<&'a Expr<'a>>, simple: bool
                    }
                    For {
                        target: &'a Expr<'a>, iter: &'a Expr<'a>, body: &'a [Stmt<'a>], orelse: &'a [Stmt<'a>],
                        type_comment: Option<PyStr<'a>>
                    }
                    AsyncFor {
                        target: &'a Expr<'a>, iter: &'a Expr<'a>, body: &'a [Stmt<'a>], orelse: &'a [Stmt<'a>],
                        type_comment: Option<PyStr<'a>>
                    }
                    While { test: &'a Expr<'a>, body: &'a [Stmt<'a>], orelse: &'a [Stmt<'a>] }
                    If { test: &'a Expr<'a>, body: &'a [Stmt<'a>], orelse: &'a [Stmt<'a>] }
                    With { items: &'a [WithItem<'a>], body: &'a [Stmt<'a>], type_comment: Option<PyStr<'a>> }
                    AsyncWith { items: &'a [WithItem<'a>], body: &'a [Stmt<'a>], type_comment: Option<PyStr<'a>> }
                    Match { subject: &'a Expr<'a>, cases: &'a [MatchCase<'a>] }
                    Raise { exc: Option<&'a Expr<'a>>, cause: Option<&'a Expr<'a>> }
                    Try {
                        body: &'a [Stmt<'a>], handlers: &'a [ExceptHandler<'a>], orelse: &'a [Stmt<'a>],
                        finalbody: &'a [Stmt<'a>]
                    }
                    TryStar {
                        body: &'a [Stmt<'a>], handlers: &'a [ExceptHandler<'a>], orelse: &'a [Stmt<'a>],
                        finalbody: &'a [Stmt<'a>]
                    }
                    Assert { test: &'a Expr<'a>, msg: Option<&'a Expr<'a>> }
                    Import { names: &'a [Alias<'a>] }
                    ImportFrom { module: Option<Identifier<'a>>, names: &'a [Alias<'a>], level: i32 }
                    Global { names: &'a [Identifier<'a>] }
                    Nonlocal { names: &'a [Identifier<'a>] }
                    Expr { value: &'a Expr<'a> }
                    Pass {}
                    Break {}
                    Continue {}
                }
                ExprKind {
                    BoolOp { op: BoolOperator, values: &'a [Expr<'a>] }
                    NamedExpr { target: &'a Expr<'a>, value: &'a Expr<'a> }
                    BinOp { left: &'a Expr<'a>, op: Operator, right: &'a Expr<'a> }
                    UnaryOp { op: UnaryOperator, operand: &'a Expr<'a> }
                    Lambda { args: &'a Arguments<'a>, body: &'a Expr<'a> }
                    IfExp { test: &'a Expr<'a>, body: &'a Expr<'a>, orelse: &'a Expr<'a> }
                    /// A key of `None` is a `**value` item.
                    Dict { keys: &'a [Option<Expr<'a>>], values: &'a [Expr<'a>] }
                    Set { elts: &'a [Expr<'a>] }
                    ListComp { elt: &'a Expr<'a>, generators: &'a [Comprehension<'a>] }
                    SetComp { elt: &'a Expr<'a>, generators: &'a [Comprehension<'a>] }
                    DictComp { key: &'a Expr<'a>, value: &'a Expr<'a>, generators: &'a [Comprehension<'a>] }
                    GeneratorExp { elt: &'a Expr<'a>, generators: &'a [Comprehension<'a>] }
                    Await { value: &'a Expr<'a> }
                    Yield { value: Option<&'a Expr<'a>> }
                    YieldFrom { value: &'a Expr<'a> }
                    Compare { left: &'a Expr<'a>, ops: &'a [CmpOp], comparators: &'a [Expr<'a>] }
                    Call { func: &'a Expr<'a>, args: &'a [Expr<'a>], keywords: &'a [Keyword<'a>] }
                    /// `conversion` is -1 or the code of `s`, `r` or `a`.
                    FormattedValue { value: &'a Expr<'a>, conversion: i32, format_spec: Option<&'a Expr<'a>> }
                    /// `str` is the expression's source text; any constant in trees made by hand.
                    Interpolation {
                        value: &'a Expr<'a>, str: &'a Constant<'a>, conversion: i32, format_spec: Option<&'a Expr<'a>>
                    }
                    JoinedStr { values: &'a [Expr<'a>] }
                    TemplateStr { values: &'a [Expr<'a>] }
                    /// `kind` is `Some("u")` for a string that was written with that prefix.
                    Constant { value: Constant<'a>, kind: Option<PyStr<'a>> }
                    Attribute { value: &'a Expr<'a>, attr: Identifier<'a>, ctx: ExprContext }
                    Subscript { value: &'a Expr<'a>, slice: &'a Expr<'a>, ctx: ExprContext }
                    Starred { value: &'a Expr<'a>, ctx: ExprContext }
                    Name { id: Identifier<'a>, ctx: ExprContext }
                    List { elts: &'a [Expr<'a>], ctx: ExprContext }
                    Tuple { elts: &'a [Expr<'a>], ctx: ExprContext }
                    Slice { lower: Option<&'a Expr<'a>>, upper: Option<&'a Expr<'a>>, step: Option<&'a Expr<'a>> }
                }
                PatternKind {
                    MatchValue { value: &'a Expr<'a> }
                    MatchSingleton { value: Constant<'a> }
                    MatchSequence { patterns: &'a [Pattern<'a>] }
                    MatchMapping { keys: &'a [Expr<'a>], patterns: &'a [Pattern<'a>], rest: Option<Identifier<'a>> }
                    MatchClass {
                        cls: &'a Expr<'a>, patterns: &'a [Pattern<'a>], kwd_attrs: &'a [Identifier<'a>],
                        kwd_patterns: &'a [Pattern<'a>]
                    }
                    MatchStar { name: Option<Identifier<'a>> }
                    MatchAs { pattern: Option<&'a Pattern<'a>>, name: Option<Identifier<'a>> }
                    MatchOr { patterns: &'a [Pattern<'a>] }
                }
                TypeParamKind {
                    TypeVar { name: Identifier<'a>, bound: Option<&'a Expr<'a>>, default_value: Option<&'a Expr<'a>> }
                    ParamSpec { name: Identifier<'a>, default_value: Option<&'a Expr<'a>> }
                    TypeVarTuple { name: Identifier<'a>, default_value: Option<&'a Expr<'a>> }
                }
            }
            located {
                Stmt: StmtKind
                Expr: ExprKind
                Pattern: PatternKind
                TypeParam: TypeParamKind
            }
            products {
                Comprehension "comprehension" {
                    target: &'a Expr<'a>, iter: &'a Expr<'a>, ifs: &'a [Expr<'a>], is_async: bool
                }
                Arguments "arguments" {
                    posonlyargs: &'a [Arg<'a>], args: &'a [Arg<'a>], vararg: Option<&'a Arg<'a>>,
                    kwonlyargs: &'a [Arg<'a>], kw_defaults: &'a [Option<Expr<'a>>], kwarg: Option<&'a Arg<'a>>,
                    defaults: &'a [Expr<'a>]
                }
                WithItem "withitem" { context_expr: &'a Expr<'a>, optional_vars: Option<&'a Expr<'a>> }
                MatchCase "match_case" {
                    pattern: &'a Pattern<'a>, guard: Option<&'a Expr<'a>>, body: &'a [Stmt<'a>]
                }
                TypeIgnore "TypeIgnore" { lineno: u32, tag: PyStr<'a> }
            }
            located_products {
                /// `type` and `name` of `except type as name:`.
                ExceptHandler "ExceptHandler" {
                    r#type: Option<&'a Expr<'a>>, name: Option<Identifier<'a>>, body: &'a [Stmt<'a>]
                }
                Arg "arg" {
                    arg: Identifier<'a>, annotation: Option<&'a Expr<'a>>, type_comment: Option<PyStr<'a>>
                }
                /// An `arg` of `None` is a `**value` argument.
                Keyword "keyword" { arg: Option<Identifier<'a>>, value: &'a Expr<'a> }
                Alias "alias" { name: Identifier<'a>, asname: Option<Identifier<'a>> }
            }
            enums {
                ExprContext { Load Store Del }
                BoolOperator { And Or }
                Operator {
                    Add Sub Mult MatMult Div Mod Pow LShift RShift BitOr BitXor BitAnd FloorDiv
                }
                UnaryOperator { Invert Not UAdd USub }
                CmpOp { Eq NotEq Lt LtE Gt GtE Is IsNot In NotIn }
            }
        }
    };
}

/// `r#type` is called `type` in Python.
pub fn field_name(name: &'static str) -> &'static str {
    name.strip_prefix("r#").unwrap_or(name)
}

macro_rules! define_nodes {
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
        /// The Python classes of nodes, operators and contexts.
        #[allow(non_camel_case_types)]
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        #[repr(u8)]
        pub enum ClassId { $( $( $variant, )* )* $( $product, )* $( $located, )* $( $( $case, )* )* }

        impl ClassId {
            pub const ALL: &'static [ClassId] = &[
                $( $( ClassId::$variant, )* )* $( ClassId::$product, )* $( ClassId::$located, )* $( $( ClassId::$case, )* )*
            ];

            /// The name of the class in Python.
            pub fn name(self) -> &'static str {
                match self {
                    $( $( ClassId::$variant => stringify!($variant), )* )*
                    $( ClassId::$product => $product_name, )*
                    $( ClassId::$located => $located_name, )*
                    $( $( ClassId::$case => stringify!($case), )* )*
                }
            }
        }

        $(
            $(#[$sum_doc])*
            #[derive(Clone, Copy, PartialEq, Debug)]
            pub enum $sum<'a> { $( $(#[$variant_doc])* $variant { $( $field: $ty ),* }, )* }

            impl<'a> $sum<'a> {
                pub fn class(&self) -> ClassId {
                    match self { $( $sum::$variant { .. } => ClassId::$variant, )* }
                }

                /// The name of the Python class.
                pub fn class_name(&self) -> &'static str {
                    self.class().name()
                }

                /// Calls `visit` with each field's name and value, in the order of `_fields`.
                #[allow(unused_variables)]
                pub fn fields(&self, visit: &mut dyn FnMut(&'static str, Field<'a>)) {
                    match *self {
                        $( $sum::$variant { $( $field ),* } => {
                            $( visit(field_name(stringify!($field)), Field::from($field)); )*
                        } )*
                    }
                }
            }
        )*
        $(
            #[derive(Clone, Copy, PartialEq, Debug)]
            pub struct $node<'a> {
                pub kind: $kind<'a>,
                pub span: Span,
            }

            impl<'a> Node<'a> for $node<'a> {
                fn class(&self) -> ClassId { self.kind.class() }
                fn fields(&self, visit: &mut dyn FnMut(&'static str, Field<'a>)) { self.kind.fields(visit) }
                fn span(&self) -> Option<Span> { Some(self.span) }
            }
        )*
        $(
            $(#[$product_doc])*
            #[derive(Clone, Copy, PartialEq, Debug)]
            pub struct $product<'a> { $( pub $product_field: $product_ty ),* }

            impl<'a> Node<'a> for $product<'a> {
                fn class(&self) -> ClassId { ClassId::$product }
                fn fields(&self, visit: &mut dyn FnMut(&'static str, Field<'a>)) {
                    $( visit(field_name(stringify!($product_field)), Field::from(self.$product_field)); )*
                }
                fn span(&self) -> Option<Span> { None }
            }
        )*
        $(
            $(#[$located_doc])*
            #[derive(Clone, Copy, PartialEq, Debug)]
            pub struct $located<'a> { $( pub $located_field: $located_ty, )* pub span: Span }

            impl<'a> Node<'a> for $located<'a> {
                fn class(&self) -> ClassId { ClassId::$located }
                fn fields(&self, visit: &mut dyn FnMut(&'static str, Field<'a>)) {
                    $( visit(field_name(stringify!($located_field)), Field::from(self.$located_field)); )*
                }
                fn span(&self) -> Option<Span> { Some(self.span) }
            }
        )*
        $(
            #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
            pub enum $enum { $( $case ),* }

            impl $enum {
                pub fn class(self) -> ClassId {
                    match self { $( $enum::$case => ClassId::$case ),* }
                }

                /// The name of the Python class.
                pub fn class_name(self) -> &'static str {
                    self.class().name()
                }
            }

            impl<'a> From<$enum> for Field<'a> {
                fn from(value: $enum) -> Self { Field::Singleton(value.class()) }
            }
        )*
    };
}
ast_table!(define_nodes);

impl<'a> Node<'a> for Mod<'a> {
    fn class(&self) -> ClassId {
        Mod::class(self)
    }
    fn fields(&self, visit: &mut dyn FnMut(&'static str, Field<'a>)) {
        Mod::fields(self, visit)
    }
    fn span(&self) -> Option<Span> {
        None
    }
}

/// The value of a node's field, as [`Node::fields`] shows it.
#[derive(Clone, Copy)]
pub enum Field<'a> {
    /// An operator or context: its class, which has no fields.
    Singleton(ClassId),
    Int(i64),
    Identifier(Option<Identifier<'a>>),
    Identifiers(&'a [Identifier<'a>]),
    Str(Option<PyStr<'a>>),
    Constant(Constant<'a>),
    Node(Option<&'a dyn Node<'a>>),
    Nodes(NodeSlice<'a>),
    CmpOps(&'a [CmpOp]),
}

macro_rules! define_node_slices {
    ($( $list:ident : $element:ident )*) => {
        /// A list of nodes of one type; only elements of `OptionalExpr` may be absent.
        #[derive(Clone, Copy)]
        pub enum NodeSlice<'a> { $( $list(&'a [$element<'a>]), )* OptionalExpr(&'a [Option<Expr<'a>>]) }

        impl<'a> NodeSlice<'a> {
            pub fn len(self) -> usize {
                match self {
                    $( NodeSlice::$list(nodes) => nodes.len(), )*
                    NodeSlice::OptionalExpr(nodes) => nodes.len(),
                }
            }

            /// Panics if `index` is not below [`NodeSlice::len`].
            pub fn get(self, index: usize) -> Option<&'a dyn Node<'a>> {
                match self {
                    $( NodeSlice::$list(nodes) => Some(&nodes[index]), )*
                    NodeSlice::OptionalExpr(nodes) => nodes[index].as_ref().map(|node| node as &dyn Node<'a>),
                }
            }
        }

        $(
            impl<'a> From<&'a [$element<'a>]> for Field<'a> {
                fn from(nodes: &'a [$element<'a>]) -> Self { Field::Nodes(NodeSlice::$list(nodes)) }
            }
            impl<'a> From<&'a $element<'a>> for Field<'a> {
                fn from(node: &'a $element<'a>) -> Self { Field::Node(Some(node)) }
            }
            impl<'a> From<Option<&'a $element<'a>>> for Field<'a> {
                fn from(node: Option<&'a $element<'a>>) -> Self { Field::Node(node.map(|node| node as _)) }
            }
        )*
    };
}
define_node_slices! {
    Stmt: Stmt Expr: Expr Pattern: Pattern TypeParam: TypeParam Comprehension: Comprehension Arg: Arg Keyword: Keyword
    Alias: Alias WithItem: WithItem MatchCase: MatchCase ExceptHandler: ExceptHandler TypeIgnore: TypeIgnore
    Arguments: Arguments
}

macro_rules! define_field_conversions {
    ($( $ty:ty => |$value:ident| $field:expr; )*) => {
        $( impl<'a> From<$ty> for Field<'a> { fn from($value: $ty) -> Self { $field } } )*
    };
}
define_field_conversions! {
    bool => |value| Field::Int(value.into());
    i32 => |value| Field::Int(value.into());
    u32 => |value| Field::Int(value.into());
    Identifier<'a> => |name| Field::Identifier(Some(name));
    Option<Identifier<'a>> => |name| Field::Identifier(name);
    &'a [Identifier<'a>] => |names| Field::Identifiers(names);
    PyStr<'a> => |text| Field::Str(Some(text));
    Option<PyStr<'a>> => |text| Field::Str(text);
    Constant<'a> => |value| Field::Constant(value);
    &'a Constant<'a> => |value| Field::Constant(*value);
    &'a [Option<Expr<'a>>] => |nodes| Field::Nodes(NodeSlice::OptionalExpr(nodes));
    &'a [CmpOp] => |ops| Field::CmpOps(ops);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_are_small() {
        assert!(size_of::<Expr>() <= 64, "{}", size_of::<Expr>());
        assert!(size_of::<Stmt>() <= 120, "{}", size_of::<Stmt>());
    }
}
