//! Fuzzes [`subjects::condition`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| subjects::condition(data));
