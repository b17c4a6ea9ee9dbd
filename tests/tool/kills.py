#!/usr/bin/env python3
"""Kills fits at random moments and takes them up again: each must end with the bytes of the fit that was never killed.

usage: kills.py DASVDD KILLS [SEED]

Of KILLS, a quarter each falls on one net (--layers), the same in pieces, an ensemble, and images. A kill is SIGKILL: the program can do nothing
about it. The moments are drawn from the time that the whole fit takes here; what is checked holds at every moment.
"""
import os
import pathlib
import random
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from scripts import expect, rows  # noqa: E402


def start(tool, arguments):
    return subprocess.Popen([tool, "fit", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def main():
    tool, kills = sys.argv[1], int(sys.argv[2])
    draw = random.Random(int(sys.argv[3]) if len(sys.argv) > 3 else 1)
    forms = {
        "one net": (120, 6, ["--layers", "16,4", "--epochs", "60", "--batch-size", "16"]),
        "one net, in pieces": (120, 6, ["--layers", "16,4", "--epochs", "60", "--batch-size", "16", "--memory", "2K"]),
        "ensemble": (90, 6, ["--epochs", "12"]),
        "images": (24, 64, ["--image-shape", "1,8,8", "--epochs", "8"]),
    }
    for number, (form, (count, width, options)) in enumerate(forms.items()):
        with tempfile.TemporaryDirectory() as folder:
            data, model = pathlib.Path(folder, "rows.csv"), pathlib.Path(folder, "model")
            kept, whole = pathlib.Path(folder, "kept"), pathlib.Path(folder, "whole")
            data.write_text(rows(count, width, number))
            common = [str(data), "--header", "no", *options]
            begin = time.monotonic()
            child = start(tool, [*common, "-o", str(whole)])
            _, errors = child.communicate()
            expect(child.returncode == 0, f"{form}: a fit, got {errors}")
            seconds = time.monotonic() - begin
            done = killed = 0
            while killed < -(-kills // 4):
                # The same thread count decides nothing: each start draws one.
                goes_on = ["--resume" if kept.exists() else "--checkpoint", str(kept), "--every", "1",
                           "--threads", str(draw.choice([1, 2])), "-o", str(model)]
                child = start(tool, [*common, *goes_on])
                try:
                    _, errors = child.communicate(timeout=draw.uniform(0, 1.1 * seconds))
                    expect(child.returncode == 0, f"{form}: a fit that goes on, got {errors}")
                    expect(model.read_bytes() == whole.read_bytes(), f"{form}: the same bytes after {killed} kills")
                    expect(not kept.exists(), f"{form}: no checkpoint when the model is there")
                    model.unlink()
                    done += 1
                except subprocess.TimeoutExpired:
                    child.send_signal(signal.SIGKILL)
                    child.communicate()
                    killed += 1
            goes_on = ["--resume" if kept.exists() else "--checkpoint", str(kept), "-o", str(model)]
            child = start(tool, [*common, *goes_on])
            _, errors = child.communicate()
            expect(child.returncode == 0 and model.read_bytes() == whole.read_bytes(),
                   f"{form}: the same bytes at the end, got {errors}")
            left = sorted(os.listdir(folder))
            expect(left == ["model", "rows.csv", "whole"], f"{form}: nothing left over, got {left}")
            print(f"{form}: killed {killed} times, finished {done + 1} times, the same bytes each time")
    return 0


if __name__ == "__main__":
    sys.exit(main())
