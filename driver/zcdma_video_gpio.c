// SPDX-License-Identifier: GPL-2.0-only
/*
 * zcdma_video_gpio.c - controls of the capture node for strobe and trigger
 *
 * The settings are the core's, and others may change them: no control has a value of its own. All
 * are volatile, read from the core, and written to it even where V4L2 thinks that they have that
 * value. For the same reason they have no events.
 *
 * Standard controls where one means the same: the flash class has the test pulse (FLASH_STROBE and
 * FLASH_STROBE_STOP), what the line is at (FLASH_STROBE_STATUS), and the time after which it is off
 * again (FLASH_TIMEOUT, the duration of fixed pulses and of test pulses).
 *
 * Buttons: V4L2 knows no button that fails. One that can have no effect at the moment has none.
 */
#include <linux/math64.h>
#include <media/v4l2-ctrls.h>

#include "zcdma_video.h"

static struct zcdma_chan *ctrl_chan(struct v4l2_ctrl *ctrl)
{
	return container_of(ctrl->handler, struct zcdma_video, ctrls)->chan;
}

/* The result of a call that a button makes. */
static int pressed(int ret)
{
	return ret == -ENODEV ? ret : 0;
}

/* ---- Strobe ---- */

static int strobe_g_ctrl(struct v4l2_ctrl *ctrl)
{
	struct zcdma_gpio_state state;
	struct zcdma_strobe set;
	int ret;

	if (ctrl->id == V4L2_CID_FLASH_STROBE_STATUS) {
		ret = zcdma_chan_gpio_state(ctrl_chan(ctrl), &state);
		if (!ret)
			ctrl->val = !!(state.flags & ZCDMA_GPIO_STROBE_ACTIVE);
		return ret;
	}

	ret = zcdma_chan_get_strobe(ctrl_chan(ctrl), &set);
	if (ret)
		return ret;
	switch (ctrl->id) {
	case ZCDMA_V4L2_CID_STROBE_MODE:
		ctrl->val = set.mode;
		return 0;
	case ZCDMA_V4L2_CID_STROBE_INVERTED:
		ctrl->val = set.inverted;
		return 0;
	case ZCDMA_V4L2_CID_STROBE_DELAY:
		*ctrl->p_new.p_s64 = set.delay_ns;
		return 0;
	case V4L2_CID_FLASH_TIMEOUT:
		ctrl->val = div_u64(set.duration_ns, NSEC_PER_USEC);
		return 0;
	default:
		return -EINVAL;
	}
}

/* One of the settings; the others are whoever's changes them meanwhile. */
static void change_strobe(struct zcdma_strobe *set, const void *arg)
{
	const struct v4l2_ctrl *ctrl = arg;

	switch (ctrl->id) {
	case ZCDMA_V4L2_CID_STROBE_MODE:
		set->mode = ctrl->val;
		break;
	case ZCDMA_V4L2_CID_STROBE_INVERTED:
		set->inverted = ctrl->val;
		break;
	case ZCDMA_V4L2_CID_STROBE_DELAY:
		set->delay_ns = *ctrl->p_new.p_s64;
		break;
	case V4L2_CID_FLASH_TIMEOUT:
		set->duration_ns = ctrl->val * (u64)NSEC_PER_USEC;
		break;
	}
}

static int strobe_s_ctrl(struct v4l2_ctrl *ctrl)
{
	struct zcdma_chan *chan = ctrl_chan(ctrl);
	struct zcdma_strobe set;
	int ret;

	switch (ctrl->id) {
	case V4L2_CID_FLASH_STROBE:
		ret = zcdma_chan_get_strobe(chan, &set);
		return ret ?: pressed(zcdma_chan_pulse_strobe(chan, set.duration_ns));
	case V4L2_CID_FLASH_STROBE_STOP:
		return pressed(zcdma_chan_pulse_strobe(chan, 0));
	default:
		return zcdma_chan_change_strobe(chan, change_strobe, ctrl);
	}
}

static const struct v4l2_ctrl_ops strobe_ops = {
	.g_volatile_ctrl = strobe_g_ctrl,
	.s_ctrl = strobe_s_ctrl,
};

static const char * const strobe_modes[] = { "Off", "Exposure", "Fixed Duration", NULL };

