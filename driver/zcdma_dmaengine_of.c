// SPDX-License-Identifier: GPL-2.0-only
/*
 * zcdma_dmaengine_of.c - what the node says, and whether the DMA controller can do it
 *
 * Every mistake in a node is refused at probe, with one message that names the node, the property
 * and the remedy. dts/bindings/zcdma,dmaengine.yaml is the reference.
 *
 * The address of a FIFO. `reg` leads to the address that the CPU sees, and that is what drivers of
 * DMA controllers expect (struct dma_slave_config): those behind an IOMMU, or on a bus with other
 * addresses, translate it themselves. There is one exception. A controller whose dma-ranges
 * describe memory only, and leave out the FIFO, sits with it on a bus where the FIFO is addressed
 * directly; its driver takes that bus's address, which is what `reg` says untranslated. So it is
 * with BCM2835 to BCM2711 in mainline device trees. (Those of the Raspberry Pi's own kernel list
 * the peripherals in dma-ranges, and its driver translates.)
 */
#include <linux/dma-direct.h>
#include <linux/dma-mapping.h>
#include <linux/gcd.h>
#include <linux/ioport.h>
#include <linux/jiffies.h>
#include <linux/lcm.h>
#include <linux/log2.h>
#include <linux/math64.h>
#include <linux/of.h>
#include <linux/of_address.h>
#include <linux/sizes.h>
#include <linux/videodev2.h>

#include "zcdma_compat.h"
#include "zcdma_dmaengine.h"

/* In bytes: what struct dma_slave_caps has a bit for. */
#define MAX_IO_WIDTH		16

#define DEFAULT_TIMEOUT_MS	5000
#define MAX_TIMEOUT_MS		3600000

/* Of sound: what ALSA can name. */
#define MAX_RATE_HZ		768000
#define MAX_CHANNELS		32

/* Of a picture; above that, sizes do not fit into 32 bits. */
#define MAX_WIDTH		16384
#define MAX_HEIGHT		65535

/* ---- A channel's node ---- */

/* Where the DMA controller reads or writes, as the CPU sees it. */
static int parse_fifo(struct zdma_chan *zc, struct device_node *np)
{
	struct device_node *parent = zc->dev->of_node;
	struct resource fifo;
	int ret;

	zc->stream_port = of_property_read_bool(np, "zcdma,stream-port");
	zc->fifo_index = of_property_match_string(parent, "reg-names", zc->name);
	if (zc->stream_port) {
		zc->width = 1;
		if (zc->fifo_index >= 0)
			return dev_err_probe(zc->dev, -EINVAL,
					     "%pOF: zcdma,stream-port and an entry \"%s\" in reg-names of the parent exclude each other: remove one\n",
					     np, zc->name);
		return zcdma_of_refuse(zc->dev, np, "reg-io-width", "channels with a FIFO") ?:
		       zcdma_of_refuse(zc->dev, np, "zcdma,burst", "channels with a FIFO");
	}
	if (zc->fifo_index < 0)
		return dev_err_probe(zc->dev, -EINVAL,
				     "%pOF: no \"%s\" in reg-names of the parent: give the FIFO's address in its reg, or this channel zcdma,stream-port\n",
				     np, zc->name);

	ret = zcdma_of_need_u32(zc->dev, np, "reg-io-width", 1, MAX_IO_WIDTH,
				&zc->width) ?:
	      zcdma_of_u32(zc->dev, np, "zcdma,burst", 1, SZ_64K, &zc->burst);
	if (ret)
		return ret;
	if (!is_power_of_2(zc->width))
		return dev_err_probe(zc->dev, -EINVAL,
				     "%pOF: reg-io-width is %u: must be a power of two\n",
				     np, zc->width);
	if (of_address_to_resource(parent, zc->fifo_index, &fifo))
		return dev_err_probe(zc->dev, -EINVAL,
				     "%pOF: the FIFO \"%s\" in reg is outside the ranges of every bus above: is it the address on this bus?\n",
				     parent, zc->name);
	if (resource_size(&fifo) < zc->width || !IS_ALIGNED(fifo.start, zc->width))
		return dev_err_probe(zc->dev, -EINVAL,
				     "%pOF: the FIFO \"%s\" in reg, %pR, does not hold one aligned access of reg-io-width %u\n",
				     parent, zc->name, &fifo, zc->width);
	if (region_intersects(fifo.start, resource_size(&fifo), IORESOURCE_SYSTEM_RAM,
			      IORES_DESC_NONE) != REGION_DISJOINT)
		return dev_err_probe(zc->dev, -EINVAL,
				     "%pOF: the FIFO \"%s\" in reg, %pR, is system memory\n",
				     parent, zc->name, &fifo);
	zc->fifo = fifo.start;
	return 0;
}

