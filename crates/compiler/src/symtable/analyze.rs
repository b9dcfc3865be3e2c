//! The second pass: resolves each name of each block to a scope.
//!
//! A block is resolved knowing the names bound around it; what its children leave free comes back up and turns the
//! binding block's locals into cells. Comprehensions other than generator expressions are merged into the block around
//! them on the way (PEP 709).

use std::borrow::Cow;

use super::*;

/// The scopes of a block's symbols, by their positions.
type Scopes = Vec<Scope>;

/// What a block knows of those around it. Most blocks leave the sets as they are.
struct Outer<'o, 'a> {
    /// Names bound in enclosing functions; None at module level.
    bound: Option<Cow<'o, NameSet<'a>>>,
    /// Names declared global around.
    global: Cow<'o, NameSet<'a>>,
    type_params: Cow<'o, NameSet<'a>>,
    /// The class whose names the block may see (annotations and type parameters in a class).
    class_entry: Option<BlockId>,
}

pub(super) fn analyze(table: &mut SymbolTable<'_>) -> Result<(), CompileError> {
    let none = NameSet::new();
    let outer =
        Outer { bound: None, global: Cow::Borrowed(&none), type_params: Cow::Borrowed(&none), class_entry: None };
    analyze_block(table, SymbolTable::TOP, outer)?;
    Ok(())
}

/// Resolves a block and those in it; returns the names left free.
fn analyze_block<'a>(
    table: &mut SymbolTable<'a>,
    id: BlockId,
    mut outer: Outer<'_, 'a>,
) -> Result<NameSet<'a>, CompileError> {
    let mut free = NameSet::new();
    let mut scopes = Scopes::with_capacity(table.block(id).symbols.len());
    let mut inner_bound = NameSet::new();
    let mut child_free_names = NameSet::new();
    let mut inlined_cells = NameSet::new();

    let block = table.block(id);
    let is_class = block.ty == BlockType::Class;
    let can_see_class_scope = block.can_see_class_scope;
    let has_children = !block.children.is_empty();
    // A class's own names are invisible to what is nested in it, so what it passes on is taken before they are added.
    let global_around_class = is_class.then(|| outer.global.clone());
    if is_class && has_children {
        if let Some(bound) = &outer.bound {
            inner_bound.extend(bound);
        }
        inner_bound.insert("__class__");
        inner_bound.insert("__classdict__");
        inner_bound.insert("__conditional_annotations__");
    }
    let passes_on_locals = has_children && block.is_function_like();
    for (name, &flags) in block.symbols.iter() {
        let scope = analyze_name(table, block, name, flags, &mut outer, &mut free)?;
        if scope == Scope::Local && passes_on_locals {
            inner_bound.insert(name);
        }
        scopes.push(scope);
    }
    if has_children
        && !is_class
        && let Some(bound) = &outer.bound
    {
        inner_bound.extend(bound);
    }
    let inner_global: &NameSet<'a> = global_around_class.as_ref().unwrap_or(&outer.global);

    for index in 0..table.block(id).children.len() {
        let child = table.block(id).children[index];
        let entry = table.block(child);
        let class_entry = match entry.can_see_class_scope {
            true if is_class => Some(id),
            true => outer.class_entry,
            false => None,
        };
        let inline =
            matches!(entry.comprehension, Some(kind) if kind != ComprehensionType::Generator) && !can_see_class_scope;
        // Even a class that gives `__classdict__` another meaning.
        if class_entry == Some(id) {
            table.block_mut(id).needs_classdict = true;
        }
        let child_outer = Outer {
            bound: Some(Cow::Borrowed(&inner_bound)),
            global: Cow::Borrowed(inner_global),
            type_params: Cow::Borrowed(&*outer.type_params),
            class_entry,
        };
        let mut child_free = analyze_block(table, child, child_outer)?;
        if inline {
            inline_comprehension(table, id, child, &mut scopes, &mut child_free, &mut inlined_cells);
            table.block_mut(child).comp_inlined = true;
        }
        child_free_names.extend(&child_free);
    }
    splice_inlined_children(table, id);

    let block = table.block_mut(id);
    if block.is_function_like() {
        analyze_cells(block, &mut scopes, &mut child_free_names, &inlined_cells);
    } else if is_class {
        drop_class_free(block, &mut child_free_names);
    }
    update_symbols(
        block,
        &scopes,
        outer.bound.as_deref(),
        &child_free_names,
        &inlined_cells,
        is_class || can_see_class_scope,
    );
    free.extend(&child_free_names);
    Ok(free)
}

