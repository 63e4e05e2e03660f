#!/usr/bin/python3
"""The journal: when stderr is the journal's stream, each line goes there with its priority, and nothing to stderr.

There is no journald on a test machine, so a socket of our own stands at /run/systemd/journal/socket, in a mount namespace
of its own, and speaks the journal's native protocol (systemd.io/JOURNAL_NATIVE_PROTOCOL): one datagram of KEY=value lines
an entry.
"""

import os
import socket
import subprocess
import sys
import tempfile
import unittest

from support import binary, environment

JOURNAL_SOCKET = "/run/systemd/journal/socket"


def entries_of(datagrams):
    return [dict(line.split("=", 1) for line in data.decode().splitlines() if "=" in line) for data in datagrams]


def collect_in_namespace():
    """Runs inside the namespace: prints what the journal got as one entry a line, then what came over stderr."""
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", "/run"], check=True)
    os.makedirs(os.path.dirname(JOURNAL_SOCKET))
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as journal, tempfile.TemporaryFile() as stream:
        journal.bind(JOURNAL_SOCKET)
        status = os.fstat(stream.fileno())
        variables = environment(JOURNAL_STREAM=f"{status.st_dev}:{status.st_ino}")
        subprocess.run([binary(), "once", "--libvirt-uri", "test:///default"], env=variables, stdout=subprocess.DEVNULL,
                       stderr=stream, timeout=30, check=True)
        journal.setblocking(False)
        datagrams = []
        try:
            while True:
                datagrams.append(journal.recv(65536))
        except BlockingIOError:
            pass
        for entry in entries_of(datagrams):
            print("ENTRY", entry.get("PRIORITY"), entry.get("SYSLOG_IDENTIFIER"), entry.get("MESSAGE"), sep="\t")
        stream.seek(0)
        print("STDERR", stream.read().decode(), sep="\t")


class JournalTest(unittest.TestCase):
    def test_lines_arrive_with_priority_and_not_on_stderr(self):
        done = subprocess.run(["unshare", "--mount", sys.executable, os.path.abspath(__file__), "--in-namespace"],
                              capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        entries = [line.split("\t")[1:] for line in done.stdout.splitlines() if line.startswith("ENTRY")]
        connected = [entry for entry in entries if entry[2].startswith("connected to test:///default")]
        self.assertEqual([entry[:2] for entry in connected], [["6", "virtmeter"]], done.stdout)
        self.assertTrue(done.stdout.endswith("STDERR\t\n"), done.stdout)


if __name__ == "__main__":
    if "--in-namespace" in sys.argv:
        collect_in_namespace()
    else:
        unittest.main(verbosity=2)
