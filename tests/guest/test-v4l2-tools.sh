#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The tools that people use: v4l2-ctl streaming in every way, media-ctl.
# timeout: 120
cam=/dev/zcdma/virt0/cam0
out=/dev/zcdma/virt0/out0
log=/tmp/v4l2-tools.log

# shellcheck source=tests/guest/libcheck.sh
. "${0%/*}/libcheck.sh"

# media NODE: the media device has one entity with one pad, and it is this node.
media() {
	node=$(readlink -f "$1")
	# shellcheck disable=SC2012 # names made by the kernel
	media=$(ls -d "/sys/class/video4linux/${node##*/}/device/media"*)
	media-ctl -d "/dev/${media##*/}" -p | tee "$log.media"
	[ "${PIPESTATUS[0]}" = 0 ] && [ "$(grep -c '^- entity' "$log.media")" = 1 ] &&
		grep -q "device node name $node\$" "$log.media"
}

# stream COUNT ARGS...: at least that many frames, each larger in number than the one before, no error flag.
stream() {
	count=$1
	shift
	v4l2-ctl --stream-count=20 "$@" --verbose >"$log.raw" 2>&1 || {
		cat "$log.raw"
		return 1
	}
	awk -v count="$count" '
		/dqbuf:.*seq:/ {
			if (/error/) bad = $0
			sub(/.*seq: */, "")
			if ($1 + 0 <= last && frames) bad = "sequence " $1 " after " last
			last = $1 + 0
			frames++
		}
		END {
			if (bad) print bad
			if (frames < count) print frames " frames, not " count
			exit bad != "" || frames < count
		}' "$log.raw" || { tail -n 5 "$log.raw"; return 1; }
}

# saves ARGS...: three frames in a file, each with its stamps.
saves() {
	rm -f /tmp/frames
	v4l2-ctl -d $cam --set-fmt-video=width=64,height=64,pixelformat=GREY --set-ctrl="$stamps"=1 &&
		v4l2-ctl -d $cam "$@" --stream-count=3 --stream-to=/tmp/frames &&
		[ "$(stat -c %s /tmp/frames)" = $((3 * 4096)) ] &&
		[ "$(head -c 8 /tmp/frames)" = zcdmstmp ] &&
		[ "$(tail -c 32 /tmp/frames | head -c 8)" = zcdmstmp ]
}

# reads: the same with cat.
reads() {
	rm -f /tmp/frames
	head -c $((3 * 4096)) $cam >/tmp/frames &&
		[ "$(head -c 8 /tmp/frames)" = zcdmstmp ] &&
		[ "$(tail -c 32 /tmp/frames | head -c 8)" = zcdmstmp ]
}

stamps=$(v4l2-ctl -d $cam --list-ctrls | sed -n 's/^ *\([a-z_]*stamps\) .*/\1/p')
null=$(v4l2-ctl -d $cam --list-ctrls-menus | sed -n 's/^[[:space:]]*\([0-9]*\): Null$/\1/p')
v4l2-ctl -d $cam --set-fmt-video=width=640,height=480,pixelformat=YUYV --set-parm=50 >/dev/null
v4l2-ctl -d $out --set-fmt-video-out=width=640,height=480,pixelformat=YUYV --set-output-parm=50 >/dev/null

check test_media_ctl_prints_the_capture_node media $cam
check test_media_ctl_prints_the_output_node media $out
check test_v4l2_ctl_streams_mmap stream 20 -d $cam --stream-mmap
check test_v4l2_ctl_polls stream 20 -d $cam --stream-mmap --stream-poll
# It ends with the last frame queued; up to four are still on their way.
check test_v4l2_ctl_streams_out stream 16 -d $out --stream-out-mmap
check test_v4l2_ctl_passes_dmabufs stream 20 -d $cam --stream-mmap --stream-out-dmabuf -e $out
check test_v4l2_ctl_saves_frames saves --stream-mmap
check test_cat_reads_frames reads

# shows VALUE: of the test pattern.
shows() {
	v4l2-ctl -d $cam -C test_pattern | tee "$log.shows"
	grep -q "^test_pattern: $1 " "$log.shows"
}
follows() {
	zcdma capture virt0/cam0 --pattern 5 --count 1 --output /dev/null && shows 5 &&
		v4l2-ctl -d $cam --set-ctrl=test_pattern=0 && shows 0 &&
		zcdma capture virt0/cam0 --pattern 5 --count 1 --output /dev/null && shows 5 &&
		modprobe -r zcdma-video && modprobe zcdma-video && udevadm settle && shows 5 &&
		v4l2-ctl -d $cam --set-ctrl=test_pattern=0 && shows 0
}
check test_controls_show_what_others_have_set follows
v4l2-ctl -d $cam --set-fmt-video=width=640,height=480,pixelformat=YUYV --set-parm=50 >/dev/null
v4l2-ctl -d $out --set-fmt-video-out=width=640,height=480,pixelformat=YUYV --set-output-parm=50 >/dev/null

# The null pattern for most: this machine draws slowly.
v4l2-ctl -d $cam --set-ctrl="$stamps"=0,test_pattern="$null"
check test_v4l2_ctl_streams_60_frames_of_3840x2160 stream 60 -d $cam --stream-count=60 \
	--set-fmt-video=width=3840,height=2160,pixelformat=NV12 --stream-mmap
v4l2-ctl -d $cam --set-ctrl=test_pattern=0
check test_v4l2_ctl_streams_pictures_of_3840x2160 stream 3 -d $cam --stream-count=3 --stream-mmap
v4l2-ctl -d $cam --set-fmt-video=width=640,height=480,pixelformat=YUYV
