// SPDX-License-Identifier: GPL-2.0-only
/*
 * test-lib - libzcdma: names, configuration, frames, playback, sharing, errors
 *
 * The same capture test runs on a native channel, on our V4L2 node and on vivid. Also as a static
 * 32-bit program, which is why it does without cmocka.
 *
 * build: armhf
 * build: asan
 * timeout: 180
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/dma-buf.h>
#include <linux/videodev2.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "zcl.h"

/* ---- Names ---- */

static void test_names(void)
{
	/* With the number of virt0, where there is a place for it. */
	static const char * const good[] = {
		NULL, "virt0", "zcdma%d", "/dev/zcdma%d", "virt0/cam0", "zcdma%d/cam0",
		"/dev/zcdma%d/cam0", "/dev/zcdma/virt0/device", "/dev/zcdma/virt0/cam0",
	};
	static const struct { const char *name; int error; } bad[] = {
		{ "nosuch", -ENODEV }, { "nosuch/cam0", -ENODEV }, { "virt0/nosuch", -ENOENT },
		{ "/dev/nosuch", -ENODEV }, { "/dev/null", -ENODEV }, { "", -ENODEV },
		{ "virt0/", -ENOENT }, { "/", -ENODEV }, { "/dev/zcdma/virt0", -ENODEV },
	};
	struct zcdma_stream *s = NULL;
	struct zcdma_device *d = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		char name[64];

		if (good[i])
			snprintf(name, sizeof(name), good[i], zcl_number("virt0"));
		printf("# %s\n", good[i] ? name : "NULL");
		CHECK_INT(zcdma_open(&s, good[i] ? name : NULL, NULL), 0);
		zcdma_close(s);
	}
	s = NULL;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		printf("# %s\n", bad[i].name);
		CHECK_INT(zcdma_open(&s, bad[i].name, NULL), bad[i].error);
		CHECK(!s);
	}
	CHECK_INT(zcdma_device_open(&d, "nosuch"), -ENODEV);
	CHECK(!d);
	zcdma_close(NULL);
	zcdma_device_close(NULL);
}

/* A device that is there is not missing because it cannot be opened. */
static void test_no_descriptor_left(void)
{
	struct zcdma_device *d = NULL;
	struct zcdma_stream *s = NULL;
	struct rlimit old, none;
	int next = dup(STDERR_FILENO), by_name, by_path, stream;
	char path[64];

	close(next);
	snprintf(path, sizeof(path), "/dev/zcdma%d", zcl_number("virt0"));
	CHECK(!getrlimit(RLIMIT_NOFILE, &old));
	none = (struct rlimit) { .rlim_cur = (rlim_t)next, .rlim_max = old.rlim_max };
	CHECK(!setrlimit(RLIMIT_NOFILE, &none));
	by_name = zcdma_device_open(&d, "virt0");
	by_path = zcdma_device_open(&d, path);
	stream = zcdma_open(&s, "virt0/cam0", NULL);
	CHECK(!setrlimit(RLIMIT_NOFILE, &old));
	CHECK_INT(by_name, -EMFILE);
	CHECK_INT(by_path, -EMFILE);
	CHECK_INT(stream, -EMFILE);
}

static void test_devices_are_listed(void)
{
	struct zcdma_device_info info;
	struct zcdma_channel_info channel;
	struct zcdma_format_desc format;
	struct zcdma_device *d, *linked;
	unsigned int n = 0;
	int fd;

	CHECK_INT(zcdma_device_open(&d, "virt1"), 0);
	CHECK_INT(zcdma_device_number(d), zcl_number("virt1"));
	CHECK_INT(zcdma_device_open(&linked, "/dev/zcdma/virt1/device"), 0);
	CHECK_INT(zcdma_device_number(linked), zcl_number("virt1"));
	zcdma_device_close(linked);
	CHECK(zcdma_device_fd(d) >= 0);
	CHECK_INT(zcdma_device_get_info(d, &info), 0);
	CHECK(!strcmp(info.name, "virt1"));
	CHECK(info.features & ZCDMA_FEATURE_STREAM);
	while (!zcdma_device_get_channel(d, n, &channel))
		n++;
	CHECK_INT(n, info.num_channels);
	CHECK_INT(zcdma_device_get_format(d, 0, 0, &format), 0);
	CHECK_INT(format.fourcc, V4L2_PIX_FMT_YUYV);
	CHECK_INT(zcdma_device_get_format(d, 0, 99, &format), -EINVAL);
	fd = zcdma_device_alloc(d, 5000, ZCDMA_BUFFER_CACHED);
	CHECK(fd >= 0);
	CHECK_INT(lseek(fd, 0, SEEK_END), (5000 + getpagesize() - 1) / getpagesize() * getpagesize());
	close(fd);
	CHECK_INT(zcdma_device_alloc(d, 0, 0), -EINVAL);
	zcdma_device_close(d);
}

