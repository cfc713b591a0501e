/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * zct.h - what the tests of buffers and of the native interface share
 *
 * The test machine has two devices: virt0 is not DMA-coherent and has a memory-region, virt1 is
 * coherent and has none. With both kinds of buffer that makes four memories which a program
 * must not be able to tell apart.
 */
#ifndef ZCT_H
#define ZCT_H

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>
#include <linux/dma-buf.h>
#include <linux/zcdma.h>

#define ZCT_COHERENT	0
#define ZCT_PAGE	((size_t)sysconf(_SC_PAGESIZE))

struct zct_memory {
	const char *device;
	uint32_t flags;
	const char *name;
};

static const struct zct_memory zct_memories[] __attribute__((unused)) = {
	{ "virt0", ZCT_COHERENT, "pool_coherent" },
	{ "virt0", ZCDMA_BUFFER_CACHED, "pool_cached" },
	{ "virt1", ZCT_COHERENT, "system_coherent" },
	{ "virt1", ZCDMA_BUFFER_CACHED, "system_cached" },
};

/* Made for finding bugs (tests/vm/debug.config): slow, and worth longer tests. */
static inline bool zct_is_debug_kernel(void)
{
	return !access("/sys/kernel/debug/failslab", F_OK);
}

/* 0 or -errno, so that an assertion shows what went wrong. */
static inline int zct_ioctl(int fd, unsigned long request, void *arg)
{
	return ioctl(fd, request, arg) ? -errno : 0;
}

static inline int zct_open(const char *device)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/dev/zcdma/%s/device", device);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
	return fd < 0 ? -errno : fd;
}

/* The dma-buf, or -errno. */
static inline int zct_alloc(int dev, uint64_t size, uint32_t flags)
{
	struct zcdma_buffer_alloc alloc = {
		.size = size,
		.flags = flags,
		.fd_flags = O_RDWR | O_CLOEXEC,
	};
	int ret = zct_ioctl(dev, ZCDMA_IOC_BUFFER_ALLOC, &alloc);

	return ret ? ret : alloc.fd;
}

static inline int zct_sync(int dmabuf, uint64_t flags)
{
	struct dma_buf_sync sync = { .flags = flags };

	return zct_ioctl(dmabuf, DMA_BUF_IOCTL_SYNC, &sync);
}

/* NULL on failure, with errno. */
static inline void *zct_map(int fd, size_t size)
{
	void *map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	return map == MAP_FAILED ? NULL : map;
}

/* Bytes in use by buffers of a device; UINT64_MAX on failure. */
static inline uint64_t zct_used(int dev)
{
	struct zcdma_device_info info;

	return zct_ioctl(dev, ZCDMA_IOC_DEVICE_INFO, &info) ? UINT64_MAX : info.pool_used;
}

struct zct_segment {
	uint64_t address;
	uint64_t len;
};

/*
 * Where the DMA engine finds the newest buffer of a device: the last line of a file that only root
 * can read. The number of segments, 0 on failure.
 */
static inline size_t zct_segments(const char *device, struct zct_segment *segments, size_t max)
{
	char path[64], *line = NULL, *at = NULL;
	size_t size = 0, n = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/sys/kernel/debug/zcdma/%s/buffers", device);
	f = fopen(path, "r");
	while (f && getline(&line, &size, f) > 0)
		at = line;
	if (f)
		fclose(f);
	at = at ? strstr(at, " dma ") : NULL;
	at = at ? at + 4 : "";
	for (; *at == ' ' && n < max; n++) {
		segments[n].address = strtoull(at, &at, 16);
		segments[n].len = *at == '+' ? strtoull(at + 1, &at, 16) : 0;
	}
	free(line);
	return n;
}

/* The kernel's messages from now on; -1 on failure. */
static inline int zct_open_log(void)
{
	int log = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	lseek(log, 0, SEEK_END);
	return log;
}

/*
 * How many there were about memory, from whomever, since zct_open_log() or the last call; @message
 * gets the last one. (A slow machine makes the kernel say other things, at any time.)
 */
static inline unsigned int zct_read_log(int log, char *message, size_t size)
{
	static const char * const about[] = { "zcdma", "emory", "alloc", "cma", "oom" };
	char record[4096];
	unsigned int n = 0;
	ssize_t len;

	while ((len = read(log, record, sizeof(record) - 1)) > 0) {
		char *text;

		record[len] = '\0';
		text = strchr(record, ';') + 1;
		text[strcspn(text, "\n")] = '\0';
		for (size_t i = 0; i < sizeof(about) / sizeof(about[0]); i++) {
			if (!strstr(text, about[i]))
				continue;
			snprintf(message, size, "%s", text);
			n++;
			break;
		}
	}
	return n;
}

/* The numbers of a message in order, from "no room" on: the device's name may have some, too. */
static inline size_t zct_numbers(const char *message, uint64_t *numbers, size_t max)
{
	const char *at = strstr(message, "no room");
	size_t n = 0;

	while (at && n < max && (at = strpbrk(at, "0123456789")))
		numbers[n++] = strtoull(at, (char **)&at, 10);
	return n;
}

/*
 * The lowest free descriptor. It tells of one that was leaked even where only its number was: that
 * is not listed in /proc/self/fd.
 */
static inline int zct_next_fd(void)
{
	int next = dup(STDERR_FILENO);

	close(next);
	return next;
}

/* A child that dies of its faults, which cmocka would take for the test's, and with its parent. */
static inline pid_t zct_fork(void)
{
	pid_t pid = fork();

	if (!pid) {
		signal(SIGSEGV, SIG_DFL);
		signal(SIGBUS, SIG_DFL);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	}
	return pid;
}

/* Bytes that tell their place and @seed, without a period that a page could hide. */
static inline uint8_t zct_byte(size_t at, uint32_t seed)
{
	uint32_t x = (uint32_t)(at >> 2) * 2654435761u + seed * 40503u;

	return (x ^ x >> 15) >> 8 * (at & 3);
}

static inline void zct_fill(uint8_t *p, size_t len, uint32_t seed)
{
	for (size_t at = 0; at < len; at++)
		p[at] = zct_byte(at, seed);
}

/* Whether @p holds the bytes from @first on of what zct_fill() writes. */
static inline bool zct_holds_from(const uint8_t *p, size_t first, size_t len, uint32_t seed)
{
	for (size_t at = 0; at < len; at++)
		if (p[at] != zct_byte(first + at, seed))
			return false;
	return true;
}

static inline bool zct_holds(const uint8_t *p, size_t len, uint32_t seed)
{
	return zct_holds_from(p, 0, len, seed);
}

static inline bool zct_is_zero(const uint8_t *p, size_t len)
{
	return !*p && !memcmp(p, p + 1, len - 1);
}

#endif /* ZCT_H */
