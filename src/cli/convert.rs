//! `contactsd convert`.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufWriter, Seek};
use std::path::{Path, PathBuf};

use clap::Args;
use clap::builder::PossibleValuesParser;

use super::Exit;
use super::context::Context;
use super::export::SplitBy;
use super::output_file;
use super::stream::{self, STDIN_NAME, is_stream};
use crate::beneath::Root;
use crate::ops::Placing;
use crate::ops::convert::{
    ConvertInto, Converted, ConvertedFile, NamedTable, RowFound, RowOutcome, convert, open_stream, open_table,
};
use crate::shell_word::{command, shell_word};
use crate::source::convert::{Encoding, Map, Note, OptedOut, Rejects, Table, TableError, TableOptions, layout_names};
use crate::ui::json::{ConvertFile, ConvertRow, ConvertSummary, ConvertTable, FileFate, Record, RowFate};
use crate::ui::words::system::{cannot_make, cannot_write};
use crate::ui::words::{Why, converted};
use crate::ui::{Shell, escape, unified_diff, words};

#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag that was typed")]
pub(super) struct ConvertArgs {
    /// CSV files; - is stdin
    #[arg(value_name = "FILE", required = true)]
    pub(super) files: Vec<PathBuf>,
    /// Directory that the contact files go into [default: --dir]
    #[arg(long, value_name = "DIR", value_parser = stream::directory())]
    pub(super) out: Option<PathBuf>,
    /// How to split contacts into files; without company or list, one file for each table
    #[arg(long, value_name = "BY", default_value = "none")]
    pub(super) split: SplitBy,
    /// Show what would be written, and write nothing
    #[arg(long)]
    pub(super) dry_run: bool,
    /// Show what would change in files, values included, and write nothing
    #[arg(long)]
    pub(super) diff: bool,
    /// Replace files that were edited, and those that would lose entries
    #[arg(long)]
    pub(super) force: bool,
    /// Layout of the tables, for those that are not recognized
    #[arg(long, value_name = "NAME", value_parser = PossibleValuesParser::new(layout_names()), help_heading = "How tables are read")]
    pub(super) layout: Option<String>,
    /// Field that a column holds, "Work mail=email" for example; nothing after the = leaves the column out; may be repeated
    #[arg(long, value_name = "COLUMN=FIELD", help_heading = "How tables are read")]
    pub(super) map: Vec<Map>,
    /// Encoding of the tables: utf-8, utf-16le, utf-16be or windows-1252 [default: detected]
    #[arg(long, value_name = "NAME", help_heading = "How tables are read")]
    pub(super) encoding: Option<Encoding>,
    /// Also convert people who do not want to be written to or called
    #[arg(long, help_heading = "How tables are read")]
    pub(super) keep_opted_out: bool,
    /// File for the rows that were not converted, as a table with the reasons
    #[arg(long, value_name = "FILE", value_parser = stream::beside_stdout())]
    pub(super) rejects: Option<PathBuf>,
}

impl ConvertArgs {
    /// Reports whether nothing is to be written.
    fn is_dry(&self) -> bool {
        self.dry_run || self.diff
    }
}

pub(super) fn run(args: &ConvertArgs, context: &mut Context) -> Exit {
    if let Some(out) = &args.out {
        context.locations.contacts.clone_from(out);
    }
    convert_all(args, context).unwrap_or_else(|exit| exit)
}

fn convert_all(args: &ConvertArgs, context: &mut Context) -> Result<Exit, Exit> {
    let mut tables = open_all(args, context)?;
    let rejects = begin_rejects(args, &tables, context)?;
    let directory = context.locations.contacts.clone();
    if !args.dry_run && !args.diff {
        fs::create_dir_all(&directory).map_err(|error| context.fail(&cannot_make(&directory, &error)))?;
    }
    let root = if directory.is_dir() { Some(context.open_root(&directory)?) } else { None };
    let into = ConvertInto { root: root.as_ref(), split: args.split.into() };
    let names: Vec<String> = tables.iter().map(|table| table.name.display().to_string()).collect();
    let mut told = Told { names, rejects, ..Told::default() };
    let outcome = convert(&mut tables, into, &mut |row| told.row(row, &mut context.shell));
    let converted = outcome.map_err(|error| {
        context.shell.messages(words::not_converted(&error));
        Exit::Failure
    })?;
    let mut exit = told.finish_rejects(args, context);
    let rejects = args.rejects.as_deref().filter(|_| exit == Exit::Success && !args.is_dry());
    told.say(&tables, context);
    let placed = place(args, context, root.as_ref(), &directory, &converted, &told);
    if placed.has_failed {
        exit = Exit::Failure;
    }
    sum_up(args, context, &directory, &converted, &placed, rejects);
    Ok(exit)
}

