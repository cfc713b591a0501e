// SPDX-License-Identifier: GPL-2.0-only
/*
 * zcdma_gpio.c - lines of strobe and trigger, and the block of registers that the strobe is in
 *
 * From the device tree: strobe-gpios, trigger-gpios, zcdma,gpio-block, zcdma,gpio-user-mapping,
 * zcdma,strobe-max-us. To programs: the ioctls on /dev/zcdmaN, the GPIO descriptor, sysfs.
 *
 * gpiolib owns the lines: it arbitrates them, sets the direction, and gives the interrupt. The
 * block is only ever written to where that cannot change another line, so that nothing has to be
 * shared with the controller's driver, not even a lock:
 *
 *   PL061 (Arm DDI 0190, 3.3.1)   the data register has 256 addresses: bits 9 to 2 of the address
 *                                 say which lines a write changes
 *   BCM2835 (ARM Peripherals, 6)  GPSET and GPCLR: a line whose bit is 0 stays as it is
 *   gpio-mmio                     "set" and "clr", likewise
 */
#include <linux/anon_inodes.h>
#include <linux/capability.h>
#include <linux/fs.h>
#include <linux/gpio/consumer.h>
#include <linux/mm.h>
#include <linux/of.h>
#include <linux/of_address.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/string_helpers.h>
#include <linux/uaccess.h>

#include <dt-bindings/gpio/gpio.h>

#include "zcdma_gpio.h"

#define PL061_DATA(line)	(BIT(line) << 2)
#define PL061_LINES		8

#define BCM2835_GPSET(line)	(0x1c + (line) / 32 * 4)
#define BCM2835_GPCLR(line)	(0x28 + (line) / 32 * 4)
#define BCM2835_GPLEV(line)	(0x34 + (line) / 32 * 4)
#define BCM2835_LINES		64

#define DEFAULT_LIMIT_US	100000
#define MAX_LIMIT_US		10000000

/* ---- The block ---- */

static const struct of_device_id layouts[] = {
	{ .compatible = "arm,pl061", .data = (void *)ZCDMA_GPIO_PL061 },
	{ .compatible = "brcm,bcm2835-gpio", .data = (void *)ZCDMA_GPIO_BCM2835 },
	{ .compatible = "brcm,bcm2711-gpio", .data = (void *)ZCDMA_GPIO_BCM2835 },
	{ }
};

static void describe_pl061(struct zcdma_gpio_block *block, unsigned int line)
{
	block->set_offset = PL061_DATA(line);
	block->set_value = BIT(line);
	block->clear_offset = PL061_DATA(line);
	block->clear_value = 0;
	block->level_offset = PL061_DATA(line);
	block->level_mask = BIT(line);
}

static void describe_bcm2835(struct zcdma_gpio_block *block, unsigned int line)
{
	block->set_offset = BCM2835_GPSET(line);
	block->set_value = BIT(line % 32);
	block->clear_offset = BCM2835_GPCLR(line);
	block->clear_value = BIT(line % 32);
	block->level_offset = BCM2835_GPLEV(line);
	block->level_mask = BIT(line % 32);
}

/* The registers of gpio-mmio are named, and may be anywhere. */
static int describe_mmio(struct zcdma_gpio_block *block, struct device_node *np, unsigned int line)
{
	struct resource res[3];
	static const char * const names[] = { "set", "clr", "dat" };

	for (unsigned int i = 0; i < ARRAY_SIZE(names); i++) {
		int index = of_property_match_string(np, "reg-names", names[i]);

		if (index < 0 || of_address_to_resource(np, index, &res[i]) ||
		    resource_size(&res[i]) != sizeof(u32))
			return -EINVAL;
	}
	block->start = min3(res[0].start, res[1].start, res[2].start);
	block->size = max3(res[0].end, res[1].end, res[2].end) + 1 - block->start;
	block->set_offset = res[0].start - block->start;
	block->set_value = BIT(line);
	block->clear_offset = res[1].start - block->start;
	block->clear_value = BIT(line);
	block->level_offset = res[2].start - block->start;
	block->level_mask = BIT(line);
	return 0;
}

