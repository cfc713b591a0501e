// SPDX-License-Identifier: GPL-2.0-only
/*
 * test-kill - a program dies, whatever it was doing: when the parent knows, all is free again
 *
 * Each case runs this program again, as the victim, with the name of what it is to do.
 *
 * timeout: 60
 */
#define _GNU_SOURCE
#include <linux/udmabuf.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "zcv.h"

/* ---- The victim. cmocka ends it at the first failure: it is in no test. ---- */

static struct zcv cam, out;

static void ready(void)
{
	if (write(STDOUT_FILENO, "r", 1) != 1)
		exit(1);
}

static void stream_for_ever(struct zcv *v)
{
	zcv_start(v, 4);
	zcv_queue(v, zcv_dequeue(v).index);
	ready();
	for (;;)
		zcv_queue(v, zcv_dequeue(v).index);
}

static void victim_open(void)
{
	zcv_open(&cam, "cam0");
	ready();
	pause();
}

static void victim_mapped(void)
{
	zcv_open(&cam, "cam0");
	zcv_alloc(&cam, V4L2_MEMORY_MMAP, 4, 0);
	ready();
	for (;;)
		memset(cam.map[0], 0x3c, cam.length[0]);
}

static void victim_streaming(void)
{
	zcv_open(&cam, "cam0");
	stream_for_ever(&cam);
}

static void victim_streaming_output(void)
{
	zcv_open(&out, "out0");
	stream_for_ever(&out);
}

static void victim_loopback(void)
{
	zcv_open(&cam, "cam0");
	zcv_open(&out, "out0");
	zcv_start(&out, 4);
	stream_for_ever(&cam);
}

/* The hardware gives nothing, so nothing but the signal ends these. */
static void stall(bool stream)
{
	zcv_open(&cam, "cam0");
	zcv_set_fault("cam0", "stall", "1");
	if (stream)
		zcv_start(&cam, 4);
	ready();
}

static void victim_dqbuf(void)
{
	struct v4l2_buffer b;

	stall(true);
	b = zcv_buffer(&cam, 0);
	ioctl(cam.fd, VIDIOC_DQBUF, &b);
}

static void victim_dqevent(void)
{
	struct v4l2_event event;

	stall(true);
	ioctl(cam.fd, VIDIOC_DQEVENT, &event);
}

static void victim_poll(void)
{
	stall(true);
	poll(&(struct pollfd) { .fd = cam.fd, .events = POLLIN }, 1, -1);
}

static void victim_read(void)
{
	static char frame[640 * 480 * 2];

	stall(false);
	read(cam.fd, frame, sizeof(frame));
}

static void *dqbuf_thread(void *unused)
{
	struct v4l2_buffer b = zcv_buffer(&cam, 0);

	for (;;)
		ioctl(cam.fd, VIDIOC_DQBUF, &b);
	return NULL;
}

static void victim_threads(void)
{
	struct v4l2_capability cap;
	pthread_t threads[2];

	stall(true);
	for (int i = 0; i < 2; i++)
		pthread_create(&threads[i], NULL, dqbuf_thread, NULL);
	for (;;)
		ioctl(cam.fd, VIDIOC_QUERYCAP, &cap);
}