static const struct v4l2_ctrl_config strobe_ctrls[] = {
	{
		.id = ZCDMA_V4L2_CID_STROBE_MODE,
		.name = "Strobe Mode",
		.type = V4L2_CTRL_TYPE_MENU,
		.max = ZCDMA_STROBE_FIXED,
		.qmenu = strobe_modes,
	}, {
		.id = ZCDMA_V4L2_CID_STROBE_INVERTED,
		.name = "Strobe Inverted",
		.type = V4L2_CTRL_TYPE_BOOLEAN,
		.max = 1,
		.step = 1,
	}, {
		.id = ZCDMA_V4L2_CID_STROBE_DELAY,
		.name = "Strobe Delay, ns",
		.type = V4L2_CTRL_TYPE_INTEGER64,
		.max = ZCDMA_STROBE_DELAY_MAX_NS,
		.step = 1,
	},
};

/* ---- Trigger ---- */

static int trigger_g_ctrl(struct v4l2_ctrl *ctrl)
{
	struct zcdma_trigger set;
	int ret;

	ret = zcdma_chan_get_trigger(ctrl_chan(ctrl), &set);
	if (ret)
		return ret;
	switch (ctrl->id) {
	case ZCDMA_V4L2_CID_TRIGGER_MODE:
		ctrl->val = set.mode;
		return 0;
	case ZCDMA_V4L2_CID_TRIGGER_SOURCE:
		ctrl->val = set.source;
		return 0;
	case ZCDMA_V4L2_CID_TRIGGER_ACTIVATION:
		ctrl->val = set.activation;
		return 0;
	case ZCDMA_V4L2_CID_TRIGGER_DIVIDER:
		ctrl->val = set.divider;
		return 0;
	case ZCDMA_V4L2_CID_TRIGGER_DELAY:
		*ctrl->p_new.p_s64 = set.delay_ns;
		return 0;
	case ZCDMA_V4L2_CID_TRIGGER_PERIOD:
		*ctrl->p_new.p_s64 = set.period_ns;
		return 0;
	default:
		return -EINVAL;
	}
}

/* As change_strobe(). */
static void change_trigger(struct zcdma_trigger *set, const void *arg)
{
	const struct v4l2_ctrl *ctrl = arg;

	switch (ctrl->id) {
	case ZCDMA_V4L2_CID_TRIGGER_MODE:
		set->mode = ctrl->val;
		break;
	case ZCDMA_V4L2_CID_TRIGGER_SOURCE:
		set->source = ctrl->val;
		break;
	case ZCDMA_V4L2_CID_TRIGGER_ACTIVATION:
		set->activation = ctrl->val;
		break;
	case ZCDMA_V4L2_CID_TRIGGER_DIVIDER:
		set->divider = ctrl->val;
		break;
	case ZCDMA_V4L2_CID_TRIGGER_DELAY:
		set->delay_ns = *ctrl->p_new.p_s64;
		break;
	case ZCDMA_V4L2_CID_TRIGGER_PERIOD:
		set->period_ns = *ctrl->p_new.p_s64;
		break;
	}
}

static int trigger_s_ctrl(struct v4l2_ctrl *ctrl)
{
	struct zcdma_chan *chan = ctrl_chan(ctrl);

	if (ctrl->id == ZCDMA_V4L2_CID_TRIGGER_SOFTWARE)
		return pressed(zcdma_chan_software_trigger(chan));
	return zcdma_chan_change_trigger(chan, change_trigger, ctrl);
}

static const struct v4l2_ctrl_ops trigger_ops = {
	.g_volatile_ctrl = trigger_g_ctrl,
	.s_ctrl = trigger_s_ctrl,
};

static const char * const trigger_sources[] = { "Software", "Line", "Timer", NULL };
static const char * const trigger_activations[] = {
	"Rising Edge", "Falling Edge", "Any Edge", NULL
};

