//! `errno`: the names of the system's error numbers.

use taipan_object::Value;
use taipan_object::builtins::dict::Dict;
use taipan_object::native::module::ModuleDef;

macro_rules! error_numbers {
    ($($name:ident)*) => {
        /// In the order of `errno.errorcode`: of several names for a number the last one stands there.
        static NUMBERS: &[(&str, i32)] = &[$((stringify!($name), libc::$name)),*];
    };
}

error_numbers! {
    ENODEV ENOCSI EHOSTUNREACH ENOMSG EUCLEAN EL2NSYNC EL2HLT ENODATA ENOTBLK ENOSYS EPIPE EINVAL EOVERFLOW
    EADV EINTR EUSERS ENOTEMPTY ENOBUFS EPROTO EREMOTE ENAVAIL ECHILD ELOOP EXDEV E2BIG ESRCH EMSGSIZE
    EAFNOSUPPORT EBADR EHOSTDOWN EPFNOSUPPORT ENOPROTOOPT EBUSY EWOULDBLOCK EBADFD EDOTDOT EISCONN ENOANO
    ESHUTDOWN ECHRNG ELIBBAD ENONET EBADE EBADF EMULTIHOP EIO EUNATCH EPROTOTYPE ENOSPC ENOEXEC EALREADY
    ENETDOWN ENOTNAM EACCES ELNRNG EILSEQ ENOTDIR ENOTUNIQ EPERM EDOM EXFULL ECONNREFUSED EISDIR
    EPROTONOSUPPORT EROFS EADDRNOTAVAIL EIDRM ECOMM ESRMNT EREMOTEIO EL3RST EBADMSG ENFILE ELIBMAX ESPIPE
    ENOLINK ENETRESET ETIMEDOUT ENOENT EEXIST EDQUOT ENOSTR EBADSLT EBADRQC ELIBACC EFAULT EFBIG EDEADLK
    ENOTCONN EDESTADDRREQ ELIBSCN ENOLCK EISNAM ECONNABORTED ENETUNREACH ESTALE ENOSR ENOMEM ENOTSOCK ESTRPIPE
    EMLINK ERANGE ELIBEXEC EL3HLT ECONNRESET EADDRINUSE EOPNOTSUPP EREMCHG EAGAIN ENAMETOOLONG ENOTTY ERESTART
    ESOCKTNOSUPPORT ETIME EBFONT EDEADLOCK ETOOMANYREFS EMFILE ETXTBSY EINPROGRESS ENXIO ENOPKG ENOMEDIUM
    EMEDIUMTYPE ECANCELED ENOKEY EHWPOISON EKEYEXPIRED EKEYREVOKED EKEYREJECTED EOWNERDEAD ENOTRECOVERABLE
    ERFKILL ENOTSUP
}

pub static MODULE: ModuleDef = ModuleDef {
    name: "errno",
    doc: "The error numbers of the operating system by name; errno.errorcode maps them back to names.",
    functions: &[],
    exec: |vm, module| {
        let names = Dict::new();
        module.set("errorcode", names.as_value().clone());
        for (name, number) in NUMBERS {
            let number = Value::from(*number);
            module.set(name, number.clone());
            names.set(vm, &number, Value::from(*name))?;
        }
        Ok(())
    },
};
