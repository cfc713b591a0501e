/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One event loop over several streams, and a timer that ends it: epoll NAME...
 *
 * A stream's descriptor is readable while frames are there. Take all of them each time: that is
 * what saves system calls when frames come faster than this program runs.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>
#include <zcdma.h>

#define MAX_STREAMS	8
#define SECONDS		2

static unsigned long frames[MAX_STREAMS];

/* Take what is there. */
static int serve(struct zcdma_stream *s, unsigned long *count)
{
	struct zcdma_buffer *b;
	int ret;

	while (!(ret = zcdma_acquire(s, &b, 0))) {
		++*count;
		ret = zcdma_release(s, b);
		if (ret)
			return ret;
	}
	return ret == -EAGAIN ? 0 : ret;
}

static int loop(int ep, struct zcdma_stream **streams)
{
	struct epoll_event events[MAX_STREAMS + 1];

	for (;;) {
		int n = epoll_wait(ep, events, MAX_STREAMS + 1, -1);

		if (n < 0)
			return -errno;
		for (int k = 0; k < n; k++) {
			uint32_t i = events[k].data.u32;
			int ret;

			if (i == MAX_STREAMS)
				return 0;
			ret = serve(streams[i], &frames[i]);
			if (ret)
				return ret;
		}
	}
}

int main(int argc, char **argv)
{
	const struct itimerspec when = { .it_value.tv_sec = SECONDS };
	struct epoll_event event = { .events = EPOLLIN, .data.u32 = MAX_STREAMS };
	struct zcdma_stream *streams[MAX_STREAMS] = { NULL };
	int ep = epoll_create1(EPOLL_CLOEXEC);
	int timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
	int ret = 0;

	if (argc < 2 || argc > MAX_STREAMS + 1) {
		fprintf(stderr, "usage: epoll NAME... (at most %d)\n", MAX_STREAMS);
		return 2;
	}
	epoll_ctl(ep, EPOLL_CTL_ADD, timer, &event);
	timerfd_settime(timer, 0, &when, NULL);
	for (int i = 0; i < argc - 1 && !ret; i++) {
		ret = zcdma_open(&streams[i], argv[i + 1], NULL);
		if (ret)
			break;
		event.data.u32 = (uint32_t)i;
		epoll_ctl(ep, EPOLL_CTL_ADD, zcdma_fd(streams[i]), &event);
		ret = zcdma_start(streams[i]);
	}
	if (!ret)
		ret = loop(ep, streams);
	if (ret)
		fprintf(stderr, "epoll: %s\n", strerror(-ret));
	for (int i = 0; i < argc - 1; i++) {
		if (!ret)
			printf("%s: %lu frames in %d s\n", argv[i + 1], frames[i], SECONDS);
		zcdma_close(streams[i]);
	}
	close(timer);
	close(ep);
	return ret != 0;
}
