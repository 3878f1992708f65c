//! Reading ahead: rows are read, parsed and checked on a thread of their own, chunk by chunk, while others are written.

use std::io;
use std::sync::mpsc::sync_channel;

use super::{Place, Reader, Rejection, Row, Source};

/// How many rows make a chunk at most; the runner is told of them together.
pub const CHUNK: usize = 1000;
/// How many bytes of the file make a chunk at most.
const CHUNK_BYTES: usize = 1 << 20;
/// How many chunks wait at most.
const AHEAD: usize = 4;

/// Rows that stand together in the file.
pub struct Chunk<T> {
    pub rows: Vec<Row<T>>,
    pub rejected: Vec<Rejection>,
    /// After its last row.
    pub place: Place,
}

/// Reads the whole file in chunks, while `take` is given one after the other. When `take` returns early, the reading ends.
///
/// # Errors
/// When the system has no thread to give.
pub fn read_ahead<T: Source, R>(
    reader: Reader<T>,
    take: impl FnOnce(&mut dyn Iterator<Item = io::Result<Chunk<T>>>) -> R,
) -> io::Result<R> {
    let (sender, receiver) = sync_channel(AHEAD);
    std::thread::scope(|scope| {
        std::thread::Builder::new().name("reading".to_owned()).spawn_scoped(scope, move || {
            let mut reader = reader;
            while let Some(chunk) = next(&mut reader) {
                if sender.send(chunk).is_err() {
                    return;
                }
            }
        })?;
        Ok(take(&mut receiver.into_iter()))
    })
}

fn next<T: Source>(reader: &mut Reader<T>) -> Option<io::Result<Chunk<T>>> {
    let mut chunk = Chunk { rows: Vec::with_capacity(CHUNK), rejected: Vec::new(), place: reader.place() };
    let begun = chunk.place.offset;
    loop {
        match reader.next() {
            None => break,
            Some(Err(error)) => return Some(Err(error)),
            Some(Ok(Ok(row))) => chunk.rows.push(row),
            Some(Ok(Err(rejection))) => chunk.rejected.push(rejection),
        }
        let bytes = reader.place().offset - begun;
        if chunk.rows.len() + chunk.rejected.len() == CHUNK || bytes >= CHUNK_BYTES as u64 {
            break;
        }
    }
    chunk.place = reader.place();
    (!chunk.rows.is_empty() || !chunk.rejected.is_empty()).then_some(Ok(chunk))
}
