//! Threads: an own pool, built at the first parallel call, and one way to share work over it.
//!
//! # Rationale
//! - **Own pool.** rayon's global pool does not survive `fork()`: the child has none of its threads
//!   and would wait for ever. This pool knows the process that built it; a child builds its own and
//!   leaks its copy of the parent's (dropping that would wait for threads that are not there).
//! - **The caller works too**, and never waits for a helper that has not begun. Waking a thread takes
//!   5 to 50 µs; with a scope, the caller would have to sit that out even when nothing is left to do.
//! - **Helpers park.** The threads are rayon's, but each waits in a loop of our own. A rayon worker that
//!   finds nothing to do yields some thirty times before it sleeps, and while it does, nobody wakes it: a
//!   job spawned 3 ms after the last one began after 2 to 5 ms (median), on a parked thread after 1 to
//!   12 µs. Where a core sleeps deeper that is 40 to 70 µs, so that whoever has something short to do first
//!   [announces](announce) a job. And they keep [off their caller's core](placement).
//! - **Number of threads** is a limit on how many helpers a call asks for, so lowering it costs
//!   nothing. The pool only ever grows.
//!
//! Which thread runs a task never changes a result: tasks are cut by the caller, not by the pool.

mod counts;
mod exported;
mod jobs;
mod placement;
mod pool;

use std::sync::Arc;

use jobs::Job;

pub use counts::{MAX_THREADS, THREADS_VARIABLE, default_threads, num_threads, set_num_threads, workers};

/// Calls `task(worker, i)` once for every `i` below `count`, on this thread and its helpers, and returns when
/// all are done. Workers are numbered from 0 to below `workers`; none does two tasks at once.
pub fn share(workers: usize, count: usize, task: &(dyn Fn(usize, usize) + Sync)) {
    let job = if workers > 1 { Job::new(count, workers, task) } else { None };
    let Some(job) = job else { return (0..count).for_each(|i| task(0, i)) };
    let job = Arc::new(job);
    pool::post(&job, workers - 1);
    job.finish();
}

/// Wakes helpers for a call of [`share`] with so many workers that will follow within some 100 µs: until then they look
/// out for it.
pub fn announce(workers: usize) {
    if workers > 1 {
        pool::announce(workers - 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::panic::catch_unwind;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;
    use std::time::{Duration, Instant};

    /// More than some machines have cores, so that helpers take part on all of them.
    const WORKERS: usize = 4;

    #[test]
    fn every_task_runs_once() {
        for count in [0, 1, 2, 3, 1000] {
            let done: Vec<_> = (0..count).map(|_| AtomicUsize::new(0)).collect();
            share(WORKERS, count, &|_, i| {
                done[i].fetch_add(1, Ordering::Relaxed);
            });
            assert!(done.iter().all(|n| n.load(Ordering::Relaxed) == 1));
        }
    }

    #[test]
    fn helpers_take_part_and_no_worker_does_two_tasks_at_once() {
        let busy: Vec<_> = (0..WORKERS).map(|_| AtomicUsize::new(0)).collect();
        let tasks = AtomicUsize::new(0);
        // While another test's caller starts the threads or has their attention, none comes.
        let begun = Instant::now();
        while tasks.load(Ordering::Relaxed) == 0 {
            assert!(begun.elapsed() < Duration::from_secs(10), "no helper came");
            share(WORKERS, 100, &|worker, _| {
                assert_eq!(busy[worker].fetch_add(1, Ordering::Relaxed), 0);
                thread::sleep(Duration::from_micros(100));
                tasks.fetch_add(usize::from(worker > 0), Ordering::Relaxed);
                busy[worker].fetch_sub(1, Ordering::Relaxed);
            });
        }
    }

    #[test]
    fn what_was_announced_may_come_or_not() {
        // The first call starts the threads.
        share(WORKERS, 1, &|_, _| {});
        for pause in [0, 10, 1000] {
            for _ in 0..20 {
                announce(WORKERS);
                announce(WORKERS);
                thread::sleep(Duration::from_micros(pause));
                let sum = AtomicUsize::new(0);
                share(WORKERS, 10, &|_, i| {
                    sum.fetch_add(i, Ordering::Relaxed);
                });
                assert_eq!(sum.into_inner(), 45);
            }
        }
        announce(1);
        announce(WORKERS);
    }

    #[test]
    fn many_callers_at_once() {
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..500 {
                        let sum = AtomicUsize::new(0);
                        share(WORKERS, 10, &|_, i| {
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
        let caught = catch_unwind(|| share(WORKERS, 8, &|_, i| assert_ne!(i, 5)));
        assert!(caught.is_err());
    }
}
