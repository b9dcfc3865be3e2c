//! The slot table and method table of `bytes`.

use super::{Bytes, compare, construct, hex, iterator, percent, repr, search, split, subscript, transform, view};
use crate::buffer::{Buffer, buffer_flags};
use crate::builtins::tuple::Tuple;
use crate::native::MethodDef;
use crate::object::Result;
use crate::types::slots::Slots;
use crate::value::Value;
use crate::vm::Vm;

pub fn slots(s: &mut Slots) {
    s.new = Some(construct::new);
    s.repr = Some(|_, this| Ok(repr::repr_value(own(this).as_slice())));
    s.str = Some(|vm, this| {
        repr::warn(vm, "str() on a bytes instance")?;
        Ok(repr::repr_value(own(this).as_slice()))
    });
    s.hash = Some(|_, this| Ok(own(this).hash()));
    s.richcompare = Some(compare::compare);
    s.iter = Some(|_, this| Ok(iterator::iter(this)));
    s.remainder =
        Some(|vm, a, b| if super::is_bytes(a) { percent::format(vm, a, b) } else { Ok(Value::NOT_IMPLEMENTED) });
    s.length = Some(|_, this| Ok(own(this).as_slice().len()));
    s.subscript = Some(subscript::subscript);
    s.contains = Some(search::contains);
    s.concat = Some(transform::concat);
    s.repeat = Some(transform::repeat);
    s.item = Some(subscript::get_index);
    s.buffer = Some(|vm, this, flags| {
        if flags & buffer_flags::WRITABLE != 0 {
            return Err(vm.buffer_error("Object is not writable."));
        }
        let data = own(this).as_slice();
        Ok(Buffer::bytes(this, data.as_ptr().cast_mut(), data.len(), true, None))
    });
}

fn own(this: &Value) -> &Bytes {
    this.downcast::<Bytes>().expect("called on a bytes object")
}

fn getnewargs(vm: &Vm, this: &Value, _: &[Value]) -> Result {
    Ok(Tuple::from_vec(vec![view::unchanged(vm, this)?]).into_value())
}

