//! What Adam and its kin correct: means that start at a value which is none of the gradient's.

use crate::rule::on;

/// 1 − βᵗ, the share of the gradients in a mean after `count` of them; 1 where it is not asked for.
pub(super) fn share(beta: f64, count: f64, bias_correction: f64) -> f64 {
    if on(bias_correction) { 1.0 - beta.powf(count) } else { 1.0 }
}

/// ε' and ρ' in √(v/s + ρ) + ε = (√(v + ρ') + ε')/√s, which leaves one division and one root; with `eps_hat` ε and ρ
/// themselves, for √(v + ρ) + ε.
pub(super) fn scaled(eps: f64, eps_root: f64, eps_hat: f64, share: f64) -> [f64; 2] {
    if on(eps_hat) { [eps, eps_root] } else { [eps * share.sqrt(), eps_root * share] }
}
