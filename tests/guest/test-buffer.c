// SPDX-License-Identifier: GPL-2.0-only
/*
 * test-buffer - what a program can do with the memory of a buffer, the same for all four kinds
 *
 * Every case runs once for each memory in zct.h, and none may leave a byte allocated.
 */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "zct.h"

#define ARRAY_SIZE(x) (sizeof(x) / sizeof((x)[0]))

/**
 * struct fixture - a mapped buffer of 6 pages
 * @memory: where it is from
 * @dev: the device, open
 * @before: bytes in use before it was allocated
 * @asked: the size asked for: no whole page, no power of two
 * @size: the size it has
 * @fd: the dma-buf
 * @map: its mapping
 *
 * A test that closes or unmaps one of them says so with -1 or NULL.
 */
static struct fixture {
	const struct zct_memory *memory;
	int dev;
	uint64_t before;
	size_t asked;
	size_t size;
	int fd;
	uint8_t *map;
} fixture;

static int setup(void **state)
{
	struct fixture *f = &fixture;

	*f = (struct fixture) { .memory = *state, .fd = -1 };
	f->dev = zct_open(f->memory->device);
	if (f->dev < 0)
		return -1;
	f->before = zct_used(f->dev);
	f->asked = 5 * ZCT_PAGE + 1;
	f->size = 6 * ZCT_PAGE;
	f->fd = zct_alloc(f->dev, f->asked, f->memory->flags);
	if (f->fd < 0)
		return -1;
	f->map = zct_map(f->fd, f->size);
	*state = f;
	return f->map ? 0 : -1;
}

static int teardown(void **state)
{
	struct fixture *f = &fixture;
	int dev = zct_open(f->memory->device);
	uint64_t after;

	if (f->map)
		munmap(f->map, f->size);
	if (f->fd >= 0)
		close(f->fd);
	if (f->dev >= 0)
		close(f->dev);
	after = zct_used(dev);
	close(dev);
	if (after != f->before)
		print_error("%llu bytes are still in use\n",
			    (unsigned long long)(after - f->before));
	return after == f->before ? 0 : -1;
}

/* What a child reports by its exit status; negative where a signal has ended it. */
static int wait_for(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, 0) != pid)
		return -errno;
	if (!WIFEXITED(status))
		return -WTERMSIG(status);
	return WEXITSTATUS(status);
}

static void test_buffer_is_whole_pages(void **state)
{
	struct fixture *f = *state;
	struct zct_segment segments[8];
	size_t num, total = 0;

	assert_int_equal(zct_used(f->dev) - f->before, f->size);
	assert_int_equal(lseek(f->fd, 0, SEEK_END), f->size);

	num = zct_segments(f->memory->device, segments, ARRAY_SIZE(segments));
	assert_in_range(num, 1, f->size / ZCT_PAGE);
	for (size_t i = 0; i < num; i++) {
		assert_int_equal(segments[i].address % ZCT_PAGE, 0);
		assert_int_equal(segments[i].len % ZCT_PAGE, 0);
		total += segments[i].len;
	}
	assert_int_equal(total, f->size);
}

/*
 * Memory mapped as "device" faults on these; only memory mapped as "normal" takes them all. (QEMU
 * models the fault from version 9 on. Before, this only shows that the bytes arrive.)
 */