static int block_describe(struct zcdma_gpio_block *block, struct device_node *np, unsigned int line)
{
	const struct of_device_id *id = of_match_node(layouts, np);
	unsigned int lines = 32;
	struct resource res;

	if (id && !of_address_to_resource(np, 0, &res)) {
		block->layout = (uintptr_t)id->data;
		block->start = res.start;
		block->size = resource_size(&res);
		if (block->layout == ZCDMA_GPIO_PL061) {
			lines = PL061_LINES;
			describe_pl061(block, line % PL061_LINES);
		} else {
			lines = BCM2835_LINES;
			describe_bcm2835(block, line % BCM2835_LINES);
		}
	} else if (!of_property_read_bool(np, "big-endian") &&
		   !describe_mmio(block, np, line % 32)) {
		block->layout = ZCDMA_GPIO_SET_CLEAR;
	} else {
		return -EINVAL;
	}
	return line < lines && block->level_offset < block->size ? 0 : -EINVAL;
}

/* A second node for the block, or for the first of its registers, is no other device. */
static bool is_block(const struct zcdma_gpio_block *block, const struct resource *res)
{
	return res->start == block->start && resource_size(res) <= block->size;
}

/* The node of another device than @own with registers in this range; to be put. */
static struct device_node *find_sharer(const struct zcdma_gpio_block *block,
				       const struct device_node *own, struct resource *range)
{
	struct device_node *np;
	struct resource res;

	for (np = of_find_all_nodes(NULL); np; np = of_find_all_nodes(np)) {
		if (np == own)
			continue;
		for (int i = 0; !of_address_to_resource(np, i, &res); i++) {
			if (resource_type(&res) == IORESOURCE_MEM &&
			    resource_overlaps(&res, range) && !is_block(block, &res))
				return np;
		}
	}
	return NULL;
}

/* How much of the block programs can have: all, or nothing, and then the log says why. */
static void block_allow_mapping(struct zcdma_gpio *gpio, struct device_node *np)
{
	struct zcdma_gpio_block *block = &gpio->block;
	resource_size_t size = PAGE_ALIGN(block->size);
	struct resource range = DEFINE_RES_MEM(block->start, size);
	struct device *dev = gpio->zdev->parent;
	struct device_node *sharer;

	if (!PAGE_ALIGNED(block->start)) {
		dev_warn(dev,
			 "zcdma,gpio-user-mapping: %pOF does not begin at a page of %lu bytes: programs cannot map it\n",
			 np, PAGE_SIZE);
		return;
	}
	sharer = find_sharer(block, np, &range);
	if (sharer) {
		dev_warn(dev,
			 "zcdma,gpio-user-mapping: %pOF shares a page of %lu bytes with %pOF: programs cannot map it\n",
			 np, PAGE_SIZE, sharer);
		of_node_put(sharer);
		return;
	}
	block->map_size = size;
}

/* @strobe: the strobe-gpios of the node. */
static int block_check(struct zcdma_gpio *gpio, struct device_node *np,
		       const struct of_phandle_args *strobe)
{
	struct device *dev = gpio->zdev->parent;

	if (np != strobe->np)
		return dev_err_probe(dev, -EINVAL,
				     "zcdma,gpio-block is %pOF, but strobe-gpios has a line of %pOF: use the same for both, or remove zcdma,gpio-block\n",
				     np, strobe->np);
	if (block_describe(&gpio->block, np, strobe->args[0]))
		return dev_err_probe(dev, -EINVAL,
				     "zcdma,gpio-block: no known registers for line %u in %pOF: needs arm,pl061, brcm,bcm2835-gpio, brcm,bcm2711-gpio, or 32-bit \"set\", \"clr\" and \"dat\"; remove the property to go without\n",
				     strobe->args[0], np);
	return 0;
}

