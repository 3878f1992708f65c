//! What a file under templates/ is for, by its name.

use super::locale::canonical_locale;

pub(super) const FOLDER: &str = "templates/";
pub(super) const LAYOUTS: &str = "layouts/";
const PARTIALS: &str = "partials/";
const PAGES: &str = "pages/";
pub(super) const ENDING: &str = ".hbs";

/// What a body or a layout is written in.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Format {
    Html,
    Mjml,
    Text,
    /// Plain text for this channel.
    Channel(String),
}

/// What one file is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum File<'a> {
    Partial(&'a str),
    Layout(Named<'a>),
    Message(Named<'a>),
    /// The page around the runner's own pages, in this language; empty: in every language.
    Page(String),
    /// Not a template, though it looks like one.
    Lookalike,
    /// Something else, which messages may name.
    Other,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Named<'a> {
    pub name: &'a str,
    /// In its canonical writing.
    pub locale: Option<String>,
    pub format: Format,
    /// The path without folder and `.hbs`.
    pub stem: &'a str,
}

/// Why a name is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BadName {
    pub message: String,
    pub help: String,
}

/// What the file at this path, relative to the project, is for.
pub(super) fn read(file: &str) -> Result<File<'_>, BadName> {
    let path = file.strip_prefix(FOLDER).unwrap_or(file);
    let Some(stem) = path.strip_suffix(ENDING) else {
        let looks = [".html", ".txt", ".mjml"].iter().any(|ending| path.ends_with(ending));
        return Ok(if looks { File::Lookalike } else { File::Other });
    };
    if let Some(name) = stem.strip_prefix(PARTIALS) {
        return good_name(name).map(File::Partial);
    }
    if let Some(stem) = stem.strip_prefix(PAGES) {
        return super::pages::language(stem).map(File::Page).ok_or_else(|| BadName {
            message: format!("`{stem}` is not a page: there is `layout`, which stands around every page"),
            help: format!("name it {FOLDER}{PAGES}layout.html{ENDING}, or layout.de.html{ENDING} for one language"),
        });
    }
    if let Some(stem) = stem.strip_prefix(LAYOUTS) {
        return match named(stem)? {
            Named { format: Format::Channel(channel), .. } => Err(BadName {
                message: format!("there are no layouts for the channel `{channel}`"),
                help: format!("layouts are named NAME.html{ENDING}, NAME.mjml{ENDING} or NAME.txt{ENDING}"),
            }),
            named => Ok(File::Layout(named)),
        };
    }
    named(stem).map(File::Message)
}

/// What a template file is called by those who use it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Called<'a> {
    Template(&'a str),
    Layout(&'a str),
    Partial(&'a str),
}

/// The name of the file at this path, relative to the project; `None`: nobody names it.
pub(crate) fn called(file: &str) -> Option<Called<'_>> {
    if !file.starts_with(FOLDER) {
        return None;
    }
    match read(file) {
        Ok(File::Message(named)) => Some(Called::Template(named.name)),
        Ok(File::Layout(named)) => Some(Called::Layout(named.name)),
        Ok(File::Partial(name)) => Some(Called::Partial(name)),
        _ => None,
    }
}

fn named(stem: &str) -> Result<Named<'_>, BadName> {
    let folder = stem.rfind('/').map_or(0, |slash| slash + 1);
    let Some((before, ending)) = stem[folder..].rsplit_once('.') else {
        return Err(BadName {
            message: "this name does not say what the file holds".to_owned(),
            help: format!("rename it to {FOLDER}{stem}.html{ENDING}, {FOLDER}{stem}.mjml{ENDING} or {FOLDER}{stem}.txt{ENDING}"),
        });
    };
    let (name, locale) = before.split_once('.').map_or((before, None), |(name, locale)| (name, Some(locale)));
    let name = good_name(&stem[..folder + name.len()])?;
    let locale = match locale {
        None => None,
        Some(text) => Some(canonical_locale(text).ok_or_else(|| BadName {
            message: format!("`{text}` is no language"),
            help: format!("templates are named NAME.html{ENDING} or NAME.de.html{ENDING}, and NAME has no dots"),
        })?),
    };
    let format = match ending {
        "html" => Format::Html,
        "mjml" => Format::Mjml,
        "txt" => Format::Text,
        "email" => {
            return Err(BadName {
                message: "mail has an HTML and a text body".to_owned(),
                help: format!("rename it to {FOLDER}{name}.html{ENDING} or {FOLDER}{name}.txt{ENDING}"),
            });
        }
        channel if is_channel(channel) => Format::Channel(channel.to_owned()),
        other => {
            return Err(BadName {
                message: format!("`{other}` is neither a format nor a channel"),
                help: format!("end the name with .html{ENDING}, .mjml{ENDING}, .txt{ENDING}, or a channel's name"),
            });
        }
    };
    Ok(Named { name, locale, format, stem })
}

fn is_channel(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase()) && name.chars().all(is_name_letter)
}

fn is_name_letter(c: char) -> bool {
    c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_'
}

/// The name, if a template may be called so.
pub(crate) fn good_name(name: &str) -> Result<&str, BadName> {
    let good = name
        .split('/')
        .all(|segment| segment.starts_with(|c: char| c.is_ascii_alphanumeric()) && segment.chars().all(is_name_letter));
    if good {
        return Ok(name);
    }
    let help = "use lower-case letters, digits, `-` and `_`, and begin with a letter or digit".to_owned();
    Err(BadName { message: format!("`{name}` is not a name"), help })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_what_files_are() {
        let check = |file: &str, expected: &str| {
            let told = |kind: &str, named: Named<'_>| format!("{kind} {} {:?} {:?}", named.name, named.locale, named.format);
            let found = match read(&format!("templates/{file}")) {
                Ok(File::Partial(name)) => format!("partial {name}"),
                Ok(File::Layout(named)) => told("layout", named),
                Ok(File::Message(named)) => told("message", named),
                Ok(File::Page(language)) => format!("page {language:?}"),
                Ok(File::Lookalike) => "lookalike".to_owned(),
                Ok(File::Other) => "other".to_owned(),
                Err(bad) => bad.message,
            };
            assert_eq!(found, expected, "{file}");
        };
        check("a.html.hbs", "message a None Html");
        check("on/day-1.de.mjml.hbs", "message on/day-1 Some(\"de\") Mjml");
        check("a.PT_br.txt.hbs", "message a Some(\"pt-BR\") Text");
        check("a.sms.hbs", "message a None Channel(\"sms\")");
        check("a.de.push.hbs", "message a Some(\"de\") Channel(\"push\")");
        check("layouts/l.zh-Hans.html.hbs", "layout l Some(\"zh-Hans\") Html");
        check("layouts/l.sms.hbs", "there are no layouts for the channel `sms`");
        check("partials/a/b.hbs", "partial a/b");
        check("pages/layout.html.hbs", "page \"\"");
        check("pages/layout.de.html.hbs", "page \"de\"");
        check("a.html", "lookalike");
        check("images/logo.png", "other");
        check("a.hbs", "this name does not say what the file holds");
        check("a.beta.html.hbs", "`beta` is no language");
        check("A.html.hbs", "`A` is not a name");
        check("a.email.hbs", "mail has an HTML and a text body");
        check("a.Foo.hbs", "`Foo` is neither a format nor a channel");
    }
}
