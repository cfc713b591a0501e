#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# What the device tree says of strobe and trigger: lines without a block and of another kind of block
# work, every mistake of tests/dts/gpio-nodes.dtso is refused with a message that names it.
# vm: --dtbo "$build/tests/dts/gpio-nodes.dtbo"
# timeout: 120
devices=/sys/bus/platform/devices
failed=

# Messages of the kernel's log, after the device's name.
messages='
bad-block-alone	-EINVAL: zcdma,gpio-block without strobe-gpios: add that, or remove this
bad-block-nowhere	-EINVAL: zcdma,gpio-block must refer to a GPIO controller
bad-block-other	-EINVAL: zcdma,gpio-block is /gpio@5e000000, but strobe-gpios has a line of /pl061@9030000: use the same for both, or remove zcdma,gpio-block
bad-block-unknown	-EINVAL: zcdma,gpio-block: no known registers for line 0 in /gpio@5e001000: needs arm,pl061,
bad-mapping-alone	-EINVAL: zcdma,gpio-user-mapping without zcdma,gpio-block: add that, or remove this
bad-limit-0	-EINVAL: zcdma,strobe-max-us must be one number, 1 to 10000000
bad-limit-huge	-EINVAL: zcdma,strobe-max-us must be one number, 1 to 10000000
bad-limit-two	-EINVAL: zcdma,strobe-max-us must be one number, 1 to 10000000
bad-line-drain	-EINVAL: strobe-gpios: this line is open drain or open source, which takes more than one write for an edge: use a push-pull one
bad-line-singular	-EINVAL: strobe-gpio must be called strobe-gpios
bad-trigger-singular	-EINVAL: trigger-gpio must be called trigger-gpios
bad-line-source	-EINVAL: strobe-gpios: this line is open drain or open source,
bad-line-slow	controller is behind a slow bus, out of reach for interrupts: use another
bad-trigger-quiet	trigger-gpios: this line has no interrupt: use one that has
bad-no-capture	-EINVAL: strobe-gpios is for devices with a capture channel: remove it
bad-no-trigger	-EINVAL: trigger-gpios: channel raw cannot be triggered: remove the property
'

# check NAME COMMAND...: one case; what it prints is shown when it fails.
check() {
	name=$1
	shift
	if "$@" >/tmp/gpio-nodes.out 2>&1; then
		echo "ok - $name"
	else
		echo "not ok - $name"
		sed 's/^/# /' /tmp/gpio-nodes.out
		failed=yes
	fi
}

dmesg >/tmp/gpio-nodes.dmesg

refused() {
	[ -d "$devices/$1" ] || { echo "there is no device $1"; return 1; }
	[ ! -e "$devices/$1/driver" ] || { echo "the driver has taken it"; return 1; }
	grep -F "zcdma-virt $1: error " /tmp/gpio-nodes.dmesg >/tmp/gpio-nodes.said
	cat /tmp/gpio-nodes.said
	[ "$(wc -l </tmp/gpio-nodes.said)" = 1 ] && grep -qF -- "$2" /tmp/gpio-nodes.said
}

tried=0
while IFS='	' read -r node message; do
	[ "$node" ] || continue
	tried=$((tried + 1))
	check "test_probe_refuses_${node#bad-}" refused "$node" "$message"
done <<END
$messages
END
all_tried() {
	# shellcheck disable=SC2012 # names of our own
	there=$(ls -d /proc/device-tree/bad-* | wc -l)
	echo "$there nodes, $tried tried"
	[ "$there" = "$tried" ]
}
check test_every_bad_node_is_tried all_tried

waits() {
	cat /sys/kernel/debug/devices_deferred
	grep -q '^waiting.*strobe-gpios: cannot get the line' /sys/kernel/debug/devices_deferred
}
check test_line_that_is_not_there_is_waited_for waits

# is REGISTER MASK VALUE: as QEMU's monitor sees it.
is() {
	value=$(host readreg "$1")
	echo "$1: $value"
	[ $((value & $2)) = $(($3)) ]
}

