// SPDX-License-Identifier: GPL-2.0-only
/*
 * fuzz - a coverage-guided fuzzer for our nodes: calls, mappings, and what lies in them
 *
 * usage: fuzz [--seed N] [--time SECONDS] [--save FILE]
 *        fuzz [--times N] --run HEX...     run these programs, each N times (1), as a reproducer
 *
 * A program is a string of bytes, which struct input hands out to whatever wants to make a choice;
 * so every string is a program, and mutations need not know what they change. What reaches code of
 * ours that no program before has reached (KCOV, the debug kernel) is kept and mutated further,
 * starting from tests/fuzz/corpus. --save appends what was found to a file.
 *
 * Each program runs in a process of its own. It is printed first: when the guest dies of it, or the
 * kernel complains, the last line of the output is the reproducer. tests/fuzz/reduce makes it as
 * short as it can be.
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <linux/dma-buf.h>
#include <linux/kcov.h>
#include <linux/udmabuf.h>
#include <linux/videodev2.h>
#include <linux/zcdma.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sound/asound.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAX_PROGRAM	256	/* bytes */
#define MAX_CORPUS	4096	/* programs */
#define MAX_COVER	(64 * 1024)
#define MAX_FDS		16
#define MAX_MAPS	8
#define HANG_SECONDS	60

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

struct program {
	size_t len;
	uint8_t byte[MAX_PROGRAM];
};

/* ---- Chance ---- */

static uint64_t state;

static uint32_t chance(uint32_t limit)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (state >> 32) % limit;
}

/* ---- A program's run ---- */

struct input {
	const uint8_t *at, *end;
};

/* Shared by the threads of a program, and not locked: a race between calls is a test, too. */
static int fds[MAX_FDS];
static struct { void *at; size_t len; } maps[MAX_MAPS];
static struct { void *at; struct zcdma_ring_info fill, done; } rings;
static uint64_t last_offset;
static int null_pipe[2], zero;

static uint8_t u8(struct input *in)
{
	return in->at < in->end ? *in->at++ : 0;
}

/* Numbers that are likely to be somebody's limit, or any. */
static uint64_t number(struct input *in)
{
	static const uint64_t interesting[] = {
		0, 1, 2, 3, 4, 7, 8, 15, 16, 31, 32, 33, 63, 64, 255, 256, 4095, 4096, 4097, 65535,
		65536, 1 << 20, (1 << 20) + 1, INT_MAX, (uint64_t)INT_MAX + 1, UINT_MAX,
		(uint64_t)UINT_MAX + 1, LLONG_MAX, ULLONG_MAX, ULLONG_MAX - 4095, 640, 480, 614400,
	};
	uint8_t how = u8(in);
	uint64_t v = 0;

	if (how < 192)
		return interesting[how % ARRAY_SIZE(interesting)];
	for (int i = 0; i <= (how & 7); i++)
		v = v << 8 | u8(in);
	return v;
}

static int *slot(struct input *in)
{
	return &fds[u8(in) % MAX_FDS];
}

static void keep(int fd)
{
	if (fd < 0)
		return;
	for (int i = 0; i < MAX_FDS; i++) {
		if (fds[i] < 0) {
			fds[i] = fd;
			return;
		}
	}
	close(fd);
}

static void do_open(struct input *in)
{
	static const char *const nodes[] = {
		"/dev/zcdma0", "/dev/zcdma1", "/dev/video0", "/dev/video1", "/dev/video2",
		"/dev/video3", "/dev/media0", "/dev/snd/pcmC0D0p", "/dev/snd/pcmC0D0c",
		"/dev/snd/controlC0",
	};
	static const int modes[] = { O_RDWR, O_RDWR, O_RDONLY, O_WRONLY };

	keep(open(nodes[u8(in) % ARRAY_SIZE(nodes)],
		  modes[u8(in) % ARRAY_SIZE(modes)] | O_NONBLOCK | O_CLOEXEC));
}

static void do_close(struct input *in)
{
	int *fd = slot(in);

	close(*fd);
	*fd = -1;
}

static void do_dup(struct input *in)
{
	keep(dup(*slot(in)));
}

static void do_map(struct input *in)
{
	static const size_t sizes[] = { 4096, 8192, 65536, 614400, 1 << 20, 0, 1, SIZE_MAX };
	int fd = *slot(in);
	size_t len = sizes[u8(in) % ARRAY_SIZE(sizes)];
	uint8_t how = u8(in);
	uint64_t offset = how & 1 ? last_offset : how & 2 ? number(in) & ~4095ULL : 0;
	int prot = how >> 2 & 7, flags = how & 128 ? MAP_PRIVATE : MAP_SHARED;
	void *at = mmap(NULL, len, prot, flags, fd, offset);

	for (int i = 0; at != MAP_FAILED && i < MAX_MAPS; i++) {
		if (!maps[i].at) {
			maps[i].at = at;
			maps[i].len = len;
			return;
		}
	}
}

static void do_unmap(struct input *in)
{
	uint8_t which = u8(in), how = u8(in);
	void *at = maps[which % MAX_MAPS].at;
	size_t len = maps[which % MAX_MAPS].len;

	if (!at)
		return;
	switch (how % 4) {
	case 0: /* a hole */
		munmap((char *)at + 4096, 4096);
		break;
	case 1:
		mremap(at, len, len * 2, MREMAP_MAYMOVE);
		break;
	case 2:
		mprotect(at, 4096, how >> 2 & 7);
		break;
	default:
		munmap(at, len);
		maps[which % MAX_MAPS].at = NULL;
	}
}

