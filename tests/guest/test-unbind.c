// SPDX-License-Identifier: GPL-2.0-only
/*
 * test-unbind - the device goes away under whatever a program can be doing with it: it is unbound,
 * or its engine's module unloaded
 *
 * After each: calls give ENODEV, poll() tells, memory that is still mapped is memory, whoever
 * waited has been woken, the next bind works, and when the last user has let go nothing is left.
 *
 * timeout: 180
 */
#define _GNU_SOURCE
#include <linux/udmabuf.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <sys/syscall.h>

#include "zca.h"
#include "zcv.h"
#include "zcs.h"

#define GONE	(POLLHUP | POLLERR)

static struct zcv cam, out, vivid;
static char platform[ZCV_TEXT];
static int fds[4] = { -1, -1, -1, -1 };
/* Both directions of the sound card's PCM. */
static int speaker = -1, microphone = -1;
static uint8_t *shared;
static size_t shared_size;

/* ---- Bind and unbind ---- */

/* The platform device behind virt0. */
static int find_platform(void **state)
{
	char path[PATH_MAX], link[PATH_MAX], entry[ZCV_TEXT];
	ssize_t n;

	if (!zcv_find("zcdma", "name", zcv_device, entry))
		return -1;
	snprintf(path, sizeof(path), "/sys/class/zcdma/%s/device", entry);
	n = readlink(path, link, sizeof(link) - 1);
	if (n < 0)
		return -1;
	link[n] = '\0';
	snprintf(platform, sizeof(platform), "%.200s", strrchr(link, '/') + 1);
	return 0;
}

static bool is_bound(void)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "/sys/bus/platform/drivers/zcdma-virt/%s", platform);
	return !access(path, F_OK);
}

static bool by_unload;

static int unload(const char *module)
{
	return syscall(SYS_delete_module, module, O_NONBLOCK) ? -errno : 0;
}

/* The engine may go at any time, what a program's files call into may not. */
static void unbind(void)
{
	if (by_unload) {
		assert_int_equal(unload("zcdma"), -EWOULDBLOCK);
		if (zcv_opened[0])
			assert_int_equal(unload("zcdma_video"), -EWOULDBLOCK);
		if (speaker >= 0)
			assert_int_equal(unload("zcdma_pcm"), -EWOULDBLOCK);
		assert_int_equal(unload("zcdma_virt"), 0);
		assert_int_equal(unload("zcdma"), -EWOULDBLOCK);
	} else {
		assert_int_equal(zcv_write_text("/sys/bus/platform/drivers/zcdma-virt/unbind",
						platform), 0);
	}
	assert_false(is_bound());
}

static void bind(void)
{
	if (by_unload)
		assert_int_equal(system("modprobe zcdma-virt"), 0);
	else
		assert_int_equal(zcv_write_text("/sys/bus/platform/drivers/zcdma-virt/bind",
						platform), 0);
	assert_true(is_bound());
}

static int teardown(void **state)
{
	zcv_teardown(state);
	for (int i = 0; i < 4; i++) {
		close(fds[i]);
		fds[i] = -1;
	}
	close(speaker);
	close(microphone);
	speaker = -1;
	microphone = -1;
	if (shared)
		munmap(shared, shared_size);
	shared = NULL;
	return is_bound() ? 0 : system("modprobe zcdma-virt") ||
	       (!is_bound() && zcv_write_text("/sys/bus/platform/drivers/zcdma-virt/bind", platform));
}

/* A new device in the old one's place, while the old one may still be in use. */
static void check_rebind(void)
{
	bind();
	assert_int_equal(zcv_pool_used(), 0);
	zcv_assert_owner("cam0", "none");
	zcv_check_streams("cam0");
	zcv_check_streams("out0");
}

static void check_memory(uint8_t *map, size_t size)
{
	memset(map, 0x3c, size);
	for (size_t at = 0; at < size; at += 61)
		assert_int_equal(map[at], 0x3c);
}

