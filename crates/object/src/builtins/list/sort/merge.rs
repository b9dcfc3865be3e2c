//! A stable merge sort for comparisons that may fail or contradict themselves.
//!
//! Natural runs, extended by binary insertion to a minimal length, are merged in the order of powersort (Munro and Wild,
//! 2018), with galloping as in Peters' timsort. Whatever the comparisons answer, the outcome is a permutation.

use crate::object::Result;

/// Consecutive wins of one side after which a merge gallops.
const MIN_GALLOP: usize = 7;

/// A sorted stretch, with the power of the boundary to the run before it.
#[derive(Clone, Copy)]
struct Run {
    start: usize,
    length: usize,
    power: u32,
}

/// Sorts `items`; on an error their order is unspecified, and some may occur twice.
pub fn sort<T: Copy>(items: &mut [T], mut less: impl FnMut(T, T) -> Result<bool>) -> Result<()> {
    let total = items.len();
    let minimum = minimal_run(total);
    let mut runs: Vec<Run> = Vec::new();
    let mut scratch: Vec<T> = Vec::new();
    let mut start = 0;
    while start < total {
        let mut length = natural_run(&mut items[start..], &mut less)?;
        if length < minimum {
            let forced = minimum.min(total - start);
            binary_insertion(&mut items[start..start + forced], length, &mut less)?;
            length = forced;
        }
        let mut next = Run { start, length, power: 0 };
        if let Some(last) = runs.last() {
            next.power = boundary_power(last.start, last.length, length, total);
        }
        while runs.len() > 1 && runs[runs.len() - 1].power > next.power {
            merge_last_two(items, &mut runs, &mut scratch, &mut less)?;
        }
        runs.push(next);
        start += length;
    }
    while runs.len() > 1 {
        merge_last_two(items, &mut runs, &mut scratch, &mut less)?;
    }
    Ok(())
}

/// Between 32 and 64, so that `total` divided by it is close to a power of two.
fn minimal_run(mut total: usize) -> usize {
    let mut odd = 0;
    while total >= 64 {
        odd |= total & 1;
        total >>= 1;
    }
    total + odd
}

/// The length of the run at the start; one that strictly descends is reversed.
fn natural_run<T: Copy>(items: &mut [T], less: &mut impl FnMut(T, T) -> Result<bool>) -> Result<usize> {
    if items.len() < 2 {
        return Ok(items.len());
    }
    let mut end = 2;
    if less(items[1], items[0])? {
        while end < items.len() && less(items[end], items[end - 1])? {
            end += 1;
        }
        items[..end].reverse();
    } else {
        while end < items.len() && !less(items[end], items[end - 1])? {
            end += 1;
        }
    }
    Ok(end)
}

/// Sorts items of which the first `sorted` already are.
fn binary_insertion<T: Copy>(
    items: &mut [T],
    sorted: usize,
    less: &mut impl FnMut(T, T) -> Result<bool>,
) -> Result<()> {
    for at in sorted..items.len() {
        let item = items[at];
        let (mut low, mut high) = (0, at);
        while low < high {
            let middle = low + (high - low) / 2;
            if less(item, items[middle])? { high = middle } else { low = middle + 1 }
        }
        items.copy_within(low..at, low + 1);
        items[low] = item;
    }
    Ok(())
}

/// The depth, in the tree of nearly optimal merges, of the boundary between the run at `start` and the one behind it:
/// the first bit in which the middles of the two, as fractions of `total`, differ.
fn boundary_power(start: usize, length: usize, next_length: usize, total: usize) -> u32 {
    let mut left = 2 * start + length;
    let mut right = left + length + next_length;
    let mut power = 0;
    loop {
        power += 1;
        if left >= total {
            left -= total;
            right -= total;
        } else if right >= total {
            return power;
        }
        left <<= 1;
        right <<= 1;
    }
}

