// SPDX-License-Identifier: GPL-2.0-only
/*
 * strobe-hammer - many strobes, while a second process changes other lines of the same controller
 *
 * usage: strobe-hammer STROBES
 *
 * Each exposure of the triggered camera is a strobe. The other lines of the PL061 are changed, and
 * read back, through the GPIO character device. Prints for each line how often it has become high and
 * low ("line 5: 10000 10000"), for tests/host/strobe-edges.sh to compare with what QEMU saw.
 *
 * not-a-test: called by tests/host/strobe-edges.sh
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/gpio.h>
#include <linux/videodev2.h>
#include <linux/zcdma.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define DEVICE		"/dev/zcdma/virt0/device"
#define NODE		"/dev/zcdma/virt0/cam0"

static volatile sig_atomic_t stop;

static void on_term(int sig)
{
	stop = 1;
}

static void xioctl(int fd, unsigned long request, void *arg, const char *what)
{
	if (ioctl(fd, request, arg))
		err(1, "%s", what);
}

/* ---- The other process ---- */

static void toggle(void)
{
	static const uint32_t lines[] = { 0, 1, 2, 4, 6, 7 };
	struct gpio_v2_line_request request = {
		.consumer = "hammer",
		.num_lines = ARRAY_SIZE(lines),
		.config.flags = GPIO_V2_LINE_FLAG_OUTPUT,
	};
	struct gpio_v2_line_values values = { .mask = (1 << ARRAY_SIZE(lines)) - 1 };
	unsigned int edges[ARRAY_SIZE(lines)][2] = { };
	int chip = open("/dev/gpiochip0", O_RDWR | O_CLOEXEC);
	uint64_t last = 0;

	signal(SIGTERM, on_term);
	memcpy(request.offsets, lines, sizeof(lines));
	if (chip < 0)
		err(1, "/dev/gpiochip0");
	xioctl(chip, GPIO_V2_GET_LINE_IOCTL, &request, "GPIO_V2_GET_LINE_IOCTL");
	/* Counts in Gray code and in binary: one line at a time, and many. All are low at the end. */
	for (uint64_t n = 1; !stop || last; n++) {
		uint64_t next = stop ? 0 : (n & 1 ? n : n ^ n >> 1) & values.mask;
		struct gpio_v2_line_values got = { .mask = values.mask };

		values.bits = next;
		xioctl(request.fd, GPIO_V2_LINE_SET_VALUES_IOCTL, &values, "set lines");
		xioctl(request.fd, GPIO_V2_LINE_GET_VALUES_IOCTL, &got, "get lines");
		if (got.bits != next)
			errx(1, "lines are %#llx after writing %#llx",
			     (unsigned long long)got.bits, (unsigned long long)next);
		for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
			if ((last ^ next) >> i & 1)
				edges[i][!(next >> i & 1)]++;
		last = next;
	}
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
		printf("line %u: %u %u\n", lines[i], edges[i][0], edges[i][1]);
	fflush(stdout);
	_exit(0);
}

/* ---- The camera ---- */

static int stream(void)
{
	int type = V4L2_BUF_TYPE_VIDEO_CAPTURE;
	struct v4l2_requestbuffers req = { .count = 2, .type = type, .memory = V4L2_MEMORY_MMAP };
	struct v4l2_format fmt = { .type = type };
	struct v4l2_control exposure = { .id = V4L2_CID_EXPOSURE_ABSOLUTE, .value = 1 };
	struct v4l2_buffer b = { .type = type, .memory = V4L2_MEMORY_MMAP };
	int fd = open(NODE, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		err(1, NODE);
	fmt.fmt.pix.width = 16;
	fmt.fmt.pix.height = 16;
	fmt.fmt.pix.pixelformat = V4L2_PIX_FMT_GREY;
	xioctl(fd, VIDIOC_S_FMT, &fmt, "VIDIOC_S_FMT");
	xioctl(fd, VIDIOC_S_CTRL, &exposure, "exposure");
	xioctl(fd, VIDIOC_REQBUFS, &req, "VIDIOC_REQBUFS");
	xioctl(fd, VIDIOC_QBUF, &b, "VIDIOC_QBUF");
	/* The frames themselves are of no interest: all but the first find no buffer. */
	xioctl(fd, VIDIOC_STREAMON, &type, "VIDIOC_STREAMON");
	return fd;
}

int main(int argc, char **argv)
{
	struct zcdma_trigger trigger = { .mode = ZCDMA_TRIGGER_ON, .divider = 1,
					 .period_ns = 1000000 };
	struct zcdma_strobe strobe = { .mode = ZCDMA_STROBE_EXPOSURE, .duration_ns = 1000 };
	unsigned int wanted = argc > 1 ? atoi(argv[1]) : 0, given = 0;
	struct zcdma_gpio_state before, after;
	int dev = open(DEVICE, O_RDWR | O_CLOEXEC);
	int node, status;
	pid_t child;

	if (!wanted)
		errx(2, "usage: strobe-hammer STROBES");
	if (dev < 0)
		err(1, DEVICE);
	xioctl(dev, ZCDMA_IOC_TRIGGER_SET, &trigger, "ZCDMA_IOC_TRIGGER_SET");
	xioctl(dev, ZCDMA_IOC_STROBE_SET, &strobe, "ZCDMA_IOC_STROBE_SET");
	node = stream();
	xioctl(dev, ZCDMA_IOC_GPIO_STATE, &before, "ZCDMA_IOC_GPIO_STATE");
	child = fork();
	if (child < 0)
		err(1, "fork");
	if (!child)
		toggle();
	while (given < wanted) {
		if (!ioctl(dev, ZCDMA_IOC_TRIGGER_SOFTWARE))
			given++;
		else if (errno != EBUSY)
			err(1, "trigger");
	}
	do {
		xioctl(dev, ZCDMA_IOC_GPIO_STATE, &after, "ZCDMA_IOC_GPIO_STATE");
	} while (after.flags & ZCDMA_GPIO_STROBE_ACTIVE);
	kill(child, SIGTERM);
	if (waitpid(child, &status, 0) != child || status)
		errx(1, "the other process failed");
	close(node);
	if (after.strobes - before.strobes != wanted)
		errx(1, "%u triggers were %llu strobes", wanted,
		     (unsigned long long)(after.strobes - before.strobes));
	printf("line 5: %u %u\n", wanted, wanted);
	return 0;
}
