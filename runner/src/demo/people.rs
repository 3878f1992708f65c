//! The made-up people.

use dsl::time::zone;
use jiff::civil::date;
use jiff::tz::TimeZone;
use serde_json::{Map, Value, json};

use super::places::PLACES;
use crate::chance::Chance;
use crate::ingest::ContactInput;

/// One of them.
pub struct Person {
    pub contact: ContactInput,
    pub zone: TimeZone,
    /// How often they look into the shop: the chance on any one day.
    pub curiosity: f64,
    /// The chance that a visit with a full cart ends in an order.
    pub resolve: f64,
}

/// So many people, the same ones for the same seed. Ids and addresses are unique; addresses are in a domain reserved for examples
/// (RFC 2606).
pub fn people(seed: u64, count: usize) -> Vec<Person> {
    let mut chance = Chance::new(seed);
    (0..count).filter_map(|number| person(&mut chance, number)).collect()
}

fn person(chance: &mut Chance, number: usize) -> Option<Person> {
    let place = chance.weighted(PLACES, |place| place.weight)?;
    let (first, last) = (*chance.pick(place.first_names)?, *chance.pick(place.last_names)?);
    let zone_name = *chance.pick(place.zones)?;
    let id = format!("c{:04}", number + 1);
    let mut attributes = Map::new();
    // Not everybody says who they are; the messages must read well without.
    if chance.happens(0.93) {
        attributes.insert("first_name".to_owned(), json!(first));
        attributes.insert("last_name".to_owned(), json!(last));
    }
    attributes.insert("country".to_owned(), json!(place.country));
    attributes.insert("favourite".to_owned(), json!(chance.pick(&["coffee", "tea", "baking", "knives", "tableware"])?));
    if chance.happens(0.7) {
        let born = date(1950, 1, 1).checked_add(jiff::Span::new().days(chance.between(0, 20_000))).ok()?;
        attributes.insert("birthday".to_owned(), Value::String(born.to_string()));
    }
    let mut topics = vec!["product_news".to_owned()];
    for (topic, share) in [("offers", 0.66), ("newsletter", 0.78)] {
        if chance.happens(share) {
            topics.push(topic.to_owned());
        }
    }
    Some(Person {
        contact: ContactInput {
            email: Some(format!("{}.{}@shop-demo.example", plain(first), id)),
            id,
            phone: None,
            locale: Some(place.locale.to_owned()),
            time_zone: Some(zone_name.to_owned()),
            topics: Some(topics),
            attributes,
        },
        zone: zone(zone_name)?,
        curiosity: 0.03 + 0.17 * chance.fraction(),
        resolve: 0.15 + 0.4 * chance.fraction(),
    })
}

/// The letters of a name that an address can hold without escaping.
fn plain(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphabetic).collect::<String>().to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::demo::files;

    #[test]
    fn are_the_same_for_the_same_seed_and_differ_for_another() {
        let ids = |seed: u64| people(seed, 50).into_iter().map(|person| person.contact).collect::<Vec<_>>();
        assert_eq!(ids(1), ids(1));
        assert_ne!(ids(1), ids(2));
    }

    #[test]
    fn obey_the_shipped_contract_and_have_an_address_each() {
        let compiled = dsl::compile(&files());
        let contract = compiled.catalog.unwrap().contract.clone();
        let all = people(1, 1_000);
        assert_eq!(all.len(), 1_000);
        for person in &all {
            let wrong = contract.check_contact(&Value::Object(person.contact.attributes.clone()));
            assert_eq!(wrong, Vec::<String>::new(), "{:?}", person.contact);
        }
        let addresses: HashSet<_> = all.iter().filter_map(|person| person.contact.email.clone()).collect();
        assert_eq!(addresses.len(), 1_000);
        let zones: HashSet<_> = all.iter().filter_map(|person| person.contact.time_zone.clone()).collect();
        assert!(zones.len() >= 10, "{zones:?}");
    }
}
