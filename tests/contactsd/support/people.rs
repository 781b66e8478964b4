//! Directories of fictional people.

use std::ops::Range;

use super::world::World;

/// Writes 100 entries into 50 files: two each, some below a directory of their own.
pub(crate) fn hundred_in_fifty_files(world: &World) {
    for file in 0..50 {
        let place = if file % 5 == 0 { "contacts.d/sales" } else { "contacts.d" };
        let people: String = [2 * file, 2 * file + 1].map(person).concat();
        world.write(&format!("{place}/people-{file:02}.yaml"), &format!("contacts:\n{people}"));
    }
}

/// Writes a file of the people with these numbers, who have an e-mail each.
pub(crate) fn numbered(numbers: Range<usize>) -> String {
    let entries: Vec<_> = numbers.map(|number| format!("  p{number}: {{email: p{number}@example.com}}")).collect();
    format!("contacts:\n{}\n", entries.join("\n"))
}

fn person(number: usize) -> String {
    const FIRST: [&str; 10] = ["Ada", "Bela", "Chidi", "Dana", "Emil", "Fay", "Goro", "Hana", "Ivo", "Jun"];
    const LAST: [&str; 10] = ["Quill", "Rook", "Sorrel", "Thorn", "Umber", "Vale", "Wren", "Yarrow", "Zander", "Ash"];
    let (first, last) = (FIRST[number % 10], LAST[number / 10]);
    format!(
        "  person-{number:02}:\n    first_name: {first}\n    last_name: {last}\n    title: Title {number}\n    \
         email: person-{number:02}@example.com\n    mobile_phone: +1555010{number:04}\n"
    )
}
