"""docs/performance.md and its chart out of the raw numbers. Pure functions: the same numbers give the same page."""

import textwrap

import targets
from chart import log_chart
from figures import markdown_table, number, ratios, spread, text_table, words
from targets import LAB, series, total

GROWTH_NAMES = {"virtmeter": "virtmeter", "virtmeter_libvirt": "virtmeter, libvirt only", "bare_six": "bare bulk call",
                "exporter": "libvirt exporter", "collectd": "collectd virt", "python_device": "Python, per device"}

_HEAD = """\
# What virtmeter costs

This page is written by `scripts/bench --write-docs`; the raw numbers, round by round, are in
[performance.json](performance.json). **Read the ratios, not the milliseconds**: another machine has other milliseconds, and
all figures that are compared here were taken in one session, in turns, on the same guests.
"""

# Each becomes a wrapped item of a list.
_HOW = (
    "A private libvirtd ({libvirt}) with {guests} QEMU guests ({qemu}), 2 NICs and 3 disks each. A guest runs a ROM that halts "
    "at once: it is `running` for libvirt and does nothing, so what its QEMU uses is what a collector makes it use. What the "
    "lab uses with no collector at all, measured in each round, is subtracted.",
    "One after another each collector runs as in production, one reading every {interval:g} s. After two readings to warm up the "
    "CPU clocks of its process, of libvirtd and of all QEMUs are read, and again {readings} readings later: starting up is not "
    "in it. {rounds} rounds; each begins with another collector. A figure is the median of the rounds, with the smallest and the "
    "largest in brackets; a ratio is taken in each round for itself.",
    "`virtmeter` is the daemon with its default settings, through the spool into a file; its pages are switched off. `virtmeter "
    "once` prints to a file.",
    "The kernel tier alone (`bench/kernel_tier.cc`) asks libvirt once, at its start, who is there; then it reads with virtmeter's "
    "kernel reader, encodes, and appends to a spool on disk.",
    "The bare client (`bench/bare_client.cc`) makes one bulk call for every 32 VMs and frees the answer: the least that any "
    "libvirt client can do. Its fields are the parameters that libvirt sends.",
    "The Python scripts (`bench/python_poller.py`) read the contract's core fields as such scripts usually do. The lab has no "
    "cgroups, so the call for user and system time fails there, for them as for virtmeter.",
    "The exporter is scraped on the beat. collectd runs with `ExtraStats \"domain_state pcpu memory vcpu\"` and writes Graphite's "
    "text to a socket. It skips paused VMs, which is why these guests run, and does not tell how long a reading takes.",
    "Fields are the values delivered for one VM in one reading.",
    "The machine: {machine}",
)

_LIMITS = (
    "The guests run under emulation, not under KVM. On KVM hosts with QEMU before 8.1 the CPU and VCPU groups also make every "
    "vCPU leave the guest; no such exit can be counted here.",
    "Idle guests. A guest at work makes libvirt's calls wait for its QEMU's lock; the kernel's files do not wait.",
    "A small machine: libvirtd, the QEMUs and the collector share its cores, so wall times are upper bounds.",
    "Simulated VMs cost no libvirtd and no QEMU: that line of the growth shows what virtmeter itself takes.",
    "Hosts with hundreds of thousands of processes were not tried.",
)


def _items(texts, **values):
    """A Markdown list, wrapped as the other pages are."""
    return "\n".join(textwrap.fill(text.format(**values), 124, initial_indent="* ", subsequent_indent="  ",
                                   break_long_words=False, break_on_hyphens=False) for text in texts) + "\n"


_BUSY = """\
**Provisional: the machine was busy with other work (load {load:.1f} before the first measurement).** Ratios of two large
figures hold roughly; small differences and wall times say nothing.
"""
# A machine that does nothing else has less.
_LOAD_MAX = 0.5


def _machine_words(machine):
    kind = "a virtual machine" if machine["virtual"] else "a physical machine"
    return (f"{machine['cores']} cores ({machine['processor']}, {kind}), {machine['memory_gib']} GB, Linux {machine['kernel']}, "
            f"{machine['system']}; " + ", ".join(f"{name} {version}" for name, version in machine["versions"].items()) +
            f"; load {machine['load']:.1f} at the start.")


