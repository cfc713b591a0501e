// SPDX-License-Identifier: GPL-2.0-only
/*
 * test-stream - the native interface: a channel as a stream, its rings, its calls and their errors
 *
 * On the raw channels of virt0: a counter source with flow control, so that a lost, repeated or
 * disordered frame shows in the data, and a sink that tells the CRC of what it got. virt0 is not
 * DMA-coherent, so that cached buffers take the way through the work item.
 *
 * timeout: 240
 */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <linux/videodev2.h>
#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "zcs.h"

#define ARRAY_SIZE(x)	(sizeof(x) / sizeof((x)[0]))
#define SOURCE		"raw-in"
#define SINK		"raw-out"
#define DRIVER		"/sys/bus/platform/drivers/zcdma-virt/"
#define BOARD		"dma-board-0"

static int dev;
static uint64_t used_before;

static int setup(void **state)
{
	dev = zct_open("virt0");
	used_before = zct_used(dev);
	return dev < 0 ? -1 : 0;
}

/* No test may leave a channel taken or memory allocated. */
static int teardown(void **state)
{
	int bad = zct_used(dev) != used_before || zcs_owner(dev, SOURCE) != ZCDMA_OWNER_NONE ||
		  zcs_owner(dev, SINK) != ZCDMA_OWNER_NONE;

	close(dev);
	return bad ? -1 : 0;
}

static const struct zcdma_stream_open good = {
	.fd_flags = O_CLOEXEC,
	.num_buffers = 4,
	.buffer_size = 8192,
};

/* ---- Opening ---- */

static void test_open_describes_rings_that_do_not_overlap(void **state)
{
	static const uint32_t counts[] = { 1, 3, 4, 1024 };

	for (size_t i = 0; i < ARRAY_SIZE(counts); i++) {
		struct zcdma_stream_open arg = good;
		const struct zcdma_ring_info *rings[] = { &arg.fill, &arg.done };
		uint8_t *taken;

		arg.channel = zcs_channel(dev, SOURCE);
		arg.num_buffers = counts[i];
		arg.buffer_size = 4;
		/* All of this is the kernel's to write. */
		memset(&arg.fd, 0xff, offsetof(struct zcdma_stream_open, reserved0) -
		       offsetof(struct zcdma_stream_open, fd));
		arg.buffers_offset = arg.buffers_stride = arg.features = UINT64_MAX;
		assert_int_equal(zct_ioctl(dev, ZCDMA_IOC_STREAM_OPEN, &arg), 0);
		assert_int_equal(arg.features, 0);
		assert_true(arg.buffers_offset >= arg.ring_size);
		/* A 32-bit kernel maps nothing above. */
		assert_true(arg.buffers_offset + counts[i] * arg.buffers_stride <= UINT32_MAX);
		assert_int_equal(arg.buffers_stride % ZCT_PAGE, 0);
		assert_int_equal(arg.ring_size % ZCT_PAGE, 0);

		taken = calloc(1, arg.ring_size);
		assert_non_null(taken);
		for (size_t r = 0; r < ARRAY_SIZE(rings); r++) {
			uint32_t n = rings[r]->num_entries;
			const uint32_t words[] = { rings[r]->head, rings[r]->tail, rings[r]->flags };

			assert_true(n >= counts[i]);
			assert_int_equal(n & (n - 1), 0);
			assert_int_equal(rings[r]->entries % 8, 0);
			assert_true(rings[r]->entries + (uint64_t)n * rings[r]->entry_size <=
				    arg.ring_size);
			for (uint32_t at = 0; at < n * rings[r]->entry_size; at++)
				assert_int_equal(taken[rings[r]->entries + at]++, 0);
			for (size_t w = 0; w < ARRAY_SIZE(words); w++)
				for (uint32_t at = 0; at < 4; at++)
					assert_int_equal(taken[words[w] + at]++, 0);
		}
		for (uint32_t at = 0; at < 4; at++)
			assert_int_equal(taken[arg.invalid + at]++, 0);
		free(taken);
		close(arg.fd);
	}
}

static void test_open_refuses_what_it_does_not_know(void **state)
{
	static const struct {
		size_t offset;
		size_t size;
		uint64_t value;
	} bad[] = {
#define BAD(field, value) { offsetof(struct zcdma_stream_open, field), \
			    sizeof(good.field), value }
		BAD(channel, 99), BAD(flags, 3), BAD(flags, 4), BAD(flags, 0x80000000),
		BAD(fd_flags, O_APPEND), BAD(fd_flags, O_RDWR), BAD(num_buffers, 0), BAD(num_buffers, 1025),
		BAD(num_buffers, 0xffffffff), BAD(buffer_size, 0), BAD(buffer_size, 8193),
		BAD(buffer_size, 0x40000004), BAD(buffer_size, 0x100002000), BAD(video.width, 640),
		BAD(video.reserved, 1), BAD(reserved0, 1), BAD(reserved[0], 1),
		BAD(reserved[3], 0x8000000000000000),
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct zcdma_stream_open arg = good, copy;

		arg.channel = zcs_channel(dev, SOURCE);
		memcpy((uint8_t *)&arg + bad[i].offset, &bad[i].value, bad[i].size);
		copy = arg;
		assert_int_equal(zct_ioctl(dev, ZCDMA_IOC_STREAM_OPEN, &arg), -EINVAL);
		assert_memory_equal(&arg, &copy, sizeof(arg));
	}
	assert_int_equal(zct_ioctl(dev, ZCDMA_IOC_STREAM_OPEN, NULL), -EFAULT);
	assert_int_equal(zcs_owner(dev, SOURCE), ZCDMA_OWNER_NONE);
}

