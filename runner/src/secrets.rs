//! Secrets: the one place that reads the environment. `${NAME}` in the settings stands for a value from the environment, a `.env` file beside
//! campaignd.yaml, or the service manager's credentials folder (systemd.exec(5), LoadCredential=); the first that knows the name wins.
//!
//! Values are never logged, and no error holds one.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use dsl::model::Secret;

/// Why a secret could not be found.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    #[error(
        "{place} needs ${{{name}}}, which is nowhere: set the environment variable {name}, write {name}=… into {dotenv}, \
         or let the service manager load a credential named {name}"
    )]
    Missing { name: String, place: String, dotenv: PathBuf },
    #[error("a value that {0} takes from the environment has {{{{ in it, which would be a template there: choose another value")]
    Braces(String),
    #[error("{0} cannot be read: {1}; correct its permissions or remove it")]
    DotEnv(PathBuf, #[source] std::io::Error),
    #[error("line {line} of {file} is not NAME=VALUE")]
    Line { file: PathBuf, line: usize },
}

/// Where secrets of one project come from.
pub struct Secrets {
    environment: fn(&str) -> Option<String>,
    dotenv: BTreeMap<String, String>,
    dotenv_file: PathBuf,
    credentials: Option<PathBuf>,
}

#[allow(clippy::disallowed_methods, reason = "the one place that reads the environment")]
fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Whether the person asked for output without colours (https://no-color.org).
pub fn no_color() -> bool {
    environment("NO_COLOR").is_some_and(|value| !value.is_empty())
}

/// Where programs keep for this user what they can make again (XDG Base Directory Specification), for this one.
pub fn cache_folder() -> Option<PathBuf> {
    let given = environment("XDG_CACHE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let folder = given.or_else(|| Some(PathBuf::from(environment("HOME")?).join(".cache")))?;
    Some(folder.join("campaignd"))
}

impl Secrets {
    /// Reads the project's .env file, if there is one.
    ///
    /// # Errors
    /// When it cannot be read or understood.
    pub fn of_project(root: &Path) -> Result<Secrets, SecretError> {
        let credentials = environment("CREDENTIALS_DIRECTORY").map(PathBuf::from);
        Secrets::from_places(environment, root.join(".env"), credentials)
    }

    fn from_places(
        environment: fn(&str) -> Option<String>,
        dotenv_file: PathBuf,
        credentials: Option<PathBuf>,
    ) -> Result<Secrets, SecretError> {
        let dotenv = match std::fs::read_to_string(&dotenv_file) {
            Ok(text) => parse(&text).map_err(|line| SecretError::Line { file: dotenv_file.clone(), line })?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => BTreeMap::new(),
            Err(error) => return Err(SecretError::DotEnv(dotenv_file, error)),
        };
        Ok(Secrets { environment, dotenv, dotenv_file, credentials })
    }

    /// The text with every `${NAME}` replaced. `place` says in errors where it is written: `http.keys`.
    ///
    /// # Errors
    /// [`SecretError::Missing`].
    pub fn resolve(&self, text: &Secret, place: &str) -> Result<String, SecretError> {
        self.replace(&text.0, place, |_, value| value)
    }

    /// The same for a URL: a value that stands in its user or password part is percent-encoded (RFC 3986 section 3.2.1), so that any
    /// password can be given as it is.
    ///
    /// # Errors
    /// [`SecretError::Missing`].
    pub fn resolve_url(&self, url: &Secret, place: &str) -> Result<String, SecretError> {
        let host = url.0.rfind('@').unwrap_or(0);
        self.replace(&url.0, place, |at, value| if at < host { percent_encode(&value) } else { value })
    }

    /// The same for a text that is a template: what is put in is no part of the template.
    ///
    /// # Errors
    /// [`SecretError::Missing`], and [`SecretError::Braces`] for a value that would be read as part of the template.
    pub fn resolve_template(&self, text: &str, place: &str) -> Result<String, SecretError> {
        let mut braces = false;
        let resolved = self.replace(text, place, |_, value| {
            braces |= value.contains("{{");
            value
        })?;
        if braces { Err(SecretError::Braces(place.to_owned())) } else { Ok(resolved) }
    }

    /// `value` gets the byte at which `${` stands, and what was found.
    fn replace(&self, text: &str, place: &str, mut value: impl FnMut(usize, String) -> String) -> Result<String, SecretError> {
        let mut resolved = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(start) = rest.find("${") {
            let after = &rest[start + 2..];
            let Some(end) = after.find('}').filter(|end| is_name(&after[..*end])) else {
                resolved.push_str(&rest[..start + 2]);
                rest = after;
                continue;
            };
            let name = &after[..end];
            let found = self.find(name).ok_or_else(|| SecretError::Missing {
                name: name.to_owned(),
                place: place.to_owned(),
                dotenv: self.dotenv_file.clone(),
            })?;
            resolved.push_str(&rest[..start]);
            resolved.push_str(&value(text.len() - rest.len() + start, found));
            rest = &after[end + 1..];
        }
        resolved.push_str(rest);
        Ok(resolved)
    }

    fn find(&self, name: &str) -> Option<String> {
        let credential = || {
            let text = std::fs::read_to_string(self.credentials.as_ref()?.join(name)).ok()?;
            Some(text.strip_suffix('\n').map_or(text.as_str(), |line| line.strip_suffix('\r').unwrap_or(line)).to_owned())
        };
        (self.environment)(name).or_else(|| self.dotenv.get(name).cloned()).or_else(credential)
    }
}

fn is_name(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

fn percent_encode(value: &str) -> String {
    value.bytes().fold(String::with_capacity(value.len()), |mut text, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            text.push(char::from(byte));
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
        text
    })
}

/// Lines of `NAME=VALUE`, perhaps after `export`. A value in single quotes is taken as it is; in double quotes `\n`, `\"` and `\\` are read; else it
/// ends at ` #`. The error is the number of the line that is wrong.
fn parse(text: &str) -> Result<BTreeMap<String, String>, usize> {
    let mut values = BTreeMap::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let line = line.strip_prefix("export ").unwrap_or(line);
        let (name, value) = line.split_once('=').ok_or(index + 1)?;
        let name = name.trim();
        if !is_name(name) {
            return Err(index + 1);
        }
        values.insert(name.to_owned(), parse_value(value.trim()).ok_or(index + 1)?);
    }
    Ok(values)
}

fn parse_value(text: &str) -> Option<String> {
    let ends_here = |rest: &str| rest.trim_start().is_empty() || rest.trim_start().starts_with('#');
    if let Some(quoted) = text.strip_prefix('\'') {
        let (value, rest) = quoted.split_once('\'')?;
        return ends_here(rest).then(|| value.to_owned());
    }
    let Some(quoted) = text.strip_prefix('"') else {
        if text.starts_with('#') {
            return Some(String::new());
        }
        let end = text.find(" #").unwrap_or(text.len());
        return Some(text[..end].trim_end().to_owned());
    };
    let mut value = String::new();
    let mut chars = quoted.char_indices();
    while let Some((index, char)) = chars.next() {
        match char {
            '"' => return ends_here(&quoted[index + 1..]).then_some(value),
            '\\' => match chars.next()?.1 {
                'n' => value.push('\n'),
                escaped @ ('"' | '\\' | '$') => value.push(escaped),
                other => value.extend(['\\', other]),
            },
            char => value.push(char),
        }
    }
    None
}

#[cfg(test)]
mod tests;
