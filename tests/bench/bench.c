// SPDX-License-Identifier: GPL-2.0-only
/*
 * bench - what a frame costs the program that receives it and gives its buffer back
 *
 * usage: bench DIR [ring]
 *
 * With "ring", only the native ring.
 *
 * Runs in a guest under QEMU's icount, where the processor's instruction counter works and every
 * figure is repeatable. Prints a table, and writes DIR/bench.json and DIR/bench.svg.
 *
 * Measured is the task: its user instructions, the kernel's on its behalf, its system calls, and the
 * bytes that the kernel copies to it (only read() does). What engine and interrupts do meanwhile
 * is the same for all ways, and no part of it, except where an interrupt hits the task: the
 * median over many frames leaves that out. The pictures are empty (test pattern "Null") where the
 * device can do that.
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/dma-heap.h>
#include <linux/udmabuf.h>
#include <linux/videodev2.h>
#include <math.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>
#include <zcdma.h>

#include "count.h"
#include "zce.h"

#define ARRAY_SIZE(x)	(sizeof(x) / sizeof((x)[0]))
#define CAMERA		"virt1/cam0"
#define NODE		"/dev/zcdma/virt1/cam0"
#define VIVID_THREAD	"vivid-.*-vid-cap"
#define BUFFERS		8
#define BATCH		4
#define TYPE		V4L2_BUF_TYPE_VIDEO_CAPTURE

/* ---- Results ---- */

struct result {
	const char *way;
	uint64_t bytes;
	double user;
	double kernel;
	double calls;
	uint64_t copied;
};

static struct result results[128];
static size_t num_results;

static void add_result(const char *way, uint64_t bytes, uint64_t sets[COUNTERS][ROUNDS],
		       unsigned int per, uint64_t copied)
{
	struct result *r = &results[num_results++];

	*r = (struct result) { .way = way, .bytes = bytes, .copied = copied };
	r->user = (double)median(sets[USER], ROUNDS) / per;
	r->kernel = (double)median(sets[KERNEL], ROUNDS) / per;
	r->calls = (double)median(sets[CALLS], ROUNDS) / per;
	printf("%-28s %10" PRIu64 " %8.0f %10.0f %8.2f %10" PRIu64 "\n", r->way, r->bytes, r->user,
	       r->kernel, r->calls, r->copied);
	fflush(stdout);
}

/* ---- The ways ---- */

struct size {
	uint32_t fourcc;
	uint32_t width;
	uint32_t height;
};

/* 64 KiB, 1 MiB, 8 MiB, 32 MiB; vivid's nearest in number of bytes. */
static const struct size sizes[] = {
	{ V4L2_PIX_FMT_GREY, 256, 256 },
	{ V4L2_PIX_FMT_GREY, 1024, 1024 },
	{ V4L2_PIX_FMT_GREY, 4096, 2048 },
	{ V4L2_PIX_FMT_XBGR32, 4096, 2048 },
};

static const struct size vivid_sizes[] = {
	{ V4L2_PIX_FMT_GREY, 320, 180 },
	{ V4L2_PIX_FMT_GREY, 1280, 720 },
	{ V4L2_PIX_FMT_GREY, 3840, 2160 },
	{ V4L2_PIX_FMT_XBGR32, 3840, 2160 },
};

static void must(int ret, const char *what)
{
	if (ret)
		errx(1, "%s: %s", what, strerror(-ret));
}

static void xioctl(int fd, unsigned long request, void *arg, const char *what)
{
	if (ioctl(fd, request, arg))
		err(1, "%s", what);
}

static struct zcdma_stream *open_stream(const struct size *size)
{
	const struct zcdma_config config = {
		.num_buffers = BUFFERS,
		.fourcc = size->fourcc,
		.width = size->width,
		.height = size->height,
		.interval_ns = 33333333,
	};
	struct zcdma_stream *s;

	must(zcdma_open(&s, CAMERA, &config), CAMERA);
	return s;
}

static void set_pattern(struct zcdma_stream *s)
{
	struct zcdma_control control = { .id = ZCDMA_CONTROL_TEST_PATTERN, .value = -1 };

	/* "Null" is the last one. */
	ioctl(zcdma_fd(s), ZCDMA_IOC_STREAM_CONTROL, &control);
	must(zcdma_set_control(s, ZCDMA_CONTROL_TEST_PATTERN, control.max), "test pattern");
}

