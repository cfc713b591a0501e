// SPDX-License-Identifier: GPL-2.0-only
/*
 * timeline.c - zcdma timeline: frames, trigger, strobe and sound on one time axis, as SVG
 *
 * All times are the kernel's, from the frame records and from struct zcdma_gpio_state, on the one
 * clock that they share. The picture begins with the first thing that happened.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <string.h>

#include "tool.h"

#define TIMEOUT_MS	5000
#define MAX_FRAMES	200

/* Pixels. */
#define LEFT		110
#define PLOT_WIDTH	1060
#define RIGHT		90
#define TOP		64
#define ROW_HEIGHT	46
#define BAR_HEIGHT	22

struct pulse {
	uint64_t on_ns;
	uint64_t off_ns;
};

struct timeline {
	const char *name;
	struct zcdma_frame frames[MAX_FRAMES];
	unsigned int num_frames;
	struct pulse pulses[MAX_FRAMES];
	unsigned int num_pulses;
	uint64_t from_ns;
	uint64_t to_ns;
};

/* ---- What happened ---- */

/* The last pulse of the strobe, if it is over and a new one. */
static void note_pulse(struct timeline *t, struct zcdma_device *device)
{
	struct zcdma_gpio_state state;
	struct pulse pulse;

	if (!device || zcdma_device_get_gpio_state(device, &state))
		return;
	pulse = (struct pulse) { .on_ns = state.strobe_on_ns, .off_ns = state.strobe_off_ns };
	if (pulse.off_ns < pulse.on_ns || pulse.on_ns < t->frames[0].exposure_start_ns ||
	    (t->num_pulses && t->pulses[t->num_pulses - 1].on_ns == pulse.on_ns))
		return;
	t->pulses[t->num_pulses++] = pulse;
}

static int watch(struct timeline *t, struct zcdma_stream *s, struct zcdma_device *device,
		 unsigned int count)
{
	int ret = zcdma_start(s);

	if (ret)
		return complain_channel("start", t->name, ret);
	while (t->num_frames < count && !interrupted) {
		struct zcdma_buffer *b;

		ret = zcdma_acquire(s, &b, TIMEOUT_MS);
		if (ret == -EINTR)
			break;
		if (!ret) {
			t->frames[t->num_frames++] = b->frame;
			note_pulse(t, device);
			ret = zcdma_release(s, b);
		}
		if (ret)
			return complain_channel("get a frame of", t->name, ret);
	}
	if (!t->num_frames) {
		complain("interrupted before the first frame");
		return EXIT_FAILED;
	}
	return 0;
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
	return b && b < a ? b : a;
}

static void find_span(struct timeline *t)
{
	t->from_ns = UINT64_MAX;
	for (unsigned int i = 0; i < t->num_frames; i++) {
		const struct zcdma_frame *f = &t->frames[i];

		t->from_ns = earlier(earlier(t->from_ns, f->trigger_ns), f->exposure_start_ns);
		if (f->done_ns > t->to_ns)
			t->to_ns = f->done_ns;
		if (f->exposure_start_ns > t->to_ns)
			t->to_ns = f->exposure_start_ns;
	}
	for (unsigned int i = 0; i < t->num_pulses; i++)
		if (t->pulses[i].off_ns > t->to_ns)
			t->to_ns = t->pulses[i].off_ns;
	if (t->to_ns <= t->from_ns)
		t->to_ns = t->from_ns + 1;
}

/* ---- The picture ---- */

enum row { TRIGGER, EXPOSURE, STROBE, TRANSFER, SOUND, NUM_ROWS };

static const struct {
	const char *name;
	const char *color;
} rows[NUM_ROWS] = {
	[TRIGGER] = { "trigger", "#c2410c" },
	[EXPOSURE] = { "exposure", "#1d4ed8" },
	[STROBE] = { "strobe", "#ca8a04" },
	[TRANSFER] = { "to memory", "#15803d" },
	[SOUND] = { "sound", "#7e22ce" },
};

static double x_of(const struct timeline *t, uint64_t ns)
{
	return LEFT + PLOT_WIDTH * ((double)(ns - t->from_ns) / (double)(t->to_ns - t->from_ns));
}

static int y_of(const int *lines, enum row row)
{
	return TOP + lines[row] * ROW_HEIGHT;
}

