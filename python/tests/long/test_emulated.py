"""One build runs on every x86-64: import, fit and score on CPUs without AVX-512 and without AVX2, emulated by QEMU."""

import json
import os
import shutil
import subprocess
import sys

import numpy as np
import pytest

import dasvdd
from conftest import rows

QEMU = shutil.which("qemu-x86_64")

PROGRAM = """
import json, sys
import numpy as np
import dasvdd
X = np.load(sys.argv[1])
given = dasvdd.load(sys.argv[2])
fitted = dasvdd.fit(X, steps=20, ensemble_size=1, threads=1)
print(json.dumps([dasvdd.kernels(), given.score(X, threads=1).tolist(), fitted.score(X, threads=1).tolist()]))
"""


@pytest.mark.skipif(not QEMU, reason="there is no qemu-x86_64 (Debian: qemu-user)")
@pytest.mark.parametrize("cpu, kernels", [("Nehalem", "portable"), ("Haswell", "avx2")])
def test_a_cpu_that_has_less(cpu, kernels, tmp_path):
    X = rows(60)
    np.save(tmp_path / "X.npy", X)
    detector = dasvdd.fit(X, steps=20, ensemble_size=1, threads=1)
    detector.save(tmp_path / "model")
    environment = {name: value for name, value in os.environ.items() if name != "DASVDD_KERNELS"}
    command = [QEMU, "-cpu", cpu, sys.executable, "-W", "ignore", "-c", PROGRAM, tmp_path / "X.npy", tmp_path / "model"]
    run = subprocess.run(command, env={**environment, "OPENBLAS_NUM_THREADS": "1"}, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr[-2000:]
    chosen, scores, fitted = json.loads(run.stdout)
    assert chosen == kernels
    expected = detector.score(X).astype(float)
    if kernels == "portable":
        # The portable kernels promise 1e-5 of a score; training with them goes other ways, so its scores need only be numbers.
        np.testing.assert_allclose(scores, expected, rtol=1e-5)
        assert np.isfinite(fitted).all()
    elif dasvdd.kernels() != "portable":
        # AVX2 and AVX-512 give the same bits, in training too.
        assert np.array_equal(scores, expected) and np.array_equal(fitted, expected)