/* By system calls, which give EFAULT where a plain access would be a signal. */
static void do_touch(struct input *in)
{
	uint8_t which = u8(in), how = u8(in);
	char *at = maps[which % MAX_MAPS].at;
	size_t len = maps[which % MAX_MAPS].len;
	char drain[256];

	if (!at || !len)
		return;
	at += number(in) % len;
	if (how & 1) {
		if (read(zero, at, 128) < 0)
			return;
	} else if (write(null_pipe[1], at, 128) > 0) {
		if (read(null_pipe[0], drain, sizeof(drain)) < 0)
			return;
	}
	if (how & 2)
		madvise((void *)((uintptr_t)at & ~4095UL), 4096, how >> 2);
}

/* Write to a mapping which another thread may have taken away. */
static void poke(void *to, const void *from, size_t len)
{
	if (write(null_pipe[1], from, len) != (ssize_t)len || read(null_pipe[0], to, len) < 0)
		return;
}

static void fill(struct input *in, void *p, size_t len)
{
	for (size_t i = 0; i < len; i += 8) {
		uint64_t v = u8(in) & 1 ? number(in) : 0;

		memcpy((char *)p + i, &v, len - i < 8 ? len - i : 8);
	}
}

static void do_zcdma(struct input *in)
{
	int fd = *slot(in);
	union {
		struct zcdma_device_info device;
		struct zcdma_channel_info channel;
		struct zcdma_buffer_alloc alloc;
		uint8_t raw[512];
	} arg = { 0 };

	switch (u8(in) % 5) {
	case 0:
		ioctl(fd, ZCDMA_IOC_DEVICE_INFO, &arg);
		break;
	case 1:
		arg.channel.index = u8(in) % 10;
		ioctl(fd, ZCDMA_IOC_CHANNEL_INFO, &arg);
		break;
	case 2:
	case 3:
		arg.alloc.size = u8(in) & 7 ? (u8(in) + 1) * 16384ULL : number(in);
		arg.alloc.flags = u8(in) % 4;
		arg.alloc.fd_flags = u8(in) & 7 ? O_RDWR | O_CLOEXEC : number(in);
		if (!ioctl(fd, ZCDMA_IOC_BUFFER_ALLOC, &arg))
			keep(arg.alloc.fd);
		break;
	default:
		fill(in, &arg, sizeof(arg));
		ioctl(fd, _IOC(u8(in) & 3, ZCDMA_IOC_MAGIC, u8(in) % 16, number(in) & 0x1ff), &arg);
	}
}

/*
 * A stream of which most is right. Its rings are mapped first, so that do_scribble() finds them, and
 * offsets of the buffers are for do_map().
 */
static void do_stream_open(struct input *in)
{
	static const uint64_t sizes[] = { 0, 4096, 8192, 65536, 614400 };
	int fd = *slot(in);
	struct zcdma_stream_open arg = {
		.channel = u8(in) % 7,
		.flags = u8(in) % 4,
		.fd_flags = O_CLOEXEC | O_NONBLOCK,
		.num_buffers = 1 + u8(in) % 8,
		.buffer_size = sizes[u8(in) % ARRAY_SIZE(sizes)],
	};
	uint8_t how = u8(in);

	if (arg.channel < 2 && how & 1) {
		arg.video.width = 64;
		arg.video.height = 64;
		arg.video.fourcc = how & 2 ? V4L2_PIX_FMT_GREY : 0;
		arg.video.interval_ns = how & 4 ? 1000000 : 0;
	}
	if (how > 250)
		fill(in, &arg, sizeof(arg));
	if (ioctl(fd, ZCDMA_IOC_STREAM_OPEN, &arg))
		return;
	last_offset = arg.buffers_offset + how % 4 * arg.buffers_stride;
	for (int i = 0; i < MAX_MAPS && !rings.at; i++) {
		if (maps[i].at)
			continue;
		maps[i].at = mmap(NULL, arg.ring_size, PROT_READ | PROT_WRITE, MAP_SHARED, arg.fd, 0);
		maps[i].len = arg.ring_size;
		if (maps[i].at == MAP_FAILED)
			maps[i].at = NULL;
		rings.at = maps[i].at;
		rings.fill = arg.fill;
		rings.done = arg.done;
	}
	keep(arg.fd);
}

/* A write to the rings: an entry and the index behind it, or any word at all. Where a part of the
 * mapping has been taken away, EFAULT.
 */
static void do_scribble(struct input *in)
{
	uint8_t how = u8(in);
	struct zcdma_fill entry = { .index = u8(in) % 10 };
	uint32_t index = u8(in), word, at;
	uint8_t *base = rings.at;

	if (!base)
		return;
	at = rings.fill.entries + index % rings.fill.num_entries * rings.fill.entry_size;
	if (how & 1) {
		entry.offset = number(in);
		entry.length = number(in);
		entry.flags = how & 2;
	}
	poke(base + at, &entry, sizeof(entry));
	index++;
	poke(base + rings.fill.tail, &index, sizeof(index));
	if (how < 192)
		return;
	word = number(in);
	at = (how & 4 ? rings.done.tail : number(in) % 4096) & ~3U;
	poke(base + at, &word, sizeof(word));
}

