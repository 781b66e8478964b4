//! The status page of `watch --listen`, in a browser.

use std::fs;
use std::path::Path;

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::status::{address, get};
use crate::support::{Browser, Remote, Running, World, numbered};

const TEAM: &str = "contacts:\n  ada: {email: ada@example.com, title: Engineer}\n  bo: {email: bo@example.com}\n";

/// Waits until `/status` says so.
#[track_caller]
fn wait_until(address: &str, holds: impl Fn(&Value) -> bool) {
    loop {
        let status: Value = serde_json::from_str(&get(address, "/status").1).unwrap();
        if holds(&status["service"]) {
            return;
        }
        std::thread::yield_now();
    }
}

/// Fails if the page complained of anything or asked anybody but the service.
#[track_caller]
fn assert_quiet(browser: &Browser, address: &str) {
    for event in ["Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Log.entryAdded"] {
        assert_eq!(browser.told(event), [&Value::Null; 0], "{event}");
    }
    let asked = browser.told("Network.requestWillBeSent");
    let urls: Vec<&str> = asked.iter().map(|request| request["request"]["url"].as_str().unwrap()).collect();
    let own = format!("http://{address}/");
    assert!(urls.contains(&own.as_str()), "{urls:?}");
    assert!(urls.iter().all(|url| url.starts_with(&own) || url.starts_with("data:")), "{urls:?}");
}

fn headline(text: &str) -> String {
    format!("document.querySelector('h1').textContent === {}", json!(text))
}

#[test]
fn the_page_follows_what_happens_until_the_service_ends() {
    let Some(mut browser) = Browser::start() else { return };
    let remote = Remote::start();
    let world = World::with(TEAM).against(&remote);
    let mut watching = world.start("watch --listen 127.0.0.1:0 --max-creates 2");
    let address = address(&mut watching);
    browser.load(&format!("http://{address}/"));
    browser.wait_until(&headline("In step"));
    browser.eval("window.isTheSame = true; getSelection().selectAllChildren(document.querySelector('.facts dt')); 0");

    world.write("contacts.d/more.yaml", "contacts:\n  cy: {emial: cy@example.com}\n");
    browser.wait_until(&headline("The files have a mistake"));
    let files = browser.eval("document.querySelector('#files').parentElement.innerText");
    let files = files.as_str().unwrap();
    assert!(files.contains("E011") && files.contains("contactsd explain E0") && !files.contains("cy"), "{files}");

    world.write("contacts.d/more.yaml", &numbered(0..3));
    browser.wait_until(&headline("A plan waits for approval"));
    let commands = browser.eval("[...document.querySelectorAll('.held code')].map((code) => code.textContent)");
    let approve = commands.as_array().unwrap().last().unwrap().as_str().unwrap();
    let words: Vec<&str> = approve.strip_prefix("contactsd ").unwrap().split(' ').collect();
    assert_eq!(world.run(&words[..2].join(" ")).code, Some(0), "{approve}");
    browser.wait_until(&headline("In step"));
    assert_eq!(remote.contacts().len(), 5);

    assert_eq!(world.run("pause").code, Some(0));
    browser.wait_until(&headline("Paused"));
    assert_eq!(browser.eval("document.title"), "Paused · contacts.d");
    // It was loaded once, and what a reader does there is left alone.
    assert_eq!(browser.eval("window.isTheSame && getSelection().toString()"), "Last pass");
    assert_quiet(&browser, &address);

    watching.signal(Signal::TERM);
    assert_eq!(watching.finish().code, Some(0), "an open page holds up no end");
    browser.wait_until("!document.getElementById('lost').hidden");
}

