//! Threads: an own rayon pool, built at the first parallel call, and one way to share work over it.
//!
//! # Rationale
//! - **Own pool.** rayon's global pool does not survive `fork()`: the child has none of its threads
//!   and would wait for ever. This pool knows the process that built it; a child builds its own and
//!   leaks its copy of the parent's (dropping that would wait for threads that are not there).
//! - **The caller works too**, and never waits for a helper that has not begun. Waking a thread takes
//!   5 to 50 µs; with a scope, the caller would have to sit that out even when nothing is left to do.
//! - **Number of threads** is a limit on how many helpers a call asks for, so changing it costs
//!   nothing. The pool only ever grows.
//!
//! Which thread runs a task never changes a result: tasks are cut by the caller, not by the pool.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicUsize, Ordering};
use std::thread::{self, Thread};

use crate::error::BadValue;

/// The environment variable that sets the default number of threads.
pub const THREADS_VARIABLE: &str = "GRADSTEP_NUM_THREADS";

/// More threads than this are a mistake, not a machine.
pub const MAX_THREADS: usize = 1024;

/// How many times a caller looks whether its helpers are done before it sleeps: some 20 µs.
const SPINS: usize = 4096;

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
    DEFAULT.get_or_init(|| match std::env::var(THREADS_VARIABLE) {
        Ok(text) if !text.is_empty() => checked(THREADS_VARIABLE, &text),
        _ => Ok(thread::available_parallelism().map_or(1, usize::from).min(MAX_THREADS)),
    })
}

fn checked(name: &str, text: &str) -> Result<usize, BadValue> {
    match text.trim().parse() {
        Ok(n @ 1..=MAX_THREADS) => Ok(n),
        _ => Err(BadValue::new(name, &format!("an integer from 1 to {MAX_THREADS}"), text)),
    }
}

/// Calls `task(i)` once for every `i` below `count`, on this thread and up to `num_threads() - 1`
/// helpers, and returns when all are done.
pub fn share(count: usize, task: &(dyn Fn(usize) + Sync)) {
    let helpers = num_threads().min(count).saturating_sub(1);
    if helpers == 0 {
        (0..count).for_each(task);
        return;
    }
    let job = Arc::new(Job::new(count, helpers + 1, task));
    if let Some(pool) = pool(helpers) {
        for _ in 0..helpers {
            let job = Arc::clone(&job);
            pool.spawn(move || job.help());
        }
    }
    let closing = Closing(&job);
    job.work();
    drop(closing);
    assert!(!job.panicked.load(Ordering::Relaxed), "a parallel task panicked");
}

/// One call of [`share`]: the tasks not yet taken, and who is working on them.
struct Job {
    /// One stretch of tasks for each thread. Who is through with its own takes from the others'.
    stretches: Box<[Stretch]>,
    /// How many threads have begun.
    begun: AtomicUsize,
    /// Valid until `share` returns. Only dereferenced inside [`Job::work`].
    task: *const (dyn Fn(usize) + Sync),
    /// Twice the number of helpers at work, plus [`CLOSED`] once the caller admits no more.
    gate: AtomicUsize,
    caller: Thread,
    panicked: AtomicBool,
}

/// Consecutive tasks, so that a thread walks through memory in one direction.
struct Stretch {
    next: AtomicUsize,
    end: usize,
}

const CLOSED: usize = 1;
const ONE_HELPER: usize = 2;

// SAFETY: `task` points to a Sync closure, and the gate keeps every use of it inside its lifetime.
unsafe impl Send for Job {}
// SAFETY: as above; the other fields are atomics and a thread handle.
unsafe impl Sync for Job {}

impl Job {
    fn new(count: usize, threads: usize, task: &(dyn Fn(usize) + Sync)) -> Self {
        // SAFETY: only the lifetime changes. A helper reads the pointer only after entering through the
        // gate, and `share` (whose borrow is live all the while) leaves only after `Closing` has shut
        // the gate and seen the last helper out.
        let task: &'static (dyn Fn(usize) + Sync) = unsafe { std::mem::transmute(task) };
        Self {
            stretches: (0..threads)
                .map(|k| Stretch {
                    next: AtomicUsize::new(k * count / threads),
                    end: (k + 1) * count / threads,
                })
                .collect(),
            begun: AtomicUsize::new(0),
            task,
            gate: AtomicUsize::new(0),
            caller: thread::current(),
            panicked: AtomicBool::new(false),
        }
    }

