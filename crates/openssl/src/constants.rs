//! Numbers of OpenSSL's headers.

use std::os::raw::{c_int, c_uint, c_ulong};

pub const OPENSSL_VERSION: c_int = 0;
pub const OPENSSL_INIT_LOAD_SSL_STRINGS: u64 = 0x0020_0000;
pub const OPENSSL_INIT_LOAD_CRYPTO_STRINGS: u64 = 0x2;

pub const ERR_SYSTEM_FLAG: c_ulong = 0x8000_0000;
pub const ERR_LIB_SYS: c_int = 2;
pub const ERR_LIB_PEM: c_int = 9;
pub const ERR_LIB_X509: c_int = 11;
pub const ERR_LIB_ASN1: c_int = 13;
pub const ERR_LIB_SSL: c_int = 20;
pub const ASN1_R_HEADER_TOO_LONG: c_int = 123;
pub const PEM_R_NO_START_LINE: c_int = 108;
pub const X509_R_CERT_ALREADY_IN_HASH_TABLE: c_int = 101;
pub const X509_R_NO_CERTIFICATE_OR_CRL_FOUND: c_int = 136;
pub const SSL_R_CERTIFICATE_VERIFY_FAILED: c_int = 134;
pub const SSL_R_UNEXPECTED_EOF_WHILE_READING: c_int = 294;

pub const SSL_ERROR_NONE: c_int = 0;
pub const SSL_ERROR_SSL: c_int = 1;
pub const SSL_ERROR_WANT_READ: c_int = 2;
pub const SSL_ERROR_WANT_WRITE: c_int = 3;
pub const SSL_ERROR_WANT_X509_LOOKUP: c_int = 4;
pub const SSL_ERROR_SYSCALL: c_int = 5;
pub const SSL_ERROR_ZERO_RETURN: c_int = 6;
pub const SSL_ERROR_WANT_CONNECT: c_int = 7;

pub const BIO_TYPE_SOURCE_SINK: c_int = 0x400;
pub const BIO_CTRL_EOF: c_int = 2;
pub const BIO_CTRL_FLUSH: c_int = 11;
pub const BIO_CTRL_DUP: c_int = 12;
pub const BIO_C_SET_BUF_MEM_EOF_RETURN: c_int = 130;
pub const BIO_FLAGS_READ: c_int = 1;
pub const BIO_FLAGS_WRITE: c_int = 2;
pub const BIO_FLAGS_RWS: c_int = 7;
pub const BIO_FLAGS_SHOULD_RETRY: c_int = 8;
pub const BIO_FLAGS_IN_EOF: c_int = 0x800;

pub const SSL_FILETYPE_PEM: c_int = 1;
pub const SSL_FILETYPE_ASN1: c_int = 2;

pub const SSL_CTRL_SET_TMP_DH: c_int = 3;
pub const SSL_CTRL_SESS_NUMBER: c_int = 20;
pub const SSL_CTRL_SESS_CONNECT: c_int = 21;
pub const SSL_CTRL_SESS_CONNECT_GOOD: c_int = 22;
pub const SSL_CTRL_SESS_CONNECT_RENEGOTIATE: c_int = 23;
pub const SSL_CTRL_SESS_ACCEPT: c_int = 24;
pub const SSL_CTRL_SESS_ACCEPT_GOOD: c_int = 25;
pub const SSL_CTRL_SESS_ACCEPT_RENEGOTIATE: c_int = 26;
pub const SSL_CTRL_SESS_HIT: c_int = 27;
pub const SSL_CTRL_SESS_MISSES: c_int = 29;
pub const SSL_CTRL_SESS_TIMEOUTS: c_int = 30;
pub const SSL_CTRL_SESS_CACHE_FULL: c_int = 31;
pub const SSL_CTRL_MODE: c_int = 33;
pub const SSL_CTRL_SET_TLSEXT_SERVERNAME_CB: c_int = 53;
pub const SSL_CTRL_SET_TLSEXT_SERVERNAME_ARG: c_int = 54;
pub const SSL_CTRL_SET_TLSEXT_HOSTNAME: c_int = 55;
pub const SSL_CTRL_SET_GROUPS: c_int = 91;
pub const SSL_CTRL_SET_MIN_PROTO_VERSION: c_int = 123;
pub const SSL_CTRL_SET_MAX_PROTO_VERSION: c_int = 124;
pub const SSL_CTRL_GET_MIN_PROTO_VERSION: c_int = 130;
pub const SSL_CTRL_GET_MAX_PROTO_VERSION: c_int = 131;

pub const SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER: i64 = 2;
pub const SSL_MODE_AUTO_RETRY: i64 = 4;
pub const SSL_MODE_RELEASE_BUFFERS: i64 = 0x10;

pub const SSL3_VERSION: c_int = 0x300;
pub const TLS1_VERSION: c_int = 0x301;
pub const TLS1_1_VERSION: c_int = 0x302;
pub const TLS1_2_VERSION: c_int = 0x303;
pub const TLS1_3_VERSION: c_int = 0x304;

