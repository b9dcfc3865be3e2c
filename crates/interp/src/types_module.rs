//! `_types`: the built-in types under the names that `types` gives them.

use taipan_object::builtins::{
    cell::CELL, generic_alias::GENERIC_ALIAS, mappingproxy::MAPPING_PROXY, method::METHOD, namespace::NAMESPACE,
    singletons, union::UNION,
};
use taipan_object::header::Header;
use taipan_object::heap::Kind;
use taipan_object::native::descriptors::{
    CLASSMETHOD_DESCRIPTOR, GETSET_DESCRIPTOR, METHOD_DESCRIPTOR, METHOD_WRAPPER, SLOT_WRAPPER,
};
use taipan_object::native::function::BUILTIN_FUNCTION;
use taipan_object::native::member::MEMBER_DESCRIPTOR;
use taipan_object::native::module::{MODULE as MODULE_TYPE, ModuleDef};
use taipan_object::object::Payload;
use taipan_object::types::{Type, TypeSpec, type_flags};

use crate::code::CODE;
use crate::frame_object::FRAME;
use crate::function::FUNCTION;
use crate::generator::{ASYNC_GENERATOR, COROUTINE, GENERATOR};
use crate::traceback::TRACEBACK;

pub static MODULE: ModuleDef = ModuleDef {
    name: "_types",
    doc: "Built-in types that have no names elsewhere.",
    functions: &[],
    exec: |_, module| {
        for (name, spec) in TYPES {
            module.set(name, spec.value());
        }
        Ok(())
    },
};

static TYPES: &[(&str, &TypeSpec)] = &[
    ("AsyncGeneratorType", &ASYNC_GENERATOR),
    ("BuiltinFunctionType", &BUILTIN_FUNCTION),
    ("BuiltinMethodType", &BUILTIN_FUNCTION),
    ("CapsuleType", &CAPSULE),
    ("CellType", &CELL),
    ("ClassMethodDescriptorType", &CLASSMETHOD_DESCRIPTOR),
    ("CodeType", &CODE),
    ("CoroutineType", &COROUTINE),
    ("EllipsisType", &singletons::ELLIPSIS_TYPE),
    ("FrameType", &FRAME),
    ("FunctionType", &FUNCTION),
    ("GeneratorType", &GENERATOR),
    ("GenericAlias", &GENERIC_ALIAS),
    ("GetSetDescriptorType", &GETSET_DESCRIPTOR),
    ("LambdaType", &FUNCTION),
    ("MappingProxyType", &MAPPING_PROXY),
    ("MemberDescriptorType", &MEMBER_DESCRIPTOR),
    ("MethodDescriptorType", &METHOD_DESCRIPTOR),
    ("MethodType", &METHOD),
    ("MethodWrapperType", &METHOD_WRAPPER),
    ("ModuleType", &MODULE_TYPE),
    ("NoneType", &singletons::NONE_TYPE),
    ("NotImplementedType", &singletons::NOT_IMPLEMENTED_TYPE),
    ("SimpleNamespace", &NAMESPACE),
    ("TracebackType", &TRACEBACK),
    ("UnionType", &UNION),
    ("WrapperDescriptorType", &SLOT_WRAPPER),
];

/// The type of what C extensions pass to each other. Nothing here makes one.
#[repr(C)]
struct Capsule {
    header: Header,
}

// SAFETY: repr(C), header first, owns no references.
unsafe impl Payload for Capsule {
    const KIND: Kind = Kind::Leaf;
    fn static_type() -> &'static Type {
        CAPSULE.ty()
    }
}

static CAPSULE: TypeSpec = TypeSpec::new::<Capsule>("PyCapsule")
    .doc("The type of the pointers that extension modules written in C pass to each other.")
    .flags(type_flags::DISALLOW_INSTANTIATION);
