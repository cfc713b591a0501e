/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * zcv.h - what the tests of the video nodes share: a node, its buffers, and the virtual device
 * behind it. Every helper fails the cmocka test that calls it when something is wrong; what a
 * failed test has left open is cleaned up by zcv_teardown().
 *
 * The guest has two virtual devices: virt0 is not DMA-coherent and has a memory-region, virt1 is
 * coherent and has none. Each has a camera cam0 with a display out0 looped to it.
 */
#ifndef ZCV_H
#define ZCV_H

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <linux/dma-buf.h>
#include <linux/videodev2.h>
#include <linux/zcdma.h>

#define ZCV_MAX_BUFFERS	64
#define ZCV_DEADLINE_MS	20000

#define NSEC_PER_SEC	1000000000ULL
#define NSEC_PER_MSEC	1000000ULL

/* Room for a line of a file in /sys, and for the path of a node. */
#define ZCV_TEXT	256

#define ZCV_TEST(test)	cmocka_unit_test_teardown(test, zcv_teardown)

/**
 * struct zcv - an open video node
 * @fd: -1: closed
 * @type: V4L2_BUF_TYPE_VIDEO_CAPTURE or _OUTPUT
 * @memory: of the buffers
 * @pix: as the driver has set it
 * @count: buffers
 * @map: their mappings, where the memory is MMAP
 * @length: bytes of each mapping
 */
struct zcv {
	int fd;
	__u32 type;
	__u32 memory;
	struct v4l2_pix_format pix;
	unsigned int count;
	uint8_t *map[ZCV_MAX_BUFFERS];
	size_t length[ZCV_MAX_BUFFERS];
};

/* The device under test. */
static const char *zcv_device = "virt0";

static struct zcv *zcv_opened[16];

static inline void zcv_fail(const char *what)
{
	fail_msg("%s: %s", what, strerror(errno));
}

#define zcv_ioctl(fd, request, arg) \
	do { \
		if (ioctl(fd, request, arg)) \
			zcv_fail(#request); \
	} while (0)

#define zcv_ioctl_fails(fd, request, arg, error) \
	do { \
		errno = 0; \
		assert_int_equal(ioctl(fd, request, arg), -1); \
		assert_int_equal(errno, error); \
	} while (0)

static inline uint64_t zcv_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * NSEC_PER_SEC + ts.tv_nsec;
}

static inline uint64_t zcv_time_us(const struct v4l2_buffer *b)
{
	return b->timestamp.tv_sec * 1000000ULL + b->timestamp.tv_usec;
}

/* ---- The device behind the nodes ---- */

static inline bool zcv_read_text(const char *path, char text[ZCV_TEXT])
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = -1;

	if (fd >= 0) {
		n = read(fd, text, ZCV_TEXT - 1);
		close(fd);
	}
	text[n < 0 ? 0 : n] = '\0';
	text[strcspn(text, "\n")] = '\0';
	return n >= 0;
}

static inline int zcv_write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t n;
	int error;

	if (fd < 0)
		return -errno;
	n = write(fd, text, strlen(text));
	error = n < 0 ? -errno : 0;
	close(fd);
	return error;
}

/*
 * Find the entry of a class whose attribute @attr has the value @value, put its name into @entry.
 */
static inline bool zcv_find(const char *class, const char *attr, const char *value,
			    char entry[ZCV_TEXT])
{
	char path[PATH_MAX], text[ZCV_TEXT];
	bool found = false;
	struct dirent *e;
	DIR *dir;

	snprintf(path, sizeof(path), "/sys/class/%s", class);
	dir = opendir(path);
	while (dir && !found && (e = readdir(dir))) {
		snprintf(path, sizeof(path), "/sys/class/%s/%s/%s", class, e->d_name, attr);
		found = zcv_read_text(path, text) && !strcmp(text, value);
		if (found)
			snprintf(entry, ZCV_TEXT, "%s", e->d_name);
	}
	if (dir)
		closedir(dir);
	return found;
}

