"""Builds and runs test sources against a copy of include/, whole or with one place broken."""
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
    refused: bool = False
    sentence: str = None  # what the compiler must say; None: it must accept the source
    # Measured on the unbroken code:
    files: tuple = ()  # of the project that it is made of, relative to its root
    digest: str = ""  # of those and the command
    build_seconds: float = 0
    cases: dict = dataclasses.field(default_factory=dict)  # seconds of each test case

    def slow_cases(self):
        return [name for name, seconds in self.cases.items() if seconds > SLOW]

    def quick_seconds(self):
        return sum(seconds for seconds in self.cases.values() if seconds <= SLOW)

    def cost(self):
        return self.build_seconds + self.quick_seconds()


@dataclasses.dataclass(frozen=True)
class Verdict:
    kind: str  # "killed", "survived" or "does not compile"
    by: tuple = ()  # what noticed, in words
    units: tuple = ()  # names of the units that the verdict rests on


class Worker:
    """A scratch folder with its own copy of the headers. One thread uses it at a time."""

    def __init__(self, folder, root, library, main_object, processes):
        """Headers lie in root/include/library; main_object: what each program is linked with, a list of files."""
        self.folder = folder
        self.root = root
        self.library = folder / "include" / library
        self.main_object = main_object
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
        return self.processes.run([*command, *more], 120 + 10 * unit.build_seconds, self.folder, self.output) == 0

    def build(self, unit):
        """Whether the unit's program compiles and links."""
        return self.compile(unit, str(unit.source), *self.main_object, "-o", str(self.program(unit)))

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
        case = re.search(r"^TEST CASE:\s+(.*)$", self.said(), re.MULTILINE)
        how = "no end" if code is None else f"signal {-code}" if code < 0 else "" if case else f"exit code {code}"
        return ", ".join(filter(None, [case[1].strip() if case else "", how]))

    def measure(self, unit):
        """Fills in what is measured on the unbroken code; says what is wrong where the unit can't be used."""
        depends = str(self.program(unit)) + ".d"
        if not self.compile(unit, "-MM", "-MF", depends, str(unit.source)):
            return "its headers can't be listed"
        names = pathlib.Path(depends).read_text().split(":", 1)[1].replace("\\\n", " ").split()
        unit.files = tuple(sorted(filter(None, (self.file_of_project(name) for name in names))))
        unit.digest = digest_of(unit, self.root)
        start = time.monotonic()
        if unit.refused:
            return None if self.refuses_as_told(unit) else "it is not refused as it should be"
        if not self.build(unit):
            return "it does not link with doctest's main alone"
        unit.build_seconds = time.monotonic() - start
        how = self.run(unit, ["--duration=true"], 600)
        if how:
            return how
        unit.cases = {name: float(seconds)
                      for seconds, name in re.findall(r"^([\d.]+) s: (.*)$", self.said(), re.MULTILINE)}
        return None

    def file_of_project(self, name):
        """A file that the compiler read, relative to the project's root; None for other people's."""
        path = pathlib.Path(os.path.normpath(self.folder / name))
        for base, prefix in ((self.folder, ""), (self.root, "")):
            if base in path.parents:
                return str(path.relative_to(base))
        return None

    def judge(self, place, units, keep_going=False):
        """Breaks the place in this worker's copy and lets the units notice, in their order."""
        path = self.library / place.file
        text = path.read_text()
        path.write_text(place.apply(text))
        try:
            return self.judge_broken(units, keep_going)
        finally:
            path.write_text(text)
            for unit in units:
                self.program(unit).unlink(missing_ok=True)

    def judge_broken(self, units, keep_going):
        """Quick test cases of all units, then the slow ones."""
        noticed = []  # (unit's name, words)
        for step in [(self.build_and_run_quick, unit) for unit in units] + \
                    [(self.run_slow, unit) for unit in units if unit.slow_cases()]:
            run, unit = step
            how = run(unit)
            if how is DOES_NOT_COMPILE:
                return Verdict("does not compile", units=(unit.name,))
            if how:
                noticed.append((unit.name, f"{unit.name}: {how}"))
                if not keep_going:
                    break
        if noticed:
            return Verdict("killed", tuple(words for _, words in noticed), tuple(name for name, _ in noticed))
        return Verdict("survived", units=tuple(unit.name for unit in units))

    def build_and_run_quick(self, unit):
        if unit.refused:
            return None if self.refuses_as_told(unit) else "not refused, or for another reason"
        if not self.build(unit):
            # The tests have sentences for the compiler, too.
            failed = re.search(r"/tests/[^\n]*error: static assertion failed", self.said())
            return "a static_assert" if failed else DOES_NOT_COMPILE
        slow = unit.slow_cases()
        return self.run(unit, ["--abort-after=1", *(["--test-case-exclude=" + filter_of(slow)] if slow else [])],
                        unit.quick_seconds())

    def run_slow(self, unit):
        slow = unit.slow_cases()
        if not self.program(unit).exists():
            return None
        return self.run(unit, ["--abort-after=1", "--test-case=" + filter_of(slow)], sum(unit.cases[c] for c in slow))


DOES_NOT_COMPILE = object()


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
