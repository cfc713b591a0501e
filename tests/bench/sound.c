// SPDX-License-Identifier: GPL-2.0-only
/*
 * sound - what a period of sound costs the program that plays it
 *
 * usage: sound DIR
 *
 * Runs in a guest under QEMU's icount, beside bench, and counts what that does: user and kernel
 * instructions and system calls of the task, from one period's room in the ring to the next's, the
 * samples' way into the ring and the wait included; "with room", without the wait. Prints a table, and
 * writes DIR/sound.json.
 *
 * The same 48 kHz stereo in 16 bits to: our card by mmap and by write; the ALSA plugin on the native
 * stream by both; and snd-aloop, which moves samples by the CPU, by both. The latter's clock is the
 * kernel's tick, which may be too coarse for the shortest periods.
 */
#define _GNU_SOURCE
#include <alsa/asoundlib.h>
#include <inttypes.h>
#include <stdbool.h>

#include "count.h"

#define ARRAY_SIZE(x)	(sizeof(x) / sizeof((x)[0]))
#define RATE		48000
#define FRAME_BYTES	4
#define PERIODS		4

struct way {
	const char *name;
	const char *pcm;
	bool mmap;
	bool room;
};

static const struct way ways[] = {
	{ "hw: mmap", "hw:virt0", true, false },
	{ "hw: writei", "hw:virt0", false, false },
	{ "hw: writei, with room", "hw:virt0", false, true },
	{ "plugin mmap", "rawzcdma:virt0,spk0", true, false },
	{ "plugin writei", "rawzcdma:virt0,spk0", false, false },
	{ "plugin writei, with room", "rawzcdma:virt0,spk0", false, true },
	{ "snd-aloop mmap", "hw:Loopback,0", true, false },
	{ "snd-aloop writei", "hw:Loopback,0", false, false },
};

static const unsigned int milliseconds[] = { 1, 5, 20 };

static uint8_t samples[RATE / 10 * FRAME_BYTES];
static FILE *json;

static void must(long ret, const char *what)
{
	if (ret < 0)
		errx(1, "%s: %s", what, snd_strerror((int)ret));
}

static snd_pcm_t *open_pcm(const struct way *way, snd_pcm_uframes_t period)
{
	snd_pcm_hw_params_t *hw;
	snd_pcm_sw_params_t *sw;
	snd_pcm_t *pcm;

	snd_pcm_hw_params_alloca(&hw);
	snd_pcm_sw_params_alloca(&sw);
	must(snd_pcm_open(&pcm, way->pcm, SND_PCM_STREAM_PLAYBACK, 0), way->pcm);
	must(snd_pcm_hw_params_any(pcm, hw), "any");
	must(snd_pcm_hw_params_set_access(pcm, hw, way->mmap ? SND_PCM_ACCESS_MMAP_INTERLEAVED :
					  SND_PCM_ACCESS_RW_INTERLEAVED), "access");
	must(snd_pcm_hw_params_set_format(pcm, hw, SND_PCM_FORMAT_S16_LE), "format");
	must(snd_pcm_hw_params_set_channels(pcm, hw, 2), "channels");
	must(snd_pcm_hw_params_set_rate(pcm, hw, RATE, 0), "rate");
	must(snd_pcm_hw_params_set_period_size(pcm, hw, period, 0), "period");
	must(snd_pcm_hw_params_set_periods(pcm, hw, PERIODS, 0), "periods");
	must(snd_pcm_hw_params(pcm, hw), "hw_params");
	must(snd_pcm_sw_params_current(pcm, sw), "current");
	must(snd_pcm_sw_params_set_avail_min(pcm, sw, period), "avail_min");
	must(snd_pcm_sw_params_set_start_threshold(pcm, sw, period * PERIODS), "start_threshold");
	must(snd_pcm_sw_params(pcm, sw), "sw_params");
	return pcm;
}

