// SPDX-License-Identifier: GPL-2.0-only
/*
 * What an edge of an output costs: by gpiolib, and by the write that the driver makes instead.
 *
 * For QEMU's icount, where a ns is an instruction, and for line 0 of the PL061 of its machine virt.
 * The results are read as module parameters, in thousandths of an instruction.
 */
#include <linux/err.h>
#include <linux/gpio/consumer.h>
#include <linux/gpio/machine.h>
#include <linux/module.h>
#include <linux/platform_device.h>

#include "../../driver/zcdma_gpio.h"

#define PL061_BASE	0x9030000
#define PL061_DATA_0	0x4
#define EDGES		1000

static ulong gpiod;
module_param(gpiod, ulong, 0444);
MODULE_PARM_DESC(gpiod, "gpiod_set_value()");

static ulong block;
module_param(block, ulong, 0444);
MODULE_PARM_DESC(block, "zcdma_gpio_write()");

static struct gpiod_lookup_table lines = {
	.dev_id = "zcdma-gpio-cost",
	.table = {
		GPIO_LOOKUP("9030000.pl061", 0, NULL, GPIO_ACTIVE_HIGH),
		{ }
	},
};

/* Time of EDGES runs of @_statement, in which i counts, with its share of the loop. */
#define measure(_statement) ({ \
	ktime_t begin_; \
	u64 ns_; \
	\
	local_irq_disable(); \
	begin_ = ktime_get(); \
	for (unsigned int i = 0; i < EDGES; i++) { \
		_statement; \
		barrier(); \
	} \
	ns_ = ktime_get() - begin_; \
	local_irq_enable(); \
	ns_; \
})

static int __init zcdma_gpio_cost_init(void)
{
	struct zcdma_gpio_write edge[2] = { };
	struct platform_device *pdev;
	struct gpio_desc *desc;
	void __iomem *base;
	u64 loop;
	int ret;

	gpiod_add_lookup_table(&lines);
	pdev = platform_device_register_simple(lines.dev_id, PLATFORM_DEVID_NONE, NULL, 0);
	if (IS_ERR(pdev)) {
		ret = PTR_ERR(pdev);
		goto out_table;
	}
	desc = gpiod_get(&pdev->dev, NULL, GPIOD_OUT_LOW);
	if (IS_ERR(desc)) {
		ret = PTR_ERR(desc);
		goto out_device;
	}
	base = ioremap(PL061_BASE, SZ_4K);
	if (!base) {
		ret = -ENOMEM;
		goto out_line;
	}
	edge[0].reg = base + PL061_DATA_0;
	edge[1].reg = base + PL061_DATA_0;
	edge[1].value = 1;

	loop = measure();
	gpiod = measure(gpiod_set_value(desc, i & 1)) - loop;
	block = measure(zcdma_gpio_write(&edge[i & 1])) - loop;
	iounmap(base);
	ret = 0;
out_line:
	gpiod_put(desc);
out_device:
	platform_device_unregister(pdev);
out_table:
	gpiod_remove_lookup_table(&lines);
	return ret;
}
module_init(zcdma_gpio_cost_init);

static void __exit zcdma_gpio_cost_exit(void)
{
}
module_exit(zcdma_gpio_cost_exit);

MODULE_DESCRIPTION("Cost of an output's edge, for the tests of zcdma");
MODULE_LICENSE("GPL");
