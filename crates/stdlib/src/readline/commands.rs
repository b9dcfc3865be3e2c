//! What keys do to the line being edited.

use super::State;

macro_rules! commands {
    ($($variant:ident = $name:literal,)*) => {
        /// A named command.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub enum Command {
            $( $variant, )*
        }
        impl Command {
            /// The command that GNU readline calls so.
            pub fn by_name(name: &str) -> Option<Command> {
                match name.to_ascii_lowercase().as_str() {
                    $( $name => Some(Command::$variant), )*
                    "rl_complete" => Some(Command::Complete),
                    _ => None,
                }
            }
        }
    };
}

commands! {
    Abort = "abort",
    AcceptLine = "accept-line",
    BackwardChar = "backward-char",
    BackwardDeleteChar = "backward-delete-char",
    BackwardKillLine = "backward-kill-line",
    BackwardKillWord = "backward-kill-word",
    BackwardWord = "backward-word",
    BeginningOfHistory = "beginning-of-history",
    BeginningOfLine = "beginning-of-line",
    CapitalizeWord = "capitalize-word",
    ClearScreen = "clear-screen",
    Complete = "complete",
    DeleteChar = "delete-char",
    DeleteHorizontalSpace = "delete-horizontal-space",
    DowncaseWord = "downcase-word",
    EndOfHistory = "end-of-history",
    EndOfLine = "end-of-line",
    ForwardChar = "forward-char",
    ForwardSearchHistory = "forward-search-history",
    ForwardWord = "forward-word",
    HistorySearchBackward = "history-search-backward",
    HistorySearchForward = "history-search-forward",
    InsertCompletions = "insert-completions",
    KillLine = "kill-line",
    KillWholeLine = "kill-whole-line",
    KillWord = "kill-word",
    MenuComplete = "menu-complete",
    NextHistory = "next-history",
    PossibleCompletions = "possible-completions",
    PreviousHistory = "previous-history",
    QuotedInsert = "quoted-insert",
    RedrawCurrentLine = "redraw-current-line",
    ReverseSearchHistory = "reverse-search-history",
    RevertLine = "revert-line",
    SelfInsert = "self-insert",
    TabInsert = "tab-insert",
    TransposeChars = "transpose-chars",
    TransposeWords = "transpose-words",
    Undo = "undo",
    UnixLineDiscard = "unix-line-discard",
    UnixWordRubout = "unix-word-rubout",
    UpcaseWord = "upcase-word",
    Yank = "yank",
    YankLastArg = "yank-last-arg",
    YankPop = "yank-pop",
}

impl Command {
    /// Whether it removes text that `yank` brings back.
    pub fn kills(self) -> bool {
        use Command::*;
        matches!(
            self,
            BackwardKillLine
                | BackwardKillWord
                | KillLine
                | KillWholeLine
                | KillWord
                | UnixLineDiscard
                | UnixWordRubout
        )
    }
}

fn is_word(point: u32) -> bool {
    char::from_u32(point).is_none_or(char::is_alphanumeric)
}

fn is_space(point: u32) -> bool {
    point == u32::from(b' ') || point == u32::from(b'\t')
}

fn change_case(point: u32, upper: bool) -> u32 {
    let Some(c) = char::from_u32(point) else { return point };
    let changed = if upper { c.to_uppercase().next() } else { c.to_lowercase().next() };
    changed.map_or(point, u32::from)
}

impl State {
    /// Inserts text at the cursor.
    pub fn insert(&mut self, text: &[u32]) {
        let at = self.point.min(self.line.len());
        self.line.splice(at..at, text.iter().copied());
        self.point = at + text.len();
    }

    /// Replaces the line; the cursor goes to its end.
    pub fn set_line(&mut self, line: Vec<u32>) {
        self.point = line.len();
        self.line = line;
    }

    /// Removes a part of the line, with the cursor where it was.
    fn cut(&mut self, from: usize, to: usize) -> Vec<u32> {
        self.point = from;
        self.line.drain(from..to).collect()
    }

