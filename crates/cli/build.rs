//! Symbols of shared libraries are looked up when they are first used: a start needs few of the hundreds.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    if std::env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("linux") {
        println!("cargo::rustc-link-arg-bins=-Wl,-z,lazy");
    }
}
