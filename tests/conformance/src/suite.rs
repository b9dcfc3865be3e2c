//! Where CPython's tests come from: Debian's packages of them, from a Debian root beside this machine's or from the
//! archive. They stay in the target directory, out of the repository.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::options::Options;

/// The package whose version is the suite's, and the one that has the package `test` itself, with `test.support`.
const PACKAGES: [&str; 2] = ["libpython3.14-testsuite", "libpython3.14-stdlib"];
/// A root of Debian sid with the package, if the machine has one.
const DEBIAN_ROOT: &str = "/opt/sid";
const TESTS: &str = "usr/lib/python3.14/test";

/// Directories whose parts are run as files of their own, as CPython's runner does.
const SPLIT: &[&str] = &[
    "test_asyncio",
    "test_concurrent_futures",
    "test_doctests",
    "test_free_threading",
    "test_future_stmt",
    "test_gdb",
    "test_inspect",
    "test_multiprocessing_fork",
    "test_multiprocessing_forkserver",
    "test_multiprocessing_spawn",
    "test_pydoc",
];

pub struct Suite {
    /// The directory that has the package `test` in it.
    pub library: PathBuf,
    /// The version of the Debian package.
    pub version: String,
}

impl Suite {
    pub fn locate(options: &Options) -> Result<Suite, String> {
        if let Some(library) = &options.suite {
            return Ok(Suite { library: library.clone(), version: "unknown".to_owned() });
        }
        if let Some(root) = &options.chroot {
            let library = root.join(TESTS).parent().expect("the path has a parent").to_owned();
            return Ok(Suite { library, version: installed_version(root)? });
        }
        let home = options.target.join("cpython-tests");
        let version_file = home.join("version");
        if options.refetch || !version_file.exists() {
            fetch(&home, &version_file)?;
        }
        let version = fs::read_to_string(&version_file).map_err(|error| describe(&version_file, error))?;
        Ok(Suite { library: home.join("lib"), version: version.trim().to_owned() })
    }

    /// The names of all test files, in order.
    pub fn files(&self) -> Result<Vec<String>, String> {
        let mut names = test_names(&self.library.join("test"))?;
        for split in SPLIT {
            if let Some(at) = names.iter().position(|name| name == split) {
                let parts = test_names(&self.library.join("test").join(split))?;
                names.splice(at..=at, parts.into_iter().map(|part| format!("{split}.{part}")));
            }
        }
        Ok(names)
    }

    /// The files that a name on the command line means: itself, or the parts of a directory that is split.
    pub fn find(&self, name: &str) -> Result<Vec<String>, String> {
        let name = name.trim_end_matches(".py").trim_start_matches("test.");
        if SPLIT.contains(&name) {
            let all = self.files()?;
            return Ok(all.into_iter().filter(|file| file.split('.').next() == Some(name)).collect());
        }
        let path = self.library.join("test").join(name.replace('.', "/"));
        if path.is_dir() || path.with_extension("py").is_file() {
            return Ok(vec![name.to_owned()]);
        }
        Err(format!("there is no test file {name}"))
    }
}

fn test_names(dir: &Path) -> Result<Vec<String>, String> {
    let mut names = Vec::new();
    for entry in fs::read_dir(dir).map_err(|error| describe(dir, error))? {
        let path = entry.map_err(|error| describe(dir, error))?.path();
        let file_name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let name = match file_name.strip_suffix(".py") {
            Some(name) => name,
            None if path.join("__init__.py").is_file() => &file_name,
            None => continue,
        };
        if name.starts_with("test_") {
            names.push(name.to_owned());
        }
    }
    names.sort();
    Ok(names)
}

/// Brings the tests to `home`/lib/test.
fn fetch(home: &Path, version_file: &Path) -> Result<(), String> {
    let library = home.join("lib");
    let _ = fs::remove_dir_all(home);
    fs::create_dir_all(&library).map_err(|error| describe(&library, error))?;
    let root = Path::new(DEBIAN_ROOT);
    let version = if root.join(TESTS).is_dir() {
        copy_tree(&root.join(TESTS), &library.join("test"), false)?;
        installed_version(root)?
    } else {
        download(home)?
    };
    fs::write(version_file, version).map_err(|error| describe(version_file, error))
}