static void test_open_without_memory_leaves_nothing(void **state)
{
	struct zcdma_stream_open arg = good;

	arg.channel = zcs_channel(dev, SOURCE);
	arg.num_buffers = 100;
	arg.buffer_size = 16 << 20;
	assert_int_equal(zct_ioctl(dev, ZCDMA_IOC_STREAM_OPEN, &arg), -ENOMEM);
}

static void test_open_takes_the_channel(void **state)
{
	struct zcdma_stream_open arg = good;
	unsigned int fds = zcs_count_fds();
	struct zcs s;

	zcs_open(&s, dev, SOURCE, 2, 4096, 0);
	assert_int_equal(zcs_owner(dev, SOURCE), ZCDMA_OWNER_STREAM);
	arg.channel = s.arg.channel;
	assert_int_equal(zct_ioctl(dev, ZCDMA_IOC_STREAM_OPEN, &arg), -EBUSY);
	/* It is held as long as something of it is. */
	close(s.fd);
	assert_int_equal(zcs_owner(dev, SOURCE), ZCDMA_OWNER_STREAM);
	munmap(s.area, s.arg.ring_size);
	munmap(s.maps[0], s.arg.buffers_stride);
	assert_int_equal(zcs_owner(dev, SOURCE), ZCDMA_OWNER_STREAM);
	munmap(s.maps[1], s.arg.buffers_stride);
	assert_int_equal(zcs_owner(dev, SOURCE), ZCDMA_OWNER_NONE);
	assert_int_equal(zcs_count_fds(), fds);
}

static void test_open_and_v4l2_exclude_each_other(void **state)
{
	struct v4l2_requestbuffers request = {
		.count = 2,
		.type = V4L2_BUF_TYPE_VIDEO_CAPTURE,
		.memory = V4L2_MEMORY_MMAP,
	};
	struct zcdma_stream_open arg = good;
	int node = open("/dev/zcdma/virt0/cam0", O_RDWR | O_CLOEXEC);

	assert_true(node >= 0);
	arg.channel = zcs_channel(dev, "cam0");
	arg.buffer_size = 0;
	assert_int_equal(zct_ioctl(dev, ZCDMA_IOC_STREAM_OPEN, &arg), 0);
	assert_int_equal(zct_ioctl(node, VIDIOC_REQBUFS, &request), -EBUSY);
	close(arg.fd);

	request.count = 2;
	assert_int_equal(zct_ioctl(node, VIDIOC_REQBUFS, &request), 0);
	arg.buffer_size = 0;
	assert_int_equal(zct_ioctl(dev, ZCDMA_IOC_STREAM_OPEN, &arg), -EBUSY);
	close(node);
	assert_int_equal(zct_ioctl(dev, ZCDMA_IOC_STREAM_OPEN, &arg), 0);
	close(arg.fd);
}

static void test_open_adjusts_a_video_format(void **state)
{
	struct zcdma_stream_open arg = good;

	arg.channel = zcs_channel(dev, "cam0");
	arg.buffer_size = 0;
	arg.video.width = 321;
	arg.video.height = 1;
	assert_int_equal(zct_ioctl(dev, ZCDMA_IOC_STREAM_OPEN, &arg), 0);
	assert_int_equal(arg.video.fourcc, V4L2_PIX_FMT_YUYV);
	assert_true(arg.video.width == 320 || arg.video.width == 322);
	assert_int_equal(arg.video.height, 16);
	assert_int_equal(arg.video.bytesperline, 2 * arg.video.width);
	assert_int_equal(arg.video.sizeimage, 16 * arg.video.bytesperline);
	assert_int_equal(arg.buffer_size, arg.video.sizeimage);
	assert_true(arg.video.interval_ns > 0);
	close(arg.fd);

	/* A buffer must hold a frame. */
	arg.buffer_size = arg.video.sizeimage - 1;
	assert_int_equal(zct_ioctl(dev, ZCDMA_IOC_STREAM_OPEN, &arg), -EINVAL);
}

static void test_format_info_lists_formats(void **state)
{
	struct zcdma_format_desc desc;
	uint32_t n = 0;
	int ret;

	for (;; n++) {
		desc = (struct zcdma_format_desc) { .channel = zcs_channel(dev, "cam0"), .index = n };
		ret = zct_ioctl(dev, ZCDMA_IOC_FORMAT_INFO, &desc);
		if (ret)
			break;
		assert_true(desc.fourcc && desc.min_width == 16 && desc.min_height == 16);
		assert_true(desc.max_width >= 640 && desc.step_width && desc.min_interval_ns);
	}
	assert_int_equal(ret, -EINVAL);
	assert_int_equal(n, 8);
	desc = (struct zcdma_format_desc) { .channel = zcs_channel(dev, SOURCE) };
	assert_int_equal(zct_ioctl(dev, ZCDMA_IOC_FORMAT_INFO, &desc), -EINVAL);
	desc = (struct zcdma_format_desc) { .channel = 99 };
	assert_int_equal(zct_ioctl(dev, ZCDMA_IOC_FORMAT_INFO, &desc), -EINVAL);
	desc = (struct zcdma_format_desc) { .reserved = { 1 } };
	assert_int_equal(zct_ioctl(dev, ZCDMA_IOC_FORMAT_INFO, &desc), -EINVAL);
}

/* ---- Mapping ---- */

