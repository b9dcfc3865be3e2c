//! `math.hypot` and `math.dist`: Euclidean norms, within one unit in the last place.
//!
//! The sum of squares is kept in double length: squares by fused multiplication, sums with what rounding lost. The square
//! root is corrected by one step of Newton's iteration.

use super::libm;
use super::sums::Double;
use smallvec::SmallVec;
use taipan_object::builtins::tuple::Tuple;
use taipan_object::native::{MethodDef, arguments};
use taipan_object::{Ref, Result, Value, Vm, method_table};

method_table! { pub static FUNCTIONS = [
    MethodDef::new("dist($module, p, q, /)",
        "Return how far the points p and q are apart.\n\n\
        Each point is a sequence or iterable of its coordinates, as many for\n\
        one as for the other; ValueError is raised otherwise.\n\n\
        Precision is not lost to overflow or underflow of the squares.",
        |vm, _, args| {
            let (p, q) = (coordinates(vm, &args[0])?, coordinates(vm, &args[1])?);
            if p.len() != q.len() {
                return Err(vm.value_error("both points must have the same number of dimensions"));
            }
            let mut differences = Vector::with_capacity(p.len());
            for (a, b) in p.as_slice().iter().zip(q.as_slice()) {
                differences.push((vm.float(a)? - vm.float(b)?).abs());
            }
            Ok(Value::from(norm(&mut differences)))
        }),
    MethodDef::raw("hypot($module, /, *coordinates)",
        "Return the distance of a point from the origin.\n\n\
        The arguments are its coordinates: hypot(3, 4) is 5.0.\n\n\
        Precision is not lost to overflow or underflow of the squares.",
        |vm, _, args, kwnames| {
            arguments::no_keywords(vm, "math.hypot", kwnames)?;
            let mut magnitudes = Vector::with_capacity(args.len());
            for x in args {
                magnitudes.push(vm.float(x)?.abs());
            }
            Ok(Value::from(norm(&mut magnitudes)))
        }),
]; }

type Vector = SmallVec<[f64; 8]>;

fn coordinates(vm: &Vm, point: &Value) -> Result<Ref<Tuple>> {
    match point.downcast_ref::<Tuple>() {
        Some(tuple) => Ok(tuple),
        None => Tuple::try_from_vec(vm, vm.collect(point)?),
    }
}

/// The norm of a vector of magnitudes.
fn norm(vector: &mut [f64]) -> f64 {
    let largest = vector.iter().fold(0.0, |largest, x| if *x > largest { *x } else { largest });
    if largest == f64::INFINITY {
        return largest;
    }
    if vector.iter().any(|x| x.is_nan()) {
        return f64::NAN;
    }
    if largest == 0.0 || vector.len() <= 1 {
        return largest;
    }
    let (_, exponent) = libm::frexp(largest);
    if exponent < -1023 {
        // The scale would overflow.
        vector.iter_mut().for_each(|x| *x /= f64::MIN_POSITIVE);
        return f64::MIN_POSITIVE * norm(vector);
    }
    // A power of two that brings the largest coordinate into 0.5 … 1.
    let scale = libm::ldexp(1.0, -exponent);
    let (mut sum, mut lost_in_squares, mut lost_in_sums) = (1.0, 0.0, 0.0);
    let mut add = |sum: &mut f64, product: Double| {
        let total = Double::fast_sum(*sum, product.high);
        *sum = total.high;
        lost_in_squares += product.low;
        lost_in_sums += total.low;
        lost_in_squares + lost_in_sums
    };
    let mut lost = 0.0;
    for x in vector.iter() {
        let x = x * scale;
        lost = add(&mut sum, Double::product(x, x));
    }
    let root = (sum - 1.0 + lost).sqrt();
    lost = add(&mut sum, Double::product(-root, root));
    let rest = sum - 1.0 + lost;
    (root + rest / (2.0 * root)) / scale
}
