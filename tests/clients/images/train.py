"""Training program of the toy image: counts the rows of its channel and leaves them as a model.

Hyperparameters: `behaviour` (`succeed`, `fail`, `client-error` or `sleep`).
"""

import json
import os
import sys
import time
from pathlib import Path

BASE = Path(os.environ.get("SAGEMAKER_BASE_DIR", "/opt/ml"))
hyperparameters = json.loads((BASE / "input/config/hyperparameters.json").read_text())
behaviour = hyperparameters.get("behaviour", "succeed")

if behaviour == "sleep":
    print("sleeping", flush=True)
    time.sleep(60)
if behaviour in ("fail", "client-error"):
    kind = "ClientError: " if behaviour == "client-error" else ""
    (BASE / "output/failure").write_text(f"{kind}the toy was told to fail")
    sys.exit(3)

files = sorted(path for path in (BASE / "input/data/train").rglob("*") if path.is_file())
rows = sum(len(path.read_text().splitlines()) for path in files)
print("epoch 1: loss=4.5;")
print("epoch 2: loss=1.25;")
(BASE / "model" / "rows").write_text(str(rows))
(BASE / "output/data" / "files.json").write_text(json.dumps([path.name for path in files]))