static int block_init(struct zcdma_gpio *gpio)
{
	struct device *dev = gpio->zdev->parent;
	struct zcdma_gpio_block *block = &gpio->block;
	struct of_phandle_args strobe;
	struct device_node *np;
	int ret;

	if (!of_property_present(dev->of_node, "zcdma,gpio-block")) {
		if (of_property_read_bool(dev->of_node, "zcdma,gpio-user-mapping"))
			return dev_err_probe(dev, -EINVAL,
					     "zcdma,gpio-user-mapping without zcdma,gpio-block: add that, or remove this\n");
		return 0;
	}
	if (!gpio->strobe.desc)
		return dev_err_probe(dev, -EINVAL,
				     "zcdma,gpio-block without strobe-gpios: add that, or remove this\n");
	np = of_parse_phandle(dev->of_node, "zcdma,gpio-block", 0);
	if (!np)
		return dev_err_probe(dev, -EINVAL,
				     "zcdma,gpio-block must refer to a GPIO controller\n");
	ret = of_parse_phandle_with_args(dev->of_node, "strobe-gpios", "#gpio-cells", 0, &strobe);
	if (ret)
		goto out_put;
	ret = block_check(gpio, np, &strobe);
	of_node_put(strobe.np);
	if (ret)
		goto out_put;
	/* Not requested: it is the controller's driver that has it. */
	block->base = ioremap(block->start, block->size);
	if (!block->base) {
		ret = -ENOMEM;
		goto out_put;
	}
	if (of_property_read_bool(dev->of_node, "zcdma,gpio-user-mapping"))
		block_allow_mapping(gpio, np);
out_put:
	of_node_put(np);
	return ret;
}

/* ---- Lines ---- */

static int line_get(struct zcdma_gpio *gpio, const char *name, enum gpiod_flags flags,
		    struct gpio_desc **desc)
{
	struct device *dev = gpio->zdev->parent;
	int ret;

	*desc = gpiod_get_optional(dev, name, flags);
	ret = PTR_ERR_OR_ZERO(*desc);
	if (!ret)
		return 0;
	*desc = NULL;
	if (ret == -EBUSY)
		return dev_err_probe(dev, ret,
				     "%s-gpios: somebody has this line already: gpioinfo(1) tells who\n",
				     name);
	return dev_err_probe(dev, ret, "%s-gpios: cannot get the line\n", name);
}

/* What gpiolib would do by the line's direction for each edge is not for interrupts. */
static bool strobe_is_single_ended(const struct device *dev)
{
	struct of_phandle_args strobe;

	if (of_parse_phandle_with_args(dev->of_node, "strobe-gpios", "#gpio-cells", 0, &strobe))
		return false;
	of_node_put(strobe.np);
	/* Flags come last. */
	return strobe.args_count > 1 && strobe.args[strobe.args_count - 1] & GPIO_SINGLE_ENDED;
}

static int lines_get(struct zcdma_gpio *gpio)
{
	static const char * const singular[] = { "strobe-gpio", "trigger-gpio" };
	struct device *dev = gpio->zdev->parent;
	int ret;

	/* gpiolib would take them for the others, nobody else does. */
	for (unsigned int i = 0; i < ARRAY_SIZE(singular); i++)
		if (of_property_present(dev->of_node, singular[i]))
			return dev_err_probe(dev, -EINVAL, "%s must be called %ss\n", singular[i],
					     singular[i]);

	ret = line_get(gpio, "strobe", GPIOD_OUT_LOW, &gpio->strobe.desc) ?:
	      line_get(gpio, "trigger", GPIOD_IN, &gpio->trigger.desc);
	if (ret)
		return ret;
	if (gpio->strobe.desc && gpiod_cansleep(gpio->strobe.desc))
		return dev_err_probe(dev, -EINVAL,
				     "strobe-gpios: this line's controller is behind a slow bus, out of reach for interrupts: use another\n");
	if (gpio->strobe.desc && strobe_is_single_ended(dev))
		return dev_err_probe(dev, -EINVAL,
				     "strobe-gpios: this line is open drain or open source, which takes more than one write for an edge: use a push-pull one\n");
	if (gpio->trigger.desc && !gpio->trigger.present)
		return dev_err_probe(dev, -EINVAL,
				     "trigger-gpios: channel %s cannot be triggered: remove the property\n",
				     gpio->chan->name);
	return 0;
}

