-- Answers: what has run, what started it, and what the gates decided.
--
-- A row a model and run, a run of no model (`all`) included: the newest first.
--
-- Parameters: the use case, twice.
--
-- run_id, model, kind    the run; `training`, `promotion`, `scoring` or `monitoring`; `ground-truth` of a refused file
-- started_by, source     `drop` and the file, `drift` and the monitoring run that found it, `tick`, or `person` and the run of
--                        the candidate
-- drifted                of runs that drift has started: what had drifted, the worst first
-- started_at, stopped_at, seconds    when (UTC), and how long
-- status                 `SUCCEEDED`, `FAILED`, `TIMED_OUT`, `ABORTED`, or `REFUSED` of a file that started nothing
-- decision, reason       `exported`, `held`, `rejected-threshold`, `rejected-naive`, `rejected-champion`, `rejected-by-person`,
--                        `superseded`, `failed` or `refused`, and why
-- metric_rmse, threshold_rmse      the training metric, and what it had to be under
-- candidate_rmse, champion_rmse    of both on the same holdout
-- candidate_rmse_on_champions, champion_rmse_on_champions    of both on the champion's own holdout
-- naive_rmse             of always predicting the median, on the holdout
-- improvement            how much smaller the candidate's is, as a share of the champion's; below 0 where it is larger
-- champion               the champion that it was compared with
-- scored_rows, rejected_rows       of a scoring run
WITH found AS (
    SELECT run_id, array_join(array_agg(subject ORDER BY severity DESC, subject), ', ') AS drifted
    FROM (
        SELECT run_id, coalesce(feature, metric) AS subject, max(severity) AS severity
        FROM drift
        WHERE use_case = ? AND status = 'drifted'
        GROUP BY run_id, coalesce(feature, metric)
    )
    GROUP BY run_id
)
SELECT
    runs.run_id,
    runs.model,
    runs.kind,
    runs.started_by,
    runs.source,
    found.drifted,
    CAST(from_iso8601_timestamp(runs.started_at) AS timestamp) AS started_at,
    CAST(from_iso8601_timestamp(runs.stopped_at) AS timestamp) AS stopped_at,
    date_diff('second', from_iso8601_timestamp(runs.started_at), from_iso8601_timestamp(runs.stopped_at)) AS seconds,
    runs.status,
    runs.decision,
    runs.reason,
    runs.metric_rmse,
    runs.threshold_rmse,
    runs.candidate_rmse,
    runs.champion_rmse,
    runs.candidate_rmse_on_champions,
    runs.champion_rmse_on_champions,
    runs.naive_rmse,
    1 - runs.candidate_rmse / nullif(runs.champion_rmse, 0) AS improvement,
    runs.champion,
    runs.scored_rows,
    runs.rejected_rows
FROM runs
LEFT JOIN found ON runs.started_by = 'drift' AND found.run_id = runs.source
WHERE runs.use_case = ?
ORDER BY runs.started_at DESC, runs.run_id, runs.model
