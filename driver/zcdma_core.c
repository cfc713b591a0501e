// SPDX-License-Identifier: GPL-2.0-only
/*
 * zcdma_core.c - devices: registration by engines, and the end of it
 *
 * A device comes to life in one call of its engine and leaves in another. What leaves first is
 * the way in: "gone" is set under gone_lock, so no call from user space is under way when the
 * engine is let go; then front ends unbind, then the channels are stopped, then the nodes vanish,
 * then strobe and trigger give their lines back.
 * The struct itself stays until the last file, buffer and channel reference is dropped.
 */
#include <linux/ctype.h>
#include <linux/debugfs.h>
#include <linux/idr.h>
#include <linux/log2.h>
#include <linux/module.h>
#include <linux/nospec.h>
#include <linux/of.h>
#include <linux/slab.h>

#include "zcdma_gpio.h"

#define CREATE_TRACE_POINTS
#include "zcdma_trace.h"

#define ZCDMA_MAX_DEVICES	64

static DEFINE_IDA(device_ida);
static dev_t devt_base;

/* Protects names_in_use. */
static DEFINE_MUTEX(names_lock);
static LIST_HEAD(names_in_use);

struct name_entry {
	struct list_head node;
	const struct zcdma_device *zdev;
};

static struct zcdma_device *to_zdev(struct device *dev)
{
	return container_of(dev, struct zcdma_device, dev);
}

/* ---- sysfs ---- */

static ssize_t name_show(struct device *dev, struct device_attribute *attr, char *page)
{
	return sysfs_emit(page, "%s\n", to_zdev(dev)->name);
}
static DEVICE_ATTR_RO(name);

static ssize_t driver_name_show(struct device *dev, struct device_attribute *attr, char *page)
{
	return sysfs_emit(page, "%s\n", to_zdev(dev)->driver);
}
static DEVICE_ATTR_RO(driver_name);

static struct attribute *device_attrs[] = {
	&dev_attr_name.attr,
	&dev_attr_driver_name.attr,
	NULL
};
ATTRIBUTE_GROUPS(device);

static void device_release(struct device *dev)
{
	struct zcdma_device *zdev = to_zdev(dev);

	kfree(zdev->gpio);
	put_device(zdev->mem);
	put_device(zdev->parent);
	if (zdev->id >= 0)
		ida_free(&device_ida, zdev->id);
	mutex_destroy(&zdev->buf_lock);
	kfree(zdev);
}

/*
 * What channels do is their engine's to suspend. Strobe and trigger must be quiet before it is, and
 * until it is back: as those of the engine's child, these calls come at the right time.
 */
static int device_suspend_gpio(struct device *dev)
{
	zcdma_gpio_block(to_zdev(dev), true);
	return 0;
}

static int device_resume_gpio(struct device *dev)
{
	zcdma_gpio_block(to_zdev(dev), false);
	return 0;
}

static DEFINE_SIMPLE_DEV_PM_OPS(device_pm_ops, device_suspend_gpio, device_resume_gpio);

static ZCDMA_CLASS_CONST struct class zcdma_class = {
	.name = "zcdma",
	.dev_groups = device_groups,
	.dev_release = device_release,
	.pm = pm_sleep_ptr(&device_pm_ops),
};

/* ---- Names ---- */

static bool name_is_valid(const char *name)
{
	size_t len = strlen(name);

	if (!len || len >= ZCDMA_NAME_LEN || name[0] == '.')
		return false;
	for (; *name; name++)
		if (!isalnum(*name) && !strchr("._-", *name))
			return false;
	return true;
}

static bool name_in_use(const char *name)
{
	struct name_entry *entry;

	lockdep_assert_held(&names_lock);

	list_for_each_entry(entry, &names_in_use, node)
		if (!strcmp(entry->zdev->name, name))
			return true;
	return false;
}

/*
 * Names become links below /dev/zcdma: two devices must not have the same. @numbered: make it so,
 * by a number.
 */
