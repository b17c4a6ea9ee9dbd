"""From rows to a detector in one line."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from . import _core
from ._arrays import natural_dtype, training_names
from ._progress import following

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


def fit(
    X: ArrayLike,
    *,
    seed: int = 0,
    threads: int = 0,
    ensemble_size: int = 9,
    steps: int = 3000,
    epochs: int = 0,
    contamination: float = 0.0,
    batch_size: int = 32,
    kappa: float = 0.9,
    gamma: float | str | _core.GammaRule | None = None,
    center: str = "adagrad",
    center_learning_rate: float = 1.0,
    center_decay: float = 0.01,
    learning_rate: float = 1.5e-3,
    beta1: float = 0.9,
    beta2: float = 0.999,
    epsilon: float = 1e-8,
    weight_decay: float = 0.0,
    standardize: bool = True,
    missing: str = "refuse",
    score: str = "several_centers",
    precision: str = "own",
    dtype: str | None = None,
    feature_names: Sequence[str] | None = None,
    progress: bool | Callable[[_core.FitProgress], bool | None] | None = None,
    on_interrupt: str = "raise",
) -> _core.Detector:
    """Fits a detector to a table of normal rows.

    Features are standardized. An ensemble of autoencoders is trained, each on four fifths of the rows and for a number
    of steps that does not depend on n. Rows are scored by whitened residuals and the distance of the decoded code from
    the nearest of several centers. The same seed gives the same bits on any number of threads.

    Parameters
    ----------
    X : array_like of shape (n, d)
        n at least 2, every number finite, or NaN where `missing` allows it. Constant features are allowed.
    seed : int
        Covers everything drawn.
    threads : int
        0: what OpenMP would use, shared with other fits that run at the time. Never changes the result.
    ensemble_size : int
        Nets in the ensemble; 1 for the smallest model.
    steps : int
        Mini-batches each net trains for, rounded up to whole epochs.
    epochs : int
        Passes over the rows instead of `steps`, where it is not 0.
    contamination : float
        The share of training rows that may be anomalies, below one half, for those who can't promise normal rows.
        About that share of new rows like these then scores above the threshold.
    batch_size, kappa : int, float
        Rows of a mini-batch, and the share of them that the network step takes; the center step takes the rest.
    gamma : float, str or GammaRule, optional
        The weight of the latent term in training; None: a tenth of the published rule's, from two nets.
        "ratio_of_means" is the published code's rule, "mean_of_ratios" the paper's.
    center : {"adagrad", "batch_mean", "fixed"}
        How the center moves, with `center_learning_rate` and `center_decay` for Adagrad.
    learning_rate, beta1, beta2, epsilon, weight_decay : float
        Adam's.
    standardize : bool
        Subtract each feature's mean and divide by its deviation.
    missing : {"refuse", "mask", "impute"}
        What becomes of NaN: an error, a value without a part in the score, or the mean beside one more input that says
        so. The detector scores rows with NaN then, too.
    score : {"several_centers", "whitened", "latent_whitened", "balanced", "published"}
        The score that a trained net is given.
    precision : {"own", "mixed", "amx", "avx512_bf16"}
        "mixed" trains big float32 nets on bfloat16 where the CPU is fast at it.
    dtype : {"float32", "float64"}, optional
        What the nets compute in. None: NumPy's promotion of X's type with float32, so float32 and small integers give
        float32, and float64 gives float64, which takes twice the time.
    feature_names : list of str, optional
        One name a column, kept with the detector and used in its warnings. None: the columns of a data frame where all
        of them are of type str; an empty list: no names. The columns of a data frame are found by given names, in any
        order.
    progress : bool or callable, optional
        True shows a bar (tqdm's where it is installed). A callable is called with a FitProgress after each epoch of
        each net; when it returns False the fit ends, and the detector is made of the nets that had begun.
    on_interrupt : {"raise", "keep"}
        What Ctrl-C does at the end of the running epoch: raise KeyboardInterrupt, or return the detector so far (a
        second Ctrl-C raises).

    Returns
    -------
    Detector
        With p-values from the rows that each net leaves out. Of new normal rows about one in a hundred scores above
        its threshold. `warnings` of it says what looked wrong.

    Raises
    ------
    ValueError
        For options out of range, names that don't fit, or rows that can't be trained on; nothing has been trained then.
    """
    options = dict(
        seed=seed,
        threads=threads,
        ensemble_size=ensemble_size,
        steps=steps,
        epochs=epochs,
        contamination=contamination,
        batch_size=batch_size,
        kappa=kappa,
        gamma=gamma,
        center=center,
        center_learning_rate=center_learning_rate,
        center_decay=center_decay,
        learning_rate=learning_rate,
        beta1=beta1,
        beta2=beta2,
        epsilon=epsilon,
        weight_decay=weight_decay,
        standardize=standardize,
        missing=missing,
        score=score,
        precision=precision,
        feature_names=training_names(X, feature_names),
    )
    with following(progress) as callback:
        return _core.fit(X, _dtype_of(X, dtype), callback, on_interrupt, options)


def fit_images(
    X: ArrayLike,
    *,
    kind: str = "objects",
    shape: tuple[int, int, int] | None = None,
    seed: int = 0,
    threads: int = 0,
    ensemble_size: int = 3,
    epochs: int = 0,
    precision: str = "own",
    dtype: str | None = None,
    feature_names: Sequence[str] | None = None,
    progress: bool | Callable[[_core.FitProgress], bool | None] | None = None,
    on_interrupt: str = "raise",
) -> _core.Detector:
    """Fits a detector to normal images, with pixels from 0 to 1.

    Parameters
    ----------
    X : array_like of shape (n, d)
        One image a row: channel after channel, each row by row (PyTorch's NCHW bytes).
    kind : {"objects", "photographs"}
        "objects" are things on an empty, dark ground, such as digits or clothes.
    shape : (channels, height, width), optional
        None: a square in one channel, or else in three.
    ensemble_size : int
        Nets in the ensemble; 1 for the smallest model and the shortest fit.
    epochs : int
        Passes over the images, of each net; 0: what suits the kind.
    seed, threads, precision, dtype, feature_names, progress, on_interrupt
        As in fit().

    Returns
    -------
    Detector
        With p-values from the images that each net leaves out.

    Raises
    ------
    ValueError
        For options out of range, or images that can't be trained on.
    """
    options = dict(
        kind=kind,
        shape=shape,
        seed=seed,
        threads=threads,
        ensemble_size=ensemble_size,
        epochs=epochs,
        precision=precision,
        feature_names=training_names(X, feature_names),
    )
    with following(progress) as callback:
        return _core.fit_images(X, _dtype_of(X, dtype), callback, on_interrupt, options)


def fit_many(
    X: ArrayLike,
    keys: ArrayLike,
    *,
    seed: int = 0,
    threads: int = 0,
    steps: int = 0,
    least_rows: int = 20,
    feature_names: Sequence[str] | None = None,
    progress: bool | Callable[[_core.FitProgress], bool | None] | None = None,
    on_interrupt: str = "raise",
) -> _core.Bank:
    """Fits one small detector to each group of normal rows.

    For thousands of metrics, machines or customers with tens to thousands of rows of a few features each. A group's
    detector is one net with its center and the score of several centers, trained in milliseconds; it has the same bits
    whatever other groups there are, and on any number of threads. A group that can't be fitted (constant, too short,
    with NaN or infinity) costs its own sentence in the bank's `refused`, not the run.

    Parameters
    ----------
    X : array_like of shape (n, d)
        d at most 32.
    keys : array_like of shape (n,), or str
        The group of each row, in any order; str() of it counts. One string: all rows are one group.
    seed : int
        Each group's own seed is made of it and the group's key.
    threads : int
        0: what OpenMP would use, shared with other fits that run at the time. Never changes the result.
    steps : int
        Mini-batches of 32 rows that a net trains for; 0: what suits.
    least_rows : int
        Groups with fewer rows are refused.
    feature_names : list of str, optional
        As in fit(), kept with the bank.
    progress : bool or callable, optional
        True shows a bar (tqdm's where it is installed). A callable is called with a FitProgress after each group, whose
        `done` and `total` count groups; when it returns False the fit ends, and the groups that had not begun are
        among the refused.
    on_interrupt : {"raise", "keep"}
        What Ctrl-C does after the running groups: raise KeyboardInterrupt, or return the bank so far.

    Returns
    -------
    Bank

    Raises
    ------
    ValueError
        For options out of range, more than 32 features, or not one key a row.
    """
    names = training_names(X, feature_names)
    with following(progress) as callback:
        return _core.fit_many(X, keys, callback, on_interrupt, seed, threads, steps, least_rows, names)


def _dtype_of(X, dtype):
    return natural_dtype(X) if dtype is None else np.dtype(dtype).name
