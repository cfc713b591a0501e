#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# v4l2-compliance, with streaming, on capture and output nodes and their media devices, without a
# failure or a warning.
#
# v4l2-compliance streams at the shortest interval there is, and a lost frame is a warning. An
# emulated CPU cannot keep up with 1000 frames a second in real time; with icount, where time goes
# by instructions, it can.
# vm: --smp 1 --qemu '-icount shift=0,sleep=off'
# timeout: 400
dir=/tmp/compliance
rm -rf $dir
mkdir $dir

media_of() {
	# shellcheck disable=SC2012 # names made by the kernel
	ls -d "/sys/class/video4linux/$(basename "$(readlink -f "$1")")/device/media"* |
		sed 's|.*/|/dev/|'
}

# compliance NAME ARGS...: the status of v4l2-compliance ignores warnings, its last line does not.
compliance() {
	name=$1
	shift
	# It rewrites its progress over and over.
	v4l2-compliance "$@" 2>&1 | tr '\r' '\n' >"$dir/$name"
	if [ "${PIPESTATUS[0]}" = 0 ] && grep -q 'Failed: 0, Warnings: 0$' "$dir/$name"; then
		echo "ok - test_compliance_of_$name"
	else
		echo "not ok - test_compliance_of_$name"
		grep 'fail\|FAIL\|warn\|^Total' "$dir/$name" | sed 's/^/# /'
	fi
}

compliance capture -d /dev/zcdma/virt0/cam0 -s -f
compliance capture_media -m "$(media_of /dev/zcdma/virt0/cam0)"
compliance output -d /dev/zcdma/virt0/out0 -s -f
compliance output_media -m "$(media_of /dev/zcdma/virt0/out0)"
