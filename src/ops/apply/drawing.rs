//! What a run has drawn from the shared quota for one kind of request, and what it must report back.
//!
//! Uses only the monotonic clock. Sends nothing.

use std::time::Duration;

use tokio::time::Instant;

use crate::quota::{Drawn, News, Reading, Slice, Span, WindowLimit};

/// A slice, or the wait for one.
#[derive(Debug, Default)]
pub(super) struct Drawing {
    /// Counts the slices.
    number: u64,
    slice: Option<Slice>,
    /// Until when requests may go out by it.
    until: Option<Instant>,
    first_answer: Option<Instant>,
    readings: [Reading; 3],
    /// A pause that nobody else knows of yet, and since when.
    pause: Option<(Instant, Duration, Option<Span>)>,
    /// Until when none is to be had, and why.
    wait: Option<(Instant, Option<Span>)>,
    /// Whether one is being drawn.
    pub(super) is_under_way: bool,
}

/// What a request has to do to be sent.
#[derive(Debug)]
pub(super) enum Next {
    /// It may go, by the slice of this number.
    Go(u64),
    Wait(Duration, Option<Span>),
    /// Another one is drawing, or learns the limits.
    WaitForAnswer,
    Draw,
}

impl Drawing {
    /// Takes one request from the slice; `unanswered` are under way.
    pub(super) fn next(&mut self, unanswered: u64) -> Next {
        let now = Instant::now();
        if let Some((until, span)) = self.wait.filter(|(until, _)| *until > now) {
            return Next::Wait(until - now, span);
        }
        self.wait = None;
        let is_valid = self.until.is_some_and(|until| now < until);
        match &mut self.slice {
            Some(slice) if is_valid && slice.left > 0 => {
                slice.left -= 1;
                Next::Go(self.number)
            }
            _ if self.is_under_way => Next::WaitForAnswer,
            Some(slice) if slice.learns && unanswered > 0 => Next::WaitForAnswer,
            _ => Next::Draw,
        }
    }

    /// Hands over what there is to tell, and the slice with what is left of it.
    pub(super) fn take_news(&mut self) -> News {
        let now = Instant::now();
        self.until = None;
        News {
            slice: self.slice.take(),
            first_answer: self.first_answer.take().map(|at| now - at),
            readings: std::mem::take(&mut self.readings),
            pause: self.pause.take().map(|(since, wait, span)| (wait.saturating_sub(now - since), span)),
        }
    }

    pub(super) fn has_news(&self) -> bool {
        self.slice.is_some() || self.first_answer.is_some() || self.pause.is_some()
    }

    /// Reports whether others wait for what there is to tell: the limits, or a pause.
    pub(super) fn has_urgent_news(&self) -> bool {
        let has_learned = self.first_answer.is_some() && self.slice.as_ref().is_some_and(|slice| slice.learns);
        has_learned || self.pause.is_some()
    }

    /// Takes what was drawn; it was asked for at `asked`.
    pub(super) fn take(&mut self, drawn: Drawn, asked: Instant) {
        match drawn {
            Drawn::Slice(slice) => {
                self.number += 1;
                self.until = Some(asked + slice.lasts);
                self.slice = Some(slice);
            }
            Drawn::Wait(wait, span) => self.wait = Some((Instant::now() + wait, span)),
        }
    }

    /// Takes in an answer to a request that went out by a slice.
    pub(super) fn answered(&mut self, slice: u64, readings: &[Reading; 3]) {
        let is_of_this = slice == self.number;
        for (known, reading) in self.readings.iter_mut().zip(readings) {
            if reading.limit != WindowLimit::Unknown {
                known.limit = reading.limit;
            }
            if is_of_this {
                known.usage = known.usage.max(reading.usage);
            }
        }
        if is_of_this {
            self.first_answer.get_or_insert_with(Instant::now);
        }
    }

    /// Takes a request back that never left.
    pub(super) fn unsent(&mut self, slice: u64) {
        if let Some(drawn) = self.slice.as_mut().filter(|_| slice == self.number) {
            drawn.left += 1;
        }
    }

    pub(super) fn paused(&mut self, wait: Duration, span: Option<Span>) {
        self.pause = Some((Instant::now(), wait, span));
    }
}
