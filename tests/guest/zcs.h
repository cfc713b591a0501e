/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * zcs.h - a stream as the kernel's interface has it, without the library, for tests
 *
 * Every helper fails the cmocka test that calls it when something is wrong. Include after
 * cmocka.h.
 */
#ifndef ZCS_H
#define ZCS_H

#include <dirent.h>
#include <limits.h>
#include <poll.h>
#include <stdatomic.h>
#include <time.h>

#include "zct.h"

#define ZCS_DEADLINE_MS	20000

/**
 * struct zcs - an open stream
 * @arg: what it was opened with, and what the kernel said
 * @fd: -1: closed
 * @area: the rings
 * @maps: the buffers, NULL where there is no mapping
 */
struct zcs {
	struct zcdma_stream_open arg;
	int fd;
	uint8_t *area;
	uint8_t *maps[64];
};

/* Index of a channel by name. */
static inline uint32_t zcs_channel(int dev, const char *name)
{
	for (uint32_t i = 0;; i++) {
		struct zcdma_channel_info info = { .index = i };

		assert_int_equal(zct_ioctl(dev, ZCDMA_IOC_CHANNEL_INFO, &info), 0);
		if (!strcmp(info.name, name))
			return i;
	}
}

static inline uint32_t zcs_owner(int dev, const char *name)
{
	struct zcdma_channel_info info = { .index = zcs_channel(dev, name) };

	assert_int_equal(zct_ioctl(dev, ZCDMA_IOC_CHANNEL_INFO, &info), 0);
	return info.owner;
}

static inline void zcs_map(struct zcs *s)
{
	uint64_t length = s->arg.buffers_stride;

	s->fd = s->arg.fd;
	s->area = zct_map(s->fd, s->arg.ring_size);
	assert_non_null(s->area);
	for (uint32_t i = 0; i < s->arg.num_buffers && i < 64; i++) {
		void *map;

		s->maps[i] = NULL;
		if (s->arg.flags & ZCDMA_STREAM_IMPORT)
			continue;
		map = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED, s->fd,
			   (off_t)(s->arg.buffers_offset + i * length));
		assert_true(map != MAP_FAILED);
		s->maps[i] = map;
	}
}

/* A stream of a raw channel. */
static inline void zcs_open(struct zcs *s, int dev, const char *channel, uint32_t num,
			    uint64_t size, uint32_t flags)
{
	*s = (struct zcs) {
		.arg = {
			.channel = zcs_channel(dev, channel),
			.flags = flags,
			.fd_flags = O_CLOEXEC,
			.num_buffers = num,
			.buffer_size = size,
		},
	};
	assert_int_equal(zct_ioctl(dev, ZCDMA_IOC_STREAM_OPEN, &s->arg), 0);
	zcs_map(s);
}

static inline void zcs_close(struct zcs *s)
{
	for (uint32_t i = 0; i < s->arg.num_buffers && i < 64; i++)
		if (s->maps[i])
			munmap(s->maps[i], s->arg.buffers_stride);
	munmap(s->area, s->arg.ring_size);
	close(s->fd);
	s->fd = -1;
}

static inline _Atomic uint32_t *zcs_word(const struct zcs *s, uint32_t offset)
{
	return (_Atomic uint32_t *)(s->area + offset);
}

/* Put an entry into the fill ring; whether the kernel asks for a kick. */
static inline bool zcs_put(struct zcs *s, struct zcdma_fill entry)
{
	const struct zcdma_ring_info *r = &s->arg.fill;
	_Atomic uint32_t *tail = zcs_word(s, r->tail);
	uint32_t at = atomic_load(tail) & (r->num_entries - 1);

	memcpy(s->area + r->entries + at * r->entry_size, &entry, sizeof(entry));
	atomic_store(tail, atomic_load(tail) + 1);
	return atomic_load(zcs_word(s, r->flags)) & ZCDMA_RING_NEED_KICK;
}

static inline void zcs_call(struct zcs *s, unsigned long request)
{
	assert_int_equal(zct_ioctl(s->fd, request, NULL), 0);
}

