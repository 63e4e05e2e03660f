"""What kind of machine measured: cores, kernel, versions. No names and no paths of it."""

import os
import re
import shutil
import subprocess


def _read(path):
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""


def _first(pattern, text, otherwise="unknown"):
    found = re.search(pattern, text, re.MULTILINE)
    return found.group(1).strip() if found else otherwise


def package_version(name):
    """Of an installed Debian package; None when it is not there."""
    if not shutil.which("dpkg-query"):
        return None
    done = subprocess.run(["dpkg-query", "-W", "-f=${db:Status-Status} ${Version}", name], capture_output=True,
                          text=True, check=False, stdin=subprocess.DEVNULL)
    status, _, version = done.stdout.partition(" ")
    return version if done.returncode == 0 and status == "installed" else None


PACKAGES = {"libvirt": "libvirt-daemon", "QEMU": "qemu-system-x86", "collectd": "collectd-core",
            "prometheus-libvirt-exporter": "prometheus-libvirt-exporter", "python3-libvirt": "python3-libvirt"}


def describe():
    """Facts for the page, as a dict of texts and numbers."""
    processor = _read("/proc/cpuinfo")
    memory_kib = int(_first(r"^MemTotal:\s+(\d+)", _read("/proc/meminfo"), "0"))
    return {
        "cores": len(os.sched_getaffinity(0)),
        "processor": _first(r"^model name\s*:\s*(.+)$", processor),
        "virtual": " hypervisor" in _first(r"^flags\s*:\s*(.+)$", processor, ""),
        "memory_gib": round(memory_kib / 2**20),
        # Not what an administrator appended to it.
        "kernel": re.match(r"[0-9.]*", os.uname().release).group(),
        "system": _first(r'^PRETTY_NAME="?([^"\n]+)', _read("/etc/os-release")),
        "load": os.getloadavg()[0],
        "versions": {name: version for name, package in PACKAGES.items() if (version := package_version(package))},
    }
