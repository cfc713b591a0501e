// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * gpio.c - strobe and trigger, and the GPIO block
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "internal.h"

/**
 * struct zcdma_gpio - strobe and trigger of a device
 * @info: what the kernel said, with the descriptor
 * @block: for the program; its registers are NULL while they are not mapped
 */
struct zcdma_gpio {
	struct zcdma_gpio_open info;
	struct zcdma_gpio_block block;
};

/* ---- Settings ---- */

int zcdma_device_get_strobe(struct zcdma_device *device, struct zcdma_strobe *strobe)
{
	return zcdma_xioctl(device->fd, ZCDMA_IOC_STROBE_GET, strobe);
}

int zcdma_device_set_strobe(struct zcdma_device *device, const struct zcdma_strobe *strobe)
{
	return zcdma_xioctl(device->fd, ZCDMA_IOC_STROBE_SET, (void *)strobe);
}

int zcdma_device_pulse_strobe(struct zcdma_device *device, uint64_t duration_ns)
{
	struct zcdma_strobe_pulse pulse = { .duration_ns = duration_ns };

	return zcdma_xioctl(device->fd, ZCDMA_IOC_STROBE_PULSE, &pulse);
}

int zcdma_device_get_trigger(struct zcdma_device *device, struct zcdma_trigger *trigger)
{
	return zcdma_xioctl(device->fd, ZCDMA_IOC_TRIGGER_GET, trigger);
}

int zcdma_device_set_trigger(struct zcdma_device *device, const struct zcdma_trigger *trigger)
{
	return zcdma_xioctl(device->fd, ZCDMA_IOC_TRIGGER_SET, (void *)trigger);
}

int zcdma_device_software_trigger(struct zcdma_device *device)
{
	return zcdma_xioctl(device->fd, ZCDMA_IOC_TRIGGER_SOFTWARE, NULL);
}

int zcdma_device_get_gpio_state(struct zcdma_device *device, struct zcdma_gpio_state *state)
{
	return zcdma_xioctl(device->fd, ZCDMA_IOC_GPIO_STATE, state);
}

/* ---- The GPIO descriptor ---- */

int zcdma_device_open_gpio(struct zcdma_device *device, struct zcdma_gpio **gpio)
{
	struct zcdma_gpio *g = calloc(1, sizeof(*g));
	int ret;

	if (!g)
		return -ENOMEM;
	g->info.fd_flags = O_CLOEXEC;
	ret = zcdma_xioctl(device->fd, ZCDMA_IOC_GPIO_OPEN, &g->info);
	if (ret) {
		free(g);
		return ret;
	}
	*gpio = g;
	return 0;
}

void zcdma_gpio_close(struct zcdma_gpio *gpio)
{
	if (!gpio)
		return;
	zcdma_gpio_unmap(gpio);
	close(gpio->info.fd);
	free(gpio);
}

int zcdma_gpio_fd(const struct zcdma_gpio *gpio)
{
	return gpio->info.fd;
}

int zcdma_gpio_get_state(struct zcdma_gpio *gpio, struct zcdma_gpio_state *state)
{
	return zcdma_xioctl(gpio->info.fd, ZCDMA_IOC_GPIO_STATE, state);
}

/* ---- The block ---- */

static volatile uint32_t *register_at(char *registers, uint32_t offset)
{
	return (volatile uint32_t *)(void *)(registers + offset);
}

int zcdma_gpio_map(struct zcdma_gpio *gpio, const struct zcdma_gpio_block **block)
{
	const struct zcdma_gpio_open *info = &gpio->info;
	struct zcdma_gpio_block *b = &gpio->block;
	char *registers;

	if (info->layout == ZCDMA_GPIO_NO_BLOCK)
		return -ENOTSUP;
	if (!info->map_size)
		return -EACCES;
	if (!b->registers) {
		registers = mmap(NULL, info->map_size, PROT_READ | PROT_WRITE, MAP_SHARED, info->fd, 0);
		if (registers == MAP_FAILED)
			return -errno;
		*b = (struct zcdma_gpio_block) {
			.registers = registers,
			.size = info->map_size,
			.set = register_at(registers, info->set_offset),
			.clear = register_at(registers, info->clear_offset),
			.level = register_at(registers, info->level_offset),
			.set_value = info->set_value,
			.clear_value = info->clear_value,
			.level_mask = info->level_mask,
			.layout = info->layout,
		};
	}
	*block = b;
	return 0;
}

void zcdma_gpio_unmap(struct zcdma_gpio *gpio)
{
	if (!gpio->block.registers)
		return;
	munmap((void *)gpio->block.registers, gpio->block.size);
	gpio->block.registers = NULL;
}
