/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * zcdma - user interface of the zero-copy DMA core, /dev/zcdmaN
 *
 * Objects are file descriptors: /dev/zcdmaN is a device, and the buffers that it
 * hands out are dma-bufs. Every structure has the same layout for 32- and 64-bit
 * programs, a size that is a multiple of 8, and explicit padding.
 *
 * Rules that hold for every call:
 *  - a reserved field that is not zero, or a flag that is not defined here, gives
 *    EINVAL and changes nothing;
 *  - a command that is not defined here gives ENOTTY;
 *  - once the device is gone (unbound, unplugged), every call gives ENODEV and
 *    poll() reports EPOLLHUP | EPOLLERR. Buffers already obtained stay valid
 *    memory until their last user closes or unmaps them;
 *  - all calls may be made from several threads at once.
 *
 * Times are CLOCK_MONOTONIC in ns. Sizes are in bytes.
 */
#ifndef _UAPI_LINUX_ZCDMA_H
#define _UAPI_LINUX_ZCDMA_H

#include <linux/ioctl.h>
#include <linux/types.h>

/* Length of a name, including the terminating NUL. */
#define ZCDMA_NAME_LEN		32

/* Version of this interface: only raised, when calls or fields are added. */
#define ZCDMA_ABI_VERSION	1

/* Largest size of one buffer. */
#define ZCDMA_BUFFER_SIZE_MAX	0x40000000ULL

/**
 * enum zcdma_kind - what a channel carries
 * @ZCDMA_KIND_VIDEO: frames of pictures
 * @ZCDMA_KIND_PCM: periods of audio samples
 * @ZCDMA_KIND_RAW: records of bytes without a meaning to the driver
 */
enum zcdma_kind {
	ZCDMA_KIND_VIDEO = 0,
	ZCDMA_KIND_PCM = 1,
	ZCDMA_KIND_RAW = 2,
};

/**
 * enum zcdma_direction - which way a channel moves data
 * @ZCDMA_CAPTURE: from the device to memory
 * @ZCDMA_PLAYBACK: from memory to the device
 */
enum zcdma_direction {
	ZCDMA_CAPTURE = 0,
	ZCDMA_PLAYBACK = 1,
};

/**
 * enum zcdma_owner - who holds a channel at the moment
 * @ZCDMA_OWNER_NONE: nobody
 * @ZCDMA_OWNER_VIDEO: its V4L2 node, as long as that has buffers
 * @ZCDMA_OWNER_PCM: its ALSA PCM, from hw_params to hw_free
 * @ZCDMA_OWNER_STREAM: a stream file descriptor
 */
enum zcdma_owner {
	ZCDMA_OWNER_NONE = 0,
	ZCDMA_OWNER_VIDEO = 1,
	ZCDMA_OWNER_PCM = 2,
	ZCDMA_OWNER_STREAM = 3,
};

/*
 * struct zcdma_frame::flags
 *
 * ERROR: the transfer failed or was cut short; the content of the buffer is
 * undefined. LOST: one or more frames between this one and the one before it had
 * no buffer to go to (their sequence numbers are missing). The *_TIME and PCM bits
 * say which of the fields are known; a field without its bit is 0.
 */
#define ZCDMA_FRAME_ERROR		0x00000001
#define ZCDMA_FRAME_LOST		0x00000002
#define ZCDMA_FRAME_TRIGGER_MISSED	0x00000004
#define ZCDMA_FRAME_TRIGGER_TIME	0x00000008
#define ZCDMA_FRAME_EXPOSURE_TIME	0x00000010
#define ZCDMA_FRAME_PCM_POSITION	0x00000020

/**
 * struct zcdma_frame - the frame record: what is known of one finished transfer
 * @sequence: number of the frame since streaming started, from 0; counts frames
 *	that were lost, too
 * @trigger_ns: time of the trigger that started the frame
 * @exposure_start_ns: start of the exposure; where the hardware has none, the time
 *	at which the transfer was handed to it
 * @exposure_end_ns: end of the exposure
 * @done_ns: time at which the DMA engine reported the transfer complete
 * @pcm_position: PCM frames that the device's audio clock had counted at
 *	@exposure_start_ns
 * @bytesused: bytes that the transfer moved
 * @flags: ZCDMA_FRAME_*
 * @reserved: 0
 *
 * Also the payload of the V4L2 event %ZCDMA_V4L2_EVENT_FRAME.
 */
struct zcdma_frame {
	__u64 sequence;
	__u64 trigger_ns;
	__u64 exposure_start_ns;
	__u64 exposure_end_ns;
	__u64 done_ns;
	__u64 pcm_position;
	__u32 bytesused;
	__u32 flags;
	__u32 reserved[2];
};

/*
 * Head and tail stamps: with the stamps control on, a capture engine that supports
 * them writes one struct zcdma_stamp over the first bytes of a frame before, and
 * one over the last bytes after, everything else in it. Both of one frame are equal;
 * a reader that sees them differ holds a torn frame, one that sees the same @sequence
 * twice a stale one.
 */
