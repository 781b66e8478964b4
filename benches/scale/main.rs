//! `cargo bench --bench scale -- --sizes 1000,10000,100000`: what contactsd costs, beside the least it could.
//!
//! Runs the real program as child processes, and everything it is compared with in the same run, and
//! prints Markdown. Contacts loopback alone. `docs/performance.md` explains the figures.

#[path = "../../examples/generate/mod.rs"]
mod generate;

mod floor;
mod git;
mod measure;
mod null_server;
mod printing;
mod report;
mod world;

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::Arc;
use std::time::Duration;

use clap::{Parser, Subcommand, ValueEnum};
use contactsd::model::Timestamp;
use contactsd::ops::{self, Reading, Want};
use contactsd::plan::Policy;
use contactsd::quota::Rules;
use contactsd::ui::{PlanOptions, PlanText};
use url::Url;

use floor::Floor as FloorKind;
use generate::Layout;
use measure::Figure;
use printing::{print, say};
use report::{Case, Floor, Report, Row, grouped};
use world::World;

/// Number of requests at the same time: the default, and the most there may be.
const PARALLELISMS: [u16; 2] = [10, 100];

type Outcome<T> = Result<T, Box<dyn Error>>;

/// Measures contactsd on generated contacts and prints Markdown tables
#[derive(Parser)]
struct Args {
    /// Numbers of contacts
    #[arg(long, value_delimiter = ',', default_value = "3,1000,10000,100000")]
    sizes: Vec<u64>,
    /// How they are spread over files
    #[arg(long, value_enum, value_delimiter = ',', default_value = "hundred,one")]
    layouts: Vec<Layout>,
    /// Most contacts that are given a file each
    #[arg(long, default_value_t = 100_000)]
    most_files: u64,
    /// Runs that a median is taken of [default: 11 up to 1,000 contacts, 5 up to 100,000, then 3]
    #[arg(long)]
    runs: Option<usize>,
    /// Seed of the contacts
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Directory to work in, on the disk to measure; made and removed
    #[arg(long, default_value = concat!(env!("CARGO_TARGET_TMPDIR"), "/scale"))]
    work: PathBuf,
    /// Measure no more than this
    #[arg(long, value_enum)]
    only: Option<Only>,
    /// Another contactsd, whose applies are measured in turn with this one's: what a change costs
    #[arg(long)]
    beside: Option<PathBuf>,
    /// Contacts that one request carries at most [default: what contactsd does]
    #[arg(long)]
    batch: Option<u8>,
    /// Measure no more than applies: into a state beside the contacts, and into new states of the database of this URL
    #[arg(long, value_name = "URL")]
    database: Option<String>,
    /// Leave the directory behind
    #[arg(long)]
    keep: bool,
    /// Given by cargo
    #[arg(long, hide = true)]
    bench: bool,
    #[command(subcommand)]
    child: Option<Child>,
}

/// A part of what is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Only {
    /// How the files are read and checked
    Loads,
    /// Applies that create everybody, of each layout
    Applies,
    /// Applies, with and without the copy of the state in turn
    ///
    /// Needs the feature failpoints, in which a process can be asked to write no copy.
    #[cfg(feature = "failpoints")]
    Copy,
}

#[derive(Subcommand)]
enum Child {
    /// Do the least work that there is to compare with; started by the program itself
    #[command(hide = true)]
    Floor { kind: FloorKind, directory: PathBuf },
    /// Plan all creates and write their text; print the microseconds that each took
    #[command(hide = true)]
    Render { directory: PathBuf },
    /// Answer creates and keep nothing, until interrupted: something to profile `apply` against
    Serve,
}

fn main() -> ExitCode {
    let args = Args::parse();
    let outcome = match &args.child {
        Some(Child::Floor { kind, directory }) => floor::run(*kind, directory).map(drop).map_err(Into::into),
        Some(Child::Render { directory }) => render(directory),
        Some(Child::Serve) => serve(),
        None => Bench::new(args).and_then(Bench::run),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("The measurement failed: {error}"));
            ExitCode::FAILURE
        }
    }
}

struct Bench {
    args: Args,
    api: std::net::SocketAddr,
    counts: Arc<null_server::Counts>,
    has_git: bool,
    report: Report,
}

impl Bench {
    fn new(args: Args) -> Outcome<Self> {
        if args.work.exists() {
            return Err(format!("{} is there already; remove it first", args.work.display()).into());
        }
        fs::create_dir_all(&args.work)?;
        let (api, counts) = null_server::start(|| ())?;
        let has_git = git::is_there();
        if !has_git {
            say("\nWARNING: there is no git on the PATH. `git status` is not compared with.\n");
        }
        Ok(Self { args, api, counts, has_git, report: Report::default() })
    }

