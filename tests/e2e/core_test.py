#!/usr/bin/python3
"""The four core measurements of paused guests: which lines there are, and every value of every one of them.

A paused guest stands still, so each value is compared with what virsh says before and after. What moves all the same:
QEMU's main thread wakes once a second (its CPU times and memory), and the machine's kernel multicasts into a new tap
(received packets). A value that moved must lie between the two answers; any other must be equal to both.
"""

import errno
import re
import sys
import time
import unittest

import truth
from support import (DISK_FIELDS, FEATURES_FIELDS, LATENCY_FIELDS, METRICS_FIELDS, NIC_FIELDS, TOTALS_FIELDS, only,
                     run_once, select)

from lab import GuestSpec, Lab
from lab_base import run

TYPES = {"vm_metrics": METRICS_FIELDS, "vm_features": FEATURES_FIELDS, "nic": NIC_FIELDS, "disk": DISK_FIELDS,
         "vm_totals": TOTALS_FIELDS}
MAY_MOVE = {"cputime_ns", "cputime", "timeusr", "timesys", "memrss", "rxbytes", "rxpackets", "rxdrops",
            "net_rxbytes", "net_rxpackets", "net_rxdrops"}

# Whatever line protocol, XML or a careless reader could stumble over; and how the contract's encoding policy stores
# it: libvirt allows no slash in a name, so one that stands for a backslash is not mistaken for another.
BACKSLASH = "back\\slash \\"
HOSTILE_NAMES = ['"quoted"', "comma,name=other,uuid=0 a=b", "  spaces  in it  ", BACKSLASH, "emoji 😀🐧 é",
                 "<name>&amp;'", "0123", "-i #\u2028line\u0085ends", "long " + "ä" * 100]


def qemu_io(lab, name, disk, command):
    """Moves a paused guest's block counters: QEMU itself does the request, as if the guest had asked for it."""
    device = next(device for device in lab.xml(name).findall("devices/disk")
                  if device.find("target").get("dev") == disk)
    path = f"/machine/peripheral/{device.find('alias').get('name')}/virtio-backend"
    lab.virsh("qemu-monitor-command", "--hmp", lab.uuid(name), f'qemu-io -d {path} "{command}"')


def drop_frames(lab, tap, count):
    """Makes the tap drop about `count` frames: its guest takes none, and its queue holds one."""
    run(["ip", "link", "set", "dev", tap, "txqueuelen", "1"])
    for _ in range(count):
        try:
            lab.send_frames(tap)
        except OSError as error:
            if error.errno != errno.ENOBUFS:
                raise


class Comparison(unittest.TestCase):
    """Helpers of the test cases below."""

    def check_vm(self, lines, before, after, missing=0):
        moved = truth.check_vm(self, lines, before, after, missing)
        self.assertLessEqual(set(moved), MAY_MOVE)
        return moved

    def check_types(self, lines):
        for line in lines:
            wanted = TYPES[line.kind()]
            self.assertEqual({key: wanted.get(key) for key in line.fields}, line.types(), line.text)

    def ask_all(self, lab, names):
        return {name: truth.ask(lab, name) for name in names}


