//! The page of each diagnostic, as an address that editors can open: on the web, or kept as a file.

use std::path::{Path, PathBuf};

use lsp_types::Uri;

use super::project::uri_of;

/// Where the pages are.
#[derive(Debug, Default)]
pub struct Pages {
    /// Where they are kept; `None`: nowhere, and codes lead nowhere.
    folder: Option<PathBuf>,
}

impl Pages {
    /// Pages that are kept under this folder, each once it is asked for.
    pub fn under(folder: &Path) -> Pages {
        Pages { folder: Some(folder.join(format!("rules-{}", env!("CARGO_PKG_VERSION")))) }
    }

    /// The address of a diagnostic's page.
    pub fn of(&self, code: &str) -> Option<Uri> {
        let url = dsl::render::url(code);
        if url.contains("://") {
            return url.parse().ok();
        }
        let folder = self.folder.as_deref()?;
        let page = dsl::explain::explain(code)?;
        let path = folder.join(format!("{code}.md"));
        if !path.is_file() {
            std::fs::create_dir_all(folder).ok()?;
            std::fs::write(&path, format!("# {code}\n\n{}\n", page.text.trim_end())).ok()?;
        }
        uri_of(&path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn are_there_once_asked_for() {
        let folder = tempfile::tempdir().unwrap();
        let pages = Pages::under(&folder.path().join("cache"));
        let uri = pages.of("unknown-template").unwrap();
        assert_eq!(pages.of("unknown-template"), Some(uri.clone()));
        let text = std::fs::read_to_string(super::super::project::path_of(&uri).unwrap()).unwrap();
        assert!(text.contains("Use instead"), "{text}");
        assert_eq!(pages.of("no-such-code"), None);
        let file = folder.path().join("file");
        std::fs::write(&file, "").unwrap();
        assert_eq!(Pages::under(&file).of("unknown-template"), None);
        assert_eq!(Pages::default().of("unknown-template"), None);
    }
}