static int parse_fourcc(struct zdma_chan *zc, struct device_node *np,
			const struct zcdma_format_info **info)
{
	char code[4] = { ' ', ' ', ' ', ' ' };
	const char *text;
	size_t len;
	int ret;

	ret = zcdma_of_need_string(zc->dev, np, "zcdma,format",
				   "a V4L2 pixel format, as \"GREY\"", &text);
	if (ret)
		return ret;
	len = strlen(text);
	*info = NULL;
	if (len && len <= sizeof(code)) {
		memcpy(code, text, len);
		*info = zcdma_format_info(v4l2_fourcc(code[0], code[1], code[2], code[3]));
	}
	if (!*info)
		return dev_err_probe(zc->dev, -EINVAL,
				     "%pOF: zcdma,format \"%s\" is not a pixel format that zcdma knows\n",
				     np, text);
	return 0;
}

/* One number, or the least and the most. */
static int parse_range(struct zdma_chan *zc, struct device_node *np, const char *name, u32 limit,
		       u32 *least, u32 *most)
{
	u32 found[2];
	int num;

	num = of_property_read_variable_u32_array(np, name, found, 1, 2);
	if (num < 0)
		return dev_err_probe(zc->dev, -EINVAL,
				     "%pOF: property %s is missing, or not one or two 32-bit numbers\n",
				     np, name);
	*least = found[0];
	*most = found[num - 1];
	if (!*least || *least > *most || *most > limit)
		return dev_err_probe(zc->dev, -EINVAL,
				     "%pOF: %s: must be 1 to %u, or two such numbers, the least and the most\n",
				     np, name, limit);
	return 0;
}

/* The sizes that the hardware has, or that it leaves to the program. */
static int parse_size(struct zdma_chan *zc, struct device_node *np,
		      const struct zcdma_format_info *info)
{
	struct zcdma_video_caps *caps = &zc->caps;
	struct zcdma_video_format largest;
	u64 bytes;
	int ret;

	ret = parse_range(zc, np, "zcdma,width", MAX_WIDTH, &caps->min_width, &caps->max_width) ?:
	      parse_range(zc, np, "zcdma,height", MAX_HEIGHT, &caps->min_height,
			  &caps->max_height);
	if (ret)
		return ret;
	caps->def_width = caps->max_width;
	caps->def_height = caps->max_height;

	/* Where there is a choice, whatever is chosen has to be a transfer: lines are aligned. */
	if (caps->min_width != caps->max_width || caps->min_height != caps->max_height)
		caps->step_width = zc->alignment / gcd(zc->alignment, info->bytes);
	caps->step_width = lcm(max(caps->step_width, 1U), info->hsub);
	caps->step_height = info->vsub;
	if (caps->min_width % caps->step_width || caps->max_width % caps->step_width ||
	    caps->min_height % caps->step_height || caps->max_height % caps->step_height)
		return dev_err_probe(zc->dev, -EINVAL,
				     "%pOF: zcdma,width and zcdma,height must be multiples of %u and %u here\n",
				     np, caps->step_width, caps->step_height);

	/* In 64 bits what zcdma_video_try() computes in 32. */
	bytes = (u64)caps->max_width * info->bytes * caps->max_height;
	if (info->chroma)
		bytes += div_u64(bytes, info->vsub);
	if (bytes > (zc->max_transfer ?: ZCDMA_BUFFER_SIZE_MAX))
		return dev_err_probe(zc->dev, -EINVAL,
				     "%pOF: a frame has %llu bytes, which is above the limit of a transfer, %llu\n",
				     np, bytes, zc->max_transfer ?: ZCDMA_BUFFER_SIZE_MAX);
	zcdma_video_default(caps, &largest);
	if (largest.sizeimage % zc->alignment)
		return dev_err_probe(zc->dev, -EINVAL,
				     "%pOF: a frame has %u bytes, which is not a multiple of the alignment of transfers, %u\n",
				     np, largest.sizeimage, zc->alignment);
	return 0;
}

