#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Whether a program can map a GPIO block whose neighbour is 4 KiB above, as on a Raspberry Pi, depends
# on the size of the kernel's pages; where it cannot, the log says why. (QEMU's Raspberry Pi 3 has no
# 16 KiB pages, so it is virt's PL061 that gets such a neighbour.)
# timeout: 600
top=$(cd "$(dirname "$0")/../.." && pwd)
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
failed=0

# check NAME KERNEL WANTED MESSAGES: what gpio-map prints, and how many warnings there are.
check() {
	make -C "$top" --no-print-directory KERNEL="$2" modules >"$tmp/err" 2>&1 &&
	"$top/tests/vm/run" --kernel "$2" --log "$tmp/console" \
		--dtbo "$top/build/tests/dts/gpio-neighbour.dtbo" -- \
		gpio-map /dev/zcdma/virt0/device >"$tmp/out" 2>"$tmp/err"
	warned=$(grep -c 'zcdma-virt dma-board-0: zcdma,gpio-user-mapping: /pl061@9030000 shares a page of 16384 bytes with /neighbour@9031000: programs cannot map it' "$tmp/console")
	if [ "$(cat "$tmp/out")" = "$3" ] && [ "$warned" = "$4" ]; then
		echo "ok - $1"
	else
		echo "not ok - $1"
		sed 's/^/# /' "$tmp/out" "$tmp/err"
		grep -a zcdma "$tmp/console" | sed 's/^/# /'
		failed=1
	fi
}

check "pages of 4 KiB: the block can be mapped" stock '4096 mapped' 0
check "pages of 16 KiB: the block is refused" 16k '0 Permission denied' 1
exit $failed
