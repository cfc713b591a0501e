// SPDX-License-Identifier: GPL-2.0-only
/*
 * test-video-dmabuf - frames between devices: our nodes, vivid's, and memory made by udmabuf
 *
 * timeout: 90
 */
#define _GNU_SOURCE
#include <linux/udmabuf.h>

#include "zcv.h"

#define BUFFERS	4
#define FRAMES	8

static struct zcv cam, out, vivid;
static int fds[BUFFERS] = { -1, -1, -1, -1 };
static uint8_t *memory[BUFFERS];
static size_t memory_size;

static int teardown(void **state)
{
	zcv_teardown(state);
	for (int i = 0; i < BUFFERS; i++) {
		close(fds[i]);
		fds[i] = -1;
		if (memory[i])
			munmap(memory[i], memory_size);
		memory[i] = NULL;
	}
	return 0;
}

/* Buffers of pages that a program made; sealed, so that they stay. */
static void make_udmabufs(size_t size)
{
	int dev = open("/dev/udmabuf", O_RDWR | O_CLOEXEC);

	if (dev < 0)
		zcv_fail("/dev/udmabuf");
	memory_size = (size + 4095) & ~4095UL;
	for (int i = 0; i < BUFFERS; i++) {
		struct udmabuf_create create = { .flags = UDMABUF_FLAGS_CLOEXEC };
		int memfd = memfd_create("frame", MFD_ALLOW_SEALING | MFD_CLOEXEC);

		assert_true(memfd >= 0);
		assert_int_equal(ftruncate(memfd, memory_size), 0);
		assert_int_equal(fcntl(memfd, F_ADD_SEALS, F_SEAL_SHRINK), 0);
		memory[i] = mmap(NULL, memory_size, PROT_READ | PROT_WRITE, MAP_SHARED, memfd, 0);
		assert_ptr_not_equal(memory[i], MAP_FAILED);
		create.memfd = memfd;
		create.size = memory_size;
		fds[i] = ioctl(dev, UDMABUF_CREATE, &create);
		if (fds[i] < 0)
			zcv_fail("UDMABUF_CREATE");
		close(memfd);
	}
	close(dev);
}

static void export_all(struct zcv *v)
{
	for (unsigned int i = 0; i < v->count; i++)
		fds[i] = zcv_export(v, i, O_RDWR | O_CLOEXEC);
}

static void queue_fd(struct zcv *v, unsigned int index, int fd)
{
	struct v4l2_buffer b = zcv_buffer(v, index);

	b.m.fd = fd;
	if (v->type == V4L2_BUF_TYPE_VIDEO_OUTPUT)
		b.bytesused = v->pix.sizeimage;
	zcv_ioctl(v->fd, VIDIOC_QBUF, &b);
}

/* ---- Into our nodes ---- */

static void test_camera_writes_into_udmabufs(void **state)
{
	zcv_open(&cam, "cam0");
	zcv_control(&cam, ZCDMA_V4L2_CID_STAMPS, 1);
	make_udmabufs(cam.pix.sizeimage);
	zcv_alloc(&cam, V4L2_MEMORY_DMABUF, BUFFERS, 0);
	for (int i = 0; i < BUFFERS; i++)
		queue_fd(&cam, i, fds[i]);
	zcv_on(&cam);
	for (int i = 0; i < FRAMES; i++) {
		struct v4l2_buffer b = zcv_dequeue(&cam);

		assert_int_equal(b.bytesused, cam.pix.sizeimage);
		zcv_check_stamps(memory[b.index], b.bytesused, b.sequence);
		queue_fd(&cam, b.index, fds[b.index]);
	}
	/* What it imports does not count against its pool. */
	assert_int_equal(zcv_pool_used(), 0);
}

