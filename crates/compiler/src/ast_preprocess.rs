//! Changes to the tree before anything else looks at it.

use bumpalo::Bump;
use taipan_syntax::ast::*;

use crate::error::Result;
use crate::future::FutureFeatures;
use crate::{Options, Warning};

/// The string that a body begins with.
pub fn docstring<'a>(body: &[Stmt<'a>]) -> Option<PyStr<'a>> {
    let StmtKind::Expr { value } = body.first()?.kind else { return None };
    let ExprKind::Constant { value: Constant::Str(text), .. } = value.kind else { return None };
    Some(text)
}

pub fn preprocess<'a>(
    module: &'a Mod<'a>,
    _arena: &'a Bump,
    _options: &Options,
    _future: FutureFeatures,
    _warnings: &mut Vec<Warning>,
) -> Result<&'a Mod<'a>> {
    Ok(module)
}
