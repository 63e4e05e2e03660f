"""What virsh says of a guest, in the shape of virtmeter's lines: {(kind, device): {field: number, or None}}.

virsh asks libvirt by itself, so a test that compares with it does not compare virtmeter with its own mistakes. None
stands for a value that libvirt does not know; device is "" but for kinds nic and disk. Of rates virsh knows nothing:
check_rate() below works them out from the lines.
"""

from support import DISK_FIELDS, NIC_FIELDS, only

# domstats counts by these names; of disk errors QEMU knows nothing, and libvirt sends no key.
_NIC_KEYS = dict(zip(NIC_FIELDS, "rx.bytes rx.pkts rx.errs rx.drop tx.bytes tx.pkts tx.errs tx.drop".split()))
_DISK_KEYS = dict(zip(DISK_FIELDS, "rd.reqs rd.bytes wr.reqs wr.bytes errors".split()))
MEMORY_KEYS = {"memactual": "actual", "memrss": "rss", "memavailable": "available", "memusable": "usable",
               "memdisk_cache": "disk_caches", "memswap_in": "swap_in", "memswap_out": "swap_out",
               "memmajor_fault": "major_fault", "memminor_fault": "minor_fault"}
_MARK = "@@@@"
_STATES = ["no state", "running", "blocked", "paused", "shutdown", "shutoff", "crashed", "suspended"]


def ask(lab, name):
    """(the expected lines' fields; dominfo's {word: text}) of a guest, by one virsh."""
    uuid = lab.uuid(name)
    answers = lab.virsh(f"domstats {uuid}; echo {_MARK}; dominfo {uuid}; echo {_MARK}; dommemstat {uuid}")
    stats, info, memory = answers.split(_MARK)
    stats = dict(line.strip().split("=", 1) for line in stats.split("\n") if line.startswith("  "))
    info = dict(line.split(":", 1) for line in info.split("\n") if ":" in line)
    info = {word: text.strip() for word, text in info.items()}
    memory = dict(line.split() for line in memory.split("\n") if line.strip())
    guest = lab.guest(name)
    lines = {("nic", nic): _device(stats, "net", nic, _NIC_KEYS) for nic in guest.nics}
    lines |= {("disk", disk): _device(stats, "block", disk, _DISK_KEYS) for disk in guest.disks}
    lines["vm_metrics", ""] = _metrics(stats, info)
    lines["vm_totals", ""] = {**_sums(lines, "nic", "net_", _NIC_KEYS), **_sums(lines, "disk", "disk_", _DISK_KEYS),
                              **{field: _number(memory, key) for field, key in MEMORY_KEYS.items()},
                              **_times(stats, info)}
    return lines, info


def of_lines(lines):
    """The fields of one VM's lines in the same shape; vm_features is left out: virsh knows no rates."""
    shaped = {}
    for line in lines:
        key = (line.kind(), line.tags.get("device", ""))
        if key in shaped:
            raise AssertionError(f"two lines {key}: {line.text!r}")
        if line.measurement != "vm_features":
            shaped[key] = line.fields
    return shaped


def check_vm(test, lines, before, after, missing=0):
    """One VM's lines against two answers of ask(), before and after; returns the fields that moved in between.

    A value that moved must lie between the answers, any other be equal to both. `missing` is what stands for a value
    that libvirt does not know; None: its field must not be there.
    """
    seen = of_lines(lines)
    test.assertEqual(sorted(before), sorted(seen))
    moved = []
    for key, fields in seen.items():
        wanted = {field for field, value in before[key].items() if value is not None or missing is not None}
        test.assertEqual(wanted, set(fields), key)
        for field, value in fields.items():
            first, last = (missing if answer[key][field] is None else answer[key][field] for answer in (before, after))
            if first == last:
                test.assertEqual(first, value, (key, field))
            else:
                moved.append(field)
                test.assertTrue(min(first, last) <= value <= max(first, last), (key, field, first, value, last))
    return moved


def elapsed_bounds(before, now):
    """The least and the most seconds between the readings of two cycles: each is read within its loop latency."""
    stamps = (now[-1].time - before[-1].time) / 1e9
    latencies = [only(cycle, "collector_latency").fields["loop_latency_ms"] / 1e3 for cycle in (before, now)]
    rounding = 0.002
    return stamps - latencies[0] - rounding, stamps + latencies[1] + rounding


def check_rate(test, rate, difference, bounds, what):
    """Whether difference / elapsed can be `rate`."""
    least, most = sorted((difference / bounds[0], difference / bounds[1]))
    test.assertTrue(least - 1e-6 <= rate <= most + 1e-6, (what, least, rate, most))


def _number(words, key):
    return int(words[key]) if key in words else None


def _metrics(stats, info):
    return {"state": _STATES[int(stats["state.state"])], "cpu_count": int(info["CPU(s)"]),
            "memory_max_kb": int(info["Max memory"].split()[0]), "memory_used_kb": int(info["Used memory"].split()[0]),
            "cputime_ns": int(stats["cpu.time"])}


def _times(stats, info):
    return {"timeusr": int(stats["cpu.user"]), "timesys": int(stats["cpu.system"]), "cpus": int(info["CPU(s)"]),
            "cputime": int(stats["cpu.time"]), "state": int(stats["state.state"])}


def _device(stats, group, name, keys):
    """All None where libvirt has no statistics of it."""
    places = [key.split(".")[1] for key, value in stats.items()
              if key.startswith(group + ".") and key.endswith(".name") and value == name]
    if not places:
        return dict.fromkeys(keys)
    return {field: _number(stats, f"{group}.{places[0]}.{key}") for field, key in keys.items()}


def _sums(lines, kind, prefix, fields):
    """None where there are devices and none of them knows; 0 where there is no device."""
    sums = {}
    for field in fields:
        parts = [values[field] for (line_kind, _device), values in lines.items() if line_kind == kind]
        known = [part for part in parts if part is not None]
        sums[prefix + field] = sum(known) if known or not parts else None
    return sums
