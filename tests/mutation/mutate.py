"""Breaks the headers in one place at a time and sees whether a test notices; called by `sh tests/mutate.sh`.

Places are drawn evenly over the rooms of include/, and within a room over its headers, by a hash of the seed and of the
place's own text: what is drawn does not move when other code does. Each broken header is compiled with the test sources
that include it, one program a source, the likeliest and cheapest first, until a test fails. A break that the compiler
refuses, or never sees because it is for other systems, is not counted; another one is drawn.

After `sh tests/coverage.sh` only those sources are tried that run the broken statement.

Finished verdicts are kept in results.json for as long as the sources they rest on stay the same, so a run may be broken
off, and after a new test only that is run again which it can change. equivalent.txt has the breaks that change nothing.
"""
import argparse
import collections
import concurrent.futures
import dataclasses
import fnmatch
import functools
import hashlib
import json
import os
import pathlib
import signal
import sys
import threading

import places as breaking
import project
from runner import Processes, Stopped, Unit, Verdict, Worker, digest_of

EQUIVALENT = pathlib.Path(__file__).with_name("equivalent.txt")


def say(*words):
    print(*words, file=sys.stderr, flush=True)


def options():
    parser = argparse.ArgumentParser(prog="sh tests/mutate.sh", description=__doc__.split("\n")[0],
                                     formatter_class=argparse.RawDescriptionHelpFormatter,
                                     epilog="Prints a table in Markdown, kept in report.md beside results.json in the "
                                            "build folder. Fails when\nsomething survived that equivalent.txt does not name, and when a test fails on the unbroken code.")
    parser.add_argument("--build", type=pathlib.Path, required=True, help=argparse.SUPPRESS)
    parser.add_argument("--coverage", type=pathlib.Path, help=argparse.SUPPRESS)
    parser.add_argument("--seed", type=int, default=1, help="another seed draws other places (default 1)")
    parser.add_argument("--count", type=int, default=180, help="places in all (default 180)")
    parser.add_argument("--rooms", type=lambda text: text.split(","), help="only these, with commas between them")
    parser.add_argument("--files", help="only headers of this pattern, such as 'nn/*'")
    parser.add_argument("--only", metavar="FILE:LINE", help="every break of one line, such as nn/dense.hpp:12")
    parser.add_argument("--list", action="store_true", help="shows what is drawn and runs nothing")
    parser.add_argument("--keep-going", action="store_true", help="names all test sources that notice, not the first alone")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="breaks at a time (default: one a core)")
    return parser.parse_args()


# ---- what is drawn ---------------------------------------------------------------------------------------------------


def places_of(headers, include=project.INCLUDE):
    """{header: its places}, headers that this CPU can't run left out."""
    found = {}
    for header in headers:
        text = (include / header).read_text()
        if not project.runs_here(text):
            say(f"left out, for this CPU can't run it: {header}")
            continue
        found[header] = breaking.find_places(header, text)
    return found


def order(seed, *words):
    return hashlib.sha256("\n".join(map(str, (seed, *words))).encode()).digest()


def queue_of_room(seed, places_of_header):
    """A room's places in the order they are drawn: each header in turn, one change a token."""
    queues = []
    for header, places in places_of_header.items():
        by_token = collections.defaultdict(list)
        for place in places:
            by_token[place.begin, place.end].append(place)
        drawn = [min(same, key=lambda place: order(seed, place.key())) for same in by_token.values()]
        queues.append(sorted(drawn, key=lambda place: order(seed, place.key())))
    queues.sort(key=lambda queue: order(seed, queue[0].file if queue else ""))
    longest = max(map(len, queues), default=0)
    return [queue[turn] for turn in range(longest) for queue in queues if turn < len(queue)]


