// SPDX-License-Identifier: GPL-2.0-only
/*
 * test-alsa - the sound card of virt0 as alsa-lib's hw: shows it
 *
 * What the tools do not reach: mmap to the sample, the pointer inside of a period, timestamps,
 * pause, drain, xruns, who owns the channel, the ring as a dma-buf, and the card going away under
 * whatever a program can be doing with it. In a guest whose time is its instructions, so that a
 * busy host is no xrun.
 *
 * vm: --smp 1 --qemu '-icount shift=0,sleep=off'
 * timeout: 180
 */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <alsa/asoundlib.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "zcs.h"

#define ARRAY_SIZE(x)	(sizeof(x) / sizeof((x)[0]))
#define CARD		"hw:virt0"
#define DRIVER		"/sys/bus/platform/drivers/zcdma-virt/"
#define BOARD		"dma-board-0"
#define SECOND		1000000000LL

static int dev;
static uint64_t used_before;
/* What tests have open, so that one that fails leaves nothing to the next. */
static snd_pcm_t *opened[4];
/* Another program that plays. */
static pid_t player;

/* Its status. */
static int end_player(int signal)
{
	int status = 0;

	kill(player, signal);
	waitpid(player, &status, 0);
	player = 0;
	return status;
}

static int setup(void **state)
{
	dev = zct_open("virt0");
	used_before = zct_used(dev);
	return dev < 0 ? -1 : 0;
}

/* No test may leave a channel taken or memory allocated. */
static int teardown(void **state)
{
	int bad;

	for (size_t i = 0; i < ARRAY_SIZE(opened); i++)
		if (opened[i])
			snd_pcm_close(opened[i]);
	memset(opened, 0, sizeof(opened));
	if (player)
		end_player(SIGKILL);
	bad = zct_used(dev) != used_before || zcs_owner(dev, "mic0") != ZCDMA_OWNER_NONE ||
		  zcs_owner(dev, "spk0") != ZCDMA_OWNER_NONE;

	close(dev);
	return bad ? -1 : 0;
}

#define CHECK(call) \
	do { \
		long check_ret = (call); \
		if (check_ret < 0) \
			fail_msg("%s: %s", #call, snd_strerror(check_ret)); \
	} while (0)

/**
 * struct how - how to set a PCM up
 * @format: samples
 * @channels: of sound
 * @rate: frames per second
 * @period: frames
 * @periods: of the ring
 * @mmap: access by mmap
 * @no_wakeup: no interrupt for a period
 * @start: frames from which on it starts by itself; 0: never
 */
struct how {
	snd_pcm_format_t format;
	unsigned int channels;
	unsigned int rate;
	snd_pcm_uframes_t period;
	unsigned int periods;
	bool mmap;
	bool no_wakeup;
	snd_pcm_uframes_t start;
};

#define HOW(samples, num, frames, frames_of_a_period, num_periods) \
	.format = SND_PCM_FORMAT_##samples, .channels = num, .rate = frames, \
	.period = frames_of_a_period, .periods = num_periods

static int set_up(snd_pcm_t *pcm, const struct how *how)
{
	snd_pcm_hw_params_t *hw;
	snd_pcm_sw_params_t *sw;
	snd_pcm_uframes_t boundary;
	int ret;

	/* Without interrupts alsa-lib lets nobody wait for one. */
	CHECK(snd_pcm_nonblock(pcm, how->no_wakeup));
	snd_pcm_hw_params_alloca(&hw);
	snd_pcm_sw_params_alloca(&sw);
	CHECK(snd_pcm_hw_params_any(pcm, hw));
	if (how->no_wakeup)
		CHECK(snd_pcm_hw_params_set_period_wakeup(pcm, hw, 0));
	CHECK(snd_pcm_hw_params_set_access(pcm, hw, how->mmap ? SND_PCM_ACCESS_MMAP_INTERLEAVED :
					   SND_PCM_ACCESS_RW_INTERLEAVED));
	CHECK(snd_pcm_hw_params_set_format(pcm, hw, how->format));
	CHECK(snd_pcm_hw_params_set_channels(pcm, hw, how->channels));
	CHECK(snd_pcm_hw_params_set_rate(pcm, hw, how->rate, 0));
	CHECK(snd_pcm_hw_params_set_period_size(pcm, hw, how->period, 0));
	CHECK(snd_pcm_hw_params_set_periods(pcm, hw, how->periods, 0));
	ret = snd_pcm_hw_params(pcm, hw);
	if (ret < 0)
		return ret;
	CHECK(snd_pcm_sw_params_current(pcm, sw));
	CHECK(snd_pcm_sw_params_get_boundary(sw, &boundary));
	CHECK(snd_pcm_sw_params_set_start_threshold(pcm, sw, how->start ?: boundary));
	CHECK(snd_pcm_sw_params_set_avail_min(pcm, sw, how->period));
	CHECK(snd_pcm_sw_params_set_tstamp_mode(pcm, sw, SND_PCM_TSTAMP_ENABLE));
	CHECK(snd_pcm_sw_params_set_tstamp_type(pcm, sw, SND_PCM_TSTAMP_TYPE_MONOTONIC));
	return snd_pcm_sw_params(pcm, sw);
}

/* Not set up. */
static snd_pcm_t *open_only(snd_pcm_stream_t direction)
{
	size_t i = 0;

	while (opened[i])
		i++;
	CHECK(snd_pcm_open(&opened[i], CARD, direction, 0));
	return opened[i];
}

static snd_pcm_t *open_pcm(snd_pcm_stream_t direction, const struct how *how)
{
	snd_pcm_t *pcm = open_only(direction);

	CHECK(set_up(pcm, how));
	return pcm;
}

static void close_pcm(snd_pcm_t *pcm)
{
	for (size_t i = 0; i < ARRAY_SIZE(opened); i++)
		if (opened[i] == pcm)
			opened[i] = NULL;
	snd_pcm_close(pcm);
}

static const struct how usual = { HOW(S16_LE, 2, 48000, 480, 4) };

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * SECOND + t.tv_nsec;
}

