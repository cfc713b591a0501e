// SPDX-License-Identifier: GPL-2.0-only
/*
 * info.c - zcdma info: devices, channels, formats, memory and owners
 */
#include <errno.h>
#include <getopt.h>
#include <string.h>

#include "tool.h"

/* All that there can be. */
#define MAX_DEVICES	64

static void pcm_json(struct zcdma_device *device, const struct zcdma_channel_info *c)
{
	const char *before = "";
	struct zcdma_pcm_info p;

	if (zcdma_device_get_pcm(device, c->index, &p))
		return;
	printf(", \"sample_formats\": [");
	for (unsigned int bit = 0; sample_format_name(bit); bit++) {
		if (!(p.formats & 1u << bit))
			continue;
		printf("%s\"%s\"", before, sample_format_name(bit));
		before = ", ";
	}
	printf("], \"rate\": [%u, %u], \"channels\": [%u, %u], \"pause\": %s", p.min_rate, p.max_rate,
	       p.min_channels, p.max_channels, p.flags & ZCDMA_PCM_PAUSE ? "true" : "false");
}

static void pcm_text(struct zcdma_device *device, const struct zcdma_channel_info *c)
{
	struct zcdma_pcm_info p;

	if (zcdma_device_get_pcm(device, c->index, &p))
		return;
	printf("\n               %u to %u Hz, %u to %u channels:", p.min_rate, p.max_rate, p.min_channels,
	       p.max_channels);
	for (unsigned int bit = 0; sample_format_name(bit); bit++)
		if (p.formats & 1u << bit)
			printf(" %s", sample_format_name(bit));
	if (c->alignment > 1)
		printf("\n               in steps of %u bytes", c->alignment);
}

/* Names are [A-Za-z0-9._-]: nothing in them needs quoting. */
static void channel_json(struct zcdma_device *device, const struct zcdma_channel_info *c)
{
	struct zcdma_format_desc f;

	printf("%s\n      {\"name\": \"%s\", \"kind\": \"%s\", \"direction\": \"%s\", \"owner\": \"%s\", "
	       "\"alignment\": %u, \"max_segments\": %u, \"max_transfer\": %llu",
	       c->index ? "," : "", c->name, kind_name(c->kind),
	       c->direction == ZCDMA_CAPTURE ? "capture" : "playback", owner_name(c->owner),
	       c->alignment, c->max_segments, (unsigned long long)c->max_transfer);
	if (c->kind == ZCDMA_KIND_VIDEO) {
		printf(", \"formats\": [");
		for (unsigned int i = 0; !zcdma_device_get_format(device, c->index, i, &f); i++)
			printf("%s\"%s\"", i ? ", " : "", fourcc_name(f.fourcc));
		zcdma_device_get_format(device, c->index, 0, &f);
		printf("], \"width\": [%u, %u, %u], \"height\": [%u, %u, %u], \"interval_ns\": [%llu, %llu]",
		       f.min_width, f.max_width, f.step_width, f.min_height, f.max_height,
		       f.step_height, (unsigned long long)f.min_interval_ns,
		       (unsigned long long)f.max_interval_ns);
	} else if (c->kind == ZCDMA_KIND_PCM) {
		pcm_json(device, c);
	}
	printf("}");
}

static void channel_text(struct zcdma_device *device, const struct zcdma_channel_info *c)
{
	struct zcdma_format_desc f;

	printf("  %-12s %-5s %-8s  ", c->name, kind_name(c->kind),
	       c->direction == ZCDMA_CAPTURE ? "capture" : "playback");
	printf(c->owner == ZCDMA_OWNER_NONE ? "free" : "taken (%s)", owner_name(c->owner));
	if (c->kind == ZCDMA_KIND_VIDEO && !zcdma_device_get_format(device, c->index, 0, &f)) {
		printf("\n               %ux%u to %ux%u, up to %llu frames/s:", f.min_width,
		       f.min_height, f.max_width, f.max_height,
		       1000000000ULL / (f.min_interval_ns ? f.min_interval_ns : 1));
		for (unsigned int i = 0; !zcdma_device_get_format(device, c->index, i, &f); i++)
			printf(" %s", fourcc_name(f.fourcc));
	} else if (c->kind == ZCDMA_KIND_PCM) {
		pcm_text(device, c);
	} else {
		printf("\n               up to %s, in steps of %u", size_name(c->max_transfer),
		       c->alignment);
	}
	printf("\n");
}

