// SPDX-License-Identifier: GPL-2.0-only
/*
 * An engine without hardware: its devices, from the device tree or a module parameter
 *
 * zcdma-virt.ko behaves like a capture and output board, so that everything above an engine can be
 * used and tested on any machine; dts/bindings/zcdma,virtual.yaml describes its node.
 * `modprobe zcdma-virt devices=1` makes one where there is no node: a camera "cam0", a display
 * "out0" that is looped to it, the raw channels "raw-in" and "raw-out", a microphone "mic0", and a
 * loudspeaker "spk0" that is looped to that.
 *
 * Who can reach what, and what holds it alive
 *
 *   zvirt_dev, zvirt_chan  devm memory of the platform device, freed after unregister(), which is
 *                          the first thing that unbinding does. Reached by
 *     engine calls         until zcdma_device_unregister() returns
 *     the timer            armed only while a channel runs; zvirt_stop() cancels it, and the core
 *                          stops every channel before it lets unregister() return
 *     the worker           exists only while its channel runs
 *     debugfs files        the core removes them in zcdma_device_unregister(), and removal waits
 *                          for calls under way
 *     a looped channel     peers are of the same device; see display_stop() for the memory that
 *                          one reads from the other
 *   zcdma_xfer             the engine's from submit() to zcdma_xfer_done() or zvirt_stop()
 *   what is shown to users names, formats, limits and controls: the core has copies
 *
 * Open files, mappings and dma-bufs hold none of this: they belong to the core.
 */
#include <linux/dma-map-ops.h>
#include <linux/dma-mapping.h>
#include <linux/mod_devicetable.h>
#include <linux/module.h>
#include <linux/of.h>
#include <linux/platform_device.h>
#include <linux/sizes.h>

#include "zcdma_compat.h"
#include "zcdma_virt.h"

#define DRIVER_NAME	"zcdma-virt"

#define MAX_DEVICES	8

static unsigned int devices;
module_param(devices, uint, 0444);
MODULE_PARM_DESC(devices, "Devices to create beside those of the device tree, 0 to 8 (default 0)");

static struct platform_device *created[MAX_DEVICES];

/* ---- The node ---- */

/* What is in the node of one channel, before it is known to make sense. */
struct chan_node {
	struct device_node *np;
	struct device_node *loopback;
	u32 max_width;
	u32 max_height;
};

static int parse_limits(struct zvirt_chan *vc, struct chan_node *node)
{
	struct device *dev = vc->vdev->dev;
	struct device_node *np = node->np;
	u32 alignment = 1;
	int ret;

	ret = zcdma_of_u32(dev, np, "zcdma,max-segments", 1, SZ_64K, &vc->max_segments) ?:
	      zcdma_of_alignment(dev, np, &alignment);
	if (ret)
		return ret;
	vc->alignment = alignment;

	if (vc->kind == ZCDMA_KIND_VIDEO) {
		node->max_width = ZVIRT_MAX_WIDTH;
		node->max_height = ZVIRT_MAX_HEIGHT;
		return zcdma_of_u32(dev, np, "zcdma,max-width", ZVIRT_MIN_SIZE, ZVIRT_MAX_WIDTH,
				    &node->max_width) ?:
		       zcdma_of_u32(dev, np, "zcdma,max-height", ZVIRT_MIN_SIZE, ZVIRT_MAX_HEIGHT,
				    &node->max_height) ?:
		       zcdma_of_refuse(dev, np, "zcdma,max-transfer", "pcm and raw channels");
	}
	ret = zcdma_of_refuse(dev, np, "zcdma,max-width", "video channels") ?:
	      zcdma_of_refuse(dev, np, "zcdma,max-height", "video channels") ?:
	      zcdma_of_u32(dev, np, "zcdma,max-transfer", 4, ZCDMA_BUFFER_SIZE_MAX,
			   &vc->max_transfer);
	if (ret)
		return ret;
	if (vc->max_transfer && vc->max_transfer < alignment)
		return dev_err_probe(dev, -EINVAL,
				     "%pOF: zcdma,max-transfer (%u) is less than zcdma,alignment (%u)\n",
				     np, vc->max_transfer, alignment);
	return 0;
}