static void bar(FILE *out, const struct timeline *t, int y, enum row row, uint64_t from,
		uint64_t to, const char *what)
{
	double x = x_of(t, from), width = x_of(t, to) - x;

	fprintf(out, "<rect x=\"%.2f\" y=\"%d\" width=\"%.2f\" height=\"%d\" rx=\"2\" fill=\"%s\">"
		"<title>%s: %.3f ms to %.3f ms (%.3f ms)</title></rect>\n", x, y,
		width < 1 ? 1 : width, BAR_HEIGHT, rows[row].color, what,
		(double)(from - t->from_ns) / 1e6, (double)(to - t->from_ns) / 1e6,
		(double)(to - from) / 1e6);
}

/* 1, 2 or 5 times a power of ten, for 5 to 12 marks. */
static double tick_ms(double span_ms)
{
	static const double steps[] = { 2, 2.5, 2 };
	double step = 0.001;

	for (unsigned int i = 0; span_ms / step > 12; i++)
		step *= steps[i % 3];
	return step;
}

static void draw_axis(FILE *out, const struct timeline *t, int bottom)
{
	double span = (double)(t->to_ns - t->from_ns) / 1e6, step = tick_ms(span);

	for (unsigned int i = 0; i * step <= span; i++) {
		double x = LEFT + PLOT_WIDTH * (i * step / span);

		fprintf(out, "<line x1=\"%.2f\" y1=\"%d\" x2=\"%.2f\" y2=\"%d\" stroke=\"#e5e7eb\"/>"
			"<text x=\"%.2f\" y=\"%d\" text-anchor=\"middle\">%g ms</text>\n",
			x, TOP - 8, x, bottom, x, bottom + 18, i * step);
	}
}

static void draw_frame(FILE *out, const struct timeline *t, const int *lines,
		       const struct zcdma_frame *f, const struct zcdma_frame *before)
{
	uint64_t end = f->exposure_end_ns ? f->exposure_end_ns : f->exposure_start_ns;
	uint64_t lost = before ? f->sequence - before->sequence - 1 : 0;
	double x = x_of(t, f->exposure_start_ns);
	int y = y_of(lines, EXPOSURE);
	char what[64];

	if (f->flags & ZCDMA_FRAME_TRIGGER_TIME) {
		double at = x_of(t, f->trigger_ns);
		int top = y_of(lines, TRIGGER);

		fprintf(out, "<path d=\"M%.2f %d v%d m-4 -7 l4 7 l4 -7\" fill=\"none\" stroke=\"%s\" stroke-width=\"1.5\"/>\n",
			at, top, BAR_HEIGHT, rows[TRIGGER].color);
	}
	snprintf(what, sizeof(what), "frame %" PRIu64 "%s", (uint64_t)f->sequence,
		 f->flags & ZCDMA_FRAME_ERROR ? ", failed" : "");
	bar(out, t, y, EXPOSURE, f->exposure_start_ns, end, what);
	if (f->done_ns > end)
		bar(out, t, y_of(lines, TRANSFER), TRANSFER, end, f->done_ns, what);
	if (t->num_frames <= 40)
		fprintf(out, "<text x=\"%.2f\" y=\"%d\">%" PRIu64 "</text>\n", x, y - 4,
			(uint64_t)f->sequence);
	if (lost)
		fprintf(out, "<text x=\"%.2f\" y=\"%d\" text-anchor=\"end\" fill=\"#dc2626\">%" PRIu64 " lost</text>\n",
			x - 4, y + BAR_HEIGHT - 6, lost);
	if (f->flags & ZCDMA_FRAME_PCM_POSITION) {
		int sound = y_of(lines, SOUND);

		fprintf(out, "<line x1=\"%.2f\" y1=\"%d\" x2=\"%.2f\" y2=\"%d\" stroke=\"%s\" stroke-width=\"1.5\"/>",
			x, sound, x, sound + BAR_HEIGHT, rows[SOUND].color);
		if (t->num_frames <= 12)
			fprintf(out, "<text x=\"%.2f\" y=\"%d\">sample %" PRIu64 "</text>\n", x + 4,
				sound + BAR_HEIGHT - 6, (uint64_t)f->pcm_position);
	}
}

/* Which rows have anything to show, from the top down. Return: how many. */
static int place_rows(const struct timeline *t, int *lines)
{
	bool used[NUM_ROWS] = { [EXPOSURE] = true, [STROBE] = t->num_pulses };
	int num = 0;

	for (unsigned int i = 0; i < t->num_frames; i++) {
		const struct zcdma_frame *f = &t->frames[i];

		used[TRIGGER] |= !!(f->flags & ZCDMA_FRAME_TRIGGER_TIME);
		used[TRANSFER] |= f->done_ns != 0;
		used[SOUND] |= !!(f->flags & ZCDMA_FRAME_PCM_POSITION);
	}
	for (unsigned int row = 0; row < NUM_ROWS; row++)
		lines[row] = used[row] ? num++ : -1;
	return num;
}

