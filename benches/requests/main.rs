//! `cargo bench --bench requests`: how many requests of each kind contacts take, and how long these take at the limits
//! of most plans.
//!
//! Runs the real program against the sandbox in this process, and prints Markdown. Contacts loopback alone.

#[path = "../scale/printing.rs"]
mod printing;

use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use clap::Parser;
use contactsd::ops::Clock;
use contactsd::sandbox::{Action, Options, Server};
use printing::{print, say};
use serde_json::{Value, json};
use wait4::Wait4;

type Outcome<T> = Result<T, Box<dyn Error>>;

/// Counts the requests that contacts take and prints a Markdown table
#[derive(Parser)]
struct Args {
    /// Contacts that are created or changed
    #[arg(long, default_value_t = 10_000)]
    contacts: usize,
    /// Contacts of others that are in the account in the last cases
    #[arg(long, default_value_t = 50_000)]
    others: usize,
    /// Limits of each kind of request, as the sandbox takes them
    #[arg(long, default_value = "200/m,400/h,2000/d")]
    quota: String,
    /// Counts what it takes to see what has changed in Apollo instead
    #[arg(long)]
    drift: bool,
    /// Given by cargo
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> ExitCode {
    let args = Args::parse();
    let runtime = tokio::runtime::Runtime::new().expect("a runtime for the sandbox");
    let measured = if args.drift { runtime.block_on(measure_drift(&args)) } else { runtime.block_on(measure(&args)) };
    match measured {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("The measurement failed: {error}"));
            ExitCode::FAILURE
        }
    }
}

async fn measure(args: &Args) -> Outcome<()> {
    print("| case | requests | of them | time | processor time | answers with 429 |\n|---|---:|---|---:|---:|---:|");
    let many = args.contacts;
    let plain = |_: usize| String::new();

    let account = Account::new(&args.quota, "").await?;
    account.declare(many, plain)?;
    account.apply("into an empty account").await?;
    let title = |_: usize| ", title: Engineer".to_owned();
    account.declare(many, title)?;
    account.apply("a title for each").await?;
    account.declare(many + 1, title)?;
    account.apply("one more").await?;

    let account = Account::new(&args.quota, "").await?;
    account.declare(many, |number| format!(", label_names: [List {}]", number % 5))?;
    account.apply("on five lists").await?;

    // An update each exceeds the limits of a day.
    let account = Account::new("", "").await?;
    account.declare(many, |number| format!(", mobile_phone: '+1302{number:07}'"))?;
    account.apply("with a mobile phone each, without limits").await?;

    let account = Account::new("", "refuses-marked").await?;
    account.declare(1_000, |number| if number % 100 == 50 { ", title: (refuse)".to_owned() } else { String::new() })?;
    account.apply("1,000, one of each 100 refused, without limits").await?;

    let account = Account::new("", "").await?;
    account.fill(args.others).await?;
    account.declare(many, plain)?;
    account.apply("into an account of others, without limits").await?;
    account.declare(many + 1, plain)?;
    account.apply("one more there").await
}

async fn measure_drift(args: &Args) -> Outcome<()> {
    print("| case | requests | of them | time | processor time | answers with 429 |\n|---|---:|---|---:|---:|---:|");
    let many = args.contacts;
    let account = Account::new("", "").await?;
    account.declare(many, |number| format!(", title: Clerk {}", number % 7))?;
    account.apply("apply, into an empty account").await?;
    account.an_hour_passes();
    account.drift("drift, the first time", 0).await?;
    account.an_hour_passes();
    account.drift("drift, nothing has changed", 0).await?;
    account.edit(10).await?;
    account.drift("drift, ten were edited", 10).await?;
    account.run("plan --refresh", &["plan", "--refresh", "--quiet"]).await?;
    account.run("apply --refresh", &["apply", "--refresh", "--auto-approve", "--quiet"]).await?;
    account.an_hour_passes();
    account.drift("drift afterwards", 0).await?;
    account.declare(many, |number| {
        let title = if number % (many / 10) == 3 { "Chief".to_owned() } else { format!("Clerk {}", number % 7) };
        format!(", title: {title}")
    })?;
    let ten = account.run("apply, ten edits in the files", &["apply", "--auto-approve"]).await?;
    holds(&ten, "0 added, 10 changed, 0 destroyed")?;
    account.rebuild("state rebuild, by e-mail", many).await?;
    account.plans_nothing("plan after it").await?;

    let account = Account::new("", "").await?;
    account.seed_hostile(many).await?;
    account.run("export, of odd shapes", &["export", "--quiet"]).await?;
    account.apply("apply of that").await?;
    account.plans_nothing("plan after it").await?;
    account.rebuild("state rebuild, by id", many).await?;
    account.plans_nothing("plan after it").await?;

    let account = Account::new("", "").await?;
    let ids = account.seed_hostile(many).await?;
    fs::create_dir_all(account.contacts())?;
    fs::write(account.contacts().join("people.yaml"), hostile_files(many))?;
    account.rebuild("state rebuild, of odd shapes without ids", many).await?;
    account.is_bound_to(&ids).await?;
    account.plans_nothing("plan after it").await
}