static void victim_exported(void)
{
	zcv_open(&cam, "cam0");
	zcv_alloc(&cam, V4L2_MEMORY_MMAP, 4, V4L2_MEMORY_FLAG_NON_COHERENT);
	for (int i = 0; i < 4; i++) {
		int fd = zcv_export(&cam, i, O_RDWR);

		if (mmap(NULL, cam.length[i], PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED)
			exit(1);
	}
	zcv_free(&cam);
	stream_for_ever(&cam);
}

static void victim_importing(void)
{
	zcv_open(&cam, "cam0");
	zcv_open(&out, "out0");
	zcv_format(&cam, V4L2_PIX_FMT_UYVY, 640, 480);
	zcv_alloc(&cam, V4L2_MEMORY_MMAP, 4, 0);
	zcv_alloc(&out, V4L2_MEMORY_DMABUF, 4, 0);
	for (int i = 0; i < 4; i++) {
		struct v4l2_buffer b = zcv_buffer(&out, i);

		b.m.fd = zcv_export(&cam, i, O_RDWR);
		b.bytesused = out.pix.sizeimage;
		zcv_ioctl(out.fd, VIDIOC_QBUF, &b);
	}
	zcv_queue_all(&cam);
	zcv_on(&out);
	zcv_on(&cam);
	ready();
	for (;;)
		zcv_queue(&cam, zcv_dequeue(&cam).index);
}

/* The importer is another device, of another driver. */
static void victim_attached(void)
{
	static struct zcv vivid;
	int bufs[3];

	zcv_show_on_vivid(&vivid, &cam, bufs, 3);
	ready();
	for (;;)
		zcv_queue(&cam, zcv_dequeue(&cam).index);
}

static const struct victim {
	const char *name;
	void (*run)(void);
	long syscall;	/* which it sleeps in once it is ready, or -1 */
} victims[] = {
	{ "open", victim_open, -1 },
	{ "mapped", victim_mapped, -1 },
	{ "attached", victim_attached, -1 },
	{ "streaming", victim_streaming, -1 },
	{ "streaming-output", victim_streaming_output, -1 },
	{ "loopback", victim_loopback, -1 },
	{ "dqbuf", victim_dqbuf, SYS_ioctl },
	{ "dqevent", victim_dqevent, SYS_ioctl },
	{ "poll", victim_poll, SYS_ppoll },
	{ "read", victim_read, SYS_read },
	{ "threads", victim_threads, -1 },
	{ "exported", victim_exported, -1 },
	{ "importing", victim_importing, -1 },
};

#define NUM_VICTIMS (sizeof(victims) / sizeof(victims[0]))

/* ---- The test ---- */

static pid_t victim_pid;

static int teardown(void **state)
{
	zcv_teardown(state);
	if (victim_pid) {
		kill(victim_pid, SIGKILL);
		waitpid(victim_pid, NULL, 0);
		victim_pid = 0;
	}
	zcv_set_fault("cam0", "stall", "0");
	return 0;
}

static void wait_asleep(pid_t pid, long number)
{
	uint64_t end = zcv_now() + ZCV_DEADLINE_MS * NSEC_PER_MSEC;
	char path[PATH_MAX], text[ZCV_TEXT];

	snprintf(path, sizeof(path), "/proc/%d/syscall", pid);
	do {
		assert_true(zcv_now() < end);
		sched_yield();
		assert_true(zcv_read_text(path, text));
	} while (!strncmp(text, "running", 7) || strtol(text, NULL, 10) != number);
}

static void start_victim(const struct victim *victim)
{
	char *argv[] = { (char *)"test-kill", (char *)victim->name, NULL };
	posix_spawn_file_actions_t actions;
	int pipes[2], ret;
	char byte;

	assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, pipes[1], STDOUT_FILENO);
	ret = posix_spawn(&victim_pid, "/proc/self/exe", &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	close(pipes[1]);
	assert_int_equal(ret, 0);
	zcv_poll(pipes[0], POLLIN);
	/* Its end without a word is the end of the pipe. */
	ret = read(pipes[0], &byte, 1);
	close(pipes[0]);
	if (ret != 1)
		fail_msg("the victim has died by itself");
	if (victim->syscall >= 0)
		wait_asleep(victim_pid, victim->syscall);
}

static void check_kill(const struct victim *victim, int signal)
{
	int status;

	start_victim(victim);
	if (victim->run != victim_open)
		zcv_assert_owner(victim->run == victim_streaming_output ? "out0" : "cam0", "video");
	assert_int_equal(kill(victim_pid, signal), 0);
	assert_int_equal(waitpid(victim_pid, &status, 0), victim_pid);
	victim_pid = 0;
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == signal);
	zcv_assert_owner("cam0", "none");
	zcv_assert_owner("out0", "none");
	assert_int_equal(zcv_pool_used(), 0);
	zcv_set_fault("cam0", "stall", "0");
	zcv_check_streams("cam0");
	zcv_check_streams("out0");
}

static void test_kill(void **state)
{
	check_kill(*state, SIGKILL);
	/* An interrupted wait must end, too. */
	check_kill(*state, SIGTERM);
}

static int load_vivid(void **state)
{
	return system("modprobe vivid n_devs=1 node_types=0x100 num_outputs=1 output_types=1");
}

static int unload_vivid(void **state)
{
	return zcv_unload_vivid();
}

int main(int argc, char **argv)
{
	struct CMUnitTest tests[NUM_VICTIMS] = {};
	static char names[NUM_VICTIMS][64];

	for (size_t i = 0; i < NUM_VICTIMS; i++) {
		if (argc == 2 && !strcmp(argv[1], victims[i].name)) {
			victims[i].run();
			return 1;
		}
		snprintf(names[i], sizeof(names[i]), "test_channel_is_free_after_kill_%s",
			 victims[i].name);
		tests[i] = (struct CMUnitTest) {
			.name = names[i],
			.test_func = test_kill,
			.teardown_func = teardown,
			.initial_state = (void *)&victims[i],
		};
	}
	return cmocka_run_group_tests(tests, load_vivid, unload_vivid);
}
