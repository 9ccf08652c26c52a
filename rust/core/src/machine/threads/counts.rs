//! How many threads there may be.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use crate::error::BadValue;
use crate::machine::environment::variable;

/// The environment variable that sets the default number of threads.
pub const THREADS_VARIABLE: &str = "GRADSTEP_NUM_THREADS";

/// More threads than this are a mistake, not a machine.
pub const MAX_THREADS: usize = 1024;

/// What `set_num_threads` asked for; 0 means the default.
static REQUESTED: AtomicUsize = AtomicUsize::new(0);

/// The number of threads that a parallel call may use, the caller included.
pub fn num_threads() -> usize {
    match REQUESTED.load(Ordering::Relaxed) {
        0 => default_threads().clone().unwrap_or(1),
        n => n,
    }
}

/// Sets the number of threads for the whole process.
pub fn set_num_threads(n: i64) -> Result<(), BadValue> {
    REQUESTED.store(checked("num_threads", &n.to_string())?, Ordering::Relaxed);
    Ok(())
}

/// The default: the environment variable, else what affinity mask and cgroup quota leave us. Read once.
pub fn default_threads() -> &'static Result<usize, BadValue> {
    static DEFAULT: OnceLock<Result<usize, BadValue>> = OnceLock::new();
    DEFAULT.get_or_init(|| match variable(THREADS_VARIABLE) {
        Some(text) => checked(THREADS_VARIABLE, &text),
        None => Ok(thread::available_parallelism().map_or(1, usize::from).min(MAX_THREADS)),
    })
}

fn checked(name: &str, text: &str) -> Result<usize, BadValue> {
    match text.trim().parse() {
        Ok(n @ 1..=MAX_THREADS) => Ok(n),
        _ => Err(BadValue::new(name, &format!("an integer from 1 to {MAX_THREADS}"), text)),
    }
}

/// How many workers, the calling thread among them, may share so many tasks.
pub fn workers(count: usize) -> usize {
    num_threads().min(count).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bad_counts_are_named() {
        for bad in ["0", "-1", "two", "1025"] {
            let error = checked(THREADS_VARIABLE, bad).unwrap_err().to_string();
            assert_eq!(error, format!("GRADSTEP_NUM_THREADS must be an integer from 1 to 1024, got {bad}"));
        }
    }
}
