//! Keeps a helper off its caller's core.
//!
//! # Rationale
//! In a virtual machine Linux takes a halted core for one that the host has taken away, and so wakes a
//! thread on the core of whoever wakes it, beside the idle one. There the helper only takes turns with its
//! caller: on the machine measured (Linux 6.18, two cores) two threads then took as long as one, 42 against
//! 28 µs for Adam on 262,144 elements. A helper that finds itself on its caller's core bars itself from it.
//!
//! # Limitations
//! Only on Linux; elsewhere these functions do nothing. The bar stays until the helper meets a caller on
//! another core, so of many cores a helper may be kept from one that is free, and of callers with masks of
//! their own it follows the one that it last met.

/// Where a caller runs, and where it may run, if the system tells.
#[derive(Clone, Copy)]
pub(super) struct Place {
    #[cfg(target_os = "linux")]
    core: libc::c_int,
    #[cfg(target_os = "linux")]
    cores: Option<libc::cpu_set_t>,
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

    /// If this thread runs on that core, it moves to another of those that the caller may use.
    pub(super) fn leave(&self) {
        let (Ok(core), Some(mut cores)) = (usize::try_from(self.core), self.cores) else { return };
        if current_core() != self.core || core >= 8 * size_of_val(&cores) {
            return;
        }
        // SAFETY: the set has room for that core; it is read for the calling thread (0), and refused if empty.
        unsafe {
            libc::CPU_CLR(core, &mut cores);
            libc::sched_setaffinity(0, size_of_val(&cores), &raw const cores);
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

    pub(super) fn leave(&self) {}
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_helper_leaves_its_callers_core() {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let moved = std::thread::spawn(|| {
            let here = Place::here();
            here.leave();
            (here.core, current_core())
        });
        let (before, after) = moved.join().unwrap();
        assert!(cores == 1 || before != after, "{before} {after}");
    }
}
