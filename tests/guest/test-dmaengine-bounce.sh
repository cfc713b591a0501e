#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# With bounce buffers in between, what the DMA controller wrote is what the CPU reads only if
# ownership of a cached buffer is passed at the right times.
# vm: --machine raspi3b --append swiotlb=force
# timeout: 120
# shellcheck source=tests/guest/libdmaengine.sh
. "${0%/*}/libdmaengine.sh"

by_read() {
	v4l2-ctl -d "$timer" --set-fmt-video=width=$line,height=4,pixelformat=GREY &&
		dd if="$timer" of="$tmp/frames" bs=16384 count=16 iflag=fullblock && rises 16 4096
}
check 'cached buffers that bounce, by read()' by_read
check 'coherent buffers beside them' captures
check 'cached buffers that bounce, in a native stream' native 64
check 'coherent buffers in a native stream' native 16 --coherent

[ ! "$failed" ]
