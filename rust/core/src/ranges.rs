//! The ranges that numbers are checked against, each with the words that an error uses.

use crate::error::{BadValue, Number};

/// The values a hyperparameter may take. NaN is in none of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Range {
    /// Any finite number.
    Finite,
    /// Finite and ≥ 0.
    NonNegative,
    /// ≥ 0, infinity included: limits.
    Limit,
    /// Finite and > 0.
    Positive,
    /// 0 ≤ x < 1: decay rates of moving averages.
    Unit,
    /// 0 < x < 1.
    UnitOpen,
    /// 0 ≤ x ≤ 1.
    UnitClosed,
    /// Finite and ≥ 1.
    AtLeastOne,
    /// ≥ 1, infinity included: factors that something may grow by.
    Growth,
    /// Whole and ≥ 0: a count that is kept as a float.
    Count,
    /// Anything but NaN.
    NotNan,
}

impl Range {
    pub fn check(self, name: &str, value: f64) -> Result<f64, BadValue> {
        let (inside, wants) = match self {
            Self::Finite => (value.is_finite(), "a finite number"),
            Self::NonNegative => (value.is_finite() && value >= 0.0, "finite and at least 0"),
            Self::Limit => (value >= 0.0, "at least 0"),
            Self::Positive => (value.is_finite() && value > 0.0, "finite and above 0"),
            Self::Unit => ((0.0..1.0).contains(&value), "at least 0 and below 1"),
            Self::UnitOpen => (value > 0.0 && value < 1.0, "above 0 and below 1"),
            Self::UnitClosed => ((0.0..=1.0).contains(&value), "at least 0 and at most 1"),
            Self::AtLeastOne => (value.is_finite() && value >= 1.0, "finite and at least 1"),
            Self::Growth => (value >= 1.0, "at least 1"),
            Self::Count => {
                (value.is_finite() && value >= 0.0 && value.fract() == 0.0, "whole and at least 0")
            }
            Self::NotNan => (!value.is_nan(), "a number"),
        };
        if inside { Ok(value) } else { Err(BadValue::new(name, wants, Number(value))) }
    }

    /// Checks each item of the list `name`.
    pub fn check_each(self, name: &str, values: &[f64]) -> Result<(), BadValue> {
        for (i, &value) in values.iter().enumerate() {
            self.check(name, value).map_err(|bad| bad.item(i))?;
        }
        Ok(())
    }
}

/// A whole number of updates that is at least `least`.
pub fn count(name: &str, value: i64, least: u64) -> Result<u64, BadValue> {
    match u64::try_from(value) {
        Ok(count) if count >= least => Ok(count),
        _ => Err(BadValue::new(name, &format!("at least {least}"), value)),
    }
}

/// The option that has the name `got`.
pub fn choose<T: Copy>(name: &str, got: &str, options: &[(&str, T)]) -> Result<T, BadValue> {
    options.iter().find(|(option, _)| *option == got).map(|&(_, value)| value).ok_or_else(|| {
        let options: Vec<_> = options.iter().map(|(option, _)| format!("'{option}'")).collect();
        BadValue::new(name, &format!("one of {}", options.join(", ")), format!("'{got}'"))
    })
}

/// Checks that each item of the list `name` is ≥ 0 and at least `gap` above the one before it.
pub fn increasing(name: &str, steps: &[i64], gap: u64) -> Result<(), BadValue> {
    let mut least = 0;
    for (i, &step) in steps.iter().enumerate() {
        least = count(name, step, least).map_err(|bad| bad.item(i))? + gap;
    }
    Ok(())
}

/// Checks that a finite `value` is at least `floor`.
pub fn not_below(name: &str, value: f64, floor_name: &str, floor: f64) -> Result<f64, BadValue> {
    let value = Range::Finite.check(name, value)?;
    if value >= floor {
        Ok(value)
    } else {
        Err(BadValue::new(name, &format!("at least {floor_name} = {}", Number(floor)), Number(value)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_the_parameter_and_the_value() {
        let error = Range::Unit.check("beta1", 1.0).unwrap_err();
        assert_eq!(error.to_string(), "beta1 must be at least 0 and below 1, got 1.0");
        let error = Range::Positive.check("steps", f64::NAN).unwrap_err();
        assert_eq!(error.to_string(), "steps must be finite and above 0, got nan");
    }

    #[test]
    fn counts_and_choices_name_what_they_want() {
        assert_eq!(count("steps", 3, 1), Ok(3));
        assert_eq!(count("steps", 0, 1).unwrap_err().to_string(), "steps must be at least 1, got 0");
        assert_eq!(count("steps", -2, 0).unwrap_err().to_string(), "steps must be at least 0, got -2");
        let error = choose("shape", "round", &[("linear", 1), ("cosine", 2)]).unwrap_err();
        assert_eq!(error.to_string(), "shape must be one of 'linear', 'cosine', got 'round'");
    }

    #[test]
    fn nan_and_infinity_are_in_no_range() {
        use Range::{AtLeastOne, Finite, NonNegative, Positive, Unit, UnitClosed};
        for range in [Finite, NonNegative, Positive, Unit, UnitClosed, AtLeastOne] {
            for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
                assert!(range.check("x", bad).is_err(), "{range:?} took {bad}");
            }
        }
    }
}
