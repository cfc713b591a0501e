/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One event loop over video, triggers, and a timer that ends it: epoll NAME...
 *
 * A stream's descriptor is readable while frames are there. Take all of them each time: that is
 * what saves system calls when frames come faster than this program runs. That of a device's GPIO
 * handle is readable when triggers came in: they are known before the frames that they start.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>
#include <zcdma.h>

#define MAX_CAMERAS	8
#define SECONDS		4

/* What woke us: a camera's number and one of these. */
enum source { FRAME, TRIGGER, TIMER };

static struct camera {
	struct zcdma_stream *stream;
	struct zcdma_gpio *gpio; /* NULL: it cannot be triggered */
	unsigned long frames;
	unsigned long long triggers_before;
	unsigned long long triggers;
} cameras[MAX_CAMERAS];

static int watch(int ep, int fd, uint32_t i, enum source source)
{
	struct epoll_event event = { .events = EPOLLIN, .data.u64 = (uint64_t)source << 32 | i };

	return epoll_ctl(ep, EPOLL_CTL_ADD, fd, &event) ? -errno : 0;
}

static int open_camera(int ep, uint32_t i, const char *name)
{
	struct camera *c = &cameras[i];
	struct zcdma_gpio_state state;
	struct zcdma_device *device;
	int ret;

	ret = zcdma_open(&c->stream, name, NULL);
	if (ret)
		return ret;
	/* Other cameras work, too: they have frames only. */
	if (!zcdma_get_device(c->stream, &device) && !zcdma_device_open_gpio(device, &c->gpio)) {
		ret = zcdma_gpio_get_state(c->gpio, &state);
		if (ret)
			return ret;
		c->triggers_before = state.triggers;
		ret = watch(ep, zcdma_gpio_fd(c->gpio), i, TRIGGER);
		if (ret)
			return ret;
	}
	ret = watch(ep, zcdma_fd(c->stream), i, FRAME);
	return ret ? ret : zcdma_start(c->stream);
}

static int take_frames(struct camera *c)
{
	struct zcdma_buffer *b;
	int ret;

	while (!(ret = zcdma_acquire(c->stream, &b, 0))) {
		c->frames++;
		ret = zcdma_release(c->stream, b);
		if (ret)
			return ret;
	}
	return ret == -EAGAIN ? 0 : ret;
}

static int take_triggers(struct camera *c)
{
	struct zcdma_gpio_state state;
	int ret = zcdma_gpio_get_state(c->gpio, &state);

	if (!ret)
		c->triggers = state.triggers - c->triggers_before;
	return ret;
}

static int loop(int ep)
{
	struct epoll_event events[2 * MAX_CAMERAS + 1];

	for (;;) {
		int n = epoll_wait(ep, events, 2 * MAX_CAMERAS + 1, -1);

		if (n < 0)
			return -errno;
		for (int k = 0; k < n; k++) {
			struct camera *c = &cameras[(uint32_t)events[k].data.u64];
			int ret;

			switch ((enum source)(events[k].data.u64 >> 32)) {
			case FRAME:
				ret = take_frames(c);
				break;
			case TRIGGER:
				ret = take_triggers(c);
				break;
			default:
				return 0;
			}
			if (ret)
				return ret;
		}
	}
}

int main(int argc, char **argv)
{
	const struct itimerspec when = { .it_value.tv_sec = SECONDS };
	int ep = epoll_create1(EPOLL_CLOEXEC);
	int timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
	int ret;

	if (argc < 2 || argc > MAX_CAMERAS + 1) {
		fprintf(stderr, "usage: epoll NAME... (at most %d)\n", MAX_CAMERAS);
		return 2;
	}
	ret = watch(ep, timer, 0, TIMER);
	for (int i = 0; i < argc - 1 && !ret; i++)
		ret = open_camera(ep, (uint32_t)i, argv[i + 1]);
	timerfd_settime(timer, 0, &when, NULL);
	if (!ret)
		ret = loop(ep);
	if (ret)
		fprintf(stderr, "epoll: %s\n", strerror(-ret));
	for (int i = 0; i < argc - 1; i++) {
		struct camera *c = &cameras[i];

		if (!ret)
			printf("%s: %lu frames, %llu triggers in %d s\n", argv[i + 1], c->frames,
			       c->triggers, SECONDS);
		zcdma_gpio_close(c->gpio);
		zcdma_close(c->stream);
	}
	close(timer);
	close(ep);
	return ret != 0;
}
