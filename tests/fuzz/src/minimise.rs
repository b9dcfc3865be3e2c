//! Makes a crashing input smaller, as long as it crashes in the same way.

use std::time::{Duration, Instant};

use crate::options::Options;
use crate::worker::{self, Crash};

const TIME: Duration = Duration::from_secs(40);

pub fn minimise(options: &Options, crash: &Crash) -> Result<(), String> {
    let crashes = |data: &[u8]| -> Result<bool, String> {
        Ok(worker::replay(options, data)?.crash.as_ref() == Some(&crash.kind))
    };
    if !crashes(&crash.input.data)? {
        let before = crash.input.number - crash.batch + 1;
        println!("  alone it does not crash so; with those before it: --seed {} --count {before}", crash.batch);
        return Ok(());
    }
    let end = Instant::now() + TIME;
    let parts: Vec<&[u8]> = match options.target.as_str() {
        "marshal" => crash.input.data.chunks(1).collect(),
        _ => crash.input.data.split_inclusive(|byte| *byte == b'\n').collect(),
    };
    // A code input's first line is the source.
    let head = usize::from(options.target == "code");
    let best = reduce(parts, head, end, &crashes)?;
    let path = options.save("minimal", crash.input.number, &best)?;
    println!("  {} of {} bytes: {}", best.len(), crash.input.data.len(), path.display());
    Ok(())
}

/// Leaves out runs of parts, at first long ones, then shorter ones.
fn reduce(
    parts: Vec<&[u8]>,
    head: usize,
    end: Instant,
    crashes: &dyn Fn(&[u8]) -> Result<bool, String>,
) -> Result<Vec<u8>, String> {
    let mut kept = parts;
    let mut length = (kept.len() / 2).max(1);
    loop {
        let mut at = head;
        while at < kept.len() && Instant::now() < end {
            let rest: Vec<&[u8]> = [&kept[..at], &kept[(at + length).min(kept.len())..]].concat();
            if crashes(&rest.concat())? {
                kept = rest;
            } else {
                at += length;
            }
        }
        if length == 1 || Instant::now() >= end {
            return Ok(kept.concat());
        }
        length /= 2;
    }
}
