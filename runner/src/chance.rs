//! Chance that repeats itself: the same seed gives the same people, and they do the same things.

/// Steele, Lea and Flood's SplitMix64 (OOPSLA 2014): one addition and three mixing steps a number.
#[derive(Debug, Clone)]
pub struct Chance(u64);

impl Chance {
    pub fn new(seed: u64) -> Chance {
        Chance(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A stream of its own for each purpose: what is drawn from one changes nothing about another.
    pub fn of(seed: u64, purpose: u64) -> Chance {
        let mixed = Chance(seed).next();
        Chance(Chance(mixed ^ purpose).next())
    }

    /// A number that names one thing that happened: the seed of what follows from it.
    pub fn number(&mut self) -> u64 {
        self.next()
    }

    /// In [0, 1).
    pub fn fraction(&mut self) -> f64 {
        // 53 bits are what a double holds exactly.
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// True in this share of cases.
    pub fn happens(&mut self, share: f64) -> bool {
        self.fraction() < share
    }

    /// Normally distributed, with mean 0 and standard deviation 1 (Box and Muller, 1958).
    pub fn normal(&mut self) -> f64 {
        // Never the logarithm of 0.
        let radius = (-2.0 * (1.0 - self.fraction()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.fraction()).cos()
    }

    /// Exponentially distributed, with mean 1.
    pub fn exponential(&mut self) -> f64 {
        -(1.0 - self.fraction()).ln()
    }

    /// From `low` (included) to `high` (not included); `low` where there is nothing between.
    pub fn between(&mut self, low: i64, high: i64) -> i64 {
        low + (self.fraction() * (high - low).max(0) as f64) as i64
    }

    /// One of them, `None` of none.
    pub fn pick<'a, T>(&mut self, of: &'a [T]) -> Option<&'a T> {
        of.get(self.between(0, of.len() as i64) as usize)
    }

    /// One of them, in proportion to its weight.
    pub fn weighted<'a, T>(&mut self, of: &'a [T], weight: impl Fn(&T) -> f64) -> Option<&'a T> {
        let mut left = self.fraction() * of.iter().map(&weight).sum::<f64>();
        of.iter().find(|one| {
            left -= weight(one);
            left < 0.0
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_numbers_are_those_of_the_published_generator() {
        let mut chance = Chance::new(1_234_567);
        let numbers: Vec<u64> = (0..3).map(|_| chance.next()).collect();
        assert_eq!(numbers, [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]);
    }

    #[test]
    fn shares_come_out_about_right() {
        let mut chance = Chance::new(7);
        let heads = (0..10_000).filter(|_| chance.happens(0.3)).count();
        assert!((2_800..3_200).contains(&heads), "{heads}");
        let weights = [("rare", 1.0), ("often", 9.0)];
        let rare = (0..10_000).filter(|_| chance.weighted(&weights, |one| one.1).is_some_and(|one| one.0 == "rare")).count();
        assert!((850..1_150).contains(&rare), "{rare}");
        assert!((0..1_000).all(|_| (3..9).contains(&chance.between(3, 9))));
        assert_eq!(chance.pick::<u8>(&[]), None);
    }

    #[test]
    fn numbers_are_spread_as_they_should_be() {
        let mut chance = Chance::new(11);
        let normal: Vec<f64> = (0..10_000).map(|_| chance.normal()).collect();
        let share = |within: f64| normal.iter().filter(|number| number.abs() < within).count();
        assert!((6_600..7_050).contains(&share(1.0)), "{}", share(1.0));
        assert!((9_450..9_650).contains(&share(2.0)), "{}", share(2.0));
        let waits: Vec<f64> = (0..10_000).map(|_| chance.exponential()).collect();
        let mean = waits.iter().sum::<f64>() / 10_000.0;
        assert!((0.95..1.05).contains(&mean) && waits.iter().all(|wait| *wait >= 0.0), "{mean}");
    }

    #[test]
    fn each_purpose_has_its_own_stream() {
        let first = |seed, purpose| Chance::of(seed, purpose).number();
        let all = [first(1, 1), first(1, 2), first(2, 1), first(0, 0), Chance::new(1).number()];
        assert!(all.iter().enumerate().all(|(index, one)| !all[..index].contains(one)), "{all:?}");
        assert_eq!(first(1, 2), first(1, 2));
    }
}
