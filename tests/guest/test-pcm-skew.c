// SPDX-License-Identifier: GPL-2.0-only
/*
 * test-pcm-skew - pictures and sound stay together: ten minutes, told by the frame records
 *
 * A camera and a microphone run side by side. The PCM position of each picture's record names a
 * sample; that sample's own time, from the records of the sound, is compared with the picture's.
 * Without a drift they never differ by a sample; with one, by what it comes to, no more and no less.
 *
 * The recording holds the numbers of its samples, so that the records cannot be wrong about them
 * unseen. In a guest whose time is its instructions: what is idle takes no time.
 *
 * vm: --smp 1 --qemu '-icount shift=0,sleep=off'
 * timeout: 1500
 */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <linux/videodev2.h>

#include "zcs.h"

#define SECONDS		600
#define RATE		48000
#define SECOND		1000000000LL

static int dev;

static void set_control(struct zcs *s, uint32_t id, int64_t value)
{
	struct zcdma_control control = { .id = id, .value = value };

	assert_int_equal(zct_ioctl(s->fd, ZCDMA_IOC_STREAM_CONTROL, &control), 0);
}

static void start(struct zcs *s, const struct zcdma_stream_open *arg)
{
	*s = (struct zcs) { .arg = *arg };
	assert_int_equal(zct_ioctl(dev, ZCDMA_IOC_STREAM_OPEN, &s->arg), 0);
	zcs_map(s);
	for (uint32_t i = 0; i < s->arg.num_buffers; i++)
		zcs_put(s, (struct zcdma_fill) { .index = i });
}

/* The next second of sound, all there and in order. */
static struct zcdma_frame listen(struct zcs *sound, uint64_t number)
{
	struct zcdma_done done = zcs_wait(sound);
	const uint32_t *samples = (const uint32_t *)(const void *)sound->maps[done.index];

	assert_false(done.frame.flags & (ZCDMA_FRAME_ERROR | ZCDMA_FRAME_LOST));
	assert_int_equal(done.frame.pcm_position, number * RATE);
	for (uint32_t i = 0; i < RATE; i += 997)
		assert_int_equal(samples[i], number * RATE + i);
	zcs_fill(sound, done.index);
	return done.frame;
}

static struct zcdma_frame look(struct zcs *pictures)
{
	struct zcdma_done done = zcs_wait(pictures);

	assert_false(done.frame.flags & (ZCDMA_FRAME_ERROR | ZCDMA_FRAME_LOST));
	assert_true(done.frame.flags & ZCDMA_FRAME_PCM_POSITION);
	zcs_fill(pictures, done.index);
	return done.frame;
}

static void skew(int64_t ppb)
{
	struct zcdma_stream_open camera = {
		.channel = zcs_channel(dev, "cam0"),
		.num_buffers = 4,
		.video = { .fourcc = V4L2_PIX_FMT_GREY, .width = 64, .height = 64,
			   .interval_ns = SECOND },
	};
	struct zcdma_stream_open microphone = {
		.channel = zcs_channel(dev, "mic0"),
		.num_buffers = 4,
		.buffer_size = 4 * RATE,
		.pcm = { .format = ZCDMA_PCM_S32_LE, .channels = 1, .rate = RATE },
	};
	struct zcdma_frame first = {}, picture, second;
	struct zcs pictures, sound;
	int64_t worst = 0, at_end = 0;

	start(&pictures, &camera);
	start(&sound, &microphone);
	set_control(&sound, ZCDMA_CONTROL_LOOPBACK, 0);
	set_control(&sound, ZCDMA_CONTROL_TEST_PATTERN, 3);
	set_control(&sound, ZCDMA_CONTROL_DRIFT, ppb);
	zcs_call(&sound, ZCDMA_IOC_STREAM_START);
	zcs_call(&pictures, ZCDMA_IOC_STREAM_START);

	for (uint64_t n = 0; n < SECONDS; n++) {
		int64_t nominal, of_sound;

		picture = look(&pictures);
		second = listen(&sound, n);
		if (!n)
			first = picture;
		/* Where the picture would be in the sound if both clocks were one. */
		nominal = (int64_t)(picture.exposure_start_ns - first.exposure_start_ns) * RATE / SECOND +
			  (int64_t)first.pcm_position;
		at_end = (int64_t)picture.pcm_position - nominal;
		if (llabs(at_end) > llabs(worst))
			worst = at_end;
		/* The sound's own records agree: from this second's first sample on. */
		of_sound = ((int64_t)(picture.exposure_start_ns - second.exposure_start_ns) * RATE +
			    (picture.exposure_start_ns < second.exposure_start_ns ? -SECOND / 2 : SECOND / 2)) / SECOND;
		assert_in_range((int64_t)picture.pcm_position - (int64_t)second.pcm_position -
				of_sound + 6, 0, 12);
	}
	printf("# drift %lld ppb: after %d s the sound is %lld samples ahead, at most %lld\n",
	       (long long)ppb, SECONDS, (long long)at_end, (long long)worst);
	/* Drift times time, to the sample that is not over yet. */
	assert_in_range(at_end - ppb * (SECONDS - 1) * RATE / SECOND + 1, 0, 2);
	if (!ppb)
		assert_int_equal(worst, 0);

	set_control(&sound, ZCDMA_CONTROL_DRIFT, 0);
	set_control(&sound, ZCDMA_CONTROL_LOOPBACK, 1);
	set_control(&sound, ZCDMA_CONTROL_TEST_PATTERN, 0);
	zcs_close(&sound);
	zcs_close(&pictures);
}

static void test_no_skew_in_ten_minutes(void **state)
{
	skew(0);
}

static void test_skew_is_the_drift(void **state)
{
	skew(50000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_skew_in_ten_minutes),
		cmocka_unit_test(test_skew_is_the_drift),
	};

	dev = zct_open("virt0");
	if (dev < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
