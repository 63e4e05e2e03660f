#!/usr/bin/python3
"""What breaks under a running daemon: a NIC, a VM, libvirtd, a QEMU that stands still. Failure stays local."""

import sys
import time
import unittest
import uuid

import truth
from support import (DISK_RATES, FEATURES_FIELDS, NET_RATES, NIC_FIELDS, TOTALS_FIELDS, Daemon, only, select)

from lab import LINUX, GuestSpec, Lab

FAST = ("--poll-interval", "500ms")
NET_TOTALS = {"net_" + field for field in NIC_FIELDS}
NET_FEATURES = {name + end for name in NET_RATES for end in ("_rate", "_angle_deg")}


def after(cycles, nanoseconds):
    """The cycles that began later than that time."""
    return [cycle for cycle in cycles if cycle[0].time > nanoseconds]


class RobbedOfANic:
    """A tap is deleted behind libvirt's back. The cases below say under which policy.

    One daemon at a time: virtmeter does not wait for a VM that another client is asking.
    """

    MISSING = ""

    @classmethod
    def setUpClass(cls):
        cls.lab = cls.enterClassContext(Lab())
        guests = cls.lab.start_guests([GuestSpec(name, nics=2, disks=1) for name in ("robbed", "other")])
        cls.kept, cls.stolen = guests[0].nics
        with Daemon(cls.lab.uri_ro, *FAST, "--missing", cls.MISSING) as daemon:
            daemon.wait_cycles(3)
            cls.lab.delete_tap(cls.stolen)
            cls.robbed_at = time.time_ns()
            daemon.wait(lambda: len(after(daemon.cycles(), cls.robbed_at)) >= 8, "8 further cycles")
            daemon.stop()
            cls.cycles, cls.log = daemon.cycles(), daemon.log()
        cls.later = after(cls.cycles, cls.robbed_at)

    def check_devices(self, without):
        """Every other line of that VM and of the other one goes out."""
        for cycle in self.later:
            for name in ("robbed", "other"):
                guest = self.lab.guest(name)
                found = [line.tags["device"] for line in select(cycle, name=name) if "device" in line.tags]
                self.assertCountEqual({*guest.nics, *guest.disks} - without, found)
                for kind in ("vm_metrics", "vm_features", "vm_totals"):
                    only(cycle, kind, name=name)

    def test_before_it_was_there(self):
        self.assertEqual(NIC_FIELDS, only(self.cycles[0], "nic", device=self.stolen).types())

    def test_no_rate_is_made_of_a_missing_value(self):
        for cycle in self.later:
            robbed, other = (only(cycle, "vm_features", name=name).fields for name in ("robbed", "other"))
            self.assertEqual(set(FEATURES_FIELDS) - NET_FEATURES, set(robbed))
            self.assertEqual(set(FEATURES_FIELDS), set(other))

    def test_it_is_warned_of_exactly_once(self):
        warnings = [line for line in self.log.split("\n") if " warning " in line or " error " in line]
        self.assertEqual(1, len(warnings), warnings)
        self.assertIn(f"vm robbed: device {self.stolen}", warnings[0])
        self.assertIn("its other devices go on", warnings[0])

    def test_the_absent_values_are_counted(self):
        self.assertRegex(self.log, rf"absent values: .*device_gone {len(NIC_FIELDS) * len(self.later)}\b")


class RobbedUnderZero(RobbedOfANic, unittest.TestCase):
    MISSING = "zero"

    def test_the_device_is_all_zeros(self):
        for cycle in self.later:
            line = only(cycle, "nic", device=self.stolen)
            self.assertEqual((dict.fromkeys(NIC_FIELDS, 0), NIC_FIELDS), (line.fields, line.types()))
        self.check_devices(without=set())

    def test_the_sums_are_of_what_was_read(self):
        for cycle in self.later:
            totals = only(cycle, "vm_totals", name="robbed")
            self.assertEqual(TOTALS_FIELDS, totals.types())
            kept = only(cycle, "nic", device=self.kept).fields
            self.assertEqual({"net_" + key: value for key, value in kept.items()},
                             {key: totals.fields[key] for key in NET_TOTALS})


class RobbedUnderOmit(RobbedOfANic, unittest.TestCase):
    MISSING = "omit"

    def test_the_device_is_left_out(self):
        for cycle in self.later:
            totals = only(cycle, "vm_totals", name="robbed").fields
            # A sum of which a part is missing is not known either.
            self.assertEqual(set(), NET_TOTALS & set(totals))
            self.assertIn("disk_rd_req", totals)
        self.check_devices(without={self.stolen})


