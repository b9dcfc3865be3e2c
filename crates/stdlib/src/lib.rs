//! Native standard-library modules, one file or folder per module.

use taipan_object::native::module::ModuleDef;

#[macro_use]
mod constants;
pub mod arguments;
mod exception_type;
mod payload;

pub mod _abc;
pub mod _asyncio;
pub mod _bisect;
pub mod _blake2;
pub mod _bz2;
pub mod _codecs;
pub mod _collections;
pub mod _contextvars;
pub mod _csv;
#[cfg(with_ctypes)]
pub mod _ctypes;
pub mod _datetime;
pub mod _decimal;
pub mod _elementtree;
pub mod _functools;
pub mod _hashlib;
pub mod _heapq;
pub mod _hmac;
pub mod _io;
pub mod _json;
pub mod _locale;
pub mod _lzma;
pub mod _md5;
pub mod _multibytecodec;
pub mod _multiprocessing;
pub mod _operator;
pub mod _pickle;
pub mod _posixshmem;
pub mod _posixsubprocess;
pub mod _queue;
pub mod _random;
pub mod _remote_debugging;
pub mod _sha1;
pub mod _sha2;
pub mod _sha3;
pub mod _signal;
pub mod _socket;
pub mod _sqlite3;
pub mod _sre;
#[cfg(not(without_ssl))]
pub mod _ssl;
pub mod _stat;
pub mod _statistics;
pub mod _string;
pub mod _struct;
pub mod _suggestions;
pub mod _sysconfig;
pub mod _thread;
pub mod _uuid;
pub mod _weakref;
pub mod _zoneinfo;
pub mod _zstd;
pub mod array;
pub mod atexit;
pub mod binascii;
pub mod cmath;
mod compression;
pub mod errno;
pub mod faulthandler;
pub mod fcntl;
pub mod gc;
pub mod grp;
mod hashing;
pub mod itertools;
pub mod math;
pub mod mmap;
pub mod posix;
pub mod pwd;
pub mod pyexpat;
pub mod readline;
pub mod resource;
pub mod select;
pub mod syslog;
pub mod termios;
pub mod time;
pub mod unicodedata;
pub mod zlib;

/// What the import system looks native modules up in.
#[rustfmt::skip]
pub static MODULES: &[&ModuleDef] = &[
    &_abc::MODULE,
    &_asyncio::MODULE,
    &_bisect::MODULE,
    &_blake2::MODULE,
    &_bz2::MODULE,
    &_codecs::MODULE,
    &_collections::MODULE,
    &_contextvars::MODULE,
    &_csv::MODULE,
    #[cfg(with_ctypes)]
    &_ctypes::MODULE,
    &_datetime::MODULE,
    &_decimal::MODULE,
    &_elementtree::MODULE,
    &_functools::MODULE,
    &_hashlib::MODULE,
    &_heapq::MODULE,
    &_hmac::MODULE,
    &_io::MODULE,
    &_json::MODULE,
    &_locale::MODULE,
    &_lzma::MODULE,
    &_md5::MODULE,
    &_multibytecodec::MODULE,
    &_multibytecodec::CN,
    &_multibytecodec::HK,
    &_multibytecodec::ISO2022,
    &_multibytecodec::JP,
    &_multibytecodec::KR,
    &_multibytecodec::TW,
    &_multiprocessing::MODULE,
    &_operator::MODULE,
    &_pickle::MODULE,
    &_posixshmem::MODULE,
    &_posixsubprocess::MODULE,
    &_queue::MODULE,
    &_random::MODULE,
    &_sha1::MODULE,
    &_sha2::MODULE,
    &_sha3::MODULE,
    &_remote_debugging::MODULE,
    &_signal::MODULE,
    &_socket::MODULE,
    &_sqlite3::MODULE,
    &_sre::MODULE,
    #[cfg(not(without_ssl))]
    &_ssl::MODULE,
    &_stat::MODULE,
    &_statistics::MODULE,
    &_string::MODULE,
    &_struct::MODULE,
    &_suggestions::MODULE,
    &_sysconfig::MODULE,
    &_thread::MODULE,
    &_uuid::MODULE,
    &_weakref::MODULE,
    &_zoneinfo::MODULE,
    &_zstd::MODULE,
    &array::MODULE,
    &atexit::MODULE,
    &binascii::MODULE,
    &cmath::MODULE,
    &errno::MODULE,
    &faulthandler::MODULE,
    &fcntl::MODULE,
    &gc::MODULE,
    &grp::MODULE,
    &itertools::MODULE,
    &math::MODULE,
    &mmap::MODULE,
    &posix::MODULE,
    &pwd::MODULE,
    &pyexpat::MODULE,
    &readline::MODULE,
    &resource::MODULE,
    &select::MODULE,
    &syslog::MODULE,
    &termios::MODULE,
    &time::MODULE,
    &unicodedata::MODULE,
    &zlib::MODULE,
];
