//! A directory, a state and a sandbox, with sessions one after the other.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use secrecy::SecretString;
use serde_json::Value;

use super::super::{
    Clock, Entropy, Event, Origins, Problem, Refusal, Remaining, Report, SavedPlan, Session, SessionOptions, apply,
    apply_as, check_plan, load, plan, read_plan, resume_plan, save_plan,
};
use super::line::{Line, Spoil, Spoiled};
use crate::apollo;
use crate::model::{Batching, Timestamp};
use crate::ops::{Reading, Want};
use crate::plan::Policy;
use crate::quota::Rules;
use crate::sandbox::{Action, DedupeReading, Options, Server, Witness};
use crate::state::{Location, PlanProgress, Snapshot, Wanted};
use crate::store::Broken;

/// The key that the sandbox of a world accepts.
const KEY: &str = "sandbox";

type Listener = Arc<dyn Fn(&Event) + Send + Sync>;

pub(super) struct World {
    home: tempfile::TempDir,
    clock: Clock,
    /// Where the state is when it is in a database.
    database: Option<Location>,
    pub(super) server: Server,
    pub(super) line: Line,
    /// Fails a commit of the sessions to come.
    pub(super) broken: Arc<Broken>,
    /// How long the sessions to come wait before they look for what a create made.
    pub(super) settle_after: Duration,
    /// How many contacts the sessions to come send in one request.
    pub(super) batching: Batching,
    problems: Arc<Mutex<Vec<Problem>>>,
    /// Hears the events of the sessions to come.
    listener: Option<Listener>,
}

impl World {
    pub(super) async fn new(spoiled: Option<(u64, Spoil)>) -> Self {
        Self::with(DedupeReading::default(), Witness::default(), spoiled).await
    }

    pub(super) async fn with(dedupe: DedupeReading, witness: Witness, spoiled: Option<(u64, Spoil)>) -> Self {
        Self::to(|options| Options { dedupe, witness, ..options }, spoiled.map(any)).await
    }

    /// Makes a world in which a create is spoiled.
    pub(super) async fn with_create(number: u64, spoil: Spoil) -> Self {
        Self::to(|options| options, Some(Spoiled { number, spoil, among_creates: true })).await
    }

    /// Makes a world whose key may not search.
    pub(super) async fn without_search(spoiled: Option<Spoiled>) -> Self {
        let missing_scopes = BTreeSet::from([Action::Search]);
        Self::to(|options| Options { missing_scopes, ..options }, spoiled).await
    }

    pub(super) async fn to(sandbox: impl FnOnce(Options) -> Options, spoiled: Option<Spoiled>) -> Self {
        let home = tempfile::tempdir().unwrap();
        let clock = Clock::system();
        let mut options = Options::new(home.path().join("sandbox"), Arc::new(move || clock.now()));
        options.api_keys = vec![KEY.to_owned()];
        let server = Server::start(sandbox(options)).await.unwrap();
        let line = Line::to(server.address(), spoiled).await;
        Self {
            home,
            clock,
            database: None,
            server,
            line,
            broken: Arc::default(),
            settle_after: Duration::ZERO,
            batching: Batching::ALONE,
            problems: Arc::default(),
            listener: None,
        }
    }

    /// Keeps the state in a database.
    pub(super) fn in_database(self, location: Option<Location>) -> Self {
        Self { database: location, ..self }
    }

    /// Replaces the files; `contacts` is what stands below `contacts:`, indented by two.
    pub(super) fn declare(&self, contacts: &str) {
        let directory = self.home.path().join("contacts.d");
        std::fs::create_dir_all(&directory).unwrap();
        std::fs::write(directory.join("people.yaml"), format!("contacts:\n{contacts}")).unwrap();
    }

    /// Spoils an exchange from now on.
    pub(super) async fn spoil(&mut self, number: u64, spoil: Spoil) {
        self.line = Line::to(self.server.address(), Some(any((number, spoil)))).await;
    }

    /// Spoils a create from now on.
    pub(super) async fn spoil_create(&mut self, number: u64, spoil: Spoil) {
        let spoiled = Spoiled { number, spoil, among_creates: true };
        self.line = Line::to(self.server.address(), Some(spoiled)).await;
    }

    /// Has the events of the sessions to come heard.
    pub(super) fn hear(&mut self, listener: impl Fn(&Event) + Send + Sync + 'static) {
        self.listener = Some(Arc::new(listener));
    }

    /// Puts a contact into Apollo that somebody else made long ago.
    pub(super) async fn somebody(&self, mut contact: Value) {
        contact["created_at"] = "2024-01-02T03:04:05.006Z".into();
        self.add(contact).await;
    }

    /// Puts a contact into Apollo that somebody else has just made.
    pub(super) async fn add(&self, contact: Value) {
        let url = format!("http://{}/sandbox/contacts", self.server.address());
        let answer = http().post(url).header("x-api-key", KEY).body(contact.to_string()).send().await.unwrap();
        assert!(answer.status().is_success(), "{answer:?}");
    }

