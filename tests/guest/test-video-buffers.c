// SPDX-License-Identifier: GPL-2.0-only
/*
 * test-video-buffers - a video node's own buffers: how many, of what kind, whose, and for how long
 *
 * timeout: 60
 */
#define _GNU_SOURCE
#include "zcv.h"

static struct zcv cam, other;

static struct v4l2_create_buffers create(__u32 memory, unsigned int count, __u32 sizeimage)
{
	struct v4l2_create_buffers c = {
		.count = count,
		.memory = memory,
		.format = { .type = V4L2_BUF_TYPE_VIDEO_CAPTURE },
	};

	c.format.fmt.pix = cam.pix;
	c.format.fmt.pix.sizeimage = sizeimage;
	return c;
}

/* ---- How many ---- */

static void test_capabilities_are_reported(void **state)
{
	struct v4l2_create_buffers c;
	const __u32 wanted = V4L2_BUF_CAP_SUPPORTS_MMAP | V4L2_BUF_CAP_SUPPORTS_DMABUF |
			     V4L2_BUF_CAP_SUPPORTS_ORPHANED_BUFS |
			     V4L2_BUF_CAP_SUPPORTS_MMAP_CACHE_HINTS |
			     V4L2_BUF_CAP_SUPPORTS_MAX_NUM_BUFFERS |
			     V4L2_BUF_CAP_SUPPORTS_REMOVE_BUFS;

	zcv_open(&cam, "cam0");
	c = create(V4L2_MEMORY_MMAP, 0, cam.pix.sizeimage);
	zcv_ioctl(cam.fd, VIDIOC_CREATE_BUFS, &c);
	assert_int_equal(c.capabilities & wanted, wanted);
	assert_false(c.capabilities & V4L2_BUF_CAP_SUPPORTS_USERPTR);
	/* Asking is not having. */
	zcv_assert_owner("cam0", "none");
}

/* FFmpeg asks for 256. It gets as many as there can be, and all of them work. */
static void test_256_buffers_can_be_asked_for(void **state)
{
	struct v4l2_requestbuffers req = {
		.count = 256,
		.type = V4L2_BUF_TYPE_VIDEO_CAPTURE,
		.memory = V4L2_MEMORY_MMAP,
	};
	struct v4l2_create_buffers c;

	zcv_open(&cam, "cam0");
	zcv_format(&cam, V4L2_PIX_FMT_GREY, 16, 16);
	zcv_interval(&cam, 1, 1000);
	zcv_ioctl(cam.fd, VIDIOC_REQBUFS, &req);
	assert_in_range(req.count, 32, ZCV_MAX_BUFFERS);
	cam.memory = V4L2_MEMORY_MMAP;
	cam.count = req.count;
	c = create(V4L2_MEMORY_MMAP, 0, cam.pix.sizeimage);
	zcv_ioctl(cam.fd, VIDIOC_CREATE_BUFS, &c);
	assert_int_equal(req.count, c.max_num_buffers);
	c = create(V4L2_MEMORY_MMAP, 1, cam.pix.sizeimage);
	zcv_ioctl_fails(cam.fd, VIDIOC_CREATE_BUFS, &c, ENOBUFS);
	zcv_queue_all(&cam);
	zcv_on(&cam);
	for (unsigned int i = 0; i < 2 * cam.count; i++) {
		struct v4l2_buffer b = zcv_dequeue(&cam);

		assert_int_equal(b.index, i % cam.count);
		zcv_queue(&cam, b.index);
	}
}

static unsigned int buffers_for_one(__u32 denominator)
{
	struct v4l2_streamparm parm = { .type = V4L2_BUF_TYPE_VIDEO_CAPTURE };
	struct v4l2_requestbuffers req = {
		.count = 1,
		.type = V4L2_BUF_TYPE_VIDEO_CAPTURE,
		.memory = V4L2_MEMORY_MMAP,
	};

	zcv_interval(&cam, 1, denominator);
	zcv_ioctl(cam.fd, VIDIOC_REQBUFS, &req);
	zcv_ioctl(cam.fd, VIDIOC_G_PARM, &parm);
	assert_int_equal(parm.parm.capture.readbuffers, req.count);
	return req.count;
}

/* One with the program, and one for each frame that comes within 50 ms, at least one. */
static void test_one_buffer_becomes_enough(void **state)
{
	zcv_open(&cam, "cam0");
	zcv_format(&cam, V4L2_PIX_FMT_GREY, 16, 16);
	assert_int_equal(buffers_for_one(5), 2);
	assert_int_equal(buffers_for_one(50), 3);
	assert_int_equal(buffers_for_one(100), 6);
	assert_int_equal(buffers_for_one(1000), 51);
}

