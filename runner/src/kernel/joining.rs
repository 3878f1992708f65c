//! Contacts that turn out to be one person: an anonymous id is identified, or two ids are said to be one person's.

use super::Kernel;
use crate::ingest::{Alias, Identification};
use crate::store::Result;

impl Kernel {
    pub(super) fn identify(&mut self, who: &Identification) -> Result<()> {
        self.take_contact(&who.contact)
    }

    pub(super) fn alias(&mut self, _alias: &Alias) -> Result<()> {
        Ok(())
    }
}
