"""Counts what libvirtd asks of the QEMUs, by command, out of its own log: a PROBE line for each message it sends."""

import collections
import os
import re
import subprocess

_SENT = re.compile(r'QEMU_MONITOR_SEND_MSG: .*?"execute":"([a-z0-9-]+)"')


class QmpTrace:
    """While the with block lasts libvirtd logs its messages to the QEMUs into a file of the lab."""

    def __init__(self, lab):
        self._path = os.path.join(lab.folder, "log", "qmp.log")
        self._admin = ["virt-admin", "--connect",
                       f"libvirtd:///system?socket={lab.folder}/sock/libvirt-admin-sock"]

    def __enter__(self):
        self._set("daemon-log-outputs", f"2:file:{self._path}")
        self._set("daemon-log-filters", "2:qemu.qemu_monitor")
        return self

    def __exit__(self, *_exception):
        self._set("daemon-log-filters", "")
        self._set("daemon-log-outputs", "3:stderr")

    def size(self):
        """A place in the log, for count()."""
        return os.path.getsize(self._path) if os.path.exists(self._path) else 0

    def count(self, first, last):
        """Commands between two places: {name: count}."""
        with open(self._path, "rb") as log:
            log.seek(first)
            return commands(log.read(last - first).decode("utf-8", "replace"))

    def _set(self, what, value):
        subprocess.run([*self._admin, what, value], check=True, stdin=subprocess.DEVNULL, capture_output=True)


def commands(text):
    """Names of QMP commands in a piece of libvirtd's log, with counts."""
    return dict(collections.Counter(_SENT.findall(text)))
