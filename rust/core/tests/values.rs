//! Small functions of numbers that much rests on.

use gradstep_core::dtypes::Dtype;
use gradstep_core::floats::Float;
use gradstep_core::memory::Order;

#[test]
fn dtypes_are_called_as_numpy_does() {
    assert_eq!(
        [Dtype::F32, Dtype::F64].map(|dtype| (dtype.name(), dtype.size())),
        [("float32", 4), ("float64", 8)]
    );
}

#[test]
fn a_number_is_held_within_its_limit() {
    let (inf, nan) = (f64::INFINITY, f64::NAN);
    for (x, limit, held) in [
        (0.5, 1.0, 0.5),
        (-0.5, 1.0, -0.5),
        (1.5, 1.0, 1.0),
        (-1.5, 1.0, -1.0),
        (inf, 1.0, 1.0),
        (-inf, 1.0, -1.0),
        (inf, inf, inf),
        (7.0, 0.0, -0.0),
        (-7.0, 0.0, -0.0),
    ] {
        assert_eq!(x.held(limit).to_bits(), f64::to_bits(held), "{x} {limit}");
    }
    assert!(nan.held(1.0).is_nan());
    // Of two zeros the other one, as `np.maximum` does.
    assert!(0.0_f64.nan_max(-0.0).is_sign_negative() && (-0.0_f64).nan_min(0.0).is_sign_positive());
    assert_eq!(
        (2.0_f64.nan_max(1.0), 1.0_f64.nan_max(2.0), 2.0_f64.nan_min(1.0), 1.0_f64.nan_min(2.0)),
        (2.0, 2.0, 1.0, 1.0)
    );
}

#[test]
fn an_order_reaches_from_its_lowest_to_its_highest_element() {
    let strided = |columns, row, column| Order::Strided { columns, row, column };
    for (order, len, extent) in [
        (Order::Same, 12, (0, 11)),
        (Order::Same, 0, (0, 0)),
        (strided(4, 1, 3), 12, (0, 11)),
        (strided(4, 10, 2), 12, (0, 26)),
        (strided(4, -10, 2), 12, (-20, 6)),
        (strided(4, 10, -2), 12, (-6, 20)),
        (strided(4, -10, -2), 12, (-26, 0)),
        (strided(4, 0, 1), 12, (0, 3)),
        (strided(4, 10, 2), 1, (0, 0)),
        (strided(4, 10, 2), 3, (0, 4)),
    ] {
        assert_eq!(order.reach(len), extent, "{order:?} {len}");
    }
}
