// SPDX-License-Identifier: GPL-2.0-only
/*
 * test-pcm-stream - sound through the native interface: formats, the loopback, clock and position
 *
 * On the microphone and the loudspeaker of virt0, which a cable joins: what is played must come
 * back bit by bit, and times and positions must be those that the rate says, to the sample. In a
 * guest whose time is its instructions, so that a busy host is no xrun.
 *
 * vm: --smp 1 --qemu '-icount shift=0,sleep=off'
 * timeout: 120
 */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <linux/videodev2.h>

#include "zcs.h"

#define ARRAY_SIZE(x)	(sizeof(x) / sizeof((x)[0]))
#define MICROPHONE	"mic0"
#define SPEAKER		"spk0"
#define SECOND		1000000000ULL

static int dev;
static uint64_t used_before;

static int setup(void **state)
{
	dev = zct_open("virt0");
	used_before = zct_used(dev);
	return dev < 0 ? -1 : 0;
}

static void set_fault(const char *channel, const char *name, const char *value)
{
	char path[128];

	snprintf(path, sizeof(path), "/sys/kernel/debug/zcdma/virt0/%s/fault/%s", channel, name);
	zcs_write_file(path, value);
}

/* No test may leave a channel taken, memory allocated, or a clock that drifts. */
static int teardown(void **state)
{
	int bad = zct_used(dev) != used_before || zcs_owner(dev, MICROPHONE) != ZCDMA_OWNER_NONE ||
		  zcs_owner(dev, SPEAKER) != ZCDMA_OWNER_NONE;

	set_fault(SPEAKER, "drift_ppb", "0");
	set_fault(MICROPHONE, "drift_ppb", "0");
	set_fault(SPEAKER, "jitter_ns", "0");
	close(dev);
	return bad ? -1 : 0;
}

static void open_pcm(struct zcs *s, const char *channel, struct zcdma_pcm_config config,
		     uint32_t num, uint32_t frames, uint32_t flags)
{
	uint32_t bytes = (config.format == ZCDMA_PCM_S16_LE ? 2 : 4) * config.channels;

	*s = (struct zcs) {
		.arg = {
			.channel = zcs_channel(dev, channel),
			.flags = flags,
			.fd_flags = O_CLOEXEC,
			.num_buffers = num,
			.buffer_size = (uint64_t)frames * bytes,
			.pcm = config,
		},
	};
	assert_int_equal(zct_ioctl(dev, ZCDMA_IOC_STREAM_OPEN, &s->arg), 0);
	assert_int_equal(s->arg.pcm.frame_bytes, bytes);
	zcs_map(s);
}

static void set_control(struct zcs *s, uint32_t id, int64_t value)
{
	struct zcdma_control control = { .id = id, .value = value };

	assert_int_equal(zct_ioctl(s->fd, ZCDMA_IOC_STREAM_CONTROL, &control), 0);
}

static struct zcdma_position position(struct zcs *s)
{
	struct zcdma_position p;

	memset(&p, 0xff, sizeof(p));
	assert_int_equal(zct_ioctl(s->fd, ZCDMA_IOC_STREAM_POSITION, &p), 0);
	assert_int_equal(p.reserved, 0);
	return p;
}

static void fill_all(struct zcs *s)
{
	for (uint32_t i = 0; i < s->arg.num_buffers; i++)
		zcs_put(s, (struct zcdma_fill) { .index = i });
}

/* Frames of a rate in a time, to the nearest. */
static int64_t frames_in(uint64_t ns, uint32_t rate)
{
	return (ns * rate + SECOND / 2) / SECOND;
}

/* ---- What a channel can do ---- */

