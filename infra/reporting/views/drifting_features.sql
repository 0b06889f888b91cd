-- Answers: which feature drifts, and since when.
--
-- A row a feature, prediction or quality metric that drifts now: the worst first. It has drifted in every window of its
-- model's present champion since `since_window` in which it could be judged; windows with too few values neither begin
-- nor end that. What drifted under a former champion, or is clean again, is not here.
--
-- Parameters: the use case.
--
-- model            the model
-- champion         the run whose champion answers
-- analysis         `data` or `quality`
-- subject          the feature, `prediction`, or the quality metric
-- since            when the first window of the streak was opened
-- since_window     its number
-- last_seen        when the last was made
-- windows          how many
-- metric           the decisive distance, or the quality metric, in the last window
-- distance         its value
-- threshold        the value from which on it speaks of drift
-- severity         the one over the other
-- worst_severity   the largest of the streak
-- baseline_mean, current_mean      of numbers: before, and in the last window
-- baseline_missing_share, current_missing_share    of values, 0 to 1
-- baseline_top, current_top        of texts: the most frequent
-- report_uri       the analyzer's report on the last window
WITH judged AS (
    SELECT
        model,
        champion,
        analysis,
        coalesce(feature, metric) AS subject,
        "window",
        window_from,
        window_to,
        status <> 'clean' AS drifts,
        metric,
        distance,
        threshold,
        severity,
        baseline,
        "current",
        report_uri
    FROM drift
    WHERE use_case = ? AND status IN ('clean', 'drifted', 'missing-column', 'extra-column')
),
present AS (
    SELECT model, max_by(champion, "window") AS champion
    FROM judged
    GROUP BY model
),
of_present AS (
    SELECT
        judged.*,
        -- -1 where it was never clean.
        max(CASE WHEN drifts THEN -1 ELSE "window" END)
            OVER (PARTITION BY judged.model, analysis, subject) AS clean_until
    FROM judged
    JOIN present ON judged.model = present.model AND judged.champion = present.champion
),
streaks AS (
    SELECT
        of_present.*,
        row_number() OVER (PARTITION BY model, analysis, subject ORDER BY "window" DESC) AS from_last,
        min("window") OVER (PARTITION BY model, analysis, subject) AS since_window,
        min(from_iso8601_timestamp(window_from)) OVER (PARTITION BY model, analysis, subject) AS since,
        count(*) OVER (PARTITION BY model, analysis, subject) AS windows,
        max(severity) OVER (PARTITION BY model, analysis, subject) AS worst_severity
    FROM of_present
    WHERE drifts AND "window" > clean_until
)
SELECT
    model,
    champion,
    analysis,
    subject,
    CAST(since AS timestamp) AS since,
    since_window,
    CAST(from_iso8601_timestamp(window_to) AS timestamp) AS last_seen,
    windows,
    metric,
    distance,
    threshold,
    severity,
    worst_severity,
    baseline.numbers.mean AS baseline_mean,
    "current".numbers.mean AS current_mean,
    CAST(baseline.missing AS double) / nullif(baseline.present + baseline.missing, 0) AS baseline_missing_share,
    CAST("current".missing AS double) / nullif("current".present + "current".missing, 0) AS current_missing_share,
    element_at(baseline.categories, 1).value AS baseline_top,
    element_at("current".categories, 1).value AS current_top,
    report_uri
FROM streaks
WHERE from_last = 1
ORDER BY severity DESC, model, subject
