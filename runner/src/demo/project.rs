//! The shipped project, as part of the program: a demo needs no files beside it.

use std::io;
use std::path::Path;

use dsl::ProjectFiles;

macro_rules! shipped {
    ($($path:literal,)*) => {
        &[$(($path, include_str!(concat!("../../../", $path)))),*]
    };
}

/// Every file of the shipped project: its path, and its text.
pub const FILES: &[(&str, &str)] = shipped![
    "campaignd.yaml",
    "schemas/contact.schema.json",
    "schemas/events/cart_updated.schema.json",
    "schemas/events/order_completed.schema.json",
    "schemas/events/page_viewed.schema.json",
    "schemas/events/signed_up.schema.json",
    "templates/birthday-reminder.html.hbs",
    "templates/birthday-reminder.txt.hbs",
    "templates/birthday.html.hbs",
    "templates/birthday.txt.hbs",
    "templates/cart-discount.html.hbs",
    "templates/cart-discount.txt.hbs",
    "templates/cart-reminder.html.hbs",
    "templates/cart-reminder.txt.hbs",
    "templates/cart-vip.html.hbs",
    "templates/cart-vip.txt.hbs",
    "templates/layouts/shop.de.html.hbs",
    "templates/layouts/shop.de.txt.hbs",
    "templates/layouts/shop.html.hbs",
    "templates/layouts/shop.mjml.hbs",
    "templates/layouts/shop.txt.hbs",
    "templates/newsletter.mjml.hbs",
    "templates/newsletter.txt.hbs",
    "templates/partials/button.hbs",
    "templates/partials/coupon.hbs",
    "templates/partials/footer-text.hbs",
    "templates/partials/footer.hbs",
    "templates/welcome-gift.html.hbs",
    "templates/welcome-gift.txt.hbs",
    "templates/welcome-guide.html.hbs",
    "templates/welcome-guide.txt.hbs",
    "templates/welcome-nudge.html.hbs",
    "templates/welcome-nudge.txt.hbs",
    "templates/welcome.de.html.hbs",
    "templates/welcome.de.txt.hbs",
    "templates/welcome.html.hbs",
    "templates/welcome.txt.hbs",
    "templates/win-back-news.html.hbs",
    "templates/win-back-news.txt.hbs",
    "templates/win-back-offer.html.hbs",
    "templates/win-back-offer.txt.hbs",
    "workflows/birthday.yaml",
    "workflows/cart-recovery.yaml",
    "workflows/newsletter.yaml",
    "workflows/segments.yaml",
    "workflows/welcome.yaml",
    "workflows/win-back.yaml",
];

/// The shipped project, to compile.
pub fn files() -> ProjectFiles {
    ProjectFiles::from_texts(FILES.iter().copied())
}

/// Writes the shipped project into a folder, so that it can be looked at and run from there.
///
/// # Errors
/// When a file or folder cannot be made.
pub fn write(folder: &Path) -> io::Result<()> {
    for (path, text) in FILES {
        let path = folder.join(path);
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent)?;
        }
        std::fs::write(path, text)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every file below a folder of the repository.
    fn below(folder: &str) -> Vec<String> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let mut found = Vec::new();
        for entry in std::fs::read_dir(root.join(folder)).unwrap() {
            let entry = entry.unwrap();
            let path = format!("{folder}/{}", entry.file_name().to_str().unwrap());
            if entry.file_type().unwrap().is_dir() {
                found.extend(below(&path));
            } else {
                found.push(path);
            }
        }
        found
    }

    #[test]
    fn every_shipped_file_is_in_the_program() {
        let mut found = vec!["campaignd.yaml".to_owned()];
        found.extend(["workflows", "templates", "schemas"].into_iter().flat_map(below));
        // The language's own schemas are for editors; `campaignd schema` writes them.
        let language = ["workflow", "settings", "test", "audience"].map(|name| format!("schemas/{name}.schema.json"));
        found.retain(|path| !language.contains(path));
        found.sort();
        let held: Vec<_> = FILES.iter().map(|(path, _)| (*path).to_owned()).collect();
        assert_eq!(held, found);
    }

    #[test]
    fn compiles_without_a_warning() {
        let compiled = dsl::compile(&files());
        assert_eq!(compiled.diagnostics, []);
        assert!(compiled.catalog.is_some());
    }
}
