//! Frame blocks: the loops, handlers and context managers around the place being written, and how to leave them.

use super::*;

#[derive(Clone, Copy)]
pub(crate) enum FBlockKind<'a> {
    WhileLoop,
    ForLoop,
    TryExcept,
    /// The body of a `try` with the statements of its `finally`.
    FinallyTry(&'a [Stmt<'a>]),
    FinallyEnd,
    With,
    AsyncWith,
    /// An `except` clause with the name that it binds.
    HandlerCleanup(Option<&'a str>),
    PopValue,
    ExceptionHandler,
    ExceptionGroupHandler,
    AsyncComprehensionGenerator,
    StopIteration,
}

#[derive(Clone, Copy)]
pub(crate) struct FBlock<'a> {
    pub kind: FBlockKind<'a>,
    /// Where `continue` goes.
    pub block: Option<Label>,
    pub location: Location,
    /// Where `break` goes.
    pub exit: Option<Label>,
}

/// CPython's limit, kept because programs and tests know it.
const MAX_BLOCKS: usize = 21;

impl<'a> Compiler<'a, '_> {
    pub(super) fn push_fblock(
        &mut self,
        location: Location,
        kind: FBlockKind<'a>,
        block: Option<Label>,
        exit: Option<Label>,
    ) -> Result {
        if self.unit().fblocks.len() >= MAX_BLOCKS {
            return Err(self.error(location, "too many statically nested blocks"));
        }
        self.unit_mut().fblocks.push(FBlock { kind, block, location, exit });
        Ok(())
    }

    pub(super) fn pop_fblock(&mut self) {
        self.unit_mut().fblocks.pop();
    }

    /// Writes what leaving a block takes. `location` changes to what follows it. `preserve_tos` says that the topmost
    /// value is to stay.
    pub(super) fn unwind_fblock(&mut self, location: &mut Location, fblock: &FBlock<'a>, preserve_tos: bool) -> Result {
        match fblock.kind {
            FBlockKind::WhileLoop
            | FBlockKind::ExceptionHandler
            | FBlockKind::ExceptionGroupHandler
            | FBlockKind::AsyncComprehensionGenerator
            | FBlockKind::StopIteration => {}
            FBlockKind::ForLoop | FBlockKind::PopValue => {
                if preserve_tos {
                    self.addop_i(*location, Opcode::SWAP, 2);
                }
                self.addop(*location, Opcode::POP_TOP);
            }
            FBlockKind::TryExcept => self.addop(*location, Opcode::POP_BLOCK),
            FBlockKind::FinallyTry(finalbody) => {
                self.addop(*location, Opcode::POP_BLOCK);
                if preserve_tos {
                    self.push_fblock(*location, FBlockKind::PopValue, None, None)?;
                }
                self.stmts(finalbody)?;
                if preserve_tos {
                    self.pop_fblock();
                }
                // The body of the `finally` appears to run after the statement that leaves.
                *location = Location::NONE;
            }
            FBlockKind::FinallyEnd => {
                if preserve_tos {
                    self.addop_i(*location, Opcode::SWAP, 2);
                }
                self.addop(*location, Opcode::POP_TOP);
                if preserve_tos {
                    self.addop_i(*location, Opcode::SWAP, 2);
                }
                self.addop(*location, Opcode::POP_BLOCK);
                self.addop(*location, Opcode::POP_EXCEPT);
            }
            FBlockKind::With | FBlockKind::AsyncWith => {
                *location = fblock.location;
                self.addop(*location, Opcode::POP_BLOCK);
                if preserve_tos {
                    self.addop_i(*location, Opcode::SWAP, 3);
                    self.addop_i(*location, Opcode::SWAP, 2);
                }
                self.call_exit_with_nones(*location);
                if matches!(fblock.kind, FBlockKind::AsyncWith) {
                    self.addop_i(*location, Opcode::GET_AWAITABLE, 2);
                    self.load_none(*location);
                    self.yield_from(*location, true);
                }
                self.addop(*location, Opcode::POP_TOP);
                *location = Location::NONE;
            }
            FBlockKind::HandlerCleanup(name) => {
                if name.is_some() {
                    self.addop(*location, Opcode::POP_BLOCK);
                }
                if preserve_tos {
                    self.addop_i(*location, Opcode::SWAP, 2);
                }
                self.addop(*location, Opcode::POP_BLOCK);
                self.addop(*location, Opcode::POP_EXCEPT);
                if let Some(name) = name {
                    self.clear_name(*location, name)?;
                }
            }
        }
        Ok(())
    }

    /// Leaves all blocks, or when `to_loop` is given those inside the innermost loop, which is returned.
    pub(super) fn unwind_fblock_stack(
        &mut self,
        location: &mut Location,
        preserve_tos: bool,
        to_loop: bool,
    ) -> Result<Option<FBlock<'a>>> {
        let mut left = Vec::new();
        let mut found = None;
        while let Some(&top) = self.unit().fblocks.last() {
            match top.kind {
                FBlockKind::ExceptionGroupHandler => {
                    let message = "'break', 'continue' and 'return' cannot appear in an except* block";
                    return Err(self.error(*location, message));
                }
                FBlockKind::WhileLoop | FBlockKind::ForLoop if to_loop => {
                    found = Some(top);
                    break;
                }
                _ => {}
            }
            // What is written while leaving a block is outside it.
            self.pop_fblock();
            left.push(top);
            self.unwind_fblock(location, &top, preserve_tos)?;
        }
        self.unit_mut().fblocks.extend(left.into_iter().rev());
        Ok(found)
    }

    /// `name = None; del name`: ends the life of an exception's name.
    pub(super) fn clear_name(&mut self, location: Location, name: &'a str) -> Result {
        self.load_none(location);
        self.store_name(location, name)?;
        self.delete_name(location, name)
    }

    pub(super) fn call_exit_with_nones(&mut self, location: Location) {
        for _ in 0..3 {
            self.load_none(location);
        }
        self.addop_i(location, Opcode::CALL, 3);
    }

    pub(super) fn pop_except_and_reraise(&mut self, location: Location) {
        self.addop_i(location, Opcode::COPY, 3);
        self.addop(location, Opcode::POP_EXCEPT);
        self.addop_i(location, Opcode::RERAISE, 1);
    }
}
