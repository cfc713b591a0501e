#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# The kernel-side unit tests (tests/kunit), one line for each of them.
set -u
results=/tmp/kunit-results

if ! modinfo zcdma-kunit >/dev/null 2>&1; then
	echo "this kernel has no KUnit; the debug kernel has: make test-debug"
	exit 77
fi
modules='zcdma-kunit zcdma-kunit-ring zcdma-kunit-chan'
# shellcheck disable=SC2086 # a list of words
modprobe -a $modules || exit
cat /sys/kernel/debug/kunit/zcdma_*/results >$results
# Cases are indented by four, their parameters by eight.
sed -n 's/^    \(ok\|not ok\) [0-9]* /\1 - /p' $results
grep -q '^    ok' $results && ! grep -q '^ *not ok' $results
status=$?
[ $status = 0 ] || sed 's/^/# /' $results
# shellcheck disable=SC2086 # a list of words
modprobe -r $modules || exit
exit $status
