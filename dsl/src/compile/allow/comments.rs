//! Finding the comments that are meant for the checker: `# campaignd: …` in YAML, `{{!-- campaignd: … --}}` in templates.

use crate::yaml::{self, Position};

/// What such a comment begins with.
pub(super) const MARK: &str = "campaignd:";

/// One of them. Lines and columns count from 1, columns in characters.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Comment<'a> {
    /// What stands behind the mark, up to the comment's end, trimmed.
    pub words: &'a str,
    /// Where the mark stands.
    pub line: usize,
    pub column: usize,
    /// Where the words begin, in characters behind the mark's first.
    pub words_at: usize,
    /// The lines whose diagnostics it is about.
    pub about: Vec<usize>,
}

/// How a comment of this file is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// To the end of the line.
    Yaml,
    /// To `--}}`, or to `}}`.
    Handlebars,
}

/// The comments of a file, in their order.
pub(super) fn comments<'a>(file: &str, text: &'a str) -> Vec<Comment<'a>> {
    let template = file.ends_with(".hbs");
    if !text.contains(MARK) {
        return Vec::new();
    }
    let lines: Vec<&str> = text.split('\n').collect();
    let front = if template { front_matter(&lines) } else { 0..lines.len() };
    let mut found: Vec<(usize, &str, usize, Form)> = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        for (at, _) in line.match_indices(MARK) {
            if let Some(form) = form(line, at).filter(|form| *form == Form::Handlebars || front.contains(&index)) {
                found.push((index, line, at, form));
            }
        }
    }
    let signs: Vec<Position> = found
        .iter()
        .filter(|(.., form)| *form == Form::Yaml)
        .map(|(index, line, at, _)| Position { line: index + 1 - front.start, column: column(line, *at) })
        .collect();
    if !signs.is_empty() {
        let yaml = lines.get(front.clone()).unwrap_or_default().join("\n");
        let inside = yaml::in_scalars(&yaml, &signs);
        let mut inside = inside.into_iter();
        found.retain(|(.., form)| *form != Form::Yaml || inside.next() == Some(false));
    }
    let alone: Vec<usize> =
        found.iter().filter(|(_, line, at, form)| stands_alone(line, *at, *form)).map(|(index, ..)| *index).collect();
    found.iter().map(|(index, line, at, form)| comment(*index, line, *at, *form, &alone, front.start)).collect()
}

fn comment<'a>(index: usize, line: &'a str, at: usize, form: Form, alone: &[usize], head: usize) -> Comment<'a> {
    let after = &line[at + MARK.len()..];
    let words = match form {
        Form::Yaml => after,
        Form::Handlebars => after.split("}}").next().unwrap_or(after).trim_end_matches('-'),
    };
    let blank = after.chars().take_while(|c| c.is_whitespace()).count();
    let mut about = vec![index + 1];
    if alone.contains(&index) {
        // Several such comments above one line are all about it.
        let next = (index + 1..).find(|next| !alone.contains(next)).unwrap_or(index + 1);
        about = vec![next + 1];
        if index == head {
            // At the head of a file it is about the file as a whole, too, which is named by its first line.
            about.push(1);
        }
    }
    Comment { words: words.trim(), line: index + 1, column: column(line, at), words_at: MARK.len() + blank, about }
}

/// The lines of a template's front matter, if it has one; counted from 0.
fn front_matter(lines: &[&str]) -> std::ops::Range<usize> {
    if lines.first().is_none_or(|line| line.trim_end() != "---") {
        return 0..0;
    }
    let end = lines.iter().skip(1).position(|line| line.trim_end() == "---").map_or(1, |at| at + 1);
    1..end
}

/// How the comment is written whose mark stands here; `None` if this is no comment.
fn form(line: &str, at: usize) -> Option<Form> {
    let before = line[..at].trim_end();
    if before.ends_with("{{!--") || before.ends_with("{{!") {
        return Some(Form::Handlebars);
    }
    let rest = before.strip_suffix('#')?;
    (rest.is_empty() || rest.ends_with(char::is_whitespace)).then_some(Form::Yaml)
}

/// Whether nothing but the comment is on its line.
fn stands_alone(line: &str, at: usize, form: Form) -> bool {
    let before = line[..at].trim();
    let after = match form {
        Form::Yaml => "",
        Form::Handlebars => line[at..].split_once("}}").map_or("", |(_, rest)| rest).trim(),
    };
    matches!(before, "#" | "{{!--" | "{{!") && after.is_empty()
}

fn column(line: &str, at: usize) -> usize {
    1 + line[..at].chars().count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_what_only_looks_like_one() {
        let check = |file: &str, text: &str, expected: &[(&str, usize, &[usize])]| {
            let found = comments(file, text);
            let found: Vec<_> = found.iter().map(|found| (found.words, found.column, found.about.as_slice())).collect();
            assert_eq!(found, expected, "{text}");
        };
        check("a.yaml", "a: 1 # campaignd: x y \nb: 2", &[("x y", 8, &[1])]);
        check("a.yaml", "z: 1\n# campaignd: x\n  #campaignd: y\na: 1", &[("x", 3, &[4]), ("y", 4, &[4])]);
        check("a.yaml", "a: \"# campaignd: x\"\nb: c#campaignd: x\n", &[]);
        check("a.yaml", "a: |\n  # campaignd: x\n# campaignd: y\nb: 1\n", &[("y", 3, &[4])]);
        check("a.yaml", "a: |\n  {{!-- campaignd: x --}}\n  b\n", &[("x", 9, &[3])]);
        check("a.yaml", "a: [\n# campaignd: x\n", &[]);
        check(
            "a.hbs",
            "---\n# campaignd: x\nsubject: a # campaignd: y\n---\n# campaignd: z\n",
            &[("x", 3, &[3, 1]), ("y", 14, &[3])],
        );
        check("a.hbs", "{{!-- campaignd: x --}}\n<p>{{! campaignd: y }}</p>", &[("x", 7, &[2, 1]), ("y", 8, &[2])]);
    }
}
