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

/// Where a caller runs: its thread and its core, where the system tells.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    #[cfg(target_os = "linux")]
    thread: libc::pid_t,
    #[cfg(target_os = "linux")]
    core: libc::c_int,
}

impl Place {
    /// Of this thread, now.
    pub(super) fn here() -> Self {
        Self {
            // The call itself: glibc has a function for it from 2.30 on only.
            // SAFETY: it takes no argument and touches no memory; thread numbers fit into a pid_t.
            #[cfg(target_os = "linux")]
            thread: unsafe { libc::syscall(libc::SYS_gettid) as libc::pid_t },
            // SAFETY: as above.
            #[cfg(target_os = "linux")]
            core: unsafe { libc::sched_getcpu() },
        }
    }

    /// If this thread runs on that core, it moves to another of those that the caller may use.
    pub(super) fn leave(self) {
        #[cfg(target_os = "linux")]
        if Self::here().core == self.core {
            self.bar();
        }
    }

    #[cfg(target_os = "linux")]
    fn bar(self) {
        let size = size_of::<libc::cpu_set_t>();
        let Ok(core) = usize::try_from(self.core) else { return };
        // SAFETY: a cpu_set_t is an array of integers, for which zeros are valid; the calls read and write
        // `size` bytes of it; CPU_CLR is given a core that the set has room for. An empty set is refused.
        unsafe {
            let mut cores: libc::cpu_set_t = std::mem::zeroed();
            if core < 8 * size && libc::sched_getaffinity(self.thread, size, &raw mut cores) == 0 {
                libc::CPU_CLR(core, &mut cores);
                libc::sched_setaffinity(0, size, &raw const cores);
            }
        }
    }
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
            (here, Place::here())
        });
        let (before, after) = moved.join().unwrap();
        assert!(cores == 1 || before.core != after.core, "{before:?} {after:?}");
    }
}
