// SPDX-License-Identifier: GPL-2.0-only
/*
 * test-swiotlb - cached buffers pass between CPU and device by copies, so that every missing sync
 * shows as wrong data, even on a machine whose caches are coherent
 *
 * virt1 takes its memory from the system, piece by piece, so all of it bounces. (The pool of virt0
 * is memory that the device reaches, allocated as such: it does not.)
 *
 * vm: --append swiotlb=force
 * timeout: 60
 */
#define _GNU_SOURCE
#include "zcv.h"

#define FRAMES 6

static struct zcv cam, out;

static int setup(void **state)
{
	zcv_device = "virt1";
	return 0;
}

static void open_small(struct zcv *v, const char *chan)
{
	zcv_open(v, chan);
	zcv_format(v, V4L2_PIX_FMT_GREY, 256, 128);
}

static void start_cached(struct zcv *v, unsigned int count)
{
	zcv_alloc(v, V4L2_MEMORY_MMAP, count, V4L2_MEMORY_FLAG_NON_COHERENT);
	zcv_queue_all(v);
	zcv_on(v);
}

static void queue_with(struct zcv *v, unsigned int index, __u32 hints)
{
	struct v4l2_buffer b = zcv_buffer(v, index);

	b.flags = hints;
	b.bytesused = v->pix.sizeimage;
	zcv_ioctl(v->fd, VIDIOC_QBUF, &b);
}

/*
 * First of all: the copies are real. With the hint that no sync is needed after the transfer, what
 * the CPU sees is what it wrote itself. And a hint is for one round.
 */
static void test_no_cache_invalidate_leaves_the_cpu_with_its_own(void **state)
{
	struct v4l2_buffer b;

	open_small(&cam, "cam0");
	zcv_control(&cam, ZCDMA_V4L2_CID_STAMPS, 1);
	zcv_alloc(&cam, V4L2_MEMORY_MMAP, 2, V4L2_MEMORY_FLAG_NON_COHERENT);
	memset(cam.map[0], 0xa5, cam.length[0]);
	queue_with(&cam, 0, V4L2_BUF_FLAG_NO_CACHE_INVALIDATE);
	zcv_on(&cam);
	b = zcv_dequeue(&cam);
	assert_int_equal(b.bytesused, cam.pix.sizeimage);
	for (size_t at = 0; at < b.bytesused; at++)
		assert_int_equal(cam.map[0][at], 0xa5);
	queue_with(&cam, 0, 0);
	b = zcv_dequeue(&cam);
	zcv_check_stamps(cam.map[0], b.bytesused, b.sequence);
}

/* What a camera sees that looks at the display after it has shown this. */
static uint8_t displayed(uint8_t value, __u32 hints)
{
	struct v4l2_buffer b;
	uint64_t shown;

	memset(out.map[0], value, out.length[0]);
	queue_with(&out, 0, hints);
	zcv_dequeue(&out);
	shown = zcv_now() / 1000;
	do {
		b = zcv_dequeue(&cam);
		value = cam.map[b.index][b.bytesused / 2];
		zcv_queue(&cam, b.index);
	} while (zcv_time_us(&b) <= shown);
	return value;
}

/* The other way round: with the hint, the device reads what was there before. */
static void test_no_cache_clean_leaves_the_device_with_the_old(void **state)
{
	open_small(&cam, "cam0");
	open_small(&out, "out0");
	start_cached(&cam, 4);
	zcv_alloc(&out, V4L2_MEMORY_MMAP, 2, V4L2_MEMORY_FLAG_NON_COHERENT);
	zcv_on(&out);
	assert_int_equal(displayed(0x11, 0), 0x11);
	assert_int_equal(displayed(0x22, V4L2_BUF_FLAG_NO_CACHE_CLEAN), 0x11);
	assert_int_equal(displayed(0x33, 0), 0x33);
}

static void test_cpu_reads_what_the_device_wrote(void **state)
{
	open_small(&cam, "cam0");
	zcv_control(&cam, ZCDMA_V4L2_CID_STAMPS, 1);
	start_cached(&cam, 2);
	for (int i = 0; i < FRAMES; i++) {
		struct v4l2_buffer b = zcv_dequeue(&cam);

		zcv_check_stamps(cam.map[b.index], b.bytesused, b.sequence);
		zcv_queue(&cam, b.index);
	}
}

