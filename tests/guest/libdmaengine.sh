# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh disable=SC2034
# What the tests of the dmaengine engine share: the channels of dts/zcdma-rpi3-raspi3b.dtso.
# The system timer counts microseconds, so what is captured from it can be told from anything
# else: its words never fall, from the first of the first frame to the last of the last.

timer=/dev/zcdma/rpi3/timer
uart=/dev/zcdma/rpi3/uart
platform=/sys/bus/platform/devices/3f003004.dma-board
driver=/sys/bus/platform/drivers/zcdma-dmaengine
line=4096

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
failed=

# check NAME COMMAND...: one case.
check() {
	name=$1
	shift
	if "$@" >"$tmp/check" 2>&1; then
		echo "ok - $name"
	else
		echo "not ok - $name"
		sed 's/^/# /' "$tmp/check"
		failed=yes
	fi
}

# capture LINES FRAMES [V4L2-CTL-ARGS...]: into $tmp/frames, what v4l2-ctl says into $tmp/log.
capture() {
	lines=$1 frames=$2
	shift 2
	rm -f "$tmp/frames"
	v4l2-ctl -d "$timer" --set-fmt-video="width=$line,height=$lines,pixelformat=GREY" \
		--stream-mmap=4 --stream-count="$frames" --stream-to="$tmp/frames" --verbose \
		"$@" >"$tmp/log" 2>&1
	status=$?
	[ $status = 0 ] || tail -n 5 "$tmp/log"
	return $status
}

# rises FRAMES WORDS [FILE]: as many frames of as many words, of which none is less than the one
# before it, and all were written: each frame ends later than it began, and none begins with 0.
rises() {
	od -A n -v -t u4 -w4 "${3:-$tmp/frames}" | awk -v frames="$1" -v words="$2" '
		$1 < last { print "word " NR ": " $1 " after " last; bad = 1; exit }
		NR % words == 1 { first = $1; if (!first) { print "frame begins with 0"; bad = 1; exit } }
		NR % words == 0 && $1 <= first { print "frame ends with " $1 ", began with " first; bad = 1; exit }
		{ last = $1 }
		END {
			if (!bad && NR != frames * words) { print NR " words, not " frames * words; bad = 1 }
			exit bad
		}'
}

# no_gaps FRAMES: v4l2-ctl saw that many frames, numbered without a gap, none with an error.
no_gaps() {
	awk -v frames="$1" '
		/cap dqbuf/ && /error/ { print; bad = 1; exit }
		/cap dqbuf/ && match($0, /seq: *[0-9]+/) {
			seq = substr($0, RSTART + 4, RLENGTH - 4) + 0
			if (seq != n++) { print "frame " n - 1 " has number " seq; bad = 1; exit }
		}
		END {
			if (!bad && n != frames) { print n + 0 " frames, not " frames; bad = 1 }
			exit bad
		}' "$tmp/log"
}

captures() {
	capture 4 8 && no_gaps 8 && rises 8 4096
}

# native FRAMES [ARGS...]: of 16 KiB through the native stream of the raw channel, into $tmp/frames.
native() {
	frames=$1
	shift
	rm -f "$tmp/frames"
	zcdma capture rpi3/timer-raw --bytes 16384 --count "$frames" --output "$tmp/frames" "$@" \
		2>"$tmp/native"
	status=$?
	cat "$tmp/native"
	[ $status = 0 ] && grep -q "^$frames frames.* 0 lost, 0 failed$" "$tmp/native" &&
		rises "$frames" 4096
}

# wait_for COMMAND...: until it succeeds.
wait_for() {
	n=0
	until "$@"; do
		n=$((n + 1))
		[ $n -lt 600 ] || { echo "waited 60 s for: $*"; return 1; }
		sleep 0.1
	done
}