fn merge_last_two<T: Copy>(
    items: &mut [T],
    runs: &mut Vec<Run>,
    scratch: &mut Vec<T>,
    less: &mut impl FnMut(T, T) -> Result<bool>,
) -> Result<()> {
    let (Some(right), Some(left)) = (runs.pop(), runs.last_mut()) else { return Ok(()) };
    let start = left.start;
    let middle = left.length;
    left.length += right.length;
    let stretch = &mut items[start..start + middle + right.length];
    // What is in place already at either end need not be merged.
    let skip = gallop_right(stretch[middle], &stretch[..middle], less)?;
    if skip == middle {
        return Ok(());
    }
    let last = stretch[middle - 1];
    let keep = gallop_left_from_end(last, &stretch[middle..], less)?;
    if keep == 0 {
        return Ok(());
    }
    let stretch = &mut stretch[skip..middle + keep];
    let middle = middle - skip;
    if middle <= keep { merge_low(stretch, middle, scratch, less) } else { merge_high(stretch, middle, scratch, less) }
}

/// How many of the sorted `items` are not greater than `key`, searched from the front.
fn gallop_right<T: Copy>(key: T, items: &[T], less: &mut impl FnMut(T, T) -> Result<bool>) -> Result<usize> {
    let (mut low, mut step) = (0, 1);
    while low + step <= items.len() && !less(key, items[low + step - 1])? {
        low += step;
        step *= 2;
    }
    let mut high = (low + step - 1).min(items.len());
    while low < high {
        let middle = low + (high - low) / 2;
        if less(key, items[middle])? { high = middle } else { low = middle + 1 }
    }
    Ok(low)
}

/// How many of the sorted `items` are less than `key`, searched from the front.
fn gallop_left<T: Copy>(key: T, items: &[T], less: &mut impl FnMut(T, T) -> Result<bool>) -> Result<usize> {
    let (mut low, mut step) = (0, 1);
    while low + step <= items.len() && less(items[low + step - 1], key)? {
        low += step;
        step *= 2;
    }
    let mut high = (low + step - 1).min(items.len());
    while low < high {
        let middle = low + (high - low) / 2;
        if less(items[middle], key)? { low = middle + 1 } else { high = middle }
    }
    Ok(low)
}

/// As [`gallop_left`], searched from the end.
fn gallop_left_from_end<T: Copy>(key: T, items: &[T], less: &mut impl FnMut(T, T) -> Result<bool>) -> Result<usize> {
    let (mut high, mut step) = (items.len(), 1);
    while high >= step && !less(items[high - step], key)? {
        high -= step;
        step *= 2;
    }
    let mut low = (high + 1).saturating_sub(step);
    while low < high {
        let middle = low + (high - low) / 2;
        if less(items[middle], key)? { low = middle + 1 } else { high = middle }
    }
    Ok(low)
}

/// As [`gallop_right`], searched from the end.
fn gallop_right_from_end<T: Copy>(key: T, items: &[T], less: &mut impl FnMut(T, T) -> Result<bool>) -> Result<usize> {
    let (mut high, mut step) = (items.len(), 1);
    while high >= step && less(key, items[high - step])? {
        high -= step;
        step *= 2;
    }
    let mut low = (high + 1).saturating_sub(step);
    while low < high {
        let middle = low + (high - low) / 2;
        if less(key, items[middle])? { high = middle } else { low = middle + 1 }
    }
    Ok(low)
}

/// Merges `items[..middle]`, the shorter one, with `items[middle..]`, from the front.
fn merge_low<T: Copy>(
    items: &mut [T],
    middle: usize,
    scratch: &mut Vec<T>,
    less: &mut impl FnMut(T, T) -> Result<bool>,
) -> Result<()> {
    scratch.clear();
    scratch.extend_from_slice(&items[..middle]);
    let left = &scratch[..];
    let (mut l, mut r, mut out) = (0, middle, 0);
    while l < left.len() && r < items.len() {
        let (mut left_wins, mut right_wins) = (0, 0);
        while l < left.len() && r < items.len() && left_wins < MIN_GALLOP && right_wins < MIN_GALLOP {
            if less(items[r], left[l])? {
                items[out] = items[r];
                r += 1;
                (left_wins, right_wins) = (0, right_wins + 1);
            } else {
                items[out] = left[l];
                l += 1;
                (left_wins, right_wins) = (left_wins + 1, 0);
            }
            out += 1;
        }
        while l < left.len() && r < items.len() {
            let count = gallop_right(items[r], &left[l..], less)?;
            items[out..out + count].copy_from_slice(&left[l..l + count]);
            (l, out) = (l + count, out + count);
            if l == left.len() {
                break;
            }
            let moved = gallop_left(left[l], &items[r..], less)?;
            items.copy_within(r..r + moved, out);
            (r, out) = (r + moved, out + moved);
            if count < MIN_GALLOP && moved < MIN_GALLOP {
                break;
            }
        }
    }
    items[out..out + left.len() - l].copy_from_slice(&left[l..]);
    Ok(())
}

