#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# aplay and arecord through the ALSA plugin, by the configuration that is installed with it: whatever
# is played comes back bit by bit, in every format, number of channels and rate; no system call
# while there is room; and the ways in which people end them.
# vm: --smp 1 --qemu '-icount shift=0,sleep=off'
# timeout: 400
card=zcdma
debugfs=/sys/kernel/debug/zcdma/virt0
# shellcheck source=tests/guest/libalsa.sh
. "${0%/*}/libalsa.sh"

name_of() {
	[ "$1" = p ] && echo spk0 || echo mic0
}

# Wait until the channel of a direction (p, c) is RUNNING, or XRUN: it runs and has nothing to move.
state() {
	[ "$2" = RUNNING ] && pattern=running || pattern='running queued 0 active 0'
	for ((i = 0; i < 500; i++)); do
		grep -q "$(name_of "$1") .* $pattern" $debugfs/state && return
		sleep 0.01
	done
	cat $debugfs/state
	return 1
}

# Nobody has it any more.
free() {
	grep -q "$(name_of "$1") .* owner 0 stopped" $debugfs/state
}

for_every_format
check test_mmap_is_exact loop S16_LE 2 48000 -M
check test_mmap_is_exact_with_many_channels loop FLOAT_LE 8 192000 -M
# Where each call takes longer, as under KASAN, aplay takes its time to begin.
longer=2
check test_periods_of_a_millisecond_are_exact loop S32_LE 2 48000 --period-time=1000 --buffer-time=20000
longer=0
check test_periods_of_a_tenth_second_are_exact loop S32_LE 2 48000 --period-time=100000 --buffer-time=400000
check test_periods_that_do_not_divide_the_buffer_are_exact loop S16_LE 1 48000 --period-size=441 --buffer-size=2000

# What the channel cannot do, plug does; where it can, there is no plugin between the two.
converts() {
	sox -n -q -r 44100 -c 2 -b 24 played.wav synth 0.5 sine 100-10000 &&
		aplay -v -D zcdma played.wav >out.txt 2>&1 && grep -q 'Linear\|Convert' out.txt &&
		arecord -q -D zcdma -d 1 recorded.wav && ! aplay -D rawzcdma played.wav &&
		aplay -v -D zcdma -f dat -d 1 /dev/zero >out.txt 2>&1 &&
		! grep 'Linear\|Convert\|underrun' out.txt && grep 'zcdma channel /dev/zcdma[0-9]*/spk0' out.txt
}
check test_conversion_only_where_needed converts

by_name() {
	aplay -q -D zcdma:virt0,spk0 -f dat -d 1 /dev/zero &&
		aplay -q -D zcdma:CHANNEL=spk0 -f dat -d 1 /dev/zero &&
		! aplay -D zcdma:virt0,nosuch -f dat -d 1 /dev/zero 2>out.txt &&
		grep 'nosuch.*zcdma info' out.txt && aplay -L | grep -q '^zcdma$'
}
check test_device_and_channel_by_name by_name

# All of it arrives at the loudspeaker, and at most the silence that aplay adds to a last period.
minute() {
	chain 60 sine 440 gain -3 || return
	bytes=$(cat $debugfs/spk0/sink/bytes)
	more=$((bytes - 60 * 48000 * 4))
	echo "$bytes bytes"
	[ $more -ge 0 ] && [ $more -le 960 ]
}
check test_minute_with_5_ms_periods_has_no_xrun minute

# Between the two writes, around 50 periods, there are the program's own sleeps and nothing else.
calls() {
	strace -o strace.txt "$bin/test-alsa-plugin" room "$1" || return
	sed '1,/"begin/d; /"end/,$d' strace.txt >between.txt
	[ "$(grep -c clock_nanosleep between.txt)" = 49 ] && ! grep -v clock_nanosleep between.txt
}
check test_writing_with_room_makes_no_call calls playback
check test_reading_with_data_makes_no_call calls capture

check test_second_program_is_told_busy busy
check test_interrupt_ends_it interrupted
check test_terminate_ends_it ends TERM 0 1 143
check test_kill_ends_it ends KILL 137

check test_stopped_program_recovers stopped

# unbound COMMAND...: that ends when its device goes, saying so.
unbound() {
	"$@" >out.txt 2>&1 &
	program=$!
	state "$direction" RUNNING || return
	echo dma-board-0 >/sys/bus/platform/drivers/zcdma-virt/unbind
	wait $program
	status=$?
	cat out.txt
	echo dma-board-0 >/sys/bus/platform/drivers/zcdma-virt/bind
	udevadm settle
	[ $status = 1 ] && grep -q 'No such device' out.txt && free p && free c
}
direction=p
check test_unbind_ends_playback unbound aplay -D zcdma -f dat -t raw /dev/zero
check test_unbind_ends_playback_by_mmap unbound aplay -M -D zcdma -f dat -t raw /dev/zero
direction=c
check test_unbind_ends_capture unbound arecord -D zcdma -f dat -t raw /dev/null
check test_all_is_well_after_that loop S16_LE 2 48000
