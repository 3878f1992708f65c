//! Handlebars tags put aside, so that an HTML or MJML program can work on a text: a token stands for each, means nothing to anybody, and
//! comes back as the tag.

use super::tags::{Kind, Tag};

/// In which writing a token stands, so that a program leaves it where it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// A comment: allowed between any two elements, also of a table.
    Comment,
    /// A word: in values, in comments, in text that is not markup.
    Word,
    /// An attribute without a value.
    Attribute,
}

/// What became of the tokens of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Lost {
    /// Index of the first token that is gone, was doubled, or moved to before another.
    pub token: usize,
}

/// The tags that were put aside. Tokens are words of small letters and digits.
pub(super) struct Tokens {
    mark: String,
    put_aside: Vec<Aside>,
}

struct Aside {
    text: String,
    shape: Shape,
    /// It must come back once, and in its order: part of a block.
    ordered: bool,
}

impl Tokens {
    /// For this text, in which no token occurs by chance.
    pub fn new(text: &str) -> Tokens {
        let mark = (0..).map(|number| format!("hbs{number}x")).find(|mark| !text.contains(mark.as_str()));
        Tokens { mark: mark.unwrap_or_else(|| "hbsx".to_owned()), put_aside: Vec::new() }
    }

    /// Puts one piece of the text aside, and gives what stands for it.
    pub fn put(&mut self, text: &str, shape: Shape, ordered: bool) -> String {
        let index = self.put_aside.len();
        self.put_aside.push(Aside { text: text.to_owned(), shape, ordered });
        let (open, close) = brackets(shape);
        format!("{open}{}{index}z{close}", self.mark)
    }

    /// The text with everything that was put aside in its place again.
    ///
    /// # Errors
    /// When a part of a block is missing, doubled or out of order: then the text does not mean what it did.
    pub fn restore(&self, text: &str) -> Result<String, Lost> {
        let mut out = String::with_capacity(text.len() * 2);
        let mut rest = text;
        let mut expected = 0;
        while let Some(start) = rest.find(&self.mark) {
            let behind = &rest[start + self.mark.len()..];
            let digits = behind.bytes().take_while(u8::is_ascii_digit).count();
            let token = behind[..digits].parse::<usize>().ok().filter(|_| behind[digits..].starts_with('z'));
            let Some((index, aside)) = token.and_then(|index| Some((index, self.put_aside.get(index)?))) else {
                out.push_str(&rest[..start + self.mark.len()]);
                rest = behind;
                continue;
            };
            if aside.ordered {
                let next = self.next_ordered(expected);
                if next != Some(index) {
                    return Err(Lost { token: next.map_or(index, |next| next.min(index)) });
                }
                expected = index + 1;
            }
            let (open, close) = brackets(aside.shape);
            let before = rest[..start].strip_suffix(open).unwrap_or(&rest[..start]);
            let after = &behind[digits + 1..];
            let after = after.strip_prefix(close).unwrap_or(after);
            let after = if aside.shape == Shape::Attribute { after.strip_prefix("=\"\"").unwrap_or(after) } else { after };
            out.push_str(before);
            out.push_str(&aside.text);
            rest = after;
        }
        out.push_str(rest);
        match self.next_ordered(expected) {
            Some(token) => Err(Lost { token }),
            None => Ok(out),
        }
    }

    /// What every token holds.
    pub fn mark(&self) -> &str {
        &self.mark
    }

    /// A word that neither occurs in the text by chance nor stands for anything.
    pub fn unused_word(&self) -> String {
        format!("{}s", self.mark)
    }

    /// The bytes of the first token that is a comment.
    pub fn next_comment(&self, text: &str) -> Option<(usize, usize)> {
        let start = text.find(&format!("<!--{}", self.mark))?;
        let end = text[start..].find("-->")?;
        Some((start, start + end + 3))
    }

    fn next_ordered(&self, from: usize) -> Option<usize> {
        (from..self.put_aside.len()).find(|index| self.put_aside[*index].ordered)
    }
}

fn brackets(shape: Shape) -> (&'static str, &'static str) {
    if shape == Shape::Comment { ("<!--", "-->") } else { ("", "") }
}

/// Whether a tag must keep its place among the others: it begins, divides or ends a block.
pub(super) fn is_ordered(tag: &Tag<'_>) -> bool {
    !matches!(tag.kind, Kind::Value | Kind::Raw | Kind::Comment)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_aside_comes_back() {
        let mut tokens = Tokens::new("hbs0x is a word of this text");
        let put: Vec<String> = [
            ("{{#if a}}", Shape::Comment, true),
            ("{{b}}", Shape::Word, false),
            ("{{/if}}", Shape::Comment, true),
            ("{{c}}", Shape::Attribute, false),
        ]
        .into_iter()
        .map(|(text, shape, ordered)| tokens.put(text, shape, ordered))
        .collect();
        assert_eq!(put, ["<!--hbs1x0z-->", "hbs1x1z", "<!--hbs1x2z-->", "hbs1x3z"]);
        let check = |text: &str, expected: Result<&str, usize>| {
            let found = tokens.restore(text).map_err(|lost| lost.token);
            assert_eq!(found.as_deref().map_err(|token| *token), expected, "{text}");
        };
        check("<!--hbs1x0z-->x<!--hbs1x2z-->", Ok("{{#if a}}x{{/if}}"));
        check("<!--hbs1x0z-->hbs1x1z hbs1x1z<!--hbs1x2z--><p hbs1x3z=\"\">", Ok("{{#if a}}{{b}} {{b}}{{/if}}<p {{c}}>"));
        check("<!--hbs1x0z--><!--hbs1x2z-->hbs1x hbs1x9z hbs0x", Ok("{{#if a}}{{/if}}hbs1x hbs1x9z hbs0x"));
        check("<!--hbs1x0z-->", Err(2));
        check("<!--hbs1x2z--><!--hbs1x0z-->", Err(0));
        check("<!--hbs1x0z--><!--hbs1x0z--><!--hbs1x2z-->", Err(0));
    }
}
