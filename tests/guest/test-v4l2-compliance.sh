#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# v4l2-compliance, with streaming, on capture and output nodes and their media devices, without a
# failure or a warning.
#
# A frame that is lost because this machine is busy would be a warning, so the interval is long.
# timeout: 240
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

null=$(v4l2-ctl -d /dev/zcdma/virt0/cam0 --list-ctrls-menus |
	sed -n 's/^[[:space:]]*\([0-9]*\): Null$/\1/p')
# Drawing the largest frames takes this machine long.
v4l2-ctl -d /dev/zcdma/virt0/cam0 --set-parm=2 --set-ctrl=test_pattern="$null" \
	--set-fmt-video=width=640,height=480,pixelformat=YUYV >$dir/setup
v4l2-ctl -d /dev/zcdma/virt0/out0 --set-output-parm=2 \
	--set-fmt-video-out=width=640,height=480,pixelformat=YUYV >>$dir/setup

compliance capture -d /dev/zcdma/virt0/cam0 -s 3 -f 1
compliance capture_media -m "$(media_of /dev/zcdma/virt0/cam0)"
compliance output -d /dev/zcdma/virt0/out0 -s 3 -f 1
compliance output_media -m "$(media_of /dev/zcdma/virt0/out0)"
v4l2-ctl -d /dev/zcdma/virt0/cam0 --set-ctrl=test_pattern=0
