//! The element types of arrays at run time: their names and sizes.

/// What an array holds that is computed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dtype {
    F32,
    F64,
}

impl Dtype {
    /// As NumPy calls it.
    pub fn name(self) -> &'static str {
        match self {
            Self::F32 => "float32",
            Self::F64 => "float64",
        }
    }

    /// Bytes of one element.
    pub fn size(self) -> usize {
        match self {
            Self::F32 => 4,
            Self::F64 => 8,
        }
    }
}

/// What a gradient holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GradDtype {
    /// What may be computed in.
    Whole(Dtype),
    Bfloat16,
    Float16,
}

impl GradDtype {
    /// Bytes of one element.
    pub fn size(self) -> usize {
        match self {
            Self::Whole(dtype) => dtype.size(),
            Self::Bfloat16 | Self::Float16 => 2,
        }
    }
}

impl From<Dtype> for GradDtype {
    fn from(dtype: Dtype) -> Self {
        Self::Whole(dtype)
    }
}
