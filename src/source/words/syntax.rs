//! Messages about mistakes of YAML itself.

use super::super::code::Code;
use super::super::compose::Remark;
use super::super::diagnostic::{Diagnostic, cut};
use super::super::slips::{Fault, Slip};

pub(in super::super) fn fault(fault: &Fault) -> Diagnostic {
    let message = cut(&fault.message);
    match fault.code {
        Code::TabIndentation => Diagnostic::new(
            fault.code,
            "The line is indented with a tab",
            "YAML allows only spaces for indentation. Replace the tab with spaces.",
        ),
        Code::NestedTooDeeply => Diagnostic::new(
            fault.code,
            "Lists or maps are nested too deeply",
            format!("A contact needs four levels, but {message}. Close the brackets that were left open."),
        ),
        Code::AliasesTooMany => Diagnostic::new(
            fault.code,
            "Aliases expand to too much",
            format!("When this alias is followed, {message}. Move what many contacts share into `defaults`."),
        ),
        _ => Diagnostic::new(
            fault.code,
            "The file is not valid YAML",
            format!("{} The rest of the file is not checked.", slip(fault.slip, &message)),
        ),
    }
}

fn slip(slip: Slip, message: &str) -> String {
    match slip {
        Slip::Escape => {
            "In double quotes, a backslash begins an escape such as \\n, and this is none. Write \\\\ for a \
                         backslash, or put the text in single quotes."
                .to_owned()
        }
        Slip::OpenQuote => {
            "Nothing closes the quotes that begin here. Close them where the text ends. In single quotes, \
                            write '' for an apostrophe."
                .to_owned()
        }
        Slip::OpenBracket { bracket, line: None } => {
            format!("Nothing closes the bracket {bracket} that begins here. Close it after its last item.")
        }
        Slip::OpenBracket { bracket, line: Some(line) } => format!(
            "The bracket {bracket} that begins here is not closed before line {line}, where something else begins. Close it after its last item."
        ),
        Slip::Other => format!(
            "The YAML parser says: {message}. Text needs quotes around it if it holds a colon and a space, or a space and a #, or begins with one of & * ! | > % @ ` [ {{. Or the line is not indented like the lines around it, or a quote above it is not closed."
        ),
    }
}

/// Words what is wrong with how a value is written.
pub(in super::super) fn remark(remark: &Remark) -> Diagnostic {
    match remark {
        Remark::UnknownTag { tag, is_before_plain_text: true } => sign_before_text(tag, "a tag"),
        Remark::UnknownTag { tag, is_before_plain_text: false } => Diagnostic::new(
            Code::UnknownTag,
            format!("The tag {} has no effect", cut(tag)),
            "A word that begins with ! is a tag: it tells a program how to read the value after it, and contactsd \
             does not know this one. Remove it; the value stays the same.",
        ),
        Remark::UnusedAnchor { name } => sign_before_text(&format!("&{name}"), "an anchor"),
        Remark::OpenQuote { taken, end } => Diagnostic::new(
            Code::OpenQuote,
            format!("The quote is still open on line {taken}, which looks like an entry"),
            format!(
                "Everything up to line {end}, where the quotes end, is read as one text. Close the quotes where the text \
                 ends. If all of it is one text, indent its lines further than the field."
            ),
        ),
        Remark::UnknownAlias { name } => {
            let name = cut(name);
            Diagnostic::new(
                Code::InvalidYaml,
                format!("There is no anchor &{name} before this alias"),
                format!(
                    "A word that begins with * is an alias: it stands for the value that is marked with &{name} \
                     further up in the same document. Correct the name; if this is text, put quotes around all of \
                     it: \"*{name}\"."
                ),
            )
        }
    }
}

fn sign_before_text(word: &str, kind: &str) -> Diagnostic {
    let word = cut(word);
    Diagnostic::new(
        Code::SignBeforeText,
        format!("{word} is read as {kind}, not as text"),
        format!(
            "YAML takes {word} for {kind} and leaves it out of the value. If it belongs to the text, put quotes \
             around all of it, like \"{word} ...\"; if not, remove it."
        ),
    )
}
