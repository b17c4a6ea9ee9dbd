"""The same detector in C++ and in Python: the command-line tool's scores to the last digit."""

import os
import subprocess

import numpy as np
import pytest

import dasvdd
from conftest import rows


@pytest.mark.skipif(not os.environ.get("DASVDD_TOOL"), reason="DASVDD_TOOL does not name the command-line tool dasvdd")
def test_the_tools_model_has_the_tools_scores(tmp_path):
    tool = os.environ["DASVDD_TOOL"]
    X = rows(200)
    np.save(tmp_path / "train.npy", X)
    subprocess.run([tool, "fit", "train.npy", "-o", "model", "--epochs", "3", "--seed", "5"], cwd=tmp_path, check=True)
    subprocess.run([tool, "score", "model", "train.npy", "-o", "scores.csv"], cwd=tmp_path, check=True)
    table = np.genfromtxt(tmp_path / "scores.csv", delimiter=",", names=True)
    detector = dasvdd.load(tmp_path / "model")
    assert np.array_equal(table["score"].astype(np.float32), detector.score(X))
    assert np.allclose(table["p_value"], detector.p_value(detector.score(X)), rtol=1e-12)
    assert np.array_equal(table["anomaly"], detector.predict(X))

    # And the other way round: a file that Python wrote.
    dasvdd.fit(X, steps=30, ensemble_size=2).save(tmp_path / "model")
    subprocess.run([tool, "score", "model", "train.npy", "-o", "scores.csv"], cwd=tmp_path, check=True)
    table = np.genfromtxt(tmp_path / "scores.csv", delimiter=",", names=True)
    assert np.array_equal(table["score"].astype(np.float32), dasvdd.load(tmp_path / "model").score(X))


@pytest.mark.skipif(not os.environ.get("DASVDD_TOOL"), reason="DASVDD_TOOL does not name the command-line tool dasvdd")
def test_the_tools_names_are_seen_and_the_other_way_round(tmp_path):
    pandas = pytest.importorskip("pandas")
    tool = os.environ["DASVDD_TOOL"]
    frame = pandas.DataFrame(rows(100, 3), columns=["flow", "Druck °C", "x, y"])
    frame.to_csv(tmp_path / "train.csv", index=False)
    frame[frame.columns[::-1]].to_csv(tmp_path / "other.csv", index=False)
    subprocess.run([tool, "fit", "train.csv", "-o", "model", "--epochs", "3"], cwd=tmp_path, check=True)
    detector = dasvdd.load(tmp_path / "model")
    assert detector.feature_names == list(frame.columns)

    detector = dasvdd.fit(frame, steps=30, ensemble_size=2)
    detector.save(tmp_path / "model")
    subprocess.run([tool, "score", "model", "other.csv", "-o", "scores.csv"], cwd=tmp_path, check=True)
    scores = np.genfromtxt(tmp_path / "scores.csv", delimiter=",", names=True)["score"]
    assert np.allclose(scores, detector.score(frame[frame.columns[::-1]]), rtol=1e-4)
