//! Certificates: the type `_ssl.Certificate` and the dict of `SSLSocket.getpeercert()`.

use std::ffi::CStr;
use std::os::raw::{c_char, c_int, c_uchar};

use taipan_object::builtins::bytes;
use taipan_object::builtins::dict::Dict;
use taipan_object::builtins::str::{Str, intern};
use taipan_object::builtins::tuple::Tuple;
use taipan_object::exceptions::RUNTIME_WARNING;
use taipan_object::header::Header;
use taipan_object::heap::Kind;
use taipan_object::native::MethodDef;
use taipan_object::object::Payload;
use taipan_object::types::slots::CompareOp;
use taipan_object::types::{Type, TypeSpec, type_flags};
use taipan_object::{Ref, Result, Value, Vm, method_table};
use taipan_openssl as ossl;

use super::bio::Bio;
use super::errors;
use crate::arguments::c_int;

/// An owned reference to a certificate.
pub struct X509(*mut ossl::X509);

// SAFETY: reference-counted with atomics; what a certificate caches is under its lock.
unsafe impl Send for X509 {}
// SAFETY: as above.
unsafe impl Sync for X509 {}

impl Drop for X509 {
    fn drop(&mut self) {
        // SAFETY: owned.
        unsafe { ossl::X509_free(self.0) };
    }
}

impl X509 {
    /// Takes over a reference; `None` for null.
    pub fn owned(raw: *mut ossl::X509) -> Option<X509> {
        (!raw.is_null()).then_some(X509(raw))
    }

    /// A further reference to a live certificate.
    pub fn shared(raw: *mut ossl::X509) -> Option<X509> {
        if !raw.is_null() {
            // SAFETY: the caller's certificate is alive.
            unsafe { ossl::X509_up_ref(raw) };
        }
        X509::owned(raw)
    }

    pub fn raw(&self) -> *mut ossl::X509 {
        self.0
    }

    /// DER as a bytes object.
    #[track_caller]
    pub fn der(&self, vm: &Vm) -> Result {
        let mut data: *mut c_uchar = std::ptr::null_mut();
        // SAFETY: a live certificate; the library allocates.
        let length = unsafe { ossl::i2d_X509(self.0, &mut data) };
        if length < 0 {
            return Err(errors::raise(vm, None));
        }
        // SAFETY: so many bytes were allocated.
        let value = bytes::new(unsafe { std::slice::from_raw_parts(data, length as usize) });
        // SAFETY: allocated by the library.
        unsafe { ossl::OPENSSL_free(data.cast()) };
        Ok(value)
    }
}

#[repr(C)]
pub struct Certificate {
    header: Header,
    certificate: X509,
}

// SAFETY: repr(C), header first, owns no references.
unsafe impl Payload for Certificate {
    const KIND: Kind = Kind::Leaf;
    fn static_type() -> &'static Type {
        CERTIFICATE.ty()
    }
}

pub static CERTIFICATE: TypeSpec = TypeSpec::new::<Certificate>("_ssl.Certificate")
    .flags(type_flags::DISALLOW_INSTANTIATION)
    .slots(|s| {
        s.repr = Some(|vm, this| {
            let subject = one_line(vm, own(this))?;
            Ok(Value::from(format!("<_ssl.Certificate '{subject}'>")))
        });
        s.hash = Some(|_, this| {
            // SAFETY: a live certificate.
            Ok(unsafe { ossl::X509_subject_name_hash(own(this).certificate.raw()) } as i64)
        });
        s.richcompare = Some(compare);
    })
    .methods(METHODS);

fn own(value: &Value) -> &Certificate {
    value.downcast::<Certificate>().expect("methods are called with instances of their type")
}

pub fn wrap(certificate: X509) -> Value {
    Ref::new(Certificate { header: Header::new(CERTIFICATE.ty()), certificate }).into_value()
}

fn one_line(vm: &Vm, this: &Certificate) -> Result<String> {
    printed(vm, |bio| {
        // SAFETY: a live BIO and certificate.
        unsafe {
            let subject = ossl::X509_get_subject_name(this.certificate.raw());
            ossl::X509_NAME_print_ex(bio, subject, 0, ossl::XN_FLAG_RFC2253) >= 0
        }
    })
}

