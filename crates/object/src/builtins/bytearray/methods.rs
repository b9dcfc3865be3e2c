//! The slot table and method table of `bytearray`.

use super::{ByteArray, mutate, reduce};
use crate::buffer::Buffer;
use crate::builtins::bytes::{
    compare, construct, hex, iterator, percent, repr, search, split, subscript, transform, view,
};
use crate::builtins::str::{Str, StrBuilder};
use crate::native::MethodDef;
use crate::object::Result;
use crate::types::slots::{Slots, hash_not_implemented};
use crate::value::Value;
use crate::vm::Vm;

pub fn slots(s: &mut Slots) {
    s.new = Some(mutate::new);
    s.init = Some(mutate::init);
    s.repr = Some(show);
    s.str = Some(|vm, this| {
        repr::warn(vm, "str() on a bytearray instance")?;
        show(vm, this)
    });
    s.hash = Some(hash_not_implemented);
    s.richcompare = Some(compare::compare);
    s.iter = Some(|_, this| Ok(iterator::iter(this)));
    s.remainder =
        Some(
            |vm, a, b| {
                if a.downcast::<ByteArray>().is_some() { percent::format(vm, a, b) } else { Ok(Value::NOT_IMPLEMENTED) }
            },
        );
    s.length = Some(|_, this| Ok(super::own(this).len()));
    s.subscript = Some(subscript::subscript);
    s.ass_subscript = Some(mutate::assign);
    s.contains = Some(search::contains);
    s.concat = Some(transform::concat);
    s.repeat = Some(transform::repeat);
    s.inplace_concat = Some(mutate::inplace_concat);
    s.inplace_repeat = Some(mutate::inplace_repeat);
    s.item = Some(subscript::get_index);
    s.buffer = Some(|_, this, _| {
        let array = super::own(this);
        let mut state = array.state.borrow(&array.header);
        state.exports += 1;
        let data = state.as_mut_slice();
        let (pointer, length) = (data.as_mut_ptr(), data.len());
        drop(state);
        Ok(Buffer::bytes(this, pointer, length, false, Some(release)))
    });
}

fn release(owner: &Value) {
    if let Some(array) = owner.downcast::<ByteArray>() {
        array.state.borrow(&array.header).exports -= 1;
    }
}

fn show(vm: &Vm, this: &Value) -> Result {
    let shown = Str::from_ascii(&repr::repr(&view::own(vm, this)?));
    let mut text = StrBuilder::new();
    text.push_str(&this.ty().short_name());
    text.push_str("(");
    text.push_text(&shown);
    text.push_str(")");
    Ok(text.finish().into_value())
}