static int limit_get(struct zcdma_gpio *gpio, u64 *limit_ns)
{
	struct device *dev = gpio->zdev->parent;
	u32 us = DEFAULT_LIMIT_US;

	if (of_property_present(dev->of_node, "zcdma,strobe-max-us") &&
	    (of_property_count_u32_elems(dev->of_node, "zcdma,strobe-max-us") != 1 ||
	     of_property_read_u32(dev->of_node, "zcdma,strobe-max-us", &us) ||
	     !us || us > MAX_LIMIT_US))
		return dev_err_probe(dev, -EINVAL,
				     "zcdma,strobe-max-us must be one number, 1 to %u\n",
				     MAX_LIMIT_US);
	*limit_ns = us * (u64)NSEC_PER_USEC;
	return 0;
}

/* ---- State, for programs ---- */

static void gpio_state(struct zcdma_gpio *gpio, struct zcdma_gpio_state *state)
{
	*state = (struct zcdma_gpio_state) { };
	zcdma_strobe_state(gpio, state);
	zcdma_trigger_state(gpio, state);
}

/**
 * zcdma_chan_gpio_state() - what strobe and trigger of a channel have done
 * @chan: channel
 * @state: result
 *
 * Process context.
 *
 * Return: 0, -EOPNOTSUPP where it has none, -ENODEV where the device is gone.
 */
int zcdma_chan_gpio_state(struct zcdma_chan *chan, struct zcdma_gpio_state *state)
{
	int ret = 0;

	if (!chan->gpio)
		return -EOPNOTSUPP;
	/* The lines go after the channel. */
	mutex_lock(&chan->mutex);
	if (chan->gone)
		ret = -ENODEV;
	else
		gpio_state(chan->gpio, state);
	mutex_unlock(&chan->mutex);
	return ret;
}
EXPORT_SYMBOL_GPL(zcdma_chan_gpio_state);

u64 zcdma_gpio_features(const struct zcdma_device *zdev)
{
	const struct zcdma_gpio *gpio = zdev->gpio;
	u64 features = 0;

	if (gpio && gpio->strobe.desc)
		features |= ZCDMA_FEATURE_STROBE;
	if (gpio && gpio->trigger.present)
		features |= ZCDMA_FEATURE_TRIGGER;
	if (gpio && gpio->trigger.desc)
		features |= ZCDMA_FEATURE_TRIGGER_LINE;
	return features;
}

/* ---- sysfs: /sys/class/zcdma/zcdmaN/strobe and trigger, to read ---- */

static struct zcdma_gpio *to_gpio(struct device *dev)
{
	return container_of(dev, struct zcdma_device, dev)->gpio;
}

static const char * const strobe_modes[] = {
	[ZCDMA_STROBE_OFF] = "off",
	[ZCDMA_STROBE_EXPOSURE] = "exposure",
	[ZCDMA_STROBE_FIXED] = "fixed",
};

static const char * const trigger_sources[] = {
	[ZCDMA_TRIGGER_SOFTWARE] = "software",
	[ZCDMA_TRIGGER_LINE] = "line",
	[ZCDMA_TRIGGER_TIMER] = "timer",
};

static const char * const trigger_activations[] = {
	[ZCDMA_TRIGGER_RISING] = "rising",
	[ZCDMA_TRIGGER_FALLING] = "falling",
	[ZCDMA_TRIGGER_BOTH] = "both",
};