static int parse_video(struct zdma_chan *zc, struct device_node *np)
{
	struct zcdma_video_caps *caps = &zc->caps;
	const struct zcdma_format_info *info;
	u32 interval;
	int ret;

	ret = parse_fourcc(zc, np, &info) ?:
	      zcdma_of_need_u32(zc->dev, np, "zcdma,frame-interval-ns", 1, U32_MAX, &interval);
	if (ret)
		return ret;
	caps->fourccs = &info->fourcc;
	caps->num_fourccs = 1;
	caps->packed = true;
	caps->min_interval_ns = interval;
	caps->max_interval_ns = interval;
	caps->def_interval_ns = interval;
	return parse_size(zc, np, info);
}

static int parse_pcm_format(struct zdma_chan *zc, struct device_node *np, u32 *format)
{
	static const struct {
		const char *name;
		u32 format;
	} formats[] = {
		{ "S16_LE", ZCDMA_PCM_S16_LE },
		{ "S24_LE", ZCDMA_PCM_S24_LE },
		{ "S32_LE", ZCDMA_PCM_S32_LE },
		{ "FLOAT_LE", ZCDMA_PCM_FLOAT_LE },
	};
	const char *text;
	int ret;

	ret = zcdma_of_need_string(zc->dev, np, "zcdma,format",
				   "\"S16_LE\", \"S24_LE\", \"S32_LE\" or \"FLOAT_LE\"", &text);
	if (ret)
		return ret;
	for (unsigned int i = 0; i < ARRAY_SIZE(formats); i++) {
		if (!strcmp(text, formats[i].name)) {
			*format = formats[i].format;
			return 0;
		}
	}
	return dev_err_probe(zc->dev, -EINVAL,
			     "%pOF: zcdma,format is \"%s\": must be \"S16_LE\", \"S24_LE\", \"S32_LE\" or \"FLOAT_LE\" here\n",
			     np, text);
}

static int parse_pcm(struct zdma_chan *zc, struct device_node *np)
{
	struct zcdma_pcm_caps *caps = &zc->pcm_caps;
	int ret;

	ret = parse_pcm_format(zc, np, &caps->formats) ?:
	      parse_range(zc, np, "zcdma,rate-hz", MAX_RATE_HZ, &caps->min_rate,
			  &caps->max_rate) ?:
	      parse_range(zc, np, "zcdma,channels", MAX_CHANNELS, &caps->min_channels,
			  &caps->max_channels);
	if (ret)
		return ret;
	caps->def = (struct zcdma_pcm_config) {
		.format = caps->formats,
		.channels = clamp(2U, caps->min_channels, caps->max_channels),
		.rate = clamp(48000U, caps->min_rate, caps->max_rate),
	};
	zcdma_pcm_complete(caps, &caps->def);
	zc->pcm = caps->def;
	return 0;
}

/* What belongs to channels of another kind. */
static int refuse_others(struct zdma_chan *zc, struct device_node *np)
{
	static const struct {
		const char *name;
		const char *owner;
		unsigned int kinds;
	} properties[] = {
		{ "zcdma,format", "video and pcm channels",
		  BIT(ZCDMA_KIND_VIDEO) | BIT(ZCDMA_KIND_PCM) },
		{ "zcdma,timed", "video and pcm channels",
		  BIT(ZCDMA_KIND_VIDEO) | BIT(ZCDMA_KIND_PCM) },
		{ "zcdma,width", "video channels", BIT(ZCDMA_KIND_VIDEO) },
		{ "zcdma,height", "video channels", BIT(ZCDMA_KIND_VIDEO) },
		{ "zcdma,frame-interval-ns", "video channels", BIT(ZCDMA_KIND_VIDEO) },
		{ "zcdma,rate-hz", "pcm channels", BIT(ZCDMA_KIND_PCM) },
		{ "zcdma,channels", "pcm channels", BIT(ZCDMA_KIND_PCM) },
	};
	int ret = 0;

	for (unsigned int i = 0; !ret && i < ARRAY_SIZE(properties); i++)
		if (!(properties[i].kinds & BIT(zc->kind)))
			ret = zcdma_of_refuse(zc->dev, np, properties[i].name,
					      properties[i].owner);
	return ret;
}

static int parse_kind(struct zdma_chan *zc, struct device_node *np)
{
	switch (zc->kind) {
	case ZCDMA_KIND_VIDEO:
		return parse_video(zc, np);
	case ZCDMA_KIND_PCM:
		return parse_pcm(zc, np);
	default:
		return 0;
	}
}

