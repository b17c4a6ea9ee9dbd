"""Measures which lines of the headers the tests run; called by `sh tests/coverage.sh`.

Every test program runs under each kernel set that the CPU has. A line counts as covered when any instantiation of it ran.
What Clang sees as code counts, functions that no test calls among it, but templates that none instantiates do not.

Prints a table in Markdown and, for each header, the lines that nothing ran; fails below a share. Leaves lines.json, which
says which test source runs which lines: `sh tests/mutate.sh` asks those first that can notice.
"""
import argparse
import collections
import hashlib
import json
import os
import pathlib
import subprocess
import sys
import xml.etree.ElementTree

import project

ENOUGH = 95.0  # percent of all lines


def options():
    parser = argparse.ArgumentParser(prog="sh tests/coverage.sh", description=__doc__.split("\n")[0])
    parser.add_argument("--build", type=pathlib.Path, required=True, help=argparse.SUPPRESS)
    parser.add_argument("--at-least", type=float, default=ENOUGH, metavar="PERCENT",
                        help=f"fail where fewer of all lines are run (default {ENOUGH:g})")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="compilers at a time (default: one a core)")
    return parser.parse_args()


def say(*words):
    print("dasvdd:", *words, file=sys.stderr, flush=True)


def tool(name):
    """A program of LLVM, of the same version as the compiler."""
    version = subprocess.run(["clang++", "-dumpversion"], text=True, capture_output=True, check=True).stdout
    numbered = f"{name}-{version.split('.')[0]}"
    for candidate in (numbered, name):
        if any(pathlib.Path(folder, candidate).exists() for folder in os.get_exec_path()):
            return candidate
    raise SystemExit(f"tests/coverage.sh: no {numbered} here")


def sources_of(program):
    """The files with test cases in a program, as doctest knows them: a header may hold some."""
    # Nothing is measured here, and no profile left where the command was given.
    listed = subprocess.run([program, "--list-test-cases", "--reporters=xml"], text=True, capture_output=True, check=True,
                            env={**os.environ, "LLVM_PROFILE_FILE": os.devnull})
    cases = xml.etree.ElementTree.fromstring(listed.stdout).iter("TestCase")
    return sorted({case.get("filename") for case in cases})


class Lines:
    """{header: {line: whether it ran}}, of one run or of several."""

    def __init__(self):
        self.of = collections.defaultdict(dict)

    def add(self, other):
        for header, lines in other.of.items():
            for line, ran in lines.items():
                self.of[header][line] = self.of[header].get(line, False) or ran

    def ran(self):
        return {header: sorted(line for line, ran in lines.items() if ran) for header, lines in self.of.items()}


class Measurement:
    def __init__(self, folder):
        self.folder = folder
        self.raw, self.merged = folder / "raw", folder / "merged.profdata"
        self.failed = []

    def run(self, program, source, kernels):
        """The lines that the test cases of one file run with a kernel set; an empty name leaves the choice to them."""
        for old in self.folder.glob("raw*"):
            old.unlink()
        environment = {**os.environ, "DASVDD_KERNELS": kernels, "OMP_WAIT_POLICY": "passive",
                       "LLVM_PROFILE_FILE": f"{self.raw}-%p"}
        # The commas and stars of a path would be the filter's.
        done = subprocess.run([program, "--source-file=*" + source.replace("\\", "\\\\").replace(",", "\\,")],
                              env=environment, text=True, capture_output=True)
        if done.returncode != 0:
            self.failed.append(f"{source} of {program.name} with {kernels or 'its own'} kernels")
            say("failed:", self.failed[-1])
            print(done.stdout, file=sys.stderr)
        return self.lines(program)

    def lines(self, program):
        subprocess.run([tool("llvm-profdata"), "merge", "-o", self.merged, *self.folder.glob("raw*")], check=True)
        exported = subprocess.run([tool("llvm-cov"), "export", "--format=lcov", "--instr-profile", self.merged, program,
                                   project.INCLUDE], text=True, capture_output=True, check=True)
        result = Lines()
        for row in exported.stdout.splitlines():
            kind, _, rest = row.partition(":")
            if kind == "SF":
                header = result.of[str(pathlib.Path(rest).relative_to(project.INCLUDE))]
            elif kind == "DA":
                number, count = rest.split(",")[:2]
                header[int(number)] = int(count) > 0
        return result


def ranges(numbers):
    """1, 2, 3, 7 as "1-3, 7"."""
    parts = []
    for number in sorted(numbers):
        if parts and parts[-1][1] == number - 1:
            parts[-1][1] = number
        else:
            parts.append([number, number])
    return ", ".join(str(first) if first == last else f"{first}-{last}" for first, last in parts)


def percent(lines):
    return 100 * sum(lines) / len(lines) if lines else 100.0


def report(total, left_out):
    rooms = collections.defaultdict(list)
    for header, lines in total.of.items():
        rooms[project.room(header)].extend(lines.values())
    everything = [ran for lines in rooms.values() for ran in lines]
    rows = ["| room | lines | run | percent |", "| --- | --- | --- | --- |"]
    for name, lines in [*sorted(rooms.items()), ("all", everything)]:
        rows.append(f"| {name} | {len(lines)} | {sum(lines)} | {percent(lines):.1f} |")
    rows += ["", "Lines that no test runs:", ""]
    for header, lines in sorted(total.of.items()):
        missed = [line for line, ran in lines.items() if not ran]
        if missed:
            rows.append(f"- {header} ({percent(list(lines.values())):.0f} %): {ranges(missed)}")
    if left_out:
        rows += ["", "Left out, for this CPU can't run them: " + ", ".join(left_out) + "."]
    return "\n".join(rows) + "\n", percent(everything)


def main():
    chosen = options()
    cmake = chosen.build / "cmake"
    sources = [source for source, _ in project.test_sources(cmake)]
    programs = {source.program: source for source in sources}
    subprocess.run(["cmake", "--build", cmake, "--parallel", str(chosen.jobs), "--target",
                    *(source.target for source in programs.values())], check=True, stdout=sys.stderr)

    measurement = Measurement(chosen.build)
    total, runs = Lines(), collections.defaultdict(dict)
    for program, any_source in programs.items():
        others = project.kernel_sets()[:-1] if any_source.of_room() else []
        for source in sources_of(program):
            name = str(pathlib.Path(source).relative_to(project.ROOT))
            say("running", name, "of", program.name)
            for kernels in [*others, ""]:
                lines = measurement.run(program, source, kernels)
                total.add(lines)
            runs[any_source.target][name] = lines.ran()

    texts = [*project.ROOT.glob("include/**/*"), *project.ROOT.glob("tests/**/*")]
    digests = {str(path.relative_to(project.ROOT)): hashlib.sha256(path.read_bytes()).hexdigest()
               for path in texts if path.is_file()}
    (chosen.build / "lines.json").write_text(json.dumps({"digests": digests, "runs": runs}))

    left_out = [header for header in list(total.of) if not project.runs_here((project.INCLUDE / header).read_text())]
    for header in left_out:
        del total.of[header]
    text, share = report(total, left_out)
    (chosen.build / "report.md").write_text(text)
    print(text, end="")
    if measurement.failed:
        sys.exit("tests/coverage.sh: tests failed: " + "; ".join(measurement.failed))
    if share < chosen.at_least:
        sys.exit(f"tests/coverage.sh: {share:.2f} % of the lines are run, expected at least {chosen.at_least:g} %")


if __name__ == "__main__":
    main()
