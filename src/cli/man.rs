//! `contactsd man`.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::{Args, Command};
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

use super::context::Context;
use super::stream::is_stream;
use super::{Exit, help, output_file};
use crate::ui::words::system::{cannot_write, pages_written};

/// When the pages were last changed in substance; it moves with each release, so that a build says nothing of its day.
const DATE: &str = "2026-11-29";

#[derive(Debug, Args)]
pub(super) struct ManArgs {
    /// Directory to write to, one file for each verb; without it or with -, all pages go to stdout
    #[arg(value_name = "DIR")]
    pub(super) into: Option<PathBuf>,
}

/// What stands in every page.
const SOURCE: &str = concat!("contactsd ", env!("CARGO_PKG_VERSION"));

pub(super) fn run(args: &ManArgs, command: Command, context: &mut Context) -> Exit {
    let pages = pages(command);
    match args.into.as_deref().filter(|dir| !is_stream(dir)) {
        None => {
            let text: String = pages.into_iter().map(|page| page.text).collect();
            context.shell.result(text.trim_end());
            Exit::Success
        }
        Some(dir) => match write_all(dir, &pages) {
            Ok(()) => {
                context.shell.result(pages_written(dir, pages.len()));
                Exit::Success
            }
            Err(error) => context.fail(&cannot_write(dir, &error)),
        },
    }
}

/// One man page.
struct Page {
    /// `contactsd-state-list.1`, for example.
    file: String,
    text: String,
}

fn write_all(dir: &Path, pages: &[Page]) -> io::Result<()> {
    fs::create_dir_all(dir)?;
    pages.iter().try_for_each(|page| {
        let mut file = output_file::create(&dir.join(&page.file), 0o666)?;
        file.write_all(page.text.as_bytes())
    })
}

/// Makes the page of the program and those of all its verbs, in the order of the help.
fn pages(mut command: Command) -> Vec<Page> {
    command.build();
    let mut pages = Vec::new();
    add_pages(&command, "contactsd", "", &mut pages);
    pages
}

fn add_pages(command: &Command, name: &str, verb: &str, pages: &mut Vec<Page>) {
    let text = page(command, name, verb).expect("writing to memory does not fail");
    pages.push(Page { file: format!("{name}.1"), text });
    for below in command.get_subcommands().filter(|below| below.get_name() != "help") {
        let verb = format!("{verb} {}", below.get_name()).trim_start().to_owned();
        add_pages(below, &format!("{name}-{}", below.get_name()), &verb, pages);
    }
}

fn page(command: &Command, name: &str, verb: &str) -> io::Result<String> {
    let mut command = command.clone().display_name(name.to_owned());
    if command.find_subcommand("help").is_some() {
        // It has no page, so that none is to name it.
        command = command.mut_subcommand("help", |help| help.hide(true));
    }
    let man = Man::new(command.clone()).title(name.to_uppercase()).date(DATE).source(SOURCE);
    let mut out = Vec::new();
    man.render_title(&mut out)?;
    man.render_name_section(&mut out)?;
    man.render_synopsis_section(&mut out)?;
    man.render_description_section(&mut out)?;
    man.render_options_section(&mut out)?;
    if command.has_subcommands() {
        man.render_subcommands_section(&mut out)?;
    }
    let mut more = Roff::new();
    match help::of(verb) {
        Some(help) => {
            more.control("SH", ["EXAMPLES"]);
            for (command, what) in help.examples {
                more.control("TP", []).text([bold(*command)]).text([roman(*what)]);
            }
            more.control("SH", ["EXIT STATUS"]);
            for (code, what) in help.exits {
                more.control("TP", []).text([bold(code.to_string())]).text([roman(*what)]);
            }
        }
        None => {
            for (heading, text) in general() {
                more.control("SH", [heading]);
                for line in text.lines() {
                    more.text([roman(line)]);
                }
            }
        }
    }
    more.to_writer(&mut out)?;
    Ok(String::from_utf8(out).expect("help is text"))
}

/// The sections that stand on the page of the program alone.
fn general() -> [(&'static str, &'static str); 3] {
    [
        (
            "EXIT STATUS",
            "0: done, or nothing to do. 1: an error, a mistake of usage included, or not everything was done.\n\
             2: there are changes (plan --detailed-exitcode only). 130: interrupted. 143: terminated.\n\
             The page of each verb has its own list.",
        ),
        (
            "ENVIRONMENT",
            "Every long option has a twin: CONTACTSD_ and its name in capitals, CONTACTSD_MAX_WAIT for example.\n\
             APOLLO_API_KEY or APOLLO_ACCESS_TOKEN hold the credential; APOLLO_API_KEY_FILE and\n\
             APOLLO_ACCESS_TOKEN_FILE name a file that does.\n\
             CONTACTSD_IN_AUTOMATION and the variables of CI runners leave out hints and progress bars.\n\
             CONTACTSD_LOG sets how much is logged: error, warn, info, debug or trace.\n\
             NO_COLOR, CONTACTSD_COLOR, FORCE_COLOR and CLICOLOR_FORCE decide about color, in this order;\n\
             without them a terminal gets color, unless CLICOLOR is 0 or TERM is dumb.",
        ),
        (
            "FILES",
            "contacts.d: the contact files. contactsd.toml: settings, in the working directory.\n\
             .contactsd: the states, and what the sandbox keeps.",
        ),
    ]
}