/* Nothing but ENODEV. */
static void check_gone(struct zcv *v)
{
	struct v4l2_requestbuffers req = { .count = 2, .type = v->type,
					   .memory = V4L2_MEMORY_MMAP };
	struct v4l2_event_subscription sub = { .type = V4L2_EVENT_FRAME_SYNC };
	struct v4l2_control control = { .id = V4L2_CID_TEST_PATTERN };
	struct v4l2_exportbuffer export = { .type = v->type };
	struct v4l2_buffer b = zcv_buffer(v, 0);
	struct v4l2_format fmt = { .type = v->type };
	struct v4l2_capability cap;
	struct v4l2_event event;
	char byte = 0;

	zcv_ioctl_fails(v->fd, VIDIOC_QUERYCAP, &cap, ENODEV);
	zcv_ioctl_fails(v->fd, VIDIOC_G_FMT, &fmt, ENODEV);
	zcv_ioctl_fails(v->fd, VIDIOC_S_FMT, &fmt, ENODEV);
	zcv_ioctl_fails(v->fd, VIDIOC_REQBUFS, &req, ENODEV);
	zcv_ioctl_fails(v->fd, VIDIOC_QUERYBUF, &b, ENODEV);
	zcv_ioctl_fails(v->fd, VIDIOC_QBUF, &b, ENODEV);
	zcv_ioctl_fails(v->fd, VIDIOC_DQBUF, &b, ENODEV);
	zcv_ioctl_fails(v->fd, VIDIOC_EXPBUF, &export, ENODEV);
	zcv_ioctl_fails(v->fd, VIDIOC_STREAMON, &v->type, ENODEV);
	zcv_ioctl_fails(v->fd, VIDIOC_STREAMOFF, &v->type, ENODEV);
	zcv_ioctl_fails(v->fd, VIDIOC_G_CTRL, &control, ENODEV);
	zcv_ioctl_fails(v->fd, VIDIOC_SUBSCRIBE_EVENT, &sub, ENODEV);
	zcv_ioctl_fails(v->fd, VIDIOC_DQEVENT, &event, ENODEV);
	if (v->type == V4L2_BUF_TYPE_VIDEO_OUTPUT)
		assert_int_equal(write(v->fd, &byte, 1), -1);
	else
		assert_int_equal(read(v->fd, &byte, 1), -1);
	assert_int_equal(errno, ENODEV);
	assert_ptr_equal(mmap(NULL, 4096, PROT_READ, MAP_SHARED, v->fd, 0), MAP_FAILED);
	assert_int_equal(errno, ENODEV);
	assert_int_equal(zcv_poll(v->fd, POLLIN | POLLOUT | POLLPRI) & GONE, GONE);
}

/* ---- Nodes ---- */

static void test_open_node_gives_enodev(void **state)
{
	zcv_open(&cam, "cam0");
	zcv_open(&out, "out0");
	unbind();
	check_gone(&cam);
	check_gone(&out);
	check_rebind();
	/* The old one does not come back. */
	check_gone(&cam);
	zcv_close(&cam);
	zcv_close(&out);
	zcv_check_streams("cam0");
}

static void test_open_device_gives_enodev(void **state)
{
	struct zcdma_buffer_alloc alloc = { .size = 4096, .fd_flags = O_RDWR };
	struct zcdma_channel_info channel = {};
	struct zcdma_device_info info;

	fds[0] = zcv_open_device();
	unbind();
	zcv_ioctl_fails(fds[0], ZCDMA_IOC_DEVICE_INFO, &info, ENODEV);
	zcv_ioctl_fails(fds[0], ZCDMA_IOC_CHANNEL_INFO, &channel, ENODEV);
	zcv_ioctl_fails(fds[0], ZCDMA_IOC_BUFFER_ALLOC, &alloc, ENODEV);
	assert_int_equal(zcv_poll(fds[0], POLLIN) & GONE, GONE);
	check_rebind();
}

static void test_media_device_gives_enodev(void **state)
{
	char path[PATH_MAX], model[ZCV_TEXT];

	for (int i = 0; i < 16 && fds[0] < 0; i++) {
		snprintf(path, sizeof(path), "/sys/class/video4linux/../../bus/media/devices/media%d/model", i);
		if (!zcv_read_text(path, model) || strcmp(model, "virt0 cam0"))
			continue;
		snprintf(path, sizeof(path), "/dev/media%d", i);
		fds[0] = open(path, O_RDWR | O_CLOEXEC);
	}
	assert_true(fds[0] >= 0);
	unbind();
	errno = 0;
	assert_int_equal(read(fds[0], path, 1), -1);
	assert_true(ioctl(fds[0], _IOWR('|', 0x00, char[256]), path) == -1);
	check_rebind();
}

/* ---- Memory ---- */

static void test_mapped_buffers_stay(void **state)
{
	struct v4l2_buffer b;

	zcv_open(&cam, "cam0");
	zcv_control(&cam, ZCDMA_V4L2_CID_STAMPS, 1);
	zcv_start(&cam, 3);
	b = zcv_dequeue(&cam);
	unbind();
	zcv_check_stamps(cam.map[b.index], b.bytesused, b.sequence);
	for (unsigned int i = 0; i < 3; i++)
		check_memory(cam.map[i], cam.length[i]);
	check_gone(&cam);
	check_rebind();
	/* Nobody writes there any more. */
	for (unsigned int i = 0; i < 3; i++)
		for (size_t at = 0; at < cam.length[i]; at++)
			assert_int_equal(cam.map[i][at], 0x3c);
}

