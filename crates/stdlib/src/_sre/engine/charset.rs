//! Character sets: the code after IN, made into a table for Latin-1 and a list of items for the rest.

use super::category::{Category, Fold, Locale, unicode_upper};
use super::opcode::*;
use super::{InvalidCode, opcode};
use taipan_object::text::Unit;

#[derive(Clone, Debug)]
enum Item {
    Literal(u32),
    Range(u32, u32),
    /// A range that also has what turns into its members in upper case.
    RangeIgnore(u32, u32),
    Category(Category, bool),
    /// 256 bits.
    Bitmap(Box<[u32; 8]>),
    /// A block number for each high byte of a character of the basic plane, and the blocks, 256 bits each.
    Blocks(Box<[u8; 256]>, Box<[u32]>),
    Negate,
}

impl Item {
    fn has(&self, c: u32, locale: &Locale) -> bool {
        match self {
            Item::Negate => false,
            Item::Literal(literal) => c == *literal,
            Item::Range(first, last) => (*first..=*last).contains(&c),
            Item::RangeIgnore(first, last) => {
                (*first..=*last).contains(&c) || (*first..=*last).contains(&unicode_upper(c))
            }
            Item::Category(category, negated) => category.contains(c, locale) != *negated,
            Item::Bitmap(bits) => c < 256 && bits[c as usize / 32] >> (c % 32) & 1 != 0,
            Item::Blocks(numbers, blocks) => {
                c < 0x10000 && {
                    let block = numbers[c as usize >> 8] as usize * 8;
                    blocks[block + (c as usize & 255) / 32] >> (c % 32) & 1 != 0
                }
            }
        }
    }
}

#[derive(Clone, Debug)]
pub struct CharSet {
    table: Box<[bool; 256]>,
    items: Vec<Item>,
    fold: Fold,
}

impl CharSet {
    /// A set of one character, or of all but it.
    pub fn literal(c: u32, negated: bool, fold: Fold) -> CharSet {
        let mut items = vec![Item::Literal(c)];
        if negated {
            items.insert(0, Item::Negate);
        }
        CharSet::new(items, fold)
    }

    pub fn category(category: Category, negated: bool) -> CharSet {
        CharSet::new(vec![Item::Category(category, negated)], Fold::None)
    }

    /// Reads a set; `code` ends with the FAILURE that ends it.
    pub fn parse(code: &[u32], fold: Fold) -> Result<CharSet, InvalidCode> {
        let mut items = Vec::new();
        let mut at = 0;
        let take = |at: &mut usize, count: usize| {
            let words = code.get(*at..at.checked_add(count).ok_or(InvalidCode)?).ok_or(InvalidCode)?;
            *at += count;
            Ok(words)
        };
        loop {
            let op = take(&mut at, 1)?[0];
            items.push(match op {
                opcode::FAILURE => break,
                NEGATE => Item::Negate,
                LITERAL => Item::Literal(take(&mut at, 1)?[0]),
                RANGE | RANGE_UNI_IGNORE => {
                    let bounds = take(&mut at, 2)?;
                    let make = if op == RANGE { Item::Range } else { Item::RangeIgnore };
                    make(bounds[0], bounds[1])
                }
                CATEGORY => {
                    let (category, negated) = Category::from_code(take(&mut at, 1)?[0]).ok_or(InvalidCode)?;
                    Item::Category(category, negated)
                }
                CHARSET => Item::Bitmap(Box::new(take(&mut at, 8)?.try_into().map_err(|_| InvalidCode)?)),
                BIGCHARSET => {
                    let count = take(&mut at, 1)?[0] as usize;
                    let mut numbers = Box::new([0; 256]);
                    for (word, numbers) in take(&mut at, 64)?.iter().zip(numbers.chunks_mut(4)) {
                        numbers.copy_from_slice(&word.to_ne_bytes());
                    }
                    if numbers.iter().any(|&number| number as usize >= count) {
                        return Err(InvalidCode);
                    }
                    let words = take(&mut at, count.checked_mul(8).ok_or(InvalidCode)?)?;
                    Item::Blocks(numbers, words.into())
                }
                _ => return Err(InvalidCode),
            });
        }
        if at != code.len() {
            return Err(InvalidCode);
        }
        Ok(CharSet::new(items, fold))
    }

