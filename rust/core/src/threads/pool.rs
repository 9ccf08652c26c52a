//! The helper threads of this process, parked until a job is posted to them.

use std::sync::atomic::{AtomicPtr, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::{self, Thread};

use super::jobs::Job;
use super::{MAX_THREADS, num_threads};

struct Pool {
    process: u32,
    helpers: Box<[Helper]>,
}

/// A thread and the job it is to look at next.
#[derive(Default)]
struct Helper {
    mailbox: Mutex<Option<Arc<Job>>>,
    /// Known once the thread runs.
    thread: OnceLock<Thread>,
}

/// Offers a job to so many helpers, and returns at once. Where the system refuses threads, none comes.
pub(super) fn post(job: &Arc<Job>, helpers: usize) {
    for helper in &pool(helpers).helpers[..helpers] {
        // A letter not yet taken is another caller's, or one that came too late: whoever is last, wins.
        *helper.lock() = Some(Arc::clone(job));
        // A helper that is not yet running looks into its mailbox before it parks.
        if let Some(thread) = helper.thread.get() {
            thread.unpark();
        }
    }
}

impl Helper {
    fn lock(&self) -> MutexGuard<'_, Option<Arc<Job>>> {
        self.mailbox.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn serve(&self) {
        self.thread.get_or_init(thread::current);
        loop {
            let job = self.lock().take();
            match job {
                Some(job) => job.help(),
                None => thread::park(),
            }
        }
    }
}

/// The pool of this process, with at least so many helpers. A larger one leaves the helpers of the old one
/// parked for ever, so it grows to what all calls may ask for, and at least doubles.
fn pool(helpers: usize) -> &'static Pool {
    static POOL: AtomicPtr<Pool> = AtomicPtr::new(std::ptr::null_mut());
    let process = std::process::id();
    loop {
        let current = POOL.load(Ordering::Acquire);
        // SAFETY: the pointer is null or comes from Box::into_raw below, and what is stored is never freed.
        let pool = unsafe { current.as_ref() };
        if let Some(pool) = pool.filter(|pool| pool.process == process && pool.helpers.len() >= helpers) {
            return pool;
        }
        let of_this_process = pool.filter(|pool| pool.process == process);
        let twice = of_this_process.map_or(0, |pool| 2 * pool.helpers.len());
        let size = helpers.max(num_threads().saturating_sub(1)).max(twice).min(MAX_THREADS);
        let helpers = (0..size).map(|_| Helper::default()).collect();
        let new = Box::into_raw(Box::new(Pool { process, helpers }));
        if POOL.compare_exchange(current, new, Ordering::AcqRel, Ordering::Relaxed).is_ok() {
            // SAFETY: just stored, so never freed.
            start(unsafe { &*new });
        } else {
            // SAFETY: another thread of this process was first; nobody has seen `new`.
            drop(unsafe { Box::from_raw(new) });
        }
    }
}

/// Sets a rayon pool's threads to serve. It is leaked: they serve until the process ends.
fn start(pool: &'static Pool) {
    let name = |i| format!("gradstep-{i}");
    let builder = rayon::ThreadPoolBuilder::new().num_threads(pool.helpers.len()).thread_name(name);
    if let Ok(rayon) = builder.build() {
        let rayon = Box::leak(Box::new(rayon));
        rayon.spawn_broadcast(|worker| pool.helpers[worker.index()].serve());
    }
}
