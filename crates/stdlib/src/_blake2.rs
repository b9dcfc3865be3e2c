//! `_blake2`: BLAKE2b and BLAKE2s with all their parameters.

use taipan_object::builtins::str::intern;
use taipan_object::native::MethodDef;
use taipan_object::native::module::ModuleDef;
use taipan_object::types::{Type, TypeSpec};
use taipan_object::{Result, Value, Vm};

use crate::arguments::c_int;
use crate::hashing::object::{GETSET, HashObject, hash_methods};
use crate::hashing::{self, Algorithm, Hash, hashable, initial_data, unsigned, update_unlocked};
use crate::payload::signature;

pub static MODULE: ModuleDef = ModuleDef {
    name: "_blake2",
    doc: "BLAKE2b and BLAKE2s for hashlib.",
    functions: &[],
    exec: |_, module| {
        module.add_type(&BLAKE2B);
        module.add_type(&BLAKE2S);
        int_constants!(module;
            BLAKE2B_MAX_DIGEST_SIZE = B.digest, BLAKE2B_MAX_KEY_SIZE = B.digest, BLAKE2B_PERSON_SIZE = B.salt,
            BLAKE2B_SALT_SIZE = B.salt,
            BLAKE2S_MAX_DIGEST_SIZE = S.digest, BLAKE2S_MAX_KEY_SIZE = S.digest, BLAKE2S_PERSON_SIZE = S.salt,
            BLAKE2S_SALT_SIZE = S.salt);
        hashing::set_minsize(module);
        Ok(())
    },
};

/// The sizes of a variant.
struct Sizes {
    name: &'static str,
    /// The longest digest and key.
    digest: usize,
    /// Salt and personalisation.
    salt: usize,
}

const B: Sizes = Sizes { name: "Blake2b", digest: 64, salt: 16 };
const S: Sizes = Sizes { name: "Blake2s", digest: 32, salt: 8 };

pub static BLAKE2B: TypeSpec = TypeSpec::new::<HashObject>("_blake2.blake2b")
    .doc(
        "blake2b(data=b'', *, digest_size=_blake2.blake2b.MAX_DIGEST_SIZE,\n        \
         key=b'', salt=b'', person=b'', fanout=1, depth=1, leaf_size=0,\n        \
         node_offset=0, node_depth=0, inner_size=0, last_node=False,\n        \
         usedforsecurity=True, string=None)\n\
         --\n\n\
         Return an object that computes a BLAKE2b hash.",
    )
    .slots(|s| s.new = Some(new_blake2b))
    .methods(BLAKE2B_METHODS)
    .getset(GETSET)
    .populate(|ty| set_sizes(ty, &B));

pub static BLAKE2S: TypeSpec = TypeSpec::new::<HashObject>("_blake2.blake2s")
    .doc(
        "blake2s(data=b'', *, digest_size=_blake2.blake2s.MAX_DIGEST_SIZE,\n        \
         key=b'', salt=b'', person=b'', fanout=1, depth=1, leaf_size=0,\n        \
         node_offset=0, node_depth=0, inner_size=0, last_node=False,\n        \
         usedforsecurity=True, string=None)\n\
         --\n\n\
         Return an object that computes a BLAKE2s hash.",
    )
    .slots(|s| s.new = Some(new_blake2s))
    .methods(BLAKE2S_METHODS)
    .getset(GETSET)
    .populate(|ty| set_sizes(ty, &S));

hash_methods!(static BLAKE2B_METHODS, "update($self, data, /)");
hash_methods!(static BLAKE2S_METHODS, "update($self, data, /)");

fn set_sizes(ty: &Type, sizes: &Sizes) {
    let set = |name: &str, size: usize| ty.dict().set_str(intern(name).as_value(), Value::from(size));
    set("SALT_SIZE", sizes.salt);
    set("PERSON_SIZE", sizes.salt);
    set("MAX_KEY_SIZE", sizes.digest);
    set("MAX_DIGEST_SIZE", sizes.digest);
}

signature!(
    BLAKE2B_SIGNATURE = "blake2b(data=b'', *, digest_size=64, key=b'', salt=b'', person=b'', fanout=1, depth=1, \
                         leaf_size=0, node_offset=0, node_depth=0, inner_size=0, last_node=False, usedforsecurity=True, \
                         string=None)"
);
signature!(
    BLAKE2S_SIGNATURE = "blake2s(data=b'', *, digest_size=32, key=b'', salt=b'', person=b'', fanout=1, depth=1, \
                         leaf_size=0, node_offset=0, node_depth=0, inner_size=0, last_node=False, usedforsecurity=True, \
                         string=None)"
);

/// The checked parameters of a constructor.
struct Parameters {
    digest_size: usize,
    key: Vec<u8>,
    salt: Vec<u8>,
    person: Vec<u8>,
    fanout: u8,
    depth: u8,
    leaf_size: u32,
    node_offset: u64,
    node_depth: u8,
    inner_size: usize,
    last_node: bool,
}