static void test_buffer_takes_unaligned_access(void **state)
{
	struct fixture *f = *state;
	uint8_t *shadow = calloc(1, f->size);
	uint64_t x = 0x0123456789abcdefULL;

	assert_non_null(shadow);
	zct_fill(shadow, f->size, 1);
	memcpy(f->map, shadow, f->size);

	/* Across the first page's end, too. */
	for (size_t at = ZCT_PAGE - 96; at < ZCT_PAGE + 32; at++, x = x * 3 + 1) {
		uint8_t *p = f->map + at, *s = shadow + at;
		uint16_t x2 = x;
		uint32_t x4 = x;
		struct { uint64_t low, high; } y = { x, ~x };

#ifdef __aarch64__
		uint64_t in = 0, in2;

		asm volatile("strh %w1, [%0]" : : "r" (p), "r" (x2) : "memory");
		memcpy(s, &x2, 2);
		asm volatile("str %w1, [%0]" : : "r" (p + 3), "r" (x4) : "memory");
		memcpy(s + 3, &x4, 4);
		asm volatile("str %1, [%0]" : : "r" (p + 8), "r" (x) : "memory");
		memcpy(s + 8, &x, 8);
		asm volatile("stp %1, %2, [%0]" : : "r" (p + 17), "r" (y.low), "r" (y.high) : "memory");
		memcpy(s + 17, &y, 16);
		asm volatile("ldr q0, [%1]\n\tstr q0, [%0]" : : "r" (p + 34), "r" (p + 1)
			     : "v0", "memory");
		memmove(s + 34, s + 1, 16);
		asm volatile("ldp q0, q1, [%1]\n\tstp q0, q1, [%0]" : : "r" (p + 51), "r" (p + 5)
			     : "v0", "v1", "memory");
		memmove(s + 51, s + 5, 32);

		asm volatile("ldrh %w0, [%1]" : "=r" (in) : "r" (p) : "memory");
		assert_int_equal(in, x2);
		asm volatile("ldr %w0, [%1]" : "=r" (in) : "r" (p + 3) : "memory");
		assert_int_equal(in, x4);
		asm volatile("ldr %0, [%1]" : "=r" (in) : "r" (p + 8) : "memory");
		assert_int_equal(in, x);
		asm volatile("ldp %0, %1, [%2]" : "=&r" (in), "=&r" (in2) : "r" (p + 17) : "memory");
		assert_int_equal(in, y.low);
		assert_int_equal(in2, y.high);
#else
		memcpy(p, &x2, 2), memcpy(s, &x2, 2);
		memcpy(p + 3, &x4, 4), memcpy(s + 3, &x4, 4);
		memcpy(p + 8, &x, 8), memcpy(s + 8, &x, 8);
		memcpy(p + 17, &y, 16), memcpy(s + 17, &y, 16);
#endif
	}
	assert_memory_equal(f->map, shadow, f->size);

	/* What libc does with each length and alignment. */
	for (size_t len = 1; len < 300; len += 7) {
		for (size_t at = 0; at < 17; at++) {
			memset(f->map + at, len, len);
			memset(shadow + at, len, len);
			memcpy(f->map + ZCT_PAGE + at, f->map + 2 * ZCT_PAGE - at, len);
			memcpy(shadow + ZCT_PAGE + at, shadow + 2 * ZCT_PAGE - at, len);
			memmove(f->map + 3 * ZCT_PAGE - at, f->map + 3 * ZCT_PAGE, len);
			memmove(shadow + 3 * ZCT_PAGE - at, shadow + 3 * ZCT_PAGE, len);
		}
	}
	assert_memory_equal(f->map, shadow, f->size);

#ifdef __aarch64__
	/* The instruction behind a large memset(0), which memory of the wrong kind refuses. */
	uint64_t dczid, block;

	asm("mrs %0, dczid_el0" : "=r" (dczid));
	if (!(dczid & 16)) {
		block = 4 << (dczid & 15);
		for (size_t at = 0; at < f->size; at += 3 * block) {
			asm volatile("dc zva, %0" : : "r" (f->map + at) : "memory");
			memset(shadow + at, 0, block);
		}
		assert_memory_equal(f->map, shadow, f->size);
	}
#endif
	memset(f->map, 0, f->size);
	assert_true(zct_is_zero(f->map, f->size));
	free(shadow);
}

static void test_buffer_maps_at_an_offset(void **state)
{
	struct fixture *f = *state;

	zct_fill(f->map, f->size, 2);
	for (size_t first = 0; first < f->size; first += ZCT_PAGE) {
		uint8_t *part = mmap(NULL, f->size - first, PROT_READ | PROT_WRITE, MAP_SHARED,
				     f->fd, first);

		assert_ptr_not_equal(part, MAP_FAILED);
		assert_true(zct_holds_from(part, first, f->size - first, 2));
		part[7] ^= 0xff;
		assert_int_equal(part[7], f->map[first + 7]);
		part[7] ^= 0xff;
		munmap(part, f->size - first);
	}
}

static int map_error(int fd, size_t len, int prot, int flags, off_t offset)
{
	void *map = mmap(NULL, len, prot, flags, fd, offset);

	if (map == MAP_FAILED)
		return errno;
	munmap(map, len);
	return 0;
}