static void test_mapping_outlives_the_file_and_the_device(void **state)
{
	zcv_open(&cam, "cam0");
	zcv_start(&cam, 2);
	shared = cam.map[0];
	shared_size = cam.length[0];
	cam.map[0] = NULL;
	zcv_close(&cam);
	unbind();
	check_memory(shared, shared_size);
	check_rebind();
	check_memory(shared, shared_size);
}

static void map_dmabuf(int fd, size_t size)
{
	shared_size = size;
	shared = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (shared == MAP_FAILED) {
		shared = NULL;
		zcv_fail("mmap of a dma-buf");
	}
}

static void check_exported(__u8 flags)
{
	struct dma_buf_sync sync = { .flags = DMA_BUF_SYNC_START | DMA_BUF_SYNC_RW };
	struct v4l2_buffer b;
	void *late;

	zcv_open(&cam, "cam0");
	zcv_control(&cam, ZCDMA_V4L2_CID_STAMPS, 1);
	zcv_alloc(&cam, V4L2_MEMORY_MMAP, 2, flags);
	fds[0] = zcv_export(&cam, 0, O_RDWR | O_CLOEXEC);
	map_dmabuf(fds[0], cam.length[0]);
	zcv_queue_all(&cam);
	zcv_on(&cam);
	b = zcv_dequeue(&cam);
	assert_int_equal(b.index, 0);
	unbind();
	zcv_close(&cam);
	zcv_ioctl(fds[0], DMA_BUF_IOCTL_SYNC, &sync);
	zcv_check_stamps(shared, b.bytesused, b.sequence);
	check_memory(shared, shared_size);
	late = mmap(NULL, shared_size, PROT_READ, MAP_SHARED, fds[0], 0);
	assert_ptr_not_equal(late, MAP_FAILED);
	assert_memory_equal(late, shared, shared_size);
	munmap(late, shared_size);
	sync.flags = DMA_BUF_SYNC_END | DMA_BUF_SYNC_RW;
	zcv_ioctl(fds[0], DMA_BUF_IOCTL_SYNC, &sync);
	check_rebind();
	check_memory(shared, shared_size);
	teardown(NULL);
}

static void test_exported_buffers_stay(void **state)
{
	check_exported(0);
	check_exported(V4L2_MEMORY_FLAG_NON_COHERENT);
}

/* The exporter of today and the one of yesterday are two devices. */
static void test_exported_buffers_can_be_imported_after_rebind(void **state)
{
	struct v4l2_buffer b;

	zcv_open(&cam, "cam0");
	zcv_alloc(&cam, V4L2_MEMORY_MMAP, 2, 0);
	fds[0] = zcv_export(&cam, 0, O_RDWR | O_CLOEXEC);
	map_dmabuf(fds[0], cam.length[0]);
	zcv_close(&cam);
	unbind();
	bind();
	zcv_open(&cam, "cam0");
	zcv_control(&cam, ZCDMA_V4L2_CID_STAMPS, 1);
	zcv_alloc(&cam, V4L2_MEMORY_DMABUF, 2, 0);
	b = zcv_buffer(&cam, 0);
	b.m.fd = fds[0];
	zcv_ioctl(cam.fd, VIDIOC_QBUF, &b);
	zcv_on(&cam);
	b = zcv_dequeue(&cam);
	zcv_check_stamps(shared, b.bytesused, b.sequence);
}

/* Memory that is not ours goes back to its owner as it is. */
static void test_imported_buffers_are_let_go(void **state)
{
	struct udmabuf_create create = { .size = 1 << 20 };
	struct v4l2_buffer b;

	zcv_open(&cam, "cam0");
	fds[0] = open("/dev/udmabuf", O_RDWR | O_CLOEXEC);
	assert_true(fds[0] >= 0);
	fds[1] = memfd_create("frame", MFD_ALLOW_SEALING | MFD_CLOEXEC);
	assert_int_equal(ftruncate(fds[1], create.size), 0);
	assert_int_equal(fcntl(fds[1], F_ADD_SEALS, F_SEAL_SHRINK), 0);
	create.memfd = fds[1];
	fds[2] = ioctl(fds[0], UDMABUF_CREATE, &create);
	assert_true(fds[2] >= 0);
	map_dmabuf(fds[1], create.size);

	zcv_alloc(&cam, V4L2_MEMORY_DMABUF, 2, 0);
	b = zcv_buffer(&cam, 0);
	b.m.fd = fds[2];
	zcv_ioctl(cam.fd, VIDIOC_QBUF, &b);
	zcv_on(&cam);
	zcv_dequeue(&cam);
	b.m.fd = fds[2];
	zcv_ioctl(cam.fd, VIDIOC_QBUF, &b);
	unbind();
	check_gone(&cam);
	check_memory(shared, shared_size);
	check_rebind();
}

