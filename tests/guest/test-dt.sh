#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Every mistake of tests/dts/bad-nodes.dtso is refused with a message that names node, value and
# remedy; the nodes beside them work.
# vm: --dtbo "$build/tests/dts/bad-nodes.dtbo"
# timeout: 60
devices=/sys/bus/platform/devices

# What the kernel's log must say of each node, after the device's name.
messages='
bad-kind-missing	/bad-kind-missing/channel@0: property zcdma,kind is missing or not a string: use "video", "pcm" or "raw"
bad-kind-unknown	/bad-kind-unknown/channel@0: zcdma,kind is "radar": must be "video", "pcm" or "raw"
bad-kind-twice	/bad-kind-twice/channel@0: property zcdma,kind is missing or not a string: use "video", "pcm" or "raw"
bad-direction-missing	/bad-direction-missing/channel@0: property zcdma,direction is missing or not a string: use "capture" or "playback"
bad-direction-unknown	/bad-direction-unknown/channel@0: zcdma,direction is "up": must be "capture" or "playback"
bad-label-missing	/bad-label-missing/channel@0: property label is missing
bad-label-empty	"" cannot be a channel name: use 1 to 31 of A-Z a-z 0-9 . _ - in the label property
bad-label-slash	"../cam" cannot be a channel name: use 1 to 31 of A-Z a-z 0-9 . _ - in the label property
bad-label-long	/bad-label-long/channel@0: label "a23456789-b23456789-c23456789-d2" is too long: 31 characters at most
bad-label-same	two channels are called cam: give one another label
bad-name-slash	"a/b" cannot be a device name: use 1 to 31 of A-Z a-z 0-9 . _ - in the label property
bad-no-channels	/bad-no-channels: no channels: add a channel@0 node
bad-child-unknown	/bad-child-unknown/camera@0: unknown node: channels are called channel@N
bad-reg-missing	/bad-reg-missing/channel: property reg is missing
bad-reg-large	/bad-reg-large/channel@8: reg is 8: must be 0 to 7
bad-reg-same	: reg 0 is also that of /bad-reg-same/channel@
bad-width-0	/bad-width-0/channel@0: zcdma,max-width is 0: must be 16 to 7680
bad-width-huge	/bad-width-huge/channel@0: zcdma,max-width is 7681: must be 16 to 7680
bad-height-small	/bad-height-small/channel@0: zcdma,max-height is 15: must be 16 to 4320
bad-height-two	/bad-height-two/channel@0: zcdma,max-height must be one 32-bit number
bad-height-string	/bad-height-string/channel@0: zcdma,max-height must be one 32-bit number
bad-width-raw	/bad-width-raw/channel@0: zcdma,max-width is for video channels only: remove it
bad-width-pcm	/bad-width-pcm/channel@0: zcdma,max-width is for video channels only: remove it
bad-transfer-video	/bad-transfer-video/channel@0: zcdma,max-transfer is for pcm and raw channels only: remove it
bad-transfer-huge	/bad-transfer-huge/channel@0: zcdma,max-transfer is 4294967295: must be 4 to 1073741824
bad-transfer-aligned	/bad-transfer-aligned/channel@0: zcdma,max-transfer (64) is less than zcdma,alignment (128)
bad-alignment-3	/bad-alignment-3/channel@0: zcdma,alignment is 3: must be a power of two
bad-alignment-huge	/bad-alignment-huge/channel@0: zcdma,alignment is 8192: must be 1 to 4096
bad-segments-0	/bad-segments-0/channel@0: zcdma,max-segments is 0: must be 1 to 65536
bad-loop-capture	/bad-loop-capture/channel@0: zcdma,loopback is for video and pcm playback channels only: remove it
bad-loop-elsewhere	/bad-loop-elsewhere/channel@0: zcdma,loopback leads to /good-last/channel@0: must be an enabled video capture channel of the same device
bad-loop-nowhere	/bad-loop-nowhere/channel@0: zcdma,loopback must be one reference to a channel node
bad-loop-self	/bad-loop-self/channel@0: zcdma,loopback leads to /bad-loop-self/channel@0: must be an enabled video capture channel of the same device
bad-loop-raw	/bad-loop-raw/channel@1: zcdma,loopback leads to /bad-loop-raw/channel@0: must be an enabled video capture channel of the same device
bad-loop-pcm	/bad-loop-pcm/channel@1: zcdma,loopback leads to /bad-loop-pcm/channel@0: must be an enabled pcm capture channel of the same device
bad-loop-two	/bad-loop-two/channel@2: zcdma,loopback: b already loops to a: remove one of the two
bad-region-nowhere	memory-region must refer to a child of /reserved-memory
bad-region-elsewhere	memory-region channel is not a child of /reserved-memory
bad-region-plain	memory-region plain-region cannot be used for DMA: it needs compatible = "shared-dma-pool"
'