static void test_mappings_keep_to_what_is_theirs(void **state)
{
	struct zcs s;
	size_t page = ZCT_PAGE;

	zcs_open(&s, dev, SOURCE, 2, page, 0);
	assert_true(zct_is_zero(s.maps[0], page) && zct_is_zero(s.maps[1], page));
#define MAP(len, flags, at) mmap(NULL, len, PROT_READ | PROT_WRITE, flags, s.fd, (off_t)(at))
	assert_true(MAP(page, MAP_PRIVATE, 0) == MAP_FAILED && errno == EINVAL);
	assert_true(MAP(page, MAP_PRIVATE, s.arg.buffers_offset) == MAP_FAILED && errno == EINVAL);
	assert_true(MAP(s.arg.ring_size + page, MAP_SHARED, 0) == MAP_FAILED);
	assert_true(MAP(page, MAP_SHARED, s.arg.ring_size) == MAP_FAILED);
	assert_true(MAP(2 * page, MAP_SHARED, s.arg.buffers_offset) == MAP_FAILED);
	assert_true(MAP(page, MAP_SHARED, s.arg.buffers_offset + 2 * page) == MAP_FAILED);
	assert_true(MAP(page, MAP_SHARED, s.arg.buffers_offset - page) == MAP_FAILED);
	assert_true(MAP(page, MAP_SHARED, (uint64_t)0x7fffffff * page) == MAP_FAILED);
	zcs_close(&s);
}

/* ---- Streaming ---- */

static void capture(uint32_t flags, uint32_t num, uint64_t size, unsigned int frames)
{
	uint64_t last_ns = 0;
	uint32_t next = 0;
	struct zcs s;

	zcs_open(&s, dev, SOURCE, num, size, flags);
	for (uint32_t i = 0; i < num; i++)
		assert_false(zcs_put(&s, (struct zcdma_fill) { .index = i }));
	zcs_call(&s, ZCDMA_IOC_STREAM_START);
	for (unsigned int n = 0; n < frames; n++) {
		struct zcdma_done done = zcs_wait(&s);

		assert_int_equal(done.index, n % num);
		assert_int_equal(done.frame.sequence, n);
		assert_int_equal(done.frame.flags & ZCDMA_FRAME_ERROR, 0);
		assert_int_equal(done.frame.bytesused, size);
		assert_true(done.frame.done_ns > last_ns);
		last_ns = done.frame.done_ns;
		assert_true(zcs_counts(s.maps[done.index], size, &next));
		zcs_fill(&s, done.index);
	}
	assert_int_equal(zcs_invalid(&s), 0);
	zcs_close(&s);
}

static void test_capture_coherent(void **state)
{
	capture(0, 4, 4096, 2000);
}

static void test_capture_cached(void **state)
{
	capture(ZCDMA_STREAM_CACHED, 4, 12288, 1000);
}

static void test_capture_with_one_buffer(void **state)
{
	capture(0, 1, 4096, 200);
}

static void test_capture_with_many_buffers(void **state)
{
	capture(ZCDMA_STREAM_CACHED, 64, 4, 2000);
}

static void test_capture_range_of_a_buffer(void **state)
{
	uint32_t next = 0;
	struct zcs s;

	zcs_open(&s, dev, SOURCE, 1, 4096, 0);
	zcs_call(&s, ZCDMA_IOC_STREAM_START);
	zcs_put(&s, (struct zcdma_fill) { .index = 0, .offset = 64, .length = 128 });
	zcs_call(&s, ZCDMA_IOC_STREAM_KICK);
	assert_int_equal(zcs_wait(&s).frame.bytesused, 128);
	assert_true(zct_is_zero(s.maps[0], 64));
	assert_true(zcs_counts(s.maps[0] + 64, 128, &next));
	assert_true(zct_is_zero(s.maps[0] + 192, 4096 - 192));
	/* Without a length: the rest. */
	zcs_put(&s, (struct zcdma_fill) { .index = 0, .offset = 4000 });
	zcs_call(&s, ZCDMA_IOC_STREAM_KICK);
	assert_int_equal(zcs_wait(&s).frame.bytesused, 96);
	assert_true(zcs_counts(s.maps[0] + 4000, 96, &next));
	zcs_close(&s);
}

static uint32_t crc32_add(uint32_t crc, const uint8_t *p, size_t len)
{
	crc = ~crc;
	while (len--) {
		crc ^= *p++;
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
	}
	return ~crc;
}

static void play(uint32_t flags)
{
	uint32_t crc = 0;
	uint64_t bytes = 0;
	struct zcs s;

	zcs_open(&s, dev, SINK, 3, 8192, flags);
	for (uint32_t n = 0; n < 60; n++) {
		/* The last ones are short, and not at the start. */
		struct zcdma_fill fill = { .index = n % 3, .length = 8192 };

		if (n > 50) {
			fill.offset = 256;
			fill.length = 4 * n;
		}
		if (n >= 3)
			assert_int_equal(zcs_wait(&s).index, n % 3);
		for (uint32_t i = 0; i < 8192; i++)
			s.maps[n % 3][i] = (uint8_t)(zct_byte(i, n));
		crc = crc32_add(crc, s.maps[n % 3] + fill.offset, fill.length);
		bytes += fill.length;
		if (zcs_put(&s, fill))
			zcs_call(&s, ZCDMA_IOC_STREAM_KICK);
		if (n == 2)
			zcs_call(&s, ZCDMA_IOC_STREAM_START);
	}
	zcs_call(&s, ZCDMA_IOC_STREAM_DRAIN);
	assert_int_equal(zcs_sink_value("bytes"), bytes);
	assert_int_equal(zcs_sink_value("crc32"), crc);
	zcs_close(&s);
}

static void test_playback_coherent(void **state)
{
	play(0);
}

static void test_playback_cached(void **state)
{
	play(ZCDMA_STREAM_CACHED);
}