/* ---- Others that hold our buffers ---- */

static bool have_vivid;

static int load_vivid(void **state)
{
	have_vivid = !system("modprobe vivid n_devs=1 node_types=0x100 num_outputs=1 output_types=1");
	return find_platform(state);
}

static int unload_vivid(void **state)
{
	return have_vivid && zcv_unload_vivid();
}

static void test_vivid_goes_on_with_our_buffers(void **state)
{
	assert_true(have_vivid);
	zcv_show_on_vivid(&vivid, &cam, fds, 3);
	zcv_dequeue(&vivid);
	unbind();
	zcv_close(&cam);
	for (int i = 0; i < 4; i++) {
		struct v4l2_buffer b;

		b = zcv_buffer(&vivid, i ? zcv_dequeue(&vivid).index : 0);
		b.m.fd = fds[b.index];
		b.bytesused = vivid.pix.sizeimage;
		zcv_ioctl(vivid.fd, VIDIOC_QBUF, &b);
	}
	check_rebind();
	zcv_dequeue(&vivid);
}

/* ---- Whoever waits ---- */

/* One call in a thread of its own; what came of it. */
struct waiter {
	pthread_t thread;
	long (*call)(void);
	long syscall;
	_Atomic pid_t tid;
	long result;
	int error;
};

static void *wait_in_call(void *arg)
{
	struct waiter *w = arg;

	w->tid = gettid();
	errno = 0;
	w->result = w->call();
	w->error = errno;
	return NULL;
}

/* On return it sleeps in the system call. */
static void start_waiter(struct waiter *w)
{
	w->tid = 0;
	assert_int_equal(pthread_create(&w->thread, NULL, wait_in_call, w), 0);
	zcs_wait_asleep(&w->tid, w->syscall);
}

static void join_waiter(struct waiter *w)
{
	struct timespec end;

	clock_gettime(CLOCK_REALTIME, &end);
	end.tv_sec += ZCV_DEADLINE_MS / 1000;
	if (pthread_timedjoin_np(w->thread, NULL, &end))
		fail_msg("the call has not come back");
}

static long call_dqbuf(void)
{
	struct v4l2_buffer b = zcv_buffer(&cam, 0);

	return ioctl(cam.fd, VIDIOC_DQBUF, &b);
}

static long call_dqevent(void)
{
	struct v4l2_event event;

	return ioctl(cam.fd, VIDIOC_DQEVENT, &event);
}

static long call_poll(void)
{
	struct pollfd p = { .fd = cam.fd, .events = POLLIN | POLLPRI };

	return poll(&p, 1, -1) == 1 ? p.revents : -1;
}

static long call_read(void)
{
	static char frame[640 * 480 * 2];

	return read(cam.fd, frame, sizeof(frame));
}

static long call_write(void)
{
	static char frame[640 * 480 * 2];

	/* As many as are taken, and one to wait with. */
	for (;;)
		if (write(out.fd, frame, sizeof(frame)) < 0)
			return -1;
}

/* The hardware gives nothing; nothing but unbind ends the wait. */
static struct waiter start_stalled(long (*call)(void), long syscall, const char *chan,
				   bool stream)
{
	struct waiter w = { .call = call, .syscall = syscall };
	struct zcv *v = strcmp(chan, "cam0") ? &out : &cam;

	zcv_open(v, chan);
	zcv_set_fault(chan, "stall", "1");
	if (stream)
		zcv_start(v, 2);
	return w;
}

static void check_waiter(long (*call)(void), long syscall, const char *chan, bool stream)
{
	struct waiter w = start_stalled(call, syscall, chan, stream);

	start_waiter(&w);
	unbind();
	join_waiter(&w);
	assert_int_equal(w.result, -1);
	assert_int_equal(w.error, ENODEV);
	check_gone(strcmp(chan, "cam0") ? &out : &cam);
	check_rebind();
}

static void test_blocked_dqbuf_ends(void **state)
{
	check_waiter(call_dqbuf, SYS_ioctl, "cam0", true);
}

static void test_blocked_dqevent_ends(void **state)
{
	check_waiter(call_dqevent, SYS_ioctl, "cam0", true);
}

static void test_blocked_read_ends(void **state)
{
	check_waiter(call_read, SYS_read, "cam0", false);
}

static void test_blocked_write_ends(void **state)
{
	check_waiter(call_write, SYS_write, "out0", false);
}