static void do_stream(struct input *in)
{
	static const unsigned long requests[] = {
		ZCDMA_IOC_STREAM_START, ZCDMA_IOC_STREAM_START, ZCDMA_IOC_STREAM_STOP,
		ZCDMA_IOC_STREAM_DRAIN, ZCDMA_IOC_STREAM_KICK, ZCDMA_IOC_STREAM_KICK,
		ZCDMA_IOC_STREAM_ATTACH, ZCDMA_IOC_STREAM_EXPORT, ZCDMA_IOC_STREAM_CONTROL,
		ZCDMA_IOC_FORMAT_INFO, ZCDMA_IOC_PCM_INFO, ZCDMA_IOC_STREAM_POSITION,
		ZCDMA_IOC_STREAM_PAUSE, ZCDMA_IOC_STREAM_RESUME,
	};
	unsigned long request = requests[u8(in) % ARRAY_SIZE(requests)];
	int fd = *slot(in);
	uint8_t how = u8(in);
	union {
		struct zcdma_stream_buffer buffer;
		struct zcdma_pcm_info pcm;
		struct zcdma_position position;
		struct zcdma_control control;
		struct zcdma_format_desc format;
	} arg = { 0 };

	if (request == ZCDMA_IOC_FORMAT_INFO) {
		arg.format.channel = how % 6;
		arg.format.index = how >> 3;
	} else if (request == ZCDMA_IOC_STREAM_CONTROL) {
		arg.control.id = how % 5;
		arg.control.value = number(in);
	} else {
		arg.buffer.index = how % 10;
		if (request == ZCDMA_IOC_STREAM_ATTACH)
			arg.buffer.fd = *slot(in);
		else
			arg.buffer.fd_flags = O_CLOEXEC | how >> 6;
	}
	if (how == 255)
		fill(in, &arg, sizeof(arg));
	if (!ioctl(fd, request, &arg) && request == ZCDMA_IOC_STREAM_EXPORT)
		keep(arg.buffer.fd);
}

/* Settings that are good but for what chance does to them: most bad ones end at the first check. */
static void do_gpio(struct input *in)
{
	uint8_t how = u8(in), what = u8(in);
	int fd = *slot(in);
	union {
		struct zcdma_trigger trigger;
		struct zcdma_strobe strobe;
		struct zcdma_strobe_pulse pulse;
		struct zcdma_gpio_state state;
		struct zcdma_gpio_open open;
	} arg = { 0 };

	switch (how % 8) {
	case 0:
		arg.trigger.mode = what & 1;
		arg.trigger.source = what >> 1 & 3;
		arg.trigger.activation = what >> 3 & 3;
		arg.trigger.divider = what & 32 ? number(in) : 1;
		arg.trigger.delay_ns = what & 64 ? number(in) : 0;
		arg.trigger.period_ns = what & 128 ? number(in) : 10000000;
		ioctl(fd, ZCDMA_IOC_TRIGGER_SET, &arg);
		break;
	case 1:
		arg.strobe.mode = what & 3;
		arg.strobe.inverted = what >> 2 & 1;
		arg.strobe.delay_ns = what & 16 ? number(in) : 0;
		arg.strobe.duration_ns = what & 32 ? number(in) : 100000;
		ioctl(fd, ZCDMA_IOC_STROBE_SET, &arg);
		break;
	case 2:
		arg.pulse.duration_ns = number(in);
		ioctl(fd, ZCDMA_IOC_STROBE_PULSE, &arg);
		break;
	case 3:
		ioctl(fd, what & 1 ? ZCDMA_IOC_TRIGGER_GET : ZCDMA_IOC_STROBE_GET, &arg);
		break;
	case 4:
		ioctl(fd, ZCDMA_IOC_GPIO_STATE, &arg);
		break;
	case 5:
		arg.open.fd_flags = what & 1 ? O_CLOEXEC : number(in);
		if (!ioctl(fd, ZCDMA_IOC_GPIO_OPEN, &arg))
			keep(arg.open.fd);
		break;
	default:
		ioctl(fd, ZCDMA_IOC_TRIGGER_SOFTWARE);
	}
}

static void do_dmabuf(struct input *in)
{
	int fd = *slot(in);
	struct dma_buf_sync sync = { .flags = u8(in) % 16 };
	struct dma_buf_export_sync_file export = { .flags = u8(in) % 4, .fd = -1 };
	char name[40];

	switch (u8(in) % 4) {
	case 0:
		fill(in, name, sizeof(name) - 1);
		name[sizeof(name) - 1] = '\0';
		ioctl(fd, DMA_BUF_SET_NAME_B, name);
		break;
	case 1:
		if (!ioctl(fd, DMA_BUF_IOCTL_EXPORT_SYNC_FILE, &export))
			keep(export.fd);
		break;
	default:
		ioctl(fd, DMA_BUF_IOCTL_SYNC, &sync);
	}
}