static void test_buffer_refuses_mappings_beyond_its_end(void **state)
{
	const int rw = PROT_READ | PROT_WRITE;
	struct fixture *f = *state;

	assert_int_equal(map_error(f->fd, f->asked, rw, MAP_SHARED, 0), 0);
	assert_int_equal(map_error(f->fd, f->size, rw, MAP_SHARED, 0), 0);
	assert_int_equal(map_error(f->fd, f->size + 1, rw, MAP_SHARED, 0), EINVAL);
	assert_int_equal(map_error(f->fd, 1UL << 30, rw, MAP_SHARED, 0), EINVAL);
	assert_int_equal(map_error(f->fd, f->size, rw, MAP_SHARED, ZCT_PAGE), EINVAL);
	assert_int_equal(map_error(f->fd, 2 * ZCT_PAGE, rw, MAP_SHARED, f->size - ZCT_PAGE), EINVAL);
	assert_int_equal(map_error(f->fd, 1, rw, MAP_SHARED, f->size), EINVAL);
	assert_int_equal(map_error(f->fd, 1, rw, MAP_SHARED, 1LL << 44), EINVAL);
	/* Where offset and length wrap around, the kernel stops it before the driver. */
	assert_int_not_equal(map_error(f->fd, f->size, rw, MAP_SHARED, -(off_t)ZCT_PAGE), 0);

	assert_int_equal(map_error(f->fd, 0, rw, MAP_SHARED, 0), EINVAL);
	assert_int_equal(map_error(f->fd, 1, rw, MAP_SHARED, 1), EINVAL);
	assert_int_equal(map_error(f->fd, 1, rw, MAP_SHARED, 512), EINVAL);
}

/* They would become copies at the first write, and see no frame from then on. */
static void test_buffer_refuses_private_mappings(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(map_error(f->fd, f->size, PROT_READ | PROT_WRITE, MAP_PRIVATE, 0), EINVAL);
	assert_int_equal(map_error(f->fd, f->size, PROT_READ, MAP_PRIVATE, 0), EINVAL);
	assert_int_equal(map_error(f->fd, ZCT_PAGE, PROT_NONE, MAP_PRIVATE, ZCT_PAGE), EINVAL);
}

static void test_buffer_is_shared_with_a_child(void **state)
{
	struct fixture *f = *state;
	pid_t pid;

	zct_fill(f->map, f->size, 3);
	pid = zct_fork();
	assert_int_not_equal(pid, -1);
	if (!pid) {
		if (!zct_holds(f->map, f->size, 3))
			_exit(1);
		zct_fill(f->map, f->size, 4);
		_exit(0);
	}
	assert_int_equal(wait_for(pid), 0);
	assert_true(zct_holds(f->map, f->size, 4));
}

/* The child's parent and the test let go of everything; the child still has its memory. */
static void test_buffer_in_a_child_outlives_the_parent(void **state)
{
	struct fixture *f = *state;
	int go[2], pid_pipe[2];
	pid_t parent, child;

	assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	assert_int_equal(pipe(go), 0);
	assert_int_equal(pipe(pid_pipe), 0);
	zct_fill(f->map, f->size, 5);
	parent = zct_fork();
	assert_int_not_equal(parent, -1);
	if (!parent) {
		char c;

		child = fork();
		if (child)
			_exit(child < 0 || write(pid_pipe[1], &child, sizeof(child)) < 0);
		close(go[1]);
		close(f->fd);
		close(f->dev);
		if (read(go[0], &c, 1) != 1 || !zct_holds(f->map, f->size, 5))
			_exit(1);
		zct_fill(f->map, f->size, 6);
		_exit(!zct_holds(f->map, f->size, 6));
	}
	close(pid_pipe[1]);
	assert_int_equal(wait_for(parent), 0);
	assert_int_equal(read(pid_pipe[0], &child, sizeof(child)), sizeof(child));

	munmap(f->map, f->size);
	f->map = NULL;
	close(f->fd);
	f->fd = -1;
	assert_int_equal(zct_used(f->dev) - f->before, f->size);
	assert_int_equal(write(go[1], "", 1), 1);
	assert_int_equal(wait_for(child), 0);
	assert_int_equal(zct_used(f->dev), f->before);

	close(go[0]);
	close(go[1]);
	close(pid_pipe[0]);
}

