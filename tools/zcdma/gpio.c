// SPDX-License-Identifier: GPL-2.0-only
/*
 * gpio.c - zcdma strobe and zcdma trigger: show their settings, change them, try them
 */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "tool.h"

#define ARRAY_SIZE(x)	(sizeof(x) / sizeof((x)[0]))

/* ---- Words and times ---- */

static const char * const strobe_modes[] = { "off", "exposure", "fixed" };
static const char * const trigger_modes[] = { "off", "on" };
static const char * const trigger_sources[] = { "software", "line", "timer" };
static const char * const trigger_activations[] = { "rising", "falling", "both" };
static const char * const no_yes[] = { "no", "yes" };

static const struct {
	const char *name;
	double ns;
} units[] = { { "ns", 1 }, { "us", 1e3 }, { "ms", 1e6 }, { "s", 1e9 } };

#define WORD(words, value)	word_of(words, ARRAY_SIZE(words), value)
#define PARSE_WORD(option, words, value) \
	parse_word(option, optarg, words, ARRAY_SIZE(words), value)

static const char *word_of(const char * const *words, size_t num, uint32_t value)
{
	return value < num ? words[value] : "unknown";
}

/* One of some words; false: it is none, and the user knows. */
static bool parse_word(const char *option, const char *text, const char * const *words, size_t num,
		       uint32_t *value)
{
	char list[64] = "";

	for (size_t i = 0; i < num; i++) {
		if (!strcmp(text, words[i])) {
			*value = (uint32_t)i;
			return true;
		}
		snprintf(list + strlen(list), sizeof(list) - strlen(list), "%s%s",
			 !i ? "" : i + 1 < num ? ", " : " or ", words[i]);
	}
	usage("%s is \"%s\": must be %s", option, text, list);
	return false;
}

/* "1.5 ms"; in one of several static buffers. */
static const char *time_name(uint64_t ns)
{
	static char names[4][32];
	static unsigned int next;
	char *name = names[next++ % ARRAY_SIZE(names)];
	size_t unit = 0;

	while (unit + 1 < ARRAY_SIZE(units) && (double)ns >= units[unit + 1].ns)
		unit++;
	snprintf(name, sizeof(names[0]), "%.12g %s", (double)ns / units[unit].ns, units[unit].name);
	return name;
}

/* A number with a unit, in [@min, @max] ns; false: it is none, and the user knows. */
static bool parse_time(const char *option, const char *text, uint64_t min, uint64_t max, __u64 *ns)
{
	char *end;
	double value = strtod(text, &end);

	for (size_t i = 0; i < ARRAY_SIZE(units) && end != text; i++) {
		double result = value * units[i].ns + 0.5;

		if (strcmp(end, units[i].name) || !(result >= (double)min && result < (double)max + 1))
			continue;
		*ns = (__u64)result;
		return true;
	}
	usage("%s is \"%s\": must be a time from %s to %s, such as 500us or 1.5ms", option, text,
	      time_name(min), time_name(max));
	return false;
}

/* ---- Devices ---- */

/* The one named on the command line, or the first one; the name of a channel will do. */
static int open_device(int argc, char **argv, struct zcdma_device **device, const char **name)
{
	static char only[2 * ZCDMA_NAME_LEN];
	int ret;

	if (argc - optind > 1)
		return usage("one device at a time");
	*name = argv[optind];
	if (*name && **name != '/') {
		snprintf(only, sizeof(only), "%.*s", (int)strcspn(*name, "/"), *name);
		*name = only;
	}
	ret = zcdma_device_open(device, *name);
	if (ret)
		return complain_channel("open", *name ? *name : "the first device", ret);
	if (!*name) {
		struct zcdma_device_info info;

		ret = zcdma_device_get_info(*device, &info);
		if (ret) {
			zcdma_device_close(*device);
			return complain_channel("ask", "the first device", ret);
		}
		snprintf(only, sizeof(only), "%s", info.name);
		*name = only;
	}
	return 0;
}

/* @remedy: what to do about @error, or NULL. */
static int fail(const char *what, const char *name, int error, const char *remedy)
{
	if (!remedy)
		return complain_channel(what, name, error);
	complain("cannot %s %s: %s", what, name, remedy);
	return EXIT_FAILED;
}