/// A service with something of everything, at the address that is returned.
fn scene<'w>(world: &'w World, remote: &Remote) -> (Running<'w>, String) {
    let people = |title: &str| {
        let person = |number| format!("  p{number:02}: {{email: p{number:02}@example.com, title: {title}}}\n");
        format!("contacts:\n{}", (0..24).map(person).collect::<String>())
    };
    let failing = "contacts:\n  bo-rook: {email: bo@example.com}\n  cy-vale: {email: cy@example.com}\n";
    world.write("contacts.d/people.yaml", &people("Engineer"));
    let mut watching = world.start("watch --listen 127.0.0.1:0 --max-updates 0 --forget-after 1h");
    let address = address(&mut watching);
    wait_until(&address, |service| service["last_good_pass"] != Value::Null);
    let again = |passes: u64| {
        for _ in 0..passes {
            let status: Value = serde_json::from_str(&get(&address, "/status").1).unwrap();
            let before = status["service"]["passes"].as_u64().unwrap();
            watching.signal(Signal::HUP);
            wait_until(&address, |service| service["passes"].as_u64().unwrap() > before);
        }
    };
    again(12);
    world.write("contacts.d/new.yaml", &numbered(100..140));
    wait_until(&address, |service| service["declared"] == 64 && service["pending"] == 0);
    again(6);
    world.write("contacts.d/new.yaml", "contacts: [\n");
    wait_until(&address, |service| service["last_pass"]["outcome"] == "refused");
    world.write("contacts.d/new.yaml", &numbered(100..140));
    wait_until(&address, |service| service["last_pass"]["outcome"] == "in_step");
    again(4);
    for email in ["bo@example.com", "cy@example.com"] {
        remote.tap.answer(email, 422, &json!({"error": "not now"}));
    }
    world.write("contacts.d/failing.yaml", failing);
    wait_until(&address, |service| service["failing"].as_array().unwrap().len() == 2);
    world.write("contacts.d/new.yaml", &numbered(101..140));
    wait_until(&address, |service| service["waiting"] != json!([]));
    world.write("contacts.d/people.yaml", &people("Director"));
    wait_until(&address, |service| service["braked"] != Value::Null);
    (watching, address)
}

/// The smallest contrast of a text with what is behind it, in how many texts that was looked at, and where it is.
const CONTRAST: &str = r##"(() => {
  const parts = (color) => color.match(/[\d.]+/g).map(Number);
  const light = (color) => {
    const [r, g, b] = parts(color).map((part) => part / 255).map((part) => part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const color = getComputedStyle(at).backgroundColor;
      if ((parts(color)[3] ?? 1) > 0) return color;
    }
    return "rgb(255, 255, 255)";
  };
  const texts = document.createTreeWalker(document.querySelector("#page"), NodeFilter.SHOW_TEXT);
  let [least, count, where] = [100, 0, ""];
  while (texts.nextNode()) {
    const element = texts.currentNode.parentElement;
    if (!texts.currentNode.data.trim() || element.closest(".unseen")) continue;
    const [one, other] = [light(getComputedStyle(element).color), light(behind(element))];
    const contrast = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
    count += 1;
    if (contrast < least) [least, where] = [contrast, texts.currentNode.data];
  }
  return { least, count, where };
})()"##;

/// How wide the picture for the documents is.
const WIDTH: u32 = 760;

/// What reaches beyond the right edge of the screen.
const BEYOND: &str = "[...document.querySelectorAll('body *:not(.unseen)')].filter((element) => \
                      element.getBoundingClientRect().right > innerWidth + 0.5).map((element) => element.outerHTML)";

