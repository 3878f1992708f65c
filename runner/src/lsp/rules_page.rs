//! The page of all rules, as a file that editors can open: each diagnostic's code leads to its heading.

use std::path::Path;

use lsp_types::Uri;

use super::project::uri_of;

/// Writes the page into the folder, if it is not there yet, and gives its address. `None`: it cannot be kept, and codes lead nowhere.
pub fn keep(folder: &Path) -> Option<Uri> {
    let path = folder.join(format!("rules-{}.md", env!("CARGO_PKG_VERSION")));
    let page = dsl::explain::page();
    if std::fs::read_to_string(&path).ok().as_deref() != Some(page.as_str()) {
        std::fs::create_dir_all(folder).ok()?;
        std::fs::write(&path, page).ok()?;
    }
    uri_of(&path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_there_once_asked_for() {
        let folder = tempfile::tempdir().unwrap();
        let inside = folder.path().join("cache");
        let uri = keep(&inside).unwrap();
        assert_eq!(keep(&inside), Some(uri.clone()));
        let text = std::fs::read_to_string(super::super::project::path_of(&uri).unwrap()).unwrap();
        assert!(text.contains("\n## unknown-template\n"));
        let file = folder.path().join("file");
        std::fs::write(&file, "").unwrap();
        assert_eq!(keep(&file), None);
    }
}
