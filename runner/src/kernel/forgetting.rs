//! Copies of mails to people who were erased: they are named to the channels until it is certain that these were told.

use super::{Kernel, message_id};
use crate::state::Message;
use crate::store::Result;

/// The Message-IDs that the latest turn named, a line each: a runner that stops right after the commit has told nobody.
const NAMED: &str = "erased_mails";

impl Kernel {
    /// A channel may have kept a copy of the mail, which the turn says must go.
    pub(super) fn forget_mail(&mut self, message: &Message) {
        if message.attempts > 0 {
            self.erased.push(message_id(message, &self.plan.catalog.settings, &self.identity));
        }
    }

    /// What an earlier runner may not have told the channels.
    pub(super) fn take_up_erased(&mut self) -> Result<()> {
        let named = self.store.property(NAMED)?.unwrap_or_default();
        self.erased.extend(named.lines().map(str::to_owned));
        Ok(())
    }

    /// What this turn names. By the time of the next one the channels were told of it.
    pub(super) fn name_erased(&mut self) -> Result<Vec<String>> {
        if !self.erased.is_empty() {
            self.store.set_property(NAMED, &self.erased.join("\n"))?;
        } else if self.erased_named {
            self.store.remove_property(NAMED)?;
        }
        Ok(std::mem::take(&mut self.erased))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::Path;
    use std::sync::Arc;

    use crate::kernel::{Kernel, Options, Plan};
    use crate::state::*;
    use crate::store::{InboxItem, SqliteStore, Store};

    fn open(path: &Path) -> Kernel {
        let files = BTreeMap::from([("campaignd.yaml".to_owned(), "project: shop\ntime_zone: UTC\n".to_owned())]);
        let catalog = dsl::compile(&dsl::ProjectFiles::from_texts(files)).catalog.unwrap();
        let plan = Arc::new(Plan::new(Arc::new(catalog), None).unwrap());
        Kernel::open(Box::new(SqliteStore::open(path).unwrap()), plan, Options::default(), 1).unwrap()
    }

    /// A store in which somebody with one mail is to be erased.
    fn prepare(path: &Path) {
        let mut store = SqliteStore::open(path).unwrap();
        store.begin().unwrap();
        let contact = store.insert_contact(&Contact::new("ada"), 1).unwrap();
        let workflow = store.workflow_id("welcome").unwrap();
        let message = Message {
            id: MessageId(0),
            run: RunId(7),
            contact,
            workflow,
            definition: DefinitionId(1),
            step: "hello".to_owned(),
            visit: 1,
            template: "hello".to_owned(),
            channel: "email".to_owned(),
            topic: None,
            marketing: true,
            status: MessageStatus::Sent,
            to: None,
            subject: None,
            attempts: 0,
            error: None,
            created_at: 1,
            due: 1,
            taken_at: None,
            at: 1,
            capped_at: None,
        };
        let id = store.insert_message(&message).unwrap();
        store.update_message(&Message { id, attempts: 1, ..message }).unwrap();
        store.push_inbox(&InboxItem::Erase(contact), 1).unwrap();
        store.commit().unwrap();
    }

    #[test]
    fn mails_of_the_erased_are_named_until_the_channels_were_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.db");
        prepare(&path);
        let named = |kernel: &mut Kernel| kernel.turn(2, &[]).unwrap().erased;
        let mut kernel = open(&path);
        let first = named(&mut kernel);
        assert!(first.len() == 1 && first[0].starts_with("7.1.hello."), "{first:?}");
        // The runner dies before it has told anybody; the next one does, and then it is over.
        drop(kernel);
        let mut kernel = open(&path);
        assert_eq!(named(&mut kernel), first);
        assert_eq!(named(&mut kernel), [] as [&str; 0]);
        drop(kernel);
        assert_eq!(named(&mut open(&path)), [] as [&str; 0]);
    }
}