static int64_t to_ns(snd_htimestamp_t t)
{
	return t.tv_sec * SECOND + t.tv_nsec;
}

static void sleep_ms(unsigned int ms)
{
	/* Of the guest's own time: what passes is what the test is about. */
	struct timespec t = { ms / 1000, ms % 1000 * 1000000L };

	while (nanosleep(&t, &t))
		;
}

/* Wait until whoever plays is in a state: "RUNNING". */
static void wait_for_state(const char *wanted)
{
	char state[16] = "";

	for (unsigned int ms = 0; ms < ZCS_DEADLINE_MS; ms++) {
		FILE *f = fopen("/proc/asound/virt0/pcm0p/sub0/status", "r");

		if (f && fscanf(f, "state: %15s", state) == 1 && !strcmp(state, wanted)) {
			fclose(f);
			return;
		}
		if (f)
			fclose(f);
		sleep_ms(1);
	}
	fail_msg("the PCM is %s, not %s", state, wanted);
}

/* ---- Ownership ---- */

static void test_hw_params_takes_the_channel(void **state)
{
	struct zcdma_stream_open arg = {
		.channel = zcs_channel(dev, "spk0"), .num_buffers = 2, .buffer_size = 4096,
	};
	snd_pcm_t *pcm = open_only(SND_PCM_STREAM_PLAYBACK);

	assert_int_equal(zcs_owner(dev, "spk0"), ZCDMA_OWNER_NONE);
	CHECK(set_up(pcm, &usual));
	assert_int_equal(zcs_owner(dev, "spk0"), ZCDMA_OWNER_PCM);
	assert_int_equal(zcs_owner(dev, "mic0"), ZCDMA_OWNER_NONE);
	assert_int_equal(zct_ioctl(dev, ZCDMA_IOC_STREAM_OPEN, &arg), -EBUSY);
	CHECK(set_up(pcm, &usual));
	CHECK(snd_pcm_hw_free(pcm));
	assert_int_equal(zcs_owner(dev, "spk0"), ZCDMA_OWNER_NONE);
	CHECK(set_up(pcm, &usual));
	close_pcm(pcm);
}

static void test_hw_params_of_a_taken_channel_is_busy(void **state)
{
	struct zcs s;
	snd_pcm_t *pcm;

	zcs_open(&s, dev, "spk0", 2, 4096, 0);
	pcm = open_only(SND_PCM_STREAM_PLAYBACK);
	assert_int_equal(set_up(pcm, &usual), -EBUSY);
	zcs_close(&s);
	CHECK(set_up(pcm, &usual));
	close_pcm(pcm);
}

/* ---- Limits ---- */

static void test_periods_from_a_millisecond_to_a_second(void **state)
{
	static const struct how good[] = {
		{ HOW(S16_LE, 1, 8000, 8, 2) },
		{ HOW(S16_LE, 1, 8000, 8000, 16) },
		{ HOW(FLOAT_LE, 8, 192000, 192, 1024 / 2) },
		{ HOW(S32_LE, 8, 192000, 192000, 2) },
		{ HOW(S24_LE, 3, 44100, 45, 7) },
	};
	static const struct {
		snd_pcm_uframes_t size;
		int dir;
	} bad[] = { { 47, 0 }, { 48001, 0 } };
	snd_pcm_hw_params_t *hw;
	snd_pcm_t *pcm = open_only(SND_PCM_STREAM_CAPTURE);

	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		struct how how = good[i];

		/* Where calls take long, a few milliseconds are over before anybody has looked. */
		if (zct_is_debug_kernel() && how.period <= how.rate / 900)
			how.periods = 64;
		CHECK(set_up(pcm, &how));
		CHECK(snd_pcm_start(pcm));
		CHECK(snd_pcm_wait(pcm, 5000));
		CHECK(snd_pcm_drop(pcm));
	}
	snd_pcm_hw_params_alloca(&hw);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		CHECK(snd_pcm_hw_params_any(pcm, hw));
		CHECK(snd_pcm_hw_params_set_rate(pcm, hw, 48000, 0));
		assert_true(snd_pcm_hw_params_set_period_size(pcm, hw, bad[i].size, bad[i].dir) < 0);
	}
	close_pcm(pcm);
}

