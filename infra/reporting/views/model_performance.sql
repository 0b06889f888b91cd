-- Answers: what each model predicts over time, and how wrong it is.
--
-- A row a model, champion and hour of the requests. Errors are of the predictions of that hour whose ground truth has
-- come since, however late: recent hours have fewer labels, and change.
--
-- Parameters: the use case, twice.
--
-- model, champion    the model, and the run whose champion answered
-- hour               when it was asked (UTC)
-- predictions        how many
-- mean_prediction    their mean
-- p05_prediction, p50_prediction, p95_prediction    about these quantiles
-- labelled           predictions whose ground truth has come
-- labelled_share     of all, 0 to 1
-- mean_label         mean of their ground truth
-- rmse, mae          root of the mean squared error, mean absolute error, in the target's unit
-- bias               mean of prediction - truth: above 0 where the model predicts too much
WITH predicted AS (
    SELECT
        model,
        champion,
        date_trunc('hour', CAST(from_iso8601_timestamp(time) AS timestamp)) AS hour,
        count(*) AS predictions,
        avg(prediction) AS mean_prediction,
        approx_percentile(prediction, 0.05) AS p05_prediction,
        approx_percentile(prediction, 0.5) AS p50_prediction,
        approx_percentile(prediction, 0.95) AS p95_prediction
    FROM predictions
    WHERE use_case = ?
    GROUP BY model, champion, date_trunc('hour', CAST(from_iso8601_timestamp(time) AS timestamp))
),
labelled AS (
    SELECT
        model,
        champion,
        date_trunc('hour', CAST(from_iso8601_timestamp(time) AS timestamp)) AS hour,
        count(*) AS labelled,
        avg(label) AS mean_label,
        sqrt(avg(power(prediction - label, 2))) AS rmse,
        avg(abs(prediction - label)) AS mae,
        avg(prediction - label) AS bias
    FROM ground_truth
    WHERE use_case = ?
    GROUP BY model, champion, date_trunc('hour', CAST(from_iso8601_timestamp(time) AS timestamp))
)
SELECT
    predicted.model,
    predicted.champion,
    predicted.hour,
    predicted.predictions,
    predicted.mean_prediction,
    predicted.p05_prediction,
    predicted.p50_prediction,
    predicted.p95_prediction,
    coalesce(labelled.labelled, 0) AS labelled,
    CAST(coalesce(labelled.labelled, 0) AS double) / predicted.predictions AS labelled_share,
    labelled.mean_label,
    labelled.rmse,
    labelled.mae,
    labelled.bias
FROM predicted
LEFT JOIN labelled
    ON labelled.model = predicted.model AND labelled.champion = predicted.champion AND labelled.hour = predicted.hour
ORDER BY predicted.hour, predicted.model
