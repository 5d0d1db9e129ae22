//! The clock of this machine, and points in time as people write them.

use jiff::tz::Offset;
use probata_types::{Date, Millis, Timestamp};

/// A text that is not a point in time, or not a day.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not {wanted}; write {example}")]
pub struct TimeError {
    text: String,
    wanted: &'static str,
    example: &'static str,
}

/// Now, by this machine's clock.
pub fn now() -> Timestamp {
    timestamp(jiff::Timestamp::now().as_millisecond()).unwrap_or(Timestamp::ZERO)
}

/// A point in time: RFC 3339 (`2026-03-01T10:00:00+08:00`), milliseconds since 1970, relative to
/// `now` (`now`, `now-90m`, `now-3d`; units `s`, `m`, `h`, `d`), or a day as [`parse_date`] reads it
/// with a time of that day in the zone `offset_minutes` east of UTC (`today-1 10:30`).
///
/// # Errors
/// [`TimeError`].
pub fn parse_time(text: &str, now: Timestamp, offset_minutes: i32) -> Result<Timestamp, TimeError> {
    let wrong = || TimeError {
        text: text.to_owned(),
        wanted: "a point in time",
        example: "2026-03-01T10:00:00+08:00, milliseconds since 1970, now, now-90m or today-1 10:30",
    };
    if let Some(rest) = text.strip_prefix("now") {
        return relative(rest, now).ok_or_else(wrong);
    }
    if let Some((day, minute)) = text.split_once(' ').and_then(|(day, at)| Some((day, minute(at)?)))
    {
        let day = parse_date(day, now, offset_minutes).map_err(|_| wrong())?;
        return at_minute(day, minute, offset_minutes).ok_or_else(wrong);
    }
    if let Ok(millis) = text.parse::<i64>() {
        return timestamp(millis).ok_or_else(wrong);
    }
    let parsed: jiff::Timestamp = text.parse().map_err(|_| wrong())?;
    timestamp(parsed.as_millisecond()).ok_or_else(wrong)
}

/// A calendar day: `2026-03-01`, or relative to the day of `now` in the zone `offset_minutes` east
/// of UTC (`today`, `today+365`, `today-30`).
///
/// # Errors
/// [`TimeError`].
pub fn parse_date(text: &str, now: Timestamp, offset_minutes: i32) -> Result<Date, TimeError> {
    let wrong = || TimeError {
        text: text.to_owned(),
        wanted: "a day",
        example: "2026-03-01, today or today+365",
    };
    if let Some(rest) = text.strip_prefix("today") {
        let days: i32 = if rest.is_empty() { 0 } else { rest.parse().map_err(|_| wrong())? };
        let today = now.date(offset_minutes);
        return today.0.checked_add(days).map(Date).ok_or_else(wrong);
    }
    if text.len() != "2026-03-01".len() {
        return Err(wrong());
    }
    let midnight: jiff::Timestamp = format!("{text}T00:00:00Z").parse().map_err(|_| wrong())?;
    timestamp(midnight.as_millisecond()).map(|at| at.date(0)).ok_or_else(wrong)
}

/// A point in time for people, in the zone `offset_minutes` east of UTC.
pub fn show(at: Timestamp, offset_minutes: i32) -> String {
    let Some(moment) = i64::try_from(at.get())
        .ok()
        .and_then(|millis| jiff::Timestamp::from_millisecond(millis).ok())
    else {
        return at.to_string();
    };
    let zone = Offset::from_seconds(offset_minutes.saturating_mul(60)).unwrap_or(Offset::UTC);
    let sign = if offset_minutes < 0 { '-' } else { '+' };
    let (hours, minutes) = (offset_minutes.abs() / 60, offset_minutes.abs() % 60);
    let local = zone.to_datetime(moment).strftime("%Y-%m-%d %H:%M:%S.%3f");
    format!("{local} (UTC{sign}{hours:02}:{minutes:02})")
}

/// The minute of the day of `10:30`, two digits each.
fn minute(text: &str) -> Option<u16> {
    let (hours, minutes) = text.split_once(':')?;
    let number = |digits: &str, below: u16| {
        let plain = digits.len() == 2 && digits.bytes().all(|digit| digit.is_ascii_digit());
        plain.then_some(digits)?.parse().ok().filter(|number: &u16| *number < below)
    };
    Some(number(hours, 24)? * 60 + number(minutes, 60)?)
}

fn at_minute(day: Date, minute: u16, offset_minutes: i32) -> Option<Timestamp> {
    let minutes = i64::from(day.0) * 24 * 60 + i64::from(minute) - i64::from(offset_minutes);
    timestamp(minutes.checked_mul(60_000)?)
}

fn relative(rest: &str, now: Timestamp) -> Option<Timestamp> {
    if rest.is_empty() {
        return Some(now);
    }
    let unit = match rest.chars().last()? {
        's' => 1_000,
        'm' => 60_000,
        'h' => 3_600_000,
        'd' => 86_400_000,
        _ => return None,
    };
    let count: i64 = rest.get(..rest.len() - 1)?.parse().ok()?;
    let millis = count.checked_mul(unit)?.checked_add(i64::try_from(now.get()).ok()?)?;
    timestamp(millis)
}

fn timestamp(millis: i64) -> Option<Timestamp> {
    let millis = u64::try_from(millis).ok()?;
    (millis <= Millis::MAX.get()).then(|| Timestamp::new(millis))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::new(1_772_330_400_000); // 2026-03-01T02:00:00Z

    #[test]
    fn times_are_read_as_people_write_them() {
        for (text, millis) in [
            ("2026-03-01T10:00:00+08:00", 1_772_330_400_000),
            ("1772330400000", 1_772_330_400_000),
            ("now", 1_772_330_400_000),
            ("now-90m", 1_772_325_000_000),
            ("now+2s", 1_772_330_402_000),
            ("now-1d", 1_772_244_000_000),
            ("today 10:00", 1_772_330_400_000),
            ("today-1 10:30", 1_772_245_800_000),
            ("2026-03-01 00:00", 1_772_294_400_000),
        ] {
            assert_eq!(parse_time(text, NOW, 480).unwrap().get(), millis, "{text}");
        }
        for text in [
            "",
            "yesterday",
            "today",
            "today 24:00",
            "today 10:60",
            "today 9:00",
            "today +9:00",
            "today 10:30:00",
            "today  10:30",
            "now-",
            "now-5w",
            "nowé",
            "now-é",
            "-1",
            "99999999999999999",
            "2026-03-01",
        ] {
            assert!(parse_time(text, NOW, 480).is_err(), "{text}");
        }
    }

    #[test]
    fn days_are_read_in_the_local_zone() {
        for (text, shown) in
            [("2026-03-01", "2026-03-01"), ("today", "2026-03-01"), ("today+31", "2026-04-01")]
        {
            assert_eq!(parse_date(text, NOW, 480).unwrap().to_string(), shown, "{text}");
        }
        let late = Timestamp::new(1_772_300_000_000); // 2026-02-28T17:33Z, the next day in Shanghai
        assert_eq!(parse_date("today", late, 480).unwrap().to_string(), "2026-03-01");
        for text in ["", "today+x", "2026-02-30", "2026-3-1", "01.03.2026", "today+99999999999"] {
            assert!(parse_date(text, NOW, 480).is_err(), "{text}");
        }
    }

    #[test]
    fn times_are_shown_with_their_zone() {
        assert_eq!(show(NOW, 480), "2026-03-01 10:00:00.000 (UTC+08:00)");
    }
}