static void test_pcm_info(void **state)
{
	struct zcdma_pcm_info info;

	memset(&info, 0xff, sizeof(info));
	info.channel = zcs_channel(dev, SPEAKER);
	info.reserved0 = 0;
	memset(info.reserved, 0, sizeof(info.reserved));
	assert_int_equal(zct_ioctl(dev, ZCDMA_IOC_PCM_INFO, &info), 0);
	assert_int_equal(info.channel, zcs_channel(dev, SPEAKER));
	assert_int_equal(info.formats, 0xf);
	assert_int_equal(info.min_rate, 8000);
	assert_int_equal(info.max_rate, 192000);
	assert_int_equal(info.min_channels, 1);
	assert_int_equal(info.max_channels, 8);
	assert_int_equal(info.flags, ZCDMA_PCM_PAUSE | ZCDMA_PCM_RESIDUE);

	info.reserved[1] = 1;
	assert_int_equal(zct_ioctl(dev, ZCDMA_IOC_PCM_INFO, &info), -EINVAL);
	info.reserved[1] = 0;
	info.reserved0 = 1;
	assert_int_equal(zct_ioctl(dev, ZCDMA_IOC_PCM_INFO, &info), -EINVAL);
	info.reserved0 = 0;
	info.channel = zcs_channel(dev, "cam0");
	assert_int_equal(zct_ioctl(dev, ZCDMA_IOC_PCM_INFO, &info), -EINVAL);
	info.channel = 99;
	assert_int_equal(zct_ioctl(dev, ZCDMA_IOC_PCM_INFO, &info), -EINVAL);
	assert_int_equal(zct_ioctl(dev, ZCDMA_IOC_PCM_INFO, NULL), -EFAULT);
}

static void test_open_fills_in_the_defaults(void **state)
{
	struct zcs s = {
		.arg = {
			.channel = zcs_channel(dev, MICROPHONE),
			.num_buffers = 2,
			.buffer_size = 4096,
		},
	};

	assert_int_equal(zct_ioctl(dev, ZCDMA_IOC_STREAM_OPEN, &s.arg), 0);
	assert_int_equal(s.arg.pcm.format, ZCDMA_PCM_S16_LE);
	assert_int_equal(s.arg.pcm.channels, 2);
	assert_int_equal(s.arg.pcm.rate, 48000);
	assert_int_equal(s.arg.pcm.frame_bytes, 4);
	zcs_map(&s);
	zcs_close(&s);
}

static void test_open_refuses_what_the_channel_cannot(void **state)
{
	static const struct zcdma_pcm_config bad[] = {
		{ .format = 16 }, { .format = 3 }, { .format = 0x80000000 }, { .channels = 9 },
		{ .rate = 7999 }, { .rate = 192001 }, { .channels = 0xffffffff },
	};
	struct zcdma_stream_open arg;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		arg = (struct zcdma_stream_open) {
			.channel = zcs_channel(dev, SPEAKER),
			.num_buffers = 2,
			.buffer_size = 4 * 9 * 100,
			.pcm = bad[i],
		};
		assert_int_equal(zct_ioctl(dev, ZCDMA_IOC_STREAM_OPEN, &arg), -EINVAL);
	}
	/* Part of a frame. */
	arg = (struct zcdma_stream_open) {
		.channel = zcs_channel(dev, SPEAKER),
		.num_buffers = 2,
		.buffer_size = 4096,
		.pcm = { .channels = 3 },
	};
	assert_int_equal(zct_ioctl(dev, ZCDMA_IOC_STREAM_OPEN, &arg), -EINVAL);
	/* Sound for others, and pictures for sound. */
	arg = (struct zcdma_stream_open) {
		.channel = zcs_channel(dev, "raw-in"),
		.num_buffers = 2,
		.buffer_size = 4096,
		.pcm = { .rate = 48000 },
	};
	assert_int_equal(zct_ioctl(dev, ZCDMA_IOC_STREAM_OPEN, &arg), -EINVAL);
	arg.channel = zcs_channel(dev, SPEAKER);
	arg.video.width = 640;
	assert_int_equal(zct_ioctl(dev, ZCDMA_IOC_STREAM_OPEN, &arg), -EINVAL);
}

static void test_transfers_are_whole_frames(void **state)
{
	static const struct zcdma_fill bad[] = {
		{ .index = 0, .length = 100 }, { .index = 1, .offset = 4, .length = 96 },
		{ .index = 2, .offset = 90 },
	};
	struct zcdma_done done;
	struct zcs s;

	open_pcm(&s, SPEAKER, (struct zcdma_pcm_config) { ZCDMA_PCM_S16_LE, 3, 48000, 0 }, 4, 64, 0);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		zcs_put(&s, bad[i]);
	zcs_put(&s, (struct zcdma_fill) { .index = 3, .offset = 96, .length = 96 });
	zcs_call(&s, ZCDMA_IOC_STREAM_START);
	/* The last of the three fits: offset and length are multiples of 6. */
	for (uint32_t i = 0; i < 2; i++) {
		done = zcs_wait(&s);
		assert_int_equal(done.index, i);
		assert_int_equal(done.frame.flags, ZCDMA_FRAME_ERROR);
	}
	for (uint32_t i = 2; i < 4; i++) {
		done = zcs_wait(&s);
		assert_int_equal(done.index, i);
		assert_false(done.frame.flags & ZCDMA_FRAME_ERROR);
	}
	zcs_close(&s);
}