static void test_blocked_poll_ends(void **state)
{
	struct waiter w = start_stalled(call_poll, SYS_ppoll, "cam0", true);

	start_waiter(&w);
	unbind();
	join_waiter(&w);
	/* It may have seen the buffers come back a moment before. */
	assert_true(w.result > 0);
	check_gone(&cam);
	check_rebind();
}

static long call_poll_device(void)
{
	struct pollfd p = { .fd = fds[0], .events = POLLIN };

	return poll(&p, 1, -1) == 1 ? p.revents : -1;
}

static void test_blocked_poll_on_the_device_ends(void **state)
{
	struct waiter w = { .call = call_poll_device, .syscall = SYS_ppoll };

	fds[0] = zcv_open_device();
	start_waiter(&w);
	unbind();
	join_waiter(&w);
	assert_int_equal(w.result & GONE, GONE);
	check_rebind();
}

/* ---- Calls under way on another CPU ---- */

static volatile unsigned long calls;

static long hammer_querycap(void)
{
	struct v4l2_capability cap;

	while (!ioctl(cam.fd, VIDIOC_QUERYCAP, &cap))
		calls++;
	return -1;
}

static long hammer_frames(void)
{
	struct v4l2_buffer b;

	for (;;) {
		b = zcv_buffer(&cam, 0);
		if (ioctl(cam.fd, VIDIOC_DQBUF, &b) || ioctl(cam.fd, VIDIOC_QBUF, &b))
			return -1;
		calls++;
	}
}

static long hammer_reqbufs(void)
{
	struct v4l2_requestbuffers req = { .type = V4L2_BUF_TYPE_VIDEO_OUTPUT,
					   .memory = V4L2_MEMORY_MMAP };

	for (;;) {
		req.count = req.count ? 0 : 2;
		if (ioctl(out.fd, VIDIOC_REQBUFS, &req))
			return -1;
		calls++;
	}
}

static long hammer_alloc(void)
{
	struct zcdma_buffer_alloc alloc = { .size = 65536, .fd_flags = O_RDWR };

	for (;;) {
		alloc.fd = 0;
		if (ioctl(fds[0], ZCDMA_IOC_BUFFER_ALLOC, &alloc))
			return -1;
		close(alloc.fd);
		calls++;
	}
}

/* To be called with everything open; afterwards nothing is. */
static void end_hammer(long (*call)(void))
{
	uint64_t end = zcv_now() + ZCV_DEADLINE_MS * NSEC_PER_MSEC;
	struct waiter w = { .call = call };
	unsigned long before = calls;

	assert_int_equal(pthread_create(&w.thread, NULL, wait_in_call, &w), 0);
	while (calls < before + 20) {
		if (!pthread_tryjoin_np(w.thread, NULL))
			fail_msg("%lu calls, then: %s", calls - before, strerror(w.error));
		if (zcv_now() > end)
			fail_msg("no more than %lu calls", calls - before);
		sched_yield();
	}
	unbind();
	join_waiter(&w);
	assert_int_equal(w.result, -1);
	assert_int_equal(w.error, ENODEV);
	check_rebind();
}

static void check_hammer(long (*call)(void))
{
	fds[0] = zcv_open_device();
	zcv_open(&cam, "cam0");
	zcv_open(&out, "out0");
	zcv_format(&cam, V4L2_PIX_FMT_GREY, 64, 64);
	zcv_format(&out, V4L2_PIX_FMT_GREY, 64, 64);
	zcv_interval(&cam, 1, 1000);
	zcv_start(&cam, 4);
	end_hammer(call);
	teardown(NULL);
}

static void test_calls_under_way_end_with_enodev(void **state)
{
	for (int round = 0; round < 3; round++) {
		check_hammer(hammer_querycap);
		check_hammer(hammer_frames);
		check_hammer(hammer_reqbufs);
		check_hammer(hammer_alloc);
	}
}

/* Periods of a millisecond, four of them. */
#define PERIOD		48
#define NUM_PERIODS	4

static int16_t sound[PERIOD * 2];

/* Whoever is in a call when the card goes is told EBADFD, and ENODEV from then on. */
static bool sound_call(int pcm, unsigned long request, void *arg)
{
	return !ioctl(pcm, request, arg) || errno == EBADFD;
}

/*
 * On a slow host there are xruns, and no period for 100 ms, which ALSA calls EIO: no news here, where
 * the guest's time is the host's.
 */
static long hammer_sound(int pcm, unsigned long request)
{
	struct snd_xferi xfer = { .buf = sound, .frames = PERIOD };

	for (;; calls++)
		if (!sound_call(pcm, request, &xfer) && errno != EIO &&
		    (errno != EPIPE || !sound_call(pcm, SNDRV_PCM_IOCTL_PREPARE, NULL)))
			return -1;
}

