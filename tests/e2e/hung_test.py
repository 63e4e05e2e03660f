#!/usr/bin/python3
"""What does not answer: QEMUs that stand still (SIGSTOP), a libvirtd that does, VMs that come and go quickly.

One that hangs costs what only its QEMU knows, and that it hangs is data; all others keep every beat.
VIRTMETER_SOAK=1 asks for the long form: VMs hang for 60 s, and come and go for as long.
"""

import os
import signal
import sys
import threading
import time
import unittest

import truth
from support import (DISK_FIELDS, DISK_RATES, FEATURES_FIELDS, METRICS_FIELDS, NET_RATES, NIC_FIELDS, Daemon, only,
                     run_once, select)

from lab import LINUX, GuestSpec, Lab

LONG = os.environ.get("VIRTMETER_SOAK") == "1"
FAULT_SECONDS = 60 if LONG else 20
BEAT_SECONDS = 2.0
BEAT = ("--poll-interval", f"{BEAT_SECONDS:g}s", "--missing", "omit")
HEALTH_FIELDS = {"health": str, "health_code": int, "reason": str, "reason_code": int, "hung_ms": int, "cpu_age_ms": int,
                 "memory_age_ms": int, "nic_age_ms": int, "disk_age_ms": int}


def during(cycles, begin, end):
    """The cycles that began between the two times, in nanoseconds."""
    return [cycle for cycle in cycles if begin < cycle[0].time < end]


def names_of(cycle, health):
    return {line.tags["name"] for line in select(cycle, "vm_health") if line.fields["health"] == health}


class HungTest(unittest.TestCase):
    """What the cases share: a lab, and a daemon whose cycles and log are kept."""

    def check_every_beat(self, cycles, names):
        """None is missing between the first and the last, and in each these VMs are read whole."""
        times = [cycle[0].time / 1e9 for cycle in cycles]
        for before, now in zip(times, times[1:]):
            # A cycle may begin late when the machine is busy, but never by another beat.
            self.assertLess(now - before, 1.5 * BEAT_SECONDS)
        for cycle in cycles:
            for name in names:
                totals = only(cycle, "vm_totals", name=name).fields
                self.assertIn("disk_rd_req", totals, name)
                self.assertIn("memrss", totals, name)
                self.assertEqual(1, len(select(cycle, "disk", name=name)), name)

    def check_rates(self, cycles):
        """Each is the difference to the VM's previous cycle by the time between them."""
        checked = 0
        for before, now in zip(cycles, cycles[1:]):
            bounds = truth.elapsed_bounds(before, now)
            for line in select(now, "vm_features"):
                old, new = (only(cycle, "vm_totals", uuid=line.tags["uuid"]).fields for cycle in (before, now))
                for field in set(NET_RATES + DISK_RATES) & {key.removesuffix("_rate") for key in line.fields}:
                    rate = line.fields[field + "_rate"]
                    self.assertGreaterEqual(rate, 0)
                    truth.check_rate(self, rate, new[field] - old[field], bounds, line.text)
                    checked += rate > 0
        return checked


