//! A month of edits and faults: nobody is doubled, nobody is lost, and nothing grows without end.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::time::Duration;

use super::world::{Running, World};
use crate::ops::watch::{Command, PauseAnswer, ResumeAnswer};
use crate::state::Wanted;
use crate::store::{Footprint, read};

const DAYS: u64 = 30;

const EDITS_A_DAY: u64 = 8;

/// People that are ever declared; each goes by one of two keys.
const PEOPLE: usize = 30;

const FILES: usize = 4;

/// What may go wrong with a request, while anything may.
const FAULTS: &str = "lost-reply=0.08,cut-before=0.08,error-500=0.08,html-502=0.08,truncated=0.08";

/// The day by which most people have been declared.
const FULL_AFTER: usize = 9;

/// How much larger the state may become than it was then, in times.
const MOST_GROWTH: u64 = 3;

/// One person, as the files have it.
struct Person {
    number: usize,
    /// `None` while the person stands in no file.
    file: Option<usize>,
    title: u64,
    is_renamed: bool,
}

impl Person {
    fn key(&self) -> String {
        format!("{}{}", if self.is_renamed { "q" } else { "p" }, self.number)
    }

    fn email(&self) -> String {
        format!("p{}@example.com", self.number)
    }

    fn title(&self) -> String {
        format!("Title {}", self.title)
    }
}

struct Month {
    world: World,
    people: Vec<Person>,
    random: fastrand::Rng,
}

impl Month {
    /// Writes all files as they are meant to be.
    fn write(&self) {
        fs::remove_file(self.world.dir().join("broken.yaml")).ok();
        for file in 0..FILES {
            let of_file = self.people.iter().filter(|person| person.file == Some(file));
            let line = |person: &Person| {
                format!("  {}: {{email: {}, title: {}}}\n", person.key(), person.email(), person.title())
            };
            let lines: String = of_file.map(line).collect();
            let text = if lines.is_empty() { "contacts: {}\n".to_owned() } else { format!("contacts:\n{lines}") };
            fs::write(self.world.dir().join(format!("f{file}.yaml")), text).unwrap();
        }
    }

    /// Changes the files in one way or another, and lets a pass see it.
    async fn edit(&mut self, service: &Running) {
        let chosen = self.random.usize(0..self.people.len().max(1));
        let file = self.random.usize(0..FILES);
        let number = self.people.len();
        match (self.random.u8(0..11), self.people.get_mut(chosen)) {
            (0..=2, _) | (_, None) if number < PEOPLE => {
                self.people.push(Person { number, file: Some(file), title: 0, is_renamed: false });
            }
            (0..=4, Some(person)) => person.title += 1,
            (5, Some(person)) if person.file.is_some() => person.file = Some(file),
            (6, Some(person)) if person.file.is_some() => person.is_renamed = !person.is_renamed,
            (5..=7, Some(person)) => person.file = if person.file.is_some() { None } else { Some(file) },
            // Moved to another file, and seen in between.
            (8, Some(person)) => {
                person.file = None;
                self.write();
                service.changed().await;
                self.people[chosen].file = Some(file);
            }
            (9, _) => {
                fs::write(self.world.dir().join("broken.yaml"), "contacts: [").unwrap();
                service.changed().await;
            }
            _ => {
                for file in fs::read_dir(self.world.dir()).unwrap() {
                    fs::remove_file(file.unwrap().path()).unwrap();
                }
                service.changed().await;
                service.leap(Duration::from_mins(10)).await;
            }
        }
        self.write();
        let status = service.changed().await;
        assert!(status.failing.len() <= 2 * PEOPLE && status.waiting.len() <= 2 * PEOPLE, "{status:#?}");
    }

    /// Checks who is there, after faults have ended for long enough.
    fn check_contacts(&self, before: &BTreeSet<String>) -> BTreeSet<String> {
        let contacts = self.world.contacts();
        let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
        let held: BTreeMap<String, String> =
            contacts.iter().map(|contact| (text(&contact["email"]), text(&contact["title"]))).collect();
        assert_eq!(held.len(), contacts.len(), "somebody is there twice: {held:#?}");
        for person in self.people.iter().filter(|person| person.file.is_some()) {
            assert_eq!(held.get(&person.email()), Some(&person.title()), "{}: {held:#?}", person.key());
        }
        let held: BTreeSet<String> = held.into_keys().collect();
        let ever: BTreeSet<String> = self.people.iter().map(Person::email).collect();
        assert!(held.is_subset(&ever) && before.is_subset(&held), "{before:?} {held:?}");
        held
    }

    /// Checks what the state holds; returns the bytes it takes.
    async fn check_state(&self, service: &Running) -> u64 {
        let paused = service.command(|reply| Command::Pause { reply }).await;
        assert!(matches!(paused, Ok(PauseAnswer::Paused { .. })), "{paused:?}");
        let state = read(&self.world.state().into(), &Wanted::everything()).unwrap().unwrap();
        let bound: Vec<String> = state.bindings.keys().map(ToString::to_string).collect();
        let declared: BTreeSet<String> =
            self.people.iter().filter(|person| person.file.is_some()).map(Person::key).collect();
        assert_eq!(bound, Vec::from_iter(declared));
        assert!(state.intents.is_empty() && state.conflicts.is_empty(), "{state:#?}");
        assert!(state.tombstones.len() <= 2 * self.people.len() - bound.len(), "{:#?}", state.tombstones);
        assert!(state.quota.len() <= 8, "{:#?}", state.quota);
        let bytes = Footprint::of(&self.world.state()).unwrap().used;
        let resumed = service.command(|reply| Command::Resume { reply }).await;
        assert_eq!(resumed, Ok(ResumeAnswer::Resumed));
        service.until(|status| status.paused_since.is_none() && status.last_pass.is_some()).await;
        bytes
    }
}

#[tokio::test(start_paused = true)]
async fn a_month_of_edits_and_faults_doubles_nobody_and_grows_nothing() {
    let mut world = World::new().await;
    world.policy.force = true;
    let mut settings = world.settings();
    settings.resync = Duration::from_hours(8);
    let mut month = Month { world, people: Vec::new(), random: fastrand::Rng::with_seed(30) };
    month.write();
    let service = month.world.start().await;
    service.commands.send(Command::Reload(Box::new(settings))).unwrap();
    service.until(|status| status.passes > 0).await;
    let (mut held, mut bytes) = (BTreeSet::new(), Vec::new());
    for _day in 0..DAYS {
        month.world.server.set_faults(FAULTS.parse().unwrap());
        for _edit in 0..EDITS_A_DAY {
            month.edit(&service).await;
            let pause = Duration::from_secs(month.random.u64(1..7200));
            service.leap(pause).await;
        }
        month.world.server.set_faults(String::new().parse().unwrap());
        let status = service.leap(Duration::from_hours(8)).await;
        assert!(status.ready && status.failing.is_empty() && status.waiting.is_empty(), "{status:#?}");
        held = month.check_contacts(&held);
        bytes.push(month.check_state(&service).await);
    }
    let passes = service.end().await.passes;
    let most = bytes.iter().max().copied().unwrap_or_default();
    assert!(passes > 250 && held.len() == PEOPLE, "{passes} passes, {} people", held.len());
    assert!(most <= MOST_GROWTH * bytes[FULL_AFTER], "{passes} passes, {bytes:?}");
}
