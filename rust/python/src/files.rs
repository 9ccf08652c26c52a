//! State in files instead of memory: who makes them, and the seal that says that they belong together.

use pyo3::exceptions::PyOSError;
use pyo3::prelude::*;
use pyo3::types::PyList;
use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

/// What one array of the state is like: parameter, slot, shape, strides in bytes, dtype.
pub(crate) type Wanted<'a> = (&'a str, String, &'a [isize], &'a [isize], &'a str);

/// The files that hold the state of an optimizer.
pub(crate) struct Files {
    /// The `StateDirectory` that makes the arrays.
    pub(crate) directory: Py<PyAny>,
    /// Whether the files hold the state of an earlier run, which is gone on with.
    pub(crate) resumed: bool,
    /// A file that is there while the others are not written to.
    seal: PathBuf,
    sealed: AtomicBool,
}

impl Files {
    pub(crate) fn new(directory: &Bound<'_, PyAny>) -> PyResult<Self> {
        let resumed = directory.getattr("resumed")?.extract()?;
        let seal = directory.getattr("seal")?.extract()?;
        Ok(Self { directory: directory.clone().unbind(), resumed, seal, sealed: AtomicBool::new(resumed) })
    }

    /// An array of bytes for each that is wanted.
    pub(crate) fn arrays<'py>(
        &self,
        py: Python<'py>,
        wanted: Vec<Wanted<'_>>,
    ) -> PyResult<Bound<'py, PyList>> {
        Ok(self.directory.bind(py).call_method1("arrays", (wanted,))?.cast_into::<PyList>()?)
    }

    /// From here on nothing is written to the files, or else the seal is broken.
    pub(crate) fn set_sealed(&self) {
        self.sealed.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_sealed(&self) -> bool {
        self.sealed.load(Ordering::Relaxed)
    }

    /// Breaks the seal before the first write. Runs no Python code, and keeps the interpreter's lock.
    #[inline]
    pub(crate) fn unseal(&self) -> PyResult<()> {
        if self.is_sealed() { self.remove_seal() } else { Ok(()) }
    }

    #[cold]
    fn remove_seal(&self) -> PyResult<()> {
        if let Err(error) = fs::remove_file(&self.seal)
            && error.kind() != ErrorKind::NotFound
        {
            let (code, path) = (error.raw_os_error(), self.seal.display().to_string());
            return Err(PyOSError::new_err((code, error.to_string(), path)));
        }
        // After a crash of the machine no write may be found beside a seal. Some systems open no directories.
        if let Some(folder) = self.seal.parent().and_then(|folder| File::open(folder).ok()) {
            let _ = folder.sync_all();
        }
        self.sealed.store(false, Ordering::Relaxed);
        Ok(())
    }
}
