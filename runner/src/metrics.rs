//! The metrics that the runner shows to Prometheus.

use std::sync::atomic::AtomicU64;
use std::time::Duration;

use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use crate::daemon::Figures;
use crate::kernel::Tally;
use crate::state::MessageStatus;

/// Upper bounds in seconds: a commit on a fast disk up to a mail server's longest thought.
const BUCKETS: [f64; 14] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0];

type Seconds = Gauge<f64, AtomicU64>;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct MessageLabels {
    channel: String,
    status: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RunLabels {
    workflow: String,
    state: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct KindLabels {
    kind: &'static str,
}

/// Counters count from the start of the process.
pub struct Metrics {
    registry: Registry,
    steps: Counter,
    events: Counter,
    messages: Family<MessageLabels, Counter>,
    runs: Family<RunLabels, Gauge>,
    due_lag: Seconds,
    queue: Gauge,
    reload_success: Gauge,
    reload_timestamp: Seconds,
    send_duration: Histogram,
    commit_duration: Histogram,
    store_errors: Counter,
    contract_violations: Family<KindLabels, Counter>,
    not_tracked: Counter,
}

impl Default for Metrics {
    fn default() -> Metrics {
        let mut metrics = Metrics {
            registry: Registry::default(),
            steps: Counter::default(),
            events: Counter::default(),
            messages: Family::default(),
            runs: Family::default(),
            due_lag: Seconds::default(),
            queue: Gauge::default(),
            reload_success: Gauge::default(),
            reload_timestamp: Seconds::default(),
            send_duration: Histogram::new(BUCKETS),
            commit_duration: Histogram::new(BUCKETS),
            store_errors: Counter::default(),
            contract_violations: Family::default(),
            not_tracked: Counter::default(),
        };
        metrics.register();
        metrics
    }
}

impl Metrics {
    /// The client adds `_total` to the names of counters, and a full stop to the help.
    fn register(&mut self) {
        let r = &mut self.registry;
        r.register("campaignd_steps", "Steps begun by runs", self.steps.clone());
        r.register("campaignd_events", "Events stored", self.events.clone());
        r.register("campaignd_messages", "Messages that reached a final status", self.messages.clone());
        r.register("campaignd_runs", "Runs by workflow: active, completed, exited", self.runs.clone());
        r.register("campaignd_due_lag_seconds", "How late the work that has waited longest is", self.due_lag.clone());
        r.register("campaignd_dispatch_queue", "Messages queued", self.queue.clone());
        r.register("campaignd_reload_success", "Whether the files last seen are in force", self.reload_success.clone());
        r.register("campaignd_reload_timestamp_seconds", "When files were last put in force", self.reload_timestamp.clone());
        r.register("campaignd_send_duration_seconds", "How long a delivery took", self.send_duration.clone());
        let help = "How long a transaction took, from its beginning until it was durable";
        r.register("campaignd_commit_duration_seconds", help, self.commit_duration.clone());
        r.register("campaignd_store_errors", "Times the store could not be used", self.store_errors.clone());
        let help = "What came in over HTTP and breaks the data contract, whether it was let through or not";
        r.register("campaignd_contract_violations", help, self.contract_violations.clone());
        let help = "Opens and clicks that were not counted, because too much came in at once";
        r.register("campaignd_tracking_dropped", help, self.not_tracked.clone());
        for kind in ["contact", "event"] {
            drop(self.contract_violations.get_or_create(&KindLabels { kind }));
        }
    }

    /// Makes the series of these channels visible before anything happens to them.
    pub fn know_channels<'a>(&self, channels: impl IntoIterator<Item = &'a String>) {
        for channel in channels {
            for status in MessageStatus::ALL.into_iter().filter(|status| status.is_final()) {
                let labels = MessageLabels { channel: channel.clone(), status: status.word().to_owned() };
                drop(self.messages.get_or_create(&labels));
            }
        }
    }

    pub fn count(&self, done: &Tally) {
        self.steps.inc_by(done.steps);
        self.events.inc_by(done.events);
        for ((channel, status), number) in &done.messages {
            let labels = MessageLabels { channel: channel.clone(), status: status.word().to_owned() };
            self.messages.get_or_create(&labels).inc_by(*number);
        }
    }

    pub fn show(&self, figures: &Figures) {
        for (workflow, passages) in &figures.workflows {
            let exited = passages.exited.values().sum();
            for (state, number) in [("active", passages.active()), ("completed", passages.completed), ("exited", exited)] {
                let labels = RunLabels { workflow: workflow.clone(), state: state.to_owned() };
                self.runs.get_or_create(&labels).set(number);
            }
        }
        self.queue.set(figures.queued);
        self.due_lag.set(figures.lag_ms as f64 / 1000.0);
    }

    /// What was loaded is in force since `at` (ms since 1970 UTC).
    pub fn reloaded(&self, at: i64) {
        self.reload_success.set(1);
        self.reload_timestamp.set(at as f64 / 1000.0);
    }

    /// What was loaded is wrong, and what was in force before stays.
    pub fn reload_refused(&self) {
        self.reload_success.set(0);
    }

    pub fn turn_took(&self, took: Duration) {
        self.commit_duration.observe(took.as_secs_f64());
    }

    pub fn send_took(&self, took: Duration) {
        self.send_duration.observe(took.as_secs_f64());
    }

    pub fn store_failed(&self) {
        self.store_errors.inc();
    }

    /// So many contacts or events (`kind`) break the data contract.
    pub fn contract_broken(&self, kind: &'static str, number: u64) {
        self.contract_violations.get_or_create(&KindLabels { kind }).inc_by(number);
    }

    /// An open or a click was not counted.
    pub fn not_tracked(&self) {
        self.not_tracked.inc();
    }

    pub fn steps(&self) -> u64 {
        self.steps.get()
    }

    /// In the Prometheus text format 0.0.4.
    ///
    /// # Errors
    /// Never in practice: writing into a text does not fail.
    pub fn text(&self) -> Result<String, std::fmt::Error> {
        let mut open_metrics = String::new();
        text::encode(&mut open_metrics, &self.registry)?;
        Ok(plain(&open_metrics))
    }
}

/// OpenMetrics as the older text format, which all scrapers and tools read: there a counter's type stands under the name of its samples.
fn plain(open_metrics: &str) -> String {
    let mut text = String::with_capacity(open_metrics.len());
    let is_counter = |name: &str| open_metrics.contains(&format!("# TYPE {name} counter\n"));
    for line in open_metrics.lines().filter(|line| *line != "# EOF") {
        let mut words = line.splitn(4, ' ');
        match (words.next(), words.next(), words.next(), words.next()) {
            (Some("#"), Some(kind @ ("HELP" | "TYPE")), Some(name), Some(rest)) if is_counter(name) => {
                text.push_str(&format!("# {kind} {name}_total {rest}"));
            }
            _ => text.push_str(line),
        }
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::daemon::Passages;

    fn filled() -> String {
        let metrics = Metrics::default();
        let messages = [(("email".to_owned(), MessageStatus::Sent), 3)].into();
        metrics.know_channels([&"email".to_owned()]);
        metrics.count(&Tally { steps: 7, events: 2, messages });
        let passages = Passages { entered: 9, completed: 2, exited: [("goal".to_owned(), 3)].into() };
        metrics.show(&Figures { workflows: vec![("welcome".to_owned(), passages)], queued: 5, lag_ms: 1500 });
        metrics.reloaded(1_700_000_000_500);
        metrics.turn_took(Duration::from_millis(3));
        metrics.send_took(Duration::from_millis(30));
        metrics.contract_broken("event", 2);
        metrics.text().unwrap()
    }

    #[track_caller]
    fn check(line: &str) {
        let text = filled();
        assert!(text.lines().any(|shown| shown == line), "no line `{line}` in\n{text}");
    }

    #[test]
    fn shows_each_metric_under_its_name() {
        check("campaignd_steps_total 7");
        check("campaignd_events_total 2");
        check(r#"campaignd_messages_total{channel="email",status="sent"} 3"#);
        check(r#"campaignd_messages_total{channel="email",status="unknown"} 0"#);
        check(r#"campaignd_runs{workflow="welcome",state="active"} 4"#);
        check(r#"campaignd_runs{workflow="welcome",state="completed"} 2"#);
        check(r#"campaignd_runs{workflow="welcome",state="exited"} 3"#);
        check("campaignd_due_lag_seconds 1.5");
        check("campaignd_dispatch_queue 5");
        check(r#"campaignd_contract_violations_total{kind="contact"} 0"#);
        check(r#"campaignd_contract_violations_total{kind="event"} 2"#);
        check("campaignd_reload_success 1");
        check("campaignd_reload_timestamp_seconds 1700000000.5");
        check(r#"campaignd_send_duration_seconds_bucket{le="0.05"} 1"#);
        check(r#"campaignd_commit_duration_seconds_bucket{le="0.0025"} 0"#);
        check("campaignd_commit_duration_seconds_count 1");
        check("# TYPE campaignd_steps_total counter");
        check("# TYPE campaignd_due_lag_seconds gauge");
        check("# TYPE campaignd_commit_duration_seconds histogram");
    }

    #[test]
    fn has_no_end_mark_of_the_other_format() {
        assert!(!filled().contains("# EOF"));
    }
}
