#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# zcdma(1): each subcommand, what it prints and saves, and how it fails.
# timeout: 180
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp" || exit 1
failed=0

# check NAME STATUS COMMAND...: also leaves what it said in out and err.
check() {
	name=$1 wanted=$2
	shift 2
	"$@" >out 2>err
	status=$?
	if [ $status = "$wanted" ]; then
		echo "ok - $name"
		return 0
	fi
	echo "# status $status, not $wanted"
	sed 's/^/# /' out err
	echo "not ok - $name"
	failed=1
	return 1
}

# says NAME FILE PATTERN
says() {
	if grep -Eq -- "$3" "$2"; then
		echo "ok - $1"
	else
		sed 's/^/# /' "$2"
		echo "not ok - $1"
		failed=1
	fi
}

# is NAME WANTED GOT
is() {
	if [ "$2" = "$3" ]; then
		echo "ok - $1"
	else
		echo "# $3, not $2"
		echo "not ok - $1"
		failed=1
	fi
}

# wait_for COMMAND...: until it succeeds.
wait_for() {
	n=0
	until "$@"; do
		n=$((n + 1))
		if [ $n = 600 ]; then
			echo "not ok - waited 60 s for: $*"
			failed=1
			return 1
		fi
		sleep 0.1
	done
}

# Width and height in a PNG file's header, if it is one.
png_size() {
	[ "$(head -c 8 "$1" | od -An -tx1 | tr -d ' ')" = 89504e470d0a1a0a ] &&
		od -An -tu1 -j16 -N8 "$1" | awk '{ print $3 * 256 + $4 "x" $7 * 256 + $8 }'
}

# What the middle of a PNG file's first line is cannot be seen without a decoder; its size can: a
# picture of nothing is much smaller than one of colour bars with text.
check info 0 zcdma info
says info_names_devices out "^virt0 +$(readlink -f /dev/zcdma/virt0/device) "
says info_names_channels out '^  cam0 +video capture +free'
says info_tells_of_sound out '8000 to 192000 Hz, 1 to 8 channels: S16_LE S24_LE S32_LE FLOAT_LE$'
check info_json 0 zcdma info --json
is info_json_is_balanced "$(tr -dc '[{' <out | wc -c)" "$(tr -dc ']}' <out | wc -c)"
says info_json_tells_of_sound out '"sample_formats": \["S16_LE", .*"rate": \[8000, 192000\], "channels": \[1, 8\]'
says info_json_names_formats out '"formats": \["YUYV"'
says info_tells_of_strobe_and_trigger out '"strobe": true, "trigger": \["software", "timer", "line"\]'
says info_tells_of_neither_line out '"strobe": false, "trigger": \["software", "timer"\]'
check info_of_one_device 0 zcdma info virt1
says info_of_one_device_only out '^virt1'
check info_of_none 1 zcdma info nosuch

for format in YUYV UYVY NV12 RGB3 XR24 GREY RGGB RG10; do
	check "capture_png_$format" 0 zcdma capture -q -s 322x178 -f $format -o $format.png virt0/cam0
	is "png_size_$format" 322x178 "$(png_size $format.png)"
done
check capture_series 0 zcdma capture -n 3 -s 64x48 -o 'f-%02d.png' virt0/cam0
is series_has_three "f-00.png f-01.png f-02.png" "$(echo f-*.png)"
check capture_raw 0 zcdma capture -q -n 4 -s 64x48 -f GREY -o raw virt1/cam0
is raw_size $((4 * 64 * 48)) "$(stat -c %s raw)"
check capture_to_stdout 0 zcdma capture -q -n 2 --bytes 4096 -o - virt0/raw-in
is counter_words 0000002047 "$(printf '%010d' "$(od -An -v -tu4 -w4 out | tail -n 1)")"
check capture_counts_only 0 zcdma capture -n 20 --stamps virt0/cam0
# Stamps end with the capture, however that ends.
zcdma capture -q -n 1000 -s 64x48 --stamps -o - virt0/cam0 2>err | head -c 100 >/dev/null
says capture_without_a_reader err 'cannot write -: Broken pipe'
is stamps_are_off_again 'frame_stamps: 0' "$(v4l2-ctl -d /dev/zcdma/virt0/cam0 --get-ctrl=frame_stamps)"
check stamps_are_for_capture 2 zcdma timeline --stamps virt0/cam0
check capture_counts_again 0 zcdma capture -n 20 --stamps virt0/cam0
says capture_reports err '20 frames, [0-9.]+ frames/s, [0-9]+ lost, 0 failed'
check capture_v4l2_node 0 zcdma capture -q -s 320x180 -o node.png /dev/zcdma/virt0/cam0
is node_png_size 320x180 "$(png_size node.png)"

