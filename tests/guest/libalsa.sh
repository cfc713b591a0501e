#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# aplay and arecord on virt0's loudspeaker and microphone, which a cable joins, for the tests of the
# card and of the ALSA plugin. To be sourced, with $card, the PCM's name, and two functions:
#
#	state DIRECTION STATE	wait until a direction (p, c) is in a state (RUNNING, XRUN)
#	free DIRECTION		nobody has it any more
#
# What it leaves is in /tmp.
: "${card:?}"
cd /tmp || exit
log=/tmp/alsa.log
bin=/usr/lib/zcdma/guest

# shellcheck source=tests/guest/libcheck.sh
. "${0%/*}/libcheck.sh"

# Noise without a byte of 0, which cannot be silence.
head -c 400000 /dev/urandom | tr '\000' '\001' >noise

longer=0

# loop FORMAT CHANNELS RATE ARGS...: a tenth of a second, heard within half of one, or $longer seconds.
loop() {
	format=$1 channels=$2 rate=$3
	shift 3
	case $format in S16_LE) bytes=2 ;; *) bytes=4 ;; esac
	# A number of frames that no period ends at.
	frames=$((rate / 10 + 7))
	heard=$((longer ? rate * longer : rate / 2))
	args="-q -D $card -t raw -f $format -c $channels -r $rate $*"
	head -c $((frames * channels * bytes)) noise >played.raw
	# shellcheck disable=SC2086 # several
	arecord $args --samples=$heard recorded.raw &
	recorder=$!
	state c RUNNING || return
	# shellcheck disable=SC2086 # several
	aplay $args played.raw || return
	wait $recorder || return
	if [ "$(stat -c %s recorded.raw)" != $((heard * channels * bytes)) ]; then
		ls -l recorded.raw
		return 1
	fi
	$bin/pcm-find played.raw recorded.raw
}

# The whole table, a case for each format.
for_every_format() {
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
		check "test_aplay_arecord_are_exact_${format,,}" all
	done
}

# chain SECONDS ARGS...: as people have it, with 5 ms periods.
chain() {
	seconds=$1
	shift
	sox -n -q -t raw -r 48000 -c 2 -b 16 -e signed - synth "$seconds" "$@" |
		aplay -D "$card" -t raw -f dat --period-time=5000 --buffer-time=40000 - 2>&1 | tee out.txt
	[ "${PIPESTATUS[*]}" = '0 0 0' ] && ! grep -i underrun out.txt
}

busy() {
	arecord -q -D "$card" -f dat -t raw /dev/null &
	state c RUNNING
	! arecord -D "$card" -f dat -d 1 /dev/null 2>busy.txt
	result=$?
	kill -INT $!
	wait
	grep -q busy busy.txt && [ $result = 0 ]
}

# ends SIGNAL STATUS...: that ends aplay and arecord, with one of these, and leaves nothing.
ends() {
	signal=$1
	shift
	for direction in p c; do
		if [ $direction = p ]; then
			aplay -q -D "$card" -f dat -t raw /dev/zero &
		else
			arecord -q -D "$card" -f dat -t raw /dev/null &
		fi
		state "$direction" RUNNING || return
		kill -"$signal" $!
		wait $! 2>/dev/null
		status=$?
		case " $* " in *" $status "*) ;; *) echo "status $status" && return 1 ;; esac
		free "$direction" || return
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

# Stopped by the terminal and gone on with: an xrun, which aplay sees and recovers from.
stopped() {
	aplay -D "$card" -f dat -t raw -d 3 /dev/zero >out.txt 2>&1 &
	state p RUNNING || return
	kill -STOP $!
	state p XRUN || return
	kill -CONT $!
	wait $! && cat out.txt && grep -q underrun out.txt
}