/* ---- Capture ---- */

static void capture_from(const char *name)
{
	const struct zcdma_config config = { .width = 320, .height = 180, .num_buffers = 5 };
	struct zcdma_video_config video;
	struct zcdma_buffer *b, *none = NULL;
	struct zcdma_stream *s;
	uint64_t last_ns = 0, last = 0;
	struct pollfd pfd;

	CHECK_INT(zcdma_open(&s, name, &config), 0);
	CHECK_INT(zcdma_get_video(s, &video), 0);
	CHECK_INT(video.width, 320);
	CHECK_INT(video.height, 180);
	CHECK(video.sizeimage >= 320 * 180);
	CHECK(zcdma_num_buffers(s) >= 5);
	CHECK_INT(zcdma_get_direction(s), ZCDMA_CAPTURE);
	CHECK(!zcdma_get_buffer(s, zcdma_num_buffers(s)));
	CHECK_INT(zcdma_stop(s), 0);
	for (unsigned int round = 0; round < 2; round++) {
		CHECK_INT(zcdma_start(s), 0);
		CHECK_INT(zcdma_start(s), -EBUSY);
		pfd = (struct pollfd) { .fd = zcdma_fd(s), .events = POLLIN };
		CHECK_INT(poll(&pfd, 1, TIMEOUT_MS), 1);
		for (unsigned int n = 0; n < 15; n++) {
			CHECK_INT(zcdma_acquire(s, &b, TIMEOUT_MS), 0);
			CHECK(b->data && b->held);
			CHECK_INT(b->length, video.sizeimage);
			CHECK_INT(b->frame.bytesused, b->length);
			CHECK(b == zcdma_get_buffer(s, b->index));
			CHECK(!(b->frame.flags & ZCDMA_FRAME_ERROR));
			CHECK(!n || b->frame.sequence > last);
			CHECK(b->frame.exposure_start_ns > last_ns);
			last = b->frame.sequence;
			last_ns = b->frame.exposure_start_ns;
			CHECK_INT(zcdma_release(s, b), 0);
			CHECK_INT(zcdma_release(s, b), -EINVAL);
		}
		/* One stays with us over the stop. */
		if (!round)
			CHECK_INT(zcdma_acquire(s, &none, TIMEOUT_MS), 0);
		CHECK_INT(zcdma_stop(s), 0);
		if (!round)
			CHECK(none->held);
	}
	CHECK_INT(zcdma_num_refused(s), 0);
	zcdma_close(s);
}

static void test_capture_native(void)
{
	capture_from("virt0/cam0");
	capture_from("virt1/cam0");
}

static void test_capture_our_v4l2_node(void)
{
	capture_from("/dev/zcdma/virt0/cam0");
}

static unsigned int num_cached(const char *device)
{
	char path[64], line[256];
	unsigned int num = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/sys/kernel/debug/zcdma/%s/buffers", device);
	file = fopen(path, "r");
	while (file && fgets(line, sizeof(line), file))
		num += !!strstr(line, " cached ");
	if (file)
		fclose(file);
	return num;
}

static void test_buffers_are_cached_unless_told(void)
{
	static const char * const names[] = { "virt1/cam0", "/dev/zcdma/virt1/cam0" };
	const struct zcdma_config coherent = { .flags = ZCDMA_CONFIG_COHERENT };
	struct zcdma_stream *s;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		CHECK_INT(zcdma_open(&s, names[i], NULL), 0);
		CHECK_INT(num_cached("virt1"), zcdma_num_buffers(s));
		zcdma_close(s);
		CHECK_INT(zcdma_open(&s, names[i], &coherent), 0);
		CHECK_INT(num_cached("virt1"), 0);
		zcdma_close(s);
	}
}

static void test_capture_vivid(void)
{
	char path[32];

	if (system("modprobe vivid node_types=0x1") || system("udevadm settle")) {
		printf("# no vivid\n");
		failed++;
		return;
	}
	for (int n = 0; n < 16; n++) {
		struct v4l2_capability cap = { 0 };
		int fd;

		snprintf(path, sizeof(path), "/dev/video%d", n);
		fd = open(path, O_RDWR | O_CLOEXEC);
		if (fd < 0)
			continue;
		if (ioctl(fd, VIDIOC_QUERYCAP, &cap) == 0 && !strcmp((char *)cap.driver, "vivid")) {
			close(fd);
			capture_from(path);
			break;
		}
		close(fd);
	}
	if (system("udevadm settle && modprobe -r vivid"))
		failed++;
}

