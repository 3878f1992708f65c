//! What the made-up people do of their own accord: sign up, look around, fill carts, order. What they do because of a message is in
//! `reactions`.

use jiff::civil::{Date, DateTime};
use serde_json::{Map, Value, json};

use super::people::Person;
use crate::chance::Chance;
use crate::ingest::{ContactInput, Occurrence, What};

const MINUTE: i64 = 60_000;

/// A month, or however many days.
pub struct Month {
    /// Those who are customers at the start.
    pub contacts: Vec<ContactInput>,
    /// What they did before the start; in order of time.
    pub history: Vec<Occurrence>,
    /// What happens from the start on; in order of time. People who sign up come with it.
    pub events: Vec<Occurrence>,
}

/// The share of people who sign up during the month; the others have been there.
const NEW: f64 = 0.4;

/// So many days from the first moment of `start`, each person's days by their own clock.
pub fn month(seed: u64, people: &[Person], start: Date, days: u32) -> Month {
    let mut month = Month { contacts: Vec::new(), history: Vec::new(), events: Vec::new() };
    let mut chance = Chance::new(seed);
    for person in people {
        let mut life =
            Life { person, chance: Chance::new(seed ^ chance.between(0, i64::MAX) as u64), start, carts: 0, did: Vec::new() };
        let first_day = if life.chance.happens(NEW) {
            let day = life.chance.between(0, i64::from(days));
            life.signs_up(day);
            day
        } else {
            month.contacts.push(life.regular());
            month.history.append(&mut life.did);
            0
        };
        for day in first_day..i64::from(days) {
            life.day(day, first_day);
        }
        month.events.append(&mut life.did);
    }
    // Stable: what one person does in one moment stays in order.
    month.history.sort_by_key(|occurrence| occurrence.at);
    month.events.sort_by_key(|occurrence| occurrence.at);
    month
}

struct Life<'a> {
    person: &'a Person,
    chance: Chance,
    start: Date,
    carts: u32,
    did: Vec<Occurrence>,
}

/// Number, name, price in euros.
const GOODS: &[(&str, &str, i64)] = &[
    ("KN-18", "Chef's knife, 18 cm", 89),
    ("KN-BR", "Bread knife, pear wood", 64),
    ("PA-28", "Carbon steel pan, 28 cm", 72),
    ("BO-45", "End-grain board, beech", 58),
    ("GR-01", "Hand grinder", 95),
    ("KE-LN", "Long-necked kettle", 49),
    ("BU-PL", "Stoneware plate", 18),
    ("TE-SE", "Sencha, 100 g", 15),
    ("WH-01", "Balloon whisk", 12),
    ("LI-TO", "Linen tea towel", 10),
];

