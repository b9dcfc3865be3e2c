//! A tree of Python objects.
//!
//! Fields are read in CPython's order and with its messages. What makes sense by itself but not where it stands is
//! left to `taipan_compiler::ast_validate`.

use bumpalo::Bump;
use taipan_object::builtins::bytes::Bytes;
use taipan_object::builtins::list::List;
use taipan_object::builtins::set::FrozenSet;
use taipan_object::builtins::str::Str;
use taipan_object::builtins::tuple::Tuple;
use taipan_object::builtins::{complex, float, int};
use taipan_object::{Raised, Result, Value, Vm, codecs};
use taipan_syntax::ast::*;

use super::classes::{self, Classes, END_IS_REQUIRED};
use super::node;

/// The tree that `object`, an instance of a subclass of `ast.mod`, stands for.
pub fn tree_from_object<'a>(vm: &Vm, object: &Value, arena: &'a Bump) -> Result<Mod<'a>> {
    let reader = Reader { vm, arena, classes: classes::all(vm)? };
    let class = reader.constructor(object, "mod", Mod::CLASSES)?;
    Mod::read(&reader, object, class)
}

struct Reader<'v, 'a> {
    vm: &'v Vm,
    arena: &'a Bump,
    classes: &'static Classes,
}

/// A type of nodes that can stand in a field or a list.
trait Read<'a>: Sized {
    /// `None` stands for an absent node.
    fn read(reader: &Reader<'_, 'a>, value: &Value) -> Result<Option<Self>>;
    /// What is wrong with `None` in a list.
    fn none_in_list(reader: &Reader<'_, 'a>) -> Raised;
}

/// The type of a field. `None`: the value is, and there must be one.
trait ReadField<'a>: Sized {
    fn read(reader: &Reader<'_, 'a>, owner: &Value, class: &'static str, name: &'static str) -> Result<Option<Self>>;
}