/// Opens all tables, and says what each was found to be.
fn open_all(args: &ConvertArgs, context: &mut Context) -> Result<Vec<NamedTable>, Exit> {
    let options = TableOptions {
        layout: args.layout.clone(),
        maps: args.map.clone(),
        encoding: args.encoding,
        opted_out: if args.keep_opted_out { OptedOut::Keep } else { OptedOut::Skip },
    };
    let mut tables = Vec::new();
    let mut has_failed = false;
    for file in &args.files {
        let is_stream = is_stream(file);
        let name = if is_stream { PathBuf::from(STDIN_NAME) } else { file.clone() };
        let opened = if is_stream { open_stream(&mut io::stdin().lock(), &options) } else { open(file, &options) };
        match opened {
            Ok(table) => tables.push(NamedTable { name, table }),
            Err(error) => {
                context.shell.message(&words::table_error(&name, &error));
                has_failed = true;
            }
        }
    }
    if has_failed {
        return Err(Exit::Failure);
    }
    for NamedTable { name, table } in &tables {
        let about = table.about();
        let text = format!("{}: {}", escape(&name.display().to_string()), words::about(about));
        let record = ConvertTable {
            file: name.display().to_string(),
            layout: about.layout,
            encoding: about.encoding.to_string(),
            delimiter: about.delimiter,
            header_line: about.line,
            columns: about.columns,
            unknown_columns: about.unknown.clone(),
        };
        context.shell.result_as(&text, [Record::convert_table(&*text, record)]);
    }
    Ok(tables)
}

fn open(file: &Path, options: &TableOptions) -> Result<Table, TableError> {
    open_table(File::open(file).map_err(TableError::Read)?, options)
}

type RejectsFile = Rejects<BufWriter<File>>;

/// Begins the table of rows that become no contact. It waits until all rows are read: a run that fails empties no file.
fn begin_rejects(
    args: &ConvertArgs,
    tables: &[NamedTable],
    context: &mut Context,
) -> Result<Option<RejectsFile>, Exit> {
    let Some(path) = args.rejects.as_deref().filter(|_| !args.dry_run && !args.diff) else { return Ok(None) };
    let headers = tables.iter().map(|table| table.table.header());
    let begun = tempfile::tempfile().and_then(|file| Rejects::begin(BufWriter::new(file), headers));
    begun.map(Some).map_err(|error| context.fail(&cannot_write(path, &error)))
}

fn write_rejects(rejects: RejectsFile, path: &Path) -> io::Result<()> {
    let mut rows = rejects.finish()?.into_inner().map_err(io::IntoInnerError::into_error)?;
    rows.rewind()?;
    io::copy(&mut rows, &mut output_file::create(path, 0o600)?).map(|_| ())
}

/// What was told of rows, and what is left to say.
#[derive(Default)]
struct Told {
    /// The tables, as they were typed.
    names: Vec<String>,
    rejects: Option<RejectsFile>,
    reject_error: Option<io::Error>,
    /// The first rows that became no entry.
    first: Vec<String>,
    /// How many there are of each kind.
    kinds: BTreeMap<String, usize>,
    notes: BTreeMap<Note, Noted>,
}

#[derive(Default)]
struct Noted {
    rows: usize,
    /// Where the first ones stand.
    first: Vec<String>,
}

/// How many places of one note are shown.
const MOST_PLACES: usize = 5;

impl Told {
    fn place(&self, table: usize, line: usize) -> String {
        format!("{}:{line}", self.names[table])
    }

