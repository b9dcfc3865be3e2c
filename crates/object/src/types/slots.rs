//! The slot table: what a type can do, as Rust function pointers, and the dunder methods they correspond to.
//!
//! One row of [`SLOT_ROWS`] is one dunder method. Rows with the same slot (`__add__`/`__radd__`) share a field.

use crate::object::Result;
use crate::types::slot_dispatch as py;
use crate::value::Value;
use crate::vm::Vm;

pub type Unary = fn(&Vm, &Value) -> Result;
pub type Binary = fn(&Vm, &Value, &Value) -> Result;
pub type Ternary = fn(&Vm, &Value, &Value, &Value) -> Result;
pub type Inquiry = fn(&Vm, &Value) -> Result<bool>;
pub type Length = fn(&Vm, &Value) -> Result<usize>;
pub type Hash = fn(&Vm, &Value) -> Result<i64>;
pub type RichCompare = fn(&Vm, &Value, &Value, CompareOp) -> Result;
pub type SetAttr = fn(&Vm, &Value, &Value, Option<&Value>) -> Result<()>;
/// `sq_item`: by index, for sequences iterated by `__getitem__`.
pub type Item = fn(&Vm, &Value, i64) -> Result;
pub type Repeat = fn(&Vm, &Value, i64) -> Result;
pub type Contains = fn(&Vm, &Value, &Value) -> Result<bool>;
/// The next item, or `None` when exhausted. May raise `StopIteration` instead, to carry a value.
pub type IterNext = fn(&Vm, &Value) -> Result<Option<Value>>;
/// `(vm, descriptor, object or None, type or None)`.
pub type DescrGet = fn(&Vm, &Value, Option<&Value>, Option<&Value>) -> Result;
/// Vectorcall: positional arguments, then the values of the keyword arguments named in `kwnames` (a tuple of str).
pub type Call = fn(&Vm, &Value, &[Value], Option<&Value>) -> Result;
pub type Init = fn(&Vm, &Value, &[Value], Option<&Value>) -> Result<()>;
pub type Finalize = fn(&Vm, &Value);
/// Fills a view of the object's memory (the buffer protocol); flags as CPython's `PyBUF_*`.
/// `am_send`: what the iterator gave, and whether it is done.
pub type Send = fn(&Vm, &Value, &Value) -> Result<(Value, bool)>;
pub type GetBuffer = fn(&Vm, &Value, u32) -> Result<crate::buffer::Buffer>;

/// The six rich comparisons, numbered as CPython's `Py_LT` ….
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum CompareOp {
    Lt = 0,
    Le = 1,
    Eq = 2,
    Ne = 3,
    Gt = 4,
    Ge = 5,
}

impl CompareOp {
    pub fn swapped(self) -> CompareOp {
        use CompareOp::*;
        match self {
            Lt => Gt,
            Le => Ge,
            Eq => Eq,
            Ne => Ne,
            Gt => Lt,
            Ge => Le,
        }
    }
    pub fn symbol(self) -> &'static str {
        ["<", "<=", "==", "!=", ">", ">="][self as usize]
    }
    pub fn dunder(self) -> &'static str {
        ["__lt__", "__le__", "__eq__", "__ne__", "__gt__", "__ge__"][self as usize]
    }
    pub fn holds(self, ordering: std::cmp::Ordering) -> bool {
        use std::cmp::Ordering::*;
        match self {
            CompareOp::Lt => ordering == Less,
            CompareOp::Le => ordering != Greater,
            CompareOp::Eq => ordering == Equal,
            CompareOp::Ne => ordering != Equal,
            CompareOp::Gt => ordering == Greater,
            CompareOp::Ge => ordering != Less,
        }
    }
}

/// A slot function, whatever its signature.
#[derive(Clone, Copy)]
pub enum SlotFn {
    Unary(Unary),
    Binary(Binary),
    Ternary(Ternary),
    Inquiry(Inquiry),
    Length(Length),
    Hash(Hash),
    RichCompare(RichCompare),
    SetAttr(SetAttr),
    Item(Item),
    Repeat(Repeat),
    Contains(Contains),
    IterNext(IterNext),
    DescrGet(DescrGet),
    Call(Call),
    Init(Init),
    Finalize(Finalize),
}