static void test_userptr_is_refused(void **state)
{
	struct v4l2_requestbuffers req = {
		.count = 2,
		.type = V4L2_BUF_TYPE_VIDEO_CAPTURE,
		.memory = V4L2_MEMORY_USERPTR,
	};

	zcv_open(&cam, "cam0");
	zcv_ioctl_fails(cam.fd, VIDIOC_REQBUFS, &req, EINVAL);
	zcv_assert_owner("cam0", "none");
}

static void test_created_buffers_may_be_larger_but_not_smaller(void **state)
{
	struct v4l2_create_buffers c;

	zcv_open(&cam, "cam0");
	c = create(V4L2_MEMORY_MMAP, 1, cam.pix.sizeimage - 1);
	zcv_ioctl_fails(cam.fd, VIDIOC_CREATE_BUFS, &c, EINVAL);
	zcv_assert_owner("cam0", "none");
	c = create(V4L2_MEMORY_MMAP, 2, 3 * cam.pix.sizeimage);
	zcv_ioctl(cam.fd, VIDIOC_CREATE_BUFS, &c);
	assert_int_equal(c.index, 0);
	assert_int_equal(c.count, 2);
	cam.memory = V4L2_MEMORY_MMAP;
	cam.count = 2;
	zcv_map(&cam, 0);
	assert_true(cam.length[0] >= 3 * cam.pix.sizeimage);
	/* The frame is as long as its format says, and the rest is not touched. */
	memset(cam.map[0], 0xa5, cam.length[0]);
	zcv_queue_all(&cam);
	zcv_on(&cam);
	assert_int_equal(zcv_dequeue(&cam).bytesused, cam.pix.sizeimage);
	for (size_t at = cam.pix.sizeimage; at < cam.length[0]; at++)
		assert_int_equal(cam.map[0][at], 0xa5);
}

static void test_buffers_can_be_added_while_streaming(void **state)
{
	struct v4l2_create_buffers c;
	unsigned int seen = 0;

	zcv_open(&cam, "cam0");
	zcv_start(&cam, 2);
	zcv_queue(&cam, zcv_dequeue(&cam).index);
	c = create(V4L2_MEMORY_MMAP, 2, cam.pix.sizeimage);
	zcv_ioctl(cam.fd, VIDIOC_CREATE_BUFS, &c);
	assert_int_equal(c.index, 2);
	zcv_queue(&cam, 2);
	zcv_queue(&cam, 3);
	while (seen != 0xf) {
		struct v4l2_buffer b = zcv_dequeue(&cam);

		seen |= 1 << b.index;
		zcv_queue(&cam, b.index);
	}
}

static void test_buffers_can_be_removed(void **state)
{
	struct v4l2_remove_buffers r = {
		.index = 1,
		.count = 2,
		.type = V4L2_BUF_TYPE_VIDEO_CAPTURE,
	};
	struct v4l2_create_buffers c;
	struct v4l2_buffer b;
	uint64_t used;

	zcv_open(&cam, "cam0");
	zcv_alloc(&cam, V4L2_MEMORY_MMAP, 4, 0);
	zcv_unmap(&cam);
	used = zcv_pool_used();
	zcv_queue(&cam, 2);
	/* One of them is queued: none is removed. */
	zcv_ioctl_fails(cam.fd, VIDIOC_REMOVE_BUFS, &r, EBUSY);
	b = zcv_buffer(&cam, 1);
	zcv_ioctl(cam.fd, VIDIOC_QUERYBUF, &b);
	zcv_ioctl(cam.fd, VIDIOC_STREAMOFF, &cam.type);
	zcv_ioctl(cam.fd, VIDIOC_REMOVE_BUFS, &r);
	zcv_ioctl_fails(cam.fd, VIDIOC_QUERYBUF, &b, EINVAL);
	assert_int_equal(zcv_pool_used(), used / 2);
	/* What is gone cannot be removed again. */
	zcv_ioctl_fails(cam.fd, VIDIOC_REMOVE_BUFS, &r, EINVAL);
	/* The hole is used again. */
	c = create(V4L2_MEMORY_MMAP, 2, cam.pix.sizeimage);
	zcv_ioctl(cam.fd, VIDIOC_CREATE_BUFS, &c);
	assert_int_equal(c.index, 1);
	zcv_queue(&cam, 1);
	/* The last one to go frees the channel. */
	zcv_off(&cam);
	r.index = 0;
	r.count = 4;
	zcv_ioctl(cam.fd, VIDIOC_REMOVE_BUFS, &r);
	zcv_assert_owner("cam0", "none");
}

