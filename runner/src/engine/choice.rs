//! Choices that look random and are stable: hashes of names and ids that never change.

use sha2::{Digest, Sha256};

/// A fraction in [0, 1) that depends on the parts only, spread evenly over different parts.
pub fn stable_fraction(parts: &[&str]) -> f64 {
    let mut hash = Sha256::new();
    for part in parts {
        // A length before each part: ("ab", "c") and ("a", "bc") differ.
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part.as_bytes());
    }
    let digest = hash.finalize();
    let mut high = [0u8; 8];
    high.copy_from_slice(&digest[..8]);
    // 53 bits are what a double holds exactly.
    (u64::from_le_bytes(high) >> 11) as f64 / (1u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spread_evenly_and_stable() {
        let mut buckets = [0u32; 10];
        for contact in 0..10_000 {
            let fraction = stable_fraction(&["experiment", &contact.to_string()]);
            assert!((0.0..1.0).contains(&fraction));
            assert_eq!(fraction, stable_fraction(&["experiment", &contact.to_string()]));
            buckets[(fraction * 10.0) as usize] += 1;
        }
        assert!(buckets.iter().all(|count| (850..1150).contains(count)), "{buckets:?}");
    }

    #[test]
    fn parts_do_not_run_together() {
        assert_ne!(stable_fraction(&["ab", "c"]), stable_fraction(&["a", "bc"]));
    }
}
