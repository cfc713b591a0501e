// SPDX-License-Identifier: GPL-2.0-only
/*
 * test-buffer-zero - nobody ever sees what was in the memory of a buffer before
 *
 * The kernel is told not to zero pages on its own account, which would hide that the driver does
 * not. And a page counts only when it is known to have been dirty before: its address says so.
 *
 * vm: --append 'init_on_alloc=0 mem=1G'
 */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include "zct.h"

#define ARRAY_SIZE(x) (sizeof(x) / sizeof((x)[0]))

/* Not a power of two, so that allocators have to put it together. */
#define SIZE		((size_t)1536 << 10)
/* The allocators take their time to come back to the same pages. */
#define MAX_ROUNDS	2000

/* By frame number; the guest has less memory than fits in here. */
static uint8_t dirty[1 << 20];

/* Mark the pages of the newest buffer; returns how many had been marked before. */
static size_t mark_dirty(const char *device)
{
	static struct zct_segment segments[SIZE / 4096];
	size_t num, marked = 0, total = 0;

	num = zct_segments(device, segments, ARRAY_SIZE(segments));
	for (size_t i = 0; i < num; i++) {
		for (uint64_t at = 0; at < segments[i].len; at += ZCT_PAGE) {
			uint8_t *mark = &dirty[(segments[i].address + at) / ZCT_PAGE % sizeof(dirty)];

			marked += *mark;
			*mark = 1;
		}
		total += segments[i].len;
	}
	assert_int_equal(total, SIZE);
	return marked;
}

static void test_buffer_is_zeroed(void **state)
{
	const struct zct_memory *memory = *state;
	size_t reused = 0;
	int dev = zct_open(memory->device);
	int round;

	assert_true(dev >= 0);
	memset(dirty, 0, sizeof(dirty));
	for (round = 0; round < MAX_ROUNDS && reused < SIZE / ZCT_PAGE; round++) {
		int fd = zct_alloc(dev, SIZE, memory->flags);
		uint8_t *map;

		assert_true(fd >= 0);
		map = zct_map(fd, SIZE);
		assert_non_null(map);
		assert_true(zct_is_zero(map, SIZE));
		memset(map, 0xa5, SIZE);
		reused += mark_dirty(memory->device);
		munmap(map, SIZE);
		close(fd);
	}
	close(dev);
	print_message("%zu pages seen again in %d rounds\n", reused, round);
	assert_true(reused >= SIZE / ZCT_PAGE);
}

int main(void)
{
	struct CMUnitTest tests[ARRAY_SIZE(zct_memories)];

	for (size_t m = 0; m < ARRAY_SIZE(zct_memories); m++) {
		char *name;

		if (asprintf(&name, "test_buffer_is_zeroed_%s", zct_memories[m].name) < 0)
			return 1;
		tests[m] = (struct CMUnitTest) {
			.name = name,
			.test_func = test_buffer_is_zeroed,
			.initial_state = (void *)&zct_memories[m],
		};
	}
	return cmocka_run_group_tests_name("buffer-zero", tests, NULL, NULL);
}
