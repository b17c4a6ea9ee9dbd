"""The detector: what goes in without a copy, what comes out, and what is refused."""

import copy
import pickle
import threading

import numpy as np
import pytest

import dasvdd
from conftest import rows


def test_scores_are_arrays_of_the_detectors_dtype(detector, double_detector, X):
    for fitted, dtype in ((detector, np.float32), (double_detector, np.float64)):
        scores = fitted.score(X)
        assert scores.shape == (300,) and scores.dtype == dtype == fitted.dtype
        assert scores.flags.c_contiguous and scores.flags.writeable


def test_scores_outlive_the_detector(X):
    scores = dasvdd.fit(X, steps=10, ensemble_size=1).score(X)
    first = scores[0]
    junk = [np.ones(300, np.float32) for _ in range(100)]
    assert scores[0] == first and junk


def test_a_row_has_the_same_score_in_any_batch_and_on_any_number_of_threads(detector):
    many = rows(5000, seed=4)
    scores = detector.score(many)
    assert np.array_equal(scores, detector.score(many, threads=1))
    assert np.array_equal(scores[:50], np.concatenate([detector.score(many[i : i + 1]) for i in range(50)]))
    assert [detector.score_one(row) for row in many[:20]] == list(scores[:20].astype(float))


@pytest.mark.parametrize(
    "view",
    [
        lambda X: X[:, 2:6],
        lambda X: X[::3, :4],
        lambda X: np.asfortranarray(X[:, :4]),
        lambda X: X[::-1, :4],
        lambda X: X[:, 3::-1],
        lambda X: X[:, :4].astype(np.float64),
        lambda X: X[:, :4].astype(">f4"),
        lambda X: X[:, :4].tolist(),
        lambda X: np.broadcast_to(X[0, :4], (7, 4)),
    ],
    ids=["columns", "every third row", "by columns", "backwards", "columns backwards", "double", "other bytes", "list", "repeated"],
)
def test_any_layout_and_type_gives_the_scores_of_a_plain_copy(X, view):
    four = dasvdd.fit(X[:, :4], steps=20, ensemble_size=1)
    given = view(X)
    assert np.array_equal(four.score(given), four.score(np.array(given, dtype=np.float32, order="C")))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_rows_of_float_and_double_are_not_copied(detector, double_detector, dtype, monkeypatch):
    """The slow path is the only one that copies; it isn't taken for rows, nor for rows with gaps between them."""
    fitted = detector if dtype == np.float32 else double_detector
    calls = []
    monkeypatch.setattr("dasvdd._arrays.as_rows", lambda *a: calls.append(a) or np.zeros((1, 8), dtype))
    wide = rows(40, 12, dtype=dtype)
    fitted.score(wide[:, 2:10])
    fitted.score(wide[::2, :8])
    assert calls == []
    fitted.score(wide[:, :8].astype(np.float64 if dtype == np.float32 else np.float32))
    assert calls == []
    fitted.score(wide[:, :8].astype(np.int32))
    assert len(calls) == 1


def test_what_the_library_refuses_is_a_value_error_with_its_sentence(detector, X):
    bad = X.copy()
    bad[17, 3] = np.nan
    with pytest.raises(ValueError, match="the batch has NaN in row 17, column 3; every value must be finite"):
        detector.score(bad)
    with pytest.raises(ValueError, match="the batch is 300 x 7, expected 8 columns"):
        detector.score(X[:, :7])
    with pytest.raises(ValueError, match="the batch has one dimension of 8 numbers, expected two"):
        detector.score(X[0])
    with pytest.raises(ValueError, match="3 dimensions"):
        detector.score(X[None])
    with pytest.raises(ValueError, match="threads is -1"):
        detector.score(X, threads=-1)
    with pytest.raises(ValueError, match="holds .*expected numbers"):
        detector.score([["a"] * 8])
    with pytest.raises(ValueError, match="complex"):
        detector.score(X.astype(complex))
    with pytest.raises(ValueError, match="explain: the row has 3 numbers"):
        detector.explain(X[0, :3])
    with pytest.raises(ValueError, match="the false alarm rate is 2"):
        detector.calibrated(X, 2)
    with pytest.raises(ValueError, match="net|member"):
        detector.encode(X)
    with pytest.raises(ValueError, match="expected a finite number"):
        detector.with_threshold(np.inf)


def test_no_rows_give_no_scores(detector):
    assert detector.score(np.zeros((0, 8), np.float32)).shape == (0,)


def test_parts_add_up_to_the_bit(detector, X):
    reconstruction, latent = detector.score_parts(X)
    assert np.array_equal(reconstruction + latent, detector.score(X))


