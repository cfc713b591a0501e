// SPDX-License-Identifier: GPL-2.0-only
/*
 * test-failnth - a failure at every allocation, and at every access to user memory, that each
 * operation on our nodes makes
 *
 * timeout: 300
 * vm: --append dma_debug=off
 *
 * For each operation the kernel is told to fail the first such site, then the second, until the
 * operation is through without having come to a failure (/proc/thread-self/fail-nth, see
 * Documentation/fault-injection). Every time it must end in success or in a clean error, and leave
 * nothing behind: no descriptor, no byte of a pool; and the same operation, tried again without a
 * failure, must work. What the kernel leaks beside that is found by kmemleak at the end. Its DMA API
 * debugging gives up for good, with a complaint, where it cannot allocate: it stays out of this.
 *
 * usage: test-failnth [--every] [OPERATION]...
 *
 * Without operations, all but those that take away a device (test-failnth-bind.sh) or a module
 * (test-failnth-modules.sh).
 *
 * --every: where there are hundreds of sites, too, instead of ever fewer of them
 */
#define _GNU_SOURCE
#include <limits.h>
#include <linux/udmabuf.h>
#include <linux/videodev2.h>
#include <poll.h>
#include <stdarg.h>
#include <sys/syscall.h>

#include "zca.h"

#define MAX_SITES	20000
#define SIZE		(256 * 1024)

/**
 * struct op - an operation under test
 * @name: what it is called in the output
 * @prepare: bring about all that it needs; failures end the program
 * @run: the operation; 0 or -errno
 * @restore: what was taken away comes back, whether the operation succeeded or not; NULL: nothing
 * @arg: for all of them
 * @fails_as: beside ENOMEM and EFAULT, what a failure may look like, and why
 * @sparse: has hundreds of sites, of which most are not ours (v4l2-tpg allocates by the line, each
 *	device that comes or goes is told to udev), or is slow: the further the walk gets, the
 *	longer are its steps
 * @no_site: it allocates nothing and copies nothing: there is nothing to fail
 * @keeps_fd: a descriptor may be left when the kernel cannot tell its number: V4L2's and udmabuf's
 *	ioctls install it first
 */
struct op {
	const char *name;
	void (*prepare)(int arg);
	int (*run)(int arg);
	void (*restore)(int arg);
	int arg;
	int fails_as;
	bool sparse;
	bool no_site;
	bool keeps_fd;
};

static int fail_fd;		/* /proc/thread-self/fail-nth */
static int first_fd;		/* descriptors from here on belong to an operation */
static int watch_fd[2];		/* the devices, to ask for pool_used */
static bool broken, every;

/* What operations work on. */
static int dev, node, out, buf;
static void *map;
static size_t map_size;
static struct zcdma_stream_open ring;
static unsigned int index_free;
static struct v4l2_format format;
static char dev_path[2][64], cam_path[64], out_path[64], pcm_path[64];
static char module_file[4][PATH_MAX];
static char bind_path[PATH_MAX], unbind_path[PATH_MAX], bind_name[2][64];

static void __attribute__((format(printf, 1, 2), noreturn)) die(const char *what, ...)
{
	va_list ap;

	va_start(ap, what);
	printf("# ");
	vprintf(what, ap);
	va_end(ap);
	printf(": %s\n", strerror(errno));
	exit(1);
}

static bool read_text(char *text, size_t size, const char *format, ...)
{
	char path[PATH_MAX];
	va_list ap;
	ssize_t n;
	int fd;

	va_start(ap, format);
	vsnprintf(path, sizeof(path), format, ap);
	va_end(ap);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	n = read(fd, text, size - 1);
	close(fd);
	text[n < 0 ? 0 : n] = '\0';
	text[strcspn(text, "\n")] = '\0';
	return n >= 0;
}

static int write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	int ret = fd < 0 || write(fd, text, strlen(text)) < 0 ? -errno : 0;

	if (fd >= 0)
		close(fd);
	return ret;
}

/* /dev/NAME of the entry of a class whose attribute has this value; numbers change on rebind. */
static bool find_node(char path[64], const char *class, const char *name)
{
	char text[128];

	path[0] = '\0';
	for (int i = 0; i < 64 && !path[0]; i++) {
		const char *prefix = strcmp(class, "zcdma") ? "video" : "zcdma";

		if (read_text(text, sizeof(text), "/sys/class/%s/%s%d/name", class, prefix, i) &&
		    !strcmp(text, name))
			snprintf(path, 64, "/dev/%s%d", prefix, i);
	}
	return path[0];
}

static bool find_nodes(void)
{
	return find_node(dev_path[0], "zcdma", "virt0") &
	       find_node(dev_path[1], "zcdma", "virt1") &
	       find_node(cam_path, "video4linux", "virt0 cam0") &
	       find_node(out_path, "video4linux", "virt0 out0");
}

/* ---- Operations on /dev/zcdmaN ---- */

static void none(int arg)
{
}

static int ret_fd(int fd, int *where)
{
	if (fd < 0)
		return -errno;
	*where = fd;
	return 0;
}

static int op_open_device(int arg)
{
	return ret_fd(open(dev_path[0], O_RDWR | O_CLOEXEC), &dev);
}