impl<'a> Reader<'_, 'a> {
    /// A field that must be there.
    fn required(&self, owner: &Value, class: &str, name: &str) -> Result {
        match node::field(self.vm, owner, name)? {
            Some(value) => Ok(value),
            None => Err(self.vm.type_error(format!("required field \"{name}\" missing from {class}"))),
        }
    }

    /// A field that may be absent or `None`.
    fn optional(&self, owner: &Value, name: &str) -> Result<Option<Value>> {
        Ok(node::field(self.vm, owner, name)?.filter(|value| !value.is_none()))
    }

    fn int(&self, value: &Value) -> Result<i32> {
        if !int::is_int(value) {
            let shown = self.vm.repr_string(value)?;
            return Err(self.vm.value_error(format!("invalid integer value: {shown}")));
        }
        let n = int::to_i64(value).and_then(|n| i32::try_from(n).ok());
        n.ok_or_else(|| self.vm.overflow_error("Python int too large to convert to C int"))
    }

    fn identifier(&self, value: &Value) -> Result<Option<Identifier<'a>>> {
        if value.is_none() {
            return Ok(None);
        }
        let Some(text) = value.downcast_exact::<Str>() else {
            return Err(self.vm.type_error("AST identifier must be of type str"));
        };
        Ok(Some(match text.as_ascii() {
            Some(text) => self.arena.alloc_str(text),
            None => self.arena.alloc_str(&codecs::to_utf8(self.vm, value)?),
        }))
    }

    fn string(&self, value: &Value) -> Result<PyStr<'a>> {
        match value.downcast_exact::<Str>() {
            Some(text) => Ok(self.text(text)),
            None => Err(self.vm.type_error("AST string must be of type str")),
        }
    }

    fn text(&self, text: &Str) -> PyStr<'a> {
        match text.as_ascii() {
            Some(text) => PyStr::from_str(self.arena.alloc_str(text)),
            None => PyStr::from_bytes(self.arena.alloc_slice_copy(&text.to_wtf8())),
        }
    }

    fn constant(&self, value: &Value) -> Result<Constant<'a>> {
        self.vm.check_stack(" during compilation")?;
        let items = |items: &[Value]| -> Result<&'a [Constant<'a>]> {
            let items = items.iter().map(|item| self.constant(item)).collect::<Result<Vec<_>>>()?;
            Ok(self.arena.alloc_slice_copy(&items))
        };
        Ok(match value {
            _ if value.is_none() => Constant::None,
            _ if value.is_true() => Constant::True,
            _ if value.is_false() => Constant::False,
            _ if value.is(&Value::ELLIPSIS) => Constant::Ellipsis,
            _ if int::is_exact(value) => self.int_constant(value),
            _ if value.ty().is(&float::FLOAT) => Constant::Float(float::to_f64(value).unwrap_or_default()),
            _ => {
                if let Some(text) = value.downcast_exact::<Str>() {
                    Constant::Str(self.text(text))
                } else if let Some(data) = value.downcast_exact::<Bytes>() {
                    Constant::Bytes(self.arena.alloc_slice_copy(data.as_slice()))
                } else if let Some(tuple) = value.downcast_exact::<Tuple>() {
                    Constant::Tuple(items(tuple.as_slice())?)
                } else if let Some(set) = value.downcast_exact::<FrozenSet>() {
                    Constant::FrozenSet(items(&set.as_set().keys())?)
                } else if let Some((real, imag)) = complex::parts(value).filter(|_| value.ty().is(&complex::COMPLEX)) {
                    Constant::Complex { real, imag }
                } else {
                    let got = value.ty().name();
                    return Err(self.vm.type_error(format!("got an invalid type in Constant: {got}")));
                }
            }
        })
    }

    fn int_constant(&self, value: &Value) -> Constant<'a> {
        if let Some(n) = int::to_i64(value) {
            return Constant::Int(n);
        }
        let (sign, magnitude) = int::to_ibig(value).unwrap_or_default().into_parts();
        let bytes = magnitude.to_le_bytes();
        let limbs = bytes.chunks(8).map(|chunk| {
            let mut limb = [0; 8];
            limb[..chunk.len()].copy_from_slice(chunk);
            u64::from_le_bytes(limb)
        });
        let limbs = self.arena.alloc_slice_fill_iter(limbs.collect::<Vec<_>>());
        Constant::BigInt(self.arena.alloc(BigInt { negative: sign == dashu_int::Sign::Negative, limbs }))
    }

    /// A list field; an absent one is empty.
    fn list<T: Copy>(
        &self,
        owner: &Value,
        class: &str,
        name: &str,
        mut item: impl FnMut(&Value) -> Result<T>,
    ) -> Result<&'a [T]> {
        let Some(value) = node::field(self.vm, owner, name)? else { return Ok(&[]) };
        let Some(list) = value.downcast::<List>() else {
            let got = value.ty().name();
            return Err(self.vm.type_error(format!("{class} field \"{name}\" must be a list, not a {got}")));
        };
        let length = list.len();
        let mut items = Vec::with_capacity(length);
        while let Some(value) = list.get(items.len()) {
            items.push(item(&value)?);
            if list.len() != length {
                let message = format!("{class} field \"{name}\" changed size during iteration");
                return Err(self.vm.runtime_error(message));
            }
        }
        Ok(self.arena.alloc_slice_copy(&items))
    }

    /// The position of a node; `ty` is the ASDL name of its type.
    fn span(&self, object: &Value, ty: &str) -> Result<Span> {
        let start = |name| self.int(&self.required(object, ty, name)?);
        let (lineno, col_offset) = (start("lineno")?, start("col_offset")?);
        let end = |name, default| {
            if END_IS_REQUIRED.contains(&ty) {
                return start(name);
            }
            self.optional(object, name)?.map_or(Ok(default), |value| self.int(&value))
        };
        let (end_lineno, end_col_offset) = (end("end_lineno", lineno)?, end("end_col_offset", col_offset)?);
        // Numbers may be negative; later stages take them for signed.
        Ok(Span {
            lineno: lineno as u32,
            col_offset: col_offset as u32,
            end_lineno: end_lineno as u32,
            end_col_offset: end_col_offset as u32,
        })
    }

    /// Which of a sum type's classes `object` is an instance of.
    fn constructor(&self, object: &Value, ty: &str, classes: &[&'static str]) -> Result<&'static str> {
        self.vm.check_stack(&format!(" while traversing '{ty}' node"))?;
        let own = object.ty();
        if let Some(name) = classes.iter().find(|name| std::ptr::eq(self.classes.get(name).as_type(), own)) {
            return Ok(name);
        }
        for name in classes {
            if self.vm.is_instance(object, &self.classes.get(name).ty)? {
                return Ok(name);
            }
        }
        let shown = self.vm.repr_string(object)?;
        Err(self.vm.type_error(format!("expected some sort of {ty}, but got {shown}")))
    }

    fn present<T>(&self, field: Option<T>, class: &str, name: &str) -> Result<T> {
        field.ok_or_else(|| self.vm.value_error(format!("field '{name}' is required for {class}")))
    }

    fn unexpected_none(&self, ty: &str) -> Raised {
        self.vm.type_error(format!("expected some sort of {ty}, but got None"))
    }
}

macro_rules! define_readers {
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
        $(
            impl<'a> ReadSum<'a> for $sum<'a> {
                const CLASSES: &'static [&'static str] = &[ $( stringify!($variant) ),* ];

                #[allow(unused_variables)]
                fn read(reader: &Reader<'_, 'a>, object: &Value, class: &'static str) -> Result<Self> {
                    $( if class == stringify!($variant) {
                        $( let $field = <$ty as ReadField>::read(reader, object, class, field_name(stringify!($field)))?; )*
                        return Ok($sum::$variant {
                            $( $field: reader.present($field, class, field_name(stringify!($field)))? ),*
                        });
                    } )*
                    unreachable!("one of the classes")
                }
            }
        )*
        $(
            impl<'a> ReadProduct<'a> for $product<'a> {
                fn read_fields(reader: &Reader<'_, 'a>, object: &Value) -> Result<Self> {
                    const CLASS: &str = $product_name;
                    $( let $product_field = <$product_ty as ReadField>::read(
                        reader, object, CLASS, field_name(stringify!($product_field)),
                    )?; )*
                    Ok($product {
                        $( $product_field: reader.present($product_field, CLASS, field_name(stringify!($product_field)))? ),*
                    })
                }
            }
        )*
        $(
            impl<'a> ReadLocated<'a> for $located<'a> {
                fn read_parts(reader: &Reader<'_, 'a>, object: &Value, span: Option<Span>) -> Result<Self> {
                    const CLASS: &str = $located_name;
                    $( let $located_field = <$located_ty as ReadField>::read(
                        reader, object, CLASS, field_name(stringify!($located_field)),
                    )?; )*
                    let span = span.map_or_else(|| reader.span(object, CLASS), Ok)?;
                    Ok($located {
                        $( $located_field: reader.present($located_field, CLASS, field_name(stringify!($located_field)))?, )*
                        span,
                    })
                }
            }
        )*
        $(
            impl ReadEnum for $enum {
                const CLASSES: &'static [&'static str] = &[ $( stringify!($case) ),* ];

                fn from_class(class: &str) -> Self {
                    $( if class == stringify!($case) {
                        return $enum::$case;
                    } )*
                    unreachable!("one of the classes")
                }
            }
        )*
    };
}