impl SlotFn {
    fn address(self) -> usize {
        match self {
            SlotFn::Unary(f) => f as usize,
            SlotFn::Binary(f) => f as usize,
            SlotFn::Ternary(f) => f as usize,
            SlotFn::Inquiry(f) => f as usize,
            SlotFn::Length(f) => f as usize,
            SlotFn::Hash(f) => f as usize,
            SlotFn::RichCompare(f) => f as usize,
            SlotFn::SetAttr(f) => f as usize,
            SlotFn::Item(f) => f as usize,
            SlotFn::Repeat(f) => f as usize,
            SlotFn::Contains(f) => f as usize,
            SlotFn::IterNext(f) => f as usize,
            SlotFn::DescrGet(f) => f as usize,
            SlotFn::Call(f) => f as usize,
            SlotFn::Init(f) => f as usize,
            SlotFn::Finalize(f) => f as usize,
        }
    }
    pub fn same(self, other: SlotFn) -> bool {
        self.address() == other.address()
    }
}

/// How a slot wrapper (`int.__add__` seen from Python) calls the slot.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wrap {
    Unary,
    BinaryL,
    BinaryR,
    /// `__pow__`/`__rpow__` with an optional modulus.
    TernaryL,
    TernaryR,
    Inquiry,
    Length,
    Hash,
    Compare(CompareOp),
    SetAttr,
    DelAttr,
    SetItem,
    DelItem,
    Item,
    Repeat,
    Contains,
    Next,
    DescrGet,
    DescrSet,
    DescrDelete,
    Call,
    Init,
    Del,
    GetAttribute,
    /// `__buffer__` and `__release_buffer__`.
    Buffer,
    /// `__getattr__` has no wrapper: only classes written in Python define it.
    None,
}

/// One dunder method.
pub struct SlotRow {
    pub name: &'static str,
    pub wrap: Wrap,
    pub doc: &'static str,
    pub get: fn(&Slots) -> Option<SlotFn>,
    pub set: fn(&mut Slots, Option<SlotFn>),
    /// The slot function of classes that define the method in Python.
    pub generic: SlotFn,
    /// Rows with the same number share the field.
    pub field: u16,
}

macro_rules! slots {
    ($( $field:ident : $variant:ident($ty:ty) = $generic:expr => [ $( $dunder:literal $wrap:expr, $doc:literal );* $(;)? ] )*) => {
        /// What a type can do. `None`: it cannot.
        #[derive(Clone, Copy, Default)]
        pub struct Slots {
            $( pub $field: Option<$ty>, )*
            /// `tp_new`: `(vm, class, args, kwnames)`.
            pub new: Option<Call>,
            pub buffer: Option<GetBuffer>,
            /// Not inherited: a subclass may iterate in its own way.
            pub send: Option<Send>,
        }

        impl Slots {
            /// Takes over from `base` what is not set here.
            pub fn inherit(&mut self, base: &Slots) {
                // `__eq__` and `__hash__` are inherited together or not at all.
                let own_compare = self.richcompare.is_some();
                let hash = self.hash;
                $( if self.$field.is_none() { self.$field = base.$field; } )*
                if self.new.is_none() { self.new = base.new; }
                if self.buffer.is_none() { self.buffer = base.buffer; }
                if own_compare && hash.is_none() { self.hash = Some(hash_not_implemented); }
            }
        }

        #[allow(non_camel_case_types)]
        #[derive(Clone, Copy)]
        enum Field { $( $field, )* }

        /// All dunder methods that correspond to slots.
        pub static SLOT_ROWS: &[SlotRow] = &[ $( $( SlotRow {
            name: $dunder,
            wrap: $wrap,
            doc: $doc,
            get: |slots| slots.$field.map(SlotFn::$variant),
            set: |slots, f| slots.$field = match f { Some(SlotFn::$variant(f)) => Some(f), _ => Option::None },
            generic: SlotFn::$variant($generic),
            field: Field::$field as u16,
        }, )* )* ];
    };
}

pub fn hash_not_implemented(vm: &Vm, this: &Value) -> Result<i64> {
    Err(vm.type_error(format!("unhashable type: '{}'", this.ty().name())))
}

