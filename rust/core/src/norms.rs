//! The global norm of the gradients: float64 partial sums over fixed chunks, combined in chunk order.
//!
//! Each chunk is summed in `LANES` interleaved accumulators that are folded in a fixed tree. Chunks,
//! lanes and tree do not depend on threads or SIMD tier, so neither do the bits.

use crate::floats::{Dtype, Float};
use crate::plans::{Plan, Tensor};
use crate::simd::{Tier, Vectorized};
use std::marker::PhantomData;
use std::sync::atomic::{AtomicU64, Ordering};

/// Independent accumulators of one chunk: four full registers of f64 at 512 bits, enough to hide the
/// latency of an addition.
const LANES: usize = 32;

/// A place for the partial sum of each chunk, kept from step to step.
#[derive(Debug)]
pub struct Partials(Vec<AtomicU64>);

impl Partials {
    pub fn new(plan: &Plan) -> Self {
        Self(plan.chunks().iter().map(|_| AtomicU64::new(0)).collect())
    }

    /// √Σg² over all gradients of the plan, each as its parameter's dtype has it: what the update would
    /// make infinite is infinite here.
    ///
    /// # Safety
    /// As for [`Plan::sweep`], as far as gradients go.
    pub unsafe fn norm(&self, tier: Tier, plan: &Plan, tensors: &[Tensor]) -> f64 {
        plan.for_each(&|i, chunk| {
            let tensor = &tensors[chunk.tensor];
            let range = chunk.range.clone();
            // SAFETY: the caller vouches for the pointer over the tensor's length and for its dtype.
            let sum = unsafe {
                match (tensor.dtype, tensor.grads_dtype) {
                    (_, Dtype::F32) => sum_of_squares::<f32, f32>(tier, slice(tensor, &range)),
                    (Dtype::F32, Dtype::F64) => sum_of_squares::<f32, f64>(tier, slice(tensor, &range)),
                    (Dtype::F64, Dtype::F64) => sum_of_squares::<f64, f64>(tier, slice(tensor, &range)),
                }
            };
            self.0[i].store(sum.to_bits(), Ordering::Relaxed);
        });
        // Not `sum`, to which nothing is −0.
        self.sums().fold(0.0, |sum, partial| sum + partial).sqrt()
    }

    /// The tensor in whose gradient the last norm first was NaN or infinite, and which of them it was.
    pub fn first_nonfinite(&self, plan: &Plan) -> Option<(usize, f64)> {
        let chunk = self.sums().position(|sum| !sum.is_finite())?;
        Some((plan.chunks()[chunk].tensor, self.sums().nth(chunk)?))
    }

    fn sums(&self) -> impl Iterator<Item = f64> {
        self.0.iter().map(|bits| f64::from_bits(bits.load(Ordering::Relaxed)))
    }
}

/// # Safety
/// As for [`Partials::norm`]; `G` is the dtype of the gradient.
unsafe fn slice<'a, G>(tensor: &Tensor, range: &std::ops::Range<usize>) -> &'a [G] {
    // SAFETY: the caller's contract.
    unsafe { std::slice::from_raw_parts(tensor.grads.cast::<G>().add(range.start), range.len()) }
}

/// Σg² in f64, where each g has first been rounded to `F`.
fn sum_of_squares<F: Float, G: Float>(tier: Tier, grads: &[G]) -> f64 {
    tier.run(SumOfSquares::<F, G>(grads, PhantomData))
}

struct SumOfSquares<'a, F, G>(&'a [G], PhantomData<F>);

impl<F: Float, G: Float> Vectorized for SumOfSquares<'_, F, G> {
    type Output = f64;

    #[inline(always)]
    fn run(self) -> f64 {
        let square = |g: G| {
            let g = F::from_f64(g.to_f64()).to_f64();
            g * g
        };
        let mut lanes = [0.0; LANES];
        let (blocks, rest) = self.0.as_chunks::<LANES>();
        for block in blocks {
            for (lane, g) in lanes.iter_mut().zip(block) {
                *lane += square(*g);
            }
        }
        for (lane, g) in lanes.iter_mut().zip(rest) {
            *lane += square(*g);
        }
        let mut width = LANES / 2;
        while width > 0 {
            for i in 0..width {
                lanes[i] += lanes[i + width];
            }
            width /= 2;
        }
        lanes[0]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_tier_gives_the_same_bits() {
        let grads: Vec<f32> = (0..1003).map(|i| (i as f32 * 0.37).sin() * 1e3).collect();
        let exact: f64 = grads.iter().map(|&g| f64::from(g) * f64::from(g)).sum();
        let baseline = sum_of_squares::<f32, f32>(Tier::BASELINE, &grads);
        assert!((baseline / exact - 1.0).abs() < 1e-14);
        for tier in Tier::supported() {
            assert_eq!(sum_of_squares::<f32, f32>(tier, &grads).to_bits(), baseline.to_bits(), "{tier}");
        }
    }
}