static void test_waiting_ends(void)
{
	const struct zcdma_config config = { .num_buffers = 1 };
	struct zcdma_buffer *b;
	struct zcdma_stream *s;

	CHECK_INT(zcdma_open(&s, "virt0/raw-in", &config), 0);
	CHECK_INT(zcdma_acquire(s, &b, 0), -EAGAIN);
	CHECK_INT(zcdma_acquire(s, &b, 20), -EINVAL);
	CHECK_INT(zcdma_acquire(s, &b, -1), -EINVAL);
	CHECK_INT(zcdma_start(s), 0);
	CHECK_INT(zcdma_acquire(s, &b, -1), 0);
	CHECK_INT(zcdma_acquire(s, &b, 20), -ETIMEDOUT);
	CHECK_INT(zcdma_release(s, b), 0);
	CHECK_INT(zcdma_stop(s), 0);
	CHECK_INT(zcdma_acquire(s, &b, -1), -EINVAL);
	zcdma_close(s);

	CHECK_INT(zcdma_open(&s, "/dev/zcdma/virt0/cam0", NULL), 0);
	CHECK_INT(zcdma_acquire(s, &b, 20), -EINVAL);
	CHECK_INT(zcdma_acquire(s, &b, -1), -EINVAL);
	zcdma_close(s);
}

static void test_bad_configurations_are_refused(void)
{
	struct zcdma_config bad[] = {
		{ .flags = 0x80 }, { .num_buffers = 1025 }, { .buffer_size = 0x80000000 },
		{ .reserved = { 1 } }, { .reserved = { [5] = 1 } }, { .reserved0 = 1 },
		{ .buffer_size = 6 },
	};
	struct zcdma_stream *s = NULL, *other;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		CHECK_INT(zcdma_open(&s, "virt0/raw-in", &bad[i]), -EINVAL);
	CHECK_INT(zcdma_open(&s, "virt0/raw-in", NULL), 0);
	CHECK_INT(zcdma_open(&other, "virt0/raw-in", NULL), -EBUSY);
	CHECK_INT(zcdma_set_control(s, ZCDMA_CONTROL_EXPOSURE, 1), -EINVAL);
	CHECK_INT(zcdma_set_control(s, ZCDMA_CONTROL_TEST_PATTERN, 99), -ERANGE);
	CHECK_INT(zcdma_export(s, 99), -EINVAL);
	CHECK_INT(zcdma_import(s, 0, 0), -EINVAL);
	zcdma_close(s);
}

static void test_stamps_frame_every_frame(void)
{
	struct zcdma_stream *s;
	struct zcdma_buffer *b;

	CHECK_INT(zcdma_open(&s, "virt0/cam0", NULL), 0);
	CHECK_INT(zcdma_set_control(s, ZCDMA_CONTROL_STAMPS, 1), 0);
	CHECK_INT(zcdma_start(s), 0);
	for (unsigned int n = 0; n < 10; n++) {
		struct zcdma_stamp head, tail;

		CHECK_INT(zcdma_acquire(s, &b, TIMEOUT_MS), 0);
		memcpy(&head, b->data, sizeof(head));
		memcpy(&tail, (char *)b->data + b->length - sizeof(tail), sizeof(tail));
		CHECK(!memcmp(&head, &tail, sizeof(head)));
		CHECK(head.magic == ZCDMA_STAMP_MAGIC);
		CHECK_INT(head.sequence, b->frame.sequence);
		CHECK_INT(zcdma_release(s, b), 0);
	}
	CHECK_INT(zcdma_set_control(s, ZCDMA_CONTROL_STAMPS, 0), 0);
	zcdma_close(s);
}

/* ---- Playback and sharing ---- */

static unsigned long long sink_bytes(void)
{
	unsigned long long value = 0;
	FILE *f = fopen("/sys/kernel/debug/zcdma/virt0/raw-out/sink/bytes", "r");

	if (!f || fscanf(f, "%llu", &value) != 1)
		value = ~0ULL;
	if (f)
		fclose(f);
	return value;
}