/// Returns what contact files would say of a person of an odd shape, and what Apollo would.
fn hostile(number: usize) -> (String, Value) {
    let long = "ä ".repeat(400).trim_end().to_owned();
    match number % 8 {
        0 => (
            format!("first_name: Otto, last_name: N{number}, email: office@example.com, run_dedupe: false"),
            json!({"first_name": "Otto", "last_name": format!("N{number}"), "email": "office@example.com"}),
        ),
        1 => (
            format!(
                "first_name: Ada, last_name: Same, organization_name: Harbor, run_dedupe: false, mobile_phone: \
                 \"+1202{number:07}\""
            ),
            json!({"first_name": "Ada", "last_name": "Same", "organization_name": "Harbor",
                "mobile_phone": format!("+1202{number:07}")}),
        ),
        2 => (
            format!("first_name: Long, email: long{number}@example.com, title: \"{long}\""),
            json!({"first_name": "Long", "email": format!("long{number}@example.com"), "title": long}),
        ),
        3 => (
            format!(
                "first_name: Pia, email: Pia.{number}@Example.com, mobile_phone: \"+1303{number:07}\", direct_phone: \
                 \"007\", home_phone: \"(0) 30 1\", corporate_phone: \"5\", other_phone: \"6\""
            ),
            json!({"first_name": "Pia", "email": format!("Pia.{number}@Example.com"),
                "mobile_phone": format!("+1303{number:07}"), "direct_phone": "007", "home_phone": "(0) 30 1",
                "corporate_phone": "5", "other_phone": "6"}),
        ),
        4 => (
            format!("first_name: Noel, last_name: Quill, organization_name: House {number}"),
            json!({"first_name": "Noel", "last_name": "Quill", "organization_name": format!("House {number}")}),
        ),
        5 => (
            format!("first_name: 李, last_name: 雷{number}, title: Poet"),
            json!({"first_name": "李", "last_name": format!("雷{number}"), "title": "Poet"}),
        ),
        6 => (
            format!("first_name: Ines, last_name: \"~{number}\", email: b{number}@bücher.example"),
            json!({"first_name": "Ines", "last_name": format!("~{number}"), "email": format!("b{number}@bücher.example")}),
        ),
        _ => (
            format!("first_name: Lee, last_name: L{number}, email: lee{number}@example.org, label_names: [Leads]"),
            json!({"first_name": "Lee", "last_name": format!("L{number}"), "email": format!("lee{number}@example.org"),
                "label_names": ["Leads", "Theirs"]}),
        ),
    }
}

fn hostile_files(count: usize) -> String {
    let entries = (0..count).map(|number| format!("  p{number:06}: {{{}}}\n", hostile(number).0));
    format!("contacts:\n{}", entries.collect::<String>())
}

/// Makes sure that a command printed something.
fn holds(printed: &str, wanted: &str) -> Outcome<()> {
    if printed.contains(wanted) {
        Ok(())
    } else {
        Err(format!("{wanted:?} is not in what was printed: {printed}").into())
    }
}

/// The kinds of requests, and what they are called.
const KINDS: [(&str, Action); 12] = [
    ("bulk create", Action::BulkCreate),
    ("create", Action::Create),
    ("bulk update", Action::BulkUpdate),
    ("update", Action::Update),
    ("stage update", Action::UpdateStages),
    ("search", Action::Search),
    ("view", Action::View),
    ("list add", Action::AddToLists),
    ("lists", Action::ShowLists),
    ("stages", Action::ShowStages),
    ("custom fields", Action::ShowCustomFields),
    ("profile", Action::Profile),
];

