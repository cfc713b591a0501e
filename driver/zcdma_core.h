/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * zcdma_core.h - what the files of zcdma.ko share with each other
 *
 * Engines and front ends must not include this: what is theirs to see is in zcdma.h.
 */
#ifndef ZCDMA_CORE_H
#define ZCDMA_CORE_H

#include <linux/cdev.h>
#include <linux/dma-buf.h>
#include <linux/rwsem.h>
#include <linux/wait.h>

#include "zcdma.h"
#include "zcdma_compat.h"

struct zcdma_gpio;

/**
 * struct zcdma_device - one registered device
 * @dev: class device behind /dev/zcdmaN; its refcount is the lifetime of the whole struct
 * @cdev: character device, a child of @dev in refcounting
 * @id: the N of /dev/zcdmaN
 * @name: unique name
 * @driver: name of the engine's driver
 * @parent: the engine's device, referenced
 * @mem: the device that all DMA memory is allocated for and mapped to, referenced. See
 *	zcdma_mem_create() for why this is not simply @parent
 * @gone_lock: held for reading by calls from user space, for writing to set @gone
 * @gone: the engine has unregistered
 * @wait: pollers of /dev/zcdmaN, woken when @gone is set
 * @debugfs: directory of the device
 * @pool_base: physical address of the memory-region
 * @pool_size: its size, 0 where there is none
 * @pool_name: its node's name
 * @pool_no_map: its memory is not in the linear map and has no struct page
 * @buf_lock: protects @bufs and @pool_used
 * @bufs: buffers alive
 * @pool_used: bytes in @bufs, without imported ones
 * @clock_lock: protects @clock and zcdma_chan::clock_node; taken before a channel's lock
 * @clock: PCM channels that run, those that capture first; the first one's clock is the device's
 * @gpio: strobe and trigger; NULL: it has neither. Constant while registered, freed with the device
 * @num_chans: entries of @chans
 * @chans: one reference held on each until unregistered
 */
struct zcdma_device {
	struct device dev;
	struct cdev cdev;
	int id;
	char name[ZCDMA_NAME_LEN];
	char driver[ZCDMA_NAME_LEN];
	struct device *parent;
	struct device *mem;
	struct rw_semaphore gone_lock;
	bool gone;
	wait_queue_head_t wait;
	struct dentry *debugfs;
	phys_addr_t pool_base;
	u64 pool_size;
	char pool_name[ZCDMA_NAME_LEN];
	bool pool_no_map;
	struct mutex buf_lock; /* protects bufs, pool_used */
	struct list_head bufs;
	u64 pool_used;
	spinlock_t clock_lock; /* protects clock, zcdma_chan::clock_node */
	struct list_head clock;
	struct zcdma_gpio *gpio;
	unsigned int num_chans;
	struct zcdma_chan *chans[] __counted_by(num_chans);
};

/**
 * struct zcdma_chan - one channel
 * @dev: class device, named for device and channel; refcount is the lifetime
 * @zdev: the device, referenced
 * @index: number within the device
 * @name: name within the device
 * @desc: the engine's description; desc.name is @name, desc.video @video, desc.pcm @pcm
 * @video: what a video channel can be set to
 * @pcm: what a PCM channel can be set to
 * @clock_node: in zcdma_device::clock, while it runs
 * @mutex: serializes claim, configuration, start and stop; protects @client, @ctrls and
 *	changes of @gone
 * @client: the owner, or NULL
 * @paused: running, but told to pause
 * @ctrls: value of each control, by its id, as set last
 * @lock: protects everything below, and the state of every transfer in the lists
 * @gone: no engine op may be called any more
 * @running: started; the engine takes transfers
 * @config: what a PCM channel is set to
 * @moved: bytes of the transfers that are done since start
 * @queued: QUEUED transfers, oldest first
 * @active: ACTIVE transfers, oldest first
 * @num_active: entries of @active, at most desc.depth
 * @sequence: of the next exposure
 * @lost: a frame had no transfer since the last one that had
 * @trigger_missed: a trigger started no frame since the last one that had a transfer
 * @gpio: strobe and trigger, where they are this channel's, or NULL; as zcdma_device::gpio
 * @aux: the auxiliary device of the front end
 * @debugfs: directory of the channel
 */
