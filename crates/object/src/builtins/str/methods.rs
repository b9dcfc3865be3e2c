//! The slot table and method table of `str`.

use super::{
    Str, case, construct, format, iterator, join, pad, percent, repr, search, split, subscript, translate, write,
};
use crate::builtins::tuple::Tuple;
use crate::native::MethodDef;
use crate::object::Result;
use crate::types::slots::{CompareOp, Slots};
use crate::value::Value;
use crate::vm::Vm;
use std::cmp::Ordering;

pub fn slots(s: &mut Slots) {
    s.new = Some(construct::new);
    s.repr = Some(|_, this| Ok(repr::repr(own(this))));
    s.str = Some(|_, this| Ok(write::to_exact(this)));
    s.hash = Some(|_, this| Ok(own(this).hash()));
    s.richcompare = Some(compare);
    s.iter = Some(|_, this| Ok(iterator::iter(own(this))));
    s.remainder = Some(percent::remainder);
    s.length = Some(|_, this| Ok(own(this).len()));
    s.subscript = Some(subscript::subscript);
    s.contains = Some(|vm, this, item| {
        let item = vm.expect_str(item, |got| format!("'in <string>' requires string as left operand, not {got}"))?;
        Ok(search::contains(own(this), item))
    });
    s.concat = Some(write::concat);
    s.repeat = Some(write::repeat);
    s.item = Some(subscript::get_index);
}

fn own(this: &Value) -> &Str {
    this.downcast::<Str>().expect("called on a str")
}

/// `a op b`
pub fn compare(_: &Vm, a: &Value, b: &Value, op: CompareOp) -> Result {
    let (Some(x), Some(y)) = (a.downcast::<Str>(), b.downcast::<Str>()) else { return Ok(Value::NOT_IMPLEMENTED) };
    Ok(Value::bool(match op {
        CompareOp::Eq => a.word() == b.word() || x.equals(y),
        CompareOp::Ne => a.word() != b.word() && !x.equals(y),
        op => op.holds(ordering(x, y)),
    }))
}

/// The order by code points.
pub fn ordering(a: &Str, b: &Str) -> Ordering {
    if a.kind() == 1 && b.kind() == 1 {
        return a.raw_bytes().cmp(b.raw_bytes());
    }
    a.code_points().cmp(b.code_points())
}

fn getnewargs(_: &Vm, this: &Value, _: &[Value]) -> Result {
    // A copy, also of an exact str.
    let copy = Str::from_code_points(&own(this).to_code_points());
    Ok(Tuple::from_vec(vec![copy.into_value()]).into_value())
}

/// What CPython's str takes: the struct, the data and a terminating zero.
fn sizeof(_: &Vm, this: &Value, _: &[Value]) -> Result {
    let text = own(this);
    let fixed = if text.is_ascii() { 40 } else { 56 };
    Ok(Value::from(fixed + (text.len() + 1) * text.kind() as usize))
}