/* ---- The loopback ---- */

static uint8_t noise(uint64_t at)
{
	at *= 0x9e3779b97f4a7c15ULL;
	return at >> 56 | 1;
}

/*
 * Play noise that has no byte of 0, find its first byte in the recording, and compare from there.
 * Both sides have all their buffers from the start: nothing here needs to be quick.
 */
static void loop(struct zcdma_pcm_config config, uint32_t frames, uint32_t flags)
{
	enum { PLAYED = 4, RECORDED = 12 };
	uint32_t bytes = (config.format == ZCDMA_PCM_S16_LE ? 2 : 4) * config.channels;
	size_t period = (size_t)frames * bytes, at = 0, start;
	uint8_t *heard = malloc(RECORDED * period);
	struct zcs in, out;

	assert_non_null(heard);
	open_pcm(&in, MICROPHONE, config, RECORDED, frames, flags);
	open_pcm(&out, SPEAKER, config, PLAYED, frames, flags);
	for (uint32_t i = 0; i < PLAYED; i++)
		for (size_t b = 0; b < period; b++)
			out.maps[i][b] = noise(i * period + b);
	fill_all(&in);
	fill_all(&out);
	zcs_call(&in, ZCDMA_IOC_STREAM_START);
	zcs_call(&out, ZCDMA_IOC_STREAM_START);

	for (uint32_t i = 0; i < PLAYED; i++) {
		struct zcdma_done done = zcs_wait(&out);

		assert_int_equal(done.index, i);
		assert_int_equal(done.frame.sequence, i);
		assert_int_equal(done.frame.bytesused, period);
		assert_int_equal(done.frame.flags, ZCDMA_FRAME_EXPOSURE_TIME | ZCDMA_FRAME_PCM_POSITION);
		assert_int_equal(done.frame.pcm_position, (uint64_t)i * frames);
	}
	for (uint32_t i = 0; i < RECORDED; i++) {
		struct zcdma_done done = zcs_wait(&in);

		assert_int_equal(done.frame.sequence, i);
		assert_int_equal(done.frame.pcm_position, (uint64_t)i * frames);
		assert_int_equal(done.frame.bytesused, period);
		memcpy(heard + i * period, in.maps[done.index], period);
	}
	zcs_close(&out);
	zcs_close(&in);

	while (at < RECORDED * period && !heard[at])
		at++;
	start = at;
	assert_int_equal(start % bytes, 0);
	assert_true(start + PLAYED * period <= RECORDED * period);
	for (; at < start + PLAYED * period; at++)
		if (heard[at] != noise(at - start))
			fail_msg("byte %zu of %zu differs", at - start, PLAYED * period);
	/* Then silence. */
	assert_true(zct_is_zero(heard + at, RECORDED * period - at));
	free(heard);
}

static void test_loopback_is_exact_in_every_format(void **state)
{
	static const uint32_t channels[] = { 1, 2, 3, 8 };
	static const uint32_t rates[] = { 8000, 44100, 48000, 192000 };

	for (uint32_t format = 1; format < 16; format <<= 1)
		for (size_t c = 0; c < ARRAY_SIZE(channels); c++)
			for (size_t r = 0; r < ARRAY_SIZE(rates); r++)
				loop((struct zcdma_pcm_config) { format, channels[c], rates[r], 0 },
				     rates[r] / 100, (c + r) & 1 ? ZCDMA_STREAM_CACHED : 0);
}

static void test_loopback_is_exact_with_late_interrupts(void **state)
{
	set_fault(SPEAKER, "jitter_ns", "3000000");
	loop((struct zcdma_pcm_config) { ZCDMA_PCM_S32_LE, 2, 44100, 0 }, 441, 0);
	set_fault(SPEAKER, "jitter_ns", "0");
}

