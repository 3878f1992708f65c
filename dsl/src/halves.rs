//! Work on many files, shared between two threads.

/// Below this many items a second thread costs more than it gives.
const WORTH_A_THREAD: usize = 16;

/// Hands the items to `work` in one or two runs; the results are in the order of the items.
pub(crate) fn in_halves<T: Sync, R: Send>(items: &[T], work: impl Fn(&[T]) -> R + Sync) -> Vec<R> {
    in_halves_if(items.len() >= WORTH_A_THREAD, items, work)
}

/// The same, in two runs only where that is worth it.
pub(crate) fn in_halves_if<T: Sync, R: Send>(worth: bool, items: &[T], work: impl Fn(&[T]) -> R + Sync) -> Vec<R> {
    if !worth || items.len() < 2 {
        return vec![work(items)];
    }
    let (first, second) = items.split_at(items.len() / 2);
    std::thread::scope(|scope| {
        let other = scope.spawn(|| work(second));
        let here = work(first);
        match other.join() {
            Ok(there) => vec![here, there],
            // What went wrong there goes on here.
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}