    fn run(mut self) -> Outcome<()> {
        let sync = sync_time(&self.args.work)?;
        for contacts in self.args.sizes.clone() {
            let mut applied: Option<World> = None;
            for layout in self.args.layouts.clone() {
                if layout == Layout::One && contacts > self.args.most_files {
                    continue;
                }
                let world = self.world(contacts, layout)?;
                #[cfg(feature = "failpoints")]
                if self.args.only == Some(Only::Copy) {
                    self.apply(contacts, layout, &world)?;
                    continue;
                }
                if let Some(url) = self.args.database.clone() {
                    self.apply(contacts, layout, &world)?;
                    self.apply_into(&url, contacts, layout, &world)?;
                    continue;
                }
                if self.args.only == Some(Only::Applies) {
                    self.apply(contacts, layout, &world)?;
                    continue;
                }
                self.load(contacts, layout, &world)?;
                if self.args.only == Some(Only::Loads) {
                    continue;
                }
                self.before_the_first_apply(contacts, layout, &world)?;
                match &applied {
                    None => self.apply(contacts, layout, &world)?,
                    Some(other) => world.copy_state_of(other)?,
                }
                self.once_applied(contacts, layout, &world)?;
                applied.get_or_insert(world);
            }
        }
        print(&header(sync, measure::own_peak()?)?);
        print(&self.report.to_string());
        if !self.args.keep {
            fs::remove_dir_all(&self.args.work)?;
        }
        Ok(())
    }

    fn world(&self, contacts: u64, layout: Layout) -> Outcome<World> {
        let world = World::new(self.args.work.join(format!("{contacts}-{layout:?}").to_lowercase()), self.api);
        let written = generate::write(&world.contacts, contacts, layout, self.args.seed)?;
        let (files, bytes) = (grouped(written.files), grouped(written.bytes));
        say(&format!("{} contacts in {files} files, {bytes} bytes", grouped(contacts)));
        Ok(world)
    }

    fn runs(&self, contacts: u64) -> usize {
        self.args.runs.unwrap_or(match contacts {
            0..=1_000 => 11,
            1_001..=100_000 => 5,
            _ => 3,
        })
    }

    fn load(&mut self, contacts: u64, layout: Layout, world: &World) -> Outcome<()> {
        let load = self.measure(contacts, || Ok(world.command("validate")), 0)?;
        let floors = vec![
            self.floor(FloorKind::Events, contacts, world)?,
            self.floor(FloorKind::Parse, contacts, world)?,
            self.floor(FloorKind::Hash, contacts, world)?,
        ];
        self.note(contacts, layout, Case::Load, load, floors);
        Ok(())
    }

    fn before_the_first_apply(&mut self, contacts: u64, layout: Layout, world: &World) -> Outcome<()> {
        let first = self.measure(contacts, || Ok(world.command("plan --detailed-exitcode")), 2)?;
        let floors = vec![self.floor(FloorKind::Parse, contacts, world)?];
        self.note(contacts, layout, Case::FirstPlan, first, floors);
        let (plan, text) = plan_and_text(world)?;
        let floor = Floor { name: "planning them", figure: alone(plan) };
        self.note(contacts, layout, Case::Render, alone(text), vec![floor]);
        Ok(())
    }

    fn apply(&mut self, contacts: u64, layout: Layout, world: &World) -> Outcome<()> {
        let runs = self.args.runs.unwrap_or(if contacts > 10_000 { 1 } else { self.runs(contacts).min(3) });
        for parallelism in PARALLELISMS {
            let line = self.apply_line(parallelism);
            let create_all = |mut command: Command| -> Outcome<Figure> {
                world.forget_state()?;
                let figure = succeed(&mut command, 0)?;
                match self.counts.take_creates() {
                    created if created == contacts => Ok(figure),
                    created => Err(format!("{created} of {contacts} contacts were created").into()),
                }
            };
            let (mut figures, mut beside, mut without) = (Vec::new(), Vec::new(), Vec::new());
            for _ in 0..runs {
                if let Some(other) = &self.args.beside {
                    beside.push(create_all(world.command_of(other, &world.state, &line))?);
                }
                if let Some(command) = self.without_copy(world.command(&line)) {
                    without.push(create_all(command)?);
                }
                figures.push(create_all(world.command(&line))?);
            }
            let others = [("the other contactsd", beside), ("without the copy", without)];
            let others = others.into_iter().filter(|(_, figures)| !figures.is_empty());
            let floors = others.map(|(name, figures)| Floor { name, figure: Figure::median(&figures) }).collect();
            self.note(contacts, layout, Case::Apply(parallelism), Figure::median(&figures), floors);
        }
        Ok(())
    }