crate::method_table! { pub static METHODS = [
    MethodDef::new("encode($self, /, encoding='utf-8', errors='strict')", "Encode the string using the codec registered for encoding.\n\n  encoding\n    The encoding in which to encode the string.\n  errors\n    The error handling scheme to use for encoding errors.\n    The default is 'strict' meaning that encoding errors raise a\n    UnicodeEncodeError.  Other possible values are 'ignore', 'replace'\n    and 'xmlcharrefreplace' as well as any other name registered with\n    codecs.register_error that can handle UnicodeEncodeErrors.", construct::encode),
    MethodDef::new("replace($self, old, new, /, count=-1)", "Return a copy with all occurrences of substring old replaced by new.\n\n  count\n    Maximum number of occurrences to replace.\n    -1 (the default value) means replace all occurrences.\n\nIf the optional argument count is given, only the first count occurrences are\nreplaced.", join::replace_method),
    MethodDef::new("split($self, /, sep=None, maxsplit=-1)", "Return a list of the substrings in the string, using sep as the separator string.\n\n  sep\n    The separator used to split the string.\n\n    When set to None (the default value), will split on any\n    whitespace character (including \\n \\r \\t \\f and spaces) and\n    will discard empty strings from the result.\n  maxsplit\n    Maximum number of splits.\n    -1 (the default value) means no limit.\n\nSplitting starts at the front of the string and works to the end.\n\nNote, str.split() is mainly useful for data that has been\nintentionally delimited.  With natural text that includes\npunctuation, consider using the regular expression module.", split::split),
    MethodDef::new("rsplit($self, /, sep=None, maxsplit=-1)", "Return a list of the substrings in the string, using sep as the separator string.\n\n  sep\n    The separator used to split the string.\n\n    When set to None (the default value), will split on any\n    whitespace character (including \\n \\r \\t \\f and spaces) and\n    will discard empty strings from the result.\n  maxsplit\n    Maximum number of splits.\n    -1 (the default value) means no limit.\n\nSplitting starts at the end of the string and works to the front.", split::rsplit),
    MethodDef::new("join($self, iterable, /)", "Concatenate any number of strings.\n\nThe string whose method is called is inserted in between each given\nstring.  The result is returned as a new string.\n\nExample: '.'.join(['ab', 'pq', 'rs']) -> 'ab.pq.rs'", join::join_method),
    MethodDef::new("capitalize($self, /)", "Return a capitalized version of the string.\n\nMore specifically, make the first character have upper case and the\nrest lower case.", case::capitalize),
    MethodDef::new("casefold($self, /)", "Return a version of the string suitable for caseless comparisons.", case::casefold),
    MethodDef::new("title($self, /)", "Return a version of the string where each word is titlecased.\n\nMore specifically, words start with uppercased characters and all\nremaining cased characters have lower case.", case::title),
    MethodDef::new("center($self, width, fillchar=' ', /)", "Return a centered string of length width.\n\nPadding is done using the specified fill character (default is\na space).", pad::center),
    MethodDef::new("count($self, sub[, start[, end]], /)", "Return the number of non-overlapping occurrences of substring sub in string S[start:end].\n\nOptional arguments start and end are interpreted as in slice\nnotation.", search::count_method),
    MethodDef::new("expandtabs($self, /, tabsize=8)", "Return a copy where all tab characters are expanded using spaces.\n\nIf tabsize is not given, a tab size of 8 characters is assumed.", pad::expandtabs),
    MethodDef::new("find($self, sub[, start[, end]], /)", "Return the lowest index in S where substring sub is found, such that sub is contained within S[start:end].\n\nOptional arguments start and end are interpreted as in slice\nnotation.  Return -1 on failure.", search::find_method),
    MethodDef::new("partition($self, sep, /)", "Partition the string into three parts using the given separator.\n\nThis will search for the separator in the string.  If the separator\nis found, returns a 3-tuple containing the part before the\nseparator, the separator itself, and the part after it.\n\nIf the separator is not found, returns a 3-tuple containing\nthe original string and two empty strings.", split::partition),
    MethodDef::new("index($self, sub[, start[, end]], /)", "Return the lowest index in S where substring sub is found, such that sub is contained within S[start:end].\n\nOptional arguments start and end are interpreted as in slice\nnotation.  Raises ValueError when the substring is not found.", search::index_method),
    MethodDef::new("ljust($self, width, fillchar=' ', /)", "Return a left-justified string of length width.\n\nPadding is done using the specified fill character (default is\na space).", pad::ljust),
    MethodDef::new("lower($self, /)", "Return a copy of the string converted to lowercase.", case::lower),
    MethodDef::new("lstrip($self, chars=None, /)", "Return a copy of the string with leading whitespace removed.\n\nIf chars is given and not None, remove characters in chars instead.", split::lstrip),
    MethodDef::new("rfind($self, sub[, start[, end]], /)", "Return the highest index in S where substring sub is found, such that sub is contained within S[start:end].\n\nOptional arguments start and end are interpreted as in slice\nnotation.  Return -1 on failure.", search::rfind_method),
    MethodDef::new("rindex($self, sub[, start[, end]], /)", "Return the highest index in S where substring sub is found, such that sub is contained within S[start:end].\n\nOptional arguments start and end are interpreted as in slice\nnotation.  Raises ValueError when the substring is not found.", search::rindex_method),
    MethodDef::new("rjust($self, width, fillchar=' ', /)", "Return a right-justified string of length width.\n\nPadding is done using the specified fill character (default is\na space).", pad::rjust),
    MethodDef::new("rstrip($self, chars=None, /)", "Return a copy of the string with trailing whitespace removed.\n\nIf chars is given and not None, remove characters in chars instead.", split::rstrip),
    MethodDef::new("rpartition($self, sep, /)", "Partition the string into three parts using the given separator.\n\nThis will search for the separator in the string, starting at the\nend.  If the separator is found, returns a 3-tuple containing the\npart before the separator, the separator itself, and the part after\nit.\n\nIf the separator is not found, returns a 3-tuple containing two\nempty strings and the original string.", split::rpartition),
    MethodDef::new("splitlines($self, /, keepends=False)", "Return a list of the lines in the string, breaking at line boundaries.\n\nLine breaks are not included in the resulting list unless keepends\nis given and true.", split::splitlines),
    MethodDef::new("strip($self, chars=None, /)", "Return a copy of the string with leading and trailing whitespace removed.\n\nIf chars is given and not None, remove characters in chars instead.", split::strip),
    MethodDef::new("swapcase($self, /)", "Convert uppercase characters to lowercase and lowercase characters to uppercase.", case::swapcase),
    MethodDef::new("translate($self, table, /)", "Replace each character in the string using the given translation table.\n\n  table\n    Translation table, which must be a mapping of Unicode ordinals\n    to Unicode ordinals, strings, or None.\n\nThe table must implement lookup/indexing via __getitem__, for\ninstance a dictionary or list.  If this operation raises\nLookupError, the character is left untouched.  Characters mapped to\nNone are deleted.", translate::translate),
    MethodDef::new("upper($self, /)", "Return a copy of the string converted to uppercase.", case::upper),
    MethodDef::new("startswith($self, prefix[, start[, end]], /)", "Return True if the string starts with the specified prefix, False otherwise.\n\n  prefix\n    A string or a tuple of strings to try.\n  start\n    Optional start position. Default: start of the string.\n  end\n    Optional stop position. Default: end of the string.", search::startswith),
    MethodDef::new("endswith($self, suffix[, start[, end]], /)", "Return True if the string ends with the specified suffix, False otherwise.\n\n  suffix\n    A string or a tuple of strings to try.\n  start\n    Optional start position. Default: start of the string.\n  end\n    Optional stop position. Default: end of the string.", search::endswith),
    MethodDef::new("removeprefix($self, prefix, /)", "Return a str with the given prefix string removed if present.\n\nIf the string starts with the prefix string, return\nstring[len(prefix):].  Otherwise, return a copy of the original\nstring.", search::removeprefix),
    MethodDef::new("removesuffix($self, suffix, /)", "Return a str with the given suffix string removed if present.\n\nIf the string ends with the suffix string and that suffix is not\nempty, return string[:-len(suffix)].  Otherwise, return a copy of\nthe original string.", search::removesuffix),
    MethodDef::new("isascii($self, /)", "Return True if all characters in the string are ASCII, False otherwise.\n\nASCII characters have code points in the range U+0000-U+007F.\nEmpty string is ASCII too.", case::isascii),
    MethodDef::new("islower($self, /)", "Return True if the string is a lowercase string, False otherwise.\n\nA string is lowercase if all cased characters in the string are\nlowercase and there is at least one cased character in the string.", case::islower),
    MethodDef::new("isupper($self, /)", "Return True if the string is an uppercase string, False otherwise.\n\nA string is uppercase if all cased characters in the string are\nuppercase and there is at least one cased character in the string.", case::isupper),
    MethodDef::new("istitle($self, /)", "Return True if the string is a title-cased string, False otherwise.\n\nIn a title-cased string, upper- and title-case characters may only\nfollow uncased characters and lowercase characters only cased ones.", case::istitle),
    MethodDef::new("isspace($self, /)", "Return True if the string is a whitespace string, False otherwise.\n\nA string is whitespace if all characters in the string are\nwhitespace and there is at least one character in the string.", case::isspace),
    MethodDef::new("isdecimal($self, /)", "Return True if the string is a decimal string, False otherwise.\n\nA string is a decimal string if all characters in the string are\ndecimal and there is at least one character in the string.", case::isdecimal),
    MethodDef::new("isdigit($self, /)", "Return True if the string is a digit string, False otherwise.\n\nA string is a digit string if all characters in the string are\ndigits and there is at least one character in the string.", case::isdigit),
    MethodDef::new("isnumeric($self, /)", "Return True if the string is a numeric string, False otherwise.\n\nA string is numeric if all characters in the string are numeric and\nthere is at least one character in the string.", case::isnumeric),
    MethodDef::new("isalpha($self, /)", "Return True if the string is an alphabetic string, False otherwise.\n\nA string is alphabetic if all characters in the string are\nalphabetic and there is at least one character in the string.", case::isalpha),
    MethodDef::new("isalnum($self, /)", "Return True if the string is an alpha-numeric string, False otherwise.\n\nA string is alpha-numeric if all characters in the string are\nalpha-numeric and there is at least one character in the string.", case::isalnum),
    MethodDef::new("isidentifier($self, /)", "Return True if the string is a valid Python identifier, False otherwise.\n\nCall keyword.iskeyword(s) to test whether string s is a reserved\nidentifier, such as \"def\" or \"class\".", case::isidentifier),
    MethodDef::new("isprintable($self, /)", "Return True if all characters in the string are printable, False otherwise.\n\nA character is printable if repr() may use it in its output.", case::isprintable),
    MethodDef::new("zfill($self, width, /)", "Pad a numeric string with zeros on the left, to fill a field of the given width.\n\nThe string is never truncated.", pad::zfill),
    MethodDef::raw("format($self, /, *args, **kwargs)", "Return a formatted version of the string, using substitutions from args and kwargs.\nThe substitutions are identified by braces ('{' and '}').", format::format_method),
    MethodDef::new("format_map($self, mapping, /)", "Return a formatted version of the string, using substitutions from mapping.\nThe substitutions are identified by braces ('{' and '}').", format::format_map),
    MethodDef::new("__format__($self, format_spec, /)", "Return a formatted version of the string as described by format_spec.", format::format_self),
    MethodDef::new("maketrans(x, y=<unrepresentable>, z=<unrepresentable>, /)", "Return a translation table usable for str.translate().\n\nIf there is only one argument, it must be a dictionary mapping\nUnicode ordinals (integers) or characters to Unicode ordinals,\nstrings or None.  Character keys will be then converted to ordinals.\nIf there are two arguments, they must be strings of equal length,\nand in the resulting dictionary, each character in x will be mapped\nto the character at the same position in y.  If there is a third\nargument, it must be a string, whose characters will be mapped to\nNone in the result.", translate::maketrans).r#static(),
    MethodDef::new("__sizeof__($self, /)", "Return the size of the string in memory, in bytes.", sizeof),
    MethodDef::new("__getnewargs__($self, /)", "", getnewargs),
]; }
