//! The one error of the core: a number outside the range that its name allows.

use std::fmt;

/// A hyperparameter or schedule parameter whose value is outside its range.
#[derive(Clone, Debug, PartialEq)]
pub struct BadValue {
    pub name: String,
    /// The range, as it reads after "must be".
    pub wants: String,
    pub got: String,
}

impl BadValue {
    pub fn new(name: &str, wants: &str, got: impl fmt::Display) -> Self {
        Self { name: name.to_owned(), wants: wants.to_owned(), got: got.to_string() }
    }

    /// The same of item number `i` of the list that the error names.
    #[must_use]
    pub fn item(self, i: usize) -> Self {
        Self { name: format!("{}[{i}]", self.name), ..self }
    }
}

impl fmt::Display for BadValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} must be {}, got {}", self.name, self.wants, self.got)
    }
}

impl std::error::Error for BadValue {}

/// A float as Python prints it: `nan`, `inf`, `1e-08`, `2.0`.
#[derive(Clone, Copy, Debug)]
pub struct Number(pub f64);

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(x) = *self;
        if x.is_nan() {
            return f.write_str("nan");
        }
        if x == 0.0 || x.is_infinite() || (1e-4..1e16).contains(&x.abs()) {
            return write!(f, "{x:?}");
        }
        let text = format!("{x:e}");
        let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let (sign, exponent) = exponent.strip_prefix('-').map_or(('+', exponent), |size| ('-', size));
        write!(f, "{digits}e{sign}{exponent:0>2}")
    }
}

#[cfg(test)]
mod tests {
    use super::Number;

    #[test]
    fn floats_read_as_in_python() {
        let cases = [
            (2.0, "2.0"),
            (-0.5, "-0.5"),
            (1e-4, "0.0001"),
            (5e-5, "5e-05"),
            (-1.5e-8, "-1.5e-08"),
            (1e-300, "1e-300"),
            (123_456_789_012_345.0, "123456789012345.0"),
            (1e16, "1e+16"),
            (1.25e300, "1.25e+300"),
            (0.0, "0.0"),
            (f64::NAN, "nan"),
            (f64::NEG_INFINITY, "-inf"),
        ];
        for (number, text) in cases {
            assert_eq!(Number(number).to_string(), text);
        }
    }
}