static int parse_chan(struct zvirt_chan *vc, struct chan_node *node)
{
	struct device *dev = vc->vdev->dev;
	struct device_node *np = node->np;
	int ret;

	ret = zcdma_of_chan(dev, np, vc->name, &vc->kind, &vc->direction);
	if (ret)
		return ret;
	ret = parse_limits(vc, node);
	if (ret)
		return ret;

	if (vc->kind == ZCDMA_KIND_RAW || vc->direction != ZCDMA_PLAYBACK)
		return zcdma_of_refuse(dev, np, "zcdma,loopback",
				       "video and pcm playback channels");
	if (!of_property_present(np, "zcdma,loopback"))
		return 0;
	node->loopback = of_parse_phandle(np, "zcdma,loopback", 0);
	if (!node->loopback || of_property_count_u32_elems(np, "zcdma,loopback") != 1)
		return dev_err_probe(dev, -EINVAL,
				     "%pOF: zcdma,loopback must be one reference to a channel node\n",
				     np);
	return 0;
}

/* All channels are known now: connect those that name another. */
static int connect_chan(struct zvirt_dev *vdev, const struct chan_node *nodes, unsigned int index)
{
	struct zvirt_chan *vc = &vdev->chans[index];
	const struct chan_node *node = &nodes[index];

	for (unsigned int i = 0; i < vdev->num_chans; i++) {
		struct zvirt_chan *peer = &vdev->chans[i];

		if (nodes[i].np != node->loopback)
			continue;
		if (peer->kind != vc->kind || peer->direction != ZCDMA_CAPTURE)
			break;
		if (peer->peer)
			return dev_err_probe(vdev->dev, -EINVAL,
					     "%pOF: zcdma,loopback: %s already loops to %s: remove one of the two\n",
					     node->np, peer->peer->name, peer->name);
		vc->peer = peer;
		peer->peer = vc;
		return 0;
	}
	return dev_err_probe(vdev->dev, -EINVAL,
			     "%pOF: zcdma,loopback leads to %pOF: must be an enabled %s capture channel of the same device\n",
			     node->np, node->loopback,
			     vc->kind == ZCDMA_KIND_VIDEO ? "video" : "pcm");
}

/* Sort the channel nodes by reg: that is the order in which users see channels. */
static int find_nodes(struct zvirt_dev *vdev, struct chan_node *nodes)
{
	struct device_node *by_reg[ZVIRT_MAX_CHANS] = {};
	struct device *dev = vdev->dev;
	struct device_node *np;
	u32 reg;
	int ret;

	for_each_available_child_of_node(dev->of_node, np) {
		if (!of_node_name_eq(np, "channel")) {
			ret = dev_err_probe(dev, -EINVAL,
					    "%pOF: unknown node: channels are called channel@N\n",
					    np);
			goto err_put;
		}
		if (!of_property_present(np, "reg")) {
			ret = dev_err_probe(dev, -EINVAL,
					    "%pOF: property reg is missing: use the channel's number\n",
					    np);
			goto err_put;
		}
		ret = zcdma_of_u32(dev, np, "reg", 0, ZVIRT_MAX_CHANS - 1, &reg);
		if (ret)
			goto err_put;
		if (by_reg[reg]) {
			ret = dev_err_probe(dev, -EINVAL, "%pOF: reg %u is also that of %pOF\n",
					    np, reg, by_reg[reg]);
			goto err_put;
		}
		by_reg[reg] = of_node_get(np);
	}

	for (reg = 0; reg < ZVIRT_MAX_CHANS; reg++)
		if (by_reg[reg])
			nodes[vdev->num_chans++].np = by_reg[reg];
	if (!vdev->num_chans)
		return dev_err_probe(dev, -EINVAL,
				     "%pOF: no channels: add a channel@0 node\n", dev->of_node);
	return 0;

err_put:
	of_node_put(np);
	for (reg = 0; reg < ZVIRT_MAX_CHANS; reg++)
		of_node_put(by_reg[reg]);
	return ret;
}