    fn apply_line(&self, parallelism: u16) -> String {
        let batch = self.args.batch.map(|batch| format!(" --batch {batch}")).unwrap_or_default();
        format!("apply --auto-approve --parallelism {parallelism}{batch}")
    }

    /// The same command, writing no copy of the state; `None` unless that is to be measured.
    #[cfg(feature = "failpoints")]
    fn without_copy(&self, mut command: Command) -> Option<Command> {
        use contactsd::failpoints::{VARIABLE, WITHOUT_COPY};
        command.env(VARIABLE, WITHOUT_COPY);
        (self.args.only == Some(Only::Copy)).then_some(command)
    }

    #[cfg(not(feature = "failpoints"))]
    #[expect(clippy::unused_self, reason = "as with the feature")]
    fn without_copy(&self, _: Command) -> Option<Command> {
        None
    }

    /// Applies into states of a database, each with a name that none had before.
    fn apply_into(&mut self, url: &str, contacts: u64, layout: Layout, world: &World) -> Outcome<()> {
        for parallelism in PARALLELISMS {
            let mut figures = Vec::new();
            for run in 0..self.runs(contacts).min(3) {
                let mut state = Url::parse(url)?;
                let name = format!("bench-{}-{contacts}-{parallelism}-{run}", std::process::id());
                state.query_pairs_mut().append_pair("state", &name);
                let mut command = world.command_on(state.as_str(), &self.apply_line(parallelism));
                figures.push(succeed(&mut command, 0)?);
                let created = self.counts.take_creates();
                if created != contacts {
                    return Err(format!("{created} of {contacts} contacts were created").into());
                }
            }
            self.note(contacts, layout, Case::ApplyInto(parallelism), Figure::median(&figures), Vec::new());
        }
        Ok(())
    }

    fn once_applied(&mut self, contacts: u64, layout: Layout, world: &World) -> Outcome<()> {
        // A writer brings the file index up to date.
        let settle = || succeed(&mut world.command("apply --auto-approve"), 0);
        let plan = || world.command("plan --detailed-exitcode");
        settle()?;
        let no_op = self.measure(contacts, || Ok(plan()), 0)?;
        let mut floors = Vec::new();
        if self.has_git {
            let repository = git::Repository::make(world.directory.join("git"), &world.contacts)?;
            let figure = self.measure(contacts, || Ok(repository.status()), 0)?;
            floors.push(Floor { name: "git status", figure });
        }
        floors.push(self.floor(FloorKind::Walk, contacts, world)?);
        self.note(contacts, layout, Case::NoOp, no_op, floors);

        let mut edits = 0;
        let edit = || {
            edits += 1;
            world.edit_one_file(&format!("Keeper of revision {edits}"))?;
            Ok(plan())
        };
        let one_changed = self.measure(contacts, edit, 2)?;
        self.note(contacts, layout, Case::OneChanged, one_changed, Vec::new());
        succeed(&mut world.command("state list"), 0)?;

        fs::remove_dir_all(&world.contacts)?;
        generate::write(&world.contacts, contacts, layout, self.args.seed)?;
        let cold = || {
            world.forget_index()?;
            Ok(plan())
        };
        let cold = self.measure(contacts, cold, 0)?;
        let floors = vec![
            self.floor(FloorKind::Parse, contacts, world)?,
            self.floor(FloorKind::Hash, contacts, world)?,
            self.floor(FloorKind::Walk, contacts, world)?,
        ];
        self.note(contacts, layout, Case::Cold, cold, floors);
        settle()?;
        let rebuilt = || {
            world.lose_sled()?;
            Ok(world.command("state recover --auto-approve"))
        };
        let rebuilt = self.measure(contacts, rebuilt, 0)?;
        self.note(contacts, layout, Case::Rebuilt, rebuilt, Vec::new());
        if layout != Layout::One {
            self.pull_and_push(contacts, layout, world)?;
        }
        match self.counts.take_creates() {
            0 => Ok(()),
            more => Err(format!("{more} contacts were created again").into()),
        }
    }

    /// Carries the state out and back; which layout the files have does not matter.
    fn pull_and_push(&mut self, contacts: u64, layout: Layout, world: &World) -> Outcome<()> {
        let pull = self.measure(contacts, || Ok(world.command("state pull")), 0)?;
        self.note(contacts, layout, Case::Pull, pull, Vec::new());
        let pulled = world.directory.join("pulled.jsonl");
        let status = world.command("state pull").stdout(fs::File::create(&pulled)?).status()?;
        if !status.success() {
            return Err(format!("{status} of state pull").into());
        }
        let push = || {
            world.forget_state()?;
            let mut command = world.command("state push --auto-approve");
            command.arg(&pulled);
            Ok(command)
        };
        let push = self.measure(contacts, push, 0)?;
        self.note(contacts, layout, Case::Push, push, Vec::new());
        // Everything stands as it did.
        succeed(&mut world.command("plan --detailed-exitcode"), 0)?;
        Ok(())
    }