/// A sum type whose constructors are the variants of an enum.
trait ReadSum<'a>: Sized {
    const CLASSES: &'static [&'static str];
    fn read(reader: &Reader<'_, 'a>, object: &Value, class: &'static str) -> Result<Self>;
}

trait ReadProduct<'a>: Sized {
    fn read_fields(reader: &Reader<'_, 'a>, object: &Value) -> Result<Self>;
}

trait ReadLocated<'a>: Sized {
    /// Reads the fields and, unless it is known, the position.
    fn read_parts(reader: &Reader<'_, 'a>, object: &Value, span: Option<Span>) -> Result<Self>;
}

trait ReadEnum: Sized {
    const CLASSES: &'static [&'static str];
    fn from_class(class: &str) -> Self;
}

taipan_syntax::ast_table!(define_readers);

macro_rules! read_located_sums {
    ($($node:ident($kind:ident) $name:literal, |$reader:ident| $none:expr;)*) => { $(
        impl<'a> Read<'a> for $node<'a> {
            fn read(reader: &Reader<'_, 'a>, value: &Value) -> Result<Option<Self>> {
                if value.is_none() {
                    return Ok(None);
                }
                let span = reader.span(value, $name)?;
                let class = reader.constructor(value, $name, $kind::CLASSES)?;
                Ok(Some($node { kind: $kind::read(reader, value, class)?, span }))
            }
            fn none_in_list($reader: &Reader<'_, 'a>) -> Raised {
                $none
            }
        }
    )* };
}
read_located_sums! {
    Stmt(StmtKind) "stmt", |reader| reader.vm.value_error("None disallowed in statement list");
    Expr(ExprKind) "expr", |reader| reader.vm.value_error("None disallowed in expression list");
    Pattern(PatternKind) "pattern", |reader| reader.unexpected_none("pattern");
    TypeParam(TypeParamKind) "type_param", |reader| reader.unexpected_none("type_param");
}

