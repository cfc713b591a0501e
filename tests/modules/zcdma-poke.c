// SPDX-License-Identifier: GPL-2.0-only
/*
 * Hold a register of a device at another value for as long as this module is loaded, to see what
 * happens when hardware stops to answer. /dev/mem does not reach a register that a driver has.
 */
#include <linux/io.h>
#include <linux/module.h>

static unsigned long address;
module_param(address, ulong, 0);
MODULE_PARM_DESC(address, "physical address of the 32-bit register");

static unsigned int value;
module_param(value, uint, 0);
MODULE_PARM_DESC(value, "what to write to it");

static void __iomem *mapping;
static u32 before;

static int __init zcdma_poke_init(void)
{
	if (!address || !IS_ALIGNED(address, sizeof(u32)))
		return -EINVAL;
	mapping = ioremap(address, sizeof(u32));
	if (!mapping)
		return -ENOMEM;
	before = readl(mapping);
	writel(value, mapping);
	return 0;
}
module_init(zcdma_poke_init);

static void __exit zcdma_poke_exit(void)
{
	writel(before, mapping);
	iounmap(mapping);
}
module_exit(zcdma_poke_exit);

MODULE_DESCRIPTION("Register of a device held at a value, for the tests of zcdma");
MODULE_LICENSE("GPL");