/* One file: @_value is what it shows of @_struct *v, which @_get fills in. */
#define GPIO_ATTR(_group, _name, _struct, _get, _format, _value) \
static ssize_t _group##_##_name##_show(struct device *dev, struct device_attribute *attr, \
				       char *page) \
{ \
	struct _struct set, *v = &set; \
	\
	_get(to_gpio(dev), v); \
	return sysfs_emit(page, _format "\n", _value); \
} \
static struct device_attribute _group##_##_name##_attr = \
	__ATTR(_name, 0444, _group##_##_name##_show, NULL)

#define STROBE_ATTR(name, format, value) \
	GPIO_ATTR(strobe, name, zcdma_strobe, zcdma_strobe_settings, format, value)
#define STROBE_STATE_ATTR(name, format, value) \
	GPIO_ATTR(strobe, name, zcdma_gpio_state, gpio_state, format, value)
#define TRIGGER_ATTR(name, format, value) \
	GPIO_ATTR(trigger, name, zcdma_trigger, zcdma_trigger_settings, format, value)
#define TRIGGER_STATE_ATTR(name, format, value) \
	GPIO_ATTR(trigger, name, zcdma_gpio_state, gpio_state, format, value)

STROBE_ATTR(mode, "%s", strobe_modes[v->mode]);
STROBE_ATTR(inverted, "%u", v->inverted);
STROBE_ATTR(delay_ns, "%llu", v->delay_ns);
STROBE_ATTR(duration_ns, "%llu", v->duration_ns);
STROBE_ATTR(limit_ns, "%llu", v->limit_ns);
STROBE_STATE_ATTR(active, "%u", !!(v->flags & ZCDMA_GPIO_STROBE_ACTIVE));
STROBE_STATE_ATTR(mapped, "%u", !!(v->flags & ZCDMA_GPIO_STROBE_MAPPED));
STROBE_STATE_ATTR(count, "%llu", v->strobes);
STROBE_STATE_ATTR(missed, "%llu", v->strobes_missed);
STROBE_STATE_ATTR(cut, "%llu", v->strobes_cut);

TRIGGER_ATTR(mode, "%s", str_on_off(v->mode == ZCDMA_TRIGGER_ON));
TRIGGER_ATTR(source, "%s", trigger_sources[v->source]);
TRIGGER_ATTR(activation, "%s", trigger_activations[v->activation]);
TRIGGER_ATTR(divider, "%u", v->divider);
TRIGGER_ATTR(delay_ns, "%llu", v->delay_ns);
TRIGGER_ATTR(period_ns, "%llu", v->period_ns);
TRIGGER_STATE_ATTR(active, "%u", !!(v->flags & ZCDMA_GPIO_TRIGGER_ACTIVE));
TRIGGER_STATE_ATTR(count, "%llu", v->triggers);
TRIGGER_STATE_ATTR(missed, "%llu", v->triggers_missed);

static struct attribute *strobe_attrs[] = {
	&strobe_mode_attr.attr,
	&strobe_inverted_attr.attr,
	&strobe_delay_ns_attr.attr,
	&strobe_duration_ns_attr.attr,
	&strobe_limit_ns_attr.attr,
	&strobe_active_attr.attr,
	&strobe_mapped_attr.attr,
	&strobe_count_attr.attr,
	&strobe_missed_attr.attr,
	&strobe_cut_attr.attr,
	NULL
};

static const struct attribute_group strobe_group = {
	.name = "strobe",
	.attrs = strobe_attrs,
};

static struct attribute *trigger_attrs[] = {
	&trigger_mode_attr.attr,
	&trigger_source_attr.attr,
	&trigger_activation_attr.attr,
	&trigger_divider_attr.attr,
	&trigger_delay_ns_attr.attr,
	&trigger_period_ns_attr.attr,
	&trigger_active_attr.attr,
	&trigger_count_attr.attr,
	&trigger_missed_attr.attr,
	NULL
};

static const struct attribute_group trigger_group = {
	.name = "trigger",
	.attrs = trigger_attrs,
};

static void add_groups(struct zcdma_gpio *gpio)
{
	unsigned int n = 0;

	if (gpio->strobe.desc)
		gpio->groups[n++] = &strobe_group;
	if (gpio->trigger.present)
		gpio->groups[n] = &trigger_group;
	gpio->zdev->dev.groups = gpio->groups;
}

/* ---- The GPIO descriptor ---- */

/**
 * struct gpio_file - an open GPIO descriptor
 * @zdev: referenced
 * @seen: triggers that the program knows of
 */
struct gpio_file {
	struct zcdma_device *zdev;
	u64 seen;
};

static u64 count_triggers(struct zcdma_gpio *gpio)
{
	u64 seen;

	spin_lock_irq(&gpio->trigger.lock);
	seen = gpio->trigger.seen;
	spin_unlock_irq(&gpio->trigger.lock);
	return seen;
}

static int gpio_file_release(struct inode *inode, struct file *file)
{
	struct gpio_file *f = file->private_data;

	put_device(&f->zdev->dev);
	kfree(f);
	return 0;
}

static __poll_t gpio_file_poll(struct file *file, poll_table *wait)
{
	struct gpio_file *f = file->private_data;
	struct zcdma_gpio *gpio = f->zdev->gpio;
	__poll_t events = 0;

	poll_wait(file, &gpio->wait, wait);
	poll_wait(file, &f->zdev->wait, wait);
	if (count_triggers(gpio) != READ_ONCE(f->seen))
		events |= EPOLLIN | EPOLLRDNORM;
	if (READ_ONCE(f->zdev->gone))
		events |= EPOLLHUP | EPOLLERR;
	return events;
}

/* The program's memory is not touched with the lock held: it may be long in coming. */
static long gpio_file_state(struct gpio_file *f, void __user *user)
{
	struct zcdma_device *zdev = f->zdev;
	struct zcdma_gpio_state state;
	bool gone;

	if (down_read_killable(&zdev->gone_lock))
		return -EINTR;
	gone = zdev->gone;
	if (!gone)
		gpio_state(zdev->gpio, &state);
	up_read(&zdev->gone_lock);

	if (gone)
		return -ENODEV;
	if (copy_to_user(user, &state, sizeof(state)))
		return -EFAULT;
	WRITE_ONCE(f->seen, state.triggers);
	return 0;
}

static long gpio_file_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct gpio_file *f = file->private_data;

	if (READ_ONCE(f->zdev->gone))
		return -ENODEV;
	return cmd == ZCDMA_IOC_GPIO_STATE ? gpio_file_state(f, (void __user *)arg) : -ENOTTY;
}

