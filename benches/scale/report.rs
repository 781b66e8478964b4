//! One Markdown table of what was measured, and one of what was to be reached.

use std::fmt::{self, Display};
use std::time::Duration;

use super::generate::Layout;
use super::measure::Figure;

/// What is measured, in the order of a contact directory's life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Case {
    /// Every file is read and checked, and nothing else is done.
    Load,
    FirstPlan,
    Render,
    /// With so many requests under way at a time.
    Apply(u16),
    /// The same, with the state in a database.
    ApplyInto(u16),
    NoOp,
    OneChanged,
    Cold,
    /// sled is lost, and built again from its copy.
    Rebuilt,
    Pull,
    /// To where there is no state.
    Push,
}

/// What a case is compared with, measured beside it.
#[derive(Debug, Clone)]
pub(crate) struct Floor {
    pub(crate) name: &'static str,
    pub(crate) figure: Figure,
}

#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) contacts: u64,
    pub(crate) layout: Layout,
    pub(crate) case: Case,
    pub(crate) figure: Figure,
    pub(crate) floors: Vec<Floor>,
}

/// Everything that was measured; written as Markdown.
#[derive(Debug, Default)]
pub(crate) struct Report {
    pub(crate) rows: Vec<Row>,
}

/// Something to reach: its words, what was measured, and whether that is enough; `None` when it was not measured.
struct Reach {
    words: String,
    measured: Option<(String, bool)>,
}

impl Case {
    fn words(self) -> String {
        match self {
            Self::Load => "validate".to_owned(),
            Self::FirstPlan => "first plan, all creates".to_owned(),
            Self::Render => "of that, text of the creates".to_owned(),
            Self::Apply(parallelism) => format!("apply, parallelism {parallelism}"),
            Self::ApplyInto(parallelism) => format!("apply into a database, parallelism {parallelism}"),
            Self::NoOp => "plan, nothing changed".to_owned(),
            Self::OneChanged => "plan, one file changed".to_owned(),
            Self::Cold => "plan, index deleted".to_owned(),
            Self::Rebuilt => "database lost and built again".to_owned(),
            Self::Pull => "state pull".to_owned(),
            Self::Push => "state push, to no state".to_owned(),
        }
    }
}

impl Report {
    fn find(&self, contacts: u64, layout: Layout, case: Case) -> Option<&Row> {
        self.rows.iter().find(|row| row.contacts == contacts && row.layout == layout && row.case == case)
    }

    fn reaches(&self) -> Vec<Reach> {
        use Case::{Apply, Cold, FirstPlan, Load, NoOp, OneChanged, Pull, Push, Render};
        use Layout::{Hundred, One, Single};
        let mut reaches = Vec::new();
        let mut reach = |words: &str, contacts, layout, case, judge: &dyn Fn(&Row) -> (String, bool)| {
            let measured = self.find(contacts, layout, case).map(judge);
            reaches.push(Reach { words: words.to_owned(), measured });
        };
        reach("3 contacts: plan, start to exit, below 15 ms", 3, One, NoOp, &|row| below_ms(row, 15));
        for layout in [Hundred, Single] {
            let words = format!("100,000: validate of layout {layout:?}, at most 1.5 x bare events");
            reach(&words, 100_000, layout, Load, &|row| ratio(row, 1.5));
        }
        reach("100,000 files: nothing changed, at most git status", 100_000, One, NoOp, &|row| ratio(row, 1.0));
        reach("100,000 files: nothing changed, below 60 MiB", 100_000, One, NoOp, &|row| below_mib(row, 60));
        reach("100,000 files: one changed, nothing changed + 30 ms", 100_000, One, OneChanged, &|row| self.later(row));
        reach("100,000 files: index deleted, at most 1.3 x bare parse", 100_000, One, Cold, &|row| ratio(row, 1.3));
        reach("1,000,000: nothing changed, below 60 ms", 1_000_000, Hundred, NoOp, &|row| below_ms(row, 60));
        reach("1,000,000: nothing changed, below 60 MiB", 1_000_000, Hundred, NoOp, &|row| below_mib(row, 60));
        reach("1,000,000: one changed, nothing changed + 30 ms", 1_000_000, Hundred, OneChanged, &|row| {
            self.later(row)
        });
        reach("1,000,000: index deleted, at most 1.25 x bare parse", 1_000_000, Hundred, Cold, &|row| ratio(row, 1.25));
        reach("1,000,000: index deleted, below 300 MiB", 1_000_000, Hundred, Cold, &|row| below_mib(row, 300));
        for parallelism in super::PARALLELISMS {
            let words = format!("100,000: apply, parallelism {parallelism}, above 5,000 contacts a second");
            reach(&words, 100_000, Hundred, Apply(parallelism), &|row| {
                let rate = row.rate();
                (format!("{rate}/s"), rate > 5_000)
            });
            for layout in [Hundred, Single] {
                let words = format!("100,000 of layout {layout:?}: apply, parallelism {parallelism}, below 120 MiB");
                reach(&words, 100_000, layout, Apply(parallelism), &|row| below_mib(row, 120));
            }
        }
        reach("10,000: text of the creates, less time than planning them", 10_000, Hundred, Render, &|row| {
            ratio(row, 1.0)
        });
        reach("1,000,000: state pull, below 150 MiB", 1_000_000, Hundred, Pull, &|row| below_mib(row, 150));
        reach("1,000,000: state push, below 150 MiB", 1_000_000, Hundred, Push, &|row| below_mib(row, 150));
        let growing = [
            (FirstPlan, "first plan"),
            (NoOp, "nothing changed"),
            (Cold, "index deleted"),
            (Pull, "state pull"),
            (Push, "state push"),
        ];
        for (case, words) in growing {
            for (small, large) in [(10_000, 100_000), (100_000, 1_000_000)] {
                let words = format!("{words}: {} to {}, at most x 11", grouped(small), grouped(large));
                reach(&words, large, Hundred, case, &|row| {
                    let small = self.find(small, Hundred, case);
                    let times = small.map_or(f64::NAN, |small| quotient(row.figure.wall, small.figure.wall));
                    (format!("x {times:.1}"), times <= 11.0)
                });
            }
        }
        reaches
    }

