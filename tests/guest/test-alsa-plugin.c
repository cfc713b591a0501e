// SPDX-License-Identifier: GPL-2.0-only
/*
 * test-alsa-plugin - the ALSA plugin as programs see it: constraints, states, positions, polling
 *
 * On the loudspeaker and the microphone of virt0, which a cable joins.
 *
 * usage: test-alsa-plugin [room playback|capture | rest NAME]
 *
 * With "room", plays or records where there is always room: for strace, which finds the calls
 * between the two writes to standard output. With "rest", plays a period and one frame, of 12 bytes,
 * to the PCM of that name.
 *
 * vm: --smp 1 --qemu '-icount shift=0,sleep=off'
 * timeout: 120
 */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <alsa/asoundlib.h>
#include <poll.h>
#include <stdbool.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define RATE		48000
#define PERIOD		480
#define PERIODS		8
#define BUFFER		(PERIOD * PERIODS)
#define SECOND		1000000000LL
#define SPEAKER		"rawzcdma:virt0,spk0"
#define MICROPHONE	"rawzcdma:virt0,mic0"

static int16_t samples[RATE];

/* Those that a test has open. */
static snd_pcm_t *opened[4];

static void close_pcm(snd_pcm_t *pcm)
{
	for (int i = 0; i < 4; i++)
		if (opened[i] == pcm)
			opened[i] = NULL;
	snd_pcm_close(pcm);
}

/* After a failure the channel is free for the next test. */
static int teardown(void **state)
{
	for (int i = 0; i < 4; i++)
		if (opened[i])
			close_pcm(opened[i]);
	return 0;
}

static long long now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * SECOND + ts.tv_nsec;
}

static void sleep_ns(long long ns)
{
	nanosleep(&(struct timespec) { .tv_sec = ns / SECOND, .tv_nsec = ns % SECOND }, NULL);
}

/* One channel of 16 bits, and a start that waits to be told. */
static snd_pcm_t *open_pcm(const char *name, int mode, snd_pcm_uframes_t buffer,
			   snd_pcm_uframes_t avail_min)
{
	snd_pcm_stream_t stream = strstr(name, "mic0") ? SND_PCM_STREAM_CAPTURE :
				  SND_PCM_STREAM_PLAYBACK;
	snd_pcm_hw_params_t *hw;
	snd_pcm_sw_params_t *sw;
	snd_pcm_t *pcm;

	snd_pcm_hw_params_alloca(&hw);
	snd_pcm_sw_params_alloca(&sw);
	assert_int_equal(snd_pcm_open(&pcm, name, stream, mode), 0);
	for (int i = 0; i < 4; i++) {
		if (opened[i])
			continue;
		opened[i] = pcm;
		break;
	}
	assert_true(snd_pcm_hw_params_any(pcm, hw) >= 0);
	assert_int_equal(snd_pcm_hw_params_set_access(pcm, hw, SND_PCM_ACCESS_RW_INTERLEAVED), 0);
	assert_int_equal(snd_pcm_hw_params_set_format(pcm, hw, SND_PCM_FORMAT_S16_LE), 0);
	assert_int_equal(snd_pcm_hw_params_set_channels(pcm, hw, 1), 0);
	assert_int_equal(snd_pcm_hw_params_set_rate(pcm, hw, RATE, 0), 0);
	assert_int_equal(snd_pcm_hw_params_set_period_size(pcm, hw, PERIOD, 0), 0);
	assert_int_equal(snd_pcm_hw_params_set_buffer_size(pcm, hw, buffer), 0);
	assert_int_equal(snd_pcm_hw_params(pcm, hw), 0);
	assert_int_equal(snd_pcm_sw_params_current(pcm, sw), 0);
	assert_int_equal(snd_pcm_sw_params_set_avail_min(pcm, sw, avail_min), 0);
	assert_int_equal(snd_pcm_sw_params_set_start_threshold(pcm, sw, 10 * buffer), 0);
	assert_int_equal(snd_pcm_sw_params(pcm, sw), 0);
	assert_int_equal(snd_pcm_state(pcm), SND_PCM_STATE_PREPARED);
	return pcm;
}

