//! Coefficients: natural numbers of any number of digits. Those below 10^38 are two machine words.

use super::limbs;
use super::wide::{self, POW10};
use std::cmp::Ordering;
use std::ops::Deref;

/// A natural number. `Large` never holds what fits `Small`.
#[derive(Clone, Debug)]
pub enum Coefficient {
    /// Low and high half of a number below 10^38.
    Small(u64, u64),
    /// Limbs, at least three.
    Large(Box<[u64]>),
}

/// There is no memory for so many digits.
#[derive(Debug)]
pub struct NoRoom;

/// How what a rounding drops compares to half a unit of what stays; `None` if nothing is dropped.
pub type Lost = Option<Ordering>;

/// Checks that a number of so many digits, and what computing it takes, can be stored.
pub fn check_room(digits: i64) -> Result<(), NoRoom> {
    if digits < 1 << 20 {
        return Ok(());
    }
    let mut room: Vec<u64> = Vec::new();
    let limbs = usize::try_from(digits / limbs::LIMB_DIGITS as i64).map_err(|_| NoRoom)?;
    room.try_reserve_exact(limbs.checked_mul(3).ok_or(NoRoom)?).map_err(|_| NoRoom)
}

/// The limbs of a coefficient, borrowed or on the stack.
pub enum Limbs<'a> {
    Short([u64; 2], usize),
    Long(&'a [u64]),
}

impl Deref for Limbs<'_> {
    type Target = [u64];
    fn deref(&self) -> &[u64] {
        match self {
            Limbs::Short(limbs, length) => &limbs[..*length],
            Limbs::Long(limbs) => limbs,
        }
    }
}

impl Coefficient {
    pub const ZERO: Coefficient = Coefficient::Small(0, 0);
    pub const ONE: Coefficient = Coefficient::Small(1, 0);

    #[inline]
    pub fn new(n: u128) -> Coefficient {
        if n < POW10[38] {
            Coefficient::Small(n as u64, (n >> 64) as u64)
        } else {
            Coefficient::Large(limbs::from_u128(n).into_boxed_slice())
        }
    }

    /// From limbs without leading zeros.
    pub fn from_limbs(n: Vec<u64>) -> Coefficient {
        match limbs::to_u128(&n) {
            Some(small) => Coefficient::new(small),
            None => Coefficient::Large(n.into_boxed_slice()),
        }
    }

    /// The value if it is small.
    #[inline(always)]
    pub fn small(&self) -> Option<u128> {
        match self {
            Coefficient::Small(low, high) => Some(u128::from(*high) << 64 | u128::from(*low)),
            Coefficient::Large(_) => None,
        }
    }

