//! Parameters chosen by their path names, with the wildcards of a shell.

use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::errors::{a_type, type_error, value_error};

/// Patterns, each with the options of a group. What none matches is in a last group.
#[derive(Default)]
pub(crate) struct Patterns(Vec<(String, Py<PyDict>)>);

impl Patterns {
    pub(crate) fn new(given: Option<Bound<'_, PyAny>>) -> PyResult<Self> {
        let Some(given) = given.filter(|given| !given.is_none()) else { return Ok(Self::default()) };
        let Ok(dict) = given.cast::<PyDict>() else {
            let what = a_type(&given);
            return Err(type_error(format!("groups is {what}, not a dict of options by patterns of names")));
        };
        let mut patterns = Vec::new();
        for (pattern, options) in dict.copy()? {
            let pattern: String = pattern
                .extract()
                .map_err(|_| type_error(format!("groups has the key {pattern}, not a string")))?;
            let Ok(options) = options.cast::<PyDict>() else {
                let what = a_type(&options);
                return Err(type_error(format!("groups['{pattern}'] is {what}, not a dict of options")));
            };
            patterns.push((pattern, options.copy()?.unbind()));
        }
        Ok(Self(patterns))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn names(&self) -> Vec<String> {
        self.0.iter().map(|(pattern, _)| pattern.clone()).collect()
    }

    /// How errors call each, and its options.
    pub(crate) fn options<'py>(&self, py: Python<'py>) -> impl Iterator<Item = (String, Bound<'py, PyDict>)> {
        self.0
            .iter()
            .map(move |(pattern, options)| (format!("groups['{pattern}']"), options.bind(py).clone()))
    }

    /// The number of the group of each name: that of the first pattern that matches.
    pub(crate) fn owners<'a>(
        &self,
        py: Python<'_>,
        names: &(impl ExactSizeIterator<Item = &'a str> + Clone),
    ) -> PyResult<Vec<usize>> {
        let mut owners = vec![self.0.len(); names.len()];
        for (group, (pattern, _)) in self.0.iter().enumerate() {
            let matching = matching(py, &format!("groups['{pattern}']"), pattern, names)?;
            for leaf in matching {
                owners[leaf] = owners[leaf].min(group);
            }
        }
        Ok(owners)
    }
}

/// The numbers of the names that a pattern matches; none is an error, of which `label` is the culprit.
pub(crate) fn matching<'a>(
    py: Python<'_>,
    label: &str,
    pattern: &str,
    names: &(impl Iterator<Item = &'a str> + Clone),
) -> PyResult<Vec<usize>> {
    let matches = py.import("fnmatch")?.getattr("fnmatchcase")?;
    let mut found = Vec::new();
    for (leaf, name) in names.clone().enumerate() {
        if matches.call1((name, pattern))?.is_truthy()? {
            found.push(leaf);
        }
    }
    if found.is_empty() {
        let (first, rest) = (names.clone().take(MOST_NAMES).collect::<Vec<_>>(), names.clone().count());
        let more = if rest > MOST_NAMES { ", ..." } else { "" };
        return Err(value_error(format!(
            "{label} matches no parameter; there are {}{more}",
            first.join(", ")
        )));
    }
    Ok(found)
}

/// As many names as an error lists.
const MOST_NAMES: usize = 8;
