// SPDX-License-Identifier: GPL-2.0-only
/*
 * test-dmabuf - a buffer as a dma-buf: the descriptor, its access mode, its own calls
 *
 * Every case runs once for each memory in zct.h.
 */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <poll.h>

#include "zct.h"

#define ARRAY_SIZE(x) (sizeof(x) / sizeof((x)[0]))

static const struct zct_memory *memory;
static int dev;
static uint64_t before;
static size_t size;

static int setup(void **state)
{
	memory = *state;
	size = 4 * ZCT_PAGE;
	dev = zct_open(memory->device);
	if (dev < 0)
		return -1;
	before = zct_used(dev);
	return 0;
}

static int teardown(void **state)
{
	uint64_t after = zct_used(dev);

	close(dev);
	return after == before ? 0 : -1;
}

static int alloc(void)
{
	int fd = zct_alloc(dev, size, memory->flags);

	assert_true(fd >= 0);
	return fd;
}

static int alloc_mode(uint32_t mode)
{
	struct zcdma_buffer_alloc a = { .size = size, .flags = memory->flags, .fd_flags = mode };

	assert_int_equal(zct_ioctl(dev, ZCDMA_IOC_BUFFER_ALLOC, &a), 0);
	return a.fd;
}

/* A program that was handed this one can look, and never touch. */
static void test_dmabuf_read_only_is_mapped_for_reading(void **state)
{
	int fd = alloc_mode(O_RDONLY);
	uint8_t *map;

	map = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		fail_msg("cannot be mapped: %s", strerror(errno));
	assert_true(zct_is_zero(map, size));
	munmap(map, size);
	close(fd);
}

static void test_dmabuf_read_only_is_not_mapped_for_writing(void **state)
{
	int fd = alloc_mode(O_RDONLY);
	uint8_t *map;

	assert_ptr_equal(mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), MAP_FAILED);
	assert_int_equal(errno, EACCES);
	assert_ptr_equal(mmap(NULL, size, PROT_WRITE, MAP_SHARED, fd, 0), MAP_FAILED);
	assert_int_equal(errno, EACCES);
	/* Nor by a private mapping or by asking later. */
	assert_ptr_equal(mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0), MAP_FAILED);
	assert_int_equal(errno, EINVAL);
	map = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		fail_msg("cannot be mapped: %s", strerror(errno));
	assert_int_equal(mprotect(map, size, PROT_READ | PROT_WRITE), -1);
	assert_int_equal(errno, EACCES);
	munmap(map, size);
	close(fd);
}

static void test_dmabuf_size_is_found_by_seeking(void **state)
{
	int fd = alloc();

	assert_int_equal(lseek(fd, 0, SEEK_END), size);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	assert_int_equal(lseek(fd, 1, SEEK_END), -1);
	assert_int_equal(errno, EINVAL);
	close(fd);
}

/* No fence is ever pending on a buffer of ours. */
static void test_dmabuf_poll_says_ready(void **state)
{
	int fd = alloc();
	struct pollfd p = { .fd = fd, .events = POLLIN | POLLOUT };

	assert_int_equal(poll(&p, 1, 0), 1);
	assert_int_equal(p.revents, POLLIN | POLLOUT);
	close(fd);
}

static void test_dmabuf_sync_takes_every_direction(void **state)
{
	const uint64_t directions[] = { DMA_BUF_SYNC_READ, DMA_BUF_SYNC_WRITE, DMA_BUF_SYNC_RW };
	int fd = alloc();
	uint8_t *map = zct_map(fd, size);
	uint32_t seed = 30;

	assert_non_null(map);
	for (size_t start = 0; start < ARRAY_SIZE(directions); start++) {
		for (size_t end = 0; end < ARRAY_SIZE(directions); end++, seed++) {
			assert_int_equal(zct_sync(fd, DMA_BUF_SYNC_START | DMA_BUF_SYNC_RW), 0);
			zct_fill(map, size, seed);
			assert_int_equal(zct_sync(fd, DMA_BUF_SYNC_END | DMA_BUF_SYNC_RW), 0);
			assert_int_equal(zct_sync(fd, DMA_BUF_SYNC_START | directions[start]), 0);
			assert_true(zct_holds(map, size, seed));
			assert_int_equal(zct_sync(fd, DMA_BUF_SYNC_END | directions[end]), 0);
			assert_true(zct_holds(map, size, seed));
		}
	}
	munmap(map, size);
	close(fd);
}