/* V4L2 shows tenths of ms: what a stream has set it shows rounded, and setting that is a change. */
static void test_exposure_is_what_was_set_last(void)
{
	struct zcdma_stream *s;
	struct zcdma_buffer *b;

	CHECK_INT(zcdma_open(&s, "virt0/cam0", NULL), 0);
	CHECK_INT(zcdma_set_control(s, ZCDMA_CONTROL_EXPOSURE, 1050000), 0);
	zcdma_close(s);
	CHECK_INT(zcdma_open(&s, "/dev/zcdma/virt0/cam0", NULL), 0);
	CHECK_INT(zcdma_set_control(s, ZCDMA_CONTROL_EXPOSURE, 1000000), 0);
	zcdma_close(s);
	CHECK_INT(zcdma_open(&s, "virt0/cam0", NULL), 0);
	CHECK_INT(zcdma_start(s), 0);
	CHECK_INT(zcdma_acquire(s, &b, TIMEOUT_MS), 0);
	CHECK_INT(b->frame.exposure_end_ns - b->frame.exposure_start_ns, 1000000);
	zcdma_close(s);
}

static void test_playback_drains(void)
{
	const struct zcdma_config config = { .buffer_size = 4096, .num_buffers = 3 };
	unsigned long long total = 0;
	struct zcdma_stream *s;
	struct zcdma_buffer *b;

	CHECK_INT(zcdma_open(&s, "virt0/raw-out", &config), 0);
	CHECK_INT(zcdma_get_direction(s), ZCDMA_PLAYBACK);
	CHECK_INT(zcdma_drain(s), -EINVAL);
	for (unsigned int n = 0; n < 50; n++) {
		CHECK_INT(zcdma_acquire(s, &b, TIMEOUT_MS), 0);
		CHECK_INT(b->length, 4096);
		memset(b->data, (int)n, b->length);
		b->length = 0;
		CHECK_INT(zcdma_release(s, b), -EINVAL);
		b->length = 4097;
		CHECK_INT(zcdma_release(s, b), -EINVAL);
		b->length = 4 * (n + 1);
		total += b->length;
		CHECK_INT(zcdma_release(s, b), 0);
		if (n == 2)
			CHECK_INT(zcdma_start(s), 0);
	}
	CHECK_INT(zcdma_drain(s), 0);
	CHECK_INT(sink_bytes(), total);
	zcdma_close(s);
}

/* What was released before a stop is not played after it, whoever had it. */
static void test_stop_drops_what_was_released(void)
{
	const struct zcdma_config config = { .buffer_size = 65536, .num_buffers = 4 };
	struct zcdma_stream *s;
	struct zcdma_buffer *b;

	CHECK_INT(zcdma_open(&s, "virt0/raw-out", &config), 0);
	for (unsigned int round = 0; round < 3; round++) {
		for (unsigned int n = 0; n < 4; n++) {
			CHECK_INT(zcdma_acquire(s, &b, 0), 0);
			/* It has not failed: nobody tried. */
			CHECK_INT(b->frame.flags, 0);
			CHECK_INT(zcdma_release(s, b), 0);
		}
		CHECK_INT(zcdma_acquire(s, &b, 0), -EAGAIN);
		if (round == 1)
			CHECK_INT(zcdma_start(s), 0);
		CHECK_INT(zcdma_stop(s), 0);
	}
	CHECK_INT(zcdma_acquire(s, &b, 0), 0);
	b->length = 1000;
	CHECK_INT(zcdma_release(s, b), 0);
	CHECK_INT(zcdma_start(s), 0);
	CHECK_INT(zcdma_drain(s), 0);
	CHECK_INT(sink_bytes(), 1000);
	zcdma_close(s);
}

static void test_import_and_export(void)
{
	const struct zcdma_config config = {
		.flags = ZCDMA_CONFIG_IMPORT,
		.num_buffers = 2,
		.buffer_size = 8192,
	};
	struct zcdma_device *d;
	struct zcdma_stream *s;
	struct zcdma_buffer *b;
	uint32_t next = 0;
	int fds[2], copy;

	CHECK_INT(zcdma_device_open(&d, "virt0"), 0);
	CHECK_INT(zcdma_open(&s, "virt0/raw-in", &config), 0);
	CHECK_INT(zcdma_export(s, 0), -ENOENT);
	CHECK_INT(zcdma_import(s, 0, -1), -EBADF);
	for (unsigned int i = 0; i < 2; i++) {
		fds[i] = zcdma_device_alloc(d, 8192, ZCDMA_BUFFER_CACHED);
		CHECK(fds[i] >= 0);
		CHECK_INT(zcdma_import(s, i, fds[i]), 0);
	}
	CHECK_INT(zcdma_start(s), 0);
	for (unsigned int n = 0; n < 10; n++) {
		const uint32_t *words;

		CHECK_INT(zcdma_acquire(s, &b, TIMEOUT_MS), 0);
		CHECK_INT(b->index, n & 1);
		words = b->data;
		for (unsigned int i = 0; i < 2048; i++)
			CHECK(words[i] == next++);
		CHECK_INT(zcdma_release(s, b), 0);
	}
	CHECK_INT(zcdma_import(s, 0, fds[1]), -EBUSY);
	copy = zcdma_export(s, 1);
	CHECK(copy >= 0);
	CHECK_INT(lseek(copy, 0, SEEK_END), 8192);
	close(copy);
	zcdma_close(s);
	zcdma_device_close(d);
	close(fds[0]);
	close(fds[1]);
}