macro_rules! read_products {
    ($($product:ident $name:literal)*) => { $(
        impl<'a> Read<'a> for $product<'a> {
            fn read(reader: &Reader<'_, 'a>, value: &Value) -> Result<Option<Self>> {
                reader.vm.check_stack(concat!(" while traversing '", $name, "' node"))?;
                $product::read_fields(reader, value).map(Some)
            }
            fn none_in_list(reader: &Reader<'_, 'a>) -> Raised {
                reader.unexpected_none($name)
            }
        }
    )* };
}
read_products! {
    Comprehension "comprehension" Arguments "arguments" WithItem "withitem" MatchCase "match_case"
}

macro_rules! read_located_products {
    ($($product:ident $name:literal)*) => { $(
        impl<'a> Read<'a> for $product<'a> {
            fn read(reader: &Reader<'_, 'a>, value: &Value) -> Result<Option<Self>> {
                reader.vm.check_stack(concat!(" while traversing '", $name, "' node"))?;
                $product::read_parts(reader, value, None).map(Some)
            }
            fn none_in_list(reader: &Reader<'_, 'a>) -> Raised {
                reader.unexpected_none($name)
            }
        }
    )* };
}
read_located_products! { Arg "arg" Keyword "keyword" Alias "alias" }

impl<'a> Read<'a> for ExceptHandler<'a> {
    fn read(reader: &Reader<'_, 'a>, value: &Value) -> Result<Option<Self>> {
        if value.is_none() {
            return Ok(None);
        }
        let span = reader.span(value, "excepthandler")?;
        reader.constructor(value, "excepthandler", &["ExceptHandler"])?;
        ExceptHandler::read_parts(reader, value, Some(span)).map(Some)
    }
    fn none_in_list(reader: &Reader<'_, 'a>) -> Raised {
        reader.unexpected_none("excepthandler")
    }
}

impl<'a> Read<'a> for TypeIgnore<'a> {
    fn read(reader: &Reader<'_, 'a>, value: &Value) -> Result<Option<Self>> {
        if value.is_none() {
            return Ok(None);
        }
        reader.constructor(value, "type_ignore", &["TypeIgnore"])?;
        TypeIgnore::read_fields(reader, value).map(Some)
    }
    fn none_in_list(reader: &Reader<'_, 'a>) -> Raised {
        reader.unexpected_none("type_ignore")
    }
}

impl<'a> Read<'a> for CmpOp {
    fn read(reader: &Reader<'_, 'a>, value: &Value) -> Result<Option<Self>> {
        let class = reader.constructor(value, "cmpop", CmpOp::CLASSES)?;
        Ok(Some(CmpOp::from_class(class)))
    }
    fn none_in_list(reader: &Reader<'_, 'a>) -> Raised {
        reader.unexpected_none("cmpop")
    }
}

impl<'a> Read<'a> for Identifier<'a> {
    fn read(reader: &Reader<'_, 'a>, value: &Value) -> Result<Option<Self>> {
        reader.identifier(value)
    }
    fn none_in_list(reader: &Reader<'_, 'a>) -> Raised {
        reader.vm.type_error("AST identifier must be of type str")
    }
}

impl<'a, T: Read<'a> + Copy> ReadField<'a> for &'a [T] {
    fn read(reader: &Reader<'_, 'a>, owner: &Value, class: &'static str, name: &'static str) -> Result<Option<Self>> {
        reader
            .list(owner, class, name, |value| match T::read(reader, value)? {
                Some(item) => Ok(item),
                None => Err(T::none_in_list(reader)),
            })
            .map(Some)
    }
}