static void write_all(snd_pcm_t *pcm, const int16_t *from, snd_pcm_uframes_t frames)
{
	assert_int_equal(snd_pcm_writei(pcm, from, frames), frames);
}

/* What the program would be told by poll(); it asks alsa-lib what that means only if it is woken. */
static unsigned short poll_pcm(snd_pcm_t *pcm, int timeout_ms)
{
	struct pollfd pfds[4];
	unsigned short revents = 0;
	int num = snd_pcm_poll_descriptors_count(pcm);

	assert_in_range(num, 1, 4);
	assert_int_equal(snd_pcm_poll_descriptors(pcm, pfds, num), num);
	if (!poll(pfds, num, timeout_ms))
		return 0;
	assert_int_equal(snd_pcm_poll_descriptors_revents(pcm, pfds, num, &revents), 0);
	return revents;
}

static void fill_samples(void)
{
	for (int i = 0; i < RATE; i++)
		samples[i] = i % 30000 + 1;
}

/*
 * Read until @seconds of sound are there: @frames frames of @from, and zeros before and after them.
 * The recording has no gap, or snd_pcm_readi() would fail.
 */
static void expect_heard(snd_pcm_t *in, const int16_t *from, unsigned int frames)
{
	static int16_t heard[2 * RATE];
	unsigned int start = 0, num = 0;

	/* As much as makes sure that the microphone has come to it. */
	while (num < RATE / 2) {
		snd_pcm_sframes_t got = snd_pcm_readi(in, heard + num, PERIOD);

		assert_int_equal(got, PERIOD);
		num += got;
	}
	while (start < num && !heard[start])
		start++;
	assert_in_range(start, 0, num - frames);
	for (unsigned int i = 0; i < frames; i++)
		if (heard[start + i] != from[i])
			fail_msg("frame %u is %d, not %d", i, heard[start + i], from[i]);
	for (unsigned int i = start + frames; i < num; i++)
		assert_int_equal(heard[i], 0);
}

static snd_pcm_t *record(void)
{
	snd_pcm_t *in = open_pcm(MICROPHONE, 0, RATE, PERIOD);

	assert_int_equal(snd_pcm_start(in), 0);
	return in;
}

/* ---- Configuration ---- */

static int open_config(const char *text, snd_pcm_stream_t stream)
{
	snd_config_t *config;
	snd_pcm_t *pcm;
	int ret;

	assert_true(snd_config_update() >= 0);
	assert_true(snd_config_copy(&config, snd_config) >= 0);
	assert_true(snd_config_load_string(&config, text, 0) >= 0);
	ret = snd_pcm_open_lconf(&pcm, "x", stream, 0, config);
	snd_config_delete(config);
	if (!ret)
		snd_pcm_close(pcm);
	return ret;
}