static void test_starved_stream_resumes_by_a_kick(void **state)
{
	uint32_t next = 0, order[4];
	struct zcs s;

	zcs_open(&s, dev, SOURCE, 4, 4096, 0);
	zcs_call(&s, ZCDMA_IOC_STREAM_START);
	assert_true(zcs_need_kick(&s));
	for (unsigned int round = 0; round < 50; round++) {
		for (uint32_t i = 0; i < 4; i++) {
			order[i] = (i * 3 + round) % 4;
			zcs_put(&s, (struct zcdma_fill) { .index = order[i] });
		}
		/* Nobody looks before the kick: nothing is under way whose end would. */
		assert_int_equal(zcs_poll(&s, 0), 0);
		zcs_call(&s, ZCDMA_IOC_STREAM_KICK);
		for (uint32_t i = 0; i < 4; i++) {
			struct zcdma_done done = zcs_wait(&s);

			assert_int_equal(done.index, order[i]);
			assert_int_equal(done.frame.sequence, round * 4 + i);
			assert_true(zcs_counts(s.maps[done.index], 4096, &next));
		}
		assert_true(zcs_need_kick(&s));
	}
	zcs_close(&s);
}

/* While a channel of virt0 is stalled, nothing that was queued to it can come back done. */
static void stall(const char *channel, bool on)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "/sys/kernel/debug/zcdma/virt0/%s/fault/stall", channel);
	f = fopen(path, "w");
	assert_non_null(f);
	fprintf(f, "%d", on);
	assert_int_equal(fclose(f), 0);
}

static void test_stop_gives_everything_back(void **state)
{
	unsigned int errors;
	struct zcs s;

	zcs_open(&s, dev, SOURCE, 8, 64 << 10, 0);
	zcs_call(&s, ZCDMA_IOC_STREAM_STOP);
	for (unsigned int round = 0; round < 20; round++) {
		for (uint32_t i = 0; i < 8; i++)
			zcs_put(&s, (struct zcdma_fill) { .index = i });
		stall("raw-in", !(round & 1));
		zcs_call(&s, ZCDMA_IOC_STREAM_START);
		assert_int_equal(zct_ioctl(s.fd, ZCDMA_IOC_STREAM_START, NULL), -EBUSY);
		if (round & 1)
			zcs_poll(&s, ZCS_DEADLINE_MS);
		zcs_call(&s, ZCDMA_IOC_STREAM_STOP);
		stall("raw-in", false);
		assert_int_equal(zcs_drop(&s, &errors), 8);
		if (!(round & 1))
			assert_int_equal(errors, 8);
		assert_false(zcs_need_kick(&s));
	}
	/* What was queued before a start that never came, too. */
	zcs_put(&s, (struct zcdma_fill) { .index = 5 });
	zcs_call(&s, ZCDMA_IOC_STREAM_KICK);
	assert_int_equal(zcs_drop(&s, &errors), 0);
	zcs_call(&s, ZCDMA_IOC_STREAM_STOP);
	assert_int_equal(zcs_drop(&s, &errors), 1);
	assert_int_equal(errors, 1);
	assert_int_equal(zcs_invalid(&s), 0);
	zcs_close(&s);
}

static void test_drain_waits_for_the_last_byte(void **state)
{
	unsigned int errors;
	struct zcs s;

	zcs_open(&s, dev, SINK, 2, 256 << 10, 0);
	assert_int_equal(zct_ioctl(s.fd, ZCDMA_IOC_STREAM_DRAIN, NULL), -EINVAL);
	zcs_put(&s, (struct zcdma_fill) { .index = 0 });
	zcs_put(&s, (struct zcdma_fill) { .index = 1 });
	stall("raw-out", true);
	zcs_call(&s, ZCDMA_IOC_STREAM_START);
	assert_int_equal(fcntl(s.fd, F_SETFL, O_RDWR | O_NONBLOCK), 0);
	assert_int_equal(zct_ioctl(s.fd, ZCDMA_IOC_STREAM_DRAIN, NULL), -EAGAIN);
	assert_int_equal(fcntl(s.fd, F_SETFL, O_RDWR), 0);
	stall("raw-out", false);
	zcs_call(&s, ZCDMA_IOC_STREAM_DRAIN);
	assert_int_equal(zcs_sink_value("bytes"), 512 << 10);
	assert_int_equal(zcs_drop(&s, &errors), 2);
	assert_int_equal(errors, 0);
	zcs_call(&s, ZCDMA_IOC_STREAM_DRAIN);
	zcs_close(&s);
}

/* One call on a stream in a thread of its own; what came of it. */
struct waiter {
	pthread_t thread;
	_Atomic pid_t tid;
	int fd;
	int (*call)(int fd);
	int ret;
};

/* Entries of the done ring, or a negative error. */
static int read_pending(int fd)
{
	uint64_t pending = 0;
	ssize_t n = read(fd, &pending, sizeof(pending));

	if (n < 0)
		return -errno;
	assert_int_equal(n, sizeof(pending));
	return (int)pending;
}

/* What poll() tells, or 0. */
static int poll_in(int fd)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };

	poll(&pfd, 1, ZCS_DEADLINE_MS);
	return pfd.revents;
}

static void *wait_in_call(void *arg)
{
	struct waiter *w = arg;

	atomic_store(&w->tid, gettid());
	w->ret = w->call(w->fd);
	return NULL;
}

/* On return it sleeps in the system call. */
static void start_waiter(struct waiter *w, const struct zcs *s, int (*call)(int fd))
{
	atomic_init(&w->tid, 0);
	w->fd = s->fd;
	w->call = call;
	assert_int_equal(pthread_create(&w->thread, NULL, wait_in_call, w), 0);
	zcs_wait_asleep(&w->tid, call == read_pending ? SYS_read : SYS_ppoll);
}

static int join_waiter(struct waiter *w)
{
	assert_int_equal(pthread_join(w->thread, NULL), 0);
	return w->ret;
}