    /// Runs a command several times; each must end with the code `expected`.
    fn measure(&self, contacts: u64, mut command: impl FnMut() -> Outcome<Command>, expected: i32) -> Outcome<Figure> {
        let figures: Outcome<Vec<_>> = (0..self.runs(contacts)).map(|_| succeed(&mut command()?, expected)).collect();
        Ok(Figure::median(&figures?))
    }

    fn floor(&self, kind: FloorKind, contacts: u64, world: &World) -> Outcome<Floor> {
        let this = std::env::current_exe()?;
        let name = clap::ValueEnum::to_possible_value(&kind).expect("no kind is left out");
        let command = || {
            let mut command = Command::new(&this);
            command.args(["floor", name.get_name()]).arg(&world.contacts);
            Ok(command)
        };
        Ok(Floor { name: kind.name(), figure: self.measure(contacts, command, 0)? })
    }

    fn note(&mut self, contacts: u64, layout: Layout, case: Case, figure: Figure, floors: Vec<Floor>) {
        say(&format!("  {case:?}: {:?}", figure.wall));
        self.report.rows.push(Row { contacts, layout, case, figure, floors });
    }
}

fn succeed(command: &mut Command, expected: i32) -> Outcome<Figure> {
    let (status, figure) = measure::run(command)?;
    if status.code() == Some(expected) { Ok(figure) } else { Err(format!("{status} of {command:?}").into()) }
}

/// Serves creates for as long as nobody ends this.
fn serve() -> Outcome<()> {
    let (address, _) = null_server::start(|| ())?;
    print(&format!("http://{address}/api/v1"));
    loop {
        std::thread::park();
    }
}

/// Plans all creates and writes their text, in this process; prints how many microseconds each took.
fn render(directory: &Path) -> Outcome<()> {
    let desired = ops::load(directory)?;
    let snapshot = Reading::without_state(Want::Plan(&desired), "")?.snapshot;
    let policy = Policy::default();
    let make = || ops::plan(&desired, &snapshot, &policy, &Rules::default(), Timestamp(0));
    let (planned, planning) = measure::time(make);
    let planned = planned?;
    let options = PlanOptions { width: 100, ..PlanOptions::default() };
    let text = PlanText { plan: &planned.plan, options };
    let (bytes, rendering) = measure::time(|| {
        let mut sink = Counting(0);
        std::fmt::Write::write_fmt(&mut sink, format_args!("{text}")).map(|()| sink.0)
    });
    if bytes? == 0 || planned.plan.is_empty() {
        return Err("there was nothing to show".into());
    }
    print(&format!("{} {}", planning.as_micros(), rendering.as_micros()));
    Ok(())
}

/// Runs [`render`] in a process of its own, as nothing that is large may happen in this one.
fn plan_and_text(world: &World) -> Outcome<(Duration, Duration)> {
    let output = Command::new(std::env::current_exe()?).arg("render").arg(&world.contacts).output()?;
    let text = String::from_utf8(output.stdout)?;
    let (planning, rendering) = text.trim().split_once(' ').ok_or("planning failed")?;
    Ok((Duration::from_micros(planning.parse()?), Duration::from_micros(rendering.parse()?)))
}

/// Takes text and keeps its length.
struct Counting(usize);

impl std::fmt::Write for Counting {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        self.0 += text.len();
        Ok(())
    }
}

/// A time of work in this process, of which nothing else is known.
fn alone(wall: Duration) -> Figure {
    Figure { wall, cpu: wall, rss: 0 }
}

/// Returns the median time to append 4 KiB to a file and sync it: what each barrier of the state waits for.
fn sync_time(directory: &Path) -> Outcome<Duration> {
    use std::io::Write;
    let path = directory.join("sync");
    let mut file = fs::File::create_new(&path)?;
    let mut times = Vec::new();
    for _ in 0..200 {
        let (synced, time) = measure::time(|| file.write_all(&[7; 4096]).and_then(|()| file.sync_data()));
        synced?;
        times.push(time);
    }
    fs::remove_file(path)?;
    times.sort_unstable();
    Ok(times[times.len() / 2])
}

fn header(sync: Duration, own_peak: u64) -> Outcome<String> {
    let processors = std::thread::available_parallelism()?;
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    Ok(format!(
        "contactsd {}, {processors} processors, Linux {}, append and sync {:.2} ms; peaks below {} MiB cannot be seen.\n",
        env!("CARGO_PKG_VERSION"),
        kernel.trim(),
        sync.as_secs_f64() * 1000.0,
        own_peak.div_ceil(1024 * 1024),
    ))
}
