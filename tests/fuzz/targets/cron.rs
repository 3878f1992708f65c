//! Fuzzes [`subjects::cron`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| subjects::cron(data));
