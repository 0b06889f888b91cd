use super::*;
use proptest::prelude::*;

fn run() -> RunId {
    RunId::parse("20261122t183000z-ab12cd34").unwrap()
}

fn gate() -> Gate {
    Gate::default()
}

/// A candidate with an RMSE of 90 against a champion with 100 on 200 rows, and 50 against 50 on the champion's 400.
fn duel() -> Duel {
    Duel {
        champion_rmse: 100.0,
        p_value: 0.001,
        own: Some(own()),
    }
}

fn own() -> Own {
    Own {
        rows: 400,
        distinct_rows: 400,
        candidate_rmse: 50.0,
        champion_rmse: 50.0,
        reference_rmse: 50.0,
        together_rmse: (66.0, 70.0),
        target_drift: None,
    }
}

fn contest(opponent: Opponent) -> Contest {
    Contest {
        candidate_rmse: 90.0,
        holdout_rows: 200,
        distinct_rows: 200,
        naive_rmse: Some(300.0),
        started_by_drift: false,
        opponent,
    }
}

fn scored(change: impl FnOnce(&mut Duel)) -> Contest {
    let mut duel = duel();
    change(&mut duel);
    contest(Opponent::Scored(run(), duel))
}

fn on_own(change: impl FnOnce(&mut Own)) -> Contest {
    let mut own = own();
    change(&mut own);
    scored(|duel| duel.own = Some(own))
}

#[test]
fn the_metric_must_be_strictly_under_the_threshold() {
    for (value, passed, reason) in [
        (
            Some(8_999.99),
            true,
            "validation:rmse of 8999.99 is under the threshold of 9000",
        ),
        (
            Some(9_000.0),
            false,
            "validation:rmse of 9000 is not under the threshold of 9000",
        ),
        (
            Some(9_000.5),
            false,
            "validation:rmse of 9000.5 is not under the threshold of 9000",
        ),
        (
            None,
            false,
            "validation:rmse is not a finite number: training diverged (the threshold is 9000)",
        ),
        (
            Some(f64::NAN),
            false,
            "validation:rmse is not a finite number: training diverged (the threshold is 9000)",
        ),
    ] {
        let judgement = threshold("validation:rmse", value, 9_000.0);
        assert_eq!(
            (judgement.passed, judgement.reason.as_str()),
            (passed, reason),
            "{value:?}"
        );
    }
}

#[test]
fn the_candidate_must_be_better_by_the_margin() {
    let lost = Some(Verdict::RejectedChampion);
    let end = "; on the champion's own holdout 50 against 50";
    for (candidate, margin, verdict, reason) in [
        (
            99.0,
            0.0,
            None,
            "RMSE 99 on the holdout is better than champion {}'s 100",
        ),
        (
            100.0,
            0.0,
            lost,
            "RMSE 100 on the holdout equals champion {}'s: the champion stays",
        ),
        (
            101.0,
            0.0,
            lost,
            "RMSE 101 on the holdout is worse than champion {}'s 100",
        ),
        (
            94.0,
            0.05,
            None,
            "RMSE 94 on the holdout is better than champion {}'s 100",
        ),
        (
            95.0,
            0.05,
            lost,
            "RMSE 95 on the holdout is not 5 % better than champion {}'s 100",
        ),
    ] {
        let contest = Contest {
            candidate_rmse: candidate,
            ..scored(|_| ())
        };
        let gate = Gate {
            min_improvement: margin,
            ..gate()
        };
        let outcome = comparison(&contest, &gate);
        assert_eq!(outcome.verdict, verdict, "{candidate}");
        assert_eq!(outcome.reason, reason.replace("{}", &run().to_string()) + end);
        assert_eq!(outcome.doubts, Vec::<String>::new());
    }
}

#[test]
fn what_may_be_chance_does_not_win() {
    let outcome = comparison(&scored(|duel| duel.p_value = 0.051), &gate());
    assert_eq!(outcome.verdict, Some(Verdict::RejectedChampion));
    let reason = "but by no more than chance: an equal candidate looks as good in 5.1 of 100 cases, and 5 are accepted; \
                  on the champion's own holdout 50 against 50";
    assert!(outcome.reason.ends_with(reason), "{}", outcome.reason);
    assert_eq!(comparison(&scored(|duel| duel.p_value = 0.05), &gate()).verdict, None);
}