/* ---- zcdma strobe ---- */

struct strobe_options {
	struct zcdma_strobe set;
	bool mode, inverted, delay, duration, pulse;
	__u64 pulse_ns;
};

static int strobe_option(struct strobe_options *o, int option)
{
	bool ok;

	switch (option) {
	case 'm':
		ok = o->mode = PARSE_WORD("--mode", strobe_modes, &o->set.mode);
		break;
	case 'i':
		ok = o->inverted = PARSE_WORD("--inverted", no_yes, &o->set.inverted);
		break;
	case 'd':
		ok = o->delay = parse_time("--delay", optarg, 0, ZCDMA_STROBE_DELAY_MAX_NS,
					   &o->set.delay_ns);
		break;
	case 't':
		/* The device's own limit is shorter. */
		ok = o->duration = parse_time("--duration", optarg, ZCDMA_STROBE_DURATION_MIN_NS,
					      10000000000ULL, &o->set.duration_ns);
		break;
	case 'p':
		ok = o->pulse = parse_time("--pulse", optarg, 0, 10000000000ULL, &o->pulse_ns);
		break;
	case 'h':
		exit(print_help());
	default:
		ok = false;
	}
	return ok ? 0 : EXIT_USAGE;
}

static int show_strobe(struct zcdma_device *device, const char *name, const struct zcdma_strobe *s)
{
	struct zcdma_gpio_state state;
	int ret = zcdma_device_get_gpio_state(device, &state);

	if (ret)
		return complain_channel("ask", name, ret);
	printf("%s  strobe\n", name);
	printf("  mode         %s\n", WORD(strobe_modes, s->mode));
	printf("  delay        %s\n", time_name(s->delay_ns));
	printf("  duration     %s, in mode fixed\n", time_name(s->duration_ns));
	printf("  limit        %s\n", time_name(s->limit_ns));
	printf("  inverted     %s\n", WORD(no_yes, s->inverted));
	printf("  line         %s, written %s\n",
	       state.flags & ZCDMA_GPIO_STROBE_ACTIVE ? "active" : "inactive",
	       state.flags & ZCDMA_GPIO_STROBE_MAPPED ? "straight to its register" : "through gpiolib");
	printf("  pulses       %llu, %llu missed, %llu cut by the limit\n",
	       (unsigned long long)state.strobes, (unsigned long long)state.strobes_missed,
	       (unsigned long long)state.strobes_cut);
	return 0;
}

static int run_strobe(struct zcdma_device *device, const char *name, const struct strobe_options *o)
{
	struct zcdma_strobe set;
	char range[128];
	int ret = zcdma_device_get_strobe(device, &set);

	if (ret)
		return fail("find a strobe on", name, ret, ret == -ENOTSUP ?
			    "its device-tree node has no strobe-gpios; see dts/bindings/zcdma,gpio.yaml" :
			    NULL);
	if (!o->mode && !o->inverted && !o->delay && !o->duration && !o->pulse)
		return show_strobe(device, name, &set);

	snprintf(range, sizeof(range),
		 "a pulse is %s to %s long (zcdma,strobe-max-us in its device-tree node)",
		 time_name(ZCDMA_STROBE_DURATION_MIN_NS), time_name(set.limit_ns));
	set.mode = o->mode ? o->set.mode : set.mode;
	set.inverted = o->inverted ? o->set.inverted : set.inverted;
	set.delay_ns = o->delay ? o->set.delay_ns : set.delay_ns;
	set.duration_ns = o->duration ? o->set.duration_ns : set.duration_ns;
	if (o->mode || o->inverted || o->delay || o->duration)
		ret = zcdma_device_set_strobe(device, &set);
	if (ret)
		return fail("set the strobe of", name, ret, ret == -ERANGE ? range : NULL);
	if (o->pulse)
		ret = zcdma_device_pulse_strobe(device, o->pulse_ns);
	if (ret)
		return fail("pulse the strobe of", name, ret,
			    ret == -ERANGE ? range : ret == -EBUSY ?
			    "a pulse is under way, or frames are being lit; wait, or --pulse 0s, or --mode off" :
			    NULL);
	return 0;
}

