//! `pbkdf2_hmac` and `scrypt`.

use taipan_object::builtins::bytes::{BYTES, Bytes};
use taipan_object::vm::hooks::blocking;
use taipan_object::{Result, Value, Vm};

use super::by_name;
use crate::arguments::c_long;
use crate::hashing::hmac::pbkdf2;
use crate::hashing::unsigned;

const INT_MAX: i64 = i32::MAX as i64;

pub fn pbkdf2_hmac(vm: &Vm, _: &Value, args: &[Value]) -> Result {
    let name = vm.expect_str(&args[0], |got| format!("pbkdf2_hmac() argument 'hash_name' must be str, not {got}"));
    name?;
    let (password, salt) = (vm.bytes_like(&args[1])?, vm.bytes_like(&args[2])?);
    let iterations = c_long(vm, &args[3])?;
    let algorithm = by_name(vm, &args[0], "pbkdf2_hmac", "hash_name")?;
    if password.len() > INT_MAX as usize {
        return Err(vm.overflow_error("password is too long."));
    }
    if salt.len() > INT_MAX as usize {
        return Err(vm.overflow_error("salt is too long."));
    }
    if iterations < 1 {
        return Err(vm.value_error("iteration value must be greater than 0."));
    }
    if iterations > INT_MAX {
        return Err(vm.overflow_error("iteration value is too great."));
    }
    let length = match args[4].is_none() {
        true => algorithm.digest_size as i64,
        false => c_long(vm, &args[4])?,
    };
    if length < 1 && !args[4].is_none() {
        return Err(vm.value_error("key length must be greater than 0."));
    }
    if length > INT_MAX {
        return Err(vm.overflow_error("key length is too great."));
    }
    if algorithm.digest_size == 0 {
        return Err(vm.value_error("[Provider routines] xof digests not allowed"));
    }
    Bytes::build(vm, BYTES.ty(), length as usize, |key| {
        blocking(|| pbkdf2(algorithm, &password, &salt, iterations as u32, key));
    })
}

/// What may be used when the caller does not say.
const DEFAULT_MAXMEM: u64 = 32 * 1024 * 1024;

pub fn scrypt(vm: &Vm, _: &Value, args: &[Value]) -> Result {
    let (password, salt) = (vm.bytes_like(&args[0])?, vm.bytes_like(&args[1])?);
    let number = |at: usize| unsigned(vm, &args[at], "unsigned long");
    let (n, r, p) = (number(2)?, number(3)?, number(4)?);
    let (maxmem, length) = (c_long(vm, &args[5])?, c_long(vm, &args[6])?);
    if password.len() > INT_MAX as usize {
        return Err(vm.overflow_error("password is too long."));
    }
    if salt.len() > INT_MAX as usize {
        return Err(vm.overflow_error("salt is too long."));
    }
    if n < 2 || !n.is_power_of_two() {
        return Err(vm.value_error("n must be a power of 2."));
    }
    if !(0..=INT_MAX).contains(&maxmem) {
        return Err(vm.value_error("maxmem must be positive and smaller than 2147483647"));
    }
    if !(1..=INT_MAX).contains(&length) {
        return Err(vm.value_error("dklen must be greater than 0 and smaller than 2147483647"));
    }
    let invalid = || vm.value_error("Invalid parameter combination for n, r, p, maxmem.");
    if r == 0 || p == 0 {
        return Err(invalid());
    }
    let (Ok(r), Ok(p)) = (u32::try_from(r), u32::try_from(p)) else {
        return Err(vm.value_error("[digital envelope routines] parameter too large"));
    };
    let maxmem = if maxmem == 0 { DEFAULT_MAXMEM } else { maxmem as u64 };
    let block = 128 * u128::from(r);
    let needed = block * u128::from(p) + block * (u128::from(n) + 2);
    let parallel = u64::from(r) * u64::from(p);
    if needed > u128::from(maxmem) || parallel >= 1 << 30 {
        return Err(vm.value_error("[digital envelope routines] memory limit exceeded"));
    }
    let parameters = scrypt::Params::new(n.trailing_zeros() as u8, r, p).map_err(|_| invalid())?;
    vm.check_room(usize::try_from(needed).unwrap_or(usize::MAX))?;
    let mut outcome = Ok(());
    let key = Bytes::build(vm, BYTES.ty(), length as usize, |key| {
        outcome = blocking(|| scrypt::scrypt(&password, &salt, &parameters, key));
    })?;
    outcome.map_err(|_| invalid())?;
    Ok(key)
}