fn optional_bytes(vm: &Vm, value: &Value) -> Result<Vec<u8>> {
    value.bound().map_or(Ok(Vec::new()), |value| Ok(vm.bytes_like(value)?.to_vec()))
}

fn parameters(vm: &Vm, args: &[Value], sizes: &Sizes) -> Result<Parameters> {
    let digest_size = c_int(vm, &args[1])?;
    let key = optional_bytes(vm, &args[2])?;
    let (salt, person) = (optional_bytes(vm, &args[3])?, optional_bytes(vm, &args[4])?);
    let (fanout, depth) = (c_int(vm, &args[5])?, c_int(vm, &args[6])?);
    let leaf_size = unsigned(vm, &args[7], "unsigned long")?;
    let node_offset = unsigned(vm, &args[8], "unsigned long long")?;
    let (node_depth, inner_size) = (c_int(vm, &args[9])?, c_int(vm, &args[10])?);
    let last_node = vm.is_true(&args[11])?;
    vm.is_true(&args[12])?;
    let (name, max) = (sizes.name, sizes.digest);
    if digest_size <= 0 || digest_size as usize > max {
        let wanted = format!("must be between 1 and {max} bytes, here it is {digest_size}");
        return Err(vm.value_error(format!("digest_size for {name} {wanted}")));
    }
    if salt.len() > sizes.salt {
        return Err(vm.value_error(format!("maximum salt length is {} bytes", sizes.salt)));
    }
    if person.len() > sizes.salt {
        return Err(vm.value_error(format!("maximum person length is {} bytes", sizes.salt)));
    }
    let Ok(fanout) = u8::try_from(fanout) else { return Err(vm.value_error("fanout must be between 0 and 255")) };
    let depth = match u8::try_from(depth) {
        Ok(depth) if depth > 0 => depth,
        _ => return Err(vm.value_error("depth must be between 1 and 255")),
    };
    let Ok(leaf_size) = u32::try_from(leaf_size) else { return Err(vm.overflow_error("leaf_size is too large")) };
    // BLAKE2s has 48 bits for it.
    if max == S.digest && node_offset >= 1 << 48 {
        return Err(vm.overflow_error("node_offset is too large"));
    }
    let Ok(node_depth) = u8::try_from(node_depth) else {
        return Err(vm.value_error("node_depth must be between 0 and 255"));
    };
    if inner_size < 0 || inner_size as usize > max {
        return Err(vm.value_error(format!("inner_size must be between 0 and is {max}")));
    }
    if key.len() > max {
        return Err(vm.value_error(format!("maximum key length is {max} bytes")));
    }
    Ok(Parameters {
        digest_size: digest_size as usize,
        key,
        salt,
        person,
        fanout,
        depth,
        leaf_size,
        node_offset,
        node_depth,
        inner_size: inner_size as usize,
        last_node,
    })
}

macro_rules! state {
    ($params:expr, $parameters:ident) => {
        $params
            .hash_length($parameters.digest_size)
            .key(&$parameters.key)
            .salt(&$parameters.salt)
            .personal(&$parameters.person)
            .fanout($parameters.fanout)
            .max_depth($parameters.depth)
            .max_leaf_length($parameters.leaf_size)
            .node_offset($parameters.node_offset)
            .node_depth($parameters.node_depth)
            .inner_hash_length($parameters.inner_size)
            .last_node($parameters.last_node)
            .to_state()
    };
}

fn new_blake2b(vm: &Vm, _: &Value, args: &[Value], kwnames: Option<&Value>) -> Result {
    let args = BLAKE2B_SIGNATURE.bind(vm, args, kwnames)?;
    let data = initial_data(vm, &args[0], &args[13])?;
    let parameters = parameters(vm, &args, &B)?;
    let hash = Hash::Blake2b(state!(blake2b_simd::Params::new(), parameters));
    finish(vm, &BLAKE2B, &hashing::BLAKE2B, hash, parameters.digest_size, data)
}

fn new_blake2s(vm: &Vm, _: &Value, args: &[Value], kwnames: Option<&Value>) -> Result {
    let args = BLAKE2S_SIGNATURE.bind(vm, args, kwnames)?;
    let data = initial_data(vm, &args[0], &args[13])?;
    let parameters = parameters(vm, &args, &S)?;
    let hash = Hash::Blake2s(state!(blake2s_simd::Params::new(), parameters));
    finish(vm, &BLAKE2S, &hashing::BLAKE2S, hash, parameters.digest_size, data)
}

fn finish(
    vm: &Vm,
    spec: &'static TypeSpec,
    algorithm: &'static Algorithm,
    mut hash: Hash,
    digest_size: usize,
    data: Option<&Value>,
) -> Result {
    if let Some(data) = data {
        update_unlocked(&mut hash, &hashable(vm, data)?);
    }
    Ok(HashObject::make(spec, algorithm, digest_size, hash))
}