/* Whoever imports a buffer for each transfer finds it empty at first. */
static void test_nothing_imported_is_nothing_to_play(void)
{
	const struct zcdma_config config = {
		.flags = ZCDMA_CONFIG_IMPORT,
		.num_buffers = 1,
		.buffer_size = 8192,
	};
	struct zcdma_device *d;
	struct zcdma_stream *s;
	struct zcdma_buffer *b;
	int fd;

	CHECK_INT(zcdma_device_open(&d, "virt0"), 0);
	CHECK_INT(zcdma_open(&s, "virt0/raw-out", &config), 0);
	CHECK_INT(zcdma_start(s), 0);
	CHECK_INT(zcdma_acquire(s, &b, 0), 0);
	CHECK(!b->data);
	CHECK_INT(zcdma_release(s, b), -EINVAL);
	CHECK(b->held);
	fd = zcdma_device_alloc(d, 8192, ZCDMA_BUFFER_CACHED);
	CHECK(fd >= 0);
	CHECK_INT(zcdma_import(s, 0, fd), 0);
	CHECK_INT(zcdma_release(s, b), 0);
	CHECK_INT(zcdma_drain(s), 0);
	CHECK_INT(sink_bytes(), 8192);
	CHECK_INT(zcdma_num_refused(s), 0);
	zcdma_close(s);
	zcdma_device_close(d);
	close(fd);
}

/* ---- Sound ---- */

static void test_pcm_defaults_and_choices(void)
{
	static const struct zcdma_config bad[] = {
		{ .rate = 7999 }, { .channels = 9 }, { .sample_format = 3 }, { .buffer_size = 6 },
	};
	const struct zcdma_config config = {
		.sample_format = ZCDMA_PCM_FLOAT_LE,
		.channels = 3,
		.rate = 44100,
		.buffer_size = 1200,
	};
	struct zcdma_pcm_config pcm;
	struct zcdma_pcm_info info;
	struct zcdma_stream *s = NULL;
	struct zcdma_device *d;
	struct zcdma_position position;

	CHECK_INT(zcdma_device_open(&d, "virt0"), 0);
	CHECK_INT(zcdma_device_get_pcm(d, 4, &info), 0);
	CHECK_INT(info.max_rate, 192000);
	CHECK_INT(zcdma_device_get_pcm(d, 0, &info), -EINVAL);
	zcdma_device_close(d);

	CHECK_INT(zcdma_open(&s, "virt0/spk0", NULL), 0);
	CHECK_INT(zcdma_get_pcm(s, &pcm), 0);
	CHECK_INT(pcm.format, ZCDMA_PCM_S16_LE);
	CHECK_INT(pcm.channels, 2);
	CHECK_INT(pcm.rate, 48000);
	CHECK_INT(zcdma_get_buffer(s, 0)->size, 480 * 4);
	CHECK_INT(zcdma_get_position(s, &position), -EINVAL);
	CHECK_INT(zcdma_pause(s), -EINVAL);
	zcdma_close(s);

	CHECK_INT(zcdma_open(&s, "virt0/mic0", &config), 0);
	CHECK_INT(zcdma_get_pcm(s, &pcm), 0);
	CHECK_INT(pcm.format, ZCDMA_PCM_FLOAT_LE);
	CHECK_INT(pcm.frame_bytes, 12);
	CHECK_INT(pcm.rate, 44100);
	zcdma_close(s);

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		CHECK_INT(zcdma_open(&s, "virt0/spk0", &bad[i]), -EINVAL);
	CHECK_INT(zcdma_open(&s, "virt0/raw-in", NULL), 0);
	CHECK_INT(zcdma_get_pcm(s, &pcm), -EINVAL);
	CHECK_INT(zcdma_pause(s), -ENOTSUP);
	zcdma_close(s);
	CHECK_INT(zcdma_open(&s, "/dev/zcdma/virt0/cam0", NULL), 0);
	CHECK_INT(zcdma_get_position(s, &position), -ENOTSUP);
	CHECK_INT(zcdma_resume(s), -ENOTSUP);
	CHECK_INT(zcdma_num_done(s), 0);
	zcdma_close(s);
}

