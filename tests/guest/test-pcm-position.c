// SPDX-License-Identifier: GPL-2.0-only
/*
 * test-pcm-position - the position of a stream never goes back, whoever asks and whenever
 *
 * One processor asks all the time while the other ends transfers, as many as it can: between the
 * engine's end of a transfer and the core's the two must not count it twice, nor not at all. That
 * this host may be too busy for the sound does not matter: then the position stands.
 *
 * timeout: 60
 */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <pthread.h>

#include "zcs.h"

#define TRANSFERS	3000

static _Atomic bool over;
static _Atomic uint64_t asked, back;

static void *ask(void *stream)
{
	const struct zcs *s = stream;
	struct zcdma_position p;
	uint64_t last = 0;

	while (!over && !ioctl(s->fd, ZCDMA_IOC_STREAM_POSITION, &p)) {
		if (p.bytes < last && !back)
			back = last - p.bytes;
		last = p.bytes;
		asked++;
	}
	return NULL;
}

static void test_position_never_goes_back(void **state)
{
	int dev = zct_open("virt0");
	struct zcs s = {
		.arg = {
			.channel = zcs_channel(dev, "spk0"),
			.num_buffers = 16,
			.buffer_size = 48 * 4,
			.pcm = { .format = ZCDMA_PCM_S16_LE, .channels = 2, .rate = 192000 },
		},
	};
	pthread_t thread;

	assert_int_equal(zct_ioctl(dev, ZCDMA_IOC_STREAM_OPEN, &s.arg), 0);
	zcs_map(&s);
	for (uint32_t i = 0; i < 16; i++)
		zcs_put(&s, (struct zcdma_fill) { .index = i });
	zcs_call(&s, ZCDMA_IOC_STREAM_START);
	assert_int_equal(pthread_create(&thread, NULL, ask, &s), 0);
	/* On a busy machine the other one needs longer. */
	for (unsigned int i = 0; i < TRANSFERS || asked <= TRANSFERS / 10; i++)
		zcs_fill(&s, zcs_wait(&s).index);
	over = true;
	assert_int_equal(pthread_join(thread, NULL), 0);
	printf("# asked %llu times\n", (unsigned long long)asked);
	assert_int_equal(back, 0);
	zcs_close(&s);
	close(dev);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_position_never_goes_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
