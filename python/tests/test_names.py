"""Features with names: where they come from, where they are kept, and columns that are found by them."""

import pickle

import numpy as np
import pytest

import dasvdd
from conftest import rows

pandas = pytest.importorskip("pandas")

NAMES = ["flow", "Druck", "°C", "x 3"]
QUICK = dict(steps=10, ensemble_size=2)


class PolarsFrame:
    """What the package sees of a data frame of Polars'."""

    def __init__(self, frame):
        self._frame = frame

    @property
    def columns(self):
        return list(self._frame.columns)

    def __array__(self, dtype=None, copy=None):
        return np.array(self._frame, dtype=dtype)


class ArrowTable(PolarsFrame):
    """And of an Arrow table, whose `columns` are its numbers."""

    @property
    def columns(self):
        return list(self._frame.to_numpy().T)

    @property
    def column_names(self):
        return list(self._frame.columns)


@pytest.fixture(scope="module")
def X():
    return rows(120, 4)


@pytest.fixture(scope="module")
def frame(X):
    return pandas.DataFrame(X, columns=NAMES)


@pytest.fixture(scope="module")
def named(X):
    return dasvdd.fit(X, feature_names=NAMES, **QUICK)


@pytest.mark.parametrize("given", [tuple, np.array, pandas.Index])
def test_names_are_given_or_a_frames_own(X, frame, named, given):
    assert named.feature_names == NAMES
    assert dasvdd.fit(X, feature_names=given(NAMES), **QUICK).to_bytes() == named.to_bytes()
    for table in (frame, PolarsFrame(frame), ArrowTable(frame)):
        assert dasvdd.fit(table, **QUICK).to_bytes() == named.to_bytes()
    plain = dasvdd.fit(X, **QUICK)
    assert plain.feature_names == [] and np.array_equal(plain.score(X), named.score(X))


def test_frames_without_names_go_by_position(X, frame, named):
    plain = dasvdd.fit(X, **QUICK)
    tables = [pandas.DataFrame(X), frame.set_axis([("a", j) for j in range(4)], axis=1)]
    for table in [*tables, frame.set_axis(["flow", 1, 2, 3], axis=1)]:
        assert dasvdd.fit(table, **QUICK).to_bytes() == plain.to_bytes()
    assert dasvdd.fit(frame, feature_names=[], **QUICK).to_bytes() == plain.to_bytes()
    for table in tables:
        assert np.array_equal(named.score(table), named.score(X))
    # A detector without names takes any.
    assert np.array_equal(plain.score(frame[NAMES[::-1]]), plain.score(X[:, ::-1]))


def test_files_and_detectors_made_of_it_keep_them(named, tmp_path):
    named.save(tmp_path / "model")
    held_out = rows(120, 4, seed=5)
    for other in [
        dasvdd.load(tmp_path / "model"),
        pickle.loads(pickle.dumps(named)),
        named.with_threshold(3),
        named.calibrated(held_out),
        named.compacted(),
        named.watched(),
        dasvdd.ensemble([named, named], 1.0),
    ]:
        assert other.feature_names == NAMES
        with pytest.raises(ValueError, match="no column 'Druck'"):
            other.score(pandas.DataFrame(held_out, columns=["flow", "a", "°C", "x 3"]))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("table", [lambda frame: frame, PolarsFrame, ArrowTable])
def test_columns_are_found_by_name_in_any_order(X, frame, named, table, dtype):
    frame, X = frame.astype(dtype), X.astype(dtype)
    shuffled = table(frame[["x 3", "flow", "°C", "Druck"]])
    assert np.array_equal(named.score(shuffled), named.score(X))
    assert np.array_equal(named.score_parts(shuffled), named.score_parts(X))
    assert np.array_equal(named.with_threshold(0).predict(shuffled), named.with_threshold(0).predict(X))
    assert np.array_equal(named.select(shuffled, 0.5), named.select(X, 0.5))
    assert np.array_equal(named.encode(shuffled, 1), named.encode(X, 1))
    assert np.array_equal(named.reconstruct(shuffled, 0), named.reconstruct(X, 0))
    assert named.calibrated(shuffled, 0.1).to_bytes() == named.calibrated(X, 0.1).to_bytes()


def test_columns_of_several_types(X, frame, named):
    mixed = frame.assign(flow=(X[:, 0] * 10).astype(int), Druck=X[:, 1] > 3)
    assert np.array_equal(named.score(mixed[NAMES[::-1]]), named.score(mixed.to_numpy(dtype=float)))