static void test_too_large_a_request_gives_enomem_and_changes_nothing(void **state)
{
	struct v4l2_create_buffers c;

	zcv_open(&cam, "cam0");
	/* More than the pool has. */
	c = create(V4L2_MEMORY_MMAP, 1, 0x40000000);
	zcv_ioctl_fails(cam.fd, VIDIOC_CREATE_BUFS, &c, ENOMEM);
	/* More than there can be. */
	c = create(V4L2_MEMORY_MMAP, 1, 0x40000001);
	zcv_ioctl_fails(cam.fd, VIDIOC_CREATE_BUFS, &c, EINVAL);
	zcv_assert_owner("cam0", "none");
	assert_int_equal(zcv_pool_used(), 0);
	zcv_start(&cam, 2);
	zcv_dequeue(&cam);
}

/* ---- Whose ---- */

static void test_second_program_gets_ebusy_until_the_first_lets_go(void **state)
{
	struct v4l2_requestbuffers req = {
		.count = 2,
		.type = V4L2_BUF_TYPE_VIDEO_CAPTURE,
		.memory = V4L2_MEMORY_MMAP,
	};
	struct v4l2_create_buffers c;
	struct v4l2_format fmt = { .type = V4L2_BUF_TYPE_VIDEO_CAPTURE };
	struct v4l2_capability cap;
	char byte;

	zcv_open(&cam, "cam0");
	zcv_open(&other, "cam0");
	zcv_start(&cam, 2);
	zcv_assert_owner("cam0", "video");
	zcv_ioctl_fails(other.fd, VIDIOC_REQBUFS, &req, EBUSY);
	c = create(V4L2_MEMORY_MMAP, 1, cam.pix.sizeimage);
	zcv_ioctl_fails(other.fd, VIDIOC_CREATE_BUFS, &c, EBUSY);
	zcv_ioctl_fails(other.fd, VIDIOC_STREAMOFF, &other.type, EBUSY);
	assert_int_equal(read(other.fd, &byte, 1), -1);
	assert_int_equal(errno, EBUSY);
	/* Looking is free. */
	zcv_ioctl(other.fd, VIDIOC_QUERYCAP, &cap);
	zcv_ioctl(other.fd, VIDIOC_G_FMT, &fmt);
	zcv_dequeue(&cam);
	zcv_free(&cam);
	zcv_assert_owner("cam0", "none");
	zcv_start(&other, 2);
	zcv_dequeue(&other);
	zcv_ioctl_fails(cam.fd, VIDIOC_REQBUFS, &req, EBUSY);
}

static void test_close_frees_everything(void **state)
{
	zcv_open(&cam, "cam0");
	zcv_start(&cam, 3);
	zcv_dequeue(&cam);
	zcv_close(&cam);
	zcv_assert_owner("cam0", "none");
	assert_int_equal(zcv_pool_used(), 0);
}

/* ---- Of what kind ---- */

static void test_kinds_do_not_mix(void **state)
{
	struct v4l2_create_buffers c;

	zcv_open(&cam, "cam0");
	zcv_alloc(&cam, V4L2_MEMORY_MMAP, 2, V4L2_MEMORY_FLAG_NON_COHERENT);
	c = create(V4L2_MEMORY_MMAP, 1, cam.pix.sizeimage);
	zcv_ioctl_fails(cam.fd, VIDIOC_CREATE_BUFS, &c, EINVAL);
	c = create(V4L2_MEMORY_DMABUF, 1, cam.pix.sizeimage);
	zcv_ioctl_fails(cam.fd, VIDIOC_CREATE_BUFS, &c, EINVAL);
}

static void check_stamps_of_kind(const char *device, __u8 flags)
{
	zcv_device = device;
	zcv_open(&cam, "cam0");
	zcv_control(&cam, ZCDMA_V4L2_CID_STAMPS, 1);
	zcv_alloc(&cam, V4L2_MEMORY_MMAP, 3, flags);
	zcv_queue_all(&cam);
	zcv_on(&cam);
	for (int i = 0; i < 9; i++) {
		struct v4l2_buffer b = zcv_dequeue(&cam);

		zcv_check_stamps(cam.map[b.index], b.bytesused, b.sequence);
		zcv_queue(&cam, b.index);
	}
	zcv_close(&cam);
}

