//! Where the state of all parameters is: in one room, or in files, which are a room for each array.

use gradstep_core::memory::Tensor;
use pyo3::prelude::*;

use super::layouts::Layout;
use super::made::Room;
use super::members::{Member, Slots, reserved};
use super::places::{Load, place, room_for};
use crate::errors::value_error;
use crate::files::{Files, Wanted};

/// Sorted by their addresses.
pub(super) struct Rooms(Vec<Room>);

impl Rooms {
    /// Makes room for the state of all members, and points their tensors to it.
    pub(super) fn new(
        py: Python<'_>,
        members: &[Member],
        tensors: &mut [Tensor],
        slots: &[Slots],
        accumulates: bool,
        files: Option<&Files>,
    ) -> PyResult<Self> {
        let streams = |member: &Member| slots[member.group].streams() + usize::from(accumulates);
        let mut put = |leaf: usize, slot: usize, at: *mut u8| {
            let (tensor, slots) = (&mut tensors[leaf], &slots[members[leaf].group]);
            if slot < slots.of_rule.len() {
                tensor.state[slot] = at;
                tensor.slots = slot + 1;
            } else if slot < slots.streams() {
                tensor.average = at;
            } else {
                tensor.accumulated = at;
            }
        };
        let Some(files) = files else {
            let load = |member: &Member| Load {
                params: member.data as usize,
                bytes: member.parameter.layout.bytes(),
                slots: streams(member),
            };
            let room = Room::new(py, room_for(members.iter().map(load)))?;
            place(room.start() as usize, members.iter().map(load), |leaf, slot, at| {
                put(leaf, slot, room.at(at));
            });
            return Ok(Self(vec![room]));
        };
        let mut wanted: Vec<Wanted<'_>> = reserved(members.iter().map(streams).sum())?;
        for member in members {
            let layout = &member.parameter.layout;
            wanted.extend((0..streams(member)).map(|slot| {
                let name = slots[member.group].name(slot);
                (member.parameter.name(), name, &*layout.shape, &*layout.strides, layout.dtype_name())
            }));
        }
        let arrays = files.arrays(py, &wanted)?;
        if arrays.len() != wanted.len() {
            return Err(value_error("there must be an array for each slot"));
        }
        let mut rooms = reserved(arrays.len())?;
        let mut next = 0;
        for (leaf, member) in members.iter().enumerate() {
            for slot in 0..streams(member) {
                let room = Room::of(&arrays.get_item(next)?, member.parameter.layout.bytes())?;
                put(leaf, slot, room.start());
                rooms.push(room);
                next += 1;
            }
        }
        rooms.sort_by_key(Room::stretch);
        Ok(Self(rooms))
    }

    /// From the first byte of each room to that after its last.
    pub(super) fn stretches(&self) -> impl ExactSizeIterator<Item = (usize, usize)> {
        self.0.iter().map(Room::stretch)
    }

    /// Whether a stretch of memory is outside all rooms.
    pub(super) fn is_outside(&self, (start, end): (usize, usize)) -> bool {
        let after = self.0.partition_point(|room| room.stretch().1 <= start);
        self.0.get(after).is_none_or(|room| room.stretch().0 >= end)
    }

    /// An array of that layout whose memory begins at `data`, which is inside.
    pub(super) fn view<'py>(
        &self,
        py: Python<'py>,
        data: *mut u8,
        layout: &Layout,
    ) -> PyResult<Bound<'py, PyAny>> {
        let at = self.0.partition_point(|room| room.start() <= data).saturating_sub(1);
        self.0[at].view(py, data, layout)
    }
}
