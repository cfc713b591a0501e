#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# aplay and arecord on the card: whatever is played comes back bit by bit, in every format, number of
# channels and rate, by read and write and by mmap; and the ways in which people end them.
# vm: --smp 1 --qemu '-icount shift=0,sleep=off'
# timeout: 240
card=hw:virt0
log=/tmp/alsa-tools.log
cd /tmp || exit
bin=/usr/lib/zcdma/guest
proc=/proc/asound/virt0

# check NAME COMMAND...: its output is shown where it fails.
check() {
	name=$1
	shift
	if "$@" >"$log" 2>&1; then
		echo "ok - $name"
	else
		echo "not ok - $name"
		tail -n 20 "$log" | sed 's/^/# /'
	fi
}

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

# Noise without a byte of 0, which cannot be silence.
head -c 400000 /dev/urandom | tr '\000' '\001' >noise

# loop FORMAT CHANNELS RATE ARGS...: a tenth of a second, heard within half of one.
loop() {
	format=$1 channels=$2 rate=$3
	shift 3
	case $format in S16_LE) bytes=2 ;; *) bytes=4 ;; esac
	frame=$((channels * bytes))
	# A number of frames that no period ends at.
	frames=$((rate / 10 + 7)) half=$((rate / 2))
	args="-q -D $card -t raw -f $format -c $channels -r $rate $*"
	head -c $((frames * frame)) noise >played.raw
	# shellcheck disable=SC2086 # several
	arecord $args --samples=$half recorded.raw &
	recorder=$!
	state c RUNNING || return
	# shellcheck disable=SC2086 # several
	aplay $args played.raw || return
	wait $recorder || return
	if [ "$(stat -c %s recorded.raw)" != $((half * frame)) ]; then
		ls -l recorded.raw
		return 1
	fi
	$bin/pcm-find played.raw recorded.raw
}

for format in S16_LE S24_LE S32_LE FLOAT_LE; do
	all() {
		for channels in 1 2 8; do
			for rate in 8000 44100 48000 192000; do
				loop "$format" "$channels" "$rate" || {
					echo "$channels channels, $rate Hz"
					return 1
				}
			done
		done
	}
	check test_aplay_arecord_are_exact_${format,,} all
done
check test_aplay_by_mmap_is_exact loop S16_LE 2 48000 -M
check test_aplay_by_mmap_is_exact_with_many_channels loop FLOAT_LE 8 192000 -M
check test_periods_of_a_millisecond_are_exact loop S32_LE 2 48000 --period-time=1000 --buffer-time=20000
check test_periods_of_a_tenth_second_are_exact loop S32_LE 2 48000 --period-time=100000 --buffer-time=400000

# A file with a header, as people have it.
wav() {
	sox -n -q -r 44100 -c 2 -b 24 played.wav synth 0.5 sine 100-10000 &&
		aplay -D plug$card played.wav 2>&1 | tee out.txt &&
		! grep -i underrun out.txt
}
check test_wav_through_plug wav

# As a chain, with 5 ms periods.
chain() {
	sox -n -q -t raw -r 48000 -c 2 -b 16 -e signed - synth 5 pinknoise |
		aplay -D $card -t raw -f dat --period-time=5000 --buffer-time=40000 - 2>&1 | tee out.txt
	[ "${PIPESTATUS[*]}" = '0 0 0' ] && ! grep -i underrun out.txt
}
check test_chain_with_5_ms_periods_has_no_xrun chain

busy() {
	arecord -q -D $card -f dat -t raw /dev/null &
	state c RUNNING
	! arecord -D $card -f dat -d 1 /dev/null 2>busy.txt
	result=$?
	kill -INT $!
	wait
	grep -q busy busy.txt && [ $result = 0 ]
}
check test_second_program_is_told_busy busy

# ends SIGNAL STATUS...: that ends aplay and arecord, with one of these, and leaves nothing.
ends() {
	signal=$1
	shift
	for direction in p c; do
		if [ $direction = p ]; then
			aplay -q -D $card -f dat -t raw /dev/zero &
		else
			arecord -q -D $card -f dat -t raw /dev/null &
		fi
		state $direction RUNNING || return
		kill -"$signal" $!
		wait $! 2>/dev/null
		status=$?
		case " $* " in *" $status "*) ;; *) echo "status $status" && return 1 ;; esac
		free $direction || return
	done
}
# Interactive shells start such jobs with SIGINT ignored, scripts do so for background jobs.
interrupted() {
	set -m
	ends INT 0 1 130
	result=$?
	set +m
	return $result
}
check test_interrupt_ends_it interrupted
check test_terminate_ends_it ends TERM 0 1 143
check test_kill_ends_it ends KILL 137

# Stopped by the terminal and gone on with: an xrun, which aplay sees and recovers from.
stopped() {
	aplay -D $card -f dat -t raw -d 3 /dev/zero >out.txt 2>&1 &
	state p RUNNING || return
	kill -STOP $!
	state p XRUN || return
	kill -CONT $!
	wait $! && cat out.txt && grep -q underrun out.txt
}
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
