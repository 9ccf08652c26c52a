//! Keeps a helper off its caller's core.
//!
//! # Rationale
//! In a virtual machine Linux takes a halted core for one that the host has taken away, and so wakes a
//! thread on the core of whoever wakes it, beside the idle one. There the helper only takes turns with its
//! caller: on the machine measured (Linux 6.18, two cores) two threads then took as long as one, 42 against
//! 28 µs for Adam on 262,144 elements. A helper that finds itself on its caller's core bars itself from it.
//! Once it is barred from one, callers on other cores bar it from theirs before they wake it: where it may only run on
//! theirs, it would find out when they sleep, and a step after its thread had moved took 630 µs instead of 370.
//!
//! # Limitations
//! Only on Linux; elsewhere these functions do nothing. The bar stays until a caller on another core wakes the
//! helper, so of many cores a helper may be kept from one that is free, and of callers with masks of
//! their own it follows the one that it last met.

#[cfg(target_os = "linux")]
use std::sync::atomic::{AtomicI32, Ordering};

/// Where a caller runs, and where it may run, if the system tells.
#[derive(Clone, Copy)]
pub(super) struct Place {
    #[cfg(target_os = "linux")]
    core: libc::c_int,
    #[cfg(target_os = "linux")]
    cores: Option<libc::cpu_set_t>,
}

/// The core that a helper is barred from, if any.
#[derive(Default)]
pub(super) struct Bar {
    /// The helper, as the system knows it; 0 before it runs.
    #[cfg(target_os = "linux")]
    thread: AtomicI32,
    /// One more than the core.
    #[cfg(target_os = "linux")]
    core: AtomicI32,
}

#[cfg(target_os = "linux")]
impl Place {
    /// Of this thread, now.
    pub(super) fn here() -> Self {
        // SAFETY: a cpu_set_t is an array of integers, for which zeros are valid.
        let mut cores: libc::cpu_set_t = unsafe { std::mem::zeroed() };
        // SAFETY: writes at most as many bytes as it is told, for the calling thread (0).
        let known = unsafe { libc::sched_getaffinity(0, size_of_val(&cores), &raw mut cores) } == 0;
        Self { core: current_core(), cores: known.then_some(cores) }
    }

    /// Lets a thread run on the cores where the caller may run, but for its own. Returns whether there are any.
    fn bar(&self, thread: libc::pid_t) -> bool {
        let (Ok(core), Some(mut cores)) = (usize::try_from(self.core), self.cores) else { return false };
        if core >= 8 * size_of_val(&cores) {
            return false;
        }
        // SAFETY: the set has room for that core; it is read, and refused if empty.
        unsafe {
            libc::CPU_CLR(core, &mut cores);
            libc::sched_setaffinity(thread, size_of_val(&cores), &raw const cores) == 0
        }
    }
}

#[cfg(target_os = "linux")]
impl Bar {
    /// Says that this thread is the helper.
    pub(super) fn own(&self) {
        // SAFETY: takes no argument and touches no memory. Not every C library has it as a function.
        let thread = unsafe { libc::syscall(libc::SYS_gettid) };
        self.thread.store(thread as i32, Ordering::Relaxed);
    }

    /// Called by the helper: if it runs on its caller's core, it moves to another.
    pub(super) fn leave(&self, place: &Place) {
        if current_core() == place.core && place.bar(0) {
            self.core.store(place.core + 1, Ordering::Relaxed);
        }
    }

    /// Called by the caller before it wakes the helper: who was barred from another core is barred from the caller's.
    pub(super) fn follow(&self, place: &Place) {
        let (thread, core) = (self.thread.load(Ordering::Relaxed), self.core.load(Ordering::Relaxed));
        if core != 0 && core != place.core + 1 && place.bar(thread) {
            self.core.store(place.core + 1, Ordering::Relaxed);
        }
    }
}

#[cfg(target_os = "linux")]
fn current_core() -> libc::c_int {
    // SAFETY: takes no argument and touches no memory.
    unsafe { libc::sched_getcpu() }
}

#[cfg(not(target_os = "linux"))]
impl Place {
    pub(super) fn here() -> Self {
        Self {}
    }
}

#[cfg(not(target_os = "linux"))]
impl Bar {
    pub(super) fn own(&self) {}

    pub(super) fn leave(&self, _: &Place) {}

    pub(super) fn follow(&self, _: &Place) {}
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use std::sync::mpsc;
    use std::thread;

    #[test]
    fn a_helper_leaves_its_callers_core() {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let moved = thread::spawn(|| {
            let here = Place::here();
            Bar::default().leave(&here);
            (here.core, current_core())
        });
        let (before, after) = moved.join().unwrap();
        assert!(cores == 1 || before != after, "{before} {after}");
    }

    #[test]
    fn who_was_barred_once_is_barred_from_the_core_of_whoever_calls() {
        let bar = Bar::default();
        let (asks, asked) = mpsc::channel();
        let (tells, told) = mpsc::channel();
        thread::scope(|scope| {
            scope.spawn(|| {
                bar.own();
                for () in asked {
                    let allowed = Place::here().cores.unwrap();
                    tells.send(allowed).unwrap();
                }
            });
            let allowed = |core: i32| {
                asks.send(()).unwrap();
                // SAFETY: a core of this machine, for which the set has room.
                unsafe { libc::CPU_ISSET(core as usize, &told.recv().unwrap()) }
            };
            let all = Place::here();
            let own: Vec<i32> = (0..1024)
                // SAFETY: the set has room for so many.
                .filter(|&core| unsafe { libc::CPU_ISSET(core as usize, &all.cores.unwrap()) })
                .collect();
            for &core in &own {
                bar.follow(&Place { core, ..all });
                assert!(allowed(core), "it was not barred as yet");
            }
            bar.core.store(1 + own[0], Ordering::Relaxed);
            for &core in own.iter().rev().filter(|_| own.len() > 1) {
                bar.follow(&Place { core, ..all });
                assert!(!allowed(core));
                assert!(own.iter().filter(|&&other| other != core).all(|&other| allowed(other)));
            }
            drop(asks);
        });
    }
}