static void test_loopback_is_exact_across_a_pause(void **state)
{
	struct zcdma_pcm_config config = { ZCDMA_PCM_S16_LE, 1, 44100, 0 };
	uint64_t paused_at, frames;
	uint32_t heard = 0;
	struct zcs in, out;

	open_pcm(&in, MICROPHONE, config, 32, 4410, 0);
	open_pcm(&out, SPEAKER, config, 4, 4410, 0);
	for (uint32_t i = 0; i < 4 * 4410; i++)
		((uint16_t *)out.maps[i / 4410])[i % 4410] = i + 1;
	fill_all(&in);
	fill_all(&out);
	zcs_call(&in, ZCDMA_IOC_STREAM_START);
	zcs_call(&out, ZCDMA_IOC_STREAM_START);
	zcs_wait(&out);
	zcs_call(&out, ZCDMA_IOC_STREAM_PAUSE);
	zcs_call(&out, ZCDMA_IOC_STREAM_PAUSE);
	paused_at = position(&out).bytes;
	frames = position(&out).clock;
	assert_int_equal(paused_at, 2 * frames);
	/* The microphone goes on, and tells the time. */
	for (uint64_t from = position(&in).clock; position(&in).clock < from + 4410;)
		zcs_wait(&in);
	assert_int_equal(position(&out).bytes, paused_at);
	assert_int_equal(position(&out).clock, frames);
	zcs_call(&out, ZCDMA_IOC_STREAM_RESUME);
	zcs_call(&out, ZCDMA_IOC_STREAM_RESUME);
	for (uint32_t i = 1; i < 4; i++)
		assert_false(zcs_wait(&out).frame.flags & ZCDMA_FRAME_LOST);
	/* All of it and, before, between and after, nothing. */
	while (position(&in).clock < 44100)
		zcs_wait(&in);
	zcs_call(&in, ZCDMA_IOC_STREAM_STOP);
	for (uint32_t i = 0; i < 32 * 4410; i++) {
		uint16_t sample = ((uint16_t *)in.maps[i / 4410])[i % 4410];

		if (sample && sample != ++heard)
			fail_msg("sample %u after %u", sample, heard);
	}
	assert_int_equal(heard, 4 * 4410);
	zcs_close(&out);
	zcs_close(&in);
}

/* ---- Clock and position ---- */

static void test_position_is_what_the_rate_says(void **state)
{
	struct zcdma_pcm_config config = { ZCDMA_PCM_S24_LE, 2, 44100, 0 };
	struct zcdma_position p, first;
	struct zcs s;

	open_pcm(&s, MICROPHONE, config, 8, 44100 / 4, 0);
	assert_int_equal(zct_ioctl(s.fd, ZCDMA_IOC_STREAM_POSITION, &p), -EINVAL);
	fill_all(&s);
	zcs_call(&s, ZCDMA_IOC_STREAM_START);
	first = position(&s);
	/* Within one transfer, so that a position to the transfer only would not do. */
	do {
		p = position(&s);
		assert_in_range(p.bytes / 8 - first.bytes / 8 + 2 -
				frames_in(p.time_ns - first.time_ns, 44100), 0, 4);
		assert_in_range(p.clock + 2 - p.bytes / 8, 0, 4);
	} while (p.clock < 44100 / 8);
	assert_int_equal(zct_ioctl(s.fd, ZCDMA_IOC_STREAM_POSITION, NULL), -EFAULT);
	zcs_call(&s, ZCDMA_IOC_STREAM_STOP);
	assert_int_equal(zct_ioctl(s.fd, ZCDMA_IOC_STREAM_POSITION, &p), -EINVAL);
	zcs_close(&s);
}

/* What the recording holds is the number of the sample: nothing can hide. */
static void test_position_names_the_sample(void **state)
{
	struct zcdma_pcm_config config = { ZCDMA_PCM_S32_LE, 1, 48000, 0 };
	struct zcdma_done done;
	struct zcs s;

	open_pcm(&s, MICROPHONE, config, 8, 480, 0);
	set_control(&s, ZCDMA_CONTROL_LOOPBACK, 0);
	set_control(&s, ZCDMA_CONTROL_TEST_PATTERN, 3);
	fill_all(&s);
	zcs_call(&s, ZCDMA_IOC_STREAM_START);
	for (uint32_t i = 0; i < 16; i++) {
		uint32_t *samples;

		done = zcs_wait(&s);
		samples = (uint32_t *)s.maps[done.index];
		for (uint32_t n = 0; n < 480; n++)
			assert_int_equal(samples[n], done.frame.pcm_position + n);
		zcs_fill(&s, done.index);
	}
	set_control(&s, ZCDMA_CONTROL_LOOPBACK, 1);
	set_control(&s, ZCDMA_CONTROL_TEST_PATTERN, 0);
	zcs_close(&s);
}