# Of a frame that failed there is no picture; where there is no other, that is a failure.
faults=/sys/kernel/debug/zcdma/virt0/cam0/fault
echo 1 >$faults/error
check capture_that_fails_once 0 zcdma capture -n 3 -s 64x48 -o 'e-%d.png' virt0/cam0
says capture_counts_failures err '3 frames.* 1 failed$'
is good_frames_are_saved 'e-1.png e-2.png' "$(echo e-*.png)"
echo 1 >$faults/error
check capture_that_fails 1 zcdma capture -q -s 64x48 -o failed.png virt0/cam0
says capture_says_that_the_hardware_failed err 'the hardware failed'
is failed_frame_is_not_saved absent "$([ -e failed.png ] || echo absent)"

head -c 100000 /dev/urandom >bytes
check play_file 0 zcdma play -q --bytes 4096 virt0/raw-out bytes
is played_bytes 100000 "$(cat /sys/kernel/debug/zcdma/virt0/raw-out/sink/bytes)"
check play_frames 0 sh -c 'head -c 614400 /dev/zero | zcdma play -q -s 320x240 -f YUYV virt0/out0'
check play_sound 0 zcdma play -q -f S24_LE -c 5 -r 44100 virt0/spk0 bytes
is played_sound 100000 "$(cat /sys/kernel/debug/zcdma/virt0/spk0/sink/bytes)"
# One that failed is told of, even if no buffer comes after it.
sinks=/sys/kernel/debug/zcdma/virt0
head -c 8192 bytes >short
echo 1 >$sinks/raw-out/fault/error
check play_that_fails 1 zcdma play --bytes 4096 virt0/raw-out short
says play_says_that_the_hardware_failed err 'the hardware failed .* 8192 bytes'
head -c 2 bytes >>short
check play_with_a_rest 0 zcdma play --bytes 4096 virt0/raw-out short
says play_says_what_is_left err 'last 2 bytes of short .* multiples of 4'
# Ctrl-C while the program waits for input, and while it waits for the hardware: what it says was
# played is what arrived.
mkfifo pipe
zcdma play --bytes 4096 virt0/raw-out <pipe 2>err &
exec 3>pipe
head -c 18432 bytes >&3
until [ "$(cat $sinks/raw-out/sink/bytes)" = 16384 ] && grep -q '^State:.S' /proc/$!/status; do sleep 0.1; done
kill -INT $! && wait $!
is interrupted_input_ends_well 0 $?
exec 3>&-
is interrupted_input_is_played "$(cat $sinks/raw-out/sink/bytes) bytes" "$(cat err)"
zcdma play --bytes 96000 virt0/spk0 /dev/zero 2>err &
until grep -q 'spk0 .* running' $sinks/state && grep -q '^State:.S' /proc/$!/status; do sleep 0.1; done
kill -INT $! && wait $!
is interrupted_play_ends_well 0 $?
is interrupted_play_is_played "$(cat $sinks/spk0/sink/bytes) bytes" "$(cat err)"
check capture_sound 0 zcdma capture -q -n 5 -f FLOAT_LE -c 8 -r 192000 -o sound virt0/mic0
is sound_is_10_ms_each $((5 * 1920 * 8 * 4)) "$(stat -c %s sound)"
check monitor 0 zcdma monitor -n 2 -r 50 virt0/cam0
is monitor_lines 3 "$(wc -l <out)"
check timeline 0 zcdma timeline -n 5 -o frames.svg virt0/cam0
is timeline_has_each_exposure 5 "$(grep -c '#1d4ed8.*<title>frame ' frames.svg)"

# The pin, from outside: line 5 of QEMU's PL061.
pin() {
	[ $(($(host readreg 0x090303fc) & 0x20)) = 0 ] && echo low || echo high
}

# What `zcdma strobe` or `zcdma trigger` shows of one setting.
shown() {
	zcdma "$1" virt0 | sed -n "s/^  $2 *//p"
}

