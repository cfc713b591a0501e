// SPDX-License-Identifier: GPL-2.0-only
/*
 * test-stream-hostile - a program that scribbles over all shared pages harms only its own stream
 *
 * One thread overwrites every word of the ring area at random, another one starts, kicks, drains,
 * polls and stops that stream, while a second stream of the same device goes on undisturbed: its
 * counter words are all there, in order. HOSTILE_SECONDS: how long (default a minute on a debug
 * kernel, which has the eyes for it, 12 seconds elsewhere).
 *
 * timeout: 240
 */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <pthread.h>
#include <signal.h>

#include "zcs.h"

#define VICTIM_SIZE	16384

static int dev;
static atomic_bool stop;
static atomic_ulong scribbled;

struct attack {
	struct zcs *s;
	uint64_t seed;
	bool plausible;
};

static uint64_t random_next(uint64_t *x)
{
	*x ^= *x << 13;
	*x ^= *x >> 7;
	*x ^= *x << 17;
	return *x;
}

static void *scribble(void *arg)
{
	struct attack *a = arg;
	struct zcs *s = a->s;
	uint32_t words = s->arg.ring_size / 4;
	const uint32_t hot[] = { s->arg.fill.tail, s->arg.fill.head, s->arg.fill.flags,
				 s->arg.done.head, s->arg.done.tail, s->arg.invalid };

	while (!atomic_load(&stop)) {
		uint64_t r = random_next(&a->seed);
		uint32_t value = (uint32_t)(r >> 32);
		uint32_t at = (uint32_t)r % words * 4;

		/* Rubbish mostly dies at the first check; what is nearly right gets further. */
		if (a->plausible && (r & 0x10000)) {
			value %= 8;
			if (r & 0x20000)
				value += atomic_load(zcs_word(s, s->arg.fill.head));
		}
		if (r & 0x40000)
			at = hot[(r >> 20) % 6];
		atomic_store_explicit(zcs_word(s, at), value, memory_order_relaxed);
		atomic_fetch_add(&scribbled, 1);
	}
	return NULL;
}

static void *call(void *arg)
{
	static const unsigned long requests[] = {
		ZCDMA_IOC_STREAM_KICK, ZCDMA_IOC_STREAM_KICK, ZCDMA_IOC_STREAM_KICK,
		ZCDMA_IOC_STREAM_START, ZCDMA_IOC_STREAM_STOP, ZCDMA_IOC_STREAM_DRAIN,
	};
	struct attack *a = arg;

	while (!atomic_load(&stop)) {
		uint64_t r = random_next(&a->seed);

		zct_ioctl(a->s->fd, requests[r % 6], NULL);
		if (!(r & 0x700))
			zcs_poll(a->s, 1);
	}
	return NULL;
}

/* Frames for that long, and however slow it is, more than ten; all of them right. */
static void stream_undisturbed(struct zcs *s, unsigned int seconds)
{
	struct timespec now, end;
	unsigned long frames = 0;
	uint32_t next = 0;

	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += seconds;
	for (uint32_t i = 0; i < s->arg.num_buffers; i++)
		zcs_put(s, (struct zcdma_fill) { .index = i });
	zcs_call(s, ZCDMA_IOC_STREAM_START);
	do {
		struct zcdma_done done = zcs_wait(s);

		assert_int_equal(done.frame.sequence, frames++);
		assert_int_equal(done.frame.flags & ZCDMA_FRAME_ERROR, 0);
		assert_true(zcs_counts(s->maps[done.index], VICTIM_SIZE, &next));
		zcs_fill(s, done.index);
		clock_gettime(CLOCK_MONOTONIC, &now);
	} while (now.tv_sec < end.tv_sec || frames <= 10);
}

static void attack(const char *channel, uint32_t flags, bool plausible)
{
	const char *text = getenv("HOSTILE_SECONDS");
	unsigned int seconds = text ? (unsigned int)atoi(text) : zct_is_debug_kernel() ? 60 : 12;
	uint64_t before = zct_used(dev);
	struct zcs bad, victim;
	struct attack attacks[2] = {
		{ .s = &bad, .seed = 0x9e3779b97f4a7c15, .plausible = plausible },
		{ .s = &bad, .seed = 0xd1b54a32d192ed03 },
	};
	pthread_t threads[2];
	unsigned int errors;

	zcs_open(&victim, dev, "raw-in", 4, VICTIM_SIZE, 0);
	zcs_open(&bad, dev, channel, 8, 0, flags);
	/* A drain of a stream whose fill ring somebody keeps filling has no end of its own. */
	fcntl(bad.fd, F_SETFL, O_RDWR | O_NONBLOCK);
	atomic_store(&stop, false);
	atomic_store(&scribbled, 0);
	assert_int_equal(pthread_create(&threads[0], NULL, scribble, &attacks[0]), 0);
	assert_int_equal(pthread_create(&threads[1], NULL, call, &attacks[1]), 0);

	stream_undisturbed(&victim, seconds / 4);

	atomic_store(&stop, true);
	for (unsigned int i = 0; i < 2; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	assert_true(atomic_load(&scribbled) > 1000);

	/* It can still be stopped, and what comes back is no more than there is. */
	zcs_call(&bad, ZCDMA_IOC_STREAM_STOP);
	atomic_store(zcs_word(&bad, bad.arg.done.head),
		     atomic_load(zcs_word(&bad, bad.arg.done.tail)));
	assert_true(zcs_drop(&bad, &errors) == 0);
	zcs_close(&bad);
	zcs_close(&victim);
	assert_int_equal(zct_used(dev), before);
	assert_int_equal(zcs_owner(dev, channel), ZCDMA_OWNER_NONE);

	/* And the channel works for the next one. */
	zcs_open(&bad, dev, channel, 4, 0, flags);
	for (uint32_t i = 0; i < 4; i++)
		zcs_put(&bad, (struct zcdma_fill) { .index = i });
	zcs_call(&bad, ZCDMA_IOC_STREAM_START);
	assert_int_equal(zcs_wait(&bad).index, 0);
	assert_int_equal(zcs_wait(&bad).index, 1);
	zcs_close(&bad);
}

static void test_rubbish_in_a_capture_stream(void **state)
{
	attack("cam0", 0, false);
}

static void test_rubbish_in_a_playback_stream(void **state)
{
	attack("out0", ZCDMA_STREAM_CACHED, false);
}

static void test_nearly_right_indices_in_a_capture_stream(void **state)
{
	attack("cam0", ZCDMA_STREAM_CACHED, true);
}

static void test_nearly_right_indices_in_a_playback_stream(void **state)
{
	attack("out0", 0, true);
}

static int setup(void **state)
{
	dev = zct_open("virt0");
	return dev < 0 ? -1 : 0;
}

static int teardown(void **state)
{
	return close(dev);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rubbish_in_a_capture_stream),
		cmocka_unit_test(test_rubbish_in_a_playback_stream),
		cmocka_unit_test(test_nearly_right_indices_in_a_capture_stream),
		cmocka_unit_test(test_nearly_right_indices_in_a_playback_stream),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
