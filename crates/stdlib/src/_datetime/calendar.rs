//! The proleptic Gregorian calendar: dates, ordinals (1 is the first of January of the year 1) and ISO weeks.

pub const MINYEAR: i32 = 1;
pub const MAXYEAR: i32 = 9999;
/// The ordinal of 9999-12-31.
pub const MAX_ORDINAL: i64 = 3_652_059;
/// Days in 400 years.
const CYCLE: i64 = 146_097;

const DAYS_IN_MONTH: [u8; 13] = [0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
const DAYS_BEFORE_MONTH: [i32; 13] = [0, 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];

/// A date whose fields may be out of range until they are checked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ymd {
    pub year: i32,
    pub month: i32,
    pub day: i32,
}

pub fn is_leap(year: i32) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

/// Days of a month from 1 to 12.
pub fn days_in_month(year: i32, month: i32) -> i32 {
    if month == 2 && is_leap(year) { 29 } else { DAYS_IN_MONTH[month as usize].into() }
}

/// Days before the first of January of a year.
fn days_before_year(year: i32) -> i64 {
    let past = i64::from(year) - 1;
    past * 365 + past.div_euclid(4) - past.div_euclid(100) + past.div_euclid(400)
}

impl Ymd {
    pub fn new(year: i32, month: i32, day: i32) -> Ymd {
        Ymd { year, month, day }
    }

    /// The date with an ordinal of any size.
    pub fn from_ordinal(ordinal: i64) -> Ymd {
        // Counted from the first of March of the year 0, years end with the leap day.
        let days = ordinal + 305;
        let (cycle, rest) = (days.div_euclid(CYCLE), days.rem_euclid(CYCLE));
        let year = (rest - rest / 1460 + rest / 36_524 - rest / 146_096) / 365;
        let day_of_year = rest - (365 * year + year / 4 - year / 100);
        let shifted = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * shifted + 2) / 5 + 1;
        let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
        let year = cycle * 400 + year + i64::from(month <= 2);
        Ymd { year: year as i32, month: month as i32, day: day as i32 }
    }

    pub fn ordinal(self) -> i64 {
        days_before_year(self.year) + i64::from(self.day_of_year())
    }

    /// 1 for the first of January.
    pub fn day_of_year(self) -> i32 {
        let leap = self.month > 2 && is_leap(self.year);
        DAYS_BEFORE_MONTH[self.month as usize] + i32::from(leap) + self.day
    }

    /// 0 for Monday.
    pub fn weekday(self) -> i32 {
        (self.ordinal() + 6).rem_euclid(7) as i32
    }

    /// The ISO year, week and weekday (1 for Monday).
    pub fn iso_calendar(self) -> (i32, i32, i32) {
        let ordinal = self.ordinal();
        let mut year = self.year;
        let mut first = iso_week_1_monday(year);
        if ordinal < first {
            year -= 1;
            first = iso_week_1_monday(year);
        } else if ordinal >= iso_week_1_monday(year + 1) {
            year += 1;
            first = iso_week_1_monday(year);
        }
        let days = ordinal - first;
        (year, (days / 7) as i32 + 1, (days % 7) as i32 + 1)
    }
}

/// The ordinal of the Monday that begins the first ISO week of a year: that with the first Thursday.
fn iso_week_1_monday(year: i32) -> i64 {
    let first = days_before_year(year) + 1;
    let weekday = (first + 6).rem_euclid(7);
    if weekday > 3 { first - weekday + 7 } else { first - weekday }
}

/// What is wrong with an ISO year, week and weekday.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IsoError {
    Year,
    Week,
    Weekday,
}

/// The ordinal of an ISO year, week and weekday.
pub fn iso_to_ordinal(year: i32, week: i32, weekday: i32) -> Result<i64, IsoError> {
    if !(MINYEAR..=MAXYEAR).contains(&year) {
        return Err(IsoError::Year);
    }
    let first = iso_week_1_monday(year);
    if !(1..=52).contains(&week) {
        // A 53rd week is in the years that have 53 Thursdays.
        let long = week == 53 && iso_week_1_monday(year + 1) - first == 53 * 7;
        if !long {
            return Err(IsoError::Week);
        }
    }
    if !(1..=7).contains(&weekday) {
        return Err(IsoError::Weekday);
    }
    Ok(first + i64::from(week - 1) * 7 + i64::from(weekday - 1))
}

/// A time of day within its ranges.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Hms {
    pub hour: i32,
    pub minute: i32,
    pub second: i32,
    pub microsecond: i32,
}

pub const US_PER_SECOND: i64 = 1_000_000;
pub const SECONDS_PER_DAY: i64 = 86_400;
pub const US_PER_DAY: i64 = SECONDS_PER_DAY * US_PER_SECOND;

impl Hms {
    pub fn new(hour: i32, minute: i32, second: i32, microsecond: i32) -> Hms {
        Hms { hour, minute, second, microsecond }
    }

    pub fn seconds(self) -> i64 {
        i64::from(self.hour) * 3600 + i64::from(self.minute) * 60 + i64::from(self.second)
    }

    pub fn microseconds(self) -> i64 {
        self.seconds() * US_PER_SECOND + i64::from(self.microsecond)
    }

    /// The time so many microseconds after midnight, less than a day.
    pub fn from_microseconds(us: i64) -> Hms {
        let (seconds, microsecond) = (us / US_PER_SECOND, (us % US_PER_SECOND) as i32);
        let (minutes, second) = (seconds / 60, (seconds % 60) as i32);
        Hms { hour: (minutes / 60) as i32, minute: (minutes % 60) as i32, second, microsecond }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_ordinal_round_trips() {
        let mut previous = Ymd::new(0, 12, 31);
        for ordinal in 1..=MAX_ORDINAL {
            let date = Ymd::from_ordinal(ordinal);
            assert_eq!(date.ordinal(), ordinal);
            let next = if previous.month == 12 && previous.day == 31 {
                Ymd::new(previous.year + 1, 1, 1)
            } else if previous.day == days_in_month(previous.year, previous.month) {
                Ymd::new(previous.year, previous.month + 1, 1)
            } else {
                Ymd::new(previous.year, previous.month, previous.day + 1)
            };
            assert_eq!(date, next);
            previous = date;
        }
    }

    #[test]
    fn iso_weeks_round_trip() {
        for ordinal in (1..=MAX_ORDINAL).step_by(3) {
            let (year, week, weekday) = Ymd::from_ordinal(ordinal).iso_calendar();
            if (MINYEAR..=MAXYEAR).contains(&year) {
                assert_eq!(iso_to_ordinal(year, week, weekday), Ok(ordinal));
            }
        }
        assert_eq!(iso_to_ordinal(2021, 53, 1), Err(IsoError::Week));
        assert_eq!(iso_to_ordinal(2020, 53, 8), Err(IsoError::Weekday));
    }
}