static void test_pcm_position_and_pause(void)
{
	/* Long ones: all eight must not be over before a slow machine gets to the pause. */
	const size_t len = 24000 * 4;
	const struct zcdma_config config = { .num_buffers = 8, .buffer_size = len };
	struct zcdma_position before, after;
	struct zcdma_stream *s;
	struct zcdma_buffer *b;
	struct pollfd pfd;

	CHECK_INT(zcdma_open(&s, "virt0/spk0", &config), 0);
	for (unsigned int n = 0; n < 8; n++) {
		CHECK_INT(zcdma_acquire(s, &b, 0), 0);
		CHECK_INT(zcdma_release(s, b), 0);
	}
	CHECK_INT(zcdma_num_done(s), 0);
	CHECK_INT(zcdma_start(s), 0);
	/* The first of them, and then some of the second. */
	do
		CHECK_INT(zcdma_get_position(s, &before), 0);
	while (before.bytes <= len);
	CHECK_INT(zcdma_pause(s), 0);
	CHECK_INT(zcdma_get_position(s, &before), 0);
	/* The position tells what has moved at once, the ring tells of it when the worker gets to it. */
	pfd = (struct pollfd){ .fd = zcdma_fd(s), .events = POLLIN };
	CHECK_INT(poll(&pfd, 1, TIMEOUT_MS), 1);
	CHECK(zcdma_num_done(s) >= 1 && zcdma_num_done(s) <= before.bytes / len);
	usleep(20000);
	CHECK_INT(zcdma_get_position(s, &after), 0);
	CHECK_INT(after.bytes, before.bytes);
	CHECK_INT(zcdma_resume(s), 0);
	CHECK_INT(zcdma_drain(s), 0);
	CHECK_INT(zcdma_num_done(s), 8);
	CHECK_INT(zcdma_get_position(s, &after), 0);
	CHECK_INT(after.bytes, 8 * len);
	zcdma_close(s);
}

/* ---- One thread acquires, another releases ---- */

struct pair {
	struct zcdma_stream *s;
	int pipes[2];
	int error;
};

static void *release_all(void *arg)
{
	struct pair *p = arg;
	struct zcdma_buffer *b;

	while (read(p->pipes[0], &b, sizeof(b)) == sizeof(b)) {
		int ret = zcdma_release(p->s, b);

		if (ret)
			p->error = ret;
	}
	return NULL;
}

static void test_two_threads(void)
{
	const struct zcdma_config config = { .buffer_size = 64, .num_buffers = 16 };
	struct pair p = { 0 };
	pthread_t thread;
	uint32_t next = 0;

	CHECK_INT(zcdma_open(&p.s, "virt0/raw-in", &config), 0);
	CHECK(!pipe(p.pipes));
	CHECK(!pthread_create(&thread, NULL, release_all, &p));
	CHECK_INT(zcdma_start(p.s), 0);
	for (unsigned int n = 0; n < 5000; n++) {
		struct zcdma_buffer *b;
		const uint32_t *words;

		CHECK_INT(zcdma_acquire(p.s, &b, TIMEOUT_MS), 0);
		CHECK_INT(b->frame.sequence, n);
		words = b->data;
		for (unsigned int i = 0; i < 16; i++)
			CHECK(words[i] == next++);
		CHECK(write(p.pipes[1], &b, sizeof(b)) == sizeof(b));
	}
	close(p.pipes[1]);
	pthread_join(thread, NULL);
	close(p.pipes[0]);
	CHECK_INT(p.error, 0);
	zcdma_close(p.s);
}

/* ---- What the kernel says, and what happens meanwhile ---- */

/* In a static program the C library's ioctl() cannot be replaced; that is the 32-bit one. */
#ifdef __LP64__

/* The next one with this request fails with this errno, if there is one, ... */
static unsigned long watched;
static int fault;
/* ... or is done, and before it returns another thread acquires a buffer: this one. */
static struct zcdma_stream *shared;
static struct zcdma_buffer *wanted;
static int acquired;
/* Of each descriptor: CPU accesses that were begun, less those that were ended. */
static int begun[256];

