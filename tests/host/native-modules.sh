#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# The modules build for this machine's own architecture, against the headers of each kernel that
# its release has: on Debian 12 the oldest that the driver is for, 6.1, as well as 6.12. A kernel
# without sound and test pictures gets the modules that need neither. `make install` puts all that
# there is into a tree, for the compiler that it is told, with or without alsa-lib and libpng.
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
	make -C "$top" --no-print-directory KDIR="$kdir" KCFLAGS=-Werror
	dir=$top/build/modules/$(cat "$kdir/include/config/kernel.release")
	for module in zcdma zcdma-video zcdma-pcm zcdma-virt; do
		modinfo -F vermagic "$dir/$module.ko" | grep "^${headers#linux-headers-} "
	done
	built="$built $headers"
done
echo "built against:$built"
"$top/build/install/$(gcc -dumpmachine)/zcdma/zcdma" --help

machine() {
	LC_ALL=C readelf -h "$1" | sed -n 's/^ *Machine: *//p'
}

# installed CC MACHINE: into a tree whose name is relative to the project; makes in three folders
# have to find the same one.
installed() {
	tree=build/install/test
	rm -rf "${top:?}/$tree"
	env CC="$1" make -C "$top" --no-print-directory install KDIR="$kdir" KCFLAGS=-Werror DESTDIR=$tree
	cd "$top/$tree"
	ls usr/lib/udev/rules.d/60-zcdma.rules usr/local/include/zcdma.h \
		"lib/modules/${headers#linux-headers-}/updates/zcdma/zcdma-virt.ko"*
	[ "$(machine usr/local/bin/zcdma)" = "$2" ]
	[ "$(machine usr/local/lib/libzcdma.so.1)" = "$2" ]
}
# After one for this machine, one for another, whose compiler has neither alsa-lib nor libpng.
installed gcc "$(machine "$(command -v sh)")"
installed arm-linux-gnueabihf-gcc ARM
# What is built without KDIR is for the guest.
if make -C "$top" --no-print-directory install DESTDIR=$tree 2>"$top/build/install/log"; then
	echo "installed the guest's modules"
	exit 1
fi
grep 'name the kernel' "$top/build/install/log"

# The last one's headers, as if a vendor had left these out. What is built by now need not be again.
partial=$(mktemp -d)
trap 'rm -rf "$partial"' EXIT
cp -a "$kdir/." "$partial"
for link in scripts tools; do
	ln -sfn "$(readlink -f "$kdir/$link")" "$partial/$link"
done
sed -i '/^CONFIG_\(SND_PCM\|VIDEO_V4L2_TPG\)=/d' "$partial/include/config/auto.conf"
sed -i '/\t\(snd\|tpg\)_/d' "$partial/Module.symvers"
make -C "$top" --no-print-directory modules KDIR="$partial" KCFLAGS=-Werror | tee "$partial/log"
grep 'SKIP *zcdma-pcm.ko: no CONFIG_SND_PCM$' "$partial/log"
grep 'SKIP *zcdma-virt.ko: no CONFIG_VIDEO_V4L2_TPG$' "$partial/log"
modules=$(sed 's|.*/||; s|\..*||; /dmaengine/d' "$dir/modules.order" | sort | tr '\n' ' ')
[ "$modules" = 'zcdma zcdma-video ' ] || { echo "it got: $modules"; exit 1; }
