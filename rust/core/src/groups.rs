//! A parameter group: one rule with its constants of the current step, behind one dynamic call a chunk.

use crate::elements::{Intake, MAX_STATE, update};
use crate::floats::{Dtype, Float};
use crate::plans::Tensor;
use crate::rules::{Rule, Update};
use crate::simd::Tier;
use std::ops::Range;

/// The values that one step uses, in f64.
#[derive(Clone, Copy, Debug)]
pub struct Values<'a> {
    /// The number of updates done.
    pub t: u64,
    pub lr: f64,
    pub weight_decay: f64,
    /// Whether the decay shrinks the parameter (AdamW) instead of entering the gradient.
    pub decoupled: bool,
    /// What gradients are multiplied by, and then clamped to.
    pub scale: f64,
    pub limit: f64,
    /// The rule's own hyperparameters, in its order.
    pub hypers: &'a [f64],
}

/// A rule whose type has been forgotten.
pub trait Group: Send + Sync {
    /// The names of the state slots.
    fn state(&self) -> &'static [&'static str];

    /// What each slot holds before the first update.
    fn init(&self, hypers: &[f64]) -> Vec<f64>;

    /// Computes the constants of the next step, for the dtypes that occur among the group's tensors.
    fn prepare(&mut self, values: &Values<'_>, dtypes: &[Dtype]);

    /// Updates the elements `range` of `tensor`.
    ///
    /// # Safety
    /// The tensor's pointers are valid for its length and dtypes, aligned, and while the call lasts
    /// nobody else writes what it reads or touches what it writes in that range.
    unsafe fn update(&self, tier: Tier, tensor: &Tensor, range: Range<usize>);
}

/// The rule `R` in its variant with `N` slots.
pub(crate) struct Typed<R: Rule<N>, const N: usize> {
    single: Ready<f32, R::Step<f32>>,
    double: Ready<f64, R::Step<f64>>,
}

/// The constants of one step in one dtype; nothing before the first `prepare`.
#[derive(Clone, Copy)]
struct Ready<F, S> {
    step: Option<S>,
    /// None where it would change nothing.
    intake: Option<Intake<F>>,
}

impl<R: Rule<N>, const N: usize> Typed<R, N> {
    pub(crate) fn group() -> Box<dyn Group> {
        const { assert!(N <= MAX_STATE, "raise MAX_STATE and the parameters of elements::each") }
        Box::new(Self { single: Ready::EMPTY, double: Ready::EMPTY })
    }
}

impl<F: Float, S> Ready<F, S> {
    const EMPTY: Self = Self { step: None, intake: None };

    fn new<R, const N: usize>(values: &Values<'_>) -> Self
    where
        R: Rule<N, Step<F> = S>,
    {
        let Values { decoupled, weight_decay, lr, .. } = *values;
        let intake = Intake {
            scale: F::from_f64(values.scale),
            limit: F::from_f64(values.limit),
            decay: F::from_f64(if decoupled { 0.0 } else { weight_decay }),
            shrink: F::from_f64(if decoupled { 1.0 - lr * weight_decay } else { 1.0 }),
        };
        Self {
            step: Some(R::from_values(values.hypers).at::<F>(lr, values.t)),
            intake: (intake != Intake::neutral()).then_some(intake),
        }
    }

    /// # Safety
    /// As for [`Group::update`]; `F` is the dtype of the tensor.
    #[inline(always)]
    unsafe fn update<G: Float, const N: usize>(&self, tier: Tier, tensor: &Tensor, range: Range<usize>)
    where
        S: Update<F, N>,
    {
        let step = self.step.expect("prepared for the dtypes of its tensors");
        let n = range.len();
        // SAFETY: the caller vouches for the pointers over the tensor's whole length, and `range` is
        // inside it. Slots beyond the rule's are empty slices.
        unsafe {
            let p = std::slice::from_raw_parts_mut(tensor.params.cast::<F>().add(range.start), n);
            let g = std::slice::from_raw_parts(tensor.grads.cast::<G>().add(range.start), n);
            let state = std::array::from_fn(|k| {
                if k < N {
                    std::slice::from_raw_parts_mut(tensor.state[k].cast::<F>().add(range.start), n)
                } else {
                    Default::default()
                }
            });
            update(tier, step, self.intake, p, g, state);
        }
    }
}

impl<R: Rule<N>, const N: usize> Group for Typed<R, N> {
    fn state(&self) -> &'static [&'static str] {
        const { &R::STATE }
    }

    fn init(&self, hypers: &[f64]) -> Vec<f64> {
        R::from_values(hypers).init().to_vec()
    }

    fn prepare(&mut self, values: &Values<'_>, dtypes: &[Dtype]) {
        for dtype in dtypes {
            match dtype {
                Dtype::F32 => self.single = Ready::new::<R, N>(values),
                Dtype::F64 => self.double = Ready::new::<R, N>(values),
            }
        }
    }

    unsafe fn update(&self, tier: Tier, tensor: &Tensor, range: Range<usize>) {
        // SAFETY: the caller keeps the contract, and the types are the tensor's own.
        unsafe {
            match (tensor.dtype, tensor.grads_dtype) {
                (Dtype::F32, Dtype::F32) => self.single.update::<f32, N>(tier, tensor, range),
                (Dtype::F32, Dtype::F64) => self.single.update::<f64, N>(tier, tensor, range),
                (Dtype::F64, Dtype::F32) => self.double.update::<f32, N>(tier, tensor, range),
                (Dtype::F64, Dtype::F64) => self.double.update::<f64, N>(tier, tensor, range),
            }
        }
    }
}
