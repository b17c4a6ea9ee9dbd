#!/usr/bin/env python3
"""Tests the tables of a folder in the quality benchmark: which files are tables, and how their rows are split.

usage: folder.py FOLDER_OF_QUALITY.PY BENCH_QUALITY
"""
import array
import pathlib
import random
import sys
import tempfile
import zipfile

sys.dont_write_bytecode = True
from speech import cell, expect, npy  # noqa: E402


def write(path, arrays):
    path.parent.mkdir(exist_ok=True)
    with zipfile.ZipFile(path, "w") as file:
        for name, (rows, columns, values) in arrays.items():
            shape = (rows, columns) if columns else (rows,)
            code = "<f8" if columns else "|i1"
            file.writestr(f"{name}.npy", npy(code, shape, array.array("d" if columns else "b", values)))


def rows(count, shift=0):
    draw = random.Random(count)
    return [draw.gauss(shift, 1) for _ in range(3 * count)]


def main():
    bench, program = sys.argv[1:]
    sys.path.insert(0, bench)
    from quality import drawn_bits, folder_tables

    with tempfile.TemporaryDirectory() as folder:
        data = pathlib.Path(folder)
        labels = [1 if i % 10 == 3 else 0 for i in range(400)]
        write(data / "deep" / "plain.npz", {"X": (400, 3, rows(400)), "y": (400, 0, labels)})
        write(data / "own.npz", {"train": (100, 3, rows(100)), "test": (50, 3, rows(40) + rows(10, 9)),
                                 "test_labels": (50, 0, [0] * 40 + [1] * 10)})
        write(data / "other.npz", {"X": (400, 3, rows(400))})
        (data / "broken.npz").write_bytes(b"no archive")
        found = folder_tables(data)
        expect(found == ["deep/plain", "own"], f"the two tables, got {found}")
        found = folder_tables(data, own_split=False)
        expect(found == ["deep/plain"], f"the table without a split of its own, got {found}")

        quick = "published=1,epochs=1"
        answer = cell(program, folder, f"folder deep/plain 0 {quick}")
        expect((answer["train"], answer["test"], answer["anomalies"]) == (180, 220, 40), f"every second row, got {answer}")
        answer = cell(program, folder, f"folder own 0 {quick}")
        expect((answer["train"], answer["test"], answer["anomalies"]) == (100, 50, 10), f"its own split, got {answer}")
        # Nine deviations off in all features: whatever the net has learned in an epoch.
        expect(answer["roc_auc"] == 1, f"the anomalies found, got {answer}")
        for seed in (0, 3):
            drawn = sum(labels[drawn_bits(seed, i) % 400] for i in range(1000))
            answer = cell(program, folder, f"folder deep/plain {seed} {quick},split=dte")
            train = (1000 - drawn) // 2
            expect((answer["train"], answer["test"], answer["anomalies"]) == (train, 1000 - train, drawn),
                   f"1,000 drawn rows, half of the normal ones for training, {drawn} anomalies, got {answer}")
        for wrong, word in (("folder own 0 split=dte", "split of its own"), ("folder other 0 -", "no labels"),
                            ("pima - 0 split=dte", "split=dte is for tables")):
            answer = cell(program, folder, wrong)
            expect(word in answer.get("error", ""), f"an error with '{word}', got {answer}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
