//! Distances and tests compared with the values of scipy, which are stored with their inputs.

use serde_json::Value;

use crate::drift::distance::Cells;
use crate::drift::significance as test;
use crate::drift::weighted::Weighted;

fn golden() -> Value {
    serde_json::from_str(include_str!("../../../tests/judge/scipy.json")).unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    value
        .as_array()
        .unwrap()
        .iter()
        .map(|value| value.as_f64().unwrap())
        .collect()
}

fn rows<'a>(golden: &'a Value, name: &str) -> impl Iterator<Item = Vec<f64>> + use<'a> {
    golden[name].as_array().unwrap().iter().map(numbers)
}

#[track_caller]
fn close(ours: f64, theirs: f64, tolerance: f64) {
    let size = theirs.abs().max(1e-300);
    assert!(
        (ours - theirs).abs() <= tolerance * size || (ours - theirs).abs() < 1e-13,
        "{ours} is not {theirs}"
    );
}

#[test]
fn special_functions_are_those_of_scipy() {
    let golden = golden();
    for row in rows(&golden, "gammaln") {
        close(test::log_gamma(row[0]), row[1], 1e-13);
    }
    for row in rows(&golden, "chi2_sf") {
        close(test::chi_squared(row[0], row[1]), row[2], 1e-10);
    }
    for row in rows(&golden, "kolmogorov") {
        close(test::kolmogorov(row[0]), row[1], 1e-10);
    }
}

#[test]
fn distances_of_samples_are_those_of_scipy() {
    for sample in golden()["samples"].as_array().unwrap() {
        let (a, b) = (numbers(&sample["a"]), numbers(&sample["b"]));
        let (n, m) = (a.len() as f64, b.len() as f64);
        let (a, b) = (Weighted::of_levels(&[a]), Weighted::of_levels(&[b]));
        let distance = a.max_difference(&b);
        close(distance, sample["ks_2samp"].as_f64().unwrap(), 1e-12);
        close(
            test::kolmogorov_smirnov(distance, n, m),
            sample["kolmogorov"].as_f64().unwrap(),
            1e-10,
        );
        close(
            a.transport(&b).distance,
            sample["wasserstein_distance"].as_f64().unwrap(),
            1e-10,
        );
    }
}

#[test]
fn distances_of_tables_are_those_of_scipy() {
    for table in golden()["tables"].as_array().unwrap() {
        let (a, b) = (numbers(&table["a"]), numbers(&table["b"]));
        let counts: Vec<(u64, u64)> = a.iter().zip(&b).map(|(a, b)| (*a as u64, *b as u64)).collect();
        let cells = Cells::of_counts(&counts);
        close(cells.jensen_shannon(), table["jensenshannon"].as_f64().unwrap(), 1e-10);
        close(cells.psi(), table["psi"].as_f64().unwrap(), 1e-10);
        close(
            test::homogeneity(&counts).unwrap(),
            table["chi2_contingency"].as_f64().unwrap(),
            1e-10,
        );
    }
}

#[test]
fn comparisons_of_shares_are_those_of_scipy() {
    let golden = golden();
    for row in rows(&golden, "fisher_exact").chain(rows(&golden, "chi2_contingency_2x2")) {
        let [a, n, b, m] = [row[0] as u64, row[1] as u64, row[2] as u64, row[3] as u64];
        close(test::proportions(a, n, b, m), row[4], 1e-7);
    }
    let control: Vec<Vec<f64>> = rows(&golden, "false_discovery_control").collect();
    let p_values: Vec<Option<f64>> = control[0].iter().copied().map(Some).collect();
    for (ours, theirs) in test::benjamini_hochberg(&p_values).into_iter().zip(&control[1]) {
        close(ours.unwrap(), *theirs, 1e-12);
    }
}
