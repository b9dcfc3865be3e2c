//! The slot table and method table of `str`.

use super::{
    Str, case, construct, format, iterator, join, pad, percent, repr, search, split, subscript, translate, write,
};
use crate::builtins::tuple::Tuple;
use crate::native::MethodDef;
use crate::object::Result;
use crate::types::slots::{CompareOp, Slots};
use crate::value::Value;
use crate::vm::{Vm, gil};
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

/// What CPython's str takes: the struct, the data and a terminating zero; without the GIL the header is larger.
fn sizeof(_: &Vm, this: &Value, _: &[Value]) -> Result {
    let text = own(this);
    let fixed = if text.is_ascii() { 40 } else { 56 };
    Ok(Value::from(gil::header_growth() + fixed + (text.len() + 1) * text.kind() as usize))
}

crate::method_table! { pub static METHODS = [
    MethodDef::new("encode($self, /, encoding='utf-8', errors='strict')", "\
        Return the string as bytes in the given encoding.\n\n  \
        encoding\n    \
        The name of the codec.\n  \
        errors\n    \
        What to do about characters that cannot be encoded: 'strict'\n    \
        raises UnicodeEncodeError, 'ignore' omits them, 'replace' puts a\n    \
        question mark, 'xmlcharrefreplace' a character reference.  Names\n    \
        from codecs.register_error() are valid too.", construct::encode).optional(),
    MethodDef::new("replace($self, old, new, /, count=-1)", "\
        Return a copy in which occurrences of old are replaced by new.\n\n  \
        count\n    \
        How many occurrences to replace, counted from the left;\n    \
        -1, the default, replaces all of them.", join::replace_method).optional(),
    MethodDef::new("split($self, /, sep=None, maxsplit=-1)", "\
        Split the string at a separator into a list, from the left.\n\n  \
        sep\n    \
        The separator.\n\n    \
        None, the default, splits at runs of whitespace and gives no\n    \
        empty strings; any other separator gives an empty string where\n    \
        two of them meet.\n  \
        maxsplit\n    \
        How many splits to make at most; -1, the default, is no limit.\n\n\
        With a limit, the last string is what remains unsplit.\n\n\
        A separator is a fixed string; re.split() splits at a pattern.", split::split).optional(),
    MethodDef::new("rsplit($self, /, sep=None, maxsplit=-1)", "\
        Split the string at a separator into a list, from the right.\n\n  \
        sep\n    \
        The separator.\n\n    \
        None, the default, splits at runs of whitespace and gives no\n    \
        empty strings; any other separator gives an empty string where\n    \
        two of them meet.\n  \
        maxsplit\n    \
        How many splits to make at most; -1, the default, is no limit.\n\n\
        With a limit, the first string is what remains unsplit.", split::rsplit).optional(),
    MethodDef::new("join($self, iterable, /)", "Join strings, with this one between neighbors.\n\n\
        An item that is not a string raises TypeError.\n\n\
        Example: ', '.join(['one', 'two']) -> 'one, two'", join::join_method),
    MethodDef::new("capitalize($self, /)", "Return a copy that begins in upper case.\n\n\
        The first character takes title case, all others lower case.", case::capitalize),
    MethodDef::new("casefold($self, /)", "\
        Return a copy for comparisons in which case does not matter.", case::casefold),
    MethodDef::new("title($self, /)", "Return a copy in which each word begins in upper case.\n\n\
        A word is a run of letters; all but its first are made lower case.", case::title),
    MethodDef::new("center($self, width, fillchar=' ', /)", "\
        Return the string with padding on both sides, width characters long.\n\n\
        The padding consists of fillchar, a space by default.  A string that\n\
        is already that long stays as it is.", pad::center),
    MethodDef::new("count($self, sub[, start[, end]], /)", "\
        Count the occurrences of sub in S[start:end] that do not overlap.\n\n\
        By default the whole string is searched.", search::count_method).optional(),
    MethodDef::new("expandtabs($self, /, tabsize=8)", "Return a copy in which each tab is replaced by spaces.\n\n\
        Columns that tabs lead to are tabsize apart; newlines start at column 0.", pad::expandtabs),
    MethodDef::new("find($self, sub[, start[, end]], /)", "\
        Return the smallest index in S[start:end] at which sub occurs.\n\n\
        By default the whole string is searched.  The result is -1 if sub does\n\
        not occur.", search::find_method).optional(),
    MethodDef::new("partition($self, sep, /)", "\
        Split at the first occurrence of the separator, into three strings.\n\n\
        They are what is before the separator, the separator, and what is after\n\
        it.  If it does not occur, they are the whole string and twice ''.\n\n\
        Raise ValueError if the separator is empty.", split::partition),
    MethodDef::new("index($self, sub[, start[, end]], /)", "\
        Return the smallest index in S[start:end] at which sub occurs.\n\n\
        By default the whole string is searched.  ValueError is raised if sub\n\
        does not occur.", search::index_method).optional(),
    MethodDef::new("ljust($self, width, fillchar=' ', /)", "\
        Return the string with padding on the right, width characters long.\n\n\
        The padding consists of fillchar, a space by default.  A string that\n\
        is already that long stays as it is.", pad::ljust),
    MethodDef::new("lower($self, /)", "Return a copy in lower case.", case::lower),
    MethodDef::new("lstrip($self, chars=None, /)", "Return a copy without leading whitespace.\n\n\
        If chars is given, the characters in it are removed instead.", split::lstrip).optional(),
    MethodDef::new("rfind($self, sub[, start[, end]], /)", "\
        Return the greatest index in S[start:end] at which sub occurs.\n\n\
        By default the whole string is searched.  The result is -1 if sub does\n\
        not occur.", search::rfind_method).optional(),
    MethodDef::new("rindex($self, sub[, start[, end]], /)", "\
        Return the greatest index in S[start:end] at which sub occurs.\n\n\
        By default the whole string is searched.  ValueError is raised if sub\n\
        does not occur.", search::rindex_method).optional(),
    MethodDef::new("rjust($self, width, fillchar=' ', /)", "\
        Return the string with padding on the left, width characters long.\n\n\
        The padding consists of fillchar, a space by default.  A string that\n\
        is already that long stays as it is.", pad::rjust),
    MethodDef::new("rstrip($self, chars=None, /)", "Return a copy without trailing whitespace.\n\n\
        If chars is given, the characters in it are removed instead.", split::rstrip).optional(),
    MethodDef::new("rpartition($self, sep, /)", "\
        Split at the last occurrence of the separator, into three strings.\n\n\
        They are what is before the separator, the separator, and what is after\n\
        it.  If it does not occur, they are twice '' and the whole string.\n\n\
        Raise ValueError if the separator is empty.", split::rpartition),
    MethodDef::new("splitlines($self, /, keepends=False)", "\
        Return a list of the lines, which end at any of Unicode's line ends.\n\n\
        The line ends are kept only if keepends is true.", split::splitlines).optional(),
    MethodDef::new("strip($self, chars=None, /)", "Return a copy without whitespace at both ends.\n\n\
        If chars is given, the characters in it are removed instead.", split::strip).optional(),
    MethodDef::new("swapcase($self, /)", "\
        Return a copy in which lower case becomes upper case, and upper case lower.", case::swapcase),
    MethodDef::new("translate($self, table, /)", "Return a copy in which the characters are mapped by a table.\n\n  \
        table\n    \
        An object indexed by code points, such as a dictionary; it gives\n    \
        a code point, a string, or None.\n\n\
        None removes the character.  A character for which the table raises\n\
        LookupError stays as it is.  See also str.maketrans().", translate::translate),
    MethodDef::new("upper($self, /)", "Return a copy in upper case.", case::upper),
    MethodDef::new("startswith($self, prefix[, start[, end]], /)", "\
        Tell whether the string begins with the prefix.\n\n  \
        prefix\n    \
        A string, or a tuple of strings of which any may match.\n  \
        start\n    \
        Where the examined part begins; by default at the first character.\n  \
        end\n    \
        Where it ends; by default after the last character.", search::startswith).optional(),
    MethodDef::new("endswith($self, suffix[, start[, end]], /)", "Tell whether the string ends with the suffix.\n\n  \
        suffix\n    \
        A string, or a tuple of strings of which any may match.\n  \
        start\n    \
        Where the examined part begins; by default at the first character.\n  \
        end\n    \
        Where it ends; by default after the last character.", search::endswith).optional(),
    MethodDef::new("removeprefix($self, prefix, /)", "\
        Return the string without the prefix, if it has that prefix.\n\n\
        At most one prefix is removed, unlike with lstrip(), whose argument is\n\
        a set of characters.", search::removeprefix),
    MethodDef::new("removesuffix($self, suffix, /)", "\
        Return the string without the suffix, if it has that suffix.\n\n\
        At most one suffix is removed, unlike with rstrip(), whose argument is\n\
        a set of characters.", search::removesuffix),
    MethodDef::new("isascii($self, /)", "Tell whether no character is greater than U+007F.\n\n\
        That is true of the empty string as well.", case::isascii),
    MethodDef::new("islower($self, /)", "Tell whether there are lower-case characters, and none of another case.\n\n\
        Characters that have no case do not matter.", case::islower),
    MethodDef::new("isupper($self, /)", "Tell whether there are upper-case characters, and none of another case.\n\n\
        Characters that have no case do not matter.", case::isupper),
    MethodDef::new("istitle($self, /)", "Tell whether every word begins in upper or title case.\n\n\
        All further letters of a word must be lower case, and the string must\n\
        have at least one word.", case::istitle),
    MethodDef::new("isspace($self, /)", "Tell whether the string consists of whitespace.\n\n\
        The empty string does not.", case::isspace),
    MethodDef::new("isdecimal($self, /)", "Tell whether the string consists of decimal digits, of any script.\n\n\
        The empty string does not.", case::isdecimal),
    MethodDef::new("isdigit($self, /)", "Tell whether the string consists of digits, superscripts included.\n\n\
        The empty string does not.", case::isdigit),
    MethodDef::new("isnumeric($self, /)", "Tell whether the string consists of characters with a numeric value.\n\n\
        Fractions and the like are among them; the empty string does not.", case::isnumeric),
    MethodDef::new("isalpha($self, /)", "Tell whether the string consists of letters, of any script.\n\n\
        The empty string does not.", case::isalpha),
    MethodDef::new("isalnum($self, /)", "Tell whether the string consists of letters and numeric characters.\n\n\
        The empty string does not.", case::isalnum),
    MethodDef::new("isidentifier($self, /)", "Tell whether the string has the form of an identifier.\n\n\
        Keywords have it too; keyword.iskeyword() recognizes them.", case::isidentifier),
    MethodDef::new("isprintable($self, /)", "Tell whether repr() would escape none of the characters.\n\n\
        That is true of the empty string as well.", case::isprintable),
    MethodDef::new("zfill($self, width, /)", "Fill a number up with leading zeros until it has the given width.\n\n\
        The zeros are put after a sign; nothing is ever cut off.", pad::zfill),
    MethodDef::raw("format($self, /, *args, **kwargs)", "\
        Return the string with its replacement fields filled in from the arguments.\n\
        A field is written in braces, as in '{0}' or '{name:>10}'.", format::format_method),
    MethodDef::new("format_map($self, mapping, /)", "\
        Return the string with its replacement fields filled in from a mapping.\n\
        A field is written in braces, as in '{name}' or '{name:>10}'.", format::format_map),
    MethodDef::new("__format__($self, format_spec, /)", "\
        Return the string padded or cut as format_spec says.", format::format_self),
    MethodDef::new("maketrans(x, y=<unrepresentable>, z=<unrepresentable>, /)", "Return a translation table usable for str.translate().\n\nIf there is only one argument, it must be a dictionary mapping\nUnicode ordinals (integers) or characters to Unicode ordinals,\nstrings or None.  Character keys will be then converted to ordinals.\nIf there are two arguments, they must be strings of equal length,\nand in the resulting dictionary, each character in x will be mapped\nto the character at the same position in y.  If there is a third\nargument, it must be a string, whose characters will be mapped to\nNone in the result.", translate::maketrans).r#static(),
    MethodDef::new("__sizeof__($self, /)", "Give the number of bytes of memory that the string takes.", sizeof),
    MethodDef::new("__getnewargs__($self, /)", "", getnewargs),
]; }