static long hammer_playback(void)
{
	return hammer_sound(speaker, SNDRV_PCM_IOCTL_WRITEI_FRAMES);
}

static long hammer_capture(void)
{
	return hammer_sound(microphone, SNDRV_PCM_IOCTL_READI_FRAMES);
}

static long hammer_ring(void)
{
	for (;; calls++)
		if ((zca_hw_params(microphone, SNDRV_PCM_ACCESS_RW_INTERLEAVED, PERIOD, NUM_PERIODS) &&
		     errno != EBADFD) ||
		    !sound_call(microphone, SNDRV_PCM_IOCTL_PREPARE, NULL) ||
		    !sound_call(microphone, SNDRV_PCM_IOCTL_START, NULL) ||
		    !sound_call(microphone, SNDRV_PCM_IOCTL_DROP, NULL) ||
		    !sound_call(microphone, SNDRV_PCM_IOCTL_HW_FREE, NULL))
			return -1;
}

static long hammer_pointer(void)
{
	struct snd_pcm_status status = {};

	for (;; calls++)
		if (!sound_call(microphone, SNDRV_PCM_IOCTL_STATUS, &status) ||
		    !sound_call(speaker, SNDRV_PCM_IOCTL_STATUS, &status))
			return -1;
}

static long hammer_control(void)
{
	struct snd_ctl_elem_value value = { .id.numid = 1 };

	for (;; calls++) {
		value.value.integer.value[0] = calls % 2;
		if (!sound_call(fds[1], SNDRV_CTL_IOCTL_ELEM_WRITE, &value))
			return -1;
	}
}

static long hammer_export(void)
{
	struct zcdma_pcm_export export = { .fd_flags = O_CLOEXEC };
	struct zcdma_channel_info info = {};

	while (!ioctl(fds[0], ZCDMA_IOC_CHANNEL_INFO, &info) && strcmp(info.name, "mic0"))
		info.index++;
	export.channel = info.index;
	for (; !ioctl(fds[0], ZCDMA_IOC_PCM_EXPORT, &export); calls++)
		close(export.fd);
	return -1;
}

/* From nothing to sound and back. */
static long hammer_open(void)
{
	char path[64];

	zca_path(zcv_device, 'c', path);
	for (;;) {
		int pcm = open(path, O_RDWR | O_CLOEXEC);

		if (pcm < 0) {
			/* Its node has gone, too. */
			errno = errno == ENOENT ? ENODEV : errno;
			return -1;
		}
		if (!zca_hw_params(pcm, SNDRV_PCM_ACCESS_RW_INTERLEAVED, PERIOD, NUM_PERIODS) &&
		    !ioctl(pcm, SNDRV_PCM_IOCTL_PREPARE) && !zca_run_free(pcm))
			calls++;
		close(pcm);
	}
}

static int open_pcm(char direction, unsigned int period, unsigned int num_periods)
{
	char path[64];
	int pcm;

	assert_true(zca_path(zcv_device, direction, path));
	pcm = open(path, O_RDWR | O_CLOEXEC);
	if (pcm < 0)
		zcv_fail(path);
	assert_int_equal(zca_hw_params(pcm, SNDRV_PCM_ACCESS_RW_INTERLEAVED, period, num_periods), 0);
	zcv_ioctl(pcm, SNDRV_PCM_IOCTL_PREPARE, 0);
	return pcm;
}

static void check_sound_hammer(long (*call)(void))
{
	struct snd_xferi xfer = { .buf = sound, .frames = PERIOD };
	char path[64];

	fds[0] = zcv_open_device();
	assert_true(zca_path(zcv_device, 'C', path));
	fds[1] = open(path, O_RDWR | O_CLOEXEC);
	assert_true(fds[1] >= 0);
	if (call != hammer_open) {
		speaker = open_pcm('p', PERIOD, NUM_PERIODS);
		microphone = open_pcm('c', PERIOD, NUM_PERIODS);
	}
	if (call == hammer_pointer || call == hammer_control || call == hammer_export) {
		assert_int_equal(zca_run_free(speaker), 0);
		assert_int_equal(zca_run_free(microphone), 0);
	}
	end_hammer(call);
	teardown(NULL);
	/* The new card has sound; a slow host has five seconds to take it. */
	microphone = open_pcm('c', 24000, 10);
	zcv_ioctl(microphone, SNDRV_PCM_IOCTL_READI_FRAMES, &xfer);
	teardown(NULL);
}