class Draw:
    """Which place comes next. A place is given out only where even then none too many would count."""

    def __init__(self, queues, count):
        rooms = list(queues)
        self.queues = {room: iter(queue) for room, queue in queues.items()}
        self.wanted = {room: count // len(rooms) + (k < count % len(rooms)) for k, room in enumerate(rooms)}
        self.taken = dict.fromkeys(rooms, 0)  # drawn, and not found to be refused by the compiler

    def next(self):
        for room in sorted(self.queues, key=lambda room: self.taken[room]):
            if self.taken[room] < self.wanted[room]:
                place = next(self.queues[room], None)
                if place:
                    self.taken[room] += 1
                    return place
                self.wanted[room] = self.taken[room]
        return None

    def refused(self, place):
        self.taken[project.room(place.file)] -= 1


class AllOf:
    """Every place of a list."""

    def __init__(self, places):
        self.places = iter(places)

    def next(self):
        return next(self.places, None)

    def refused(self, place):
        pass


# ---- what can notice -------------------------------------------------------------------------------------------------


class Coverage:
    """Which test sources run which lines, as far as tests/coverage.sh has measured these very files."""

    def __init__(self, path):
        known = json.loads(path.read_text()) if path and path.exists() else {"digests": {}, "runs": {}}
        self.digests, self.runs = known["digests"], known["runs"]
        self.current = functools.cache(lambda path: hashlib.sha256(path.read_bytes()).hexdigest())

    def knows(self, unit, root=project.ROOT):
        return all(self.digests.get(file) == self.current(root / file) for file in unit.files)

    def runs_any(self, unit, place):
        """Whether the unit runs the statement around the place; None where that is unknown."""
        measured = [runs for file, runs in self.runs.get(unit.target, {}).items() if file in unit.files]
        if not measured or not self.knows(unit):
            return None
        return any(not set(place.statement).isdisjoint(run.get(place.file, ())) for run in measured)


class Store:
    """A file of JSON that is replaced whole."""

    def __init__(self, path):
        self.path = path
        self.content = json.loads(path.read_text()) if path.exists() else {}

    def save(self):
        new = self.path.with_suffix(".new")
        new.write_text(json.dumps(self.content, indent=1))
        new.replace(self.path)


# An argued break is shown to so many units only: no more is expected of it than that nobody notices.
ENOUGH_FOR_ARGUED = 6
KEPT = ("files", "digest", "build_seconds", "cases", "problem")  # of a unit, in units.json


class Jury:
    """The units, and which of them are asked about a place."""

    def __init__(self, units, coverage, known, argued=()):
        self.units = {unit.name: unit for unit in units}
        self.coverage = coverage
        self.known = known  # a store of what is measured
        self.argued = argued  # keys of the places that equivalent.txt names
        self.locks = {name: threading.Lock() for name in ("", *self.units)}  # "": of the store

    def list_files(self, pool):
        """Which headers each unit includes; what is known of a unit is forgotten where one has changed."""
        def is_stale(unit):
            for name, value in self.known.content.get(unit.name, {}).items():
                setattr(unit, name, tuple(value) if name == "files" else value)
            return not unit.digest or unit.digest != digest_of(unit, project.ROOT)
        stale = [unit for unit in self.units.values() if is_stale(unit)]
        if stale:
            say(f"listing the headers of {len(stale)} test sources")
        for unit in stale:
            unit.build_seconds, unit.cases, unit.problem = None, {}, None
        for future in [pool.submit(Worker.list_files, unit) for unit in stale]:
            future.result()
        self.remember()

    def remember(self):
        self.known.content = {unit.name: {name: getattr(unit, name) for name in KEPT} for unit in self.units.values()}
        self.known.save()

    def usable(self, worker, unit):
        """Whether a unit passes on the unbroken code, which is tried once."""
        with self.locks[unit.name]:
            if unit.build_seconds is None and not unit.problem:
                worker.measure(unit)
                with self.locks[""]:
                    self.remember()
                if unit.problem:
                    say(f"left out: {unit.name}: {unit.problem}")
        return not unit.problem

    def including(self, place):
        file = f"include/{project.INCLUDE.name}/{place.file}"
        return [unit for unit in self.units.values() if file in unit.files and unit.refused == place.at_compile_time]

    def about(self, place):
        """The likeliest and cheapest first: named after the header, of its room, the others."""
        units = self.including(place)
        if self.is_run(place):
            units = [unit for unit in units if self.coverage.runs_any(unit, place) in (True, None)]
        stem = pathlib.PurePath(place.file).stem

        def rank(unit):
            return (stem not in unit.source.stem, project.room(unit.name) != project.room(place.file), unit.cost())
        units = sorted(units, key=rank)
        return units[:ENOUGH_FOR_ARGUED] if place.key() in self.argued else units

    def is_run(self, place):
        """Whether some unit is known to run the statement. Constants, declarations and what only compiling uses are
        run nowhere, and may matter everywhere."""
        return any(self.coverage.runs_any(unit, place) for unit in self.including(place))

    def judge(self, worker, place, keep_going):
        units = self.about(place)
        if not place.at_compile_time and not self.is_run(place):
            # The units of one program are compiled for the same system.
            one_of_each = {unit.target: unit for unit in reversed(units)}.values()
            if not any(worker.compiles(unit, place) for unit in one_of_each):
                return Verdict("not compiled", units=tuple(unit.name for unit in units))
        return worker.judge(place, units, self.usable, keep_going)

    def stamp(self, names):
        """Of all that a verdict of these units rests on."""
        digests = sorted(self.units[name].digest for name in names if name in self.units)
        return hashlib.sha256("".join(digests).encode()).hexdigest()[:16] if len(digests) == len(names) else ""


def all_units(build, folder, processes):
    """Units for all test sources of a configured build folder; objects with doctest's main are left in `folder`."""
    units, mains = [], {}
    for source, main in project.test_sources(build):
        if main.target not in mains:
            mains[main.target] = compile_main(main, folder, processes)
        units.append(Unit(source.name(), fast(source.command), source.path, (mains[main.target],), source.target))
    for name, command, sentence in project.refusals(build):
        units.append(Unit(name, command[:-1], pathlib.Path(command[-1]), refused=True, sentence=sentence))
    return units


def compile_main(source, folder, processes):
    target, said = folder / f"{source.target}.o", folder / "main.txt"
    if processes.run([*fast(source.command), "-c", str(source.path), "-o", str(target)], 600, folder, said) != 0:
        raise SystemExit(said.read_text())
    return str(target)


def fast(command):
    """A compiler's command without warnings, and with the optimization that makes compiling and running quickest."""
    return (*(word for word in command if not word.startswith(("-W", "-O", "-g"))), "-O1", "-w")


class Pool:
    """Threads, each of which takes a free worker for what it is given."""

    def __init__(self, workers, processes):
        self.free = list(workers)
        self.processes = processes
        self.threads = concurrent.futures.ThreadPoolExecutor(len(self.free))

    def submit(self, work, *arguments):
        def with_worker():
            worker = self.free.pop()
            try:
                return work(worker, *arguments)
            finally:
                self.free.append(worker)
        return self.threads.submit(with_worker)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.processes.close()
        self.threads.shutdown(cancel_futures=True)


# ---- the run ---------------------------------------------------------------------------------------------------------


def run(draw, jury, pool, jobs, results, keep_going):
    """[(place, its result)] of all that is drawn and counts."""
    done, running = [], {}

    def judge(worker, place):
        return jury.judge(worker, place, keep_going)

    def finish(place, result, took):
        if result["kind"] in ("does not compile", "not compiled"):
            draw.refused(place)
        else:
            done.append((place, result))
        say(f"[{len(done)}] {place.file}:{place.line} {place.change}: {words_of(result)} ({took})")

    def start_some():
        while len(running) < jobs and (place := draw.next()):
            known = results.content.get(place.key())
            fits = known and known["stamp"] == jury.stamp(known["units"]) and (known["kind"] != "killed" or not keep_going)
            # A survivor must have met all who can notice now.
            if fits and (known["kind"] != "survived" or
                         {unit.name for unit in jury.about(place) if not unit.problem} <= set(known["units"])):
                finish(place, known, "known")
            else:
                running[pool.submit(judge, place)] = place

    start_some()
    while running:
        finished, _ = concurrent.futures.wait(running, return_when=concurrent.futures.FIRST_COMPLETED)
        for future in finished:
            place = running.pop(future)
            verdict = future.result()
            result = dict(dataclasses.asdict(verdict), stamp=jury.stamp(verdict.units))
            results.content[place.key()] = result
            results.save()
            finish(place, result, f"{verdict.seconds:.0f} s")
        start_some()
    return sorted(done, key=lambda item: (item[0].file, item[0].line, item[0].change))


def words_of(result):
    return "; ".join(result["by"]) if result["kind"] == "killed" else result["kind"]


# ---- what is told ----------------------------------------------------------------------------------------------------


def read_equivalents(path=EQUIVALENT):
    """{place's key: why breaking it changes nothing}"""
    reasons = {}
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if line and not line.startswith("#"):
            parts = line.split(breaking.SEPARATOR)
            if len(parts) != 4 or not all(part.strip() for part in parts):
                raise SystemExit(f"{path}:{number}: expected FILE ## LINE'S TEXT ## CHANGE ## REASON, got: {line}")
            reasons[breaking.SEPARATOR.join(part.strip() for part in parts[:3])] = parts[3].strip()
    return reasons


def without_place(equivalents, include=project.INCLUDE):
    """The lines of equivalent.txt that no place fits any more."""
    headers = set(project.headers(include))
    named = {key.split(breaking.SEPARATOR)[0] for key in equivalents}
    keys = {place.key() for header in named & headers
            for place in breaking.find_places(header, (include / header).read_text())}
    return [key for key in equivalents if key not in keys]


def code(text):
    return "`" + text.replace("|", "\\|") + "`"


def cell(text):
    return text.replace("|", "\\|")


def report(done, equivalents, left_out):
    """The report in Markdown, and whether all is well. left_out: units that can't be used."""
    counts = collections.defaultdict(collections.Counter)
    rows, survivors, wrong = [], [], []
    for place, result in done:
        argued = place.key() in equivalents
        if result["kind"] == "killed":
            kind, verdict = "killed", words_of(result)
            if argued:
                wrong.append(f"argued to change nothing, but {words_of(result)} noticed: {place.key()}")
        elif argued:
            kind, verdict = "equivalent", "changes nothing: " + equivalents[place.key()]
        else:
            kind, verdict = "survived", "**SURVIVED**"
            survivors.append(place)
        counts[project.room(place.file)][kind] += 1
        rows.append(f"| {place.file}:{place.line} | {code(place.text)} | {cell(place.change)} | {cell(verdict)} |")
    wrong += [f"no such place any more: {key}" for key in without_place(equivalents)]

    lines = ["| place | line | change | noticed by |", "| --- | --- | --- | --- |", *rows, ""]
    lines += ["| room | drawn | killed | survived | change nothing |", "| --- | --- | --- | --- | --- |"]
    total = sum(counts.values(), collections.Counter())
    for name, count in [*sorted(counts.items()), ("all", total)]:
        lines.append(f"| {name} | {count.total()} | {count['killed']} | {count['survived']} | {count['equivalent']} |")
    seconds = [result["seconds"] for _, result in done]
    if seconds:
        lines += ["", f"{sum(seconds) / len(seconds):.0f} s a break in the mean, {max(seconds):.0f} s at most."]
    if survivors:
        lines += ["", "Survivors, as equivalent.txt names them:", ""]
        lines += [f"    {place.key()}{breaking.SEPARATOR}REASON" for place in survivors]
    if wrong:
        lines += ["", "Wrong in equivalent.txt:", "", *(f"    {line}" for line in wrong)]
    if left_out:
        lines += ["", "Could not notice anything, for they fail on the unbroken code:", ""]
        lines += [f"    {unit.name}: {unit.problem}" for unit in left_out]
    return "\n".join(lines) + "\n", not survivors and not wrong and not left_out


def main():
    chosen = options()
    headers = [header for header in project.headers()
               if (not chosen.rooms or project.room(header) in chosen.rooms)
               and (not chosen.files or fnmatch.fnmatch(header, chosen.files))]
    if chosen.only:
        file, _, line = chosen.only.removeprefix(f"include/{project.INCLUDE.name}/").rpartition(":")
        headers = [header for header in headers if header == file]
    found = places_of(headers)
    if not any(found.values()):
        raise SystemExit("tests/mutate.sh: no header has a place like that")
    say(f"{sum(map(len, found.values()))} breaks are possible in {len(found)} headers")

    if chosen.only:
        all_places = [place for place in found[file] if place.line == int(line)]
        draw = AllOf(all_places)
    else:
        by_room = collections.defaultdict(dict)
        for header, places in found.items():
            by_room[project.room(header)][header] = places
        draw = Draw({room: queue_of_room(chosen.seed, places) for room, places in by_room.items()}, chosen.count)
    if chosen.list:
        while place := draw.next():
            print(f"{place.file}:{place.line}: {place.change}: {place.text}")
        return

    folder = chosen.build
    equivalents = read_equivalents()
    processes = Processes()
    workers = [Worker(folder / f"worker-{k}", project.ROOT, project.INCLUDE.name, processes) for k in range(chosen.jobs)]
    with Pool(workers, processes) as pool:
        units = all_units(folder / "cmake", folder, processes)
        jury = Jury(units, Coverage(chosen.coverage), Store(folder / "units.json"), equivalents)
        jury.list_files(pool)
        done = run(draw, jury, pool, chosen.jobs, Store(folder / "results.json"), chosen.keep_going)
    text, well = report(done, equivalents, [unit for unit in units if unit.problem])
    (folder / "report.md").write_text(text)
    print(text, end="")
    sys.exit(0 if well else 1)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        main()
    except (KeyboardInterrupt, Stopped):
        sys.exit("broken off; the next run goes on from here")