static void do_udmabuf(struct input *in)
{
	struct udmabuf_create create = { .size = (u8(in) % 256 + 1) * 4096 };
	int ctl = open("/dev/udmabuf", O_RDWR | O_CLOEXEC);
	int memfd = memfd_create("fuzz", MFD_ALLOW_SEALING | MFD_CLOEXEC);

	create.memfd = memfd;
	if (ctl >= 0 && memfd >= 0 && !ftruncate(memfd, create.size) &&
	    !fcntl(memfd, F_ADD_SEALS, F_SEAL_SHRINK))
		keep(ioctl(ctl, UDMABUF_CREATE, &create));
	close(ctl);
	close(memfd);
}

/* Sound through /dev/zcdmaN: a stream of a PCM channel, and what it has beyond others. */
static void do_pcm(struct input *in)
{
	int fd = *slot(in);
	uint8_t how = u8(in);
	union {
		struct zcdma_stream_open open;
		struct zcdma_pcm_info info;
		struct zcdma_pcm_export export;
		struct zcdma_position position;
		uint8_t raw[512];
	} arg = { 0 };

	switch (u8(in) % 6) {
	case 0:
		arg.open.channel = 4 + (how & 1);
		arg.open.flags = how >> 1 & 1;
		arg.open.fd_flags = O_CLOEXEC | O_NONBLOCK;
		arg.open.num_buffers = 1 + (how >> 2 & 7);
		arg.open.buffer_size = how & 32 ? 480 : number(in);
		arg.open.pcm.format = 1U << (u8(in) % 5);
		arg.open.pcm.channels = u8(in) % 10;
		arg.open.pcm.rate = how & 64 ? 48000 : number(in);
		if (how & 128)
			fill(in, &arg.open.pcm, sizeof(arg.open.pcm));
		if (ioctl(fd, ZCDMA_IOC_STREAM_OPEN, &arg))
			return;
		last_offset = arg.open.buffers_offset;
		keep(arg.open.fd);
		break;
	case 1:
		arg.info.channel = how % 8;
		ioctl(fd, ZCDMA_IOC_PCM_INFO, &arg);
		break;
	case 2:
		arg.export.channel = how % 8;
		arg.export.fd_flags = O_CLOEXEC | how >> 6;
		if (!ioctl(fd, ZCDMA_IOC_PCM_EXPORT, &arg))
			keep(arg.export.fd);
		break;
	case 3:
		ioctl(fd, ZCDMA_IOC_STREAM_POSITION, &arg);
		break;
	default:
		ioctl(fd, how & 1 ? ZCDMA_IOC_STREAM_PAUSE : ZCDMA_IOC_STREAM_RESUME);
	}
}

static void hw_params(struct input *in, int fd, uint8_t how)
{
	struct snd_pcm_hw_params hw = { .rmask = ~0U, .flags = how >> 6 };
	struct snd_interval *rate = &hw.intervals[SNDRV_PCM_HW_PARAM_RATE -
						  SNDRV_PCM_HW_PARAM_FIRST_INTERVAL];
	struct snd_interval *periods = &hw.intervals[SNDRV_PCM_HW_PARAM_PERIOD_SIZE -
						     SNDRV_PCM_HW_PARAM_FIRST_INTERVAL];

	memset(hw.masks, 0xff, sizeof(hw.masks));
	for (size_t i = 0; i < ARRAY_SIZE(hw.intervals); i++)
		hw.intervals[i].max = UINT_MAX;
	if (how & 1)
		rate->min = rate->max = 8000 + 1000 * (u8(in) % 190);
	if (how & 2)
		periods->min = periods->max = number(in);
	if (how & 4)
		fill(in, &hw.intervals[u8(in) % ARRAY_SIZE(hw.intervals)], sizeof(hw.intervals[0]));
	if (how & 8)
		hw.masks[u8(in) % 3].bits[0] = number(in);
	ioctl(fd, how & 16 ? SNDRV_PCM_IOCTL_HW_REFINE : SNDRV_PCM_IOCTL_HW_PARAMS, &hw);
}

static void do_alsa(struct input *in)
{
	static const unsigned long requests[] = {
		SNDRV_PCM_IOCTL_PREPARE, SNDRV_PCM_IOCTL_PREPARE, SNDRV_PCM_IOCTL_START,
		SNDRV_PCM_IOCTL_START, SNDRV_PCM_IOCTL_DROP, SNDRV_PCM_IOCTL_DRAIN,
		SNDRV_PCM_IOCTL_PAUSE, SNDRV_PCM_IOCTL_HW_FREE, SNDRV_PCM_IOCTL_RESET,
		SNDRV_PCM_IOCTL_XRUN, SNDRV_PCM_IOCTL_RESUME, SNDRV_PCM_IOCTL_LINK,
		SNDRV_PCM_IOCTL_UNLINK, SNDRV_PCM_IOCTL_HWSYNC,
	};
	static uint8_t samples[65536];
	int fd = *slot(in), other = *slot(in);
	uint8_t how = u8(in);
	struct snd_xferi xfer = { .buf = samples, .frames = 1 + how * 4U };
	union {
		struct snd_pcm_sw_params sw;
		struct snd_pcm_status status;
		struct snd_pcm_sync_ptr sync;
		struct snd_ctl_elem_value value;
		uint8_t raw[2048];
	} arg = { 0 };

	switch (u8(in) % 8) {
	case 0:
	case 1:
		hw_params(in, fd, how);
		break;
	case 2:
		ioctl(fd, how & 1 ? SNDRV_PCM_IOCTL_WRITEI_FRAMES : SNDRV_PCM_IOCTL_READI_FRAMES, &xfer);
		break;
	case 3:
		arg.sw.avail_min = 1 + how;
		arg.sw.start_threshold = how & 1 ? 1 : number(in);
		arg.sw.stop_threshold = number(in);
		arg.sw.silence_size = how & 2 ? number(in) : 0;
		arg.sw.tstamp_mode = how >> 2 & 1;
		ioctl(fd, SNDRV_PCM_IOCTL_SW_PARAMS, &arg);
		break;
	case 4:
		arg.status.audio_tstamp_data = how % 6;
		ioctl(fd, SNDRV_PCM_IOCTL_STATUS_EXT, &arg);
		break;
	case 5:
		arg.sync.flags = how % 8;
		arg.sync.c.control.appl_ptr = number(in);
		ioctl(fd, SNDRV_PCM_IOCTL_SYNC_PTR, &arg);
		break;
	case 6:
		arg.value.id.numid = how % 12;
		arg.value.value.integer.value[0] = number(in);
		ioctl(fd, how & 16 ? SNDRV_CTL_IOCTL_ELEM_READ : SNDRV_CTL_IOCTL_ELEM_WRITE, &arg);
		break;
	default:
		ioctl(fd, requests[how % ARRAY_SIZE(requests)], how & 64 ? other : how & 1);
	}
}

