
pub mod render;