static int parse_node(struct zvirt_dev *vdev)
{
	struct chan_node nodes[ZVIRT_MAX_CHANS] = {};
	int ret;

	if (of_property_read_bool(vdev->dev->of_node, "dma-coherent") &&
	    of_property_read_bool(vdev->dev->of_node, "dma-noncoherent"))
		return dev_err_probe(vdev->dev, -EINVAL,
				     "dma-coherent and dma-noncoherent contradict each other: remove one of the two\n");

	ret = find_nodes(vdev, nodes);
	for (unsigned int i = 0; !ret && i < vdev->num_chans; i++)
		ret = parse_chan(&vdev->chans[i], &nodes[i]);
	for (unsigned int i = 0; !ret && i < vdev->num_chans; i++)
		if (nodes[i].loopback)
			ret = connect_chan(vdev, nodes, i);
	for (unsigned int i = 0; !ret && i < vdev->num_chans; i++) {
		if (vdev->chans[i].kind == ZCDMA_KIND_VIDEO)
			zvirt_video_init(&vdev->chans[i], nodes[i].max_width,
					 nodes[i].max_height);
		else if (vdev->chans[i].kind == ZCDMA_KIND_PCM)
			zvirt_pcm_init(&vdev->chans[i]);
		else
			zvirt_raw_init(&vdev->chans[i]);
	}

	for (unsigned int i = 0; i < ZVIRT_MAX_CHANS; i++) {
		of_node_put(nodes[i].loopback);
		of_node_put(nodes[i].np);
	}
	return ret;
}

/* ---- Without a node ---- */

static void add_default(struct zvirt_dev *vdev, const char *name, enum zcdma_kind kind,
			enum zcdma_direction direction)
{
	struct zvirt_chan *vc = &vdev->chans[vdev->num_chans++];

	strscpy(vc->name, name, sizeof(vc->name));
	vc->kind = kind;
	vc->direction = direction;
	/* Of every two the second plays, and the first hears or sees it. */
	if (kind != ZCDMA_KIND_RAW)
		vc->peer = direction == ZCDMA_CAPTURE ? vc + 1 : vc - 1;
	if (kind == ZCDMA_KIND_VIDEO)
		zvirt_video_init(vc, ZVIRT_MAX_WIDTH, ZVIRT_MAX_HEIGHT);
	else if (kind == ZCDMA_KIND_PCM)
		zvirt_pcm_init(vc);
	else
		zvirt_raw_init(vc);
}

static void set_default(struct zvirt_dev *vdev)
{
	add_default(vdev, "cam0", ZCDMA_KIND_VIDEO, ZCDMA_CAPTURE);
	add_default(vdev, "out0", ZCDMA_KIND_VIDEO, ZCDMA_PLAYBACK);
	add_default(vdev, "raw-in", ZCDMA_KIND_RAW, ZCDMA_CAPTURE);
	add_default(vdev, "raw-out", ZCDMA_KIND_RAW, ZCDMA_PLAYBACK);
	add_default(vdev, "mic0", ZCDMA_KIND_PCM, ZCDMA_CAPTURE);
	add_default(vdev, "spk0", ZCDMA_KIND_PCM, ZCDMA_PLAYBACK);
	/*
	 * Nobody said whether the device is coherent, and arm64 takes it that it is not. But its
	 * DMA is the CPU's own loads and stores.
	 */
	zcdma_set_dma_coherent(vdev->dev, true);
}

/* ---- Probe ---- */

static void unregister(void *data)
{
	struct zvirt_dev *vdev = data;

	zcdma_device_unregister(vdev->zdev);
}

/* @name: NULL: the node has one; else a number is put after it, for nodes may be called the same */
static int zvirt_register(struct zvirt_dev *vdev, const char *name)
{
	struct zcdma_chan_desc descs[ZVIRT_MAX_CHANS] = {};
	const struct zcdma_device_desc device = {
		.parent = vdev->dev,
		.name = name,
		.numbered = name,
		.chans = descs,
		.num_chans = vdev->num_chans,
	};

	for (unsigned int i = 0; i < vdev->num_chans; i++) {
		struct zvirt_chan *vc = &vdev->chans[i];

		descs[i] = (struct zcdma_chan_desc) {
			.name = vc->name,
			.kind = vc->kind,
			.direction = vc->direction,
			.depth = vc->model->depth,
			.max_segments = vc->max_segments,
			.alignment = vc->alignment,
			.max_transfer = vc->max_transfer,
			.priv = vc,
		};
		if (vc->kind == ZCDMA_KIND_VIDEO)
			zvirt_video_describe(vc, &descs[i]);
		else if (vc->kind == ZCDMA_KIND_PCM)
			zvirt_pcm_describe(vc, &descs[i]);
		else
			zvirt_raw_describe(vc, &descs[i]);
	}

	vdev->zdev = zcdma_device_register(&device);
	return PTR_ERR_OR_ZERO(vdev->zdev);
}

