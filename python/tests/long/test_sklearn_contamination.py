"""scikit-learn's own checks with a number for contamination: all pass."""

import pytest

import dasvdd

pytest.importorskip("sklearn")

from sklearn.utils.estimator_checks import parametrize_with_checks


@parametrize_with_checks([dasvdd.DASVDD(steps=5, ensemble_size=1, n_jobs=1, contamination=0.1)])
def test_scikit_learns_own_checks(estimator, check):
    if "check_array_api_input" in str(check):
        pytest.xfail("arrays of other libraries are converted by NumPy; the array API is not supported")
    check(estimator)
