//! iCalendar (RFC 5545): one event written, whole calendars read.

mod read;
#[cfg(test)]
mod tests;
mod write;

pub(crate) use read::read;
pub(crate) use write::{Attendee, Event, When, write};