class VmsComeAndGo(unittest.TestCase):
    """One VM is destroyed under a daemon and started again with the same name and uuid."""

    @classmethod
    def setUpClass(cls):
        cls.lab = cls.enterClassContext(Lab())
        cls.spec = GuestSpec("again", nics=1, disks=1, uuid=str(uuid.uuid4()))
        cls.lab.start_guests([GuestSpec("stays", nics=1, disks=1), cls.spec])
        with Daemon(cls.lab.uri_ro, *FAST) as daemon:
            daemon.wait_cycles(3)
            cls.lab.destroy("again")
            cls.destroyed_at = time.time_ns()
            daemon.wait(lambda: len(after(daemon.cycles(), cls.destroyed_at)) >= 2, "two cycles without it")
            cls.started_at = time.time_ns()
            cls.lab.start_guest(cls.spec)
            daemon.wait(lambda: len(cls.lives(daemon.cycles())[1:]) and len(cls.lives(daemon.cycles())[1]) >= 3,
                        "three cycles of its second life")
            daemon.stop()
            cls.cycles, cls.log = daemon.cycles(), daemon.log()

    @classmethod
    def lives(cls, cycles):
        """The cycles that hold the VM, apart by its domain id, in order."""
        by_id = {}
        for cycle in cycles:
            for line in select(cycle, "vm_metrics", uuid=cls.spec.uuid):
                by_id.setdefault(line.tags["VMID"], []).append(cycle)
        return list(by_id.values())

    def test_a_destroyed_vm_is_gone_in_the_next_cycle(self):
        between = [cycle for cycle in after(self.cycles, self.destroyed_at) if cycle[0].time < self.started_at]
        self.assertGreaterEqual(len(between), 2)
        for cycle in between:
            self.assertEqual([], select(cycle, uuid=self.spec.uuid))

    def test_the_other_vm_has_all_its_lines_all_the_time(self):
        for number, cycle in enumerate(self.cycles):
            self.assertEqual(4 + bool(number), len(select(cycle, name="stays")))

    def test_its_second_life_starts_without_rates(self):
        first_life, second_life = self.lives(self.cycles)
        for life in (first_life, second_life):
            counts = [len(select(cycle, "vm_features", uuid=self.spec.uuid)) for cycle in life]
            self.assertEqual([0] + [1] * (len(life) - 1), counts)

    def test_no_rate_is_false(self):
        for cycle in self.cycles:
            for line in select(cycle, "vm_features"):
                self.assertEqual([], [key for key, value in line.fields.items()
                                      if key.endswith("_rate") and not 0 <= value < 1e5])

    def test_nobody_is_warned_of_the_other_vm(self):
        """libvirt shows a VM while it starts, before its taps exist: a warning about that one's NIC may come."""
        words = [line for line in self.log.split("\n") if " warning " in line or " error " in line]
        self.assertEqual([], [line for line in words if " warning vm again: device " not in line])


