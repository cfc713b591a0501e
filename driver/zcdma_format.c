// SPDX-License-Identifier: GPL-2.0-only
/*
 * zcdma_format.c - arithmetic of video formats: strides, sizes, intervals
 *
 * Pure functions of their arguments: no state, no locks, any context.
 */
#include <linux/export.h>
#include <linux/kernel.h>
#include <linux/lcm.h>
#include <linux/minmax.h>
#include <linux/videodev2.h>

#include "zcdma.h"

/* Room for alignment wishes of a consumer, and no more: a stride is not a way to ask for memory. */
#define ZCDMA_MAX_STRIDE	65536u

static const struct zcdma_format_info formats[] = {
	{ V4L2_PIX_FMT_YUYV, 2, 2, 1, false },
	{ V4L2_PIX_FMT_UYVY, 2, 2, 1, false },
	{ V4L2_PIX_FMT_NV12, 1, 2, 2, true },
	{ V4L2_PIX_FMT_NV16, 1, 2, 1, true },
	{ V4L2_PIX_FMT_RGB24, 3, 1, 1, false },
	{ V4L2_PIX_FMT_BGR24, 3, 1, 1, false },
	{ V4L2_PIX_FMT_XBGR32, 4, 1, 1, false },
	{ V4L2_PIX_FMT_XRGB32, 4, 1, 1, false },
	{ V4L2_PIX_FMT_RGB565, 2, 1, 1, false },
	{ V4L2_PIX_FMT_GREY, 1, 1, 1, false },
	{ V4L2_PIX_FMT_Y10, 2, 1, 1, false },
	{ V4L2_PIX_FMT_Y16, 2, 1, 1, false },
	{ V4L2_PIX_FMT_SRGGB8, 1, 2, 2, false },
	{ V4L2_PIX_FMT_SGRBG8, 1, 2, 2, false },
	{ V4L2_PIX_FMT_SGBRG8, 1, 2, 2, false },
	{ V4L2_PIX_FMT_SBGGR8, 1, 2, 2, false },
	{ V4L2_PIX_FMT_SRGGB10, 2, 2, 2, false },
};

/**
 * zcdma_format_info() - look up the memory layout of a pixel format
 * @fourcc: V4L2 pixel format
 *
 * Return: the layout, or NULL where the core does not know the format.
 */
const struct zcdma_format_info *zcdma_format_info(u32 fourcc)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(formats); i++)
		if (formats[i].fourcc == fourcc)
			return &formats[i];
	return NULL;
}
EXPORT_SYMBOL_GPL(zcdma_format_info);

static u32 clamp_step(u32 value, u32 min, u32 max, u32 step)
{
	value = clamp(value, min, max);
	return min + rounddown(value - min, step ?: 1);
}

/**
 * zcdma_video_min_interval() - shortest frame interval for a size
 * @caps: of the channel
 * @height: lines
 *
 * Return: ns, never longer than @caps->max_interval_ns.
 */
u64 zcdma_video_min_interval(const struct zcdma_video_caps *caps, u32 height)
{
	u64 interval = max(caps->min_interval_ns, (u64)caps->line_ns * height);

	return min(interval, caps->max_interval_ns);
}
EXPORT_SYMBOL_GPL(zcdma_video_min_interval);

static bool has_fourcc(const struct zcdma_video_caps *caps, u32 fourcc)
{
	for (unsigned int i = 0; i < caps->num_fourccs; i++)
		if (caps->fourccs[i] == fourcc)
			return true;
	return false;
}

/**
 * zcdma_video_try() - adjust a format to the nearest one that a channel can do
 * @caps: of the channel
 * @fmt: the wish; the result. A bytesperline that is longer than a line needs is kept, up to
 *	64 KiB and the channel's limits, unless it packs lines; sizeimage is computed, never taken
 */
void zcdma_video_try(const struct zcdma_video_caps *caps, struct zcdma_video_format *fmt)
{
	const struct zcdma_format_info *info;
	u32 stride, longest, step, lines;

	if (!has_fourcc(caps, fmt->fourcc))
		fmt->fourcc = caps->fourccs[0];
	info = zcdma_format_info(fmt->fourcc);

	fmt->width = clamp_step(fmt->width, caps->min_width, caps->max_width,
				max_t(u32, caps->step_width, info->hsub));
	fmt->height = clamp_step(fmt->height, caps->min_height, caps->max_height,
				 max_t(u32, caps->step_height, info->vsub));

	lines = fmt->height;
	if (info->chroma)
		lines += fmt->height / info->vsub;

	stride = fmt->width * info->bytes;
	longest = min_t(u32, ZCDMA_MAX_STRIDE,
			(caps->max_sizeimage ?: (u32)ZCDMA_BUFFER_SIZE_MAX) / lines);
	if (caps->packed)
		longest = stride;
	/* Both planes of a semi-planar format share the stride: keep a chroma pair whole. */
	step = lcm(info->bytes * info->hsub, caps->line_alignment ?: 1);
	fmt->bytesperline = min(fmt->bytesperline, longest);
	fmt->bytesperline = max(rounddown(fmt->bytesperline, step), stride);
	fmt->sizeimage = fmt->bytesperline * lines;

	fmt->interval_ns = clamp(fmt->interval_ns,
				 zcdma_video_min_interval(caps, fmt->height),
				 caps->max_interval_ns);
}
EXPORT_SYMBOL_GPL(zcdma_video_try);

/**
 * zcdma_video_default() - the format of a channel after probe
 * @caps: of the channel
 * @fmt: the result
 */
void zcdma_video_default(const struct zcdma_video_caps *caps, struct zcdma_video_format *fmt)
{
	*fmt = (struct zcdma_video_format) {
		.fourcc = caps->fourccs[0],
		.width = caps->def_width,
		.height = caps->def_height,
		.interval_ns = caps->def_interval_ns,
	};
	zcdma_video_try(caps, fmt);
}
EXPORT_SYMBOL_GPL(zcdma_video_default);
