//! `cargo bench --bench watch`: how soon a service sends what changed, and what it costs while nothing does.
//!
//! Runs the real program on generated contacts, edits one of them at a time as editors do, by renaming a file
//! into place, and notes when the request for it has arrived on loopback. Prints Markdown.
//! `docs/performance.md` explains the figures.

#[path = "../../examples/generate/mod.rs"]
mod generate;
#[path = "../scale/null_server.rs"]
mod null_server;
#[path = "../scale/printing.rs"]
mod printing;

mod service;

use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use clap::Parser;
use contactsd::watcher;

use generate::Layout;
use printing::{print, say};
use service::{Place, Service};

/// How long a request may take to arrive before the measurement fails.
const PATIENCE: Duration = Duration::from_mins(1);

/// Most of a core that a service may use while nothing changes, in percent.
const MOST_IDLE: f64 = 0.1;

/// Most memory that a service may hold, in MiB.
const MOST_MEMORY: u64 = 80;

type Outcome<T> = Result<T, Box<dyn Error>>;

/// Measures how soon `contactsd watch` sends what changed, and what it costs at rest
#[derive(Parser)]
struct Args {
    /// Numbers of contacts
    #[arg(long, value_delimiter = ',', default_value = "10000,100000")]
    sizes: Vec<u64>,
    /// Edits that the median is taken of
    #[arg(long, default_value_t = 41)]
    edits: usize,
    /// Seconds to look at the service while nothing changes
    #[arg(long, default_value_t = 60)]
    rest: u64,
    /// Seed of the contacts and of the choice of files
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Directory to work in, on the disk to measure; made and removed
    #[arg(long, default_value = concat!(env!("CARGO_TARGET_TMPDIR"), "/watch"))]
    work: PathBuf,
    /// Given by cargo
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("The measurement failed: {error}"));
            ExitCode::FAILURE
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "measuring time is what this program is for")]
fn now() -> Instant {
    Instant::now()
}

#[expect(clippy::disallowed_methods, reason = "a service that is looked at is given time")]
fn rest(time: Duration) {
    thread::sleep(time);
}

/// What was found with one number of contacts.
struct Row {
    contacts: u64,
    /// From rename to request, less the time that a burst has to go quiet; sorted.
    delays: Vec<Duration>,
    /// Processor time of one edit.
    edit: Duration,
    /// Part of a core that is used at rest, in percent.
    idle: f64,
    /// Resident memory at rest and at most, in bytes.
    memory: u64,
    peak: u64,
}

fn run(args: &Args) -> Outcome<()> {
    if args.work.exists() {
        return Err(format!("{} is there already; remove it first", args.work.display()).into());
    }
    let mut rows = Vec::new();
    for &contacts in &args.sizes {
        // Each its own server, which has counted nothing yet.
        let (heard, updates) = mpsc::channel();
        let (api, counts) = null_server::start(move || heard.send(now()).expect("the measurement hears"))?;
        let place = prepare(args, contacts, api, &counts, &updates)?;
        rows.push(measure(args, contacts, &place, &updates)?);
    }
    print(&report(&rows));
    fs::remove_dir_all(&args.work)?;
    Ok(())
}

/// Makes contact files that stand applied.
fn prepare(
    args: &Args,
    contacts: u64,
    api: SocketAddr,
    counts: &Arc<null_server::Counts>,
    updates: &Receiver<Instant>,
) -> Outcome<Place> {
    let place = Place { directory: args.work.join(contacts.to_string()), api };
    generate::write(&place.contacts(), contacts, Layout::Hundred, args.seed)?;
    say(&format!("{contacts} contacts: applying them first"));
    place.run("apply --auto-approve --parallelism 100")?;
    let created = counts.take_creates();
    // What a create could not carry followed on it.
    updates.try_iter().for_each(drop);
    if created != contacts {
        return Err(format!("{created} of {contacts} contacts were created").into());
    }
    Ok(place)
}

