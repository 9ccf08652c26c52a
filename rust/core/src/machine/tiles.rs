//! Transposing in square tiles, which are turned in registers: what LLVM does not find by itself.

use crate::codecs::bfloat16::Bfloat16;
use crate::codecs::float16::Float16;

/// Elements of a tile's side.
const SIDE: usize = 4;

/// out[row·columns + column] ← from[first + row + column·stride], for as many whole rows as `out` has.
#[inline(always)]
pub(crate) fn transpose<T: Turn>(from: &[T], first: isize, stride: isize, out: &mut [T], columns: usize) {
    let rows = out.len() / columns;
    if rows == 0 {
        return;
    }
    let (begin, end) = (first, first + (columns as isize - 1) * stride);
    assert!(begin.min(end) >= 0 && (begin.max(end) as usize).saturating_add(rows) <= from.len());
    let (tiled_rows, tiled_columns) = (rows - rows % SIDE, columns - columns % SIDE);
    // SAFETY: a column is `rows` elements of `from`, from `first` plus a multiple of `stride` on; the columns between
    // the first and the last lie between them, and both were just seen to be inside. A row is `columns` elements of
    // `out`, which has `rows` of them.
    unsafe {
        let column = |k: usize| from.as_ptr().offset(first + k as isize * stride);
        let out = out.as_mut_ptr();
        for left in (0..tiled_columns).step_by(SIDE) {
            let [a, b, c, d] = [column(left), column(left + 1), column(left + 2), column(left + 3)];
            for top in (0..tiled_rows).step_by(SIDE) {
                let tile = [a, b, c, d].map(|line| line.add(top).cast::<[T; SIDE]>().read());
                for (k, line) in T::turn(tile).into_iter().enumerate() {
                    out.add((top + k) * columns + left).cast::<[T; SIDE]>().write(line);
                }
            }
        }
        for k in 0..columns {
            for row in if k < tiled_columns { tiled_rows } else { 0 }..rows {
                *out.add(row * columns + k) = *column(k).add(row);
            }
        }
    }
}

/// An element type of which a tile can be turned.
pub(crate) trait Turn: Copy {
    /// The transpose.
    fn turn(tile: [[Self; SIDE]; SIDE]) -> [[Self; SIDE]; SIDE];
}

impl Turn for f32 {
    #[cfg(target_arch = "x86_64")]
    #[inline(always)]
    fn turn(tile: [[Self; SIDE]; SIDE]) -> [[Self; SIDE]; SIDE] {
        use std::arch::x86_64::{__m128, _mm_movehl_ps, _mm_movelh_ps, _mm_unpackhi_ps, _mm_unpacklo_ps};
        // SAFETY: every x86_64 has SSE, and four f32 are a register of four f32.
        unsafe {
            let [a, b, c, d]: [__m128; SIDE] = std::mem::transmute(tile);
            let (ab, cd) = (_mm_unpacklo_ps(a, b), _mm_unpacklo_ps(c, d));
            let (ab_high, cd_high) = (_mm_unpackhi_ps(a, b), _mm_unpackhi_ps(c, d));
            std::mem::transmute([
                _mm_movelh_ps(ab, cd),
                _mm_movehl_ps(cd, ab),
                _mm_movelh_ps(ab_high, cd_high),
                _mm_movehl_ps(cd_high, ab_high),
            ])
        }
    }

    #[cfg(not(target_arch = "x86_64"))]
    #[inline(always)]
    fn turn(tile: [[Self; SIDE]; SIDE]) -> [[Self; SIDE]; SIDE] {
        plainly(tile)
    }
}

impl Turn for f64 {
    #[cfg(target_arch = "x86_64")]
    #[inline(always)]
    fn turn(tile: [[Self; SIDE]; SIDE]) -> [[Self; SIDE]; SIDE] {
        use std::arch::x86_64::{__m128d, _mm_unpackhi_pd, _mm_unpacklo_pd};
        // SAFETY: every x86_64 has SSE2, and two f64 are a register of two f64.
        unsafe {
            let [[a, a2], [b, b2], [c, c2], [d, d2]]: [[__m128d; 2]; SIDE] = std::mem::transmute(tile);
            std::mem::transmute([
                [_mm_unpacklo_pd(a, b), _mm_unpacklo_pd(c, d)],
                [_mm_unpackhi_pd(a, b), _mm_unpackhi_pd(c, d)],
                [_mm_unpacklo_pd(a2, b2), _mm_unpacklo_pd(c2, d2)],
                [_mm_unpackhi_pd(a2, b2), _mm_unpackhi_pd(c2, d2)],
            ])
        }
    }

    #[cfg(not(target_arch = "x86_64"))]
    #[inline(always)]
    fn turn(tile: [[Self; SIDE]; SIDE]) -> [[Self; SIDE]; SIDE] {
        plainly(tile)
    }
}

impl Turn for Bfloat16 {
    #[inline(always)]
    fn turn(tile: [[Self; SIDE]; SIDE]) -> [[Self; SIDE]; SIDE] {
        plainly(tile)
    }
}

impl Turn for Float16 {
    #[inline(always)]
    fn turn(tile: [[Self; SIDE]; SIDE]) -> [[Self; SIDE]; SIDE] {
        plainly(tile)
    }
}

/// Also what the others are tested against.
#[inline(always)]
fn plainly<T: Copy>(tile: [[T; SIDE]; SIDE]) -> [[T; SIDE]; SIDE] {
    std::array::from_fn(|row| std::array::from_fn(|column| tile[column][row]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turned_tile_is_the_transpose() {
        let tile: [[f64; SIDE]; SIDE] =
            std::array::from_fn(|row| std::array::from_fn(|column| (10 * row + column) as f64));
        assert_eq!(f64::turn(tile), plainly(tile));
        let single = tile.map(|row| row.map(|x| x as f32));
        assert_eq!(f32::turn(single), plainly(single));
    }

    #[test]
    fn whole_rows_are_transposed_and_nothing_else_is_read_or_written() {
        for (rows, columns) in [(1, 1), (4, 4), (3, 9), (9, 3), (16, 21), (21, 16)] {
            for gap in [0, 3] {
                let stride = rows + gap;
                let from: Vec<f64> = (0..2 + (columns - 1) * stride + rows).map(|i| i as f64).collect();
                let mut out = vec![-1.0; rows * columns + columns.min(2) - 1];
                let whole = rows * columns;
                transpose(&from, 2, stride as isize, &mut out, columns);
                let mut backwards = vec![-1.0; whole];
                let last = 2 + (columns - 1) * stride;
                transpose(&from, last as isize, -(stride as isize), &mut backwards, columns);
                for i in 0..whole {
                    let (row, column) = (i / columns, i % columns);
                    assert_eq!(out[i], (2 + row + column * stride) as f64);
                    assert_eq!(backwards[i], (2 + row + (columns - 1 - column) * stride) as f64);
                }
                assert!(out[whole..].iter().all(|&x| x == -1.0));
            }
        }
    }

    #[test]
    #[should_panic(expected = "assertion failed")]
    fn a_column_that_is_not_inside_is_refused() {
        transpose(&[0f32; 15], 0, 4, &mut [0.0; 16], 4);
    }
}
