//! Building the `repr` of containers.

use std::collections::HashSet;

use crate::builtins::str::{Str, StrBuilder};
use crate::object::Result;
use crate::value::Value;
use crate::vm::Vm;

impl StrBuilder {
    /// Appends `repr(value)`.
    pub fn push_repr(&mut self, vm: &Vm, value: &Value) -> Result<()> {
        if let Some(n) = value.as_small_int() {
            self.push_str(&n.to_string());
            return Ok(());
        }
        let text = vm.repr(value)?;
        if let Some(text) = text.downcast::<Str>() {
            self.push_text(text);
        }
        Ok(())
    }
}

impl Vm {
    /// `open`, the `repr`s of what `item` yields separated by commas, `close`; `open + "..." + close` when the `repr` of
    /// `this` is already running. `item` is asked anew for each position, since `__repr__` may change the container.
    pub fn repr_sequence(
        &self,
        this: &Value,
        open: &str,
        close: &str,
        mut item: impl FnMut(usize) -> Option<Value>,
    ) -> Result {
        if !self.enter_repr(this) {
            return Ok(Value::from(format!("{open}...{close}")));
        }
        let mut text = StrBuilder::new();
        text.push_str(open);
        let mut at = 0;
        let mut outcome = Ok(());
        while let Some(value) = item(at) {
            if at > 0 {
                text.push_str(", ");
            }
            outcome = text.push_repr(self, &value);
            if outcome.is_err() {
                break;
            }
            at += 1;
        }
        self.leave_repr(this);
        outcome?;
        text.push_str(close);
        Ok(text.finish().into_value())
    }
}

/// The objects whose `repr` is running: few as a rule, which are looked through.
#[derive(Default)]
pub(crate) struct Running {
    first: Vec<u64>,
    others: HashSet<u64>,
}

impl Running {
    const LOOKED_THROUGH: usize = 32;

    /// False if the object is there already.
    pub fn enter(&mut self, word: u64) -> bool {
        if self.contains(word) {
            return false;
        }
        match self.first.len() < Self::LOOKED_THROUGH {
            true => self.first.push(word),
            false => drop(self.others.insert(word)),
        }
        true
    }

    pub fn contains(&self, word: u64) -> bool {
        self.first.contains(&word) || !self.others.is_empty() && self.others.contains(&word)
    }

    pub fn leave(&mut self, word: u64) {
        match self.first.iter().rposition(|first| *first == word) {
            Some(at) => drop(self.first.remove(at)),
            None => drop(self.others.remove(&word)),
        }
    }
}
