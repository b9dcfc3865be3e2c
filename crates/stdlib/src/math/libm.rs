//! The functions of the C library's `math.h`.

macro_rules! functions {
    ($($name:ident($($argument:ident: $ty:ty),*);)*) => {
        mod c {
            unsafe extern "C" {
                $( pub safe fn $name($($argument: $ty),*) -> f64; )*
            }
        }
        $(
            #[inline(always)]
            pub fn $name($($argument: $ty),*) -> f64 {
                c::$name($($argument),*)
            }
        )*
    };
}

functions! {
    acos(x: f64);
    acosh(x: f64);
    asin(x: f64);
    asinh(x: f64);
    atan(x: f64);
    atan2(y: f64, x: f64);
    atanh(x: f64);
    cbrt(x: f64);
    cos(x: f64);
    cosh(x: f64);
    erf(x: f64);
    erfc(x: f64);
    exp(x: f64);
    exp2(x: f64);
    expm1(x: f64);
    fma(x: f64, y: f64, z: f64);
    fmod(x: f64, y: f64);
    hypot(x: f64, y: f64);
    ldexp(x: f64, exponent: i32);
    log(x: f64);
    log10(x: f64);
    log1p(x: f64);
    log2(x: f64);
    pow(x: f64, y: f64);
    remainder(x: f64, y: f64);
    sin(x: f64);
    sinh(x: f64);
    tan(x: f64);
    tanh(x: f64);
}

/// A mantissa in 0.5 … 1 and an exponent; `(x, 0)` for zero and what is not finite.
pub fn frexp(x: f64) -> (f64, i32) {
    if x == 0.0 || !x.is_finite() {
        return (x, 0);
    }
    let (scaled, shift) = if x.abs() < f64::MIN_POSITIVE { (x * (1u64 << 54) as f64, -54) } else { (x, 0) };
    let bits = scaled.to_bits();
    let exponent = (bits >> 52 & 0x7FF) as i32 - 1022;
    (f64::from_bits(bits & !(0x7FF << 52) | 1022 << 52), exponent + shift)
}