int cmd_strobe(int argc, char **argv)
{
	static const struct option long_options[] = {
		{ "mode", required_argument, NULL, 'm' },
		{ "delay", required_argument, NULL, 'd' },
		{ "duration", required_argument, NULL, 't' },
		{ "inverted", required_argument, NULL, 'i' },
		{ "pulse", required_argument, NULL, 'p' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 }
	};
	struct strobe_options o = { .mode = false };
	struct zcdma_device *device;
	const char *name;
	int option, ret;

	while ((option = getopt_long(argc, argv, "m:d:t:i:p:h", long_options, NULL)) != -1) {
		ret = strobe_option(&o, option);
		if (ret)
			return ret;
	}
	ret = open_device(argc, argv, &device, &name);
	if (ret)
		return ret;
	ret = run_strobe(device, name, &o);
	zcdma_device_close(device);
	return ret;
}

/* ---- zcdma trigger ---- */

struct trigger_options {
	struct zcdma_trigger set;
	bool mode, source, activation, divider, delay, period, fire, watch;
	long long count;
};

static int trigger_option(struct trigger_options *o, int option)
{
	long long value;
	bool ok;

	switch (option) {
	case 'm':
		ok = o->mode = PARSE_WORD("--mode", trigger_modes, &o->set.mode);
		break;
	case 's':
		ok = o->source = PARSE_WORD("--source", trigger_sources, &o->set.source);
		break;
	case 'a':
		ok = o->activation = PARSE_WORD("--activation", trigger_activations, &o->set.activation);
		break;
	case 'v':
		ok = o->divider = parse_number("--divider", optarg, 1, ZCDMA_TRIGGER_DIVIDER_MAX, &value);
		o->set.divider = (uint32_t)value;
		break;
	case 'd':
		ok = o->delay = parse_time("--delay", optarg, 0, ZCDMA_TRIGGER_DELAY_MAX_NS,
					   &o->set.delay_ns);
		break;
	case 't':
		ok = o->period = parse_time("--period", optarg, ZCDMA_TRIGGER_PERIOD_MIN_NS,
					    ZCDMA_TRIGGER_PERIOD_MAX_NS, &o->set.period_ns);
		break;
	case 'n':
		ok = parse_number("--count", optarg, 1, INT32_MAX, &o->count);
		break;
	case 'f':
		ok = o->fire = true;
		break;
	case 'w':
		ok = o->watch = true;
		break;
	case 'h':
		exit(print_help());
	default:
		ok = false;
	}
	return ok ? 0 : EXIT_USAGE;
}

static int show_trigger(struct zcdma_device *device, const char *name, const struct zcdma_trigger *t)
{
	struct zcdma_device_info info;
	struct zcdma_gpio_state state;
	int ret = zcdma_device_get_gpio_state(device, &state);

	if (!ret)
		ret = zcdma_device_get_info(device, &info);
	if (ret)
		return complain_channel("ask", name, ret);
	printf("%s  trigger\n", name);
	printf("  mode         %s\n", WORD(trigger_modes, t->mode));
	printf("  source       %s\n", WORD(trigger_sources, t->source));
	printf("  activation   %s, of the line\n", WORD(trigger_activations, t->activation));
	printf("  divider      %u\n", t->divider);
	printf("  delay        %s\n", time_name(t->delay_ns));
	printf("  period       %s, of the timer\n", time_name(t->period_ns));
	printf("  line         %s\n", !(info.features & ZCDMA_FEATURE_TRIGGER_LINE) ? "none" :
	       state.flags & ZCDMA_GPIO_TRIGGER_ACTIVE ? "active" : "inactive");
	printf("  triggers     %llu, %llu missed\n", (unsigned long long)state.triggers,
	       (unsigned long long)state.triggers_missed);
	return 0;
}