static const struct v4l2_ctrl_config trigger_ctrls[] = {
	{
		.id = ZCDMA_V4L2_CID_TRIGGER_MODE,
		.name = "Trigger Mode",
		.type = V4L2_CTRL_TYPE_BOOLEAN,
		.max = 1,
		.step = 1,
	}, {
		.id = ZCDMA_V4L2_CID_TRIGGER_SOURCE,
		.name = "Trigger Source",
		.type = V4L2_CTRL_TYPE_MENU,
		.max = ZCDMA_TRIGGER_TIMER,
		.qmenu = trigger_sources,
	}, {
		.id = ZCDMA_V4L2_CID_TRIGGER_ACTIVATION,
		.name = "Trigger Activation",
		.type = V4L2_CTRL_TYPE_MENU,
		.max = ZCDMA_TRIGGER_BOTH,
		.qmenu = trigger_activations,
	}, {
		.id = ZCDMA_V4L2_CID_TRIGGER_DIVIDER,
		.name = "Trigger Divider",
		.type = V4L2_CTRL_TYPE_INTEGER,
		.min = 1,
		.max = ZCDMA_TRIGGER_DIVIDER_MAX,
		.step = 1,
		.def = 1,
	}, {
		.id = ZCDMA_V4L2_CID_TRIGGER_DELAY,
		.name = "Trigger Delay, ns",
		.type = V4L2_CTRL_TYPE_INTEGER64,
		.max = ZCDMA_TRIGGER_DELAY_MAX_NS,
		.step = 1,
	}, {
		.id = ZCDMA_V4L2_CID_TRIGGER_PERIOD,
		.name = "Trigger Period, ns",
		.type = V4L2_CTRL_TYPE_INTEGER64,
		.min = ZCDMA_TRIGGER_PERIOD_MIN_NS,
		.max = ZCDMA_TRIGGER_PERIOD_MAX_NS,
		.step = 1,
		.def = NSEC_PER_SEC / 10,
	}, {
		.id = ZCDMA_V4L2_CID_TRIGGER_SOFTWARE,
		.name = "Trigger Software",
		.type = V4L2_CTRL_TYPE_BUTTON,
	},
};

/* ---- Both ---- */

static void add(struct zcdma_video *video, const struct v4l2_ctrl_config *config, u64 skip,
		const struct v4l2_ctrl_ops *ops)
{
	struct v4l2_ctrl_config all = *config;

	all.ops = ops;
	all.menu_skip_mask = skip;
	if (config->type != V4L2_CTRL_TYPE_BUTTON)
		all.flags = V4L2_CTRL_FLAG_VOLATILE | V4L2_CTRL_FLAG_EXECUTE_ON_WRITE;
	v4l2_ctrl_new_custom(&video->ctrls, &all, NULL);
}

static void add_strobe(struct zcdma_video *video)
{
	struct v4l2_ctrl *timeout, *status;
	struct zcdma_strobe set;
	u32 limit_us;

	if (zcdma_chan_get_strobe(video->chan, &set))
		return;
	limit_us = div_u64(set.limit_ns, NSEC_PER_USEC);
	for (unsigned int i = 0; i < ARRAY_SIZE(strobe_ctrls); i++)
		add(video, &strobe_ctrls[i], 0, &strobe_ops);
	v4l2_ctrl_new_std(&video->ctrls, &strobe_ops, V4L2_CID_FLASH_STROBE, 0, 0, 0, 0);
	v4l2_ctrl_new_std(&video->ctrls, &strobe_ops, V4L2_CID_FLASH_STROBE_STOP, 0, 0, 0, 0);
	timeout = v4l2_ctrl_new_std(&video->ctrls, &strobe_ops, V4L2_CID_FLASH_TIMEOUT, 1,
				    limit_us, 1, min_t(u32, limit_us, USEC_PER_MSEC));
	if (timeout)
		timeout->flags |= V4L2_CTRL_FLAG_VOLATILE | V4L2_CTRL_FLAG_EXECUTE_ON_WRITE;
	status = v4l2_ctrl_new_std(&video->ctrls, &strobe_ops, V4L2_CID_FLASH_STROBE_STATUS,
				   0, 1, 1, 0);
	if (status)
		status->flags |= V4L2_CTRL_FLAG_VOLATILE | V4L2_CTRL_FLAG_READ_ONLY;
}

static void add_trigger(struct zcdma_video *video)
{
	bool line = zcdma_chan_has_trigger_line(video->chan);

	for (unsigned int i = 0; i < ARRAY_SIZE(trigger_ctrls); i++) {
		const struct v4l2_ctrl_config *config = &trigger_ctrls[i];

		if (config->id == ZCDMA_V4L2_CID_TRIGGER_SOURCE)
			add(video, config, line ? 0 : BIT(ZCDMA_TRIGGER_LINE), &trigger_ops);
		else if (config->id != ZCDMA_V4L2_CID_TRIGGER_ACTIVATION || line)
			add(video, config, 0, &trigger_ops);
	}
}

/**
 * zcdma_video_add_gpio_ctrls() - add controls for what the channel has of strobe and trigger
 * @video: node
 *
 * Return: 0, or an error.
 */
int zcdma_video_add_gpio_ctrls(struct zcdma_video *video)
{
	add_strobe(video);
	if (zcdma_chan_has_trigger(video->chan))
		add_trigger(video);
	return video->ctrls.error;
}