static void acquire_wanted(void)
{
	struct zcdma_stream *s = shared;
	struct zcdma_buffer *b;

	shared = NULL;
	do
		acquired = zcdma_acquire(s, &b, TIMEOUT_MS);
	while (!acquired && b != wanted);
}

/* In place of the C library's. */
int ioctl(int fd, unsigned long request, ...)
{
	va_list ap;
	void *arg;
	int ret;

	va_start(ap, request);
	arg = va_arg(ap, void *);
	va_end(ap);
	if (request == watched && fault) {
		errno = fault;
		fault = 0;
		return -1;
	}
	ret = (int)syscall(SYS_ioctl, fd, request, arg);
	if (request == DMA_BUF_IOCTL_SYNC && !ret)
		begun[fd] += ((struct dma_buf_sync *)arg)->flags & DMA_BUF_SYNC_END ? -1 : 1;
	if (request == watched && shared)
		acquire_wanted();
	return ret;
}

/* One buffer, and the stream not started. */
static void open_with_import(struct zcdma_stream **s, const char *name)
{
	const struct zcdma_config config = {
		.flags = ZCDMA_CONFIG_IMPORT,
		.num_buffers = 1,
		.buffer_size = 8192,
	};
	struct zcdma_device *d;
	int fd;

	CHECK_INT(zcdma_open(s, name, &config), 0);
	CHECK_INT(zcdma_device_open(&d, "virt0"), 0);
	fd = zcdma_device_alloc(d, 8192, ZCDMA_BUFFER_CACHED);
	zcdma_device_close(d);
	CHECK(fd >= 0);
	CHECK_INT(zcdma_import(*s, 0, fd), 0);
	close(fd);
}

/* Nothing is lost, and no frame passed over, when an exporter fails to sync a buffer. */
static void test_import_goes_on_after_failed_syncs(void)
{
	static const int faults[] = { 0, EAGAIN, EINTR, EIO };
	struct zcdma_stream *s;
	struct zcdma_buffer *b;
	struct pollfd pfd;

	open_with_import(&s, "virt0/raw-in");
	CHECK(!failed);
	watched = DMA_BUF_IOCTL_SYNC;
	CHECK_INT(zcdma_start(s), 0);
	for (unsigned int n = 0; n < 2 * ARRAY_SIZE(faults); n++) {
		int error = faults[n % ARRAY_SIZE(faults)];

		fault = error;
		if (error == EIO) {
			CHECK_INT(zcdma_acquire(s, &b, TIMEOUT_MS), -EIO);
			CHECK(!zcdma_get_buffer(s, 0)->held);
			pfd = (struct pollfd) { .fd = zcdma_fd(s), .events = POLLIN };
			CHECK_INT(poll(&pfd, 1, 0), 1);
		}
		CHECK_INT(zcdma_acquire(s, &b, TIMEOUT_MS), 0);
		CHECK(!fault && b->held);
		CHECK_INT(b->frame.sequence, n);
		CHECK_INT(*(const uint32_t *)b->data, 2048 * n);
		fault = error;
		if (error == EIO) {
			CHECK_INT(zcdma_release(s, b), -EIO);
			CHECK(b->held);
		}
		CHECK_INT(zcdma_release(s, b), 0);
		CHECK(!fault && !b->held);
	}
	zcdma_close(s);

	open_with_import(&s, "virt0/raw-out");
	CHECK(!failed);
	fault = EIO;
	CHECK_INT(zcdma_acquire(s, &b, 0), -EIO);
	fault = EAGAIN;
	CHECK_INT(zcdma_acquire(s, &b, 0), 0);
	CHECK(!fault);
	zcdma_close(s);
}

/* Descriptors for which not all accesses that were begun were ended, or the other way round. */
static unsigned int num_unbalanced(void)
{
	unsigned int num = 0;

	for (size_t i = 0; i < ARRAY_SIZE(begun); i++)
		num += !!begun[i];
	return num;
}

