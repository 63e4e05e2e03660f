#!/bin/busybox sh
# Process 1 of a Linux guest: loads the virtio drivers, then moves every counter a little, for ever.
# The rest between two rounds is `lab_pause=SECONDS` on the kernel's command line.

/bin/busybox mkdir -p /bin /dev /proc /sys
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev

while read -r module; do
    insmod "/modules/$module"
done < /modules/order

pause=1
for word in $(cat /proc/cmdline); do
    case $word in lab_pause=*) pause=${word#lab_pause=} ;; esac
done
echo "lab: guest is up"

round=0
while :; do
    # Past the cache, so that every round reaches the host; the offset stays within 64 MB. Writes and reads
    # take turns: under emulation it is the number of processes started that costs CPU.
    block=$((round / 2 % 512))
    for disk in /dev/vd*; do
        [ -b "$disk" ] || continue
        if [ $((round % 2)) = 0 ]; then
            dd if=/dev/zero of="$disk" bs=16k count=1 seek="$block" oflag=direct conv=notrunc status=none
        else
            dd if="$disk" of=/dev/null bs=16k count=1 skip="$block" iflag=direct status=none
        fi
    done
    # The link comes up with its first use. Nobody answers: a tap has no address, only counters.
    for nic in /sys/class/net/eth*; do
        [ -e "$nic" ] || continue
        read -r flags < "$nic/flags"
        nic=${nic##*/}
        [ "$flags" = 0x1003 ] || ip link set "$nic" up
        arping -q -U -c 1 -w 0 -I "$nic" 10.255.255.1 > /dev/null 2>&1
    done
    round=$((round + 1))
    sleep "$pause"
done
