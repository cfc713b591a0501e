/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * From a camera to a V4L2 output, without a copy: display NAME /dev/videoN
 *
 * The output node imports the dma-buf of each captured buffer, and reads the frame where the
 * camera's DMA wrote it.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/videodev2.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <zcdma.h>

#define FRAMES		100
#define MAX_BUFFERS	32
#define TYPE		V4L2_BUF_TYPE_VIDEO_OUTPUT

static int call(int fd, unsigned long request, void *arg)
{
	return ioctl(fd, request, arg) ? -errno : 0;
}

/* Set the output to the camera's format, and have it expect dma-bufs. */
static int prepare(int out, const struct zcdma_video_config *video, unsigned int num)
{
	struct v4l2_format fmt = {
		.type = TYPE,
		.fmt.pix = {
			.width = video->width,
			.height = video->height,
			.pixelformat = video->fourcc,
			.bytesperline = video->bytesperline,
			.field = V4L2_FIELD_NONE,
		},
	};
	struct v4l2_requestbuffers request = {
		.count = num,
		.type = TYPE,
		.memory = V4L2_MEMORY_DMABUF,
	};
	int ret = call(out, VIDIOC_S_FMT, &fmt);

	if (!ret && fmt.fmt.pix.sizeimage != video->sizeimage)
		ret = -EINVAL;
	return ret ? ret : call(out, VIDIOC_REQBUFS, &request);
}

static int run(struct zcdma_stream *s, int out)
{
	int dmabufs[MAX_BUFFERS] = {}, type = TYPE, ret;
	unsigned int num = zcdma_num_buffers(s), shown = 0;
	struct zcdma_video_config video;
	struct zcdma_buffer *b;

	ret = zcdma_get_video(s, &video);
	if (!ret)
		ret = prepare(out, &video, num);
	for (unsigned int i = 0; i < num; i++)
		dmabufs[i] = zcdma_export(s, i);
	if (!ret)
		ret = zcdma_start(s);

	for (int n = 0; n < FRAMES && !ret && !(ret = zcdma_acquire(s, &b, 5000)); n++) {
		struct v4l2_buffer vb = {
			.type = TYPE,
			.memory = V4L2_MEMORY_DMABUF,
			.index = b->index,
			.bytesused = (__u32)b->length,
			.m.fd = dmabufs[b->index],
			.length = (__u32)b->size,
		};

		ret = call(out, VIDIOC_QBUF, &vb);
		/* Start with two on the way; from then on, one comes back for each that goes out. */
		if (!ret && n == 1)
			ret = call(out, VIDIOC_STREAMON, &type);
		if (!ret && n >= 2)
			ret = call(out, VIDIOC_DQBUF, &vb);
		if (!ret && n >= 2) {
			shown++;
			ret = zcdma_release(s, zcdma_get_buffer(s, vb.index));
		}
	}
	zcdma_stop(s);
	call(out, VIDIOC_STREAMOFF, &type);
	for (unsigned int i = 0; i < num; i++)
		if (dmabufs[i] >= 0)
			close(dmabufs[i]);
	if (!ret)
		printf("%u frames shown\n", shown);
	return ret;
}

int main(int argc, char **argv)
{
	struct zcdma_stream *s;
	int out, ret;

	if (argc != 3) {
		fprintf(stderr, "usage: display NAME /dev/videoN\n");
		return 2;
	}
	out = open(argv[2], O_RDWR | O_CLOEXEC);
	if (out < 0) {
		perror(argv[2]);
		return 1;
	}
	ret = zcdma_open(&s, argv[1], NULL);
	if (!ret) {
		ret = run(s, out);
		zcdma_close(s);
	}
	if (ret)
		fprintf(stderr, "display: %s\n", strerror(-ret));
	return ret != 0;
}