static void test_mistakes_in_the_configuration(void **state)
{
	static const struct {
		const char *text;
		snd_pcm_stream_t stream;
		int result;
	} cases[] = {
		{ "pcm.x { type zcdma }", SND_PCM_STREAM_PLAYBACK, 0 },
		{ "pcm.x { type zcdma }", SND_PCM_STREAM_CAPTURE, 0 },
		{ "pcm.x { type zcdma device virt0 channel spk0 }", SND_PCM_STREAM_PLAYBACK, 0 },
		{ "pcm.x { type zcdma device \"/dev/zcdma/virt0/device\" comment nice hint.show on }",
		  SND_PCM_STREAM_PLAYBACK, 0 },
		{ "pcm.x { type zcdma devise virt0 }", SND_PCM_STREAM_PLAYBACK, -EINVAL },
		{ "pcm.x { type zcdma device 3 }", SND_PCM_STREAM_PLAYBACK, -EINVAL },
		{ "pcm.x { type zcdma device nosuch }", SND_PCM_STREAM_PLAYBACK, -ENODEV },
		{ "pcm.x { type zcdma device virt1 }", SND_PCM_STREAM_PLAYBACK, -ENOENT },
		{ "pcm.x { type zcdma channel nosuch }", SND_PCM_STREAM_PLAYBACK, -ENOENT },
		{ "pcm.x { type zcdma channel out0 }", SND_PCM_STREAM_PLAYBACK, -ENOENT },
		{ "pcm.x { type zcdma channel mic0 }", SND_PCM_STREAM_PLAYBACK, -ENOENT },
		{ "pcm.x { type zcdma channel spk0 }", SND_PCM_STREAM_CAPTURE, -ENOENT },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (open_config(cases[i].text, cases[i].stream) != cases[i].result)
			fail_msg("%s", cases[i].text);
}

static void test_constraints_are_the_channels(void **state)
{
	unsigned int min, max;
	snd_pcm_hw_params_t *hw;
	snd_pcm_t *pcm;
	int dir;

	snd_pcm_hw_params_alloca(&hw);
	assert_int_equal(snd_pcm_open(&pcm, SPEAKER, SND_PCM_STREAM_PLAYBACK, 0), 0);
	assert_true(snd_pcm_hw_params_any(pcm, hw) >= 0);
	for (int format = 0; format <= SND_PCM_FORMAT_LAST; format++) {
		bool has = format == SND_PCM_FORMAT_S16_LE || format == SND_PCM_FORMAT_S24_LE ||
			   format == SND_PCM_FORMAT_S32_LE || format == SND_PCM_FORMAT_FLOAT_LE;

		assert_int_equal(snd_pcm_hw_params_test_format(pcm, hw, format) == 0, has);
	}
	assert_int_equal(snd_pcm_hw_params_get_rate_min(hw, &min, &dir), 0);
	assert_int_equal(snd_pcm_hw_params_get_rate_max(hw, &max, &dir), 0);
	assert_int_equal(min, 8000);
	assert_int_equal(max, 192000);
	assert_int_equal(snd_pcm_hw_params_get_channels_min(hw, &min), 0);
	assert_int_equal(snd_pcm_hw_params_get_channels_max(hw, &max), 0);
	assert_int_equal(min, 1);
	assert_int_equal(max, 8);
	assert_int_equal(snd_pcm_hw_params_test_access(pcm, hw, SND_PCM_ACCESS_RW_NONINTERLEAVED),
			 -EINVAL);
	assert_int_equal(snd_pcm_hw_params_set_rate(pcm, hw, RATE, 0), 0);
	min = 1000;
	assert_int_equal(snd_pcm_hw_params_test_period_time(pcm, hw, 1000, 0), 0);
	assert_int_equal(snd_pcm_hw_params_test_period_time(pcm, hw, 1000000, 0), 0);
	snd_pcm_close(pcm);
}

static void test_channel_has_one_owner(void **state)
{
	snd_pcm_t *pcm = open_pcm(SPEAKER, 0, BUFFER, PERIOD), *other;

	assert_int_equal(snd_pcm_open(&other, SPEAKER, SND_PCM_STREAM_PLAYBACK, 0), -EBUSY);
	assert_int_equal(snd_pcm_hw_free(pcm), 0);
	assert_int_equal(snd_pcm_open(&other, SPEAKER, SND_PCM_STREAM_PLAYBACK, 0), 0);
	snd_pcm_close(other);
	close_pcm(pcm);
}

/* ---- Sound ---- */

static void test_pause_is_exact(void **state)
{
	snd_pcm_t *in = record(), *out = open_pcm(SPEAKER, 0, BUFFER, PERIOD);
	snd_pcm_sframes_t delay, later;

	write_all(out, samples, 3 * PERIOD + 100);
	assert_int_equal(snd_pcm_start(out), 0);
	assert_int_equal(snd_pcm_wait(out, 1000), 1);
	assert_int_equal(snd_pcm_pause(out, 1), 0);
	assert_int_equal(snd_pcm_state(out), SND_PCM_STATE_PAUSED);
	assert_int_equal(snd_pcm_delay(out, &delay), 0);
	sleep_ns(SECOND / 10);
	/* More can be written meanwhile. */
	write_all(out, samples + 3 * PERIOD + 100, PERIOD);
	assert_int_equal(snd_pcm_delay(out, &later), 0);
	assert_int_equal(later, delay + PERIOD);
	assert_int_equal(snd_pcm_pause(out, 0), 0);
	assert_int_equal(snd_pcm_state(out), SND_PCM_STATE_RUNNING);
	assert_int_equal(snd_pcm_drain(out), 0);
	assert_int_equal(snd_pcm_state(out), SND_PCM_STATE_SETUP);
	/* In two parts, with a tenth of a second between them. */
	{
		static int16_t heard[RATE / 2];
		int num = 0;

		for (int i = 0; i < RATE / 2; i += PERIOD)
			assert_int_equal(snd_pcm_readi(in, heard + i, PERIOD), PERIOD);
		for (int i = 0; i < RATE / 2; i++)
			if (heard[i] && heard[i] != samples[num++])
				fail_msg("frame %d is %d", num - 1, heard[i]);
		assert_int_equal(num, 4 * PERIOD + 100);
	}
	close_pcm(out);
	close_pcm(in);
}

/* Drain plays what is less than a period, too, and from a program that has not started. */
static void test_drain_plays_the_rest(void **state)
{
	static const unsigned int lengths[] = { 1, PERIOD - 1, PERIOD, PERIOD + 1, BUFFER - 1, BUFFER };
	snd_pcm_t *in = record(), *out = open_pcm(SPEAKER, 0, BUFFER, PERIOD);

	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		write_all(out, samples, lengths[i]);
		assert_int_equal(snd_pcm_drain(out), 0);
		expect_heard(in, samples, lengths[i]);
		assert_int_equal(snd_pcm_prepare(out), 0);
	}
	assert_int_equal(snd_pcm_drain(out), 0);
	close_pcm(out);
	close_pcm(in);
}

