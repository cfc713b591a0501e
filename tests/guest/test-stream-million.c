// SPDX-License-Identifier: GPL-2.0-only
/*
 * test-stream-million - very many frames through the rings, both ways, every word of them checked
 *
 * Small transfers, so that rings and hand-overs are all there is. From time to time the consumer
 * stops, until the engine has starved, and goes on. FRAMES in the environment: how many
 * (default 20000; a million takes ten minutes under emulation).
 *
 * timeout: 240
 */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include "zcs.h"

#define SIZE	16
#define BUFFERS	32

static int dev;
static unsigned long frames = 20000;

/* Wait until the kernel has nothing left to fill. */
static void starve(struct zcs *s)
{
	while (atomic_load(zcs_word(s, s->arg.done.tail)) -
	       atomic_load(zcs_word(s, s->arg.done.head)) < BUFFERS)
		nanosleep(&(struct timespec) { .tv_nsec = 100000 }, NULL);
	assert_true(zcs_need_kick(s));
}

static void test_capture_a_million_frames(void **state)
{
	uint32_t next = 0;
	struct zcs s;

	zcs_open(&s, dev, "raw-in", BUFFERS, SIZE, 0);
	for (uint32_t i = 0; i < BUFFERS; i++)
		zcs_put(&s, (struct zcdma_fill) { .index = i });
	zcs_call(&s, ZCDMA_IOC_STREAM_START);
	for (unsigned long n = 0; n < frames; n++) {
		struct zcdma_done done = zcs_wait(&s);

		assert_int_equal(done.frame.sequence, n);
		assert_int_equal(done.frame.bytesused, SIZE);
		assert_int_equal(done.frame.flags & ZCDMA_FRAME_ERROR, 0);
		assert_true(zcs_counts(s.maps[done.index], SIZE, &next));
		if (n % 10000 == 5000) {
			zcs_fill(&s, done.index);
			starve(&s);
		} else {
			zcs_fill(&s, done.index);
		}
	}
	assert_int_equal(zcs_invalid(&s), 0);
	zcs_close(&s);
}

static uint32_t crc_table[256];

static uint32_t crc32_add(uint32_t crc, const uint8_t *p, size_t len)
{
	while (len--)
		crc = crc >> 8 ^ crc_table[(uint8_t)(crc ^ *p++)];
	return crc;
}

static void test_play_a_million_frames(void **state)
{
	uint32_t crc = ~0U, next = 0;
	struct zcs s;

	for (uint32_t i = 0; i < 256; i++) {
		crc_table[i] = i;
		for (int bit = 0; bit < 8; bit++)
			crc_table[i] = crc_table[i] >> 1 ^ (crc_table[i] & 1 ? 0xedb88320 : 0);
	}
	zcs_open(&s, dev, "raw-out", BUFFERS, SIZE, 0);
	for (unsigned long n = 0; n < frames; n++) {
		uint32_t index = n < BUFFERS ? (uint32_t)n : zcs_wait(&s).index;
		uint32_t words[SIZE / 4];

		for (unsigned int i = 0; i < SIZE / 4; i++)
			words[i] = next++;
		memcpy(s.maps[index], words, SIZE);
		crc = crc32_add(crc, (uint8_t *)words, SIZE);
		zcs_fill(&s, index);
		if (n == BUFFERS - 1)
			zcs_call(&s, ZCDMA_IOC_STREAM_START);
	}
	zcs_call(&s, ZCDMA_IOC_STREAM_DRAIN);
	assert_int_equal(zcs_sink_value("bytes"), frames * SIZE);
	assert_int_equal(zcs_sink_value("crc32"), (uint32_t)~crc);
	assert_int_equal(zcs_invalid(&s), 0);
	zcs_close(&s);
}

static int setup(void **state)
{
	const char *text = getenv("FRAMES");

	if (text)
		frames = strtoul(text, NULL, 0);
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
		cmocka_unit_test(test_capture_a_million_frames),
		cmocka_unit_test(test_play_a_million_frames),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
