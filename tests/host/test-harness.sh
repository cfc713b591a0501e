#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# The scripts around the guests, with fakes in place of what is slow or cannot be had at will: guests
# that end between two tests, a kernel's reports, an apt that another one locks out, another language.
# timeout: 120
top=$(cd "$(dirname "$0")/../.." && pwd)
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
failed=0

# check NAME COMMAND...
check() {
	name=$1
	shift
	if "$@" >"$tmp/out" 2>&1; then
		echo "ok - $name"
	else
		echo "not ok - $name"
		sed 's/^/# /' "$tmp/out"
		failed=1
	fi
}

# fake NAME: a command that is found first; its text is on standard input.
mkdir "$tmp/bin"
fake() {
	cat >"$tmp/bin/$1"
	chmod +x "$tmp/bin/$1"
}

# --- lib.sh -------------------------------------------------------------------

# shellcheck disable=SC2016 # for the inner shell
surroundings() {
	(
		umask 077
		LANG=de_DE.UTF-8 LC_ALL=C.UTF-8 LANGUAGE=de top=$top \
			sh -c '. "$top/tests/vm/lib.sh"; umask; env | grep ^LC_ALL; ls /no/such/file' 2>&1
	) | tee "$tmp/said"
	printf '%s\n' 0022 LC_ALL=C "ls: cannot access '/no/such/file': No such file or directory" | diff - "$tmp/said"
}
check scripts_have_english_and_umask_022 surroundings

# --- tests/run, with a guest that runs no tests ---------------------------------

mkdir -p "$tmp/top/tests/vm" "$tmp/top/tests/guest"
cp "$top/tests/run" "$tmp/top/tests/"
cp "$top/tests/vm/lib.sh" "$tmp/top/tests/vm/"
for name in a b c; do
	echo '#!/bin/sh' >"$tmp/top/tests/guest/test-$name.sh"
done

# All tests pass. Where $fake_where (in or after a test), the kernel says $fake_complaint, and the
# guest ends with $fake_status if that is not 0.
cat >"$tmp/top/tests/vm/run" <<'EOS'
#!/bin/sh
while [ "$1" != --log ]; do shift; done
log=$2
while [ "$1" != /usr/lib/zcdma/guest-tests ]; do shift; done
shift
status=0
: >"$log.complaints"
reach() {
	[ "$1" = "$fake_where" ] || return
	[ -z "$fake_complaint" ] || echo "complaint: [    1.000000] $fake_complaint" >>"$log.complaints"
	status=$fake_status
	[ "$2" ] || exit "$status"
}
for word in "$@"; do
	name=${word%:*}
	echo "zcdma-test: start $name" >>"$log.complaints"
	echo "@@test start $name"
	reach "in $name" goes-on
	echo "zcdma-test: end $name" >>"$log.complaints"
	printf '\n@@test end %s 0\n' "$name"
	reach "after $name"
done
exit "$status"
EOS
chmod +x "$tmp/top/tests/vm/run"

# run_tells WHERE STATUS COMPLAINT FAILURE PASSED: FAILURE is the only one, and tests that had not begun
# are run all the same.
run_tells() {
	fake_where=$1 fake_status=$2 fake_complaint=$3 "$tmp/top/tests/run" || :
	printf '%s\n' "FAIL $4" "$5 passed, 1 failed, 0 skipped" >"$tmp/wanted"
	{
		grep ^FAIL "$tmp/top/build/test/results"
		tail -n 1 "$tmp/out"
	} >"$tmp/got"
	diff "$tmp/wanted" "$tmp/got"
}
check run_tells_of_crash_between_tests run_tells 'after test-a' 125 'BUG: late' \
	'boot-1: the kernel complained outside of any test: [    1.000000] BUG: late' 3
check run_tells_of_end_between_tests run_tells 'after test-a' 125 '' \
	'boot-1: the guest ended or its kernel complained, in no test' 3
check run_tells_of_hang_between_tests run_tells 'after test-b' 124 '' \
	'boot-1: the guest hung outside of any test' 3
check run_tells_of_hang_after_last_test run_tells 'after test-c' 124 '' \
	'boot-1: the guest hung outside of any test' 3
check run_tells_of_lost_qemu run_tells 'after test-a' 126 '' 'boot-1: QEMU ended outside of any test' 3
check run_blames_a_test_once run_tells 'in test-b' 125 'BUG: its own' \
	'test-b: the kernel complained: BUG: its own' 2

# --- pack, with a build that only its owner could read ----------------------------

