"""What all tests share: rows with structure, and a detector of them."""

import inspect
import os

import numpy as np
import pytest

import dasvdd
from dasvdd import _core


def rows(n, d=8, seed=0, dtype=np.float32):
    """n rows of d numbers that lie near a plane of two dimensions."""
    random = np.random.default_rng(seed)
    plane = np.random.default_rng(99).standard_normal((2, d))
    return (random.standard_normal((n, 2)) @ plane + 0.1 * random.standard_normal((n, d)) + 3).astype(dtype)


def assert_defaults_are_the_librarys(estimator, others):
    """An estimator's parameters but for `others` are options of fit(), with the same defaults."""
    parameters = inspect.signature(dasvdd.fit).parameters
    defaults = {word: parameter.default for word, parameter in parameters.items()} | _core._fit_numbers()
    own = {word: value for word, value in estimator.get_params().items() if word not in others}
    own["score"] = own.pop("score_form")
    assert own == {word: defaults[word] for word in own}


@pytest.fixture(scope="session")
def X():
    return rows(300)


@pytest.fixture(scope="session")
def detector(X):
    return dasvdd.fit(X, steps=60, ensemble_size=3)


@pytest.fixture(scope="session")
def double_detector(X):
    return dasvdd.fit(X.astype(np.float64), steps=60, ensemble_size=2)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """Where DASVDD_NO_SKIPS is set a test that can't run has failed."""
    outcome = yield
    report = outcome.get_result()
    if report.skipped and os.environ.get("DASVDD_NO_SKIPS") and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
