#!/usr/bin/python3
"""What does not answer, in a real database: QEMUs that stand still, and a libvirtd that does, or is killed.

Real QEMU guests on a private libvirtd, and influxd. What vm_health says in each case is in tests/e2e/hung_test.py.
"""

import os
import signal
import sys
import time
import unittest

import faults_support as faults
from faults_support import DB, Host, Influxd, tally
from lab import GuestSpec, Lab

SECONDS = faults.longer(15, 60)
BEAT_SECONDS = 5  # The default: room enough to find ten that hang within one cycle.
VMS = [f"vm{number:02}" for number in range(12)]
STUCK = VMS[1:11]
FINE = [VMS[0], VMS[11]]


class NoAnswer(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.lab = cls.enterClassContext(Lab())
        cls.lab.start_guests([GuestSpec(name, nics=1, disks=1) for name in VMS])

    def setUp(self):
        self.influx = self.enterContext(Influxd())
        self.influx.create_database(DB)
        self.host = self.enterContext(Host(self.lab.uri_ro, self.influx.url, POLL_INTERVAL=f"{BEAT_SECONDS}s",
                                           LIBVIRT_TIMEOUT="5s"))
        self.host.start()
        self.host.wait_cycles(2)

    def times(self, query):
        return [row["time"] for row in self.influx.query(query, db=DB)]

    def finish(self, fault):
        """Waits until all VMs are read whole again; all points have arrived. Returns the times of all beats."""
        self.host.wait_cycles(2)
        faults.wait_until_even(self.host)
        missed = self.host.status()["collector"]["missed_beats"]
        self.host.stop()
        tally(self, fault, self.host, faults.count_points(self.influx, DB))
        beats = self.times("SELECT loop_latency_ms FROM collector_latency")
        return beats, missed

    def check_hang(self, stuck, fault):
        for name in stuck:
            self.lab.stop_process(name)
            self.addCleanup(self.lab.cont_process, name)
        self.host.wait_cycles(round(SECONDS / BEAT_SECONDS))
        for name in stuck:
            self.lab.cont_process(name)
        beats, missed = self.finish(fault)
        self.assertEqual(0, missed)
        for name in VMS:
            self.assertEqual(beats, self.times(f'SELECT cpus FROM vm_totals WHERE "name"=\'{name}\''), name)
        for name in FINE:
            rates = self.times(f'SELECT disk_wr_bytes_rate FROM vm_features WHERE "name"=\'{name}\'')
            self.assertEqual(beats[1:], rates, f"{name} is read whole in every cycle")
            self.assertEqual([], self.times(f'SELECT health_code FROM vm_health WHERE "name"=\'{name}\''))
        for name in stuck:
            hung = self.times(f'SELECT health_code FROM vm_health WHERE "name"=\'{name}\' AND health_code=3')
            self.assertGreaterEqual(len(hung), round(SECONDS / BEAT_SECONDS) - 1, name)

    def test_one_qemu_hangs(self):
        self.check_hang(STUCK[:1], f"a QEMU hangs for {SECONDS} s")

    def test_ten_qemus_hang_at_once(self):
        self.check_hang(STUCK, f"ten QEMUs hang for {SECONDS} s")

    def check_bridged(self, beats, began, ended):
        """Before and after it all VMs are read whole."""
        for name in VMS:
            times = self.times(f'SELECT cpus FROM vm_totals WHERE "name"=\'{name}\'')
            away = [beat for beat in beats if beat not in times]
            self.assertTrue(all(began - BEAT_SECONDS * 1e9 < beat < ended + 5e9 for beat in away), name)
            self.assertEqual(beats[-1], times[-1])

    def test_libvirtd_is_killed_and_restarted(self):
        began = time.time_ns()
        self.lab.kill_libvirtd()
        self.host.wait_cycles(2)
        self.lab.start_libvirtd()
        ended = time.time_ns()
        beats, _ = self.finish("libvirtd killed and restarted")
        self.check_bridged(beats, began, ended)

    def test_libvirtd_stands_still(self):
        libvirtd = self.lab.libvirtd_pid()
        self.addCleanup(os.kill, libvirtd, signal.SIGCONT)
        began = time.time_ns()
        os.kill(libvirtd, signal.SIGSTOP)
        self.host.wait_cycles(2)
        os.kill(libvirtd, signal.SIGCONT)
        ended = time.time_ns()
        beats, _ = self.finish("libvirtd stopped")
        self.check_bridged(beats, began, ended + 30_000_000_000)


if __name__ == "__main__":
    sys.exit(unittest.main(verbosity=2))
