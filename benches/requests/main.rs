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
use std::process::{Command, ExitCode};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use clap::Parser;
use contactsd::ops::Clock;
use contactsd::sandbox::{Action, Options, Server};
use printing::{print, say};
use serde_json::{Value, json};

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
    print("| case | requests | of them | time | answers with 429 |\n|---|---:|---|---:|---:|");
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
    print("| case | requests | of them | time | answers with 429 |\n|---|---:|---|---:|---:|");
    let many = args.contacts;
    let account = Account::new("", "").await?;
    account.declare(many, |number| format!(", title: Clerk {}", number % 7))?;
    account.apply("apply, into an empty account").await?;
    account.an_hour_passes();
    account.drift("drift, the first time").await?;
    account.an_hour_passes();
    account.drift("drift, nothing has changed").await?;
    account.edit(10).await?;
    account.drift("drift, ten were edited").await?;
    account.run("plan --refresh", &["plan", "--refresh", "--quiet"]).await?;
    account.run("apply --refresh", &["apply", "--refresh", "--auto-approve", "--quiet"]).await?;
    account.an_hour_passes();
    account.drift("drift afterwards").await
}

/// The kinds of requests, and what they are called.
const KINDS: [(&str, Action); 10] = [
    ("bulk create", Action::BulkCreate),
    ("create", Action::Create),
    ("bulk update", Action::BulkUpdate),
    ("update", Action::Update),
    ("stage update", Action::UpdateStages),
    ("search", Action::Search),
    ("view", Action::View),
    ("list add", Action::AddToLists),
    ("lists", Action::ShowLists),
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
        self.run(case, &["apply", "--auto-approve", "--quiet", "--max-wait", "5m"]).await
    }

    async fn drift(&self, case: &str) -> Outcome<()> {
        self.run(case, &["drift", "--quiet"]).await
    }

    #[expect(clippy::disallowed_methods, reason = "measuring time is what this program is for")]
    async fn run(&self, case: &str, arguments: &[&str]) -> Outcome<()> {
        let before = self.counts();
        let mut command = Command::new(env!("CARGO_BIN_EXE_contactsd"));
        command.args(arguments);
        command.arg("--dir").arg(self.contacts()).arg("--state").arg(self.home.path().join("state"));
        command.arg("--api-url").arg(format!("http://{}/api/v1", self.server.address()));
        command.env_clear().env("APOLLO_API_KEY", "sandbox").env("HOME", self.home.path());
        command.current_dir(self.home.path());
        let began = Instant::now();
        let output = tokio::task::spawn_blocking(move || command.output()).await??;
        let took = began.elapsed();
        if ![Some(0), Some(1)].contains(&output.status.code()) {
            return Err(String::from_utf8_lossy(&output.stderr).into_owned().into());
        }
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
        print(&format!("| {case} | {total} | {} | {} | {rejected} |", listed.join(", "), seconds(took)));
        Ok(())
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
    send(sandbox, "POST", "/sandbox/contacts", body).await
}

async fn send(sandbox: SocketAddr, method: &str, path: &str, body: &str) -> Outcome<()> {
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
    if answer.starts_with("HTTP/1.1 200") { Ok(()) } else { Err(answer.into()) }
}

fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}