static int parse_chan(struct zdma_chan *zc, struct device_node *np)
{
	struct device_node *parent = zc->dev->of_node;
	u32 timeout_ms = DEFAULT_TIMEOUT_MS;
	u32 alignment = 1;
	int ret;

	ret = zcdma_of_chan(zc->dev, np, zc->name, &zc->kind, &zc->direction);
	if (ret)
		return ret;
	if (of_property_match_string(parent, "dma-names", zc->name) < 0)
		return dev_err_probe(zc->dev, -EINVAL,
				     "%pOF: no \"%s\" in dma-names of the parent: add it, and the DMA channel to dmas\n",
				     np, zc->name);

	ret = parse_fifo(zc, np) ?:
	      zcdma_of_alignment(zc->dev, np, &alignment) ?:
	      zcdma_of_u32(zc->dev, np, "zcdma,max-transfer", zc->width, ZCDMA_BUFFER_SIZE_MAX,
			   &zc->max_transfer) ?:
	      zcdma_of_u32(zc->dev, np, "zcdma,timeout-ms", 0, MAX_TIMEOUT_MS, &timeout_ms);
	if (ret)
		return ret;
	zc->alignment = max(alignment, zc->width);
	zc->timeout = msecs_to_jiffies(timeout_ms);

	zc->timed = of_property_read_bool(np, "zcdma,timed");
	return refuse_others(zc, np) ?: parse_kind(zc, np);
}

/* ---- The device's node ---- */

/**
 * zdma_of_count() - number of channel nodes
 * @dev: the platform device
 *
 * Return: 1 to %ZDMA_MAX_CHANS, or -EINVAL; the reason has been reported.
 */
int zdma_of_count(struct device *dev)
{
	int num = of_get_available_child_count(dev->of_node);

	if (num < 1 || num > ZDMA_MAX_CHANS)
		return dev_err_probe(dev, -EINVAL,
				     "%pOF: %d channel nodes: must be 1 to %d, called channel@0, channel@1 and so on\n",
				     dev->of_node, num, ZDMA_MAX_CHANS);
	if (!of_property_present(dev->of_node, "dmas"))
		return dev_err_probe(dev, -EINVAL,
				     "%pOF: property dmas is missing: it names the DMA channel of each channel node\n",
				     dev->of_node);
	return num;
}

/* Channels are numbered without a gap by reg: that is the order in which users see them. */
static int find_chan(struct zdma_dev *zd, struct device_node *np, struct zdma_chan **zc)
{
	u32 reg;

	if (!of_node_name_eq(np, "channel") || of_property_read_u32(np, "reg", &reg) ||
	    reg >= zd->num_chans)
		return dev_err_probe(zd->dev, -EINVAL,
				     "%pOF: not a channel: must be called channel@N, with N in reg, 0 to %u here\n",
				     np, zd->num_chans - 1);
	*zc = &zd->chans[reg];
	if ((*zc)->name[0])
		return dev_err_probe(zd->dev, -EINVAL, "%pOF: reg %u is also that of channel %s\n",
				     np, reg, (*zc)->name);
	return 0;
}

/**
 * zdma_of_parse() - read the nodes of all channels
 * @zd: device; its channels are filled in as far as nodes can tell
 *
 * Return: 0, or -EINVAL; the reason has been reported.
 */
int zdma_of_parse(struct zdma_dev *zd)
{
	static const char * const gpios[] = {
		"strobe-gpios", "strobe-gpio", "trigger-gpios", "trigger-gpio", "zcdma,gpio-block",
	};
	struct zdma_chan *zc;
	struct device_node *np;
	int ret;

	/* A lamp by guesswork is worse than none: a DMA controller sees frames end, not begin. */
	for (unsigned int i = 0; i < ARRAY_SIZE(gpios); i++) {
		ret = zcdma_of_refuse(zd->dev, zd->dev->of_node, gpios[i],
				      "devices that know when a frame is exposed");
		if (ret)
			return ret;
	}

	for_each_available_child_of_node(zd->dev->of_node, np) {
		ret = find_chan(zd, np, &zc) ?: parse_chan(zc, np);
		if (ret) {
			of_node_put(np);
			return ret;
		}
	}

	/* The core says the same, but names find DMA channels before it is asked. */
	for (unsigned int i = 0; i < zd->num_chans; i++)
		for (unsigned int k = 0; k < i; k++)
			if (!strcmp(zd->chans[i].name, zd->chans[k].name))
				return dev_err_probe(zd->dev, -EINVAL,
						     "two channels are called %s: give one another label\n",
						     zd->chans[i].name);
	return 0;
}