static int name_claim(struct zcdma_device *zdev, bool numbered)
{
	size_t len = strlen(zdev->name);
	struct name_entry *entry;
	int ret = 0;

	entry = kzalloc(sizeof(*entry), GFP_KERNEL);
	if (!entry)
		return -ENOMEM;
	entry->zdev = zdev;

	mutex_lock(&names_lock);
	for (unsigned int n = 0; numbered; n++) {
		snprintf(zdev->name + len, sizeof(zdev->name) - len, "%u", n);
		if (!name_in_use(zdev->name))
			break;
	}
	if (name_in_use(zdev->name))
		ret = -EEXIST;
	else
		list_add(&entry->node, &names_in_use);
	mutex_unlock(&names_lock);

	if (ret) {
		kfree(entry);
		dev_err_probe(zdev->parent, ret,
			      "another zcdma device is called %s: give this one a label property of its own\n",
			      zdev->name);
	}
	return ret;
}

static void name_release(struct zcdma_device *zdev)
{
	struct name_entry *entry, *next;

	mutex_lock(&names_lock);
	list_for_each_entry_safe(entry, next, &names_in_use, node) {
		if (entry->zdev == zdev) {
			list_del(&entry->node);
			kfree(entry);
		}
	}
	mutex_unlock(&names_lock);
}

static int name_set(struct zcdma_device *zdev, const char *name)
{
	struct device_node *np = zdev->parent->of_node;
	char from_node[ZCDMA_NAME_LEN];

	if (!name && of_property_read_string(np, "label", &name)) {
		snprintf(from_node, sizeof(from_node), "%pOFn", np);
		name = np ? from_node : dev_name(zdev->parent);
	}
	if (!name_is_valid(name))
		return dev_err_probe(zdev->parent, -EINVAL,
				     "\"%s\" cannot be a device name: use 1 to %d of A-Z a-z 0-9 . _ - in the label property\n",
				     name, ZCDMA_NAME_LEN - 1);
	strscpy(zdev->name, name, sizeof(zdev->name));
	return 0;
}

/* ---- What engines say ---- */

static int check_chan(struct device *parent, const struct zcdma_device_desc *desc,
		      unsigned int index)
{
	const struct zcdma_chan_desc *chan = &desc->chans[index];

	if (!name_is_valid(chan->name))
		return dev_err_probe(parent, -EINVAL,
				     "\"%s\" cannot be a channel name: use 1 to %d of A-Z a-z 0-9 . _ - in the label property\n",
				     chan->name, ZCDMA_NAME_LEN - 1);
	for (unsigned int i = 0; i < index; i++)
		if (!strcmp(desc->chans[i].name, chan->name))
			return dev_err_probe(parent, -EINVAL,
					     "two channels are called %s: give one another label\n",
					     chan->name);
	if (chan->alignment && !is_power_of_2(chan->alignment))
		return dev_err_probe(parent, -EINVAL,
				     "channel %s: alignment %u is not a power of two\n",
				     chan->name, chan->alignment);
	/* What is left is between us and the engine's author. */
	if (WARN_ON(!chan->depth || !chan->ops || !chan->ops->start || !chan->ops->stop ||
		    !chan->ops->submit || (chan->num_ctrls && !chan->ops->set_ctrl)))
		return -EINVAL;
	if (WARN_ON(chan->ops->trigger && !chan->ops->set_triggered))
		return -EINVAL;
	if (WARN_ON(chan->kind == ZCDMA_KIND_VIDEO && (!chan->video || !chan->ops->set_video)))
		return -EINVAL;
	if (WARN_ON(chan->kind == ZCDMA_KIND_PCM && (!chan->pcm || !chan->ops->set_pcm)))
		return -EINVAL;
	return 0;
}

/* ---- Registration ---- */

/* Front ends leave while the engine still works: they stop in their own way, and wake who waits. */
static void remove_chans(struct zcdma_device *zdev)
{
	for (unsigned int i = zdev->num_chans; i--;)
		zcdma_chan_del_aux(zdev->chans[i]);
	for (unsigned int i = zdev->num_chans; i--;)
		zcdma_chan_set_gone(zdev->chans[i]);
	for (unsigned int i = zdev->num_chans; i--;)
		zcdma_chan_del(zdev->chans[i]);
}

/* PCM channels are one sound card together: their first one stands for them all. */
static bool needs_aux(struct zcdma_device *zdev, unsigned int index)
{
	if (zdev->chans[index]->desc.kind != ZCDMA_KIND_PCM)
		return true;
	while (index--)
		if (zdev->chans[index]->desc.kind == ZCDMA_KIND_PCM)
			return false;
	return true;
}

