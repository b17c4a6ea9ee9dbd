"""One-class anomaly detection by deep autoencoding support vector data description (DASVDD), on CPUs.

    import dasvdd
    detector = dasvdd.fit(X)          # n x d, normal rows
    detector.score(X_new)             # one score a row; larger is more anomalous
    detector.predict(X_new)           # 1 for an anomaly, 0 for a normal row

`dasvdd.DASVDD` is the same as a scikit-learn estimator, `dasvdd.pyod.DASVDD` as a PyOD detector.
"""

from ._core import (
    Autoencoder,
    Bank,
    Calibration,
    Confusion,
    Detector,
    DriftWatch,
    EpochReport,
    Explanation,
    FileError,
    FitProgress,
    FitReport,
    GammaRule,
    Layer,
    OnlineSelect,
    __version__,
    activation,
    autoencoder,
    available_kernels,
    average_precision,
    batch_norm,
    conv2d,
    conv_autoencoder,
    conv_transpose2d,
    dense,
    dense_autoencoder,
    ensemble,
    fpr_at_tpr,
    kernels,
    leaky_relu,
    load,
    max_pool2d,
    paper_preset,
    relu,
    roc_auc,
    sigmoid,
    tanh,
    upsample_nearest2d,
)
from ._fit import fit, fit_images, fit_many
from ._from_torch import from_torch
from ._sklearn import DASVDD
from ._trainer import Trainer

__all__ = [
    "DASVDD",
    "Autoencoder",
    "Bank",
    "Calibration",
    "Confusion",
    "Detector",
    "DriftWatch",
    "EpochReport",
    "Explanation",
    "FileError",
    "FitProgress",
    "FitReport",
    "GammaRule",
    "Layer",
    "OnlineSelect",
    "Trainer",
    "__version__",
    "activation",
    "autoencoder",
    "available_kernels",
    "average_precision",
    "batch_norm",
    "conv2d",
    "conv_autoencoder",
    "conv_transpose2d",
    "dense",
    "dense_autoencoder",
    "ensemble",
    "fit",
    "fit_images",
    "fit_many",
    "fpr_at_tpr",
    "from_torch",
    "kernels",
    "leaky_relu",
    "load",
    "max_pool2d",
    "paper_preset",
    "relu",
    "roc_auc",
    "sigmoid",
    "tanh",
    "upsample_nearest2d",
]
