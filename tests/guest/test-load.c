// SPDX-License-Identifier: GPL-2.0-only
/*
 * test-load - many programs at once, which die when it suits them least, and devices and modules
 * that come and go
 *
 * In full on a debug kernel: 64 processes for two minutes, 200 times unbind and bind under
 * processes, 50 times all modules. A tenth of it elsewhere.
 *
 * A process takes what it can get of both devices' nodes, by V4L2, ALSA, streams and plain buffers,
 * checks what it sees there, and is killed at any moment by a timer, or leaves with or without
 * having tidied up. Not getting something (EBUSY, ENOMEM) is no failure; a frame of somebody else,
 * another error, or anything that is left in the end is.
 *
 * timeout: 300
 */
#define _GNU_SOURCE
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>

#include "zcv.h"
#include "zca.h"
#include "zcs.h"

#define MAX_PROCESSES	64
#define MAX_BUFFERS	6
#define DRIVER		"/sys/bus/platform/drivers/zcdma-virt/"

enum deed {
	ALLOCATED, EXPORTED, IMPORTED, VIDEO_FRAMES, RAW_FRAMES, READ_FRAMES, PERIODS, RINGS, NUM_DEEDS
};

static const char *const deed_names[NUM_DEEDS] = {
	"buffers allocated", "buffers exported", "buffers imported", "video frames", "raw frames",
	"frames by read()", "periods of sound", "rings exported",
};

/* Shared with all processes. */
static struct tally {
	atomic_ulong deeds[NUM_DEEDS];
	atomic_bool wrong;
	char why[256];
} *tally;

/* Devices go away in between. */
static bool unstable;

static const char *const boards[] = { "dma-board-0", "dma-board-1" };
static const char *const devices[] = { "virt0", "virt1" };

/* ---- In a process: no assertions here, cmocka lives in the parent ---- */

static uint64_t dice;

static unsigned int chance(unsigned int limit)
{
	dice ^= dice << 13;
	dice ^= dice >> 7;
	dice ^= dice << 17;
	return (dice >> 32) % limit;
}

static void __attribute__((noreturn, format(printf, 1, 2))) wrong(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	if (!atomic_exchange(&tally->wrong, true))
		vsnprintf(tally->why, sizeof(tally->why), format, ap);
	va_end(ap);
	_exit(1);
}

static void done(enum deed deed)
{
	atomic_fetch_add(&tally->deeds[deed], 1);
}

/* Whether it worked; what may have been taken by others, or have gone, is not held against it. */
static bool got(int ret, const char *what)
{
	if (ret >= 0)
		return true;
	if (ret == -EBUSY || ret == -ENOMEM || ret == -EAGAIN)
		return false;
	if (unstable && (ret == -ENODEV || ret == -ENOENT || ret == -ENXIO))
		return false;
	wrong("%s: %s", what, strerror(-ret));
}

/* Nobody else's business: only the device's end excuses it. */
static bool must(int ret, const char *what)
{
	if (ret < 0 && !(unstable && ret == -ENODEV))
		wrong("%s: %s", what, strerror(-ret));
	return ret >= 0;
}

