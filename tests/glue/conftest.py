"""The Glue job's script as a module, and the golden captures that it shares with the function."""

import json
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "infra/glue/consolidate_captures.py"
GOLDEN = ROOT / "functions/consolidate-captures/tests/golden"
sys.path.insert(0, str(SCRIPT.parent))


@pytest.fixture
def sources(tmp_path):
    """The URI of the golden list, rewritten for files on this machine."""
    content = json.loads((GOLDEN / "sources.json").read_text("utf-8"))
    for file in content["files"]:
        file["uri"] = local(file["uri"])
    path = tmp_path / "sources.json"
    path.write_text(json.dumps(content), "utf-8")
    return path.as_uri()


def local(uri):
    """The local path of a golden file of `s3://bucket/`."""
    return uri.replace("s3://bucket/", (GOLDEN / "bucket").as_uri() + "/")
