//! `os.scandir`: the iterator over a directory and its entries.

use std::ffi::CString;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex};

use taipan_object::builtins::generic_alias::CLASS_GETITEM;
use taipan_object::cell::ObjectCell;
use taipan_object::header::Header;
use taipan_object::heap::Kind;
use taipan_object::native::{MemberDef, MethodDef};
use taipan_object::object::{Payload, Visitor};
use taipan_object::types::{Type, TypeSpec, type_flags};
use taipan_object::vm::hooks::blocking;
use taipan_object::{Ref, Result, Value, Vm};

use super::directory::{Stream, join};
use super::path::Path;
use super::stat::{stat_at, stat_result};

/// An open directory that yields [`DirEntry`]s.
#[repr(C)]
pub struct ScandirIterator {
    header: Header,
    /// What was given to `scandir`.
    argument: Value,
    fd: Option<i32>,
    /// The directory as text, and whether names are bytes.
    directory: Vec<u8>,
    is_bytes: bool,
    stream: ObjectCell<Option<Arc<Mutex<Stream>>>>,
    exhausted: AtomicBool,
}

// SAFETY: repr(C), header first, visits the only value.
unsafe impl Payload for ScandirIterator {
    const KIND: Kind = Kind::Container;
    fn static_type() -> &'static Type {
        SCANDIR_ITERATOR.ty()
    }
    fn traverse(&self, visit: Visitor) {
        visit(&self.argument);
    }
}

pub static SCANDIR_ITERATOR: TypeSpec = TypeSpec::new::<ScandirIterator>("posix.ScandirIterator")
    .flags(type_flags::DISALLOW_INSTANTIATION)
    .slots(|s| {
        s.iter = Some(|_, this| Ok(this.clone()));
        s.iternext = Some(next);
        s.finalize = Some(|vm, this| {
            let iterator = own(this);
            let open = iterator.stream.borrow(&iterator.header).is_some();
            if open && !iterator.exhausted.load(Relaxed) {
                crate::arguments::unclosed_warning(vm, "scandir iterator ", this, "scandir iterator");
            }
            close(iterator);
        });
    })
    .methods(ITERATOR_METHODS);

fn own(this: &Value) -> &ScandirIterator {
    this.downcast::<ScandirIterator>().expect("called through its own slot")
}

fn close(iterator: &ScandirIterator) {
    let stream = iterator.stream.borrow(&iterator.header).take();
    drop(stream);
}

/// `os.scandir(path)`
pub fn scandir(vm: &Vm, path: Path) -> Result {
    let stream = Stream::open(&path).map_err(|errno| path.error(vm, errno))?;
    let iterator = ScandirIterator {
        header: Header::new(SCANDIR_ITERATOR.ty()),
        argument: path.object.clone(),
        fd: path.fd,
        directory: if path.object.is_none() { Vec::new() } else { path.text.as_bytes().to_vec() },
        is_bytes: path.is_bytes,
        stream: ObjectCell::new(Some(Arc::new(Mutex::new(stream)))),
        exhausted: AtomicBool::new(false),
    };
    Ok(Ref::new(iterator).into_value())
}

fn next(vm: &Vm, this: &Value) -> Result<Option<Value>> {
    let iterator = own(this);
    // Several threads may use the iterator: each waits for its turn without the GIL.
    let Some(stream) = iterator.stream.borrow(&iterator.header).clone() else { return Ok(None) };
    let outcome = blocking(|| stream.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).next());
    if !matches!(outcome, Ok(Some(_))) {
        close(iterator);
    }
    let text = |bytes: &[u8]| -> Result {
        if iterator.is_bytes {
            return taipan_object::builtins::bytes::from_slice(vm, bytes);
        }
        Ok(taipan_object::builtins::str::Str::from_fs_bytes(bytes).into_value())
    };
    match outcome {
        Ok(Some(entry)) => {
            let location = if iterator.fd.is_some() {
                entry.name.clone()
            } else if iterator.argument.is_none() {
                join(b".", &entry.name)
            } else {
                join(&iterator.directory, &entry.name)
            };
            let shown = if iterator.argument.is_none() { join(b".", &entry.name) } else { location.clone() };
            let entry = DirEntry {
                header: Header::new(DIR_ENTRY.ty()),
                name: text(&entry.name)?,
                path: text(&shown)?,
                location: CString::new(location).map_err(|_| vm.value_error("embedded null byte"))?,
                directory: iterator.fd.unwrap_or(libc::AT_FDCWD),
                kind: entry.kind,
                inode: entry.inode,
                results: ObjectCell::new([None, None]),
            };
            Ok(Some(Ref::new(entry).into_value()))
        }
        Ok(None) => {
            iterator.exhausted.store(true, Relaxed);
            Ok(None)
        }
        Err(errno) => {
            let named = !iterator.argument.is_none();
            Err(vm.os_error(errno, named.then_some(&iterator.argument), None))
        }
    }
}

taipan_object::method_table! {
    static ITERATOR_METHODS = [
        MethodDef::new("close($self, /)", "Close the directory.", |_, this, _| {
            close(own(this));
            Ok(Value::NONE)
        }),
        MethodDef::new("__enter__($self, /)", "", |_, this, _| Ok(this.clone())),
        MethodDef::raw("__exit__", "", |_, this, _, _| {
            close(own(this));
            Ok(Value::NONE)
        }),
    ];
}

