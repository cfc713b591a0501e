/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A flash for every frame: strobe [NAME]
 *
 * Each frame is taken when this program says so, and the lamp on the strobe line is lit for as long
 * as it is exposed: by the kernel, in the interrupt, whatever this program does meanwhile.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <zcdma.h>

#define FRAMES	20

static int run(struct zcdma_stream *s, struct zcdma_device *d)
{
	struct zcdma_gpio_state before, after;
	struct zcdma_buffer *b;
	int ret;

	ret = zcdma_device_get_gpio_state(d, &before);
	if (!ret)
		ret = zcdma_start(s);
	for (int n = 0; n < FRAMES && !ret; n++) {
		ret = zcdma_device_software_trigger(d);
		if (!ret)
			ret = zcdma_acquire(s, &b, 5000);
		if (!ret)
			ret = zcdma_release(s, b);
	}
	if (!ret)
		ret = zcdma_device_get_gpio_state(d, &after);
	if (!ret)
		printf("%d frames, %llu strobes\n", FRAMES,
		       (unsigned long long)(after.strobes - before.strobes));
	return ret;
}

int main(int argc, char **argv)
{
	struct zcdma_trigger trigger, old_trigger;
	struct zcdma_strobe strobe, old_strobe;
	struct zcdma_stream *s = NULL;
	struct zcdma_device *d;
	int ret;

	ret = zcdma_open(&s, argv[1], NULL);
	if (!ret)
		ret = zcdma_get_device(s, &d);
	if (!ret)
		ret = zcdma_device_get_trigger(d, &old_trigger);
	if (!ret)
		ret = zcdma_device_get_strobe(d, &old_strobe);
	if (!ret) {
		trigger = old_trigger;
		trigger.mode = ZCDMA_TRIGGER_ON;
		trigger.source = ZCDMA_TRIGGER_SOFTWARE;
		strobe = old_strobe;
		strobe.mode = ZCDMA_STROBE_EXPOSURE;
		strobe.delay_ns = 0;
		ret = zcdma_device_set_trigger(d, &trigger);
		if (!ret)
			ret = zcdma_device_set_strobe(d, &strobe);
		if (!ret)
			ret = run(s, d);
		/* Without its trigger, a camera that runs goes on by itself. */
		zcdma_stop(s);
		/* Settings outlive the program. */
		zcdma_device_set_trigger(d, &old_trigger);
		zcdma_device_set_strobe(d, &old_strobe);
	}
	zcdma_close(s);
	if (ret == -ENOTSUP)
		fprintf(stderr, "strobe: this camera has no strobe line, or no trigger\n");
	else if (ret)
		fprintf(stderr, "strobe: %s\n", strerror(-ret));
	return ret != 0;
}
