#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# libzcdma, installed: the 20-line example builds against the prefix with
# pkg-config, static and shared, the header suits C++, and the library exports
# what its version script says and nothing else.
# timeout: 120
top=$(cd "$(dirname "$0")/../.." && pwd)
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
prefix=$dir/prefix
failed=0

# check NAME COMMAND...
check() {
	name=$1
	shift
	if "$@" >"$dir/log" 2>&1; then
		echo "ok - $name"
	else
		sed 's/^/# /' "$dir/log"
		echo "not ok - $name"
		failed=1
	fi
}

# In a prefix as a package would have it.
config() {
	PKG_CONFIG_PATH=$prefix/lib/pkgconfig pkg-config "$@" libzcdma
}

# shellcheck disable=SC2046 # lists of options
example() {
	gcc -Wall -Wextra -Wno-unused-parameter -Werror "$@" -o "$dir/capture" \
		"$top/userlib/examples/capture.c" $(config --cflags) $(config --libs) &&
		LD_LIBRARY_PATH=$prefix/lib "$dir/capture" nosuch 2>&1 | grep -q 'No such device'
}

# shellcheck disable=SC2046
cplusplus() {
	printf '%s\n' '#include <zcdma.h>' 'int main() {' \
		'	struct zcdma_stream *s; struct zcdma_buffer *b;' \
		'	return zcdma_open(&s, "nosuch", 0) != -19 ||' \
		'	       (0 && (zcdma_acquire(s, &b, 0) || zcdma_release(s, b)));' '}' >"$dir/a.cc"
	g++ -std=c++11 -Wall -Wextra -pedantic -Werror -o "$dir/a" "$dir/a.cc" \
		$(config --cflags) $(config --libs) && LD_LIBRARY_PATH=$prefix/lib "$dir/a"
}

symbols() {
	sed -n 's/^\t\t\(zcdma_[a-z_]*\);$/\1/p' "$top/userlib/libzcdma.map" | sort >"$dir/wanted"
	nm -D --defined-only "$prefix/lib/libzcdma.so" | sed -n 's/.* T \([^@]*\)@@ZCDMA_1$/\1/p' |
		sort >"$dir/got"
	[ -s "$dir/got" ] && diff "$dir/wanted" "$dir/got"
}

# Every function of the header has its page.
pages() {
	while read -r page; do
		case $page in
		*_slow | zcdma_kick) ;;
		*) [ -e "$prefix/share/man/man3/$page.3" ] || { echo "no page: $page"; return 1; } ;;
		esac
	done <"$dir/wanted"
}

check install make -s -C "$top/userlib" O="$dir/build" PREFIX="$prefix" DESTDIR= install
check example_shared example
check example_static example -static
check header_in_c++ cplusplus
check exported_symbols symbols
check man_pages pages
check soname sh -c "readelf -d $prefix/lib/libzcdma.so | grep -q 'SONAME.*libzcdma.so.1]'"
exit $failed