static void with_device(int arg)
{
	dev = open(dev_path[zct_memories[arg].device[4] - '0'], O_RDWR | O_CLOEXEC);
	if (dev < 0)
		die("cannot open the device");
}

static void with_virt0(int arg)
{
	with_device(0);
}

static int op_device_info(int arg)
{
	struct zcdma_device_info info;

	return zct_ioctl(dev, ZCDMA_IOC_DEVICE_INFO, &info);
}

static int op_channel_info(int arg)
{
	struct zcdma_channel_info info = { 0 };

	return zct_ioctl(dev, ZCDMA_IOC_CHANNEL_INFO, &info);
}

static int op_buffer_alloc(int arg)
{
	int fd = zct_alloc(dev, SIZE, zct_memories[arg].flags);

	if (fd < 0)
		return fd;
	buf = fd;
	return 0;
}

static void with_buffer(int arg)
{
	with_device(arg);
	if (op_buffer_alloc(arg))
		die("cannot allocate a buffer");
}

static int op_mmap(int arg)
{
	void *at = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, buf, 0);

	if (at == MAP_FAILED)
		return -errno;
	map = at;
	map_size = SIZE;
	return 0;
}

static void with_mapping(int arg)
{
	with_buffer(arg);
	if (op_mmap(arg))
		die("cannot map a buffer");
}

/* A hole in the middle splits the mapping: a reference more for the second half. */
static int op_split(int arg)
{
	return munmap((char *)map + SIZE / 2, ZCT_PAGE) ? -errno : 0;
}

static int op_sync(int arg)
{
	return zct_sync(buf, DMA_BUF_SYNC_START | DMA_BUF_SYNC_RW) ?:
	       zct_sync(buf, DMA_BUF_SYNC_END | DMA_BUF_SYNC_RW);
}

static int op_gpio_open(int arg)
{
	struct zcdma_gpio_open open = { .fd_flags = O_CLOEXEC };

	return zct_ioctl(dev, ZCDMA_IOC_GPIO_OPEN, &open) ?: ret_fd(open.fd, &buf);
}

static void with_gpio(int arg)
{
	with_device(arg);
	if (op_gpio_open(arg))
		die("cannot open the GPIO descriptor");
}

static int op_gpio_mmap(int arg)
{
	void *at = mmap(NULL, ZCT_PAGE, PROT_READ, MAP_SHARED, buf, 0);

	return at == MAP_FAILED ? -errno : munmap(at, ZCT_PAGE) ? -errno : 0;
}

static int op_gpio_state(int arg)
{
	struct zcdma_gpio_state state;

	return zct_ioctl(buf, ZCDMA_IOC_GPIO_STATE, &state);
}

/* To the line and back, so that its interrupt is enabled and disabled. */
static int op_trigger(int arg)
{
	struct zcdma_trigger set = { .mode = ZCDMA_TRIGGER_ON, .source = ZCDMA_TRIGGER_LINE,
				     .divider = 1, .period_ns = ZCDMA_TRIGGER_PERIOD_MAX_NS };
	int ret = zct_ioctl(dev, ZCDMA_IOC_TRIGGER_SET, &set);

	if (!ret) {
		set.mode = ZCDMA_TRIGGER_OFF;
		ret = zct_ioctl(dev, ZCDMA_IOC_TRIGGER_SET, &set);
	}
	return ret ?: zct_ioctl(dev, ZCDMA_IOC_TRIGGER_GET, &set);
}

static int op_strobe(int arg)
{
	struct zcdma_strobe_pulse pulse = { 0 };
	struct zcdma_strobe set = { .duration_ns = 1000000 };

	return zct_ioctl(dev, ZCDMA_IOC_STROBE_SET, &set) ?:
	       zct_ioctl(dev, ZCDMA_IOC_STROBE_GET, &set) ?:
	       zct_ioctl(dev, ZCDMA_IOC_STROBE_PULSE, &pulse);
}

/* ---- Operations on the video nodes ---- */

static int op_open_video(int arg)
{
	return ret_fd(open(cam_path, O_RDWR | O_CLOEXEC), &node);
}

static void with_camera(int arg)
{
	/* At this pace VIDIOC_REQBUFS gives as many buffers as it is asked for. */
	struct v4l2_streamparm parm = {
		.type = V4L2_BUF_TYPE_VIDEO_CAPTURE,
		.parm.capture.timeperframe = { 1, 30 },
	};

	if (op_open_video(arg))
		die("cannot open the camera");
	format = (struct v4l2_format) {
		.type = V4L2_BUF_TYPE_VIDEO_CAPTURE,
		.fmt.pix = { .width = 320, .height = 240, .pixelformat = V4L2_PIX_FMT_YUYV },
	};
	if (ioctl(node, VIDIOC_S_FMT, &format) || ioctl(node, VIDIOC_S_PARM, &parm))
		die("cannot set the format");
}

static int op_s_fmt(int arg)
{
	return zct_ioctl(node, VIDIOC_S_FMT, &format);
}

static int op_enum(int arg)
{
	struct v4l2_fmtdesc desc = { .type = V4L2_BUF_TYPE_VIDEO_CAPTURE };

	return zct_ioctl(node, VIDIOC_ENUM_FMT, &desc);
}

