// SPDX-License-Identifier: GPL-2.0-only
/*
 * zcdma(1) - look at, use and check zero-copy DMA devices
 */
#include <errno.h>
#include <getopt.h>
#include <linux/videodev2.h>
#include <poll.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tool.h"

static const struct command {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *summary;
	const char *help;
} commands[] = {
#define CHANNEL_HELP \
	"  -s, --size WxH      pixels and lines\n" \
	"  -f, --format FORMAT pixel format, such as YUYV, NV12, RGB3, XR24, GREY; sample format:\n" \
	"                      S16_LE, S24_LE, S32_LE, FLOAT_LE\n" \
	"  -r, --rate N        frames per second; of sound, too\n" \
	"  -c, --channels N    channels of sound\n" \
	"      --bytes N       bytes of one transfer, for channels that are not video\n" \
	"  -b, --buffers N     number of buffers (default 4)\n" \
	"      --coherent      coherent buffers instead of cached ones\n"
	{ "info", cmd_info, "devices, channels, formats, memory and owners",
	  "usage: zcdma info [--json] [DEVICE]\n\n"
	  "  --json  for programs\n" },
	{ "capture", cmd_capture, "save frames of a channel or V4L2 node",
	  "usage: zcdma capture [OPTIONS] [CHANNEL]\n\n"
	  "CHANNEL is DEVICE/CHANNEL (virt0/cam0), a device, for its first free channel, or the path\n"
	  "of a V4L2 node. Without one it is the first free channel there is.\n\n"
	  "  -o, --output FILE   what to save to: FILE.png for one picture, a name with %d (frame-%03d.png)\n"
	  "                      for a file for each frame, any other for all frames one after the other,\n"
	  "                      - for standard output. Without it, frames are only counted\n"
	  "  -n, --count N       frames (default 1; 100 without --output)\n"
	  "      --skip N        leave out the first N frames\n"
	  CHANNEL_HELP
	  "      --pattern N     test pattern, where the channel has one\n"
	  "      --stamps        have the engine stamp each frame, and check the stamps\n"
	  "  -q, --quiet         no progress\n" },
	{ "play", cmd_play, "play a file to a channel",
	  "usage: zcdma play [OPTIONS] CHANNEL [FILE]\n\n"
	  "Plays FILE, or standard input, to a playback channel (virt0/raw-out). A video channel gets\n"
	  "whole frames, others multiples of a frame of sound and of their alignment (zcdma info --json);\n"
	  "what is left at the end of the file is not played. Sound is raw samples: for WAV files there is\n"
	  "aplay -D zcdma.\n\n"
	  CHANNEL_HELP
	  "  -q, --quiet         no progress\n" },
	{ "strobe", cmd_strobe, "the lamp: show its settings, change them, pulse it",
	  "usage: zcdma strobe [OPTIONS] [DEVICE]\n\n"
	  "Without options it shows the settings, which hold until they are changed, and what the line\n"
	  "has done. TIME is a number and ns, us, ms or s: 500us.\n\n"
	  "  -m, --mode MODE     off; exposure: as long as a frame is exposed; fixed: for the duration\n"
	  "  -d, --delay TIME    from the start of the exposure, up to 1s\n"
	  "  -t, --duration TIME in mode fixed, from 1us to the device's limit\n"
	  "  -i, --inverted WORD yes: active and inactive change places; no\n"
	  "  -p, --pulse TIME    a test pulse, now; 0s ends it\n" },
	{ "trigger", cmd_trigger, "what starts a frame: show, change, fire, watch",
	  "usage: zcdma trigger [OPTIONS] [DEVICE]\n\n"
	  "Without options it shows the settings, which hold until they are changed, and what came in.\n"
	  "TIME is a number and ns, us, ms or s: 500us.\n\n"
	  "  -m, --mode MODE     off: frames follow each other; on: each one waits for its trigger\n"
	  "  -s, --source SOURCE software, line or timer\n"
	  "  -a, --activation EDGE\n"
	  "                      of the line: rising, falling or both\n"
	  "  -v, --divider N     every Nth trigger starts a frame\n"
	  "  -d, --delay TIME    from the trigger to the exposure, up to 1s\n"
	  "  -t, --period TIME   of the timer, 1ms to 100s\n"
	  "  -f, --fire          a software trigger, now\n"
	  "  -w, --watch         print triggers as they come, until Ctrl-C\n"
	  "  -n, --count N       print N lines, and end\n" },
	{ "monitor", cmd_monitor, "frame rate, losses and latency, once a second",
	  "usage: zcdma monitor [OPTIONS] [CHANNEL]\n\n"
	  "Takes the channel while it runs. Latency is from the end of the DMA to this program.\n\n"
	  "  -n, --count N       seconds (default: until Ctrl-C)\n"
	  CHANNEL_HELP },
	{ "timeline", cmd_timeline, "frames, trigger, strobe and sound on one time axis, as SVG",
	  "usage: zcdma timeline [OPTIONS] [CHANNEL]\n\n"
	  "  -o, --output FILE   the picture (default timeline.svg)\n"
	  "  -n, --count N       frames, up to 200 (default 10)\n"
	  CHANNEL_HELP },
	{ "doctor", cmd_doctor, "check this machine, and say what to do",
	  "usage: zcdma doctor\n\n"
	  "Exits with 1 if something must be done before frames can flow.\n" },
	{ "flow", cmd_flow, "how one buffer came to be, from device tree to page table",
	  "usage: zcdma flow [--coherent] [--size BYTES] [DEVICE]\n\n"
	  "Allocates a buffer, maps it, touches it, and shows each step. Most of it is for root only.\n" },
};