#[test]
fn what_is_worse_on_the_champions_holdout_does_not_win() {
    let narrow = on_own(|own| own.candidate_rmse = 55.5);
    let outcome = comparison(&narrow, &gate());
    assert_eq!(outcome.verdict, Some(Verdict::RejectedChampion));
    let reason =
        "on the champion's own holdout 55.5 against 50, which is 11 % worse; 10 % are allowed (gate.max_regression)";
    assert!(outcome.reason.ends_with(reason), "{}", outcome.reason);
    assert_eq!(comparison(&on_own(|own| own.candidate_rmse = 55.0), &gate()), {
        Outcome {
            reason: comparison(&on_own(|own| own.candidate_rmse = 55.0), &gate()).reason,
            ..Outcome::default()
        }
    });
    let generous = Gate {
        max_regression: 0.2,
        ..gate()
    };
    assert_eq!(comparison(&narrow, &generous).verdict, None);
}

#[test]
fn drift_may_unlearn_the_old_world_but_not_for_a_narrow_burst() {
    let by_drift = |together_rmse: (f64, f64)| Contest {
        started_by_drift: true,
        ..on_own(|own| {
            own.candidate_rmse = 100.0;
            own.together_rmse = together_rmse;
            own.target_drift = Some("the target has drifted".to_owned());
        })
    };
    let changed_world = comparison(&by_drift((70.0, 90.0)), &gate());
    assert_eq!((changed_world.verdict, changed_world.doubts), (None, vec![]));
    assert_eq!(changed_world.notes.len(), 2, "{:?}", changed_world.notes);
    assert!(
        changed_world.notes[1].contains("100 % worse"),
        "{:?}",
        changed_world.notes
    );

    let narrow = comparison(&by_drift((90.0, 60.0)), &gate());
    assert_eq!(narrow.verdict, Some(Verdict::Held));
    assert!(
        narrow.reason.contains("of both together 90 against 60"),
        "{}",
        narrow.reason
    );
    let unasked = Gate {
        approval: Approval::Never,
        ..gate()
    };
    let narrow = comparison(&by_drift((90.0, 60.0)), &unasked);
    assert_eq!(narrow.verdict, Some(Verdict::RejectedChampion));
}

#[test]
fn small_regressions_add_up() {
    let third = on_own(|own| {
        own.candidate_rmse = 54.0;
        own.reference_rmse = 45.0;
    });
    let outcome = comparison(&third, &gate());
    assert_eq!(outcome.verdict, None);
    assert!(
        outcome.doubts[0]
            .starts_with("small regressions add up: on the champion's holdout the candidate is 20 % worse than 45"),
        "{:?}",
        outcome.doubts
    );
}

#[test]
fn few_rows_decide_nothing() {
    let few = |opponent| Contest {
        holdout_rows: 99,
        distinct_rows: 99,
        ..contest(opponent)
    };
    let against = comparison(&few(Opponent::Scored(run(), duel())), &gate());
    assert_eq!(against.verdict, Some(Verdict::RejectedChampion));
    assert_eq!(
        against.reason,
        "a holdout of 99 rows decides nothing: at least 100 are needed (gate.min_holdout_rows); RMSE 90 on the holdout"
    );
    assert_eq!(comparison(&few(Opponent::None), &gate()).verdict, Some(Verdict::Held));
    let outcome = comparison(&on_own(|own| own.distinct_rows = 99), &gate());
    assert_eq!((outcome.verdict, outcome.doubts.len()), (None, 1));
}

