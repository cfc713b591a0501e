#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# What is played to the Raspberry Pi's UART by DMA comes out of QEMU's serial port, byte for byte.
# timeout: 300
# kernel: any
top=$(cd "$(dirname "$0")/../.." && pwd)
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# The UART sends the lowest byte of each word: 4 MiB make 1 MiB on the wire. They go there four
# times. By V4L2: from coherent buffers, and from cached ones, which bounce; closing a node takes
# back what is still queued, so dd's file stays open until as many transfers are done. By a native
# stream: from cached buffers, and from coherent ones with a short transfer at the end.
mkdir "$tmp/share"
head -c 4194304 /dev/urandom >"$tmp/share/frames"
perl -e 'undef $/; print pack("C*", map { $_ & 255 } unpack("V*", <STDIN>))' \
	<"$tmp/share/frames" >"$tmp/once"
cat "$tmp/once" "$tmp/once" "$tmp/once" "$tmp/once" >"$tmp/wanted"

cat >"$tmp/share/play" <<'EOS'
uart=/dev/zcdma/rpi3/uart
trace=/sys/kernel/tracing
v4l2-ctl -d $uart --set-fmt-video-out=width=1024,height=16,pixelformat=XR24 \
	--stream-out-mmap=4 --stream-count=64 --stream-from=/mnt/share/frames || exit
echo 1 >$trace/events/zcdma/zcdma_xfer_done/enable
exec 3>$uart
dd if=/mnt/share/frames bs=65536 >&3 || exit
until [ "$(grep -c zcdma_xfer_done: $trace/trace)" = 64 ]; do
	sleep 0.1
done
exec 3>&-
zcdma play rpi3/uart-raw /mnt/share/frames || exit
zcdma play --coherent --bytes 100000 rpi3/uart-raw </mnt/share/frames
EOS

"$top/tests/vm/run" --kernel "${1:-stock}" --machine raspi3b --append swiotlb=force --share "$tmp/share" \
	--log "$tmp/console" --qemu "-serial file:$tmp/uart" -- \
	sh /mnt/share/play >"$tmp/out" 2>&1
status=$?

if [ $status = 0 ] && cmp "$tmp/uart" "$tmp/wanted"; then
	echo "ok - 1 MiB played to a UART arrives on its wire, four times"
else
	echo "not ok - 1 MiB played to a UART arrives on its wire, four times"
	sed 's/^/# /' "$tmp/out"
	ls -l "$tmp/uart" "$tmp/wanted"
	exit 1
fi
