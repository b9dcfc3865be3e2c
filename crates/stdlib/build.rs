//! Leaves `_ssl` out where `taipan-openssl` found no OpenSSL.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-check-cfg=cfg(without_ssl)");
    if std::env::var_os("DEP_TAIPAN_OPENSSL_ABSENT").is_some() {
        println!("cargo::rustc-cfg=without_ssl");
    }
}