static void import_while_held(const char *name)
{
	struct zcdma_device *d;
	struct zcdma_stream *s;
	struct zcdma_buffer *b;
	int fd;

	memset(begun, 0, sizeof(begun));
	open_with_import(&s, name);
	CHECK(!failed);
	CHECK_INT(zcdma_device_open(&d, "virt0"), 0);
	fd = zcdma_device_alloc(d, 8192, ZCDMA_BUFFER_CACHED);
	CHECK(fd >= 0);
	zcdma_device_close(d);

	CHECK_INT(zcdma_start(s), 0);
	CHECK_INT(zcdma_acquire(s, &b, TIMEOUT_MS), 0);
	CHECK_INT(num_unbalanced(), 1);
	CHECK_INT(zcdma_import(s, 0, STDOUT_FILENO), -EBADF);
	watched = DMA_BUF_IOCTL_SYNC;
	fault = EIO;
	CHECK_INT(zcdma_import(s, 0, fd), -EIO);
	watched = ZCDMA_IOC_STREAM_ATTACH;
	fault = EIO;
	CHECK_INT(zcdma_import(s, 0, fd), -EIO);
	CHECK_INT(num_unbalanced(), 1);
	CHECK_INT(zcdma_import(s, 0, fd), 0);
	CHECK_INT(num_unbalanced(), 1);
	CHECK_INT(zcdma_release(s, b), 0);
	CHECK_INT(num_unbalanced(), 0);
	zcdma_close(s);
	close(fd);
}

/* The old memory's access is ended, and one of the new memory begun. */
static void test_import_into_a_held_buffer(void)
{
	import_while_held("virt0/raw-in");
	CHECK(!failed);
	import_while_held("virt0/raw-out");
}

/* The kernel has it, and fills it, before zcdma_release() has come to its end. */
static void acquire_before_release_ends(struct zcdma_stream *s, unsigned long request)
{
	struct zcdma_buffer *b;

	watched = request;
	CHECK_INT(zcdma_start(s), 0);
	CHECK_INT(zcdma_acquire(s, &b, TIMEOUT_MS), 0);
	wanted = b;
	acquired = 1;
	shared = s;
	CHECK_INT(zcdma_release(s, b), 0);
	/* It makes no call when the kernel was quick to look. */
	while (shared) {
		CHECK_INT(zcdma_acquire(s, &wanted, TIMEOUT_MS), 0);
		CHECK_INT(zcdma_release(s, wanted), 0);
	}
	CHECK_INT(acquired, 0);
	CHECK(wanted->held);
	CHECK_INT(zcdma_release(s, wanted), 0);
	zcdma_close(s);
}

static void test_acquire_before_release_ends(void)
{
	struct zcdma_stream *s;

	CHECK_INT(zcdma_open(&s, "/dev/zcdma/virt0/cam0", NULL), 0);
	acquire_before_release_ends(s, VIDIOC_QBUF);
	CHECK(!failed);
	open_with_import(&s, "virt0/raw-in");
	CHECK(!failed);
	acquire_before_release_ends(s, ZCDMA_IOC_STREAM_KICK);
}

/* A buffer that the kernel does not take stays the program's. */
static void test_failed_release_changes_nothing(void)
{
	struct zcdma_stream *s;
	struct zcdma_buffer *b;

	CHECK_INT(zcdma_open(&s, "/dev/zcdma/virt0/cam0", NULL), 0);
	CHECK_INT(zcdma_start(s), 0);
	CHECK_INT(zcdma_acquire(s, &b, TIMEOUT_MS), 0);
	watched = VIDIOC_QBUF;
	fault = EIO;
	CHECK_INT(zcdma_release(s, b), -EIO);
	CHECK(b->held);
	CHECK_INT(zcdma_release(s, b), 0);
	CHECK(!b->held);
	zcdma_close(s);
}

#endif /* __LP64__ */

static const struct zcl_test tests[] = {
	TEST(test_names),
	TEST(test_no_descriptor_left),
	TEST(test_devices_are_listed),
	TEST(test_capture_native),
	TEST(test_capture_our_v4l2_node),
	TEST(test_buffers_are_cached_unless_told),
	TEST(test_capture_vivid),
	TEST(test_waiting_ends),
	TEST(test_bad_configurations_are_refused),
	TEST(test_stamps_frame_every_frame),
	TEST(test_exposure_is_what_was_set_last),
	TEST(test_playback_drains),
	TEST(test_stop_drops_what_was_released),
	TEST(test_import_and_export),
	TEST(test_nothing_imported_is_nothing_to_play),
	TEST(test_pcm_defaults_and_choices),
	TEST(test_pcm_position_and_pause),
	TEST(test_two_threads),
#ifdef __LP64__
	TEST(test_import_goes_on_after_failed_syncs),
	TEST(test_import_into_a_held_buffer),
	TEST(test_acquire_before_release_ends),
	TEST(test_failed_release_changes_nothing),
#endif
};

int main(void)
{
	return zcl_run(tests, ARRAY_SIZE(tests));
}