    /// Says how much later one changed file shows than none.
    fn later(&self, row: &Row) -> (String, bool) {
        let Some(no_op) = self.find(row.contacts, row.layout, Case::NoOp) else { return ("-".to_owned(), false) };
        let later = row.figure.wall.saturating_sub(no_op.figure.wall);
        (format!("+ {}", milliseconds(later)), later <= Duration::from_millis(30))
    }
}

impl Row {
    /// Contacts a second.
    fn rate(&self) -> u128 {
        u128::from(self.contacts) * 1_000_000 / self.figure.wall.as_micros().max(1)
    }
}

fn ratio(row: &Row, most: f64) -> (String, bool) {
    let Some(floor) = row.floors.first() else { return ("no floor".to_owned(), false) };
    let times = quotient(row.figure.wall, floor.figure.wall);
    (format!("x {times:.2}"), times <= most)
}

fn below_ms(row: &Row, most: u64) -> (String, bool) {
    (milliseconds(row.figure.wall), row.figure.wall < Duration::from_millis(most))
}

fn below_mib(row: &Row, most: u64) -> (String, bool) {
    (mebibytes(row.figure.rss), row.figure.rss < most * 1024 * 1024)
}

fn quotient(time: Duration, by: Duration) -> f64 {
    time.as_secs_f64() / by.as_secs_f64()
}

impl Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "| contacts | files of | what | wall | user+sys | peak | compared with | wall | user+sys | peak | ratio |"
        )?;
        writeln!(f, "|---:|---|---|---:|---:|---:|---|---:|---:|---:|---:|")?;
        for row in &self.rows {
            let layout = match row.layout {
                Layout::One => "1",
                Layout::Hundred => "100",
                Layout::Single => "all",
            };
            let words = match row.case {
                Case::Apply(_) | Case::ApplyInto(_) => format!("{}: {}/s", row.case.words(), row.rate()),
                case => case.words(),
            };
            let mut start = format!("| {} | {layout} | {words} | {} |", grouped(row.contacts), cells(&row.figure));
            if row.floors.is_empty() {
                writeln!(f, "{start} | | | | |")?;
            }
            for floor in &row.floors {
                let times = quotient(row.figure.wall, floor.figure.wall);
                writeln!(f, "{start} {} | {} | {times:.2} |", floor.name, cells(&floor.figure))?;
                "| | | | | | |".clone_into(&mut start);
            }
        }
        writeln!(f, "\n| to reach | measured | |\n|---|---:|---|")?;
        for Reach { words, measured } in self.reaches() {
            let (measured, verdict) = match measured {
                Some((measured, met)) => (measured, if met { "met" } else { "**missed**" }),
                None => (String::new(), "not measured"),
            };
            writeln!(f, "| {words} | {measured} | {verdict} |")?;
        }
        Ok(())
    }
}

fn cells(figure: &Figure) -> String {
    format!("{} | {} | {}", milliseconds(figure.wall), milliseconds(figure.cpu), mebibytes(figure.rss))
}

fn milliseconds(time: Duration) -> String {
    let milliseconds = time.as_secs_f64() * 1000.0;
    if milliseconds < 100.0 { format!("{milliseconds:.1} ms") } else { format!("{milliseconds:.0} ms") }
}

fn mebibytes(bytes: u64) -> String {
    if bytes == 0 { String::new() } else { format!("{} MiB", (bytes + 512 * 1024) / (1024 * 1024)) }
}

/// Writes a number with commas.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let groups: Vec<&str> =
        digits.as_bytes().rchunks(3).rev().map(|group| std::str::from_utf8(group).expect("digits")).collect();
    groups.join(",")
}
