//! Where the state of all parameters is: in one room, or in files, which are a room for each array.

use gradstep_core::codecs::{Format, narrow};
use gradstep_core::memory::Tensor;
use pyo3::prelude::*;

use super::forms::Form;
use super::made::Room;
use super::members::{Member, Part, Purpose, Slots, reserved};
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
        let parts = |member: &Member| slots[member.group].parts(member.whole, accumulates);
        for (member, tensor) in members.iter().zip(&mut *tensors) {
            let Slots { of_rule, format, .. } = &slots[member.group];
            (tensor.slots, tensor.format) = (of_rule.len(), format.of(member.whole));
            tensor.first = member.first;
            tensor.narrow = if tensor.format == Format::Whole { 0 } else { narrow(of_rule) };
        }
        let mut put = |leaf: usize, part: Part, at: *mut u8| {
            let tensor = &mut tensors[leaf];
            match part.purpose {
                Purpose::Slot(k) => tensor.state[k] = at,
                Purpose::Exponents(k) => tensor.exponents[k] = at,
                Purpose::Average => tensor.average = at,
                Purpose::Accumulated => tensor.accumulated = at,
            }
        };
        let all = || {
            members.iter().enumerate().flat_map(|(leaf, member)| parts(member).map(move |part| (leaf, part)))
        };
        let Some(files) = files else {
            let loads = || {
                members.iter().flat_map(|member| {
                    let (params, slots) = (member.data as usize, parts(member).count());
                    let load = move |(slot, part): (usize, Part)| Load {
                        params,
                        bytes: part.bytes(&member.parameter.layout),
                        slot,
                        slots,
                    };
                    parts(member).enumerate().map(load)
                })
            };
            let room = Room::new(py, room_for(loads()))?;
            let mut next = all();
            place(room.start() as usize, loads(), |_, at| {
                let (leaf, part) = next.next().expect("a load for each part");
                put(leaf, part, room.at(at));
            });
            return Ok(Self(vec![room]));
        };
        let mut forms = reserved(all().count())?;
        forms.extend(all().map(|(leaf, part)| part.form(&members[leaf].parameter.layout)));
        let names = all().map(|(leaf, part)| (members[leaf].parameter.name(), part.name.concat()));
        let mut wanted: Vec<Wanted<'_>> = reserved(forms.len())?;
        wanted.extend(names.zip(&forms).map(|((parameter, slot), form)| {
            (parameter, slot, &*form.shape, &*form.strides, form.element.name())
        }));
        let arrays = files.arrays(py, wanted)?;
        if arrays.len() != forms.len() {
            return Err(value_error("there must be an array for each slot"));
        }
        let mut rooms = reserved(forms.len())?;
        for (next, ((leaf, part), form)) in all().zip(&forms).enumerate() {
            let room = Room::of(&arrays.get_item(next)?, form.bytes)?;
            put(leaf, part, room.start());
            rooms.push(room);
        }
        rooms.sort_unstable_by_key(Room::stretch);
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

    /// An array of that form whose memory begins at `data`, which is inside.
    pub(super) fn view<'py>(
        &self,
        py: Python<'py>,
        data: *mut u8,
        form: &Form,
    ) -> PyResult<Bound<'py, PyAny>> {
        let at = self.0.partition_point(|room| room.start() <= data).saturating_sub(1);
        self.0[at].view(py, data, form)
    }
}
