//! `_symtable`: the compiler's symbol tables, for `symtable`.
//!
//! Counterpart of CPython's `Modules/symtablemodule.c`. A table is given out as a tree of entries, one per block.

use bumpalo::Bump;
use taipan_compiler::symtable::{self as table, BlockId, BlockType, Scope, SymbolTable};
use taipan_object::builtins::dict::Dict;
use taipan_object::builtins::list::List;
use taipan_object::builtins::str::{Str, intern};
use taipan_object::header::Header;
use taipan_object::heap::Kind;
use taipan_object::native::module::ModuleDef;
use taipan_object::native::{MemberDef, MethodDef};
use taipan_object::object::Payload;
use taipan_object::types::{Type, TypeSpec, type_flags};
use taipan_object::{Ref, Result, Value, Vm, method_table};
use taipan_syntax::Mode;

use crate::builtins_module::scope::source_bytes;
use crate::compile::{self, Request};

pub static MODULE: ModuleDef = ModuleDef {
    name: "_symtable",
    doc: "",
    functions: FUNCTIONS,
    exec: |_, module| {
        for (name, value) in [
            ("USE", table::USE),
            ("DEF_GLOBAL", table::DEF_GLOBAL),
            ("DEF_NONLOCAL", table::DEF_NONLOCAL),
            ("DEF_LOCAL", table::DEF_LOCAL),
            ("DEF_PARAM", table::DEF_PARAM),
            ("DEF_TYPE_PARAM", table::DEF_TYPE_PARAM),
            ("DEF_FREE_CLASS", table::DEF_FREE_CLASS),
            ("DEF_IMPORT", table::DEF_IMPORT),
            ("DEF_BOUND", table::DEF_BOUND),
            ("DEF_ANNOT", table::DEF_ANNOT),
            ("DEF_COMP_ITER", table::DEF_COMP_ITER),
            ("DEF_COMP_CELL", table::DEF_COMP_CELL),
            ("TYPE_FUNCTION", BlockType::Function as u32),
            ("TYPE_CLASS", BlockType::Class as u32),
            ("TYPE_MODULE", BlockType::Module as u32),
            ("TYPE_ANNOTATION", BlockType::Annotation as u32),
            ("TYPE_TYPE_ALIAS", BlockType::TypeAlias as u32),
            ("TYPE_TYPE_PARAMETERS", BlockType::TypeParameters as u32),
            ("TYPE_TYPE_VARIABLE", BlockType::TypeVariable as u32),
            ("LOCAL", Scope::Local as u32),
            ("GLOBAL_EXPLICIT", Scope::GlobalExplicit as u32),
            ("GLOBAL_IMPLICIT", Scope::GlobalImplicit as u32),
            ("FREE", Scope::Free as u32),
            ("CELL", Scope::Cell as u32),
            ("SCOPE_OFF", table::SCOPE_OFFSET),
            ("SCOPE_MASK", table::SCOPE_MASK),
        ] {
            module.set(name, Value::from(value));
        }
        Ok(())
    },
};

method_table! { static FUNCTIONS = [
    MethodDef::new("symtable($module, source, filename, startstr, /)", "\
        Return the symbol table of source text; for the symtable module.", |vm, _, args| {
        symtable(vm, &args[0], &args[1], &args[2])
    }),
]; }

fn symtable(vm: &Vm, source: &Value, filename: &Value, start: &Value) -> Result {
    let start = vm.expect_str(start, |got| format!("symtable() argument 3 must be str, not {got}"))?;
    let filename = crate::import::fs_decode(vm, filename)?;
    let (source, origin) = source_bytes(vm, source, "symtable", "string or bytes")?;
    let mode = match start.as_ascii() {
        Some("exec") => Mode::Exec,
        Some("eval") => Mode::Eval,
        Some("single") => Mode::Single,
        _ => return Err(vm.value_error("symtable() arg 3 must be 'exec' or 'eval' or 'single'")),
    };
    compile::audit(vm, &source, &filename)?;
    let request = Request { filename: &filename, mode, flags: 0, optimize: 0, feature_version: -1, origin };
    let arena = Bump::new();
    let tree = compile::parse(vm, &source, &request, &arena)?;
    let options = compile::compiler_options(vm, &request);
    match taipan_compiler::symtable(&tree, &arena, &options) {
        Ok(table) => Ok(entry(vm, &table, SymbolTable::TOP)?.into_value()),
        Err(error) => Err(compile::raise_compile_error(vm, error, &filename)),
    }
}

/// An entry: what `symtable` reads of a block.
#[repr(C)]
struct Entry {
    header: Header,
    id: Value,
    name: Value,
    symbols: Value,
    varnames: Value,
    children: Value,
    nested: bool,
    ty: BlockType,
    lineno: i32,
}

// SAFETY: repr(C), header first. Entries refer to nothing that could refer back to them but by way of the lists that
// they give out; as in CPython the collector does not look at them.
unsafe impl Payload for Entry {
    const KIND: Kind = Kind::Leaf;
    fn static_type() -> &'static Type {
        ENTRY.ty()
    }
}

static ENTRY: TypeSpec = TypeSpec::new::<Entry>("symtable entry")
    .flags(type_flags::DISALLOW_INSTANTIATION)
    .slots(|s| {
        s.repr = Some(|vm, this| {
            let entry = own(this);
            let (name, id) = (vm.display_name(&entry.name), vm.repr_string(&entry.id)?);
            Ok(Value::from(format!("<symtable entry {name}({id}), line {}>", entry.lineno)))
        });
    })
    .members(MEMBERS);

fn own(value: &Value) -> &Entry {
    value.downcast::<Entry>().expect("called through its own slot")
}

static MEMBERS: &[MemberDef] = &[
    MemberDef::new("id", "", |_, this| Ok(own(this).id.clone())),
    MemberDef::new("name", "", |_, this| Ok(own(this).name.clone())),
    MemberDef::new("symbols", "", |_, this| Ok(own(this).symbols.clone())),
    MemberDef::new("varnames", "", |_, this| Ok(own(this).varnames.clone())),
    MemberDef::new("children", "", |_, this| Ok(own(this).children.clone())),
    MemberDef::new("nested", "", |_, this| Ok(Value::from(i64::from(own(this).nested)))),
    MemberDef::new("type", "", |_, this| Ok(Value::from(own(this).ty as u32))),
    MemberDef::new("lineno", "", |_, this| Ok(Value::from(own(this).lineno))),
];

fn entry(vm: &Vm, table: &SymbolTable, id: BlockId) -> Result<Ref<Entry>> {
    vm.check_stack(" during compilation")?;
    let block = table.block(id);
    let symbols = Dict::new();
    for (name, flags) in block.symbols.iter() {
        symbols.set_str(intern(name).as_value(), Value::from(*flags));
    }
    let varnames = block.varnames.iter().map(|name| intern(name).into_value()).collect();
    let children = block.children.iter().map(|child| Ok(entry(vm, table, *child)?.into_value()));
    let children = children.collect::<Result<Vec<_>>>()?;
    Ok(Ref::new(Entry {
        header: Header::new(ENTRY.ty()),
        id: Value::from(block.id),
        name: Str::new(block.name).into_value(),
        symbols: symbols.into_value(),
        varnames: List::from_vec(varnames).into_value(),
        children: List::from_vec(children).into_value(),
        nested: block.nested,
        ty: block.ty,
        lineno: block.location.lineno,
    }))
}