struct zcdma_chan {
	struct device dev;
	struct zcdma_device *zdev;
	unsigned int index;
	char name[ZCDMA_NAME_LEN];
	struct zcdma_chan_desc desc;
	struct zcdma_video_caps video;
	struct zcdma_pcm_caps pcm;
	struct list_head clock_node;
	struct mutex mutex; /* claim, configuration, start, stop; protects client, paused, ctrls */
	const struct zcdma_client *client;
	bool paused;
	s64 ctrls[ZCDMA_NUM_CTRLS];

	spinlock_t lock; /* protects all from here to trigger_missed */
	bool gone;
	bool running;
	struct zcdma_pcm_config config;
	u64 moved;
	struct list_head queued;
	struct list_head active;
	unsigned int num_active;
	u64 sequence;
	bool lost;
	bool trigger_missed;

	struct zcdma_gpio *gpio;
	struct zcdma_auxdev *aux;
	struct dentry *debugfs;
};

/* zcdma_chan.c */
extern ZCDMA_CLASS_CONST struct class zcdma_chan_class;
struct zcdma_chan *zcdma_chan_create(struct zcdma_device *zdev, unsigned int index,
				     const struct zcdma_chan_desc *desc);
int zcdma_chan_add(struct zcdma_chan *chan);
void zcdma_chan_del(struct zcdma_chan *chan);
int zcdma_chan_add_aux(struct zcdma_chan *chan);
void zcdma_chan_del_aux(struct zcdma_chan *chan);
void zcdma_chan_set_gone(struct zcdma_chan *chan);
enum zcdma_owner zcdma_chan_owner(struct zcdma_chan *chan);
const char *zcdma_kind_name(enum zcdma_kind kind);
const char *zcdma_direction_name(enum zcdma_direction direction);

/* zcdma_audio.c */
void zcdma_clock_add(struct zcdma_chan *chan);
void zcdma_clock_del(struct zcdma_chan *chan);
bool zcdma_clock_read(struct zcdma_chan *chan, ktime_t time, u64 *frames);

/* zcdma_mem.c */
int zcdma_mem_create(struct zcdma_device *zdev, struct device *dma_dev);

/**
 * enum zcdma_buf_backing - where the memory of a buffer comes from
 * @ZCDMA_BUF_COHERENT: dma_alloc_coherent(): one piece
 * @ZCDMA_BUF_CONTIG: dma_alloc_pages(): one piece, cached
 * @ZCDMA_BUF_PAGES: page allocator: pieces, cached, each page counted on its own
 * @ZCDMA_BUF_IMPORTED: somebody else's dma-buf
 */
enum zcdma_buf_backing {
	ZCDMA_BUF_COHERENT,
	ZCDMA_BUF_CONTIG,
	ZCDMA_BUF_PAGES,
	ZCDMA_BUF_IMPORTED,
};

/**
 * struct zcdma_buf - one buffer
 * @ref: lifetime
 * @zdev: the device, referenced
 * @node: in zcdma_device::bufs
 * @id: number for traces and debugfs, unique while the module is loaded
 * @size: bytes, whole pages (imported: as the exporter says)
 * @backing: where the memory comes from
 * @cached: the CPU maps it cached
 * @need_sync: ownership must be passed with dma_sync_*()
 * @device_wrote: a transfer to memory has ended, and the CPU has not been synced since; without
 *	that, a sync for the CPU could only bring back what the CPU has overwritten since
 * @dir: what the device does with it
 * @sgt: mapped for zdev->mem. The page side of the list is set unless @no_pages
 * @no_pages: the memory has no struct page
 * @pages: PAGES only
 * @dma: COHERENT and CONTIG only
 * @page: CONTIG only
 * @lock: protects @vaddr, @device_view, @map and @attachments
 * @vaddr: the CPU's view, once there is one
 * @device_view: what the DMA addresses lead to, once somebody asked
 * @attachments: importers of the dma-bufs exported from this buffer
 * @dmabuf: IMPORTED: the foreign dma-buf, referenced
 * @attach: IMPORTED: the attachment of zdev->mem to it
 * @imported_sgt: IMPORTED: its mapping
 * @map: IMPORTED: what @vaddr came from
 */