crate::method_table! { pub static METHODS = [
    MethodDef::new("__getnewargs__($self, /)", "", getnewargs),
    MethodDef::new("__bytes__($self, /)", "\
        Return the same bytes as an object whose type is exactly bytes.", |vm, this, _| view::unchanged(vm, this)),
    MethodDef::new("capitalize($self, /)", "B.capitalize() -> copy of B\n\n\
        The first byte, if an ASCII letter, becomes upper case and all other\n\
        ASCII letters lower case.", transform::capitalize),
    MethodDef::new("center($self, width, fillchar=b' ', /)", "\
        Return a copy with padding on both sides, width bytes long.\n\n\
        A copy of the same length is returned if it is that long already.", transform::center),
    MethodDef::new("count($self, sub[, start[, end]], /)", "Count the occurrences of sub that do not overlap.\n\n  \
        start\n    \
        Where to begin to search; at the first byte by default.\n  \
        end\n    \
        Where to stop; after the last byte by default.", search::count).optional(),
    MethodDef::new("decode($self, /, encoding='utf-8', errors='strict')", "\
        Return the text that the bytes encode.\n\n  \
        encoding\n    \
        The name of the codec.\n  \
        errors\n    \
        What to do about bytes that cannot be decoded: 'strict' raises\n    \
        UnicodeDecodeError, 'ignore' omits them, 'replace' puts U+FFFD in\n    \
        their place.  Names from codecs.register_error() are valid too.", construct::decode).optional(),
    MethodDef::new("endswith($self, suffix[, start[, end]], /)", "Tell whether the bytes end with the suffix.\n\n  \
        suffix\n    \
        Bytes, or a tuple of them of which any may match.\n  \
        start\n    \
        Where the examined part begins; by default at the first byte.\n  \
        end\n    \
        Where it ends; by default after the last byte.", search::endswith).optional(),
    MethodDef::new("expandtabs($self, /, tabsize=8)", "Return a copy in which each tab is replaced by spaces.\n\n\
        Columns that tabs lead to are tabsize apart; newlines start at column 0.", transform::expandtabs),
    MethodDef::new("find($self, sub[, start[, end]], /)", "\
        Return the smallest index in B[start:end] at which sub occurs.\n\n  \
        start\n    \
        Where to begin to search; at the first byte by default.\n  \
        end\n    \
        Where to stop; after the last byte by default.\n\n\
        The result is -1 if there is none.", search::find).optional(),
    MethodDef::new("fromhex($type, string, /)", "Make bytes from a string with two hexadecimal digits per byte.\n\n\
        ASCII whitespace is allowed between bytes.\n\
        Example: bytes.fromhex('0a FF') -> b'\\n\\xff'.", hex::fromhex).class(),
    MethodDef::new("hex($self, /, sep=<unrepresentable>, bytes_per_sep=1)", "\
        Return the bytes as a string of two hexadecimal digits each.\n\n  \
        sep\n    \
        A str or bytes of one ASCII character, to stand between groups.\n  \
        bytes_per_sep\n    \
        The number of bytes in a group.  Groups are counted from the\n    \
        right, or from the left if the number is negative.\n\n\
        Example:\n\
        >>> data = b'\\x01\\x23\\x45'\n\
        >>> data.hex()\n\
        '012345'\n\
        >>> data.hex('-')\n\
        '01-23-45'\n\
        >>> data.hex('-', 2)\n\
        '01-2345'\n\
        >>> data.hex('-', -2)\n\
        '0123-45'", hex::hex),
    MethodDef::new("index($self, sub[, start[, end]], /)", "\
        Return the smallest index in B[start:end] at which sub occurs.\n\n  \
        start\n    \
        Where to begin to search; at the first byte by default.\n  \
        end\n    \
        Where to stop; after the last byte by default.\n\n\
        Raise ValueError if there is none.", search::index).optional(),
    MethodDef::new("isalnum($self, /)", "B.isalnum() -> bool\n\n\
        True if B is not empty and consists of ASCII letters and digits.", transform::isalnum),
    MethodDef::new("isalpha($self, /)", "B.isalpha() -> bool\n\n\
        True if B is not empty and consists of ASCII letters.", transform::isalpha),
    MethodDef::new("isascii($self, /)", "B.isascii() -> bool\n\n\
        True if every byte is less than 128, as in an empty B.", transform::isascii),
    MethodDef::new("isdigit($self, /)", "B.isdigit() -> bool\n\n\
        True if B is not empty and consists of ASCII decimal digits.", transform::isdigit),
    MethodDef::new("islower($self, /)", "B.islower() -> bool\n\n\
        True if B has ASCII lower-case letters and no upper-case ones.", transform::islower),
    MethodDef::new("isspace($self, /)", "B.isspace() -> bool\n\n\
        True if B is not empty and consists of ASCII whitespace.", transform::isspace),
    MethodDef::new("istitle($self, /)", "B.istitle() -> bool\n\n\
        True if B has ASCII letters, each word of them begins with an\n\
        upper-case letter, and all the others are lower case.", transform::istitle),
    MethodDef::new("isupper($self, /)", "B.isupper() -> bool\n\n\
        True if B has ASCII upper-case letters and no lower-case ones.", transform::isupper),
    MethodDef::new("join($self, iterable_of_bytes, /)", "\
        Join bytes-like objects, with these bytes between neighbors.\n\n\
        Return a new bytes object.\n\n\
        Example: b', '.join([b'one', b'two']) -> b'one, two'.", transform::join),
    MethodDef::new("ljust($self, width, fillchar=b' ', /)", "\
        Return a copy with padding on the right, width bytes long.\n\n\
        A copy of the same length is returned if it is that long already.", transform::ljust),
    MethodDef::new("lower($self, /)", "B.lower() -> copy of B\n\n\
        ASCII upper-case letters become lower case; other bytes stay.", transform::lower),
    MethodDef::new("lstrip($self, bytes=None, /)", "\
        Return a copy without the leading bytes that occur in the argument.\n\n\
        The default, None, stands for ASCII whitespace.", split::lstrip).optional(),
    MethodDef::new("maketrans(frm, to, /)", "Return a translation table usable for the bytes or bytearray translate method.\n\nThe returned table will be one where each byte in frm is mapped to\nthe byte at the same position in to.\n\nThe bytes objects frm and to must be of the same length.", transform::maketrans).r#static(),
    MethodDef::new("partition($self, sep, /)", "\
        Split at the first occurrence of sep, into a tuple of three parts.\n\n\
        They are what is before the separator, the separator, and what is after\n\
        it.  If sep does not occur, they are all bytes and twice b''.\n\n\
        Raise ValueError if sep is empty.", split::partition),
    MethodDef::new("replace($self, old, new, count=-1, /)", "\
        Return a copy in which occurrences of old are replaced by new.\n\n  \
        count\n    \
        How many occurrences to replace, counted from the left;\n    \
        -1, the default, replaces all of them.", transform::replace),
    MethodDef::new("removeprefix($self, prefix, /)", "Return a copy without the prefix, if it has that prefix.\n\n\
        The copy is complete otherwise.  At most one prefix is removed, unlike\n\
        with lstrip(), whose argument is a set of bytes.", search::removeprefix),
    MethodDef::new("removesuffix($self, suffix, /)", "Return a copy without the suffix, if it has that suffix.\n\n\
        The copy is complete otherwise.  At most one suffix is removed, unlike\n\
        with rstrip(), whose argument is a set of bytes.", search::removesuffix),
    MethodDef::new("rfind($self, sub[, start[, end]], /)", "\
        Return the greatest index in B[start:end] at which sub occurs.\n\n  \
        start\n    \
        Where the searched part begins; at the first byte by default.\n  \
        end\n    \
        Where it ends; after the last byte by default.\n\n\
        The result is -1 if there is none.", search::rfind).optional(),
    MethodDef::new("rindex($self, sub[, start[, end]], /)", "\
        Return the greatest index in B[start:end] at which sub occurs.\n\n  \
        start\n    \
        Where the searched part begins; at the first byte by default.\n  \
        end\n    \
        Where it ends; after the last byte by default.\n\n\
        Raise ValueError if there is none.", search::rindex).optional(),
    MethodDef::new("rjust($self, width, fillchar=b' ', /)", "\
        Return a copy with padding on the left, width bytes long.\n\n\
        A copy of the same length is returned if it is that long already.", transform::rjust),
    MethodDef::new("rpartition($self, sep, /)", "\
        Split at the last occurrence of sep, into a tuple of three parts.\n\n\
        They are what is before the separator, the separator, and what is after\n\
        it.  If sep does not occur, they are twice b'' and all bytes.\n\n\
        Raise ValueError if sep is empty.", split::rpartition),
    MethodDef::new("rsplit($self, /, sep=None, maxsplit=-1)", "\
        Split into a list of bytes objects, from the right.\n\n  \
        sep\n    \
        The separator; None, the default, splits at runs of ASCII\n    \
        whitespace and gives no empty parts.\n  \
        maxsplit\n    \
        How many splits to make at most; -1, the default, is no limit.\n\n\
        With a limit, the first part is what remains unsplit.", split::rsplit),
    MethodDef::new("rstrip($self, bytes=None, /)", "\
        Return a copy without the trailing bytes that occur in the argument.\n\n\
        The default, None, stands for ASCII whitespace.", split::rstrip).optional(),
    MethodDef::new("split($self, /, sep=None, maxsplit=-1)", "\
        Split into a list of bytes objects, from the left.\n\n  \
        sep\n    \
        The separator; None, the default, splits at runs of ASCII\n    \
        whitespace and gives no empty parts.\n  \
        maxsplit\n    \
        How many splits to make at most; -1, the default, is no limit.\n\n\
        With a limit, the last part is what remains unsplit.", split::split),
    MethodDef::new("splitlines($self, /, keepends=False)", "\
        Return a list of the lines, which end at \\n, \\r or \\r\\n.\n\n\
        The line ends are kept only if keepends is true.", split::splitlines),
    MethodDef::new("startswith($self, prefix[, start[, end]], /)", "\
        Tell whether the bytes begin with the prefix.\n\n  \
        prefix\n    \
        Bytes, or a tuple of them of which any may match.\n  \
        start\n    \
        Where the examined part begins; by default at the first byte.\n  \
        end\n    \
        Where it ends; by default after the last byte.", search::startswith).optional(),
    MethodDef::new("strip($self, bytes=None, /)", "\
        Return a copy without the bytes at both ends that occur in the argument.\n\n\
        The default, None, stands for ASCII whitespace.", split::strip).optional(),
    MethodDef::new("swapcase($self, /)", "B.swapcase() -> copy of B\n\n\
        Each ASCII letter has the other case.", transform::swapcase),
    MethodDef::new("title($self, /)", "B.title() -> copy of B\n\n\
        Each word of ASCII letters begins in upper case and goes on in lower\n\
        case.", transform::title),
    MethodDef::new("translate($self, table, /, delete=b'')", "\
        Return a copy with some bytes removed and the others mapped.\n\n  \
        table\n    \
        256 bytes, of which number i replaces the byte i;\n    \
        None replaces nothing.\n\n\
        Bytes that occur in delete are removed before the mapping.", transform::translate),
    MethodDef::new("upper($self, /)", "B.upper() -> copy of B\n\n\
        ASCII lower-case letters become upper case; other bytes stay.", transform::upper),
    MethodDef::new("zfill($self, width, /)", "Fill a number up with leading zeros until it has the given width.\n\n\
        The zeros are put after a sign; nothing is ever cut off.", transform::zfill),
]; }