fn compare(_: &Vm, left: &Value, right: &Value, op: CompareOp) -> Result {
    let (Some(a), Some(b)) = (left.downcast::<Certificate>(), right.downcast::<Certificate>()) else {
        return Ok(Value::NOT_IMPLEMENTED);
    };
    // SAFETY: live certificates.
    let equal = unsafe { ossl::X509_cmp(a.certificate.raw(), b.certificate.raw()) } == 0;
    match op {
        CompareOp::Eq => Ok(Value::from(equal)),
        CompareOp::Ne => Ok(Value::from(!equal)),
        _ => Ok(Value::NOT_IMPLEMENTED),
    }
}

method_table! { static METHODS = [
    MethodDef::new("public_bytes($self, /, format=Encoding.PEM)", "The certificate in the given encoding.", |vm, this, args| {
        let certificate = &own(this).certificate;
        match args[0].bound().map_or(Ok(ossl::SSL_FILETYPE_PEM), |format| c_int(vm, format))? {
            ossl::SSL_FILETYPE_PEM => {
                // SAFETY: a live BIO and certificate.
                let text = printed(vm, |bio| unsafe { ossl::PEM_write_bio_X509(bio, certificate.raw()) } > 0)?;
                Ok(Value::from(text))
            }
            ossl::SSL_FILETYPE_ASN1 => certificate.der(vm),
            _ => Err(vm.value_error("Unsupported format")),
        }
    }),
    MethodDef::new("get_info($self, /)", "What the certificate says, as a dict.", |vm, this, _| decode(vm, &own(this).certificate)),
]; }

/// What a function of the library writes into a BIO; `false` from it is an error.
#[track_caller]
fn printed(vm: &Vm, print: impl FnOnce(*mut ossl::BIO) -> bool) -> Result<String> {
    let bio = Bio::memory(vm)?;
    if !print(bio.raw()) {
        return Err(errors::raise(vm, None));
    }
    Ok(String::from_utf8_lossy(&bio.take()).into_owned())
}

/// An object identifier as text: its long name, or its number if `number` or if it has no name.
pub fn object_text(object: *const ossl::ASN1_OBJECT, number: bool) -> String {
    let mut buffer = [0 as c_char; 256];
    // SAFETY: a live object and room for so many bytes, the last of which is a NUL.
    let length = unsafe { ossl::OBJ_obj2txt(buffer.as_mut_ptr(), buffer.len() as c_int, object, c_int::from(number)) };
    if length <= 0 {
        return String::new();
    }
    // SAFETY: a C string was written.
    unsafe { CStr::from_ptr(buffer.as_ptr()) }.to_string_lossy().into_owned()
}

fn string_data<'a>(string: *const ossl::ASN1_STRING) -> &'a [u8] {
    // SAFETY: a live string, which the caller's certificate keeps.
    unsafe {
        let (data, length) = (ossl::ASN1_STRING_get0_data(string), ossl::ASN1_STRING_length(string));
        if length <= 0 { &[] } else { std::slice::from_raw_parts(data, length as usize) }
    }
}

fn utf8(vm: &Vm, data: &[u8]) -> Result {
    match std::str::from_utf8(data) {
        Ok(text) => Ok(Value::from(text)),
        Err(_) => vm.call_method(&bytes::new(data), "decode", &[]),
    }
}

fn pair(name: Value, value: Value) -> Value {
    Tuple::from_array([name, value]).into_value()
}

/// `((("commonName", "…"),), …)`: a tuple for each relative distinguished name, usually of one attribute.
fn name(vm: &Vm, name: *const ossl::X509_NAME) -> Result {
    let (mut names, mut attributes, mut set) = (Vec::new(), Vec::new(), None);
    // SAFETY: a live name.
    for index in 0..unsafe { ossl::X509_NAME_entry_count(name) } {
        // SAFETY: the index is in range; the entry and its parts belong to the name.
        let (number, object, data) = unsafe {
            let entry = ossl::X509_NAME_get_entry(name, index);
            let (object, data) = (ossl::X509_NAME_ENTRY_get_object(entry), ossl::X509_NAME_ENTRY_get_data(entry));
            (ossl::X509_NAME_ENTRY_set(entry), object, data)
        };
        if set.is_some_and(|set| set != number) {
            names.push(Tuple::from_vec(std::mem::take(&mut attributes)).into_value());
        }
        set = Some(number);
        attributes.push(attribute(vm, object, data)?);
    }
    if !attributes.is_empty() {
        names.push(Tuple::from_vec(attributes).into_value());
    }
    Ok(Tuple::from_vec(names).into_value())
}