def lab_table(lab):
    """(header, rows) of the contenders, in the order in which they are named."""
    header = ["per reading", "collector, ms", "libvirtd, ms", "QEMU, ms", "sum, ms", "sum / six groups", "wall, ms", "memory, MB",
              "fields/VM"]
    base = total(lab, "bare_six", LAB[1:])
    rows = []
    for key, name in lab["names"].items():
        if not targets.measured_in(lab, key):
            continue
        sums = total(lab, key)
        kib = [value / 1024 for value in series(lab, key, "rss_kib") if value]
        rows.append([name, *(words(spread(series(lab, key, column))) for column in LAB), words(spread(sums)),
                     words(spread(ratios(sums, base))), words(spread(series(lab, key, "wall_ms"))), words(spread(kib)),
                     str(lab["fields"].get(key, "-"))])
    return header, rows


def paused_table(lab):
    """The same guests when they are paused; the sums and ratios only."""
    base = total(lab, "bare_six", LAB[1:], "paused")
    rows = []
    for key, name in lab["names"].items():
        if targets.measured_in(lab, key, "paused"):
            sums = total(lab, key, LAB, "paused")
            rows.append([name, words(spread(sums)), words(spread(ratios(sums, base)))])
    return ["per reading, guests paused", "sum, ms", "sum / six groups"], rows


def absent_lines(lab):
    """Why a row is not there, a sentence each."""
    return [f"`{key}` is not measured: {why}." for key, why in sorted({**lab["absent"], **lab["failures"]}.items())]


def targets_table(results):
    header = ["what", "to reach", "measured", "verdict"]
    rows = [[row.what, row.least, row.measured, row.verdict + (f"; {row.note}" if row.note else "")]
            for row in targets.all_rows(results)]
    return header, rows


def parts_table(benchmarks):
    header = ["part", "time, µs", "million/s", "GB/s"]
    rows = []
    for name, repetitions in benchmarks.items():
        def over(key, scale=1.0, repetitions=repetitions):
            return words(spread([row[key] * scale for row in repetitions if key in row]))
        rows.append([name, over("cpu_ms", 1000), over("items_per_second", 1e-6),
                     over("bytes_per_second", 1e-9)])
    return header, rows


def spooled_table(benchmarks):
    header = ["per cycle", "read and derive, ms", "encode and append, ms", "both, ms", "µs per VM", "to disk, ms", "peak, MB"]
    rows = []
    for name, rounds in benchmarks.items():
        vms = int(name.rsplit("/", 1)[1])
        columns = [[one[key] for one in rounds] for key in ("derive_ms", "encode_ms", "cpu_ms")]
        columns += [[1000 * one["cpu_ms"] / vms for one in rounds], *([one[key] for one in rounds]
                                                                     for key in ("disk_ms", "peak_mib"))]
        rows.append([f"{vms:,} VMs", *(words(spread(column)) for column in columns)])
    return header, rows


def qmp_table(lab):
    names = sorted({name for counts in lab["qmp"].values() for name in counts})
    rows = [[lab["names"][key], *(number(counts.get(name, 0)) for name in names), number(sum(counts.values()))]
            for key, counts in lab["qmp"].items()]
    return ["commands per VM and reading", *names, "all"], rows


def growth_series(results):
    """[(name, [(VMs, ms of CPU), ...])] for the chart."""
    found = []
    lab = results.get("lab")
    if lab:
        rows = lab["growth"] + lab["rows"]
        for key, name in GROWTH_NAMES.items():
            points = []
            for size in sorted({row["guests"] for row in rows if row["contender"] == key}):
                of_it = [sum(row[part] for part in LAB) for row in rows
                         if row["contender"] == key and row["guests"] == size]
                points.append((size, spread(of_it).median))
            if points:
                found.append((name, points))
    scale = results.get("scale") or {}
    points = []
    for size in sorted({row["vms"] for row in scale.get("daemon", [])}):
        points.append((size, spread([row["collector_ms"] for row in scale["daemon"] if row["vms"] == size]).median))
    if points:
        found.append(("virtmeter's own, simulated", points))
    return found


def chart(results):
    """The SVG, or None without a number."""
    found = growth_series(results)
    return log_chart("CPU per reading by number of VMs", "VMs", "ms of CPU: collector + libvirtd + QEMU",
                     found) if found else None


