//! Chance that repeats itself: the same seed gives the same people and the same month.

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

    /// In [0, 1).
    pub fn fraction(&mut self) -> f64 {
        // 53 bits are what a double holds exactly.
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// True in this share of cases.
    pub fn happens(&mut self, share: f64) -> bool {
        self.fraction() < share
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
}