/// After a change that is meant, `UPDATE_GOLDEN=1 cargo test --test contactsd page` takes the picture again.
#[test]
#[expect(clippy::disallowed_methods, reason = "the one variable that has the picture taken again")]
fn the_page_is_for_every_screen_and_every_reader() {
    let Some(mut browser) = Browser::start() else { return };
    let remote = Remote::with(|options| options.quota = "200/m,400/h,2000/d".parse().unwrap());
    let world = World::new().against(&remote);
    let (_watching, address) = scene(&world, &remote);
    let mut grounds = Vec::new();
    for (width, scheme) in [(360, "dark"), (360, "light"), (900, "dark"), (900, "light")] {
        browser.show_as(width, scheme);
        browser.load(&format!("http://{address}/"));
        assert_eq!(browser.eval("document.documentElement.scrollWidth"), width, "it scrolls sideways");
        assert_eq!(browser.eval(BEYOND), json!([]), "at {width} pixels");
        let contrast = browser.eval(CONTRAST);
        assert!(contrast["count"].as_u64().unwrap() > 60 && contrast["least"].as_f64().unwrap() >= 4.5, "{contrast}");
        grounds.push(browser.eval("getComputedStyle(document.body).backgroundColor"));
    }
    assert!(grounds[0] == grounds[2] && grounds[1] == grounds[3] && grounds[0] != grounds[1], "{grounds:?}");

    let tree = browser.call("Accessibility.getFullAXTree", json!({}));
    let nodes: Vec<(&str, &str)> = tree["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|node| (node["role"]["value"].as_str().unwrap_or(""), node["name"]["value"].as_str().unwrap_or("")))
        .collect();
    for expected in [
        ("RootWebArea", "A plan waits for approval · contacts.d"),
        ("main", ""),
        ("banner", ""),
        ("contentinfo", ""),
        ("navigation", "For programs"),
        ("status", ""),
        ("heading", "A plan waits for approval"),
        ("region", "Held plan"),
        ("region", "Failing"),
        ("columnheader", "Next try"),
        ("rowheader", "bulk create"),
        ("meter", "bulk create this minute"),
        ("image", "Last passes"),
    ] {
        assert!(nodes.contains(&expected), "{expected:?} in {nodes:?}");
    }
    assert_quiet(&browser, &address);

    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        browser.show_as(WIDTH, "light");
        let height = browser.eval("document.querySelector('#service').getBoundingClientRect().top + scrollY - 12");
        let clip = json!({"x": 0, "y": 0, "width": WIDTH, "height": height, "scale": 1});
        let form = json!({"format": "webp", "quality": 80, "captureBeyondViewport": true, "clip": clip});
        let picture = browser.call("Page.captureScreenshot", form);
        let picture = decode(picture["data"].as_str().unwrap());
        assert!(picture.len() < 100_000, "{} bytes are too many for a picture", picture.len());
        fs::write(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/images/status.webp"), picture).unwrap();
    }
}

#[test]
fn without_scripts_the_page_is_whole_and_loads_itself_again() {
    let Some(mut browser) = Browser::start() else { return };
    let remote = Remote::start();
    let world = World::with(TEAM).against(&remote);
    let mut watching = world.start("watch --listen 127.0.0.1:0");
    let address = address(&mut watching);
    wait_until(&address, |service| service["ready"] == true);
    browser.call("Emulation.setScriptExecutionDisabled", json!({"value": true}));
    browser.load(&format!("http://{address}/"));
    let scheduled = browser.wait_for("Page.frameScheduledNavigation");
    assert_eq!((&scheduled["reason"], &scheduled["delay"]), (&json!("metaTagRefresh"), &json!(30)));
    let root = browser.call("DOM.getDocument", json!({}))["root"]["nodeId"].take();
    let main = browser.call("DOM.querySelector", json!({"nodeId": root, "selector": "main"}))["nodeId"].take();
    let main = browser.call("DOM.getOuterHTML", json!({"nodeId": main}))["outerHTML"].take();
    let main = main.as_str().unwrap();
    assert!(main.contains("In step") && main.contains("2 entries declare") && main.contains("Last passes"), "{main}");
    assert_quiet(&browser, &address);
    let asked = browser.told("Network.requestWillBeSent");
    assert!(asked.iter().all(|request| !request["request"]["url"].as_str().unwrap().ends_with("/events")), "{asked:?}");
}

/// Reads base64, as the browser hands pictures over.
fn decode(text: &str) -> Vec<u8> {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.decode(text).unwrap()
}

#[test]
fn the_page_that_is_answered_says_what_a_browser_may_do_with_it() {
    let remote = Remote::start();
    let world = World::with(TEAM).against(&remote);
    remote.tap.answer("bo@example.com", 422, &json!({"error": "bo@example.com is taken by Bo Rook"}));
    let mut watching = world.start("watch --listen 127.0.0.1:0");
    let address = address(&mut watching);
    wait_until(&address, |service| service["failing"] != json!([]));
    let (code, page) = get(&address, "/");
    assert!(code == 200 && page.contains("<h1 id=\"verdict\">1 entry fails</h1>"), "{page}");
    assert!(page.contains("contact.bo") && page.contains("(HTTP\u{a0}422)") && page.len() < 30_000, "{page}");
    let (_, told) = page.split_once("</style>").unwrap();
    assert!(!told.contains('@') && !told.contains("Rook"), "{told}");
}
