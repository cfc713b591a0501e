#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Captures through the Raspberry Pi 3's DMA controller, as QEMU models it, with the real tools.
# vm: --machine raspi3b
# timeout: 180
# shellcheck source=tests/guest/libdmaengine.sh
. "${0%/*}/libdmaengine.sh"

# The interrupt of our DMA channel: of those in the controller's mask, the one with dmaengine's
# number. The interrupt controller counts them from 48 on.
interrupts() {
	mask=$(od -A n -t u1 /proc/device-tree/soc/dma-controller@7e007000/brcm,dma-channel-mask |
		awk '{ print (($1 * 256 + $2) * 256 + $3) * 256 + $4 }')
	chan=$(readlink "$platform/dma:timer")
	chan=${chan##*chan}
	bit=0
	while :; do
		if [ $((mask >> bit & 1)) = 1 ]; then
			[ "$chan" != 0 ] || break
			chan=$((chan - 1))
		fi
		bit=$((bit + 1))
	done
	awk -v irq=$((48 + bit)) '$0 ~ "ARMCTRL-level +" irq " " { print $2 + $3 + $4 + $5 }' \
		/proc/interrupts
}

hundred_frames() {
	capture 4 100 && no_gaps 100 && rises 100 4096
}
check 'words of 100 frames rise, across frames too' hundred_frames

# One interrupt for each transfer, and none without: counted by the core's trace event.
interrupts_are_transfers() {
	trace=/sys/kernel/tracing
	echo >$trace/trace
	echo 1 >$trace/events/zcdma/zcdma_xfer_start/enable
	before=$(interrupts)
	capture 64 20 || return
	after=$(interrupts)
	echo 0 >$trace/events/zcdma/zcdma_xfer_start/enable
	transfers=$(grep -c zcdma_xfer_start: $trace/trace)
	echo "$((after - before)) interrupts, $transfers transfers"
	[ "$transfers" -ge 20 ] && [ $((after - before)) = "$transfers" ]
}
check 'one interrupt for each transfer' interrupts_are_transfers

of_size() {
	capture "$1" 4 && no_gaps 4 && [ "$(stat -c %s "$tmp/frames")" = $((4 * $1 * line)) ] &&
		head -c 65536 "$tmp/frames" >"$tmp/head" && tail -c 65536 "$tmp/frames" >"$tmp/tail" &&
		cat "$tmp/head" "$tmp/tail" >"$tmp/ends" && rises 1 32768 "$tmp/ends"
}
for lines in 16 256 1024; do
	check "frames of $((lines * line / 1024)) KiB" of_size $lines
done

# The largest frame but one, whole.
whole() {
	capture 512 1 && rises 1 524288
}
check 'every word of a frame of 2 MiB' whole

# read() takes cached buffers: the sync is the core's, the copy the CPU's.
by_read() {
	v4l2-ctl -d "$timer" --set-fmt-video=width=$line,height=4,pixelformat=GREY &&
		dd if="$timer" of="$tmp/frames" bs=16384 count=8 iflag=fullblock && rises 8 4096
}
check 'cached buffers, by read()' by_read

# What the hardware cannot do is not offered.
packed() {
	v4l2-ctl -d "$timer" --try-fmt-video=width=643,height=5000,bytesperline=8192 |
		awk '{ $1 = $1; print }' >"$tmp/format"
	cat "$tmp/format"
	grep -qx "Width/Height : 640/1024" "$tmp/format" &&
		grep -q "^Pixel Format : 'GREY'" "$tmp/format" &&
		grep -qx "Bytes per Line : 640" "$tmp/format" &&
		grep -qx "Size Image : $((640 * 1024))" "$tmp/format"
}
check 'format and size are those of the node' packed

compliant() {
	v4l2-compliance -d "$1" -s10 >"$tmp/compliance" 2>&1
	grep -E 'fail|warn|^Total' "$tmp/compliance"
	grep -q 'Failed: 0, Warnings: 0$' "$tmp/compliance"
}
check 'v4l2-compliance on the capture node' compliant "$timer"
check 'v4l2-compliance on the output node' compliant "$uart"

check 'words of 100 transfers rise in a native stream' native 100

# The video channel's, too, and without a copy: each transfer is a frame of the channel's size.
native_video() {
	rm -f "$tmp/frames"
	zcdma capture rpi3/timer --size 4096x64 --count 16 --output "$tmp/frames" 2>&1 &&
		rises 16 65536
}
check 'a native stream of the video channel' native_video

# A transfer is as long as it was asked for; what is no whole word is refused, and says so.
native_lengths() {
	rm -f "$tmp/frames"
	zcdma capture rpi3/timer-raw --bytes 1044 --count 8 --output "$tmp/frames" 2>&1 &&
		rises 8 261 || return
	! zcdma capture rpi3/timer-raw --bytes 1042 --count 1 2>&1
}
check 'transfers of whole words only' native_lengths

[ ! "$failed" ]