/* Wait for room, and put a period there. 0 or an error. */
static long play_mmap(snd_pcm_t *pcm, snd_pcm_uframes_t period)
{
	snd_pcm_uframes_t left = period;
	long ret;

	while ((ret = snd_pcm_avail_update(pcm)) < (long)period) {
		if (ret >= 0)
			ret = snd_pcm_wait(pcm, 1000);
		if (ret < 0)
			return ret;
	}
	while (left) {
		const snd_pcm_channel_area_t *areas;
		snd_pcm_uframes_t offset, part = left;

		ret = snd_pcm_mmap_begin(pcm, &areas, &offset, &part);
		if (ret < 0)
			return ret;
		memcpy((uint8_t *)areas[0].addr + offset * FRAME_BYTES, samples, part * FRAME_BYTES);
		ret = snd_pcm_mmap_commit(pcm, offset, part);
		if (ret < 0)
			return ret;
		left -= part;
	}
	return 0;
}

static long play(snd_pcm_t *pcm, const struct way *way, snd_pcm_uframes_t period)
{
	return way->mmap ? play_mmap(pcm, period) : snd_pcm_writei(pcm, samples, period);
}

/* What the counter that is open says of a period; -errno. */
static int64_t count_period(const struct way *way, unsigned int ms)
{
	uint64_t values[ROUNDS];
	snd_pcm_uframes_t period = RATE / 1000 * ms;
	snd_pcm_t *pcm = open_pcm(way, period);
	unsigned int filled = way->room ? PERIODS - 1 : PERIODS;
	struct timespec next;
	long ret = 0;

	for (unsigned int i = 0; i < filled; i++)
		must(play(pcm, way, period), way->name);
	if (snd_pcm_state(pcm) != SND_PCM_STATE_RUNNING)
		must(snd_pcm_start(pcm), "start");
	clock_gettime(CLOCK_MONOTONIC, &next);
	for (int r = -5; r < ROUNDS && ret >= 0; r++) {
		uint64_t value;

		/* One period has room; in the middle of each of the next ones there is more. */
		next.tv_nsec += ms * (r == -5 ? 500000 : 1000000);
		if (next.tv_nsec >= 1000000000) {
			next.tv_nsec -= 1000000000;
			next.tv_sec++;
		}
		if (way->room)
			clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL);
		count_start();
		ret = play(pcm, way, period);
		value = count_stop();
		if (r >= 0)
			values[r] = value;
	}
	snd_pcm_close(pcm);
	return ret < 0 ? ret : (int64_t)median(values, ROUNDS);
}

static void measure(const struct way *way, unsigned int ms)
{
	int64_t result[COUNTERS];

	for (int i = 0; i < COUNTERS; i++) {
		count_open(i);
		result[i] = count_period(way, ms);
		if (result[i] < 0) {
			printf("%-28s %7u ms %s\n", way->name, ms, snd_strerror((int)result[i]));
			return;
		}
	}
	printf("%-28s %7u ms %8" PRId64 " %10" PRId64 " %8" PRId64 "\n", way->name, ms, result[USER],
	       result[KERNEL], result[CALLS]);
	fflush(stdout);
	fprintf(json, "%s\n  {\"way\": \"%s\", \"period_ms\": %u, \"user_instructions\": %" PRId64
		", \"kernel_instructions\": %" PRId64 ", \"system_calls\": %" PRId64 "}",
		ftell(json) > 1 ? "," : "", way->name, ms, result[USER], result[KERNEL], result[CALLS]);
}

int main(int argc, char **argv)
{
	char path[4096];

	if (argc != 2)
		errx(2, "usage: sound DIR");
	snprintf(path, sizeof(path), "%s/sound.json", argv[1]);
	json = fopen(path, "w");
	if (!json)
		err(1, "%s", path);
	if (system("modprobe snd-aloop && udevadm settle"))
		errx(1, "snd-aloop cannot be loaded");
	fprintf(json, "[");
	printf("%-28s %10s %8s %10s %8s\n", "a period of sound", "period", "user", "kernel", "calls");
	for (size_t w = 0; w < ARRAY_SIZE(ways); w++)
		for (size_t i = 0; i < ARRAY_SIZE(milliseconds); i++)
			measure(&ways[w], milliseconds[i]);
	fprintf(json, "\n]\n");
	return fclose(json) ? 1 : 0;
}
