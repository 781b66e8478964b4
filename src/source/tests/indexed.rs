//! What an index may vouch for.

use super::*;
use crate::beneath::Bounds;
use crate::index::{Contents, Flags, Index, Noted, Tree, Writer};
use crate::source::walk::walk;

/// Makes an index that has another content for `a.yaml`, under what the file looks like now.
fn stale(dir: &Dir, flags: Flags) -> Index {
    let now = walk(&open_root(dir.path(), &Bounds::default()).unwrap(), &Tree::default(), &|| ()).unwrap();
    let [directory] = &now.directories[..] else { panic!("there is one directory") };
    let noted = Noted { identity: directory.files[0].identity.unwrap(), digest: [7; 32], flags };
    let mut writer = Writer::new(Vec::new(), None);
    writer.directory(b"", directory.identity, Flags::default(), [].into_iter(), 1);
    writer.file(b"a.yaml", &noted, &Contents::default(), &[]).unwrap();
    Index::open(Box::new(writer.finish(LOADER, [7; 32], None, None, None).unwrap()), LOADER).unwrap()
}

fn keys(dir: &Dir, index: &Index) -> usize {
    let options = Options { index: Some(index), lists_all: true, ..Options::plain() };
    let (mut loaded, is_sound) = load(dir.path(), &options).unwrap();
    loaded.complete(index).unwrap();
    assert!(is_sound && loaded.is_valid());
    loaded.files[0].sheet.lines().count()
}

#[test]
fn a_file_is_read_unless_it_looks_as_it_did_long_before_it_was_read() {
    let dir = Dir::of(&[("a.yaml", "contacts: {ada: {last_name: Byron}}\n")]);
    // What the index says is not so: who believes it did not look.
    assert_eq!(keys(&dir, &stale(&dir, Flags::default())), 0);
    assert_eq!(keys(&dir, &stale(&dir, Flags::RACY)), 1);
    assert_eq!(keys(&dir, &stale(&dir, Flags::WATCHED)), 1);
    let index = stale(&dir, Flags::default());
    dir.write("a.yaml", b"contacts: {ada: {last_name: Byron}, bob: {last_name: Quill}}\n");
    assert_eq!(keys(&dir, &index), 2);
}
