//! Dates among values compared with now or with a written date, and the exact millisecond at which the answer turns.

use dsl::model::When;
use dsl::time::{Duration, parse_date};
use serde_json::Value;

use super::{Scope, Truth};

/// Strictly earlier than `when`.
pub(super) fn before(value: &Value, when: &When, scope: &Scope<'_>) -> Truth {
    let Some(at) = instant(value, scope) else {
        return Truth::fixed(false);
    };
    match offset(when, scope) {
        Reference::Written(limit) => Truth::fixed(at < limit),
        Reference::Moving(offset) => turns_true(at.checked_sub(offset).and_then(|edge| edge.checked_add(1)), scope),
        Reference::Unreadable => Truth::fixed(false),
    }
}

/// Strictly later than `when`.
pub(super) fn after(value: &Value, when: &When, scope: &Scope<'_>) -> Truth {
    let Some(at) = instant(value, scope) else {
        return Truth::fixed(false);
    };
    match offset(when, scope) {
        Reference::Written(limit) => Truth::fixed(at > limit),
        Reference::Moving(offset) => {
            let passed = turns_true(at.checked_sub(offset), scope);
            Truth { holds: !passed.holds, ..passed }
        }
        Reference::Unreadable => Truth::fixed(false),
    }
}

/// Now or earlier, at most `span` ago.
pub(super) fn within_last(value: &Value, span: Duration, scope: &Scope<'_>) -> Truth {
    let Some(at) = instant(value, scope) else {
        return Truth::fixed(false);
    };
    holds_from_to(at, at.saturating_add(span.millis()), scope)
}

/// Now or later, at most `span` ahead.
pub(super) fn within_next(value: &Value, span: Duration, scope: &Scope<'_>) -> Truth {
    let Some(at) = instant(value, scope) else {
        return Truth::fixed(false);
    };
    holds_from_to(at.saturating_sub(span.millis()), at, scope)
}

/// What a date is compared with: a fixed instant, or one that keeps its distance from now (both in ms).
enum Reference {
    Written(i64),
    Moving(i64),
    Unreadable,
}

fn offset(when: &When, scope: &Scope<'_>) -> Reference {
    match when {
        When::Now => Reference::Moving(0),
        When::Ago(span) => Reference::Moving(span.millis().saturating_neg()),
        When::Ahead(span) => Reference::Moving(span.millis()),
        When::Date(text) => match parse_date(text) {
            Some(date) => Reference::Written(date.instant(scope.zone)),
            None => Reference::Unreadable,
        },
    }
}

fn instant(value: &Value, scope: &Scope<'_>) -> Option<i64> {
    Some(parse_date(value.as_str()?)?.instant(scope.zone))
}

/// False before `edge`, true from then on; without an edge (beyond all time) never true.
fn turns_true(edge: Option<i64>, scope: &Scope<'_>) -> Truth {
    Truth { holds: edge.is_some_and(|edge| scope.now >= edge), recheck: edge.filter(|edge| *edge > scope.now) }
}

/// True from the one instant to the other, both included.
fn holds_from_to(from: i64, to: i64, scope: &Scope<'_>) -> Truth {
    let turns = [Some(from), to.checked_add(1)];
    Truth { holds: from <= scope.now && scope.now <= to, recheck: turns.into_iter().flatten().find(|turn| *turn > scope.now) }
}
