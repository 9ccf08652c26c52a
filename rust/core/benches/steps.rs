//! One step of one tensor: rule × dtype × size × tier. `cargo bench --package gradstep-core`, with a
//! filter such as `-- adam/f32` for some of it. Sizes: in the first cache, in the last one, in memory.

use divan::counter::{BytesCount, ItemsCount};
use divan::{Bencher, black_box};
use gradstep_core::floats::Float;
use gradstep_core::kernel::Kernel;
use gradstep_core::machine::simd::Tier;
use gradstep_core::memory::{Stored, Whole};
use gradstep_core::numbers::Rounded;
use gradstep_core::rules;
use gradstep_core::spec::Options;
use std::fmt;

const SIZES: [usize; 3] = [1_000, 100_000, 10_000_000];

/// Elements between one array and the next: not 4 KiB, or its multiple, see `places.rs` of the border.
const DISTANCE: usize = 200;

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

fn kernel(name: &str, hypers: &[f64]) -> &'static dyn Kernel {
    let spec = rules::named(name).expect("a rule of that name");
    let constants: Vec<_> = hypers.iter().copied().map(Some).collect();
    (spec.build)(&Options { spec, constants: &constants }).expect("valid options")
}

fn step<F: Float + Stored>(bencher: Bencher<'_, '_>, rule: &str, hypers: &[f64], Case { tier, len }: Case) {
    let kernel = kernel(rule, hypers);
    let mut numbers = Rounded::NEUTRAL;
    kernel.prepare(hypers, 1e-9, 10, &mut numbers);
    let slots = kernel.slots().len();
    let mut memory = vec![F::from_f64(0.5); (len + DISTANCE) * (2 + slots)];
    // The gradient is read; the parameter and its state are read and written.
    let traffic = len * size_of::<F>() * (1 + 2 * (1 + slots));
    bencher.counter(ItemsCount::new(len)).counter(BytesCount::new(traffic)).bench_local(|| {
        let mut streams = memory.chunks_exact_mut(len + DISTANCE).map(|stream| &mut stream[..len]);
        let (g, p) = (streams.next().expect("a gradient"), streams.next().expect("a parameter"));
        let mut tensor = Whole::new(p, streams);
        kernel.apply(black_box(tier), &numbers, &mut F::block(tensor.arrays().with(g)));
    });
}

macro_rules! rules {
    ($($module:ident: $rule:literal $hypers:expr;)*) => {$(
        mod $module {
            use super::{Bencher, Case, cases, step};

            #[divan::bench(args = cases())]
            fn f32(bencher: Bencher<'_, '_>, case: Case) {
                step::<f32>(bencher, $rule, &$hypers, case);
            }

            #[divan::bench(args = cases())]
            fn f64(bencher: Bencher<'_, '_>, case: Case) {
                step::<f64>(bencher, $rule, &$hypers, case);
            }
        }
    )*};
}

rules! {
    sgd: "sgd" [0.0, 0.0, 0.0, 0.0];
    momentum: "sgd" [0.9, 0.0, 0.0, 0.0];
    adagrad: "adagrad" [0.0, 0.0, 1e-10, 0.0];
    rmsprop: "rmsprop" [0.99, 0.0, 1e-8, 0.0, 0.0, 0.0, 0.0];
    adam: "adam" [0.9, 0.999, 1e-8, 0.0, 0.0, 0.0, 1.0, 0.0, 1.0];
}
