#!/usr/bin/env python3
"""Prints the reference numbers of tests/detect/false_discovery.cpp (PyPI: scipy, online-fdr).

Adjusted p-values are scipy.stats.false_discovery_control's. Levels are online_fdr's LordPlusPlus, given the sequence
that OnlineSelect spends by in place of the package's own.
Run: python3 make_false_discovery.py
"""
from importlib.metadata import version

import numpy as np
from online_fdr.p_values.investing.lord.plus_plus import LordPlusPlus
from scipy.stats import false_discovery_control


def table(name, numbers):
    print(f"{name}:")
    for i in range(0, len(numbers), 4):
        print("    " + " ".join(f"{float(x)!r}," for x in numbers[i:i + 4]))


class Geometric:
    """g_j of OnlineSelect for 1999 calibration rows and an fdr of 0.1: mean 0.1 * 2000 / 4."""
    @staticmethod
    def calc_gamma(j, **_):
        return (1 - 1 / 50) ** (j - 1) / 50


rng = np.random.default_rng(14)
print(f"scipy {version('scipy')}, online-fdr {version('online-fdr')}")
# Conformal p-values out of 39 calibration rows (many ties), a few of them small.
p = np.concatenate([rng.integers(1, 41, 18), [1, 1, 2, 2, 3, 5]]) / 40
rng.shuffle(p)
table("p-values of 40ths, times 40", p * 40)
table("adjusted", false_discovery_control(p))

p = np.where(rng.random(32) < 0.3, rng.random(32) * 2e-3, rng.random(32)).round(5)
lord = LordPlusPlus(0.1, 0.05)
lord.seq = Geometric()
levels = []
for x in p:
    lord.test_one(float(x))
    levels.append(lord.alpha)
table("p-values of a stream", p)
table("levels", levels)