static void do_v4l2(struct input *in)
{
	static const unsigned long requests[] = {
		VIDIOC_REQBUFS, VIDIOC_REQBUFS, VIDIOC_QUERYBUF, VIDIOC_QUERYBUF, VIDIOC_QBUF,
		VIDIOC_QBUF, VIDIOC_QBUF, VIDIOC_DQBUF, VIDIOC_DQBUF, VIDIOC_STREAMON,
		VIDIOC_STREAMON, VIDIOC_STREAMOFF, VIDIOC_CREATE_BUFS, VIDIOC_PREPARE_BUF,
		VIDIOC_EXPBUF, VIDIOC_EXPBUF, VIDIOC_S_FMT, VIDIOC_TRY_FMT, VIDIOC_G_FMT,
		VIDIOC_ENUM_FMT, VIDIOC_ENUM_FRAMESIZES, VIDIOC_ENUM_FRAMEINTERVALS,
		VIDIOC_G_PARM, VIDIOC_S_PARM, VIDIOC_QUERYCAP, VIDIOC_G_CTRL, VIDIOC_S_CTRL,
		VIDIOC_QUERYCTRL, VIDIOC_QUERYMENU, VIDIOC_QUERY_EXT_CTRL, VIDIOC_G_EXT_CTRLS,
		VIDIOC_S_EXT_CTRLS, VIDIOC_TRY_EXT_CTRLS, VIDIOC_SUBSCRIBE_EVENT,
		VIDIOC_UNSUBSCRIBE_EVENT, VIDIOC_DQEVENT, VIDIOC_G_SELECTION, VIDIOC_S_SELECTION,
		VIDIOC_G_INPUT, VIDIOC_S_INPUT, VIDIOC_ENUMINPUT, VIDIOC_G_OUTPUT,
		VIDIOC_S_OUTPUT, VIDIOC_ENUMOUTPUT, VIDIOC_G_PRIORITY, VIDIOC_S_PRIORITY,
		VIDIOC_LOG_STATUS, _IOWR('V', 104, uint64_t[8]) /* REMOVE_BUFS */,
	};
	static const uint32_t types[] = {
		V4L2_BUF_TYPE_VIDEO_CAPTURE, V4L2_BUF_TYPE_VIDEO_CAPTURE,
		V4L2_BUF_TYPE_VIDEO_OUTPUT, V4L2_BUF_TYPE_VIDEO_CAPTURE_MPLANE, 0, 255,
	};
	static const uint32_t memories[] = {
		V4L2_MEMORY_MMAP, V4L2_MEMORY_MMAP, V4L2_MEMORY_DMABUF, V4L2_MEMORY_USERPTR, 0,
	};
	static const uint32_t sizes[] = { 16, 64, 320, 640, 0, 7680, UINT_MAX };
	static const uint32_t fourccs[] = {
		V4L2_PIX_FMT_YUYV, V4L2_PIX_FMT_NV12, V4L2_PIX_FMT_GREY, V4L2_PIX_FMT_RGB24,
		V4L2_PIX_FMT_SRGGB10, 0,
	};
	unsigned long request = requests[u8(in) % ARRAY_SIZE(requests)];
	int fd = *slot(in);
	uint32_t type = types[u8(in) % ARRAY_SIZE(types)];
	uint32_t memory = memories[u8(in) % ARRAY_SIZE(memories)];
	uint8_t count = u8(in) % 9, index = u8(in) % 9, how = u8(in);
	struct v4l2_ext_control control[4];
	union {
		struct v4l2_requestbuffers req;
		struct v4l2_buffer buf;
		struct v4l2_create_buffers create;
		struct v4l2_exportbuffer exp;
		struct v4l2_format fmt;
		struct v4l2_ext_controls ctrls;
		struct v4l2_event_subscription sub;
		uint32_t word;
		uint8_t raw[512];
	} arg = { 0 };

	/* One in four is left as it comes. */
	if (how % 4 == 0)
		fill(in, &arg, _IOC_SIZE(request) < sizeof(arg) ? _IOC_SIZE(request) : sizeof(arg));
	switch (request) {
	case VIDIOC_REQBUFS:
		arg.req.type = type;
		arg.req.memory = memory;
		arg.req.count = count;
		arg.req.flags = how >> 2 & 1;
		break;
	case VIDIOC_QUERYBUF:
	case VIDIOC_QBUF:
	case VIDIOC_DQBUF:
	case VIDIOC_PREPARE_BUF:
		arg.buf.type = type;
		arg.buf.memory = memory;
		arg.buf.index = index;
		if (memory == V4L2_MEMORY_DMABUF)
			arg.buf.m.fd = *slot(in);
		arg.buf.bytesused = number(in);
		break;
	case VIDIOC_CREATE_BUFS:
		arg.create.count = count;
		arg.create.memory = memory;
		arg.create.format.type = type;
		ioctl(fd, VIDIOC_G_FMT, &arg.create.format);
		if (how & 8)
			arg.create.format.fmt.pix.sizeimage = number(in) & 0xfffff;
		break;
	case VIDIOC_EXPBUF:
		arg.exp.type = type;
		arg.exp.index = index;
		arg.exp.flags = O_CLOEXEC | (how >> 2 & 3);
		break;
	case VIDIOC_S_FMT:
	case VIDIOC_TRY_FMT:
	case VIDIOC_G_FMT:
		arg.fmt.type = type;
		arg.fmt.fmt.pix.width = sizes[u8(in) % ARRAY_SIZE(sizes)];
		arg.fmt.fmt.pix.height = sizes[u8(in) % ARRAY_SIZE(sizes)];
		arg.fmt.fmt.pix.pixelformat = fourccs[u8(in) % ARRAY_SIZE(fourccs)];
		break;
	case VIDIOC_STREAMON:
	case VIDIOC_STREAMOFF:
	case VIDIOC_G_PARM:
	case VIDIOC_S_PARM:
		arg.word = type;
		break;
	case VIDIOC_G_EXT_CTRLS:
	case VIDIOC_S_EXT_CTRLS:
	case VIDIOC_TRY_EXT_CTRLS:
		fill(in, control, sizeof(control));
		control[0].id = V4L2_CID_TEST_PATTERN + how % 2;
		control[1].id = ZCDMA_V4L2_CID_STAMPS;
		arg.ctrls.count = count;
		arg.ctrls.controls = control;
		if (count > 4)
			arg.ctrls.controls = NULL;
		break;
	case VIDIOC_SUBSCRIBE_EVENT:
	case VIDIOC_UNSUBSCRIBE_EVENT:
		arg.sub.type = how & 1 ? ZCDMA_V4L2_EVENT_FRAME : how & 2 ? V4L2_EVENT_CTRL : index;
		arg.sub.id = how & 4 ? V4L2_CID_TEST_PATTERN : 0;
		break;
	}
	if (ioctl(fd, request, &arg))
		return;
	if (request == VIDIOC_EXPBUF)
		keep(arg.exp.fd);
	if (request == VIDIOC_QUERYBUF)
		last_offset = arg.buf.m.offset;
}