/* /dev/zcdmaN; the caller closes it. */
static inline int zcv_open_device(void)
{
	char path[PATH_MAX], entry[ZCV_TEXT];
	int fd;

	if (!zcv_find("zcdma", "name", zcv_device, entry))
		fail_msg("the device %s is not there", zcv_device);
	snprintf(path, sizeof(path), "/dev/%s", entry);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		zcv_fail(path);
	return fd;
}

static inline uint64_t zcv_pool_used(void)
{
	struct zcdma_device_info info;
	int fd = zcv_open_device();

	zcv_ioctl(fd, ZCDMA_IOC_DEVICE_INFO, &info);
	close(fd);
	return info.pool_used;
}

static inline void zcv_owner(const char *chan, char owner[ZCV_TEXT])
{
	char path[PATH_MAX], name[ZCV_TEXT], entry[ZCV_TEXT];

	snprintf(name, sizeof(name), "%s/%s", zcv_device, chan);
	if (!zcv_find("zcdma-channel", "path", name, entry))
		fail_msg("there is no channel %s", name);
	snprintf(path, sizeof(path), "/sys/class/zcdma-channel/%s/owner", entry);
	assert_true(zcv_read_text(path, owner));
}

#define zcv_assert_owner(chan, expected) \
	do { \
		char owner_[ZCV_TEXT]; \
		\
		zcv_owner(chan, owner_); \
		assert_string_equal(owner_, expected); \
	} while (0)

/* Faults on demand are files in debugfs: zcdma_virt_fault.c. */
static inline void zcv_set_fault(const char *chan, const char *fault, const char *value)
{
	char path[PATH_MAX];
	int ret;

	snprintf(path, sizeof(path), "/sys/kernel/debug/zcdma/%s/%s/fault/%s", zcv_device,
		 chan, fault);
	ret = zcv_write_text(path, value);
	if (ret)
		fail_msg("%s: %s", path, strerror(-ret));
}

static inline long zcv_fault(const char *chan, const char *fault)
{
	char path[PATH_MAX], text[ZCV_TEXT];

	snprintf(path, sizeof(path), "/sys/kernel/debug/zcdma/%s/%s/fault/%s", zcv_device,
		 chan, fault);
	if (!zcv_read_text(path, text))
		zcv_fail(path);
	return strtol(text, NULL, 0);
}

/* ---- Modules ---- */

/* udev opens each new node once, and whoever has a node open holds its module. */
static inline int zcv_settle(void)
{
	return system("udevadm settle -t 600");
}

static inline int zcv_unload_vivid(void)
{
	return zcv_settle() || system("modprobe -r vivid");
}

/* ---- Nodes ---- */

/* The node of a channel; false: there is none. No udev in between: devtmpfs makes it at once. */
static inline bool zcv_path(const char *chan, char path[ZCV_TEXT])
{
	char name[ZCV_TEXT], entry[ZCV_TEXT];

	snprintf(name, sizeof(name), "%s %s", zcv_device, chan);
	if (!zcv_find("video4linux", "name", name, entry))
		return false;
	snprintf(path, ZCV_TEXT, "/dev/%.200s", entry);
	return true;
}

static inline void zcv_format(struct zcv *v, __u32 fourcc, unsigned int width,
			      unsigned int height)
{
	struct v4l2_format fmt = { .type = v->type };

	fmt.fmt.pix.width = width;
	fmt.fmt.pix.height = height;
	fmt.fmt.pix.pixelformat = fourcc;
	fmt.fmt.pix.field = V4L2_FIELD_NONE;
	zcv_ioctl(v->fd, VIDIOC_S_FMT, &fmt);
	v->pix = fmt.fmt.pix;
	assert_int_equal(v->pix.pixelformat, fourcc);
}

/* Both kinds have the interval at the same place of the union. */
static inline void zcv_interval(struct zcv *v, __u32 numerator, __u32 denominator)
{
	struct v4l2_streamparm parm = { .type = v->type };

	parm.parm.capture.timeperframe = (struct v4l2_fract) { numerator, denominator };
	zcv_ioctl(v->fd, VIDIOC_S_PARM, &parm);
}

