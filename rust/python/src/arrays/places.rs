//! Where in a room the state of each parameter is put.
//!
//! # Rationale
//! Two streams whose addresses are alike in their last twelve bits get into each other's way: a load waits for a
//! store that the processor takes for one to the same place. Arrays that malloc lays 4 KiB apart made Adam on
//! 1,000 elements take twice the time, in some processes and not in others. So the arrays of a parameter's state divide
//! the 4 KiB behind it among themselves.

/// Arrays of at least so many bytes keep their distance.
const FAR_FROM: usize = 2048;

const PAGE: usize = 4096;

const CACHE_LINE: usize = 64;

/// What is put somewhere: an array of the state of one parameter.
#[derive(Clone, Copy)]
pub(super) struct Load {
    /// The address of the parameter.
    pub(super) params: usize,
    pub(super) bytes: usize,
    /// Which of the parameter's it is, and of how many.
    pub(super) slot: usize,
    pub(super) slots: usize,
}

/// Bytes that are enough for the loads wherever the room begins.
pub(super) fn room_for(loads: impl Iterator<Item = Load>) -> usize {
    loads.map(|load| load.bytes + if load.bytes < FAR_FROM { CACHE_LINE } else { PAGE + CACHE_LINE }).sum()
}

/// Calls `put(load, address)` for each of the loads, in a room that begins at `start`.
pub(super) fn place(start: usize, loads: impl Iterator<Item = Load>, mut put: impl FnMut(usize, usize)) {
    let mut next = start;
    for (i, Load { params, bytes, slot, slots }) in loads.enumerate() {
        next = if bytes < FAR_FROM {
            // Tiny ones are packed; they are as aligned as their elements.
            next.next_multiple_of(if bytes < CACHE_LINE { 8 } else { CACHE_LINE })
        } else {
            // One part more than there are streams in this room is left for the gradient.
            let wanted = params + (slot + 1) * PAGE / (slots + 2);
            let distance = wanted.wrapping_sub(next) % PAGE;
            (next + distance).next_multiple_of(CACHE_LINE)
        };
        put(i, next);
        next += bytes;
    }
}
