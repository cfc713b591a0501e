/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * zcdma.h - what the core (zcdma.ko) offers to engines and to front ends
 *
 * An engine describes a device and its channels and moves transfers. A front end binds to
 * the auxiliary device of a channel and hands transfers in. Neither includes the other's
 * headers, and neither sees how the core keeps its own state (zcdma_core.h).
 *
 * Who holds what alive
 *
 *   zcdma_device  struct device refcount. Held by the engine while registered, by every open
 *                 /dev/zcdmaN, every channel and every buffer.
 *   zcdma_chan    struct device refcount. Held by the device while registered, by the
 *                 channel's auxiliary device and by the front end bound to it.
 *   zcdma_buf     refcount of its own. Held by whoever allocated or imported it, by every
 *                 mapping and by every exported dma-buf. Survives unbind: its memory comes
 *                 from a DMA device that lives as long as the zcdma_device does.
 *   zcdma_xfer    embedded in an object of the front end, which keeps it alive from
 *                 zcdma_xfer_queue() until the done callback, or until zcdma_chan_stop().
 *
 * Gone: zcdma_device_unregister() first makes the device "gone". From then on the core
 * calls no engine op, start and claim fail with ENODEV, and what is already held can still
 * be put down in any order.
 */
#ifndef ZCDMA_H
#define ZCDMA_H

#include <linux/auxiliary_bus.h>
#include <linux/device.h>
#include <linux/dma-direction.h>
#include <linux/ktime.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/refcount.h>
#include <linux/scatterlist.h>
#include <linux/spinlock.h>
#include <linux/types.h>

#include "../uapi/linux/zcdma.h"

struct dentry;
struct device_node;
struct dma_buf;
struct vm_area_struct;
struct zcdma_buf;
struct zcdma_chan;
struct zcdma_device;

/* ---- Transfers ---- */

/**
 * enum zcdma_xfer_state - who has a transfer
 * @ZCDMA_XFER_FREE: the front end
 * @ZCDMA_XFER_QUEUED: the core, waiting for room in the engine
 * @ZCDMA_XFER_ACTIVE: the engine
 * @ZCDMA_XFER_DONE: the front end's done callback
 *
 *            zcdma_xfer_queue()        ops->submit()
 *     FREE ---------------------> QUEUED ---------> ACTIVE
 *      ^                             |                 |
 *      |  done callback returns      | stop            | zcdma_xfer_done(), stop
 *      +------------------------- DONE <---------------+
 */
enum zcdma_xfer_state {
	ZCDMA_XFER_FREE,
	ZCDMA_XFER_QUEUED,
	ZCDMA_XFER_ACTIVE,
	ZCDMA_XFER_DONE,
};

/**
 * struct zcdma_xfer - a range of a buffer on its way through an engine
 * @node: the core's; which list is told by @state
 * @engine_node: the engine's to use while @state is ACTIVE
 * @state: protected by the channel's lock
 * @buf: the buffer; the front end holds a reference as long as it uses the transfer
 * @offset: first byte of the range within @buf
 * @len: length of the range in bytes
 * @exposed: the core's: the frame has its sequence number
 * @frame: the frame record, valid in the done callback and until the next queue
 *
 * A front end sets @buf, @offset and @len before zcdma_xfer_queue() and touches nothing
 * until done.
 */
struct zcdma_xfer {
	struct list_head node;
	struct list_head engine_node;
	enum zcdma_xfer_state state;
	struct zcdma_buf *buf;
	size_t offset;
	size_t len;
	bool exposed;
	struct zcdma_frame frame;
};

/* ---- Controls: knobs of an engine that front ends show in their own words ---- */

/**
 * enum zcdma_ctrl_id - what a control means
 * @ZCDMA_CTRL_TEST_PATTERN: menu; index into the engine's pattern names
 * @ZCDMA_CTRL_STAMPS: boolean; head and tail stamps (struct zcdma_stamp)
 * @ZCDMA_CTRL_EXPOSURE: exposure time in ns
 * @ZCDMA_CTRL_VOLUME: hundredths of a dB
 * @ZCDMA_CTRL_MUTE: boolean
 * @ZCDMA_CTRL_LOOPBACK: boolean; capture what the device plays
 * @ZCDMA_CTRL_XRUN: lose as much sound as that many transfers hold, from now on; reads as 0
 * @ZCDMA_CTRL_DRIFT: by how much the audio clock is fast, in billionths
 * @ZCDMA_NUM_CTRLS: how many there are
 */
