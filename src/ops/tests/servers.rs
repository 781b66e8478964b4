//! What unusual servers do: searches that miss, values that are rewritten, clocks that are wrong, work that is not done.

use serde_json::{Value, json};

use super::line::{Spoil, Spoiled};
use super::world::World;
use crate::sandbox::Options;

/// Makes a world whose server has these habits, and in which the first create is spoiled.
async fn with(quirks: &str, spoil: Option<Spoil>) -> World {
    let quirks = quirks.parse().unwrap();
    let spoiled = spoil.map(|spoil| Spoiled { number: 1, spoil, among_creates: true });
    World::to(|options| Options { quirks, ..options }, spoiled).await
}

/// Each of these made a second contact after one lost answer: the search by words missed the first.
#[tokio::test]
async fn a_lost_answer_makes_no_second_contact_however_the_server_searches_and_stores() {
    let combined = "Jose\u{301}";
    let entries = [
        ("search-transliterates", "{first_name: Jürgen, last_name: Müller, run_dedupe: false}".to_owned()),
        ("search-transliterates", "{first_name: Jürgen, last_name: Müller}".to_owned()),
        ("search-splits-at-plus", "{first_name: Ada, email: ada+x@example.com, run_dedupe: false}".to_owned()),
        ("search-hides-emails", "{first_name: Ada, email: ada@example.com, run_dedupe: false}".to_owned()),
        ("search-hides-emails", "{first_name: Ada, email: ada@example.com}".to_owned()),
        ("search-repeats-rows", "{first_name: Ada, last_name: Byron}".to_owned()),
        ("search-bare-when-empty", "{first_name: Ada, last_name: Byron}".to_owned()),
        ("stores-nfc", format!("{{first_name: {combined}, last_name: Quill}}")),
        ("stores-punycode", "{first_name: Ada, email: ada@bücher.example, run_dedupe: false}".to_owned()),
        ("stores-punycode", "{first_name: Ada, email: ada@bücher.example}".to_owned()),
        ("stores-straight-quotes", "{first_name: Ada, last_name: O\u{2019}Brien}".to_owned()),
        ("stores-entities", "{first_name: Ada, last_name: \"O'Brien\", organization_name: R&D}".to_owned()),
        ("stores-no-zero-width", "{first_name: Ada, last_name: \"By\u{200b}ron\"}".to_owned()),
        ("created-at-behind", "{first_name: Ada, last_name: Byron}".to_owned()),
        ("no-date", "{first_name: Ada, last_name: Byron}".to_owned()),
        ("no-date,clock-slow", "{first_name: Ada, last_name: Byron}".to_owned()),
        ("clock-slow", "{first_name: Ada, last_name: Byron}".to_owned()),
        ("clock-fast", "{first_name: Ada, last_name: Byron}".to_owned()),
    ];
    for (quirks, entry) in entries {
        for spoil in [Spoil::Before, Spoil::After, Spoil::RefusedAfter(422)] {
            let world = with(quirks, Some(spoil)).await;
            world.declare(&format!("  ada: {entry}\n"));
            world.apply().await;
            for _ in 0..3 {
                world.apply().await;
            }
            assert_eq!(world.server.contacts().len(), 1, "{quirks}, {spoil:?}: {entry}");
            if spoil == Spoil::RefusedAfter(422) {
                // Who was refused and is there may be asked about, and is never made twice.
                continue;
            }
            let state = world.snapshot();
            assert_eq!(state.bindings.len(), 1, "{quirks}, {spoil:?}: {entry}: {:?}", world.take_problems());
            assert!(state.conflicts.is_empty() && state.intents.is_empty(), "{quirks}, {spoil:?}: {entry}");
        }
    }
}

/// The e-mail could not be used, so the server dropped it: the contact was looked for by it in vain.
#[tokio::test]
async fn a_contact_whose_email_was_dropped_is_found_again() {
    let world = with("", Some(Spoil::After)).await;
    world.declare("  ada: {first_name: Ada, last_name: Byron, email: ada@intranet, run_dedupe: false}\n");
    for _ in 0..3 {
        world.apply().await;
    }
    assert_eq!(world.server.contacts().len(), 1);
    assert_eq!(world.snapshot().bindings.len(), 1);
}

/// The server's own new contact was called somebody else's for good, and the advice made a second one.
#[tokio::test]
async fn what_a_create_made_is_ours_whatever_form_it_is_kept_in() {
    for (quirks, entry) in [
        ("stores-punycode", "{email: ada@bücher.example}"),
        ("stores-straight-quotes", "{first_name: Ada, last_name: O\u{2019}Brien, organization_name: Example}"),
        ("stores-entities", "{first_name: Ada, last_name: Byron, organization_name: R&D}"),
        ("stores-nfc", "{first_name: Jose\u{301}, last_name: Byron, organization_name: Example}"),
        ("stores-no-zero-width", "{first_name: Ada, last_name: \"By\u{200b}ron\", organization_name: Example}"),
    ] {
        let world = with(quirks, None).await;
        world.declare(&format!("  ada: {entry}\n"));
        assert_eq!(world.apply().await.unwrap().failed, 0, "{quirks}: {:?}", world.take_problems());
        assert!(world.apply().await.is_none(), "{quirks}");
        // The state is lost: the contact is found again, or a person is asked; nobody is made twice.
        world.lose_state();
        world.apply().await;
        assert_eq!(world.server.contacts().len(), 1, "{quirks}");
    }
}

