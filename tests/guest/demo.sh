#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# The guest's part of `make demo`; /mnt/share gets the frame, and a picture of the sound.
# not-a-test
set -eu

camera=/dev/zcdma/virt0/cam0
output=/dev/zcdma/virt0/out0
log=/tmp/demo.log

die() {
	echo "demo: $*" >&2
	exit 1
}

# stream TITLE V4L2-CTL-ARGS...: 100 frames; their sequence numbers tell of drops.
stream() {
	title=$1
	shift
	v4l2-ctl -d "$camera" --verbose --stream-count=100 "$@" >"$log" 2>&1 ||
		die "$title: v4l2-ctl failed: $(tail -n 3 "$log")"
	awk -v title="$title" '
		/cap dqbuf/ && match($0, /seq: *[0-9]+/) {
			seq = substr($0, RSTART + 4, RLENGTH - 4) + 0
			if (!frames++) first = seq
		}
		/cap dqbuf/ && match($0, /ts: *[0-9.]+/) {
			ts = substr($0, RSTART + 3, RLENGTH - 3) + 0
			if (frames == 1) begin = ts
		}
		END {
			dropped = seq - first + 1 - frames
			printf "  %-34s %3d frames  %6.2f fps  %d dropped\n", title, frames, \
				(frames - 1) / (ts - begin), dropped
			exit frames != 100 || dropped != 0
		}' "$log" || die "$title: frames were lost"
}

echo "Streaming:"
for mode in 640x480@20 1920x1080@10; do
	size=${mode%@*}
	v4l2-ctl -d "$camera" \
		--set-fmt-video="width=${size%x*},height=${size#*x},pixelformat=YUYV" \
		--set-parm="${mode#*@}" >/dev/null
	stream "$size YUYV, mmap" --stream-mmap
done

for node in "$camera" "$output"; do
	case $node in
	"$camera") set -- --set-parm=20 --set-fmt-video ;;
	*) set -- --set-output-parm=20 --set-fmt-video-out ;;
	esac
	v4l2-ctl -d "$node" "$1" "$2=width=640,height=480,pixelformat=YUYV" >/dev/null
done
stream "640x480 YUYV, dma-buf to an output" --stream-mmap=8 --stream-out-dmabuf -e "$output"

echo "Zero copy, seen from outside:"
printf '  '
zerocopy "$camera" virt0

zcdma capture --quiet --skip 30 --count 1 --output /mnt/share/frame.png virt0/cam0

# sound TITLE PCM: play a file to the loudspeaker and record it with the microphone, which a cable joins.
sound() {
	title=$1
	pcm=$2
	arecord -q -D "$pcm" -f dat -t raw /tmp/recorded.raw 2>"$log" &
	recorder=$!
	until grep -q 'mic0 .* running' /sys/kernel/debug/zcdma/virt0/state; do
		kill -0 $recorder 2>/dev/null || die "$title: arecord failed: $(tail -n 3 "$log")"
		sleep 0.05
	done
	aplay -q -D "$pcm" /tmp/played.wav 2>>"$log" || die "$title: aplay failed: $(tail -n 3 "$log")"
	# What is on its way to the file: two periods of arecord's, an eighth of a second each.
	enough=$(($(stat -c %s /tmp/recorded.raw) + 48000))
	until [ "$(stat -c %s /tmp/recorded.raw)" -ge $enough ]; do
		sleep 0.05
	done
	kill -INT $recorder
	wait $recorder || :
	pcm-find /tmp/played.raw /tmp/recorded.raw >>"$log" 2>&1 ||
		die "$title: what was recorded differs: $(tail -n 3 "$log")"
	printf '  %-34s %d frames  bit-exact\n' "$title" $(($(stat -c %s /tmp/played.raw) / 4))
}

echo "Sound, played, recorded, compared:"
sox -n -q -r 48000 -c 2 -b 16 /tmp/played.wav synth 2 sine 100-10000 gain -6
sox /tmp/played.wav -t raw /tmp/played.raw
sound "aplay -D zcdma (the plugin)" zcdma
sound "aplay -D hw:virt0 (the card)" hw:virt0
sox -t raw -r 48000 -c 2 -b 16 -e signed /tmp/recorded.raw -n spectrogram -x 600 -Y 300 \
	-t "What the microphone recorded" -o /mnt/share/sound.png
