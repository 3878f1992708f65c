//! The plans that tests run by: the project's own, and those in which something is so because a test says so.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use dsl::model::journey::{Journey, Suite};
use dsl::model::{Catalog, CatalogEntry, Condition, ContentHash, Status};

use super::JourneyError;
use crate::ingest::Expected;
use crate::kernel::Plan;

/// The project compiled once, and its altered forms as tests ask for them.
pub struct Plans {
    plan: Arc<Plan>,
    pub(super) expected: Expected,
    altered: Mutex<BTreeMap<Altered, Arc<Plan>>>,
}

/// What is other than in the project.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Altered {
    /// This workflow is live, whatever it says.
    live: Option<String>,
    /// These segments are lists, whatever their conditions.
    lists: BTreeSet<String>,
}

impl Plans {
    /// # Errors
    /// When a template does not compile.
    pub fn new(catalog: Arc<Catalog>) -> Result<Plans, JourneyError> {
        let expected = Expected::of(&catalog);
        Ok(Plans { plan: Arc::new(Plan::new(catalog, None)?), expected, altered: Mutex::default() })
    }

    pub fn catalog(&self) -> &Catalog {
        &self.plan.catalog
    }

    /// The plan for this test, and what data is held against.
    ///
    /// # Errors
    /// When a template does not compile.
    pub(super) fn of(&self, suite: &Suite, journey: &Journey) -> Result<(Arc<Plan>, &Expected), JourneyError> {
        let catalog = &self.plan.catalog;
        let status = catalog.workflows.get(&suite.workflow).map(|entry| entry.definition.workflow.status);
        let dynamic = |name: &&String| catalog.segments.get(*name).is_some_and(|it| !matches!(it, Condition::Listed(_)));
        let altered = Altered {
            live: status.filter(|status| *status != Status::Live).map(|_| suite.workflow.clone()),
            lists: journey.given.segments.iter().filter(dynamic).cloned().collect(),
        };
        if altered.live.is_none() && altered.lists.is_empty() {
            return Ok((self.plan.clone(), &self.expected));
        }
        let mut known = self.altered.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(plan) = known.get(&altered) {
            return Ok((plan.clone(), &self.expected));
        }
        let plan = Arc::new(Plan::new(Arc::new(altered.catalog(catalog)?), Some(&self.plan))?);
        known.insert(altered, plan.clone());
        Ok((plan, &self.expected))
    }
}

impl Altered {
    fn catalog(&self, catalog: &Catalog) -> Result<Catalog, JourneyError> {
        let mut altered = catalog.clone();
        for (name, entry) in &mut altered.workflows {
            let goes_live = self.live.as_ref() == Some(name);
            if goes_live || self.lists.iter().any(|list| entry.definition.segments.contains_key(list)) {
                *entry = self.entry(entry, goes_live)?;
            }
        }
        for list in &self.lists {
            altered.segments.insert(list.clone(), Condition::Listed(list.clone()));
        }
        Ok(altered)
    }

    fn entry(&self, entry: &CatalogEntry, goes_live: bool) -> Result<CatalogEntry, JourneyError> {
        let mut definition = (*entry.definition).clone();
        if goes_live {
            definition.workflow.status = Status::Live;
        }
        for list in &self.lists {
            if let Some(condition) = definition.segments.get_mut(list) {
                *condition = Condition::Listed(list.clone());
            }
        }
        let canonical = definition.canonical().map_err(|error| JourneyError::Given(error.to_string()))?;
        Ok(CatalogEntry {
            hash: ContentHash::of(&canonical),
            canonical: canonical.into(),
            definition: Arc::new(definition),
            ..entry.clone()
        })
    }
}
