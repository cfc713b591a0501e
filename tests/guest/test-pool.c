// SPDX-License-Identifier: GPL-2.0-only
/*
 * test-pool - the memory behind the buffers of a device: what is taken, what is free, what is said
 * when it runs out, and that all of it comes back
 */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <dirent.h>
#include <linux/videodev2.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

#include "zct.h"

#define ARRAY_SIZE(x) (sizeof(x) / sizeof((x)[0]))
#define MIB ((uint64_t)1 << 20)

static int dev;
static uint64_t pool_size;

static int open_device(void **state)
{
	struct zcdma_device_info info;

	dev = zct_open("virt0");
	if (dev < 0 || zct_ioctl(dev, ZCDMA_IOC_DEVICE_INFO, &info) || !info.pool_size)
		return -1;
	pool_size = info.pool_size;
	if (info.pool_used)
		print_error("%llu bytes are in use before the test\n",
			    (unsigned long long)info.pool_used);
	return info.pool_used ? -1 : 0;
}

static int close_device(void **state)
{
	uint64_t used = zct_used(dev);

	close(dev);
	return used ? -1 : 0;
}

/* ---- What the kernel says ---- */

static const char pools[] = "/sys/firmware/devicetree/base/reserved-memory";

/* Whether there is a node below /reserved-memory that @message names, with a property it names. */
static bool names_property(const char *message)
{
	char path[768], word[300];
	struct dirent *entry, *property;
	bool found = false;
	DIR *dir = opendir(pools), *node;

	while (dir && (entry = readdir(dir))) {
		snprintf(path, sizeof(path), "%s/%s", pools, entry->d_name);
		snprintf(word, sizeof(word), "%.*s", (int)strcspn(entry->d_name, "@"),
			 entry->d_name);
		if (entry->d_name[0] == '.' || !strstr(message, word))
			continue;
		node = opendir(path);
		while (node && (property = readdir(node))) {
			snprintf(word, sizeof(word), "%s property", property->d_name);
			if (strstr(message, word))
				found = true;
		}
		if (node)
			closedir(node);
	}
	if (dir)
		closedir(dir);
	return found;
}

/* ---- The pool of a node with a memory-region ---- */

static void test_pool_says_once_that_it_is_exhausted(void **state)
{
	const uint32_t kinds[] = { 0, ZCDMA_BUFFER_CACHED };
	uint64_t half = pool_size / 2 / MIB * MIB;
	int log = zct_open_log();

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		uint64_t sizes[3], used;
		char message[512] = "";
		int next;
		int fd = zct_alloc(dev, half, kinds[i]);

		assert_true(fd >= 0);
		used = zct_used(dev);
		assert_int_equal(used, half);
		next = zct_next_fd();
		assert_int_equal(zct_read_log(log, message, sizeof(message)), 0);

		assert_int_equal(zct_alloc(dev, pool_size - half + 1, kinds[i]), -ENOMEM);
		assert_int_equal(zct_used(dev), used);
		assert_int_equal(zct_next_fd(), next);
		/* One message, with the size asked, the size free, and of what. */
		assert_int_equal(zct_read_log(log, message, sizeof(message)), 1);
		assert_int_equal(zct_numbers(message, sizes, ARRAY_SIZE(sizes)), 3);
		assert_int_equal(sizes[0], (pool_size - half + ZCT_PAGE) >> 10);
		assert_int_equal(sizes[1], (pool_size - half) >> 10);
		assert_int_equal(sizes[2], pool_size >> 10);
		if (!names_property(message))
			fail_msg("this names no property of the pool's node: %s", message);
		close(fd);
		assert_int_equal(zct_used(dev), 0);
	}
	close(log);
}

/* As many buffers of 1 MiB as there is room for, at most @num. */
static unsigned int fill_pool(int *fds, unsigned int num)
{
	unsigned int got;

	for (got = 0; got < num; got++) {
		fds[got] = zct_alloc(dev, MIB, 0);
		if (fds[got] < 0)
			break;
	}
	return got;
}

