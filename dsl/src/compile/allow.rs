//! `# campaignd: allow(CODE) reason`: a diagnostic that is there on purpose.
//!
//! A comment behind something is about its line, one on a line of its own about the next. It needs a reason, a code that exists, and something
//! to allow: whatever is not so is said.

mod comments;

use std::collections::HashMap;

use self::comments::{Comment, comments};
use crate::diagnostic::{Diagnostic, Location, Severity};
use crate::explain::{self, Weight};
use crate::place::did_you_mean;
use crate::project::ProjectFiles;

/// How often it is said which code may be meant: each time all codes are compared.
const SUGGESTIONS: usize = 100;

/// Takes out what comments allow, and puts in what is wrong with the comments.
pub(super) fn apply(files: &ProjectFiles, diagnostics: &mut Vec<Diagnostic>) {
    let mut pass = Pass { found: Vec::new(), sound: sound(diagnostics), suggestions: SUGGESTIONS };
    let mut places: Option<Places> = None;
    let mut taken = vec![false; diagnostics.len()];
    for path in files.paths().filter(|path| [".yaml", ".yml", ".hbs"].iter().any(|ending| path.ends_with(ending))) {
        for comment in comments(path, files.text(path).unwrap_or_default()) {
            let places = places.get_or_insert_with(|| by_place(diagnostics));
            pass.comment(path, &comment, diagnostics, places, &mut taken);
        }
    }
    let mut taken = taken.into_iter();
    diagnostics.retain(|_| taken.next() != Some(true));
    diagnostics.append(&mut pass.found);
}

/// Where nothing is an error, every rule has looked at everything.
fn sound(diagnostics: &[Diagnostic]) -> bool {
    let errors = diagnostics.iter().filter(|diagnostic| diagnostic.severity == Severity::Error);
    errors.into_iter().all(|diagnostic| {
        explain::explain(diagnostic.code).is_some_and(|explanation| explanation.weight == Weight::AllowableError)
    })
}

/// The diagnostics of each line of each file.
type Places = HashMap<(String, usize), Vec<usize>>;

fn by_place(diagnostics: &[Diagnostic]) -> Places {
    let mut places = Places::new();
    for (index, diagnostic) in diagnostics.iter().enumerate() {
        places.entry((diagnostic.location.file.clone(), diagnostic.location.line)).or_default().push(index);
    }
    places
}

struct Pass {
    /// What is wrong with comments.
    found: Vec<Diagnostic>,
    sound: bool,
    /// How often it is still said which code may be meant.
    suggestions: usize,
}

impl Pass {
    fn comment(&mut self, file: &str, comment: &Comment<'_>, diagnostics: &[Diagnostic], places: &Places, taken: &mut [bool]) {
        let at = |from: usize, length: usize| {
            let column = comment.column + comment.words_at + from;
            Location { file: file.to_owned(), line: comment.line, column, end_line: comment.line, end_column: column + length }
        };
        let (codes, reason) = match read(comment.words) {
            Words::Allow(codes, reason) => (codes, reason),
            Words::Nothing => return,
            Words::Unclear => {
                let message = "this comment says nothing to campaignd";
                let help = "write `campaignd: allow(CODE) reason`, with the code of a warning and why it may stay";
                let length = comment.words.chars().count();
                self.found.push(Diagnostic::warning("unclear-comment", at(0, length), message).help(help));
                return;
            }
        };
        for (from, code) in codes {
            let about = comment.about.iter().flat_map(|line| places.get(&(file.to_owned(), *line)).into_iter().flatten());
            let about: Vec<usize> = about.copied().filter(|index| diagnostics[*index].code == code).collect();
            let (allowed, stay): (Vec<usize>, Vec<usize>) = about.into_iter().partition(|index| may_go(&diagnostics[*index]));
            allowed.iter().for_each(|index| taken[*index] = true);
            let place = at(from, code.chars().count());
            if explain::explain(code).is_none() {
                let message = format!("no diagnostic has the code `{code}`");
                self.suggestions = self.suggestions.saturating_sub(1);
                let meant = (self.suggestions > 0).then(|| explain::nearest(code)).flatten();
                let help = meant.map(|meant| format!("did you mean `{meant}`?"));
                self.found.push(Diagnostic { help, ..Diagnostic::warning("unknown-code", place, message) });
            } else if !stay.is_empty() {
                let message = format!("`{code}` is an error here, and stays: only warnings can be allowed");
                self.found.push(Diagnostic::warning("cannot-allow", place, message).help("mend what it says"));
            } else if allowed.is_empty() && self.sound {
                let message = format!("there is no `{code}` here to allow");
                let help = "remove it; a comment is about its own line, or on a line of its own about the next";
                self.found.push(Diagnostic::warning("unused-allow", place, message).help(help));
            }
        }
        if !reason {
            let message = "this does not say why it may stay";
            let help = "write the reason behind the brackets: `campaignd: allow(CODE) reason`";
            let length = comment.words.chars().count();
            self.found.push(Diagnostic::warning("allow-without-reason", at(0, length), message).help(help));
        }
    }
}

fn may_go(diagnostic: &Diagnostic) -> bool {
    let allowable = || explain::explain(diagnostic.code).is_some_and(|known| known.weight == Weight::AllowableError);
    diagnostic.severity == Severity::Warning || allowable()
}

/// What the words of a comment say.
enum Words<'a> {
    /// The codes, each with the number of characters before it; and whether there is a reason.
    Allow(Vec<(usize, &'a str)>, bool),
    /// They look as if they were to allow something.
    Unclear,
    /// Words for people.
    Nothing,
}

fn read(words: &str) -> Words<'_> {
    let verb: &str = words.split(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or_default();
    let behind = words[verb.len()..].trim_start();
    if did_you_mean(verb, ["allow"]).is_none() || !(behind.starts_with('(') || verb == "allow") {
        return Words::Nothing;
    }
    let inside = behind.strip_prefix('(').and_then(|rest| rest.split_once(')'));
    let Some((list, reason)) = inside.filter(|_| verb == "allow") else { return Words::Unclear };
    let mut codes = Vec::new();
    let mut at = words.len() - behind.len() + 1;
    for piece in list.split(',') {
        let code = piece.trim();
        let before = at + (piece.len() - piece.trim_start().len());
        if code.is_empty() {
            return Words::Unclear;
        }
        codes.push((words[..before].chars().count(), code));
        at += piece.len() + 1;
    }
    Words::Allow(codes, reason.chars().any(char::is_alphanumeric))
}