static inline void zcv_control(struct zcv *v, __u32 id, int value)
{
	struct v4l2_control control = { .id = id, .value = value };

	if (ioctl(v->fd, VIDIOC_S_CTRL, &control))
		fail_msg("control %#x = %d: %s", id, value, strerror(errno));
}

/* The value of the test pattern control with this name. */
static inline int zcv_pattern(struct zcv *v, const char *name)
{
	struct v4l2_querymenu menu = { .id = V4L2_CID_TEST_PATTERN };

	for (; !ioctl(v->fd, VIDIOC_QUERYMENU, &menu); menu.index++)
		if (!strcmp((char *)menu.name, name))
			return menu.index;
	fail_msg("there is no test pattern \"%s\"", name);
	return -1;
}

/* Settings outlive a file, so each test starts from the same. */
static inline void zcv_defaults(struct zcv *v)
{
	if (v->type == V4L2_BUF_TYPE_VIDEO_CAPTURE) {
		zcv_control(v, V4L2_CID_TEST_PATTERN, 0);
		zcv_control(v, ZCDMA_V4L2_CID_STAMPS, 0);
		zcv_control(v, V4L2_CID_EXPOSURE_ABSOLUTE, 100);
	}
	zcv_format(v, V4L2_PIX_FMT_YUYV, 640, 480);
	zcv_interval(v, 1, 100);
}

static inline void zcv_open_path(struct zcv *v, const char *path, int flags)
{
	struct v4l2_capability cap;

	memset(v, 0, sizeof(*v));
	v->fd = open(path, O_RDWR | O_CLOEXEC | flags);
	if (v->fd < 0)
		zcv_fail(path);
	for (size_t i = 0; ; i++) {
		assert_true(i < sizeof(zcv_opened) / sizeof(zcv_opened[0]));
		if (!zcv_opened[i]) {
			zcv_opened[i] = v;
			break;
		}
	}
	zcv_ioctl(v->fd, VIDIOC_QUERYCAP, &cap);
	v->type = cap.device_caps & V4L2_CAP_VIDEO_OUTPUT ? V4L2_BUF_TYPE_VIDEO_OUTPUT :
							    V4L2_BUF_TYPE_VIDEO_CAPTURE;
}

/* As another program left it. */
static inline void zcv_open_raw(struct zcv *v, const char *chan, int flags)
{
	char path[ZCV_TEXT];

	if (!zcv_path(chan, path))
		fail_msg("there is no node for %s", chan);
	zcv_open_path(v, path, flags);
}

static inline void zcv_open(struct zcv *v, const char *chan)
{
	zcv_open_raw(v, chan, 0);
	zcv_defaults(v);
}

static inline void zcv_unmap(struct zcv *v)
{
	for (unsigned int i = 0; i < ZCV_MAX_BUFFERS; i++)
		if (v->map[i])
			munmap(v->map[i], v->length[i]);
	memset(v->map, 0, sizeof(v->map));
}

/* Harmless when called again. */
static inline void zcv_close(struct zcv *v)
{
	for (size_t i = 0; i < sizeof(zcv_opened) / sizeof(zcv_opened[0]); i++) {
		if (zcv_opened[i] != v)
			continue;
		zcv_opened[i] = NULL;
		zcv_unmap(v);
		close(v->fd);
		v->fd = -1;
	}
}

/* For cmocka. A struct zcv must not be on the stack of the test: after a failure that is gone. */
static inline int zcv_teardown(void **state)
{
	for (size_t i = 0; i < sizeof(zcv_opened) / sizeof(zcv_opened[0]); i++)
		if (zcv_opened[i])
			zcv_close(zcv_opened[i]);
	return 0;
}

/* ---- Buffers ---- */

static inline struct v4l2_buffer zcv_buffer(const struct zcv *v, unsigned int index)
{
	return (struct v4l2_buffer) {
		.type = v->type,
		.memory = v->memory,
		.index = index,
	};
}

