//! `_stat`: the bits of file modes.

use taipan_object::builtins::int;
use taipan_object::native::MethodDef;
use taipan_object::native::module::ModuleDef;
use taipan_object::{Result, Value, Vm};

pub static MODULE: ModuleDef = ModuleDef {
    name: "_stat",
    doc: "The bits of st_mode and functions that test them.",
    functions: FUNCTIONS,
    exec: |_, module| {
        libc_constants!(module; S_IFDIR S_IFCHR S_IFBLK S_IFREG S_IFIFO S_IFLNK S_IFSOCK);
        int_constants!(module; S_IFDOOR = 0, S_IFPORT = 0, S_IFWHT = 0);
        libc_constants!(module; S_ISUID S_ISGID S_ISVTX);
        int_constants!(module; S_ENFMT = libc::S_ISGID, S_IREAD = libc::S_IRUSR, S_IWRITE = libc::S_IWUSR, S_IEXEC = libc::S_IXUSR);
        libc_constants!(module;
            S_IRWXU S_IRUSR S_IWUSR S_IXUSR S_IRWXG S_IRGRP S_IWGRP S_IXGRP S_IRWXO S_IROTH S_IWOTH S_IXOTH);
        int_constants!(module;
            UF_SETTABLE = 0xffff, UF_NODUMP = 1, UF_IMMUTABLE = 2, UF_APPEND = 4, UF_OPAQUE = 8, UF_NOUNLINK = 0x10,
            UF_COMPRESSED = 0x20, UF_TRACKED = 0x40, UF_DATAVAULT = 0x80, UF_HIDDEN = 0x8000,
            SF_SETTABLE = 0xffff_0000u32, SF_ARCHIVED = 0x1_0000, SF_IMMUTABLE = 0x2_0000, SF_APPEND = 0x4_0000,
            SF_NOUNLINK = 0x10_0000, SF_SNAPSHOT = 0x20_0000, SF_FIRMLINK = 0x80_0000, SF_DATALESS = 0x4000_0000,
            ST_MODE = 0, ST_INO = 1, ST_DEV = 2, ST_NLINK = 3, ST_UID = 4, ST_GID = 5, ST_SIZE = 6, ST_ATIME = 7,
            ST_MTIME = 8, ST_CTIME = 9);
        Ok(())
    },
};

/// An argument for a `mode_t`.
fn mode(vm: &Vm, value: &Value) -> Result<u32> {
    let index = vm.index(value)?;
    if int::is_negative(&index) {
        return Err(vm.overflow_error("can't convert negative value to unsigned int"));
    }
    let fits = int::to_ibig(&index).and_then(|n| u64::try_from(n).ok());
    match fits.map(u32::try_from) {
        Some(Ok(mode)) => Ok(mode),
        Some(Err(_)) => Err(vm.overflow_error("mode out of range")),
        None => Err(vm.overflow_error("Python int too large to convert to C unsigned long")),
    }
}

macro_rules! file_type_test {
    ($declaration:literal, $what:literal, $kind:expr) => {
        MethodDef::new($declaration, concat!("Return True if mode is from ", $what, "."), |vm, _, args| {
            let mode = mode(vm, &args[0])?;
            Ok(Value::bool($kind != 0 && mode & libc::S_IFMT == $kind))
        })
    };
}

taipan_object::method_table! {
    static FUNCTIONS = [
        file_type_test!("S_ISDIR($self, object, /)", "a directory", libc::S_IFDIR),
        file_type_test!("S_ISCHR($self, object, /)", "a character special device file", libc::S_IFCHR),
        file_type_test!("S_ISBLK($self, object, /)", "a block special device file", libc::S_IFBLK),
        file_type_test!("S_ISREG($self, object, /)", "a regular file", libc::S_IFREG),
        file_type_test!("S_ISFIFO($self, object, /)", "a FIFO (named pipe)", libc::S_IFIFO),
        file_type_test!("S_ISLNK($self, object, /)", "a symbolic link", libc::S_IFLNK),
        file_type_test!("S_ISSOCK($self, object, /)", "a socket", libc::S_IFSOCK),
        file_type_test!("S_ISDOOR($self, object, /)", "a door", 0),
        file_type_test!("S_ISPORT($self, object, /)", "an event port", 0),
        file_type_test!("S_ISWHT($self, object, /)", "a whiteout", 0),
        MethodDef::new("S_IMODE($self, object, /)", "The bits of the mode that chmod() can set.", |vm, _, args| {
            Ok(Value::from(mode(vm, &args[0])? & 0o7777))
        }),
        MethodDef::new("S_IFMT($self, object, /)", "The bits of the mode that give the file type.", |vm, _, args| {
            Ok(Value::from(mode(vm, &args[0])? & libc::S_IFMT))
        }),
        MethodDef::new("filemode($self, object, /)", "A mode as ls shows it, e.g. '-rwxr-xr-x'.", |vm, _, args| {
            Ok(Value::from(filemode(mode(vm, &args[0])?)))
        }),
    ];
}

fn filemode(mode: u32) -> String {
    let mut text = String::with_capacity(10);
    text.push(match mode & libc::S_IFMT {
        libc::S_IFREG => '-',
        libc::S_IFDIR => 'd',
        libc::S_IFLNK => 'l',
        libc::S_IFBLK => 'b',
        libc::S_IFCHR => 'c',
        libc::S_IFIFO => 'p',
        libc::S_IFSOCK => 's',
        _ => '?',
    });
    for (shift, special, letter) in [(6, libc::S_ISUID, 's'), (3, libc::S_ISGID, 's'), (0, libc::S_ISVTX, 't')] {
        let bits = mode >> shift;
        text.push(if bits & 4 != 0 { 'r' } else { '-' });
        text.push(if bits & 2 != 0 { 'w' } else { '-' });
        text.push(match (mode & special != 0, bits & 1 != 0) {
            (true, true) => letter,
            (true, false) => letter.to_ascii_uppercase(),
            (false, true) => 'x',
            (false, false) => '-',
        });
    }
    text
}
