//! `from __future__ import ...`: the features that a module asks for.

use taipan_bytecode::code::{CO_FUTURE_ANNOTATIONS, CO_FUTURE_BARRY_AS_BDFL};
use taipan_syntax::ast::{Mod, Stmt, StmtKind};

use crate::ast_preprocess::docstring;
use crate::error::{CompileError, Location, Result};

/// Compile flag: `await` and the like may stand outside functions.
pub const PYCF_ALLOW_TOP_LEVEL_AWAIT: u32 = 0x2000;

/// `ff_features` and where the last future statement stands.
#[derive(Clone, Copy, Debug)]
pub struct FutureFeatures {
    /// A union of `CO_FUTURE_` flags and [`PYCF_ALLOW_TOP_LEVEL_AWAIT`].
    pub features: u32,
    pub location: Location,
}

impl FutureFeatures {
    /// The features that the module's future statements name.
    pub fn from_ast(module: &Mod<'_>) -> Result<FutureFeatures> {
        let mut future = FutureFeatures { features: 0, location: Location::NONE };
        let (Mod::Module { body, .. } | Mod::Interactive { body }) = module else { return Ok(future) };
        // Only the docstring and other future statements may come before one.
        let skip = usize::from(docstring(body).is_some());
        let mut done = false;
        let mut prev_line = 0;
        for stmt in &body[skip..] {
            // Later lines are left to the code generator; on the same line it could not tell.
            if done && stmt.span.lineno > prev_line {
                break;
            }
            prev_line = stmt.span.lineno;
            if !matches!(stmt.kind, StmtKind::ImportFrom { module: Some("__future__"), level: 0, .. }) {
                done = true;
            } else if done {
                let message = "from __future__ imports must occur at the beginning of the file";
                return Err(CompileError::syntax(message, stmt.span.into()));
            } else {
                future.add(stmt)?;
                future.location = stmt.span.into();
            }
        }
        Ok(future)
    }

    pub fn annotations(&self) -> bool {
        self.features & CO_FUTURE_ANNOTATIONS != 0
    }

    pub fn allows_top_level_await(&self) -> bool {
        self.features & PYCF_ALLOW_TOP_LEVEL_AWAIT != 0
    }

    fn add(&mut self, stmt: &Stmt<'_>) -> Result {
        let StmtKind::ImportFrom { names, .. } = stmt.kind else { return Ok(()) };
        for alias in names {
            match alias.name {
                "nested_scopes" | "generators" | "division" | "absolute_import" | "with_statement"
                | "print_function" | "unicode_literals" | "generator_stop" => {}
                "barry_as_FLUFL" => self.features |= CO_FUTURE_BARRY_AS_BDFL,
                "annotations" => self.features |= CO_FUTURE_ANNOTATIONS,
                "braces" => return Err(CompileError::syntax("not a chance", alias.span.into())),
                other => {
                    let shown: String = other.chars().take(100).collect();
                    let message = format!("future feature {shown} is not defined");
                    return Err(CompileError::syntax(message, alias.span.into()));
                }
            }
        }
        Ok(())
    }
}