#[test]
fn copies_are_no_rows_to_decide_by() {
    let of = |distinct_rows| Contest {
        holdout_rows: 960,
        distinct_rows,
        ..contest(Opponent::None)
    };
    let outcome = comparison(&of(48), &gate());
    assert_eq!(outcome.verdict, Some(Verdict::Held));
    assert_eq!(
        outcome.reason,
        "a holdout of 48 different rows (960 with their copies) decides nothing: at least 100 are needed \
         (gate.min_holdout_rows); RMSE 90 on the holdout"
    );
    let outcome = comparison(&of(100), &gate());
    assert_eq!(outcome.verdict, None);
    assert_eq!(
        outcome.reason,
        "the first champion: RMSE 90 on the holdout (960 rows, 100 different), nothing to compare with"
    );
    let outcome = comparison(&on_own(|own| own.distinct_rows = 99), &gate());
    assert_eq!(
        outcome.doubts,
        [
            "the champion's holdout of 99 different rows (400 with their copies) says little: at least 100 are needed \
             (gate.min_holdout_rows)"
        ]
    );
}

#[test]
fn the_naive_baseline_must_be_beaten_even_by_the_first() {
    for opponent in [Opponent::None, Opponent::Scored(run(), duel())] {
        for naive in [0.0, 89.9, 90.0] {
            let contest = Contest {
                naive_rmse: Some(naive),
                ..contest(opponent.clone())
            };
            assert_eq!(
                comparison(&contest, &gate()).verdict,
                Some(Verdict::RejectedNaive),
                "{naive}"
            );
            let anyway = Gate {
                beat_naive: false,
                ..gate()
            };
            assert_eq!(comparison(&contest, &anyway).verdict, None, "{naive}");
        }
        let unknown = Contest {
            naive_rmse: None,
            ..contest(opponent)
        };
        assert_eq!(comparison(&unknown, &gate()).doubts.len(), 1);
    }
}

#[test]
fn a_champion_that_can_not_be_scored_is_doubt() {
    let outcome = comparison(
        &contest(Opponent::NotScored(run(), "its model is gone".to_owned())),
        &gate(),
    );
    assert_eq!(outcome.verdict, None);
    assert_eq!(
        outcome.doubts,
        [format!("champion {} can't be scored: its model is gone", run())]
    );
    let outcome = comparison(&contest(Opponent::OtherSchema(run(), None)), &gate());
    assert_eq!((outcome.verdict, outcome.doubts), (None, vec![]));
    let drifted = "the target has drifted".to_owned();
    let outcome = comparison(&contest(Opponent::OtherSchema(run(), Some(drifted.clone()))), &gate());
    assert_eq!((outcome.verdict, outcome.doubts), (None, vec![drifted]));
    let outcome = comparison(&contest(Opponent::None), &gate());
    assert_eq!(
        outcome.reason,
        "the first champion: RMSE 90 on the holdout, nothing to compare with"
    );
}

#[test]
fn people_are_asked_as_the_document_says() {
    let doubt = ["odd".to_owned()];
    for (approval, with, without) in [
        (Approval::Never, false, false),
        (Approval::OnDoubt, true, false),
        (Approval::Always, true, true),
    ] {
        assert_eq!((is_held(&doubt, approval), is_held(&[], approval)), (with, without));
    }
}

#[test]
fn a_small_drop_does_not_stand_for_the_world() {
    assert!(carries_holdout_on(199, &own()));
    assert!(!carries_holdout_on(200, &own()));
}

#[test]
fn numbers_are_for_people() {
    for (value, text) in [
        (3_512.213_7, "3512.21"),
        (4_211.0, "4211"),
        (1_234_567.8, "1234568"),
        (100.0, "100"),
        (0.012_345_678, "0.0123457"),
        (0.0, "0"),
        (1e-20, "0"),
        (f64::NAN, "NaN"),
    ] {
        assert_eq!(number(value), text);
    }
}

proptest! {
    #[test]
    fn two_models_never_replace_each_other(
        one in 0.0..1e6_f64, other in 0.0..1e6_f64, margin in 0.0..0.9_f64,
    ) {
        let gate = Gate { min_improvement: margin, ..gate() };
        let beats = |candidate_rmse, champion_rmse| {
            let contest = Contest {
                candidate_rmse,
                naive_rmse: Some(1e7),
                ..scored(|duel| duel.champion_rmse = champion_rmse)
            };
            comparison(&contest, &gate).verdict.is_none()
        };
        prop_assert!(!(beats(one, other) && beats(other, one)));
    }
}