static void test_every_kind_of_memory_streams(void **state)
{
	check_stamps_of_kind("virt0", 0);
	check_stamps_of_kind("virt0", V4L2_MEMORY_FLAG_NON_COHERENT);
	check_stamps_of_kind("virt1", 0);
	check_stamps_of_kind("virt1", V4L2_MEMORY_FLAG_NON_COHERENT);
}

static int use_virt0(void **state)
{
	zcv_teardown(state);
	zcv_device = "virt0";
	return 0;
}

/* ---- For how long ---- */

static int exported[2] = { -1, -1 };
static uint8_t *exported_map;
static size_t exported_length;

static int drop_exported(void **state)
{
	zcv_teardown(state);
	if (exported_map)
		munmap(exported_map, exported_length);
	exported_map = NULL;
	for (int i = 0; i < 2; i++) {
		close(exported[i]);
		exported[i] = -1;
	}
	return 0;
}

static void map_exported(void)
{
	exported_map = mmap(NULL, exported_length, PROT_READ | PROT_WRITE, MAP_SHARED,
			    exported[0], 0);
	if (exported_map == MAP_FAILED) {
		exported_map = NULL;
		zcv_fail("mmap of the dma-buf");
	}
}

static void test_exported_buffers_outlive_reqbufs_0(void **state)
{
	struct v4l2_buffer b;

	zcv_open(&cam, "cam0");
	zcv_control(&cam, ZCDMA_V4L2_CID_STAMPS, 1);
	zcv_start(&cam, 2);
	b = zcv_dequeue(&cam);
	exported[0] = zcv_export(&cam, b.index, O_RDWR | O_CLOEXEC);
	exported_length = cam.length[b.index];
	zcv_free(&cam);
	zcv_assert_owner("cam0", "none");
	assert_true(zcv_pool_used() >= b.length);
	assert_true(zcv_pool_used() < 2 * b.length);
	map_exported();
	zcv_check_stamps(exported_map, b.bytesused, b.sequence);
	/* New buffers are others. */
	zcv_start(&cam, 2);
	for (int i = 0; i < 3; i++)
		zcv_queue(&cam, zcv_dequeue(&cam).index);
	zcv_check_stamps(exported_map, b.bytesused, b.sequence);
	zcv_close(&cam);
	memset(exported_map, 0x5a, exported_length);
	drop_exported(NULL);
	assert_int_equal(zcv_pool_used(), 0);
}

static void test_mapped_buffers_outlive_reqbufs_0(void **state)
{
	struct v4l2_requestbuffers req = {
		.type = V4L2_BUF_TYPE_VIDEO_CAPTURE,
		.memory = V4L2_MEMORY_MMAP,
	};
	struct v4l2_buffer b;

	zcv_open(&cam, "cam0");
	zcv_control(&cam, ZCDMA_V4L2_CID_STAMPS, 1);
	zcv_start(&cam, 2);
	b = zcv_dequeue(&cam);
	zcv_off(&cam);
	zcv_ioctl(cam.fd, VIDIOC_REQBUFS, &req);
	zcv_check_stamps(cam.map[b.index], b.bytesused, b.sequence);
	memset(cam.map[b.index], 0x5a, cam.length[b.index]);
	assert_true(zcv_pool_used() > 0);
	zcv_unmap(&cam);
	assert_int_equal(zcv_pool_used(), 0);
}

static void test_expbuf_obeys_its_flags(void **state)
{
	struct v4l2_exportbuffer e = { .type = V4L2_BUF_TYPE_VIDEO_CAPTURE };
	void *map;

	zcv_open(&cam, "cam0");
	zcv_alloc(&cam, V4L2_MEMORY_MMAP, 2, 0);
	exported_length = cam.length[0];

	exported[0] = zcv_export(&cam, 0, O_RDWR | O_CLOEXEC);
	assert_int_equal(fcntl(exported[0], F_GETFD), FD_CLOEXEC);
	assert_int_equal(fcntl(exported[0], F_GETFL) & O_ACCMODE, O_RDWR);
	map_exported();

	exported[1] = zcv_export(&cam, 0, O_RDONLY);
	assert_int_equal(fcntl(exported[1], F_GETFD), 0);
	assert_int_equal(fcntl(exported[1], F_GETFL) & O_ACCMODE, O_RDONLY);
	assert_ptr_equal(mmap(NULL, exported_length, PROT_WRITE, MAP_SHARED, exported[1], 0),
			 MAP_FAILED);
	assert_int_equal(errno, EACCES);
	map = mmap(NULL, exported_length, PROT_READ, MAP_SHARED, exported[1], 0);
	assert_ptr_not_equal(map, MAP_FAILED);
	/* All of them are the same memory. */
	cam.map[0][123] = 0x77;
	assert_int_equal(((uint8_t *)map)[123], 0x77);
	assert_int_equal(exported_map[123], 0x77);
	munmap(map, exported_length);

	e.index = 2;
	zcv_ioctl_fails(cam.fd, VIDIOC_EXPBUF, &e, EINVAL);
	e.index = 0;
	e.plane = 1;
	zcv_ioctl_fails(cam.fd, VIDIOC_EXPBUF, &e, EINVAL);
	e.plane = 0;
	e.flags = O_NONBLOCK;
	zcv_ioctl_fails(cam.fd, VIDIOC_EXPBUF, &e, EINVAL);
}

