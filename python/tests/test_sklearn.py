"""dasvdd.DASVDD among scikit-learn's tools."""

import os
import pickle
import subprocess
import sys

import numpy as np
import pytest

import dasvdd
from conftest import assert_defaults_are_the_librarys, rows

sklearn = pytest.importorskip("sklearn")

from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

# With contamination="auto" the threshold comes from rows that the nets left out, at one false alarm in a hundred:
# nothing obliges a training row to lie above it, which these two checks expect. With a contamination in numbers, which
# scikit-learn defines by the training rows, they hold.
by_training_rows = {
    "check_outliers_train": "the default threshold is not taken from the training rows' scores",
    "check_outliers_fit_predict": "the default threshold is not taken from the training rows' scores",
}


def quick(**options):
    return dasvdd.DASVDD(steps=40, ensemble_size=2, **options)


# tests/long/test_sklearn_contamination.py has the checks with a number for contamination, whose fits take longer.
@parametrize_with_checks([quick(n_jobs=1)], expected_failed_checks=lambda _: by_training_rows)
def test_scikit_learns_own_checks(estimator, check):
    if "check_array_api_input" in str(check):
        pytest.xfail("arrays of other libraries are converted by NumPy; the array API is not supported")
    check(estimator)


def test_its_defaults_are_the_librarys():
    others = {"contamination", "false_alarm_rate", "n_jobs", "random_state", "verbose"}
    assert_defaults_are_the_librarys(dasvdd.DASVDD(), others)


def test_signs_and_labels(X):
    model = quick().fit(X)
    far = np.vstack([X[:5], X[:5] + 30])
    detector = model.detector_
    assert np.array_equal(model.score_samples(far), -detector.score(far))
    assert model.offset_ == -detector.threshold
    assert np.allclose(model.decision_function(far), detector.threshold - detector.score(far).astype(float))
    assert np.array_equal(model.predict(far), np.where(detector.predict(far) == 1, -1, 1))
    assert list(model.predict(far)[5:]) == [-1] * 5
    assert np.array_equal(model.p_value(far), detector.p_value(detector.score(far)))
    assert model.n_features_in_ == 8


def test_contamination_is_that_share_of_the_training_rows(X):
    labels = quick(contamination=0.2).fit_predict(X)
    assert np.count_nonzero(labels == -1) == 60
    for bad in (0, 0.7, "some", None):
        with pytest.raises(ValueError, match="contamination is"):
            quick(contamination=bad).fit(X)


def test_false_alarm_rate(X):
    model = quick(false_alarm_rate=0.1).fit(X)
    assert model.detector_.threshold == model.detector_.calibration.threshold(0.1)


def test_parameters_clone_and_pickle(X):
    model = quick(gamma=0.2, random_state=4)
    again = clone(model)
    assert again.get_params() == model.get_params() and again is not model
    model.set_params(steps=50).fit(X)
    back = pickle.loads(pickle.dumps(model))
    assert np.array_equal(back.score_samples(X), model.score_samples(X))
    assert model.detector_.to_bytes() in pickle.dumps(model)
    assert quick(random_state=np.random.RandomState(0)).fit(X).detector_.facts["seed"] != "0"
    with pytest.raises(ValueError):
        model.set_params(stepz=3)


def test_pandas_frames(X):
    pandas = pytest.importorskip("pandas")
    names = [f"sensor {j}" for j in range(8)]
    frame = pandas.DataFrame(X, columns=names)
    model = quick().fit(frame)
    assert list(model.feature_names_in_) == names
    assert np.array_equal(model.score_samples(frame), quick().fit(X).score_samples(X))
    with pytest.raises(ValueError, match="feature names"):
        model.predict(frame[names[::-1]])
    mixed = frame.assign(**{"sensor 0": frame["sensor 0"].astype(float), "sensor 1": 1})
    assert dasvdd.fit(mixed, steps=10, ensemble_size=1).dtype == np.float64


