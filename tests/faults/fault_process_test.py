#!/usr/bin/python3
"""virtmeter itself is killed, started twice, or handed broken settings. Whatever it had collected arrives."""

import random
import signal
import sys
import time
import unittest

import faults_support as faults
from faults_support import DB, Host, Influxd, tally

VMS = 50


class Killed(unittest.TestCase):
    def setUp(self):
        self.node = faults.node(self, VMS)
        self.influx = self.enterContext(Influxd())
        self.influx.create_database(DB)

    def test_sigkill_at_random_moments_under_load(self):
        host = self.enterContext(Host(self.node, self.influx.url))
        seed = random.randrange(1 << 32)
        moments = random.Random(seed)
        kills = faults.longer(12, 200)
        for number in range(kills):
            host.start(wait=False)
            time.sleep(moments.uniform(0.2, 2.0))
            # Every third time the database is away, so that the spool is being written, read and acknowledged.
            if number % 3 == 1:
                self.influx.kill()
            host.kill()
            if number % 3 == 2:
                self.influx.start()
        if kills % 3 == 2:
            self.influx.start()
        host.start()
        host.wait_cycles(2)
        faults.wait_until_even(host)
        host.stop()
        print(f"\nseed {seed}", file=sys.stderr)
        tally(self, f"{kills} times SIGKILL", host, faults.count_points(self.influx, DB))


class StartedTwice(unittest.TestCase):
    def test_the_second_one_is_refused_and_the_first_goes_on(self):
        influx = self.enterContext(Influxd())
        influx.create_database(DB)
        host = self.enterContext(Host(faults.node(self, 5), influx.url))
        host.start()
        host.wait_cycles(2)
        second = host.run("run")
        self.assertEqual(69, second.returncode, second.stderr)
        self.assertIn(host.spool_dir, second.stderr)
        self.assertIn("fix:", second.stderr)
        host.wait_cycles(2)
        faults.wait_until_even(host)
        host.stop()
        tally(self, "two instances on one spool", host, faults.count_points(influx, DB))


class Reloaded(unittest.TestCase):
    def setUp(self):
        self.influx = self.enterContext(Influxd())
        self.influx.create_database(DB)
        self.host = self.enterContext(Host(faults.node(self, 20), self.influx.url))

    def reload(self, settings, words):
        self.host.write_settings(settings)
        self.host.signal(signal.SIGHUP)
        self.host.wait_log(words)

    def test_a_broken_file_changes_nothing(self):
        self.host.start()
        self.host.wait_cycles(2)
        self.reload("pol_interval = 7\nbatch_max_lines = \"many\"\n", "pol_interval")
        self.assertIn("batch_max_lines", self.host.log())
        self.host.wait_cycles(3)
        self.reload('log_level = "debug"\n', "log_level is debug now")
        self.host.wait_cycles(3)
        faults.wait_until_even(self.host)
        self.host.stop()
        tally(self, "SIGHUP, with a broken file and a good one", self.host, faults.count_points(self.influx, DB))

    def test_reload_during_an_outage_loses_nothing(self):
        self.host.start()
        self.host.wait_cycles(2)
        self.influx.kill()
        self.host.wait_cycles(3)
        for org in ("one", "two", "three"):
            # A setting of the sink, so that each reload makes a new one.
            self.reload(f'influx_org = "{org}"\n', f"influx_org is {org} now")
            self.host.wait_cycles(2)
        self.influx.start()
        faults.wait_until_even(self.host)
        self.host.stop()
        tally(self, "SIGHUP during an outage", self.host, faults.count_points(self.influx, DB))


if __name__ == "__main__":
    sys.exit(unittest.main(verbosity=2))
