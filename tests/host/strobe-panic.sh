#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# A kernel panic makes the strobe inactive, and so does power off: QEMU's PL061 saw it, and the pulse
# had seconds to go.
# timeout: 200
top=$(cd "$(dirname "$0")/../.." && pwd)
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
failed=0

# last_edges NAME STATUS COMMAND: run it amid a pulse, and look at how QEMU last saw the line.
last_edges() {
	name=$1 wanted=$2
	"$top/tests/vm/run" --log "$tmp/console" \
		--qemu "-trace enable=pl061_set_output -D $tmp/trace" -- sh -c "
		cam=/dev/zcdma/virt0/cam0
		v4l2-ctl -d \$cam -c strobe_inverted=$4,strobe_timeout=5000000 &&
		v4l2-ctl -d \$cam -c strobe=1 && $3; sleep 60" >"$tmp/out" 2>&1
	status=$?
	edges=$(awk '/pl061_set_output/ && $(NF - 2) == 5 { printf "%s", $NF }' "$tmp/trace")
	case $4$edges in
	0*10 | 1*01) [ "$status" = "$wanted" ] && echo "ok - $name" && return ;;
	esac
	echo "not ok - $name"
	echo "# status $status, line 5 was $edges"
	tail -n 20 "$tmp/out" | sed 's/^/# /'
	failed=1
}

last_edges "a panic ends the pulse" 125 'echo c >/proc/sysrq-trigger' 0
last_edges "a panic ends the pulse of an inverted strobe" 125 'echo c >/proc/sysrq-trigger' 1
last_edges "powering off ends the pulse" 125 'echo o >/proc/sysrq-trigger' 0
exit $failed
