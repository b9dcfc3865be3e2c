//! "Did you mean …": the closest of several names, by the edit distance that CPython uses.

const MAX_CANDIDATES: usize = 750;
const MAX_LENGTH: usize = 40;
const MOVE: usize = 2;
const CASE: usize = 1;

fn substitution(a: u8, b: u8) -> usize {
    if a & 31 != b & 31 {
        return MOVE;
    }
    if a == b {
        return 0;
    }
    if a.eq_ignore_ascii_case(&b) { CASE } else { MOVE }
}

/// The cost of changing `a` into `b`, or something above `limit`.
pub fn distance(a: &str, b: &str, limit: usize) -> usize {
    if a == b {
        return 0;
    }
    let (mut a, mut b) = (a.as_bytes(), b.as_bytes());
    let prefix = a.iter().zip(b).take_while(|(x, y)| x == y).count();
    (a, b) = (&a[prefix..], &b[prefix..]);
    let suffix = a.iter().rev().zip(b.iter().rev()).take_while(|(x, y)| x == y).count();
    (a, b) = (&a[..a.len() - suffix], &b[..b.len() - suffix]);
    if a.is_empty() || b.is_empty() {
        return (a.len() + b.len()) * MOVE;
    }
    if a.len() > MAX_LENGTH || b.len() > MAX_LENGTH {
        return limit + 1;
    }
    if b.len() < a.len() {
        std::mem::swap(&mut a, &mut b);
    }
    if (b.len() - a.len()) * MOVE > limit {
        return limit + 1;
    }
    let mut row: Vec<usize> = (1..=a.len()).map(|i| i * MOVE).collect();
    let mut result = 0;
    for (at, &code) in b.iter().enumerate() {
        let mut diagonal = at * MOVE;
        result = diagonal;
        let mut lowest = usize::MAX;
        for (i, cell) in row.iter_mut().enumerate() {
            let substituted = diagonal + substitution(code, a[i]);
            diagonal = *cell;
            let moved = result.min(diagonal) + MOVE;
            result = substituted.min(moved);
            *cell = result;
            lowest = lowest.min(result);
        }
        if lowest > limit {
            return limit + 1;
        }
    }
    result
}

/// The candidate closest to `name`, if one is close.
pub fn closest(name: &str, candidates: impl ExactSizeIterator<Item = String>) -> Option<String> {
    if candidates.len() >= MAX_CANDIDATES {
        return None;
    }
    let mut best: Option<(usize, String)> = None;
    for candidate in candidates {
        if candidate == name {
            continue;
        }
        let mut limit = (name.len() + candidate.len() + 3) * MOVE / 6;
        if let Some((distance, _)) = &best {
            limit = limit.min(distance - 1);
        }
        let found = distance(name, &candidate, limit);
        if found <= limit && best.as_ref().is_none_or(|(distance, _)| found < *distance) {
            if found == 0 {
                return Some(candidate);
            }
            best = Some((found, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closest_names() {
        let among =
            |name, names: &[&str]| closest(name, names.iter().map(|n| n.to_string()).collect::<Vec<_>>().into_iter());
        assert_eq!(among("bet", &["alpha", "beta"]), Some("beta".into()));
        assert_eq!(among("x", &["a", "b"]), None);
        assert_eq!(among("Fluch", &["fluch", "flush"]), Some("fluch".into()));
    }
}
