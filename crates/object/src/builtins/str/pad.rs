//! `center`, `ljust`, `rjust`, `zfill` and `expandtabs`.

use super::Str;
use super::write::to_exact;
use crate::object::Result;
use crate::text::Unit;
use crate::text::builder::TextBuilder;
use crate::value::Value;
use crate::vm::Vm;
use crate::with_units;

/// The text with `left` fill characters before and `right` behind it.
pub(super) fn padded(vm: &Vm, this: &Value, left: usize, right: usize, fill: u32) -> Result {
    let Some(text) = this.downcast::<Str>() else { return Ok(Value::NONE) };
    if left == 0 && right == 0 {
        return Ok(to_exact(this));
    }
    let length = left.checked_add(right).and_then(|padding| padding.checked_add(text.len()));
    let Some(length) = length.filter(|length| *length <= isize::MAX as usize) else {
        return Err(vm.overflow_error("padded string is too long"));
    };
    let max_code = if text.len() > 0 { text.max_code() } else { 0 };
    let whole = Str::undefined(vm, length, max_code.max(fill))?;
    whole.put_repeated(0, fill, left);
    if text.len() > 0 {
        whole.put(left, text.data());
    }
    whole.put_repeated(left + text.len(), fill, right);
    Ok(whole.into_value())
}

/// The arguments of the justifying methods: how many characters are missing, and the fill character.
fn missing(vm: &Vm, this: &Value, args: &[Value]) -> Result<(usize, usize, u32)> {
    let width = vm.index_ssize(&args[0])?;
    let Some(fill) = args[1].downcast::<Str>() else {
        let name = args[1].ty().name();
        return Err(vm.type_error(format!("The fill character must be a unicode character, not {name}")));
    };
    if fill.len() != 1 {
        return Err(vm.type_error("The fill character must be exactly one character long"));
    }
    let length = this.downcast::<Str>().map_or(0, Str::len);
    let width = usize::try_from(width).unwrap_or(0);
    Ok((width.saturating_sub(length), width, fill.at(0)))
}

pub(super) fn center(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    let (missing, width, fill) = missing(vm, this, args)?;
    // An odd space goes left if the width is odd.
    let left = missing / 2 + (missing & width & 1);
    padded(vm, this, left, missing - left, fill)
}

pub(super) fn ljust(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    let (missing, _, fill) = missing(vm, this, args)?;
    padded(vm, this, 0, missing, fill)
}

pub(super) fn rjust(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    let (missing, _, fill) = missing(vm, this, args)?;
    padded(vm, this, missing, 0, fill)
}

pub(super) fn zfill(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    let width = usize::try_from(vm.index_ssize(&args[0])?).unwrap_or(0);
    let Some(text) = this.downcast::<Str>() else { return Ok(Value::NONE) };
    let zeros = width.saturating_sub(text.len());
    let sign = text.len() > 0 && matches!(text.at(0), 0x2b | 0x2d);
    if zeros == 0 || !sign {
        return padded(vm, this, zeros, 0, b'0' as u32);
    }
    let Some(length) = text.len().checked_add(zeros) else { return Err(vm.memory_error()) };
    let whole = Str::undefined(vm, length, text.max_code())?;
    whole.put_repeated(0, text.at(0), 1);
    whole.put_repeated(1, b'0' as u32, zeros);
    let rest = text.slice(1, text.len());
    if rest.len() > 0 {
        whole.put(1 + zeros, rest.data());
    }
    Ok(whole.into_value())
}

pub(super) fn expandtabs(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    let size = usize::try_from(vm.index_i32(&args[0])?).unwrap_or(0);
    let Some(text) = this.downcast::<Str>() else { return Ok(Value::NONE) };
    let mut out = TextBuilder::with_capacity(text.len());
    let mut column = 0;
    let mut seen = false;
    let done = with_units!(text, |units| {
        let mut done = Ok(());
        for unit in units.iter() {
            match unit.code() {
                9 => {
                    seen = true;
                    let spaces = if size > 0 { size - column % size } else { 0 };
                    if out.len().checked_add(spaces).is_none_or(|n| n > isize::MAX as usize) {
                        done = Err(vm.overflow_error("new string is too long"));
                        break;
                    }
                    if out.try_reserve(spaces).is_err() {
                        done = Err(vm.memory_error());
                        break;
                    }
                    out.push_repeated(b' ' as u32, spaces);
                    column += spaces;
                }
                code => {
                    column = if matches!(code, 10 | 13) { 0 } else { column + 1 };
                    out.push(code);
                }
            }
        }
        done
    });
    done?;
    if !seen {
        return Ok(to_exact(this));
    }
    Ok(Str::from_text(out.finish()).into_value())
}
