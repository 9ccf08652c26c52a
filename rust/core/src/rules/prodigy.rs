//! Prodigy: Adam at a rate that it estimates, from how far the parameters have come.

use crate::floats::Float;
use crate::kernel::kernel;
use crate::rule::{Hypers, Rule, Scope, Slot, Sums, hypers, on};
use crate::spec::Spec;

pub(super) const SPEC: Spec =
    Spec { name: "prodigy", hypers: Prodigy::HYPERS, build: |_| Ok(kernel::<Prodigy, 12, 4>()) };

hypers! {
    /// Prodigy (Mishchenko, Defazio 2024), as the package prodigyopt computes it. The sums are over all tensors.
    ///   γ = d·lr, with use_bias_correction times √(1−β₂ᵗ)/(1−β₁ᵗ), where t counts this step
    ///   m ← β₁m + d(1−β₁)g;  v ← β₂v + d²(1−β₂)g²
    ///   s ← β₃s + d/d₀·γg, with safeguard_warmup d/d₀·dg;  n ← β₃n + d/d₀·γ·Σg(p₀−p)
    ///   d̂ = d_coef·n/Σ|s|;  d ← d̂ if that is more and d was d₀;  d_max ← max(d_max, d̂)
    ///   d ← min(d_max, growth_rate·d)
    ///   p ← p − γ(m/(√v + dε) + λp), with γ as before and d as it is now
    /// With β₁ = 0, m is dg with the new d. Where Σ|s| is 0 nothing moves, and d and n stay. At a rate of 0 a tensor rests,
    /// and counts for nothing.
    struct Prodigy {
        beta1: Unit,
        beta2: Unit,
        beta3: Optional Unit,
        eps: NonNegative,
        d0: Positive,
        d_coef: Positive,
        growth_rate: Growth,
        weight_decay: NonNegative,
        safeguard_warmup: Flag = 0.0,
        use_bias_correction: Flag = 0.0,
    }
    remembers { d, d_max, d_numerator, last_d }
}

impl Prodigy {
    fn beta3(&self) -> f64 {
        if self.beta3.is_nan() { self.beta2.sqrt() } else { self.beta3 }
    }

    /// γ, if that is d.
    fn rate(&self, d: f64, lr: f64, t: u64) -> f64 {
        let count = t as f64 + 1.0;
        let correction = if on(self.use_bias_correction) {
            (1.0 - self.beta2.powf(count)).sqrt() / (1.0 - self.beta1.powf(count))
        } else {
            1.0
        };
        d * lr * correction
    }

    /// What s takes of the gradient.
    fn taken(&self, d: f64, lr: f64, t: u64) -> f64 {
        d / self.d0 * if on(self.safeguard_warmup) { d } else { self.rate(d, lr, t) }
    }
}

impl Rule<12, 4> for Prodigy {
    const SLOTS: [Slot; 4] =
        [Slot::zero("exp_avg"), Slot::zero("exp_avg_sq").unsigned(), Slot::zero("s"), Slot::params("p0")];
    const READS_PARAMS: bool = true;
    const SUMS: Option<Sums> = Some(Sums::Plain(Scope::All));

    /// The last three are for the dry run, where d is that of this step. In the update it is already that of the next.
    fn constants(&self, lr: f64, t: u64) -> [f64; 12] {
        let Self { d, last_d, beta1, beta2, .. } = *self;
        let (beta3, eps) = (self.beta3(), d * self.eps);
        if lr == 0.0 {
            return [0.0, 0.0, 1.0, 0.0, 1.0, 0.0, 1.0, 0.0, eps, 0.0, 0.0, 0.0];
        }
        let rate = self.rate(last_d, lr, t);
        // Without a mean it is the new d that the package multiplies the gradient by.
        let in1 = if beta1 == 0.0 { d } else { last_d * (1.0 - beta1) };
        let in2 = last_d * last_d * (1.0 - beta2);
        let (in3, dry3) = (self.taken(last_d, lr, t), self.taken(d, lr, t));
        let way = d / self.d0 * self.rate(d, lr, t);
        let shrink = rate * self.weight_decay;
        [rate, shrink, beta1, in1, beta2, in2, beta3, in3, eps, way, beta3, dry3]
    }

    #[inline(always)]
    fn step<F: Float>(c: [F; 12], p: F, g: F, [m, v, s, p0]: [F; 4]) -> (F, [F; 4]) {
        let [rate, shrink, beta1, in1, beta2, in2, beta3, in3, eps, ..] = c;
        let m = beta1 * m + in1 * g;
        let v = beta2 * v + in2 * g * g;
        let s = beta3 * s + in3 * g;
        (rate * m / (v.sqrt() + eps) + shrink * p, [m, v, s, p0])
    }

    #[inline(always)]
    fn summed<F: Float>(c: [F; 12], p: F, g: F, _step: F, [_, _, s, p0]: [F; 4]) -> [F; 2] {
        let [.., way, beta3, in3] = c;
        [way * g * (p0 - p), (beta3 * s + in3 * g).abs()]
    }

    fn start(&mut self) {
        (self.d, self.d_max, self.last_d) = (self.d0, self.d0, self.d0);
    }

    fn settle(&mut self, _lr: f64, _t: u64, [way, total]: [f64; 2]) {
        if total == 0.0 {
            self.last_d = 0.0;
            return;
        }
        self.last_d = self.d;
        self.d_numerator = self.beta3() * self.d_numerator + way;
        let estimate = self.d_coef * self.d_numerator / total;
        if self.d == self.d0 {
            self.d = self.d.max(estimate);
        }
        self.d_max = self.d_max.max(estimate);
        self.d = self.d_max.min(self.d * self.growth_rate);
    }
}