crate::method_table! { pub static METHODS = [
    MethodDef::new("__alloc__($self, /)", "B.__alloc__() -> int\n\n\
        Give the size of the allocated buffer in bytes, spare room included.", reduce::alloc),
    MethodDef::new("__reduce__($self, /)", "Give what pickle needs to rebuild the object.", reduce::reduce),
    MethodDef::new("__reduce_ex__($self, proto=0, /)", "\
        Give what pickle needs to rebuild the object.", reduce::reduce_ex),
    MethodDef::new("__sizeof__($self, /)", "\
        Give the number of bytes of memory that the bytearray takes.", reduce::sizeof),
    MethodDef::new("append($self, item, /)", "Add one byte at the end.\n\n  \
        item\n    \
        Its value, from 0 to 255.", mutate::append),
    MethodDef::new("capitalize($self, /)", "B.capitalize() -> copy of B\n\n\
        The first byte, if an ASCII letter, becomes upper case and all other\n\
        ASCII letters lower case.", transform::capitalize),
    MethodDef::new("center($self, width, fillchar=b' ', /)", "\
        Return a copy with padding on both sides, width bytes long.\n\n\
        A copy of the same length is returned if it is that long already.", transform::center),
    MethodDef::new("clear($self, /)", "Make the bytearray empty.", mutate::clear),
    MethodDef::new("copy($self, /)", "Return a copy of B.", mutate::copy),
    MethodDef::new("count($self, sub[, start[, end]], /)", "Count the occurrences of sub that do not overlap.\n\n  \
        start\n    \
        Where to begin to search; at the first byte by default.\n  \
        end\n    \
        Where to stop; after the last byte by default.", search::count),
    MethodDef::new("decode($self, /, encoding='utf-8', errors='strict')", "\
        Return the text that the bytes encode.\n\n  \
        encoding\n    \
        The name of the codec.\n  \
        errors\n    \
        What to do about bytes that cannot be decoded: 'strict' raises\n    \
        UnicodeDecodeError, 'ignore' omits them, 'replace' puts U+FFFD in\n    \
        their place.  Names from codecs.register_error() are valid too.", construct::decode),
    MethodDef::new("endswith($self, suffix[, start[, end]], /)", "\
        Tell whether the bytearray ends with the suffix.\n\n  \
        suffix\n    \
        Bytes, or a tuple of them of which any may match.\n  \
        start\n    \
        Where the examined part begins; by default at the first byte.\n  \
        end\n    \
        Where it ends; by default after the last byte.", search::endswith),
    MethodDef::new("expandtabs($self, /, tabsize=8)", "Return a copy in which each tab is replaced by spaces.\n\n\
        Columns that tabs lead to are tabsize apart; newlines start at column 0.", transform::expandtabs),
    MethodDef::new("extend($self, iterable_of_ints, /)", "Add the bytes of an iterable at the end.\n\n  \
        iterable_of_ints\n    \
        Integers from 0 to 255, or an object that supports buffers.", mutate::extend),
    MethodDef::new("find($self, sub[, start[, end]], /)", "\
        Return the smallest index in B[start:end] at which sub occurs.\n\n  \
        start\n    \
        Where to begin to search; at the first byte by default.\n  \
        end\n    \
        Where to stop; after the last byte by default.\n\n\
        The result is -1 if there is none.", search::find),
    MethodDef::new("fromhex($type, string, /)", "\
        Make a bytearray from a string with two hexadecimal digits per byte.\n\n\
        ASCII whitespace is allowed between bytes.\n\
        Example:\n    \
        bytearray.fromhex('0a FF') -> bytearray(b'\\n\\xff')", hex::fromhex).class(),
    MethodDef::new("hex($self, /, sep=<unrepresentable>, bytes_per_sep=1)", "\
        Return the bytes as a string of two hexadecimal digits each.\n\n  \
        sep\n    \
        A str or bytes of one ASCII character, to stand between groups.\n  \
        bytes_per_sep\n    \
        The number of bytes in a group.  Groups are counted from the\n    \
        right, or from the left if the number is negative.\n\n\
        Example:\n\
        >>> data = bytearray([1, 35, 69])\n\
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
        Raise ValueError if there is none.", search::index),
    MethodDef::new("insert($self, index, item, /)", "Put one byte in front of the byte at an index.\n\n  \
        index\n    \
        The position, which is clipped to the length of the bytearray.\n  \
        item\n    \
        The byte's value, from 0 to 255.", mutate::insert),
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
        Join bytes-like objects, with this bytearray between neighbors.\n\n\
        Return a new bytearray.", transform::join),
    MethodDef::new("ljust($self, width, fillchar=b' ', /)", "\
        Return a copy with padding on the right, width bytes long.\n\n\
        A copy of the same length is returned if it is that long already.", transform::ljust),
    MethodDef::new("lower($self, /)", "B.lower() -> copy of B\n\n\
        ASCII upper-case letters become lower case; other bytes stay.", transform::lower),
    MethodDef::new("lstrip($self, bytes=None, /)", "\
        Return a copy without the leading bytes that occur in the argument.\n\n\
        The default, None, stands for ASCII whitespace.", split::lstrip),
    MethodDef::new("maketrans(frm, to, /)", "Return a translation table usable for the bytes or bytearray translate method.\n\nThe returned table will be one where each byte in frm is mapped to\nthe byte at the same position in to.\n\nThe bytes objects frm and to must be of the same length.", transform::maketrans).r#static(),
    MethodDef::new("partition($self, sep, /)", "Split at the first occurrence of sep, into three new bytearrays.\n\n\
        They hold what is before the separator, the separator, and what is\n\
        after it.  If sep does not occur, they hold all bytes, nothing, and\n\
        nothing.\n\n\
        Raise ValueError if sep is empty.", split::partition),
    MethodDef::new("pop($self, index=-1, /)", "Remove the byte at an index, and return its value.\n\n  \
        index\n    \
        The position; -1, the default, is that of the last byte.\n\n\
        Raise IndexError if there is no byte at that position.", mutate::pop),
    MethodDef::new("remove($self, value, /)", "Remove the first byte that has the given value.\n\n  \
        value\n    \
        An integer from 0 to 255; ValueError is raised if it does not occur.", mutate::remove),
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
    MethodDef::new("resize($self, size, /)", "Change the length; zero bytes fill what is added at the end.\n\n  \
        size\n    \
        The new length in bytes.", mutate::resize),
    MethodDef::new("reverse($self, /)", "Put the bytes into the opposite order, in place.", mutate::reverse),
    MethodDef::new("rfind($self, sub[, start[, end]], /)", "\
        Return the greatest index in B[start:end] at which sub occurs.\n\n  \
        start\n    \
        Where the searched part begins; at the first byte by default.\n  \
        end\n    \
        Where it ends; after the last byte by default.\n\n\
        The result is -1 if there is none.", search::rfind),
    MethodDef::new("rindex($self, sub[, start[, end]], /)", "\
        Return the greatest index in B[start:end] at which sub occurs.\n\n  \
        start\n    \
        Where the searched part begins; at the first byte by default.\n  \
        end\n    \
        Where it ends; after the last byte by default.\n\n\
        Raise ValueError if there is none.", search::rindex),
    MethodDef::new("rjust($self, width, fillchar=b' ', /)", "\
        Return a copy with padding on the left, width bytes long.\n\n\
        A copy of the same length is returned if it is that long already.", transform::rjust),
    MethodDef::new("rpartition($self, sep, /)", "Split at the last occurrence of sep, into three new bytearrays.\n\n\
        They hold what is before the separator, the separator, and what is\n\
        after it.  If sep does not occur, they hold nothing, nothing, and all\n\
        bytes.\n\n\
        Raise ValueError if sep is empty.", split::rpartition),
    MethodDef::new("rsplit($self, /, sep=None, maxsplit=-1)", "Split into a list of bytearrays, from the right.\n\n  \
        sep\n    \
        The separator; None, the default, splits at runs of ASCII\n    \
        whitespace and gives no empty parts.\n  \
        maxsplit\n    \
        How many splits to make at most; -1, the default, is no limit.\n\n\
        With a limit, the first part is what remains unsplit.", split::rsplit),
    MethodDef::new("rstrip($self, bytes=None, /)", "\
        Return a copy without the trailing bytes that occur in the argument.\n\n\
        The default, None, stands for ASCII whitespace.", split::rstrip),
    MethodDef::new("split($self, /, sep=None, maxsplit=-1)", "Split into a list of bytearrays, from the left.\n\n  \
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
        Tell whether the bytearray begins with the prefix.\n\n  \
        prefix\n    \
        Bytes, or a tuple of them of which any may match.\n  \
        start\n    \
        Where the examined part begins; by default at the first byte.\n  \
        end\n    \
        Where it ends; by default after the last byte.", search::startswith),
    MethodDef::new("strip($self, bytes=None, /)", "\
        Return a copy without the bytes at both ends that occur in the argument.\n\n\
        The default, None, stands for ASCII whitespace.", split::strip),
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