static void like_hardware(const char *thread)
{
	if (zce_like_hardware(thread))
		errx(1, "no thread %s", thread);
}

static void sleep_ns(long ns)
{
	nanosleep(&(struct timespec) { .tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000 }, NULL);
}

/* Frames lie in the done ring already, more buffers are with the engine. */
static void ring_pending(const struct size *size)
{
	struct zcdma_stream *s = open_stream(size);
	uint64_t sets[COUNTERS][ROUNDS];
	struct zcdma_video_config video;

	set_pattern(s);
	zcdma_get_video(s, &video);
	must(zcdma_start(s), "start");
	for (int r = -1; r < ALL_ROUNDS; r++) {
		struct zcdma_buffer *b;

		/* Begin with all buffers at the engine; when half have come back, take those. */
		while (!zcdma_acquire(s, &b, 0))
			must(zcdma_release(s, b), "release");
		sleep_ns((long)(video.interval_ns * BATCH + video.interval_ns / 2));
		count_begin(r);
		for (int i = 0; i < BATCH; i++) {
			must(zcdma_acquire(s, &b, -1), "acquire");
			must(zcdma_release(s, b), "release");
		}
		count_end(r, sets);
	}
	add_result("ring, frames pending", video.sizeimage, sets, BATCH, 0);
	zcdma_close(s);
}

