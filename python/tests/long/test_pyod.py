"""dasvdd.pyod.DASVDD against what PyOD's tests ask of each of its detectors."""

import pickle

import numpy as np
import pytest

pytest.importorskip("pyod")

from pyod.utils.data import generate_data
from sklearn.base import clone
from sklearn.metrics import roc_auc_score

import dasvdd
from conftest import assert_defaults_are_the_librarys
from dasvdd.pyod import DASVDD


@pytest.fixture(scope="module")
def data():
    return generate_data(n_train=200, n_test=100, contamination=0.1, random_state=42)


@pytest.fixture(scope="module")
def model(data):
    return DASVDD(contamination=0.1, steps=300, ensemble_size=3).fit(data[0])


def test_its_defaults_are_the_librarys():
    assert_defaults_are_the_librarys(DASVDD(), {"contamination", "clean", "n_jobs", "random_state", "verbose"})


def test_attributes(model, data):
    for name in ("decision_scores_", "labels_", "threshold_", "_mu", "_sigma", "detector_"):
        assert getattr(model, name) is not None, name
    assert model.decision_scores_.shape == model.labels_.shape == (200,)
    assert model.labels_.sum() == 20 and set(model.labels_) == {0, 1}
    assert model.threshold_ == np.percentile(model.decision_scores_, 90)


def test_training_scores_are_those_of_the_training_rows(model, data):
    assert np.array_equal(model.decision_function(data[0]), model.decision_scores_)
    assert np.array_equal(model.predict(data[0]), model.labels_)


def test_scores_rank_the_anomalies_above(model, data):
    _, X_test, _, y_test = data
    scores = model.decision_function(X_test)
    assert scores.shape == (100,) and roc_auc_score(y_test, scores) >= 0.9
    assert np.array_equal(scores, model.detector_.score(X_test).astype(float))


def test_labels(model, data):
    labels = model.predict(data[1])
    assert labels.shape == (100,) and set(labels) <= {0, 1}
    assert np.array_equal(labels, model.decision_function(data[1]) > model.threshold_)


@pytest.mark.parametrize("method", ["linear", "unify"])
def test_probabilities(model, data, method):
    proba = model.predict_proba(data[1], method=method)
    assert proba.shape == (100, 2) and proba.min() >= 0 and proba.max() <= 1
    assert np.allclose(proba.sum(axis=1), 1)
    order = np.argsort(model.decision_function(data[1]))
    assert (np.diff(proba[order, 1]) >= 0).all()
    with pytest.raises(ValueError):
        model.predict_proba(data[1], method="something")


def test_confidence(model, data):
    labels, confidence = model.predict(data[1], return_confidence=True)
    assert labels.shape == confidence.shape == (100,) and confidence.min() >= 0 and confidence.max() <= 1
    proba, confidence = model.predict_proba(data[1], return_confidence=True)
    assert proba.shape == (100, 2) and np.array_equal(confidence, model.predict_confidence(data[1]))


def test_fit_predict_and_ranks(data):
    X_train, X_test, _, _ = data
    model = DASVDD(steps=50, ensemble_size=1)
    labels = model.fit_predict(X_train)
    assert np.array_equal(labels, model.labels_)
    ranks = model._predict_rank(X_test)
    assert ranks.shape == (100,) and ranks.min() >= 0 and ranks.max() <= 200
    assert (np.diff(ranks[np.argsort(model.decision_function(X_test))]) >= 0).all()


def test_parameters_clone_and_pickle(model, data):
    again = clone(model)
    assert again.get_params() == model.get_params()
    back = pickle.loads(pickle.dumps(model))
    assert np.array_equal(back.decision_function(data[1]), model.decision_function(data[1]))


def test_contamination(data):
    for bad in (0, 0.6, -1):
        with pytest.raises(ValueError):
            DASVDD(contamination=bad).fit(data[0])
    assert DASVDD(contamination=0.25, steps=20, ensemble_size=1).fit(data[0]).labels_.sum() == 50
    screened = DASVDD(clean=False, steps=100, ensemble_size=1).fit(data[0])
    assert "contamination" in screened.detector_.facts


def test_rows_of_another_width_are_refused(model):
    with pytest.raises(ValueError, match="expected 2 columns"):
        model.decision_function(np.zeros((3, 5)))
    assert isinstance(model.detector_, dasvdd.Detector)