static void test_dmabuf_sync_refuses_other_flags(void **state)
{
	const uint64_t others[] = {
		0, DMA_BUF_SYNC_END, 1 << 3, DMA_BUF_SYNC_RW | 1 << 3, DMA_BUF_SYNC_RW | 1ULL << 32,
		DMA_BUF_SYNC_RW | 1ULL << 63, UINT64_MAX,
	};
	int fd = alloc();

	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		assert_int_equal(zct_sync(fd, others[i]), -EINVAL);
	assert_int_equal(zct_ioctl(fd, DMA_BUF_IOCTL_SYNC, NULL), -EFAULT);
	assert_int_equal(zct_ioctl(fd, _IO(DMA_BUF_BASE, 200), NULL), -ENOTTY);
	assert_int_equal(zct_ioctl(fd, ZCDMA_IOC_DEVICE_INFO, NULL), -ENOTTY);
	close(fd);
}

static void test_dmabuf_outlives_the_device_descriptor(void **state)
{
	int fd = alloc();
	uint8_t *map;

	close(dev);
	map = zct_map(fd, size);
	assert_non_null(map);
	assert_int_equal(zct_sync(fd, DMA_BUF_SYNC_START | DMA_BUF_SYNC_WRITE), 0);
	zct_fill(map, size, 40);
	assert_int_equal(zct_sync(fd, DMA_BUF_SYNC_END | DMA_BUF_SYNC_WRITE), 0);
	assert_true(zct_holds(map, size, 40));
	munmap(map, size);
	dev = zct_open(memory->device);
	assert_true(dev >= 0);
	assert_int_equal(zct_used(dev) - before, size);
	close(fd);
	assert_int_equal(zct_used(dev), before);
}

static void test_dmabufs_are_different_memory(void **state)
{
	uint8_t *map[8];

	for (uint32_t i = 0; i < ARRAY_SIZE(map); i++) {
		int fd = alloc();

		map[i] = zct_map(fd, size);
		assert_non_null(map[i]);
		close(fd);
		zct_fill(map[i], size, 50 + i);
	}
	for (uint32_t i = 0; i < ARRAY_SIZE(map); i++) {
		assert_true(zct_holds(map[i], size, 50 + i));
		munmap(map[i], size);
	}
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_dmabuf_read_only_is_mapped_for_reading),
	cmocka_unit_test(test_dmabuf_read_only_is_not_mapped_for_writing),
	cmocka_unit_test(test_dmabuf_size_is_found_by_seeking),
	cmocka_unit_test(test_dmabuf_poll_says_ready),
	cmocka_unit_test(test_dmabuf_sync_takes_every_direction),
	cmocka_unit_test(test_dmabuf_sync_refuses_other_flags),
	cmocka_unit_test(test_dmabuf_outlives_the_device_descriptor),
	cmocka_unit_test(test_dmabufs_are_different_memory),
};

int main(void)
{
	struct CMUnitTest tests[ARRAY_SIZE(cases) * ARRAY_SIZE(zct_memories)];
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		for (size_t m = 0; m < ARRAY_SIZE(zct_memories); m++) {
			char *name;

			if (asprintf(&name, "%s_%s", cases[i].name, zct_memories[m].name) < 0)
				return 1;
			tests[n++] = (struct CMUnitTest) {
				.name = name,
				.test_func = cases[i].test_func,
				.setup_func = setup,
				.teardown_func = teardown,
				.initial_state = (void *)&zct_memories[m],
			};
		}
	}
	return cmocka_run_group_tests_name("dmabuf", tests, NULL, NULL);
}