fn attribute(vm: &Vm, object: *const ossl::ASN1_OBJECT, data: *const ossl::ASN1_STRING) -> Result {
    let key = Value::from(object_text(object, false));
    // SAFETY: a live string.
    if unsafe { ossl::ASN1_STRING_type(data) } == ossl::V_ASN1_BIT_STRING {
        return Ok(pair(key, bytes::new(string_data(data))));
    }
    let mut converted: *mut c_uchar = std::ptr::null_mut();
    // SAFETY: a live string; the library allocates.
    let length = unsafe { ossl::ASN1_STRING_to_UTF8(&mut converted, data) };
    if length < 0 {
        return Err(errors::raise(vm, None));
    }
    // SAFETY: so many bytes were allocated.
    let value = utf8(vm, unsafe { std::slice::from_raw_parts(converted, length as usize) });
    // SAFETY: allocated by the library.
    unsafe { ossl::OPENSSL_free(converted.cast()) };
    Ok(pair(key, value?))
}

/// A general name as in `subjectAltName`.
fn general_name(vm: &Vm, raw: *mut ossl::GENERAL_NAME) -> Result {
    // SAFETY: a live name of the certificate's.
    let (kind, value) = unsafe { ((*raw).kind, (*raw).value) };
    let text = |key: &str| Ok(pair(Value::from(key), utf8(vm, string_data(value.cast()))?));
    match kind {
        ossl::GEN_DIRNAME => Ok(pair(Value::from("DirName"), name(vm, value.cast())?)),
        ossl::GEN_EMAIL => text("email"),
        ossl::GEN_DNS => text("DNS"),
        ossl::GEN_URI => text("URI"),
        ossl::GEN_RID => {
            let number = printed(vm, |bio| {
                // SAFETY: a live BIO and object.
                unsafe { ossl::i2a_ASN1_OBJECT(bio, value.cast()) > 0 }
            })?;
            Ok(pair(Value::from("Registered ID"), Value::from(number)))
        }
        ossl::GEN_IPADD => {
            let data = string_data(value.cast());
            let shown = match data {
                [a, b, c, d] => format!("{a}.{b}.{c}.{d}"),
                data if data.len() == 16 => {
                    let groups: Vec<_> =
                        data.chunks(2).map(|pair| format!("{:X}", u16::from_be_bytes([pair[0], pair[1]]))).collect();
                    groups.join(":")
                }
                data => format!("<invalid length={}>", data.len()),
            };
            Ok(pair(Value::from("IP Address"), Value::from(shown)))
        }
        _ => {
            if !matches!(kind, ossl::GEN_OTHERNAME | ossl::GEN_X400 | ossl::GEN_EDIPARTY) {
                vm.warn(&RUNTIME_WARNING.value(), &format!("Unknown general name type {kind}"), 1)?;
            }
            // SAFETY: a live BIO and name.
            let shown = printed(vm, |bio| unsafe { ossl::GENERAL_NAME_print(bio, raw) } >= 0)?;
            let Some((key, rest)) = shown.split_once(':') else {
                return Err(vm.value_error(format!("Invalid value {shown}")));
            };
            Ok(pair(Value::from(key), Value::from(rest)))
        }
    }
}

/// The texts of all names that are URIs.
fn uris(vm: &Vm, names: impl Iterator<Item = *mut ossl::GENERAL_NAME>, found: &mut Vec<Value>) -> Result<()> {
    for name in names {
        // SAFETY: a live name of the certificate's.
        let (kind, value) = unsafe { ((*name).kind, (*name).value) };
        if kind == ossl::GEN_URI {
            found.push(utf8(vm, string_data(value.cast()))?);
        }
    }
    Ok(())
}