    fn new(items: Vec<Item>, fold: Fold) -> CharSet {
        let mut set = CharSet { table: Box::new([false; 256]), items, fold };
        if set.depends_on_locale() {
            return set;
        }
        set.fill();
        if fold != Fold::None {
            let members = *set.table;
            for c in 0..256 {
                let lower = fold.lower(c, &Locale::C);
                set.table[c as usize] = match members.get(lower as usize) {
                    Some(&member) => member,
                    None => set.has(lower, &Locale::C),
                };
            }
        }
        set
    }

    /// Makes the table as if case were not ignored. The first item that has a character decides, so the last one is written first.
    fn fill(&mut self) {
        let CharSet { table, items, .. } = self;
        let mut found = items.iter().filter(|item| matches!(item, Item::Negate)).count() % 2 == 0;
        table.fill(!found);
        for item in items.iter().rev() {
            match item {
                Item::Negate => found = !found,
                Item::Literal(c) => {
                    if let Some(member) = table.get_mut(*c as usize) {
                        *member = found;
                    }
                }
                Item::Range(first, last) => {
                    let end = (*last as usize + 1).min(256);
                    if let Some(members) = table.get_mut(*first as usize..end) {
                        members.fill(found);
                    }
                }
                Item::Bitmap(bits) => {
                    for (members, bits) in table.chunks_mut(32).zip(bits.iter()) {
                        for (at, member) in members.iter_mut().enumerate() {
                            if bits >> at & 1 != 0 {
                                *member = found;
                            }
                        }
                    }
                }
                Item::Category(category, negated) => {
                    for (member, &is_in) in table.iter_mut().zip(category.latin1()) {
                        if is_in != *negated {
                            *member = found;
                        }
                    }
                }
                Item::RangeIgnore(..) | Item::Blocks(..) => {
                    for (c, member) in (0..).zip(table.iter_mut()) {
                        if item.has(c, &Locale::C) {
                            *member = found;
                        }
                    }
                }
            }
        }
    }

    /// Whether the locale at the time of matching decides; [`CharSet::contains`] is not for such sets.
    pub fn depends_on_locale(&self) -> bool {
        self.fold == Fold::Locale
            || self.items.iter().any(|item| matches!(item, Item::Category(Category::LocaleWord, _)))
    }

    #[inline(always)]
    pub fn contains(&self, c: u32) -> bool {
        if c < 256 { self.table[c as usize] } else { self.contains_wide(c) }
    }

    #[cold]
    #[inline(never)]
    fn contains_wide(&self, c: u32) -> bool {
        self.search(c, &Locale::C)
    }

    pub fn contains_in(&self, c: u32, locale: &Locale) -> bool {
        self.search(c, locale)
    }

    /// What the set says of Latin-1.
    pub fn table(&self) -> &[bool; 256] {
        &self.table
    }

    /// Whether a character beyond Latin-1 may be in the set.
    pub fn may_have_wide(&self) -> bool {
        self.fold != Fold::None
            || !self.items.iter().all(|item| match item {
                Item::Literal(c) => *c < 256,
                Item::Range(_, last) => *last < 256,
                Item::Bitmap(_) => true,
                Item::Category(Category::Digit | Category::Space | Category::Word | Category::LineBreak, negated) => {
                    !negated
                }
                _ => false,
            })
    }

    fn search(&self, c: u32, locale: &Locale) -> bool {
        let lower = self.fold.lower(c, locale);
        if self.fold == Fold::Locale {
            let upper = locale.to_upper(c);
            return self.has(lower, locale) || (upper != lower && self.has(upper, locale));
        }
        self.has(lower, locale)
    }

    fn has(&self, c: u32, locale: &Locale) -> bool {
        let mut found = true;
        for item in &self.items {
            if matches!(item, Item::Negate) {
                found = !found;
            } else if item.has(c, locale) {
                return found;
            }
        }
        !found
    }

    /// Where the run of members that begins at `from` ends, at most at `limit`.
    #[inline]
    pub fn run_end<U: Unit>(&self, text: &[U], from: usize, limit: usize) -> usize {
        let window = &text[from..limit];
        from + window.iter().position(|unit| !self.contains(unit.code())).unwrap_or(window.len())
    }
}
