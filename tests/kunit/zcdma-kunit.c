// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of what is pure arithmetic in the core: sizes, strides, intervals (zcdma_format.c),
 * and what sound can be set to (zcdma_audio.c).
 *
 * Loading the module runs them; tests/guest/test-kunit.sh does so. What is expected here comes from
 * the definitions of the pixel formats (Documentation/userspace-api/media/v4l), not from the code.
 */
#include <kunit/test.h>
#include <linux/limits.h>
#include <linux/math64.h>
#include <linux/module.h>
#include <linux/time64.h>
#include <linux/videodev2.h>

#include "../../driver/zcdma.h"

/* Bits of a pixel, all planes counted, and the block of pixels that cannot be divided. */
struct layout {
	u32 fourcc;
	const char *name;
	u32 bits;
	u32 first_plane_bits;
	u32 block_width;
	u32 block_height;
};

static const struct layout layouts[] = {
	{ V4L2_PIX_FMT_YUYV, "YUYV", 16, 16, 2, 1 },
	{ V4L2_PIX_FMT_UYVY, "UYVY", 16, 16, 2, 1 },
	{ V4L2_PIX_FMT_NV12, "NV12", 12, 8, 2, 2 },
	{ V4L2_PIX_FMT_NV16, "NV16", 16, 8, 2, 1 },
	{ V4L2_PIX_FMT_RGB24, "RGB24", 24, 24, 1, 1 },
	{ V4L2_PIX_FMT_BGR24, "BGR24", 24, 24, 1, 1 },
	{ V4L2_PIX_FMT_XBGR32, "XBGR32", 32, 32, 1, 1 },
	{ V4L2_PIX_FMT_XRGB32, "XRGB32", 32, 32, 1, 1 },
	{ V4L2_PIX_FMT_RGB565, "RGB565", 16, 16, 1, 1 },
	{ V4L2_PIX_FMT_GREY, "GREY", 8, 8, 1, 1 },
	{ V4L2_PIX_FMT_Y10, "Y10", 16, 16, 1, 1 },
	{ V4L2_PIX_FMT_Y16, "Y16", 16, 16, 1, 1 },
	{ V4L2_PIX_FMT_SRGGB8, "SRGGB8", 8, 8, 2, 2 },
	{ V4L2_PIX_FMT_SGRBG8, "SGRBG8", 8, 8, 2, 2 },
	{ V4L2_PIX_FMT_SGBRG8, "SGBRG8", 8, 8, 2, 2 },
	{ V4L2_PIX_FMT_SBGGR8, "SBGGR8", 8, 8, 2, 2 },
	{ V4L2_PIX_FMT_SRGGB10, "SRGGB10", 16, 16, 2, 2 },
};