static int op_s_ctrls(int arg)
{
	struct v4l2_ext_control control[2] = {
		{ .id = V4L2_CID_TEST_PATTERN, .value = 0 },
		{ .id = ZCDMA_V4L2_CID_STAMPS, .value = 0 },
	};
	struct v4l2_ext_controls controls = {
		.which = V4L2_CTRL_WHICH_CUR_VAL,
		.count = 2,
		.controls = control,
	};

	return zct_ioctl(node, VIDIOC_S_EXT_CTRLS, &controls);
}

static int op_subscribe(int arg)
{
	struct v4l2_event_subscription sub = { .type = ZCDMA_V4L2_EVENT_FRAME };

	return zct_ioctl(node, VIDIOC_SUBSCRIBE_EVENT, &sub);
}

/* @arg: V4L2_MEMORY_FLAG_* */
static int op_reqbufs(int arg)
{
	struct v4l2_requestbuffers req = {
		.count = 3,
		.type = V4L2_BUF_TYPE_VIDEO_CAPTURE,
		.memory = V4L2_MEMORY_MMAP,
		.flags = arg,
	};
	int ret = zct_ioctl(node, VIDIOC_REQBUFS, &req);

	/* Fewer buffers than asked for is how V4L2 says that memory is short. */
	return ret ?: req.count < 3 ? -ENOMEM : 0;
}

static int op_create_bufs(int arg)
{
	struct v4l2_create_buffers create = {
		.count = 2,
		.memory = V4L2_MEMORY_MMAP,
		.format = format,
	};
	int ret = zct_ioctl(node, VIDIOC_CREATE_BUFS, &create);

	return ret ?: create.count < 2 ? -ENOMEM : 0;
}

static void with_queue(int arg)
{
	with_camera(arg);
	if (op_reqbufs(arg))
		die("cannot allocate video buffers");
	index_free = 0;
}

static int op_querybuf(int arg)
{
	struct v4l2_buffer b = { .type = format.type, .memory = V4L2_MEMORY_MMAP };

	return zct_ioctl(node, VIDIOC_QUERYBUF, &b);
}

static int op_mmap_video(int arg)
{
	void *at = mmap(NULL, format.fmt.pix.sizeimage, PROT_READ | PROT_WRITE, MAP_SHARED, node, 0);

	if (at == MAP_FAILED)
		return -errno;
	map = at;
	map_size = format.fmt.pix.sizeimage;
	return 0;
}

static int op_expbuf(int arg)
{
	struct v4l2_exportbuffer e = { .type = format.type, .flags = O_RDWR | O_CLOEXEC };

	return zct_ioctl(node, VIDIOC_EXPBUF, &e);
}

static int op_qbuf(int arg)
{
	struct v4l2_buffer b = {
		.type = format.type, .memory = V4L2_MEMORY_MMAP, .index = index_free,
	};

	return zct_ioctl(node, VIDIOC_QBUF, &b);
}

static void with_queued(int arg)
{
	with_queue(arg);
	for (; index_free < 2; index_free++)
		if (op_qbuf(arg))
			die("cannot queue a buffer");
}

static int op_streamon(int arg)
{
	return zct_ioctl(node, VIDIOC_STREAMON, &format.type);
}

static void with_stream(int arg)
{
	with_queued(arg);
	if (op_streamon(arg))
		die("cannot start streaming");
}

static int op_streamoff(int arg)
{
	return zct_ioctl(node, VIDIOC_STREAMOFF, &format.type);
}

static void with_frame(int arg)
{
	struct pollfd p = { .events = POLLIN };

	with_stream(arg);
	p.fd = node;
	if (poll(&p, 1, 20000) != 1 || !(p.revents & POLLIN))
		die("no frame came");
}

static int op_dqbuf(int arg)
{
	struct v4l2_buffer b = { .type = format.type, .memory = V4L2_MEMORY_MMAP };

	return zct_ioctl(node, VIDIOC_DQBUF, &b);
}

/* The first read() allocates buffers and starts streaming. */
static int op_read(int arg)
{
	static char frame[320 * 240 * 2];
	ssize_t n = read(node, frame, sizeof(frame));

	return n < 0 ? -errno : 0;
}

static int reqbufs_dmabuf(void)
{
	struct v4l2_requestbuffers req = {
		.count = 2,
		.type = V4L2_BUF_TYPE_VIDEO_CAPTURE,
		.memory = V4L2_MEMORY_DMABUF,
	};

	return zct_ioctl(node, VIDIOC_REQBUFS, &req);
}

static void with_foreign(int arg)
{
	with_camera(arg);
	if (reqbufs_dmabuf())
		die("cannot prepare for dma-bufs");
	with_buffer(arg);
}

static int op_import(int arg)
{
	struct v4l2_buffer b = {
		.type = format.type, .memory = V4L2_MEMORY_DMABUF, .m.fd = buf,
	};

	return zct_ioctl(node, VIDIOC_QBUF, &b);
}