static int open_path(const char *path)
{
	int fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

/* Of a device or, with a channel, of its video node. */
static int open_node(const char *device, const char *chan)
{
	char path[PATH_MAX], entry[ZCV_TEXT];

	zcv_device = device;
	if (chan) {
		if (!zcv_path(chan, path))
			return -ENOENT;
	} else {
		if (!zcv_find("zcdma", "name", device, entry))
			return -ENOENT;
		snprintf(path, sizeof(path), "/dev/%s", entry);
	}
	return open_path(path);
}

/* The dma-buf, or a negative value. */
static int job_buffer(const char *device)
{
	size_t size = (1 + chance(64)) * 4096;
	uint32_t seed = (uint32_t)dice;
	int dev = open_node(device, NULL);
	int buf;
	uint8_t *map;

	if (!got(dev, "open of a device"))
		return -1;
	buf = zct_alloc(dev, size, chance(2) ? ZCDMA_BUFFER_CACHED : 0);
	if (!got(buf, "ZCDMA_IOC_BUFFER_ALLOC"))
		return -1;
	done(ALLOCATED);
	map = zct_map(buf, size);
	if (!map)
		return got(-errno, "mmap of a buffer") ? buf : -1;
	if (!zct_is_zero(map, size))
		wrong("a new buffer is not zero");
	zct_fill(map, size, seed);
	sched_yield();
	if (!zct_holds(map, size, seed))
		wrong("somebody has written to a buffer");
	if (chance(2))
		munmap(map, size);
	return buf;
}

static struct v4l2_format node_format(int fd, bool output)
{
	struct v4l2_format fmt = {
		.type = output ? V4L2_BUF_TYPE_VIDEO_OUTPUT : V4L2_BUF_TYPE_VIDEO_CAPTURE,
		.fmt.pix = {
			.width = 64 << chance(3),
			.height = 64 << chance(2),
			.pixelformat = V4L2_PIX_FMT_GREY,
		},
	};

	/* Whoever comes second has the format of the first. */
	if (!got(zct_ioctl(fd, VIDIOC_S_FMT, &fmt), "VIDIOC_S_FMT"))
		got(zct_ioctl(fd, VIDIOC_G_FMT, &fmt), "VIDIOC_G_FMT");
	return fmt;
}

/* A few frames in and out of a started queue. */
static void frames(int fd, struct v4l2_buffer b, const int *bufs, uint32_t bytesused)
{
	struct pollfd p = { .fd = fd, .events = POLLIN | POLLOUT };

	for (unsigned int n = chance(20); n; n--) {
		if (poll(&p, 1, 2000) != 1)
			return;
		if (!got(zct_ioctl(fd, VIDIOC_DQBUF, &b), "VIDIOC_DQBUF"))
			return;
		done(VIDEO_FRAMES);
		b.bytesused = bytesused;
		if (bufs)
			b.m.fd = bufs[b.index];
		if (!must(zct_ioctl(fd, VIDIOC_QBUF, &b), "VIDIOC_QBUF"))
			return;
	}
}

static void job_video(bool import)
{
	bool output = chance(2);
	int fd = open_node(devices[chance(2)], output ? "out0" : "cam0");
	struct v4l2_requestbuffers req = { .count = 2 + chance(MAX_BUFFERS - 2) };
	struct v4l2_format fmt;
	struct v4l2_buffer b = {};
	int bufs[MAX_BUFFERS];

	if (!got(fd, "open of a video node"))
		return;
	fmt = node_format(fd, output);
	req.type = fmt.type;
	req.memory = import ? V4L2_MEMORY_DMABUF : V4L2_MEMORY_MMAP;
	if (!import && chance(2))
		req.flags = V4L2_MEMORY_FLAG_NON_COHERENT;
	if (!got(zct_ioctl(fd, VIDIOC_REQBUFS, &req), "VIDIOC_REQBUFS"))
		return;
	/* Now it is ours, and stays as it is. */
	if (!must(zct_ioctl(fd, VIDIOC_G_FMT, &fmt), "VIDIOC_G_FMT"))
		return;

	b.type = req.type;
	b.memory = req.memory;
	for (b.index = 0; b.index < req.count && b.index < MAX_BUFFERS; b.index++) {
		struct v4l2_exportbuffer export = {
			.type = req.type, .index = b.index, .flags = O_RDWR | O_CLOEXEC,
		};

		if (import) {
			int dev = open_node(devices[chance(2)], NULL);

			if (!got(dev, "open of a device"))
				return;
			bufs[b.index] = zct_alloc(dev, fmt.fmt.pix.sizeimage, 0);
			if (!got(bufs[b.index], "ZCDMA_IOC_BUFFER_ALLOC"))
				return;
			b.m.fd = bufs[b.index];
			done(IMPORTED);
		} else if (chance(2)) {
			/* vb2 says EINVAL for a failed export, whatever the reason. */
			if (zct_ioctl(fd, VIDIOC_EXPBUF, &export))
				return;
			zct_map(export.fd, fmt.fmt.pix.sizeimage);
			done(EXPORTED);
		}
		b.bytesused = fmt.fmt.pix.sizeimage;
		if (!(import ? got : must)(zct_ioctl(fd, VIDIOC_QBUF, &b), "VIDIOC_QBUF"))
			return;
	}
	if (!got(zct_ioctl(fd, VIDIOC_STREAMON, &req.type), "VIDIOC_STREAMON"))
		return;
	frames(fd, b, import ? bufs : NULL, fmt.fmt.pix.sizeimage);
	if (chance(2))
		must(zct_ioctl(fd, VIDIOC_STREAMOFF, &req.type), "VIDIOC_STREAMOFF");
	if (chance(2))
		close(fd);
}

static void job_read(void)
{
	static char frame[256 * 128];
	int fd = open_node(devices[chance(2)], "cam0");
	struct pollfd p = { .fd = fd, .events = POLLIN };

	if (!got(fd, "open of a video node"))
		return;
	node_format(fd, false);
	for (unsigned int n = chance(5); n; n--) {
		ssize_t len = read(fd, frame, sizeof(frame));

		if (len > 0)
			done(READ_FRAMES);
		else if (!got(len ? -errno : 0, "read()") && poll(&p, 1, 2000) != 1)
			break;
	}
}

static int map_stream(struct zcs *s)
{
	s->fd = s->arg.fd;
	s->area = zct_map(s->fd, s->arg.ring_size);
	for (uint32_t i = 0; s->area && i < s->arg.num_buffers; i++) {
		s->maps[i] = mmap(NULL, s->arg.buffers_stride, PROT_READ | PROT_WRITE, MAP_SHARED,
				  s->fd, (off_t)(s->arg.buffers_offset + i * s->arg.buffers_stride));
		if (s->maps[i] == MAP_FAILED)
			s->area = NULL;
	}
	return s->area ? 0 : -errno;
}

static void job_stream(void)
{
	static const char *const names[] = {
		"cam0", "out0", "raw-in", "raw-out", "mic0", "spk0",
	};
	struct zcs s = { .arg = { .fd_flags = O_CLOEXEC, .num_buffers = 1 + chance(8) } };
	int dev = open_node("virt0", NULL);
	unsigned int chan = chance(6);
	struct zcdma_done entry;
	uint32_t next = 0;

	if (!got(dev, "open of a device"))
		return;
	/* Channels are numbered in the order of the device tree, as the names are here. */
	s.arg.channel = chan;
	if (chan > 1)
		s.arg.buffer_size = (1 + chance(16)) * 1024;
	s.arg.flags = chance(2) ? ZCDMA_STREAM_CACHED : 0;
	if (!got(zct_ioctl(dev, ZCDMA_IOC_STREAM_OPEN, &s.arg), "ZCDMA_IOC_STREAM_OPEN") ||
	    !got(map_stream(&s), "mmap of a stream"))
		return;
	for (uint32_t i = 0; i < s.arg.num_buffers; i++)
		zcs_put(&s, (struct zcdma_fill) { .index = i });
	if (!got(zct_ioctl(s.fd, ZCDMA_IOC_STREAM_START, NULL), "ZCDMA_IOC_STREAM_START"))
		return;
	for (unsigned int n = chance(100); n; n--) {
		struct pollfd p = { .fd = s.fd, .events = POLLIN };

		if (!zcs_take(&s, &entry)) {
			if (poll(&p, 1, 2000) != 1 || p.revents & POLLERR)
				return;
			continue;
		}
		if (entry.index >= s.arg.num_buffers)
			wrong("%s has no buffer %u", names[chan], entry.index);
		/* Unbinding ends transfers before their time. */
		if (chan == 2 && !(unstable && entry.frame.flags & ZCDMA_FRAME_ERROR) &&
		    !zcs_counts(s.maps[entry.index], s.arg.buffer_size, &next))
			wrong("frame %llu of the counter is not what it was to be",
			      (unsigned long long)entry.frame.sequence);
		done(RAW_FRAMES);
		if (zcs_put(&s, (struct zcdma_fill) { .index = entry.index }) &&
		    !must(zct_ioctl(s.fd, ZCDMA_IOC_STREAM_KICK, NULL), "ZCDMA_IOC_STREAM_KICK"))
			return;
	}
	if (chance(2))
		close(s.fd);
}

#define PERIOD_FRAMES	240

/* Whoever is in a call when the card goes is told EBADFD. */
static int sound_call(int pcm, unsigned long request, void *arg)
{
	int ret = zct_ioctl(pcm, request, arg);

	return ret == -EBADFD && unstable ? -ENODEV : ret;
}

/* The ring of a PCM that we have set up, or NULL. */
static const uint8_t *map_ring(bool output, unsigned int periods)
{
	struct zcdma_pcm_export export = { .fd_flags = O_CLOEXEC, .channel = output ? 5 : 4 };
	int dev = open_node("virt0", NULL);
	void *ring;

	if (!got(dev, "open of a device"))
		return NULL;
	/* By now there may be another device in its place, where the ring is somebody else's. */
	if (!got(zct_ioctl(dev, ZCDMA_IOC_PCM_EXPORT, &export), "ZCDMA_IOC_PCM_EXPORT"))
		return NULL;
	if (!unstable && export.size != periods * PERIOD_FRAMES * 4)
		wrong("a ring of %u periods has %llu bytes", periods, (unsigned long long)export.size);
	done(RINGS);
	ring = mmap(NULL, export.size, PROT_READ, MAP_SHARED, export.fd, 0);
	return got(ring == MAP_FAILED ? -errno : 0, "mmap of a ring") ? ring : NULL;
}

/* A ring of some periods of 5 ms, and some of them in or out; with 64 of us there are xruns. */
static void job_sound(void)
{
	static const unsigned long ends[] = {
		SNDRV_PCM_IOCTL_DROP, SNDRV_PCM_IOCTL_DRAIN, SNDRV_PCM_IOCTL_HW_FREE,
	};
	static uint8_t sound[PERIOD_FRAMES * 4];
	struct snd_xferi xfer = { .buf = sound, .frames = PERIOD_FRAMES };
	unsigned int periods = 2 + chance(7), at = 0;
	bool output = chance(2);
	const uint8_t *ring;
	char path[64];
	int pcm, ret;

	pcm = zca_path("virt0", output ? 'p' : 'c', path) ? open_path(path) : -ENOENT;
	if (!got(pcm, "open of a PCM"))
		return;
	ret = zca_hw_params(pcm, SNDRV_PCM_ACCESS_RW_INTERLEAVED, PERIOD_FRAMES, periods);
	if (!got(ret == -EBADFD && unstable ? -ENODEV : ret, "SNDRV_PCM_IOCTL_HW_PARAMS") ||
	    !must(sound_call(pcm, SNDRV_PCM_IOCTL_PREPARE, NULL), "SNDRV_PCM_IOCTL_PREPARE"))
		return;
	ring = map_ring(output, periods);
	if (!ring)
		return;
	zct_fill(sound, sizeof(sound), (uint32_t)dice);
	for (unsigned int n = chance(20); n; n--) {
		struct pollfd p = { .fd = pcm, .events = POLLIN | POLLOUT };

		ret = sound_call(pcm, output ? SNDRV_PCM_IOCTL_WRITEI_FRAMES :
					       SNDRV_PCM_IOCTL_READI_FRAMES, &xfer);
		if (ret == -EAGAIN) {
			if (poll(&p, 1, 2000) != 1)
				return;
			continue;
		}
		if (ret == -EPIPE) {
			if (!must(sound_call(pcm, SNDRV_PCM_IOCTL_PREPARE, NULL),
				  "SNDRV_PCM_IOCTL_PREPARE"))
				return;
			at = 0;
			continue;
		}
		if (!got(ret, "read or write of sound"))
			return;
		done(PERIODS);
		for (unsigned int i = 0; i < xfer.result; i++, at++)
			if (output && !unstable &&
			    memcmp(ring + at % (periods * PERIOD_FRAMES) * 4, sound + i * 4, 4))
				wrong("frame %u is not in the ring of the sound card", at);
	}
	/* Which may not be the time for it. */
	if (chance(2))
		ioctl(pcm, SNDRV_PCM_IOCTL_PAUSE, 1);
	if (chance(2))
		ioctl(pcm, ends[chance(3)], NULL);
	if (chance(2))
		close(pcm);
}

static void __attribute__((noreturn)) process(uint64_t seed)
{
	struct itimerval timer = {};

	signal(SIGSEGV, SIG_DFL);
	signal(SIGBUS, SIG_DFL);
	dice = seed * 0x9e3779b97f4a7c15ULL | 1;
	/* Two in three are ended by it, in whatever they are doing then. */
	if (chance(3)) {
		timer.it_value.tv_usec = 1000 + chance(900 * 1000);
		setitimer(ITIMER_REAL, &timer, NULL);
	}
	for (unsigned int rounds = 1 + chance(6); rounds; rounds--) {
		switch (chance(7)) {
		case 0:
			job_buffer(devices[chance(2)]);
			break;
		case 1:
		case 2:
			job_video(false);
			break;
		case 3:
			job_video(true);
			break;
		case 4:
			job_read();
			break;
		case 5:
			job_sound();
			break;
		default:
			job_stream();
		}
	}
	if (chance(2))
		close_range(3, ~0U, 0);
	if (chance(2))
		raise(SIGKILL);
	_exit(0);
}

/* ---- The parent ---- */

static pid_t pids[MAX_PROCESSES];
static unsigned long started;

static unsigned int scaled(unsigned int full)
{
	return zct_is_debug_kernel() ? full : full / 10;
}

static void start(pid_t *pid)
{
	*pid = fork();
	assert_true(*pid >= 0);
	started++;
	if (!*pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		process(started);
	}
}

static void look_at(int status)
{
	if (atomic_load(&tally->wrong))
		fail_msg("%s", tally->why);
	if (WIFSIGNALED(status) && WTERMSIG(status) != SIGKILL && WTERMSIG(status) != SIGALRM)
		fail_msg("a process has died of signal %d", WTERMSIG(status));
}

/* Replace each that has ended. */
static void keep_running(unsigned int num, int flags)
{
	int status;
	pid_t pid;

	/* Not until none has ended: where a fork takes long, there is always one. */
	for (unsigned int n = 0; n < num && (pid = waitpid(-1, &status, flags)) > 0; n++) {
		for (unsigned int i = 0; i < num; i++) {
			if (pids[i] != pid)
				continue;
			pids[i] = 0;
			look_at(status);
			start(&pids[i]);
		}
		flags |= WNOHANG;
	}
}

static int end_all(void **state)
{
	for (unsigned int i = 0; i < MAX_PROCESSES; i++)
		if (pids[i])
			kill(pids[i], SIGKILL);
	for (unsigned int i = 0; i < MAX_PROCESSES; i++)
		if (pids[i])
			waitpid(pids[i], NULL, 0);
	memset(pids, 0, sizeof(pids));
	return zcv_teardown(state);
}

/* All are dead: nothing is taken, nothing is used, everything works. */
static void check_nothing_is_left(void)
{
	static const char *const chans[] = {
		"cam0", "out0", "raw-in", "raw-out", "mic0", "spk0",
	};

	end_all(NULL);
	if (atomic_load(&tally->wrong))
		fail_msg("%s", tally->why);
	for (size_t d = 0; d < 2; d++) {
		zcv_device = devices[d];
		assert_int_equal(zcv_pool_used(), 0);
		for (size_t c = 0; c < (d ? 2 : 6); c++)
			zcv_assert_owner(chans[c], "none");
		zcv_check_streams("cam0");
		zcv_check_streams("out0");
	}
}

static void test_64_processes(void **state)
{
	uint64_t end = zcv_now() + scaled(120) * NSEC_PER_SEC;

	for (unsigned int i = 0; i < MAX_PROCESSES; i++)
		start(&pids[i]);
	while (zcv_now() < end)
		keep_running(MAX_PROCESSES, 0);
	check_nothing_is_left();

	/* All kinds of it happened. */
	printf("# %lu processes:", started);
	for (int i = 0; i < NUM_DEEDS; i++)
		printf(" %lu %s%s", atomic_load(&tally->deeds[i]), deed_names[i],
		       i < NUM_DEEDS - 1 ? "," : "\n");
	for (int i = 0; i < NUM_DEEDS; i++)
		assert_true(atomic_load(&tally->deeds[i]) > 0);
}

static void test_200_unbinds_under_4_processes(void **state)
{
	unstable = true;
	for (unsigned int i = 0; i < 4; i++)
		start(&pids[i]);
	for (unsigned int n = 0; n < scaled(200); n++) {
		/* Both at the same time away, now and then. */
		for (unsigned int b = 0; b < 2; b++)
			if (b == n % 2 || n % 5 == 0)
				assert_int_equal(zcv_write_text(DRIVER "unbind", boards[b]), 0);
		keep_running(4, WNOHANG);
		for (unsigned int b = 0; b < 2; b++)
			if (b == n % 2 || n % 5 == 0)
				assert_int_equal(zcv_write_text(DRIVER "bind", boards[b]), 0);
		keep_running(4, WNOHANG);
	}
	check_nothing_is_left();
}

static void test_50_loads(void **state)
{
	static const char *const modules[] = {
		"zcdma_dmaengine", "zcdma_virt", "zcdma_video", "zcdma_pcm", "zcdma",
	};

	for (unsigned int n = 0; n < scaled(50); n++) {
		/* udev has a look at each new node. */
		assert_int_equal(zcv_settle(), 0);
		for (size_t i = 0; i < sizeof(modules) / sizeof(modules[0]); i++)
			if (syscall(SYS_delete_module, modules[i], O_NONBLOCK))
				fail_msg("%s, unloaded for the %uth time: %s", modules[i], n + 1,
					 strerror(errno));
		assert_int_equal(system("modprobe -a zcdma-virt zcdma-dmaengine zcdma-video zcdma-pcm"), 0);
	}
	assert_int_equal(zcv_settle(), 0);
	check_nothing_is_left();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_64_processes, end_all),
		cmocka_unit_test_teardown(test_200_unbinds_under_4_processes, end_all),
		cmocka_unit_test_teardown(test_50_loads, end_all),
	};

	tally = mmap(NULL, sizeof(*tally), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (tally == MAP_FAILED)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
