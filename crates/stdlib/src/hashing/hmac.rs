//! HMAC (RFC 2104) over any hash function with digests of fixed length, and PBKDF2 (RFC 8018) over HMAC.

use super::{Algorithm, Hash, MAX_DIGEST};

/// The state of a message authentication code.
#[derive(Clone)]
pub struct Hmac {
    pub algorithm: &'static Algorithm,
    inner: Hash,
    outer: Hash,
}

impl Hmac {
    pub fn new(algorithm: &'static Algorithm, key: &[u8]) -> Hmac {
        let mut block = vec![0; algorithm.block_size];
        if key.len() > algorithm.block_size {
            let mut hash = (algorithm.start)();
            hash.update(key);
            hash.finish(&mut block[..algorithm.digest_size]);
        } else {
            block[..key.len()].copy_from_slice(key);
        }
        let keyed = |pad: u8| {
            let mut hash = (algorithm.start)();
            hash.update(&block.iter().map(|byte| byte ^ pad).collect::<Vec<u8>>());
            hash
        };
        Hmac { algorithm, inner: keyed(0x36), outer: keyed(0x5c) }
    }

    pub fn update(&mut self, message: &[u8]) {
        self.inner.update(message);
    }

    /// Writes the code, which is as long as the hash function's digest.
    pub fn finish(mut self, out: &mut [u8]) {
        let mut digest = [0; MAX_DIGEST];
        let digest = &mut digest[..self.algorithm.digest_size];
        self.inner.finish(digest);
        self.outer.update(digest);
        self.outer.finish(out);
    }

    /// The code of one message.
    pub fn code(self, message: &[u8]) -> Vec<u8> {
        let mut code = vec![0; self.algorithm.digest_size];
        let mut hmac = self;
        hmac.update(message);
        hmac.finish(&mut code);
        code
    }
}

/// Fills `key` with what PBKDF2 derives from a password.
pub fn pbkdf2(algorithm: &'static Algorithm, password: &[u8], salt: &[u8], iterations: u32, key: &mut [u8]) {
    let hmac = Hmac::new(algorithm, password);
    let size = algorithm.digest_size;
    for (index, block) in (1u32..).zip(key.chunks_mut(size)) {
        let (mut last, mut sum) = ([0; MAX_DIGEST], [0; MAX_DIGEST]);
        let mut first = hmac.clone();
        first.update(salt);
        first.update(&index.to_be_bytes());
        first.finish(&mut last[..size]);
        sum[..size].copy_from_slice(&last[..size]);
        for _ in 1..iterations {
            let mut next = hmac.clone();
            next.update(&last[..size]);
            next.finish(&mut last[..size]);
            sum[..size].iter_mut().zip(&last).for_each(|(sum, byte)| *sum ^= byte);
        }
        block.copy_from_slice(&sum[..block.len()]);
    }
}