use Wrap::*;
slots! {
    repr: Unary(super::slots::Unary) = py::repr => ["__repr__" Unary, "repr(self)"]
    hash: Hash(super::slots::Hash) = py::hash => ["__hash__" Hash, "hash(self)"]
    call: Call(super::slots::Call) = py::call => ["__call__" Call, "Call the object."]
    str: Unary(super::slots::Unary) = py::str => ["__str__" Unary, "str(self)"]
    getattro: Binary(Binary) = py::getattro => [
        "__getattribute__" GetAttribute, "getattr(self, name)";
        "__getattr__" None, "" ]
    setattro: SetAttr(super::slots::SetAttr) = py::setattro => [
        "__setattr__" SetAttr, "setattr(self, name, value)";
        "__delattr__" DelAttr, "delattr(self, name)" ]
    richcompare: RichCompare(super::slots::RichCompare) = py::richcompare => [
        "__lt__" Compare(CompareOp::Lt), "self < value";
        "__le__" Compare(CompareOp::Le), "self <= value";
        "__eq__" Compare(CompareOp::Eq), "self == value";
        "__ne__" Compare(CompareOp::Ne), "self != value";
        "__gt__" Compare(CompareOp::Gt), "self > value";
        "__ge__" Compare(CompareOp::Ge), "self >= value" ]
    iter: Unary(super::slots::Unary) = py::iter => ["__iter__" Unary, "iter(self)"]
    iternext: IterNext(super::slots::IterNext) = py::iternext => ["__next__" Next, "Implement next(self)."]
    descr_get: DescrGet(super::slots::DescrGet) = py::descr_get => ["__get__" DescrGet, "\
        Get the attribute of an instance, or of the class owner."]
    descr_set: SetAttr(super::slots::SetAttr) = py::descr_set => [
        "__set__" DescrSet, "Set the attribute of an instance.";
        "__delete__" DescrDelete, "Delete the attribute of an instance." ]
    init: Init(super::slots::Init) = py::init => ["__init__" Init, "\
        Set up a new instance; for the arguments see help() of its type."]
    finalize: Finalize(super::slots::Finalize) = py::finalize => ["__del__" Del, "\
        Called before the object is destroyed."]
    await_: Unary(super::slots::Unary) = py::await_ => ["__await__" Unary, "Return an iterator that await goes over."]
    aiter: Unary(super::slots::Unary) = py::aiter => ["__aiter__" Unary, "Return an asynchronous iterator."]
    anext: Unary(super::slots::Unary) = py::anext => ["__anext__" Unary, "\
        Return an awaitable of the next item, or raise StopAsyncIteration."]
    add: Binary(Binary) = py::add => ["__add__" BinaryL, "self + value"; "__radd__" BinaryR, "value + self"]
    subtract: Binary(Binary) = py::subtract => ["__sub__" BinaryL, "self - value"; "__rsub__" BinaryR, "value - self"]
    multiply: Binary(Binary) = py::multiply => ["__mul__" BinaryL, "self * value"; "__rmul__" BinaryR, "value * self"]
    remainder: Binary(Binary) = py::remainder => ["__mod__" BinaryL, "self % value"; "__rmod__" BinaryR, "\
        value % self"]
    divmod: Binary(Binary) = py::divmod => ["__divmod__" BinaryL, "divmod(self, value)"; "__rdivmod__" BinaryR, "\
        divmod(value, self)"]
    power: Ternary(Ternary) = py::power => ["__pow__" TernaryL, "pow(self, value, mod)"; "__rpow__" TernaryR, "\
        pow(value, self, mod)"]
    negative: Unary(super::slots::Unary) = py::negative => ["__neg__" Unary, "-self"]
    positive: Unary(super::slots::Unary) = py::positive => ["__pos__" Unary, "+self"]
    absolute: Unary(super::slots::Unary) = py::absolute => ["__abs__" Unary, "abs(self)"]
    bool: Inquiry(super::slots::Inquiry) = py::bool => ["__bool__" Inquiry, "bool(self)"]
    invert: Unary(super::slots::Unary) = py::invert => ["__invert__" Unary, "~self"]
    lshift: Binary(Binary) = py::lshift => ["__lshift__" BinaryL, "self << value"; "__rlshift__" BinaryR, "\
        value << self"]
    rshift: Binary(Binary) = py::rshift => ["__rshift__" BinaryL, "self >> value"; "__rrshift__" BinaryR, "\
        value >> self"]
    and: Binary(Binary) = py::and => ["__and__" BinaryL, "self & value"; "__rand__" BinaryR, "value & self"]
    xor: Binary(Binary) = py::xor => ["__xor__" BinaryL, "self ^ value"; "__rxor__" BinaryR, "value ^ self"]
    or: Binary(Binary) = py::or => ["__or__" BinaryL, "self | value"; "__ror__" BinaryR, "value | self"]
    int: Unary(super::slots::Unary) = py::int => ["__int__" Unary, "int(self)"]
    float: Unary(super::slots::Unary) = py::float => ["__float__" Unary, "float(self)"]
    inplace_add: Binary(Binary) = py::inplace_add => ["__iadd__" BinaryL, "self += value"]
    inplace_subtract: Binary(Binary) = py::inplace_subtract => ["__isub__" BinaryL, "self -= value"]
    inplace_multiply: Binary(Binary) = py::inplace_multiply => ["__imul__" BinaryL, "self *= value"]
    inplace_remainder: Binary(Binary) = py::inplace_remainder => ["__imod__" BinaryL, "self %= value"]
    inplace_power: Ternary(Ternary) = py::inplace_power => ["__ipow__" TernaryL, "self **= value"]
    inplace_lshift: Binary(Binary) = py::inplace_lshift => ["__ilshift__" BinaryL, "self <<= value"]
    inplace_rshift: Binary(Binary) = py::inplace_rshift => ["__irshift__" BinaryL, "self >>= value"]
    inplace_and: Binary(Binary) = py::inplace_and => ["__iand__" BinaryL, "self &= value"]
    inplace_xor: Binary(Binary) = py::inplace_xor => ["__ixor__" BinaryL, "self ^= value"]
    inplace_or: Binary(Binary) = py::inplace_or => ["__ior__" BinaryL, "self |= value"]
    floor_divide: Binary(Binary) = py::floor_divide => ["__floordiv__" BinaryL, "\
        self // value"; "__rfloordiv__" BinaryR, "value // self"]
    true_divide: Binary(Binary) = py::true_divide => ["__truediv__" BinaryL, "\
        self / value"; "__rtruediv__" BinaryR, "value / self"]
    inplace_floor_divide: Binary(Binary) = py::inplace_floor_divide => ["__ifloordiv__" BinaryL, "self //= value"]
    inplace_true_divide: Binary(Binary) = py::inplace_true_divide => ["__itruediv__" BinaryL, "self /= value"]
    index: Unary(super::slots::Unary) = py::index => ["__index__" Unary, "\
        Return the int that stands for the object, as in indexing."]
    matrix_multiply: Binary(Binary) = py::matrix_multiply => ["__matmul__" BinaryL, "\
        self @ value"; "__rmatmul__" BinaryR, "value @ self"]
    inplace_matrix_multiply: Binary(Binary) = py::inplace_matrix_multiply => ["__imatmul__" BinaryL, "self @= value"]
    length: Length(super::slots::Length) = py::length => ["__len__" Length, "len(self)"]
    subscript: Binary(Binary) = py::subscript => ["__getitem__" BinaryL, "self[key]"]
    ass_subscript: SetAttr(super::slots::SetAttr) = py::ass_subscript => [
        "__setitem__" SetItem, "self[key] = value";
        "__delitem__" DelItem, "del self[key]" ]
    contains: Contains(super::slots::Contains) = py::contains => ["__contains__" Contains, "key in self"]
    concat: Binary(Binary) = py::add => ["__add__" BinaryL, "self + value"]
    repeat: Repeat(super::slots::Repeat) = py::repeat => ["__mul__" Repeat, "self * value"; "__rmul__" Repeat, "\
        value * self"]
    inplace_concat: Binary(Binary) = py::inplace_add => ["__iadd__" BinaryL, "self += value"]
    inplace_repeat: Repeat(super::slots::Repeat) = py::inplace_repeat => ["__imul__" Repeat, "self *= value"]
    item: Item(super::slots::Item) = py::item => ["__getitem__" Item, "self[key]"]
}

/// Rows whose slot Python-level definitions do not set: they go to the number slots (as in CPython, where
/// `__add__` in a class body sets `nb_add` alone). `item` is set, since it marks sequences.
pub fn is_sequence_alias(row: &SlotRow) -> bool {
    row.field == Field::concat as u16
        || row.field == Field::repeat as u16
        || row.field == Field::inplace_concat as u16
        || row.field == Field::inplace_repeat as u16
}
