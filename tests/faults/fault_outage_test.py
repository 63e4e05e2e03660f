#!/usr/bin/python3
"""A long outage, and then the backlog: it drains oldest first, at a limited rate, and live data is not late for it.

The long form (VIRTMETER_SOAK=1) is one hour at 100 VMs.
"""

import sys
import time
import unittest

import faults_support as faults
from faults_support import DB, Host, Influxd, tally

VMS = 100
LINES_PER_CYCLE = 5 * VMS
OUTAGE_SECONDS = faults.longer(15, 3600)
# Twice the live rate of 1,000 lines a second: slow enough to look at.
DRAIN = faults.longer(2000, 20_000)
DRAIN_SECONDS = faults.longer(600, 3600)


class LongOutage(unittest.TestCase):
    def test_live_data_is_not_starved_by_the_backlog(self):
        influx = self.enterContext(Influxd())
        influx.create_database(DB)
        # Little memory, so that the backlog is on disk.
        host = self.enterContext(Host(faults.node(self, VMS), influx.url, "--max-queue", "2000", "--set",
                                      f"spool.drain_lines_per_sec={DRAIN}"))
        host.start()
        host.wait_cycles(3)
        influx.kill()
        time.sleep(OUTAGE_SECONDS)
        waiting = faults.sink_of(host.status())["waiting"]
        self.assertGreater(waiting, (OUTAGE_SECONDS - 2) * 2 * LINES_PER_CYCLE * 0.8)
        influx.start()
        started = time.monotonic()
        host.wait(lambda: faults.sink_of(host.status())["failing_since"] is None, "delivery to work again", 70)
        ages = []
        while faults.sink_of(host.status())["waiting"] > 2 * LINES_PER_CYCLE and time.monotonic() - started < DRAIN_SECONDS:
            newest = influx.query('SELECT LAST(cpus) FROM vm_totals WHERE "name"=\'vm0\'', db=DB)[0]["time"]
            ages.append((time.time_ns() - newest) / 1e9)
            time.sleep(0.25)
        seconds = time.monotonic() - started
        faults.wait_until_even(host)
        host.stop()
        tally(self, f"{OUTAGE_SECONDS} s outage at {VMS} VMs", host, faults.count_points(influx, DB))
        faults.complete_cycles(self, influx, VMS)
        self.assertGreater(len(ages), 4, "the backlog was gone before anybody could look")
        ages.sort()
        print(f"while {waiting} lines drained in {seconds:.0f} s the newest point was {ages[len(ages) // 2]:.1f} s old, "
              f"at most {ages[-1]:.1f} s", file=sys.stderr)
        # A beat, a batch and the query; one slow answer of a busy machine is no starvation.
        self.assertLess(ages[len(ages) // 2], 1.5)


if __name__ == "__main__":
    sys.exit(unittest.main(verbosity=2))
