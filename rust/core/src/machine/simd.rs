//! SIMD tiers: one generic loop, compiled once for each instruction set, chosen at run time.
//!
//! # Rationale
//! The loops are plain Rust that LLVM vectorises. A [`Vectorized`] body marked `#[inline(always)]` is
//! inlined into a function that carries `#[target_feature]`, so the same source becomes SSE2, AVX2 or
//! AVX-512 code. Rust never contracts `a * b + c` into a fused multiply-add and never reassociates, so
//! each tier gives the same bits.
//!
//! # Limitations
//! Closures and calls that are not inlined do not inherit the features: call [`Tier::run`] inside each
//! parallel task, never around the parallel loop. All calls of what a machine may not have are in this
//! file.

use std::fmt;
use std::sync::atomic::{AtomicU8, Ordering};

use super::environment::variable;
use crate::error::BadValue;

/// A loop to be compiled for every tier. `run` must be `#[inline(always)]`.
pub trait Vectorized: Sized {
    type Output;
    fn run(self) -> Self::Output;

    /// The same for the baseline, where a loop may do without what only newer machines gain by.
    #[inline(always)]
    fn run_on_baseline(self) -> Self::Output {
        self.run()
    }
}

/// An instruction set that this machine can run. Only this module makes one, after asking the CPU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tier(Set);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Set {
    Baseline,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

impl Set {
    const ALL: &[Self] = &[
        Self::Baseline,
        #[cfg(target_arch = "x86_64")]
        Self::Avx2,
        #[cfg(target_arch = "x86_64")]
        Self::Avx512,
    ];
}

/// One more than the place in `Set::ALL` of the set in force: one that a [`Tier`] was made of. 0 is no choice yet.
static CURRENT: AtomicU8 = AtomicU8::new(0);

/// The environment variable that overrides the choice.
pub const TIER_VARIABLE: &str = "GRADSTEP_SIMD";

impl Tier {
    /// What every machine of this architecture has: SSE2 on `x86_64`, NEON on `aarch64`.
    pub const BASELINE: Self = Self(Set::Baseline);

    /// The tiers this machine can run, slowest first.
    pub fn supported() -> Vec<Self> {
        #[allow(unused_mut, reason = "other architectures have the baseline only")]
        let mut tiers = vec![Self::BASELINE];
        #[cfg(target_arch = "x86_64")]
        {
            if is_x86_feature_detected!("avx2") {
                tiers.push(Self(Set::Avx2));
            }
            if is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512vl")
                && is_x86_feature_detected!("avx512dq")
                && is_x86_feature_detected!("avx512bw")
            {
                tiers.push(Self(Set::Avx512));
            }
        }
        tiers
    }

    /// The tier of that name, if this machine can run it.
    pub fn named(name: &str) -> Result<Self, BadValue> {
        let supported = Self::supported();
        supported.iter().copied().find(|tier| tier.name() == name).ok_or_else(|| {
            let names: Vec<_> = supported.iter().map(|tier| tier.name()).collect();
            BadValue::new(
                TIER_VARIABLE,
                &format!("one of {} on this machine", names.join(", ")),
                format!("'{name}'"),
            )
        })
    }

    /// Puts into force what `GRADSTEP_SIMD` asks for.
    pub fn from_environment() -> Result<(), BadValue> {
        variable(TIER_VARIABLE).map_or(Ok(()), |name| Self::named(&name).map(Self::put_into_force))
    }

    /// The tier in force: the best supported, unless somebody has chosen another.
    #[inline]
    pub fn current() -> Self {
        match CURRENT.load(Ordering::Relaxed) {
            0 => Self::best(),
            chosen => Self(Set::ALL[chosen as usize - 1]),
        }
    }

    #[cold]
    fn best() -> Self {
        let best = *Self::supported().last().expect("the baseline is always there");
        best.put_into_force();
        best
    }

    /// Lets all that begins from now on run on this tier.
    pub fn put_into_force(self) {
        let place = Set::ALL.iter().position(|&set| set == self.0).expect("all of them");
        CURRENT.store(place as u8 + 1, Ordering::Relaxed);
    }

    pub fn name(self) -> &'static str {
        match self.0 {
            Set::Baseline => "baseline",
            #[cfg(target_arch = "x86_64")]
            Set::Avx2 => "avx2",
            #[cfg(target_arch = "x86_64")]
            Set::Avx512 => "avx512",
        }
    }

    /// Runs `body` compiled for this tier.
    #[inline(always)]
    pub fn run<V: Vectorized>(self, body: V) -> V::Output {
        match self.0 {
            Set::Baseline => baseline(body),
            // SAFETY: a Tier of this set is only made after the CPU said that it has the features.
            #[cfg(target_arch = "x86_64")]
            Set::Avx2 => unsafe { avx2(body) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Set::Avx512 => unsafe { avx512(body) },
        }
    }
}

impl fmt::Display for Tier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Apart as the others are, so that who chooses one of them needs no room for its numbers.
#[inline(never)]
fn baseline<V: Vectorized>(body: V) -> V::Output {
    body.run_on_baseline()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn avx2<V: Vectorized>(body: V) -> V::Output {
    body.run()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,avx512f,avx512vl,avx512dq,avx512bw")]
fn avx512<V: Vectorized>(body: V) -> V::Output {
    body.run()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_tier_names_the_supported_ones() {
        let error = Tier::named("mmx").unwrap_err().to_string();
        assert!(error.starts_with("GRADSTEP_SIMD must be one of baseline"), "{error}");
        assert!(error.ends_with("got 'mmx'"), "{error}");
    }

    #[test]
    fn every_supported_tier_is_found_by_its_name() {
        for tier in Tier::supported() {
            assert_eq!(Tier::named(tier.name()), Ok(tier));
        }
    }
}
