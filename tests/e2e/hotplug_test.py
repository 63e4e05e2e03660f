#!/usr/bin/python3
"""Hot-plug and unplug show in the next cycle and make no false rate; a stable host's XML is read once."""

import re
import sys
import time
import unittest

from support import DISK_RATES, FEATURES_FIELDS, NET_RATES, Daemon, only, select

from lab import LINUX, GuestSpec, Lab

CACHE = re.compile(r"device cache: (\d+) hits, (\d+) misses, (\d+) XML reads")
STABLE_CYCLES = 40


def devices(cycle, name):
    return {line.tags["device"] for line in cycle if line.measurement == "vm_devices" and line.tags["name"] == name}


def rates(names):
    return {name + end for name in names for end in ("_rate", "_angle_deg")}


def cache_counts(daemon):
    """(hits, misses, XML reads) that a stopped daemon told."""
    return tuple(map(int, CACHE.search(daemon.wait_log(CACHE.pattern)[-1]).groups()))


class HotPlug(unittest.TestCase):
    """A Linux guest, which lets go of devices, and an idle one, whose lines must not change."""

    @classmethod
    def setUpClass(cls):
        cls.lab = cls.enterClassContext(Lab())
        cls.lab.start_guests([GuestSpec("plugged", LINUX, nics=1, disks=1), GuestSpec("other", nics=1, disks=1)])
        cls.lab.wait_linux_ready("plugged")
        cls.tap = cls.lab.tap_name("hot")
        with Daemon(cls.lab.uri_ro, "--poll-interval", "2s") as daemon:
            daemon.wait_cycles(2)
            cls.changes = [cls.change(daemon, *work) for work in (
                ("vdb", True, cls.lab.attach_disk), (cls.tap, True, cls.lab.attach_nic),
                ("vdb", False, cls.lab.detach_device), (cls.tap, False, cls.lab.detach_device))]
            daemon.stop()
            cls.cycles = daemon.cycles()
            cls.counts = cache_counts(daemon)
            cls.log = daemon.log()

    @classmethod
    def change(cls, daemon, device, there, work):
        """Does one change, which begins right after a cycle, and waits for the two cycles after it."""
        daemon.wait_cycles(len(daemon.cycles()) + 1)
        begun = time.time_ns()
        work("plugged", device)
        done = time.time_ns()
        daemon.wait(lambda: len([cycle for cycle in daemon.cycles() if cycle[0].time > done]) >= 2,
                    f"two cycles after the change of {device}")
        return device, there, begun, done

    def test_each_change_shows_in_the_next_cycle(self):
        for device, there, begun, done in self.changes:
            earlier = [cycle for cycle in self.cycles if cycle[0].time < begun]
            later = [cycle for cycle in self.cycles if cycle[0].time > done]
            with self.subTest(device=device, there=there):
                self.assertEqual(not there, device in devices(earlier[-1], "plugged"))
                self.assertEqual(there, device in devices(later[0], "plugged"))
                # The next cycle is within one interval, unless the machine was too busy to take it.
                self.assertLess(later[0][0].time - done, 3_000_000_000)

    def test_an_unplugged_device_stays_away(self):
        for device, there, _begun, done in self.changes:
            if not there:
                later = [cycle for cycle in self.cycles if cycle[0].time > done]
                self.assertNotIn(True, [device in devices(cycle, "plugged") for cycle in later])

    def test_no_rate_over_a_change_of_devices(self):
        """Sums over other devices than before say nothing: the group's rates are left out, all others are there."""
        changed = 0
        for before, now in zip(self.cycles, self.cycles[1:]):
            gone_or_new = devices(before, "plugged") ^ devices(now, "plugged")
            missing = rates(NET_RATES) if self.tap in gone_or_new else set()
            missing |= rates(DISK_RATES) if "vdb" in gone_or_new else set()
            fields = {key for line in select(now, "vm_features", name="plugged") for key in line.fields}
            self.assertEqual(set(), fields & missing, gone_or_new)
            # While libvirt waits for the guest to let go it answers nothing else of it.
            if not self.under_change(before) and not self.under_change(now):
                self.assertEqual(set(FEATURES_FIELDS) - missing, fields, gone_or_new)
            changed += bool(gone_or_new)
        self.assertEqual(4, changed)

    def under_change(self, cycle):
        return any(begun <= cycle[0].time <= done for _device, _there, begun, done in self.changes)

    def test_no_rate_is_false(self):
        """The guest moves a few kilobytes a second; counters that jump with a device must not look like traffic."""
        for cycle in self.cycles:
            for line in select(cycle, "vm_features"):
                for key, value in line.fields.items():
                    if key.endswith("_rate"):
                        self.assertTrue(0 <= value < 5e6, (key, value))

    def test_a_new_device_counts_from_its_first_line_on(self):
        for device, there, _begun, done in self.changes:
            if there:
                later = next(cycle for cycle in self.cycles if cycle[0].time > done)
                line = only(later, "nic" if device == self.tap else "disk", name="plugged", device=device)
                self.assertEqual(8 if device == self.tap else 5, len(line.fields))

    def test_the_other_guest_keeps_all_its_lines(self):
        guest = self.lab.guest("other")
        for number, cycle in enumerate(self.cycles):
            self.assertEqual({*guest.nics, *guest.disks}, devices(cycle, "other"))
            if number:
                self.assertEqual(FEATURES_FIELDS, only(cycle, "vm_features", name="other").types())

    def test_each_change_costs_that_guest_one_or_two_xml_reads(self):
        """One for the event, and one where the record changed before the event came."""
        hits, misses, reads = self.counts
        self.assertEqual(2 * len(self.cycles), hits + misses)
        self.assertTrue(2 + 4 <= reads <= 2 + 2 * 4, self.counts)

    def test_nobody_is_warned(self):
        self.assertNotRegex(self.log, " (?:warning|error) ")

    def test_a_stable_host_parses_no_xml(self):
        """After the changes above, with a new daemon."""
        with Daemon(self.lab.uri_ro, "--poll-interval", "500ms") as daemon:
            daemon.wait_cycles(STABLE_CYCLES, seconds=60)
            daemon.stop()
            hits, misses, reads = cache_counts(daemon)
            cycles = len(daemon.cycles())
        self.assertGreaterEqual(cycles, STABLE_CYCLES)
        self.assertEqual((2 * cycles, 2), (hits + misses, reads))
        self.assertGreater(hits / (hits + misses), 0.95)


if __name__ == "__main__":
    sys.exit(unittest.main(verbosity=2))
