#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# 10,000 strobes while another process changes the other lines of the same controller: QEMU's PL061
# saw each edge that either of them made, and no other.
# timeout: 300
# kernel: any
top=$(cd "$(dirname "$0")/../.." && pwd)
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

"$top/tests/vm/run" --kernel "${1:-stock}" --real-time --log "$tmp/console" \
	--qemu "-trace enable=pl061_set_output -D $tmp/trace" -- strobe-hammer 10000 \
	>"$tmp/out" 2>&1
status=$?

# A line's first edge is the one to its level after reset. That of the trigger has only this one.
awk '/pl061_set_output/ { line = $(NF - 2); if (line in seen) edges[line, $NF]++; seen[line] = 1 }
	END { for (line in seen) if (line != 3)
		printf "line %d: %d %d\n", line, edges[line, 1], edges[line, 0] }' \
	"$tmp/trace" | sort >"$tmp/seen"
sort "$tmp/out" >"$tmp/made"

if [ $status = 0 ] && grep -q '^line 5: 10000 10000$' "$tmp/seen" &&
   [ "$(wc -l <"$tmp/seen")" = 7 ] && diff "$tmp/made" "$tmp/seen" >"$tmp/diff"; then
	echo "ok - 10,000 strobes beside other lines of the controller: no edge lost, none too many"
else
	echo "not ok - 10,000 strobes beside other lines of the controller: no edge lost, none too many"
	echo "# made (<) and seen (>):"
	cat "$tmp/out" "$tmp/seen" "$tmp/diff" | sed 's/^/# /'
	exit 1
fi