    /// Takes tasks until none is left.
    fn work(&self) {
        // SAFETY: called by `share` itself or by a helper inside the gate, so the closure is alive.
        let task = unsafe { &*self.task };
        let own = self.begun.fetch_add(1, Ordering::Relaxed);
        let (before, after) = self.stretches.split_at(own.min(self.stretches.len()));
        for stretch in after.iter().chain(before) {
            loop {
                let i = stretch.next.fetch_add(1, Ordering::Relaxed);
                if i >= stretch.end {
                    break;
                }
                task(i);
            }
        }
    }

    /// A helper's whole life: in through the gate, work, out.
    fn help(&self) {
        let enter = |gate| (gate & CLOSED == 0).then_some(gate + ONE_HELPER);
        if self.gate.fetch_update(Ordering::Acquire, Ordering::Relaxed, enter).is_err() {
            return;
        }
        if catch_unwind(AssertUnwindSafe(|| self.work())).is_err() {
            self.panicked.store(true, Ordering::Relaxed);
        }
        // The handle is cloned first: once the gate is left, the caller may be gone.
        let caller = self.caller.clone();
        if self.gate.fetch_sub(ONE_HELPER, Ordering::Release) == ONE_HELPER + CLOSED {
            caller.unpark();
        }
    }
}

/// Shuts the gate and waits for the helpers inside, also when the caller's own task panics.
struct Closing<'a>(&'a Job);

impl Drop for Closing<'_> {
    fn drop(&mut self) {
        let gate = &self.0.gate;
        gate.fetch_or(CLOSED, Ordering::Relaxed);
        let mut spins = 0;
        while gate.load(Ordering::Acquire) != CLOSED {
            if spins < SPINS {
                spins += 1;
                std::hint::spin_loop();
            } else {
                thread::park();
            }
        }
    }
}

struct Pool {
    process: u32,
    helpers: usize,
    rayon: rayon::ThreadPool,
}

/// A pool of this process with at least `helpers` threads; none if the system refuses a thread.
fn pool(helpers: usize) -> Option<&'static rayon::ThreadPool> {
    static POOL: AtomicPtr<Pool> = AtomicPtr::new(std::ptr::null_mut());
    let process = std::process::id();
    loop {
        let current = POOL.load(Ordering::Acquire);
        // SAFETY: the pointer is null or comes from Box::into_raw below, and is never freed.
        let pool = unsafe { current.as_ref() };
        if let Some(pool) = pool.filter(|pool| pool.process == process && pool.helpers >= helpers) {
            return Some(&pool.rayon);
        }
        let name = |i| format!("gradstep-{i}");
        let builder = rayon::ThreadPoolBuilder::new().num_threads(helpers).thread_name(name);
        let new = Box::into_raw(Box::new(Pool { process, helpers, rayon: builder.build().ok()? }));
        if POOL.compare_exchange(current, new, Ordering::AcqRel, Ordering::Relaxed).is_err() {
            // SAFETY: another thread of this process was first; nobody has seen `new`.
            drop(unsafe { Box::from_raw(new) });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_task_runs_once() {
        for count in [0, 1, 2, 3, 1000] {
            let done: Vec<_> = (0..count).map(|_| AtomicUsize::new(0)).collect();
            share(count, &|i| {
                done[i].fetch_add(1, Ordering::Relaxed);
            });
            assert!(done.iter().all(|n| n.load(Ordering::Relaxed) == 1));
        }
    }

    #[test]
    fn many_callers_at_once() {
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..500 {
                        let sum = AtomicUsize::new(0);
                        share(10, &|i| {
                            sum.fetch_add(i, Ordering::Relaxed);
                        });
                        assert_eq!(sum.into_inner(), 45);
                    }
                });
            }
        });
    }

    #[test]
    fn a_panic_reaches_the_caller() {
        let caught = catch_unwind(|| share(8, &|i| assert_ne!(i, 5)));
        assert!(caught.is_err());
    }

    #[test]
    fn bad_counts_are_named() {
        for bad in ["0", "-1", "two", "1025"] {
            let error = checked(THREADS_VARIABLE, bad).unwrap_err().to_string();
            assert_eq!(error, format!("GRADSTEP_NUM_THREADS must be an integer from 1 to 1024, got {bad}"));
        }
    }
}