/* ---- Out of order ---- */

static void test_bad_buffers_are_refused_and_change_nothing(void **state)
{
	struct v4l2_buffer b;

	zcv_open(&cam, "cam0");
	zcv_alloc(&cam, V4L2_MEMORY_MMAP, 2, 0);
	zcv_ioctl_fails(cam.fd, VIDIOC_STREAMON, &(int) { V4L2_BUF_TYPE_VIDEO_OUTPUT }, EINVAL);
	b = zcv_buffer(&cam, 2);
	zcv_ioctl_fails(cam.fd, VIDIOC_QBUF, &b, EINVAL);
	b = zcv_buffer(&cam, 0);
	b.memory = V4L2_MEMORY_DMABUF;
	zcv_ioctl_fails(cam.fd, VIDIOC_QBUF, &b, EINVAL);
	b = zcv_buffer(&cam, 0);
	zcv_ioctl_fails(cam.fd, VIDIOC_DQBUF, &b, EINVAL);
	zcv_queue(&cam, 0);
	b = zcv_buffer(&cam, 0);
	zcv_ioctl_fails(cam.fd, VIDIOC_QBUF, &b, EINVAL);
	zcv_queue(&cam, 1);
	zcv_on(&cam);
	assert_int_equal(zcv_dequeue(&cam).index, 0);
	assert_int_equal(zcv_dequeue(&cam).index, 1);
}

/* A start waits for the first buffer. */
static void test_stream_starts_with_its_first_buffer(void **state)
{
	zcv_open(&cam, "cam0");
	zcv_alloc(&cam, V4L2_MEMORY_MMAP, 2, 0);
	zcv_on(&cam);
	assert_true(zcv_poll(cam.fd, POLLIN) & POLLERR);
	zcv_queue(&cam, 1);
	assert_int_equal(zcv_dequeue(&cam).sequence, 0);
}

static void test_streamoff_gives_all_buffers_back(void **state)
{
	zcv_open(&cam, "cam0");
	zcv_start(&cam, 4);
	zcv_dequeue(&cam);
	zcv_off(&cam);
	for (unsigned int i = 0; i < 4; i++) {
		struct v4l2_buffer b = zcv_buffer(&cam, i);

		zcv_ioctl(cam.fd, VIDIOC_QUERYBUF, &b);
		assert_false(b.flags & (V4L2_BUF_FLAG_QUEUED | V4L2_BUF_FLAG_DONE));
	}
	zcv_queue_all(&cam);
	zcv_on(&cam);
	assert_int_equal(zcv_dequeue(&cam).sequence, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ZCV_TEST(test_capabilities_are_reported),
		ZCV_TEST(test_256_buffers_can_be_asked_for),
		ZCV_TEST(test_one_buffer_becomes_enough),
		ZCV_TEST(test_userptr_is_refused),
		ZCV_TEST(test_created_buffers_may_be_larger_but_not_smaller),
		ZCV_TEST(test_buffers_can_be_added_while_streaming),
		ZCV_TEST(test_buffers_can_be_removed),
		ZCV_TEST(test_too_large_a_request_gives_enomem_and_changes_nothing),
		ZCV_TEST(test_second_program_gets_ebusy_until_the_first_lets_go),
		ZCV_TEST(test_close_frees_everything),
		ZCV_TEST(test_kinds_do_not_mix),
		cmocka_unit_test_teardown(test_every_kind_of_memory_streams, use_virt0),
		cmocka_unit_test_teardown(test_exported_buffers_outlive_reqbufs_0, drop_exported),
		ZCV_TEST(test_mapped_buffers_outlive_reqbufs_0),
		cmocka_unit_test_teardown(test_expbuf_obeys_its_flags, drop_exported),
		ZCV_TEST(test_bad_buffers_are_refused_and_change_nothing),
		ZCV_TEST(test_stream_starts_with_its_first_buffer),
		ZCV_TEST(test_streamoff_gives_all_buffers_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
