#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# tests/vm/run keeps its word: status, arguments, output, share, deadline,
# crashes, and no QEMU left behind.
# timeout: 600
top=$(cd "$(dirname "$0")/../.." && pwd)
run=$top/tests/vm/run
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# check NAME COMMAND...
check() {
	name=$1
	shift
	if "$@"; then
		echo "ok - $name"
	else
		echo "not ok - $name"
		sed 's/^/# /' "$tmp/out" "$tmp/err" 2>/dev/null
	fi
}

# in_guest WANTED-STATUS [OPTIONS] -- COMMAND...
in_guest() {
	wanted=$1
	shift
	"$run" --no-load --log "$tmp/console" "$@" >"$tmp/out" 2>"$tmp/err"
	status=$?
	[ $status = "$wanted" ] || {
		echo "# status $status, not $wanted"
		return 1
	}
}

# Output byte by byte, arguments with all that a shell would split or expand,
# and the guest's hand in the shared folder.
mkdir "$tmp/share"
echo 'from the host' >"$tmp/share/a"
# shellcheck disable=SC2016 # for the guest's shell
script='
	printf "%s|" "$@"
	printf "\000\377\n"
	cat /mnt/share/a
	echo "from the guest" >/mnt/share/b
	exit 42'
# shellcheck disable=SC2016 # not to be expanded
printf 'a b||$x *|\n2|\000\377\nfrom the host\n' >"$tmp/wanted"
all_arrives() {
	rm -f "$tmp/share/b"
	# shellcheck disable=SC2016 # not to be expanded
	in_guest 42 --machine "$1" --share "$tmp/share" -- sh -c "$script" sh 'a b' '' '$x *' '
2' && cmp "$tmp/out" "$tmp/wanted" && [ "$(cat "$tmp/share/b")" = 'from the guest' ]
}
check 'status, output, arguments and share (virt)' all_arrives virt
check 'status, output, arguments and share (raspi3b)' all_arrives raspi3b
check 'a command that does not exist gives 127' in_guest 127 -- /no/such/command
# shellcheck disable=SC2016 # for the guest's shell
check 'a command killed by a signal gives 128 and its number' in_guest 137 -- sh -c 'kill -9 $$'

shows_the_warning() {
	in_guest 125 -- modprobe zcdma-bug bug=warn && grep -q 'zcdma-bug: a deliberate warning' "$tmp/err"
}
check 'a kernel warning gives 125, with the log' shows_the_warning
shows_the_panic() {
	in_guest 125 -- modprobe zcdma-bug bug=panic && grep -q 'zcdma-bug: a deliberate panic' "$tmp/err"
}
check 'a panic gives 125, with the log' shows_the_panic
check 'no guest is up within a second, which gives 124' in_guest 124 --timeout 1 -- true
# However long this host takes to boot it.
shows_the_hang() {
	in_guest 124 -- sh -c 'host deadline 20 && modprobe zcdma-bug bug=hang' &&
		grep -q zcdma_bug_init "$tmp/err"
}
check 'a hang gives 124, with the place' shows_the_hang

# Its process becomes the one that watches QEMU, so a kill needs no luck.
leaves_nothing() {
	"$run" --no-load --log "$tmp/console" -- sh -c 'echo up; sleep 1000' >"$tmp/out" 2>"$tmp/err" &
	pid=$!
	tail -n +1 -f "$tmp/out" --pid=$pid | grep -q -m 1 up
	qemu=$(cat /proc/$pid/task/$pid/children)
	[ "$qemu" ] || return 1
	kill -"$1" $pid
	wait $pid
	for child in $qemu; do
		tail -f /dev/null --pid="$child"
	done
}
check 'SIGTERM ends QEMU too' leaves_nothing TERM
check 'SIGKILL ends QEMU too' leaves_nothing KILL
