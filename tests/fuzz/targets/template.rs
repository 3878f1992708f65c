//! Fuzzes [`subjects::template`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| subjects::template(data));