/* What can start and light an exposure. */
static void features_json(uint64_t features)
{
	printf("\"strobe\": %s, \"trigger\": [%s%s], ", features & ZCDMA_FEATURE_STROBE ? "true" : "false",
	       features & ZCDMA_FEATURE_TRIGGER ? "\"software\", \"timer\"" : "",
	       features & ZCDMA_FEATURE_TRIGGER_LINE ? ", \"line\"" : "");
}

static void features_text(uint64_t features)
{
	if (features & ZCDMA_FEATURE_STROBE)
		printf("  strobe       a line\n");
	if (features & ZCDMA_FEATURE_TRIGGER)
		printf("  trigger      software, timer%s\n",
		       features & ZCDMA_FEATURE_TRIGGER_LINE ? ", line" : "");
}

static int show(struct zcdma_device *device, bool json, unsigned int already)
{
	struct zcdma_channel_info channel;
	struct zcdma_device_info info;
	int ret = zcdma_device_get_info(device, &info);

	if (ret)
		return ret;
	if (json) {
		printf("%s\n  {\"name\": \"%s\", \"node\": \"/dev/zcdma%u\", \"driver\": \"%s\", \"abi_version\": %u, "
		       "\"pool_size\": %llu, \"pool_used\": %llu, ", already ? "," : "",
		       info.name, zcdma_device_number(device), info.driver, info.abi_version,
		       (unsigned long long)info.pool_size, (unsigned long long)info.pool_used);
		features_json(info.features);
		printf("\"channels\": [");
	} else {
		printf("%s%s  /dev/zcdma%u  %s\n", already ? "\n" : "", info.name,
		       zcdma_device_number(device), info.driver);
		if (info.pool_size)
			printf("  memory       %s of its own, %s in use\n", size_name(info.pool_size),
			       size_name(info.pool_used));
		else
			printf("  memory       the system's, %s in use\n", size_name(info.pool_used));
		features_text(info.features);
	}
	for (unsigned int i = 0; !zcdma_device_get_channel(device, i, &channel); i++)
		(json ? channel_json : channel_text)(device, &channel);
	if (json)
		printf("\n    ]}");
	return 0;
}

int cmd_info(int argc, char **argv)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 }
	};
	unsigned int shown = 0;
	bool json = false;
	int c, status = 0;

	while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (c == 'h')
			return print_help();
		if (c != 'j')
			return EXIT_USAGE;
		json = true;
	}
	if (argc - optind > 1)
		return usage("one device at a time");

	if (json)
		printf("[");
	for (unsigned int n = 0; n < MAX_DEVICES; n++) {
		struct zcdma_device *device;
		char path[32];
		int ret;

		snprintf(path, sizeof(path), "/dev/zcdma%u", n);
		ret = zcdma_device_open(&device, optind < argc ? argv[optind] : path);
		if (ret == -ENODEV && optind == argc)
			continue;
		if (ret) {
			status = complain_channel("open", optind < argc ? argv[optind] : path, ret);
		} else {
			ret = show(device, json, shown);
			zcdma_device_close(device);
			if (ret && ret != -ENODEV)
				status = complain_channel("ask", path, ret);
			shown += !ret;
		}
		if (optind < argc)
			break;
	}
	if (json)
		printf("%s]\n", shown ? "\n" : "");
	else if (!shown && !status)
		complain("there are no devices; `zcdma doctor` says what is missing");
	return status ? status : shown || json ? 0 : EXIT_FAILED;
}
