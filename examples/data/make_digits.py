#!/usr/bin/env python3
"""Makes the four files of 8x8 digits in this folder (Debian: python3-sklearn).

The set and its citation: README.md. Pixels 0..16 become round(pixel * 255 / 16); of the 1,797 images the
first 899 are the training half, the other 898 the test half. The files are IDX, gzip-compressed, named like
MNIST's, so one reader serves both. The same input gives the same bytes.
Run: python3 make_digits.py            (writes beside itself)
"""
import gzip
import pathlib
import struct

import numpy as np
from sklearn.datasets import load_digits

HERE = pathlib.Path(__file__).resolve().parent


def write_idx(name, array):
    # IDX: two zero bytes, 8 for unsigned bytes, the number of dimensions, each dimension big-endian, the values.
    header = struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape)
    compressed = gzip.compress(header + array.astype(np.uint8).tobytes(), 9, mtime=0)
    (HERE / f"{name}.gz").write_bytes(compressed)
    print(f"{name}.gz: {array.shape}, {len(compressed)} bytes")


digits = load_digits()
# Rounded half up in whole numbers: no floating point, nothing to differ from machine to machine.
pixels = (digits.images.astype(np.int64) * 255 * 2 + 16) // 32
half = (len(pixels) + 1) // 2
for part, rows in (("train", slice(0, half)), ("t10k", slice(half, None))):
    write_idx(f"{part}-images-idx3-ubyte", pixels[rows])
    write_idx(f"{part}-labels-idx1-ubyte", digits.target[rows])