static void test_read_ends_when_something_is_done(void **state)
{
	struct zcdma_done done;
	struct waiter w[2];
	struct zcs s;

	zcs_open(&s, dev, SINK, 2, 4096, 0);
	assert_int_equal(fcntl(s.fd, F_SETFL, O_RDWR | O_NONBLOCK), 0);
	assert_int_equal(read_pending(s.fd), -EAGAIN);
	assert_int_equal(fcntl(s.fd, F_SETFL, O_RDWR), 0);
	start_waiter(&w[0], &s, read_pending);
	start_waiter(&w[1], &s, read_pending);
	zcs_fill(&s, 1);
	zcs_call(&s, ZCDMA_IOC_STREAM_START);
	/* Whoever waits, and whoever comes now. */
	assert_int_equal(join_waiter(&w[0]), 1);
	assert_int_equal(join_waiter(&w[1]), 1);
	assert_int_equal(read_pending(s.fd), 1);
	assert_true(zcs_take(&s, &done));
	assert_int_equal(done.index, 1);
	/* A stop ends it too, by what it gives back. */
	stall("raw-out", true);
	zcs_fill(&s, 0);
	start_waiter(&w[0], &s, read_pending);
	zcs_call(&s, ZCDMA_IOC_STREAM_STOP);
	assert_int_equal(join_waiter(&w[0]), 1);
	assert_true(zcs_take(&s, &done));
	stall("raw-out", false);
	zcs_close(&s);
}

static void on_signal(int number)
{
}

static void test_read_ends_by_a_signal(void **state)
{
	const struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };
	struct waiter w;
	struct zcs s;

	assert_int_equal(sigaction(SIGUSR1, &action, NULL), 0);
	zcs_open(&s, dev, SINK, 1, 4096, 0);
	start_waiter(&w, &s, read_pending);
	assert_int_equal(pthread_kill(w.thread, SIGUSR1), 0);
	assert_int_equal(join_waiter(&w), -EINTR);
	zcs_close(&s);
}

/* ---- What the source writes ---- */

#define PATTERN_BYTES	4096
#define PATTERN_WORDS	(PATTERN_BYTES / 4)

static void set_pattern(struct zcs *s, int64_t value)
{
	struct zcdma_control control = { .id = ZCDMA_CONTROL_TEST_PATTERN, .value = value };

	assert_int_equal(zct_ioctl(s->fd, ZCDMA_IOC_STREAM_CONTROL, &control), 0);
}

/* The next transfer of the one buffer. */
static struct zcdma_frame next_frame(struct zcs *s)
{
	zcs_fill(s, 0);
	return zcs_wait(s).frame;
}

/* ITU-T O.150, section 5.8: a bit is the sum of those 31 and 28 before it. All ones at first. */
static void check_prbs31(const uint8_t *bytes, size_t num, uint8_t *bits)
{
	for (size_t n = 0; n < 8 * num; n++) {
		bits[31 + n] = bits[n] ^ bits[n + 3];
		if ((bytes[n / 8] >> n % 8 & 1) != bits[31 + n])
			fail_msg("bit %zu differs", n);
	}
	memcpy(bits, bits + 8 * num, 31);
}

static void test_source_has_its_patterns(void **state)
{
	static uint8_t bits[31 + 8 * PATTERN_BYTES], as_before[PATTERN_BYTES];
	uint32_t next;
	struct zcs s;

	memset(bits, 1, 31);
	memset(as_before, 0xa5, sizeof(as_before));
	zcs_open(&s, dev, SOURCE, 1, PATTERN_BYTES, ZCDMA_STREAM_CACHED);
	set_pattern(&s, 1);
	zcs_call(&s, ZCDMA_IOC_STREAM_START);
	for (unsigned int n = 0; n < 3; n++) {
		next_frame(&s);
		check_prbs31(s.maps[0], PATTERN_BYTES, bits);
	}
	set_pattern(&s, 2);
	memcpy(s.maps[0], as_before, PATTERN_BYTES);
	assert_int_equal(next_frame(&s).bytesused, PATTERN_BYTES);
	assert_memory_equal(s.maps[0], as_before, PATTERN_BYTES);
	/* Whatever the pattern was, the words were counted. */
	set_pattern(&s, 0);
	next = 4 * PATTERN_WORDS;
	next_frame(&s);
	assert_true(zcs_counts(s.maps[0], PATTERN_BYTES, &next));
	zcs_close(&s);
}

static int reset_pattern(void **state)
{
	struct zcs s;

	zcs_open(&s, dev, SOURCE, 1, PATTERN_BYTES, 0);
	set_pattern(&s, 0);
	zcs_close(&s);
	return teardown(state);
}

static void test_source_tells_of_words_that_are_lost(void **state)
{
	uint32_t next = PATTERN_WORDS;
	struct zcdma_frame frame;
	struct zcs s;

	zcs_open(&s, dev, SOURCE, 1, PATTERN_BYTES, ZCDMA_STREAM_CACHED);
	zcs_write_file("/sys/kernel/debug/zcdma/virt0/" SOURCE "/fault/drop", "1");
	zcs_call(&s, ZCDMA_IOC_STREAM_START);
	frame = next_frame(&s);
	assert_int_equal(frame.sequence, 1);
	assert_true(frame.flags & ZCDMA_FRAME_LOST);
	assert_true(zcs_counts(s.maps[0], PATTERN_BYTES, &next));
	frame = next_frame(&s);
	assert_int_equal(frame.sequence, 2);
	assert_false(frame.flags & ZCDMA_FRAME_LOST);
	assert_true(zcs_counts(s.maps[0], PATTERN_BYTES, &next));
	zcs_close(&s);
}

/* ---- Misuse ---- */