impl Life<'_> {
    /// A moment of a day between seven in the morning and eleven at night, where the person is.
    fn moment(&mut self, day: i64) -> i64 {
        let minutes = self.chance.between(7 * 60, 23 * 60);
        let civil =
            self.start.checked_add(jiff::Span::new().days(day)).map(|date| date.to_datetime(jiff::civil::Time::midnight()));
        let civil = civil.and_then(|midnight: DateTime| midnight.checked_add(jiff::Span::new().minutes(minutes)));
        let instant = civil.ok().and_then(|civil| self.person.zone.to_timestamp(civil).ok());
        // Only a date beyond the calendar's end gets here.
        instant.map_or(0, |instant| instant.as_millisecond()) + self.chance.between(0, MINUTE)
    }

    fn does(&mut self, at: i64, what: What) {
        self.did.push(Occurrence { at, contact: self.person.contact.id.clone(), anonymous: false, what });
    }

    fn event(&mut self, at: i64, name: &str, properties: Value) {
        let properties = properties.as_object().cloned().unwrap_or_default();
        let id = format!("{}-{}-{}", self.person.contact.id, name, at);
        self.does(at, What::Event { name: name.to_owned(), properties, id: Some(id) });
    }

    fn signs_up(&mut self, day: i64) {
        let at = self.moment(day);
        let contact = &self.person.contact;
        let own = [("email", &contact.email), ("locale", &contact.locale), ("time_zone", &contact.time_zone)];
        let mut fields: Map<String, Value> = contact.attributes.clone();
        fields.extend(own.into_iter().filter_map(|(name, value)| Some((name.to_owned(), json!(value.as_ref()?)))));
        self.does(at, What::Set(fields));
        for topic in self.person.contact.topics.iter().flatten() {
            self.did.push(Occurrence { at, contact: contact.id.clone(), anonymous: false, what: What::Subscribe(topic.clone()) });
        }
        let source = self.chance.pick(&["web", "app", "checkout"]).copied();
        self.event(at, "signed_up", json!({ "source": source.unwrap_or("web") }));
    }

    /// A customer of before, with their orders.
    fn regular(&mut self) -> ContactInput {
        if self.chance.happens(0.7) {
            for _ in 0..self.chance.between(1, 6) {
                let day = -self.chance.between(1, 200);
                let at = self.moment(day);
                let total = self.chance.between(20, 260);
                self.event(
                    at,
                    "order_completed",
                    json!({ "order_id": format!("o-{}-{}", self.person.contact.id, -day), "total": total }),
                );
            }
        }
        self.person.contact.clone()
    }

    fn day(&mut self, day: i64, first_day: i64) {
        // Those who have just come look around more.
        let eager = if day - first_day < 3 && first_day > 0 { 2.0 } else { 1.0 };
        if !self.chance.happens(self.person.curiosity * eager) {
            return;
        }
        let mut at = self.moment(day).max(self.did.last().map_or(i64::MIN, |last| last.at) + MINUTE);
        self.event(at, "page_viewed", json!({ "url": "https://shop.example/new", "title": "New on the shelves" }));
        if !self.chance.happens(0.45) {
            return;
        }
        self.carts += 1;
        let cart = format!("{}-{}", self.person.contact.id, self.carts);
        let (mut items, mut total) = (Vec::new(), 0);
        for _ in 0..self.chance.between(1, 4) {
            at += self.chance.between(MINUTE, 6 * MINUTE);
            let quantity = self.chance.between(1, 3);
            if let Some((sku, name, price)) = self.chance.pick(GOODS) {
                total += price * quantity;
                items.push(json!({ "sku": sku, "name": name, "quantity": quantity, "price": price }));
            }
            self.event(at, "cart_updated", json!({ "cart_id": cart, "total": total, "items": items }));
        }
        if self.chance.happens(self.person.resolve) {
            at += self.chance.between(2 * MINUTE, 40 * MINUTE);
            self.event(at, "order_completed", json!({ "order_id": format!("o-{cart}"), "total": total, "cart_id": cart }));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::{files, people};

    fn sample() -> Month {
        month(1, &people(1, 1_000), jiff::civil::date(2026, 3, 2), 30)
    }

    #[test]
    fn is_the_same_each_time_and_in_order() {
        let (one, other) = (sample(), sample());
        assert_eq!(one.events, other.events);
        assert_eq!(one.history, other.history);
        assert!(one.events.is_sorted_by_key(|occurrence| occurrence.at));
        assert!(one.history.iter().zip(&one.events).all(|(before, after)| before.at < after.at));
    }

    #[test]
    fn has_something_for_each_campaign() {
        let month = sample();
        let count = |wanted: &str| {
            let named = |occurrence: &&Occurrence| matches!(&occurrence.what, What::Event { name, .. } if name == wanted);
            month.events.iter().filter(named).count()
        };
        assert!((300..500).contains(&count("signed_up")), "{}", count("signed_up"));
        for (event, least) in [("page_viewed", 1_000), ("cart_updated", 500), ("order_completed", 150)] {
            assert!(count(event) >= least, "{event}: {}", count(event));
        }
        assert!((500..700).contains(&month.contacts.len()), "{}", month.contacts.len());
    }

    #[test]
    fn obeys_the_shipped_contract() {
        let contract = dsl::compile(&files()).catalog.unwrap().contract.clone();
        let month = sample();
        for occurrence in month.events.iter().chain(&month.history) {
            if let What::Event { name, properties, .. } = &occurrence.what {
                let wrong = contract.check_event(name, &Value::Object(properties.clone()));
                assert_eq!(wrong, Vec::<String>::new(), "{occurrence:?}");
            }
        }
    }
}
