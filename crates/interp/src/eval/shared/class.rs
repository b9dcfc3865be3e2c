//! What the loop for threads beside others looks at an instruction for. It is known where the instruction is executed.

use crate::instruction::Op;

/// Declares the classes, in one place with the list by which a number is one of them again.
macro_rules! classes {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// What an instruction is looked at for.
        #[derive(Clone, Copy, PartialEq, Eq)]
        #[repr(u8)]
        pub enum Class {
            $($(#[$doc])* $name,)*
        }

        impl Class {
            pub const ALL: &[Class] = &[$(Class::$name),*];
        }
    };
}

classes! {
    /// See [`admit`](super::admit).
    Other,
    /// It touches nothing but the frame's registers and what is new, whatever its operands are.
    Harmless,
    /// The same, if its operands, two registers, are no objects.
    Binary,
    /// The same, of a register and a constant.
    BinaryK,
    /// The same, if its operand is no object.
    Truth,
    /// The same, if its operand is a value.
    Bound,
    /// A safepoint and nothing else.
    Safepoint,
    /// One, before the frame's end.
    Return,
    /// A call, sound at once if it is one of a Python function.
    Call,
    /// The quick form of such a call, a safepoint.
    ExactCall,
    /// The quick form of a call of a native function.
    NativeCall,
    /// The quick form of a call of `len`.
    Length,
    /// The quick form of a call of `list.append`.
    AppendCall,
    /// A global.
    Global,
    /// The quick forms of that.
    ModuleGlobal,
    Builtin,
    /// An attribute.
    Attribute,
    /// A method.
    Method,
    /// The quick form for a slot.
    Slot,
    /// The quick form for a value in a class or a module.
    Namespace,
    /// A store to an attribute.
    Store,
    /// The quick forms for a slot.
    StoreSlot,
    /// A subscription by a register, and by a constant.
    Item,
    ItemK,
    /// An assignment to an item, by a register and by a constant.
    StoreItem,
    StoreItemK,
    /// A test for an item, of a register and of a constant.
    Contains,
    ContainsK,
    /// The items of a tuple.
    Unpack,
    /// One more item of a comprehension's list.
    Append,
    /// The next item of an iterator.
    Next,
    /// The quick forms for built-in iterators.
    NextKnown,
    /// The quick form for a generator.
    NextOwn,
    /// What a cell contains.
    Deref,
    StoreDeref,
    /// The text of a value.
    Text,
    /// A method that `with` calls.
    Special,
}

const fn table() -> [Class; 256] {
    use Op::*;
    let harmless = [
        Move,
        Borrow,
        BorrowPair,
        BorrowLocalConst,
        BorrowConstLocal,
        BorrowConstPair,
        Own,
        LoadConst,
        LoadNull,
        Release,
        Swap,
        DeleteFast,
        LoadFastAndClear,
        StoreFastMaybeNull,
        Jump,
        JumpIfNone,
        Is,
        JumpIfIs,
        MakeCell,
        CopyFreeVars,
        BuildTuple,
        BuildList,
        BuildSlice,
        BuildString,
        MakeFunction,
        SetFunctionAttribute,
        // They touch shapes and what belongs to types, and test them.
        LoadOwnMethod,
        LoadMovedMethod,
        CallIsInstance,
        YieldValue,
        MatchMapping,
        MatchSequence,
        ReturnGenerator,
        // Exceptions are a thread's own; where one is not, its state is in a cell. The last three have to find the frame's `pc`
        // as it is.
        RaiseOne,
        RaiseAgain,
        Reraise,
        PushExcInfo,
        PopExcept,
        CheckExcMatch,
        JumpIfExcMatch,
        Unwind,
        UnwindAgain,
        Leave,
    ];
    let mut table = [Class::Other; 256];
    let mut at = 0;
    while at < harmless.len() {
        table[harmless[at] as usize] = Class::Harmless;
        at += 1;
    }
    at = 0;
    while at < Op::ALL.len() {
        let op = Op::ALL[at];
        if op.is_binary() {
            let with_constant = op as u8 >= AddK as u8 && op as u8 <= XorK as u8
                || op as u8 >= CompareLtK as u8 && op as u8 <= CompareGeK as u8
                || op as u8 >= JumpIfLtK as u8 && op as u8 <= JumpIfGeK as u8;
            table[at] = if with_constant { Class::BinaryK } else { Class::Binary };
        }
        at += 1;
    }
    let others = [
        (Subscr, Class::Item),
        (SubscrK, Class::ItemK),
        (JumpBackward, Class::Safepoint),
        (Return, Class::Return),
        (ReturnConst, Class::Return),
        (CheckBound, Class::Bound),
        (Not, Class::Truth),
        (ToBool, Class::Truth),
        (JumpIf, Class::Truth),
        (Call, Class::Call),
        (CallFunction, Class::ExactCall),
        (CallMethod, Class::ExactCall),
        (CallNative, Class::NativeCall),
        (CallNativeMethod, Class::Call),
        (CallLen, Class::Length),
        (CallListAppend, Class::AppendCall),
        (LoadGlobal, Class::Global),
        (LoadModuleGlobal, Class::ModuleGlobal),
        (LoadBuiltin, Class::Builtin),
        (LoadAttr, Class::Attribute),
        (LoadMethod, Class::Method),
        (LoadSlot, Class::Slot),
        (LendSlot, Class::Slot),
        (LoadNamespace, Class::Namespace),
        (LoadFunction, Class::Namespace),
        (StoreAttr, Class::Store),
        (StoreAttrK, Class::Store),
        (StoreSlot, Class::StoreSlot),
        (StoreNewSlot, Class::StoreSlot),
        (StoreSubscr, Class::StoreItem),
        (StoreSubscrK, Class::StoreItemK),
        (Contains, Class::Contains),
        (JumpIfContains, Class::Contains),
        (ContainsK, Class::ContainsK),
        (JumpIfContainsK, Class::ContainsK),
        (UnpackSequence, Class::Unpack),
        (UnpackToLocals, Class::Unpack),
        (UnpackToMany, Class::Unpack),
        (ListAppend, Class::Append),
        (FormatSimple, Class::Text),
        (ForIter, Class::Next),
        (ForIterList, Class::NextKnown),
        (ForIterRange, Class::NextKnown),
        (ForIterGenerator, Class::NextOwn),
        (ForIterNative, Class::Next),
        (LoadDeref, Class::Deref),
        (StoreDeref, Class::StoreDeref),
        (LoadSpecial, Class::Special),
    ];
    at = 0;
    while at < others.len() {
        table[others[at].0 as usize] = others[at].1;
        at += 1;
    }
    table
}

const CLASSES: [Class; 256] = table();

/// What an instruction is looked at for.
pub const fn class(op: Op) -> Class {
    CLASSES[op as usize]
}
