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
    MethodDef::new("__bytes__($self, /)", "Convert this value to exact type bytes.", |vm, this, _| view::unchanged(vm, this)),
    MethodDef::new("capitalize($self, /)", "B.capitalize() -> copy of B\n\nReturn a copy of B with only its first character capitalized (ASCII)\nand the rest lower-cased.", transform::capitalize),
    MethodDef::new("center($self, width, fillchar=b' ', /)", "Return a centered string of length width.\n\nPadding is done using the specified fill character.", transform::center),
    MethodDef::new("count($self, sub[, start[, end]], /)", "Return the number of non-overlapping occurrences of subsection 'sub' in bytes B[start:end].\n\n  start\n    Optional start position. Default: start of the bytes.\n  end\n    Optional stop position. Default: end of the bytes.", search::count),
    MethodDef::new("decode($self, /, encoding='utf-8', errors='strict')", "Decode the bytes using the codec registered for encoding.\n\n  encoding\n    The encoding with which to decode the bytes.\n  errors\n    The error handling scheme to use for the handling of decoding\n    errors.  The default is 'strict' meaning that decoding errors\n    raise a UnicodeDecodeError.  Other possible values are 'ignore'\n    and 'replace' as well as any other name registered with\n    codecs.register_error that can handle UnicodeDecodeErrors.", construct::decode),
    MethodDef::new("endswith($self, suffix[, start[, end]], /)", "Return True if the bytes ends with the specified suffix, False otherwise.\n\n  suffix\n    A bytes or a tuple of bytes to try.\n  start\n    Optional start position. Default: start of the bytes.\n  end\n    Optional stop position. Default: end of the bytes.", search::endswith),
    MethodDef::new("expandtabs($self, /, tabsize=8)", "Return a copy where all tab characters are expanded using spaces.\n\nIf tabsize is not given, a tab size of 8 characters is assumed.", transform::expandtabs),
    MethodDef::new("find($self, sub[, start[, end]], /)", "Return the lowest index in B where subsection 'sub' is found, such that 'sub' is contained within B[start,end].\n\n  start\n    Optional start position. Default: start of the bytes.\n  end\n    Optional stop position. Default: end of the bytes.\n\nReturn -1 on failure.", search::find),
    MethodDef::new("fromhex($type, string, /)", "Create a bytes object from a string of hexadecimal numbers.\n\nSpaces between two numbers are accepted.\nExample: bytes.fromhex('B9 01EF') -> b'\\\\xb9\\\\x01\\\\xef'.", hex::fromhex).class(),
    MethodDef::new("hex($self, /, sep=<unrepresentable>, bytes_per_sep=1)", "Create a string of hexadecimal numbers from a bytes object.\n\n  sep\n    An optional single character or byte to separate hex bytes.\n  bytes_per_sep\n    How many bytes between separators.  Positive values count from\n    the right, negative values count from the left.\n\nExample:\n>>> value = b'\\xb9\\x01\\xef'\n>>> value.hex()\n'b901ef'\n>>> value.hex(':')\n'b9:01:ef'\n>>> value.hex(':', 2)\n'b9:01ef'\n>>> value.hex(':', -2)\n'b901:ef'", hex::hex),
    MethodDef::new("index($self, sub[, start[, end]], /)", "Return the lowest index in B where subsection 'sub' is found, such that 'sub' is contained within B[start,end].\n\n  start\n    Optional start position. Default: start of the bytes.\n  end\n    Optional stop position. Default: end of the bytes.\n\nRaise ValueError if the subsection is not found.", search::index),
    MethodDef::new("isalnum($self, /)", "B.isalnum() -> bool\n\nReturn True if all characters in B are alphanumeric\nand there is at least one character in B, False otherwise.", transform::isalnum),
    MethodDef::new("isalpha($self, /)", "B.isalpha() -> bool\n\nReturn True if all characters in B are alphabetic\nand there is at least one character in B, False otherwise.", transform::isalpha),
    MethodDef::new("isascii($self, /)", "B.isascii() -> bool\n\nReturn True if B is empty or all characters in B are ASCII,\nFalse otherwise.", transform::isascii),
    MethodDef::new("isdigit($self, /)", "B.isdigit() -> bool\n\nReturn True if all characters in B are digits\nand there is at least one character in B, False otherwise.", transform::isdigit),
    MethodDef::new("islower($self, /)", "B.islower() -> bool\n\nReturn True if all cased characters in B are lowercase and there is\nat least one cased character in B, False otherwise.", transform::islower),
    MethodDef::new("isspace($self, /)", "B.isspace() -> bool\n\nReturn True if all characters in B are whitespace\nand there is at least one character in B, False otherwise.", transform::isspace),
    MethodDef::new("istitle($self, /)", "B.istitle() -> bool\n\nReturn True if B is a titlecased string and there is at least one\ncharacter in B, i.e. uppercase characters may only follow uncased\ncharacters and lowercase characters only cased ones. Return False\notherwise.", transform::istitle),
    MethodDef::new("isupper($self, /)", "B.isupper() -> bool\n\nReturn True if all cased characters in B are uppercase and there is\nat least one cased character in B, False otherwise.", transform::isupper),
    MethodDef::new("join($self, iterable_of_bytes, /)", "Concatenate any number of bytes objects.\n\nThe bytes whose method is called is inserted in between each pair.\n\nThe result is returned as a new bytes object.\n\nExample: b'.'.join([b'ab', b'pq', b'rs']) -> b'ab.pq.rs'.", transform::join),
    MethodDef::new("ljust($self, width, fillchar=b' ', /)", "Return a left-justified string of length width.\n\nPadding is done using the specified fill character.", transform::ljust),
    MethodDef::new("lower($self, /)", "B.lower() -> copy of B\n\nReturn a copy of B with all ASCII characters converted to lowercase.", transform::lower),
    MethodDef::new("lstrip($self, bytes=None, /)", "Strip leading bytes contained in the argument.\n\nIf the argument is omitted or None, strip leading  ASCII whitespace.", split::lstrip),
    MethodDef::new("maketrans(frm, to, /)", "Return a translation table usable for the bytes or bytearray translate method.\n\nThe returned table will be one where each byte in frm is mapped to\nthe byte at the same position in to.\n\nThe bytes objects frm and to must be of the same length.", transform::maketrans).r#static(),
    MethodDef::new("partition($self, sep, /)", "Partition the bytes into three parts using the given separator.\n\nThis will search for the separator sep in the bytes.  If the\nseparator is found, returns a 3-tuple containing the part before the\nseparator, the separator itself, and the part after it.\n\nIf the separator is not found, returns a 3-tuple containing the\noriginal bytes object and two empty bytes objects.", split::partition),
    MethodDef::new("replace($self, old, new, count=-1, /)", "Return a copy with all occurrences of substring old replaced by new.\n\n  count\n    Maximum number of occurrences to replace.\n    -1 (the default value) means replace all occurrences.\n\nIf the optional argument count is given, only the first count occurrences are\nreplaced.", transform::replace),
    MethodDef::new("removeprefix($self, prefix, /)", "Return a bytes object with the given prefix string removed if present.\n\nIf the bytes starts with the prefix string, return\nbytes[len(prefix):].  Otherwise, return a copy of the original\nbytes.", search::removeprefix),
    MethodDef::new("removesuffix($self, suffix, /)", "Return a bytes object with the given suffix string removed if present.\n\nIf the bytes ends with the suffix string and that suffix is not\nempty, return bytes[:-len(prefix)].  Otherwise, return a copy of the\noriginal bytes.", search::removesuffix),
    MethodDef::new("rfind($self, sub[, start[, end]], /)", "Return the highest index in B where subsection 'sub' is found, such that 'sub' is contained within B[start,end].\n\n  start\n    Optional start position. Default: start of the bytes.\n  end\n    Optional stop position. Default: end of the bytes.\n\nReturn -1 on failure.", search::rfind),
    MethodDef::new("rindex($self, sub[, start[, end]], /)", "Return the highest index in B where subsection 'sub' is found, such that 'sub' is contained within B[start,end].\n\n  start\n    Optional start position. Default: start of the bytes.\n  end\n    Optional stop position. Default: end of the bytes.\n\nRaise ValueError if the subsection is not found.", search::rindex),
    MethodDef::new("rjust($self, width, fillchar=b' ', /)", "Return a right-justified string of length width.\n\nPadding is done using the specified fill character.", transform::rjust),
    MethodDef::new("rpartition($self, sep, /)", "Partition the bytes into three parts using the given separator.\n\nThis will search for the separator sep in the bytes, starting at the\nend.  If the separator is found, returns a 3-tuple containing the\npart before the separator, the separator itself, and the part after\nit.\n\nIf the separator is not found, returns a 3-tuple containing two\nempty bytes objects and the original bytes object.", split::rpartition),
    MethodDef::new("rsplit($self, /, sep=None, maxsplit=-1)", "Return a list of the sections in the bytes, using sep as the delimiter.\n\n  sep\n    The delimiter according which to split the bytes.\n    None (the default value) means split on ASCII whitespace\n    characters (space, tab, return, newline, formfeed, vertical tab).\n  maxsplit\n    Maximum number of splits to do.\n    -1 (the default value) means no limit.\n\nSplitting is done starting at the end of the bytes and working to\nthe front.", split::rsplit),
    MethodDef::new("rstrip($self, bytes=None, /)", "Strip trailing bytes contained in the argument.\n\nIf the argument is omitted or None, strip trailing ASCII whitespace.", split::rstrip),
    MethodDef::new("split($self, /, sep=None, maxsplit=-1)", "Return a list of the sections in the bytes, using sep as the delimiter.\n\n  sep\n    The delimiter according which to split the bytes.\n    None (the default value) means split on ASCII whitespace\n    characters (space, tab, return, newline, formfeed, vertical tab).\n  maxsplit\n    Maximum number of splits to do.\n    -1 (the default value) means no limit.", split::split),
    MethodDef::new("splitlines($self, /, keepends=False)", "Return a list of the lines in the bytes, breaking at line boundaries.\n\nLine breaks are not included in the resulting list unless keepends\nis given and true.", split::splitlines),
    MethodDef::new("startswith($self, prefix[, start[, end]], /)", "Return True if the bytes starts with the specified prefix, False otherwise.\n\n  prefix\n    A bytes or a tuple of bytes to try.\n  start\n    Optional start position. Default: start of the bytes.\n  end\n    Optional stop position. Default: end of the bytes.", search::startswith),
    MethodDef::new("strip($self, bytes=None, /)", "Strip leading and trailing bytes contained in the argument.\n\nIf the argument is omitted or None, strip leading and trailing ASCII\nwhitespace.", split::strip),
    MethodDef::new("swapcase($self, /)", "B.swapcase() -> copy of B\n\nReturn a copy of B with uppercase ASCII characters converted\nto lowercase ASCII and vice versa.", transform::swapcase),
    MethodDef::new("title($self, /)", "B.title() -> copy of B\n\nReturn a titlecased version of B, i.e. ASCII words start with\nuppercase characters, all remaining cased characters have lowercase.", transform::title),
    MethodDef::new("translate($self, table, /, delete=b'')", "Return a copy with each character mapped by the given translation table.\n\n  table\n    Translation table, which must be a bytes object of length 256.\n\nAll characters occurring in the optional argument delete are\nremoved.  The remaining characters are mapped through the given\ntranslation table.", transform::translate),
    MethodDef::new("upper($self, /)", "B.upper() -> copy of B\n\nReturn a copy of B with all ASCII characters converted to uppercase.", transform::upper),
    MethodDef::new("zfill($self, width, /)", "Pad a numeric string with zeros on the left, to fill a field of the given width.\n\nThe original string is never truncated.", transform::zfill),
]; }
