#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# The dmaengine engine on DMA controllers that are limited, fail, hang, come late and go away. They
# are made of software, tests/modules/zcdma-softdma.c; what they capture counts words.
#
# Without links made from the device tree the driver itself has to wait for its controller.
# vm: --dtbo $build/tests/dts/softdma.dtbo --append fw_devlink=off
# boot: own
# timeout: 180
# shellcheck source=tests/guest/libdmaengine.sh
. "${0%/*}/libdmaengine.sh"

debug=/sys/kernel/debug
platform=/sys/bus/platform
faults=/sys/module/zcdma_softdma/parameters

# The devices are called like their nodes, with the address of a FIFO before that, if there is one.
device_of() {
	find "$platform/devices/" -name "$1" -o -name "140000000.$1"
}
bound() {
	[ -e "$(device_of "$1")/driver" ] && [ -e "/dev/zcdma/$1/cam" ]
}

# counts WORDS [FILE]: as many words, each one more than the one before it.
counts() {
	od -A n -v -t u4 -w4 "${2:-$tmp/frames}" | awk -v words="$1" '
		NR > 1 && $1 != last + 1 { print "word " NR ": " $1 " after " last; bad = 1; exit }
		{ last = $1 }
		END {
			if (!bad && NR != words) { print NR " words, not " words; bad = 1 }
			exit bad
		}'
}

# capture_in FRAMES BYTES [ARGS...]: by the native stream; what zcdma says into $tmp/native.
capture_in() {
	frames=$1 bytes=$2
	shift 2
	rm -f "$tmp/frames"
	zcdma capture soft/in --bytes "$bytes" --count "$frames" --output "$tmp/frames" "$@" 2>"$tmp/native"
	status=$?
	cat "$tmp/native"
	return $status
}

# lost_failed LOST FAILED: of what was captured last.
lost_failed() {
	grep -q "frames.* $1 lost, $2 failed$" "$tmp/native"
}

works() {
	capture_in 8 4096 && lost_failed 0 0 && counts 8192
}

# said SINCE PATTERN: in the kernel's log, after so many lines.
lines_said() {
	dmesg | wc -l
}
said() {
	dmesg | tail -n +"$(($1 + 1))" | grep -E "$2"
}

# ---- Coming late ----

deferred() {
	grep -E '\.soft	.*channel cam: the DMA controller has no driver yet' $debug/devices_deferred &&
		! bound soft
}
check 'a device waits for the driver of its DMA controller' deferred

comes_late() {
	modprobe zcdma-softdma && wait_for bound soft && wait_for bound lines && works
}
check 'it is there when that driver has come' comes_late

refused() {
	[ ! -e "$(device_of "wrong-$1")/driver" ] || { echo "has a driver"; return 1; }
	dmesg | grep "zcdma-dmaengine [^ ]*wrong-$1: error " >"$tmp/said"
	cat "$tmp/said"
	[ "$(wc -l <"$tmp/said")" = 1 ] && grep -qE "$2" "$tmp/said"
}
wrong() {
	check "wrong-$1" refused "$1" "$2"
}
wrong raw-by-lines 'channel c: softdma-only-lines cannot do slave_sg transfers, nor interleaved ones'
wrong direction 'channel c: its DMA channel of softdma-one-way does not go in the direction'
wrong burst 'channel c: zcdma,burst 17 is not for softdma-pieces, which can do 16$'
wrong address 'the FIFO "c" at 0x0*140000000 is beyond what softdma-low can address'
wrong piece 'channel c: softdma-short-piece takes 32 bytes in a piece, which is less than one burst'
wrong channel 'channel c: the DMA controller gives no channel'
wrong taken 'channel c: the DMA controller gives no channel'
wrong two-controllers 'channels c and d are of different DMA controllers, softdma-pieces and softdma-lines'

# ---- FIFO, pieces ----

