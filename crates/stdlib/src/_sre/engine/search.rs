//! Searching: tries the places where a match may begin, in order.

use super::MatchError;
use super::run::State;
use super::start::Start;
use taipan_object::text::Unit;

impl<U: Unit> State<'_, U> {
    /// Finds the first match at or after [`State::start`].
    pub fn search(&mut self) -> Result<bool, MatchError> {
        self.reset();
        self.match_all = false;
        let program = self.program;
        let text = self.text;
        // The last place with room for the shortest match.
        let Some(last) = text.len().checked_sub(program.min_width).filter(|&last| self.start <= last) else {
            return Ok(false);
        };
        let mut from = self.start;
        while let Some(at) = program.start.find(text, from, last) {
            self.must_advance &= at == from && at == self.start;
            self.start = at;
            if let Start::Literal(prefix) = &program.start
                && prefix.whole
            {
                self.ptr = at + prefix.len();
                return Ok(true);
            }
            if self.run(at)? {
                return Ok(true);
            }
            self.must_advance = false;
            self.tick()?;
            from = at + 1;
        }
        Ok(false)
    }
}
