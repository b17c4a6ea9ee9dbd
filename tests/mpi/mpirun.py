#!/usr/bin/env python3
"""The command-line tool under mpirun: the bytes of one process's model, whatever the ranks, and sentences where it fails.

usage: mpirun.py MPIRUN DASVDD bits|resume|sentences|example EXAMPLE
"""
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from scripts import expect, rows  # noqa: E402


class Runs:
    def __init__(self, mpirun, tool):
        version = subprocess.run([mpirun, "--version"], capture_output=True, text=True).stdout
        # Open MPI refuses more ranks than cores, and root, unless told otherwise.
        self.many = [mpirun] + (["--oversubscribe", "--bind-to", "none"] if "Open MPI" in version or "Open-MPI" in version else [])
        self.tool = tool
        self.environment = dict(os.environ, OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1",
                                OMPI_MCA_btl_base_warn_component_unused="0")

    def start(self, ranks, arguments):
        """None: without mpirun."""
        command = [] if ranks is None else [*self.many, "-n", str(ranks)]
        return subprocess.Popen([*command, self.tool, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                env=self.environment)

    def fit(self, ranks, arguments):
        child = self.start(ranks, ["fit", *arguments])
        out, errors = child.communicate()
        expect(child.returncode == 0, f"a fit by {ranks} ranks, got {child.returncode}: {errors}")
        return out


def bits(runs, folder):
    data = folder / "rows.csv"
    for number, (count, width, options) in enumerate((
            (150, 6, ["--layers", "16,4", "--epochs", "6", "--batch-size", "32"]),
            (150, 40, ["--layers", "300,9", "--epochs", "2", "--batch-size", "50", "--shards", "8", "--double"]),
            (64, 5, ["--layers", "8,3", "--epochs", "3", "--shards", "4", "--false-alarm-rate", "0.2", "--kappa", "1"]))):
        data.write_text(rows(count, width, number))
        shards = [] if "--shards" in options else ["--shards", "16"]
        outs, models = [], []
        for ranks in (None, 1, 2, 3, 4):
            model = folder / "model"
            outs.append(runs.fit(ranks, [str(data), "--header", "no", *options, *shards, "-o", str(model)]))
            models.append(model.read_bytes())
            expect(models[-1] == models[0], f"one process's bytes from {ranks} ranks with {options}")
            expect(outs[-1] == outs[0], f"what one process says from {ranks} ranks, got {outs[-1]}")
    # Without --shards: 16 of them under mpirun.
    data.write_text(rows(150, 6, 0))
    options = [str(data), "--header", "no", "--layers", "16,4", "--epochs", "2", "-o"]
    runs.fit(2, [*options, str(folder / "two")])
    runs.fit(None, [*options, str(folder / "one"), "--shards", "16"])
    expect((folder / "one").read_bytes() == (folder / "two").read_bytes(), "16 shards where nothing is said")


def children(process):
    return [int(word) for word in pathlib.Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()]


def resume(runs, folder):
    """A rank that is killed ends the job; another number of ranks goes on to the bytes of a fit without a break."""
    data, kept, model, whole = (folder / name for name in ("rows.csv", "kept", "model", "whole"))
    data.write_text(rows(160, 8, 1))
    common = [str(data), "--header", "no", "--layers", "32,4", "--epochs", "300", "--batch-size", "16"]
    runs.fit(None, [*common, "--shards", "16", "-o", str(whole)])
    goes_on = ["--every", "1", "-o", str(model)]
    child = runs.start(2, ["fit", *common, "--checkpoint", str(kept), *goes_on])
    while child.poll() is None and not kept.exists():
        time.sleep(0.001)
    killed = False
    try:
        os.kill(children(child)[-1], signal.SIGKILL)
        killed = True
    except (OSError, IndexError):
        pass  # It was faster than this program: the model is there, and has the bytes anyway.
    _, errors = child.communicate()
    if killed and child.returncode != 0:
        print("a rank was killed, and mpirun said:", " ".join(errors.split())[:200])
        expect(errors.strip() != "" and not model.exists(), "a sentence and no model")
        runs.fit(3, [*common, "--resume", str(kept), *goes_on])
    expect(model.read_bytes() == whole.read_bytes(), "the bytes of a fit without a break")
    expect(not kept.exists(), "the checkpoint to be gone with the model written")


def sentences(runs, folder):
    data = folder / "rows.csv"
    data.write_text(rows(60, 4, 0))
    model = folder / "model"
    for arguments, sentence in (
            (["--layers", "8,0"], "--layers"),
            ([], "there are 2 processes, which train one net together: --layers says which"),
            (["--layers", "8,2", "--shards", "12"], "there are 12 shards, expected a power of two"),
            (["--layers", "8,2", "--shards", "1"], "there are 2 ranks for 1 shards"),
            (["--layers", "8,2", "--validation", "0.1"], "validation is 0.1, expected 0")):
        child = runs.start(2, ["fit", str(data), "--header", "no", *arguments, "-o", str(model)])
        _, errors = child.communicate()
        expect(child.returncode == 2, f"status 2 with {arguments}, got {child.returncode}: {errors}")
        expect(errors.count("dasvdd: ") == 1 and sentence in errors, f"one sentence with {sentence}, got {errors}")
        expect(not model.exists(), "no model")
    child = runs.start(2, ["info", str(data)])
    _, errors = child.communicate()
    expect(child.returncode == 2 and errors.count("dasvdd: ") == 1 and "fit is what several do together" in errors,
           f"one sentence of info, got {errors}")


def example(runs, _):
    runs.tool = sys.argv[4]
    said = {runs.start(ranks, []).communicate()[0] for ranks in (None, 2, 4)}
    expect(len(said) == 1 and "threshold" in said.pop(), "one threshold from 1, 2 and 4 ranks")


def main():
    mpirun, tool, group = sys.argv[1:4]
    with tempfile.TemporaryDirectory() as folder:
        {"bits": bits, "resume": resume, "sentences": sentences, "example": example}[group](Runs(mpirun, tool), pathlib.Path(folder))


main()