static void draw(FILE *out, const struct timeline *t)
{
	int lines[NUM_ROWS], num = place_rows(t, lines), bottom = TOP + num * ROW_HEIGHT;
	const struct zcdma_frame *last = &t->frames[t->num_frames - 1];
	double span = (double)(last->exposure_start_ns - t->frames[0].exposure_start_ns);

	fprintf(out, "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" font-family=\"sans-serif\" font-size=\"12\">\n",
		LEFT + PLOT_WIDTH + RIGHT, bottom + 30);
	fprintf(out, "<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>\n");
	fprintf(out, "<text x=\"16\" y=\"28\" font-size=\"16\" font-weight=\"bold\">%s: %u frames",
		t->name ? t->name : "zcdma", t->num_frames);
	if (span > 0)
		fprintf(out, ", %.2f frames/s",
			(double)(last->sequence - t->frames[0].sequence) * 1e9 / span);
	fprintf(out, "</text>\n");
	draw_axis(out, t, bottom);
	for (unsigned int row = 0; row < NUM_ROWS; row++)
		if (lines[row] >= 0)
			fprintf(out, "<text x=\"16\" y=\"%d\" fill=\"%s\" font-weight=\"bold\">%s</text>\n",
				y_of(lines, row) + BAR_HEIGHT - 6, rows[row].color, rows[row].name);
	for (unsigned int i = 0; i < t->num_frames; i++)
		draw_frame(out, t, lines, &t->frames[i], i ? &t->frames[i - 1] : NULL);
	for (unsigned int i = 0; i < t->num_pulses; i++)
		bar(out, t, y_of(lines, STROBE), STROBE, t->pulses[i].on_ns, t->pulses[i].off_ns,
		    "strobe");
	fprintf(out, "</svg>\n");
}

static int save(const struct timeline *t, const char *path)
{
	FILE *out = fopen(path, "w");
	int failed;

	if (!out) {
		complain("cannot write %s: %s", path, strerror(errno));
		return EXIT_FAILED;
	}
	draw(out, t);
	failed = ferror(out);
	if (fclose(out) || failed) {
		complain("cannot write all of %s: is the disk full?", path);
		return EXIT_FAILED;
	}
	printf("%u frames, %u strobes, %.3f ms in %s\n", t->num_frames, t->num_pulses,
	       (double)(t->to_ns - t->from_ns) / 1e6, path);
	return 0;
}

int cmd_timeline(int argc, char **argv)
{
	static const struct option long_options[] = {
		CHANNEL_LONG_OPTIONS,
		{ "count", required_argument, NULL, 'n' },
		{ "output", required_argument, NULL, 'o' },
		{ NULL, 0, NULL, 0 }
	};
	static struct timeline t;
	struct channel_options options = { 0 };
	const char *path = "timeline.svg";
	struct zcdma_device *device = NULL;
	struct zcdma_stream *s;
	long long count = 10;
	int option, ret;

	while ((option = getopt_long(argc, argv, CHANNEL_OPTIONS "n:o:h", long_options,
				     NULL)) != -1) {
		switch (option) {
		case 'n':
			if (!parse_number("--count", optarg, 1, MAX_FRAMES, &count))
				return EXIT_USAGE;
			break;
		case 'o':
			path = optarg;
			break;
		default:
			ret = channel_option(&options, option, optarg);
			if (ret)
				return ret;
		}
	}
	if (argc - optind > 1)
		return usage("one channel at a time");
	options.name = argv[optind];
	t.name = options.name;
	ret = open_channel(&options, &s);
	if (ret)
		return ret;
	/* For the strobe; a node that is not of zcdma has none. */
	zcdma_get_device(s, &device);
	catch_interrupt();
	if (zcdma_get_direction(s) == ZCDMA_CAPTURE) {
		ret = watch(&t, s, device, (unsigned int)count);
	} else {
		complain("%s plays: a timeline is of what captures", options.name);
		ret = EXIT_FAILED;
	}
	zcdma_close(s);
	if (ret)
		return ret;
	find_span(&t);
	return save(&t, path);
}
