#!/usr/bin/env python3
"""Tests of the mutation and the coverage run, on a little library of their own.

usage: test_mutation.py [COMPILER]
"""
import pathlib
import sys
import tempfile
import unittest

import coverage
import mutate
import places
import project
import runner

COMPILER = "c++"

HEADER = r'''#pragma once
#include <room/other.hpp>
/// Not a place: a < b, 17, true.
#define NOT_A_PLACE (1 + 2)
constexpr int format_version = 3;
template <class T, std::enable_if_t<(sizeof(T) > 4), int> = 0>
struct Sample {
  virtual int f(const T& a, T* b) const = 0;
  std::vector<std::vector<T>> rows;
  T size = 8;
};
static_assert(sizeof(int) == 4, "12 < 13");
inline int clamp(int x, int low, int high) {
  require(low <= high, "low is ", low,
          ", more than high");
  if (const int y = x; y < low && low > 0) return -low;  // 7 + 8
  log("a && b", 'c');
  Sample<int> unused(1);
  total += x;
  for (int i = 0; i < x; ++i) ++count;
  return std::min(x, high) * 0x10u + 0.5f;
}
'''


def found(text):
    return [(place.line, place.change) for place in places.find_places("room/a.hpp", text)]


class Places(unittest.TestCase):
    def test_all_of_a_sample_are_found_and_no_others(self):
        self.assertEqual(found(HEADER), [
            (6, "`>` -> `>=`"), (6, "`>` -> `<`"), (6, "`4` -> `5`"), (6, "`4` -> `3`"),
            (10, "`8` -> `9`"), (10, "`8` -> `7`"),
            (12, "static_assert off"),
            (14, "statement deleted"), (14, "`<=` -> `<`"), (14, "`<=` -> `>=`"),
            (16, "`if` never"), (16, "`<` -> `<=`"), (16, "`<` -> `>`"), (16, "`&&` -> `||`"),
            (16, "`>` -> `>=`"), (16, "`>` -> `<`"), (16, "`0` -> `1`"), (16, "`-` -> ``"),
            (17, "statement deleted"),
            (18, "`1` -> `2`"), (18, "`1` -> `0`"),
            (19, "statement deleted"), (19, "`+=` -> `-=`"),
            (20, "`0` -> `1`"), (20, "`<` -> `<=`"), (20, "`<` -> `>`"), (20, "`++` -> `--`"), (20, "statement deleted"),
            (21, "`min` -> `max`"), (21, "`*` -> `/`"), (21, "`0x10u` -> `0x11u`"), (21, "`0x10u` -> `0xfu`"),
            (21, "`+` -> `-`"), (21, "`0.5f` -> `(2 * 0.5f)`"),
        ])

    def test_a_change_touches_its_place_alone(self):
        by_change = {(place.line, place.change): place for place in places.find_places("room/a.hpp", HEADER)}

        def line_after(line, change):
            return by_change[line, change].apply(HEADER).split("\n")[line - 1].strip()
        self.assertEqual(line_after(12, "static_assert off"), 'static_assert(true || (sizeof(int) == 4), "12 < 13");')
        self.assertEqual(line_after(14, "statement deleted"), ";")
        self.assertEqual(line_after(16, "`if` never"),
                         "if (const int y = x; false && (y < low && low > 0)) return -low;  // 7 + 8")
        self.assertEqual(line_after(16, "`-` -> ``"), "if (const int y = x; y < low && low > 0) return  low;  // 7 + 8")
        for place in by_change.values():
            broken = place.apply(HEADER)
            self.assertNotEqual(broken, HEADER)
            self.assertEqual(broken[:place.begin], HEADER[:place.begin])
            self.assertEqual(broken[place.begin + len(place.replacement):], HEADER[place.end:])

    def test_alike_places_have_names_of_their_own_which_do_not_move_with_the_lines(self):
        text = "void f() {\n  x = a + b + c;\n  x = a + b + c;\n}\n"
        plus = [change for _, change in found(text) if "+" in change]
        self.assertEqual(plus, ["`+` -> `-`", "`+` -> `-`, 2nd in the line", "`+` -> `-`, 2nd such line",
                                "`+` -> `-`, 2nd in the line, 2nd such line"])
        moved = places.find_places("room/a.hpp", "// one line more\n\n" + HEADER.replace("  log", "    log"))
        self.assertEqual([place.key() for place in moved],
                         [place.key() for place in places.find_places("room/a.hpp", HEADER)])

    def test_the_lines_around_a_place_are_those_of_its_statement(self):
        deleted = next(place for place in places.find_places("room/a.hpp", HEADER) if place.change == "statement deleted")
        self.assertEqual(list(deleted.statement), [14, 15])


