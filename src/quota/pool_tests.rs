//! Several runners against a server with windows of its own. No clock but the pool's is read.

use super::*;

const START: Timestamp = Timestamp(1_700_000_000_000);

/// Counts as Apollo does: windows open on first use.
#[derive(Default)]
struct Server {
    limits: [u64; 3],
    opened: [Option<Timestamp>; 3],
    counted: [u64; 3],
    refused: u64,
    served: u64,
}

impl Server {
    fn request(&mut self, now: Timestamp) -> [Reading; 3] {
        for span in Span::ALL {
            let index = span as usize;
            if self.opened[index].is_none_or(|opened| opened + span.length() <= now) {
                (self.opened[index], self.counted[index]) = (Some(now), 0);
            }
            self.counted[index] += 1;
        }
        if self.counted.iter().zip(self.limits).any(|(&counted, limit)| counted > limit) {
            self.refused += 1;
        }
        self.served += 1;
        std::array::from_fn(|index| Reading {
            limit: WindowLimit::Requests(self.limits[index]),
            usage: Some(self.counted[index]),
            left: None,
        })
    }
}

/// A runner with a clock of its own, which is wrong by as much as it likes: only how long something took is used.
#[derive(Default)]
struct Runner {
    slice: Option<Slice>,
    until: Timestamp,
    first_answer: Option<Timestamp>,
    readings: [Reading; 3],
    /// Not before then.
    waits_until: Timestamp,
    /// Answers under way, by when they come.
    under_way: Vec<(Timestamp, [Reading; 3])>,
}

impl Runner {
    fn news(&mut self, now: Timestamp) -> News {
        let first_answer = self.first_answer.take().map(|at| now.since(at));
        let readings = std::mem::take(&mut self.readings);
        News { slice: self.slice.take(), first_answer, readings, pause: None }
    }

    fn step(&mut self, pool: &mut Pool, server: &mut Server, random: &mut fastrand::Rng, now: Timestamp) {
        let (come, under_way) = std::mem::take(&mut self.under_way).into_iter().partition(|(at, _)| *at <= now);
        self.under_way = under_way;
        for (_, readings) in Vec::from_iter::<Vec<_>>(come) {
            self.first_answer.get_or_insert(now);
            self.readings = readings;
        }
        if self.waits_until > now {
            return;
        }
        let has_leave = self.slice.as_ref().is_some_and(|slice| slice.left > 0) && now < self.until;
        if !has_leave {
            let learns = self.slice.as_ref().is_some_and(|slice| slice.learns);
            if learns && !self.under_way.is_empty() {
                return;
            }
            pool.hear(&self.news(now), now);
            match pool.draw(&Rules::default(), now) {
                Drawn::Slice(slice) => {
                    self.until = now + slice.lasts;
                    self.slice = Some(slice);
                }
                Drawn::Wait(wait, _) => self.waits_until = now + wait.max(Duration::from_millis(1)),
            }
            return;
        }
        let slice = self.slice.as_mut().expect("it was looked at just now");
        slice.left -= 1;
        let readings = server.request(now);
        self.under_way.push((now + Duration::from_millis(random.u64(20..2_000)), readings));
    }
}

/// Lets runners send as much as they may for a time; returns what the server has seen.
fn run(seed: u64, runners: usize, limits: [u64; 3], minutes: u64, dies: bool) -> Server {
    let mut random = fastrand::Rng::with_seed(seed);
    let (mut pool, mut server) = (Pool::default(), Server { limits, ..Server::default() });
    let mut all: Vec<Runner> = (0..runners).map(|_| Runner::default()).collect();
    let mut now = START;
    while now.since(START) < Duration::from_secs(60 * minutes) {
        now = now + Duration::from_millis(random.u64(1..40));
        let index = random.usize(..runners);
        if dies && random.u32(..500) == 0 {
            // It is gone with what it has drawn, and another one begins.
            all[index] = Runner::default();
        }
        all[index].step(&mut pool, &mut server, &mut random, now);
    }
    server
}

#[test]
fn all_runners_together_never_send_more_than_a_window_allows() {
    for seed in 0..6 {
        for runners in [2, 7, 20] {
            let server = run(seed, runners, [40, 150, 2_000], 6, seed % 2 == 1);
            assert_eq!(server.refused, 0, "seed {seed}, {runners} runners");
            assert!(server.served > 0);
        }
    }
}

#[test]
fn next_to_nothing_of_a_window_is_wasted() {
    for runners in [1, 2, 5] {
        // Ten minutes of forty each.
        let server = run(7, runners, [40, 10_000, 100_000], 10, false);
        assert!(server.served >= 340, "{runners} runners sent {}", server.served);
    }
}

#[test]
fn what_was_not_spent_is_given_back_and_what_others_use_is_seen() {
    let mut pool = Pool::load(&Pool::default().save()).unwrap();
    let limits =
        [100, 1_000, 10_000].map(|limit| Reading { limit: WindowLimit::Requests(limit), usage: Some(1), left: None });
    let Drawn::Slice(probe) = pool.draw(&Rules::default(), START) else { panic!("the first may go") };
    assert!(probe.learns && probe.left == 1);
    assert_eq!(pool.draw(&Rules::default(), START), Drawn::Wait(LEARNING_PAUSE, None), "the others wait for it");
    let spent = Slice { left: 0, ..probe };
    pool.hear(&News { slice: Some(spent), first_answer: Some(Duration::ZERO), readings: limits, pause: None }, START);
    let mut slices = Vec::new();
    while let Drawn::Slice(slice) = pool.draw(&Rules::default(), START) {
        slices.push(slice);
    }
    assert_eq!(slices.iter().map(|slice| slice.left).sum::<u64>(), 99);
    // One has sent two, and sees that somebody who does not draw has sent ten.
    let first = slices.remove(0);
    let left = first.left - 2;
    let readings = limits.map(|reading| Reading { usage: Some(100 - left + 10), ..reading });
    let news = News { slice: Some(Slice { left, ..first }), first_answer: Some(Duration::ZERO), readings, pause: None };
    pool.hear(&news, START);
    let Drawn::Slice(again) = pool.draw(&Rules::default(), START) else { panic!("some was given back") };
    assert!(again.left <= left, "{again:?}");
    // A 429 of one stops all.
    let pause = Some((Duration::from_secs(20), Some(Span::Minute)));
    pool.hear(&News { pause, ..News::default() }, START);
    assert_eq!(pool.draw(&Rules::default(), START), Drawn::Wait(Duration::from_secs(20), Some(Span::Minute)));
    let later = START + Duration::from_secs(20);
    assert!(matches!(pool.draw(&Rules::default(), later), Drawn::Slice(_)));
}