static void test_buffer_mapping_survives_every_descriptor(void **state)
{
	struct fixture *f = *state;
	int dev;

	zct_fill(f->map, f->size, 7);
	close(f->fd);
	f->fd = -1;
	close(f->dev);
	f->dev = -1;
	assert_true(zct_holds(f->map, f->size, 7));
	zct_fill(f->map, f->size, 8);
	assert_true(zct_holds(f->map, f->size, 8));

	dev = zct_open(f->memory->device);
	assert_true(dev >= 0);
	assert_int_equal(zct_used(dev) - f->before, f->size);
	munmap(f->map, f->size);
	f->map = NULL;
	assert_int_equal(zct_used(dev), f->before);
	close(dev);
}

static void test_buffer_mapping_moves_but_never_grows(void **state)
{
	struct fixture *f = *state;
	uint8_t *moved, *target;

	zct_fill(f->map, f->size, 9);
	assert_ptr_equal(mremap(f->map, f->size, 2 * f->size, 0), MAP_FAILED);
	assert_ptr_equal(mremap(f->map, f->size, f->size + ZCT_PAGE, MREMAP_MAYMOVE), MAP_FAILED);
	/* Length 0 asks for a second mapping of the same. */
	assert_ptr_equal(mremap(f->map, 0, 2 * f->size, MREMAP_MAYMOVE), MAP_FAILED);

	target = mmap(NULL, f->size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(target, MAP_FAILED);
	moved = mremap(f->map, f->size, f->size, MREMAP_MAYMOVE | MREMAP_FIXED, target);
	assert_ptr_equal(moved, target);
	f->map = moved;
	assert_true(zct_holds(f->map, f->size, 9));
	zct_fill(f->map, f->size, 10);
	assert_true(zct_holds(f->map, f->size, 10));

	assert_ptr_equal(mremap(f->map, f->size, ZCT_PAGE, 0), f->map);
	assert_true(zct_holds(f->map, ZCT_PAGE, 10));
	assert_ptr_equal(mremap(f->map, ZCT_PAGE, f->size, MREMAP_MAYMOVE), MAP_FAILED);

	/* The one page left holds the whole buffer. */
	close(f->fd);
	f->fd = -1;
	assert_int_equal(zct_used(f->dev) - f->before, f->size);
	munmap(f->map, ZCT_PAGE);
	f->map = NULL;
	assert_int_equal(zct_used(f->dev), f->before);
}

static void test_buffer_is_unmapped_in_pieces(void **state)
{
	struct fixture *f = *state;

	zct_fill(f->map, f->size, 11);
	close(f->fd);
	f->fd = -1;
	munmap(f->map + 2 * ZCT_PAGE, ZCT_PAGE);
	munmap(f->map, ZCT_PAGE);
	assert_true(zct_holds_from(f->map + ZCT_PAGE, ZCT_PAGE, ZCT_PAGE, 11));
	assert_true(zct_holds_from(f->map + 3 * ZCT_PAGE, 3 * ZCT_PAGE, 3 * ZCT_PAGE, 11));
	munmap(f->map + 3 * ZCT_PAGE, 3 * ZCT_PAGE);
	assert_int_equal(zct_used(f->dev) - f->before, f->size);
	munmap(f->map + ZCT_PAGE, ZCT_PAGE);
	f->map = NULL;
	assert_int_equal(zct_used(f->dev), f->before);
}

static void test_buffer_dup_is_the_same_memory(void **state)
{
	struct fixture *f = *state;
	int copy = fcntl(f->fd, F_DUPFD_CLOEXEC, 0);
	uint8_t *map;

	assert_true(copy >= 0);
	close(f->fd);
	f->fd = copy;
	map = zct_map(copy, f->size);
	assert_non_null(map);
	zct_fill(f->map, f->size, 12);
	assert_true(zct_holds(map, f->size, 12));
	munmap(map, f->size);
	assert_int_equal(zct_used(f->dev) - f->before, f->size);
}

union control {
	struct cmsghdr header;
	char bytes[CMSG_SPACE(sizeof(int))];
};

static int send_fd(int sock, int fd)
{
	char c = 0;
	struct iovec iov = { &c, 1 };
	union control control = {
		.header = {
			.cmsg_len = CMSG_LEN(sizeof(int)),
			.cmsg_level = SOL_SOCKET,
			.cmsg_type = SCM_RIGHTS,
		},
	};
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};

	memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
	return sendmsg(sock, &msg, 0) == 1 ? 0 : -1;
}

static int receive_fd(int sock)
{
	char c;
	struct iovec iov = { &c, 1 };
	union control control;
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	int fd;

	if (recvmsg(sock, &msg, MSG_CMSG_CLOEXEC) != 1 || !CMSG_FIRSTHDR(&msg))
		return -1;
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(fd));
	return fd;
}

