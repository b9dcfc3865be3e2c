//! MT19937: a state of 624 words, of which a number is made of each in turn, after which all are renewed.

/// Words of the state.
pub const LENGTH: usize = 624;
const MIDDLE: usize = 397;
const MATRIX: u32 = 0x9908_b0df;
const UPPER: u32 = 0x8000_0000;
const LOWER: u32 = 0x7fff_ffff;

#[derive(Clone)]
pub struct Twister {
    words: [u32; LENGTH],
    index: usize,
}

impl Twister {
    pub fn new(seed: u32) -> Twister {
        let mut twister = Twister { words: [0; LENGTH], index: LENGTH };
        twister.seed(seed);
        twister
    }

    fn seed(&mut self, seed: u32) {
        self.words[0] = seed;
        for at in 1..LENGTH {
            let previous = self.words[at - 1];
            self.words[at] = 1_812_433_253u32.wrapping_mul(previous ^ previous >> 30).wrapping_add(at as u32);
        }
        self.index = LENGTH;
    }

    /// Seeds with a key of any length but 0.
    pub fn seed_by_words(&mut self, key: &[u32]) {
        self.seed(19_650_218);
        let words = &mut self.words;
        let (mut at, mut place) = (1, 0);
        for _ in 0..LENGTH.max(key.len()) {
            let mixed = (words[at - 1] ^ words[at - 1] >> 30).wrapping_mul(1_664_525);
            words[at] = (words[at] ^ mixed).wrapping_add(key[place]).wrapping_add(place as u32);
            at += 1;
            place += 1;
            if at >= LENGTH {
                words[0] = words[LENGTH - 1];
                at = 1;
            }
            if place >= key.len() {
                place = 0;
            }
        }
        for _ in 1..LENGTH {
            let mixed = (words[at - 1] ^ words[at - 1] >> 30).wrapping_mul(1_566_083_941);
            words[at] = (words[at] ^ mixed).wrapping_sub(at as u32);
            at += 1;
            if at >= LENGTH {
                words[0] = words[LENGTH - 1];
                at = 1;
            }
        }
        words[0] = UPPER;
    }

    #[cold]
    fn renew(&mut self) {
        let words = &mut self.words;
        let twist = |high: u32, low: u32, far: u32| {
            let joined = high & UPPER | low & LOWER;
            far ^ joined >> 1 ^ if joined & 1 == 1 { MATRIX } else { 0 }
        };
        for at in 0..LENGTH - MIDDLE {
            words[at] = twist(words[at], words[at + 1], words[at + MIDDLE]);
        }
        for at in LENGTH - MIDDLE..LENGTH - 1 {
            words[at] = twist(words[at], words[at + 1], words[at + MIDDLE - LENGTH]);
        }
        words[LENGTH - 1] = twist(words[LENGTH - 1], words[0], words[MIDDLE - 1]);
        self.index = 0;
    }

    /// 32 random bits.
    #[inline]
    pub fn next_word(&mut self) -> u32 {
        if self.index >= LENGTH {
            self.renew();
        }
        let mut word = self.words[self.index];
        self.index += 1;
        word ^= word >> 11;
        word ^= word << 7 & 0x9d2c_5680;
        word ^= word << 15 & 0xefc6_0000;
        word ^ word >> 18
    }

    /// A multiple of 2^-53 from 0 up to but not including 1.
    #[inline]
    pub fn next_double(&mut self) -> f64 {
        let (high, low) = (self.next_word() >> 5, self.next_word() >> 6);
        (f64::from(high) * 67_108_864.0 + f64::from(low)) / 9_007_199_254_740_992.0
    }

    pub fn state(&self) -> (Vec<u32>, usize) {
        (self.words.to_vec(), self.index)
    }

    pub fn set_state(&mut self, words: &[u32; LENGTH], index: usize) {
        self.words = *words;
        self.index = index;
    }
}
