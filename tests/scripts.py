"""What the test scripts that run the command-line tool share."""
import pathlib
import random
import sys


def expect(truth, what):
    if not truth:
        sys.exit(f"{pathlib.Path(sys.argv[0]).name}: expected {what}")


def rows(count, width, seed):
    """A csv's lines of uniform numbers."""
    draw = random.Random(seed)
    return "".join(",".join(f"{draw.random():.6f}" for _ in range(width)) + "\n" for _ in range(count))
