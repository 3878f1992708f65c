//! Writes what is generated from the language: its JSON Schemas to the workspace's schemas/ folder, and the page of all
//! diagnostics to docs/rules.md. `cargo run -p dsl --example schemas`.

use std::path::Path;

fn main() -> std::io::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let folder = root.join("schemas");
    std::fs::create_dir_all(&folder)?;
    for (name, text) in dsl::schema::all() {
        std::fs::write(folder.join(name), text)?;
    }
    std::fs::write(root.join("docs/rules.md"), dsl::explain::page())
}