static void with_udmabuf(int arg)
{
	struct udmabuf_create create = { .size = SIZE };
	int ctl = open("/dev/udmabuf", O_RDWR | O_CLOEXEC);
	int memfd = memfd_create("failnth", MFD_ALLOW_SEALING | MFD_CLOEXEC);

	with_camera(arg);
	if (reqbufs_dmabuf())
		die("cannot prepare for dma-bufs");
	if (ctl < 0 || memfd < 0 || ftruncate(memfd, SIZE) ||
	    fcntl(memfd, F_ADD_SEALS, F_SEAL_SHRINK))
		die("cannot prepare for udmabuf");
	create.memfd = memfd;
	buf = ioctl(ctl, UDMABUF_CREATE, &create);
	if (buf < 0)
		die("udmabuf");
}

static void with_display(int arg)
{
	struct v4l2_requestbuffers req = {
		.count = 2,
		.type = V4L2_BUF_TYPE_VIDEO_OUTPUT,
		.memory = V4L2_MEMORY_MMAP,
	};

	out = open(out_path, O_RDWR | O_CLOEXEC);
	if (out < 0)
		die("cannot open the display");
	format = (struct v4l2_format) {
		.type = V4L2_BUF_TYPE_VIDEO_OUTPUT,
		.fmt.pix = { .width = 320, .height = 240, .pixelformat = V4L2_PIX_FMT_YUYV },
	};
	if (ioctl(out, VIDIOC_S_FMT, &format) || ioctl(out, VIDIOC_REQBUFS, &req))
		die("cannot set up the display");
}

static int op_qbuf_display(int arg)
{
	struct v4l2_buffer b = {
		.type = format.type, .memory = V4L2_MEMORY_MMAP,
		.bytesused = format.fmt.pix.sizeimage,
	};

	return zct_ioctl(out, VIDIOC_QBUF, &b);
}

static void with_queued_display(int arg)
{
	with_display(arg);
	if (op_qbuf_display(arg))
		die("cannot queue a buffer to the display");
}

static int op_streamon_display(int arg)
{
	return zct_ioctl(out, VIDIOC_STREAMON, &format.type);
}

/* ---- Operations on streams ---- */

/* Channels of virt0, numbered as in the device tree: cam0, out0, raw-in, raw-out, mic0. */
static int open_stream(uint32_t flags, int channel)
{
	struct zcdma_stream_open arg = {
		.channel = channel,
		.flags = flags,
		.fd_flags = O_CLOEXEC,
		.num_buffers = 4,
		.buffer_size = channel > 1 ? 64 * 1024 : 0,
	};
	int ret = zct_ioctl(dev, ZCDMA_IOC_STREAM_OPEN, &arg);

	if (ret)
		return ret;
	node = arg.fd;
	ring = arg;
	return 0;
}

/* @arg: which of these */
static const struct { uint32_t flags; int channel; } streams[] = {
	{ 0, 2 },
	{ ZCDMA_STREAM_CACHED, 2 },
	{ ZCDMA_STREAM_CACHED, 0 },
	{ ZCDMA_STREAM_IMPORT, 2 },
	{ ZCDMA_STREAM_CACHED, 4 },
};

static int op_open_stream(int arg)
{
	return open_stream(streams[arg].flags, streams[arg].channel);
}

static void with_opened_stream(int arg)
{
	with_device(0);
	if (op_open_stream(arg))
		die("cannot open a stream");
}

static int op_map_ring(int arg)
{
	void *at = mmap(NULL, ring.ring_size, PROT_READ | PROT_WRITE, MAP_SHARED, node, 0);

	if (at == MAP_FAILED)
		return -errno;
	map = at;
	map_size = ring.ring_size;
	return 0;
}

static int op_map_stream_buffer(int arg)
{
	void *at = mmap(NULL, ring.buffers_stride, PROT_READ | PROT_WRITE, MAP_SHARED, node,
			ring.buffers_offset);

	if (at == MAP_FAILED)
		return -errno;
	map = at;
	map_size = ring.buffers_stride;
	return 0;
}

static int op_start(int arg)
{
	return zct_ioctl(node, ZCDMA_IOC_STREAM_START, NULL);
}

/* All buffers handed over, nothing started. */
static void with_filled_stream(int arg)
{
	uint32_t *tail;

	with_opened_stream(arg);
	if (op_map_ring(arg))
		die("cannot map the rings");
	for (uint32_t i = 0; i < ring.num_buffers; i++) {
		struct zcdma_fill entry = { .index = i };

		memcpy((char *)map + ring.fill.entries + i * ring.fill.entry_size, &entry,
		       sizeof(entry));
	}
	tail = (uint32_t *)((char *)map + ring.fill.tail);
	__atomic_store_n(tail, ring.num_buffers, __ATOMIC_RELEASE);
}

static void with_running_stream(int arg)
{
	with_filled_stream(arg);
	if (op_start(arg))
		die("cannot start a stream");
}

static int op_stop(int arg)
{
	return zct_ioctl(node, ZCDMA_IOC_STREAM_STOP, NULL);
}

static int op_stream_export(int arg)
{
	struct zcdma_stream_buffer b = { .fd_flags = O_RDWR | O_CLOEXEC };

	return zct_ioctl(node, ZCDMA_IOC_STREAM_EXPORT, &b);
}

static void with_import_stream(int arg)
{
	with_opened_stream(3);
	if (op_buffer_alloc(arg))
		die("cannot allocate a buffer");
}

static int op_attach(int arg)
{
	struct zcdma_stream_buffer b = { .fd = buf };

	return zct_ioctl(node, ZCDMA_IOC_STREAM_ATTACH, &b);
}