/* Loopback: the CPU writes, one device reads, the other writes, the CPU reads. */
static void check_loopback(void)
{
	static uint8_t expected[256 * 128];
	uint64_t number = 1, last = 0;

	assert_int_equal(cam.pix.sizeimage, sizeof(expected));
	for (unsigned int i = 0; i < out.count; i++)
		zcv_random(out.map[i], sizeof(expected), number++);
	zcv_queue_all(&out);
	zcv_on(&out);
	while (last < FRAMES) {
		struct pollfd p[2] = { { .fd = cam.fd, .events = POLLIN },
				       { .fd = out.fd, .events = POLLOUT } };
		struct v4l2_buffer b;

		assert_true(poll(p, 2, ZCV_DEADLINE_MS) > 0);
		if (p[1].revents) {
			b = zcv_dequeue(&out);
			zcv_random(out.map[b.index], sizeof(expected), number++);
			zcv_queue(&out, b.index);
		}
		if (!p[0].revents)
			continue;
		b = zcv_dequeue(&cam);
		/* Pictures of the camera's own come before the display's first frame. */
		for (uint64_t n = last; n < number; n++) {
			zcv_random(expected, sizeof(expected), n);
			if (!memcmp(expected, cam.map[b.index], sizeof(expected))) {
				last = n;
				break;
			}
			if (n + 1 == number && last)
				fail_msg("frame %u is none that was put out after %llu",
					 b.sequence, (unsigned long long)last);
		}
		zcv_queue(&cam, b.index);
	}
}

static void test_device_reads_what_the_cpu_wrote(void **state)
{
	open_small(&cam, "cam0");
	open_small(&out, "out0");
	start_cached(&cam, 4);
	zcv_alloc(&out, V4L2_MEMORY_MMAP, 4, V4L2_MEMORY_FLAG_NON_COHERENT);
	check_loopback();
}

static void sync_dmabuf(int fd, __u64 flags)
{
	struct dma_buf_sync sync = { .flags = flags };

	zcv_ioctl(fd, DMA_BUF_IOCTL_SYNC, &sync);
}

/* Somebody else's view of a V4L2 buffer: begin_cpu_access syncs where V4L2 was told not to. */
static void test_dmabuf_sync_shows_what_the_device_wrote(void **state)
{
	struct v4l2_buffer b;
	uint8_t *map;
	int fd;

	open_small(&cam, "cam0");
	zcv_control(&cam, ZCDMA_V4L2_CID_STAMPS, 1);
	zcv_alloc(&cam, V4L2_MEMORY_MMAP, 2, V4L2_MEMORY_FLAG_NON_COHERENT);
	fd = zcv_export(&cam, 0, O_RDWR | O_CLOEXEC);
	map = mmap(NULL, cam.length[0], PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_ptr_not_equal(map, MAP_FAILED);
	queue_with(&cam, 0, V4L2_BUF_FLAG_NO_CACHE_INVALIDATE);
	zcv_on(&cam);
	b = zcv_dequeue(&cam);
	assert_int_equal(zcv_stamp(map, 0).magic, 0);
	sync_dmabuf(fd, DMA_BUF_SYNC_START | DMA_BUF_SYNC_READ);
	zcv_check_stamps(map, b.bytesused, b.sequence);
	sync_dmabuf(fd, DMA_BUF_SYNC_END | DMA_BUF_SYNC_READ);
	munmap(map, cam.length[0]);
	close(fd);
}

/* Imported: the exporter is the camera's own device, both mappings bounce on their own. */
static void test_imported_buffers_pass_from_camera_to_display(void **state)
{
	int fds[4];

	open_small(&cam, "cam0");
	open_small(&out, "out0");
	/* Not looped: the camera draws what the display is to show. */
	zcv_format(&cam, V4L2_PIX_FMT_SRGGB8, 256, 128);
	zcv_control(&cam, ZCDMA_V4L2_CID_STAMPS, 1);
	zcv_alloc(&cam, V4L2_MEMORY_MMAP, 4, V4L2_MEMORY_FLAG_NON_COHERENT);
	zcv_alloc(&out, V4L2_MEMORY_DMABUF, 4, 0);
	for (unsigned int i = 0; i < 4; i++)
		fds[i] = zcv_export(&cam, i, O_RDWR | O_CLOEXEC);
	zcv_queue_all(&cam);
	zcv_on(&cam);
	zcv_on(&out);
	for (int i = 0; i < FRAMES; i++) {
		struct v4l2_buffer b = zcv_dequeue(&cam), o = zcv_buffer(&out, b.index);

		zcv_check_stamps(cam.map[b.index], b.bytesused, b.sequence);
		o.m.fd = fds[b.index];
		o.bytesused = b.bytesused;
		zcv_ioctl(out.fd, VIDIOC_QBUF, &o);
		o = zcv_dequeue(&out);
		assert_false(o.flags & V4L2_BUF_FLAG_ERROR);
		/* The display has only read. */
		zcv_check_stamps(cam.map[b.index], b.bytesused, b.sequence);
		zcv_queue(&cam, b.index);
	}
	for (unsigned int i = 0; i < 4; i++)
		close(fds[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ZCV_TEST(test_no_cache_invalidate_leaves_the_cpu_with_its_own),
		ZCV_TEST(test_no_cache_clean_leaves_the_device_with_the_old),
		ZCV_TEST(test_cpu_reads_what_the_device_wrote),
		ZCV_TEST(test_device_reads_what_the_cpu_wrote),
		ZCV_TEST(test_dmabuf_sync_shows_what_the_device_wrote),
		ZCV_TEST(test_imported_buffers_pass_from_camera_to_display),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