packed_for_all() {
	mkdir -p "$tmp/top/build/vm" "$tmp/top/build/guest" "$tmp/kernel"
	(
		umask 077
		echo 6.12-fake >"$tmp/kernel/release"
		for file in pack guest-init guest-tests motd; do
			install -m 700 "$top/tests/vm/$file" "$tmp/top/tests/vm/"
		done
		install -m 700 "$top/build/vm/vmguest" "$tmp/top/build/vm/"
		printf '%s\n' '#!/bin/sh' "echo '$tmp/kernel'" >"$tmp/top/tests/vm/kernel"
		chmod 700 "$tmp/top/tests/vm/kernel" "$tmp/top/tests/guest/"*.sh
		"$tmp/top/tests/vm/pack" fake
	)
	cpio -tv <"$tmp/top/build/vm/fake.cpio" >"$tmp/list"
	grep 'build/usr/lib/zcdma/guest/test-a.sh' "$tmp/list" && ! grep -Ev '^(.r.xr.xr.x|.r..r..r..|l)' "$tmp/list"
}
check guest_users_can_read_what_is_packed packed_for_all

# --- vmhost, with a QEMU that is only a console -----------------------------------

fake qemu <<'EOS'
#!/usr/bin/perl
for (@ARGV) {
	$fd = $1 if /^socket,id=con,fd=(\d+)$/;
}
open(my $console, ">&=", $fd) or die;
open(my $text, "<", $ENV{fake_console}) or die;
syswrite($console, join("", <$text>));
EOS

# What the kernel prints, and whether it is a complaint.
cat >"$tmp/reports" <<'LIST'
no [    0.000000] SLUB: HWalign=64, Order=0-3, MinObjects=0, CPUs=2, Nodes=1
no [    0.000000] DMA-API: preallocated 65536 debug entries
no [    1.000000] systemd-udevd: LOG_DEBUG is 7, DEBUG is on
yes [    2.000000] BUG kmalloc-64 (Not tainted): Freelist Pointer check fails
yes [    3.000000] BUG: KASAN: slab-out-of-bounds in out_of_bounds+0x68/0xb0 [zcdma_bug]
yes [    4.000000] sysfs: cannot create duplicate filename '/class/zcdma/zcdma0'
no [    5.000000] kobject: kobject_add_internal failed for zcdma1 (error: -12 parent: zcdma)
yes [    6.000000] kobject (00000000d1a8e5d5): tried to init an initialized object, something is seriously wrong.
yes [    7.000000] WARNING: CPU: 0 PID: 1 at lib/refcount.c:25 refcount_warn_saturate+0x120/0x144
LIST
complaints() {
	sed 's/^[a-z]* //' "$tmp/reports" >"$tmp/printed"
	mkdir "$tmp/scratch"
	fake_console=$tmp/printed "$top/build/vm/vmhost" --log "$tmp/console" --nonce 1 --dir "$tmp/scratch" -- \
		"$tmp/bin/qemu"
	[ $? = 125 ] && sed -n 's/^yes/complaint:/p' "$tmp/reports" | diff - "$tmp/console.complaints"
}
check kernel_reports_are_seen complaints

# --- deps, with an apt that has its troubles ---------------------------------------

fake dpkg-query <<'EOS'
#!/bin/sh
exit 1
EOS
fake sudo <<'EOS'
#!/bin/sh
exec "$@"
EOS
fake sleep <<'EOS'
#!/bin/sh
echo "$1" >>"$fake_apt/slept"
EOS
# $fake_locked times another apt has the lists. A package can be had after an update.
fake apt-get <<'EOS'
#!/bin/sh
case " $* " in
*' update '*)
	echo update >>"$fake_apt/updates"
	if [ "$(wc -l <"$fake_apt/updates")" -le "$fake_locked" ]; then
		echo 'E: Could not get lock /var/lib/apt/lists/lock. It is held by process 1 (apt-get)'
		echo 'E: Unable to lock directory /var/lib/apt/lists/'
		exit 100
	fi
	[ "$fake_network" ] || { echo 'E: Failed to fetch'; exit 100; }
	: >"$fake_apt/fresh"
	;;
*' install '*)
	[ -e "$fake_apt/fresh" ] || { echo 'E: Unable to locate package make'; exit 100; }
	;;
esac
EOS

# deps_ends STATUS LOCKED NETWORK UPDATES
deps_ends() {
	rm -rf "$tmp/apt"
	mkdir "$tmp/apt"
	PATH=$tmp/bin:$PATH ZCDMA_CACHE=$tmp/apt/cache fake_apt=$tmp/apt fake_locked=$2 fake_network=$3 \
		"$top/tests/vm/deps" build
	[ $? = "$1" ] && [ "$(wc -l <"$tmp/apt/updates")" = "$4" ]
}
no_network() {
	deps_ends 1 0 '' 1 && grep -q 'E: Unable to locate package make' "$tmp/out"
}
lists_locked() {
	deps_ends 0 3 yes 4 && [ "$(wc -l <"$tmp/apt/slept")" = 3 ]
}
lists_locked_for_ever() {
	deps_ends 1 1000 yes 60 && grep -q 'E: Could not get lock' "$tmp/out"
}
check deps_shows_why_it_fails no_network
check deps_waits_for_another_apt lists_locked
check deps_gives_up_at_last lists_locked_for_ever
exit $failed
