"""Process 1 of the sandbox: mounts private folders over libvirt's own and starts libvirtd on demand.

Started by sandbox.py inside fresh mount and pid namespaces, with the lab's folder as argument. Reads one
command a line from stdin and answers each with one line on stdout:

    libvirtd [--listen]   starts libvirtd in the foreground, answers "pid N" (N as seen in here)

End of input means the lab is gone: this process leaves, and with it the kernel kills everything in the
namespace. It also reaps whatever is orphaned in here, as QEMU is, which makes itself a daemon.
"""

import os
import signal
import subprocess
import sys

TMPFS_TARGETS = ("/run", "/var/lib/libvirt", "/var/cache/libvirt")


def mount(*arguments):
    subprocess.run(["mount", *arguments], check=True, stdin=subprocess.DEVNULL)


def mount_private_folders(folder):
    # All of /run, not only /run/libvirt: without the system bus's socket libvirtd can reach neither
    # systemd-machined nor polkit nor firewalld of this machine.
    for target in TMPFS_TARGETS:
        mount("-t", "tmpfs", "-o", "mode=0755", "virtmeter-lab", target)
    os.mkdir("/run/libvirt")
    os.mkdir("/run/lock")
    # These two stay readable from outside: settings and logs explain a failure.
    mount("--bind", os.path.join(folder, "etc"), "/etc/libvirt")
    mount("--bind", os.path.join(folder, "log"), "/var/log/libvirt")


def reap(_signal, _frame):
    while True:
        try:
            pid, _status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return


def start_libvirtd(folder, options):
    with open(os.path.join(folder, "log", "libvirtd.log"), "ab") as log:
        child = subprocess.Popen(
            ["libvirtd", "--config", "/etc/libvirt/libvirtd.conf", "--pid-file", "/run/libvirtd.pid", *options],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
    pid = child.pid
    # reap() collects it; the object must not try that a second time when it is dropped.
    child.returncode = 0
    return pid


def main():
    folder = sys.argv[1]
    mount_private_folders(folder)
    signal.signal(signal.SIGCHLD, reap)
    print("ready", flush=True)
    for line in iter(sys.stdin.readline, ""):
        words = line.split()
        if words and words[0] == "libvirtd":
            print("pid", start_libvirtd(folder, words[1:]), flush=True)


if __name__ == "__main__":
    main()