/*
 * The registers are the controller's, and stay where they are when this device leaves; so do
 * mappings, as those of /dev/mem do.
 */
static int gpio_file_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct gpio_file *f = file->private_data;
	const struct zcdma_gpio_block *block = &f->zdev->gpio->block;

	if (READ_ONCE(f->zdev->gone))
		return -ENODEV;
	if (!capable(CAP_SYS_RAWIO))
		return -EPERM;
	if (!block->map_size)
		return -EACCES;
	if (!(vma->vm_flags & VM_SHARED))
		return -EINVAL;
	vma->vm_page_prot = pgprot_noncached(vma->vm_page_prot);
	return vm_iomap_memory(vma, block->start, block->map_size);
}

static const struct file_operations gpio_file_fops = {
	.owner = THIS_MODULE,
	.release = gpio_file_release,
	.poll = gpio_file_poll,
	.mmap = gpio_file_mmap,
	.unlocked_ioctl = gpio_file_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
};

static struct file *gpio_file_create(struct zcdma_device *zdev)
{
	struct gpio_file *f;
	struct file *file;

	f = kzalloc(sizeof(*f), GFP_KERNEL_ACCOUNT);
	if (!f)
		return ERR_PTR(-ENOMEM);
	f->zdev = zdev;
	f->seen = count_triggers(zdev->gpio);
	file = anon_inode_getfile("[zcdma-gpio]", &gpio_file_fops, f, O_RDWR);
	if (IS_ERR(file))
		kfree(f);
	else
		get_device(&zdev->dev);
	return file;
}

