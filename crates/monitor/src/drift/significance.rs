//! Hypothesis tests: the probability of a difference at least this large if both sides have the same distribution.
//!
//! Nothing here depends on columns. The size of a difference is computed in `distance`.

/// Minimum number of values expected in each cell of a χ² test, on either side; smaller cells are pooled.
const SMALLEST_CELL: f64 = 5.0;

/// Two shares are compared by the normal distribution where every cell expects at least this many, else exactly.
const SMALLEST_NORMAL: f64 = 10.0;

/// Kolmogorov–Smirnov for two samples of `n` and `m` values with the largest difference `distance`, asymptotically.
/// Ties make it cautious.
pub fn kolmogorov_smirnov(distance: f64, n: f64, m: f64) -> f64 {
    kolmogorov((n * m / (n + m)).sqrt() * distance)
}

/// The upper tail of Kolmogorov's distribution.
pub fn kolmogorov(x: f64) -> f64 {
    if x < 0.2 {
        // The series converges slowly for such small values, but the tail is 1 to sixteen digits.
        return 1.0;
    }
    let mut sum = 0.0;
    for k in 1..=100 {
        let k = f64::from(k);
        let term = (-2.0 * k * k * x * x).exp();
        sum += if k % 2.0 == 1.0 { term } else { -term };
        if term < 1e-17 {
            break;
        }
    }
    (2.0 * sum).clamp(0.0, 1.0)
}

/// χ² test of homogeneity of two samples in the same cells, with small ones pooled. `None` if fewer than two cells
/// remain.
pub fn homogeneity(cells: &[(u64, u64)]) -> Option<f64> {
    let cells = pooled(cells);
    if cells.len() < 2 {
        return None;
    }
    let (n, m) = totals(&cells);
    let statistic: f64 = cells
        .iter()
        .map(|(a, b)| {
            let (a, b) = (*a as f64, *b as f64);
            let expected = ((a + b) * n / (n + m), (a + b) * m / (n + m));
            (a - expected.0).powi(2) / expected.0 + (b - expected.1).powi(2) / expected.1
        })
        .sum();
    Some(chi_squared(statistic, cells.len() as f64 - 1.0))
}

/// Cells in which enough values are expected on either side; the others are pooled into one. The totals of both sides
/// decide which are small, as they don't depend on the split: pooling what one side lacks would turn chance into
/// differences.
pub fn pooled(cells: &[(u64, u64)]) -> Vec<(u64, u64)> {
    let (n, m) = totals(cells);
    let smaller = n.min(m) / (n + m);
    let enough = |cell: &(u64, u64)| (cell.0 + cell.1) as f64 * smaller >= SMALLEST_CELL;
    let mut large: Vec<(u64, u64)> = cells.iter().copied().filter(enough).collect();
    let small = cells.iter().filter(|cell| !enough(cell));
    let rest = small.fold((0, 0), |sum, cell| (sum.0 + cell.0, sum.1 + cell.1));
    if enough(&rest) {
        large.push(rest);
    } else if let Some(least) = large.iter_mut().min_by_key(|cell| cell.0 + cell.1) {
        *least = (least.0 + rest.0, least.1 + rest.1);
    }
    large
}

/// Tests whether the share of any single cell differs, corrected for the number of cells. It finds a rare cell that
/// grew, which χ² has to pool if one side has few values.
pub fn any_share(cells: &[(u64, u64)]) -> Option<f64> {
    let (n, m) = cells.iter().fold((0, 0), |(n, m), cell| (n + cell.0, m + cell.1));
    let smallest = cells
        .iter()
        .map(|cell| proportions(cell.0, n, cell.1, m))
        .reduce(f64::min)?;
    Some((smallest * cells.len() as f64).min(1.0))
}

fn totals(cells: &[(u64, u64)]) -> (f64, f64) {
    cells
        .iter()
        .fold((0.0, 0.0), |(n, m), cell| (n + cell.0 as f64, m + cell.1 as f64))
}

/// The upper tail of the χ² distribution.
pub fn chi_squared(statistic: f64, freedom: f64) -> f64 {
    upper_gamma(freedom / 2.0, statistic / 2.0)
}

/// The upper tail of the normal distribution, for a distance of at least 0.
pub fn normal_tail(distance: f64) -> f64 {
    upper_gamma(0.5, distance * distance / 2.0) / 2.0
}

