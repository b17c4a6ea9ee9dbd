"""Builds and runs test sources against a copy of include/, whole or with one place broken."""
import contextlib
import dataclasses
import hashlib
import os
import pathlib
import re
import shutil
import signal
import subprocess
import threading
import time

SLOW = 1.0  # seconds; test cases that take longer run when all others have found nothing
PATIENCE = 20.0  # seconds a program may take beyond ten times what it takes on the unbroken code
# A broken size must take neither the machine's memory (8 GB may be reserved) nor its disk (256 MB a file).
BOUNDED = ("sh", "-c", 'ulimit -v 8388608; ulimit -f 524288; ulimit -c 0; exec "$@"', "sh")


class Stopped(Exception):
    """The whole run is being broken off."""


class DoesNotCompile(Exception):
    """The broken headers, with the unit of that name."""


class Processes:
    """Child processes, each with a process group of its own, so that all can be ended when the run is."""

    def __init__(self):
        self.lock = threading.Lock()
        self.running = set()
        self.closed = False

    def run(self, command, limit, cwd, output, environment=None):
        """The return code, or None after more than `limit` seconds; what it says goes to the file `output`."""
        with open(output, "wb") as file:
            with self.lock:
                if self.closed:
                    raise Stopped()
                child = subprocess.Popen(command, cwd=cwd, env=environment, stdin=subprocess.DEVNULL, stdout=file,
                                         stderr=subprocess.STDOUT, start_new_session=True)
                self.running.add(child)
            try:
                code = child.wait(limit)
            except subprocess.TimeoutExpired:
                end(child)
                code = None
            with self.lock:
                self.running.discard(child)
                if self.closed:
                    raise Stopped()
        return code

    def close(self):
        with self.lock:
            self.closed = True
            for child in self.running:
                end(child)