    /// Deletes the one contact of this first name in Apollo.
    pub(super) async fn delete(&self, first_name: &str) {
        let id = self.contact(first_name)["id"].as_str().unwrap().to_owned();
        let url = format!("http://{}/sandbox/contacts/{id}", self.server.address());
        let answer = http().delete(url).header("x-api-key", KEY).send().await.unwrap();
        assert!(answer.status().is_success(), "{answer:?}");
    }

    /// Merges the contact of one e-mail into that of another in Apollo.
    pub(super) async fn merge(&self, email: &str, into: &str) {
        let contacts = self.server.contacts();
        let id = |email: &str| {
            let of_email = contacts.iter().find(|contact| contact["email"] == email).unwrap();
            of_email["id"].as_str().unwrap().to_owned()
        };
        let url = format!("http://{}/sandbox/contacts/{}/merged-into", self.server.address(), id(email));
        let answer = http().put(url).header("x-api-key", KEY).body(id(into)).send().await.unwrap();
        assert!(answer.status().is_success(), "{answer:?}");
    }

    /// Chooses how deleted contacts are answered from now on.
    pub(super) async fn answer_deleted(&self, shape: &str) {
        let url = format!("http://{}/sandbox/deleted-answer", self.server.address());
        let answer = http().put(url).header("x-api-key", KEY).body(shape.to_owned()).send().await.unwrap();
        assert!(answer.status().is_success(), "{answer:?}");
    }

    pub(super) fn lose_state(&self) {
        std::fs::remove_dir_all(self.state()).unwrap();
    }

    /// Copies the state, as a person would between two runs.
    pub(super) fn back_up(&self) -> tempfile::TempDir {
        let backup = tempfile::tempdir().unwrap();
        copy(&self.state(), &backup.path().join("state"));
        backup
    }

    pub(super) fn put_back(&self, backup: &tempfile::TempDir) {
        self.lose_state();
        copy(&backup.path().join("state"), &self.state());
    }

    /// Plans and applies once; `None` when there was nothing to do.
    ///
    /// The session is closed whatever happened, as the end of a process does.
    pub(super) async fn apply(&self) -> Option<Report> {
        self.apply_with(Policy::default(), |_| ()).await
    }

    /// As `apply`, while somebody is at the contact files between the plan and the first request.
    pub(super) async fn apply_while(&self, meanwhile: impl FnOnce(&Path)) -> Option<Report> {
        self.apply_with(Policy::default(), meanwhile).await
    }

    /// As `apply`, creating the contact of `key` whoever is like it.
    pub(super) async fn apply_creating(&self, key: &str) -> Option<Report> {
        let create = BTreeSet::from([crate::model::ContactKey::parse(key).unwrap()]);
        self.apply_with(Policy { create, ..Policy::default() }, |_| ()).await
    }

    async fn apply_with(&self, policy: Policy, meanwhile: impl FnOnce(&Path)) -> Option<Report> {
        let dir = self.home.path().join("contacts.d");
        let desired = load(&dir).unwrap();
        let session = Arc::new(Session::open(self.options()).await.unwrap());
        session.store().break_at(Arc::clone(&self.broken));
        let snapshot = session.snapshot(&desired).await.unwrap();
        let policy = Policy { force: true, ..policy };
        let planned = plan(&desired, &snapshot, &policy, &Rules::default(), session.now()).unwrap();
        let idle = planned.plan.is_empty() && planned.plan.housekeeping.is_empty();
        meanwhile(&dir);
        let proven = idle || session.prove_credential(&snapshot).await.is_ok();
        let report = match (idle, proven) {
            (true, _) => None,
            (false, true) => {
                let report = apply(&session, &planned.plan, &desired, &snapshot).await;
                let is_forgotten = desired.known().loaded.files.iter().all(|file| file.kept().is_none());
                assert!(is_forgotten, "what the plan holds is kept twice");
                Some(report)
            }
            (false, false) => Some(Report { failed: 1, ..Report::default() }),
        };
        // A store that failed says so again here.
        let _ = Arc::into_inner(session).unwrap().close().await;
        report
    }

    /// Applies until there is nothing to do; a world that needs many runs for that is a failure.
    pub(super) async fn settle_down(&self) {
        for _ in 0..6 {
            if self.apply().await.is_none() {
                return;
            }
        }
        panic!("does not come to rest: {:#?}", self.problems.lock().unwrap());
    }

    /// Writes a contact file beside the one that [`World::declare`] writes.
    pub(super) fn declare_in(&self, file: &str, contacts: &str) {
        let path = self.home.path().join("contacts.d").join(file);
        std::fs::write(path, format!("contacts:\n{contacts}")).unwrap();
    }