def growth_table(results):
    found = growth_series(results)
    sizes = sorted({size for _, points in found for size, _ in points})
    rows = [[name, *(number(dict(points)[size]) if size in dict(points) else "-" for size in sizes)]
            for name, points in found]
    return ["ms of CPU per reading", *(f"{size:,} VMs" for size in sizes)], rows


def _scale_words(results):
    scale = results.get("scale")
    if scale is None:
        return "Simulated VMs are not measured: `scripts/bench scale` did not run."
    return " ".join(f"Not measured: {scale[key]}." for key in ("absent", "daemon_absent") if key in scale)


def paragraph(text):
    """A remark that somebody wrote into the raw numbers."""
    return textwrap.fill(text, 124) + "\n"


def markdown(results):
    """docs/performance.md."""
    machine, lab = results["machine"], results.get("lab")
    parts = [_HEAD, _BUSY.format(load=machine["load"]) if machine["load"] > _LOAD_MAX else "",
             paragraph(results["remark"]) if "remark" in results else "",
             "## What it must reach\n\n" + markdown_table(*targets_table(results), right=False) + "\n"]
    if lab:
        parts.append(f"## {lab['guests']} guests, one reading\n\n" + markdown_table(*lab_table(lab)) + "\n")
        parts.append("\n".join(f"* {line}" for line in absent_lines(lab)) + "\n" if absent_lines(lab) else "")
        parts.append(markdown_table(*paused_table(lab)) + "\n")
        if lab["cache_bytes_per_vm"]:
            parts.append(f"The device cache holds {lab['cache_bytes_per_vm']:,.0f} bytes a VM.\n")
        parts.append("## What is asked of the QEMUs\n\nQMP commands, counted in libvirtd's log in a run of its own.\n\n" +
                     markdown_table(*qmp_table(lab)) + "\n")
    if growth_series(results):
        parts.append("## Growth\n\n![CPU per reading by number of VMs](performance_growth.svg)\n\n" +
                     markdown_table(*growth_table(results)) + "\n")
    scale = results.get("scale") or {}
    if scale.get("spooled"):
        parts.append("## From readings to bytes in the spool\n\nSimulated VMs with 2 NICs and 3 disks each, CPU of one core.\n\n" +
                     markdown_table(*spooled_table(scale["spooled"])) + "\n")
    parts.append(_scale_words(results) + "\n" if _scale_words(results) else "")
    for title, benchmarks in (("The parts, on one core", results.get("parts")),
                              ("The embedded store", (results.get("store") or {}).get("benchmarks"))):
        if benchmarks:
            parts.append(f"## {title}\n\n" + markdown_table(*parts_table(benchmarks)) + "\n")
    if lab:
        versions = machine["versions"]
        parts.append("## How it was measured\n\n" + _items(
            _HOW, libvirt=versions.get("libvirt", "unknown"), qemu=versions.get("QEMU", "unknown"), guests=lab["guests"],
            interval=lab["interval_s"], readings=lab["readings"], rounds=lab["rounds"], machine=_machine_words(machine)))
    else:
        parts.append("## The machine\n\n" + _machine_words(machine) + "\n")
    parts.append("## What these numbers do not say\n\n" + _items(_LIMITS))
    return "\n".join(part for part in parts if part)


def terminal(results):
    """The same for a terminal, shorter."""
    lab, parts = results.get("lab"), []
    if lab:
        parts += [f"{lab['guests']} guests, per reading: median (smallest .. largest) of {lab['rounds']} rounds",
                  text_table(*lab_table(lab)), *absent_lines(lab), "", text_table(*paused_table(lab)), "", text_table(*qmp_table(lab)), ""]
    if growth_series(results):
        parts += [text_table(*growth_table(results)), ""]
    if (results.get("scale") or {}).get("spooled"):
        parts += [text_table(*spooled_table(results["scale"]["spooled"])), ""]
    for benchmarks in (results.get("parts"), (results.get("store") or {}).get("benchmarks")):
        if benchmarks:
            parts += [text_table(*parts_table(benchmarks)), ""]
    for row in targets.all_rows(results):
        parts.append(f"{row.verdict:12}  {row.what}\n{'':14}{row.measured}; to reach: {row.least}"
                     + (f"\n{'':14}{row.note}" if row.note else ""))
    return "\n".join(parts)
