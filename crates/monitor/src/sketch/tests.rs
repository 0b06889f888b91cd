//! The sketches compared with golden files of the reference, and with a plain implementation of its rules.

mod reference;

use proptest::prelude::*;
use serde_json::Value;

use super::hll::{self, Hll};
use super::kll::{Kll, Ranks, capacity};

fn golden(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn kll_golden() -> Value {
    golden(include_str!("../../tests/sketch/kll.json"))
}

fn mix(i: u64) -> u64 {
    let mut z = i.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// The rules of `kll.json`.
fn values(rule: &str, seed: u64, count: u64) -> Vec<f64> {
    let value = |i: u64| {
        let x = mix(seed * 1_000_000_007 + i + 1);
        match rule {
            "unit" => (x >> 11) as f64 / (1_u64 << 53) as f64,
            "whole" => (x % 100) as f64,
            "signed" => {
                let value = (x % 7) as f64 - 3.0;
                if x & 64 == 0 { -value } else { value }
            }
            "bits" => Some(f64::from_bits(x))
                .filter(|value| !value.is_nan())
                .unwrap_or(f64::INFINITY),
            "rising" => i as f64,
            "falling" => -(i as f64),
            _ => panic!("{rule} is no rule"),
        }
    };
    (0..count).map(value).collect()
}

fn sketch_of(values: &[f64]) -> Kll {
    let mut sketch = Kll::new();
    sketch.update_all(values);
    sketch
}

/// The levels for a bit-by-bit comparison, in which negative and positive zeros differ.
fn bits(levels: &[Vec<f64>]) -> Vec<Vec<u64>> {
    levels
        .iter()
        .map(|level| level.iter().map(|item| item.to_bits()).collect())
        .collect()
}

/// The levels in the form of `kll.json`, without the counts of compactions and the offsets.
fn digests(sketch: &Kll) -> Vec<(u64, String)> {
    let digest = |level: &Vec<f64>| {
        let mut h = 0xcbf2_9ce4_8422_2325_u64;
        for item in level {
            h = (h ^ item.to_bits()).wrapping_mul(0x100_0000_01b3);
            h ^= h >> 29;
        }
        (level.len() as u64, format!("{h:x}"))
    };
    sketch.levels().iter().map(digest).collect()
}

fn expected(levels: &Value) -> Vec<(u64, String)> {
    let level = |level: &Value| (level[0].as_u64().unwrap(), level[3].as_str().unwrap().to_owned());
    levels.as_array().unwrap().iter().map(level).collect()
}

/// The largest difference between the ranks of a sketch and those of the values themselves.
fn worst_error(sketch: &Kll, values: &[f64]) -> u64 {
    let truth = Ranks::of_levels(&[values.to_vec()]);
    (truth.max_difference(&sketch.ranks()) * values.len() as f64).round() as u64
}

#[test]
fn capacities_are_those_of_the_reference() {
    assert_eq!((0..4).map(capacity).collect::<Vec<_>>(), [2050, 1314, 842, 540]);
    for height in 0..64 {
        assert_eq!(capacity(height), reference::capacity(height), "of level {height}");
    }
}

#[test]
fn up_to_2050_values_are_kept_as_they_came() {
    let values = values("signed", 4, 2050);
    assert_eq!(bits(sketch_of(&values).levels()), bits(&[values]));
}

#[test]
fn the_start_alternates_after_the_first_and_then_after_every_second_compaction() {
    let mut sketch = Kll::new();
    let mut starts = Vec::new();
    let mut value = 0.0;
    while starts.len() < 7 {
        let before = sketch.levels().get(1).map_or(0, Vec::len);
        let oldest = sketch.levels()[0].first().copied().unwrap_or(0.0);
        sketch.update(value);
        value += 1.0;
        let after = sketch.levels().get(1).map_or(0, Vec::len);
        if after > before {
            // With rising values, the first that moved up is the first or the second of the level.
            starts.push(sketch.levels()[1][before] - oldest);
        }
    }
    assert_eq!(starts, [0.0, 1.0, 1.0, 0.0, 0.0, 1.0, 1.0]);
}

#[test]
fn streams_give_the_levels_of_the_reference() {
    for case in kll_golden()["streams"].as_array().unwrap() {
        let values = values(
            case["rule"].as_str().unwrap(),
            case["seed"].as_u64().unwrap(),
            case["count"].as_u64().unwrap(),
        );
        assert_eq!(
            digests(&sketch_of(&values)),
            expected(&case["levels"]),
            "{} {}",
            case["rule"],
            case["count"]
        );
    }
}

#[test]
fn merges_give_the_levels_of_the_reference() {
    for case in kll_golden()["merges"].as_array().unwrap() {
        let rule = case["rule"].as_str().unwrap();
        let counts = case["counts"]
            .as_array()
            .unwrap()
            .iter()
            .map(|count| count.as_u64().unwrap());
        let mut parts = (10..)
            .zip(counts)
            .map(|(seed, count)| sketch_of(&values(rule, seed, count)));
        let mut sketch = parts.next().unwrap();
        parts.for_each(|part| sketch.merge(&part));
        assert_eq!(digests(&sketch), expected(&case["levels"]), "{rule} {}", case["counts"]);
        sketch.update_all(&values(rule, 99, 5000));
        assert_eq!(
            digests(&sketch),
            expected(&case["after_5000"]),
            "{rule} {} and 5000 more",
            case["counts"]
        );
    }
}

#[test]
fn a_sketch_read_back_goes_on_as_the_reference_does() {
    for case in kll_golden()["read_back"].as_array().unwrap() {
        let rule = case["rule"].as_str().unwrap();
        let written = sketch_of(&values(
            rule,
            case["seed"].as_u64().unwrap(),
            case["count"].as_u64().unwrap(),
        ));
        let mut sketch = Kll::from_levels(written.levels().to_vec());
        assert_eq!(sketch.levels(), written.levels());
        sketch.update_all(&values(rule, 99, 5000));
        assert_eq!(digests(&sketch), expected(&case["after_5000"]), "{}", case["count"]);
    }
}

#[test]
fn ranks_are_those_of_the_reference() {
    let asked = [-3.0, -0.0, 0.0, 0.5, 3.0, 50.0, f64::NAN];
    for case in kll_golden()["ranks"].as_array().unwrap() {
        let rule = case["rule"].as_str().unwrap();
        let sketch = |i: usize| {
            sketch_of(&values(
                rule,
                case["seeds"][i].as_u64().unwrap(),
                case["counts"][i].as_u64().unwrap(),
            ))
        };
        let (a, b) = (sketch(0), sketch(1));
        let list = |name: &str| -> Vec<u64> {
            case[name]
                .as_array()
                .unwrap()
                .iter()
                .map(|rank| rank.as_u64().unwrap())
                .collect()
        };
        assert_eq!(asked.map(|x| a.ranks().rank(x)).to_vec(), list("rank"), "{case}");
        assert_eq!(
            asked.map(|x| a.ranks().rank_exclusive(x)).to_vec(),
            list("rank_exclusive"),
            "{case}"
        );
        assert_eq!(
            a.ranks().items().count() as u64,
            case["keys"].as_u64().unwrap(),
            "{case}"
        );

        let flawed = [&a, &b].map(|sketch| Ranks::of_levels_as_reference(sketch.levels()));
        assert_eq!(flawed[0].total(), case["map_total"].as_u64().unwrap(), "{case}");
        assert_eq!(
            flawed[0].max_difference(&flawed[1]),
            case["distance_of_maps"].as_f64().unwrap(),
            "{case}"
        );
    }
}

#[test]
fn equal_items_add_up() {
    let ranks = Ranks::of_levels(&[vec![2.0, -0.0, 2.0, 0.0], vec![2.0], vec![1.0]]);
    assert_eq!(ranks.items().collect::<Vec<_>>(), [(0.0, 2), (1.0, 6), (2.0, 10)]);
    assert_eq!(
        (
            ranks.rank(-0.0),
            ranks.rank_exclusive(0.0),
            ranks.rank(1.5),
            ranks.total()
        ),
        (2, 0, 6, 10)
    );
}

#[test]
fn quantiles_are_the_smallest_items_that_suffice() {
    let ranks = Ranks::of_levels(&[vec![3.0, 1.0, 2.0, 4.0]]);
    let quantiles = [0.0, 0.25, 0.26, 0.5, 0.99, 1.0, 7.0].map(|share| ranks.quantile(share));
    assert_eq!(quantiles, [1.0, 1.0, 2.0, 2.0, 4.0, 4.0, 4.0].map(Some));
    assert_eq!(Ranks::default().quantile(0.5), None);
}

#[test]
fn the_difference_is_that_of_the_distributions() {
    let of = |values: &[f64]| Ranks::of_levels(&[values.to_vec()]);
    assert_eq!(of(&[1.0, 2.0]).max_difference(&of(&[1.0, 1.0, 2.0, 2.0])), 0.0);
    assert_eq!(of(&[1.0, 2.0]).max_difference(&of(&[3.0])), 1.0);
    assert_eq!(of(&[1.0, 2.0, 3.0, 4.0]).max_difference(&of(&[2.0, 3.0])), 0.25);
    assert_eq!(of(&[-0.0]).max_difference(&of(&[0.0])), 0.0);
    assert_eq!(of(&[]).max_difference(&of(&[1.0])), 1.0);
    assert_eq!(of(&[]).max_difference(&of(&[])), 0.0);
}

#[test]
fn the_last_bucket_can_miss_the_largest_values() {
    // The reference's own bounds: 6.666666667 * 10 / 10 is less than 6.666666667.
    let mut values = vec![6.666_666_667; 3];
    values.extend((0..1006).map(|i| f64::from(i % 60) / 10.0));
    let buckets = sketch_of(&values).buckets(0.0, 6.666_666_667);
    assert_eq!(buckets.len(), 10);
    assert_eq!(buckets[9].upper_bound, 6.666_666_666_999_999);
    assert_eq!(buckets.iter().map(|bucket| bucket.count).sum::<f64>(), 1006.0);
}

#[test]
fn buckets_are_even_and_the_last_one_is_closed() {
    let values: Vec<f64> = (0..=100).map(f64::from).collect();
    let buckets = sketch_of(&values).buckets(0.0, 100.0);
    assert_eq!(buckets[3].lower_bound, 30.0);
    assert_eq!(buckets[3].upper_bound, 40.0);
    let counts: Vec<f64> = buckets.iter().map(|bucket| bucket.count).collect();
    assert_eq!(counts, [10.0, 10.0, 10.0, 10.0, 10.0, 10.0, 10.0, 10.0, 10.0, 11.0]);
}

#[test]
fn buckets_of_values_beyond_32_bits_start_at_the_bound() {
    let above = sketch_of(&[1.6e12, 1.7e12]).buckets(1.6e12, 1.7e12);
    assert_eq!((above[0].lower_bound, above[9].upper_bound), (2_147_483_647.0, 1.7e12));
    assert_eq!((above[0].count, above[9].count), (0.0, 2.0));

    let below = sketch_of(&[-5e9, -4e9]).buckets(-5e9, -4e9);
    assert_eq!((below[0].lower_bound, below[9].upper_bound), (-5e9, -2_147_483_648.0));
}

#[test]
fn a_damaged_saved_sketch_is_refused() {
    let refused = [
        r#"{"levels":[],"compactions":[]}"#,
        r#"{"levels":[[]],"compactions":[0,0]}"#,
        r#"{"levels":[[9221120237041090560]],"compactions":[0]}"#,
    ];
    for text in refused {
        let error = serde_json::from_str::<Kll>(text).unwrap_err();
        assert!(error.to_string().contains("damaged"), "{text}: {error}");
    }
    assert!(serde_json::from_str::<Hll>("[1,2]").is_err());
    assert!(serde_json::from_value::<Hll>(Value::from(vec![57; 512])).is_err());
}

#[test]
fn errors_stay_where_they_were_measured() {
    for rule in ["unit", "whole", "rising", "falling", "bits"] {
        let parts: Vec<Vec<f64>> = (1..=8).map(|seed| values(rule, seed, 33_001)).collect();
        let all = parts.concat();
        let (mut merged, mut whole) = (Kll::new(), Kll::new());
        for part in &parts {
            let sketch = sketch_of(part);
            assert!(worst_error(&sketch, part) <= part.len() as u64 / 1000, "{rule}");
            merged.merge(&sketch);
            whole.update_all(part);
        }
        assert!(worst_error(&merged, &all) <= all.len() as u64 / 1000, "{rule}, merged");
        assert!(worst_error(&whole, &all) <= all.len() as u64 / 500, "{rule}, whole");
    }
}

/// Values of typical columns: few or many different ones, zeros of both signs, infinities, sorted stretches.
fn column() -> impl Strategy<Value = Vec<f64>> {
    let value = prop_oneof![
        4 => any::<f64>().prop_filter("a number", |value| !value.is_nan()),
        4 => (-9_i32..9).prop_map(f64::from),
        1 => prop_oneof![Just(-0.0), Just(0.0), Just(f64::INFINITY), Just(f64::NEG_INFINITY)],
    ];
    (prop::collection::vec(value, 0..400), 1..60_usize, any::<u64>(), 0..3).prop_map(|(seeds, times, seed, shape)| {
        let total = seeds.len() * times;
        let mut all: Vec<f64> = (0..total as u64)
            .map(|i| seeds[(mix(seed.wrapping_add(i)) % seeds.len() as u64) as usize])
            .collect();
        match shape {
            0 => {}
            1 => all.sort_by(f64::total_cmp),
            _ => all[total / 2..].sort_by(|a, b| b.total_cmp(a)),
        }
        all
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn streams_and_merges_follow_the_rules(columns in prop::collection::vec(column(), 1..6), cut in 1..3000_usize) {
        let (mut sketch, mut rules) = (Kll::new(), reference::Sketch::new());
        let mut error = 0;
        let mut all = Vec::new();
        for column in &columns {
            let (mut part, mut rules_part) = (Kll::new(), reference::Sketch::new());
            column.chunks(cut).for_each(|chunk| part.update_all(chunk));
            column.iter().for_each(|&value| rules_part.update(value));
            prop_assert_eq!(bits(part.levels()), bits(&rules_part.items()));
            prop_assert_eq!(part.ranks().total(), column.len() as u64);

            // Merges the part into the sketch, then adds the part's first values again one by one.
            sketch.merge(&part);
            rules.merge(&rules_part);
            error += rules_part.error();
            all.extend(column);
            for &value in column.iter().take(cut) {
                sketch.update(value);
                rules.update(value);
                all.push(value);
            }
            prop_assert_eq!(bits(sketch.levels()), bits(&rules.items()));
        }
        prop_assert_eq!(sketch.ranks().total(), all.len() as u64);
        prop_assert!(worst_error(&sketch, &all) <= error + rules.error());
    }

    #[test]
    fn all_at_once_is_one_after_the_other(column in column(), levels in 0..3_usize) {
        // Also for levels that hold more than their capacity, which may occur in a file.
        let mut one = Kll::from_levels(vec![column.clone(); levels]);
        let mut all = one.clone();
        column.iter().for_each(|&value| one.update(value));
        all.update_all(&column);
        prop_assert_eq!(bits(one.levels()), bits(all.levels()));
        prop_assert_eq!(one, all);
    }

    #[test]
    fn saved_sketches_go_on_as_if_they_had_not_been(column in column(), more in column()) {
        let mut sketch = sketch_of(&column);
        let text = serde_json::to_string(&sketch).unwrap();
        let mut again: Kll = serde_json::from_str(&text).unwrap();
        sketch.update_all(&more);
        again.update_all(&more);
        prop_assert_eq!(bits(sketch.levels()), bits(again.levels()));
        prop_assert_eq!(sketch, again);
    }

    #[test]
    fn differences_are_those_at_the_items(a in column(), b in column()) {
        let (a, b) = (sketch_of(&a).ranks(), sketch_of(&b).ranks());
        let share = |ranks: &Ranks, x| if ranks.total() == 0 { 0.0 } else { ranks.rank(x) as f64 / ranks.total() as f64 };
        let at = |x| (share(&a, x) - share(&b, x)).abs();
        let largest = a.items().chain(b.items()).map(|(x, _)| at(x)).fold(0.0, f64::max);
        prop_assert_eq!(a.max_difference(&b), largest);
        prop_assert_eq!(b.max_difference(&a), largest);
    }

    #[test]
    fn merged_distinct_counts_are_those_of_the_whole(seeds in prop::collection::vec(any::<u64>(), 0..2000), cut in 0..2000_usize) {
        let of = |seeds: &[u64]| {
            let mut sketch = Hll::new();
            seeds.iter().for_each(|&seed| sketch.update(mix(seed)));
            sketch
        };
        let (first, second) = seeds.split_at(cut.min(seeds.len()));
        let mut merged = of(second);
        merged.merge(&of(first));
        prop_assert_eq!(&merged, &of(&seeds));
        let text = serde_json::to_string(&merged).unwrap();
        prop_assert_eq!(serde_json::from_str::<Hll>(&text).unwrap(), merged);
    }
}

fn hll_golden() -> Value {
    golden(include_str!("../../tests/sketch/hll.json"))
}

#[test]
fn hashes_are_those_of_spark() {
    let golden = hll_golden();
    let cases = golden["hashes"].as_array().unwrap();
    assert_eq!(cases.len(), 202);
    for case in cases {
        let text = case["text"].as_str().unwrap();
        assert_eq!(
            format!("{:016x}", hll::hash(text.as_bytes())),
            case["hash"].as_str().unwrap(),
            "of {text:?}"
        );
    }
}

#[test]
fn distinct_counts_are_those_of_the_reference() {
    for case in hll_golden()["counts"].as_array().unwrap() {
        let mut sketch = Hll::new();
        for i in 0..case["size"].as_u64().unwrap() {
            sketch.update(hll::hash(format!("v{i}").as_bytes()));
        }
        assert_eq!(Some(sketch.count()), case["deequ"].as_u64(), "{case}");
        // The registers are the same as Spark's, so Spark's rule gives Spark's number.
        assert_eq!(Some(hll::count_of_spark(&sketch)), case["spark"].as_u64(), "{case}");
    }
}

#[test]
fn a_hash_sets_the_register_of_its_first_bits() {
    let ranks = |hash: u64| {
        let mut sketch = Hll::new();
        sketch.update(hash);
        let registers: Vec<u8> = sketch.into();
        registers.into_iter().enumerate().find(|&(_, rank)| rank > 0)
    };
    assert_eq!(ranks(0), Some((0, 56)));
    assert_eq!(ranks(u64::MAX), Some((511, 1)));
    assert_eq!(ranks(3 << 55 | 1 << 53), Some((3, 2)));
}

#[test]
fn weights_beyond_all_counts_are_the_largest_count() {
    // More levels than any data has, but a document may contain them.
    let sketch = Kll::from_levels(vec![vec![1.0, 2.0]; 66]);
    assert_eq!(sketch.ranks().total(), u64::MAX);
    let counts: Vec<f64> = sketch.buckets(1.0, 2.0).into_iter().map(|it| it.count).collect();
    assert_eq!(counts[0], u64::MAX as f64);
    assert!(counts.iter().all(|it| *it >= 0.0), "{counts:?}");
}
