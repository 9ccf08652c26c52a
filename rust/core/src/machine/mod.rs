//! What the machine offers: instruction sets, threads, and the state of its floating-point unit.

pub mod control;
pub mod simd;
pub mod threads;
pub mod tiles;

/// What an environment variable says, if it says anything. What is not UTF-8 is left for whoever reads it to refuse.
fn variable(name: &str) -> Option<String> {
    let value = std::env::var_os(name).filter(|value| !value.is_empty())?;
    Some(value.to_string_lossy().into_owned())
}