fifo() {
	cat $debug/softdma-pieces/*/state
	grep -q '^fifo 0x0*140000000 width 4 burst 0$' $debug/softdma-pieces/0/state &&
		grep -q '^fifo 0x0*140000010 width 8 burst 16$' $debug/softdma-pieces/1/state &&
		grep -q '^fifo 0x0*140000020 width 4 burst 0$' $debug/softdma-pieces/2/state
}
check 'a FIFO above 4 GiB is where the node says' fifo

# Sixteen pieces each, of which the controller has forty: two transfers at a time.
pieces() {
	capture_in 32 65536 --coherent && lost_failed 0 0 && counts $((32 * 16384)) || return
	cat $debug/softdma-pieces/1/state
	awk '$1 == "transfers" && $2 >= 32 && $4 >= 16 * 32 && $6 == 4096 { good = 1 } END { exit !good }' \
		$debug/softdma-pieces/1/state
}
check 'transfers of more than one piece, more than the controller has room for' pieces

scattered() {
	capture_in 32 40960 && lost_failed 0 0 && counts $((32 * 10240))
}
check 'cached buffers in pieces' scattered

video_pieces() {
	v4l2-ctl -d /dev/zcdma/soft/cam --set-fmt-video=width=1000,height=99,pixelformat=GREY \
		--stream-mmap=4 --stream-count=20 --stream-to="$tmp/frames" --verbose >"$tmp/log" 2>&1 &&
		no_gaps 20 && counts $((20 * 24750))
}
check 'frames of a size that no piece divides' video_pieces

played() {
	head -c 1000000 /dev/urandom >"$tmp/noise"
	zcdma play --bytes 50000 soft/out "$tmp/noise" 2>&1 &&
		zcdma play --bytes 50000 --coherent soft/out "$tmp/noise" 2>&1 &&
		cat "$tmp/noise" "$tmp/noise" >"$tmp/twice" &&
		cmp "$tmp/twice" $debug/softdma-pieces/2/sink
}
check 'what is played in pieces arrives' played

# Its end, too, but for what is not aligned; nobody says that he has played that.
played_to_the_end() {
	head -c 100012 "$tmp/noise" >"$tmp/odd"
	zcdma play --bytes 50000 soft/out "$tmp/odd" 2>&1 | tee "$tmp/said"
	grep -q 'last 4 bytes .* multiples of 8$' "$tmp/said" && grep -qx '100008 bytes' "$tmp/said" || return
	[ "$(example-playback soft/out <"$tmp/odd")" = 'played 100008 bytes' ] || return
	head -c 100008 "$tmp/odd" >"$tmp/whole"
	cat "$tmp/whole" "$tmp/whole" >"$tmp/twice"
	tail -c 200016 $debug/softdma-pieces/2/sink | cmp - "$tmp/twice"
}
check 'the end of a file whose length is not aligned arrives' played_to_the_end

too_large() {
	n=$(lines_said)
	! capture_in 6 262144 && lost_failed 0 6 &&
		said "$n" 'channel in: softdma-pieces takes no transfer of 262144 bytes in so many pieces'
}
check 'a transfer that the controller has no room for at all fails' too_large
check 'others go on after that' works

# ---- Lines ----

# lines_are WIDTH HEIGHT STRIDE FRAMES: words count in the lines; what is between them is zero.
lines_are() {
	od -A n -v -t u4 -w4 "$tmp/frames" | awk -v width="$1" -v height="$2" -v stride="$3" -v frames="$4" '
		BEGIN { words = stride / 4; used = width / 4 }
		{
			gap = (NR - 1) % words >= used
			if (gap ? $1 != 0 : begun && $1 != last + 1) {
				print "word " NR ": " $1 " after " last; bad = 1; exit
			}
			if (!gap) { last = $1; begun = 1 }
		}
		END {
			if (!bad && NR != words * height * frames) { print NR " words"; bad = 1 }
			exit bad
		}'
}
lines_with_gaps() {
	v4l2-ctl -d /dev/zcdma/lines/cam --set-fmt-video=width=640,height=48,pixelformat=GREY,bytesperline=768 \
		--stream-mmap=4 --stream-count=8 --stream-to="$tmp/frames" --verbose >"$tmp/log" 2>&1 &&
		no_gaps 8 && lines_are 640 48 768 8
}
check 'lines with gaps between them' lines_with_gaps

without_gaps() {
	v4l2-ctl -d "/dev/zcdma/$1/cam" --set-fmt-video=width=640,height=480,pixelformat=GREY,bytesperline=640 \
		--stream-mmap=4 --stream-count=8 --stream-to="$tmp/frames" --verbose >"$tmp/log" 2>&1 &&
		no_gaps 8 && counts $((8 * 640 * 120))
}
check 'lines without gaps beside that' without_gaps lines
check 'a controller that can do nothing but lines' without_gaps only-lines

# stride_of DEVICE/CHANNEL FORMAT: what bytesperline becomes.
stride_of() {
	v4l2-ctl -d "/dev/zcdma/$1" --try-fmt-video="$2" | awk '/Bytes per Line/ { print $NF }'
}
strides() {
	stride_of lines/cam width=640,height=480,bytesperline=700
	stride_of lines/cam width=640,height=1024,bytesperline=60000
	stride_of lines/odd width=100,height=50,bytesperline=200
	stride_of soft/cam width=640,height=480,bytesperline=768
}
strides_are() {
	strides >"$tmp/strides"
	cat "$tmp/strides"
	# Aligned; as long as max-transfer has it; none where lines are not aligned; none by slave_sg.
	[ "$(tr '\n' ' ' <"$tmp/strides")" = '696 1024 100 640 ' ]
}
check 'a stride that the controller can do is what a program gets' strides_are

# ---- Faults ----

fails() {
	echo 3 >$faults/fail
	n=$(lines_said)
	capture_in 12 16384 && lost_failed 0 3 &&
		said "$n" 'channel in: transfer of 16384 bytes: write failed' && works
}
check 'transfers that the controller reports as failed' fails

fails_video() {
	echo 2 >$faults/fail
	v4l2-ctl -d /dev/zcdma/soft/cam --set-fmt-video=width=64,height=64,pixelformat=GREY \
		--stream-mmap=4 --stream-count=8 --stream-to=/dev/null --verbose >"$tmp/log" 2>&1 || return
	grep 'cap dqbuf' "$tmp/log"
	[ "$(grep -c 'cap dqbuf.*error' "$tmp/log")" = 2 ] && ! tail -n 1 "$tmp/log" | grep -q error
}
check 'frames that the controller reports as failed' fails_video

# An end of packet that comes early: for raw data that is how long it is, for a picture a fault.
# v4l2-ctl does not count frames with an error.
ends_early() {
	echo 1000 >$faults/cut
	capture_in 8 4096
	status=$?
	echo 0 >$faults/cut
	[ $status = 0 ] && lost_failed 0 0 && counts $((8 * 774))
}
check 'raw transfers that end early are as long as they were' ends_early

errors() {
	[ "$(grep -c 'cap dqbuf.*error' "$tmp/log")" -ge 4 ]
}
ends_early_video() {
	n=$(lines_said)
	echo 1000 >$faults/cut
	# The child that begins it anew may come later than the first look at it.
	: >"$tmp/log"
	v4l2-ctl -d /dev/zcdma/soft/cam --set-fmt-video=width=64,height=64,pixelformat=GREY \
		--stream-mmap=4 --stream-count=4 --stream-to=/dev/null --verbose >"$tmp/log" 2>&1 &
	player=$!
	wait_for errors
	status=$?
	echo 0 >$faults/cut
	wait "$player" && [ $status = 0 ] &&
		said "$n" 'channel cam: frame ends after 3096 of 4096 bytes'
}
check 'frames that end early have an error' ends_early_video

# Refused once: it waits. Refused for good: it fails.
has_no_room() {
	echo 1 >$faults/refuse
	works || return
	[ "$(cat $faults/refuse)" = 0 ] || return
	echo 1000000 >$faults/refuse
	capture_in 4 4096
	status=$?
	echo 0 >$faults/refuse
	[ $status = 1 ] && lost_failed 0 4 && works
}
check 'descriptors that the controller has not' has_no_room

says_twice() {
	echo 1 >$faults/twice
	capture_in 32 4096 --buffers 2
	status=$?
	echo 0 >$faults/twice
	[ $status = 0 ] && lost_failed 0 0 && counts $((32 * 1024))
}
check 'a controller that tells an end twice' says_twice

# The end of a transfer is told when its program is gone already, by a driver that waits for nothing:
# it is not taken for that of the next program's transfer, which has moved nothing yet. One processor
# does nothing but be late.
one_ended() {
	grep -q '^transfers 1 ' $debug/softdma-hasty/0/state
}
is_late() {
	taskset -cp 0 $$ >/dev/null
	echo 5000 >$faults/late_ms
	echo 100000 >$faults/interval_us
	taskset -c 1 zcdma capture hasty/in --bytes 4096 --count 100 2>"$tmp/native" &
	native=$!
	wait_for one_ended || return
	echo 0 >$faults/late_ms
	taskset -cp 0 $native >/dev/null
	kill -KILL "$native"
	wait "$native"
	zcdma capture hasty/in --bytes 4096 --count 8 --output "$tmp/frames" 2>&1
	status=$?
	echo 1000 >$faults/interval_us
	taskset -cp 0-1 $$ >/dev/null
	[ $status = 0 ] && counts 8192
}
check 'a controller that tells an end late' is_late

hangs() {
	echo 2000 >$faults/hold
	n=$(lines_said)
	capture_in 100 4096 &
	player=$!
	wait_for said "$n" 'channel in: no transfer ended for 1000 ms' || return
	echo -1 >$faults/hold
	wait "$player" || return
	cat "$tmp/native"
	# Those that were in the controller, each second anew, and none that came later.
	failed_frames=$(sed -n 's/.*frames.* 0 lost, \([0-9]*\) failed$/\1/p' "$tmp/native")
	[ "$failed_frames" -ge 4 ] && [ "$failed_frames" -lt 100 ] && works
}
check 'transfers that never end' hangs

# Refused once it is submitted, as by a controller that has hung: each one at once, and for good. The
# first refusal, before the start, is none yet: that one is submitted again.
rejects() {
	echo 3 >$faults/reject
	capture_in 12 16384 && lost_failed 0 2 && works
}
check 'descriptors that cannot be submitted' rejects

# Until it is waited for, there is something left of it.
ended() {
	case $(cut -d ' ' -f 3 "/proc/$player/stat") in
	'' | Z) return 0 ;;
	esac
	return 1
}
# No frame comes, and none that there would be to wait for.
rejects_read() {
	echo 100000000 >$faults/reject
	cat /dev/zcdma/soft/cam >/dev/null &
	player=$!
	wait_for grep -q '^channel cam .* running' $debug/zcdma/soft/state
	status=$?
	kill $player
	[ $status = 0 ] && wait_for ended
	status=$?
	echo 0 >$faults/reject
	wait $player
	[ $status = 0 ]
}
check 'a program that reads frames of which all fail can be ended' rejects_read

# said_in FILE PATTERN [TIMES]
said_in() {
	[ "$(grep -c "$2" "$1")" -ge "${3:-1}" ]
}
# What is missing would shift all that comes after it.
ends_early_sound() {
	# Slowly, so that there is no other reason for one.
	echo 20000 >$faults/interval_us
	echo 100 >$faults/cut
	arecord -D hw:sound -t raw -f S16_LE -r 48000 -c 2 --period-time=10000 --buffer-time=500000 \
		/dev/null >"$tmp/log" 2>&1 &
	player=$!
	wait_for said_in "$tmp/log" overrun
	status=$?
	echo 0 >$faults/cut
	echo 1000 >$faults/interval_us
	kill $player
	wait $player
	[ $status = 0 ]
}
check 'periods of sound that end early are an overrun' ends_early_sound

running() {
	grep -q '^state: RUNNING' /proc/asound/sound/pcm0p/sub0/status
}
# An xrun, which the program recovers from when the controller does, whether it happens before the
# first period or later.
rejects_sound() {
	echo 10000 >$faults/interval_us
	echo 1000000 >$faults/reject
	aplay -D hw:sound -t raw -f S16_LE -r 48000 -c 2 --period-time=10000 /dev/zero >"$tmp/log" 2>&1 &
	player=$!
	wait_for said_in "$tmp/log" underrun
	status=$?
	echo 0 >$faults/reject
	[ $status = 0 ] && wait_for running
	status=$?
	before=$(grep -c underrun "$tmp/log")
	echo 1000000 >$faults/reject
	[ $status = 0 ] && wait_for said_in "$tmp/log" underrun $((before + 1))
	status=$?
	echo 0 >$faults/reject
	[ $status = 0 ] && wait_for running
	status=$?
	kill $player
	wait $player
	echo 1000 >$faults/interval_us
	[ $status = 0 ]
}
check 'sound on a controller that takes no descriptor' rejects_sound

# The kernel's own test of suspend. The controller forgets what it had; nobody else does.
all_active() {
	grep -q '^channel in .* running queued 0 active 4 ' $debug/zcdma/soft/state
}
sleeps() {
	echo 2000 >$faults/hold
	capture_in 12 4096 &
	player=$!
	wait_for all_active || return
	echo 1 >/sys/module/suspend/parameters/pm_test_delay
	echo devices >/sys/power/pm_test
	echo freeze >/sys/power/state
	echo none >/sys/power/pm_test
	echo -1 >$faults/hold
	wait "$player" && lost_failed 0 0 && counts $((12 * 1024))
}
check 'transfers outlast a suspend' sleeps

# How far a transfer is, where the controller tells; else how far those before it were.
position() {
	echo "$3" >$faults/hold
	found=$(stream-position "$1" in 4096)
	echo -1 >$faults/hold
	echo "$found"
	[ "$found" = "$4" ]
}
check 'the position within a transfer' position soft in 2000 2000
check 'no position where the controller knows pieces only' position coarse in 2000 0

# ---- Going away ----

in_use() {
	! rmmod zcdma-softdma 2>"$tmp/said" && cat "$tmp/said" && grep -q 'in use' "$tmp/said"
}
check "the controller's driver cannot be unloaded while in use" in_use

in_flight() {
	# How many buffers v4l2-ctl gets depends on the camera's pace.
	grep -q '^channel in .* running queued 0 active 4 ' $debug/zcdma/soft/state &&
		grep -q '^channel cam .* running queued [0-9]* active 4 ' $debug/zcdma/soft/state
}
gone() {
	[ ! -e "$(device_of soft)/driver" ] && [ ! -e /dev/zcdma/soft ]
}
goes_away() {
	echo 2000 >$faults/hold
	zcdma capture soft/in --bytes 4096 --count 1000 2>"$tmp/native" &
	native=$!
	v4l2-ctl -d /dev/zcdma/soft/cam --set-fmt-video=width=64,height=64,pixelformat=GREY \
		--stream-mmap=4 --stream-count=1000 >"$tmp/log" 2>&1 &
	player=$!
	wait_for in_flight || return
	echo softdma-pieces >$platform/drivers/zcdma-softdma/unbind
	wait "$native"
	status=$?
	wait "$player"
	cat "$tmp/native"
	echo -1 >$faults/hold
	[ $status = 1 ] && grep -q 'it has gone' "$tmp/native" && wait_for gone
}
check 'the controller goes away' goes_away

comes_back() {
	echo softdma-pieces >$platform/drivers/zcdma-softdma/bind && wait_for bound soft && works
}
check 'it comes back, and the device with it' comes_back

[ ! "$failed" ]
