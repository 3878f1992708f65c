//! Writes the language's JSON Schemas to the workspace's schemas/ folder: `cargo run -p dsl --example schemas`.

use std::path::Path;

fn main() -> std::io::Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../schemas");
    std::fs::create_dir_all(&folder)?;
    for (name, text) in dsl::schema::all() {
        std::fs::write(folder.join(name), text)?;
    }
    Ok(())
}