fn error_at_directive(block: &Block<'_>, name: &str, message: String) -> CompileError {
    let location = block.directives.iter().find(|directive| directive.name == name).map(|directive| directive.location);
    CompileError::syntax(message, location.unwrap_or(block.location))
}

fn analyze_name<'a>(
    table: &SymbolTable<'a>,
    block: &Block<'a>,
    name: &'a str,
    flags: u32,
    outer: &mut Outer<'_, 'a>,
    free: &mut NameSet<'a>,
) -> Result<Scope, CompileError> {
    if flags & DEF_GLOBAL != 0 {
        if flags & DEF_NONLOCAL != 0 {
            return Err(error_at_directive(block, name, format!("name '{name}' is nonlocal and global")));
        }
        outer.global.to_mut().insert(name);
        if let Some(bound) = &mut outer.bound {
            remove(bound, name);
        }
        return Ok(Scope::GlobalExplicit);
    }
    if flags & DEF_NONLOCAL != 0 {
        let Some(bound) = &outer.bound else {
            let message = "nonlocal declaration not allowed at module level".to_owned();
            return Err(error_at_directive(block, name, message));
        };
        if !bound.contains(name) {
            return Err(error_at_directive(block, name, format!("no binding for nonlocal '{name}' found")));
        }
        if outer.type_params.contains(name) {
            let message = format!("nonlocal binding not allowed for type parameter '{name}'");
            return Err(error_at_directive(block, name, message));
        }
        free.insert(name);
        return Ok(Scope::Free);
    }
    if flags & DEF_BOUND != 0 {
        remove(&mut outer.global, name);
        if flags & DEF_TYPE_PARAM != 0 {
            outer.type_params.to_mut().insert(name);
        } else {
            remove(&mut outer.type_params, name);
        }
        return Ok(Scope::Local);
    }
    // A name that the class around binds is looked up there at run time and then only among the globals, past any
    // enclosing function that binds it too.
    if let Some(class_entry) = outer.class_entry {
        let class_flags = table.block(class_entry).symbol(name);
        if class_flags & DEF_GLOBAL != 0 {
            return Ok(Scope::GlobalExplicit);
        }
        if class_flags & DEF_BOUND != 0 && class_flags & DEF_NONLOCAL == 0 {
            return Ok(Scope::GlobalImplicit);
        }
    }
    if outer.bound.as_ref().is_some_and(|bound| bound.contains(name)) {
        free.insert(name);
        return Ok(Scope::Free);
    }
    Ok(Scope::GlobalImplicit)
}

/// Removes a name from a set that stays shared if the name is not there.
fn remove(names: &mut Cow<'_, NameSet<'_>>, name: &str) {
    if names.contains(name) {
        names.to_mut().remove(name);
    }
}

fn is_free_in_any_child(table: &SymbolTable<'_>, id: BlockId, name: &str) -> bool {
    table.block(id).children.iter().any(|&child| table.block(child).scope(name) == Scope::Free)
}

