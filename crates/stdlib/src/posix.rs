//! `posix`: what `os` is made of. One file per subject in `posix/`.

use taipan_object::Value;
use taipan_object::builtins::list::List;
use taipan_object::exceptions::OS_ERROR;
use taipan_object::native::MethodDef;
use taipan_object::native::module::ModuleDef;

mod configuration;
mod device;
mod directory;
mod environ;
mod events;
mod files;
pub mod ids;
pub mod library;
mod normpath;
mod path;
pub mod process;
mod scandir;
mod sched;
mod spawn;
mod stat;
mod terminal;
mod utime;
mod xattr;

pub use environ::random;
pub use files::set_inheritable;
pub use path::{Accepts, Path};
pub use process::fork_process;
pub use stat::fstat;

pub static MODULE: ModuleDef = ModuleDef {
    name: "posix",
    doc: "The functions of the operating system. Programs import os instead.",
    functions: &[],
    exec: |vm, module| {
        static TABLES: &[&[MethodDef]] = &[
            stat::FUNCTIONS,
            directory::FUNCTIONS,
            files::FUNCTIONS,
            device::FUNCTIONS,
            normpath::FUNCTIONS,
            process::FUNCTIONS,
            spawn::FUNCTIONS,
            ids::FUNCTIONS,
            sched::FUNCTIONS,
            terminal::FUNCTIONS,
            environ::FUNCTIONS,
            configuration::FUNCTIONS,
            events::FUNCTIONS,
            xattr::FUNCTIONS,
        ];
        for table in TABLES {
            module.add_functions(table);
        }
        module.set("environ", environ::environment(vm)?.into_value());
        module.set("error", OS_ERROR.value());
        let have = HAVE_FUNCTIONS.iter().map(|name| Value::from(*name)).collect();
        module.set("_have_functions", List::from_vec(have).into_value());
        configuration::set_names(module);
        module.add_type(&scandir::DIR_ENTRY);
        for (name, declaration) in [
            ("stat_result", &stat::STAT_RESULT),
            ("statvfs_result", &stat::STATVFS_RESULT),
            ("terminal_size", &terminal::TERMINAL_SIZE),
            ("times_result", &process::TIMES_RESULT),
            ("uname_result", &process::UNAME_RESULT),
            ("waitid_result", &process::WAITID_RESULT),
        ] {
            module.set(name, declaration.ty(vm)?.to_value());
        }
        module.set("sched_param", sched::sched_param_type(vm)?.to_value());
        set_constants(module);
        Ok(())
    },
};

/// By these names `os` knows which functions take descriptors and `dir_fd`.
static HAVE_FUNCTIONS: &[&str] = &[
    "HAVE_EVENTFD",
    "HAVE_TIMERFD_CREATE",
    "HAVE_FACCESSAT",
    "HAVE_FCHDIR",
    "HAVE_FCHMOD",
    "HAVE_FCHMODAT",
    "HAVE_FCHOWN",
    "HAVE_FCHOWNAT",
    "HAVE_FEXECVE",
    "HAVE_FDOPENDIR",
    "HAVE_FPATHCONF",
    "HAVE_FSTATAT",
    "HAVE_FSTATVFS",
    "HAVE_FTRUNCATE",
    "HAVE_FUTIMENS",
    "HAVE_FUTIMES",
    "HAVE_FUTIMESAT",
    "HAVE_LINKAT",
    "HAVE_LCHOWN",
    "HAVE_LSTAT",
    "HAVE_LUTIMES",
    "HAVE_MEMFD_CREATE",
    "HAVE_MKDIRAT",
    "HAVE_MKFIFOAT",
    "HAVE_MKNODAT",
    "HAVE_OPENAT",
    "HAVE_READLINKAT",
    "HAVE_RENAMEAT",
    "HAVE_SYMLINKAT",
    "HAVE_UNLINKAT",
    "HAVE_UTIMENSAT",
    "HAVE_PTSNAME_R",
];

