// SPDX-License-Identifier: GPL-2.0-only
/*
 * test-dmabuf-sync - DMA_BUF_IOCTL_SYNC passes the bytes between CPU and device, both ways, and
 * never loses what either of them wrote
 *
 * With swiotlb=force the CPU and each device that has a buffer mapped see different memory, and a
 * sync is a copy. virt1 has no memory-region, so its cached buffers are pages, which bounce. What a
 * device wrote shows in a frame of the camera; what a device read, on the display, which the camera
 * looks at.
 *
 * vm: --append swiotlb=force
 */
#define _GNU_SOURCE
#include "zcv.h"
#include "zct.h"

static struct zcv cam, out;
static int dev;
static uint64_t before;
static int fd = -1;
static uint8_t *map;
static size_t size;

static int setup(void **state)
{
	zcv_device = "virt1";
	dev = zct_open(zcv_device);
	if (dev < 0)
		return -1;
	before = zct_used(dev);
	return 0;
}

static void let_go(void)
{
	if (map)
		munmap(map, size);
	map = NULL;
	if (fd >= 0)
		close(fd);
	fd = -1;
}

static int teardown(void **state)
{
	uint64_t after;

	let_go();
	zcv_teardown(state);
	after = zct_used(dev);
	close(dev);
	return after == before ? 0 : -1;
}

static void map_dmabuf(void)
{
	assert_true(fd >= 0);
	size = lseek(fd, 0, SEEK_END);
	map = zct_map(fd, size);
	assert_non_null(map);
}

static void open_node(struct zcv *v, const char *chan)
{
	zcv_open(v, chan);
	zcv_format(v, V4L2_PIX_FMT_GREY, 256, 128);
}

/* A buffer of the node's own, seen through a dma-buf. */
static void use_own_buffer(struct zcv *v)
{
	zcv_alloc(v, V4L2_MEMORY_MMAP, 2, V4L2_MEMORY_FLAG_NON_COHERENT);
	fd = zcv_export(v, 0, O_RDWR | O_CLOEXEC);
	map_dmabuf();
	zcv_on(v);
}

/* A buffer of /dev/zcdmaN, which the node imports. */
static void use_imported_buffer(struct zcv *v)
{
	zcv_alloc(v, V4L2_MEMORY_DMABUF, 2, 0);
	fd = zct_alloc(dev, v->pix.sizeimage, ZCDMA_BUFFER_CACHED);
	map_dmabuf();
	zcv_on(v);
}

/* One transfer of the buffer, with V4L2 told not to sync it before, or after. */
static struct v4l2_buffer transfer(struct zcv *v, __u32 hints)
{
	struct v4l2_buffer b = zcv_buffer(v, 0);

	b.flags = hints;
	b.bytesused = v->pix.sizeimage;
	if (v->memory == V4L2_MEMORY_DMABUF)
		b.m.fd = fd;
	zcv_ioctl(v->fd, VIDIOC_QBUF, &b);
	return zcv_dequeue(v);
}

#define NO_SYNC (V4L2_BUF_FLAG_NO_CACHE_CLEAN | V4L2_BUF_FLAG_NO_CACHE_INVALIDATE)

/* The camera's view of the display, where the buffer is the display's. */
static void look_at_display(void)
{
	open_node(&cam, "cam0");
	zcv_alloc(&cam, V4L2_MEMORY_MMAP, 2, 0);
	zcv_on(&cam);
}

/* Put the buffer out; whether the device has read what zct_fill() wrote. */
static bool display_shows(uint32_t seed, __u32 hints)
{
	transfer(&out, hints);
	/* Of what it has read, the display keeps a copy, and shows it from now on. */
	transfer(&cam, 0);
	return zct_holds(cam.map[0], cam.pix.sizeimage, seed);
}

static void start_access(uint64_t direction)
{
	assert_int_equal(zct_sync(fd, DMA_BUF_SYNC_START | direction), 0);
}

static void end_access(uint64_t direction)
{
	assert_int_equal(zct_sync(fd, DMA_BUF_SYNC_END | direction), 0);
}