static int add_chans(struct zcdma_device *zdev)
{
	unsigned int added = 0;
	int ret;

	for (; added < zdev->num_chans; added++) {
		ret = zcdma_chan_add(zdev->chans[added]);
		if (ret)
			goto err_del;
	}
	/* Front ends may bind, and be used, from here on. */
	for (unsigned int i = 0; i < zdev->num_chans; i++) {
		ret = needs_aux(zdev, i) ? zcdma_chan_add_aux(zdev->chans[i]) : 0;
		if (ret) {
			while (i--)
				zcdma_chan_del_aux(zdev->chans[i]);
			goto err_del;
		}
	}
	return 0;

err_del:
	/* The node is there already: a program may have started any of them. */
	for (unsigned int i = 0; i < zdev->num_chans; i++)
		zcdma_chan_set_gone(zdev->chans[i]);
	while (added--)
		zcdma_chan_del(zdev->chans[added]);
	return ret;
}

static void put_chans(struct zcdma_device *zdev)
{
	for (unsigned int i = 0; i < zdev->num_chans; i++)
		if (zdev->chans[i])
			zcdma_chan_put(zdev->chans[i]);
}

static void set_gone(struct zcdma_device *zdev)
{
	down_write(&zdev->gone_lock);
	/* Pollers look without the lock. */
	WRITE_ONCE(zdev->gone, true);
	up_write(&zdev->gone_lock);
	wake_up_all(&zdev->wait);
}

/**
 * zcdma_device_register() - bring a device to life
 * @desc: what it is; read during the call only, but see struct zcdma_chan_desc for what its
 *	channels point to
 *
 * Channels can be used, and engine ops called, before this returns. Process context, from probe.
 *
 * Return: the device, for zcdma_device_unregister(), or ERR_PTR(); the reason has been reported.
 */
struct zcdma_device *zcdma_device_register(const struct zcdma_device_desc *desc)
{
	struct zcdma_device *zdev;
	int ret;

	if (WARN_ON(!desc->num_chans))
		return ERR_PTR(-EINVAL);
	for (unsigned int i = 0; i < desc->num_chans; i++) {
		ret = check_chan(desc->parent, desc, i);
		if (ret)
			return ERR_PTR(ret);
	}

	zdev = kzalloc(struct_size(zdev, chans, desc->num_chans), GFP_KERNEL);
	if (!zdev)
		return ERR_PTR(-ENOMEM);
	zdev->num_chans = desc->num_chans;
	zdev->id = -1;
	zdev->parent = get_device(desc->parent);
	init_rwsem(&zdev->gone_lock);
	init_waitqueue_head(&zdev->wait);
	mutex_init(&zdev->buf_lock);
	INIT_LIST_HEAD(&zdev->bufs);
	spin_lock_init(&zdev->clock_lock);
	INIT_LIST_HEAD(&zdev->clock);
	strscpy(zdev->driver, dev_driver_string(desc->parent), sizeof(zdev->driver));
	device_initialize(&zdev->dev);
	zdev->dev.class = &zcdma_class;
	zdev->dev.parent = desc->parent;

	ret = ida_alloc_max(&device_ida, ZCDMA_MAX_DEVICES - 1, GFP_KERNEL);
	if (ret < 0)
		goto err_put;
	zdev->id = ret;
	zdev->dev.devt = MKDEV(MAJOR(devt_base), zdev->id);
	ret = dev_set_name(&zdev->dev, "zcdma%d", zdev->id) ?: name_set(zdev, desc->name);
	if (ret)
		goto err_put;
	ret = zcdma_mem_create(zdev, desc->dma_dev ?: desc->parent);
	if (ret)
		goto err_put;
	for (unsigned int i = 0; i < desc->num_chans; i++) {
		zdev->chans[i] = zcdma_chan_create(zdev, i, &desc->chans[i]);
		if (!zdev->chans[i]) {
			ret = -ENOMEM;
			goto err_chans;
		}
	}

