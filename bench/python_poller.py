#!/usr/bin/python3
"""A collector as scripts on python3-libvirt usually are: the contract's core fields of every VM, as line protocol.

    python_poller.py URI device|bulk CYCLES INTERVAL_S

`device` asks libvirt for each VM's XML, info, memory and CPU, and for each NIC and disk by itself. `bulk` makes one
call for all VMs and reads each VM's XML for its devices. Lines go to stdout; stderr gets a line per reading with its
milliseconds. It is here to be measured beside virtmeter, not to be used.
"""

import sys
import time
import xml.etree.ElementTree as ElementTree

import libvirt

NIC_FIELDS = "rxbytes rxpackets rxerrors rxdrops txbytes txpackets txerrors txdrops".split()
DISK_FIELDS = "rd_req rd_bytes wr_reqs wr_bytes errors".split()
NIC_KEYS = "rx.bytes rx.pkts rx.errs rx.drop tx.bytes tx.pkts tx.errs tx.drop".split()
DISK_KEYS = "rd.reqs rd.bytes wr.reqs wr.bytes errors".split()
MEMORY_FIELDS = {"memactual": "actual", "memrss": "rss", "memavailable": "available", "memusable": "usable",
                 "memdisk_cache": "disk_caches", "memswap_in": "swap_in", "memswap_out": "swap_out",
                 "memmajor_fault": "major_fault", "memminor_fault": "minor_fault"}
BULK_MEMORY_KEYS = {"actual": "current"}
STATES = ["no state", "running", "blocked", "paused", "shutdown", "shutoff", "crashed", "suspended"]
GROUPS = (libvirt.VIR_DOMAIN_STATS_STATE | libvirt.VIR_DOMAIN_STATS_CPU_TOTAL | libvirt.VIR_DOMAIN_STATS_BALLOON |
          libvirt.VIR_DOMAIN_STATS_VCPU | libvirt.VIR_DOMAIN_STATS_INTERFACE | libvirt.VIR_DOMAIN_STATS_BLOCK)
ACTIVE = libvirt.VIR_CONNECT_GET_ALL_DOMAINS_STATS_ACTIVE


def devices_of(domain):
    """Target names of a domain's NICs and disks."""
    devices = ElementTree.fromstring(domain.XMLDesc()).find("devices")
    nics = [target.get("dev") for target in devices.findall("interface/target") if target.get("dev")]
    return nics, [target.get("dev") for target in devices.findall("disk[@device='disk']/target")]


def by_device(domain):
    """(state, info, NICs' counters, disks' counters, memory, CPU), each device asked by itself."""
    info = domain.info()
    nics, disks = devices_of(domain)
    try:
        cpu = domain.getCPUStats(True)[0]
    except libvirt.libvirtError:
        cpu = {}  # Without cgroups libvirt does not tell.
    return {"state": info[0], "memory_max": info[1], "memory_used": info[2], "cpus": info[3],
            "cpu_time": info[4], "user": cpu.get("user_time", 0), "system": cpu.get("system_time", 0),
            "nics": {name: domain.interfaceStats(name) for name in nics},
            "disks": {name: domain.blockStats(name) for name in disks},
            "memory": domain.memoryStats()}


def by_record(domain, stats):
    """The same out of a bulk call's record."""
    nics, disks = devices_of(domain)
    counters = {"net": {}, "block": {}}
    for kind, keys in (("net", NIC_KEYS), ("block", DISK_KEYS)):
        for index in range(stats.get(f"{kind}.count", 0)):
            name = stats.get(f"{kind}.{index}.name")
            counters[kind][name] = [stats.get(f"{kind}.{index}.{key}", 0) for key in keys]
    memory = {key: stats.get("balloon." + BULK_MEMORY_KEYS.get(key, key), 0) for key in MEMORY_FIELDS.values()}
    return {"state": stats["state.state"], "memory_max": stats.get("balloon.maximum", 0),
            "memory_used": stats.get("balloon.current", 0), "cpus": stats.get("vcpu.current", 0),
            "cpu_time": stats.get("cpu.time", 0), "user": stats.get("cpu.user", 0),
            "system": stats.get("cpu.system", 0),
            "nics": {name: counters["net"].get(name, [0] * 8) for name in nics},
            "disks": {name: counters["block"].get(name, [0] * 5) for name in disks}, "memory": memory}


def line(measurement, tags, fields, now):
    return f"{measurement},{tags} " + ",".join(f"{key}={value}" for key, value in fields.items()) + f" {now}\n"


def integers(names, values):
    return {name: f"{value}i" for name, value in zip(names, values)}


def sums(rows, width):
    return [sum(row[index] for row in rows) for index in range(width)]


def lines_of(domain, vm, now):
    tags = f"VMID={domain.ID()},name={domain.name()},uuid={domain.UUIDString()}"
    yield line("vm_metrics", tags, {
        "state": f'"{STATES[vm["state"]]}"', "cpu_count": f'{vm["cpus"]}i', "memory_max_kb": f'{vm["memory_max"]}i',
        "memory_used_kb": f'{vm["memory_used"]}i', "cputime_ns": f'{vm["cpu_time"]}i'}, now)
    for name, values in vm["nics"].items():
        yield line("vm_devices", f"{tags},devtype=nic,device={name}", integers(NIC_FIELDS, values), now)
    for name, values in vm["disks"].items():
        yield line("vm_devices", f"{tags},devtype=disk,device={name}", integers(DISK_FIELDS, values), now)
    totals = integers(["net_" + name for name in NIC_FIELDS], sums(vm["nics"].values(), 8))
    totals.update(integers(["disk_" + name for name in DISK_FIELDS], sums(vm["disks"].values(), 5)))
    totals.update(integers(MEMORY_FIELDS, [vm["memory"].get(key, 0) for key in MEMORY_FIELDS.values()]))
    totals.update(integers("timeusr timesys cpus cputime state".split(),
                           [vm["user"], vm["system"], vm["cpus"], vm["cpu_time"], vm["state"]]))
    yield line("vm_totals", tags, totals, now)


def read_all(connection, way):
    if way == "bulk":
        for domain, stats in connection.getAllDomainStats(GROUPS, ACTIVE):
            yield domain, by_record(domain, stats)
    else:
        for domain in connection.listAllDomains(libvirt.VIR_CONNECT_LIST_DOMAINS_ACTIVE):
            yield domain, by_device(domain)


def main():
    if len(sys.argv) != 5 or sys.argv[2] not in ("device", "bulk"):
        sys.exit("usage: python_poller.py URI device|bulk CYCLES INTERVAL_S")
    uri, way, cycles, interval = sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4])
    libvirt.registerErrorHandler(lambda _context, _error: None, None)  # Else they go to stderr.
    connection = libvirt.openReadOnly(uri)
    start = time.monotonic()
    for cycle in range(cycles):
        time.sleep(max(0, start + cycle * interval - time.monotonic()))
        began = time.monotonic()
        now = time.time_ns()
        for domain, vm in read_all(connection, way):
            sys.stdout.writelines(lines_of(domain, vm, now))
        sys.stdout.flush()
        print(f"{1000 * (time.monotonic() - began):.3f}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
