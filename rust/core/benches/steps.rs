//! One step of one tensor: rule × dtype × size × tier. `cargo bench --package gradstep-core`, with a
//! filter such as `-- adam/f32` for some of it. Sizes: in the first cache, in the last one, in memory.

use divan::counter::{BytesCount, ItemsCount};
use divan::{Bencher, black_box};
use gradstep_core::elements::MAX_STATE;
use gradstep_core::floats::Dtype;
use gradstep_core::groups::{Group, Values};
use gradstep_core::plans::{Plan, Tensor};
use gradstep_core::rules::{Options, Spec};
use gradstep_core::simd::Tier;
use std::fmt;

const SIZES: [usize; 3] = [1_000, 100_000, 10_000_000];

fn main() {
    divan::main();
}

/// A tier and a number of elements.
#[derive(Clone, Copy)]
struct Case {
    tier: Tier,
    len: usize,
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {}", self.len, self.tier)
    }
}

fn cases() -> Vec<Case> {
    let tiers = Tier::supported();
    SIZES.iter().flat_map(|&len| tiers.iter().map(move |&tier| Case { tier, len })).collect()
}

/// Memory for one array of `len` elements; u64 makes it aligned for both dtypes.
fn array(dtype: Dtype, len: usize, value: f64) -> Vec<u64> {
    let word = match dtype {
        Dtype::F32 => {
            let half = u64::from((value as f32).to_bits());
            half << 32 | half
        }
        Dtype::F64 => value.to_bits(),
    };
    vec![word; (len * dtype.size()).div_ceil(size_of::<u64>())]
}

fn group(name: &str, hypers: &[f64]) -> Box<dyn Group> {
    let spec = Spec::named(name).expect("a rule of that name");
    let flags = vec![false; spec.flags.len()];
    let constants: Vec<_> = hypers.iter().copied().map(Some).collect();
    (spec.build)(&Options { spec, flags: &flags, constants: &constants }).expect("valid options")
}

fn step(bencher: Bencher<'_, '_>, rule: &str, hypers: &[f64], dtype: Dtype, Case { tier, len }: Case) {
    let mut group = group(rule, hypers);
    let values = Values {
        t: 10,
        lr: 1e-3,
        weight_decay: 0.0,
        decoupled: false,
        scale: 1.0,
        limit: f64::INFINITY,
        hypers,
    };
    group.prepare(&values, &[dtype]);
    let mut params = array(dtype, len, 1.0);
    let grads = array(dtype, len, 0.5);
    let mut state: Vec<_> = group.state().iter().map(|_| array(dtype, len, 0.25)).collect();
    let mut slots = [std::ptr::null_mut(); MAX_STATE];
    for (slot, memory) in slots.iter_mut().zip(&mut state) {
        *slot = memory.as_mut_ptr().cast();
    }
    let tensors = [Tensor {
        group: 0,
        dtype,
        len,
        params: params.as_mut_ptr().cast(),
        state: slots,
        grads: grads.as_ptr().cast(),
        grads_dtype: dtype,
    }];
    let (plan, groups) = (Plan::new([len]), [group]);
    // The gradient is read; the parameter and its state are read and written.
    let traffic = len * dtype.size() * (1 + 2 * (1 + state.len()));
    bencher.counter(ItemsCount::new(len)).counter(BytesCount::new(traffic)).bench_local(|| {
        // SAFETY: the plan was made from this one tensor, whose pointers are into vectors of `len`
        // elements of `dtype` that live until after the last call and that nobody else uses.
        unsafe { plan.sweep(black_box(tier), &groups, &tensors) }
    });
}

macro_rules! rules {
    ($($module:ident: $rule:literal $hypers:expr;)*) => {$(
        mod $module {
            use super::{Bencher, Case, Dtype, cases, step};

            #[divan::bench(args = cases())]
            fn f32(bencher: Bencher<'_, '_>, case: Case) {
                step(bencher, $rule, &$hypers, Dtype::F32, case);
            }

            #[divan::bench(args = cases())]
            fn f64(bencher: Bencher<'_, '_>, case: Case) {
                step(bencher, $rule, &$hypers, Dtype::F64, case);
            }
        }
    )*};
}

rules! {
    sgd: "sgd" [0.0, 0.0];
    momentum: "sgd" [0.9, 0.0];
    adagrad: "adagrad" [0.0, 0.0, 1e-10];
    rmsprop: "rmsprop" [0.99, 0.0, 1e-8];
    adam: "adam" [0.9, 0.999, 1e-8];
}