static void do_io(struct input *in)
{
	static char data[65536];
	int fd = *slot(in);
	size_t len = number(in) % (sizeof(data) + 1);
	struct pollfd p = { .fd = fd, .events = POLLIN | POLLOUT | POLLPRI };

	switch (u8(in) % 4) {
	case 0:
		if (read(fd, data, len) < 0)
			return;
		break;
	case 1:
		if (write(fd, data, len) < 0)
			return;
		break;
	case 2:
		lseek(fd, number(in), u8(in) % 3);
		break;
	default:
		poll(&p, 1, u8(in) % 40);
	}
}

/* Where both devices are bound, take one away, or put it back. */
static void do_bind(struct input *in)
{
	static const char *const names[] = { "dma-board-0", "dma-board-1" };
	const char *name = names[u8(in) % 2];
	uint8_t how = u8(in);
	ssize_t ignored = 0;
	int fd;

	fd = open(how & 1 ? "/sys/bus/platform/drivers/zcdma-virt/unbind" :
			    "/sys/bus/platform/drivers/zcdma-virt/bind", O_WRONLY | O_CLOEXEC);
	/* Rarely: it makes all descriptors useless. May fail: it is so already. */
	if (fd >= 0 && how < 32)
		ignored = write(fd, name, strlen(name));
	(void)ignored;
	close(fd);
}

static void interpret(struct input in)
{
	static void (*const calls[])(struct input *) = {
		do_open, do_close, do_dup, do_map, do_map, do_unmap, do_touch, do_zcdma, do_zcdma,
		do_dmabuf, do_udmabuf, do_v4l2, do_v4l2, do_v4l2, do_v4l2, do_v4l2, do_v4l2, do_v4l2,
		do_io, do_bind, do_stream_open, do_stream, do_stream, do_stream, do_scribble,
		do_scribble, do_gpio, do_gpio, do_pcm, do_pcm, do_alsa, do_alsa, do_alsa,
	};

	while (in.at < in.end)
		calls[u8(&in) % ARRAY_SIZE(calls)](&in);
}

static void *second_thread(void *program)
{
	const struct program *p = program;

	interpret((struct input) { p->byte + 1, p->byte + p->len });
	return NULL;
}

