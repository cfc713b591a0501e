#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# For tests that run tools. To be sourced, with $log, a file.
: "${log:?}"

# check NAME COMMAND...: its output is shown where it fails.
check() {
	name=$1
	shift
	if "$@" >"$log" 2>&1; then
		echo "ok - $name"
	else
		echo "not ok - $name"
		tail -n 40 "$log" | sed 's/^/# /'
	fi
}
