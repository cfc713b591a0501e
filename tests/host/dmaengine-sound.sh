#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# A second of sound that aplay plays to the Raspberry Pi's UART by DMA comes out of QEMU's serial
# port, byte for byte, and takes a second; arecord records as long a second of the system timer.
# timeout: 240
# kernel: stock
top=$(cd "$(dirname "$0")/../.." && pwd)
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# Of each PCM frame, 16 bits for two channels, the UART sends the lowest byte.
mkdir "$tmp/share"
head -c 192000 /dev/urandom >"$tmp/noise"
perl -e 'binmode STDIN; binmode STDOUT; undef $/; my $data = <STDIN>;
	print pack("a4Va4a4VvvVVvva4V", "RIFF", 36 + length($data), "WAVE", "fmt ", 16, 1, 2,
		48000, 192000, 4, 16, "data", length($data)), $data' <"$tmp/noise" >"$tmp/share/noise.wav"
perl -e 'binmode STDIN; undef $/; print pack("C*", map { $_ & 255 } unpack("V*", <STDIN>))' \
	<"$tmp/noise" >"$tmp/wanted"

# The clock of the guest is its instructions: a busy host is no xrun.
cat >"$tmp/share/sound" <<'EOS'
set -e
card=hw:CARD=rpi3
begin=$(date +%s%N)
aplay -D $card --period-size=2400 --buffer-size=9600 /mnt/share/noise.wav
took=$((($(date +%s%N) - begin) / 1000000))
echo "$took ms to play"
[ $took -ge 1000 ]
[ $took -lt 1500 ]

arecord -D $card -t raw -f S32_LE -c 1 -r 48000 --samples=48000 /tmp/time
# Not what the node has.
if arecord -D $card -t raw -f S16_LE -c 1 -r 48000 --samples=4800 /dev/null; then exit 1; fi
od -A n -v -t u4 -w4 /tmp/time | awk '
	NR > 1 && $1 < last { print "sample " NR ": " $1 " after " last; bad = 1; exit }
	NR == 1 { first = $1 }
	{ last = $1 }
	END {
		print NR " samples, " last - first " us from the first to the last"
		# The timer is read at the end of each period, of which there are whole ones.
		exit bad || NR != 48000 || last - first < 800000 || last - first > 1100000
	}'
EOS

"$top/tests/vm/run" --machine raspi3b --share "$tmp/share" --log "$tmp/console" \
	--qemu "-icount shift=0,sleep=off -serial file:$tmp/uart" -- sh /mnt/share/sound >"$tmp/out" 2>&1
status=$?

if [ $status = 0 ] && cmp "$tmp/uart" "$tmp/wanted"; then
	sed 's/^/# /' "$tmp/out"
	echo "ok - 1 s of sound by aplay arrives on the wire of a UART"
else
	echo "not ok - 1 s of sound by aplay arrives on the wire of a UART"
	sed 's/^/# /' "$tmp/out"
	ls -l "$tmp/uart" "$tmp/wanted"
	exit 1
fi