def test_one_row(X, frame, named):
    series = frame[NAMES[::-1]].iloc[5]
    assert named.score_one(series) == named.score_one(X[5])
    explanation = named.explain(series)
    assert np.array_equal(explanation.observed, X[5])
    assert np.array_equal(explanation.features, named.explain(X[5]).features)
    assert named.score_one(pandas.Series(X[5])) == named.score_one(list(X[5])) == named.score_one(X[5])
    with pytest.raises(ValueError, match="^the row has no column 'x 3', which feature_names has$"):
        named.explain(series.drop("x 3"))
    # Scores are no row: their labels say nothing of features.
    scores = pandas.Series(named.score(X[:2]), index=["flow", "b"])
    assert np.array_equal(named.p_value(scores), named.p_value(scores.to_numpy()))


def test_other_columns_are_refused_by_name(frame, named):
    refusals = [
        (frame.drop(columns="°C"), "the batch has no column '°C', which feature_names has"),
        (frame[["flow"]], "the batch has no column 'Druck', '°C' and 'x 3', which feature_names has"),
        (
            frame.rename(columns={"flow": "Flow", "x 3": "x"}),
            "the batch has no column 'flow' and 'x 3', which feature_names has, but has 'Flow' and 'x'",
        ),
        (frame.assign(time="noon"), "the batch has the column 'time', which feature_names doesn't have; leave it out"),
        (frame.assign(**{"": 1}), "the batch has the column '', which feature_names doesn't have; leave it out"),
        (
            frame.join(pandas.DataFrame(0, index=frame.index, columns=range(7))),
            "the batch has the column 0, 1, 2, 3, 4 and 2 more, which feature_names doesn't have; leave it out",
        ),
        (frame[[*NAMES, "Druck"]], "the batch has two columns named 'Druck', 1 and 4 (from 0)"),
    ]
    for table, sentence in refusals:
        for call in (named.score, named.predict, named.score_parts, named.select, named.calibrated):
            with pytest.raises(ValueError) as error:
                call(table)
            assert str(error.value) == sentence
        for call in (named.encode, named.reconstruct):
            with pytest.raises(ValueError) as error:
                call(table, 0)
            assert str(error.value) == sentence


def functions():
    """Everything that trains, as f(X, **options) -> what has the names."""

    def trainer(X, **options):
        made = dasvdd.Trainer(dasvdd.dense_autoencoder(4, [2]), epochs=1, **options)
        made.fit(X)
        return made.detector()

    return {
        "fit": lambda X, **options: dasvdd.fit(X, **QUICK, **options),
        "fit_images": lambda X, **options: dasvdd.fit_images(X, epochs=1, ensemble_size=1, **options),
        "fit_many": lambda X, **options: dasvdd.fit_many(X, "a", steps=5, **options),
        "Trainer": trainer,
    }


@pytest.mark.parametrize("function", functions())
def test_whatever_trains_takes_names_and_refuses_bad_ones(X, frame, function):
    train = functions()[function]
    frame, X = frame / 10, X / 10
    made = train(X, feature_names=NAMES)
    assert made.feature_names == NAMES
    assert train(frame).to_bytes() == made.to_bytes()
    # Names that are given say which column is which.
    assert train(frame[NAMES[::-1]], feature_names=NAMES).to_bytes() == made.to_bytes()
    assert train(X).feature_names == []
    for names, sentence in [
        (["a", "b", "c"], "there are 3 feature names for 4 features"),
        (["a", "b", "c", "a"], "two features are named 'a'"),
        (["a", "b", "", "d"], "feature 2 has an empty name"),
        (["a", "b", 3, "d"], r"feature_names\[2\] is 3, expected a name"),
        (["a", "b", "c", "\ud800"], "expected a name in Unicode"),
        ("abcd", "feature_names is 'abcd', expected a list of names"),
        ({"a": 0}, "feature_names is {'a': 0}, expected a list of names"),
        ({"a"}, "feature_names is {'a'}, expected a list of names"),
        (7, "feature_names is 7, expected a list of names"),
    ]:
        with pytest.raises(ValueError, match=sentence):
            train(X, feature_names=names)
    for table, names, sentence in [
        (frame, [*NAMES[:3], "a"], "has no column 'a', which feature_names has, but has 'x 3'"),
        (frame.assign(time="noon"), NAMES, "has the column 'time', which feature_names doesn't have; leave it out"),
        (frame, ["flow", "flow", "°C", "x 3"], "two features are named 'flow'"),
    ]:
        with pytest.raises(ValueError, match=sentence):
            train(table, feature_names=names)
    with pytest.raises(ValueError, match=r"the training set has two columns named 'flow', 0 and 2 \(from 0\)"):
        train(frame.set_axis(["flow", "a", "flow", "b"], axis=1))
    with pytest.raises(ValueError, match="feature 1 has an empty name"):
        train(frame.rename(columns={"Druck": ""}))


def test_warnings_speak_in_names(X, frame):
    far = frame.copy()
    far.loc[7, "Druck"] = 1e6
    (warning,) = [w for w in dasvdd.fit(far, **QUICK).warnings if "1e+06" in w]
    assert "feature 'Druck'" in warning


