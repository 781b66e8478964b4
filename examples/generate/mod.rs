//! Contact files of any number of people who do not exist, for measuring and for trying things out.

pub(crate) mod people;
mod words;

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use people::{COMPANY_SIZE, Company, MAX_CONTACTS, Person, Population};

/// How many files, or directories of them, one directory holds.
const DIRECTORY_SIZE: u64 = 1_000;

/// Where a big file ends and the next begins, in bytes; the loader reads files of up to 64 MiB.
const BIG_FILE_BYTES: u64 = 48 * 1024 * 1024;

/// How to split contacts into files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum Layout {
    /// A file for each contact
    One,
    /// A hundred contacts a file
    Hundred,
    /// One file, or several big ones where one would be larger than the loader reads
    Single,
}

/// What was written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Written {
    pub(crate) files: u64,
    pub(crate) bytes: u64,
}

/// Writes `contacts` people of `seed` below `directory`, which must not exist or be empty.
pub(crate) fn write(directory: &Path, contacts: u64, layout: Layout, seed: u64) -> io::Result<Written> {
    if contacts > MAX_CONTACTS {
        let limit = format!("there are no more than {MAX_CONTACTS} people");
        return Err(io::Error::new(io::ErrorKind::InvalidInput, limit));
    }
    fs::create_dir_all(directory)?;
    if fs::read_dir(directory)?.next().is_some() {
        return Err(io::Error::new(io::ErrorKind::AlreadyExists, "the directory is not empty"));
    }
    let mut files = Files { directory, layout, open: None, done: Written::default() };
    let population = Population::new(seed);
    let per_file = match layout {
        Layout::One => 1,
        Layout::Hundred => 100,
        Layout::Single => u64::MAX,
    };
    let mut company = population.company(0);
    for number in 0..contacts {
        let begins_company = number % COMPANY_SIZE == 0;
        if begins_company {
            company = population.company(number / COMPANY_SIZE);
        }
        let begins_file = number % per_file == 0 || (begins_company && files.is_full());
        if begins_file {
            files.begin(number / per_file)?;
        }
        let shares_defaults = layout != Layout::One && company.shares_defaults;
        let file = files.current();
        if begins_file || begins_company {
            if !begins_file {
                writeln!(file, "---")?;
            }
            begin_document(file, shares_defaults.then_some(&company))?;
        }
        let person = population.person(number, &company);
        write_person(file, &person, (!shares_defaults).then_some(&company))?;
    }
    files.finish()
}

/// The file that is written and those before it.
struct Files<'a> {
    directory: &'a Path,
    layout: Layout,
    open: Option<Counted>,
    done: Written,
}

impl Files<'_> {
    fn begin(&mut self, number: u64) -> io::Result<()> {
        self.end()?;
        let path = match self.layout {
            Layout::Single => self.directory.join(format!("contacts-{:02}.yaml", self.done.files)),
            Layout::One | Layout::Hundred => self.directory.join(place(number)),
        };
        fs::create_dir_all(path.parent().expect("a file stands in a directory"))?;
        self.open = Some(Counted { file: BufWriter::new(File::create_new(path)?), bytes: 0 });
        Ok(())
    }

    fn current(&mut self) -> &mut Counted {
        self.open.as_mut().expect("the first contact begins a file")
    }

    fn is_full(&self) -> bool {
        self.open.as_ref().is_some_and(|open| open.bytes >= BIG_FILE_BYTES)
    }

    fn end(&mut self) -> io::Result<()> {
        if let Some(mut open) = self.open.take() {
            open.flush()?;
            self.done.files += 1;
            self.done.bytes += open.bytes;
        }
        Ok(())
    }

    fn finish(mut self) -> io::Result<Written> {
        self.end()?;
        Ok(self.done)
    }
}

/// A file that knows how much was written to it.
struct Counted {
    file: BufWriter<File>,
    bytes: u64,
}

impl Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Names the file with this number: `000/000042.yaml`.
fn place(number: u64) -> PathBuf {
    PathBuf::from(format!("{:03}/{number:06}.yaml", number / DIRECTORY_SIZE))
}

fn begin_document(out: &mut impl Write, defaults: Option<&Company>) -> io::Result<()> {
    if let Some(company) = defaults {
        writeln!(out, "defaults:")?;
        write_company(out, company, "  ")?;
    }
    writeln!(out, "contacts:")
}

fn write_company(out: &mut impl Write, company: &Company, indent: &str) -> io::Result<()> {
    let Company { name, website_url, corporate_phone, present_raw_address, .. } = company;
    writeln!(out, "{indent}organization_name: {name}")?;
    writeln!(out, "{indent}website_url: {website_url}")?;
    if let Some(phone) = corporate_phone {
        writeln!(out, "{indent}corporate_phone: {phone}")?;
    }
    writeln!(out, "{indent}present_raw_address: {present_raw_address}")
}

fn write_person(out: &mut impl Write, person: &Person, company: Option<&Company>) -> io::Result<()> {
    let Person { key, first_name, last_name, email, title, label_names, direct_phone, mobile_phone, custom } = person;
    writeln!(out, "  {key}:")?;
    writeln!(out, "    first_name: {first_name}")?;
    writeln!(out, "    last_name: {last_name}")?;
    writeln!(out, "    title: {title}")?;
    writeln!(out, "    email: {email}")?;
    if let Some(company) = company {
        write_company(out, company, "    ")?;
    }
    for (field, phone) in [("direct_phone", direct_phone), ("mobile_phone", mobile_phone)] {
        if let Some(phone) = phone {
            writeln!(out, "    {field}: {phone}")?;
        }
    }
    writeln!(out, "    label_names:")?;
    for list in label_names {
        writeln!(out, "    - {list}")?;
    }
    if !custom.is_empty() {
        writeln!(out, "    typed_custom_fields:")?;
        for (id, value) in custom {
            writeln!(out, "      {id}: {value}")?;
        }
    }
    Ok(())
}
