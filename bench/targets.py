"""What issue 4 asks for, and whether the raw numbers reach it. Pure functions over the dict that bench.py collects."""

from dataclasses import dataclass

from figures import number, ratios, spread, sums, words
from programs import figure

LAB = ("collector_ms", "libvirtd_ms", "qemu_ms")
# Every command that the block and balloon groups send, and no other (libvirt 9.0).
BLOCK_AND_BALLOON = {"query-blockstats", "query-named-block-nodes", "query-balloon", "qom-get"}
MEBIBYTE = 1024  # in KiB


@dataclass(frozen=True)
class Row:
    """One target. verdict: "reached", "not reached" or "not measured"."""

    what: str
    least: str
    measured: str
    verdict: str
    note: str = ""


def series(lab, contender, key, rows="rows"):
    """A contender's figure, round by round; None for a round without it."""
    of_it = {row["round"]: row.get(key) for row in lab[rows] if row["contender"] == contender}
    return [of_it.get(number + 1) for number in range(lab["rounds"])]


def total(lab, contender, keys=LAB, rows="rows"):
    return sums(*(series(lab, contender, key, rows) for key in keys))


def measured_in(lab, contender, rows="rows"):
    return lab is not None and any(row["contender"] == contender for row in lab[rows])


def _missing(what, least, why):
    return Row(what, least, "-", "not measured", why)


def _at_most(what, limit, values, least=None, note=""):
    """A row whose median must not be above the limit."""
    found = spread(values)
    if found is None:
        return _missing(what, least or number(limit), note or "no round has both figures")
    return Row(what, least or f"at most {number(limit)}", words(found),
               "reached" if found.median <= limit else "not reached", note)


def total_row(lab, rows, state):
    """Of guests that run and of guests that are paused: where nothing runs there is less to ask."""
    guests = lab["guests"] if lab else 120
    what = (f"CPU of virtmeter, libvirtd and QEMU per cycle / CPU of libvirtd and QEMU for one bulk call of the six "
            f"groups; {guests} idle guests, {state}")
    if not measured_in(lab, "virtmeter", rows) or not measured_in(lab, "bare_six", rows):
        return _missing(what, "at most 0.55", "the lab did not run")
    return _at_most(what, 0.55, ratios(total(lab, "virtmeter", LAB, rows), total(lab, "bare_six", LAB[1:], rows)))


def kernel_row(lab):
    what = "kernel tier alone, encoded and spooled / the bulk call's CPU and INTERFACE groups (libvirtd and QEMU)"
    if not measured_in(lab, "kernel_tier"):
        return _missing(what, "at most 1/50", (lab or {}).get("absent", {}).get("kernel_tier", "the lab did not run"))
    return _at_most(what, 1 / 50, ratios(total(lab, "kernel_tier"), total(lab, "bare_cpu_interface", LAB[1:])),
                    least="at most 1/50 = 0.02")


def own_cost_row(lab):
    what = "CPU of the virtmeter process per cycle / CPU of a bare client process that makes the six groups' calls"
    if not measured_in(lab, "virtmeter") or not measured_in(lab, "bare_six"):
        return _missing(what, "at most 1.5", "the lab did not run")
    bare = series(lab, "bare_six", "collector_ms")
    note = ""
    if measured_in(lab, "virtmeter_libvirt"):
        same = spread(ratios(series(lab, "virtmeter_libvirt", "collector_ms"), bare))
        note = f'making the very same calls (source = "libvirt"): {words(same)}'
    return _at_most(what, 1.5, ratios(series(lab, "virtmeter", "collector_ms"), bare), note=note)


def exporter_row(lab):
    what = "CPU of a reading, all processes / the same with prometheus-libvirt-exporter; and more fields"
    if not measured_in(lab, "virtmeter") or not measured_in(lab, "exporter"):
        return _missing(what, "at most 0.5", (lab or {}).get("absent", {}).get("exporter", "the exporter did not run"))
    ours, theirs = lab["fields"]["virtmeter"], lab["fields"]["exporter"]
    row = _at_most(what, 0.5, ratios(total(lab, "virtmeter"), total(lab, "exporter")),
                   note=f"{ours} fields a VM to {theirs}")
    return row if ours > theirs else Row(row.what, row.least, row.measured, "not reached", row.note)