/* ---- mmap and the pointer ---- */

/* Frame @n of what the tests play: all frames of a test differ. */
static uint32_t frame(uint32_t n)
{
	return (n + 1) * 0x9e3779b1U;
}

/* Write or check @num frames from number @at on, straight in the ring. */
static void each_frame(snd_pcm_t *pcm, uint32_t at, snd_pcm_uframes_t num,
		       bool (*what)(uint32_t *frame, uint32_t n))
{
	while (num) {
		const snd_pcm_channel_area_t *areas;
		snd_pcm_uframes_t offset, part = num;
		uint32_t *frames;

		CHECK(snd_pcm_mmap_begin(pcm, &areas, &offset, &part));
		assert_int_equal(areas[0].step, 32);
		frames = (uint32_t *)areas[0].addr + offset;
		for (snd_pcm_uframes_t i = 0; i < part; i++)
			if (!what(&frames[i], at + i))
				fail_msg("frame %u is wrong", at + (uint32_t)i);
		assert_int_equal(snd_pcm_mmap_commit(pcm, offset, part), part);
		at += part;
		num -= part;
	}
}

static bool put_frame(uint32_t *at, uint32_t n)
{
	*at = frame(n);
	return true;
}

static uint32_t silent, heard;

static bool hear_frame(uint32_t *at, uint32_t n)
{
	if (!*at && !heard) {
		silent++;
		return true;
	}
	return *at == frame(heard++);
}

static void loop(snd_pcm_uframes_t period, unsigned int periods, unsigned int total)
{
	struct how how = { HOW(S16_LE, 2, 48000, period, periods), .mmap = true };
	uint32_t written = period * periods, read = 0;
	snd_pcm_t *out, *in;

	silent = 0;
	heard = 0;
	out = open_pcm(SND_PCM_STREAM_PLAYBACK, &how);
	in = open_pcm(SND_PCM_STREAM_CAPTURE, &how);
	each_frame(out, 0, written, put_frame);
	CHECK(snd_pcm_start(in));
	CHECK(snd_pcm_start(out));
	while (heard < total) {
		snd_pcm_sframes_t avail;

		CHECK(snd_pcm_wait(in, 5000));
		avail = snd_pcm_avail_update(in);
		CHECK(avail);
		each_frame(in, read, avail, hear_frame);
		read += avail;
		avail = snd_pcm_avail_update(out);
		CHECK(avail);
		each_frame(out, written, avail, put_frame);
		written += avail;
	}
	/* Both were started in one breath, so there was next to nothing to hear before. */
	assert_true(silent < 480);
	close_pcm(out);
	close_pcm(in);
}

static void test_mmap_loopback_is_exact(void **state)
{
	loop(480, 4, 48000);
	loop(48, 4, 4800);
	loop(12000, 3, 36000);
	loop(777, 7, 20000);
}

/* Two answers inside of one long period: frames moved and time passed fit to the frame. */
static void check_pointer(bool no_wakeup)
{
	struct how how = { HOW(S32_LE, 2, 44100, 44100, 2), .no_wakeup = no_wakeup };
	/* Frames from the trigger's time to the start of the clock: more where time is instructions. */
	int64_t slack = zct_is_debug_kernel() ? 64 : 4;
	snd_pcm_status_t *status;
	snd_htimestamp_t t;
	int64_t first = 0;
	uint64_t start = 0;
	snd_pcm_t *in = open_pcm(SND_PCM_STREAM_CAPTURE, &how);

	snd_pcm_status_alloca(&status);
	CHECK(snd_pcm_start(in));
	for (unsigned int i = 0; i < 50; i++) {
		int64_t ns, frames;

		sleep_ms(17);
		CHECK(snd_pcm_status(in, status));
		snd_pcm_status_get_htstamp(status, &t);
		frames = snd_pcm_status_get_avail(status);
		if (!i) {
			first = to_ns(t);
			start = frames;
			assert_true(now_ns() - first < SECOND / 100);
			/* The trigger's own time, on the same clock. */
			snd_pcm_status_get_trigger_htstamp(status, &t);
			ns = first - to_ns(t);
			assert_in_range(frames + slack - ns * 44100 / SECOND, 0, 2 * slack);
			continue;
		}
		ns = to_ns(t) - first;
		assert_in_range(frames - start + 2 - (ns * 44100 + SECOND / 2) / SECOND, 0, 4);
	}
	close_pcm(in);
}

static void test_pointer_is_exact_within_a_period(void **state)
{
	check_pointer(false);
}

static void test_pointer_needs_no_wakeup(void **state)
{
	check_pointer(true);
}

