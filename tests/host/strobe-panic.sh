#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# A kernel panic makes the strobe inactive, and so does power off: QEMU's PL061 saw it, and the pulse
# had seconds to go. It stays so while the kernel waits for somebody to read its last words.
# timeout: 400
# kernel: any
top=$(cd "$(dirname "$0")/../.." && pwd)
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
kernel=${1:-stock}
failed=0

# How QEMU has seen the strobe, from its level after reset on.
edges() {
	awk '/pl061_set_output/ && $(NF - 2) == 5 { printf "%s", $NF }' "$tmp/trace"
}

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
	complaint=$(head -n 1 "$tmp/console.complaints" | sed 's/.*\] //')
	case $4$(edges) in
	0*10 | 1*01) [ "$status-$complaint" = "125-$wanted" ] && echo "ok - $name" && return ;;
	esac
	echo "not ok - $name"
	echo "# status $status, complaint '$complaint', line 5 was $(edges)"
	tail -n 20 "$tmp/out" | sed 's/^/# /'
	failed=1
}

over() {
	grep -qs 'end Kernel panic' "$tmp/console" || ! kill -0 "$vm"
}
more_edges() {
	[ "$(edges)" != "$last" ]
}

# wait_for SECONDS COMMAND...: until it succeeds.
wait_for() {
	tries=$(($1 * 10))
	shift
	until "$@"; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || return 1
		sleep 0.1
	done
}

# The camera runs on: it is hardware, and with panic_timeout 0 the processor still takes its
# interrupts. There would be eight pulses in the time that this waits.
stays_inactive() {
	name="after a panic, a camera that runs on has no strobe"
	rm -f "$tmp/trace" "$tmp/console"
	good='' last=
	# shellcheck disable=SC2016 # for the guest's shell
	"$top/tests/vm/run" --kernel "$kernel" --real-time --smp 1 --log "$tmp/console" \
		--qemu "-trace enable=pl061_set_output -D $tmp/trace" -- sh -c '
		v4l2-ctl -d /dev/zcdma/virt0/cam0 -c strobe_mode=1,exposure_time_absolute=5000 \
			--set-parm=1 --set-fmt-video=width=64,height=64 --stream-mmap &
		device=$(grep -lx virt0 /sys/class/zcdma/*/name)
		until [ "$(cat "${device%/*}/strobe/count")" -gt 1 ]; do sleep 0.1; done
		echo 0 >/proc/sys/kernel/panic
		echo c >/proc/sysrq-trigger' >"$tmp/out" 2>&1 &
	vm=$!
	if wait_for 3000 over && kill -0 $vm; then
		last=$(edges)
		case $last in
		*10) ! wait_for 8 more_edges && kill -0 $vm && good=yes ;;
		esac
		kill $vm
	fi
	wait $vm
	[ "$good" ] && echo "ok - $name" && return
	echo "not ok - $name"
	echo "# line 5 was $last, then $(edges)"
	tail -n 20 "$tmp/out" | sed 's/^/# /'
	failed=1
}

panic='Kernel panic - not syncing: sysrq triggered crash'
last_edges "a panic ends the pulse" "$panic" 'echo c >/proc/sysrq-trigger' 0
last_edges "a panic ends the pulse of an inverted strobe" "$panic" 'echo c >/proc/sysrq-trigger' 1
last_edges "powering off ends the pulse" '' 'echo o >/proc/sysrq-trigger' 0
stays_inactive
exit $failed
