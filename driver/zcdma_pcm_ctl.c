// SPDX-License-Identifier: GPL-2.0-only
/*
 * zcdma_pcm_ctl.c - the knobs of PCM channels as controls of the card
 *
 * The values are the core's: streams set them, too, and they outlive the card.
 *
 * Named as alsa-utils and sound servers expect it, so that they sort them into the right places:
 * "Master Playback Volume", "Capture Switch" and so on. What is there only to test with belongs to
 * the PCM and not to the mixer.
 */
#include <linux/module.h>
#include <linux/slab.h>
#include <sound/tlv.h>

#include "zcdma_pcm.h"

/* A drift is set in ppm, and no crystal has more than some hundred. */
#define DRIFT_UNIT_PPB		1000
#define MAX_DRIFT_PPM		1000

/* ---- Integers and switches ---- */

/* ALSA counts a volume in steps from 0 on. */
static s64 to_alsa(const struct zpcm_ctl *ctl, s64 value)
{
	switch (ctl->desc->id) {
	case ZCDMA_CTRL_VOLUME:
		return div_s64(value - ctl->desc->min, ctl->desc->step);
	case ZCDMA_CTRL_DRIFT:
		return clamp_t(s64, div_s64(value, DRIFT_UNIT_PPB), -MAX_DRIFT_PPM, MAX_DRIFT_PPM);
	case ZCDMA_CTRL_MUTE:
		return !value;
	default:
		return value;
	}
}

static s64 from_alsa(const struct zpcm_ctl *ctl, s64 value)
{
	switch (ctl->desc->id) {
	case ZCDMA_CTRL_VOLUME:
		return ctl->desc->min + value * ctl->desc->step;
	case ZCDMA_CTRL_DRIFT:
		return value * DRIFT_UNIT_PPB;
	case ZCDMA_CTRL_MUTE:
		return !value;
	default:
		return value;
	}
}

static bool is_switch(const struct zpcm_ctl *ctl)
{
	return ctl->desc->id == ZCDMA_CTRL_MUTE || ctl->desc->id == ZCDMA_CTRL_LOOPBACK;
}

static long alsa_min(const struct zpcm_ctl *ctl)
{
	return is_switch(ctl) ? 0 : to_alsa(ctl, ctl->desc->min);
}

static long alsa_max(const struct zpcm_ctl *ctl)
{
	return is_switch(ctl) ? 1 : to_alsa(ctl, ctl->desc->max);
}

static int zpcm_ctl_info(struct snd_kcontrol *kctl, struct snd_ctl_elem_info *info)
{
	const struct zpcm_ctl *ctl = snd_kcontrol_chip(kctl);
	unsigned int num = 0;

	if (ctl->desc->menu) {
		while (ctl->desc->menu[num])
			num++;
		return snd_ctl_enum_info(info, 1, num, ctl->desc->menu);
	}
	info->type = is_switch(ctl) ? SNDRV_CTL_ELEM_TYPE_BOOLEAN : SNDRV_CTL_ELEM_TYPE_INTEGER;
	info->count = 1;
	info->value.integer.min = alsa_min(ctl);
	info->value.integer.max = alsa_max(ctl);
	return 0;
}

static int zpcm_ctl_get(struct snd_kcontrol *kctl, struct snd_ctl_elem_value *value)
{
	const struct zpcm_ctl *ctl = snd_kcontrol_chip(kctl);
	s64 is = zcdma_chan_get_ctrl(ctl->zs->chan, ctl->desc->id);

	if (ctl->desc->menu)
		value->value.enumerated.item[0] = is;
	else
		value->value.integer.value[0] = to_alsa(ctl, is);
	return 0;
}

static int zpcm_ctl_put(struct snd_kcontrol *kctl, struct snd_ctl_elem_value *value)
{
	const struct zpcm_ctl *ctl = snd_kcontrol_chip(kctl);
	long at = value->value.integer.value[0];
	s64 old, new;
	int ret;

	if (!ctl->desc->menu && (at < alsa_min(ctl) || at > alsa_max(ctl)))
		return -EINVAL;
	new = ctl->desc->menu ? value->value.enumerated.item[0] : from_alsa(ctl, at);
	if (new < ctl->desc->min || new > ctl->desc->max)
		return -EINVAL;

	old = zcdma_chan_get_ctrl(ctl->zs->chan, ctl->desc->id);
	ret = zcdma_chan_set_ctrl(ctl->zs->chan, ctl->desc->id, new);
	return ret ?: zcdma_chan_get_ctrl(ctl->zs->chan, ctl->desc->id) != old;
}

