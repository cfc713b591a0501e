// SPDX-License-Identifier: GPL-2.0-only
/*
 * capture.c - zcdma capture: save frames, and periods of sound
 */
#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tool.h"

#define TIMEOUT_MS	5000

struct capture {
	const char *output;
	long long count;
	long long skip;
	long long pattern;
	bool stamps;
	bool stamping;
	bool quiet;
	bool png;
	bool series;
	FILE *file;
	bool is_video;
	struct zcdma_video_config video;
	long long frames;
	long long lost;
	long long errors;
	long long torn;
	uint64_t first_ns;
	uint64_t last_ns;
};

/* Whether a name has one %d, %5d or %05d, and no other conversion. */
static bool is_series(const char *name)
{
	const char *at = strchr(name, '%');

	if (!at || strchr(at + 1, '%'))
		return false;
	for (at++; isdigit((unsigned char)*at); at++)
		;
	return *at == 'd';
}

static bool ends_with(const char *text, const char *end)
{
	size_t n = strlen(text), m = strlen(end);

	return n >= m && !strcasecmp(text + n - m, end);
}

static bool save(struct capture *c, const struct zcdma_buffer *b)
{
	char path[4096];

	if (!c->output)
		return true;
	if (c->series) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		/* Checked by is_series(). */
		snprintf(path, sizeof(path), c->output, (int)c->frames);
#pragma GCC diagnostic pop
	} else {
		snprintf(path, sizeof(path), "%s", c->output);
	}
	if (c->png)
		return picture_save(path, &c->video, b->data, b->length);
	if (c->series)
		c->file = fopen(path, "wb");
	if (c->file && fwrite(b->data, 1, b->length, c->file) == b->length &&
	    !(c->series && fclose(c->file)))
		return true;
	complain("cannot write %s: %s", path, strerror(errno));
	return false;
}

static void check_stamps(struct capture *c, const struct zcdma_buffer *b)
{
	struct zcdma_stamp head, tail;

	memcpy(&head, b->data, sizeof(head));
	memcpy(&tail, (char *)b->data + b->length - sizeof(tail), sizeof(tail));
	if (head.magic != ZCDMA_STAMP_MAGIC || memcmp(&head, &tail, sizeof(head)) ||
	    head.sequence != b->frame.sequence)
		c->torn++;
}

static double rate(const struct capture *c)
{
	return c->frames > 1 && c->last_ns > c->first_ns ?
	       (double)(c->frames - 1) * 1e9 / (double)(c->last_ns - c->first_ns) : 0;
}

static void progress(const struct capture *c, bool end)
{
	static uint64_t last;
	uint64_t now = now_ns();

	if (c->quiet || (!end && (now - last < 200000000 || !isatty(STDERR_FILENO))))
		return;
	last = now;
	fprintf(stderr, "%s%lld frame%s", isatty(STDERR_FILENO) ? "\r" : "", c->frames,
		c->frames == 1 ? "" : "s");
	if (!end)
		fprintf(stderr, " of %lld", c->count);
	if (rate(c) > 0)
		fprintf(stderr, ", %.2f frames/s", rate(c));
	fprintf(stderr, ", %lld lost, %lld failed%s", c->lost, c->errors, end ? "\n" : "");
}

static int run(struct capture *c, struct zcdma_stream *s, const char *name)
{
	uint64_t next = 0;
	int ret = zcdma_start(s);

	if (ret)
		return complain_channel("start", name, ret);
	for (long long n = 0; c->frames < c->count && !interrupted; n++) {
		struct zcdma_buffer *b;

		ret = zcdma_acquire(s, &b, TIMEOUT_MS);
		if (ret == -EINTR)
			break;
		if (ret)
			return complain_channel("get a frame of", name, ret);
		if (n >= c->skip) {
			uint64_t time = b->frame.exposure_start_ns ? b->frame.exposure_start_ns :
					now_ns();
			bool failed = b->frame.flags & ZCDMA_FRAME_ERROR;

			if (c->frames && b->frame.sequence > next)
				c->lost += (long long)(b->frame.sequence - next);
			if (!c->frames)
				c->first_ns = time;
			c->last_ns = time;
			if (failed)
				c->errors++;
			else if (c->stamps)
				check_stamps(c, b);
			/* There is no picture in it. */
			if (!(failed && c->png) && !save(c, b))
				return EXIT_FAILED;
			c->frames++;
		}
		next = b->frame.sequence + 1;
		ret = zcdma_release(s, b);
		if (ret)
			return complain_channel("give a frame back to", name, ret);
		progress(c, false);
	}
	progress(c, true);
	if (c->torn) {
		complain("%lld frames are torn: head and tail stamps differ", c->torn);
		return EXIT_FAILED;
	}
	if (!c->frames) {
		complain("interrupted before the first frame");
		return EXIT_FAILED;
	}
	if (c->errors == c->frames) {
		complain("the hardware failed, no frame is good; the kernel log may say why (dmesg | grep zcdma)");
		return EXIT_FAILED;
	}
	return 0;
}

