#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The kernel's own tests of sound cards (tools/testing/selftests/alsa) on ours.
# vm: --smp 1 --qemu '-icount shift=0,sleep=off'
# timeout: 240
bin=/usr/lib/zcdma/guest
mkdir -p /tmp/alsa/conf.d
cd /tmp/alsa || exit
cp $bin/pcm-test.conf . || exit

# They say that all is well whatever they had to skip, or did not find at all. Nothing here is for
# them to skip: each control has its seven cases, and each direction the seven of pcm-test.conf.
controls=$(amixer -c virt0 controls | wc -l)
[ "$controls" -gt 0 ] || exit 1
for case in get_value name write_default write_valid write_invalid event_missing event_spurious; do
	seq -f "$case.virt0.%g" 0 $((controls - 1))
done >mixer-test.wanted
for direction in CAPTURE PLAYBACK; do
	seq -f "default.time%g.virt0.0.0.$direction" 7
done >pcm-test.wanted

# Their results as ours: "ok 12 name.virt0.0" becomes "ok - mixer-test name.virt0.0".
failed=0
for test in mixer-test pcm-test; do
	$bin/$test >$test.log 2>&1
	status=$?
	while read -r case; do
		if grep -qE "^ok [0-9]+ $case\$" $test.log; then
			echo "ok - $test $case"
		else
			echo "not ok - $test $case"
			status=1
		fi
	done <$test.wanted
	if [ $status != 0 ] || grep -q '^not ok' $test.log; then
		sed 's/^/# /' $test.log
		failed=1
	fi
done
exit $failed