/* Through the loopback, to see what the display has read. */
static void test_display_reads_from_udmabufs(void **state)
{
	int64_t last = -1;

	zcv_open(&cam, "cam0");
	zcv_open(&out, "out0");
	zcv_format(&cam, V4L2_PIX_FMT_YUYV, 320, 240);
	zcv_format(&out, V4L2_PIX_FMT_YUYV, 320, 240);
	make_udmabufs(out.pix.sizeimage);
	zcv_start(&cam, BUFFERS);
	zcv_alloc(&out, V4L2_MEMORY_DMABUF, BUFFERS, 0);
	for (int i = 0; i < BUFFERS; i++) {
		zcv_random(memory[i], out.pix.sizeimage, i);
		queue_fd(&out, i, fds[i]);
	}
	zcv_on(&out);
	while (last < BUFFERS - 1) {
		struct v4l2_buffer b = zcv_dequeue(&cam);
		int which = -1;

		for (int i = 0; i < BUFFERS; i++)
			if (!memcmp(cam.map[b.index], memory[i], b.bytesused))
				which = i;
		assert_true(which >= last);
		last = which;
		zcv_queue(&cam, b.index);
	}
}

static void test_camera_buffers_go_to_the_display(void **state)
{
	zcv_open(&cam, "cam0");
	zcv_open(&out, "out0");
	/* Not looped, but of one size. */
	zcv_format(&cam, V4L2_PIX_FMT_UYVY, 640, 480);
	zcv_control(&cam, ZCDMA_V4L2_CID_STAMPS, 1);
	assert_int_equal(cam.pix.sizeimage, out.pix.sizeimage);
	zcv_alloc(&cam, V4L2_MEMORY_MMAP, BUFFERS, 0);
	export_all(&cam);
	zcv_alloc(&out, V4L2_MEMORY_DMABUF, BUFFERS, 0);
	zcv_queue_all(&cam);
	zcv_on(&cam);
	for (int i = 0; i < FRAMES; i++) {
		struct v4l2_buffer b = zcv_dequeue(&cam);

		queue_fd(&out, b.index, fds[b.index]);
		if (!i)
			zcv_on(&out);
		zcv_check_stamps(cam.map[b.index], b.bytesused, b.sequence);
		if (i >= 2) {
			struct v4l2_buffer o = zcv_dequeue(&out);

			assert_false(o.flags & V4L2_BUF_FLAG_ERROR);
			zcv_queue(&cam, o.index);
		}
	}
}

/* /dev/zcdmaN makes dma-bufs, too. */
static void test_camera_writes_into_buffers_of_its_device(void **state)
{
	int dev = zcv_open_device();
	struct zcdma_buffer_alloc alloc = {
		.flags = ZCDMA_BUFFER_CACHED,
		.fd_flags = O_RDWR | O_CLOEXEC,
	};
	struct v4l2_buffer b;

	zcv_open(&cam, "cam0");
	zcv_control(&cam, ZCDMA_V4L2_CID_STAMPS, 1);
	alloc.size = cam.pix.sizeimage;
	zcv_ioctl(dev, ZCDMA_IOC_BUFFER_ALLOC, &alloc);
	close(dev);
	fds[0] = alloc.fd;
	memory_size = alloc.size;
	memory[0] = mmap(NULL, memory_size, PROT_READ, MAP_SHARED, fds[0], 0);
	assert_ptr_not_equal(memory[0], MAP_FAILED);
	zcv_alloc(&cam, V4L2_MEMORY_DMABUF, 2, 0);
	queue_fd(&cam, 0, fds[0]);
	zcv_on(&cam);
	for (int i = 0; i < 3; i++) {
		struct dma_buf_sync sync = { .flags = DMA_BUF_SYNC_START | DMA_BUF_SYNC_READ };

		b = zcv_dequeue(&cam);
		zcv_ioctl(fds[0], DMA_BUF_IOCTL_SYNC, &sync);
		zcv_check_stamps(memory[0], b.bytesused, b.sequence);
		sync.flags = DMA_BUF_SYNC_END | DMA_BUF_SYNC_READ;
		zcv_ioctl(fds[0], DMA_BUF_IOCTL_SYNC, &sync);
		queue_fd(&cam, 0, fds[0]);
	}
}

/* The queue holds what was put into it; the program may close its descriptor. */
static void test_queued_dmabuf_may_be_closed(void **state)
{
	struct v4l2_buffer b;

	zcv_open(&cam, "cam0");
	zcv_control(&cam, ZCDMA_V4L2_CID_STAMPS, 1);
	make_udmabufs(cam.pix.sizeimage);
	zcv_alloc(&cam, V4L2_MEMORY_DMABUF, 2, 0);
	queue_fd(&cam, 0, fds[0]);
	close(fds[0]);
	fds[0] = -1;
	zcv_on(&cam);
	b = zcv_dequeue(&cam);
	zcv_check_stamps(memory[0], b.bytesused, b.sequence);
}