/* ---- Ioctls on /dev/zcdmaN ---- */

static long ioctl_open(struct zcdma_device *zdev, struct zcdma_gpio_open *arg,
		       struct zcdma_new_fd *new)
{
	const struct zcdma_gpio_block *block = &zdev->gpio->block;
	struct file *file;

	if (arg->fd_flags & ~O_CLOEXEC || arg->reserved0 ||
	    memchr_inv(arg->reserved, 0, sizeof(arg->reserved)))
		return -EINVAL;
	file = gpio_file_create(zdev);
	if (IS_ERR(file))
		return PTR_ERR(file);
	*arg = (struct zcdma_gpio_open) {
		.fd_flags = arg->fd_flags,
		.fd = zcdma_fd_reserve(new, file, arg->fd_flags),
		.layout = block->layout,
		.map_size = block->map_size,
		.set_offset = block->set_offset,
		.set_value = block->set_value,
		.clear_offset = block->clear_offset,
		.clear_value = block->clear_value,
		.level_offset = block->level_offset,
		.level_mask = block->level_mask,
	};
	return min(arg->fd, 0);
}

static long ioctl_strobe_pulse(struct zcdma_chan *chan, const struct zcdma_strobe_pulse *pulse)
{
	if (memchr_inv(pulse->reserved, 0, sizeof(pulse->reserved)))
		return -EINVAL;
	return zcdma_chan_pulse_strobe(chan, pulse->duration_ns);
}

static long ioctl_state(struct zcdma_chan *chan, struct zcdma_gpio_state *state)
{
	gpio_state(chan->gpio, state);
	return 0;
}

/**
 * zcdma_gpio_ioctl() - the calls for strobe and trigger
 * @zdev: device; the caller keeps it from going
 * @cmd: any command
 * @arg: its argument, and the result
 * @new: the descriptor that it makes, if any
 *
 * Return: its result, -ENOTTY where it is none of these calls.
 */
long zcdma_gpio_ioctl(struct zcdma_device *zdev, unsigned int cmd, union zcdma_ioctl_arg *arg,
		      struct zcdma_new_fd *new)
{
	struct zcdma_chan *chan = zdev->gpio ? zdev->gpio->chan : NULL;

	switch (cmd) {
	case ZCDMA_IOC_TRIGGER_GET:
		return chan ? zcdma_chan_get_trigger(chan, &arg->trigger) : -EOPNOTSUPP;
	case ZCDMA_IOC_TRIGGER_SET:
		return chan ? zcdma_chan_set_trigger(chan, &arg->trigger) : -EOPNOTSUPP;
	case ZCDMA_IOC_TRIGGER_SOFTWARE:
		return chan ? zcdma_chan_software_trigger(chan) : -EOPNOTSUPP;
	case ZCDMA_IOC_STROBE_GET:
		return chan ? zcdma_chan_get_strobe(chan, &arg->strobe) : -EOPNOTSUPP;
	case ZCDMA_IOC_STROBE_SET:
		return chan ? zcdma_chan_set_strobe(chan, &arg->strobe) : -EOPNOTSUPP;
	case ZCDMA_IOC_STROBE_PULSE:
		return chan ? ioctl_strobe_pulse(chan, &arg->strobe_pulse) : -EOPNOTSUPP;
	case ZCDMA_IOC_GPIO_STATE:
		return chan ? ioctl_state(chan, &arg->gpio_state) : -EOPNOTSUPP;
	case ZCDMA_IOC_GPIO_OPEN:
		return chan ? ioctl_open(zdev, &arg->gpio_open, new) : -EOPNOTSUPP;
	default:
		return -ENOTTY;
	}
}