def test_decisions_agree_with_scores(detector, X):
    scores = detector.score(X)
    assert np.array_equal(detector.predict(X), scores > detector.threshold)
    median = detector.with_threshold(float(np.median(scores)))
    assert median.predict(X).sum() == np.count_nonzero(scores > median.threshold)
    calibration = detector.calibration
    values = detector.p_value(scores)
    by_hand = (1 + (calibration.scores[None, :] >= scores[:, None]).sum(axis=1)) / (1 + len(calibration))
    assert np.array_equal(values, by_hand)
    assert detector.p_value(float(scores[5])) == values[5]
    far = np.vstack([X[:20], X[:5] + 40])
    assert np.array_equal(detector.select(far, 0.1)[20:], np.ones(5))


def test_calibrated_has_the_rate_it_was_asked_for(detector):
    held_out = rows(999, seed=5)
    calibrated = detector.calibrated(held_out, 0.05)
    assert calibrated.predict(held_out).mean() == pytest.approx(0.05, abs=0.002)
    assert len(calibrated.calibration) == 999
    assert calibrated.threshold == calibrated.calibration.threshold(0.05)


def test_looking_inside(detector, X):
    e = detector.explain(X[3])
    assert e.features.sum() == pytest.approx(e.score) and e.features.min() >= 0
    assert e.score == pytest.approx(detector.score_one(X[3])) and np.array_equal(e.observed, X[3])
    assert e.score == pytest.approx(e.reconstruction + e.latent)
    codes, back = detector.encode(X, 1), detector.reconstruct(X, 1)
    assert codes.shape[0] == 300 and back.shape == X.shape
    single = dasvdd.fit(X, steps=10, ensemble_size=1)
    assert np.array_equal(single.encode(X), single.encode(X, 0))
    assert (detector.features, detector.ensemble_size) == (8, 3)
    assert detector.kernels == dasvdd.kernels() in dasvdd.available_kernels()
    assert detector.facts["seed"] == "0" and isinstance(detector.warnings, list)
    assert "8 features, 3 nets, float32" in repr(detector)


def test_compacted_and_watched(detector, X):
    compact = detector.compacted()
    assert not np.array_equal(compact.score(X), detector.score(X))
    assert np.allclose(compact.score(X), detector.score(X), rtol=0.1, atol=0.05)
    watched = detector.watched()
    assert watched.ensemble_size == 1 and len(watched.calibration) > 0


@pytest.mark.parametrize("which", ["detector", "double_detector"])
def test_files_bytes_and_pickles_keep_every_bit(which, request, tmp_path, X):
    fitted = request.getfixturevalue(which)
    path = tmp_path / "model.safetensors"
    fitted.save(path, {"who": "a test"})
    loaded = dasvdd.load(path)
    assert loaded.facts["who"] == "a test"
    copies = [
        loaded,
        dasvdd.load(str(path)),
        dasvdd.Detector.load(path),
        dasvdd.Detector.from_bytes(fitted.to_bytes()),
        pickle.loads(pickle.dumps(fitted)),
        copy.copy(fitted),
        copy.deepcopy(fitted),
    ]
    for other in copies:
        assert other.dtype == fitted.dtype and other.threshold == fitted.threshold
        assert np.array_equal(other.score(X), fitted.score(X))
        assert np.array_equal(other.calibration.scores, fitted.calibration.scores)
    assert path.read_bytes() == fitted.to_bytes({"who": "a test"})
    assert fitted.to_bytes() in pickle.dumps(fitted)


def test_file_errors_are_os_errors(tmp_path, detector):
    assert issubclass(dasvdd.FileError, OSError)
    with pytest.raises(dasvdd.FileError, match="there is no such file"):
        dasvdd.load(tmp_path / "none")
    with pytest.raises(dasvdd.FileError, match="too few for a safetensors file"):
        dasvdd.Detector.from_bytes(b"abc")
    with pytest.raises(OSError):
        detector.save(tmp_path / "no folder" / "model")
    with pytest.raises(ValueError, match="format"):
        detector.save(tmp_path / "model", {"format": "mine"})


def test_threads_may_share_a_detector(detector):
    many = rows(400, seed=7)
    expected = detector.score(many)
    wrong = []

    def work():
        for i in range(400):
            if detector.score(many[i : i + 1])[0] != expected[i]:
                wrong.append(i)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_an_ensemble_is_the_mean_of_its_detectors(X):
    parts = [dasvdd.fit(X, steps=20, ensemble_size=1, standardize=False, seed=s) for s in (1, 2)]
    both = dasvdd.ensemble(parts, 3.5)
    assert both.ensemble_size == 2 and both.threshold == 3.5
    assert np.allclose(both.score(X), (parts[0].score(X) + parts[1].score(X)) / 2, rtol=1e-5)
    with pytest.raises(ValueError, match="at least one detector"):
        dasvdd.ensemble([], 1.0)
    with pytest.raises(ValueError, match="of float64"):
        dasvdd.ensemble([parts[0], dasvdd.fit(X.astype(float), steps=10, ensemble_size=1)], 1.0)