static void test_bad_fill_entries_are_refused_one_by_one(void **state)
{
	static const struct zcdma_fill ranges[] = {
		{ .index = 1, .offset = 2 }, { .index = 1, .length = 3 },
		{ .index = 1, .offset = 4096 }, { .index = 1, .offset = 4092, .length = 8 },
		{ .index = 1, .length = 4100 }, { .index = 1, .length = 0xfffffffc },
		{ .index = 1, .offset = 0xfffffffc, .length = 8 }, { .index = 1, .flags = 1 },
	};
	static const struct zcdma_fill lost[] = { { .index = 2 }, { .index = 0xffffffff },
						  { .index = 0x80000000 } };
	struct zcs s;

	zcs_open(&s, dev, SOURCE, 2, 4096, 0);
	zcs_call(&s, ZCDMA_IOC_STREAM_START);
	for (size_t i = 0; i < ARRAY_SIZE(ranges); i++) {
		struct zcdma_done done;

		zcs_put(&s, ranges[i]);
		zcs_call(&s, ZCDMA_IOC_STREAM_KICK);
		done = zcs_wait(&s);
		assert_int_equal(done.index, 1);
		assert_int_equal(done.frame.flags, ZCDMA_FRAME_ERROR);
		assert_int_equal(done.frame.bytesused, 0);
	}
	assert_int_equal(zcs_invalid(&s), 0);
	for (size_t i = 0; i < ARRAY_SIZE(lost); i++) {
		zcs_put(&s, lost[i]);
		zcs_call(&s, ZCDMA_IOC_STREAM_KICK);
		assert_int_equal(zcs_invalid(&s), i + 1);
	}
	zcs_call(&s, ZCDMA_IOC_STREAM_STOP);
	/* One that the kernel has already. */
	zcs_put(&s, (struct zcdma_fill) { .index = 0 });
	zcs_put(&s, (struct zcdma_fill) { .index = 0 });
	zcs_call(&s, ZCDMA_IOC_STREAM_KICK);
	assert_int_equal(zcs_invalid(&s), ARRAY_SIZE(lost) + 1);
	/* A tail that no ring can have. */
	atomic_store(zcs_word(&s, s.arg.fill.tail), 0x12345678);
	zcs_call(&s, ZCDMA_IOC_STREAM_KICK);
	assert_int_equal(zcs_invalid(&s), ARRAY_SIZE(lost) + 2);
	/* And on we go. */
	zcs_fill(&s, 1);
	zcs_call(&s, ZCDMA_IOC_STREAM_START);
	assert_int_equal(zcs_wait(&s).index, 0);
	assert_int_equal(zcs_wait(&s).index, 1);
	zcs_close(&s);
}

