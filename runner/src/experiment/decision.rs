//! When a variant has won. Whoever looks at an experiment again and again will see a difference sooner or later where there is none; so it
//! is looked at only now and then, and the looks share the error that is allowed.
//!
//! When to look is told by how many contacts have done it, over all variants that can win: the first time when there are a few, then each time
//! there are a quarter more. That does not ask which variant they had, so under no difference the time of a look says nothing about what is
//! seen at it, and each look's test keeps its own level. All looks together spend no more than the error allowed (Bonferroni's inequality),
//! in the portions of a spending function (Lan and DeMets 1983): did ÷ (did + scale).
//!
//! The best of more than two variants must beat every other, each at the look's level: as all these tests must come out, no more of them makes an
//! error likelier (Berger's intersection-union test, 1982).

use super::{Method, Share, compare};

/// How an experiment is to be decided.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Plan {
    /// Contacts in all variants, before the first look.
    pub after: u64,
    /// Above 0.5 and below 1.
    pub confidence: f64,
}

/// The looks taken so far.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Looks {
    pub taken: u32,
    /// How many contacts had done it at the latest of them.
    pub did: u64,
    /// Which share of the allowed error they have spent.
    pub spent: f64,
}

/// What was seen at a look.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Look {
    /// This one among them.
    pub looks: Looks,
    /// The variant that did best, and better than every other by more than chance.
    pub winner: Option<usize>,
    /// The largest p of the best variant against another, and how it was found.
    pub p: f64,
    pub method: Method,
    /// Below this p it wins.
    pub needed: f64,
}

/// Fewer say nothing, however they fall.
const FIRST: u64 = 4;

/// When half of the allowed error is spent: where 5% of `after` contacts have done it, and not before so many.
fn scale(plan: &Plan) -> f64 {
    const LEAST: f64 = 10.0;
    (plan.after as f64 / 20.0).max(LEAST)
}

/// How many contacts must have done it for the next look. Fewer looks would see too late what is there; more would each have too little to spend.
pub fn next_look(before: Looks) -> u64 {
    if before.taken == 0 { FIRST } else { before.did + before.did.div_ceil(4) }
}

/// Looks, if it is time to: `assigned` contacts are in all variants, `variants` are those that can win. `None`: not yet.
pub fn look(plan: &Plan, assigned: u64, variants: &[Share], before: Looks) -> Option<Look> {
    let did: u64 = variants.iter().map(|variant| variant.did).sum();
    if assigned < plan.after || variants.len() < 2 || did < next_look(before) {
        return None;
    }
    // What was spent under other settings stays spent.
    let spent = (did as f64 / (did as f64 + scale(plan))).max(before.spent);
    let needed = (1.0 - plan.confidence) * (spent - before.spent);
    let (best, _) = variants.iter().enumerate().max_by(|a, b| a.1.rate().total_cmp(&b.1.rate()))?;
    let others = variants.iter().enumerate().filter(|(index, _)| *index != best);
    let worst = others.map(|(_, other)| compare(variants[best], *other)).max_by(|a, b| a.p.total_cmp(&b.p))?;
    Some(Look {
        looks: Looks { taken: before.taken + 1, did, spent },
        winner: (worst.p < needed).then_some(best),
        p: worst.p,
        method: worst.method,
        needed,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shares(of: &[(u64, u64)]) -> Vec<Share> {
        of.iter().map(|(did, of)| Share { did: *did, of: *of }).collect()
    }

    #[track_caller]
    fn check(after: u64, variants: &[(u64, u64)], before: Looks, expected: Option<Option<usize>>) {
        let variants = shares(variants);
        let assigned = variants.iter().map(|variant| variant.of).sum();
        let found = look(&Plan { after, confidence: 0.95 }, assigned, &variants, before);
        assert_eq!(found.map(|look| look.winner), expected, "{found:?}");
    }

    #[test]
    fn looks_when_there_is_enough_to_see() {
        let none = Looks::default();
        check(1000, &[(400, 499), (100, 500)], none, None);
        check(1000, &[(400, 500), (100, 500)], none, Some(Some(0)));
        check(1000, &[(100, 500), (400, 500)], none, Some(Some(1)));
        check(1000, &[(100, 500), (104, 500)], none, Some(None));
        check(1000, &[(0, 500), (0, 500)], none, None);
        check(1000, &[(500, 500), (500, 500)], none, Some(None));
        check(1000, &[(1, 500), (1, 500)], none, None);
        check(1000, &[(400, 1000)], none, None);
        check(10, &[(5, 5), (0, 5)], none, Some(Some(0)));
        check(10, &[(3, 5), (0, 5)], none, None);
        // The best must beat each of the others.
        check(1000, &[(300, 500), (100, 500), (298, 500)], none, Some(None));
        check(1000, &[(300, 500), (100, 500), (200, 500)], none, Some(Some(0)));
        // A quarter more.
        let before = look(&Plan { after: 1000, confidence: 0.95 }, 1000, &shares(&[(100, 500), (104, 500)]), none).unwrap();
        check(1000, &[(100, 600), (154, 600)], before.looks, None);
        check(1000, &[(100, 600), (155, 600)], before.looks, Some(Some(1)));
    }

    /// However many looks: what they may spend adds up to less than what is allowed.
    #[test]
    fn looks_share_the_error() {
        let plan = Plan { after: 100, confidence: 0.9 };
        let mut looks = Looks::default();
        let mut allowed = 0.0;
        for of in (50..).step_by(10).take(20_000) {
            let Some(look) = look(&plan, of * 2, &shares(&[(of / 3, of), (of / 3, of)]), looks) else { continue };
            assert!(look.looks.taken == looks.taken + 1 && look.looks.spent > looks.spent && look.winner.is_none(), "{look:?}");
            looks = look.looks;
            allowed += look.needed;
        }
        assert!(looks.taken > 25 && allowed > 0.0999 && allowed <= 0.1, "{allowed} {looks:?}");
    }
}
