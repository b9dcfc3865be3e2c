//! The contents of a zone, and what it says of a time.

use super::rule::{Abbreviations, Rule};
use crate::_datetime::datetime::DateTime;
use crate::_datetime::timedelta::{self, Delta};
use taipan_object::builtins::bytes::Bytes;
use taipan_object::builtins::int;
use taipan_object::builtins::tuple::Tuple;
use taipan_object::object::Visitor;
use taipan_object::{Result, Value, Vm};

/// The ordinal of 1 January 1970.
pub const EPOCH_ORDINAL: i64 = 719_163;

/// What holds in a zone for some time.
#[derive(Clone)]
pub struct Info {
    /// Timedeltas.
    pub utcoff: Value,
    pub dstoff: Value,
    pub tzname: Value,
    seconds: i64,
    dst_seconds: i64,
}

impl Info {
    pub fn new(seconds: i64, dst_seconds: i64, tzname: Value) -> Info {
        let delta = |seconds| timedelta::new(Delta::from_seconds(seconds, 0));
        Info { utcoff: delta(seconds), dstoff: delta(dst_seconds), tzname, seconds, dst_seconds }
    }

    fn same(&self, vm: &Vm, other: &Info) -> Result<bool> {
        let numbers = (self.seconds, self.dst_seconds) == (other.seconds, other.dst_seconds);
        Ok(numbers && vm.equal(&self.tzname, &other.tzname)?)
    }
}

/// What follows the last transition.
enum After {
    For(Info),
    /// Standard time and summer time, for ever.
    Rule {
        std: Info,
        dst: Info,
        rule: Rule,
    },
}

pub struct Zone {
    /// The transitions, as timestamps.
    utc: Vec<i64>,
    /// The same in local time, as it is for either fold.
    wall: [Vec<i64>; 2],
    /// What holds from each transition on.
    infos: Vec<Info>,
    /// What held before the first one.
    before: Option<Info>,
    after: After,
    /// The zone never changes.
    is_fixed: bool,
}

/// The local time of a datetime as seconds since 1970.
pub fn local_timestamp(datetime: &DateTime) -> i64 {
    (datetime.date().ymd().ordinal() - EPOCH_ORDINAL) * 86_400 + datetime.packed().hms().seconds()
}

/// A sequence of ints that `_common.load_data` returned.
fn ints(vm: &Vm, value: &Value) -> Result<Vec<i64>> {
    let items = vm.collect(value)?;
    let number = |item: &Value| int::to_i64(item).ok_or_else(|| vm.value_error("invalid number in time zone data"));
    items.iter().map(number).collect()
}

impl Zone {
    /// Reads a TZif file.
    pub fn load(vm: &Vm, file: &Value) -> Result<Zone> {
        let common = vm.import("zoneinfo._common")?;
        let data = vm.call_method(&common, "load_data", std::slice::from_ref(file))?;
        let Some([indices, utc, offsets, is_dst, names, tz]) = data.downcast::<Tuple>().map(Tuple::as_slice) else {
            return Err(vm.type_error("Invalid data result type: load_data() must return a tuple of 6 items"));
        };
        let indices: Vec<usize> = ints(vm, indices)?.into_iter().map(|index| index as usize).collect();
        let (utc, offsets) = (ints(vm, utc)?, ints(vm, offsets)?);
        let (is_dst, names) = (ints(vm, is_dst)?, vm.collect(names)?);
        let count = offsets.len();
        if is_dst.len() != count || names.len() != count || utc.len() != indices.len() {
            return Err(vm.value_error("Invalid time zone data: the lengths differ"));
        }
        if let Some(index) = indices.iter().find(|index| **index >= count) {
            return Err(vm.value_error(format!("Invalid transition index found while reading TZif: {index}")));
        }
        let is_dst: Vec<bool> = is_dst.into_iter().map(|flag| flag != 0).collect();
        let savings = savings(&indices, &offsets, &is_dst);
        let kinds: Vec<Info> = (0..count).map(|at| Info::new(offsets[at], savings[at], names[at].clone())).collect();
        let wall = [wall_times(&indices, &utc, &offsets, i64::max), wall_times(&indices, &utc, &offsets, i64::min)];
        let infos: Vec<Info> = indices.iter().map(|index| kinds[*index].clone()).collect();
        let first_standard = is_dst.iter().position(|dst| !dst).map(|at| kinds[at].clone());
        let before = first_standard.or_else(|| infos.first().cloned());
        let after = match tz.downcast::<Bytes>().map(Bytes::as_slice) {
            Some(text) if !text.is_empty() => {
                let (Abbreviations { std, dst }, rule) = Rule::parse(vm, text)?;
                let std = Info::new(rule.std_offset, 0, std);
                match dst {
                    None => After::For(std),
                    Some(dst) => {
                        let dst = Info::new(rule.dst_offset, rule.dst_offset - rule.std_offset, dst);
                        After::Rule { std, dst, rule }
                    }
                }
            }
            _ => match infos.last().or(kinds.last()) {
                Some(last) => After::For(last.clone()),
                None => return Err(vm.value_error("No time zone information found.")),
            },
        };
        let is_fixed = match (&after, kinds.as_slice()) {
            (After::Rule { .. }, _) => false,
            (After::For(_), []) => true,
            (After::For(after), [only]) => only.same(vm, after)?,
            _ => false,
        };
        Ok(Zone { utc, wall, infos, before, after, is_fixed })
    }

