//! The names that streams look up on each other, interned once.

use std::sync::OnceLock;
use taipan_object::Value;
use taipan_object::builtins::str::intern;

macro_rules! io_names {
    ($($name:ident)*) => {
        #[allow(non_snake_case)]
        pub struct Names { $( pub $name: Value, )* }
        impl Names {
            fn new() -> Names {
                Names { $( $name: intern(stringify!($name)).into_value(), )* }
            }
        }
    };
}

io_names! {
    __IOBase_closed _blksize _dealloc_warn _finalizing _isatty_open_only close closed decode encode fileno flush getstate isatty mode name peek read read1 readable readall readinto
    readinto1 readline reset seek seekable setstate tell truncate writable write
}

pub fn names() -> &'static Names {
    static NAMES: OnceLock<Names> = OnceLock::new();
    NAMES.get_or_init(Names::new)
}
