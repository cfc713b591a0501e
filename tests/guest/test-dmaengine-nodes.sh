#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# A node with a mistake is refused at probe, with one message that tells the mistake.
# vm: --machine raspi3b --dtbo $build/tests/dts/dmaengine-wrong-nodes.dtbo
# timeout: 120
# shellcheck source=tests/guest/libdmaengine.sh
. "${0%/*}/libdmaengine.sh"

dmesg >"$tmp/dmesg"
tried=0

# refused NODE MESSAGE: no driver, and that message, a pattern of grep -E, once.
refused() {
	device=$(find /sys/bus/platform/devices/ -name "*$1")
	[ "$device" ] || { echo "no device of this name"; return 1; }
	[ ! -e "$device/driver" ] || { echo "has a driver"; return 1; }
	grep -E "zcdma-dmaengine [^ ]*$1: error " "$tmp/dmesg" >"$tmp/said"
	cat "$tmp/said"
	[ "$(wc -l <"$tmp/said")" = 1 ] && grep -qE "error -EINVAL: .*$2" "$tmp/said"
}

wrong() {
	tried=$((tried + 1))
	check "$1" refused "$1" "$2"
}

wrong no-channel '/no-channel: 0 channel nodes: must be 1 to 16'
wrong no-dmas '/no-dmas: property dmas is missing'
wrong no-such-dma-name '/channel@0: no "c" in dma-names of the parent'
wrong no-label '/channel@0: property label is missing'
wrong no-kind '/channel@0: property zcdma,kind is missing'
wrong unknown-kind '/channel@0: zcdma,kind is "smell": must be "video", "pcm" or "raw"'
wrong unknown-direction '/channel@0: zcdma,direction is "up": must be'
wrong unknown-child '/port@0: not a channel: must be called channel@N'
wrong channel-number '/channel@1: not a channel: .* 0 to 0 here'
wrong two-labels 'two channels are called c'
wrong no-width '/channel@0: property reg-io-width is missing'
wrong width-odd '/channel@0: reg-io-width is 3: must be a power of two'
wrong width-too-large 'the FIFO "c" in reg, .*, does not hold one aligned access of reg-io-width 8'
wrong width-of-nobody '/channel@0: reg-io-width is 32: must be 1 to 16'
wrong width-not-of-controller 'channel c: reg-io-width 2 is not for 3f007000.dma-controller, which can do 4$'
wrong fifo-out-of-ranges 'the FIFO "c" in reg is outside the ranges of every bus'
wrong fifo-without-name '/channel@0: no "c" in reg-names of the parent: .* or this channel zcdma,stream-port'
wrong fifo-and-stream-port '/channel@0: zcdma,stream-port and an entry "c" in reg-names .* exclude each other'
wrong stream-port-with-width '/channel@0: reg-io-width is for channels with a FIFO only'
wrong has-strobe '/has-strobe: strobe-gpios is for devices that know when a frame is exposed only'
wrong has-singular-strobe '/has-singular-strobe: strobe-gpio is for devices that know when a frame is exposed only'
wrong has-trigger '/has-trigger: trigger-gpios is for devices that know when a frame is exposed only'
wrong raw-with-format '/channel@0: zcdma,format is for video and pcm channels only'
wrong raw-with-rate '/channel@0: zcdma,rate-hz is for pcm channels only'
wrong raw-timed '/channel@0: zcdma,timed is for video and pcm channels only'
wrong pcm-format-mp3 '/channel@0: zcdma,format is "MP3": must be "S16_LE", '
wrong pcm-no-rate '/channel@0: property zcdma,rate-hz is missing'
wrong pcm-rate-too-high '/channel@0: zcdma,rate-hz: must be 1 to 768000, or two'
wrong pcm-no-channels '/channel@0: property zcdma,channels is missing'
wrong pcm-with-height '/channel@0: zcdma,height is for video channels only'
wrong limit-too-high '/channel@0: zcdma,max-transfer is 1073741825: must be 4 to 1073741824'
wrong frame-above-limit '/channel@0: a frame has 307200 bytes, which is above the limit of a transfer, 307199'
wrong frame-above-every-limit '/channel@0: a frame has 4294901760 bytes, which is above the limit of a transfer, 1073741824'
wrong frame-not-aligned '/channel@0: a frame has 306081 bytes, which is not a multiple of .* 4$'
wrong line-not-aligned '/channel@0: zcdma,width and zcdma,height must be multiples of 4 and 1 here'
wrong unknown-format '/channel@0: zcdma,format "GRAY" is not a pixel format'
wrong height-backwards '/channel@0: zcdma,height: must be 1 to 65535, or two'
wrong no-interval '/channel@0: property zcdma,frame-interval-ns is missing'
wrong fifo-out-of-dma-ranges 'the FIFO "c" at .* is outside the dma-ranges of 3f007000.dma-controller'
wrong fifo-in-memory 'the FIFO "c" in reg, .*, is system memory'

# The list above is complete, and the good node beside them works.
all_tried() {
	there=$(grep -lxz 'zcdma,dmaengine' /sys/bus/platform/devices/*/of_node/compatible | wc -l)
	echo "$there devices, $tried tried"
	[ "$there" = $((tried + 1)) ]
}
check 'no wrong node was forgotten' all_tried
check 'the right node beside them works' captures

[ ! "$failed" ]
