//! Writes what is generated from the language: its JSON Schemas to the workspace's schemas/ folder, and the pages of all
//! diagnostics to docs/rules/. `cargo run -p dsl --example schemas`.

use std::path::Path;

fn main() -> std::io::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let folder = root.join("schemas");
    std::fs::create_dir_all(&folder)?;
    for (name, text) in dsl::schema::all() {
        std::fs::write(folder.join(name), text)?;
    }
    let rules = root.join("docs/rules");
    if rules.exists() {
        // A code that is no more has no page.
        std::fs::remove_dir_all(&rules)?;
    }
    std::fs::create_dir_all(&rules)?;
    for (name, text) in dsl::explain::pages() {
        std::fs::write(rules.join(name), text)?;
    }
    Ok(())
}
