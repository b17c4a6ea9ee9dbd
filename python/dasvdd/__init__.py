"""One-class anomaly detection by deep autoencoding support vector data description (DASVDD), on CPUs.

    import dasvdd
    detector = dasvdd.fit(X)          # n x d, normal rows
    detector.score(X_new)             # one score a row; larger is more anomalous
    detector.predict(X_new)           # 1 for an anomaly, 0 for a normal row

`dasvdd.DASVDD` is the same as a scikit-learn estimator, `dasvdd.pyod.DASVDD` as a PyOD detector.
"""

from ._core import Detector, EpochReport, Explanation, FileError, FitProgress, GammaRule, __version__, ensemble, load
from ._fit import fit, fit_images

__all__ = [
    "Detector",
    "EpochReport",
    "Explanation",
    "FileError",
    "FitProgress",
    "GammaRule",
    "ensemble",
    "fit",
    "fit_images",
    "load",
]
