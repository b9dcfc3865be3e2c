//! The instruction set of CPython 3.14, declared once.
//!
//! A row of [`opcode_table!`] reads: `NAME = number, (oparg: popped => pushed), cache units, [flags];`. Everything else
//! (the enum, stack effects, cache sizes, `_opcode`'s questions, `dis` names) is derived from it; other crates may pass
//! a macro of their own to `opcode_table!`. The specialised and instrumented forms, which the compiler never emits, are
//! listed apart with their numbers because `_opcode_metadata` and `dis` know them.

/// Hands all rows, real and pseudo-instructions, to the macro named.
#[macro_export]
macro_rules! opcode_table {
    ($with:ident) => {
        $with! {
            /// Room for an inline cache behind an instruction.
            CACHE = 0, (_: 0 => 0), [];
            /// `container[start:stop]`.
            BINARY_SLICE = 1, (_: 3 => 1), [ERROR ESCAPES];
            /// A template string from its strings and interpolations.
            BUILD_TEMPLATE = 2, (_: 2 => 1), [ERROR ESCAPES];
            /// A call with a tuple of positional and a mapping (or null) of keyword arguments.
            CALL_FUNCTION_EX = 4, (_: 4 => 1), [EVAL_BREAK ERROR ERROR_NO_POP ESCAPES];
            /// Splits an exception group by a type for `except*`: rest and match.
            CHECK_EG_MATCH = 5, (_: 2 => 2), [ERROR ESCAPES];
            /// Whether the exception below matches the type on top.
            CHECK_EXC_MATCH = 6, (_: 2 => 2), [ERROR ERROR_NO_POP ESCAPES];
            /// Ends a `yield from` into which an exception was thrown: `StopIteration` gives its value, others go on.
            CLEANUP_THROW = 7, (_: 3 => 2), [ERROR ERROR_NO_POP ESCAPES];
            /// `del container[sub]`.
            DELETE_SUBSCR = 8, (_: 2 => 0), [ERROR ESCAPES];
            /// Drops the iterator's last result when a loop ends.
            END_FOR = 9, (_: 1 => 0), [ESCAPES NO_SAVE_IP];
            /// Drops the receiver below a value when a `yield from` ends.
            END_SEND = 10, (_: 2 => 1), [ESCAPES PURE];
            /// Checks that `__init__` returned None (only in the interpreter's own frames).
            EXIT_INIT_CHECK = 11, (_: 1 => 0), [ERROR ERROR_NO_POP ESCAPES];
            /// `format(value, '')`.
            FORMAT_SIMPLE = 12, (_: 1 => 1), [ERROR ESCAPES];
            /// `format(value, spec)`.
            FORMAT_WITH_SPEC = 13, (_: 2 => 1), [ERROR ESCAPES];
            /// `aiter(obj)`.
            GET_AITER = 14, (_: 1 => 1), [ERROR ESCAPES];
            /// The awaitable of `anext(aiter)`, above the iterator.
            GET_ANEXT = 15, (_: 1 => 2), [ERROR ERROR_NO_POP ESCAPES];
            /// `iter(iterable)`.
            GET_ITER = 16, (_: 1 => 1), [ERROR ESCAPES];
            /// Unused number.
            RESERVED = 17, (_: 0 => 0), [];
            /// `len(obj)`, above the object.
            GET_LEN = 18, (_: 1 => 2), [ERROR ESCAPES];
            /// The iterator of a `yield from`: coroutines and generators are their own.
            GET_YIELD_FROM_ITER = 19, (_: 1 => 1), [ERROR ERROR_NO_POP ESCAPES];
            /// Returns from the interpreter (only in the interpreter's own frames).
            INTERPRETER_EXIT = 20, (_: 1 => 0), [ESCAPES];
            /// `builtins.__build_class__`.
            LOAD_BUILD_CLASS = 21, (_: 0 => 1), [ERROR ESCAPES];
            /// The frame's namespace.
            LOAD_LOCALS = 22, (_: 0 => 1), [ERROR ESCAPES];
            /// A function from a code object.
            MAKE_FUNCTION = 23, (_: 1 => 1), [ERROR ESCAPES];
            /// A tuple of the values of a mapping for a tuple of keys, or None.
            MATCH_KEYS = 24, (_: 2 => 3), [ERROR ESCAPES];
            /// Whether the subject is a mapping.
            MATCH_MAPPING = 25, (_: 1 => 2), [];
            /// Whether the subject is a sequence.
            MATCH_SEQUENCE = 26, (_: 1 => 2), [];
            /// Nothing; keeps a line alive.
            NOP = 27, (_: 0 => 0), [PURE];
            /// Marks the way past a conditional jump for monitoring.
            NOT_TAKEN = 28, (_: 0 => 0), [PURE];
            /// Restores the exception handled before.
            POP_EXCEPT = 29, (_: 1 => 0), [ESCAPES];
            /// Drops an iterator.
            POP_ITER = 30, (_: 1 => 0), [ESCAPES PURE];
            /// Drops the topmost value.
            POP_TOP = 31, (_: 1 => 0), [ESCAPES PURE];
            /// Makes the exception the one being handled; the one before goes below it.
            PUSH_EXC_INFO = 32, (_: 1 => 2), [];
            /// The null that stands for a missing `self`.
            PUSH_NULL = 33, (_: 0 => 1), [PURE];
            /// Turns the frame into a generator and returns that; on resumption a value lies on the stack.
            RETURN_GENERATOR = 34, (_: 0 => 1), [ERROR ESCAPES];
            /// Returns the topmost value.
            RETURN_VALUE = 35, (_: 1 => 1), [ESCAPES];
            /// Creates `__annotations__` unless it is there.
            SETUP_ANNOTATIONS = 36, (_: 0 => 0), [ERROR ESCAPES];
            /// `container[start:stop] = v`.
            STORE_SLICE = 37, (_: 4 => 0), [ERROR ESCAPES];
            /// `container[sub] = v`.
            STORE_SUBSCR = 38, (_: 3 => 0), cache 1, [ERROR ESCAPES];
            /// `bool(value)`.
            TO_BOOL = 39, (_: 1 => 1), cache 3, [ERROR ESCAPES];
            /// `~value`.
            UNARY_INVERT = 40, (_: 1 => 1), [ERROR ESCAPES];
            /// `-value`.
            UNARY_NEGATIVE = 41, (_: 1 => 1), [ERROR ESCAPES];
            /// `not value` of a value that is a bool.
            UNARY_NOT = 42, (_: 1 => 1), [PURE];
            /// Calls a context manager's exit with the exception on top.
            WITH_EXCEPT_START = 43, (_: 5 => 6), [ERROR ESCAPES];
            /// The operator numbered `oparg`, see [`BinaryOp`](crate::oparg::BinaryOp).
            BINARY_OP = 44, (_: 2 => 1), cache 5, [ARG ERROR ERROR_NO_POP ESCAPES];
            /// An interpolation of a template: conversion in `oparg >> 2`, bit 0 says that there is a format.
            BUILD_INTERPOLATION = 45, (oparg: 2 + (oparg & 1) => 1), [ARG ERROR ESCAPES];
            /// A list of `oparg` values.
            BUILD_LIST = 46, (oparg: oparg => 1), [ARG ERROR ERROR_NO_POP ESCAPES];
            /// A dict of `oparg` keys and values.
            BUILD_MAP = 47, (oparg: 2 * oparg => 1), [ARG ERROR ESCAPES];
            /// A set of `oparg` values.
            BUILD_SET = 48, (oparg: oparg => 1), [ARG ERROR ESCAPES];
            /// A slice of two or three values.
            BUILD_SLICE = 49, (oparg: oparg => 1), [ARG ERROR];
            /// Joins `oparg` strings.
            BUILD_STRING = 50, (oparg: oparg => 1), [ARG ERROR];
            /// A tuple of `oparg` values.
            BUILD_TUPLE = 51, (oparg: oparg => 1), [ARG ERROR ERROR_NO_POP];
            /// Calls with `oparg` positional arguments.
            CALL = 52, (oparg: 2 + oparg => 1), cache 3, [ARG EVAL_BREAK ERROR ERROR_NO_POP ESCAPES];
            /// The one-argument function numbered `oparg`.
            CALL_INTRINSIC_1 = 53, (_: 1 => 1), [ARG ERROR ESCAPES];
            /// The two-argument function numbered `oparg`.
            CALL_INTRINSIC_2 = 54, (_: 2 => 1), [ARG ERROR ESCAPES];
            /// Calls with `oparg` arguments, the last of which are named by the tuple on top.
            CALL_KW = 55, (oparg: 3 + oparg => 1), cache 3, [ARG ERROR ERROR_NO_POP ESCAPES];
            /// The comparison `oparg >> 5`; bit 4 wants a bool; the low bits are for specialisation.
            COMPARE_OP = 56, (_: 2 => 1), cache 1, [ARG ERROR ESCAPES];
            /// `in`, or `not in` for 1.
            CONTAINS_OP = 57, (_: 2 => 1), cache 1, [ARG ERROR ESCAPES];
            /// `str`, `repr` or `ascii` of the value.
            CONVERT_VALUE = 58, (_: 1 => 1), [ARG ERROR ESCAPES];
            /// Pushes the `oparg`th value from the top again.
            COPY = 59, (oparg: oparg => 1 + oparg), [ARG PURE];
            /// Puts the closure's `oparg` cells into the frame.
            COPY_FREE_VARS = 60, (_: 0 => 0), [ARG];
            /// `del owner.name`.
            DELETE_ATTR = 61, (_: 1 => 0), [ARG NAME ERROR ESCAPES];
            /// Empties a cell.
            DELETE_DEREF = 62, (_: 0 => 0), [ARG FREE ERROR ERROR_NO_POP ESCAPES];
            /// Unbinds a local.
            DELETE_FAST = 63, (_: 0 => 0), [ARG LOCAL ERROR ESCAPES];
            /// `del` of a global.
            DELETE_GLOBAL = 64, (_: 0 => 0), [ARG NAME ERROR ERROR_NO_POP ESCAPES];
            /// `del` of a name of the namespace.
            DELETE_NAME = 65, (_: 0 => 0), [ARG NAME ERROR ERROR_NO_POP ESCAPES];
            /// Updates the `oparg`th value, a dict of keyword arguments; duplicates are errors.
            DICT_MERGE = 66, (oparg: 4 + oparg => 3 + oparg), [ARG ERROR ESCAPES];
            /// Updates the `oparg`th value, a dict.
            DICT_UPDATE = 67, (oparg: 1 + oparg => oparg), [ARG ERROR ESCAPES];
            /// Ends an `async for` at `StopAsyncIteration`; `oparg` leads back to the loop's SEND.
            END_ASYNC_FOR = 68, (_: 2 => 0), [ARG JUMP ERROR ERROR_NO_POP ESCAPES];
            /// The high bits of the next instruction's `oparg`.
            EXTENDED_ARG = 69, (_: 0 => 0), [ARG];
            /// Pushes the iterator's next value, or jumps when there is none.
            FOR_ITER = 70, (_: 1 => 2), cache 1, [ARG JUMP ERROR ERROR_NO_POP ESCAPES];
            /// The awaitable of a value; `oparg` says in which context.
            GET_AWAITABLE = 71, (_: 1 => 1), [ARG ERROR ESCAPES];
            /// An attribute of the module on top, which stays.
            IMPORT_FROM = 72, (_: 1 => 2), [ARG NAME ERROR ESCAPES];
            /// Imports a module: level and list of names are on the stack.
            IMPORT_NAME = 73, (_: 2 => 1), [ARG NAME ERROR ESCAPES];
            /// `is`, or `is not` for 1.
            IS_OP = 74, (_: 2 => 1), [ARG];
            /// Jumps back and looks for signals.
            JUMP_BACKWARD = 75, (_: 0 => 0), cache 1, [ARG JUMP EVAL_BREAK ERROR ESCAPES];
            /// Jumps back.
            JUMP_BACKWARD_NO_INTERRUPT = 76, (_: 0 => 0), [ARG JUMP];
            /// Jumps forward.
            JUMP_FORWARD = 77, (_: 0 => 0), [ARG JUMP];
            /// Appends to the `oparg`th value, a list.
            LIST_APPEND = 78, (oparg: 1 + oparg => oparg), [ARG ERROR];
            /// Extends the `oparg`th value, a list.
            LIST_EXTEND = 79, (oparg: 1 + oparg => oparg), [ARG ERROR ESCAPES];
            /// Attribute `oparg >> 1`; with bit 0 a method and its `self`, or the attribute and a null.
            LOAD_ATTR = 80, (oparg: 1 => 1 + (oparg & 1)), cache 9, [ARG NAME ERROR ESCAPES];
            /// An object that the language guarantees whatever the names are bound to.
            LOAD_COMMON_CONSTANT = 81, (_: 0 => 1), [ARG];
            /// A constant.
            LOAD_CONST = 82, (_: 0 => 1), [ARG CONST];
            /// A cell's content.
            LOAD_DEREF = 83, (_: 0 => 1), [ARG LOCAL ERROR ESCAPES];
            /// A local that is known to be bound.
            LOAD_FAST = 84, (_: 0 => 1), [ARG LOCAL PURE];
            /// A local's value or null; the local becomes unbound.
            LOAD_FAST_AND_CLEAR = 85, (_: 0 => 1), [ARG LOCAL];
            /// A local that outlives the value pushed: no reference is taken.
            LOAD_FAST_BORROW = 86, (_: 0 => 1), [ARG LOCAL PURE];
            /// Two locals, 4 bits each, borrowed.
            LOAD_FAST_BORROW_LOAD_FAST_BORROW = 87, (_: 0 => 2), [ARG LOCAL];
            /// A local that may be unbound.
            LOAD_FAST_CHECK = 88, (_: 0 => 1), [ARG LOCAL ERROR ESCAPES];
            /// Two locals, 4 bits each.
            LOAD_FAST_LOAD_FAST = 89, (_: 0 => 2), [ARG LOCAL];
            /// A name of the mapping on top, else a cell's content.
            LOAD_FROM_DICT_OR_DEREF = 90, (_: 1 => 1), [ARG FREE ERROR ERROR_NO_POP ESCAPES];
            /// A name of the mapping on top, else a global.
            LOAD_FROM_DICT_OR_GLOBALS = 91, (_: 1 => 1), [ARG NAME ERROR ERROR_NO_POP ESCAPES];
            /// Global or builtin `oparg >> 1`; with bit 0 a null follows.
            LOAD_GLOBAL = 92, (oparg: 0 => 1 + (oparg & 1)), cache 4, [ARG NAME ERROR ESCAPES];
            /// A name of the namespace, else a global or builtin.
            LOAD_NAME = 93, (_: 0 => 1), [ARG NAME ERROR ESCAPES];
            /// The int `oparg`.
            LOAD_SMALL_INT = 94, (_: 0 => 1), [ARG];
            /// A special method looked up on the type, and its `self`.
            LOAD_SPECIAL = 95, (_: 1 => 2), [ARG ERROR ERROR_NO_POP ESCAPES];
            /// `super().name`: bit 0 for a method, bit 1 for two-argument `super`, name in `oparg >> 2`.
            LOAD_SUPER_ATTR = 96, (oparg: 3 => 1 + (oparg & 1)), cache 1, [ARG NAME ERROR ESCAPES];
            /// Turns a local into a cell that holds it.
            MAKE_CELL = 97, (_: 0 => 0), [ARG FREE ERROR ERROR_NO_POP ESCAPES];
            /// Stores into the `oparg`th value, a dict.
            MAP_ADD = 98, (oparg: 2 + oparg => oparg), [ARG ERROR ESCAPES];
            /// The attributes of a subject that matches a class pattern, or None.
            MATCH_CLASS = 99, (_: 3 => 1), [ARG ERROR ESCAPES];
            /// Jumps if the bool on top is False.
            POP_JUMP_IF_FALSE = 100, (_: 1 => 0), cache 1, [ARG JUMP];
            /// Jumps if the value on top is None.
            POP_JUMP_IF_NONE = 101, (_: 1 => 0), cache 1, [ARG JUMP];
            /// Jumps if the value on top is not None.
            POP_JUMP_IF_NOT_NONE = 102, (_: 1 => 0), cache 1, [ARG JUMP];
            /// Jumps if the bool on top is True.
            POP_JUMP_IF_TRUE = 103, (_: 1 => 0), cache 1, [ARG JUMP];
            /// `raise` with 0, 1 or 2 (with a cause) values.
            RAISE_VARARGS = 104, (oparg: oparg => 0), [ARG ERROR ERROR_NO_POP ESCAPES];
            /// Raises the exception on top again; with `oparg`, restores the position that lies that deep.
            RERAISE = 105, (oparg: 1 + oparg => oparg), [ARG ERROR ERROR_NO_POP ESCAPES];
            /// Sends a value into the receiver below, or jumps when that is finished.
            SEND = 106, (_: 2 => 2), cache 1, [ARG JUMP ERROR ESCAPES];
            /// Adds to the `oparg`th value, a set.
            SET_ADD = 107, (oparg: 1 + oparg => oparg), [ARG ERROR ESCAPES];
            /// Gives a function defaults, annotations or closure.
            SET_FUNCTION_ATTRIBUTE = 108, (_: 2 => 1), [ARG ERROR ESCAPES];
            /// Updates the `oparg`th value, a set.
            SET_UPDATE = 109, (oparg: 1 + oparg => oparg), [ARG ERROR ESCAPES];
            /// `owner.name = v`.
            STORE_ATTR = 110, (_: 2 => 0), cache 4, [ARG NAME ERROR ESCAPES];
            /// Binds a cell.
            STORE_DEREF = 111, (_: 1 => 0), [ARG FREE ESCAPES];
            /// Binds a local.
            STORE_FAST = 112, (_: 1 => 0), [ARG LOCAL ESCAPES];
            /// Binds the local of the high 4 bits, then pushes that of the low.
            STORE_FAST_LOAD_FAST = 113, (_: 1 => 1), [ARG LOCAL ESCAPES];
            /// Binds two locals, that of the high 4 bits first.
            STORE_FAST_STORE_FAST = 114, (_: 2 => 0), [ARG LOCAL ESCAPES];
            /// Binds a global.
            STORE_GLOBAL = 115, (_: 1 => 0), [ARG NAME ERROR ESCAPES];
            /// Binds a name of the namespace.
            STORE_NAME = 116, (_: 1 => 0), [ARG NAME ERROR ESCAPES];
            /// Exchanges the topmost with the `oparg`th value.
            SWAP = 117, (oparg: oparg => oparg), [ARG PURE];
            /// Unpacks with a starred target: `oparg & 0xff` values before it, `oparg >> 8` after it.
            UNPACK_EX = 118, (oparg: 1 => 1 + (oparg & 0xFF) + (oparg >> 8)), [ARG ERROR ESCAPES];
            /// Unpacks into `oparg` values.
            UNPACK_SEQUENCE = 119, (oparg: 1 => oparg), cache 1, [ARG ERROR ESCAPES];
            /// Yields; on resumption the value sent is on the stack.
            YIELD_VALUE = 120, (_: 1 => 1), [ARG ESCAPES];
            /// The start of a function, or the place after a yield: looks for signals and traces.
            RESUME = 128, (_: 0 => 0), [ARG EVAL_BREAK ERROR ERROR_NO_POP ESCAPES];
            /// Where CPython's optimiser enters a trace; never in code that was compiled.
            ENTER_EXECUTOR = 255, (_: 0 => 0), [ARG];

            // Pseudo-instructions: the compiler works with them, the assembler never meets them.
            /// Where the code of the annotations of a module or class is spliced in.
            ANNOTATIONS_PLACEHOLDER = 256, (_: 0 => 0), [PURE];
            /// Jumps, direction unknown, and looks for signals.
            JUMP = 257, (_: 0 => 0), [ARG JUMP EVAL_BREAK ERROR ESCAPES];
            /// Jumps if the value is false, which stays.
            JUMP_IF_FALSE = 258, (_: 1 => 1), [ARG JUMP ERROR ESCAPES];
            /// Jumps if the value is true, which stays.
            JUMP_IF_TRUE = 259, (_: 1 => 1), [ARG JUMP ERROR ESCAPES];
            /// Jumps, direction unknown.
            JUMP_NO_INTERRUPT = 260, (_: 0 => 0), [ARG JUMP];
            /// A cell itself, for a closure.
            LOAD_CLOSURE = 261, (_: 0 => 1), [ARG LOCAL PURE];
            /// Ends the region of the innermost SETUP.
            POP_BLOCK = 262, (_: 0 => 0), [PURE];
            /// Starts a region whose handler gets the position of the raise, too.
            SETUP_CLEANUP = 263, (_: 0 => 2), [PURE ARG EXC];
            /// Starts a region whose handler gets the exception.
            SETUP_FINALLY = 264, (_: 0 => 1), [PURE ARG EXC];
            /// Starts the region of a `with` block.
            SETUP_WITH = 265, (_: 0 => 1), [PURE ARG EXC];
            /// Binds a local, or unbinds it for a null.
            STORE_FAST_MAYBE_NULL = 266, (_: 1 => 0), [ARG LOCAL ESCAPES];
        }
    };
}

