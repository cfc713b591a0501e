#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# aplay and arecord on the card: whatever is played comes back bit by bit, in every format, number of
# channels and rate, by read and write and by mmap; and the ways in which people end them.
# vm: --smp 1 --qemu '-icount shift=0,sleep=off'
# timeout: 240
card=hw:virt0
proc=/proc/asound/virt0
# shellcheck source=tests/guest/libalsa.sh
. "${0%/*}/libalsa.sh"

# Wait until a direction (p, c) is in a state; what it is, if that takes too long.
state() {
	for ((i = 0; i < 500; i++)); do
		read -r _ is <$proc/pcm0"$1"/sub0/status 2>/dev/null
		[ "$is" = "$2" ] && return
		sleep 0.01
	done
	echo "pcm0$1 is $is, not $2"
	return 1
}

# Nobody has it any more.
free() {
	grep -qx closed $proc/pcm0"$1"/sub0/status &&
		[ "$(cat /sys/class/zcdma-channel/*-mic0/owner)" = none ] &&
		[ "$(cat /sys/class/zcdma-channel/*-spk0/owner)" = none ]
}

for_every_format
check test_aplay_by_mmap_is_exact loop S16_LE 2 48000 -M
check test_aplay_by_mmap_is_exact_with_many_channels loop FLOAT_LE 8 192000 -M
check test_periods_of_a_millisecond_are_exact loop S32_LE 2 48000 --period-time=1000 --buffer-time=20000
check test_periods_of_a_tenth_second_are_exact loop S32_LE 2 48000 --period-time=100000 --buffer-time=400000

# A file with a header, as people have it: 22050 frames, which are five periods, in packed samples, which
# the card has not. All of it arrives at the loudspeaker, and at most a period that follows it.
wav() {
	sox -n -q -r 44100 -c 2 -b 24 played.wav synth 0.5 sine 100-10000 &&
		aplay -D plug$card --period-size=4410 --buffer-size=17640 played.wav >out.txt 2>&1
	status=$?
	bytes=$(cat /sys/kernel/debug/zcdma/virt0/spk0/sink/bytes)
	cat out.txt
	echo "$bytes bytes"
	[ $status = 0 ] && ! grep -qi underrun out.txt &&
		[ "$bytes" -ge $((22050 * 8)) ] && [ "$bytes" -le $(((22050 + 4410) * 8)) ]
}
check test_wav_through_plug wav
check test_chain_with_5_ms_periods_has_no_xrun chain 5 pinknoise
check test_second_program_is_told_busy busy
check test_interrupt_ends_it interrupted
check test_terminate_ends_it ends TERM 0 1 143
check test_kill_ends_it ends KILL 137

check test_stopped_program_recovers stopped

unbound() {
	aplay -D $card -f dat -t raw /dev/zero >out.txt 2>&1 &
	player=$!
	state p RUNNING || return
	echo dma-board-0 >/sys/bus/platform/drivers/zcdma-virt/unbind
	wait $player
	status=$?
	cat out.txt
	[ ! -e $proc ] || return
	echo dma-board-0 >/sys/bus/platform/drivers/zcdma-virt/bind
	udevadm settle
	[ $status = 1 ] && free p && loop S16_LE 2 48000
}
check test_unbind_ends_it unbound

names() {
	aplay -l | grep -q "virt0 \[virt0\], device 0: spk0 \[spk0, mic0\]" &&
		amixer -c virt0 sset Master 50% mute | grep -q '\[off\]' &&
		amixer -c virt0 sset Master 100% unmute | grep -q '\[0.00dB\] \[on\]' &&
		amixer -c virt0 sset Loopback nocap && amixer -c virt0 sset 'Test Tone' 'Tone 1 kHz' &&
		arecord -q -D $card -f S16_LE -r 48000 -c 1 -t wav -d 1 tone.wav && amixer -c virt0 sset Loopback cap &&
		amixer -c virt0 sset 'Test Tone' 'Tone 440 Hz' &&
		sox tone.wav -n stat 2>&1 | tee stat.txt &&
		[ "$(awk '/^Rough/ { print ($3 > 990 && $3 < 1010) }' stat.txt)" = 1 ]
}
check test_mixer_has_the_usual_names names

restores() {
	alsactl -f state.txt store virt0 && amixer -q -c virt0 sset Master 50% &&
		alsactl -f state.txt restore virt0 && amixer -c virt0 sget Master | grep -q 100%
}
check test_alsactl_stores_and_restores restores

# The engine is as loud as it was, and the new card says so.
outlives() {
	amixer -q -c virt0 sset Master 8 && modprobe -r zcdma-pcm && modprobe zcdma-pcm &&
		udevadm settle && amixer -c virt0 sget Master | grep 'Playback 8 ' &&
		amixer -q -c virt0 sset Master 100%
}
check test_volume_outlives_the_card outlives