static void test_no_period_wakeup_wakes_nobody(void **state)
{
	struct how how = { HOW(S16_LE, 2, 48000, 480, 100), .no_wakeup = true };
	snd_pcm_t *in = open_pcm(SND_PCM_STREAM_CAPTURE, &how);

	CHECK(snd_pcm_start(in));
	/* 20 periods. */
	assert_int_equal(snd_pcm_wait(in, 200), 0);
	assert_true(snd_pcm_avail(in) >= 9600);
	close_pcm(in);
}

/* Frames counted and time passed, both of one moment: the "link" timestamps. */
static void test_audio_timestamp_is_the_clock(void **state)
{
	struct how how = { HOW(S16_LE, 1, 44100, 44100, 2) };
	snd_pcm_audio_tstamp_config_t config = { .type_requested = 2 }; /* LINK */
	snd_pcm_audio_tstamp_report_t report;
	snd_pcm_status_t *status;
	snd_htimestamp_t t, audio;
	int64_t offset = 0;
	snd_pcm_t *in = open_pcm(SND_PCM_STREAM_CAPTURE, &how);

	snd_pcm_status_alloca(&status);
	CHECK(snd_pcm_start(in));
	for (unsigned int i = 0; i < 20; i++) {
		sleep_ms(13);
		snd_pcm_status_set_audio_htstamp_config(status, &config);
		CHECK(snd_pcm_status(in, status));
		snd_pcm_status_get_audio_htstamp_report(status, &report);
		assert_true(report.valid);
		assert_int_equal(report.actual_type, 2);
		snd_pcm_status_get_htstamp(status, &t);
		snd_pcm_status_get_audio_htstamp(status, &audio);
		if (!i)
			offset = to_ns(t) - to_ns(audio);
		/* A frame takes 22676 ns. */
		assert_in_range(to_ns(t) - to_ns(audio) - offset + 22680, 0, 2 * 22680);
	}
	close_pcm(in);
}

/* ---- States ---- */

static void write_frames(snd_pcm_t *out, uint32_t at, unsigned int num)
{
	uint32_t frames[480];

	for (; num; num -= 480, at += 480) {
		for (uint32_t i = 0; i < 480; i++)
			frames[i] = frame(at + i);
		assert_int_equal(snd_pcm_writei(out, frames, 480), 480);
	}
}

static void test_pause_holds_the_pointer(void **state)
{
	struct how how = { HOW(S16_LE, 2, 48000, 4800, 4) };
	snd_pcm_sframes_t before;
	snd_pcm_t *out = open_pcm(SND_PCM_STREAM_PLAYBACK, &how);

	write_frames(out, 0, 19200);
	CHECK(snd_pcm_start(out));
	sleep_ms(150);
	before = snd_pcm_avail(out);
	CHECK(snd_pcm_pause(out, 1));
	assert_int_equal(snd_pcm_state(out), SND_PCM_STATE_PAUSED);
	assert_in_range(before, 7200 - 48, 7200 + 480);
	sleep_ms(1000);
	CHECK(snd_pcm_pause(out, 0));
	sleep_ms(100);
	assert_in_range(snd_pcm_avail(out) - before, 4800 - 48, 4800 + 480);
	close_pcm(out);
}

static void test_drain_plays_the_last_frame(void **state)
{
	int64_t start;
	snd_pcm_t *out = open_pcm(SND_PCM_STREAM_PLAYBACK, &usual);

	write_frames(out, 0, 1440);
	start = now_ns();
	CHECK(snd_pcm_drain(out));
	assert_int_equal(snd_pcm_state(out), SND_PCM_STATE_SETUP);
	assert_in_range(now_ns() - start, 30000000, 45000000);
	/* Started by drain, and played to its end, as it is started from the write. */
	CHECK(snd_pcm_prepare(out));
	write_frames(out, 0, 480);
	CHECK(snd_pcm_start(out));
	CHECK(snd_pcm_drain(out));
	close_pcm(out);
}

static void test_starving_is_an_xrun_and_can_be_recovered(void **state)
{
	snd_pcm_t *out = open_pcm(SND_PCM_STREAM_PLAYBACK, &usual);
	snd_pcm_t *in = open_pcm(SND_PCM_STREAM_CAPTURE, &usual);
	uint32_t frames[480] = {};

	CHECK(snd_pcm_start(in));
	write_frames(out, 0, 1920);
	CHECK(snd_pcm_start(out));
	sleep_ms(200);
	assert_int_equal(snd_pcm_state(out), SND_PCM_STATE_XRUN);
	assert_int_equal(snd_pcm_writei(out, frames, 480), -EPIPE);
	assert_int_equal(snd_pcm_readi(in, frames, 480), -EPIPE);
	for (unsigned int i = 0; i < 5; i++) {
		CHECK(snd_pcm_recover(out, -EPIPE, 1));
		CHECK(snd_pcm_recover(in, -EPIPE, 1));
		write_frames(out, 0, 1920);
		CHECK(snd_pcm_start(out));
		CHECK(snd_pcm_start(in));
		assert_int_equal(snd_pcm_readi(in, frames, 480), 480);
		CHECK(snd_pcm_drop(out));
		CHECK(snd_pcm_drop(in));
	}
	close_pcm(out);
	close_pcm(in);
}