static int set_control(struct zcdma_stream *s, const char *name, unsigned int id, long long value,
		       const char *option)
{
	int ret = zcdma_set_control(s, id, value);

	if (ret == -EINVAL || ret == -ERANGE) {
		complain("the channel has no %s: leave it out, or see v4l2-ctl --list-ctrls-menus", option);
		return EXIT_FAILED;
	}
	return ret ? complain_channel("set a control of", name, ret) : 0;
}

static int set_controls(struct capture *c, struct zcdma_stream *s, const char *name)
{
	char pattern[32];
	int ret = 0;

	snprintf(pattern, sizeof(pattern), "--pattern %lld", c->pattern);
	if (c->pattern >= 0)
		ret = set_control(s, name, ZCDMA_CONTROL_TEST_PATTERN, c->pattern, pattern);
	if (!ret && c->stamps)
		ret = set_control(s, name, ZCDMA_CONTROL_STAMPS, 1, "--stamps");
	c->stamping = !ret && c->stamps;
	return ret;
}

static int prepare_output(struct capture *c)
{
	if (!c->output)
		return 0;
	c->series = is_series(c->output);
	c->png = ends_with(c->output, ".png");
	if (!c->series && strchr(c->output, '%'))
		return usage("--output is \"%s\": must have one %%d, or no %% at all", c->output);
	if (c->png && !c->series && c->count > 1)
		return usage("%lld frames do not fit in one PNG file: use a name like frame-%%03d.png",
			     c->count);
	if (c->png && !c->is_video) {
		complain("the channel has no pictures: use a name that does not end in .png");
		return EXIT_FAILED;
	}
	if (c->png)
		return picture_is_possible(&c->video) ? 0 : EXIT_FAILED;
	if (c->series)
		return 0;
	c->file = strcmp(c->output, "-") ? fopen(c->output, "wb") : stdout;
	if (c->file)
		return 0;
	complain("cannot write %s: %s", c->output, strerror(errno));
	return EXIT_FAILED;
}

int cmd_capture(int argc, char **argv)
{
	static const struct option long_options[] = {
		CHANNEL_LONG_OPTIONS,
		{ "output", required_argument, NULL, 'o' },
		{ "count", required_argument, NULL, 'n' },
		{ "skip", required_argument, NULL, 'k' },
		{ "pattern", required_argument, NULL, 'p' },
		{ "stamps", no_argument, NULL, 'm' },
		{ "quiet", no_argument, NULL, 'q' },
		{ NULL, 0, NULL, 0 }
	};
	struct channel_options options = { 0 };
	struct capture c = { .pattern = -1 };
	struct zcdma_stream *s;
	int option, ret;

	while ((option = getopt_long(argc, argv, CHANNEL_OPTIONS "o:n:qh", long_options, NULL)) != -1) {
		if (option == 'o') {
			c.output = optarg;
		} else if (option == 'n') {
			if (!parse_number("--count", optarg, 1, INT32_MAX, &c.count))
				return EXIT_USAGE;
		} else if (option == 'k') {
			if (!parse_number("--skip", optarg, 0, INT32_MAX, &c.skip))
				return EXIT_USAGE;
		} else if (option == 'p') {
			if (!parse_number("--pattern", optarg, 0, INT32_MAX, &c.pattern))
				return EXIT_USAGE;
		} else if (option == 'm') {
			c.stamps = true;
		} else if (option == 'q') {
			c.quiet = true;
		} else {
			ret = channel_option(&options, option, optarg);
			if (ret)
				return ret;
		}
	}
	if (argc - optind > 1)
		return usage("one channel at a time");
	options.name = argv[optind];
	if (!c.count)
		c.count = c.output ? 1 : 100;

	ret = open_channel(&options, &s);
	if (ret)
		return ret;
	catch_interrupt();
	/* A reader that leaves is a failed write, after which there is more to do. */
	signal(SIGPIPE, SIG_IGN);
	c.is_video = !zcdma_get_video(s, &c.video);
	if (zcdma_get_direction(s) != ZCDMA_CAPTURE) {
		complain("%s plays, it does not capture: use zcdma play", options.name);
		ret = EXIT_FAILED;
	}
	if (!ret)
		ret = set_controls(&c, s, options.name);
	if (!ret)
		ret = prepare_output(&c);
	if (!ret)
		ret = run(&c, s, options.name);
	if (c.stamping)
		zcdma_set_control(s, ZCDMA_CONTROL_STAMPS, 0);
	zcdma_close(s);
	if (c.file && !c.series && fclose(c.file) && !ret) {
		complain("cannot write %s: %s", c.output, strerror(errno));
		ret = EXIT_FAILED;
	}
	return ret;
}
