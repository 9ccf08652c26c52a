//! The environment of this process.

/// What a variable says, if it says anything. What is not UTF-8 is left for whoever reads it to refuse.
pub(super) fn variable(name: &str) -> Option<String> {
    let value = std::env::var_os(name).filter(|value| !value.is_empty())?;
    Some(value.to_string_lossy().into_owned())
}
