//! How a schedule is written: whole, so that Python reads it back, or short, as a part of something else.

use pyo3::prelude::*;

use super::lists;
use super::schedule::Schedule;
use crate::errors::memory_error;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    Whole,
    Short,
}

/// A short text does not write out longer lists,
const SHOWN: usize = 10;
/// and no further schedules once it has so many bytes.
const ENOUGH: usize = 1000;

pub(super) fn write(schedule: &Bound<'_, Schedule>, style: Style) -> PyResult<String> {
    let mut writer = Writer { style, text: String::new() };
    writer.schedule(schedule)?;
    Ok(writer.text)
}

impl Schedule {
    /// As `repr`, but on a line: long lists and the rest of long compositions are left out.
    pub(crate) fn describe(slf: &Bound<'_, Self>) -> PyResult<String> {
        write(slf, Style::Short)
    }
}

/// A text under way. It grows with the lists in it, so it asks for its memory.
struct Writer {
    style: Style,
    text: String,
}

impl Writer {
    fn push(&mut self, part: &str) -> PyResult<()> {
        self.text.try_reserve(part.len()).map_err(memory_error)?;
        self.text.push_str(part);
        Ok(())
    }

    fn schedule(&mut self, schedule: &Bound<'_, Schedule>) -> PyResult<()> {
        if self.style == Style::Short && self.text.len() > ENOUGH {
            return self.push("...");
        }
        let (py, Schedule { kind, names, arguments, .. }) = (schedule.py(), schedule.get());
        self.push(&kind.bind(py).to_cow()?)?;
        self.push("(")?;
        for (i, (name, value)) in names.iter().zip(arguments.bind(py)).enumerate() {
            self.push(if i == 0 { "" } else { ", " })?;
            self.push(name)?;
            self.push("=")?;
            self.value(&value)?;
        }
        self.push(")")
    }

    fn value(&mut self, value: &Bound<'_, PyAny>) -> PyResult<()> {
        if let Ok(schedule) = value.cast::<Schedule>() {
            return self.schedule(schedule);
        }
        if !lists::is_list(value) {
            return self.push(&value.repr()?.to_cow()?);
        }
        let len = value.len()?;
        if self.style == Style::Short && len > SHOWN {
            let what = if value.get_item(0)?.is_instance_of::<Schedule>() { "schedules" } else { "values" };
            return self.push(&format!("<{len} {what}>"));
        }
        self.push("(")?;
        for (i, item) in lists::items(value)?.enumerate() {
            self.push(if i == 0 { "" } else { ", " })?;
            self.value(&item?)?;
        }
        self.push(if len == 1 { ",)" } else { ")" })
    }
}
