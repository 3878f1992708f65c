//! Fuzzes [`subjects::csv`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| subjects::csv(data));