static void test_calls_for_sound_under_way_end_with_enodev(void **state)
{
	for (int round = 0; round < 2; round++) {
		check_sound_hammer(hammer_playback);
		check_sound_hammer(hammer_capture);
		check_sound_hammer(hammer_ring);
		check_sound_hammer(hammer_pointer);
		check_sound_hammer(hammer_control);
		check_sound_hammer(hammer_export);
		check_sound_hammer(hammer_open);
	}
}

/* ---- Calls whose argument does not come ---- */

static void *absent;

static long call_channel_info(void)
{
	return ioctl(fds[0], ZCDMA_IOC_CHANNEL_INFO, absent);
}

static long call_device_info(void)
{
	return ioctl(fds[0], ZCDMA_IOC_DEVICE_INFO, absent);
}

static long call_gpio_state(void)
{
	return ioctl(fds[1], ZCDMA_IOC_GPIO_STATE, absent);
}

static long call_control(void)
{
	return ioctl(fds[2], ZCDMA_IOC_STREAM_CONTROL, absent);
}

/* No assertions: in a thread. */
static long call_unbind(void)
{
	if (by_unload)
		return unload("zcdma_virt");
	return zcv_write_text("/sys/bus/platform/drivers/zcdma-virt/unbind", platform);
}

/* A page, at @absent, that nobody gets before the test gives it; false: the kernel cannot. */
static bool hold_page(int *uffd)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg = { .mode = UFFDIO_REGISTER_MODE_MISSING };

	*uffd = syscall(SYS_userfaultfd, O_CLOEXEC);
	if (*uffd < 0 && errno == ENOSYS)
		return false;
	assert_true(*uffd >= 0);
	zcv_ioctl(*uffd, UFFDIO_API, &api);
	absent = mmap(NULL, ZCT_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_true(absent != MAP_FAILED);
	reg.range = (struct uffdio_range) { .start = (uintptr_t)absent, .len = ZCT_PAGE };
	zcv_ioctl(*uffd, UFFDIO_REGISTER, &reg);
	return true;
}

/* What a hostile program does to keep everybody waiting, and the module in use. @error: 0: none. */
static void check_absent_argument(long (*call)(void), int error)
{
	struct zcdma_gpio_open gpio = { .fd_flags = O_CLOEXEC };
	struct waiter unbinding = { .call = call_unbind };
	struct waiter w = { .call = call };
	struct uffdio_zeropage zero = {};
	struct zcdma_device_info info;
	struct uffd_msg msg;
	struct zcs s;

	/* Teardown closes it, should something fail, and lets everybody go. */
	if (!hold_page(&fds[3]))
		skip();
	fds[0] = zcv_open_device();
	zcv_ioctl(fds[0], ZCDMA_IOC_GPIO_OPEN, &gpio);
	fds[1] = gpio.fd;
	zcs_open(&s, fds[0], "raw-in", 2, 4096, 0);
	fds[2] = s.fd;

	assert_int_equal(pthread_create(&w.thread, NULL, wait_in_call, &w), 0);
	assert_int_equal(read(fds[3], &msg, sizeof(msg)), sizeof(msg));
	assert_int_equal(msg.event, UFFD_EVENT_PAGEFAULT);

	assert_int_equal(pthread_create(&unbinding.thread, NULL, wait_in_call, &unbinding), 0);
	join_waiter(&unbinding);
	assert_int_equal(unbinding.result, 0);
	zcv_ioctl_fails(fds[0], ZCDMA_IOC_DEVICE_INFO, &info, ENODEV);

	zero.range = (struct uffdio_range) { .start = (uintptr_t)absent, .len = ZCT_PAGE };
	zcv_ioctl(fds[3], UFFDIO_ZEROPAGE, &zero);
	join_waiter(&w);
	assert_int_equal(w.result, error ? -1 : 0);
	assert_int_equal(w.error, error);

	zcs_close(&s);
	fds[2] = -1;
	munmap(absent, ZCT_PAGE);
	check_rebind();
	teardown(NULL);
}

static void test_arguments_that_do_not_come_hold_up_nobody(void **state)
{
	check_absent_argument(call_channel_info, ENODEV);
	/* Found out before the end; only the answer is late. */
	check_absent_argument(call_device_info, 0);
	check_absent_argument(call_gpio_state, 0);
	check_absent_argument(call_control, ENODEV);
}

/* ---- Again and again ---- */

static void test_pool_is_whole_after_everything(void **state)
{
	struct zcdma_buffer_alloc alloc = { .fd_flags = O_RDWR | O_CLOEXEC };
	struct zcdma_device_info info;

	/* Of processes that come and go there are pages in it that cannot be moved for a moment. */
	assert_int_equal(zcv_settle(), 0);
	fds[0] = zcv_open_device();
	zcv_ioctl(fds[0], ZCDMA_IOC_DEVICE_INFO, &info);
	assert_int_equal(info.pool_used, 0);
	/* In one piece, so no page of it can be held by anybody. */
	alloc.size = info.pool_size;
	zcv_ioctl(fds[0], ZCDMA_IOC_BUFFER_ALLOC, &alloc);
	fds[1] = alloc.fd;
}