/* The same slot, a new memory: what is in the slot must not stay behind. */
static void test_slot_takes_another_dmabuf(void **state)
{
	struct v4l2_buffer b;

	zcv_open(&cam, "cam0");
	zcv_control(&cam, ZCDMA_V4L2_CID_STAMPS, 1);
	make_udmabufs(cam.pix.sizeimage);
	zcv_alloc(&cam, V4L2_MEMORY_DMABUF, 2, 0);
	queue_fd(&cam, 0, fds[0]);
	zcv_on(&cam);
	zcv_dequeue(&cam);
	memset(memory[0], 0, memory_size);
	queue_fd(&cam, 0, fds[1]);
	b = zcv_dequeue(&cam);
	zcv_check_stamps(memory[1], b.bytesused, b.sequence);
	assert_int_equal(zcv_stamp(memory[0], 0).magic, 0);
}

static void test_bad_dmabufs_are_refused_and_change_nothing(void **state)
{
	struct v4l2_buffer b;
	int null;

	zcv_open(&cam, "cam0");
	zcv_control(&cam, ZCDMA_V4L2_CID_STAMPS, 1);
	make_udmabufs(cam.pix.sizeimage - 4096);
	zcv_alloc(&cam, V4L2_MEMORY_DMABUF, 2, 0);
	b = zcv_buffer(&cam, 0);
	/* Too small. */
	b.m.fd = fds[0];
	zcv_ioctl_fails(cam.fd, VIDIOC_QBUF, &b, EINVAL);
	/* No dma-buf. */
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	b.m.fd = null;
	zcv_ioctl_fails(cam.fd, VIDIOC_QBUF, &b, EINVAL);
	close(null);
	/* No file. */
	b.m.fd = null;
	zcv_ioctl_fails(cam.fd, VIDIOC_QBUF, &b, EINVAL);
	zcv_ioctl(cam.fd, VIDIOC_QUERYBUF, &b);
	assert_false(b.flags & V4L2_BUF_FLAG_QUEUED);
	/* Export is for own buffers. */
	zcv_ioctl_fails(cam.fd, VIDIOC_EXPBUF,
			&(struct v4l2_exportbuffer) { .type = cam.type }, EINVAL);

	/* The slot is as good as before. */
	teardown(NULL);
	zcv_open(&cam, "cam0");
	zcv_control(&cam, ZCDMA_V4L2_CID_STAMPS, 1);
	make_udmabufs(cam.pix.sizeimage);
	zcv_alloc(&cam, V4L2_MEMORY_DMABUF, 2, 0);
	b = zcv_buffer(&cam, 0);
	b.m.fd = STDIN_FILENO;
	zcv_ioctl_fails(cam.fd, VIDIOC_QBUF, &b, EINVAL);
	queue_fd(&cam, 0, fds[0]);
	zcv_on(&cam);
	b = zcv_dequeue(&cam);
	zcv_check_stamps(memory[0], b.bytesused, b.sequence);
}

/* ---- vivid ---- */

static bool have_vivid;

/* One webcam and one HDMI output; both as vivid's driver sets them. */
static int load_vivid(void **state)
{
	have_vivid = !system("modprobe vivid n_devs=1 node_types=0x101 num_inputs=1 input_types=0"
			     " num_outputs=1 output_types=1");
	return 0;
}

static int unload_vivid(void **state)
{
	return have_vivid && zcv_unload_vivid();
}

static void open_vivid(const char *name)
{
	struct v4l2_format fmt = {};
	char path[ZCV_TEXT], entry[ZCV_TEXT];

	if (!have_vivid || !zcv_find("video4linux", "name", name, entry))
		fail_msg("there is no node %s of vivid", name);
	snprintf(path, sizeof(path), "/dev/%.200s", entry);
	zcv_open_path(&vivid, path, 0);
	fmt.type = vivid.type;
	zcv_ioctl(vivid.fd, VIDIOC_G_FMT, &fmt);
	vivid.pix = fmt.fmt.pix;
	assert_int_equal(vivid.pix.pixelformat, V4L2_PIX_FMT_YUYV);
}