/// Tests whether `a` of `n` and `b` of `m` are the same share: by the normal distribution with continuity correction
/// or, if a cell is small, by Fisher's exact test with its smaller tail doubled.
pub fn proportions(a: u64, n: u64, b: u64, m: u64) -> f64 {
    if n == 0 || m == 0 || a + b == 0 || a + b == n + m {
        return 1.0;
    }
    let (x, y, rows, others) = (a as f64, b as f64, n as f64, m as f64);
    let share = (x + y) / (rows + others);
    if share.min(1.0 - share) * rows.min(others) < SMALLEST_NORMAL {
        return fisher(a, n, b, m);
    }
    let spread = 1.0 / rows + 1.0 / others;
    let difference = ((x / rows - y / others).abs() - spread / 2.0).max(0.0);
    let z = difference / (share * (1.0 - share) * spread).sqrt();
    upper_gamma(0.5, z * z / 2.0)
}

/// Fisher's exact test, with the smaller tail doubled.
fn fisher(a: u64, n: u64, b: u64, m: u64) -> f64 {
    // Counted by the rarer of the two outcomes, the tail has few terms that matter.
    if a + b > n + m - a - b {
        return fisher(n - a, n, m - b, m);
    }
    let successes = a + b;
    let log_probability = |k: u64| log_choose(n, k) + log_choose(m, successes - k) - log_choose(n + m, successes);
    let (least, most) = (successes.saturating_sub(m), successes.min(n));
    let tail = |range: &mut dyn Iterator<Item = u64>| {
        let mut sum = 0.0;
        for k in range {
            let term = log_probability(k).exp();
            sum += term;
            if term < sum * 1e-16 {
                break;
            }
        }
        sum
    };
    (2.0 * tail(&mut (a..=most)).min(tail(&mut (least..=a).rev()))).min(1.0)
}

/// Tests whether `below` and `above` of `m` values may lie outside the range of `n` others by chance: each of them
/// could as well have been among those that form the range. Distribution-free; exact without ties, conservative with
/// them.
pub fn outside(below: usize, above: usize, n: f64, m: f64) -> f64 {
    let chance = (m / (n + m)).powf(below.max(above) as f64);
    (2.0 * chance).min(1.0)
}

/// Benjamini–Hochberg: for each p-value, the smallest false-discovery rate at which it is a discovery.
pub fn benjamini_hochberg(p_values: &[Option<f64>]) -> Vec<Option<f64>> {
    let mut order: Vec<(usize, f64)> = p_values
        .iter()
        .enumerate()
        .filter_map(|(i, p)| p.map(|p| (i, p)))
        .collect();
    order.sort_by(|a, b| b.1.total_cmp(&a.1));
    let tests = order.len() as f64;
    let mut q_values = vec![None; p_values.len()];
    let mut least = 1.0_f64;
    for (step, (index, p)) in order.into_iter().enumerate() {
        least = least.min(p * (tests / (tests - step as f64)));
        q_values[index] = Some(least);
    }
    q_values
}

fn log_choose(n: u64, k: u64) -> f64 {
    let (n, k) = (n as f64, k as f64);
    log_gamma(n + 1.0) - log_gamma(k + 1.0) - log_gamma(n - k + 1.0)
}

/// ln Γ for positive arguments: Stirling's series, after the recurrence has carried the argument beyond 15.
pub fn log_gamma(x: f64) -> f64 {
    let (mut x, mut product) = (x, 1.0);
    while x < 15.0 {
        product *= x;
        x += 1.0;
    }
    let inverse = 1.0 / x;
    let square = inverse * inverse;
    let series = inverse
        * (1.0 / 12.0 - square * (1.0 / 360.0 - square * (1.0 / 1260.0 - square * (1.0 / 1680.0 - square / 1188.0))));
    (x - 0.5) * x.ln() - x + 0.5 * std::f64::consts::TAU.ln() + series - product.ln()
}

