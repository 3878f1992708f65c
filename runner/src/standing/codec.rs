//! A standing as bytes: a few for each trait and segment, since there is one for every contact.

use super::Standing;
use super::record::{Kept, Place};

/// The form of what follows; another form gets another number.
const FORM: u8 = 1;

const NOTHING: u8 = 0;
const SINCE: u8 = 1;
const NUMBERS: u8 = 2;
const OLDEST: u8 = 3;
const EDGE: u8 = 4;
/// Added to one of the above: a time of recheck follows.
const RECHECK: u8 = 0x80;
/// Added to one of the above: an event's id follows.
const UPTO: u8 = 0x40;

impl Standing {
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(8 * self.places.len());
        bytes.push(FORM);
        for place in &self.places {
            let more = if place.recheck.is_some() { RECHECK } else { 0 } | if place.upto != 0 { UPTO } else { 0 };
            match place.kept {
                Kept::Nothing => bytes.push(NOTHING | more),
                Kept::Since(since) => {
                    bytes.push(SINCE | more);
                    put(&mut bytes, since);
                }
                Kept::Numbers { count, sum, lost, oldest } => {
                    bytes.push(NUMBERS | more);
                    put(&mut bytes, count as i64);
                    bytes.extend(sum.to_le_bytes());
                    bytes.extend(lost.to_le_bytes());
                    put(&mut bytes, oldest);
                }
                Kept::Oldest(oldest) => {
                    bytes.push(OLDEST | more);
                    put(&mut bytes, oldest);
                }
                Kept::Edge { at, id } => {
                    bytes.push(EDGE | more);
                    put(&mut bytes, at);
                    put(&mut bytes, id);
                }
            }
            if let Some(recheck) = place.recheck {
                put(&mut bytes, recheck);
            }
            if place.upto != 0 {
                put(&mut bytes, place.upto);
            }
        }
        bytes
    }

    /// `None`: not what [`Standing::to_bytes`] gave.
    pub fn from_bytes(bytes: &[u8]) -> Option<Standing> {
        let mut rest = bytes;
        if take(&mut rest, 1)? != [FORM] {
            return None;
        }
        let mut places = Vec::new();
        while let Some((tag, after)) = rest.split_first() {
            rest = after;
            let kept = match tag & !RECHECK & !UPTO {
                NOTHING => Kept::Nothing,
                SINCE => Kept::Since(get(&mut rest)?),
                NUMBERS => Kept::Numbers {
                    count: get(&mut rest)? as u64,
                    sum: float(&mut rest)?,
                    lost: float(&mut rest)?,
                    oldest: get(&mut rest)?,
                },
                OLDEST => Kept::Oldest(get(&mut rest)?),
                EDGE => Kept::Edge { at: get(&mut rest)?, id: get(&mut rest)? },
                _ => return None,
            };
            let recheck = if tag & RECHECK == 0 { None } else { Some(get(&mut rest)?) };
            let upto = if tag & UPTO == 0 { 0 } else { get(&mut rest)? };
            places.push(Place { kept, recheck, upto });
        }
        Some(Standing { places })
    }
}

/// Seven bits a byte, the sign in the lowest bit: small numbers take few bytes.
fn put(bytes: &mut Vec<u8>, number: i64) {
    let mut rest = (number << 1 ^ number >> 63) as u64;
    while rest >= 0x80 {
        bytes.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    bytes.push(rest as u8);
}

fn get(rest: &mut &[u8]) -> Option<i64> {
    let mut number = 0u64;
    for shift in (0..64).step_by(7) {
        let (byte, after) = rest.split_first()?;
        *rest = after;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some((number >> 1) as i64 ^ -((number & 1) as i64));
        }
    }
    None
}

fn float(rest: &mut &[u8]) -> Option<f64> {
    Some(f64::from_le_bytes(take(rest, 8)?.try_into().ok()?))
}

fn take<'a>(rest: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (taken, after) = rest.split_at_checked(length)?;
    *rest = after;
    Some(taken)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn place() -> impl Strategy<Value = Place> {
        let number = prop_oneof![any::<i64>(), 0..2_000_000_000_000i64];
        let sum = -1e300..1e300f64;
        let kept = prop_oneof![
            Just(Kept::Nothing),
            number.clone().prop_map(Kept::Since),
            (0..1u64 << 62, sum.clone(), sum, number.clone()).prop_map(|(count, sum, lost, oldest)| Kept::Numbers {
                count,
                sum,
                lost,
                oldest
            }),
            number.clone().prop_map(Kept::Oldest),
            (number.clone(), number.clone()).prop_map(|(at, id)| Kept::Edge { at, id }),
        ];
        (kept, proptest::option::of(number.clone()), number).prop_map(|(kept, recheck, upto)| Place { kept, recheck, upto })
    }

    proptest! {
        #[test]
        fn comes_back_as_it_was(places in proptest::collection::vec(place(), 0..20)) {
            let standing = Standing { places };
            prop_assert_eq!(Standing::from_bytes(&standing.to_bytes()), Some(standing));
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            let _ = Standing::from_bytes(&bytes);
        }
    }
}
