//! Nothing that is loaded ever changes, and once is enough: over files written in every way there is.

use std::fmt::Write;

use proptest::prelude::*;
use proptest::test_runner::RngSeed;

use super::*;
use crate::source::tape::{Node, Value};

/// What surrounds a line: blank lines, comments at any column, spaces.
#[derive(Debug, Clone)]
struct Around {
    blanks: usize,
    /// The column of a comment above, and whether a blank line follows it.
    above: Option<(usize, bool)>,
    /// Spaces before a comment on the same line.
    behind: Option<usize>,
    before_colon: usize,
    after_colon: usize,
}

fn around() -> impl Strategy<Value = Around> {
    let above = prop::option::weighted(0.3, (0..12_usize, any::<bool>()));
    let behind = prop::option::weighted(0.2, 1..4_usize);
    (0..3_usize, above, behind, 0..3_usize, 1..4_usize).prop_map(
        |(blanks, above, behind, before_colon, after_colon)| Around {
            blanks,
            above,
            behind,
            before_colon,
            after_colon,
        },
    )
}

/// Ways to write a text.
#[derive(Debug, Clone)]
enum Text {
    Plain(&'static str),
    Double(String),
    Single(String),
    /// A text over two lines, in the given quote, or none; further spaces of the second.
    Folded(&'static str, usize),
    /// A block: its header, columns further in than its name, lines.
    Block(&'static str, usize, Vec<&'static str>),
    Explicit(usize, &'static str),
}

fn text() -> impl Strategy<Value = Text> {
    let plain = prop::sample::select(vec![
        "x", "007", "+44 20", "no", "a#b", "null", "", "O'Neil", "名前", "a: b", "&same x", "*same",
    ]);
    let lines = prop::collection::vec(prop::sample::select(vec!["one", "  two", "", "# three", "- a: b", "   "]), 1..4);
    prop_oneof![
        6 => plain.prop_map(|text| if text == "a: b" { Text::Single(text.to_owned()) } else { Text::Plain(text) }),
        2 => r"[a-c #:'\\]{0,6}".prop_map(Text::Double),
        2 => "[a-c #:\"{\\[]{0,6}".prop_map(Text::Single),
        1 => (prop::sample::select(vec!["\"", "'", ""]), 0..4_usize).prop_map(|(quote, more)| Text::Folded(quote, more)),
        2 => (prop::sample::select(vec!["|", "|-", ">", ">-"]), 1..5_usize, lines)
            .prop_map(|(header, more, lines)| Text::Block(header, more, lines)),
        1 => (1..4_usize, prop::sample::select(vec!["x", " x"])).prop_map(|(digit, text)| Text::Explicit(digit, text)),
    ]
}

#[derive(Debug, Clone)]
enum Content {
    Text(Text),
    /// Items, further columns of the dashes, and spaces behind them.
    List(Vec<&'static str>, usize, usize),
    FlowList(Vec<&'static str>),
    Custom(Vec<(&'static str, Text, Around)>, usize),
}

type Field = (&'static str, Content, Around);

fn field(name: &'static str) -> BoxedStrategy<Field> {
    let items = || prop::sample::subsequence(vec!["North", "\"South\"", "'a # b'", "007", "*same"], 0..4);
    let content = match name {
        "label_names" => prop_oneof![
            (items(), 0..4_usize, 1..3_usize).prop_map(|(items, indent, gap)| Content::List(items, indent, gap)),
            items().prop_map(Content::FlowList)
        ]
        .boxed(),
        "typed_custom_fields" => {
            let ids = prop::sample::subsequence(vec!["60c39ed82bd02f01154c470b", "60c39ed82bd02f01154c470a"], 1..=2);
            let values =
                ids.prop_flat_map(|ids| ids.into_iter().map(|id| (Just(id), text(), around())).collect::<Vec<_>>());
            (values, 1..5_usize).prop_map(|(values, indent)| Content::Custom(values, indent)).boxed()
        }
        _ => text().prop_map(Content::Text).boxed(),
    };
    (Just(name), content, around()).boxed()
}

const NAMES: [&str; 7] = [
    "title",
    "first_name",
    "typed_custom_fields",
    "present_raw_address",
    "label_names",
    "organization_name",
    "last_name",
];

fn fields() -> impl Strategy<Value = Vec<Field>> {
    let names = prop::sample::subsequence(NAMES.to_vec(), 0..NAMES.len());
    names.prop_shuffle().prop_flat_map(|names| names.into_iter().map(field).collect::<Vec<_>>())
}

#[derive(Debug, Clone)]
enum Contact {
    Lines { fields: Vec<Field>, indent: usize, merges: bool, anchored: bool, tail: Option<usize> },
    Braces { over_lines: bool, spaced: bool, title_first: bool },
    Alias,
}

fn contact() -> impl Strategy<Value = (Contact, Around)> {
    let lines = (fields(), 1..6_usize, any::<bool>(), any::<bool>(), prop::option::weighted(0.2, 0..12_usize))
        .prop_map(|(fields, indent, merges, anchored, tail)| Contact::Lines { fields, indent, merges, anchored, tail });
    let braces = (any::<bool>(), any::<bool>(), any::<bool>())
        .prop_map(|(over_lines, spaced, title_first)| Contact::Braces { over_lines, spaced, title_first });
    (prop_oneof![4 => lines, 2 => braces, 1 => Just(Contact::Alias)], around())
}

/// Writes files, numbering what must not be lost.
#[derive(Default)]
struct Pen {
    out: String,
    comments: usize,
}

impl Pen {
    fn comment(&mut self) -> String {
        self.comments += 1;
        format!("# comment-{} [x: 'y'", self.comments)
    }

    fn above(&mut self, around: &Around) {
        self.out.push_str(&"\n".repeat(around.blanks));
        if let Some((column, blank)) = around.above {
            let comment = self.comment();
            writeln!(self.out, "{:column$}{comment}{}", "", if blank { "\n" } else { "" }).unwrap();
        }
    }

    fn behind(&mut self, around: &Around) {
        if let Some(spaces) = around.behind {
            let comment = self.comment();
            write!(self.out, "{:spaces$}{comment}", "").unwrap();
        }
        self.out.push('\n');
    }

    /// Writes a name up to what follows its colon.
    fn name(&mut self, name: &str, indent: usize, around: &Around) {
        self.above(around);
        write!(self.out, "{:indent$}{name}{:colon$}:", "", "", colon = around.before_colon).unwrap();
    }

    fn text(&mut self, text: &Text, indent: usize, around: &Around) {
        let gap = " ".repeat(around.after_colon);
        match text {
            Text::Plain(text) => write!(self.out, "{gap}{text}").unwrap(),
            Text::Double(text) => write!(self.out, "{gap}{}", serde_json::to_string(text).unwrap()).unwrap(),
            Text::Single(text) => write!(self.out, "{gap}'{}'", text.replace('\'', "''")).unwrap(),
            Text::Folded(quote, more) => {
                let column = indent + 1 + more;
                write!(self.out, "{gap}{quote}first   \n\n{:column$}second{quote}", "").unwrap();
            }
            Text::Block(header, more, lines) => {
                write!(self.out, "{gap}{header}").unwrap();
                self.behind(around);
                let column = indent + more;
                // The first line says how far the block is indented.
                for line in std::iter::once(&"begin").chain(lines) {
                    writeln!(self.out, "{:column$}{line}", "").unwrap();
                }
                return;
            }
            Text::Explicit(digit, text) => {
                write!(self.out, "{gap}|{digit}").unwrap();
                self.behind(around);
                writeln!(self.out, "{:column$}{text}", "", column = indent + digit).unwrap();
                return;
            }
        }
        self.behind(around);
    }

    fn field(&mut self, (name, content, around): &Field, indent: usize) {
        self.name(name, indent, around);
        match content {
            Content::Text(text) => self.text(text, indent, around),
            Content::FlowList(items) => {
                write!(self.out, " [{}]", items.join(" , ")).unwrap();
                self.behind(around);
            }
            Content::List(items, _, _) if items.is_empty() => self.behind(around),
            Content::List(items, more, gap) => {
                self.behind(around);
                for item in items {
                    writeln!(self.out, "{:column$}-{:gap$}{item}", "", "", column = indent + more).unwrap();
                }
            }
            Content::Custom(values, more) => {
                self.behind(around);
                for (id, text, around) in values {
                    let around = around.clone();
                    self.name(id, indent + more, &around);
                    self.text(text, indent + more, &around);
                }
            }
        }
    }

    fn fields(&mut self, fields: &[Field], indent: usize) {
        for field in fields {
            self.field(field, indent);
        }
    }
}

type File = (Vec<Field>, Vec<(Contact, Around)>, usize, usize, Around);

/// Writes a file; returns how many comments it has.
fn write(number: usize, (defaults, contacts, step, indent, around): &File, pen: &mut Pen) {
    if number > 0 {
        pen.out.push_str("---\n");
    }
    pen.above(around);
    writeln!(pen.out, "defaults: &shared").unwrap();
    writeln!(pen.out, "{:step$}run_dedupe: false\n{:step$}home_phone: &same 123", "", "").unwrap();
    writeln!(pen.out, "{:step$}mobile_phone: *same", "").unwrap();
    pen.fields(defaults, *step);
    pen.name("contacts", 0, &Around { before_colon: 0, ..around.clone() });
    pen.behind(around);
    for (at, (contact, around)) in contacts.iter().enumerate() {
        let (key, email) = (format!("c{number}-{at}"), format!("c{number}-{at}@example.com"));
        pen.name(&key, *indent, around);
        match contact {
            Contact::Lines { fields, indent: more, merges, anchored, tail } => {
                pen.out.push_str(if *anchored { " &c" } else { "" });
                pen.behind(around);
                let inner = indent + more;
                let half = fields.len() / 2;
                pen.fields(&fields[..half], inner);
                writeln!(pen.out, "{:inner$}email: {email}", "").unwrap();
                if *merges {
                    writeln!(pen.out, "{:inner$}<<: *shared", "").unwrap();
                }
                pen.fields(&fields[half..], inner);
                if let Some(column) = tail {
                    let comment = pen.comment();
                    writeln!(pen.out, "{:column$}{comment}", "").unwrap();
                }
            }
            Contact::Braces { over_lines, spaced, title_first } => {
                let space = if *spaced { " " } else { "" };
                let parts = ["title: \"a, b\"".to_owned(), format!("email: {email}")];
                let parts = if *title_first {
                    parts
                } else {
                    let [a, b] = parts;
                    [b, a]
                };
                let divide =
                    if *over_lines { format!(",\n{:column$}", "", column = indent + 3) } else { ", ".to_owned() };
                write!(pen.out, " {{{space}{}{space}}}", parts.join(&divide)).unwrap();
                pen.behind(around);
            }
            Contact::Alias => {
                write!(pen.out, " {{<<: *shared, email: {email}}}").unwrap();
                pen.behind(around);
            }
        }
    }
}

fn file() -> impl Strategy<Value = File> {
    (fields(), prop::collection::vec(contact(), 1..4), 1..5_usize, 1..5_usize, around())
}

fn entries(text: &str) -> Vec<crate::model::Entry> {
    crate::source::entries_of(Path::new("a.yaml"), text.to_owned()).0
}

/// Reports whether the fields of every contact that is written out stand in their order.
fn is_ordered(text: &str) -> bool {
    let source = Source::new(Path::new("a.yaml").into(), text.to_owned());
    let documents = same::documents(&source).expect("it is good");
    let contacts = documents.iter().flat_map(|root| pairs(Node::at(root))).filter(|(name, _)| *name == "contacts");
    let mut contacts = contacts.flat_map(|(_, contacts)| pairs(contacts));
    contacts.all(|(_, contact)| pairs(contact).is_sorted_by_key(|(field, _)| order::rank(field)))
}

fn pairs<'a, 't>(node: Node<'a, 't>) -> Vec<(&'a str, Node<'a, 't>)> {
    match node.value() {
        Value::Map(pairs) => {
            pairs.map(|(name, value)| (name.scalar().map_or("", |scalar| &*scalar.text), value)).collect()
        }
        Value::Scalar(_) | Value::List(_) => Vec::new(),
    }
}

fn check(text: &str, comments: usize) -> Result<(), TestCaseError> {
    let path = Path::new("a.yaml");
    let (after, notes) = match format_text(path, text.to_owned()) {
        Ok(done) => done,
        Err(found) => return Err(TestCaseError::fail(format!("{found:?}\n{text}"))),
    };
    prop_assert!(notes.iter().all(|note| note.text != UNSURE), "{}\n{:?}", text, notes);
    prop_assert_eq!(entries(text), entries(&after), "{}\n{}", text, after);
    for number in 1..=comments {
        let comment = format!("# comment-{number} [x: 'y'");
        let kept = after.lines().filter(|line| line.ends_with(&comment)).count();
        prop_assert_eq!(kept, 1, "{}\n{}\n{}", comment, text, after);
    }
    let (again, notes_again) = format_text(path, after.clone()).unwrap();
    prop_assert_eq!(&after, &again, "from\n{}", text);
    prop_assert_eq!(notes.len(), notes_again.len());
    prop_assert!(!notes.is_empty() || is_ordered(&after), "{}\n{}", text, after);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 400,
        // The same texts in each run.
        rng_seed: RngSeed::Fixed(1),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn a_file_loads_as_before_keeps_its_comments_and_stays_as_it_is_then(files in prop::collection::vec(file(), 1..3), windows in any::<bool>()) {
        let mut pen = Pen::default();
        files.iter().enumerate().for_each(|(number, file)| write(number, file, &mut pen));
        let text = if windows { pen.out.replace('\n', "\r\n") } else { pen.out };
        check(&text, pen.comments)?;
    }

    #[test]
    fn a_good_text_of_any_making_is_never_changed_in_what_it_says(
        text in "contacts:\n  a:\n   email: a@x\n(   title: [ \\-:#&*!|>%@\"'\\[\\]{},?\na-c<~]{0,12}\n|   last_name: &a b\n|  b: \\{email: b@x, title: [a-c#, \"']{0,6}\\} ?#?\n|[ ]{0,4}#[a-c ]{0,3}\n|\n|   label_names:\n[ ]{1,4}-[ ]{1,3}[a-c*&\"' #:]{1,4}\n){0,4}",
    ) {
        let path = Path::new("a.yaml");
        if let Ok((after, _)) = format_text(path, text.clone()) {
            prop_assert!(after == text || same::says_the_same(path, &text, &after), "{}\n{}", text, after);
            prop_assert_eq!(entries(&text), entries(&after));
            let (again, _) = format_text(path, after.clone()).expect("it is still good");
            prop_assert_eq!(again, after);
        }
    }
}