class TenGuests(Comparison):
    """10 guests with 2 NICs and 3 disks, no two with the same counters."""

    @classmethod
    def setUpClass(cls):
        cls.lab = cls.enterClassContext(Lab())
        cls.names = [f"vm{number}" for number in range(10)]
        cls.lab.start_guests([GuestSpec(name, vcpus=1 + number % 3, memory_mib=16 + number, nics=2, disks=3)
                              for number, name in enumerate(cls.names)])
        for number, name in enumerate(cls.names):
            cls.make_distinct(number, cls.lab.guest(name))
        cls.before = cls.ask_all(cls, cls.lab, cls.names)
        cls.started = time.time()
        cls.cycles, cls.stderr = run_once(cls.lab.uri_ro, 3, 1.0)
        cls.ended = time.time()
        cls.after = cls.ask_all(cls, cls.lab, cls.names)

    @classmethod
    def make_distinct(cls, number, guest):
        for place, tap in enumerate(guest.nics):
            drop_frames(cls.lab, tap, 10 * number + 5 * place + 3)
        for place, disk in enumerate(guest.disks[:2]):
            qemu_io(cls.lab, guest.name, disk, f"aio_write 0 {4 * (1 + number)}k")
            for _ in range(place + 1):
                qemu_io(cls.lab, guest.name, disk, f"aio_read 0 {4 * (2 + number + place)}k")

    def test_70_lines_in_the_first_cycle_and_80_in_each_later_one(self):
        core = [[line for line in cycle if line.measurement.startswith("vm_")] for cycle in self.cycles]
        self.assertEqual([70, 80, 80], [len(lines) for lines in core])
        for number, cycle in enumerate(self.cycles):
            counts = {kind: len(select(cycle, kind)) for kind in TYPES}
            self.assertEqual({"vm_metrics": 10, "vm_features": 10 if number else 0, "nic": 20, "disk": 30,
                              "vm_totals": 10}, counts)
            self.assertEqual(1, len(cycle) - len(core[number]))

    def test_one_collector_latency_line_a_cycle(self):
        for cycle in self.cycles:
            line = only(cycle, "collector_latency")
            self.assertEqual(({}, LATENCY_FIELDS), (line.tags, line.types()))
            self.assertGreater(line.fields["loop_latency_ms"], line.fields["feature_latency_ms"])
            self.assertGreaterEqual(line.fields["feature_latency_ms"], 0)

    def test_one_timestamp_a_cycle_in_whole_milliseconds(self):
        times = [{line.time for line in cycle} for cycle in self.cycles]
        self.assertEqual([1, 1, 1], [len(time_set) for time_set in times])
        first, second, third = (time_set.pop() for time_set in times)
        for stamp in (first, second, third):
            self.assertEqual(0, stamp % 1_000_000)
        self.assertTrue(self.started - 0.001 <= first / 1e9 <= third / 1e9 <= self.ended)
        # Two cores shared with ten QEMUs: the beat itself is exact, the wake-up is not.
        for gap in (second - first, third - second):
            self.assertAlmostEqual(1.0, gap / 1e9, delta=0.4)

    def test_every_value_is_what_virsh_says(self):
        for cycle in self.cycles:
            self.assertEqual([], [line.text for line in cycle if line.tags.get("name", "vm0") not in self.names])
            moved = []
            for name in self.names:
                before, after = self.before[name][0], self.after[name][0]
                moved += self.check_vm(select(cycle, uuid=self.lab.uuid(name)), before, after)
            # 10 guests have 630 values. If many moved, the comparison would not say much.
            self.assertLess(len(moved), 126, moved)

    def test_the_counters_compared_are_not_all_zero(self):
        totals = [only(self.cycles[0], "vm_totals", name=name).fields for name in self.names]
        for field in ("disk_rd_req", "disk_rd_bytes", "disk_wr_reqs", "disk_wr_bytes", "net_rxdrops", "cputime",
                      "timeusr", "timesys", "memrss", "memactual"):
            self.assertNotIn(0, [fields[field] for fields in totals], field)
        self.assertEqual(10, len({fields["disk_rd_bytes"] for fields in totals}))
        self.assertEqual(10, len({fields["memactual"] for fields in totals}))

    def test_dominfo_agrees(self):
        for name in self.names:
            info = self.after[name][1]
            fields = only(self.cycles[-1], "vm_metrics", name=name).fields
            self.assertEqual([fields["state"], f"{fields['memory_max_kb']} KiB", f"{fields['memory_used_kb']} KiB"],
                             [info["State"], info["Max memory"], info["Used memory"]])
            # dominfo shows tenths of a second, and time has passed since.
            self.assertAlmostEqual(float(info["CPU time"].rstrip("s")), fields["cputime_ns"] / 1e9, delta=0.3)

    def test_types(self):
        for cycle in self.cycles:
            self.check_types([line for line in cycle if line.tags])
            for line in cycle:
                if line.kind() in ("vm_metrics", "nic", "disk", "vm_totals"):
                    self.assertEqual(TYPES[line.kind()], line.types(), line.text)

    def test_tags(self):
        for cycle in self.cycles:
            for name in self.names:
                info, guest = self.after[name][1], self.lab.guest(name)
                vm = {"VMID": info["Id"], "name": name, "uuid": guest.uuid}
                lines = select(cycle, uuid=guest.uuid)
                devices = [("nic", nic) for nic in guest.nics] + [("disk", disk) for disk in guest.disks]
                wanted = [vm] * (2 if cycle is self.cycles[0] else 3)
                wanted += [{**vm, "devtype": devtype, "device": device} for devtype, device in devices]
                self.assertCountEqual(wanted, [line.tags for line in lines])

    def test_trends_of_guests_that_stand_still(self):
        for line in select(self.cycles[2], "vm_features"):
            self.assertEqual(FEATURES_FIELDS, line.types())
            still = {key: value for key, value in line.fields.items() if not key.startswith("net_rx")}
            # The addend of the contract: atan(1e-12) in degrees.
            self.assertAlmostEqual(5.7296e-11, still.pop("memory_angle_deg"), delta=1e-14)
            self.assertEqual({0.0}, set(still.values()), line.text)

    def test_missing_omit_leaves_out_exactly_what_libvirt_does_not_know(self):
        before = self.ask_all(self.lab, self.names)
        cycles, _stderr = run_once(self.lab.uri_ro, 1, 1.0, "--missing", "omit")
        after = self.ask_all(self.lab, self.names)
        for name in self.names:
            self.check_vm(select(cycles[0], uuid=self.lab.uuid(name)), before[name][0], after[name][0], missing=None)
        fields = only(cycles[0], "vm_totals", name="vm0").fields
        self.assertEqual({"memavailable", "memusable", "memdisk_cache", "memswap_in", "memswap_out",
                          "memmajor_fault", "memminor_fault", "disk_errors"}, set(TOTALS_FIELDS) - set(fields))

    def test_words_go_to_stderr(self):
        self.assertRegex(self.stderr, "connected to .*libvirt-sock-ro: QEMU .*, libvirt ")
        self.assertEqual([], re.findall("(?i).*(?:warning|error).*", self.stderr))


