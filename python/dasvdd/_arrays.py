"""What may be given as rows, and what becomes of it: the one place where numbers are converted."""

import numpy as np


def as_rows(X, what, dtype):
    """Rows as a C-contiguous array of `dtype`: a copy, unless X is one already.

    Parameters
    ----------
    X : array_like of shape (n, d)
        Numbers: an array of any type and layout, nested lists, a data frame, a tensor on the CPU.
    what : str
        What an error calls X: "the batch".
    dtype : str
        "float32" or "float64".

    Raises
    ------
    ValueError
        Where X has not two dimensions, or holds something else than real numbers.
    TypeError
        Where X is sparse.
    """
    return np.ascontiguousarray(_two_dimensional(X, what), dtype=dtype)


def as_vector(x, what, dtype):
    """d numbers, an array_like of shape (d,), as a C-contiguous array of `dtype`."""
    x = _numbers(x, what)
    if x.ndim != 1:
        raise ValueError(f"{what} has {_dimensions(x.ndim)}, expected one: d numbers")
    return np.ascontiguousarray(x, dtype=dtype)


def natural_dtype(X):
    """The type a model is fitted in unless told otherwise: NumPy's own promotion with float32.

    float32 and small integers (uint8, int16, bool) give "float32"; float64, larger integers and anything else "float64".
    """
    dtype = getattr(X, "dtype", None)
    if not isinstance(dtype, np.dtype):
        dtype = _numbers(X, "the batch").dtype
    return "float32" if np.result_type(dtype, np.float32) == np.float32 else "float64"


def _two_dimensional(X, what):
    X = _numbers(X, what)
    if X.ndim == 1:
        # The sentence that scikit-learn's users know stands at the end.
        raise ValueError(
            f"{what} has one dimension of {X.shape[0]} numbers, expected two: n x d, one sample a row. "
            "Reshape your data: X.reshape(1, -1) is one row"
        )
    if X.ndim != 2:
        raise ValueError(f"{what} has {_dimensions(X.ndim)}, expected two: n x d, one sample a row. Reshape your data")
    return X


def _dimensions(count):
    return "no dimension" if count == 0 else "one dimension" if count == 1 else f"{count} dimensions"


def _numbers(X, what):
    if hasattr(X, "toarray"):
        raise TypeError(f"{what} is sparse, expected a dense array; X.toarray() makes one")
    array = np.asarray(X)
    if array.dtype.kind == "O":  # a data frame of several types, say
        array = np.asarray(X, dtype=np.float64)
    if array.dtype.kind == "c":
        raise ValueError(f"{what} holds complex numbers, expected real ones. Complex data not supported")
    if array.dtype.kind not in "fiub":
        raise ValueError(f"{what} holds {array.dtype}, expected numbers")
    return array
