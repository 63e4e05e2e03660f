"""What a guest of the lab is: its description, and the domain XML that is made from it. No I/O."""

from dataclasses import dataclass, field
from xml.sax.saxutils import escape, quoteattr

IDLE = "idle"
HALTED = "halted"
LINUX = "linux"

_DEFAULT_MEMORY_MIB = {IDLE: 16, HALTED: 16, LINUX: 96}

# At the reset vector: mov al,0x30; out 0x43,al (the timer chip counts no more); cli; hlt; jmp to the hlt.
_HALT_CODE = bytes.fromhex("b030" "e643" "fa" "f4" "ebfd")
_ROM_BYTES = 64 * 1024
_RESET_VECTOR = _ROM_BYTES - 16


@dataclass
class GuestSpec:
    """What the caller wants.

    kind        IDLE: no kernel, stays paused, costs no CPU. HALTED: runs, but only a ROM that halts, for next to no
                CPU. LINUX: boots and works a little for ever.
    nics, disks how many, or their target names in order. Unnamed NICs get names no other lab has.
    pause_s     a Linux guest's rest between two rounds of work, in seconds.
    *_xml       raw XML put into the domain, its devices, or each of its NICs or disks: for whatever
                a test needs that has no parameter here (bandwidth, iotune, numatune, a cdrom, metadata).
    """

    name: str
    kind: str = IDLE
    vcpus: int = 1
    memory_mib: int = 0
    nics: int | list = 0
    disks: int | list = 0
    uuid: str = ""
    pause_s: float = 1.0
    domain_xml: str = ""
    devices_xml: str = ""
    nic_xml: str = ""
    disk_xml: str = ""


@dataclass
class Guest:
    """What there is: a started guest's identity, and the targets it started with."""

    name: str
    uuid: str
    kind: str
    nics: list = field(default_factory=list)
    disks: list = field(default_factory=list)


def disk_targets(count):
    """vda ... vdz, vdaa ...: the names Linux gives virtio disks."""
    return ["vd" + _letters(index) for index in range(count)]


def _letters(index):
    letters = ""
    index += 1
    while index > 0:
        index, rest = divmod(index - 1, 26)
        letters = chr(ord("a") + rest) + letters
    return letters


def nic_xml(target, inner=""):
    """A NIC that is a tap of the given name and needs no bridge or network."""
    return (f"<interface type='ethernet'><target dev={quoteattr(target)}/>"
            f"<model type='virtio'/>{inner}</interface>")


def disk_xml(path, target, inner=""):
    return (f"<disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file={quoteattr(path)}/>"
            f"<target dev={quoteattr(target)} bus='virtio'/>{inner}</disk>")


def halting_rom():
    """The firmware of a HALTED guest, as bytes."""
    return (b"\xf4" * _RESET_VECTOR + _HALT_CODE).ljust(_ROM_BYTES, b"\xf4")


def domain_xml(spec, guest, image_paths, boot=None):
    """The whole domain. `boot` is (kernel, initramfs, console log) of a Linux guest, (rom,) of a halted one."""
    devices = [nic_xml(target, spec.nic_xml) for target in guest.nics]
    devices += [disk_xml(path, target, spec.disk_xml) for path, target in zip(image_paths, guest.disks)]
    memory = spec.memory_mib or _DEFAULT_MEMORY_MIB[spec.kind]
    # ACPI is how a Linux guest hears of a hot-plugged device on machine type `pc`.
    return f"""<domain type='qemu'>
  <name>{escape(guest.name)}</name>
  <uuid>{guest.uuid}</uuid>
  <memory unit='MiB'>{memory}</memory>
  <vcpu>{spec.vcpus}</vcpu>
  <os><type arch='x86_64' machine='pc'>hvm</type>{_boot_xml(spec, boot)}</os>
  <features><acpi/></features>
  <on_crash>destroy</on_crash>
  {spec.domain_xml}
  <devices>
    <controller type='usb' model='none'/>
    {"".join(devices)}
    {_console_xml(spec, boot)}
    <memballoon model='virtio'><stats period='2'/></memballoon>
    {spec.devices_xml}
  </devices>
</domain>
"""


def _boot_xml(spec, boot):
    if boot is None:
        return ""
    if spec.kind == HALTED:
        return f"<loader readonly='yes' type='rom'>{escape(boot[0])}</loader>"
    kernel, initramfs, _console = boot
    # What a short boot under emulation needs: no mitigations, no random addresses, the clock it is given.
    arguments = f"console=ttyS0 quiet panic=-1 mitigations=off nokaslr no_timer_check lab_pause={spec.pause_s:g}"
    return (f"<kernel>{escape(kernel)}</kernel><initrd>{escape(initramfs)}</initrd>"
            f"<cmdline>{escape(arguments)}</cmdline>")


def _console_xml(spec, boot):
    if spec.kind != LINUX:
        return ""
    return f"<serial type='file'><source path={quoteattr(boot[2])}/></serial>"
