// SPDX-License-Identifier: GPL-2.0-only
/*
 * monitor.c - zcdma monitor: frame rate, losses and latency, once a second
 */
#include <errno.h>
#include <getopt.h>
#include <string.h>

#include "tool.h"

#define SECOND		1000000000ULL
#define TIMEOUT_MS	1000

/* Of one second. */
struct second {
	unsigned long frames;
	unsigned long lost;
	unsigned long errors;
	unsigned long timed;
	uint64_t latency_sum;
	uint64_t latency_max;
	uint64_t first_ns;
	uint64_t last_ns;
};

static void count(struct second *sec, const struct zcdma_frame *f, uint64_t *next)
{
	uint64_t start = f->exposure_start_ns;

	if (f->sequence > *next)
		sec->lost += (unsigned long)(f->sequence - *next);
	*next = f->sequence + 1;
	sec->errors += !!(f->flags & ZCDMA_FRAME_ERROR);
	if (!sec->frames++)
		sec->first_ns = start;
	sec->last_ns = start;
	if (f->done_ns) {
		uint64_t latency = now_ns() - f->done_ns;

		sec->timed++;
		sec->latency_sum += latency;
		if (latency > sec->latency_max)
			sec->latency_max = latency;
	}
}

static void report(const struct second *sec)
{
	double fps = sec->frames > 1 && sec->last_ns > sec->first_ns ?
		     (double)(sec->frames - 1) * 1e9 / (double)(sec->last_ns - sec->first_ns) : 0;

	printf("%6lu %9.2f %6lu %6lu", sec->frames, fps, sec->lost, sec->errors);
	if (sec->timed)
		printf(" %12.1f %12.1f\n", (double)sec->latency_sum / (double)sec->timed / 1e3,
		       (double)sec->latency_max / 1e3);
	else
		printf(" %12s %12s\n", "-", "-");
	fflush(stdout);
}

static int run(struct zcdma_stream *s, const char *name, long long seconds)
{
	struct second sec = { 0 };
	uint64_t next = 0, end;
	int ret = zcdma_start(s);

	if (ret)
		return complain_channel("start", name, ret);
	printf("%6s %9s %6s %6s %12s %12s\n", "frames", "frames/s", "lost", "failed", "latency, us",
	       "longest, us");
	end = now_ns() + SECOND;
	while (!interrupted && seconds) {
		struct zcdma_buffer *b;

		ret = zcdma_acquire(s, &b, TIMEOUT_MS);
		if (!ret) {
			count(&sec, &b->frame, &next);
			ret = zcdma_release(s, b);
		}
		if (ret && ret != -ETIMEDOUT && ret != -EINTR)
			return complain_channel("get a frame of", name, ret);
		if (now_ns() >= end) {
			report(&sec);
			sec = (struct second) { 0 };
			end += SECOND;
			seconds -= seconds > 0;
		}
	}
	return 0;
}

int cmd_monitor(int argc, char **argv)
{
	static const struct option long_options[] = {
		CHANNEL_LONG_OPTIONS,
		{ "count", required_argument, NULL, 'n' },
		{ NULL, 0, NULL, 0 }
	};
	struct channel_options options = { 0 };
	struct zcdma_stream *s;
	long long seconds = -1;
	int option, ret;

	while ((option = getopt_long(argc, argv, CHANNEL_OPTIONS "n:h", long_options, NULL)) != -1) {
		if (option == 'n') {
			if (!parse_number("--count", optarg, 1, INT32_MAX, &seconds))
				return EXIT_USAGE;
			continue;
		}
		ret = channel_option(&options, option, optarg);
		if (ret)
			return ret;
	}
	if (argc - optind > 1)
		return usage("one channel at a time");
	options.name = argv[optind];
	ret = open_channel(&options, &s);
	if (ret)
		return ret;
	catch_interrupt();
	if (zcdma_get_direction(s) == ZCDMA_CAPTURE) {
		ret = run(s, options.name, seconds);
	} else {
		complain("%s plays: only what captures can be monitored", options.name);
		ret = EXIT_FAILED;
	}
	zcdma_close(s);
	return ret;
}