/* ---- What the DMA controller can do ---- */

static bool in_dma_ranges(const struct device *dma_dev, phys_addr_t start, size_t size)
{
	for (const struct bus_dma_region *map = dma_dev->dma_range_map; map->size; map++)
		if (start >= map->cpu_start && start - map->cpu_start <= map->size - size)
			return true;
	return false;
}

/* The FIFO's address as the DMA controller's driver wants it: see the top. */
static int fifo_address(struct zdma_chan *zc, phys_addr_t *address)
{
	struct device *dma_dev = dmaengine_get_dma_device(zc->dma);
	struct device_node *np = zc->dev->of_node;
	const struct device_node *controller = zc->dma->device->dev->of_node;
	const __be32 *reg;

	*address = zc->fifo;
	if (zcdma_is_translated(dma_dev))
		return 0;

	if (dma_dev->dma_range_map && !in_dma_ranges(dma_dev, zc->fifo, zc->width)) {
		reg = of_get_address(np, zc->fifo_index, NULL, NULL);
		if (!reg || !controller || controller->parent != np->parent)
			return dev_err_probe(zc->dev, -EINVAL,
					     "%pOF: the FIFO \"%s\" at %pa is outside the dma-ranges of %s: put this node on the bus of the DMA controller, or extend its dma-ranges\n",
					     np, zc->name, &zc->fifo, dev_name(dma_dev));
		*address = of_read_number(reg, of_n_addr_cells(np));
	}
	if (*address + zc->width - 1 > dma_get_mask(dma_dev))
		return dev_err_probe(zc->dev, -EINVAL,
				     "%pOF: the FIFO \"%s\" at %pa is beyond what %s can address\n",
				     np, zc->name, address, dev_name(dma_dev));
	return 0;
}

static int check_width(struct zdma_chan *zc, const struct dma_slave_caps *caps)
{
	unsigned long widths = zc->direction == ZCDMA_CAPTURE ? caps->src_addr_widths :
								caps->dst_addr_widths;
	char text[64] = "";
	unsigned int width;
	int at = 0;

	if (widths & BIT(zc->width))
		return 0;
	for_each_set_bit(width, &widths, BITS_PER_TYPE(caps->src_addr_widths))
		at += scnprintf(text + at, sizeof(text) - at, " %u", width);
	return dev_err_probe(zc->dev, -EINVAL,
			     "channel %s: reg-io-width %u is not for %s, which can do%s\n",
			     zc->name, zc->width, dev_name(zc->dma->device->dev), text);
}

static int check_caps(struct zdma_chan *zc)
{
	const struct dma_device *controller = zc->dma->device;
	struct dma_slave_caps caps;

	if (!controller->device_terminate_all)
		return dev_err_probe(zc->dev, -EINVAL,
				     "channel %s: %s cannot stop a transfer\n",
				     zc->name, dev_name(controller->dev));
	/* Drivers of long ago do not say more. */
	if (dma_get_slave_caps(zc->dma, &caps))
		return 0;
	/* A period is one piece most of the time: to know when that is over is to know nothing. */
	zc->exact = caps.residue_granularity == DMA_RESIDUE_GRANULARITY_BURST && !zc->timed;
	if (!(caps.directions & BIT(zdma_direction(zc))))
		return dev_err_probe(zc->dev, -EINVAL,
				     "channel %s: its DMA channel of %s does not go in the direction of zcdma,direction\n",
				     zc->name, dev_name(controller->dev));
	if (zc->stream_port)
		return 0;
	if (caps.max_burst && zc->burst > caps.max_burst)
		return dev_err_probe(zc->dev, -EINVAL,
				     "channel %s: zcdma,burst %u is not for %s, which can do %u\n",
				     zc->name, zc->burst, dev_name(controller->dev),
				     caps.max_burst);
	return check_width(zc, &caps);
}