static void write_seed(uint32_t seed)
{
	start_access(DMA_BUF_SYNC_WRITE);
	zct_fill(map, size, seed);
	end_access(DMA_BUF_SYNC_WRITE);
}

static void test_dmabuf_sync_start_shows_what_the_device_wrote(void **state)
{
	const uint64_t directions[] = { DMA_BUF_SYNC_READ, DMA_BUF_SYNC_WRITE, DMA_BUF_SYNC_RW };
	struct v4l2_buffer b;

	open_node(&cam, "cam0");
	zcv_control(&cam, ZCDMA_V4L2_CID_STAMPS, 1);
	use_own_buffer(&cam);
	for (size_t i = 0; i < sizeof(directions) / sizeof(directions[0]); i++) {
		write_seed(60);
		b = transfer(&cam, NO_SYNC);
		/* Still the CPU's own; or nothing is shown by what follows. */
		assert_true(zct_holds(map, size, 60));
		start_access(directions[i]);
		zcv_check_stamps(map, b.bytesused, b.sequence);
		end_access(directions[i]);
	}
}

static void test_dmabuf_sync_end_shows_the_device_what_the_cpu_wrote(void **state)
{
	const uint64_t directions[] = { DMA_BUF_SYNC_WRITE, DMA_BUF_SYNC_RW };

	open_node(&out, "out0");
	use_own_buffer(&out);
	look_at_display();
	for (size_t i = 0; i < sizeof(directions) / sizeof(directions[0]); i++) {
		start_access(directions[i]);
		zct_fill(map, size, 61 + i);
		end_access(directions[i]);
		/* Of this the device does not know. */
		memset(map, 0x5a, size);
		assert_true(display_shows(61 + i, NO_SYNC));
	}
}

/* Who has only read has nothing to hand over: neither a copy nor cache maintenance. */
static void test_dmabuf_sync_end_of_reading_leaves_the_device_alone(void **state)
{
	open_node(&out, "out0");
	use_own_buffer(&out);
	look_at_display();
	write_seed(63);
	start_access(DMA_BUF_SYNC_READ);
	memset(map, 0x5a, size);
	end_access(DMA_BUF_SYNC_READ);
	assert_true(display_shows(63, NO_SYNC));
}

/* An overlay drawn on a frame, read by the next program in line. */
static void test_dmabuf_sync_keeps_what_was_drawn_on_a_frame(void **state)
{
	open_node(&cam, "cam0");
	use_own_buffer(&cam);
	transfer(&cam, 0);
	write_seed(64);
	start_access(DMA_BUF_SYNC_READ);
	assert_true(zct_holds(map, size, 64));
	end_access(DMA_BUF_SYNC_READ);
}

/* Two programs with different parts of one buffer. */
static void test_dmabuf_sync_start_keeps_what_another_is_writing(void **state)
{
	fd = zct_alloc(dev, 8 * ZCT_PAGE, ZCDMA_BUFFER_CACHED);
	map_dmabuf();
	start_access(DMA_BUF_SYNC_WRITE);
	zct_fill(map, size, 65);
	start_access(DMA_BUF_SYNC_READ);
	assert_true(zct_holds(map, size, 65));
	end_access(DMA_BUF_SYNC_READ);
	assert_true(zct_holds(map, size, 65));
	end_access(DMA_BUF_SYNC_WRITE);
	start_access(DMA_BUF_SYNC_READ);
	assert_true(zct_holds(map, size, 65));
	end_access(DMA_BUF_SYNC_READ);
}

static void test_dmabuf_sync_shows_what_an_importer_wrote(void **state)
{
	open_node(&cam, "cam0");
	zcv_control(&cam, ZCDMA_V4L2_CID_STAMPS, 1);
	use_imported_buffer(&cam);
	for (int i = 0; i < 3; i++) {
		struct v4l2_buffer b;

		write_seed(66);
		b = transfer(&cam, NO_SYNC);
		start_access(DMA_BUF_SYNC_READ);
		zcv_check_stamps(map, b.bytesused, b.sequence);
		end_access(DMA_BUF_SYNC_READ);
	}
}