static int zvirt_probe(struct platform_device *pdev)
{
	struct device *dev = &pdev->dev;
	struct zvirt_dev *vdev;
	int ret;

	vdev = devm_kzalloc(dev, sizeof(*vdev), GFP_KERNEL);
	if (!vdev)
		return -ENOMEM;
	vdev->dev = dev;
	zvirt_dev_init(vdev);
	for (unsigned int i = 0; i < ZVIRT_MAX_CHANS; i++)
		vdev->chans[i].vdev = vdev;

	/* Made of software: a segment of a scatter list can be as long as it likes. */
	dma_set_max_seg_size(dev, UINT_MAX);
	ret = dma_set_mask_and_coherent(dev, DMA_BIT_MASK(64));
	if (ret)
		return dev_err_probe(dev, ret, "cannot use 64-bit DMA addresses\n");

	if (dev->of_node) {
		ret = parse_node(vdev) ?: zvirt_register(vdev, NULL);
	} else {
		set_default(vdev);
		ret = zvirt_register(vdev, "virt");
	}
	if (ret)
		return ret;
	if (!dev_is_dma_coherent(dev))
		dev_info(dev,
			 "not dma-coherent: for emulators only, its stores go through the caches\n");

	/* Goes with the core's directories, in unregister(). */
	for (unsigned int i = 0; i < vdev->num_chans; i++) {
		struct dentry *dir = zcdma_chan_debugfs(zcdma_device_chan(vdev->zdev, i));

		zvirt_fault_debugfs(&vdev->chans[i], dir);
		zvirt_sink_debugfs(&vdev->chans[i], dir);
	}
	return devm_add_action_or_reset(dev, unregister, vdev);
}

static const struct of_device_id zvirt_of_match[] = {
	{ .compatible = "zcdma,virtual" },
	{ }
};
MODULE_DEVICE_TABLE(of, zvirt_of_match);

static struct platform_driver zvirt_driver = {
	.probe = zvirt_probe,
	.driver = {
		.name = DRIVER_NAME,
		.of_match_table = zvirt_of_match,
	},
};

/* ---- Module ---- */

static void destroy_devices(void)
{
	for (unsigned int i = MAX_DEVICES; i--;)
		platform_device_unregister(created[i]);
}

static int create_devices(void)
{
	struct platform_device_info info = {
		.name = DRIVER_NAME,
		.dma_mask = DMA_BIT_MASK(64),
	};

	for (unsigned int i = 0; i < devices; i++) {
		struct platform_device *pdev;

		info.id = i;
		pdev = platform_device_register_full(&info);
		if (IS_ERR(pdev)) {
			destroy_devices();
			return PTR_ERR(pdev);
		}
		created[i] = pdev;
	}
	return 0;
}

static int __init zvirt_init(void)
{
	int ret;

	if (devices > MAX_DEVICES) {
		pr_err(DRIVER_NAME ": devices=%u: must be 0 to %u\n", devices, MAX_DEVICES);
		return -EINVAL;
	}
	zvirt_video_module_init();
	ret = platform_driver_register(&zvirt_driver);
	if (ret)
		return ret;
	ret = create_devices();
	if (ret)
		platform_driver_unregister(&zvirt_driver);
	return ret;
}
module_init(zvirt_init);

static void __exit zvirt_exit(void)
{
	destroy_devices();
	platform_driver_unregister(&zvirt_driver);
}
module_exit(zvirt_exit);

MODULE_DESCRIPTION("Zero-copy DMA: virtual engine");
MODULE_AUTHOR("The zcdma developers");
MODULE_LICENSE("GPL");
