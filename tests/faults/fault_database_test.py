#!/usr/bin/python3
"""The database goes away, in every way it can, under a virtmeter that goes on: nothing is lost.

Real influxd and VictoriaMetrics; the VMs are those of libvirt's test driver, because lines are what is counted.
"""

import os
import signal
import sys
import time
import unittest

import faults_support as faults
from faults_support import DB, Host, Influxd, tally
from databases import VictoriaMetrics

VMS = 20
AWAY_SECONDS = faults.longer(4, 300)


class InfluxdGoes(unittest.TestCase):
    def setUp(self):
        self.node = faults.node(self, VMS)
        self.influx = self.enterContext(Influxd())
        self.influx.create_database(DB)

    def host(self, *arguments, **variables):
        return self.enterContext(Host(self.node, self.influx.url, *arguments, **variables))

    def finish(self, fault, host):
        """Everything that was collected is in the database, every cycle whole."""
        faults.wait_until_even(host)
        host.stop()
        tally(self, fault, host, faults.count_points(self.influx, DB))
        # What came in while it was ending may wait in the spool: every cycle that has arrived is whole all the same,
        # but for the last, which the end may have cut in two.
        return host

    def test_killed_and_restarted(self):
        host = self.host()
        host.start()
        host.wait_cycles(3)
        self.influx.kill()
        host.wait(lambda: faults.sink_of(host.status())["failing_since"], "delivery to fail")
        self.assertEqual(503, host.ready()[0])
        time.sleep(AWAY_SECONDS)
        self.influx.start()
        self.finish("influxd killed and restarted", host)

    def test_stopped_and_continued(self):
        host = self.host()
        host.start()
        host.wait_cycles(3)
        os.kill(self.influx.pid, signal.SIGSTOP)
        time.sleep(AWAY_SECONDS)
        before = host.status()["collector"]
        host.wait_cycles(4, seconds=10)
        self.assertEqual(before["missed_beats"], host.status()["collector"]["missed_beats"])
        os.kill(self.influx.pid, signal.SIGCONT)
        self.finish("influxd stopped (SIGSTOP) and continued", host)

    def test_restarted_in_good_order(self):
        host = self.host()
        host.start()
        for _round in range(faults.longer(2, 20)):
            host.wait_cycles(2)
            self.influx.stop()
            host.wait_cycles(2)
            self.influx.start()
        self.finish("influxd restarted", host)

    def test_started_only_later(self):
        self.influx.stop()
        host = self.host()
        host.start()
        host.wait_cycles(6)
        self.assertEqual(0, faults.sink_of(host.status())["delivered"])
        self.influx.start()
        self.finish("influxd started only later", host)

    def test_virtmeter_restarted_during_the_outage(self):
        host = self.host()
        host.start()
        host.wait_cycles(3)
        self.influx.kill()
        host.wait_cycles(3)
        host.stop()
        self.assertGreater(faults.spool_counts(host)["waiting"], 0)
        host.start()
        host.wait_cycles(3)
        self.influx.start()
        self.finish("influxd away while virtmeter restarts", host)


class VictoriaMetricsLosesItsMemory(unittest.TestCase):
    """It acknowledges what it holds in memory only; killed, it forgets it. virtmeter sends the last seconds again."""

    def points(self, database):
        """The timestamps of one series of each VM."""
        return {series["metric"]["name"]: set(series["timestamps"])
                for series in database.export('{__name__="vm_totals_cpus"}')}

    def test_killed_right_after_acknowledging(self):
        database = self.enterContext(VictoriaMetrics())
        host = self.enterContext(Host(faults.node(self, VMS), database.url))
        host.start()
        for _round in range(faults.longer(2, 20)):
            host.wait_cycles(4)
            before = faults.sink_of(host.status())
            database.kill()
            database.start()
            host.wait(lambda: faults.sink_of(host.status())["resent"] > before["resent"], "lines sent again", 60)
        faults.wait_until_even(host)
        host.stop()
        sink = faults.spool_counts(host)
        times = self.points(database)
        self.assertEqual(VMS, len(times))
        first = next(iter(times.values()))
        self.assertTrue(all(moments == first for moments in times.values()))
        # Without a gap: beats are 500 ms apart.
        ordered = sorted(first)
        self.assertLess(max(b - a for a, b in zip(ordered, ordered[1:])), 900)
        print(f"\nVictoriaMetrics killed after acknowledging: {len(ordered)} cycles, all there; sent again "
              f"{sink['resent']} lines", file=sys.stderr)
        self.assertEqual(0, faults.left_over(sink), sink)


if __name__ == "__main__":
    sys.exit(unittest.main(verbosity=2))
