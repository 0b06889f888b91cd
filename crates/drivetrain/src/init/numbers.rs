//! Bounds with room, and round numbers.

/// So much beyond the largest value a request may be: a wrong unit is further away.
const ROOM: f64 = 10.0;

/// Bounds that few values are outside of.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Fence {
    pub low: f64,
    pub high: f64,
}

/// The value below which `share` of `sorted` lies.
pub(super) fn quantile(sorted: &[f64], share: f64) -> f64 {
    let at = (share * sorted.len().saturating_sub(1) as f64).round() as usize;
    sorted.get(at).copied().unwrap_or_default()
}

/// Bounds that are far from what nearly all values are: the 1 % and 99 % quantiles, and `room` times their distance from
/// the median beyond. None where the middle of the values has no width, or where they are few.
pub(super) fn fence(values: &[f64], room: f64) -> Option<Fence> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let [low, middle, high] = [0.01, 0.5, 0.99].map(|share| quantile(&sorted, share));
    if sorted.len() < 50 || low >= middle || middle >= high {
        return None;
    }
    let from_zero = sorted.first().is_some_and(|least| *least >= 0.0);
    let least = down(low - room * (middle - low))?;
    Some(Fence {
        low: if from_zero { least.max(0.0) } else { least },
        high: up(high + room * (high - middle))?,
    })
}

/// What a request may say of a column whose values go from `low` to `high`.
pub(super) fn request_bounds(low: f64, high: f64, whole: bool) -> (Option<f64>, Option<f64>) {
    if whole && low >= 1900.0 && high <= 2100.0 {
        return (Some(1900.0), Some(2100.0));
    }
    if low >= 0.0 {
        let most = if high > 0.0 { up(high * ROOM) } else { None };
        return (Some(0.0), most);
    }
    let size = low.abs().max(high.abs()) * ROOM;
    (down(-size), up(size))
}

/// The least number of two digits that is not below: 13,000 for 12,345. None beyond what numbers can be.
pub(super) fn up(value: f64) -> Option<f64> {
    round(value, f64::ceil)
}

/// The largest number of two digits that is not above.
pub(super) fn down(value: f64) -> Option<f64> {
    round(value, f64::floor)
}

fn round(value: f64, to: impl Fn(f64) -> f64) -> Option<f64> {
    if value == 0.0 {
        return Some(0.0);
    }
    let exponent = value.abs().log10().floor() as i32 - 1;
    let step = 10f64.powi(exponent);
    // By text, so that it is as short as it looks.
    let rounded: f64 = format!("{}e{exponent}", to(value / step)).parse().ok()?;
    (rounded.is_finite() && step > 0.0).then_some(rounded)
}

/// As YAML and people write it.
pub(super) fn plain(value: f64) -> String {
    let size = value.abs();
    if value == 0.0 {
        "0".to_owned()
    } else if (1e-5..1e15).contains(&size) {
        value.to_string()
    } else {
        format!("{value:e}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn bounds_have_room_and_two_digits() {
        assert_eq!((up(12_345.0), down(12_345.0)), (Some(13_000.0), Some(12_000.0)));
        assert_eq!((up(-0.0123), down(0.0), up(7.0)), (Some(-0.012), Some(0.0), Some(7.0)));
        assert_eq!(request_bounds(1995.0, 2024.0, true), (Some(1900.0), Some(2100.0)));
        assert_eq!(request_bounds(3.0, 250_000.0, true), (Some(0.0), Some(2_500_000.0)));
        assert_eq!(request_bounds(-12.5, 40.0, false), (Some(-400.0), Some(400.0)));
        assert_eq!(request_bounds(0.0, f64::MAX, false), (Some(0.0), None));
    }

    #[test]
    fn a_typing_error_is_beyond_the_fence_and_a_dear_house_is_not() {
        let mut prices: Vec<f64> = (0..1000).map(|at| 10_000.0 + f64::from(at) * 90.0).collect();
        prices.push(3e9);
        prices.push(160_000.0);
        let fence = fence(&prices, 3.0).unwrap();
        assert!(fence.high > 160_000.0 && fence.high < 300_000.0, "{fence:?}");
        assert_eq!(fence.low, 0.0);
        assert_eq!(super::fence(&[5.0; 100], 3.0), None);
    }

    proptest! {
        #[test]
        fn rounding_never_crosses(value in prop::num::f64::NORMAL) {
            // 1e-9 of it: a step may be no power of ten exactly.
            if let Some(up) = up(value) { prop_assert!(up >= value - value.abs() * 1e-9); }
            if let Some(down) = down(value) { prop_assert!(down <= value + value.abs() * 1e-9); }
        }
    }
}
