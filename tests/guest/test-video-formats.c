// SPDX-License-Identifier: GPL-2.0-only
/*
 * test-video-formats - every format at the edges of its sizes: what is said of it is right, and
 * frames of it come whole
 *
 * What a format needs is computed here from the V4L2 specification, chapter "Image Formats".
 *
 * timeout: 120
 */
#define _GNU_SOURCE
#include "zcv.h"

struct layout {
	__u32 fourcc;
	/* Bits of a pixel of the first plane, lines of chroma for 2 of luma, smallest step. */
	unsigned int bits, chroma, hstep, vstep;
};

static const struct layout layouts[] = {
	{ V4L2_PIX_FMT_YUYV, 16, 0, 2, 1 },
	{ V4L2_PIX_FMT_UYVY, 16, 0, 2, 1 },
	{ V4L2_PIX_FMT_NV12, 8, 1, 2, 2 },
	{ V4L2_PIX_FMT_RGB24, 24, 0, 1, 1 },
	{ V4L2_PIX_FMT_XBGR32, 32, 0, 1, 1 },
	{ V4L2_PIX_FMT_GREY, 8, 0, 1, 1 },
	{ V4L2_PIX_FMT_SRGGB8, 8, 0, 2, 2 },
	{ V4L2_PIX_FMT_SRGGB10, 16, 0, 2, 2 },
};

#define NUM_LAYOUTS (sizeof(layouts) / sizeof(layouts[0]))

static const struct {
	unsigned int width, height;
} sizes[] = { { 16, 16 }, { 17, 17 }, { 18, 16 }, { 322, 242 }, { 639, 479 }, { 1920, 1080 } };

#define NUM_SIZES (sizeof(sizes) / sizeof(sizes[0]))

static struct zcv node;

static void check_pix(const struct layout *layout, const struct v4l2_pix_format *pix)
{
	assert_int_equal(pix->pixelformat, layout->fourcc);
	assert_int_equal(pix->field, V4L2_FIELD_NONE);
	assert_int_equal(pix->width % layout->hstep, 0);
	assert_int_equal(pix->height % layout->vstep, 0);
	assert_true(pix->bytesperline >= pix->width * layout->bits / 8);
	assert_int_equal(pix->sizeimage,
			 pix->bytesperline * (pix->height + layout->chroma * pix->height / 2));
	assert_int_not_equal(pix->colorspace, V4L2_COLORSPACE_DEFAULT);
}

static void set(const struct layout *layout, unsigned int width, unsigned int height,
		unsigned int stride)
{
	struct v4l2_format fmt = { .type = node.type };
	struct v4l2_format again = { .type = node.type };

	fmt.fmt.pix.pixelformat = layout->fourcc;
	fmt.fmt.pix.width = width;
	fmt.fmt.pix.height = height;
	fmt.fmt.pix.bytesperline = stride;
	again = fmt;
	zcv_ioctl(node.fd, VIDIOC_TRY_FMT, &again);
	zcv_ioctl(node.fd, VIDIOC_S_FMT, &fmt);
	assert_memory_equal(&fmt.fmt.pix, &again.fmt.pix, sizeof(fmt.fmt.pix));
	check_pix(layout, &fmt.fmt.pix);
	memset(&again, 0, sizeof(again));
	again.type = node.type;
	zcv_ioctl(node.fd, VIDIOC_G_FMT, &again);
	assert_memory_equal(&fmt.fmt.pix, &again.fmt.pix, sizeof(fmt.fmt.pix));
	node.pix = fmt.fmt.pix;
}

static const struct layout *layout_of(__u32 fourcc)
{
	for (size_t i = 0; i < NUM_LAYOUTS; i++)
		if (layouts[i].fourcc == fourcc)
			return &layouts[i];
	return NULL;
}

