//! Free-form dates as JavaScript engines read them (`Date.parse` beyond ISO): month names, `1/2/2024`, `5 pm`, `GMT-8`.

use jiff::Zoned;
use jiff::civil;
use jiff::tz::TimeZone;

use super::date_text::{at, month};

/// Longest text that is looked at.
const MAX_LENGTH: usize = 256;

/// Reads a date; local times are those of the process, whose zone is UTC. The result stands in `zone`.
pub(super) fn parse(text: &str, zone: &TimeZone) -> Option<Zoned> {
    if text.len() > MAX_LENGTH {
        return None;
    }
    let mut reading = Reading::default();
    let tokens = tokens(text);
    let mut rest = tokens.as_slice();
    while let Some((token, after)) = rest.split_first() {
        rest = reading.take(token, after)?;
    }
    at(reading.milliseconds()?, zone)
}

/// Hours east of Greenwich of a zone abbreviation.
pub(super) fn zone_hours(name: &str) -> Option<i32> {
    Some(match name {
        "ut" | "utc" | "gmt" | "z" => 0,
        "est" | "cdt" => -5,
        "edt" => -4,
        "cst" | "mdt" => -6,
        "mst" | "pdt" => -7,
        "pst" => -8,
        _ => return None,
    })
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    /// Value and number of digits.
    Number(i64, usize),
    Word(String),
    Symbol(char),
    Space,
}

fn tokens(text: &str) -> Vec<Token> {
    let mut found = Vec::new();
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        if letter.is_ascii_digit() {
            let mut digits = String::from(letter);
            while let Some(digit) = letters.next_if(char::is_ascii_digit) {
                digits.push(digit);
            }
            let length = digits.len();
            found.push(Token::Number(digits.parse().unwrap_or(i64::MAX), length));
        } else if letter.is_alphabetic() {
            let mut word = String::from(letter.to_ascii_lowercase());
            while let Some(next) = letters.next_if(|next| next.is_alphabetic()) {
                word.push(next.to_ascii_lowercase());
            }
            found.push(Token::Word(word));
        } else if letter.is_whitespace() {
            found.push(Token::Space);
        } else if letter == '(' {
            let mut depth = 1_usize;
            while depth > 0 {
                match letters.next() {
                    Some('(') => depth += 1,
                    Some(')') => depth -= 1,
                    Some(_) => {}
                    None => break,
                }
            }
        } else {
            found.push(Token::Symbol(letter));
        }
    }
    found
}

/// What has been understood so far.
#[derive(Default)]
struct Reading {
    /// Numbers of the date part, in the order written.
    day: Vec<i64>,
    month: Option<i64>,
    /// Hours, minutes, seconds, milliseconds.
    time: Vec<i64>,
    time_closed: bool,
    /// 12 for `pm`, 0 for `am`.
    half: Option<i64>,
    /// Sign, hours, minutes east of Greenwich.
    offset: Option<(i64, i64, Option<i64>)>,
    number_seen: bool,
}

