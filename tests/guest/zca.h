/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * zca.h - a sound card and its PCM as the kernel has it, without alsa-lib, for tests that want to be in
 * the driver and nowhere else
 */
#ifndef ZCA_H
#define ZCA_H

#include <limits.h>
#include <sound/asound.h>

#include "zct.h"

/* The node of a card; @kind: 'p' plays, 'c' captures, 'C' has the controls. false: there is none. */
static inline bool zca_path(const char *card, char kind, char path[64])
{
	char link[64] = "";

	snprintf(path, 64, "/proc/asound/%.40s", card);
	/* To "cardN": it gets another number when it is bound again. */
	if (readlink(path, link, sizeof(link) - 1) < 0)
		return false;
	if (kind == 'C')
		snprintf(path, 64, "/dev/snd/controlC%.20s", link + strlen("card"));
	else
		snprintf(path, 64, "/dev/snd/pcmC%.20sD0%c", link + strlen("card"), kind);
	return true;
}

static inline struct snd_interval *zca_interval(struct snd_pcm_hw_params *hw, int param)
{
	return &hw->intervals[param - SNDRV_PCM_HW_PARAM_FIRST_INTERVAL];
}

static inline void zca_set_interval(struct snd_pcm_hw_params *hw, int param, unsigned int value)
{
	*zca_interval(hw, param) = (struct snd_interval) { .min = value, .max = value, .integer = 1 };
}

/*
 * 16 bits, two channels, 48000 Hz: four bytes to a frame. @access: SNDRV_PCM_ACCESS_*; @period: in
 * frames. 0 or -errno.
 */
static inline int zca_hw_params(int pcm, int access, unsigned int period, unsigned int periods)
{
	struct snd_pcm_hw_params hw = { .rmask = ~0U };

	memset(hw.masks, 0xff, sizeof(hw.masks));
	for (int i = SNDRV_PCM_HW_PARAM_FIRST_INTERVAL; i <= SNDRV_PCM_HW_PARAM_LAST_INTERVAL; i++)
		zca_interval(&hw, i)->max = ~0U;
	memset(&hw.masks[SNDRV_PCM_HW_PARAM_ACCESS], 0, sizeof(hw.masks[0]));
	hw.masks[SNDRV_PCM_HW_PARAM_ACCESS].bits[0] = 1 << access;
	memset(&hw.masks[SNDRV_PCM_HW_PARAM_FORMAT], 0, sizeof(hw.masks[0]));
	hw.masks[SNDRV_PCM_HW_PARAM_FORMAT].bits[0] = 1 << SNDRV_PCM_FORMAT_S16_LE;
	zca_set_interval(&hw, SNDRV_PCM_HW_PARAM_CHANNELS, 2);
	zca_set_interval(&hw, SNDRV_PCM_HW_PARAM_RATE, 48000);
	zca_set_interval(&hw, SNDRV_PCM_HW_PARAM_PERIOD_SIZE, period);
	zca_set_interval(&hw, SNDRV_PCM_HW_PARAM_PERIODS, periods);
	return zct_ioctl(pcm, SNDRV_PCM_IOCTL_HW_PARAMS, &hw);
}

/* Let it go round whether or not anybody reads or writes: no xrun. 0 or -errno. */
static inline int zca_run_free(int pcm)
{
	struct snd_pcm_sw_params sw = {
		.avail_min = 1, .start_threshold = LONG_MAX, .stop_threshold = LONG_MAX,
	};
	int ret = zct_ioctl(pcm, SNDRV_PCM_IOCTL_SW_PARAMS, &sw);

	return ret ?: zct_ioctl(pcm, SNDRV_PCM_IOCTL_START, NULL);
}

#endif /* ZCA_H */