static void set_ctl(snd_ctl_elem_iface_t iface, const char *name, long to)
{
	snd_ctl_elem_value_t *value;
	snd_ctl_t *ctl;

	snd_ctl_elem_value_alloca(&value);
	CHECK(snd_ctl_open(&ctl, CARD, 0));
	snd_ctl_elem_value_set_interface(value, iface);
	snd_ctl_elem_value_set_name(value, name);
	snd_ctl_elem_value_set_integer(value, 0, to);
	CHECK(snd_ctl_elem_write(ctl, value));
	snd_ctl_close(ctl);
}

/* The hardware's FIFO ran dry, which ALSA cannot see by itself. */
static void test_injected_xrun_stops_the_stream(void **state)
{
	struct how how = { HOW(S16_LE, 2, 48000, 480, 40) };
	uint32_t frames[480];
	snd_pcm_t *in = open_pcm(SND_PCM_STREAM_CAPTURE, &how);
	int ret = 0;

	CHECK(snd_pcm_start(in));
	for (unsigned int i = 0; i < 5; i++)
		assert_int_equal(snd_pcm_readi(in, frames, 480), 480);
	set_ctl(SND_CTL_ELEM_IFACE_PCM, "Capture Xrun Injection", 1);
	for (unsigned int i = 0; i < 10 && ret >= 0; i++)
		ret = snd_pcm_readi(in, frames, 480);
	assert_int_equal(ret, -EPIPE);
	CHECK(snd_pcm_prepare(in));
	CHECK(snd_pcm_start(in));
	for (unsigned int i = 0; i < 50; i++)
		assert_int_equal(snd_pcm_readi(in, frames, 480), 480);
	close_pcm(in);
}

/* With the stop threshold at the boundary the ring goes round whether or not anybody writes. */
static void test_ring_runs_free(void **state)
{
	struct how how = { HOW(S16_LE, 2, 48000, 480, 4), .mmap = true };
	snd_pcm_sw_params_t *sw;
	snd_pcm_uframes_t boundary;
	snd_pcm_t *out = open_pcm(SND_PCM_STREAM_PLAYBACK, &how);

	snd_pcm_sw_params_alloca(&sw);
	CHECK(snd_pcm_sw_params_current(out, sw));
	CHECK(snd_pcm_sw_params_get_boundary(sw, &boundary));
	CHECK(snd_pcm_sw_params_set_stop_threshold(out, sw, boundary));
	CHECK(snd_pcm_sw_params(out, sw));
	each_frame(out, 0, 1920, put_frame);
	CHECK(snd_pcm_start(out));
	sleep_ms(500);
	assert_int_equal(snd_pcm_state(out), SND_PCM_STATE_RUNNING);
	/* The application's pointer has not moved from one ring's length. */
	assert_in_range(snd_pcm_avail(out), 24000 - 48, 24000 + 480);
	close_pcm(out);
}

static void test_linked_streams_start_together(void **state)
{
	snd_pcm_t *out = open_pcm(SND_PCM_STREAM_PLAYBACK, &usual);
	snd_pcm_t *in = open_pcm(SND_PCM_STREAM_CAPTURE, &usual);
	uint32_t frames[480];

	CHECK(snd_pcm_link(in, out));
	write_frames(out, 0, 1920);
	CHECK(snd_pcm_start(in));
	assert_int_equal(snd_pcm_state(out), SND_PCM_STATE_RUNNING);
	assert_int_equal(snd_pcm_readi(in, frames, 480), 480);
	CHECK(snd_pcm_drop(in));
	assert_int_not_equal(snd_pcm_state(out), SND_PCM_STATE_RUNNING);
	close_pcm(out);
	close_pcm(in);
}

static void test_loopback_switch_gives_the_tone(void **state)
{
	snd_pcm_t *in = open_pcm(SND_PCM_STREAM_CAPTURE, &usual);
	uint32_t frames[480];
	int16_t loudest = 0;

	CHECK(snd_pcm_start(in));
	assert_int_equal(snd_pcm_readi(in, frames, 480), 480);
	assert_true(zct_is_zero((uint8_t *)frames, sizeof(frames)));
	set_ctl(SND_CTL_ELEM_IFACE_MIXER, "Loopback Capture Switch", 0);
	for (unsigned int i = 0; i < 4; i++)
		assert_int_equal(snd_pcm_readi(in, frames, 480), 480);
	set_ctl(SND_CTL_ELEM_IFACE_MIXER, "Loopback Capture Switch", 1);
	for (unsigned int i = 0; i < 480; i++)
		if ((int16_t)frames[i] > loudest)
			loudest = (int16_t)frames[i];
	/* A quarter of full scale. */
	assert_in_range(loudest, 8000, 8192);
	close_pcm(in);
}

