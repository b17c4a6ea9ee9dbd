"""What `progress=True` shows: a bar of tqdm, or a plain line where tqdm is not installed."""

import sys


class Bar:
    """Follows the reports of a fit, and closes itself behind a `with`."""

    def __init__(self):
        self._bar = None

    def __call__(self, report):
        done, total = _place(report)
        if self._bar is None:
            self._bar = _new_bar(total)
        self._bar.set_postfix_str(f"loss {_epoch(report).loss:.4g}", refresh=False)
        self._bar.update(done - self._bar.n)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self._bar is not None:
            self._bar.close()


class Function:
    """The user's own callable, or None, in a Bar's place."""

    def __init__(self, function):
        self._function = function

    def __enter__(self):
        return self._function

    def __exit__(self, *_):
        pass


def following(progress):
    """What a `with` gives the compiled part as progress: for None, True, False or a callable."""
    if progress is True:
        return Bar()
    if progress is None or progress is False:
        return Function(None)
    if not callable(progress):
        raise TypeError(f"progress is {progress!r}, expected True, None or a callable")
    return Function(progress)


def _epoch(report):
    return report.epoch if hasattr(report, "total") else report


def _place(report):
    """Epochs done and in all, of a FitProgress or an EpochReport."""
    if hasattr(report, "total"):
        return report.done, report.total
    return report.epoch, report.epochs


def _new_bar(total):
    try:
        from tqdm.auto import tqdm
    except ImportError:
        return _Line(total)
    return tqdm(total=total, unit="epoch")


class _Line:
    """The part of tqdm that Bar uses, as a line on stderr."""

    def __init__(self, total):
        self.n, self._total, self._postfix = 0, total, ""

    def set_postfix_str(self, text, refresh):
        self._postfix = text

    def update(self, count):
        self.n += count
        print(f"\rdasvdd: {self.n} of {self._total} epochs, {self._postfix}  ", end="", file=sys.stderr, flush=True)

    def close(self):
        print(file=sys.stderr)
