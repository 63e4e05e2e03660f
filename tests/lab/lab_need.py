"""What the lab needs of a machine, and whether it is there."""

import fcntl
import os
import shutil
import struct
import subprocess

from lab_base import EX_NOPERM, EX_UNAVAILABLE, LabError

# Debian package -> a command or path that shows it is installed.
PACKAGES = {
    "libvirt-daemon-system": "/var/lib/libvirt",
    "libvirt-daemon": "libvirtd",
    "libvirt-clients": "virsh",
    "libvirt-daemon-driver-qemu": "/usr/lib/x86_64-linux-gnu/libvirt/connection-driver/libvirt_driver_qemu.so",
    "qemu-system-x86": "qemu-system-x86_64",
    "qemu-utils": "qemu-img",
    "iproute2": "ip",
    "util-linux": "unshare",
    "busybox-static": "busybox",
    "cpio": "cpio",
}
DATABASE_PACKAGES = {"influxdb": "influxd", "victoria-metrics": "victoria-metrics"}

_IFF_TAP_NO_PI = 0x1002
_TUNSETIFF = 0x400454CA


def require(packages=None):
    """Raises LabError with the first thing that is missing and its fix."""
    if os.geteuid() != 0:
        raise LabError("the lab needs root for namespaces and taps: run it with sudo", EX_NOPERM)
    require_packages(PACKAGES if packages is None else packages)
    _require_tap()
    _require_namespaces()


def require_packages(packages):
    missing = [name for name, proof in packages.items() if not shutil.which(proof) and not os.path.exists(proof)]
    if missing:
        names = " ".join(missing)
        raise LabError(f"missing: apt-get install --no-install-recommends {names}", EX_UNAVAILABLE)


def _require_tap():
    """Makes a tap for a moment: the device node alone does not prove that the kernel lets us."""
    try:
        with open("/dev/net/tun", "r+b", buffering=0) as tun:
            fcntl.ioctl(tun, _TUNSETIFF, struct.pack("16sH22x", b"vlcheck%d", _IFF_TAP_NO_PI))
    except OSError as error:
        raise LabError(f"/dev/net/tun: {error.strerror}: modprobe tun, or give the container that device and "
                       "CAP_NET_ADMIN", EX_UNAVAILABLE) from error


def _require_namespaces():
    attempt = subprocess.run(["unshare", "--mount", "--pid", "--fork", "--mount-proc", "true"],
                             capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    if attempt.returncode != 0:
        raise LabError(f"no namespaces: {attempt.stderr.strip()}: give the container CAP_SYS_ADMIN", EX_NOPERM)