static int op_stream_control(int arg)
{
	struct zcdma_control control = { .id = ZCDMA_CONTROL_STAMPS };

	return zct_ioctl(node, ZCDMA_IOC_STREAM_CONTROL, &control);
}

/* ---- A camera that waits for the line ---- */

static void set_trigger(int fd, uint32_t mode)
{
	struct zcdma_trigger set = {
		.mode = mode,
		.source = mode == ZCDMA_TRIGGER_ON ? ZCDMA_TRIGGER_LINE : ZCDMA_TRIGGER_SOFTWARE,
		.divider = 1,
		.period_ns = ZCDMA_TRIGGER_PERIOD_MAX_NS,
	};

	if (ioctl(fd, ZCDMA_IOC_TRIGGER_SET, &set))
		die("cannot set the trigger");
}

static void with_trigger(int arg)
{
	set_trigger(watch_fd[0], ZCDMA_TRIGGER_ON);
	with_queued(arg);
}

/* ---- Probe and remove ---- */

/* udev looks at each new node, and the longer its queue, the slower it is. */
static void settle(void)
{
	if (system("udevadm settle -t 300"))
		die("udevadm settle -t 300");
}

static void not_watched(int arg)
{
	close(watch_fd[arg]);
	watch_fd[arg] = -1;
}

static int op_unbind(int arg)
{
	return write_text(unbind_path, bind_name[arg]);
}

static void unbound(int arg)
{
	not_watched(arg);
	if (op_unbind(arg))
		die("cannot unbind %s", bind_name[arg]);
}

static int op_bind(int arg)
{
	return write_text(bind_path, bind_name[arg]);
}

/* Modules, those that need others first. The devices leave with their engine. */
static const char *const modules[] = { "zcdma_virt", "zcdma_video", "zcdma_pcm", "zcdma" };

static void all_unwatched(int arg)
{
	for (int i = 0; i < 2; i++)
		not_watched(i);
}

static int op_unload(int arg)
{
	return syscall(SYS_delete_module, modules[arg], O_NONBLOCK) ? -errno : 0;
}

/* What needs a module has to be gone before it. */
static void unloaded_above(int arg)
{
	all_unwatched(arg);
	settle();
	if (arg == 3 && syscall(SYS_delete_module, "zcdma_dmaengine", O_NONBLOCK))
		die("cannot unload zcdma_dmaengine");
	for (int i = 0; i < arg; i++)
		if (op_unload(i))
			die("cannot unload %s", modules[i]);
}

static void unloaded(int arg)
{
	unloaded_above(arg);
	if (op_unload(arg))
		die("cannot unload %s", modules[arg]);
}

static int op_load(int arg)
{
	int fd = open(module_file[arg], O_RDONLY | O_CLOEXEC);
	int ret;

	if (fd < 0)
		return -errno;
	ret = syscall(SYS_finit_module, fd, "", 0) ? -errno : 0;
	close(fd);
	return ret;
}

/* A driver may be loaded and have lost a device: anew, all of them. */
static void reload(int arg)
{
	settle();
	for (int i = 0; i < 3; i++)
		op_unload(i);
	if (system("modprobe -a zcdma-dmaengine zcdma-video zcdma-pcm zcdma-virt"))
		die("the modules cannot be loaded again");
	settle();
}

/* ---- Sound ---- */

#define RING_FRAMES	1920

static void with_card(int arg)
{
	if (!zca_path("virt0", 'p', pcm_path))
		die("there is no card virt0");
}

static int op_open_pcm(int arg)
{
	return ret_fd(open(pcm_path, O_RDWR | O_CLOEXEC), &node);
}

static void with_pcm(int arg)
{
	with_device(0);
	with_card(arg);
	if (op_open_pcm(arg))
		die("cannot open the PCM");
}

/* @arg: SNDRV_PCM_ACCESS_* */
static int op_hw_params(int arg)
{
	return zca_hw_params(node, arg, RING_FRAMES / 4, 4);
}

static void with_set_up_pcm(int arg)
{
	with_pcm(arg);
	if (op_hw_params(arg) || ioctl(node, SNDRV_PCM_IOCTL_PREPARE))
		die("cannot set up the PCM");
}

static int op_map_pcm(int arg)
{
	void *at = mmap(NULL, RING_FRAMES * 4, PROT_READ | PROT_WRITE, MAP_SHARED, node, 0);

	if (at == MAP_FAILED)
		return -errno;
	munmap(at, RING_FRAMES * 4);
	return 0;
}

static void with_filled_pcm(int arg)
{
	static int16_t silence[RING_FRAMES * 2];
	struct snd_xferi xfer = { .buf = silence, .frames = RING_FRAMES };
	/* Not started by the write. */
	struct snd_pcm_sw_params sw = {
		.avail_min = 1, .start_threshold = INT_MAX, .stop_threshold = RING_FRAMES,
	};

	with_set_up_pcm(arg);
	if (ioctl(node, SNDRV_PCM_IOCTL_SW_PARAMS, &sw) ||
	    ioctl(node, SNDRV_PCM_IOCTL_WRITEI_FRAMES, &xfer))
		die("cannot write to the PCM");
}

