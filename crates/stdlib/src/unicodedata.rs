//! `unicodedata`: the Unicode Character Database, versions 16.0.0 and 3.2.0.
//!
//! Properties are in two-level tables: a row for each [`tables::ROW`] code points, a cell in the row for each code
//! point, which numbers a record. `normalize.rs` has the normalization forms.

mod normalize;
#[rustfmt::skip]
mod tables;

use taipan_object::builtins::str::Str;
use taipan_object::header::Header;
use taipan_object::heap::Kind;
use taipan_object::native::module::{Module, ModuleDef};
use taipan_object::native::{MemberDef, MethodDef};
use taipan_object::object::Payload;
use taipan_object::types::{Type, TypeSpec, type_flags};
use taipan_object::{Ref, Result, Value, Vm, method_table};

pub static MODULE: ModuleDef = ModuleDef {
    name: "unicodedata",
    doc: "Access to the Unicode Character Database: properties, names and normalization of characters.",
    functions: FUNCTIONS,
    exec,
};

fn exec(_vm: &Vm, module: &Module) -> Result<()> {
    module.set("unidata_version", Value::from("16.0.0"));
    module.set("UCD", UCD.value());
    module.set("ucd_3_2_0", Ref::new(Ucd { header: Header::new(UCD.ty()) }).into_value());
    Ok(())
}

/// The properties of a character that the tables know by record.
pub struct Record {
    category: &'static str,
    bidirectional: &'static str,
    combining: u8,
    width: &'static str,
    mirrored: bool,
}

/// The tables of one version.
struct Database {
    records: &'static [Record],
    rows: &'static [u16],
    cells: &'static [u16],
    decomposed: &'static [u32],
    decomposition_offsets: &'static [u32],
    decomposition_lengths: &'static [u8],
    decompositions: &'static str,
    compositions: &'static [(u32, u32, u32)],
    numeric: &'static [(u32, f64, f64, i8, i8)],
}

static CURRENT: Database = Database {
    records: &tables::RECORDS,
    rows: &tables::ROWS,
    cells: &tables::CELLS,
    decomposed: &tables::DECOMPOSED,
    decomposition_offsets: &tables::DECOMPOSITION_OFFSETS,
    decomposition_lengths: &tables::DECOMPOSITION_LENGTHS,
    decompositions: tables::DECOMPOSITIONS,
    compositions: &tables::COMPOSITIONS,
    numeric: &tables::NUMERIC,
};

static OLD: Database = Database {
    records: &tables::OLD_RECORDS,
    rows: &tables::OLD_ROWS,
    cells: &tables::OLD_CELLS,
    decomposed: &tables::OLD_DECOMPOSED,
    decomposition_offsets: &tables::OLD_DECOMPOSITION_OFFSETS,
    decomposition_lengths: &tables::OLD_DECOMPOSITION_LENGTHS,
    decompositions: tables::OLD_DECOMPOSITIONS,
    compositions: &tables::OLD_COMPOSITIONS,
    numeric: &tables::OLD_NUMERIC,
};

impl Database {
    fn record(&self, point: u32) -> &'static Record {
        let (row, column) = (point as usize / tables::ROW, point as usize % tables::ROW);
        let cell = self.cells[self.rows[row] as usize * tables::ROW + column];
        &self.records[cell as usize]
    }

    /// The decomposition mapping as the database writes it, but for Hangul syllables.
    fn decomposition(&self, point: u32) -> &'static str {
        match self.decomposed.binary_search(&point) {
            Ok(at) => {
                let start = self.decomposition_offsets[at] as usize;
                &self.decompositions[start..start + self.decomposition_lengths[at] as usize]
            }
            Err(_) => "",
        }
    }

    fn numeric(&self, point: u32) -> Option<&'static (u32, f64, f64, i8, i8)> {
        let at = self.numeric.binary_search_by_key(&point, |row| row.0).ok()?;
        Some(&self.numeric[at])
    }
}

/// `unicodedata.UCD`: the database of version 3.2.0 as an object.
#[repr(C)]
struct Ucd {
    header: Header,
}

// SAFETY: repr(C), header first, nothing to visit.
unsafe impl Payload for Ucd {
    const KIND: Kind = Kind::Leaf;
    fn static_type() -> &'static Type {
        UCD.ty()
    }
}