/* With no buffer for it the sound goes on without us, and says for how long. */
static void test_xrun_is_counted_in_samples(void **state)
{
	struct zcdma_pcm_config config = { ZCDMA_PCM_S32_LE, 1, 48000, 0 };
	struct zcdma_position p;
	struct zcdma_done done;
	struct zcs s;

	open_pcm(&s, MICROPHONE, config, 2, 480, 0);
	fill_all(&s);
	zcs_call(&s, ZCDMA_IOC_STREAM_START);
	zcs_wait(&s);
	zcs_wait(&s);
	do
		p = position(&s);
	while (p.clock < 2400);
	assert_int_equal(p.bytes, 2 * 480 * 4);
	zcs_fill(&s, 0);
	done = zcs_wait(&s);
	assert_int_equal(done.frame.sequence, 3);
	assert_int_equal(done.frame.flags, ZCDMA_FRAME_LOST | ZCDMA_FRAME_EXPOSURE_TIME |
			 ZCDMA_FRAME_PCM_POSITION);
	assert_true(done.frame.pcm_position >= 2400);
	p = position(&s);
	assert_int_equal(p.bytes, 3 * 480 * 4);
	zcs_close(&s);
}

static void test_xrun_on_demand(void **state)
{
	struct zcdma_pcm_config config = { ZCDMA_PCM_S16_LE, 2, 48000, 0 };
	struct zcdma_done done;
	struct zcs s;

	open_pcm(&s, SPEAKER, config, 4, 480, 0);
	fill_all(&s);
	set_control(&s, ZCDMA_CONTROL_XRUN, 1);
	zcs_call(&s, ZCDMA_IOC_STREAM_START);
	done = zcs_wait(&s);
	assert_true(done.frame.flags & ZCDMA_FRAME_LOST);
	assert_int_equal(done.frame.sequence, 1);
	assert_int_equal(done.frame.pcm_position, 480);
	done = zcs_wait(&s);
	assert_false(done.frame.flags & ZCDMA_FRAME_LOST);
	assert_int_equal(done.frame.pcm_position, 960);
	zcs_close(&s);
}

/* Positions and times of done entries, against each other: exact, drift or not. */
static void check_pace(const char *channel, uint32_t rate, int64_t ppb)
{
	struct zcdma_pcm_config config = { ZCDMA_PCM_S16_LE, 1, rate, 0 };
	struct zcdma_frame first = {};
	struct zcs s;

	open_pcm(&s, channel, config, 8, rate / 50, 0);
	set_control(&s, ZCDMA_CONTROL_DRIFT, ppb);
	fill_all(&s);
	zcs_call(&s, ZCDMA_IOC_STREAM_START);
	for (uint32_t i = 0; i < 30; i++) {
		struct zcdma_done done = zcs_wait(&s);
		uint64_t ns = done.frame.exposure_start_ns - first.exposure_start_ns;
		/* Of our own: a nominal frame takes 1/rate of the channel's seconds. */
		double frames = ns / 1e9 * rate * (1 + ppb / 1e9);

		if (i == 1)
			first = done.frame;
		if (i > 1 && (frames < done.frame.pcm_position - first.pcm_position - 0.01 ||
			      frames > done.frame.pcm_position - first.pcm_position + 0.01))
			fail_msg("%f frames, not %f", frames,
				 (double)(done.frame.pcm_position - first.pcm_position));
		zcs_fill(&s, done.index);
	}
	set_control(&s, ZCDMA_CONTROL_DRIFT, 0);
	zcs_close(&s);
}

static void test_clock_has_its_rate(void **state)
{
	check_pace(MICROPHONE, 8000, 0);
	check_pace(MICROPHONE, 44100, 0);
	check_pace(SPEAKER, 192000, 0);
}

static void test_clock_drifts_as_told(void **state)
{
	check_pace(MICROPHONE, 48000, 50000);
	check_pace(SPEAKER, 44100, -100000000);
	check_pace(SPEAKER, 96000, 100000000);
}

/* ---- Pictures and sound ---- */