/// The regularised upper incomplete gamma function Q(a, x): by series below the mean, by continued fraction above it.
pub fn upper_gamma(a: f64, x: f64) -> f64 {
    if x.is_nan() || a.is_nan() {
        return f64::NAN;
    }
    if x <= 0.0 {
        return 1.0;
    }
    if x.is_infinite() {
        return 0.0;
    }
    let front = (a * x.ln() - x - log_gamma(a)).exp();
    // Both converge within about 10·√a terms around the mean, which bounds the loops for any possible table.
    if x < a + 1.0 {
        let (mut term, mut sum, mut k) = (1.0 / a, 1.0 / a, a);
        for _ in 0..100_000 {
            k += 1.0;
            term *= x / k;
            sum += term;
            if term < sum * 1e-16 {
                break;
            }
        }
        return (1.0 - front * sum).clamp(0.0, 1.0);
    }
    // Lentz's method.
    let tiny = f64::MIN_POSITIVE / f64::EPSILON;
    let mut b = x + 1.0 - a;
    let mut c = 1.0 / tiny;
    let mut d = 1.0 / b;
    let mut fraction = d;
    for i in 1..100_000 {
        let i = f64::from(i);
        let numerator = -i * (i - a);
        b += 2.0;
        d = 1.0 / nonzero(numerator * d + b, tiny);
        c = nonzero(b + numerator / c, tiny);
        let step = c * d;
        fraction *= step;
        if (step - 1.0).abs() < 1e-15 {
            break;
        }
    }
    (front * fraction).clamp(0.0, 1.0)
}

fn nonzero(value: f64, tiny: f64) -> f64 {
    if value.abs() < tiny { tiny } else { value }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn one_cell_cannot_be_tested() {
        assert_eq!(homogeneity(&[]), None);
        assert_eq!(homogeneity(&[(100, 90)]), None);
        assert_eq!(homogeneity(&[(100, 90), (1, 2)]), None);
        assert_eq!(homogeneity(&[(100, 0), (100, 0)]), None);
    }

    #[test]
    fn small_cells_are_pooled() {
        let pooled = homogeneity(&[(500, 400), (300, 350), (20, 18)]);
        assert_eq!(
            homogeneity(&[(500, 400), (300, 350), (4, 3), (4, 3), (4, 4), (4, 4), (4, 4)]),
            pooled
        );
    }

    #[test]
    fn shares_that_cannot_differ_do_not() {
        assert_eq!(proportions(0, 50, 0, 60), 1.0);
        assert_eq!(proportions(50, 50, 60, 60), 1.0);
        assert_eq!(proportions(0, 0, 3, 60), 1.0);
    }

    #[test]
    fn the_range_of_many_is_seldom_left() {
        assert_eq!(outside(0, 0, 100.0, 100.0), 1.0);
        assert_eq!(outside(1, 0, 100.0, 100.0), 1.0);
        assert_eq!(outside(0, 10, 100.0, 100.0), 2.0 / 1024.0);
    }

    #[test]
    fn q_values_are_those_of_the_method() {
        // The example of fifteen tests by Benjamini and Hochberg: the fourth p-value is the last discovery at 0.05.
        let p = [
            0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528,
            0.7590, 1.0,
        ];
        let q = benjamini_hochberg(&p.map(Some));
        let found = q.iter().filter(|q| q.is_some_and(|q| q <= 0.05)).count();
        assert_eq!(found, 4);
        assert!((q[3].unwrap() - 0.0095 * 15.0 / 4.0).abs() < 1e-15);
        assert_eq!(benjamini_hochberg(&[None, Some(0.5), None]), [None, Some(0.5), None]);
    }

    proptest! {
        #[test]
        fn p_values_are_probabilities(a in 0_u64..400, b in 0_u64..400, n in 400_u64..100_000, m in 400_u64..100_000) {
            let p = proportions(a, n, b, m);
            prop_assert!((0.0..=1.0).contains(&p), "{}", p);
            prop_assert!((p - proportions(b, m, a, n)).abs() < 1e-9);
            prop_assert!((p - proportions(n - a, n, m - b, m)).abs() < 1e-9);
        }

        #[test]
        fn q_values_keep_the_order_and_never_fall_below_p(p in prop::collection::vec(0.0..1.0, 1..40)) {
            let q = benjamini_hochberg(&p.iter().copied().map(Some).collect::<Vec<_>>());
            for i in 0..p.len() {
                prop_assert!(q[i].unwrap() >= p[i]);
                for j in 0..p.len() {
                    if p[i] < p[j] {
                        prop_assert!(q[i].unwrap() <= q[j].unwrap());
                    }
                }
            }
        }
    }
}
