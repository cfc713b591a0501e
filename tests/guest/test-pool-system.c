// SPDX-License-Identifier: GPL-2.0-only
/*
 * test-pool-system - a device without a memory-region takes the system's memory, and when there is
 * none left, nobody else pays for it
 *
 * In little memory, to get there soon.
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
#define MIB ((uint64_t)1 << 20)

static int dev;

static int open_device(void **state)
{
	dev = zct_open("virt1");
	return dev < 0 || zct_used(dev) ? -1 : 0;
}

static int close_device(void **state)
{
	uint64_t used = zct_used(dev);

	close(dev);
	return used ? -1 : 0;
}

/* A call that finds no memory says why in one message: no OOM killer, no trace of an allocator. */
static void test_system_memory_exhausted_harms_nobody(void **state)
{
	const uint32_t kinds[] = { 0, ZCDMA_BUFFER_CACHED };
	int log = zct_open_log();

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		int next = zct_next_fd();
		uint64_t numbers[3];
		char message[512] = "";

		assert_int_equal(zct_alloc(dev, ZCDMA_BUFFER_SIZE_MAX, kinds[i]), -ENOMEM);
		assert_int_equal(zct_used(dev), 0);
		assert_int_equal(zct_next_fd(), next);
		assert_int_equal(zct_read_log(log, message, sizeof(message)), 1);
		assert_int_equal(zct_numbers(message, numbers, ARRAY_SIZE(numbers)), 3);
		assert_int_equal(numbers[0], ZCDMA_BUFFER_SIZE_MAX >> 10);
		/* What is free is told as it was when the buffer was refused: nearly all. */
		assert_in_range(numbers[1], 64 << 10, 1 << 20);
		assert_in_range(numbers[2], 0, numbers[1]);
		assert_non_null(strstr(message, "memory-region"));
	}
	close(log);
}

static void test_system_memory_is_given_back(void **state)
{
	for (int i = 0; i < 20; i++) {
		int fd = zct_alloc(dev, 64 * MIB, i % 2 ? ZCDMA_BUFFER_CACHED : 0);

		assert_true(fd >= 0);
		assert_int_equal(zct_used(dev), 64 * MIB);
		close(fd);
		assert_int_equal(zct_used(dev), 0);
	}
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, open_device, close_device)
	const struct CMUnitTest tests[] = {
		CASE(test_system_memory_exhausted_harms_nobody),
		CASE(test_system_memory_is_given_back),
	};

	return cmocka_run_group_tests_name("pool-system", tests, NULL, NULL);
}
