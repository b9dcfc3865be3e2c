//! `_multibytecodec` and the modules of codecs that build on it: East Asian encodings.
//!
//! `codec.rs` says what a codec is and has those that are but tables (`table.rs`); `gb18030.rs`, `euc_kr.rs`, `hz.rs` and
//! `iso2022.rs` have the others. `convert.rs` converts texts and handles errors; `incremental.rs` and `stream.rs` are the
//! classes that do so piece by piece.

mod codec;
mod convert;
mod euc_kr;
mod gb18030;
mod hz;
mod incremental;
mod iso2022;
mod stream;
mod table;

use crate::payload::{Field, payload};
use codec::Codec;
use taipan_object::builtins::bytes;
use taipan_object::builtins::str::Str;
use taipan_object::builtins::tuple::Tuple;
use taipan_object::codecs;
use taipan_object::native::MethodDef;
use taipan_object::native::module::ModuleDef;
use taipan_object::object::Visitor;
use taipan_object::types::{TypeSpec, type_flags};
use taipan_object::{Result, Value, Vm, method_table};

pub static MODULE: ModuleDef = ModuleDef {
    name: "_multibytecodec",
    doc: "",
    functions: &[],
    exec: |_, module| {
        module.add_type(&incremental::ENCODER);
        module.add_type(&incremental::DECODER);
        module.add_type(&stream::READER);
        module.add_type(&stream::WRITER);
        Ok(())
    },
};

/// A codec as the state of objects holds it.
#[derive(Clone, Copy)]
pub struct CodecRef(&'static dyn Codec);

impl std::ops::Deref for CodecRef {
    type Target = dyn Codec;
    fn deref(&self) -> &(dyn Codec + 'static) {
        self.0
    }
}

impl Field for CodecRef {
    fn visit(&self, _: Visitor) {}
    fn take(&mut self) -> Self {
        *self
    }
}

payload! {
    /// What `getcodec` returns.
    pub struct MultibyteCodec(MultibyteCodecState): CODEC [codec: CodecRef] {}
}

pub static CODEC: TypeSpec = TypeSpec::new::<MultibyteCodec>("_multibytecodec.MultibyteCodec")
    .flags(type_flags::DISALLOW_INSTANTIATION)
    .methods(METHODS);

method_table! { static METHODS = [
    MethodDef::new("encode($self, /, input, errors=None)",
        "Encode a string.\n\n\
        errors says what to do about characters that cannot be encoded: 'strict',\n\
        the default, raises UnicodeEncodeError, 'ignore' omits them, 'replace'\n\
        puts a question mark and 'xmlcharrefreplace' a character reference.\n\
        Names from codecs.register_error() are valid too.",
        |vm, this, args| {
            let errors = errors_argument(vm, "encode", &args[1])?;
            let text = match args[0].downcast::<Str>() {
                Some(_) => args[0].clone(),
                None => vm.str(&args[0])?,
            };
            let codec = MultibyteCodec::of(this).codec;
            let mut state = codec.initial_encoder();
            let (data, _) = convert::encode(vm, codec.0, &mut state, &text, &errors, true)?;
            let length = text.downcast::<Str>().map_or(0, Str::len);
            Ok(Tuple::from_array([bytes::from_slice(vm, &data)?, Value::from(length)]).into_value())
        }),
    MethodDef::new("decode($self, /, input, errors=None)",
        "Decode bytes.\n\n\
        errors says what to do about bytes that cannot be decoded: 'strict', the\n\
        default, raises UnicodeDecodeError, 'ignore' omits them and 'replace'\n\
        puts U+FFFD.  Names from codecs.register_error() are valid too.",
        |vm, this, args| {
            let errors = errors_argument(vm, "decode", &args[1])?;
            let data = vm.bytes_like(&args[0])?;
            let codec = MultibyteCodec::of(this).codec;
            let mut state = codec.initial_decoder();
            let (text, used) = convert::decode(vm, codec.0, &mut state, &data, &errors, true)?;
            Ok(Tuple::from_array([text, Value::from(used)]).into_value())
        }),
]; }

/// The name of an error handler; `strict` for `None`.
fn errors_argument(vm: &Vm, function: &str, value: &Value) -> Result<String> {
    match value.downcast::<Str>() {
        Some(_) => codecs::to_utf8(vm, value),
        None if value.is_none() => Ok("strict".to_string()),
        None => {
            let got = value.ty().name();
            Err(vm.type_error(format!("{function}() argument 'errors' must be str or None, not {got}")))
        }
    }
}

/// The codec that is an attribute of a class.
fn codec_of(vm: &Vm, class: &Value) -> Result<CodecRef> {
    let codec = vm.get_attr_str(class, "codec")?;
    match codec.downcast::<MultibyteCodec>() {
        Some(codec) => Ok(codec.codec),
        None => Err(vm.type_error("codec is unexpected type")),
    }
}

/// `getcodec(name)` of a module with these codecs.
fn getcodec(vm: &Vm, known: &[&'static dyn Codec], name: &Value) -> Result {
    let Some(name) = name.downcast::<Str>() else { return Err(vm.type_error("encoding name must be a string.")) };
    match known.iter().find(|codec| name.is_str(codec.name())) {
        Some(codec) => Ok(MultibyteCodec::make(CODEC.ty(), CodecRef(*codec), MultibyteCodecState {})),
        None => Err(vm.lookup_error("no such codec is supported.")),
    }
}

macro_rules! codec_modules {
    ($($module:ident $functions:ident = $name:literal [$($codec:expr),* $(,)?];)*) => { $(
        pub static $module: ModuleDef = ModuleDef { name: $name, doc: "", functions: $functions, exec: |_, _| Ok(()) };
        method_table! { static $functions = [
            MethodDef::new("getcodec($module, arg, /)", "", |vm, _, args| getcodec(vm, &[$(&$codec),*], &args[0])),
        ]; }
    )* };
}

codec_modules! {
    CN CN_FUNCTIONS = "_codecs_cn" [codec::GB2312, codec::GBK, gb18030::Gb18030, hz::Hz];
    HK HK_FUNCTIONS = "_codecs_hk" [codec::BIG5HKSCS];
    ISO2022 ISO2022_FUNCTIONS = "_codecs_iso2022" [
        iso2022::ISO2022_KR, iso2022::ISO2022_JP, iso2022::ISO2022_JP_1, iso2022::ISO2022_JP_2,
        iso2022::ISO2022_JP_2004, iso2022::ISO2022_JP_3, iso2022::ISO2022_JP_EXT,
    ];
    JP JP_FUNCTIONS = "_codecs_jp" [
        codec::SHIFT_JIS, codec::CP932, codec::EUC_JP, codec::SHIFT_JIS_2004, codec::EUC_JIS_2004, codec::EUC_JISX0213,
        codec::SHIFT_JISX0213,
    ];
    KR KR_FUNCTIONS = "_codecs_kr" [euc_kr::EucKr, codec::CP949, codec::JOHAB];
    TW TW_FUNCTIONS = "_codecs_tw" [codec::BIG5, codec::CP950];
}