    /// Saves a plan of the files, and returns it as it is read back.
    pub(super) fn save(&self) -> SavedPlan {
        let desired = load(&self.home.path().join("contacts.d")).unwrap();
        let wanted = desired.everyone().unwrap().wanted();
        let snapshot = crate::store::read(&self.state().into(), &wanted).unwrap();
        let policy = Policy { force: true, ..Policy::default() };
        let snapshot =
            snapshot.unwrap_or_else(|| Reading::without_state(Want::Plan(&desired), "sandbox").unwrap().snapshot);
        let planned = plan(&desired, &snapshot, &policy, &Rules::default(), Timestamp(0)).unwrap();
        let path = self.home.path().join("team.plan");
        save_plan(&path, &planned, &Origins::new("sandbox".to_owned(), &desired, policy)).unwrap();
        read_plan(&path).unwrap()
    }

    /// Applies what is left of the saved plan, as a process would that begins again.
    pub(super) async fn apply_saved(&self) -> Result<Report, Refusal> {
        let desired = load(&self.home.path().join("contacts.d")).unwrap();
        let mut saved = read_plan(&self.home.path().join("team.plan")).unwrap();
        check_plan(&saved, "sandbox", &desired)?;
        let session = Arc::new(Session::open(self.options()).await.unwrap());
        session.store().break_at(Arc::clone(&self.broken));
        let outcome = match resume_plan(&session, &saved, &desired, &Rules::default()).await.unwrap() {
            Err(refusal) => Err(refusal),
            Ok(resumed) => {
                let proven = session.prove_credential(&resumed.snapshot).await.is_ok();
                let failed = Report { failed: 1, ..Report::default() };
                if proven && saved.begin(&session, &resumed.snapshot).await.is_ok_and(|marked| marked.is_ok()) {
                    let rest = Remaining { digest: saved.digest().clone(), left_out: resumed.replaced.len() };
                    Ok(apply_as(&session, resumed.planned.plan.clone(), &desired, &resumed.snapshot, Some(&rest)).await)
                } else {
                    Ok(failed)
                }
            }
        };
        let _ = Arc::into_inner(session).unwrap().close().await;
        outcome
    }

    pub(super) async fn progress(&self) -> PlanProgress {
        let session = Session::open(self.options()).await.unwrap();
        let progress = session.store().plan_progress().await.unwrap();
        session.close().await.unwrap();
        progress
    }

    pub(super) fn snapshot(&self) -> Snapshot {
        if let Some(database) = &self.database {
            return crate::store::read_database(database, &Wanted::everything()).unwrap().unwrap().snapshot;
        }
        crate::store::read(&self.state().into(), &Wanted::everything()).unwrap().unwrap()
    }

    /// Returns the one contact of this first name.
    #[track_caller]
    pub(super) fn contact(&self, first_name: &str) -> Value {
        let contacts = self.server.contacts();
        let mut named = contacts.iter().filter(|contact| contact["first_name"] == first_name);
        let found = named.next().unwrap_or_else(|| panic!("no {first_name}")).clone();
        assert_eq!(named.next(), None, "more than one {first_name}");
        found
    }

    /// Returns all that was told to go wrong, each as `KEY: KIND` with its facts, and forgets it.
    pub(super) fn take_problems(&self) -> Vec<String> {
        let told = |problem: Problem| {
            let key = problem.key.map(|key| format!("{key}: ")).unwrap_or_default();
            format!("{key}{:?}", problem.kind)
        };
        self.problems.lock().unwrap().drain(..).map(told).collect()
    }

    /// Makes sure that just this was told, each as its beginning in [`World::take_problems`].
    #[track_caller]
    pub(super) fn assert_told(&self, expected: &[&str]) {
        let told = self.take_problems();
        let are_like = told.iter().zip(expected).all(|(told, expected)| told.starts_with(expected));
        assert!(told.len() == expected.len() && are_like, "{told:#?} instead of {expected:#?}");
    }

    fn state(&self) -> PathBuf {
        self.home.path().join("state")
    }

    pub(super) fn options(&self) -> SessionOptions {
        let base_url = url::Url::parse(&format!("http://{}/api/v1", self.line.address)).unwrap();
        let credential = apollo::Credential::ApiKey(SecretString::from(KEY));
        let entropy = Entropy::draw().unwrap();
        let (problems, listener) = (Arc::clone(&self.problems), self.listener.clone());
        SessionOptions {
            client: Some(apollo::Options::new(base_url, credential)),
            rules: Rules { batching: self.batching, ..Rules::default() },
            settle_after: self.settle_after,
            settle_batches_after: self.settle_after,
            drawn: entropy.drawn,
            run: entropy.run,
            events: Arc::new(move |event| {
                if let Some(listener) = &listener {
                    listener(&event);
                }
                if let Event::Problem(problem) = event {
                    problems.lock().unwrap().push(problem);
                }
            }),
            ..SessionOptions::bare(self.database.clone().unwrap_or_else(|| self.state().into()), self.clock)
        }
    }
}

/// Makes a client of the tests' own, beside the one that is tested.
fn http() -> reqwest::Client {
    rustls::crypto::ring::default_provider().install_default().ok();
    reqwest::Client::builder().no_proxy().build().unwrap()
}

fn any((number, spoil): (u64, Spoil)) -> Spoiled {
    Spoiled { number, spoil, among_creates: false }
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}