static inline void zcv_map(struct zcv *v, unsigned int index)
{
	struct v4l2_buffer b = zcv_buffer(v, index);

	zcv_ioctl(v->fd, VIDIOC_QUERYBUF, &b);
	v->map[index] = mmap(NULL, b.length, PROT_READ | PROT_WRITE, MAP_SHARED, v->fd,
			     b.m.offset);
	if (v->map[index] == MAP_FAILED) {
		v->map[index] = NULL;
		zcv_fail("mmap");
	}
	v->length[index] = b.length;
}

/*
 * Exactly @count buffers, of which VIDIOC_REQBUFS may give more, and mappings where the memory is
 * MMAP. @flags: V4L2_MEMORY_FLAG_*
 */
static inline void zcv_alloc(struct zcv *v, __u32 memory, unsigned int count, __u8 flags)
{
	struct v4l2_create_buffers create = {
		.count = count,
		.memory = memory,
		.flags = flags,
		.format = { .type = v->type, .fmt.pix = v->pix },
	};

	zcv_ioctl(v->fd, VIDIOC_CREATE_BUFS, &create);
	assert_int_equal(create.index, 0);
	assert_int_equal(create.count, count);
	assert_int_equal(create.flags, flags);
	v->memory = memory;
	v->count = count;
	for (unsigned int i = 0; memory == V4L2_MEMORY_MMAP && i < count; i++)
		zcv_map(v, i);
}

/* Stop, unmap all, and give the buffers back. */
static inline void zcv_free(struct zcv *v)
{
	struct v4l2_requestbuffers req = { .type = v->type, .memory = v->memory };

	zcv_unmap(v);
	zcv_ioctl(v->fd, VIDIOC_STREAMOFF, &v->type);
	zcv_ioctl(v->fd, VIDIOC_REQBUFS, &req);
	v->count = 0;
}

static inline void zcv_queue(struct zcv *v, unsigned int index)
{
	struct v4l2_buffer b = zcv_buffer(v, index);

	if (v->type == V4L2_BUF_TYPE_VIDEO_OUTPUT)
		b.bytesused = v->pix.sizeimage;
	zcv_ioctl(v->fd, VIDIOC_QBUF, &b);
}

static inline void zcv_queue_all(struct zcv *v)
{
	for (unsigned int i = 0; i < v->count; i++)
		zcv_queue(v, i);
}

static inline void zcv_on(struct zcv *v)
{
	zcv_ioctl(v->fd, VIDIOC_STREAMON, &v->type);
}

static inline void zcv_off(struct zcv *v)
{
	zcv_ioctl(v->fd, VIDIOC_STREAMOFF, &v->type);
}

/* Wait for @events; a deadline turns a hang into a failure. */
static inline short zcv_poll(int fd, short events)
{
	struct pollfd p = { .fd = fd, .events = events };
	int n = poll(&p, 1, ZCV_DEADLINE_MS);

	if (n < 0)
		zcv_fail("poll");
	if (!n)
		fail_msg("nothing came within %d ms", ZCV_DEADLINE_MS);
	return p.revents;
}

static inline struct v4l2_buffer zcv_dequeue(struct zcv *v)
{
	struct v4l2_buffer b = zcv_buffer(v, 0);

	zcv_poll(v->fd, v->type == V4L2_BUF_TYPE_VIDEO_OUTPUT ? POLLOUT : POLLIN);
	zcv_ioctl(v->fd, VIDIOC_DQBUF, &b);
	return b;
}

/* All that most tests want: @count buffers, queued, and the stream on. */
static inline void zcv_start(struct zcv *v, unsigned int count)
{
	zcv_alloc(v, V4L2_MEMORY_MMAP, count, 0);
	zcv_queue_all(v);
	zcv_on(v);
}

static inline int zcv_export(struct zcv *v, unsigned int index, __u32 flags)
{
	struct v4l2_exportbuffer e = { .type = v->type, .index = index, .flags = flags };

	zcv_ioctl(v->fd, VIDIOC_EXPBUF, &e);
	return e.fd;
}

/* That buffers can be had and frames come. */
static inline void zcv_check_streams(const char *chan)
{
	static struct zcv v;

	zcv_open(&v, chan);
	zcv_format(&v, V4L2_PIX_FMT_GREY, 64, 64);
	zcv_start(&v, 2);
	for (unsigned int i = 0; i < 3; i++)
		zcv_queue(&v, zcv_dequeue(&v).index);
	zcv_close(&v);
}