static int receiver(int sock, size_t size)
{
	int fd = receive_fd(sock);
	uint8_t *map;
	char c = 0;

	map = fd < 0 ? NULL : zct_map(fd, size);
	if (!map)
		return 1;
	close(fd);
	if (!zct_holds(map, size, 13))
		return 2;
	zct_fill(map, size, 14);
	if (write(sock, &c, 1) != 1)
		return 3;
	/* The sender closes its own now, and says so. */
	if (read(sock, &c, 1) != 1)
		return 4;
	return zct_holds(map, size, 15) ? 0 : 5;
}

/* Allocated after the fork, so that the socket is the only way to it. */
static void test_buffer_passes_to_another_process(void **state)
{
	struct fixture *f = *state;
	int sock[2], fd;
	uint8_t *map;
	pid_t pid;
	char c = 0;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sock), 0);
	pid = zct_fork();
	assert_int_not_equal(pid, -1);
	if (!pid) {
		close(sock[0]);
		_exit(receiver(sock[1], f->size));
	}
	close(sock[1]);
	fd = zct_alloc(f->dev, f->asked, f->memory->flags);
	assert_true(fd >= 0);
	map = zct_map(fd, f->size);
	assert_non_null(map);
	zct_fill(map, f->size, 13);
	assert_int_equal(send_fd(sock[0], fd), 0);
	close(fd);
	assert_int_equal(read(sock[0], &c, 1), 1);
	assert_true(zct_holds(map, f->size, 14));
	zct_fill(map, f->size, 15);
	munmap(map, f->size);
	assert_int_equal(zct_used(f->dev) - f->before, 2 * f->size);
	assert_int_equal(write(sock[0], &c, 1), 1);
	assert_int_equal(wait_for(pid), 0);
	assert_int_equal(zct_used(f->dev) - f->before, f->size);
	close(sock[0]);
}

/* A descriptor on its way, which nobody receives, must not hold the memory for ever. */
static void test_buffer_lost_in_a_socket_is_freed(void **state)
{
	struct fixture *f = *state;
	int sock[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sock), 0);
	assert_int_equal(send_fd(sock[0], f->fd), 0);
	close(f->fd);
	f->fd = -1;
	munmap(f->map, f->size);
	f->map = NULL;
	assert_int_equal(zct_used(f->dev) - f->before, f->size);
	close(sock[0]);
	close(sock[1]);
	assert_int_equal(zct_used(f->dev), f->before);
}

static void test_buffer_is_an_argument_of_read_and_write(void **state)
{
	struct fixture *f = *state;
	const size_t at = 77, len = f->size - 2 * 77;
	int fd = memfd_create("test-buffer", MFD_CLOEXEC);

	assert_true(fd >= 0);
	zct_fill(f->map, f->size, 16);
	assert_int_equal(write(fd, f->map + at, len), len);
	memset(f->map, 0, f->size);
	assert_int_equal(pread(fd, f->map + at, len, 0), len);
	assert_true(zct_holds_from(f->map + at, at, len, 16));
	assert_true(zct_is_zero(f->map, at));
	assert_true(zct_is_zero(f->map + at + len, f->size - at - len));
	close(fd);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_buffer_is_whole_pages),
	cmocka_unit_test(test_buffer_takes_unaligned_access),
	cmocka_unit_test(test_buffer_maps_at_an_offset),
	cmocka_unit_test(test_buffer_refuses_mappings_beyond_its_end),
	cmocka_unit_test(test_buffer_refuses_private_mappings),
	cmocka_unit_test(test_buffer_is_shared_with_a_child),
	cmocka_unit_test(test_buffer_in_a_child_outlives_the_parent),
	cmocka_unit_test(test_buffer_mapping_survives_every_descriptor),
	cmocka_unit_test(test_buffer_mapping_moves_but_never_grows),
	cmocka_unit_test(test_buffer_is_unmapped_in_pieces),
	cmocka_unit_test(test_buffer_dup_is_the_same_memory),
	cmocka_unit_test(test_buffer_passes_to_another_process),
	cmocka_unit_test(test_buffer_lost_in_a_socket_is_freed),
	cmocka_unit_test(test_buffer_is_an_argument_of_read_and_write),
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
	return cmocka_run_group_tests_name("buffer", tests, NULL, NULL);
}
