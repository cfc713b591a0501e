#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# The structures of uapi/linux/zcdma.h have the same layout for arm64, armhf,
# amd64 and i386 programs, in C and in C++, and it is the one written down here.
# Compiled only, which needs no C library of any of them.
set -u
top=$(cd "$(dirname "$0")/../.." && pwd)
header=$top/uapi/linux/zcdma.h
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
failed=0

# No architecture's own headers: fixed-width types, and ioctl numbers as all
# four of them have them.
mkdir -p "$dir/include/linux"
cat >"$dir/include/linux/types.h" <<'C'
typedef signed int __s32;
typedef unsigned int __u32;
typedef unsigned long long __u64;
typedef signed long long __s64;
typedef __u64 __le64;
C
cat >"$dir/include/linux/ioctl.h" <<'C'
#define _IOC(dir, type, nr, size) \
	((unsigned int)(dir) << 30 | (unsigned int)(size) << 16 | (type) << 8 | (nr))
#define _IO(type, nr) _IOC(0, type, nr, 0)
#define _IOW(type, nr, argument) _IOC(1, type, nr, sizeof(argument))
#define _IOR(type, nr, argument) _IOC(2, type, nr, sizeof(argument))
#define _IOWR(type, nr, argument) _IOC(3, type, nr, sizeof(argument))
C

# Struct, its size, and each field's offset. Only ever added to.
cat >"$dir/layout" <<'LAYOUT'
zcdma_frame 64 sequence 0 trigger_ns 8 exposure_start_ns 16 exposure_end_ns 24 done_ns 32 pcm_position 40 bytesused 48 flags 52 reserved 56
zcdma_stamp 32 magic 0 sequence 8 exposure_start_ns 16 reserved 24
zcdma_device_info 128 abi_version 0 num_channels 4 features 8 pool_size 16 pool_used 24 name 32 driver 64 reserved 96
zcdma_channel_info 96 index 0 kind 4 direction 8 owner 12 max_segments 16 alignment 20 max_transfer 24 name 32 reserved 64
zcdma_buffer_alloc 32 size 0 flags 8 fd_flags 12 fd 16 reserved 20
zcdma_format_desc 88 channel 0 index 4 fourcc 8 min_width 12 max_width 16 step_width 20 min_height 24 max_height 28 step_height 32 reserved0 36 min_interval_ns 40 max_interval_ns 48 reserved 56
zcdma_video_config 32 fourcc 0 width 4 height 8 bytesperline 12 sizeimage 16 reserved 20 interval_ns 24
zcdma_pcm_info 64 channel 0 flags 4 formats 8 min_rate 12 max_rate 16 min_channels 20 max_channels 24 reserved0 28 reserved 32
zcdma_pcm_config 16 format 0 channels 4 rate 8 frame_bytes 12
zcdma_ring_info 32 head 0 tail 4 flags 8 entries 12 num_entries 16 entry_size 20 reserved 24
zcdma_fill 16 index 0 offset 4 length 8 flags 12
zcdma_done 72 index 0 reserved 4 frame 8
zcdma_stream_open 208 channel 0 flags 4 fd_flags 8 num_buffers 12 buffer_size 16 video 24 pcm 56 fd 72 ring_size 76 fill 80 done 112 invalid 144 reserved0 148 buffers_offset 152 buffers_stride 160 features 168 reserved 176
zcdma_stream_buffer 16 index 0 fd_flags 4 fd 8 reserved 12
zcdma_control 64 id 0 reserved0 4 value 8 min 16 max 24 step 32 def 40 reserved 48
zcdma_position 32 bytes 0 time_ns 8 clock 16 reserved 24
zcdma_trigger 64 mode 0 source 4 activation 8 divider 12 delay_ns 16 period_ns 24 reserved 32
zcdma_strobe 64 mode 0 inverted 4 delay_ns 8 duration_ns 16 limit_ns 24 reserved 32
zcdma_strobe_pulse 32 duration_ns 0 reserved 8
zcdma_gpio_state 112 flags 0 reserved0 4 triggers 8 triggers_missed 16 trigger_ns 24 strobes 32 strobes_missed 40 strobes_cut 48 strobe_on_ns 56 strobe_off_ns 64 reserved 72
zcdma_gpio_open 80 fd_flags 0 fd 4 layout 8 reserved0 12 map_size 16 set_offset 24 set_value 28 clear_offset 32 clear_value 36 level_offset 40 level_mask 44 reserved 48
zcdma_pcm_export 64 channel 0 fd_flags 4 fd 8 period_bytes 12 size 16 pcm 24 reserved 40
LAYOUT