static const struct command *current;

void complain(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fprintf(stderr, "zcdma%s%s: ", current ? " " : "", current ? current->name : "");
	vfprintf(stderr, format, args);
	fprintf(stderr, "\n");
	va_end(args);
}

int usage(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fprintf(stderr, "zcdma%s%s: ", current ? " " : "", current ? current->name : "");
	vfprintf(stderr, format, args);
	fprintf(stderr, "; see zcdma%s%s --help\n", current ? " " : "",
		current ? current->name : "");
	va_end(args);
	return EXIT_USAGE;
}

int print_help(void)
{
	printf("zcdma %s: %s\n\n%s", current->name, current->summary, current->help);
	return 0;
}

int complain_channel(const char *what, const char *name, int error)
{
	const char *remedy = ": the kernel log may say why (dmesg | grep zcdma)";

	if (!name)
		name = "the first free channel";
	switch (-error) {
	case ENODEV:
		remedy = ": there is no such device, or it has gone; `zcdma info` lists them, `zcdma doctor` says what is missing";
		break;
	case ENOENT:
		remedy = ": the device has no channel of that name or direction; `zcdma info` lists them";
		break;
	case EBUSY:
		remedy = ": somebody else has it; `zcdma info` says who";
		break;
	case EACCES:
		remedy = ": only root may, and the group of its node, as a rule video; `zcdma doctor` says what to do";
		break;
	case ENOMEM:
		remedy = ": no memory for the buffers; use fewer or smaller ones, or see the kernel log";
		break;
	case EINVAL:
		remedy = ": the channel cannot do that; compare format and size with its limits in `zcdma info`";
		break;
	case ENOTSUP:
		remedy = ": this node cannot stream";
		break;
	case ETIMEDOUT:
		remedy = ": is the source connected, or waiting for a trigger?";
		break;
	}
	complain("cannot %s %s: %s%s", what, name, strerror(-error), remedy);
	return EXIT_FAILED;
}

bool parse_number(const char *option, const char *text, long long min, long long max,
		  long long *value)
{
	char *end;

	errno = 0;
	*value = strtoll(text, &end, 0);
	if (errno || end == text || *end || *value < min || *value > max) {
		usage("%s is \"%s\": must be a number from %lld to %lld", option, text, min, max);
		return false;
	}
	return true;
}

int channel_option(struct channel_options *options, int option, const char *argument)
{
	struct zcdma_config *config = &options->config;
	long long value;
	char rest;

	switch (option) {
	case 'h':
		exit(print_help());
	case 'b':
		if (!parse_number("--buffers", argument, 1, ZCDMA_STREAM_MAX_BUFFERS, &value))
			return EXIT_USAGE;
		config->num_buffers = (uint32_t)value;
		return 0;
	case 'c':
		if (!parse_number("--channels", argument, 1, 1024, &value))
			return EXIT_USAGE;
		config->channels = (uint32_t)value;
		return 0;
	case 'f':
		for (unsigned int bit = 0; sample_format_name(bit); bit++) {
			if (!strcmp(argument, sample_format_name(bit))) {
				config->sample_format = 1u << bit;
				return 0;
			}
		}
		if (strlen(argument) < 3 || strlen(argument) > 4)
			return usage("--format is \"%s\": must be a code of four letters, or a sample format",
				     argument);
		config->fourcc = v4l2_fourcc(argument[0], argument[1], argument[2],
					     argument[3] ? argument[3] : ' ');
		return 0;
	case 'r':
		if (!parse_number("--rate", argument, 1, 1000000, &value))
			return EXIT_USAGE;
		config->interval_ns = 1000000000ULL / (uint64_t)value;
		config->rate = (uint32_t)value;
		return 0;
	case 's':
		if (sscanf(argument, "%ux%u%c", &config->width, &config->height, &rest) != 2)
			return usage("--size is \"%s\": must be like 640x480", argument);
		return 0;
	case 256:
		if (!parse_number("--bytes", argument, 1, ZCDMA_BUFFER_SIZE_MAX, &value))
			return EXIT_USAGE;
		config->buffer_size = (uint64_t)value;
		return 0;
	case 257:
		config->flags |= ZCDMA_CONFIG_COHERENT;
		return 0;
	default:
		/* getopt_long() has said what was wrong. */
		return EXIT_USAGE;
	}
}

