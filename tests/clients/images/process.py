"""Processing script of the toy image: copies its input in upper case, with the value of GREETING and its arguments.

process.py INPUT OUTPUT [fail | sleep]
"""

import os
import sys
import time
from pathlib import Path

source, target, *behaviour = sys.argv[1:]
base = Path(os.environ.get("SAGEMAKER_BASE_DIR", "/opt/ml"))
if behaviour == ["sleep"]:
    time.sleep(60)
(base / "output/message").write_text("told to fail" if behaviour == ["fail"] else "all copied")
if behaviour == ["fail"]:
    sys.exit(2)
for path in Path(source).iterdir():
    (Path(target) / path.name).write_text(os.environ.get("GREETING", "") + path.read_text().upper())