struct zcdma_buf {
	refcount_t ref;
	struct zcdma_device *zdev;
	struct list_head node;
	unsigned int id;
	size_t size;
	enum zcdma_buf_backing backing;
	bool cached;
	bool need_sync;
	bool device_wrote;
	bool no_pages;
	enum dma_data_direction dir;
	struct sg_table sgt;
	struct page **pages;
	dma_addr_t dma;
	struct page *page;

	struct mutex lock; /* protects vaddr, device_view, map, attachments */
	void *vaddr;
	void *device_view;
	struct list_head attachments;

	struct dma_buf *dmabuf;
	struct dma_buf_attachment *attach;
	struct sg_table *imported_sgt;
	struct iosys_map map;
};

/* The argument of a call on /dev/zcdmaN, in the kernel's memory. */
union zcdma_ioctl_arg {
	struct zcdma_device_info device_info;
	struct zcdma_channel_info channel_info;
	struct zcdma_buffer_alloc buffer_alloc;
	struct zcdma_format_desc format_info;
	struct zcdma_pcm_info pcm_info;
	struct zcdma_pcm_export pcm_export;
	struct zcdma_stream_open stream_open;
	struct zcdma_trigger trigger;
	struct zcdma_strobe strobe;
	struct zcdma_strobe_pulse strobe_pulse;
	struct zcdma_gpio_state gpio_state;
	struct zcdma_gpio_open gpio_open;
};

/**
 * struct zcdma_new_fd - a descriptor that a call has made, and the program does not know of yet
 * @fd: its number
 * @file: what it will stand for; NULL: there is none
 */
struct zcdma_new_fd {
	int fd;
	struct file *file;
};

/* zcdma_chrdev.c */
extern const struct file_operations zcdma_chrdev_fops;
int zcdma_fd_reserve(struct zcdma_new_fd *new, struct file *file, u32 fd_flags);
int zcdma_fd_export(struct zcdma_new_fd *new, struct zcdma_buf *buf, u32 fd_flags);
int zcdma_fd_install(const struct zcdma_new_fd *new, unsigned long not_copied);

/* zcdma_stream.c */
int zcdma_stream_open(struct zcdma_device *zdev, struct zcdma_stream_open *arg,
		      struct zcdma_new_fd *new);

/* zcdma_gpio.c */
int zcdma_gpio_init(struct zcdma_device *zdev);
void zcdma_gpio_exit(struct zcdma_device *zdev);
void zcdma_gpio_block(struct zcdma_device *zdev, bool blocked);
u64 zcdma_gpio_features(const struct zcdma_device *zdev);
long zcdma_gpio_ioctl(struct zcdma_device *zdev, unsigned int cmd, union zcdma_ioctl_arg *arg,
		      struct zcdma_new_fd *new);

/* zcdma_strobe.c, zcdma_trigger.c: what a channel has to tell them; see also zcdma_gpio.h */
void zcdma_strobe_exposure_start(struct zcdma_gpio *gpio, ktime_t time);
void zcdma_strobe_exposure_end(struct zcdma_gpio *gpio);
u64 zcdma_trigger_take(struct zcdma_gpio *gpio);

/* zcdma_dmabuf.c */
bool zcdma_fd_flags_valid(u32 fd_flags);

/* zcdma_debugfs.c */
void zcdma_debugfs_init(void);
void zcdma_debugfs_exit(void);
void zcdma_debugfs_add(struct zcdma_device *zdev);
void zcdma_debugfs_add_chan(struct zcdma_chan *chan);

#endif /* ZCDMA_CORE_H */
