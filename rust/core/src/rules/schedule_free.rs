//! Schedule-free SGD and AdamW: an average of all points takes the place of a falling rate.

use crate::floats::Float;
use crate::kernel::kernel;
use crate::rule::{Hypers, Rule, Slot, hypers};
use crate::spec::Spec;

pub(super) const SGD: Spec =
    Spec { name: "schedule_free_sgd", hypers: Sgd::HYPERS, build: |_| Ok(kernel::<Sgd, 3, 1>()) };

pub(super) const ADAMW: Spec =
    Spec { name: "schedule_free_adamw", hypers: AdamW::HYPERS, build: |_| Ok(kernel::<AdamW, 7, 2>()) };

hypers! {
    /// Schedule-free SGD (Defazio et al. 2024), as the package schedulefree computes it: `averaging!` with u = g.
    struct Sgd { momentum: UnitOpen, warmup_steps: Count, r: NonNegative, weight_lr_power: NonNegative }
    remembers { weight_sum, lr_max, mix, last_mix }
}

hypers! {
    /// Schedule-free AdamW (Defazio et al. 2024), as the package schedulefree computes it: `averaging!` with β = β₁ and
    ///   v ← β₂v + (1−β₂)g²;  u = g/(√(v/(1−β₂ᵗ)) + ε) + λy, where t counts this step
    struct AdamW {
        beta1: UnitOpen,
        beta2: Unit,
        eps: NonNegative,
        warmup_steps: Count,
        r: NonNegative,
        weight_lr_power: NonNegative,
        weight_decay: NonNegative,
    }
    remembers { weight_sum, lr_max, mix, last_mix }
}

/// A walk z, the average x of its points, and y between them, which is the parameter.
///   γ = lr·min(1, t/warmup_steps), where t counts this step
///   w = tʳ·(the largest γ so far)^weight_lr_power;  c = w/(the sum of all w)
///   z ← z − γu;  x ← (1−c)x + cz;  y = (1−β)z + βx
/// Nobody keeps x, since y and z tell where it is: y ← y − c(y − z) − γ(1 − β(1−c))u. Where β was β' before, the first c is
/// 1 − (1−c)β/β'.
macro_rules! averaging {
    ($rule:ident, $beta:ident) => {
        impl $rule {
            fn rate(&self, lr: f64, t: u64) -> f64 {
                let count = t as f64 + 1.0;
                if count < self.warmup_steps { lr * (count / self.warmup_steps) } else { lr }
            }

            fn weight(&self, t: u64) -> f64 {
                (t as f64 + 1.0).powf(self.r) * self.lr_max.powf(self.weight_lr_power)
            }

            /// What y takes of y − z, and what y and z take of u.
            fn moves(&self, lr: f64, t: u64) -> [f64; 3] {
                let share = if self.weight_sum == 0.0 { 0.0 } else { self.weight(t) / self.weight_sum };
                let (rate, rest) = (self.rate(lr, t), 1.0 - share);
                [share + rest * (1.0 - self.mix / self.last_mix), rate * (1.0 - self.mix * rest), rate]
            }

            fn add_weight(&mut self, lr: f64, t: u64) {
                self.lr_max = self.lr_max.max(self.rate(lr, t));
                self.weight_sum += self.weight(t);
                // Before the first update y is x, whatever its share.
                self.last_mix = if self.mix == 0.0 { self.$beta } else { self.mix };
                self.mix = self.$beta;
            }
        }
    };
}
averaging!(Sgd, momentum);
averaging!(AdamW, beta1);

impl Rule<3, 1> for Sgd {
    const SLOTS: [Slot; 1] = [Slot::params("z")];
    const READS_PARAMS: bool = true;

    fn constants(&self, lr: f64, t: u64) -> [f64; 3] {
        self.moves(lr, t)
    }

    #[inline(always)]
    fn step<F: Float>([pull, push, rate]: [F; 3], y: F, g: F, [z]: [F; 1]) -> (F, [F; 1]) {
        (pull * (y - z) + push * g, [z - rate * g])
    }

    fn settle(&mut self, lr: f64, t: u64, _sums: [f64; 2]) {
        self.add_weight(lr, t);
    }
}

impl Rule<7, 2> for AdamW {
    const SLOTS: [Slot; 2] = [Slot::params("z"), Slot::zero("exp_avg_sq").unsigned()];
    const READS_PARAMS: bool = true;

    /// Both rates have √(1−β₂ᵗ), so that u is free of it.
    fn constants(&self, lr: f64, t: u64) -> [f64; 7] {
        let [pull, push, rate] = self.moves(lr, t);
        let correction = (1.0 - self.beta2.powf(t as f64 + 1.0)).sqrt();
        let (eps, weight_decay) = (self.eps * correction, self.weight_decay / correction);
        [pull, push * correction, rate * correction, self.beta2, 1.0 - self.beta2, eps, weight_decay]
    }

    #[inline(always)]
    fn step<F: Float>(c: [F; 7], y: F, g: F, [z, v]: [F; 2]) -> (F, [F; 2]) {
        let [pull, push, rate, beta2, rest2, eps, weight_decay] = c;
        let v = beta2 * v + rest2 * g * g;
        let u = g / (v.sqrt() + eps) + weight_decay * y;
        (pull * (y - z) + push * u, [z - rate * u, v])
    }

    fn settle(&mut self, lr: f64, t: u64, _sums: [f64; 2]) {
        self.add_weight(lr, t);
    }
}