	ret = zcdma_gpio_init(zdev);
	if (ret)
		goto err_chans;
	ret = name_claim(zdev, desc->numbered);
	if (ret)
		goto err_gpio;
	zcdma_debugfs_add(zdev);
	cdev_init(&zdev->cdev, &zcdma_chrdev_fops);
	zdev->cdev.owner = THIS_MODULE;
	ret = cdev_device_add(&zdev->cdev, &zdev->dev);
	if (ret)
		goto err_debugfs;
	ret = add_chans(zdev);
	if (ret)
		goto err_cdev;
	return zdev;

err_cdev:
	set_gone(zdev);
	cdev_device_del(&zdev->cdev, &zdev->dev);
err_debugfs:
	debugfs_remove_recursive(zdev->debugfs);
	name_release(zdev);
err_gpio:
	zcdma_gpio_exit(zdev);
err_chans:
	put_chans(zdev);
err_put:
	put_device(&zdev->dev);
	return ERR_PTR(ret);
}
EXPORT_SYMBOL_GPL(zcdma_device_register);

/**
 * zcdma_device_unregister() - let a device go
 * @zdev: from zcdma_device_register()
 *
 * On return no engine op runs or will run, and the engine must not touch @zdev again. Process
 * context, from remove.
 */
void zcdma_device_unregister(struct zcdma_device *zdev)
{
	set_gone(zdev);
	remove_chans(zdev);
	cdev_device_del(&zdev->cdev, &zdev->dev);
	debugfs_remove_recursive(zdev->debugfs);
	name_release(zdev);
	zcdma_gpio_exit(zdev);
	put_chans(zdev);
	put_device(&zdev->dev);
}
EXPORT_SYMBOL_GPL(zcdma_device_unregister);

/**
 * zcdma_device_name() - the unique name of a device
 * @zdev: device
 */
const char *zcdma_device_name(const struct zcdma_device *zdev)
{
	return zdev->name;
}
EXPORT_SYMBOL_GPL(zcdma_device_name);

/**
 * zcdma_device_driver() - the name of the engine's driver
 * @zdev: device
 */
const char *zcdma_device_driver(const struct zcdma_device *zdev)
{
	return zdev->driver;
}
EXPORT_SYMBOL_GPL(zcdma_device_driver);

/**
 * zcdma_device_debugfs() - directory of a device in debugfs, removed with it
 * @zdev: device
 */
struct dentry *zcdma_device_debugfs(struct zcdma_device *zdev)
{
	return zdev->debugfs;
}
EXPORT_SYMBOL_GPL(zcdma_device_debugfs);

/**
 * zcdma_device_chan() - channel by number
 * @zdev: device
 * @index: in the order of zcdma_device_desc::chans
 *
 * Return: the channel, valid until zcdma_device_unregister() returns, or NULL.
 */
struct zcdma_chan *zcdma_device_chan(struct zcdma_device *zdev, unsigned int index)
{
	/* Programs say which. */
	if (index >= zdev->num_chans)
		return NULL;
	return zdev->chans[array_index_nospec(index, zdev->num_chans)];
}
EXPORT_SYMBOL_GPL(zcdma_device_chan);

/* ---- Module ---- */

static int __init zcdma_init(void)
{
	int ret;

	ret = class_register(&zcdma_class);
	if (ret)
		return ret;
	ret = class_register(&zcdma_chan_class);
	if (ret)
		goto err_class;
	ret = alloc_chrdev_region(&devt_base, 0, ZCDMA_MAX_DEVICES, "zcdma");
	if (ret)
		goto err_chan_class;
	zcdma_debugfs_init();
	return 0;

err_chan_class:
	class_unregister(&zcdma_chan_class);
err_class:
	class_unregister(&zcdma_class);
	return ret;
}
module_init(zcdma_init);

static void __exit zcdma_exit(void)
{
	zcdma_debugfs_exit();
	unregister_chrdev_region(devt_base, ZCDMA_MAX_DEVICES);
	class_unregister(&zcdma_chan_class);
	class_unregister(&zcdma_class);
}
module_exit(zcdma_exit);

MODULE_DESCRIPTION("Zero-copy DMA core: devices, channels, buffers");
MODULE_AUTHOR("The zcdma developers");
MODULE_LICENSE("GPL");
ZCDMA_IMPORT_NS_DMA_BUF;
