// SPDX-License-Identifier: GPL-2.0-only
/*
 * zcdma_of.c - what the device-tree nodes of all engines have in common
 *
 * A channel's node says what the channel is called, what it carries and which way, in the same
 * properties for every engine (dts/bindings). A mistake is reported as probe's, in one message that
 * names the node, the property, what was found and the remedy; then -EINVAL is returned.
 */
#include <linux/device.h>
#include <linux/log2.h>
#include <linux/of.h>
#include <linux/sizes.h>
#include <linux/string.h>

#include "zcdma.h"
#include "zcdma_compat.h"

/* ---- Properties ---- */

/**
 * zcdma_of_u32() - read an optional number
 * @dev: the engine's device, for messages
 * @np: node
 * @name: property
 * @min: smallest value
 * @max: largest value
 * @value: result; left alone where there is no such property
 *
 * Return: 0 or -EINVAL.
 */
int zcdma_of_u32(struct device *dev, const struct device_node *np, const char *name, u32 min,
		 u32 max, u32 *value)
{
	u32 found;

	if (!of_property_present(np, name))
		return 0;
	if (of_property_count_u32_elems(np, name) != 1 || of_property_read_u32(np, name, &found))
		return dev_err_probe(dev, -EINVAL, "%pOF: %s must be one 32-bit number\n",
				     np, name);
	if (found < min || found > max)
		return dev_err_probe(dev, -EINVAL, "%pOF: %s is %u: must be %u to %u\n",
				     np, name, found, min, max);
	*value = found;
	return 0;
}
EXPORT_SYMBOL_GPL(zcdma_of_u32);

/**
 * zcdma_of_need_u32() - read a number that must be there
 * @dev: the engine's device, for messages
 * @np: node
 * @name: property
 * @min: smallest value
 * @max: largest value
 * @value: result
 *
 * Return: 0 or -EINVAL.
 */
int zcdma_of_need_u32(struct device *dev, const struct device_node *np, const char *name, u32 min,
		      u32 max, u32 *value)
{
	if (!of_property_present(np, name))
		return dev_err_probe(dev, -EINVAL, "%pOF: property %s is missing\n", np, name);
	return zcdma_of_u32(dev, np, name, min, max, value);
}
EXPORT_SYMBOL_GPL(zcdma_of_need_u32);

/**
 * zcdma_of_need_string() - read a string that must be there
 * @dev: the engine's device, for messages
 * @np: node
 * @name: property
 * @hint: what could be in it, for the message
 * @value: result, which lasts as long as the node
 *
 * Return: 0 or -EINVAL.
 */
int zcdma_of_need_string(struct device *dev, const struct device_node *np, const char *name,
			 const char *hint, const char **value)
{
	if (of_property_count_strings(np, name) != 1 || of_property_read_string(np, name, value))
		return dev_err_probe(dev, -EINVAL,
				     "%pOF: property %s is missing or not a string: use %s\n",
				     np, name, hint);
	return 0;
}
EXPORT_SYMBOL_GPL(zcdma_of_need_string);

/**
 * zcdma_of_refuse() - see that a property is not there
 * @dev: the engine's device, for messages
 * @np: node
 * @name: property
 * @owner: what has it, for the message
 *
 * Return: 0 or -EINVAL.
 */
int zcdma_of_refuse(struct device *dev, const struct device_node *np, const char *name,
		    const char *owner)
{
	if (!of_property_present(np, name))
		return 0;
	return dev_err_probe(dev, -EINVAL, "%pOF: %s is for %s only: remove it\n", np, name,
			     owner);
}
EXPORT_SYMBOL_GPL(zcdma_of_refuse);

/* ---- Channels ---- */

static int of_label(struct device *dev, const struct device_node *np, char *name)
{
	const char *label;
	int ret;

	ret = zcdma_of_need_string(dev, np, "label", "the channel's name", &label);
	if (ret)
		return ret;
	/* zcdma_device_register() knows which names are good, but must get the whole of it. */
	if (strscpy(name, label, ZCDMA_NAME_LEN) < 0)
		return dev_err_probe(dev, -EINVAL,
				     "%pOF: label \"%s\" is too long: %d characters at most\n",
				     np, label, ZCDMA_NAME_LEN - 1);
	return 0;
}

static int of_kind(struct device *dev, const struct device_node *np, enum zcdma_kind *kind)
{
	const char *text;
	int ret;

	ret = zcdma_of_need_string(dev, np, "zcdma,kind", "\"video\", \"pcm\" or \"raw\"", &text);
	if (ret)
		return ret;
	if (!strcmp(text, "video"))
		*kind = ZCDMA_KIND_VIDEO;
	else if (!strcmp(text, "pcm"))
		*kind = ZCDMA_KIND_PCM;
	else if (!strcmp(text, "raw"))
		*kind = ZCDMA_KIND_RAW;
	else
		return dev_err_probe(dev, -EINVAL,
				     "%pOF: zcdma,kind is \"%s\": must be \"video\", \"pcm\" or \"raw\"\n",
				     np, text);
	return 0;
}

static int of_direction(struct device *dev, const struct device_node *np,
			enum zcdma_direction *direction)
{
	const char *text;
	int ret;

	ret = zcdma_of_need_string(dev, np, "zcdma,direction", "\"capture\" or \"playback\"",
				   &text);
	if (ret)
		return ret;
	if (!strcmp(text, "capture"))
		*direction = ZCDMA_CAPTURE;
	else if (!strcmp(text, "playback"))
		*direction = ZCDMA_PLAYBACK;
	else
		return dev_err_probe(dev, -EINVAL,
				     "%pOF: zcdma,direction is \"%s\": must be \"capture\" or \"playback\"\n",
				     np, text);
	return 0;
}

/**
 * zcdma_of_chan() - read what every channel's node says
 * @dev: the engine's device, for messages
 * @np: the channel's node
 * @name: from label, ZCDMA_NAME_LEN bytes; whether it can be a name is checked at registration
 * @kind: from zcdma,kind
 * @direction: from zcdma,direction
 *
 * Return: 0 or -EINVAL.
 */
int zcdma_of_chan(struct device *dev, const struct device_node *np, char *name,
		  enum zcdma_kind *kind, enum zcdma_direction *direction)
{
	return of_label(dev, np, name) ?:
	       of_kind(dev, np, kind) ?:
	       of_direction(dev, np, direction);
}
EXPORT_SYMBOL_GPL(zcdma_of_chan);

/**
 * zcdma_of_alignment() - read zcdma,alignment
 * @dev: the engine's device, for messages
 * @np: the channel's node
 * @alignment: result, a power of two; left alone where there is no such property
 *
 * Return: 0 or -EINVAL.
 */
int zcdma_of_alignment(struct device *dev, const struct device_node *np, u32 *alignment)
{
	u32 found = *alignment;
	int ret;

	ret = zcdma_of_u32(dev, np, "zcdma,alignment", 1, SZ_4K, &found);
	if (ret)
		return ret;
	if (found && !is_power_of_2(found))
		return dev_err_probe(dev, -EINVAL,
				     "%pOF: zcdma,alignment is %u: must be a power of two\n",
				     np, found);
	*alignment = found;
	return 0;
}
EXPORT_SYMBOL_GPL(zcdma_of_alignment);