/// An account of the sandbox, and the files and the state that belong to it.
struct Account {
    home: tempfile::TempDir,
    server: Server,
    /// By how many milliseconds the clock of the account is ahead.
    ahead: Arc<AtomicU64>,
}

impl Account {
    async fn new(quota: &str, quirks: &str) -> Outcome<Self> {
        let home = tempfile::tempdir()?;
        let clock = Clock::system();
        let ahead = Arc::new(AtomicU64::new(0));
        let by = Arc::clone(&ahead);
        let now = move || clock.now() + Duration::from_millis(by.load(Ordering::SeqCst));
        let mut options = Options::new(home.path().join("sandbox"), Arc::new(now));
        options.api_keys = vec!["sandbox".to_owned()];
        if !quota.is_empty() {
            options.quota = quota.parse()?;
        }
        options.quirks = quirks.parse()?;
        Ok(Self { server: Server::start(options).await?, home, ahead })
    }

    fn an_hour_passes(&self) {
        self.ahead.fetch_add(3_600_000, Ordering::SeqCst);
    }

    /// Changes so many contacts as people do.
    async fn edit(&self, count: usize) -> Outcome<()> {
        for contact in self.server.contacts().iter().take(count) {
            let id = contact["id"].as_str().ok_or("a contact without an id")?;
            send(
                self.server.address(),
                "PATCH",
                &format!("/api/v1/contacts/{id}"),
                &json!({"title": "Boss"}).to_string(),
            )
            .await?;
        }
        Ok(())
    }

    /// Puts contacts of odd shapes into the account; returns their ids.
    async fn seed_hostile(&self, count: usize) -> Outcome<Vec<String>> {
        let all: Vec<Value> = (0..count)
            .map(|number| {
                let mut contact = hostile(number).1;
                contact["created_at"] = "2024-01-02T03:04:05.006Z".into();
                contact
            })
            .collect();
        let mut ids = Vec::new();
        for some in all.chunks(1_000) {
            let answer =
                send(self.server.address(), "POST", "/sandbox/contacts", &json!({ "contacts": some }).to_string())
                    .await?;
            let answer: Value = serde_json::from_str(&answer)?;
            let made = answer["contacts"].as_array().ok_or("no contacts were made")?;
            ids.extend(made.iter().filter_map(|contact| contact["id"].as_str().map(str::to_owned)));
        }
        Ok(ids)
    }

    /// Takes the state away and has it built again; all of so many entries have to be bound.
    async fn rebuild(&self, case: &str, count: usize) -> Outcome<()> {
        let state = self.home.path().join("state");
        if state.exists() {
            fs::remove_dir_all(state)?;
        }
        let printed = self.run(case, &["state", "rebuild", "--auto-approve"]).await?;
        holds(&printed.replace(',', ""), &format!("Rebuild: {count} to bind"))
    }

    /// Makes sure that the entries are bound to the contacts that were made for them.
    async fn is_bound_to(&self, ids: &[String]) -> Outcome<()> {
        let listed = self.output(&["state", "list", "--json"]).await?.0;
        for (number, line) in listed.lines().enumerate() {
            let contact: Value = serde_json::from_str(line)?;
            let is_so = contact["key"] == format!("p{number:06}") && contact["apollo_id"] == *ids[number];
            if !is_so {
                return Err(format!("{line} is not contact {}", ids[number]).into());
            }
        }
        if listed.lines().count() == ids.len() { Ok(()) } else { Err("not all are bound".into()) }
    }

    async fn plans_nothing(&self, case: &str) -> Outcome<()> {
        let printed = self.run(case, &["plan"]).await?;
        holds(&printed, "No changes.")
    }

    /// Writes the files; `more` is what stands in each entry beside its name and its e-mail.
    fn declare(&self, count: usize, more: impl Fn(usize) -> String) -> Outcome<()> {
        let mut text = String::from("contacts:\n");
        for number in 0..count {
            let more = more(number);
            writeln!(
                text,
                "  p{number:06}: {{first_name: F{number}, last_name: Quill, email: p{number}@example.com{more}}}"
            )?;
        }
        fs::create_dir_all(self.contacts())?;
        Ok(fs::write(self.contacts().join("people.yaml"), text)?)
    }