/*
 * Another device, of another driver, as importer: vivid's output (modprobe vivid node_types=0x100)
 * streams what cam0 writes, from @num exported buffers that the caller closes or not.
 */
static inline void zcv_show_on_vivid(struct zcv *vivid, struct zcv *cam, int *bufs,
				     unsigned int num)
{
	char path[ZCV_TEXT], entry[ZCV_TEXT];
	struct v4l2_format fmt = {};

	assert_true(zcv_find("video4linux", "name", "vivid-000-vid-out", entry));
	snprintf(path, sizeof(path), "/dev/%.200s", entry);
	zcv_open_path(vivid, path, 0);
	fmt.type = vivid->type;
	zcv_ioctl(vivid->fd, VIDIOC_G_FMT, &fmt);
	vivid->pix = fmt.fmt.pix;
	zcv_open(cam, "cam0");
	zcv_format(cam, vivid->pix.pixelformat, vivid->pix.width, vivid->pix.height);
	zcv_start(cam, num);
	zcv_alloc(vivid, V4L2_MEMORY_DMABUF, num, 0);
	for (unsigned int i = 0; i < num; i++) {
		struct v4l2_buffer b = zcv_buffer(vivid, i);

		bufs[i] = zcv_export(cam, i, O_RDWR | O_CLOEXEC);
		b.m.fd = bufs[i];
		b.bytesused = vivid->pix.sizeimage;
		zcv_ioctl(vivid->fd, VIDIOC_QBUF, &b);
	}
	zcv_on(vivid);
}

/* ---- Events ---- */

static inline void zcv_subscribe(struct zcv *v, __u32 type, __u32 id)
{
	struct v4l2_event_subscription sub = { .type = type, .id = id };

	zcv_ioctl(v->fd, VIDIOC_SUBSCRIBE_EVENT, &sub);
}

static inline struct v4l2_event zcv_event(struct zcv *v)
{
	struct v4l2_event event;

	zcv_poll(v->fd, POLLPRI);
	zcv_ioctl(v->fd, VIDIOC_DQEVENT, &event);
	return event;
}

/* The next frame record; other events are not expected. */
static inline struct zcdma_frame zcv_record(struct zcv *v)
{
	struct v4l2_event event = zcv_event(v);
	struct zcdma_frame frame;

	assert_int_equal(event.type, ZCDMA_V4L2_EVENT_FRAME);
	memcpy(&frame, event.u.data, sizeof(frame));
	return frame;
}

/* ---- Content ---- */

static inline struct zcdma_stamp zcv_stamp(const uint8_t *frame, size_t at)
{
	struct zcdma_stamp stamp;

	memcpy(&stamp, frame + at, sizeof(stamp));
	return stamp;
}

/* Whole, and of the frame with this sequence number. Guests are little endian. */
static inline void zcv_check_stamps(const uint8_t *frame, size_t size, uint64_t sequence)
{
	struct zcdma_stamp head = zcv_stamp(frame, 0);
	struct zcdma_stamp tail = zcv_stamp(frame, size - sizeof(tail));

	assert_int_equal(head.magic, ZCDMA_STAMP_MAGIC);
	assert_int_equal(head.sequence, sequence);
	assert_int_equal(head.reserved, 0);
	assert_memory_equal(&head, &tail, sizeof(head));
}

/* Random bytes that anybody who knows @seed can make again (xorshift64*). */
static inline void zcv_random(uint8_t *frame, size_t size, uint64_t seed)
{
	uint64_t x = seed * 0x9e3779b97f4a7c15ULL + 1;

	for (size_t at = 0; at < size; at += sizeof(x)) {
		uint64_t word;

		x ^= x >> 12;
		x ^= x << 25;
		x ^= x >> 27;
		word = x * 0x2545f4914f6cdd1dULL;
		memcpy(frame + at, &word, size - at < sizeof(word) ? size - at : sizeof(word));
	}
}

#endif /* ZCV_H */
