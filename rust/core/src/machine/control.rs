//! The floating-point unit's control word: rounding, and whether subnormal numbers are flushed to zero.
//!
//! # Rationale
//! Each thread has its own. Libraries that are built with fast-math switch on flush-to-zero in the thread that
//! loads them, and so in the thread that calls us, but not in our helpers: without care the bits of a result
//! would depend on which thread computed it. So a helper takes over its caller's word for the time of a job.

/// The control word of a thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Control(Word);

#[cfg(target_arch = "x86_64")]
type Word = u32;
#[cfg(target_arch = "aarch64")]
type Word = u64;
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
type Word = ();

/// The bits of MXCSR that say what has happened, not what shall.
#[cfg(target_arch = "x86_64")]
const FLAGS: Word = 0x3f;

impl Control {
    /// Of this thread, now.
    pub fn here() -> Self {
        Self(read())
    }

    /// Runs `work` under this control word.
    pub fn during<T>(self, work: impl FnOnce() -> T) -> T {
        let own = Restore(Self::here());
        if self != own.0 {
            write(self.0);
        }
        work()
    }
}

/// Puts a control word back, also after a panic.
struct Restore(Control);

impl Drop for Restore {
    fn drop(&mut self) {
        if Control::here() != self.0 {
            write(self.0.0);
        }
    }
}

#[cfg(target_arch = "x86_64")]
fn read() -> Word {
    let mut word: Word = 0;
    // SAFETY: writes the four bytes of `word`.
    unsafe { std::arch::asm!("stmxcsr [{}]", in(reg) &raw mut word, options(nostack, preserves_flags)) };
    word & !FLAGS
}

#[cfg(target_arch = "x86_64")]
fn write(word: Word) {
    // SAFETY: reads four bytes, a control word that was read from this unit and so has no reserved bit.
    unsafe { std::arch::asm!("ldmxcsr [{}]", in(reg) &raw const word, options(nostack, preserves_flags)) };
}

#[cfg(target_arch = "aarch64")]
fn read() -> Word {
    let word: Word;
    // SAFETY: reads a register that every thread may read.
    unsafe { std::arch::asm!("mrs {}, fpcr", out(reg) word, options(nomem, nostack, preserves_flags)) };
    word
}

#[cfg(target_arch = "aarch64")]
fn write(word: Word) {
    // SAFETY: a control word that was read from this register.
    unsafe { std::arch::asm!("msr fpcr, {}", in(reg) word, options(nomem, nostack, preserves_flags)) };
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
fn read() -> Word {}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
fn write((): Word) {}

#[cfg(all(test, target_arch = "x86_64"))]
mod tests {
    use super::*;
    use std::hint::black_box;
    use std::panic::{AssertUnwindSafe, catch_unwind};

    /// Flush to zero, and denormals are zero.
    const FLUSH: Word = 0x8040;

    #[test]
    fn a_control_word_holds_for_the_time_of_the_work() {
        let halved = || black_box(black_box(f32::MIN_POSITIVE) * black_box(0.5)) == 0.0;
        let own = Control::here();
        let flushing = Control(own.0 | FLUSH);
        assert!(!halved() && flushing.during(halved) && !halved());
        assert!(catch_unwind(AssertUnwindSafe(|| flushing.during(|| panic!("on purpose")))).is_err());
        assert_eq!(Control::here(), own);
    }
}