static void test_drain_without_waiting(void **state)
{
	snd_pcm_t *in = record(), *out = open_pcm(SPEAKER, SND_PCM_NONBLOCK, BUFFER, PERIOD);
	int rounds = 0, ret;

	write_all(out, samples, 3 * PERIOD + 10);
	while ((ret = snd_pcm_drain(out)) == -EAGAIN) {
		assert_int_equal(snd_pcm_state(out), SND_PCM_STATE_DRAINING);
		assert_int_equal(poll_pcm(out, 1000), POLLOUT);
		assert_in_range(++rounds, 1, 10);
	}
	assert_int_equal(ret, 0);
	assert_true(rounds > 1);
	expect_heard(in, samples, 3 * PERIOD + 10);
	close_pcm(out);
	close_pcm(in);
}

/* Neither what waited in the plugin, nor what the kernel had, nor what lay between the two. */
static void test_drop_is_the_end_of_it(void **state)
{
	snd_pcm_t *out = open_pcm(SPEAKER, 0, BUFFER, PERIOD), *in;

	write_all(out, samples, 2 * PERIOD);
	assert_int_equal(snd_pcm_drop(out), 0);
	assert_int_equal(snd_pcm_prepare(out), 0);
	write_all(out, samples + 10000, 3 * PERIOD);
	assert_int_equal(snd_pcm_start(out), 0);
	write_all(out, samples + 11000, 4 * PERIOD + 7);
	assert_int_equal(snd_pcm_drop(out), 0);
	assert_int_equal(snd_pcm_state(out), SND_PCM_STATE_SETUP);
	in = record();
	assert_int_equal(snd_pcm_prepare(out), 0);
	write_all(out, samples + 20000, BUFFER);
	assert_int_equal(snd_pcm_drain(out), 0);
	expect_heard(in, samples + 20000, BUFFER);
	close_pcm(out);
	close_pcm(in);
}

