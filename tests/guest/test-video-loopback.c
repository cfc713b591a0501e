// SPDX-License-Identifier: GPL-2.0-only
/*
 * test-video-loopback - what is put into the output comes out of the camera, bit for bit
 *
 * Each frame is random from a seed that it begins with, so that a captured one tells which it is
 * and what it must be. A busy machine may lose or repeat frames; none may be torn or reordered.
 *
 * timeout: 120
 */
#define _GNU_SOURCE
#include "zcv.h"

#define MARK		0x6b6361622d706f6fULL
#define FRAMES		20
#define BUFFERS		6

static struct zcv cam, out;
static uint8_t *expected;

static void fill(uint8_t *frame, size_t size, uint64_t number)
{
	uint64_t head[2] = { MARK, number };

	zcv_random(frame, size, number);
	memcpy(frame, head, sizeof(head));
}

/* Which frame this is, or -1 for a picture of the camera's own. It must be whole. */
static int64_t identify(const uint8_t *frame, size_t size)
{
	uint64_t head[2];

	memcpy(head, frame, sizeof(head));
	if (head[0] != MARK)
		return -1;
	fill(expected, size, head[1]);
	if (memcmp(frame, expected, size))
		fail_msg("a captured frame %llu is not what was put out",
			 (unsigned long long)head[1]);
	return head[1];
}

static void open_both(__u32 fourcc, unsigned int width, unsigned int height)
{
	zcv_open(&cam, "cam0");
	zcv_open(&out, "out0");
	zcv_format(&cam, fourcc, width, height);
	zcv_format(&out, fourcc, width, height);
	zcv_interval(&cam, 1, 50);
	zcv_interval(&out, 1, 50);
	assert_int_equal(cam.pix.sizeimage, out.pix.sizeimage);
	free(expected);
	expected = malloc(cam.pix.sizeimage);
	assert_non_null(expected);
}

static void check_loopback(__u32 fourcc, unsigned int width, unsigned int height, __u8 flags)
{
	uint64_t number = 0;
	int64_t last = -1;
	__u32 sequence = 0;
	int seen = 0;

	open_both(fourcc, width, height);
	zcv_alloc(&cam, V4L2_MEMORY_MMAP, BUFFERS, flags);
	zcv_alloc(&out, V4L2_MEMORY_MMAP, BUFFERS, flags);
	zcv_queue_all(&cam);
	for (unsigned int i = 0; i < BUFFERS; i++) {
		fill(out.map[i], out.pix.sizeimage, number++);
		zcv_queue(&out, i);
	}
	zcv_on(&cam);
	zcv_on(&out);

	while (seen < FRAMES) {
		struct pollfd p[2] = { { .fd = cam.fd, .events = POLLIN },
				       { .fd = out.fd, .events = POLLOUT } };
		struct v4l2_buffer b;
		int64_t which;

		assert_true(poll(p, 2, ZCV_DEADLINE_MS) > 0);
		if (p[1].revents) {
			b = zcv_dequeue(&out);
			fill(out.map[b.index], out.pix.sizeimage, number++);
			zcv_queue(&out, b.index);
		}
		if (!p[0].revents)
			continue;
		b = zcv_dequeue(&cam);
		assert_false(b.flags & V4L2_BUF_FLAG_ERROR);
		which = identify(cam.map[b.index], b.bytesused);
		if (last >= 0) {
			/* The display goes on by one at most in the time of a frame. */
			assert_in_range(which, last, last + (b.sequence - sequence));
		}
		seen += which > last;
		if (which > last)
			last = which;
		sequence = b.sequence;
		zcv_queue(&cam, b.index);
	}
	zcv_close(&out);
	zcv_close(&cam);
}

static void test_loopback_is_bit_exact_in_yuyv(void **state)
{
	check_loopback(V4L2_PIX_FMT_YUYV, 320, 240, 0);
}

static void test_loopback_is_bit_exact_in_nv12(void **state)
{
	check_loopback(V4L2_PIX_FMT_NV12, 322, 242, 0);
}

static void test_loopback_is_bit_exact_with_cached_buffers(void **state)
{
	check_loopback(V4L2_PIX_FMT_YUYV, 320, 240, V4L2_MEMORY_FLAG_NON_COHERENT);
}

static void test_loopback_is_bit_exact_on_a_coherent_device(void **state)
{
	zcv_device = "virt1";
	check_loopback(V4L2_PIX_FMT_YUYV, 320, 240, 0);
	check_loopback(V4L2_PIX_FMT_YUYV, 320, 240, V4L2_MEMORY_FLAG_NON_COHERENT);
}