static UCD: TypeSpec = TypeSpec::new::<Ucd>("unicodedata.UCD")
    .flags(type_flags::DISALLOW_INSTANTIATION)
    .methods(METHODS)
    .members(&[MemberDef::new("unidata_version", "", |_, _| Ok(Value::from("3.2.0")))]);

/// The version that a function answers for: the module's, or that of the object it is called on.
fn database(this: &Value) -> &'static Database {
    if this.downcast::<Ucd>().is_some() { &OLD } else { &CURRENT }
}

/// The code point of an argument that has to be one character.
fn character(vm: &Vm, value: &Value, function: &str) -> Result<u32> {
    let Some(text) = value.downcast::<Str>() else {
        let got = value.ty().name();
        return Err(vm.type_error(format!("{function}() argument must be a unicode character, not {got}")));
    };
    match &text.to_code_points()[..] {
        [point] => Ok(*point),
        points => {
            let length = points.len();
            let what = format!("{function}(): argument must be a unicode character, not a string of length {length}");
            Err(vm.type_error(what))
        }
    }
}

/// As [`character`], for functions of several arguments.
fn first_character(vm: &Vm, value: &Value, function: &str) -> Result<u32> {
    let Some(text) = value.downcast::<Str>() else {
        let got = value.ty().name();
        return Err(vm.type_error(format!("{function}() argument 1 must be a unicode character, not {got}")));
    };
    match &text.to_code_points()[..] {
        [point] => Ok(*point),
        points => {
            let length = points.len();
            let what = format!("{function}(): argument 1 must be a unicode character, not a string of length {length}");
            Err(vm.type_error(what))
        }
    }
}

fn or_default(vm: &Vm, found: Option<Value>, default: &Value, message: &str) -> Result {
    match found {
        Some(value) => Ok(value),
        None if !default.is_unbound() => Ok(default.clone()),
        None => Err(vm.value_error(message)),
    }
}

/// Code points of Hangul syllables; their decompositions follow a rule.
const HANGUL: std::ops::RangeInclusive<u32> = 0xAC00..=0xD7A3;

fn decomposition(database: &Database, point: u32) -> String {
    if HANGUL.contains(&point) {
        let parts = normalize::hangul_parts(point);
        return parts.iter().map(|part| format!("{part:04X}")).collect::<Vec<_>>().join(" ");
    }
    database.decomposition(point).to_string()
}

/// The name of a character; version 3.2.0 has names only for what it assigned.
fn name(database: &Database, point: u32) -> Option<String> {
    if std::ptr::eq(database, &OLD) && database.record(point).category == "Cn" {
        return None;
    }
    taipan_syntax::character_name(point)
}

fn form(vm: &Vm, value: &Value, function: &str) -> Result<normalize::Form> {
    let text = vm.expect_str(value, |got| format!("{function}() argument 1 must be str, not {got}"))?;
    normalize::Form::from_name(&text.to_string_lossy()).ok_or_else(|| vm.value_error("invalid normalization form"))
}

fn text<'v>(vm: &Vm, value: &'v Value, function: &str) -> Result<&'v Str> {
    vm.expect_str(value, |got| format!("{function}() argument 2 must be str, not {got}"))
}

