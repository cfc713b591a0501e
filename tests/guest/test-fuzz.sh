#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# A minute of the fuzzer (tests/fuzz): nothing that a program does may crash or hang
# the kernel, or make it complain. The debug kernel has the eyes to see it.
# timeout: 180
# vm: --append dma_debug=off
#
# DMA API debugging does not see whose a sync is where cached memory is mapped for one
# device twice, as when a display imports a camera's buffer, and complains. The rest of
# the tests has it.
[ -e /sys/kernel/debug/kcov ] || {
	echo "this kernel has no KCOV to guide the fuzzer; the debug kernel has: make test-debug"
	exit 77
}
exec fuzz --time 60 --seed 1