enum zcdma_ctrl_id {
	ZCDMA_CTRL_TEST_PATTERN,
	ZCDMA_CTRL_STAMPS,
	ZCDMA_CTRL_EXPOSURE,
	ZCDMA_CTRL_VOLUME,
	ZCDMA_CTRL_MUTE,
	ZCDMA_CTRL_LOOPBACK,
	ZCDMA_CTRL_XRUN,
	ZCDMA_CTRL_DRIFT,
	ZCDMA_NUM_CTRLS,
};

/**
 * struct zcdma_ctrl_desc - one control of a channel
 * @id: what it means
 * @min: smallest value (menu, boolean: 0)
 * @max: largest value (boolean: 1; menu: index of the last name)
 * @step: distance of two values
 * @def: value after probe
 * @menu: names of the values of a menu, NULL-terminated; NULL for the other types
 */
struct zcdma_ctrl_desc {
	enum zcdma_ctrl_id id;
	s64 min;
	s64 max;
	s64 step;
	s64 def;
	const char * const *menu;
};

/* ---- Video formats ---- */

/**
 * struct zcdma_video_format - geometry and pace of a video channel
 * @fourcc: V4L2 pixel format
 * @width: pixels
 * @height: lines
 * @bytesperline: distance of two lines of the first plane, in bytes
 * @sizeimage: bytes of one frame, all planes
 * @interval_ns: time between two frames
 */
struct zcdma_video_format {
	u32 fourcc;
	u32 width;
	u32 height;
	u32 bytesperline;
	u32 sizeimage;
	u64 interval_ns;
};

/**
 * struct zcdma_video_caps - what a video channel can be set to
 * @fourccs: pixel formats, the default first; each must be known to zcdma_format_info()
 * @num_fourccs: entries of @fourccs
 * @min_width: pixels
 * @max_width: pixels
 * @step_width: pixels; 0 stands for 1
 * @min_height: lines
 * @max_height: lines
 * @step_height: lines; 0 stands for 1
 * @min_interval_ns: shortest time between two frames
 * @max_interval_ns: longest time between two frames
 * @line_ns: time that the engine takes for a line; lengthens the shortest interval of high
 *	frames; 0: no such limit
 * @packed: lines follow each other without a gap: no longer bytesperline can be had
 * @line_alignment: a longer bytesperline is a multiple of it; 0 stands for 1
 * @max_sizeimage: bytes that a longer bytesperline may lead to; 0: ZCDMA_BUFFER_SIZE_MAX
 * @def_width: pixels after probe
 * @def_height: lines after probe
 * @def_interval_ns: interval after probe
 */
struct zcdma_video_caps {
	const u32 *fourccs;
	unsigned int num_fourccs;
	u32 min_width;
	u32 max_width;
	u32 step_width;
	u32 min_height;
	u32 max_height;
	u32 step_height;
	u64 min_interval_ns;
	u64 max_interval_ns;
	u32 line_ns;
	bool packed;
	u32 line_alignment;
	u32 max_sizeimage;
	u32 def_width;
	u32 def_height;
	u64 def_interval_ns;
};

/**
 * struct zcdma_format_info - memory layout of a pixel format
 * @fourcc: V4L2 pixel format
 * @bytes: bytes per pixel of the first plane
 * @hsub: horizontal subsampling; widths are multiples of it
 * @vsub: vertical subsampling; heights are multiples of it
 * @chroma: a second plane of interleaved chroma follows the first, with as many bytes in
 *	a line and one line for @vsub lines of the first
 */
struct zcdma_format_info {
	u32 fourcc;
	u8 bytes;
	u8 hsub;
	u8 vsub;
	bool chroma;
};

