//! Schedules: the class, its arguments and what each kind makes of them, its values, its text.

mod arguments;
mod evaluation;
mod extent;
mod functions;
mod kinds;
mod lists;
mod methods;
mod schedule;
mod text;

pub(crate) use schedule::Schedule;
