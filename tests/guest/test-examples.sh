#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# The examples of userlib/examples do what they say, on our devices and, where it is the same
# program for both, on vivid.
# timeout: 120
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"; udevadm settle; modprobe -rq vivid' EXIT

# check NAME WANTED-LAST-LINE COMMAND...
check() {
	name=$1 wanted=$2
	shift 2
	if "$@" >"$tmp/out" 2>"$tmp/err" && tail -n 1 "$tmp/out" | grep -Eqx "$wanted"; then
		echo "ok - $name"
	else
		sed 's/^/# /' "$tmp/err"
		tail -n 3 "$tmp/out" | sed 's/^/# /'
		echo "not ok - $name"
		failed=1
	fi
}

failed=0
modprobe vivid node_types=0x1 && udevadm settle
for node in /sys/class/video4linux/video*; do
	case $(cat "$node/name") in
	vivid*) vivid=/dev/${node##*/} ;;
	esac
done
head -c 300000 /dev/urandom >"$tmp/bytes"

check capture 'frame [0-9]+: 614400 bytes' example-capture
check capture_coherent_device 'frame [0-9]+: 614400 bytes' example-capture virt1/cam0
check capture_vivid 'frame [0-9]+: [0-9]+ bytes' example-capture "$vivid"
check playback 'played 300000 bytes' sh -c "example-playback virt0/raw-out <$tmp/bytes"
check playback_arrived 300000 cat /sys/kernel/debug/zcdma/virt0/raw-out/sink/bytes
# A transfer that fails, and after it none whose buffer would be looked at.
echo 1 >/sys/kernel/debug/zcdma/virt0/raw-out/fault/error
if ! head -c 1000 "$tmp/bytes" | example-playback virt0/raw-out 2>"$tmp/err" &&
	grep -q '^playback: Input/output error$' "$tmp/err"; then
	echo "ok - playback_failed"
else
	echo "not ok - playback_failed"
	failed=1
fi
check share '50 frames seen by two processes' example-share virt0/cam0
check share_vivid '50 frames seen by two processes' example-share "$vivid"
check display '98 frames shown' example-display virt0/cam0 /dev/zcdma/virt0/out0
check epoll 'virt1/cam0: [1-9][0-9]* frames, 0 triggers in 4 s' example-epoll virt0/cam0 virt1/cam0
check epoll_vivid "$vivid: [1-9][0-9]* frames, 0 triggers in 4 s" example-epoll virt0/cam0 "$vivid"

# Pulses of the trigger line from outside, each of which starts a frame.
zcdma trigger --mode on --source line virt0
example-epoll virt0/cam0 >"$tmp/triggered" &
until grep -q 'cam0 .* running' /sys/kernel/debug/zcdma/virt0/state; do sleep 0.1; done
host pulse 3
wait $!
check epoll_triggered 'virt0/cam0: 3 frames, 3 triggers in 4 s' cat "$tmp/triggered"
zcdma trigger --mode off --source software virt0

# The lamp, from outside: line 5 of QEMU's PL061, which is up for most of the time when an exposure
# takes 30 of the 33 ms of a frame. How often, the kernel counts.
device=$(dirname "$(grep -lx virt0 /sys/class/zcdma/*/name)")
strobes() {
	cat "$device/strobe/count"
}
exposure=$(v4l2-ctl -d /dev/zcdma/virt0/cam0 -C exposure_time_absolute)
v4l2-ctl -d /dev/zcdma/virt0/cam0 -c exposure_time_absolute=300
before=$(strobes)
example-strobe virt0/cam0 >"$tmp/strobe" &
lit=0
while kill -0 $! 2>/dev/null; do
	[ $(($(host readreg 0x090303fc) & 0x20)) = 0 ] || lit=$((lit + 1))
done
wait $!
check strobe '20 frames, 20 strobes' cat "$tmp/strobe"
check strobe_counted 20 echo $(($(strobes) - before))
check strobe_seen_outside '[1-9][0-9]* times lit' echo "$lit times lit"
check strobe_off_afterwards 0x0+ host readreg 0x09030080
v4l2-ctl -d /dev/zcdma/virt0/cam0 -c "exposure_time_absolute=${exposure##* }"
check strobe_node '20 frames, 20 strobes' example-strobe /dev/zcdma/virt0/cam0
# Settings are as they were.
check strobe_restores off cat "$device/strobe/mode"
check strobe_restores_trigger off cat "$device/trigger/mode"
if ! example-strobe "$vivid" 2>"$tmp/err" && grep -q 'has no strobe line' "$tmp/err"; then
	echo "ok - strobe_vivid_has_none"
else
	echo "not ok - strobe_vivid_has_none"
	failed=1
fi
# A sentence, and status 1, where it cannot be.
if ! example-capture nosuch 2>"$tmp/err" && grep -q '^capture: No such device$' "$tmp/err"; then
	echo "ok - error"
else
	echo "not ok - error"
	failed=1
fi
exit $failed
