//! The normal distribution's tails.

use std::f64::consts::{FRAC_2_SQRT_PI, PI, SQRT_2};

/// Between them lie 95% of a standard normal variable.
pub const Z_95: f64 = 1.959_963_984_540_054;

/// The chance that a standard normal variable is as far from 0 as `z`, or further, on either side.
pub fn two_sided(z: f64) -> f64 {
    let x = z.abs() / SQRT_2;
    if x < 2.0 { 1.0 - inner(x) } else { outer(x) }
}

/// The error function by its series (Abramowitz and Stegun 7.1.6), which has no cancelling terms.
fn inner(x: f64) -> f64 {
    let mut term = x;
    let mut sum = x;
    let mut odd = 1.0;
    while term > sum * f64::EPSILON {
        odd += 2.0;
        term *= 2.0 * x * x / odd;
        sum += term;
    }
    FRAC_2_SQRT_PI * (-x * x).exp() * sum
}

/// Its complement by the continued fraction (Abramowitz and Stegun 7.1.14), from its tail forwards; 60 steps are enough from x = 2 on.
fn outer(x: f64) -> f64 {
    const STEPS: u32 = 60;
    let tail = (1..=STEPS).rev().fold(x, |below, step| x + f64::from(step) / 2.0 / below);
    (-x * x).exp() / (tail * PI.sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Expected: SciPy 1.17.1, `2 * scipy.stats.norm.sf(z)`.
    #[test]
    fn as_scipy_has_it() {
        let check = |z: f64, expected: f64| {
            for z in [z, -z] {
                let found = two_sided(z);
                assert!((found / expected - 1.0).abs() < 1e-12, "{z}: {found} instead of {expected}");
            }
        };
        check(0.5, 0.617_075_077_451_973_8);
        check(1.0, 0.317_310_507_862_914_15);
        check(Z_95, 0.05);
        check(2.5, 0.012_419_330_651_552_265);
        check(3.0, 0.002_699_796_063_260_186_6);
        check(5.0, 5.733_031_437_583_866e-7);
        check(8.0, 1.244_192_114_854_348e-15);
        check(12.0, 3.552_964_224_155_306e-33);
        check(30.0, 9.813_427_854_295_816e-198);
        assert_eq!(two_sided(0.0), 1.0);
        assert_eq!(two_sided(f64::INFINITY), 0.0);
    }

    /// The two ways meet.
    #[test]
    fn one_curve() {
        let seam = 2.0 * SQRT_2;
        let (before, after) = (two_sided(seam - 1e-9), two_sided(seam + 1e-9));
        assert!(before > after && before / after - 1.0 < 1e-8, "{before} {after}");
    }
}