/* @by_poll: as a program with more than this to wait for, else in zcdma_acquire(). */
static void ring_wait(const char *way, const struct size *size, bool by_poll)
{
	struct zcdma_stream *s = open_stream(size);
	struct pollfd pfd = { .fd = zcdma_fd(s), .events = POLLIN };
	uint64_t sets[COUNTERS][ROUNDS], latency[ROUNDS];
	struct zcdma_video_config video;

	set_pattern(s);
	zcdma_get_video(s, &video);
	must(zcdma_start(s), "start");
	like_hardware(CAMERA);
	for (int r = -3; r < ALL_ROUNDS; r++) {
		struct zcdma_buffer *b;
		struct timespec ts;

		count_begin(r);
		if (by_poll && poll(&pfd, 1, -1) != 1)
			err(1, "poll");
		must(zcdma_acquire(s, &b, -1), "acquire");
		must(zcdma_release(s, b), "release");
		count_end(r, sets);
		/* Once more, for the time; that takes instructions of its own. */
		must(zcdma_acquire(s, &b, -1), "acquire");
		clock_gettime(CLOCK_MONOTONIC, &ts);
		if (r >= 0)
			latency[r % ROUNDS] = (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec -
				     b->frame.done_ns;
		must(zcdma_release(s, b), "release");
	}
	add_result(way, video.sizeimage, sets, 1, 0);
	printf("%-28s %10u %8s %10" PRIu64 "\n", "  engine done to program", video.sizeimage, "",
	       median(latency, ROUNDS));
	zcdma_close(s);
}

/* The floor under all ways that wait: to sleep in poll() until a timer fires, without any driver. */
static void poll_alone(void)
{
	const struct itimerspec once = { .it_value.tv_nsec = 33333333 };
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	uint64_t sets[COUNTERS][ROUNDS];

	if (fd < 0)
		err(1, "timerfd");
	for (int r = -3; r < ALL_ROUNDS; r++) {
		if (timerfd_settime(fd, 0, &once, NULL))
			err(1, "timerfd");
		count_begin(r);
		if (poll(&pfd, 1, -1) != 1)
			err(1, "poll");
		count_end(r, sets);
	}
	add_result("poll() alone, of a timer", 0, sets, 1, 0);
	close(fd);
}

static int open_node(const char *path, const struct size *size, uint32_t *bytes)
{
	struct v4l2_format fmt = { .type = TYPE };
	struct v4l2_streamparm parm = { .type = TYPE };
	int fd = open(path, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		err(1, "%s", path);
	fmt.fmt.pix.width = size->width;
	fmt.fmt.pix.height = size->height;
	fmt.fmt.pix.pixelformat = size->fourcc;
	fmt.fmt.pix.field = V4L2_FIELD_NONE;
	xioctl(fd, VIDIOC_S_FMT, &fmt, "S_FMT");
	parm.parm.capture.timeperframe = (struct v4l2_fract) { 1, 30 };
	ioctl(fd, VIDIOC_S_PARM, &parm);
	*bytes = fmt.fmt.pix.sizeimage;
	return fd;
}

static void null_pattern(int fd)
{
	struct v4l2_queryctrl query = { .id = V4L2_CID_TEST_PATTERN };
	struct v4l2_control control = { .id = V4L2_CID_TEST_PATTERN };

	xioctl(fd, VIDIOC_QUERYCTRL, &query, "QUERYCTRL");
	control.value = query.maximum;
	xioctl(fd, VIDIOC_S_CTRL, &control, "S_CTRL");
}

static void node_mmap(const char *way, const char *path, const char *thread,
		      const struct size *size, bool null, bool wait)
{
	struct v4l2_requestbuffers request = { .count = BUFFERS, .type = TYPE,
					       .memory = V4L2_MEMORY_MMAP };
	uint64_t sets[COUNTERS][ROUNDS];
	struct v4l2_buffer vb;
	uint32_t bytes;
	int fd = open_node(path, size, &bytes), type = TYPE;

	if (null)
		null_pattern(fd);
	xioctl(fd, VIDIOC_REQBUFS, &request, "REQBUFS");
	for (uint32_t i = 0; i < request.count; i++) {
		vb = (struct v4l2_buffer) { .type = TYPE, .memory = V4L2_MEMORY_MMAP, .index = i };
		xioctl(fd, VIDIOC_QBUF, &vb, "QBUF");
	}
	xioctl(fd, VIDIOC_STREAMON, &type, "STREAMON");
	like_hardware(thread);
	for (int r = -3; r < ALL_ROUNDS; r++) {
		struct pollfd pfd = { .fd = fd, .events = POLLIN };

		if (!wait)
			sleep_ns(100000000);
		count_begin(r);
		if (wait)
			poll(&pfd, 1, -1);
		vb = (struct v4l2_buffer) { .type = TYPE, .memory = V4L2_MEMORY_MMAP };
		xioctl(fd, VIDIOC_DQBUF, &vb, "DQBUF");
		xioctl(fd, VIDIOC_QBUF, &vb, "QBUF");
		count_end(r, sets);
	}
	add_result(way, bytes, sets, 1, 0);
	close(fd);
}

static void node_read(const char *way, const char *path, const struct size *size, bool null)
{
	uint64_t sets[COUNTERS][ROUNDS];
	uint32_t bytes;
	int fd = open_node(path, size, &bytes);
	char *data = malloc(bytes);

	if (null)
		null_pattern(fd);
	memset(data, 1, bytes);
	for (int r = -2; r < ALL_ROUNDS; r++) {
		count_begin(r);
		if (read(fd, data, bytes) != (ssize_t)bytes)
			err(1, "read");
		count_end(r, sets);
	}
	add_result(way, bytes, sets, 1, bytes);
	free(data);
	close(fd);
}

/* ---- Buffers ---- */

static int make_zcdma(size_t size)
{
	static struct zcdma_device *device;

	if (!device)
		must(zcdma_device_open(&device, "virt1"), "virt1");
	return zcdma_device_alloc(device, size, ZCDMA_BUFFER_CACHED);
}

static int make_udmabuf(size_t size)
{
	int dev = open("/dev/udmabuf", O_RDWR | O_CLOEXEC);
	int memfd = memfd_create("bench", MFD_ALLOW_SEALING | MFD_CLOEXEC);
	struct udmabuf_create create = { .memfd = (uint32_t)memfd, .flags = UDMABUF_FLAGS_CLOEXEC,
					 .size = size };
	int fd = -1;

	if (dev >= 0 && !ftruncate(memfd, (off_t)size) && !fcntl(memfd, F_ADD_SEALS, F_SEAL_SHRINK))
		fd = ioctl(dev, UDMABUF_CREATE, &create);
	close(memfd);
	close(dev);
	return fd;
}

static int make_heap(size_t size)
{
	struct dma_heap_allocation_data data = { .len = size, .fd_flags = O_RDWR | O_CLOEXEC };
	int heap = open("/dev/dma_heap/system", O_RDONLY | O_CLOEXEC);
	int ret = heap < 0 ? -1 : ioctl(heap, DMA_HEAP_IOCTL_ALLOC, &data);

	close(heap);
	return ret ? -1 : (int)data.fd;
}

/* From nothing to bytes that a program can read: allocated, a dma-buf, mapped, every page touched. */
static void buffers(const char *way, int (*make)(size_t size), size_t size)
{
	uint64_t sets[COUNTERS][ROUNDS];

	for (int r = -1; r < ALL_ROUNDS; r++) {
		volatile char *map;
		int fd;

		count_begin(r);
		fd = make(size);
		map = fd < 0 ? MAP_FAILED : mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		if (map != MAP_FAILED)
			for (size_t at = 0; at < size; at += 4096)
				(void)map[at];
		count_end(r, sets);
		if (map == MAP_FAILED) {
			printf("%-28s not in this kernel\n", way);
			return;
		}
		munmap((void *)map, size);
		close(fd);
	}
	add_result(way, size, sets, 1, 0);
}

/* ---- Output ---- */

static FILE *create(const char *dir, const char *name)
{
	char path[4096];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "w");
	if (!f)
		err(1, "%s", path);
	return f;
}

static void write_json(const char *dir)
{
	FILE *f = create(dir, "bench.json");

	fprintf(f, "[");
	for (size_t i = 0; i < num_results; i++) {
		const struct result *r = &results[i];

		fprintf(f, "%s\n  {\"way\": \"%s\", \"bytes\": %" PRIu64 ", \"user_instructions\": %.2f, "
			"\"kernel_instructions\": %.2f, \"system_calls\": %.2f, \"bytes_copied\": %" PRIu64 "}",
			i ? "," : "", r->way, r->bytes, r->user, r->kernel, r->calls, r->copied);
	}
	fprintf(f, "\n]\n");
	fclose(f);
}

#define PLOT_X	90
#define PLOT_Y	50
#define PLOT_W	560
#define PLOT_H	380

static double plot_x(double bytes)
{
	return PLOT_X + PLOT_W * (log2(bytes) - 15.5) / 10;
}

static double plot_y(double instructions)
{
	return PLOT_Y + PLOT_H - PLOT_H * (log10(instructions) - 1) / 6.5;
}

/* Instructions for a frame over its size, both logarithmic. */
static void write_svg(const char *dir)
{
	static const char * const colours[] = { "#0072b2", "#56b4e9", "#009e73", "#e69f00", "#cc79a7",
						"#d55e00", "#000000", "#999999" };
	static const char * const ticks[] = { "64 KiB", "1 MiB", "8 MiB", "32 MiB" };
	static const double at[] = { 65536, 1048576, 8388608, 33554432 };
	FILE *f = create(dir, "bench.svg");
	const char *ways[16] = { NULL };
	size_t num_ways = 0;

	fprintf(f, "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"920\" height=\"500\" font-family=\"sans-serif\" font-size=\"13\">\n"
		"<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>\n"
		"<text x=\"%d\" y=\"28\" font-size=\"16\">Instructions to receive a frame and give its buffer back</text>\n",
		PLOT_X);
	for (int d = 1; d <= 7; d++)
		fprintf(f, "<line x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\" stroke=\"#ddd\"/>"
			"<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">10<tspan dy=\"-5\" font-size=\"9\">%d</tspan></text>\n",
			PLOT_X, PLOT_X + PLOT_W, plot_y(pow(10, d)), plot_y(pow(10, d)), PLOT_X - 8,
			plot_y(pow(10, d)) + 4, d);
	for (size_t i = 0; i < ARRAY_SIZE(ticks); i++)
		fprintf(f, "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%s</text>\n", plot_x(at[i]),
			PLOT_Y + PLOT_H + 22, ticks[i]);
	fprintf(f, "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">size of a frame</text>\n",
		PLOT_X + PLOT_W / 2, PLOT_Y + PLOT_H + 46);
	for (size_t i = 0; i < num_results; i++) {
		bool known = !results[i].bytes || !strncmp(results[i].way, "alloc", 5);

		for (size_t w = 0; w < num_ways; w++)
			known |= !strcmp(ways[w], results[i].way);
		if (!known && num_ways < ARRAY_SIZE(ways))
			ways[num_ways++] = results[i].way;
	}
	for (size_t w = 0; w < num_ways; w++) {
		const char *colour = colours[w % ARRAY_SIZE(colours)];
		double last_y = 0;

		fprintf(f, "<polyline fill=\"none\" stroke=\"%s\" stroke-width=\"2\" points=\"", colour);
		for (size_t i = 0; i < num_results; i++)
			if (!strcmp(results[i].way, ways[w])) {
				last_y = plot_y(results[i].user + results[i].kernel + 1);
				fprintf(f, "%.1f,%.1f ", plot_x((double)results[i].bytes), last_y);
			}
		fprintf(f, "\"/>\n");
		for (size_t i = 0; i < num_results; i++)
			if (!strcmp(results[i].way, ways[w]))
				fprintf(f, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"4\" fill=\"%s\"/>\n",
					plot_x((double)results[i].bytes),
					plot_y(results[i].user + results[i].kernel + 1), colour);
		fprintf(f, "<rect x=\"%d\" y=\"%zu\" width=\"12\" height=\"12\" fill=\"%s\"/>"
			"<text x=\"%d\" y=\"%zu\">%s</text>\n", PLOT_X + PLOT_W + 30, PLOT_Y + 10 + 26 * w,
			colour, PLOT_X + PLOT_W + 50, PLOT_Y + 21 + 26 * w, ways[w]);
	}
	fprintf(f, "</svg>\n");
	fclose(f);
}

static const char *find_vivid(void)
{
	static char path[32];

	if (system("modprobe vivid n_devs=1 node_types=0x1 num_inputs=1 input_types=0 && udevadm settle"))
		return NULL;
	for (int n = 0; n < 32; n++) {
		struct v4l2_capability cap = { 0 };
		int fd;

		snprintf(path, sizeof(path), "/dev/video%d", n);
		fd = open(path, O_RDWR | O_CLOEXEC);
		if (fd < 0)
			continue;
		ioctl(fd, VIDIOC_QUERYCAP, &cap);
		close(fd);
		if (!strcmp((char *)cap.driver, "vivid"))
			return path;
	}
	return NULL;
}

int main(int argc, char **argv)
{
	const char *vivid;

	if (argc != 2 && !(argc == 3 && !strcmp(argv[2], "ring")))
		errx(2, "usage: bench DIR [ring]");
	if (zce_steady_scheduler())
		errx(1, "the scheduler cannot be set (is debugfs mounted?)");
	vivid = argc == 2 ? find_vivid() : NULL;
	printf("%-28s %10s %8s %10s %8s %10s\n", "", "bytes", "user", "kernel", "calls", "copied");
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
		ring_pending(&sizes[i]);
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
		ring_wait("ring, waiting in acquire", &sizes[i], false);
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
		ring_wait("ring, waiting in poll", &sizes[i], true);
	poll_alone();
	if (argc == 3)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
		node_mmap("V4L2 mmap, frame pending", NODE, CAMERA, &sizes[i], true, false);
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
		node_mmap("V4L2 mmap, poll", NODE, CAMERA, &sizes[i], true, true);
	for (size_t i = 0; vivid && i < ARRAY_SIZE(vivid_sizes); i++)
		node_mmap("vivid mmap, poll", vivid, VIVID_THREAD, &vivid_sizes[i], false, true);
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
		node_read("V4L2 read()", NODE, &sizes[i], true);
	for (size_t i = 0; vivid && i < ARRAY_SIZE(vivid_sizes); i++)
		node_read("vivid read()", vivid, &vivid_sizes[i], false);
	buffers("alloc+export+map, zcdma", make_zcdma, 1 << 20);
	buffers("alloc+export+map, zcdma", make_zcdma, 8 << 20);
	if (!system("modprobe -q udmabuf; udevadm settle")) {
		buffers("alloc+export+map, udmabuf", make_udmabuf, 1 << 20);
		buffers("alloc+export+map, udmabuf", make_udmabuf, 8 << 20);
	}
	buffers("alloc+export+map, dma-heap", make_heap, 1 << 20);
	write_json(argv[1]);
	write_svg(argv[1]);
	return 0;
}
