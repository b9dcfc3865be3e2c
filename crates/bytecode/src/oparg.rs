//! What the arguments of some instructions stand for.

macro_rules! numbered { (
    $(#[$doc:meta])* $name:ident { $($variant:ident = $number:literal, $text:literal;)* }
) => {
    $(#[$doc])*
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    #[repr(u8)]
    pub enum $name { $($variant = $number,)* }

    impl $name {
        pub const ALL: &'static [$name] = &[$($name::$variant),*];

        pub const fn from_oparg(number: u32) -> Option<$name> {
            match number { $($number => Some($name::$variant),)* _ => None }
        }

        /// How `dis` and `_opcode` write it.
        pub const fn text(self) -> &'static str {
            match self { $($name::$variant => $text,)* }
        }
    }
}}

numbered! {
    /// The operators of BINARY_OP.
    BinaryOp {
        Add = 0, "+";
        And = 1, "&";
        FloorDivide = 2, "//";
        Lshift = 3, "<<";
        MatrixMultiply = 4, "@";
        Multiply = 5, "*";
        Remainder = 6, "%";
        Or = 7, "|";
        Power = 8, "**";
        Rshift = 9, ">>";
        Subtract = 10, "-";
        TrueDivide = 11, "/";
        Xor = 12, "^";
        InplaceAdd = 13, "+=";
        InplaceAnd = 14, "&=";
        InplaceFloorDivide = 15, "//=";
        InplaceLshift = 16, "<<=";
        InplaceMatrixMultiply = 17, "@=";
        InplaceMultiply = 18, "*=";
        InplaceRemainder = 19, "%=";
        InplaceOr = 20, "|=";
        InplacePower = 21, "**=";
        InplaceRshift = 22, ">>=";
        InplaceSubtract = 23, "-=";
        InplaceTrueDivide = 24, "/=";
        InplaceXor = 25, "^=";
        Subscr = 26, "[]";
    }
}

impl BinaryOp {
    /// The name in `_opcode.get_nb_ops()`.
    pub const fn name(self) -> &'static str {
        match self {
            BinaryOp::Add => "NB_ADD",
            BinaryOp::And => "NB_AND",
            BinaryOp::FloorDivide => "NB_FLOOR_DIVIDE",
            BinaryOp::Lshift => "NB_LSHIFT",
            BinaryOp::MatrixMultiply => "NB_MATRIX_MULTIPLY",
            BinaryOp::Multiply => "NB_MULTIPLY",
            BinaryOp::Remainder => "NB_REMAINDER",
            BinaryOp::Or => "NB_OR",
            BinaryOp::Power => "NB_POWER",
            BinaryOp::Rshift => "NB_RSHIFT",
            BinaryOp::Subtract => "NB_SUBTRACT",
            BinaryOp::TrueDivide => "NB_TRUE_DIVIDE",
            BinaryOp::Xor => "NB_XOR",
            BinaryOp::InplaceAdd => "NB_INPLACE_ADD",
            BinaryOp::InplaceAnd => "NB_INPLACE_AND",
            BinaryOp::InplaceFloorDivide => "NB_INPLACE_FLOOR_DIVIDE",
            BinaryOp::InplaceLshift => "NB_INPLACE_LSHIFT",
            BinaryOp::InplaceMatrixMultiply => "NB_INPLACE_MATRIX_MULTIPLY",
            BinaryOp::InplaceMultiply => "NB_INPLACE_MULTIPLY",
            BinaryOp::InplaceRemainder => "NB_INPLACE_REMAINDER",
            BinaryOp::InplaceOr => "NB_INPLACE_OR",
            BinaryOp::InplacePower => "NB_INPLACE_POWER",
            BinaryOp::InplaceRshift => "NB_INPLACE_RSHIFT",
            BinaryOp::InplaceSubtract => "NB_INPLACE_SUBTRACT",
            BinaryOp::InplaceTrueDivide => "NB_INPLACE_TRUE_DIVIDE",
            BinaryOp::InplaceXor => "NB_INPLACE_XOR",
            BinaryOp::Subscr => "NB_SUBSCR",
        }
    }
}

numbered! {
    /// The comparisons in bits 5 and up of COMPARE_OP's argument.
    CompareOp {
        Lt = 0, "<";
        Le = 1, "<=";
        Eq = 2, "==";
        Ne = 3, "!=";
        Gt = 4, ">";
        Ge = 5, ">=";
    }
}

