//! People by their number: the same seed and number give the same person, whatever else is generated.
//!
//! No two of them are one person in Apollo's eyes: names do not come twice in a company, nor companies
//! or their domains twice.

use fastrand::Rng;

use super::words::{
    COMPANY_FIRST, COMPANY_KIND, COMPANY_SECOND, FIRST_NAMES, LAST_NAMES, LISTS, STREETS, TIERS, TITLES, TOWNS,
};

/// How many people a company has; those of one company stand beside each other.
pub(crate) const COMPANY_SIZE: u64 = 25;

/// How many companies there can be, each with a name of its own.
const COMPANIES: u64 = (COMPANY_FIRST.len() * COMPANY_SECOND.len() * COMPANY_KIND.len()) as u64;

/// Most people who are not the same as another.
pub(crate) const MAX_CONTACTS: u64 = COMPANIES * COMPANY_SIZE;

/// How many full names there are.
const FULL_NAMES: u64 = (FIRST_NAMES.len() * LAST_NAMES.len()) as u64;

/// Steps without a common factor with what they walk through, so that each place is met once.
const COMPANY_STEP: u64 = 40_503;
const NAME_STEP: u64 = 7_919;

/// The custom fields that some contacts have: a tier, a date and a number.
const CUSTOM_FIELDS: [&str; 3] = ["60e34b81740c50074e3d1d01", "60e34b81740c50074e3d1d02", "60e34b81740c50074e3d1d03"];

/// People who do not exist, numbered from 0.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Population {
    seed: u64,
}

/// What the people of one company have in common.
#[derive(Debug)]
pub(crate) struct Company {
    pub(crate) name: String,
    pub(crate) website_url: String,
    pub(crate) corporate_phone: Option<String>,
    pub(crate) present_raw_address: String,
    /// Whether its documents say this once, under `defaults:`, where they hold several contacts.
    pub(crate) shares_defaults: bool,
    slug: String,
    domain: String,
}

/// One contact; what it shares with its company is left out.
#[derive(Debug)]
pub(crate) struct Person {
    pub(crate) key: String,
    pub(crate) first_name: &'static str,
    pub(crate) last_name: &'static str,
    pub(crate) email: String,
    pub(crate) title: &'static str,
    pub(crate) label_names: Vec<&'static str>,
    pub(crate) direct_phone: Option<String>,
    pub(crate) mobile_phone: Option<String>,
    pub(crate) custom: Vec<(&'static str, String)>,
}

impl Population {
    pub(crate) fn new(seed: u64) -> Self {
        Self { seed }
    }

    /// Returns the company with this number.
    pub(crate) fn company(self, number: u64) -> Company {
        let mut random = self.random(1, number);
        let place = usize::try_from((number * COMPANY_STEP + self.seed) % COMPANIES).expect("there are few companies");
        let first = COMPANY_FIRST[place % COMPANY_FIRST.len()];
        let second = COMPANY_SECOND[place / COMPANY_FIRST.len() % COMPANY_SECOND.len()];
        let kind = COMPANY_KIND[place / COMPANY_FIRST.len() / COMPANY_SECOND.len()];
        let name = format!("{first} {second} {kind}");
        let slug = slug(&name);
        let domain = format!("{slug}.example.{}", pick(&mut random, &["com", "net", "org"]));
        Company {
            website_url: format!("https://{domain}"),
            corporate_phone: random.bool().then(|| phone(&mut random)),
            present_raw_address: format!(
                "{} {}, {}",
                random.u32(1..400),
                pick(&mut random, &STREETS),
                pick(&mut random, &TOWNS)
            ),
            shares_defaults: random.bool(),
            name,
            slug,
            domain,
        }
    }

    /// Returns the person with this number, who is at the company `number / COMPANY_SIZE`.
    pub(crate) fn person(self, number: u64, company: &Company) -> Person {
        let mut random = self.random(2, number);
        let first_of_company = self.random(3, number / COMPANY_SIZE).u64(0..FULL_NAMES);
        let name = (first_of_company + number % COMPANY_SIZE * NAME_STEP) % FULL_NAMES;
        let name = usize::try_from(name).expect("there are few names");
        let (first_name, last_name) = (FIRST_NAMES[name % FIRST_NAMES.len()], LAST_NAMES[name / FIRST_NAMES.len()]);
        let name_slug = format!("{}.{}", slug(first_name), slug(last_name));
        Person {
            key: format!("{name_slug}.{}", company.slug),
            first_name,
            last_name,
            email: format!("{name_slug}@{}", company.domain),
            title: pick(&mut random, &TITLES),
            label_names: lists(&mut random),
            direct_phone: random.bool().then(|| phone(&mut random)),
            mobile_phone: (random.u8(0..4) == 0).then(|| phone(&mut random)),
            custom: custom(&mut random),
        }
    }

    fn random(self, purpose: u64, number: u64) -> Rng {
        Rng::with_seed((self.seed ^ (purpose << 56)).wrapping_add(number.wrapping_mul(0x9e37_79b9_7f4a_7c15)))
    }
}

fn pick<T: Copy>(random: &mut Rng, choices: &[T]) -> T {
    choices[random.usize(..choices.len())]
}

fn lists(random: &mut Rng) -> Vec<&'static str> {
    let first = random.usize(..LISTS.len());
    // Steps of 7 through 20 lists: none comes twice.
    (0..random.usize(1..4)).map(|step| LISTS[(first + step * 7) % LISTS.len()]).collect()
}

fn custom(random: &mut Rng) -> Vec<(&'static str, String)> {
    let mut custom = Vec::new();
    if random.u8(0..5) < 2 {
        custom.push((CUSTOM_FIELDS[0], pick(random, &TIERS).to_owned()));
    }
    if random.u8(0..4) == 0 {
        custom.push((CUSTOM_FIELDS[1], format!("2025-{:02}-{:02}", random.u8(1..13), random.u8(1..29))));
    }
    if random.u8(0..4) == 0 {
        custom.push((CUSTOM_FIELDS[2], format!("{:05}", random.u32(0..100_000))));
    }
    custom
}

/// Draws a number of the range that is kept free for fiction, in one of the forms people write.
fn phone(random: &mut Rng) -> String {
    let (area, line) = (random.u16(201..990), random.u16(100..200));
    match random.u8(0..3) {
        0 => format!("+1 {area} 555 0{line}"),
        1 => format!("({area}) 555-0{line}"),
        _ => format!("+1{area}5550{line}"),
    }
}

/// Writes a name in lower-case letters and hyphens.
fn slug(name: &str) -> String {
    let letter = |letter: char| match letter {
        'é' | 'ë' => Some('e'),
        'ø' => Some('o'),
        ' ' | '-' => Some('-'),
        '\'' => None,
        letter => Some(letter.to_ascii_lowercase()),
    };
    name.chars().filter_map(letter).collect()
}