class OneHangs(HungTest):
    """A Linux guest with counters that move, stopped for FAULT_SECONDS beside three others."""

    @classmethod
    def setUpClass(cls):
        cls.lab = cls.enterClassContext(Lab())
        cls.lab.start_guests([GuestSpec("stuck", LINUX, nics=1, disks=1),
                              *(GuestSpec(f"fine{i}", nics=1, disks=1) for i in range(3))])
        cls.lab.wait_linux_ready("stuck")
        cls.addClassCleanup(cls.lab.cont_process, "stuck")
        with Daemon(cls.lab.uri_ro, *BEAT) as daemon:
            daemon.wait_cycles(3)
            cls.stopped_at = time.time_ns()
            cls.lab.stop_process("stuck")
            daemon.wait(lambda: time.time_ns() - cls.stopped_at > FAULT_SECONDS * 1e9, "the fault to last",
                        FAULT_SECONDS + 30)
            cls.continued_at = time.time_ns()
            cls.lab.cont_process("stuck")
            daemon.wait(lambda: len(during(daemon.cycles(), cls.continued_at, time.time_ns())) >= 5, "5 cycles more")
            cls.stop_seconds = daemon.stop()
            cls.cycles, cls.log = daemon.cycles(), daemon.log()
        cls.hung = during(cls.cycles, cls.stopped_at, cls.continued_at)
        cls.after = during(cls.cycles, cls.continued_at, time.time_ns())

    def test_the_others_miss_no_beat(self):
        self.assertGreaterEqual(len(self.hung), FAULT_SECONDS / BEAT_SECONDS - 1)
        self.check_every_beat(self.cycles, ["fine0", "fine1", "fine2"])

    def test_that_it_hangs_is_data(self):
        ages = []
        for cycle in self.hung:
            line = only(cycle, "vm_health")
            self.assertEqual("stuck", line.tags["name"])
            self.assertEqual(HEALTH_FIELDS, line.types())
            self.assertEqual(("hung", 3, "no_answer", 1),
                             tuple(line.fields[key] for key in ("health", "health_code", "reason", "reason_code")))
            self.assertEqual((0, 0), (line.fields["cpu_age_ms"], line.fields["nic_age_ms"]))
            ages.append((line.fields["hung_ms"], line.fields["disk_age_ms"], line.fields["memory_age_ms"]))
        self.assertEqual(sorted(ages), ages)
        self.assertGreater(ages[-1][0], 1000 * (FAULT_SECONDS - 8))
        self.assertLess(ages[-1][0], 1000 * (FAULT_SECONDS + 1))

    def test_what_libvirt_knows_by_itself_is_still_read(self):
        for cycle in self.hung:
            self.assertEqual(METRICS_FIELDS, only(cycle, "vm_metrics", name="stuck").types())
            self.assertEqual(NIC_FIELDS, only(cycle, "nic", name="stuck").types())
            self.assertEqual([], select(cycle, "disk", name="stuck"))
            totals = only(cycle, "vm_totals", name="stuck").fields
            self.assertIn("state", totals)
            self.assertEqual(set(), set(totals) & ({"memusable"} | {"disk_" + field for field in DISK_FIELDS}))
            # Libvirt gives the resident memory with the balloon only; the kernel does without the QEMU.
            self.assertIn("memrss", totals)

    def test_it_returns(self):
        recovered = [cycle for cycle in self.after if names_of(cycle, "ok")]
        self.assertEqual([{"stuck"}], [names_of(cycle, "ok") for cycle in recovered])
        self.assertIn(recovered[0], self.after[:2])
        for cycle in self.after[2:]:
            self.assertEqual([], select(cycle, "vm_health"))
            self.assertEqual(FEATURES_FIELDS, only(cycle, "vm_features", name="stuck").types())

    def test_no_rate_is_false(self):
        self.assertGreater(self.check_rates(self.cycles), 5)
        first_whole = next(cycle for cycle in self.after if names_of(cycle, "ok"))
        features = only(first_whole, "vm_features", name="stuck").fields
        self.assertEqual([], [key for key in features if key.startswith("disk_")], "the gap is not bridged")

    def test_the_log_says_so_once(self):
        words = [line for line in self.log.split("\n") if "vm stuck" in line]
        self.assertEqual(2, len(words), words)
        self.assertRegex(words[0], r" warning vm stuck: its QEMU has not answered for \d+\.\d s: .*; fix: look at its QEMU")
        self.assertRegex(words[1], r" info vm stuck: its QEMU answers again, after \d+\.\d s")
        self.assertEqual(1, len([line for line in self.log.split("\n") if " warning " in line]))

    def test_the_daemon_ends_quickly(self):
        self.assertLess(self.stop_seconds, 2)


class TenHang(HungTest):
    """Ten of twelve at once; then they answer again."""

    def test_ten_of_twelve_at_once(self):
        lab = self.enterContext(Lab())
        lab.start_guests([GuestSpec(f"vm{i:02}", nics=1, disks=1) for i in range(12)])
        stuck = [f"vm{i:02}" for i in range(1, 11)]
        beat = 5.0
        with Daemon(lab.uri_ro, "--poll-interval", f"{beat:g}s", "--missing", "omit") as daemon:
            daemon.wait_cycles(2)
            stopped_at = time.time_ns()
            for name in stuck:
                lab.stop_process(name)
            self.addCleanup(lambda: [lab.cont_process(name) for name in stuck])
            enough = FAULT_SECONDS / beat - 1
            hung = daemon.wait(
                lambda: len(found := during(daemon.cycles(), stopped_at, time.time_ns())) >= enough and found,
                "the fault to last", FAULT_SECONDS + 60)
            # Found within the first cycle that met them, and while that went on the beat was kept.
            for cycle in hung:
                self.assertEqual(set(stuck), names_of(cycle, "hung"))
                for name in ("vm00", "vm11"):
                    self.assertIn("memrss", only(cycle, "vm_totals", name=name).fields)
                self.assertLess(cycle[-1].fields["loop_latency_ms"], 1000 * beat)
            continued_at = time.time_ns()
            for name in stuck:
                lab.cont_process(name)
            daemon.wait(lambda: len(during(daemon.cycles(), continued_at, time.time_ns())) >= 3, "3 more cycles", 60)
            daemon.stop()
            self.assertEqual([], select(daemon.cycles()[-1], "vm_health"))
            self.assertEqual(12 * 5 + 1, len(daemon.cycles()[-1]))
            times = [cycle[0].time / 1e9 for cycle in daemon.cycles()]
            self.assertEqual([beat] * (len(times) - 1),
                             [round(now - before, 0) for before, now in zip(times, times[1:])])


