"""Training one net step by step: for those who choose the net and its options themselves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from . import _core
from ._arrays import given_names, training_names
from ._progress import following

if TYPE_CHECKING:
    import os

    from numpy.typing import ArrayLike


class Trainer:
    """Trains a net with an objective. Changes as it works; detectors it gives do not.

        net = dasvdd.dense_autoencoder(8, [10, 4, 4])
        trainer = dasvdd.Trainer(net, epochs=300, standardize=True)
        report = trainer.fit(X)
        detector = trainer.detector()

    Parameters
    ----------
    net : Autoencoder
    objective : {"dasvdd", "reconstruction", "deep_svdd", "soft_boundary_deep_svdd"}
        The last two need a net without decoder and biases.
    nu, warm_up : float, int
        Of "soft_boundary_deep_svdd": about the share of training rows left outside the sphere, and the epochs before
        its radius is set for the first time.
    dtype : {"float32", "float64"}
        What the net computes in.
    epochs : int
        Passes over the rows.
    batch_size, kappa : int, float
        Rows of a mini-batch, and the share of them that the network step takes; the center step takes the rest.
    gamma : float, str or GammaRule, optional
        The weight of the latent term; None: "ratio_of_means", the published code's rule.
    center : {"adagrad", "batch_mean", "fixed"}
        How the center moves, with `center_learning_rate` and `center_decay` for Adagrad.
    learning_rate, beta1, beta2, epsilon, weight_decay : float
        Adam's. The rate falls in a straight line to the share `final_rate` of itself.
    standardize, contrast_floor, soften : bool, float, (channels, height, width)
        How rows enter the net; at most one of the three. See docs/method.md, "Scaling".
    score : {"published", "balanced", "latent_whitened", "whitened", "several_centers"}
        The score that the trained net is given.
    validation, patience : float, int
        The share of rows kept out of the training to watch it by, and the epochs without a lower loss after which it
        stops; 0: none, never.
    shuffle : bool
        False feeds the rows in their own order.
    training_quantile : float
        The threshold of a fresh detector: this quantile of the training rows' scores.
    precision : {"own", "mixed", "amx", "avx512_bf16"}
        "mixed" trains big float32 nets on bfloat16 where the CPU is fast at it.
    missing : {"refuse", "mask"}
        What becomes of NaN: an error, or a value without a part in the loss and in the score.
    feature_names : list of str, optional
        One name an input, kept with detectors and used in warnings. None: the columns of the data frame that fit() is
        given, where all of them are of type str; an empty list: no names. Later data frames' columns are found by them.
    seed, threads : int
        `seed` covers everything drawn; `threads` never changes the result, 0 means what OpenMP would use.

    Raises
    ------
    ValueError
        For an option out of range, or a net that doesn't suit the objective.
    """

    def __init__(
        self,
        net: _core.Autoencoder,
        objective: str = "dasvdd",
        *,
        nu: float = 0.1,
        warm_up: int = 10,
        dtype: str = "float32",
        seed: int = 0,
        threads: int = 0,
        epochs: int = 300,
        batch_size: int = 200,
        kappa: float = 0.9,
        gamma: float | str | _core.GammaRule | None = None,
        center: str = "adagrad",
        center_learning_rate: float = 1.0,
        center_decay: float = 0.01,
        learning_rate: float = 1e-3,
        final_rate: float = 1.0,
        beta1: float = 0.9,
        beta2: float = 0.999,
        epsilon: float = 1e-8,
        weight_decay: float = 0.0,
        standardize: bool = False,
        missing: str = "refuse",
        contrast_floor: float = 0.0,
        soften: tuple[int, int, int] | None = None,
        score: str = "published",
        validation: float = 0.0,
        patience: int = 0,
        shuffle: bool = True,
        training_quantile: float = 0.99,
        precision: str = "own",
        feature_names: Sequence[str] | None = None,
    ) -> None:
        dtype = np.dtype(dtype).name
        if dtype not in ("float32", "float64"):
            raise ValueError(f"dtype is {dtype}, expected float32 or float64")
        options = dict(
            seed=seed,
            threads=threads,
            epochs=epochs,
            batch_size=batch_size,
            kappa=kappa,
            gamma=gamma,
            center=center,
            center_learning_rate=center_learning_rate,
            center_decay=center_decay,
            learning_rate=learning_rate,
            final_rate=final_rate,
            beta1=beta1,
            beta2=beta2,
            epsilon=epsilon,
            weight_decay=weight_decay,
            standardize=standardize,
            missing=missing,
            contrast_floor=contrast_floor,
            soften=soften,
            score=score,
            validation=validation,
            patience=patience,
            shuffle=shuffle,
            training_quantile=training_quantile,
            precision=precision,
            feature_names=None if feature_names is None else given_names(feature_names),
        )
        self._made_from = (net, dtype, objective, nu, warm_up, options)
        self._trainer = _core.make_trainer(*self._made_from)

    @property
    def net(self) -> _core.Autoencoder:
        """The net that is trained."""
        return self._made_from[0]

    @property
    def dtype(self) -> np.dtype:
        """float32 or float64."""
        return np.dtype(self._trainer.dtype)

    def fit(
        self,
        X: ArrayLike,
        *,
        progress: bool | Callable[[_core.EpochReport], bool | None] | None = None,
        on_interrupt: str = "raise",
    ) -> _core.FitReport:
        """Trains from a fresh start.

        Parameters
        ----------
        X : array_like of shape (n, d)
            Normal rows, n at least 2, every number finite.
        progress : bool or callable, optional
            True shows a bar. A callable is called with an EpochReport after each epoch; False from it stops.
        on_interrupt : {"raise", "keep"}
            What Ctrl-C does at the end of the running epoch: raise KeyboardInterrupt, or stop there. In both cases
            detector() then gives the net as it stands.
        """
        names = training_names(X, self._made_from[-1]["feature_names"])
        with following(progress) as callback:
            return self._trainer.fit(X, names, callback, on_interrupt)

    def partial_fit(
        self,
        X: ArrayLike,
        epochs: int = 1,
        *,
        progress: bool | Callable[[_core.EpochReport], bool | None] | None = None,
        on_interrupt: str = "raise",
    ) -> _core.FitReport:
        """Continues the training on new rows, with the scaler, gamma and center there are."""
        with following(progress) as callback:
            return self._trainer.partial_fit(X, epochs, callback, on_interrupt)

    def step(self, X: ArrayLike) -> _core.EpochReport:
        """One mini-batch step on the rows of X in their order, for training loops of one's own."""
        return self._trainer.step(X)

    def detector(self, X: ArrayLike | None = None) -> _core.Detector:
        """The detector of the net as it stands; later training leaves it as it is.

        Its score form and threshold come from the last run's rows, or from X: after step(), load_checkpoint() and
        set_parameters() there are none but those.
        """
        return self._trainer.detector() if X is None else self._trainer.detector_for(X)

    def parameters(self) -> dict[str, np.ndarray]:
        """Copies of the net's tensors under their names in a model file: "encoder.0.weight" and so on."""
        return self._trainer.tensors()

    def set_parameters(self, tensors: dict[str, ArrayLike]) -> None:
        """Puts tensors in the places of those names; others stay. There is no detector() then until one is made of X."""
        self._trainer.set_tensors({name: np.asarray(tensor) for name, tensor in tensors.items()})

    def state(self) -> dict:
        """Everything that training remembers between two epochs, as arrays and numbers: a checkpoint."""
        return self._trainer.state()

    def set_state(self, state: dict) -> None:
        """Puts a state back; training then goes on to the same bits. Raises ValueError where it is another net's."""
        self._trainer.set_state(_plain(state))

    def save_checkpoint(self, path: str | os.PathLike) -> None:
        """Writes state() to a file, in NumPy's .npz format. The file has this name, whatever its ending."""
        with open(path, "wb") as file:
            np.savez(file, **self.state())

    def load_checkpoint(self, path: str | os.PathLike) -> None:
        """Reads what save_checkpoint() of a trainer with the same net wrote."""
        with np.load(path, allow_pickle=False) as file:
            self.set_state(dict(file))

    def __getstate__(self):
        return self._made_from, self.state()

    def __setstate__(self, state):
        self._made_from, remembered = state
        self._trainer = _core.make_trainer(*self._made_from)
        self._trainer.set_state(remembered)


def _plain(state):
    """A state as the compiled part takes it: numbers of .npz files are arrays, of no dimension or of one."""
    arrays = ("parameters", "first_moments", "second_moments", "statistics", "center", "center_squared_sum", "order")
    return {
        key: value if key in arrays or not isinstance(value, np.ndarray) else value.tolist()
        for key, value in state.items()
    }
