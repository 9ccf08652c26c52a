//! One call's tasks, its caller and its helpers.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, Thread};

use super::placement::Place;
use crate::machine::control::Control;

/// How many times a caller looks whether its helpers are done before it sleeps: some 20 µs.
const SPINS: usize = 4096;

/// What is called with the number of a worker and that of a task.
pub(super) type Task<'a> = dyn Fn(usize, usize) + Sync + 'a;

/// One call of [`super::share`]: the tasks not yet taken, and who is working on them.
pub(super) struct Job {
    /// One stretch of tasks for each thread. Who is through with its own takes from the others'.
    stretches: Vec<Stretch>,
    /// How many workers have begun, the caller among them.
    begun: AtomicUsize,
    /// Valid until `share` returns. Only dereferenced inside [`Job::work`].
    task: *const Task<'static>,
    /// Twice the number of helpers at work, plus [`CLOSED`] once the caller admits no more.
    gate: AtomicUsize,
    caller: Thread,
    /// What the caller's results depend on.
    control: Control,
    /// Where the caller ran when it asked for help.
    place: Place,
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
// SAFETY: as above; the other fields are atomics, a thread handle, and what is only read.
unsafe impl Sync for Job {}

impl Job {
    /// None where there is no memory for it.
    pub(super) fn new(count: usize, threads: usize, task: &Task<'_>) -> Option<Self> {
        let mut stretches = Vec::new();
        stretches.try_reserve_exact(threads).ok()?;
        stretches.extend((0..threads).map(|k| Stretch {
            next: AtomicUsize::new(k * count / threads),
            end: (k + 1) * count / threads,
        }));
        // SAFETY: only the lifetime changes. A helper reads the pointer only after entering through the
        // gate, and `share` (whose borrow is live all the while) leaves only after `Closing` has shut
        // the gate and seen the last helper out.
        let task: &'static Task<'static> = unsafe { std::mem::transmute(task) };
        Some(Self {
            stretches,
            begun: AtomicUsize::new(0),
            task,
            gate: AtomicUsize::new(0),
            caller: thread::current(),
            control: Control::here(),
            place: Place::here(),
            panicked: AtomicBool::new(false),
        })
    }

    pub(super) fn place(&self) -> &Place {
        &self.place
    }

    /// Takes tasks until none is left.
    fn work(&self) {
        // SAFETY: called by `share` itself or by a helper inside the gate, so the closure is alive.
        let task = unsafe { &*self.task };
        let worker = self.begun.fetch_add(1, Ordering::Relaxed);
        let (before, after) = self.stretches.split_at(worker);
        for stretch in after.iter().chain(before) {
            loop {
                let i = stretch.next.fetch_add(1, Ordering::Relaxed);
                if i >= stretch.end {
                    break;
                }
                task(worker, i);
            }
        }
    }

    /// The caller's part: work, let nobody else begin, and wait for who has.
    pub(super) fn finish(&self) {
        let closing = Closing(self);
        self.work();
        drop(closing);
        assert!(!self.panicked.load(Ordering::Relaxed), "a parallel task panicked");
    }

    /// A helper's part: in through the gate, work, out.
    pub(super) fn help(&self) {
        let enter = |gate| (gate & CLOSED == 0).then_some(gate + ONE_HELPER);
        if self.gate.fetch_update(Ordering::Acquire, Ordering::Relaxed, enter).is_err() {
            return;
        }
        if catch_unwind(AssertUnwindSafe(|| self.control.during(|| self.work()))).is_err() {
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
