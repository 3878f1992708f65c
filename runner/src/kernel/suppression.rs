//! Who was erased is not made anew by what comes in late: keyed hashes of their ids and addresses are what is left of them.

use aws_lc_rs::hmac;
use sha2::{Digest, Sha256};

use crate::ingest::ContactInput;
use crate::state::Contact;
use crate::store::{Result, Store};

/// What the names of the properties begin with.
const BEGINNING: &str = "erased:";

/// What of a person is hashed; each in its own way, so that a phone number never passes for an id.
#[derive(Clone, Copy)]
enum Kind {
    Id,
    Email,
    Phone,
}

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Kind::Id => "id",
            Kind::Email => "email",
            Kind::Phone => "phone",
        }
    }

    /// The text as it is compared.
    fn normal(self, text: &str) -> String {
        match self {
            Kind::Id => text.to_owned(),
            Kind::Email => normal_email(text),
            Kind::Phone => text.chars().filter(|character| character.is_ascii_digit() || *character == '+').collect(),
        }
    }
}

/// Hashes with the store's secret (HMAC-SHA-256, RFC 2104): whoever finds them cannot try addresses out against them.
pub struct Suppression {
    key: hmac::Key,
    identity: String,
}

impl Suppression {
    /// # Errors
    /// Those of the store.
    pub fn of(store: &mut dyn Store) -> Result<Suppression> {
        let key = hmac::Key::new(hmac::HMAC_SHA256, store.secret()?.as_bytes());
        Ok(Suppression { key, identity: store.identity()? })
    }

    /// Whether anybody was ever erased from this store.
    ///
    /// # Errors
    /// Those of the store.
    pub fn any(&self, store: &mut dyn Store) -> Result<bool> {
        store.any_property(BEGINNING)
    }

    /// Remembers the person by every id, and by e-mail address and phone number.
    ///
    /// # Errors
    /// Those of the store.
    pub fn add(&self, store: &mut dyn Store, contact: &Contact, aliases: &[String]) -> Result<()> {
        let ids = std::iter::once(&contact.uid).chain(aliases).map(|id| (Kind::Id, id));
        // Many systems use the address as the id, in whatever case.
        let named = ids.clone().filter(|(_, id)| id.contains('@')).map(|(_, id)| (Kind::Email, id));
        let email = contact.email.iter().map(|email| (Kind::Email, email)).chain(named);
        let phone = contact.phone.iter().map(|phone| (Kind::Phone, phone));
        let keys: Vec<String> = ids.chain(email).chain(phone).filter_map(|(kind, text)| self.hash(kind, text)).collect();
        // Each knows the others, so that lifting one lifts all.
        let all = keys.join(" ");
        keys.iter().try_for_each(|key| store.set_property(key, &all))
    }

    /// Whether a contact of this id was erased, or of this address, where the id is one.
    ///
    /// # Errors
    /// Those of the store.
    pub fn holds_id(&self, store: &mut dyn Store, uid: &str) -> Result<bool> {
        let address = Some(uid).filter(|uid| uid.contains('@'));
        Ok(self.holds(store, Kind::Id, Some(uid))?
            || self.holds(store, Kind::Email, address)?
            || store.property(&self.former(uid))?.is_some())
    }

    /// Whether such a contact was erased: one of this id or e-mail address; where no address is given, of this phone number.
    ///
    /// # Errors
    /// Those of the store.
    pub fn holds_person(&self, store: &mut dyn Store, person: &ContactInput) -> Result<bool> {
        let (kind, address) = match &person.email {
            Some(email) => (Kind::Email, Some(email)),
            None => (Kind::Phone, person.phone.as_ref()),
        };
        Ok(self.holds_id(store, &person.id)? || self.holds(store, kind, address.map(String::as_str))?)
    }

    /// Whether what is said of a contact that is there would give them the address of somebody who was erased. One that they have already they keep:
    /// several people may share one.
    ///
    /// # Errors
    /// Those of the store.
    pub fn holds_new_address(&self, store: &mut dyn Store, known: &Contact, given: &ContactInput) -> Result<bool> {
        let (kind, old, new) = match &given.email {
            Some(email) => (Kind::Email, known.email.as_deref(), Some(email.as_str())),
            None => (Kind::Phone, known.phone.as_deref(), given.phone.as_deref()),
        };
        if new.is_none() || kind.normal(new.unwrap_or_default()) == kind.normal(old.unwrap_or_default()) {
            return Ok(false);
        }
        self.holds(store, kind, new)
    }

    /// Lifts it from whoever has this id, e-mail address or phone number, with everything else that is remembered of them. False when nobody has.
    ///
    /// # Errors
    /// Those of the store.
    pub fn lift(&self, store: &mut dyn Store, text: &str) -> Result<bool> {
        let mut lifted = store.remove_property(&self.former(text))?;
        for kind in [Kind::Id, Kind::Email, Kind::Phone] {
            let Some(key) = self.hash(kind, text) else { continue };
            let Some(all) = store.property(&key)? else { continue };
            for key in all.split(' ').filter(|key| key.starts_with(BEGINNING)).chain([key.as_str()]) {
                store.remove_property(key)?;
            }
            lifted = true;
        }
        Ok(lifted)
    }

    fn holds(&self, store: &mut dyn Store, kind: Kind, text: Option<&str>) -> Result<bool> {
        match text.and_then(|text| self.hash(kind, text)) {
            Some(key) => Ok(store.property(&key)?.is_some()),
            None => Ok(false),
        }
    }