#define ZCDMA_STAMP_MAGIC	0x706d74736d64637aULL	/* "zcdmstmp" in memory */

/**
 * struct zcdma_stamp - head and tail stamp of a frame (little endian)
 * @magic: %ZCDMA_STAMP_MAGIC
 * @sequence: the frame record's sequence
 * @exposure_start_ns: the frame record's exposure start
 * @reserved: 0
 */
struct zcdma_stamp {
	__le64 magic;
	__le64 sequence;
	__le64 exposure_start_ns;
	__le64 reserved;
};

/**
 * struct zcdma_device_info - what a device is (%ZCDMA_IOC_DEVICE_INFO)
 * @abi_version: %ZCDMA_ABI_VERSION of the kernel
 * @num_channels: channels, numbered from 0
 * @features: 0; bits are added as features are
 * @pool_size: size of the node's memory-region, or 0 where memory comes from the system
 * @pool_used: bytes of buffers of this device that are alive at the moment
 * @name: the device's name, unique on this system: the node's label property, or its
 *	node name
 * @driver: the engine's driver
 * @reserved: 0
 */
struct zcdma_device_info {
	__u32 abi_version;
	__u32 num_channels;
	__u64 features;
	__u64 pool_size;
	__u64 pool_used;
	char name[ZCDMA_NAME_LEN];
	char driver[ZCDMA_NAME_LEN];
	__u64 reserved[4];
};

/**
 * struct zcdma_channel_info - what a channel is (%ZCDMA_IOC_CHANNEL_INFO)
 * @index: the channel asked for, from the program
 * @kind: enum zcdma_kind
 * @direction: enum zcdma_direction
 * @owner: enum zcdma_owner; may have changed by the time the program reads it
 * @max_segments: physically contiguous pieces that one transfer may consist of
 * @alignment: alignment of a transfer's address and length in bytes
 * @max_transfer: longest transfer in bytes
 * @name: the channel's name, unique within the device
 * @reserved: 0
 *
 * EINVAL: there is no channel @index.
 */
struct zcdma_channel_info {
	__u32 index;
	__u32 kind;
	__u32 direction;
	__u32 owner;
	__u32 max_segments;
	__u32 alignment;
	__u64 max_transfer;
	char name[ZCDMA_NAME_LEN];
	__u64 reserved[4];
};

/*
 * struct zcdma_buffer_alloc::flags
 *
 * CACHED: the CPU reads and writes the buffer through its caches. Bracket every CPU
 * access with DMA_BUF_IOCTL_SYNC. Without it the buffer is coherent: no bracket is
 * needed, but on hardware without coherent DMA every CPU access goes to memory.
 */
#define ZCDMA_BUFFER_CACHED		0x00000001

/**
 * struct zcdma_buffer_alloc - get a zeroed buffer as a dma-buf (%ZCDMA_IOC_BUFFER_ALLOC)
 * @size: bytes, 1 to %ZCDMA_BUFFER_SIZE_MAX, from the program; rounded up to whole pages
 *	by the kernel, which writes the result back
 * @flags: ZCDMA_BUFFER_*, from the program
 * @fd_flags: O_CLOEXEC and one of O_RDONLY, O_WRONLY, O_RDWR for the new descriptor,
 *	from the program
 * @fd: the dma-buf, from the kernel; the program owns it and closes it. It outlives
 *	the /dev/zcdmaN descriptor and the device
 * @reserved: 0
 *
 * ENOMEM: the pool or the system has no room (the kernel log says how much was asked and
 * what is free). EOPNOTSUPP: the device's pool cannot be mapped cached.
 */
struct zcdma_buffer_alloc {
	__u64 size;
	__u32 flags;
	__u32 fd_flags;
	__s32 fd;
	__u32 reserved[3];
};

#define ZCDMA_IOC_MAGIC			'z'
#define ZCDMA_IOC_DEVICE_INFO		_IOR(ZCDMA_IOC_MAGIC, 0x00, struct zcdma_device_info)
#define ZCDMA_IOC_CHANNEL_INFO		_IOWR(ZCDMA_IOC_MAGIC, 0x01, struct zcdma_channel_info)
#define ZCDMA_IOC_BUFFER_ALLOC		_IOWR(ZCDMA_IOC_MAGIC, 0x02, struct zcdma_buffer_alloc)

/*
 * What V4L2 programs need beyond videodev2.h. Both numbers are offsets that V4L2 sets
 * aside for drivers: add V4L2_EVENT_PRIVATE_START, and V4L2_CID_USER_BASE.
 */

/* Event with a struct zcdma_frame in v4l2_event.u.data, one for every finished frame. */
#define ZCDMA_V4L2_EVENT_FRAME		(0x08000000 + 0x7a00)

/* Boolean control: head and tail stamps, see struct zcdma_stamp. */
#define ZCDMA_V4L2_CID_STAMPS		(0x00980900 + 0x7a00)

#endif /* _UAPI_LINUX_ZCDMA_H */
