//! Questions to the whole store: by generated ones, and those that are too large for one statement.

mod generated;
mod large;
mod plans;
mod world;

use dsl::model::{Settings, Topic};

/// With a topic whose name is anything but plain.
fn settings() -> Settings {
    let mut settings = crate::audience::tests::settings();
    settings.topics.insert("o\"d.d'".to_owned(), Topic { subscribed_by_default: true, ..Topic::default() });
    settings
}
