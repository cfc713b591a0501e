/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * zcl.h - what the tests of libzcdma share: checks, and a list of cases to run
 *
 * Without cmocka, so that they can be static 32-bit programs.
 */
#ifndef ZCL_H
#define ZCL_H

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <zcdma.h>

#define ARRAY_SIZE(x)	(sizeof(x) / sizeof((x)[0]))
#define TIMEOUT_MS	20000

static unsigned int failed;

/* The innermost function that returns on failure names the line. */
#define CHECK(condition) \
	do { \
		if (!(condition)) { \
			printf("# line %d: %s\n", __LINE__, #condition); \
			failed++; \
			return; \
		} \
	} while (0)

#define CHECK_INT(expression, wanted) \
	do { \
		long long got_ = (long long)(expression), wanted_ = (long long)(wanted); \
		if (got_ != wanted_) { \
			printf("# line %d: %s is %lld, not %s\n", __LINE__, #expression, got_, \
			       #wanted); \
			failed++; \
			return; \
		} \
	} while (0)

struct zcl_test {
	const char *name;
	void (*run)(void);
};

#define TEST(name) { #name, name }

/* The N of /dev/zcdmaN, by udev's link: a device that was bound again may have another. -1: none. */
static inline int zcl_number(const char *device)
{
	char path[64], *node;
	int number = -1;

	snprintf(path, sizeof(path), "/dev/zcdma/%s/device", device);
	node = realpath(path, NULL);
	if (node)
		sscanf(node, "/dev/zcdma%d", &number);
	free(node);
	return number;
}

/* ---- What a case leaves behind ---- */

#ifdef __SANITIZE_ADDRESS__
/*
 * Leaks are counted, case by case: to look for them at the end of the program, as the sanitizer would,
 * takes it half a minute in a guest.
 */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "detect_leaks=0";
}

size_t __sanitizer_get_current_allocated_bytes(void);
#endif

/**
 * struct zcl_leavings - what a process has, of which a case must not leave more than it found
 * @heap: bytes; 0 where nobody counts them
 * @fd: lowest free descriptor
 * @maps: mappings of devices and buffers
 */
struct zcl_leavings {
	size_t heap;
	int fd;
	unsigned int maps;
};

static inline struct zcl_leavings zcl_look(void)
{
	struct zcl_leavings l = { 0 };
	char line[512];
	FILE *f;

	l.fd = dup(STDERR_FILENO);
	close(l.fd);
	f = fopen("/proc/self/maps", "re");
	while (f && fgets(line, sizeof(line), f))
		l.maps += strstr(line, "[zcdma") || strstr(line, "dmabuf") || strstr(line, "/dev/");
	if (f)
		fclose(f);
#ifdef __SANITIZE_ADDRESS__
	l.heap = __sanitizer_get_current_allocated_bytes();
#endif
	return l;
}

static inline void zcl_compare(const struct zcl_leavings *before)
{
	const struct zcl_leavings after = zcl_look();

	CHECK_INT(after.heap, before->heap);
	CHECK_INT(after.fd, before->fd);
	CHECK_INT(after.maps, before->maps);
}

#ifdef __SANITIZE_ADDRESS__
/* That the sanitizer is alive, without which the other cases would prove less. */
static inline void zcl_test_sanitizer(void)
{
	struct zcl_leavings before = zcl_look();
	struct zcdma_device *device;
	int status;
	pid_t pid;

	CHECK_INT(zcdma_device_open(&device, "virt0"), 0);
	CHECK(zcl_look().heap > before.heap);
	CHECK(zcl_look().fd > before.fd);
	zcdma_device_close(device);
	pid = fork();
	if (!pid) {
		if (freopen("/dev/null", "w", stderr))
			zcdma_device_number(device);
		_exit(0);
	}
	CHECK_INT(waitpid(pid, &status, 0), pid);
	CHECK(WIFEXITED(status));
	CHECK_INT(WEXITSTATUS(status), 1);
}
#endif

static inline void *zcl_nothing(void *arg)
{
	return arg;
}

/* The C library keeps a thread's memory, for the next one. */
static inline void zcl_warm_up(void)
{
	pthread_t thread;

	if (!pthread_create(&thread, NULL, zcl_nothing, NULL))
		pthread_join(thread, NULL);
}

static inline unsigned int zcl_run_one(const struct zcl_test *test)
{
	struct zcl_leavings before = zcl_look();

	failed = 0;
	test->run();
	if (!failed)
		zcl_compare(&before);
	printf("%sok - %s\n", failed ? "not " : "", test->name);
	return !!failed;
}

/* Return: the program's status. */
static inline int zcl_run(const struct zcl_test *tests, size_t num)
{
	unsigned int bad = 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	zcl_warm_up();
#ifdef __SANITIZE_ADDRESS__
	bad += zcl_run_one(&(const struct zcl_test)TEST(zcl_test_sanitizer));
#endif
	for (size_t i = 0; i < num; i++)
		bad += zcl_run_one(&tests[i]);
	return bad != 0;
}

#endif /* ZCL_H */
