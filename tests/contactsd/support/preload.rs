//! A library that a program loads before the C library: its reads and writes are short, or its clock is wrong.
//!
//! `preload.c` beside this is compiled for it, by the compiler that links Rust programs.

#![allow(dead_code, reason = "each of those that include it needs a part")]

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Makes the library beside a program, where files may be run; `None`, said loudly, where that cannot be.
pub(crate) fn beside(program: &Path) -> Option<PathBuf> {
    let directory = program.parent()?;
    // Others may make it at the same time; a rename decides whose it is.
    let own = tempfile::Builder::new().prefix("preload").suffix(".so").tempfile_in(directory).ok()?;
    let mut compiler = Command::new("cc");
    compiler.args(["-x", "c", "-shared", "-fPIC", "-O1", "-o"]).arg(own.path()).arg("-").stdin(Stdio::piped());
    let done = compiler.spawn().and_then(|mut compiler| {
        compiler.stdin.take().expect("stdin is piped").write_all(include_bytes!("preload.c"))?;
        compiler.wait()
    });
    if !done.is_ok_and(|status| status.success()) {
        let text = "SKIPPED: short reads and writes, and wrong clocks: there is no C compiler (cc)\n";
        let _ = std::io::stderr().write_all(text.as_bytes());
        return None;
    }
    let library = directory.join("preload.so");
    own.persist(&library).ok()?;
    Some(library)
}