    /// Puts contacts into the account that no entry declares.
    async fn fill(&self, count: usize) -> Outcome<()> {
        let others: Vec<Value> = (0..count)
            .map(|number| json!({"first_name": format!("O{number}"), "last_name": "Stone", "email": format!("o{number}@example.org"), "created_at": "2024-01-02T03:04:05.006Z"}))
            .collect();
        for some in others.chunks(1_000) {
            add(self.server.address(), &json!({ "contacts": some }).to_string()).await?;
        }
        Ok(())
    }

    async fn apply(&self, case: &str) -> Outcome<()> {
        self.run(case, &["apply", "--auto-approve", "--quiet", "--max-wait", "5m"]).await.map(drop)
    }

    /// Looks for drift; exactly so many contacts have to have changed.
    async fn drift(&self, case: &str, changed: usize) -> Outcome<()> {
        let printed = self.run(case, &["drift", "--json"]).await?;
        let found: Value = serde_json::from_str(printed.trim())?;
        if found["changed"] == changed && found["gone"] == 0 { Ok(()) } else { Err(printed.into()) }
    }

    async fn run(&self, case: &str, arguments: &[&str]) -> Outcome<String> {
        let before = self.counts();
        let (printed, took, worked) = self.output(arguments).await?;
        let counts: Vec<(&str, u64)> = self
            .counts()
            .into_iter()
            .zip(before)
            .map(|((name, after), (_, before))| (name, after - before))
            .filter(|(_, count)| *count > 0)
            .collect();
        let total: u64 = counts.iter().map(|(_, count)| count).sum();
        let listed: Vec<String> = counts.iter().map(|(name, count)| format!("{count} {name}")).collect();
        let counted = self.server.requests();
        let rejected: u64 = KINDS.iter().map(|(_, action)| counted.answered(*action, 429)).sum();
        let (listed, took, worked) = (listed.join(", "), seconds(took), seconds(worked));
        print(&format!("| {case} | {total} | {listed} | {took} | {worked} | {rejected} |"));
        Ok(printed)
    }

    /// Runs the program; returns what it printed, how long it took, and how long it had a processor.
    #[expect(clippy::disallowed_methods, reason = "measuring time is what this program is for")]
    async fn output(&self, arguments: &[&str]) -> Outcome<(String, Duration, Duration)> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_contactsd"));
        command.args(arguments);
        command.arg("--dir").arg(self.contacts()).arg("--state").arg(self.home.path().join("state"));
        command.arg("--api-url").arg(format!("http://{}/api/v1", self.server.address()));
        command.env_clear().env("APOLLO_API_KEY", "sandbox").env("HOME", self.home.path());
        let (out, errors) = (self.home.path().join("stdout"), self.home.path().join("stderr"));
        command.stdin(Stdio::null()).stdout(fs::File::create(&out)?).stderr(fs::File::create(&errors)?);
        command.current_dir(self.home.path());
        let began = Instant::now();
        let ended = tokio::task::spawn_blocking(move || command.spawn()?.wait4()).await??;
        let took = began.elapsed();
        if ![Some(0), Some(1)].contains(&ended.status.code()) {
            return Err(fs::read_to_string(errors)?.into());
        }
        Ok((fs::read_to_string(out)?, took, ended.rusage.utime + ended.rusage.stime))
    }

    fn counts(&self) -> Vec<(&'static str, u64)> {
        let counts = self.server.requests();
        KINDS.into_iter().map(|(name, action)| (name, counts.requests(action))).collect()
    }

    fn contacts(&self) -> PathBuf {
        Path::new(self.home.path()).join("contacts.d")
    }
}

async fn add(sandbox: SocketAddr, body: &str) -> Outcome<()> {
    send(sandbox, "POST", "/sandbox/contacts", body).await.map(drop)
}

/// Sends a request; returns the body of the answer.
async fn send(sandbox: SocketAddr, method: &str, path: &str, body: &str) -> Outcome<String> {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let mut stream = tokio::net::TcpStream::connect(sandbox).await?;
    let head = format!(
        "{method} {path} HTTP/1.1\r\nhost: {sandbox}\r\nx-api-key: sandbox\r\nconnection: close\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(head.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    match answer.split_once("\r\n\r\n") {
        Some((head, body)) if head.starts_with("HTTP/1.1 200") => Ok(body.to_owned()),
        _ => Err(answer.into()),
    }
}

fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}
