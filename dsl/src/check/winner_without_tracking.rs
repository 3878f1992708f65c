//! Warns of experiments that are decided by opens or clicks which nobody tracks.
//!
//! # What it does
//! Looks for `winner: { metric: opened }` and `clicked` where neither the project's `tracking` nor that of any topic is on.
//!
//! # Why is this bad
//! Without tracking, opens and clicks are only known when a mail provider reports them from outside. Otherwise the experiment is never
//! decided.
//!
//! # Example
//! ```yaml
//! steps:
//!   - experiment: subject
//!     variants:
//!       question: { weight: 50, steps: [{ send: question }] }
//!       plain: { weight: 50, steps: [{ send: plain }] }
//!     winner: { metric: clicked, after: 1000 }
//! ```
//!
//! # Use instead
//! In campaignd.yaml:
//! ```yaml
//! tracking: { clicks: true }
//! ```

use super::{Project, Report};
use crate::model::{Metric, Tracking};

pub(super) fn check(project: &Project<'_>, report: &mut Report<'_>) {
    let Some(settings) = project.settings else { return };
    let tracked = |of: fn(&Tracking) -> bool| of(&settings.tracking) || settings.topics.values().any(|topic| of(&topic.tracking));
    for winner in project.workflows().flat_map(|workflow| &workflow.notes.winners) {
        let (tracked, message) = match winner.metric {
            Metric::Opened => {
                (tracked(|tracking| tracking.opens), "opens are not tracked: unless they are reported from outside, nobody wins")
            }
            Metric::Clicked => (
                tracked(|tracking| tracking.clicks),
                "clicks are not tracked: unless they are reported from outside, nobody wins",
            ),
            Metric::Goal => continue,
        };
        if !tracked {
            let help = "turn `tracking` on in campaignd.yaml, for all or for a topic, or decide by `goal`";
            report.warning("winner-without-tracking", &winner.at, message, help);
        }
    }
}