/* vivid maps with the CPU what it imports. */
static void test_camera_buffers_go_to_vivid(void **state)
{
	open_vivid("vivid-000-vid-out");
	zcv_open(&cam, "cam0");
	zcv_format(&cam, V4L2_PIX_FMT_YUYV, vivid.pix.width, vivid.pix.height);
	zcv_interval(&cam, 1, 30);
	assert_int_equal(cam.pix.sizeimage, vivid.pix.sizeimage);
	zcv_control(&cam, ZCDMA_V4L2_CID_STAMPS, 1);
	zcv_alloc(&cam, V4L2_MEMORY_MMAP, BUFFERS, V4L2_MEMORY_FLAG_NON_COHERENT);
	export_all(&cam);
	zcv_alloc(&vivid, V4L2_MEMORY_DMABUF, BUFFERS, 0);
	zcv_queue_all(&cam);
	zcv_on(&cam);
	for (int i = 0; i < FRAMES; i++) {
		struct v4l2_buffer b = zcv_dequeue(&cam);

		queue_fd(&vivid, b.index, fds[b.index]);
		if (i == 1)
			zcv_on(&vivid);
		if (i >= 2) {
			b = zcv_dequeue(&vivid);
			assert_false(b.flags & V4L2_BUF_FLAG_ERROR);
			zcv_queue(&cam, b.index);
		}
	}
}

/* And through the loopback we see that the display showed what vivid had drawn. */
static void test_vivid_buffers_go_to_the_display(void **state)
{
	static uint8_t *frames[BUFFERS];
	int64_t last = -1;

	open_vivid("vivid-000-vid-cap");
	zcv_open(&cam, "cam0");
	zcv_open(&out, "out0");
	zcv_format(&cam, V4L2_PIX_FMT_YUYV, vivid.pix.width, vivid.pix.height);
	zcv_format(&out, V4L2_PIX_FMT_YUYV, vivid.pix.width, vivid.pix.height);
	assert_int_equal(out.pix.sizeimage, vivid.pix.sizeimage);
	zcv_alloc(&vivid, V4L2_MEMORY_MMAP, BUFFERS, 0);
	export_all(&vivid);
	zcv_queue_all(&vivid);
	zcv_on(&vivid);
	zcv_start(&cam, BUFFERS);
	zcv_alloc(&out, V4L2_MEMORY_DMABUF, BUFFERS, 0);
	for (int i = 0; i < BUFFERS; i++) {
		struct v4l2_buffer b = zcv_dequeue(&vivid);

		frames[i] = vivid.map[b.index];
		queue_fd(&out, i, fds[b.index]);
	}
	zcv_on(&out);
	while (last < BUFFERS - 1) {
		struct v4l2_buffer b = zcv_dequeue(&cam);
		int which = -1;

		for (int i = 0; i < BUFFERS; i++)
			if (!memcmp(cam.map[b.index], frames[i], b.bytesused))
				which = i;
		assert_true(which >= last);
		last = which;
		zcv_queue(&cam, b.index);
	}
}

#define DMABUF_TEST(test) cmocka_unit_test_teardown(test, teardown)

int main(void)
{
	const struct CMUnitTest own[] = {
		DMABUF_TEST(test_camera_writes_into_udmabufs),
		DMABUF_TEST(test_display_reads_from_udmabufs),
		DMABUF_TEST(test_camera_buffers_go_to_the_display),
		DMABUF_TEST(test_camera_writes_into_buffers_of_its_device),
		DMABUF_TEST(test_queued_dmabuf_may_be_closed),
		DMABUF_TEST(test_slot_takes_another_dmabuf),
		DMABUF_TEST(test_bad_dmabufs_are_refused_and_change_nothing),
		DMABUF_TEST(test_camera_buffers_go_to_vivid),
		DMABUF_TEST(test_vivid_buffers_go_to_the_display),
	};

	return cmocka_run_group_tests(own, load_vivid, unload_vivid);
}
