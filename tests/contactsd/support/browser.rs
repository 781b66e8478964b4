//! A browser without a window, driven as its own tools for developers do: by messages that end with a NUL, on
//! two pipes.
//!
//! Waits for what the browser says, never for time. Where none is installed, [`Browser::start`] says SKIPPED and returns
//! nothing. It finds no host but this machine, whatever it is asked to load.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

const PROGRAMS: [&str; 3] = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

/// Nothing but pages of tests is loaded, so that the sandbox, which not every user may have, is not missed.
const FLAGS: [&str; 10] = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
    "--no-proxy-server",
    "--hide-scrollbars",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
];

/// Hands its own stdin and stdout on as the pipes that the browser reads from and writes to.
const PIPES: &str = r#"exec "$@" 3<&0 4>&1 </dev/null >/dev/null 2>/dev/null"#;

/// A browser with one page; it ends when dropped.
pub(crate) struct Browser {
    child: Child,
    /// `None` once it is told to end.
    asking: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    asked: u64,
    /// What names the page to the browser.
    session: Option<String>,
    /// What it told beside answers and was not waited for yet.
    events: VecDeque<Value>,
    /// Everything that it told beside answers.
    told: Vec<Value>,
    _profile: TempDir,
}

impl Browser {
    /// Starts one with an empty page; `None`, said loudly, where no browser is installed.
    pub(crate) fn start() -> Option<Self> {
        let Some(program) = PROGRAMS.into_iter().find(|program| Path::new(program).exists()) else {
            // Past the capture of tests: less is proven.
            let text = "SKIPPED: the status page in a browser: Chromium is not installed (apt-get install chromium)\n";
            std::io::stderr().write_all(text.as_bytes()).unwrap();
            return None;
        };
        let profile = tempfile::tempdir().unwrap();
        let mut command = Command::new("sh");
        command.args(["-c", PIPES, "sh", program, "--remote-debugging-pipe"]).args(FLAGS);
        command.arg(format!("--user-data-dir={}", profile.path().display())).env("HOME", profile.path());
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (asking, answers) = (child.stdin.take(), BufReader::new(child.stdout.take().unwrap()));
        let (events, told) = (VecDeque::new(), Vec::new());
        let mut browser = Self { child, asking, answers, asked: 0, session: None, events, told, _profile: profile };
        let page = browser.call("Target.createTarget", json!({"url": "about:blank"}));
        let page = json!({"targetId": page["targetId"], "flatten": true});
        let session = browser.call("Target.attachToTarget", page)["sessionId"].as_str().unwrap().to_owned();
        browser.session = Some(session);
        for domain in ["Page", "Runtime", "Log", "Network", "DOM", "Accessibility"] {
            browser.call(&format!("{domain}.enable"), json!({}));
        }
        Some(browser)
    }

    /// Calls a method and returns its result.
    #[track_caller]
    pub(crate) fn call(&mut self, method: &str, parameters: Value) -> Value {
        self.asked += 1;
        let mut message = json!({"id": self.asked, "method": method});
        message["params"] = parameters;
        if let Some(session) = &self.session {
            message["sessionId"] = session.as_str().into();
        }
        let asking = self.asking.as_mut().unwrap();
        asking.write_all(format!("{message}\0").as_bytes()).unwrap();
        loop {
            let mut answer = self.hear();
            if answer["id"] == self.asked {
                assert_eq!(answer["error"], Value::Null, "{method}: {answer}");
                return answer["result"].take();
            }
            self.events.push_back(answer);
        }
    }

    /// Waits until the browser tells of such an event since it was last waited for one, and returns what it tells.
    #[track_caller]
    pub(crate) fn wait_for(&mut self, event: &str) -> Value {
        loop {
            let mut told = match self.events.pop_front() {
                Some(told) => told,
                None => self.hear(),
            };
            if told["method"] == event {
                return told["params"].take();
            }
        }
    }

    /// Loads a page, and waits until all of it is there.
    #[track_caller]
    pub(crate) fn load(&mut self, url: &str) {
        self.events.clear();
        let loading = self.call("Page.navigate", json!({"url": url}));
        assert_eq!(loading["errorText"], Value::Null, "{loading}");
        self.wait_for("Page.loadEventFired");
    }

    /// Evaluates an expression in the page; a promise is waited for.
    #[track_caller]
    pub(crate) fn eval(&mut self, expression: &str) -> Value {
        let parameters = json!({"expression": expression, "awaitPromise": true, "returnByValue": true});
        let mut answer = self.call("Runtime.evaluate", parameters);
        assert_eq!(answer["exceptionDetails"], Value::Null, "{expression}: {answer}");
        answer["result"]["value"].take()
    }

    /// Waits until a condition holds, looking whenever something of the page changes.
    #[track_caller]
    pub(crate) fn wait_until(&mut self, condition: &str) {
        self.eval(&format!(
            "new Promise((done) => {{ const look = () => {{ if ({condition}) done(true); }}; look(); new \
             MutationObserver(look).observe(document, {{subtree: true, childList: true, characterData: true, attributes: \
             true}}); }})"
        ));
    }

    /// Shows pages as on a screen so wide, in the light or the dark.
    pub(crate) fn show_as(&mut self, width: u32, scheme: &str) {
        let screen = json!({"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 600});
        self.call("Emulation.setDeviceMetricsOverride", screen);
        let scheme = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
        self.call("Emulation.setEmulatedMedia", scheme);
    }

    /// Returns the parameters of all events of this name since the start.
    pub(crate) fn told(&self, event: &str) -> Vec<&Value> {
        self.told.iter().filter(|told| told["method"] == event).map(|told| &told["params"]).collect()
    }

    #[track_caller]
    fn hear(&mut self) -> Value {
        let mut message = Vec::new();
        self.answers.read_until(0, &mut message).unwrap();
        assert_eq!(message.pop(), Some(0), "the browser ended");
        let message: Value = serde_json::from_slice(&message).unwrap();
        if message["id"] == Value::Null {
            self.told.push(message.clone());
        }
        message
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // It ends in order when nobody asks any more; its profile is removed after that.
        drop(self.asking.take());
        self.child.wait().ok();
    }
}