/* Where the worker cannot be made, that is what start says. */
static int op_start_pcm(int arg)
{
	return zct_ioctl(node, SNDRV_PCM_IOCTL_START, NULL);
}

static int op_export_pcm(int arg)
{
	struct zcdma_pcm_export export = { .fd_flags = O_RDWR | O_CLOEXEC };
	struct zcdma_channel_info info;
	int ret;

	for (export.channel = 0;; export.channel++) {
		info = (struct zcdma_channel_info) { .index = export.channel };
		ret = zct_ioctl(dev, ZCDMA_IOC_CHANNEL_INFO, &info);
		if (ret || !strcmp(info.name, "spk0"))
			break;
	}
	return ret ?: zct_ioctl(dev, ZCDMA_IOC_PCM_EXPORT, &export);
}

static int op_open_pcm_stream(int arg)
{
	struct zcdma_stream_open open = { .fd_flags = O_CLOEXEC, .num_buffers = 4,
					  .buffer_size = 4800, .channel = 5 };

	return zct_ioctl(dev, ZCDMA_IOC_STREAM_OPEN, &open);
}

#define OP(n, p, r, ...) { .name = (n), .prepare = (p), .run = (r), ##__VA_ARGS__ }

static const struct op ops[] = {
	OP("open the device", none, op_open_device),
	OP("device info", with_device, op_device_info),
	OP("channel info", with_device, op_channel_info),
	OP("allocate, coherent, pool", with_device, op_buffer_alloc, .arg = 0),
	OP("allocate, cached, pool", with_device, op_buffer_alloc, .arg = 1),
	OP("allocate, coherent, system", with_device, op_buffer_alloc, .arg = 2),
	OP("allocate, cached, system", with_device, op_buffer_alloc, .arg = 3),
	OP("map, coherent, pool", with_buffer, op_mmap, .arg = 0),
	OP("map, cached, pool", with_buffer, op_mmap, .arg = 1),
	OP("map, coherent, system", with_buffer, op_mmap, .arg = 2),
	OP("map, cached, system", with_buffer, op_mmap, .arg = 3),
	OP("unmap a part, pool", with_mapping, op_split, .arg = 0),
	OP("unmap a part, system", with_mapping, op_split, .arg = 3),
	OP("sync, pool", with_buffer, op_sync, .arg = 1),
	OP("sync, system", with_buffer, op_sync, .arg = 3),
	OP("open the GPIO descriptor", with_device, op_gpio_open),
	OP("map the GPIO block", with_gpio, op_gpio_mmap),
	OP("GPIO state", with_gpio, op_gpio_state),
	OP("trigger settings", with_device, op_trigger),
	OP("strobe settings", with_device, op_strobe),
	OP("open the camera", none, op_open_video),
	OP("enumerate formats", with_camera, op_enum),
	OP("set the format", with_camera, op_s_fmt),
	OP("set controls", with_camera, op_s_ctrls),
	OP("subscribe to an event", with_camera, op_subscribe),
	OP("request buffers, coherent", with_camera, op_reqbufs, .arg = 0),
	OP("request buffers, cached", with_camera, op_reqbufs, .arg = V4L2_MEMORY_FLAG_NON_COHERENT),
	OP("create buffers", with_queue, op_create_bufs),
	OP("query a buffer", with_queue, op_querybuf),
	OP("map a video buffer", with_queue, op_mmap_video),
	/* vb2 says EINVAL whatever the reason why a buffer could not be exported. */
	OP("export a buffer, coherent", with_queue, op_expbuf, .arg = 0,
	   .fails_as = EINVAL, .keeps_fd = true),
	OP("export a buffer, cached", with_queue, op_expbuf, .arg = V4L2_MEMORY_FLAG_NON_COHERENT,
	   .fails_as = EINVAL, .keeps_fd = true),
	OP("queue a buffer", with_queue, op_qbuf),
	OP("start streaming", with_queued, op_streamon, .sparse = true),
	OP("queue while streaming", with_stream, op_qbuf),
	OP("dequeue a frame", with_frame, op_dqbuf),
	OP("stop streaming", with_stream, op_streamoff),
	OP("read a frame", with_camera, op_read, .sparse = true),
	OP("import from virt0, coherent", with_foreign, op_import, .arg = 0),
	OP("import from virt1, scattered", with_foreign, op_import, .arg = 3),
	OP("import from udmabuf", with_udmabuf, op_import),
	OP("queue to the display", with_display, op_qbuf_display),
	OP("start the display", with_queued_display, op_streamon_display),
	OP("open a stream, coherent", with_virt0, op_open_stream, .arg = 0),
	OP("open a stream, cached", with_virt0, op_open_stream, .arg = 1),
	OP("open a stream, video", with_virt0, op_open_stream, .arg = 2),
	OP("map its rings", with_opened_stream, op_map_ring),
	OP("map its buffer", with_opened_stream, op_map_stream_buffer),
	OP("start a stream, coherent", with_filled_stream, op_start, .arg = 0),
	OP("start a stream, cached", with_filled_stream, op_start, .arg = 1),
	OP("start a stream, video", with_filled_stream, op_start, .arg = 2, .sparse = true),
	OP("open a stream, pcm", with_virt0, op_open_stream, .arg = 4),
	OP("start a stream, pcm", with_filled_stream, op_start, .arg = 4),
	OP("export a buffer of a stream", with_opened_stream, op_stream_export),
	OP("attach a buffer, pool", with_import_stream, op_attach, .arg = 0),
	OP("attach a buffer, system", with_import_stream, op_attach, .arg = 3),
	OP("set a control of a stream", with_opened_stream, op_stream_control, .arg = 2),
	OP("stop a stream", with_running_stream, op_stop, .arg = 1, .no_site = true),
	OP("start streaming, triggered", with_trigger, op_streamon, .sparse = true),
	OP("open the PCM", with_card, op_open_pcm),
	OP("set the PCM up", with_pcm, op_hw_params),
	OP("map the PCM's ring", with_set_up_pcm, op_map_pcm),
	OP("export the PCM's ring", with_set_up_pcm, op_export_pcm),
	OP("start the PCM", with_filled_pcm, op_start_pcm,
	   .arg = (int)SNDRV_PCM_ACCESS_RW_INTERLEAVED),
	OP("open a PCM channel as a stream", with_device, op_open_pcm_stream),
	OP("unbind virt0", not_watched, op_unbind, .arg = 0, .sparse = true),
	OP("unbind virt1", not_watched, op_unbind, .arg = 1, .sparse = true),
	OP("bind virt0", unbound, op_bind, .arg = 0, .sparse = true),
	OP("bind virt1", unbound, op_bind, .arg = 1, .sparse = true),
	/* Loading a module reports what its init function does, and ENOENT for a file cut short. */
	OP("load zcdma-virt", unloaded, op_load, .arg = 0, .restore = reload,
	   .sparse = true),
	OP("load zcdma-video", unloaded, op_load, .arg = 1, .restore = reload,
	   .sparse = true),
	OP("load zcdma-pcm", unloaded, op_load, .arg = 2, .restore = reload,
	   .sparse = true),
	OP("load zcdma", unloaded, op_load, .arg = 3, .restore = reload,
	   .sparse = true),
	OP("unload zcdma-virt", unloaded_above, op_unload, .arg = 0, .restore = reload,
	   .sparse = true),
	OP("unload zcdma-video", unloaded_above, op_unload, .arg = 1, .restore = reload,
	   .sparse = true),
	OP("unload zcdma-pcm", unloaded_above, op_unload, .arg = 2, .restore = reload,
	   .sparse = true),
	OP("unload zcdma", unloaded_above, op_unload, .arg = 3, .restore = reload,
	   .sparse = true),
};

