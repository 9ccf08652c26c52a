//! The helper threads of this process, parked until a job is posted to them or announced.

use std::sync::atomic::{AtomicBool, AtomicPtr, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use super::counts::{MAX_THREADS, num_threads};
use super::jobs::Job;
use super::placement::{Bar, Place};

struct Pool {
    process: u32,
    helpers: Vec<Helper>,
    serving: AtomicBool,
    /// When its threads were last tried to start.
    tried: Mutex<Option<Instant>>,
}

/// How long a system that refused threads is left in peace.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// What starting one thread may take of the heap, besides its stack.
const BYTES_OF_A_THREAD: usize = 16 * 1024;

/// How many times a helper looks for a job that was announced before it sleeps again: some 100 µs.
const LOOKS: usize = 2048;

/// A thread and what it is to look at next.
#[derive(Default)]
struct Helper {
    mailbox: Mutex<Option<Letter>>,
    /// Known once the thread runs.
    thread: OnceLock<Thread>,
    bar: Bar,
}

enum Letter {
    Job(Arc<Job>),
    /// A job will soon come from there.
    Announced(Place),
}

/// Offers a job to so many helpers, and returns at once. While the system refuses threads or memory, none comes.
pub(super) fn post(job: &Arc<Job>, helpers: usize) {
    let Some(pool) = pool(helpers) else { return };
    if !pool.serving.load(Ordering::Acquire) && !pool.start() {
        return;
    }
    for helper in &pool.helpers[..helpers] {
        // A letter not yet taken announces this job, is another caller's, or came too late: whoever is last, wins.
        *helper.lock() = Some(Letter::Job(Arc::clone(job)));
        helper.wake(job.place());
    }
}

/// Wakes so many helpers for a job that is about to be posted, if they have been started.
pub(super) fn announce(helpers: usize) {
    let Some(pool) = pool(helpers) else { return };
    if pool.serving.load(Ordering::Acquire) {
        let place = Place::here();
        for helper in &pool.helpers[..helpers] {
            helper.lock().get_or_insert(Letter::Announced(place));
            helper.wake(&place);
        }
    }
}

impl Helper {
    fn lock(&self) -> MutexGuard<'_, Option<Letter>> {
        self.mailbox.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wakes it for a caller at that place.
    fn wake(&self, place: &Place) {
        // One that is not yet running looks into its mailbox before it parks.
        if let Some(thread) = self.thread.get() {
            self.bar.follow(place);
            thread.unpark();
        }
    }

    fn serve(&self) {
        self.bar.own();
        self.thread.get_or_init(thread::current);
        loop {
            let letter = self.lock().take();
            match letter {
                Some(Letter::Job(job)) => {
                    // Also when it comes too late: having to wait for its caller's core may be why.
                    self.bar.leave(job.place());
                    job.help();
                }
                Some(Letter::Announced(place)) => {
                    self.bar.leave(&place);
                    self.look_out();
                }
                None => thread::park(),
            }
        }
    }

    /// Waits a little for a letter.
    fn look_out(&self) {
        for _ in 0..LOOKS {
            if self.lock().is_some() {
                return;
            }
            std::hint::spin_loop();
        }
    }
}

/// The pool of this process, with at least so many helpers; none where there is no memory for it. A larger one leaves
/// the helpers of the old one parked for ever, so it grows to what all calls may ask for, and at least doubles.
fn pool(helpers: usize) -> Option<&'static Pool> {
    static POOL: AtomicPtr<Pool> = AtomicPtr::new(std::ptr::null_mut());
    let process = std::process::id();
    loop {
        let current = POOL.load(Ordering::Acquire);
        // SAFETY: the pointer is null or comes from Box::into_raw below, and what is stored is never freed.
        let pool = unsafe { current.as_ref() };
        if let Some(pool) = pool.filter(|pool| pool.process == process && pool.helpers.len() >= helpers) {
            return Some(pool);
        }
        let of_this_process = pool.filter(|pool| pool.process == process);
        let twice = of_this_process.map_or(0, |pool| 2 * pool.helpers.len());
        let size = helpers.max(num_threads().saturating_sub(1)).max(twice).min(MAX_THREADS);
        let mut helpers = Vec::new();
        helpers.try_reserve_exact(size).ok()?;
        helpers.resize_with(size, Helper::default);
        let (serving, tried) = (AtomicBool::new(false), Mutex::new(None));
        let new = Box::into_raw(Box::new(Pool { process, helpers, serving, tried }));
        if POOL.compare_exchange(current, new, Ordering::AcqRel, Ordering::Relaxed).is_err() {
            // SAFETY: another thread of this process was first; nobody has seen `new`.
            drop(unsafe { Box::from_raw(new) });
        }
    }
}

impl Pool {
    /// Sets a rayon pool's threads to serve, unless that has just failed or another caller is at it. It is
    /// leaked: they serve until the process ends.
    #[cold]
    fn start(&'static self) -> bool {
        let Ok(mut tried) = self.tried.try_lock() else { return false };
        if self.serving.load(Ordering::Acquire) {
            return true;
        }
        if tried.is_some_and(|at| at.elapsed() < RETRY_AFTER) {
            return false;
        }
        *tried = Some(Instant::now());
        let threads = self.helpers.len();
        // rayon asks for memory in ways that end the process where there is none.
        if Vec::<u8>::new().try_reserve_exact(threads * BYTES_OF_A_THREAD).is_err() {
            return false;
        }
        let builder = rayon::ThreadPoolBuilder::new().num_threads(threads);
        let Ok(rayon) = builder.thread_name(|i| format!("gradstep-{i}")).build() else { return false };
        let rayon = Box::leak(Box::new(rayon));
        rayon.spawn_broadcast(|worker| self.helpers[worker.index()].serve());
        self.serving.store(true, Ordering::Release);
        true
    }
}