    fn word_end(&self, from: usize) -> usize {
        let mut at = from;
        while at < self.line.len() && !is_word(self.line[at]) {
            at += 1;
        }
        while at < self.line.len() && is_word(self.line[at]) {
            at += 1;
        }
        at
    }

    fn word_start(&self, from: usize) -> usize {
        let mut at = from;
        while at > 0 && !is_word(self.line[at - 1]) {
            at -= 1;
        }
        while at > 0 && is_word(self.line[at - 1]) {
            at -= 1;
        }
        at
    }

    /// Moves the cursor, or changes the line in a way that needs nothing else. False if there is nothing to do.
    pub fn edit(&mut self, command: Command) -> bool {
        let (point, length) = (self.point, self.line.len());
        match command {
            Command::BeginningOfLine => self.point = 0,
            Command::EndOfLine => self.point = length,
            Command::ForwardChar if point < length => self.point += 1,
            Command::BackwardChar if point > 0 => self.point -= 1,
            Command::ForwardWord => self.point = self.word_end(point),
            Command::BackwardWord => self.point = self.word_start(point),
            Command::DeleteChar if point < length => {
                self.line.remove(point);
            }
            Command::BackwardDeleteChar if point > 0 => {
                self.point -= 1;
                self.line.remove(self.point);
            }
            Command::TabInsert => self.insert(&[u32::from(b'\t')]),
            Command::TransposeChars if length > 1 && point > 0 => {
                let at = point.min(length - 1);
                self.line.swap(at - 1, at);
                self.point = at + 1;
            }
            Command::TransposeWords => return self.transpose_words(),
            Command::UpcaseWord | Command::DowncaseWord | Command::CapitalizeWord => {
                let end = self.word_end(point);
                let mut inside = false;
                for place in &mut self.line[point..end] {
                    let upper = match command {
                        Command::UpcaseWord => true,
                        Command::DowncaseWord => false,
                        _ => !inside,
                    };
                    inside = is_word(*place);
                    if inside {
                        *place = change_case(*place, upper);
                    }
                }
                self.point = end;
            }
            Command::DeleteHorizontalSpace => {
                let start = self.line[..point].iter().rposition(|c| !is_space(*c)).map_or(0, |at| at + 1);
                let end = self.line[point..].iter().position(|c| !is_space(*c)).map_or(length, |at| point + at);
                self.cut(start, end);
            }
            _ => return false,
        }
        true
    }

    fn transpose_words(&mut self) -> bool {
        let second_end = self.word_end(self.point);
        let second = self.word_start(second_end);
        let first = self.word_start(second);
        let first_end = self.word_end(first);
        if first == second || first_end > second {
            return false;
        }
        let words = [&self.line[second..second_end], &self.line[first_end..second], &self.line[first..first_end]];
        let swapped: Vec<u32> = words.concat();
        self.line.splice(first..second_end, swapped);
        self.point = second_end;
        true
    }

    /// Removes what a killing command removes; the text, and whether it was before the cursor.
    pub fn kill(&mut self, command: Command) -> (Vec<u32>, bool) {
        let (point, length) = (self.point, self.line.len());
        match command {
            Command::KillLine => (self.cut(point, length), false),
            Command::KillWholeLine => (self.cut(0, length), false),
            Command::KillWord => {
                let end = self.word_end(point);
                (self.cut(point, end), false)
            }
            Command::BackwardKillWord => {
                let start = self.word_start(point);
                (self.cut(start, point), true)
            }
            Command::UnixWordRubout => {
                let mut start = point;
                while start > 0 && is_space(self.line[start - 1]) {
                    start -= 1;
                }
                while start > 0 && !is_space(self.line[start - 1]) {
                    start -= 1;
                }
                (self.cut(start, point), true)
            }
            _ => (self.cut(0, point), true),
        }
    }
}