class LibvirtdStandsStill(HungTest):
    """SIGSTOP, then SIGCONT: the connection is given up, said, and made again."""

    def test_it_is_bridged(self):
        lab = self.enterContext(Lab())
        lab.start_guests([GuestSpec(f"vm{i}", nics=1, disks=1) for i in range(2)])
        libvirtd = lab.libvirtd_pid()
        self.addCleanup(os.kill, libvirtd, signal.SIGCONT)
        with Daemon(lab.uri_ro, "--poll-interval", "500ms", "--libvirt-timeout", "2s") as daemon:
            daemon.wait_cycles(3)
            os.kill(libvirtd, signal.SIGSTOP)
            daemon.wait_log(r" warning .*no answer within .* s.*; collection goes on when it answers again")
            stopped = len(daemon.cycles())
            daemon.wait(lambda: len(daemon.cycles()) >= stopped + 2, "cycles without VMs")
            self.assertEqual(["collector_latency"], [line.measurement for line in daemon.cycles()[-1]])
            os.kill(libvirtd, signal.SIGCONT)
            continued_at = time.time_ns()
            daemon.wait(lambda: [cycle for cycle in during(daemon.cycles(), continued_at, time.time_ns())
                                 if len(cycle) == 2 * 5 + 1], "collection to resume", 60)
            daemon.stop()
            self.assertNotIn("QEMU has not answered", daemon.log())

    def test_the_daemon_ends_in_time_while_it_stands_still(self):
        lab = self.enterContext(Lab())
        lab.start_guests([GuestSpec("vm0")])
        libvirtd = lab.libvirtd_pid()
        self.addCleanup(os.kill, libvirtd, signal.SIGCONT)
        with Daemon(lab.uri_ro, "--poll-interval", "500ms") as daemon:
            daemon.wait_cycles(3)
            os.kill(libvirtd, signal.SIGSTOP)
            cycles = daemon.cycles()
            daemon.wait(lambda: time.time_ns() - daemon.cycles()[-1][0].time > 2_000_000_000, "a call to hang")
            self.assertLess(daemon.stop(), 5)
            self.assertIn("a call into libvirt does not return", daemon.log())
            # What was collected before is in the file, and the daemon says how much that was.
            lines = len(daemon.lines())
            self.assertGreaterEqual(len(daemon.cycles()), len(cycles))
            self.assertIn(f"lines: {lines} collected, {lines} delivered, 0 waiting, 0 dropped", daemon.log())


class HungAtTheStart(HungTest):
    """`once` meets a VM that hung before it came: its devices are known, its counters are not."""

    def test_once_reads_all_others(self):
        lab = self.enterContext(Lab())
        lab.start_guests([GuestSpec(f"vm{i}", nics=1, disks=1) for i in range(3)])
        lab.stop_process("vm1")
        self.addCleanup(lab.cont_process, "vm1")
        cycles, log = run_once(lab.uri_ro, 2, 1.0)
        for cycle in cycles:
            self.assertEqual({"vm1"}, names_of(cycle, "hung"))
            self.assertNotIn("disk_age_ms", only(cycle, "vm_health").fields)
            self.assertEqual(1, len(select(cycle, "nic", name="vm1")))
        self.assertEqual(1, log.count("its QEMU has not answered"))


class ComeAndGo(HungTest):
    """VMs are created and destroyed as fast as the lab can, for FAULT_SECONDS, beside one that stays."""

    def test_nobody_else_is_touched(self):
        lab = self.enterContext(Lab())
        lab.start_guests([GuestSpec("fine0", nics=1, disks=1)])
        end = threading.Event()
        rounds = []

        def churn(number):
            while not end.is_set():
                lab.start_guest(GuestSpec(f"brief{number}", nics=1, disks=1))
                lab.destroy(f"brief{number}")
                rounds.append(number)

        with Daemon(lab.uri_ro, *BEAT) as daemon:
            daemon.wait_cycles(2)
            threads = [threading.Thread(target=churn, args=(number,)) for number in range(2)]
            for thread in threads:
                thread.start()
            begun = time.monotonic()
            try:
                daemon.wait(lambda: time.monotonic() - begun > FAULT_SECONDS, "the storm to last",
                            FAULT_SECONDS + 30)
            finally:
                end.set()
                for thread in threads:
                    thread.join()
            daemon.stop()
            self.assertGreater(len(rounds), 5)
            self.check_every_beat(daemon.cycles(), ["fine0"])
            self.check_rates(daemon.cycles())
            self.assertNotIn("QEMU has not answered", daemon.log())


if __name__ == "__main__":
    sys.exit(unittest.main(verbosity=2))