static void layout_name(const struct layout *layout, char *text)
{
	strscpy(text, layout->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(layout, layouts, layout_name);

/* A channel that can do one format, in the sizes that video has today. */
static struct zcdma_video_caps one_format(const struct layout *layout)
{
	return (struct zcdma_video_caps) {
		.fourccs = &layout->fourcc,
		.num_fourccs = 1,
		.min_width = 16,
		.max_width = 7680,
		.min_height = 16,
		.max_height = 4320,
		.min_interval_ns = NSEC_PER_SEC / 1000,
		.max_interval_ns = NSEC_PER_SEC,
		.def_width = 640,
		.def_height = 480,
		.def_interval_ns = NSEC_PER_SEC / 25,
	};
}

static void test_every_format_is_known(struct kunit *test)
{
	const struct layout *layout = test->param_value;
	const struct zcdma_format_info *info = zcdma_format_info(layout->fourcc);

	KUNIT_ASSERT_NOT_NULL(test, info);
	KUNIT_EXPECT_EQ(test, info->fourcc, layout->fourcc);
}

static void test_other_formats_are_unknown(struct kunit *test)
{
	static const u32 others[] = { 0, V4L2_PIX_FMT_MJPEG, V4L2_PIX_FMT_NV12M, U32_MAX };

	for (unsigned int i = 0; i < ARRAY_SIZE(others); i++)
		KUNIT_EXPECT_NULL(test, zcdma_format_info(others[i]));
}

static void test_size_of_a_frame(struct kunit *test)
{
	static const struct { u32 width, height; } sizes[] = {
		{ 16, 16 }, { 320, 240 }, { 640, 480 }, { 1920, 1080 }, { 3840, 2160 },
		{ 7680, 4320 },
	};
	const struct layout *layout = test->param_value;
	struct zcdma_video_caps caps = one_format(layout);

	for (unsigned int i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct zcdma_video_format fmt = {
			.fourcc = layout->fourcc,
			.width = sizes[i].width,
			.height = sizes[i].height,
		};

		zcdma_video_try(&caps, &fmt);
		KUNIT_EXPECT_EQ(test, fmt.width, sizes[i].width);
		KUNIT_EXPECT_EQ(test, fmt.height, sizes[i].height);
		KUNIT_EXPECT_EQ(test, fmt.bytesperline,
				sizes[i].width * layout->first_plane_bits / 8);
		KUNIT_EXPECT_EQ(test, fmt.sizeimage,
				sizes[i].width * sizes[i].height * layout->bits / 8);
	}
}

/* Whatever is asked for, the result is possible, of whole blocks, and stands when asked again. */
static void test_any_wish_ends_in_a_possible_format(struct kunit *test)
{
	static const u32 edges[] = {
		0, 1, 2, 15, 16, 17, 18, 33, 479, 480, 4319, 4320, 4321, 7679, 7680, 7681, 65535,
		65536, 65537, S32_MAX, U32_MAX - 1, U32_MAX,
	};
	static const u32 steps[] = { 0, 2, 16, 64 };
	const struct layout *layout = test->param_value;
	struct zcdma_video_caps caps = one_format(layout);

	for (unsigned int s = 0; s < ARRAY_SIZE(steps); s++) {
		u32 step_width = max(steps[s], layout->block_width);
		u32 step_height = max(steps[s], layout->block_height);

		caps.step_width = steps[s];
		caps.step_height = steps[s];
		for (unsigned int i = 0; i < ARRAY_SIZE(edges) * ARRAY_SIZE(edges); i++) {
			struct zcdma_video_format fmt = {
				.fourcc = layout->fourcc,
				.width = edges[i / ARRAY_SIZE(edges)],
				.height = edges[i % ARRAY_SIZE(edges)],
				.bytesperline = edges[i % ARRAY_SIZE(edges)],
				.sizeimage = edges[i / ARRAY_SIZE(edges)],
				.interval_ns = edges[i / ARRAY_SIZE(edges)],
			}, again;
			u32 line;

			zcdma_video_try(&caps, &fmt);
			KUNIT_EXPECT_GE(test, fmt.width, caps.min_width);
			KUNIT_EXPECT_LE(test, fmt.width, caps.max_width);
			KUNIT_EXPECT_EQ(test, (fmt.width - caps.min_width) % step_width, 0);
			KUNIT_EXPECT_EQ(test, fmt.width % layout->block_width, 0);
			KUNIT_EXPECT_GE(test, fmt.height, caps.min_height);
			KUNIT_EXPECT_LE(test, fmt.height, caps.max_height);
			KUNIT_EXPECT_EQ(test, (fmt.height - caps.min_height) % step_height, 0);
			KUNIT_EXPECT_EQ(test, fmt.height % layout->block_height, 0);

			line = fmt.width * layout->first_plane_bits / 8;
			KUNIT_EXPECT_GE(test, fmt.bytesperline, line);
			KUNIT_EXPECT_LE(test, fmt.bytesperline, max(line, 65536u));
			KUNIT_EXPECT_EQ(test, (u64)fmt.sizeimage * layout->first_plane_bits,
					(u64)fmt.bytesperline * fmt.height * layout->bits);

			KUNIT_EXPECT_GE(test, fmt.interval_ns, caps.min_interval_ns);
			KUNIT_EXPECT_LE(test, fmt.interval_ns, caps.max_interval_ns);

			again = fmt;
			zcdma_video_try(&caps, &again);
			KUNIT_EXPECT_MEMEQ(test, &again, &fmt, sizeof(fmt));
		}
	}
}

static void test_longer_lines_are_kept(struct kunit *test)
{
	const struct layout *layout = test->param_value;
	struct zcdma_video_caps caps = one_format(layout);
	u32 block = layout->block_width * layout->first_plane_bits / 8;
	struct zcdma_video_format fmt = {
		.fourcc = layout->fourcc,
		.width = 640,
		.height = 480,
		.bytesperline = 640 * layout->first_plane_bits / 8 + 5 * block,
	};
	struct zcdma_video_format ragged = fmt;

	zcdma_video_try(&caps, &fmt);
	KUNIT_EXPECT_EQ(test, fmt.bytesperline, 640 * layout->first_plane_bits / 8 + 5 * block);

	/* But never half a block. */
	ragged.bytesperline += block - 1;
	zcdma_video_try(&caps, &ragged);
	KUNIT_EXPECT_EQ(test, ragged.bytesperline, fmt.bytesperline);
}

static void test_foreign_format_becomes_the_default(struct kunit *test)
{
	static const u32 fourccs[] = { V4L2_PIX_FMT_NV12, V4L2_PIX_FMT_GREY };
	struct zcdma_video_caps caps = one_format(&layouts[0]);
	struct zcdma_video_format fmt = { .width = 64, .height = 32 };

	caps.fourccs = fourccs;
	caps.num_fourccs = ARRAY_SIZE(fourccs);
	/* Known to the core, but not a format of this channel. */
	fmt.fourcc = V4L2_PIX_FMT_YUYV;
	zcdma_video_try(&caps, &fmt);
	KUNIT_EXPECT_EQ(test, fmt.fourcc, V4L2_PIX_FMT_NV12);
	KUNIT_EXPECT_EQ(test, fmt.sizeimage, 64 * 32 * 3 / 2);

	fmt.fourcc = V4L2_PIX_FMT_GREY;
	fmt.bytesperline = 0;
	zcdma_video_try(&caps, &fmt);
	KUNIT_EXPECT_EQ(test, fmt.fourcc, V4L2_PIX_FMT_GREY);
	KUNIT_EXPECT_EQ(test, fmt.sizeimage, 64 * 32);
}

static void test_interval_is_bounded(struct kunit *test)
{
	struct zcdma_video_caps caps = one_format(&layouts[0]);

	KUNIT_EXPECT_EQ(test, zcdma_video_min_interval(&caps, 480), caps.min_interval_ns);

	/* 500 lines of 20 us are 10 ms; 48 are below the minimum. */
	caps.line_ns = 20 * NSEC_PER_USEC;
	KUNIT_EXPECT_EQ(test, zcdma_video_min_interval(&caps, 500), 10 * NSEC_PER_MSEC);
	KUNIT_EXPECT_EQ(test, zcdma_video_min_interval(&caps, 48), caps.min_interval_ns);
	/* Longer than a frame may take at all: what is allowed wins. */
	caps.line_ns = NSEC_PER_SEC;
	KUNIT_EXPECT_EQ(test, zcdma_video_min_interval(&caps, 4320), caps.max_interval_ns);
}

static void test_interval_does_not_overflow(struct kunit *test)
{
	struct zcdma_video_caps caps = one_format(&layouts[0]);

	/* The product needs more than 32 bits. */
	caps.max_interval_ns = U64_MAX;
	caps.line_ns = 1u << 31;
	KUNIT_EXPECT_EQ(test, zcdma_video_min_interval(&caps, 1u << 31), 1ULL << 62);
}

static void test_default_is_possible(struct kunit *test)
{
	const struct layout *layout = test->param_value;
	struct zcdma_video_caps caps = one_format(layout);
	struct zcdma_video_format fmt;

	memset(&fmt, 0xff, sizeof(fmt));
	zcdma_video_default(&caps, &fmt);
	KUNIT_EXPECT_EQ(test, fmt.fourcc, layout->fourcc);
	KUNIT_EXPECT_EQ(test, fmt.width, 640);
	KUNIT_EXPECT_EQ(test, fmt.height, 480);
	KUNIT_EXPECT_EQ(test, fmt.sizeimage, 640 * 480 * layout->bits / 8);
	KUNIT_EXPECT_EQ(test, fmt.interval_ns, NSEC_PER_SEC / 25);
}

static struct kunit_case zcdma_format_cases[] = {
	KUNIT_CASE_PARAM(test_every_format_is_known, layout_gen_params),
	KUNIT_CASE(test_other_formats_are_unknown),
	KUNIT_CASE_PARAM(test_size_of_a_frame, layout_gen_params),
	KUNIT_CASE_PARAM(test_any_wish_ends_in_a_possible_format, layout_gen_params),
	KUNIT_CASE_PARAM(test_longer_lines_are_kept, layout_gen_params),
	KUNIT_CASE(test_foreign_format_becomes_the_default),
	KUNIT_CASE(test_interval_is_bounded),
	KUNIT_CASE(test_interval_does_not_overflow),
	KUNIT_CASE_PARAM(test_default_is_possible, layout_gen_params),
	{}
};

static struct kunit_suite zcdma_format_suite = {
	.name = "zcdma_format",
	.test_cases = zcdma_format_cases,
};

/* ---- Sound ---- */

static const struct zcdma_pcm_caps pcm_caps = {
	.formats = ZCDMA_PCM_S16_LE | ZCDMA_PCM_S32_LE,
	.min_rate = 8000,
	.max_rate = 48000,
	.min_channels = 2,
	.max_channels = 4,
	.def = { .format = ZCDMA_PCM_S16_LE, .channels = 2, .rate = 44100, .frame_bytes = 4 },
};

static void test_size_of_a_pcm_frame(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, zcdma_pcm_frame_bytes(ZCDMA_PCM_S16_LE, 1), 2);
	KUNIT_EXPECT_EQ(test, zcdma_pcm_frame_bytes(ZCDMA_PCM_S24_LE, 2), 8);
	KUNIT_EXPECT_EQ(test, zcdma_pcm_frame_bytes(ZCDMA_PCM_S32_LE, 3), 12);
	KUNIT_EXPECT_EQ(test, zcdma_pcm_frame_bytes(ZCDMA_PCM_FLOAT_LE, 8), 32);
}

static void test_what_is_left_open_becomes_the_default(struct kunit *test)
{
	struct zcdma_pcm_config config = { .frame_bytes = 99 };

	KUNIT_EXPECT_TRUE(test, zcdma_pcm_complete(&pcm_caps, &config));
	KUNIT_EXPECT_EQ(test, config.format, ZCDMA_PCM_S16_LE);
	KUNIT_EXPECT_EQ(test, config.channels, 2);
	KUNIT_EXPECT_EQ(test, config.rate, 44100);
	KUNIT_EXPECT_EQ(test, config.frame_bytes, 4);

	config = (struct zcdma_pcm_config) { .format = ZCDMA_PCM_S32_LE, .channels = 3 };
	KUNIT_EXPECT_TRUE(test, zcdma_pcm_complete(&pcm_caps, &config));
	KUNIT_EXPECT_EQ(test, config.rate, 44100);
	KUNIT_EXPECT_EQ(test, config.frame_bytes, 12);
}

static void test_what_the_channel_cannot_is_refused(struct kunit *test)
{
	static const struct zcdma_pcm_config good[] = {
		{ .rate = 8000 }, { .rate = 48000 }, { .channels = 4 },
	};
	static const struct zcdma_pcm_config bad[] = {
		{ .format = ZCDMA_PCM_S24_LE }, { .format = BIT(31) },
		{ .format = ZCDMA_PCM_S16_LE | ZCDMA_PCM_S32_LE },
		{ .channels = 1 }, { .channels = 5 }, { .channels = U32_MAX },
		{ .rate = 7999 }, { .rate = 48001 }, { .rate = U32_MAX },
	};
	struct zcdma_pcm_config config;

	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		config = good[i];
		KUNIT_EXPECT_TRUE(test, zcdma_pcm_complete(&pcm_caps, &config));
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		config = bad[i];
		KUNIT_EXPECT_FALSE(test, zcdma_pcm_complete(&pcm_caps, &config));
	}
}

static struct kunit_case zcdma_audio_cases[] = {
	KUNIT_CASE(test_size_of_a_pcm_frame),
	KUNIT_CASE(test_what_is_left_open_becomes_the_default),
	KUNIT_CASE(test_what_the_channel_cannot_is_refused),
	{}
};

static struct kunit_suite zcdma_audio_suite = {
	.name = "zcdma_audio",
	.test_cases = zcdma_audio_cases,
};

kunit_test_suites(&zcdma_format_suite, &zcdma_audio_suite);

MODULE_DESCRIPTION("KUnit tests of the zcdma core");
MODULE_LICENSE("GPL");
