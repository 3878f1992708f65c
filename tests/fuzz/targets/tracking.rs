//! Fuzzes [`subjects::tracking`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| subjects::tracking(data));