static void test_rewind_and_forward(void **state)
{
	snd_pcm_t *in = record(), *out = open_pcm(SPEAKER, 0, BUFFER, PERIOD);
	static int16_t expected[2 * PERIOD];

	memcpy(expected, samples, sizeof(expected));
	write_all(out, samples, PERIOD + 100);
	assert_int_equal(snd_pcm_rewind(out, 40), 40);
	write_all(out, samples + 20000, 40);
	memcpy(expected + PERIOD + 60, samples + 20000, 40 * sizeof(int16_t));
	assert_int_equal(snd_pcm_forward(out, 30), 30);
	memset(expected + PERIOD + 100, 0, 30 * sizeof(int16_t));
	write_all(out, samples + PERIOD + 130, PERIOD - 130);
	/* Back over what was handed over: that stays, and the rest is in its place. */
	assert_int_equal(snd_pcm_rewind(out, PERIOD), PERIOD);
	write_all(out, samples + 20000, PERIOD);
	assert_int_equal(snd_pcm_drain(out), 0);
	expect_heard(in, expected, 2 * PERIOD);
	close_pcm(out);
	close_pcm(in);
}

/* ---- Positions ---- */

/* The delay, and the times between which it was that. */
struct look {
	long long before;
	snd_pcm_sframes_t delay;
	long long after;
};

static struct look look_at(snd_pcm_t *pcm)
{
	struct look look = { .before = now() };

	assert_int_equal(snd_pcm_delay(pcm, &look.delay), 0);
	look.after = now();
	return look;
}

static void test_delay_is_exact(void **state)
{
	snd_pcm_t *out = open_pcm(SPEAKER, 0, BUFFER, PERIOD);
	struct look first, next;

	write_all(out, samples, BUFFER);
	assert_int_equal(look_at(out).delay, BUFFER);
	assert_int_equal(snd_pcm_start(out), 0);
	first = look_at(out);
	/* Within more than one period, and with a frame of rounding at either end. */
	do {
		long long played;

		next = look_at(out);
		played = first.delay - next.delay;
		if (played < (next.before - first.after) * RATE / SECOND - 1 ||
		    played > (next.after - first.before) * RATE / SECOND + 2)
			fail_msg("%lld frames in %lld ns", played, next.before - first.after);
	} while (next.after < first.before + SECOND / 40);
	close_pcm(out);
}

static void test_avail_goes_by_periods(void **state)
{
	snd_pcm_t *in = open_pcm(MICROPHONE, 0, BUFFER, PERIOD);
	int16_t data[PERIOD];

	assert_int_equal(snd_pcm_avail_update(in), 0);
	assert_int_equal(snd_pcm_start(in), 0);
	for (int i = 1; i <= 3; i++) {
		while (snd_pcm_avail(in) < i * PERIOD)
			sleep_ns(SECOND / 1000);
		assert_int_equal(snd_pcm_avail(in), i * PERIOD);
	}
	assert_int_equal(snd_pcm_readi(in, data, 100), 100);
	assert_int_equal(snd_pcm_avail_update(in), 3 * PERIOD - 100);
	close_pcm(in);
}

/* ---- Xruns ---- */

static void test_underrun_is_told_and_recovered_from(void **state)
{
	snd_pcm_t *in = record(), *out = open_pcm(SPEAKER, 0, BUFFER, PERIOD);

	write_all(out, samples, BUFFER);
	assert_int_equal(snd_pcm_start(out), 0);
	while (snd_pcm_avail_update(out) >= 0)
		sleep_ns(SECOND / 200);
	assert_int_equal(snd_pcm_state(out), SND_PCM_STATE_XRUN);
	assert_int_equal(snd_pcm_writei(out, samples, 1), -EPIPE);
	assert_int_equal(snd_pcm_avail_update(out), -EPIPE);
	assert_int_equal(snd_pcm_wait(out, 1000), -EPIPE);
	assert_int_equal(poll_pcm(out, 1000), POLLOUT | POLLERR);
	expect_heard(in, samples, BUFFER);
	assert_int_equal(snd_pcm_recover(out, -EPIPE, 1), 0);
	assert_int_equal(snd_pcm_state(out), SND_PCM_STATE_PREPARED);
	write_all(out, samples + 20000, PERIOD);
	assert_int_equal(snd_pcm_drain(out), 0);
	expect_heard(in, samples + 20000, PERIOD);
	close_pcm(out);
	close_pcm(in);
}