const struct zcdma_format_info *zcdma_format_info(u32 fourcc);
u64 zcdma_video_min_interval(const struct zcdma_video_caps *caps, u32 height);
void zcdma_video_try(const struct zcdma_video_caps *caps, struct zcdma_video_format *fmt);
void zcdma_video_default(const struct zcdma_video_caps *caps, struct zcdma_video_format *fmt);

/* ---- PCM formats ---- */

/**
 * struct zcdma_pcm_caps - what a PCM channel can be set to
 * @formats: ZCDMA_PCM_*_LE
 * @min_rate: PCM frames per second; any rate up to @max_rate
 * @max_rate: see @min_rate
 * @min_channels: channels of sound; any number up to @max_channels
 * @max_channels: see @min_channels
 * @def: after probe; one of @formats, and so on
 */
struct zcdma_pcm_caps {
	u32 formats;
	u32 min_rate;
	u32 max_rate;
	u32 min_channels;
	u32 max_channels;
	struct zcdma_pcm_config def;
};

unsigned int zcdma_pcm_frame_bytes(u32 format, u32 channels);
bool zcdma_pcm_complete(const struct zcdma_pcm_caps *caps, struct zcdma_pcm_config *config);

/* ---- Engines ---- */

/**
 * struct zcdma_chan_ops - what an engine does for a channel
 * @set_video: take a format that zcdma_video_try() has adjusted; only while stopped.
 *	Process context
 * @set_pcm: take what zcdma_pcm_complete() has found possible; only while stopped. Process
 *	context
 * @set_ctrl: take the value of a control, in range; at any time. Process context
 * @start: begin to run. The transfers queued so far have been submitted just before, so do not
 *	empty the engine's queue here. On failure, forget every transfer. Process context
 * @stop: end all activity. On return the engine has forgotten every transfer and calls the
 *	core no more for this channel until the next @start; the core completes what was
 *	ACTIVE with an error. Process context
 * @submit: take one transfer, ACTIVE from here on, which zcdma_xfer_done() ends; at most
 *	zcdma_chan_desc::depth at a time, from just before @start until @stop. Called with the
 *	channel's lock held and interrupts off: must not sleep nor call the core. An error
 *	makes the core complete the transfer with %ZCDMA_FRAME_ERROR
 * @residue: bytes that @xfer, the oldest ACTIVE transfer, has still to move; 0 where the engine is
 *	through with it, though the core may not have heard of that yet. Any context, same rules
 *	as @submit. Optional
 * @pcm_clock: PCM frames that the channel's audio clock has counted since @start until @time,
 *	which may lie somewhat back, and whether or not there was anything to move. Any context,
 *	same rules as @submit, only while started. Optional: without it the core goes by the
 *	bytes that were moved
 * @pause: PCM: stop the clock, or let it go on; only while started, and never twice the same.
 *	Process context. Optional
 * @set_triggered: on: from now on expose a frame only for @trigger; off: one after the other. A
 *	frame under way is finished. At any time. Process context. Where there is @trigger
 * @trigger: expose a frame, from @time (CLOCK_MONOTONIC) on, which has just been. Called while
 *	running, and set_triggered on, with interrupts off, in any context that may take a
 *	spinlock. The engine may call zcdma_exposure_start() from here. -EBUSY while the last
 *	frame is being exposed, or not reported to be over yet. Optional
 *
 * @start, @stop, @pause, @set_video, @set_pcm and @set_triggered are serialized by the core for
 * each channel; no @trigger runs beside any of them.
 */
struct zcdma_chan_ops {
	int (*set_video)(struct zcdma_chan *chan, const struct zcdma_video_format *fmt);
	int (*set_pcm)(struct zcdma_chan *chan, const struct zcdma_pcm_config *config);
	int (*set_ctrl)(struct zcdma_chan *chan, enum zcdma_ctrl_id id, s64 value);
	int (*start)(struct zcdma_chan *chan);
	void (*stop)(struct zcdma_chan *chan);
	int (*submit)(struct zcdma_chan *chan, struct zcdma_xfer *xfer);
	size_t (*residue)(struct zcdma_chan *chan, const struct zcdma_xfer *xfer);
	u64 (*pcm_clock)(struct zcdma_chan *chan, ktime_t time);
	int (*pause)(struct zcdma_chan *chan, bool pause);
	int (*set_triggered)(struct zcdma_chan *chan, bool on);
	int (*trigger)(struct zcdma_chan *chan, ktime_t time);
};

