"""DuckDB: converts requests to rows in SQL, and writes them as CSV and as gzipped JSON lines.

It doesn't handle quoted fields, and doesn't count what can't be read.
"""

import json
import pathlib
import sys

import duckdb

sources = json.loads(pathlib.Path(sys.argv[1]).read_bytes())
output = pathlib.Path(sys.argv[2], "input")
for part in ("data", "records"):
    (output / part).mkdir(parents=True, exist_ok=True)
files = [file["uri"].removeprefix("file://") for file in sources["files"]]
columns = sources["columns"]

side = 'STRUCT("data" VARCHAR, "encoding" VARCHAR)'
schema = {
    "captureData": f"STRUCT(endpointInput {side}, endpointOutput {side})",
    "eventMetadata": "STRUCT(eventId VARCHAR, inferenceId VARCHAR, inferenceTime VARCHAR)",
}


def payload(of: str) -> str:
    side = f"captureData.{of}"
    return f"CASE {side}.encoding WHEN 'BASE64' THEN decode(from_base64({side}.data)) ELSE {side}.data END"


connection = duckdb.connect()
connection.execute(
    f"""
    CREATE VIEW records AS
    WITH sides AS (
        SELECT coalesce(eventMetadata.inferenceId, eventMetadata.eventId) AS request,
               eventMetadata.inferenceTime AS time,
               filename AS file,
               {payload("endpointInput")} AS asked,
               {payload("endpointOutput")} AS answered
        FROM read_json({files!r}, format = 'newline_delimited', columns = {schema!r}, filename = true)
    ),
    lines AS (
        SELECT request, time, file,
               string_split(rtrim(asked, chr(10)), chr(10)) AS rows,
               string_split(rtrim(answered, chr(10)), chr(10)) AS answers
        FROM sides
    ),
    rows AS (
        SELECT request, time, file,
               unnest(range(len(rows))) AS number,
               string_split(unnest(rows), ',') AS fields,
               unnest(answers) AS answer
        FROM lines
        WHERE len(rows) = len(answers)
    )
    SELECT * FROM rows
    WHERE len(fields) = {len(columns)} AND isfinite(TRY_CAST(answer AS DOUBLE))
    """
)
fields = ", ".join(f"nullif(fields[{number}], '') AS \"{name}\"" for number, name in enumerate(columns, 1))
connection.execute(f"COPY (SELECT {fields}, answer AS prediction FROM records) TO '{output}/data/rows.csv' (HEADER)")
features = ", ".join(f"\"{name}\" := nullif(fields[{number}], '')" for number, name in enumerate(columns, 1))
connection.execute(
    f"""
    COPY (
        SELECT '{sources["model"]}' AS model, request || '#' || number AS id, time, request, 'endpoint' AS source, file,
               '{sources["champion"]}' AS champion, '{sources["endpoint_config"]}' AS endpoint_config,
               CAST(answer AS DOUBLE) AS prediction, struct_pack({features}) AS features
        FROM records
    ) TO '{output}/records/part-00000.jsonl.gz' (FORMAT json, COMPRESSION gzip)
    """
)
