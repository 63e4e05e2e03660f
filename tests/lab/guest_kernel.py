"""The kernel and initramfs of Linux guests, built once and kept in a cache folder.

The kernel comes from Debian's cloud kernel package, unpacked and never installed; the initramfs is static
busybox, the virtio modules and guest_init.sh. Everything is built aside and renamed into place, so that a
lab never meets half of it and two labs may build at once.
"""

import glob
import gzip
import hashlib
import os
import re
import shutil
import subprocess
import tempfile

from lab_base import EX_UNAVAILABLE, LabError, run

META_PACKAGE = "linux-image-cloud-amd64"

# In the order in which they can be inserted. One that is built into the kernel is left out.
MODULES = ("virtio_ring", "virtio", "virtio_pci_modern_dev", "virtio_pci_legacy_dev", "virtio_pci",
           "virtio_balloon", "virtio_blk", "failover", "net_failover", "virtio_net", "virtio_console")


def default_cache():
    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return os.path.join(base, "virtmeter-lab")


def guest_kernel(cache):
    """Paths of (kernel, initramfs); builds what the cache lacks, which takes a 27 MB download once."""
    os.makedirs(cache, exist_ok=True)
    kernel = os.path.join(cache, "kernel")
    if not os.path.isdir(kernel):
        _build(cache, kernel, _unpack_kernel)
    initramfs = os.path.join(cache, f"initramfs-{_initramfs_key(kernel)}")
    if not os.path.isdir(initramfs):
        _build(cache, initramfs, lambda folder: _build_initramfs(kernel, folder))
    return os.path.join(kernel, "vmlinuz"), os.path.join(initramfs, "initramfs.gz")


def _build(cache, target, fill):
    """Fills a folder beside `target` and renames it to that; a lab that was quicker wins."""
    folder = tempfile.mkdtemp(prefix="building-", dir=cache)
    try:
        fill(folder)
        os.chmod(folder, 0o755)
        try:
            os.rename(folder, target)
        except OSError:
            if not os.path.isdir(target):
                raise
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _newest_package():
    words = run(["apt-cache", "depends", META_PACKAGE])
    names = re.findall(r"Depends: (linux-image-\S+-cloud-amd64)$", words, re.MULTILINE)
    if not names:
        raise LabError(f"apt knows no kernel behind {META_PACKAGE}: run apt-get update", EX_UNAVAILABLE)
    return names[0]


def _unpack_kernel(folder):
    package = _newest_package()
    with tempfile.TemporaryDirectory(prefix="virtmeter-lab-kernel-") as work:
        # As root apt would drop to a user that may not write here, and warn that it cannot.
        download = subprocess.run(["apt-get", "download", "-q", "-o", "APT::Sandbox::User=root", package], cwd=work,
                                  capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
        packages = glob.glob(os.path.join(work, "*.deb"))
        if download.returncode != 0 or not packages:
            raise LabError(f"download {package}: {download.stderr.strip()}: run apt-get update", EX_UNAVAILABLE)
        tree = os.path.join(work, "tree")
        run(["dpkg", "-x", packages[0], tree], timeout=120)
        shutil.copy(_single(os.path.join(tree, "boot", "vmlinuz-*")), os.path.join(folder, "vmlinuz"))
        modules = _single(os.path.join(tree, "lib", "modules", "*"))
        _copy_modules(modules, os.path.join(folder, "modules"))


def _single(pattern):
    found = glob.glob(pattern)
    if len(found) != 1:
        raise LabError(f"{pattern}: {len(found)} files where one was expected")
    return found[0]


def _copy_modules(source, target):
    os.mkdir(target)
    with open(os.path.join(source, "modules.builtin"), encoding="utf-8") as listing:
        built_in = {os.path.basename(line.strip()) for line in listing}
    order = []
    for name in MODULES:
        if f"{name}.ko" in built_in:
            continue
        _decompress(_find_module(source, name), os.path.join(target, f"{name}.ko"))
        order.append(f"{name}.ko\n")
    with open(os.path.join(target, "order"), "w", encoding="utf-8") as listing:
        listing.writelines(order)


def _find_module(source, name):
    for folder, _folders, files in os.walk(source):
        for file in files:
            if re.fullmatch(rf"{re.escape(name)}\.ko(\.xz|\.zst)?", file):
                return os.path.join(folder, file)
    raise LabError(f"the kernel package has no module {name}")


def _decompress(source, target):
    tools = {".xz": ["xz", "-dc"], ".zst": ["zstd", "-dc"]}
    tool = tools.get(os.path.splitext(source)[1], ["cat"])
    with open(target, "wb") as output:
        subprocess.run([*tool, source], stdout=output, check=True)


def _busybox():
    for path in ("/bin/busybox", "/usr/bin/busybox"):
        if os.path.exists(path):
            return path
    raise LabError("busybox: not found: apt-get install busybox-static", EX_UNAVAILABLE)


def _guest_init():
    return os.path.join(os.path.dirname(os.path.abspath(__file__)), "guest_init.sh")


def _initramfs_key(kernel):
    """Changes with whatever goes into the initramfs, so that an old one never meets a new kernel or script."""
    digest = hashlib.sha256()
    for path in (os.path.join(kernel, "vmlinuz"), _guest_init(), __file__, _busybox()):
        with open(path, "rb") as part:
            digest.update(part.read())
    return digest.hexdigest()[:12]


def _build_initramfs(kernel, folder):
    root = os.path.join(folder, "root")
    os.makedirs(os.path.join(root, "bin"))
    shutil.copy(_busybox(), os.path.join(root, "bin", "busybox"))
    shutil.copy(_guest_init(), os.path.join(root, "init"))
    for name in ("init", "bin/busybox"):
        os.chmod(os.path.join(root, name), 0o755)
    shutil.copytree(os.path.join(kernel, "modules"), os.path.join(root, "modules"))
    names = [os.path.relpath(os.path.join(path, name), root)
             for path, folders, files in os.walk(root) for name in folders + files]
    archive = subprocess.run(["cpio", "--create", "--format=newc", "--owner=0:0", "--quiet"], cwd=root,
                             input="\n".join(sorted(names)).encode(), capture_output=True, check=False)
    if archive.returncode != 0:
        raise LabError(f"cpio: {archive.stderr.decode(errors='replace').strip()}")
    with gzip.open(os.path.join(folder, "initramfs.gz"), "wb") as output:
        output.write(archive.stdout)
    shutil.rmtree(root)