/* Room enough, but in pieces: every other MiB is taken. */
static void test_pool_in_pieces_is_no_room(void **state)
{
	unsigned int num = pool_size / MIB;
	int *fds = calloc(num, sizeof(*fds));
	int log = zct_open_log(), fd;
	uint64_t sizes[3], used;
	char message[512];
	unsigned int got;

	assert_non_null(fds);
	got = fill_pool(fds, num);
	assert_true(got > num / 2);
	zct_read_log(log, message, sizeof(message));
	for (unsigned int i = 0; i < got; i += 2)
		close(fds[i]);
	used = zct_used(dev);
	assert_int_equal(used, got / 2 * MIB);

	/* So small that the system would have had it, had anybody asked it. */
	assert_int_equal(zct_alloc(dev, 2 * MIB, 0), -ENOMEM);
	assert_int_equal(zct_used(dev), used);
	assert_int_equal(zct_read_log(log, message, sizeof(message)), 1);
	assert_int_equal(zct_numbers(message, sizes, ARRAY_SIZE(sizes)), 3);
	assert_int_equal(sizes[0], 2 << 10);
	assert_int_equal(sizes[1], (pool_size - used) >> 10);

	for (unsigned int i = 1; i < got; i += 2)
		close(fds[i]);
	free(fds);
	assert_int_equal(zct_used(dev), 0);

	/* And whole again. */
	fd = zct_alloc(dev, pool_size / 2 / MIB * MIB, 0);
	assert_true(fd >= 0);
	close(fd);
	close(log);
}

/* A camera with frames of 2 MiB, almost, each millisecond: a program that is late needs many. */
static int open_camera(void)
{
	struct v4l2_format fmt = {
		.type = V4L2_BUF_TYPE_VIDEO_CAPTURE,
		.fmt.pix = { .width = 7680, .height = 64, .pixelformat = V4L2_PIX_FMT_XBGR32 },
	};
	struct v4l2_streamparm parm = {
		.type = V4L2_BUF_TYPE_VIDEO_CAPTURE,
		.parm.capture.timeperframe = { 1, 1000 },
	};
	int cam = open("/dev/zcdma/virt0/cam0", O_RDWR | O_CLOEXEC);

	assert_true(cam >= 0);
	assert_int_equal(zct_ioctl(cam, VIDIOC_S_FMT, &fmt), 0);
	assert_int_equal(fmt.fmt.pix.sizeimage, 7680 * 64 * 4);
	assert_int_equal(zct_ioctl(cam, VIDIOC_S_PARM, &parm), 0);
	assert_int_equal(parm.parm.capture.timeperframe.denominator, 1000);
	return cam;
}

static unsigned int request_buffers(int cam, unsigned int count)
{
	struct v4l2_requestbuffers req = {
		.count = count,
		.type = V4L2_BUF_TYPE_VIDEO_CAPTURE,
		.memory = V4L2_MEMORY_MMAP,
	};

	assert_int_equal(zct_ioctl(cam, VIDIOC_REQBUFS, &req), 0);
	return req.count;
}

/* V4L2 gives a program more buffers than it wants, for its own good. It must not be others' harm. */
static void test_pool_is_left_to_others_by_spare_buffers(void **state)
{
	unsigned int num = pool_size / MIB;
	int *fds = calloc(num, sizeof(*fds));
	int log = zct_open_log(), cam = open_camera();
	char message[512];
	unsigned int got;

	assert_non_null(fds);
	assert_true(request_buffers(cam, 4) > 4);
	assert_true(zct_used(dev) <= pool_size / 2);
	/* What is asked for is another matter. */
	request_buffers(cam, 0);
	assert_true(request_buffers(cam, 20) == 20);
	request_buffers(cam, 0);

	/* Room in the first 4 MiB, and beyond that only in pieces. */
	got = fill_pool(fds, num);
	assert_true(got > num / 2);
	zct_read_log(log, message, sizeof(message));
	for (unsigned int i = 0; i < got; i++)
		if (i < 4 || i % 2)
			close(fds[i]);
	assert_int_equal(request_buffers(cam, 2), 2);
	if (zct_read_log(log, message, sizeof(message)))
		fail_msg("all that was asked for is there, but the kernel says: %s", message);
	close(cam);
	close(log);
	for (unsigned int i = 4; i < got; i += 2)
		close(fds[i]);
	free(fds);
}

