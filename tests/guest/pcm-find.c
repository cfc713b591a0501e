// SPDX-License-Identifier: GPL-2.0-only
/*
 * pcm-find - find what was played in what was recorded, for tests
 *
 * usage: pcm-find PLAYED RECORDED
 *
 * Raw samples. Prints the offset in bytes; status 1 where it is nowhere, or where there is anything
 * but zeros before or after it.
 *
 * not-a-test
 */
#define _GNU_SOURCE
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static unsigned char *load(const char *path, size_t *size)
{
	FILE *f = fopen(path, "rb");
	unsigned char *data = NULL;
	long end;

	if (!f || fseek(f, 0, SEEK_END) || (end = ftell(f)) < 0)
		goto fail;
	rewind(f);
	*size = end;
	data = malloc(end + 1);
	if (!data || fread(data, 1, end, f) != *size)
		goto fail;
	fclose(f);
	return data;

fail:
	perror(path);
	exit(2);
}

static bool is_zero(const unsigned char *data, size_t size)
{
	while (size--)
		if (*data++)
			return false;
	return true;
}

int main(int argc, char **argv)
{
	size_t played_size, recorded_size, at;
	unsigned char *played, *recorded, *found;

	if (argc != 3) {
		fprintf(stderr, "usage: pcm-find PLAYED RECORDED\n");
		return 2;
	}
	played = load(argv[1], &played_size);
	recorded = load(argv[2], &recorded_size);
	found = memmem(recorded, recorded_size, played, played_size);
	if (!played_size || !found) {
		fprintf(stderr, "%zu bytes of %s are not in the %zu of %s\n", played_size, argv[1],
			recorded_size, argv[2]);
		return 1;
	}
	at = found - recorded;
	if (!is_zero(recorded, at) || !is_zero(found + played_size,
					       recorded_size - at - played_size)) {
		fprintf(stderr, "%s has more than %s\n", argv[2], argv[1]);
		return 1;
	}
	printf("%zu\n", at);
	return 0;
}