/// An extension that is a list, decoded; freed with the function given.
struct Extension {
    raw: *mut ossl::OPENSSL_STACK,
    free: unsafe extern "C" fn(*mut ossl::OPENSSL_STACK),
}

impl Extension {
    fn get(certificate: &X509, nid: c_int, free: unsafe extern "C" fn(*mut ossl::OPENSSL_STACK)) -> Option<Extension> {
        let null = std::ptr::null_mut();
        // SAFETY: a live certificate.
        let raw = unsafe { ossl::X509_get_ext_d2i(certificate.raw(), nid, null, null) };
        (!raw.is_null()).then_some(Extension { raw: raw.cast(), free })
    }
}

impl Drop for Extension {
    fn drop(&mut self) {
        // SAFETY: owned, and `free` is for what it is.
        unsafe { (self.free)(self.raw) };
    }
}

fn access_info(vm: &Vm, certificate: &X509, method: c_int) -> Result<Vec<Value>> {
    let mut found = Vec::new();
    if let Some(info) = Extension::get(certificate, ossl::NID_INFO_ACCESS, ossl::AUTHORITY_INFO_ACCESS_free) {
        // SAFETY: a live stack of descriptions, with their parts.
        let descriptions = unsafe { ossl::stack::<ossl::ACCESS_DESCRIPTION>(info.raw) };
        // SAFETY: as above.
        let locations = descriptions.filter_map(|description| unsafe {
            (ossl::OBJ_obj2nid((*description).method) == method).then_some((*description).location)
        });
        uris(vm, locations, &mut found)?;
    }
    Ok(found)
}

fn distribution_points(vm: &Vm, certificate: &X509) -> Result<Vec<Value>> {
    let mut found = Vec::new();
    let points = Extension::get(certificate, ossl::NID_CRL_DISTRIBUTION_POINTS, ossl::CRL_DIST_POINTS_free);
    if let Some(points) = points {
        // SAFETY: a live stack of points.
        for point in unsafe { ossl::stack::<ossl::DIST_POINT>(points.raw) } {
            // SAFETY: a live point; a name of kind 0 is a list of names.
            unsafe {
                let name = (*point).name;
                if !name.is_null() && (*name).kind == 0 {
                    uris(vm, ossl::stack((*name).name), &mut found)?;
                }
            }
        }
    }
    Ok(found)
}

fn time(vm: &Vm, time: *const ossl::ASN1_STRING) -> Result {
    // SAFETY: a live BIO and time.
    printed(vm, |bio| unsafe { ossl::ASN1_TIME_print(bio, time) } > 0).map(Value::from)
}

/// The dict of `getpeercert()`.
pub fn decode(vm: &Vm, certificate: &X509) -> Result {
    let dict = Dict::new();
    let set = |key: &str, value: Value| dict.set_str(intern(key).as_value(), value);
    let raw = certificate.raw();
    // SAFETY: a live certificate here and below.
    set("subject", name(vm, unsafe { ossl::X509_get_subject_name(raw) })?);
    // SAFETY: as above.
    set("issuer", name(vm, unsafe { ossl::X509_get_issuer_name(raw) })?);
    // SAFETY: as above.
    set("version", Value::from(unsafe { ossl::X509_get_version(raw) } + 1));
    // SAFETY: as above.
    let serial = printed(vm, |bio| unsafe { ossl::i2a_ASN1_INTEGER(bio, ossl::X509_get_serialNumber(raw)) } > 0)?;
    set("serialNumber", Value::from(serial));
    // SAFETY: as above.
    set("notBefore", time(vm, unsafe { ossl::X509_get0_notBefore(raw) })?);
    // SAFETY: as above.
    set("notAfter", time(vm, unsafe { ossl::X509_get0_notAfter(raw) })?);
    if let Some(names) = Extension::get(certificate, ossl::NID_SUBJECT_ALT_NAME, ossl::GENERAL_NAMES_free) {
        // SAFETY: a live stack of names.
        let names = unsafe { ossl::stack(names.raw) };
        let names = names.map(|name| general_name(vm, name)).collect::<Result<Vec<_>>>()?;
        set("subjectAltName", Tuple::from_vec(names).into_value());
    }
    for (key, found) in [
        ("OCSP", access_info(vm, certificate, ossl::NID_AD_OCSP)?),
        ("caIssuers", access_info(vm, certificate, ossl::NID_AD_CA_ISSUERS)?),
        ("crlDistributionPoints", distribution_points(vm, certificate)?),
    ] {
        if !found.is_empty() {
            set(key, Tuple::from_vec(found).into_value());
        }
    }
    Ok(dict.into_value())
}