/* ---- Names ---- */

static const char *ctl_name(enum zcdma_ctrl_id id, bool capture)
{
	switch (id) {
	case ZCDMA_CTRL_VOLUME:
		return capture ? "Capture Volume" : "Master Playback Volume";
	case ZCDMA_CTRL_MUTE:
		return capture ? "Capture Switch" : "Master Playback Switch";
	case ZCDMA_CTRL_TEST_PATTERN:
		return capture ? "Test Tone Capture Enum" : "Test Tone Playback Enum";
	case ZCDMA_CTRL_LOOPBACK:
		return "Loopback Capture Switch";
	case ZCDMA_CTRL_XRUN:
		return capture ? "Capture Xrun Injection" : "Playback Xrun Injection";
	case ZCDMA_CTRL_DRIFT:
		return capture ? "Capture Clock Drift" : "Playback Clock Drift";
	default:
		return NULL;
	}
}

static bool is_for_tests(enum zcdma_ctrl_id id)
{
	return id == ZCDMA_CTRL_XRUN || id == ZCDMA_CTRL_DRIFT;
}

static int zpcm_add_ctl(struct zpcm_ctl *ctl, unsigned int device)
{
	const struct zcdma_ctrl_desc *desc = ctl->desc;
	bool capture = zcdma_chan_desc(ctl->zs->chan)->direction == ZCDMA_CAPTURE;
	struct snd_kcontrol_new template = {
		.iface = SNDRV_CTL_ELEM_IFACE_MIXER,
		.name = ctl_name(desc->id, capture),
		.index = device,
		.access = SNDRV_CTL_ELEM_ACCESS_READWRITE,
		.info = zpcm_ctl_info,
		.get = zpcm_ctl_get,
		.put = zpcm_ctl_put,
	};

	if (is_for_tests(desc->id)) {
		template.iface = SNDRV_CTL_ELEM_IFACE_PCM;
		template.device = device;
		template.index = 0;
	}
	if (desc->id == ZCDMA_CTRL_XRUN)
		template.access |= SNDRV_CTL_ELEM_ACCESS_VOLATILE;
	if (desc->id == ZCDMA_CTRL_VOLUME) {
		ctl->tlv[0] = SNDRV_CTL_TLVT_DB_SCALE;
		ctl->tlv[1] = 2 * sizeof(unsigned int);
		ctl->tlv[2] = desc->min;
		ctl->tlv[3] = desc->step;
		template.access |= SNDRV_CTL_ELEM_ACCESS_TLV_READ;
		template.tlv.p = ctl->tlv;
	}
	return snd_ctl_add(ctl->zs->card->card, snd_ctl_new1(&template, ctl));
}

/**
 * zpcm_add_ctls() - add the controls of a channel to its card
 * @zs: the channel as a stream
 * @device: number of its PCM
 *
 * Return: 0, or an error; what was added goes with the card.
 */
int zpcm_add_ctls(struct zpcm_stream *zs, unsigned int device)
{
	const struct zcdma_chan_desc *desc = zcdma_chan_desc(zs->chan);
	int ret;

	zs->ctls = kcalloc(desc->num_ctrls, sizeof(*zs->ctls), GFP_KERNEL);
	if (!zs->ctls)
		return -ENOMEM;
	for (unsigned int i = 0; i < desc->num_ctrls; i++) {
		struct zpcm_ctl *ctl = &zs->ctls[i];

		/* Some that there are belong to pictures. */
		if (!ctl_name(desc->ctrls[i].id, false))
			continue;
		ctl->zs = zs;
		ctl->desc = &desc->ctrls[i];
		ret = zpcm_add_ctl(ctl, device);
		if (ret)
			return ret;
	}
	return 0;
}