verdict() {
	if [ "$2" ]; then
		echo "not ok - $1"
		echo "# $2"
	else
		echo "ok - $1"
	fi
}

dmesg >/tmp/dt.dmesg
found=
while IFS='	' read -r node message; do
	[ "$node" ] || continue
	found="$found $node"
	why=
	if [ ! -d "$devices/$node" ]; then
		why="there is no device $node"
	elif [ -e "$devices/$node/driver" ]; then
		why="the driver has taken it"
	elif ! grep -F "zcdma-virt $node: error -" /tmp/dt.dmesg | grep -qF -- "$message"; then
		why="no message \"$message\", but: $(grep -F " $node: " /tmp/dt.dmesg)"
	elif [ "$(grep -cF "zcdma-virt $node: error -" /tmp/dt.dmesg)" != 1 ]; then
		why="more than one message"
	fi
	verdict "test_probe_refuses_${node#bad-}" "$why"
done <<END
$messages
END

why=
# shellcheck disable=SC2012 # names of our own
bound=$(ls -d $devices/twin-?/driver | wc -l)
[ "$bound" = 1 ] || why="$bound devices of one name are bound"
[ "$(grep -c 'zcdma-virt twin-[ab]: error -EEXIST: another zcdma device is called twin: give this one a label property of its own' /tmp/dt.dmesg)" = 1 ] ||
	why=${why:-$(grep -F ' twin-' /tmp/dt.dmesg)}
verdict test_second_device_of_a_name_is_refused "$why"

missing=
for node in /proc/device-tree/bad-*; do
	case "$found " in
	*" ${node##*/} "*) ;;
	*) missing="$missing ${node##*/}" ;;
	esac
done
verdict test_every_bad_node_is_checked "${missing:+no message is known for$missing}"

for node in good-first good-last; do
	why=
	[ -e "$devices/$node/driver" ] || why="not bound: $(grep -F " $node: " /tmp/dt.dmesg)"
	[ "$why" ] || v4l2-ctl -d /dev/zcdma/$node/cam --set-fmt-video=width=64,height=64 \
		--stream-mmap --stream-count=2 >/tmp/dt.log 2>&1 || why=$(tail -n 3 /tmp/dt.log)
	verdict "test_${node/-/_}_node_works" "$why"
done
# What follows from an alignment that not every number of PCM frames has.
aligned=good-aligned
why=
zcdma info $aligned 2>&1 | grep -A 3 spk | grep -q 'in steps of 8 bytes' || why=$(zcdma info $aligned 2>&1)
verdict test_alignment_of_sound_is_shown "$why"
why=
zcdma capture --rate 44100 --count 3 --output /dev/null $aligned/mic >/tmp/dt.log 2>&1 || why=$(cat /tmp/dt.log)
verdict test_sound_has_an_aligned_default "$why"
# One frame of 12 bytes more than a period: with the silence that makes it aligned it is two.
why=
/usr/lib/zcdma/guest/test-alsa-plugin rest "rawzcdma:$aligned,spk" >/tmp/dt.log 2>&1 || why=$(cat /tmp/dt.log)
played=$(cat /sys/kernel/debug/zcdma/$aligned/spk/sink/bytes)
[ "$played" = $((482 * 12)) ] || why="$why; $played bytes arrived"
verdict test_alsa_plugin_drains_to_whole_frames "$why"

v4l2-ctl -d /dev/zcdma/virt0/cam0 --set-fmt-video=width=64,height=64 --stream-mmap \
	--stream-count=2 >/tmp/dt.log 2>&1 && why= || why=$(tail -n 3 /tmp/dt.log)
verdict test_virt0_works_beside_bad_nodes "$why"