    fn row(&mut self, row: &RowFound<'_>, shell: &mut Shell) {
        let RowFound { table, line, cells, what } = row;
        let (fate, why) = match what {
            RowOutcome::Taken(notes) => {
                for note in *notes {
                    if !self.notes.contains_key(note) {
                        self.notes.insert(note.clone(), Noted::default());
                    }
                    let rows = self.notes.get_mut(note).expect("it was put there");
                    rows.rows += 1;
                    if rows.first.len() < MOST_PLACES {
                        rows.first.push(format!("{}:{line}", self.names[*table]));
                    }
                }
                if !notes.is_empty() {
                    let reasons = || notes.iter().map(words::note).collect();
                    self.record(*table, *line, RowFate::Converted, reasons, shell);
                }
                return;
            }
            RowOutcome::Skipped(skip) => (RowFate::Skipped, words::skipped_row(skip)),
            RowOutcome::Refused(refusal) => {
                (RowFate::Refused, words::refused_row(refusal, |table, line| self.place(table, line)))
            }
        };
        let Why { text, kind } = why;
        let place = self.place(*table, *line);
        if let Some(rejects) = self.rejects.as_mut().filter(|_| self.reject_error.is_none()) {
            let ours = [fate.as_str(), &text, &self.names[*table], &line.to_string()];
            self.reject_error = rejects.write(*table, cells, ours).err();
        }
        *self.kinds.entry(format!("{}: {kind}", fate.as_str())).or_default() += 1;
        if self.first.len() < converted::MOST_SHOWN {
            self.first.push(format!("  {place}: {}: {text}", fate.as_str()));
        }
        self.record(*table, *line, fate, || vec![text], shell);
    }

    /// Tells programs of a row.
    fn record(
        &self,
        table: usize,
        line: usize,
        outcome: RowFate,
        reasons: impl FnOnce() -> Vec<String>,
        shell: &mut Shell,
    ) {
        let file = || self.names[table].clone();
        let row = || ConvertRow { file: file(), line, outcome, reasons: reasons() };
        shell.records(std::iter::once_with(|| Record::convert_row(row())));
    }

    fn finish_rejects(&mut self, args: &ConvertArgs, context: &mut Context) -> Exit {
        let (Some(path), Some(rejects)) = (&args.rejects, self.rejects.take()) else { return Exit::Success };
        let written = self.reject_error.take().map_or_else(|| write_rejects(rejects, path), Err);
        written.map_or_else(|error| context.fail(&cannot_write(path, &error)), |()| Exit::Success)
    }

    /// Says to people what programs have row by row.
    fn say(&self, tables: &[NamedTable], context: &mut Context) {
        for NamedTable { name, table } in tables {
            let unknown = &table.about().unknown;
            if !unknown.is_empty() {
                context.shell.message(&converted::unknown_columns(name, unknown));
            }
            let without = table.without_place();
            if !without.is_empty() {
                context.shell.status(converted::without_field(name, &without));
            }
        }
        context.shell.to_people(|shell| {
            for (note, Noted { rows, first }) in &self.notes {
                shell.message(&words::noted(note, *rows, first));
            }
            if !self.kinds.is_empty() {
                shell.message(&converted::not_converted_rows(&self.first, self.kinds.iter()));
            }
        });
    }
}

/// What became of the files.
#[derive(Default)]
struct PlacedFiles {
    /// Rows that are in files as they were converted.
    converted: usize,
    /// Rows whose entry or file stays as it is.
    kept: usize,
    changed: usize,
    has_failed: bool,
}

