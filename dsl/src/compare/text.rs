//! Texts line by line: what goes and what comes.

use serde::{Deserialize, Serialize};

/// A line that one text has and the other has not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Line {
    Gone(String),
    New(String),
    /// So many more lines are others.
    More(usize),
}

/// So many lines of a difference are shown.
const SHOWN: usize = 16;
/// A longer line is cut: HTML may be written in one.
const LONGEST: usize = 200;
/// What is left of two texts when what they begin and end with alike is taken away is compared line by line only up to this many pairs of lines.
const PAIRS: usize = 1_000_000;

/// The lines that are others, in order; none: the texts are the same.
pub fn lines(old: &str, new: &str) -> Vec<Line> {
    if old == new {
        return Vec::new();
    }
    let (old, new): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    let alike = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    let (old, new) = (&old[alike..], &new[alike..]);
    let alike = old.iter().rev().zip(new.iter().rev()).take_while(|(a, b)| a == b).count();
    let (old, new) = (&old[..old.len() - alike], &new[..new.len() - alike]);
    let mut found = if old.len().saturating_mul(new.len()) <= PAIRS {
        by_common_lines(old, new)
    } else {
        old.iter().map(|line| gone(line)).chain(new.iter().map(|line| come(line))).collect()
    };
    if found.is_empty() {
        // Only the ends of lines are others.
        found.push(Line::More(1));
    }
    if found.len() > SHOWN {
        let more = found.len() - SHOWN;
        found.truncate(SHOWN);
        found.push(Line::More(more));
    }
    found
}

/// By the longest common subsequence.
fn by_common_lines(old: &[&str], new: &[&str]) -> Vec<Line> {
    let width = new.len() + 1;
    let mut common = vec![0_u32; (old.len() + 1) * width];
    for i in (0..old.len()).rev() {
        for j in (0..new.len()).rev() {
            common[i * width + j] = if old[i] == new[j] {
                common[(i + 1) * width + j + 1] + 1
            } else {
                common[(i + 1) * width + j].max(common[i * width + j + 1])
            };
        }
    }
    let (mut i, mut j, mut found) = (0, 0, Vec::new());
    while i < old.len() || j < new.len() {
        if i < old.len() && j < new.len() && old[i] == new[j] {
            (i, j) = (i + 1, j + 1);
        } else if j == new.len() || (i < old.len() && common[(i + 1) * width + j] >= common[i * width + j + 1]) {
            found.push(gone(old[i]));
            i += 1;
        } else {
            found.push(come(new[j]));
            j += 1;
        }
    }
    found
}

fn gone(line: &str) -> Line {
    Line::Gone(cut(line))
}

fn come(line: &str) -> Line {
    Line::New(cut(line))
}

fn cut(line: &str) -> String {
    if line.chars().count() <= LONGEST { line.to_owned() } else { line.chars().take(LONGEST - 1).chain(['…']).collect() }
}
