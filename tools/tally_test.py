#!/usr/bin/python3
"""Tests of tally.py on the words of the real programs."""

import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from xml.sax.saxutils import escape

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from tally import Tally, tally_of_output

GTEST = """\
[==========] Running 3 tests from 1 test suite.
[       OK ] A.B (0 ms)
[==========] 3 tests from 1 test suite ran. (1 ms total)
[  PASSED  ] 1 test.
[  SKIPPED ] 1 test, listed below:
[  SKIPPED ] A.C
[  FAILED  ] 1 test, listed below:
[  FAILED  ] A.D

 1 FAILED TEST
"""


def report_of(*cases):
    """What tally.py prints of (name, status, output) cases."""
    rows = "".join(f'<testcase name="{name}" status="{status}">{extra}<system-out>{escape(text)}</system-out></testcase>'
                   for name, status, extra, text in cases)
    with tempfile.NamedTemporaryFile("w", suffix=".xml") as file:
        file.write(f"<testsuite>{rows}</testsuite>")
        file.flush()
        done = subprocess.run([HERE / "tally.py", file.name], capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


class TallyTest(unittest.TestCase):
    def check(self, text, passed, failed, skipped):
        self.assertEqual(Tally(passed, failed, skipped), tally_of_output(text))

    def test_googletest(self):
        self.check(GTEST, 1, 1, 1)
        self.check("[  PASSED  ] 12 tests.\n", 12, 0, 0)
        self.check("[  PASSED  ] 0 tests.\n[  FAILED  ] 2 tests, listed below:\n", 0, 2, 0)

    def test_unittest(self):
        self.check("....\nRan 33 tests in 0.215s\n\nOK\n", 33, 0, 0)
        self.check("Ran 1 test in 0.215s\n\nOK (skipped=1)\n", 0, 0, 1)
        self.check("Ran 9 tests in 0.2s\n\nFAILED (failures=2, errors=1, skipped=1)\n", 5, 3, 1)
        self.check("Ran 9 tests in 0.2s\n\nFAILED (expected failures=1, unexpected successes=1)\n", 8, 1, 0)

    def test_a_class_that_could_not_be_set_up(self):
        self.check("Ran 0 tests in 0.2s\n\nFAILED (errors=1)\n", 0, 1, 0)

    def test_other_words_state_nothing(self):
        self.assertIsNone(tally_of_output("all good\n"))

    def test_a_report_is_summed_up(self):
        self.assertEqual(["15 2 1", "b d"],
                         report_of(("a", "run", "", "[  PASSED  ] 12 tests.\n"),
                                   ("b", "fail", '<failure message=""/>', GTEST),
                                   ("c", "run", "", "no words"),
                                   ("d", "fail", '<failure message="SEGFAULT"/>', "[ RUN      ] A.B\n"),
                                   ("e", "run", "", "Ran 1 test in 0.2s\n\nOK\n")))

    def test_a_crash_after_good_tests_is_a_failure(self):
        self.assertEqual(["12 1 0", "a"], report_of(("a", "fail", "<failure/>", "[  PASSED  ] 12 tests.\n")))

    def test_a_program_that_was_not_run(self):
        self.assertEqual(["0 1 0", "a"], report_of(("a", "notrun", '<skipped message="Unable to find executable"/>', "")))
        self.assertEqual(["0 0 1", ""], report_of(("a", "notrun", '<skipped message="SKIP_RETURN_CODE=77"/>', "")))

    def test_no_report_is_an_error(self):
        done = subprocess.run([HERE / "tally.py", "/nowhere"], capture_output=True, text=True, check=False)
        self.assertEqual(1, done.returncode)
        self.assertIn("/nowhere", done.stderr)


if __name__ == "__main__":
    unittest.main()
