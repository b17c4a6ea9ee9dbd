"""examples/dask.py and examples/spark.py as programs: the same bits as one process, whatever the number of workers."""

import os
import pathlib
import subprocess
import sys

import pytest

EXAMPLES = pathlib.Path(__file__).resolve().parents[3] / "examples"
ENGINES = {"dask": "Dask", "spark": "Spark"}


def run(example, *arguments, python=(), **environment):
    command = [sys.executable, *python, EXAMPLES / f"{example}.py", *arguments]
    return subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True, timeout=1500)


@pytest.mark.parametrize("rows, groups", [(20_000, 40), (1_000_000, 1000)])
@pytest.mark.parametrize("example", ENGINES)
def test_same_bits_as_one_process(example, rows, groups):
    done = run(example, "--rows", str(rows), "--groups", str(groups), "--workers", "1", "2")
    assert done.returncode == 0, done.stderr[-2000:]
    print(done.stdout)
    lines = [[cell.strip() for cell in line.strip("| ").split("|")] for line in done.stdout.splitlines() if line.startswith("|")]
    assert lines[0][-1] == "same bits"
    assert [(line[0], line[1], line[-1]) for line in lines[2:]] == [
        (name, workers, "yes") for name in ("one process", ENGINES[example]) for workers in ("1", "2")
    ]


@pytest.mark.parametrize("example", ENGINES)
def test_partitions_may_be_empty(example):
    done = run(example, "--rows", "900", "--groups", "3", "--workers", "2")
    assert done.returncode == 0 and done.stdout.count("| yes |") == 2, done.stderr[-2000:]


@pytest.mark.parametrize("example", ENGINES)
def test_without_the_packages_there_is_one_sentence(example):
    done = run(example, python=("-S",))
    assert done.returncode == 1 and done.stdout == ""
    (sentence,) = done.stderr.splitlines()
    assert sentence.startswith(f"{example}.py: No module named ") and "pip install ./python" in sentence


def test_without_java_there_is_one_sentence():
    environment = {name: value for name, value in os.environ.items() if name != "JAVA_HOME"}
    environment["PATH"] = ""
    done = subprocess.run([sys.executable, EXAMPLES / "spark.py"], env=environment, capture_output=True, text=True)
    assert done.returncode == 1 and done.stdout == ""
    assert done.stderr.splitlines() == ["spark.py: Spark needs Java, and there is none here (Debian: default-jre-headless)"]
