//! Header fields, and blocks that are written like them (RFC 5322 section 2.2, RFC 3464 section 2.1, RFC 5965 section 3).

/// How many fields of one block are read, and how long a value may get, in characters.
const MOST: usize = 400;
const LONGEST: usize = 4000;

/// Fields in order; names in lower case, values on one line.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Fields(Vec<(String, String)>);

impl Fields {
    /// Up to the first line that is empty. Lines that are no fields are skipped.
    pub fn read(text: &str) -> Fields {
        Fields::take(&mut text.lines())
    }

    /// Blocks that empty lines stand between; at most `most` of them.
    pub fn blocks(text: &str, most: usize) -> Vec<Fields> {
        let mut lines = text.lines().peekable();
        let mut blocks = Vec::new();
        while lines.peek().is_some() && blocks.len() < most {
            let block = Fields::take(&mut lines);
            if !block.0.is_empty() {
                blocks.push(block);
            }
        }
        blocks
    }

    fn take<'a>(lines: &mut impl Iterator<Item = &'a str>) -> Fields {
        let mut fields: Vec<(String, String)> = Vec::new();
        for line in lines {
            if line.trim().is_empty() {
                break;
            }
            if line.starts_with([' ', '\t']) {
                if let Some((_, value)) = fields.last_mut().filter(|(_, value)| value.len() < LONGEST) {
                    value.push(' ');
                    value.extend(line.trim().chars().take(LONGEST));
                }
                continue;
            }
            let Some((name, value)) = line.split_once(':') else { continue };
            let name = name.trim_end();
            if fields.len() < MOST && !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_graphic()) {
                fields.push((name.to_ascii_lowercase(), value.trim().chars().take(LONGEST).collect()));
            }
        }
        Fields(fields)
    }

    /// The first field of this name (in lower case).
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// What stands in angle brackets; the whole, where there are none.
pub fn bare(text: &str) -> &str {
    let text = text.trim();
    match text.split_once('<').and_then(|(_, rest)| rest.split_once('>')) {
        Some((inside, _)) => inside.trim(),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_unfolded_and_cut() {
        let text = "  stray\r\nTo: a,\r\n\tb\r\nno field\r\nx y: z\r\nTo : c\r\nEmpty:\r\n\r\nFrom: body\r\n";
        let fields = Fields::read(text);
        assert_eq!(fields.all("to").collect::<Vec<_>>(), ["a, b", "c"]);
        assert_eq!((fields.get("empty"), fields.get("from"), fields.get("x y")), (Some(""), None, None));
        assert_eq!(Fields::blocks(text, 9).len(), 2);
        assert_eq!(Fields::blocks("\n\n\n", 9), []);
        assert_eq!(Fields::blocks("a: 1\n\n\n\nb: 2\n\nc: 3", 2).len(), 2);
        let folded = format!("a: b\n{}", " x\n".repeat(100_000));
        assert!(Fields::read(&folded).get("a").unwrap().len() < 2 * LONGEST);
        assert_eq!(Fields::read(&"a: b\n".repeat(10_000)).0.len(), MOST);
    }

    #[test]
    fn bare_addresses() {
        for (text, expected) in [("<a@b>", "a@b"), (" Ada <a@b> x", "a@b"), ("a@b", "a@b"), ("<a@b", "<a@b"), ("", "")] {
            assert_eq!(bare(text), expected);
        }
    }
}