    /// What is kept of an id that a sender gave to a message or a request, to know it again: such ids are made of anything, addresses too, and outlive
    /// the person's erasure.
    pub(super) fn name_of_received(&self, kind: &str, id: &str) -> String {
        format!("{kind}:{}", hex(hmac::sign(&self.key, format!("received {kind} {id}").as_bytes()).as_ref()))
    }

    /// The property's name; `None` for what is empty.
    fn hash(&self, kind: Kind, text: &str) -> Option<String> {
        let text = kind.normal(text);
        let mac = || hmac::sign(&self.key, format!("erased {} {text}", kind.word()).as_bytes());
        (!text.is_empty()).then(|| format!("{BEGINNING}{}", hex(mac().as_ref())))
    }

    /// The name that was given before the hashes were keyed with the secret.
    fn former(&self, uid: &str) -> String {
        format!("{BEGINNING}{}", hex(&Sha256::new().chain_update(&self.identity).chain_update(uid).finalize()))
    }
}

/// An e-mail address as it is compared: without space around it, whatever the case of its letters.
pub fn normal_email(email: &str) -> String {
    email.trim().to_ascii_lowercase()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::SqliteStore;

    fn person(id: &str, email: Option<&str>, phone: Option<&str>) -> ContactInput {
        let text = |text: &str| text.to_owned();
        ContactInput { id: text(id), email: email.map(text), phone: phone.map(text), ..ContactInput::default() }
    }

    #[test]
    fn a_person_is_known_again_by_any_id_and_address_until_that_is_lifted() {
        let mut store = SqliteStore::in_memory().unwrap();
        let suppression = Suppression::of(&mut store).unwrap();
        store.begin().unwrap();
        assert!(!suppression.any(&mut store).unwrap());
        let ada =
            Contact { email: Some("Ada@Example.com".to_owned()), phone: Some("+49 30 1".to_owned()), ..Contact::new("ada") };
        suppression.add(&mut store, &ada, &["a-1".to_owned()]).unwrap();
        let cases = [
            (person("ada", None, None), true),
            (person("a-1", None, None), true),
            (person("new", Some(" ada@example.COM "), None), true),
            (person("new", None, Some("+49301")), true),
            (person("new", Some("bo@example.com"), Some("+49301")), false),
            (person("+49301", None, None), false),
            (person("new", None, None), false),
            (person("ADA@example.com", None, None), true),
            (person("bo@example.com", None, None), false),
        ];
        for (person, expected) in &cases {
            assert_eq!(suppression.holds_person(&mut store, person).unwrap(), *expected, "{person:?}");
        }
        assert!(!suppression.lift(&mut store, "bo").unwrap());
        assert!(suppression.lift(&mut store, "ADA@example.com").unwrap());
        assert!(!suppression.any(&mut store).unwrap());
        assert!(cases.iter().all(|(person, _)| !suppression.holds_person(&mut store, person).unwrap()));
    }

    #[test]
    fn an_id_that_is_an_address_is_known_again_in_any_case() {
        let mut store = SqliteStore::in_memory().unwrap();
        let suppression = Suppression::of(&mut store).unwrap();
        store.begin().unwrap();
        suppression.add(&mut store, &Contact::new("Ada@example.com"), &[]).unwrap();
        assert!(suppression.holds_id(&mut store, "ada@example.com").unwrap());
        assert!(suppression.holds_person(&mut store, &person("new", Some("ADA@example.com"), None)).unwrap());
        assert!(suppression.lift(&mut store, "ada@example.com").unwrap());
        assert!(!suppression.any(&mut store).unwrap());
    }

    #[test]
    fn an_address_of_the_erased_goes_to_nobody_who_had_another() {
        let mut store = SqliteStore::in_memory().unwrap();
        let suppression = Suppression::of(&mut store).unwrap();
        store.begin().unwrap();
        let ada =
            Contact { email: Some("ada@example.com".to_owned()), phone: Some("+49 30 1".to_owned()), ..Contact::new("ada") };
        suppression.add(&mut store, &ada, &[]).unwrap();
        let with = |email: Option<&str>, phone: Option<&str>| {
            person("bo", email, phone).into_contact(&[], crate::kernel::Origin { at: 0, source: "api" })
        };
        let cases = [
            (with(None, None), person("bo", Some("ADA@example.com"), None), true),
            (with(Some("bo@example.com"), None), person("bo", Some("ada@example.com"), None), true),
            (with(Some("Ada@example.com"), None), person("bo", Some("ada@example.com"), None), false),
            (with(None, None), person("bo", None, Some("+49301")), true),
            (with(None, Some("+49 (30) 1")), person("bo", None, Some("+49301")), false),
            (with(None, None), person("bo", Some("bo@example.com"), None), false),
            (with(None, None), person("bo", None, None), false),
        ];
        for (known, given, expected) in &cases {
            assert_eq!(suppression.holds_new_address(&mut store, known, given).unwrap(), *expected, "{known:?} {given:?}");
        }
    }

    #[test]
    fn what_was_remembered_in_the_former_way_still_holds() {
        let mut store = SqliteStore::in_memory().unwrap();
        let suppression = Suppression::of(&mut store).unwrap();
        store.begin().unwrap();
        store.set_property(&suppression.former("ada"), "").unwrap();
        assert!(suppression.holds_id(&mut store, "ada").unwrap());
        assert!(suppression.lift(&mut store, "ada").unwrap());
        assert!(!suppression.holds_id(&mut store, "ada").unwrap());
    }
}