static void test_picture_names_the_sample(void **state)
{
	struct zcdma_pcm_config config = { ZCDMA_PCM_S16_LE, 2, 44100, 0 };
	struct zcs camera, in;
	struct zcdma_position p;

	camera = (struct zcs) {
		.arg = {
			.channel = zcs_channel(dev, "cam0"),
			.num_buffers = 4,
			.video = { .fourcc = V4L2_PIX_FMT_GREY, .width = 64, .height = 64,
				   .interval_ns = SECOND / 50 },
		},
	};
	assert_int_equal(zct_ioctl(dev, ZCDMA_IOC_STREAM_OPEN, &camera.arg), 0);
	zcs_map(&camera);
	fill_all(&camera);
	zcs_call(&camera, ZCDMA_IOC_STREAM_START);
	assert_false(zcs_wait(&camera).frame.flags & ZCDMA_FRAME_PCM_POSITION);

	open_pcm(&in, MICROPHONE, config, 4, 4410, 0);
	fill_all(&in);
	zcs_call(&in, ZCDMA_IOC_STREAM_START);
	p = position(&in);
	zcs_fill(&camera, 0);
	for (uint32_t i = 1; i < 12; i++) {
		struct zcdma_done done = zcs_wait(&camera);

		zcs_fill(&camera, done.index);
		if (done.frame.exposure_start_ns <= p.time_ns)
			continue;
		assert_true(done.frame.flags & ZCDMA_FRAME_PCM_POSITION);
		assert_in_range(done.frame.pcm_position + 2 - p.clock -
				frames_in(done.frame.exposure_start_ns - p.time_ns, 44100), 0, 4);
	}
	zcs_close(&in);
	zcs_close(&camera);
}

/* ---- Controls ---- */

static void test_volume_halves_in_every_format(void **state)
{
	static const struct {
		uint32_t format;
		uint32_t sample;
		uint32_t quarter;
	} cases[] = {
		{ ZCDMA_PCM_S16_LE, 0x8004, 0xe001 },
		{ ZCDMA_PCM_S24_LE, 0xff800004, 0xffe00001 },
		{ ZCDMA_PCM_S32_LE, 0x40000004, 0x10000001 },
		{ ZCDMA_PCM_FLOAT_LE, 0xbf800000, 0xbe800000 }, /* -1.0, -0.25 */
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct zcdma_pcm_config config = { cases[i].format, 1, 48000, 0 };
		uint32_t bytes = i ? 4 : 2, heard = 0;
		struct zcdma_done done;
		struct zcs in, out;

		open_pcm(&in, MICROPHONE, config, 4, 480, 0);
		open_pcm(&out, SPEAKER, config, 4, 480, 0);
		set_control(&in, ZCDMA_CONTROL_VOLUME, -602);
		set_control(&out, ZCDMA_CONTROL_VOLUME, -602);
		for (uint32_t b = 0; b < 4; b++)
			for (uint32_t n = 0; n < 480; n++)
				memcpy(out.maps[b] + n * bytes, &cases[i].sample, bytes);
		fill_all(&in);
		fill_all(&out);
		zcs_call(&out, ZCDMA_IOC_STREAM_START);
		zcs_call(&in, ZCDMA_IOC_STREAM_START);
		done = zcs_wait(&in);
		memcpy(&heard, in.maps[done.index], bytes);
		assert_int_equal(heard, cases[i].quarter);
		set_control(&in, ZCDMA_CONTROL_VOLUME, 0);
		set_control(&out, ZCDMA_CONTROL_VOLUME, 0);
		set_control(&out, ZCDMA_CONTROL_MUTE, 1);
		zcs_wait(&in);
		done = zcs_wait(&in);
		assert_true(zct_is_zero(in.maps[done.index], 480 * bytes));
		set_control(&out, ZCDMA_CONTROL_MUTE, 0);
		zcs_close(&out);
		zcs_close(&in);
	}
}

