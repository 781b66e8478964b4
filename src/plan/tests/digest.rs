//! What the digest of a plan covers.

use super::*;

#[test]
fn the_digest_covers_api_files_serial_and_actions() {
    let world = World::new().declared("ada", ADA);
    let digest = world.plan().digest("sandbox", &[0; 32]);
    assert_eq!(digest, world.plan().digest("sandbox", &[0; 32]));
    assert_ne!(digest, world.plan().digest("sandbox", &[1; 32]));
    assert_ne!(digest, world.plan().digest("https://api.apollo.io", &[0; 32]));
    let mut later = World::new().declared("ada", ADA);
    later.0.serial = Serial(2);
    assert_ne!(digest, later.plan().digest("sandbox", &[0; 32]));
    assert_ne!(digest, World::new().declared("ada", "email=eve@example.com").plan().digest("sandbox", &[0; 32]));
}

#[test]
fn the_digest_does_not_depend_on_how_the_directory_is_spelled() {
    let mut world = World::new()
        .declared("ada", ADA)
        .applied("bo", "email=bo@example.com", 1)
        .declared("bo", "email=bob@example.com")
        .unanswered("cy", "email=cy@example.com", Endpoint::CreateContact)
        .declared("cy", "email=cy@example.com");
    let digest = world.plan().digest("sandbox", &[0; 32]);
    for entry in world.0.entries.values_mut() {
        let path = std::path::Path::new("/srv/./contacts.d/team.yaml").into();
        let Entry { place: Place { key, .. }, .. } = entry.unpack();
        *entry = Entry { place: Place { path, key }, ..entry.unpack() }.into();
    }
    let plan = world.plan();
    assert_eq!(plan.actions.len(), 3);
    assert_eq!(digest, plan.digest("sandbox", &[0; 32]));
}