/* With half of it at most, so that its being in pieces does not matter. */
static void test_pool_counts_every_buffer(void **state)
{
	int fds[64];
	uint64_t sizes[ARRAY_SIZE(fds)], total = 0;
	unsigned int seed = 1;

	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		fds[i] = -1;
	for (unsigned int n = 0; n < 1000; n++) {
		unsigned int i = rand_r(&seed) % ARRAY_SIZE(fds);

		if (fds[i] >= 0) {
			close(fds[i]);
			fds[i] = -1;
			total -= sizes[i];
		} else {
			sizes[i] = (1 + rand_r(&seed) % 128) * ZCT_PAGE;
			if (total + sizes[i] > pool_size / 2)
				continue;
			fds[i] = zct_alloc(dev, sizes[i] - rand_r(&seed) % ZCT_PAGE,
					   rand_r(&seed) % 2 ? ZCDMA_BUFFER_CACHED : 0);
			assert_true(fds[i] >= 0);
			total += sizes[i];
		}
		assert_int_equal(zct_used(dev), total);
	}
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		if (fds[i] >= 0)
			close(fds[i]);
	assert_int_equal(zct_used(dev), 0);
}

/* Allocate, map, unmap and free until something fails; a few mappings are always left. */
static void churn(unsigned int seed, int ready)
{
	struct { uint8_t *map; size_t size; } kept[8] = { };

	for (unsigned int n = 0; n != 20 || write(ready, "", 1) == 1; n++) {
		size_t size = (1 + n * 7 % 200) * ZCT_PAGE;
		int fd = zct_alloc(dev, size, (n ^ seed) & 1 ? ZCDMA_BUFFER_CACHED : 0);
		unsigned int i = n % ARRAY_SIZE(kept);

		if (kept[i].map)
			munmap(kept[i].map, kept[i].size);
		kept[i].map = fd < 0 ? NULL : zct_map(fd, size);
		if (!kept[i].map)
			return;
		kept[i].size = size;
		kept[i].map[size - 1] = n;
		close(fd);
	}
}

/* Killed in the middle of whatever they do. */
static void test_pool_is_whole_after_kills(void **state)
{
	int log = zct_open_log();
	char message[512] = "";
	pid_t pids[6];
	int ready[2];
	char c;

	assert_int_equal(pipe(ready), 0);
	for (unsigned int i = 0; i < ARRAY_SIZE(pids); i++) {
		pids[i] = zct_fork();
		assert_int_not_equal(pids[i], -1);
		if (!pids[i]) {
			churn(i, ready[1]);
			_exit(1);
		}
	}
	close(ready[1]);
	for (unsigned int i = 0; i < ARRAY_SIZE(pids); i++)
		assert_int_equal(read(ready[0], &c, 1), 1);
	for (unsigned int i = 0; i < ARRAY_SIZE(pids); i++) {
		int status;

		kill(pids[i], SIGKILL);
		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_true(WIFSIGNALED(status));
	}
	close(ready[0]);
	assert_int_equal(zct_used(dev), 0);
	/* Who was killed while he waited for memory is no reason to complain about the pool. */
	if (zct_read_log(log, message, sizeof(message)))
		fail_msg("the kernel says: %s", message);
	close(log);
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, open_device, close_device)
	const struct CMUnitTest tests[] = {
		CASE(test_pool_says_once_that_it_is_exhausted),
		CASE(test_pool_in_pieces_is_no_room),
		CASE(test_pool_is_left_to_others_by_spare_buffers),
		CASE(test_pool_counts_every_buffer),
		CASE(test_pool_is_whole_after_kills),
	};

	return cmocka_run_group_tests_name("pool", tests, NULL, NULL);
}