macro_rules! functions {
    ($table:ident) => {
        method_table! { static $table = [
            MethodDef::new("decimal($self, chr, default=<unrepresentable>, /)", "The decimal value of a character.", |vm, this, args| {
                let point = first_character(vm, &args[0], "decimal")?;
                let found = database(this).numeric(point).filter(|row| row.4 >= 0).map(|row| Value::from(i64::from(row.4)));
                or_default(vm, found, &args[1], "not a decimal")
            }),
            MethodDef::new("digit($self, chr, default=<unrepresentable>, /)", "The digit value of a character.", |vm, this, args| {
                let point = first_character(vm, &args[0], "digit")?;
                let found = database(this).numeric(point).filter(|row| row.3 >= 0).map(|row| Value::from(i64::from(row.3)));
                or_default(vm, found, &args[1], "not a digit")
            }),
            MethodDef::new("numeric($self, chr, default=<unrepresentable>, /)", "The numeric value of a character.", |vm, this, args| {
                let point = first_character(vm, &args[0], "numeric")?;
                let found = database(this).numeric(point).filter(|row| row.2 != 0.0).map(|row| Value::from(row.1 / row.2));
                or_default(vm, found, &args[1], "not a numeric character")
            }),
            MethodDef::new("category($self, chr, /)", "The general category of a character.", |vm, this, args| {
                Ok(Value::from(database(this).record(character(vm, &args[0], "category")?).category))
            }),
            MethodDef::new("bidirectional($self, chr, /)", "The bidirectional class of a character, or nothing.", |vm, this, args| {
                Ok(Value::from(database(this).record(character(vm, &args[0], "bidirectional")?).bidirectional))
            }),
            MethodDef::new("combining($self, chr, /)", "The canonical combining class of a character.", |vm, this, args| {
                Ok(Value::from(i64::from(database(this).record(character(vm, &args[0], "combining")?).combining)))
            }),
            MethodDef::new("mirrored($self, chr, /)", "1 if the character is mirrored in text from right to left, else 0.", |vm, this, args| {
                Ok(Value::from(i64::from(database(this).record(character(vm, &args[0], "mirrored")?).mirrored)))
            }),
            MethodDef::new("east_asian_width($self, chr, /)", "The East Asian width of a character.", |vm, this, args| {
                Ok(Value::from(database(this).record(character(vm, &args[0], "east_asian_width")?).width))
            }),
            MethodDef::new("decomposition($self, chr, /)", "The decomposition mapping of a character, or nothing.", |vm, this, args| {
                Ok(Value::from(decomposition(database(this), character(vm, &args[0], "decomposition")?)))
            }),
            MethodDef::new("is_normalized($self, form, unistr, /)", "Whether a string is in a normalization form.", |vm, this, args| {
                vm.expect_str(&args[0], |got| format!("is_normalized() argument 1 must be str, not {got}"))?;
                let text = text(vm, &args[1], "is_normalized")?;
                if text.len() == 0 {
                    return Ok(Value::TRUE);
                }
                let form = form(vm, &args[0], "is_normalized")?;
                let points = text.to_code_points();
                Ok(Value::bool(text.as_ascii().is_some() || normalize::normalize(database(this), form, &points) == points))
            }),
            MethodDef::new("normalize($self, form, unistr, /)", "A string in the normalization form NFC, NFD, NFKC or NFKD.", |vm, this, args| {
                vm.expect_str(&args[0], |got| format!("normalize() argument 1 must be str, not {got}"))?;
                let text = text(vm, &args[1], "normalize")?;
                if text.len() == 0 {
                    return Ok(taipan_object::builtins::str::empty());
                }
                let form = form(vm, &args[0], "normalize")?;
                if text.as_ascii().is_some() && args[1].downcast_exact::<Str>().is_some() {
                    return Ok(args[1].clone());
                }
                let points = normalize::normalize(database(this), form, &text.to_code_points());
                Ok(Str::from_code_points(&points).into_value())
            }),
            MethodDef::new("name($self, chr, default=<unrepresentable>, /)", "The name of a character.", |vm, this, args| {
                let point = first_character(vm, &args[0], "name")?;
                or_default(vm, name(database(this), point).map(Value::from), &args[1], "no such name")
            }),
            MethodDef::new("lookup($self, name, /)", "The character, or sequence of characters, with a name or alias.", |vm, this, args| {
                let name = match args[0].downcast::<Str>() {
                    Some(text) => text.to_string_lossy(),
                    None => String::from_utf8_lossy(&vm.bytes_like(&args[0])?).into_owned(),
                };
                // Version 3.2.0 has no aliases.
                let known = |c: &char| {
                    !std::ptr::eq(database(this), &OLD)
                        || taipan_syntax::character_name(*c as u32).is_some_and(|own| own.eq_ignore_ascii_case(&name))
                };
                match taipan_syntax::character_by_name(&name).filter(known) {
                    Some(c) => Ok(Str::from_code_points(&[c as u32]).into_value()),
                    None => Err(vm.key_error(&Value::from(format!("undefined character name '{name}'")))),
                }
            }),
        ]; }
    };
}
functions!(FUNCTIONS);
functions!(METHODS);