impl CompareOp {
    /// The argument that the code generator gives COMPARE_OP: the comparison, and in the low four bits the outcomes
    /// (unordered 1, less 2, greater 4, equal 8) that make it true.
    pub const fn oparg(self) -> u32 {
        let mask = match self {
            CompareOp::Lt => 2,
            CompareOp::Le => 2 + 8,
            CompareOp::Eq => 8,
            CompareOp::Ne => 1 + 2 + 4,
            CompareOp::Gt => 4,
            CompareOp::Ge => 4 + 8,
        };
        (self as u32) << 5 | mask
    }
}

/// The bit of COMPARE_OP's argument that asks for a bool.
pub const COMPARE_OP_TO_BOOL: u32 = 16;

numbered! {
    /// The functions of CALL_INTRINSIC_1.
    Intrinsic1 {
        Invalid = 0, "INTRINSIC_1_INVALID";
        Print = 1, "INTRINSIC_PRINT";
        ImportStar = 2, "INTRINSIC_IMPORT_STAR";
        StopIterationError = 3, "INTRINSIC_STOPITERATION_ERROR";
        AsyncGenWrap = 4, "INTRINSIC_ASYNC_GEN_WRAP";
        UnaryPositive = 5, "INTRINSIC_UNARY_POSITIVE";
        ListToTuple = 6, "INTRINSIC_LIST_TO_TUPLE";
        TypeVar = 7, "INTRINSIC_TYPEVAR";
        ParamSpec = 8, "INTRINSIC_PARAMSPEC";
        TypeVarTuple = 9, "INTRINSIC_TYPEVARTUPLE";
        SubscriptGeneric = 10, "INTRINSIC_SUBSCRIPT_GENERIC";
        TypeAlias = 11, "INTRINSIC_TYPEALIAS";
    }
}

numbered! {
    /// The functions of CALL_INTRINSIC_2.
    Intrinsic2 {
        Invalid = 0, "INTRINSIC_2_INVALID";
        PrepReraiseStar = 1, "INTRINSIC_PREP_RERAISE_STAR";
        TypeVarWithBound = 2, "INTRINSIC_TYPEVAR_WITH_BOUND";
        TypeVarWithConstraints = 3, "INTRINSIC_TYPEVAR_WITH_CONSTRAINTS";
        SetFunctionTypeParams = 4, "INTRINSIC_SET_FUNCTION_TYPE_PARAMS";
        SetTypeParamDefault = 5, "INTRINSIC_SET_TYPEPARAM_DEFAULT";
    }
}

numbered! {
    /// The objects of LOAD_COMMON_CONSTANT.
    CommonConstant {
        AssertionError = 0, "AssertionError";
        NotImplementedError = 1, "NotImplementedError";
        Tuple = 2, "tuple";
        All = 3, "all";
        Any = 4, "any";
    }
}

numbered! {
    /// The methods of LOAD_SPECIAL.
    SpecialMethod {
        Enter = 0, "__enter__";
        Exit = 1, "__exit__";
        AEnter = 2, "__aenter__";
        AExit = 3, "__aexit__";
    }
}

numbered! {
    /// The conversions of CONVERT_VALUE and, shifted by 2, of BUILD_INTERPOLATION (where 0 is none).
    Conversion {
        None = 0, "";
        Str = 1, "str";
        Repr = 2, "repr";
        Ascii = 3, "ascii";
    }
}

/// The argument of SET_FUNCTION_ATTRIBUTE.
pub mod function_attribute {
    pub const DEFAULTS: u32 = 0x01;
    pub const KWDEFAULTS: u32 = 0x02;
    pub const ANNOTATIONS: u32 = 0x04;
    pub const CLOSURE: u32 = 0x08;
    pub const ANNOTATE: u32 = 0x10;
}

/// The argument of RESUME.
pub mod resume {
    pub const AT_FUNC_START: u32 = 0;
    pub const AFTER_YIELD: u32 = 1;
    pub const AFTER_YIELD_FROM: u32 = 2;
    pub const AFTER_AWAIT: u32 = 3;
    pub const LOCATION_MASK: u32 = 3;
    /// The yield is inside exactly one exception handler, the generator's own.
    pub const DEPTH1_MASK: u32 = 4;
}