/* A line for each time that there were triggers. */
static int watch(struct zcdma_device *device, const char *name, long long count)
{
	struct zcdma_gpio_state state;
	struct zcdma_gpio *gpio;
	uint64_t last_ns = 0;
	int ret;

	ret = zcdma_device_open_gpio(device, &gpio);
	if (ret)
		return complain_channel("watch", name, ret);
	catch_interrupt();
	printf("%10s %10s %18s\n", "triggers", "missed", "since the last, ms");
	fflush(stdout);
	while (count && wait_readable(zcdma_gpio_fd(gpio))) {
		ret = zcdma_gpio_get_state(gpio, &state);
		if (ret) {
			ret = complain_channel("watch", name, ret);
			break;
		}
		printf("%10llu %10llu ", (unsigned long long)state.triggers,
		       (unsigned long long)state.triggers_missed);
		if (last_ns)
			printf("%18.3f\n", (double)(state.trigger_ns - last_ns) / 1e6);
		else
			printf("%18s\n", "-");
		fflush(stdout);
		last_ns = state.trigger_ns;
		count -= count > 0;
	}
	zcdma_gpio_close(gpio);
	return ret;
}

static int fire(struct zcdma_device *device, const char *name)
{
	int ret = zcdma_device_software_trigger(device);
	const char *remedy = NULL;

	if (!ret)
		return 0;
	switch (-ret) {
	case EINVAL:
		remedy = "its trigger is off, or has another source; first --mode on --source software";
		break;
	case EAGAIN:
		remedy = "nobody captures; start a program that does, such as zcdma capture";
		break;
	case EBUSY:
		remedy = "a frame is still being exposed, the trigger is missed; leave more time between them";
		break;
	}
	return fail("trigger", name, ret, remedy);
}

static int run_trigger(struct zcdma_device *device, const char *name, const struct trigger_options *o)
{
	bool change = o->mode || o->source || o->activation || o->divider || o->delay || o->period;
	struct zcdma_trigger set;
	int ret = zcdma_device_get_trigger(device, &set);

	if (ret)
		return fail("find a trigger on", name, ret, ret == -ENOTSUP ?
			    "the hardware behind it cannot be triggered" : NULL);
	if (!change && !o->fire && !o->watch)
		return show_trigger(device, name, &set);

	set.mode = o->mode ? o->set.mode : set.mode;
	set.source = o->source ? o->set.source : set.source;
	set.activation = o->activation ? o->set.activation : set.activation;
	set.divider = o->divider ? o->set.divider : set.divider;
	set.delay_ns = o->delay ? o->set.delay_ns : set.delay_ns;
	set.period_ns = o->period ? o->set.period_ns : set.period_ns;
	if (change)
		ret = zcdma_device_set_trigger(device, &set);
	if (ret)
		return fail("set the trigger of", name, ret, ret == -ENOTSUP ?
			    "it has no trigger line; its device-tree node needs trigger-gpios, see dts/bindings/zcdma,gpio.yaml" :
			    NULL);
	if (o->fire)
		ret = fire(device, name);
	return !ret && o->watch ? watch(device, name, o->count) : ret;
}

int cmd_trigger(int argc, char **argv)
{
	static const struct option long_options[] = {
		{ "mode", required_argument, NULL, 'm' },
		{ "source", required_argument, NULL, 's' },
		{ "activation", required_argument, NULL, 'a' },
		{ "divider", required_argument, NULL, 'v' },
		{ "delay", required_argument, NULL, 'd' },
		{ "period", required_argument, NULL, 't' },
		{ "fire", no_argument, NULL, 'f' },
		{ "watch", no_argument, NULL, 'w' },
		{ "count", required_argument, NULL, 'n' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 }
	};
	struct trigger_options o = { .count = -1 };
	struct zcdma_device *device;
	const char *name;
	int option, ret;

	while ((option = getopt_long(argc, argv, "m:s:a:v:d:t:fwn:h", long_options, NULL)) != -1) {
		ret = trigger_option(&o, option);
		if (ret)
			return ret;
	}
	if (o.count > 0 && !o.watch)
		return usage("--count goes with --watch");
	ret = open_device(argc, argv, &device, &name);
	if (ret)
		return ret;
	ret = run_trigger(device, name, &o);
	zcdma_device_close(device);
	return ret;
}