/**
 * struct zcdma_chan_desc - a channel, as its engine describes it
 * @name: unique within the device, shorter than ZCDMA_NAME_LEN, [A-Za-z0-9._-] only
 * @kind: what it carries
 * @direction: which way
 * @depth: transfers that the engine takes at a time, at least 1
 * @max_segments: contiguous pieces (in DMA address space) of one transfer; 0: any number
 * @alignment: of address and length, in bytes, a power of two; 0 stands for 1
 * @max_transfer: bytes; 0: ZCDMA_BUFFER_SIZE_MAX
 * @ops: the engine's calls
 * @priv: the engine's, zcdma_chan_priv()
 * @video: for %ZCDMA_KIND_VIDEO
 * @pcm: for %ZCDMA_KIND_PCM
 * @ctrls: controls, or NULL
 * @num_ctrls: entries of @ctrls
 *
 * @ops and @priv must stay valid until zcdma_device_unregister() returns. All else is copied, with
 * what it points to.
 */
struct zcdma_chan_desc {
	const char *name;
	enum zcdma_kind kind;
	enum zcdma_direction direction;
	unsigned int depth;
	unsigned int max_segments;
	unsigned int alignment;
	u64 max_transfer;
	const struct zcdma_chan_ops *ops;
	void *priv;
	const struct zcdma_video_caps *video;
	const struct zcdma_pcm_caps *pcm;
	const struct zcdma_ctrl_desc *ctrls;
	unsigned int num_ctrls;
};

/**
 * struct zcdma_device_desc - a device, as its engine describes it
 * @parent: the platform device; names the device and its memory-region
 * @dma_dev: the device that does DMA; NULL: @parent
 * @name: unique on this system, [A-Za-z0-9._-] only; NULL: from the node's label property or
 *	node name
 * @numbered: put the smallest number after @name that makes it unique; leave room for that
 * @chans: the channels
 * @num_chans: entries of @chans, at least 1
 */
struct zcdma_device_desc {
	struct device *parent;
	struct device *dma_dev;
	const char *name;
	bool numbered;
	const struct zcdma_chan_desc *chans;
	unsigned int num_chans;
};

struct zcdma_device *zcdma_device_register(const struct zcdma_device_desc *desc);
void zcdma_device_unregister(struct zcdma_device *zdev);
struct dentry *zcdma_device_debugfs(struct zcdma_device *zdev);
struct zcdma_chan *zcdma_device_chan(struct zcdma_device *zdev, unsigned int index);
bool zcdma_is_translated(struct device *dev);

/* From any context, between start and the return of stop. */
void zcdma_exposure_start(struct zcdma_chan *chan, struct zcdma_xfer *xfer, ktime_t time);
void zcdma_exposure_end(struct zcdma_chan *chan, struct zcdma_xfer *xfer, ktime_t time);
void zcdma_xfer_done(struct zcdma_chan *chan, struct zcdma_xfer *xfer, size_t bytes, u32 flags);

/* ---- Device tree: what the nodes of all engines have in common ---- */

/* From probe. On -EINVAL the mistake has been reported as probe's. */
int zcdma_of_u32(struct device *dev, const struct device_node *np, const char *name, u32 min,
		 u32 max, u32 *value);
int zcdma_of_need_u32(struct device *dev, const struct device_node *np, const char *name, u32 min,
		      u32 max, u32 *value);
int zcdma_of_need_string(struct device *dev, const struct device_node *np, const char *name,
			 const char *hint, const char **value);
int zcdma_of_refuse(struct device *dev, const struct device_node *np, const char *name,
		    const char *owner);
