// SPDX-License-Identifier: GPL-2.0-only
/*
 * zerocopy - prove from outside that a frame is not copied on its way to a program
 *
 * usage: zerocopy /dev/videoN DEBUGFS-DEVICE
 *
 * not-a-test
 *
 * Captures, holds one frame in its mapping, and has the machine read physical memory, through
 * QEMU's monitor, at the addresses that the DMA engine wrote to (debugfs). That must be the frame.
 * Then the program writes random bytes through its mapping, and they must be there, too: the same
 * memory, not an equal copy. Nobody else may be using the device.
 */
#define _GNU_SOURCE
#include <err.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/videodev2.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

#define BUFFERS		4
#define MAX_RUNS	4096

struct run {
	uint64_t addr;
	size_t len;
};

/* The DMA addresses of the device's buffer number @index, in the order of their allocation. */
static size_t engine_runs(const char *device, unsigned int index, struct run *runs, size_t max)
{
	char path[256], *line = NULL, *word;
	size_t size = 0, n = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/sys/kernel/debug/zcdma/%s/buffers", device);
	f = fopen(path, "r");
	if (!f)
		err(1, "%s", path);
	for (unsigned int i = 0; i <= index; i++)
		if (getline(&line, &size, f) < 0)
			errx(1, "%s has no line for buffer %u", path, index);
	fclose(f);

	word = strstr(line, " dma ");
	if (!word)
		errx(1, "%s: no DMA addresses", path);
	strtok(word, " ");
	while ((word = strtok(NULL, " \n")) && n < max) {
		if (sscanf(word, "%" SCNx64 "+%zx", &runs[n].addr, &runs[n].len) != 2)
			errx(1, "%s: what is %s?", path, word);
		n++;
	}
	free(line);
	return n;
}

static void from_outside(const struct run *runs, size_t n, uint8_t *copy)
{
	for (size_t i = 0; i < n; i++) {
		char command[64];
		FILE *f;

		snprintf(command, sizeof(command), "host pmem %#" PRIx64 " %zu", runs[i].addr,
			 runs[i].len);
		f = popen(command, "r");
		if (!f)
			err(1, "%s", command);
		if (fread(copy, 1, runs[i].len, f) != runs[i].len)
			errx(1, "%s: too few bytes", command);
		if (pclose(f))
			errx(1, "%s failed", command);
		copy += runs[i].len;
	}
}

static void xioctl(int fd, unsigned long request, void *arg, const char *what)
{
	if (ioctl(fd, request, arg))
		err(1, "%s", what);
}

int main(int argc, char **argv)
{
	struct v4l2_requestbuffers reqbufs = {
		.count = BUFFERS,
		.type = V4L2_BUF_TYPE_VIDEO_CAPTURE,
		.memory = V4L2_MEMORY_MMAP,
	};
	struct v4l2_format fmt = { .type = V4L2_BUF_TYPE_VIDEO_CAPTURE };
	struct v4l2_buffer b;
	uint8_t *map[BUFFERS], *copy;
	static struct run runs[MAX_RUNS];
	size_t len = 0, n;
	int fd;

	if (argc != 3) {
		fprintf(stderr, "usage: zerocopy /dev/videoN DEBUGFS-DEVICE\n");
		return 2;
	}
	fd = open(argv[1], O_RDWR | O_CLOEXEC);
	if (fd < 0)
		err(1, "%s", argv[1]);
	xioctl(fd, VIDIOC_G_FMT, &fmt, "VIDIOC_G_FMT");
	xioctl(fd, VIDIOC_REQBUFS, &reqbufs, "VIDIOC_REQBUFS");
	if (reqbufs.count != BUFFERS)
		errx(1, "%u buffers instead of %d", reqbufs.count, BUFFERS);
	for (unsigned int i = 0; i < BUFFERS; i++) {
		b = (struct v4l2_buffer) { .type = reqbufs.type, .memory = reqbufs.memory, .index = i };
		xioctl(fd, VIDIOC_QUERYBUF, &b, "VIDIOC_QUERYBUF");
		map[i] = mmap(NULL, b.length, PROT_READ | PROT_WRITE, MAP_SHARED, fd, b.m.offset);
		if (map[i] == MAP_FAILED)
			err(1, "mmap");
		xioctl(fd, VIDIOC_QBUF, &b, "VIDIOC_QBUF");
	}
	xioctl(fd, VIDIOC_STREAMON, &reqbufs.type, "VIDIOC_STREAMON");

	/* Any frame but the first: buffers start as zeroes, this one has been in use. */
	for (int frame = 0; frame < BUFFERS + 1; frame++) {
		b = (struct v4l2_buffer) { .type = reqbufs.type, .memory = reqbufs.memory };
		xioctl(fd, VIDIOC_DQBUF, &b, "VIDIOC_DQBUF");
		if (frame < BUFFERS)
			xioctl(fd, VIDIOC_QBUF, &b, "VIDIOC_QBUF");
	}

	n = engine_runs(argv[2], b.index, runs, MAX_RUNS);
	for (size_t i = 0; i < n; i++)
		len += runs[i].len;
	if (len < b.length)
		errx(1, "the DMA engine's buffer has %zu bytes, the program's %u", len, b.length);
	copy = malloc(len);
	if (!copy)
		errx(1, "no memory");
	from_outside(runs, n, copy);
	for (size_t at = 0; at < b.bytesused; at++)
		if (copy[at] != map[b.index][at])
			errx(1, "byte %zu is %#x in the mapping and %#x in memory", at,
			     map[b.index][at], copy[at]);

	if (getrandom(map[b.index], 256, 0) != 256)
		err(1, "getrandom");
	from_outside(runs, n, copy);
	if (memcmp(copy, map[b.index], 256))
		errx(1, "what the program wrote is not in physical memory where the DMA engine writes");

	printf("frame %u, %ux%u: %u bytes at physical address %#" PRIx64 " (%zu piece%s): DMA engine, program and QEMU's monitor see the same memory\n",
	       b.sequence, fmt.fmt.pix.width, fmt.fmt.pix.height, b.bytesused, runs[0].addr, n,
	       n == 1 ? "" : "s");
	return 0;
}
