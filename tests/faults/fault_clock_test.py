#!/usr/bin/python3
"""The wall clock is stepped, back one hour and forward one day: no beat is missed, no rate is false, nothing is lost.

libfaketime steps what virtmeter reads as the time of day, and leaves the clocks for intervals alone, as a real step does.
"""

import glob
import os
import sys
import unittest

import faults_support as faults
from faults_support import DB, Host, Influxd, tally

VMS = 10


def libfaketime():
    found = glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")
    if not found:
        raise AssertionError("libfaketime is not installed: apt-get install libfaketime")
    return found[0]


class SteppedClock(unittest.TestCase):
    def test_back_one_hour_and_forward_one_day(self):
        influx = self.enterContext(Influxd())
        influx.create_database(DB)
        folder = self.enterContext(faults.temp_folder())
        step = os.path.join(folder, "step")
        self.write_step(step, "+0")
        host = self.enterContext(Host(
            faults.node(self, VMS), influx.url, LD_PRELOAD=libfaketime(), FAKETIME_TIMESTAMP_FILE=step,
            FAKETIME_NO_CACHE="1", FAKETIME_DONT_FAKE_MONOTONIC="1", FAKETIME_DONT_RESET="1"))
        host.start()
        host.wait_cycles(4)
        for offset in ("-3600", "+86400"):
            self.write_step(step, offset)
            host.wait_cycles(5, seconds=20)
        self.assertLessEqual(host.status()["collector"]["missed_beats"], 1)
        faults.wait_until_even(host)
        host.stop()
        tally(self, "wall clock back one hour, forward one day", host, faults.count_points(influx, DB))
        times = [row["time"] for row in influx.query('SELECT cpus FROM vm_totals WHERE "name"=\'vm0\'', db=DB)]
        jumps = [b - a for a, b in zip(times, times[1:])]
        # Three stretches: an hour ago, now, in a day.
        self.assertEqual(2, len([jump for jump in jumps if jump > 60e9]), jumps)
        # What is made of a counter that did not move by a step of its own has no step in its rate.
        rates = influx.query("SELECT memory_rate_kb_per_sec FROM vm_features", db=DB)
        self.assertEqual({0}, {row["memory_rate_kb_per_sec"] for row in rates})

    @staticmethod
    def write_step(path, text):
        with open(path + ".new", "w", encoding="ascii") as file:
            file.write(text + "\n")
        os.rename(path + ".new", path)


if __name__ == "__main__":
    sys.exit(unittest.main(verbosity=2))
