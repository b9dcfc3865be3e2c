//! What the parsing machine makes of the source: just enough of a tree to word the messages.

/// What kind of expression a node is, as far as messages tell them apart.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    Attribute,
    Subscript,
    Starred,
    Name,
    List,
    Tuple,
    Lambda,
    Call,
    Operation,
    GeneratorExp,
    Yield,
    Await,
    ListComp,
    SetComp,
    DictComp,
    Dict,
    Set,
    FString,
    TString,
    None,
    False,
    True,
    Ellipsis,
    Literal,
    BytesLiteral,
    Compare,
    /// A comparison that begins with `in`.
    InCompare,
    IfExp,
    NamedExpr,
    /// `in` and what follows.
    In,
    /// Children: the iterable, then the conditions.
    Comprehension,
    Keyword,
    /// `**value` in a call.
    DoubleStarred,
    Other,
}

impl Kind {
    pub fn from_name(name: &str) -> Option<Kind> {
        use Kind::*;
        const KINDS: &[Kind] = &[
            Attribute,
            Subscript,
            Starred,
            List,
            Tuple,
            Lambda,
            Call,
            Operation,
            GeneratorExp,
            Yield,
            Await,
            ListComp,
            SetComp,
            DictComp,
            Dict,
            Set,
            TString,
            None,
            False,
            True,
            Ellipsis,
            IfExp,
            NamedExpr,
            In,
            Comprehension,
            Keyword,
            DoubleStarred,
            Other,
        ];
        KINDS.iter().copied().find(|kind| format!("{kind:?}") == name)
    }

    /// What messages call such an expression.
    pub fn expr_name(self) -> &'static str {
        match self {
            Kind::Attribute => "attribute",
            Kind::Subscript => "subscript",
            Kind::Starred => "starred",
            Kind::Name => "name",
            Kind::List => "list",
            Kind::Tuple => "tuple",
            Kind::Lambda => "lambda",
            Kind::Call => "function call",
            Kind::Operation => "expression",
            Kind::GeneratorExp => "generator expression",
            Kind::Yield => "yield expression",
            Kind::Await => "await expression",
            Kind::ListComp => "list comprehension",
            Kind::SetComp => "set comprehension",
            Kind::DictComp => "dict comprehension",
            Kind::Dict => "dict literal",
            Kind::Set => "set display",
            Kind::FString => "f-string expression",
            Kind::TString => "t-string expression",
            Kind::None => "None",
            Kind::False => "False",
            Kind::True => "True",
            Kind::Ellipsis => "ellipsis",
            Kind::Literal | Kind::BytesLiteral => "literal",
            Kind::Compare | Kind::InCompare => "comparison",
            Kind::IfExp => "conditional expression",
            Kind::NamedExpr => "named expression",
            Kind::In | Kind::Comprehension | Kind::Keyword | Kind::DoubleStarred | Kind::Other => "expression",
        }
    }
}

/// The value of a grammar item.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Value {
    Null,
    /// Index of a token.
    Token(u32),
    /// Index of a node.
    Node(u32),
    /// Range of the machine's list pool.
    List(u32, u32),
}

/// Where something stands: lines from 1, columns from 0 in bytes, -1 if unknown.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub lineno: i64,
    pub col_offset: i64,
    pub end_lineno: i64,
    pub end_col_offset: i64,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Node {
    pub kind: Kind,
    pub place: Place,
    /// Range of the machine's list pool.
    pub children: (u32, u32),
}
