//! What a repository may set in `contactsd.toml`, and why it may not set the rest.
//!
//! Whoever can write to a repository must not decide anything for the person who runs contactsd in it. So this is a
//! list of what may be set: a flag that is not on it cannot be, whatever it does.

/// Which values a setting takes there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Takes {
    /// Whatever the flag takes.
    Any,
    /// A directory inside the working directory.
    DirectoryInside,
    /// `true`, since `false` could undo what the person asked for.
    True,
}

/// The settings that are harmless, each for the reason above it: how to plan, to show and to pace.
const ALLOWED: [(&str, Takes); 19] = [
    // Which contact files are read. They are files of the repository itself as long as the directory is inside it.
    ("dir", Takes::DirectoryInside),
    // How many requests are under way at a time: 100 at most, and never more than the quota admits.
    ("parallelism", Takes::Any),
    // How many contacts go out in one request: fewer take more of the quota, and never more than it admits.
    ("batch", Takes::Any),
    // A limit beside Apollo's own: the lower one counts as soon as Apollo has told its own, with the first answer.
    ("limit", Takes::Any),
    // Leaves more of the quota to others, or nothing, which is what happens without it.
    ("reserve", Takes::Any),
    // Brakes: without them there is none, or a usual one that only a lower number may replace.
    ("max-creates", Takes::Any),
    ("max-updates", Takes::Any),
    // Stands beside the brake on forgetting most contacts, which only --force lifts.
    ("max-forgets", Takes::Any),
    // Hides more than without it, never less.
    ("mask", Takes::True),
    // The rest says in which form the same things are said: none of it leaves an action or a warning out.
    ("concise", Takes::Any),
    ("by-file", Takes::Any),
    ("full", Takes::Any),
    // Markdown masks what text does not; a page that is asked for on the command line stays one.
    ("format", Takes::Any),
    // Never asks, and approves nothing by that: without --auto-approve nothing is applied.
    ("json", Takes::Any),
    // Leaves out progress, never a plan, a warning or an error.
    ("quiet", Takes::Any),
    ("color", Takes::Any),
    ("no-color", Takes::Any),
    ("log-format", Takes::Any),
    // Tells by the exit code as well what is printed anyway.
    ("detailed-exitcode", Takes::Any),
];

/// Why the others may not be set there.
const REFUSED: [(&[&str], &str); 19] = [
    (&["api-key", "api-key-file", "access-token", "access-token-file"], "credentials come from the environment alone"),
    (&["api-url", "sandbox"], "it decides where your contacts and your credential go"),
    (&["state", "data"], "it decides which files are written and whose contacts are known"),
    (&["out", "json-into", "rejects"], "it names a file to write"),
    (&["pipeline"], "it decides which files are written, and what a forge then runs"),
    (&["auto-approve", "expect", "input"], "it decides what is applied without asking you"),
    (&["force", "recreate", "create"], "it lets through what would be stopped"),
    (&["look"], "it decides whether contacts that are there are looked for before others are created"),
    (&["no-mask"], "it shows personal values"),
    (&["follow-within"], "it decides which files outside of the contact directory are read"),
    (&["target", "exclude", "imported", "max-bytes"], "it leaves changes out of sight"),
    (
        &["settle-after", "retry-base", "connect-timeout", "request-timeout"],
        "with the wrong time contacts are made twice or requests are wasted",
    ),
    (&["max-wait", "lock-timeout", "answer-timeout", "search-wait"], "it decides how long your run waits"),
    (
        &["once", "dry-run", "resync", "refresh", "poll", "forget-after", "watch"],
        "it decides what a command of yours does, and when",
    ),
    (&["check", "diff"], "it decides whether files are written"),
    (&["purge"], "it decides what is removed for good"),
    (&["layout", "map", "encoding", "keep-opted-out"], "it decides who is taken from a table, and what columns mean"),
    (&["key", "list", "stage", "search", "split"], "it decides who is exported into which file"),
    (
        &[
            "listen",
            "listen-name",
            "quota",
            "dedupe",
            "deleted-answer",
            "fault",
            "fill-from",
            "missing-scope",
            "quirk",
            "search-lag",
            "seed",
            "witness",
        ],
        "it decides how a server on your machine behaves, and for whom",
    ),
];

/// Returns which values a setting takes; `None` when a repository must not set it.
pub(super) fn takes(name: &str) -> Option<Takes> {
    ALLOWED.iter().find(|(allowed, _)| *allowed == name).map(|(_, takes)| *takes)
}

/// Lists the names that may be set.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    ALLOWED.iter().map(|(name, _)| *name)
}

/// Returns why a repository must not set `name`, where that was thought about.
pub(super) fn reason(name: &str) -> Option<&'static str> {
    REFUSED.iter().find(|(names, _)| names.contains(&name)).map(|(_, why)| *why)
}
