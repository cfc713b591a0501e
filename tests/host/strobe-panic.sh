#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# A kernel panic makes the strobe inactive, and so does power off: QEMU's PL061 saw it, and the pulse
# had seconds to go.
# timeout: 200
# kernel: any
top=$(cd "$(dirname "$0")/../.." && pwd)
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
kernel=${1:-stock}
failed=0

# last_edges NAME COMPLAINT COMMAND INVERTED: run it amid a pulse, and look at how QEMU last saw the
# line. The guest ends, and its kernel's first complaint, if any is wanted, is this.
last_edges() {
	name=$1 wanted=$2
	"$top/tests/vm/run" --kernel "$kernel" --log "$tmp/console" \
		--qemu "-trace enable=pl061_set_output -D $tmp/trace" -- sh -c "
		cam=/dev/zcdma/virt0/cam0
		v4l2-ctl -d \$cam -c strobe_inverted=$4,strobe_timeout=5000000 &&
		v4l2-ctl -d \$cam -c strobe=1 && $3; sleep 60" >"$tmp/out" 2>&1
	status=$?
	edges=$(awk '/pl061_set_output/ && $(NF - 2) == 5 { printf "%s", $NF }' "$tmp/trace")
	complaint=$(head -n 1 "$tmp/console.complaints" | sed 's/.*\] //')
	case $4$edges in
	0*10 | 1*01) [ "$status-$complaint" = "125-$wanted" ] && echo "ok - $name" && return ;;
	esac
	echo "not ok - $name"
	echo "# status $status, complaint '$complaint', line 5 was $edges"
	tail -n 20 "$tmp/out" | sed 's/^/# /'
	failed=1
}

panic='Kernel panic - not syncing: sysrq triggered crash'
last_edges "a panic ends the pulse" "$panic" 'echo c >/proc/sysrq-trigger' 0
last_edges "a panic ends the pulse of an inverted strobe" "$panic" 'echo c >/proc/sysrq-trigger' 1
last_edges "powering off ends the pulse" '' 'echo o >/proc/sysrq-trigger' 0
exit $failed
