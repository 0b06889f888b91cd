-- Answers: which scoring data was behind a drift.
--
-- A row a drifted feature (or `prediction`), window and file of the window: a scoring run's, or one of an endpoint's
-- captures. What the file holds of the feature stands beside the baseline, so that the file that brought the drift shows:
-- the newest window first, in it the worst feature, of it the file with most rows.
--
-- Parameters: the use case, twice.
--
-- model, run_id, "window"    the model, the monitoring run and its window
-- window_from, window_to     when the window was opened and made
-- feature                    the feature, or `prediction`
-- metric, severity           the decisive distance, and how many times its threshold it is
-- source                     `batch` for a scoring run's file, `endpoint` for others
-- scoring_run                the scoring run; null for an endpoint's
-- file                       the capture file
-- requests, predictions      how many it holds
-- first_asked, last_asked    when
-- missing_share              of its values of the feature, 0 to 1; baseline_missing_share: of the baseline's
-- mean                       of its numbers; baseline_mean: of the baseline's
-- unseen_share               of its rows, 0 to 1: texts that the baseline has not; null for numbers, and where the
--                            baseline has more different texts than it lists
WITH drifted AS (
    SELECT
        model,
        run_id,
        "window",
        window_from,
        window_to,
        feature,
        metric,
        severity,
        baseline.numbers.mean AS baseline_mean,
        CAST(baseline.missing AS double) / nullif(baseline.present + baseline.missing, 0) AS baseline_missing_share,
        CASE
            WHEN baseline."distinct" = cardinality(baseline.categories)
                THEN transform(baseline.categories, category -> category.value)
        END AS known
    FROM drift
    WHERE use_case = ? AND analysis = 'data' AND status = 'drifted'
),
predicted AS (
    SELECT
        model,
        -- Files of rows are named after their window.
        CAST(regexp_extract("$path", 'window-([0-9]+)-part', 1) AS bigint) AS "window",
        source,
        request,
        file,
        time,
        prediction,
        features
    FROM predictions
    WHERE use_case = ?
),
behind AS (
    SELECT
        drifted.*,
        predicted.source,
        predicted.request,
        predicted.file,
        predicted.time,
        CASE
            WHEN drifted.feature = 'prediction' THEN CAST(predicted.prediction AS varchar)
            ELSE element_at(predicted.features, drifted.feature)
        END AS value
    FROM drifted
    JOIN predicted ON predicted.model = drifted.model AND predicted."window" = drifted."window"
)
SELECT
    model,
    run_id,
    "window",
    CAST(from_iso8601_timestamp(window_from) AS timestamp) AS window_from,
    CAST(from_iso8601_timestamp(window_to) AS timestamp) AS window_to,
    feature,
    metric,
    severity,
    source,
    CASE WHEN source = 'batch' THEN min(request) END AS scoring_run,
    file,
    count(DISTINCT request) AS requests,
    count(*) AS predictions,
    min(CAST(from_iso8601_timestamp(time) AS timestamp)) AS first_asked,
    max(CAST(from_iso8601_timestamp(time) AS timestamp)) AS last_asked,
    CAST(count_if(value IS NULL) AS double) / count(*) AS missing_share,
    baseline_missing_share,
    avg(CASE WHEN known IS NULL THEN try_cast(value AS double) END) AS mean,
    baseline_mean,
    CASE
        WHEN known IS NOT NULL THEN CAST(count_if(NOT contains(known, value)) AS double) / count(*)
    END AS unseen_share
FROM behind
GROUP BY
    model, run_id, "window", window_from, window_to, feature, metric, severity, source, file, baseline_missing_share,
    baseline_mean, known
ORDER BY "window" DESC, model, severity DESC, predictions DESC, file
