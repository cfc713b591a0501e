#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The kernel's own tests of sound cards (tools/testing/selftests/alsa) on ours.
# vm: --smp 1 --qemu '-icount shift=0,sleep=off'
# timeout: 240
bin=/usr/lib/zcdma/guest
mkdir -p /tmp/alsa/conf.d
cd /tmp/alsa || exit
cp $bin/pcm-test.conf . || exit

# Their results as ours: "ok 12 volume.0" becomes "ok - mixer-test volume.0". What does not apply
# to a control they call skipped, and that is most.
failed=0
for test in mixer-test pcm-test; do
	$bin/$test >$test.log 2>&1
	status=$?
	sed -n "/# SKIP/d; s/^\(ok\|not ok\) [0-9]* /\1 - $test /p" $test.log
	if [ $status != 0 ] || grep -q '^not ok' $test.log || ! grep -q '^ok' $test.log; then
		sed 's/^/# /' $test.log
		failed=1
	fi
done
exit $failed
