"""Banks: one small detector a group of rows."""

import pickle

import numpy as np
import pytest

import dasvdd


@pytest.fixture(scope="module")
def rows():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(150, 3)) + np.arange(150)[:, None] % 5 * 10
    keys = np.array([f"m{i % 5}" for i in range(150)])
    X[3, 1] = np.nan
    return X, keys


@pytest.fixture(scope="module")
def bank(rows):
    return dasvdd.fit_many(*rows, steps=30)


def test_a_group_is_scored_by_its_own_detector(rows, bank):
    X, keys = rows
    assert bank.keys == ["m0", "m1", "m2", "m4"] and len(bank) == 4 and "m3" not in bank
    assert bank.refused == {"m3": "has NaN in row 3, column 1; every value must be finite"}
    good = keys != "m3"
    scores = bank.score(X[good], keys[good])
    assert scores.dtype == np.float32 and np.isfinite(scores).all()
    for key in bank.keys:
        assert (bank.score(X[keys == key], key) == scores[keys[good] == key]).all()
        detector = bank.detector(key)
        np.testing.assert_allclose(detector.score(X[keys == key]), scores[keys[good] == key], rtol=1e-5)
        assert detector.threshold == bank.threshold(key)
    p = bank.p_value(scores, keys[good])
    assert ((0 < p) & (p <= 1)).all()
    labels = bank.predict(X[good], keys[good])
    assert labels.mean() < 0.1
    assert (bank.predict(X[good] + 100, list(keys[good])) == 1).all()
    # Rows of a refused group have no score; a key that never was is a mistake.
    assert np.isnan(bank.score([[1, 2, 3]], ["m3"])).all()
    assert bank.predict([[1, 2, 3]], ["m3"]) == [-1]
    with pytest.raises(ValueError, match="row 0 is of the group 'm9'"):
        bank.score([[1, 2, 3]], ["m9"])
    with pytest.raises(KeyError, match="m9"):
        bank.threshold("m9")


def test_same_bits_whatever_threads_and_other_groups(rows, bank):
    X, keys = rows
    for threads in (1, 2):
        again = dasvdd.fit_many(X, list(keys), steps=30, threads=threads)
        assert again.to_bytes() == bank.to_bytes()
    alone = dasvdd.fit_many(X[keys == "m1"], keys[keys == "m1"], steps=30)
    assert (alone.score(X[keys == "m2"], "m1") == bank.score(X[keys == "m2"], "m1")).all()
    # One string is the key of all rows, as in score().
    assert dasvdd.fit_many(X[keys == "m1"], "m1", steps=30).to_bytes() == alone.to_bytes()


def test_files_and_pickles(rows, bank, tmp_path):
    X, keys = rows
    path = tmp_path / "bank"
    bank.save(path)
    for back in (dasvdd.Bank.load(path), pickle.loads(pickle.dumps(bank)), dasvdd.Bank.from_bytes(path.read_bytes())):
        assert back.to_bytes() == bank.to_bytes() and back.refused == bank.refused
    some = dasvdd.Bank.load(path, ["m4", "m3"])
    assert some.keys == ["m4"] and list(some.refused) == ["m3"]
    assert (some.score(X[:3], "m4") == bank.score(X[:3], "m4")).all()
    with pytest.raises(dasvdd.FileError, match="there is no group 'x' among the bank's 4"):
        dasvdd.Bank.load(path, "x")
    assert bank.detector_bytes <= 8192


def test_banks_of_parts_are_joined(rows):
    X, keys = rows
    X = X.copy()
    X[keys == "m3"] = 1  # refused, with a sentence that speaks of no row
    whole = dasvdd.fit_many(X, keys, steps=30)
    parts = []
    for mine in (["m4", "m1"], ["m3"], ["m0", "m2"]):
        # As an engine leaves them: in any order, put right again by the rows' numbers.
        chosen = np.random.default_rng(1).permutation(np.flatnonzero(np.isin(keys, mine)))
        chosen.sort()
        parts.append(dasvdd.fit_many(X[chosen], keys[chosen], steps=30))
    joined = dasvdd.Bank.joined([pickle.loads(pickle.dumps(part)) for part in parts])
    assert joined.to_bytes() == whole.to_bytes() and list(joined.refused) == ["m3"]
    with pytest.raises(ValueError, match="the group 'm1' is in bank 0 and in bank 1"):
        dasvdd.Bank.joined([parts[0], dasvdd.fit_many(X[keys == "m1"], keys[keys == "m1"], steps=30)])
    with pytest.raises(ValueError, match="there are no banks to join"):
        dasvdd.Bank.joined([])
    with pytest.raises(TypeError):
        dasvdd.Bank.joined([b"no bank"])


def test_arguments_and_progress(rows):
    X, keys = rows
    with pytest.raises(ValueError, match="there are 2 keys for 150 rows"):
        dasvdd.fit_many(X, ["a", "b"])
    with pytest.raises(ValueError, match="least_rows is 1"):
        dasvdd.fit_many(X, keys, least_rows=1)
    seen = []

    def progress(at):
        seen.append((at.done, at.total))
        return at.done < 3

    bank = dasvdd.fit_many(X, keys, steps=30, threads=1, progress=progress)
    assert seen == [(2, 5), (3, 5)]
    assert list(bank.refused) == ["m2", "m3", "m4"]
    # Numbers are keys, too.
    assert dasvdd.fit_many(X[20:80], np.arange(60) % 2, steps=5).keys == ["0", "1"]
