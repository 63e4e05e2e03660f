#!/usr/bin/python3
"""The disk under the spool is full, fails, or has lost and changed bytes. Collection and delivery go on; what is gone is
counted.

A small tmpfs is the disk that fills up. For write errors a library of our own, put before libc's functions
(LD_PRELOAD), makes them fail on the files of the spool while a control file exists.
"""

import os
import random
import subprocess
import sys
import unittest

import faults_support as faults
from faults_support import DB, Host, Influxd, tally

HERE = os.path.dirname(os.path.abspath(__file__))
VMS = 20


class DiskCase(unittest.TestCase):
    def setUp(self):
        self.influx = self.enterContext(Influxd())
        self.influx.create_database(DB)

    def host(self, *arguments, **variables):
        return self.enterContext(Host(faults.node(self, VMS), self.influx.url, "--set", "spool.min_free_bytes=0",
                                      *arguments, **variables))

    def finish(self, fault, host, allowed=()):
        faults.wait_until_even(host)
        host.stop()
        return tally(self, fault, host, faults.count_points(self.influx, DB), allowed)


class FullDisk(DiskCase):
    def small_disk(self, host, size):
        os.makedirs(host.state_dir)
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "virtmeter-fault", host.state_dir], check=True)
        self.addCleanup(subprocess.run, ["umount", "-l", host.state_dir], check=False)

    def fill(self, host):
        path = os.path.join(host.state_dir, "filler")
        with open(path, "wb", buffering=0) as file:
            try:
                while True:
                    file.write(b"x" * 4096)
            except OSError:
                pass
        return path

    def test_full_and_then_space_again(self):
        host = self.host()
        self.small_disk(host, "24m")
        host.start()
        host.wait_cycles(3)
        self.influx.kill()
        host.wait_cycles(3)
        # A segment's room is reserved when it begins, so the disk is full for the next one: that of the next start.
        host.kill()
        filler = self.fill(host)
        host.start()
        host.wait(lambda: host.status()["spool"]["failing_since"], "the full disk to be noticed", 60)
        host.wait_cycles(6)
        os.unlink(filler)
        host.wait(lambda: host.status()["spool"]["failing_since"] is None, "the disk to be written again")
        self.influx.start()
        # Its own oldest segment may have been given up for space, once: counted.
        self.finish("disk full, then space again", host, allowed=("disk_space", "evicted"))

    def test_delivery_goes_on_with_a_full_disk(self):
        host = self.host()
        self.small_disk(host, "24m")
        self.fill(host)
        host.start()
        host.wait(lambda: host.status()["spool"]["failing_since"], "the full disk to be noticed", 60)
        before = faults.sink_of(host.status())["delivered"]
        host.wait_cycles(6)
        self.assertGreater(faults.sink_of(host.status())["delivered"], before)
        missed = host.status()["collector"]["missed_beats"]
        self.assertLessEqual(missed, 1)
        host.stop()
        # What is on disk is older than what was delivered; the database is asked instead.
        times = faults.complete_cycles(self, self.influx, VMS)
        print(f"\ndisk full, database up: {len(times)} cycles, all whole", file=sys.stderr)
        self.assertLess(max(b - a for a, b in zip(times, times[1:])), 0.9e9)


class FailingDisk(DiskCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = cls.enterClassContext(faults.temp_folder())
        cls.library = os.path.join(cls.folder, "failing_disk.so")
        subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", cls.library, os.path.join(HERE, "failing_disk.c"), "-ldl"],
                       check=True)

    def check_error_on(self, operation):
        control = os.path.join(self.folder, f"fail-{operation}")
        host = self.host(LD_PRELOAD=self.library, FAILING_DISK_CONTROL=control, FAILING_DISK_OPERATION=operation)
        host.start()
        host.wait_cycles(3)
        self.influx.kill()
        with open(control, "wb"):
            pass
        host.wait(lambda: host.status()["spool"]["failing_since"], "the error to be noticed")
        host.wait_cycles(5)
        os.unlink(control)
        host.wait(lambda: host.status()["spool"]["failing_since"] is None, "the disk to be written again")
        host.wait_cycles(2)
        # Killed now: what was in memory during the error must have reached the disk since.
        host.kill()
        self.influx.start()
        host.start()
        self.finish(f"EIO on {operation}", host)

    def test_eio_on_write(self):
        self.check_error_on("write")

    def test_eio_on_fsync(self):
        self.check_error_on("fsync")


class DamagedSpool(DiskCase):
    """src/spool's own tests damage every byte and every bit; here a few, under the whole program."""

    def damaged(self, damage, fault):
        host = self.host()
        host.start()
        host.wait_cycles(2)
        self.influx.stop()
        host.wait_cycles(4)
        host.kill()
        segments = sorted(name for name in os.listdir(host.spool_dir) if name.endswith(".seg"))
        damage(os.path.join(host.spool_dir, segments[-1]))
        report = host.run("spool", "verify")
        self.assertEqual(65, report.returncode, report.stdout + report.stderr)
        self.influx.start()
        host.start()
        host.wait_cycles(2)
        sink = self.finish(fault, host, allowed=("corrupt",))
        return sink["dropped_by_reason"].get("corrupt", 0)

    def test_bits_flipped_inside(self):
        seed = random.randrange(1 << 32)
        print(f"\nseed {seed}", file=sys.stderr)
        chance = random.Random(seed)

        def flip(path):
            # Within the written part: the end of a segment is reserved space.
            with open(path, "r+b") as file:
                data = bytearray(file.read().rstrip(b"\0"))
                place = chance.randrange(len(data) // 3, len(data) * 2 // 3)
                file.seek(place)
                file.write(bytes([data[place] ^ (1 << chance.randrange(8))]))
        for _round in range(faults.longer(1, 50)):
            self.influx.query(f"DROP DATABASE {DB}")
            self.influx.create_database(DB)
            lost = self.damaged(flip, "a bit flipped")
            self.assertGreater(lost, 0)

    def test_cut_in_its_tail(self):
        def cut(path):
            with open(path, "rb") as file:
                written = len(file.read().rstrip(b"\0"))
            os.truncate(path, written - 40)
        self.damaged(cut, "a torn tail")

    def test_a_foreign_file_in_its_place(self):
        host = self.host()
        os.makedirs(host.spool_dir)
        for name in ("0000000000000000.seg", "0000000000000000-00000001.seg", "sink.cursor", "notes.txt"):
            with open(os.path.join(host.spool_dir, name), "wb") as file:
                file.write(b"this is no spool\n" * 100)
        host.start()
        host.wait_cycles(3)
        self.finish("foreign files in the spool's folder", host)


if __name__ == "__main__":
    sys.exit(unittest.main(verbosity=2))