fn measure(args: &Args, contacts: u64, place: &Place, updates: &Receiver<Instant>) -> Outcome<Row> {
    let mut service = Service::start(place)?;
    service.wait_for("No changes.")?;
    let mut random = fastrand::Rng::with_seed(args.seed);
    let mut files = Vec::new();
    list(&place.contacts(), &mut files)?;
    files.sort();
    let quiet = watcher::Options::new(place.contacts()).quiet;
    let mut delays = Vec::new();
    let before = service.processor_time()?;
    for number in 0..args.edits {
        let renamed = edit(random.choice(&files).ok_or("no files")?, number)?;
        let arrived = updates.recv_timeout(PATIENCE).map_err(|_| "an edit was not sent")?;
        delays.push(arrived.duration_since(renamed).saturating_sub(quiet));
        service.wait_for("Apply complete!")?;
        // Not in step with anything that the service does by the clock.
        rest(Duration::from_millis(random.u64(300..700)));
    }
    let edit = service.processor_time()?.saturating_sub(before) / u32::try_from(args.edits)?;
    delays.sort_unstable();
    say(&format!("{contacts} contacts: looking at the service at rest for {} s", args.rest));
    let (started, before) = (now(), service.processor_time()?);
    rest(Duration::from_secs(args.rest));
    let idle = service.processor_time()?.saturating_sub(before).as_secs_f64() / started.elapsed().as_secs_f64() * 100.0;
    let (memory, peak) = (service.memory("VmRSS:")?, service.memory("VmHWM:")?);
    service.end()?;
    Ok(Row { contacts, delays, edit, idle, memory, peak })
}

/// Gives one contact of a file a new title, as an editor saves; returns when the file took its place.
fn edit(path: &Path, number: usize) -> Outcome<Instant> {
    let text = fs::read_to_string(path)?;
    let start = text.find("    title: ").ok_or("a file without a title")?;
    let end = start + text[start..].find('\n').unwrap_or(text.len() - start);
    let fresh = path.with_file_name(".fresh");
    fs::write(&fresh, format!("{}    title: Keeper of edit {number}{}", &text[..start], &text[end..]))?;
    let renamed = now();
    fs::rename(fresh, path)?;
    Ok(renamed)
}

fn list(directory: &Path, files: &mut Vec<PathBuf>) -> Outcome<()> {
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_dir() {
            list(&path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}

fn report(rows: &[Row]) -> String {
    let mut text = "| contacts | median | 95 of 100 | longest | user+sys an edit | at rest | memory | peak |\n\
                    |---:|---:|---:|---:|---:|---:|---:|---:|\n"
        .to_owned();
    for row in rows {
        let Row { contacts, delays, edit, idle, memory, peak } = row;
        let longest = delays.last().copied().unwrap_or_default();
        let times = [row.at(50), row.at(95), longest, *edit].map(milliseconds).join(" | ");
        let memory = [memory, peak].map(|bytes| format!("{} MiB", mib(*bytes))).join(" | ");
        writeln!(text, "| {contacts} | {times} | {idle:.3} % | {memory} |").expect("text takes all");
    }
    text += "\n| to reach | measured | |\n|---|---:|---|\n";
    let mut reach = |words: String, measured: String, is_met: bool| {
        let verdict = if is_met { "met" } else { "**missed**" };
        writeln!(text, "| {words} | {measured} | {verdict} |").expect("text takes all");
    };
    for row in rows {
        let contacts = row.contacts;
        let most = Duration::from_millis(if contacts <= 10_000 { 15 } else { 45 });
        let words = format!("{contacts}: rename to request, median below {} ms", most.as_millis());
        reach(words, milliseconds(row.at(50)), row.at(50) < most);
        let words = format!("{contacts}: at rest, below {MOST_IDLE} % of a core");
        reach(words, format!("{:.3} %", row.idle), row.idle < MOST_IDLE);
        let words = format!("{contacts}: resident memory, below {MOST_MEMORY} MiB");
        reach(words, format!("{} MiB", mib(row.memory)), mib(row.memory) < MOST_MEMORY);
    }
    text
}

impl Row {
    /// The delay that so many of a hundred edits did not exceed.
    fn at(&self, percent: usize) -> Duration {
        self.delays.get((self.delays.len() * percent / 100).min(self.delays.len() - 1)).copied().unwrap_or_default()
    }
}

fn milliseconds(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1000.0)
}

fn mib(bytes: u64) -> u64 {
    bytes.div_ceil(1024 * 1024)
}
