"""`DASVDD` as a PyOD detector. Needs PyOD (pip install pyod)."""

from __future__ import annotations

import numpy as np
from pyod.models.base import BaseDetector
from sklearn.utils import check_array
from sklearn.utils.validation import check_is_fitted

from ._fit import fit
from ._sklearn import _seed, _threads, most_contamination

__all__ = ["DASVDD"]


class DASVDD(BaseDetector):
    """One-class detector of anomalies that follows PyOD: larger scores are more anomalous, label 1 is an anomaly.

    Parameters
    ----------
    contamination : float
        The share of training rows called anomalies: sets `threshold_`, as PyOD does for every detector.
    clean : bool
        True: the training rows are normal, all are trained on. False: as many of them as `contamination` says may be
        anomalies, and those that look odd are left out of the training. Costs detection where all are normal.
    ensemble_size, steps, batch_size, learning_rate, gamma, standardize, dtype, score_form
        As in dasvdd.fit(), where score_form is called score.
    n_jobs : int, optional
        Threads; None or -1: all cores.
    random_state : int, RandomState instance or None
        The seed. None is 0: fits are repeatable.
    verbose : bool
        Shows a bar while training.

    Attributes
    ----------
    decision_scores_ : ndarray of shape (n,)
        The training rows' scores.
    threshold_ : float
        The 1 - contamination quantile of decision_scores_.
    labels_ : ndarray of shape (n,)
        1 for training rows above the threshold.
    detector_ : dasvdd.Detector
        The fitted detector; its own threshold comes from rows that its nets left out.
    """

    def __init__(
        self,
        contamination=0.1,
        clean=True,
        ensemble_size=9,
        steps=3000,
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
        super().__init__(contamination=contamination)
        self.clean = clean
        self.ensemble_size = ensemble_size
        self.steps = steps
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
        """Trains on the rows of X, array_like of shape (n, d); y is ignored."""
        X = check_array(X, dtype=[np.float64, np.float32])
        self._set_n_classes(y)
        self.detector_ = fit(
            X,
            contamination=0.0 if self.clean else min(self.contamination, most_contamination),
            ensemble_size=self.ensemble_size,
            steps=self.steps,
            batch_size=self.batch_size,
            learning_rate=self.learning_rate,
            gamma=self.gamma,
            score=self.score_form,
            standardize=self.standardize,
            dtype=self.dtype,
            threads=_threads(self.n_jobs),
            seed=_seed(self.random_state),
            progress=bool(self.verbose),
        )
        self.decision_scores_ = self.decision_function(X)
        self._process_decision_scores()
        return self

    def decision_function(self, X):
        """The score of each row, shape (n,); larger is more anomalous."""
        check_is_fitted(self, ["detector_"])
        X = check_array(X, dtype=[np.float64, np.float32])
        return self.detector_.score(X, threads=_threads(self.n_jobs)).astype(np.float64)