{
	echo '#include <linux/zcdma.h>'
	echo '#ifdef __cplusplus'
	echo '#define _Static_assert static_assert'
	echo '#endif'
	awk '{
		printf "_Static_assert(sizeof(struct %s) == %d, \"size of %s\");\n", $1, $2, $1
		printf "_Static_assert(sizeof(struct %s) %% 8 == 0, \"%s is not a multiple of 8\");\n", $1, $1
		for (i = 3; i < NF; i += 2)
			printf "_Static_assert(__builtin_offsetof(struct %s, %s) == %d, \"offset of %s in %s\");\n", \
				$1, $i, $(i + 1), $i, $1
	}' "$dir/layout"
	# Numbers that programs are compiled with.
	cat <<-'C'
	#define IS(name, value) _Static_assert((name) == (value), #name)
	IS(ZCDMA_IOC_DEVICE_INFO, 0x80807a00u);
	IS(ZCDMA_IOC_CHANNEL_INFO, 0xc0607a01u);
	IS(ZCDMA_IOC_BUFFER_ALLOC, 0xc0207a02u);
	IS(ZCDMA_IOC_FORMAT_INFO, 0xc0587a10u); IS(ZCDMA_IOC_STREAM_OPEN, 0xc0d07a11u);
	IS(ZCDMA_IOC_PCM_INFO, 0xc0407a12u); IS(ZCDMA_IOC_PCM_EXPORT, 0xc0407a13u);
	IS(ZCDMA_IOC_STREAM_START, 0x7a20u); IS(ZCDMA_IOC_STREAM_STOP, 0x7a21u);
	IS(ZCDMA_IOC_STREAM_DRAIN, 0x7a22u); IS(ZCDMA_IOC_STREAM_KICK, 0x7a23u);
	IS(ZCDMA_IOC_STREAM_ATTACH, 0x40107a24u); IS(ZCDMA_IOC_STREAM_EXPORT, 0xc0107a25u);
	IS(ZCDMA_IOC_STREAM_CONTROL, 0xc0407a26u); IS(ZCDMA_IOC_STREAM_POSITION, 0x80207a27u);
	IS(ZCDMA_IOC_STREAM_PAUSE, 0x7a28u); IS(ZCDMA_IOC_STREAM_RESUME, 0x7a29u);
	IS(ZCDMA_PCM_S16_LE, 1); IS(ZCDMA_PCM_S24_LE, 2); IS(ZCDMA_PCM_S32_LE, 4);
	IS(ZCDMA_PCM_FLOAT_LE, 8); IS(ZCDMA_PCM_PAUSE, 1); IS(ZCDMA_PCM_RESIDUE, 2);
	IS(ZCDMA_IOC_TRIGGER_GET, 0x80407a30u); IS(ZCDMA_IOC_TRIGGER_SET, 0x40407a31u);
	IS(ZCDMA_IOC_TRIGGER_SOFTWARE, 0x7a32u);
	IS(ZCDMA_IOC_STROBE_GET, 0x80407a33u); IS(ZCDMA_IOC_STROBE_SET, 0x40407a34u);
	IS(ZCDMA_IOC_STROBE_PULSE, 0x40207a35u); IS(ZCDMA_IOC_GPIO_STATE, 0x80707a36u);
	IS(ZCDMA_IOC_GPIO_OPEN, 0xc0507a37u);
	IS(ZCDMA_TRIGGER_OFF, 0); IS(ZCDMA_TRIGGER_ON, 1);
	IS(ZCDMA_TRIGGER_SOFTWARE, 0); IS(ZCDMA_TRIGGER_LINE, 1); IS(ZCDMA_TRIGGER_TIMER, 2);
	IS(ZCDMA_TRIGGER_RISING, 0); IS(ZCDMA_TRIGGER_FALLING, 1); IS(ZCDMA_TRIGGER_BOTH, 2);
	IS(ZCDMA_STROBE_OFF, 0); IS(ZCDMA_STROBE_EXPOSURE, 1); IS(ZCDMA_STROBE_FIXED, 2);
	IS(ZCDMA_GPIO_STROBE_ACTIVE, 1); IS(ZCDMA_GPIO_TRIGGER_ACTIVE, 2);
	IS(ZCDMA_GPIO_STROBE_MAPPED, 4);
	IS(ZCDMA_GPIO_NO_BLOCK, 0); IS(ZCDMA_GPIO_PL061, 1); IS(ZCDMA_GPIO_BCM2835, 2);
	IS(ZCDMA_GPIO_SET_CLEAR, 3);
	IS(ZCDMA_NAME_LEN, 32);
	IS(ZCDMA_BUFFER_SIZE_MAX, 1ull << 30);
	IS(ZCDMA_KIND_VIDEO, 0); IS(ZCDMA_KIND_PCM, 1); IS(ZCDMA_KIND_RAW, 2);
	IS(ZCDMA_CAPTURE, 0); IS(ZCDMA_PLAYBACK, 1);
	IS(ZCDMA_OWNER_NONE, 0); IS(ZCDMA_OWNER_VIDEO, 1);
	IS(ZCDMA_OWNER_PCM, 2); IS(ZCDMA_OWNER_STREAM, 3);
	IS(ZCDMA_BUFFER_CACHED, 1);
	IS(ZCDMA_FRAME_ERROR, 1); IS(ZCDMA_FRAME_LOST, 2); IS(ZCDMA_FRAME_TRIGGER_MISSED, 4);
	IS(ZCDMA_FRAME_TRIGGER_TIME, 8); IS(ZCDMA_FRAME_EXPOSURE_TIME, 16);
	IS(ZCDMA_FRAME_PCM_POSITION, 32);
	IS(ZCDMA_STAMP_MAGIC, 0x706d74736d64637aull);
	IS(ZCDMA_V4L2_EVENT_FRAME, 0x08007a00); IS(ZCDMA_V4L2_CID_STAMPS, 0x00988300);
	IS(ZCDMA_V4L2_CID_TRIGGER_MODE, 0x00988301); IS(ZCDMA_V4L2_CID_TRIGGER_SOURCE, 0x00988302);
	IS(ZCDMA_V4L2_CID_TRIGGER_ACTIVATION, 0x00988303);
	IS(ZCDMA_V4L2_CID_TRIGGER_DIVIDER, 0x00988304);
	IS(ZCDMA_V4L2_CID_TRIGGER_DELAY, 0x00988305); IS(ZCDMA_V4L2_CID_TRIGGER_PERIOD, 0x00988306);
	IS(ZCDMA_V4L2_CID_TRIGGER_SOFTWARE, 0x00988307);
	IS(ZCDMA_V4L2_CID_STROBE_MODE, 0x00988308); IS(ZCDMA_V4L2_CID_STROBE_INVERTED, 0x00988309);
	IS(ZCDMA_V4L2_CID_STROBE_DELAY, 0x0098830a);
	C
} >"$dir/layout.c"