static void test_20_quick_cycles(void **state)
{
	for (int i = 0; i < 20; i++) {
		zcv_open(&cam, "cam0");
		if (i & 1)
			zcv_start(&cam, 2);
		unbind();
		if (i & 2)
			zcv_close(&cam);
		bind();
		zcv_close(&cam);
	}
	zcv_check_streams("cam0");
	zcv_check_streams("out0");
}

/* The front end goes, the engine stays, and another front end could come. */
static void test_front_end_can_be_unbound_alone(void **state)
{
	char path[PATH_MAX], driver[PATH_MAX], link[PATH_MAX], name[ZCV_TEXT], entry[ZCV_TEXT];
	const char *device;
	ssize_t n;

	zcv_open(&cam, "cam0");
	zcv_start(&cam, 2);
	snprintf(name, sizeof(name), "%s cam0", zcv_device);
	assert_true(zcv_find("video4linux", "name", name, entry));
	snprintf(path, sizeof(path), "/sys/class/video4linux/%s/device", entry);
	n = readlink(path, link, sizeof(link) - 1);
	assert_true(n > 0);
	link[n] = '\0';
	device = strrchr(link, '/') + 1;
	strcat(path, "/driver");
	assert_non_null(realpath(path, driver));
	snprintf(path, sizeof(path), "%.200s/unbind", driver);
	assert_int_equal(zcv_write_text(path, device), 0);
	check_gone(&cam);
	zcv_assert_owner("cam0", "none");
	snprintf(path, sizeof(path), "%.200s/bind", driver);
	assert_int_equal(zcv_write_text(path, device), 0);
	zcv_close(&cam);
	zcv_check_streams("cam0");
}

/* ---- Modules ---- */

/* Nothing that the tests above have done still holds a module. */
static void test_modules_can_be_unloaded_in_the_end(void **state)
{
	assert_int_equal(zcv_settle(), 0);
	assert_int_equal(unload("zcdma_dmaengine"), 0);
	assert_int_equal(unload("zcdma_virt"), 0);
	assert_int_equal(unload("zcdma_video"), 0);
	assert_int_equal(unload("zcdma_pcm"), 0);
	assert_int_equal(unload("zcdma"), 0);
	assert_int_equal(system("modprobe -a zcdma-virt zcdma-dmaengine zcdma-video zcdma-pcm"), 0);
	zcv_check_streams("cam0");
}

static int end_by_unbind(void **state)
{
	by_unload = false;
	return 0;
}

static int end_by_unload(void **state)
{
	by_unload = true;
	return 0;
}

#define BY_UNBIND(test) cmocka_unit_test_setup_teardown(test, end_by_unbind, teardown)
/* Both ways. */
#define UNBIND_TEST(test) \
	BY_UNBIND(test), { #test "_by_unload", test, end_by_unload, teardown, NULL }

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNBIND_TEST(test_open_node_gives_enodev),
		UNBIND_TEST(test_open_device_gives_enodev),
		UNBIND_TEST(test_media_device_gives_enodev),
		UNBIND_TEST(test_mapped_buffers_stay),
		UNBIND_TEST(test_mapping_outlives_the_file_and_the_device),
		UNBIND_TEST(test_exported_buffers_stay),
		UNBIND_TEST(test_exported_buffers_can_be_imported_after_rebind),
		UNBIND_TEST(test_imported_buffers_are_let_go),
		UNBIND_TEST(test_vivid_goes_on_with_our_buffers),
		UNBIND_TEST(test_blocked_dqbuf_ends),
		UNBIND_TEST(test_blocked_dqevent_ends),
		UNBIND_TEST(test_blocked_read_ends),
		UNBIND_TEST(test_blocked_write_ends),
		UNBIND_TEST(test_blocked_poll_ends),
		UNBIND_TEST(test_blocked_poll_on_the_device_ends),
		UNBIND_TEST(test_calls_under_way_end_with_enodev),
		UNBIND_TEST(test_calls_for_sound_under_way_end_with_enodev),
		UNBIND_TEST(test_arguments_that_do_not_come_hold_up_nobody),
		BY_UNBIND(test_20_quick_cycles),
		BY_UNBIND(test_front_end_can_be_unbound_alone),
		BY_UNBIND(test_pool_is_whole_after_everything),
		BY_UNBIND(test_modules_can_be_unloaded_in_the_end),
	};

	return cmocka_run_group_tests(tests, load_vivid, unload_vivid);
}
