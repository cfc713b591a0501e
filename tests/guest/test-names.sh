#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# test-names - what can be seen from outside: nodes, links, attributes, who may
# open what, and that nobody but root learns where memory is.
# timeout: 90
set -u
failed=0

# case_of NAME FUNCTION: the function prints what is wrong.
case_of() {
	wrong=$($2 2>&1)
	if [ -z "$wrong" ]; then
		echo "ok - $1"
	else
		echo "not ok - $1"
		# shellcheck disable=SC2001 # every line of several
		echo "$wrong" | sed 's/^/# /'
		failed=1
	fi
}

is() {
	[ "$2" = "$3" ] || echo "$1 is '$2', not '$3'"
}

as_nobody() {
	setpriv --reuid 65534 --regid 65534 --clear-groups -- "$@"
}

as_video() {
	setpriv --reuid 65534 --regid 65534 --groups "$(getent group video | cut -d : -f 3)" -- "$@"
}

devices=/sys/class/zcdma
channels=/sys/class/zcdma-channel

# First line of a file, without a process of its own: they are slow in an emulator.
line_of() {
	line=
	read -r line <"$1"
}

# has FILE VALUE
has() {
	line_of "$1"
	is "$1" "$line" "$2"
}

# The zcdmaN of a device.
number_of() {
	number=$(readlink "/dev/zcdma/$1/device")
	number=${number##*/}
}

device_attributes() {
	for name in virt0 virt1; do
		found=0
		for device in "$devices"/*; do
			line_of "$device/name"
			[ "$line" = "$name" ] || continue
			found=$((found + 1))
			has "$device/driver_name" zcdma-virt
		done
		is "number of devices called $name" "$found" 1
	done
}

# channel DEVICE NAME KIND DIRECTION
channel() {
	number_of "$1"
	dir=$channels/$number-$2
	has "$dir/name" "$2"
	has "$dir/path" "$1/$2"
	has "$dir/kind" "$3"
	has "$dir/direction" "$4"
	has "$dir/owner" none
	is "modes of $dir/*" "$(stat -c %a "$dir"/{name,path,kind,direction,owner} | uniq)" 444
}

channel_attributes() {
	channel virt0 cam0 video capture
	channel virt0 out0 video playback
	channel virt0 raw-in raw capture
	channel virt0 raw-out raw playback
	channel virt0 mic0 pcm capture
	channel virt0 spk0 pcm playback
	channel virt1 cam0 video capture
	channel virt1 out0 video playback
	set -- "$channels"/*
	is "number of channels" $# 8
}

# Returns with buffers in use: v4l2-ctl waits for us to take more than its first frame.
start_streaming() {
	mkfifo /tmp/names-frames
	v4l2-ctl -d /dev/zcdma/virt0/cam0 --stream-mmap --stream-to=/tmp/names-frames \
		>/dev/null 2>&1 &
	exec 8<>/tmp/names-frames
	timeout 20 head -c 1 <&8 | grep -q '' || echo "the camera does not stream"
}

stop_streaming() {
	kill $!
	wait $! 2>/dev/null
	exec 8<&-
	rm /tmp/names-frames
}

channel_owner() {
	number_of virt0
	start_streaming
	has "$channels/$number-cam0/owner" video
	stop_streaming
	has "$channels/$number-cam0/owner" none
}

links() {
	for name in virt0 virt1; do
		number_of "$name"
		has "$devices/$number/name" "$name"
	done
	for path in virt0/cam0 virt0/out0 virt1/cam0 virt1/out0; do
		node=$(readlink "/dev/zcdma/$path")
		node=${node##*/}
		[ -c "/dev/$node" ] || echo "$path leads to $node, which is no node"
		# The first of its parents that has a path.
		above=$(readlink -f "/sys/class/video4linux/$node/device")
		while [ "$above" ] && [ ! -e "$above/path" ]; do
			above=${above%/*}
		done
		has "$above/path" "$path"
	done
	# A channel without a node has no link, and there is nothing else.
	set -- /dev/zcdma/*/*
	is "links below /dev/zcdma" $# 6
}

links_come_and_go() {
	number_of virt1
	board=$(readlink "$devices/$number/device")
	board=${board##*/}
	driver=/sys/bus/platform/drivers/zcdma-virt
	echo "$board" >"$driver/unbind"
	udevadm settle
	[ ! -e /dev/zcdma/virt1 ] || echo "still there: $(ls -d /dev/zcdma/virt1/*)"
	[ -c /dev/zcdma/virt0/cam0 ] || echo "/dev/zcdma/virt0/cam0 is gone as well"
	echo "$board" >"$driver/bind"
	udevadm settle
	for name in device cam0 out0; do
		[ -c "/dev/zcdma/virt1/$name" ] || echo "/dev/zcdma/virt1/$name has not come back"
	done
}

# devices=2 beside virt0 and virt1 of the device tree.
parameter_takes_free_names() {
	for parameter in devices=2 ''; do
		rmmod zcdma-virt
		# shellcheck disable=SC2086 # none is none
		modprobe zcdma-virt $parameter
		udevadm settle
		is "devices with '$parameter'" "$(cat "$devices"/*/name | sort | tr '\n' ' ')" \
			"virt0 virt1 ${parameter:+virt2 virt3 }"
		[ ! "$parameter" ] || [ -c /dev/zcdma/virt3/cam0 ] || echo "virt3 has no camera"
	done
}

nodes_are_for_group_video() {
	is "modes below /dev/zcdma" "$(stat -L -c '%U %G %a' /dev/zcdma/*/* | uniq)" 'root video 660'
	as_video sh -c 'exec 7<>/dev/zcdma/virt0/device' || echo "group video cannot open the device"
	as_video v4l2-ctl -d /dev/zcdma/virt0/cam0 --info >/dev/null ||
		echo "group video cannot open the camera"
	as_nobody sh -c 'exec 7<>/dev/zcdma/virt0/device' 2>/dev/null && echo "anybody can open the device"
	as_nobody sh -c 'exec 7</dev/zcdma/virt0/device' 2>/dev/null && echo "anybody can read the device"
}

# What is in debugfs has addresses in it.
debugfs_is_for_root() {
	is "modes in debugfs" "$(stat -c '%U %a' /sys/kernel/debug/zcdma/virt[01]/{state,buffers} | uniq)" \
		'root 400'
	# Not only because the way there is barred.
	mkdir -p /tmp/names-debug
	mount -t debugfs -o mode=755 debugfs /tmp/names-debug
	chmod 755 /tmp/names-debug
	as_nobody cat /tmp/names-debug/zcdma/virt0/buffers >/dev/null 2>&1 &&
		echo "anybody can read the DMA addresses"
	as_nobody cat /tmp/names-debug/zcdma/virt0/state >/dev/null 2>&1 &&
		echo "anybody can read the state"
	chmod 700 /tmp/names-debug
	umount /tmp/names-debug
	rmdir /tmp/names-debug
}

addresses_are_secret() {
	start_streaming
	words=
	# shellcheck disable=SC2013 # words are meant
	for address in $(sed 's/.* dma //' /sys/kernel/debug/zcdma/virt0/buffers); do
		address=${address%+*}
		words="$words|${address#0x}|$((address))"
	done
	[ "$words" ] || echo "debugfs tells no addresses"
	words="(0x)?0*(${words#|})"
	# Where the pool begins is in the device tree, and told at boot.
	dmesg | grep -vi "reserved mem" | grep -wiE "$words" && echo "is in the kernel log"
	grep -rswiE "$words" "$devices"/*/ "$channels"/*/ /sys/class/video4linux/*/ \
		/sys/module/zcdma*/parameters && echo "is in sysfs"
	v4l2-ctl -d /dev/zcdma/virt0/cam0 --all >/tmp/names-v4l2 || echo "v4l2-ctl fails"
	grep -wiE "$words" /tmp/names-v4l2 && echo "is in V4L2"
	rm /tmp/names-v4l2
	stop_streaming
}

case_of test_device_has_attributes device_attributes
case_of test_channel_has_attributes channel_attributes
case_of test_channel_names_its_owner channel_owner
case_of test_links_lead_to_nodes links
case_of test_links_come_and_go_with_the_device links_come_and_go
case_of test_parameter_takes_free_names parameter_takes_free_names
case_of test_nodes_are_for_group_video nodes_are_for_group_video
case_of test_debugfs_is_for_root debugfs_is_for_root
case_of test_addresses_are_for_root_only addresses_are_secret
exit $failed