    pub fn limbs(&self) -> Limbs<'_> {
        match self {
            Coefficient::Small(low, 0) if *low < limbs::BASE => Limbs::Short([*low, 0], usize::from(*low != 0)),
            Coefficient::Small(low, high) => {
                let (high, low) = limbs::split(*high, *low);
                Limbs::Short([low, high], 2)
            }
            Coefficient::Large(limbs) => Limbs::Long(limbs),
        }
    }

    #[inline(always)]
    pub fn is_zero(&self) -> bool {
        matches!(self, Coefficient::Small(0, 0))
    }

    /// Decimal digits; 1 for zero.
    #[inline]
    pub fn digits(&self) -> i64 {
        match self.small() {
            Some(n) => i64::from(wide::digits(n)),
            None => limbs::digits(&self.limbs()) as i64,
        }
    }

    pub fn last_digit(&self) -> u8 {
        match self {
            Coefficient::Small(..) => (self.small().unwrap_or(0) % 10) as u8,
            Coefficient::Large(limbs) => (limbs[0] % 10) as u8,
        }
    }

    /// Times `10^places`.
    pub fn shift_left(&self, places: i64) -> Result<Coefficient, NoRoom> {
        if places == 0 || self.is_zero() {
            return Ok(self.clone());
        }
        let digits = self.digits();
        if let Some(n) = self.small()
            && digits.saturating_add(places) <= 38
        {
            return Ok(Coefficient::new(n * POW10[places as usize]));
        }
        check_room(digits.saturating_add(places))?;
        Ok(Coefficient::from_limbs(limbs::shift_left(&self.limbs(), places as usize)))
    }

    /// Divided by `10^places`, and what is lost.
    pub fn shift_right(&self, places: i64) -> (Coefficient, Lost) {
        if places == 0 {
            return (self.clone(), None);
        }
        match self.small() {
            Some(n) => {
                let (n, lost) = shift_right_small(n, places);
                (Coefficient::new(n), lost)
            }
            None => {
                let places = usize::try_from(places).unwrap_or(usize::MAX);
                let (n, lost) = limbs::shift_right(&self.limbs(), places);
                (Coefficient::from_limbs(n), lost)
            }
        }
    }

    /// The lowest `places` digits.
    pub fn low_digits(&self, places: i64) -> Coefficient {
        match self.small() {
            Some(n) if places >= 38 => Coefficient::new(n),
            Some(n) => Coefficient::new(n % POW10[places.max(0) as usize]),
            None => Coefficient::from_limbs(limbs::low_digits(&self.limbs(), places.max(0) as usize)),
        }
    }

    /// Zeros at the end; 0 for zero.
    pub fn trailing_zeros(&self) -> i64 {
        match self.small() {
            Some(0) => 0,
            Some(mut n) => {
                let mut zeros = 0;
                while n % 10 == 0 {
                    n /= 10;
                    zeros += 1;
                }
                zeros
            }
            None => limbs::trailing_zeros(&self.limbs()) as i64,
        }
    }

    pub fn incremented(self) -> Coefficient {
        match self.small() {
            Some(n) => Coefficient::new(n + 1),
            None => {
                let mut n = self.limbs().to_vec();
                limbs::increment(&mut n);
                Coefficient::from_limbs(n)
            }
        }
    }

    /// `10^digits − 1`
    pub fn nines(digits: i64) -> Result<Coefficient, NoRoom> {
        if digits <= 38 {
            return Ok(Coefficient::new(POW10[digits.max(0) as usize] - 1));
        }
        check_room(digits)?;
        Ok(Coefficient::from_limbs(limbs::nines(digits as usize)))
    }

    pub fn add(&self, other: &Coefficient) -> Coefficient {
        match (self.small(), other.small()) {
            (Some(a), Some(b)) => Coefficient::new(a + b),
            _ => Coefficient::from_limbs(limbs::add(&self.limbs(), &other.limbs())),
        }
    }

    /// `self − other`, which is not negative.
    pub fn subtract(&self, other: &Coefficient) -> Coefficient {
        match (self.small(), other.small()) {
            (Some(a), Some(b)) => Coefficient::new(a - b),
            _ => Coefficient::from_limbs(limbs::subtract(&self.limbs(), &other.limbs())),
        }
    }

    pub fn multiply(&self, other: &Coefficient) -> Result<Coefficient, NoRoom> {
        if let (Some(a), Some(b)) = (self.small(), other.small())
            && let (0, product) = wide::multiply(a, b)
        {
            return Ok(Coefficient::new(product));
        }
        check_room(self.digits() + other.digits())?;
        Ok(Coefficient::from_limbs(limbs::multiply(&self.limbs(), &other.limbs())))
    }

    /// Quotient and remainder by what is not zero.
    pub fn divide(&self, other: &Coefficient) -> (Coefficient, Coefficient) {
        if let (Some(a), Some(b)) = (self.small(), other.small()) {
            return (Coefficient::new(a / b), Coefficient::new(a % b));
        }
        let (quotient, rest) = limbs::divide(&self.limbs(), &other.limbs());
        (Coefficient::from_limbs(quotient), Coefficient::from_limbs(rest))
    }

    /// The number with ASCII digits.
    pub fn from_ascii(text: &[u8]) -> Coefficient {
        if text.len() <= 38 {
            return Coefficient::new(text.iter().fold(0, |n, digit| n * 10 + u128::from(digit - b'0')));
        }
        Coefficient::from_limbs(limbs::from_ascii(text))
    }

    pub fn push_ascii(&self, text: &mut Vec<u8>) {
        limbs::push_ascii(&self.limbs(), text);
    }
}

/// As [`Coefficient::shift_right`].
#[inline]
pub fn shift_right_small(n: u128, places: i64) -> (u128, Lost) {
    if places > 38 {
        return (0, if n == 0 { None } else { Some(Ordering::Less) });
    }
    let unit = POW10[places as usize];
    let (quotient, rest) = match (u64::try_from(n), u64::try_from(unit)) {
        (Ok(n), Ok(unit)) => (u128::from(n / unit), u128::from(n % unit)),
        _ => {
            let quotient = n / unit;
            (quotient, n - quotient * unit)
        }
    };
    (quotient, if rest == 0 { None } else { Some(rest.cmp(&(unit / 2))) })
}

impl PartialEq for Coefficient {
    fn eq(&self, other: &Coefficient) -> bool {
        self.cmp(other).is_eq()
    }
}
impl Eq for Coefficient {}
impl PartialOrd for Coefficient {
    fn partial_cmp(&self, other: &Coefficient) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Coefficient {
    fn cmp(&self, other: &Coefficient) -> Ordering {
        match (self.small(), other.small()) {
            (Some(a), Some(b)) => a.cmp(&b),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => limbs::compare(&self.limbs(), &other.limbs()),
        }
    }
}
