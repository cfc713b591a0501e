#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Each of a debug kernel's checks is awake: a deliberate bug of its kind
# (tests/modules/zcdma-bug.c) is reported by name, and ends the run with 125.
# timeout: 600
#
# usage: tests/debug/sanitizers.sh KERNEL
set -u
top=$(cd "$(dirname "$0")/../.." && pwd)
kernel=${1:?which kernel?}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# Bugs and what must be said of each. One boot for all of a kernel: lockdep,
# which goes to sleep after any report, comes first, and what the kernel does
# not survive comes last.
case $kernel in
debug) cat <<-LIST
	lock-inversion WARNING: possible circular locking dependency detected
	sleep-in-atomic BUG: sleeping function called from invalid context
	undefined-shift UBSAN: shift-out-of-bounds in
	refcount-underflow refcount_t: underflow; use-after-free
	unmapped-sync DMA-API: .*device driver tries to sync DMA memory it has not allocated
	free-active-timer ODEBUG: free active (active state 0) object: .* object type: timer_list
	leak kmemleak: .* new suspected memory leaks
	out-of-bounds BUG: KASAN: slab-out-of-bounds in out_of_bounds
	use-after-free BUG: KASAN: slab-use-after-free in use_after_free
	corrupt-list list_del corruption
	LIST
	;;
kcsan) echo 'data-race BUG: KCSAN: data-race in count' ;;
*)
	echo "sanitizers.sh: the kernel '$kernel' has no sanitizers; debug and kcsan have" >&2
	exit 2
	;;
esac >"$tmp/bugs"

# shellcheck disable=SC2016 # for the guest's shell
commit='
	for bug in "$@"; do
		echo "sanitizers: start $bug" >/dev/kmsg
		modprobe zcdma-bug bug=$bug 2>/dev/null
		if [ $bug = leak ]; then
			# Younger than five seconds is no leak yet, nor is what has changed since
			# the last scan, or what had none.
			sleep 6
			echo scan >/sys/kernel/debug/kmemleak
			echo scan >/sys/kernel/debug/kmemleak
		fi
		echo "sanitizers: end $bug" >/dev/kmsg
	done'
# shellcheck disable=SC2046 # a list of words
"$top/tests/vm/run" --kernel "$kernel" --no-load --append kasan_multi_shot --log "$tmp/console" \
	-- sh -c "$commit" sh $(cut -d ' ' -f 1 "$tmp/bugs") >"$tmp/out" 2>&1
status=$?

if [ $status = 125 ]; then
	echo "ok - the run ends with 125"
else
	echo "not ok - the run ends with 125"
	echo "# it ended with $status"
	sed 's/^/# /' "$tmp/out"
fi
while read -r bug report; do
	sed -n "/sanitizers: start $bug\r*$/,/sanitizers: end $bug\r*$/p" "$tmp/console" >"$tmp/log"
	if grep -q -e "$report" "$tmp/log"; then
		echo "ok - $bug is reported"
	else
		echo "not ok - $bug is reported"
		sed 's/^/# /' "$tmp/log"
	fi
done <"$tmp/bugs"
