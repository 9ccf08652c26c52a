//! Which structure is walked, and how errors tell what it has other than the parameters.

use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::errors::{a_type, label, value_error};

/// Which structure is walked, for errors.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Root {
    /// The parameters as they are now, held against those that the optimizer took.
    Params,
    /// Parameters that are given to be read, held against the first ones.
    Given,
    /// Gradients, held against the parameters.
    Grads,
    /// Copies of the parameters, held against these.
    Copies,
}

impl Root {
    fn label(self, path: &str) -> String {
        let root = match self {
            Self::Grads => "grads",
            Self::Copies => "copy_to",
            Self::Params | Self::Given => "params",
        };
        label(root, path)
    }

    pub(crate) fn other_structure(self, object: &Bound<'_, PyAny>, path: &str, wanted: &str) -> PyErr {
        let (own, what) = (self.label(path), a_type(object));
        value_error(match self {
            Self::Grads | Self::Copies => {
                format!("{own} is {what}, but {} is {wanted}", label("params", path))
            }
            Self::Params => format!("{own} is {what}, but was {wanted} when the optimizer was made"),
            Self::Given => format!("{own} is {what}, but was {wanted} at first"),
        })
    }

    pub(crate) fn other_length(self, len: usize, wanted: usize, path: &str) -> PyErr {
        let own = self.label(path);
        value_error(match self {
            Self::Grads | Self::Copies => {
                format!("{own} has {len} entries, but {} has {wanted}", label("params", path))
            }
            Self::Params => format!("{own} has {len} entries, but had {wanted} when the optimizer was made"),
            Self::Given => format!("{own} has {len} entries, but had {wanted} at first"),
        })
    }

    pub(crate) fn missing(self, path: &str, key: &Bound<'_, PyAny>) -> PyErr {
        let own = self.label(path);
        match self {
            Self::Grads | Self::Copies => missing(&own, &label("params", path), key),
            Self::Params => {
                value_error(format!("{own} no longer has {}, which the optimizer updates", name(key)))
            }
            Self::Given => value_error(format!("{own} has no {}, but had it at first", name(key))),
        }
    }

    #[cold]
    pub(crate) fn extra<'a>(
        self,
        given: &Bound<'_, PyDict>,
        keys: impl Iterator<Item = &'a Py<PyAny>>,
        path: &str,
    ) -> PyResult<PyErr> {
        let known = PyDict::new(given.py());
        let mut wanted = 0;
        for key in keys {
            known.set_item(key, true)?;
            wanted += 1;
        }
        let own = self.label(path);
        for key in given.copy()?.keys() {
            if !known.contains(&key)? {
                return Ok(match self {
                    Self::Grads | Self::Copies => missing(&label("params", path), &own, &key),
                    _ => value_error(format!("{own} has {}, but had not at first", name(&key))),
                });
            }
        }
        Ok(self.other_length(given.len(), wanted, path))
    }
}

/// `'w'`, or what can be said of a key that does not say it.
fn name(key: &Bound<'_, PyAny>) -> String {
    key.repr().map_or_else(|_| "a key".to_owned(), |repr| repr.to_string())
}

fn missing(without: &str, with: &str, key: &Bound<'_, PyAny>) -> PyErr {
    value_error(format!("{without} has no {}, but {with} has it", name(key)))
}
