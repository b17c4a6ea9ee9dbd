"""`DASVDD`, the detector as a scikit-learn estimator."""

from __future__ import annotations

import numbers

import numpy as np

from ._fit import fit

try:
    from sklearn.base import BaseEstimator, OutlierMixin
    from sklearn.utils.validation import check_is_fitted, validate_data
except ImportError:
    from ._without_sklearn import BaseEstimator, OutlierMixin, check_is_fitted, validate_data


usual_false_alarms = 0.01  # of dasvdd.fit()
most_contamination = 0.49  # dasvdd.fit() takes less than one half


class DASVDD(OutlierMixin, BaseEstimator):
    """One-class detector of anomalies that follows scikit-learn.

    fit() trains on normal rows, as dasvdd.fit() does. Here, as in scikit-learn, larger values of score_samples() and
    decision_function() are more *normal*, and predict() gives -1 for an anomaly. scikit-learn need not be installed.

    Parameters
    ----------
    ensemble_size : int
        Nets in the ensemble.
    steps : int
        Mini-batches each net trains for.
    contamination : float or "auto"
        "auto": all training rows are normal, and about one in a hundred new normal rows is called an anomaly (see
        `false_alarm_rate`). A number, as in scikit-learn: that share of the training rows is called anomalies; rows
        that look odd are left out of the training.
    false_alarm_rate : float
        With "auto": the share of new normal rows that may be called anomalies. Too few rows for the rate are
        told by a warning of detector_.
    batch_size : int
    learning_rate : float
    gamma : float, str or GammaRule, optional
    standardize : bool
    score_form : str
        As in dasvdd.fit(), where score_form is called score.
    dtype : {"float32", "float64"}, optional
        What the nets compute in; None: X's own type.
    n_jobs : int, optional
        Threads; None or -1: all cores, shared with other fits that run at the time.
    random_state : int, RandomState instance or None
        The seed. None is 0: fits are repeatable.
    verbose : bool
        Shows a bar while training.

    Attributes
    ----------
    detector_ : Detector
        The fitted detector, with all it can do.
    offset_ : float
        decision_function(X) = score_samples(X) - offset_.
    n_features_in_ : int
    feature_names_in_ : ndarray of str
        Where X had names of type str; detector_ has them, too.
    """

    def __init__(
        self,
        *,
        ensemble_size=9,
        steps=3000,
        contamination="auto",
        false_alarm_rate=0.01,
        batch_size=32,
        learning_rate=1.5e-3,
        gamma=None,
        score_form="several_centers",
        standardize=True,
        dtype=None,
        n_jobs=None,
        random_state=None,
        verbose=False,
    ):
        self.ensemble_size = ensemble_size
        self.steps = steps
        self.contamination = contamination
        self.false_alarm_rate = false_alarm_rate
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.gamma = gamma
        self.score_form = score_form
        self.standardize = standardize
        self.dtype = dtype
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose

    def fit(self, X, y=None):
        """Trains on the rows of X.

        Parameters
        ----------
        X : array_like of shape (n, d)
        y : ignored
        """
        X = validate_data(self, X, dtype=[np.float64, np.float32], ensure_min_samples=2)
        share = self._share_of_anomalies()
        detector = fit(
            X,
            ensemble_size=self.ensemble_size,
            steps=self.steps,
            contamination=min(share, most_contamination),
            batch_size=self.batch_size,
            learning_rate=self.learning_rate,
            gamma=self.gamma,
            score=self.score_form,
            standardize=self.standardize,
            dtype=self.dtype,
            threads=_threads(self.n_jobs),
            seed=_seed(self.random_state),
            progress=bool(self.verbose),
            feature_names=getattr(self, "feature_names_in_", []),
        )
        if share > 0:
            detector = detector.with_threshold(_threshold_of(detector.score(X), share))
        elif self.false_alarm_rate != usual_false_alarms:
            detector = detector.with_threshold(detector.calibration.threshold(self.false_alarm_rate))
        self.detector_ = detector
        self.offset_ = -detector.threshold
        return self

    def _share_of_anomalies(self):
        """`contamination` as a number, 0 for "auto"."""
        if isinstance(self.contamination, str) and self.contamination == "auto":
            return 0.0
        if not isinstance(self.contamination, numbers.Real) or not 0 < self.contamination <= 0.5:
            raise ValueError(f'contamination is {self.contamination!r}, expected "auto" or a number above 0, at most 0.5')
        return float(self.contamination)

    def score_samples(self, X):
        """Minus the detector's score of each row: larger is more normal. Shape (n,)."""
        check_is_fitted(self)
        X = validate_data(self, X, dtype=[np.float64, np.float32], reset=False)
        return -self.detector_.score(X, threads=_threads(self.n_jobs))

    def decision_function(self, X):
        """score_samples(X) - offset_: negative for an anomaly. Shape (n,)."""
        # In double: a score just above the threshold must not be rounded onto it.
        return self.score_samples(X).astype(np.float64) - self.offset_

    def predict(self, X):
        """-1 for an anomaly, +1 for a normal row. Shape (n,)."""
        return np.where(self.decision_function(X) < 0, -1, 1)

    def p_value(self, X):
        """The probability that a normal row scores at least as anomalous as each row of X. Shape (n,)."""
        return self.detector_.p_value(-self.score_samples(X))

    def __sklearn_is_fitted__(self):
        return hasattr(self, "detector_")


def _threads(n_jobs):
    return 0 if n_jobs is None or n_jobs < 0 else n_jobs


def _seed(random_state):
    if random_state is None:
        return 0
    if isinstance(random_state, (int, np.integer)):
        return int(random_state)
    return int(random_state.randint(np.iinfo(np.int32).max))


def _threshold_of(scores, share):
    """The score that the share of `scores` is above."""
    ordered = np.sort(scores.astype(np.float64))
    above = min(len(ordered) - 1, round(share * len(ordered)))
    return float(ordered[len(ordered) - 1 - above])
