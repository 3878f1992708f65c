//! How sure a figure is: 95% intervals of a share, of a difference and of a ratio of two.

use super::Share;
use super::normal::Z_95;

/// The true figure lies in it with 95% confidence.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct Interval {
    pub low: f64,
    pub high: f64,
}

/// Wilson's score interval of a share, without a correction for continuity (Wilson 1927). Of nobody: from 0 to 1.
pub fn rate(share: Share) -> Interval {
    if share.of == 0 {
        return Interval { low: 0.0, high: 1.0 };
    }
    let (rate, of, z2) = (share.rate(), share.of as f64, Z_95 * Z_95);
    let middle = (rate + z2 / (2.0 * of)) / (1.0 + z2 / of);
    let half = Z_95 * (rate * (1.0 - rate) / of + z2 / (4.0 * of * of)).sqrt() / (1.0 + z2 / of);
    // Exactly, and not but for rounding, where nobody did it, or everybody.
    Interval {
        low: if share.did == 0 { 0.0 } else { middle - half },
        high: if share.did == share.of { 1.0 } else { middle + half },
    }
}

/// Newcombe's hybrid score interval of `one − other` (Newcombe 1998, method 10). `None` while one of them is of nobody.
pub fn difference(one: Share, other: Share) -> Option<Interval> {
    if one.of == 0 || other.of == 0 {
        return None;
    }
    let (a, b) = (rate(one), rate(other));
    let between = one.rate() - other.rate();
    let low = (one.rate() - a.low).hypot(b.high - other.rate());
    let high = (a.high - one.rate()).hypot(other.rate() - b.low);
    Some(Interval { low: between - low, high: between + high })
}

/// The interval of `one ÷ other` by the normal curve of its logarithm (Katz and others 1978). `None` where a share is 0, or of nobody.
pub fn ratio(one: Share, other: Share) -> Option<Interval> {
    if one.did == 0 || other.did == 0 {
        return None;
    }
    let part = |share: Share| 1.0 / share.did as f64 - 1.0 / share.of as f64;
    let half = Z_95 * (part(one) + part(other)).sqrt();
    let ratio = one.rate() / other.rate();
    Some(Interval { low: ratio * (-half).exp(), high: ratio * half.exp() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(found: Option<Interval>, low: f64, high: f64) {
        let found = found.unwrap();
        let near = |found: f64, expected: f64| (found - expected).abs() < 1e-12;
        assert!(near(found.low, low) && near(found.high, high), "{found:?} instead of {low} to {high}");
    }

    fn share(did: u64, of: u64) -> Share {
        Share { did, of }
    }

    /// Expected: statsmodels 0.15.0, `proportion_confint(method="wilson")`.
    #[test]
    fn rates_as_statsmodels_has_them() {
        check(Some(rate(share(0, 10))), 0.0, 0.277_532_799_862_889_26);
        check(Some(rate(share(10, 10))), 0.722_467_200_137_110_6, 1.0);
        check(Some(rate(share(45, 500))), 0.067_942_547_889_139_39, 0.118_309_411_289_333_45);
        check(Some(rate(share(1, 1))), 0.206_549_314_377_237_4, 1.0);
        check(Some(rate(share(333, 1000))), 0.304_477_903_348_356_2, 0.362_800_233_985_819_2);
        check(Some(rate(share(0, 0))), 0.0, 1.0);
    }

    /// Expected: statsmodels 0.15.0, `confint_proportions_2indep(method="newcomb", compare="diff")`; the first is also Newcombe's own example.
    #[test]
    fn differences_as_statsmodels_has_them() {
        check(difference(share(56, 70), share(48, 80)), 0.052_431_472_402_364_98, 0.333_872_654_036_906_14);
        check(difference(share(9, 10), share(3, 10)), 0.170_522_723_934_502_9, 0.809_017_973_535_488);
        check(difference(share(10, 10), share(0, 20)), 0.679_086_037_141_914_5, 1.0);
        check(difference(share(0, 10), share(0, 20)), -0.161_125_158_052_819_4, 0.277_532_799_862_889_26);
        check(difference(share(130, 1000), share(100, 1000)), 0.002_002_348_715_283_007_5, 0.058_070_485_022_202_85);
        assert_eq!(difference(share(0, 0), share(1, 2)), None);
    }

    /// Expected: statsmodels 0.15.0, `confint_proportions_2indep(method="log", compare="ratio")`.
    #[test]
    fn ratios_as_statsmodels_has_them() {
        check(ratio(share(56, 70), share(48, 80)), 1.076_626_422_763_192_8, 1.651_248_511_266_387_3);
        check(ratio(share(9, 10), share(3, 10)), 1.138_350_357_447_669_9, 7.906_177_514_784_793);
        check(ratio(share(130, 1000), share(100, 1000)), 1.016_984_270_971_045_5, 1.661_775_947_022_602_3);
        assert_eq!(ratio(share(0, 10), share(5, 10)), None);
    }
}
