//! Fuzzes [`subjects::yaml`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| subjects::yaml(data));
