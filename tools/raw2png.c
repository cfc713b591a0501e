// SPDX-License-Identifier: GPL-2.0-only
/*
 * raw2png - a raw RGB24 frame from standard input as a PNG picture to standard output
 *
 * usage: raw2png WIDTH HEIGHT <frame.rgb >frame.png
 *
 * Lines must follow each other without padding.
 */
#include <errno.h>
#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static unsigned long number(const char *word, const char *what)
{
	char *end;
	unsigned long n;

	errno = 0;
	n = strtoul(word, &end, 10);
	if (errno || *end || !n || n > 65535) {
		fprintf(stderr, "raw2png: %s must be a number of pixels from 1 to 65535, not '%s'\n",
			what, word);
		exit(2);
	}
	return n;
}

int main(int argc, char **argv)
{
	png_image image = { .version = PNG_IMAGE_VERSION, .format = PNG_FORMAT_RGB };
	unsigned char *frame;
	size_t size, got;

	if (argc != 3) {
		fprintf(stderr, "usage: raw2png WIDTH HEIGHT <frame.rgb >frame.png\n");
		return 2;
	}
	image.width = number(argv[1], "WIDTH");
	image.height = number(argv[2], "HEIGHT");

	size = PNG_IMAGE_SIZE(image);
	frame = malloc(size);
	if (!frame) {
		fprintf(stderr, "raw2png: no memory for a frame of %zu bytes\n", size);
		return 1;
	}
	got = fread(frame, 1, size, stdin);
	if (got != size) {
		fprintf(stderr,
			"raw2png: %ux%u needs %zu bytes, but the input ended after %zu; check the size\n",
			image.width, image.height, size, got);
		free(frame);
		return 1;
	}
	if (!png_image_write_to_stdio(&image, stdout, 0, frame, 0, NULL) || fflush(stdout)) {
		fprintf(stderr, "raw2png: cannot write the picture: %s\n",
			image.message[0] ? image.message : strerror(errno));
		free(frame);
		return 1;
	}
	free(frame);
	return 0;
}