/* What the registers of a GPIO controller do to the machine is not for us to find out. */
static void give_up_rawio(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &header, data))
		_exit(1);
	data[0].effective &= ~(1U << CAP_SYS_RAWIO);
	data[0].permitted &= ~(1U << CAP_SYS_RAWIO);
	if (syscall(SYS_capset, &header, data))
		_exit(1);
}

/* In a process of its own; never returns. */
static void run(const struct program *p, int kcov)
{
	struct input in = { p->byte, p->byte + p->len };
	struct zcdma_trigger clock = { .divider = 1, .period_ns = ZCDMA_TRIGGER_PERIOD_MAX_NS };
	struct rlimit limit = { 256, 256 };
	pthread_t thread;
	bool two;

	setrlimit(RLIMIT_NOFILE, &limit);
	give_up_rawio();
	for (int i = 0; i < MAX_FDS; i++)
		fds[i] = -1;
	zero = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	if (pipe2(null_pipe, O_CLOEXEC | O_NONBLOCK))
		_exit(1);
	/* Something to work on without having to find it first. */
	fds[0] = open("/dev/zcdma0", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	fds[1] = open("/dev/video0", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	fds[2] = open("/dev/video1", O_RDWR | O_NONBLOCK | O_CLOEXEC);

	/* The program before may have left the camera waiting for triggers. */
	ioctl(fds[0], ZCDMA_IOC_TRIGGER_SET, &clock);

	two = u8(&in) % 4 == 3;
	if (two && pthread_create(&thread, NULL, second_thread, (void *)p))
		two = false;
	if (kcov >= 0)
		ioctl(kcov, KCOV_ENABLE, KCOV_TRACE_PC);
	interpret(in);
	if (kcov >= 0)
		ioctl(kcov, KCOV_DISABLE, 0);
	if (two)
		pthread_join(thread, NULL);
	_exit(0);
}

/* ---- Programs ---- */

static struct program *corpus[MAX_CORPUS];
static size_t corpus_size;

static void print(FILE *f, const struct program *p)
{
	for (size_t i = 0; i < p->len; i++)
		fprintf(f, "%02x", p->byte[i]);
	fputc('\n', f);
	fflush(f);
}

/* One program in hexadecimal, up to the end of the line; false: none. */
static bool parse(const char *text, size_t len, struct program *p)
{
	char digits[3] = "", *end;

	p->len = 0;
	for (size_t i = 0; i + 1 < len && p->len < MAX_PROGRAM; i += 2) {
		memcpy(digits, text + i, 2);
		p->byte[p->len] = strtoul(digits, &end, 16);
		if (*end)
			return false;
		p->len++;
	}
	return p->len;
}

static void add(const struct program *p)
{
	struct program *copy;

	if (corpus_size == MAX_CORPUS)
		return;
	copy = malloc(sizeof(*copy));
	if (!copy)
		err(1, "corpus");
	*copy = *p;
	corpus[corpus_size++] = copy;
}

/* tests/fuzz/corpus: a program on each line. */
asm(".pushsection .rodata\n"
    "corpus_text: .incbin \"" CORPUS "\"\n"
    ".byte 0\n"
    ".popsection");
extern const char corpus_text[];

static void read_corpus(void)
{
	struct program p;
	size_t len;

	for (const char *at = corpus_text; *at; at += len + !!at[len]) {
		len = strcspn(at, "\n");
		if (parse(at, len, &p))
			add(&p);
	}
}

static void mutate(struct program *p)
{
	const struct program *other;
	size_t at, n;

	*p = *corpus[chance(corpus_size)];
	for (int rounds = 1 + chance(4); rounds; rounds--) {
		at = p->len ? chance(p->len) : 0;
		switch (chance(6)) {
		case 0: /* change */
		case 1:
			p->byte[at] = chance(256);
			if (!p->len)
				p->len = 1;
			break;
		case 2: /* insert */
			n = 1 + chance(16);
			if (p->len + n > MAX_PROGRAM)
				break;
			memmove(p->byte + at + n, p->byte + at, p->len - at);
			for (size_t i = 0; i < n; i++)
				p->byte[at + i] = chance(256);
			p->len += n;
			break;
		case 3: /* remove */
			n = p->len ? 1 + chance(p->len - at) : 0;
			memmove(p->byte + at, p->byte + at + n, p->len - at - n);
			p->len -= n;
			break;
		case 4: /* go on as another program does */
			other = corpus[chance(corpus_size)];
			n = other->len < MAX_PROGRAM - at ? other->len : MAX_PROGRAM - at;
			memcpy(p->byte + at, other->byte, n);
			p->len = at + n;
			break;
		case 5: /* off by one */
			p->byte[at] += chance(2) ? 1 : -1;
			break;
		}
	}
}

/* ---- Coverage ---- */

static uint64_t *cover;
static uint8_t seen[1 << 20];
static unsigned int places;

/* Steps from one place to the next, hashed; whether one of them is new. */
static bool anything_new(void)
{
	uint64_t n = cover[0] < MAX_COVER - 1 ? cover[0] : MAX_COVER - 1, last = 0;
	bool found = false;

	for (uint64_t i = 0; i < n; i++) {
		uint64_t step = (cover[i + 1] ^ last * 3) * 0x9e3779b97f4a7c15ULL >> 44;

		if (!seen[step]) {
			seen[step] = 1;
			places++;
			found = true;
		}
		last = cover[i + 1];
	}
	return found;
}

static int open_kcov(void)
{
	int fd = open("/sys/kernel/debug/kcov", O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return -1;
	if (ioctl(fd, KCOV_INIT_TRACE, MAX_COVER))
		err(1, "kcov");
	cover = mmap(NULL, MAX_COVER * sizeof(*cover), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (cover == MAP_FAILED)
		err(1, "kcov");
	return fd;
}

/* ---- The kernel's log ---- */

static int log_fd;

/*
 * Whether the kernel has complained since the last time: not every report is the end of the guest.
 * The first words of what tests/vm/vmhost.c looks for, too.
 */
static bool complained(void)
{
	static const char *const signs[] = {
		"WARNING: ", "BUG: ", "UBSAN: ", "ODEBUG: ", "DMA-API: ", "refcount_t: ",
		"list_add corruption", "list_del corruption", "Oops", "INFO: task ",
	};
	char record[2048], *text;
	bool found = false;
	ssize_t n;

	while ((n = read(log_fd, record, sizeof(record) - 1)) > 0) {
		record[n] = '\0';
		text = strchr(record, ';');
		for (size_t i = 0; text && i < ARRAY_SIZE(signs); i++)
			found |= !!strstr(text, signs[i]);
	}
	return found;
}

static void open_log(void)
{
	log_fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (log_fd < 0)
		err(1, "/dev/kmsg");
	lseek(log_fd, 0, SEEK_END);
}

/* ---- The loop ---- */

static void execute(const struct program *p, int kcov)
{
	struct timespec pause = { .tv_sec = HANG_SECONDS };
	sigset_t set;
	pid_t child;

	printf("# run ");
	print(stdout, p);
	if (cover)
		cover[0] = 0;
	child = fork();
	if (child < 0)
		err(1, "fork");
	if (!child)
		run(p, kcov);
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	if (sigtimedwait(&set, NULL, &pause) < 0) {
		printf("# this one hangs\n");
		fflush(stdout);
		kill(child, SIGKILL);
		waitpid(child, NULL, 0);
		exit(1);
	}
	waitpid(child, NULL, 0);
	if (complained()) {
		printf("# the kernel complains of this one\n");
		fflush(stdout);
		exit(1);
	}
}

static void bind_all(void)
{
	static const char *const names[] = { "dma-board-0", "dma-board-1" };
	int fd = open("/sys/bus/platform/drivers/zcdma-virt/bind", O_WRONLY | O_CLOEXEC);

	for (size_t i = 0; fd >= 0 && i < 2; i++)
		if (write(fd, names[i], strlen(names[i])) < 0)
			continue;	/* it was not away */
	close(fd);
}

int main(int argc, char **argv)
{
	const char *save = NULL;
	long seconds = 10, times = 1;
	unsigned long runs = 0;
	size_t known;
	struct program p;
	sigset_t set;
	time_t end;
	int kcov;

	state = 1;
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	open_log();
	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--run")) {
			for (i++; i < argc; i++) {
				if (!parse(argv[i], strlen(argv[i]), &p))
					errx(2, "'%s' is no program: use the hexadecimal digits of a line '# run'", argv[i]);
				for (long n = 0; n < times; n++) {
					execute(&p, -1);
					bind_all();
				}
			}
			return 0;
		} else if (i + 1 == argc) {
			errx(2, "usage: fuzz [--seed N] [--time SECONDS] [--save FILE] | [--times N] --run HEX...");
		} else if (!strcmp(argv[i], "--seed")) {
			state = strtoull(argv[++i], NULL, 0) * 0x9e3779b97f4a7c15ULL | 1;
		} else if (!strcmp(argv[i], "--time")) {
			seconds = strtol(argv[++i], NULL, 0);
		} else if (!strcmp(argv[i], "--times")) {
			times = strtol(argv[++i], NULL, 0);
		} else if (!strcmp(argv[i], "--save")) {
			save = argv[++i];
		} else {
			errx(2, "unknown option '%s'", argv[i]);
		}
	}

	kcov = open_kcov();
	if (kcov < 0)
		printf("# no KCOV in this kernel: going blind\n");
	read_corpus();
	known = corpus_size;
	end = time(NULL) + seconds;
	for (size_t i = 0; i < known; i++) {
		execute(corpus[i], kcov);
		if (cover)
			anything_new();
	}
	if (!corpus_size) {
		p.len = 64;
		for (size_t i = 0; i < p.len; i++)
			p.byte[i] = chance(256);
		add(&p);
	}
	while (time(NULL) < end) {
		mutate(&p);
		execute(&p, kcov);
		if (cover && anything_new())
			add(&p);
		if (++runs % 64 == 0)
			bind_all();
	}
	bind_all();

	printf("# %lu programs run, %zu kept, %u steps of our code seen\n", runs,
	       corpus_size - known, places);
	if (save) {
		FILE *f = fopen(save, "ae");

		if (!f)
			err(1, "%s", save);
		for (size_t i = known; i < corpus_size; i++)
			print(f, corpus[i]);
		fclose(f);
	}
	/* Blind runs prove little; seeing nothing proves nothing. */
	return cover && !places;
}