class LibvirtdGoesAndComes(unittest.TestCase):
    """libvirtd is killed and comes back: under a daemon, before a daemon starts, and under one that can bridge it.

    With missing = "omit": libvirtd itself is busy with each VM when it has come back, and this is no test of zeros.
    """

    @classmethod
    def setUpClass(cls):
        cls.lab = cls.enterClassContext(Lab())
        cls.lab.start_guests([GuestSpec("worker", LINUX, nics=1, disks=1), GuestSpec("idle", nics=1, disks=1)])
        cls.lab.wait_linux_ready("worker")
        cls.cycles, cls.logs, cls.back_at = {}, {}, {}
        cls.outlive("quick", *FAST)
        cls.start_without()
        cls.outlive("slow", "--poll-interval", "2s")

    @classmethod
    def outlive(cls, name, *arguments):
        """A daemon under which libvirtd dies and comes back; the quick one counts 7 cycles without it."""
        with Daemon(cls.lab.uri_ro, *arguments, "--missing", "omit") as daemon:
            daemon.wait_cycles(3)
            cls.lab.kill_libvirtd()
            if name == "quick":
                cls.killed_at = time.time_ns()
                daemon.wait(lambda: len(after(daemon.cycles(), cls.killed_at)) >= 7, "7 cycles without libvirtd")
            cls.resume(name, daemon)

    @classmethod
    def start_without(cls):
        cls.lab.kill_libvirtd()
        with Daemon(cls.lab.uri_ro, *FAST, "--missing", "omit") as daemon:
            daemon.wait_log("E101")
            daemon.wait_cycles(3)
            cls.resume("early", daemon)

    @classmethod
    def resume(cls, name, daemon):
        # From before the start: the daemon may find libvirtd sooner than the lab does.
        cls.back_at[name] = time.time_ns()
        cls.lab.start_libvirtd()
        daemon.wait(lambda: len(cls.with_vms(after(daemon.cycles(), cls.back_at[name]))) >= 3, "collection to resume")
        daemon.stop()
        cls.cycles[name], cls.logs[name] = daemon.cycles(), daemon.log()

    @staticmethod
    def with_vms(cycles):
        return [cycle for cycle in cycles if len(cycle) > 1]

    def test_cycles_go_on_without_vms(self):
        gap = [cycle for cycle in after(self.cycles["quick"], self.killed_at) if cycle[0].time < self.back_at["quick"]]
        self.assertEqual([["collector_latency"]] * len(gap),
                         [[line.measurement for line in cycle] for cycle in gap])

    def test_collection_resumes_completely(self):
        for cycles in self.cycles.values():
            last = cycles[-1]
            self.assertEqual(2 * 5 + 1, len(last))
            self.assertEqual([FEATURES_FIELDS] * 2, [line.types() for line in select(last, "vm_features")])

    def test_the_log_says_lost_and_connected_again(self):
        for name in ("quick", "slow"):
            log = self.logs[name]
            lines = [line for line in log.split("\n") if "connected to" in line or " warning " in line]
            self.assertEqual(2, len([line for line in lines if " info connected to" in line]), log)
            self.assertIn(" info connected to", lines[0])
            self.assertIn(" warning ", lines[1], name)
            self.assertIn("collection goes on when it answers again", lines[1])
            self.assertIn(" info connected to", lines[-1])
            # Each reason once, not each attempt.
            self.assertLessEqual(len(lines), 5, lines)

    def test_the_first_cycle_after_a_long_gap_has_no_rates(self):
        later = self.with_vms(after(self.cycles["quick"], self.back_at["quick"]))
        last_before = [cycle for cycle in self.with_vms(self.cycles["quick"]) if cycle not in later][-1]
        self.assertGreater(later[0][0].time - last_before[0].time, 3 * 500_000_000)
        self.assertEqual([], select(later[0], "vm_features"))
        self.assertEqual(2, len(select(later[1], "vm_features")))

    def test_every_rate_is_honest(self):
        """Each is the difference to the VM's previous cycle by the time between them, gap or not."""
        checked = 0
        for cycles in self.cycles.values():
            filled = self.with_vms(cycles)
            for before, now in zip(filled, filled[1:]):
                bounds = truth.elapsed_bounds(before, now)
                for line in select(now, "vm_features"):
                    old, new = (only(cycle, "vm_totals", name=line.tags["name"]).fields for cycle in (before, now))
                    for field in set(NET_RATES + DISK_RATES) & {key.removesuffix("_rate") for key in line.fields}:
                        rate = line.fields[field + "_rate"]
                        self.assertGreaterEqual(rate, 0)
                        truth.check_rate(self, rate, new[field] - old[field], bounds, line.text)
                        checked += rate > 0
        self.assertGreater(checked, 10)

    def test_counters_go_on_where_they_were(self):
        totals = [only(cycle, "vm_totals", name="worker").fields
                  for name in ("quick", "early", "slow") for cycle in self.with_vms(self.cycles[name])]
        for field in ("disk_wr_bytes", "net_txbytes", "cputime"):
            values = [fields[field] for fields in totals if field in fields]
            self.assertEqual(sorted(values), values, field)
            self.assertGreater(values[-1], values[0], field)

    def test_without_libvirtd_at_start_it_waits_and_says_what_to_do(self):
        first = next(line for line in self.logs["early"].split("\n") if " warning " in line)
        self.assertIn("E101 libvirt is not running", first)
        self.assertIn("nobody listens on the socket", first)
        self.assertIn("fix: sudo systemctl start libvirtd.socket", first)
        self.assertEqual(["collector_latency"], [line.measurement for line in self.cycles["early"][0]])
        begun = self.with_vms(self.cycles["early"])
        self.assertEqual([2, 0], [len(select(begun[0], kind)) for kind in ("vm_metrics", "vm_features")])
        self.assertEqual([2, 2], [len(select(begun[1], kind)) for kind in ("vm_metrics", "vm_features")])
        self.assertEqual(2 * 5 + 1, len(begun[-1]))


class StandsStill(unittest.TestCase):
    """A QEMU that is stopped holds libvirt's call for ever; the daemon must still end in time."""

    def test_sigterm_ends_it_though_a_call_hangs(self):
        lab = self.enterContext(Lab())
        lab.start_guests([GuestSpec("stuck", nics=1, disks=1), GuestSpec("fine")])
        self.addCleanup(lab.cont_process, "stuck")
        with Daemon(lab.uri_ro, *FAST) as daemon:
            daemon.wait_cycles(3)
            lab.stop_process("stuck")
            daemon.wait(lambda: time.time_ns() - daemon.cycles()[-1][0].time > 2_000_000_000, "a call to hang")
            seconds = daemon.stop()
            self.assertLess(seconds, 5)
            self.assertIn("a call into libvirt does not return", daemon.log())
            # What was collected before is in the file, and the daemon says how much that was.
            lines = len(daemon.lines())
            self.assertIn(f"lines: {lines} collected, {lines} delivered, 0 dropped", daemon.log())

    def test_an_absent_socket_folder_is_told_as_such(self):
        """Another reason than a socket where nobody listens: the daemon waits all the same."""
        with Daemon("qemu+unix:///system?socket=/nonexistent/libvirt-sock-ro", *FAST) as daemon:
            daemon.wait_log("E101 libvirt is not running: .*no such socket; fix: sudo systemctl start")
            daemon.wait_cycles(3)


if __name__ == "__main__":
    sys.exit(unittest.main(verbosity=2))
