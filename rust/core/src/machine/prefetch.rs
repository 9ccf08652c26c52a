//! Memory asked for before it is needed: where nothing about it could be guessed, and where the machine guesses too late.

/// Elements that a long loop asks for at a time, and how far ahead: enough for what memory takes to answer, and not so
/// many at once that the loop waits for them.
pub(crate) const STRETCH: usize = 64;
pub(crate) const AHEAD: usize = 384;

/// Elements from which on a stream is long enough to ask for what is ahead: hardly any where that was not measured.
pub(crate) const LONG: usize = if cfg!(target_arch = "x86_64") { 4096 } else { usize::MAX };

/// Bytes of a cache line.
pub(crate) const CACHE_LINE: usize = 64;

/// Asks for so many elements of a stream from one on, which may be behind its end. Of an empty stream there are none.
#[inline(always)]
pub(crate) fn ask<T>(stream: &[T], from: usize, elements: usize) {
    if !stream.is_empty() {
        let begin = stream.as_ptr().wrapping_add(from).cast::<u8>();
        for at in (0..elements * size_of::<T>()).step_by(CACHE_LINE) {
            prefetch(begin.wrapping_add(at));
        }
    }
}

/// Asks for the cache line of an address, if this architecture has a way to do so.
#[inline(always)]
pub(crate) fn prefetch(address: *const u8) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: a hint, which does nothing else and fails at no address; every x86-64 has it.
    unsafe {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        _mm_prefetch::<_MM_HINT_T0>(address.cast());
    }
    #[cfg(target_arch = "aarch64")]
    // SAFETY: a hint, which does nothing else and fails at no address.
    unsafe {
        std::arch::asm!("prfm pldl1keep, [{}]", in(reg) address, options(nostack, preserves_flags, readonly));
    }
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    let _ = address;
}
