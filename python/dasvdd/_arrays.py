"""What may be given as rows, and what becomes of it: the one place where numbers are converted and columns named."""

import numpy as np


def as_rows(X, what, dtype, names=()):
    """Rows as a C-contiguous array of `dtype`: a copy, unless X is one already.

    Parameters
    ----------
    X : array_like of shape (n, d)
        Numbers: an array of any type and layout, nested lists, a data frame, a tensor on the CPU.
    what : str
        What an error calls X: "the batch".
    dtype : str
        "float32" or "float64".
    names : list of str
        In whose order the columns of a table that has names come back. Empty: in their own.

    Raises
    ------
    ValueError
        Where X has not two dimensions, holds something else than real numbers, or has other columns than `names`.
    TypeError
        Where X is sparse.
    """
    order = _order(_columns(X), names, what)
    X = _two_dimensional(X, what)
    return np.ascontiguousarray(X if order is None else X[:, order], dtype=dtype)


def as_vector(x, what, dtype, names=()):
    """d numbers, an array_like of shape (d,), as a C-contiguous array of `dtype`; with `names` as in as_rows()."""
    order = _order(_labels(x), names, what)
    x = _numbers(x, what)
    if x.ndim != 1:
        raise ValueError(f"{what} has {_dimensions(x.ndim)}, expected one: d numbers")
    return np.ascontiguousarray(x if order is None else x[order], dtype=dtype)


def natural_dtype(X):
    """The type a model is fitted in unless told otherwise: NumPy's own promotion with float32.

    float32 and small integers (uint8, int16, bool) give "float32"; float64, larger integers and anything else "float64".
    """
    dtype = getattr(X, "dtype", None)
    if not isinstance(dtype, np.dtype):
        dtype = _numbers(X, "the batch").dtype
    return "float32" if np.result_type(dtype, np.float32) == np.float32 else "float64"


def names_of(X):
    """The names of a table's columns as a list; None where X has none, or where they are not all of type str."""
    columns = _columns(X)
    return columns if columns and all(isinstance(name, str) for name in columns) else None


def training_names(X, given):
    """The features' names for a training on X: those that were given, or else a table's own; [] for none.

    Raises
    ------
    ValueError
        Where the given ones are no list of different names or not the table's, or two of its columns have one name.
    """
    if given is not None:
        names = given_names(given)
        _order(_columns(X), names, "the training set")  # before a column of words is taken for numbers
        return names
    names = names_of(X) or []
    _places(names, "the training set")
    return _in_unicode(names)


def given_names(given):
    """A user's feature_names as a list; a set has no order, and a string is no list of its letters."""
    if isinstance(given, (str, bytes, dict)) or not (hasattr(given, "__getitem__") and hasattr(given, "__iter__")):
        raise ValueError(f"feature_names is {given!r}, expected a list of names")
    names = list(given)
    for j, name in enumerate(names):
        if not isinstance(name, str):
            raise ValueError(f"feature_names[{j}] is {name!r}, expected a name")
    if len(set(names)) < len(names):
        doubled = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"two features are named {doubled!r}")
    return _in_unicode(names)


def _in_unicode(names):
    """The same names, of which none has half a character, which no file can hold."""
    for j, name in enumerate(names):
        if any("\ud800" <= letter <= "\udfff" for letter in name):
            raise ValueError(f"feature {j} is named {name!r}, expected a name in Unicode")
    return [str(name) for name in names]


def _columns(X):
    """What a table of pandas', Polars' or Arrow's calls its columns; None for rows that are no such table."""
    # `columns` of an Arrow table are the numbers themselves. Of the class: a data frame may have a column of that name.
    return _list(X.column_names if hasattr(type(X), "column_names") else getattr(X, "columns", None))


def _labels(x):
    """The same of one row, a Series of pandas'; `index` of a list is a method."""
    return _list(getattr(x, "index", None))


def _list(names):
    return list(names) if hasattr(names, "__iter__") else None


def _order(columns, names, what):
    """Where each of `names` stands among a table's columns; None where columns go by position."""
    if not names or columns is None or not any(isinstance(column, str) for column in columns):
        return None
    places = _places(columns, what)
    known = set(names)
    missing = [name for name in names if name not in places]
    unknown = [column for column in columns if column not in known]
    if missing:
        but = f", but has {_listing(unknown)}" if unknown else ""
        raise ValueError(f"{what} has no column {_listing(missing)}, which feature_names has{but}")
    if unknown:
        raise ValueError(f"{what} has the column {_listing(unknown)}, which feature_names doesn't have; leave it out")
    order = [places[name] for name in names]
    return None if order == list(range(len(order))) else order


def _places(columns, what):
    """{column: its number}."""
    places = {}
    for j, column in enumerate(columns):
        first = places.setdefault(column, j)
        if first != j:
            raise ValueError(f"{what} has two columns named {column!r}, {first} and {j} (from 0)")
    return places


def _listing(names):
    """'a', 'b' and 'c', the first few of them."""
    shown = [repr(name) for name in names[:5]]
    if len(names) > 5:
        return f"{', '.join(shown)} and {len(names) - 5} more"
    return " and ".join(filter(None, [", ".join(shown[:-1]), shown[-1]]))


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