/// Each of these ended as complete.
#[tokio::test]
async fn what_is_not_shown_is_sent_once_more_and_then_told() {
    let world = with("keeps-cleared", None).await;
    world.declare("  ada: {email: ada@example.com, title: CTO, mobile_phone: '+12025550101'}\n");
    world.settle_down().await;
    world.take_problems();
    let before = world.line.requests();
    world.declare("  ada: {email: ada@example.com, title: '', mobile_phone: ''}\n");
    world.apply().await;
    assert_eq!(world.line.requests() - before, 2, "sent once, and once more");
    let kept = |field: &str| format!("ada: Deviates {{ deviation: Deviation {{ field: {field}, kind: Kept");
    world.assert_told(&[&kept("Title"), &kept("MobilePhone")]);
    assert!(world.apply().await.is_none());

    let world = with("updates-nothing", None).await;
    world.declare("  ada: {email: ada@example.com, title: CTO}\n");
    world.settle_down().await;
    world.declare("  ada: {email: ada@example.com, title: CEO}\n");
    world.apply().await;
    world.assert_told(&["ada: Deviates { deviation: Deviation { field: Title, kind: Kept"]);

    for quirk in ["list-add-refused", "list-add-ignored"] {
        let world = with(quirk, None).await;
        world.declare("  ada: {email: ada@example.com, label_names: [Leads]}\n");
        world.apply().await;
        world.assert_told(&["ada: ListsUnchanged"]);
    }
}

#[tokio::test]
async fn a_text_that_was_cut_is_told() {
    let world = with("cuts-custom-text", None).await;
    let text = format!("{} and the end", "0123456789".repeat(13));
    world.declare(&format!(
        "  ada: {{email: ada@example.com, typed_custom_fields: {{60c39ed82bd02f01154c470a: '{text}'}}}}\n"
    ));
    world.apply().await;
    let told = world.take_problems();
    let cut = text.chars().take(120).collect::<String>();
    assert!(told.iter().any(|told| told.contains(&format!("Normalized(Text({cut:?}))"))), "{told:?}");
}

/// Our value went to the contact that took the place of ours, and the next request as well.
#[tokio::test]
async fn a_merge_stops_at_the_first_answer_and_needs_a_person() {
    let world = World::new(None).await;
    world.declare("  ada: {email: ada@example.com, title: CTO}\n  eve: {email: eve@example.com, title: CFO}\n");
    world.settle_down().await;
    world.merge("ada@example.com", "eve@example.com").await;
    world.declare(
        "  ada: {email: ada@example.com, title: CEO, label_names: [Board]}\n  eve: {email: eve@example.com, title: CFO}\n",
    );
    assert_eq!(world.apply().await.unwrap().failed, 1);
    world.assert_told(&["ada: Undecided(Merged"]);
    // The survivor belongs to eve: what ada's update wrote there is written again.
    world.apply().await;
    let contacts: Vec<Value> = world.server.contacts();
    let eve = contacts.iter().find(|contact| contact["email"] == "eve@example.com").unwrap();
    assert_eq!((&eve["title"], &eve["label_names"]), (&"CFO".into(), &json!([])));
    assert_eq!(world.snapshot().bindings.len(), 2);
    // It stays so until a person decides, and nothing is sent for it.
    let requests = world.line.requests();
    assert_eq!(world.apply().await.unwrap().failed, 1);
    assert_eq!(world.line.requests(), requests);
}

#[tokio::test]
async fn gone_is_gone_in_all_its_shapes() {
    for shape in ["422-ids", "422", "422-unknown", "404", "410", "person-deleted"] {
        let world = World::new(None).await;
        let eve = "  eve: {email: eve@example.com}\n";
        world.declare(&format!("  ada: {{first_name: Ada, email: ada@example.com, title: CTO}}\n{eve}"));
        world.settle_down().await;
        world.answer_deleted(shape).await;
        world.delete("Ada").await;
        world.declare(&format!("  ada: {{first_name: Ada, email: ada@example.com, title: CEO}}\n{eve}"));
        assert_eq!(world.apply().await.unwrap().failed, 1, "{shape}");
        world.assert_told(&["ada: Undecided(Gone"]);
        // The same where it was to be managed again.
        world.declare(eve);
        world.settle_down().await;
        world.declare(&format!("  ada: {{first_name: Ada, email: ada@example.com, title: CEO}}\n{eve}"));
        world.settle_down().await;
        assert_eq!(world.contact("Ada")["title"], "CEO", "{shape}");
    }
}
