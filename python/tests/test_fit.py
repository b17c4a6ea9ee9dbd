"""fit() and fit_images(): options, progress, and being stopped."""

import faulthandler
import inspect
import os
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

import dasvdd
from conftest import rows
from dasvdd import _core


@pytest.mark.parametrize(
    "function, defaults",
    [(dasvdd.fit, _core._fit_numbers), (dasvdd.fit_images, _core._image_numbers), (dasvdd.Trainer, _core._trainer_numbers)],
)
def test_the_defaults_written_in_python_are_the_librarys(function, defaults):
    parameters = inspect.signature(function).parameters
    for word, value in defaults().items():
        assert parameters[word].default == value, word


def test_the_same_seed_gives_the_same_bits(X, detector):
    again = dasvdd.fit(X, steps=60, ensemble_size=3, threads=1)
    assert again.to_bytes() == detector.to_bytes()
    assert dasvdd.fit(X, steps=60, ensemble_size=3, seed=1).to_bytes() != detector.to_bytes()


@pytest.mark.parametrize("missing", ["mask", "impute"])
def test_rows_may_lack_values_where_the_fit_was_told_so(X, missing):
    lacking = X.copy()
    lacking[::7, 1] = np.nan
    with pytest.raises(ValueError, match="NaN in row 0, column 1"):
        dasvdd.fit(lacking, steps=10, ensemble_size=1)
    detector = dasvdd.fit(lacking, steps=10, ensemble_size=1, missing=missing)
    assert np.isfinite(detector.score(lacking)).all()
    again = dasvdd.Detector.from_bytes(detector.to_bytes())
    assert (again.score(lacking) == detector.score(lacking)).all()
    with pytest.raises(ValueError):
        detector.score(np.full((1, X.shape[1]), np.inf))


def test_every_option_arrives(X):
    plain = dict(steps=10, ensemble_size=1)
    base = dasvdd.fit(X, **plain).to_bytes()
    changed = dict(
        seed=3,
        epochs=3,
        contamination=0.1,
        batch_size=16,
        kappa=0.5,
        gamma=0.7,
        center="fixed",
        center_learning_rate=0.3,
        center_decay=0.5,
        learning_rate=3e-3,
        beta1=0.5,
        beta2=0.9,
        epsilon=1e-3,
        weight_decay=0.1,
        standardize=False,
        score="published",
    )
    for word, value in changed.items():
        assert dasvdd.fit(X, **plain, **{word: value}).to_bytes() != base, word
    assert dasvdd.fit(X, steps=20, ensemble_size=1).to_bytes() != base
    assert dasvdd.fit(X, **plain, gamma=dasvdd.GammaRule.ratio_of_means(2).times(0.1)).to_bytes() == base
    assert dasvdd.fit(X, **plain, gamma="mean_of_ratios").to_bytes() != base


def test_the_nets_compute_in_xs_own_type_unless_told_otherwise(X):
    quick = dict(steps=5, ensemble_size=1)
    assert dasvdd.fit(X, **quick).dtype == np.float32
    assert dasvdd.fit(X.astype(float), **quick).dtype == np.float64
    assert dasvdd.fit(X.astype(float), dtype=np.float32, **quick).to_bytes() == dasvdd.fit(X, **quick).to_bytes()
    assert dasvdd.fit((X * 10).astype(np.uint8), **quick).dtype == np.float32
    assert dasvdd.fit((X * 10).astype(int), **quick).dtype == np.float64
    assert dasvdd.fit(X.tolist(), **quick).dtype == np.float64


def test_bad_options_are_refused_in_a_sentence(X):
    for options, sentence in [
        (dict(batch_size="many"), "batch_size is 'many', expected a whole number"),
        (dict(batch_size=2.5), "batch_size is 2.5, expected a whole number"),
        (dict(batch_size=0), "the batch size is 0"),
        (dict(kappa=2), "kappa is 2"),
        (dict(seed=-1), "seed is -1"),
        (dict(score="best"), "score is 'best', expected one of published"),
        (dict(center=3), "center is 3"),
        (dict(gamma="x"), "gamma is 'x', expected a number"),
        (dict(standardize=1), "standardize is 1, expected True or False"),
        (dict(precision="half"), "half"),
        (dict(dtype="int32"), "dtype is"),
        (dict(on_interrupt="wait"), "on_interrupt is"),
        (dict(contamination=0.7), "contamination is 0.7"),
    ]:
        with pytest.raises(ValueError, match=sentence):
            dasvdd.fit(X, **options)
    with pytest.raises(TypeError):
        dasvdd.fit(X, epoch=3)
    with pytest.raises(TypeError, match="progress is 7"):
        dasvdd.fit(X, progress=7)
    with pytest.raises(ValueError, match="NaN in row 1, column 0"):
        dasvdd.fit([[1.0], [np.nan], [2.0]])


def test_numpys_numbers_are_numbers(X):
    options = dict(steps=np.int64(10), ensemble_size=np.int32(1), learning_rate=np.float32(0.5) / 500)
    assert dasvdd.fit(X, **options).ensemble_size == 1


def test_images(X):
    images = np.random.default_rng(3).random((60, 16), dtype=np.float32)
    fitted = dasvdd.fit_images(images, epochs=1, ensemble_size=2)
    assert fitted.ensemble_size == 2 and fitted.features == 16
    wide = dasvdd.fit_images(images, epochs=1, ensemble_size=1, shape=(1, 2, 8), kind="photographs")
    assert wide.score(images).shape == (60,)
    with pytest.raises(ValueError, match="shape is .*expected channels, height and width"):
        dasvdd.fit_images(images, shape=(4, 4))
    with pytest.raises(ValueError, match="have 15 numbers, the rows have 16"):
        dasvdd.fit_images(images, shape=(1, 3, 5))


