// SPDX-License-Identifier: GPL-2.0-only
/*
 * no-picture.c - in place of picture.c where there was no libpng to build with
 */
#include "tool.h"

bool picture_is_possible(const struct zcdma_video_config *video)
{
	complain("this zcdma was built without libpng: save raw data (another --output), or install libpng-dev and build it again");
	return false;
}

bool picture_save(const char *path, const struct zcdma_video_config *video, const void *data,
		  size_t length)
{
	return false;
}