check strobe 0 zcdma strobe virt0
is strobe_names_the_device 'virt0  strobe' "$(head -n 1 out)"
is strobe_is_off off "$(shown strobe mode)"
is strobe_has_a_limit '5 s' "$(shown strobe limit)"
check strobe_pulse 0 zcdma strobe --pulse 5s virt0
is pulse_is_seen_outside high "$(pin)"
is pulse_is_shown 'active, written straight to its register' "$(shown strobe line)"
check strobe_busy 1 zcdma strobe --pulse 1ms virt0
says strobe_busy_has_a_remedy err '--pulse 0s'
check strobe_pulse_ends 0 zcdma strobe --pulse 0s virt0
is end_is_seen_outside low "$(pin)"
check strobe_inverted 0 zcdma strobe -i yes virt0/cam0
is inverted_is_seen_outside high "$(pin)"
check strobe_not_inverted 0 zcdma strobe -i no virt0
is not_inverted_is_seen_outside low "$(pin)"
check strobe_set 0 zcdma strobe -m fixed -d 1.5ms -t 250us virt0
is strobe_mode fixed "$(shown strobe mode)"
is strobe_delay '1.5 ms' "$(shown strobe delay)"
is strobe_duration '250 us, in mode fixed' "$(shown strobe duration)"
check strobe_of_exposure 0 zcdma strobe -m exposure -d 0s -t 1ms virt0
check trigger_set 0 zcdma trigger -m on -s timer -t 50ms virt0
is trigger_period '50 ms, of the timer' "$(shown trigger period)"
check triggered_timeline 0 zcdma timeline -n 5 -o triggered.svg virt0/cam0
check triggered_node_timeline 0 zcdma timeline -n 5 -o node.svg /dev/zcdma/virt0/cam0
says node_timeline_has_strobes node.svg '<title>strobe: '
check strobe_off 0 zcdma strobe -m off virt0
check trigger_set_all 0 zcdma trigger -s line -a falling -v 3 -d 2us -t 100ms virt0
is trigger_source line "$(shown trigger source)"
is trigger_activation 'falling, of the line' "$(shown trigger activation)"
is trigger_divider 3 "$(shown trigger divider)"
is trigger_delay '2 us' "$(shown trigger delay)"
# A line for each pulse of the line, from outside.
zcdma trigger -a rising -v 1 -d 0s --watch --count 2 virt0 >watched &
wait_for [ -s watched ]
before=$(shown trigger triggers | sed 's/,.*//')
watched() {
	[ "$(wc -l <watched)" = "$1" ]
}
host pulse
wait_for watched 2
host pulse
wait $!
is watch_ends_well 0 $?
is watch_counts_pulses "$((before + 1)) $((before + 2)) " "$(awk 'NR > 1 { printf "%d ", $1 }' watched)"
zcdma trigger --watch virt0 >interrupted &
until [ -s interrupted ]; do sleep 0.1; done
kill -INT $! && wait $!
is interrupted_watch_ends_well 0 $?
check fire_needs_its_source 1 zcdma trigger --fire virt0
says fire_names_the_source err '--source software'
check fire_needs_a_channel_that_runs 1 zcdma trigger -s software --fire virt0
says fire_says_that_nobody_captures err 'nobody captures'
zcdma capture -q -n 1 -s 64x48 -o fired.png virt0/cam0 &
fired() {
	zcdma trigger --fire virt0 2>err || ! grep -q 'nobody captures' err
}
wait_for fired
wait $!
is fired_frame_is_captured 0 $?
check trigger_off 0 zcdma trigger -m off virt0
check no_strobe 1 zcdma strobe virt1
says no_strobe_has_a_remedy err 'strobe-gpios'
check no_trigger_line 1 zcdma trigger -s line virt1
says no_trigger_line_has_a_remedy err 'trigger-gpios'
check pulse_beyond_the_limit 1 zcdma strobe -p 6s virt0
says limit_is_named err '5 s long \(zcdma,strobe-max-us'
check no_such_device 1 zcdma trigger nosuch
check bad_mode 2 zcdma strobe -m nosuch virt0
says bad_mode_lists_modes err 'off, exposure or fixed'
check time_without_unit 2 zcdma strobe -d 100 virt0
check time_too_long 2 zcdma trigger -d 1001ms virt0
check time_negative 2 zcdma trigger -d -1ms virt0
check divider_0 2 zcdma trigger -v 0 virt0
check count_without_watch 2 zcdma trigger -n 3 virt0
check two_devices 2 zcdma strobe virt0 virt1
is nothing_has_changed off "$(shown strobe mode)"
is timeline_has_each_trigger 5 "$(grep -c '<path ' triggered.svg)"
says timeline_has_strobes triggered.svg '<title>strobe: '
check doctor 0 zcdma doctor
says doctor_is_content out '^0 problems'
# A user who may not, and what helps him: the group, if that may.
nobody() {
	setpriv --reuid 65534 --regid 65534 --clear-groups -- "$@"
}
check doctor_of_no_member 1 nobody zcdma doctor
says doctor_names_the_group out '/dev/zcdma0 \(group video, mode 660\) cannot be opened'
says doctor_names_the_group_to_join out 'usermod -aG video USER'
check no_member 1 nobody zcdma capture virt0/cam0
says no_member_has_a_remedy err 'zcdma doctor'
chown root:root /dev/zcdma[0-9]* && chmod 600 /dev/zcdma[0-9]*
check doctor_without_rule 1 nobody zcdma doctor
says doctor_names_the_rule out 'install tools/60-zcdma.rules'
is doctor_without_rule_names_no_group_to_join 0 "$(grep -c usermod out)"
# One that must not be opened does not hide the others.
chmod 666 "$(realpath /dev/zcdma/virt1/device)"
check info_of_some 1 nobody zcdma info
says info_of_some_shows_them out '^virt1'
says info_of_some_names_the_other err 'cannot open /dev/zcdma[0-9]+: Permission denied'
check json_of_some 1 nobody zcdma info --json
is json_of_some_is_whole '[ ]' "$(head -n 1 out) $(tail -n 1 out)"
chown root:video /dev/zcdma[0-9]* && chmod 660 /dev/zcdma[0-9]*
# Somebody traces, and goes on doing so.
trace=/sys/kernel/tracing
echo 'not of zcdma flow' >$trace/trace_marker
echo 1 >$trace/events/zcdma/zcdma_xfer_start/enable
check flow 0 zcdma flow virt0
says flow_names_the_pool out 'memory-region +/reserved-memory/zcdma-pool'
says flow_shows_the_trace out 'zcdma_buf_alloc'
says flow_gives_back out 'zcdma_buf_free'
check flow_without_memory 1 zcdma flow --size 1073741824 virt0
says flow_leaves_the_trace $trace/trace 'not of zcdma flow'
is flow_leaves_events_on 1 "$(cat $trace/events/zcdma/zcdma_xfer_start/enable)"
echo 0 >$trace/events/zcdma/zcdma_xfer_start/enable
is flow_leaves_nothing_behind '0 ' "$(cat $trace/events/zcdma/enable) $(ls $trace/instances)"
check flow_of_system_memory 0 zcdma flow virt1
says flow_names_the_page out 'physical address 0x'