class OddGuests(Comparison):
    """Guests that a reader could stumble over: few or many devices, a long description, hostile names."""

    @classmethod
    def setUpClass(cls):
        cls.lab = cls.enterClassContext(Lab())
        drives = "".join(f"<disk type='file' device='{kind}'><target dev='{target}' bus='{bus}'/></disk>"
                         for kind, target, bus in (("cdrom", "hdc", "ide"), ("floppy", "fda", "fdc")))
        # NIC without a target dev: QEMU's own user network needs no tap.
        slirp = "<interface type='user'><model type='virtio'/></interface>"
        description = "<description>" + "16,000 characters, " * 842 + "!!</description>"
        cls.specs = [GuestSpec("none"), GuestSpec("one nic", nics=1), GuestSpec("12 disks", disks=12,
                                                                                devices_xml=drives),
                     GuestSpec("slirp", nics=1, devices_xml=slirp),
                     GuestSpec("described", nics=1, disks=1, domain_xml=description)]
        cls.specs += [GuestSpec(name, nics=1, disks=1) for name in HOSTILE_NAMES]
        cls.lab.start_guests(cls.specs)
        cls.names = [spec.name for spec in cls.specs]
        cls.before = cls.ask_all(cls, cls.lab, cls.names)
        cls.cycles, cls.stderr = run_once(cls.lab.uri_ro, 2, 1.0)
        cls.after = cls.ask_all(cls, cls.lab, cls.names)

    def lines_of(self, name, cycle=0):
        return select(self.cycles[cycle], uuid=self.lab.uuid(name))

    def test_every_guest_has_exactly_its_lines_and_values(self):
        for number, cycle in enumerate(self.cycles):
            devices = sum(len(self.lab.guest(name).nics) + len(self.lab.guest(name).disks) for name in self.names)
            self.assertEqual((2 + number) * len(self.names) + devices + 1, len(cycle))
            self.check_types([line for line in cycle if line.tags])
            for name in self.names:
                with self.subTest(name=name):
                    self.check_vm(self.lines_of(name, number), self.before[name][0], self.after[name][0])

    def test_no_devices_is_normal(self):
        totals = only(self.lines_of("none"), "vm_totals").fields
        self.assertEqual({0}, {value for key, value in totals.items() if key.startswith(("net_", "disk_"))})
        self.assertEqual(["vm_metrics", "vm_totals"], [line.kind() for line in self.lines_of("none")])
        rates = only(self.lines_of("none", 1), "vm_features").fields
        self.assertEqual(set(FEATURES_FIELDS), set(rates))

    def test_drives_are_not_disks_and_a_nic_without_a_target_is_not_listed(self):
        xml = self.lab.xml("12 disks")
        self.assertEqual(14, len(xml.findall("devices/disk")))
        self.assertEqual([f"vd{letter}" for letter in "abcdefghijkl"],
                         [line.tags["device"] for line in select(self.lines_of("12 disks"), "disk")])
        self.assertEqual(2, len(self.lab.xml("slirp").findall("devices/interface")))
        self.assertEqual(self.lab.guest("slirp").nics,
                         [line.tags["device"] for line in select(self.lines_of("slirp"), "nic")])

    def test_a_description_of_16000_characters_is_there(self):
        self.assertEqual(16_000, len(self.lab.xml("described").findtext("description")))
        self.assertEqual(4, len(self.lines_of("described")))

    def test_names(self):
        """The strict parser has read every line; here each name is what libvirt says it is."""
        for name in self.names:
            stored = name.replace("\\", "/")
            self.assertEqual({stored}, {line.tags["name"] for line in self.lines_of(name) + self.lines_of(name, 1)})
        self.assertGreater(max(len(name.encode()) for name in self.names), 200)

    def test_nobody_is_warned(self):
        self.assertEqual([], re.findall("(?i).*(?:warning|error) .*", self.stderr))


if __name__ == "__main__":
    sys.exit(unittest.main(verbosity=2))