int zcdma_of_chan(struct device *dev, const struct device_node *np, char *name,
		  enum zcdma_kind *kind, enum zcdma_direction *direction);
int zcdma_of_alignment(struct device *dev, const struct device_node *np, u32 *alignment);

/* ---- Channels: for front ends, and for engines about their own ---- */

const char *zcdma_chan_name(const struct zcdma_chan *chan);
const struct zcdma_chan_desc *zcdma_chan_desc(const struct zcdma_chan *chan);
void *zcdma_chan_priv(const struct zcdma_chan *chan);
struct zcdma_device *zcdma_chan_device(const struct zcdma_chan *chan);
struct dentry *zcdma_chan_debugfs(const struct zcdma_chan *chan);
const char *zcdma_device_name(const struct zcdma_device *zdev);
const char *zcdma_device_driver(const struct zcdma_device *zdev);
struct zcdma_chan *zcdma_chan_get(struct zcdma_chan *chan);
void zcdma_chan_put(struct zcdma_chan *chan);
bool zcdma_chan_gone(const struct zcdma_chan *chan);

/**
 * struct zcdma_client - a front end, as the owner of a channel
 * @owner: which one
 * @done: a transfer is over; its frame record is complete. Any context, the channel's lock not
 *	held: may call zcdma_xfer_queue(), must not sleep
 * @exposure: an exposure has started, whether or not a transfer was there for it. Any
 *	context, must not sleep. Optional
 * @gone: the device has left, and every transfer is back. Process context, must not call the core.
 *	Optional
 * @ring: PCM: tell of the ring that all transfers are parts of, but for channel and descriptors,
 *	and get a reference on it; NULL: there is none at the moment. Process context, must not
 *	call the core but for zcdma_buf_get(). Optional
 * @priv: the front end's
 *
 * A client is static for the time that it owns the channel.
 */
struct zcdma_client {
	enum zcdma_owner owner;
	void (*done)(struct zcdma_chan *chan, void *priv, struct zcdma_xfer *xfer);
	void (*exposure)(struct zcdma_chan *chan, void *priv, u64 sequence, ktime_t time);
	void (*gone)(struct zcdma_chan *chan, void *priv);
	struct zcdma_buf *(*ring)(struct zcdma_chan *chan, void *priv,
				  struct zcdma_pcm_export *info);
	void *priv;
};

/* All of these in process context. */
int zcdma_chan_claim(struct zcdma_chan *chan, const struct zcdma_client *client);
void zcdma_chan_release(struct zcdma_chan *chan);
int zcdma_chan_set_video(struct zcdma_chan *chan, const struct zcdma_video_format *fmt);
int zcdma_chan_set_pcm(struct zcdma_chan *chan, const struct zcdma_pcm_config *config);
int zcdma_chan_set_ctrl(struct zcdma_chan *chan, enum zcdma_ctrl_id id, s64 value);
s64 zcdma_chan_get_ctrl(struct zcdma_chan *chan, enum zcdma_ctrl_id id);
int zcdma_chan_start(struct zcdma_chan *chan);
void zcdma_chan_stop(struct zcdma_chan *chan);
int zcdma_chan_pause(struct zcdma_chan *chan, bool pause);

/* Strobe and trigger: zcdma_strobe.c, zcdma_trigger.c, zcdma_gpio.c. */
bool zcdma_chan_has_strobe(struct zcdma_chan *chan);
int zcdma_chan_get_strobe(struct zcdma_chan *chan, struct zcdma_strobe *set);
int zcdma_chan_set_strobe(struct zcdma_chan *chan, const struct zcdma_strobe *set);
int zcdma_chan_change_strobe(struct zcdma_chan *chan,
			     void (*change)(struct zcdma_strobe *set, const void *arg),
			     const void *arg);
int zcdma_chan_pulse_strobe(struct zcdma_chan *chan, u64 duration_ns);
bool zcdma_chan_has_trigger(struct zcdma_chan *chan);
bool zcdma_chan_has_trigger_line(struct zcdma_chan *chan);
int zcdma_chan_get_trigger(struct zcdma_chan *chan, struct zcdma_trigger *set);
int zcdma_chan_set_trigger(struct zcdma_chan *chan, const struct zcdma_trigger *set);
int zcdma_chan_change_trigger(struct zcdma_chan *chan,
			      void (*change)(struct zcdma_trigger *set, const void *arg),
			      const void *arg);
