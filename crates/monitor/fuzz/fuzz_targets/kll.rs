//! Sketches from the levels of a `statistics.json`: any levels can be ranked, put into buckets, continued and merged.
//!
//! Input: doubles of 8 bytes; one that is NaN ends a level.
#![no_main]

use libfuzzer_sys::fuzz_target;
use monitor::sketch::kll::{Kll, Ranks};

fuzz_target!(|data: &[u8]| {
    let mut levels = vec![Vec::new()];
    let (items, rest) = data.as_chunks::<8>();
    for item in items {
        let item = f64::from_le_bytes(*item);
        if item.is_nan() {
            levels.push(Vec::new());
        }
        // The first NaN of a level stays in it, where it must be left out.
        levels.last_mut().unwrap().push(item);
    }
    let count = rest.first().map_or(3, |it| usize::from(*it) * 40);
    let mut sketch = Kll::from_levels(levels.clone());
    let own: Vec<f64> = levels.iter().flatten().copied().filter(|it| !it.is_nan()).collect();

    let ranks = sketch.ranks();
    let mut total = 0_u64;
    for (height, level) in sketch.levels().iter().enumerate() {
        let weight = 1_u64 << height.min(63);
        level.iter().for_each(|_| total = total.saturating_add(weight));
    }
    assert_eq!(ranks.total(), total);
    let mut last = (f64::NEG_INFINITY, 0);
    for (item, rank) in ranks.items() {
        assert!(item > last.0 || last.1 == 0);
        assert!(rank >= last.1);
        assert_eq!(ranks.rank(item), rank);
        assert_eq!(ranks.rank_exclusive(item), last.1);
        last = (item, rank);
    }
    for share in [0.0, 0.25, 0.5, 1.0, f64::NAN] {
        assert_eq!(ranks.quantile(share).is_some(), !own.is_empty());
    }
    for other in [
        Ranks::default(),
        ranks.clone(),
        Kll::from_levels(vec![own.clone()]).ranks(),
    ] {
        let difference = ranks.max_difference(&other);
        assert!((0.0..=1.0).contains(&difference));
        assert_eq!(difference, other.max_difference(&ranks));
    }
    assert_eq!(ranks.max_difference(&ranks), 0.0);
    Ranks::of_levels_as_reference(&levels).items().count();
    for bounds in [
        (own.first(), own.last()),
        (own.last(), own.first()),
        (Some(&f64::NAN), Some(&f64::INFINITY)),
    ] {
        let (Some(min), Some(max)) = bounds else {
            continue;
        };
        assert_eq!(sketch.buckets(*min, *max).len(), 10);
    }

    let saved = serde_json::to_string(&sketch).unwrap();
    assert_eq!(serde_json::from_str::<Kll>(&saved).unwrap(), sketch);

    let more: Vec<f64> = own.iter().copied().cycle().take(count).collect();
    let mut single = sketch.clone();
    more.iter().for_each(|it| single.update(*it));
    sketch.update_all(&more);
    assert_eq!(single, sketch);
    if !more.is_empty() && total < 1 << 50 {
        assert_eq!(sketch.ranks().total(), total + more.len() as u64);
    }
    let before = sketch.ranks().total();
    sketch.merge(&single);
    if before < 1 << 50 {
        assert_eq!(sketch.ranks().total(), 2 * before);
    }
});
