//! The same people as one table, as Apollo exports contacts.

use std::fs::File;
use std::io::{self, BufWriter};
use std::path::Path;

use super::generate::people::{COMPANY_SIZE, Population};

/// The columns that hold something here, and some of those that are passed over.
const COLUMNS: [&str; 24] = [
    "First Name",
    "Last Name",
    "Title",
    "Company Name",
    "Company Name for Emails",
    "Email",
    "Email Status",
    "Seniority",
    "Departments",
    "Contact Owner",
    "Work Direct Phone",
    "Mobile Phone",
    "Corporate Phone",
    "Stage",
    "Lists",
    "# Employees",
    "Industry",
    "Keywords",
    "Website",
    "City",
    "Country",
    "Apollo Contact Id",
    "Apollo Account Id",
    "Do Not Call",
];

/// Writes `contacts` people of `seed` into a file that is not there yet; returns its size in bytes.
pub(crate) fn write(path: &Path, contacts: u64, seed: u64) -> io::Result<u64> {
    let population = Population::new(seed);
    let mut table = csv::Writer::from_writer(BufWriter::new(File::create_new(path)?));
    table.write_record(COLUMNS)?;
    let mut company = population.company(0);
    for number in 0..contacts {
        if number % COMPANY_SIZE == 0 {
            company = population.company(number / COMPANY_SIZE);
        }
        let person = population.person(number, &company);
        let phone = |phone: &Option<String>| phone.as_ref().map(|phone| format!("'{phone}")).unwrap_or_default();
        let (street, town) = company.present_raw_address.split_once(", ").unwrap_or(("", &company.present_raw_address));
        let row = [
            person.first_name.to_owned(),
            person.last_name.to_owned(),
            person.title.to_owned(),
            company.name.clone(),
            company.name.clone(),
            person.email.clone(),
            "Verified".to_owned(),
            "Manager".to_owned(),
            "Operations".to_owned(),
            "Robin Keeper".to_owned(),
            phone(&person.direct_phone),
            phone(&person.mobile_phone),
            phone(&company.corporate_phone),
            "Cold".to_owned(),
            person.label_names.join(", "),
            "120".to_owned(),
            "machinery".to_owned(),
            format!("looms, engines, mills, {street}"),
            company.website_url.clone(),
            town.to_owned(),
            "United States".to_owned(),
            format!("66f0c1{number:018x}"),
            format!("66f0ac{:018x}", number / COMPANY_SIZE),
            "FALSE".to_owned(),
        ];
        table.write_record(row)?;
    }
    table.flush()?;
    Ok(path.metadata()?.len())
}