static void check_enumeration(const char *chan)
{
	size_t found = 0;

	zcv_open(&node, chan);
	for (__u32 i = 0; ; i++) {
		struct v4l2_fmtdesc desc = { .index = i, .type = node.type };
		struct v4l2_frmsizeenum size = {};
		const struct layout *layout;

		if (ioctl(node.fd, VIDIOC_ENUM_FMT, &desc)) {
			assert_int_equal(errno, EINVAL);
			break;
		}
		layout = layout_of(desc.pixelformat);
		if (!layout)
			continue;
		found++;
		size.pixel_format = desc.pixelformat;
		zcv_ioctl(node.fd, VIDIOC_ENUM_FRAMESIZES, &size);
		assert_int_equal(size.type, V4L2_FRMSIZE_TYPE_STEPWISE);
		assert_int_equal(size.stepwise.min_width, 16);
		assert_int_equal(size.stepwise.min_height, 16);
		assert_int_equal(size.stepwise.max_width, 7680);
		assert_int_equal(size.stepwise.max_height, 4320);
		assert_int_equal(size.stepwise.step_width % layout->hstep, 0);
		assert_int_equal(size.stepwise.step_height % layout->vstep, 0);

		/* What is said is what is done. */
		set(layout, 1, 1, 0);
		assert_int_equal(node.pix.width, 16);
		assert_int_equal(node.pix.height, 16);
		set(layout, UINT32_MAX, UINT32_MAX, UINT32_MAX);
		assert_int_equal(node.pix.width, 7680);
		assert_int_equal(node.pix.height, 4320);
		set(layout, 16 + size.stepwise.step_width, 16 + size.stepwise.step_height, 0);
		assert_int_equal(node.pix.width, 16 + size.stepwise.step_width);
		assert_int_equal(node.pix.height, 16 + size.stepwise.step_height);
	}
	assert_int_equal(found, NUM_LAYOUTS);
}

static void test_capture_offers_every_format_from_16x16_to_7680x4320(void **state)
{
	check_enumeration("cam0");
}

static void test_output_offers_every_format_from_16x16_to_7680x4320(void **state)
{
	check_enumeration("out0");
}

static void test_unknown_format_becomes_a_known_one(void **state)
{
	struct v4l2_format fmt = { .type = V4L2_BUF_TYPE_VIDEO_CAPTURE };

	zcv_open(&node, "cam0");
	fmt.fmt.pix.pixelformat = v4l2_fourcc('?', '?', '?', '?');
	fmt.fmt.pix.width = 640;
	fmt.fmt.pix.height = 480;
	zcv_ioctl(node.fd, VIDIOC_TRY_FMT, &fmt);
	assert_non_null(layout_of(fmt.fmt.pix.pixelformat));
}

static void test_format_cannot_change_while_there_are_buffers(void **state)
{
	struct v4l2_format fmt = { .type = V4L2_BUF_TYPE_VIDEO_CAPTURE };

	zcv_open(&node, "cam0");
	zcv_alloc(&node, V4L2_MEMORY_MMAP, 2, 0);
	zcv_ioctl(node.fd, VIDIOC_G_FMT, &fmt);
	fmt.fmt.pix.width = 320;
	zcv_ioctl_fails(node.fd, VIDIOC_S_FMT, &fmt, EBUSY);
	zcv_free(&node);
	zcv_ioctl(node.fd, VIDIOC_S_FMT, &fmt);
}

/* Larger frames take longer: the shortest interval of each size is one that can be had. */
static void check_shortest_interval(unsigned int width, unsigned int height)
{
	struct v4l2_frmivalenum ival = {
		.pixel_format = V4L2_PIX_FMT_GREY,
		.width = width,
		.height = height,
	};
	struct v4l2_streamparm parm = { .type = V4L2_BUF_TYPE_VIDEO_CAPTURE };

	zcv_ioctl(node.fd, VIDIOC_ENUM_FRAMEINTERVALS, &ival);
	assert_int_not_equal(ival.type, V4L2_FRMIVAL_TYPE_DISCRETE);
	zcv_format(&node, V4L2_PIX_FMT_GREY, width, height);
	parm.parm.capture.timeperframe = (struct v4l2_fract) { 1, 1000000 };
	zcv_ioctl(node.fd, VIDIOC_S_PARM, &parm);
	assert_int_equal((uint64_t)parm.parm.capture.timeperframe.numerator *
			 ival.stepwise.min.denominator,
			 (uint64_t)parm.parm.capture.timeperframe.denominator *
			 ival.stepwise.min.numerator);
	/* 16 fps at least even for the largest. */
	assert_true(parm.parm.capture.timeperframe.numerator * 16ULL <=
		    parm.parm.capture.timeperframe.denominator);
}