/* The kernel's own test of suspend: all devices, and back after a second. */
static void test_suspend_stops_and_prepare_resumes(void **state)
{
	snd_pcm_t *out = open_pcm(SND_PCM_STREAM_PLAYBACK, &usual);
	snd_pcm_t *in = open_pcm(SND_PCM_STREAM_CAPTURE, &usual);
	uint32_t frames[480];

	zcs_write_file("/sys/module/suspend/parameters/pm_test_delay", "1");
	zcs_write_file("/sys/power/pm_test", "devices");
	write_frames(out, 0, 1920);
	CHECK(snd_pcm_start(out));
	CHECK(snd_pcm_start(in));
	zcs_write_file("/sys/power/state", "freeze");
	zcs_write_file("/sys/power/pm_test", "none");
	assert_int_equal(snd_pcm_state(out), SND_PCM_STATE_SUSPENDED);
	assert_int_equal(snd_pcm_state(in), SND_PCM_STATE_SUSPENDED);
	assert_int_equal(snd_pcm_readi(in, frames, 480), -ESTRPIPE);
	CHECK(snd_pcm_recover(out, -ESTRPIPE, 1));
	CHECK(snd_pcm_recover(in, -ESTRPIPE, 1));
	write_frames(out, 0, 1920);
	CHECK(snd_pcm_start(out));
	CHECK(snd_pcm_start(in));
	assert_int_equal(snd_pcm_readi(in, frames, 480), 480);
	CHECK(snd_pcm_drain(out));
	close_pcm(out);
	close_pcm(in);
}

/* ---- The ring as a dma-buf ---- */

static void test_export_without_a_ring_is_refused(void **state)
{
	struct zcdma_pcm_export arg = {
		.channel = zcs_channel(dev, "spk0"), .fd_flags = O_CLOEXEC | O_RDWR,
	};
	struct zcs s;

	assert_int_equal(zct_ioctl(dev, ZCDMA_IOC_PCM_EXPORT, &arg), -ENOENT);
	zcs_open(&s, dev, "spk0", 2, 4096, 0);
	assert_int_equal(zct_ioctl(dev, ZCDMA_IOC_PCM_EXPORT, &arg), -ENOENT);
	zcs_close(&s);
	arg.reserved[2] = 1;
	assert_int_equal(zct_ioctl(dev, ZCDMA_IOC_PCM_EXPORT, &arg), -EINVAL);
	arg.reserved[2] = 0;
	arg.fd_flags = O_APPEND;
	assert_int_equal(zct_ioctl(dev, ZCDMA_IOC_PCM_EXPORT, &arg), -EINVAL);
	arg.fd_flags = O_RDONLY;
	arg.channel = zcs_channel(dev, "raw-in");
	assert_int_equal(zct_ioctl(dev, ZCDMA_IOC_PCM_EXPORT, &arg), -EINVAL);
	arg.channel = 99;
	assert_int_equal(zct_ioctl(dev, ZCDMA_IOC_PCM_EXPORT, &arg), -EINVAL);
	assert_int_equal(zct_ioctl(dev, ZCDMA_IOC_PCM_EXPORT, NULL), -EFAULT);
}

/* Of four periods of 10 ms. */
static void export_ring(struct zcdma_pcm_export *arg)
{
	assert_int_equal(zct_ioctl(dev, ZCDMA_IOC_PCM_EXPORT, arg), 0);
	assert_int_equal(arg->size, 1920 * 4);
	assert_int_equal(arg->period_bytes, 480 * 4);
	assert_int_equal(arg->pcm.format, ZCDMA_PCM_S16_LE);
	assert_int_equal(arg->pcm.channels, 2);
	assert_int_equal(arg->pcm.rate, 48000);
}

static void test_ring_is_a_dma_buf(void **state)
{
	struct zcdma_pcm_export arg = {
		.channel = zcs_channel(dev, "spk0"), .fd_flags = O_CLOEXEC | O_RDONLY,
	};
	const uint32_t *ring;
	snd_pcm_t *out = open_pcm(SND_PCM_STREAM_PLAYBACK, &usual);

	write_frames(out, 0, 1920);
	CHECK(snd_pcm_start(out));
	export_ring(&arg);
	assert_int_equal(arg.pcm.frame_bytes, 4);
	assert_int_equal(fcntl(arg.fd, F_GETFD), FD_CLOEXEC);
	ring = mmap(NULL, arg.size, PROT_READ, MAP_SHARED, arg.fd, 0);
	assert_ptr_not_equal(ring, MAP_FAILED);
	for (uint32_t i = 0; i < 1920; i++)
		assert_int_equal(ring[i], frame(i));
	/* What is written from now on shows there at once. */
	write_frames(out, 1920, 480);
	for (uint32_t i = 0; i < 480; i++)
		assert_int_equal(ring[i], frame(1920 + i));
	CHECK(snd_pcm_drop(out));
	close_pcm(out);
	/* It outlives the PCM. */
	assert_true(zct_used(dev) > used_before);
	assert_int_equal(ring[0], frame(1920));
	munmap((void *)ring, arg.size);
	close(arg.fd);
}

/* Two seconds, 50 times the ring. */
#define PLAYED	(50 * 1920)