    pub fn for_each_value(&self, visit: Visitor) {
        let mut each = |info: &Info| {
            visit(&info.utcoff);
            visit(&info.dstoff);
            visit(&info.tzname);
        };
        self.infos.iter().chain(&self.before).for_each(&mut each);
        match &self.after {
            After::For(info) => each(info),
            After::Rule { std, dst, .. } => {
                each(std);
                each(dst);
            }
        }
    }

    /// What holds at any time, if that does not depend on it.
    pub fn fixed(&self) -> Option<&Info> {
        match &self.after {
            After::For(info) if self.is_fixed => Some(info),
            _ => None,
        }
    }

    fn before(&self) -> &Info {
        match (&self.before, &self.after) {
            (Some(before), _) => before,
            (None, After::For(info) | After::Rule { std: info, .. }) => info,
        }
    }

    /// What holds at a local time.
    pub fn at_local(&self, timestamp: i64, year: i64, fold: bool) -> &Info {
        let wall = &self.wall[usize::from(fold)];
        match (wall.first(), wall.last()) {
            (Some(first), _) if timestamp < *first => self.before(),
            (Some(_), Some(last)) if timestamp <= *last => {
                // The last transition not after the time.
                let at = wall.partition_point(|transition| *transition <= timestamp);
                &self.infos[at - 1]
            }
            _ => match &self.after {
                After::For(info) => info,
                After::Rule { std, dst, rule } => {
                    if rule.is_dst_at_local(timestamp, year, fold) {
                        dst
                    } else {
                        std
                    }
                }
            },
        }
    }

    /// What holds at a UTC time, and whether the local time is the second one of that name.
    pub fn at_utc(&self, timestamp: i64, year: i64) -> (&Info, bool) {
        let count = self.utc.len();
        if count > 0 && timestamp < self.utc[0] {
            return (self.before(), false);
        }
        let is_after = count == 0 || timestamp > self.utc[count - 1];
        match &self.after {
            After::Rule { std, dst, rule } if is_after => {
                let (is_dst, fold) = rule.at_utc(timestamp, year);
                return (if is_dst { dst } else { std }, fold);
            }
            After::For(info) if count == 0 => return (info, false),
            _ => {}
        }
        let at = self.utc.partition_point(|transition| *transition <= timestamp);
        let (previous, info) = match &self.after {
            _ if count > 1 && timestamp >= self.utc[1] => (&self.infos[at - 2], &self.infos[at - 1]),
            After::For(after) if is_after => (self.before(), after),
            _ => (self.before(), &self.infos[0]),
        };
        let shift = previous.seconds - info.seconds;
        (info, shift > timestamp.saturating_sub(self.utc[at - 1]))
    }
}

/// How far summer time is ahead of standard time, for each kind of time: files only say which kinds are summer time, so
/// that it has to be found from what precedes or follows it.
fn savings(indices: &[usize], offsets: &[i64], is_dst: &[bool]) -> Vec<i64> {
    let count = is_dst.len();
    let mut savings = vec![0; count];
    let wanted = is_dst.iter().filter(|dst| **dst).count();
    let mut found = 0;
    for at in 1..indices.len() {
        if found == wanted {
            return savings;
        }
        let kind = indices[at];
        if !is_dst[kind] || savings[kind] != 0 {
            continue;
        }
        let previous = indices[at - 1];
        let mut saving = if is_dst[previous] { 0 } else { offsets[kind] - offsets[previous] };
        if saving == 0 && kind + 1 < count && at + 1 < indices.len() {
            let next = indices[at + 1];
            if is_dst[next] {
                continue;
            }
            saving = offsets[kind] - offsets[next];
        }
        if saving != 0 {
            found += 1;
            savings[kind] = saving;
        }
    }
    if found < wanted {
        for (saving, _) in savings.iter_mut().zip(is_dst).filter(|(saving, dst)| **saving == 0 && **dst) {
            *saving = 3600;
        }
    }
    savings
}

/// The transitions in local time, by the larger or the smaller of the offsets before and after each.
fn wall_times(indices: &[usize], utc: &[i64], offsets: &[i64], choose: fn(i64, i64) -> i64) -> Vec<i64> {
    let at_transition = |at: usize| {
        let before = match at.checked_sub(1) {
            Some(previous) => offsets[indices[previous]],
            None => offsets[0],
        };
        utc[at].saturating_add(choose(before, offsets[indices[at]]))
    };
    (0..utc.len()).map(at_transition).collect()
}