/* ---- The walk ---- */

static bool is_bind(const struct op *op)
{
	return op->run == op_bind || op->run == op_unbind;
}

static uint64_t pool_used(int i)
{
	return watch_fd[i] < 0 ? 0 : zct_used(watch_fd[i]);
}

static void put_watch(int i)
{
	watch_fd[i] = open(dev_path[i], O_RDWR | O_CLOEXEC);
	if (watch_fd[i] < 0)
		die("%s is not there any more", dev_path[i]);
	/* The lowest that was free: the one that it had before. */
	if (watch_fd[i] >= first_fd)
		die("descriptor %d is left of an operation", watch_fd[i] - 1);
}

/* Take down all that an operation and its preparation have left; false: too much was left. */
static bool clean(const struct op *op)
{
	bool good = true;

	if (map)
		munmap(map, map_size);
	map = NULL;
	close_range(first_fd, ~0U, 0);
	if (watch_fd[0] >= 0)
		set_trigger(watch_fd[0], ZCDMA_TRIGGER_OFF);
	dev = node = out = buf = -1;

	if (is_bind(op)) {
		/* Half bound or not at all: unbind and bind without failures must put all right. */
		settle();
		op_unbind(op->arg);
		if (op_bind(op->arg)) {
			printf("# cannot bind %s again: %s\n", bind_name[op->arg], strerror(errno));
			exit(1);
		}
		if (!find_nodes()) {
			printf("# nodes are missing after %s was bound again\n", bind_name[op->arg]);
			exit(1);
		}
		if (watch_fd[op->arg] < 0)
			put_watch(op->arg);
	}
	if (op->restore) {
		op->restore(op->arg);
		if (!find_nodes()) {
			printf("# nodes are missing\n");
			exit(1);
		}
		for (int i = 0; i < 2; i++)
			if (watch_fd[i] < 0)
				put_watch(i);
	}
	for (int i = 0; i < 2; i++) {
		if (pool_used(i)) {
			printf("# %llu bytes of virt%d are still in use\n",
			       (unsigned long long)pool_used(i), i);
			good = false;
		}
	}
	return good;
}

static void arm(int n)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", n);
	/* An operation that was short of sites may have left the failure to this one. */
	while (pwrite(fail_fd, text, strlen(text), 0) < 0)
		if (errno != EFAULT)
			die("/proc/thread-self/fail-nth");
}

/* Whether the failure has happened. Reading copies to user memory, which may be what fails. */
static bool disarm(void)
{
	char text[16] = "";
	bool hit = pread(fail_fd, text, sizeof(text) - 1, 0) > 0 && atoi(text) == 0;

	arm(0);
	return hit;
}

static bool clean_error(const struct op *op, int ret)
{
	return ret == -ENOMEM || ret == -EFAULT || (op->fails_as && ret == -op->fails_as);
}

