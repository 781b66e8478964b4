//! The two places that run pipelines, as far as the examples need them: they read a YAML file and run its scripts.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::json;
use serde_yaml::Value;

use crate::support::{KEY, Outcome, Remote, World};

/// Which pipelines are run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hosting {
    GitHub,
    GitLab,
}

/// A repository with pipelines: a checkout, an Apollo, and a stand-in for what `gh` and `glab` talk to.
pub(super) struct Repository {
    pub(super) world: World,
    pub(super) remote: Remote,
    hosting: Hosting,
    /// Whether runners are made again for each job, so that the state is kept as an object in a bucket.
    is_kept: bool,
    /// The URL of the state where that is in a database.
    database: Option<String>,
}

/// Where the state of such runners is kept.
const KEPT_STATE: &str = "s3://people/state.jsonl";

pub(super) fn example(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(path)
}

pub(super) fn document(path: &str) -> Value {
    let text = fs::read_to_string(example(path)).unwrap();
    serde_yaml::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Returns the component for GitLab, its inputs as they are when nothing else is said.
pub(super) fn component() -> Value {
    let text = fs::read_to_string(example("../templates/contactsd.yml")).unwrap();
    let (head, mut jobs) = text.split_once("\n---\n").map(|(head, jobs)| (head, jobs.to_owned())).unwrap();
    let head: Value = serde_yaml::from_str(head).unwrap();
    for (name, input) in head["spec"]["inputs"].as_mapping().unwrap() {
        let default = serde_json::to_string(&input["default"]).unwrap();
        let place = format!("$[[ inputs.{} ]]", name.as_str().unwrap());
        assert!(jobs.contains(&place), "{place} is never used");
        jobs = jobs.replace(&place, &default);
    }
    assert!(!jobs.contains("$[["), "an input that there is not");
    serde_yaml::from_str(&jobs).unwrap()
}

/// Reports whether this machine can run scripts of pipelines, and says loudly where it cannot.
fn can_run() -> bool {
    let missing = ["bash", "jq"].into_iter().find(|program| {
        let asked = Command::new(program).arg("--version").env("PATH", "/usr/bin:/bin").output();
        !asked.is_ok_and(|output| output.status.success())
    });
    if let Some(program) = missing {
        // Not through a macro: the test harness would keep it to itself.
        let line = format!("SKIPPED: the scripts of the example pipelines: no {program} in /usr/bin or /bin\n");
        std::io::stderr().write_all(line.as_bytes()).unwrap();
    }
    missing.is_none()
}

/// Returns how a job ended: as the step that failed first, or else as the one that the job is for.
fn job(mut steps: Vec<(String, Outcome)>, name: &str) -> Outcome {
    let failed = steps.iter().position(|(_, outcome)| outcome.code != Some(0));
    let shown = failed.or_else(|| steps.iter().position(|(step, _)| step == name));
    steps.swap_remove(shown.expect("the job has such a step")).1
}

/// Decides whether a step of the action runs after those that did: each `&&` of its condition holds.
fn runs(condition: &Value, inputs: &BTreeMap<&str, String>, before: &[(String, Outcome)]) -> bool {
    let is_good = |(_, outcome): &(String, Outcome)| outcome.code == Some(0);
    let outcome = |step: &str| before.iter().find(|(name, _)| name == step).map(is_good);
    let fetched = outcome("Fetch the state");
    let condition = condition.as_str().unwrap_or("${{ success() }}");
    let terms = condition.strip_prefix("${{ ").and_then(|rest| rest.strip_suffix(" }}")).unwrap().split(" && ");
    let mut goes_on_after_failures = false;
    let mut holds = true;
    for term in terms {
        if let Some((input, value)) = term.strip_prefix("inputs.").and_then(|rest| rest.split_once(" == ")) {
            holds &= format!("'{}'", inputs[input]) == value;
        } else if let Some((input, value)) = term.strip_prefix("inputs.").and_then(|rest| rest.split_once(" != ")) {
            holds &= format!("'{}'", inputs[input]) != value;
        } else {
            match term {
                "success()" => {}
                "!cancelled()" | "always()" => goes_on_after_failures = true,
                "steps.install.outcome == 'success'" => holds &= outcome("Install") == Some(true),
                "steps.fetch.outcome != 'failure'" => holds &= fetched != Some(false),
                "steps.fetch.outcome == 'success'" => holds &= fetched == Some(true),
                other => panic!("a condition that this does not know: {other}"),
            }
        }
    }
    holds && (goes_on_after_failures || before.iter().all(is_good))
}

impl Repository {
    /// Sets up one of each hosting; none where this machine cannot run the scripts.
    pub(super) fn of_each(team: &str) -> Vec<Self> {
        let each = [Hosting::GitHub, Hosting::GitLab].map(|hosting| can_run().then(|| Self::new(hosting, team)));
        each.into_iter().flatten().collect()
    }

    fn new(hosting: Hosting, team: &str) -> Self {
        let remote = Remote::start();
        let mut world = World::with(team);
        let program = match hosting {
            Hosting::GitHub => "gh",
            Hosting::GitLab => "glab",
        };
        world.write(&format!("bin/{program}"), include_str!("hub.sh"));
        fs::set_permissions(world.path(format!("bin/{program}")), fs::Permissions::from_mode(0o700)).unwrap();
        symlink(env!("CARGO_BIN_EXE_contactsd"), world.path("bin/contactsd")).unwrap();
        world.set("PATH", &format!("{}:/usr/bin:/bin", world.path("bin").display()));
        world.set("HUB", world.path("hub").to_str().unwrap());
        world.set("CONTACTSD_API_URL", &remote.url());
        world.set("CI", "true");
        world.write("temp/.keep", "");
        world.write("hub/canned/user", &json!({"username": "pipeline"}).to_string());
        // Whoever may comment can write a page like ours; it counts for nothing.
        let forged = "<!-- contactsd plan: contacts.d -->\nDigest: `00000000000000000000000000000000`\n";
        for (number, place) in
            ["repos/example/people/issues/7/comments", "projects/5/merge_requests/7/notes"].into_iter().enumerate()
        {
            let comment = json!({"id": number + 1, "collection": place, "open": true, "body": forged,
                "user": {"login": "mallory"}, "author": {"username": "mallory"}});
            world.write(&format!("hub/items/{}", number + 1), &comment.to_string());
        }
        Self { world, remote, hosting, is_kept: false, database: None }
    }

    /// The same with runners that have nothing but the job they are made for, and an empty object in the bucket.
    pub(super) fn of_each_without_disk(team: &str) -> Vec<Self> {
        let mut each = Self::of_each(team);
        for repository in &mut each {
            repository.is_kept = true;
            let world = &repository.world;
            world.write("bin/aws", include_str!("bucket.sh"));
            fs::set_permissions(world.path("bin/aws"), fs::Permissions::from_mode(0o700)).unwrap();
            repository.keep("");
        }
        each
    }

    /// The same with a state in a database, which `url` gives for each hosting.
    pub(super) fn of_each_with_database(team: &str, url: impl Fn(usize) -> String) -> Vec<Self> {
        let mut each = Self::of_each(team);
        for (number, repository) in each.iter_mut().enumerate() {
            repository.database = Some(url(number));
        }
        each
    }

    /// Replaces the object that the state is kept as.
    pub(super) fn keep(&self, text: &str) {
        self.world.write("hub/bucket/people/state.jsonl", text);
    }

    pub(super) fn kept(&self) -> String {
        fs::read_to_string(self.world.path("hub/bucket/people/state.jsonl")).unwrap()
    }

    /// Gives the next job its runner.
    fn begin_job(&self) {
        let state = self.world.path("state");
        if self.database.is_some() {
            let _ = fs::remove_dir_all(self.world.path(".contactsd"));
        }
        if self.is_kept && state.exists() {
            fs::remove_dir_all(state).unwrap();
        }
    }

    /// Notes that what is on main came by the change with a plan under it.
    pub(super) fn merge(&self) {
        let merged = json!([{"number": 7, "iid": 7, "merged_at": "2026-11-23T13:42:21Z", "state": "merged"}]);
        for place in
            ["repos-example-people-commits-c0ffee-pulls", "projects-5-repository-commits-c0ffee-merge_requests"]
        {
            self.world.write(&format!("hub/canned/{place}"), &merged.to_string());
        }
    }

    /// Notes that what is on main came by no change.
    pub(super) fn push_directly(&self) {
        for place in
            ["repos-example-people-commits-c0ffee-pulls", "projects-5-repository-commits-c0ffee-merge_requests"]
        {
            self.world.write(&format!("hub/canned/{place}"), "[]");
        }
    }

    /// Returns what the pipelines have written, oldest first: comments and issues.
    pub(super) fn pages(&self) -> Vec<serde_json::Value> {
        let mut items: Vec<serde_json::Value> = fs::read_dir(self.world.path("hub/items"))
            .unwrap()
            .map(|item| serde_json::from_slice(&fs::read(item.unwrap().path()).unwrap()).unwrap())
            .collect();
        items.retain(|item| item["author"]["username"] == "pipeline");
        items.sort_by_key(|item| item["number"].as_u64());
        items
    }

    /// Runs the jobs of a change that is under review; the last outcome is that of the plan.
    pub(super) fn plan(&self) -> Vec<Outcome> {
        match self.hosting {
            Hosting::GitHub => {
                let steps = self.workflow("plan", "").into_iter();
                let said = steps.filter(|(step, outcome)| step != "Install" || outcome.code != Some(0));
                said.map(|(_, outcome)| outcome).collect()
            }
            Hosting::GitLab => ["validate", "format", "plan"].map(|job| self.gitlab_job(job, "")).into(),
        }
    }

    /// Runs the job that follows a merge, or with a digest the one that a person starts.
    pub(super) fn apply(&self, digest: &str) -> Outcome {
        match self.hosting {
            Hosting::GitHub => job(self.workflow("apply", digest), "Apply"),
            Hosting::GitLab => self.gitlab_job("apply", digest),
        }
    }

    pub(super) fn drift(&self) -> Outcome {
        match self.hosting {
            Hosting::GitHub => job(self.workflow("drift", ""), "Drift"),
            Hosting::GitLab => self.gitlab_job("drift", ""),
        }
    }

    /// Runs the steps of a workflow with one job, as far as they run; returns those with their names.
    fn workflow(&self, name: &str, digest: &str) -> Vec<(String, Outcome)> {
        self.begin_job();
        let workflow = document(&format!("github-actions/{name}.yaml"));
        let steps = workflow["jobs"][name]["steps"].as_sequence().unwrap();
        let [checkout, step] = steps.as_slice() else { panic!("{name}: a checkout, and the action") };
        assert!(checkout["uses"].as_str().unwrap().starts_with("actions/checkout@"));
        assert!(step["uses"].as_str().unwrap().starts_with("example/contactsd@"));
        assert_eq!(workflow["env"].as_mapping().unwrap().len(), 1);
        assert_eq!(workflow["env"]["CONTACTSD_STATE"], "${{ secrets.CONTACTSD_STATE }}");
        let given = |value: &Value| match value.as_str().unwrap() {
            "${{ secrets.APOLLO_API_KEY }}" | "${{ secrets.APOLLO_READ_KEY }}" => KEY.to_owned(),
            "${{ inputs.digest }}" => digest.to_owned(),
            literal => {
                assert!(!literal.contains("${{"), "{literal}");
                literal.to_owned()
            }
        };
        let with = step["with"].as_mapping().unwrap();
        let mut inputs: BTreeMap<String, String> =
            with.iter().map(|(input, value)| (input.as_str().unwrap().to_owned(), given(value))).collect();
        if self.is_kept {
            inputs.insert("kept-state".to_owned(), KEPT_STATE.to_owned());
        }
        let state = self.database.clone().unwrap_or_else(|| self.world.path("state").display().to_string());
        self.action(&inputs, &state)
    }

    /// Runs the steps of the action, as far as they run; returns those with their names.
    pub(super) fn action(&self, given: &BTreeMap<String, String>, state: &str) -> Vec<(String, Outcome)> {
        let action = document("../action.yml");
        let known = action["inputs"].as_mapping().unwrap();
        let mut inputs: BTreeMap<&str, String> = BTreeMap::new();
        for (name, input) in known {
            let default = match input["default"].as_str().unwrap() {
                "${{ github.token }}" => "token",
                "${{ github.event.pull_request.number }}" => "7",
                literal => literal,
            };
            inputs.insert(name.as_str().unwrap(), default.to_owned());
        }
        for (name, value) in given {
            let input = inputs.get_mut(name.as_str()).unwrap_or_else(|| panic!("no input {name}"));
            input.clone_from(value);
        }
        let mut outcomes: Vec<(String, Outcome)> = Vec::new();
        for step in action["runs"]["steps"].as_sequence().unwrap() {
            assert_eq!(step["shell"], "bash -euo pipefail {0}");
            let script = step["run"].as_str().unwrap();
            assert!(!script.contains("${{"), "what others write would become part of a script: {script}");
            if !runs(&step["if"], &inputs, &outcomes) {
                continue;
            }
            let temp = self.world.path("temp").display().to_string();
            let mut variables: BTreeMap<String, String> = [
                ("GITHUB_ACTIONS", "true"),
                ("GITHUB_REPOSITORY", "example/people"),
                ("GITHUB_SHA", "c0ffee"),
                ("GITHUB_STEP_SUMMARY", &format!("{temp}/summary.md")),
                ("GITHUB_PATH", &format!("{temp}/path")),
                ("RUNNER_OS", "Linux"),
                ("RUNNER_ARCH", "X64"),
                ("RUNNER_TEMP", &temp),
                ("TMPDIR", &temp),
                ("CONTACTSD_STATE", state),
            ]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into();
            for (name, value) in step["env"].as_mapping().into_iter().flatten() {
                let value = value.as_str().expect("a variable is text");
                let input = value.strip_prefix("${{ inputs.").and_then(|rest| rest.strip_suffix(" }}"));
                let value = input.map_or(value, |input| &inputs[input]);
                variables.insert(name.as_str().unwrap().to_owned(), value.to_owned());
            }
            outcomes.push((step["name"].as_str().unwrap().to_owned(), self.world.run_script(script, &variables)));
        }
        outcomes
    }

    fn gitlab_job(&self, name: &str, digest: &str) -> Outcome {
        self.begin_job();
        let pipeline = component();
        let job = &pipeline[format!("contactsd-{name}")];
        let state = self.database.clone().unwrap_or_else(|| self.world.path("state").display().to_string());
        let mut variables: BTreeMap<String, String> = [
            ("GITLAB_CI", "true"),
            ("CI_PROJECT_ID", "5"),
            ("CI_MERGE_REQUEST_IID", "7"),
            ("CI_COMMIT_SHA", "c0ffee"),
            ("TMPDIR", self.world.path("temp").to_str().unwrap()),
            ("CONTACTSD_STATE", &state),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
        for (name, value) in pipeline[".contactsd"]["variables"].as_mapping().unwrap() {
            let value = value.as_str().expect("a variable is text").replace("$CI_SERVER_HOST", "gitlab.example.com");
            variables.insert(name.as_str().unwrap().to_owned(), value);
        }
        // A protected variable of the environment: no other job gets it.
        if job["environment"] == "apollo" {
            variables.insert("APOLLO_API_KEY".to_owned(), KEY.to_owned());
        }
        if name == "drift" {
            variables.insert("APOLLO_READ_KEY".to_owned(), KEY.to_owned());
        }
        if self.is_kept {
            variables.insert("KEPT_STATE".to_owned(), KEPT_STATE.to_owned());
        }
        if !digest.is_empty() {
            variables.insert("DIGEST".to_owned(), digest.to_owned());
        }
        let lines = |value: &Value| -> Vec<String> {
            // A reference to another job's lines is a tagged value.
            let own = value.as_sequence().into_iter().flatten().filter_map(Value::as_str);
            own.map(str::to_owned).collect()
        };
        let uses_state = job["extends"] == ".contactsd-state" || job["extends"][0] == ".contactsd-state";
        let mut script = lines(&pipeline[".contactsd"]["before_script"]);
        if uses_state {
            script.extend(lines(&pipeline[".contactsd-state"]["before_script"]));
        }
        script.extend(lines(&job["script"]));
        // GitLab gives both parts to one shell.
        self.world.run_script(&script.join("\n"), &variables)
    }

    /// Returns the page that was shown last, and forgets it: the summary of the run, or its log.
    pub(super) fn shown(&self, outcome: &Outcome) -> String {
        match self.hosting {
            Hosting::GitHub => {
                let summary = self.world.path("temp/summary.md");
                let text = fs::read_to_string(&summary).unwrap();
                fs::remove_file(summary).unwrap();
                text
            }
            Hosting::GitLab => outcome.stdout.clone(),
        }
    }
}
