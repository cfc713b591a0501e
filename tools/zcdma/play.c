// SPDX-License-Identifier: GPL-2.0-only
/*
 * play.c - zcdma play: play a file to a channel
 *
 * The file is read straight into DMA memory: one copy, from the page cache, made by read().
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <string.h>
#include <unistd.h>

#include "tool.h"

#define TIMEOUT_MS	10000

/* As much as there is, up to @size, or until Ctrl-C; -1 on failure. */
static ssize_t read_all(int fd, void *data, size_t size)
{
	size_t have = 0;

	while (have < size && wait_readable(fd)) {
		ssize_t n = read(fd, (char *)data + have, size - have);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if (!n)
			break;
		have += (size_t)n;
	}
	return (ssize_t)have;
}

/* The first Ctrl-C asks for this, and does not end it; the second one does. */
static int drain(struct zcdma_stream *s)
{
	bool asked = interrupted;
	int ret = zcdma_drain(s);

	return ret == -EINTR && !asked ? zcdma_drain(s) : ret;
}

/* Alignment of the channel's transfers. */
static uint32_t alignment_of(struct zcdma_stream *s, const char *name)
{
	const char *slash = strrchr(name, '/');
	struct zcdma_channel_info info;
	struct zcdma_device *device;
	uint32_t alignment = 1;

	if (zcdma_get_device(s, &device))
		return 1;
	for (unsigned int i = 0; !zcdma_device_get_channel(device, i, &info); i++) {
		if (slash && !strcmp(slash + 1, info.name))
			return info.alignment;
		/* Where only a device was named, it is one of these, and takes what all of them take. */
		if (info.direction == ZCDMA_PLAYBACK && info.owner == ZCDMA_OWNER_STREAM &&
		    info.alignment > alignment)
			alignment = info.alignment;
	}
	return alignment;
}

/* Bytes that the length of a transfer is a multiple of; see struct zcdma_fill. */
static uint32_t unit_of(struct zcdma_stream *s, const char *name)
{
	struct zcdma_pcm_config pcm = { .frame_bytes = 1 };
	uint32_t alignment = alignment_of(s, name), unit;
	struct zcdma_video_config video;

	if (!zcdma_get_video(s, &video))
		return video.sizeimage;
	zcdma_get_pcm(s, &pcm);
	unit = pcm.frame_bytes;
	/* Their least common multiple: an alignment is a power of two. */
	while (unit % alignment)
		unit *= 2;
	return unit;
}

/* Whether what was in a buffer before has been played; false: the user knows. */
static bool was_played(const struct zcdma_buffer *b, unsigned long long total)
{
	if (!(b->frame.flags & ZCDMA_FRAME_ERROR))
		return true;
	complain("the hardware failed to play a part; %llu bytes were handed over; the kernel log may say why (dmesg | grep zcdma)",
		 total);
	return false;
}

/* See that what was handed over is played, after a Ctrl-C, too. Return: 0, or an exit status. */
static int finish(struct zcdma_stream *s, const char *name, bool started, unsigned long long total)
{
	int ret = started ? 0 : zcdma_start(s);
	struct zcdma_buffer *b;

	if (!ret)
		ret = drain(s);
	if (ret == -EINTR) {
		complain("interrupted again, before all of it was played");
		return EXIT_FAILED;
	}
	if (ret)
		return complain_channel("play to", name, ret);
	/* Those that came last have not been looked at. */
	while (!zcdma_acquire(s, &b, 0))
		if (!was_played(b, total))
			return EXIT_FAILED;
	return 0;
}

static int run(struct zcdma_stream *s, int fd, const char *file, const char *name, bool quiet)
{
	unsigned long long total = 0, left = 0;
	uint32_t unit = unit_of(s, name);
	bool started = false, end = false;
	unsigned int queued = 0;
	int ret;

	while (!end && !interrupted) {
		struct zcdma_buffer *b;
		ssize_t n;

		ret = zcdma_acquire(s, &b, TIMEOUT_MS);
		if (ret == -EINTR)
			break;
		if (ret)
			return complain_channel("play to", name, ret);
		if (!was_played(b, total))
			return EXIT_FAILED;
		n = read_all(fd, b->data, b->length);
		if (n < 0) {
			complain("cannot read %s: %s", file, strerror(errno));
			return EXIT_FAILED;
		}
		end = (size_t)n < b->length;
		left = end ? (unsigned long long)n % unit : 0;
		b->length = (size_t)n - left;
		if (!b->length)
			break;
		ret = zcdma_release(s, b);
		if (ret)
			return complain_channel("play to", name, ret);
		total += b->length;
		/* Begin with full buffers, or with what there is. */
		if (!started && ++queued == zcdma_num_buffers(s)) {
			ret = zcdma_start(s);
			started = true;
		}
		if (ret)
			return complain_channel("start", name, ret);
	}
	if (total) {
		ret = finish(s, name, started, total);
	} else if (interrupted) {
		complain("interrupted before anything was played");
		ret = EXIT_FAILED;
	} else {
		complain("nothing was played: %s has less than the %u bytes of the smallest transfer", file,
			 unit);
		ret = EXIT_FAILED;
	}
	if (total && left && !interrupted)
		complain("the last %llu bytes of %s were not played: the channel takes multiples of %u",
			 left, file, unit);
	if (!quiet && !ret)
		fprintf(stderr, "%llu bytes\n", total);
	return ret;
}

int cmd_play(int argc, char **argv)
{
	static const struct option long_options[] = {
		CHANNEL_LONG_OPTIONS,
		{ "quiet", no_argument, NULL, 'q' },
		{ NULL, 0, NULL, 0 }
	};
	struct channel_options options = {
		.config.flags = ZCDMA_CONFIG_PLAYBACK,
	};
	const char *file = "standard input";
	struct zcdma_stream *s;
	int option, ret, fd = STDIN_FILENO;
	bool quiet = false;

	while ((option = getopt_long(argc, argv, CHANNEL_OPTIONS "qh", long_options, NULL)) != -1) {
		if (option == 'q') {
			quiet = true;
			continue;
		}
		ret = channel_option(&options, option, optarg);
		if (ret)
			return ret;
	}
	if (argc - optind < 1 || argc - optind > 2)
		return usage("name a channel and at most one file");
	options.name = argv[optind];
	if (optind + 1 < argc && strcmp(argv[optind + 1], "-")) {
		file = argv[optind + 1];
		fd = open(file, O_RDONLY | O_CLOEXEC);
		if (fd < 0) {
			complain("cannot read %s: %s", file, strerror(errno));
			return EXIT_FAILED;
		}
	}
	ret = open_channel(&options, &s);
	if (ret)
		return ret;
	catch_interrupt();
	if (zcdma_get_direction(s) == ZCDMA_PLAYBACK) {
		ret = run(s, fd, file, options.name, quiet);
	} else {
		complain("%s captures, it does not play: use zcdma capture", options.name);
		ret = EXIT_FAILED;
	}
	zcdma_close(s);
	return ret;
}
