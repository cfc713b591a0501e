#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Whatever goes away or fails while the DMA controller has transfers that do not end, nothing
# hangs, buffers come back, and afterwards frames come again.
#
# QEMU's controller runs a transfer to its end as soon as it is started, unless its channels are
# disabled: then transfers stay in flight. The SD card must not need it, see the overlay.
#
# vm: --machine raspi3b --dtbo $build/tests/dts/sd-without-dma.dtbo
# boot: own
# timeout: 180
# shellcheck source=tests/guest/libdmaengine.sh
. "${0%/*}/libdmaengine.sh"

stall() {
	[ -d /sys/module/zcdma_poke ] || modprobe zcdma-poke address=0x3f007ff0 value=0
}
go_on() {
	rmmod zcdma-poke
}

bound() {
	[ -e "$platform/driver" ] && [ -e $timer ]
}
gone() {
	[ ! -e "$platform/driver" ] && [ ! -e $timer ]
}
streaming() {
	grep -q 'VIDIOC_STREAMON returned 0' "$tmp/log"
}

# A program with all of its buffers in the controller, which does nothing.
start_stalled() {
	stall || return
	# The child that begins it anew may come later than the first look at it.
	: >"$tmp/log"
	v4l2-ctl -d "$timer" --set-fmt-video=width=$line,height=4,pixelformat=GREY \
		--stream-mmap=4 --stream-count="$1" --stream-to="$tmp/frames" --verbose \
		>"$tmp/log" 2>&1 &
	player=$!
	wait_for streaming
}

# The same with the native stream of the raw channel.
in_flight() {
	grep -q '^channel timer-raw .* running queued 0 active 4 ' /sys/kernel/debug/zcdma/rpi3/state
}
start_native() {
	stall || return
	zcdma capture rpi3/timer-raw --bytes 16384 --count "$1" 2>"$tmp/native" &
	native=$!
	wait_for in_flight
}

# It has ended, by itself, and said that the device is gone.
native_gone() {
	wait "$native"
	status=$?
	cat "$tmp/native"
	[ $status = 1 ] && grep -q 'No such device.*it has gone' "$tmp/native"
}

check 'frames come' captures

watchdog() {
	start_stalled 100 || return
	wait_for grep -q 'cap dqbuf.*error' "$tmp/log" || return
	go_on
	wait "$player" || return
	grep 'cap dqbuf' "$tmp/log"
	# What was in the controller failed; what came later did not.
	errors=$(grep -c 'cap dqbuf.*error' "$tmp/log")
	[ "$errors" -ge 4 ] && [ "$errors" -lt 100 ] &&
		! tail -n 1 "$tmp/log" | grep -q error &&
		dmesg | grep -q 'channel timer: no transfer ended for 3000 ms'
}
check 'transfers that do not end become frames with an error' watchdog
check 'frames come after that' captures

killed() {
	start_stalled 4 || return
	kill -KILL "$player"
	wait "$player"
	go_on
	captures
}
check 'a program is killed' killed

native_failed() {
	dmesg | grep -q 'channel timer-raw: no transfer ended for 3000 ms'
}
native_watchdog() {
	start_native 100 || return
	wait_for native_failed || return
	go_on
	wait "$native" || return
	cat "$tmp/native"
	errors=$(sed -n 's/^100 frames.* 0 lost, \([0-9]*\) failed$/\1/p' "$tmp/native")
	[ "$errors" -ge 4 ] && [ "$errors" -lt 100 ]
}
check 'transfers of a native stream that do not end come back with an error' native_watchdog

native_killed() {
	start_native 1000 || return
	kill -KILL "$native"
	wait "$native"
	go_on
	native 8
}
check 'a program with a native stream is killed' native_killed

unbound() {
	start_stalled 4 || return
	echo 3f003004.dma-board >"$driver/unbind"
	# It ends by itself.
	wait "$player"
	wait_for gone || return
	go_on
	echo 3f003004.dma-board >"$driver/bind"
	wait_for bound && captures
}
check 'the device is unbound' unbound

native_unbound() {
	start_native 1000 || return
	echo 3f003004.dma-board >"$driver/unbind"
	native_gone && wait_for gone || return
	go_on
	echo 3f003004.dma-board >"$driver/bind"
	wait_for bound && native 8
}
check 'the device is unbound under a native stream' native_unbound

# The last one: bcm2835-dma (Linux 6.12) does not take back what it has told the kernel about its
# channels, so after an unbind nobody can have one, not even when it is bound again.
dma_driver_unbound() {
	start_stalled 1000 && start_native 1000 || return
	echo 3f007000.dma-controller >/sys/bus/platform/drivers/bcm2835-dma/unbind
	wait "$player"
	native_gone && wait_for gone && go_on && [ ! -e /dev/zcdma/rpi3 ]
}
check 'the driver of the DMA controller is unbound' dma_driver_unbound

[ ! "$failed" ]
