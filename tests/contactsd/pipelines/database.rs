//! Runners that have nothing but the job they are made for: the state is in a database.

use super::hosting::Repository;
use super::{TEAM, comment};
use crate::support::postgres::Server;

#[test]
fn jobs_on_any_runner_share_a_state_in_a_database() {
    let Some(server) = Server::start() else { return };
    for repository in Repository::of_each_with_database(TEAM, |number| server.url(&format!("jobs-{number}"))) {
        let planned = repository.plan();
        assert!(planned.iter().all(|outcome| outcome.code == Some(0)), "{}", planned.last().unwrap());
        repository.merge();
        let applied = repository.apply("");
        assert_eq!(applied.code, Some(0), "{applied}");
        repository.remote.take_calls();
        assert_eq!(repository.drift().code, Some(0), "the database says that all is done");
        repository.world.edit("contacts.d/team.yaml", "Engineer", "Director");
        repository.plan();
        assert!(comment(&repository).contains("\nPlan: 0 to add, 1 to change, "), "{}", comment(&repository));
        let applied = repository.apply("");
        assert_eq!(applied.code, Some(0), "{applied}");
        assert_eq!(repository.remote.column("title"), ["Director"]);
        assert_eq!(repository.remote.contacts().len(), 1);
    }
}
