//! What a codec is, and those that need no more than a table.

use super::table::{Found, Table};
use std::sync::LazyLock;
use taipan_object::text::builder::TextBuilder;

/// What a stateful codec remembers from one character to the next.
pub type State = [u8; 8];

/// Why the next character could not be converted.
pub enum Trouble {
    /// The input ends too early.
    Incomplete,
    /// So many bytes or characters are wrong.
    Illegal(usize),
}

pub trait Codec: Sync {
    fn name(&self) -> &'static str;
    /// Encodes what `text` begins with; how many characters that was. At the end of the text, which is known if `flush`,
    /// a character that could have been the first of a pair stands alone.
    fn encode(&self, state: &mut State, text: &[u32], flush: bool, out: &mut Vec<u8>) -> Result<usize, Trouble>;
    /// Decodes what `bytes` begins with; how many bytes that was.
    fn decode(&self, state: &mut State, bytes: &[u8], out: &mut TextBuilder) -> Result<usize, Trouble>;
    fn initial_encoder(&self) -> State {
        [0; 8]
    }
    fn initial_decoder(&self) -> State {
        [0; 8]
    }
    /// Ends the output.
    fn finish(&self, _state: &mut State, _out: &mut Vec<u8>) {}
}

/// A codec whose codes have one or two bytes, or three after 0x8F.
pub struct TableCodec {
    pub name: &'static str,
    pub table: &'static LazyLock<Table>,
    /// The first bytes of longer codes.
    leads: &'static [(u8, u8)],
    has_triples: bool,
}

impl TableCodec {
    pub fn decode_by_table(&self, bytes: &[u8], out: &mut TextBuilder) -> Result<usize, Trouble> {
        let first = bytes[0];
        if self.table.push(first.into(), out) {
            return Ok(1);
        }
        if !self.leads.iter().any(|(low, high)| (low..=high).contains(&&first)) {
            return Err(Trouble::Illegal(1));
        }
        let length = if self.has_triples && first == 0x8f { 3 } else { 2 };
        let Some(code) = bytes.get(..length) else { return Err(Trouble::Incomplete) };
        let code = code.iter().fold(0, |code, byte| code << 8 | u32::from(*byte));
        match self.table.text(code) {
            Found::Nothing => Err(Trouble::Illegal(1)),
            Found::Gone => Err(Trouble::Illegal(length)),
            Found::Text(..) => {
                self.table.push(code, out);
                Ok(length)
            }
        }
    }
}

/// The code for the beginning of a text in a table, and for how many characters it stands.
pub fn encode_by_table(table: &Table, text: &[u32], flush: bool) -> Result<(u32, usize), Trouble> {
    let point = text[0];
    if table.begins_pair(point) {
        match text.get(1) {
            None if !flush => return Err(Trouble::Incomplete),
            Some(second) if let Some(code) = table.pair(point, *second) => return Ok((code, 2)),
            _ => {}
        }
    }
    table.code(point).map(|code| (code, 1)).ok_or(Trouble::Illegal(1))
}

pub fn push_code(code: u32, out: &mut Vec<u8>) {
    let bytes = code.to_be_bytes();
    let leading = (code.leading_zeros() as usize / 8).min(3);
    out.extend_from_slice(&bytes[leading..]);
}

impl Codec for TableCodec {
    fn name(&self) -> &'static str {
        self.name
    }
    fn encode(&self, _: &mut State, text: &[u32], flush: bool, out: &mut Vec<u8>) -> Result<usize, Trouble> {
        let (code, used) = encode_by_table(self.table, text, flush)?;
        push_code(code, out);
        Ok(used)
    }
    fn decode(&self, _: &mut State, bytes: &[u8], out: &mut TextBuilder) -> Result<usize, Trouble> {
        self.decode_by_table(bytes, out)
    }
}

macro_rules! tables {
    ($($table:ident = [$($file:literal),*] $gone:literal;)*) => { $(
        static $table: LazyLock<Table> =
            LazyLock::new(|| Table::parse(&[$(include_str!(concat!("tables/", $file, ".txt"))),*], $gone));
    )* };
}

tables! {
    GB2312_TABLE = ["gb2312"] false;
    GBK_TABLE = ["gb2312", "gbk"] false;
    GB18030_TABLE = ["gb2312", "gbk", "gb18030"] false;
    BIG5_TABLE = ["big5"] false;
    CP950_TABLE = ["big5", "cp950"] false;
    BIG5HKSCS_TABLE = ["big5", "big5hkscs"] false;
    SHIFT_JIS_TABLE = ["shift_jis"] false;
    CP932_TABLE = ["shift_jis", "cp932"] false;
    SHIFT_JIS_2004_TABLE = ["shift_jis", "shift_jis_2004"] false;
    SHIFT_JISX0213_TABLE = ["shift_jis", "shift_jis_2004", "shift_jisx0213"] true;
    EUC_JP_TABLE = ["euc_jp"] false;
    EUC_JIS_2004_TABLE = ["euc_jp", "euc_jis_2004"] false;
    EUC_JISX0213_TABLE = ["euc_jp", "euc_jis_2004", "euc_jisx0213"] true;
    EUC_KR_TABLE = ["euc_kr"] false;
    CP949_TABLE = ["euc_kr", "cp949"] false;
    JOHAB_TABLE = ["johab"] false;
}

/// Every byte beyond ASCII may begin a code: whether it does is only seen with the second one.
const ALL: &[(u8, u8)] = &[(0x80, 0xff)];

macro_rules! table_codecs {
    ($($codec:ident = $name:literal $table:ident $leads:expr, $triples:literal;)*) => { $(
        pub static $codec: TableCodec = TableCodec { name: $name, table: &$table, leads: $leads, has_triples: $triples };
    )* };
}

table_codecs! {
    GB2312 = "gb2312" GB2312_TABLE ALL, false;
    GBK = "gbk" GBK_TABLE ALL, false;
    GB18030_DOUBLE = "gb18030" GB18030_TABLE ALL, false;
    BIG5 = "big5" BIG5_TABLE ALL, false;
    CP950 = "cp950" CP950_TABLE ALL, false;
    BIG5HKSCS = "big5hkscs" BIG5HKSCS_TABLE ALL, false;
    SHIFT_JIS = "shift_jis" SHIFT_JIS_TABLE &[(0x81, 0x9f), (0xe0, 0xea)], false;
    CP932 = "cp932" CP932_TABLE &[(0x81, 0x9f), (0xe0, 0xfc)], false;
    SHIFT_JIS_2004 = "shift_jis_2004" SHIFT_JIS_2004_TABLE &[(0x81, 0x9f), (0xe0, 0xfc)], false;
    SHIFT_JISX0213 = "shift_jisx0213" SHIFT_JISX0213_TABLE &[(0x81, 0x9f), (0xe0, 0xfc)], false;
    EUC_JP = "euc_jp" EUC_JP_TABLE ALL, true;
    EUC_JIS_2004 = "euc_jis_2004" EUC_JIS_2004_TABLE ALL, true;
    EUC_JISX0213 = "euc_jisx0213" EUC_JISX0213_TABLE ALL, true;
    EUC_KR_DOUBLE = "euc_kr" EUC_KR_TABLE ALL, false;
    CP949 = "cp949" CP949_TABLE ALL, false;
    JOHAB = "johab" JOHAB_TABLE ALL, false;
}