static void test_overrun_is_told_and_recovered_from(void **state)
{
	snd_pcm_t *in = open_pcm(MICROPHONE, 0, BUFFER, PERIOD);
	int16_t data[PERIOD];

	assert_int_equal(snd_pcm_start(in), 0);
	assert_int_equal(snd_pcm_readi(in, data, PERIOD), PERIOD);
	sleep_ns(2 * BUFFER * SECOND / RATE);
	assert_int_equal(snd_pcm_readi(in, data, PERIOD), -EPIPE);
	assert_int_equal(snd_pcm_state(in), SND_PCM_STATE_XRUN);
	assert_int_equal(snd_pcm_prepare(in), 0);
	assert_int_equal(snd_pcm_start(in), 0);
	assert_int_equal(snd_pcm_readi(in, data, PERIOD), PERIOD);
	close_pcm(in);
}

/* ---- The end of the device ---- */

static void unbind_and_bind(const char *what)
{
	char command[128];

	snprintf(command, sizeof(command), "echo dma-board-0 >/sys/bus/platform/drivers/zcdma-virt/%s",
		 what);
	assert_int_equal(system(command), 0);
}

static void test_device_that_is_gone(void **state)
{
	snd_pcm_t *out = open_pcm(SPEAKER, 0, BUFFER, PERIOD), *in = record();
	snd_pcm_sframes_t delay, ret;
	pid_t child;

	write_all(out, samples, BUFFER);
	assert_int_equal(snd_pcm_start(out), 0);
	child = fork();
	assert_true(child >= 0);
	if (!child) {
		unbind_and_bind("unbind");
		_exit(0);
	}
	while ((ret = snd_pcm_writei(out, samples, PERIOD)) == PERIOD)
		;
	assert_int_equal(waitpid(child, NULL, 0), child);
	assert_int_equal(ret, -ENODEV);
	assert_int_equal(snd_pcm_state(out), SND_PCM_STATE_DISCONNECTED);
	assert_int_equal(snd_pcm_writei(out, samples, 1), -ENODEV);
	assert_int_equal(snd_pcm_delay(out, &delay), -ENODEV);
	assert_int_equal(poll_pcm(out, 1000), POLLOUT | POLLERR);
	assert_true(snd_pcm_prepare(out) < 0);
	/* Nobody has looked at the other one since. */
	assert_int_equal(poll_pcm(in, 1000), POLLIN | POLLERR);
	assert_int_equal(snd_pcm_state(in), SND_PCM_STATE_DISCONNECTED);
	close_pcm(out);
	close_pcm(in);
	unbind_and_bind("bind");
	assert_int_equal(system("udevadm settle"), 0);
}

/* ---- Polling ---- */

static void test_poll_says_what_there_is(void **state)
{
	snd_pcm_t *out = open_pcm(SPEAKER, SND_PCM_NONBLOCK, BUFFER, PERIOD);

	assert_int_equal(poll_pcm(out, 0), POLLOUT);
	write_all(out, samples, BUFFER - PERIOD);
	assert_int_equal(poll_pcm(out, 0), POLLOUT);
	write_all(out, samples, 1);
	assert_int_equal(poll_pcm(out, 0), 0);
	write_all(out, samples, PERIOD - 1);
	assert_int_equal(poll_pcm(out, 0), 0);
	assert_int_equal(snd_pcm_start(out), 0);
	assert_int_equal(snd_pcm_writei(out, samples, 1), -EAGAIN);
	assert_int_equal(poll_pcm(out, 0), 0);
	for (int i = 0; i < 20; i++) {
		assert_int_equal(poll_pcm(out, 1000), POLLOUT);
		assert_int_equal(snd_pcm_avail_update(out), PERIOD);
		/* Less than that, and there is still a reason to come back; then there is none. */
		write_all(out, samples, PERIOD - 1);
		assert_int_equal(poll_pcm(out, 0), 0);
		write_all(out, samples, 1);
	}
	assert_int_equal(snd_pcm_drop(out), 0);
	assert_int_equal(poll_pcm(out, 0) & POLLERR, POLLERR);
	close_pcm(out);
}