/// Downloads the packages with apt, from the archive that this machine is set up for, but its sid distribution; apt's own
/// configuration and lists are left alone.
fn download(home: &Path) -> Result<String, String> {
    eprintln!("fetching {}", PACKAGES.join(", "));
    let apt = home.join("apt");
    for dir in ["lists/partial", "archives/partial"] {
        let dir = apt.join(dir);
        fs::create_dir_all(&dir).map_err(|error| describe(&dir, error))?;
    }
    let sources = apt.join("sources.list");
    let line = format!("deb {} sid main\n", debian_archive()?);
    fs::write(&sources, line).map_err(|error| describe(&sources, error))?;
    let settings = [
        format!("Dir::Etc::sourcelist={}", sources.display()),
        "Dir::Etc::sourceparts=-".to_owned(),
        format!("Dir::State::lists={}", apt.join("lists").display()),
        format!("Dir::Cache={}", apt.display()),
        "APT::Sandbox::User=root".to_owned(),
        "Acquire::Languages=none".to_owned(),
    ];
    let apt_get = |arguments: &[&str]| {
        let mut command = Command::new("apt-get");
        for setting in &settings {
            command.args(["-o", setting]);
        }
        run(command.arg("-q").args(arguments).current_dir(&apt))
    };
    apt_get(&["update"])?;
    let unpacked = home.join("unpacked");
    for package in PACKAGES {
        apt_get(&["download", package])?;
    }
    let mut version = String::new();
    for entry in fs::read_dir(&apt).map_err(|error| describe(&apt, error))? {
        let path = entry.map_err(|error| describe(&apt, error))?.path();
        if path.extension().is_some_and(|extension| extension == "deb") {
            run(Command::new("dpkg-deb").arg("-x").arg(&path).arg(&unpacked))?;
            version = run(Command::new("dpkg-deb").arg("-f").arg(&path).arg("Version"))?;
        }
    }
    let (from, to) = (unpacked.join(TESTS), home.join("lib/test"));
    fs::rename(&from, &to).map_err(|error| describe(&from, error))?;
    let _ = fs::remove_dir_all(&apt);
    let _ = fs::remove_dir_all(&unpacked);
    Ok(version.trim().to_owned())
}

/// The address of the Debian archive in apt's configuration.
fn debian_archive() -> Result<String, String> {
    let dump = run(Command::new("apt-get").args(["indextargets", "--format", "$(SITE)"]))?;
    let mut sites: Vec<_> = dump.lines().filter(|site| site.trim_end_matches('/').ends_with("/debian")).collect();
    sites.sort();
    let site = sites.first().ok_or("apt is set up for no Debian archive; --suite says where the tests lie")?;
    Ok((*site).to_owned())
}

/// The version of the package that is installed in a Debian root.
fn installed_version(root: &Path) -> Result<String, String> {
    let status = root.join("var/lib/dpkg/status");
    let text = fs::read_to_string(&status).map_err(|error| describe(&status, error))?;
    let mut stanzas = text.split("\n\n");
    let stanza = stanzas.find(|stanza| stanza.lines().any(|line| line == format!("Package: {}", PACKAGES[0])));
    let version = stanza.and_then(|stanza| stanza.lines().find_map(|line| line.strip_prefix("Version: ")));
    version.map(str::to_owned).ok_or_else(|| format!("{} is not installed in {}", PACKAGES[0], root.display()))
}

/// Copies a directory with what is in it; with `link`, as further names of the same files where that can be.
pub fn copy_tree(from: &Path, to: &Path, link: bool) -> Result<(), String> {
    fs::create_dir_all(to).map_err(|error| describe(to, error))?;
    for entry in fs::read_dir(from).map_err(|error| describe(from, error))? {
        let path = entry.map_err(|error| describe(from, error))?.path();
        let name = path.file_name().expect("an entry has a name");
        if name == "__pycache__" {
            continue;
        }
        if path.is_dir() {
            copy_tree(&path, &to.join(name), link)?;
        } else if !link || fs::hard_link(&path, to.join(name)).is_err() {
            fs::copy(&path, to.join(name)).map_err(|error| describe(&path, error))?;
        }
    }
    Ok(())
}

/// Runs a command to its end and returns what it prints.
fn run(command: &mut Command) -> Result<String, String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.output().map_err(|error| format!("{name}: {error}"))?;
    if !output.status.success() {
        return Err(format!("{name}: {}\n{}", output.status, String::from_utf8_lossy(&output.stderr)));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn describe(path: &Path, error: std::io::Error) -> String {
    format!("{}: {error}", path.display())
}
