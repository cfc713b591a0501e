// SPDX-License-Identifier: GPL-2.0-only
/*
 * ring-tsan - both sides of a stream's rings, the kernel's (driver/zcdma_ring.h) and the program's
 * (userlib/include/zcdma.h), as two threads under ThreadSanitizer
 *
 * The "kernel" thread does what zcdma_stream.c does: takes fill entries, writes to the buffer, puts
 * done entries, asks for kicks. The program checks that every buffer comes back in order with what was
 * written last in it. Buffer contents are plain memory: without the acquire and release of A and C
 * every access to them is a data race, which ThreadSanitizer reports. Without D the two stop, both
 * waiting for the other, which the watchdog reports. Indices begin just below 2^32, and wrap.
 *
 * usage: ring-tsan [FRAMES]
 */
#define _GNU_SOURCE
#include <linux/types.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The kernel's memory model, in C11's words. */
typedef uint32_t u32;
#define __aligned(n)			__attribute__((aligned(n)))
#define READ_ONCE(x)			__atomic_load_n(&(x), __ATOMIC_RELAXED)
#define WRITE_ONCE(x, v)		__atomic_store_n(&(x), v, __ATOMIC_RELAXED)
#define smp_load_acquire(p)		__atomic_load_n(p, __ATOMIC_ACQUIRE)
#define smp_store_release(p, v)		__atomic_store_n(p, v, __ATOMIC_RELEASE)
#define smp_mb()			__atomic_thread_fence(__ATOMIC_SEQ_CST)

#include "../../driver/zcdma_ring.h"

/* -DBREAK_D: forget the kernel's half of D, to see that this test notices. */
#define ZCDMA_NO_INLINE
#include "../../userlib/include/zcdma.h"

#define BUFFERS		5
#define ENTRIES		8
#define START		(0U - 1000U)

static struct zcdma_ring ring;
static uint64_t memory[BUFFERS];
static unsigned long frames = 200000;

/* What the ioctl would be. */
static pthread_mutex_t kick_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t kick_cond = PTHREAD_COND_INITIALIZER;
static unsigned long kicks, kicks_seen;

static void *kernel(void *arg)
{
	uint64_t sequence = 0;

	while (sequence < frames) {
		struct zcdma_fill fill;
		struct zcdma_frame frame = { 0 };

		while (zcdma_ring_take(&ring, &fill)) {
			if (fill.index >= BUFFERS)
				abort();
			/* What the DMA engine would do. */
			memory[fill.index] = sequence;
			frame.sequence = sequence++;
			zcdma_ring_put(&ring, fill.index, &frame);
			if (sequence == frames)
				return NULL;
		}
		if (zcdma_ring_set_need_kick(&ring, true))
			continue;
		pthread_mutex_lock(&kick_lock);
		while (kicks == kicks_seen)
			pthread_cond_wait(&kick_cond, &kick_lock);
		kicks_seen = kicks;
		pthread_mutex_unlock(&kick_lock);
		zcdma_ring_set_need_kick(&ring, false);
	}
	return NULL;
}

static void kick(void)
{
	pthread_mutex_lock(&kick_lock);
	kicks++;
	pthread_cond_signal(&kick_cond);
	pthread_mutex_unlock(&kick_lock);
}

int main(int argc, char **argv)
{
	struct zcdma_buffer buffers[BUFFERS] = { 0 };
	struct zcdma_ring_info fill, done;
	struct zcdma_fast fast = { 0 };
	pthread_t thread;
	uint64_t next = 0;
	uint32_t invalid;
	char *area;

	if (argc > 1)
		frames = strtoul(argv[1], NULL, 0);
	if (posix_memalign((void **)&area, 64, zcdma_ring_size(ENTRIES)))
		return 1;
	memset(area, 0, zcdma_ring_size(ENTRIES));
	zcdma_ring_init(&ring, area, ENTRIES);
	zcdma_ring_describe(&ring, &fill, &done, &invalid);
	ring.fill_head = ring.done_tail = START;
	ring.words->fill_head = ring.words->fill_tail = START;
	ring.words->done_head = ring.words->done_tail = START;
	fast = (struct zcdma_fast) {
		.done_tail = (uint32_t *)(area + done.tail),
		.done_head = (uint32_t *)(area + done.head),
		.done_entries = area + done.entries,
		.done_next = START,
		.done_mask = done.num_entries - 1,
		.done_size = done.entry_size,
		.fill_tail = (uint32_t *)(area + fill.tail),
		.fill_flags = (uint32_t *)(area + fill.flags),
		.fill_entries = area + fill.entries,
		.fill_next = START,
		.fill_mask = fill.num_entries - 1,
		.fill_size = fill.entry_size,
		.num_buffers = BUFFERS,
		.buffers = buffers,
	};

	/* Both would wait for ever for what the other has already done. */
	alarm(120);
	if (pthread_create(&thread, NULL, kernel, NULL))
		return 1;
	for (uint32_t i = 0; i < BUFFERS; i++) {
		buffers[i].index = i;
		memory[i] = ~0ULL;
		if (zcdma_fast_put(&fast, &buffers[i]))
			kick();
	}
	while (next < frames) {
		struct zcdma_buffer *b;

		if (!zcdma_fast_take(&fast, &b)) {
			sched_yield();
			continue;
		}
		if (b->frame.sequence != next || memory[b->index] != next) {
			fprintf(stderr, "frame %llu has %llu in it, and was expected to be %llu\n",
				(unsigned long long)b->frame.sequence,
				(unsigned long long)memory[b->index], (unsigned long long)next);
			return 1;
		}
		next++;
		if (zcdma_fast_put(&fast, b))
			kick();
	}
	pthread_join(thread, NULL);
	if (ring.invalid) {
		fprintf(stderr, "%u entries were refused\n", ring.invalid);
		return 1;
	}
	printf("%lu frames, %lu kicks\n", frames, kicks);
	free(area);
	return 0;
}