/// `_test_decode_cert(path)`
pub fn test_decode(vm: &Vm, _: &Value, args: &[Value]) -> Result {
    let path = crate::arguments::fs_converter(vm, &args[0])?;
    // SAFETY: C strings.
    let Some(bio) = Bio::from_raw(unsafe { ossl::BIO_new_file(path.as_ptr(), c"r".as_ptr()) }) else {
        errors::clear();
        return Err(errors::plain(vm, "Can't open file"));
    };
    // SAFETY: a live BIO.
    let raw = unsafe { ossl::PEM_read_bio_X509(bio.raw(), std::ptr::null_mut(), None, std::ptr::null_mut()) };
    match X509::owned(raw) {
        Some(certificate) => decode(vm, &certificate),
        None => {
            errors::clear();
            Err(errors::plain(vm, "Error decoding PEM-encoded file"))
        }
    }
}

/// `(nid, short name, long name, number)` of an object identifier.
pub fn describe(object: *const ossl::ASN1_OBJECT) -> Option<Value> {
    // SAFETY: a live object; names are static.
    let (nid, short, long) = unsafe {
        let nid = ossl::OBJ_obj2nid(object);
        if nid == ossl::NID_UNDEF {
            return None;
        }
        (nid, errors::text(ossl::OBJ_nid2sn(nid)), errors::text(ossl::OBJ_nid2ln(nid)))
    };
    let or_none = |text: Option<&str>| text.map_or(Value::NONE, Value::from);
    let number = object_text(object, true);
    let number = if number.is_empty() { Value::NONE } else { Value::from(number) };
    Some(Tuple::from_array([Value::from(nid), or_none(short), or_none(long), number]).into_value())
}

/// `txt2obj(txt, name=False)`
pub fn txt2obj(vm: &Vm, _: &Value, args: &[Value]) -> Result {
    let text = crate::arguments::c_string(vm, &args[0], "txt2obj() argument 'txt'")?;
    let by_name = vm.is_true(&args[1])?;
    // SAFETY: a C string.
    let object = unsafe { ossl::OBJ_txt2obj(text.as_ptr(), c_int::from(!by_name)) };
    let described = if object.is_null() { None } else { describe(object) };
    // SAFETY: owned, or null.
    unsafe { ossl::ASN1_OBJECT_free(object) };
    errors::clear();
    described.ok_or_else(|| {
        let shown = args[0].downcast::<Str>().map(Str::to_string_lossy).unwrap_or_default();
        vm.value_error(format!("unknown object '{}'", shown.chars().take(100).collect::<String>()))
    })
}

/// `nid2obj(nid)`
pub fn nid2obj(vm: &Vm, _: &Value, args: &[Value]) -> Result {
    let nid = c_int(vm, &args[0])?;
    if nid < ossl::NID_UNDEF {
        return Err(vm.value_error("NID must be positive."));
    }
    if nid == ossl::NID_UNDEF {
        return Err(vm.value_error("Unknown object"));
    }
    // SAFETY: any number will do.
    let object = unsafe { ossl::OBJ_nid2obj(nid) };
    let described = if object.is_null() { None } else { describe(object) };
    errors::clear();
    described.ok_or_else(|| vm.value_error(format!("unknown NID {nid}")))
}

/// The certificates of a stack as objects.
pub fn chain(certificates: impl Iterator<Item = *mut ossl::X509>) -> Vec<Value> {
    certificates.filter_map(X509::shared).map(wrap).collect()
}