/* Half the buffer at a time: nobody is woken for less, but for at most a look at each period. */
static void test_avail_min_of_several_periods(void **state)
{
	snd_pcm_t *out = open_pcm(SPEAKER, 0, BUFFER, 4 * PERIOD);
	int looks = 0;

	write_all(out, samples, BUFFER);
	assert_int_equal(snd_pcm_start(out), 0);
	for (int i = 0; i < 5; i++) {
		while (!poll_pcm(out, 1000))
			assert_in_range(++looks, 0, 4 * (i + 1));
		assert_int_equal(snd_pcm_avail_update(out), 4 * PERIOD);
		write_all(out, samples, 4 * PERIOD);
	}
	close_pcm(out);
}

/* ---- For strace ---- */

static int room(bool plays)
{
	snd_pcm_t *pcm = open_pcm(plays ? SPEAKER : MICROPHONE, 0, 2 * BUFFER, PERIOD);
	long long next;

	if (plays)
		write_all(pcm, samples, BUFFER);
	assert_int_equal(snd_pcm_start(pcm), 0);
	next = now() + PERIOD * SECOND / RATE * 9 / 2;
	for (int i = -2; i < 50; i++) {
		struct timespec ts = { .tv_sec = next / SECOND, .tv_nsec = next % SECOND };

		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL);
		if (!i && write(1, "begin\n", 6) != 6)
			return 1;
		if (plays)
			write_all(pcm, samples, PERIOD);
		else
			assert_int_equal(snd_pcm_readi(pcm, samples, PERIOD), PERIOD);
		next += PERIOD * SECOND / RATE;
	}
	if (write(1, "end\n", 4) != 4)
		return 1;
	snd_pcm_close(pcm);
	return 0;
}

/* ---- For test-dt ---- */

static int rest(const char *name)
{
	snd_pcm_t *pcm;

	assert_int_equal(snd_pcm_open(&pcm, name, SND_PCM_STREAM_PLAYBACK, 0), 0);
	assert_int_equal(snd_pcm_set_params(pcm, SND_PCM_FORMAT_S16_LE,
					    SND_PCM_ACCESS_RW_INTERLEAVED, 6, RATE, 0,
					    4 * PERIOD * 1000 / (RATE / 1000)), 0);
	write_all(pcm, samples, PERIOD + 1);
	assert_int_equal(snd_pcm_drain(pcm), 0);
	snd_pcm_close(pcm);
	return 0;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_mistakes_in_the_configuration, teardown),
		cmocka_unit_test_teardown(test_constraints_are_the_channels, teardown),
		cmocka_unit_test_teardown(test_channel_has_one_owner, teardown),
		cmocka_unit_test_teardown(test_pause_is_exact, teardown),
		cmocka_unit_test_teardown(test_drain_plays_the_rest, teardown),
		cmocka_unit_test_teardown(test_drain_without_waiting, teardown),
		cmocka_unit_test_teardown(test_drop_is_the_end_of_it, teardown),
		cmocka_unit_test_teardown(test_rewind_and_forward, teardown),
		cmocka_unit_test_teardown(test_delay_is_exact, teardown),
		cmocka_unit_test_teardown(test_avail_goes_by_periods, teardown),
		cmocka_unit_test_teardown(test_underrun_is_told_and_recovered_from, teardown),
		cmocka_unit_test_teardown(test_overrun_is_told_and_recovered_from, teardown),
		cmocka_unit_test_teardown(test_device_that_is_gone, teardown),
		cmocka_unit_test_teardown(test_poll_says_what_there_is, teardown),
		cmocka_unit_test_teardown(test_avail_min_of_several_periods, teardown),
	};

	fill_samples();
	if (argc == 3 && !strcmp(argv[1], "rest"))
		return rest(argv[2]);
	if (argc == 3)
		return room(!strcmp(argv[2], "playback"));
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