int open_channel(const struct channel_options *options, struct zcdma_stream **stream)
{
	const struct zcdma_config *config = &options->config;
	struct zcdma_video_config video;
	struct zcdma_pcm_config pcm;
	int ret;

	ret = zcdma_open(stream, options->name, config);
	if (ret)
		return complain_channel("open", options->name, ret);
	if (zcdma_get_pcm(*stream, &pcm) ? config->sample_format || config->channels : config->fourcc) {
		zcdma_close(*stream);
		return usage("the channel has no format like that: compare with `zcdma info`");
	}
	/* Asked for and got are two things. */
	if (!zcdma_get_video(*stream, &video) &&
	    ((config->width && video.width != config->width) ||
	     (config->height && video.height != config->height) ||
	     (config->fourcc && video.fourcc != config->fourcc)))
		complain("the nearest the channel has is %ux%u %s", video.width, video.height,
			 fourcc_name(video.fourcc));
	return 0;
}

uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

const char *kind_name(uint32_t kind)
{
	static const char * const names[] = { "video", "pcm", "raw" };

	return kind < sizeof(names) / sizeof(names[0]) ? names[kind] : "unknown";
}

const char *sample_format_name(unsigned int bit)
{
	static const char * const names[] = { "S16_LE", "S24_LE", "S32_LE", "FLOAT_LE" };

	return bit < sizeof(names) / sizeof(names[0]) ? names[bit] : NULL;
}

const char *owner_name(uint32_t owner)
{
	static const char * const names[] = { "none", "video", "pcm", "stream" };

	return owner < sizeof(names) / sizeof(names[0]) ? names[owner] : "unknown";
}

const char *fourcc_name(uint32_t fourcc)
{
	static char name[5];

	for (unsigned int i = 0; i < 4; i++)
		name[i] = (char)(fourcc >> 8 * i & 0x7f);
	return name;
}

const char *size_name(uint64_t bytes)
{
	static const char * const units[] = { "bytes", "KiB", "MiB", "GiB" };
	static char names[4][32];
	static unsigned int next;
	char *name = names[next++ % 4];
	double value = (double)bytes;
	unsigned int unit = 0;

	while (value >= 1024 && unit < 3) {
		value /= 1024;
		unit++;
	}
	snprintf(name, sizeof(names[0]), unit && value < 100 ? "%.1f %s" : "%.0f %s", value,
		 units[unit]);
	return name;
}

volatile sig_atomic_t interrupted;

static void interrupt(int signal)
{
	interrupted = 1;
}

void catch_interrupt(void)
{
	struct sigaction action = { .sa_handler = interrupt };

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
}

bool wait_readable(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	sigset_t ends, before;
	bool readable = false;

	/* Between the look at it and the wait, a signal would be forgotten. */
	sigemptyset(&ends);
	sigaddset(&ends, SIGINT);
	sigaddset(&ends, SIGTERM);
	sigprocmask(SIG_BLOCK, &ends, &before);
	while (!interrupted && !readable)
		readable = ppoll(&p, 1, NULL, &before) > 0;
	sigprocmask(SIG_SETMASK, &before, NULL);
	return readable;
}

static int help(FILE *out)
{
	fprintf(out, "zcdma: look at, use and check zero-copy DMA devices\n\nusage: zcdma SUBCOMMAND ...\n\n");
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		fprintf(out, "  %-8s %s\n", commands[i].name, commands[i].summary);
	fprintf(out, "\nzcdma SUBCOMMAND --help tells more.\n");
	return out == stdout ? 0 : EXIT_USAGE;
}

int main(int argc, char **argv)
{
	if (argc < 2)
		return help(stderr);
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help"))
		return help(stdout);
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (strcmp(argv[1], commands[i].name))
			continue;
		current = &commands[i];
		/* As getopt_long() names itself in messages. */
		argv[1] = argv[0];
		return current->run(argc - 1, argv + 1);
	}
	return usage("there is no subcommand %s", argv[1]);
}