# Failure and wrong usage.
check no_subcommand 2 zcdma
check unknown_subcommand 2 zcdma nosuch
check unknown_option 2 zcdma capture --nosuch
check bad_number 2 zcdma capture -n 0
check bad_size 2 zcdma capture -s 640
check two_conversions 2 zcdma capture -o '%d%d.raw' virt0/cam0
check many_frames_one_png 2 zcdma capture -n 2 -o x.png virt0/cam0
check pixels_of_sound 2 zcdma play -f YUYV virt0/spk0 bytes
check samples_of_pictures 2 zcdma capture -f S16_LE virt0/cam0
check sound_it_has_not 1 zcdma capture -c 9 virt0/mic0
check no_channel_to_play_to 2 zcdma play
check png_of_raw_data 1 zcdma capture -o x.png virt0/raw-in
check unwritable 1 zcdma capture -o /nosuch/x.png virt0/cam0
check wrong_direction 1 zcdma capture virt0/raw-out
says wrong_direction_has_a_remedy err 'use zcdma play'
check no_such_pattern 1 zcdma capture --pattern 99 virt0/cam0
says no_such_pattern_has_a_remedy err 'no --pattern 99: leave it out'
zcdma trigger -m on -s software virt0 >/dev/null
zcdma capture -q virt0/cam0 2>err &
# In poll(), for the first frame.
wait_for grep -q '^73 ' /proc/$!/syscall
kill -INT $! && wait $!
is interrupted_capture_fails 1 $?
says interrupted_capture_says_so err 'interrupted before the first frame'
zcdma trigger -m off virt0 >/dev/null
check unknown_channel 1 zcdma capture virt0/nosuch
says unknown_channel_has_a_remedy err 'zcdma info'
check nothing_to_play 1 zcdma play -q virt0/raw-out /dev/null
says nothing_to_play_says_why err 'nothing was played'
channel=$(dirname "$(grep -lx virt0/cam0 /sys/class/zcdma-channel/*/path)")
v4l2-ctl -d /dev/zcdma/virt0/cam0 --stream-mmap >/dev/null 2>&1 &
wait_for grep -q video "$channel/owner"
check busy 1 zcdma capture virt0/cam0
says busy_has_a_remedy err 'Device or resource busy: somebody else has it'
kill $! && wait $! 2>/dev/null
exit $failed
