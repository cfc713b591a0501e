#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# The examples of userlib/examples do what they say, on our devices and, where it is the same
# program for both, on vivid.
# timeout: 120
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"; modprobe -rq vivid' EXIT

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
check share '50 frames seen by two processes' example-share virt0/cam0
check share_vivid '50 frames seen by two processes' example-share "$vivid"
check display '98 frames shown' example-display virt0/cam0 /dev/zcdma/virt0/out0
check epoll 'virt1/cam0: [1-9][0-9]* frames in 2 s' example-epoll virt0/cam0 virt1/cam0
# A sentence, and status 1, where it cannot be.
if ! example-capture nosuch 2>"$tmp/err" && grep -q '^capture: No such device$' "$tmp/err"; then
	echo "ok - error"
else
	echo "not ok - error"
	failed=1
fi
exit $failed