static void test_unknown_calls_are_refused(void **state)
{
	struct zcdma_stream_buffer buffer = { .index = 0, .reserved = 1 };
	struct zcdma_control control = { .id = 99 };
	struct zcs s;
	char c;

	zcs_open(&s, dev, SOURCE, 1, 4096, 0);
	assert_int_equal(zct_ioctl(s.fd, _IO('z', 0x2f), NULL), -ENOTTY);
	assert_int_equal(zct_ioctl(s.fd, ZCDMA_IOC_DEVICE_INFO, NULL), -ENOTTY);
	assert_int_equal(zct_ioctl(dev, ZCDMA_IOC_STREAM_START, NULL), -ENOTTY);
	assert_int_equal(zct_ioctl(s.fd, ZCDMA_IOC_STREAM_EXPORT, &buffer), -EINVAL);
	buffer = (struct zcdma_stream_buffer) { .index = 1 };
	assert_int_equal(zct_ioctl(s.fd, ZCDMA_IOC_STREAM_EXPORT, &buffer), -EINVAL);
	buffer = (struct zcdma_stream_buffer) { .fd_flags = O_NONBLOCK };
	assert_int_equal(zct_ioctl(s.fd, ZCDMA_IOC_STREAM_EXPORT, &buffer), -EINVAL);
	assert_int_equal(zct_ioctl(s.fd, ZCDMA_IOC_STREAM_EXPORT, NULL), -EFAULT);
	buffer = (struct zcdma_stream_buffer) { .fd = 0 };
	assert_int_equal(zct_ioctl(s.fd, ZCDMA_IOC_STREAM_ATTACH, &buffer), -EINVAL);
	assert_int_equal(zct_ioctl(s.fd, ZCDMA_IOC_STREAM_CONTROL, &control), -EINVAL);
	control = (struct zcdma_control) { .id = ZCDMA_CONTROL_STAMPS };
	assert_int_equal(zct_ioctl(s.fd, ZCDMA_IOC_STREAM_CONTROL, &control), -EINVAL);
	control = (struct zcdma_control) { .reserved = { 0, 1 } };
	assert_int_equal(zct_ioctl(s.fd, ZCDMA_IOC_STREAM_CONTROL, &control), -EINVAL);
	control = (struct zcdma_control) { .value = 1000 };
	assert_int_equal(zct_ioctl(s.fd, ZCDMA_IOC_STREAM_CONTROL, &control), -ERANGE);
	assert_int_equal(control.max, 2);
	control = (struct zcdma_control) { .value = -1 };
	assert_int_equal(zct_ioctl(s.fd, ZCDMA_IOC_STREAM_CONTROL, &control), -ERANGE);
	control = (struct zcdma_control) { .value = control.def };
	assert_int_equal(zct_ioctl(s.fd, ZCDMA_IOC_STREAM_CONTROL, &control), 0);
	assert_int_equal(read(s.fd, &c, 1), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(write(s.fd, &c, 1), -1);
	assert_int_equal(errno, EINVAL);
	zcs_close(&s);
}

/* ---- Sharing ---- */

static void test_export_outlives_the_stream(void **state)
{
	struct zcdma_stream_buffer buffer = { .index = 1, .fd_flags = O_RDWR | O_CLOEXEC };
	uint32_t next = 1024;
	struct zcs s;
	uint8_t *map;

	zcs_open(&s, dev, SOURCE, 2, 4096, 0);
	assert_int_equal(zct_ioctl(s.fd, ZCDMA_IOC_STREAM_EXPORT, &buffer), 0);
	zcs_put(&s, (struct zcdma_fill) { .index = 0 });
	zcs_put(&s, (struct zcdma_fill) { .index = 1 });
	zcs_call(&s, ZCDMA_IOC_STREAM_START);
	zcs_wait(&s);
	zcs_wait(&s);
	zcs_close(&s);
	assert_int_equal(zcs_owner(dev, SOURCE), ZCDMA_OWNER_NONE);
	map = zct_map(buffer.fd, 4096);
	assert_non_null(map);
	assert_true(zcs_counts(map, 4096, &next));
	munmap(map, 4096);
	close(buffer.fd);
}

static void test_import_uses_foreign_buffers(void **state)
{
	struct zcdma_stream_buffer buffer = { .index = 0 };
	unsigned int errors;
	uint32_t next = 0;
	int bufs[3], pipes[2];
	uint8_t *maps[2];
	struct zcs s;

	zcs_open(&s, dev, SOURCE, 3, 8192, ZCDMA_STREAM_IMPORT);
	assert_int_equal(zct_ioctl(s.fd, ZCDMA_IOC_STREAM_EXPORT, &buffer), -ENOENT);
	/* An index without a buffer is no index. */
	zcs_put(&s, (struct zcdma_fill) { .index = 0 });
	zcs_call(&s, ZCDMA_IOC_STREAM_KICK);
	assert_int_equal(zcs_invalid(&s), 1);

	assert_int_equal(pipe(pipes), 0);
	buffer.fd = pipes[0];
	assert_int_equal(zct_ioctl(s.fd, ZCDMA_IOC_STREAM_ATTACH, &buffer), -EBADF);
	buffer.fd = -1;
	assert_int_equal(zct_ioctl(s.fd, ZCDMA_IOC_STREAM_ATTACH, &buffer), -EBADF);
	buffer.fd = zct_alloc(dev, 4096, 0);
	assert_int_equal(zct_ioctl(s.fd, ZCDMA_IOC_STREAM_ATTACH, &buffer), -EINVAL);
	close(buffer.fd);

	for (uint32_t i = 0; i < 3; i++) {
		bufs[i] = zct_alloc(dev, 8192, i ? ZCDMA_BUFFER_CACHED : 0);
		assert_true(bufs[i] >= 0);
	}
	for (uint32_t i = 0; i < 2; i++) {
		maps[i] = zct_map(bufs[i], 8192);
		buffer = (struct zcdma_stream_buffer) { .index = i, .fd = bufs[i] };
		assert_int_equal(zct_ioctl(s.fd, ZCDMA_IOC_STREAM_ATTACH, &buffer), 0);
		zcs_put(&s, (struct zcdma_fill) { .index = i });
	}
	zcs_call(&s, ZCDMA_IOC_STREAM_START);
	for (uint32_t n = 0; n < 20; n++) {
		struct zcdma_done done = zcs_wait(&s);

		assert_int_equal(done.index, n & 1);
		assert_int_equal(zct_sync(bufs[n & 1], DMA_BUF_SYNC_START | DMA_BUF_SYNC_READ), 0);
		assert_true(zcs_counts(maps[n & 1], 8192, &next));
		assert_int_equal(zct_sync(bufs[n & 1], DMA_BUF_SYNC_END | DMA_BUF_SYNC_READ), 0);
		zcs_fill(&s, n & 1);
	}
	zcs_call(&s, ZCDMA_IOC_STREAM_STOP);
	assert_int_equal(zcs_drop(&s, &errors), 2);
	/* The kernel's is not for the taking; the program's is. */
	zcs_put(&s, (struct zcdma_fill) { .index = 1 });
	zcs_call(&s, ZCDMA_IOC_STREAM_KICK);
	buffer = (struct zcdma_stream_buffer) { .index = 1, .fd = bufs[2] };
	assert_int_equal(zct_ioctl(s.fd, ZCDMA_IOC_STREAM_ATTACH, &buffer), -EBUSY);
	buffer.index = 0;
	assert_int_equal(zct_ioctl(s.fd, ZCDMA_IOC_STREAM_ATTACH, &buffer), 0);
	zcs_close(&s);
	for (uint32_t i = 0; i < 3; i++)
		close(bufs[i]);
	for (uint32_t i = 0; i < 2; i++)
		munmap(maps[i], 8192);
	close(pipes[0]);
	close(pipes[1]);
}

/* ---- Ends ---- */

static void test_stream_survives_kill(void **state)
{
	for (unsigned int n = 0; n < 5; n++) {
		int pipes[2], status;
		struct zcs s;
		pid_t pid;
		char c;

		assert_int_equal(pipe(pipes), 0);
		pid = fork();
		assert_true(pid >= 0);
		if (!pid) {
			zcs_open(&s, dev, SOURCE, 8, 4096, n & 1 ? ZCDMA_STREAM_CACHED : 0);
			for (uint32_t i = 0; i < 8; i++)
				zcs_put(&s, (struct zcdma_fill) { .index = i });
			zcs_call(&s, ZCDMA_IOC_STREAM_START);
			for (unsigned int f = 0;; f++) {
				if (f == 20 && write(pipes[1], "", 1) != 1)
					_exit(1);
				zcs_fill(&s, zcs_wait(&s).index);
			}
		}
		assert_int_equal(read(pipes[0], &c, 1), 1);
		kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_int_equal(WTERMSIG(status), SIGKILL);
		close(pipes[0]);
		close(pipes[1]);
		assert_int_equal(zcs_owner(dev, SOURCE), ZCDMA_OWNER_NONE);
	}
}

static void rebind(void)
{
	zcs_write_file(DRIVER "bind", BOARD);
	/* Its links come from udev. */
	assert_int_equal(system("udevadm settle"), 0);
}

static void test_stream_survives_unbind(void **state)
{
	static const uint32_t kinds[] = { 0, ZCDMA_STREAM_CACHED };

	for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
		struct zcdma_stream_buffer buffer = { .index = 0, .fd_flags = O_RDWR };
		unsigned int errors, num;
		struct waiter reader, poller;
		struct zcs s, idle;

		zcs_open(&s, dev, SOURCE, 8, 64 << 10, kinds[k]);
		zcs_open(&idle, dev, SINK, 2, 4096, kinds[k]);
		/* Nothing is under way here: only the unbinding can wake it. */
		zcs_call(&idle, ZCDMA_IOC_STREAM_START);
		start_waiter(&poller, &idle, poll_in);
		start_waiter(&reader, &idle, read_pending);
		for (uint32_t i = 0; i < 8; i++)
			zcs_put(&s, (struct zcdma_fill) { .index = i });
		zcs_call(&s, ZCDMA_IOC_STREAM_START);
		zcs_wait(&s);

		zcs_write_file(DRIVER "unbind", BOARD);
		assert_int_equal(join_waiter(&poller), POLLHUP | POLLERR);
		assert_int_equal(join_waiter(&reader), -ENODEV);
		assert_true(zcs_poll(&s, 0) & POLLHUP);
		assert_int_equal(zct_ioctl(s.fd, ZCDMA_IOC_STREAM_START, NULL), -ENODEV);
		assert_int_equal(zct_ioctl(s.fd, ZCDMA_IOC_STREAM_STOP, NULL), -ENODEV);
		assert_int_equal(zct_ioctl(s.fd, ZCDMA_IOC_STREAM_DRAIN, NULL), -ENODEV);
		assert_int_equal(zct_ioctl(s.fd, ZCDMA_IOC_STREAM_KICK, NULL), -ENODEV);
		assert_int_equal(zct_ioctl(s.fd, ZCDMA_IOC_STREAM_EXPORT, &buffer), -ENODEV);
		assert_int_equal(zct_ioctl(s.fd, _IO('z', 0x2f), NULL), -ENODEV);
		/* Cached ones come back by a work item, maybe a moment later. */
		for (num = 0; num < 7; num += zcs_drop(&s, &errors))
			;
		assert_int_equal(num, 7);
		/* Memory stays memory. */
		memset(s.maps[7], 0x5a, 64 << 10);
		zcs_put(&s, (struct zcdma_fill) { .index = 0 });
		zcs_close(&s);
		zcs_close(&idle);
		close(dev);

		rebind();
		dev = zct_open("virt0");
		assert_true(dev >= 0);
		capture(kinds[k], 4, 4096, 20);
	}
}