static int configure_fifo(struct zdma_chan *zc, phys_addr_t *fifo)
{
	struct dma_slave_config config = { .direction = zdma_direction(zc) };
	const char *controller = dev_name(zc->dma->device->dev);
	int ret;

	*fifo = 0;
	if (zc->stream_port)
		return 0;
	ret = fifo_address(zc, fifo);
	if (ret)
		return ret;
	if (zc->direction == ZCDMA_CAPTURE) {
		config.src_addr = *fifo;
		config.src_addr_width = zc->width;
		config.src_maxburst = zc->burst;
	} else {
		config.dst_addr = *fifo;
		config.dst_addr_width = zc->width;
		config.dst_maxburst = zc->burst;
	}
	ret = dmaengine_slave_config(zc->dma, &config);
	if (ret)
		return dev_err_probe(zc->dev, ret,
				     "channel %s: %s refuses reg-io-width %u with zcdma,burst %u\n",
				     zc->name, controller, zc->width, zc->burst);
	return 0;
}

/*
 * Whether the DMA controller can do lines with gaps. Most drivers that have the call can do so from
 * memory to memory only, and there is nothing that tells: have one made, and throw it away.
 */
static bool can_do_lines(struct zdma_chan *zc, dma_addr_t at, size_t stride)
{
	struct dma_async_tx_descriptor *tx;

	zdma_set_lines(zc, at, 2, stride);
	tx = dmaengine_prep_interleaved_dma(zc->dma, zc->lines,
					    DMA_PREP_INTERRUPT | DMA_CTRL_ACK);
	if (!tx)
		return false;
	/* Descriptors can only be given back by way of the queue. */
	dmaengine_submit(tx);
	dmaengine_terminate_sync(zc->dma);
	return true;
}

static int configure_lines(struct zdma_chan *zc, phys_addr_t fifo)
{
	struct device *dma_dev = dmaengine_get_dma_device(zc->dma);
	struct dma_interleaved_template *lines;
	struct zcdma_video_format format;
	size_t line, stride;
	dma_addr_t at;
	void *memory;

	zcdma_video_default(&zc->caps, &format);
	line = format.bytesperline;
	stride = line + zc->alignment;
	if (zc->dma->device->device_prep_interleaved_dma && IS_ALIGNED(line, zc->alignment)) {
		lines = devm_kzalloc(zc->dev, struct_size(lines, sgl, 1), GFP_KERNEL);
		memory = dma_alloc_coherent(dma_dev, 2 * stride, &at, GFP_KERNEL);
		if (!lines || !memory) {
			if (memory)
				dma_free_coherent(dma_dev, 2 * stride, memory, at);
			return -ENOMEM;
		}
		lines->dir = zdma_direction(zc);
		lines->src_start = fifo;
		lines->dst_start = fifo;
		lines->src_inc = zc->direction == ZCDMA_PLAYBACK;
		lines->src_sgl = lines->src_inc;
		lines->dst_inc = zc->direction == ZCDMA_CAPTURE;
		lines->dst_sgl = lines->dst_inc;
		lines->frame_size = 1;
		lines->sgl[0].size = line;
		zc->lines = lines;
		if (!can_do_lines(zc, at, stride))
			zc->lines = NULL;
		dma_free_coherent(dma_dev, 2 * stride, memory, at);
	}

	if (zc->lines) {
		zc->caps.packed = false;
		zc->caps.line_alignment = zc->alignment;
		zc->caps.max_sizeimage = zc->max_transfer;
	}
	zdma_set_format(zc, &format);
	return 0;
}

/**
 * zdma_of_configure() - check a channel against its DMA controller, and set that up
 * @zc: channel that has its DMA channel
 *
 * Return: 0, or an error that has been reported.
 */
int zdma_of_configure(struct zdma_chan *zc)
{
	struct device *dma_dev = dmaengine_get_dma_device(zc->dma);
	phys_addr_t fifo;
	int ret;

	ret = check_caps(zc);
	if (ret)
		return ret;
	zc->max_piece = rounddown(dma_get_max_seg_size(dma_dev),
				  zc->alignment * max(zc->burst, 1U));
	if (!zc->max_piece)
		return dev_err_probe(zc->dev, -EINVAL,
				     "channel %s: %s takes %u bytes in a piece, which is less than one burst\n",
				     zc->name, dev_name(dma_dev), dma_get_max_seg_size(dma_dev));
	ret = configure_fifo(zc, &fifo);
	if (!ret && zc->kind == ZCDMA_KIND_VIDEO)
		ret = configure_lines(zc, fifo);
	if (ret)
		return ret;
	if (!zc->dma->device->device_prep_slave_sg && !zc->lines)
		return dev_err_probe(zc->dev, -EINVAL,
				     "channel %s: %s cannot do slave_sg transfers, nor interleaved ones of aligned lines for a video channel\n",
				     zc->name, dev_name(zc->dma->device->dev));
	return 0;
}