/// Merges `items[..middle]` with `items[middle..]`, the shorter one, from the end.
fn merge_high<T: Copy>(
    items: &mut [T],
    middle: usize,
    scratch: &mut Vec<T>,
    less: &mut impl FnMut(T, T) -> Result<bool>,
) -> Result<()> {
    scratch.clear();
    scratch.extend_from_slice(&items[middle..]);
    let right = &scratch[..];
    // What is left of either side ends before `l` and `r`; `out` is the end of the gap.
    let (mut l, mut r, mut out) = (middle, right.len(), items.len());
    while l > 0 && r > 0 {
        let (mut left_wins, mut right_wins) = (0, 0);
        while l > 0 && r > 0 && left_wins < MIN_GALLOP && right_wins < MIN_GALLOP {
            out -= 1;
            if less(right[r - 1], items[l - 1])? {
                l -= 1;
                items[out] = items[l];
                (left_wins, right_wins) = (left_wins + 1, 0);
            } else {
                r -= 1;
                items[out] = right[r];
                (left_wins, right_wins) = (0, right_wins + 1);
            }
        }
        while l > 0 && r > 0 {
            let keep = gallop_right_from_end(right[r - 1], &items[..l], less)?;
            let moved = l - keep;
            items.copy_within(keep..l, out - moved);
            (l, out) = (keep, out - moved);
            if l == 0 {
                break;
            }
            let keep = gallop_left_from_end(items[l - 1], &right[..r], less)?;
            let count = r - keep;
            items[out - count..out].copy_from_slice(&right[keep..r]);
            (r, out) = (keep, out - count);
            if count < MIN_GALLOP && moved < MIN_GALLOP {
                break;
            }
        }
    }
    items[out - r..out].copy_from_slice(&right[..r]);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::sort;
    use crate::object::Result;

    /// A small linear congruential generator.
    fn numbers(count: usize, modulus: u64, seed: u64) -> Vec<u64> {
        let mut state = seed;
        let mut next = || {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (state >> 33) % modulus
        };
        (0..count).map(|_| next()).collect()
    }

    fn check(keys: Vec<u64>) {
        let mut items: Vec<(u64, usize)> = keys.iter().copied().zip(0..).collect();
        let mut expected = items.clone();
        expected.sort();
        let sorted: Result<()> = sort(&mut items, |a, b| Ok(a.0 < b.0));
        assert!(sorted.is_ok());
        assert_eq!(items, expected);
    }

    #[test]
    fn stable_for_all_shapes() {
        for count in [0, 1, 2, 3, 31, 32, 33, 63, 64, 65, 100, 500, 1000, 5000] {
            for modulus in [1, 2, 10, 100, u64::MAX] {
                check(numbers(count, modulus, count as u64));
            }
            check((0..count as u64).collect());
            check((0..count as u64).rev().collect());
            check((0..count as u64).map(|n| n % 17).collect());
            check((0..count as u64).map(|n| if n % 50 == 0 { 0 } else { n }).collect());
            check((0..count as u64).map(|n| if n < 40 { n + 500 } else { n }).collect());
        }
    }

    #[test]
    fn a_permutation_whatever_the_comparison_says() {
        for seed in 0..50 {
            let answers = numbers(100_000, 2, seed);
            let mut answer = answers.iter().cycle();
            let mut items: Vec<usize> = (0..777).collect();
            let sorted: Result<()> = sort(&mut items, |_, _| Ok(answer.next() == Some(&1)));
            assert!(sorted.is_ok());
            items.sort();
            assert!(items.into_iter().eq(0..777));
        }
    }
}
