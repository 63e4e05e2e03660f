#!/usr/bin/python3
"""Running Linux guests: counters move and never go back, the balloon's numbers are the guest's, rates are honest."""

import math
import sys
import unittest

import truth
from support import DISK_FIELDS, FEATURES_FIELDS, METRICS_FIELDS, NIC_FIELDS, TOTALS_FIELDS, Daemon, only, select

from lab import LINUX, GuestSpec, Lab

CYCLES = 7
COUNTERS = {"vm_metrics": {"cputime_ns"}, "nic": set(NIC_FIELDS), "disk": set(DISK_FIELDS),
            "vm_totals": {key for key in TOTALS_FIELDS if key.startswith(("net_", "disk_", "memswap", "time"))} |
            {"memmajor_fault", "memminor_fault", "cputime"}}
WHOLE = {"vm_metrics": METRICS_FIELDS, "nic": NIC_FIELDS, "disk": DISK_FIELDS, "vm_totals": TOTALS_FIELDS}


class RunningGuests(unittest.TestCase):
    """Two Linux guests at work under a daemon; then the first one is suspended."""

    @classmethod
    def setUpClass(cls):
        cls.lab = cls.enterClassContext(Lab())
        cls.lab.start_guests([GuestSpec("busy", LINUX, vcpus=2, nics=2, disks=2),
                              GuestSpec("calm", LINUX, nics=1, disks=1)])
        cls.names = ["busy", "calm"]
        for name in cls.names:
            cls.lab.wait_linux_ready(name)
        # virsh is not used beside the daemon, which does not wait for a VM that another client is asking.
        cls.memory = [cls.ask_memory()]
        with Daemon(cls.lab.uri_ro, "--poll-interval", "2s") as daemon:
            cls.work(daemon)
            cls.cycles = daemon.cycles()
            cls.memory.append(cls.ask_memory())
            cls.suspend(daemon)
            cls.log = daemon.log()

    @classmethod
    def ask_memory(cls):
        return {name: truth.ask(cls.lab, name)[0]["vm_totals", ""] for name in cls.names}

    @classmethod
    def work(cls, daemon):
        """Moves what does not move by itself, for CYCLES cycles."""
        for count in range(1, CYCLES + 1):
            daemon.wait_cycles(count)
            if count == 3:
                # What the balloon leaves a guest changes only by command; this takes a moment, right after a cycle.
                cls.lab.virsh("setmem", cls.lab.uuid("busy"), "80M", "--live")
            for place, tap in enumerate(cls.lab.guest("busy").nics):
                cls.lab.send_frames(tap, count=10 * (place + 1), size=500 + 100 * place)

    @classmethod
    def suspend(cls, daemon):
        cls.lab.virsh("suspend", cls.lab.uuid("busy"))
        cls.before = truth.ask(cls.lab, "busy")[0]
        # One cycle may be under way: two further ones have begun after that answer.
        cls.suspended = daemon.wait_cycles(len(daemon.cycles()) + 3)[-1]
        cls.after = truth.ask(cls.lab, "busy")[0]

    def pairs(self):
        """(name, lines of a cycle, lines of the next one, bounds of the seconds between them)."""
        for before, now in zip(self.cycles, self.cycles[1:]):
            for name in self.names:
                yield name, select(before, name=name), select(now, name=name), truth.elapsed_bounds(before, now)

    def test_every_line_and_field_is_there_in_every_cycle(self):
        self.assertGreaterEqual(len(self.cycles), CYCLES)
        for number, cycle in enumerate(self.cycles):
            for line in cycle:
                if line.kind() in WHOLE:
                    self.assertEqual(WHOLE[line.kind()], line.types(), line.text)
            self.assertEqual((2 + 4 + 2 + 2) + (2 if number else 0) + 1, len(cycle))

    def test_state_and_vcpus(self):
        for cycle in self.cycles:
            for name, vcpus in (("busy", 2), ("calm", 1)):
                metrics = only(cycle, "vm_metrics", name=name).fields
                totals = only(cycle, "vm_totals", name=name).fields
                self.assertEqual(("running", vcpus, 1, vcpus),
                                 (metrics["state"], metrics["cpu_count"], totals["state"], totals["cpus"]))
                self.assertEqual(metrics["cputime_ns"], totals["cputime"])

    def test_counters_never_go_backwards(self):
        for _name, before, now, _bounds in self.pairs():
            old = truth.of_lines(before)
            for key, fields in truth.of_lines(now).items():
                for field in COUNTERS[key[0]]:
                    self.assertGreaterEqual(fields[field], old[key][field], (key, field))

    def test_counters_move(self):
        for name in self.names:
            first, last = (truth.of_lines(select(cycle, name=name)) for cycle in (self.cycles[0], self.cycles[-1]))
            for key in last:
                fields = {"nic": {"txbytes", "txpackets"}, "disk": set(DISK_FIELDS) - {"errors"}}.get(key[0], set())
                if key[0] == "nic" and name == "busy":
                    fields = fields | {"rxbytes", "rxpackets"}
                if key[0] == "vm_totals":
                    fields = {"cputime", "timeusr", "memminor_fault"}
                for field in fields:
                    self.assertGreater(last[key][field], first[key][field], (name, key, field))

    def test_frames_sent_to_a_nic_are_counted_for_that_nic(self):
        first, last = (truth.of_lines(select(cycle, name="busy")) for cycle in (self.cycles[0], self.cycles[-1]))
        one, two = self.lab.guest("busy").nics
        gained = {nic: last["nic", nic]["rxbytes"] - first["nic", nic]["rxbytes"] for nic in (one, two)}
        # Twice as many, and larger; sent between these cycles by work(). The kernel's own multicasts are a few hundred.
        self.assertGreaterEqual(gained[one], (CYCLES - 2) * 10 * 500)
        self.assertGreaterEqual(gained[two], (CYCLES - 2) * 20 * 600)
        self.assertLess(gained[one], gained[two])

    def test_totals_are_the_sums_of_the_device_lines(self):
        for cycle in self.cycles:
            for name in self.names:
                lines, totals = select(cycle, name=name), only(cycle, "vm_totals", name=name).fields
                for kind, prefix, fields in (("nic", "net_", NIC_FIELDS), ("disk", "disk_", DISK_FIELDS)):
                    for field in fields:
                        parts = [line.fields[field] for line in select(lines, kind)]
                        self.assertEqual(sum(parts), totals[prefix + field], field)

    def test_balloon_statistics_are_the_guests(self):
        for cycle in self.cycles:
            for name in self.names:
                totals = only(cycle, "vm_totals", name=name).fields
                memory_kb = only(cycle, "vm_metrics", name=name).fields["memory_max_kb"]
                self.assertEqual(96 * 1024, memory_kb)
                # The guest's MemTotal is without what its kernel takes for itself; a part of that is free.
                self.assertTrue(0 < totals["memusable"] < totals["memavailable"] < memory_kb, totals)
                self.assertGreater(totals["memdisk_cache"], 0)
                # Every process that a guest has started has faulted some pages in.
                self.assertGreater(totals["memminor_fault"], 100)

    def test_balloon_statistics_are_near_what_dommemstat_said_then(self):
        for name in self.names:
            for place, cycle in ((0, self.cycles[0]), (1, self.cycles[-1])):
                said = self.memory[place][name]
                totals = only(cycle, "vm_totals", name=name).fields
                for field in ("memavailable", "memusable", "memdisk_cache", "memrss", "memactual"):
                    # Seconds apart, and the guest reports anew each 2 s.
                    self.assertAlmostEqual(said[field], totals[field], delta=0.15 * said[field], msg=(name, field))

    def test_trends_are_there_from_the_second_cycle_on(self):
        self.assertEqual([], select(self.cycles[0], "vm_features"))
        for _name, _before, now, _bounds in self.pairs():
            self.assertEqual(FEATURES_FIELDS, only(now, "vm_features").types())

    def test_rates_are_difference_by_elapsed_seconds(self):
        moved = set()
        for name, before, now, bounds in self.pairs():
            features = only(now, "vm_features").fields
            old, new = only(before, "vm_totals").fields, only(now, "vm_totals").fields
            for field in [key[:-len("_rate")] for key in FEATURES_FIELDS if key.endswith("_rate")]:
                truth.check_rate(self, features[field + "_rate"], new[field] - old[field], bounds, (name, field))
                moved |= {field} if features[field + "_rate"] > 0 else set()
        self.assertEqual({key[:-len("_rate")] for key in FEATURES_FIELDS if key.endswith("_rate")}, moved)

    def test_the_memory_rate_follows_the_balloon(self):
        rates = []
        for name, before, now, bounds in self.pairs():
            old, new = (only(lines, "vm_metrics").fields["memory_used_kb"] for lines in (before, now))
            rate = only(now, "vm_features").fields["memory_rate_kb_per_sec"]
            truth.check_rate(self, rate, new - old, bounds, name)
            rates.append(rate)
        self.assertLess(min(rates), -1000)
        self.assertEqual(80 * 1024, only(self.cycles[-1], "vm_metrics", name="busy").fields["memory_used_kb"])

    def test_angles_are_degrees_of_atan(self):
        for _name, _before, now, _bounds in self.pairs():
            features = only(now, "vm_features").fields
            memory = math.degrees(math.atan(features["memory_rate_kb_per_sec"] + 1e-12))
            self.assertAlmostEqual(memory, features["memory_angle_deg"], delta=1e-12)
            for key in FEATURES_FIELDS:
                if key.endswith("_rate"):
                    angle = math.degrees(math.atan(features[key]))
                    self.assertAlmostEqual(angle, features[key.replace("_rate", "_angle_deg")], delta=1e-9)

    def test_a_suspended_linux_guest_is_told_exactly(self):
        """The values that an idle guest does not have, compared to the last digit."""
        lines = select(self.suspended, name="busy")
        moved = truth.check_vm(self, lines, self.before, self.after)
        self.assertLessEqual(set(moved), {"cputime_ns", "cputime", "timeusr", "timesys", "memrss", "rxbytes",
                                          "rxpackets", "rxdrops", "net_rxbytes", "net_rxpackets", "net_rxdrops"})
        self.assertEqual("paused", only(lines, "vm_metrics").fields["state"])
        rates = only(lines, "vm_features").fields
        self.assertEqual({0.0}, {rates[key + "_rate"] for key in ("disk_rd_req", "disk_wr_bytes", "net_txbytes")})

    def test_nobody_is_warned(self):
        self.assertNotRegex(self.log, " (?:warning|error) ")


if __name__ == "__main__":
    sys.exit(unittest.main(verbosity=2))