static void write_frames_to(const char *path)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	for (uint32_t n = 0; n < PLAYED; n++) {
		uint32_t value = frame(n);

		assert_int_equal(fwrite(&value, sizeof(value), 1, f), 1);
	}
	assert_int_equal(fclose(f), 0);
}

/* What frame() has made, undone: its factor times this is 1. */
static uint32_t number_of(uint32_t value)
{
	return value * 0x0e8b2f51U - 1;
}

/* Another process follows what aplay plays, without a copy and without its help. */
static void test_ring_of_aplay_is_heard_by_another_process(void **state)
{
	struct zcdma_pcm_export arg = {
		.channel = zcs_channel(dev, "spk0"), .fd_flags = O_CLOEXEC | O_RDONLY,
	};
	const _Atomic uint32_t *ring;
	uint32_t oldest, newest = 0;
	int status;

	write_frames_to("/tmp/played.raw");
	player = zct_fork();
	assert_true(player >= 0);
	if (!player) {
		execlp("aplay", "aplay", "-q", "-D", CARD, "-t", "raw", "-f", "dat",
		       "--period-size=480", "--buffer-size=1920", "/tmp/played.raw", NULL);
		_exit(127);
	}
	wait_for_state("RUNNING");
	export_ring(&arg);
	ring = mmap(NULL, arg.size, PROT_READ, MAP_SHARED, arg.fd, 0);
	assert_ptr_not_equal(ring, MAP_FAILED);
	/* For a quarter of what there is to play. */
	while (newest < PLAYED / 4) {
		uint32_t before = newest;

		assert_int_equal(waitpid(player, &status, WNOHANG), 0);
		oldest = UINT32_MAX;
		newest = 0;
		for (uint32_t i = 0; i < 1920; i++) {
			uint32_t n = number_of(atomic_load(&ring[i]));

			assert_true(n < PLAYED);
			assert_int_equal(n % 1920, i);
			oldest = n < oldest ? n : oldest;
			newest = n > newest ? n : newest;
		}
		/* All that there is room for, and what may have come while we looked. */
		assert_in_range(newest - oldest, 1919, 1919 + 2 * 480);
		assert_true(newest >= before);
		sleep_ms(10);
	}
	munmap((void *)ring, arg.size);
	close(arg.fd);
	assert_int_equal(waitpid(player, &status, 0), player);
	player = 0;
	assert_int_equal(status, 0);
	unlink("/tmp/played.raw");
}

/* ---- The end ---- */

static void unbind(void)
{
	zcs_write_file(DRIVER "unbind", BOARD);
}

/* A new card takes the old one's place, and plays. */
static void rebind(void)
{
	uint32_t frames[480];
	snd_pcm_t *pcm;

	zcs_write_file(DRIVER "bind", BOARD);
	/* Its links come from udev. */
	assert_int_equal(system("udevadm settle"), 0);
	close(dev);
	dev = zct_open("virt0");
	assert_true(dev >= 0);
	assert_int_equal(zcs_owner(dev, "spk0"), ZCDMA_OWNER_NONE);
	pcm = open_pcm(SND_PCM_STREAM_PLAYBACK, &usual);
	write_frames(pcm, 0, 1920);
	CHECK(snd_pcm_start(pcm));
	CHECK(snd_pcm_drain(pcm));
	close_pcm(pcm);
	pcm = open_pcm(SND_PCM_STREAM_CAPTURE, &usual);
	CHECK(snd_pcm_start(pcm));
	assert_int_equal(snd_pcm_readi(pcm, frames, 480), 480);
	close_pcm(pcm);
	used_before = zct_used(dev);
}

static long write_for_ever(snd_pcm_t *pcm)
{
	uint32_t frames[480] = {};
	long ret;

	do
		ret = snd_pcm_writei(pcm, frames, 480);
	while (ret >= 0);
	return ret;
}

static long drain(snd_pcm_t *pcm)
{
	return snd_pcm_drain(pcm);
}

static long poll_pcm(snd_pcm_t *pcm)
{
	struct pollfd pfd;

	if (snd_pcm_poll_descriptors(pcm, &pfd, 1) != 1)
		return 1;
	pfd.events = POLLIN;
	if (poll(&pfd, 1, 10000) != 1)
		return 2;
	return pfd.revents & (POLLERR | POLLHUP | POLLNVAL) ? -ENODEV : 3;
}

/* One call in a thread of its own; what came of it. */
struct waiter {
	pthread_t thread;
	_Atomic pid_t tid;
	long (*call)(snd_pcm_t *pcm);
	snd_pcm_t *pcm;
	long ret;
};

static void *wait_in_call(void *arg)
{
	struct waiter *w = arg;

	atomic_store(&w->tid, gettid());
	w->ret = w->call(w->pcm);
	return NULL;
}