def end(child):
    """Ends a child and what it started."""
    try:
        os.killpg(child.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    child.wait()


@dataclasses.dataclass
class Unit:
    """One test source: a program of its own, or one that the compiler must refuse."""
    name: str
    command: tuple  # the compiler and its options
    source: pathlib.Path
    main: tuple = ()  # object files to link with
    target: str = ""  # CMake's, that the source is of
    refused: bool = False
    sentence: str = None  # what the compiler must say; None: it must accept the source
    files: tuple = ()  # of the project that it is made of, relative to its root
    digest: str = ""  # of those and the command
    # Measured on the unbroken code:
    build_seconds: float = None  # None: not yet
    cases: dict = dataclasses.field(default_factory=dict)  # seconds of each test case
    problem: str = None  # why it can't be used

    def slow_cases(self):
        return [name for name, seconds in self.cases.items() if seconds > SLOW]

    def quick_seconds(self):
        return sum(seconds for seconds in self.cases.values() if seconds <= SLOW)

    def cost(self):
        """Seconds to build and run; a guess where they are not measured."""
        return 0.1 * len(self.files) if self.build_seconds is None else self.build_seconds + self.quick_seconds()


@dataclasses.dataclass(frozen=True)
class Verdict:
    kind: str  # "killed", "survived", "does not compile" or "not compiled"
    by: tuple = ()  # what noticed, in words
    units: tuple = ()  # names of the units that the verdict rests on
    seconds: float = dataclasses.field(default=0, compare=False)


class Worker:
    """A scratch folder with its own copy of the headers. One thread uses it at a time."""

    def __init__(self, folder, root, library, processes):
        """Headers lie in root/include/library."""
        self.folder = folder
        self.root = root
        self.library = folder / "include" / library
        self.processes = processes
        self.output = folder / "output.txt"
        self.cwd = folder / "run"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(root / "include", folder / "include")

    def program(self, unit):
        return self.folder / unit.name.replace("/", "-").replace(" ", "_")

    def said(self):
        with open(self.output, "rb") as file:
            return file.read(1 << 20).decode(errors="replace")

    def compile(self, unit, *more):
        command = [word.replace(str(self.root / "include"), str(self.folder / "include")) for word in unit.command]
        limit = 120 + 10 * (unit.build_seconds or 0)
        return self.processes.run([*command, *more], limit, self.folder, self.output) == 0

    def build(self, unit):
        """Whether the unit's program compiles and links."""
        return self.compile(unit, str(unit.source), *unit.main, "-o", str(self.program(unit)))

    def compiles(self, unit, place):
        """Whether the preprocessor leaves the place in the unit's text: it may be for another CPU or system."""
        path = self.library / place.file
        text, preprocessed = path.read_text(), self.folder / "preprocessed.txt"
        mark = "dasvdd_place_of_a_break"
        path.write_text(f"{text[:place.begin]} {mark} {text[place.begin:]}")
        try:
            done = self.compile(unit, "-E", "-o", str(preprocessed), str(unit.source))
        finally:
            path.write_text(text)
        return not done or mark in preprocessed.read_text(errors="replace")

    def refuses_as_told(self, unit):
        accepted = self.compile(unit, str(unit.source))
        return accepted if unit.sentence is None else re.search(unit.sentence, self.said()) is not None

    def run(self, unit, arguments, seconds):
        """None when the unit's program passes, else what failed. `seconds`: what it takes otherwise."""
        shutil.rmtree(self.cwd, ignore_errors=True)
        self.cwd.mkdir()
        environment = {**os.environ, "OMP_WAIT_POLICY": "passive", "TMPDIR": str(self.cwd)}
        environment.pop("DASVDD_KERNELS", None)
        code = self.processes.run([*BOUNDED, str(self.program(unit)), *arguments], PATIENCE + 10 * seconds, self.cwd, self.output,
                                  environment)
        if code == 0:
            return None
        case = first_failure(self.said())
        how = "no end" if code is None else f"signal {-code}" if code < 0 else "" if case else f"exit code {code}"
        return ", ".join(filter(None, [case, how]))

    def list_files(self, unit):
        """Fills in what the unit is made of."""
        depends = pathlib.Path(f"{self.program(unit)}.d")
        if self.compile(unit, "-MM", "-MF", str(depends), str(unit.source)):
            names = depends.read_text().split(":", 1)[1].replace("\\\n", " ").split()
            unit.files = tuple(sorted(filter(None, map(self.file_of_project, names))))
        else:
            unit.problem = "its headers can't be listed"
        unit.digest = digest_of(unit, self.root)

    def measure(self, unit):
        """Fills in what is measured on the unbroken code."""
        start = time.monotonic()
        if unit.refused:
            unit.problem = None if self.refuses_as_told(unit) else "it is not refused as it should be"
        elif not self.build(unit):
            unit.problem = "it does not link with doctest's main alone"
        unit.build_seconds = time.monotonic() - start
        if not unit.refused and not unit.problem:
            unit.problem = self.run(unit, ["--duration=true"], 60)
            unit.cases = {name: float(seconds)
                          for seconds, name in re.findall(r"^([\d.]+) s: (.*)$", self.said(), re.MULTILINE)}

    def file_of_project(self, name):
        """A file that the compiler read, relative to the project's root; None for other people's."""
        path = pathlib.Path(os.path.normpath(self.folder / name))
        for base in (self.folder, self.root):
            if base in path.parents:
                return str(path.relative_to(base))
        return None

    @contextlib.contextmanager
    def broken(self, place):
        path = self.library / place.file
        text = path.read_text()
        path.write_text(place.apply(text))
        try:
            yield
        finally:
            path.write_text(text)

    def ask(self, place, units, usable):
        """(unit, what it notices or None, seconds): the quick test cases of all, in their order, then the slow ones."""
        for run in (self.build_and_run_quick, self.run_slow):
            for unit in units:
                if usable(self, unit):
                    start = time.monotonic()
                    with self.broken(place):
                        noticed = run(unit)
                    yield unit, noticed, time.monotonic() - start

    def judge(self, place, units, usable=lambda worker, unit: True, keep_going=False):
        """Breaks the place in this worker's copy and lets the units notice, up to the first that does.
        usable(worker, unit): whether a unit passes on the unbroken code."""
        noticed, seconds = {}, {}
        try:
            for unit, how, took in self.ask(place, units, usable):
                seconds[unit.name] = seconds.get(unit.name, 0) + took
                if how:
                    noticed.setdefault(unit.name, how)
                    if not keep_going:
                        break
        except DoesNotCompile as refusal:
            return Verdict("does not compile", units=(str(refusal),))
        finally:
            for unit in units:
                self.program(unit).unlink(missing_ok=True)
        if noticed:
            by = tuple(f"{name}: {how}" for name, how in noticed.items())
            return Verdict("killed", by, tuple(noticed), sum(seconds.values()))
        return Verdict("survived", (), tuple(seconds), sum(seconds.values()))

    def build_and_run_quick(self, unit):
        if unit.refused:
            return None if self.refuses_as_told(unit) else "not refused, or for another reason"
        if not self.build(unit):
            # The tests have sentences for the compiler, too.
            if re.search(r"/tests/[^\n]*error: static assertion failed", self.said()):
                return "a static_assert"
            raise DoesNotCompile(unit.name)
        slow = unit.slow_cases()
        return self.run(unit, ["--abort-after=1", *(["--test-case-exclude=" + filter_of(slow)] if slow else [])],
                        unit.quick_seconds())

    def run_slow(self, unit):
        slow = unit.slow_cases()
        if not slow or not self.program(unit).exists():
            return None
        return self.run(unit, ["--abort-after=1", "--test-case=" + filter_of(slow)], sum(unit.cases[c] for c in slow))


def first_failure(said):
    """The name of the test case that the first error belongs to, or that was running at the end; empty where none is."""
    before_error = re.split(r"^[^\n]*\bERROR: ", said, 1, re.MULTILINE)[0]
    names = re.findall(r"^TEST CASE:\s+(.*)$", before_error, re.MULTILINE)
    return names[-1].strip() if names else ""


def filter_of(names):
    """Test cases' names as doctest's filters take them."""
    return ",".join(name.replace("\\", "\\\\").replace(",", "\\,") for name in names)


def digest_of(unit, root):
    """Of everything a unit is made of; empty where a file has gone."""
    digest = hashlib.sha256(repr((unit.command, unit.sentence)).encode())
    for file in unit.files:
        path = root / file
        if not path.exists():
            return ""
        digest.update(file.encode() + path.read_bytes())
    return digest.hexdigest()[:16]