static void test_shortest_interval_depends_on_the_size(void **state)
{
	struct v4l2_frmivalenum odd = {
		.pixel_format = V4L2_PIX_FMT_GREY,
		.width = 15,
		.height = 16,
	};

	zcv_open(&node, "cam0");
	check_shortest_interval(16, 16);
	check_shortest_interval(1920, 1080);
	check_shortest_interval(7680, 4320);
	zcv_ioctl_fails(node.fd, VIDIOC_ENUM_FRAMEINTERVALS, &odd, EINVAL);
}

static void stream(unsigned int frames, bool stamps)
{
	if (stamps)
		zcv_control(&node, ZCDMA_V4L2_CID_STAMPS, 1);
	zcv_start(&node, 2);
	for (unsigned int i = 0; i < frames; i++) {
		struct v4l2_buffer b = zcv_dequeue(&node);

		assert_false(b.flags & V4L2_BUF_FLAG_ERROR);
		assert_int_equal(b.bytesused, node.pix.sizeimage);
		if (stamps)
			zcv_check_stamps(node.map[b.index], b.bytesused, b.sequence);
		zcv_queue(&node, b.index);
	}
	zcv_free(&node);
}

static void test_capture_streams_every_format_at_every_edge(void **state)
{
	zcv_open(&node, "cam0");
	for (size_t f = 0; f < NUM_LAYOUTS; f++) {
		for (size_t s = 0; s < NUM_SIZES; s++) {
			set(&layouts[f], sizes[s].width, sizes[s].height, 0);
			stream(2, true);
		}
	}
}

static void test_output_streams_every_format_at_every_edge(void **state)
{
	zcv_open(&node, "out0");
	for (size_t f = 0; f < NUM_LAYOUTS; f++) {
		for (size_t s = 0; s < NUM_SIZES; s++) {
			set(&layouts[f], sizes[s].width, sizes[s].height, 0);
			stream(2, false);
		}
	}
}

static void test_capture_streams_the_largest_frame(void **state)
{
	zcv_open(&node, "cam0");
	zcv_control(&node, V4L2_CID_TEST_PATTERN, zcv_pattern(&node, "Null"));
	set(layout_of(V4L2_PIX_FMT_SRGGB8), 7680, 4320, 0);
	assert_int_equal(node.pix.sizeimage, 7680 * 4320);
	stream(3, true);
}

/* A picture, not only stamps, and nothing drawn outside of the lines. */
static void test_longer_lines_are_kept(void **state)
{
	static const unsigned int width = 320, height = 240, stride = 512;
	struct v4l2_buffer b;
	const uint8_t *frame;
	bool drawn = false;

	zcv_open(&node, "cam0");
	set(layout_of(V4L2_PIX_FMT_GREY), width, height, stride);
	assert_int_equal(node.pix.bytesperline, stride);
	zcv_alloc(&node, V4L2_MEMORY_MMAP, 2, 0);
	for (int i = 0; i < 2; i++)
		memset(node.map[i], 0xa5, node.length[i]);
	zcv_queue_all(&node);
	zcv_on(&node);
	b = zcv_dequeue(&node);
	frame = node.map[b.index];
	for (size_t at = 0; at < b.bytesused; at++) {
		if (at % stride < width)
			drawn |= frame[at] != 0xa5;
		else if (frame[at] != 0xa5)
			fail_msg("byte %zu after line %zu is %#x", at % stride, at / stride,
				 frame[at]);
	}
	assert_true(drawn);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ZCV_TEST(test_capture_offers_every_format_from_16x16_to_7680x4320),
		ZCV_TEST(test_output_offers_every_format_from_16x16_to_7680x4320),
		ZCV_TEST(test_unknown_format_becomes_a_known_one),
		ZCV_TEST(test_format_cannot_change_while_there_are_buffers),
		ZCV_TEST(test_shortest_interval_depends_on_the_size),
		ZCV_TEST(test_capture_streams_every_format_at_every_edge),
		ZCV_TEST(test_output_streams_every_format_at_every_edge),
		ZCV_TEST(test_capture_streams_the_largest_frame),
		ZCV_TEST(test_longer_lines_are_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
