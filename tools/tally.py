#!/usr/bin/python3
"""Counts tests, not test programs, in the JUnit report of a CTest run: one program holds many tests.

    tools/tally.py REPORT     prints "<passed> <failed> <skipped>", then the names of the programs that failed

Knows the closing words of GoogleTest and of Python's unittest; any other program is one test. A program that failed
without a failed test (it crashed, hung, or is not there) counts as one failure. Standard library only.
"""

import re
import sys
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass

_GTEST = re.compile(r"^\[ +(PASSED|FAILED|SKIPPED) +\] (\d+) tests?\b(?! FROM)", re.MULTILINE)
_UNITTEST = re.compile(r"^Ran (\d+) tests? in [^\n]*\n+(?:OK|FAILED)?(?: \(([^)\n]*)\))?", re.MULTILINE)


@dataclass
class Tally:
    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def __add__(self, other):
        return Tally(self.passed + other.passed, self.failed + other.failed, self.skipped + other.skipped)


def tally_of_output(text):
    """The counts that a program's output states; None when it states none."""
    found = _GTEST.findall(text)
    if found:
        count = {word: int(number) for word, number in found}
        return Tally(count.get("PASSED", 0), count.get("FAILED", 0), count.get("SKIPPED", 0))
    found = _UNITTEST.search(text)
    if found is None:
        return None
    count = {key: int(number) for key, number in re.findall(r"([a-z][a-z ]*)=(\d+)", found.group(2) or "")}
    failed = sum(count.get(key, 0) for key in ("failures", "errors", "unexpected successes"))
    skipped = count.get("skipped", 0)
    return Tally(max(0, int(found.group(1)) - failed - skipped), failed, skipped)


def tally_of_program(case):
    """Of one <testcase>, as CTest 3.25 writes it."""
    status = case.get("status")
    skip = case.find("skipped")
    if status == "disabled" or (skip is not None and skip.get("message", "").startswith("SKIP_")):
        return Tally(skipped=1)
    good = status == "run" and case.find("failure") is None
    counts = tally_of_output(case.findtext("system-out", "")) or Tally(passed=int(good))
    if not good and counts.failed == 0:
        counts.failed = 1
    return counts


def main():
    try:
        cases = ElementTree.parse(sys.argv[1]).getroot().findall("testcase")
    except (OSError, ElementTree.ParseError) as error:
        sys.exit(f"tally: {sys.argv[1]}: {error}")
    total, failed_programs = Tally(), []
    for case in cases:
        counts = tally_of_program(case)
        total += counts
        if counts.failed:
            failed_programs.append(case.get("name"))
    print(total.passed, total.failed, total.skipped)
    print(" ".join(failed_programs))


if __name__ == "__main__":
    main()
