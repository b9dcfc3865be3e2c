//! Setting constants of native modules.

/// Sets module attributes to the C library's constants of the same names.
macro_rules! libc_constants {
    ($module:expr; $($name:ident)*) => {
        $( $module.set(stringify!($name), taipan_object::Value::from(libc::$name as i64)); )*
    };
}

/// Sets module attributes to numbers: `NAME = 1, …`.
macro_rules! int_constants {
    ($module:expr; $($name:ident = $value:expr),* $(,)?) => {
        $( $module.set(stringify!($name), taipan_object::Value::from($value as i64)); )*
    };
}