/* ---- Suspend ---- */

void zcdma_gpio_block(struct zcdma_device *zdev, bool blocked)
{
	if (!zdev->gpio)
		return;
	/* No trigger is to start a frame without its strobe. */
	if (blocked)
		zcdma_trigger_block(zdev->gpio, true);
	zcdma_strobe_block(zdev->gpio, blocked);
	if (!blocked)
		zcdma_trigger_block(zdev->gpio, false);
}

/* ---- Birth and death ---- */

static struct zcdma_chan *find_chan(struct zcdma_device *zdev)
{
	struct zcdma_chan *found = NULL;

	for (unsigned int i = 0; i < zdev->num_chans; i++) {
		struct zcdma_chan *chan = zdev->chans[i];

		if (chan->desc.direction != ZCDMA_CAPTURE)
			continue;
		if (chan->desc.kind == ZCDMA_KIND_VIDEO)
			return chan;
		found = found ?: chan;
	}
	return found;
}

static int check_without_channel(struct zcdma_device *zdev)
{
	static const char * const properties[] = {
		"strobe-gpios", "trigger-gpios", "zcdma,gpio-block",
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(properties); i++)
		if (of_property_present(zdev->parent->of_node, properties[i]))
			return dev_err_probe(zdev->parent, -EINVAL,
					     "%s is for devices with a capture channel: remove it\n",
					     properties[i]);
	return 0;
}

static void lines_put(struct zcdma_gpio *gpio)
{
	if (gpio->block.base)
		iounmap(gpio->block.base);
	gpiod_put(gpio->trigger.desc);
	gpiod_put(gpio->strobe.desc);
}

/**
 * zcdma_gpio_init() - find out what the device tree says of strobe and trigger
 * @zdev: a device that nobody knows of yet, with its channels
 *
 * Return: 0, also where there is neither, or an error that has been reported as probe's.
 */
int zcdma_gpio_init(struct zcdma_device *zdev)
{
	struct zcdma_chan *chan = find_chan(zdev);
	struct zcdma_gpio *gpio;
	u64 limit_ns = 0;
	int ret;

	if (!chan)
		return check_without_channel(zdev);
	gpio = kzalloc(sizeof(*gpio), GFP_KERNEL);
	if (!gpio)
		return -ENOMEM;
	gpio->zdev = zdev;
	gpio->chan = chan;
	gpio->trigger.present = chan->desc.ops->trigger;
	init_waitqueue_head(&gpio->wait);
	ret = lines_get(gpio) ?: limit_get(gpio, &limit_ns) ?: block_init(gpio) ?:
	      zcdma_trigger_init(gpio);
	if (ret)
		goto err_put;
	ret = zcdma_strobe_init(gpio, limit_ns);
	if (ret)
		goto err_trigger;
	if (!gpio->strobe.desc && !gpio->trigger.present) {
		zcdma_trigger_exit(gpio);
		kfree(gpio);
		return 0;
	}
	add_groups(gpio);
	zdev->gpio = gpio;
	chan->gpio = gpio;
	return 0;

err_trigger:
	zcdma_trigger_exit(gpio);
err_put:
	lines_put(gpio);
	kfree(gpio);
	return ret;
}

/**
 * zcdma_gpio_exit() - give lines, interrupt and registers back
 * @zdev: a device whose channels are gone, and which is no longer in sysfs
 *
 * The strobe line is inactive. What becomes of it is the controller's: most leave it as it is, that
 * of BCM2835 makes it an input.
 */
void zcdma_gpio_exit(struct zcdma_device *zdev)
{
	if (!zdev->gpio)
		return;
	zcdma_trigger_exit(zdev->gpio);
	zcdma_strobe_exit(zdev->gpio);
	lines_put(zdev->gpio);
}