static int use_virt0(void **state)
{
	zcv_teardown(state);
	zcv_device = "virt0";
	return 0;
}

/* The display shows its last frame until there is another, and keeps no buffer for that. */
static void test_display_repeats_its_last_frame(void **state)
{
	int seen = 0;

	open_both(V4L2_PIX_FMT_GREY, 64, 64);
	zcv_start(&cam, 4);
	zcv_alloc(&out, V4L2_MEMORY_MMAP, 2, 0);
	fill(out.map[0], out.pix.sizeimage, 7);
	zcv_queue(&out, 0);
	zcv_on(&out);
	assert_int_equal(zcv_dequeue(&out).index, 0);
	/* Ours again: what we do with it does not show. */
	memset(out.map[0], 0, out.pix.sizeimage);
	while (seen < 5) {
		struct v4l2_buffer b = zcv_dequeue(&cam);
		int64_t which = identify(cam.map[b.index], b.bytesused);

		assert_true(which == 7 || (which == -1 && !seen));
		seen += which == 7;
		zcv_queue(&cam, b.index);
	}
}

/* A display in another format is not what this camera looks at. */
static void test_formats_must_match_for_loopback(void **state)
{
	open_both(V4L2_PIX_FMT_YUYV, 64, 64);
	zcv_format(&cam, V4L2_PIX_FMT_UYVY, 64, 64);
	zcv_alloc(&out, V4L2_MEMORY_MMAP, 3, 0);
	for (unsigned int i = 0; i < 3; i++) {
		fill(out.map[i], out.pix.sizeimage, i);
		zcv_queue(&out, i);
	}
	zcv_on(&out);
	/* From here on the display shows a frame. */
	zcv_dequeue(&out);
	zcv_start(&cam, 3);
	for (int i = 0; i < 4; i++) {
		struct v4l2_buffer b = zcv_dequeue(&cam);

		assert_int_equal(identify(cam.map[b.index], b.bytesused), -1);
		zcv_queue(&cam, b.index);
	}
}

/* After the display has stopped, the camera draws again; one that streams on must not notice. */
static void test_camera_survives_the_end_of_the_display(void **state)
{
	int64_t which;

	open_both(V4L2_PIX_FMT_YUYV, 320, 240);
	zcv_start(&cam, 4);
	for (int round = 0; round < 3; round++) {
		zcv_alloc(&out, V4L2_MEMORY_MMAP, 3, 0);
		for (unsigned int i = 0; i < 3; i++) {
			fill(out.map[i], out.pix.sizeimage, i);
			zcv_queue(&out, i);
		}
		zcv_on(&out);
		do {
			struct v4l2_buffer b = zcv_dequeue(&cam);

			which = identify(cam.map[b.index], b.bytesused);
			zcv_queue(&cam, b.index);
		} while (which < 0);
		zcv_free(&out);
		do {
			struct v4l2_buffer b = zcv_dequeue(&cam);

			which = identify(cam.map[b.index], b.bytesused);
			zcv_queue(&cam, b.index);
		} while (which >= 0);
	}
}

static void test_written_frames_are_displayed(void **state)
{
	static uint8_t frame[320 * 240 * 2];
	int64_t which, last = -1;

	open_both(V4L2_PIX_FMT_YUYV, 320, 240);
	zcv_start(&cam, 4);
	for (uint64_t number = 0; last < 4; ) {
		struct pollfd p[2] = { { .fd = cam.fd, .events = POLLIN },
				       { .fd = out.fd, .events = POLLOUT } };
		struct v4l2_buffer b;

		assert_true(poll(p, 2, ZCV_DEADLINE_MS) > 0);
		if (p[1].revents & POLLOUT) {
			fill(frame, sizeof(frame), number++);
			assert_int_equal(write(out.fd, frame, sizeof(frame)), sizeof(frame));
		}
		if (!p[0].revents)
			continue;
		b = zcv_dequeue(&cam);
		which = identify(cam.map[b.index], b.bytesused);
		assert_true(which >= last);
		last = which;
		zcv_queue(&cam, b.index);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ZCV_TEST(test_loopback_is_bit_exact_in_yuyv),
		ZCV_TEST(test_loopback_is_bit_exact_in_nv12),
		ZCV_TEST(test_loopback_is_bit_exact_with_cached_buffers),
		cmocka_unit_test_teardown(test_loopback_is_bit_exact_on_a_coherent_device,
					  use_virt0),
		ZCV_TEST(test_display_repeats_its_last_frame),
		ZCV_TEST(test_formats_must_match_for_loopback),
		ZCV_TEST(test_camera_survives_the_end_of_the_display),
		ZCV_TEST(test_written_frames_are_displayed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