/// Merges the symbols of a comprehension into the block that it is inlined in.
fn inline_comprehension<'a>(
    table: &mut SymbolTable<'a>,
    id: BlockId,
    comprehension: BlockId,
    scopes: &mut Scopes,
    comprehension_free: &mut NameSet<'a>,
    inlined_cells: &mut NameSet<'a>,
) {
    let symbols: Vec<(&'a str, u32)> =
        table.block(comprehension).symbols.iter().map(|(name, &flags)| (name, flags)).collect();
    let is_class = table.block(id).ty == BlockType::Class;
    for (name, flags) in symbols {
        // The iterable's parameter goes away.
        if flags & DEF_PARAM != 0 {
            continue;
        }
        let mut scope = Scope::of(flags);
        let only_flags = flags & ((1 << SCOPE_OFFSET) - 1);
        if scope == Scope::Cell || only_flags & DEF_COMP_CELL != 0 {
            inlined_cells.insert(name);
        }
        // What a class makes for its methods is not for code that runs while the class is made.
        let made_by_class = matches!(name, "__class__" | "__classdict__" | "__conditional_annotations__");
        if scope == Scope::Free && is_class && made_by_class {
            scope = Scope::GlobalImplicit;
            if !is_free_in_any_child(table, comprehension, name) {
                comprehension_free.remove(name);
            }
            table.block_mut(comprehension).symbols.remove(name);
        }
        if flags & USE != 0
            && scope == Scope::Free
            && !is_class
            && let Some(existing) = table.block_mut(id).symbols.get_mut(name)
        {
            *existing |= USE;
        }
        match table.block(id).symbols.get(name).copied() {
            None => {
                table.block_mut(id).symbols.insert(name, only_flags);
                scopes.push(scope);
            }
            // What the comprehension has free may just be a local of the block, unless it is free further in.
            Some(existing) => {
                if existing & DEF_BOUND != 0 && !is_class && !is_free_in_any_child(table, comprehension, name) {
                    comprehension_free.remove(name);
                }
            }
        }
    }
}

/// Children of inlined comprehensions become children of the block.
fn splice_inlined_children(table: &mut SymbolTable<'_>, id: BlockId) {
    let children = &table.block(id).children;
    if !children.iter().any(|&child| table.block(child).comp_inlined) {
        return;
    }
    let mut spliced = Vec::with_capacity(children.len());
    for &child in children {
        match table.block(child).comp_inlined {
            true => spliced.extend_from_slice(&table.block(child).children),
            false => spliced.push(child),
        }
    }
    table.block_mut(id).children = spliced;
}

/// Locals that are free in a child become cells and are free no longer.
fn analyze_cells(block: &Block<'_>, scopes: &mut Scopes, free: &mut NameSet<'_>, inlined_cells: &NameSet<'_>) {
    if free.is_empty() && inlined_cells.is_empty() {
        return;
    }
    for (name, scope) in block.symbols.keys().zip(scopes) {
        if *scope == Scope::Local && (free.contains(name) || inlined_cells.contains(name)) {
            *scope = Scope::Cell;
            free.remove(name);
        }
    }
}

/// The variables that a class makes for its methods are not free outside it.
fn drop_class_free(block: &mut Block<'_>, free: &mut NameSet<'_>) {
    block.needs_class_closure |= free.remove("__class__");
    block.needs_classdict |= free.remove("__classdict__");
    block.has_conditional_annotations |= free.remove("__conditional_annotations__");
}

/// Enters the scopes, and the free variables of children that pass through the block.
fn update_symbols<'a>(
    block: &mut Block<'a>,
    scopes: &Scopes,
    bound: Option<&NameSet<'a>>,
    free: &NameSet<'a>,
    inlined_cells: &NameSet<'a>,
    class_like: bool,
) {
    for ((name, flags), scope) in block.symbols.iter_mut().zip(scopes) {
        if inlined_cells.contains(name) {
            *flags |= DEF_COMP_CELL;
        }
        *flags |= scope.bits();
    }
    for name in free.iter() {
        if let Some(flags) = block.symbols.get_mut(name) {
            // A free variable of a method that the class also binds or declares.
            if class_like {
                *flags |= DEF_FREE_CLASS;
            }
        } else if bound.is_none_or(|bound| bound.contains(name)) {
            block.symbols.insert(name, Scope::Free.bits());
        }
    }
}
