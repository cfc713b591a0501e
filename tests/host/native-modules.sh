#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# The modules build for this machine's own architecture, against the headers of each kernel that
# its release has: on Debian 12 the oldest that the driver is for, 6.1, as well as 6.12.
# timeout: 600
set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)
. "$top/tests/vm/lib.sh"
"$top/tests/vm/deps" native
built=
# The packages name the newest headers; there may be older ones, and the machine may run another kernel.
for package in "linux-headers-$(host_arch)" "linux-headers-6.12-$(host_arch)"; do
	headers=$(dpkg-query -W -f '${Depends}' "$package" 2>/dev/null) || continue
	headers=${headers%% *}
	kdir=/usr/src/$headers
	make -C "$top" --no-print-directory modules KDIR="$kdir" KCFLAGS=-Werror
	dir=$top/build/modules/$(cat "$kdir/include/config/kernel.release")
	for module in zcdma zcdma-video zcdma-pcm zcdma-virt; do
		modinfo -F vermagic "$dir/$module.ko" | grep "^${headers#linux-headers-} "
	done
	built="$built $headers"
done
echo "built against:$built"
[ -n "$built" ]