impl Reading {
    /// Takes one token and gives what is left behind it; `None` when the text is no date.
    fn take<'t>(&mut self, token: &Token, after: &'t [Token]) -> Option<&'t [Token]> {
        match token {
            Token::Number(value, _) => self.number(*value, after),
            Token::Word(word) => self.word(word, after),
            Token::Symbol(sign @ ('+' | '-')) if self.offset.is_some() || !self.time.is_empty() => {
                self.offset(if *sign == '-' { -1 } else { 1 }, after)
            }
            Token::Symbol('+' | '-' | ')') if self.number_seen => None,
            Token::Symbol(_) | Token::Space => Some(after),
        }
    }

    fn number<'t>(&mut self, value: i64, after: &'t [Token]) -> Option<&'t [Token]> {
        self.number_seen = true;
        let minute_of_offset = matches!(self.offset, Some((_, _, None)));
        match after.split_first() {
            Some((Token::Symbol(':'), rest)) if !minute_of_offset => {
                if self.time_closed || self.time.len() >= 3 {
                    return None;
                }
                self.time.push(value);
                return Some(rest);
            }
            Some((Token::Symbol('.'), rest)) if self.expects_time(value) => {
                self.time.push(value);
                let (Token::Number(fraction, digits), rest) = rest.split_first()? else { return None };
                let scale = 10_i64.checked_pow(u32::try_from(*digits).ok()?)?;
                self.time.resize(3, 0);
                self.time.push(fraction.checked_mul(1000)? / scale);
                self.time_closed = true;
                return Some(rest);
            }
            _ => {}
        }
        if minute_of_offset {
            if let Some((_, _, minute)) = &mut self.offset {
                *minute = Some(value);
            }
            return Some(after);
        }
        if self.expects_time(value) {
            self.time.push(value);
            self.time_closed = true;
            let ends = match after.first() {
                None | Some(Token::Space | Token::Symbol('+' | '-')) => true,
                Some(Token::Word(word)) => word == "z",
                _ => false,
            };
            return ends.then_some(after);
        }
        if self.day.len() >= 3 {
            return None;
        }
        self.day.push(value);
        Some(without(after, '-'))
    }

    /// Is a number the next part of a time already begun?
    fn expects_time(&self, value: i64) -> bool {
        !self.time_closed && matches!(self.time.len(), 1 | 2) && (0..60).contains(&value)
    }

    fn word<'t>(&mut self, word: &str, after: &'t [Token]) -> Option<&'t [Token]> {
        let short = word.get(..3).unwrap_or(word);
        if matches!(word, "am" | "pm") && !self.time.is_empty() {
            self.half = Some(if word == "pm" { 12 } else { 0 });
            self.time_closed = true;
            return Some(after);
        }
        if word.len() >= 3
            && let Some(month) = month(short)
        {
            self.month = Some(month.into());
            return Some(without(after, '-'));
        }
        if self.number_seen {
            let hours = zone_hours(word)?;
            self.offset = Some((1, hours.into(), Some(0)));
            return Some(after);
        }
        (!matches!(after.first(), Some(Token::Number(..)))).then_some(after)
    }

    fn offset<'t>(&mut self, sign: i64, after: &'t [Token]) -> Option<&'t [Token]> {
        let (value, length, rest) = match after.split_first() {
            Some((Token::Number(value, length), rest)) => (*value, *length, rest),
            _ => (0, 2, after),
        };
        self.number_seen = true;
        self.time_closed = true;
        if let Some((Token::Symbol(':'), rest)) = rest.split_first() {
            self.offset = Some((sign, value, None));
            return Some(rest);
        }
        self.offset = Some(match length {
            1 | 2 => (sign, value, Some(0)),
            3 | 4 => (sign, value / 100, Some(value % 100)),
            _ => return None,
        });
        Some(rest)
    }

    fn milliseconds(&self) -> Option<i64> {
        let mut numbers = self.day.iter().copied();
        let first = numbers.next()?;
        let (second, third) = (numbers.next().unwrap_or(1), numbers.next().unwrap_or(1));
        let is_day = |value: i64| (1..=31).contains(&value);
        let (year, month, day) = match self.month {
            Some(month) if is_day(first) => (second, month, first),
            Some(month) => (first, month, second),
            None if is_day(first) => (third, first, second),
            None => (first, second, third),
        };
        let year = match year {
            0..=49 => year + 2000,
            50..=99 => year + 1900,
            year => year,
        };
        let (month, day) = (i8::try_from(month).ok()?, i8::try_from(day).ok()?);
        if !(1..=12).contains(&month) || !is_day(day.into()) {
            return None;
        }
        // A day past the end of its month runs over into the next.
        let start = civil::Date::new(i16::try_from(year).ok()?, month, 1).ok()?;
        let date = start.checked_add(jiff::Span::new().days(i64::from(day) - 1)).ok()?;
        let midnight = date.to_zoned(TimeZone::UTC).ok()?.timestamp().as_millisecond();
        midnight.checked_add(self.time_of_day()?)?.checked_sub(self.offset_milliseconds()?)
    }

    fn time_of_day(&self) -> Option<i64> {
        let part = |at: usize| self.time.get(at).copied().unwrap_or(0);
        let mut hour = part(0);
        if let Some(half) = self.half {
            if !(1..=12).contains(&hour) {
                return None;
            }
            hour = hour % 12 + half;
        }
        let valid = (0..24).contains(&hour) && (0..60).contains(&part(1)) && (0..60).contains(&part(2))
            || (hour == 24 && part(1) == 0 && part(2) == 0 && part(3) == 0);
        valid.then(|| ((hour * 60 + part(1)) * 60 + part(2)) * 1000 + part(3))
    }

    fn offset_milliseconds(&self) -> Option<i64> {
        let Some((sign, hours, minutes)) = self.offset else { return Some(0) };
        hours.checked_mul(60)?.checked_add(minutes.unwrap_or(0))?.checked_mul(sign * 60_000)
    }
}

/// The tokens behind a symbol, if it comes first.
fn without(tokens: &[Token], symbol: char) -> &[Token] {
    match tokens.split_first() {
        Some((Token::Symbol(found), rest)) if *found == symbol => rest,
        _ => tokens,
    }
}