def test_progress_is_told_in_order_and_by_the_calling_thread(X):
    seen = []
    dasvdd.fit(X, steps=30, ensemble_size=2, progress=lambda p: seen.append((p.done, p.total, threading.get_ident())))
    assert [done for done, _, _ in seen] == list(range(1, len(seen) + 1))
    assert {total for _, total, _ in seen} == {len(seen)}
    assert {thread for _, _, thread in seen} == {threading.get_ident()}


def test_progress_may_stop_the_fit(X):
    calls = []

    def stop(report):
        calls.append(report)
        return len(calls) < 3

    fitted = dasvdd.fit(X, steps=100000, ensemble_size=2, threads=1, progress=stop)
    assert len(calls) == 3 and fitted.ensemble_size == 1
    assert calls[0].epoch.epoch == 1 and calls[0].ensemble_size == 2


def test_what_progress_raises_comes_out(X):
    def fail(report):
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        dasvdd.fit(X, steps=100000, progress=fail)


def test_a_bar_is_shown_where_it_is_asked_for(X, capfd):
    dasvdd.fit(X, steps=20, ensemble_size=1, progress=True)
    assert "loss" in capfd.readouterr().err
    dasvdd.fit(X, steps=20, ensemble_size=1)
    out = capfd.readouterr()
    assert out.err == "" and out.out == ""


def test_without_tqdm_the_bar_is_a_line(X, capfd, monkeypatch):
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)
    dasvdd.fit(X, steps=20, ensemble_size=1, progress=True)
    assert "epochs, loss" in capfd.readouterr().err


@pytest.fixture
def interrupt():
    """A progress function: Ctrl-C comes, from another thread, once it has been called."""
    # A program that was started in the background ignores the signal.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    faulthandler.dump_traceback_later(300, exit=True)  # a Ctrl-C that nobody sees would leave the fit running
    begun = threading.Event()

    def send():
        begun.wait()
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=send, daemon=True).start()
    yield lambda report: begun.set()
    faulthandler.cancel_dump_traceback_later()
    signal.signal(signal.SIGINT, before)


def test_ctrl_c_raises(X, interrupt):
    with pytest.raises(KeyboardInterrupt):
        dasvdd.fit(X, steps=10**9, progress=interrupt)


def test_ctrl_c_may_keep_the_detector_so_far(X, interrupt):
    fitted = dasvdd.fit(X, steps=10**9, progress=interrupt, on_interrupt="keep")
    assert fitted.score(X).shape == (300,)


def test_ctrl_c_in_a_trainer_leaves_its_net(X, interrupt):
    trainer = dasvdd.Trainer(dasvdd.dense_autoencoder(8, [4, 2]), epochs=10**8)
    with pytest.raises(KeyboardInterrupt):
        trainer.fit(X, progress=interrupt)
    assert trainer.detector().score(X).shape == (300,)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits of memory and of stacks are Linux's here")
def test_without_a_thread_to_be_had_the_calling_one_works():
    import resource

    stack = 1 << 36  # of each thread: more than the process may have
    hard = resource.getrlimit(resource.RLIMIT_STACK)[1]
    if hard != resource.RLIM_INFINITY and hard < stack:
        pytest.skip("stacks are limited")
    program = """
import resource, threading, dasvdd, numpy
X = numpy.random.default_rng(0).standard_normal((300, 8)).astype("float32")
resource.setrlimit(resource.RLIMIT_AS, (1 << 34, 1 << 34))
try:
    threading.Thread(target=print).start()
except RuntimeError:
    print("no thread")
seen = set()
dasvdd.fit(X, steps=30, ensemble_size=2, threads=2, progress=lambda p: seen.add(threading.get_ident()))
print(seen == {threading.get_ident()})
def fail(report):
    raise KeyError("mine")
try:
    dasvdd.fit(X, steps=30, ensemble_size=2, progress=fail)
except KeyError:
    print("mine")
"""
    out = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_STACK, (stack, hard)),
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert out.stdout == "no thread\nTrue\nmine\n", out.stderr


def test_other_threads_go_on_while_a_fit_works(X):
    ticks = []
    done = threading.Event()

    def tick():
        while not done.is_set():
            ticks.append(time.monotonic())
            time.sleep(0.001)

    ticker = threading.Thread(target=tick)
    ticker.start()
    start = time.monotonic()
    dasvdd.fit(rows(2000, 30), steps=600, ensemble_size=2)
    end = time.monotonic()
    done.set()
    ticker.join()
    assert sum(start < t < end for t in ticks) >= 3


def test_kernels_are_chosen_by_the_environment(tmp_path, detector, X):
    detector.save(tmp_path / "model")
    np.save(tmp_path / "rows.npy", X)
    program = (
        "import dasvdd, numpy, sys; d = dasvdd.load('model'); "
        "numpy.save('scores.npy', d.score(numpy.load('rows.npy'))); print(d.kernels, dasvdd.kernels())"
    )

    def run(kernels):
        return subprocess.run(
            [sys.executable, "-c", program],
            cwd=tmp_path,
            env={**os.environ, "DASVDD_KERNELS": kernels},
            capture_output=True,
            text=True,
        )

    assert run("portable").stdout.split() == ["portable", "portable"]
    assert np.allclose(np.load(tmp_path / "scores.npy"), detector.score(X), rtol=1e-4)
    refused = run("abacus")
    assert refused.returncode != 0 and 'DASVDD_KERNELS is "abacus"' in refused.stderr