fn set_constants(module: &taipan_object::native::module::Module) {
    libc_constants!(module;
        F_OK R_OK W_OK X_OK
        O_RDONLY O_WRONLY O_RDWR O_ACCMODE O_APPEND O_ASYNC O_CLOEXEC O_CREAT O_DIRECT O_DIRECTORY O_DSYNC O_EXCL
        O_FSYNC O_LARGEFILE O_NDELAY O_NOATIME O_NOCTTY O_NOFOLLOW O_NONBLOCK O_PATH O_RSYNC O_SYNC O_TMPFILE O_TRUNC
        SEEK_DATA SEEK_HOLE F_LOCK F_TEST F_TLOCK F_ULOCK
        WCONTINUED WEXITED WNOHANG WNOWAIT WSTOPPED WUNTRACED
        P_ALL P_PGID P_PID P_PIDFD PRIO_PGRP PRIO_PROCESS PRIO_USER
        CLD_CONTINUED CLD_DUMPED CLD_EXITED CLD_KILLED CLD_STOPPED CLD_TRAPPED
        CLONE_FILES CLONE_FS CLONE_NEWCGROUP CLONE_NEWIPC CLONE_NEWNET CLONE_NEWNS CLONE_NEWPID CLONE_NEWUSER
        CLONE_NEWUTS CLONE_SIGHAND CLONE_SYSVSEM CLONE_THREAD CLONE_VM
        EFD_CLOEXEC EFD_NONBLOCK EFD_SEMAPHORE TFD_CLOEXEC TFD_NONBLOCK TFD_TIMER_ABSTIME TFD_TIMER_CANCEL_ON_SET
        GRND_NONBLOCK GRND_RANDOM MFD_ALLOW_SEALING MFD_CLOEXEC MFD_HUGETLB
        POSIX_FADV_DONTNEED POSIX_FADV_NOREUSE POSIX_FADV_NORMAL POSIX_FADV_RANDOM POSIX_FADV_SEQUENTIAL
        POSIX_FADV_WILLNEED
        RTLD_DEEPBIND RTLD_GLOBAL RTLD_LAZY RTLD_LOCAL RTLD_NODELETE RTLD_NOLOAD RTLD_NOW
        RWF_APPEND RWF_DSYNC RWF_HIPRI RWF_NOWAIT RWF_SYNC
        SCHED_BATCH SCHED_DEADLINE SCHED_FIFO SCHED_IDLE SCHED_OTHER SCHED_RR SCHED_RESET_ON_FORK
        SPLICE_F_MORE SPLICE_F_MOVE SPLICE_F_NONBLOCK
        ST_APPEND ST_MANDLOCK ST_NOATIME ST_NODEV ST_NODIRATIME ST_NOEXEC ST_NOSUID ST_RDONLY ST_RELATIME
        ST_SYNCHRONOUS ST_WRITE XATTR_CREATE XATTR_REPLACE PIDFD_NONBLOCK
    );
    int_constants!(module;
        EX_OK = 0, EX_USAGE = 64, EX_DATAERR = 65, EX_NOINPUT = 66, EX_NOUSER = 67, EX_NOHOST = 68,
        EX_UNAVAILABLE = 69, EX_SOFTWARE = 70, EX_OSERR = 71, EX_OSFILE = 72, EX_CANTCREAT = 73, EX_IOERR = 74,
        EX_TEMPFAIL = 75, EX_PROTOCOL = 76, EX_NOPERM = 77, EX_CONFIG = 78,
        CLONE_NEWTIME = 0x80, SCHED_NORMAL = 0, NGROUPS_MAX = 65536, TMP_MAX = 238_328, XATTR_SIZE_MAX = 65536,
        MFD_HUGE_SHIFT = 26, MFD_HUGE_MASK = 63, MFD_HUGE_64KB = 16i64 << 26, MFD_HUGE_512KB = 19i64 << 26,
        MFD_HUGE_1MB = 20i64 << 26, MFD_HUGE_2MB = 21i64 << 26, MFD_HUGE_8MB = 23i64 << 26,
        MFD_HUGE_16MB = 24i64 << 26, MFD_HUGE_32MB = 25i64 << 26, MFD_HUGE_256MB = 28i64 << 26,
        MFD_HUGE_512MB = 29i64 << 26, MFD_HUGE_1GB = 30i64 << 26, MFD_HUGE_2GB = 31i64 << 26,
        MFD_HUGE_16GB = 34i64 << 26,
        POSIX_SPAWN_OPEN = 0, POSIX_SPAWN_CLOSE = 1, POSIX_SPAWN_DUP2 = 2, POSIX_SPAWN_CLOSEFROM = 3,
    );
}
