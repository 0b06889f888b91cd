-- Answers: how each input feature develops from request to request, beside what was predicted.
--
-- A row a request (rows that were asked for at once, or a scoring run) and feature: its values in the request, and the
-- predictions that the model made of them. A feature that a request lacks altogether has a row too.
--
-- Parameters: the use case, twice.
--
-- model, champion     the model, and the run whose champion answered
-- source              `endpoint` or `batch`
-- request             the inference id, or the scoring run
-- asked               when (UTC)
-- feature             the raw column
-- predictions         rows of the request
-- missing_share       of them, 0 to 1
-- distinct_values     different values
-- mean, smallest, largest    of the values that are numbers; null where none is
-- most_frequent       the most frequent value
-- most_frequent_share its share of the values that are there, 0 to 1
-- mean_prediction, smallest_prediction, largest_prediction    of the request
WITH requests AS (
    SELECT
        model,
        champion,
        source,
        request,
        min(CAST(from_iso8601_timestamp(time) AS timestamp)) AS asked,
        count(*) AS predictions,
        avg(prediction) AS mean_prediction,
        min(prediction) AS smallest_prediction,
        max(prediction) AS largest_prediction
    FROM predictions
    WHERE use_case = ?
    GROUP BY model, champion, source, request
),
counted AS (
    SELECT
        model,
        champion,
        request,
        names.feature,
        element_at(features, names.feature) AS value,
        count(*) AS rows_of_value
    FROM predictions
    CROSS JOIN UNNEST(map_keys(features)) AS names (feature)
    WHERE use_case = ?
    GROUP BY model, champion, request, names.feature, element_at(features, names.feature)
),
summed AS (
    SELECT
        model,
        champion,
        request,
        feature,
        sum(rows_of_value) AS present,
        count(*) AS distinct_values,
        sum(try_cast(value AS double) * rows_of_value)
            / sum(CASE WHEN try_cast(value AS double) IS NOT NULL THEN rows_of_value END) AS mean,
        min(try_cast(value AS double)) AS smallest,
        max(try_cast(value AS double)) AS largest,
        max_by(value, rows_of_value) AS most_frequent,
        max(rows_of_value) AS rows_of_most_frequent
    FROM counted
    GROUP BY model, champion, request, feature
),
features_of_model AS (
    SELECT DISTINCT model, champion, feature
    FROM counted
)
SELECT
    requests.model,
    requests.champion,
    requests.source,
    requests.request,
    requests.asked,
    features_of_model.feature,
    requests.predictions,
    1 - CAST(coalesce(summed.present, 0) AS double) / requests.predictions AS missing_share,
    coalesce(summed.distinct_values, 0) AS distinct_values,
    summed.mean,
    summed.smallest,
    summed.largest,
    summed.most_frequent,
    CAST(summed.rows_of_most_frequent AS double) / summed.present AS most_frequent_share,
    requests.mean_prediction,
    requests.smallest_prediction,
    requests.largest_prediction
FROM requests
JOIN features_of_model
    ON features_of_model.model = requests.model AND features_of_model.champion = requests.champion
LEFT JOIN summed
    ON summed.model = requests.model
    AND summed.champion = requests.champion
    AND summed.request = requests.request
    AND summed.feature = features_of_model.feature
ORDER BY requests.asked, requests.model, requests.request, features_of_model.feature