/* Let @call wait in system call @number, take the card away under it, and see it end. */
static void unbind_under(snd_pcm_t *pcm, long (*call)(snd_pcm_t *pcm), long number)
{
	struct waiter w = { .call = call, .pcm = pcm };

	assert_int_equal(pthread_create(&w.thread, NULL, wait_in_call, &w), 0);
	zcs_wait_asleep(&w.tid, number);
	unbind();
	assert_int_equal(pthread_join(w.thread, NULL), 0);
	assert_true(w.ret == -ENODEV || w.ret == -EBADFD);
	assert_true(snd_pcm_prepare(pcm) < 0);
	rebind();
	/* The old one does not come back. */
	assert_true(snd_pcm_prepare(pcm) < 0);
	close_pcm(pcm);
}

static void test_unbind_while_playing(void **state)
{
	struct how how = usual;

	how.start = 960;
	unbind_under(open_pcm(SND_PCM_STREAM_PLAYBACK, &how), write_for_ever, SYS_ioctl);
}

static void test_unbind_while_draining(void **state)
{
	struct how how = { HOW(S16_LE, 2, 48000, 48000, 2) };
	snd_pcm_t *out = open_pcm(SND_PCM_STREAM_PLAYBACK, &how);

	write_frames(out, 0, 96000);
	unbind_under(out, drain, SYS_ioctl);
}

static void test_unbind_while_waiting(void **state)
{
	struct how how = { HOW(S16_LE, 2, 48000, 48000, 2) };
	snd_pcm_t *in = open_pcm(SND_PCM_STREAM_CAPTURE, &how);

	CHECK(snd_pcm_start(in));
	unbind_under(in, poll_pcm, SYS_ppoll);
}

static void test_unbind_while_paused(void **state)
{
	snd_pcm_t *out = open_pcm(SND_PCM_STREAM_PLAYBACK, &usual);

	write_frames(out, 0, 1920);
	CHECK(snd_pcm_start(out));
	CHECK(snd_pcm_pause(out, 1));
	unbind();
	rebind();
	assert_true(snd_pcm_pause(out, 0) < 0);
	close_pcm(out);
}

static void test_unbind_while_mapped_and_exported(void **state)
{
	struct how how = { HOW(S16_LE, 2, 48000, 480, 4), .mmap = true };
	const snd_pcm_channel_area_t *areas;
	snd_pcm_uframes_t offset, num = 1920;
	struct zcdma_pcm_export arg = { .fd_flags = O_CLOEXEC | O_RDWR };
	uint32_t *ring, *shared;
	snd_pcm_t *out = open_pcm(SND_PCM_STREAM_PLAYBACK, &how);

	each_frame(out, 0, 1920, put_frame);
	CHECK(snd_pcm_mmap_begin(out, &areas, &offset, &num));
	ring = areas[0].addr;
	CHECK(snd_pcm_start(out));
	arg.channel = zcs_channel(dev, "spk0");
	assert_int_equal(zct_ioctl(dev, ZCDMA_IOC_PCM_EXPORT, &arg), 0);
	shared = zct_map(arg.fd, arg.size);
	assert_non_null(shared);
	unbind();
	rebind();
	for (uint32_t i = 0; i < 1920; i++) {
		assert_int_equal(ring[i], frame(i));
		ring[i] = ~frame(i);
		assert_int_equal(shared[i], ~frame(i));
	}
	close_pcm(out);
	assert_int_equal(shared[1919], ~frame(1919));
	munmap(shared, arg.size);
	close(arg.fd);
}

static void test_kill_while_playing(void **state)
{
	int status;

	player = zct_fork();
	assert_true(player >= 0);
	if (!player) {
		struct how how = usual;

		how.start = 960;
		write_for_ever(open_pcm(SND_PCM_STREAM_PLAYBACK, &how));
		_exit(1);
	}
	wait_for_state("RUNNING");
	status = end_player(SIGKILL);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_hw_params_takes_the_channel),
		TEST(test_hw_params_of_a_taken_channel_is_busy),
		TEST(test_periods_from_a_millisecond_to_a_second),
		TEST(test_mmap_loopback_is_exact),
		TEST(test_pointer_is_exact_within_a_period),
		TEST(test_pointer_needs_no_wakeup),
		TEST(test_no_period_wakeup_wakes_nobody),
		TEST(test_audio_timestamp_is_the_clock),
		TEST(test_pause_holds_the_pointer),
		TEST(test_drain_plays_the_last_frame),
		TEST(test_starving_is_an_xrun_and_can_be_recovered),
		TEST(test_injected_xrun_stops_the_stream),
		TEST(test_ring_runs_free),
		TEST(test_linked_streams_start_together),
		TEST(test_loopback_switch_gives_the_tone),
		TEST(test_suspend_stops_and_prepare_resumes),
		TEST(test_export_without_a_ring_is_refused),
		TEST(test_ring_is_a_dma_buf),
		TEST(test_ring_of_aplay_is_heard_by_another_process),
		TEST(test_unbind_while_playing),
		TEST(test_unbind_while_draining),
		TEST(test_unbind_while_waiting),
		TEST(test_unbind_while_paused),
		TEST(test_unbind_while_mapped_and_exported),
		TEST(test_kill_while_playing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
