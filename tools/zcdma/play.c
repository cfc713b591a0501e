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

static int run(struct zcdma_stream *s, int fd, const char *file, const char *name, bool quiet)
{
	struct zcdma_video_config video;
	bool whole = !zcdma_get_video(s, &video);
	/* What is less than that cannot be moved. */
	struct zcdma_pcm_config pcm = { .frame_bytes = 4 };
	const char *unit = whole || !zcdma_get_pcm(s, &pcm) ? "frame" : "word";
	unsigned long long total = 0, left = 0;
	unsigned int queued = 0;
	bool started = false;
	int ret = 0;

	while (!interrupted) {
		struct zcdma_buffer *b;
		ssize_t n;

		ret = zcdma_acquire(s, &b, TIMEOUT_MS);
		if (ret == -EINTR)
			break;
		if (ret)
			return complain_channel("play to", name, ret);
		if (b->frame.flags & ZCDMA_FRAME_ERROR && started) {
			complain("the hardware failed to play a part; %llu bytes were handed over",
				 total);
			return EXIT_FAILED;
		}
		n = read_all(fd, b->data, b->length);
		if (n < 0) {
			complain("cannot read %s: %s", file, strerror(errno));
			return EXIT_FAILED;
		}
		if (whole && (size_t)n < b->length) {
			left = (unsigned long long)n;
			break;
		}
		left = (unsigned long long)n % pcm.frame_bytes;
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
	/* After a Ctrl-C, too: what was handed over is played. */
	ret = total && !started ? zcdma_start(s) : 0;
	if (!ret && total)
		ret = drain(s);
	if (ret == -EINTR) {
		complain("interrupted again, before all of it was played");
		return EXIT_FAILED;
	}
	if (ret)
		return complain_channel("play to", name, ret);
	if (left && !interrupted)
		complain("the last %llu bytes of %s are not a whole %s and were not played", left, file,
			 unit);
	if (!quiet)
		fprintf(stderr, "%llu bytes\n", total);
	return total ? 0 : EXIT_FAILED;
}

int cmd_play(int argc, char **argv)
{
	static const struct option long_options[] = {
		CHANNEL_LONG_OPTIONS,
		{ "quiet", no_argument, NULL, 'q' },
		{ NULL, 0, NULL, 0 }
	};
	struct channel_options options = {
		.pattern = -1,
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