/* Zero crossings tell the pitch. */
static void test_tone_has_its_pitch(void **state)
{
	static const uint32_t pitches[] = { 440, 1000 };

	for (uint32_t format = 1; format < 16; format <<= 1) {
		for (size_t t = 0; t < ARRAY_SIZE(pitches); t++) {
			struct zcdma_pcm_config config = { format, 2, 48000, 0 };
			uint32_t rising = 0;
			bool below = false;
			struct zcs s;

			open_pcm(&s, MICROPHONE, config, 1, 12000, 0);
			set_control(&s, ZCDMA_CONTROL_LOOPBACK, 0);
			set_control(&s, ZCDMA_CONTROL_TEST_PATTERN, t);
			fill_all(&s);
			zcs_call(&s, ZCDMA_IOC_STREAM_START);
			zcs_wait(&s);
			for (uint32_t n = 0; n < 12000; n++) {
				uint32_t bytes = s.arg.pcm.frame_bytes;
				bool negative = s.maps[0][n * bytes + bytes / 2 - 1] & 0x80;

				assert_memory_equal(s.maps[0] + n * bytes,
						    s.maps[0] + n * bytes + bytes / 2, bytes / 2);
				rising += below && !negative;
				below = negative;
			}
			assert_in_range(rising, pitches[t] / 4 - 1, pitches[t] / 4 + 1);
			set_control(&s, ZCDMA_CONTROL_LOOPBACK, 1);
			set_control(&s, ZCDMA_CONTROL_TEST_PATTERN, 0);
			zcs_close(&s);
		}
	}
}

static void test_pause_is_for_sound_that_runs(void **state)
{
	struct zcdma_pcm_config config = { ZCDMA_PCM_S16_LE, 2, 48000, 0 };
	struct zcs s;

	open_pcm(&s, SPEAKER, config, 2, 480, 0);
	assert_int_equal(zct_ioctl(s.fd, ZCDMA_IOC_STREAM_PAUSE, NULL), -EINVAL);
	assert_int_equal(zct_ioctl(s.fd, ZCDMA_IOC_STREAM_RESUME, NULL), -EINVAL);
	fill_all(&s);
	zcs_call(&s, ZCDMA_IOC_STREAM_START);
	zcs_call(&s, ZCDMA_IOC_STREAM_PAUSE);
	/* A stop while paused, and the next start is not. */
	zcs_call(&s, ZCDMA_IOC_STREAM_STOP);
	for (uint32_t i = 0; i < 2; i++) {
		struct zcdma_done done = zcs_wait(&s);

		assert_true(done.frame.flags & ZCDMA_FRAME_ERROR);
		zcs_fill(&s, done.index);
	}
	zcs_call(&s, ZCDMA_IOC_STREAM_START);
	assert_false(zcs_wait(&s).frame.flags & ZCDMA_FRAME_ERROR);
	zcs_close(&s);

	zcs_open(&s, dev, "raw-in", 2, 4096, 0);
	assert_int_equal(zct_ioctl(s.fd, ZCDMA_IOC_STREAM_PAUSE, NULL), -EOPNOTSUPP);
	zcs_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_pcm_info, setup, teardown),
		cmocka_unit_test_setup_teardown(test_open_fills_in_the_defaults, setup, teardown),
		cmocka_unit_test_setup_teardown(test_open_refuses_what_the_channel_cannot, setup, teardown),
		cmocka_unit_test_setup_teardown(test_transfers_are_whole_frames, setup, teardown),
		cmocka_unit_test_setup_teardown(test_loopback_is_exact_in_every_format, setup, teardown),
		cmocka_unit_test_setup_teardown(test_loopback_is_exact_with_late_interrupts, setup, teardown),
		cmocka_unit_test_setup_teardown(test_loopback_is_exact_across_a_pause, setup, teardown),
		cmocka_unit_test_setup_teardown(test_position_is_what_the_rate_says, setup, teardown),
		cmocka_unit_test_setup_teardown(test_position_names_the_sample, setup, teardown),
		cmocka_unit_test_setup_teardown(test_xrun_is_counted_in_samples, setup, teardown),
		cmocka_unit_test_setup_teardown(test_xrun_on_demand, setup, teardown),
		cmocka_unit_test_setup_teardown(test_clock_has_its_rate, setup, teardown),
		cmocka_unit_test_setup_teardown(test_clock_drifts_as_told, setup, teardown),
		cmocka_unit_test_setup_teardown(test_picture_names_the_sample, setup, teardown),
		cmocka_unit_test_setup_teardown(test_volume_halves_in_every_format, setup, teardown),
		cmocka_unit_test_setup_teardown(test_tone_has_its_pitch, setup, teardown),
		cmocka_unit_test_setup_teardown(test_pause_is_for_sound_that_runs, setup, teardown),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