int zcdma_chan_software_trigger(struct zcdma_chan *chan);
int zcdma_chan_gpio_state(struct zcdma_chan *chan, struct zcdma_gpio_state *state);

/* Any context. */
int zcdma_xfer_queue(struct zcdma_chan *chan, struct zcdma_xfer *xfer);
int zcdma_chan_position(struct zcdma_chan *chan, struct zcdma_position *position);

/**
 * struct zcdma_auxdev - the auxiliary device that a front end binds to
 * @adev: named "zcdma.video" for a video channel
 * @chan: the channel; valid while bound, zcdma_chan_get() to keep it longer
 *
 * One for each channel, but one for all PCM channels of a device, because they make up one sound
 * card: then @chan is the first of them, and zcdma_device_chan() leads to the others.
 */
struct zcdma_auxdev {
	struct auxiliary_device adev;
	struct zcdma_chan *chan;
};

#define to_zcdma_auxdev(_adev) container_of(_adev, struct zcdma_auxdev, adev)

#define ZCDMA_AUX_MODULE	"zcdma"
#define ZCDMA_AUX_VIDEO		"video"
#define ZCDMA_AUX_RAW		"raw"
#define ZCDMA_AUX_PCM		"pcm"

/* ---- Buffers ---- */

/**
 * struct zcdma_buf_req - what a buffer has to be
 * @size: bytes; rounded up to whole pages
 * @cached: cached, else coherent
 * @spare: nobody has asked for it: that there is no room for it is nothing to tell
 * @dir: what the device does with it
 * @max_segments: pieces that whoever uses it can take; 0: any number
 */
struct zcdma_buf_req {
	size_t size;
	bool cached;
	bool spare;
	enum dma_data_direction dir;
	unsigned int max_segments;
};

/* Process context. Pointers are ERR_PTR() on failure; the caller owns one reference. */
struct zcdma_buf *zcdma_buf_alloc(struct zcdma_device *zdev, const struct zcdma_buf_req *req);
struct zcdma_buf *zcdma_buf_import(struct zcdma_device *zdev, struct dma_buf *dmabuf,
				   const struct zcdma_buf_req *req);
u64 zcdma_pool_free(struct zcdma_device *zdev);
struct dma_buf *zcdma_buf_export(struct zcdma_buf *buf, unsigned long fd_flags);
int zcdma_buf_mmap(struct zcdma_buf *buf, struct vm_area_struct *vma);
int zcdma_buf_insert(struct zcdma_buf *buf, struct vm_area_struct *vma);
/* The CPU's view; NULL where there is no memory for one. Lasts as long as the buffer does. */
void *zcdma_buf_vaddr(struct zcdma_buf *buf);
/*
 * For engines made of software: the memory that the DMA addresses lead to, in one piece. It is
 * not the CPU's view where streaming mappings bounce. Lasts as long as the buffer does; may
 * sleep; NULL where there is no memory for it.
 */
void *zcdma_buf_device_view(struct zcdma_buf *buf);

/* Any context. Ownership of the bytes passes to the device, or back to the CPU. */
void zcdma_buf_sync_for_device(struct zcdma_buf *buf);
void zcdma_buf_sync_for_cpu(struct zcdma_buf *buf);

struct zcdma_buf *zcdma_buf_get(struct zcdma_buf *buf);
/* May sleep when it drops the last reference. */
void zcdma_buf_put(struct zcdma_buf *buf);
unsigned int zcdma_buf_users(const struct zcdma_buf *buf);
size_t zcdma_buf_size(const struct zcdma_buf *buf);
bool zcdma_buf_cached(const struct zcdma_buf *buf);
/* The DMA mapping, for engines that hand it to hardware. */
const struct sg_table *zcdma_buf_sgt(const struct zcdma_buf *buf);

#endif /* ZCDMA_H */