impl<'a> ReadField<'a> for &'a [Option<Expr<'a>>] {
    fn read(reader: &Reader<'_, 'a>, owner: &Value, class: &'static str, name: &'static str) -> Result<Option<Self>> {
        reader.list(owner, class, name, |value| Expr::read(reader, value)).map(Some)
    }
}

macro_rules! read_node_fields {
    ($($node:ident)*) => { $(
        impl<'a> ReadField<'a> for &'a $node<'a> {
            fn read(
                reader: &Reader<'_, 'a>,
                owner: &Value,
                class: &'static str,
                name: &'static str,
            ) -> Result<Option<Self>> {
                let value = reader.required(owner, class, name)?;
                Ok($node::read(reader, &value)?.map(|node| &*reader.arena.alloc(node)))
            }
        }
        impl<'a> ReadField<'a> for Option<&'a $node<'a>> {
            fn read(
                reader: &Reader<'_, 'a>,
                owner: &Value,
                _: &'static str,
                name: &'static str,
            ) -> Result<Option<Self>> {
                match reader.optional(owner, name)? {
                    Some(value) => Ok(Some($node::read(reader, &value)?.map(|node| &*reader.arena.alloc(node)))),
                    None => Ok(Some(None)),
                }
            }
        }
    )* };
}
read_node_fields! { Expr Pattern Arguments Arg }

macro_rules! read_enum_fields {
    ($($enum:ident $name:literal)*) => { $(
        impl<'a> ReadField<'a> for $enum {
            fn read(
                reader: &Reader<'_, 'a>,
                owner: &Value,
                class: &'static str,
                name: &'static str,
            ) -> Result<Option<Self>> {
                let value = reader.required(owner, class, name)?;
                let class = reader.constructor(&value, $name, $enum::CLASSES)?;
                Ok(Some($enum::from_class(class)))
            }
        }
    )* };
}
read_enum_fields! { ExprContext "expr_context" BoolOperator "boolop" Operator "operator" UnaryOperator "unaryop" }

macro_rules! read_plain_fields {
    ($($ty:ty => |$reader:ident, $owner:ident, $class:ident, $name:ident| $read:expr;)*) => { $(
        impl<'a> ReadField<'a> for $ty {
            fn read(
                $reader: &Reader<'_, 'a>,
                $owner: &Value,
                $class: &'static str,
                $name: &'static str,
            ) -> Result<Option<Self>> {
                $read
            }
        }
    )* };
}
read_plain_fields! {
    bool => |reader, owner, class, name| Ok(Some(reader.int(&reader.required(owner, class, name)?)? != 0));
    u32 => |reader, owner, class, name| Ok(Some(reader.int(&reader.required(owner, class, name)?)? as u32));
    // `level` is the one optional number; it is 0 where it is absent.
    i32 => |reader, owner, class, name| match name {
        "level" => Ok(Some(reader.optional(owner, name)?.map_or(Ok(0), |value| reader.int(&value))?)),
        _ => Ok(Some(reader.int(&reader.required(owner, class, name)?)?)),
    };
    Identifier<'a> => |reader, owner, class, name| reader.identifier(&reader.required(owner, class, name)?);
    Option<Identifier<'a>> => |reader, owner, _class, name| match reader.optional(owner, name)? {
        Some(value) => Ok(Some(reader.identifier(&value)?)),
        None => Ok(Some(None)),
    };
    PyStr<'a> => |reader, owner, class, name| Ok(Some(reader.string(&reader.required(owner, class, name)?)?));
    Option<PyStr<'a>> => |reader, owner, _class, name| match reader.optional(owner, name)? {
        Some(value) => Ok(Some(Some(reader.string(&value)?))),
        None => Ok(Some(None)),
    };
    Constant<'a> => |reader, owner, class, name| {
        Ok(Some(reader.constant(&reader.required(owner, class, name)?)?))
    };
    &'a Constant<'a> => |reader, owner, class, name| {
        Ok(Some(&*reader.arena.alloc(reader.constant(&reader.required(owner, class, name)?)?)))
    };
}
