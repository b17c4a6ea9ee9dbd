"""Calibration, online selection, drift watch, and the measures."""

import pickle

import numpy as np
import pytest

import dasvdd
from conftest import rows


def test_calibration():
    calibration = dasvdd.Calibration([3.0, 1.0, 2.0])
    assert list(calibration.scores) == [1, 2, 3] and len(calibration) == 3
    assert calibration.p_value(2.5) == 0.5 and calibration.threshold(0.25) == 3
    assert list(pickle.loads(pickle.dumps(calibration)).scores) == [1, 2, 3]
    assert len(pickle.loads(pickle.dumps(dasvdd.Detector.calibration.__get__(uncalibrated())))) == 0
    with pytest.raises(ValueError, match="needs at least 99"):
        calibration.threshold(0.01)
    with pytest.raises(ValueError, match="calibration score 1 is NaN"):
        dasvdd.Calibration([1.0, np.nan])
    with pytest.raises(ValueError, match="no held-out scores"):
        uncalibrated().p_value(1.0)


def uncalibrated():
    trainer = dasvdd.Trainer(dasvdd.dense_autoencoder(8, [2]), epochs=1)
    trainer.fit(rows(50))
    return trainer.detector()


def test_online_selection_goes_on_where_it_was_pickled():
    p = np.random.default_rng(0).random(300)
    p[::10] = 0.001
    whole, half = dasvdd.OnlineSelect(0.2, 999, memory=200), dasvdd.OnlineSelect(0.2, 999, memory=200)
    expected = [whole.add(x) for x in p]
    selected = [half.add(x) for x in p[:150]]
    half = pickle.loads(pickle.dumps(half))
    assert selected + [half.add(x) for x in p[150:]] == expected
    assert whole.rows == 300 and whole.selected == sum(expected) > 10 and whole.level == half.level
    with pytest.raises(ValueError, match="the p-value is 2"):
        whole.add(2)


def test_a_drift_watch_sees_the_stream_move(detector):
    watched = detector.watched()
    normal = rows(200, seed=8)
    watch = dasvdd.DriftWatch(watched.calibration.scores, normal, false_alarms=0.01, seed=1)
    assert watch.features == 8
    for row in rows(50, seed=9):
        watch.add(watched.score_one(row), row)
    assert not watch.alarmed
    watch = pickle.loads(pickle.dumps(watch))
    moved = rows(200, seed=10)
    moved[:, 3] += 3
    for row in moved:
        watch.add(watched.score_one(row), row)
    assert watch.alarmed and watch.alarm_row > 50 and watch.rows == 250
    assert watch.moved_features[0][0] == 3 and watch.evidence > 1
    with pytest.raises(ValueError, match="needs the row's 8 features"):
        watch.add(1.0)
    with pytest.raises(ValueError, match="the row has 2 numbers"):
        watch.add(1.0, [1, 2])


def test_measures_are_scikit_learns():
    metrics = pytest.importorskip("sklearn.metrics")
    random = np.random.default_rng(0)
    labels = random.random(500) < 0.2
    scores = np.round(random.standard_normal(500) + labels, 1)
    assert dasvdd.roc_auc(scores, labels) == pytest.approx(metrics.roc_auc_score(labels, scores), abs=1e-12)
    assert dasvdd.average_precision(scores, labels) == pytest.approx(
        metrics.average_precision_score(labels, scores), abs=1e-12
    )
    fpr, tpr, _ = metrics.roc_curve(labels, scores, drop_intermediate=False)
    assert dasvdd.fpr_at_tpr(scores, labels) == fpr[np.argmax(tpr >= 0.95)]
    counts = dasvdd.Confusion(scores, labels, 0.5)
    tn, fp, fn, tp = metrics.confusion_matrix(labels, scores > 0.5).ravel()
    assert (counts.true_negatives, counts.false_positives, counts.false_negatives, counts.true_positives) == (tn, fp, fn, tp)
    assert counts.f1 == pytest.approx(metrics.f1_score(labels, scores > 0.5))
    assert counts.precision == tp / (tp + fp) and counts.recall == tp / (tp + fn)
    assert counts.false_alarm_rate == fp / (fp + tn)
    with pytest.raises(ValueError, match="labels has 2 entries"):
        dasvdd.roc_auc([1.0], [0, 1])
