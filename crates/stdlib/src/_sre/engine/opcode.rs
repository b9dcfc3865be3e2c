//! The numbers of `re._constants`.

pub const MAGIC: u32 = 20230612;
pub const CODESIZE: usize = 4;
pub const MAXREPEAT: u32 = u32::MAX;
pub const MAXGROUPS: u32 = 1073741823;

macro_rules! numbered {
    ($($name:ident)*) => { numbered!(@ 0; $($name)*); };
    (@ $number:expr; $name:ident $($rest:ident)*) => {
        pub const $name: u32 = $number;
        numbered!(@ $number + 1; $($rest)*);
    };
    (@ $number:expr;) => {};
}

numbered! {
    FAILURE SUCCESS ANY ANY_ALL ASSERT ASSERT_NOT AT BRANCH CATEGORY CHARSET BIGCHARSET GROUPREF GROUPREF_EXISTS IN
    INFO JUMP LITERAL MARK MAX_UNTIL MIN_UNTIL NOT_LITERAL NEGATE RANGE REPEAT REPEAT_ONE SUBPATTERN MIN_REPEAT_ONE
    ATOMIC_GROUP POSSESSIVE_REPEAT POSSESSIVE_REPEAT_ONE GROUPREF_IGNORE IN_IGNORE LITERAL_IGNORE NOT_LITERAL_IGNORE
    GROUPREF_LOC_IGNORE IN_LOC_IGNORE LITERAL_LOC_IGNORE NOT_LITERAL_LOC_IGNORE GROUPREF_UNI_IGNORE IN_UNI_IGNORE
    LITERAL_UNI_IGNORE NOT_LITERAL_UNI_IGNORE RANGE_UNI_IGNORE
}

pub const SRE_FLAG_IGNORECASE: u32 = 2;
pub const SRE_FLAG_LOCALE: u32 = 4;
pub const SRE_FLAG_MULTILINE: u32 = 8;
pub const SRE_FLAG_DOTALL: u32 = 16;
pub const SRE_FLAG_UNICODE: u32 = 32;
pub const SRE_FLAG_VERBOSE: u32 = 64;
pub const SRE_FLAG_DEBUG: u32 = 128;
pub const SRE_FLAG_ASCII: u32 = 256;