class Drawing(unittest.TestCase):
    def queues(self, text=HEADER):
        found = {header: places.find_places(header, text) for header in ("one/a.hpp", "one/b.hpp", "two/a.hpp")}
        return {"one": mutate.queue_of_room(1, {header: found[header] for header in ("one/a.hpp", "one/b.hpp")}),
                "two": mutate.queue_of_room(1, {"two/a.hpp": found["two/a.hpp"]})}

    def drawn(self, draw):
        return list(iter(draw.next, None))

    def test_rooms_and_headers_come_in_turn_and_a_token_once(self):
        drawn = self.drawn(mutate.Draw(self.queues(), 12))
        count = {file: sum(place.file == file for place in drawn) for file in ("one/a.hpp", "one/b.hpp", "two/a.hpp")}
        self.assertEqual(count, {"one/a.hpp": 3, "one/b.hpp": 3, "two/a.hpp": 6})
        self.assertEqual(len({(place.file, place.begin, place.end) for place in drawn}), 12)

    def test_the_same_seed_draws_the_same_wherever_the_lines_are(self):
        keys = [place.key() for place in self.drawn(mutate.Draw(self.queues(), 12))]
        self.assertEqual(keys, [place.key() for place in self.drawn(mutate.Draw(self.queues("\n\n" + HEADER), 12))])

    def test_for_a_place_that_does_not_compile_another_is_drawn(self):
        draw = mutate.Draw(self.queues(), 2)
        first, second = draw.next(), draw.next()
        self.assertIsNone(draw.next())
        draw.refused(first)
        third = draw.next()
        self.assertEqual(project.room(third.file), project.room(first.file))
        self.assertNotIn(third.key(), (first.key(), second.key()))
        self.assertIsNone(draw.next())


LIBRARY = '''#pragma once
inline int twice(int x) {
  if (x > 1000) return 0;
  int sum = 0;
  for (int i = 0; i < 2; i += 1) sum += x;
  return sum;
}
constexpr int sizes[2] = {1, 2};
#ifdef ANOTHER_SYSTEM
constexpr int other = 7;
#endif
'''
PROGRAM = '''#include <library/room/twice.hpp>
#include <cstdio>
int main() {
  if (twice(4) == 8) return 0;
  std::puts("TEST CASE:  twice is two times");
  return 1;
}
'''
REFUSED = '''#include <library/room/twice.hpp>
static_assert(sizes[1] == 3, "sizes is not three");
int main() {}
'''