pub const SSL_VERIFY_NONE: c_int = 0;
pub const SSL_VERIFY_PEER: c_int = 1;
pub const SSL_VERIFY_FAIL_IF_NO_PEER_CERT: c_int = 2;
pub const SSL_VERIFY_POST_HANDSHAKE: c_int = 8;

pub const SSL_OP_LEGACY_SERVER_CONNECT: u64 = 1 << 2;
pub const SSL_OP_ENABLE_KTLS: u64 = 1 << 3;
pub const SSL_OP_TLSEXT_PADDING: u64 = 1 << 4;
pub const SSL_OP_SAFARI_ECDHE_ECDSA_BUG: u64 = 1 << 6;
pub const SSL_OP_IGNORE_UNEXPECTED_EOF: u64 = 1 << 7;
pub const SSL_OP_DONT_INSERT_EMPTY_FRAGMENTS: u64 = 1 << 11;
pub const SSL_OP_NO_TICKET: u64 = 1 << 14;
pub const SSL_OP_NO_COMPRESSION: u64 = 1 << 17;
pub const SSL_OP_ENABLE_MIDDLEBOX_COMPAT: u64 = 1 << 20;
pub const SSL_OP_CIPHER_SERVER_PREFERENCE: u64 = 1 << 22;
pub const SSL_OP_NO_SSLV3: u64 = 1 << 25;
pub const SSL_OP_NO_TLSV1: u64 = 1 << 26;
pub const SSL_OP_NO_TLSV1_2: u64 = 1 << 27;
pub const SSL_OP_NO_TLSV1_1: u64 = 1 << 28;
pub const SSL_OP_NO_TLSV1_3: u64 = 1 << 29;
pub const SSL_OP_NO_RENEGOTIATION: u64 = 1 << 30;
pub const SSL_OP_CRYPTOPRO_TLSEXT_BUG: u64 = 1 << 31;
pub const SSL_OP_ALL: u64 = SSL_OP_CRYPTOPRO_TLSEXT_BUG
    | SSL_OP_DONT_INSERT_EMPTY_FRAGMENTS
    | SSL_OP_TLSEXT_PADDING
    | SSL_OP_SAFARI_ECDHE_ECDSA_BUG;

pub const SSL_AD_HANDSHAKE_FAILURE: c_int = 40;
pub const SSL_AD_INTERNAL_ERROR: c_int = 80;
pub const SSL_TLSEXT_ERR_OK: c_int = 0;
pub const SSL_TLSEXT_ERR_ALERT_FATAL: c_int = 2;
pub const SSL_TLSEXT_ERR_NOACK: c_int = 3;
pub const OPENSSL_NPN_NEGOTIATED: c_int = 1;
pub const TLSEXT_NAMETYPE_HOST_NAME: c_int = 0;
pub const SSL_SENT_SHUTDOWN: c_int = 1;
pub const SSL_RECEIVED_SHUTDOWN: c_int = 2;
pub const SSL3_RT_HEADER: c_int = 0x100;
pub const SSL3_RT_INNER_CONTENT_TYPE: c_int = 0x101;
pub const SSL3_RT_CHANGE_CIPHER_SPEC: c_int = 20;
pub const SSL3_RT_ALERT: c_int = 21;
pub const SSL3_RT_HANDSHAKE: c_int = 22;
pub const SSL3_MT_CHANGE_CIPHER_SPEC: c_int = 0x101;

pub const X509_LU_X509: c_int = 1;
pub const X509_LU_CRL: c_int = 2;
pub const X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS: c_uint = 4;
pub const X509_V_FLAG_CRL_CHECK: c_ulong = 4;
pub const X509_V_FLAG_CRL_CHECK_ALL: c_ulong = 8;
pub const X509_V_FLAG_X509_STRICT: c_ulong = 0x20;
pub const X509_V_FLAG_ALLOW_PROXY_CERTS: c_ulong = 0x40;
pub const X509_V_FLAG_TRUSTED_FIRST: c_ulong = 0x8000;
pub const X509_V_FLAG_PARTIAL_CHAIN: c_ulong = 0x80000;
pub const X509_V_ERR_HOSTNAME_MISMATCH: i64 = 62;
pub const X509_V_ERR_IP_ADDRESS_MISMATCH: i64 = 64;
pub const XN_FLAG_RFC2253: c_ulong = 0x0111_0317;

pub const V_ASN1_BIT_STRING: c_int = 3;
pub const GEN_OTHERNAME: c_int = 0;
pub const GEN_EMAIL: c_int = 1;
pub const GEN_DNS: c_int = 2;
pub const GEN_X400: c_int = 3;
pub const GEN_DIRNAME: c_int = 4;
pub const GEN_EDIPARTY: c_int = 5;
pub const GEN_URI: c_int = 6;
pub const GEN_IPADD: c_int = 7;
pub const GEN_RID: c_int = 8;
pub const NID_UNDEF: c_int = 0;
pub const NID_SUBJECT_ALT_NAME: c_int = 85;
pub const NID_CRL_DISTRIBUTION_POINTS: c_int = 103;
pub const NID_INFO_ACCESS: c_int = 177;
pub const NID_AD_OCSP: c_int = 178;
pub const NID_AD_CA_ISSUERS: c_int = 179;
