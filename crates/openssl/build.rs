//! Links OpenSSL: statically, from the source in `openssl-src`, without the parts that Python has no use for.
//!
//! That takes minutes, and `perl` and `make`. A development build uses the system's library instead, if that is there and
//! new enough, and so does any build where those two are missing; where nothing helps there is no `_ssl`.
//! `TAIPAN_OPENSSL=bundled`, `=system` or `=none` decides it for any build.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs, thread};

/// What `Configure` is told. Protocols, ciphers and formats that nothing of TLS or of the module `ssl` needs are left out.
const CONFIGURATION: &[&str] = &[
    // Where most systems have their certificates (`certs/`, `cert.pem`).
    "--openssldir=/etc/ssl",
    "--libdir=lib",
    "no-shared",
    "no-module",
    "no-apps",
    "no-docs",
    "no-tests",
    "no-legacy",
    "no-engine",
    "no-async",
    "no-comp",
    "no-ssl3",
    "no-weak-ssl-ciphers",
    "no-dtls",
    "no-sctp",
    "no-srtp",
    "no-srp",
    "no-quic",
    "no-ct",
    "no-cms",
    "no-cmp",
    "no-ts",
    "no-rfc3779",
    "no-gost",
    "no-ec2m",
    "no-slh-dsa",
    "no-lms",
    "no-aria",
    "no-bf",
    "no-blake2",
    "no-camellia",
    "no-cast",
    "no-idea",
    "no-md4",
    "no-mdc2",
    "no-ocb",
    "no-rc2",
    "no-rc4",
    "no-rmd160",
    "no-scrypt",
    "no-seed",
    "no-siphash",
    "no-siv",
    "no-sm2",
    "no-sm3",
    "no-sm4",
    "no-whirlpool",
];

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=TAIPAN_OPENSSL");
    let choice = env::var("TAIPAN_OPENSSL").ok();
    match choice.as_deref() {
        Some("system") => {
            find_system().unwrap_or_else(|error| panic!("{error}"));
        }
        Some("bundled") => bundled(),
        Some("none") => absent("TAIPAN_OPENSSL asks for it"),
        Some(other) => panic!("TAIPAN_OPENSSL is `bundled`, `system` or `none`, not `{other}`"),
        None => {
            let development = env::var("PROFILE").as_deref() == Ok("debug");
            let buildable = ["perl", "make"].into_iter().all(is_there);
            if (development || !buildable) && find_system().is_ok() {
                return;
            }
            if buildable {
                bundled();
            } else {
                absent("perl or make is missing, and the system has no OpenSSL for development");
            }
        }
    }
}

fn find_system() -> Result<pkg_config::Library, pkg_config::Error> {
    pkg_config::Config::new().atleast_version("3.0.0").probe("openssl")
}

fn is_there(program: &str) -> bool {
    Command::new(program).arg("--version").output().is_ok_and(|output| output.status.success())
}

/// Tells the crate that would use OpenSSL that there is none.
fn absent(why: &str) {
    println!("cargo::metadata=absent=1");
    println!("cargo::warning=taipan is built without _ssl: {why}");
}

fn bundled() {
    let out_dir = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    let (build, install) = (out_dir.join("build"), out_dir.join("install"));
    let libraries = install.join("lib");
    if !libraries.join("libssl.a").exists() {
        let _ = fs::remove_dir_all(&build);
        copy(&openssl_src::source_dir(), &build);
        let mut prefix = OsString::from("--prefix=");
        prefix.push(&install);
        let target = env::var("TARGET").expect("cargo sets TARGET");
        run(&build, Command::new("perl").arg("./Configure").arg(prefix).args(CONFIGURATION).args(platform(&target)));
        let jobs =
            env::var("NUM_JOBS").unwrap_or_else(|_| thread::available_parallelism().map_or(1, usize::from).to_string());
        // Not cargo's jobserver: its tokens are taken by the crates that compile meanwhile.
        run(&build, Command::new("make").arg(format!("-j{jobs}")).arg("build_libs").env_remove("MAKEFLAGS"));
        run(&build, Command::new("make").arg("install_dev").env_remove("MAKEFLAGS"));
        let _ = fs::remove_dir_all(&build);
    }
    println!("cargo::rustc-link-search=native={}", libraries.display());
    println!("cargo::rustc-link-lib=static=ssl");
    println!("cargo::rustc-link-lib=static=crypto");
}

/// OpenSSL's name of the platform.
fn platform(target: &str) -> &'static [&'static str] {
    match target {
        "x86_64-unknown-linux-gnu" => &["linux-x86_64"],
        "x86_64-unknown-linux-musl" => &["linux-x86_64", "no-secure-memory"],
        "aarch64-unknown-linux-gnu" | "aarch64-unknown-linux-musl" => &["linux-aarch64"],
        "x86_64-apple-darwin" => &["darwin64-x86_64-cc"],
        "aarch64-apple-darwin" => &["darwin64-arm64-cc"],
        // `Configure` finds out.
        _ => &[],
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap_or_else(|error| panic!("{}: {error}", to.display()));
    for entry in fs::read_dir(from).unwrap_or_else(|error| panic!("{}: {error}", from.display())) {
        let entry = entry.expect("a directory entry");
        let target = to.join(entry.file_name());
        if entry.file_type().expect("a file type").is_dir() {
            copy(&entry.path(), &target);
        } else {
            let _ = fs::remove_file(&target);
            fs::copy(entry.path(), &target).unwrap_or_else(|error| panic!("{}: {error}", target.display()));
        }
    }
}

/// Runs a step of the build; its output is shown only if it fails.
fn run(dir: &Path, command: &mut Command) {
    let shown = format!("{command:?}");
    let output = command.current_dir(dir).output().unwrap_or_else(|error| panic!("{shown}: {error}"));
    if !output.status.success() {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        panic!("{shown} failed\n{}\n{}", text(&output.stdout), text(&output.stderr));
    }
}
