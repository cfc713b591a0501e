#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# The modules build for this machine's own architecture, against its headers.
# timeout: 600
set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)
"$top/tests/vm/deps" native
# Whichever headers the package brought; the machine may run another kernel.
for kdir in /usr/src/linux-headers-6.12*; do
	case $kdir in
	*-common*) continue ;;
	esac
	[ -e "$kdir/include/config/kernel.release" ] || continue
	release=$(cat "$kdir/include/config/kernel.release")
	make -C "$top" --no-print-directory modules KDIR="$kdir" KCFLAGS=-Werror
	for module in zcdma zcdma-video zcdma-virt; do
		modinfo -F vermagic "$top/build/modules/$release/$module.ko" | grep "^$release "
	done
	exit
done
echo "no headers of a 6.12 kernel in /usr/src"
exit 1