fn place(
    args: &ConvertArgs,
    context: &mut Context,
    root: Option<&Root>,
    directory: &Path,
    converted: &Converted,
    told: &Told,
) -> PlacedFiles {
    let mut placed = PlacedFiles::default();
    let is_dry = args.is_dry();
    for file in &converted.files {
        let place = directory.join(&file.placed.name);
        let path = place.display().to_string();
        if args.diff {
            let empty = (String::new(), String::new());
            match root.map_or(Ok(empty), |root| file.placed.difference(root)) {
                Ok((before, after)) => {
                    let color = context.shell.stdout().color;
                    context.shell.result(unified_diff(&path, &before, &after, color));
                }
                Err(error) => {
                    context.shell.message(&words::generated::incomparable(&error));
                    placed.has_failed = true;
                }
            }
        }
        let contacts = file.placed.contacts;
        let (fate, kept) = match (&file.placed.placing, &file.merge) {
            (Placing::Same, _) => (FileFate::Unchanged, 0),
            (Placing::New, _) => (FileFate::Written, 0),
            (Placing::Replaced, _) => (FileFate::Replaced, 0),
            (_, _) if args.force => (FileFate::Replaced, 0),
            (_, Some(merge)) => {
                tell_differing(context, &place, file, told);
                let stuck = if merge.is_possible { 0 } else { merge.added };
                if stuck > 0 {
                    context.shell.message(&converted::not_added(&place, stuck));
                    placed.has_failed = true;
                }
                let fate = if merge.added > stuck { FileFate::Added } else { FileFate::Kept };
                (fate, merge.differing.len() + stuck)
            }
            (_, None) => {
                context.shell.message(&words::generated::kept(&place, &file.placed.placing));
                placed.has_failed = true;
                (FileFate::Kept, contacts)
            }
        };
        let written = match (root, &file.merge) {
            _ if is_dry || fate == FileFate::Unchanged || fate == FileFate::Kept => Ok(()),
            (Some(root), Some(merge)) if fate == FileFate::Added => merge.write(root, &file.placed.name),
            (Some(root), _) => file.placed.write(root),
            (None, _) => Ok(()),
        };
        if let Err(error) = written {
            context.shell.message(&cannot_write(&place, &error));
            placed.has_failed = true;
            placed.kept += contacts;
            continue;
        }
        placed.converted += contacts - kept;
        placed.kept += kept;
        placed.changed += usize::from(!matches!(fate, FileFate::Unchanged | FileFate::Kept));
        let added = file.merge.as_ref().map_or(0, |merge| merge.added);
        let text = converted::fate(&place, contacts, fate, added, is_dry);
        let outcome =
            if is_dry && fate != FileFate::Unchanged && fate != FileFate::Kept { FileFate::Planned } else { fate };
        context.shell.result_as(&text, [Record::convert_file(&*text, ConvertFile { path, contacts, outcome })]);
    }
    placed
}

/// Says which entries of an edited file stay as they are.
fn tell_differing(context: &mut Context, path: &Path, file: &ConvertedFile, told: &Told) {
    let Some(merge) = file.merge.as_ref().filter(|merge| !merge.differing.is_empty()) else { return };
    let differing = &merge.differing;
    for one in differing {
        let reason = converted::edited(&one.key, &one.fields);
        told.record(one.table, one.line, RowFate::Kept, || vec![reason], &mut context.shell);
    }
    let line = |one: &crate::ops::convert::Differing| {
        let place = told.place(one.table, one.line);
        converted::differing_entry(&one.key, &one.fields, &place)
    };
    let lines: Vec<String> = differing.iter().map(line).collect();
    context.shell.to_people(|shell| shell.message(&converted::differing(path, &lines)));
}

fn sum_up(
    args: &ConvertArgs,
    context: &mut Context,
    directory: &Path,
    converted: &Converted,
    placed: &PlacedFiles,
    rejects: Option<&Path>,
) {
    let Converted { rows, skipped, refused, .. } = *converted;
    let summary = ConvertSummary { rows, converted: placed.converted, kept: placed.kept, skipped, refused };
    let is_dry = args.is_dry();
    let text = converted::summary(&summary, is_dry, placed.changed > 0 || placed.has_failed || is_dry);
    context.shell.result_as(format!("\n{text}"), [Record::convert_summary(&*text, summary)]);
    if let Some(path) = rejects.filter(|_| skipped + refused > 0) {
        context.shell.status(converted::rejects_at(path, skipped + refused));
    }
    if !is_dry && placed.changed > 0 && !placed.has_failed && !context.environment.in_automation() {
        let mut next = command("plan");
        if args.out.as_deref().is_some_and(|out| out != Path::new("contacts.d")) {
            next = format!("contactsd plan --dir {}", shell_word(directory.display()));
        }
        context.shell.status(words::run::how_to_plan(&next));
    }
}