static void test_dmabuf_sync_shows_an_importer_what_the_cpu_wrote(void **state)
{
	open_node(&out, "out0");
	use_imported_buffer(&out);
	look_at_display();
	for (uint32_t seed = 67; seed < 70; seed++) {
		write_seed(seed);
		assert_true(display_shows(seed, NO_SYNC));
		/* The display has only read. */
		start_access(DMA_BUF_SYNC_READ);
		assert_true(zct_holds(map, size, seed));
		end_access(DMA_BUF_SYNC_READ);
	}
}

/* The frame is in the buffer, and stays, when the camera is closed. */
static void test_dmabuf_sync_keeps_the_frame_of_an_importer_that_left(void **state)
{
	struct v4l2_buffer b;

	open_node(&cam, "cam0");
	zcv_control(&cam, ZCDMA_V4L2_CID_STAMPS, 1);
	use_imported_buffer(&cam);
	b = transfer(&cam, 0);
	zcv_close(&cam);
	zcv_check_stamps(map, b.bytesused, b.sequence);
	start_access(DMA_BUF_SYNC_READ);
	zcv_check_stamps(map, b.bytesused, b.sequence);
	end_access(DMA_BUF_SYNC_READ);
}

static void test_dmabuf_sync_keeps_what_was_drawn_on_an_importers_frame(void **state)
{
	open_node(&cam, "cam0");
	use_imported_buffer(&cam);
	transfer(&cam, 0);
	write_seed(70);
	start_access(DMA_BUF_SYNC_READ);
	assert_true(zct_holds(map, size, 70));
	end_access(DMA_BUF_SYNC_READ);
}

/* More than the bounce buffers hold is no memory, like any other lack of it. */
static void test_buffer_larger_than_the_bounce_buffers_is_no_memory(void **state)
{
	FILE *f = fopen("/sys/kernel/debug/swiotlb/io_tlb_nslabs", "r");
	unsigned long slots = 0;
	char message[512] = "";
	int log;

	assert_non_null(f);
	assert_int_equal(fscanf(f, "%lu", &slots), 1);
	fclose(f);
	assert_true(slots);
	/* A slot is 2 KiB. */
	log = zct_open_log();
	assert_int_equal(zct_alloc(dev, slots << 12, ZCDMA_BUFFER_CACHED), -ENOMEM);
	/* The remedy is the right one: there is memory, but none to bounce it through. */
	assert_true(zct_read_log(log, message, sizeof(message)) > 0);
	assert_non_null(strstr(message, "no room for a buffer"));
	assert_non_null(strstr(message, "swiotlb="));
	assert_null(strstr(message, "cma="));
	close(log);
	assert_int_equal(zct_used(dev), before);
	fd = zct_alloc(dev, slots << 9, ZCDMA_BUFFER_CACHED);
	assert_true(fd >= 0);
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(test_dmabuf_sync_start_shows_what_the_device_wrote),
		CASE(test_dmabuf_sync_end_shows_the_device_what_the_cpu_wrote),
		CASE(test_dmabuf_sync_end_of_reading_leaves_the_device_alone),
		CASE(test_dmabuf_sync_keeps_what_was_drawn_on_a_frame),
		CASE(test_dmabuf_sync_start_keeps_what_another_is_writing),
		CASE(test_dmabuf_sync_shows_what_an_importer_wrote),
		CASE(test_dmabuf_sync_shows_an_importer_what_the_cpu_wrote),
		CASE(test_dmabuf_sync_keeps_the_frame_of_an_importer_that_left),
		CASE(test_dmabuf_sync_keeps_what_was_drawn_on_an_importers_frame),
		CASE(test_buffer_larger_than_the_bounce_buffers_is_no_memory),
	};

	return cmocka_run_group_tests_name("dmabuf-sync", tests, NULL, NULL);
}
