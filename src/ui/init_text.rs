//! What `init` asks, what it laid out, and what to type next.

use super::escape::escape;
use super::json::{LaidFile, LaidOutcome as Told, Record};
use super::report::APPROVAL;
use super::style::Paint;
use crate::ops::{Laid, LaidOutcome, LaidPart};
use crate::settings::Forge;

/// Asks whether to write a pipeline for the forge of git's remote.
pub fn pipeline_prompt(forge: Forge, host: &str, color: bool) -> String {
    let paint = Paint { color };
    let pipeline = match forge {
        Forge::GitHub => "workflows for GitHub Actions",
        Forge::GitLab => "a pipeline for GitLab CI",
    };
    format!(
        "\n{}\n  This repository is pushed to {}. The pipeline shows a plan under each change,\n  applies what was reviewed, and \
         looks for drift. No file that exists is replaced.\n  Only '{APPROVAL}' will be accepted; anything else leaves it out.\n\n  {} ",
        paint.bold(format_args!("Do you want {pipeline}?")),
        escape(host),
        paint.bold("Enter a value:")
    )
}

/// Says what became of one file, on a line.
pub fn laid_text(laid: &Laid) -> String {
    let what = match laid.outcome {
        LaidOutcome::Made => "made",
        LaidOutcome::Extended => "a line was added",
        LaidOutcome::Unchanged => "unchanged",
        LaidOutcome::Kept => "exists and differs, so it was kept",
        LaidOutcome::InUse => "has contact files, so no example was added",
    };
    format!("{}: {what}", escape(&laid.path.to_string_lossy()))
}

/// The same for programs.
pub fn laid_record(laid: &Laid) -> Record<'static> {
    let outcome = match laid.outcome {
        LaidOutcome::Made => Told::Made,
        LaidOutcome::Extended => Told::Extended,
        LaidOutcome::Unchanged => Told::Unchanged,
        LaidOutcome::Kept => Told::Kept,
        LaidOutcome::InUse => Told::InUse,
    };
    Record::file(laid_text(laid), LaidFile { path: laid.path.to_string_lossy().into_owned(), outcome })
}

/// What is typed next.
#[derive(Debug, Clone, Copy)]
pub struct NextCommands<'a> {
    pub plan: &'a str,
    pub try_it: &'a str,
}

/// Says what it came to and how to go on; without `next` only what it came to.
pub fn init_summary(laid: &[Laid], forge: Option<Forge>, next: Option<NextCommands<'_>>) -> String {
    let has = |outcome| laid.iter().any(|one| one.outcome == outcome);
    let is_made = |part| laid.iter().find(|one| one.part == part && one.outcome == LaidOutcome::Made);
    let is_kept = laid.iter().any(|one| one.part == LaidPart::Pipeline && one.outcome == LaidOutcome::Kept);
    let is_changed = has(LaidOutcome::Made) || has(LaidOutcome::Extended);
    let came_to = if is_changed {
        "contactsd is set up."
    } else if has(LaidOutcome::Kept) {
        "Nothing was changed: the existing files were kept."
    } else {
        "Nothing was changed: everything is already there."
    };
    let Some(NextCommands { plan, try_it }) = next else { return format!("\n{came_to}") };
    let mut parts = vec![came_to.to_owned()];
    if let Some(entry) = is_made(LaidPart::Entry) {
        let path = entry.path.to_string_lossy();
        parts.push(format!("The person in {} is made up. Replace her with your own contacts.", escape(&path)));
    }
    if is_changed {
        parts.push(format!("To see what applying the files would do, run:\n  {plan}"));
        parts.push(format!("To try it without a key, with nothing leaving this machine, run:\n  {try_it}"));
    }
    let (name, folder) = match forge {
        Some(Forge::GitHub) => ("github", "github-actions"),
        Some(Forge::GitLab) | None => ("gitlab", "gitlab-ci"),
    };
    if is_kept {
        parts.push(format!(
            "To compare what was kept with what would be written, run this in an empty directory:\n  contactsd init \
             --pipeline {name}"
        ));
    }
    if is_made(LaidPart::Pipeline).is_some() {
        parts.push(format!(
            "Before the pipeline can run it needs a database for the state, and its secrets:\n  \
             examples/{folder}/README.md of contactsd"
        ));
    }
    format!("\n{}", parts.join("\n\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEXT: NextCommands<'_> = NextCommands { plan: "contactsd plan", try_it: "contactsd apply --sandbox" };

    fn laid(part: LaidPart, path: &str, outcome: LaidOutcome) -> Laid {
        Laid { part, path: path.into(), outcome }
    }

    #[test]
    fn what_was_laid_out_is_told_with_what_to_type_next() {
        let all = [
            laid(LaidPart::Entry, "contacts.d/team.yaml", LaidOutcome::Made),
            laid(LaidPart::Ignored, ".gitignore", LaidOutcome::Extended),
            laid(LaidPart::Pipeline, ".gitlab-ci.yml", LaidOutcome::Kept),
        ];
        let lines: Vec<String> = all.iter().map(laid_text).collect();
        let next = init_summary(&all, Some(Forge::GitLab), Some(NEXT));
        insta::assert_snapshot!(format!("{}\n{next}", lines.join("\n")), @"
        contacts.d/team.yaml: made
        .gitignore: a line was added
        .gitlab-ci.yml: exists and differs, so it was kept

        contactsd is set up.

        The person in contacts.d/team.yaml is made up. Replace her with your own contacts.

        To see what applying the files would do, run:
          contactsd plan

        To try it without a key, with nothing leaving this machine, run:
          contactsd apply --sandbox

        To compare what was kept with what would be written, run this in an empty directory:
          contactsd init --pipeline gitlab
        ");
        insta::assert_snapshot!(init_summary(&all[2..], Some(Forge::GitLab), Some(NEXT)).trim(), @"
        Nothing was changed: the existing files were kept.

        To compare what was kept with what would be written, run this in an empty directory:
          contactsd init --pipeline gitlab
        ");
        assert_eq!(init_summary(&all, Some(Forge::GitLab), None), "\ncontactsd is set up.");
        insta::assert_snapshot!(pipeline_prompt(Forge::GitHub, "github.com", false).trim(), @"
        Do you want workflows for GitHub Actions?
          This repository is pushed to github.com. The pipeline shows a plan under each change,
          applies what was reviewed, and looks for drift. No file that exists is replaced.
          Only 'yes' will be accepted; anything else leaves it out.

          Enter a value:
        ");
    }

    #[test]
    fn no_name_acts_on_a_terminal() {
        let told = laid_text(&laid(LaidPart::Entry, "a\u{1b}[2J\u{202e}", LaidOutcome::Made))
            + &pipeline_prompt(Forge::GitHub, "\u{1b}", false);
        assert!(!told.contains(['\u{1b}', '\u{202e}']), "{told:?}");
    }
}
