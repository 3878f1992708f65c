//! Whether two shares differ by more than chance: the two-sided test of two proportions.

use super::Share;
use super::normal::two_sided;

/// How two shares were compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// The z-test with the pooled variance.
    ZTest,
    /// Fisher's exact test.
    FisherExact,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Comparison {
    pub method: Method,
    /// How likely a difference like this one, or a larger one, is by chance alone, on either side.
    pub p: f64,
}

/// Below so many expected successes or failures in either share the normal curve is no good picture of them (Cochran 1954).
const EXPECTED: f64 = 5.0;

/// The z-test where it holds, Fisher's exact test where the numbers are too small for it.
pub fn compare(one: Share, other: Share) -> Comparison {
    let all = one.with(other);
    if one.of == 0 || other.of == 0 || all.did == 0 || all.did_not() == 0 {
        return Comparison { method: Method::FisherExact, p: 1.0 };
    }
    let pooled = all.rate();
    let smaller = one.of.min(other.of) as f64;
    if smaller * pooled.min(1.0 - pooled) < EXPECTED {
        return Comparison { method: Method::FisherExact, p: fisher(one, other) };
    }
    let variance = pooled * (1.0 - pooled) * (1.0 / one.of as f64 + 1.0 / other.of as f64);
    Comparison { method: Method::ZTest, p: two_sided((one.rate() - other.rate()) / variance.sqrt()) }
}

/// Of all ways in which so many successes can fall on the two shares, the chance of those that are as unlikely as this one or more so.
fn fisher(one: Share, other: Share) -> f64 {
    let all = one.with(other);
    let (first, last) = (all.did.saturating_sub(other.of), all.did.min(one.of));
    // The chance of `did + 1` successes in the first share, relative to that of `did`.
    let step = |did: u64| {
        let up = (all.did - did) as f64 * (one.of - did) as f64;
        up / ((did + 1) as f64 * (other.of + did + 1 - all.did) as f64)
    };
    // Relative to the likeliest, so that nothing overflows and what underflows does not matter.
    let likeliest = (((all.did + 1) as f64 * (one.of + 1) as f64 / (all.of + 2) as f64) as u64).clamp(first, last);
    let mut chances = vec![1.0; (last - first + 1) as usize];
    for did in likeliest..last {
        chances[(did + 1 - first) as usize] = chances[(did - first) as usize] * step(did);
    }
    for did in (first..likeliest).rev() {
        chances[(did - first) as usize] = chances[(did + 1 - first) as usize] / step(did);
    }
    // As likely but for rounding counts as likely.
    let bound = chances[(one.did - first) as usize] * (1.0 + 1e-7);
    let rare: f64 = chances.iter().filter(|chance| **chance <= bound).sum();
    (rare / chances.iter().sum::<f64>()).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(one: (u64, u64), other: (u64, u64), method: Method, expected: f64) {
        let share = |(did, of)| Share { did, of };
        for (one, other) in [(one, other), (other, one)] {
            let found = compare(share(one), share(other));
            assert_eq!(found.method, method);
            assert!((found.p / expected - 1.0).abs() < 1e-9, "{} instead of {expected}", found.p);
        }
    }

    /// Expected: statsmodels 0.15.0, `proportions_ztest`.
    #[test]
    fn z_test_as_statsmodels_has_it() {
        check((45, 500), (60, 500), Method::ZTest, 0.121_781_848_425_856_72);
        check((100, 1000), (130, 1000), Method::ZTest, 0.035_488_450_466_474_71);
        check((5, 40), (20, 40), Method::ZTest, 0.000_296_732_311_293_140_53);
        check((333, 1000), (350, 1010), Method::ZTest, 0.521_808_376_721_636_6);
        check((12, 200), (0, 200), Method::ZTest, 0.000_436_022_694_391_734_9);
        check((480, 500), (470, 500), Method::ZTest, 0.146_793_087_308_570_77);
    }

    /// Expected: SciPy 1.17.1, `fisher_exact`.
    #[test]
    fn small_numbers_as_scipy_has_them() {
        check((5, 5), (0, 5), Method::FisherExact, 0.007_936_507_936_507_938);
        check((9, 10), (20, 30), Method::FisherExact, 0.232_766_828_798_238);
        check((0, 50), (4, 60), Method::FisherExact, 0.124_356_832_493_675_52);
        check((1, 2), (1, 2), Method::FisherExact, 1.0);
        check((2, 3), (0, 0), Method::FisherExact, 1.0);
        check((0, 30), (0, 20), Method::FisherExact, 1.0);
        check((30, 30), (20, 20), Method::FisherExact, 1.0);
        for (one, other, expected) in [
            ((3, 10), (7, 10), 0.178_895_407_997_575_2),
            ((2, 1000), (10, 990), 0.021_480_440_195_022_637),
            ((298, 300), (290, 300), 0.036_705_550_019_203_34),
        ] {
            let share = |(did, of)| Share { did, of };
            let found = fisher(share(one), share(other));
            assert!((found / expected - 1.0f64).abs() < 1e-9, "{found} instead of {expected}");
        }
    }
}
