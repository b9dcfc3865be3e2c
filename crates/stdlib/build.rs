//! Leaves `_ssl` out where `taipan-openssl` found no OpenSSL, and `_ctypes` where nobody wrote down the calling convention.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-check-cfg=cfg(without_ssl)");
    if std::env::var_os("DEP_TAIPAN_OPENSSL_ABSENT").is_some() {
        println!("cargo::rustc-cfg=without_ssl");
    }
    println!("cargo::rustc-check-cfg=cfg(with_ctypes)");
    let target = |what: &str| std::env::var(format!("CARGO_CFG_TARGET_{what}")).unwrap_or_default();
    if target("ARCH") == "x86_64" && target("OS") == "linux" {
        println!("cargo::rustc-cfg=with_ctypes");
    }
}
