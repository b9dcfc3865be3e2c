//! The line being edited on the screen.
//!
//! The last line of the prompt and the line are written anew at every change, over as many rows as they need; on
//! terminals without escape sequences over one.

use std::io::Write;

use super::encode;

/// What is on the screen.
pub struct Display {
    /// The prompt's last line, and what comes before it.
    prompt: Vec<u32>,
    preceding: Vec<u32>,
    /// The row of the cursor, from the prompt's.
    row: usize,
    /// The number of columns written on a terminal that cannot clear.
    written: usize,
    dumb: bool,
}

/// How many columns a character takes.
fn width(point: u32) -> usize {
    match point {
        0x300..=0x36f | 0x200b..=0x200f | 0x20d0..=0x20ff | 0xfe00..=0xfe0f | 0xfe20..=0xfe2f => 0,
        0x1100..=0x115f
        | 0x2e80..=0x303e
        | 0x3041..=0xa4cf
        | 0xac00..=0xd7a3
        | 0xf900..=0xfaff
        | 0xfe30..=0xfe6f
        | 0xff00..=0xff60
        | 0xffe0..=0xffe6
        | 0x1f300..=0x1f64f
        | 0x1f900..=0x1f9ff
        | 0x20000..=0x3fffd => 2,
        _ => 1,
    }
}

/// A character of the line as it is shown.
fn shown(point: u32, column: usize) -> Vec<u32> {
    match point {
        0x09 => vec![u32::from(b' '); 8 - column % 8],
        0x00..=0x1f => vec![u32::from(b'^'), point + 0x40],
        0x7f => vec![u32::from(b'^'), u32::from(b'?')],
        point => vec![point],
    }
}

/// The width of the terminal.
pub fn columns() -> usize {
    // SAFETY: zeros are a valid winsize, which the request fills.
    let mut size: libc::winsize = unsafe { std::mem::zeroed() };
    let known = unsafe { libc::ioctl(1, libc::TIOCGWINSZ, &mut size) } == 0 && size.ws_col > 0;
    if known { usize::from(size.ws_col) } else { 80 }
}

/// Writes to the terminal. That it fails will show when the next key is read.
pub fn write(bytes: &[u8]) {
    let mut stdout = std::io::stdout();
    let _ = stdout.write_all(bytes).and_then(|()| stdout.flush());
}

impl Display {
    pub fn new(prompt: &[u32]) -> Display {
        let newline = prompt.iter().rposition(|point| *point == u32::from(b'\n'));
        let (preceding, last) = prompt.split_at(newline.map_or(0, |at| at + 1));
        let dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb" || term.is_empty());
        Display { prompt: last.to_vec(), preceding: preceding.to_vec(), row: 0, written: 0, dumb }
    }

    /// Shows the prompt with the line on a fresh row.
    pub fn start(&mut self, line: &[u32], point: usize) {
        write(&encode(&visible(&self.preceding)));
        (self.row, self.written) = (0, 0);
        self.refresh(line, point);
    }

    /// Shows the line as it is now, with the prompt.
    pub fn refresh(&mut self, line: &[u32], point: usize) {
        let prompt = self.prompt.clone();
        self.refresh_with(&prompt, line, point);
    }

    /// Shows the line with another prompt.
    pub fn refresh_with(&mut self, prompt: &[u32], line: &[u32], point: usize) {
        let columns = columns();
        let mut output = Vec::new();
        if !self.dumb && self.row > 0 {
            output.extend(format!("\x1b[{}A", self.row).into_bytes());
        }
        output.push(b'\r');
        if !self.dumb {
            output.extend_from_slice(b"\x1b[J");
        }
        output.extend(encode(&visible(prompt)));
        let start = prompt_width(prompt);
        let (mut at, mut cursor) = (start, start);
        let mut cells = Vec::new();
        for (index, character) in line.iter().enumerate() {
            if index == point {
                cursor = at;
            }
            for cell in shown(*character, at) {
                // A wide character does not start in the last column.
                let needed = width(cell);
                if needed == 2 && at % columns == columns - 1 {
                    cells.push(u32::from(b' '));
                    at += 1;
                }
                cells.push(cell);
                at += needed;
            }
        }
        if point >= line.len() {
            cursor = at;
        }
        output.extend(encode(&cells));
        if self.dumb {
            let blanks = self.written.saturating_sub(at);
            output.extend(std::iter::repeat_n(b' ', blanks));
            output.extend(std::iter::repeat_n(b'\x08', blanks + (at - cursor)));
            self.written = at;
        } else {
            if at > 0 && at % columns == 0 {
                // Off the margin, where terminals let the cursor hang.
                output.extend_from_slice(b"\n\r");
            }
            let up = at / columns - cursor / columns;
            if up > 0 {
                output.extend(format!("\x1b[{up}A").into_bytes());
            }
            output.push(b'\r');
            if cursor % columns > 0 {
                output.extend(format!("\x1b[{}C", cursor % columns).into_bytes());
            }
            self.row = cursor / columns;
        }
        write(&output);
    }

    /// Moves below the line, which stays on the screen.
    pub fn leave(&mut self, line: &[u32]) {
        self.refresh(line, line.len());
        write(b"\n");
        (self.row, self.written) = (0, 0);
    }

    pub fn clear_screen(&mut self) {
        if !self.dumb {
            write(b"\x1b[H\x1b[2J");
        }
        (self.row, self.written) = (0, 0);
    }
}

/// A prompt without the marks around what takes no room.
fn visible(prompt: &[u32]) -> Vec<u32> {
    prompt.iter().copied().filter(|point| !matches!(point, 1 | 2)).collect()
}

/// The columns of a prompt: without what is between the marks `\x01` and `\x02`, and escape sequences.
fn prompt_width(prompt: &[u32]) -> usize {
    let (mut total, mut hidden, mut escape) = (0, false, false);
    for point in prompt {
        match point {
            1 => hidden = true,
            2 => hidden = false,
            _ if hidden => {}
            0x1b => escape = true,
            _ if escape => escape = !char::from_u32(*point).is_some_and(|c| c.is_ascii_alphabetic()),
            _ => total += width(*point),
        }
    }
    total
}

/// Strings in columns, sorted downwards, as many side by side as fit.
pub fn in_columns(items: &[Vec<u32>]) -> Vec<u8> {
    let widths: Vec<usize> = items.iter().map(|item| item.iter().map(|point| width(*point)).sum()).collect();
    let column = widths.iter().max().copied().unwrap_or(0) + 2;
    let across = (columns() / column).max(1);
    let down = items.len().div_ceil(across);
    let mut output = Vec::new();
    for row in 0..down {
        for at in (row..items.len()).step_by(down) {
            output.extend(encode(&items[at]));
            if at + down < items.len() {
                output.extend(std::iter::repeat_n(b' ', column - widths[at]));
            }
        }
        output.push(b'\n');
    }
    output
}
