//! How much work it is to put styles on their elements, told before it is done: each rule may be for each element, and each declaration is compared with
//! those that the element has.

use std::collections::HashSet;

use super::markup::Markup;
use super::styles::Left;

/// The most for one message: about half a second.
const MOST: u64 = 4_000_000;
/// The most for the messages of a project that are made ready in a row.
const MOST_TOGETHER: u64 = 8_000_000;

/// What may still be spent.
#[derive(Debug, Clone)]
pub(super) struct Effort {
    left: u64,
}

impl Default for Effort {
    fn default() -> Effort {
        Effort { left: MOST_TOGETHER }
    }
}

impl Effort {
    /// Spends what it takes to put these styles on these elements.
    pub fn spend(&mut self, markup: &[Markup], css: &[&str]) -> Result<(), Left> {
        let elements = markup.iter().filter(|found| matches!(found, Markup::Start(_))).count() as u64;
        let mut names = HashSet::new();
        let (mut selectors, mut declarations) = (0u64, 0u64);
        for piece in css.iter().flat_map(|css| css.split(['{', '}', ';', ','])) {
            selectors += 1;
            if let Some((name, _)) = piece.split_once(':') {
                declarations += 1;
                names.insert(name.trim());
            }
        }
        // Comparing names is far quicker than asking whether a rule is for an element.
        let compared = declarations.saturating_mul(names.len() as u64) / 50;
        let effort = elements.saturating_mul(selectors + declarations + compared);
        if effort > MOST {
            return Err(Left::Many);
        }
        self.left = self.left.checked_sub(effort).ok_or(Left::ManyTogether)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::template::markup::markup;

    #[test]
    fn effort_is_told() {
        let check = |elements: usize, css: &str, expected: Result<(), Left>| {
            assert_eq!(Effort::default().spend(&markup(&"<p>x</p>".repeat(elements)), &[css]), expected, "{elements}");
        };
        let sheet = "h1, h2 { color: red; margin: 0 } .a p { padding: 1px }";
        check(200, &sheet.repeat(40), Ok(()));
        check(3_000, &"p.a { color: red }".repeat(2_500), Err(Left::Many));
        let distinct: String = (0..2_000).map(|number| format!("--a{number}: 1;")).collect();
        check(100, &format!("p {{ {distinct} }}"), Err(Left::Many));
        let mut effort = Effort::default();
        let page = markup(&"<p>x</p>".repeat(1_000));
        let css = "p.a { color: red }".repeat(500);
        let done = (0..).take_while(|_| effort.spend(&page, &[&css]).is_ok()).count();
        assert!((2..20).contains(&done), "{done}");
        assert_eq!(effort.spend(&page, &[&css]), Err(Left::ManyTogether));
    }
}
