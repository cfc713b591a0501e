/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * count.h - the processor's instruction counter for this task, and its system calls
 *
 * Works in a guest under QEMU's icount only.
 */
#ifndef COUNT_H
#define COUNT_H

#include <err.h>
#include <linux/perf_event.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Measurements of one thing; the median counts. */
#define ROUNDS		15

enum { USER, KERNEL, CALLS, COUNTERS };

static int counters[COUNTERS];
static uint64_t overhead[COUNTERS];

static inline int open_counter(struct perf_event_attr *attr)
{
	int fd;

	attr->size = sizeof(*attr);
	attr->disabled = 1;
	fd = (int)syscall(SYS_perf_event_open, attr, 0, -1, -1, 0);
	if (fd < 0 && attr->type == PERF_TYPE_HARDWARE)
		err(1, "cannot count instructions (is this QEMU with -icount?)");
	return fd;
}

static inline void counting(unsigned long request)
{
	for (int i = 0; i < COUNTERS; i++)
		if (counters[i] >= 0)
			ioctl(counters[i], request, 0);
}

static inline void count_begin(void)
{
	counting(PERF_EVENT_IOC_RESET);
	counting(PERF_EVENT_IOC_ENABLE);
}

static inline void count_end(uint64_t *values)
{
	counting(PERF_EVENT_IOC_DISABLE);
	for (int i = 0; i < COUNTERS; i++) {
		if (counters[i] < 0 || read(counters[i], &values[i], sizeof(values[i])) != 8)
			values[i] = 0;
		values[i] = values[i] > overhead[i] ? values[i] - overhead[i] : 0;
	}
}

static inline int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static inline uint64_t median(uint64_t *values, size_t n)
{
	qsort(values, n, sizeof(*values), compare);
	return values[n / 2];
}

static inline void open_counters(void)
{
	struct perf_event_attr user = { .type = PERF_TYPE_HARDWARE,
		.config = PERF_COUNT_HW_INSTRUCTIONS, .exclude_kernel = 1 };
	struct perf_event_attr kernel = { .type = PERF_TYPE_HARDWARE,
		.config = PERF_COUNT_HW_INSTRUCTIONS, .exclude_user = 1 };
	struct perf_event_attr calls = { .type = PERF_TYPE_TRACEPOINT };
	FILE *f = fopen("/sys/kernel/tracing/events/raw_syscalls/sys_enter/id", "r");
	uint64_t sets[COUNTERS][ROUNDS], values[COUNTERS];
	unsigned long long id = 0;

	if (f && fscanf(f, "%llu", &id) != 1)
		id = 0;
	if (f)
		fclose(f);
	calls.config = id;
	counters[USER] = open_counter(&user);
	counters[KERNEL] = open_counter(&kernel);
	counters[CALLS] = id ? open_counter(&calls) : -1;
	for (int r = 0; r < ROUNDS; r++) {
		count_begin();
		count_end(values);
		for (int i = 0; i < COUNTERS; i++)
			sets[i][r] = values[i];
	}
	for (int i = 0; i < COUNTERS; i++)
		overhead[i] = median(sets[i], ROUNDS);
}

#endif /* COUNT_H */
