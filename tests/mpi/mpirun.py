#!/usr/bin/env python3
"""The command-line tool under mpirun: the bytes of one process's model, whatever the ranks, and sentences where it fails.

usage: mpirun.py MPIRUN DASVDD bits|ensemble|resume|signal|sentences|example EXAMPLE
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


def ensemble(runs, folder):
    data = folder / "rows.csv"
    for count, width, members, options in (
            (150, 6, 9, ["--epochs", "2"]),
            (60, 5, 3, ["--contamination", "0.1", "--double"]),
            (90, 16, 3, ["--image-shape", "1,4,4", "--epochs", "1"]),
            (400, 6, 4, ["--memory", "16K", "--false-alarm-rate", "0.05"])):
        data.write_text(rows(count, width, width))
        outs, models = [], []
        for ranks in (None, 1, 2, 3, 4):
            model = folder / "model"
            outs.append(runs.fit(ranks, [str(data), "--header", "no", *options, "--members", str(members), "-o", str(model)]))
            models.append(model.read_bytes())
            expect(models[-1] == models[0], f"one process's bytes from {ranks} ranks with {options}")
            expect(outs[-1] == outs[0], f"what one process says from {ranks} ranks, got {outs[-1]}")


def children(process):
    return [int(word) for word in pathlib.Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()]


def resume(runs, folder):
    """A rank that is killed ends the job; another number of ranks goes on to the bytes of a fit without a break."""
    (folder / "rows.csv").write_text(rows(160, 8, 1))
    common = [str(folder / "rows.csv"), "--header", "no", "--epochs", "300", "--batch-size", "16"]
    resume_of(runs, folder, [*common, "--layers", "32,4"], ["--shards", "16"])
    (folder / "model").unlink()
    resume_of(runs, folder, [*common, "--members", "5"], [])


def resume_of(runs, folder, common, of_one):
    kept, model, whole = (folder / name for name in ("kept", "model", "whole"))
    runs.fit(None, [*common, *of_one, "-o", str(whole)])
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


def signals(runs, folder):
    """A signal to one rank ends all of them in order, and another number of ranks goes on."""
    data, kept, model = (folder / name for name in ("rows.csv", "kept", "model"))
    data.write_text(rows(160, 8, 1))
    # So many epochs that the signal always comes before the end.
    common = [str(data), "--header", "no", "--epochs", "100000000", "--members", "3", "--every", "1", "-o", str(model)]
    epochs = []
    for ranks, option in ((2, "--checkpoint"), (4, "--resume"), (None, "--resume")):
        before = kept.stat().st_mtime_ns if kept.exists() else 0
        child = runs.start(ranks, ["fit", *common, option, str(kept)])
        while child.poll() is None and (not kept.exists() or kept.stat().st_mtime_ns == before):
            time.sleep(0.001)
        pids = children(child) if ranks else [child.pid]
        os.kill(pids[-1], signal.SIGTERM)
        _, errors = child.communicate()
        said = [line for line in errors.splitlines() if line.startswith("dasvdd: ")]
        expect(child.returncode == 128 + signal.SIGTERM, f"status 143 of {ranks} ranks, got {child.returncode}: {errors}")
        expect(len(said) == 1 and said[0].startswith("dasvdd: stopped after ") and f"--resume {kept}" in said[0],
               f"one sentence of {ranks} ranks, got {errors}")
        expect(kept.exists() and not model.exists(), "a checkpoint and no model")
        epochs.append(int(said[0].split()[3]))
    expect(0 < epochs[0] < epochs[1] < epochs[2], f"each to go on where the one before ended, got {epochs} epochs")
    # Without a checkpoint the model is of what was trained.
    child = runs.start(2, ["fit", *common[:-4], "-o", str(model)])
    time.sleep(1)
    while child.poll() is None and not model.exists():
        for pid in children(child)[-1:]:
            try:
                os.kill(pid, signal.SIGTERM)
            except OSError:
                pass
        time.sleep(1)
    _, errors = child.communicate()
    expect(child.returncode == 128 + signal.SIGTERM and "is of what was trained until then" in errors and model.exists(),
           f"a model of what was trained, got {child.returncode}: {errors}")


def sentences(runs, folder):
    data = folder / "rows.csv"
    data.write_text(rows(60, 4, 0))
    model = folder / "model"
    for arguments, sentence in (
            (["--layers", "8,0"], "--layers"),
            (["--by", "10"], "there are 2 processes; --by is what one does"),
            (["--shards", "4"], "--shards goes with --layers"),
            (["--members", "0"], "ensemble_size is 0"),
            (["--layers", "8,2", "--shards", "12"], "there are 12 shards, expected a power of two"),
            (["--layers", "8,2", "--shards", "1"], "there are 2 ranks for 1 shards"),
            (["--layers", "8,2", "--validation", "0.1"], "validation is 0.1, expected 0")):
        child = runs.start(2, ["fit", str(data), "--header", "no", *arguments, "-o", str(model)])
        _, errors = child.communicate()
        expect(child.returncode == 2, f"status 2 with {arguments}, got {child.returncode}: {errors}")
        expect(errors.count("dasvdd: ") == 1 and sentence in errors, f"one sentence with {sentence}, got {errors}")
        expect(not model.exists(), "no model")
    other = folder / "other.csv"
    other.write_text(rows(60, 64, 1))
    child = runs.start(2, ["fit", str(other), "--header", "no", "--net", "lenet", "--image-shape", "1,8,8", "-o", str(model)])
    _, errors = child.communicate()
    expect(child.returncode == 2 and errors.count("dasvdd: ") == 1 and "has dense layers and activations only" in errors,
           f"one sentence about convolutions, got {errors}")
    other.write_text(rows(60, 4, 1))
    arguments = ["--header", "no", "-o", str(model)]
    child = runs.start(1, ["fit", str(data), *arguments, ":", "-n", "1", runs.tool, "fit", str(other), *arguments])
    _, errors = child.communicate()
    expect(child.returncode == 2 and errors.count("dasvdd: ") == 1 and "rank 1 has other rows" in errors and not model.exists(),
           f"one sentence about other rows, got {errors}")
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
        {"bits": bits, "ensemble": ensemble, "resume": resume, "signal": signals, "sentences": sentences, "example": example}[group](Runs(mpirun, tool), pathlib.Path(folder))


main()