/* Wakes an epoll that watches two streams. */
static void test_epoll_tells_streams_apart(void **state)
{
	struct epoll_event events[2], event = { .events = EPOLLIN };
	int ep = epoll_create1(EPOLL_CLOEXEC);
	struct zcs in, out;

	zcs_open(&in, dev, SOURCE, 1, 4096, 0);
	zcs_open(&out, dev, SINK, 1, 4096, 0);
	event.data.u32 = 1;
	assert_int_equal(epoll_ctl(ep, EPOLL_CTL_ADD, in.fd, &event), 0);
	event.data.u32 = 2;
	assert_int_equal(epoll_ctl(ep, EPOLL_CTL_ADD, out.fd, &event), 0);
	zcs_call(&in, ZCDMA_IOC_STREAM_START);
	zcs_call(&out, ZCDMA_IOC_STREAM_START);
	assert_int_equal(epoll_wait(ep, events, 2, 0), 0);
	zcs_fill(&out, 0);
	assert_int_equal(epoll_wait(ep, events, 2, ZCS_DEADLINE_MS), 1);
	assert_int_equal(events[0].data.u32, 2);
	assert_int_equal(events[0].events, EPOLLIN);
	zcs_wait(&out);
	assert_int_equal(epoll_wait(ep, events, 2, 0), 0);
	zcs_fill(&in, 0);
	assert_int_equal(epoll_wait(ep, events, 2, ZCS_DEADLINE_MS), 1);
	assert_int_equal(events[0].data.u32, 1);
	zcs_close(&in);
	zcs_close(&out);
	close(ep);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_open_describes_rings_that_do_not_overlap),
		TEST(test_open_refuses_what_it_does_not_know),
		TEST(test_open_without_memory_leaves_nothing),
		TEST(test_open_takes_the_channel),
		TEST(test_open_and_v4l2_exclude_each_other),
		TEST(test_open_adjusts_a_video_format),
		TEST(test_format_info_lists_formats),
		TEST(test_mappings_keep_to_what_is_theirs),
		TEST(test_capture_coherent),
		TEST(test_capture_cached),
		TEST(test_capture_with_one_buffer),
		TEST(test_capture_with_many_buffers),
		TEST(test_capture_range_of_a_buffer),
		cmocka_unit_test_setup_teardown(test_source_has_its_patterns, setup, reset_pattern),
		TEST(test_source_tells_of_words_that_are_lost),
		TEST(test_playback_coherent),
		TEST(test_playback_cached),
		TEST(test_starved_stream_resumes_by_a_kick),
		TEST(test_stop_gives_everything_back),
		TEST(test_drain_waits_for_the_last_byte),
		TEST(test_read_ends_when_something_is_done),
		TEST(test_read_ends_by_a_signal),
		TEST(test_bad_fill_entries_are_refused_one_by_one),
		TEST(test_unknown_calls_are_refused),
		TEST(test_export_outlives_the_stream),
		TEST(test_import_uses_foreign_buffers),
		TEST(test_epoll_tells_streams_apart),
		TEST(test_stream_survives_kill),
		TEST(test_stream_survives_unbind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