# Active low, and by gpiod calls: line 6 of the PL061.
by_gpiod() {
	cam=/dev/zcdma/lamp-gpiod/cam
	[ "$(cat "$strobe/mapped")" = 0 ] || return 1
	v4l2-ctl -d $cam -c strobe_timeout=100000 || return 1
	is 0x090303fc 0x40 0x40 || return 1
	v4l2-ctl -d $cam -c strobe_inverted=1 || return 1
	is 0x090303fc 0x40 0 || return 1
	v4l2-ctl -d $cam -c strobe_inverted=0 -c strobe_mode=1,exposure_time_absolute=10000 || return 1
	# Exposed for longer than the 100 ms that are the limit by default.
	v4l2-ctl -d $cam --set-fmt-video=width=64,height=64 --set-parm=1 --stream-mmap \
		--stream-count=3 2>&1 || return 1
	cat "$strobe/count" "$strobe/cut"
	[ "$(cat "$strobe/cut")" -ge 3 ] && is 0x090303fc 0x40 0x40
}

directory_of() {
	grep -lx "$1" /sys/class/zcdma/zcdma*/name | sed 's|/name$||'
}

strobe=$(directory_of lamp-gpiod)/strobe
check test_strobe_without_a_block_goes_by_gpiod by_gpiod

# Registers that are memory: "set" has last been written at the beginning of a pulse, "clr" at its
# end. gpiolib has only written the first time.
by_set_and_clear() {
	[ "$(cat "$strobe/mapped")" = 1 ] || return 1
	is 0x5e000010 0xffffffff 0 || return 1
	is 0x5e000020 0xffffffff 0x10 || return 1
	v4l2-ctl -d /dev/zcdma/lamp-mmio/cam -c strobe=1 || return 1
	is 0x5e000010 0xffffffff 0x10
}
strobe=$(directory_of lamp-mmio)/strobe
check test_strobe_goes_by_set_and_clear by_set_and_clear

# Its registers are within what another node has: system memory.
not_mapped() {
	gpio-map /dev/zcdma/lamp-mmio/device | tee /dev/stderr | grep -qx '0 Permission denied' &&
		grep -F 'zcdma-virt lamp-mmio: zcdma,gpio-user-mapping: /gpio@5e000000 shares a page of' \
			/tmp/gpio-nodes.dmesg | grep -F 'with /memory@40000000: programs cannot map it'
}
check test_shared_page_cannot_be_mapped not_mapped
part_not_mapped() {
	gpio-map /dev/zcdma/virt0/device | tee /dev/stderr | grep -qx '0 Permission denied' &&
		grep -F 'zcdma-virt dma-board-0: zcdma,gpio-user-mapping: /pl061@9030000 shares a page of' \
			/tmp/gpio-nodes.dmesg | grep -F 'with /system-controller@9030000: programs cannot map it'
}
check test_page_of_a_larger_device_cannot_be_mapped part_not_mapped
no_block_no_mapping() {
	gpio-map /dev/zcdma/lamp-gpiod/device | tee /dev/stderr | grep -qx '0 Permission denied'
}
check test_nothing_to_map_without_a_block no_block_no_mapping

# Somebody else has the line: the driver comes without, and back when it is free.
line_taken() {
	echo dma-board-0 >/sys/bus/platform/drivers/zcdma-virt/unbind
	chip=$(gpiodetect | sed -n 's/ .*pl061.*//p')
	gpioset -c "$chip" 5=0 &
	pid=$!
	until gpioinfo -c "$chip" 5 | grep gpioset; do
		kill -0 $pid || return 1
	done
	dmesg -C
	if echo dma-board-0 >/sys/bus/platform/drivers/zcdma-virt/bind; then
		taken=no
	else
		taken=yes
	fi 2>/dev/null
	dmesg
	dmesg | grep -q 'zcdma-virt dma-board-0: error -EBUSY: strobe-gpios: somebody has this line already: gpioinfo(1) tells who' ||
		taken=silent
	kill $pid
	wait $pid
	echo dma-board-0 >/sys/bus/platform/drivers/zcdma-virt/bind
	[ $taken = yes ] && [ -e $devices/dma-board-0/driver ]
}
check test_line_of_somebody_else_is_refused line_taken

[ ! "$failed" ]
