"""What DASVDD needs of scikit-learn, for machines where it is not installed."""

import inspect

import numpy as np

from . import _arrays


class BaseEstimator:
    """Parameters are those of __init__, as in scikit-learn."""

    @classmethod
    def _names(cls):
        return sorted(name for name in inspect.signature(cls.__init__).parameters if name != "self")

    def get_params(self, deep=True):
        """The parameters by name."""
        return {name: getattr(self, name) for name in self._names()}

    def set_params(self, **params):
        """Changes parameters; ValueError for a name that is none."""
        for name, value in params.items():
            if name not in self._names():
                raise ValueError(f"Invalid parameter {name!r} for estimator {self!r}. Valid parameters are: {self._names()}.")
            setattr(self, name, value)
        return self

    def __repr__(self):
        defaults = inspect.signature(type(self).__init__).parameters
        changed = (f"{k}={v!r}" for k, v in self.get_params().items() if v is not defaults[k].default)
        return f"{type(self).__name__}({', '.join(changed)})"


class OutlierMixin:
    """fit_predict()."""

    def fit_predict(self, X, y=None, **kwargs):
        """Fits, and labels the same rows: -1 for an anomaly, +1 for a normal row."""
        return self.fit(X).predict(X)


class NotFittedError(ValueError, AttributeError):
    """As scikit-learn's."""


def check_is_fitted(estimator):
    """Raises NotFittedError before fit()."""
    if not estimator.__sklearn_is_fitted__():
        raise NotFittedError(f"This {type(estimator).__name__} instance is not fitted yet; call fit() first")


def validate_data(estimator, X, dtype=None, reset=True, ensure_min_samples=1):
    """Rows as an array, their number of features and names compared with, or kept for, later calls."""
    names = _arrays.names_of(X)
    rows = _arrays.as_rows(X, "X", _arrays.natural_dtype(X))
    if len(rows) < ensure_min_samples:
        raise ValueError(f"X has {len(rows)} rows, expected at least {ensure_min_samples}")
    if reset:
        estimator.n_features_in_ = rows.shape[1]
        if names is not None:
            estimator.feature_names_in_ = np.asarray(names, dtype=object)
        elif hasattr(estimator, "feature_names_in_"):
            del estimator.feature_names_in_
        return rows
    known = getattr(estimator, "feature_names_in_", None)
    if known is not None and names is not None and list(known) != names:
        raise ValueError("The feature names should match those that were passed during fit.")
    if rows.shape[1] != estimator.n_features_in_:
        raise ValueError(
            f"X has {rows.shape[1]} features, but {type(estimator).__name__} is expecting "
            f"{estimator.n_features_in_} features as input."
        )
    return rows
