"""The C interface from Python by ctypes alone: python3 from_python.py LIBRARY. Fails where something is not as said."""

import ctypes
import random
import sys

library = ctypes.CDLL(sys.argv[1])


class Error(ctypes.Structure):
    _fields_ = [("status", ctypes.c_int32), ("message", ctypes.c_char * 1020)]


class Rows(ctypes.Structure):
    _fields_ = [
        ("f32", ctypes.POINTER(ctypes.c_float)),
        ("f64", ctypes.POINTER(ctypes.c_double)),
        ("rows", ctypes.c_int64),
        ("columns", ctypes.c_int64),
        ("stride", ctypes.c_int64),
    ]


class Options(ctypes.Structure):
    _fields_ = [
        ("size", ctypes.c_uint32),
        ("version", ctypes.c_uint32),
        ("seed", ctypes.c_uint64),
        ("threads", ctypes.c_int32),
        ("bits", ctypes.c_int32),
        ("ensemble_size", ctypes.c_int64),
        ("steps", ctypes.c_int64),
        ("epochs", ctypes.c_int64),
        ("batch_size", ctypes.c_int64),
        ("standardize", ctypes.c_int32),
        ("score", ctypes.c_int32),
        ("contamination", ctypes.c_double),
        ("gamma", ctypes.c_double),
        ("kappa", ctypes.c_double),
        ("learning_rate", ctypes.c_double),
        ("weight_decay", ctypes.c_double),
        ("center_learning_rate", ctypes.c_double),
    ]


def call(name, *arguments):
    error = Error()
    if getattr(library, name)(*arguments, ctypes.byref(error)) != 0:
        raise ValueError(error.message.decode())


Progress = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p, ctypes.c_void_p)
library.dasvdd_threshold.restype = ctypes.c_double
library.dasvdd_features.restype = ctypes.c_int64

n, d = 100, 3
random.seed(1)
numbers = (ctypes.c_double * (n * d))()
for i in range(n):
    t = random.gauss(0, 1)
    for j in range(d):
        numbers[i * d + j] = t * (j + 1) + 0.1 * random.gauss(0, 1)
rows = Rows(f64=numbers, rows=n, columns=d)

options = Options()
library.dasvdd_fit_options_init(ctypes.byref(options), ctypes.c_size_t(ctypes.sizeof(options)))
assert options.version == 1 and options.size == ctypes.sizeof(options) and options.gamma == -1
options.ensemble_size, options.steps, options.bits = 2, 60, 32
calls = []
progress = Progress(lambda at, user: calls.append(at) or 0)
detector = ctypes.c_void_p()
call("dasvdd_fit", ctypes.byref(rows), ctypes.byref(options), progress, None, ctypes.byref(detector))
assert calls
assert library.dasvdd_features(detector) == d

scores = (ctypes.c_double * n)()
call("dasvdd_score", detector, ctypes.byref(rows), ctypes.c_int32(1), scores)
above = sum(s > library.dasvdd_threshold(detector) for s in scores)
assert above <= 10, above

numbers[5] = float("nan")
try:
    call("dasvdd_score", detector, ctypes.byref(rows), ctypes.c_int32(1), scores)
    raise AssertionError("NaN was taken")
except ValueError as error:
    assert "NaN in row 1, column 2" in str(error), error
library.dasvdd_detector_free(detector)
print("from Python: as said")