macro_rules! define_opcode { ($(
    $(#[$doc:meta])*
    $name:ident = $number:literal, ($oparg:tt: $popped:expr => $pushed:expr) $(, cache $cache:literal)?, [$($flag:ident)*];
)*) => {
    /// An instruction of CPython 3.14; numbers above 255 are pseudo-instructions.
    #[allow(non_camel_case_types)]
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
    #[repr(u16)]
    pub enum Opcode { $( $(#[$doc])* $name = $number, )* }

    impl Opcode {
        /// All instructions in the order of their numbers.
        pub const ALL: &'static [Opcode] = &[$(Opcode::$name),*];

        pub const fn name(self) -> &'static str {
            match self { $(Opcode::$name => stringify!($name),)* }
        }

        pub fn from_name(name: &str) -> Option<Opcode> {
            match name { $(stringify!($name) => Some(Opcode::$name),)* _ => None }
        }

        /// The instruction with this number, pseudo-instructions included.
        pub const fn from_u16(number: u16) -> Option<Opcode> {
            match number { $($number => Some(Opcode::$name),)* _ => None }
        }

        /// How many values one whose argument decides takes off the stack, and how many it puts there.
        const fn variable_effect(self, oparg: u32) -> (i64, i64) {
            let oparg = oparg as i64;
            match self { $(Opcode::$name => { #[allow(unused_variables)] let $oparg = oparg; ($popped, $pushed) })* }
        }

        /// The row of the table as data.
        const fn row(self) -> Row {
            match self { $(Opcode::$name => Row {
                flags: 0 $(| flag::$flag)*,
                class: self.class(0 $(| flag::$flag)*),
                cache_units: 0 $(+ $cache)?,
                fixed_effect: is_underscore(stringify!($oparg)),
                popped: self.variable_effect(0).0 as i8,
                pushed: self.variable_effect(0).1 as i8,
            },)* }
        }
    }
}}

const fn is_underscore(token: &str) -> bool {
    matches!(token.as_bytes(), [b'_'])
}

/// What there is to know of an instruction.
#[derive(Clone, Copy)]
struct Row {
    flags: u16,
    /// Bits of [`class`].
    class: u8,
    cache_units: u8,
    /// Whether the two numbers that follow hold for every argument.
    fixed_effect: bool,
    popped: i8,
    pushed: i8,
}

/// What the passes over a flow graph ask of every instruction.
mod class {
    pub const TARGET: u8 = 1;
    pub const SCOPE_EXIT: u8 = 2;
    pub const TERMINATOR: u8 = 4;
    pub const UNCONDITIONAL_JUMP: u8 = 8;
    pub const CONDITIONAL_JUMP: u8 = 16;
}

/// The rows by number: one load instead of a `match` wherever instructions are many.
static ROWS: [Row; 512] = {
    let none = Row { flags: 0, class: 0, cache_units: 0, fixed_effect: true, popped: 0, pushed: 0 };
    let mut rows = [none; 512];
    let mut index = 0;
    while index < Opcode::ALL.len() {
        rows[Opcode::ALL[index] as usize] = Opcode::ALL[index].row();
        index += 1;
    }
    rows
};

/// What an instruction's `oparg` means and what it may do. (`ESCAPES`: may run arbitrary code.)
pub mod flag {
    pub const ARG: u16 = 1;
    pub const CONST: u16 = 2;
    pub const NAME: u16 = 4;
    pub const JUMP: u16 = 8;
    pub const FREE: u16 = 16;
    pub const LOCAL: u16 = 32;
    pub const EVAL_BREAK: u16 = 64;
    pub const ERROR: u16 = 256;
    pub const ESCAPES: u16 = 512;
    pub const PURE: u16 = 2048;
    /// An error leaves the operands on the stack.
    pub const ERROR_NO_POP: u16 = 16384;
    pub const NO_SAVE_IP: u16 = 32768;
    /// Names an exception handler; only the SETUP pseudo-instructions do.
    pub const EXC: u16 = 1024;
}

opcode_table!(define_opcode);

impl Opcode {
    #[inline]
    const fn table_row(self) -> &'static Row {
        &ROWS[self as usize & 511]
    }

    #[inline]
    pub const fn flags(self) -> u16 {
        self.table_row().flags
    }

    /// The number of 16-bit cache entries behind it.
    #[inline]
    pub const fn cache_units(self) -> usize {
        self.table_row().cache_units as usize
    }

    /// How many values it takes off the stack.
    #[inline]
    pub const fn popped(self, oparg: u32) -> i64 {
        let row = self.table_row();
        if row.fixed_effect { row.popped as i64 } else { self.variable_effect(oparg).0 }
    }

    /// How many values it puts on the stack; a SETUP pseudo-instruction's are those its handler finds.
    #[inline]
    pub const fn pushed(self, oparg: u32) -> i64 {
        let row = self.table_row();
        if row.fixed_effect { row.pushed as i64 } else { self.variable_effect(oparg).1 }
    }

    const fn class(self, flags: u16) -> u8 {
        let jump = flags & flag::JUMP != 0;
        let scope_exit = matches!(self, Opcode::RETURN_VALUE | Opcode::RAISE_VARARGS | Opcode::RERAISE);
        let mut bits = 0;
        if jump || flags & flag::EXC != 0 {
            bits |= class::TARGET;
        }
        if scope_exit {
            bits |= class::SCOPE_EXIT;
        }
        if jump || scope_exit {
            bits |= class::TERMINATOR;
        }
        if self.is_assembler() || matches!(self, Opcode::JUMP | Opcode::JUMP_NO_INTERRUPT) {
            bits |= class::UNCONDITIONAL_JUMP;
        }
        if matches!(
            self,
            Opcode::POP_JUMP_IF_FALSE
                | Opcode::POP_JUMP_IF_TRUE
                | Opcode::POP_JUMP_IF_NONE
                | Opcode::POP_JUMP_IF_NOT_NONE
        ) {
            bits |= class::CONDITIONAL_JUMP;
        }
        bits
    }

    #[inline]
    const fn is(self, class: u8) -> bool {
        self.table_row().class & class != 0
    }

    /// The real instruction with this number.
    #[inline]
    pub const fn from_u8(number: u8) -> Option<Opcode> {
        Opcode::from_u16(number as u16)
    }

    /// The number in a code string; only for real instructions.
    #[inline]
    pub const fn as_u8(self) -> u8 {
        self as u8
    }

    #[inline]
    pub const fn is_pseudo(self) -> bool {
        self as u16 > 255
    }

    #[inline]
    const fn has(self, flag: u16) -> bool {
        self.flags() & flag != 0
    }

    #[inline]
    pub const fn has_arg(self) -> bool {
        self.has(flag::ARG)
    }

    #[inline]
    pub const fn has_const(self) -> bool {
        self.has(flag::CONST)
    }

    #[inline]
    pub const fn has_name(self) -> bool {
        self.has(flag::NAME)
    }

    #[inline]
    pub const fn has_jump(self) -> bool {
        self.has(flag::JUMP)
    }

    #[inline]
    pub const fn has_free(self) -> bool {
        self.has(flag::FREE)
    }

    #[inline]
    pub const fn has_local(self) -> bool {
        self.has(flag::LOCAL)
    }

    #[inline]
    pub const fn has_exc(self) -> bool {
        self.has(flag::EXC)
    }

    /// SETUP_FINALLY, SETUP_CLEANUP, SETUP_WITH.
    #[inline]
    pub const fn is_block_push(self) -> bool {
        self.has(flag::EXC)
    }

    /// Whether `oparg` is a label.
    #[inline]
    pub const fn has_target(self) -> bool {
        self.is(class::TARGET)
    }

    #[inline]
    pub const fn is_scope_exit(self) -> bool {
        self.is(class::SCOPE_EXIT)
    }

    /// Must be the last of its basic block.
    #[inline]
    pub const fn is_terminator(self) -> bool {
        self.is(class::TERMINATOR)
    }

    /// Chosen by the assembler, not by the code generator.
    #[inline]
    pub const fn is_assembler(self) -> bool {
        matches!(self, Opcode::JUMP_FORWARD | Opcode::JUMP_BACKWARD | Opcode::JUMP_BACKWARD_NO_INTERRUPT)
    }

    #[inline]
    pub const fn is_backwards_jump(self) -> bool {
        matches!(self, Opcode::JUMP_BACKWARD | Opcode::JUMP_BACKWARD_NO_INTERRUPT)
    }

    #[inline]
    pub const fn is_unconditional_jump(self) -> bool {
        self.is(class::UNCONDITIONAL_JUMP)
    }

    #[inline]
    pub const fn is_conditional_jump(self) -> bool {
        self.is(class::CONDITIONAL_JUMP)
    }

    /// The change of the stack's depth; `jump` tells a block push taken (its handler's view) from one passed by.
    #[inline]
    pub const fn stack_effect(self, oparg: u32, jump: bool) -> i64 {
        if self.is_block_push() && !jump {
            return 0;
        }
        self.pushed(oparg) - self.popped(oparg)
    }
}

/// Numbers below this have no argument.
pub const HAVE_ARGUMENT: u8 = 43;
pub const MIN_INSTRUMENTED_OPCODE: u8 = 234;

macro_rules! define_specializations { ($( $base:ident => $($name:ident = $number:literal),*; )*) => {
    /// The families of specialised instructions: the general one, and the names and numbers of its forms.
    pub const SPECIALIZATIONS: &[(Opcode, &[(&str, u8)])] = &[
        $( (Opcode::$base, &[$((stringify!($name), $number)),*]), )*
    ];
}}

define_specializations! {
    RESUME => RESUME_CHECK = 196;
    LOAD_CONST => LOAD_CONST_MORTAL = 191, LOAD_CONST_IMMORTAL = 190;
    TO_BOOL => TO_BOOL_ALWAYS_TRUE = 203, TO_BOOL_BOOL = 204, TO_BOOL_INT = 205, TO_BOOL_LIST = 206, TO_BOOL_NONE = 207, TO_BOOL_STR = 208;
    BINARY_OP => BINARY_OP_MULTIPLY_INT = 134, BINARY_OP_ADD_INT = 130, BINARY_OP_SUBTRACT_INT = 142, BINARY_OP_MULTIPLY_FLOAT = 133, BINARY_OP_ADD_FLOAT = 129, BINARY_OP_SUBTRACT_FLOAT = 141, BINARY_OP_ADD_UNICODE = 131, BINARY_OP_SUBSCR_LIST_INT = 137, BINARY_OP_SUBSCR_LIST_SLICE = 138, BINARY_OP_SUBSCR_TUPLE_INT = 140, BINARY_OP_SUBSCR_STR_INT = 139, BINARY_OP_SUBSCR_DICT = 135, BINARY_OP_SUBSCR_GETITEM = 136, BINARY_OP_EXTEND = 132, BINARY_OP_INPLACE_ADD_UNICODE = 3;
    STORE_SUBSCR => STORE_SUBSCR_DICT = 201, STORE_SUBSCR_LIST_INT = 202;
    SEND => SEND_GEN = 197;
    UNPACK_SEQUENCE => UNPACK_SEQUENCE_TWO_TUPLE = 211, UNPACK_SEQUENCE_TUPLE = 210, UNPACK_SEQUENCE_LIST = 209;
    STORE_ATTR => STORE_ATTR_INSTANCE_VALUE = 198, STORE_ATTR_SLOT = 199, STORE_ATTR_WITH_HINT = 200;
    LOAD_GLOBAL => LOAD_GLOBAL_MODULE = 193, LOAD_GLOBAL_BUILTIN = 192;
    LOAD_SUPER_ATTR => LOAD_SUPER_ATTR_ATTR = 194, LOAD_SUPER_ATTR_METHOD = 195;
    LOAD_ATTR => LOAD_ATTR_INSTANCE_VALUE = 180, LOAD_ATTR_MODULE = 184, LOAD_ATTR_WITH_HINT = 189, LOAD_ATTR_SLOT = 188, LOAD_ATTR_CLASS = 177, LOAD_ATTR_CLASS_WITH_METACLASS_CHECK = 178, LOAD_ATTR_PROPERTY = 187, LOAD_ATTR_GETATTRIBUTE_OVERRIDDEN = 179, LOAD_ATTR_METHOD_WITH_VALUES = 183, LOAD_ATTR_METHOD_NO_DICT = 182, LOAD_ATTR_METHOD_LAZY_DICT = 181, LOAD_ATTR_NONDESCRIPTOR_WITH_VALUES = 186, LOAD_ATTR_NONDESCRIPTOR_NO_DICT = 185;
    COMPARE_OP => COMPARE_OP_FLOAT = 166, COMPARE_OP_INT = 167, COMPARE_OP_STR = 168;
    CONTAINS_OP => CONTAINS_OP_SET = 170, CONTAINS_OP_DICT = 169;
    JUMP_BACKWARD => JUMP_BACKWARD_NO_JIT = 176, JUMP_BACKWARD_JIT = 175;
    FOR_ITER => FOR_ITER_LIST = 172, FOR_ITER_TUPLE = 174, FOR_ITER_RANGE = 173, FOR_ITER_GEN = 171;
    CALL => CALL_BOUND_METHOD_EXACT_ARGS = 144, CALL_PY_EXACT_ARGS = 161, CALL_TYPE_1 = 165, CALL_STR_1 = 163, CALL_TUPLE_1 = 164, CALL_BUILTIN_CLASS = 146, CALL_BUILTIN_O = 149, CALL_BUILTIN_FAST = 147, CALL_BUILTIN_FAST_WITH_KEYWORDS = 148, CALL_LEN = 154, CALL_ISINSTANCE = 150, CALL_LIST_APPEND = 155, CALL_METHOD_DESCRIPTOR_O = 159, CALL_METHOD_DESCRIPTOR_FAST_WITH_KEYWORDS = 157, CALL_METHOD_DESCRIPTOR_NOARGS = 158, CALL_METHOD_DESCRIPTOR_FAST = 156, CALL_ALLOC_AND_ENTER_INIT = 143, CALL_PY_GENERAL = 162, CALL_BOUND_METHOD_GENERAL = 145, CALL_NON_PY_GENERAL = 160;
    CALL_KW => CALL_KW_BOUND_METHOD = 151, CALL_KW_PY = 153, CALL_KW_NON_PY = 152;
}

/// The instrumented instructions, what they stand for, and what `_opcode` says of their arguments.
pub const INSTRUMENTED: &[(&str, u8, Option<Opcode>, u16)] = &[
    ("INSTRUMENTED_END_FOR", 234, Some(Opcode::END_FOR), 0),
    ("INSTRUMENTED_POP_ITER", 235, Some(Opcode::POP_ITER), 0),
    ("INSTRUMENTED_END_SEND", 236, Some(Opcode::END_SEND), 0),
    ("INSTRUMENTED_FOR_ITER", 237, Some(Opcode::FOR_ITER), flag::ARG | flag::JUMP),
    ("INSTRUMENTED_INSTRUCTION", 238, None, 0),
    ("INSTRUMENTED_JUMP_FORWARD", 239, Some(Opcode::JUMP_FORWARD), flag::ARG),
    ("INSTRUMENTED_NOT_TAKEN", 240, Some(Opcode::NOT_TAKEN), 0),
    ("INSTRUMENTED_POP_JUMP_IF_TRUE", 241, Some(Opcode::POP_JUMP_IF_TRUE), flag::ARG),
    ("INSTRUMENTED_POP_JUMP_IF_FALSE", 242, Some(Opcode::POP_JUMP_IF_FALSE), flag::ARG),
    ("INSTRUMENTED_POP_JUMP_IF_NONE", 243, Some(Opcode::POP_JUMP_IF_NONE), flag::ARG),
    ("INSTRUMENTED_POP_JUMP_IF_NOT_NONE", 244, Some(Opcode::POP_JUMP_IF_NOT_NONE), flag::ARG),
    ("INSTRUMENTED_RESUME", 245, Some(Opcode::RESUME), flag::ARG),
    ("INSTRUMENTED_RETURN_VALUE", 246, Some(Opcode::RETURN_VALUE), 0),
    ("INSTRUMENTED_YIELD_VALUE", 247, Some(Opcode::YIELD_VALUE), flag::ARG),
    ("INSTRUMENTED_END_ASYNC_FOR", 248, Some(Opcode::END_ASYNC_FOR), flag::ARG | flag::JUMP),
    ("INSTRUMENTED_LOAD_SUPER_ATTR", 249, Some(Opcode::LOAD_SUPER_ATTR), flag::ARG | flag::NAME),
    ("INSTRUMENTED_CALL", 250, Some(Opcode::CALL), flag::ARG),
    ("INSTRUMENTED_CALL_KW", 251, Some(Opcode::CALL_KW), flag::ARG),
    ("INSTRUMENTED_CALL_FUNCTION_EX", 252, Some(Opcode::CALL_FUNCTION_EX), 0),
    ("INSTRUMENTED_JUMP_BACKWARD", 253, Some(Opcode::JUMP_BACKWARD), flag::ARG),
    ("INSTRUMENTED_LINE", 254, None, 0),
];

/// The instruction that one with this number, specialised or instrumented perhaps, stands for.
pub fn general_form(number: u8) -> Option<Opcode> {
    let specialized = || {
        SPECIALIZATIONS.iter().find(|(_, forms)| forms.iter().any(|(_, form)| *form == number)).map(|(base, _)| *base)
    };
    let instrumented = || INSTRUMENTED.iter().find(|(_, form, ..)| *form == number).and_then(|(_, _, base, _)| *base);
    Opcode::from_u8(number).or_else(specialized).or_else(instrumented)
}

/// What `_opcode` says of the argument of the instruction with this number; `None`: there is no such instruction.
///
/// Specialised forms are asked about as themselves: some read from their cache what the general form finds by `oparg`.
pub fn argument_flags(number: u16) -> Option<u16> {
    if let Some(op) = Opcode::from_u16(number) {
        return Some(op.flags());
    }
    let byte = u8::try_from(number).ok()?;
    if let Some((.., flags)) = INSTRUMENTED.iter().find(|(_, form, ..)| *form == byte) {
        return Some(*flags);
    }
    let flags = general_form(byte)?.flags();
    let without = match byte {
        // BINARY_OP, CALL_LEN, RESUME_CHECK, STORE_ATTR_INSTANCE_VALUE and STORE_ATTR_SLOT
        3 | 129..=142 | 154 | 196 | 198 | 199 => flag::ARG | flag::NAME,
        // LOAD_ATTR and LOAD_GLOBAL, but for those that look the name up
        177 | 178 | 180..=188 | 192 | 193 => flag::NAME,
        // FOR_ITER_GEN, SEND_GEN
        171 | 197 => flag::JUMP,
        _ => 0,
    };
    // BINARY_OP_INPLACE_ADD_UNICODE stores to a local.
    let with = if byte == 3 { flag::LOCAL } else { 0 };
    Some(flags & !without | with)
}

/// `_opcode.stack_effect`: the change of the stack's depth; `jump` of `None` asks for the greater one. Specialised forms
/// have none.
pub fn stack_effect(number: u16, oparg: u32, jump: Option<bool>) -> Option<i64> {
    let instrumented = || INSTRUMENTED.iter().find(|(_, form, ..)| u16::from(*form) == number);
    let op = match Opcode::from_u16(number) {
        Some(op) => op,
        None => match instrumented()?.2 {
            Some(op) => op,
            None => return Some(0),
        },
    };
    Some(match jump {
        Some(jump) => op.stack_effect(oparg, jump),
        None => op.stack_effect(oparg, false).max(op.stack_effect(oparg, true)),
    })
}

/// The parts of each inline cache, in 16-bit units, as `opcode._cache_format` names them.
pub const CACHE_FORMAT: &[(Opcode, &[(&str, usize)])] = &[
    (Opcode::LOAD_GLOBAL, &[("counter", 1), ("index", 1), ("module_keys_version", 1), ("builtin_keys_version", 1)]),
    (Opcode::BINARY_OP, &[("counter", 1), ("descr", 4)]),
    (Opcode::UNPACK_SEQUENCE, &[("counter", 1)]),
    (Opcode::COMPARE_OP, &[("counter", 1)]),
    (Opcode::CONTAINS_OP, &[("counter", 1)]),
    (Opcode::FOR_ITER, &[("counter", 1)]),
    (Opcode::LOAD_SUPER_ATTR, &[("counter", 1)]),
    (Opcode::LOAD_ATTR, &[("counter", 1), ("version", 2), ("keys_version", 2), ("descr", 4)]),
    (Opcode::STORE_ATTR, &[("counter", 1), ("version", 2), ("index", 1)]),
    (Opcode::CALL, &[("counter", 1), ("func_version", 2)]),
    (Opcode::CALL_KW, &[("counter", 1), ("func_version", 2)]),
    (Opcode::STORE_SUBSCR, &[("counter", 1)]),
    (Opcode::SEND, &[("counter", 1)]),
    (Opcode::JUMP_BACKWARD, &[("counter", 1)]),
    (Opcode::TO_BOOL, &[("counter", 1), ("version", 2)]),
    (Opcode::POP_JUMP_IF_TRUE, &[("counter", 1)]),
    (Opcode::POP_JUMP_IF_FALSE, &[("counter", 1)]),
    (Opcode::POP_JUMP_IF_NONE, &[("counter", 1)]),
    (Opcode::POP_JUMP_IF_NOT_NONE, &[("counter", 1)]),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cache_formats_add_up() {
        for &op in Opcode::ALL {
            let format = CACHE_FORMAT.iter().find(|(base, _)| *base == op);
            let units: usize = format.map_or(0, |(_, parts)| parts.iter().map(|(_, n)| n).sum());
            assert_eq!(units, op.cache_units(), "{}", op.name());
        }
    }

    #[test]
    fn numbers_and_names_lead_back() {
        for &op in Opcode::ALL {
            assert_eq!(Opcode::from_u16(op as u16), Some(op));
            assert_eq!(Opcode::from_name(op.name()), Some(op));
            if !op.is_pseudo() && op != Opcode::RESUME && op != Opcode::ENTER_EXECUTOR {
                assert_eq!(op.has_arg(), op.as_u8() > HAVE_ARGUMENT, "{}", op.name());
            }
        }
    }

    #[test]
    fn general_forms() {
        assert_eq!(general_form(3), Some(Opcode::BINARY_OP));
        assert_eq!(general_form(129), Some(Opcode::BINARY_OP));
        assert_eq!(general_form(237), Some(Opcode::FOR_ITER));
        assert_eq!(general_form(44), Some(Opcode::BINARY_OP));
        assert_eq!(general_form(254), None);
        assert_eq!(general_form(220), None);
    }

    #[test]
    fn rows_hold_what_the_table_says() {
        for &op in Opcode::ALL {
            for oparg in [0, 1, 2, 3, 7, 0x102] {
                assert_eq!((op.popped(oparg), op.pushed(oparg)), op.variable_effect(oparg), "{} {oparg}", op.name());
            }
            assert_eq!(op.has_target(), op.has_jump() || op.has_exc(), "{}", op.name());
        }
    }

    #[test]
    fn effects() {
        assert_eq!(Opcode::CALL.stack_effect(2, false), -3);
        assert_eq!(Opcode::UNPACK_EX.stack_effect(0x102, false), 3);
        assert_eq!(Opcode::SETUP_CLEANUP.stack_effect(0, false), 0);
        assert_eq!(Opcode::SETUP_CLEANUP.stack_effect(0, true), 2);
        assert_eq!(Opcode::LOAD_FAST.flags() & flag::LOCAL, flag::LOCAL);
    }
}
