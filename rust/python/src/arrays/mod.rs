//! The arrays of users and our own: what is read off an ndarray, which ones a step takes, and how their memory
//! is lent to the core. The border's one place for `unsafe`.

mod admission;
mod capsules;
mod copies;
mod dlpack;
mod entries;
mod exchange;
mod fields;
mod foreign;
mod forms;
mod items;
mod layouts;
mod leaves;
mod likeness;
mod lone;
mod looks;
mod made;
mod members;
mod narrow;
mod outputs;
mod packed;
mod parameters;
mod picking;
mod places;
mod rooms;
mod rows;
mod shadows;
mod tensors;
mod views;
mod watched;
mod writable;

pub(crate) use capsules::{speaks_dlpack, writable_import};
pub(crate) use entries::{Items, Lookup};
pub(crate) use exchange::Exchange;
pub(crate) use fields::{Fields, is_masked, references};
pub(crate) use leaves::Leaves;
pub(crate) use lone::Lone;
pub(crate) use made::{dense, doubles};
pub(crate) use members::{Member, Slots, reserved};
pub(crate) use outputs::{Made, Outputs};
pub(crate) use packed::{_packed, Packed};
pub(crate) use parameters::{Parameter, name};
pub(crate) use rows::Rows;
pub(crate) use writable::writable;