static inline void zcs_fill(struct zcs *s, uint32_t index)
{
	if (zcs_put(s, (struct zcdma_fill) { .index = index }))
		zcs_call(s, ZCDMA_IOC_STREAM_KICK);
}

/* Take an entry from the done ring; false: there is none. */
static inline bool zcs_take(struct zcs *s, struct zcdma_done *done)
{
	const struct zcdma_ring_info *r = &s->arg.done;
	_Atomic uint32_t *head = zcs_word(s, r->head);
	uint32_t at = atomic_load(head);

	if (at == atomic_load(zcs_word(s, r->tail)))
		return false;
	memcpy(done, s->area + r->entries + (at & (r->num_entries - 1)) * r->entry_size,
	       sizeof(*done));
	atomic_store(head, at + 1);
	return true;
}

static inline short zcs_poll(struct zcs *s, int timeout_ms)
{
	struct pollfd pfd = { .fd = s->fd, .events = POLLIN };

	assert_true(poll(&pfd, 1, timeout_ms) >= 0);
	return pfd.revents;
}

/* Take an entry, waiting for it. */
static inline struct zcdma_done zcs_wait(struct zcs *s)
{
	struct zcdma_done done;

	while (!zcs_take(s, &done))
		assert_int_equal(zcs_poll(s, ZCS_DEADLINE_MS), POLLIN);
	assert_true(done.index < s->arg.num_buffers);
	assert_int_equal(done.reserved, 0);
	return done;
}

/* Entries of the done ring that are there, and how many of them are errors. */
static inline unsigned int zcs_drop(struct zcs *s, unsigned int *errors)
{
	struct zcdma_done done;
	unsigned int num = 0;

	*errors = 0;
	for (; zcs_take(s, &done); num++)
		*errors += !!(done.frame.flags & ZCDMA_FRAME_ERROR);
	return num;
}

static inline uint32_t zcs_invalid(struct zcs *s)
{
	return atomic_load(zcs_word(s, s->arg.invalid));
}

static inline uint32_t zcs_need_kick(struct zcs *s)
{
	return atomic_load(zcs_word(s, s->arg.fill.flags)) & ZCDMA_RING_NEED_KICK;
}

/* Whether @map holds counter words from @*next on, which it then counts. */
static inline bool zcs_counts(const uint8_t *map, size_t len, uint32_t *next)
{
	const uint32_t *words = (const uint32_t *)(const void *)map;

	for (size_t i = 0; i < len / 4; i++)
		if (words[i] != (*next)++)
			return false;
	return true;
}

/*
 * Wait until a thread of this process, which writes its number to @tid, sleeps in a system call: it
 * has come there, and found nothing.
 */
static inline void zcs_wait_asleep(const _Atomic pid_t *tid, long number)
{
	const struct timespec pause = { .tv_nsec = 1000000 };

	for (unsigned int ms = 0; ms < ZCS_DEADLINE_MS; ms++) {
		char path[64], text[64] = "";
		int fd;

		snprintf(path, sizeof(path), "/proc/self/task/%d/syscall", atomic_load(tid));
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd >= 0 && read(fd, text, sizeof(text) - 1) < 0)
			text[0] = '\0';
		close(fd);
		/* Else "running". */
		if (text[0] >= '0' && text[0] <= '9' && strtol(text, NULL, 10) == number)
			return;
		nanosleep(&pause, NULL);
	}
	fail_msg("the thread does not wait in system call %ld", number);
}

static inline unsigned int zcs_count_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned int num = 0;

	assert_non_null(dir);
	while (readdir(dir))
		num++;
	closedir(dir);
	return num;
}

static inline void zcs_write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

/* What virt0's raw sink has counted: "bytes" or another file of its debugfs folder. */
static inline uint64_t zcs_sink_value(const char *name)
{
	long long value = 0;
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "/sys/kernel/debug/zcdma/virt0/raw-out/sink/%s", name);
	f = fopen(path, "r");
	assert_non_null(f);
	assert_int_equal(fscanf(f, "%lli", &value), 1);
	fclose(f);
	return value;
}

#endif /* ZCS_H */
