"""evidently on pandas: `DataDriftPreset`, with the first half of the rows as the reference for the second.

Numbers are numerical columns, everything else is categorical. The tests are evidently's defaults.
"""

import importlib.metadata
import json
import sys

import pandas as pd
from evidently import DataDefinition, Dataset, Report
from evidently.presets import DataDriftPreset

path = sys.argv[1]
if path.endswith(".csv"):
    table = pd.read_csv(path)
elif path.endswith(".parquet"):
    table = pd.read_parquet(path)
else:
    table = pd.read_json(path, lines=True, convert_dates=False)
numbers = [name for name in table.columns if pd.api.types.is_numeric_dtype(table[name])]
others = [name for name in table.columns if name not in numbers]
definition = DataDefinition(numerical_columns=numbers, categorical_columns=others)
middle = len(table) // 2
reference = Dataset.from_pandas(table.iloc[:middle], data_definition=definition)
current = Dataset.from_pandas(table.iloc[middle:], data_definition=definition)
result = Report([DataDriftPreset()]).run(current, reference).dict()
# One metric for the whole table, and one for each column.
columns = len(result["metrics"]) - 1
print(json.dumps({"version": importlib.metadata.version("evidently"), "rows": len(table), "columns": columns}))