/// An entry of a directory.
#[repr(C)]
pub struct DirEntry {
    header: Header,
    name: Value,
    path: Value,
    location: CString,
    /// The descriptor that the location is relative to.
    directory: i32,
    kind: u8,
    inode: u64,
    /// Results of `lstat` and `stat`.
    results: ObjectCell<[Option<Value>; 2]>,
}

// SAFETY: repr(C), header first, visits every value.
unsafe impl Payload for DirEntry {
    const KIND: Kind = Kind::Container;
    fn static_type() -> &'static Type {
        DIR_ENTRY.ty()
    }
    fn traverse(&self, visit: Visitor) {
        visit(&self.name);
        visit(&self.path);
        // SAFETY: the collector has stopped the world.
        unsafe { &*self.results.as_ptr() }.iter().flatten().for_each(visit);
    }
}

pub static DIR_ENTRY: TypeSpec = TypeSpec::new::<DirEntry>("posix.DirEntry")
    .flags(type_flags::DISALLOW_INSTANTIATION)
    .slots(|s| {
        s.repr = Some(|vm, this| Ok(Value::from(format!("<DirEntry {}>", vm.repr_string(&entry(this).name)?))));
    })
    .members(&[
        MemberDef::new(
            "name",
            "\
            name of the file within its directory, a str or bytes like scandir()'s path",
            |_, this| Ok(entry(this).name.clone()),
        ),
        MemberDef::new("path", "the scandir() path joined with the entry's name", |_, this| {
            Ok(entry(this).path.clone())
        }),
    ])
    .methods(ENTRY_METHODS);

fn entry(this: &Value) -> &DirEntry {
    this.downcast::<DirEntry>().expect("called through its own slot")
}

impl DirEntry {
    fn is_symlink(&self, vm: &Vm) -> Result<bool> {
        match self.kind {
            libc::DT_LNK => Ok(true),
            libc::DT_UNKNOWN => self.has_mode(vm, false, libc::S_IFLNK),
            _ => Ok(false),
        }
    }

    /// The `stat_result`, asked for once.
    fn stat(&self, vm: &Vm, follow_symlinks: bool) -> Result {
        let follow = follow_symlinks && self.is_symlink(vm)?;
        let slot = usize::from(follow);
        if let Some(result) = &self.results.borrow(&self.header)[slot] {
            return Ok(result.clone());
        }
        let result = match stat_at(vm, self.directory, self.location.as_ptr(), follow)? {
            Ok(st) => stat_result(vm, &st)?,
            Err(errno) => return Err(vm.os_error(errno, Some(&self.path), None)),
        };
        let old = self.results.borrow(&self.header)[slot].replace(result.clone());
        drop(old);
        Ok(result)
    }

    /// Whether `stat` says that the file has this type; a file that is gone has none.
    fn has_mode(&self, vm: &Vm, follow_symlinks: bool, mode: u32) -> Result<bool> {
        let st = match self.stat(vm, follow_symlinks) {
            Ok(st) => st,
            Err(raised) => {
                vm.catch(raised, taipan_object::exceptions::FILE_NOT_FOUND_ERROR.ty())?;
                return Ok(false);
            }
        };
        let st_mode = vm.get_attr_str(&st, "st_mode")?;
        Ok(st_mode.as_small_int().is_some_and(|n| n as u32 & libc::S_IFMT == mode))
    }

    fn is_kind(&self, vm: &Vm, follow_symlinks: bool, kind: u8, mode: u32) -> Result<bool> {
        let link = self.kind == libc::DT_LNK;
        if self.kind == libc::DT_UNKNOWN || follow_symlinks && link {
            return self.has_mode(vm, follow_symlinks, mode);
        }
        Ok(self.kind == kind)
    }
}

taipan_object::method_table! {
    static ENTRY_METHODS = [
        MethodDef::new("is_dir($self, /, *, follow_symlinks=True)", "Whether the entry is a directory.", |vm, this, args| {
            Ok(Value::bool(entry(this).is_kind(vm, vm.is_true(&args[0])?, libc::DT_DIR, libc::S_IFDIR)?))
        }),
        MethodDef::new("is_file($self, /, *, follow_symlinks=True)", "Whether the entry is a regular file.", |vm, this, args| {
            Ok(Value::bool(entry(this).is_kind(vm, vm.is_true(&args[0])?, libc::DT_REG, libc::S_IFREG)?))
        }),
        MethodDef::new("is_symlink($self, /)", "Whether the entry is a symbolic link.", |vm, this, _| {
            Ok(Value::bool(entry(this).is_symlink(vm)?))
        }),
        MethodDef::new("is_junction($self, /)", "Whether the entry is a junction (never, on this system).", |_, _, _| Ok(Value::FALSE)),
        MethodDef::new("stat($self, /, *, follow_symlinks=True)", "The stat_result of the entry, asked for once.", |vm, this, args| {
            entry(this).stat(vm, vm.is_true(&args[0])?)
        }),
        MethodDef::new("inode($self, /)", "The inode number of the entry.", |_, this, _| Ok(Value::from(entry(this).inode))),
        MethodDef::new("__fspath__($self, /)", "The path of the entry.", |_, this, _| Ok(entry(this).path.clone())),
        CLASS_GETITEM,
    ];
}
