//! `cargo run --release --example generate -- --contacts 10000 --layout hundred --seed 1 --out DIR`

#[path = "generate/mod.rs"]
mod generate;
#[path = "generate/table.rs"]
mod table;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use generate::{Layout, Written};

/// Writes contact files of people who do not exist; the same arguments write the same bytes.
#[derive(Parser)]
struct Args {
    /// How many contacts
    #[arg(long, default_value_t = 10_000)]
    contacts: u64,
    /// How they are spread over files
    #[arg(long, value_enum, default_value_t = Layout::Hundred)]
    layout: Layout,
    /// Other seeds give other people
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Write one table, as Apollo exports contacts, in the place of contact files
    #[arg(long)]
    table: bool,
    /// Directory to write to; must not exist or be empty. With --table, a file that does not exist
    #[arg(long)]
    out: PathBuf,
}

#[expect(clippy::disallowed_macros, reason = "an example prints its result")]
fn main() -> ExitCode {
    let Args { contacts, layout, seed, table, out } = Args::parse();
    let written = if table {
        table::write(&out, contacts, seed).map(|bytes| Written { files: 1, bytes })
    } else {
        generate::write(&out, contacts, layout, seed)
    };
    match written {
        Ok(Written { files, bytes }) => {
            println!("{contacts} contacts in {files} files, {bytes} bytes: {}", out.display());
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("Cannot write below {}: {error}", out.display());
            ExitCode::FAILURE
        }
    }
}