def test_banks(X, frame, tmp_path):
    keys = ["a", "b"] * 60
    bank = dasvdd.fit_many(frame, keys, steps=5)
    assert bank.feature_names == bank.detector("a").feature_names == NAMES
    bank.save(tmp_path / "bank")
    bank = dasvdd.Bank.load(tmp_path / "bank")
    assert bank.feature_names == NAMES
    shuffled = frame[NAMES[::-1]]
    assert np.array_equal(bank.score(shuffled, keys), bank.score(X, keys))
    assert np.array_equal(bank.predict(shuffled, keys), bank.predict(X, keys))
    for call in (bank.score, bank.predict):
        with pytest.raises(ValueError, match="the batch has no column 'flow', which feature_names has"):
            call(frame.drop(columns="flow"), keys)
    with pytest.raises(ValueError, match="feature"):
        dasvdd.Bank.joined([bank, dasvdd.fit_many(X, "c", steps=5)])


def trainer(**options):
    return dasvdd.Trainer(dasvdd.dense_autoencoder(4, [2]), epochs=2, standardize=True, **options)


@pytest.mark.parametrize("options", [{}, {"feature_names": NAMES}], ids=["the frame's", "given"])
def test_a_trainers_later_frames_are_matched_too(X, frame, options, tmp_path):
    plain, by_name = trainer(), trainer(**options)
    shuffled = frame[NAMES[::-1]]
    plain.fit(X)
    by_name.fit(frame)
    assert np.array_equal(plain.detector().score(X), by_name.detector().score(X))
    for made, table in ((plain, X), (by_name, shuffled)):
        made.partial_fit(table)
        made.step(table)
    assert by_name.detector(shuffled).feature_names == NAMES
    assert np.array_equal(plain.detector(X).score(X), by_name.detector(shuffled).score(shuffled))
    # A checkpoint keeps them, and is no other training's.
    by_name.save_checkpoint(tmp_path / "checkpoint")
    back = [trainer(**options), pickle.loads(pickle.dumps(by_name))]
    back[0].load_checkpoint(tmp_path / "checkpoint")
    for made in back:
        assert made.detector(shuffled).to_bytes() == by_name.detector(frame).to_bytes()
    other = trainer(feature_names=list("abcd"))
    with pytest.raises(ValueError, match="the state is of a training with other feature names"):
        other.load_checkpoint(tmp_path / "checkpoint")
    assert other.detector(X).feature_names == list("abcd")


def test_every_fit_of_a_trainer_has_its_own_names(X, frame):
    made = trainer()
    made.fit(frame)
    bad = frame.rename(columns={"flow": "a"})
    bad.loc[3, "a"] = np.nan
    before = made.detector().to_bytes()
    for refused in (bad, frame[["flow"]].rename(columns={"flow": "a"})):
        with pytest.raises(ValueError, match="NaN in row 3|expected 4 columns"):
            made.fit(refused)
        assert made.detector().to_bytes() == before  # nothing has changed
    made.fit(frame.rename(columns={"flow": "a"}))
    assert made.detector().feature_names == ["a", *NAMES[1:]]
    with pytest.raises(KeyError):
        made.fit(frame, progress=lambda epoch: {}["stop"])
    assert made.detector(X).feature_names == NAMES
    made.fit(X)
    assert made.detector().feature_names == []


def test_from_torch_takes_a_frames_names(X, frame):
    tensors = {"0.weight": np.ones((2, 4), np.float32), "1.weight": np.ones((4, 2), np.float32)}
    assert dasvdd.from_torch(tensors, frame, code=1).feature_names == NAMES
    assert dasvdd.from_torch(tensors, X, code=1).feature_names == []


@pytest.mark.parametrize("installed", [True, False], ids=["with scikit-learn", "without"])
def test_the_estimators_detector_has_them(frame, X, installed, monkeypatch):
    if installed:
        pytest.importorskip("sklearn")
    else:
        from dasvdd import _sklearn, _without_sklearn

        for name in ("check_is_fitted", "validate_data"):
            monkeypatch.setattr(_sklearn, name, getattr(_without_sklearn, name))
    model = dasvdd.DASVDD(**QUICK).fit(frame)
    assert model.detector_.feature_names == list(model.feature_names_in_) == NAMES
    shuffled = frame[NAMES[::-1]]
    assert np.array_equal(model.detector_.score(shuffled), -model.score_samples(frame))
    with pytest.raises(ValueError, match="feature names should match"):
        model.score_samples(shuffled)
    assert dasvdd.DASVDD(**QUICK).fit(X).detector_.feature_names == []
    with pytest.raises(ValueError, match="'flow'"):  # scikit-learn's own sentence, or this package's
        dasvdd.DASVDD(**QUICK).fit(frame.set_axis(["flow", "a", "flow", "b"], axis=1))