static unsigned int open_fds(void)
{
	unsigned int n = 0;

	for (int fd = first_fd; fd < first_fd + 32; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static void walk(const struct op *op)
{
	unsigned int refused = 0, survived = 0, before, after;
	int ret = 0, n;
	bool hit, good = true;

	for (n = 1; n < MAX_SITES; n += op->sparse && !every ? 1 + n / 4 : 1) {
		op->prepare(op->arg);
		before = open_fds();
		arm(n);
		ret = op->run(op->arg);
		hit = disarm();
		after = open_fds();
		if (!hit)
			break;
		if (ret)
			refused++;
		else
			survived++;
		if (ret && !clean_error(op, ret)) {
			printf("# site %d: %s\n", n, strerror(-ret));
			good = false;
		}
		if (ret && after != before && !op->keeps_fd) {
			printf("# site %d: %u descriptors instead of %u\n", n, after, before);
			good = false;
		}
		if (!clean(op)) {
			printf("# ...after site %d\n", n);
			good = false;
		}

		/* The same without a failure; where something was put back, that was it. */
		if (!op->restore && !is_bind(op)) {
			op->prepare(op->arg);
			ret = op->run(op->arg);
			if (ret) {
				printf("# site %d: the next call fails: %s\n", n, strerror(-ret));
				good = false;
			}
			if (!clean(op))
				good = false;
		}
		if (!good)
			break;
	}
	if (good && ret) {
		printf("# without a failure: %s\n", strerror(-ret));
		good = false;
	}
	clean(op);
	if (good && !op->no_site && !(refused + survived)) {
		printf("# no site was found\n");
		good = false;
	}
	broken |= !good;
	printf("%sok - %s: %u of %s%d sites failed, %u refused, %u survived\n", good ? "" : "not ",
	       op->name, refused + survived, op->sparse && !every ? "up to " : "", n - 1, refused,
	       survived);
	fflush(stdout);
}

/* The file of a module, as modinfo -n tells it. */
static void find_module(const char *command, char path[PATH_MAX])
{
	FILE *f = popen(command, "re");

	if (!f || !fgets(path, PATH_MAX, f) || pclose(f))
		die("%s", command);
	path[strcspn(path, "\n")] = '\0';
}

static void set_up(void)
{
	char text[PATH_MAX], link[PATH_MAX];
	static const char *const settings[][2] = {
		/* Fail those that may sleep, too, of any order; say nothing: it is many. */
		{ "/sys/kernel/debug/failslab/ignore-gfp-wait", "N" },
		{ "/sys/kernel/debug/failslab/verbose", "0" },
		{ "/sys/kernel/debug/fail_page_alloc/ignore-gfp-wait", "N" },
		{ "/sys/kernel/debug/fail_page_alloc/ignore-gfp-highmem", "N" },
		{ "/sys/kernel/debug/fail_page_alloc/min-order", "0" },
		{ "/sys/kernel/debug/fail_page_alloc/verbose", "0" },
		{ "/sys/kernel/debug/fail_usercopy/verbose", "0" },
	};

	/* No gap below those of the operations, whatever we have inherited. */
	close_range(3, ~0U, 0);
	fail_fd = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	if (fail_fd < 0) {
		printf("the kernel has no fault injection; the debug kernel has: make test-debug\n");
		exit(77);
	}
	for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++)
		if (write_text(settings[i][0], settings[i][1]))
			die("%s", settings[i][0]);
	if (!find_nodes())
		die("our nodes are not there");

	for (int i = 0; i < 2; i++) {
		ssize_t n;

		snprintf(text, sizeof(text), "/sys/class/zcdma/%s/device", dev_path[i] + 5);
		n = readlink(text, link, sizeof(link) - 1);
		if (n < 0)
			die("%s", text);
		link[n] = '\0';
		snprintf(bind_name[i], sizeof(bind_name[i]), "%s", strrchr(link, '/') + 1);
	}
	snprintf(text, sizeof(text), "/sys/bus/platform/devices/%s/driver", bind_name[0]);
	if (!realpath(text, link))
		die("%s", text);
	snprintf(bind_path, sizeof(bind_path), "%.4000s/bind", link);
	snprintf(unbind_path, sizeof(unbind_path), "%.4000s/unbind", link);

	for (int i = 0; i < 4; i++) {
		snprintf(text, sizeof(text), "modinfo -n %s", modules[i]);
		find_module(text, module_file[i]);
	}

	first_fd = fail_fd + 3;
	for (int i = 0; i < 2; i++)
		put_watch(i);
	dev = node = out = buf = -1;
}

int main(int argc, char **argv)
{
	unsigned int ran = 0;

	if (argc > 1 && !strcmp(argv[1], "--every")) {
		every = true;
		argv++;
		argc--;
	}
	set_up();
	for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
		bool chosen = argc < 2 && !is_bind(&ops[i]) && !ops[i].restore;

		for (int a = 1; a < argc; a++)
			chosen |= !!strstr(ops[i].name, argv[a]);
		if (!chosen)
			continue;
		walk(&ops[i]);
		ran++;
	}
	if (!ran) {
		fprintf(stderr, "test-failnth: there is no operation '%s'\n", argv[1]);
		return 2;
	}
	return broken;
}
