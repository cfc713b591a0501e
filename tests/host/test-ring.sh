#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# The rings of a stream under ThreadSanitizer, both sides' own code in two
# threads; and that the sanitizer does notice when a barrier is missing.
# timeout: 300
top=$(cd "$(dirname "$0")/../.." && pwd)
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
failed=0

# ThreadSanitizer knows no fences; D is no matter of data races.
build() {
	out=$1
	shift
	gcc -O1 -g -std=gnu11 -Wall -Wextra -Wno-unused-parameter -Wno-tsan -fsanitize=thread \
		-I"$dir/$out.h" -o "$dir/$out" "$dir/$out.h/tests/host/ring-tsan.c" -lpthread >"$dir/log" 2>&1
}

# tree NAME: the three files, to be broken or not.
tree() {
	mkdir -p "$dir/$1.h/tests/host" "$dir/$1.h/driver" "$dir/$1.h/uapi/linux" \
		"$dir/$1.h/userlib/include" "$dir/$1.h/linux"
	cp "$top/tests/host/ring-tsan.c" "$dir/$1.h/tests/host/"
	cp "$top/driver/zcdma_ring.h" "$dir/$1.h/driver/"
	cp "$top/uapi/linux/zcdma.h" "$dir/$1.h/uapi/linux/"
	cp "$top/uapi/linux/zcdma.h" "$dir/$1.h/linux/"
	cp "$top/userlib/include/zcdma.h" "$dir/$1.h/userlib/include/"
}

# The sanitizer of gcc 12 cannot work with all the addresses that programs get where
# vm.mmap_rnd_bits is more than 28; with those that they get without randomness it can.
fixed=
! setarch -R true 2>/dev/null || fixed='setarch -R'

# runs NAME [FRAMES]
runs() {
	program=$dir/$1
	shift
	TSAN_OPTIONS=halt_on_error=1 $fixed "$program" "$@" >"$dir/log" 2>&1
}

skipped() {
	grep -q 'FATAL: ThreadSanitizer: unexpected memory mapping' "$dir/log" || return
	echo "ok - $1 # SKIP this compiler's ThreadSanitizer needs vm.mmap_rnd_bits=28, or leave to use setarch -R"
}

tree good
if build good && runs good; then
	echo "ok - rings_have_no_data_race"
elif skipped rings_have_no_data_race; then
	:
else
	sed 's/^/# /' "$dir/log"
	echo "not ok - rings_have_no_data_race"
	failed=1
fi

# broken NAME FILE SED: without this half of a pair, the sanitizer must report a race. It does so as soon
# as the threads meet in a way that no other pair puts in order; how soon that is, the scheduler says.
broken() {
	tree "$1"
	sed -i "$3" "$dir/$1.h/$2"
	if cmp -s "$dir/$1.h/$2" "$top/$2"; then
		echo "# $3 changes nothing in $2"
	elif build "$1" && ! runs "$1" 2000000 && grep -q 'data race' "$dir/log"; then
		echo "ok - sanitizer_sees_missing_$1"
		return
	elif skipped "sanitizer_sees_missing_$1"; then
		return
	fi
	echo "not ok - sanitizer_sees_missing_$1"
	failed=1
}
broken A_release userlib/include/zcdma.h '/__atomic_store_n(f->fill_tail/s/RELEASE/RELAXED/'
broken A_acquire driver/zcdma_ring.h 's/smp_load_acquire(&ring->words->fill_tail)/READ_ONCE(ring->words->fill_tail)/'
broken C_release driver/zcdma_ring.h 's/smp_store_release(&ring->words->done_tail, /WRITE_ONCE(ring->words->done_tail, /'
broken C_acquire userlib/include/zcdma.h '/__atomic_load_n(f->done_tail/s/ACQUIRE/RELAXED/'
exit $failed
