//! Writes the embedded library to a directory: `cargo run -p taipan-pylib --example unpack DIR`.

use std::{env, fs, path::Path};

fn main() -> std::io::Result<()> {
    let target = env::args().nth(1).expect("usage: unpack DIR");
    for entry in taipan_pylib::entries() {
        let path = Path::new(&target).join(entry.path());
        fs::create_dir_all(path.parent().expect("a file has a directory"))?;
        fs::write(path, entry.source())?;
    }
    Ok(())
}
