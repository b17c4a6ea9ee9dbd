"""What the mutation and the coverage run must know of this project: its headers, and how its tests are compiled."""
import dataclasses
import json
import pathlib
import re
import shlex
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
INCLUDE = ROOT / "include" / "dasvdd"

# The kernel sets that DASVDD_KERNELS names, and what a CPU must have for them; the last one that it has is chosen by itself.
KERNEL_SETS = {"portable": set(), "avx2": {"avx2", "fma"},
               "avx512": {"avx2", "fma", "avx512f", "avx512dq", "avx512vl", "avx512bw"}}


def headers(include=INCLUDE):
    """Paths of all headers in rooms, relative to `include`."""
    return sorted(str(path.relative_to(include)) for path in include.glob("*/**/*") if path.suffix in (".hpp", ".inc"))


def room(header):
    return header.split("/")[0]


def cpu_features():
    """As the kernel names them, without the underscores and dashes that GCC writes elsewhere."""
    try:
        text = pathlib.Path("/proc/cpuinfo").read_text()
    except OSError:
        return set()
    flags = re.search(r"^flags\s*:(.*)$", text, re.MULTILINE)
    return {re.sub("[-_]", "", flag) for flag in flags[1].split()} if flags else set()


def kernel_sets():
    has = cpu_features()
    return [name for name, needed in KERNEL_SETS.items() if needed <= has]


def runs_here(text):
    """Whether this CPU has what the functions of a header are compiled for."""
    targets = re.findall(r'\btarget\("([^"]*)"\)', text)
    return {re.sub("[-_]", "", feature) for target in targets for feature in target.split(",")} <= cpu_features()


@dataclasses.dataclass(frozen=True)
class TestSource:
    """A source of a test program. The same file may be one of several programs, with other options."""
    target: str  # of CMake's
    program: pathlib.Path
    path: pathlib.Path
    command: tuple  # the compiler and its options, without source and output

    def of_room(self):
        """Whether its program has the tests of a room, rather than some of them in another form."""
        return self.target == "test_" + self.path.parent.name

    def name(self):
        name = str(self.path.relative_to(ROOT / "tests").with_suffix(""))
        return name if self.of_room() else f"{name} ({self.target})"


def test_sources(build):
    """The sources with test cases in a configured build folder, each with the source of its program's main."""
    mains, sources, with_cases = {}, [], set()
    for entry in json.loads((build / "compile_commands.json").read_text()):
        command = shlex.split(entry["command"])
        path = pathlib.Path(entry["file"])
        target = re.fullmatch(r"(tests/(?:.*/)?)CMakeFiles/(test_[^/]*)\.dir/.*", command[command.index("-o") + 1])
        if not target or ROOT / "tests" not in path.parents:
            continue
        source = TestSource(target[2], build / target[1] / target[2], path, without_files(command, path))
        text = path.read_text()
        if "TEST_CASE" in text:
            with_cases.add(source.target)
        if "DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN" in text:
            mains[source.target] = source
        # Programs with a main of their own have no test cases, and the tests of examples/ are not about include/.
        elif not re.search(r"\bmain\(", text) and not any(str(ROOT / "examples") in word for word in source.command):
            sources.append(source)
    # A target without test cases is no program: its compile is the test.
    sources = [source for source in sources if source.target in with_cases]
    shared = next(main for main in mains.values() if main.target not in {source.target for source in sources})
    return [(source, mains.get(source.target, shared)) for source in sources]


def without_files(command, source):
    options, skip = [], False
    for word in command:
        if skip:
            skip = False
        elif word in ("-o", "-MF", "-MT"):
            skip = True
        elif word not in ("-c", "-MD", "-MMD", str(source)):
            options.append(word)
    return tuple(options)


def refusals(build):
    """(name, command, sentence) of the tests that a compiler must refuse, as ctest knows them; the sentence is a regular
    expression, None where the source must compile."""
    listed = subprocess.run(["ctest", "--show-only=json-v1"], cwd=build, text=True, capture_output=True, check=True)
    for test in json.loads(listed.stdout)["tests"]:
        command = test.get("command", [])
        if "-fsyntax-only" in command:
            properties = {p["name"]: p["value"] for p in test.get("properties", [])}
            yield test["name"], tuple(command), next(iter(properties.get("PASS_REGULAR_EXPRESSION", [])), None)