result() {
	if [ "$1" = 0 ]; then
		echo "ok - $2"
	else
		echo "not ok - $2"
		sed 's/^/# /' "$dir/log"
		failed=1
	fi
}

# compile NAME COMPILER...: -Wpadded finds padding that nobody has written down.
compile() {
	name=$1
	shift
	if ! command -v "$1" >/dev/null || ! "$@" -fsyntax-only -x c /dev/null 2>/dev/null; then
		echo "ok - test_uapi_layout_$name # SKIP no compiler: $*"
		return
	fi
	for language in c c++; do
		echo | "$@" -fsyntax-only -x $language - 2>/dev/null || continue
		"$@" -x $language -fsyntax-only -Wall -Wpadded -Werror -nostdinc \
			-I "$dir/include" -I "$top/uapi" "$dir/layout.c" >"$dir/log" 2>&1
		result $? "test_uapi_layout_${name}_$language"
	done
}

host=$(uname -m)
case $host in
x86_64)
	compile amd64 gcc -m64
	compile i386 gcc -m32
	compile arm64 aarch64-linux-gnu-gcc
	;;
*)
	compile amd64 x86_64-linux-gnu-gcc -m64
	compile i386 x86_64-linux-gnu-gcc -m32
	compile arm64 gcc
	;;
esac
compile armhf arm-linux-gnueabihf-gcc

# Nothing in the header may be left out above.
sed -n 's/^struct \([a-z0-9_]*\) {.*/\1/p' "$header" | sort >"$dir/there"
cut -d ' ' -f 1 "$dir/layout" | sort >"$dir/pinned"
diff "$dir/there" "$dir/pinned" >"$dir/log"
result $? test_uapi_layout_covers_every_struct
awk '/^struct [a-z0-9_]* {/ { name = $2; next } /^};/ { name = "" }
	name && /;/ { sub(/(\[.*)?;.*/, ""); print name, $NF }' "$header" | sort >"$dir/there"
awk '{ for (i = 3; i < NF; i += 2) print $1, $i }' "$dir/layout" | sort >"$dir/pinned"
diff "$dir/there" "$dir/pinned" >"$dir/log"
result $? test_uapi_layout_covers_every_field

exit $failed