def test_a_pipeline_and_a_grid_search(X):
    pipe = make_pipeline(StandardScaler(), quick())
    assert pipe.fit(X).predict(X).shape == (300,)
    y = np.ones(300, dtype=int)
    y[::15] = -1
    mixed = X.copy()
    mixed[::15] += 5
    search = GridSearchCV(quick(), {"steps": [5, 40]}, scoring="roc_auc", cv=2, error_score="raise").fit(mixed, y)
    assert search.best_score_ > 0.8


def count_threads(seed, X):
    """A fit's threads as the process sees them: those of OpenMP are the calls' own."""
    model = quick(random_state=seed).fit(X)
    return dasvdd._core._threads(), model.detector_.to_bytes()


@pytest.mark.parametrize("backend", ["threading", "loky", "multiprocessing"])
def test_joblib_gives_the_same_bits_in_threads_and_processes(backend, X):
    joblib = pytest.importorskip("joblib")
    expected = [count_threads(seed, X)[1] for seed in range(4)]
    results = joblib.Parallel(n_jobs=2, backend=backend)(joblib.delayed(count_threads)(seed, X) for seed in range(4))
    assert [bytes_ for _, bytes_ in results] == expected
    if backend == "loky":  # joblib tells OpenMP how many cores each process has
        cores = joblib.cpu_count()
        assert {threads for threads, _ in results} == {max(1, cores // 2)}


def test_calls_at_the_same_time_share_the_cores(monkeypatch):
    program = """
import threading, time, dasvdd, numpy
X = numpy.random.default_rng(0).standard_normal((2000, 20))
alone = dasvdd._core._threads()
started = threading.Event()
fit = threading.Thread(target=lambda: dasvdd.fit(X, steps=10**9, progress=lambda p: started.set() or not end.is_set()))
end = threading.Event()
fit.start(); started.wait()
beside = dasvdd._core._threads()
end.set(); fit.join()
print(alone, beside, dasvdd._core._threads(), dasvdd._core._threads(3))
"""
    out = subprocess.run(
        [sys.executable, "-c", program], env={**os.environ, "OMP_NUM_THREADS": "4"}, capture_output=True, text=True
    )
    assert out.stdout.split() == ["4", "2", "4", "3"], out.stderr


def test_a_forked_process_may_fit_and_score(X):
    """OpenMP's threads don't survive a fork; the package must not wait for them."""
    program = """
import multiprocessing, dasvdd, numpy
X = numpy.random.default_rng(0).standard_normal((3000, 20)).astype("float32")
def work(_):
    d = dasvdd.fit(X, steps=200, ensemble_size=2)
    return d.score(X).tobytes()
if __name__ == "__main__":
    here = work(0)
    with multiprocessing.get_context("fork").Pool(2) as pool:
        assert pool.map(work, range(2)) == [here, here]
    print("done")
"""
    out = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120)
    assert out.stdout == "done\n", out.stderr


def test_scikit_learn_need_not_be_installed(tmp_path):
    program = """
import sys
sys.modules["sklearn"] = None
import numpy, dasvdd, pickle
X = numpy.random.default_rng(0).standard_normal((100, 4))
model = dasvdd.DASVDD(steps=10, ensemble_size=1)
try:
    model.predict(X)
except ValueError as error:
    assert "not fitted" in str(error)
labels = model.fit_predict(X)
assert set(labels) <= {-1, 1} and model.n_features_in_ == 4
assert model.set_params(steps=20).get_params()["steps"] == 20
assert (pickle.loads(pickle.dumps(model)).predict(X) == labels).all()
try:
    model.predict(X[:, :3])
except ValueError as error:
    assert "X has 3 features, but DASVDD is expecting 4" in str(error)
else:
    raise AssertionError
print(repr(model))
"""
    out = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert out.stdout == "DASVDD(ensemble_size=1, steps=20)\n", out.stderr
