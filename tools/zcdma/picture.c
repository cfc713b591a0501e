// SPDX-License-Identifier: GPL-2.0-only
/*
 * picture.c - frames as PNG files
 *
 * For looking at, not for measuring: Y'CbCr is taken as BT.601 of limited range, the way V4L2
 * defaults for it, and colour filter arrays are interpolated by their nearest neighbours.
 */
#include <errno.h>
#include <linux/videodev2.h>
#include <png.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include "tool.h"

static uint8_t clamp(int value)
{
	return (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
}

/* ITU-R BT.601-7, in 1/256. */
static void put_yuv(uint8_t *rgb, int y, int u, int v)
{
	int c = 298 * (y - 16) + 128, d = u - 128, e = v - 128;

	rgb[0] = clamp((c + 409 * e) >> 8);
	rgb[1] = clamp((c - 100 * d - 208 * e) >> 8);
	rgb[2] = clamp((c + 516 * d) >> 8);
}

/* 8 bits of a sample of an RGGB array. */
static uint8_t sample(const struct zcdma_video_config *v, const uint8_t *data, uint32_t x, uint32_t y)
{
	const uint8_t *line = data + (size_t)y * v->bytesperline;

	if (v->fourcc == V4L2_PIX_FMT_SRGGB8)
		return line[x];
	return (uint8_t)((line[2 * x] | line[2 * x + 1] << 8) >> 2);
}

static void line_to_rgb(const struct zcdma_video_config *v, const uint8_t *data, uint32_t y,
			uint8_t *rgb)
{
	const uint8_t *line = data + (size_t)y * v->bytesperline;
	const uint8_t *chroma = data + (size_t)v->height * v->bytesperline +
				(size_t)(y / 2) * v->bytesperline;

	for (uint32_t x = 0; x < v->width; x++, rgb += 3) {
		const uint8_t *pair = line + x / 2 * 4;
		uint32_t ax = x & ~1U, ay = y & ~1U;

		switch (v->fourcc) {
		case V4L2_PIX_FMT_YUYV:
			put_yuv(rgb, line[2 * x], pair[1], pair[3]);
			break;
		case V4L2_PIX_FMT_UYVY:
			put_yuv(rgb, line[2 * x + 1], pair[0], pair[2]);
			break;
		case V4L2_PIX_FMT_NV12:
			put_yuv(rgb, line[x], chroma[ax], chroma[ax + 1]);
			break;
		case V4L2_PIX_FMT_RGB24:
			memcpy(rgb, line + 3 * x, 3);
			break;
		case V4L2_PIX_FMT_XBGR32:
			rgb[0] = line[4 * x + 2];
			rgb[1] = line[4 * x + 1];
			rgb[2] = line[4 * x];
			break;
		case V4L2_PIX_FMT_GREY:
			memset(rgb, line[x], 3);
			break;
		default:
			rgb[0] = sample(v, data, ax, ay);
			rgb[1] = sample(v, data, x == ax ? ax + 1 : ax, y);
			if ((x ^ y) & 1)
				rgb[1] = sample(v, data, x, y);
			rgb[2] = sample(v, data, ax + 1, ay + 1);
		}
	}
}

bool picture_is_possible(const struct zcdma_video_config *video)
{
	static const uint32_t known[] = {
		V4L2_PIX_FMT_YUYV, V4L2_PIX_FMT_UYVY, V4L2_PIX_FMT_NV12, V4L2_PIX_FMT_RGB24,
		V4L2_PIX_FMT_XBGR32, V4L2_PIX_FMT_GREY, V4L2_PIX_FMT_SRGGB8, V4L2_PIX_FMT_SRGGB10,
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (video->fourcc == known[i])
			return true;
	complain("cannot make PNG files of %s; save raw data (another --output), or choose another --format",
		 fourcc_name(video->fourcc));
	return false;
}

static bool write_png(FILE *file, const struct zcdma_video_config *video, const void *data,
		      uint8_t *line)
{
	png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
	png_infop info = png ? png_create_info_struct(png) : NULL;

	if (!info || setjmp(png_jmpbuf(png))) {
		png_destroy_write_struct(&png, &info);
		return false;
	}
	png_init_io(png, file);
	png_set_IHDR(png, info, video->width, video->height, 8, PNG_COLOR_TYPE_RGB,
		     PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
	/* Speed: a series is written while it is captured. */
	png_set_compression_level(png, 1);
	png_write_info(png, info);
	for (uint32_t y = 0; y < video->height; y++) {
		line_to_rgb(video, data, y, line);
		png_write_row(png, line);
	}
	png_write_end(png, info);
	png_destroy_write_struct(&png, &info);
	return true;
}

bool picture_save(const char *path, const struct zcdma_video_config *video, const void *data,
		  size_t length)
{
	uint8_t *line;
	FILE *file;
	bool good;

	if (length < video->sizeimage) {
		complain("the frame is short: %zu bytes instead of %u", length, video->sizeimage);
		return false;
	}
	line = malloc((size_t)video->width * 3);
	file = line ? fopen(path, "wb") : NULL;
	good = file && write_png(file, video, data, line);
	if (file && fclose(file))
		good = false;
	if (!good)
		complain("cannot write %s: %s", path, strerror(errno));
	free(line);
	return good;
}