class Running(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        root = pathlib.Path(cls.folder.name).resolve()
        header = root / "include" / "library" / "room" / "twice.hpp"
        header.parent.mkdir(parents=True)
        header.write_text(LIBRARY)
        (root / "program.cpp").write_text(PROGRAM)
        (root / "refused.cpp").write_text(REFUSED)
        cls.header = header
        cls.worker = runner.Worker(root / "scratch", root, "library", runner.Processes())
        command = (COMPILER, "-std=c++17", f"-I{root / 'include'}")
        cls.unit = runner.Unit("room/program", command, root / "program.cpp")
        cls.refused = runner.Unit("room/refused", (*command, "-fsyntax-only"), root / "refused.cpp",
                                  refused=True, sentence="is not three")
        for unit in (cls.unit, cls.refused):
            cls.worker.list_files(unit)
            cls.worker.measure(unit)
            assert unit.problem is None, unit.problem
        cls.places = places.find_places("room/twice.hpp", LIBRARY)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def judge(self, line, change, unit=None):
        place = next(place for place in self.places if (place.line, place.change) == (line, change))
        verdict = self.worker.judge(place, [unit or self.unit])
        self.assertEqual((self.worker.library / "room/twice.hpp").read_text(), LIBRARY)
        self.assertEqual(self.header.read_text(), LIBRARY)
        return verdict

    def test_what_a_program_is_made_of(self):
        self.assertEqual(self.unit.files, ("include/library/room/twice.hpp", "program.cpp"))

    def test_a_failing_test_kills_and_is_named(self):
        verdict = self.judge(5, "`2` -> `3`")
        self.assertEqual(verdict, runner.Verdict("killed", ("room/program: twice is two times",), ("room/program",)))

    def test_what_no_test_notices_survives(self):
        self.assertEqual(self.judge(3, "`if` never"), runner.Verdict("survived", (), ("room/program",)))

    def test_a_loop_without_end_kills(self):
        patience, runner.PATIENCE = runner.PATIENCE, 0.5
        try:
            verdict = self.judge(5, "`1` -> `0`")
        finally:
            runner.PATIENCE = patience
        self.assertEqual(verdict.by, ("room/program: no end",))

    def test_what_does_not_compile_does_not_count(self):
        self.assertEqual(self.judge(8, "`2` -> `1`").kind, "does not compile")

    def test_what_the_preprocessor_leaves_out_is_told_apart(self):
        def compiles(line):
            return self.worker.compiles(self.unit, next(place for place in self.places if place.line == line))
        self.assertTrue(compiles(5))
        self.assertFalse(compiles(10))
        self.assertEqual((self.worker.library / "room/twice.hpp").read_text(), LIBRARY)

    def test_what_the_compiler_must_refuse_notices_other_sentences(self):
        self.assertEqual(self.judge(8, "`2` -> `3`, 2nd in the line", self.refused).kind, "killed")
        self.assertEqual(self.judge(3, "`if` never", self.refused).kind, "survived")

    def test_the_first_failing_test_case_is_named(self):
        said = "TEST CASE:  one\n\nTEST CASE:  two\n\na.cpp:3: ERROR: CHECK( false ) is NOT correct!\nTEST CASE:  three\n"
        self.assertEqual(runner.first_failure(said), "two")
        self.assertEqual(runner.first_failure("TEST CASE:  one\nTEST CASE:  two\n"), "two")
        self.assertEqual(runner.first_failure("Segmentation fault"), "")


class Telling(unittest.TestCase):
    def setUp(self):
        self.place = places.find_places("room/a.hpp", HEADER)[0]
        self.survived = {"kind": "survived", "by": (), "seconds": 1}

    def test_a_survivor_makes_the_run_fail_and_an_argued_one_does_not(self):
        text, well = mutate.report([(self.place, self.survived)], {}, [])
        self.assertFalse(well)
        self.assertIn(self.place.key() + " ## REASON", text)

    def test_an_argument_that_fits_no_place_is_told(self):
        text, well = mutate.report([], {self.place.key(): "a reason"}, [])
        self.assertFalse(well)
        self.assertIn("no such place any more: " + self.place.key(), text)

    def test_a_test_that_fails_on_the_unbroken_code_is_told(self):
        text, well = mutate.report([], {}, [runner.Unit("core/random", (), pathlib.Path(), problem="it fails")])
        self.assertFalse(well)
        self.assertIn("core/random: it fails", text)

    def test_every_line_of_equivalent_txt_still_fits_a_place(self):
        self.assertEqual(mutate.without_place(mutate.read_equivalents()), [])

    def test_lines_are_told_as_ranges_and_shares(self):
        self.assertEqual(coverage.ranges([3, 1, 2, 7, 9, 10]), "1-3, 7, 9-10")
        total = coverage.Lines()
        total.of["core/a.hpp"] = {1: True, 2: False, 3: True, 4: True}
        text, share = coverage.report(total, [])
        self.assertEqual(share, 75)
        self.assertIn("| core | 4 | 3 | 75.0 |", text)
        self.assertIn("- core/a.hpp (75 %): 2\n", text)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        COMPILER = sys.argv.pop(1)
    unittest.main()