def encoding_row(parts):
    what = "line protocol encoding, one core"
    least = "4 million lines/s or 1 GB/s"
    names = [name for name in parts or {} if name.startswith("encode_lines/")]
    if not names:
        return _missing(what, least, "the parts did not run")
    lines = {name: spread(figure(parts, name, "items_per_second")).median for name in names}
    octets = {name: spread(figure(parts, name, "bytes_per_second")).median for name in names}
    by_speed = sorted(names, key=lines.get)

    def speed(name):
        return f"{lines[name] / 1e6:.2f} million lines/s, {octets[name] / 1e9:.2f} GB/s"

    worst = by_speed[0]
    good = lines[worst] >= 4e6 or octets[worst] >= 1e9
    return Row(what, least, speed(worst), "reached" if good else "not reached",
               f"the slowest, {worst}; the quickest, {by_speed[-1]}: {speed(by_speed[-1])}")


def scale_rows(scale):
    cycle, growth = "10,000 simulated VMs: from readings to bytes in the spool", "CPU per VM at 10,000 VMs / at 1,000"
    ms = {size: figure((scale or {}).get("spooled"), f"readings_to_spool/{size}", "cpu_ms") for size in (1000, 10000)}
    if not all(ms.values()):
        why = (scale or {}).get("absent", "the scale part did not run")
        return [_missing(cycle, "at most 100 ms", why), _missing(growth, "at most 1.2", why)]
    per_vm = [(many / 10000) / (few / 1000) for many, few in zip(ms[10000], ms[1000])]
    row = _at_most(cycle, 100, ms[10000], least="at most 100 ms")
    return [Row(row.what, row.least, row.measured + " ms", row.verdict), _at_most(growth, 1.2, per_vm)]


def memory_rows(lab, scale):
    rows = []
    what = f"resident memory at {lab['guests']} guests, the most" if lab else "resident memory at 120 guests"
    if measured_in(lab, "virtmeter"):
        mib = [kib / MEBIBYTE for kib in series(lab, "virtmeter", "rss_kib_max") if kib]
        row = _at_most(what, 30, mib, least="at most 30 MB")
        rows.append(Row(row.what, row.least, row.measured + " MB", row.verdict))
    else:
        rows.append(_missing(what, "at most 30 MB", "the lab did not run"))
    what = "resident memory at 10,000 simulated VMs, the most"
    daemon = [row for row in (scale or {}).get("daemon", []) if row["vms"] == 10000]
    if daemon:
        row = _at_most(what, 250, [row["rss_kib_max"] / MEBIBYTE for row in daemon], least="at most 250 MB")
        rows.append(Row(row.what, row.least, row.measured + " MB", row.verdict))
    else:
        rows.append(_missing(what, "at most 250 MB", (scale or {}).get("daemon_absent", "the scale part did not run")))
    return rows


def qmp_row(lab):
    what = "QMP commands caused per VM and cycle; extra vCPU exits"
    least = "only block's and balloon's"
    if not lab or "virtmeter" not in lab["qmp"]:
        return _missing(what, least, "the lab did not run")
    ours = lab["qmp"]["virtmeter"]
    text = ", ".join(f"{name} {number(count)}" for name, count in sorted(ours.items())) or "none"
    others = set(ours) - BLOCK_AND_BALLOON
    return Row(what, least, text, "not reached" if others else "reached",
               "guests run under emulation, so exits cannot be counted; only a command can cause one")


def all_rows(results):
    """Every target in the issue's order."""
    lab, scale = results.get("lab"), results.get("scale")
    return [total_row(lab, "rows", "running"), total_row(lab, "paused", "paused"), kernel_row(lab),
            own_cost_row(lab), exporter_row(lab), encoding_row(results.get("parts")), *scale_rows(scale), *memory_rows(lab, scale), qmp_row(lab)]
