// SPDX-License-Identifier: GPL-2.0-only
/*
 * test-buffer-io - frames go to disk and into pipes without a copy, where buffers consist of pages
 *
 * That is the case where there is no memory-region and the engine takes several segments: virt1.
 * A RAM disk is the disk, for it really does O_DIRECT on the pages of the caller.
 */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "zct.h"

#define DISK	"/dev/ram0"
#define SIZE	((size_t)256 << 10)

static int dev, fd, disk;
static uint8_t *map;

/* The disk's bytes as everybody else sees them. */
static bool disk_holds(uint32_t seed)
{
	uint8_t *copy = malloc(SIZE);
	int other = open(DISK, O_RDONLY | O_CLOEXEC);
	bool ok = copy && pread(other, copy, SIZE, 0) == (ssize_t)SIZE &&
		  zct_holds(copy, SIZE, seed);

	close(other);
	free(copy);
	return ok;
}

static void test_buffer_goes_to_disk_directly(void **state)
{
	zct_fill(map, SIZE, 21);
	assert_int_equal(zct_sync(fd, DMA_BUF_SYNC_START | DMA_BUF_SYNC_READ), 0);
	assert_int_equal(pwrite(disk, map, SIZE, 0), SIZE);
	assert_int_equal(zct_sync(fd, DMA_BUF_SYNC_END | DMA_BUF_SYNC_READ), 0);
	assert_true(disk_holds(21));
}

static void test_buffer_comes_from_disk_directly(void **state)
{
	uint8_t *copy = aligned_alloc(ZCT_PAGE, SIZE);

	assert_non_null(copy);
	zct_fill(copy, SIZE, 22);
	assert_int_equal(pwrite(disk, copy, SIZE, 0), SIZE);
	memset(map, 0, SIZE);
	assert_int_equal(pread(disk, map, SIZE, 0), SIZE);
	assert_true(zct_holds(map, SIZE, 22));
	free(copy);
}

static int fill_pipe(int in, size_t at, size_t len)
{
	struct iovec iov = { map + at, len };

	return vmsplice(in, &iov, 1, 0);
}

static void test_buffer_splices_into_a_pipe_and_on(void **state)
{
	int file = memfd_create("test-buffer-io", MFD_CLOEXEC);
	int pipes[2];
	uint8_t *copy;

	assert_true(file >= 0);
	assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
	zct_fill(map, SIZE, 23);
	for (size_t at = 0; at < SIZE; at += 4 * ZCT_PAGE) {
		assert_int_equal(fill_pipe(pipes[1], at, 4 * ZCT_PAGE), 4 * ZCT_PAGE);
		assert_int_equal(splice(pipes[0], NULL, file, NULL, 4 * ZCT_PAGE, 0),
				 4 * ZCT_PAGE);
	}
	copy = mmap(NULL, SIZE, PROT_READ, MAP_SHARED, file, 0);
	assert_ptr_not_equal(copy, MAP_FAILED);
	assert_true(zct_holds(copy, SIZE, 23));
	munmap(copy, SIZE);
	close(file);
	close(pipes[0]);
	close(pipes[1]);
}

/* What a pipe holds, it holds: after the buffer is gone and its memory used for others. */
static void test_buffer_pages_in_a_pipe_outlive_the_buffer(void **state)
{
	uint64_t before = zct_used(dev);
	uint8_t *copy = malloc(4 * ZCT_PAGE);
	int buffer = zct_alloc(dev, 4 * ZCT_PAGE, ZCDMA_BUFFER_CACHED);
	int pipes[2];
	uint8_t *m;

	assert_non_null(copy);
	assert_true(buffer >= 0);
	m = zct_map(buffer, 4 * ZCT_PAGE);
	assert_non_null(m);
	zct_fill(m, 4 * ZCT_PAGE, 24);
	assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
	assert_int_equal(vmsplice(pipes[1], &(struct iovec){ m, 4 * ZCT_PAGE }, 1, 0),
			 4 * ZCT_PAGE);
	munmap(m, 4 * ZCT_PAGE);
	close(buffer);
	assert_int_equal(zct_used(dev), before);

	/* Had the pages been freed, these would get them, and wipe them. */
	for (int i = 0; i < 64; i++) {
		buffer = zct_alloc(dev, 4 * ZCT_PAGE, ZCDMA_BUFFER_CACHED);
		assert_true(buffer >= 0);
		close(buffer);
	}
	assert_int_equal(read(pipes[0], copy, 4 * ZCT_PAGE), 4 * ZCT_PAGE);
	assert_true(zct_holds(copy, 4 * ZCT_PAGE, 24));
	close(pipes[0]);
	close(pipes[1]);
	free(copy);
}

/* As a debugger does. */
static void test_buffer_is_read_by_process_vm_readv(void **state)
{
	uint8_t *copy = malloc(SIZE);
	struct iovec local = { copy, SIZE }, remote = { map, SIZE };

	assert_non_null(copy);
	zct_fill(map, SIZE, 25);
	assert_int_equal(process_vm_readv(getpid(), &local, 1, &remote, 1, 0), SIZE);
	assert_true(zct_holds(copy, SIZE, 25));
	free(copy);
}

static int setup(void **state)
{
	dev = zct_open("virt1");
	fd = dev < 0 ? -1 : zct_alloc(dev, SIZE, ZCDMA_BUFFER_CACHED);
	map = fd < 0 ? NULL : zct_map(fd, SIZE);
	if (!map)
		return -1;
	/* udev would look into the disk whenever it was written to, and hold it as we unload it. */
	if (system("udevadm control --stop-exec-queue && modprobe brd rd_nr=1 rd_size=1024"))
		return -1;
	disk = open(DISK, O_RDWR | O_DIRECT | O_CLOEXEC);
	return disk < 0 ? -1 : 0;
}

static int teardown(void **state)
{
	close(disk);
	munmap(map, SIZE);
	close(fd);
	close(dev);
	return system("modprobe -r brd; ret=$?; udevadm control --start-exec-queue && exit $ret");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_buffer_goes_to_disk_directly),
		cmocka_unit_test(test_buffer_comes_from_disk_directly),
		cmocka_unit_test(test_buffer_splices_into_a_pipe_and_on),
		cmocka_unit_test(test_buffer_pages_in_a_pipe_outlive_the_buffer),
		cmocka_unit_test(test_buffer_is_read_by_process_vm_readv),
	};

	return cmocka_run_group_tests_name("buffer-io", tests, setup, teardown);
}
